"""Two runs on the same probes: the paired difference in rank-1, its tests, and which probes were helped or hurt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.metrics.bootstrap import Interval
from bench.metrics.significance import PairedTest, holm, mcnemar, sign_flip_test
from bench.results import ProbeRow
from reports.runs.groups import Group, differences
from reports.runs.run import Run
from reports.statistics.together import difference_intervals


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one probe.

    Attributes:
        place: row of the probe in the run; names its images.
        row: the probe in the run.
        base_place: its row in the baseline.
        base_row: the probe in the baseline.
    """

    place: int
    row: ProbeRow
    base_place: int
    base_row: ProbeRow

    @property
    def gain(self) -> float:
        """Change of the reciprocal rank, in [-1, 1]; a failed probe has reciprocal rank 0.

        Ranks 500 to 1 gain more than 2 to 1, and both more than 3,000 to 1,500, which nobody would notice.
        """
        return _reciprocal(self.row) - _reciprocal(self.base_row)

    @property
    def margin_gain(self) -> float:
        """Change of the margin between best mate and best other person; 0 where one of the runs has none."""
        now, before = margin(self.row), margin(self.base_row)
        return 0.0 if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class Pair:
    """A run against its baseline, on the probes that both have.

    Attributes:
        run: the run.
        name: its name in the report.
        baseline: what it is compared with.
        baseline_name: the name of that.
        changes: the shared probes, in the order of the run.
        unshared: probes that only one of the runs has.
        differs: what differs besides the hallucinator.
        interval: 95 % interval of the difference, by bootstrap over identities.
        mcnemar: exact test that takes probes as independent.
        by_identity: sign-flip test that takes identities as independent.
        mcnemar_holm: p-value of ``mcnemar``, Holm-corrected over the pairs of the group.
        by_identity_holm: likewise.
    """

    run: Run
    name: str
    baseline: Run
    baseline_name: str
    changes: tuple[Change, ...]
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
    def helped(self) -> list[Change]:
        """Probes whose mate has a better rank than in the baseline, most helped first."""
        return sorted(
            (change for change in self.changes if change.gain > 0),
            key=lambda change: (-change.gain, -change.margin_gain, change.row.key),
        )

    @property
    def hurt(self) -> list[Change]:
        """Probes whose mate has a worse rank than in the baseline, most hurt first."""
        return sorted(
            (change for change in self.changes if change.gain < 0),
            key=lambda change: (change.gain, change.margin_gain, change.row.key),
        )


def compare(group: Group) -> dict[int, Pair]:
    """Compare each run of a group with its baseline.

    Returns:
        The pair of each run, by its place in the group; none for the main baseline, nor for a run that shares no
        probe with its baseline, nor where no probes are searched. Probes are those that rank-1 is over: of the joined
        gallery where there are several, each with a mate.
    """
    drafts = {}
    for place, at in enumerate(group.baselines):
        run, baseline = group.runs[place], group.runs[at]
        changes = _shared(run, baseline)
        if place == at or not changes:
            continue
        people = [change.row.identity for change in changes]
        first = [_hit(change.row) for change in changes]
        second = [_hit(change.base_row) for change in changes]
        seed = baseline.record.seed
        drafts[place] = (
            changes,
            np.array(first, np.float64) - np.array(second, np.float64),
            mcnemar(first, second),
            sign_flip_test(first, second, people, seed=seed),
        )
    intervals = difference_intervals(
        [draft[1] for draft in drafts.values()],
        [[change.row.identity for change in draft[0]] for draft in drafts.values()],
        seeds=[group.runs[group.baselines[place]].record.seed for place in drafts],
    )
    plain = _holm([draft[2].p_value for draft in drafts.values()])
    clustered = _holm([draft[3].p_value for draft in drafts.values()])
    return {
        place: Pair(
            run=group.runs[place],
            name=group.names[place],
            baseline=group.runs[group.baselines[place]],
            baseline_name=group.names[group.baselines[place]],
            changes=changes,
            unshared=len(group.runs[place].head) + len(group.runs[group.baselines[place]].head) - 2 * len(changes),
            differs=differences(group.runs[place], group.runs[group.baselines[place]]),
            interval=intervals[i],
            mcnemar=exact,
            by_identity=flips,
            mcnemar_holm=plain[i],
            by_identity_holm=clustered[i],
        )
        for i, (place, (changes, _, exact, flips)) in enumerate(drafts.items())
    }


def margin(row: ProbeRow) -> float | None:
    """Score of the best mate less that of the best other person; None where one is missing."""
    if row.best_mated_score is None or row.best_nonmated_score is None:
        return None
    return row.best_mated_score - row.best_nonmated_score


def _shared(run: Run, baseline: Run) -> tuple[Change, ...]:
    before = {row.key: (place, row) for place, row in baseline.head}
    found = ((place, row, before.get(row.key)) for place, row in run.head)
    return tuple(
        Change(place, row, *match)
        for place, row, match in found
        if match is not None and match[1].identity == row.identity
    )


def _holm(p_values: Sequence[float]) -> list[float]:
    return holm(p_values) if p_values else []


def _hit(row: ProbeRow) -> bool:
    return row.rank == 1


def _reciprocal(row: ProbeRow) -> float:
    return 0.0 if row.rank is None else 1 / row.rank
