"""The protocol of costs: faces it draws itself, the same every time, whatever data there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, UsageError
from bench.execution.data import find_or_draw
from bench.images import read_image
from bench.provenance import stat_digest
from protocols.efficiency import Efficiency


def test_faces_are_drawn_once_and_are_the_same_elsewhere(tmp_path: Path) -> None:
    protocol = Efficiency(lr=32, batches=(1, 3))
    messages: list[tuple[int, int]] = []
    first = protocol.read_with(tmp_path, tmp_path / "a", lambda done, total: messages.append((done, total)))
    assert messages[-1] == (3, 3)
    before = [media.path.stat().st_ino for media in first.faces]
    again = protocol.read_with(tmp_path, tmp_path / "a", lambda done, total: messages.append((done, total)))
    assert len(messages) == 3 and [media.path.stat().st_ino for media in again.faces] == before
    other = protocol.read_with(tmp_path, tmp_path / "b")
    assert stat_digest(first.faces) == stat_digest(other.faces)
    images = [read_image(media.path) for media in first.faces]
    assert {image.shape for image in images} == {(32, 32, 3)}
    assert not np.array_equal(images[0], images[1])
    assert not list((tmp_path / "a").glob(".*"))


@pytest.mark.parametrize("there", [False, True])
def test_no_data_are_needed_and_none_are_read(tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        (tmp_path / "data" / name).mkdir(parents=True)
    if there:
        monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    root = find_or_draw(Efficiency(), None, tmp_path / "samples")
    assert root.name == "toy_faces.py"
    assert not Efficiency().is_sample(root)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batches": ()},
        {"batches": (1, 1)},
        {"batches": (0,)},
        {"repeats": 1},
        {"warmup": 0},
        {"cores": 0},
        {"seconds": 0.0},
    ],
)
def test_numbers_that_cannot_be_are_wrong_usage(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Efficiency(**wrong)  # type: ignore[arg-type]


def test_a_folder_without_faces_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds 0 drawn faces"):
        Efficiency().read(tmp_path)
