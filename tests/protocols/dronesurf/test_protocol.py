"""DroneSURF: who is searched, frame by frame or video by video; coordinate files and copies that are odd."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import ByteImages, encode_png
from bench.pipeline.reader import open_media
from bench.pipeline.templates import fuse
from bench.types import OK, IdentificationSet, Points
from protocols.dronesurf.boxes import portrait_box
from protocols.dronesurf.files import scan, scenario_of
from protocols.dronesurf.protocol import DroneSurf
from protocols.dronesurf.split import draw_test, frame_base
from protocols.sample.video import write_mp4
from protocols.views import detected

ACTIVE, PASSIVE = "ActiveTracking/Morning/Location1", "PassiveActivity/Evening/Location2"
FRAMES = 6


def film(path: Path, frames: int = FRAMES) -> None:
    """Frames whose left half brightens by 30 each."""
    images = []
    for number in range(frames):
        image: ByteImages = np.full((48, 64, 3), 20, np.uint8)
        image[:, :32] = 40 + 30 * number
        images.append(image)
    write_mp4(path, images, per_second=24)


def track(root: Path, folder: str, video: str, subject: int, lines: Iterable[str]) -> Path:
    path = root / folder / video / f"Person{subject}" / "coordinates.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def lines(first: int = 1, frames: int = FRAMES, box: Sequence[int] = (4, 6, 14, 22)) -> list[str]:
    return [f"Frame{first + n}, ({box[0]}, {box[1]}) ({box[2]}, {box[3]})" for n in range(frames)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Subjects 1 and 2 in training, 3 and 4 in the test: each in an active video, 3 and 4 in a passive one together."""
    root = tmp_path_factory.mktemp("dronesurf")
    for subject in range(1, 5):
        for number in range(1, 5):
            path = root / f"HR Gallery/{subject}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_png(np.full((60, 50, 3), 40 * subject + number, np.uint8)))
        film(root / ACTIVE / str(subject) / f"video{subject}.mp4")
        track(root, f"{ACTIVE}/{subject}", f"video{subject}", subject, lines())
    film(root / PASSIVE / "3,4" / "video5.mp4")
    track(root, f"{PASSIVE}/3,4", "video5", 3, lines(frames=4))
    track(root, f"{PASSIVE}/3,4", "video5", 4, lines(frames=2))
    (root / "train_test_split.csv").write_text("subject,part\n1,train\n2,train\n3,test\n4,test\n")
    return root


@pytest.fixture
def drone(planted: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(planted, tmp_path / "dronesurf"))


def probes(data: IdentificationSet) -> list[str]:
    return [media.key for media in data.probes]


def test_alternate_annotated_faces_of_test_subjects_are_searched_in_both_scenarios(planted: Path) -> None:
    data = DroneSurf().read(planted)
    active = [f"{ACTIVE}/{s}/video{s}/Person{s}/{frame}" for s in (3, 4) for frame in (1, 3, 5)]
    passive = [f"{PASSIVE}/3,4/video5/Person{s}/{frame}" for s, frame in ((3, 1), (3, 3), (4, 1))]
    assert probes(data) == [*active, *passive]
    assert [media.template for media in data.probes] == probes(data)
    assert {media.identity for media in data.gallery} == {"3", "4"}
    assert not data.official and any("the published one has 58 (34, 24), 200" in note for note in data.notes)
    assert data.probes[-1].attributes == {
        "video": f"{PASSIVE}/3,4/video5", "scenario": "passive", "time": "evening", "place": "Location2", "frame": 1.0,
        "side": 16.0,
    }  # fmt: skip


@pytest.mark.parametrize(("scenario", "count"), [("active", 12), ("passive", 6), ("both", 18)])
def test_scenarios_and_steps_are_chosen(planted: Path, scenario: str, count: int) -> None:
    data = DroneSurf(scenario=scenario, step=1).read(planted)  # type: ignore[arg-type]
    assert len(data.probes) == count


