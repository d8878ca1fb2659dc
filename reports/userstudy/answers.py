"""Reads the files that participants send back; files that fail a check are named and left out."""

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
    """The key of a page: which letter is which method.

    Attributes:
        digest: of the page.
        methods: names by letter.
        questions: ids of the questions.
        schedules: for each schedule the letters in the order shown, by question id.
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
    """One answer: the question, the letter picked and its position on the page, from 0."""

    question: str
    letter: str
    place: int


@dataclass(frozen=True)
class AnswerFile:
    """The answers of one participant.

    Attributes:
        file: where they were read from.
        participant: the code.
        page: digest of the page answered.
        methods: number of methods shown.
        picks: the answers.
        unanswered: number of questions without an answer.
    """

    file: Path
    participant: str
    page: str
    methods: int
    picks: tuple[Pick, ...]
    unanswered: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is left out, and the reason."""

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
        raise MissingError(
            f"No key in {folder}: {KEY} is not there. Give the folder that `bench userstudy page` wrote."
        )
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
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is damaged, or no key of a user study ({type(error).__name__}: {error}).") from error


def read_answers(files: Sequence[Path], key: Key | None) -> tuple[list[AnswerFile], list[Skipped]]:
    """Read answers; a file that fails a check is left out and named.

    Of two files of one participant the first is used. Without a key, all files must be of the page of the first one.

    Args:
        files: by participants.
        key: of the page; None if it is not available, and then the images shown cannot be checked.

    Raises:
        DataError: no file passes the checks.
    """
    answer_files: list[AnswerFile] = []
    skipped: list[Skipped] = []
    seen: dict[str, Path] = {}
    for file in files:
        try:
            answers = _read(file, key)
            if answers.participant in seen:
                raise ValueError(f"participant {answers.participant} answered in {seen[answers.participant]} already")
            if answer_files and (answers.page, answers.methods) != (answer_files[0].page, answer_files[0].methods):
                raise ValueError(f"it is of another page than {answer_files[0].file}")
        except (OSError, ValueError) as error:
            skipped.append(Skipped(file, str(error)))
            continue
        seen[answers.participant] = file
        answer_files.append(answers)
    if not answer_files:
        reasons = "; ".join(f"{bad.file}: {bad.why}" for bad in skipped)
        raise DataError(f"None of {len(files)} files has usable answers ({reasons}).")
    return answer_files, skipped


def _read(file: Path, key: Key | None) -> AnswerFile:
    """Read one file; a ValueError names the fault."""
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
    picks, questions = _picks(answers, methods, shown)
    if not picks:
        raise ValueError("no question is answered")
    total = len(key.questions) if key else len(questions)
    return AnswerFile(file, code, page, methods, tuple(picks), total - len(picks))


def _shown(schedule: Any, code: str, key: Key | None) -> Mapping[str, str] | None:
    """The letters shown to the participant at each question; None without a key."""
    if key is None:
        return None
    expected = schedule_of(code, len(key.schedules))
    if not _is_count(schedule, expected, expected):
        raise ValueError(f"its schedule {schedule!r:.20} is not that of participant {code}")
    return key.schedules[expected]


def _picks(answers: Sequence[Any], methods: int, shown: Mapping[str, str] | None) -> tuple[list[Pick], set[str]]:
    picks: list[Pick] = []
    questions: set[str] = set()
    for answer in answers:
        question, letter, place = _parts(answer)
        if question in questions:
            raise ValueError(f"question {question:.20} is answered twice")
        questions.add(question)
        if shown is not None and question not in shown:
            raise ValueError(f"question {question:.20} is not on the page")
        if letter is None:
            continue
        if not isinstance(letter, str) or letter not in tuple(string.ascii_uppercase[:methods]):
            raise ValueError(f"question {question:.20}: the choice {letter!r:.20} is none of the {methods} methods")
        if not _is_count(place, 0, methods - 1):
            raise ValueError(f"question {question:.20}: the place {place!r:.20} is none of {methods}")
        if shown is not None and shown[question][place] != letter:
            raise ValueError(f"question {question:.20}: {letter} was not shown at place {place + 1}")
        picks.append(Pick(question, letter, place))
    return picks, questions


def _parts(answer: Any) -> tuple[str, Any, Any]:
    question = answer.get("question") if isinstance(answer, dict) else None
    if not isinstance(question, str):
        raise ValueError("an answer names no question")
    return question, answer.get("choice"), answer.get("place")


def _is_count(value: Any, least: int, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
