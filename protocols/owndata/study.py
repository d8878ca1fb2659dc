"""From the list of pictures to a search in a gallery: the same rules for folders and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from os.path import isfile
from pathlib import Path

from bench.io.textfiles import quote
from bench.media.similarity import resized_points
from bench.types import Cut, IdentificationSet, Media, Points
from protocols.owndata.entries import SHOWN, Entry, Faults, Listing
from protocols.views.detected import Framing

FRAME_ADVICE = "Give the five points of these rows, or use crop=none."


@dataclass(frozen=True, slots=True)
class Rules:
    """How a list of pictures is searched.

    Attributes:
        open_set: whether probes may have no mate in the gallery.
        framing: crop by five points; None uses the picture or its box as it is.
        lr: side of probes after shrinking, pixels; None keeps their size.
        protocol: name of the protocol, for the advice of messages.
        by_media: whether templates are fused by media.
    """

    open_set: bool
    framing: Framing | None
    lr: int | None
    protocol: str
    by_media: bool = False


Finder = Callable[[Sequence[Path]], dict[Path, Points | None]]


def check_entries(listing: Listing, rules: Rules) -> None:
    """Add to the faults of a listing everything for which a search is refused; no file is opened.

    `bench data check` and `bench run` both call this, so they agree.
    """
    entries, faults = listing.entries, listing.faults
    if (rules.framing or rules.lr) and any(entry.media for entry in entries):
        faults.add(
            "manifests with crop or lr", listing.source.name, "A manifest has its own crops; leave out crop and lr."
        )
    _check_doubles(entries, faults)
    _check_templates(entries, faults)
    _check_people(entries, faults, replace(rules, open_set=rules.open_set or listing.open_set))
    _check_crops(entries, faults, rules)
    if rules.by_media and not any(entry.medium for entry in entries):
        faults.add("lists without a column media", listing.source.name, "fusion=media needs it; use fusion=mean.")
    if entries and not any(isfile(entry.path) for entry in entries):
        first = ", ".join(quote(entry.name) for entry in entries[:SHOWN])
        faults.add("lists of which no file exists", first, "Paths are relative to the data root; correct one of both.")


def search_set(listing: Listing, rules: Rules, detect: Finder | None) -> IdentificationSet:
    """Build the search.

    Args:
        listing: of the data root; `check_entries` was called.
        rules: of the search.
        detect: returns the five points of pictures; None where no faces are detected.

    Raises:
        DataError: the listing has faults.
    """
    listing.faults.refuse(listing.source)
    entries = sorted(listing.entries, key=lambda entry: entry.key)
    notes = list(listing.notes)
    absent = [entry for entry in entries if not isfile(entry.path)]
    if absent:
        notes.append(
            f"{len(absent):,} of {len(entries):,} listed files are absent ({absent[0].name}...): each is a failed "
            "image."
        )
    points: dict[Path, Points | None] = {}
    if rules.framing is not None:
        files = [entry.path for entry in entries if entry.points is None]
        if detect is None:
            notes.append("Faces were not detected: pictures without points are used uncropped.")
        elif files:
            points = detect(files)
            missing = sorted(entry.name for entry in entries if points.get(entry.path, ()) is None)
            if missing:
                notes.append(
                    f"No face was detected in {len(missing):,} of {len(files):,} pictures ({missing[0]}...); they are "
                    "used uncropped."
                )
    elif any(entry.points for entry in entries):
        notes.append("The list has five points; they are used with --align landmarks or crop=recogniser.")
    unsized = rules.lr and any(e.points and not e.box for e in entries if e.role == "probe")
    if unsized and rules.framing is None:
        notes.append("Points of probes without a box are not used with lr: their pictures are shrunk as a whole.")
    media = {role: tuple(_media(e, rules, points) for e in entries if e.role == role) for role in _roles(entries)}
    return IdentificationSet(
        media["gallery"],
        media["probe"],
        media.get("distractor", ()),
        official=None,
        notes=tuple(notes),
        galleries=listing.galleries,
        open_set=rules.open_set or listing.open_set,
        groups=listing.groups,
    )


def _roles(entries: Iterable[Entry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.role for entry in entries))


def _media(entry: Entry, rules: Rules, detected: dict[Path, Points | None]) -> Media:
    if entry.media is not None:
        return entry.media
    lr = rules.lr if entry.role == "probe" else None
    points = entry.points or detected.get(entry.path)
    cut: Cut | None
    landmarks: Points | None
    if rules.framing is not None and points is not None:
        cut, landmarks = rules.framing.cut(points, lr=entry.role == "probe")
        if cut is not None and entry.frame is not None:
            cut = Cut(frame=entry.frame, points=cut.points, face=cut.face, side=cut.side)
    else:
        cut = Cut(frame=entry.frame, box=entry.box, side=lr)
        cut = None if cut == Cut() else cut
        landmarks = _in_box(entry, lr)
    template = entry.template or entry.key
    facts = dict(entry.attributes)
    return Media(entry.key, entry.path, entry.role, entry.identity, template, landmarks, facts, cut, entry.medium)


def _in_box(entry: Entry, lr: int | None) -> Points | None:
    """Points of a picture in pixels of its box, shrunk to the LR side; None where the size is not known."""
    if entry.points is None or (lr and entry.box is None):
        return None
    if entry.box is None:
        return entry.points
    left, top = round(entry.box[0]), round(entry.box[1])
    moved = tuple((x - left, y - top) for x, y in entry.points)
    if not lr:
        return moved
    size = round(entry.box[1] + entry.box[3]) - top, round(entry.box[0] + entry.box[2]) - left
    return resized_points(moved, size, (lr, lr))


def _check_doubles(entries: Sequence[Entry], faults: Faults) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.key, entry)
        if other is not entry:
            roles = f"{other.role} and {entry.role}" if other.role != entry.role else entry.role
            where = "" if entry.place == entry.name else f", {other.place} and {entry.place}"
            advice = "List each once; a picture that is enrolled and searched finds itself."
            faults.add("pictures that are listed twice", f"{quote(entry.name)}: {roles}{where}", advice)


def _check_templates(entries: Sequence[Entry], faults: Faults) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if not entry.template:
            continue
        other = first.setdefault(entry.template, entry)
        if (other.identity, other.role) != (entry.identity, entry.role):
            what = f"{quote(entry.template)}: {other.place} and {entry.place}"
            faults.add("templates of two people or roles", what, "A template holds pictures of one person in one role.")


def _check_people(entries: Sequence[Entry], faults: Faults, rules: Rules) -> None:
    people: dict[str, set[str | None]] = {"gallery": set(), "probe": set(), "distractor": set()}
    for entry in entries:
        people[entry.role].add(entry.identity)
    enrolled, searched = people["gallery"] - {None}, people["probe"] - {None}
    if not searched:
        faults.add("lists without a probe", "no picture has the role probe", "Add the pictures that are searched.")
    if len(enrolled) < 2:
        faults.add("galleries of fewer than two people", f"{len(enrolled)} enrolled", "A search needs two or more.")
    for person in sorted(map(str, (people["distractor"] - {None}) & (enrolled | searched))):
        advice = "A distractor must be of nobody who is enrolled or searched; change its role or its identity."
        faults.add("distractors of a person who is enrolled or searched", quote(person), advice)
    if enrolled and not rules.open_set:
        folded = {str(person).casefold(): str(person) for person in enrolled}
        for person in sorted(map(str, searched - enrolled)):
            near = folded.get(person.casefold())
            hint = f" (the gallery has {quote(near)})" if near else ""
            advice = (
                "Correct the identity, enrol a picture of the person, or measure an open set: "
                f"{rules.protocol}:open_set=true."
            )
            faults.add("people who are searched and not in the gallery", quote(person) + hint, advice)
    if rules.open_set and enrolled and searched and not searched & enrolled:
        faults.add("open sets without a mate", "no probe is of an enrolled person", "Correct the identities.")


def _check_crops(entries: Sequence[Entry], faults: Faults, rules: Rules) -> None:
    if rules.framing is None:
        return
    for entry in entries:
        if entry.points is None and (entry.box is not None or entry.frame is not None):
            faults.add("rows with a box or frame and no points, which crop needs", entry.place, FRAME_ADVICE)
