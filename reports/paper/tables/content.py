"""Tables I, II, IV, V, VI and VII of the paper from runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION
from reports.paper.tables import published
from reports.paper.tables.layout import Cell, Column, Row, Table, Value, assemble, value_of
from reports.paper.tables.methods import FRONTALISERS, JOINT, LR, OTHER, SUPER_RESOLVERS, Method, chains, method_of
from reports.paper.tables.settings import NAMES, Setting, data_of, settings
from reports.runs.figure_names import split
from reports.runs.run import Run
from reports.text.numbers import chosen

_QUALITY = ("psnr_db", "ssim")
_SR = tuple(SUPER_RESOLVERS.values())
_YAWS = (22, 40, 55, 75)
_DAGGER = "†: the coarse network alone."
_OVER = "PSNR [dB] / SSIM of RGB against the frontal truth; failed faces are left out of the means."


def of_kind(runs: Sequence[Run], kind: str) -> list[Run]:
    """The runs of one kind, in order."""
    return [run for run in runs if run.kind == kind]


def table_1(runs: Sequence[Run], scale: int, *, with_published: bool) -> Table:
    """Average PSNR and SSIM of the competing methods by data set."""
    entries = _with_gaps(settings(of_kind(runs, RESTORATION), scales=(scale,)), ("multipie", "mmi", "celeba"))
    columns = [
        (Column(f"{at}", (title, "PSNR / SSIM"), (1, 1), data if first else ""), members)
        for at, (data, title, members, first) in enumerate(entries)
    ]
    rows = assemble([(column, members, _figures(*_QUALITY)) for column, members in columns], _rows(runs))
    shown = published.table_1() if with_published and scale == 8 else {}
    return Table(
        "I",
        f"table-1-{scale}x",
        f"Average PSNR [dB] and SSIM of the competing methods, {scale}x",
        tuple(column for column, _ in columns),
        rows,
        (_OVER, _DAGGER, *_descriptions(runs, RESTORATION, scale), *_notes("I", shown)),
        shown,
    )


def table_2(runs: Sequence[Run], scale: int, *, with_published: bool) -> Table:
    """PSNR and SSIM by yaw: those of the paper, then every other yaw of a run."""
    entries = _with_gaps(settings(of_kind(runs, RESTORATION), scales=(scale,)), ("celeba", "mmi"))
    columns = []
    for yaw in sorted({*_YAWS, *(yaw for *_, members, _ in entries for run in members for yaw in _yaws(run))}):
        for at, (data, title, members, first) in enumerate(entries):
            usual = data in ("celeba", "mmi") and yaw in _YAWS
            if usual or any(yaw in _yaws(run) for run in members):
                names = [f"{name} (yaw {yaw:g})" for name in _QUALITY]
                paper = f"{data}@{yaw:g}" if usual and first else ""
                columns.append(
                    (Column(f"{at}@{yaw:g}", (f"±{yaw:g}°", title), (1, 1), paper), members, _figures(*names))
                )
    shown = published.table_2() if with_published and scale == 8 else {}
    return Table(
        "II",
        f"table-2-{scale}x",
        f"PSNR [dB] / SSIM by out-of-plane rotation, {scale}x",
        tuple(column for column, *_ in columns),
        assemble(columns, _rows(runs, coarse=False)),
        (_OVER, _DAGGER, *_descriptions(runs, RESTORATION, scale), *_notes("II", shown)),
        shown,
    )


def table_4(runs: Sequence[Run], scale: int, *, with_published: bool) -> Table:
    """Parameters, time, and PSNR on CelebA."""
    timed = settings(of_kind(runs, EFFICIENCY), scales=(scale,))
    columns: list[tuple[Column, Sequence[Run], Callable[[Run], Cell]]] = []
    for at, setting in enumerate(timed):
        head = setting.title if len(timed) == 1 else setting.description
        head = "Cost" if head == setting.data else head
        names = dict.fromkeys(name for run in setting.runs for name in run.record.metrics if name.startswith("ms@"))
        first = at == 0
        column = Column(f"{at}n", (head, "Parameters"), (-1,), "parameters" if first else "")
        columns.append((column, setting.runs, _figures("parameters")))
        for place, name in enumerate(names):
            word = f"ms a face, {name.removeprefix('ms@').replace('=', ' ')}"
            column = Column(f"{at}{name}", (head, word), (-1,), "ms" if first and not place else "")
            columns.append((column, setting.runs, _figures(name)))
    entries = _with_gaps(
        [s for s in settings(of_kind(runs, RESTORATION), scales=(scale,)) if s.data == "celeba"], ("celeba",)
    )
    timed_rows = {method_of(run) for setting in timed for run in setting.runs}
    for at, (_, title, members, first) in enumerate(entries):
        column = Column(f"psnr{at}", (title, "PSNR [dB]"), (1,), "psnr_db" if first else "")
        members = tuple(run for run in members if method_of(run) in timed_rows)
        columns.append((column, members, _figures("psnr_db")))
    shown = published.table_4() if with_published and scale == 8 else {}
    fixed = [m for m in _rows(runs) if m.name != "Bicubic"]
    return Table(
        "IV",
        f"table-4-{scale}x",
        f"Efficiency, {scale}x",
        tuple(column for column, *_ in columns),
        assemble(columns, fixed) if timed else (),
        ("Parameters are counted, not kilobytes. Times are medians over passes.", _DAGGER)
        + (*(f"{s.title}: {s.description}." for s in timed), *_machines(timed), *_notes("IV", shown)),
        shown,
    )


def table_5(runs: Sequence[Run], *, with_published: bool) -> Table:
    """Partitions: sizes of galleries, probes and distractors."""
    names = {
        "identities": ("Whole data set", "Identities"),
        "images": ("Whole data set", "Images"),
        "gallery": ("Testing", "Gallery"),
        "probe": ("Testing", "Probe"),
        "probe identities": ("Testing", "Probe identities"),
        "distractor": ("Testing", "Distractors"),
        "capture": ("", "C/U"),
    }
    columns = tuple(Column(key, heads, (0,), key) for key, heads in names.items())
    shown = published.table_5() if with_published else {}
    rows: dict[str, Row] = {data: Row("", title) for data, title in NAMES.items()}
    seen: set[str] = set()
    for setting in settings(of_kind(runs, IDENTIFICATION)):
        if setting.description in seen:  # one of both scales
            continue
        seen.add(setting.description)
        row = rows.get(setting.data)
        if row is None:
            row = rows[setting.data] = Row("", setting.title)
        elif row.cells:
            row = rows[setting.description] = Row("", f"{setting.title} · {setting.description}")
        row.name = row.name if setting.description in rows else setting.title
        row.cells = _counts(setting)
    return Table(
        "V",
        "table-5",
        "Data partition and statistics of the data sets in the searches",
        columns,
        tuple(rows.values()),
        ("Runs count only what they read, so the sizes of whole data sets are missing.",)
        + (("C: under-controlled, U: unconstrained.",) if shown else ()),
        shown,
        NAMES,
    )


def table_6(runs: Sequence[Run], part: str, *, with_published: bool) -> Table:
    """Rank-1 and rank-5: part ``a`` of Multi-PIE, CelebA, MMI; ``b`` of all others."""
    first = ("multipie", "celeba", "mmi")
    runs_of_part = [run for run in of_kind(runs, IDENTIFICATION) if (data_of(run) in first) == (part == "a")]
    wanted = first if part == "a" else ("tinyface", "dronesurf", "ijbc")
    entries = [
        (s.data, s.scale, s.title, s.runs, s.paper, s.description)
        for s in settings(runs_of_part, by_recogniser=True, scales=(4, 8))
    ]
    known = {(data, scale) for data, scale, *_ in entries}
    gaps = [(d, scale, NAMES[d], (), True, "") for d in wanted for scale in (4, 8) if (d, scale) not in known]
    entries = sorted([*entries, *gaps], key=lambda item: (wanted.index(item[0]) if item[0] in wanted else 9, item[1]))
    columns = [
        (
            Column(f"{at}", (title, f"{128 // scale}×{128 // scale}, {scale}×", "Rank-1 / Rank-5"), (1, 1),
                   f"{data}@{scale}" if paper else ""),
            members,
            _figures("rank-1", "rank-5"),
        )
        for at, (data, scale, title, members, paper, _) in enumerate(entries)
    ]  # fmt: skip
    fixed = [Method(LR, "LR face"), Method(JOINT, "TANN"), Method(JOINT, "VividGAN")]
    shown = published.table_6() if with_published else {}
    descriptions = dict.fromkeys(f"{title}: {description}." for *_, title, _, _, description in entries if description)
    return Table(
        "VI",
        f"table-6{part}",
        "Face recognition rates" + (" on under-controlled databases and CelebA" if part == "a" else " in the wild"),
        tuple(column for column, *_ in columns),
        assemble(columns, fixed),
        (
            "Percent of all searches whose probe has a mate; a failed probe counts as a miss. A method that takes "
            "native faces of any size is in both scales.",
            *descriptions,
            *_aligners(runs_of_part),
            *_notes("VI", shown),
        ),
        {key: cells for key, cells in shown.items() if any(c.paper in cells for c, *_ in columns)},
    )


def table_7(runs: Sequence[Run], *, with_published: bool) -> Table:
    """Accuracy of expressions."""
    expression_settings = settings(of_kind(runs, EXPRESSION))
    columns: list[tuple[Column, Sequence[Run], Callable[[Run], Cell]]] = []
    for at, setting in enumerate(expression_settings):
        head = f"{setting.title}, {setting.scale}×"
        first = at == next((i for i, s in enumerate(expression_settings) if s.data == "mmi" and s.scale == 8), None)
        columns.append((Column(f"{at}a", (head, "All faces"), (1,)), setting.runs, _figures("accuracy")))
        mean = Column(f"{at}m", (head, "Mean of folds"), (1,), "accuracy" if first else "")
        columns.append((mean, setting.runs, _figures("accuracy (mean of folds)")))
    shown = published.table_7() if with_published else {}
    fixed = [*(m for m in _rows(runs) if m.name != "VividGAN†")]
    rows = list(assemble(columns, fixed))
    notes = []
    for name, reference in (("Non-frontal LR", "bicubic"), ("Frontal HR", "frontal HR")):
        row = Row(OTHER, name, competes=name != "Frontal HR")
        for at, setting in enumerate(expression_settings):
            values = [v for run in setting.runs if (v := value_of(run, f"accuracy ({reference})"))]
            if values:
                row.cells[f"{at}a"] = (values[0],)
            if len({value.value for value in values}) > 1:
                notes.append(
                    f"{name}, {setting.title}: the classifiers of the runs differ, so this figure differs "
                    f"({', '.join(f'{v.text} in {v.source}' for v in values)}); the table shows that of the first run."
                )
        rows.append(row)
    descriptions = tuple(f"{s.title}, {s.scale}×: {s.description}." for s in expression_settings)
    return Table(
        "VII",
        "table-7",
        "Facial expression classification",
        tuple(column for column, *_ in columns),
        tuple(rows),
        (
            "Percent of all tested faces; a failed face counts as a miss. Non-frontal LR: LR faces enlarged by bicubic "
            "interpolation. Frontal HR is an upper bound and no method.",
            *descriptions,
            *notes,
            *_notes("VII", shown),
        ),
        shown,
    )


def _rows(runs: Sequence[Run], *, coarse: bool = True) -> list[Method]:
    """Rows of the paper: chains of DR-GAN and of every other frontaliser that was run, and the joint methods."""
    blocks = {method_of(run).block for run in runs}
    names = [n for n in FRONTALISERS.values() if n == "DR-GAN" or any(f"({n})" in block for block in blocks)]
    joint = ["TANN", *(["VividGAN†"] if coarse else []), "VividGAN"]
    return [*(m for name in names for m in chains(_SR, name)), *(Method(JOINT, name) for name in joint)]


ColumnRuns = tuple[str, str, tuple[Run, ...], bool]


def _with_gaps(present: Sequence[Setting], wanted: Sequence[str]) -> list[ColumnRuns]:
    """Columns, with empty ones for data sets of the paper that were not run."""
    columns = [(s.data, s.title, s.runs, s.paper) for s in present]
    known = {setting.data for setting in present}
    columns += [(data, NAMES[data], (), True) for data in wanted if data not in known]
    order = (*wanted, *NAMES)
    return sorted(columns, key=lambda item: order.index(item[0]) if item[0] in order else len(order))


def _figures(*names: str) -> Callable[[Run], Cell]:
    return lambda run: tuple(value_of(run, name) for name in names)


def _yaws(run: Run) -> set[float]:
    parts = (split(name) for name in run.record.metrics)
    return {float(part.removeprefix("yaw ")) for base, part in parts if base == "psnr_db" and part.startswith("yaw ")}


def _counts(setting: Setting) -> dict[str, Cell]:
    run = setting.runs[0]
    counts = run.record.data.get("counts", {})
    return {
        key: (Value(float(counts[key]), "count", f"counts: {key}", run.folder_name, run.record.label,
                    notices=run.banners),)
        for key in ("gallery", "probe", "probe identities", "distractor")
        if isinstance(counts.get(key), int)
    }  # fmt: skip


def _descriptions(runs: Sequence[Run], kind: str, scale: int) -> list[str]:
    return [f"{s.title}: {s.description}." for s in settings(of_kind(runs, kind), scales=(scale,))]


def _machines(timed: Sequence[Setting]) -> tuple[str, ...]:
    """A sentence for each column with times from several machines."""
    keys = ("platform", "cpu_count", "device")
    return tuple(
        f"{setting.title}: timed on different machines, so times are not comparable: {' | '.join(sorted(machines))}."
        for setting in timed
        if len(machines := {chosen(run.record.environment, keys) for run in setting.runs}) > 1
    )


def _aligners(runs: Sequence[Run]) -> tuple[str, ...]:
    descriptions = dict.fromkeys(f"{run.record.label}: {run.aligner}" for run in runs if run.aligner)
    sides = dict.fromkeys(f"{run.record.label} ({data_of(run)})" for run in runs if run.side == "both")
    return (
        *((f"Aligned by: {'; '.join(descriptions)}.",) if descriptions else ()),
        *((f"Gallery hallucinated too: {'; '.join(sides)}.",) if sides else ()),
    )


def _notes(number: str, shown: object) -> tuple[str, ...]:
    return published.NOTES.get(number, ()) if shown else ()
