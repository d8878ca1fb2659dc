"""The tally by hand, and files that cannot be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import DataError, MissingError
from reports.userstudy.answers import read_answers, read_key
from reports.userstudy.orders import schedule_of
from reports.userstudy.page import write_page
from reports.userstudy.questions import choose_questions
from reports.userstudy.tally import tally, to_text

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def page(runs: list[Path], tmp_path: Path) -> Path:
    """A study of six questions on three methods."""
    write_page(choose_questions(runs, count=6, seed=0), tmp_path / "study", seed=0)
    return tmp_path / "study"


@pytest.fixture
def answer(page: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the answers of a participant who always picks one letter, or letters in turn; None skips."""
    key = json.loads((page / "key.json").read_text())

    def write(code: str, letters: str | list[str | None], name: str = "", **changes: Any) -> Path:
        place = schedule_of(code, len(key["schedules"]))
        shown = key["schedules"][place]["places"]
        wanted = list(letters) if len(letters) > 1 else list(letters) * 6
        answers = [
            {"question": q["id"], "choice": c, "place": None if c is None else shown[k].index(c), "seconds": 1.5}
            for k, (q, c) in enumerate(zip(key["questions"], wanted, strict=True))
        ]
        sheet = {
            "format": "bench-study-answers",
            "version": 1,
            "page": key["digest"],
            "participant": code,
            "schedule": place,
            "methods": 3,
            "started": "2026-01-01T00:00:00Z",
            "finished": None,
            "answers": answers,
        }
        path = tmp_path / f"{name or code}.json"
        path.write_text(json.dumps(sheet | changes))
        return path

    return write


def test_shares_by_hand(bench: Bench, page: Path, answer: Callable[..., Path], tmp_path: Path) -> None:
    files = [answer("1", "A"), answer("2", "AAABBB"), answer("3", ["A", "A", "B", "C", None, None])]
    code, out, err = bench("userstudy", "tally", *files, "--page", page, "--out", tmp_path / "tally.json")
    assert code == 0, err
    result = json.loads((tmp_path / "tally.json").read_text())
    assert {share["letter"]: share["picks"] for share in result["shares"]} == {"A": 11, "B": 4, "C": 1}
    assert result["shares"][0]["share"] == pytest.approx(11 / 16)
    assert result["shares"][0]["low"] < 11 / 16 < result["shares"][0]["high"]
    assert "3 participants" in result["shares"][0]["interval"]
    assert result["unanswered"] == {"1": 0, "2": 0, "3": 2} and result["answered"] == 16
    assert sum(result["places"]["counts"]) == 16
    # questions: AAA, AAA, AAB, ABC, AB, AB -> alike per question 3, 3, 1, 0, 0, 0
    alike, total = 3 + 3 + 1, 16
    by_chance = total**2 - (11**2 + 4**2 + 1)
    assert result["agreement"]["alpha"] == pytest.approx(1 - (total - 1) * (total - alike) / by_chance)
    names = {share["letter"]: share["method"] for share in result["shares"]}
    assert names == json.loads((page / "key.json").read_text())["methods"]
    assert "11" in out and "68.75%" in out and "method" in out and "unanswered: 2 (3 2)" in out
    assert "\u2028" not in out, "what a terminal would obey is not printed"


def test_without_the_page_letters_stand_for_methods(answer: Callable[..., Path]) -> None:
    sheets, skipped = read_answers([answer("1", "A"), answer("2", "B")], None)
    result = tally(sheets, skipped, None)
    assert sorted(share.method for share in result.shares) == ["A", "B", "C"]
    assert any("no key" in note for note in result.notes)
    assert "of 2 participants" in to_text(result)


def test_one_participant_has_no_interval(answer: Callable[..., Path], page: Path) -> None:
    result = tally(*read_answers([answer("1", "ABCABC")], read_key(page)), read_key(page))
    assert result.shares[0].low is None and "one participant only" in to_text(result)
    assert result.agreement.alpha is None and "not defined" in to_text(result)


def test_a_favoured_place_is_seen(page: Path, answer: Callable[..., Path]) -> None:
    key = json.loads((page / "key.json").read_text())
    files = []
    for code in map(str, range(9)):
        shown = key["schedules"][schedule_of(code, len(key["schedules"]))]["places"]
        files.append(answer(code, [line[0] for line in shown]))
    result = tally(*read_answers(files, read_key(page)), read_key(page))
    assert result.places.counts == (54, 0, 0) and (result.places.p_value or 1) < 1e-9
    assert {share.picks for share in result.shares} == {18}, "the order is balanced, so no method gains by it"


