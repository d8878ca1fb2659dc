"""Canaries of a run: what is odd about the outputs of its first probes."""

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
from bench.pipeline.embedder import embedder_for
from bench.pipeline.output_checks import (
    INTERPOLATING,
    SECOND_PASS_IMAGES,
    Enrolled,
    Finding,
    inspect_again,
    inspect_gallery,
    inspect_outputs,
)
from bench.pipeline.reader import open_media
from bench.pipeline.views import View
from bench.results.kinds import IDENTIFICATION, VERIFICATION
from bench.types import Media

INSPECTED = 64
"""Number of probes whose outputs are inspected."""
ENROLLED, SECONDS = 256, 5.0
"""Gallery images that outputs are compared with, at most; after so many seconds no further one is read."""
_SEARCHES = (IDENTIFICATION, VERIFICATION)


def inspect_run(run: Prepared, views: Sequence[View]) -> list[Finding]:
    """Inspect the outputs of the first probes; nothing where no probe is hallucinated.

    `bench.pipeline.output_checks.SECOND_PASS_IMAGES` of them are hallucinated a second time, and no other image is.

    Args:
        run: what was measured.
        views: of the first probes, at most `INSPECTED`.
    """
    chain = embedder_for(run.probe_plan).chain
    if chain is None or chain.passthrough:
        return []
    with progress.stage("inspect outputs", 3) as advance:
        pairs = [(view.lr, view.out) for view in views if view.lr is not None and view.out is not None]
        plain = all(step.spec.name in INTERPOLATING for step in chain.steps)
        findings = inspect_outputs(pairs, interpolation_expected=plain)
        advance(1)
        decoded = [(view.lr, view.out) for view in views if view.lr is not None]
        findings += _inspect_again(run, chain, [lr for lr, _ in decoded], [out for _, out in decoded])
        advance(1)
        if evaluation.kind_of(run.data) in _SEARCHES and not plain:
            findings += inspect_gallery(pairs, _enrolled(run, run.media["probe"][: len(views)]))
        advance(1)
    return findings


def _inspect_again(
    run: Prepared, chain: Chain, images: Sequence[ByteImages], outputs: Sequence[ByteImages | None]
) -> list[Finding]:
    """Findings of a second pass, cached: a run whose images are all in the cache builds no network."""
    shown = [(i, o) for i, o in zip(images, outputs, strict=True)][:SECOND_PASS_IMAGES]
    key = digest_of([chain.fingerprint, run.config.batch_size, [[_content(i), _content(o)] for i, o in shown]])
    cached = run.cache / "second-pass" / f"{key}.json" if run.cache else None
    if cached is not None and cached.is_file():
        try:
            return [Finding(str(name), str(detail)) for name, detail in read_json(cached)]
        except (DataError, TypeError, ValueError):
            pass  # a damaged file is replaced
    findings = inspect_again(chain, images, outputs, batch_size=run.config.batch_size, fresh=lambda: _new_chain(run))
    if cached is not None:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs the time alone
            write_file(cached, json.dumps([list(finding) for finding in findings]))
    return findings


def _content(image: ByteImages | None) -> str:
    return "" if image is None else hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _new_chain(run: Prepared) -> Chain:
    """The chain of the probes, built again."""
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
    enrolled: list[Enrolled] = []
    began = time.perf_counter()
    for media in chosen:
        if time.perf_counter() - began > SECONDS:
            break
        try:
            enrolled.append(Enrolled(media.key, open_media(media)))
        except DataError:
            continue  # the ledger counts it
    return enrolled
