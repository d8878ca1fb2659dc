"""The face viewer of a report: every probe or face under every run. Imports the runs and text of `reports`."""

from __future__ import annotations

from reports.viewer.viewer import FOLDER, VIEWERS, Viewer, make_viewers

__all__ = ["FOLDER", "VIEWERS", "Viewer", "make_viewers"]
