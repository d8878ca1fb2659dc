"""What the commands print: figures, findings, checks. Results go to standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.evaluation import IDENTIFICATION, UNRECOGNISED, kind_of
from bench.io.printing import printable
from bench.results import RunRecord, RunResult
from bench.run.figures_table import figure_lines
from bench.run.record import processor_note

if TYPE_CHECKING:
    from bench.checks.conformance import Check
    from bench.evaluation.contract import Prepared
    from bench.types import CheckLine

_EXAMPLES = 5
_NOT_OFFICIAL = "Not the official"
SAMPLE = "SAMPLE DATA, not {0}: its people are drawn and do not exist. Figures on it say nothing about {0}."


def describe_run(run: Prepared, said: set[str] | None = None) -> str:
    """What is about to be measured, in a few lines.

    Args:
        run: what was prepared.
        said: banners and notes that a study has printed before, which are left out; those of this run are added.
    """
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
        *(f"note: {note}" for note in notes_of(run)),
    ]
    note = processor_note(run.config.device, (run.probe_plan, run.gallery_plan), embeds=kind not in UNRECOGNISED)
    lines += [f"note: {note}"] if note else []
    if said is not None:
        lines = [line for line in lines if line not in said]
        said.update(line for line in lines if line.startswith(("***", "note: ")))
    return "\n".join(map(printable, lines))


def notes_of(run: Prepared) -> list[str]:
    """What there is to know about the data: what the protocol notes, and that they are not the official set.

    Of a sample its banner says that already; where a note says it, nothing is added.
    """
    notes = [note for note in run.data.notes if not (run.sample and note.startswith(_NOT_OFFICIAL))]
    if run.data.official is False and not run.sample and not any(note.startswith(_NOT_OFFICIAL) for note in notes):
        notes.append(f"{_NOT_OFFICIAL} {run.protocol.component.dataset} set.")
    return notes


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


def print_figures(result: RunResult, doubts: Sequence[str] = ()) -> None:
    """Print the figures of a run with intervals, denominators and failures; first why it is not believed, if so."""
    record = result.record
    kind = record.protocol.get("kind", IDENTIFICATION)
    for banner in (*banners(record), *(f"NOT CONFIRMED: {doubt}" for doubt in doubts)):
        say(f"*** {banner} ***")
    say(f"\n{record.protocol['name']}  {record.label}{_told_by(record, kind)}")
    for line in figure_lines(record):
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


def _told_by(record: RunRecord, kind: str) -> str:
    """Who told: the recogniser, or what classified; nothing where only costs are measured."""
    if kind == "expression":
        return f"  ({record.protocol.get('classifier', {}).get('name', 'classifier')})"
    return "" if kind in UNRECOGNISED else f"  ({record.stages[-1].name})"
