"""Multi-PIE: who is compared with whom, on a tree of the official names; every way in which a copy can be odd."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import encode_png
from bench.types import IdentificationSet, Points
from protocols.multipie import landmarks
from protocols.multipie.check import read_subject_list
from protocols.multipie.files import scan
from protocols.multipie.protocol import MultiPie
from protocols.multipie.tables import BEST_FLASH, CAMERAS, EXPRESSIONS, KNOWN_BAD, PEOPLE, SURVEILLANCE

ALL = (*CAMERAS, *SURVEILLANCE)
FACE: Points = ((140.0, 100.0), (180.0, 100.0), (160.0, 125.0), (145.0, 148.0), (175.0, 148.0))


def place(root: Path, subject: int, session: int, recording: int, camera: str, shot: int) -> Path:
    stem = f"{subject:03d}_{session:02d}_{recording:02d}"
    folder = root / f"data/session{session:02d}/multiview/{subject:03d}/{recording:02d}/{camera}"
    return folder / f"{stem}_{camera.replace('_', '')}_{shot:02d}.png"


def grow(
    root: Path,
    subject: int,
    takes: Sequence[tuple[int, int]],
    *,
    cameras: Sequence[str] = tuple(CAMERAS),
    shots: Sequence[int] = (0, 7),
) -> None:
    """Write images of one grey each, no two alike."""
    for session, recording in takes:
        for camera in cameras:
            for shot in shots:
                path = place(root, subject, session, recording, camera, shot)
                path.parent.mkdir(parents=True, exist_ok=True)
                number = ((subject * 4 + session - 1) * 4 + recording) * 512 + sorted(ALL).index(camera) * 32 + shot
                image = np.full((24, 32, 3), 90, np.uint8)
                image[0, 0] = [number % 256, number // 256 % 256, number // 65536]
                path.write_bytes(encode_png(image))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five subjects: 001 (training), 160 and 201 and 202 from session 1 on, 251 who came later."""
    root = tmp_path_factory.mktemp("multipie")
    grow(root, 1, [(1, 1), (1, 2)])
    grow(root, 160, [(1, 1), (2, 1)])
    grow(root, 201, [(1, 1), (1, 2), (2, 1), (4, 1), (4, 2), (4, 3)], cameras=ALL)
    grow(root, 202, [(1, 1), (3, 1), (3, 3)])
    grow(root, 251, [(2, 1), (3, 1)])
    listed = {1: "1 0 0 0", 160: "1 1 0 0", 201: "1 1 0 1", 202: "1 0 1 0", 251: "0 1 1 0"}
    (root / "meta").mkdir()
    lines = "".join(f"{subject:03d} 1980 Male {flags}\n" for subject, flags in listed.items())
    (root / "meta/subject_list.txt").write_text(lines)
    return root


