from __future__ import annotations

import subprocess
import sys

import pytest

from bench.errors import UsageError
from hallucinators.training.steps.settings import Settings


def test_all_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(UsageError) as error:
        Settings(steps=0, precision="fp16", ema_decay=1.0, device="cpu:1", minutes=0, patience=-1)
    for part in ("steps is 0", "'fp16'", "ema_decay is 1.0", "'cpu:1'", "minutes is 0", "patience is -1"):
        assert part in str(error.value)


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:3"])
def test_devices_are_named_as_torch_names_them(device: str) -> None:
    assert Settings(steps=1, device=device).device == device


@pytest.mark.parametrize("device", ["", "cuda:", "cuda:x", "tpu"])
def test_other_devices_are_refused(device: str) -> None:
    with pytest.raises(UsageError, match="device"):
        Settings(steps=1, device=device)


def test_limits_may_change_when_a_run_goes_on_and_the_seed_may_not() -> None:
    fixed = Settings(steps=1, seed=4).fixed()
    assert fixed == Settings(steps=9, seed=4, minutes=3, device="cuda", threads=2, patience=1, log_every=7).fixed()
    assert fixed["seed"] == 4


def test_settings_are_made_without_torch() -> None:
    code = "import sys, hallucinators.training.steps.settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
