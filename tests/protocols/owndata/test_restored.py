"""LR pictures and their ground truth by a table: equal figures to restoration:source=pairs, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError, UsageError
from bench.types import Points
from protocols.owndata.restored import OwnRestoration
from protocols.views import detected

Write = Callable[..., Path]
Bench = Callable[..., tuple[int, str, str]]
POINTS: Points = ((10.0, 12.0), (30.0, 11.0), (20.0, 22.0), (13.0, 31.0), (28.0, 30.0))


@pytest.fixture(autouse=True)
def quick_finder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face in every picture."""
    monkeypatch.setattr(detected, "_engine", lambda detector: "quick")
    monkeypatch.setattr(detected, "_finder", lambda detector: lambda image: POINTS)


@pytest.fixture
def root(picture: Write, tmp_path: Path) -> Path:
    """Four pairs of 16 and 48 pixels."""
    for name in "abcd":
        picture(f"LR/{name}.png", side=16)
        picture(f"HR/{name}.png", side=48)
    return tmp_path / "data"


def table(root: Path, text: str) -> Path:
    (root / "pairs.csv").write_text(text)
    return root


ROWS = "lr,hr,yaw\n" + "".join(
    f"LR/{name}.png,HR/{name}.png,{yaw}\n" for name, yaw in zip("dbca", (0, 30, -30, 0), strict=True)
)


def test_pairs_have_points_of_both_sizes_and_attributes(root: Path, tmp_path: Path) -> None:
    study = OwnRestoration().read_with(table(root, ROWS), tmp_path / "scratch")
    assert [media.key for media in study.faces] == [f"LR/{name}.png" for name in "abcd"]
    assert [media.identity for media in study.truths] == [f"HR/{name}.png" for name in "abcd"]
    assert study.truths[0].landmarks == POINTS
    assert study.faces[0].landmarks is not None and study.faces[0].landmarks[0] == pytest.approx((3.0, 12.5 / 3 - 0.5))
    assert study.faces[1].attributes == {"yaw_deg": 30.0} and study.official is None
    given = "lr,hr,identity,camera," + ",".join(f"{axis}{n}" for n in range(1, 6) for axis in "xy")
    values = ",".join(f"{value:g}" for point in POINTS for value in (point[0] + 1, point[1]))
    study = OwnRestoration().read_with(table(root, f"{given}\nLR/a.png,HR/a.png,ann,door,{values}\n"), tmp_path)
    assert study.truths[0].landmarks is not None and study.truths[0].landmarks[0] == (11.0, 12.0)
    assert study.faces[0].identity == "ann" and study.faces[0].attributes == {"camera": "door"}


def test_figures_equal_those_of_the_same_pairs_in_two_folders(bench: Bench, root: Path, tmp_path: Path) -> None:
    table(root, "lr,hr\n" + "".join(f"LR/{name}.png,HR/{name}.png\n" for name in "dbca"))
    records = []
    for number, protocol in enumerate(("csv-restoration", "restoration:source=pairs,lr=LR,hr=HR")):
        options = (
            "--hallucinator",
            "bicubic:size=48",
            "--images",
            "none",
            "--threads",
            1,
            "--out",
            tmp_path / str(number),
        )
        code, _, err = bench("run", "--protocol", protocol, "--data-root", root, *options)
        assert code == 0, err
        records.append(json.loads((tmp_path / str(number) / "run.json").read_text()))
    assert records[0]["metrics"] == records[1]["metrics"] and records[0]["metrics"]["psnr_db"]["n"] == 4


def test_wrong_rows_are_all_named_by_the_run_and_the_check(root: Path, tmp_path: Path) -> None:
    text = (
        ROWS + "LR/a.png,HR/a.png,0\n../x.png,HR/a.png,0\nLR/a.png,,0\nHR/a.png,HR/a.png,0\nLR/b.png,HR/b.png,north\n"
    )
    with pytest.raises(DataError) as error:
        OwnRestoration().read_with(table(root, text), tmp_path)
    for part in (
        "1 LR pictures that are listed twice (row 6: 'LR/a.png')",
        "1 paths outside the data root (row 7: '../x.png')",
        "1 rows without a path in the column hr (row 8)",
        "1 rows with one picture as LR and ground truth (row 9: 'HR/a.png')",
        "1 cells of the column yaw that are no degrees from -180 to 180 (row 10: 'north')",
    ):
        assert part in str(error.value)
    damaged = {line.subject for line in OwnRestoration().check(root) if line.level == "damaged"}
    assert {"readable for a run", "LR pictures that are listed twice"} < damaged


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hr,lr\nLR/a.png,HR/a.png\n", "LR pictures larger than their ground truth"),
        ("lr,hr\nx/a.png,y/a.png\n", "no pair of files exists"),
        ("path,hr\nx/a.png,y/a.png\n", "has no column lr"),
        ("lr,hr,split\nLR/a.png,HR/a.png,one\nLR/b.png,HR/b.png,two\n", "rows of 2 splits"),
    ],
)
def test_wrong_tables_are_refused(root: Path, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        OwnRestoration().read_with(table(root, text), tmp_path)
    with pytest.raises(UsageError, match="csv-restoration:file=pairs.csv"):
        OwnRestoration().locate(root / "pairs.csv")


def test_a_truncated_picture_is_damage_and_the_others_are_measured(root: Path, tmp_path: Path) -> None:
    (root / "LR/a.png").write_bytes((root / "LR/a.png").read_bytes()[:100])
    table(root, ROWS)
    assert len(OwnRestoration().read_with(root, tmp_path).faces) == 4
    lines = {line.subject: line for line in OwnRestoration().check(root)}
    assert lines["lr files absent or damaged"].level == "damaged" and lines["readable for a run"].level == "ok"
