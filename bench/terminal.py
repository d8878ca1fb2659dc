"""What the commands print: figures, findings, checks. Results go to standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Figure, RunRecord, RunResult

if TYPE_CHECKING:
    from bench.conformance import Check
    from bench.prepared import Prepared
    from bench.types import CheckLine

_EXAMPLES = 5
SAMPLE = "SAMPLE DATA, not {0}: its people are drawn and do not exist. Figures on it say nothing about {0}."


def describe_run(run: Prepared) -> str:
    """What is about to be measured, in a few lines."""
    counts = ", ".join(f"{len(media):,} {role}" for role, media in run.media.items())
    lines = [f"*** {SAMPLE.format(run.protocol.component.dataset)} ***"] if run.sample else []
    lines += [
        f"{run.config.protocol}: {counts} images from {run.root}",
        f"hallucinator {run.config.hallucinator} on {run.config.hallucinate}, recogniser {run.config.recogniser}, "
        f"alignment {run.probe_plan.align} (gallery {run.gallery_plan.align})",
        *(f"note: {note}" for note in run.data.notes),
    ]
    if not run.data.official:
        lines.append(f"note: this is NOT the official {run.protocol.component.dataset} set")
    return "\n".join(lines)


def banners(record: RunRecord) -> list[str]:
    """What must stand above every figure of this run."""
    found = []
    if record.smoke:
        found.append(f"SMOKE RUN on {record.limit} probes: not a result, for testing only")
    if record.sample:
        found.append(SAMPLE.format(record.data["name"]))
    return found


def print_figures(result: RunResult) -> None:
    """Print the figures of a run with intervals, denominators and failures."""
    record = result.record
    for banner in banners(record):
        print(f"*** {banner} ***")
    counts = record.data["counts"]
    print(f"\n{record.protocol['name']}  {record.label}  ({record.stages[-1].name})")
    wide = max(len("figure"), *(len(name) for name in record.metrics))
    print(f"  {'figure':<{wide}} {'value':>8}  {'95 % interval':<17} {'without failures':<18}")
    for name, figure in record.metrics.items():
        print(f"  {name:<{wide}} {worded(figure.value, figure.unit):>8}  {_interval(figure):<17} {_without(figure)}")
    for n in dict.fromkeys(figure.n for figure in record.metrics.values()):
        named = [name for name, figure in record.metrics.items() if figure.n == n]
        which = "" if len(named) == len(record.metrics) else f" ({', '.join(named[:4])}{', ...' * (len(named) > 4)})"
        print(f"  over {n:,} {record.protocol.get('items', 'probes')}{which}")
    print(f"  of {counts['probe identities']:,} identities; a failed probe counts as a miss")
    for role, ledger in record.ledger.items():
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in ledger.reasons.items())
        print(
            f"  {role + ':':<12} {ledger.total:,} images: {ledger.ok:,} ok, {ledger.fallback:,} fallback, "
            f"{ledger.failed:,} failed{f' ({reasons})' if reasons else ''}"
        )
    for warning in record.warnings:
        print(f"  warning: {warning}")
    print()


def print_check(protocol: str, root: Path, lines: Sequence[CheckLine], verdict: str) -> None:
    """Print the findings of ``bench data check``."""
    print(f"{protocol} in {root}")
    width = max(len(line.subject) for line in lines)
    for line in lines:
        expected = f" (official: {line.expected})" if line.expected and line.level != "ok" else ""
        print(f"  {line.level:<8} {line.subject:<{width}}  {line.found}{expected}")
        for example in line.examples[:_EXAMPLES]:
            print(f"  {'':<8} {'':<{width}}    {example}")
    words = {
        "ok": "the official set, whole",
        "differs": "usable, but NOT the official set",
        "damaged": "damaged: mend what is marked before a run",
    }
    print(f"verdict: {words[verdict]}")


def print_checks(subject: str, checks: Sequence[Check]) -> int:
    """Print checks; returns the exit code, 1 when one failed."""
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"  {'ok  ' if check.passed else 'FAIL'} {check.name:<{width}}  {check.detail}")
    failed = sum(not check.passed for check in checks)
    print(f"{subject}: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


def worded(value: float, unit: str) -> str:
    """A figure's value with its unit: fractions as per cent."""
    if unit == "fraction":
        return f"{value:.2%}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.4f}" if unit in ("ssim", "cosine", "lpips") else f"{value:.2f} {unit}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "none"
    return f"{worded(figure.low, figure.unit)} - {worded(figure.high, figure.unit)}"


def _without(figure: Figure) -> str:
    if figure.without_failures is None:
        return "no probe was scored"
    if figure.n_without_failures == figure.n:
        return "the same: none failed"
    return f"{worded(figure.without_failures, figure.unit)} of {figure.n_without_failures:,}"
