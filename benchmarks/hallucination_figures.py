"""The figures of a tally of hallucinated faces: printed as tables, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.evaluation.heldout import Alignment, Figure, Tally
from bench.images import FloatImages
from bench.metrics.bootstrap import difference_interval
from bench.metrics.significance import holm, sign_flip_test

Section = dict[str, Any]
Ranks = Mapping[tuple[str, Alignment], Sequence[int | None]]


def section(title: str, tally: Tally, gallery: FloatImages, seed: int) -> Section:
    """All figures of a tally, printed on the way."""
    print(f"\n== {title}: {len(tally.identities)} probes of {len(gallery)} people")
    has_truth = any(value is not None for values in tally.psnr_db.values() for value in values)
    quality = {name: tally.quality(name, seed=seed) for name in tally.chains} if has_truth else {}
    groups = list(tally.groups())
    if quality:
        table("PSNR, dB (RGB)", groups, {name: [q[g]["psnr_db"] for g in groups] for name, q in quality.items()}, 1, 2)
        table("SSIM (RGB)", groups, {name: [q[g]["ssim"] for g in groups] for name, q in quality.items()}, 1, 3)
    ranks = {key: tally.ranks(*key, gallery) for key in tally.columns}
    rates = {key: tally.rates(found, seed=seed) for key, found in ranks.items()}
    for k in ("rank_1", "rank_5"):
        lines = {f"{name}, aligned by {how}": [found[g][k] for g in groups] for (name, how), found in rates.items()}
        table(f"{k.replace('_', '-')}, %", groups, lines, 100, 1)
    recognition = [
        {"chain": name, "align": how, "rates": plain(rates[name, how]), "outcomes": tally.account(name, how)}
        for name, how in tally.columns
    ]
    for row in recognition:
        if set(row["outcomes"]) != {"ok"}:
            print(f"  {row['chain']}, aligned by {row['align']}: {row['outcomes']}")
    between = differences(tally, ranks, seed) if len(tally.chains) > 1 else []
    return {
        "probes": len(tally.identities),
        "quality": {name: plain(q) for name, q in quality.items()},
        "recognition": recognition,
        "differences": between,
    }


def differences(tally: Tally, ranks: Ranks, seed: int) -> list[Section]:
    """Rank-1 of every row less that of ``none``, and of the strongest unfrontalised row, each at its best alignment.

    The alignment of a reference is chosen on the same probes, which favours the reference. P-values are corrected by
    Holm over all comparisons made.
    """
    hits = {key: np.array([float(rank == 1) for rank in found]) for key, found in ranks.items()}
    unmoved = sorted((key for key in hits if key[0] in tally.kept), key=lambda key: -hits[key].mean())
    bases = list(dict.fromkeys([next(key for key in unmoved if key[0] == "none"), unmoved[0]]))
    rows: list[Section] = []
    for base in bases:
        print(f"rank-1 less that of {base[0]}, aligned by {base[1]}, points of 100")
        for key in (key for key in hits if key != base):
            told = []
            for group, chosen in tally.groups().items():
                people, first, second = tally.people(chosen), hits[key][chosen], hits[base][chosen]
                between = difference_interval(first, second, people, seed=seed)
                test = sign_flip_test(first, second, people, seed=seed)
                interval = {"low": between.low, "high": between.high, "interval": between.method}
                what = {"chain": key[0], "align": key[1], "reference": base[0], "reference_align": base[1]}
                rows.append(what | {"group": group, "probes": len(people)} | asdict(test) | interval)
                told.append(cell(test.difference, between.low, between.high, 100, 1))
            print(f"  {', aligned by '.join(key):<40}" + "".join(f"{text:>24}" for text in told))
    for row, p_value in zip(rows, holm([row["p_value"] for row in rows]) if rows else [], strict=True):
        row["p_holm"] = p_value
    return rows


def table(title: str, groups: Sequence[str], lines: Mapping[str, Sequence[Figure]], factor: float, digits: int) -> None:
    heads = ["all" if group == "all" else f"{group} degrees" for group in groups]
    print(f"{title:<42}" + "".join(f"{head:>24}" for head in heads))
    for name, figures in lines.items():
        told = []
        for figure in figures:
            counts = {"failed": figure.failed, "equal": figure.infinite}
            notes = [f"{count} {what}" for what, count in counts.items() if count]
            told.append(" ".join([cell(figure.value, figure.low, figure.high, factor, digits), *notes]))
        print(f"  {name:<40}" + "".join(f"{text:>24}" for text in told), flush=True)


def cell(value: float | None, low: float | None, high: float | None, factor: float, digits: int) -> str:
    if value is None:
        return "-"
    span = "" if low is None or high is None else f" [{factor * low:.{digits}f}, {factor * high:.{digits}f}]"
    return f"{factor * value:.{digits}f}{span}"


def plain(figures: Mapping[str, Mapping[str, Figure]]) -> Section:
    return {group: {name: asdict(figure) for name, figure in row.items()} for group, row in figures.items()}
