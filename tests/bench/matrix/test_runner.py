"""`bench run` on a matrix of protocols, hallucinators and recognisers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.evaluation.efficiency.passes import TimingResult
from bench.interfaces import PROTOCOLS, EvalProtocol

Bench = Callable[..., tuple[int, str, str]]


def study_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "study.json").read_text())
    return content


def states(out: Path) -> dict[str, str]:
    return {cell["name"]: cell["state"] for cell in study_of(out)["cells"]}


@pytest.fixture
def command(toy_root: Path, tmp_path: Path) -> tuple[object, ...]:
    return ("run", "--protocol", "toys", "--data-root", toy_root, "--out", tmp_path / "out", "--images", "none")


def test_every_cell_is_run_and_a_second_recogniser_uses_cached_images(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    flags = (
        "--hallucinator",
        "none,counted:gain=0.9,mode=a",
        "--recogniser",
        "pixels",
        "--recogniser",
        "pixels:side=8",
    )
    code, out, err = bench(*command, *flags)
    assert code == 0, err
    names = [f"toys__{h}__{r}" for h in ("none", "counted-gain=0.9-mode=a") for r in ("pixels", "pixels-side=8")]
    assert states(tmp_path / "out") == dict.fromkeys(names, "done")
    assert sum(toys.hallucinator.faces) == 8 + 8  # and a second pass over all of them, once
    assert len(toys.protocol.reads) == 1
    records = [json.loads((tmp_path / "out" / name / "run.json").read_text()) for name in names]
    assert [record["label"] for record in records] == ["none", "none", *["counted:gain=0.9,mode=a"] * 2]
    for cell, record in zip(study_of(tmp_path / "out")["cells"], records, strict=True):
        assert cell["figure"]["name"] == next(iter(record["metrics"]))
        assert cell["figure"]["value"] == record["metrics"][cell["figure"]["name"]]["value"]
        line = next(t for t in out.splitlines() if f" {cell['hallucinator']} " in t and f" {cell['recogniser']} " in t)
        assert f"{cell['figure']['value']:.2%}" in line
    assert "4 of 4 cells finished" in out
    assert "--out report" in err


def test_a_single_cell_is_a_run_as_ever(bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path) -> None:
    code, out, err = bench(*command, "--hallucinator", "counted:gain=0.9,mode=a", "--recogniser", "pixels")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"run.json", "per_probe.csv", "ledger.csv"}
    assert "95 % interval" in out and " of 4 identities; a failed probe counts as a miss" in out
    assert "cells" not in out
    assert f"Written to {tmp_path / 'out'}\nReport: bench report" in err


def test_a_failing_cell_stops_no_other_and_is_reported_with_its_cause(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--hallucinator", "counted:broken=true,counted", "--recogniser", "pixels:fault=boom,pixels")
    code, out, _ = bench(*command, *flags)
    assert code == 1
    cells = study_of(tmp_path / "out")["cells"]
    assert [cell["state"] for cell in cells] == ["failed", "failed", "failed", "done"]
    assert "None of 8 probes could be scored" in cells[1]["error"]
    assert "raised RuntimeError" in cells[1]["error"]
    cause = "Recogniser pixels:fault=boom raised on every image: ValueError: boom"
    assert cells[2]["error"] == cause
    assert "1 of 4 cells finished" in out
    assert f"  toys / counted / pixels:fault=boom\n    {cause}\n" in out
    assert not (tmp_path / "out" / cells[2]["name"]).exists()


def test_an_interrupted_experiment_continues_where_it_stopped(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--hallucinator", "none,counted", "--recogniser", "pixels,pixels:side=8")
    assert bench(*command, *flags[:2], "--recogniser", "pixels")[0] == 0
    done = tmp_path / "out" / "toys__counted__pixels" / "run.json"
    before, faces = done.stat().st_mtime_ns, sum(toys.hallucinator.faces)
    toys.recogniser.stop.append(KeyboardInterrupt())
    code, out, err = bench(*command, *flags)
    assert code == 130
    assert "continues from there" in err
    assert list(states(tmp_path / "out").values()) == ["done", "waiting", "done", "waiting"]
    assert "not run" in out
    toys.recogniser.stop.clear()
    code, out, err = bench(*command, *flags)
    assert code == 0, err
    assert set(states(tmp_path / "out").values()) == {"done"}
    assert done.stat().st_mtime_ns == before
    assert sum(toys.hallucinator.faces) == faces
    assert err.count("kept: it was already finished") == 2


def test_a_finished_experiment_keeps_its_seconds_and_its_runs_when_repeated(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    flags = ("--hallucinator", "none,counted", "--recogniser", "pixels")
    bench(*command, *flags)
    before = study_of(tmp_path / "out")
    assert bench(*command, *flags)[0] == 0
    after = study_of(tmp_path / "out")
    assert after["cells"] == before["cells"]
    assert after["digest"] == before["digest"]
    code, out, _ = bench(*command, *flags, "--seed", 7)
    assert code == 1
    assert out.count("holds a run of another configuration") == 2
    assert study_of(tmp_path / "out")["digest"] != before["digest"]


def test_all_takes_protocols_that_can_run_with_their_own_data_or_a_sample(
    bench: Bench, toys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bare(*, weights: str) -> object:
        raise AssertionError("it is not to be built")

    dull = type("Dull", (toys.protocol,), {"dataset": "dull", "write_sample": EvalProtocol.write_sample})
    for name in [entry.name for entry in PROTOCOLS if entry.name not in ("toys", "games")]:
        del PROTOCOLS._entries[name]
    PROTOCOLS.register("bare", summary="Needs an argument.")(bare)
    PROTOCOLS.register("dull", summary="Has no sample.")(dull)
    PROTOCOLS.register("gone", summary="Needs a package.", missing=lambda: "a package is missing")(toys.protocol)
    base_toys = toys.write(tmp_path / "base" / "toys")
    monkeypatch.setenv("BENCH_DATA", str(base_toys.parent))
    code, out, err = bench("run", "--protocol", "all", "--recogniser", "pixels", "--out", tmp_path / "out")
    assert code == 0, err
    study = study_of(tmp_path / "out")
    assert {cell["protocol"]: bool(cell["banners"]) for cell in study["cells"]} == {"games": True, "toys": False}
    assert study["left_out"] == {
        "bare": "it requires weights",
        "dull": "it has neither data nor a sample",
        "gone": "a package is missing",
    }
    assert "SAMPLE DATA, not games" in out
    assert "left out: gone: a package is missing" in out
    roots = [
        json.loads((tmp_path / "out" / c["name"] / "run.json").read_text())["data"]["root"] for c in study["cells"]
    ]
    assert roots == [str(Path(os.environ["BENCH_CACHE"]) / "samples" / "games-1"), str(base_toys)]


def test_typos_stop_a_study_before_it_starts_all_at_once(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    code, _, err = bench(
        *command, "--hallucinator", "none,counted:gian=1", "--recogniser", "pixels:side=x,pixels", "--limit", 0
    )
    assert code == 2
    for part in ("unknown argument 'gian'", "'x' is not a whole number", "limit is 0"):
        assert part in err
    assert not (tmp_path / "out").exists()


def test_one_folder_cannot_be_two_data_sets(bench: Bench, toys: Any, toy_root: Path, tmp_path: Path) -> None:
    code, _, err = bench("run", "--protocol", "toys,games", "--data-root", toy_root, "--recogniser", "pixels")
    assert code == 2
    assert "for 2 data sets: games, toys" in err
    code, _, err = bench("run", "--protocol", "toys,games", "--manifest", "x.json", "--recogniser", "pixels")
    assert code == 2
    assert "--manifest is of one protocol" in err


def test_a_run_folder_is_not_read_as_an_experiment(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    assert bench(*command, "--recogniser", "pixels")[0] == 0
    code, _, err = bench(*command, "--recogniser", "pixels,pixels:side=8")
    assert code == 1
    assert "is a run folder" in err
    assert not (tmp_path / "out" / "study.json").exists()


def test_a_damaged_study_file_is_named_and_not_replaced(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.json").write_text("{")
    code, _, err = bench(*command, "--recogniser", "pixels,pixels:side=8")
    assert code == 1
    assert "study.json is damaged" in err
    assert (tmp_path / "out" / "study.json").read_text() == "{"


def test_cells_whose_names_look_alike_have_folders_of_their_own(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path
) -> None:
    long = "x" * 300
    flags = ("--hallucinator", f"counted:mode=a/b,counted:mode=a-b,counted:mode={long}", "--recogniser", "pixels")
    code, _, err = bench(*command, *flags)
    assert code == 0, err
    names = list(states(tmp_path / "out"))
    assert len(set(names)) == 3
    assert max(map(len, names)) <= 130
    assert all((tmp_path / "out" / name / "run.json").is_file() for name in names)


def test_smoke_and_sample_stand_above_the_table_and_in_its_rows(bench: Bench, toys: Any, tmp_path: Path) -> None:
    flags = ("--protocol", "toys", "--recogniser", "pixels,pixels:side=8", "--limit", 3)
    code, out, err = bench("run", *flags, "--out", tmp_path / "out")
    assert code == 0, err
    assert "*** SMOKE RUN on 3 probes" in out
    assert "*** SAMPLE DATA, not toys" in out
    assert out.count("SMOKE SAMPLE") == 2
    assert "bench report" in err  # smoke runs of one limit are compared


def test_what_no_recogniser_matters_to_is_run_once_for_all_of_them(
    bench: Bench, toys: Any, command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bench.evaluation.efficiency.passes.measure", lambda ask: TimingResult((10.0, 12.0), None, "no such system")
    )
    costs = "efficiency:batches=[1]"
    flags = ("--protocol", costs, "--hallucinator", "none,counted", "--recogniser", "pixels,pixels:side=8")
    code, out, err = bench("run", "--protocol", "toys", *flags, "--out", tmp_path / "out")
    assert code == 0, err
    cells = study_of(tmp_path / "out")["cells"]
    requested = [(cell["protocol"], cell["hallucinator"], cell["recogniser"]) for cell in cells]
    both = ("pixels", "pixels:side=8")
    assert requested == [
        *(("toys", h, r) for h in ("none", "counted") for r in both),
        *((costs, h, "") for h in ("none", "counted")),
    ]
    line = next(line for line in out.splitlines() if costs in line)
    assert "none published" in line and "(none)" in line and "official" not in line
    assert f"{costs} / counted\n" in err
    warned = [line for line in out.splitlines() if "Memory was not measured: no such system" in line]
    assert warned == [f"  warning: Memory was not measured: no such system ({costs} / none and 1 more)"]
    records = [json.loads((tmp_path / "out" / cell["name"] / "run.json").read_text()) for cell in cells]
    assert [stage["stage"] for stage in records[-1]["stages"]] == ["hallucinate"]
    assert [s["stage"] for s in records[0]["stages"]] == ["hallucinate", "align", "embed", "align", "embed"]
    assert records[-1]["data"]["official"] is None


def test_exceptions_decide_the_recogniser_of_the_common_cell(
    bench: Bench, toys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.evaluation.efficiency.passes.measure", lambda ask: TimingResult((10.0, 12.0), 40.0))
    study = tmp_path / "bench.toml"
    study.write_text(
        'protocols = ["efficiency:batches=[1]"]\nhallucinators = ["none"]\nrecognisers = ["pixels", "pixels:side=8"]\n'
        '[[cell]]\nrecogniser = "pixels"\nexclude = true\n[[cell]]\nrecogniser = "pixels:side=8"\nalign = "none"\n'
    )
    assert bench("run", study, "--out", tmp_path / "one")[0] == 0
    assert [cell["name"].rpartition("__")[2] for cell in study_of(tmp_path / "one")["cells"]] == ["pixels-side=8"]
    study.write_text(study.read_text().replace("exclude = true", "seed = 5"))
    assert bench("run", study, "--out", tmp_path / "two")[0] == 0
    assert len(study_of(tmp_path / "two")["cells"]) == 2, "another seed is another run"


def test_a_protocol_with_recognises_false_must_read_such_a_study(
    bench: Bench, toys: Any, command: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toys.protocol, "recognises", False)
    code, _, err = bench(*command, "--recogniser", "pixels")
    assert code == 1
    assert "says recognises=False, but its study is of the kind identification" in err
