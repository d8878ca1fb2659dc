"""Checks of what components return, and of what they raise.

A component that raises on a batch is called again for each image of it, so one face does not lose the others. One that
raises on every image is broken, and the run ends with its error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

import numpy as np

from bench.errors import BenchError, ChangedError, ContractError, MissingError, UsageError, one_line
from bench.faults import explanation, is_memory, refuse_exit
from bench.images import ByteImages
from bench.types import FaceTemplate, Outcome, Status

T = TypeVar("T")
R = TypeVar("R")

NOT_OF_AN_IMAGE = (ContractError, UsageError, MissingError, ChangedError)
"""Errors that do not depend on the image."""
_STATUSES: tuple[str, ...] = get_args(Status)


@dataclass(frozen=True)
class Raised:
    """Takes the place of the result of an image on which a component raised; ``reason`` is that of its outcome."""

    reason: str


class Attempts(Generic[T, R]):
    """The calls of one component for one shard."""

    def __init__(self, who: str, call: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """Set the component.

        Args:
            who: its name for errors, such as ``Recogniser sface``.
            call: takes images and gives one result for each.
        """
        self._who, self._call = who, call
        self._worked = False
        self._cause = ""

    def run(self, images: Sequence[T]) -> list[R | Raised]:
        """One result for each image, or `Raised` where the component raised on that image alone.

        Raises:
            ContractError, UsageError, MissingError, ChangedError: raised by the component, independent of the image.
            BenchError: memory ran out.
        """
        if not images:
            return []
        try:
            with refuse_exit(self._who):
                results: list[R | Raised] = list(self._call(images))
        except NOT_OF_AN_IMAGE:
            raise
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            if len(images) > 1:
                return [result for image in images for result in self.run([image])]
            if is_memory(error):
                raise BenchError(explanation(error)) from error  # no face has failed where memory ran out
            self._cause = f"{type(error).__name__}: {one_line(error)}"
            return [Raised(f"raised {type(error).__name__}")]
        self._worked = True
        return results

    def errors(self) -> dict[str, str]:
        """By the component's name its last error where it raised on every image, else an empty text.

        It is empty where the component was not called.
        """
        return {self._who: "" if self._worked else self._cause} if self._worked or self._cause else {}


def refuse_broken(errors: Mapping[str, str], working: set[str]) -> None:
    """Raise ContractError where a component raised on every image so far.

    Args:
        errors: of a shard, as `Attempts.errors`.
        working: names of components that worked on an image of an earlier shard; those of this shard are added.
    """
    working |= {who for who, cause in errors.items() if not cause}
    for who, cause in errors.items():
        if who not in working:
            raise ContractError(f"{who} raised on every image: {cause}")


def check_array(who: str, result: object, *, dtype: str, shape: tuple[int, ...]) -> None:
    """Raise ContractError unless a result is an array of that type and shape."""
    if not isinstance(result, np.ndarray) or result.dtype.name != dtype or result.shape != shape:
        kind = f"{result.dtype} {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
        raise ContractError(f"{who} returned {kind}; its contract says {dtype} {shape}")


def pair_of(who: str, result: object, *, what: str) -> tuple[object, object]:
    """The two parts of a result that must be a pair, such as images and outcomes.

    Raises:
        ContractError: it is no pair.
    """
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise ContractError(f"{who} returned {type(result).__name__}; its contract says a pair: {what} and outcomes")
    return result[0], result[1]


def check_outcomes(who: str, outcomes: object, count: int) -> list[Outcome]:
    """The outcomes that a component returned, one for each image.

    Raises:
        ContractError: they are not a list of outcomes, of another number, or have an unknown status.
    """
    if not isinstance(outcomes, (list, tuple)) or not all(isinstance(outcome, Outcome) for outcome in outcomes):
        kinds = type(outcomes).__name__
        if isinstance(outcomes, (list, tuple)):
            others = {type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, Outcome)}
            kinds += f" of {', '.join(sorted(others))}"
        raise ContractError(f"{who} gave {kinds} for its outcomes; its contract says a list of bench.types.Outcome")
    if len(outcomes) != count:
        raise ContractError(f"{who} gave {len(outcomes)} outcomes for {count} images")
    for outcome in outcomes:
        if outcome.status not in _STATUSES:
            raise ContractError(f"{who} gave an outcome of status {outcome.status!r}; there are {', '.join(_STATUSES)}")
        if not isinstance(outcome.stage, str) or not isinstance(outcome.reason, str):
            raise ContractError(f"{who} gave an outcome whose stage or reason is no text: {outcome!r}")
    return list(outcomes)


def checked_chips(who: str, result: object, count: int, face: FaceTemplate) -> tuple[ByteImages, list[Outcome]]:
    """Chips and outcomes that an aligner returned for ``count`` images; raises ContractError where they are invalid."""
    chips, outcomes = pair_of(who, result, what="chips")
    check_array(who, chips, dtype="uint8", shape=(count, face.height, face.width, 3))
    aligned: ByteImages = chips  # type: ignore[assignment]  # checked in the line before
    return aligned, check_outcomes(who, outcomes, count)
