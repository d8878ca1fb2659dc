"""Copies of IJB-C that are broken: what is refused, and what is told and counted."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import DataError
from bench.pipeline.reader import open_media
from bench.types import IdentificationSet
from protocols.ijbc.protocol import IjbC

Copy = Callable[[str], Path]
Edit = Callable[[Path, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]
RELEASES = ("A", "B", "C")
PROBES = {
    "A": "protocols/ijbc_1N_probe_mixed.csv",
    "B": "protocols/test4/probes.csv",
    "C": "meta/ijbc_1N_probe_mixed.csv",
}
G1 = {
    "A": "protocols/ijbc_1N_gallery_G1.csv",
    "B": "protocols/test4/gallery_G1.csv",
    "C": "meta/ijbc_1N_gallery_G1.csv",
}
G2 = {name: path.replace("_G1", "_G2") for name, path in G1.items()}


def read(root: Path, **arguments: Any) -> IdentificationSet:
    result = IjbC(**arguments).read(root)
    assert isinstance(result, IdentificationSet)
    return result


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_absent_image_stays_in_its_template(copy: Copy) -> None:
    root = copy("A")
    before = read(root)
    victim = before.probes[0].path
    victim.unlink()
    after = read(root)
    assert [m.key for m in after.probes] == [m.key for m in before.probes]
    with pytest.raises(DataError, match="file not found"):
        open_media(after.probes[0])


def test_an_image_is_found_with_another_ending(copy: Copy) -> None:
    root = copy("B")
    before = len(read(root).notes)
    (root / "images/img/1.jpg").rename(root / "images/img/1.JPEG")
    data = read(root)
    assert data.gallery[0].path == root / "images/img/1.JPEG"
    assert data.notes[before:] == ("1 images were found with another ending than listed: img/1.jpg...",)
    shutil.copy(root / "images/img/1.JPEG", root / "images/img/1.png")
    with pytest.raises(DataError, match=r"1.JPEG and 1.png could be meant"):
        read(root)


@pytest.mark.parametrize("release", RELEASES)
def test_people_in_both_galleries_are_reported(copy: Copy, edit: Edit, release: str) -> None:
    root = copy(release)
    person = table(root / G1[release])[0]["SUBJECT_ID"]
    edit(root / G2[release], lambda rows: [{**row, "SUBJECT_ID": person} for row in rows])
    notes = read(root).notes
    assert f"1 people are enrolled in both galleries: [{person}]." in notes


@pytest.mark.parametrize("release", RELEASES)
def test_a_template_in_both_galleries_is_refused(copy: Copy, edit: Edit, release: str) -> None:
    root = copy(release)
    first = table(root / G1[release])[0]
    edit(root / G2[release], lambda rows: [*rows, first])
    with pytest.raises(DataError, match=rf"1 templates are enrolled in both galleries: \[{first['TEMPLATE_ID']}\]"):
        read(root)


@pytest.mark.parametrize("release", RELEASES)
def test_probes_whose_person_is_in_no_gallery_are_reported_and_stay(copy: Copy, edit: Edit, release: str) -> None:
    root = copy(release)
    template = table(root / PROBES[release])[0]["TEMPLATE_ID"]

    def changed(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [{**row, "SUBJECT_ID": "999"} if row["TEMPLATE_ID"] == template else row for row in rows]

    edit(root / PROBES[release], changed)
    data = read(root)
    assert "1 probe templates show 1 people who are in no gallery: [999]" in " ".join(data.notes)
    assert data.probes[0].identity == "999"


@pytest.mark.parametrize("release", RELEASES)
def test_a_template_of_two_people_is_refused(copy: Copy, edit: Edit, release: str) -> None:
    root = copy(release)
    edit(root / PROBES[release], lambda rows: [{**rows[0], "SUBJECT_ID": "999"}, *rows[1:]])
    with pytest.raises(DataError, match="1 templates hold images of several subjects"):
        read(root)


@pytest.mark.parametrize("column", ["TEMPLATE_ID", "SUBJECT_ID"])
@pytest.mark.parametrize("cell", ["", "NaN", "1.5", "x"])
@pytest.mark.parametrize("release", RELEASES)
def test_a_row_without_a_template_or_a_person_is_refused(
    copy: Copy, edit: Edit, release: str, column: str, cell: str
) -> None:
    root = copy(release)
    edit(root / PROBES[release], lambda rows: [*rows[:2], {**rows[2], column: cell}, *rows[3:]])
    with pytest.raises(DataError, match=f"{column} of 1 of .* rows is not a whole number; the first is row 3"):
        read(root)


@pytest.mark.parametrize("column", ["TEMPLATE_ID", "SUBJECT_ID"])
@pytest.mark.parametrize("release", RELEASES)
def test_a_negative_template_or_person_is_refused(copy: Copy, edit: Edit, release: str, column: str) -> None:
    root = copy(release)
    edit(root / PROBES[release], lambda rows: [*rows[:2], {**rows[2], column: "-1"}, *rows[3:]])
    with pytest.raises(DataError, match=f"{column} of 1 of .* rows is negative; the first is row 3, '-1'"):
        read(root)


@pytest.mark.parametrize("place", [4, 7])
@pytest.mark.parametrize("cells", [[], ["7", "7"]])
@pytest.mark.parametrize(
    ("release", "name"),
    [("A", PROBES["A"]), ("B", PROBES["B"]), ("C", PROBES["C"]), ("C", "meta/ijbc_name_5pts_score.txt")],
)
def test_a_row_of_another_width_than_the_others_is_refused(
    copy: Copy, release: str, name: str, place: int, cells: list[str]
) -> None:
    root = copy(release)
    lines = (root / name).read_text().splitlines()
    mark = " " if name.endswith(".txt") else ","
    row = lines[5].split(mark)
    lines[5] = mark.join([*row[: place - 1], *cells, *row[place:]])
    (root / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"{Path(name).name}.*(row 6: {len(row) + len(cells) - 1} cells|damaged)"):
        read(root)


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("release", RELEASES)
def test_a_row_of_very_many_cells_is_refused_at_once(copy: Copy, release: str, row: int) -> None:
    root = copy(release)
    path = root / PROBES[release]
    lines = path.read_text().splitlines()
    lines[row] += ",1" * 100_000
    path.write_text("\n".join(lines) + "\n")
    begun = time.process_time()
    with pytest.raises(DataError, match=f"row {row + 1}: more than 1,000 cells"):
        read(root)
    assert time.process_time() - begun < 5  # pandas takes minutes


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/passwd", "img/../../x.jpg", "img\\..\\x.jpg", "C:/x.jpg"])
def test_a_file_name_that_leads_out_is_refused(copy: Copy, edit: Edit, name: str) -> None:
    root = copy("A")
    edit(root / PROBES["A"], lambda rows: [{**rows[0], "FILENAME": name}, *rows[1:]])
    with pytest.raises(DataError, match="could lead outside the folder of images"):
        read(root)


def test_an_empty_file_name_is_refused(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    edit(root / PROBES["B"], lambda rows: [{**rows[0], "FILENAME": " "}, *rows[1:]])
    with pytest.raises(DataError, match="FILENAME of 1 of .* rows is empty; the first is row 1"):
        read(root)


@pytest.mark.parametrize("what", ["images/img/1.jpg", "images/img"])
def test_a_link_out_of_the_root_is_refused(copy: Copy, tmp_path: Path, what: str) -> None:
    root = copy("B")
    outside = tmp_path / "outside"
    (root / what).rename(outside)
    (root / what).symlink_to(outside)
    with pytest.raises(DataError, match="is a link out of"):
        read(root)


def test_an_image_listed_twice_in_a_template_counts_twice_and_is_reported(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    edit(root / PROBES["B"], lambda rows: [rows[0], *rows])
    data = read(root)
    assert data.probes[1].key == f"{data.probes[0].key}#2"
    assert "1 rows repeat an image in the same template; each is used." in data.notes


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (("", "", "", ""), "box without a size"),
        (("NaN", "5", "20", "20"), "box without a size"),
        (("5", "5", "0", "0"), "box without a size"),
        (("5000", "5000", "20", "20"), "box outside its image"),
    ],
)
def test_a_box_that_cannot_be_cut_out_is_a_counted_failure(
    copy: Copy, edit: Edit, box: tuple[str, ...], reason: str
) -> None:
    root = copy("B")
    cells = dict(zip(("FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT"), box, strict=True))
    edit(root / PROBES["B"], lambda rows: [{**rows[0], **cells}, *rows[1:]])
    data = read(root)
    with pytest.raises(DataError, match=reason):
        open_media(data.probes[0])
    messages = any(
        "1 of 57 rows are without a box with a size" in n or "rows are without a box" in n for n in data.notes
    )
    assert messages == (reason == "box without a size")
    open_media(data.probes[1])


def test_a_box_that_reaches_over_the_border_is_cut_out(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    edit(root / PROBES["B"], lambda rows: [{**rows[0], "FACE_X": "-10"}, *rows[1:]])
    assert open_media(read(root).probes[0]).shape == (16, 16, 3)


def test_a_missing_list_is_named(copy: Copy) -> None:
    root = copy("B")
    (root / G2["B"]).unlink()
    with pytest.raises(DataError, match="the most complete is release B, without protocols/test4/gallery_G2.csv"):
        read(root)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00binary", b"TEMPLATE_ID,SUBJECT_ID\n", b'"open quote\n1,2\n'])
def test_a_damaged_list_is_an_error_that_names_it(copy: Copy, content: bytes) -> None:
    root = copy("B")
    (root / PROBES["B"]).write_bytes(content)
    with pytest.raises(DataError, match="probes.csv"):
        read(root)


def test_a_list_without_its_header_is_refused(copy: Copy) -> None:
    root = copy("A")
    path = root / PROBES["A"]
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(DataError, match="has no column TEMPLATE_ID.*Is the header missing"):
        read(root)
