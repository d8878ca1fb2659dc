"""Where media come from when a release does not say, loose crops and their parallel lists, and how faces are framed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112
from bench.errors import DataError
from bench.pipeline.reader import open_media
from bench.types import IdentificationSet
from protocols.ijbc.media import squares_of
from protocols.ijbc.official_lists import medium_by_name
from protocols.ijbc.protocol import IjbC

Copy = Callable[[str], Path]
Edit = Callable[[Path, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]
MEDIA, POINTS = "meta/ijbc_face_tid_mid.txt", "meta/ijbc_name_5pts_score.txt"


def read(root: Path, **arguments: Any) -> IdentificationSet:
    result = IjbC(**arguments).read(root)
    assert isinstance(result, IdentificationSet)
    return result


def change(path: Path, how: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(line + "\n" for line in how(path.read_text().splitlines())))


@pytest.mark.parametrize(
    ("filename", "medium"),
    [
        ("img/12.jpg", "img/12.jpg"),
        ("img/12_3.jpg", "img/12_3.jpg"),
        ("frames/12.png", "frames/12.png"),
        ("frames/771_12.png", "frames/771"),
        ("frames/a_b_12.png", "frames/a_b"),
        ("frames/771_x.png", "frames/771_x.png"),
        ("frames/771/12.png", "frames/771"),
        ("12.jpg", "12.jpg"),
    ],
)
def test_the_medium_is_derived_from_the_path(filename: str, medium: str) -> None:
    assert medium_by_name(filename) == medium


def test_without_metadata_paths_decide_and_it_is_reported(copy: Copy) -> None:
    root = copy("B")
    (root / "protocols/ijbc_metadata_with_age.csv").unlink()
    data = read(root)
    assert all(m.medium == m.path.relative_to(root / "images").as_posix() for m in data.probes)
    assert "ijbc_metadata_with_age.csv is missing, so the videos of frames are unknown." in data.notes
    every = len(data.gallery) + len(data.probes)
    assert any(note.startswith(f"The medium (SIGHTING_ID) of {every} of {every} rows") for note in data.notes)


def test_rows_that_the_metadata_do_not_name_are_counted(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    metadata = root / "protocols/ijbc_metadata_with_age.csv"
    edit(metadata, lambda rows: [{**rows[0], "SUBJECT_ID": ""}, {**rows[1], "SIGHTING_ID": "NaN"}, *rows[2:]])
    assert any("SIGHTING_ID) of 2 of " in note for note in read(root).notes)


def test_an_image_of_two_people_has_the_medium_of_each(drawn_ijbc: dict[str, Path]) -> None:
    data = read(drawn_ijbc["B"])
    media: dict[Path, dict[str, str]] = {}
    for item in (*data.gallery, *data.probes):
        media.setdefault(item.path, {})[str(item.identity)] = item.medium
    shared = [files for files in media.values() if len(files) == 2]
    assert shared and all(len(set(files.values())) == 2 for files in shared)


def test_where_the_metadata_disagree_the_box_decides(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    probe = read(root).probes[0]
    name = probe.path.relative_to(root / "images").as_posix()

    def doubled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        row_of_probe = next(r for r in rows if r["FILENAME"] == name and r["SUBJECT_ID"] == probe.identity)
        return [{**row_of_probe, "SIGHTING_ID": "777", "FACE_X": "0"}, *rows]

    edit(root / "protocols/ijbc_metadata_with_age.csv", doubled)
    data = read(root)
    assert data.probes[0].medium == probe.medium
    assert any("give 1 images of a person several media; the box decides" in note for note in data.notes)


def test_an_empty_sighting_of_release_a_falls_back_to_the_path(copy: Copy, edit: Edit) -> None:
    root = copy("A")
    path = root / "protocols/ijbc_1N_probe_mixed.csv"
    edit(path, lambda rows: [{**rows[0], "SIGHTING_ID": ""}, {**rows[1], "SIGHTING_ID": "7.0"}, *rows[2:]])
    data = read(root)
    assert data.probes[0].medium.startswith("img/") and data.probes[1].medium == "7"
    assert any("SIGHTING_ID) of 1 of " in note for note in data.notes)


def test_a_template_without_a_crop_is_a_failure_that_counts(copy: Copy) -> None:
    root = copy("C")
    before = read(root)
    lost = before.probes[0].template
    removed_lines = [i for i, line in enumerate((root / MEDIA).read_text().splitlines()) if line.split()[1] == lost]
    for file in (MEDIA, POINTS):
        change(root / file, lambda lines: [line for i, line in enumerate(lines) if i not in removed_lines])
    data = read(root)
    assert {m.template for m in data.probes} == {m.template for m in before.probes}
    template_media = [m for m in data.probes if m.template == lost]
    assert len(template_media) == 1 and template_media[0].identity == before.probes[0].identity
    with pytest.raises(DataError, match="file not found"):
        open_media(template_media[0])
    assert f"1 templates are listed without an image: {lost}; each counts as a failure." in data.notes
    assert not any("absent" in note for note in data.notes)


def test_crops_of_templates_in_no_list_are_left_out_and_reported(copy: Copy) -> None:
    root = copy("C")
    change(root / MEDIA, lambda lines: [*lines[:-1], lines[-1].replace(f" {lines[-1].split()[1]} ", " 9999 ")])
    assert any(note.startswith("1 templates of ijbc_face_tid_mid.txt are in no 1:N list") for note in read(root).notes)


def test_lists_in_different_orders_are_matched_by_name(copy: Copy) -> None:
    root = copy("C")
    before = read(root, crop="whole", lr=None)
    change(root / POINTS, lambda lines: lines[::-1][:-1])
    data = read(root, crop="whole", lr=None)
    marks = {m.key: m.landmarks for m in (*data.gallery, *data.probes)}
    first = before.gallery[0].key  # crop 1, whose points are gone
    for item in (*before.gallery, *before.probes):
        assert marks[item.key] == (None if item.key == first else item.landmarks)
    assert any("were matched by name; 1 crops are not in the second" in note for note in data.notes)
    assert not any("without points" in note for note in data.notes)  # whole crops do without
    cut = read(root).notes
    assert any("1 of " in note and "rows are without points; their images count as failures" in note for note in cut)


def test_points_that_are_missing_make_a_counted_failure(copy: Copy) -> None:
    root = copy("C")
    change(root / POINTS, lambda lines: ["1.jpg " + " ".join(["nan"] * 10) + " 0.1", *lines[1:]])
    data = read(root)
    with pytest.raises(DataError, match="box without a size"):
        open_media(data.gallery[0])


def test_without_points_only_whole_crops_can_be_read(copy: Copy) -> None:
    root = copy("C")
    (root / POINTS).unlink()
    with pytest.raises(DataError, match="crop=whole,lr=none uses loose crops unchanged"):
        read(root)
    data = read(root, crop="whole", lr=None)
    assert all(m.landmarks is None and m.cut is None for m in data.probes)
    with pytest.raises(DataError, match="5pts_score.txt"):
        read(root, crop="whole", lr=None, detector_score=True)


def test_the_variant_list_of_points_serves_where_the_usual_one_lacks(copy: Copy) -> None:
    root = copy("C")
    before = read(root).probes
    (root / POINTS).rename(root / "meta/ijbc_name_5pts_score_retina.txt")
    data = read(root)
    assert data.probes == before
    assert "ijbc_name_5pts_score.txt is missing; ijbc_name_5pts_score_retina.txt was used." in data.notes


@pytest.mark.parametrize(
    ("file", "line", "text"),
    [
        (MEDIA, "1.jpg 1", "has 2 columns"),
        (MEDIA, "1.jpg x 2", "template of .* rows is not a whole number"),
        (MEDIA, "../1.jpg 1 2", "could lead outside"),
        (POINTS, "1.jpg 1 2 3", "has 4 columns"),
    ],
)
def test_damaged_lists_of_crops_are_named(copy: Copy, file: str, line: str, text: str) -> None:
    root = copy("C")
    (root / file).write_text(line + "\n")
    with pytest.raises(DataError, match=text):
        read(root)


def test_a_list_of_templates_may_lack_its_header_and_have_two_columns(copy: Copy) -> None:
    root = copy("C")
    before = read(root)
    for name in ("gallery_G1", "gallery_G2", "probe_mixed"):
        change(
            root / f"meta/ijbc_1N_{name}.csv",
            lambda lines: [",".join(line.split(",")[:2]) for line in lines[1:]],
        )
    assert read(root) == before


@pytest.mark.parametrize("cell", ["x", "1x", "", "nan"])
def test_a_damaged_first_template_is_no_header_that_may_be_left_out(copy: Copy, cell: str) -> None:
    root = copy("C")
    path = root / "meta/ijbc_1N_probe_mixed.csv"
    change(path, lambda lines: [",".join([cell, *lines[1].split(",")[1:]]), *lines[2:]])
    with pytest.raises(DataError, match="TEMPLATE_ID of 1 of .* the first is row 1,"):
        read(root)


def test_the_detector_score_weighs_if_requested(drawn_ijbc: dict[str, Path]) -> None:
    scores = [float(line.split()[11]) for line in (drawn_ijbc["C"] / POINTS).read_text().splitlines()]
    data = read(drawn_ijbc["C"], detector_score=True)
    assert {m.path.name: m.attributes["score"] for m in (*data.gallery, *data.probes)} == pytest.approx(
        {f"{i}.jpg": score for i, score in enumerate(scores, start=1)}
    )
    assert IjbC(detector_score=True).score_weighted
    assert "score" not in read(drawn_ijbc["C"]).probes[0].attributes


@pytest.mark.parametrize("score", ["nan", "-0.5", "x", "inf"])
def test_a_score_that_cannot_weigh_is_refused_before_the_work(copy: Copy, score: str) -> None:
    root = copy("C")
    change(root / POINTS, lambda lines: [" ".join([*lines[0].split()[:11], score]), *lines[1:]])
    with pytest.raises(DataError, match="1 images have no detector score from 0"):
        read(root, detector_score=True)
    assert read(root).gallery  # not needed there


def test_a_face_on_the_usual_chip_is_framed_by_the_chip() -> None:
    points = np.array([ARCFACE_112.points])
    x, y, width, height = squares_of(points, 0.0)[0]
    assert width == height == pytest.approx(112, rel=0.01)
    assert (x, y) == pytest.approx((0, 0), abs=1)
    assert squares_of(3 * points + 50, 0.0)[0] == pytest.approx([50 + 3 * x, 50 + 3 * y, 336, 336], abs=3)
    assert squares_of(points, 0.25)[0][2] == pytest.approx(1.5 * width)


def test_a_head_that_turns_or_nods_keeps_its_square() -> None:
    points = np.array([ARCFACE_112.points])
    side = squares_of(points, 0.0)[0][2]
    turned, nodding = points.copy(), points.copy()
    turned[..., 0] = 56 + (points[..., 0] - 56) * 0.2
    nodding[..., 1] = 72 + (points[..., 1] - 72) * 0.5
    for seen in (turned, nodding):
        assert squares_of(seen, 0.0)[0][2] == pytest.approx(side, rel=0.01)


def test_landmarks_follow_the_face_into_its_cut(drawn_ijbc: dict[str, Path]) -> None:
    """A mark painted at the eye of a loose crop is found where the landmark of the cut face says."""
    whole = read(drawn_ijbc["C"], crop="whole", lr=None).probes[2]
    for lr in (None, 32):
        item = read(drawn_ijbc["C"], lr=lr).probes[2]
        assert item.cut and item.cut.box and item.landmarks and whole.landmarks
        left, top = round(item.cut.box[0]), round(item.cut.box[1])
        size = round(item.cut.box[0] + item.cut.box[2]) - left
        marked = np.zeros((size, size))
        x, y = (round(v) for v in whole.landmarks[0])
        marked[y - top, x - left] = 1.0
        rows, columns = np.nonzero(marked)
        scale = (lr or size) / size
        centre = ((columns[0] + 0.5) * scale - 0.5, (rows[0] + 0.5) * scale - 0.5)
        assert item.landmarks[0] == pytest.approx(centre, abs=0.51 * scale)
        height, width, _ = open_media(item).shape
        assert height == width == (lr or size)


def test_a_wider_margin_shows_more_in_every_release(drawn_ijbc: dict[str, Path]) -> None:
    for root in drawn_ijbc.values():
        tight, wide = (read(root, margin=margin).gallery[0].cut for margin in (0.0, 0.5))
        assert tight and wide and tight.box and wide.box
        assert wide.box[2] == pytest.approx(2 * tight.box[2], abs=2)
        assert wide.box[0] == pytest.approx(tight.box[0] - tight.box[2] / 2, abs=1)
