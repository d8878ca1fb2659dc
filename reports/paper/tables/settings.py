"""On what a run was made: the data set, the scale, and which runs may stand in one column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results.kinds import EFFICIENCY
from reports.runs.groups import Group, make_groups
from reports.runs.run import Run

NAMES = {
    "multipie": "Multi-PIE",
    "mmi": "MMI",
    "celeba": "CelebA",
    "tinyface": "TinyFace",
    "dronesurf": "DroneSURF",
    "ijbc": "IJB-C",
}
"""Data sets of the paper, as it writes them."""
SCALES = (8, 4)
"""By how much faces grow: 16 x 16 or 32 x 32 to 128 x 128."""
_SIDE = 128


@dataclass(frozen=True, slots=True)
class Setting:
    """Runs that may stand in one column.

    Attributes:
        data: name of the data set as runs write it.
        scale: 8 or 4.
        title: what the column is called.
        told: the protocol with its arguments, and the ruler, in words.
        runs: in the order given.
        paper: whether it is the first of its data set and scale: published figures stand under that one.
    """

    data: str
    scale: int
    title: str
    told: str
    runs: tuple[Run, ...]
    paper: bool


def data_of(run: Run) -> str:
    """Name of the data set."""
    return str(run.record.data.get("name") or "unknown data")


def scales_of(run: Run) -> tuple[int, ...]:
    """The scales whose column a run stands in: that of the protocol's LR side, else of the network's.

    A run on native LR faces whose method takes any size (the LR face itself) stands in both, as in the paper.
    """
    side = run.record.protocol.get("arguments", {}).get("lr")
    if isinstance(side, int) and side:
        return tuple(scale for scale in SCALES if scale * side == _SIDE)
    sizes = [
        stage.arguments.get("size")
        for stage in run.record.stages
        if stage.stage == "hallucinate" and stage.side == "probe" and stage.name != "bicubic"
    ]
    known = [_SIDE // size for size in sizes if isinstance(size, int) and size in (16, 32)]
    return tuple(known[:1]) if known else SCALES


def settings(runs: Iterable[Run], *, by_recogniser: bool = False, scales: Sequence[int] = SCALES) -> list[Setting]:
    """Columns of runs of one kind, data sets in the paper's order, then others.

    Args:
        runs: of one kind; none gives no columns.
        by_recogniser: whether figures depend on the recogniser, so that each has a column of its own.
        scales: those that are wanted, in order.
    """
    chosen = list(runs)
    found: list[tuple[str, int, Group, str, tuple[Run, ...]]] = []
    for group in make_groups(chosen, None) if chosen else ():
        rulers = dict.fromkeys(run.recogniser for run in group.runs) if by_recogniser else {"": None}
        for ruler in rulers:
            for scale in scales:
                own = tuple(r for r in group.runs if scale in scales_of(r) and ruler in ("", r.recogniser))
                if own:
                    found.append((data_of(own[0]), scale, group, ruler, own))
    order = list(NAMES)
    found.sort(key=lambda item: (order.index(item[0]) if item[0] in order else len(order), scales.index(item[1])))
    return [_setting(found, place) for place in range(len(found))]


def _setting(found: Sequence[tuple[str, int, Group, str, tuple[Run, ...]]], place: int) -> Setting:
    data, scale, group, ruler, runs = found[place]
    alike = [at for at, item in enumerate(found) if item[:2] == (data, scale)]
    number = alike.index(place)
    title = NAMES.get(data, data)
    if len(alike) > 1:
        title += f" ({number + 1})"
    if runs[0].record.sample:
        title += " [SAMPLE]"
    told = f"{group.protocol}, data {str(group.first.record.data['digest'])[:12]}" + (
        f", recogniser {ruler}" if ruler else ""
    )
    if runs[0].kind != EFFICIENCY and runs[0].record.data.get("official") is not True:
        told += ", not the official set"
    return Setting(data, scale, title, told, runs, number == 0)
