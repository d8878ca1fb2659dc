"""Measures of the trained variants on people left out of training: PSNR, SSIM and rank of each probe."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.align.chips import chip_by_points
from bench.digests.closure import closure_digest
from bench.errors import DataError, UsageError
from bench.evaluation.heldout import Alignment, HeldOutEvaluation, as_points, embed_unit, pair_probes
from bench.faces.pairs.pack import Pack
from bench.faces.pairs.pairs import Jitter, Pair, make_pairs
from bench.images import FloatImages, to_float
from bench.interfaces import HALLUCINATORS, RECOGNISERS, Hallucinator, Recogniser
from bench.io.atomic import write_file
from bench.io.file_digests import digest_of
from bench.pipeline.build import Built, build
from bench.pipeline.chain import Chain
from bench.registry import Spec
from bench.types import ImageSpec, WeightsFile
from bench.weights import weights_file
from hallucinators.vividgan.ablation.variants import Variant

if TYPE_CHECKING:
    from hallucinators.vividgan.network.model import VividGAN

BICUBIC = "bicubic"
"""The variant without training."""
FILE = "measured.json"
_AT_ONCE = 8
_CHAIN = "chain"


@dataclass(frozen=True)
class Measures:
    """Measures of one variant; probes in the same order for all variants.

    Attributes:
        psnr_db: PSNR by probe; None if it failed, infinite if it equals the truth.
        ssim: SSIM by probe; None if it failed.
        ranks: rank of the person's frontal photograph by probe; None if it failed.
        people: person of each probe.
        align: how chips were cut: ``frame`` (frontal faces in a known frame) or, for variants that keep the pose,
            ``true`` (ground-truth landmarks).
        outcomes: number of probes by outcome.
    """

    psnr_db: tuple[float | None, ...]
    ssim: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    people: tuple[str, ...]
    align: Alignment
    outcomes: dict[str, int]


class Evaluator:
    """Measures hallucinators on the left-out people of a pack."""

    def __init__(
        self,
        packed: Pack,
        chosen: Sequence[int],
        recogniser: str,
        *,
        lr: int,
        seed: int = 0,
        device: str = "cpu",
        threads: int = 0,
        landmarks: str = "auto",
    ) -> None:
        """Build the recogniser; the frontal photographs are enrolled with the first measurement.

        Args:
            packed: the photographs.
            chosen: indices of those that are measured, one for each person.
            recogniser: ``name:key=value``; not the teacher.
            lr: side of the LR faces.
            seed: of the similarities that move them.
            device: torch device.
            threads: processor threads.
            landmarks: source of the positions of components, see the hallucinator ``vividgan``.
        """
        self._packed, self._chosen, self._lr, self._seed = packed, list(chosen), lr, seed
        self._defaults = {"device": device, "threads": threads}
        self._landmarks = landmarks
        self._recogniser: Built[Recogniser] = build(RECOGNISERS, Spec.parse(recogniser), self._defaults)
        self._gallery: FloatImages | None = None

    def measure_variant(self, variant: Variant, weights: Path, advance: Callable[[int], None]) -> Measures:
        """Measure a trained variant; the result is stored beside its weights and read again if nothing has changed."""
        if variant.true_components:
            given = GroundTruthComponents(weights, self._lr, self._defaults["device"])  # type: ignore[arg-type]  # a str
            return self._load_or_measure(weights.parent / FILE, _chain(given), given.set_truth, advance)
        arguments = (("size", str(self._lr)), ("weights", str(weights)), ("landmarks", self._landmarks))
        chain = Chain([build(HALLUCINATORS, Spec("vividgan", arguments), self._defaults)])
        return self._load_or_measure(weights.parent / FILE, chain, None, advance)

    def measure_bicubic(self, folder: Path, advance: Callable[[int], None]) -> Measures:
        """Measure interpolation; the result is stored in a folder."""
        return self._load_or_measure(folder / FILE, Chain.parse(BICUBIC), None, advance)

    @property
    def people(self) -> int:
        """Number of people measured."""
        return len(self._chosen)

    def _load_or_measure(
        self,
        file: Path,
        chain: Chain,
        set_truth: Callable[[Sequence[Pair]], None] | None,
        advance: Callable[[int], None],
    ) -> Measures:
        digest = digest_of(
            [
                chain.fingerprint,
                self._recogniser.fingerprint,
                self._chosen,
                self._packed.names,
                self._lr,
                self._seed,
                closure_digest("bench.evaluation.heldout", __name__),
            ]
        )
        measures = _read(file, digest)
        if measures is None:
            measures = self._measure(chain, set_truth, advance)
            _write(file, digest, measures)
        else:
            advance(len(self._chosen))
        return measures

    def _measure(
        self, chain: Chain, set_truth: Callable[[Sequence[Pair]], None] | None, advance: Callable[[int], None]
    ) -> Measures:
        evaluation = HeldOutEvaluation({_CHAIN: chain}, self._recogniser.component)
        enrolled: list[FloatImages] = []
        for start in range(0, len(self._chosen), _AT_ONCE):
            some = self._chosen[start : start + _AT_ONCE]
            pairs = [
                make_pairs(
                    self._packed,
                    index,
                    lr=self._lr,
                    jitter=Jitter(),
                    seed=self._seed,
                    device=str(self._defaults["device"]),
                )
                for index in some
            ]
            if set_truth:
                set_truth([pair for views in pairs for pair in views])
            evaluation.add([probe for k, views in enumerate(pairs, start) for probe in pair_probes(views, k)])
            if self._gallery is None:
                enrolled.append(self._enrol([views[0] for views in pairs]))
            advance(len(some))
        if self._gallery is None:
            self._gallery = np.concatenate(enrolled)
        how: Alignment = "true" if evaluation.pose_kept else "frame"
        faces = evaluation.faces[_CHAIN]
        return Measures(
            tuple(_number(face.values.get("psnr_rgb_db")) for face in faces),
            tuple(_number(face.values.get("ssim_rgb_wang")) for face in faces),
            tuple(row.rank for row in evaluation.search(_CHAIN, how, self._gallery)),
            tuple(evaluation.people),
            how,
            evaluation.count_outcomes(_CHAIN, how),
        )

    def _enrol(self, people: Sequence[Pair]) -> FloatImages:
        """Embeddings of frontal photographs, aligned by their ground-truth landmarks."""
        face = self._recogniser.component.face
        chips = [chip_by_points(one.frontal, as_points(one.five), face, without="")[0] for one in people]
        return embed_unit(self._recogniser.component, np.stack(chips))


class GroundTruthComponents(Hallucinator):
    """V+GT: VividGAN with ground-truth components; `set_truth` must be called before each batch."""

    output_spec = ImageSpec(128)

    def __init__(self, weights: Path, lr: int, device: str) -> None:
        from hallucinators.vividgan.network.loading import load_weights

        self.input_spec = ImageSpec(lr)
        self.weights: tuple[WeightsFile, ...] = (weights_file(weights, wanted_by="V+GT", how_to_get=""),)
        self._device = device
        model, _ = load_weights(weights, network="vividgan", lr=lr, sha256=self.weights[0].sha256)
        self._model: VividGAN = model.to(device)
        self._pairs: dict[bytes, Pair] = {}

    def set_truth(self, pairs: Sequence[Pair]) -> None:
        """Store the ground truth of the next LR faces."""
        self._pairs = {to_float([pair.lr]).tobytes(): pair for pair in pairs}

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate faces whose ground truth is stored, one by one."""
        import torch

        from hallucinators.vividgan.network.components import centres_from_five, crop

        faces: list[NDArray[np.float32]] = []
        for image in lr:
            pair = self._pairs.get(np.ascontiguousarray(image[None]).tobytes())
            if pair is None:
                raise UsageError("V+GT: there is no ground truth for this face")
            with torch.inference_mode():
                face, truth = (torch.from_numpy(x).to(self._device) for x in (image[None], to_float([pair.frontal])))
                centres = centres_from_five(torch.from_numpy(pair.five)[None].to(self._device)).round()
                components = crop(truth, centres, self._model.patch_sizes)
                fine = self._model(face, components=components, centres=centres).fine
            faces.append(fine.float().clamp(0, 1).cpu().numpy())
        return np.concatenate(faces)