def test_a_probe_is_the_square_around_its_box_in_its_frame(planted: Path) -> None:
    probe = DroneSurf(step=1).read(planted).probes[3]
    assert probe.cut and (probe.cut.frame, probe.cut.side) == (3, None)  # line 4, counted from 1
    assert probe.cut.box == (1.0, 6.0, 16.0, 16.0)  # 10 x 16 pixels about (9, 14)
    face = open_media(probe)
    assert face.shape == (16, 16, 3) and abs(float(face.mean()) - (40 + 3 * 30)) < 6
    small = DroneSurf(lr=8, margin=0.25).read(planted).probes[0]
    assert small.cut and small.cut.box == (-3.0, 2.0, 24.0, 24.0) and open_media(small).shape == (8, 8, 3)


def test_a_video_is_one_template_whose_score_is_the_mean_of_its_frames(planted: Path) -> None:
    protocol = DroneSurf(level="video", step=1, gallery_fusion="score")
    data = protocol.read(planted)
    assert len({media.template for media in data.probes}) == 4
    rng = np.random.default_rng(1)

    def some(count: int) -> np.ndarray:
        return rng.normal(size=(count, 5)).astype(np.float32) * rng.uniform(1, 9, (count, 1)).astype(np.float32)

    faces, images = some(len(data.probes)), some(len(data.gallery))
    rules = {"unit_length": protocol.unit_length, "fusion": protocol.fusion}
    probe = fuse(data.probes, faces, [OK] * len(faces), **rules)  # type: ignore[arg-type]
    gallery = fuse(data.gallery, images, [OK] * len(images), **rules)  # type: ignore[arg-type]
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (faces, images)]
    cosines = unit[0] @ unit[1].T
    expected = [
        [cosines[np.ix_(_of(data.probes, template), _of(data.gallery, person))].mean() for person in gallery.keys]
        for template in probe.keys
    ]
    assert np.allclose(probe.vectors @ gallery.vectors.T, expected, atol=1e-5)


def _of(media: Sequence[object], template: str) -> list[int]:
    return [i for i, item in enumerate(media) if item.template == template]  # type: ignore[attr-defined]


def test_the_gallery_is_fused_or_not(planted: Path) -> None:
    assert len({m.template for m in DroneSurf().read(planted).gallery}) == 2 and DroneSurf().unit_length
    assert len({m.template for m in DroneSurf(gallery_fusion="max").read(planted).gallery}) == 8
    assert not DroneSurf(gallery_fusion="score").unit_length
    assert {m.identity for m in DroneSurf(gallery="all").read(planted).gallery} == {"1", "2", "3", "4"}


