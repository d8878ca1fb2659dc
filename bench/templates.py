"""From the embeddings of media to templates: one vector for all media of one enrolment or search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.errors import DataError
from bench.interfaces import FloatImages
from bench.types import Media, Outcome


@dataclass(frozen=True)
class Templates:
    """Templates in order of first appearance.

    Attributes:
        keys: template names.
        identities: the person of each, or None for a distractor.
        vectors: float32 (T, D); rows of templates that failed are NaN.
        outcomes: failed when every media failed; else the worst of the media that did not.
        media: the first media of each, which stands for it in pictures.
    """

    keys: tuple[str, ...]
    identities: tuple[str | None, ...]
    vectors: FloatImages
    outcomes: tuple[Outcome, ...]
    media: tuple[Media, ...]


def fuse(media: Sequence[Media], vectors: FloatImages, outcomes: Sequence[Outcome], *, unit_length: bool) -> Templates:
    """Average the media embeddings of each template; failed media are left out of the average.

    Args:
        media: N media, each with its template.
        vectors: their embeddings, float32 (N, D), NaN where failed.
        outcomes: how each fared.
        unit_length: scale each template to length 1.

    Returns:
        One row a template. A template whose vector has no length (a sum of zeros) fails: it can't be compared.

    Raises:
        DataError: media of one template belong to different identities.
    """
    groups: dict[str, list[int]] = {}
    for index, item in enumerate(media):
        groups.setdefault(item.template, []).append(index)
    fused = np.full((len(groups), vectors.shape[1]), np.nan, np.float32)
    fates: list[Outcome] = []
    for row, (name, members) in enumerate(groups.items()):
        people = {media[i].identity for i in members}
        if len(people) > 1:
            raise DataError(
                f"Template {name!r} holds media of {len(people)} identities: {sorted(map(str, people))[:5]}"
            )
        scored = [i for i in members if outcomes[i].status != "failed"]
        if not scored:
            fates.append(outcomes[members[0]])
            continue
        vector = vectors[scored].mean(axis=0, dtype=np.float64) if len(scored) > 1 else vectors[scored[0]]
        length = float(np.linalg.norm(vector))
        if unit_length and length == 0.0:
            fates.append(Outcome("failed", "embed", "embedding of length zero"))
            continue
        fused[row] = vector / length if unit_length else vector
        fates.append(_worst([outcomes[i] for i in members]))
    firsts = [members[0] for members in groups.values()]
    return Templates(
        tuple(groups), tuple(media[i].identity for i in firsts), fused, tuple(fates), tuple(media[i] for i in firsts)
    )


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a template some of whose media were scored: a failed media makes it a fallback."""
    for outcome in outcomes:
        if outcome.status == "failed":
            return Outcome("fallback", outcome.stage, f"some media failed: {outcome.reason}")
    return next((outcome for outcome in outcomes if outcome.status == "fallback"), outcomes[0])
