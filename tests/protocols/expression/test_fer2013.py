"""FER2013's table, whole and damaged."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.images import read_image
from bench.results.folder import read_run
from protocols.expression.check import check_fer2013
from protocols.expression.fer2013 import CODES, count_rows, find_fer2013, read_rows, unpacked
from protocols.expression.study import Choice, fer_study

PIXELS = 48 * 48
ROWS = [
    (0, "Training"), (1, "Training"), (2, "Training"), (3, "Training"), (6, "Training"),
    (4, "PublicTest"), (5, "PublicTest"), (0, "PrivateTest"), (6, "PrivateTest"),
]  # fmt: skip


def faces() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (48, 48), np.uint8) for _ in ROWS]


def write(path: Path, rows: list[list[object]], header: tuple[str, ...] = ("emotion", "pixels", "Usage")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def cells() -> list[list[object]]:
    return [[code, " ".join(map(str, face.ravel())), usage] for (code, usage), face in zip(ROWS, faces(), strict=True)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "fer2013" / "fer2013.csv", cells())


def test_codes_are_those_of_the_challenge() -> None:
    assert CODES == ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def test_unpacked_faces_are_the_pixels_of_the_table(table: Path, tmp_path: Path) -> None:
    folder, rows = unpacked(table, tmp_path / "scratch")
    assert [(row.emotion, row.usage) for row in rows] == ROWS
    for row, face in zip(rows, faces(), strict=True):
        assert np.array_equal(read_image(folder / row.name), np.repeat(face[:, :, None], 3, 2))


def test_a_table_is_unpacked_once_and_anew_when_a_face_is_lost_or_it_changes(table: Path, tmp_path: Path) -> None:
    folder, rows = unpacked(table, tmp_path / "s")
    before = (folder / rows[0].name).stat().st_mtime_ns
    assert unpacked(table, tmp_path / "s") == (folder, rows)
    assert (folder / rows[0].name).stat().st_mtime_ns == before
    (folder / rows[2].name).unlink()
    assert unpacked(table, tmp_path / "s") == (folder, rows) and (folder / rows[2].name).is_file()
    write(table, cells()[:-1])
    other, fewer = unpacked(table, tmp_path / "s")
    assert other != folder and len(fewer) == len(rows) - 1
    assert not [path for path in (tmp_path / "s").iterdir() if path.name.startswith(".")]


def test_columns_may_come_in_the_other_published_order(tmp_path: Path) -> None:
    rows = [[code, usage, pixels] for code, pixels, usage in cells()]
    path = write(tmp_path / "icml_face_data.csv", rows, ("emotion", " Usage", " pixels"))
    assert [(row.emotion, row.usage) for row, _ in read_rows(path)] == ROWS
    assert find_fer2013(tmp_path) == tmp_path


def changed(place: int, column: int, value: object) -> list[list[object]]:
    rows = cells()
    rows[place][column] = value
    return rows


SHORT = " ".join(["7"] * (PIXELS - 1))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(2, 1, SHORT), "line 4: 2,303 pixels, expected 2,304"),
        (changed(2, 1, SHORT + " 7 7"), "line 4: 2,305 pixels"),
        (changed(2, 1, ""), "line 4: 0 pixels"),
        (changed(2, 1, SHORT + " x"), "line 4: pixels are not whole numbers"),
        (changed(2, 1, SHORT + " 2.5"), "line 4: pixels are not whole numbers"),
        (changed(2, 1, SHORT + " 256"), "expected 0 to 255"),
        (changed(2, 1, SHORT + " -1"), "expected 0 to 255"),
        (changed(2, 1, SHORT + " 1_0"), "line 4: pixels are not whole numbers"),
        (changed(2, 1, SHORT + " \N{ARABIC-INDIC DIGIT ONE}"), "line 4: pixels are not whole numbers"),
        (changed(3, 0, "happy"), "line 5: the emotion 'happy'"),
        (changed(3, 2, "Test"), "line 5: the usage 'Test'"),
        ([*cells(), [3]], "1 columns, expected 3"),
        ([], "holds no face"),
    ],
)
def test_damage_is_an_error_that_names_the_line(tmp_path: Path, rows: list[list[object]], message: str) -> None:
    path = write(tmp_path / "fer2013.csv", rows)
    with pytest.raises(DataError, match=message):
        unpacked(path, tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_other_columns_are_an_error_that_names_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'emotion, pixels'; expected emotion, pixels, Usage"):
        list(read_rows(write(tmp_path / "fer2013.csv", [], ("emotion", "pixels"))))
    (tmp_path / "fer2013.csv").write_bytes(b"")
    with pytest.raises(DataError, match="the columns '';"):
        list(read_rows(tmp_path / "fer2013.csv"))
    (tmp_path / "fer2013.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="fer2013.csv is UTF-16"):
        list(read_rows(tmp_path / "fer2013.csv"))


def test_a_truncated_table_is_an_error(table: Path, tmp_path: Path) -> None:
    data = table.read_bytes()
    table.write_bytes(data[: len(data) - 5000])
    with pytest.raises(DataError, match="the file may be truncated"):
        unpacked(table, tmp_path / "scratch")


def test_the_competition_package_and_an_absent_folder_are_distinguished(tmp_path: Path) -> None:
    write(tmp_path / "fer" / "train.csv", [], ("emotion", "pixels"))
    with pytest.raises(DataError, match="hold no labels for the test"):
        find_fer2013(tmp_path / "fer")
    with pytest.raises(MissingError, match="Kaggle"):
        find_fer2013(tmp_path / "none")


def test_the_study_follows_the_official_split(table: Path, tmp_path: Path) -> None:
    study = fer_study(table, Choice(lr=16), tmp_path / "scratch")
    assert [study.folds[str(face.identity)] for face in study.faces] == [0] * 5 + [1] * 2 + [2] * 2
    assert [face.attributes["expression"] for face in study.faces] == [CODES[code] for code, _ in ROWS]
    assert all(face.cut is not None and face.cut.side == 16 for face in study.faces)
    assert [t.template for t in study.truths] == [f.template for f in study.faces]
    assert not study.official and any("5 of 28,709 Training" in note for note in study.notes)


def test_six_classes_leave_neutral_out_and_codes_without_a_name_are_counted(table: Path, tmp_path: Path) -> None:
    write(table, changed(0, 0, 7))
    study = fer_study(table, Choice(classes=6, lr=None), tmp_path / "scratch")
    assert len(study.faces) == len(ROWS) - 3 and "neutral" not in study.labels
    assert any(note.startswith("1 faces with an emotion code outside") for note in study.notes)
    write(table, [[9, *row[1:]] for row in cells()])
    with pytest.raises(DataError, match="None of 9 faces"):
        fer_study(table, Choice(), tmp_path / "scratch")


def test_rows_are_counted_and_equal_faces_across_the_split_are_seen(table: Path) -> None:
    rows = cells()
    rows[-1][1] = rows[0][1]
    counted, where = count_rows(write(table, rows))
    assert counted.total() == len(ROWS) and counted["Training", 6] == counted["PrivateTest", 6] == 1
    assert [parts for parts in where.values() if len(parts) > 1] == [{"Training", "PrivateTest"}]


def test_check_counts_the_split_and_never_raises(table: Path, tmp_path: Path) -> None:
    lines = {line.subject: line for line in check_fer2013(write(table, changed(0, 0, 8)).parent, Choice())}
    assert (lines["Training"].found, lines["Training"].expected) == ("5", "28,709")
    assert (
        lines["emotion codes outside 0 to 6"].found == "1" and lines["emotion codes outside 0 to 6"].level == "differs"
    )
    assert lines["faces of PrivateTest that are in Training too"].found == "0"
    write(table, changed(2, 1, SHORT))
    (line,) = check_fer2013(table.parent, Choice())
    assert line.level == "damaged" and "2,303 pixels" in line.found
    assert check_fer2013(tmp_path, Choice())[0].found == "fer2013.csv is absent"


@pytest.mark.parametrize(
    ("kept", "classes", "message"),
    [
        (range(7), 7, "PrivateTest has no face to test"),
        ((0, 7, 8), 7, r"PrivateTest cannot be tested: the faces to learn from \(Training\) show anger;"),
        ((4, 0, 7, 8), 6, r"PrivateTest cannot be tested: the faces to learn from \(Training\) show anger;"),
        ((7, 8), 7, r"learn from \(Training\) show none of the expressions;"),
        ((0, 1, 8), 6, "PrivateTest has no face to test"),
    ],
)
def test_a_table_without_what_is_learned_or_tested_is_refused_by_the_run_and_the_check(
    table: Path, tmp_path: Path, kept: Sequence[int], classes: int, message: str
) -> None:
    write(table, [cells()[row] for row in kept])
    with pytest.raises(DataError, match=message):
        fer_study(table, Choice(classes=classes), tmp_path / "scratch")
    line = check_fer2013(table.parent, Choice(classes=classes))[-1]
    assert line.level == "damaged" and re.search(message, line.found)


def test_a_table_that_is_no_file_is_named_as_what_is_wrong(table: Path) -> None:
    data = table.read_bytes()
    table.unlink()
    table.mkdir()
    with pytest.raises(DataError, match=r"fer2013.csv is no plain file\. Expected"):
        find_fer2013(table.parent)
    table.rmdir()
    (table.parent.parent / "outside.csv").write_bytes(data)
    table.symlink_to(table.parent.parent / "outside.csv")
    with pytest.raises(DataError, match="fer2013.csv is a link that leads out of the folder"):
        find_fer2013(table.parent)


def test_a_run_learns_from_training_and_is_tested_on_the_private_test(
    bench: Callable[..., tuple[int, str, str]], table: Path, tmp_path: Path
) -> None:
    protocol = "mmi-expression:source=fer2013,epochs=1,references=false"
    out = tmp_path / "run"
    code, printed, err = bench("run", "--protocol", protocol, "--data-root", table.parent, "--out", out, "--threads", 1)
    assert code == 0, err
    items = read_run(out).items
    assert [(item.attributes["usage"], item.values["fold"]) for item in items] == [("PrivateTest", 2)] * 2
    record = read_run(out).record
    assert record.protocol["folds tested"] == [2] and record.data["counts"]["probe"] == len(ROWS)
    assert any("has no training face of sadness, surprise" in warning for warning in record.warnings)
