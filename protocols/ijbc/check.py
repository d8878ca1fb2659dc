"""``bench data check ijbc``: counts, people, pairs, and every image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.images import open_image
from bench.interfaces import Progress
from bench.io.filekinds import read_plain
from bench.media.crop import box_fault
from bench.studies import Study
from bench.types import CheckLine
from protocols.base.checks import (
    count_line,
    digests_of_part,
    disjoint_line,
    files_used,
    list_line,
    open_files,
    read_as_run,
    split_by_use,
    without_damage,
)
from protocols.ijbc.files import Files
from protocols.ijbc.media import Framing, framed
from protocols.ijbc.pairs import indices_of, read_pairs
from protocols.ijbc.releases import Release, Task, complete, read_lists
from protocols.ijbc.rows import Lists, Rows
from protocols.ijbc.studies import OFFICIAL_PAIRS, OFFICIAL_ROWS, OFFICIAL_SEARCH

_TASKS: tuple[Task, ...] = ("identification", "verification")
_SHORT: dict[Task, str] = {"identification": "1:N", "verification": "1:1"}


def check(
    root: Path,
    read: Callable[[Task], Study],
    *,
    task: Task,
    framing: Framing,
    release: Release = "auto",
    progress: Progress | None = None,
) -> list[CheckLine]:
    """Compare a folder with the official lists; never raises on damage.

    Args:
        root: the located root.
        read: reads the study of a task as a run does.
        task: of the run.
        framing: how the run crops faces.
        release: whose lists the run uses.
        progress: called with (images opened, all) now and then.

    Returns:
        One line for each property. ``damaged`` marks everything for which that run would refuse the folder or count
        failures; faults in lists of the other task are ``differs``.
    """
    readable, study = _readable(read, task)
    lines: list[CheckLine] = []
    lists_of: dict[Task, Lists] = {}
    for each in _TASKS:
        of_task: list[CheckLine] = []
        lists = _read(root, each, release, of_task, needed=each == task)
        if lists is not None:
            lists_of[each] = lists
            if each == "identification":
                of_task.append(CheckLine("ok", "release", f"{lists.release} (1:N)"))
            inspect = _search_lines if each == "identification" else _pair_lines
            _try(partial(inspect, lists, of_task), f"{_SHORT[each]} lists", of_task)
        lines += of_task if each == task else without_damage(of_task)
    inspected = lists_of.get(task) or next(iter(lists_of.values()), None)
    if inspected is not None:
        _try(lambda: _image_lines(root, inspected, lines, progress, files_used(study), framing), "images", lines)
    return [*lines, *_other(root, read, task), readable]


def _other(root: Path, read: Callable[[Task], Study], task: Task) -> list[CheckLine]:
    """Whether the other task could be run, if its lists exist; never ``damaged``."""
    other = next(each for each in _TASKS if each != task)
    return without_damage([_readable(read, other)[0]]) if complete(root, other) else []


def _readable(read: Callable[[Task], Study], task: Task) -> tuple[CheckLine, Study | None]:
    line, study = read_as_run(lambda: read(task), f"readable for {task}")
    if study is None:
        return line, None
    return replace(line, level="ok" if study.official else "differs", examples=study.notes), study


def _read(root: Path, task: Task, release: Release, lines: list[CheckLine], *, needed: bool) -> Lists | None:
    """The lists of a task; adds a line where they are absent or cannot be read."""
    releases = complete(root, task)
    if not needed and not (releases if release == "auto" else release in releases):
        lines.append(CheckLine("differs", f"{_SHORT[task]} lists", "none", "present"))
        return None
    try:
        return read_lists(root, task, release)
    except DataError as error:
        lines.append(CheckLine("damaged", f"lists for {task}", str(error)))
        return None


def _try(inspect: Callable[[], None], subject: str, lines: list[CheckLine]) -> None:
    """Run an inspection; adds a line where it raises."""
    try:
        inspect()
    except DataError as error:
        lines.append(CheckLine("damaged", subject, str(error)))


def _search_lines(lists: Lists, lines: list[CheckLine]) -> None:
    owners = {name: rows.subjects(name) for name, rows in {**lists.gallery, "probe": lists.probes}.items()}
    for name, people in owners.items():
        lines.append(count_line(f"{name} templates", len(people), OFFICIAL_SEARCH[f"{name} templates"]))
        if name != "probe":
            several = [str(person) for person, count in Counter(people.values()).items() if count > 1]
            lines.append(list_line(f"people with several templates in {name}", several, level="differs"))
    if lists.rows is not None:
        lines.append(count_line("rows of the list of crops", lists.rows, OFFICIAL_ROWS))
    one, two = ({str(person) for person in owners[name].values()} for name in ("G1", "G2"))
    lines += without_damage([disjoint_line("people in both galleries", one, two)])  # a run reports them in a note
    not_enrolled = {str(person) for person in owners["probe"].values()} - one - two
    lines.append(list_line("people searched and in no gallery", not_enrolled, level="differs"))
    templates = {name: {str(template) for template in people} for name, people in owners.items()}
    lines.append(disjoint_line("templates in both galleries", templates["G1"], templates["G2"]))
    enrolled_templates = templates["G1"] | templates["G2"]
    lines += without_damage([disjoint_line("templates enrolled and searched", enrolled_templates, templates["probe"])])
    empty = [str(template) for rows in (*lists.gallery.values(), lists.probes) for template, _ in rows.empty]
    lines.append(list_line("templates without an image", empty))
    enrolled = {f"{s} {n}" for rows in lists.gallery.values() for s, n in _faces(rows)}
    both = enrolled & {f"{s} {n}" for s, n in _faces(lists.probes)}
    lines.append(list_line("faces (person, file) enrolled and searched", both, level="differs"))


def _faces(rows: Rows) -> Iterator[tuple[int, str]]:
    return zip(rows.subject.tolist(), rows.filename, strict=True)


def _pair_lines(lists: Lists, lines: list[CheckLine]) -> None:
    if lists.matches is None:
        return
    pairs = read_pairs(lists.matches, labelled=lists.release == "C")
    owners = {**lists.gallery["enrolled"].subjects("enrolled"), **lists.probes.subjects("verified")}
    templates, people = list(owners), np.array(list(owners.values()), np.int64)
    at = [indices_of(column, templates) for column in (pairs.first, pairs.second)]
    known = (at[0] >= 0) & (at[1] >= 0)
    with_image = set(lists.gallery["enrolled"].template.tolist()) | set(lists.probes.template.tolist())
    unknown = {str(n) for n in np.unique(np.concatenate([pairs.first, pairs.second])).tolist() if n not in with_image}
    by_subject = people[at[0]] == people[at[1]]
    same = by_subject if pairs.same is None else pairs.same
    genuine = int(same.sum())
    lines.append(count_line("1:1 genuine pairs", genuine, OFFICIAL_PAIRS["genuine pairs"]))
    lines.append(count_line("1:1 impostor pairs", len(same) - genuine, OFFICIAL_PAIRS["impostor pairs"]))
    lines.append(list_line("templates of pairs without an image or a list", unknown))
    if pairs.same is not None:
        labelled = known & (people[at[0]] >= 0) & (people[at[1]] >= 0)
        wrong = np.flatnonzero(labelled & (by_subject != pairs.same)).tolist()
        numbers = [f"line {line + 1}" for line in wrong]
        lines.append(list_line("labels of pairs that contradict the subjects", numbers, level="differs"))


def _image_lines(
    root: Path,
    lists: Lists,
    lines: list[CheckLine],
    progress: Progress | None,
    used: Collection[Path] | None,
    framing: Framing,
) -> None:
    parts = {**lists.gallery, "probe": lists.probes}
    files = Files(root, lists.base)
    paths = {part: [files.find(name) for name in dict.fromkeys(rows.filename)] for part, rows in parts.items()}
    lines.append(list_line("images found with another ending", set(files.renamed), level="differs"))
    opened, digests = open_files(root, split_by_use(paths, used), progress)
    lines += opened
    if lists.release == "C" and lists.matches is None:
        searched = {digest: path.name for path, digest in digests_of_part(digests, "probe").items()}
        enrolled = (digests_of_part(digests, part) for part in lists.gallery)
        equal = [
            f"{path.name} = {searched[digest]}"
            for of_gallery in enrolled
            for path, digest in of_gallery.items()
            if digest in searched
        ]
        lines.append(list_line("crops enrolled and searched, equal byte for byte", equal, level="differs"))
    outside = [name for rows in parts.values() for name in _outside(rows, files, used, framing)]
    lines.append(list_line("boxes without a size or outside their image", outside))


def _outside(rows: Rows, files: Files, used: Collection[Path] | None, framing: Framing) -> Iterator[str]:
    """Faces that a run could not crop from their image; unreadable images are listed elsewhere."""
    boxes, _ = framed(rows, framing)
    if boxes is None:
        return
    sizes: dict[Path, tuple[int, int] | None] = {}
    for template, name, box in zip(rows.template.tolist(), rows.filename, boxes, strict=True):
        path = files.find(name)
        if used is not None and path not in used:
            continue
        if path not in sizes:
            try:
                with open_image(read_plain(path)) as image:
                    sizes[path] = image.size
            except DataError:
                sizes[path] = None
        size = sizes[path]
        if size is not None and box_fault(box, *size):
            yield f"template {template}: {name}"
