"""Existing pairs for the protocol `restoration`: folders of LR or already restored faces, and of truths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.errors import DataError, UsageError
from bench.interfaces import Progress
from bench.io.image_formats import IMAGE_ENDINGS
from bench.io.textfiles import quote
from bench.media.similarity import resized_points
from bench.studies import RestorationSet
from bench.types import CheckLine, Media, Points
from protocols.base.protocol import ScratchProtocol
from protocols.base.root import demand_folder, escaped_name, inside_of, names_in
from protocols.restoration.picture_roles import bare_stem, size_of
from protocols.views.detected import detect_faces, detection_notes

Person = Literal["file", "folder"]


@dataclass
class Matched:
    """Pairs of files by the truth's path in its folder; by side, the files without a partner."""

    pairs: dict[str, tuple[Path, Path]] = field(default_factory=dict)
    alone: dict[str, list[str]] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)
    uneven: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Notes on the pairs, on files without a partner, and on sizes without a whole-number ratio."""
        sizes = ", ".join(f"{size} ({count:,})" for size, count in self.sizes.most_common(5))
        notes = [f"{len(self.pairs):,} pairs by name; sizes {sizes}."]
        notes += [
            f"{len(names):,} images of {side} have no partner and are left out: "
            f"{', '.join(quote(name) for name in names[:3])}{'...' if len(names) > 3 else '.'}"
            for side, names in self.alone.items()
            if names
        ]
        if self.uneven:
            notes.append(f"{len(self.uneven):,} pairs are of sizes without a whole-number ratio: {self.uneven[0]}.")
        return notes


class GivenPairs(ScratchProtocol):
    """LR faces and their truths as files, or restored faces and their truths; nothing is rendered, shrunk or moved."""

    dataset = "pairs"
    how_to_get = (
        "restoration:source=pairs measures on pairs of pictures that you have, matched by name:\n"
        "  bench run --protocol restoration:source=pairs,lr=LR,hr=HR --hallucinator NAME --data-root DIR\n"
        "  bench run --protocol restoration:source=pairs,sr=SR,hr=HR --data-root DIR     (ready restored faces)\n"
        "LR, HR and SR are folders in DIR."
    )
    default_align = "landmarks"
    wanted_frame = ""  # truths have the frame of their LR faces
    backbone: Path | None = None

    def __init__(self, *, hr: str, lr: str, sr: str, person: Person) -> None:
        """Store the folders, relative to the data root.

        Raises:
            UsageError: the folder of truths or of faces is not given, or a folder leads out of the root.
        """
        if not hr or not (lr or sr):
            raise UsageError(
                "restoration: source=pairs needs hr=DIR and lr=DIR or sr=DIR, folders in the data root (./16 for one "
                "named 16)."
            )
        for name, folder in (("hr", hr), ("lr", lr), ("sr", sr)):
            if folder and (Path(folder).is_absolute() or ".." in Path(folder).parts or "\0" in folder):
                raise UsageError(f"restoration: {name}={folder} leads out of the data root; give a folder in it.")
        if len({folder for folder in (hr, lr, sr) if folder}) < sum(map(bool, (hr, lr, sr))):
            raise UsageError("restoration: hr, lr and sr are the same folder.")
        self._hr, self._lr, self._sr, self._by_folder = hr, lr, sr, person == "folder"

    def locate(self, root: Path) -> Path:
        """Return the folder itself.

        Raises:
            MissingError: it does not exist.
            DataError: one of the folders of pairs is not in it.
        """
        demand_folder(root, self.how_to_get)
        for name, folder in (("hr", self._hr), ("lr", self._lr), ("sr", self._sr)):
            if folder and not (root / folder).is_dir():
                names = ", ".join(names_in(root)[:5]) or "nothing"
                raise DataError(f"{root} holds no folder {folder} ({name}={folder}); it holds {names}.")
            if folder and not inside_of(root, root / folder):
                raise DataError(f"{root / folder} is a link out of {root}; refused.")
        return root

    def match(self, root: Path) -> Matched:
        """Pair the files of a located root, for a run and for a check.

        Raises:
            DataError: a name matches several files, nothing matches, or all LR images are larger than the truths.
        """
        truths = _pictures(root, root / self._hr)
        faces = _pictures(root, root / (self._sr or self._lr))
        matched = Matched()
        side = f"sr={self._sr}" if self._sr else f"lr={self._lr}"
        pairs = _match_names(list(truths), list(faces))
        matched.alone = {
            f"hr={self._hr}": sorted(set(truths) - set(pairs)),
            side: sorted(set(faces) - set(pairs.values())),
        }
        if self._sr and self._lr:
            small = _pictures(root, root / self._lr)
            without_lr = sorted(set(pairs) - set(_match_names(list(pairs), list(small))))
            matched.alone[f"hr={self._hr} and sr={self._sr}, in lr={self._lr},"] = without_lr
            pairs = {name: face for name, face in pairs.items() if name not in set(without_lr)}
        if not pairs:
            examples = [quote(names[0]) if names else "nothing" for names in (sorted(truths), sorted(faces))]
            raise DataError(
                f"{root}: no image of {self._hr} has a partner in {self._sr or self._lr}, for example {examples[0]} "
                f"and {examples[1]}. Files of a pair have the same name except for endings such as x8, _LR or _out."
            )
        matched.pairs = {name: (faces[face], truths[name]) for name, face in sorted(pairs.items())}
        larger = 0
        for name, (face, truth) in matched.pairs.items():
            one, other = size_of(face), size_of(truth)
            if one is None or other is None:
                continue  # counted as failures where they are opened
            sizes = f"{one[0]} x {one[1]} to {other[0]} x {other[1]}"
            matched.sizes[sizes] += 1
            larger += one[0] > other[0] and one[1] > other[1]
            if any(large % small for small, large in zip(one, other, strict=True)):
                matched.uneven.append(f"{quote(name)}, {sizes}")
        if larger == len(matched.pairs) and not self._sr:
            raise DataError(f"{root}: every image of lr={self._lr} is larger than its truth; are lr and hr swapped?")
        return matched

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> RestorationSet:
        """Pair files by name; faces are detected in the truths, at full size, and both sides are aligned by them.

        Raises:
            DataError: see `match`.
            MissingError: the package that brings the detector's weights is not installed.
        """
        matched = self.match(root)
        truths = [truth for _, truth in matched.pairs.values()]
        points = detect_faces(truths, scratch, progress)
        faces, truth_media = [], []
        for name, (face, truth) in matched.pairs.items():
            person = escaped_name((Path(name).parent if self._by_folder else Path(name).with_suffix("")).as_posix())
            five = points.get(truth)
            key = escaped_name(name)
            faces.append(Media(key, face, "probe", person, key, _scaled(five, truth, face), {"photograph": key}))
            truth_media.append(Media(f"truth of {key}", truth, "gallery", person, key, five))
        notes = [*matched.notes(), *detection_notes(truths, points)]
        return RestorationSet(tuple(faces), tuple(truth_media), official=None, notes=tuple(notes), ready=bool(self._sr))

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Pair as a run does, and open every image of a pair."""
        from protocols.base.checks import READABLE, count_line, list_line, open_files, refused_line

        try:
            matched = self.match(root)
        except DataError as error:
            return [refused_line(error)]
        parts = {
            "truth": [truth for _, truth in matched.pairs.values()],
            "face": [face for face, _ in matched.pairs.values()],
        }
        opened, _ = open_files(root, parts, progress)
        return [
            count_line("pairs", len(matched.pairs), None),
            *(
                list_line(f"images of {side} without a partner", n, level="differs")
                for side, n in matched.alone.items()
            ),
            list_line("pairs of sizes without a whole-number ratio", matched.uneven, level="differs"),
            *opened,
            CheckLine("ok", READABLE, "yes", "yes"),
        ]


