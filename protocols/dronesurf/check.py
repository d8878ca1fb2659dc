"""``bench data check dronesurf``: counts, coordinate files, the split, and every gallery image and video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from bench.errors import BenchError, DataError
from bench.interfaces import Progress
from bench.types import CheckLine
from protocols.base.checks import (
    EXAMPLES,
    count_line,
    disjoint_line,
    doubles_line,
    list_line,
    of_part,
    open_files,
    parted,
)
from protocols.dronesurf.annotations import NO_NUMBERS, read_coordinates
from protocols.dronesurf.files import SPLIT, Listing, scan
from protocols.dronesurf.split import GALLERY_IMAGES, SUBJECTS, TEST, TRAINING, VIDEOS, Chosen

BOXES = 786_813


def check(
    root: Path, choose: Callable[[], Chosen], *, scenario: str, step: int, progress: Progress | None = None
) -> list[CheckLine]:
    """Compare with the official release; opens every gallery image and the first frame of every video.

    Args:
        root: the located root.
        choose: chooses what the run compares.
        scenario: of the run's videos: ``active``, ``passive`` or ``both``.
        step: each how-manieth annotated face the run takes.
        progress: called with (files opened, all).
    """
    try:
        listing = scan(root)
    except DataError as error:
        return [CheckLine("damaged", "readable for a run", str(error), "yes")]
    subjects = {*listing.gallery, *(track.subject for track in listing.tracks)}
    fewer = [f"{s}: {len(images)}" for s, images in listing.gallery.items() if len(images) != GALLERY_IMAGES]
    strangers = [str(subject) for subject in subjects - set(listing.gallery)]
    usable, chosen = _usable(choose, step)
    enrolled = set(listing.gallery) if chosen is None else set(chosen.enrolled)
    tracks = listing.tracks if chosen is None else [track for track, found in chosen.tracks if found.faces]
    searched = {track.video.path for track in tracks}
    parts = parted(
        {
            "gallery": [path for images in listing.gallery.values() for path in images],
            "video": [video.path for video in listing.videos],
        },
        searched | {path for subject in enrolled for path in listing.gallery[subject]},
    )
    opened, digests = open_files(root, parts, progress)
    return [
        count_line("subjects", len(subjects), SUBJECTS),
        count_line("videos", len(listing.videos), VIDEOS),
        *(
            count_line(
                f"videos of scenario {name}",
                sum(v.scenario == name for v in listing.videos),
                None,
                needed=scenario == name,
            )
            for name in ("active", "passive")
        ),
        list_line("subjects without their four gallery images", fewer, level="differs"),
        list_line("subjects in videos that are not in the gallery", strangers, level="differs"),
        *_faults(listing, {video.key for video in listing.videos if video.path in searched}),
        *_coordinates(listing, {track.path for track in tracks}),
        *_split(listing, subjects),
        *opened,
        *_doubles(root, listing, of_part(digests, "gallery")),
        *usable,
    ]


def _faults(listing: Listing, searched: Collection[str]) -> list[CheckLine]:
    if not listing.faults:
        return [CheckLine("ok", "files and folders out of their place", "none")]
    return [
        list_line(
            fault,
            names,
            level="damaged" if fault == "videos that are absent" and set(names) & set(searched) else "differs",
        )
        for fault, names in sorted(listing.faults.items())
    ]


def _coordinates(listing: Listing, searched: Collection[Path]) -> list[CheckLine]:
    from bench.media.video import count_frames

    faults: Counter[str] = Counter()
    unreadable: list[str] = []
    odd: list[str] = []
    boxes, longest, lost = 0, [], False
    for track in listing.tracks:
        try:
            found = read_coordinates(track.path)
        except DataError as error:
            unreadable.append(f"{track.video.key}: {error}")
            continue
        boxes += len(found.faces)
        faults.update(found.faults)
        odd += [found.first] if found.first else []
        frames = count_frames(track.video.path)
        lost |= bool(found.faces and frames and found.faces[-1].frame > frames and track.path in searched)
        if found.faces and frames and found.faces[-1].frame > frames:
            longest.append(f"{track.video.key}: frame {found.faces[-1].frame} of {frames}")
    return [
        count_line("annotated faces", boxes, BOXES),
        list_line("coordinate files that cannot be read", unreadable),
        list_line("coordinate files that name frames after the last", longest, level="damaged" if lost else "differs"),
        *(
            CheckLine("differs", fault, f"{count:,}", "none", tuple(odd[:EXAMPLES]) if fault == NO_NUMBERS else ())
            for fault, count in sorted(faults.items())
        ),
    ]


def _split(listing: Listing, subjects: set[int]) -> list[CheckLine]:
    if listing.split is None:
        return [CheckLine("differs", SPLIT, "absent (a seeded split is drawn)", f"{TRAINING} and {TEST} subjects")]
    parts = {
        name: {str(subject) for subject, part in listing.split.items() if part == name} for name in ("train", "test")
    }
    return [
        count_line("training subjects", len(parts["train"]), TRAINING, needed=False),
        count_line("test subjects", len(parts["test"]), TEST),
        disjoint_line("subjects in both training and test", parts["train"], parts["test"]),
        list_line(f"subjects that {SPLIT} lacks", {str(s) for s in subjects - set(listing.split)}, level="differs"),
        list_line(
            f"subjects of {SPLIT} without files", {str(s) for s in set(listing.split) - subjects}, level="differs"
        ),
    ]


def _doubles(root: Path, listing: Listing, digests: dict[Path, str]) -> list[CheckLine]:
    """Gallery images of two people that are one file: one of them is enrolled under a wrong name."""
    owners = {path: subject for subject, images in listing.gallery.items() for path in images}
    first: dict[str, Path] = {}
    for path, digest in digests.items():
        first.setdefault(digest, path)
    strangers = {p: d for p, d in digests.items() if owners[p] != owners[first[d]]}
    same = {p: d for p, d in digests.items() if first[d] == p}
    return [doubles_line(root, "gallery images that two people share", strangers, same)]


def _usable(choose: Callable[[], Chosen], step: int) -> tuple[list[CheckLine], Chosen | None]:
    """What a run would say before it looks for faces, and what it would measure on."""
    try:
        chosen = choose()
    except BenchError as error:
        return [CheckLine("damaged", "readable for a run", str(error), "yes")], None
    faces = sum(len(found.faces[::step]) for _, found in chosen.tracks)
    tested, training = ({str(subject) for subject in part} for part in (chosen.test, chosen.training))
    return [
        count_line("test subjects in the gallery", len(chosen.test), TEST),
        disjoint_line("people searched for who are training subjects", tested, training),
        count_line("faces that are searched", faces, None),
        CheckLine("ok", "readable for a run", "yes", "yes"),
    ], chosen
