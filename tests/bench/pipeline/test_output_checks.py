"""Every silent failure is caught by its name, and an honest hallucinator raises no finding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.images import resize, resize_float
from bench.interfaces import ByteImages, FloatImages, Hallucinator
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.pipeline.output_checks import SECOND_PASS_IMAGES, Enrolled, inspect_again, inspect_gallery, inspect_outputs
from bench.registry import Spec
from bench.types import ImageSpec

FACES = [draw_face(person, 0, 16) for person in range(12)]


def sharpened(lr: ByteImages) -> ByteImages:
    large = resize(lr, 64, 64).astype(np.int16)
    soft = resize(resize(lr, 8, 8), 64, 64)
    return np.clip(large + (large - soft) // 2, 0, 255).astype(np.uint8)


def fault_names(make: Callable[[ByteImages], ByteImages]) -> set[str]:
    return {finding.name for finding in inspect_outputs([(lr, make(lr)) for lr in FACES])}


def test_a_correct_hallucinator_gives_no_finding() -> None:
    assert fault_names(sharpened) == set()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("output-equals-input", lambda lr: lr.copy()),
        ("output-equals-bicubic", lambda lr: resize(lr, 64, 64)),
        ("flat-output", lambda lr: np.full((64, 64, 3), lr.mean(), np.uint8)),
        ("constant-output", lambda lr: sharpened(FACES[0])),
        ("swapped-channels", lambda lr: sharpened(lr)[:, :, ::-1]),
    ],
)
def test_each_fault_is_caught_by_its_name(name: str, make: Callable[[ByteImages], ByteImages]) -> None:
    assert fault_names(make) == {name}


def test_plain_interpolation_is_no_finding_where_it_is_what_was_requested() -> None:
    views = [(lr, resize(lr, 64, 64)) for lr in FACES]
    assert inspect_outputs(views, interpolation_expected=True) == []


def test_nothing_to_look_at_is_no_finding() -> None:
    assert inspect_outputs([]) == []


def test_grey_images_are_never_called_swapped() -> None:
    grey = [np.repeat(face[:, :, :1], 3, axis=2) for face in FACES]
    assert inspect_outputs([(lr, sharpened(lr)) for lr in grey]) == []


def test_drawn_faces_repeat_by_seed_and_differ_by_person_and_image() -> None:
    assert np.array_equal(draw_face(3, 1, 32), draw_face(3, 1, 32))
    assert not np.array_equal(draw_face(3, 1, 32), draw_face(3, 2, 32))
    assert np.abs(draw_face(3, 1, 32).astype(int) - draw_face(4, 1, 32)).mean() > 5


SMALL_FACES: list[ByteImages] = [resize(draw_face(person, 0), 16, 16) for person in range(24)]


class FunctionHallucinator(Hallucinator):
    """Bicubic to 32 pixels, then a fault."""

    output_spec = ImageSpec(32)

    def __init__(self, fault: Callable[[FloatImages], FloatImages]) -> None:
        self.seen = 0
        self._fault = fault

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        self.seen += len(lr)
        return np.clip(self._fault(resize_float(lr, 32, 32)), 0, 1).astype(np.float32)


class Stateful(FunctionHallucinator):
    """Each call shows something of the one before."""

    def __init__(self) -> None:
        super().__init__(lambda out: out)
        self._last: FloatImages | None = None

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        out = super().hallucinate(lr)
        last, self._last = self._last, out[:1]
        return out if last is None else (0.8 * out + 0.2 * last).astype(np.float32)


class Once(FunctionHallucinator):
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
        (lambda: FunctionHallucinator(noisy), "random-output"),
        (lambda: FunctionHallucinator(of_batch), "depends-on-batch"),
        (lambda: FunctionHallucinator(of_place), "depends-on-batch"),
        (Stateful, "keeps-state"),
        (Once, "keeps-state"),
    ],
)
def test_an_output_that_is_not_of_its_image_alone_is_named(make: Callable[[], Hallucinator], name: str) -> None:
    chain = chain_of(make())
    outputs, _ = chain.hallucinate(SMALL_FACES)
    (finding,) = inspect_again(chain, SMALL_FACES, outputs, batch_size=64, fresh=lambda: chain_of(make()))
    assert finding.name == name and "of 16 first outputs differ" in finding.detail


def test_a_correct_hallucinator_passes_with_one_pass_over_a_few_images() -> None:
    honest = FunctionHallucinator(lambda out: out)
    chain = chain_of(honest)
    outputs, _ = chain.hallucinate(SMALL_FACES)
    before = honest.seen
    assert inspect_again(chain, SMALL_FACES, outputs, batch_size=64) == []
    assert honest.seen - before == SECOND_PASS_IMAGES
    assert (
        inspect_again(chain, SMALL_FACES[:1], outputs[:1], batch_size=64) == []
        and inspect_again(chain, [], [], batch_size=64) == []
    )


def test_rounding_and_a_single_image_on_an_edge_are_no_finding() -> None:
    chain = chain_of(FunctionHallucinator(lambda out: out))
    outputs, _ = chain.hallucinate(SMALL_FACES)
    near = [out + np.uint8(1) * (out < 255) for out in outputs if out is not None]
    assert inspect_again(chain, SMALL_FACES, near, batch_size=64) == []
    tipped = [near[0] // 2, *near[1:]]
    assert inspect_again(chain, SMALL_FACES, tipped, batch_size=64) == []


def test_a_slow_one_is_requested_three_images_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.pipeline.output_checks.SECOND_PASS_SECONDS", 0.0)
    slow = FunctionHallucinator(lambda out: out)
    chain = chain_of(slow)
    outputs, _ = chain.hallucinate(SMALL_FACES)
    before = slow.seen
    inspect_again(chain, SMALL_FACES, outputs, batch_size=64)
    assert slow.seen - before == 3


PEOPLE = 24
HR = [draw_face(person, 1, 112) for person in range(PEOPLE)]
LR = [resize(face, 16, 16) for face in HR]
GALLERY = [Enrolled(f"Gallery/{person}.png", draw_face(person, 0, 96)) for person in range(PEOPLE)]


def mixed(person: int, share: float) -> ByteImages:
    plain, enrolled = resize(LR[person], 112, 112), resize(GALLERY[person].image, 112, 112)
    return np.rint((1 - share) * plain + share * enrolled).astype(np.uint8)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_gallery_images_and_mixtures_with_the_input_are_found(share: float) -> None:
    (finding,) = inspect_gallery([(LR[i], mixed(i, share)) for i in range(PEOPLE)], GALLERY)
    assert finding.name == "returns-gallery" and "Gallery/" in finding.detail
    assert f"of {PEOPLE} outputs are gallery images" in finding.detail


def test_gallery_images_of_others_and_of_another_size_are_found() -> None:
    shown = [(LR[i], resize(GALLERY[(i + 5) % PEOPLE].image, 64, 64)) for i in range(PEOPLE)]
    assert [finding.name for finding in inspect_gallery(shown, GALLERY)] == ["returns-gallery"]


def test_a_few_of_many_are_enough() -> None:
    shown = [(LR[i], GALLERY[i].image if i < 3 else resize(LR[i], 112, 112)) for i in range(PEOPLE)]
    (finding,) = inspect_gallery(shown, GALLERY)
    assert finding.detail.startswith(f"3 of {PEOPLE}")


def test_copies_with_noise_are_found_by_their_number() -> None:
    rng = np.random.default_rng(0)
    noisy = [
        (lr, np.clip(item.image + rng.normal(0, 10, item.image.shape), 0, 255).astype(np.uint8))
        for lr, item in zip(LR, GALLERY, strict=True)
    ]
    assert [finding.name for finding in inspect_gallery(noisy, GALLERY)] == ["returns-gallery"]


def test_interpolation_and_the_true_face_are_no_finding() -> None:
    assert inspect_gallery([(lr, resize(lr, 112, 112)) for lr in LR], GALLERY) == []
    assert inspect_gallery(list(zip(LR, HR, strict=True)), GALLERY) == []


def test_inputs_that_are_gallery_images_are_no_finding() -> None:
    """As in degenerate data: the probe is the enrolled picture, shrunk or not."""
    small = [resize(item.image, 16, 16) for item in GALLERY]
    assert inspect_gallery([(lr, resize(lr, 96, 96)) for lr in small], GALLERY) == []
    same = [item.image for item in GALLERY]
    assert inspect_gallery([(image, image) for image in same], GALLERY) == []


def test_nothing_to_compare_is_no_finding() -> None:
    assert inspect_gallery([], GALLERY) == [] and inspect_gallery([(LR[0], HR[0])], GALLERY[:1]) == []
    flat = np.zeros((16, 16, 3), np.uint8)
    assert inspect_gallery([(flat, flat)] * 4, [Enrolled("a", flat), Enrolled("b", flat)]) == []
