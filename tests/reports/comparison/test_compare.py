"""Two runs, figure by figure: differences by hand, what is refused, exit codes, what differs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.errors import DataError, UsageError
from reports.comparison.compare import compare_runs, judge_gates, parse_gates
from reports.comparison.text import to_lines, to_object
from reports.text.tables import signed


def names(i: int) -> tuple[str, str]:
    return f"k{i}", f"p{i // 2}"


@pytest.fixture
def two(make_run: Any) -> tuple[Path, Path]:
    base = make_run("base", ranks=[1, 1, 2, 2, 2, 9, None, 5], names=names, images=False)
    other = make_run("other", label="net", ranks=[2, 1, 1, 1, 1, 1, 1, None], names=names, images=False)
    return base, other


def test_the_difference_is_the_second_less_the_first_worked_by_hand(two: tuple[Path, Path]) -> None:
    result = {c.name: c for c in compare_runs(*two).figures}
    first = result["rank-1"]  # 2 of 8, then 6 of 8; only the second 5, only the first 1
    assert first.difference == pytest.approx(0.5)
    assert first.first and first.second and (first.first.value, first.second.value) == (0.25, 0.75)
    assert first.mcnemar and first.mcnemar.p_value == pytest.approx(2 * (1 + 6) / 2**6)
    # people: (-1 + 0), (1 + 1), (1 + 1), (1 + 0): 4 of 4; of the 16 patterns of signs, sums of 4 or more
    sums = [abs(-a + 2 * b + 2 * c + d) for a in (1, -1) for b in (1, -1) for c in (1, -1) for d in (1, -1)]
    assert first.by_identity and first.by_identity.p_value == pytest.approx(sum(s >= 4 for s in sums) / 16)
    assert first.interval and first.interval.low is not None and first.interval.low <= 0.5
    assert (first.paired, first.unshared) == (8, 0)
    five = result["rank-5"]  # 6 of 8, then 7 of 8: the ninth and the failed one are found, the last is lost
    assert five.difference == pytest.approx(1 / 8) and five.mcnemar and five.mcnemar.only_first == 2


def test_every_value_shown_is_that_of_run_json(two: tuple[Path, Path]) -> None:
    shown: Any = to_object(compare_runs(*two), [])
    for side, folder in zip(("first", "second"), two, strict=True):
        metrics = json.loads((folder / "run.json").read_text())["metrics"]
        assert {row["figure"] for row in shown["figures"]} == set(metrics)
        for row in shown["figures"]:
            assert row[side] == {key: metrics[row["figure"]][key] for key in ("value", "low", "high", "n")}


@pytest.mark.parametrize(
    ("kind", "paired", "unpaired"),
    [
        ("restoration", {"psnr_db", "ssim", "psnr_db (yaw 22)", "landmarks_found"}, {"failed_faces"}),
        ("expression", {"accuracy", "recall (glad)", "accuracy (bicubic)"}, {"uar"}),
        ("verification", {"accuracy"}, {"eer", "auc"}),
        ("efficiency", set(), {"parameters", "ms@batch=1"}),
    ],
)
def test_figures_of_other_kinds_are_paired_where_they_are_means_of_rows(
    make_other: Any, kind: str, paired: set[str], unpaired: set[str]
) -> None:
    one, two = make_other("a", kind), make_other("b", kind, label="net", quality=1.0)
    result = {c.name: c for c in compare_runs(one, two).figures}
    assert paired <= {name for name, c in result.items() if c.interval}
    assert unpaired <= {name for name, c in result.items() if not c.interval}
    for c in result.values():
        assert c.first and c.second and c.difference == pytest.approx(c.second.value - c.first.value)
    if kind == "restoration":  # every finite PSNR is 1 dB more, but the face whose PSNR has no end
        assert result["psnr_db"].difference == pytest.approx(1.0) and result["psnr_db"].paired == 6


def test_runs_measured_otherwise_are_refused_and_all_reasons_are_reported(
    two: tuple[Path, Path], make_run: Any
) -> None:
    other = make_run(
        "odd", names=names, protocol={"version": "2", "flip": True}, data={"digest": "an0ther"}, images=False
    )
    with pytest.raises(UsageError) as caught:
        compare_runs(two[0], other)
    for word in ('protocol version: "1" and "2"', "protocol flip", 'data digest: "d1gest" and "an0ther"'):
        assert word in str(caught.value)


def test_damaged_smoke_equal_and_old_runs_are_refused(two: tuple[Path, Path], make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are one run"):
        compare_runs(two[0], two[0])
    with pytest.raises(UsageError, match="Smoke runs"):
        compare_runs(two[0], make_run("smoke", smoke=True, limit=3, images=False))
    old = json.loads((two[1] / "run.json").read_text())
    (two[1] / "run.json").write_text(json.dumps({**old, "schema_version": 0}))
    with pytest.raises(DataError, match="schema version 0"):
        compare_runs(*two)
    (two[1] / "run.json").write_text("{")
    with pytest.raises(DataError, match="other cannot be compared.*is damaged"):
        compare_runs(*two)
    assert main(["compare", str(two[0]), str(tmp_path / "nowhere")]) == 3


def test_a_gate_fails_only_past_its_points(two: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    better, worse = [str(two[0]), str(two[1])], [str(two[1]), str(two[0])]
    assert main(["compare", *better, "--fail-below", "rank-1=0"]) == 0
    assert main(["compare", *worse, "--fail-below", "rank-1=50"]) == 0
    assert main(["compare", *worse, "--fail-below", "rank-1=49.9"]) == 1
    assert "FAILED: rank-1 is 50 worse; allowed: 49.9 worse" in capsys.readouterr().out
    assert main(["compare", *worse, "--fail-below", "rank-1=90", "--fail-below", "rank-5=1", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [(g["figure"], g["change"], g["failed"]) for g in shown["gates"]] == [
        ("rank-1", -50.0, False),
        ("rank-5", -12.5, True),
    ]


@pytest.mark.parametrize("text", ["rank-1", "rank-1=", "rank-1=-1", "rank-1=nan", "=1", "rank-7=1"])
def test_a_gate_that_cannot_be_evaluated_is_wrong_usage(two: tuple[Path, Path], text: str) -> None:
    assert main(["compare", *map(str, two), "--fail-below", text]) == 2


def test_what_is_better_lower_fails_when_it_rises(make_other: Any) -> None:
    slow, fast = make_other("a", "efficiency"), make_other("b", "efficiency", label="net", quality=1.0)
    (gate,) = judge_gates(compare_runs(fast, slow), parse_gates(["ms@batch=1=0.5"]))
    assert gate.failed and gate.change == pytest.approx(-1.0)
    (gate,) = judge_gates(compare_runs(slow, fast), parse_gates(["ms@batch=1=0"]))
    assert not gate.failed


def test_what_differs_in_the_configurations_is_reported(make_run: Any) -> None:
    one = make_run("a", images=False)
    two = make_run("b", label="net", recogniser="dlib", images=False, seed=0, bench_version="0.2.0", config_digest="d1")
    result = {d.what: (d.first, d.second) for d in compare_runs(one, two).differs}
    assert result["hallucinator"] == ("none", "net") and result["recogniser"] == ("sface", "dlib")
    assert result["version of the suite"] == ("0.1.0", "0.2.0") and result["configuration digest"] == ("c0ffee", "d1")
    assert "5ace" in result["stage embed (probe)"][0]
    code = make_run("c", images=False, config_digest="0ther", environment={"commit": "1234567"})
    messages = {d.what for d in compare_runs(one, code).differs}
    assert any("source code of a component" in what for what in messages) and "commit" in messages


def test_code_that_differs_is_named_by_its_modules(make_run: Any) -> None:
    code = {"bench.metrics.search.ranking": "a" * 16, "bench.pipeline.templates": "b" * 16}
    one = make_run("a", images=False, code=code)
    two = make_run("b", images=False, code={**code, "bench.metrics.search.ranking": "c" * 16})
    result = {d.what: (d.first, d.second) for d in compare_runs(one, two).differs}
    assert result["code of bench.metrics.search.ranking"] == ("a" * 16, "c" * 16)
    assert not [what for what in result if "templates" in what or "configuration" in what]


def test_hostile_names_never_steer_the_terminal(make_run: Any) -> None:
    label = "\x1b[2J\x9b31m\u202e\n*** fine ***"
    one = make_run("a", label=label, images=False)
    two = make_run("b", label=label + "2", images=False, data={"name": label}, environment={label: label})
    with pytest.raises(UsageError) as caught:
        compare_runs(one, two)
    assert "\x1b" not in str(caught.value)
    two = make_run("c", label=label + "2", images=False, environment={label: label}, config_digest=label)
    for line in to_lines(compare_runs(one, two), []):
        assert not set(line) & set("\x1b\x9b\u202e\n")


def test_a_difference_has_its_sign() -> None:
    assert [signed(value, "fraction") for value in (0.013, -0.0065, 0.0, None)] == ["+1.30", "−0.65", "0.00", "–"]


def test_a_comparison_needs_no_torch(two: tuple[Path, Path]) -> None:
    script = "import sys; from bench.__main__ import main; main(['compare', *sys.argv[1:]])\n"
    script += "print(sorted({'torch', 'cv2', 'pandas', 'matplotlib'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script, *two], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
