"""Chains on held-out people: quality against the ground truth, and recognition in a gallery of these people.

Every probe is part of every figure: a probe on which a chain or the recogniser fails is a miss and counts as failed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.align.landmarks import GivenLandmarks
from bench.align.none import WholeImage
from bench.align.template import TRUTH_FRAME, Frame, KnownFrame
from bench.errors import UsageError
from bench.evaluation.identification import figures as identification
from bench.evaluation.identification.search import identify, join_gallery
from bench.evaluation.restoration import figures as restoration
from bench.faces.pairs.pairs import Pair
from bench.images import ByteImages, FloatImages, resize
from bench.interfaces import Aligner, Recogniser
from bench.media.low_resolution import to_low_resolution
from bench.media.similarity import resized_points
from bench.metrics.quality import psnr_rgb_db, ssim_rgb_wang
from bench.pipeline.chain import Chain
from bench.pipeline.templates import Templates
from bench.results import Figure, ItemRow, ProbeRow
from bench.types import OK, Media, Outcome, Points, Role

Alignment = Literal["frame", "true", "none"]
ALIGNMENTS: tuple[Alignment, ...] = ("frame", "true", "none")
"""``frame``: the known frame of frontal faces, whatever the image shows. ``true``: the ground-truth landmarks,
transformed by the turn and the similarity. ``none``: the whole image."""
POSE_KEPT = ("none", "bicubic")
"""Hallucinators that keep pose and position of the face; the ground-truth landmarks fit only their output."""
RANKS = (1, 5)
"""The k of the rank-k rates."""
NOT_EMBEDDED = Outcome("failed", "embed", "embedding not finite, or zero")


@dataclass(frozen=True, slots=True)
class Probe:
    """One input image of the chains.

    Attributes:
        identity: row of its person in the gallery.
        image: RGB uint8 (h, w, 3).
        five: five points of its face, in its pixels.
        truth: the frontal face, RGB uint8 (H, W, 3), or None where there is none.
        yaw_deg: absolute yaw; None where it is not known.
    """

    identity: int
    image: ByteImages
    five: Points
    truth: ByteImages | None = None
    yaw_deg: float | None = None


@dataclass
class _Embedded:
    """Embeddings of one chain with one alignment, one per probe; NaN where the outcome is failed."""

    vectors: list[FloatImages] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class HeldOutEvaluation:
    """Measures chains on probes, batch by batch.

    Attributes:
        chains: by the name they are reported under.
        pose_kept: names of the chains that are also aligned by the ground-truth landmarks.
        faces: by name of the chain, one row per probe with PSNR and SSIM, as of a restoration run.
    """

    def __init__(
        self,
        chains: Mapping[str, Chain],
        recogniser: Recogniser,
        *,
        frame: Frame = TRUTH_FRAME,
        pose_kept: Collection[str] = POSE_KEPT,
        batch_size: int = 64,
    ) -> None:
        """Configure the evaluation.

        Args:
            chains: by the name they are reported under.
            recogniser: embeds the chips.
            frame: the frame of frontal faces.
            pose_kept: names of hallucinators; a chain of these alone is also aligned by the ground-truth landmarks.
            batch_size: images per network call.

        Raises:
            UsageError: there is no chain.
        """
        if not chains:
            raise UsageError("Nothing to measure: name at least one chain.")
        self.chains, self._recogniser, self._batch_size = dict(chains), recogniser, batch_size
        self._aligners: dict[Alignment, Aligner] = {
            "frame": KnownFrame(frame=frame),
            "true": GivenLandmarks(),
            "none": WholeImage(),
        }
        self.pose_kept = {
            name for name, chain in self.chains.items() if all(step.spec.name in pose_kept for step in chain.steps)
        }
        self.faces: dict[str, list[ItemRow]] = {name: [] for name in self.chains}
        self._embedded = {
            (name, how): _Embedded()
            for name in self.chains
            for how in ALIGNMENTS
            if how != "true" or name in self.pose_kept
        }
        self._media: list[Media] = []

    @property
    def embedded(self) -> tuple[tuple[str, Alignment], ...]:
        """Names of chains with each of their alignments."""
        return tuple(self._embedded)

    @property
    def people(self) -> list[str]:
        """The person of each probe."""
        return [str(media.identity) for media in self._media]

    def add(self, probes: Sequence[Probe]) -> None:
        """Run every chain on further probes; keeps embeddings and values, not images."""
        media = [_media(len(self._media) + k, "probe", p.identity, p.yaw_deg) for k, p in enumerate(probes)]
        self._media += media
        for name, chain in self.chains.items():
            images, outcomes = chain.hallucinate([probe.image for probe in probes], batch_size=self._batch_size)
            self.faces[name] += [
                ItemRow(
                    item.key,
                    str(item.identity),
                    outcome.status,
                    outcome.stage,
                    outcome.reason,
                    _quality(probe.truth, image),
                    item.attributes,
                )
                for item, probe, image, outcome in zip(media, probes, images, outcomes, strict=True)
            ]
            for how in ALIGNMENTS:
                if (name, how) in self._embedded:
                    self._embed(self._embedded[name, how], how, probes, images, outcomes)

    def quality(self, name: str, *, seed: int = 0) -> dict[str, Figure]:
        """Restoration figures (of RGB) of a chain's faces, overall and by yaw."""
        return restoration.figures_of(self.faces[name], seed=seed)

    def search(self, name: str, how: Alignment, gallery: FloatImages) -> list[ProbeRow]:
        """Search the probes in a gallery by cosine similarity.

        Args:
            name: of the chain.
            how: the alignment.
            gallery: float32 (people, D) of unit length; NaN where a person's image failed.

        Returns:
            One row per probe, without a rank where the probe, or its person's gallery image, failed.

        Raises:
            DataError: there are no probes, or a probe's person has no row in the gallery.
        """
        column = self._embedded[name, how]
        people = [_media(person, "gallery", person) for person in range(len(gallery))]
        outcomes = [OK if row.all() else NOT_EMBEDDED for row in np.isfinite(gallery)]
        vectors = np.stack(column.vectors) if column.vectors else np.zeros((0, gallery.shape[1]), np.float32)
        enrolled, no_distractors = _templates(people, gallery, outcomes), _templates([], gallery[:0], [])
        probes = _templates(self._media, vectors, column.outcomes)
        return identify(probes, join_gallery(enrolled, no_distractors), similarity="cosine")

    def rates(self, rows: Sequence[ProbeRow], *, seed: int = 0) -> dict[str, Figure]:
        """Rank-k rates of rows of `search`, overall and by yaw: ``rank-1``, ``rank-1 (yaw 22)``..."""
        figures: dict[str, Figure] = {}
        for part, indices in self.parts().items():
            of_part = identification.figures_of(
                [rows[i] for i in indices], ranks=RANKS, mean_average_precision=False, seed=seed
            )
            figures |= {f"{name} ({part})" if part else name: figure for name, figure in of_part.items()}
        return figures

    def parts(self) -> dict[str, list[int]]:
        """Indices of the probes of each part: all (key: empty), and each known yaw."""
        parts: dict[str, list[int]] = {"": []}
        for index, face in enumerate(next(iter(self.faces.values()))):
            for part in dict.fromkeys(("", restoration.yaw_part(face))):
                parts.setdefault(part, []).append(index)
        return {part: parts[part] for part in sorted(parts, key=lambda part: float(part.removeprefix("yaw ") or -1))}

    def count_outcomes(self, name: str, how: Alignment) -> dict[str, int]:
        """Number of probes by outcome: ``ok``, or for example ``failed: hallucinate: output not finite``."""
        outcomes = self._embedded[name, how].outcomes
        descriptions = (": ".join(part for part in (o.status, o.stage, o.reason) if part) for o in outcomes)
        return dict(sorted(Counter(descriptions).items()))

    def _embed(
        self,
        column: _Embedded,
        how: Alignment,
        probes: Sequence[Probe],
        images: Sequence[ByteImages | None],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Align and embed the images that exist; the others get a row of NaN."""
        rows = np.full((len(probes), self._recogniser.embedding_size), np.nan, np.float32)
        final_outcomes = list(outcomes)
        rows_with_image = [i for i, image in enumerate(images) if image is not None]
        if rows_with_image:
            present = [image for image in images if image is not None]
            points = [
                resized_points(probes[i].five, probes[i].image.shape, image.shape)
                for i, image in zip(rows_with_image, present, strict=True)
            ]
            chips, aligned = self._aligners[how].align(present, points, self._recogniser.face)
            rows[rows_with_image] = embed_unit(self._recogniser, chips, batch_size=self._batch_size)
            for i, outcome in zip(rows_with_image, aligned, strict=True):
                final_outcomes[i] = outcome if final_outcomes[i].status == "ok" else final_outcomes[i]
                if not np.isfinite(rows[i]).all():
                    final_outcomes[i] = NOT_EMBEDDED
        column.vectors += list(rows)
        column.outcomes += final_outcomes


def pair_probes(pairs: Sequence[Pair], identity: int) -> list[Probe]:
    """The LR images of one face as probes."""
    return [Probe(identity, pair.lr, as_points(pair.lr_five), pair.frontal, abs(pair.yaw_deg)) for pair in pairs]


def frontal_probe(pair: Pair, identity: int, lr: int | None = None) -> Probe:
    """The frontal face itself, shrunk to side ``lr`` if given: the result of perfect frontalisation alone."""
    image = pair.frontal if lr is None else to_low_resolution(pair.frontal, lr)
    five = resized_points(as_points(pair.five), pair.frontal.shape, image.shape)
    return Probe(identity, image, five, pair.frontal)


def as_points(five: NDArray[np.float32]) -> Points:
    """Float32 (5, 2) as points for the aligners."""
    return tuple((float(x), float(y)) for x, y in five)


def embed_unit(recogniser: Recogniser, chips: ByteImages, *, batch_size: int = 64) -> FloatImages:
    """Embeddings of unit length, float32 (N, D); a row that is zero or not finite becomes NaN."""
    rows = [recogniser.embed(chips[k : k + batch_size]) for k in range(0, len(chips), batch_size)]
    vectors = np.concatenate(rows).astype(np.float64)
    lengths: NDArray[np.float64] = np.sqrt(np.square(vectors).sum(1, keepdims=True))
    good = np.isfinite(lengths) & (lengths > 0)
    unit: FloatImages = np.where(good, vectors / np.where(good, lengths, 1), np.nan).astype(np.float32)
    return unit


def _media(place: int, role: Role, identity: int, yaw_deg: float | None = None) -> Media:
    """Media of one image without a file."""
    key = f"{role} {place}"
    return Media(key, Path(), role, str(identity), key, attributes={} if yaw_deg is None else {"yaw_deg": yaw_deg})


def _templates(media: Sequence[Media], vectors: FloatImages, outcomes: Sequence[Outcome]) -> Templates:
    """Each image as one template with its unchanged vector."""
    keys, people = tuple(item.template for item in media), tuple(item.identity for item in media)
    return Templates(keys, people, vectors, tuple(outcomes), tuple(media))


def _quality(truth: ByteImages | None, image: ByteImages | None) -> dict[str, str | float]:
    """PSNR and SSIM of RGB; an output of another size is resized (bicubic) to the ground truth's first."""
    if truth is None or image is None:
        return {}
    fitted = resize(image, *truth.shape[:2])
    psnr_db = psnr_rgb_db(truth, fitted)
    return {
        "psnr_rgb_db": psnr_db if math.isfinite(psnr_db) else "inf",
        "ssim_rgb_wang": ssim_rgb_wang(truth, fitted),
    }
