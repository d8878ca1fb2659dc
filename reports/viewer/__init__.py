"""The face viewer: every probe or face of a section with what each run made of it, as data for the page's scripts."""

from __future__ import annotations

from reports.viewer.viewer import FOLDER, VIEWERS, Viewer, make_viewers

__all__ = ["FOLDER", "VIEWERS", "Viewer", "make_viewers"]
