"""Figures 8, 14 and 15: effect of the component prior, confusion of expressions, picks of the user study."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results import yaw_deg
from bench.results.kinds import EXPRESSION, RESTORATION
from reports.paper.figures.canvas import PaperFigure, canvas, name, save
from reports.paper.figures.faces import RULE, Strip, banners_of, caption, draw, letters, median_faces, picture
from reports.paper.tables.content import of_kind
from reports.paper.tables.layout import PUBLISHED
from reports.paper.tables.methods import JOINT, Method, ablated, method_of
from reports.paper.tables.published import FIGURE_8
from reports.paper.tables.settings import settings
from reports.runs.images import Pictures
from reports.runs.inputs import Ablation, Votes
from reports.runs.run import Run
from reports.statistics.confusion import ConfusionMatrix, confusion_matrices

_PRIOR = {"v-tn": "(a) V-TN", "full": "(b) VividGAN", "v+gt": "(c) V+GT"}
_INK, _PAPER = "#1f4e79", "#b8860b"


def figure_8(ablations: Sequence[Ablation], *, with_published: bool) -> PaperFigure | None:
    """PSNR and SSIM without, with estimated and with ground-truth components, of the first ablation that has them."""
    fitting = [a for a in ablations if sum(v.variant in _PRIOR and bool(v.measures) for v in a.variants) > 1]
    if not fitting:
        return None
    ablation = fitting[0]
    measures_of = {variant.variant: variant.measures for variant in ablation.variants}
    with canvas(6, 2.4 + 0.2 * len(ablation.banners), ablation.banners) as figure:
        for part, (box, (measure, word)) in enumerate(
            zip(figure.subplots(1, 2), (("psnr_db", "PSNR [dB]"), ("ssim", "SSIM")), strict=True)
        ):
            for at, variant in enumerate(_PRIOR):
                cell = measures_of.get(variant, {}).get(measure)
                if cell is None:
                    box.text(at, 0.5, "–", transform=box.get_xaxis_transform(), ha="center")
                    continue
                box.plot([at], [cell.value], "o", color=_INK, label="ours, mean and 95 % interval" if at == 1 else None)
                if cell.low is not None and cell.high is not None:
                    box.vlines(at, cell.low, cell.high, color=_INK)
                box.annotate(f"{cell.value:.3f}", (at, cell.value), (6, 0), textcoords="offset points", va="center")
            if with_published:
                values = [float(FIGURE_8[variant][part]) for variant in _PRIOR]
                label = "published, one face of Multi-PIE: not comparable"
                box.plot(range(3), values, "D", color=_PAPER, markerfacecolor="none", label=label)
            box.set_xticks(range(3), list(_PRIOR.values()))
            box.set_xlim(-0.5, 2.8)
            box.margins(y=0.15)
            box.set_ylabel(word)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", frameon=False, ncols=2)
        files = save(figure)
    notes = [
        f"Means over the people measured in {ablation.folder_name}, which keeps no images; the paper shows one face.",
        "V+GT uses the ground-truth components.",
    ]
    if with_published:
        printed = "; ".join(f"{_PRIOR[variant]} {'/'.join(values)}" for variant, values in FIGURE_8.items())
        notes.append(f"{PUBLISHED}: {printed} (PSNR/SSIM of one face of Multi-PIE).")
    return PaperFigure(8, "figure-8", "Effect of the facial component prior", tuple(notes), ablation.banners, *files)


def figure_8_faces(runs: Sequence[Run], pictures: Pictures) -> PaperFigure | None:
    """The same for one face: a run of the weights of V-TN beside one of VividGAN on the same data."""
    for setting in settings(of_kind(runs, RESTORATION)):
        without = next((run for run in setting.runs if ablated(run)), None)
        full = next((r for r in setting.runs if method_of(r) == Method(JOINT, "VividGAN")), None)
        if without is None or full is None:
            continue
        shown = [without, full]
        yaws = sorted({yaw for item in full.items if (yaw := yaw_deg(item)) is not None}, key=abs)
        chosen = median_faces(shown, yaws[:1])
        strips = [
            Strip(
                "",
                (*(picture(run, "out", key, pictures) for run in shown), None, picture(full, "truth", key, pictures)),
                (caption(without, key), caption(full, key), "", ""),
            )
            for _, key in chosen
        ]
        if not strips or not any(strips[0].tiles):
            continue
        notes = (
            RULE,
            "V+GT is missing: no hallucinator receives the ground truth.",
            *(f"{run.record.label} ({run.folder_name}); {setting.description}." for run in shown),
        )
        banners = banners_of(shown)
        heads = letters(["V-TN", "VividGAN", "V+GT", "Truth"])
        files = draw(heads, strips, banners, inch=1.3)
        return PaperFigure(
            8, "figure-8-faces", "Impact of the facial component prior: PSNR/SSIM", notes, banners, *files
        )
    return None


def figure_14(runs: Sequence[Run]) -> PaperFigure | None:
    """Confusion matrices of LR faces, TANN, VividGAN, ground-truth faces, and other methods."""
    expression_settings = settings(of_kind(runs, EXPRESSION))
    if not expression_settings:
        return None
    setting = next((s for s in expression_settings if s.data == "mmi" and s.scale == 8), expression_settings[0])
    matrix_of: dict[str, tuple[ConfusionMatrix, Run]] = {}
    for run in setting.runs:
        labels = [str(label) for label in run.record.protocol.get("labels", [])]
        for matrix in confusion_matrices(run.record.label, run.items, labels):
            method = method_of(run)
            title_of_method = (
                f"{method.name}, {method.block}" if "SR (" in method.block or ") +" in method.block else method.name
            )
            title = {"": title_of_method, "bicubic": "Non-frontal LR", "frontal HR": "Frontal HR"}.get(
                matrix.faces, matrix.faces
            )
            if title in matrix_of and not matrix.faces:
                title = run.record.label
            matrix_of.setdefault(title, (matrix, run))
    first = [title for title in ("Non-frontal LR", "TANN", "VividGAN") if title in matrix_of]
    rest = [title for title in matrix_of if title not in (*first, "Frontal HR")]
    titles = [*first, *rest, *(["Frontal HR"] if "Frontal HR" in matrix_of else [])]
    banners = banners_of([run for _, run in matrix_of.values()])
    columns = min(4, len(titles))
    lines = -(-len(titles) // columns)
    with canvas(2.3 * columns + 0.4, 2.5 * lines + 0.2 * len(banners), banners) as figure:
        boxes = figure.subplots(lines, columns, squeeze=False).ravel()
        for at, box in enumerate(boxes):
            if at >= len(titles):
                box.set_axis_off()
                continue
            box.set_title(f"({chr(ord('a') + at % 26)}) {name(titles[at], 28)}", fontsize=7.5)
            _matrix(box, matrix_of[titles[at]][0])
        files = save(figure)
    used = dict.fromkeys(
        f"{title}: {matrix_of[title][1].record.label} ({matrix_of[title][1].folder_name})" for title in titles
    )
    missing = [title for title in ("Non-frontal LR", "TANN", "VividGAN", "Frontal HR") if title not in matrix_of]
    notes = [
        "Percent of the faces of a true expression (rows); failed faces are in no column.",
        f"{setting.title}, {setting.scale}×: {setting.description}.",
        *used,
        *(f"{title}: not run." for title in missing),
    ]
    return PaperFigure(14, "figure-14", f"Confusion matrices on {setting.title}", tuple(notes), banners, *files)


def figure_15(votes: Sequence[Votes]) -> PaperFigure | None:
    """Percent of picks by method, of the first tally."""
    if not votes:
        return None
    tally = votes[0]
    with canvas(5, 0.8 + 0.3 * len(tally.shares) + 0.2 * len(tally.banners), tally.banners) as figure:
        box = figure.add_subplot()
        for at, vote in enumerate(tally.shares):
            box.barh(at, 100 * vote.share, color=_INK, height=0.6)
            end = 100 * vote.share
            if vote.low is not None and vote.high is not None:
                box.hlines(at, 100 * vote.low, 100 * vote.high, color="black", linewidth=1.2)
                end = 100 * max(vote.high, vote.share)
            box.text(end + 1, at, f"{100 * vote.share:.1f}%", va="center")
        box.set_yticks(range(len(tally.shares)), [name(vote.method) for vote in tally.shares])
        box.invert_yaxis()
        box.set_xlim(0, 112)
        box.set_xticks(range(0, 101, 20))
        box.set_xlabel("percent of picks, with 95 % intervals over participants")
        files = save(figure)
    notes = (f"{tally.answered:,} answers of {tally.participants:,} participants ({tally.source}).", *tally.notes)
    return PaperFigure(15, "figure-15", "User study", notes, tally.banners, *files)


def _matrix(box, matrix: ConfusionMatrix) -> None:  # type: ignore[no-untyped-def]  # matplotlib's axes
    size = len(matrix.labels)
    rates = [[100 * (share or 0.0) for _, share in row.cells] for row in matrix.rows]
    box.imshow(rates, cmap="Blues", vmin=0, vmax=100)
    for y, row in enumerate(matrix.rows):
        for x, (_, share) in enumerate(row.cells):
            text = "–" if share is None else f"{100 * share:.0f}"
            box.text(x, y, text, ha="center", va="center", fontsize=6, color="white" if (share or 0) > 0.6 else "black")
    labels = [name(label, 12) for label in matrix.labels]
    box.set_xticks(range(size), labels, rotation=45, ha="right", fontsize=6)
    box.set_yticks(range(size), labels, fontsize=6)
    box.set_xlabel("predicted", fontsize=6.5)
    box.set_ylabel("true", fontsize=6.5)
    box.tick_params(length=0)
    box.spines[:].set_visible(False)
