"""Figures of hallucinated faces of people left out: printed as tables, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.evaluation.heldout import RANKS, Alignment, HeldOutEvaluation
from bench.images import FloatImages
from bench.metrics.bootstrap import difference_interval
from bench.metrics.identification import is_hit
from bench.metrics.significance import holm, sign_flip_test
from bench.results import Figure, ProbeRow

Section = dict[str, Any]
Figures = Mapping[str, Figure]
Searches = Mapping[tuple[str, Alignment], Sequence[ProbeRow]]


def section(title: str, evaluation: HeldOutEvaluation, gallery: FloatImages, seed: int) -> Section:
    """All figures of an evaluation, printed on the way."""
    probes, parts = len(evaluation.people), list(evaluation.parts())
    print(f"\n== {title}: {probes} probes of {len(gallery)} people")
    quality = {name: evaluation.quality(name, seed=seed) for name in evaluation.chains}
    if not any("ssim" in figures for figures in quality.values()):
        quality = {}
    else:
        table("PSNR, dB (RGB)", "psnr_db", parts, quality, 1, 2)
        table("SSIM (RGB)", "ssim", parts, quality, 1, 3)
        for name, figures in quality.items():
            counts = {what: int(figures[what].value) for what in ("failed_faces", "infinite_psnr")}
            if any(counts.values()):
                print(f"  {name}: {counts}")
    searches = {key: evaluation.search(*key, gallery) for key in evaluation.embedded}
    rates = {key: evaluation.rates(rows, seed=seed) for key, rows in searches.items()}
    for k in RANKS:
        lines = {f"{name}, aligned by {how}": figures for (name, how), figures in rates.items()}
        table(f"rank-{k}, %", f"rank-{k}", parts, lines, 100, 1)
    recognition = [
        {
            "chain": name,
            "align": how,
            "rates": plain(rates[name, how]),
            "outcomes": evaluation.count_outcomes(name, how),
        }
        for name, how in evaluation.embedded
    ]
    for row in recognition:
        if set(row["outcomes"]) != {"ok"}:
            print(f"  {row['chain']}, aligned by {row['align']}: {row['outcomes']}")
    return {
        "probes": probes,
        "quality": {name: plain(figures) for name, figures in quality.items()},
        "recognition": recognition,
        "differences": differences(evaluation, searches, seed) if len(evaluation.chains) > 1 else [],
    }


def differences(evaluation: HeldOutEvaluation, searches: Searches, seed: int) -> list[Section]:
    """Rank-1 of every row less that of ``none``, and of the strongest unfrontalised row, each at its best alignment.

    The alignment of a reference is chosen on the same probes, which favours the reference. P-values are corrected by
    Holm over all comparisons made.
    """
    hits = {key: np.array([float(is_hit(row.rank)) for row in rows]) for key, rows in searches.items()}
    unmoved = sorted((key for key in hits if key[0] in evaluation.pose_kept), key=lambda key: -hits[key].mean())
    bases = list(dict.fromkeys([next(key for key in unmoved if key[0] == "none"), unmoved[0]]))
    rows: list[Section] = []
    for base in bases:
        print(f"rank-1 less that of {base[0]}, aligned by {base[1]}, points of 100")
        for key in (key for key in hits if key != base):
            cells = []
            for part, places in evaluation.parts().items():
                people, first, second = [evaluation.people[i] for i in places], hits[key][places], hits[base][places]
                between = difference_interval(first, second, people, seed=seed)
                test = sign_flip_test(first, second, people, seed=seed)
                interval = {"low": between.low, "high": between.high, "interval": between.method}
                what = {"chain": key[0], "align": key[1], "reference": base[0], "reference_align": base[1]}
                rows.append(what | {"part": part, "probes": len(people)} | asdict(test) | interval)
                cells.append(cell(test.difference, between.low, between.high, 100, 1))
            print(f"  {', aligned by '.join(key):<40}" + "".join(f"{text:>24}" for text in cells))
    for row, p_value in zip(rows, holm([row["p_value"] for row in rows]) if rows else [], strict=True):
        row["p_holm"] = p_value
    return rows


def table(
    title: str, name: str, parts: Sequence[str], lines: Mapping[str, Figures], factor: float, digits: int
) -> None:
    """Print one figure of each line, over all probes and by yaw."""
    heads = [f"{part} degrees" if part else "all" for part in parts]
    print(f"{title:<42}" + "".join(f"{head:>24}" for head in heads))
    for line, figures in lines.items():
        cells = []
        for part in parts:
            figure = figures.get(f"{name} ({part})" if part else name)
            cells.append(cell(figure.value, figure.low, figure.high, factor, digits) if figure else "-")
        print(f"  {line:<40}" + "".join(f"{text:>24}" for text in cells), flush=True)


def cell(value: float, low: float | None, high: float | None, factor: float, digits: int) -> str:
    """A value with its interval."""
    span = "" if low is None or high is None else f" [{factor * low:.{digits}f}, {factor * high:.{digits}f}]"
    return f"{factor * value:.{digits}f}{span}"


def plain(figures: Figures) -> Section:
    """Figures as plain values."""
    return {name: asdict(figure) for name, figure in figures.items()}
