"""`bench data check ijbc`: what is missing, damaged, or contradicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.pipeline.reader import open_media
from bench.types import CheckLine
from protocols.ijbc import check, studies
from protocols.ijbc.protocol import IjbC

Copy = Callable[[str], Path]
Edit = Callable[[Path, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]
PROBES, G2 = "protocols/test4/probes.csv", "protocols/test4/gallery_G2.csv"


def lines(root: Path) -> dict[str, CheckLine]:
    return {line.subject: line for line in IjbC().check(root)}


@pytest.mark.parametrize("release", ["A", "B", "C"])
def test_an_undamaged_set_differs_in_its_counts_alone(drawn_ijbc: dict[str, Path], release: str) -> None:
    calls: list[tuple[int, int]] = []
    result = IjbC().check(drawn_ijbc[release], lambda done, total: calls.append((done, total)))
    assert [line for line in result if line.level == "damaged"] == []
    expected = {
        "G1 templates", "G2 templates", "probe templates", "1:1 genuine pairs", "1:1 impostor pairs",
        "readable for identification", "readable for verification", *(["rows of the list of crops"] * (release == "C")),
    }  # fmt: skip
    assert {line.subject for line in result if line.level == "differs"} == expected
    messages = {line.subject: (line.found, line.expected) for line in result}
    assert messages["G1 templates"] == ("2", "1,772") and messages["G2 templates"] == ("2", "1,759")
    assert messages["probe templates"] == ("12", "19,593")
    assert messages["1:1 genuine pairs"] == ("12", "19,557")
    assert messages["1:1 impostor pairs"][1] == "15,638,932"
    assert calls and calls[-1][0] == calls[-1][1]


def test_the_official_set_has_no_differing_line(drawn_ijbc: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    result = lines(drawn_ijbc["B"])
    search = {name: int(result[name].found) for name in ("G1 templates", "G2 templates", "probe templates")}
    pairs = {name: int(result[f"1:1 {name}"].found) for name in ("genuine pairs", "impostor pairs")}
    for module in (studies, check):
        monkeypatch.setattr(module, "OFFICIAL_SEARCH", search)
        monkeypatch.setattr(module, "OFFICIAL_PAIRS", pairs)
    assert {line.level for line in IjbC().check(drawn_ijbc["B"])} == {"ok"}


def test_absent_and_damaged_images_are_named(copy: Copy) -> None:
    root = copy("B")
    (root / "images/img/1.jpg").unlink()
    frame = next((root / "images/frames").glob("*.png"))
    frame.write_bytes(frame.read_bytes()[:200])
    result = lines(root)
    gallery = result["G1 files absent or damaged"]
    assert (gallery.level, gallery.found) == ("damaged", "1") and "img/1.jpg: file not found" in gallery.examples[0]
    assert result["probe files absent or damaged"].level == "damaged"
    assert frame.name in result["probe files absent or damaged"].examples[0]


def test_boxes_that_cannot_be_cut_out_are_named(copy: Copy, edit: Edit) -> None:
    root = copy("B")

    def broken(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        rows[0]["FACE_X"], rows[1]["FACE_WIDTH"], rows[2]["FACE_Y"], rows[3]["FACE_X"] = "5000", "0", "", "-3"
        rows[4]["FACE_HEIGHT"] = "90000"
        return rows

    edit(root / PROBES, broken)
    line = lines(root)["boxes without a size or outside their image"]
    assert (line.level, line.found) == ("damaged", "4")


def test_a_box_without_width_is_damage_in_the_check_and_a_failure_of_the_run(copy: Copy, edit: Edit) -> None:
    root = copy("B")
    edit(root / PROBES, lambda rows: [{**rows[0], "FACE_WIDTH": "0"}, *rows[1:]])
    with pytest.raises(DataError, match="box without a size"):
        open_media(IjbC().read(root).media["probe"][0])
    assert lines(root)["boxes without a size or outside their image"].level == "damaged"


@pytest.mark.parametrize("place", [1, 2, 9])
@pytest.mark.parametrize("cell", ["x", "90000", ""])
def test_points_that_cannot_be_cut_out_are_named(copy: Copy, place: int, cell: str) -> None:
    root = copy("C")
    path = root / "meta/ijbc_name_5pts_score.txt"
    first, *rest = path.read_text().splitlines()
    cells = first.split(" ")
    cells[place] = cell or "nan"
    path.write_text("\n".join([" ".join(cells), *rest]) + "\n")
    study = IjbC().read(root)
    media = next(m for side in study.media.values() for m in side if m.path.name == cells[0])
    with pytest.raises(DataError, match="box"):
        open_media(media)
    line = lines(root)["boxes without a size or outside their image"]
    assert (line.level, line.found) == ("damaged", "1")
    whole = {line.subject: line for line in IjbC(lr=None, crop="whole").check(root)}
    assert whole["boxes without a size or outside their image"].level == "ok"  # nothing is cut out there


def test_people_in_both_galleries_and_in_none_are_reported_but_no_damage_since_a_run_takes_them(
    copy: Copy, edit: Edit
) -> None:
    root = copy("B")
    person = IjbC().read(root).media["gallery"][0].identity
    edit(root / G2, lambda rows: [{**row, "SUBJECT_ID": str(person)} for row in rows])
    result = lines(root)
    assert (result["people in both galleries"].level, result["people in both galleries"].examples) == (
        "differs", (person,),
    )  # fmt: skip
    lost = result["people searched and in no gallery"]
    assert (lost.level, lost.found) == ("differs", "2")
    assert result["people with several templates in G2"].found == "1"


def test_a_face_that_is_enrolled_and_searched_is_reported(copy: Copy, edit: Edit) -> None:
    root = copy("A")
    folder = root / "protocols"
    first: list[dict[str, str]] = []
    edit(folder / "ijbc_1N_gallery_G1.csv", lambda rows: first.append(dict(rows[0])) or rows)  # type: ignore[func-returns-value]  # None is falsy
    edit(
        folder / "ijbc_1N_probe_mixed.csv",
        lambda rows: [*rows, {**first[0], "TEMPLATE_ID": "777"}, {**first[0], "TEMPLATE_ID": first[0]["TEMPLATE_ID"]}],
    )
    result = lines(root)
    both = result["faces (person, file) enrolled and searched"]
    assert (both.level, both.found) == ("differs", "1")
    assert result["templates enrolled and searched"].examples == (first[0]["TEMPLATE_ID"],)


def test_equal_crops_enrolled_and_searched_are_reported(copy: Copy) -> None:
    root = copy("C")
    data = IjbC().read(root).media
    probe, enrolled = data["probe"][0].path, data["gallery"][0].path
    probe.write_bytes(enrolled.read_bytes())
    line = lines(root)["crops enrolled and searched, equal byte for byte"]
    assert (line.level, line.examples) == ("differs", (f"{enrolled.name} = {probe.name}",))


def test_labels_that_contradict_and_templates_that_lack_are_reported(copy: Copy) -> None:
    root = copy("C")
    path = root / "meta/ijbc_template_pair_label.txt"
    first, *rest = path.read_text().splitlines(True)
    path.write_text(first.replace(" 1\n", " 0\n") + "".join(rest) + "1 9999 0\n")
    result = lines(root)
    assert result["labels of pairs that contradict the subjects"].examples == ("line 1",)
    assert result["templates of pairs without an image or a list"].examples == ("9999",)


def test_a_template_of_pairs_without_a_crop_is_damage_where_pairs_are_compared(copy: Copy) -> None:
    root = copy("C")
    path = root / "meta/ijbc_face_tid_mid.txt"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if line.split()[1] != "2"))
    line = {line.subject: line for line in IjbC(task="verification").check(root)}[
        "templates of pairs without an image or a list"
    ]
    assert (line.level, line.examples) == ("damaged", ("2",))


@pytest.mark.parametrize(("label", "people"), [("1", "one person"), ("0", "two people")])
def test_pairs_of_one_kind_are_refused_by_the_run_and_the_check(copy: Copy, label: str, people: str) -> None:
    root = copy("C")
    path = root / "meta/ijbc_template_pair_label.txt"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if line.split()[2] == label))
    protocol = IjbC(task="verification")
    with pytest.raises(DataError, match=f"pairs is of {people}"):
        protocol.read(root)
    line = {line.subject: line for line in protocol.check(root)}["readable for verification"]
    assert line.level == "damaged" and people in line.found


def test_a_template_without_a_crop_is_damage(copy: Copy) -> None:
    root = copy("C")
    with (root / "meta/ijbc_1N_probe_mixed.csv").open("a") as file:
        file.write("9999,1" + "," * 32 + "\n")
    line = lines(root)["templates without an image"]
    assert (line.level, line.examples) == ("damaged", ("9999",))


def test_damaged_lists_become_lines_and_nothing_is_raised(copy: Copy) -> None:
    root = copy("B")
    (root / PROBES).write_bytes(b"\xff\xfe\x00")
    (root / "protocols/test1/match.csv").write_text("1,99999\n")
    result = lines(root)
    assert (
        result["lists for identification"].level == "damaged"
        and "probes.csv" in result["lists for identification"].found
    )
    assert result["templates of pairs without an image or a list"].level == "differs"  # not needed for the search
    assert result["readable for identification"].level == "damaged"
    assert result["readable for verification"].level == "differs"
    verified = {line.subject: line for line in IjbC(task="verification").check(root)}
    assert verified["readable for verification"].level == "damaged"
    assert result["enrolled files absent or damaged"].level == "ok"  # the images of the pairs are opened instead


def test_a_set_without_pairs_says_so(copy: Copy) -> None:
    root = copy("B")
    (root / "protocols/test1/match.csv").unlink()
    result = lines(root)
    assert result["1:1 lists"].level == "differs"
    assert "readable for verification" not in result
