"""Reports on runs of every kind: numbers are those of the run, and nothing is said that holds of searches only."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.errors import DataError
from bench.results.folder import read_run
from reports.runs import figure_names
from reports.text import numbers

KINDS = ("verification", "restoration", "expression", "efficiency")
HOSTILE = ("<script>alert(1)</script>", "a|b _x_ [l](http://evil.example)")


def table(out: Path) -> list[dict[str, str]]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def texts(out: Path) -> tuple[str, str]:
    return ((out / "index.html").read_text(encoding="utf-8"), (out / "report.md").read_text(encoding="utf-8"))


def cells(html: str) -> dict[tuple[str, str], tuple[float, str]]:
    """The first value of each cell with a figure, by run and figure."""
    result = {}
    for run, row in re.findall(r'<tr data-run="([^"]*)"[^>]*>(.*?)</tr>', html, re.DOTALL):
        for name, value, shown in re.findall(
            r'data-figure="([^"]*)"><strong><data value="([^"]*)">([^<]*)</data></strong>', row
        ):
            result[run, name] = float(value), shown
    return result


def damage(folder: Path, change: Any) -> None:
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


def read_back(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_of_every_kind_is_on_the_page_as_in_run_json(make_other: Any, tmp_path: Path, kind: str) -> None:
    runs = [make_other("a", kind), make_other("b", kind, label="net", quality=1.5)]
    reports.build(runs, tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    shown, rows = cells(html), table(tmp_path / "out")
    checked = 0
    for folder in runs:
        record = read_back(folder)
        for name, figure in record["metrics"].items():
            value, text = shown[record["label"], name]
            assert value == figure["value"]
            digits = 1e-2 / 2 if figure["unit"] in ("dB", "ms", "MiB", "fraction") else 1e-4 / 2
            number = float(text.replace(",", "").replace("−", "-"))
            assert number == pytest.approx(value * (100 if figure["unit"] == "fraction" else 1), abs=digits * 1.001)
            (row,) = [r for r in rows if (r["run"], r["figure"]) == (record["label"], name)]
            assert (float(row["value"]), row["unit"], int(row["n"])) == (value, figure["unit"], figure["n"])
            assert text in markdown
            checked += 1
    assert checked == len(rows) == len({cell for cell in shown if cell[1] != "difference"})
    assert {row["group"] for row in rows} == {"1"}
    assert "CMC" not in html and "Paired differences" not in html and "shares no probe" not in html


def test_values_stand_in_their_units(make_other: Any, tmp_path: Path) -> None:
    reports.build([make_other("a", "efficiency"), make_other("r", "restoration")], tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    shown = cells(html)
    assert shown["none", "parameters"][1] == "26,500,000" and shown["none", "ms@batch=1"][1] == "12.00"
    assert shown["none", "peak-mib@batch=2"][1] == "40.25" and shown["none", "identity_similarity"][1] == "0.0571"
    assert "<small>MiB</small>" in html and "psnr\\_db (dB)" in markdown and "landmarks\\_found (%)" in markdown
    assert "Percent of" not in html


def test_a_distance_may_be_more_than_its_unit_and_a_rate_may_not(make_other: Any, tmp_path: Path) -> None:
    folder = make_other("a", "restoration")
    assert read_back(folder)["metrics"]["landmark_error"]["value"] > 1
    reports.build([folder], tmp_path / "out")
    damage(folder, lambda r: r["metrics"]["landmarks_found"].update(high=1.2))
    with pytest.raises(DataError, match="landmarks_found is not a fraction"):
        reports.build([folder], tmp_path / "out")


def test_figures_of_parts_are_folded_and_named(make_other: Any, tmp_path: Path) -> None:
    reports.build([make_other("a", "restoration")], tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    front = html[html.index('<table class="leaderboard">') : html.index('<details class="parts">')]
    assert "yaw" not in front and 'data-figure="psnr_db"' in front and 'data-figure="failed_faces"' in front
    assert "<summary>Figures of parts: <bdi>yaw 22, yaw 75</bdi></summary>" in html
    assert re.search(r"^\| yaw 75 \| none \|", markdown, re.MULTILINE)


def test_an_efficiency_run_mentions_no_recogniser_and_no_published_set(make_other: Any, tmp_path: Path) -> None:
    runs = [make_other("a", "efficiency"), make_other("b", "efficiency", label="net")]
    reports.build(runs, tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    for text in (html, markdown):
        assert "sface" not in text and "official" not in text and "identities" not in text.split("How to read")[0]
        assert "counted in net" in text  # one section, though parameters were counted in other ways
    assert {row["recogniser"] for row in table(tmp_path / "out")} == {""}


@pytest.mark.parametrize(
    ("kind", "name", "change", "why"),
    [
        ("verification", "accuracy", {"value": 0.5}, "accuracy is 0.5"),
        ("verification", "auc", {"n": 39}, "auc is over 39 pairs"),
        ("verification", "tar@far=0.1", {"n": 21}, "over 21 pairs of one person"),
        ("restoration", "psnr_db (yaw 22)", {"value": 90.0}, r"psnr_db \(yaw 22\) is 90"),
        ("restoration", "failed_faces", {"value": 0.0}, "failed_faces is 0"),
        ("restoration", "ssim", {"value": "high"}, "metrics.ssim.value is 'high'"),
        ("expression", "uar", {"value": 0.123}, "uar is 0.123"),
        ("expression", "recall (glad)", {"n": 3}, "over 3 faces"),
        ("expression", "accuracy (bicubic)", {"n_without_failures": 1}, "(1 scored)"),
        ("efficiency", "ms@batch=2", {"value": 1.0}, "ms@batch=2 is 1.0"),
        ("efficiency", "parameters", {"value": 7.0}, "parameters is 7.0"),
        ("efficiency", "parameters", {"unit": 3}, "metrics.parameters.unit is 3"),
    ],
)
def test_a_figure_that_contradicts_the_items_is_damage(
    make_other: Any, tmp_path: Path, kind: str, name: str, change: dict[str, Any], why: str
) -> None:
    folder = make_other("odd", kind)
    damage(folder, lambda r: r["metrics"][name].update(change))
    with pytest.raises(DataError, match=why):
        reports.build([folder], tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS)
def test_items_that_come_twice_or_are_cut_short_are_damage(make_other: Any, tmp_path: Path, kind: str) -> None:
    folder = make_other("cut", kind)
    rows = (folder / "per_item.csv").read_text().splitlines(keepends=True)
    for lines, why in (([*rows, rows[-1]], "per_item.csv has a key twice"), (rows[:-1], ""), (rows[:1], "no rows")):
        (folder / "per_item.csv").write_text("".join(lines))
        with pytest.raises(DataError, match=f"is damaged.*{why}"):
            reports.build([folder], tmp_path / "out")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('""expression"": ""glad""', '""expression"": ""rage""', "is damaged.*accuracy is"),
        ('""fold"": 0', '""fold"": ""x""', "not of a run of expression"),
        ('""fold"": 0', '""fold"": [0]', "neither text nor numbers"),
    ],
)
def test_items_of_another_kind_are_damage(make_other: Any, tmp_path: Path, old: str, new: str, why: str) -> None:
    folder = make_other("odd", "expression")
    text = (folder / "per_item.csv").read_text()
    assert old in text
    (folder / "per_item.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=why):
        reports.build([folder], tmp_path / "out")


def test_the_confusion_matrix_is_that_of_the_items(make_other: Any, tmp_path: Path) -> None:
    folder = make_other("a", "expression")
    reports.build([folder], tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    items = read_run(folder).items
    count = Counter((str(i.values["expression"]), str(i.values.get("predicted"))) for i in items)
    total = Counter(str(i.values["expression"]) for i in items)
    assert count["calm", "None"] == 1
    for label in ("calm", "glad"):
        shares = [f"{count[label, p]} ({100 * count[label, p] / total[label]:.2f})" for p in ("calm", "glad")]
        lost = count[label, "None"]
        assert f"| {label} | {shares[0]} | {shares[1]} | {lost} | {total[label]} |" in markdown
    assert html.count('<table class="confusion"') == 2 and 'data-of="bicubic"' in html


@pytest.mark.filterwarnings("error")
def test_hostile_labels_and_items_stay_text(make_other: Any, tmp_path: Path) -> None:
    runs = [
        make_other("a", "expression", labels=HOSTILE, label=HOSTILE[0]),
        make_other("b", "restoration", label=HOSTILE[1]),
        make_other("c", "efficiency", label=HOSTILE[0]),
    ]
    damage(runs[1], lambda r: r["protocol"].update(conventions={HOSTILE[0]: HOSTILE[1]}))
    damage(runs[2], lambda r: r["protocol"].update(parameters=HOSTILE[0], batches=HOSTILE[0]))
    reports.build(runs, tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    assert "<script>alert" not in html and "&lt;script&gt;" in html
    assert "<script" not in markdown and not re.search(r"(?<!\\)\]\(", markdown)


def test_kinds_stand_in_sections_of_their_own(make_run: Any, make_other: Any, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    searches = [make_run("lr"), make_run("net", label="net", quality=1.0)]
    reports.build(searches, alone)
    reports.build([*searches, *(make_other(kind, kind) for kind in KINDS)], tmp_path / "out")
    groups = {row["folder"]: row["group"] for row in table(tmp_path / "out")}
    assert groups == {"lr": "1", "net": "1", "verification": "2", "restoration": "3", "expression": "4"} | {
        "efficiency": "5"
    }
    html, _ = texts(tmp_path / "out")
    section = re.compile(r'<section aria-labelledby="s1">.*?</section>', re.DOTALL)
    assert section.findall(html) == section.findall(texts(alone)[0])
    assert html.count('aria-label="CMC curves') == 1
    for term in ("<dt>Rank</dt>", "<dt>Verification</dt>", "<dt>Efficiency</dt>"):
        assert term in html
    assert "<dt>Efficiency</dt>" not in texts(alone)[0]


def test_restored_faces_are_shown_beside_their_truth(make_other: Any, tmp_path: Path) -> None:
    reports.build([make_other("a", "restoration")], tmp_path / "out")
    html, markdown = texts(tmp_path / "out")
    assert (
        html.count('alt="ground-truth face"') == html.count('alt="output of none"') == 6
    )  # 8, one failed, one is equal
    order = re.findall(r"^\| (f\d) \| p\d \| ([\d.]+) dB \|$", markdown, re.MULTILINE)
    assert order == [("f7", "27.00"), ("f6", "26.00"), ("f4", "24.00"), ("f0", "20.00"), ("f1", "21.00")] + [
        ("f2", "22.00")
    ]


def test_names_are_split_and_ordered() -> None:
    assert figure_names.split("psnr_db (yaw 22)") == ("psnr_db", "yaw 22")
    assert figure_names.split("rank-1 (G (1))") == ("rank-1", "G (1)")
    assert figure_names.split("odd (name) here") == ("odd (name) here", "")
    order = figure_names.in_order([["rank-10", "map", "z", "a"], ["rank-2", "map", "new", "z"]])
    assert order == ("rank-2", "rank-10", "map", "new", "z", "a")
    front, rest = figure_names.headlines([f"f{i}" for i in range(14)] + ["f0 (x)"])
    assert (len(front), rest) == (12, ("f12", "f13", "f0 (x)"))


def test_values_are_formatted_by_their_unit() -> None:
    result = [
        numbers.measured(v, u) for v, u in ((0.123456, "fraction"), (-0.5, "cosine"), (1234.567, "ms"), (1e6, "count"))
    ]
    assert result == ["12.35", "−0.5000", "1,234.57", "1,000,000"]


def test_a_kind_that_is_not_known_is_shown_as_it_is(make_other: Any, tmp_path: Path) -> None:
    folder = make_other("a", "restoration")
    damage(folder, lambda r: r["protocol"].update(kind="something new"))
    reports.build([folder], tmp_path / "out")
    assert "does not know" in texts(tmp_path / "out")[0]
