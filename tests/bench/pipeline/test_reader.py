"""Media opened: what a cut leaves small is decoded once and is the same from the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench import images
from bench.errors import DataError
from bench.media.crop import cut_out
from bench.pipeline import reader
from bench.pipeline.cache import Cache
from bench.pipeline.reader import open_media, open_sources, read_source
from bench.types import Cut, Media

LARGE = 200


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (LARGE, LARGE, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photograph.png")
    return tmp_path / "photograph.png"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each file that was decoded: a photograph's, or a kept face's."""
    sizes: list[int] = []
    real = images.decode
    monkeypatch.setattr(reader, "decode", lambda data: sizes.append(len(data)) or real(data))  # type: ignore[func-returns-value]
    return sizes


def media(path: Path, cut: Cut | None) -> Media:
    return Media("a", path, "probe", "1", "a", cut=cut)


def opened(item: Media, folder: Path) -> Any:
    with Cache(folder) as cache:
        return open_sources([read_source(item)], cache)[0]


def test_a_small_face_comes_from_the_cache_as_it_was(photograph: Path, tmp_path: Path, decoded: list[int]) -> None:
    item = media(photograph, Cut(box=(20, 30, 90, 90), side=16))
    first, again = opened(item, tmp_path), opened(item, tmp_path)
    assert np.array_equal(first, open_media(item)) and np.array_equal(again, first)
    assert decoded[0] == decoded[2] == photograph.stat().st_size and decoded[1] < 2000


@pytest.mark.parametrize("cut", [None, Cut(box=(0, 0, 90, 90))])
def test_what_is_whole_or_large_is_not_kept(
    photograph: Path, tmp_path: Path, decoded: list[int], cut: Cut | None
) -> None:
    opened(media(photograph, cut), tmp_path)
    opened(media(photograph, cut), tmp_path)
    assert decoded == [photograph.stat().st_size] * 2


def test_another_cut_and_other_bytes_are_opened_anew(photograph: Path, tmp_path: Path, decoded: list[int]) -> None:
    first = opened(media(photograph, Cut(side=16)), tmp_path)
    assert opened(media(photograph, Cut(side=32)), tmp_path).shape == (32, 32, 3)
    Image.fromarray(np.zeros((LARGE, LARGE, 3), np.uint8)).save(photograph)
    assert first.any() and not opened(media(photograph, Cut(side=16)), tmp_path).any()
    assert len(decoded) == 3


def test_other_code_opens_anew(
    photograph: Path, tmp_path: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    item = media(photograph, Cut(side=16))
    opened(item, tmp_path)
    monkeypatch.setattr(reader, "closure_digest", lambda *modules: "another")
    opened(item, tmp_path)
    assert decoded == [photograph.stat().st_size] * 2


def test_what_fails_is_not_kept_and_says_why_again(photograph: Path, tmp_path: Path) -> None:
    item = media(photograph, Cut(box=(900, 900, 50, 50), side=16))
    for _ in range(2):
        failed = opened(item, tmp_path)
        assert isinstance(failed, DataError) and str(failed) == "box outside its image"


def test_a_frame_of_a_film_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    frame = np.full((100, 100, 3), 7, np.uint8)
    monkeypatch.setattr(reader, "read_frame", lambda path, index: read.append(index) or frame)  # type: ignore[func-returns-value]
    (tmp_path / "film.mp4").write_bytes(b"film")
    for index in (3, 3, 4):
        assert opened(media(tmp_path / "film.mp4", Cut(frame=index, box=(0, 0, 20, 20))), tmp_path).shape == (20, 20, 3)
    assert read == [3, 4]


def test_files_that_cannot_be_read_say_so_without_their_names(tmp_path: Path) -> None:
    for item, reason in (
        (media(tmp_path / "absent.png", None), "file not found"),
        (media(tmp_path / "absent.mp4", Cut(frame=0)), "file not found"),
        (media(tmp_path, None), "file not readable .Is a directory."),
    ):
        with pytest.raises(DataError, match=f"^{reason}$"):
            read_source(item)


@pytest.mark.parametrize("box", [(1e308, 0.0, 1e308, 5.0), (0.0, -1e300, 4.0, 4.0), (float("nan"), 0.0, 4.0, 4.0)])
def test_a_box_of_absurd_numbers_is_a_failed_image(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(DataError, match="box"):
        cut_out(np.zeros((8, 8, 3), np.uint8), Cut(box=box))
