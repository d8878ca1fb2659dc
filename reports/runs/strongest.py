"""The strongest LR row of each recogniser as the baseline: gains are claimed against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.diagnosis.below import is_lr_face
from bench.results import StageRecord
from bench.results.kinds import EFFICIENCY
from reports.runs.figure_names import PAIRED_FIGURE, headlines, in_order
from reports.runs.run import Run

STRONGEST = "strongest"
"""The word of ``--baseline``; a run of that name cannot be named by it."""


def strongest_rows(runs: Sequence[Run]) -> dict[int, int | None]:
    """The strongest LR row for each run of a group.

    An LR row is a run of the LR face, labelled ``none``, whatever its alignment. The one with the highest value of the
    headline figure (rank-1 of searches, else the first of the whole) is taken, the first of equal ones; of
    costs the first row.

    Args:
        runs: of one protocol on the same data.

    Returns:
        By index of the run, the index of the LR row with the same recogniser; None where there is none.
    """
    names = headlines(in_order(run.record.metrics for run in runs))[0]
    figure = PAIRED_FIGURE if runs[0].searched and PAIRED_FIGURE in names else names[0]
    best: dict[int, int | None] = {}
    for index, run in enumerate(runs):
        rows = [i for i in lr_rows(runs, run) if figure in runs[i].record.metrics]
        if run.kind == EFFICIENCY:  # a cost has no strongest row
            best[index] = rows[0] if rows else None
        else:
            best[index] = max(rows, key=lambda i: runs[i].record.metrics[figure].value, default=None)
    return best


def lr_rows(runs: Sequence[Run], run: Run) -> list[int]:
    """Indices of the runs of the LR face that have the recogniser of a run."""
    return [i for i, other in enumerate(runs) if is_lr_face(other.record) and _recogniser(other) == _recogniser(run)]


def strongest_notes(runs: Sequence[Run], names: Sequence[str], only: Run | None = None) -> Iterable[str]:
    """Sentences that name the baseline of each recogniser and how it was chosen.

    Args:
        runs: of one protocol on the same data.
        names: of the runs in the report.
        only: the one baseline to describe; None describes all.
    """
    best = strongest_rows(runs)
    for index in sorted({at for at in best.values() if at is not None and only in (None, runs[at])}):
        count = len(lr_rows(runs, runs[index]))
        which = f"aligned by {runs[index].aligner}, " if runs[index].aligner else ""
        by = f" of recogniser {runs[index].recogniser}" if runs[index].recogniser else ""
        if count == 1:
            yield f"The baseline{by} is {names[index]} ({which}the only LR row)."
        else:
            yield (
                f"The baseline{by} is {names[index]} ({which}the strongest of {count} LR rows). The highest of several "
                "figures is partly high by chance, so this choice favours the baseline: gains over it are rather too "
                "low than too high."
            )
    for index, at in best.items():
        if at is None and only is None:
            yield f"{names[index]} has no LR row of its recogniser here, so it is compared with nothing."


def _recogniser(run: Run) -> tuple[object, ...]:
    stage: StageRecord | None = run.stage("embed", "probe")
    if stage is None:
        return ()
    weights = sorted((str(dict(file).get("name")), str(dict(file).get("sha256"))) for file in stage.weights)
    return stage.name, stage.version, sorted((key, str(value)) for key, value in stage.arguments.items()), weights
