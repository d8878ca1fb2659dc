"""What the canaries see in the outputs of a run, while it still has its inputs and its gallery."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Sequence

from bench import evaluation, progress
from bench.errors import DataError
from bench.evaluation.contract import Prepared
from bench.interfaces import ByteImages
from bench.io.atomic import write_file
from bench.io.file_digests import digest_of
from bench.io.strictfiles import read_json
from bench.pipeline.chain import Chain
from bench.pipeline.embedder import embedder_for, open_media
from bench.pipeline.gallery_check import Enrolled, inspect_gallery
from bench.pipeline.output_checks import INTERPOLATING, Finding, inspect_outputs
from bench.pipeline.second_pass import IMAGES, inspect_again
from bench.pipeline.views import views
from bench.results.kinds import IDENTIFICATION, VERIFICATION
from bench.types import Media

INSPECTED = 64
"""Probes looked at."""
ENROLLED, SECONDS = 256, 5.0
"""Gallery images compared with them, at most, and after so many seconds no further one is read."""
_SEARCHES = (IDENTIFICATION, VERIFICATION)


def odd_outputs(run: Prepared) -> list[Finding]:
    """What is odd about the outputs of the first probes; nothing where no probe is hallucinated.

    The outputs are those of the run, from its cache where there is one. A second pass over
    `bench.pipeline.second_pass.IMAGES` of them goes past the cache.
    """
    chain = embedder_for(run.probe_plan).chain
    if chain is None or chain.passthrough:
        return []
    media = run.media["probe"][:INSPECTED]
    with progress.stage("inspect outputs", 3) as advance:
        shown = views(run.probe_plan, media, run.cache)
        pairs = [(lr, out) for lr, out in shown if lr is not None and out is not None]
        plain = all(step.spec.name in INTERPOLATING for step in chain.steps)
        found = inspect_outputs(pairs, interpolation_expected=plain)
        advance(1)
        decoded = [(lr, out) for lr, out in shown if lr is not None]
        found += _again(run, chain, [lr for lr, _ in decoded], [out for _, out in decoded])
        advance(1)
        if evaluation.kind_of(run.data) in _SEARCHES and not plain:
            found += inspect_gallery(pairs, _enrolled(run, media))
        advance(1)
    return found


def _again(
    run: Prepared, chain: Chain, images: Sequence[ByteImages], outputs: Sequence[ByteImages | None]
) -> list[Finding]:
    """What a second pass finds, kept in the cache: a run that takes all its images from there builds no network."""
    shown = [(i, o) for i, o in zip(images, outputs, strict=True)][:IMAGES]
    key = digest_of([chain.fingerprint, run.config.batch_size, [[_content(i), _content(o)] for i, o in shown]])
    kept = run.cache / "second-pass" / f"{key}.json" if run.cache else None
    if kept is not None and kept.is_file():
        try:
            return [Finding(str(name), str(detail)) for name, detail in read_json(kept)]
        except (DataError, TypeError, ValueError):
            pass  # damaged: made again
    found = inspect_again(chain, images, outputs, batch_size=run.config.batch_size, fresh=lambda: _fresh(run))
    if kept is not None:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs the time alone
            write_file(kept, json.dumps([list(finding) for finding in found]))
    return found


def _content(image: ByteImages | None) -> str:
    return "" if image is None else hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _fresh(run: Prepared) -> Chain:
    """The chain of the probes, built anew."""
    plan = run.probe_plan
    return Chain.parse(plan.chain or "none", {"device": plan.device, "threads": plan.threads})


def _enrolled(run: Prepared, probes: Sequence[Media]) -> list[Enrolled]:
    """Gallery images of the probes' people first, then others spread over the gallery."""
    people = {media.identity for media in probes}
    gallery = run.media["gallery"]
    mates = [media for media in gallery if media.identity in people]
    others = [media for media in (*gallery, *run.media.get("distractor", ())) if media.identity not in people]
    room = max(ENROLLED - len(mates), ENROLLED // 4)
    step = max(1, len(others) // room)
    chosen = [*mates[: ENROLLED - ENROLLED // 4], *others[::step][:room]][:ENROLLED]
    found: list[Enrolled] = []
    began = time.perf_counter()
    for media in chosen:
        if time.perf_counter() - began > SECONDS:
            break
        try:
            found.append(Enrolled(media.key, open_media(media)))
        except DataError:
            continue  # the ledger counts it
    return found
