"""The report page under axe, at two widths, in the dark and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reports

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def report(report_fixtures: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looks")
    search, other = report_fixtures.make_run.__wrapped__(folder), report_fixtures.make_other.__wrapped__(folder)
    result = [search("lr"), search("net", label="a-network-with-a-rather-long-name:scale=8,size=112", quality=1.0)]
    result += [
        other(f"{kind}-{label}", kind, label=label, quality=quality)
        for kind in ("verification", "restoration", "expression", "efficiency")
        for label, quality in (("none", 0.0), ("bicubic", 0.7))
    ]
    reports.build(result, folder / "out")
    return folder / "out" / "index.html"


def faults_of(tab: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe: tox -e browser").Axe()
    result = axe.run(tab).response["violations"]
    return [
        f"{fault['id']}: {[node['html'][:120] for node in fault['nodes'][:3]]}"
        for fault in result
        if fault["impact"] in SERIOUS
    ]


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (768, "dark"), (1200, "light"), (1440, "dark")])
def test_nothing_leaves_the_screen_sideways_and_axe_finds_no_serious_fault(
    watch: Any, report: Path, width: int, scheme: str
) -> None:
    page = watch(width=width, color_scheme=scheme)
    tab = page.open(report)
    tab.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert faults_of(tab) == []
    tab.locator("[role=listbox]").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("dialog[open]").evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") <= 0
    assert faults_of(tab) == []
    assert page.faults == []


def test_on_paper_controls_are_gone_folded_tables_are_there_and_nothing_is_cut(page: Any, report: Path) -> None:
    tab = page.open(report)
    tab.emulate_media(media="print")
    assert tab.locator(".tools:visible").count() == tab.locator(".viewer:visible").count() == 0
    assert tab.locator("table.parts").first.is_visible() and tab.locator("table.stages").first.is_visible()
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


def test_all_that_matters_can_be_read_without_scripts(watch: Any, report: Path) -> None:
    page = watch(java_script_enabled=False)
    tab = page.open(report)
    assert tab.locator("table.leaderboard").count() == 5 and tab.locator("figure svg").count() >= 8
    assert tab.get_by_text("The viewer needs scripts").count() > 0
    assert tab.locator("text=Most helped by").count() > 0
