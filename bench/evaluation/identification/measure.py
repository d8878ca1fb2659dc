"""Searches in a gallery, or in several: ranks, CMC, mAP, and open-set rates where probes may have no mate."""

from __future__ import annotations

from collections.abc import Sequence

from bench import progress
from bench.errors import BenchError, DataError
from bench.evaluation.contract import Measured, Prepared, embed_roles
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.open_set import missing_figures
from bench.evaluation.identification.search import identify, join_gallery
from bench.pipeline.templates import fuse
from bench.results import ProbeRow
from bench.results.kinds import IDENTIFICATION
from bench.types import IdentificationSet


def measure(run: Prepared) -> Measured:
    """Embed all images, fuse templates and search the galleries."""
    data = run.data
    if not isinstance(data, IdentificationSet):
        raise DataError(f"An identification run was given a {type(data).__name__}")
    parts, images = embed_roles(run)
    protocol = run.protocol.component
    fused = {
        role: fuse(
            media,
            parts[role].vectors,
            parts[role].outcomes,
            unit_length=protocol.unit_length,
            fusion=protocol.fusion,
            score_weighted=protocol.score_weighted,
        )
        for role, media in run.media.items()
    }
    rows: list[ProbeRow] = []
    sizes: dict[str, int] = {}
    names: Sequence[str | None] = list(data.galleries) or [None]
    for name in names:
        gallery = join_gallery(fused["gallery"], fused["distractor"], data.galleries[name] if name else None)
        sizes[name or ""] = int(gallery.scored.sum())
        title = f"search the gallery {name}" if name else "search the gallery"
        with progress.stage(title, len(gallery.keys)) as advance:
            rows += identify(
                fused["probe"],
                gallery,
                similarity=protocol.similarity,
                name=name or "",
                open_set=data.open_set,
                progress=progress.cumulative(advance),
            )
    if all(row.rank is None for row in rows):
        causes = sorted({f"{row.stage}: {row.reason}" for row in rows})
        raise BenchError(
            f"None of {len(rows)} probes could be scored ({'; '.join(causes[:5])}), so there is no result."
        )
    rules: dict[str, object] = {"groups": list(data.groups)} if data.groups else {}
    if data.open_set:
        rules["false_positive_rates"] = list(protocol.false_positive_rates)
    metrics = figures_of(
        rows,
        ranks=protocol.ranks,
        mean_average_precision=protocol.mean_average_precision,
        false_positive_rates=protocol.false_positive_rates if data.open_set else (),
        groups=data.groups,
        seed=run.config.seed,
    )
    embedded = {role: (media, parts[role]) for role, media in run.media.items()}
    warnings = missing_figures(rows, protocol.false_positive_rates) if data.open_set else ()
    return Measured(
        metrics,
        embedded,
        rows=tuple(rows),
        warnings=warnings,
        rules={"kind": IDENTIFICATION, **rules},
        gallery_sizes=sizes,
        images=images,
    )
