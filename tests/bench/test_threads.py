from __future__ import annotations

import os

import pytest

from bench.threads import cpu_threads, torch_threads


def test_a_number_asked_for_is_kept_and_zero_means_what_this_process_may_use() -> None:
    assert cpu_threads(3) == 3
    assert 1 <= cpu_threads(0) <= (os.cpu_count() or 1)


def test_torchs_thread_count_is_put_back_even_after_an_error() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with pytest.raises(KeyError), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before
    with torch_threads(0):
        assert torch.get_num_threads() == before
