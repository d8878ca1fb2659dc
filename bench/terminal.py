"""What the commands print: figures, findings, checks. Results go to standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.kinds import IDENTIFICATION, UNRECOGNISED, kind_of
from bench.printing import printable
from bench.record import processor_note
from bench.results import Figure, RunRecord, RunResult, split_name

if TYPE_CHECKING:
    from bench.conformance import Check
    from bench.prepared import Prepared
    from bench.types import CheckLine

_EXAMPLES = 5
_MOST = 14  # figures printed one a line
_FAILED = {
    IDENTIFICATION: "a failed probe counts as a miss",
    "verification": "a pair with a failed template counts as an error and is never accepted",
    "restoration": "a failed face has no part in a mean, and is a miss of a rate",
    "expression": "a failed face counts as a miss",
}
"""What a failure does to the figures, by kind."""
SAMPLE = "SAMPLE DATA, not {0}: its people are drawn and do not exist. Figures on it say nothing about {0}."


def describe_run(run: Prepared) -> str:
    """What is about to be measured, in a few lines."""
    kind = kind_of(run.data)
    costs = kind == "efficiency"
    counts = ", ".join(f"{len(media):,} {role}" for role, media in run.media.items() if media or not costs)
    lines = [f"*** {SAMPLE.format(run.protocol.component.dataset)} ***"] if run.sample else []
    chain = f"hallucinator {run.config.hallucinator}"
    if not costs:
        chain += f" on {run.side if run.side != 'both' else 'probe and gallery'}"
    if kind not in UNRECOGNISED:
        chain += (
            f", recogniser {run.config.recogniser}, alignment {run.probe_plan.align} (gallery {run.gallery_plan.align})"
        )
    lines += [
        f"{run.config.protocol}: {counts} images {'drawn by the suite' if costs else f'from {run.root}'}",
        chain,
        *(f"picked: {note}" for note in run.arrangement.notes),
        *(f"warning: {warning}" for warning in run.arrangement.warnings),
        *(f"note: {note}" for note in run.data.notes),
    ]
    if run.data.official is False:
        lines.append(f"note: this is NOT the official {run.protocol.component.dataset} set")
    note = processor_note(run.config.device, (run.probe_plan, run.gallery_plan), embeds=kind not in UNRECOGNISED)
    return "\n".join(map(printable, [*lines, *([f"note: {note}"] if note else [])]))


def banners(record: RunRecord) -> list[str]:
    """What must stand above every figure of this run."""
    found = []
    if record.smoke:
        found.append(f"SMOKE RUN{_limits(record)}: not a result, for testing only")
    if record.sample:
        found.append(SAMPLE.format(record.data["name"]))
    return found


def _limits(record: RunRecord) -> str:
    """What a smoke run is on: its limits, in words."""
    what = "timed passes" if record.protocol.get("kind") == "efficiency" else record.protocol.get("items", "probes")
    probes = "" if record.limit is None else f" on {record.limit:,} {what}"
    gallery = "" if record.limit_gallery is None else f" in a gallery cut to mates and {record.limit_gallery:,} others"
    return probes + gallery


def print_figures(result: RunResult) -> None:
    """Print the figures of a run with intervals, denominators and failures."""
    record = result.record
    kind = record.protocol.get("kind", IDENTIFICATION)
    for banner in banners(record):
        say(f"*** {banner} ***")
    say(f"\n{record.protocol['name']}  {record.label}{_told_by(record, kind)}")
    shown, folded = _headlines(record.metrics)
    wide = max(len("figure"), *(len(name) for name in shown))
    say(f"  {'figure':<{wide}} {'value':>8}  {'95 % interval':<17} {'without failures':<18}".rstrip())
    for name in shown:
        figure = record.metrics[name]
        line = f"  {name:<{wide}} {worded(figure.value, figure.unit):>8}  {_interval(figure):<17} "
        say(f"{line}{_without(name, figure, kind)}".rstrip())
    for part, names in folded.items():
        values = (f"{base} {worded(record.metrics[name].value, record.metrics[name].unit)}" for base, name in names)
        say(f"  {part or 'also'}: {', '.join(values)}")
    for line in _denominators(record, kind, shown):
        say(f"  {line}")
    for role, ledger in record.ledger.items():
        if not ledger.total and kind == "efficiency":
            continue
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in ledger.reasons.items())
        say(
            f"  {role + ':':<12} {ledger.total:,} images: {ledger.ok:,} ok, {ledger.fallback:,} fallback, "
            f"{ledger.failed:,} failed{f' ({reasons})' if reasons else ''}"
        )
    for warning in record.warnings:
        say(f"  warning: {warning}")
    say()


def print_check(protocol: str, root: Path, lines: Sequence[CheckLine], verdict: str) -> None:
    """Print the findings of ``bench data check``."""
    say(f"{protocol} in {root}")
    width = max(len(line.subject) for line in lines)
    for line in lines:
        expected = f" (official: {line.expected})" if line.expected and line.level != "ok" else ""
        say(f"  {line.level:<8} {line.subject:<{width}}  {line.found}{expected}")
        for example in line.examples[:_EXAMPLES]:
            say(f"  {'':<8} {'':<{width}}    {example}")
    published = any(line.expected not in ("", "none", "yes") for line in lines)
    words = {
        "ok": "the official set, whole" if published else "nothing is wrong; no set is published to compare with",
        "differs": "usable, but NOT the official set" if published else "usable; no set is published to compare with",
        "damaged": "damaged: mend what is marked before a run",
    }
    say(f"verdict: {words[verdict]}")


def print_checks(subject: str, checks: Sequence[Check]) -> int:
    """Print checks; returns the exit code, 1 when one failed."""
    width = max(len(check.name) for check in checks)
    for check in checks:
        say(f"  {'ok  ' if check.passed else 'FAIL'} {check.name:<{width}}  {check.detail}")
    failed = sum(not check.passed for check in checks)
    say(f"{subject}: {len(checks) - failed} of {len(checks)} checks passed")
    return 1 if failed else 0


def say(text: str = "") -> None:
    """Print lines in which text of others stays text; a line break is the suite's own, and only in front."""
    body = text.lstrip("\n")
    print("\n" * (len(text) - len(body)) + printable(body))


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


