"""Whether a run is a result is decided by counts and digests; edited flags in ``run.json`` have no effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.execution.standing import published_counts, standing_of
from bench.interfaces import PROTOCOLS
from bench.registry import load_plugins
from bench.results import RoleLedger, RunResult
from bench.results.folder import changes_since_run, read_run

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def quick(bench: Bench, small_tinyface: Path, tmp_path: Path) -> Path:
    out = tmp_path / "runs" / "quick"
    code, _, err = bench(
        "run", "--protocol", "tinyface", "--data-root", small_tinyface, "--limit", 6, "--out", out, "--images", "none"
    )
    assert code == 0, err
    return out


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


def whitewash(record: dict[str, Any]) -> None:
    """All that says that a run is limited or not official, made to say that it is a result."""
    record.update(smoke=False, sample=False, limit=None)
    record["config"].update(limit=None, limit_gallery=None)
    record["data"].update(official=True, notes=[])


def test_edited_flags_make_no_result(bench: Bench, quick: Path, tmp_path: Path) -> None:
    assert changes_since_run(quick) == ""
    edit(quick, whitewash)
    code, out, _ = bench("score", quick)
    assert code == 0 and "*** NOT CONFIRMED: run.json was changed after the run ***" in out
    flat = json.loads(bench("score", quick, "--json")[1])
    assert flat["official"] is False and flat["not_confirmed"] == ["run.json was changed after the run"]
    code, _, err = bench("report", quick, "--out", tmp_path / "report")
    assert code == 0, err
    for name in ("index.html", "report.md", "summary.csv", "report.json"):
        assert "NOT CONFIRMED" in (tmp_path / "report" / name).read_text(), name
    code, out, _ = bench("leaderboard", quick.parent)
    assert code == 0 and "NOT the official set" in out and "quick is not confirmed: run.json was changed" in out
    board = json.loads(bench("leaderboard", quick.parent, "--json")[1])["boards"][0]
    assert board["official"] is False and board["lines"][0]["place"] is None


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.update(smoke=False),
        lambda r: r.update(smoke=False, limit=None),
        lambda r: (r.update(smoke=False, limit=None), r["config"].update(limit=None)),
    ],
)
def test_a_limited_run_stays_one_while_anything_says_so(bench: Bench, quick: Path, change: Any) -> None:
    edit(quick, change)
    edit(quick, lambda r: r.pop("seal"))
    assert json.loads(bench("score", quick, "--json")[1])["smoke"] is True
    assert "SMOKE RUN" in bench("score", quick)[1]


def test_a_run_without_its_seal_is_never_official_nor_ranked(bench: Bench, quick: Path) -> None:
    edit(quick, whitewash)
    edit(quick, lambda r: r.pop("seal"))
    flat = json.loads(bench("score", quick, "--json")[1])
    assert flat["official"] is False and "has no seal" in flat["not_confirmed"][0]
    board = json.loads(bench("leaderboard", quick.parent, "--json")[1])["boards"][0]
    assert board["lines"][0]["place"] is None


def test_the_seal_holds_rows_and_files_and_leaves_the_label_and_places_free(quick: Path) -> None:
    edit(quick, lambda r: (r.update(label="my net"), r["data"].update(root="/elsewhere"), r["config"].update(out="x")))
    assert changes_since_run(quick) == ""
    ledger = quick / "ledger.csv"
    before = ledger.read_text()
    ledger.write_text(before + "a,probe,failed,decode,x\n")
    assert changes_since_run(quick) == "ledger.csv was changed after the run"
    ledger.write_text(before)
    assert changes_since_run(quick) == ""
    (quick / "per_item.csv").write_text("key\n")
    assert changes_since_run(quick) == "per_item.csv was changed after the run"


def published(result: RunResult, **changes: Any) -> RunResult:
    """The run as one of the whole published TinyFace would say it, with other counts where given."""
    counts = {"probe": 3728, "gallery": 4443, "distractor": 153_428, "probe identities": 2569, **changes}
    data = {**result.record.data, "official": True, "counts": counts, "notes": []}
    config = {**result.record.config, "limit": None}
    return replace(
        result,
        record=replace(result.record, smoke=False, sample=False, limit=None, data=data, config=config, ledger={}),
    )


def test_official_is_what_has_the_published_counts(quick: Path) -> None:
    whole = published(read_run(quick))
    rows = tuple(replace(whole.probes[0], key=f"k{i}", template=f"k{i}", identity=f"p{i % 2569}") for i in range(3728))
    whole = replace(whole, probes=rows)
    assert standing_of(whole).official is True and not standing_of(whole).doubts
    few = standing_of(published(replace(whole, probes=rows[:24]), probe=24))
    assert few.official is False and "it has 24 of 3,728 probe" in few.doubts[0] and not few.changed
    lost = standing_of(replace(whole, probes=rows[:500]))
    assert lost.official is False and "of 2,569 probe identities" in lost.doubts[0]


def test_counts_ledger_and_rows_of_an_official_run_must_agree(quick: Path) -> None:
    result = read_run(quick)
    assert not standing_of(result).doubts
    whole = published(result)
    rows = tuple(replace(result.probes[0], key=f"k{i}", identity=f"p{i % 2569}") for i in range(3728))
    ledger = {"probe": RoleLedger(24, 24, 0, 0, {})}
    odd = replace(whole, record=replace(whole.record, ledger=ledger), probes=rows)
    assert "it counts 3,728 probe images, and its ledger 24" in standing_of(odd).doubts[0]
    more = replace(whole, probes=(*rows, replace(rows[0], key="one more", template="one more")) * 2)
    assert standing_of(more).official is False


def test_no_set_is_published_only_where_the_protocol_declares_none(quick: Path) -> None:
    result = read_run(quick)
    data = {**result.record.data, "official": None}
    assert standing_of(replace(result, record=replace(result.record, data=data))).official is False
    rules = {**result.record.protocol, "name": "efficiency", "arguments": {}}
    free = replace(result, record=replace(result.record, data=data, protocol=rules))
    assert standing_of(free).official is None


def test_every_protocol_with_published_counts_declares_whole_numbers() -> None:
    load_plugins()
    declared = {entry.name: published_counts({"name": entry.name, "arguments": {}}) for entry in PROTOCOLS}
    named = {name for name, counts in declared.items() if counts}
    assert {"tinyface", "lfw", "cfp", "celeba", "mmi", "dronesurf", "multipie", "ijbc", "restoration"} <= named
    for counts in declared.values():
        assert all(isinstance(number, int) and number > 0 for number in (counts or {}).values())
    assert published_counts({"name": "lfw", "arguments": {"task": "verification"}}) == {
        "pairs": 6000,
        "same pairs": 3000,
    }
    assert published_counts({"name": "nobody's"}) is None
