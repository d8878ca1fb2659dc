"""The paper's figures: what they show is what runs hold, and equal runs give equal bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.paper import build
from reports.paper.figures.faces import median_faces
from reports.runs.load import load

PaperRun = Callable[..., Path]


def text_of(file: Path) -> str:
    return " ".join(" ".join(ElementTree.parse(file).getroot().itertext()).split())


def images_of(file: Path) -> int:
    return sum(element.tag.endswith("}image") for element in ElementTree.parse(file).iter())


@pytest.fixture
def everything(paper_run: PaperRun, ablation: Callable[..., Path], tally: Callable[..., Path]) -> list[Path]:
    result = []
    for at, label in enumerate(("drgan+cbn", "tann", "vividgan")):
        result.append(paper_run(f"r{at}", "restoration", label, data="celeba", quality=at))
        result.append(paper_run(f"e{at}", "expression", label, data="mmi", quality=at))
    result.append(paper_run("vtn", "restoration", "vividgan", weights="vividgan-8x-v-tn.safetensors", quality=0.5))
    result.append(paper_run("wild", "identification", "vividgan", data="tinyface", lr=None))
    result.append(ablation("abl", vtn=(25.0, 0.8), full=(26.0, 0.9), vgt=(28.0, 0.95)))
    result.append(tally("votes.json", vividgan=0.625, tann=0.375))
    return result


def test_figures_show_what_runs_hold(everything: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(everything, out)
    there = {path.name for path in out.glob("*.svg")}
    assert there == {f"figure-{n}.svg" for n in (8, 11, 12, 13, 14, 15)} | {"figure-8-faces.svg"}
    assert "figure-10: needs restoration runs on Multi-PIE" in (out / "index.md").read_text()
    assert "26.000" in text_of(out / "figure-8.svg") and "25.784" not in (out / "index.md").read_text()
    assert "62.5%" in text_of(out / "figure-15.svg") and "37.5%" in text_of(out / "figure-15.svg")
    shown = text_of(out / "figure-14.svg")
    assert shown.index("Non-frontal LR") < shown.index("TANN") < shown.index("VividGAN")
    assert images_of(out / "figure-13.svg") == 6  # three probes of TinyFace, LR and output


def test_a_missing_method_is_an_empty_box(everything: list[Path], tmp_path: Path) -> None:
    build(everything, tmp_path / "out")
    file = tmp_path / "out" / "figure-11.svg"
    strips = text_of(file).count("CelebA -")
    assert strips == 2  # views at -75 and -22; none at -40
    assert images_of(file) == strips * 6  # LR, CBN, TANN, V-TN, VividGAN, truth
    assert text_of(file).count("–") == strips * 4  # Bicubic, WaveletSRnet, SRGAN, TDAE


def test_faces_are_those_of_median_psnr(paper_run: PaperRun) -> None:
    runs, _ = load([paper_run("a", "restoration", "tann"), paper_run("b", "restoration", "vividgan")])
    assert median_faces(runs, [22.0, -22.0, 40.0]) == [(22.0, "f0"), (-22.0, "f1")]  # f0 and f4, f1 (f5 is infinite)


def test_a_relative_of_vividgan_is_called_by_its_name(paper_run: PaperRun, tmp_path: Path) -> None:
    runs = [paper_run("w", "identification", "vividgan-flow", data="tinyface", lr=None, arguments={"output": "coarse"})]
    runs.append(paper_run("r", "restoration", "vividgan-flow"))
    runs.append(paper_run("b", "restoration", "bicubic"))
    build(runs, tmp_path / "out")
    assert "VividGAN-flow†" in text_of(tmp_path / "out" / "figure-13.svg")
    assert "the last method is vividgan-flow (r)" in (tmp_path / "out" / "index.md").read_text()


def test_damaged_images_cost_their_boxes_only(everything: list[Path], tmp_path: Path) -> None:
    for path in everything:
        if (path / "images.zip").exists() and path.name.startswith("r"):
            (path / "images.zip").write_bytes(b"PK nothing")
    build(everything, tmp_path / "out")
    assert "r0: images.zip is damaged" in (tmp_path / "out" / "index.md").read_text()
    assert (tmp_path / "out" / "table-1-8x.md").exists()


def test_published_numbers_of_figure_8_are_named(everything: list[Path], tmp_path: Path) -> None:
    build(everything, tmp_path / "out", with_published=True)
    assert "not comparable" in text_of(tmp_path / "out" / "figure-8.svg")
    assert "25.784/0.870" in (tmp_path / "out" / "index.md").read_text()


def test_equal_runs_give_equal_bytes_without_torch(everything: list[Path], tmp_path: Path) -> None:
    for seed in ("1", "2"):
        code = (
            "import sys; from pathlib import Path; from reports.paper import build; "
            "build([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), with_published=True); "
            "assert 'torch' not in sys.modules"
        )
        command = [sys.executable, "-c", code, str(tmp_path / f"out{seed}"), *map(str, everything)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed})
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / f"out{seed}").iterdir()} for seed in "12")
    assert len(first) > 30 and first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    assert not [name for name, data in first.items() if str(tmp_path).encode() in data]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (TeX Live), which is not here")
def test_the_latex_compiles(everything: list[Path], paper_run: PaperRun, tmp_path: Path) -> None:
    hostile = "<script>&%$#_{}~^\\\"' \u202eRTL \u00e9\u4e2d " + "x" * 300
    everything.append(paper_run("hostile", "identification", hostile, data="lfw"))
    out = tmp_path / "out"
    build(everything, out, with_published=True)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    messages = subprocess.run(command, cwd=out, capture_output=True, text=True, errors="replace")
    assert messages.returncode == 0, messages.stdout[-3000:]
    assert "Output written on paper.pdf" in messages.stdout
