"""Tables of pictures: columns, equal figures by folder and table, and every row that is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bench.errors import DataError, MissingError, UsageError
from protocols.owndata.protocol import Csv, Folder

Write = Callable[..., Path]


def written(root: Path, text: str, name: str = "faces.csv") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return root


def refusal(root: Path, text: str | None = None, **arguments: object) -> str:
    if text is not None:
        written(root, text)
    protocol = Csv(**arguments)  # type: ignore[arg-type]
    with pytest.raises(DataError) as error:
        protocol.read(protocol.locate(root))
    return str(error.value)


def test_a_table_gives_the_study_of_the_folder_it_lists(faces: Path, table: str) -> None:
    expected = Folder().read(faces)
    written(faces, table)
    assert Csv().read(Csv().locate(faces)) == expected


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", "\t")])
def test_semicolons_tabs_and_a_byte_order_mark_are_read(faces: Path, table: str, name: str, separator: str) -> None:
    expected = Folder().read(faces)
    written(faces, "\ufeff" + table.replace(",", separator).replace("\n", "\r\n"), name)
    assert Csv().read(faces) == expected


def test_rows_may_be_in_any_order_and_paths_absolute_or_with_backslashes(faces: Path, table: str) -> None:
    expected = Folder().read(faces)
    header, *rows = table.splitlines()
    rows = [row.replace("gallery/ann/", "gallery\\ann\\") for row in reversed(rows)]
    rows = [row.replace("distractor/x", f"{faces}/distractor/x") for row in rows]
    written(faces, "\n".join([header.upper().replace(",", " , "), *rows, "", ",,"]))
    assert Csv().read(faces) == expected


def test_parquet_is_read_as_the_table_or_the_package_is_named(
    faces: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Folder().read(faces)
    written(faces, table)
    frame = pd.read_csv(faces / "faces.csv").assign(number=[1.0] * 10)
    (faces / "faces.csv").rename(faces / "faces.parquet")
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    study = Csv().read(Csv().locate(faces))
    assert study == replace(
        expected,
        groups=("number",),
        gallery=tuple(replace(m, attributes={"number": "1"}) for m in expected.gallery),
        probes=tuple(replace(m, attributes={"number": "1"}) for m in expected.probes),
        distractors=tuple(replace(m, attributes={"number": "1"}) for m in expected.distractors),
    )

    def absent(path: Path) -> None:
        raise ImportError("no engine")

    monkeypatch.setattr(pd, "read_parquet", absent)
    with pytest.raises(MissingError, match="pip install pyarrow"):
        Csv().read(faces)


def test_boxes_points_yaw_groups_templates_and_media_are_read(faces: Path) -> None:
    points = "6,7,12,7,9,10,7,13,11,13"
    header = "path,identity,role,template,media,yaw,camera,left,top,width,height," + ",".join(
        f"{axis}{n}" for n in range(1, 6) for axis in "xy"
    )
    rows = [
        "gallery/ann/1.png,ann,gallery,t1,v1,,,,,,," + "," * 10,
        "gallery/bob/1.png,bob,gallery,t2,v2,,,,,,," + "," * 10,
        f"probe/ann/1.jpg,ann,probe,t3,v3,-30,door,2,3,16,16,{points}",
    ]
    study = Csv(fusion="media").read(written(faces, "\n".join([header, *rows])))
    probe = study.probes[0]
    assert probe.key == "probe/ann/1.jpg@2,3,16,16" and (probe.template, probe.medium) == ("t3", "v3")
    assert probe.attributes == {"yaw_deg": -30.0, "camera": "door"}
    assert probe.cut is not None and probe.cut.box == (2, 3, 16, 16)
    assert probe.landmarks is not None and probe.landmarks[0] == (4, 4)
    small = Csv(lr=8).read(faces).probes[0]
    assert small.cut is not None and small.cut.side == 8
    assert small.landmarks is not None and small.landmarks[0] == (1.75, 1.75)
    chip = Csv(crop="recogniser", lr=16).read(faces).probes[0]
    assert chip.cut is not None and chip.cut.points is not None and chip.cut.points[0] == (6, 7)


def test_groups_are_further_columns_of_few_values(faces: Path, table: str) -> None:
    header, *rows = table.splitlines()
    rows = [f"{row},{number % 2},{number}" for number, row in enumerate(rows * 9)]
    text = "\n".join([f"{header},Light Source,yaw_deg", *rows[:10]])
    study = Csv().read(written(faces, text))
    assert study.groups == ("yaw_deg", "light_source")
    assert study.probes[0].attributes == {"light_source": "0", "yaw_deg": 4.0}
    many = [f"p{number}.png,ann,probe,{number}" for number in range(51)]
    study = Csv().read(
        written(faces, "\n".join([f"{header},time", *(f"{row}," for row in table.splitlines()[1:]), *many]))
    )
    assert study.groups == ()
    assert "Columns with more than 50 values are not used to break down figures: 'time'." in study.notes


def test_a_split_is_chosen_or_required(faces: Path, table: str) -> None:
    table = table.replace("role\n", "role,split\n")
    rows = [f"{row},{'train' if 'bob' in row else 'test'}" for row in table.splitlines()[1:]]
    written(faces, "\n".join([table.splitlines()[0], *rows]))
    assert "rows of 2 splits: 'test', 'train'. Choose one by the argument split=NAME" in refusal(faces)
    assert "no row of the split 'val'" in refusal(faces, split="val")
    study = Csv(split="test").read(faces)
    assert {m.identity for m in study.gallery} == {"ann", "cy d'Été"}
    assert study.notes == ("7 of 10 rows are used, those of the split test.",)
    assert len(Csv(split="all").read(faces).gallery) == 3


def test_a_table_without_a_header_or_column_is_refused(faces: Path) -> None:
    assert "has no header: its first line is 'gallery/ann/1.png,ann,gallery'" in refusal(
        faces, "gallery/ann/1.png,ann,gallery\n"
    )
    text = refusal(faces, "path,identiy,role\na,b,gallery\n")
    assert "has no column identity" in text and "did you mean 'identiy'" in text
    assert "the protocol csv-restoration" in refusal(faces, "lr,hr\na,b\n")
    assert "column 'role' twice" in refusal(faces, "path,identity,role,role\na,b,gallery,probe\n")
    assert "a header and no rows" in refusal(faces, "path,identity,role\n")
    assert "is empty" in refusal(faces, "")


def test_wrong_rows_are_all_named_with_their_lines(faces: Path) -> None:
    rows = [
        "path,identity,role,yaw,frame,left,top,width,height",
        "gallery/ann/1.png,ann,gallery,,,,,,",
        "gallery/bob/1.png,,gallery,,,,,,",
        "probe/ann/1.jpg,ann,prbe,,,,,,",
        "../secret.jpg,ann,probe,,,,,,",
        "probe/ann/1.jpg,ann,probe,400,,,,,",
        "probe/bob/1.jpg,bob,probe,,-1,,,,",
        "probe/bob/more/2.webp,bob,probe,,,1,2,,",
        "probe/ann/more/2.webp,ann,probe,,,1,2,1,1",
        ",ann,probe,,,,,,",
        "gallery/ann/1.png,ann,probe,,,,,,,8",
    ]
    text = refusal(faces, "\n".join(rows) + "\n")
    for part in (
        "1 gallery rows without an identity (row 3)",
        "1 rows with an unknown role (row 4: 'prbe' (did you mean 'probe'?)). A role is gallery, probe or distractor.",
        "1 paths outside the data root (row 5: '../secret.jpg')",
        "cells of the column yaw that are no degrees from -180 to 180 (row 6: '400')",
        "1 cells of the column frame that are no frame from 0 (row 7: '-1')",
        "1 rows with a part of the box (row 8: without width, height)",
        "1 boxes smaller than 2 pixels (row 9)",
        "1 rows without a path (row 10)",
        "1 rows with more cells than the header (row 11: 10 cells)",
        "1 pictures that are listed twice ('gallery/ann/1.png': gallery and probe, row 2 and row 11)",
    ):
        assert part in text


def test_a_link_out_of_the_root_is_outside(faces: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes((faces / "gallery/ann/1.png").read_bytes())
    (faces / "probe/ann/9.png").symlink_to(tmp_path / "secret.png")
    (faces / "far").symlink_to(tmp_path)
    rows = "path,identity,role\nprobe/ann/9.png,ann,probe\nfar/secret.png,ann,probe\n"
    assert "2 paths outside the data root (row 2: 'probe/ann/9.png'; row 3: 'far/secret.png')" in refusal(faces, rows)


def test_templates_of_two_people_are_refused(faces: Path) -> None:
    text = "path,identity,role,template\ngallery/ann/1.png,ann,gallery,t\ngallery/bob/1.png,bob,gallery,t\n"
    assert "1 templates of two people or roles ('t': row 2 and row 3)" in refusal(faces, text)


def test_absent_files_are_counted_and_a_table_of_none_is_refused(faces: Path, table: str) -> None:
    written(faces, table)
    (faces / "probe/ann/1.jpg").unlink()
    study = Csv().read(faces)
    assert len(study.probes) == 6
    assert study.notes == ("1 of 10 listed files are absent (probe/ann/1.jpg...): each is a failed image.",)
    longer = table + f"{'x' * 300}.jpg,ann,probe\n"  # no file system holds such a name
    assert len(Csv().read(written(faces, longer)).probes) == 7
    written(faces, table)
    damaged = {line.subject for line in Csv().check(faces) if line.level == "damaged"}
    assert damaged == {"probe files absent or damaged"}
    missing_folders = table.replace("gallery/", "g/").replace("probe/", "p/").replace("distractor/", "d/")
    assert "lists of which no file exists" in refusal(faces, missing_folders)


def test_one_of_several_tables_is_named(faces: Path, table: str) -> None:
    assert "holds no table" in refusal(faces)
    written(faces, table)
    written(faces, "a,b,same\n", "pairs.csv")
    assert len(Csv().read(Csv().locate(faces)).gallery) == 3
    written(faces, table, "other.csv")
    assert "holds 2 lists: 'faces.csv', 'other.csv'. Name one by csv:file=NAME" in refusal(faces)
    assert len(Csv(file="other.csv").read(faces).gallery) == 3
    assert "does not exist" in refusal(faces, file="none.csv")
    assert "leads out of the data root" in refusal(faces, file="../faces.csv")
    with pytest.raises(UsageError, match="csv:file=faces.csv"):
        Csv().locate(faces / "faces.csv")


def test_a_crop_needs_points_of_a_box(faces: Path) -> None:
    rows = "path,identity,role,left,top,width,height\nprobe/ann/1.jpg,ann,probe,1,1,9,9\n"
    assert "rows with a box or frame and no points" in refusal(faces, rows, crop="recogniser")


def test_fusion_by_media_needs_the_column(faces: Path, table: str) -> None:
    assert "fusion=media needs it" in refusal(faces, table, fusion="media")
