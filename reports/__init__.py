"""Builds pages, tables and figures from run folders. Imports `bench`; needs no torch, hallucinator or protocol."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import UsageError

__distribution__ = "face-hallucination-bench"
FILES = ("index.html", "report.md", "summary.csv", "paired.csv", "report.json")
_log = logging.getLogger(__name__)


def build(
    runs: Sequence[Path],
    out: Path,
    *,
    baseline: str | None = None,
    viewer: str = "sampled",
    given_names: Mapping[Path, str] | None = None,
) -> list[Path]:
    """Write a report that shows runs side by side.

    Runs of different protocols or data are in separate sections. A damaged run folder beside good ones is left out,
    named in the report and logged as a warning. Equal runs in the same order give equal bytes.

    Args:
        runs: run folders; the order is that of the report.
        out: folder of the report; an earlier report there is replaced.
        baseline: label, name in the report or folder name of the run to compare with; None takes the one labelled
            ``none``, else the first of each section; ``strongest`` takes for each recogniser the run of the LR face
            with the highest headline figure, whatever its alignment.
        viewer: which images the page has: ``sampled``, as many as fit into the page, the probes that changed most
            first; ``folder``, all images, in the folder ``faces`` beside the page; ``none``, no images.
        given_names: names of some runs in the report, by folder; the others have that of ``--label``, else their chain.

    Returns:
        The files written: ``index.html``, ``report.md``, ``summary.csv``, ``paired.csv``, ``report.json``.

    Raises:
        UsageError: no runs, smoke runs on other probes, no run called ``baseline``, or an unknown ``viewer``.
        MissingError: a run folder does not exist.
        DataError: all run folders are damaged.
        BenchError: ``out`` contains other files, or the disk is full; ``out`` is then unchanged.
    """
    from reports.charts import charts_of, scatters_of
    from reports.charts.cmc import cmc_curves
    from reports.page.content import make_page
    from reports.page.folder import check_folder, replacing, write_files
    from reports.page.to_csv import paired, summary, to_csv
    from reports.page.to_html import to_html
    from reports.page.to_json import to_report
    from reports.page.to_markdown import to_markdown
    from reports.runs.groups import make_groups
    from reports.runs.load import load
    from reports.text.numbers import plain
    from reports.viewer import FOLDER, VIEWERS, make_viewers

    if viewer not in VIEWERS:
        raise UsageError(f"Unknown viewer {viewer!r}; choose one of {', '.join(VIEWERS)}.")
    names = (*FILES, f"{FOLDER}/")
    check_folder(out, names)
    loaded, skipped = load(runs, given_names)
    for item in skipped:
        _log.warning("Left out of the report: %s. %s", plain(item.folder_name), plain(item.reason))
    groups = make_groups(loaded, baseline)
    page = make_page(groups, skipped, baseline=baseline, pictures=viewer != "none")
    curves = {group.number: cmc_curves(group) for group in groups if group.first.searched}
    charts = {group.number: charts_of(group) for group in groups}
    with replacing(out, names) as folder:
        texts = (
            to_html(page, curves, charts, scatters_of(groups), make_viewers(groups, viewer, folder)),
            to_markdown(page),
            to_csv(summary(groups)),
            to_csv(paired({section.number: section.comparisons for section in page.sections})),
            to_report(page),
        )
        write_files(folder, dict(zip(FILES, texts, strict=True)))
    return [out / name for name in FILES]
