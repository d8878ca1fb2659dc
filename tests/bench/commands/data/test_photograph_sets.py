"""Sets that training stays away from: near faces leave the packs, and the numbers are recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.commands.data.photograph_sets import exclude_near
from bench.errors import UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.pairs.describe import Describer
from bench.faces.pairs.grouping import Grouping
from bench.faces.pairs.pack import Pack, pack, photographs
from bench.faces.people.model import People
from bench.images import ByteImages, encode_png


class Known(Landmarker):
    """Knows the points of drawn people: all stand alike."""

    def find(self, images: list[ByteImages]) -> list[Landmarks | None]:  # type: ignore[override]
        return [People().photograph(0, "neutral", 1.0)[1] for _ in images]


def packed(folder: Path, people: range, parts: list[str] | None) -> Path:
    """A pack of pictures by number, grouped by bytes alone; parts None splits by file name."""
    folder.mkdir()
    for number in people:
        noise = np.random.default_rng(number).integers(0, 256, (128, 128, 3), np.uint8)
        (folder / f"{number}.png").write_bytes(encode_png(noise))
    grouping = None if parts is None else Grouping(Describer(), ("bytes",), partition=parts)
    pack(photographs(folder), folder / "faces.npz", Known(), grouping=grouping)
    return folder / "faces.npz"


def test_faces_near_an_excluded_folder_or_pack_do_not_train(tmp_path: Path) -> None:
    path = packed(tmp_path / "train", range(4), ["train"] * 3 + ["test"])
    other = packed(tmp_path / "other", range(1, 2), ["train"])
    for excluded, near in ((tmp_path / "other", "other"), (other, "faces.npz")):
        opened = Pack(path)
        record = exclude_near({path: opened}, [excluded], {})
        assert record == [{"pack": "faces.npz", "near": near, "by": {"bytes": 1}, "left_out": 1}]
        assert opened.part.tolist() == ["train", "excluded", "train", "sealed"]


def test_a_pack_does_not_train_on_what_another_leaves_out(tmp_path: Path) -> None:
    one = packed(tmp_path / "one", range(3), ["train", "test", "train"])
    two = packed(tmp_path / "two", range(1, 4), ["train"] * 3)
    opened = {one: Pack(one), two: Pack(two)}
    record = exclude_near(opened, [], {})
    assert [entry["left_out"] for entry in record] == [0, 1]
    assert opened[one].part.tolist() == ["train", "sealed", "train"]
    assert opened[two].part.tolist() == ["excluded", "train", "train"]


def test_a_pack_split_by_file_name_is_refused_beside_an_excluded_set_and_trains_without(tmp_path: Path) -> None:
    path = packed(tmp_path / "old", range(3), None)
    assert exclude_near({path: Pack(path)}, [], {}) == []
    with pytest.raises(UsageError, match="Pack again"):
        exclude_near({path: Pack(path)}, [tmp_path / "old"], {})
