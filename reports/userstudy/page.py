"""Writes the page of a user study, one file that uses no network, and its key, which participants must not see."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.io.atomic import explain_os_errors, replace_folder
from bench.results.folder import dump_json
from reports.userstudy.orders import make_schedules
from reports.userstudy.questions import QuestionSet

PAGE, KEY = "index.html", "key.json"
KEY_FORMAT, ANSWERS_FORMAT, VERSION = "bench-study-key", "bench-study-answers", 1


@dataclass(frozen=True)
class StudyFiles:
    """The files of a user study: the page for participants, and the key, which they must not see."""

    page: Path
    key: Path
    digest: str


def write_page(sample: QuestionSet, out: Path, *, seed: int) -> StudyFiles:
    """Write ``index.html`` and ``key.json``.

    The page has no name of a method, a person or a file: methods are letters, assigned by the seed, and only the key
    names the method of each letter.

    Args:
        sample: the questions.
        out: a folder, new or empty.
        seed: of letters and schedules.

    Raises:
        UsageError: the folder is not empty.
        BenchError: it cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty. Choose another --out.")
    study = make_study(sample, seed=seed)
    html = to_html(study)
    key = make_key(sample, study, seed=seed)
    with explain_os_errors(f"Cannot write the study to {out}"), replace_folder(out, keep_existing=True) as new:
        (new / KEY).write_text(dump_json(key), encoding="utf-8")
        (new / PAGE).write_text(html, encoding="utf-8")
    return StudyFiles(out / PAGE, out / KEY, study["digest"])


def make_study(sample: QuestionSet, *, seed: int) -> dict[str, Any]:
    """The data of the page: images, schedules and the digest of both."""
    letters = letters_of(len(sample.methods), seed)
    questions = [
        {
            "id": f"q{number:04d}",
            "lr": _uri(question.lr),
            "truth": _uri(question.truth),
            "options": dict(sorted(zip(letters, map(_uri, question.options), strict=True))),
        }
        for number, question in enumerate(sample.questions, 1)
    ]
    schedules = [
        {
            "questions": list(schedule.questions),
            "places": ["".join(letters[method] for method in line) for line in schedule.places],
        }
        for schedule in make_schedules(len(questions), len(letters), seed=seed)
    ]
    study: dict[str, Any] = {
        "format": ANSWERS_FORMAT,
        "version": VERSION,
        "methods": len(letters),
        "questions": questions,
        "schedules": schedules,
    }
    text = json.dumps(study, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return study | {"digest": hashlib.sha256(text.encode()).hexdigest()}


def make_key(sample: QuestionSet, study: dict[str, Any], *, seed: int) -> dict[str, Any]:
    """The method of each letter and the face of each question of a page."""
    letters = letters_of(len(sample.methods), seed)
    return {
        "format": KEY_FORMAT,
        "version": VERSION,
        "digest": study["digest"],
        "seed": seed,
        "methods": dict(zip(letters, sample.methods, strict=True)),
        "questions": [
            {"id": shown["id"], "key": question.key, "identity": question.identity}
            for shown, question in zip(study["questions"], sample.questions, strict=True)
        ],
        "schedules": study["schedules"],
        "facts": dict(sample.facts),
        "notes": list(sample.notes),
    }


def letters_of(methods: int, seed: int) -> Sequence[str]:
    """The letter of each method, assigned by the seed."""
    order = np.random.default_rng((seed, 0x6C65)).permutation(methods)
    return [string.ascii_uppercase[place] for place in order]


def to_html(study: dict[str, Any]) -> str:
    """Render the page; all data are in one block of JSON, in which no tag can begin or end."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("reports.userstudy"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = {name: _source(environment, name) for name in ("study.js", "study.css")}
    policy = "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"script-src 'sha256-{_hash(parts['study.js'])}'",
            f"style-src 'sha256-{_hash(parts['study.css'])}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return environment.get_template("page.html.j2").render(
        study=study,
        policy=policy,
        script=Markup(parts["study.js"]),  # files of this package, unchanged: the policy has their hashes
        style=Markup(parts["study.css"]),
        count=len(study["questions"]),
        methods=study["methods"],
    )


def _source(environment: Any, name: str) -> str:
    text: str = environment.loader.get_source(environment, name)[0]
    return text


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
