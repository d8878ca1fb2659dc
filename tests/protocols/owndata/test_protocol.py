"""Runs on own data: equal figures by folder and table, failures, samples."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import DataError
from bench.execution.manifest import make_manifest, write_manifest
from bench.interfaces import PROTOCOLS
from bench.io.file_digests import digest_of
from bench.pipeline.build import build
from bench.registry import Spec
from bench.types import IdentificationSet
from protocols.owndata.protocol import Csv
from protocols.sample import SampleSummary

Bench = Callable[..., tuple[int, str, str]]
Written = Callable[..., tuple[Path, SampleSummary]]


def run(bench: Bench, protocol: str, root: Path, out: Path) -> dict[str, Any]:
    options = ("--align", "none", "--images", "none", "--threads", 1)
    code, _, err = bench("run", "--protocol", protocol, "--data-root", root, "--out", out, *options)
    assert code == 0, err
    record: dict[str, Any] = json.loads((out / "run.json").read_text())
    return record


def test_folder_and_table_give_equal_figures_to_the_last_digit(
    bench: Bench, faces: Path, table: str, tmp_path: Path
) -> None:
    by_folder = run(bench, "folder", faces, tmp_path / "folder")
    (faces / "faces.csv").write_text(table, encoding="utf-8")
    by_table = run(bench, "csv", faces, tmp_path / "csv")
    assert by_folder["metrics"] == by_table["metrics"]
    assert by_folder["data"]["official"] is None and by_folder["data"]["notes"] == []
    rows = [(tmp_path / name / "per_probe.csv").read_bytes() for name in ("folder", "csv")]
    assert rows[0] == rows[1]


def test_a_damaged_and_an_absent_picture_are_counted_misses(
    bench: Bench, faces: Path, table: str, tmp_path: Path
) -> None:
    (faces / "faces.csv").write_text(table, encoding="utf-8")
    (faces / "probe/ann/1.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (faces / "probe/bob/1.jpg").unlink()
    record = run(bench, "csv", faces, tmp_path / "out")
    assert record["metrics"]["rank-1"]["n"] == 6 and record["metrics"]["rank-1"]["n_without_failures"] == 4
    assert record["ledger"]["probe"]["failed"] == 2


@pytest.mark.parametrize("name", ["folder", "csv"])
def test_the_sample_passes_the_check_and_is_marked(name: str, sample: Written, bench: Bench) -> None:
    root, summary = sample(name, identities=3)
    assert dict(summary.counts) == {"gallery": 3, "probe": 6, "distractor": 3}
    code, out, err = bench("data", "check", name, root)
    assert code == 0, out + err
    if name == "csv":
        rows = list(csv.DictReader((root / "faces.csv").open()))
        assert {row["camera"] for row in rows} == {"", "door", "hall"}


def test_a_manifest_distinguishes_other_data(bench: Bench, faces: Path, tmp_path: Path) -> None:
    assert bench("data", "manifest", "folder", faces, "--out", tmp_path / "m.json")[0] == 0
    assert bench("data", "check", "folder", faces, "--manifest", tmp_path / "m.json")[0] == 0
    (faces / "probe/ann/1.jpg").unlink()
    assert bench("data", "check", "folder", faces, "--manifest", tmp_path / "m.json")[0] == 4


def test_a_manifest_is_read_as_a_table_with_equal_figures(bench: Bench, sample: Written, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(sample("csv", identities=3)[0], root)
    by_table = run(bench, "csv:lr=16", root, tmp_path / "table")
    assert bench("data", "manifest", "csv:lr=16", root, "--out", root / "m.json")[0] == 0
    by_manifest = run(bench, "csv:file=m.json", root, tmp_path / "manifest")
    assert by_table["metrics"] == by_manifest["metrics"]
    assert "The list is the manifest m.json of csv" in by_manifest["data"]["notes"][0]
    with pytest.raises(DataError, match="manifests with crop or lr"):
        Csv(file="m.json", lr=16).read(root)


@pytest.mark.parametrize("name", ["tinyface", "lfw"])
def test_a_manifest_of_another_protocol_gives_its_media(
    name: str, sample: Written, tmp_path: Path, bench: Bench
) -> None:
    root = tmp_path / "data"
    shutil.copytree(sample(name, identities=20)[0], root)
    protocol = PROTOCOLS[name].create()
    study = protocol.read(protocol.locate(root))
    assert isinstance(study, IdentificationSet)
    manifest = make_manifest(build(PROTOCOLS, Spec(name)), root, tmp_path, study, digests=False)
    write_manifest(root / "m.json", manifest)
    read = Csv(file="m.json").read(root)
    for before, after in zip(study.media.values(), read.media.values(), strict=True):
        assert sorted(before, key=lambda media: media.key) == list(after)


def test_a_manifest_that_is_no_search_or_leaves_the_root_is_refused(sample: Written, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(sample("csv", identities=3)[0], root)
    built = build(PROTOCOLS, Spec("csv"))
    manifest = make_manifest(built, root, tmp_path / "scratch", built.component.read(root), digests=False)

    def refusal(**changes: object) -> str:
        body = {key: value for key, value in {**manifest, **changes}.items() if key != "digest"}
        write_manifest(root / "m.json", {**body, "digest": digest_of(body)})
        with pytest.raises(DataError) as error:
            Csv(file="m.json").read(root)
        return str(error.value)

    assert "kind verification" in refusal(kind="verification")
    assert "of another layout" in refusal(compared={})
    first, *rest = manifest["media"]
    assert "1 paths outside the data root (media 1: '../x')" in refusal(media=[{**first, "path": "../x"}, *rest])
    assert "no files of the data set" in refusal(media=[{**first, "derived": True}, *rest])


def test_groups_and_yaw_are_reported_wherever_figures_are(bench: Bench, sample: Written, tmp_path: Path) -> None:
    root, _ = sample("csv", identities=3)
    record = run(bench, "csv", root, tmp_path / "run")
    names = {name for name in record["metrics"] if name.startswith("rank-1 (")}
    assert {"rank-1 (camera door)", "rank-1 (camera hall)"} < names and any("(yaw " in name for name in names)
    assert sum(record["metrics"][f"rank-1 (camera {camera})"]["n"] for camera in ("door", "hall")) == 6
    code, out, _ = bench("score", tmp_path / "run")
    assert code == 0 and "camera door" in out
    assert bench("report", tmp_path / "run", "--out", tmp_path / "report")[0] == 0
    for name in ("index.html", "report.json", "summary.csv", "report.md"):
        assert "camera door" in (tmp_path / "report" / name).read_text(), name


@pytest.mark.parametrize("name", ["folder", "csv"])
def test_a_configured_folder_is_used_and_is_not_that_of_restoration(
    name: str, bench: Bench, faces: Path, table: str, tmp_path: Path
) -> None:
    (faces / "faces.csv").write_text(table, encoding="utf-8")
    assert bench("config", "set", f"data.own-{name}", faces)[0] == 0
    code, out, err = bench("data", "manifest", name, "--out", tmp_path / "m.json")
    assert code == 0 and "6 probe" in out, err
    assert bench("data", "check", "restoration:source=folder")[0] == 3
