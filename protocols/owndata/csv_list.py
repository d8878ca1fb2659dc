"""Pictures that a table lists: paths, people, roles; optionally templates, boxes, points, yaw and groups."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.errors import DataError
from bench.grammar.values import suggestion
from bench.io.textfiles import finite_number, quote, whole_number
from bench.types import Points, Role
from protocols.base.root import escaped_name
from protocols.owndata.entries import ROLES, Box, Entry, Faults, Listing, composed
from protocols.owndata.paths import OUTSIDE, OUTSIDE_ADVICE, Below, quoted
from protocols.owndata.table import Row, read_table

NEEDED = ("path", "identity", "role")
POINTS = tuple(f"{axis}{number}" for number in range(1, 6) for axis in "xy")
BOX = ("left", "top", "width", "height")
KNOWN = (*NEEDED, "template", "media", "split", "yaw", *POINTS, *BOX, "frame")
ALL = "all"
RESTORED = ("lr", "hr")
"""Columns of LR pictures and their ground truth."""
_MOST_VALUES = 50  # of a group; more would be one figure for each picture
_LARGEST = 1e6  # pixels


def read_list(root: Path, table: Path, *, split: str = "", templates: bool = False) -> Listing:
    """Read a table of pictures.

    Args:
        root: the data root, below which all files must lie; paths are relative to it.
        table: the CSV, TSV or Parquet file.
        split: value of the column ``split`` whose rows are read; ``all`` reads every row.
        templates: whether rows without a template form one template for each person and role.

    Raises:
        DataError: the table has no usable header; or it has several splits and none was chosen.
        MissingError: see `read_table`.
    """
    content = read_table(table, NEEDED, (*KNOWN, *RESTORED))
    rows, notes = rows_of_split(table, content.rows, split)
    faults, below = content.faults, Below(root)
    groups = [name for name in content.columns if name and name not in KNOWN]
    entries = [entry for row in rows if (entry := _entry(row, below, groups, faults, templates)) is not None]
    probes = [entry.attributes for entry in entries if entry.role == "probe"]
    groups = ["yaw_deg"] * ("yaw" in content.columns) + groups
    many = {name for name in groups if len({facts[name] for facts in probes if name in facts}) > _MOST_VALUES}
    if many:
        listed = ", ".join(map(quote, sorted(many)))
        notes.append(f"Columns with more than {_MOST_VALUES} values are not used to break down figures: {listed}.")
    return Listing(table, tuple(entries), faults, tuple(notes), tuple(name for name in groups if name not in many))


def rows_of_split(table: Path, rows: list[Row], split: str) -> tuple[list[Row], list[str]]:
    """The rows of a split, and notes.

    Args:
        table: the file, for messages.
        rows: all rows.
        split: value of the column ``split``; ``all`` takes every row, empty every row of a table with one split.

    Raises:
        DataError: there are several splits and none was chosen, or no row of the chosen one.
    """
    values = sorted({row.cells.get("split", "") for row in rows})
    if split == ALL:
        return rows, []
    if not split:
        if len(values) > 1:
            listed = ", ".join(quote(value) for value in values[:5])
            raise DataError(
                f"{table} has rows of {len(values)} splits: {listed}. Choose one by the argument split=NAME, or "
                f"split={ALL}."
            )
        return rows, []
    if split not in values:
        listed = ", ".join(quote(value) for value in values[:5])
        raise DataError(f"{table} has no row of the split {quote(split)}; its splits are {listed}.")
    chosen = [row for row in rows if row.cells.get("split", "") == split]
    return chosen, [f"{len(chosen):,} of {len(rows):,} rows are used, those of the split {split}."]


def _entry(row: Row, below: Below, groups: list[str], faults: Faults, templates: bool) -> Entry | None:
    """The picture of a row; None where the row has a fault."""
    cells, place = row.cells, row.place
    role = _role(cells.get("role", ""), place, faults)
    located = below.locate(cells.get("path", ""))
    if located is None:
        if "path" not in cells:
            faults.add("rows without a path", place, "Fill the column path, or remove the row.")
        else:
            faults.add(OUTSIDE, quoted(place, cells["path"]), OUTSIDE_ADVICE)
    identity = composed(escaped_name(cells["identity"])) if "identity" in cells else None
    if identity is None and role in ("gallery", "probe"):
        faults.add(f"{role} rows without an identity", place, "Fill the column identity.")
    numbers = read_numbers(cells, place, faults)
    if role is None or located is None or numbers is None:
        return None
    name, path, _ = located
    frame, box, points = numbers
    attributes: dict[str, str | float] = {g: escaped_name(cells[g]) for g in groups if g in cells}
    if "yaw" in cells:
        attributes["yaw_deg"] = float(cells["yaw"])
    template = escaped_name(cells.get("template", ""))
    if not template and templates and identity is not None:
        template = f"{role}/{identity}"
    medium = escaped_name(cells.get("media", ""))
    return Entry(place, name, path, role, identity, template, medium, frame, box, points, attributes)


def _role(text: str, place: str, faults: Faults) -> Role | None:
    for role in ROLES:
        if text.lower() == role:
            return role
    advice = f"A role is {', '.join(ROLES[:-1])} or {ROLES[-1]}."
    faults.add("rows with an unknown role", quoted(place, text) + suggestion(text.lower(), ROLES), advice)
    return None


def read_numbers(
    cells: Mapping[str, str], place: str, faults: Faults
) -> tuple[int | None, Box | None, Points | None] | None:
    """Frame, box and points of a row; None where one is wrong."""
    values: dict[str, float] = {}
    right = True
    for name in (*BOX, *POINTS, "yaw"):
        if name in cells:
            value = finite_number(cells[name])
            if value is None or abs(value) > (180 if name == "yaw" else _LARGEST):
                expected = "degrees from -180 to 180" if name == "yaw" else "pixels"
                advice = "Correct the cell, or leave it empty."
                faults.add(f"cells of the column {name} that are no {expected}", quoted(place, cells[name]), advice)
                right = False
            else:
                values[name] = value
    frame = whole_number(cells["frame"]) if "frame" in cells else None
    if "frame" in cells and (frame is None or frame < 0):
        faults.add("cells of the column frame that are no frame from 0", quoted(place, cells["frame"]), "Correct them.")
        right = False
    for group, what in ((BOX, "box"), (POINTS, "five points")):
        given = [name for name in group if name in cells]
        if given and len(given) < len(group):
            absent = ", ".join(name for name in group if name not in cells)
            faults.add(f"rows with a part of the {what}", f"{place}: without {absent}", "Give all of them or none.")
            right = False
    if not right:
        return None
    box = tuple(values[name] for name in BOX) if BOX[0] in values else None
    if box and min(box[2:]) < 2:
        faults.add("boxes smaller than 2 pixels", place, "Correct width and height.")
        return None
    flat = [values[name] for name in POINTS] if POINTS[0] in values else []
    points = tuple(zip(flat[::2], flat[1::2], strict=True)) if flat else None
    return frame, box, points  # type: ignore[return-value]  # mypy cannot count the box's four numbers
