"""The files of MMI: ``load_sessions(root)`` lists the sessions without decoding media."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from protocols.base.root import escaped_name, find_root, folders_in, inside_of, names_in
from protocols.mmi.annotations import Unit, read_annotation, read_tracks
from protocols.mmi.session import DUAL_VIEW, EMOTIONS, FILMS, FRONTAL, OTHER_VIEW, Session

__all__ = [
    "DUAL_VIEW",
    "EMOTIONS",
    "FRONTAL",
    "HOW_TO_GET",
    "OTHER_VIEW",
    "Fault",
    "Session",
    "find_mmi",
    "load_sessions",
]

HOW_TO_GET = (
    "MMI Facial Expression Database (Pantic et al. 2005; Valstar and Pantic 2010): over 2,900 videos and stills of 75\n"
    "people. Its owners give an account for mmifacedb.eu to members of the scientific community who sign their\n"
    "agreement: read it. This suite never downloads it.\n"
    "Once you have it, point to the folder that holds Sessions, or to one that holds several downloads of the site:\n"
    "  bench run --protocol mmi --data-root DIR\n"
    "  bench config set data.mmi DIR\n"
    "  BENCH_DATA=DIR bench run --protocol mmi      (DIR, or a folder in it)\n"
    "Then `bench data check mmi` says whether it is whole."
)
_NAME = re.compile(r"S(\d+)-(\d+)")
_STILLS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
_DOWNLOAD = "mmi-facial-expression-database_download"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a session.

    Attributes:
        folder: of the session.
        what: a short phrase, the same for all faults of a kind.
        lost: whether the session is left out; else only the content of the faulty file is.
    """

    folder: str
    what: str
    lost: bool


def find_mmi(root: Path) -> Path:
    """The folder that holds ``Sessions``, or downloads that do; raises as `protocols.base.root.find_root` does."""
    return find_root(
        root,
        holds=lambda folder: bool(_session_folders(folder)),
        name="MMI",
        expected="the folder Sessions with a folder for each session",
        how_to_get=HOW_TO_GET,
        inside=("mmi", "MMI"),
    )


def load_sessions(root: Path) -> tuple[tuple[Session, ...], tuple[Fault, ...]]:
    """List the sessions below a root by their numbers; XML is read, media are not opened.

    Args:
        root: as `find_mmi` gives it.

    Returns:
        The sessions, and the faults of these and of those left out. A session in several downloads counts once.

    Raises:
        DataError: there is no usable session.
    """
    sessions: list[Session] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for folder in sorted((f for part in _session_folders(root) for f in folders_in(part)), key=_order):
        name = escaped_name(folder.name)
        if not inside_of(root, folder):
            faults.append(Fault(name, "link out of the data root", lost=True))
        elif name in seen:
            faults.append(Fault(name, "session in several downloads", lost=False))
        else:
            seen.add(name)
            loaded, folder_faults = _load(folder, name)
            sessions += loaded
            faults += folder_faults
    if not sessions:
        raise DataError(f"{root} holds no usable MMI session: {_describe(faults)}.")
    return tuple(sessions), tuple(faults)


def _load(folder: Path, name: str) -> tuple[list[Session], list[Fault]]:
    """The sessions of a folder (usually one) and its faults."""
    faults: list[Fault] = []
    media = [folder / file for file in names_in(folder) if file.lower().endswith((*FILMS, *_STILLS))]
    media = [path for path in media if not path.name.startswith(".") and inside_of(folder, path)]
    if not media:
        return [], [Fault(name, "no video or still", lost=True)]
    views: dict[str, int | None] = {}
    other: int | None = None
    try:
        tracks = read_tracks(folder / "session.xml")
        views = {track.filename: track.view for track in tracks if track.filename}
        other = next((track.view for track in tracks if track.view is not None), None)
    except DataError as error:
        faults.append(Fault(name, f"session.xml: {error}", lost=False))
    sessions = []
    for path in media:
        match = _NAME.fullmatch(path.stem)
        if not match:
            faults.append(Fault(name, "media name is not S<subject>-<clip>", lost=True))
            continue
        view = views.get(path.name, other)
        if view is None and not faults:
            faults.append(Fault(name, "session.xml: no view", lost=False))
        emotion, units = _read_annotations(folder, path.stem, name, faults)
        sessions.append(Session(name, str(int(match[1])), int(match[2]), view, emotion, units, path))
    return sessions, faults


def _read_annotations(folder: Path, stem: str, name: str, faults: list[Fault]) -> tuple[int | None, tuple[Unit, ...]]:
    """Emotion and units; with the markers of the temporal coding where it exists."""
    emotion: int | None = None
    units: tuple[Unit, ...] = ()
    for path, what in ((folder / f"{stem}.xml", "annotation"), (folder / f"{stem}-oao_aucs.xml", "coding")):
        if what == "coding" and not os.path.lexists(path):
            continue
        try:
            if not inside_of(folder, path):
                raise DataError("link out of its folder")
            emotion_here, units_here = read_annotation(path)
        except DataError as error:
            faults.append(Fault(name, f"{what}: {error}", lost=False))
            continue
        emotion = emotion_here if emotion is None else emotion
        units = units_here or units
    if emotion is not None and not 1 <= emotion <= len(EMOTIONS):
        faults.append(Fault(name, f"annotation: emotion code outside 1 to {len(EMOTIONS)}", lost=False))
    return emotion, units


def _session_folders(root: Path) -> list[Path]:
    """Folders named Sessions in the root or in its downloads; the inner one of two nested ones."""
    downloads = [folder for folder in folders_in(root) if folder.name.startswith(_DOWNLOAD)]
    outer = [folder / "Sessions" for folder in (root, *downloads) if (folder / "Sessions").is_dir()]
    return [folder / "Sessions" if (folder / "Sessions").is_dir() else folder for folder in outer]


def _order(folder: Path) -> tuple[int, str, str]:
    name = folder.name
    return (int(name) if name.isascii() and name.isdigit() else 10**9, name, str(folder))


def _describe(faults: Iterable[Fault]) -> str:
    kinds = sorted({fault.what for fault in faults})
    return "; ".join(kinds[:5]) or "no session in it"
