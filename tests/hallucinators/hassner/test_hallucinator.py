from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.errors import MissingError, UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.people.look import Look
from bench.faces.people.model import People
from bench.images import ByteImages, FloatImages, resize_float, to_float
from bench.interfaces import HALLUCINATORS
from bench.pipeline.chain import Chain
from bench.registry import load_plugins
from bench.types import OK
from hallucinators.hassner.hallucinator import Hassner
from hallucinators.hassner.pose import project
from hallucinators.hassner.surface import SIDE, Reference

MODULE = sys.modules[Hassner.__module__]
NO_LANDMARKS = "no landmarks found: passed on as it came, not frontalised"


class FixedLandmarks(Landmarker):
    """Says the same of every image."""

    def __init__(self, points: NDArray[np.float64] | None) -> None:
        self._points = points
        self.shapes: list[tuple[int, ...]] = []

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        self.shapes += [image.shape for image in images]
        if self._points is None:
            return [None] * len(images)
        points = np.column_stack([self._points, np.zeros(68)]).astype(np.float32)
        return [Landmarks(points, 0.0, 0.0, 0.0, np.empty(0, np.float32), 1.0, 1)] * len(images)


def hassner_with_points(points: NDArray[np.float64] | None, **inputs: str) -> Hassner:
    hallucinator = Hassner(**inputs)  # type: ignore[arg-type]
    hallucinator.__dict__["_landmarker"] = FixedLandmarks(points)
    return hallucinator


@pytest.fixture(scope="module")
def people() -> FloatImages:
    """Two drawn people turned by 30 degrees, and noise between them."""
    drawn = People()([Look(identity=k, yaw_deg=yaw) for k, yaw in ((3, 30.0), (11, -30.0))])
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    return to_float([drawn[0], noise, drawn[1]])


@pytest.fixture(scope="module")
def both(people: FloatImages) -> tuple[FloatImages, list[object]]:
    images, outcomes = Hassner().hallucinate_counted(people)
    return images, list(outcomes)


def test_no_landmarks_are_a_counted_fallback_and_the_image_passes_as_it_is() -> None:
    lr = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    images, outcomes = hassner_with_points(None).hallucinate_counted(lr)
    assert [(o.status, o.stage, o.reason) for o in outcomes] == [("fallback", "hallucinate", NO_LANDMARKS)] * 2
    np.testing.assert_array_equal(images, lr)


def test_landmarks_of_no_face_are_a_counted_fallback_too() -> None:
    lr = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    images, (outcome,) = hassner_with_points(np.random.default_rng(1).uniform(0, 128, (68, 2))).hallucinate_counted(lr)
    assert outcome.status == "fallback" and outcome.reason.startswith("no pose fits the landmarks")
    np.testing.assert_array_equal(images, lr)


def test_landmarks_are_looked_for_in_small_images_enlarged_and_in_large_ones_as_they_are() -> None:
    for shape, seen in (((16, 16), (128, 128, 3)), ((20, 10), (128, 64, 3)), ((200, 300), (200, 300, 3))):
        hallucinator = hassner_with_points(None)
        assert hallucinator.hallucinate(np.zeros((1, 3, *shape), np.float32)).shape == (1, 3, *shape)
        assert hallucinator.__dict__["_landmarker"].shapes == [seen]


def test_drawn_people_become_frontal_and_noise_is_passed_on(
    people: FloatImages, both: tuple[FloatImages, list[object]]
) -> None:
    images, outcomes = both
    assert images.shape == (3, 3, SIDE, SIDE) and images.dtype == np.float32
    assert 0 <= images.min() and images.max() <= 1
    assert [getattr(outcome, "status", "") for outcome in outcomes] == ["ok", "fallback", "ok"]
    np.testing.assert_array_equal(images[1], people[1])
    frontal = to_float(People()([Look(identity=k) for k in (3, 11)]))
    face = np.s_[:, 30:110, 28:100]
    for index, truth in zip((0, 2), frontal, strict=True):
        before, after = (np.abs(image - truth)[face].mean() for image in (people[index], images[index]))
        assert after < 0.85 * before


