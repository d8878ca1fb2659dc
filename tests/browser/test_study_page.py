"""The page of a user study in a real browser: answered by keys and mouse, taken up again, saved, and tallied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.__main__ import main
from bench.images import encode_png
from reports.userstudy.page import write_page
from reports.userstudy.questions import Question, QuestionSet

METHODS, QUESTIONS = ("vividgan", "bicubic", "tann", "srgan"), 5


def picture(side: int, *seed: int) -> bytes:
    """A patch of colours, another for each seed."""
    return encode_png(np.random.default_rng(seed).integers(40, 216, (side, side, 3), np.uint8))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of five questions on four methods."""
    requested = tuple(
        Question(
            f"face{number}",
            f"person{number}",
            picture(16, number),
            picture(96, number, 1),
            tuple(picture(96, number, 2, method) for method in range(len(METHODS))),
        )
        for number in range(QUESTIONS)
    )
    folder = tmp_path_factory.mktemp("study") / "study"
    write_page(QuestionSet(METHODS, requested, notes=(), facts={}), folder, seed=1)
    return folder


def begin(watched: Any, study: Path, code: str) -> Any:
    tab = watched.open(study / "index.html")
    tab.fill("#code", code)
    tab.get_by_role("button", name="Begin").click()
    return tab


def save(tab: Any, folder: Path) -> Path:
    with tab.expect_download() as coming:
        tab.get_by_role("button", name="Save answers").click()
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def where(tab: Any) -> str:
    messages: str = tab.locator("#where").inner_text()
    return messages


def answer_all(tab: Any) -> None:
    for _ in range(QUESTIONS):
        tab.keyboard.press("1")


def test_a_participant_answers_by_keys_and_mouse_and_the_saved_file_is_tallied(
    page: Any, study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tab = begin(page, study, "7")
    assert where(tab) == f"Question 1 of {QUESTIONS}"
    assert tab.evaluate("document.activeElement.id") == "where"
    tab.keyboard.press("2")
    assert where(tab) == f"Question 2 of {QUESTIONS}"
    tab.locator("button.option").nth(3).click()
    tab.keyboard.press("0")
    tab.keyboard.press("ArrowLeft")
    assert where(tab) == f"Question 3 of {QUESTIONS}"
    assert tab.locator("button.option[aria-pressed=true]").count() == 0
    tab.keyboard.press("ArrowLeft")
    assert tab.locator("button.option").nth(3).get_attribute("aria-pressed") == "true"
    tab.keyboard.press("3")  # another choice
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("9")  # there are four
    assert where(tab) == f"Question 4 of {QUESTIONS}"
    tab.keyboard.press("1")
    tab.locator("button.option").nth(1).focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#summary").inner_text() == f"4 of {QUESTIONS} questions answered."
    assert tab.evaluate("document.activeElement.id") == "thanks"
    file = save(tab, tmp_path)
    assert file.name == "answers-7.json"
    assert tab.locator("#text").input_value() == file.read_text()
    messages = json.loads(file.read_text())
    assert [answer["place"] for answer in messages["answers"]] == [1, 2, None, 0, 1]
    assert main(["userstudy", "tally", str(file), "--page", str(study)]) == 0
    out = capsys.readouterr().out
    assert "4 answers of 1 participants" in out and "skipped" not in out and "unanswered: 1 (7 1)" in out
    picked = {letter for answer in messages["answers"] if (letter := answer["choice"])}
    names = json.loads((study / "key.json").read_text())["methods"]
    assert all(f"  {names[letter]} " in out for letter in picked)
    assert page.from_network == [] and page.faults == []


def test_the_pictures_at_a_place_are_those_the_key_says(page: Any, study: Path) -> None:
    """The tally trusts the letters; here the pixels are followed."""
    tab = begin(page, study, "3")
    key, shown = (
        json.loads((study / "key.json").read_text()),
        tab.evaluate("document.getElementById('study').textContent"),
    )
    requested = json.loads(shown)
    schedule = key["schedules"][3]
    for place in schedule["questions"]:
        sources = tab.locator("button.option img").evaluate_all("images => images.map(image => image.src)")
        assert sources == [requested["questions"][place]["options"][letter] for letter in schedule["places"][place]]
        assert tab.locator("#truth").get_attribute("src") == requested["questions"][place]["truth"]
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        tab.keyboard.press("1")


def test_a_page_opened_again_goes_on_where_it_stopped_for_that_code_alone(watch: Any, study: Path) -> None:
    watched = watch()
    tab = begin(watched, study, "anna")
    tab.keyboard.press("4")
    tab.keyboard.press("4")
    tab = begin(watched, study, "anna")
    assert where(tab) == f"Question 3 of {QUESTIONS}"
    assert tab.locator("#progress").evaluate("bar => bar.value") == 2
    tab.keyboard.press("ArrowLeft")
    assert tab.locator("button.option").nth(3).get_attribute("aria-pressed") == "true"
    assert where(begin(watched, study, "ben")) == f"Question 1 of {QUESTIONS}"
    tab = begin(watched, study, "anna")
    for _ in range(3):
        tab.keyboard.press("1")
    assert tab.locator("#done").is_visible()
    assert begin(watched, study, "anna").locator("#done").is_visible()  # nothing is left to ask
    assert watched.faults == []


def test_a_browser_that_keeps_nothing_says_so_and_still_saves(watch: Any, study: Path, tmp_path: Path) -> None:
    watched = watch()
    watched.tab.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    tab = watched.open(study / "index.html")
    assert tab.locator("#storage").is_visible()
    tab = begin(watched, study, "5")
    answer_all(tab)
    assert len(json.loads(save(tab, tmp_path).read_text())["answers"]) == QUESTIONS
    assert watched.faults == []


def test_a_code_is_made_when_requested_and_a_bad_one_does_not_begin(page: Any, study: Path) -> None:
    tab = page.open(study / "index.html")
    tab.get_by_role("button", name="Begin").click()
    assert tab.locator("#start").is_visible()
    tab.fill("#code", "no spaces")
    tab.keyboard.press("Enter")
    assert tab.locator("#start").is_visible()
    tab.get_by_role("button", name="New code").click()
    code = tab.input_value("#code")
    assert len(code) == 10 and code.isalnum()
    tab.get_by_role("button", name="Begin").click()
    assert tab.locator("#ask").is_visible()
    assert page.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1440])
def test_nothing_leaves_the_screen_sideways_and_axe_finds_no_serious_fault(
    watch: Any, study: Path, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    watched = watch(width=width, color_scheme=scheme)
    tab = watched.open(study / "index.html")

    def check(state: str) -> None:
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, state
        result = axe.run(tab).response["violations"]
        serious = [
            f"{one['id']}: {one['nodes'][0]['html'][:90]}" for one in result if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], state

    check("start")
    begin(watched, study, "2")
    tab.keyboard.press("1")
    tab.keyboard.press("ArrowLeft")
    check("a question answered")
    small = tab.locator("#ask button").evaluate_all("all => all.filter(one => one.offsetHeight < 44).length")
    assert small == 0
    rows = tab.locator("button.option").evaluate_all("all => new Set(all.map(one => one.offsetTop)).size")
    assert rows == (1 if width > 1000 else 2)  # four faces side by side, or two and two
    if width > 1000:
        bottom = tab.locator("#finish").evaluate("one => one.getBoundingClientRect().bottom")
        assert bottom <= 900  # a question is seen whole
    answer_all(tab)
    check("the end")
    assert watched.faults == []
