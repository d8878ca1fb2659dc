"""Reports from run folders: every number is that of the run, hostile text stays text, bad folders are said."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import logging
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.errors import BenchError, DataError, MissingError, UsageError


class Page(HTMLParser):
    """What a browser would make of a page: cells by run and figure, all text, all elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.run = self.figure = ""
        self.cells: dict[tuple[str, str], list[tuple[float, str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._value: float | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.elements.append((tag, values))
        self.run = values.get("data-run") or self.run
        if tag in ("td", "th"):
            self.figure = values.get("data-figure") or ""
        if tag == "data":
            self._value = float(values["value"] or "nan")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._value is not None and self.figure:
            self.cells.setdefault((self.run, self.figure), []).append((self._value, data))
        self._value = None


def page_of(folder: Path) -> Page:
    return Page((folder / "index.html").read_text(encoding="utf-8"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def written(text: str) -> float:
    return float(text.replace("−", "-")) / 100


@pytest.fixture
def three(make_run: Any) -> list[Path]:
    return [
        make_run("lr", label="none"),
        make_run("cubic", label="bicubic", quality=0.3),
        make_run("net", label="net:scale=8", quality=1.0),
    ]


def test_every_figure_on_the_page_equals_the_one_in_run_json(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "out")
    cells = page_of(tmp_path / "out").cells
    rows = table(tmp_path / "out" / "summary.csv")
    checked = 0
    for folder in three:
        record = json.loads((folder / "run.json").read_text())
        for name, figure in record["metrics"].items():
            parts = [figure["value"], figure["low"], figure["high"], figure["without_failures"]]
            shown = cells[record["label"], name]
            assert [value for value, _ in shown] == parts
            for value, text in shown:
                assert written(text) == pytest.approx(value, abs=5.1e-5)
            (row,) = [r for r in rows if r["label"] == record["label"] and r["figure"] == name]
            assert [float(row[k]) for k in ("value", "low", "high", "without_failures")] == parts
            assert (int(row["n"]), int(row["n_without_failures"]), int(row["identities"])) == (24, 23, 8)
            checked += 1
    assert checked == len(rows) == 18


def test_the_counts_of_failures_are_those_of_the_run(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text()
    row = re.search(r'<tr data-run="none" data-role="distractor">(.*?)</tr>', html, re.DOTALL)
    assert row
    assert re.findall(r'<data value="(\d+)">([\d,]+)<', row[1]) == [
        ("0", "0"),
        ("4", "4"),
        ("1230", "1,230"),
        ("1234", "1,234"),
    ]
    assert "4 × align: face not found" in row[1]
    assert "| none | distractor | 0 | 4 | 1,230 | 1,234 | 4 × align: face not found |" in (
        tmp_path / "out" / "report.md"
    ).read_text(encoding="utf-8")


def test_a_paired_difference_worked_by_hand(make_run: Any, tmp_path: Path) -> None:
    names = lambda i: (f"k{i}", f"p{i // 2}")  # noqa: E731
    base = make_run("base", ranks=[1, 1, 2, 2, 2, 9, None, 5], names=names)
    other = make_run("other", label="net", ranks=[2, 1, 1, 1, 1, 1, 1, None], names=names)
    reports.build([base, other], tmp_path / "out")
    (row,) = table(tmp_path / "out" / "paired.csv")
    # found at rank 1: base 2 of 8, net 6 of 8; only net 5, only base 1
    assert float(row["difference"]) == pytest.approx(4 / 8)
    assert (row["run"], row["baseline"], row["only_run"], row["only_baseline"]) == ("net", "none", "5", "1")
    assert float(row["p_mcnemar"]) == pytest.approx(2 * (1 + 6) / 2**6)
    assert row["p_mcnemar_holm"] == row["p_mcnemar"]
    assert (row["n"], row["identities"], row["helped"], row["hurt"]) == ("8", "4", "5", "2")
    assert float(row["low"]) <= 0.5 <= float(row["high"])
    (value, text), *_ = page_of(tmp_path / "out").cells["net", "difference"]
    assert (value, text) == (float(row["difference"]), "+50.00")
    markdown = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    helped = re.findall(r"^\| k(\d) \| p\d \| (.*) \|$", markdown, re.MULTILINE)
    assert helped[:3] == [
        ("6", "failed (decode: file is empty) → rank 1"),  # from nothing to 1
        ("5", "rank 9 → rank 1"),
        ("2", "rank 2 → rank 1"),
    ]
    assert helped[5:] == [("0", "rank 1 → rank 2"), ("7", "rank 5 → failed (decode: file is empty)")]


def test_p_values_are_corrected_for_all_comparisons(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "out")
    rows = table(tmp_path / "out" / "paired.csv")
    small, large = sorted(float(row["p_mcnemar"]) for row in rows)
    holm = sorted(float(row["p_mcnemar_holm"]) for row in rows)
    assert holm == pytest.approx([2 * small, max(2 * small, large)])


def test_probes_are_paired_by_key_and_not_by_order(make_run: Any, tmp_path: Path) -> None:
    first = make_run("a", ranks=[1, 2, 3, 4], names=lambda i: (f"k{i}", f"p{i}"))
    second = make_run("b", label="net", ranks=[4, 3, 2, 1], names=lambda i: (f"k{3 - i}", f"p{3 - i}"))
    reports.build([first, second], tmp_path / "out")
    (row,) = table(tmp_path / "out" / "paired.csv")
    assert (float(row["difference"]), row["helped"], row["hurt"]) == (0.0, "0", "0")


def test_the_baseline_is_none_or_the_first_or_the_one_requested(make_run: Any, tmp_path: Path) -> None:
    cubic, lr = make_run("b", label="bicubic", quality=0.4), make_run("a", label="none")
    net = make_run("c", label="net", quality=1.0)
    for runs, requested, expected in (
        ([cubic, lr, net], None, "none"),
        ([cubic, net], None, "bicubic"),
        ([cubic, lr, net], "net", "net"),
        ([cubic, lr, net], "c", "net"),
    ):
        reports.build(runs, tmp_path / "out", baseline=requested)
        assert {row["baseline"] for row in table(tmp_path / "out" / "paired.csv")} == {expected}
    with pytest.raises(UsageError, match="No run is called 'bicubc'.*bicubic, none"):
        reports.build([cubic, lr], tmp_path / "out", baseline="bicubc")


def test_a_run_is_compared_with_the_baseline_of_its_own_recogniser(make_run: Any, tmp_path: Path) -> None:
    runs = [
        make_run("1", label="none"),
        make_run("2", label="none", recogniser="dlib", quality=0.1),
        make_run("3", label="net", recogniser="dlib", quality=0.5),
    ]
    reports.build(runs, tmp_path / "out")
    result = [(r["run"], r["baseline"], r["also_differs_in"]) for r in table(tmp_path / "out" / "paired.csv")]
    assert result == [("none · dlib", "none · sface", "recogniser"), ("net", "none · dlib", "")]
    assert re.search(r"to <bdi>none · dlib</bdi></small>", (tmp_path / "out" / "index.html").read_text("utf-8"))


def test_equal_runs_give_equal_bytes_wherever_they_are(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "one")
    moved = tmp_path / "elsewhere"
    three[0].parent.rename(moved)
    reports.build([moved / folder.name for folder in three], tmp_path / "two")
    for name in reports.FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
        assert str(tmp_path) not in (tmp_path / "one" / name).read_text(encoding="utf-8")
        assert "/secret/place" not in (tmp_path / "one" / name).read_text(encoding="utf-8")


def test_the_page_needs_no_network_and_runs_its_own_script_alone(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    page = Page(html)
    assert not {"iframe", "object", "link"} & {tag for tag, v in page.elements if v.get("href") != "data:,"}
    scripts = re.findall(r"<script( [^>]*)?>(.*?)</script>", html, re.DOTALL)
    (page_script,) = [text for attributes, text in scripts if "application/json" not in attributes]
    digest = base64.b64encode(hashlib.sha256(page_script.encode()).digest()).decode()
    (policy,) = [v["content"] or "" for tag, v in page.elements if v.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and f"script-src 'sha256-{digest}'" in policy
    assert all(json.loads(text) for attributes, text in scripts if attributes)
    links = [v.get(name) or "" for _, v in page.elements for name in ("src", "href", "xlink:href") if name in v]
    assert links and all(link.startswith(("data:", "#")) for link in links)
    assert "url(http" not in html and "@import" not in html
    ids = [v["id"] for _, v in page.elements if "id" in v]
    assert len(ids) == len(set(ids))
    assert all(v.get("alt") for tag, v in page.elements if tag == "img")
    tables = [tag for tag, _ in page.elements if tag in ("table", "caption")]
    assert tables.count("table") == tables.count("caption")


def test_strips_show_the_stored_images(three: list[Path], tmp_path: Path) -> None:
    reports.build(three, tmp_path / "out")
    page = page_of(tmp_path / "out")
    alts = {(v["alt"] or "").split(",")[0] for tag, v in page.elements if tag == "img"}
    assert alts == {
        "low-resolution probe",
        "output of bicubic",
        "output of net:scale=8",
        "best mate",
        "best non-mate",
    }
    assert "LR, 16 × 16 px" in page.text


def test_the_curves_end_where_the_figures_are(make_run: Any, tmp_path: Path) -> None:
    reports.build([make_run("a", ranks=[1, 2, 2, 60], names=lambda i: (f"k{i}", f"p{i}"))], tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'aria-label="CMC curves up to rank 50 of none"' in html
    heights = [float(y) for y in re.findall(r"<use [^>]*y=\"([\d.]+)\"[^>]*--series-0", html)][:6]
    first, *rest = heights  # markers at ranks 1, 2, 5, 10, 20, 50: 25 %, then 75 %
    ticks = [float(y) for y in re.findall(r'<use [^>]*y="([\d.]+)"[^>]*--ink', html)][6:12]  # 0 %, 20 % ... 100 %
    share = lambda y: (ticks[0] - y) / (ticks[0] - ticks[-1])  # noqa: E731
    assert [share(first), *map(share, rest)] == pytest.approx([0.25] + [0.75] * 5, abs=1e-3)


def test_a_smoke_run_is_refused_beside_others(three: list[Path], make_run: Any, tmp_path: Path) -> None:
    smoke = make_run("quick", label="net", smoke=True, limit=24)
    with pytest.raises(UsageError, match=rf"not compared with full runs: {re.escape(str(smoke))}\."):
        reports.build([*three, smoke], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_smoke_run_alone_is_labelled_everywhere(make_run: Any, tmp_path: Path) -> None:
    reports.build([make_run("quick", smoke=True, limit=24)], tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert html.index("SMOKE RUN - not a result</bdi>") < html.index("<h1>")
    assert (tmp_path / "out" / "report.md").read_text().startswith("**SMOKE RUN - not a result**")
    assert {row["notice"] for row in table(tmp_path / "out" / "summary.csv")} == {"SMOKE RUN - not a result"}


def test_sample_data_are_labelled_everywhere(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("a", sample=True), make_run("b", label="net", sample=True)]
    reports.build(runs, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert html.index("SAMPLE DATA, not tinyface</bdi>") < html.index("<h1>")
    assert (tmp_path / "out" / "report.md").read_text().startswith("**SAMPLE DATA, not tinyface**")
    for name in ("summary.csv", "paired.csv"):
        assert {row["notice"] for row in table(tmp_path / "out" / name)} == {"SAMPLE DATA, not tinyface"}


def test_data_that_are_not_official_are_reported_to_be_so(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.build([make_run("a")], tmp_path / "no")
    monkeypatch.setattr("bench.execution.standing.published_counts", lambda rules: {"searches": 24})
    reports.build([make_run("b", data={"official": True})], tmp_path / "yes")
    message = "Not the official tinyface set"
    assert message in page_of(tmp_path / "no").text and message not in page_of(tmp_path / "yes").text
    assert message in (tmp_path / "no" / "report.md").read_text(encoding="utf-8")


def test_a_damaged_folder_beside_good_ones_is_left_out_and_named(
    three: list[Path], make_run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (three[1] / "run.json").write_text("{", encoding="utf-8")
    cut = make_run("cut", label="net")
    rows = (cut / "per_probe.csv").read_text().splitlines(keepends=True)
    (cut / "per_probe.csv").write_text("".join(rows[:-3]))
    empty = tmp_path / "empty"
    empty.mkdir()
    with caplog.at_level(logging.WARNING):
        reports.build([*three, cut, empty], tmp_path / "out")
    text = page_of(tmp_path / "out").text
    for name, why in (("cubic", "is damaged"), ("cut", "over 24 probes"), ("empty", "run.json is missing")):
        assert name in text and why in text and f"Left out of the report: {name}." in caplog.text
        assert f"**{name}**" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert {row["folder"] for row in table(tmp_path / "out" / "summary.csv")} == {"lr", "net"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: r["metrics"]["rank-1"].update(value=0.123), "rank-1 is 0.123000 in run.json"),
        (lambda r: r["metrics"]["map"].update(value=0.5), "map is 0.500000 in run.json"),
        (lambda r: r["metrics"]["rank-5"].update(low=-3), "rank-5 is not a fraction"),
        (lambda r: r["metrics"].clear(), "metrics is {}: .*at least 1 item"),
        (lambda r: r.update(warnings=[7]), "warnings.0 is 7: should be a valid string"),
        (lambda r: r.update(smoke="no"), "smoke is 'no': should be a valid boolean"),
        (lambda r: r.update(data=[]), r"data is \[\]: should be an object"),
        (lambda r: r["data"].pop("digest"), "data.digest is missing"),
        (lambda r: r["data"].update(notes="one"), "data.notes is 'one': should be a valid array"),
        (lambda r: r["data"].update(counts={"probe": 1.5}), "data.counts.probe is 1.5: should be a valid integer"),
        (lambda r: r["protocol"].update(arguments=3), "protocol.arguments is 3: should be an object"),
        (lambda r: r["ledger"]["probe"].update(ok=1), "does not add up"),
        (lambda r: r["ledger"]["probe"].update(reasons=["a"]), "ledger.probe.reasons is .*: should be an object"),
        (lambda r: r["timings"].update(x={"seconds": "fast"}), "timings.x.seconds is 'fast': should be a valid number"),
        (lambda r: r["stages"][0].update(arguments=None), "stages.0.arguments is None: should be an object"),
        (lambda r: r["stages"][2].update(weights=["w"]), "stages.2.weights.0 is 'w': should be an object"),
        (lambda r: r.update(schema_version=99), "schema version 99"),
    ],
)
def test_a_run_that_contradicts_itself_is_damaged(make_run: Any, tmp_path: Path, change: Any, why: str) -> None:
    folder = make_run("odd")
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=why):
        reports.build([folder], tmp_path / "out")


def test_a_key_that_comes_twice_is_damage(make_run: Any, tmp_path: Path) -> None:
    folder = make_run("twice", ranks=[1, 2], names=lambda i: ("same", f"p{i}"))
    with pytest.raises(DataError, match="a key twice"):
        reports.build([folder], tmp_path / "out")


def test_runs_that_cannot_be_compared_are_separated_and_it_is_reported(make_run: Any, tmp_path: Path) -> None:
    runs = [
        make_run("a"),
        make_run("b", label="net", protocol={"arguments": {"variant": "adaface"}}),
        make_run("c", label="net", data={"digest": "other"}),
        make_run("d", label="net", quality=1.0),
    ]
    reports.build(runs, tmp_path / "out")
    groups = {row["folder"]: row["group"] for row in table(tmp_path / "out" / "summary.csv")}
    assert groups == {"a": "1", "d": "1", "b": "2", "c": "3"}
    assert [row["run"] for row in table(tmp_path / "out" / "paired.csv")] == ["net"]
    page = page_of(tmp_path / "out")
    assert "3 different protocols or data sets" in page.text
    assert [v["id"] for tag, v in page.elements if tag == "h2"] == ["overview", "s1", "s2", "s3", "reading"]


def test_one_run_has_nothing_to_be_compared_with(make_run: Any, tmp_path: Path) -> None:
    files = reports.build([make_run("only")], tmp_path / "out")
    assert [path.name for path in files] == list(reports.FILES) and all(path.is_file() for path in files)
    page = page_of(tmp_path / "out")
    assert "There is one run only" in page.text and "Paired differences" not in page.text
    assert "Rank-1 hits of none with the largest margins" in page.text
    assert table(tmp_path / "out" / "paired.csv") == []


def test_a_folder_given_twice_is_read_once(make_run: Any, tmp_path: Path) -> None:
    run = make_run("only")
    reports.build([run, run.parent / ".." / "runs" / "only"], tmp_path / "out")
    assert len(table(tmp_path / "out" / "summary.csv")) == 6


def test_no_runs_and_absent_runs_are_refused(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No runs to report on"):
        reports.build([], tmp_path / "out")
    with pytest.raises(MissingError, match="typo"):
        reports.build([make_run("a"), tmp_path / "typo"], tmp_path / "out")


def test_runs_without_images_are_reported_without_them(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("a", images=False), make_run("b", label="net", quality=1.0, images=False)]
    reports.build(runs, tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert "These runs keep no images" in page.text and "Most helped by net against none" in page.text
    assert not [tag for tag, _ in page.elements if tag == "img"]


def test_damaged_images_cost_the_images_only(three: list[Path], tmp_path: Path) -> None:
    (three[1] / "images.zip").write_bytes(b"PK junk")
    with zipfile.ZipFile(three[2] / "images.zip", "w") as archive:
        for i in range(24):
            archive.writestr(
                f"lr/{i:06d}.png", "<svg onload='alert(1)'/>" if i % 2 else b"\x89PNG\r\n\x1a\n" + bytes(2 << 20)
            )
    reports.build(three, tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert "cubic: images.zip is damaged" in page.text
    assert len((tmp_path / "out" / "index.html").read_bytes()) < 1 << 20
    assert all((v["src"] or "").startswith("data:image/png;base64,iVBORw0KGgo") for t, v in page.elements if t == "img")


def test_a_run_without_an_interval_shows_none(make_run: Any, tmp_path: Path) -> None:
    reports.build([make_run("one", ranks=[1, 3], names=lambda i: (f"k{i}", "same"))], tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert page.cells["none", "rank-1"] == [(0.5, "50.00")] and "no interval" in page.text
    row = table(tmp_path / "out" / "summary.csv")[0]
    assert (row["low"], row["high"], row["interval"]) == ("", "", "none: one identity only")


def test_a_figure_that_one_run_lacks_is_a_gap_and_no_zero(make_run: Any, tmp_path: Path) -> None:
    full, part = make_run("full"), make_run("part", label="net", quality=1.0)
    record = json.loads((part / "run.json").read_text())
    del record["metrics"]["map"]
    (part / "run.json").write_text(json.dumps(record))
    reports.build([full, part], tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert '<td class="n" data-figure="map">–</td>' in html
    assert [r["run"] for r in table(tmp_path / "out" / "summary.csv") if r["figure"] == "map"] == ["none"]


HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "../../etc/passwd",
    "a|b\\|c",
    "=HYPERLINK(1)",
    "$\\frac{$ _x_ **b** [l](http://evil.example)",
    "_hidden",
    "x" * 300,
    "]]></style><b>",
    "{{ 7 * 7 }}",
    "rtl\u202eevil\u2066",
    "line\nbreak\ttab\x00",
    "名前",
]


@pytest.mark.filterwarnings("error")
def test_hostile_names_stay_text(make_run: Any, tmp_path: Path) -> None:
    def names(i: int) -> tuple[str, str]:
        return f"{i} {HOSTILE[i % 11]}", HOSTILE[i % 10]

    runs = [
        make_run(
            f"h{i}",
            label=name,
            quality=i / 5,
            names=names,
            warnings=(name,),
            protocol={"source": HOSTILE[0], "arguments": {HOSTILE[3]: HOSTILE[4]}},
            data={"notes": HOSTILE[:10], "name": "<script>"},
            environment={"commit": name, "packages": {name: name}},
            ledger={name: {"total": 1, "ok": 0, "fallback": 0, "failed": 1, "reasons": {name: 1}}},
        )
        for i, name in enumerate(HOSTILE[:9])
    ]
    reports.build(runs, tmp_path / "out", baseline=HOSTILE[0])
    page = page_of(tmp_path / "out")
    scripts = [v for tag, v in page.elements if tag == "script"]
    assert [v for v in scripts if v.get("type") != "application/json"] == [{}]
    assert not any(name.startswith("on") for _, values in page.elements for name in values)
    assert all((v["src"] or "").startswith("data:image/png") for tag, v in page.elements if tag == "img")
    for name in HOSTILE[:10]:
        assert name in page.text
    markdown = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "<script" not in markdown and "a\\|b\\\\\\|c" in markdown and not re.search(r"(?<!\\)\]\(", markdown)
    assert all(line.count("|") - line.count("\\|") in (0, 13) for line in markdown.splitlines() if "| 24 | 8 |" in line)
    cells = [cell for name in ("summary.csv",) for row in table(tmp_path / "out" / name) for cell in row.values()]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_label_is_drawn_and_compared(make_run: Any, tmp_path: Path, name: str) -> None:
    reports.build([make_run("a"), make_run("b", label=name, quality=1.0)], tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert len(re.findall(r"<g id=\"g1-legend_1\">.*", svg, re.DOTALL)) == 1
    assert len(re.findall("<text", svg[svg.index("g1-legend_1") :])) == 2
    assert not set("\u202e\u2066\x00") & set(html)
    (row,) = table(tmp_path / "out" / "paired.csv")
    assert not row["run"].startswith(("=", "+", "-", "@"))


def test_lone_surrogates_do_not_stop_a_report(make_run: Any, tmp_path: Path) -> None:
    folder = make_run("a")
    text = (folder / "run.json").read_text().replace('"label": "none"', '"label": "\\ud800"')
    (folder / "run.json").write_text(text)
    reports.build([folder], tmp_path / "out")
    assert "‹U+D800›" in page_of(tmp_path / "out").text


def test_an_earlier_report_is_replaced_and_nothing_else(make_run: Any, tmp_path: Path) -> None:
    run, out = make_run("a"), tmp_path / "out"
    reports.build([run], out)
    reports.build([run], out)
    assert sorted(path.name for path in out.iterdir()) == sorted(reports.FILES)
    (out / "thesis.tex").write_text("years of work")
    with pytest.raises(BenchError, match=r"holds other files \(thesis.tex\)"):
        reports.build([run], out)
    assert (out / "thesis.tex").read_text() == "years of work"
    with pytest.raises(BenchError, match="holds other files"):
        reports.build([run], run)
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<title>my home page</title>")
    with pytest.raises(BenchError, match="index.html in it is not a report"):
        reports.build([run], site)
    (tmp_path / "file").write_text("x")
    with pytest.raises(BenchError, match="it is a file"):
        reports.build([run], tmp_path / "file")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_full_disk_leaves_the_earlier_report_as_it_was(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    reports.build([make_run("a")], out)
    before = (out / "index.html").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.io.atomic.os.fsync", full)
    with pytest.raises(BenchError, match="No space left on device. Nothing was changed there"):
        reports.build([make_run("b", label="net")], out)
    assert (out / "index.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "runs"]


def test_a_report_needs_no_torch(make_run: Any, tmp_path: Path) -> None:
    lean = (
        "import sys; from pathlib import Path; import reports; reports.build([Path(sys.argv[1])], Path(sys.argv[2]));"
    )
    lean += "print(sorted({'torch', 'onnxruntime', 'cv2', 'scipy', 'bench.interfaces'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", lean, make_run("a"), tmp_path / "out"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
