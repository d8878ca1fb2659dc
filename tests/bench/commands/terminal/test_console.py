"""The command line where streams are closed, full, broken or narrow, and where the machine gives out."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.faults import explanation
from bench.io.printing import ESCAPED
from bench.results.folder import dump_json

ROOT = Path(__file__).parents[4]
BENCH = f"{shlex.quote(sys.executable)} -m bench"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    settings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    bash = shutil.which("bash")
    assert bash, "these tests need bash"
    return subprocess.run([bash, "-c", f"set -o pipefail; {line}"], cwd=folder, env=settings, capture_output=True)


@pytest.mark.parametrize("command", ["list protocols", "--help", "--version", "run --help"])
@pytest.mark.parametrize("where", [pytest.param(">/dev/full", marks=needs_full), ">&-"])
def test_output_that_cannot_be_written_is_one_line_and_a_code(tmp_path: Path, command: str, where: str) -> None:
    done = shell(f"{BENCH} {command} {where}", tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(b"bench: Standard output cannot be written") and done.stderr.count(b"\n") == 1


def test_a_closed_reader_ends_the_command_without_a_message(tmp_path: Path) -> None:
    done = shell(f"{BENCH} list | head -1", tmp_path)
    assert (done.stdout, done.stderr) == (b"protocols\n", b"")


@pytest.mark.parametrize("where", [pytest.param("2>/dev/full", marks=needs_full), "2>&-", "<&- 2>&-"])
def test_without_standard_error_the_work_is_done_and_no_file_gets_the_messages(
    tmp_path: Path, small_tinyface: Path, where: str
) -> None:
    data = shlex.quote(str(small_tinyface))
    line = f"{BENCH} run --protocol tinyface --data-root {data} --out run --cache cache --images none"
    done = shell(f"{line} {where}", tmp_path)
    assert done.returncode == 0 and b"rank-1" in done.stdout
    assert b"note:" not in done.stdout and b"embed probe" not in done.stdout
    assert (tmp_path / "run" / "run.json").is_file()
    assert shell(f"{BENCH} run --protocol nothing {where}", tmp_path).returncode == 2


@pytest.mark.parametrize("name", [b"d\xff", "dätä".encode()])
def test_names_that_are_no_text_and_narrow_terminals_are_escaped(
    tmp_path: Path, small_tinyface: Path, name: bytes
) -> None:
    data = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        data.symlink_to(small_tinyface, target_is_directory=True)
    except OSError:
        pytest.skip("this file system takes no such name")
    out = shlex.quote(f"{data}-run")
    line = f"{BENCH} run --protocol tinyface --data-root {shlex.quote(str(data))} --out {out} --cache {out}-cache"
    done = shell(line, tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    record = json.loads(Path(f"{data}-run", "run.json").read_text(encoding="utf-8"))
    assert record["metrics"]
    for more in (f"score {out} --json", f"report {out} --out {out}-report"):
        again = shell(f"{BENCH} {more}", tmp_path, PYTHONIOENCODING="ascii")
        assert again.returncode == 0 and b"Traceback" not in again.stderr, again.stderr


def test_json_with_bytes_that_are_no_text_is_utf_8_and_reads_back() -> None:
    text = dump_json({"path": "d\udcff", "name": "é😀"})
    assert json.loads(text.encode("utf-8")) == {"path": "d\udcff", "name": "é😀"}
    assert json.loads('"é😀\\n"'.encode("ascii", ESCAPED)) == "é😀\n"


def test_a_working_folder_that_is_gone_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = shell(f"cd gone && rmdir ../gone && {BENCH} list", tmp_path)
    assert done.returncode == 1 and done.stderr.startswith(b"bench: The working folder cannot be used")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError("Unable to allocate 9 GiB"), "not enough memory: Unable to allocate 9 GiB"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            "not enough memory",
        ),
        (ImportError("libtorch.so: failed to map segment from shared object"), "not enough memory"),
        (ImportError("libGL.so.1: cannot open shared object file: No such file"), "pip install opencv-python-headless"),
        (
            UnicodeEncodeError("utf-8", "x" * 999 + "d\udcff", 1000, 1001, "surrogates"),
            r"d\udcff. Give the file another",
        ),
        (OSError(28, "No space left on device", "/x"), "The disk is full (/x)"),
        (PermissionError(13, "Permission denied", "/x"), "Permission denied (/x)"),
    ],
)
def test_faults_of_the_machine_are_one_line(
    error: Exception, message: str, bench: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(args: object) -> int:
        raise error

    monkeypatch.setattr("bench.commands.components.list_.main", fail)
    code, _, err = bench("list")
    assert code == 1 and message in err and err.count("\n") == 1 and err.startswith("bench: ")


def test_faults_of_a_program_have_no_such_line() -> None:
    assert explanation(ValueError("x")) is None and explanation(RuntimeError("x")) is None
    assert explanation(BenchError("as it is")) == "as it is"
