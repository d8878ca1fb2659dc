"""People of CelebA's test partition: who may be searched, and their photographs, the most frontal first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import DataError
from protocols.celeba.files import (
    IDENTITY,
    LANDMARKS,
    OFFICIAL,
    PARTITION,
    TEST,
    picture_folder,
    picture_path,
    read_list,
)
from protocols.views.recipe import Photograph
from protocols.views.seeded import seeded_order
from protocols.views.turned import TurnedFace, Turner


@dataclass(frozen=True, slots=True)
class People:
    """Who may be searched.

    Attributes:
        folder: of the pictures.
        pictures: names of each person's pictures in the test partition, the most frontal first, people in the order of
            their numbers.
        notes: what is odd about the lists.
        whole: whether the lists have the published counts.
    """

    folder: Path
    pictures: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    whole: bool


def searchable_people(root: Path) -> People:
    """People of the test partition and their pictures.

    Someone who also has pictures in another partition is left out.

    Raises:
        DataError: the list of identities or of partitions is absent or damaged, there are no pictures, or nobody stands
            in the test partition alone.
    """
    folder = picture_folder(root)
    if folder is None:
        raise DataError(f"{root} holds no folder img_align_celeba.")
    identities, partitions = read_list(root, IDENTITY), read_list(root, PARTITION)
    notes = [
        f"{len(listing.wrong):,} rows of {listing.path.name} are wrong and left out: {listing.wrong[0]}."
        for listing in (identities, partitions)
        if listing.wrong
    ]
    parts: dict[str, set[int]] = {}
    own: dict[str, list[str]] = {}
    unnamed = 0
    for name, (part,) in partitions.rows.items():
        if name not in identities.rows:
            unnamed += part == TEST
            continue
        person = str(identities.rows[name][0])
        parts.setdefault(person, set()).add(part)
        if part == TEST:
            own.setdefault(person, []).append(name)
    if unnamed:
        notes.append(f"{unnamed:,} pictures of the test partition have no identity and are left out.")
    both = [person for person in own if parts[person] != {TEST}]
    if both:
        notes.append(f"{len(both):,} people of the test partition are in another one too and are left out.")
    order = _by_frontality(root, notes)
    pictures = {
        person: tuple(sorted(own[person], key=lambda name: (order.get(name, np.inf), name)))
        for person in sorted(own, key=int)
        if parts[person] == {TEST}
    }
    if not pictures:
        raise DataError(f"Nobody in {root} stands in the test partition alone. {' '.join(notes)}".rstrip())
    counts = Counter(part for (part,) in partitions.rows.values())
    whole = (
        len(identities.rows) == OFFICIAL["rows"]
        and [counts[part] for part in range(3)] == [OFFICIAL[n] for n in ("train", "validation", "test")]
        and len({row[0] for row in identities.rows.values()}) == OFFICIAL["identities"]
    )
    if not whole:
        notes.append("The lists have not the published counts; see `bench data check celeba`.")
    return People(folder, pictures, tuple(notes), whole)


def turned_people(
    people: People, turner: Turner, most: int, *, seed: int
) -> Iterator[tuple[str, Sequence[tuple[str, TurnedFace]]]]:
    """People in an order drawn by a seed, each with up to ``most`` different frontal photographs, turned."""
    for person in seeded_order(people.pictures, seed):
        found: list[tuple[str, TurnedFace]] = []
        for name in people.pictures[person]:
            face = turner.turn(Photograph(picture_path(people.folder, name)))
            if face is not None and all(face.truth != other.truth for _, other in found):  # no copy of the first
                found.append((name, face))
            if len(found) == most:
                break
        yield person, found


def _by_frontality(root: Path, notes: list[str]) -> dict[str, float]:
    """How far the nose stands off the middle of the eyes, in distances of the eyes, by the published points."""
    try:
        rows = read_list(root, LANDMARKS).rows
    except DataError as error:
        notes.append(f"Photographs are tried in the order of their names: {error}")
        return {}
    names, points = list(rows), np.array(list(rows.values()), np.float64).reshape(-1, 5, 2)
    eyes = np.maximum(np.abs(points[:, 1, 0] - points[:, 0, 0]), 1.0)
    off = np.abs(points[:, 2, 0] - (points[:, 0, 0] + points[:, 1, 0]) / 2) / eyes
    return dict(zip(names, off.tolist(), strict=True))
