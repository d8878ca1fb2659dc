"""`bench run` and `bench score` end to end, on a drawn TinyFace with the default recogniser."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.images import read_image
from bench.interfaces import ALIGNERS, RECOGNISERS
from bench.pipeline.build import build
from bench.registry import Spec, load_plugins
from bench.results.folder import read_image as read_member
from bench.results.folder import read_run
from protocols.tinyface.protocol import TinyFace

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(small_tinyface: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    shutil.copytree(small_tinyface, tmp_path / "tinyface")
    return tmp_path / "tinyface"


def run(bench: Bench, root: Path, out: Path, *more: object) -> dict[str, Any]:
    code, _, err = bench("run", "--protocol", "tinyface", "--data-root", root, "--out", out, *more)
    assert code == 0, err
    record: dict[str, Any] = json.loads((out / "run.json").read_text())
    return record


def test_the_figures_equal_a_plain_numpy_search(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    record = run(bench, small_tinyface, tmp_path / "run")
    load_plugins()
    aligner, sface = build(ALIGNERS, Spec("none")).component, build(RECOGNISERS, Spec("sface")).component
    data = TinyFace().read(small_tinyface)

    def vectors(media):  # type: ignore[no-untyped-def]
        images = [read_image(item.path) for item in media]
        chips, _ = aligner.align(images, [None] * len(images), sface.face)
        raw = sface.embed(chips).astype(np.float64)
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    gallery = (*data.gallery, *data.distractors)
    scores = vectors(data.probes) @ vectors(gallery).T
    ranks, precisions = [], []
    for row, probe in zip(scores, data.probes, strict=True):
        order = np.argsort(-row, kind="stable")
        hits = 1 + np.flatnonzero([gallery[i].identity == probe.identity for i in order])
        ranks.append(hits[0])
        area, recall, precision = 0.0, 0.0, 1.0  # the official script's loop
        for result in range(1, hits[-1] + 1):
            good = int((hits <= result).sum())
            area += (good / len(hits) - recall) * (precision + good / result) / 2
            recall, precision = good / len(hits), good / result
        precisions.append(area)
    for k in (1, 5, 10, 20, 50):
        assert record["metrics"][f"rank-{k}"]["value"] == pytest.approx(np.mean([r <= k for r in ranks]), abs=1e-9)
    assert record["metrics"]["map"]["value"] == pytest.approx(np.mean(precisions), abs=1e-9)
    assert [row.rank for row in read_run(tmp_path / "run").probes] == ranks
    assert len(set(ranks)) > 3


def test_score_computes_the_same_figures_without_models(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    record = run(bench, small_tinyface, tmp_path / "run")
    (tmp_path / "run" / "images.zip").unlink()
    code, out, _ = bench("score", tmp_path / "run", "--json")
    flat = json.loads(out)
    assert code == 0
    for name, figure in record["metrics"].items():
        assert (flat[name], flat[f"{name}.low"], flat[f"{name}.high"]) == (
            figure["value"],
            figure["low"],
            figure["high"],
        )
    assert (flat["probes"], flat["smoke"], flat["official"]) == (16, False, False)
    lean = "import sys; from bench.__main__ import main; main(sys.argv[1:]); print(sorted({'torch', 'onnxruntime', "
    lean += "'cv2', 'PIL'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", lean, "score", tmp_path / "run"], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert f"{record['metrics']['rank-1']['value']:.2%}" in done.stdout


def test_every_bad_image_is_counted_and_nothing_is_dropped(bench: Bench, root: Path, tmp_path: Path) -> None:
    probes, gallery = root / "Testing_Set/Probe", root / "Testing_Set/Gallery_Match"
    whole = run(bench, root, tmp_path / "whole")
    (probes / "1_3.jpg").write_bytes(b"")
    (probes / "1_4.jpg").unlink()
    (probes / "2_3.jpg").write_bytes((probes / "2_3.jpg").read_bytes()[:-200])
    (gallery / "3_1.jpg").write_bytes(b"junk")
    (gallery / "3_2.jpg").write_bytes(b"junk")
    next((root / "Testing_Set/Gallery_Distractor").iterdir()).write_bytes(b"")
    record = run(bench, root, tmp_path / "broken")
    assert record["ledger"]["probe"] == {
        "total": 16,
        "ok": 13,
        "fallback": 0,
        "failed": 3,
        "reasons": {"decode: file is empty": 1, "decode: file not found": 1, "decode: image is truncated": 1},
    }
    assert record["ledger"]["gallery"]["reasons"] == {"decode: not an image": 2}
    assert record["ledger"]["distractor"]["failed"] == 1
    assert any("distractor" in warning for warning in record["warnings"])
    rows = {row.key: row for row in read_run(tmp_path / "broken").probes}
    assert len(rows) == 16
    unscored = {key for key, row in rows.items() if row.rank is None}
    assert unscored == {f"Probe/{name}.jpg" for name in ("1_3", "1_4", "2_3", "3_3", "3_4")}
    assert rows["Probe/3_3.jpg"].reason == "no mate could be scored"
    figure = record["metrics"]["rank-50"]
    assert (figure["value"], figure["n"]) == (11 / 16, 16)
    assert (figure["without_failures"], figure["n_without_failures"]) == (1.0, 11)
    assert whole["metrics"]["rank-50"]["value"] == 1.0


def test_a_killed_run_goes_on_and_ends_with_identical_figures(bench: Bench, root: Path, tmp_path: Path) -> None:
    expected = run(bench, root, tmp_path / "expected", "--cache", tmp_path / "cache-a")
    script = f"""
