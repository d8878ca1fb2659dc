"""Drawn people: the same seed is the same person, and looks do what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bench.errors import DataError, MissingError
from bench.faces.people.look import EXPRESSIONS, Look
from bench.faces.people.model import MODEL, People
from protocols.sample import write_sample
from protocols.tinyface.protocol import TinyFace

LOOK = Look(identity=7, size=64)


@pytest.fixture(scope="module")
def people() -> People:
    return People()


def test_equal_looks_are_equal_bytes_whoever_else_is_drawn(people: People) -> None:
    first = people([LOOK])[0]
    again = People()([replace(LOOK, identity=8), LOOK, replace(LOOK, variation=3)])[1]
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)


def test_people_differ_more_than_images_of_one(people: People) -> None:
    images = [image.astype(float) for image in people([replace(LOOK, variation=v) for v in range(4)])]
    others = [image.astype(float) for image in people([replace(LOOK, identity=i) for i in range(20, 28)])]
    within = max(np.abs(images[0] - image).mean() for image in images[1:])
    between = np.median([np.abs(images[0] - image).mean() for image in others])
    assert 0 < within < between


@pytest.mark.parametrize("expression", EXPRESSIONS[1:])
def test_an_expression_moves_the_face_and_grows_with_its_strength(people: People, expression) -> None:  # type: ignore[no-untyped-def]
    neutral, slight, full = (
        image.astype(float)
        for image in people(
            [LOOK, replace(LOOK, expression=expression, strength=0.4), replace(LOOK, expression=expression)]
        )
    )
    assert 0 < np.abs(slight - neutral).mean() < np.abs(full - neutral).mean()


def test_a_surprised_mouth_opens(people: People) -> None:
    _, neutral = people.photograph(7, "neutral", 1.0)
    _, surprised = people.photograph(7, "surprise", 1.0)
    gap = [float(result.points[14, 1] - result.points[13, 1]) for result in (neutral, surprised)]
    assert gap[1] > gap[0] + 4


@pytest.mark.parametrize("yaw", [-60, -30, 30, 60])
def test_the_nose_goes_where_the_head_turns(people: People, yaw: int) -> None:
    front, turned = people.points(LOOK), people.points(replace(LOOK, yaw_deg=yaw))
    moved = (turned[2, 0] - turned[:2, 0].mean()) - (front[2, 0] - front[:2, 0].mean())
    assert np.sign(moved) == np.sign(yaw)


def test_a_lamp_on_the_left_lights_the_left(people: People) -> None:
    left, right = (
        image[20:50].astype(float) for image in people([replace(LOOK, illumination=1), replace(LOOK, illumination=18)])
    )
    contrast = [image[:, 16:32].mean() - image[:, 32:48].mean() for image in (left, right)]
    assert contrast[0] > contrast[1] + 10


def test_turning_opens_no_holes(people: People) -> None:
    front, *turned = people([LOOK, *(replace(LOOK, yaw_deg=yaw) for yaw in (-90, -45, 45, 90))])
    black = float((front.max(2) == 0).mean())
    assert all((view.max(2) == 0).mean() <= black + 0.01 for view in turned)


def test_an_absent_or_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="absent.safetensors"):
        People(tmp_path / "absent.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(MODEL.read_bytes()[:1000])
    with pytest.raises(DataError, match="damaged"):
        People(tmp_path / "cut.safetensors")
    save_file({"knots": np.zeros((468, 2), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="it lacks neutral"):
        People(tmp_path / "other.safetensors")


def test_they_paint_samples(tmp_path: Path) -> None:
    write_sample("tinyface", tmp_path / "tinyface", identities=3, paint=People())
    assert json.loads((tmp_path / "tinyface" / "sample.json").read_text())["painter"] == "people"
    assert TinyFace().read(tmp_path / "tinyface").probes
