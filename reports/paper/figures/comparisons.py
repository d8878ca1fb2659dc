"""Figures 10, 11, 12 and 13: the outputs of the methods for the same faces."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results import ProbeRow
from bench.results.kinds import IDENTIFICATION, RESTORATION
from reports.paper.figures.canvas import PaperFigure
from reports.paper.figures.faces import RULE, Strip, banners_of, draw, letters, median_faces, picture
from reports.paper.tables.content import of_kind
from reports.paper.tables.methods import F_SR, JOINT, LR, SR_F, Method, method_of
from reports.paper.tables.settings import NAMES, settings
from reports.runs.images import Pictures
from reports.runs.run import Run

_COLUMNS = ((SR_F, "Bicubic"), (F_SR, "CBN"), (F_SR, "WaveletSRnet"), (SR_F, "SRGAN"), (SR_F, "TDAE"), (JOINT, "TANN"))
_LAST = Method(JOINT, "VividGAN")
_YAWS = {"multipie": (60, 45, -75, -90), "celeba": (-40, -75, -22), "mmi": (75, 75, -40)}
_ALL_YAWS = (-90, -75, -60, -55, -45, -40, -30, -22, -15, 15, 22, 30, 40, 45, 55, 60, 75, 90)
_MOST = 6  # faces of figure 13
_MOST_METHODS = 12


def figure_10(runs: Sequence[Run], pictures: Pictures) -> PaperFigure | None:
    """Multi-PIE at four yaws by every method; None where no run of it keeps images."""
    return _comparison(10, runs, ("multipie",), "DR-GAN", pictures)


def figure_11(runs: Sequence[Run], pictures: Pictures) -> PaperFigure | None:
    """CelebA, then MMI, by every method."""
    return _comparison(11, runs, ("celeba", "mmi"), "Hassner", pictures)


def figure_12(runs: Sequence[Run], pictures: Pictures) -> PaperFigure | None:
    """LR faces, outputs of VividGAN and ground truth, one column for each yaw, of the first setting with VividGAN."""
    for setting in settings(of_kind(runs, RESTORATION)):
        run = _vividgan_run(setting.runs)
        if run is None or not _has_images(run, pictures):
            continue
        chosen = median_faces([run], _ALL_YAWS)
        if not chosen:
            continue
        strips = [
            Strip(word, tuple(picture(run, kind, key, pictures) for _, key in chosen))
            for word, kind in (("LR", "lr"), (method_of(run).name, "out"), ("Truth", "truth"))
        ]
        heads = [f"{yaw:+g}°" for yaw, _ in chosen]
        title = f"Results of {method_of(run).name} on {setting.title}, {setting.scale}×"
        notes = (RULE, f"{run.record.label} ({run.folder_name}); {setting.description}.")
        return PaperFigure(12, "figure-12", title, notes, run.banners, *draw(heads, strips, run.banners))
    return None


def figure_13(runs: Sequence[Run], pictures: Pictures) -> PaperFigure | None:
    """Faces in the wild above the outputs of VividGAN: from searches in TinyFace and DroneSURF."""
    tiles: list[tuple[bytes | None, bytes | None]] = []
    heads, used, notes = [], [], []
    for data in ("tinyface", "dronesurf"):
        of_data = [s for s in settings(of_kind(runs, IDENTIFICATION)) if s.data == data]
        run = next(
            (
                candidate
                for s in of_data
                if (candidate := _vividgan_run(s.runs)) is not None and _has_images(candidate, pictures)
            ),
            None,
        )
        if run is None:
            notes.append(f"{NAMES[data]}: no run of VividGAN with images.")
            continue
        used.append(run)
        notes.append(f"{NAMES[data]}: {run.record.label} ({run.folder_name}).")
        for place in _spread(run.probes, _MOST // 2):
            tiles.append((pictures.find(run, "lr", place), pictures.find(run, "out", place)))
            heads.append(NAMES[data])
    if not tiles:
        return None
    strips = [
        Strip("LR", tuple(lr for lr, _ in tiles)),
        Strip("\n".join(dict.fromkeys(method_of(run).name for run in used)), tuple(out for _, out in tiles)),
    ]
    notes.append("Probes are chosen by a rule: those that did not fail, by key, at even distances.")
    banners = banners_of(used)
    lettered = [f"({chr(ord('a') + at)}) {head}" for at, head in enumerate(heads)]
    return PaperFigure(13, "figure-13", "LR faces in the wild", tuple(notes), banners, *draw(lettered, strips, banners))


def _comparison(
    number: int, runs: Sequence[Run], data: Sequence[str], frontaliser: str, pictures: Pictures
) -> PaperFigure | None:
    shown_settings = [s for s in settings(of_kind(runs, RESTORATION), scales=(8,)) if s.data in data and s.paper]
    shown_settings = [s for s in shown_settings if any(_has_images(run, pictures) for run in s.runs)]
    if not shown_settings:
        return None
    shown_settings.sort(key=lambda setting: data.index(setting.data))
    runs_by_setting = [{method_of(run): run for run in reversed(s.runs)} for s in shown_settings]
    other = {"DR-GAN": "Hassner", "Hassner": "DR-GAN"}[frontaliser]
    blocks = {method.block for run_by_method in runs_by_setting for method in run_by_method}
    used = other if f"({other})" in " ".join(blocks) and f"({frontaliser})" not in " ".join(blocks) else frontaliser
    wanted = [Method(block.format(used), name) for block, name in _COLUMNS] + [_LAST]
    extra = dict.fromkeys(
        m for run_by_method in runs_by_setting for m in run_by_method if m not in wanted and m.block != LR
    )
    methods = [
        *wanted[:-1],
        *sorted(extra, key=lambda method: method.block == JOINT)[: _MOST_METHODS - len(wanted)],
        _LAST,
    ]
    strips, notes = [], [RULE]
    for setting, run_by_method in zip(shown_settings, runs_by_setting, strict=True):
        shown = [run for method in methods if (run := run_by_method.get(method))]
        notes.append(
            f"{setting.title}: {setting.description}; "
            + ", ".join(f"{r.record.label} ({r.folder_name})" for r in shown)
        )
        if not shown:
            continue
        last = _vividgan_run(shown) or shown[-1]
        notes.append(f"{setting.title}: the last method is {last.record.label} ({last.folder_name}).")
        ordered = [*(run for run in shown if run is not last), last]
        for yaw, key in median_faces(ordered, _YAWS[setting.data]):
            lr = next((image for run in shown if (image := picture(run, "lr", key, pictures))), None)
            truth = next((image for run in shown if (image := picture(run, "truth", key, pictures))), None)
            outputs = (picture(run_by_method.get(method), "out", key, pictures) for method in methods)
            strips.append(Strip(f"{setting.title}\n{yaw:+g}°", (lr, *outputs, truth)))
    if not strips:
        return None
    if len(extra) > _MOST_METHODS - len(wanted):
        notes.append(f"{len(extra) - _MOST_METHODS + len(wanted)} more methods were run and are not shown.")
    notes.append(
        "The column of fine-grained facial components of the paper is left out, because runs store no such images."
    )
    heads = letters(["LR", *(_words(method, used) for method in methods), "Truth"])
    banners = banners_of([run for run_by_method in runs_by_setting for run in run_by_method.values()])
    title = f"Methods on {' and '.join(setting.title for setting in shown_settings)}, 8×, frontalised by {used}"
    return PaperFigure(number, f"figure-{number}", title, tuple(notes), banners, *draw(heads, strips, banners))


def _words(method: Method, frontaliser: str) -> str:
    for form, words in ((F_SR, "{1} + {0}"), (SR_F, "{0} + {1}")):
        if method.block == form.format(frontaliser):
            return words.format(method.name, frontaliser)
    return method.name


def _vividgan_run(runs: Sequence[Run]) -> Run | None:
    """The first run of VividGAN, else of one of its variants."""
    for name in ("VividGAN", "VividGAN-flow", "VividGAN†", "VividGAN-flow†"):
        for run in runs:
            method = method_of(run)
            if method.block == JOINT and method.name.removesuffix(" + CycleGAN") == name:
                return run
    return None


def _has_images(run: Run, pictures: Pictures) -> bool:
    rows: Sequence[object] = run.items or run.probes
    return any(pictures.find(run, "lr", place) for place in range(min(len(rows), 16)))


def _spread(rows: Sequence[ProbeRow], most: int) -> list[int]:
    good = sorted((row.key, at) for at, row in enumerate(rows) if row.status == "ok")
    step = max(1, len(good) // most)
    return [at for _, at in good[::step]][:most]
