"""People of CelebA's test partition that can be searched, and their photographs, the most frontal first."""

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
    """The people that can be searched.

    Attributes:
        folder: of the images.
        pictures: names of each person's images in the test partition, the most frontal first; people in the order of
            their numbers.
        notes: faults of the lists.
        whole: whether the lists have the published counts.
    """

    folder: Path
    pictures: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    whole: bool


def searchable_people(root: Path) -> People:
    """Read the people of the test partition and their images.

    People with images in another partition too are left out.

    Raises:
        DataError: the list of identities or of partitions is absent or damaged, there are no images, or nobody is in
            the test partition alone.
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
    in_test: dict[str, list[str]] = {}
    unnamed = 0
    for name, (part,) in partitions.rows.items():
        if name not in identities.rows:
            unnamed += part == TEST
            continue
        person = str(identities.rows[name][0])
        parts.setdefault(person, set()).add(part)
        if part == TEST:
            in_test.setdefault(person, []).append(name)
    if unnamed:
        notes.append(f"{unnamed:,} pictures of the test partition have no identity and are left out.")
    both = [person for person in in_test if parts[person] != {TEST}]
    if both:
        notes.append(f"{len(both):,} people of the test partition are in another partition too and are left out.")
    order = _by_frontality(root, notes)
    pictures = {
        person: tuple(sorted(in_test[person], key=lambda name: (order.get(name, np.inf), name)))
        for person in sorted(in_test, key=int)
        if parts[person] == {TEST}
    }
    if not pictures:
        raise DataError(f"Nobody in {root} is in the test partition alone. {' '.join(notes)}".rstrip())
    counts = Counter(part for (part,) in partitions.rows.values())
    whole = (
        len(identities.rows) == OFFICIAL["rows"]
        and [counts[part] for part in range(3)] == [OFFICIAL[n] for n in ("train", "validation", "test")]
        and len({row[0] for row in identities.rows.values()}) == OFFICIAL["identities"]
    )
    if not whole:
        notes.append("The counts of the lists are not the published ones; see `bench data check celeba`.")
    return People(folder, pictures, tuple(notes), whole)


def turned_people(
    people: People, turner: Turner, most: int, *, seed: int
) -> Iterator[tuple[str, Sequence[tuple[str, TurnedFace]]]]:
    """People in a seeded order, each with the names and views of up to ``most`` different frontal photographs."""
    for person in seeded_order(people.pictures, seed):
        faces: list[tuple[str, TurnedFace]] = []
        for name in people.pictures[person]:
            face = turner.turn(Photograph(picture_path(people.folder, name)))
            if face is not None and all(face.truth != other.truth for _, other in faces):  # not a copy of the first
                faces.append((name, face))
            if len(faces) == most:
                break
        yield person, faces


def _by_frontality(root: Path, notes: list[str]) -> dict[str, float]:
    """Offset of the nose from the middle between the eyes over the distance of the eyes, by the published points."""
    try:
        rows = read_list(root, LANDMARKS).rows
    except DataError as error:
        notes.append(f"Photographs are tried in the order of their names: {error}")
        return {}
    names, points = list(rows), np.array(list(rows.values()), np.float64).reshape(-1, 5, 2)
    eyes = np.maximum(np.abs(points[:, 1, 0] - points[:, 0, 0]), 1.0)
    offsets = np.abs(points[:, 2, 0] - (points[:, 0, 0] + points[:, 1, 0]) / 2) / eyes
    return dict(zip(names, offsets.tolist(), strict=True))
