"""What hallucinators make of people left out of training: quality against the truth, and recognition.

Every probe ends in every figure: one that a chain, or the recogniser, fails on is a miss and is counted as failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.align.landmarks import GivenLandmarks
from bench.align.none import WholeImage
from bench.align.template import TRUTH_FRAME, Frame, KnownFrame
from bench.errors import DataError, UsageError
from bench.faces.pairs.pairs import Pair
from bench.images import ByteImages, FloatImages, resize
from bench.interfaces import Aligner, Recogniser
from bench.media.similarity import resized_points
from bench.metrics.bootstrap import Interval, bootstrap_interval
from bench.metrics.quality import psnr_rgb_db, ssim_rgb_wang
from bench.metrics.search.ranking import search
from bench.pipeline.chain import Chain
from bench.types import Outcome, Points

Alignment = Literal["frame", "true", "none"]
ALIGNMENTS: tuple[Alignment, ...] = ("frame", "true", "none")
"""``frame``: the known frame of frontal faces, nothing is looked at. ``true``: the head's own points, carried through
the turn and the similarity: an oracle. ``none``: the whole image."""
POSE_KEPT = ("none", "bicubic")
"""Hallucinators whose output shows the face where and as it was; only there do the carried points fit."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One image on its way to the chains.

    Attributes:
        identity: row of its person in the gallery.
        image: RGB uint8 (h, w, 3).
        five: five points of its face, in its pixels.
        truth: the frontal face, RGB uint8 (H, W, 3), or None where there is none.
        yaw_deg: turn, without sign; None where it is not known.
    """

    identity: int
    image: ByteImages
    five: Points
    truth: ByteImages | None = None
    yaw_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over probes with its 95 % interval over identities.

    Attributes:
        value: the mean; None where no probe has a value.
        low: lower end of the interval, None where there is none.
        high: upper end, likewise.
        method: of the interval, or why there is none.
        probes: all of them.
        failed: those without a value: misses of a rate, left out of a quality.
        infinite: those equal to their truth, left out of the mean of the PSNR.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    probes: int
    failed: int = 0
    infinite: int = 0


@dataclass
class _Column:
    """Embeddings of one chain under one alignment, probe by probe."""

    vectors: list[FloatImages] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


class Tally:
    """Collects, batch by batch, what each chain makes of the probes."""

    def __init__(
        self,
        chains: Mapping[str, Chain],
        recogniser: Recogniser,
        *,
        frame: Frame = TRUTH_FRAME,
        pose_kept: Collection[str] = POSE_KEPT,
        batch_size: int = 64,
    ) -> None:
        """Choose what is measured.

        Args:
            chains: by the name they are reported under.
            recogniser: embeds the chips.
            frame: in which frontal faces stand.
            pose_kept: names of hallucinators; a chain of these alone is also aligned by the carried points.
            batch_size: images that go to a network at once.

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
        self.kept = {name for name, chain in self.chains.items() if all(s.spec.name in pose_kept for s in chain.steps)}
        self.columns: dict[tuple[str, Alignment], _Column] = {
            (name, how): _Column() for name in self.chains for how in ALIGNMENTS if how != "true" or name in self.kept
        }
        self.psnr_db: dict[str, list[float | None]] = {name: [] for name in self.chains}
        self.ssim: dict[str, list[float | None]] = {name: [] for name in self.chains}
        self.identities: list[int] = []
        self.yaws_deg: list[float | None] = []

    def add(self, probes: Sequence[Probe]) -> None:
        """Run every chain on some more probes and keep embeddings and figures, not images."""
        self.identities += [probe.identity for probe in probes]
        self.yaws_deg += [probe.yaw_deg for probe in probes]
        for name, chain in self.chains.items():
            images, outcomes = chain.hallucinate([probe.image for probe in probes], batch_size=self._batch_size)
            for probe, image in zip(probes, images, strict=True):
                psnr_db, ssim = _quality(probe.truth, image)
                self.psnr_db[name].append(psnr_db)
                self.ssim[name].append(ssim)
            for how in ALIGNMENTS:
                if (name, how) in self.columns:
                    self._embed(self.columns[name, how], how, probes, images, outcomes)

    def groups(self) -> dict[str, NDArray[np.bool_]]:
        """Which probes a figure is over: ``all``, and each yaw in degrees where yaws are known."""
        yaws = sorted({yaw for yaw in self.yaws_deg if yaw is not None})
        found = {"all": np.ones(len(self.yaws_deg), bool)}
        return found | {f"{yaw:g}": np.array([y == yaw for y in self.yaws_deg]) for yaw in yaws}

    def quality(self, name: str, *, seed: int = 0) -> dict[str, dict[str, Figure]]:
        """PSNR and SSIM of a chain (conventions ``psnr-rgb-full-255``, ``ssim-rgb-full-255``) by group."""
        measures = {"psnr_db": self.psnr_db[name], "ssim": self.ssim[name]}
        return {
            group: {
                measure: _mean([values[i] for i in np.flatnonzero(chosen)], self.people(chosen), seed)
                for measure, values in measures.items()
            }
            for group, chosen in self.groups().items()
        }

    def ranks(self, name: str, how: Alignment, gallery: FloatImages) -> list[int | None]:
        """Rank of each probe's own person; None where the probe, or the person's gallery image, failed."""
        return best_ranks(np.stack(self.columns[name, how].vectors), self.identities, gallery)

    def rates(self, ranks: Sequence[int | None], *, seed: int = 0) -> dict[str, dict[str, Figure]]:
        """Rank-1 and rank-5 rates by group."""
        return {
            group: {
                f"rank_{k}": rate(
                    [ranks[i] for i in np.flatnonzero(chosen).tolist()], k, self.people(chosen), seed=seed
                )
                for k in (1, 5)
            }
            for group, chosen in self.groups().items()
        }

    def account(self, name: str, how: Alignment) -> dict[str, int]:
        """How the probes fared, by outcome: ``ok``, or ``failed: hallucinate: output not finite`` and the like."""
        outcomes = self.columns[name, how].outcomes
        told = (": ".join(part for part in (o.status, o.stage, o.reason) if part) for o in outcomes)
        return dict(sorted(Counter(told).items()))

    def people(self, chosen: NDArray[np.bool_]) -> list[str]:
        """The persons of chosen probes, by name."""
        return [str(self.identities[i]) for i in np.flatnonzero(chosen)]

    def _embed(
        self,
        column: _Column,
        how: Alignment,
        probes: Sequence[Probe],
        images: Sequence[ByteImages | None],
        outcomes: Sequence[Outcome],
    ) -> None:
        """Align and embed the images that are there; the others keep a row that is not a number."""
        rows = np.full((len(probes), self._recogniser.embedding_size), np.nan, np.float32)
        ends = list(outcomes)
        alive = [i for i, image in enumerate(images) if image is not None]
        if alive:
            there = [image for image in images if image is not None]
            points = [
                resized_points(probes[i].five, probes[i].image.shape, image.shape)
                for i, image in zip(alive, there, strict=True)
            ]
            chips, aligned = self._aligners[how].align(there, points, self._recogniser.face)
            rows[alive] = embed_unit(self._recogniser, chips, batch_size=self._batch_size)
            for i, outcome in zip(alive, aligned, strict=True):
                ends[i] = outcome if ends[i].status == "ok" else ends[i]
                if not np.isfinite(rows[i]).all():
                    ends[i] = Outcome("failed", "embed", "embedding not finite, or zero")
        column.vectors += list(rows)
        column.outcomes += ends


