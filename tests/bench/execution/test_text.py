"""What is printed of a run: before it, what is measured; after it, a table of figures and a sentence on the first."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.execution.text import describe_run, figure_lines, figure_name, in_words
from bench.results import Figure
from bench.studies import EfficiencySet, ExpressionSet
from bench.types import IdentificationSet, Media
from tests.bench.run_records import run_record


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


def test_what_is_about_to_be_measured_is_reported_by_kind(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k", attributes={"expression": "glad"})
    costs = describe_run(prepared(EfficiencySet((face,), batches=(1,))))
    assert costs.startswith("p: 1 probe images drawn by the suite\nhallucinator net\n")
    assert "picked: frame=lr was picked.\nwarning: It does not fit." in costs
    messages = describe_run(prepared(ExpressionSet((face,), (face,), ("glad",), {"p": 0})))
    assert (
        "hallucinator net on probe\n" in messages
        and "sface" not in messages
        and messages.count("Not the official faces set") == 1
    )
    search = describe_run(prepared(IdentificationSet((face,), (face,))))
    assert "recogniser sface, alignment landmarks (gallery landmarks)" in search and "0 distractor" in search
    assert np.all([absent not in costs for absent in ("official", "sface", "/data")])


def test_that_data_are_not_the_official_set_is_reported_once(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k")
    run = prepared(IdentificationSet((face,), (face,), notes=("Not the official test set: 1 of 9 probes.", "Other.")))
    text = describe_run(run)
    assert text.count("official") == 1 and "note: Not the official test set: 1 of 9 probes.\nnote: Other." in text
    run.sample = True
    text = describe_run(run)
    assert "official" not in text and text.startswith("*** SAMPLE DATA, not faces") and "note: Other." in text


def test_an_experiment_prints_banners_and_notes_once(tmp_path: Any) -> None:
    face = Media("k", tmp_path / "k.png", "probe", "p", "k")
    run = prepared(IdentificationSet((face,), (face,), notes=("Other.",)))
    message: set[str] = set()
    first, again = describe_run(run, message), describe_run(run, message)
    assert "note: Other." in first and "Not the official faces set" in first
    assert "note:" not in again and "hallucinator net" in again
    run.data = IdentificationSet((face,), (face,), notes=("New.",))
    assert describe_run(run, message).endswith("\nnote: New.")


def figure(value: float, n: int, unit: str = "fraction", without: int | None = None) -> Figure:
    return Figure(value, n, value / 2, value, "bootstrap", value, n if without is None else without, unit)


def test_a_search_without_failures_is_a_plain_table_and_a_sentence() -> None:
    lines = figure_lines(run_record("identification", {"rank-1": figure(42 / 248, 248), "map": figure(0.1472, 248)}))
    assert lines == [
        "figure   value  95 % interval     n",
        "rank-1  16.94%  8.47% - 16.94%  248",
        "mAP     14.72%  7.36% - 14.72%  248",
        "42 of 248 probes found their person first in the gallery.",
        "n counts probes, of 7 identities; a failed probe counts as a miss",
    ]


def test_a_failure_adds_the_figure_without_it() -> None:
    lines = figure_lines(run_record("identification", {"rank-1": figure(0.5, 8, without=6)}))
    assert lines[0].endswith("n  without failures")
    assert lines[1].endswith("8  50.00% of 6")
    nobody = replace(figure(0.0, 8), without_failures=None, n_without_failures=0)
    assert figure_lines(run_record("identification", {"rank-1": nobody}))[1].endswith("no probe was scored")


def test_a_mean_that_leaves_faces_out_adds_no_column() -> None:
    lines = figure_lines(run_record("restoration", {"psnr_db": figure(21.5, 8, "dB", without=6)}, items="faces"))
    assert "without" not in lines[0]


@pytest.mark.parametrize(
    ("kind", "metrics", "expected_sentence"),
    [
        ("identification", {"rank-1": figure(0.171, 248)}, "17.1% of 248 probes found their person first"),
        ("identification", {"tpir@fpir=0.01 (G1)": figure(0.5, 8)}, ""),
        ("verification", {"accuracy": figure(0.955, 6000)}, "95.5% of 6,000 pairs were judged right"),
        ("expression", {"accuracy": figure(0.5, 10)}, "5 of 10 faces were given the expression"),
        ("restoration", {"psnr_db": figure(21.5, 8, "dB")}, "8 faces are 21.50 dB PSNR from the true ones"),
        ("efficiency", {"ms@batch=8": figure(12.3, 30, "ms")}, "12.3 ms in batches of 8"),
    ],
)  # fmt: skip
def test_the_first_figure_is_explained_in_a_sentence(
    kind: str, metrics: dict[str, Figure], expected_sentence: str
) -> None:
    sentence = in_words(run_record(kind, metrics))
    assert expected_sentence in sentence if expected_sentence else sentence == ""


def test_map_is_written_as_literature_does() -> None:
    assert [figure_name(name) for name in ("map", "map (G1)", "rank-1")] == ["mAP", "mAP (G1)", "rank-1"]
