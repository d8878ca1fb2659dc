"""Conformance of a component to its contract, on drawn faces; for authors of plugins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.checks.preprocessing import try_preprocessing
from bench.checks.toy_faces import draw_face
from bench.errors import BenchError
from bench.images import resize, to_bytes, to_float
from bench.interfaces import FloatImages, Hallucinator, Recogniser
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.pipeline.output_checks import INTERPOLATING, inspect_outputs

FACES = 32
_BATCH_TOLERANCE = 2e-3  # of 1.0: half a grey level of 255; rounding of networks depends on the batch size
_RANGE_TOLERANCE = 0.25  # larger than the overshoot of interpolation, smaller than that of [-1, 1] or 0..255 outputs


class Check(NamedTuple):
    """One thing looked at: its name, whether it holds, what was seen, and whether that needs attention all the same."""

    name: str
    passed: bool
    detail: str
    warns: bool = False


def _batch_check(passed: bool, detail: str) -> Check:
    hint = "" if passed else "; a torch network must be in evaluation mode: call .eval()"
    return Check("batch-independence", passed, detail + hint)


def check_hallucinator(built: Built[Hallucinator]) -> list[Check]:
    """Run a hallucinator on drawn faces and compare its behaviour with the contract.

    Returns:
        Checks ``runs``, ``finite``, ``range``, ``repeatable``, ``input-untouched``, ``batch-independence`` and one for
        each canary of `bench.pipeline.output_checks`; later ones are omitted where an earlier failure makes them
        meaningless.
    """
    component = built.component
    side = component.input_spec.size or 16
    lr = [resize(draw_face(person, 0), side, side) for person in range(FACES)]
    batch = to_float(lr)
    before = batch.copy()
    try:
        Chain([built]).hallucinate(lr[:2])  # checks shape, dtype and count
        out, _ = component.hallucinate_counted(batch)
    except BenchError as error:
        return [Check("runs", False, str(error))]
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything; the author needs the message
        return [Check("runs", False, f"raised {type(error).__name__}: {error}")]
    checks = [Check("runs", True, f"{FACES} faces of {side} x {side} to {out.shape[3]} x {out.shape[2]}")]
    unusable = int((~np.isfinite(out).all(axis=(1, 2, 3))).sum())
    checks.append(Check("finite", unusable == 0, f"{unusable} of {FACES} outputs hold values that are not finite"))
    if unusable:
        return checks
    low, high = float(out.min()), float(out.max())
    within = -_RANGE_TOLERANCE <= low and high <= 1 + _RANGE_TOLERANCE
    checks.append(Check("range", within, f"values from {low:.3g} to {high:.3g}; the contract says [0, 1]"))
    again = component.hallucinate(before.copy())
    checks.append(
        Check("repeatable", bool(np.array_equal(out, again)), f"two calls differ by {_gap(out, again):.2g} at most")
    )
    checks.append(Check("input-untouched", bool(np.array_equal(batch, before)), "whether the input array was changed"))
    single = np.concatenate([component.hallucinate(before[i : i + 1].copy()) for i in range(FACES)])
    gap = _gap(out, single)
    checks.append(_batch_check(gap <= _BATCH_TOLERANCE, f"batches of 1 and of {FACES} differ by {gap:.2g} at most"))
    pairs = list(zip(lr, to_bytes(out), strict=True))
    plain = built.spec.name in INTERPOLATING
    findings = [] if component.passthrough else inspect_outputs(pairs, interpolation_expected=plain)
    details = {finding.name: finding.detail for finding in findings}
    names = ("output-equals-input", "output-equals-bicubic", "flat-output", "constant-output", "swapped-channels")
    checks += [Check(name, name not in details, details.get(name, "not seen")) for name in names]
    return checks


def check_recogniser(built: Built[Recogniser]) -> list[Check]:
    """Run a recogniser on drawn chips and compare its behaviour with the contract.

    Returns:
        Checks ``runs``, ``finite``, ``repeatable``, ``batch-independence`` and ``tells-apart``; ``channel-order`` and
        ``scaling`` fail where another one than the recogniser's is significantly better (see
        `bench.checks.preprocessing`).
    """
    component = built.component
    face = component.face
    chips = np.stack([resize(draw_face(person, 0), face.height, face.width) for person in range(FACES)])
    try:
        out = component.embed(chips)
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything; the author needs the message
        return [Check("runs", False, f"raised {type(error).__name__}: {error}")]
    expected = (FACES, component.embedding_size)
    runs = isinstance(out, np.ndarray) and out.shape == expected and out.dtype == np.float32
    gave = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
    checks = [Check("runs", runs, f"gave {gave}; the contract says float32 {expected}")]
    if not runs:
        return checks
    unusable = int((~np.isfinite(out).all(axis=1)).sum())
    checks.append(Check("finite", unusable == 0, f"{unusable} of {FACES} embeddings are not finite"))
    if unusable:
        return checks
    again = component.embed(chips.copy())
    checks.append(
        Check("repeatable", bool(np.array_equal(out, again)), f"two calls differ by {_gap(out, again):.2g} at most")
    )
    single = np.concatenate([component.embed(chips[i : i + 1]) for i in range(FACES)])
    worst = float(np.min(_cosines(out, single)))
    checks.append(_batch_check(worst > 0.9999, f"batches of 1 and of {FACES} agree to cosine {worst:.6f} at least"))
    spread = float(np.abs(out - out[0]).max())
    checks.append(Check("tells-apart", spread > 0, f"embeddings of different faces differ by {spread:.2g} at most"))
    if spread > 0:
        checks += [Check(trial.name, not trial.better, trial.detail) for trial in try_preprocessing(built)]
    return checks


def _gap(one: FloatImages, other: FloatImages) -> float:
    return float(np.abs(one - other).max()) if one.shape == other.shape else float("inf")


def _cosines(one: FloatImages, other: FloatImages) -> FloatImages:
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosines: FloatImages = (one * other).sum(axis=1) / norms
    return cosines
