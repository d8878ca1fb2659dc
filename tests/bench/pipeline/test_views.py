"""Pictures are given back as they were stored, and their temporary file never outlives the store."""

from __future__ import annotations

import gc
import warnings

import pytest

from bench.pipeline.views import Picture, PictureStore


def test_pictures_come_back_by_template_in_any_order() -> None:
    with PictureStore() as store:
        store.put(Picture("a", b"lr of a", b"out of a"))
        store.put(Picture("b", b"lr of b", b""))
        assert "b" in store and "c" not in store
        assert [store["b"], store["a"]] == [Picture("b", b"lr of b", b""), Picture("a", b"lr of a", b"out of a")]
        with pytest.raises(KeyError):
            store["c"]


@pytest.mark.parametrize("in_cycle", [False, True])
def test_a_store_that_a_failed_run_leaves_behind_closes_its_file_without_a_warning(in_cycle: bool) -> None:
    store = PictureStore()
    store.put(Picture("a", b"1", b"2"))
    file = store._file
    if in_cycle:
        store._places["itself"] = store  # type: ignore[assignment]  # as the traceback of an error does
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del store
        gc.collect()
    assert file.closed
