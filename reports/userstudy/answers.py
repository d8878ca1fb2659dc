"""The files that participants send back: read with suspicion, the bad ones named and left out."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from bench.errors import DataError, MissingError
from bench.io.strictfiles import parse_json, read_json
from reports.userstudy.orders import is_code, schedule_of
from reports.userstudy.page import ANSWERS_FORMAT, KEY, KEY_FORMAT, VERSION

_LARGEST = 4 << 20  # bytes: an answer is a hundred
_MOST_METHODS = 9


@dataclass(frozen=True)
class Key:
    """What a page's letters stand for.

    Attributes:
        digest: of the page.
        methods: names by letter.
        questions: their ids.
        schedules: for each schedule the letters shown, by question id.
        facts: of the runs.
        notes: sentences for the experimenter.
    """

    digest: str
    methods: Mapping[str, str]
    questions: tuple[str, ...]
    schedules: tuple[Mapping[str, str], ...]
    facts: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One answer: the question, the letter picked and the place it stood at, from 0."""

    question: str
    letter: str
    place: int


@dataclass(frozen=True)
class Sheet:
    """One participant.

    Attributes:
        file: it came from.
        participant: the code.
        page: digest of the page answered.
        methods: how many were shown.
        picks: what was answered.
        unanswered: questions that were not.
    """

    file: Path
    participant: str
    page: str
    methods: int
    picks: tuple[Pick, ...]
    unanswered: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is left out, and why."""

    file: Path
    why: str


def read_key(folder: Path) -> Key:
    """Read the key of a page.

    Raises:
        MissingError: it is not there.
        DataError: it is damaged, or no key.
    """
    path = folder / KEY
    if not path.is_file():
        raise MissingError(f"No key in {folder}: {KEY} is not there. Give the folder that `bench study page` wrote.")
    try:
        raw = read_json(path)
        if raw["format"] != KEY_FORMAT or raw["version"] != VERSION:
            raise ValueError(f"format {raw['format']!r}, version {raw['version']!r}")
        questions = tuple(str(question["id"]) for question in raw["questions"])
        schedules = tuple(dict(zip(questions, schedule["places"], strict=True)) for schedule in raw["schedules"])
        methods = {str(letter): str(name) for letter, name in raw["methods"].items()}
        shown = {"".join(sorted(places)) for schedule in schedules for places in schedule.values()}
        if shown != {"".join(sorted(methods))} or len(set(questions)) != len(questions):
            raise ValueError("its schedules do not show its methods, or a question comes twice")
        return Key(raw["digest"], methods, questions, schedules, raw["facts"], tuple(map(str, raw["notes"])))
    except (DataError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is damaged, or no key of a study ({type(error).__name__}: {error}).") from error


def read_sheets(files: Sequence[Path], key: Key | None) -> tuple[list[Sheet], list[Skipped]]:
    """Read answers; a file that cannot be trusted is left out and named.

    Of two files of one participant the first counts. Without a key, all must be of the page of the first good one.

    Args:
        files: by participants.
        key: of the page; None where it is not at hand, and then what was shown cannot be checked.

    Raises:
        DataError: no file is left.
    """
    sheets: list[Sheet] = []
    skipped: list[Skipped] = []
    seen: dict[str, Path] = {}
    for file in files:
        try:
            sheet = _read(file, key)
            if sheet.participant in seen:
                raise ValueError(f"participant {sheet.participant} answered in {seen[sheet.participant]} already")
            if sheets and (sheet.page, sheet.methods) != (sheets[0].page, sheets[0].methods):
                raise ValueError(f"it is of another page than {sheets[0].file}")
        except (OSError, ValueError) as error:
            skipped.append(Skipped(file, str(error)))
            continue
        seen[sheet.participant] = file
        sheets.append(sheet)
    if not sheets:
        told = "; ".join(f"{bad.file}: {bad.why}" for bad in skipped)
        raise DataError(f"None of {len(files)} files holds answers that count ({told}).")
    return sheets, skipped


def _read(file: Path, key: Key | None) -> Sheet:
    """One file; raises ValueError with what is wrong."""
    if not file.is_file():
        raise ValueError("there is no such file")
    if file.stat().st_size > _LARGEST:
        raise ValueError("it is too large for answers")
    try:
        raw = parse_json(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    except ValueError as error:
        raise ValueError(f"it is truncated or no JSON ({error})") from None
    if not isinstance(raw, dict) or raw.get("format") != ANSWERS_FORMAT or raw.get("version") != VERSION:
        raise ValueError("it is no answers file of a page by this version")
    code, page, answers = raw.get("participant"), raw.get("page"), raw.get("answers")
    methods: Any = raw.get("methods")
    if not isinstance(code, str) or not is_code(code):
        raise ValueError("its participant has no code")
    if not isinstance(page, str) or not _is_count(methods, 2, _MOST_METHODS) or not isinstance(answers, list):
        raise ValueError("it lacks the page, the number of methods or the answers")
    if key and (page != key.digest or methods != len(key.methods)):
        raise ValueError(f"it is of another page ({page:.12}), not of {key.digest:.12}")
    shown = _shown(raw.get("schedule"), code, key)
    picks, asked = _picks(answers, methods, shown)
    if not picks:
        raise ValueError("no question is answered")
    total = len(key.questions) if key else len(asked)
    return Sheet(file, code, page, methods, tuple(picks), total - len(picks))


def _shown(schedule: Any, code: str, key: Key | None) -> Mapping[str, str] | None:
    """The letters that the participant saw at each question; None where there is no key."""
    if key is None:
        return None
    own = schedule_of(code, len(key.schedules))
    if not _is_count(schedule, own, own):
        raise ValueError(f"its schedule {schedule!r:.20} is not that of participant {code}")
    return key.schedules[own]


def _picks(answers: Sequence[Any], methods: int, shown: Mapping[str, str] | None) -> tuple[list[Pick], set[str]]:
    picks: list[Pick] = []
    asked: set[str] = set()
    for answer in answers:
        question, letter, place = _parts(answer)
        if question in asked:
            raise ValueError(f"question {question:.20} is answered twice")
        asked.add(question)
        if shown is not None and question not in shown:
            raise ValueError(f"question {question:.20} is not on the page")
        if letter is None:
            continue
        if not isinstance(letter, str) or letter not in tuple(string.ascii_uppercase[:methods]):
            raise ValueError(f"question {question:.20}: the choice {letter!r:.20} is none of the {methods} methods")
        if not _is_count(place, 0, methods - 1):
            raise ValueError(f"question {question:.20}: the place {place!r:.20} is none of {methods}")
        if shown is not None and shown[question][place] != letter:
            raise ValueError(f"question {question:.20}: {letter} did not stand at place {place + 1}")
        picks.append(Pick(question, letter, place))
    return picks, asked


def _parts(answer: Any) -> tuple[str, Any, Any]:
    question = answer.get("question") if isinstance(answer, dict) else None
    if not isinstance(question, str):
        raise ValueError("an answer names no question")
    return question, answer.get("choice"), answer.get("place")


def _is_count(value: Any, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
