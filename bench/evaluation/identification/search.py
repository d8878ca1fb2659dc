"""From embeddings to per-probe rows: the search of an identification protocol. Writes no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.metrics.search.ranking import Match, search
from bench.pipeline.templates import Templates
from bench.results import ProbeRow
from bench.types import Outcome

NO_MATE_SCORED = Outcome("failed", "gallery", "no mate could be scored")


@dataclass(frozen=True, slots=True)
class Gallery:
    """Enrolled templates, then distractors, as one search space."""

    keys: tuple[str, ...]
    identities: tuple[str | None, ...]
    vectors: NDArray[np.float32]
    scored: NDArray[np.bool_]


def join_gallery(enrolled: Templates, distractors: Templates, only: Sequence[str] | None = None) -> Gallery:
    """Join enrolled templates (those named in ``only``, or all) and distractors to one search space.

    Distractors have no identity there.

    Raises:
        DataError: a named template is not enrolled.
    """
    if only is not None:
        enrolled = enrolled.only(only)
    outcomes = enrolled.outcomes + distractors.outcomes
    return Gallery(
        enrolled.keys + distractors.keys,
        enrolled.identities + (None,) * len(distractors.keys),
        np.concatenate([enrolled.vectors, distractors.vectors]),
        np.array([outcome.status != "failed" for outcome in outcomes], bool),
    )


def identify(
    probes: Templates,
    gallery: Gallery,
    *,
    similarity: Literal["cosine", "euclidean"],
    name: str = "",
    open_set: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[ProbeRow]:
    """Search every probe template in the gallery.

    A failed template has no score. A failed probe gets a row without ranks; a failed gallery template or distractor is
    excluded from the search (and listed in the ledger); a probe whose mates all failed is a failed probe.

    Args:
        probes: the searched templates.
        gallery: the search space.
        similarity: ``cosine`` takes dot products of the vectors as they are; ``euclidean`` the negative distance.
        name: of the gallery, where there are several.
        open_set: whether a probe may have no mate; its row then has no rank, but the best score of other people.
        progress: called with (gallery templates done, all) now and then.

    Returns:
        One row per probe, in order.

    Raises:
        DataError: there are no probes, or a probe's identity is not in the gallery of a closed-set search.
    """
    if not probes.keys:
        raise DataError("No probes to search: the protocol lists none.")
    index = {person: i for i, person in enumerate(sorted({p for p in gallery.identities if p is not None}))}
    mates = Counter(person for person in gallery.identities if person is not None)
    without_mate = [key for key, person in zip(probes.keys, probes.identities, strict=True) if not mates[person or ""]]
    if without_mate and not open_set:
        raise DataError(
            f"{len(without_mate)} of {len(probes.keys)} probes have no mate in the gallery: {without_mate[:5]}"
        )
    searched = [i for i, outcome in enumerate(probes.outcomes) if outcome.status != "failed"]
    enrolled = np.flatnonzero(gallery.scored)
    matches: dict[int, Match] = {}
    if searched and len(enrolled):
        results = search(
            probes.vectors[searched],
            gallery.vectors[enrolled],
            np.array([index.get(probes.identities[i] or "", len(index)) for i in searched], np.int64),
            np.array([index.get(gallery.identities[i] or "", -1) for i in enrolled], np.int64),
            similarity=similarity,
            progress=progress,
        )
        matches = dict(zip(searched, results, strict=True))
    names = [gallery.keys[i] for i in enrolled]
    rows = range(len(probes.keys))
    return [_row(probes, i, mates[probes.identities[i] or ""], matches.get(i), names, name) for i in rows]


def _row(probes: Templates, i: int, mates: int, match: Match | None, names: Sequence[str], gallery: str) -> ProbeRow:
    outcome = probes.outcomes[i]
    if outcome.status != "failed" and (match is None or (mates and not match.mated_ranks)):
        outcome = NO_MATE_SCORED
    scored_match = match if outcome.status != "failed" else None
    return ProbeRow(
        key=f"{probes.keys[i]} in {gallery}" if gallery else probes.keys[i],
        identity=probes.identities[i] or "",
        status=outcome.status,
        stage=outcome.stage,
        reason=outcome.reason,
        mates=mates,
        rank=scored_match.mated_ranks[0] if scored_match and mates else None,
        rank_optimistic=scored_match.optimistic_ranks[0] if scored_match and mates else None,
        mated_ranks=scored_match.mated_ranks if scored_match else (),
        best_mated_score=scored_match.best_mated_score if scored_match else None,
        best_mated_key=names[scored_match.best_mated] if scored_match and scored_match.best_mated is not None else "",
        best_nonmated_score=scored_match.best_nonmated_score if scored_match else None,
        best_nonmated_key=names[scored_match.best_nonmated]
        if scored_match and scored_match.best_nonmated is not None
        else "",
        attributes=probes.media[i].attributes,
        gallery=gallery,
        template=probes.keys[i],
    )
