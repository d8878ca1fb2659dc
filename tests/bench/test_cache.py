"""The cache: nothing wrong is ever found in it, and what is wrong with it is said."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from bench.cache import CACHE_FILE, Cache, CachedEmbedding
from bench.errors import BenchError
from bench.types import OK, Outcome


def test_an_embedding_comes_back_as_it_went_in(tmp_path: Path) -> None:
    vector = np.random.default_rng(0).normal(size=5).astype(np.float32)
    fallback = Outcome("fallback", "align", "face not found")
    with Cache(tmp_path) as cache:
        cache.put_embeddings({"a": CachedEmbedding(vector, fallback)})
    with Cache(tmp_path) as cache:
        found = cache.embeddings(["a", "b"])
    assert set(found) == {"a"}
    assert found["a"].vector.tobytes() == vector.tobytes()
    assert found["a"].outcome == fallback


def test_more_keys_than_one_query_takes_are_found(tmp_path: Path) -> None:
    entries = {f"k{i}": (b"png%d" % i, OK) for i in range(1203)}
    with Cache(tmp_path) as cache:
        cache.put_images(entries)
        assert cache.images(list(entries)) == entries


def test_a_cache_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put_images({"a": (b"x", OK)})
    with sqlite3.connect(tmp_path / CACHE_FILE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(BenchError, match="written by another version \\(99"):
        Cache(tmp_path)
    with sqlite3.connect(tmp_path / CACHE_FILE) as database:
        assert database.execute("SELECT count(*) FROM images").fetchone() == (1,)
    database.close()


def test_a_damaged_cache_file_is_named(tmp_path: Path) -> None:
    (tmp_path / CACHE_FILE).write_bytes(b"this is no database, though it is long enough to be looked at" * 20)
    with pytest.raises(BenchError, match=CACHE_FILE):
        Cache(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match="Cannot use the cache"):
        Cache(tmp_path / "file" / "cache")


def test_a_full_disk_is_said_and_earlier_entries_stay(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put_images({"a": (b"x" * 100, OK)})
        pages = cache._database.execute("PRAGMA page_count").fetchone()[0]
        cache._database.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(BenchError, match="full"):
            cache.put_images({f"k{i}": (b"y" * 4000, OK) for i in range(100)})
    with Cache(tmp_path) as cache:
        assert cache.images(["a", "k0"]) == {"a": (b"x" * 100, OK)}