import os, signal
from bench.evaluation import contract
from bench.__main__ import main
contract.SHARD_SIZE = 5
computed = []
class Deadly(contract.EmbedStage):
    def __call__(self, shard, progress):
        if len(computed) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        computed.append(1)
        return super().__call__(shard, progress)
contract.EmbedStage = Deadly
main(["run", "--protocol", "tinyface", "--data-root", {str(root)!r}, "--out", {str(tmp_path / "run")!r},
      "--cache", {str(tmp_path / "cache-b")!r}])
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "run").exists()
    record = run(bench, root, tmp_path / "run", "--cache", tmp_path / "cache-b")
    assert "embed (probe)" not in record["timings"]  # all 16 probes, in 4 shards, were done before the kill
    assert record["timings"]["embed (gallery)"]["images"] == 16
    assert record["metrics"] == expected["metrics"]
    rows = [(tmp_path / name / "per_probe.csv").read_bytes() for name in ("run", "expected")]
    assert rows[0] == rows[1]


def test_a_finished_run_requested_again_is_left_alone(bench: Bench, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(bench, root, out)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    command = ("run", "--protocol", "tinyface", "--data-root", root, "--out", out)
    code, text, err = bench(*command)
    assert code == 0
    assert "Nothing to do" in err
    assert "rank-1" in text
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert bench(*command, "--overwrite", "never")[0] == 1
    code, _, err = bench(*command, "--hallucinator", "bicubic")
    assert code == 1
    assert "another configuration" in err
    assert "hallucinator was none, bicubic is requested" in err
    probe = root / "Testing_Set/Probe/1_3.jpg"
    os.utime(probe, (1, 1))
    assert "Nothing to do" in bench(*command)[2]  # a copied data set has other times and the same bytes
    data = probe.read_bytes()
    probe.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, _, err = bench(*command)
    assert code == 1
    assert "data that have changed" in err
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert bench(*command, "--overwrite", "always")[0] == 0
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} != before


