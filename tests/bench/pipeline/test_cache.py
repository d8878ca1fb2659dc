"""The cache: nothing wrong is ever found in it, and what is wrong with it is said."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError
from bench.pipeline.cache import CACHE_FILE, Cache, CachedEmbedding
from bench.types import OK, Outcome


def test_an_embedding_comes_back_as_it_went_in(tmp_path: Path) -> None:
    vector = np.random.default_rng(0).normal(size=5).astype(np.float32)
    fallback = Outcome("fallback", "align", "face not found")
    with Cache(tmp_path) as cache:
        cache.put_embeddings({"a": CachedEmbedding(vector, fallback)})
    with Cache(tmp_path) as cache:
        result = cache.embeddings(["a", "b"])
    assert set(result) == {"a"}
    assert result["a"].vector.tobytes() == vector.tobytes()
    assert result["a"].outcome == fallback


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


def test_a_full_disk_is_reported_and_earlier_entries_stay(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put_images({"a": (b"x" * 100, OK)})
        pages = cache._database.execute("PRAGMA page_count").fetchone()[0]
        cache._database.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(BenchError, match="full"):
            cache.put_images({f"k{i}": (b"y" * 4000, OK) for i in range(100)})
    with Cache(tmp_path) as cache:
        assert cache.images(["a", "k0"]) == {"a": (b"x" * 100, OK)}


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """The folder and its files may be read alone; root, whom rights do not bind, is somebody else for a while."""
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may pass, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_cache_that_may_only_be_read_is_read_and_that_is_reported_once(
    open_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Cache(open_folder / "c") as cache:
        cache.put_images({"a": (b"x", OK)})
    with without_rights(open_folder / "c"):
        for _ in range(2):
            with Cache(open_folder / "c") as cache:
                assert cache.read_only
                cache.put_images({"b": (b"y", OK)})
                assert cache.images(["a", "b"]) == {"a": (b"x", OK)}
    assert capsys.readouterr().err.count("can only be read") == 1


def test_a_cache_that_may_only_be_read_is_read_while_another_writes_it(open_folder: Path) -> None:
    with Cache(open_folder / "c") as writer:
        writer.put_images({"a": (b"x", OK)})
        with without_rights(open_folder / "c"), Cache(open_folder / "c") as cache:
            assert cache.read_only and cache.images(["b"]) == {}


def test_no_cache_in_a_folder_that_may_not_be_written_is_named(open_folder: Path) -> None:
    (open_folder / "c").mkdir()
    with without_rights(open_folder / "c"), pytest.raises(BenchError, match="--no-cache"):
        Cache(open_folder / "c")


def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / CACHE_FILE)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = (tmp_path / CACHE_FILE).read_bytes()
    with pytest.raises(BenchError, match="another version"):
        Cache(tmp_path)
    assert (tmp_path / CACHE_FILE).read_bytes() == before


def test_several_processes_make_and_fill_one_cache_at_once(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom bench.pipeline.cache import Cache\nfrom bench.types import OK\n"
        "for i in range(10):\n    with Cache(Path(sys.argv[1])) as cache:\n"
        "        cache.put_images({f'{sys.argv[2]}-{i}': (b'x' * 1000, OK)})"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    processes = [subprocess.Popen([*command, str(k)]) for k in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    with Cache(tmp_path) as cache:
        assert len(cache.images([f"{k}-{i}" for k in range(4) for i in range(10)])) == 40
