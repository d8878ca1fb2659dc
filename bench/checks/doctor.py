"""Canaries: runs with known figures on drawn faces, through the code of every run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.checks.conformance import Check, check_hallucinator
from bench.checks.toy_faces import draw_face
from bench.evaluation.identification.search import identify, join_gallery
from bench.images import encode_png, resize_float, to_float
from bench.interfaces import ALIGNERS, HALLUCINATORS, RECOGNISERS, ByteImages, FloatImages, Hallucinator, Recogniser
from bench.media.low_resolution import to_low_resolution
from bench.metrics.identification import rank_k_rate
from bench.pipeline.build import Built, build
from bench.pipeline.chain import Chain
from bench.pipeline.embedder import Embedder
from bench.pipeline.output_checks import Enrolled, inspect_again, inspect_gallery
from bench.pipeline.templates import fuse
from bench.registry import Spec, load_plugins
from bench.results import ProbeRow
from bench.types import OK, ImageSpec, Media, Role

PEOPLE = 48
HR_SIDE, LR_SIDE = 112, 16


class _Function(Hallucinator):
    """A hallucinator defined by a function from LR faces to outputs of a fixed size (None: the input's)."""

    def __init__(self, function: Callable[[FloatImages], FloatImages], size: int | None) -> None:
        self.output_spec = ImageSpec(size)
        self._function = function

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Apply the function."""
        return self._function(lr)


def examine(recogniser: str = "sface", *, device: str = "cpu") -> list[Check]:
    """Run every canary.

    Args:
        recogniser: ``name:key=value`` of the recogniser.
        device: of the recogniser, if it has that argument.

    Returns:
        One check a canary.

    Raises:
        UnknownNameError, MissingError: the recogniser cannot be built here.
    """
    load_plugins()
    measured = build(RECOGNISERS, Spec.parse(recogniser), {"device": device})
    with tempfile.TemporaryDirectory(prefix="bench-doctor-") as folder:
        lab = _Lab(Path(folder), measured)
        return [*lab.bounds(), *_author_checks(), *run_checks()]


class _Lab:
    """Drawn people: an HR gallery image and an LR probe each."""

    def __init__(self, folder: Path, recogniser: Built[Recogniser]) -> None:
        self._recogniser = recogniser
        self._aligner = build(ALIGNERS, Spec("none", (("kernel", "pillow"),)))  # the kernel of `bicubic`
        self._gallery: list[Media] = []
        self._probes: list[Media] = []
        self._truth: dict[bytes, FloatImages] = {}
        for person in range(PEOPLE):
            hr = draw_face(person, 1, HR_SIDE)
            lr = to_low_resolution(hr, LR_SIDE)
            self._truth[to_float([lr])[0].tobytes()] = to_float([hr])[0]
            self._gallery.append(_stored(folder / f"g{person}.png", draw_face(person, 0, HR_SIDE), person, "gallery"))
            self._probes.append(_stored(folder / f"p{person}.png", lr, person, "probe"))

    def bounds(self) -> list[Check]:
        """The canaries that bound every figure from above and below."""
        lr = _rank_1(self._search(None))
        truth = _rank_1(self._search(_Function(self._truth_of, HR_SIDE)))
        noise = _rank_1(self._search(_Function(_noise, HR_SIDE)))
        derangement = [str((person + 1 + PEOPLE // 2) % PEOPLE) for person in range(PEOPLE)]
        shuffled = _rank_1(self._search(_Function(self._truth_of, HR_SIDE), derangement))
        chance = _chance_bound()
        return [
            self._plain_interpolation_agrees(),
            Check("oracle-bounds-from-above", truth >= lr and truth > noise, f"rank-1 {truth:.1%}; LR face {lr:.1%}"),
            Check("noise-bounds-from-below", noise <= chance, f"rank-1 {noise:.1%}; by chance at most {chance:.1%}"),
            Check("shuffled-labels", shuffled <= chance, f"rank-1 {shuffled:.1%}; by chance at most {chance:.1%}"),
            self._constant_ranks_last(),
            self._nan_is_counted(),
        ]

    def _search(self, hallucinator: Hallucinator | None, labels: list[str] | None = None) -> list[ProbeRow]:
        """Search the probes, hallucinated first, in the gallery; ``labels`` replaces the identities of the gallery."""
        chain = Chain([_built(hallucinator)]) if hallucinator else None
        people = labels or [str(person) for person in range(PEOPLE)]
        gallery = [replace(media, identity=person) for media, person in zip(self._gallery, people, strict=True)]
        searched, enrolled = self._embedder(chain).embed(self._probes, None), self._embedder(None).embed(gallery, None)
        space = join_gallery(
            fuse(gallery, enrolled.vectors, enrolled.outcomes, unit_length=True),
            fuse([], enrolled.vectors[:0], [], unit_length=True),
        )
        probes = fuse(self._probes, searched.vectors, searched.outcomes, unit_length=True)
        return identify(probes, space, similarity="cosine")

    def _embedder(self, chain: Chain | None) -> Embedder:
        return Embedder(chain, self._aligner, self._recogniser)

    def _truth_of(self, lr: FloatImages) -> FloatImages:
        return np.stack([self._truth[face.tobytes()] for face in lr])

    def _plain_interpolation_agrees(self) -> Check:
        face = self._recogniser.component.face
        if face.height != face.width:
            return Check("none-equals-bicubic", True, f"not applicable: {face.height} x {face.width} chips")
        bicubic = Chain([build(HALLUCINATORS, Spec("bicubic", (("size", str(face.height)),)))])
        one = self._embedder(None).embed(self._probes, None).vectors
        other = self._embedder(bicubic).embed(self._probes, None).vectors
        same = bool(np.array_equal(one, other))
        return Check(
            "none-equals-bicubic", same, f"embeddings differ by {float(np.abs(one - other).max()):.2g} at most"
        )

    def _constant_ranks_last(self) -> Check:
        vectors = np.ones((PEOPLE, 8), np.float32)
        outcomes = [OK] * PEOPLE
        gallery = fuse(self._gallery, vectors, outcomes, unit_length=True)
        space = join_gallery(gallery, fuse([], vectors[:0], [], unit_length=True))
        rows = identify(fuse(self._probes, vectors, outcomes, unit_length=True), space, similarity="cosine")
        ranks = {row.rank for row in rows}
        return Check("constant-embeddings-rank-last", ranks == {PEOPLE}, f"ranks {sorted(map(str, ranks))} of {PEOPLE}")

    def _nan_is_counted(self) -> Check:
        def half_nan(lr: FloatImages) -> FloatImages:
            out = resize_float(lr, HR_SIDE, HR_SIDE)
            out[::2] = np.nan
            return out

        rows = self._search(_Function(half_nan, HR_SIDE))
        failed = [row for row in rows if row.status == "failed"]
        counted = len(rows) == PEOPLE and len(failed) == PEOPLE // 2 and all(row.rank is None for row in failed)
        return Check(
            "nan-is-a-failure-not-a-rank", counted, f"{len(failed)} of {len(rows)} probes failed and were kept"
        )


def _author_checks() -> list[Check]:
    """Faulty hallucinators, each of which must fail the conformance check of its name."""
    face = resize_float(to_float([draw_face(0, 0, LR_SIDE)]), HR_SIDE, HR_SIDE)

    def bigger(lr: FloatImages) -> FloatImages:
        return resize_float(lr, HR_SIDE, HR_SIDE)

    def copies(lr: FloatImages) -> FloatImages:
        return lr.copy()

    faults: list[tuple[str, Hallucinator]] = [
        ("output-equals-input", _Function(copies, None)),
        ("output-equals-bicubic", _Function(bigger, HR_SIDE)),
        ("constant-output", _Function(lambda lr: np.repeat(face, len(lr), axis=0), HR_SIDE)),
        ("flat-output", _Function(lambda lr: np.zeros_like(bigger(lr)), HR_SIDE)),
        ("finite", _Function(lambda lr: np.full_like(bigger(lr), np.nan), HR_SIDE)),
        ("swapped-channels", _Function(lambda lr: np.ascontiguousarray(bigger(lr)[:, ::-1]), HR_SIDE)),
        ("range", _Function(lambda lr: bigger(lr) * 2 - 1, HR_SIDE)),
        ("batch-independence", _Function(lambda lr: bigger(lr) * 0.9 + bigger(lr).mean() * 0.1, HR_SIDE)),
        ("runs", _Function(lambda lr: bigger(lr)[:, :, :-1], HR_SIDE)),
    ]
    checks = []
    for name, component in faults:
        failed = {check.name for check in check_hallucinator(_built(component)) if not check.passed}
        detail = f"a faulty hallucinator failed {', '.join(sorted(failed)) or 'nothing'}"
        checks.append(Check(f"catches-{name}", name in failed, detail))
    return checks


def run_checks() -> list[Check]:
    """Faulty hallucinators, each of which a run must report: faults that conformance checks may miss."""
    people = range(24)
    lr = [to_low_resolution(draw_face(person, 1, HR_SIDE), LR_SIDE) for person in people]
    gallery = [Enrolled(f"gallery/{person}.png", draw_face(person, 0, HR_SIDE)) for person in people]
    gallery_of = dict(
        zip((to_float([face]).tobytes() for face in lr), to_float([g.image for g in gallery]), strict=True)
    )
    rng = np.random.default_rng()

    def fault(name: str) -> Hallucinator:
        past: list[FloatImages] = []

        def remembers(faces: FloatImages) -> FloatImages:
            past.append(resize_float(faces[:1], HR_SIDE, HR_SIDE))
            out: FloatImages = resize_float(faces, HR_SIDE, HR_SIDE) * 0.8 + past[-2:][0] * 0.2
            return out

        def shakes(faces: FloatImages) -> FloatImages:
            out = resize_float(faces, HR_SIDE, HR_SIDE)
            return (out + rng.normal(0, 0.1, out.shape)).astype(np.float32)

        def blends(faces: FloatImages) -> FloatImages:
            out = resize_float(faces, HR_SIDE, HR_SIDE)
            mixed: FloatImages = out * 0.8 + out.mean(axis=0, keepdims=True) * 0.2
            return mixed

        def copies(faces: FloatImages) -> FloatImages:
            return np.stack([gallery_of[face[None].tobytes()] for face in faces])

        functions: dict[str, Callable[[FloatImages], FloatImages]] = {
            "returns-gallery": copies, "keeps-state": remembers, "random-output": shakes, "depends-on-batch": blends,
        }  # fmt: skip
        return _Function(functions[name], HR_SIDE)

    checks = []
    for name in ("returns-gallery", "keeps-state", "random-output", "depends-on-batch"):
        chain = Chain([_built(fault(name))])
        outputs, _ = chain.hallucinate(lr)
        findings = inspect_again(chain, lr, outputs, batch_size=64, fresh=lambda: Chain([_built(fault(name))]))  # noqa: B023  # called at once
        findings += inspect_gallery(
            [(face, out) for face, out in zip(lr, outputs, strict=True) if out is not None], gallery
        )
        names = [finding.name for finding in findings]
        checks.append(Check(f"run-catches-{name}", names == [name], f"a run names {', '.join(names) or 'nothing'}"))
    return checks


def _noise(lr: FloatImages) -> FloatImages:
    return np.random.default_rng(0).random((len(lr), 3, HR_SIDE, HR_SIDE), np.float32)


def _rank_1(rows: list[ProbeRow]) -> float:
    return rank_k_rate([row.rank for row in rows], 1)


def _chance_bound() -> float:
    """The 99.9 % quantile of the hit rate by chance: binomial over `PEOPLE` draws with probability 1 / `PEOPLE`."""
    from scipy.stats import binom

    hits: float = binom.ppf(0.999, PEOPLE, 1 / PEOPLE)
    return float(hits) / PEOPLE


def _stored(path: Path, image: ByteImages, person: int, role: Role) -> Media:
    path.write_bytes(encode_png(image))
    return Media(path.name, path, role, str(person), path.name)


def _built(component: Hallucinator) -> Built[Hallucinator]:
    return Built(component, Spec("canary"), {}, "canary", "", "")