def split(packed: Pack, count: int) -> tuple[list[int], list[int]]:
    """Split the people left out of training: for validation, and for measurement.

    The first kind is the validation part, as in ``bench train``; of the tuning part ``count`` are measured,
    one of each group, at even distances. The
    sealed part is not looked at.

    Raises:
        UsageError: fewer than two would be measured.
    """
    validated, rest = packed.part_indices("validation").tolist(), packed.one_a_group("tuning").tolist()
    size = min(count, len(rest))
    if size < 2:
        raise UsageError(
            f"{size} people cannot be measured: {len(rest)} of the pack are for tuning, {len(validated)} others "
            f"are for validation, and {count} were requested; at least 2 are needed."
        )
    return validated, [rest[k * len(rest) // size] for k in range(size)]


def _chain(component: Hallucinator) -> Chain:
    """A chain of one component that is not registered."""
    fingerprint = digest_of([[w.sha256 for w in component.weights], closure_digest(__name__)])
    return Chain([Built(component, Spec("given-components"), {}, fingerprint, "", "")])


def _number(value: str | float | None) -> float | None:
    """A value of a row; ``inf`` becomes infinite."""
    return None if value is None else float(value)


def _write(file: Path, digest: str, measures: Measures) -> None:
    plain = asdict(measures) | {"made_by": digest}
    plain["psnr_db"] = ["inf" if value is not None and math.isinf(value) else value for value in measures.psnr_db]
    write_file(file, json.dumps(plain, allow_nan=False))


def _read(file: Path, digest: str) -> Measures | None:
    """Stored measures of the same weights by the same recogniser and code; None if there are none."""
    try:
        raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if raw.pop("made_by") != digest:
            return None
        raw["psnr_db"] = [math.inf if value == "inf" else value for value in raw["psnr_db"]]
        for name in ("psnr_db", "ssim", "ranks", "people"):
            raw[name] = tuple(raw[name])
        return Measures(**raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file} is damaged ({type(error).__name__}: {error}). Remove it; the variant is then measured again."
        ) from error
