from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.errors import DataError
from hallucinators.training.loop import checkpoint


def write(out: Path, step: int, kind: str = "checkpoint") -> Path:
    path = checkpoint.path_of(out, step, kind)
    checkpoint.save(path, {"step": step})
    return path


def names(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir())


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state = {"step": 3, "a": {"b": [1, 2.5, "c", None, True], 0: torch.arange(3)}, "betas": (0.9, 0.999)}
    path = tmp_path / "one.pt"
    checkpoint.save(path, state)
    loaded = checkpoint.load(path)
    assert torch.equal(loaded["a"].pop(0), torch.arange(3))
    assert loaded == {"step": 3, "a": {"b": [1, 2.5, "c", None, True]}, "betas": (0.9, 0.999)}
    assert names(tmp_path) == ["one.pt"]


def test_an_object_is_not_saved_and_the_old_file_stays(tmp_path: Path) -> None:
    path = write(tmp_path, 1)
    with pytest.raises(DataError, match=r"state.args\[0\] is a PosixPath"):
        checkpoint.save(path, {"step": 2, "args": [tmp_path]})
    assert checkpoint.load(path) == {"step": 1}


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, 1)

    def half(state: object, file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save(path, {"step": 2})
    assert checkpoint.load(path) == {"step": 1}
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"\x80\x02cos\nsystem\n."])
def test_a_file_that_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-00000001.pt"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as a checkpoint"):
        checkpoint.load(path)


def test_the_last_two_and_the_best_of_each_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        write(tmp_path, step)
    for step in (5, 8, 15, 18, 25):
        write(tmp_path, step, "best")
    checkpoint.prune(tmp_path)
    assert names(tmp_path) == [
        "best-00000018.pt",  # the best that the checkpoint of step 20 knows
        "best-00000025.pt",
        "checkpoint-00000020.pt",
        "checkpoint-00000030.pt",
    ]


def test_going_back_sets_aside_what_is_newer(tmp_path: Path) -> None:
    for step in (10, 20):
        write(tmp_path, step)
    for step in (8, 15):
        write(tmp_path, step, "best")
    checkpoint.discard_after(tmp_path, 10)
    assert names(tmp_path) == ["best-00000008.pt", "checkpoint-00000010.pt", "checkpoint-00000020.pt.damaged"]
    assert checkpoint.best_path(tmp_path) == tmp_path / "best-00000008.pt"


def test_only_damaged_checkpoints_are_an_error_and_none_is_not(tmp_path: Path, lines: list[str]) -> None:
    assert checkpoint.load_newest(tmp_path, lines.append) is None
    for step in (10, 20):
        checkpoint.path_of(tmp_path, step).write_bytes(b"torn")
    with pytest.raises(DataError, match="No checkpoint in .* can be read"):
        checkpoint.load_newest(tmp_path, lines.append)
    assert len(lines) == 2


def test_all_differences_are_named_at_once() -> None:
    mine = {
        "task": "a",
        "processes": 2,
        "settings": {"seed": 1},
        "recipe": {"side": 16},
        "modules": {},
        "optimisers": {},
    }
    other = mine | {"task": "b", "processes": 1, "settings": {"seed": 2}, "recipe": {}}
    with pytest.raises(DataError, match=r"task is 'a' here and 'b' .*processes is 2 .*seed is 1 .*side is 16 here"):
        checkpoint.refuse_other(Path("x.pt"), other, mine)
    with pytest.raises(DataError, match="it lacks processes, recipe"):
        checkpoint.refuse_other(
            Path("x.pt"), {k: other[k] for k in ("task", "settings", "modules", "optimisers")}, mine
        )
