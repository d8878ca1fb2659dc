"""A folder a person: ``gallery/``, ``probe/`` and ``distractor/``, or one tree of which some pictures are enrolled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote
from bench.types import Role
from protocols.base.root import demand_folder, entries_in, escaped_name, folders_in, inside_of, names_in, relative_name
from protocols.owndata.entries import ROLES, Entry, Faults, Listing, composed, named

LINKS_OUT = "links out of the data root"
_LAYOUT = "gallery/PERSON/*.jpg and probe/PERSON/*.jpg"


def locate_folder(root: Path, how_to_get: str, *, enrol: int) -> Path:
    """Return the root if it has the layout.

    Args:
        root: the folder that the user gave.
        how_to_get: shown when it does not exist.
        enrol: pictures of a person that are enrolled; 0 for a root with the folders gallery and probe.

    Raises:
        MissingError: it does not exist.
        DataError: it has another layout; the text says what it holds and what to do.
    """
    demand_folder(root, how_to_get)
    names = {folder.name for folder in folders_in(root) if not folder.name.startswith(".")}
    parts = names & set(ROLES)
    if enrol:
        if parts >= {"gallery", "probe"}:
            raise DataError(
                f"{root} has folders gallery and probe, and enrol={enrol} is for one tree of people. Leave out enrol."
            )
        if not names:
            raise DataError(f"{root} holds no folder of a person; it holds {_listed(root)}. Expected PERSON/*.jpg.")
        return root
    if parts >= {"gallery", "probe"}:
        return root
    misspelt = [n for n in sorted(names) if n not in ROLES and n.lower().rstrip("s") in ROLES]
    if misspelt:
        raise DataError(
            f"{root} holds {', '.join(map(quote, misspelt))}; name the folders gallery, probe and distractor. "
            f"Expected {_LAYOUT}."
        )
    below = [f for f in folders_in(root) if {"gallery", "probe"} <= {inner.name for inner in folders_in(f)}]
    if below:
        raise DataError(f"{root} holds the data one folder deeper. Use --data-root {below[0]} instead.")
    if parts:
        absent = sorted({"gallery", "probe"} - parts)
        raise DataError(f"{root} has no folder {' and no folder '.join(absent)}. Expected {_LAYOUT}.")
    raise DataError(
        f"{root} holds no folders gallery and probe; it holds {_listed(root)}. Expected {_LAYOUT}. If each folder is a "
        "person, say how many pictures of each are enrolled: folder:enrol=1."
    )


def read_folder(root: Path, *, enrol: int, templates: bool = False) -> Listing:
    """List the pictures of a located root.

    The first folder below ``gallery``, ``probe`` or ``distractor`` (of a tree: below the root) is the person; folders
    in it are part of the person. A distractor may lie in no folder of a person. In a tree, the first ``enrol`` pictures
    of a person by path are enrolled and the others are probes.

    Args:
        root: see `locate_folder`.
        enrol: see `locate_folder`.
        templates: whether the pictures of a person form one template for each role.
    """
    faults = Faults()
    entries: list[Entry] = []
    left_out: list[str] = []
    empty: list[str] = []
    found: dict[str, list[str]] = {}
    for part in ("",) if enrol else ROLES:
        base = root / part
        if not inside_of(root, base):
            found.setdefault(LINKS_OUT, []).append(part)
            continue
        for entry in entries_in(root, base, found):
            if not entry.is_dir():
                _add_loose(root, base, entry, part, entries, left_out, faults)
                continue
            files = _pictures(root, base / entry.name, found, left_out, faults)
            if not files:
                empty.append(relative_name(root, base / entry.name))
            for place, path in enumerate(files):
                role: Role = ("gallery" if place < enrol else "probe") if enrol else part  # type: ignore[assignment]
                name = relative_name(root, path)
                person = composed(escaped_name(entry.name))
                template = f"{role}/{person}" if templates else ""
                entries.append(Entry(name, name, path, role, person, template))
    for kind, names in found.items():
        for name in names:
            faults.add(kind, name, "Replace each by what it leads to, or remove it.")
    notes = []
    if left_out:
        notes.append(f"{named(len(left_out), 'files are no pictures by their ending', left_out)} and are left out.")
    if empty:
        notes.append(f"{named(len(empty), 'folders hold no picture', empty)}.")
    if enrol:
        probes = {e.identity for e in entries if e.role == "probe"}
        single = sorted({str(e.identity) for e in entries} - {str(person) for person in probes})
        if single:
            notes.append(
                f"{named(len(single), f'people have {enrol} pictures or fewer', single)}: no probe is of them."
            )
    return Listing(root, tuple(entries), faults, tuple(notes))


def _add_loose(
    root: Path,
    base: Path,
    entry: os.DirEntry[str],
    part: str,
    entries: list[Entry],
    left_out: list[str],
    faults: Faults,
) -> None:
    """A file that lies in no folder of a person."""
    name = relative_name(root, base / entry.name)
    if not entry.name.lower().endswith(IMAGE_ENDINGS):
        if part or not entry.name.lower().endswith((".txt", ".json", ".csv", ".tsv", ".md")):
            left_out.append(name)
    elif part == "distractor":
        entries.append(Entry(name, name, base / entry.name, "distractor", None))
    else:
        advice = "Put each into the folder of its person; the name of the folder is the identity."
        faults.add("pictures in no folder of a person", name, advice)


def _pictures(root: Path, folder: Path, found: dict[str, list[str]], left_out: list[str], faults: Faults) -> list[Path]:
    """Pictures below a folder of a person, sorted by path."""
    return sorted(_walk(root, folder, found, left_out, faults, (os.path.realpath(folder),)))


def _walk(
    root: Path,
    folder: Path,
    found: dict[str, list[str]],
    left_out: list[str],
    faults: Faults,
    above: tuple[str, ...],
) -> Iterator[Path]:
    for entry in entries_in(root, folder, found):
        path = folder / entry.name
        if entry.is_dir():
            real = os.path.realpath(path)
            if real in above or any(one.startswith(real + os.sep) for one in above):
                faults.add("links to a folder above them", relative_name(root, path), "Remove the links.")
            else:
                yield from _walk(root, path, found, left_out, faults, (*above, real))
        elif entry.name.lower().endswith(IMAGE_ENDINGS):
            yield path
        else:
            left_out.append(relative_name(root, path))


def _listed(root: Path) -> str:
    names = names_in(root)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "nothing"
