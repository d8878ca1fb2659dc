"""The paper's tables: every number is that of a run, a gap is a gap, only the best is bold."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import BenchError, DataError, MissingError, UsageError
from reports.paper import FILES, build

PaperRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than all else; the figures have tests of their own."""
    if "every_file" not in request.node.name:
        monkeypatch.setattr("reports.paper.catalogue.make_figures", lambda *_, **__: ([], [], []))


def rows(out: Path, stem: str, **wanted: str) -> list[dict[str, str]]:
    with (out / f"{stem}.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if all(row[key] == value for key, value in wanted.items())]


def metric(run: Path, name: str) -> float:
    return float(json.loads((run / "run.json").read_text())["metrics"][name]["value"])


def line(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if start in line)


def test_every_number_of_every_table_is_that_of_its_run(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = {}
    for at, label in enumerate(("drgan+srgan", "srgan+drgan", "hassner+bicubic", "tann", "vividgan", "none")):
        for kind in ("restoration", "efficiency", "expression", "identification"):
            folder = f"{kind}-{at}"
            data = {"efficiency": "drawn-faces", "expression": "mmi"}.get(kind, "celeba")
            runs[folder] = paper_run(folder, kind, label, data=data, quality=at / 2)
    out = tmp_path / "out"
    build(list(runs.values()), out)
    numbers = 0
    for stem in ("table-1-8x", "table-2-8x", "table-4-8x", "table-6a", "table-7"):
        for row in rows(out, stem):
            if row["value"]:
                numbers += 1
                assert float(row["value"]) == metric(runs[row["run"]], row["figure"]), row
    assert numbers == 6 * (2 + 4 + 4 + 2 + 2) + 1  # and one reference of expressions
    counts = json.loads((runs["identification-0"] / "run.json").read_text())["data"]["counts"]
    messages = {row["figure"]: float(row["value"]) for row in rows(out, "table-5") if row["value"]}
    assert messages == {f"counts: {key}": counts[key] for key in ("gallery", "probe", "probe identities", "distractor")}


def test_chains_stand_by_their_order(paper_run: PaperRun, tmp_path: Path) -> None:
    outcome = {
        "a": ("drgan+bicubic+srgan", "F (DR-GAN) + SR", "SRGAN"),
        "b": ("stn+srgan+bicubic+drgan", "SR + F (DR-GAN)", "SRGAN"),
        "c": ("bicubic+hassner", "SR + F (Hassner)", "Bicubic"),
        "d": ("hassner+bicubic", "F (Hassner) + SR", "Bicubic"),
        "e": ("vividgan+cyclegan", "Joint SR+F", "VividGAN + CycleGAN"),
        "f": ("somebody", "Other", "somebody"),
        "g": ("bicubic", "Other", "Bicubic (pose kept)"),
    }
    runs = [paper_run(folder, "restoration", label) for folder, (label, *_) in outcome.items()]
    runs.append(paper_run("h", "restoration", "vividgan", arguments={"output": "coarse"}))
    build(runs, tmp_path / "out")
    result = {row["run"]: (row["block"], row["method"]) for row in rows(tmp_path / "out", "table-1-8x") if row["run"]}
    assert result == {key: value[1:] for key, value in outcome.items()} | {"h": ("Joint SR+F", "VividGAN†")}


def test_a_gap_is_a_gap(paper_run: PaperRun, tmp_path: Path) -> None:
    build([paper_run("a", "restoration", "vividgan", data="mmi")], tmp_path / "out")
    text = (tmp_path / "out" / "table-1-8x.md").read_text()
    assert line(text, "| WaveletSRnet |").count("–") == 3
    cells = [cell.strip() for cell in line(text, "| VividGAN |").split("|")[3:-1]]
    assert cells[0] == "–" and re.fullmatch(r"\d\d\.\d{3}/0\.\d{3}", cells[1]) and cells[2] == "–"
    assert [row["value"] for row in rows(tmp_path / "out", "table-1-8x", method="TANN")] == [""] * 6
    index = (tmp_path / "out" / "index.md").read_text()
    assert "table-7: no input has any of its numbers" in index
    assert not (tmp_path / "out" / "table-7.md").exists()
    assert r"WaveletSRnet & -- & -- & -- \\" in (tmp_path / "out" / "table-1-8x.tex").read_text()


def test_only_the_best_of_a_column_is_bold(paper_run: PaperRun, tmp_path: Path) -> None:
    low = paper_run("low", "restoration", "tann", quality=0.0)
    high = paper_run("high", "restoration", "vividgan", quality=3.0)
    slow = paper_run("slow", "efficiency", "tann", data="drawn-faces", quality=0.0)
    fast = paper_run("fast", "efficiency", "vividgan", data="drawn-faces", quality=3.0)
    alone = paper_run("alone", "restoration", "tann", data="mmi")
    out = tmp_path / "out"
    build([low, high, slow, fast, alone], out)
    value = f"{metric(high, 'psnr_db'):.3f}"
    assert f"**{value}**" in line((out / "table-1-8x.md").read_text(), "| VividGAN |")
    assert rf"\textbf{{{value}}}" in line((out / "table-1-8x.tex").read_text(), "VividGAN & ")
    assert "**" not in line((out / "table-1-8x.md").read_text(), "| TANN |").split("/")[0]
    best = {(row["method"], row["figure"]) for row in rows(out, "table-4-8x", best="true")}
    assert ("VividGAN", "ms@batch=1") in best and ("TANN", "ms@batch=1") not in best  # less time is better
    assert {row["best"] for row in rows(out, "table-1-8x", run="alone")} == {"false"}


def test_true_faces_are_never_the_best(paper_run: PaperRun, ablation: Callable[..., Path], tmp_path: Path) -> None:
    table = ablation("abl", minus=(20.0, 0.5), full=(26.0, 0.9), vgt=(30.0, 0.95))
    build([table], tmp_path / "out")
    best = {row["method"] for row in rows(tmp_path / "out", "table-3", best="true", figure="psnr_db")}
    assert best == {"L_G (+ Fine-D: VividGAN)"}


def test_an_ablation_becomes_table_3(ablation: Callable[..., Path], tmp_path: Path) -> None:
    table = ablation("abl", minus=(20.25, 0.5), star=None, full=(26.125, 0.9), figure_6f=(25.0, 0.8), lr=32)
    build([table], tmp_path / "out", with_published=True)
    text = (tmp_path / "out" / "table-3.md").read_text()
    assert "| 20.250/0.500 | 50.00% |" in line(text, "| L− (pixels, heatmaps) |")
    assert "abl, 4×" in text and "star FAILED: out of memory" in text and "figure\\_6f" in text
    assert "26.965/0.893" in text


def test_scales_have_tables_of_their_own(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [paper_run("a", "restoration", "tann", lr=16), paper_run("b", "restoration", "tann", lr=32, quality=2)]
    runs.append(paper_run("c", "restoration", "tann", lr=24))
    build(runs, tmp_path / "out")
    assert {row["run"] for row in rows(tmp_path / "out", "table-1-8x")} == {"", "a"}
    assert {row["run"] for row in rows(tmp_path / "out", "table-1-4x")} == {"", "b"}
    assert "c: its LR faces are neither 16 nor 32" in (tmp_path / "out" / "index.md").read_text()


def test_native_faces_stand_under_the_networks_scale(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [
        paper_run("lr", "identification", "none", data="tinyface", lr=None),
        paper_run("net", "identification", "vividgan", data="tinyface", lr=None, arguments={"size": 32}),
    ]
    build(runs, tmp_path / "out")
    columns = {row["run"]: set() for row in rows(tmp_path / "out", "table-6b")}
    for row in rows(tmp_path / "out", "table-6b"):
        columns[row["run"]].add(row["column"])
    assert {text.split(", ")[1] for text in columns["lr"]} == {"32×32", "16×16"}
    assert {text.split(", ")[1] for text in columns["net"]} == {"32×32"}


def test_recognisers_and_data_have_columns_of_their_own(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [
        paper_run("a", "identification", "none", recogniser="sface"),
        paper_run("b", "identification", "none", recogniser="dlib"),
    ]
    build(runs, tmp_path / "out")
    columns = {row["run"]: row["column"] for row in rows(tmp_path / "out", "table-6a") if row["run"]}
    assert columns["a"].startswith("CelebA (1)") and columns["b"].startswith("CelebA (2)")
    assert "recogniser dlib" in (tmp_path / "out" / "table-6a.md").read_text()


def test_two_runs_of_one_cell_are_both_shown(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [paper_run("a", "restoration", "tann"), paper_run("b", "restoration", "tann", quality=1.0)]
    build(runs, tmp_path / "out")
    result = {row["run"]: row["method"] for row in rows(tmp_path / "out", "table-1-8x") if row["run"]}
    assert result == {"a": "TANN", "b": "TANN · tann"}


def test_what_runs_warn_of_stands_below_their_table(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [
        paper_run("a", "efficiency", "tann", data="drawn-faces", warnings=("Other work was running.",)),
        paper_run("b", "efficiency", "vividgan", data="drawn-faces", environment={"platform": "Linux arm"}),
        paper_run("c", "restoration", "tann"),
    ]
    build(runs, tmp_path / "out")
    text = (tmp_path / "out" / "table-4-8x.md").read_text()
    assert "- tann (a): Other work was running." in text and "timed on different machines" in text
    assert "running" not in (tmp_path / "out" / "table-2-8x.md").read_text()
    assert "not the official set" in (tmp_path / "out" / "table-2-8x.md").read_text()


def test_published_numbers_are_apart_and_labelled(paper_run: PaperRun, tmp_path: Path) -> None:
    run = paper_run("a", "restoration", "vividgan")
    build([run], tmp_path / "plain")
    assert "26.965" not in (tmp_path / "plain" / "table-1-8x.md").read_text()
    build([run], tmp_path / "out", with_published=True)
    text = (tmp_path / "out" / "table-1-8x.md").read_text()
    ours, theirs = text.split("## Published by Zhang et al. 2021, on other data, splits and networks: not comparable")
    assert "26.965/0.893" in theirs and "26.965" not in ours and "**26" not in theirs
    latex = (tmp_path / "out" / "table-1-8x.tex").read_text()
    assert latex.index("Published by Zhang") < latex.index("26.965/0.893")
    result = rows(tmp_path / "out", "table-1-8x", origin="published")
    assert len(result) == 2 * 3 * (5 * 2 + 3) and all("not comparable" in row["notice"] for row in result)
    assert not any(row["value"] or row["run"] for row in result)


def test_smoke_and_sample_runs_are_labelled_in_every_file(
    paper_run: PaperRun, ablation: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [paper_run("a", "restoration", "vividgan", data="multipie", sample=True)]
    paths += [paper_run("e", "expression", "vividgan", data="mmi", sample=True)]
    paths += [paper_run("s", "identification", "vividgan", data="tinyface", sample=True)]
    out = tmp_path / "out"
    files = build([*paths, ablation("abl", smoke=True, minus=(20.0, 0.5), full=(21.0, 0.6), vtn=(20.5, 0.6))], out)
    assert len([file for file in files if file.suffix == ".svg"]) == 5  # 8, 10, 12, 13, 14
    for file in files:
        if file.suffix != ".pdf":
            assert re.search("SAMPLE DATA, not|SMOKE RUN", file.read_text()), file.name
    quick = paper_run("q", "restoration", "tann", smoke=True, limit=3)
    with pytest.raises(UsageError, match="Smoke"):
        build([*paths, quick], tmp_path / "other")
    build([quick], tmp_path / "alone")
    assert "SMOKE RUN" in (tmp_path / "alone" / "table-1-8x.csv").read_text().splitlines()[1]


def test_hostile_names_stay_text(paper_run: PaperRun, tmp_path: Path) -> None:
    label = r"\input{/etc/passwd}%$x$_#&~^|<script>[a](http://b)**c**"
    runs = [paper_run("a", "restoration", label), paper_run("b", "restoration", "=1-1\u202e\n\\end{document}中" * 9)]
    build(runs, tmp_path / "out")
    latex = (tmp_path / "out" / "table-1-8x.tex").read_text()
    assert r"\textbackslash{}input\{/etc/passwd\}\%\$x\$\_\#\&" in latex
    typeset = "\n".join(text for text in latex.splitlines() if not text.startswith("%"))
    assert typeset.count(r"\end{") == 2 and r"\input{" not in typeset
    assert "{U+4E2D}" in latex
    text = (tmp_path / "out" / "table-1-8x.md").read_text()
    assert "<script" not in text and r"\*\*c\*\*" in text and "\u202e" not in text
    assert not [row for row in rows(tmp_path / "out", "table-1-8x") if row["label"].startswith("=")]


def test_latex_is_balanced_and_of_one_width(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [paper_run("a", "restoration", "drgan+tdae"), paper_run("b", "identification", "tann", data="multipie")]
    build(runs, tmp_path / "out", with_published=True)
    for file in (tmp_path / "out").glob("table-*.tex"):
        text = re.sub(r"\\[{}%&$#_]", "", file.read_text())
        assert text.count("{") == text.count("}"), file.name
        wide = len(re.search(r"\\begin\{tabular\}\{(l*c*)\}", text)[1])  # type: ignore[index]
        for row in text.split(r"\midrule", 1)[1].split(r"\bottomrule")[0].splitlines():
            if row.endswith(r"\\") and "multicolumn" not in row:
                assert row.count("&") == wide - 1, (file.name, row)


def test_damaged_things_beside_good_ones_are_named(paper_run: PaperRun, tmp_path: Path) -> None:
    good, bad = paper_run("good", "restoration", "tann"), paper_run("bad", "restoration", "tann")
    (bad / "run.json").write_text("{")
    (tmp_path / "abl").mkdir()
    (tmp_path / "abl" / "table.json").write_text('{"facts": []}')
    (tmp_path / "votes.json").write_text("[1]")
    build([good, bad, tmp_path / "abl", tmp_path / "votes.json"], tmp_path / "out")
    text = (tmp_path / "out" / "index.md").read_text().split("## Left out")[1]
    assert all(name in text for name in ("- bad:", "- abl:", "- votes.json:"))
    with pytest.raises(DataError):
        build([tmp_path / "abl"], tmp_path / "other")
    with pytest.raises(MissingError, match="nowhere"):
        build([tmp_path / "nowhere"], tmp_path / "other")
    with pytest.raises(UsageError):
        build([], tmp_path / "other")


def test_a_folder_of_other_files_is_not_touched(paper_run: PaperRun, tmp_path: Path) -> None:
    run, out = paper_run("a", "restoration", "tann"), tmp_path / "out"
    build([run, paper_run("b", "identification", "tann")], out)
    build([run], out)  # an earlier one, with more files, is replaced
    assert not (out / "table-6a.md").exists() and set(path.name for path in out.iterdir()) <= set(FILES)
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(BenchError, match="thesis.doc"):
        build([run], out)
    assert (out / "thesis.doc").read_text() == "mine"
