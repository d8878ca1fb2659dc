from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hallucinators.training.loop.curves import Curve, grid


def test_rows_past_the_checkpoint_are_cut(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("step,loss\n10,0.5\n20,0.4\n30,0.3\n40,0.")
    Curve(tmp_path, 20, lines.append).add(30, {"loss": 0.25})
    assert path.read_text() == "step,loss\n10,0.5\n20,0.4\n30,0.25\n"


def test_a_loss_that_sets_in_late_gets_a_column_at_the_end(tmp_path: Path, lines: list[str]) -> None:
    curve = Curve(tmp_path, 0, lines.append)
    curve.add(1, {"pixel": 0.5})
    curve.add(2, {"pixel": 0.25, "adversarial": 0.7})
    curve.add(3, {"adversarial": 0.6})
    curve.close()
    assert (tmp_path / "curve.csv").read_text() == "step,pixel,adversarial\n1,0.5,\n2,0.25,0.7\n3,,0.6\n"


def test_curves_and_events_are_drawn(tmp_path: Path, lines: list[str]) -> None:
    pytest.importorskip("matplotlib")
    curve = Curve(tmp_path, 0, lines.append)
    curve.add(1, {"pixel": 0.5, "negative": -1.0})
    curve.add(2, {"val_psnr_db": 20.0})
    curve.draw()
    curve.close()
    assert Image.open(tmp_path / "curve.png").size == (1100, 420)


def test_tensorboard_gets_events_where_it_is(tmp_path: Path, lines: list[str]) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curve = Curve(tmp_path, 0, lines.append)
    curve.add(3, {"pixel": 0.5, "val_psnr_db": 20.0})
    curve.close()
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert sorted(events.Tags()["scalars"]) == ["training/pixel", "validation/psnr_db"]
    assert events.Scalars("validation/psnr_db")[0].step == 3


def test_packages_that_are_not_here_are_named_once(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("torch.utils.tensorboard", "matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    curve = Curve(tmp_path, 0, lines.append)
    for step in (1, 2):
        curve.add(step, {"pixel": 0.5})
        curve.draw()
    curve.close()
    assert sorted(line.split()[0] for line in lines) == ["matplotlib", "tensorboard"]
    assert [path.name for path in tmp_path.iterdir()] == ["curve.csv"]


def test_a_grid_shows_columns_side_by_side_and_clips(tmp_path: Path, lines: list[str]) -> None:
    lr = torch.zeros(9, 3, 2, 2)
    lr[0, 0, 0, 1] = 1.0  # a red pixel at the top right
    hr = torch.full((9, 3, 4, 4), 1.5)
    picture = np.asarray(grid([lr, hr]))
    assert picture.shape == (8 * 4, 2 * 4, 3)  # eight rows at most
    assert picture[:2, 2:4].tolist() == [[[255, 0, 0]] * 2] * 2  # two by two pixels each, since the other one is larger
    assert not picture[:4, :2].any() and (picture[:, 4:] == 255).all()
    Curve(tmp_path, 0, lines.append).preview(7, [lr, hr])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "preview-00000007.png")), picture)
