"""The images a run keeps, so that a report can show the probes without the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench import progress
from bench.errors import DataError
from bench.images import encode_png, resize
from bench.interfaces import ByteImages
from bench.pipeline.embedder import open_media
from bench.pipeline.plan import EmbedPlan
from bench.pipeline.views import views
from bench.results import ItemRow, ProbeRow, RunResult
from bench.types import Media, Role

LONGEST_SIDE = 128
_CHUNK = 32


def pictures(
    probe_plan: EmbedPlan,
    media: Mapping[Role, Sequence[Media]],
    result: RunResult,
    cache: Path | None,
) -> Iterator[tuple[str, bytes]]:
    """Members of a run's ``images.zip``, one after the other; see `bench.results.folder`.

    Args:
        probe_plan: how probes were embedded.
        media: media by role.
        result: of the run; row i of the searched probes, or item i, is ``.../00000i.png``.
        cache: folder of the cache, or None.
    """
    first = _first_media(media["probe"])
    faces = _first_media([*media["gallery"], *media.get("distractor", ())])
    rows: Sequence[ProbeRow | ItemRow] = result.probes or [item for item in result.items if item.key in first]
    with progress.stage("keep images for reports", len(rows)) as advance:
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            made = views(probe_plan, [first[_template(row)] for row in chunk], cache)
            for index, (row, view) in enumerate(zip(chunk, made, strict=True), start):
                yield from _members(index, row, view, faces)
                advance(1)


def _members(
    index: int, row: ProbeRow | ItemRow, view: tuple[ByteImages | None, ByteImages | None], faces: Mapping[str, Media]
) -> Iterator[tuple[str, bytes]]:
    lr, out = view
    if lr is not None:
        yield f"lr/{index:06d}.png", _png(lr)
    if out is not None and out is not lr:
        yield f"out/{index:06d}.png", _png(out)
    if isinstance(row, ItemRow):
        shown = [("truth", row.key)] if row.key in faces else []
    else:
        shown = [("mate", row.best_mated_key), ("impostor", row.best_nonmated_key)]
    for kind, key in shown:
        if key:
            try:
                yield f"{kind}/{index:06d}.png", _png(open_media(faces[key]))
            except DataError:
                continue  # the ledger already counts it: another media of its template was scored


def _template(row: ProbeRow | ItemRow) -> str:
    return row.key if isinstance(row, ItemRow) else row.template or row.key


def _first_media(media: Sequence[Media]) -> dict[str, Media]:
    """The media that stands for each template."""
    found: dict[str, Media] = {}
    for item in media:
        found.setdefault(item.template, item)
    return found


def _png(image: ByteImages) -> bytes:
    height, width = image.shape[:2]
    if max(height, width) > LONGEST_SIDE:
        scale = LONGEST_SIDE / max(height, width)
        image = resize(image, max(1, round(height * scale)), max(1, round(width * scale)))
    return encode_png(image)
