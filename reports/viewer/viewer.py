"""The face viewers of a report: their data for the page, and images in the page or in a folder beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reports.runs.groups import Group
from reports.runs.images import Pictures
from reports.viewer.columns import Columns, columns_of, in_order_of_interest, packed, to_data
from reports.viewer.sheets import NONE, make_sheet, slot_count

VIEWERS = ("sampled", "folder", "none")
"""Where images go: as many as fit into the page, all into a folder beside it, or none."""

FOLDER = "faces"
PAGE_IMAGE_BYTES = 6_000_000
"""Limit for the images in a page, shared by its sections."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer of one section.

    Attributes:
        data: for the scripts.
        total: number of probes.
        pictured: number of probes with images.
        faults: sentences on images that could not be read.
    """

    data: Mapping[str, object]
    total: int
    pictured: int
    faults: tuple[str, ...]


def make_viewers(groups: Sequence[Group], viewer: str, folder: Path) -> dict[int, Viewer]:
    """The viewers of all groups whose rows are single probes or faces, by number of the group.

    Args:
        groups: of the report.
        viewer: one of `VIEWERS`.
        folder: of the report; ``viewer="folder"`` writes images into its subfolder `FOLDER`.
    """
    columns_by_group = {
        group.number: (group, columns) for group in groups if (columns := columns_of(group)) is not None
    }
    pictured = sum(
        any((run.folder / "images.zip").is_file() for run in group.runs) for group, _ in columns_by_group.values()
    )
    bytes_left = PAGE_IMAGE_BYTES // max(1, pictured)
    return {
        number: _viewer(group, columns, viewer, folder, bytes_left)
        for number, (group, columns) in columns_by_group.items()
    }


def _viewer(group: Group, columns: Columns, viewer: str, folder: Path, bytes_left: int) -> Viewer:
    data = to_data(columns, group.names, group.baselines)
    slots = np.full((len(columns.keys), slot_count(len(group.runs))), NONE, np.uint8)
    inside: dict[str, str] = {}
    place = f"{FOLDER}/s{group.number}"
    kept = 0
    with Pictures() as pictures:
        probes = {"sampled": in_order_of_interest(columns), "folder": list(range(len(columns.keys)))}.get(viewer, [])
        for probe in probes:
            sheet = make_sheet(group.runs, [int(at) for at in columns.places[probe]], pictures)
            if sheet is None:
                continue
            if viewer == "sampled":
                bytes_left -= len(sheet.data)
                if bytes_left < 0:
                    break
                inside[str(probe)] = base64.b64encode(sheet.data).decode("ascii")
            else:
                (folder / place).mkdir(parents=True, exist_ok=True)
                (folder / place / f"{probe:06d}.jpg").write_bytes(sheet.data)
            slots[probe] = sheet.slots
            kept += 1
        faults = tuple(pictures.faults)
    if kept:
        data |= {"slots": packed(slots, "u1"), "inside": inside, "folder": f"{place}/" if viewer == "folder" else ""}
    return Viewer(data, len(columns.keys), kept, faults)