def pair_probes(pairs: Sequence[Pair], identity: int) -> list[Probe]:
    """The LR images of one face as probes."""
    return [Probe(identity, pair.lr, as_points(pair.lr_five), pair.frontal, abs(pair.yaw_deg)) for pair in pairs]


def frontal_probe(pair: Pair, identity: int, lr: int | None = None) -> Probe:
    """The frontal face itself, shrunk where ``lr`` says so: what perfect frontalisation alone would give."""
    image = pair.frontal if lr is None else resize(pair.frontal, lr, lr)
    five = resized_points(as_points(pair.five), pair.frontal.shape, image.shape)
    return Probe(identity, image, five, pair.frontal)


def as_points(five: NDArray[np.float32]) -> Points:
    """Float32 (5, 2) as the aligners take it."""
    return tuple((float(x), float(y)) for x, y in five)


def embed_unit(recogniser: Recogniser, chips: ByteImages, *, batch_size: int = 64) -> FloatImages:
    """Embeddings of unit length, float32 (N, D); a row that is zero or not finite becomes NaN."""
    rows = [recogniser.embed(chips[k : k + batch_size]) for k in range(0, len(chips), batch_size)]
    vectors = np.concatenate(rows).astype(np.float64)
    lengths: NDArray[np.float64] = np.sqrt(np.square(vectors).sum(1, keepdims=True))
    good = np.isfinite(lengths) & (lengths > 0)
    unit: FloatImages = np.where(good, vectors / np.where(good, lengths, 1), np.nan).astype(np.float32)
    return unit


