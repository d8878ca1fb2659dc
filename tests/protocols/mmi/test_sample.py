"""The MMI sample against the facts of a web download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from protocols.sample import SampleSummary

Mmi = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def mmi(sample: Callable[..., Mmi]) -> Mmi:
    return sample("mmi", identities=4)


def frames(path: Path) -> list[np.ndarray]:
    reader, result = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = reader.read()
        if not there:
            return result
        result.append(frame)


def sessions(root: Path) -> list[Path]:
    return sorted((root / "Sessions").iterdir(), key=lambda path: int(path.name))


def view(folder: Path) -> str:
    return ElementTree.parse(folder / "session.xml").getroot().find("track").attrib["view"]


def test_a_session_holds_one_clip_or_still_and_its_annotations(mmi: Mmi) -> None:
    root, summary = mmi
    assert [path.name for path in sessions(root)] == [str(n) for n in range(1, 4 * 7 + 1)]
    assert summary.counts["sessions"] == 28
    for folder in sessions(root):
        media = [path for path in folder.iterdir() if path.suffix in (".avi", ".jpg")]
        assert len(media) == 1
        stem = media[0].stem
        assert stem[0] == "S" and stem[4] == "-" and stem[1:4].isdigit() and stem[5:].isdigit() and len(stem) == 8
        rest = {path.name for path in folder.iterdir()} - {media[0].name, f"{stem}-oao_aucs.xml"}
        assert rest == {"session.xml", f"{stem}.xml"}
        track = ElementTree.parse(folder / "session.xml").getroot().find("track")
        assert track.attrib["view"] in ("0", "2") and track.find("annotation").attrib["filename"] == f"{stem}.xml"


def test_the_second_metatag_is_the_emotion_from_one_to_six(mmi: Mmi) -> None:
    root, _ = mmi
    shown: dict[str, list[int]] = {}
    without = 0
    for folder in sessions(root):
        path = next(p for p in folder.glob("S*.xml") if not p.stem.endswith("aucs"))
        tags = ElementTree.parse(path).getroot().findall("Metatag")
        if len(tags) == 1:
            without += 1
            continue
        assert tags[1].attrib["Name"] == "Emotion"
        shown.setdefault(path.stem[:4], []).append(int(tags[1].attrib["Value"]))
    assert without == 1  # the clip of action units
    assert sorted(shown) == ["S001", "S002", "S003", "S004"]
    assert all(sorted(codes[:6]) == [1, 2, 3, 4, 5, 6] for codes in shown.values())


def test_markers_count_from_one_in_order_within_the_clip(mmi: Mmi) -> None:
    root, _ = mmi
    coded = sorted(root.rglob("*-oao_aucs.xml"))
    assert len(coded) >= 10
    for path in coded:
        length = len(frames(path.with_name(path.name.replace("-oao_aucs.xml", ".avi"))))
        for unit in ElementTree.parse(path).getroot().findall("ActionUnit"):
            marks = [(int(m.attrib["Frame"]), int(m.attrib["Type"])) for m in unit.findall("Marker")]
            assert [kind for _, kind in marks] == [0, 1, 2, 3, 0]
            at = [frame for frame, _ in marks]
            assert at[0] == 1 and at == sorted(set(at)) and at[-1] <= length


def test_clips_are_short_begin_and_end_neutral_and_move_most_at_the_apex(mmi: Mmi) -> None:
    root, _ = mmi
    for folder in sessions(root)[::2]:
        coded = next(folder.glob("*-oao_aucs.xml"), None)
        if coded is None:
            continue
        clip = [frame.astype(int) for frame in frames(next(folder.glob("*.avi")))]
        assert 12 <= len(clip) <= 24
        marks = ElementTree.parse(coded).getroot().find("ActionUnit").findall("Marker")
        apex = int(marks[2].attrib["Frame"]) - 1
        change = [float(np.abs(frame - clip[0]).mean()) for frame in clip]
        assert change[apex] > 3 * change[1] and change[apex] > 3 * change[-1]
        assert change[apex] >= 0.9 * max(change)


def test_most_clips_stand_upright_one_lies_on_its_side_and_dual_ones_have_two_halves(mmi: Mmi) -> None:
    root, summary = mmi
    sizes = [(view(f), frames(next(f.glob("*.avi")))[0].shape[:2]) for f in sessions(root) if any(f.glob("*.avi"))]
    assert sizes.count(("0", (480, 640))) == summary.counts["frontal"] + summary.counts["units"] == 24
    assert sizes.count(("0", (576, 720))) == summary.counts["turned"] == 1
    assert sizes.count(("2", (576, 720))) == summary.counts["dual"] == 2
    with Image.open(next(root.rglob("*.jpg"))) as still:
        assert still.size == (640, 480)


def test_a_clip_on_its_side_stands_after_a_clockwise_turn(mmi: Mmi) -> None:
    root, _ = mmi
    lying = next(f for f in sessions(root) if view(f) == "0" and any(f.glob("S004-004.avi")))
    frame = np.rot90(frames(lying / "S004-004.avi")[0], -1).astype(int)
    assert frame.shape[:2] == (720, 576)
    left, right = frame[:, :288], frame[:, 288:][:, ::-1]
    mirrored = np.abs(left - right).mean()
    upper, lower = frame[:360], frame[360:][::-1]
    assert mirrored < np.abs(upper - lower).mean()  # a face is alike left and right, not above and below


def test_the_frontal_half_of_a_dual_view_is_now_left_now_right(mmi: Mmi) -> None:
    root, _ = mmi

    def lopsided(half: np.ndarray) -> float:
        return float(np.abs(half[:, :180].astype(int) - half[:, 180:][:, ::-1]).mean())

    frontal_left = []
    for folder in sessions(root):
        if view(folder) == "2":
            first = frames(next(folder.glob("*.avi")))[0]
            frontal_left.append(lopsided(first[:, :360]) < lopsided(first[:, 360:]))
    assert sorted(frontal_left) == [False, True]