def test_other_bytes_of_the_same_size_and_time_are_noticed_unless_times_are_trusted(
    bench: Bench, root: Path, tmp_path: Path
) -> None:
    run(bench, root, tmp_path / "run")
    probe = root / "Testing_Set/Probe/1_3.jpg"
    data, stat = probe.read_bytes(), probe.stat()
    probe.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(probe, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    command = ("run", "--protocol", "tinyface", "--data-root", root, "--out", tmp_path / "run")
    code, _, err = bench(*command)
    assert code == 1
    assert "data that have changed" in err
    assert "Nothing to do" in bench(*command, "--trust-times")[2]
    (tmp_path / "run.toml").write_text("trust-times = true")
    assert "Nothing to do" in bench(*command, "--config", tmp_path / "run.toml")[2]


def test_a_smoke_run_is_labelled_as_one_everywhere(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    record = run(bench, small_tinyface, tmp_path / "run", "--limit", 4)
    assert (record["smoke"], record["limit"], record["data"]["counts"]["probe"]) == (True, 4, 4)
    assert record["metrics"]["rank-1"]["n"] == 4
    assert any("Smoke run" in note for note in record["data"]["notes"])
    assert "SMOKE RUN" in bench("score", tmp_path / "run")[1]
    assert json.loads(bench("score", tmp_path / "run", "--json")[1])["smoke"] is True


def test_no_figure_depends_on_batch_size_or_cache(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    plain = run(bench, small_tinyface, tmp_path / "a", "--hallucinator", "bicubic:size=64", "--no-cache")
    small = run(bench, small_tinyface, tmp_path / "b", "--hallucinator", "bicubic:size=64", "--batch-size", 3)
    assert plain["metrics"] == small["metrics"]
    assert plain["data"]["digest"] == small["data"]["digest"]


@pytest.mark.parametrize("side", ["probe", "gallery", "both"])
def test_the_hallucinated_side_is_part_of_the_result(
    bench: Bench, small_tinyface: Path, tmp_path: Path, side: str
) -> None:
    record = run(bench, small_tinyface, tmp_path / "run", "--hallucinator", "bicubic:size=64", "--hallucinate", side)
    sides = {stage["side"] for stage in record["stages"] if stage["stage"] == "hallucinate"}
    assert sides == ({"probe", "gallery"} if side == "both" else {side})
    assert record["config"]["hallucinate"] == side


def test_what_is_picked_is_on_the_screen_in_the_record_and_in_the_report_and_is_the_same_run_by_hand(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    command = ("run", "--protocol", "tinyface", "--data-root", small_tinyface, "--out", tmp_path / "run")
    code, _, err = bench(*command, "--hallucinator", "vividgan-flow")
    assert code == 0, err
    assert "hallucinator vividgan-flow on probe and gallery" in err
    assert "picked: frame=arcface112 was picked for vividgan-flow" in err
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert record["label"] == record["config"]["hallucinator"] == "vividgan-flow"
    frames = {s["side"]: s["arguments"]["frame"] for s in record["stages"] if s["stage"] == "hallucinate"}
    assert frames == record["choices"]["frames"] == {"probe": "arcface112", "gallery": "arcface112"}
    assert (record["config"]["hallucinate"], record["choices"]["asked"]["hallucinate"]) == ("both", "auto")
    assert any("frame=arcface112 was picked" in note for note in record["choices"]["notes"])
    assert record["warnings"] == [] or not any("frame" in warning for warning in record["warnings"])
    assert bench("report", tmp_path / "run", "--out", tmp_path / "report")[0] == 0
    page = (tmp_path / "report/index.html").read_text()
    assert "<small>frame <bdi>arcface112</bdi></small>" in page and "frame=arcface112 was picked" in page
    assert "frame=arcface112 was picked" in (tmp_path / "report/report.md").read_text()
    code, _, err = bench(*command, "--hallucinator", "vividgan-flow:frame=arcface112", "--hallucinate", "both")
    assert code == 0 and "Nothing to do" in err
    code, _, err = bench(*command, "--hallucinator", "vividgan-flow:frame=lr")
    assert code == 1 and "another configuration" in err


def test_a_frame_that_does_not_fit_is_warned_of_before_the_work_and_in_the_record(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    chain = "vividgan-flow:frame=utkface200"
    command = ("run", "--protocol", "tinyface", "--data-root", small_tinyface, "--hallucinator", chain)
    code, out, err = bench(*command, "--out", tmp_path / "run", "--limit", 2)
    assert code == 0, err
    record = json.loads((tmp_path / "run/run.json").read_text())
    (warning,) = (text for text in record["warnings"] if "utkface200" in text)
    assert "add --align template:frame=utkface200" in warning
    assert f"warning: {warning}" in err and f"warning: {warning}" in out
    assert bench("report", tmp_path / "run", "--out", tmp_path / "report")[0] == 0
    assert "add --align template:frame=utkface200" in (tmp_path / "report/index.html").read_text()


def test_the_adaface_variant_flips_and_reports_its_own_ranks(
    bench: Bench, small_tinyface: Path, tmp_path: Path
) -> None:
    code, _, err = bench(
        "run", "--protocol", "tinyface:variant=adaface", "--data-root", small_tinyface, "--out", tmp_path / "run"
    )
    assert code == 0, err
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert list(record["metrics"]) == ["rank-1", "rank-5", "rank-20"]
    assert (record["protocol"]["flip"], record["protocol"]["similarity"]) == ("sum", "cosine")


def test_the_record_says_what_ran(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    record = run(bench, small_tinyface, tmp_path / "run", "--hallucinator", "bicubic:size=64")
    step, align, embed = (stage for stage in record["stages"] if stage["side"] == "probe")
    assert (step["name"], step["arguments"]) == ("bicubic", {"size": 64})
    assert align["name"] == "none"
    assert embed["name"] == "sface"
    assert len(embed["weights"][0]["sha256"]) == 64
    assert record["environment"]["python"]
    assert record["environment"]["packages"]["numpy"] == np.__version__
    assert record["data"]["counts"] == {
        "probe": 16, "gallery": 16, "distractor": 10, "probe identities": 8, "gallery identities": 8,
    }  # fmt: skip
    assert list(record["metrics"]) == ["rank-1", "rank-5", "rank-10", "rank-20", "rank-50", "map"]


def test_the_run_keeps_pictures_of_every_probe(bench: Bench, small_tinyface: Path, tmp_path: Path) -> None:
    run(bench, small_tinyface, tmp_path / "run", "--hallucinator", "bicubic:size=64")
    for kind in ("lr", "out", "mate", "impostor"):
        assert read_member(tmp_path / "run", f"{kind}/000015.png")
    run(bench, small_tinyface, tmp_path / "bare", "--images", "none")
    assert sorted(os.listdir(tmp_path / "bare")) == ["ledger.csv", "per_probe.csv", "run.json"]


def test_without_data_the_sample_is_drawn_once_and_labelled_everywhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = importlib.import_module("protocols.sample.painter")
    monkeypatch.setattr(module, "DEFAULT_PAINTER", "cartoon")  # the default one takes a minute
    code, out, err = bench("run", "--protocol", "tinyface", "--out", tmp_path / "run")
    assert code == 0, err
    assert "SAMPLE DATA, not tinyface" in out
    assert "SAMPLE DATA, not tinyface" in err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["sample"] is True
    assert record["data"]["official"] is False
    assert json.loads(bench("score", tmp_path / "run", "--json")[1])["sample"] is True
    before = Path(record["data"]["root"]).stat().st_mtime_ns
    assert bench("run", "--protocol", "tinyface", "--out", tmp_path / "run")[2].count("Nothing to do") == 1
    assert Path(record["data"]["root"]).stat().st_mtime_ns == before
    assert bench("report", tmp_path / "run", "--out", tmp_path / "report")[0] == 0
    assert "SAMPLE DATA, not tinyface" in (tmp_path / "report" / "index.html").read_text()


def test_a_folder_without_the_data_set_is_one_clear_message(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    code, _, err = bench("run", "--protocol", "tinyface", "--out", tmp_path / "run")
    assert code == 3
    assert "no tinyface is in it" in err
    assert not (tmp_path / "run").exists()


def test_the_data_are_found_by_flag_setting_and_environment(
    bench: Bench, small_tinyface: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(small_tinyface.parent))
    command = ("run", "--protocol", "tinyface", "--limit", 1)
    assert bench(*command, "--out", tmp_path / "a")[0] == 0
    bench("config", "set", "data.tinyface", tmp_path / "nowhere")
    assert bench(*command, "--out", tmp_path / "b")[0] == 3
    assert bench(*command, "--out", tmp_path / "c", "--data-root", small_tinyface)[0] == 0
    assert bench("config", "get", "data.tinyface")[1].strip() == str(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--hallucinator", "bicubik"), "Did you mean 'bicubic'"),
        (("--hallucinator", "bicubic:size=huge"), "is not a whole number"),
        (("--recogniser", "sfcae"), "Did you mean 'sface'"),
        (("--align", "nose"), "Did you mean 'none'"),
        (("--hallucinate", "probes"), "did you mean 'probe'"),
        (("--limit", "0"), "limit is 0"),
        (("--protocol", "tinyface:variant=best"), "is none of official, adaface"),
    ],
)
def test_what_is_wrong_is_reported_before_any_work(
    bench: Bench, small_tinyface: Path, tmp_path: Path, flags: tuple[str, str], message: str
) -> None:
    command = ("run", "--protocol", "tinyface", "--data-root", small_tinyface, "--out", tmp_path / "run")
    code, _, err = bench(*command, *flags)
    assert code == 2
    assert message in err
    assert not (tmp_path / "run").exists()


def test_when_no_probe_can_be_scored_there_is_no_result(bench: Bench, root: Path, tmp_path: Path) -> None:
    for path in (root / "Testing_Set/Probe").iterdir():
        path.write_bytes(b"")
    code, _, err = bench("run", "--protocol", "tinyface", "--data-root", root, "--out", tmp_path / "run")
    assert code == 1
    assert "None of 16 probes could be scored (decode: file is empty)" in err
    assert not (tmp_path / "run").exists()