def broken(answer: Callable[..., Path], tmp_path: Path) -> dict[Path, str]:
    """Files that cannot be trusted, each with what should be said of it."""
    whole = answer("20", "A").read_text()

    def raw(name: str, text: str | bytes) -> Path:
        path = tmp_path / f"{name}.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def changed(name: str, change: Callable[[dict[str, Any]], object]) -> Path:
        sheet = json.loads(whole)
        change(sheet)
        return raw(name, json.dumps(sheet))

    first = json.loads(whole)["answers"][0]
    elsewhere = next(p for p in range(3) if p != first["place"])
    return {
        raw("truncated", whole[: len(whole) // 2]): "truncated",
        raw("empty", b""): "truncated",
        raw("binary", b"\xff\xfe\x00"): "no text",
        raw("list", "[1, 2]"): "no answers file",
        raw("deep", "[" * 100_000): "truncated or no JSON",
        tmp_path / "absent.json": "no such file",
        tmp_path: "no such file",
        changed("version", lambda s: s.update(version=2)): "by this version",
        changed("page", lambda s: s.update(page="f" * 64)): "another page",
        changed("methods", lambda s: s.update(methods=4)): "another page",
        changed("code", lambda s: s.update(participant="<b>")): "no code",
        changed("schedule", lambda s: s.update(schedule=19)): "is not that of participant",
        changed("true", lambda s: s.update(schedule=True)): "is not that of participant",
        changed("letter", lambda s: s["answers"][0].update(choice="Q")): "none of the 3 methods",
        changed("long", lambda s: s["answers"][0].update(choice="AB")): "none of the 3 methods",
        changed("place", lambda s: s["answers"][0].update(place=7)): "the place 7",
        changed("moved", lambda s: s["answers"][0].update(place=elsewhere)): "was not shown at",
        changed("twice", lambda s: s["answers"].append(s["answers"][0])): "answered twice",
        changed("unknown", lambda s: s["answers"][0].update(question="q9999")): "not on the page",
        changed("number", lambda s: s["answers"].append(3)): "names no question",
        changed("nothing", lambda s: s.update(answers=[])): "no question is answered",
    }


def test_bad_files_are_named_and_left_out(
    bench: Bench, page: Path, answer: Callable[..., Path], tmp_path: Path
) -> None:
    wrong = broken(answer, tmp_path)
    sheets, skipped = read_answers([*wrong, answer("1", "A"), answer("2", "B")], read_key(page))
    assert [sheet.participant for sheet in sheets] == ["1", "2"]
    messages = {bad.file: bad.why for bad in skipped}
    assert set(messages) == set(wrong)
    for file, why in wrong.items():
        assert why in messages[file], file
    code, out, err = bench("userstudy", "tally", *wrong, answer("1", "A"), "--page", page)
    assert code == 0 and out.count("skipped: ") == len(wrong)


def test_a_participant_counts_once(page: Path, answer: Callable[..., Path]) -> None:
    files = [answer("1", "A"), answer("1", "B", "again"), answer("2", "A")]
    sheets, skipped = read_answers(files, read_key(page))
    assert [sheet.picks[0].letter for sheet in sheets] == ["A", "A"]
    assert [bad.file.name for bad in skipped] == ["again.json"] and "1.json already" in skipped[0].why


def test_files_of_two_pages_are_not_mixed_without_a_key(answer: Callable[..., Path]) -> None:
    files = [answer("1", "A"), answer("2", "A", page="other")]
    sheets, skipped = read_answers(files, None)
    assert len(sheets) == 1 and "another page than" in skipped[0].why


def test_no_file_that_counts_is_an_error_and_none_at_all_wrong_usage(
    bench: Bench, page: Path, answer: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="None of 21 files"):
        read_answers(list(broken(answer, tmp_path)), read_key(page))
    with pytest.raises(SystemExit) as ended:
        bench("userstudy", "tally", "--page", page)
    assert ended.value.code == 2


@pytest.mark.parametrize("text", ["", "{}", '{"format": "bench-study-key", "version": 1}', "[]"])
def test_a_damaged_key_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(DataError, match="key.json is damaged"):
        read_key(tmp_path)
    with pytest.raises(MissingError):
        read_key(tmp_path / "nowhere")
