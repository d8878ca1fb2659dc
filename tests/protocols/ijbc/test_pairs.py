"""The 1:1 pairs of IJB-C: their files, in every form, and what they are made into."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DataError
from bench.studies import VerificationSet
from protocols.ijbc import studies
from protocols.ijbc.pairs import Pairs, indices_of, people_by_pairs, read_pairs
from protocols.ijbc.protocol import IjbC

Copy = Callable[[str], Path]
Edit = Callable[[Path, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]
MATCHES = {
    "A": "protocols/ijbc_11_G1_G2_matches.csv",
    "B": "protocols/test1/match.csv",
    "C": "meta/ijbc_template_pair_label.txt",
}
RELEASES = tuple(MATCHES)


def read(root: Path, **arguments: Any) -> VerificationSet:
    result = IjbC(task="verification", **arguments).read(root)
    assert isinstance(result, VerificationSet)
    return result


def pair_list(data: VerificationSet) -> list[tuple[str, str, bool]]:
    """The pairs by the names of their templates."""
    one, other = (list(dict.fromkeys(m.template for m in part)) for part in (data.enrolled, data.verified))
    return [(one[a], other[b], bool(same)) for a, b, same in zip(data.first, data.second, data.same, strict=True)]


@pytest.mark.parametrize("release", RELEASES)
def test_pairs_and_labels_are_those_of_the_lists(drawn_ijbc: dict[str, Path], release: str) -> None:
    root = drawn_ijbc[release]
    owners = {}
    for path in (drawn_ijbc["B"] / "protocols/test1").glob("*_templates.csv"):
        with path.open(newline="") as file:
            owners |= {row["TEMPLATE_ID"]: row["SUBJECT_ID"] for row in csv.DictReader(file)}
    lines = [line.replace(",", " ").split() for line in (root / MATCHES[release]).read_text().splitlines()]
    lines = [line for line in lines if line[0].isdigit()]
    expected = [(a, b, owners[a] == owners[b]) for a, b, *_ in lines]
    data = read(root)
    assert pair_list(data) == expected
    if release == "C":
        assert [same for *_, same in expected] == [line[2] == "1" for line in lines]
    assert (data.first.dtype, data.second.dtype, data.same.dtype) == (np.int64, np.int64, np.bool_)
    assert 0 < data.same.sum() < len(data.same)
    assert {m.role for m in data.enrolled} == {"gallery"} and {m.role for m in data.verified} == {"probe"}
    assert all(m.identity == owners[m.template] for m in (*data.enrolled, *data.verified))
    assert all(m.cut and m.cut.side == 16 for m in data.verified)
    assert all(m.cut and m.cut.side is None for m in data.enrolled)


def test_the_three_releases_have_the_same_pairs(drawn_ijbc: dict[str, Path]) -> None:
    one, two, three = (pair_list(read(drawn_ijbc[release])) for release in RELEASES)
    assert one == two == three


def test_pairs_with_the_published_counts_are_official(drawn_ijbc: dict[str, Path], monkeypatch: Any) -> None:
    data = read(drawn_ijbc["B"])
    assert not data.official and "of 15,638,932 impostor pairs" in data.notes[-1]
    counts = {"genuine pairs": int(data.same.sum()), "impostor pairs": int((~data.same).sum())}
    monkeypatch.setattr(studies, "OFFICIAL_PAIRS", counts)
    assert read(drawn_ijbc["B"]).official


@pytest.mark.parametrize("release", ["A", "B"])
def test_matches_are_read_with_or_without_a_header(copy: Copy, release: str) -> None:
    root = copy(release)
    before = pair_list(read(root))
    path = root / MATCHES[release]
    text = path.read_text()
    if release == "A":
        path.write_text("ENROLL_TEMPLATE_ID,VERIF_TEMPLATE_ID\n" + text)
    else:
        path.write_text(text.partition("\n")[2])
    assert pair_list(read(root)) == before


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("cell", ["x", "1x", "", "-", "\N{SUPERSCRIPT TWO}"])
def test_a_damaged_first_line_is_no_header_that_may_be_left_out(copy: Copy, release: str, cell: str) -> None:
    root = copy(release)
    path = root / MATCHES[release]
    mark = " " if release == "C" else ","
    lines = [line for line in path.read_text().splitlines() if line[0].isdigit()]
    path.write_text("\n".join([mark.join([cell, *lines[0].split(mark)[1:]]), *lines[1:]]) + "\n")
    with pytest.raises(DataError, match=path.name):
        read(root)


@pytest.mark.parametrize("release", ["A", "B"])
def test_a_pair_of_an_unknown_template_is_refused(copy: Copy, release: str) -> None:
    root = copy(release)
    with (root / MATCHES[release]).open("a") as file:
        file.write("1,99999\n")
    with pytest.raises(DataError, match=r"1 templates of .* are in no list of templates: \[99999\]"):
        read(root)


def test_templates_in_no_pair_are_left_out_and_reported(copy: Copy) -> None:
    root = copy("A")
    before = read(root)
    last = str(before.verified[-1].template)
    path = root / MATCHES["A"]
    path.write_text("".join(line for line in path.read_text().splitlines(True) if line.strip().split(",")[1] != last))
    data = read(root)
    assert last not in {m.template for m in data.verified}
    assert "1 templates are second in no pair and were left out." in data.notes


def test_a_labelled_template_without_a_crop_is_a_failure_of_its_person(copy: Copy) -> None:
    root = copy("C")
    before = read(root)
    lost = before.verified[0].template
    media = root / "meta/ijbc_face_tid_mid.txt"
    media.write_text("".join(line for line in media.read_text().splitlines(True) if line.split()[1] != lost))
    data = read(root)
    assert sorted(pair_list(data)) == sorted(pair_list(before))
    template_media = [m for m in data.verified if m.template == lost]
    assert (
        len(template_media) == 1
        and not template_media[0].path.exists()
        and template_media[0].identity == before.verified[0].identity
    )
    assert f"1 templates are listed without an image: {lost}; each counts as a failure." in data.notes


def test_without_lists_of_people_the_labels_say_who_is_one_person(copy: Copy) -> None:
    root = copy("C")
    before = read(root)
    for path in (root / "meta").glob("*.csv"):
        path.unlink()
    data = read(root)
    assert pair_list(data) == pair_list(before)
    names: dict[str, set[str]] = {}
    for old, new in zip((*before.enrolled, *before.verified), (*data.enrolled, *data.verified), strict=True):
        names.setdefault(str(old.identity), set()).add(str(new.identity))
    assert all(len(templates) == 1 for templates in names.values())
    assert len({name for templates in names.values() for name in templates}) == len(names)
    assert any("are in no 1:N list; people are derived from the labels" in note for note in data.notes)


def test_a_label_that_contradicts_the_people_is_reported_and_decides(copy: Copy) -> None:
    root = copy("C")
    path = root / MATCHES["C"]
    first, *rest = path.read_text().splitlines(True)
    path.write_text(first.replace(" 1\n", " 0\n") + "".join(rest))
    data = read(root)
    assert not data.same[0]
    assert "1 labels of pairs contradict the subjects of the 1:N lists; the labels are used." in data.notes


def test_a_template_on_both_sides_is_embedded_on_both(copy: Copy) -> None:
    root = copy("C")
    with (root / MATCHES["C"]).open("a") as file:
        file.write("2 1 1\n")
    data = read(root)
    assert pair_list(data)[-1] == ("2", "1", True)
    keys = [m.key for m in (*data.enrolled, *data.verified)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("text", ["3,4\n5,6\n", "3 4\n5 6\n", "A,B\n3,4\n\n5,6\n", "\ufeff3,4\n5,6", "3,4\r\n5,6\r\n"])
@pytest.mark.parametrize("lines", [1, 1000])
def test_pairs_are_read_in_every_spelling_and_in_any_pieces(tmp_path: Path, text: str, lines: int) -> None:
    path = tmp_path / "match.csv"
    path.write_bytes(text.encode())
    pairs = read_pairs(path, labelled=False, lines=lines)
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.same) == ([3, 5], [4, 6], None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "holds no pairs|cannot be read"),
        ("a,b\n", "holds no pairs|cannot be read"),
        ("1,2,1\n3,4\n", "column 3 of 1 of 2 rows is not a whole number; the first is row 2, empty"),
        ("1,2,1\n3,x,0\n", "column 2 of 1 of 2 rows is not a whole number; the first is row 2, 'x'"),
        ("1,2,1\n3,4.5,0\n", "column 2 of 1 of 2 rows is not a whole number"),
        ("1,2,1\n3,4,0,5\n", "damaged"),
        ("1,2\n3,4\n", "has 2 columns; expected 3"),
        ("1,2,1\n3,4,2\n", "1 labels are neither 0 nor 1"),
        ("1,2,1\n3,99999999999999999999,0\n", "whole number"),
        pytest.param("1,2,1" + ",1" * 4000 + "\n3,4,0\n", "has 4003 or more columns; expected 3", id="long first row"),
        pytest.param("1,2,1\n3,4,0" + ",1" * 4000 + "\n", "damaged", id="long row"),
    ],
)
def test_damaged_pairs_are_named(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=fault):
        read_pairs(path, labelled=True)


def test_a_file_that_is_no_text_or_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; it lists the pairs"):
        read_pairs(tmp_path / "absent", labelled=True)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01\n")
    with pytest.raises(DataError, match="is UTF-16"):
        read_pairs(tmp_path / "binary", labelled=True)


def test_places_equal_a_dictionary() -> None:
    rng = np.random.default_rng(0)
    templates = rng.permutation(50)[:30].tolist()
    numbers = rng.integers(0, 60, 400)
    expected = [{t: i for i, t in enumerate(templates)}.get(n, -1) for n in numbers.tolist()]
    assert indices_of(numbers, templates).tolist() == expected
    assert indices_of(numbers[:2], []).tolist() == [-1, -1]


def test_people_are_chains_of_equal_pairs() -> None:
    pairs = Pairs(np.array([1, 7, 2, 9, 4]), np.array([7, 8, 3, 2, 4]), np.array([True, True, False, True, True]))
    people = people_by_pairs(pairs)
    assert people == {
        1: "of template 1", 7: "of template 1", 8: "of template 1", 2: "of template 2", 9: "of template 2",
        3: "of template 3", 4: "of template 4",
    }  # fmt: skip
    with pytest.raises(DataError, match="without labels"):
        people_by_pairs(Pairs(pairs.first, pairs.second, None))


@pytest.mark.parametrize("cell", ["1e400", "inf", "nan", "9" * 5000, "1.5", "0x10"])
def test_a_template_that_is_no_finite_number_is_refused_in_short(tmp_path: Path, cell: str) -> None:
    (tmp_path / "pairs.txt").write_text(f"1 2 1\n{cell} 3 0\n")
    with pytest.raises(DataError) as caught:
        read_pairs(tmp_path / "pairs.txt", labelled=True)
    assert "pairs.txt" in str(caught.value) and len(str(caught.value)) < 400
