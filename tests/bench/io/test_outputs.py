"""What cannot be written is found out before the work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.io.outputs import check_output


def test_a_folder_that_can_be_created_passes_and_no_temporary_folder_remains(tmp_path: Path) -> None:
    check_output(tmp_path / "a" / "b" / "c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("file/run", "file is a file"),
        ("file/a/b", "file is a file"),
        ("link", "is a link to nowhere"),
        ("link/run", "is a link to nowhere"),
        ("n" * 300, "name too long"),
        ("n" * 250, "name too long"),
        ("/".join(["n" * 200] * 30), "name too long"),
        ("a\0b", "null"),
    ],
)
def test_the_obstacle_is_named(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(BenchError, match=f"(?i)cannot be created.*{message}"):
        check_output(tmp_path / place)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    check_output(tmp_path / "file")
    with pytest.raises(BenchError, match="is a file, but must be a folder"):
        check_output(tmp_path / "file", folder=True)


def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**options: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bench.io.outputs.tempfile.mkdtemp", refuse)
    with pytest.raises(BenchError, match="Permission denied"):
        check_output(tmp_path / "x")


@pytest.mark.parametrize("out", ["file/run", "link", "file"])
def test_a_run_ends_before_its_data_are_read(
    tmp_path: Path, bench: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    monkeypatch.setattr("bench.execution.execute._read", None)  # must not be called
    code, printed, err = bench("run", "--protocol", "tinyface", "--data-root", tmp_path, "--out", tmp_path / out)
    assert code == 1 and not printed and err.count("\n") == 1 and str(tmp_path / out) in err
    assert os.readlink(tmp_path / "link") == "nowhere"


@pytest.mark.parametrize(
    "command",
    [
        ("report", "run"),
        ("data", "sample", "tinyface"),
        ("hallucinate", "picture.png"),
        ("export", "vividgan"),
        ("train", "vividgan", "--data", "pack.npz"),
        ("data", "manifest", "tinyface"),
        ("data", "pairs", "photographs"),
    ],
)
def test_every_command_that_writes_says_so_first(
    tmp_path: Path, bench: Callable[..., tuple[int, str, str]], command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    code, printed, err = bench(*command, "--out", tmp_path / "file" / "x.onnx")
    assert code == 1 and not printed and err.count("\n") == 1 and "file is a file" in err
