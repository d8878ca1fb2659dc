"""CelebA: people of its test partition, one frontal photograph enrolled, turned views of them searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bench.align.template import Frame
from bench.errors import DataError
from bench.interfaces import PROTOCOLS, Progress
from bench.types import CheckLine, IdentificationSet, Media
from protocols.base.turned_search import TurnedSearch
from protocols.celeba.files import (
    HOW_TO_GET,
    IDENTITY,
    LANDMARKS,
    PARTITION,
    TEST,
    find_celeba,
    picture_folder,
    picture_path,
    read_list,
)
from protocols.views.turned import JitterName, Photograph, Turned, Turner, drawn, face_media, view_name

OFFICIAL = {"rows": 202_599, "train": 162_770, "validation": 19_867, "test": 19_962, "identities": 10_177}
PAPER = {"gallery": 1000, "probe": 8000}


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


@PROTOCOLS.register(
    "celeba",
    summary="1:N search of turned views of CelebA's test people; gallery of one frontal photograph each.",
    source="Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015; search of Zhang et al. 2021, Table V",
    licence="data set: non-commercial research only, no redistribution; identities on request",
)
class CelebA(TurnedSearch):
    """1,000 people of the test partition, drawn by a seed; 8 views each, at yaw 22, 40, 55, 75 degrees to both sides.

    The paper names no people. The views are rendered by the face engine from frontal photographs, as the paper's are by
    a 3D face model; see `protocols.views.turned`.
    """

    dataset = "celeba"
    how_to_get = HOW_TO_GET
    ranks = (1, 5, 10, 20)
    paper = PAPER

    def __init__(
        self,
        *,
        lr: Literal[16, 32, 0] = 16,
        probe: Literal["same", "other"] = "same",
        identities: int = 1000,
        jitter: JitterName = "paper",
        frame: Frame = "utkface200",
        seed: int = 0,
    ) -> None:
        """Choose who is searched, and how small.

        Args:
            lr: side of the probes, pixels; 0 leaves them at 128.
            probe: views of the ``same`` photograph that is enrolled, as in the paper, or of an ``other`` one of the
                person: then nothing but the person is alike.
            identities: people drawn from the test partition.
            jitter: how far each probe is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
                degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
            frame: where the frontal faces stand in their pictures; ``utkface200`` is what the shipped weights give.
            seed: of the draw and of the similarities.

        Raises:
            UsageError: fewer than two identities.
        """
        super().__init__(lr=lr, identities=identities, jitter=jitter, frame=frame, seed=seed)
        self._probe = probe

    def locate(self, root: Path) -> Path:
        """Return the folder of pictures and lists; see `protocols.celeba.files.find_celeba`."""
        return find_celeba(root)

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> IdentificationSet:
        """Draw people, find a frontal photograph of each (two for ``probe=other``) and turn it.

        Raises:
            DataError: a list is absent or damaged, or nobody has a frontal photograph.
            MissingError: the face engine is not installed.
        """
        people = searchable_people(root)
        turner = Turner(scratch, self._recipe)
        gallery: list[Media] = []
        probes: list[Media] = []
        wanted = 2 if self._probe == "other" else 1
        few = 0
        for person, found in turned_people(people, turner, wanted, seed=self._seed):
            if len(found) < wanted:
                few += 1
            else:
                name, face = found[0]
                gallery.append(face_media(f"gallery/{name}", face.truth, "gallery", person, face.five))
                probes += self._views(person, *found[-1])
            if progress:
                progress(len(gallery), min(self._identities, len(people.pictures)))
            if len(gallery) == self._identities:
                break
        notes = [*people.notes, *turner.note()]
        if few:
            what = "two different frontal photographs" if wanted == 2 else "a frontal photograph"
            notes.append(f"{few:,} people without {what} in the test partition were passed over.")
        return self._search(gallery, probes, notes, among=len(people.pictures), whole=people.whole)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare with the official release; see `protocols.celeba.check`."""
        from protocols.celeba.check import check

        return check(root, progress)

    def _views(self, person: str, name: str, face: Turned) -> Iterator[Media]:
        for view in face.views:
            yield face_media(
                f"probe/{name}@{view_name(view.yaw_deg)}",
                view.path,
                "probe",
                person,
                view.five,
                lr=self._lr,
                attributes={"yaw_deg": view.yaw_deg, "photograph": name},
            )


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
) -> Iterator[tuple[str, Sequence[tuple[str, Turned]]]]:
    """People in an order drawn by a seed, each with up to ``most`` different frontal photographs, turned."""
    for person in drawn(people.pictures, seed):
        found: list[tuple[str, Turned]] = []
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
