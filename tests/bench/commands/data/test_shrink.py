"""``bench data shrink``: LR folders and sets in the layout of TinyFace, with a record; people are left out by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.images import encode_png, read_image
from bench.media.low_resolution import to_low_resolution

Bench = Callable[..., tuple[int, str, str]]
PEOPLE = {"Ann": 4, "Bob": 3, "Cem": 2, "Dao": 5, "Eve": 1, "Fay": 1, "Gil": 8}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Folders of people with square images of 64 pixels."""
    folder = tmp_path / "people"
    for place, (name, count) in enumerate(PEOPLE.items()):
        for number in range(count):
            rough = np.random.default_rng((place, number)).integers(0, 256, (8, 8, 3), np.uint8)
            path = folder / name / f"{name}_{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(np.kron(rough, np.ones((8, 8, 1), np.uint8))))
    return folder


def test_a_folder_keeps_its_names_and_the_record_states_how_images_were_reduced(
    bench: Bench, people: Path, tmp_path: Path
) -> None:
    (people / "Ann" / "broken.jpg").write_bytes(b"\xff\xd8\xff junk")
    code, out, err = bench("data", "shrink", people, "--out", tmp_path / "lr", "--sides", "16")
    assert code == 0, err
    assert "24 images" in out and "left out: 1 " in out
    source = read_image(people / "Bob" / "Bob_0001.png")
    assert np.array_equal(read_image(tmp_path / "lr" / "Bob" / "Bob_0001.png"), to_low_resolution(source, 16))
    record = json.loads((tmp_path / "lr" / "shrink.json").read_text())
    assert (record["kernel"], record["sides_px"], record["blur_px"], record["jpeg"]) == ("bicubic", [16, 16], 0, 0)
    assert record["counts"]["images"] == 24 and sum(record["left_out"].values()) == 1


def test_an_image_is_never_enlarged(bench: Bench, people: Path, tmp_path: Path) -> None:
    code, _, err = bench("data", "shrink", people, "--out", tmp_path / "lr", "--sides", "128")
    assert code == 1 and "24 smaller than the LR side (64 < 128 pixels)" in err


def test_a_set_in_the_layout_of_tinyface_is_read_by_its_protocol(bench: Bench, people: Path, tmp_path: Path) -> None:
    (tmp_path / "trained.txt").write_text("Dao\nNobody\n")
    given = ("--layout", "tinyface", "--sides", "12-36", "--exclude", tmp_path / "trained.txt", "--kernel", "area")
    code, out, err = bench("data", "shrink", people, "--out", tmp_path / "set", *given)
    assert code == 0, err
    counts = json.loads((tmp_path / "set" / "shrink.json").read_text())["counts"]
    # Ann 4, Bob 3 and Gil 8 (6 used) are tested; Cem, the third of those with two images, is trained on
    assert counts == {
        "probe": 6, "gallery": 7, "distractor": 2, "test people": 3, "training people": 1, "excluded people": 1,
        "images of excluded people": 5, "images beyond the sixth of a person": 2,
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "set/Training_Set/3").iterdir()) == ["3_1.jpg", "3_2.jpg"]
    sides = {max(read_image(path).shape[:2]) for path in (tmp_path / "set").rglob("*.jpg")}
    assert min(sides) >= 12 and max(sides) <= 36 and len(sides) > 3
    code, out, _ = bench("data", "check", "tinyface", tmp_path / "set", "--json")
    assert code == 4, "usable, and not the official set"
    findings = json.loads(out)["findings"]
    assert {line["level"] for line in findings} <= {"ok", "differs"}
    code, out, err = bench(
        "run", "--protocol", "tinyface", "--data-root", tmp_path / "set", "--out", tmp_path / "run", "--threads", 1
    )
    assert code == 0, err
    assert json.loads((tmp_path / "run/run.json").read_text())["data"]["counts"]["probe"] == 6


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not(bench: Bench, people: Path, tmp_path: Path) -> None:
    def write(name: str, seed: int) -> dict[str, bytes]:
        given = ("--sides", "10-30", "--noise", 5, "--jpeg", 80, "--seed", seed)
        assert bench("data", "shrink", people, "--out", tmp_path / name, *given)[0] == 0
        return {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.png")}

    assert write("a", 1) == write("b", 1) != write("c", 2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("--sides", "36-12"), "the smaller one first"),
        (("--sides", "large"), "as in 12-36"),
        (("--kernel", "lanczos"), "known are bicubic, bilinear, area"),
        (("--jpeg", "100"), "jpeg is 100"),
        (("--box", "0,0,1"), "four shares"),
        (("--box", "0.5,0,0.6,1"), "inside the image"),
        (("--seed", "-1"), "--seed is -1"),
    ],
)
def test_wrong_settings_are_usage_errors(
    bench: Bench, people: Path, tmp_path: Path, given: tuple[str, ...], expected: str
) -> None:
    code, _, err = bench("data", "shrink", people, "--out", tmp_path / "lr", *given)
    assert code == 2 and expected in err and not (tmp_path / "lr").exists()


def test_a_folder_that_has_files_is_not_overwritten(bench: Bench, people: Path) -> None:
    code, _, err = bench("data", "shrink", people, "--out", people)
    assert code == 2 and "not an empty folder" in err


def test_people_without_two_images_make_no_search(bench: Bench, people: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n".join(name for name, count in PEOPLE.items() if count > 1))
    given = ("--layout", "tinyface", "--exclude", tmp_path / "names.txt")
    code, _, err = bench("data", "shrink", people, "--out", tmp_path / "set", *given)
    assert code == 1 and "0 people with two usable images" in err
