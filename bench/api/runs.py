"""`bench.run`: one run, measured by the code of ``bench run``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from bench import progress as progress_display
from bench.api.tables import figures_table, html_lines, html_table, rows_table
from bench.config import Flip, Fusion, Overwrite, make_config
from bench.execution.execute import execute, prepare
from bench.execution.text import figure_rows, recogniser_of, run_notes
from bench.results import Figure, RunRecord, RunResult
from bench.results.kinds import recorded_kind
from bench.results.text import banners
from bench.types import SideChoice

if TYPE_CHECKING:
    import pandas as pd


class RunOptions(TypedDict, total=False):
    """Further options of a run; names, values and defaults are those of `bench.config.RunConfig`."""

    align_gallery: str | None
    hallucinate: SideChoice
    flip: Flip | None
    fusion: Fusion | None
    label: str | None
    manifest: str | Path | None
    limit: int | None
    limit_gallery: int | None
    overwrite: Overwrite
    cache: str | Path | None
    no_cache: bool
    trust_times: bool
    images: Literal["all", "none"]
    batch_size: int
    device: str
    threads: int
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        folder: its run folder, absolute.
        result: its record, rows and arrays.
        doubts: claims of ``run.json`` that could not be verified; always empty for a run that was computed now.
    """

    folder: Path
    result: RunResult = field(repr=False)
    doubts: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: str | Path) -> Run:
        """Read a run folder, with the checks of ``bench score``.

        Raises:
            MissingError: there is no run folder.
            DataError: it is damaged, of another schema version, or contradicts itself.
        """
        from reports.runs.load import read_result

        result, standing = read_result(Path(folder))
        return cls(Path(folder).absolute(), result, tuple(standing.doubts))

    @property
    def record(self) -> RunRecord:
        """The content of ``run.json``: configuration, stages, warnings, ledger, environment."""
        return self.result.record

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The figures by name, as in ``run.json``; fractions are in [0, 1]."""
        return self.record.metrics

    @property
    def figures_table(self) -> pd.DataFrame:
        """The figures as a table: value, interval and denominators, one row a figure."""
        return figures_table(self.figures)

    @property
    def probes(self) -> pd.DataFrame:
        """The rows of ``per_probe.csv`` (of ``per_item.csv`` where no gallery is searched), one row a probe or item."""
        return rows_table(self.result.probes or self.result.items)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be shown beside the figures: banners of smoke runs and samples, doubts, warnings of the run."""
        doubts = (f"NOT CONFIRMED: {doubt}" for doubt in self.doubts)
        return (*banners(self.record), *doubts, *self.record.warnings)

    def report(self, path: str | Path) -> Path:
        """Write the report of this run, as ``bench report`` does.

        Args:
            path: folder of the report; an earlier report there is replaced.

        Returns:
            The page, ``index.html``.

        Raises:
            BenchError: the folder holds other files, or the disk is full.
        """
        from reports import build

        return build([self.folder], Path(path))[0]

    def _repr_html_(self) -> str:
        """The warnings and figures for a notebook."""
        rows, more = figure_rows(self.figures, recorded_kind(self.record.protocol))
        title = f"{self.record.protocol['name']}, {self.record.label}{recogniser_of(self.record)}"
        return "".join(
            [
                html_lines(self.warnings, "p"),
                html_lines([title]),
                html_table(rows),
                html_lines([*more, *run_notes(self.record), str(self.folder)]),
            ]
        )


def run(
    protocol: str,
    hallucinator: str = "none",
    *,
    data: str | Path | None = None,
    recogniser: str = "sface",
    align: str | None = None,
    out: str | Path | None = None,
    progress: bool = True,
    **options: Unpack[RunOptions],
) -> Run:
    """Measure a hallucinator under a protocol: ``bench run`` with the same names.

    A finished run of the same request, data and code in the run folder is read and not computed again.

    Args:
        protocol: ``name:key=value``; `bench.list` shows the names.
        hallucinator: a hallucinator or a chain, ``A:key=value+B``.
        data: folder of the data set; None takes the stored setting, else the sample of the protocol.
        recogniser: ``name:key=value``.
        align: the aligner of both sides; None takes the default of the protocol.
        out: the run folder; None makes one under ``runs/`` in the working folder.
        progress: whether progress is shown on standard error.
        options: see `RunOptions`.

    Raises:
        UsageError: a name, argument or option is wrong.
        MissingError: the data set, a package or a file is missing.
        DataError: the data cannot be used.
        BenchError: no probe could be scored, or the run folder holds something else.
    """
    flags: dict[str, object] = {"protocol": protocol, "hallucinator": hallucinator, "recogniser": recogniser, **options}
    flags |= {key: value for key, value in (("data_root", data), ("align", align), ("out", out)) if value is not None}
    config = make_config(None, {key: str(value) if isinstance(value, Path) else value for key, value in flags.items()})
    with nullcontext() if progress else progress_display.hidden():
        prepared = prepare(config)
        result, _ = execute(prepared)
    return Run(prepared.out.absolute(), result)
