"""Releases A and B of IJB-C: templates as boxes in whole images, and the medium of each image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from protocols.ijbc.rows import Floats, Ints, Lists, Rows, joined
from protocols.ijbc.tables import file_names, numbers, pixels, read_columns, whole_numbers

if TYPE_CHECKING:
    from pandas import DataFrame

BOX = ("FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT")
METADATA = ("protocols/ijbc_metadata_with_age.csv", "protocols/ijbc_metadata.csv")
SEARCH_A = {
    "G1": "protocols/ijbc_1N_gallery_G1.csv",
    "G2": "protocols/ijbc_1N_gallery_G2.csv",
    "probe": "protocols/ijbc_1N_probe_mixed.csv",
}
MATCHES_A = "protocols/ijbc_11_G1_G2_matches.csv"
SEARCH_B = {
    "G1": "protocols/test4/gallery_G1.csv",
    "G2": "protocols/test4/gallery_G2.csv",
    "probe": "protocols/test4/probes.csv",
}
PAIRS_B = {"enrolled": "protocols/test1/enroll_templates.csv", "probe": "protocols/test1/verif_templates.csv"}
MATCHES_B = "protocols/test1/match.csv"


def read_a(root: Path, *, pairs: bool) -> Lists:
    """Read the lists of release A, whose 1:1 pairs use the templates of the 1:N search.

    Args:
        root: the located root.
        pairs: for 1:1; else for 1:N.

    Raises:
        DataError: a list is absent, damaged or contradicts itself.
    """
    media_counts = _MediaCounts()
    parts = {name: _template_rows(root / file, None, media_counts) for name, file in SEARCH_A.items()}
    probes = parts.pop("probe")
    gallery = {"enrolled": joined([parts["G1"], parts["G2"]])} if pairs else parts
    return Lists(
        "A", image_base(root), gallery, probes, root / MATCHES_A if pairs else None, notes=media_counts.notes()
    )


def read_b(root: Path, *, pairs: bool) -> Lists:
    """Read the lists of release B, whose media are given by the metadata; see `read_a`."""
    sightings = _Sightings(root)
    media_counts = _MediaCounts()
    files = PAIRS_B if pairs else SEARCH_B
    parts = {name: _template_rows(root / file, sightings, media_counts) for name, file in files.items()}
    probes = parts.pop("probe")
    notes = [*sightings.notes, *media_counts.notes()]
    return Lists("B", image_base(root), parts, probes, root / MATCHES_B if pairs else None, notes=notes)


def image_base(root: Path) -> Path:
    """Base of file names: the folder ``images``, or the root where there is none."""
    return root / "images" if (root / "images").is_dir() else root


def medium_by_name(filename: str) -> str:
    """The medium derived from a path: its folder of frames, or a stem such as ``<video>_<frame>``.

    Any other image, and every still (folder ``img``), is a medium of its own.
    """
    *folders, name = filename.split("/")
    if not folders or folders[0].lower() in ("img", "images", "still", "stills"):
        return filename
    if len(folders) > 1:
        return "/".join(folders)
    video, line, frame = name.rpartition(".")[0].rpartition("_")
    return f"{folders[0]}/{video}" if line and frame.isdigit() else filename


class _MediaCounts:
    """Counts rows, and those whose medium is not listed."""

    def __init__(self) -> None:
        self.unlisted = self.rows = 0

    def notes(self) -> list[str]:
        if not self.unlisted:
            return []
        return [
            f"The medium (SIGHTING_ID) of {self.unlisted:,} of {self.rows:,} rows is not listed; it was derived "
            "from the path, which makes most frames a medium of their own."
        ]


class _Sightings:
    """Media by subject and file, from the metadata of release B."""

    def __init__(self, root: Path) -> None:
        self.notes: list[str] = []
        self._by_box: dict[tuple[int, str, tuple[int, ...]], str] = {}
        self._by_file: dict[tuple[int, str], str] = {}
        source = next((root / name for name in METADATA if (root / name).is_file()), None)
        if source is None:
            self.notes.append(f"{Path(METADATA[0]).name} is missing, so the videos of frames are unknown.")
            return
        frame = read_columns(source, ("SUBJECT_ID", "FILENAME", "SIGHTING_ID"), BOX)
        subjects, sightings = numbers(frame["SUBJECT_ID"]), numbers(frame["SIGHTING_ID"])
        known = np.flatnonzero(np.isfinite(subjects) & np.isfinite(sightings))  # other rows have no face
        names, boxes = frame["FILENAME"].tolist(), _boxes(frame)
        several: set[tuple[int, str]] = set()
        for row in known.tolist():
            key, medium = (int(subjects[row]), str(names[row]).strip()), _number(sightings[row])
            if self._by_file.setdefault(key, medium) != medium:
                several.add(key)
            self._by_box.setdefault((*key, _cell(boxes[row])), medium)
        if several:
            self.notes.append(
                f"The metadata give {len(several):,} images of a person several media; the box decides, then the order."
            )

    def medium(self, subject: int, filename: str, box: Floats) -> str | None:
        """The medium of one row, or None."""
        medium = self._by_box.get((subject, filename, _cell(box)))
        return medium if medium is not None else self._by_file.get((subject, filename))


def _template_rows(path: Path, sightings: _Sightings | None, media_counts: _MediaCounts) -> Rows:
    """Rows of a list of templates; media from its column, or from the metadata."""
    medium_column = () if sightings else ("SIGHTING_ID",)
    frame = read_columns(path, ("TEMPLATE_ID", "SUBJECT_ID", "FILENAME", *medium_column, *BOX))
    templates = whole_numbers(path, frame["TEMPLATE_ID"], "TEMPLATE_ID")
    subjects = whole_numbers(path, frame["SUBJECT_ID"], "SUBJECT_ID")
    names, boxes = file_names(path, frame["FILENAME"]), _boxes(frame)
    if sightings:
        media = _media_by_metadata(sightings, subjects, names, boxes)
    else:
        media = [_number(s) if np.isfinite(s) else None for s in numbers(frame["SIGHTING_ID"]).tolist()]
    media_counts.rows += len(media)
    media_counts.unlisted += sum(medium is None for medium in media)
    filled = [medium_by_name(name) if m is None else m for name, m in zip(names, media, strict=True)]
    return Rows(templates, subjects, names, filled, box=boxes)


def _media_by_metadata(sightings: _Sightings, subjects: Ints, names: Sequence[str], boxes: Floats) -> list[str | None]:
    rows = zip(subjects.tolist(), names, boxes, strict=True)
    return [sightings.medium(subject, name, box) for subject, name, box in rows]


def _boxes(frame: DataFrame) -> Floats:
    columns = [pixels(frame[name]) if name in frame.columns else np.full(len(frame), np.nan) for name in BOX]
    return np.stack(columns, axis=1)


def _cell(box: Floats) -> tuple[int, ...]:
    """A box as a dictionary key: whole pixels, -1 where it is not given."""
    return tuple(int(v) for v in np.nan_to_num(box, nan=-1.0, posinf=-1.0, neginf=-1.0))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
