"""Table III from tables of ``bench ablate``: variants by losses, then those of figures 6 and 8."""

from __future__ import annotations

from collections.abc import Sequence

from reports.paper.tables import published
from reports.paper.tables.layout import Cell, Column, Row, Table, Value
from reports.runs.inputs import Ablation, Measure

NAMES = {
    "minus": "L− (pixels, heatmaps)",
    "dagger": "L† (+ identity)",
    "ddagger": "L‡ (+ symmetry)",
    "star": "L⋆ (+ Coarse-D)",
    "full": "L_G (+ Fine-D: VividGAN)",
}
"""Rows of the paper."""
BEYOND = "Not in Table III"
_PARTS = (("psnr_db", "dB"), ("ssim", "ssim"))


def table_3(ablations: Sequence[Ablation], *, with_published: bool) -> Table:
    """PSNR and SSIM by losses; rank-1 beside them, which the paper does not give."""
    columns: list[Column] = []
    rows: dict[str, Row] = {name: Row("", title) for name, title in NAMES.items()}
    notes = []
    for at, ablation in enumerate(ablations):
        head = f"{ablation.folder_name}, {128 // ablation.lr}×"
        columns += [
            Column(f"{at}q", (head, "PSNR / SSIM"), (1, 1)),
            Column(f"{at}r", (head, "Rank-1"), (1,)),
        ]
        for variant in ablation.variants:
            row = rows.setdefault(variant.variant, Row(BEYOND, f"{variant.variant}: {variant.label}"))
            if variant.variant == "v+gt":
                row.competes = False  # it uses the ground truth
            values = variant.measures
            quality: Cell = tuple(
                _value(ablation, variant.label, name, values.get(name), unit) for name, unit in _PARTS
            )
            row.cells[f"{at}q"] = quality
            row.cells[f"{at}r"] = (_value(ablation, variant.label, "rank_1", values.get("rank_1"), "fraction"),)
            if variant.failure:
                notes.append(f"{head}: {variant.variant} FAILED: {variant.failure}")
        notes += [f"{head}: {key}: {text}." for key, text in ablation.told.items()]
    if with_published:
        columns += [Column(f"p{data}", (title, "PSNR / SSIM"), (0, 0), data) for data, title in
                    (("multipie", "Multi-PIE"), ("celeba", "CelebA"))]  # fmt: skip
    return Table(
        "III",
        "table-3",
        "Ablation of the losses",
        tuple(columns),
        tuple(rows.values()),
        ("Means over the views of people who were left out of training. V+GT uses the truth and is never the best.",)
        + tuple(notes),
        published.table_3() if with_published else {},
        NAMES,
        tuple(dict.fromkeys(banner for ablation in ablations for banner in ablation.banners)),
    )


def _value(ablation: Ablation, label: str, name: str, measure: Measure | None, unit: str) -> Value | None:
    if measure is None:
        return None
    return Value(
        measure.value,
        unit,
        name,
        ablation.folder_name,
        label,
        measure.low,
        measure.high,
        measure.probes,
        ablation.banners,
    )
