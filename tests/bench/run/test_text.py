"""What is about to be measured, as it is printed before a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from bench.run.text import describe_run
from bench.studies import EfficiencySet, ExpressionSet
from bench.types import IdentificationSet, Media


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
