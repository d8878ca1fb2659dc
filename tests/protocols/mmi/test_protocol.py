"""MMI: who is drawn, which frames are enrolled and searched; what is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError, UsageError
from bench.types import CheckLine
from protocols.mmi.protocol import Mmi

Add = Callable[..., Path]


def line(lines: list[CheckLine], subject: str) -> CheckLine:
    (result,) = [line for line in lines if line.subject == subject]
    return result


@pytest.fixture
def root(tmp_path: Path, add_session: Add) -> Path:
    """Subject 1 shows all emotions, 2 two of them, 3 only a profile."""
    for clip in range(1, 8):
        add_session(clip, 1, clip, emotion=clip - 1 or None)
    add_session(11, 2, 1, emotion=4)
    add_session(12, 2, 2, emotion=6, markers=[(1, 0), (3, 1), (4, 2), (5, 3), (8, 0)])
    add_session(13, 3, 1, view=1)
    return tmp_path / "mmi"


def test_a_neutral_frame_is_enrolled_and_seven_others_are_searched(
    root: Path, tmp_path: Path, quick_views: object
) -> None:
    data = Mmi().read_with(root, tmp_path / "scratch")
    assert {m.identity: m.key for m in data.gallery} == {
        "1": "gallery/1/S001-001.avi#0",
        "2": "gallery/11/S002-001.avi#0",
    }
    mine = [m for m in data.probes if m.identity == "1"]
    assert len(mine) == 56
    assert [m.attributes["expression"] for m in mine[::8]] == [
        "neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise",
    ]  # fmt: skip
    assert mine[0].key == "probe/2/S001-002.avi#0@yaw-22"
    assert mine[8].key == "probe/2/S001-002.avi#5@yaw-22"
    assert [m.attributes["yaw_deg"] for m in mine[:8]] == [-22.0, 22.0, -40.0, 40.0, -55.0, 55.0, -75.0, 75.0]
    assert not {m.key.removeprefix("gallery/") for m in data.gallery} & {m.attributes["photograph"] for m in mine}
    assert len({m.key for m in data.probes}) == len(data.probes)


def test_who_lacks_emotions_is_searched_by_other_frames_at_the_apex(
    root: Path, tmp_path: Path, quick_views: object
) -> None:
    data = Mmi().read_with(root, tmp_path / "scratch")
    frames = [str(m.attributes["photograph"]) for m in data.probes if m.identity == "2"][::8]
    # neutral of the other clip, the middle apex of both, then the rest of the apex: one coded frame, three uncoded
    assert frames == ["12/S002-002.avi#0", "11/S002-001.avi#5", "12/S002-002.avi#3", "11/S002-001.avi#4",
                      "11/S002-001.avi#6"]  # fmt: skip
    assert [m.identity for m in data.gallery] == ["1", "2"]  # who gives all seven comes first, whatever the draw
    assert any("Subjects searched, whom a hallucinator must not be trained on: 1, 2." in n for n in data.notes)
    assert any("Not the paper's numbers: 2 of 16 gallery images, 96 of 896 probe images." in n for n in data.notes)


def test_few_subjects_are_drawn_by_the_seed(tmp_path: Path, add_session: Add, quick_views: object) -> None:
    for subject in range(1, 13):
        for clip in range(1, 4):
            add_session(10 * subject + clip, subject, clip)
    drawn = [
        [m.identity for m in Mmi(identities=4, seed=seed).read_with(tmp_path / "mmi", tmp_path / "s").gallery]
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 4


def test_a_broken_video_is_passed_over_and_reported(root: Path, tmp_path: Path, quick_views: object) -> None:
    (root / "Sessions/1/S001-001.avi").write_bytes(b"no video")
    (root / "Sessions/2/session.xml").write_text("<session")
    data = Mmi().read_with(root, tmp_path / "scratch")
    assert data.gallery[0].key == "gallery/3/S001-003.avi#0"
    assert any("1 sessions are used without their faulty files: session.xml: not XML" in n for n in data.notes)
    assert any("1 frames show no usable frontal face and were skipped: 1 not a video" in n for n in data.notes)


def test_nobody_to_enroll_is_an_error(tmp_path: Path, add_session: Add, quick_views: object) -> None:
    add_session(1, 1, view=1)
    with pytest.raises(DataError, match="0 of 1 people can be enrolled; a search needs two or more"):
        Mmi().read_with(tmp_path / "mmi", tmp_path / "scratch")
    with pytest.raises(UsageError, match="two or more"):
        Mmi(identities=1)


def test_the_check_counts_what_is_wrong(root: Path, add_session: Add) -> None:
    (root / "Sessions/1/S001-001.avi").write_bytes(b"no video")
    (root / "Sessions/2/session.xml").write_text("<session")
    (root / "Sessions/3/S001-003.xml").write_text('<A><Metatag Name="Emotion" Value="12"/></A>')
    (root / "Sessions/13/S003-001.avi").unlink()
    (root / "Sessions/12/S002-002.avi").write_bytes((root / "Sessions/11/S002-001.avi").read_bytes())
    lines = Mmi().check(root)
    assert line(lines, "videos and stills") == CheckLine("differs", "videos and stills", "9", "over 2,900")
    assert line(lines, "subjects") == CheckLine("differs", "subjects", "2", "75")
    bad = line(lines, "session session.xml: not XML")
    assert (bad.level, bad.examples) == ("differs", ("Sessions/2",))
    assert line(lines, "session annotation: emotion code outside 1 to 6").examples == ("Sessions/3",)
    lost = line(lines, "session no video or still")
    assert (lost.level, lost.examples) == ("damaged", ("Sessions/13",))
    (broken,) = line(lines, "video and still files absent or damaged").examples
    assert broken == "Sessions/1/S001-001.avi: not a video"
    assert line(lines, "equal files").examples == ("11/S002-001.avi = 12/S002-002.avi",)
    assert line(lines, "clips with temporal coding").found == "1"
    assert line(lines, "readable for a run").found == "yes, 2 subjects to draw from"


def test_the_check_of_an_empty_folder_does_not_raise(tmp_path: Path) -> None:
    (tmp_path / "Sessions").mkdir()
    (only,) = Mmi().check(tmp_path)
    assert only.level == "damaged"
