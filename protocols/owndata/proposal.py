"""Proposes a table for a folder of pictures, from its folders or from the names of its files."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote
from protocols.base.root import demand_folder, entries_in, escaped_name, folders_in, names_in
from protocols.owndata.csv_list import NEEDED
from protocols.owndata.entries import ROLES, Entry, Faults, composed
from protocols.owndata.folder import read_folder

_NUMBERED = re.compile(r"(.*[^\s_.\-(])[\s_.\-(]+[a-z]{0,3}\d+\)?", re.IGNORECASE)


@dataclass(frozen=True)
class Proposal:
    """A table for a folder.

    Attributes:
        rule: how people and roles were found, in words.
        entries: the rows.
        notes: what was left out.
    """

    rule: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Pictures and people by role."""
        pictures = Counter(entry.role for entry in self.entries)
        people = {role: {e.identity for e in self.entries if e.role == role} - {None} for role in pictures}
        return {role: (pictures[role], len(people[role])) for role in ROLES if pictures[role]}

    def table(self, root: Path) -> str:
        """The table as CSV; paths are relative to ``root``.

        Raises:
            DataError: a name is not valid Unicode, so a table cannot hold it.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(NEEDED)
        for entry in self.entries:
            path = entry.path.relative_to(root).as_posix()
            if not path.isprintable():
                raise DataError(f"The name {quote(path)} has control characters or is not UTF-8; rename the file.")
            writer.writerow((path, entry.identity or "", entry.role))
        return text.getvalue()


def propose(root: Path, *, enrol: int = 1) -> Proposal:
    """Look at a folder and propose a table.

    ``gallery`` and ``probe`` give the roles; else each folder is a person; else the people are in the names of files:
    what stands before the last number (``ann_01.jpg`` and ``ann_02.jpg`` show ``ann``).

    Args:
        root: the folder.
        enrol: where there are no folders gallery and probe: pictures of a person that are enrolled.

    Raises:
        MissingError: it does not exist.
        DataError: no rule fits, or the folder has faults; the text names them.
    """
    demand_folder(root, "Give a folder of pictures: bench data init DIR.")
    folders = [folder.name for folder in folders_in(root) if not folder.name.startswith(".")]
    if {"gallery", "probe"} <= set(folders):
        listing, rule = read_folder(root, enrol=0), "the folders gallery and probe give the roles"
    elif folders:
        listing = read_folder(root, enrol=enrol)
        rule = f"each folder is a person, {_enrolled(enrol)}"
    else:
        return _by_names(root, enrol)
    listing.faults.refuse(root)
    if not listing.entries:
        raise DataError(f"{root} has folders, but no picture in them ({', '.join(IMAGE_ENDINGS)}).")
    return _usable(root, Proposal(rule, tuple(sorted(listing.entries, key=lambda e: e.key)), listing.notes))


def _by_names(root: Path, enrol: int) -> Proposal:
    """People by the names of files."""
    found: dict[str, list[str]] = {}
    files = [e.name for e in entries_in(root, root, found) if e.name.lower().endswith(IMAGE_ENDINGS)]
    faults = Faults()
    for kind, names in found.items():
        for name in names:
            faults.add(kind, name, "Replace each by what it leads to, or remove it.")
    people: dict[str, list[str]] = {}
    nameless = []
    for file in files:
        match = _NUMBERED.fullmatch(Path(file).stem)
        if match is None:
            nameless.append(file)
        else:
            people.setdefault(composed(escaped_name(match[1])), []).append(file)
    faults.refuse(root)
    if not files:
        content = ", ".join(names_in(root)[:5]) or "nothing"
        raise DataError(f"{root} holds no picture ({', '.join(IMAGE_ENDINGS)}); it holds {content}.")
    notes = []
    if nameless:
        notes.append(
            f"{len(nameless):,} pictures have no number after a name ({quote(nameless[0])}...) and are left out."
        )
    entries = []
    for person, pictures in sorted(people.items()):
        for place, file in enumerate(sorted(pictures)):
            name = escaped_name(file)
            entries.append(Entry(name, name, root / file, "gallery" if place < enrol else "probe", person))
    rule = f"the person is what stands before the last number in the name of a file, {_enrolled(enrol)}"
    return _usable(root, Proposal(rule, tuple(entries), tuple(notes)))


def _usable(root: Path, proposal: Proposal) -> Proposal:
    counts = proposal.counts()
    if counts.get("gallery", (0, 0))[1] < 2 or "probe" not in counts:
        listed = "; ".join(f"{role}: {n} pictures of {people} people" for role, (n, people) in counts.items()) or "none"
        raise DataError(
            f"{root}: {proposal.rule}; this gives {listed}, and a search needs two people in the gallery and a probe. "
            "Put the pictures of each person into a folder with the person's name, two or more for some."
        )
    return proposal


def _enrolled(enrol: int) -> str:
    pictures = "the first picture" if enrol == 1 else f"the first {enrol} pictures"
    return f"{pictures} of each by name is enrolled" if enrol == 1 else f"{pictures} of each by name are enrolled"


def first_rows(table: str, count: int) -> Sequence[str]:
    """The header and the first rows of a table."""
    return table.splitlines()[: count + 1]
