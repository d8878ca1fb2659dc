"""A chain of hallucinators, ``A+B``: steps in reading order, whose sizes must fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bench.errors import BenchError, UsageError
from bench.faults import explanation, is_memory, refuse_exit
from bench.images import resize, to_bytes, to_float
from bench.interfaces import HALLUCINATORS, ByteImages, FloatImages, Hallucinator
from bench.io.file_digests import digest_of
from bench.pipeline.build import Built, build
from bench.pipeline.contracts import NOT_OF_AN_IMAGE, check_array, check_outcomes, pair_of
from bench.registry import Spec
from bench.types import OK, Outcome


class Chain:
    """Hallucinators applied one after the other.

    Attributes:
        text: the chain as written, ``A+B``.
        steps: its built steps.
        fingerprint: SHA-256 that identifies what it computes.
        configuration: SHA-256 over its configuration, without its code.
        code: digests of the modules that decide its results, by name.
        files: files that its steps may read at any time.
        passthrough: True when every step returns its input.
        input_size: side to which images are resized first: that of the first step, or, where that step takes any size
            and returns the same, of the next one; None resizes nothing.
    """

    def __init__(self, steps: Sequence[Built[Hallucinator]]) -> None:
        """Check the size contract between the steps.

        Raises:
            UsageError: there is no step, or a step gives another size than the next one takes.
        """
        if not steps:
            raise UsageError("A chain needs at least one hallucinator; 'none' is the one that does nothing.")
        self.steps = tuple(steps)
        self.text = "+".join(str(step.spec) for step in steps)
        self.fingerprint = digest_of([step.fingerprint for step in steps])
        self.configuration = digest_of([step.configuration for step in steps])
        self.code = {name: digest for step in steps for name, digest in step.code.items()}
        self.files = tuple(file for step in steps for file in step.files)
        self.passthrough = all(step.component.passthrough for step in steps)
        self.input_size = _input_size(self.steps)
        _check_sizes(self.steps, self.input_size)

    @classmethod
    def parse(cls, text: str, defaults: Mapping[str, object] | None = None) -> Chain:
        """Build a chain from ``A:key=value+B``; see `bench.pipeline.build.build` for what is raised."""
        parts = text.split("+")
        if not all(part.strip() for part in parts):
            raise UsageError(f"Chain {text!r} has an empty step; write it as A+B.")
        return cls([build(HALLUCINATORS, Spec.parse(part), defaults) for part in parts])

    def hallucinate(
        self, images: Sequence[ByteImages], *, batch_size: int = 64
    ) -> tuple[list[ByteImages | None], list[Outcome]]:
        """Run the chain on images of any sizes; results have 8 bits.

        Values are rounded once, after the last step, so that a cached image, a stored one and the input of the
        recogniser are the same.

        Args:
            images: RGB, uint8 (h, w, 3) each.
            batch_size: how many images of one size go to a step at once.

        Returns:
            For each image the RGB uint8 (H, W, 3) result, or None where it failed, and its outcome.

        Raises:
            ContractError: a step returned another number of images, shape or dtype than it must.
        """
        if self.passthrough:
            return list(images), [OK] * len(images)
        side = self.input_size
        sized = [image if side is None else resize(image, side, side) for image in images]
        results: list[ByteImages | None] = [None] * len(images)
        outcomes = [OK] * len(images)
        for batch in _batches(sized, batch_size):
            for index, result, outcome in self._run_batch(batch, [sized[i] for i in batch]):
                results[index], outcomes[index] = result, outcome
        return results, outcomes

    def _run_batch(self, indices: list[int], images: list[ByteImages]) -> list[tuple[int, ByteImages | None, Outcome]]:
        try:
            values, outcomes = self._run_steps(to_float(images))
        except NOT_OF_AN_IMAGE:
            raise
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything, and one face must not lose the others
            if len(images) == 1 and is_memory(error):
                raise BenchError(explanation(error)) from error  # no face has failed where memory ran out
            if len(images) == 1:
                return [(indices[0], None, Outcome("failed", "hallucinate", f"raised {type(error).__name__}"))]
            return [row for i, image in zip(indices, images, strict=True) for row in self._run_batch([i], [image])]
        rows: list[tuple[int, ByteImages | None, Outcome]] = []
        for index, value, outcome in zip(indices, values, outcomes, strict=True):
            if not bool(_finite(value)):
                outcome = Outcome("failed", "hallucinate", "output not finite")
            image = None if outcome.status == "failed" else to_bytes(value[None])[0]
            rows.append((index, image, outcome))
        return rows

    def _run_steps(self, values: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        outcomes = [OK] * len(values)
        for step in self.steps:
            before = values.shape
            with refuse_exit(f"Hallucinator {step.spec}"):
                result: object = step.component.hallucinate_counted(values)
            values, step_outcomes = _checked(step, before, result)
            outcomes = [new if old.status == "ok" else old for old, new in zip(outcomes, step_outcomes, strict=True)]
        return values, outcomes


def _input_size(steps: Sequence[Built[Hallucinator]]) -> int | None:
    for step in steps:
        takes, gives = step.component.input_spec.size, step.component.output_spec
        if takes is not None:
            return takes
        if gives.size is not None or gives.scale != 1:
            break
    return None


def _check_sizes(steps: Sequence[Built[Hallucinator]], size: int | None) -> None:
    for index, step in enumerate(steps):
        takes, gives = step.component.input_spec, step.component.output_spec
        if index and takes.size is not None and takes.size != size:
            before = steps[index - 1].spec
            raise UsageError(
                f"Chain step {step.spec} takes {takes.size} x {takes.size} pixels but {before} gives "
                f"{'any size' if size is None else f'{size} x {size}'}. Put a resizing step between them: "
                f"{before}+bicubic:size={takes.size}+{step.spec}"
            )
        if index and takes.largest is not None and size is not None and size > takes.largest:
            before = steps[index - 1].spec
            raise UsageError(
                f"Chain step {step.spec} takes faces of up to {takes.largest} pixels but {before} gives "
                f"{size} x {size}, which would be shrunk again. Put a resizing step between them if you mean it: "
                f"{before}+bicubic:size={takes.largest}+{step.spec}"
            )
        size = gives.size or (size * gives.scale if size else None)


def _checked(step: Built[Hallucinator], before: tuple[int, ...], result: object) -> tuple[FloatImages, list[Outcome]]:
    who = f"Hallucinator {step.spec}"
    images, outcomes = pair_of(who, result, what="images")
    spec = step.component.output_spec
    height, width = (spec.size, spec.size) if spec.size else (before[2] * spec.scale, before[3] * spec.scale)
    expected = (before[0], 3, height, width)
    check_array(who, images, dtype="float32", shape=expected)
    values: FloatImages = images  # type: ignore[assignment]  # checked in the line before
    return values, check_outcomes(who, outcomes, before[0])


def _batches(images: Sequence[ByteImages], batch_size: int) -> list[list[int]]:
    """Indices of images of one shape, ``batch_size`` at a time, in order of first appearance."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for index, image in enumerate(images):
        by_shape.setdefault(image.shape, []).append(index)
    return [group[i : i + batch_size] for group in by_shape.values() for i in range(0, len(group), batch_size)]


def _finite(values: FloatImages) -> np.bool_:
    return np.isfinite(values).all()
