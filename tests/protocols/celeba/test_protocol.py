"""CelebA in the layouts that go round: who is drawn, enrolled and searched; what is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS
from bench.registry import Spec
from bench.types import CheckLine
from protocols.celeba.files import find_celeba, picture_folder
from protocols.celeba.people import searchable_people
from protocols.celeba.protocol import CelebA

Write = Callable[..., Path]

# identity, partition, frontal: 1 and 2 train, 3 and 4 are tested, 5 is in two partitions, 6 never looks ahead
ROWS = [
    (1, 0, True),
    (2, 1, True),
    (3, 2, False),
    (3, 2, True),
    (3, 2, True),
    (4, 2, True),
    (5, 0, True),
    (5, 2, True),
    (6, 2, False),
]


def line(lines: list[CheckLine], subject: str) -> CheckLine:
    (result,) = [line for line in lines if line.subject == subject]
    return result


def replace_row(path: Path, number: int, text: str) -> None:
    rows = path.read_text().splitlines()
    rows[number] = text
    path.write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("layout", ["official", "flat", "kaggle"])
def test_every_layout_gives_the_same_people(write_celeba: Write, tmp_path: Path, layout: str) -> None:
    root = write_celeba(ROWS, layout)
    assert find_celeba(tmp_path) == root  # the folder celeba in it
    people = searchable_people(find_celeba(root))
    # the nose of the third picture stands nearest to the middle of the eyes, 87.5
    assert people.pictures == {
        "3": ("000003.png", "000004.png", "000005.png"),
        "4": ("000006.png",),
        "6": ("000009.png",),
    }
    assert not people.whole
    assert any("1 people of the test partition are in another partition too" in note for note in people.notes)


def test_views_of_the_photograph_enrolled_are_searched(
    write_celeba: Write, tmp_path: Path, quick_views: object
) -> None:
    root = write_celeba(ROWS)
    data = CelebA(lr=32).read_with(root, tmp_path / "scratch")
    assert {m.identity: m.key for m in data.gallery} == {"3": "gallery/000004.png", "4": "gallery/000006.png"}
    assert len(data.probes) == 16
    mine = [m for m in data.probes if m.identity == "3"]
    assert [m.attributes["yaw_deg"] for m in mine] == [-22.0, 22.0, -40.0, 40.0, -55.0, 55.0, -75.0, 75.0]
    assert mine[0].key == "probe/000004.png@yaw-22"
    assert {m.attributes["photograph"] for m in mine} == {"000004.png"}
    assert all(m.cut is not None and m.cut.side == 32 for m in data.probes)
    assert all(m.cut is None for m in data.gallery)
    assert not data.official
    assert any("2 not frontal" in note for note in data.notes)
    assert any("1 people without a frontal photograph" in note for note in data.notes)


def test_views_of_another_photograph_are_searched(write_celeba: Write, tmp_path: Path, quick_views: object) -> None:
    root = write_celeba([*ROWS, (4, 2, True)])
    data = CelebA(probe="other").read_with(root, tmp_path / "scratch")
    assert {m.identity: m.key for m in data.gallery} == {"3": "gallery/000004.png", "4": "gallery/000006.png"}
    assert {m.attributes["photograph"] for m in data.probes} == {"000005.png", "000010.png"}
    assert any("1 people without two different frontal photographs" in note for note in data.notes)


def test_a_copy_of_the_photograph_enrolled_is_no_other_one(
    write_celeba: Write, tmp_path: Path, quick_views: object
) -> None:
    root = write_celeba(ROWS)
    folder = picture_folder(root)
    assert folder is not None
    (folder / "000005.png").write_bytes((folder / "000004.png").read_bytes())
    with pytest.raises(
        DataError, match="0 of 3 people can be enrolled.*3 people without two different frontal photographs"
    ):
        CelebA(probe="other").read_with(root, tmp_path / "scratch")


def test_the_seed_decides_who_is_drawn_and_who_is_absent_changes_nobody_else(
    write_celeba: Write, tmp_path: Path, quick_views: object
) -> None:
    root = write_celeba([(person, 2, True) for person in range(1, 31)])
    drawn = {
        seed: [m.identity for m in CelebA(identities=8, seed=seed).read_with(root, tmp_path / "s").gallery]
        for seed in (0, 1)
    }
    assert drawn[0] != drawn[1] and len(set(drawn[0])) == 8
    index = int(str(drawn[0][2])) - 1
    replace_row(root / "Eval/list_eval_partition.txt", index, f"{index + 1:06d}.png 0")
    again = [m.identity for m in CelebA(identities=7).read_with(root, tmp_path / "s").gallery]
    assert again == [person for person in drawn[0] if person != drawn[0][2]]


def test_a_second_read_renders_nothing(write_celeba: Write, tmp_path: Path, quick_views: list[Path]) -> None:
    root = write_celeba(ROWS)
    first = CelebA().read_with(root, tmp_path / "scratch")
    rendered = len(quick_views)
    assert rendered == 4  # two of person 3, the last of which is frontal, one of 4, one of 6
    assert CelebA().read_with(root, tmp_path / "scratch") == first
    assert len(quick_views) == rendered
    CelebA(seed=1).read_with(root, tmp_path / "scratch")
    assert len(quick_views) == 2 * rendered


def test_one_person_alone_is_no_search(write_celeba: Write, tmp_path: Path, quick_views: object) -> None:
    root = write_celeba([(3, 2, True), (6, 2, False)])
    with pytest.raises(DataError, match="1 of 2 people can be enrolled; a search needs two or more.*1 not frontal"):
        CelebA().read_with(root, tmp_path / "scratch")


def test_nobody_to_search_comes_with_what_is_wrong_in_the_lists(write_celeba: Write) -> None:
    root = write_celeba([(1, 0, True), (1, 2, True), (2, 2, True)])
    replace_row(root / "Anno/identity_CelebA.txt", 2, "000003.png")
    with pytest.raises(DataError, match="Nobody .* 1 rows of identity.* no identity .* are in another partition too"):
        searchable_people(root)


def test_without_identities_nobody_can_be_searched(write_celeba: Write) -> None:
    root = write_celeba(ROWS)
    (root / "Anno/identity_CelebA.txt").unlink()
    with pytest.raises(DataError, match="identity_CelebA.txt.*available on request"):
        CelebA().read(root)


def test_wrong_rows_are_left_out_and_reported(write_celeba: Write) -> None:
    root = write_celeba(ROWS)
    replace_row(root / "Anno/identity_CelebA.txt", 5, "000006.png four")
    replace_row(root / "Eval/list_eval_partition.txt", 3, "../000004.png 2")
    people = searchable_people(root)
    assert people.pictures == {"3": ("000003.png", "000005.png"), "6": ("000009.png",)}
    notes = " ".join(people.notes)
    assert "1 rows of identity_CelebA.txt are wrong and left out: line 6: 'four' is not a whole number" in notes
    assert "line 4: '../000004.png' is not a plain file name" in notes
    assert "1 pictures of the test partition have no identity" in notes


def test_a_picture_of_another_ending_serves_and_an_absent_one_is_counted(
    write_celeba: Write, tmp_path: Path, quick_views: object
) -> None:
    root = write_celeba(ROWS)
    folder = picture_folder(root)
    assert folder is not None
    (folder / "000006.png").rename(folder / "000006.jpg")
    (folder / "000003.png").unlink()
    data = CelebA().read_with(root, tmp_path / "scratch")
    assert {m.identity for m in data.gallery} == {"3", "4"}
    assert any("1 file not found" in note for note in data.notes)


def test_arguments_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two or more"):
        CelebA(identities=1)
    with pytest.raises(UsageError, match="lr"):
        PROTOCOLS["celeba"].create(dict(Spec.parse("celeba:lr=17").arguments))
    assert CelebA(frame="celeba128").default_align == "template:frame=celeba128"


def test_the_check_finds_what_is_wrong(write_celeba: Write) -> None:
    root = write_celeba(ROWS)
    folder = picture_folder(root)
    assert folder is not None
    replace_row(root / "Anno/identity_CelebA.txt", 0, "000001.png")
    replace_row(root / "Anno/list_landmarks_align_celeba.txt", 0, "77")
    (folder / "000004.png").write_bytes(b"no picture")
    (folder / "000006.png").write_bytes((folder / "000005.png").read_bytes())
    (folder / "000001.png").unlink()
    (folder / "more").mkdir()
    (folder / "other.png").write_bytes(b"")
    lines = CelebA().check(root)
    assert line(lines, "list_eval_partition rows").expected == "202,599"
    assert line(lines, "test pictures") == CheckLine("differs", "test pictures", "6", "19,962")
    assert line(lines, "identities").found == "5"  # the row of 1 is lost
    assert line(lines, "identities in the test partition").found == "4"
    assert line(lines, "identity_CelebA rows that are wrong").examples == ("line 1: 1 cells, not 2",)
    assert line(lines, "list_landmarks_align_celeba rows declared in its first line").found == "77 declared, 9 present"
    assert line(lines, "list_attr_celeba list").level == "differs"
    assert line(lines, "identities in both train and test").examples == ("5",)
    assert line(lines, "identities in both train and validation").level == "ok"
    assert line(lines, "other pictures listed but absent").examples == ("000001.png",)  # of the training part
    assert line(lines, "pictures not listed").examples == ("other",)
    assert line(lines, "folders among the pictures, not read").examples == ("more",)
    (bad,) = line(lines, "test files absent or damaged").examples
    assert bad.endswith("000004.png: not an image")
    assert line(lines, "equal pictures in the test partition").examples == ("000005.png = 000006.png",)
    assert line(lines, "readable for a run").level == "ok"


def test_the_check_of_a_folder_without_lists_does_not_raise(write_celeba: Write) -> None:
    root = write_celeba(ROWS)
    for path in [*root.rglob("*.txt")]:
        path.unlink()
    lines = CelebA().check(root)
    assert line(lines, "identity_CelebA list").level == "damaged"
    assert line(lines, "readable for a run").level == "damaged"


def test_a_wrong_folder_is_named_with_the_right_one(write_celeba: Write, tmp_path: Path) -> None:
    root = write_celeba(ROWS)
    with pytest.raises(DataError, match="is a folder inside CelebA. Use --data-root"):
        find_celeba(root / "Img")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="does not hold CelebA: expected pictures"):
        find_celeba(tmp_path / "empty")