def _without(name: str, figure: Figure, kind: str) -> str:
    if figure.unit != "fraction" or name.startswith("landmark_error"):
        return ""  # a mean, a count or a time: failures have no part in it
    if figure.without_failures is None:
        return "no probe was scored" if kind == IDENTIFICATION else "none was scored"
    if figure.n_without_failures == figure.n:
        return "the same: none failed"
    return f"{worded(figure.without_failures, figure.unit)} of {figure.n_without_failures:,}"


def _told_by(record: RunRecord, kind: str) -> str:
    """Who told: the recogniser, or what classified; nothing where only costs are measured."""
    if kind == "expression":
        return f"  ({record.protocol.get('classifier', {}).get('name', 'classifier')})"
    return "" if kind in UNRECOGNISED else f"  ({record.stages[-1].name})"


def _headlines(metrics: Mapping[str, Figure]) -> tuple[list[str], dict[str, list[tuple[str, str]]]]:
    """Figures that are printed one a line; of many, those of parts (a yaw, a class) by part: short and full name."""
    if len(metrics) <= _MOST:
        return list(metrics), {}
    shown: list[str] = []
    folded: dict[str, list[tuple[str, str]]] = {}
    for name in metrics:
        base, part = split_name(name)
        if part:
            folded.setdefault(part, []).append((base, name))
        else:
            shown.append(name)
    return (shown, folded) if shown else (list(metrics), {})


def _denominators(record: RunRecord, kind: str, shown: Sequence[str]) -> list[str]:
    """What the figures shown are over, and what failures do to them."""
    if kind == "efficiency":
        passes = {figure.n for name, figure in record.metrics.items() if figure.unit == "ms"}
        timed = " and ".join(f"{n:,}" for n in sorted(passes))
        return [f"medians over {timed} timed passes"] if passes else []
    found = []
    metrics = {name: record.metrics[name] for name in shown}
    for n in dict.fromkeys(figure.n for figure in metrics.values()):
        named = [name for name, figure in metrics.items() if figure.n == n]
        which = "" if len(named) == len(metrics) else f" ({', '.join(named[:4])}{', ...' * (len(named) > 4)})"
        found.append(f"over {n:,} {record.protocol.get('items', 'probes')}{which}")
    people = record.data["counts"]["probe identities"]
    return [*found, f"of {people:,} identities; {_FAILED.get(kind, 'failures are counted below')}"]
