from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112, DLIB_150
from bench.checks.conformance import check_recogniser
from bench.checks.preprocessing import PEOPLE, PHOTOGRAPHS, drawn_chips, mates_first, try_preprocessing
from bench.interfaces import RECOGNISERS, Recogniser
from bench.pipeline.build import Built, build
from bench.registry import Spec, load_plugins
from bench.types import FaceTemplate

SMALL = FaceTemplate(28, 28, tuple((x / 4, y / 4) for x, y in ARCFACE_112.points))


class Toy(Recogniser):
    """Twelve by twelve brightnesses of the face, of which those of the other channels are lost in noise."""

    face = SMALL
    embedding_size = 144

    def __init__(
        self, *, channel: int = 0, mean: tuple[float, ...] = (127.5,), std: tuple[float, ...] = (127.5,)
    ) -> None:
        self._channel, self._mean, self._std = channel, mean[0], std[0]

    def embed(self, chips: np.ndarray) -> np.ndarray:
        values = (chips[:, 2:26:2, 2:26:2].astype(np.float64) - self._mean) / self._std
        bent = np.rint(values.clip(-1, 1) * 3) / 3  # coarse, and what is beyond -1 to 1 is lost
        noise = np.random.default_rng(0).normal(0, 0.4, bent.shape)
        noise[..., self._channel] = 0
        seen = bent[..., 0] + noise[..., 0]
        seen -= seen.mean(axis=(1, 2), keepdims=True)
        return (seen / (seen.std(axis=(1, 2), keepdims=True) + 1e-6)).reshape(len(chips), -1).astype(np.float32)


class Reddish(Toy):
    """Knows people whose skin is redder than blue, as skin is, and sees nothing in others."""

    def embed(self, chips: np.ndarray) -> np.ndarray:
        rows = super().embed(chips)
        middle = chips[:, 8:20, 8:20].mean(axis=(0, 1, 2))
        return rows if middle[0] > middle[2] else np.random.default_rng(1).normal(size=rows.shape).astype(np.float32)


class Bluish(Reddish):
    """The same network, fed with its channels the wrong way round."""

    def embed(self, chips: np.ndarray) -> np.ndarray:
        return super().embed(chips[..., ::-1])


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    load_plugins()
    monkeypatch.setattr(RECOGNISERS, "_entries", dict(RECOGNISERS._entries))
    RECOGNISERS.register("toy", summary="A toy.")(Toy)


def built(component: Recogniser) -> Built[Recogniser]:
    return Built(component, Spec("not-registered"), {}, "", "", "")


def test_mates_are_counted_pair_by_pair() -> None:
    angles = np.deg2rad([0, 10, 30, 180, 170, 33])  # the last one is nearest to the first person
    shares = mates_first(np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32))
    np.testing.assert_allclose(shares, [4 / 6, 4 / 6])


def test_chips_are_those_of_the_template_and_of_16_pixels() -> None:
    chips = drawn_chips(DLIB_150)
    assert chips.shape == (PEOPLE * PHOTOGRAPHS, 150, 150, 3) and chips.dtype == np.uint8
    assert np.array_equal(chips, drawn_chips(DLIB_150)), "the same every time"
    fine = np.abs(np.diff(chips[:, 40:110, 40:110].astype(float), axis=2)).mean()
    assert fine < 6, "nothing is finer than a tiny face's pixels"


@pytest.mark.parametrize(("make", "better"), [(Reddish, False), (Bluish, True)])
def test_a_wrong_channel_order_is_named_and_a_right_one_is_not(make: Callable[[], Recogniser], better: bool) -> None:
    (trial,) = try_preprocessing(built(make()))
    assert trial.name == "channel-order"
    assert trial.better is better
    assert ("trained on BGR" in trial.detail) is better


def test_a_recogniser_that_does_not_look_at_colour_is_right_in_any_order() -> None:
    class Luma(Toy):
        def embed(self, chips: np.ndarray) -> np.ndarray:
            return super().embed(np.repeat(chips.mean(axis=3, keepdims=True).astype(np.uint8), 3, axis=3))

    (trial,) = try_preprocessing(built(Luma()))
    assert not trial.better
    assert "difference +0.0 to +0.0 points" in trial.detail


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize(
    ("arguments", "better"), [("", False), (":mean=[0],std=[1]", True), (":mean=[127.5],std=[128]", False)]
)
def test_a_wrong_scaling_is_named_and_a_right_one_is_not(arguments: str, better: bool) -> None:
    trials = {trial.name: trial for trial in try_preprocessing(build(RECOGNISERS, Spec.parse(f"toy{arguments}")))}
    assert trials["scaling"].better is better, trials["scaling"].detail
    assert ("use mean=[127.5],std=[12" in trials["scaling"].detail) is better


@pytest.mark.usefixtures("toys")
def test_order_and_scaling_that_are_both_wrong_are_both_named() -> None:
    RECOGNISERS.register("bluish", summary="A toy.")(Bluish)
    trials = try_preprocessing(build(RECOGNISERS, Spec.parse("bluish:mean=[0],std=[1]")))
    assert [(trial.name, trial.better) for trial in trials] == [("channel-order", True), ("scaling", True)]
    assert "and BGR" in trials[1].detail and "use mean=[127.5],std=[12" in trials[1].detail


def test_the_check_of_a_recogniser_fails_by_the_name_of_what_is_wrong() -> None:
    failed = {check.name for check in check_recogniser(built(Bluish())) if not check.passed}
    assert "channel-order" in failed


def test_a_recogniser_of_one_channel_has_no_channel_order() -> None:
    component = Toy()
    component.colour = "gray"
    assert try_preprocessing(built(component)) == []
