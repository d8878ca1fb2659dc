"""Sessions, views, emotions and temporal coding of MMI, on hand-made folders and on the sample."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.faces.people.look import Look
from bench.images import ByteImages
from protocols.mmi.annotations import APEX, NEUTRAL, Unit
from protocols.mmi.files import DUAL_VIEW, EMOTIONS, find_mmi, load_sessions
from protocols.sample import write_sample

Add = Callable[..., Path]


def flat(looks: Sequence[Look]) -> list[ByteImages]:
    return [np.full((look.size, look.size, 3), 60 + look.identity % 100, np.uint8) for look in looks]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_sample_is_read_without_faults(tmp_path: Path) -> None:
    summary = write_sample("mmi", tmp_path / "mmi", identities=3, paint=flat)
    sessions, faults = load_sessions(find_mmi(tmp_path / "mmi"))
    assert not faults
    assert len(sessions) == summary.counts["sessions"] == 21
    assert {session.subject for session in sessions} == {"1", "2", "3"}
    assert {session.expression for session in sessions} == {*EMOTIONS, None}
    assert sum(session.view == DUAL_VIEW for session in sessions) == summary.counts["dual"]
    assert sum(session.frames for session in sessions) == summary.images
    coded = [session for session in sessions if session.coded]
    assert len(coded) == 11  # every second session but the still
    for session in coded:  # the frames chosen lie where the coding says apex
        assert all(session.units[0].type_at(frame) == APEX for frame in session.apex_frames(3))


def test_subject_clip_emotion_and_units_are_read_from_a_session(tmp_path: Path, add_session: Add) -> None:
    add_session(501, 7, 12, emotion=4, markers=[(1, 0), (3, 1), (5, 2), (8, 3), (10, 0)])
    (session,), faults = load_sessions(tmp_path / "mmi")
    assert not faults
    assert (session.subject, session.clip, session.view, session.expression) == ("7", 12, 0, "happiness")
    assert session.key == "501/S007-012.avi"
    assert session.frames == 10
    # markers count from 1 in the file
    assert session.units == (Unit("12", ((0, 0), (2, 1), (4, 2), (7, 3), (9, 0))),)
    assert session.apex_frames(9) == (4, 5, 6)
    assert session.apex_frames(1) == (5,)
    assert session.neutral_frame() == 0


def test_a_clip_without_coding_has_its_apex_in_the_middle(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1, emotion=1, frames=20)
    (session,), _ = load_sessions(tmp_path / "mmi")
    assert not session.coded
    assert session.apex_frames(1) == (10,)
    assert session.apex_frames(3) == (8, 10, 12)
    assert session.units == (Unit("12L"),)


def test_a_clip_that_moves_from_its_first_frame_has_no_neutral_one(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1, markers=[(1, 2), (5, 3)])
    (session,), _ = load_sessions(tmp_path / "mmi")
    assert session.neutral_frame() is None
    assert Unit("1", ((3, APEX),)).type_at(2) == NEUTRAL


@pytest.mark.parametrize(("height", "turns"), [(480, (0, 1, 3)), (576, (1, 0, 3))])
def test_clips_that_are_not_480_rows_high_are_first_tried_turned(
    tmp_path: Path, add_session: Add, height: int, turns: tuple[int, ...]
) -> None:
    add_session(1, 1, frames=1, size=(height, 32))
    (session,), _ = load_sessions(tmp_path / "mmi")
    assert tuple(cut.quarter_turns for cut in session.cuts(0)) == turns


def test_a_dual_view_gives_its_halves_and_a_profile_nothing(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1, view=2, size=(48, 40))
    add_session(2, 1, 2, view=1)
    dual, profile = load_sessions(tmp_path / "mmi")[0]
    assert [cut.box for cut in dual.cuts(3)] == [(0, 0, 20, 48), (20, 0, 20, 48)]
    assert [cut.frame for cut in dual.cuts(3)] == [3, 3]
    assert dual.frontal and not profile.frontal
    assert profile.cuts(0) == ()


def test_a_still_has_one_frame_and_no_number(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1, emotion=6, still=True)
    (session,), _ = load_sessions(tmp_path / "mmi")
    assert (session.film, session.frames, session.apex_frames(3)) == (False, 1, (0,))
    assert session.cuts(0)[0].frame is None
    assert session.neutral_frame() is None


def test_what_is_wrong_with_sessions_is_reported_and_the_others_are_read(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1)
    add_session(2, 1, 2, emotion=9)
    add_session(3, 1, 3, emotion="glad")
    (add_session(4, 1, 4) / "session.xml").unlink()
    (add_session(5, 1, 5) / "session.xml").write_text("<session><track")
    add_session(6, 1, 6, view=5)
    (add_session(7, 1, 7) / "S001-007.avi").unlink()
    folder = add_session(8, 1, 8)
    (folder / "S001-008.avi").rename(folder / "clip.avi")
    (add_session(9, 1, 9) / "S001-009.xml").write_text(
        '<!DOCTYPE a [<!ENTITY x "y">]><Annotation><Metatag Name="Emotion" Value="1"/></Annotation>'
    )
    add_session(10, 1, 10, markers=[(0, 1)])
    (add_session(11, 1, 11) / "S001-011.xml").write_bytes(b"PK\x03\x04" + bytes(20))
    os.mkfifo(add_session(12, 1, 12) / "S001-012-oao_aucs.xml")
    (add_session(13, 1, 13) / "session.xml").unlink()
    os.mkfifo(tmp_path / "mmi/Sessions/13/session.xml")
    add_session(14, 1, 14, emotion="1_0")
    add_session(15, 1, 15, emotion="\N{ARABIC-INDIC DIGIT ONE}")
    add_session(16, 1, 16, markers=[(1, 0), (3, 1), (3, 2)])
    change(
        add_session(17, 1, 17, markers=[(1, 0), (3, 1)]) / "S001-017-oao_aucs.xml", '<Marker Frame="3"', ' Frame="3"'
    )
    change(
        add_session(18, 1, 18, markers=[(1, 0)]) / "S001-018-oao_aucs.xml",
        "</Annotation>",
        '<Marker Frame="3" Type="1"/></Annotation>',
    )
    change(add_session(19, 1, 19) / "session.xml", "<track", "x<track")
    sessions, faults = load_sessions(tmp_path / "mmi")
    assert [session.folder for session in sessions] == ["1", "2", "3", "4", "5", "6", *map(str, range(9, 20))]
    assert {(fault.folder, fault.what, fault.lost) for fault in faults} == {
        ("2", "annotation: emotion code outside 1 to 6", False),
        ("3", "annotation: emotion is not a whole number", False),
        ("4", "session.xml: file not found", False),
        ("5", "session.xml: not XML", False),
        ("6", "session.xml: view is not 0, 1 or 2", False),
        ("7", "no video or still", True),
        ("8", "media name is not S<subject>-<clip>", True),
        ("9", "annotation: it has a document type; refused", False),
        ("10", "coding: marker before the first frame or of an unknown type", False),
        ("11", "annotation: a zip archive, not XML", False),
        ("12", "coding: not a plain file", False),
        ("13", "session.xml: not a plain file", False),
        ("14", "annotation: emotion is not a whole number", False),
        ("15", "annotation: emotion is not a whole number", False),
        ("16", "coding: two types of markers at one frame", False),
        ("17", "coding: text between its elements, of which one may be damaged", False),
        ("18", "coding: marker outside an action unit", False),
        ("19", "session.xml: text between its elements, of which one may be damaged", False),
    }
    assert sessions[1].expression is None and sessions[1].emotion == 9
    assert sessions[3].view is None and not sessions[3].frontal


def test_a_unit_that_is_listed_twice_counts_once_when_the_apex_is_chosen(tmp_path: Path, add_session: Add) -> None:
    path = add_session(1, 1, markers=[(1, 0), (3, 2), (5, 0)]) / "S001-001-oao_aucs.xml"
    unit = path.read_text().partition("<ActionUnit")[2].partition("</ActionUnit>")[0]
    other = unit.replace('Frame="3"', 'Frame="6"').replace('Frame="5"', 'Frame="8"').replace('"12"', '"1"')
    path.write_text(f"<Annotation>{f'<ActionUnit{unit}</ActionUnit>' * 2}<ActionUnit{other}</ActionUnit></Annotation>")
    (session,), faults = load_sessions(tmp_path / "mmi")
    assert not faults and [unit.number for unit in session.units] == ["12", "1"]
    assert session.units[0].markers == ((0, 0), (2, 2), (4, 0))


def test_several_downloads_are_one_database(tmp_path: Path, add_session: Add) -> None:
    first, second = (f"all/mmi-facial-expression-database_download_{day}/Sessions" for day in (1, 2))
    add_session(1, 1, sessions=first)
    add_session(1, 1, sessions=second)
    add_session(2, 2, sessions=second)
    sessions, faults = load_sessions(find_mmi(tmp_path / "all"))
    assert [session.folder for session in sessions] == ["1", "2"]
    assert [(fault.folder, fault.what) for fault in faults] == [("1", "session in several downloads")]


def test_wrong_folders_are_named_with_the_right_one(tmp_path: Path, add_session: Add) -> None:
    folder = add_session(1, 1, sessions="a/b/Sessions")
    with pytest.raises(MissingError, match="mmifacedb"):
        find_mmi(tmp_path / "nowhere")
    with pytest.raises(DataError, match=f"too deep.*--data-root {tmp_path}/a/b"):
        find_mmi(tmp_path)
    with pytest.raises(DataError, match="a folder inside MMI"):
        find_mmi(folder)


def test_sessions_in_sessions_are_found(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1, sessions="mmi/Sessions/Sessions")
    assert [session.folder for session in load_sessions(find_mmi(tmp_path / "mmi"))[0]] == ["1"]


def test_a_link_out_of_the_root_is_not_followed(tmp_path: Path, add_session: Add) -> None:
    add_session(1, 1)
    outside = add_session(2, 2, sessions="elsewhere")
    (tmp_path / "mmi/Sessions/2").symlink_to(outside)
    sessions, faults = load_sessions(tmp_path / "mmi")
    assert [session.folder for session in sessions] == ["1"]
    assert [(fault.folder, fault.what) for fault in faults] == [("2", "link out of the data root")]
