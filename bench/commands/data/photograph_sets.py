"""Sets of photographs that training stays away from: the option, the recognisers, and the comparison."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.faces.pairs.groups import Descriptions
    from bench.faces.pairs.pack import Pack
    from bench.interfaces import Recogniser


def add_exclude_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--exclude``."""
    parser.add_argument(
        "--exclude",
        type=Path,
        action="append",
        default=[],
        metavar="DIR|PACK",
        help="leave out photographs near any of this set (equal bytes, perceptual hash, both recognisers), with their "
        "groups and people: a folder, such as a protocol's test part, or a file by bench data pairs; may be repeated",
    )


def grouping_recognisers() -> dict[str, Recogniser]:
    """The two recognisers by which photographs are grouped, built.

    Raises:
        MissingError: one is not installed.
    """
    from bench.faces.pairs.groups import LEAST_COSINE, MOST_DISTANCE
    from bench.interfaces import RECOGNISERS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins

    load_plugins()
    names = (*LEAST_COSINE, *MOST_DISTANCE)
    return {name: build(RECOGNISERS, Spec.parse(name), {"threads": 1}).component for name in names}


def describe_set(path: Path, recognisers: Mapping[str, Recogniser]) -> Descriptions:
    """What the photographs of a folder, or of a pack with groups, are compared by.

    Raises:
        DataError: it is no folder of photographs and no pack.
        UsageError: the pack has no groups.
    """
    from bench import progress
    from bench.faces.landmarks.mediapipe import FaceLandmarker
    from bench.faces.pairs.describe import describe_photographs
    from bench.faces.pairs.pack import Pack, photographs

    if not path.is_dir():
        return Pack(path).described()
    files = photographs(path)
    with progress.stage(f"describe {path}", len(files)) as advance:
        return describe_photographs(files, FaceLandmarker() if recognisers else None, recognisers, advance)


def exclude_near(
    packs: Mapping[Path, Pack], excluded: Sequence[Path], recognisers: Mapping[str, Recogniser]
) -> list[dict[str, Any]]:
    """Take faces near excluded sets, and near the parts that other packs leave out, out of the packs.

    Args:
        packs: by path; changed in memory.
        excluded: folders and packs.
        recognisers: for folders.

    Returns:
        For each pack and set: their names, near photographs by rule, and ``left_out``, the faces no longer trained on.

    Raises:
        UsageError: a pack has no groups and ``excluded`` names a set.
    """
    sets = [(path, path, describe_set(path, recognisers)) for path in excluded]
    if len(packs) > 1:
        for path, pack in packs.items():
            if pack.groups is not None:
                kept_back = (pack.part != "train").nonzero()[0]
                sets.append((path, Path(f"{path} (left out)"), pack.described().take(kept_back)))
    record: list[dict[str, Any]] = []
    for path, pack in packs.items():
        for source, name, others in sets:
            if source == path or (pack.groups is None and source in packs):
                continue
            pack.described()  # says that a pack without groups cannot be compared
            assert pack.groups is not None
            near, counts = pack.groups.near(others)
            left_out = pack.exclude(near)
            record.append({"pack": path.name, "near": name.name, "by": counts, "left_out": left_out})
    return record
