"""Loading of components: ours and other people's through the same entry-point group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from bench.faults import cause_of
from bench.neighbours import check_neighbours
from bench.registry import ENTRY_POINT_GROUP


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be imported: its entry point, its package and the cause in one line."""

    name: str
    package: str
    cause: str


_FAILURES: list[PluginFailure] = []


@cache
def load_plugins() -> None:
    """Import every module of the entry-point group once; what they register is then in the registries.

    A module that fails to import is remembered with its cause and stops nothing else, also where it ends the program
    (``sys.exit``).

    Raises:
        BenchError: another package stands in the place of one of this suite's, see `check_neighbours`.
        KeyboardInterrupt: the user wants to stop.
    """
    check_neighbours()
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=_own_first):
        try:
            point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever a stranger's module raises, the others must load
            _FAILURES.append(PluginFailure(point.name, _package(point), cause_of(error)))


def failures() -> tuple[PluginFailure, ...]:
    """The plugins that could not be imported so far."""
    return tuple(_FAILURES)


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown package"


def _own_first(point: EntryPoint) -> tuple[bool, str]:
    return (_package(point) != "face-hallucination-bench", point.name)  # so that a clash is the newcomer's fault
