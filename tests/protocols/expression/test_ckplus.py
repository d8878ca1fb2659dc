"""CK+ as it is unpacked, and as it is broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import DataError, MissingError
from protocols.expression.check import check_ckplus
from protocols.expression.ckplus import CODES, find_ckplus, load_sequences, read_label
from protocols.expression.shots import ckplus_shots
from protocols.expression.study import Choice, study_of

LABELS = {  # what each sequence is labelled: None, a text, or a code
    ("S005", "001"): 3,
    ("S005", "002"): None,
    ("S010", "001"): 5,
    ("S010", "002"): 2,
    ("S011", "001"): 7,
    ("S101", "004"): 6,
}
FRAMES = 6


@pytest.fixture
def root(tmp_path: Path) -> Path:
    images, labels = tmp_path / "ck" / "cohn-kanade-images", tmp_path / "ck" / "Emotion"
    for (subject, clip), code in LABELS.items():
        folder = images / subject / clip
        folder.mkdir(parents=True)
        for number in range(1, FRAMES + 1):
            Image.fromarray(np.full((8, 8), number, np.uint8)).save(folder / f"{subject}_{clip}_{number:08d}.png")
        (labels / subject / clip).mkdir(parents=True)  # empty where there is no label
        if code is not None:
            name = f"{subject}_{clip}_{FRAMES:08d}_emotion.txt"
            (labels / subject / clip / name).write_text(f"   {code:.7e}\n")
    (images / ".DS_Store").write_bytes(b"x")
    (images / "S005" / "001" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "ck"


def label_of(root: Path, subject: str = "S005", clip: str = "001") -> Path:
    return root / "Emotion" / subject / clip / f"{subject}_{clip}_{FRAMES:08d}_emotion.txt"


def test_codes_are_those_of_the_release() -> None:
    assert dict(enumerate(CODES)) == {
        0: "neutral", 1: "anger", 2: "contempt", 3: "disgust", 4: "fear", 5: "happiness", 6: "sadness", 7: "surprise",
    }  # fmt: skip


def test_sequences_are_listed_with_their_labels_and_hidden_files_are_not_counted(root: Path) -> None:
    sequences, odd = load_sequences(root)
    assert {(s.subject, s.clip): s.emotion for s in sequences} == LABELS
    assert all(s.numbers == (1, 2, 3, 4, 5, 6) and s.whole for s in sequences) and not odd


def test_the_first_frame_is_neutral_and_the_last_three_show_the_emotion(root: Path) -> None:
    shots = [shot for shot in ckplus_shots(root).shots if shot.person == "S005"]
    result = [(shot.photograph.path.name[-7:-4], shot.expression) for shot in shots]
    assert result == [("001", "neutral"), ("004", "disgust"), ("005", "disgust"), ("006", "disgust")]


def test_contempt_and_unlabelled_sequences_are_left_out_and_counted(root: Path) -> None:
    listed = ckplus_shots(root)
    assert dict(listed.sequences) == {"disgust": 1, "happiness": 1, "surprise": 1, "sadness": 1}
    assert "2 sequences are left out: 1 labelled contempt, 1 without an emotion label." in listed.notes
    assert not listed.official and any("6 of 593 sequences" in note for note in listed.notes)


def test_short_sequences_give_the_frames_they_have(root: Path) -> None:
    for number in (3, 4, 5):
        (root / "cohn-kanade-images/S005/001" / f"S005_001_{number:08d}.png").unlink()
    for number in (1, 2, 3, 4, 5):
        (root / "cohn-kanade-images/S010/001" / f"S010_001_{number:08d}.png").unlink()
    listed = ckplus_shots(root)
    result = [(s.person, s.photograph.path.name[-7:-4], s.expression) for s in listed.shots if s.person < "S011"]
    assert result == [
        ("S005", "001", "neutral"),
        ("S005", "002", "disgust"),
        ("S005", "006", "disgust"),
        ("S010", "006", "happiness"),
    ]
    assert any(note.startswith("2 sequences lack frames") for note in listed.notes)


def test_a_sequence_without_its_peak_is_left_out_and_counted(root: Path) -> None:
    (root / "cohn-kanade-images/S005/001" / f"S005_001_{FRAMES:08d}.png").unlink()
    listed = ckplus_shots(root)
    assert "disgust" not in listed.sequences
    assert any("1 without the peak frame of their label" in note for note in listed.notes)


def test_a_code_without_a_name_is_left_out_and_counted(root: Path) -> None:
    label_of(root).write_text("9.0000000e+00")
    label_of(root, "S101", "004").write_text("0.0000000e+00")
    notes = " ".join(ckplus_shots(root).notes)
    assert "1 labelled with a code outside 0 to 7" in notes and "1 labelled neutral" in notes


def test_names_of_others_are_counted(root: Path) -> None:
    shutil.copytree(root / "cohn-kanade-images/S005/001", root / "cohn-kanade-images/S005/backup")
    shutil.copy(root / "cohn-kanade-images/S005/001/S005_001_00000001.png", root / "cohn-kanade-images/S005/002/x.png")
    (root / "cohn-kanade-images/S012/001").mkdir(parents=True)
    (root / "Emotion/S999/001").mkdir(parents=True)
    (root / "Emotion/S999/001/S999_001_00000009_emotion.txt").write_text("1.0")
    _, odd = load_sequences(root)
    assert odd == {
        "folders whose name is not one of CK+'s": 1,
        "files among the images that are not of their sequence": 1,
        "folders of a sequence without an image": 1,
        "labels without a sequence": 1,
    }


@pytest.mark.parametrize("text", ["", "happy", "3.0 4.0", "nan", "2.5", "inf"])
def test_a_damaged_label_is_an_error_that_names_it(root: Path, text: str) -> None:
    label_of(root).write_text(text)
    with pytest.raises(DataError, match="S005_001_00000006_emotion.txt"):
        load_sequences(root)


def test_a_label_that_is_no_text_or_far_too_long_is_an_error(root: Path) -> None:
    for data, reason in (
        (b"\xff\xfe\x00", "is UTF-16"),
        (b"1" * 10_000, "too large"),
        (b"1" * 4000, "not an emotion code"),
    ):
        label_of(root).write_bytes(data)
        with pytest.raises(DataError, match=reason):
            read_label(label_of(root))


def test_two_labels_or_one_of_another_sequence_are_errors(root: Path) -> None:
    shutil.copy(label_of(root), label_of(root).with_name("S005_001_00000005_emotion.txt"))
    with pytest.raises(DataError, match="2 emotion files"):
        load_sequences(root)
    label_of(root).with_name("S005_001_00000005_emotion.txt").unlink()
    label_of(root).rename(label_of(root).with_name("S010_001_00000006_emotion.txt"))
    with pytest.raises(DataError, match="of another sequence"):
        load_sequences(root)


def _no_labels(root: Path) -> None:
    shutil.rmtree(root / "Emotion")


def _empty_labels(root: Path) -> None:
    for path in (root / "Emotion").rglob("*.txt"):
        path.unlink()


def _empty_images(root: Path) -> None:
    for path in (root / "cohn-kanade-images").rglob("*.png"):
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [(_no_labels, "no folder Emotion"), (_empty_labels, "labels no sequence"), (_empty_images, "holds no sequence")],
)
def test_absent_and_empty_folders_are_errors(root: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(root)
    with pytest.raises(DataError, match=message):
        load_sequences(root)


def test_contempt_alone_leaves_nothing_to_classify(root: Path) -> None:
    for path in (root / "Emotion").rglob("*.txt"):
        path.write_text("2.0")
    with pytest.raises(DataError, match="4 labelled|5 labelled contempt"):
        ckplus_shots(root)


def test_folds_that_cannot_learn_are_refused_by_the_run_and_the_check(root: Path, tmp_path: Path) -> None:
    for subject, clip in (("S010", "001"), ("S011", "001"), ("S101", "004")):
        label_of(root, subject, clip).write_text("3.0")
    choice = Choice(folds=2, classes=6)
    with pytest.raises(DataError, match="a classifier needs two expressions or more"):
        study_of(ckplus_shots(root), choice, tmp_path / "scratch")
    line = check_ckplus(root, choice)[-1]
    assert line.level == "damaged" and "two expressions or more" in line.found


def test_folders_nested_once_more_are_found(root: Path) -> None:
    (root / "cohn-kanade-images").rename(root / "x")
    (root / "cohn-kanade-images").mkdir()
    (root / "x").rename(root / "cohn-kanade-images" / "cohn-kanade-images")
    (root / "Emotion").rename(root / "y")
    (root / "Emotion_labels").mkdir()
    (root / "y").rename(root / "Emotion_labels" / "Emotion")
    assert len(load_sequences(find_ckplus(root))[0]) == len(LABELS)


def test_a_wrong_root_is_distinguished(root: Path, tmp_path: Path) -> None:
    assert find_ckplus(root) == root
    with pytest.raises(DataError, match=f"Use --data-root {root}"):
        find_ckplus(tmp_path)
    with pytest.raises(MissingError, match="jeffcohn"):
        find_ckplus(tmp_path / "none")


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("1.0")
    label_of(root).unlink()
    label_of(root).symlink_to(outside)
    with pytest.raises(DataError, match="link out of the data root"):
        load_sequences(root)


def test_the_published_counts_make_a_set_official(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from protocols.expression import shots as expression_sources

    shown = {"disgust": 1, "happiness": 1, "contempt": 1, "surprise": 1, "sadness": 1}
    monkeypatch.setattr(expression_sources, "OFFICIAL_SEQUENCES", 6)
    monkeypatch.setattr(expression_sources, "OFFICIAL_SUBJECTS", 4)
    monkeypatch.setattr(expression_sources, "OFFICIAL_LABELLED", shown)
    assert ckplus_shots(root).official
    (root / "cohn-kanade-images/S005/001/S005_001_00000003.png").unlink()
    assert not ckplus_shots(root).official


def test_check_counts_what_is_there_and_names_what_is_damaged(root: Path) -> None:
    images = root / "cohn-kanade-images"
    (images / "S005/001/S005_001_00000002.png").write_bytes(b"no picture")
    (images / "S010/001/S010_001_00000003.png").unlink()
    (images / "S011/001/S011_001_00000006.png").unlink()
    lines = {line.subject: line for line in check_ckplus(root, Choice(folds=2))}
    assert (lines["sequences"].found, lines["sequences"].expected) == ("6", "593")
    assert lines["labelled disgust"].found == "1" and lines["labelled anger"].level == "differs"
    assert (
        lines["unused image files absent or damaged"]
        .examples[0]
        .startswith("cohn-kanade-images/S005/001/S005_001_00000002")
    )
    assert lines["labelled sequences that lack frames"].examples == ("S010/001",)
    assert lines["labels whose peak frame is absent"].examples == ("S011/001",)
    assert lines["folds"].found == "2 of 3 people, 1 to 2 a fold"
    assert check_ckplus(root, Choice(folds=9))[-1].level == "damaged"


def test_check_never_raises_on_damage(root: Path) -> None:
    label_of(root).write_text("?")
    (line,) = check_ckplus(root, Choice(folds=2))
    assert line.level == "damaged" and "S005_001_00000006_emotion.txt" in line.found
