"""Fusion of the embeddings of media to templates: one vector for all media of an enrolment or a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError
from bench.interfaces import FloatImages
from bench.types import Media, Outcome

Fusion = Literal["mean", "unit", "media"]


@dataclass(frozen=True)
class Templates:
    """Templates in order of first appearance.

    Attributes:
        keys: template names.
        identities: the person of each, or None for a distractor.
        vectors: float32 (T, D); rows of templates that failed are NaN.
        outcomes: failed when every media failed; else the worst of the media that did not.
        media: the first media of each, which is its picture in reports.
    """

    keys: tuple[str, ...]
    identities: tuple[str | None, ...]
    vectors: FloatImages
    outcomes: tuple[Outcome, ...]
    media: tuple[Media, ...]

    def only(self, keys: Sequence[str]) -> Templates:
        """Those of the given names, in that order.

        Raises:
            DataError: one is absent.
        """
        place = {key: i for i, key in enumerate(self.keys)}
        absent = [key for key in keys if key not in place]
        if absent:
            raise DataError(f"{len(absent)} of {len(keys)} templates of a gallery have no media: {absent[:5]}")
        rows = [place[key] for key in keys]
        return Templates(
            tuple(keys),
            tuple(self.identities[i] for i in rows),
            self.vectors[rows],
            tuple(self.outcomes[i] for i in rows),
            tuple(self.media[i] for i in rows),
        )


def fuse(
    media: Sequence[Media],
    vectors: FloatImages,
    outcomes: Sequence[Outcome],
    *,
    unit_length: bool,
    fusion: Fusion = "mean",
    score_weighted: bool = False,
) -> Templates:
    """Fuse the media embeddings of each template; failed media are left out.

    Args:
        media: N media, each with its template.
        vectors: their embeddings, float32 (N, D), NaN where failed.
        outcomes: one for each media.
        unit_length: scale each template to length 1.
        fusion: ``mean`` of the embeddings as they are; ``unit``: each at unit length, then the mean (on unit templates,
            cosine with it ranks as the mean of the single cosines does); ``media``: images of one `Media.medium` are
            averaged, and the averages are added (the usual way of IJB).
        score_weighted: multiply each embedding by ``attributes["score"]`` first.

    Returns:
        One row a template. A template whose vector has length 0 fails: it cannot be compared.

    Raises:
        DataError: media of one template belong to different identities, or a score to weight by is missing.
    """
    groups: dict[str, list[int]] = {}
    for index, item in enumerate(media):
        groups.setdefault(item.template, []).append(index)
    fused = np.full((len(groups), vectors.shape[1]), np.nan, np.float32)
    fused_outcomes: list[Outcome] = []
    for row, (name, members) in enumerate(groups.items()):
        people = {media[i].identity for i in members}
        if len(people) > 1:
            raise DataError(
                f"Template {name!r} holds media of {len(people)} identities: {sorted(map(str, people))[:5]}"
            )
        scored = [i for i in members if outcomes[i].status != "failed"]
        if not scored:
            fused_outcomes.append(outcomes[members[0]])
            continue
        vector = _fused([media[i] for i in scored], vectors[scored], fusion, weighted=score_weighted)
        length = float(np.linalg.norm(vector))
        if unit_length and length == 0.0:
            fused_outcomes.append(Outcome("failed", "embed", "embedding of length zero"))
            continue
        fused[row] = vector / length if unit_length else vector
        fused_outcomes.append(_worst([outcomes[i] for i in members]))
    firsts = [members[0] for members in groups.values()]
    return Templates(
        tuple(groups),
        tuple(media[i].identity for i in firsts),
        fused,
        tuple(fused_outcomes),
        tuple(media[i] for i in firsts),
    )


def _fused(
    media: Sequence[Media], vectors: FloatImages, fusion: Fusion, *, weighted: bool
) -> NDArray[np.float32] | NDArray[np.float64]:
    """One vector for one or more."""
    if len(media) == 1 and not weighted and fusion != "unit":
        single: FloatImages = vectors[0]
        return single
    rows = vectors.astype(np.float64)
    if fusion == "unit":
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    if weighted:
        rows = rows * np.array([_score(item) for item in media])[:, None]
    if fusion != "media":
        mean: NDArray[np.float64] = rows.mean(axis=0)
        return mean
    groups: dict[str, list[int]] = {}
    for row, item in enumerate(media):
        groups.setdefault(item.medium or item.key, []).append(row)
    total: NDArray[np.float64] = np.sum([rows[members].mean(axis=0) for members in groups.values()], axis=0)
    return total


def _score(item: Media) -> float:
    score = item.attributes.get("score")
    if not isinstance(score, float) or not np.isfinite(score) or score < 0:
        raise DataError(f"{item.key} has the detector score {score!r}, to weigh by; it must be a number from 0")
    return score


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a template some of whose media were scored: a failed media makes it a fallback."""
    for outcome in outcomes:
        if outcome.status == "failed":
            return Outcome("fallback", outcome.stage, f"some media failed: {outcome.reason}")
    return next((outcome for outcome in outcomes if outcome.status == "fallback"), outcomes[0])