def test_gallery_faces_are_cut_as_large_as_annotated_boxes(
    planted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: Points = ((20.0, 20.0), (30.0, 20.0), (25.0, 25.0), (21.0, 30.0), (29.0, 30.0))

    def look(image: ByteImages) -> Points | None:
        return points if image[0, 0, 0] < 160 else None  # subject 3 alone

    monkeypatch.setattr(detected, "_finder", lambda detector: look)
    monkeypatch.setattr(detected, "_engine", lambda detector: "stub")
    data = DroneSurf().read_with(planted, tmp_path / "scratch")
    cuts = {media.key: media.cut for media in data.gallery}
    # eyes to mouth 10, so 29 wide; the middle is (25.5, 25.5) between edges, raised by a twentieth of 29
    assert cuts["HR Gallery/3/1.png"] and cuts["HR Gallery/3/1.png"].box == pytest.approx((11.0, 9.55, 29, 29))
    assert cuts["HR Gallery/4/1.png"] is None
    assert any(note.startswith("No face was detected in 4 of 8 photographs") for note in data.notes)
    assert portrait_box(points, 0.5) == pytest.approx((11.0 - 14.5, 9.55 - 14.5, 58, 58))


def test_the_first_frame_is_0_where_a_file_says_so_and_1_where_the_last_line_does(drone: Path) -> None:
    def first(protocol: DroneSurf) -> tuple[int | None, str]:
        data = protocol.read(drone)
        cut = data.probes[0].cut
        return cut.frame if cut else None, data.notes[0]

    assert first(DroneSurf()) == (0, "The first frame of a video has the number 1 (the last frame listed of a video is "
                                     "the number of its frames).")  # fmt: skip
    assert first(DroneSurf(frame_base="0"))[0] == 1
    track(drone, f"{ACTIVE}/1", "video1", 1, lines(first=0))  # of a training subject: the whole set is of one kind
    frame, note = first(DroneSurf())
    assert frame == 1 and "number 0 (a frame 0 is listed)" in note


def test_a_base_that_nothing_decides_is_reported_to_be_assumed() -> None:
    path = Path("a")
    assert frame_base({path: (1, 5)}, lambda path: 6)[0] == 1
    assert frame_base({path: (1, 5)}, lambda path: 6)[1].startswith("assumed")
    assert not frame_base({path: (1, 6)}, lambda path: 6)[1].startswith("assumed")
    assert frame_base({path: (0, 6)}, lambda path: 6)[0] == 0


def test_frames_that_a_video_lacks_stay_and_are_reported(drone: Path) -> None:
    track(drone, f"{ACTIVE}/3", "video3", 3, lines(frames=FRAMES + 3))
    data = DroneSurf(step=1).read(drone)
    assert len(data.probes) == 18 + 3
    assert "3 annotated frames are not in their videos; they count as failures." in data.notes
    with pytest.raises(DataError, match="frame not in the video"):
        open_media(data.probes[FRAMES])


def test_a_video_that_is_absent_stays_as_failures(drone: Path) -> None:
    (drone / ACTIVE / "3" / "video3.mp4").unlink()
    data = DroneSurf(step=1).read(drone)
    assert len(data.probes) == 18 and "Found 1 videos that are absent." in data.notes
    with pytest.raises(DataError, match="file not found"):
        open_media(data.probes[0])


def test_videos_and_people_without_coordinates_are_counted(drone: Path) -> None:
    shutil.rmtree(drone / ACTIVE / "3" / "video3")
    shutil.rmtree(drone / PASSIVE / "3,4/video5/Person4")
    track(drone, f"{PASSIVE}/3,4", "video5", 2, lines())
    film(drone / ACTIVE / "everyone" / "video9.mp4", 1)
    result = scan(drone).faults
    assert {fault: len(names) for fault, names in result.items()} == {
        "videos without coordinates": 1,
        "people of a video without coordinates": 1,
        "people with coordinates that the video's folder does not name": 1,
        "folders whose name lists no people": 1,
    }
    data = DroneSurf(step=1).read(drone)
    assert len(data.probes) == 6 + 4 and "Found 1 videos without coordinates." in data.notes


def test_test_subjects_without_gallery_images_are_left_out_and_reported(drone: Path) -> None:
    shutil.rmtree(drone / "HR Gallery/4")
    data = DroneSurf(step=1, gallery="all").read(drone)
    assert {media.identity for media in data.probes} == {"3"}
    assert "1 test subjects are not in the gallery; their 8 faces are left out." in data.notes
    with pytest.raises(DataError, match="1 of 2 test subjects can be enrolled; a search needs two or more"):
        DroneSurf(step=1).read(drone)
    shutil.rmtree(drone / "HR Gallery")
    with pytest.raises(DataError, match="no gallery"):
        DroneSurf().read(drone)


def test_without_a_split_one_is_drawn_by_the_seed(drone: Path) -> None:
    (drone / "train_test_split.csv").unlink()
    drawn = draw_test(range(1, 5), seed=0)
    data = DroneSurf().read(drone)
    assert {media.identity for media in data.gallery} == set(map(str, drawn)) and len(drawn) == 2  # 4 x 24 / 58 = 1.7
    assert any(f"the test subjects were drawn with seed 0: {drawn[0]}, {drawn[1]}." in note for note in data.notes)
    assert len(draw_test(range(1, 59), 0)) == 24 and draw_test(range(1, 59), 0) != draw_test(range(1, 59), 1)
    assert draw_test([3, 1, 2, 4], 0) == drawn


@pytest.mark.parametrize(
    ("text", "message"),
    [("1,train\n1,test\n", "subject 1 in both"), ("subject,part\n1,train\n", "names no test subject")],
)
def test_a_split_that_says_nothing_or_contradicts_itself_is_an_error(drone: Path, text: str, message: str) -> None:
    (drone / "train_test_split.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        DroneSurf().read(drone)


def test_subjects_in_neither_part_and_odd_rows_are_reported(drone: Path) -> None:
    (drone / "train_test_split.csv").write_text("\ufeffid;part\n1;Training\n3;Testing\n4;Test\n5,maybe\n")
    data = DroneSurf().read(drone)
    assert any(note.startswith("1 subjects are in neither part") for note in data.notes)
    assert "Found 1 lines of train_test_split.csv without a subject and its part." in data.notes


def test_no_annotated_face_is_an_error(drone: Path) -> None:
    shutil.rmtree(drone / PASSIVE)
    with pytest.raises(DataError, match="scenario passive, so there is no probe"):
        DroneSurf(scenario="passive").read(drone)


@pytest.mark.parametrize("argument", [{"step": 0}, {"margin": -0.1}, {"margin": 3.0}, {"lr": 1}])
def test_arguments_are_checked(argument: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(argument))):
        DroneSurf(**argument)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("folder", "scenario"),
    [
        ("ActiveTracking", "active"), ("PassiveActivity", "passive"), ("Active Tracking", "active"),
        ("RandomActivity", "passive"), ("Tracking", "active"), ("Activity", "passive"), ("activity_active", "active"),
    ],
)  # fmt: skip
def test_the_scenario_is_distinguished_from_the_folder(folder: str, scenario: str) -> None:
    assert scenario_of(folder) == scenario


