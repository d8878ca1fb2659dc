"""What `bench run` prints of runs of every kind."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.efficiency import EfficiencySet
from bench.results import Figure, RoleLedger, RunRecord, RunResult, StageRecord
from bench.results.text import describe_run, print_check, print_figures
from bench.studies import ExpressionSet
from bench.types import CheckLine, IdentificationSet, Media


def figure(value: float, n: int, unit: str = "fraction", without: int | None = None) -> Figure:
    return Figure(value, n, None, None, "none", value, n if without is None else without, unit)


def result(kind: str, metrics: dict[str, Figure], **rules: Any) -> RunResult:
    record = RunRecord(
        bench_version="1",
        label="net",
        created="2026",
        smoke=False,
        limit=None,
        sample=False,
        config={},
        config_digest="",
        protocol={"name": kind, **({} if kind == "identification" else {"kind": kind}), **rules},
        data={"name": "data", "counts": {"probe identities": 7}},
        stages=(StageRecord("embed", "gallery", "sface", "1", {}, ()),),
        metrics=metrics,
        ledger={"probe": RoleLedger(9, 8, 0, 1, {"decode: x": 1}), "gallery": RoleLedger(0, 0, 0, 0, {})},
        warnings=(),
        timings={},
        environment={},
        seed=0,
    )
    return RunResult(record, (), ())


def test_a_search_counts_a_failed_probe_as_a_miss(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("identification", {"rank-1": figure(0.5, 9, without=8)}))
    out = capsys.readouterr().out
    assert "(sface)" in out and "50.00% of 8" in out
    assert "  n counts probes, of 7 identities; a failed probe counts as a miss\n" in out


def test_many_figures_are_grouped_and_the_whole_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    base = {"psnr_db": figure(21.5, 8, "dB"), "landmark_error": figure(0.2, 4), "landmarks_found": figure(0.5, 9)}
    parts = {f"{name} (yaw {yaw})": f for yaw in (0, 22, 40, 55, 75) for name, f in base.items()}
    print_figures(result("restoration", base | parts, items="faces"))
    out = capsys.readouterr().out
    assert re.search(r"\n  psnr_db +21.50 dB  none +8\n", out)
    assert "\n  yaw 22: psnr_db 21.50 dB, landmark_error 20.00%, landmarks_found 50.00%\n" in out
    assert "without failures" not in out
    assert "n counts faces" in out and "a failed face has no part in a mean" in out
    assert "probe counts as a miss" not in out


def test_few_figures_are_printed_one_a_line_parts_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("identification", {"rank-1": figure(0.5, 9), "rank-1 (G1)": figure(0.25, 4)}))
    assert "\n  rank-1 (G1)  25.00%  none" in capsys.readouterr().out


def test_costs_have_no_recogniser_no_people_and_no_misses(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"parameters": figure(26_500_000, 1, "count"), "ms@batch=1": figure(12.345, 30, "ms")}
    print_figures(result("efficiency", found, items="measurements"))
    out = capsys.readouterr().out
    assert "26,500,000" in out and "12.35 ms" in out and re.search(r"12.35 ms +none +30\n", out)
    for word in ("sface", "identities", "miss", "gallery"):
        assert word not in out


def test_expressions_are_told_by_a_classifier(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("expression", {"uar": figure(0.5, 9)}, items="faces", classifier={"name": "vgg"}))
    out = capsys.readouterr().out
    assert "(vgg)" in out and "sface" not in out and "a failed face counts as a miss" in out


def test_pairs_with_a_failed_template_are_errors(capsys: pytest.CaptureFixture[str]) -> None:
    print_figures(result("verification", {"accuracy": replace(figure(0.5, 9), without_failures=None)}, items="pairs"))
    out = capsys.readouterr().out
    assert "n counts pairs" in out and "a pair with a failed template counts as an error" in out
    assert "none was scored" in out and "no probe" not in out


def prepared(data: Any) -> Any:
    component = SimpleNamespace(dataset="faces")
    config = SimpleNamespace(protocol="p", hallucinator="net", hallucinate="probe", recogniser="sface", device="cpu")
    plan = SimpleNamespace(align="landmarks")
    return SimpleNamespace(
        data=data,
        media=data.media,
        sample=False,
        config=config,
        root="/data",
        protocol=SimpleNamespace(component=component),
        probe_plan=plan,
        gallery_plan=plan,
        side="probe",
        arrangement=SimpleNamespace(notes=("frame=lr was picked.",), warnings=("It does not fit.",)),
    )


def test_what_is_about_to_be_measured_is_told_by_kind(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k", attributes={"expression": "glad"})
    costs = describe_run(prepared(EfficiencySet((face,), batches=(1,))))
    assert costs.startswith("p: 1 probe images drawn by the suite\nhallucinator net\n")
    assert "picked: frame=lr was picked.\nwarning: It does not fit." in costs
    told = describe_run(prepared(ExpressionSet((face,), (face,), ("glad",), {"p": 0})))
    assert (
        "hallucinator net on probe\n" in told and "sface" not in told and told.count("Not the official faces set") == 1
    )
    search = describe_run(prepared(IdentificationSet((face,), (face,))))
    assert "recogniser sface, alignment landmarks (gallery landmarks)" in search and "0 distractor" in search
    assert np.all([word not in costs for word in ("official", "sface", "/data")])


def test_that_data_are_not_the_official_set_is_said_once(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k")
    run = prepared(IdentificationSet((face,), (face,), notes=("Not the official test set: 1 of 9 probes.", "Other.")))
    text = describe_run(run)
    assert text.count("official") == 1 and "note: Not the official test set: 1 of 9 probes.\nnote: Other." in text
    run.sample = True
    text = describe_run(run)
    assert "official" not in text and text.startswith("*** SAMPLE DATA, not faces") and "note: Other." in text


def test_a_study_says_banners_and_notes_once(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k")
    run = prepared(IdentificationSet((face,), (face,), notes=("Other.",)))
    said: set[str] = set()
    first, again = describe_run(run, said), describe_run(run, said)
    assert "note: Other." in first and "Not the official faces set" in first
    assert "note:" not in again and "hallucinator net" in again
    run.data = IdentificationSet((face,), (face,), notes=("New.",))
    assert describe_run(run, said).endswith("\nnote: New.")


@pytest.mark.parametrize(
    ("expected", "level", "words"),
    [
        ("5,749", "ok", "the official set, whole"),
        ("5,749", "differs", "usable, but NOT the official set"),
        ("none", "ok", "nothing is wrong; no set is published to compare with"),
        ("", "differs", "usable; no set is published to compare with"),
        ("none", "damaged", "damaged: mend what is marked before a run"),
    ],
)
def test_a_check_calls_official_only_what_is_published(
    capsys: pytest.CaptureFixture[str], expected: str, level: Any, words: str
) -> None:
    print_check("any", Path("root"), [CheckLine("ok", "files", "7", expected)], level)
    assert f"verdict: {words}\n" in capsys.readouterr().out
