"""Pairs of the user: every format gives the same pairs, and wrong lists are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.studies import VerificationSet
from protocols.owndata.pairs import OwnPairs
from protocols.sample import SampleSummary

Write = Callable[..., Path]
Bench = Callable[..., tuple[int, str, str]]
NAMES = [f"{person}/{person}_000{number}.jpg" for person in ("Ann", "Bob", "Cy") for number in (1, 2)]
PAIRS = [(0, 1, 1), (2, 3, 1), (0, 3, 0), (2, 5, 0)]


@pytest.fixture
def root(picture: Write, tmp_path: Path) -> Path:
    """Three people with two pictures each, named as in LFW."""
    for name in NAMES:
        picture(name)
    return tmp_path / "data"


def rows(separator: str, *, fold: bool = False) -> str:
    lines = []
    for number, (one, other, same) in enumerate(PAIRS):
        lines.append(separator.join([NAMES[one], NAMES[other], str(same), *([str(number % 2)] if fold else [])]))
    return "\n".join(lines) + "\n"


def study(root: Path, tmp_path: Path, text: str, name: str = "pairs.csv", **arguments: object) -> VerificationSet:
    (root / name).write_text(text)
    protocol = OwnPairs(**arguments)  # type: ignore[arg-type]
    return protocol.read_with(protocol.locate(root), tmp_path / "scratch")


def compared(data: VerificationSet) -> list[tuple[str, str, bool]]:
    """Pictures and label of each pair."""
    first = [data.enrolled[place].path.name for place in data.first]
    second = [data.verified[place].path.name for place in data.second]
    return list(zip(first, second, data.same.tolist(), strict=True))


EXPECTED = [(Path(NAMES[one]).name, Path(NAMES[other]).name, bool(same)) for one, other, same in PAIRS]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pairs.csv", "a,b,same\n" + rows(",")),
        ("pairs.tsv", "a\tb\tsame\n" + rows("\t")),
        ("pairs.txt", rows(" ")),
        ("my list.txt", rows("\t")),
        ("pairs.txt", "2\nAnn 1 2\nBob 1 2\nAnn 1 Bob 2\nBob 1 Cy 2\n"),
    ],
)
def test_every_format_gives_the_same_pairs(root: Path, tmp_path: Path, name: str, text: str) -> None:
    data = study(root, tmp_path, text, name)
    assert compared(data) == EXPECTED
    assert len(data.enrolled) == 2 and len(data.verified) == 3 and data.official is None


def test_a_bin_file_gives_the_pairs_of_its_order_in_ten_folds(root: Path, tmp_path: Path) -> None:
    images = [(root / NAMES[place]).read_bytes() for pair in PAIRS for place in pair[:2]]
    (root / "lfw.bin").write_bytes(pickle.dumps((images * 6, [bool(pair[2]) for pair in PAIRS] * 6)))
    data = OwnPairs().read_with(OwnPairs().locate(root), tmp_path / "scratch")
    assert data.same.tolist() == [True, True, False, False] * 6
    assert data.fold is not None and data.fold.tolist() == sorted([*range(10)] * 2 + [0, 1, 2, 3])
    assert [data.enrolled[place].path.read_bytes() for place in data.first[:4]] == images[::2]
    assert [data.verified[place].path.read_bytes() for place in data.second[:4]] == images[1::2]
    assert OwnPairs(folds=0).read_with(root, tmp_path / "scratch").fold is None


def test_folds_are_those_of_the_list_or_parts_of_its_order(root: Path, tmp_path: Path) -> None:
    text = "a,b,same,fold\n" + rows(",", fold=True).replace(",1\n", ",7\n")
    data = study(root, tmp_path, text)
    assert data.fold is not None and data.fold.tolist() == [0, 1, 0, 1]
    halves = study(root, tmp_path, text, folds=2).fold
    assert halves is not None and halves.tolist() == [0, 0, 1, 1]
    assert study(root, tmp_path, text, folds=0).fold is None
    assert study(root, tmp_path, "a,b,same\n" + rows(",")).fold is None
    with pytest.raises(UsageError, match="folds is 1"):
        OwnPairs(folds=1)
    with pytest.raises(DataError, match="fewer pairs than folds"):
        study(root, tmp_path, text, folds=5)


def test_the_second_picture_is_shrunk(root: Path, tmp_path: Path) -> None:
    data = study(root, tmp_path, "a,b,same\n" + rows(","), lr=16)
    assert {media.cut and media.cut.side for media in data.verified} == {16}
    assert {media.cut for media in data.enrolled} == {None}


def test_pictures_that_pairs_join_are_one_person(root: Path, tmp_path: Path) -> None:
    data = study(root, tmp_path, "a,b,same\n" + rows(","))
    people = {media.path.name: media.identity for media in (*data.enrolled, *data.verified)}
    assert people["Ann_0001.jpg"] == people["Ann_0002.jpg"] != people["Bob_0001.jpg"] == people["Bob_0002.jpg"]
    text = "a,b,same\n" + rows(",") + f"{NAMES[1]},{NAMES[4]},1\n{NAMES[0]},{NAMES[4]},0\n"
    assert "1 pairs of two people (row 7...) are of one person by other pairs" in study(root, tmp_path, text).notes[0]


def test_wrong_rows_are_all_named(root: Path, tmp_path: Path) -> None:
    text = "a,b,same,fold\n" + rows(",", fold=True)
    text += (
        f"{NAMES[0]},{NAMES[0]},1,0\n{NAMES[1]},{NAMES[0]},0,0\n{NAMES[2]},{NAMES[3]},1,0\n../x.jpg,{NAMES[0]},1,0\n"
    )
    text += f"{NAMES[0]},{NAMES[4]},maybe,0\n{NAMES[0]},{NAMES[5]},0,\n,{NAMES[5]},0,1\n"
    with pytest.raises(DataError) as error:
        study(root, tmp_path, text)
    for part in (
        "1 pairs of a picture with itself (row 6: 'Ann/Ann_0001.jpg')",
        "1 pairs with two labels (row 2 and row 7)",
        "1 pairs that are listed twice (row 3 and row 8)",
        "1 paths outside the data root (row 9: '../x.jpg')",
        "1 rows with an unknown label (row 10: 'maybe'). A label is 1 (one person) or 0 (two people).",
        "1 rows without a number of the fold (row 11: '')",
        "1 rows without a path (row 12)",
    ):
        assert part in str(error.value)
    damaged = {line.subject for line in OwnPairs().check(root) if line.level == "damaged"}
    assert {"pairs with two labels", "readable for a run"} < damaged


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pairs.csv", "x.jpg,y.jpg,1\n", "has no header"),
        ("pairs.csv", "a,b,label\nx,y,1\n", "has no column same"),
        ("pairs.txt", "x.jpg y.jpg\n", "1 lines that are no pair .line 1: 'x.jpg y.jpg'"),
        ("pairs.txt", "", "lists without a pair"),
        ("pairs.txt", "10 300\nAnn 1 2\n", "has 1 pairs; its first line says"),
        ("pairs.csv", "a,b,same\nx.jpg,y.jpg,1\n", "lists of which no file exists"),
    ],
)
def test_files_that_are_no_list_are_refused(root: Path, tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        study(root, tmp_path, text, name)


def test_one_of_several_lists_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no list of pairs"):
        OwnPairs().locate(root)
    with pytest.raises(MissingError, match="a,b,same"):
        OwnPairs().locate(tmp_path / "nowhere")
    (root / "one.csv").write_text("a,b,same\n" + rows(","))
    (root / "two.txt").write_text(rows(" "))
    with pytest.raises(DataError, match="'one.csv', 'two.txt'. Name one by pairs:file=NAME"):
        OwnPairs().locate(root)
    assert len(OwnPairs(file="two.txt").read_with(root, tmp_path / "scratch").same) == 4
    with pytest.raises(UsageError, match="pairs:file=one.csv"):
        OwnPairs().locate(root / "one.csv")


def test_an_absent_picture_is_counted_and_damage_to_the_check(root: Path, tmp_path: Path) -> None:
    (root / NAMES[5]).unlink()
    data = study(root, tmp_path, "a,b,same\n" + rows(","))
    assert "1 of 5 listed pictures are absent (Cy/Cy_0002.jpg...)" in data.notes[0]
    lines = {line.subject: line for line in OwnPairs().check(root)}
    assert lines["picture files absent or damaged"].level == "damaged" and lines["readable for a run"].level == "ok"


def test_the_sample_runs_in_folds(
    bench: Bench, sample: Callable[..., tuple[Path, SampleSummary]], tmp_path: Path
) -> None:
    root, _ = sample("pairs", identities=6)
    assert bench("data", "check", "pairs", root)[0] == 0
    options = ("--align", "none", "--images", "none", "--threads", 1, "--out", tmp_path / "run")
    code, out, err = bench("run", "--protocol", "pairs", "--data-root", root, *options)
    assert code == 0, err
    assert "accuracy" in out and "auc" in out.lower()
