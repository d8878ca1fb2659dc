"""Pictures that a manifest of ``bench data manifest`` lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.execution.manifest import read_manifest
from bench.results.kinds import IDENTIFICATION
from bench.types import Cut, FaceTemplate, Media, Points
from protocols.owndata.entries import ROLES, Entry, Faults, Listing
from protocols.owndata.paths import OUTSIDE, OUTSIDE_ADVICE, Below, quoted


def read_manifest_list(root: Path, file: Path) -> Listing:
    """Read the media of a manifest; crops, points, templates and galleries are those of the protocol that wrote it.

    Args:
        root: the data root of that protocol, below which all files lie.
        file: the manifest.

    Raises:
        DataError: it is no manifest or a damaged one, or lists no search in a gallery.
    """
    manifest = read_manifest(file)
    if manifest.get("kind") != IDENTIFICATION:
        raise DataError(
            f"{file} lists a study of the kind {manifest.get('kind')}; csv reads those of {IDENTIFICATION}."
        )
    faults, below, entries = Faults(), Below(root), []
    try:
        for number, item in enumerate(manifest["media"], 1):
            entry = _entry(item, f"media {number}", below, faults)
            if entry is not None:
                entries.append(entry)
        compared = manifest["compared"]
        galleries = {str(name): tuple(map(str, names)) for name, names in compared["galleries"].items()}
        open_set = bool(compared["open_set"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{file} is a manifest of another layout ({type(error).__name__}: {error}). Write it again."
        ) from None
    note = f"The list is the manifest {file.name} of {manifest['protocol']}; the rules of comparison are those of csv."
    facts = [entry.attributes for entry in entries if entry.role == "probe"]
    groups = {name for one in facts for name, value in one.items() if isinstance(value, str) or name == "yaw_deg"}
    return Listing(file, tuple(entries), faults, (note,), tuple(sorted(groups)), galleries, open_set)


def _entry(item: Mapping[str, Any], place: str, below: Below, faults: Faults) -> Entry | None:
    if item.get("derived"):
        advice = "They were rendered by the protocol; run that protocol instead."
        faults.add("media that are no files of the data set", quoted(place, str(item["path"])), advice)
        return None
    located = below.locate(str(item["path"]))
    if located is None:
        faults.add(OUTSIDE, quoted(place, str(item["path"])), OUTSIDE_ADVICE)
        return None
    name, path, _ = located
    role = ROLES[ROLES.index(item["role"])]
    identity = None if item["identity"] is None else str(item["identity"])
    attributes = {
        str(key): value if isinstance(value, str) else float(value) for key, value in item["attributes"].items()
    }
    landmarks = _points(item["landmarks"]) if "landmarks" in item else None
    cut = _cut(item["cut"]) if "cut" in item else None
    media = Media(
        str(item["key"]),
        path,
        role,
        identity,
        str(item["template"]),
        landmarks,
        attributes,
        cut,
        str(item.get("medium", "")),
    )
    return Entry(place, name, path, role, identity, media.template, media.medium, attributes=attributes, media=media)


def _cut(fields: Mapping[str, Any]) -> Cut:
    face = fields.get("face")
    box = fields.get("box")
    return Cut(
        frame=None if "frame" not in fields else int(fields["frame"]),
        quarter_turns=int(fields.get("quarter_turns", 0)),
        box=None if box is None else (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        points=_points(fields["points"]) if "points" in fields else None,
        face=None if face is None else FaceTemplate(int(face[0]), int(face[1]), _points(face[2])),
        side=None if "side" not in fields else int(fields["side"]),
    )


def _points(rows: Any) -> Points:
    return tuple((float(x), float(y)) for x, y in rows)
