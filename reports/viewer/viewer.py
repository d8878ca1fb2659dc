"""Viewers of a report: data for the page, and pictures inside it or in a folder beside it."""

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
"""Pictures of as many probes as fit into the page, of all in a folder beside it, or of none."""

FOLDER = "faces"
ROOM = 6_000_000
"""Bytes of pictures in a page, shared by its sections."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer of one section.

    Attributes:
        data: for the scripts.
        total: probes in it.
        pictured: probes with pictures.
        faults: sentences on pictures that could not be read.
    """

    data: Mapping[str, object]
    total: int
    pictured: int
    faults: tuple[str, ...]


def make_viewers(groups: Sequence[Group], viewer: str, folder: Path) -> dict[int, Viewer]:
    """The viewers of all groups that have single probes or faces to look at, by number of the group.

    Args:
        groups: of the report.
        viewer: one of `VIEWERS`.
        folder: of the report; pictures of ``folder`` are written into its `FOLDER`.
    """
    drawn = {group.number: (group, columns) for group in groups if (columns := columns_of(group)) is not None}
    pictured = sum(any((run.folder / "images.zip").is_file() for run in group.runs) for group, _ in drawn.values())
    room = ROOM // max(1, pictured)
    return {number: _viewer(group, columns, viewer, folder, room) for number, (group, columns) in drawn.items()}


def _viewer(group: Group, columns: Columns, viewer: str, folder: Path, room: int) -> Viewer:
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
                room -= len(sheet.data)
                if room < 0:
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