def best_ranks(vectors: FloatImages, identities: Sequence[int], gallery: FloatImages) -> list[int | None]:
    """Rank of each probe's own gallery row by the cosine, ties against it; None where either is NaN.

    Raises:
        DataError: there is no probe, no gallery, or an identity has no row in it.
    """
    people = np.asarray(identities, np.int64)
    if not len(vectors) or not len(gallery) or people.min() < 0 or people.max() >= len(gallery):
        raise DataError(f"{len(vectors)} probes of identities in a gallery of {len(gallery)} cannot be searched.")
    probe_there, gallery_there = (np.asarray(np.isfinite(rows).all(axis=1), np.bool_) for rows in (vectors, gallery))
    ranks: list[int | None] = [None] * len(vectors)
    alive = np.flatnonzero(probe_there & gallery_there[people])
    if len(alive):
        matches = search(vectors[alive], gallery[gallery_there], people[alive], np.flatnonzero(gallery_there))
        for row, match in zip(alive.tolist(), matches, strict=True):
            ranks[row] = match.mated_ranks[0]
    return ranks


def rate(ranks: Sequence[int | None], k: int, people: Sequence[str], *, seed: int = 0) -> Figure:
    """The rank-k rate; a rank of None is a miss."""
    hits = [float(rank is not None and rank <= k) for rank in ranks]
    return _figure(float(np.mean(hits)), bootstrap_interval(hits, people, seed=seed), ranks)


def _mean(values: Sequence[float | None], people: Sequence[str], seed: int) -> Figure:
    """The mean of what is finite, the rest counted apart."""
    finite = [(v, person) for v, person in zip(values, people, strict=True) if v is not None and np.isfinite(v)]
    infinite = sum(v is not None for v in values) - len(finite)
    if not finite:
        return _figure(None, Interval(None, None, "none: no finite value", 0), values, infinite)
    numbers = [value for value, _ in finite]
    interval = bootstrap_interval(numbers, [person for _, person in finite], seed=seed)
    if min(numbers) == max(numbers):  # what stands for a rate there, an interval of binomials, is none for a quality
        interval = Interval(None, None, "none: all values are equal", interval.identities)
    return _figure(float(np.mean(numbers)), interval, values, infinite)


def _figure(value: float | None, interval: Interval, values: Sequence[float | None], infinite: int = 0) -> Figure:
    failed = sum(v is None for v in values)
    return Figure(value, interval.low, interval.high, interval.method, len(values), failed, infinite)


def _quality(truth: ByteImages | None, image: ByteImages | None) -> tuple[float | None, float | None]:
    """PSNR and SSIM; an output of another size is resized (bicubic) to the truth's first."""
    if truth is None or image is None:
        return None, None
    fitted = resize(image, *truth.shape[:2])
    return psnr_rgb_db(truth, fitted), ssim_rgb_wang(truth, fitted)