def test_links_out_of_the_root_are_not_followed(drone: Path, tmp_path: Path) -> None:
    shutil.move(drone / ACTIVE / "3", tmp_path / "moved")
    os.symlink(tmp_path / "moved", drone / ACTIVE / "3")
    assert scan(drone).faults["links out of the data root"] == [f"{ACTIVE}/3"]
    assert not any(f"{ACTIVE}/3/" in key for key in probes(DroneSurf().read(drone)))


def test_the_folder_is_found_and_a_wrong_one_is_named(planted: Path, tmp_path: Path) -> None:
    assert DroneSurf().locate(planted) == planted
    with pytest.raises(DataError, match="Use --data-root"):
        DroneSurf().locate(planted / "ActiveTracking")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="does not hold DroneSURF"):
        DroneSurf().locate(tmp_path / "empty")
    with pytest.raises(MissingError, match="iab-rubric"):
        DroneSurf().locate(tmp_path / "absent")


def test_the_check_finds_what_is_wrong_and_never_raises(drone: Path) -> None:
    result = {line.subject: line for line in DroneSurf().check(drone)}
    assert result["annotated faces"].found == "30" and result["videos"].found == "5"
    assert result["test subjects"].level == "differs" and result["readable for a run"].level == "ok"
    assert result["gallery images that two people share"].level == "ok"
    assert result["faces that are searched"].found == "9"
    shutil.copy(drone / "HR Gallery/1/1.png", drone / "HR Gallery/3/1.png")
    (drone / "HR Gallery/4/2.png").unlink()
    (drone / ACTIVE / "3/video3.mp4").write_bytes(b"no film")
    track(drone, f"{ACTIVE}/4", "video4", 4, ["1 9 9 2 2", "2 1 1 1 1", "nothing", *lines(3, 9)])
    (drone / "train_test_split.csv").write_text("1,train\n3,test\n4,test\n7,train\n")
    result = {line.subject: line for line in DroneSurf().check(drone)}
    assert result["gallery images that two people share"].examples == ("HR Gallery/3/1.png = HR Gallery/1/1.png",)
    assert result["subjects without their four gallery images"].examples == ("4: 3",)
    assert result["video files absent or damaged"].examples == (f"{ACTIVE}/3/video3.mp4: not a video",)
    assert result["coordinate files that name frames after the last"].examples == (f"{ACTIVE}/4/video4: frame 11 of 6",)
    assert result["boxes of size zero"].found == result["lines without five whole numbers"].found == "1"
    assert result["subjects that train_test_split.csv lacks"].examples == ("2",)
    assert result["subjects of train_test_split.csv without files"].examples == ("7",)
    (drone / "train_test_split.csv").write_text("1,train\n")
    assert [line.level for line in DroneSurf().check(drone)] == ["damaged"]
