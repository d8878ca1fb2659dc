"""What the page gives its scripts: rankings and pairs of runs, the viewer's columns and pictures, charts."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import reports
from bench.errors import BenchError, DataError, UsageError
from bench.metrics.bootstrap import difference_interval
from bench.results import StageRecord
from reports.runs.groups import make_groups, short_names
from reports.runs.load import load
from reports.statistics.pairwise import rank_runs
from reports.viewer import sheets


def data_of(folder: Path, name: str) -> Any:
    html = (folder / "index.html").read_text(encoding="utf-8")
    result = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', html, re.DOTALL)
    assert result
    return json.loads(result[1])


def numbers(text: str, kind: str) -> list[float]:
    return [float(x) for x in np.frombuffer(base64.b64decode(text), f"<{kind}")]


def test_the_best_run_and_what_is_not_significantly_different_are_marked(make_run: Any, tmp_path: Path) -> None:
    names = lambda i: (f"k{i}", f"p{i}")  # noqa: E731
    good, nearly, bad = [1] * 19 + [2], [1] * 18 + [2] * 2, [1] * 2 + [9] * 18
    result, _ = load(
        [make_run(label, label=label, ranks=ranks, names=names) for label, ranks in
         (("bad", bad), ("good", good), ("nearly", nearly))]
    )  # fmt: skip
    standing = rank_runs(make_groups(result, None)[0])["rank-1"]
    assert [standing.mark(place) for place in range(3)] == ["", "best", "tied"]
    pair = standing.pairs[0, 1]
    alone = difference_interval([r == 1 for r in bad], [r == 1 for r in good], [f"p{i}" for i in range(20)], seed=0)
    assert (pair.difference, pair.n, pair.interval) == (pytest.approx(-17 / 20), 20, alone)


def test_one_run_and_equal_runs_have_no_best(make_run: Any) -> None:
    alone, _ = load([make_run("a")])
    assert rank_runs(make_groups(alone, None)[0]) == {}
    twins, _ = load([make_run("b", ranks=[1, 2, 3]), make_run("c", label="net", ranks=[1, 2, 3])])
    standing = rank_runs(make_groups(twins, None)[0])["rank-1"]
    assert standing.best == standing.tied == () and standing.pairs[0, 1].includes_zero


def test_every_difference_reads_the_other_way_round_too(make_run: Any, tmp_path: Path) -> None:
    reports.build([make_run("a"), make_run("b", label="net", quality=1.0)], tmp_path / "out")
    figure = data_of(tmp_path / "out", "s1-board")["figures"][0]
    value, forth, back, interval, turned, rows = figure["pairs"]["0,1"]
    with (tmp_path / "out" / "paired.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert value == pytest.approx(-float(row["difference"])) and rows == int(row["n"])
    assert back == f"+{100 * float(row['difference']):.2f}" and forth == back.replace("+", "−")
    ends = [f"{100 * float(row[end]):+.2f}".replace("-", "−").replace("+0.00", "0.00") for end in ("low", "high")]
    assert turned == " to ".join(ends) and interval != turned


def test_the_viewer_holds_the_ranks_of_every_run_by_probe(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("a", ranks=[3, None, 1]), make_run("b", label="net", ranks=[1, 4, 1])]
    reports.build(runs, tmp_path / "out")
    data = data_of(tmp_path / "out", "s1-faces-data")
    assert [numbers(values, "i4") for values in data["values"]] == [[3, 0, 1], [1, 4, 1]]
    assert data["keys"] == ["Probe/0_0.jpg", "Probe/1_1.jpg", "Probe/2_2.jpg"] and data["bases"] == [0, 0]
    assert data["failed"] == [[0, 1, 0]] and data["reasons"] == ["decode: file is empty"]


def test_pictures_go_inside_beside_or_nowhere(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("a"), make_run("b", label="net", quality=1.0)]
    for viewer in ("sampled", "folder", "none"):
        reports.build(runs, tmp_path / viewer, viewer=viewer)
    inside, beside = (data_of(tmp_path / name, "s1-faces-data") for name in ("sampled", "folder"))
    assert len(inside["inside"]) == 23 and beside["inside"] == {} and beside["folder"] == "faces/s1/"
    files = sorted((tmp_path / "folder" / "faces" / "s1").iterdir())
    assert [file.name for file in files] == [f"{i:06d}.jpg" for i in range(24) if i != 7]
    assert base64.b64decode(inside["inside"]["3"]) == (tmp_path / "folder/faces/s1/000003.jpg").read_bytes()
    with Image.open(files[0]) as sheet:
        assert sheet.format == "JPEG" and sheet.size == (3 * 64, 64)  # LR, mate (equal to the impostor), output
    assert "data:image/jpeg;base64,/9j" not in (tmp_path / "none" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="Unknown viewer 'all'"):
        reports.build(runs, tmp_path / "x", viewer="all")


def test_a_folder_of_pictures_is_the_same_again_and_replaced_only_where_ours(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run("a"), make_run("b", label="net", quality=1.0)]
    seen = []
    for _ in range(2):
        reports.build(runs, tmp_path / "out", viewer="folder")
        seen.append({p.relative_to(tmp_path): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()})
    assert seen[0] == seen[1] and len(seen[0]) == 5 + 23
    (tmp_path / "out" / "faces" / "s1" / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(BenchError, match=r"holds other files \(faces/s1/holiday.jpg\)"):
        reports.build(runs, tmp_path / "out")
    assert (tmp_path / "out" / "faces" / "s1" / "holiday.jpg").read_bytes() == b"mine"


def test_pictures_that_are_none_are_never_copied(make_run: Any, tmp_path: Path) -> None:
    run = make_run("a", ranks=[1, 2, 3])
    buffer = io.BytesIO()
    Image.new("RGB", (4000, 4000)).save(buffer, "PNG")
    with zipfile.ZipFile(run / "images.zip", "w") as archive:
        archive.writestr("lr/000000.png", b"\x89PNG\r\n\x1a\n" + b"<script>" * 9)
        archive.writestr("lr/000001.png", buffer.getvalue())
        archive.writestr("../../lr/000002.png", b"\x89PNG\r\n\x1a\n")
    reports.build([run], tmp_path / "out", viewer="folder")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert not (tmp_path / "out" / "faces").exists() and "data:image/jpeg;base64,/9j" not in html
    assert "no valid images of faces" in html and "This page has no images" in html


def test_small_faces_are_enlarged_by_repeating_pixels(make_run: Any) -> None:
    small = Image.new("RGB", (2, 1), (0, 0, 0))
    small.putpixel((1, 0), (255, 255, 255))
    with Image.open(io.BytesIO(sheets._joined([small, Image.new("RGB", (32, 32))]))) as sheet:
        assert sheet.size == (64, 32)
        row = [sheet.getpixel((x, 12))[0] for x in range(32)]  # type: ignore[index]
    assert max(row[:12]) < 20 and min(row[20:]) > 235


def test_all_methods_under_all_protocols_stand_in_one_table(make_run: Any, make_other: Any, tmp_path: Path) -> None:
    runs = [make_run("a"), make_run("b", label="net", quality=1.0), make_run("c", recogniser="dlib")]
    runs += [make_other("d", "efficiency"), make_other("e", "restoration", label="net")]
    reports.build(runs, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    table = re.findall(r'<table class="overview.*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", table, re.DOTALL)
    assert len(rows) == 3
    value = json.loads((runs[1] / "run.json").read_text())["metrics"]["rank-1"]["value"]
    assert f'<data value="{value!r}">' in rows[1] and "<td>dlib</td>" not in rows[1]
    assert rows[0].count("<data") == 4  # rank-1, parameters, and what each is over


def test_a_method_whose_side_was_left_to_each_protocol_has_one_row(make_run: Any, tmp_path: Path) -> None:
    def write_one(folder: str, side: str, flag: str, **fields: Any) -> Path:
        choices = {"asked": {"hallucinate": flag}, "notes": [f"The {side} was picked."]}
        config = {"hallucinate": side, "recogniser": "sface"}
        return make_run(folder, label="net", quality=1.0, config=config, choices=choices, **fields)  # type: ignore[no-any-return]

    two = {"protocol": {"name": "two"}}
    for flag, count in (("auto", 1), ("both", 2)):
        runs = [
            write_one(f"{flag}-a", "both", flag),
            write_one(f"{flag}-b", "probe", flag if count == 1 else "probe", **two),
        ]
        reports.build(runs, tmp_path / flag)
        html = (tmp_path / flag / "index.html").read_text(encoding="utf-8")
        table = re.findall(r'<table class="overview.*?</table>', html, re.DOTALL)[0]
        assert len(re.findall(r"<tr><th scope=\"row\">.*?</tr>", table, re.DOTALL)) == count
        assert ("by protocol" in table) == (count == 1)
        assert "The both was picked." in html and "Chosen automatically for net: The both was picked." in (
            tmp_path / flag / "report.md"
        ).read_text(encoding="utf-8")


def test_the_frame_of_hallucinated_faces_and_of_the_aligner_stand_beside_the_method(
    make_run: Any, tmp_path: Path
) -> None:
    stages = tuple(
        StageRecord(stage, side, name, "1", {"frame": frame} | ({"points": []} if stage == "align" else {}), ())
        for side, frame in (("probe", "utkface200"), ("gallery", "lr"))
        for stage, name in (("hallucinate", "net"), ("align", "template"))
    )
    (run,), _ = load([make_run("a", label="net", stages=stages, config={"hallucinate": "both", "align": None})])
    assert run.frame == "utkface200 (gallery: lr)"
    assert run.aligner == "template:frame=utkface200 (gallery: template:frame=lr)"
    reports.build([run.folder], tmp_path / "out")
    assert "utkface200 (gallery: lr)" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_choices_of_a_wrong_type_are_damage(make_run: Any) -> None:
    for place, choices in enumerate(({"notes": "x"}, {"notes": [1]}, {"asked": 3})):
        with pytest.raises(DataError, match="choices"):
            load([make_run(f"odd{place}", choices=choices)])


def test_headings_name_a_protocol_by_what_differs_between_its_sections(make_run: Any) -> None:
    runs, _ = load([
        make_run("a", protocol={"name": "one", "arguments": {"x": 1, "y": 2}}),
        make_run("b", protocol={"name": "two", "arguments": {"x": 1, "y": 2}}),
        make_run("c", protocol={"name": "two", "arguments": {"x": 1, "y": 3}}),
        make_run("d", protocol={"name": "two", "arguments": {"x": 1, "y": 3}}, data={"digest": "other"}),
    ])  # fmt: skip
    assert short_names(make_groups(runs, None)) == ["one", "two:y=2", "two:y=3 (3)", "two:y=3 (4)"]


def test_charts_hold_the_figures_of_the_runs(make_run: Any, make_other: Any, tmp_path: Path) -> None:
    runs = []
    for kind in ("restoration", "verification", "efficiency"):
        runs += [make_other(f"{kind}-none", kind), make_other(f"{kind}-net", kind, label="net", quality=0.7)]
    reports.build(runs, tmp_path / "out")
    html = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for folder, slug, names in (
        (runs[1], "s1-yaw-psnrdb", ("psnr_db (yaw 22)", "psnr_db (yaw 75)")),
        (runs[3], "s2-det", ("eer", "tar@far=0.1")),
        (runs[5], "s3-times", ("ms@batch=1", "ms@batch=2")),
        (runs[1], "p-pretty1x2", ("psnr_db",)),
        (runs[3], "p-pretty1x2", ("accuracy",)),
    ):
        part = html[html.index(f'<h3 id="{slug}">') :]
        row = re.findall(r'<tr><th scope="row"><bdi>net</bdi></th>(.*?)</tr>', part, re.DOTALL)[0]
        metrics = json.loads((folder / "run.json").read_text())["metrics"]
        for name in names:
            assert f'<data value="{metrics[name]["value"]!r}">' in row


def test_the_command_takes_a_viewer(bench: Any, make_run: Any, tmp_path: Path) -> None:
    run = make_run("a")
    assert bench("report", run, "--out", tmp_path / "out", "--viewer", "folder")[0] == 0
    assert (tmp_path / "out" / "faces" / "s1").is_dir()
    code, _, error = bench("report", run, "--out", tmp_path / "p", "--style", "paper", "--viewer", "none")
    assert code != 0 and "--viewer has no effect" in error
