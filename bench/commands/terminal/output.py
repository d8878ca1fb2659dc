"""Prints figures, findings and checks to standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.checks.conformance import Check
from bench.evaluation.identification.figures import flat_figures
from bench.execution.text import figure_lines, recogniser_of
from bench.io.columns import align_columns
from bench.progress import format_rate
from bench.results import RunRecord, RunResult
from bench.results.kinds import EFFICIENCY, recorded_kind
from bench.results.text import banners, print_line
from bench.types import CheckLine

_EXAMPLES = 5


def print_figures(result: RunResult, doubts: Sequence[str] = ()) -> None:
    """Print doubts about a run, then its figures with intervals, denominators and failures."""
    record = result.record
    kind = recorded_kind(record.protocol)
    for banner in (*banners(record), *(f"NOT CONFIRMED: {doubt}" for doubt in doubts)):
        print_line(f"*** {banner} ***")
    print_line(f"\n{record.protocol['name']}  {record.label}{recogniser_of(record)}")
    for line in figure_lines(record):
        print_line(f"  {line}")
    for role, ledger in record.ledger.items():
        if not ledger.total and kind == EFFICIENCY:
            continue
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in ledger.reasons.items())
        print_line(
            f"  {role + ':':<12} {ledger.total:,} images: {ledger.ok:,} ok, {ledger.fallback:,} fallback, "
            f"{ledger.failed:,} failed{f' ({reasons})' if reasons else ''}"
        )
    for warning in record.warnings:
        print_line(f"  warning: {warning}")
    print_line()


def stage_lines(record: RunRecord) -> list[str]:
    """The stages of a run with their arguments and weights, then the time of each; cached images are not timed."""
    rows = [("side", "stage", "component", "arguments, weights")]
    for stage in record.stages:
        arguments = [f"{name}={value}" for name, value in stage.arguments.items()]
        weights = [f"{file.get('name', '')} {str(file.get('sha256', ''))[:12]}" for file in stage.weights]
        component = f"{stage.name} version {stage.version}"
        rows.append((stage.side, stage.stage, component, ", ".join([*arguments, *weights])))
    times = [("stage", "images", "seconds", "")]
    for name, timing in record.timings.items():
        rate = timing["images"] / timing["seconds"] if timing["seconds"] else None
        times.append((name, f"{timing['images']:,.0f}", f"{timing['seconds']:.2f}", format_rate(rate)))
    return [*align_columns(rows), *align_columns(times, right=(1, 2))]


def run_object(result: RunResult, folder: Path, *, computed: bool, more: Sequence[str] = ()) -> dict[str, object]:
    """The output of ``bench run --json``.

    Args:
        result: of the run.
        folder: its run folder.
        computed: whether it was computed now; False where the finished run was read.
        more: warnings that are not in its record.
    """
    return {
        "format": "face-hallucination-bench run",
        "version": 1,
        "folder": str(folder),
        "computed": computed,
        "figures": flat_figures(result),
        "warnings": [*result.record.warnings, *more],
    }


def print_check(protocol: str, root: Path, lines: Sequence[CheckLine], verdict: str) -> None:
    """Print the findings of ``bench data check``."""
    print_line(f"{protocol} in {root}")
    rows: list[tuple[str, str]] = []
    for line in lines:
        expected = f" (official: {line.expected})" if line.expected and line.level != "ok" else ""
        rows.append((f"{line.level:<8} {line.subject}", f"{line.found}{expected}"))
        rows += [("", f"  {example}") for example in line.examples[:_EXAMPLES]]
    for text in align_columns(rows):
        print_line(text)
    published = any(line.expected not in ("", "none", "yes") for line in lines)
    verdicts = {
        "ok": "the official set, complete" if published else "no faults; no set is published to compare with",
        "differs": "usable, but NOT the official set" if published else "usable; no set is published to compare with",
        "damaged": "damaged: repair the marked entries before a run",
    }
    print_line(f"verdict: {verdicts[verdict]}")


def print_checks(subject: str, checks: Sequence[Check]) -> int:
    """Print checks; returns the exit code, 1 when one failed."""
    states = ("FAIL" if not check.passed else "WARN" if check.warns else "ok  " for check in checks)
    for line in align_columns(
        [(f"{state} {check.name}", check.detail) for state, check in zip(states, checks, strict=True)]
    ):
        print_line(line)
    failed = sum(not check.passed for check in checks)
    warned = sum(check.passed and check.warns for check in checks)
    more = f", {warned} with a warning" if warned else ""
    print_line(f"{subject}: {len(checks) - failed} of {len(checks)} checks passed{more}")
    return 1 if failed else 0
