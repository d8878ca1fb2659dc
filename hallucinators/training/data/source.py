"""Batches of training pairs from rendered views, with random changes in every step; the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE
from hallucinators.training.data.augmentation import Augmentation, concatenate, make_batch
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch

_FACES_A_SET = 2**32  # offset of the face indices of each set


class PairSource:
    """Batches for training, and fixed batches of people left out of training.

    ``batch(step)`` depends only on the seed, the rank and the step, so that a resumed run has the same data. A batch
    has one LR side; the sides alternate from step to step.
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
        """Set up the source.

        Args:
            train: views of the training people, one or several sets; all faces are used equally often.
            held_out: views of people left out of training.
            batch_size: pairs in a batch of this rank.
            seed: of all random numbers.
            rank: rank of this process; each rank has other pairs.
            ranks: number of ranks.
            sides: sides of the LR images, in turn.
            augmentation: None takes the defaults.
            flow: whether batches have flow targets.
            upright: whether batches have the turned face before it was moved.
            held_out_pairs: number of pairs of `held_out`.

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
        self._targets = {"flow": flow, "upright": upright}
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
            indices = rows[(rows >= first) & (rows < first + len(views))] - first
            if len(indices):
                count = views.view.shape[1] if self._augmentation.free_views else _fixed_views(views)
                columns = rng.integers(0, count, len(indices))
                parts.append(make_batch(views, indices, columns, side, rng, self._augmentation, **self._targets))
                parts[-1] = replace(parts[-1], face=parts[-1].face + _FACES_A_SET * self._sets.index(views))
            first += len(views)
        return concatenate(parts)

    def held_out(self) -> list[Batch]:
        """Fixed pairs of people left out, with the recipe's views and similarity, for each side of LR images."""
        plain = Augmentation(mild_share=0.0, mirror=0.0, frontal=0.0)
        fixed = _fixed_views(self._held_out)
        count = min(self._held_out_pairs, len(self._held_out) * fixed)
        batches = []
        for side in self._sides:
            rng = np.random.default_rng((self._seed, 0x686F))
            for start in range(0, count, self._size):
                at = np.arange(start, min(start + self._size, count))
                rows = at % len(self._held_out)
                columns = (rows + at // len(self._held_out)) % fixed
                batches.append(make_batch(self._held_out, rows, columns, side, rng, plain, **self._targets))
        return batches


def _fixed_views(views: RenderedViews) -> int:
    """Number of views of fixed yaws, which come first; all views if there are none."""
    return len(views.facts["facts"]["plan"]["yaws_deg"]) * 2 or int(views.view.shape[1])
