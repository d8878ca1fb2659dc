"""What is about to be measured, in words: what the commands print before a run."""

from __future__ import annotations

from bench.evaluation import UNRECOGNISED, kind_of
from bench.evaluation.contract import Prepared
from bench.io.printing import printable
from bench.results.kinds import EFFICIENCY
from bench.results.text import SAMPLE
from bench.run.record import processor_note

_NOT_OFFICIAL = "Not the official"


def describe_run(run: Prepared, said: set[str] | None = None) -> str:
    """What is about to be measured, in a few lines.

    Args:
        run: what was prepared.
        said: banners and notes that a study has printed before, which are left out; those of this run are added.
    """
    kind = kind_of(run.data)
    costs = kind == EFFICIENCY
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
