"""`bench run --protocol efficiency`: figures with units from stored measurements, and reported failures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.evaluation.efficiency import measure, passes
from bench.evaluation.efficiency.figures import figures_of
from bench.evaluation.efficiency.load import OtherLoad
from bench.evaluation.efficiency.passes import TimingRequest, TimingResult
from bench.results import ItemRow
from bench.results.folder import read_run

Bench = Callable[..., tuple[int, str, str]]
GOOD = TimingResult(
    (10.0, 12.0, 11.0), 40.0, "resident memory", (100, 60, "counted", ("face.task",)), (("ok", "", ""),)
)


def run(bench: Bench, out: Path, protocol: str = "efficiency:batches=[1,2]", *more: object) -> tuple[int, str, str]:
    return bench("run", "--protocol", protocol, "--hallucinator", "bicubic", "--out", out, *more)


def answers(monkeypatch: pytest.MonkeyPatch, give: Callable[[TimingRequest], TimingResult]) -> None:
    """Measure nothing, and say what a test says."""
    monkeypatch.setattr(passes, "measure", give)


def test_a_chain_is_measured_on_drawn_faces_without_data(bench: Bench, tmp_path: Path) -> None:
    code, out, err = run(bench, tmp_path / "run", "efficiency:batches=[1,4],repeats=5,lr=32")
    assert code == 0, err
    result = read_run(tmp_path / "run")
    metrics = result.record.metrics
    assert metrics["parameters"].value == 0 and metrics["parameters"].unit == "count"
    for batch in (1, 4):
        spent = [i.values["ms"] for i in result.items if i.values.get("batch") == batch and "ms" in i.values]
        figure = metrics[f"ms@batch={batch}"]
        assert len(spent) == figure.n == 5 and figure.value == statistics.median(map(float, spent))
        assert figure.unit == "ms" and figure.low is not None and figure.low <= figure.value <= (figure.high or 0)
        assert metrics[f"peak-mib@batch={batch}"].unit == "MiB"
    assert "drawn" in " ".join(result.record.data["notes"]) and not result.record.sample
    assert "SAMPLE" not in out and "peak-mib@batch=4" in out
    assert result.record.data["counts"]["probe"] == 4
    assert result.record.protocol["cores"] == 1

    code, out, err = bench("score", tmp_path / "run")
    assert code == 0 and read_run(tmp_path / "run").record.metrics == metrics
    code, out, err = run(bench, tmp_path / "run", "efficiency:batches=[1,4],repeats=5,lr=32")
    assert code == 0 and "Nothing to do" in err


def test_more_cores_are_another_run_and_threads_are_refused(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[TimingRequest] = []
    answers(monkeypatch, lambda ask: requested.append(ask) or GOOD)  # type: ignore[func-returns-value]
    assert run(bench, tmp_path / "one")[0] == 0
    code, _, err = run(bench, tmp_path / "one", "efficiency:batches=[1,2],cores=2")
    assert code == 1 and "another configuration" in err
    code, _, err = run(bench, tmp_path / "two", "efficiency:batches=[1,2]", "--threads", 2)
    assert code == 2 and "efficiency:cores=2" in err
    code, _, err = run(bench, tmp_path / "two", "efficiency:batches=[1,2]", "--hallucinate", "gallery")
    assert code == 2 and "an efficiency run has no gallery" in err
    assert run(bench, tmp_path / "two", "efficiency:batches=[1,2],cores=2", "--threads", 2)[0] == 0
    assert [ask.cores for ask in requested] == [1, 1, 2, 2]
    assert [len(ask.faces) for ask in requested] == [1, 2, 1, 2]


def test_a_failed_batch_is_reported_and_the_other_is_kept(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, lambda ask: GOOD if len(ask.faces) == 1 else TimingResult(failure="signal SIGKILL"))
    code, out, err = run(bench, tmp_path / "run")
    assert code == 0, err
    result = read_run(tmp_path / "run")
    assert set(result.record.metrics) == {"parameters", "parameters-used", "ms@batch=1", "peak-mib@batch=1"}
    assert result.record.metrics["ms@batch=1"].value == 11.0
    assert "Batch 2 has no figures: signal SIGKILL." in result.record.warnings
    assert any("face.task" in warning for warning in result.record.warnings)
    assert [(row.key, row.status) for row in result.ledger] == [("0001.png", "failed")]
    assert [item.reason for item in result.items if item.status == "failed"] == ["signal SIGKILL"]


def test_a_hallucinator_that_fails_in_every_batch_is_an_error_with_the_reasons(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, lambda ask: TimingResult(failure="exit code 7: no luck"))
    code, out, err = run(bench, tmp_path / "run")
    assert code == 1 and "batch 1: exit code 7: no luck" in err and not (tmp_path / "run").exists()


def test_an_unknown_quantity_is_reported(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blind = TimingResult((1.0, 2.0), None, "no such system", (None, None, "x: out of reach", ()), (("ok", "", ""),) * 2)
    answers(monkeypatch, lambda ask: blind)
    code, out, err = run(bench, tmp_path / "run", "efficiency:batches=[2]")
    assert code == 0, err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert set(record["metrics"]) == {"ms@batch=2"} and record["metrics"]["ms@batch=2"]["value"] == 0.75
    assert any("cannot be known: x: out of reach" in text for text in record["warnings"])
    assert any("Memory was not measured: no such system" in text for text in record["warnings"])


def test_a_smoke_run_has_fewer_repeats(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[TimingRequest] = []
    answers(monkeypatch, lambda ask: requested.append(ask) or GOOD)  # type: ignore[func-returns-value]
    code, out, err = run(bench, tmp_path / "run", "efficiency:batches=[1]", "--limit", 2)
    assert code == 0 and "SMOKE" in out and requested[0].repeats == 2


@pytest.mark.parametrize(
    ("others", "cores", "warned"), [(0.19, 2, False), (0.2, 2, True), (0.4, 1, False), (0.5, 1, True)]
)
def test_load_of_other_processes_is_a_warning_and_that_of_the_run_is_not(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: float, cores: int, warned: bool
) -> None:
    class FixedLoad(OtherLoad):
        def __exit__(self, *_: object) -> None:
            self.cores = others

    monkeypatch.setattr(measure, "OtherLoad", FixedLoad)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    answers(monkeypatch, lambda ask: GOOD)
    assert run(bench, tmp_path / "run", f"efficiency:batches=[1],cores={cores}")[0] == 0
    warnings = [text for text in read_run(tmp_path / "run").record.warnings if text.startswith("Other processes")]
    assert warnings == ([f"Other processes used {others:.1f} of 2 cores (mean): times are longer than on an idle "
                     "machine."] if warned else [])  # fmt: skip


def test_measurements_without_figures_are_refused() -> None:
    with pytest.raises(DataError):
        figures_of([ItemRow("batch=1", "", "failed", "hallucinate", "no", {"batch": 1.0})], seed=0)
