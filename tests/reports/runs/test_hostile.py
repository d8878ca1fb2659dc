"""Run folders that others made: a bad one is refused by name in one line, by every command, and the others stand."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.__main__ import main

Damage = Callable[[Path], object]


def changed(**fields: Any) -> Damage:
    """``run.json`` with other values; a text that begins with ``raw:`` is put in as it is."""

    def damage(folder: Path) -> None:
        record = json.loads((folder / "run.json").read_text())
        text = json.dumps({**record, **fields})
        for value in fields.values():
            if isinstance(value, str) and value.startswith("raw:"):
                text = text.replace(json.dumps(value), value[4:])
        (folder / "run.json").write_text(text)

    return damage


def figure(value: str) -> Damage:
    def damage(folder: Path) -> None:
        record = json.loads((folder / "run.json").read_text())
        name = next(iter(record["metrics"]))
        record["metrics"][name]["value"] = "HERE"
        (folder / "run.json").write_text(json.dumps(record).replace('"HERE"', value))

    return damage


def instead(name: str, make: Callable[[Path], object]) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return damage


def rows(edit: Callable[[list[str]], list[str]], name: str = "per_probe.csv") -> Damage:
    def damage(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(edit(lines)))

    return damage


def cells(old: str, new: str) -> Damage:
    def damage(folder: Path) -> None:
        text = (folder / "per_probe.csv").read_text()
        assert old in text
        (folder / "per_probe.csv").write_text(text.replace(old, new, 1))

    return damage


RUN_DAMAGE: dict[str, Damage] = {
    "a figure of 401 digits": figure("1" + "0" * 400),
    "a figure of 5,000 digits": figure("1" * 5000),
    "an infinite figure": figure("1e999"),
    "NaN": figure("NaN"),
    "a figure that is text": figure('"0.5"'),
    "a figure twice": lambda f: (f / "run.json").write_text(
        (f / "run.json").read_text().replace('"smoke": false', '"smoke": true, "smoke": false')
    ),
    "deep nesting": changed(environment="raw:" + '{"a":' * 500 + "1" + "}" * 500),
    "deeper nesting": changed(environment="raw:" + "[" * 200_000 + "]" * 200_000),
    "a limit that is text": changed(limit="four"),
    "a seed of 30 digits": changed(seed=10**30),
    "a list": lambda f: (f / "run.json").write_text("[1]"),
    "not UTF-8": lambda f: (f / "run.json").write_bytes(b'{"label": "\xff\xfe"}'),
    "too large": lambda f: os.truncate(f / "run.json", 100 << 20),
    "a folder for run.json": instead("run.json", lambda p: p.mkdir()),
    "a pipe for run.json": instead("run.json", os.mkfifo),
    "a device for run.json": instead("run.json", lambda p: p.symlink_to("/dev/zero")),
    "a broken link for run.json": instead("run.json", lambda p: p.symlink_to("nowhere")),
    "a pipe for the rows": instead("per_probe.csv", os.mkfifo),
    "a pipe for the ledger": instead("ledger.csv", os.mkfifo),
    "a device for the items": instead("per_item.csv", lambda p: p.symlink_to("/dev/zero")),
    "a pipe for the arrays": instead("arrays.npz", os.mkfifo),
    "a cut row": rows(lambda lines: [*lines[:-1], lines[-1][: len(lines[-1]) // 3]]),
    "a cut table": rows(lambda lines: lines[:-2]),
    "a row twice": rows(lambda lines: [*lines, lines[-1]]),
    "no rows": rows(lambda lines: lines[:1]),
    "an empty table": rows(lambda lines: []),
    "a head twice": rows(lambda lines: [lines[0].strip() + ",key\n", *(line.strip() + ",x\n" for line in lines[1:])]),
    "a cell of a megabyte": cells("Probe/", "Probe/" + "x" * (1 << 20)),
    "a rank of 30 digits": cells(",ok,,,1,", ",ok,,,1" + "0" * 30 + ","),
    "a score that is not finite": cells("Distractor/0", 'Distractor/0",""\n"x'),
    "attributes too deep": cells("{}", '"' + "[" * 100_000 + '"'),
    "attributes of a list": cells("{}", "[]"),
    "attributes of NaN": cells("{}", '"{""a"": NaN}"'),
}


@pytest.fixture
def good_and_bad(make_run: Any, tmp_path: Path) -> tuple[Path, Path]:
    make_run("good", images=False)
    return tmp_path / "runs" / "good", make_run("bad", label="net", images=False)


def one_line(text: str) -> bool:
    return "Traceback" not in text and len(text.strip().splitlines()) == 1


@pytest.mark.parametrize("name", RUN_DAMAGE)
def test_a_bad_run_is_refused_by_name_and_the_others_stand(
    good_and_bad: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    good, bad = map(str, good_and_bad)
    RUN_DAMAGE[name](good_and_bad[1])
    for command in (("score", bad), ("compare", good, bad), ("report", bad, "--out", str(tmp_path / "alone"))):
        assert main(command) == 1, command
        out, err = capsys.readouterr()
        assert not out and one_line(err) and "bad" in err, command
    assert main(["report", good, bad, "--out", str(tmp_path / "both")]) == 0
    assert "bad" in (tmp_path / "both" / "report.md").read_text()
    assert main(["leaderboard", str(tmp_path / "runs")]) == 0
    out, err = capsys.readouterr()
    assert "left out: bad" in out and "  good\n" in out and "Traceback" not in err
    assert main(["leaderboard", str(tmp_path / "runs"), "--strict"]) == 1


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def claims(shape: str, kind: str = "<f4") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()


def archive(**members: bytes) -> Damage:
    """The arrays of a run with members put in their place."""

    def damage(folder: Path) -> None:
        held = {name: npy(array) for name, array in np.load(folder / "arrays.npz").items()} | members
        with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in held.items():
                file.writestr(f"{name}.npy", data)

    return damage


def bomb(folder: Path) -> None:
    with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as file, file.open("scores.npy", "w") as one:
        one.write(claims("(209715200,)"))
        for _ in range(100):
            one.write(bytes(8 << 20))


def understated(folder: Path) -> None:
    """A member whose list entry says fewer bytes than it unpacks to."""
    archive(scores=npy(np.zeros(4 << 20, np.float32)))(folder)
    data = bytearray((folder / "arrays.npz").read_bytes())
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(b"scores.npy"))
    data[place + 24 : place + 28] = struct.pack("<I", 256)
    (folder / "arrays.npz").write_bytes(data)


ARRAY_DAMAGE: dict[str, Damage] = {
    "claims 16 GB": archive(scores=claims("(4294967296,)")),
    "claims more than 64 bits": archive(scores=claims("(" + "9" * 30 + ",)")),
    "claims a negative size": archive(scores=claims("(-4,)")),
    "unpacks to 800 MB": bomb,
    "understates what it unpacks to": understated,
    "objects": archive(scores=npy(np.array([{"a": 1}], object))),
    "text": archive(scores=npy(np.array(["x"] * 60))),
    "records": archive(scores=npy(np.zeros(60, [("a", "f4")]))),
    "fewer scores": archive(scores=npy(np.zeros(3, np.float32))),
    "infinite scores": archive(scores=npy(np.full(60, np.inf, np.float32))),
    "folds that are fractions": archive(fold=npy(np.zeros(60))),
    "people of another length": archive(person=npy(np.zeros(7, np.int32))),
    "a hundred arrays": archive(**{f"x{i}": npy(np.zeros(1)) for i in range(100)}),
    "no archive": lambda f: (f / "arrays.npz").write_bytes(b"PK\x03\x04 and no more"),
    "cut": lambda f: os.truncate(f / "arrays.npz", 300),
    "pickle": lambda f: (f / "arrays.npz").write_bytes(b"\x80\x04N."),
    "a flipped byte": lambda f: (f / "arrays.npz").write_bytes(flipped((f / "arrays.npz").read_bytes())),
}


def flipped(data: bytes) -> bytes:
    at = data.index(b"scores.npy") + 60
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("name", ARRAY_DAMAGE)
def test_arrays_are_bounded_before_they_are_unpacked(
    make_other: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    good, bad = make_other("good", "verification"), make_other("bad", "verification", label="net")
    ARRAY_DAMAGE[name](bad)
    for command in (("score", bad), ("compare", good, bad)):
        assert main([str(part) for part in command]) == 1
        out, err = capsys.readouterr()
        assert not out and one_line(err) and "bad" in err, command
    assert main(["leaderboard", str(tmp_path / "runs")]) == 0
    assert "left out: bad" in capsys.readouterr().out


def huge_png(side: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("data", [huge_png(60_000), huge_png(2000), bytes(40 << 20), b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_images_of_a_size_that_no_run_keeps_cost_the_images_alone(make_run: Any, tmp_path: Path, data: bytes) -> None:
    run = make_run("run")
    with zipfile.ZipFile(run / "images.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for place in range(24):
            file.writestr(f"lr/{place:06d}.png", data)
    assert main(["report", str(run), "--out", str(tmp_path / "out")]) == 0


def test_nothing_a_run_says_steers_a_terminal(
    make_run: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    evil = "\x1b[2J\x9b31m\u202e\u2066\n*** fine ***\r"
    run = make_run("run", label=evil, warnings=(evil,), images=False)
    record = json.loads((run / "run.json").read_text())
    record["protocol"]["name"] = record["data"]["name"] = record["stages"][-1]["name"] = evil
    record["metrics"] = {name + evil: value for name, value in record["metrics"].items()}
    record["ledger"]["distractor"]["reasons"] = {evil: 4}
    (run / "run.json").write_text(json.dumps(record))
    for command in (["score", str(run)], ["compare", str(run), str(run)], ["leaderboard", str(run.parent)]):
        main(command)
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x9b\u202e\u2066\r"), command
        assert not any(line.startswith("***") and "fine" in line for line in (out + err).splitlines()), command


def mutated(text: str, rng: random.Random) -> str:
    odd = (
        "",
        "null",
        "-1",
        "1e999",
        "NaN",
        "[]",
        "{}",
        '"\\ud800"',
        "9" * 400,
        "true",
        '"\\u202e"',
        "[[[[",
        ",",
        "\x00",
    )
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(odd) + text[at + rng.choice((0, 1, 3, 20)) :]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_ends_in_no_traceback(
    make_run: Any, make_other: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    rng = random.Random(seed)
    good = make_run("good", images=False)
    for kind in ("identification", "verification", "expression", "restoration", "efficiency"):
        bad = make_run("bad", images=False) if kind == "identification" else make_other(f"bad-{kind}", kind)
        for file in sorted(path for path in bad.iterdir() if path.suffix in (".json", ".csv")):
            before = file.read_text()
            file.write_text(mutated(before, rng), encoding="utf-8", errors="surrogatepass")
            for command in (
                ["score", str(bad)],
                ["compare", str(good), str(bad)],
                ["report", str(good), str(bad), "--out", str(tmp_path / "out"), "--viewer", "none"],
                ["leaderboard", str(tmp_path / "runs")],
            ):
                assert main(command) in (0, 1, 2, 3)
            assert "Traceback" not in "".join(capsys.readouterr())
            file.write_text(before)
