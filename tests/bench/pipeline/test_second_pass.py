"""A hallucinator that is random, keeps a state or depends on its batch is named; one that rounds otherwise is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.images import ByteImages, resize, resize_float
from bench.interfaces import FloatImages, Hallucinator
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.pipeline.second_pass import IMAGES, inspect_again
from bench.registry import Spec
from bench.types import ImageSpec

FACES: list[ByteImages] = [resize(draw_face(person, 0), 16, 16) for person in range(24)]


class Made(Hallucinator):
    """Bicubic to 32 pixels, then a fault."""

    output_spec = ImageSpec(32)

    def __init__(self, fault: Callable[[FloatImages], FloatImages]) -> None:
        self.seen = 0
        self._fault = fault

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        self.seen += len(lr)
        return np.clip(self._fault(resize_float(lr, 32, 32)), 0, 1).astype(np.float32)


class Stateful(Made):
    """Each call shows something of the one before."""

    def __init__(self) -> None:
        super().__init__(lambda out: out)
        self._last: FloatImages | None = None

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        out = super().hallucinate(lr)
        last, self._last = self._last, out[:1]
        return out if last is None else (0.8 * out + 0.2 * last).astype(np.float32)


class Once(Made):
    """What it saw first decides all that follows: equal passes agree, and not with another start."""

    def __init__(self) -> None:
        super().__init__(lambda out: out)
        self._first: FloatImages | None = None

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        out = super().hallucinate(lr)
        if self._first is None:
            self._first = out[:1] * 0
            return out
        return (out * 0.7).astype(np.float32)


def chain_of(component: Hallucinator) -> Chain:
    return Chain([Built(component, Spec("made"), {}, "made", "", "")])


def noisy(out: FloatImages) -> FloatImages:
    return (out + np.random.default_rng().normal(0, 0.1, out.shape)).astype(np.float32)


def of_batch(out: FloatImages) -> FloatImages:
    return (0.8 * out + 0.2 * out.mean(axis=0, keepdims=True)).astype(np.float32)


def of_place(out: FloatImages) -> FloatImages:
    return np.stack([face * (1 - 0.01 * i) for i, face in enumerate(out)])


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Made(noisy), "random-output"),
        (lambda: Made(of_batch), "depends-on-batch"),
        (lambda: Made(of_place), "depends-on-batch"),
        (Stateful, "keeps-state"),
        (Once, "keeps-state"),
    ],
)
def test_an_output_that_is_not_of_its_image_alone_is_named(make: Callable[[], Hallucinator], name: str) -> None:
    chain = chain_of(make())
    outputs, _ = chain.hallucinate(FACES)
    (finding,) = inspect_again(chain, FACES, outputs, batch_size=64, fresh=lambda: chain_of(make()))
    assert finding.name == name and "of 16 first outputs differ" in finding.detail


def test_an_honest_one_passes_and_costs_one_pass_over_a_few_images() -> None:
    honest = Made(lambda out: out)
    chain = chain_of(honest)
    outputs, _ = chain.hallucinate(FACES)
    before = honest.seen
    assert inspect_again(chain, FACES, outputs, batch_size=64) == []
    assert honest.seen - before == IMAGES
    assert (
        inspect_again(chain, FACES[:1], outputs[:1], batch_size=64) == []
        and inspect_again(chain, [], [], batch_size=64) == []
    )


def test_rounding_and_a_single_image_on_an_edge_are_no_finding() -> None:
    chain = chain_of(Made(lambda out: out))
    outputs, _ = chain.hallucinate(FACES)
    near = [out + np.uint8(1) * (out < 255) for out in outputs if out is not None]
    assert inspect_again(chain, FACES, near, batch_size=64) == []
    tipped = [near[0] // 2, *near[1:]]
    assert inspect_again(chain, FACES, tipped, batch_size=64) == []


def test_a_slow_one_is_asked_for_three_images_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.pipeline.second_pass.SECONDS", 0.0)
    slow = Made(lambda out: out)
    chain = chain_of(slow)
    outputs, _ = chain.hallucinate(FACES)
    before = slow.seen
    inspect_again(chain, FACES, outputs, batch_size=64)
    assert slow.seen - before == 3