@pytest.fixture
def pie(planted: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(planted, tmp_path / "multipie"))


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A face engine that gives the same face in every image; the list of its calls."""
    requested: list[str] = []

    def landmarker() -> Callable[[object], Points]:
        def find(image: object) -> Points:
            requested.append("image")
            return FACE

        return find

    monkeypatch.setattr(landmarks, "_landmarker", landmarker)
    monkeypatch.setattr(landmarks, "_engine", lambda: "stub")
    return requested


def enrolled(data: IdentificationSet) -> dict[str | None, str]:
    return {media.identity: media.key for media in data.gallery}


def test_setting_2_tests_subjects_above_200_on_neutral_recordings_of_all_sessions(planted: Path) -> None:
    data = MultiPie(setting="2").read(planted)
    assert enrolled(data) == {
        "201": "201_01_01_051_07", "202": "202_01_01_051_07", "251": "251_02_01_051_07",
    }  # fmt: skip
    takes = Counter(
        (media.identity, media.attributes["session"], media.attributes["recording"]) for media in data.probes
    )
    assert set(takes) == {
        ("201", "1", "1"), ("201", "2", "1"), ("201", "4", "1"), ("201", "4", "2"),
        ("202", "1", "1"), ("202", "3", "1"), ("251", "2", "1"), ("251", "3", "1"),
    }  # fmt: skip
    assert set(takes.values()) == {12 * 2}  # twelve cameras, two shots
    assert all(media.attributes["expression"] == "neutral" for media in data.probes)
    assert not data.official and "setting 2 has 137 subjects" in data.notes[0]


def test_setting_1_tests_subjects_above_150_of_session_1(planted: Path) -> None:
    data = MultiPie(setting="1").read(planted)
    assert set(enrolled(data)) == {"160", "201", "202"}
    assert {media.attributes["session"] for media in data.probes} == {"1"}


def test_pose_sweeps_leave_out_the_frontal_camera_and_those_above(planted: Path) -> None:
    data = MultiPie(setting="2").read(planted)
    yaws = {str(media.attributes["camera"]): media.attributes["yaw_deg"] for media in data.probes}
    assert yaws == {camera: float(yaw) for camera, yaw in CAMERAS.items() if yaw}
    assert sorted(yaws.values()) == [-90, -75, -60, -45, -30, -15, 15, 30, 45, 60, 75, 90]
    assert yaws["11_0"] == -90 and yaws["24_0"] == 90 and yaws["05_0"] == 15


def test_a_frontal_probe_is_never_the_gallery_image(planted: Path) -> None:
    data = MultiPie(setting="2", cameras=("05_1", "05_0")).read(planted)
    keys = {media.key for media in data.probes}
    assert "201_01_01_051_00" in keys and not keys & set(enrolled(data).values())


def test_the_paper_draws_100_probes_a_person_with_every_camera_as_often(tmp_path: Path) -> None:
    grow(tmp_path, 201, [(1, 1), (2, 1)], shots=range(20))
    grow(tmp_path, 202, [(1, 1)], shots=range(20))
    data = MultiPie().read(tmp_path)
    assert Counter(media.identity for media in data.probes) == {"201": 100, "202": 100}
    for person in ("201", "202"):
        often = Counter(media.attributes["camera"] for media in data.probes if media.identity == person)
        assert sorted(often.values()) == [8] * 8 + [9] * 4  # 100 = 12 x 8 + 4
    assert len({media.attributes["shot"] for media in data.probes}) == 20
    assert any("201 202" in note and "seed 0" in note for note in data.notes)


def test_fifty_people_and_5000_probes_are_the_published_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, "paper", 2)
    for subject in (201, 202, 203):
        grow(tmp_path, subject, [(1, 1)], shots=range(20))
    data = MultiPie().read(tmp_path)
    assert data.official and len(data.gallery) == 2 and len(data.probes) == 200
    assert not MultiPie(cameras=("05_0",)).read(tmp_path).official
    assert not MultiPie(exclude_known_bad=True).read(tmp_path).official


def test_a_draw_depends_on_the_seed_and_on_nothing_that_is_not_drawn(planted: Path, pie: Path) -> None:
    protocol = MultiPie(seed=4)
    before = [media.key for media in protocol.read(planted).probes]
    assert before == [media.key for media in MultiPie(seed=4).read(planted).probes] == sorted(before)
    shutil.rmtree(pie / "data/session03/multiview/251")
    shutil.rmtree(pie / "data/session02/multiview/251")
    after = [media.key for media in protocol.read(pie).probes]
    assert after == [key for key in before if not key.startswith("251")]


def test_seeds_draw_different_probes(tmp_path: Path) -> None:
    grow(tmp_path, 201, [(1, 1)], shots=range(20))
    grow(tmp_path, 202, [(1, 1)], cameras=("05_1",), shots=[7])
    first, second = ({m.key for m in MultiPie(seed=seed).read(tmp_path).probes} for seed in (0, 1))
    assert len(first) == len(second) == 100 and first != second


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({}, "201_01_01_051_07"),
        ({"gallery_flash": 0}, "201_01_01_051_00"),
        ({"gallery_session": "latest"}, "201_04_01_051_07"),
    ],
)
def test_the_gallery_image_is_chosen_by_flash_and_session(
    planted: Path, arguments: dict[str, object], key: str
) -> None:
    assert enrolled(MultiPie(setting="2", **arguments).read(planted))["201"] == key  # type: ignore[arg-type]


def test_who_lacks_a_gallery_image_is_left_out_and_reported(pie: Path) -> None:
    place(pie, 202, 1, 1, "05_1", 7).unlink()
    assert enrolled(MultiPie(setting="2").read(pie))["202"] == "202_03_01_051_07"
    place(pie, 202, 3, 1, "05_1", 7).unlink()
    data = MultiPie(setting="2").read(pie)
    assert "202" not in {media.identity for media in (*data.gallery, *data.probes)}
    assert any(note.startswith("1 subjects have no frontal, neutral image of shot 07") for note in data.notes)


def test_no_gallery_at_all_is_an_error_that_names_the_way_out(planted: Path) -> None:
    with pytest.raises(DataError, match="gallery_flash=N"):
        MultiPie(gallery_flash=6).read(planted)


def test_one_subject_alone_is_no_search(tmp_path: Path) -> None:
    grow(tmp_path, 201, [(1, 1)])
    grow(tmp_path, 202, [(1, 1)], cameras=("04_1",))
    with pytest.raises(
        DataError, match="One subject can be enrolled; a search needs two or more.*1 subjects have no frontal"
    ):
        MultiPie().read(tmp_path)


def test_no_probe_at_all_is_an_error(tmp_path: Path) -> None:
    for subject in (201, 202):
        grow(tmp_path, subject, [(1, 1)], cameras=("05_1",))
    with pytest.raises(DataError, match="no image in the cameras 05_0"):
        MultiPie(cameras=("05_0",)).read(tmp_path)


def test_known_bad_subjects_are_left_out_when_requested(tmp_path: Path) -> None:
    assert 209 in KNOWN_BAD
    for subject in (201, 202, 209):
        grow(tmp_path, subject, [(1, 1)])
    assert set(enrolled(MultiPie(setting="2").read(tmp_path))) == {"201", "202", "209"}
    assert set(enrolled(MultiPie(setting="2", exclude_known_bad=True).read(tmp_path))) == {"201", "202"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cameras": ("19_1",)}, "look down from above"),
        ({"cameras": ("10_0",)}, "no cameras 10_0"),
        ({"gallery_flash": 20}, "from 0 to 19"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MultiPie(**arguments)  # type: ignore[arg-type]


def test_files_out_of_their_place_are_left_out_and_counted(pie: Path, tmp_path: Path) -> None:
    good = place(pie, 201, 1, 1, "05_0", 7)
    shutil.copy(good, good.with_name("201_01_01_051_07.png"))  # file camera is not the folder's
    shutil.copy(good, good.with_name("202_01_01_050_07.png"))  # another subject
    shutil.copy(good, good.with_name("201_01_01_050_20.png"))
    shutil.copy(good, good.with_name("201_01_01_050_07.jpg"))
    shutil.copy(good, good.with_name("portrait.png"))
    (good.parent / "Thumbs.db").write_bytes(b"no image")
    (good.parent / ".hidden.png").write_bytes(b"")
    shutil.copytree(good.parent, good.parent.parent / "10_0")
    shutil.copytree(good.parent.parent, good.parent.parent.parent / "03")  # session 1 has two recordings
    (pie / "data/session01/multiview/x01").mkdir()
    outside = tmp_path / "outside.png"
    shutil.copy(good, outside)
    os.symlink(outside, good.with_name("201_01_01_050_03.png"))
    before = len(scan(pie).shots)
    assert {fault: len(names) for fault, names in scan(pie).faults.items()} == {
        "cameras that are not among the 15": 1,
        "recordings that the table of sessions lacks": 1,
        "folders that are not a subject": 1,
        "images of other names": 1,
        "images whose name gives another camera than theirs": 1,
        "images whose name gives another folder than theirs": 1,
        "second files of a shot": 1,
        "shots that are not 00 to 19": 1,
        "links out of the data root": 1,
    }
    data = MultiPie(setting="2").read(pie)
    assert before == len(scan(pie).shots) and len(data.probes) == 8 * 24
    assert "Left out: 1 shots that are not 00 to 19." in data.notes
    assert "Left out: 1 cameras that are not among the 15." in data.notes


def test_the_folder_is_found_and_a_wrong_one_is_named(planted: Path, tmp_path: Path) -> None:
    assert MultiPie().locate(planted) == planted
    (tmp_path / "data").mkdir()
    os.symlink(planted, tmp_path / "Multi-PIE")
    assert MultiPie().locate(tmp_path) == tmp_path / "Multi-PIE"
    with pytest.raises(DataError, match=f"Use --data-root {planted} instead"):
        MultiPie().locate(planted / "data")
    with pytest.raises(DataError, match="found nothing"):
        MultiPie().locate(tmp_path / "data")
    with pytest.raises(MissingError, match=r"multipie\.org"):
        MultiPie().locate(tmp_path / "absent")


def test_probes_are_small_and_the_gallery_is_not(planted: Path, tmp_path: Path, everywhere: list[str]) -> None:
    data = MultiPie(setting="2").read_with(planted, tmp_path / "scratch")
    cuts = [media.cut for media in data.probes]
    assert {cut.side for cut in cuts if cut} == {16} and all(cut and cut.points == FACE for cut in cuts)
    gallery = [media.cut for media in data.gallery]
    assert {cut.side for cut in gallery if cut} == {None}
    assert all(cut and cut.face and (cut.face.width, cut.face.height) == (128, 128) for cut in gallery)
    full = MultiPie(setting="2", lr=0).read_with(planted, tmp_path / "scratch")
    assert {media.cut.side for media in full.probes if media.cut} == {None}
    assert {media.attributes["crop"] for media in data.probes} == {"points"}


def test_one_look_serves_a_take_and_is_kept(planted: Path, tmp_path: Path, everywhere: list[str]) -> None:
    protocol, messages = MultiPie(setting="2"), []
    data = protocol.read_with(planted, tmp_path / "scratch", lambda done, total: messages.append((done, total)))
    takes = {media.key[:14] for media in (*data.probes, *data.gallery)}
    assert len(everywhere) == len(takes) == 8 * 12 + 3 and messages[-1] == (len(takes), len(takes))
    assert protocol.read_with(planted, tmp_path / "scratch") == data and len(everywhere) == len(takes)
    assert [path.suffix for path in (tmp_path / "scratch").iterdir()] == [".json"]


def test_the_check_finds_what_is_wrong_and_never_raises(pie: Path) -> None:
    lines = {line.subject: line for line in MultiPie(setting="2").check(pie)}
    assert lines["subjects"].found == "5" and lines["subjects"].level == "differs"
    assert lines["cameras"].level == "ok" and lines["readable for a run"].level == "ok"
    assert lines["subjects whose images are of other sessions than listed"].level == "ok"
    assert lines["probe files absent or damaged"].level == "ok"
    probe, gallery = place(pie, 201, 1, 1, "05_0", 7), place(pie, 201, 1, 1, "05_1", 7)
    probe.write_bytes(b"\x89PNG")
    shutil.copy(gallery, place(pie, 202, 1, 1, "04_1", 7))
    (pie / "meta/subject_list.txt").write_text("201 1980 Male 1 1 1 1\n300 1980 Male 1 0 0 0\nrubbish\n")
    lines = {line.subject: line for line in MultiPie(setting="2").check(pie)}
    assert "201_01_01_050_07" in lines["probe files absent or damaged"].examples[0]
    assert "202_01_01_041_07.png = " in lines["probe images that are gallery images"].examples[0]
    assert lines["listed subjects without images"].examples == ("300",)
    assert lines["subjects whose images are of other sessions than listed"].examples == ("201",)
    (pie / "meta/subject_list.txt").unlink()
    shutil.rmtree(pie / "data/session01/multiview/201/01/05_1")
    shutil.rmtree(pie / "data/session02")
    shutil.rmtree(pie / "data/session03")
    shutil.rmtree(pie / "data/session04")
    shutil.rmtree(pie / "data/session01/multiview/202")
    lines = {line.subject: line for line in MultiPie(setting="2").check(pie)}
    assert lines["meta/subject_list.txt"].found.startswith("absent")
    assert lines["readable for a run"].level == "damaged"


def test_points_of_the_user_that_a_run_would_not_use_are_named_by_the_check(pie: Path) -> None:
    subject = "files of points (.5pt) that are not used"
    assert subject not in {line.subject for line in MultiPie(setting="2").check(pie)}
    (pie / "5pt").mkdir()
    (pie / "5pt/201_01_01_050.5pt").write_text("1 2\n")
    (line,) = (line for line in MultiPie(setting="2").check(pie) if line.subject == subject)
    assert (line.level, line.examples) == ("differs", ("201_01_01_050.5pt: not five points",))


def test_the_subject_list_has_seven_fields(planted: Path, tmp_path: Path) -> None:
    result, odd = read_subject_list(planted / "meta/subject_list.txt")
    assert result[201] == {1, 2, 4} and not odd
    with pytest.raises(DataError, match="absent"):
        read_subject_list(tmp_path / "none")


def test_the_tables_agree_with_each_other() -> None:
    assert set(BEST_FLASH) == set(CAMERAS) and len(CAMERAS) == 13
    assert len(EXPRESSIONS) == 11 and sum(word == "neutral" for word in EXPRESSIONS.values()) == 5
    assert sorted(CAMERAS.values()) == list(range(-90, 91, 15))
