"""Tell true faces of a folder from LR and restored versions, by names, sizes and contents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from bench.errors import DataError
from bench.images import open_image, read_image, resize
from bench.io.filekinds import read_plain
from bench.io.textfiles import quote
from protocols.base.root import relative_name

Role = Literal["HR", "LR", "SR"]

SMALLEST = 64
"""Smallest shorter side of a true face, pixels: half of the size at which faces are measured."""
_ENOUGH = 2  # images that two folders must share by name
_SHARE = 0.8
_COMPARED = 12  # pairs of images
_ALIKE = 0.95  # correlation of two versions of an image; aligned faces of two people reach 0.8
_GREY = 16

_ROLES: dict[Role, tuple[str, ...]] = {
    "HR": ("hr", "gt", "hq", "target", "targets", "truth", "truths", "groundtruth", "highres"),
    "LR": ("lr", "lq", "input", "inputs", "lowres", "bicubic", "bic", "downsampled", "degraded"),
    "SR": ("sr", "output", "outputs", "result", "results", "restored", "hallucinated", "superresolved"),
}
_WORDS: dict[str, Role] = {word: role for role, words in _ROLES.items() for word in words}
_SCALE = re.compile(r"x\d{1,2}|\d{1,2}x")
_MARK = r"x\d{1,2}|(?:(?<=[_\-. ])|^)(?:\d{1,2}x|lr|sr|hr|gt|lq|hq)"
_END = re.compile(rf"[_\-. ]?({_MARK})\d{{0,3}}$", re.IGNORECASE)
_START = re.compile(r"^(lr|sr|hr|gt|lq|hq)[_\-. ]", re.IGNORECASE)
_WEAK = re.compile(
    r"[_\-. ](out|output|input|bicubic|bic|restored|result|rlt|fake|fake_[ab]|real|real_[ab])$", re.IGNORECASE
)


@dataclass
class Truths:
    """The images that may be truths, and by reason the names of those left out, relative to the data root."""

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def notes(self) -> list[str]:
        """A sentence for each reason, with the number of images and the first names."""
        return [
            f"{len(names):,} images {reason} and are left out: {', '.join(quote(name) for name in names[:3])}"
            f"{'...' if len(names) > 3 else '.'}"
            for reason, names in self.left_out.items()
        ]


def bare_stem(stem: str) -> str:
    """A stem without the marks of a version: ``0001x8_out`` and ``0001_LR`` become ``0001``."""
    before = None
    while stem != before:
        before = stem
        for pattern in (_END, _WEAK, _START):
            shorter = pattern.sub("", stem)
            stem = shorter or stem
    return stem


def role_by_name(path: Path) -> Role | None:
    """The role given by the name of an image, else by the innermost of its folders whose name gives one; else None.

    Args:
        path: relative to the data root.
    """
    stem = path.stem
    end, start = _END.search(stem), _START.search(stem)
    if end is not None or start is not None:
        return _role_of((end or start)[1].lower())  # type: ignore[index]  # one of them is there
    for part in reversed(path.parts[:-1]):
        words = [word for word in re.split(r"[_\-. ]+", part.lower()) if word]
        roles = [role for word in words if (role := _role_of(word)) is not None]
        if roles:
            return "SR" if "SR" in roles else "LR" if "LR" in roles else roles[0]
    return None


def _role_of(word: str) -> Role | None:
    if _SCALE.fullmatch(word):
        return "LR"
    return _WORDS.get(word) or _WORDS.get(word.rstrip("0123456789"))


def find_truths(root: Path, files: Sequence[Path]) -> Truths:
    """Leave out images that are not true faces: LR and SR versions, and images that are too small.

    Names decide where they give a role (folders ``HR``, ``LR``, ``x8``, ``sr_16_128``; files ``0001_LR``, ``0001x8``).
    Where two folders hold images of the same names without roles, contents are compared: of two sizes of an image the
    smaller is the LR version.

    Args:
        root: the data root.
        files: images below it.

    Raises:
        DataError: two folders hold the same images in one size, and no name decides which are the truths.
    """
    truths = Truths()
    roles = {path: role_by_name(path.relative_to(root)) for path in files}
    derived = {bare_stem(path.stem) for path in files if path.stem == bare_stem(path.stem)}
    for path, role in roles.items():
        weak = _WEAK.search(path.stem)
        if role is None and weak is not None and bare_stem(path.stem) in derived:
            roles[path] = "LR" if weak[1].lower() in ("input", "bicubic", "bic", "real_a") else "SR"
    versions = {role for role in roles.values() if role in ("LR", "SR")}
    kept: list[Path] = []
    for path in files:
        role = roles[path]
        if role in ("LR", "SR"):
            truths.left_out[f"are {role} versions by their names"].append(relative_name(root, path))
        elif role is None and versions and "HR" in roles.values():
            truths.left_out["are beside a folder of truths"].append(relative_name(root, path))
        else:
            kept.append(path)
    smaller = _smaller_versions(root, kept) if "HR" not in roles.values() else set()
    for path in kept:
        if path in smaller:
            truths.left_out["are smaller versions of others of the same names"].append(relative_name(root, path))
        elif (size := size_of(path)) is not None and min(size) < SMALLEST:
            truths.left_out[f"have less than {SMALLEST} pixels a side"].append(relative_name(root, path))
        else:
            truths.files.append(path)
    return truths


def _smaller_versions(root: Path, files: Sequence[Path]) -> set[Path]:
    """Images of folders that hold smaller versions of another folder's images."""
    folders: dict[Path, dict[str, Path]] = defaultdict(dict)
    for path in files:
        folders[path.parent][path.stem] = path
    smaller: set[Path] = set()
    for one, other in combinations(sorted(folders), 2):
        shared = sorted(set(folders[one]) & set(folders[other]))
        if len(shared) < max(_ENOUGH, _SHARE * min(len(folders[one]), len(folders[other]))):
            continue
        pairs = [(folders[one][stem], folders[other][stem]) for stem in shared]
        if not _are_versions(pairs[:: max(1, len(pairs) // _COMPARED)]):
            continue
        ratio = np.median([_side(left) / max(1, _side(right)) for left, right in pairs])
        if 1 / 1.2 < ratio < 1.2:
            names = [relative_name(root, folder) for folder in (one, other)]
            raise DataError(
                f"{root}: {names[0]} and {names[1]} hold the same {len(shared):,} images in two versions of one "
                "size. Name the truths: restoration:source=pairs,hr=DIR,sr=DIR, or give their folder as data root."
            )
        smaller |= set(folders[one if ratio < 1 else other].values())
    return smaller


def _are_versions(pairs: Sequence[tuple[Path, Path]]) -> bool:
    """Whether images of the same names are versions of each other, by the median of their correlations."""
    correlations = []
    for one, other in pairs:
        try:
            grey = [resize(read_image(path), _GREY, _GREY).astype(float).mean(axis=2).ravel() for path in (one, other)]
        except DataError:
            continue
        left, right = (values - values.mean() for values in grey)
        length = float(np.linalg.norm(left) * np.linalg.norm(right))
        correlations.append(float(left @ right) / length if length else 0.0)
    return len(correlations) >= _ENOUGH and float(np.median(correlations)) >= _ALIKE


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height by the header of an image; None where it cannot be read."""
    try:
        with open_image(read_plain(path)) as image:
            return image.size
    except DataError:
        return None


def _side(path: Path) -> int:
    size = size_of(path)
    return min(size) if size else 0
