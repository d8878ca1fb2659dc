"""The views of packs for a training; the first process renders those that are missing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import DataError, UsageError
from bench.faces.pairs.pack import Pack
from hallucinators.training.data.views import RenderedViews, ViewPlan, render_views
from hallucinators.training.steps import distributed

_MOST_FRONTAL_DEG = 30.0


def load_or_render(
    packs: Mapping[str, Pack], folder: Path, *, faces: int | None = None, seed: int = 0
) -> tuple[list[RenderedViews], RenderedViews]:
    """Views of the training people, a set for each pack, and of people that the first pack leaves out.

    Args:
        packs: the photographs by the digest of their file.
        folder: folder of the views: ``train``, ``train-2``... and ``left-out``.
        faces: number of training people of each pack (a smoke run); None for all.
        seed: of the random views.

    Raises:
        UsageError: a pack has turned heads.
        DataError: a pack has no training people, or the first has none left out; the folder holds other views.
    """
    for number, pack in enumerate(packs.values(), 1):
        if pack.most_yaw_deg > _MOST_FRONTAL_DEG:
            raise UsageError(
                f"Pack {number} has heads turned by up to {pack.most_yaw_deg:g} degrees. Views are rendered from "
                "frontal photographs: pack them without --most-yaw, or give this pack to --photographs."
            )
    plan, smoke = ViewPlan(seed=seed), faces is not None
    train = []
    for number, (digest, pack) in enumerate(packs.items(), 1):
        chosen = {f"train-{number}" if number > 1 else "train": pack.indices(test=False)[:faces]}
        if number == 1:
            left_out = _validation_faces(pack, smoke=smoke)
            chosen["left-out"] = left_out[: max(2, faces // 4)] if faces is not None else left_out
        if not all(map(len, chosen.values())):
            raise DataError(
                f"Pack {number} has {len(pack.indices(test=False))} faces to train on and "
                f"{len(_validation_faces(pack, smoke=smoke))} for validation; a training needs faces to train on in "
                "each, and some for validation in the first. Pack more photographs."
            )
        for name, rows in chosen.items():
            views = view_set(pack, rows, folder / name, plan, digest)
            if name == "left-out":
                left_out_views = views
            else:
                train.append(views)
    return train, left_out_views


def _validation_faces(pack: Pack, *, smoke: bool) -> NDArray[np.int64]:
    """Faces on which weights are chosen; a smoke run on a pack without groups takes all that are left out."""
    return pack.indices(test=True) if smoke and pack.groups is None else pack.part_indices("validation")


def view_set(
    pack: Pack, faces: Sequence[int] | NDArray[np.int64], folder: Path, plan: ViewPlan, digest: str
) -> RenderedViews:
    """Views of some faces of a pack; the first process renders them if they are missing, and all open them.

    Raises:
        UsageError: no face.
        DataError: the folder holds other views, or damaged ones.
    """
    if distributed.rank() == 0:
        with progress.stage(f"render views of the {folder.name} people", len(faces)) as advance:
            render_views(pack, faces, folder, plan=plan, digest=digest, advance=advance)
    while not (folder / "views.json").is_file():
        time.sleep(1)
    return RenderedViews(folder)
