"""Reads run folders and refuses damaged or contradictory ones, so that other code can trust the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import BenchError, DataError, MissingError, UsageError
from bench.execution.standing import Standing, believed, standing_of
from bench.io.strictfiles import shorten
from bench.results import RunResult
from bench.results.folder import changes_since_run, read_run
from reports.runs.consistency import contradictions
from reports.runs.run import Run, Skipped
from reports.runs.smoke import refuse_unlike_limits


def load(folders: Sequence[Path], given_names: Mapping[Path, str] | None = None) -> tuple[list[Run], list[Skipped]]:
    """Read run folders in the given order; duplicates are read once.

    Args:
        folders: run folders.
        given_names: names that the user gave to some of them.

    Returns:
        The runs, and the folders that are damaged.

    Raises:
        UsageError: no folders, or smoke runs together with full runs or on other probes (`reports.runs.smoke`).
        MissingError: a folder does not exist.
        DataError: all folders are damaged.
    """
    if not folders:
        raise UsageError("No runs to report on. Give the folders that `bench run --out` named.")
    distinct = list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]
    absent = [folder for folder in distinct if not folder.is_dir()]
    if absent:
        raise MissingError(
            f"No such run folder: {', '.join(map(str, absent))}. Give the folders that `bench run --out` named."
        )
    runs: list[Run] = []
    skipped: list[Skipped] = []
    for folder in distinct:
        try:
            runs.append(replace(read_one(folder), given_name=(given_names or {}).get(folder, "")))
        except BenchError as error:
            reason = str(error).replace(str(folder), folder.resolve().name)
            skipped.append(Skipped(folder.resolve().name, reason))
    if not runs:
        listed = "; ".join(f"{item.folder_name}: {item.reason}" for item in skipped)
        raise DataError(f"None of {len(skipped)} run folders can be read. {listed}")
    refuse_unlike_limits(runs)
    return runs, skipped


def read_one(folder: Path) -> Run:
    """Read one run folder.

    Raises:
        MissingError: there is no run folder.
        DataError: it is damaged, of another schema version, or contradicts itself.
    """
    result, standing = read_result(folder)
    return Run(
        folder, result.record, result.probes, result.items, result.arrays, standing.doubts, changed=standing.changed
    )


def read_result(folder: Path) -> tuple[RunResult, Standing]:
    """Read and check a run folder, for `bench score`, reports, comparisons and leaderboards.

    Returns:
        The run, with ``smoke``, ``sample`` and ``official`` verified by counts and digests, and the basis of that.

    Raises:
        MissingError, DataError: see `read_one`.
    """
    from reports.runs.schema import record_faults  # it imports pydantic, which takes 0.1 s

    try:
        result = read_run(folder)
        faults = record_faults(result.record) or list(contradictions(result))
        standing = None if faults else standing_of(result, changes_since_run(folder))
    except BenchError:
        raise
    except Exception as error:  # any error in an untrusted file concerns that run only
        raise DataError(f"{folder} is damaged ({type(error).__name__}: {shorten(error)}). Run it again.") from error
    if standing is None:
        raise DataError(f"{folder} is damaged: {shorten('; '.join(faults[:5]), 400)}. Run it again.")
    return believed(result, standing), standing
