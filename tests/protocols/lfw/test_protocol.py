"""The LFW adapter: folders of people, lists of pairs, and every way in which a copy can be broken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import encode_png
from bench.studies import VerificationSet
from bench.types import IdentificationSet, Points
from protocols.base.lfw_pairs import read_pairs
from protocols.lfw.files import locate
from protocols.lfw.protocol import Lfw
from protocols.views import detected

POINTS: Points = ((10.0, 12.0), (30.0, 11.0), (20.0, 22.0), (13.0, 31.0), (28.0, 30.0))
PEOPLE = {"Ann_Bo": 3, "Cy_Dee_Jr": 2, "Eve": 2, "Zoe": 1}
PAIRS = "2\t2\nAnn_Bo\t1\t2\nAnn_Bo\t1\t3\nAnn_Bo\t2\tZoe\t1\nZoe\t1\tAnn_Bo\t3\n" + (
    "Eve\t1\t2\nCy_Dee_Jr\t1\t2\nEve\t1\tCy_Dee_Jr\t2\nCy_Dee_Jr\t1\tEve\t2\n"
)


@pytest.fixture(autouse=True)
def quick_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face wherever the photograph is bright."""
    monkeypatch.setattr(detected, "_engine", lambda detector: "quick")
    monkeypatch.setattr(detected, "_finder", lambda detector: lambda image: POINTS if image.mean() > 20 else None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small LFW with pairs.txt beside the folder of people."""
    folder = tmp_path / "home" / "lfw-deepfunneled"
    rng = np.random.default_rng(0)
    for person, count in PEOPLE.items():
        (folder / person).mkdir(parents=True)
        for number in range(1, count + 1):
            image = rng.integers(60, 255, (50, 50, 3), np.uint8)
            (folder / person / f"{person}_{number:04d}.jpg").write_bytes(encode_png(image))
    (folder.parent / "pairs.txt").write_text(PAIRS)
    return folder


def search(root: Path, tmp_path: Path, **arguments: object) -> IdentificationSet:
    study = Lfw(**arguments).read_with(root, tmp_path / "scratch")  # type: ignore[arg-type]
    assert isinstance(study, IdentificationSet)
    return study


def pairs_of(root: Path, tmp_path: Path, **arguments: object) -> VerificationSet:
    study = Lfw(task="verification", **arguments).read_with(root, tmp_path / "scratch")  # type: ignore[arg-type]
    assert isinstance(study, VerificationSet)
    return study


def test_the_first_people_by_name_with_two_photographs_are_enrolled(root: Path, tmp_path: Path) -> None:
    data = search(root, tmp_path, people=2)
    assert [media.key for media in data.gallery] == ["Ann_Bo/Ann_Bo_0001.jpg", "Cy_Dee_Jr/Cy_Dee_Jr_0001.jpg"]
    assert [media.key for media in data.probes] == ["Ann_Bo/Ann_Bo_0002.jpg", "Cy_Dee_Jr/Cy_Dee_Jr_0002.jpg"]
    assert [media.identity for media in data.probes] == ["Ann_Bo", "Cy_Dee_Jr"]
    assert len(search(root, tmp_path, people=0).probes) == 3
    gallery, probe = data.gallery[0], data.probes[0]
    assert gallery.cut is not None and (gallery.cut.points, gallery.cut.side) == (POINTS, None)
    assert probe.cut is not None and (probe.cut.points, probe.cut.side) == (POINTS, 16)
    assert probe.landmarks is not None and max(x for x, _ in probe.landmarks) < 16
    assert not data.official and data.notes == ("Not the official set: 8 of 13,233 images; 4 of 5,749 people.",)


def test_the_first_photographs_that_are_there_count(root: Path, tmp_path: Path) -> None:
    (root / "Ann_Bo" / "Ann_Bo_0001.jpg").unlink()
    data = search(root, tmp_path)
    assert (data.gallery[0].path.name, data.probes[0].path.name) == ("Ann_Bo_0002.jpg", "Ann_Bo_0003.jpg")


def test_pairs_keep_their_order_their_folds_and_their_sides(root: Path, tmp_path: Path) -> None:
    data = pairs_of(root, tmp_path, lr=32)
    assert data.fold is not None and data.fold.tolist() == [0] * 4 + [1] * 4
    assert data.same.tolist() == [True, True, False, False] * 2
    first = [data.enrolled[place].key for place in data.first]
    second = [data.verified[place].key for place in data.second]
    assert first[:4] == [f"first/{k}.jpg" for k in ("Ann_Bo/Ann_Bo_0001",) * 2 + ("Ann_Bo/Ann_Bo_0002", "Zoe/Zoe_0001")]
    assert second[1:4] == [f"second/{k}.jpg" for k in ("Ann_Bo/Ann_Bo_0003", "Zoe/Zoe_0001", "Ann_Bo/Ann_Bo_0003")]
    assert {media.cut.side for media in data.verified if media.cut} == {32}
    assert {media.cut.side for media in data.enrolled if media.cut} == {None}
    assert data.notes[-1] == "Not the official list: 8 pairs in 2 folds."


def test_view_1_is_two_folds_with_a_note(root: Path, tmp_path: Path) -> None:
    (root / "pairsDevTrain.txt").write_text("1\nEve\t1\t2\nEve\t1\tZoe\t1\n")
    (root / "pairsDevTest.txt").write_text("1\nAnn_Bo\t1\t2\nAnn_Bo\t1\tCy_Dee_Jr\t1\n")
    data = pairs_of(root, tmp_path, view=1)
    assert data.fold is not None and data.fold.tolist() == [0, 0, 1, 1]
    assert "View 1 is for tuning" in data.notes[1]


def test_photographs_without_a_face_absent_or_empty_stay_and_are_counted(root: Path, tmp_path: Path) -> None:
    (root / "Eve" / "Eve_0002.jpg").write_bytes(encode_png(np.zeros((40, 40, 3), np.uint8)))
    (root / "Zoe" / "Zoe_0001.jpg").unlink()
    (root / "Ann_Bo" / "Ann_Bo_0003.jpg").write_bytes(b"")
    data = pairs_of(root, tmp_path)
    assert len(data.same) == 8 and not data.official
    assert "1 of 8 listed photographs are absent: Zoe_0001.jpg..." in data.notes
    assert "No face was detected in 1 of 8 photographs (Eve_0002.jpg...); they are used uncropped." in data.notes
    dark = next(media for media in data.verified if media.key == "second/Eve/Eve_0002.jpg")
    assert dark.landmarks is None and dark.cut is not None and (dark.cut.points, dark.cut.side) == (None, 16)


def test_reading_without_detection_uses_whole_photographs_and_reports_it(root: Path) -> None:
    data = Lfw().read(root)
    assert data.notes[-1].startswith("Faces were not detected")
    assert all(media.landmarks is None for media in data.media["probe"])


def test_the_folder_of_people_is_found_alone_nested_or_in_its_home(root: Path, tmp_path: Path) -> None:
    protocol = Lfw()
    assert protocol.locate(root) == root == protocol.locate(root.parent)
    nested = tmp_path / "nested" / "lfw-deepfunneled" / "lfw-deepfunneled"
    shutil.copytree(root, nested)
    assert protocol.locate(tmp_path / "nested") == nested == protocol.locate(nested.parent)
    shutil.copy(root.parent / "pairs.txt", tmp_path / "nested" / "pairs.txt")
    assert len(pairs_of(nested, tmp_path).same) == 8
    with pytest.raises(DataError, match="--data-root"):
        protocol.locate(root / "Eve")


def test_several_versions_beside_each_other_are_not_chosen_between(root: Path) -> None:
    shutil.copytree(root, root.parent / "lfw_funneled")
    with pytest.raises(DataError, match="several versions of LFW: lfw-deepfunneled, lfw_funneled"):
        Lfw().locate(root.parent)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="never downloads"):
        locate(tmp_path / "nothing", Lfw.how_to_get)
    (tmp_path / "Testing_Set").mkdir()
    with pytest.raises(DataError, match="does not hold LFW"):
        Lfw().locate(tmp_path)


def test_pairs_without_their_list_are_refused_with_what_to_do(root: Path) -> None:
    (root.parent / "pairs.txt").unlink()
    with pytest.raises(MissingError, match="pairs.txt is not in .*task=identification"):
        Lfw(task="verification").read(root)
    assert Lfw().read(root)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (PAIRS, "", "begins with ''"),
        ("2\t2", "two\t2", "begins with 'two 2'"),
        ("2\t2", "2\t2\t2", "begins with"),
        ("2\t2", "0\t2", "begins with"),
        ("2\t2", "3\t2", "has 8 pairs; its first line says 3 x 2 x 2 = 12"),
        ("2\t2", "99999\t2", "impossible"),
        ("Ann_Bo\t1\t2", "Ann_Bo\t1", "line 2: 'Ann_Bo 1' is not name i j"),
        ("Ann_Bo\t1\t2", "Ann_Bo\t1\tEve\t2", "line 2"),
        ("Ann_Bo\t1\t2", "Ann_Bo\t0\t2", "line 2"),
        ("Ann_Bo\t1\t2", "Ann_Bo\t1\t1", "line 2"),
        ("Ann_Bo\t1\t2", "../Eve\t1\t2", "line 2"),
        ("Ann_Bo\t1\t2", "..\t1\t2", "line 2"),
        ("Ann_Bo\t1\t2", "Ann_Bo\t1\t99999", "line 2"),
        ("Ann_Bo\t2\tZoe\t1", "Ann_Bo\t2\tAnn_Bo\t1", "line 4: .* two people"),
        ("Cy_Dee_Jr\t1\tEve\t2\n", "", "has 7 pairs"),
    ],
)
def test_a_damaged_list_is_refused(root: Path, before: str, after: str, why: str) -> None:
    path = root.parent / "pairs.txt"
    path.write_text(PAIRS.replace(before, after, 1))
    with pytest.raises(DataError, match=why):
        read_pairs(path)
    lines = {line.subject: line for line in Lfw(task="verification").check(root)}
    assert lines["pairs.txt"].level == lines["readable for a run"].level == "damaged"
    lines = {line.subject: line for line in Lfw(task="identification").check(root)}
    assert lines["pairs.txt"].level == "differs" and lines["readable for a run"].level == "ok"  # not needed there


def test_a_list_that_is_no_text_is_refused(root: Path) -> None:
    (root.parent / "pairs.txt").write_bytes(b"\x80\x03]q\x00")  # how a pickle begins
    with pytest.raises(DataError, match="pairs.txt is a Python pickle"):
        read_pairs(root.parent / "pairs.txt")


def test_links_that_leave_the_root_stop_the_run(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    shutil.copy(root / "Eve" / "Eve_0001.jpg", other / "Xi_0001.jpg")
    (root / "Xi").symlink_to(other)
    with pytest.raises(DataError, match="folder Xi is a link that leads out"):
        Lfw().read(root)
    (root / "Xi").unlink()
    os.symlink(other / "Xi_0001.jpg", root / "Eve" / "Eve_0003.jpg")
    with pytest.raises(DataError, match="Eve_0003.jpg is a link that leads out"):
        Lfw().read(root)


def test_one_image_in_two_files_is_refused_and_strange_files_are_noted(root: Path) -> None:
    shutil.copy(root / "Eve" / "Eve_0001.jpg", root / "Eve" / "Zoe_0009.jpg")
    assert "1 files are not named after their folder and are left out." in Lfw().read(root).notes
    shutil.copy(root / "Eve" / "Eve_0001.jpg", root / "Eve" / "Eve_0001.png")
    with pytest.raises(DataError, match="Eve has image 1 twice"):
        Lfw().read(root)


def test_a_search_needs_two_people(root: Path) -> None:
    for name in ("Ann_Bo", "Eve"):
        shutil.rmtree(root / name)
    with pytest.raises(DataError, match="1 people have two photographs"):
        Lfw().read(root)


@pytest.mark.parametrize("arguments", [{"people": 1}, {"people": -1}, {"view": 3}, {"lr": 4}])
def test_arguments_out_of_range_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="lfw: "):
        Lfw(**arguments)  # type: ignore[arg-type]


def test_the_check_finds_what_a_run_would_stumble_over(root: Path) -> None:
    lines = {line.subject: line for line in Lfw().check(root)}
    assert {line.level for line in lines.values()} == {"ok", "differs"}
    assert lines["images"].found == "8" and lines["pairs.txt: pairs"].expected == "6,000"
    assert lines["pairsDevTrain.txt"].found == "absent"
    (root / "Eve" / "Eve_0001.jpg").write_bytes(b"")
    (root / "Zoe" / "Zoe_0001.jpg").unlink()
    shutil.copy(root / "Ann_Bo" / "Ann_Bo_0001.jpg", root / "Ann_Bo" / "Ann_Bo_0002.jpg")
    (root.parent / "pairs.txt").write_text(PAIRS.replace("Eve\t1\tCy_Dee_Jr\t2", "Eve\t1\tAnn_Bo\t2"))
    lines = {line.subject: line for line in Lfw().check(root)}
    assert lines["gallery files absent or damaged"].examples == ("Eve/Eve_0001.jpg: file is empty",)
    assert lines["pairs.txt: images named but absent"].examples == ("Zoe 1",)
    assert lines["probes that are gallery images byte for byte"].found.startswith("1")
    assert lines["pairs.txt: people in two folds"].examples == ("Ann_Bo",)
    shutil.rmtree(root)
    root.mkdir()
    assert [line.level for line in Lfw().check(root)] == ["damaged"]


def test_view_1_with_people_on_both_sides_is_reported(root: Path) -> None:
    (root / "pairsDevTrain.txt").write_text("1\nEve\t1\t2\nEve\t1\tZoe\t1\n")
    (root / "pairsDevTest.txt").write_text("1\nAnn_Bo\t1\t2\nAnn_Bo\t1\tZoe\t1\n")
    lines = {line.subject: line for line in Lfw().check(root)}
    assert lines["people in both lists of View 1"].examples == ("Zoe",)
    assert lines["pairsDevTest.txt: pairs"].expected == "1,000"


def test_files_named_otherwise_are_named_not_the_folders_that_are_right(tmp_path: Path) -> None:
    (tmp_path / "lfw/Ann_Bee").mkdir(parents=True)
    (tmp_path / "lfw/Ann_Bee/Ann_Bee_0001_0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"the file Ann_Bee/Ann_Bee_0001_0\.png is not named like Ann_Bee_0001\.png"):
        Lfw().locate(tmp_path / "lfw")


def test_a_file_given_as_data_root_is_reported_to_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "lfw.bin").write_bytes(b"\x80\x04]q\x00")
    with pytest.raises(DataError, match=r"lfw\.bin is a file \(a Python pickle\); expected the unpacked folder"):
        Lfw().locate(tmp_path / "lfw.bin")


def test_of_a_path_that_is_not_there_the_last_folder_that_is_gets_named(tmp_path: Path) -> None:
    (tmp_path / "data/lfw").mkdir(parents=True)
    with pytest.raises(MissingError, match=r"No folder \S+data/lwf\. \S+data exists and holds lfw\."):
        Lfw().locate(tmp_path / "data/lwf")
