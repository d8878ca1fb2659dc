"""The canary of frames passes as it is and fails for each wrong frame that a run could pick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.checks import frontalisers
from bench.checks.conformance import Check
from bench.checks.frontalisers import examine_frames
from bench.config import RunConfig
from bench.diagnosis.placing import Placing
from bench.interfaces import HALLUCINATORS, EvalProtocol, Hallucinator
from bench.pipeline.arrangement import Arrangement, arrange
from bench.pipeline.framing import frames_of
from bench.registry import Spec, load_plugins
from bench.types import ImageSpec


@pytest.fixture(autouse=True)
def _few_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    load_plugins()
    frontal_protocols = [
        (name, protocol) for name, protocol in frontalisers._protocols() if name in ("tinyface", "lfw", "celeba")
    ]
    monkeypatch.setattr(frontalisers, "_protocols", lambda: iter(frontal_protocols))


def _only(monkeypatch: pytest.MonkeyPatch, names: Sequence[str]) -> None:
    monkeypatch.setattr(HALLUCINATORS, "_entries", {name: HALLUCINATORS[name] for name in names})


def test_what_is_shipped_stands_where_the_next_stage_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch, ["none", "bicubic", "vividgan", "vividgan-flow", "tann"])
    checks = examine_frames()
    assert [check.name for check in checks] == ["places-tann", "places-vividgan", "places-vividgan-flow"]
    assert all(check.passed and "cannot be judged" not in check.detail for check in checks), checks


def _arranged(frame: str, align: str | None) -> object:
    """The arrangement of a run in which somebody's frame and alignment win over what the runner picks."""

    def forced(config: RunConfig, protocol: EvalProtocol) -> Arrangement:
        result = arrange(config, protocol)
        sides = {}
        for name in ("probe", "gallery"):
            plan = getattr(result, name)
            if plan.chain is not None:
                chain = f"{config.hallucinator}:frame={frame}"
                sides[name] = replace(plan, chain=chain, align=Spec.parse(align) if align else plan.align)
        frames = {side: "" if frame == "lr" else frame for side in result.frames}
        return replace(result, frames=frames, **sides)

    return forced


@pytest.mark.parametrize(
    ("hallucinator", "frame", "align"),
    [
        ("vividgan-flow", "utkface200", "none"),  # the default of an earlier version, under TinyFace's alignment
        ("vividgan", "utkface200", "none"),
        ("vividgan-flow", "arcface112", "template:frame=utkface200"),
        ("vividgan-flow", "utkface200", "landmarks"),
    ],
)
def test_a_wrong_frame_fails(hallucinator: str, frame: str, align: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert frame in frames_of(HALLUCINATORS[hallucinator])
    _only(monkeypatch, [hallucinator])
    monkeypatch.setattr(frontalisers, "arrange", _arranged(frame, align))
    (check,) = examine_frames()
    assert not check.passed
    assert "off the recogniser's template" in check.detail
    assert f"frame={frame} under {align}" in check.detail


class Moving(Hallucinator):
    """Says that it gives one frame, and leaves faces where they were, loses them, or raises."""

    output_spec = ImageSpec(128)
    output_frame = "arcface112"

    def __init__(self, *, how: str = "left") -> None:
        self.how = how

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        if self.how == "raises":
            raise RuntimeError("no weights")
        from bench.images import resize_float

        out = resize_float(lr, 128, 128)
        return out if self.how == "left" else np.full_like(out, 0.5)


@pytest.mark.parametrize(
    ("how", "passed", "message"),
    [
        ("left", False, "off the recogniser's template"),
        ("lost", True, "cannot be judged: celeba probe"),
        ("raises", False, "every face failed (raised RuntimeError)"),
    ],
)
def test_a_plugin_that_misstates_its_frame_fails_and_one_without_faces_is_named(
    how: str, passed: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HALLUCINATORS, "_entries", {})
    HALLUCINATORS.register("moving", summary="Moves.")(lambda: Moving(how=how))
    (check,) = examine_frames()
    assert check.passed is passed, check
    assert message in check.detail


def _verdict_of(off: tuple[float, ...], frame_off: tuple[float, ...]) -> Check:
    case = frontalisers._Case("net", Spec("none"), "", "template")
    return frontalisers._verdict(
        "net", {case: frontalisers._Result(Placing(8, 8, off, frame_off), sides=["toys probe"])}
    )


def test_single_points_that_are_off_are_a_warning_where_the_frame_is_right() -> None:
    assert _verdict_of((2.0, 2.0, 9.0, 2.0, 2.0), (1.0, 1.0, 2.0, 1.0, 1.0)) == Check(
        "places-net",
        True,
        "five points within 9.0 pixels of where they are expected: the frame is right, but single points of its faces "
        "are more than 6 pixels off",
        warns=True,
    )


def test_a_frame_that_moves_one_point_too_far_fails_though_the_mean_is_near() -> None:
    check = _verdict_of((3.0, 3.0, 4.0, 7.0, 7.0), (3.0, 3.0, 4.0, 6.5, 6.5))
    assert not check.passed
    assert "4.8 pixels off the recogniser's template (the farthest point 7.0)" in check.detail


def test_points_within_the_bound_pass_without_a_warning() -> None:
    check = _verdict_of((5.9, 1.0, 1.0, 1.0, 1.0), (5.9, 1.0, 1.0, 1.0, 1.0))
    assert check.passed and not check.warns
