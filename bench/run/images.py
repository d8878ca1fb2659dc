"""The images a run keeps, so that a report can show the probes without the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench import progress
from bench.errors import DataError
from bench.pipeline.reader import open_media
from bench.pipeline.views import PictureStore, encode_picture
from bench.results import ItemRow, ProbeRow, RunResult
from bench.types import Media, Role


def images_of_run(
    stored: PictureStore, media: Mapping[Role, Sequence[Media]], result: RunResult
) -> Iterator[tuple[str, bytes]]:
    """Members of a run's ``images.zip``, one after the other; see `bench.results.folder`.

    Args:
        stored: pictures of the probes, kept while they were embedded.
        media: media by role.
        result: of the run; row i of the searched probes, or item i, is ``.../00000i.png``.
    """
    faces = _first_media([*media["gallery"], *media.get("distractor", ())])
    rows: Sequence[ProbeRow | ItemRow] = result.probes or [item for item in result.items if item.key in stored]
    with progress.stage("keep images for reports", len(rows)) as advance:
        for index, row in enumerate(rows):
            picture = stored[_template(row)]
            if picture.lr:
                yield f"lr/{index:06d}.png", picture.lr
            if picture.out:
                yield f"out/{index:06d}.png", picture.out
            for kind, key in _compared(row, faces):
                try:
                    yield f"{kind}/{index:06d}.png", encode_picture(open_media(faces[key]))
                except DataError:
                    continue  # the ledger already counts it: another media of its template was scored
            advance(1)


def _compared(row: ProbeRow | ItemRow, faces: Mapping[str, Media]) -> list[tuple[str, str]]:
    """The images that are shown beside a probe: kind and template."""
    if isinstance(row, ItemRow):
        return [("truth", row.key)] if row.key in faces else []
    return [(kind, key) for kind, key in (("mate", row.best_mated_key), ("impostor", row.best_nonmated_key)) if key]


def _template(row: ProbeRow | ItemRow) -> str:
    return row.key if isinstance(row, ItemRow) else row.template or row.key


def _first_media(media: Sequence[Media]) -> dict[str, Media]:
    """The media that stands for each template."""
    first: dict[str, Media] = {}
    for item in media:
        first.setdefault(item.template, item)
    return first
