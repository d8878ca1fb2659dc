"""A run against its baseline on the same probes: difference in rank-1, its tests, and the probes helped or hurt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.bootstrap import Interval
from bench.metrics.identification import is_hit
from bench.metrics.significance import PairedTest, holm, mcnemar, sign_flip_test
from bench.results import ProbeRow
from reports.runs.groups import Group, differences
from reports.runs.run import Run
from reports.statistics.intervals import difference_intervals


@dataclass(frozen=True, slots=True)
class ProbeChange:
    """One probe under a run and under its baseline.

    Attributes:
        place: index of its row in the run; its images carry that number.
        row: its row in the run.
        base_place: index of its row in the baseline.
        base_row: its row in the baseline.
    """

    place: int
    row: ProbeRow
    base_place: int
    base_row: ProbeRow

    @property
    def gain(self) -> float:
        """ProbeChange of the reciprocal rank, in [-1, 1]; a failed probe has reciprocal rank 0.

        Ranks 500 to 1 gain more than 2 to 1, and both more than 3,000 to 1,500, which nobody would notice.
        """
        return _reciprocal(self.row) - _reciprocal(self.base_row)

    @property
    def margin_gain(self) -> float:
        """ProbeChange of the margin between best mate and best non-mate; 0 where one of the runs has none."""
        now, before = margin(self.row), margin(self.base_row)
        return 0.0 if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """A run against its baseline, on the probes that both have.

    Attributes:
        run: the run.
        name: its name in the report.
        baseline: the run it is compared with.
        baseline_name: name of the baseline in the report.
        changes: the shared probes, in the order of the run.
        unshared: number of probes that only one of the two runs has.
        differs: what differs besides the hallucinator.
        interval: 95 % interval of the difference, by bootstrap over identities.
        mcnemar: exact McNemar test, which assumes independent probes.
        by_identity: sign-flip test, which assumes independent identities.
        mcnemar_holm: p-value of ``mcnemar``, Holm-corrected over the comparisons of the group.
        by_identity_holm: p-value of ``by_identity``, likewise.
    """

    run: Run
    name: str
    baseline: Run
    baseline_name: str
    changes: tuple[ProbeChange, ...]
    unshared: int
    differs: tuple[str, ...]
    interval: Interval
    mcnemar: PairedTest
    by_identity: PairedTest
    mcnemar_holm: float
    by_identity_holm: float

    @property
    def difference(self) -> float:
        """Rank-1 rate of the run less that of the baseline, over the shared probes."""
        return self.mcnemar.difference

    @property
    def helped(self) -> list[ProbeChange]:
        """Probes whose mate has a better rank than in the baseline, most helped first."""
        return sorted(
            (change for change in self.changes if change.gain > 0),
            key=lambda change: (-change.gain, -change.margin_gain, change.row.key),
        )

    @property
    def hurt(self) -> list[ProbeChange]:
        """Probes whose mate has a worse rank than in the baseline, most hurt first."""
        return sorted(
            (change for change in self.changes if change.gain < 0),
            key=lambda change: (change.gain, change.margin_gain, change.row.key),
        )


def compare_with_baselines(group: Group) -> dict[int, BaselineComparison]:
    """Compare each run of a group with its baseline.

    The probes are those of rank-1: of the joined gallery where there are several galleries, each with a mate.

    Returns:
        By index of the run. The main baseline has no entry, and neither have runs that share no probe with their
        baseline. Empty where no probes are searched in a gallery.
    """
    drafts = {}
    for index, at in enumerate(group.baselines):
        run, baseline = group.runs[index], group.runs[at]
        changes = _shared_probes(run, baseline)
        if index == at or not changes:
            continue
        people = [change.row.identity for change in changes]
        hits = [is_hit(change.row.rank) for change in changes]
        base_hits = [is_hit(change.base_row.rank) for change in changes]
        drafts[index] = (
            changes,
            np.array(hits, np.float64) - np.array(base_hits, np.float64),
            mcnemar(hits, base_hits),
            sign_flip_test(hits, base_hits, people, seed=baseline.record.seed),
        )
    intervals = difference_intervals(
        [hit_changes for _, hit_changes, _, _ in drafts.values()],
        [[change.row.identity for change in changes] for changes, *_ in drafts.values()],
        seeds=[group.runs[group.baselines[index]].record.seed for index in drafts],
    )
    mcnemar_holm = _holm([exact.p_value for _, _, exact, _ in drafts.values()])
    by_identity_holm = _holm([flips.p_value for _, _, _, flips in drafts.values()])
    return {
        index: BaselineComparison(
            run=group.runs[index],
            name=group.names[index],
            baseline=group.runs[group.baselines[index]],
            baseline_name=group.names[group.baselines[index]],
            changes=changes,
            unshared=len(group.runs[index].head) + len(group.runs[group.baselines[index]].head) - 2 * len(changes),
            differs=differences(group.runs[index], group.runs[group.baselines[index]]),
            interval=intervals[i],
            mcnemar=exact,
            by_identity=flips,
            mcnemar_holm=mcnemar_holm[i],
            by_identity_holm=by_identity_holm[i],
        )
        for i, (index, (changes, _, exact, flips)) in enumerate(drafts.items())
    }


def margin(row: ProbeRow) -> float | None:
    """Score of the best mate less the best score of another person; None where one of them is missing."""
    if row.best_mated_score is None or row.best_nonmated_score is None:
        return None
    return row.best_mated_score - row.best_nonmated_score


def _shared_probes(run: Run, baseline: Run) -> tuple[ProbeChange, ...]:
    base_rows = {row.key: (place, row) for place, row in baseline.head}
    return tuple(
        ProbeChange(place, row, *match)
        for place, row in run.head
        if (match := base_rows.get(row.key)) is not None and match[1].identity == row.identity
    )


def _holm(p_values: Sequence[float]) -> list[float]:
    return holm(p_values) if p_values else []


def _reciprocal(row: ProbeRow) -> float:
    return 0.0 if row.rank is None else 1 / row.rank
