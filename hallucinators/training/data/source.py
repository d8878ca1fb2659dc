"""Batches of pairs from rendered views: moved, shrunk and mirrored anew at every step, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE
from hallucinators.training.data.augmentation import Augmentation, joined, make_batch
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch

_FACES_A_SET = 2**32  # keeps the faces of several sets apart


class PairSource:
    """Batches for training, and fixed ones of people left out of it.

    ``batch(step)`` depends on the seed, the rank and the step alone, so that a resumed run sees the same data. LR sides
    alternate from step to step; a batch has one.
    """

    def __init__(
        self,
        train: RenderedViews | Sequence[RenderedViews],
        held_out: RenderedViews,
        *,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        sides: Sequence[int] = (16,),
        augmentation: Augmentation | None = None,
        flow: bool = False,
        upright: bool = False,
        held_out_pairs: int = 256,
    ) -> None:
        """Say what to draw from.

        Args:
            train: views of the people trained on; of several sets all faces come equally often.
            held_out: views of people left out.
            batch_size: pairs a batch, of this rank.
            seed: of everything drawn.
            rank: of this process; each draws other pairs.
            ranks: how many there are.
            sides: of the LR images, taking turns.
            augmentation: None takes the defaults.
            flow: whether batches carry flow targets.
            upright: whether they carry the turned face before it was moved.
            held_out_pairs: how many pairs `held_out` gives.

        Raises:
            UsageError: a number is out of range.
        """
        sets = (train,) if isinstance(train, RenderedViews) else tuple(train)
        count = sum(map(len, sets))
        fit = batch_size >= 1 and 0 <= rank < ranks and batch_size * ranks <= count
        if not fit or not sides or not all(2 <= side <= SIDE for side in sides):
            raise UsageError(
                f"Batches of {batch_size} x {ranks} pairs, rank {rank}, LR sides {list(sides)}, from {count} "
                f"faces: give one side or more, of 2 to {SIDE}, and no more pairs a step than there are faces"
            )
        if seed < 0 or held_out_pairs < 1 or not len(held_out):
            raise UsageError(
                f"{held_out_pairs} held-out pairs of {len(held_out)} faces, seed {seed}: give one or more of each, and "
                "a seed that is not negative"
            )
        self._sets, self._count, self._held_out = sets, count, held_out
        self._size, self._seed, self._rank, self._ranks = batch_size, seed, rank, ranks
        self._sides, self._held_out_pairs = tuple(sides), held_out_pairs
        self._carry = {"flow": flow, "upright": upright}
        self._augmentation = augmentation or Augmentation()

    def batch(self, step: int) -> Batch:
        """The pairs of one step."""
        whole = self._size * self._ranks
        epoch, place = divmod(step, self._count // whole)
        order = np.random.default_rng((self._seed, epoch, 0x6570)).permutation(self._count)
        start = place * whole + self._rank * self._size
        rows = order[start : start + self._size]
        rng = np.random.default_rng((self._seed, step, self._rank, 0x7374))
        side = self._sides[step % len(self._sides)]
        parts, first = [], 0
        for views in self._sets:
            own = rows[(rows >= first) & (rows < first + len(views))] - first
            if len(own):
                columns = rng.integers(0, views.view.shape[1], len(own))
                parts.append(make_batch(views, own, columns, side, rng, self._augmentation, **self._carry))
                parts[-1] = replace(parts[-1], face=parts[-1].face + _FACES_A_SET * self._sets.index(views))
            first += len(views)
        return joined(parts)

    def held_out(self) -> list[Batch]:
        """Fixed pairs of people left out: the recipe's views and similarity, for each side of LR images."""
        plain = Augmentation(mild_share=0.0, mirror=0.0, frontal=0.0)
        fixed = len(self._held_out.facts["facts"]["plan"]["yaws_deg"]) * 2 or self._held_out.view.shape[1]
        count = min(self._held_out_pairs, len(self._held_out) * fixed)
        batches = []
        for side in self._sides:
            rng = np.random.default_rng((self._seed, 0x686F))
            for start in range(0, count, self._size):
                at = np.arange(start, min(start + self._size, count))
                rows = at % len(self._held_out)
                columns = (rows + at // len(self._held_out)) % fixed
                batches.append(make_batch(self._held_out, rows, columns, side, rng, plain, **self._carry))
        return batches
