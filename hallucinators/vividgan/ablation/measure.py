"""What the trained variants make of people left out: PSNR, SSIM and the rank of the own photograph, probe by probe."""

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
"""The row that needs no training."""
FILE = "measured.json"
_AT_ONCE = 8
_CHAIN = "chain"


@dataclass(frozen=True)
class Measures:
    """One variant on every probe, in one order.

    Attributes:
        psnr_db: None where it failed, infinite where it equals the truth.
        ssim: likewise.
        ranks: of the own frontal photograph; None where the probe failed.
        people: person of each probe.
        align: how chips were cut: ``frame`` (frontal faces stand in a known frame) or, where the pose is kept, ``true``
            (the head's own points, which only the maker of the probes knows).
        outcomes: how the probes fared.
    """

    psnr_db: tuple[float | None, ...]
    ssim: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    people: tuple[str, ...]
    align: Alignment
    outcomes: dict[str, int]


class Ruler:
    """Measures chains on the left-out people of a pack."""

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
        """Enrol the frontal photographs.

        Args:
            packed: the photographs.
            chosen: which of them are measured, each a person.
            recogniser: ``name:key=value``; not the teacher.
            lr: side of the LR faces.
            seed: of the similarities that move them.
            device: torch device.
            threads: processor threads.
            landmarks: where components are cut out, see the hallucinator ``vividgan``.
        """
        self._packed, self._chosen, self._lr, self._seed = packed, list(chosen), lr, seed
        self._defaults = {"device": device, "threads": threads}
        self._landmarks = landmarks
        self._recogniser: Built[Recogniser] = build(RECOGNISERS, Spec.parse(recogniser), self._defaults)
        self._gallery: FloatImages | None = None

    def variant(self, variant: Variant, weights: Path, advance: Callable[[int], None]) -> Measures:
        """Measure a trained variant; kept beside its weights, and read from there while nothing has changed."""
        if variant.true_components:
            oracle = GivenComponents(weights, self._lr, self._defaults["device"])  # type: ignore[arg-type]  # a str
            return self._kept(weights.parent / FILE, _chain(oracle), oracle.know, advance)
        arguments = (("size", str(self._lr)), ("weights", str(weights)), ("landmarks", self._landmarks))
        chain = Chain([build(HALLUCINATORS, Spec("vividgan", arguments), self._defaults)])
        return self._kept(weights.parent / FILE, chain, None, advance)

    def bicubic(self, folder: Path, advance: Callable[[int], None]) -> Measures:
        """Measure plain interpolation, kept in a folder."""
        return self._kept(folder / FILE, Chain.parse(BICUBIC), None, advance)

    @property
    def people(self) -> int:
        """How many are measured."""
        return len(self._chosen)

    def _kept(
        self, file: Path, chain: Chain, know: Callable[[Sequence[Pair]], None] | None, advance: Callable[[int], None]
    ) -> Measures:
        made_by = digest_of(
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
        found = _read(file, made_by)
        if found is None:
            found = self._measure(chain, know, advance)
            _write(file, made_by, found)
        else:
            advance(len(self._chosen))
        return found

    def _measure(
        self, chain: Chain, know: Callable[[Sequence[Pair]], None] | None, advance: Callable[[int], None]
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
            if know:
                know([pair for own in pairs for pair in own])
            evaluation.add([probe for k, own in enumerate(pairs, start) for probe in pair_probes(own, k)])
            if self._gallery is None:
                enrolled.append(self._enrolled([own[0] for own in pairs]))
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
            evaluation.account(_CHAIN, how),
        )

    def _enrolled(self, people: Sequence[Pair]) -> FloatImages:
        """Embeddings of frontal photographs, cut out by their own points."""
        face = self._recogniser.component.face
        chips = [chip_by_points(one.frontal, as_points(one.five), face, without="")[0] for one in people]
        return embed_unit(self._recogniser.component, np.stack(chips))


class GivenComponents(Hallucinator):
    """V+GT: VividGAN given the true components, for which it must be told beforehand whom it will see: an oracle."""

    output_spec = ImageSpec(128)

    def __init__(self, weights: Path, lr: int, device: str) -> None:
        from hallucinators.vividgan.network.loading import load_weights

        self.input_spec = ImageSpec(lr)
        self.weights: tuple[WeightsFile, ...] = (weights_file(weights, wanted_by="V+GT", how_to_get=""),)
        self._device = device
        model, _ = load_weights(weights, network="vividgan", lr=lr, sha256=self.weights[0].sha256)
        self._model: VividGAN = model.to(device)
        self._pairs: dict[bytes, Pair] = {}

    def know(self, pairs: Sequence[Pair]) -> None:
        """Take in the truth of the LR faces that come next."""
        self._pairs = {to_float([pair.lr]).tobytes(): pair for pair in pairs}

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate faces that are known, one by one."""
        import torch

        from hallucinators.vividgan.network.components import centres_from_five, crop

        made: list[NDArray[np.float32]] = []
        for image in lr:
            pair = self._pairs.get(np.ascontiguousarray(image[None]).tobytes())
            if pair is None:
                raise UsageError("V+GT was given a face whose truth it does not know")
            with torch.inference_mode():
                face, truth = (torch.from_numpy(x).to(self._device) for x in (image[None], to_float([pair.frontal])))
                centres = centres_from_five(torch.from_numpy(pair.five)[None].to(self._device)).round()
                given = crop(truth, centres, self._model.patch_sizes)
                found = self._model(face, components=given, centres=centres).fine
            made.append(found.float().clamp(0, 1).cpu().numpy())
        return np.concatenate(made)


def split(packed: Pack, count: int) -> tuple[list[int], list[int]]:
    """People left out of training: those by whom a training's best weights are chosen, and those that are measured.

    Every eighth is of the first kind, as in ``bench train``; of the others ``count`` are taken, evenly.

    Raises:
        UsageError: fewer than two would be measured.
    """
    left_out = packed.indices(test=True).tolist()
    validated = left_out[::8]
    rest = [index for index in left_out if index not in set(validated)]
    taken = min(count, len(rest))
    if taken < 2:
        raise UsageError(
            f"{taken} people cannot be measured: {len(left_out)} of the pack are left out, {len(validated)} of them "
            f"choose the best weights, and {count} were asked for; 2 are least."
        )
    return validated, [rest[k * len(rest) // taken] for k in range(taken)]


def _chain(component: Hallucinator) -> Chain:
    """A chain of one component that is in no registry."""
    fingerprint = digest_of([[w.sha256 for w in component.weights], closure_digest(__name__)])
    return Chain([Built(component, Spec("given-components"), {}, fingerprint, "", "")])


def _number(value: str | float | None) -> float | None:
    """A value of a row; ``inf`` becomes infinite."""
    return None if value is None else float(value)


def _write(file: Path, made_by: str, measures: Measures) -> None:
    plain = asdict(measures) | {"made_by": made_by}
    plain["psnr_db"] = ["inf" if value is not None and math.isinf(value) else value for value in measures.psnr_db]
    write_file(file, json.dumps(plain, allow_nan=False))


def _read(file: Path, made_by: str) -> Measures | None:
    """What was measured before by the same ruler on the same weights; None where there is nothing of the kind."""
    try:
        raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if raw.pop("made_by") != made_by:
            return None
        raw["psnr_db"] = [math.inf if value == "inf" else value for value in raw["psnr_db"]]
        for name in ("psnr_db", "ssim", "ranks", "people"):
            raw[name] = tuple(raw[name])
        return Measures(**raw)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file} is damaged ({type(error).__name__}: {error}). Remove it; it is measured again."
        ) from error
