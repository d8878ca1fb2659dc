"""The charts of a report, each with its numbers as a table. Imports the runs, statistics and text of `reports`."""

from __future__ import annotations

from collections.abc import Sequence

from reports.charts.chart import Chart, Number
from reports.runs.groups import Group

__all__ = ["Chart", "Number", "charts_of", "scatters_of"]


def charts_of(group: Group) -> list[Chart]:
    """The charts of a section, in the order of the page; charts without numbers are left out."""
    from reports.charts.cost import times
    from reports.charts.detection import det, open_set
    from reports.charts.histograms import histograms
    from reports.charts.yaw import quality_by_yaw, rank_by_yaw

    charts = [open_set(group), det(group), rank_by_yaw(group), *quality_by_yaw(group), histograms(group), times(group)]
    return [chart for chart in charts if chart is not None]


def scatters_of(groups: Sequence[Group]) -> list[Chart]:
    """Image quality against recognition, over the methods for which the report has both."""
    from reports.charts.quality_vs_recognition import scatters

    return scatters(groups)
