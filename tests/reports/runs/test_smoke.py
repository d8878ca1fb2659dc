"""Smoke runs side by side: on the same probes, under the banner, never ranked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import reports
from bench.__main__ import main
from bench.errors import UsageError

BANNER = "SMOKE RUN - not a result"
QUICK: dict[str, Any] = {"smoke": True, "limit": 24, "images": False}


@pytest.fixture
def quick(make_run: Any) -> list[Path]:
    return [make_run("lr", **QUICK), make_run("net", label="net", quality=0.6, **QUICK)]


def test_smoke_runs_on_the_same_probes_are_compared_under_the_banner_on_every_page(
    quick: list[Path], tmp_path: Path
) -> None:
    reports.build(quick, tmp_path / "out")
    for name in ("index.html", "report.md", "summary.csv", "paired.csv", "report.json"):
        assert BANNER in (tmp_path / "out" / name).read_text(encoding="utf-8"), name
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["banners"] == [BANNER] and len(report["sections"][0]["comparisons"]) == 1


def test_two_smoke_runs_are_compared_in_the_terminal_and_as_json(
    quick: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *map(str, quick)]) == 0
    assert capsys.readouterr().out.startswith(f"*** {BANNER} ***")
    assert main(["compare", *map(str, quick), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["banners"] == [BANNER]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"limit": 12}, "different limits.* has --limit 24, .* has --limit 12"),
        ({"limit_gallery": 5}, "has --limit 24 --limit-gallery 5"),
        ({"names": lambda i: (f"Probe/other_{i}.jpg", f"p{i % 8}")}, "not on the same probes.*keys of their rows"),
        ({"data": {"digest": "other"}}, "not on the same probes.*digest of their images"),
        ({"smoke": False, "limit": None}, "measure only some of the probes.*not compared with full runs"),
    ],
)
def test_smoke_runs_that_are_not_on_the_same_probes_are_refused(
    quick: list[Path], make_run: Any, tmp_path: Path, other: dict[str, Any], why: str
) -> None:
    odd = make_run("odd", label="odd", **{**QUICK, **other})
    with pytest.raises(UsageError, match=why):
        reports.build([quick[0], odd], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert main(["compare", str(quick[0]), str(odd)]) == 2


def test_pairs_of_other_folds_are_not_the_same_probes(make_other: Any, tmp_path: Path) -> None:
    limits = {"smoke": True, "limit": 60}
    one, other = (make_other(name, "verification", label=name, **limits) for name in ("one", "other"))
    reports.build([one, other], tmp_path / "out")
    import numpy as np

    arrays = dict(np.load(other / "arrays.npz"))
    np.savez_compressed(other / "arrays.npz", **{**arrays, "person": arrays["person"][::-1]})
    with pytest.raises(UsageError, match="not on the same probes"):
        reports.build([one, other], tmp_path / "again")
