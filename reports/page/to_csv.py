"""Figures and paired differences as CSV at full precision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.results import RoleLedger
from reports.runs.figure_names import PAIRED_FIGURE
from reports.runs.groups import Group
from reports.statistics.paired import BaselineComparison
from reports.text.numbers import plain

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@")  # the first character of a formula in a spreadsheet

SUMMARY_COLUMNS = (
    "notice", "group", "run", "folder", "label", "protocol", "data", "data_digest", "official", "recogniser", "aligner",
    "hallucinated_side", "figure", "unit", "value", "low", "high", "interval", "n", "identities", "without_failures",
    "n_without_failures", "probes_failed", "probes_fallback", "smoke", "sample", "seed", "bench_version", "created",
    "config_digest",
)  # fmt: skip
PAIRED_COLUMNS = (
    "notice", "group", "run", "folder", "baseline", "baseline_folder", "figure", "difference", "low", "high",
    "interval", "n", "identities", "unshared", "only_run", "only_baseline", "p_mcnemar", "p_mcnemar_holm",
    "p_identity", "p_identity_holm", "helped", "hurt", "also_differs_in",
)  # fmt: skip


def summary(groups: Sequence[Group]) -> pd.DataFrame:
    """One row for each run and figure, in the order of the report; a figure that a run lacks has no row."""
    return _frame(
        SUMMARY_COLUMNS,
        [
            {
                "notice": "; ".join(run.banners),
                "group": group.number,
                "run": name,
                "folder": run.folder_name,
                "label": run.record.label,
                "protocol": group.protocol,
                "data": group.dataset,
                "data_digest": run.record.data["digest"],
                "official": run.record.data.get("official") is True,
                "recogniser": run.recogniser,
                "aligner": run.aligner,
                "hallucinated_side": run.side,
                "figure": metric,
                "unit": figure.unit,
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
                "interval": figure.interval,
                "n": figure.n,
                "identities": run.identities,
                "without_failures": figure.without_failures,
                "n_without_failures": figure.n_without_failures,
                **_probe_counts(run.record.ledger),
                "smoke": run.record.smoke,
                "sample": run.record.sample,
                "seed": run.record.seed,
                "bench_version": run.record.bench_version,
                "created": run.record.created,
                "config_digest": run.record.config_digest,
            }
            for group in groups
            for name, run in zip(group.names, group.runs, strict=True)
            for metric in group.metrics
            if (figure := run.record.metrics.get(metric)) is not None
        ],
    )


def paired(comparisons: Mapping[int, Sequence[BaselineComparison]]) -> pd.DataFrame:
    """One row for each comparison with a baseline.

    Args:
        comparisons: by number of the group.
    """
    return _frame(
        PAIRED_COLUMNS,
        [
            {
                "notice": "; ".join(comparison.run.banners),
                "group": number,
                "run": comparison.name,
                "folder": comparison.run.folder_name,
                "baseline": comparison.baseline_name,
                "baseline_folder": comparison.baseline.folder_name,
                "figure": PAIRED_FIGURE,
                "difference": comparison.difference,
                "low": comparison.interval.low,
                "high": comparison.interval.high,
                "interval": comparison.interval.method,
                "n": len(comparison.changes),
                "identities": comparison.interval.identities,
                "unshared": comparison.unshared,
                "only_run": comparison.mcnemar.only_first,
                "only_baseline": comparison.mcnemar.only_second,
                "p_mcnemar": comparison.mcnemar.p_value,
                "p_mcnemar_holm": comparison.mcnemar_holm,
                "p_identity": comparison.by_identity.p_value,
                "p_identity_holm": comparison.by_identity_holm,
                "helped": len(comparison.helped),
                "hurt": len(comparison.hurt),
                "also_differs_in": ", ".join(comparison.differs),
            }
            for number, members in comparisons.items()
            for comparison in members
        ],
    )


def to_csv(frame: pd.DataFrame) -> str:
    """The table as CSV: gaps are empty; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    return str(frame.map(_cell).to_csv(index=False, lineterminator="\n"))


def _probe_counts(ledger: Mapping[str, RoleLedger]) -> dict[str, int | None]:
    probes = ledger.get("probe")
    return {
        "probes_failed": probes.failed if probes else None,
        "probes_fallback": probes.fallback if probes else None,
    }


def _frame(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame.from_records(list(rows), columns=list(columns)).astype(object)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
