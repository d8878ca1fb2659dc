"""Subject-independent folds: every person is in one fold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from bench.errors import DataError, UsageError


def deal_folds(subjects: Iterable[str], folds: int, *, seed: int | None = None) -> dict[str, int]:
    """Assign people to folds in turn: sorted by id, the first to fold 0, the next to fold 1, and so on.

    No official list of folds exists for MMI or CK+; this is the usual convention. Numbers in ids sort as numbers.

    Args:
        subjects: ids, possibly repeated.
        folds: number of folds, at least 2.
        seed: shuffles the sorted ids first; None keeps their order.

    Returns:
        Fold from 0 of each id; sizes differ by at most one.

    Raises:
        UsageError: fewer than two folds.
        DataError: fewer people than folds.
    """
    if folds < 2:
        raise UsageError(f"folds is {folds}; a classifier is trained on the other folds, so 2 or more are needed")
    people = sorted(set(subjects), key=_numbers_as_numbers)
    if len(people) < folds:
        advice = f"Use fewer: folds={len(people)}." if len(people) > 1 else "There are no other people to train on."
        raise DataError(f"{len(people)} people cannot be assigned to {folds} folds. {advice}")
    if seed is not None:
        import numpy as np

        people = [people[i] for i in np.random.default_rng(seed).permutation(len(people))]
    return {person: place % folds for place, person in enumerate(people)}


def check_folds(
    shown: Iterable[tuple[int, str]],
    *,
    tested: Collection[int] = (),
    trained: Collection[int] = (),
    names: Sequence[str] = (),
) -> None:
    """Refuse folds with nothing to test, or without two expressions to learn from.

    Args:
        shown: of each face its fold and its expression.
        tested: folds that are tested; empty tests each.
        trained: folds to learn from, apart from the tested one; empty takes all others.
        names: of the folds, for messages.

    Raises:
        DataError: the text names the fold.
    """
    expressions: dict[int, set[str]] = {}
    for fold, expression in shown:
        expressions.setdefault(fold, set()).add(expression)
    for fold in sorted(tested or expressions):
        name = names[fold] if names else f"Fold {fold}"
        if fold not in expressions:
            raise DataError(f"{name} has no face to test.")
        others = [other for other in (trained or expressions) if other != fold]
        learned = set[str]().union(*(expressions.get(other, ()) for other in others))
        if len(learned) < 2:
            source = " and ".join(names[other] for other in others) if names else "the other folds"
            shows = " and ".join(learned) or "none of the expressions"
            raise DataError(
                f"{name} cannot be tested: the faces to learn from ({source}) show {shows}; a classifier needs two "
                "expressions or more."
            )


def _numbers_as_numbers(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorting key: ``S9`` before ``S10``."""
    parts = re.split(r"([0-9]{1,18})", name)
    return [(int(part), "") if place % 2 else (-1, part) for place, part in enumerate(parts)], name
