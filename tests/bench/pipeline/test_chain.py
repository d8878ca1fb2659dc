"""Chains: the size contract, failures of single images, one rounding."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import BenchError, ContractError, UnknownNameError, UsageError
from bench.images import resize
from bench.interfaces import ByteImages, FloatImages, Hallucinator
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.registry import Spec, load_plugins
from bench.types import OK, ImageSpec, Outcome


@pytest.fixture(autouse=True)
def plugins() -> None:
    load_plugins()


def noise(height: int, width: int, seed: int = 0) -> ByteImages:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Fixed(Hallucinator):
    """Takes 16 x 16, gives 32 x 32; refuses an image whose first value is exactly 1."""

    input_spec = ImageSpec(16)
    output_spec = ImageSpec(32)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        if (lr[:, 0, 0, 0] == 1).any():
            raise RuntimeError("no face in it")
        return np.repeat(np.repeat(lr, 2, axis=2), 2, axis=3)


class Doubling(Hallucinator):
    output_spec = ImageSpec(scale=2)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        return np.repeat(np.repeat(lr, 2, axis=2), 2, axis=3)


def built(component: Hallucinator, name: str = "test") -> Built[Hallucinator]:
    return Built(component, Spec(name), {}, name, "", "")


def test_none_gives_back_the_very_images() -> None:
    images = [noise(5, 7), noise(9, 4)]
    results, outcomes = Chain.parse("none").hallucinate(images)
    assert [id(r) for r in results] == [id(i) for i in images]
    assert outcomes == [OK, OK]


def test_bicubic_equals_the_suites_resize_for_any_mixture_of_sizes_and_batches() -> None:
    images = [noise(5 + i % 3, 7 + i % 2, i) for i in range(11)]
    for batch_size in (1, 3, 64):
        results, _ = Chain.parse("bicubic:size=24").hallucinate(images, batch_size=batch_size)
        for image, result in zip(images, results, strict=True):
            assert result is not None
            assert np.array_equal(result, resize(image, 24, 24))


def test_native_images_are_resized_for_a_first_step_of_fixed_size() -> None:
    results, _ = Chain([built(Fixed())]).hallucinate([noise(20, 12)])
    assert results[0] is not None
    assert results[0].shape == (32, 32, 3)


def test_a_step_that_does_not_fit_is_refused_and_the_cure_named() -> None:
    with pytest.raises(UsageError, match=r"takes 16 x 16 pixels but bicubic gives 128 x 128.*bicubic:size=16"):
        Chain([*Chain.parse("bicubic").steps, built(Fixed(), "fixed")])
    with pytest.raises(UsageError, match="gives any size"):
        Chain([built(Doubling(), "doubling"), built(Fixed(), "fixed")])
    Chain([*Chain.parse("bicubic:size=8").steps, built(Doubling()), built(Fixed())])


class Tiny(Doubling):
    """Takes any size; what is larger than 32 pixels it would shrink."""

    input_spec = ImageSpec(largest=32)


def test_a_step_that_would_shrink_what_the_one_before_enlarged_is_refused_and_the_cure_named() -> None:
    with pytest.raises(UsageError, match=r"up to 32 pixels but bicubic gives 128 x 128.*bicubic:size=32\+tiny"):
        Chain([*Chain.parse("bicubic").steps, built(Tiny(), "tiny")])
    Chain([*Chain.parse("bicubic:size=32").steps, built(Tiny())])
    Chain([built(Doubling()), built(Tiny())])  # of what size is not known before
    results, outcomes = Chain([built(Tiny())]).hallucinate([noise(40, 40)])  # an image of one's own is as it is
    assert outcomes == [OK] and results[0] is not None and results[0].shape == (80, 80, 3)


@pytest.mark.parametrize("text", ["", "none+", "+none", "none++bicubic"])
def test_an_empty_step_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="empty step"):
        Chain.parse(text)


def test_an_unknown_step_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'bicubic'"):
        Chain.parse("none+bicubik")


def test_one_bad_image_fails_alone() -> None:
    images = [noise(16, 16, seed) for seed in range(6)]
    for image in images:
        image[0, 0, 0] = 7
    images[3][0, 0, 0] = 255
    results, outcomes = Chain([built(Fixed())]).hallucinate(images)
    assert [result is None for result in results] == [False, False, False, True, False, False]
    assert outcomes[3] == Outcome("failed", "hallucinate", "raised RuntimeError")
    assert outcomes[2] == OK


def test_an_output_that_is_not_finite_is_a_failure() -> None:
    class Half(Fixed):
        def hallucinate(self, lr: FloatImages) -> FloatImages:
            out = super().hallucinate(lr)
            out[1] = np.nan
            out[2, 0, 0, 0] = np.inf
            return out

    results, outcomes = Chain([built(Half())]).hallucinate([noise(16, 16, s) // 2 for s in range(4)])
    assert [result is None for result in results] == [False, True, True, False]
    assert {outcomes[1].reason, outcomes[2].reason} == {"output not finite"}


def test_values_outside_the_range_are_clipped() -> None:
    class Loud(Doubling):
        def hallucinate(self, lr: FloatImages) -> FloatImages:
            return super().hallucinate(lr) * np.float32(4) - np.float32(1)

    results, outcomes = Chain([built(Loud())]).hallucinate(
        [np.full((4, 4, 3), 200, np.uint8), np.zeros((4, 4, 3), np.uint8)]
    )
    assert outcomes == [OK, OK]
    assert results[0] is not None and results[0].min() == 255
    assert results[1] is not None and results[1].max() == 0


@pytest.mark.parametrize("fault", ["shape", "dtype", "count", "type"])
def test_a_broken_contract_stops_the_run_and_says_what_was_expected(fault: str) -> None:
    class Broken(Doubling):
        def hallucinate(self, lr: FloatImages) -> FloatImages:
            out = super().hallucinate(lr)
            faults = {"shape": out[:, :, 1:], "dtype": out.astype(np.float64), "count": out[1:], "type": out.tolist()}
            return faults[fault]  # type: ignore[return-value]  # that is the fault

    with pytest.raises(ContractError, match=r"its contract says float32 \(2, 3, 8, 8\)"):
        Chain([built(Broken())]).hallucinate([noise(4, 4), noise(4, 4, 1)])


def test_a_step_may_say_how_each_image_fared() -> None:
    class Picky(Doubling):
        def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
            first = Outcome("fallback", "hallucinate", "no landmarks")
            return self.hallucinate(lr), [first, *[OK] * (len(lr) - 1)]

    _, outcomes = Chain([built(Picky()), built(Doubling())]).hallucinate([noise(4, 4), noise(4, 4, 1)])
    assert [outcome.status for outcome in outcomes] == ["fallback", "ok"]


class Halo(Hallucinator):
    """Any size, given back, darker."""

    output_spec = ImageSpec(scale=1)

    def __init__(self) -> None:
        self.seen: list[tuple[int, ...]] = []

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        self.seen.append(lr.shape[2:])
        return lr * np.float32(0.5)


def test_native_images_are_brought_to_what_stands_behind_steps_that_keep_their_size() -> None:
    """F+SR: a frontaliser before a super-resolver of 16 x 16."""
    halo = Halo()
    chain = Chain([built(halo), built(Fixed())])
    assert chain.input_size == 16
    results, outcomes = chain.hallucinate([noise(20, 12), noise(16, 16)])
    assert outcomes == [OK, OK] and halo.seen == [(16, 16)]
    assert all(result is not None and result.shape == (32, 32, 3) for result in results)
    alone = Halo()
    assert Chain([built(alone)]).input_size is None
    Chain([built(alone)]).hallucinate([noise(20, 12)])
    assert alone.seen == [(20, 12)]


def test_steps_that_change_the_size_still_need_a_resizing_step() -> None:
    with pytest.raises(UsageError, match="takes 16 x 16 pixels but"):
        Chain([built(Doubling()), built(Fixed())])


def test_want_of_memory_ends_the_run_and_makes_no_face_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain.parse("bicubic:size=32")

    def no_room(lr: object) -> object:
        raise MemoryError("Unable to allocate 9 GiB")

    monkeypatch.setattr(chain.steps[0].component, "hallucinate_counted", no_room)
    with pytest.raises(BenchError, match="not enough memory: Unable to allocate 9 GiB"):
        chain.hallucinate([np.zeros((8, 8, 3), np.uint8)] * 2)
