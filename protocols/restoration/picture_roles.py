"""Which pictures of a folder are true faces, and which LR or restored versions: by names, sizes and contents."""

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
from bench.io.textfiles import quoted
from protocols.base.root import escaped_name

Role = Literal["HR", "LR", "SR"]

SMALLEST = 64
"""Pixels of the shorter side of a picture that can show a true face: half of what faces are measured at."""
_ENOUGH = 2  # pictures that two folders share by name
_SHARE = 0.8
_LOOKED_AT = 12
_ALIKE = 0.95  # correlation of two versions of a picture; faces of two people in one frame reach 0.8
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
    """The pictures that may be truths, and those left out by reason, relative to their folder."""

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def notes(self) -> list[str]:
        """A sentence for each reason, with how many there are and the first of them."""
        return [
            f"{len(names):,} pictures {reason} and are left out: {', '.join(quoted(name) for name in names[:3])}"
            f"{'...' if len(names) > 3 else '.'}"
            for reason, names in self.left_out.items()
        ]


def bare_stem(stem: str) -> str:
    """A stem without what tells a version of a picture: ``0001x8_out``, ``0001_LR`` and ``0001`` are one."""
    before = None
    while stem != before:
        before = stem
        for pattern in (_END, _WEAK, _START):
            shorter = pattern.sub("", stem)
            stem = shorter or stem
    return stem


def role_by_name(path: Path) -> Role | None:
    """The role that the names of a picture and of its folders tell; the innermost folder that tells one decides.

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
    """Leave out what is no true face: LR and SR versions, and pictures that are too small.

    Names decide where they tell (folders ``HR``, ``LR``, ``x8``, ``sr_16_128``; files ``0001_LR``, ``0001x8``). Where
    two folders hold pictures of the same names and they tell nothing, contents are compared: of two sizes of a picture
    the smaller is the LR one.

    Args:
        root: paths are told from here.
        files: pictures below it.

    Raises:
        DataError: two folders hold one size of the same pictures, and nothing says which are the truths.
    """
    found = Truths()
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
            found.left_out[f"are {role} versions by their names"].append(_told(root, path))
        elif role is None and versions and "HR" in roles.values():
            found.left_out["stand beside a folder of truths"].append(_told(root, path))
        else:
            kept.append(path)
    smaller = _smaller_versions(root, kept) if "HR" not in roles.values() else set()
    for path in kept:
        if path in smaller:
            found.left_out["are smaller versions of others of the same names"].append(_told(root, path))
        elif (size := size_of(path)) is not None and min(size) < SMALLEST:
            found.left_out[f"have less than {SMALLEST} pixels a side"].append(_told(root, path))
        else:
            found.files.append(path)
    return found


def _smaller_versions(root: Path, files: Sequence[Path]) -> set[Path]:
    """Pictures of folders that hold smaller versions of another folder's."""
    folders: dict[Path, dict[str, Path]] = defaultdict(dict)
    for path in files:
        folders[path.parent][path.stem] = path
    smaller: set[Path] = set()
    for one, other in combinations(sorted(folders), 2):
        shared = sorted(set(folders[one]) & set(folders[other]))
        if len(shared) < max(_ENOUGH, _SHARE * min(len(folders[one]), len(folders[other]))):
            continue
        pairs = [(folders[one][stem], folders[other][stem]) for stem in shared]
        if not _are_versions(pairs[:: max(1, len(pairs) // _LOOKED_AT)]):
            continue
        ratio = np.median([_side(left) / max(1, _side(right)) for left, right in pairs])
        if 1 / 1.2 < ratio < 1.2:
            names = [_told(root, folder) for folder in (one, other)]
            raise DataError(
                f"{root}: {names[0]} and {names[1]} hold the same {len(shared):,} pictures in two versions of one "
                "size. Say which are the truths: restoration:source=pairs,hr=DIR,sr=DIR, or give the truths' folder as "
                "data root."
            )
        smaller |= set(folders[one if ratio < 1 else other].values())
    return smaller


def _are_versions(pairs: Sequence[tuple[Path, Path]]) -> bool:
    """Whether pictures of the same names look alike, most of them."""
    likeness = []
    for one, other in pairs:
        try:
            grey = [resize(read_image(path), _GREY, _GREY).astype(float).mean(axis=2).ravel() for path in (one, other)]
        except DataError:
            continue
        left, right = (values - values.mean() for values in grey)
        length = float(np.linalg.norm(left) * np.linalg.norm(right))
        likeness.append(float(left @ right) / length if length else 0.0)
    return len(likeness) >= _ENOUGH and float(np.median(likeness)) >= _ALIKE


def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height by the header of an image; None where it is none."""
    try:
        with open_image(read_plain(path)) as image:
            return image.size
    except DataError:
        return None


def _side(path: Path) -> int:
    size = size_of(path)
    return min(size) if size else 0


def _told(root: Path, path: Path) -> str:
    return escaped_name(path.relative_to(root).as_posix())
