"""Batches of real photographs in any pose: left as they are, or against the person's other photographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.landmarks.points import five_points
from bench.faces.pairs.groups import MOST_BITS
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.pairs.pairs import Jitter
from bench.media.degradation import Degradation, degrade
from hallucinators.training.data.augmentation import MIRRORED_5, Augmentation, random_affine, warp_face
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.task import BatchSource

SIDES = (16, 32, 16, 24, 16, 20, 12, 16, 32)
"""Sides of the LR faces of photographs, in turn."""
_CHANGES = Augmentation(
    recipe=Jitter(rotation_deg=45.0, shift=0.05, scale=(0.8, 1.0)),
    mild=Jitter(rotation_deg=12.0, shift=0.12, scale=(0.6, 1.1)),
    mild_share=0.7,
    stretch=0.08,
)
_MOST_YAW_DEG, _LEAST_WEIGHT = 80.0, 0.15
_YAW_UNIT_DEG, _MOST_COUNTED_DEG = 15.0, 40.0


@dataclass(frozen=True)
class People:
    """People with two photographs or more, and what a teacher finds in them; P people, M photographs, D features.

    Attributes:
        templates: weighted means of each person's embeddings, of the median norm of an embedding: float32 (P, D).
        person: row of the person of each photograph, int64 (M,).
        without: the person's template without the photograph itself and its near copies, float32 (M, D); zeros where
            nothing else remains; such a photograph is not drawn.
        pack: number of the pack of each photograph, int64 (M,).
        face: its index in the pack, int64 (M,).
        weight: probability of drawing it, float64 (M,); it grows with the yaw, three and a half times at 40 degrees.
    """

    templates: NDArray[np.float32]
    person: NDArray[np.int64]
    without: NDArray[np.float32]
    pack: NDArray[np.int64]
    face: NDArray[np.int64]
    weight: NDArray[np.float64]


def people_of(packs: Sequence[Pack], teacher: str) -> People:
    """The people of the training parts of packs, by their identity labels.

    Labels of two packs are different people. A photograph's share of a template falls with its yaw, because
    embeddings of frontal faces are more reliable.

    Args:
        packs: packs with identity labels and embeddings.
        teacher: name of the recogniser of the embeddings.

    Raises:
        UsageError: a pack lacks labels or these embeddings, or no person has two photographs.
    """
    rows: dict[tuple[int, str], list[int]] = {}
    for number, pack in enumerate(packs):
        if pack.groups is None or teacher not in pack.groups.described.embeddings:
            raise UsageError(
                f"Pack {number + 1} of --photographs has no embeddings of {teacher}, the teacher. Pack it with "
                "`bench data pairs --identities ... --most-yaw 90`, which groups by recognisers."
            )
        embeddings = pack.groups.described.embeddings[teacher]
        for face in pack.indices(test=False).tolist():
            if np.isfinite(embeddings[face]).all() and (label := str(pack.groups.identity[face])):
                rows.setdefault((number, label), []).append(face)
    rows = {key: faces for key, faces in rows.items() if len(faces) > 1}
    if len(rows) < 2:
        raise UsageError("--photographs has no two people with two photographs each; give --identities when packing.")
    parts = [_templates(packs[number], teacher, faces) for (number, _), faces in rows.items()]
    length = float(np.median(np.concatenate([norms for _, _, norms, _ in parts])))
    without = np.concatenate([rows for _, rows, *_ in parts])
    weight = np.concatenate([weights for *_, weights in parts]) * without.any(1)
    share = _shares(packs)
    of_pack = np.concatenate([np.full(len(faces), number) for (number, _), faces in rows.items()])
    for number in np.unique(of_pack):
        inside = of_pack == number
        weight[inside] *= share[number] / weight[inside].sum()
    return People(
        np.stack([template for template, *_ in parts]) * np.float32(length),
        np.concatenate([np.full(len(faces), row) for row, faces in enumerate(rows.values())]),
        without * np.float32(length),
        of_pack,
        np.concatenate([np.array(faces) for faces in rows.values()]),
        weight / weight.sum(),
    )


class PhotographSource:
    """Three kinds of batches in turn: photographs in their pose, people against templates, rendered pairs.

    ``batch(step)`` depends only on the seed, the rank and the step. A pack is drawn with a probability proportional to
    the square root of its training photographs, so that a large pack does not displace small ones.
    """

    def __init__(
        self,
        pairs: BatchSource,
        packs: Sequence[Pack],
        people: People | None,
        *,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        degradation: Degradation | None = None,
        held_out_faces: int = 128,
    ) -> None:
        """Set up the source.

        Args:
            pairs: source of rendered pairs, with flow targets.
            packs: photographs in any pose, with surroundings.
            people: of these packs; None leaves the batches of people out.
            batch_size: faces in a batch of this rank.
            seed: of all random numbers.
            rank: rank of this process.
            degradation: of the LR faces of photographs; None takes the defaults.
            held_out_faces: number of validation photographs.

        Raises:
            UsageError: a pack has no photographs to train on, or too few people.
        """
        if not packs or not all(len(pack.indices(test=False)) for pack in packs):
            raise UsageError("Each pack of --photographs must have photographs in its part to train on.")
        if people is not None and len(people.person) < batch_size:
            raise UsageError(
                f"--photographs has {len(people.person)} photographs of people with two or more, fewer than the "
                f"{batch_size} of a batch. Give more photographs, a smaller --batch, or --no-templates."
            )
        self._pairs, self._packs, self._people = pairs, tuple(packs), people
        self._size, self._seed, self._rank, self._held_out_faces = batch_size, seed, rank, held_out_faces
        self._degradation = degradation or Degradation()
        self._train = [pack.indices(test=False) for pack in packs]
        self._kinds = ("photographs", "pairs") if people is None else ("photographs", "people", "pairs")

    def batch(self, step: int) -> Batch:
        """The faces of one step."""
        turn, place = divmod(step, len(self._kinds))
        kind = self._kinds[place]
        if kind == "pairs":
            return self._pairs.batch(turn)
        rng = np.random.default_rng((self._seed, step, self._rank, 0x7068))
        side = SIDES[turn % len(SIDES)]
        if kind == "people" and self._people is not None:
            rows = rng.choice(len(self._people.person), self._size, p=self._people.weight, replace=False)
            faces = list(zip(self._people.pack[rows].tolist(), self._people.face[rows].tolist(), strict=True))
            return self._make(faces, side, rng, rows)
        numbers = rng.choice(len(self._packs), self._size, p=_shares(self._packs))
        return self._make([(int(n), int(rng.choice(self._train[n]))) for n in numbers], side, rng)

    def held_out(self) -> list[Batch]:
        """The held-out pairs, then validation photographs of the packs in their pose, at 16 and at 32 pixels."""
        faces = [(n, int(i)) for n, pack in enumerate(self._packs) for i in pack.part_indices("validation")]
        order = np.random.default_rng((self._seed, 0x686F)).permutation(len(faces))[: self._held_out_faces]
        chosen = [faces[place] for place in order.tolist()]
        batches = self._pairs.held_out()
        for side in (16, 32):
            rng = np.random.default_rng((self._seed, side, 0x686F))
            batches += [
                self._make(chosen[first : first + self._size], side, rng) for first in range(0, len(chosen), self._size)
            ]
        return batches

    def _make(
        self,
        faces: Sequence[tuple[int, int]],
        side: int,
        rng: np.random.Generator,
        rows: NDArray[np.int64] | None = None,
    ) -> Batch:
        """Move, mirror and degrade photographs; with rows of people the batch has their templates."""
        images, five = [], []
        for number, face in faces:
            image, points = self._changed(self._packs[number], face, rng)
            images.append(image)
            five.append(points)
        moved = np.stack(images)
        hr = torch.from_numpy(np.ascontiguousarray(moved.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255))
        count = len(faces)
        people = None if rows is None else self._people
        return Batch(
            torch.from_numpy(degrade(moved, side, rng, self._degradation)),
            hr,
            torch.zeros(count, 68, 2),
            torch.from_numpy(np.stack(five)),
            torch.tensor([float(self._packs[number].yaw_deg[face]) for number, face in faces]),
            torch.tensor([face for _, face in faces]),
            in_pose=torch.ones(count, dtype=torch.bool),
            person=None if people is None else torch.from_numpy(people.person[rows]),
            template=None if people is None else torch.from_numpy(people.without[rows]),
        )

    @staticmethod
    def _changed(pack: Pack, face: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A photograph moved by a random similarity and mirrored in half of the cases, and its five points."""
        image, landmarks = pack.with_surroundings(face)
        points = five_points(landmarks.points)[:, :2] - np.float32(pack.margin)
        matrix = random_affine(rng, _CHANGES, mild=rng.random() < _CHANGES.mild_share)
        moved = warp_face(image, matrix)
        points = points @ matrix[:, :2].T + matrix[:, 2]
        if rng.random() < _CHANGES.mirror:
            moved, points = moved[:, ::-1], points[list(MIRRORED_5)]
            points[:, 0] = SIDE - 1 - points[:, 0]
        return moved, points.astype(np.float32)


