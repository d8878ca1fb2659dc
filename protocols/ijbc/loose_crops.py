"""Release C of IJB-C: loose crops of faces with five points and a detector's score, in parallel lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.errors import DataError
from protocols.ijbc.rows import Floats, Ints, Lists, Rows
from protocols.ijbc.tables import file_names, is_header, numbers, pixels, read_table, whole_numbers

MEDIA = "meta/ijbc_face_tid_mid.txt"
POINTS = ("meta/ijbc_name_5pts_score.txt", "meta/ijbc_name_5pts_score_retina.txt")
MATCHES = "meta/ijbc_template_pair_label.txt"
SEARCH = {
    "G1": "meta/ijbc_1N_gallery_G1.csv",
    "G2": "meta/ijbc_1N_gallery_G2.csv",
    "probe": "meta/ijbc_1N_probe_mixed.csv",
}
CROPS = "loose_crop"


def read_c(root: Path, *, pairs: bool) -> Lists:
    """Read the lists of release C.

    Args:
        root: the located root.
        pairs: for 1:1, where ``enrolled`` and ``probes`` both hold all rows before pairs are read; else for 1:N.

    Returns:
        The lists; templates of the 1:N lists without a crop are in ``empty``.

    Raises:
        DataError: a list is absent, damaged or contradicts another.
    """
    notes: list[str] = []
    everything = _all_rows(root, notes)
    people = {name: _subjects(root / file) for name, file in SEARCH.items() if (root / file).is_file()}
    if pairs:
        owners = {template: subject for part in people.values() for template, subject in part.items()}
        subjects = np.array([owners.get(t, -1) for t in everything.template.tolist()], np.int64)
        empty = sorted(set(owners) - set(everything.template.tolist()))
        rows = Rows(
            everything.template,
            subjects,
            everything.filename,
            everything.medium,
            points=everything.points,
            score=everything.score,
            empty=tuple((template, owners[template]) for template in empty),
        )
        return Lists("C", root / CROPS, {"enrolled": rows}, rows, root / MATCHES, len(everything), notes)
    absent = [root / file for name, file in SEARCH.items() if name not in people]
    if absent:
        raise DataError(f"{absent[0]} does not exist; it lists enrolled or searched templates.")
    parts = {name: _owned(everything, owners) for name, owners in people.items()}
    listed = {template for owners in people.values() for template in owners}
    extra = len(set(everything.template.tolist()) - listed)
    if extra:
        notes.append(f"{extra:,} templates of {Path(MEDIA).name} are in no 1:N list and are left out.")
    probes = parts.pop("probe")
    return Lists("C", root / CROPS, parts, probes, None, len(everything), notes)


def _all_rows(root: Path, notes: list[str]) -> Rows:
    """Every crop with its template, medium, points and score; subjects are not known yet."""
    path = root / MEDIA
    frame = read_table(path, sep=r"\s+", header=None, dtype=str)
    if frame.shape[1] != 3:
        raise DataError(f"{path} has {frame.shape[1]} columns; expected 3: crop, template, media.")
    names = file_names(path, frame[0], "crop")
    templates = whole_numbers(path, frame[1], "template")
    media = [str(number) for number in whole_numbers(path, frame[2], "media").tolist()]
    points, score = _points(root, names, notes)
    return Rows(templates, np.full(len(names), -1, np.int64), names, media, points=points, score=score)


def _points(root: Path, names: list[str], notes: list[str]) -> tuple[Floats | None, Floats | None]:
    """Points (N, 10) and scores (N,) in the order of ``names``; None where there is no list."""
    path = next((root / file for file in POINTS if (root / file).is_file()), None)
    if path is None:
        notes.append(f"{Path(POINTS[0]).name} is missing: no landmarks and no detector scores.")
        return None, None
    if path != root / POINTS[0]:
        notes.append(f"{Path(POINTS[0]).name} is missing; {path.name} was used.")
    frame = read_table(path, sep=r"\s+", header=None, dtype={0: str, **dict.fromkeys(range(1, 12), str)})
    if frame.shape[1] != 12:
        raise DataError(f"{path} has {frame.shape[1]} columns; expected 12: crop, five points, score.")
    crops = file_names(path, frame[0], "crop")
    table = np.stack([*(pixels(frame[column]) for column in range(1, 11)), numbers(frame[11])], axis=1)
    if crops != names:  # the lists should be parallel; otherwise rows are matched by name
        row_of = {name: row for row, name in enumerate(crops)}
        rows = np.array([row_of.get(name, -1) for name in names], np.int64)
        missing = int((rows < 0).sum())
        table = np.where((rows < 0)[:, None], np.nan, table[np.maximum(rows, 0)])
        without = f"; {missing:,} crops are not in the second" if missing else ""
        notes.append(f"{Path(MEDIA).name} and {path.name} are not in the same order and were matched by name{without}.")
    return table[:, :10], table[:, 10]


def _subjects(path: Path) -> dict[int, int]:
    """Subject of each template, from the first two columns; a header is skipped."""
    frame = read_table(path, header=None, usecols=[0, 1], dtype=str, skipinitialspace=True)
    if len(frame) and is_header([str(cell) for cell in frame.iloc[0]]):
        frame = frame.iloc[1:]
    if frame.empty:
        raise DataError(f"{path} has no rows.")
    templates = whole_numbers(path, frame[0], "TEMPLATE_ID")
    subjects = whole_numbers(path, frame[1], "SUBJECT_ID")
    return Rows(templates, subjects, [], []).subjects(str(path))


def _owned(everything: Rows, owners: dict[int, int]) -> Rows:
    """The crops of templates, with their subjects."""
    rows = everything.of(set(owners))
    with_crop = set(rows.template.tolist())
    subjects: Ints = np.array([owners[t] for t in rows.template.tolist()], np.int64)
    empty = tuple((template, subject) for template, subject in owners.items() if template not in with_crop)
    return Rows(rows.template, subjects, rows.filename, rows.medium, points=rows.points, score=rows.score, empty=empty)
