"""``bench check`` names a component whose output depends on its batch, and says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.checks.conformance import Check, check_hallucinator
from bench.images import resize_float
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.pipeline.build import build
from bench.registry import Spec, load_plugins
from bench.types import ImageSpec

HINT = "; a torch network must be in evaluation mode: call .eval()"
NETWORK = """
import torch

class Mixed(torch.nn.Module):
    def forward(self, x):
        x = torch.nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)
        return x - {mean}
"""


class Mixing(Hallucinator):
    output_spec = ImageSpec(32)

    def __init__(self, *, share: float = 0.5) -> None:
        self.share = share

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        large = resize_float(lr, 32, 32).clip(0, 1)
        return ((1 - self.share) * large + self.share * large.mean(0)).astype(np.float32)


@pytest.mark.parametrize(("share", "passed"), [(0.5, False), (0.0, True)])
def test_a_hallucinator_that_mixes_its_batch_fails_with_a_hint(
    share: float, passed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_plugins()
    monkeypatch.setattr(HALLUCINATORS, "_entries", dict(HALLUCINATORS._entries))
    HALLUCINATORS.register("mixing", summary="Mixes.")(Mixing)
    checks = check_hallucinator(build(HALLUCINATORS, Spec.parse(f"mixing:share={share}")))
    batch: Check = next(check for check in checks if check.name == "batch-independence")
    assert batch.passed == passed
    assert batch.detail.endswith(HINT) != passed


@pytest.mark.parametrize(("mean", "passed"), [("0.9 * x.mean(0)", False), ("0", True)])
def test_a_recogniser_that_subtracts_a_part_of_the_mean_of_its_batch_fails_with_a_hint(
    mean: str, passed: bool, bench: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "net.py"
    path.write_text(NETWORK.format(mean=mean))
    out = bench("check", f"torch:module={path}:Mixed,template=arcface")[1]
    line = next(line for line in out.splitlines() if "batch-independence" in line)
    assert ("FAIL" in line, line.endswith(HINT)) == (not passed, not passed)