def test_a_face_depends_on_its_own_input_alone(people: FloatImages, both: tuple[FloatImages, list[object]]) -> None:
    hallucinator, (images, outcomes) = Hassner(), both
    for index in (2, 0, 1):
        alone, (outcome,) = hallucinator.hallucinate_counted(people[index : index + 1])
        np.testing.assert_array_equal(alone[0], images[index])
        assert outcome == outcomes[index]


def test_symmetry_can_be_left_out_and_enforced(generic: Reference, view: Callable[..., NDArray[np.float64]]) -> None:
    lr = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    straight, turned = (project(view(yaw), generic.points)[0] for yaw in (0.0, 40.0))

    def frontal_face(points: NDArray[np.float64], symmetry: str) -> FloatImages:
        images, outcomes = hassner_with_points(points, symmetry=symmetry).hallucinate_counted(lr)
        assert outcomes == [OK]
        return images

    for points, same in ((straight, "never"), (turned, "always")):
        other = "always" if same == "never" else "never"
        np.testing.assert_array_equal(frontal_face(points, "auto"), frontal_face(points, same))
        assert np.abs(frontal_face(points, "auto") - frontal_face(points, other)).max() > 0.1


def test_a_large_photograph_gives_what_a_small_one_gives(
    generic: Reference, view: Callable[..., NDArray[np.float64]]
) -> None:
    small = resize_float(np.random.default_rng(0).random((1, 3, 24, 24), np.float32), 128, 128).clip(0, 1)
    large = resize_float(small, 512, 512).clip(0, 1)
    result = [
        hassner_with_points(project(view(25.0, side=side), generic.points)[0]).hallucinate(image)
        for image, side in ((small, 128), (large, 512))
    ]
    again = resize_float(result[1], 128, 128)
    assert np.abs(result[0] - again)[:, :, 30:110, 30:64].mean() < 0.01  # the seen side


def test_a_face_that_is_not_finite_is_a_counted_failure(people: FloatImages) -> None:
    spoiled = people[:2].copy()
    spoiled[0, 0, 3, 3] = np.nan
    images, outcomes = hassner_with_points(None).hallucinate_counted(spoiled)
    assert [outcome.status for outcome in outcomes] == ["failed", "fallback"]
    assert outcomes[0].reason == "input not finite" and np.isfinite(images).all()


@pytest.mark.parametrize("shape", [(0, 3, 16, 16), (2, 1, 16, 16), (2, 4, 16, 16), (3, 16, 16), (1, 3, 1, 16)])
def test_what_is_no_batch_of_rgb_faces_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="takes RGB faces"):
        hassner_with_points(None).hallucinate(np.zeros(shape, np.float32))


def test_a_chain_after_bicubic_runs_on_drawn_people() -> None:
    load_plugins()
    faces = People()([Look(identity=5, size=64), Look(identity=6, yaw_deg=22.0, size=64)])
    images, outcomes = Chain.parse("bicubic+hassner").hallucinate(faces)
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    assert all(image is not None and image.shape == (SIDE, SIDE, 3) for image in images)
    before_sr = Chain.parse("hassner:symmetry=never+bicubic:size=16")  # the order F+SR
    small, _ = before_sr.hallucinate(faces)
    assert all(image is not None and image.shape == (16, 16, 3) for image in small)


def test_the_registry_knows_it_its_frame_and_its_networks() -> None:
    load_plugins()
    entry = HALLUCINATORS["hassner"]
    assert entry.missing() is None and entry.details()["departures"]
    result = entry.create({"symmetry": "never"})
    assert result.output_frame == "utkface200" and result.output_spec.scale == 1
    assert [file.name for file in result.weights] == ["face_landmarker.task"]
    with pytest.raises(UsageError, match="auto, always, never"):
        entry.create({"symmetry": "soft"})


def test_without_the_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "engine_is_here", lambda: False)
    with pytest.raises(MissingError, match="pip install"):
        Hassner()
    assert "pip install" in (HALLUCINATORS["hassner"].missing() or "")


def test_torch_is_not_imported() -> None:
    script = (
        "import sys\nimport numpy as np\nfrom hallucinators.hassner.hallucinator import Hassner\n"
        "from hallucinators.hassner.surface import reference\nreference()\n"
        "Hassner().hallucinate(np.zeros((1, 3, 16, 16), np.float32))\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
