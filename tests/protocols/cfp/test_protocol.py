"""The CFP adapter: the official layout, the subject rule, and every way in which a copy can be broken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import encode_png, read_image
from bench.media.crop import cut_out
from bench.studies import VerificationSet
from bench.types import IdentificationSet, Points
from protocols.cfp.files import read_pairs
from protocols.cfp.protocol import Cfp
from protocols.views import detected

POINTS: Points = ((10.0, 12.0), (30.0, 11.0), (20.0, 22.0), (13.0, 31.0), (28.0, 30.0))
FRONTAL, PROFILE, PEOPLE = 3, 2, 4


@pytest.fixture(autouse=True)
def quick_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face wherever the photograph is bright."""
    monkeypatch.setattr(detected, "_engine", lambda detector: "quick")
    monkeypatch.setattr(detected, "_finder", lambda detector: lambda image: POINTS if image.mean() > 20 else None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A CFP of four people, three frontal and two profile photographs each, in two folds."""
    folder = tmp_path / "home" / "cfp-dataset"
    rng = np.random.default_rng(0)
    lists: dict[str, list[str]] = {"frontal": [], "profile": []}
    for person in range(1, PEOPLE + 1):
        for view, count in (("frontal", FRONTAL), ("profile", PROFILE)):
            for number in range(1, count + 1):
                stem = f"{person:03d}/{view}/{number:02d}"
                path = folder / "Data" / "Images" / f"{stem}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode_png(rng.integers(60, 255, (50, 44, 3), np.uint8)))
                points = folder / "Data" / "Fiducials" / f"{stem}.txt"
                points.parent.mkdir(parents=True, exist_ok=True)
                points.write_text("".join(f"{10 + k % 6 * 4:.1f},{20 + k // 6 * 5:.1f}\n" for k in range(30)))
                lists[view].append(f"{len(lists[view]) + 1} ../Data/Images/{stem}.jpg\n")
    protocol = folder / "Protocol"
    protocol.mkdir()
    (protocol / "Pair_list_F.txt").write_text("".join(lists["frontal"]))
    (protocol / "Pair_list_P.txt").write_text("".join(lists["profile"]))
    for fold, (one, two) in enumerate(((1, 2), (3, 4)), 1):
        for name, per in (("FP", PROFILE), ("FF", FRONTAL)):
            split = protocol / "Split" / name / f"{fold:02d}"
            split.mkdir(parents=True)
            a, b, other = (one - 1) * FRONTAL + 1, (one - 1) * per + 2, (two - 1) * per + 1
            (split / "same.txt").write_text(f"{a},{b}\n{a + 1},{b}\n" if name == "FP" else f"{a},{b}\n{a + 2},{b}\n")
            (split / "diff.txt").write_text(f"{a},{other}\n{a + 1},{other + 1}\n")
    return folder


def pairs_of(root: Path, tmp_path: Path, **arguments: object) -> VerificationSet:
    study = Cfp(**arguments).read_with(root, tmp_path / "scratch")  # type: ignore[arg-type]
    assert isinstance(study, VerificationSet)
    return study


def test_a_frontal_face_is_enrolled_and_a_profile_shrunk_and_verified(root: Path, tmp_path: Path) -> None:
    data = pairs_of(root, tmp_path)
    assert data.fold is not None and data.fold.tolist() == [0] * 4 + [1] * 4
    assert data.same.tolist() == [True, True, False, False] * 2
    first = [data.enrolled[place].key for place in data.first]
    second = [data.verified[place].key for place in data.second]
    assert first[:4] == [f"first/001/frontal/0{k}.jpg" for k in (1, 2, 1, 2)]
    assert second[:4] == ["second/001/profile/02.jpg"] * 2 + ["second/002/profile/01.jpg", "second/002/profile/02.jpg"]
    assert first[4] == "first/003/frontal/01.jpg" and second[6] == "second/004/profile/01.jpg"
    assert {media.cut.side for media in data.verified if media.cut} == {16}
    assert {media.cut.side for media in data.enrolled if media.cut} == {None}
    assert data.verified[0].attributes == {"view": "profile"} and data.verified[0].identity == "001"
    assert not data.official and data.notes == (
        "Not the official set: 4 of 500 people; 12 of 5,000 frontal; 8 of 2,000 profile.",
        "Not the official pairs: 8 in 2 folds.",
    )


def test_ff_compares_frontal_faces_of_one_list(root: Path, tmp_path: Path) -> None:
    data = pairs_of(root, tmp_path, pairs="FF")
    assert {media.attributes["view"] for media in (*data.enrolled, *data.verified)} == {"frontal"}
    assert [data.verified[place].key for place in data.second][2] == "second/002/frontal/01.jpg"


def test_profiles_are_searched_among_first_frontal_faces(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "Protocol")  # the lists are not needed
    data = Cfp(task="identification", lr=0).read_with(root, tmp_path / "scratch")
    assert isinstance(data, IdentificationSet)
    assert [media.key for media in data.gallery] == [f"00{k}/frontal/01.jpg" for k in range(1, 5)]
    assert [media.key for media in data.probes[:3]] == [f"00{k}/profile/0{n}.jpg" for k, n in ((1, 1), (1, 2), (2, 1))]
    assert data.probes[0].cut is not None and data.probes[0].cut.side is None


def test_a_profile_without_a_face_is_cut_around_its_fiducial_points(root: Path, tmp_path: Path) -> None:
    """Points from 10, 20 to 30, 40: a square of 20 pixels, a quarter more on each side: 30 from 5, 15."""
    dark = root / "Data" / "Images" / "001" / "profile" / "02.jpg"
    dark.write_bytes(encode_png(np.zeros((50, 44, 3), np.uint8)))
    media = next(item for item in pairs_of(root, tmp_path).verified if item.key == "second/001/profile/02.jpg")
    assert media.cut is not None and media.cut.box == (5.0, 15.0, 30.0, 30.0)
    assert (media.cut.points, media.cut.side, media.landmarks) == (None, 16, None)
    assert cut_out(read_image(dark), media.cut).shape == (16, 16, 3)
    expected = "No face was detected in 1 of 10 photographs: 1 are cropped to a square around their fiducial points."
    assert pairs_of(root, tmp_path).notes[-1] == expected


@pytest.mark.parametrize("content", [None, "1,2\n", "1,2,3\n" * 30, "nan,1\n" * 30, "x,y\n" * 30, "5,5\n" * 30])
def test_without_usable_fiducial_points_it_is_taken_whole(root: Path, tmp_path: Path, content: str | None) -> None:
    dark = root / "Data" / "Images" / "001" / "profile" / "02.jpg"
    dark.write_bytes(encode_png(np.zeros((50, 44, 3), np.uint8)))
    points = root / "Data" / "Fiducials" / "001" / "profile" / "02.txt"
    points.unlink()
    if content is not None:
        points.write_text(content)
    data = pairs_of(root, tmp_path)
    media = next(item for item in data.verified if item.key == "second/001/profile/02.jpg")
    assert media.cut is not None and (media.cut.box, media.cut.side) == (None, 16)
    assert data.notes[-1].endswith("0 are cropped to a square around their fiducial points; 1 are used uncropped.")


def test_absent_and_empty_photographs_stay_and_are_counted(root: Path, tmp_path: Path) -> None:
    (root / "Data" / "Images" / "001" / "profile" / "02.jpg").unlink()
    (root / "Data" / "Images" / "002" / "profile" / "01.jpg").write_bytes(b"")
    data = pairs_of(root, tmp_path)
    assert len(data.same) == 8 and not data.official
    assert "1 of 10 listed photographs are absent." in data.notes


@pytest.mark.parametrize(
    ("name", "before", "after", "why"),
    [
        ("Pair_list_F.txt", None, "", "is empty"),
        ("Pair_list_F.txt", "3 ../", "4 ../", "line 3: number 4, expected 3"),
        ("Pair_list_F.txt", "3 ../Data/Images/001/frontal/03.jpg\n", "3\n", "is not a number and a path"),
        (
            "Pair_list_F.txt",
            "../Data/Images/001/frontal/01.jpg",
            "../../../etc/passwd",
            "is not an image in Data/Images",
        ),
        ("Pair_list_F.txt", "../Data/Images/001/frontal/01.jpg", "/etc/passwd", "is not an image in Data/Images"),
        (
            "Pair_list_F.txt",
            "001/frontal/01.jpg",
            "001/profile/01.jpg",
            "is not an image in Data/Images/<person>/frontal",
        ),
        ("Pair_list_P.txt", "001/profile/01.jpg", "../001/profile/01.jpg", "is not an image in Data/Images"),
        ("Split/FP/01/same.txt", None, "", "same.txt is empty"),
        ("Split/FP/01/same.txt", "1,2", "1;2", "line 1: '1;2' is not two numbers"),
        ("Split/FP/01/same.txt", "1,2", "1,2,3", "is not two numbers"),
        ("Split/FP/01/same.txt", "1,2", "13,2", "13 lies outside its list, which has 12 images"),
        ("Split/FP/01/same.txt", "1,2", "1,0", "0 lies outside its list, which has 8 images"),
        ("Split/FP/01/same.txt", "1,2", "1,3", "001/frontal/01.jpg and 002/profile/01.jpg, two people"),
        ("Split/FP/02/diff.txt", "7,7", "7,5", "003/frontal/01.jpg and 003/profile/01.jpg, one person"),
    ],
)
def test_a_damaged_list_is_refused(root: Path, name: str, before: str | None, after: str, why: str) -> None:
    path = root / "Protocol" / name
    text = path.read_text()
    assert before is None or before in text
    path.write_text(after if before is None else text.replace(before, after, 1))
    with pytest.raises(DataError, match=why):
        read_pairs(root, "FP")
    assert "damaged" in {line.level for line in Cfp().check(root)}


def test_lists_that_are_cut_short_or_absent_are_refused(root: Path) -> None:
    path = root / "Protocol" / "Pair_list_F.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:6]))
    with pytest.raises(DataError, match="7 lies outside its list, which has 6 images"):
        read_pairs(root, "FP")
    path.write_bytes(b"\xff\xfe1")
    with pytest.raises(DataError, match="Pair_list_F.txt is UTF-16; save it as UTF-8"):
        read_pairs(root, "FF")
    path.unlink()
    with pytest.raises(DataError, match="Pair_list_F.txt is absent"):
        Cfp().read(root)
    shutil.rmtree(root / "Protocol" / "Split" / "FP" / "02")


def test_one_fold_alone_is_refused(root: Path) -> None:
    shutil.rmtree(root / "Protocol" / "Split" / "FP" / "02")
    with pytest.raises(DataError, match="holds 1 folds"):
        read_pairs(root, "FP")


def test_links_that_leave_the_root_stop_the_run(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    image = root / "Data" / "Images" / "001" / "frontal" / "01.jpg"
    outside.write_bytes(image.read_bytes())
    image.unlink()
    os.symlink(outside, image)
    with pytest.raises(DataError, match="link that leads out"):
        Cfp().read(root)
    with pytest.raises(DataError, match="link that leads out"):
        read_pairs(root, "FP")
    shutil.move(root / "Data" / "Images" / "002" / "profile", tmp_path / "profile")
    image.unlink()
    os.symlink(tmp_path / "profile", root / "Data" / "Images" / "002" / "profile")
    with pytest.raises(DataError, match="002/profile is a link that leads out"):
        Cfp(task="identification").read(root)


def test_the_folder_itself_or_the_one_around_it_is_found(root: Path, tmp_path: Path) -> None:
    assert Cfp().locate(root) == root == Cfp().locate(root.parent)
    with pytest.raises(DataError, match="Use --data-root"):
        Cfp().locate(root / "Protocol")
    with pytest.raises(MissingError, match="never downloads"):
        Cfp().locate(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="does not hold CFP"):
        Cfp().locate(tmp_path / "empty")


def test_a_search_needs_two_people(root: Path) -> None:
    for person in ("002", "003", "004"):
        shutil.rmtree(root / "Data" / "Images" / person / "frontal")
    with pytest.raises(DataError, match="1 people with a frontal photograph"):
        Cfp(task="identification").read(root)


def test_reading_without_detection_cuts_by_fiducial_points_and_reports_it(root: Path) -> None:
    data = Cfp().read(root)
    assert data.notes[-1].startswith("Faces were not detected")
    assert all(media.cut and media.cut.box for media in data.media["gallery"])


def test_a_size_that_makes_no_lr_face_is_refused() -> None:
    with pytest.raises(UsageError, match="cfp: lr is 4"):
        Cfp(lr=4)


def test_the_check_finds_what_a_run_would_stumble_over(root: Path) -> None:
    lines = {line.subject: line for line in Cfp().check(root)}
    assert {line.level for line in lines.values()} == {"ok", "differs"}
    assert lines["FP pairs of one person"].expected == "3,500" and lines["profile images"].found == "8"
    images = root / "Data" / "Images"
    (images / "001" / "frontal" / "01.jpg").write_bytes(b"")
    shutil.copy(images / "002" / "frontal" / "01.jpg", images / "002" / "profile" / "01.jpg")
    (images / "003" / "profile" / "02.jpg").unlink()
    (root / "Data" / "Fiducials" / "004" / "profile" / "01.txt").write_text("1,2\n")
    (root / "Protocol" / "Split" / "FF" / "02" / "diff.txt").write_text("1,4\n")
    (root / "Protocol" / "Split" / "FF" / "02" / "same.txt").write_text("7,7\n")
    lines = {line.subject: line for line in Cfp().check(root)}
    assert lines["frontal files absent or damaged"].examples == ("Data/Images/001/frontal/01.jpg: file is empty",)
    assert lines["profiles that are frontal images byte for byte"].found.startswith("1")
    assert lines["Pair_list_P.txt: images named but absent"].examples == ("003/profile/02.jpg",)
    assert lines["images without 30 fiducial points"].examples == ("004/profile/01.jpg",)
    assert lines["FF people in two folds"].examples == ("001", "002")
    assert lines["FF images paired with themselves"].examples == ("003/frontal/01.jpg",)
    shutil.rmtree(images)
    assert [line.level for line in Cfp().check(root)] == ["damaged"]


def test_the_level_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "Data/Images/001/front").mkdir(parents=True)
    with pytest.raises(DataError, match=r"Data/Images/001 exists, but holds no folder frontal; it holds front"):
        Cfp().locate(tmp_path)