def _templates(
    pack: Pack, teacher: str, faces: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Template of a person, templates without each photograph, norms of the embeddings, weights of the draw."""
    assert pack.groups is not None  # noqa: S101  # `people_of` checks it
    embeddings = pack.groups.described.embeddings[teacher][list(faces)].astype(np.float32)
    yaw = np.nan_to_num(np.abs(pack.yaw_deg[list(faces)]).astype(np.float64))
    share = np.maximum(_LEAST_WEIGHT, np.cos(np.deg2rad(np.minimum(1.5 * yaw, _MOST_YAW_DEG))))[:, None]
    weighted = (embeddings * share).astype(np.float32)
    others = ~_near_copies(pack.groups.described.phash[list(faces)])
    return (
        _unit(weighted.sum(0)),
        _unit(others.astype(np.float32) @ weighted),
        np.linalg.norm(embeddings, axis=1).astype(np.float32),
        1 + np.minimum(yaw, _MOST_COUNTED_DEG) / _YAW_UNIT_DEG,
    )


def _near_copies(phash: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which photographs are the same or nearly the same, themselves included, by perceptual hashes: bool (M, M)."""
    bits = np.unpackbits(phash, axis=1).astype(np.int64)
    return np.asarray((bits[:, None] != bits[None]).sum(2) <= MOST_BITS)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    norms: NDArray[np.float32] = np.linalg.norm(values, axis=-1, keepdims=True)
    return (values / np.maximum(norms, 1e-9)).astype(np.float32)


def _shares(packs: Sequence[Pack]) -> NDArray[np.float64]:
    roots = np.sqrt([len(pack.indices(test=False)) for pack in packs])
    shares: NDArray[np.float64] = roots / roots.sum()
    return shares