def _pictures(root: Path, folder: Path) -> dict[str, Path]:
    """Images below a folder by their path in it."""
    files = (
        path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS and not path.name.startswith(".")
    )
    return {path.relative_to(folder).as_posix(): path for path in sorted(files) if inside_of(root, path)}


def _match_names(truths: list[str], faces: list[str]) -> dict[str, str]:
    """Match truths with faces: by name without ending, else without the marks of a version, else by a longer name.

    Returns:
        Name of the face by name of the truth.

    Raises:
        DataError: a name matches several.
    """
    matched: dict[str, str] = {}
    forms = (_plain, _bare)
    for form in forms:
        left = _grouped(form, [name for name in truths if name not in matched])
        candidates = _grouped(form, [name for name in faces if name not in set(matched.values())])
        for key, names in left.items():
            others = candidates.get(key, [])
            if len(names) == len(others) == 1:
                matched[names[0]] = others[0]
            elif others:
                raise DataError(
                    f"The pairs are ambiguous: {' and '.join(map(quote, sorted(names)[:3]))} of the "
                    f"truths, {' and '.join(map(quote, sorted(others)[:3]))} of the faces. Keep one of each."
                )
    stems = sorted((_plain(name) for name in truths if name not in matched), key=len, reverse=True)
    named = {_plain(name): name for name in truths}
    for face in sorted(set(faces) - set(matched.values())):
        whole = _plain(face)
        stem = next((s for s in stems if whole.startswith(s) and not whole[len(s) :][:1].isalnum()), None)
        if stem is not None and named[stem] not in matched:
            matched[named[stem]] = face
        elif stem is not None:
            raise DataError(f"{quote(face)} and {quote(matched[named[stem]])} could both be of {quote(named[stem])}.")
    return matched


def _plain(name: str) -> str:
    return Path(name).with_suffix("").as_posix()


def _bare(name: str) -> str:
    path = Path(name)
    return (path.parent / bare_stem(path.stem)).as_posix()


def _grouped(form: Callable[[str], str], names: list[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(form(name), []).append(name)
    return groups


def _scaled(five: Points | None, truth: Path, face: Path) -> Points | None:
    """Points of the truth in the pixels of its LR or restored version."""
    one, other = size_of(truth), size_of(face)
    if five is None or one is None or other is None:
        return None
    return resized_points(five, one[::-1], other[::-1])
