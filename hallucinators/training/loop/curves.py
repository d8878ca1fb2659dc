"""The curve of a run: a table, a plot, TensorBoard events, and previews of the networks' output."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from bench.io.atomic import open_replacing, write_file

VALIDATION = "val_"  # prefix of columns of the held-out people
_ROWS_OF_A_GRID = 8


class Curve:
    """``curve.csv``, its plot and the previews.

    One row for each step with figures, ascending; a cell is empty without a figure in that step. The first row
    fixes the columns; a later name (a loss that is used late) is added at the end. The table has no times, so that a
    resumed run writes the same bytes as a run without interruption.

    Args:
        folder: folder of the files; it exists.
        step: the step the run continues from; later rows are removed, since they are written again.
        say: called once for each optional package that is not installed.
    """

    def __init__(self, folder: Path, step: int, say: Callable[[str], None]) -> None:
        self._folder, self._step, self._say = folder, step, say
        self._path = folder / "curve.csv"
        self._columns, self._rows = self._read(step)
        self._events: Any = None
        self._missing: set[str] = set()
        if self._path.exists():
            self._write_all()

    def _read(self, step: int) -> tuple[list[str], list[dict[str, str]]]:
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        whole = text[: text.rfind("\n") + 1]  # a crash may leave a torn last line
        header, *rows = list(csv.reader(StringIO(whole))) or [["step"]]
        lines = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header) and row[0].isdigit()]
        return header, [row for row in lines if int(row["step"]) <= step]

    def _write_all(self) -> None:
        text = StringIO()
        writer = csv.DictWriter(text, self._columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_file(self._path, text.getvalue())

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Append the row of a step."""
        row = {"step": str(step)} | {name: f"{value:.9g}" for name, value in figures.items()}
        self._rows.append(row)
        new = [name for name in row if name not in self._columns]
        if new or not self._path.exists():
            self._columns += new
            self._write_all()
        else:
            with self._path.open("a", encoding="utf-8", newline="") as file:
                csv.DictWriter(file, self._columns, restval="", lineterminator="\n").writerow(row)
        if events := self._writer():
            for name, value in figures.items():
                known = name.startswith(VALIDATION)
                tag = f"validation/{name.removeprefix(VALIDATION)}" if known else f"training/{name}"
                events.add_scalar(tag, value, step)

    def draw(self) -> None:
        """Plot the table as ``curve.png``: losses on the left, validation on the right."""
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            self._report_missing("matplotlib", "curve.png is not drawn; curve.csv has the numbers")
            return
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        names = self._columns[1:]
        losses = [name for name in names if not name.startswith(VALIDATION)]
        for position, title, columns in (
            (121, "training", losses),
            (122, "validation", sorted(set(names) - set(losses))),
        ):
            axes = figure.add_subplot(position)
            lowest = 1.0
            for name in columns:
                points = [(int(row["step"]), float(row[name])) for row in self._rows if row.get(name)]
                lowest = min([lowest, *(value for _, value in points)])
                axes.plot(*zip(*points, strict=True), label=name, linewidth=1) if points else None
            if position == 121 and lowest > 0:
                axes.set_yscale("log")
            axes.set(title=title, xlabel="step")
            axes.grid(alpha=0.3)
            if axes.lines:
                axes.legend(fontsize="small")
        with open_replacing(self._folder / "curve.png") as file:
            figure.savefig(file, format="png", dpi=100)

    def preview(self, step: int, columns: Iterable[Tensor]) -> None:
        """Save ``preview-STEP.png``: one face a row, the columns side by side."""
        picture = grid(columns)
        with open_replacing(self._folder / f"preview-{step:08d}.png") as file:
            picture.save(file, format="PNG")
        if events := self._writer():
            events.add_image("preview", np.asarray(picture), step, dataformats="HWC")

    def _writer(self) -> Any:
        """TensorBoard's writer; None if the package is not installed."""
        if self._events is None and "tensorboard" not in self._missing:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self._report_missing("tensorboard", "no events are written; curve.csv has the numbers")
                return None
            self._events = SummaryWriter(str(self._folder / "events"), purge_step=self._step + 1)
        return self._events

    def _report_missing(self, package: str, consequence: str) -> None:
        if package not in self._missing:
            self._missing.add(package)
            self._say(f"{package} is not installed: {consequence}")

    def close(self) -> None:
        """Write pending events."""
        if self._events is not None:
            self._events.close()


def grid(columns: Iterable[Tensor]) -> Image.Image:
    """A picture of columns side by side.

    Args:
        columns: float (N, 3, h, w) in [0, 1] each, of one N; sizes may differ and are enlarged to the largest one by
            repeating pixels. At most eight rows are used.
    """
    arrays = [column[:_ROWS_OF_A_GRID].detach().float().clamp(0, 1).cpu().numpy() for column in columns]
    height, width = max(array.shape[2] for array in arrays), max(array.shape[3] for array in arrays)
    picture = Image.new("RGB", (width * len(arrays), height * max(len(array) for array in arrays)))
    for x, array in enumerate(arrays):
        for y, face in enumerate(np.rint(array.transpose(0, 2, 3, 1) * 255).astype(np.uint8)):
            tile = Image.fromarray(face).resize((width, height), Image.Resampling.NEAREST)
            picture.paste(tile, (x * width, y * height))
    return picture
