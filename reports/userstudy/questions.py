"""The questions of a user study, from run folders: faces that every run hallucinated, with their ground truth."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError, UsageError
from bench.images import decode
from bench.results import ItemRow, ProbeRow, RunResult
from bench.results.folder import IMAGES_FILE, read_image, read_run
from bench.results.kinds import EXPRESSION, IDENTIFICATION, RESTORATION, recorded_kind
from bench.results.text import banners

MOST_METHODS = 9
"""Methods are picked by the keys 1 to 9."""
_FACES = (RESTORATION, EXPRESSION)
"""Kinds of runs whose items are faces."""


@dataclass(frozen=True)
class Question:
    """One face.

    Attributes:
        key: of the probe.
        identity: the person.
        lr: the LR face, PNG.
        truth: the ground-truth face, PNG.
        options: the output of each method, PNG, in the order of the methods.
    """

    key: str
    identity: str
    lr: bytes
    truth: bytes
    options: tuple[bytes, ...]


@dataclass(frozen=True)
class QuestionSet:
    """The questions of a user study.

    Attributes:
        methods: unique names: the labels of the runs, with their folders where labels are equal.
        questions: at least one.
        notes: sentences for the experimenter: faces left out, banners of the runs.
        facts: protocol and data.
    """

    methods: tuple[str, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class _Run:
    folder: Path
    result: RunResult
    rows: Mapping[str, tuple[int, ProbeRow | ItemRow]]
    members: frozenset[str]


def choose_questions(folders: Sequence[Path], *, count: int, seed: int) -> QuestionSet:
    """Choose faces on which no run failed: one of each person, then a second one, and so on.

    Args:
        folders: run folders with images, of one protocol on the same data; 2 to 9.
        count: number of questions, at least 1; fewer if there are fewer faces, which a note says.
        seed: of the choice.

    Raises:
        UsageError: too few or too many runs, the same one twice, or runs on different faces.
        DataError: a run keeps no images, a chosen image is damaged, or no face can be used.
        MissingError: there is no run in a folder.
    """
    if not 2 <= len(folders) <= MOST_METHODS or len({folder.resolve() for folder in folders}) != len(folders):
        raise UsageError(f"A user study compares 2 to {MOST_METHODS} runs, each once; {len(folders)} were given.")
    if count < 1 or seed < 0:
        raise UsageError(f"{count} questions, seed {seed}: give 1 or more, and a seed that is not negative.")
    runs = [_open(folder) for folder in folders]
    _same_faces(runs)
    shared = [key for key in runs[0].rows if all(key in run.rows for run in runs[1:])]
    usable = [key for key in shared if _is_whole(runs, key)]
    if not usable:
        raise DataError(
            f"None of {len(shared)} faces can be used: each needs an LR image, a ground-truth face, and an output in "
            "every run."
        )
    chosen = _in_turn(usable, runs[0], count, seed)
    notes = [
        f"{folder.name}: {banner}"
        for folder, run in zip(folders, runs, strict=True)
        for banner in banners(run.result.record)
    ]
    if len(usable) < len(shared):
        notes.append(f"{len(shared) - len(usable)} of {len(shared)} faces are left out: a run failed on them.")
    if len(chosen) < count:
        notes.append(f"{count} questions were requested, but there are only {len(chosen)} faces.")
    record = runs[0].result.record
    return QuestionSet(
        _names(runs),
        tuple(_question(runs, key) for key in chosen),
        tuple(notes),
        {
            "protocol": record.protocol["name"],
            "arguments": record.protocol.get("arguments", {}),
            "data": record.data["name"],
            "data_digest": record.data["digest"],
            "sample": any(run.result.record.sample for run in runs),
            "smoke": any(run.result.record.smoke for run in runs),
        },
    )


def _open(folder: Path) -> _Run:
    result = read_run(folder)
    if not (folder / IMAGES_FILE).is_file():
        raise DataError(f"{folder} keeps no images. Run it again with --images all.")
    kind = recorded_kind(result.record.protocol)
    rows: Sequence[ProbeRow | ItemRow] = result.probes
    if kind in _FACES:
        rows = result.items
    elif kind != IDENTIFICATION:
        raise UsageError(f"{folder} is a run of the kind {kind}, which has no faces with their ground truth.")
    by_key = {_key(row): (place, row) for place, row in reversed(list(enumerate(rows)))}
    try:
        with zipfile.ZipFile(folder / IMAGES_FILE) as archive:
            members = frozenset(archive.namelist())
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{folder / IMAGES_FILE} is damaged ({error}). Run it again.") from error
    return _Run(folder, result, by_key, members)


def _key(row: ProbeRow | ItemRow) -> str:
    """The face of a row: a probe that was searched in several galleries is one face."""
    return row.key if isinstance(row, ItemRow) else row.template or row.key


def _same_faces(runs: Sequence[_Run]) -> None:
    first = runs[0].result.record
    for run in runs[1:]:
        record = run.result.record
        differing = [
            what
            for what, one, other in (
                ("protocol", first.protocol["name"], record.protocol["name"]),
                ("arguments", first.protocol.get("arguments"), record.protocol.get("arguments")),
                ("data", first.data["digest"], record.data["digest"]),
            )
            if one != other
        ]
        if differing:
            raise UsageError(
                f"{run.folder} and {runs[0].folder} are not on the same faces: {', '.join(differing)} differ."
            )


def _is_whole(runs: Sequence[_Run], key: str) -> bool:
    """Whether the face has all its images and no run failed on it."""
    if any(run.rows[key][1].status == "failed" for run in runs):
        return False
    return _truth(runs, key) is not None and all(_has(run, "lr", key) for run in runs)


def _truth(runs: Sequence[_Run], key: str) -> tuple[_Run, str] | None:
    """The run and the kind of image with the ground truth: ``truth``, or the best mate in a search."""
    return next(((run, kind) for kind in ("truth", "mate") for run in runs if _has(run, kind, key)), None)


def _has(run: _Run, kind: str, key: str) -> bool:
    return _member(run, kind, key) in run.members


def _member(run: _Run, kind: str, key: str) -> str:
    return f"{kind}/{run.rows[key][0]:06d}.png"


def _in_turn(keys: Sequence[str], run: _Run, count: int, seed: int) -> list[str]:
    """Draw faces: one of each person, then a second one, and so on."""
    rng = np.random.default_rng((seed, 0x7175))
    people: dict[str, list[str]] = {}
    for place in rng.permutation(len(keys)):
        people.setdefault(run.rows[keys[place]][1].identity, []).append(keys[place])
    order = list(people.values())
    deepest = max(map(len, order))
    return [faces[depth] for depth in range(deepest) for faces in order if depth < len(faces)][:count]


def _question(runs: Sequence[_Run], key: str) -> Question:
    truth = _truth(runs, key)
    if truth is None:
        raise DataError(f"{runs[0].folder} keeps no ground-truth face of {key}.")
    outputs = (
        _clean(run, "out" if _has(run, "out", key) else "lr", key) for run in runs
    )  # an output equal to the LR face is not stored
    return Question(key, runs[0].rows[key][1].identity, _clean(runs[0], "lr", key), _clean(*truth, key), tuple(outputs))


def _clean(run: _Run, kind: str, key: str) -> bytes:
    """The pixels encoded again, so that no other data of the file get into the page."""
    from PIL import Image

    try:
        image = decode(read_image(run.folder, _member(run, kind, key)) or b"")
    except (DataError, zlib.error, EOFError) as error:
        raise DataError(f"The {kind} image of {key} in {run.folder} cannot be shown: {error}. Run it again.") from None
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _names(runs: Sequence[_Run]) -> tuple[str, ...]:
    labels = [run.result.record.label for run in runs]
    return tuple(
        label if labels.count(label) == 1 else f"{label} ({run.folder})"
        for label, run in zip(labels, runs, strict=True)
    )
