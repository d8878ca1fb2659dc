"""A set in the layout of TinyFace, made of a folder with a folder for each person, such as LFW."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.images import ByteImages
from protocols.sample.files import cells, jpeg, mat, write_bytes
from protocols.shrunk.settings import Advance, ShrunkSettings, shrunk_image

MOST_IMAGES = 6
"""Images of a person that are used, the first ones by name."""
_TRAIN_EVERY = 3
_FIRST_DISTRACTOR = 1_000_000
_QUALITY = 95  # of the files; a requested JPEG compression is an earlier step of the reduction
_GALLERY, _PROBE = "Testing_Set/Gallery_Match", "Testing_Set/Probe"


def write_tinyface(
    source: Path,
    files: Sequence[Path],
    out: Path,
    settings: ShrunkSettings,
    advance: Advance,
    *,
    without: Collection[str] = (),
) -> tuple[dict[str, int], Counter[str]]:
    """Write the folders and lists of TinyFace.

    People are sorted by name. Of those with two images or more every third is in the training set; of the others the
    first half of the images (rounded up) is mated gallery, the rest are probes. People with one image are distractors.

    Args:
        source: folder with a folder for each person.
        files: the images.
        out: folder to fill; it is the data root of the protocol ``tinyface``.
        settings: of the set.
        advance: called with 1 after each image that is read.
        without: names of people who are left out.

    Returns:
        Counts, and the number of images without an LR version by reason.

    Raises:
        DataError: fewer than two people have two images.
    """
    people: dict[str, list[tuple[int, Path]]] = defaultdict(list)
    for number, path in enumerate(files):
        parts = path.relative_to(source).parts
        if len(parts) > 1:
            people[parts[0]].append((number, path))
    excluded = sorted(set(people) & set(without))
    reasons: Counter[str] = Counter()
    made: dict[str, list[ByteImages]] = {}
    for name in sorted(set(people) - set(without)):
        images = [_shrunk(number, path, settings, reasons) for number, path in people[name][:MOST_IMAGES]]
        advance(len(people[name]))
        made[name] = [image for image in images if image is not None]
    several = [name for name, images in made.items() if len(images) > 1]
    if len(several) < 2:
        raise DataError(f"{source} has {len(several)} people with two usable images; a search needs two or more.")
    train = set(several[_TRAIN_EVERY - 1 :: _TRAIN_EVERY])
    listed: dict[str, list[tuple[str, int]]] = {_GALLERY: [], _PROBE: []}
    for identity, name in enumerate(several, 1):
        half = (len(made[name]) + 1) // 2
        for number, image in enumerate(made[name], 1):
            file = f"{identity}_{number}.jpg"
            folder = f"Training_Set/{identity}" if name in train else _GALLERY if number <= half else _PROBE
            write_bytes(out / folder / file, jpeg(image, _QUALITY))
            if name not in train:
                listed[folder].append((file, identity))
    singles = [name for name, images in made.items() if len(images) == 1]
    for number, name in enumerate(singles, 1):
        write_bytes(
            out / "Testing_Set/Gallery_Distractor" / f"{_FIRST_DISTRACTOR + number}.jpg", jpeg(made[name][0], _QUALITY)
        )
    _write_lists(out / "Testing_Set", listed)
    counts = {
        "probe": len(listed[_PROBE]),
        "gallery": len(listed[_GALLERY]),
        "distractor": len(singles),
        "test people": len(several) - len(train),
        "training people": len(train),
        "excluded people": len(excluded),
        "images of excluded people": sum(len(people[name]) for name in excluded),
        "images beyond the sixth of a person": sum(max(0, len(people[n]) - MOST_IMAGES) for n in made),
    }
    return counts, reasons


def _shrunk(number: int, path: Path, settings: ShrunkSettings, reasons: Counter[str]) -> ByteImages | None:
    image, reason = shrunk_image(path, number, settings)
    if image is None:
        reasons[reason] += 1
    return image


def _write_lists(folder: Path, listed: Mapping[str, Sequence[tuple[str, int]]]) -> None:
    for role, name in ((_GALLERY, "gallery_match"), (_PROBE, "probe")):
        files = [file for file, _ in listed[role]]
        ids = np.array([[identity] for _, identity in listed[role]], np.uint16)
        prefix = name.partition("_")[0]
        write_bytes(folder / f"{name}_img_ID_pairs.mat", mat({f"{prefix}_set": cells(files), f"{prefix}_ids": ids}))
