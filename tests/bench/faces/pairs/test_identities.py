"""Identity labels and published parts: folders, CelebA's lists, CSV; what names nobody is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import DataError
from bench.faces.pairs.identities import read_identities, read_partition

ROOT = Path("/photographs")
FILES = [ROOT / "a" / "1.jpg", ROOT / "a" / "2.jpg", ROOT / "b" / "1.jpg", ROOT / "3.jpg"]


def test_a_folder_names_its_person_and_a_photograph_beside_the_folders_has_none() -> None:
    assert read_identities("folder", ROOT, FILES) == ["a", "a", "b", ""]


@pytest.mark.parametrize(
    "text",
    [
        "2.jpg 17\n3.jpg  18\n999.jpg 17\n",
        "4\n2.jpg 17\n3.jpg 18\n",
        "path,identity,turn\n2.jpg,17,0.5\n3.jpg,18,0.1\n",
        "image_id,Identity\r\na/2.jpg,17\r\n3.jpg,18\r\n",
        "turn,x,identity\n2.jpg,0.5,17\n3.jpg,0.5,18\n",
    ],
)
def test_lists_of_several_forms_give_the_labels(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    assert read_identities(str(path), ROOT, FILES) == ["", "17", "", "18"]


def test_a_bare_name_that_two_photographs_have_labels_neither(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("1.jpg 5\nb/1.jpg 6\n3.jpg 7\n")
    assert read_identities(str(path), ROOT, FILES) == ["", "", "6", "7"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8.jpg 1\n", "names none of the 4 photographs"),
        ("2.jpg 1\n2.jpg 2\n", "listed twice with two values"),
        ("2.jpg 1\n3.jpg\n", "line 2"),
    ],
)
def test_a_list_that_says_nothing_or_two_things_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_identities(str(path), ROOT, FILES)


def test_the_published_parts_are_those_of_celeba(tmp_path: Path) -> None:
    path = tmp_path / "list_eval_partition.txt"
    path.write_text("a/1.jpg 0\n2.jpg 1\n3.jpg 2\n")
    assert read_partition(path, ROOT, FILES) == ["train", "validation", "", "test"]
    path.write_text("a/1.jpg 3\n")
    with pytest.raises(DataError, match="the codes are 0 train, 1 validation, 2 test"):
        read_partition(path, ROOT, FILES)
