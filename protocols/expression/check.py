"""``bench data check mmi-expression``: whether MMI, CK+ or FER2013 can be classified."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from bench.errors import BenchError, DataError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.base.checks import READABLE, count_line, list_line, open_files, refused_line, split_by_use
from protocols.expression.ckplus import (
    OFFICIAL_LABELLED,
    OFFICIAL_LABELLED_SUBJECTS,
    OFFICIAL_SEQUENCES,
    OFFICIAL_SUBJECTS,
    load_sequences,
)
from protocols.expression.fer2013 import CODES, OFFICIAL, check_split, count_rows, table_of
from protocols.expression.shots import SIX, Listed, ckplus_shots, mmi_shots
from protocols.expression.study import Choice
from protocols.mmi import check


def check_mmi(root: Path, choice: Choice, progress: Progress | None = None) -> list[CheckLine]:
    """The lines of `protocols.mmi.check`, then those on the faces to classify; never raises on damage."""
    return [*check.check(root, progress), *_classified(lambda: mmi_shots(root), choice)]


def check_ckplus(root: Path, choice: Choice, progress: Progress | None = None) -> list[CheckLine]:
    """Sequences, labels and images of CK+ against the published counts; never raises on damage."""
    try:
        sequences, faults = load_sequences(root)
    except DataError as error:
        return [refused_line(error)]
    labelled = [sequence for sequence in sequences if sequence.emotion is not None]
    shown = Counter(sequence.expression for sequence in labelled)
    lines = [
        count_line("sequences", len(sequences), OFFICIAL_SEQUENCES),
        count_line("people", len({s.subject for s in sequences}), OFFICIAL_SUBJECTS),
        count_line("labelled sequences", len(labelled), sum(OFFICIAL_LABELLED.values())),
        count_line("people with a label", len({s.subject for s in labelled}), OFFICIAL_LABELLED_SUBJECTS),
        *(
            count_line(f"labelled {name}", shown[name], count, needed=False)
            for name, count in OFFICIAL_LABELLED.items()
        ),
        *(CheckLine("differs", what, f"{count:,}", "none") for what, count in sorted(faults.items())),
    ]
    gaps = [s.key for s in labelled if s.peak in s.numbers and not s.whole]
    lines.append(list_line("labelled sequences that lack frames", gaps, level="differs"))
    lines.append(list_line("labels whose peak frame is absent", [s.key for s in labelled if s.peak not in s.numbers]))
    try:
        used = {shot.photograph.path for shot in ckplus_shots(root).shots if shot.expression in choice.labels}
    except BenchError:
        used = {frame for s in labelled for frame in s.frames}
    opened, _ = open_files(
        root, split_by_use({"image": [frame for s in labelled for frame in s.frames]}, used), progress
    )
    return [*lines, *opened, *_classified(lambda: ckplus_shots(root), choice)]


def check_fer2013(root: Path, choice: Choice) -> list[CheckLine]:
    """The table of FER2013 against the published counts; never raises on damage."""
    table = table_of(root)
    try:
        if table is None:
            raise DataError("fer2013.csv is absent")
        faces, usages_of_face = count_rows(table)
    except DataError as error:
        return [refused_line(error)]
    usages, emotions = Counter[str](), Counter[int]()
    for (usage, code), count in faces.items():
        usages[usage] += count
        emotions[code] += count
    unknown = sum(count for code, count in emotions.items() if not 0 <= code < len(CODES))
    equal = sum({"Training", "PrivateTest"} <= parts for parts in usages_of_face.values())
    by_name = ", ".join(f"{emotions[code]:,} {name}" for code, name in enumerate(CODES))
    return [
        *(
            count_line(usage, usages[usage], count, needed=usage in ("Training", "PrivateTest"))
            for usage, count in OFFICIAL.items()
        ),
        CheckLine("ok" if all(emotions[code] for code in range(len(CODES))) else "differs", "expressions", by_name),
        CheckLine("differs" if unknown else "ok", "emotion codes outside 0 to 6", f"{unknown:,}"),
        CheckLine(  # the published table has such faces
            "ok", "faces of PrivateTest that are in Training too", f"{equal:,}"
        ),
        _readable(faces, choice),
    ]


def _readable(faces: Collection[tuple[str, int]], choice: Choice) -> CheckLine:
    """Whether there are faces to train on and to test, with the run's expressions."""
    named = [(usage, CODES[code]) for usage, code in faces if 0 <= code < len(CODES)]
    used = [(usage, expression) for usage, expression in named if expression in choice.labels]
    if not used:
        return CheckLine("damaged", READABLE, f"no face has one of the {choice.classes} expressions", "yes")
    try:
        check_split(used)
    except DataError as error:
        return refused_line(error)
    return CheckLine("ok", READABLE, "yes", "yes")


def _classified(shots: Callable[[], Listed], choice: Choice) -> list[CheckLine]:
    """Sequences by expression, and whether their people can be assigned to folds."""
    try:
        listed = shots()
        used = [shot for shot in listed.shots if shot.expression in choice.labels]
        folds = choice.assign_folds(used)
    except BenchError as error:
        return [refused_line(error, "ready to classify")]
    absent = [name for name in SIX if not listed.sequences.get(name)]
    by_name = ", ".join(f"{listed.sequences.get(name, 0):,} {name}" for name in SIX)
    sizes = Counter(folds.values())
    people = f"{len(folds):,} people, {min(sizes.values())} to {max(sizes.values())} a fold"
    return [
        CheckLine("differs" if absent else "ok", "sequences to classify", by_name),
        CheckLine("ok", "folds", f"{choice.folds} of {people}"),
        CheckLine("ok", "ready to classify", f"yes, {len(used):,} frames", "yes"),
    ]
