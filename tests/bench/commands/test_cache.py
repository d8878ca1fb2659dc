"""``bench cache``: sizes, and deletion of what can be computed again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bench.pipeline.cache import CACHE_FILE, Cache, CachedEmbedding

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder() -> Path:
    """The cache folder of the test, with one entry in each part and a file that is not of the cache."""
    folder = Path(os.environ["BENCH_CACHE"])
    with Cache(folder) as cache:
        cache.put_embeddings({f"{i}": CachedEmbedding(np.zeros(50_000, np.float32)) for i in range(5)})
    for name in ("derived/toys/points.npz", "samples/toys/a.png", "mine/notes.txt"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"x" * 2000)
    return folder


def test_the_size_of_each_part_is_printed(bench: Bench, folder: Path) -> None:
    sizes = json.loads(bench("cache", "size", "--json")[1])
    assert sizes["folder"] == str(folder)
    assert sizes["parts"]["results"]["entries"] == 5 and sizes["parts"]["results"]["bytes"] > 1_000_000
    assert sizes["parts"]["samples"] == sizes["parts"]["derived"] == {"bytes": 2000, "entries": 1}
    assert sizes["bytes"] == sum(part["bytes"] for part in sizes["parts"].values())
    code, out, _ = bench("cache", "size")
    assert code == 0 and "2.0 KiB" in out and str(folder) in out


def test_clearing_empties_the_cache_and_leaves_other_files(bench: Bench, folder: Path) -> None:
    code, out, _ = bench("cache", "clear")
    assert code == 0 and "KiB freed in" in out
    sizes = json.loads(bench("cache", "size", "--json")[1])["parts"]
    assert [part["entries"] for part in sizes.values()] == [0, 0, 0]
    assert sizes["results"]["bytes"] < 100_000
    assert (folder / "mine" / "notes.txt").exists()


def test_one_part_is_cleared_alone(bench: Bench, folder: Path) -> None:
    assert bench("cache", "clear", "samples")[0] == 0
    sizes = json.loads(bench("cache", "size", "--json")[1])["parts"]
    assert {name: part["entries"] for name, part in sizes.items()} == {"results": 5, "derived": 1, "samples": 0}


def test_a_run_that_uses_the_cache_meanwhile_goes_on(bench: Bench, folder: Path) -> None:
    with Cache(folder) as cache:
        assert bench("cache", "clear", "results")[0] == 0
        assert cache.embeddings(["0"]) == {}
        cache.put_embeddings({"new": CachedEmbedding(np.ones(2, np.float32))})
    with Cache(folder) as cache:
        assert set(cache.embeddings(["0", "new"])) == {"new"}


def test_a_run_after_clearing_has_the_same_figures(
    bench: Bench, toys: SimpleNamespace, toy_root: Path, tmp_path: Path
) -> None:
    common = ("run", "--protocol", "toys", "--data-root", toy_root, "--hallucinator", "counted")
    common = (*common, "--recogniser", "pixels", "--json", "--out")
    first = json.loads(bench(*common, tmp_path / "1")[1])["figures"]
    faces = len(toys.hallucinator.faces)
    assert bench("cache", "clear")[0] == 0
    assert json.loads(bench(*common, tmp_path / "2")[1])["figures"] == first
    assert len(toys.hallucinator.faces) > faces, "it was computed again"


def test_an_absent_cache_is_empty_and_a_damaged_one_is_named(bench: Bench, tmp_path: Path) -> None:
    assert json.loads(bench("cache", "size", "--json", "--cache", tmp_path / "absent")[1])["bytes"] == 0
    assert bench("cache", "clear", "--cache", tmp_path / "absent")[0] == 0
    (tmp_path / CACHE_FILE).write_bytes(b"no database" * 100)
    code, _, err = bench("cache", "size", "--cache", tmp_path)
    assert code == 1 and CACHE_FILE in err and "Delete it" in err
