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
    READABLE,
    count_line,
    digests_of_part,
    disjoint_line,
    list_line,
    open_files,
    refused_line,
    shared_files_line,
    split_by_use,
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
        choose: chooses the images that the run compares.
        scenario: of the run's videos: ``active``, ``passive`` or ``both``.
        step: every step-th annotated face is used by the run.
        progress: called with (files opened, all).
    """
    try:
        listing = scan(root)
    except DataError as error:
        return [refused_line(error)]
    subjects = {*listing.gallery, *(track.subject for track in listing.tracks)}
    fewer = [f"{s}: {len(images)}" for s, images in listing.gallery.items() if len(images) != GALLERY_IMAGES]
    not_enrolled = [str(subject) for subject in subjects - set(listing.gallery)]
    readable, chosen = _readable(choose, step)
    enrolled = set(listing.gallery) if chosen is None else set(chosen.enrolled)
    tracks = listing.tracks if chosen is None else [track for track, coordinates in chosen.tracks if coordinates.faces]
    searched = {track.video.path for track in tracks}
    parts = split_by_use(
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
        list_line("subjects in videos that are not in the gallery", not_enrolled, level="differs"),
        *_faults(listing, {video.key for video in listing.videos if video.path in searched}),
        *_coordinates(listing, {track.path for track in tracks}),
        *_split(listing, subjects),
        *opened,
        _shared_by_people(root, listing, digests_of_part(digests, "gallery")),
        *readable,
    ]


def _faults(listing: Listing, searched: Collection[str]) -> list[CheckLine]:
    if not listing.faults:
        return [CheckLine("ok", "misplaced files and folders", "none")]
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
    examples: list[str] = []
    boxes, too_long, needed = 0, [], False
    for track in listing.tracks:
        try:
            coordinates = read_coordinates(track.path)
        except DataError as error:
            unreadable.append(f"{track.video.key}: {error}")
            continue
        boxes += len(coordinates.faces)
        faults.update(coordinates.faults)
        examples += [coordinates.first] if coordinates.first else []
        frames = count_frames(track.video.path)
        if coordinates.faces and frames and coordinates.faces[-1].frame > frames:
            needed |= track.path in searched
            too_long.append(f"{track.video.key}: frame {coordinates.faces[-1].frame} of {frames}")
    return [
        count_line("annotated faces", boxes, BOXES),
        list_line("coordinate files that cannot be read", unreadable),
        list_line(
            "coordinate files that name frames after the last", too_long, level="damaged" if needed else "differs"
        ),
        *(
            CheckLine("differs", fault, f"{count:,}", "none", tuple(examples[:EXAMPLES]) if fault == NO_NUMBERS else ())
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


def _shared_by_people(root: Path, listing: Listing, digests: dict[Path, str]) -> CheckLine:
    """Equal gallery images of two people: one of them is enrolled under a wrong name."""
    owners = {path: subject for subject, images in listing.gallery.items() for path in images}
    first: dict[str, Path] = {}
    for path, digest in digests.items():
        first.setdefault(digest, path)
    copies = {p: d for p, d in digests.items() if owners[p] != owners[first[d]]}
    originals = {p: d for p, d in digests.items() if first[d] == p}
    return shared_files_line(root, "gallery images that two people share", copies, originals)


def _readable(choose: Callable[[], Chosen], step: int) -> tuple[list[CheckLine], Chosen | None]:
    """Whether a run would accept the data, its counts, and its gallery and probes."""
    try:
        chosen = choose()
    except BenchError as error:
        return [refused_line(error)], None
    faces = sum(len(coordinates.faces[::step]) for _, coordinates in chosen.tracks)
    tested, training = ({str(subject) for subject in part} for part in (chosen.test, chosen.training))
    return [
        count_line("test subjects in the gallery", len(chosen.test), TEST),
        disjoint_line("people searched for who are training subjects", tested, training),
        count_line("faces that are searched", faces, None),
        CheckLine("ok", READABLE, "yes", "yes"),
    ], chosen
