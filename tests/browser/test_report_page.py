"""The report page in a real browser: what it asks for, its tables, its viewer and keys."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import reports

IMAGE = "\"'><img src=x onerror=alert(1)>"
HOSTILE = ["<script>alert(1)</script>", IMAGE, "rtl\u202eevil\u2066", "x" * 300, "../../etc/passwd"]


@pytest.fixture(scope="module")
def folder(report_fixtures: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def runs(report_fixtures: Any, folder: Path) -> list[Path]:
    """Three runs of a search, two of every other kind."""
    search, other = report_fixtures.make_run.__wrapped__(folder), report_fixtures.make_other.__wrapped__(folder)
    result = [search("lr"), search("cubic", label="bicubic", quality=0.3)]
    result.append(search("net", label="net:scale=8", quality=1.0, recogniser="dlib"))
    for kind in ("verification", "restoration", "expression", "efficiency"):
        result += [
            other(f"{kind}-{label}", kind, label=label, quality=q) for label, q in (("none", 0.0), ("bicubic", 0.7))
        ]
    return result


@pytest.fixture(scope="module")
def report(runs: list[Path], folder: Path) -> Path:
    reports.build(runs, folder / "out")
    return folder / "out" / "index.html"


def rows_of(tab: Any, table: str) -> list[str]:
    return list(tab.locator(f"{table} tbody tr:visible").evaluate_all("rows => rows.map(row => row.dataset.run)"))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


BOARD = "[data-board=s1-board]"
LIST = "[data-viewer=s1-faces-data]"


def test_the_page_opens_from_disk_without_network_and_without_a_fault(page: Any, report: Path) -> None:
    tab = page.open(report)
    tab.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tab.wait_for_timeout(200)
    assert page.from_network == [] and page.faults == []
    assert {url.split(":")[0] for url in page.requests} <= {"file", "data"}
    assert [url for url in page.requests if url.startswith("file")] == [report.as_uri()]


def test_every_number_of_the_tables_is_that_of_run_json_after_scripts_ran(
    page: Any, report: Path, runs: list[Path]
) -> None:
    tab = page.open(report)
    tab.locator(f"{BOARD} th button", has_text="mAP").click()
    cells = tab.evaluate(
        """() => [...document.querySelectorAll("[aria-labelledby^=s] tr[data-run] td[data-figure]")].map(cell => [
            cell.closest("section").getAttribute("aria-labelledby"), cell.parentNode.dataset.run, cell.dataset.figure,
            [...cell.querySelectorAll("data")].map(data => Number(data.value))])"""
    )
    shown = {(section, run, figure): values for section, run, figure, values in cells if values}
    shown = {cell: values for cell, values in shown.items() if cell[2] != "difference"}
    checked = 0
    sections = {"tinyface": "s1", "verification": "s2", "restoration": "s3", "expression": "s4", "efficiency": "s5"}
    for folder in runs:
        record = json.loads((folder / "run.json").read_text())
        for name, figure in record["metrics"].items():
            values = shown[sections[record["protocol"]["name"]], record["label"], name]
            stored = [figure["value"], figure["low"], figure["high"]]
            if figure["n_without_failures"] != figure["n"]:
                stored.append(figure["without_failures"])
            assert values == [value for value in stored if value is not None]
            checked += 1
    assert checked == len(shown) > 100


def test_a_heading_sorts_best_first_then_worst_first_then_as_reported(
    page: Any, report: Path, runs: list[Path]
) -> None:
    tab = page.open(report)
    values = {}
    for folder in runs[:3]:
        record = json.loads((folder / "run.json").read_text())
        values[record["label"]] = record["metrics"]["map"]["value"]
    best = sorted(values, key=lambda name: -values[name])
    button = tab.locator(f"{BOARD} th button", has_text="mAP")
    heading = button.locator("xpath=..")
    for state, order in (("descending", best), ("ascending", best[::-1]), ("none", ["none", "bicubic", "net:scale=8"])):
        button.focus()
        tab.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == state and rows_of(tab, BOARD) == order
    tab.locator(f"{BOARD} th button", has_text="p, McNemar").click()  # gaps come last, whichever way
    assert rows_of(tab, BOARD)[-1] == "none"


def test_methods_are_filtered_by_text_and_recogniser_and_the_count_is_reported(page: Any, report: Path) -> None:
    tab = page.open(report)
    tools = tab.locator(f"{BOARD} .tools")
    tools.get_by_label("Filter methods").fill("cubic sface")
    assert rows_of(tab, BOARD) == ["bicubic"]
    assert tools.get_by_role("status").inner_text() == "1 of 3 runs shown"
    tools.get_by_label("Filter methods").fill("")
    tools.get_by_label("Recogniser").select_option("dlib")
    assert rows_of(tab, BOARD) == ["net:scale=8"]


def test_another_baseline_gives_the_differences_of_a_report_with_that_baseline(
    page: Any, report: Path, runs: list[Path], tmp_path: Path
) -> None:
    reports.build(runs, tmp_path / "other", baseline="bicubic")
    wanted = {row["run"]: row for row in table(tmp_path / "other" / "paired.csv")}
    tab = page.open(report)
    before = tab.locator(f"{BOARD} table").inner_html()
    tab.locator(f"{BOARD}").get_by_label("Compare with").select_option(label="bicubic")
    for name in ("none", "net:scale=8"):
        cell = tab.locator(f"{BOARD} tr[data-run='{name}'] td[data-figure=difference]")
        assert float(cell.locator("data").get_attribute("value")) == pytest.approx(
            float(wanted[name]["difference"]), abs=1e-12
        )
        low, high = (
            float(text.replace("−", "-")) / 100 for text in cell.locator("small").first.inner_text().split(" to ")
        )
        assert (low, high) == pytest.approx((float(wanted[name]["low"]), float(wanted[name]["high"])), abs=5.1e-5)
    assert tab.locator(f"{BOARD} tr[data-run=bicubic] td[data-figure=difference]").inner_text() == "baseline"
    assert tab.locator(f"{BOARD} td[data-column=test]:visible").count() == 0
    tab.locator(f"{BOARD}").get_by_label("Compare with").select_option(label="as reported")
    assert tab.locator(f"{BOARD} table").inner_html().replace(' hidden=""', "") == before


def test_the_viewer_counts_helped_and_hurt_as_the_paired_table_does(page: Any, report: Path) -> None:
    tab = page.open(report)
    tools = tab.locator(f"{LIST} .tools")
    tools.get_by_label("with images only").uncheck()
    for row in table(report.parent / "paired.csv"):
        tools.get_by_label("Method").select_option(label=row["run"])
        for outcome in ("helped", "hurt"):
            tools.get_by_label("Show").select_option(outcome)
            messages = tools.get_by_role("status")
            messages.get_by_text(f"{row[outcome]} of 24 probes listed").wait_for(timeout=2000)
            tools.get_by_label("Show").select_option("all")
            messages.get_by_text("24 of 24 probes listed").wait_for(timeout=2000)


def test_the_viewer_filters_by_identity_key_and_yaw(page: Any, report: Path) -> None:
    tab = page.open(report)
    tools = tab.locator(f"{LIST} .tools")
    tools.get_by_label("Identity").fill("p3")
    tools.get_by_text("3 of 24 probes listed").wait_for(timeout=2000)
    tools.get_by_label("Key").fill("3_11")
    tools.get_by_text("1 of 24 probes listed").wait_for(timeout=2000)
    assert tab.locator(f"{LIST} [role=option] .face-head bdi").first.inner_text() == "Probe/3_11.jpg"
    faces = tab.locator("[data-viewer=s3-faces-data]")
    faces.get_by_label("Yaw").select_option(label="75°")
    faces.get_by_text("4 of 8 faces listed").wait_for(timeout=2000)


def test_the_viewer_obeys_its_keys(page: Any, report: Path) -> None:
    tab = page.open(report)
    box = tab.locator(f"{LIST} [role=listbox]")
    box.focus()
    for key, place in (("ArrowDown", 2), ("j", 3), ("ArrowUp", 2), ("End", 23), ("Home", 1), ("PageDown", 4)):
        tab.keyboard.press(key)
        current = tab.locator(f"#{box.get_attribute('aria-activedescendant')}")
        assert current.get_attribute("aria-selected") == "true"
        if key != "PageDown":
            assert current.get_attribute("aria-posinset") == str(place)
    tab.keyboard.press("Home")
    tab.keyboard.press("Enter")
    dialog = tab.locator("dialog[open]")
    assert dialog.locator("h4").inner_text() == "1 of 23: Probe/0_0.jpg"
    ranks = dialog.locator("tbody td strong").all_inner_texts()
    tab.keyboard.press("ArrowRight")
    assert dialog.locator("h4").inner_text() == "2 of 23: Probe/1_1.jpg"
    assert len(ranks) == 3 and all(rank.startswith("rank ") for rank in ranks)
    assert all(alt for alt in dialog.locator("img").evaluate_all("images => images.map(image => image.alt)"))
    tab.keyboard.press("Escape")
    assert tab.locator("dialog[open]").count() == 0
    assert tab.evaluate("document.activeElement.getAttribute('role')") == "listbox"


def test_ranks_and_pictures_in_the_viewer_are_those_of_the_runs(page: Any, report: Path, runs: list[Path]) -> None:
    tab = page.open(report)
    tools = tab.locator(f"{LIST} .tools")
    tools.get_by_label("with images only").uncheck()
    ranks = [[row["rank"] for row in table(folder / "per_probe.csv")] for folder in runs[:3]]
    for probe in (0, 5, 7, 23):
        tools.get_by_label("Key").fill(f"_{probe}.jpg")
        tools.get_by_text("1 of 24 probes listed").wait_for(timeout=2000)
        tab.locator(f"{LIST} [role=option]", has_text=f"_{probe}.jpg").wait_for(timeout=2000)
        shown = tab.locator(f"{LIST} .face-value").all_inner_texts()[1:4]
        assert shown == [f"rank {ranks_of_run[probe]}" if ranks_of_run[probe] else "failed" for ranks_of_run in ranks]
    tools.get_by_label("Key").fill("_5.jpg")
    tab.locator(f"{LIST} [role=option]", has_text="_5.jpg").wait_for(timeout=2000)
    colour = tab.evaluate(  # of the picture that the fixture drew for probe 5
        """async image => { const element = document.querySelector(image); await element.decode();
            const canvas = document.createElement("canvas"); canvas.width = canvas.height = 1;
            const context = canvas.getContext("2d"); context.drawImage(element, 4, 4, 1, 1, 0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3); }""",
        f"{LIST} [role=option] img",
    )
    assert colour == pytest.approx([50, 80, 120], abs=4)


def test_hostile_names_stay_text_in_the_page_and_its_scripts(page: Any, report_fixtures: Any, tmp_path: Path) -> None:
    search = report_fixtures.make_run.__wrapped__(tmp_path)
    names = lambda i: (f"{i} {HOSTILE[i % 5]}", HOSTILE[i % 4])  # noqa: E731
    result = [search(f"h{i}", label=label, quality=i / 5, names=names) for i, label in enumerate(HOSTILE)]
    reports.build(result, tmp_path / "out", viewer="folder")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*reports.FILES, "faces"])
    assert all(path.name == f"{int(path.stem):06d}.jpg" for path in (tmp_path / "out" / "faces" / "s1").iterdir())
    dialogs: list[str] = []
    page.tab.on("dialog", lambda browser_dialog: dialogs.append(browser_dialog.message))
    tab = page.open(tmp_path / "out" / "index.html")
    box = tab.locator("[role=listbox]")
    box.focus()
    tab.keyboard.press("Enter")
    assert HOSTILE[0] in tab.locator("dialog[open] h4").inner_text()
    assert HOSTILE[1] in tab.locator("dialog[open] tbody").inner_text()
    tab.keyboard.press("Escape")
    tab.get_by_label("Compare with").select_option(index=2)
    tab.locator(".viewer .tools").get_by_label("Identity").fill("<script>")
    assert dialogs == [] and page.faults == [] and page.from_network == []
    assert tab.evaluate("document.querySelectorAll('script:not([type])').length") == 1
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
