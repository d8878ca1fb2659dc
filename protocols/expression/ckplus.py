"""The files of CK+: sequences from a neutral face to the peak, and the emotion labels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError
from bench.io.textfiles import finite_number, quote, read_text
from protocols.base.root import below, find_root, folders_in, inside_of, names_in

NEUTRAL_CODE, CONTEMPT_CODE = 0, 2
CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""In the order of the emotion codes 0 to 7."""
OFFICIAL_SEQUENCES, OFFICIAL_SUBJECTS, OFFICIAL_LABELLED_SUBJECTS = 593, 123, 118
OFFICIAL_LABELLED = {
    "anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83,
}  # fmt: skip
HOW_TO_GET = (
    "Extended Cohn-Kanade, CK+ (Lucey et al. 2010): 593 sequences of 123 people, 327 of them with an emotion.\n"
    "It is given out for research to those who sign the agreement of its owners (jeffcohn.net, Resources): read it.\n"
    "This suite never downloads it. Once you have it, unpack the images and the emotion labels side by side and point\n"
    "to the folder that holds cohn-kanade-images and Emotion:\n"
    "  bench run --protocol mmi-expression:source=ckplus --data-root DIR\n"
    "  bench config set data.ckplus DIR\n"
    "Then `bench data check mmi-expression:source=ckplus` says whether it is whole."
)
_IMAGES, _LABELS = ("cohn-kanade-images",), ("Emotion", "Emotion_labels")
_SUBJECT, _CLIP = re.compile(r"S[0-9]{3}"), re.compile(r"[0-9]{3}")
_FRAME = re.compile(r"(S[0-9]{3})_([0-9]{3})_([0-9]{8})\.(png|jpg|jpeg|tiff?|bmp)", re.IGNORECASE)
_LABEL = re.compile(r"(S[0-9]{3})_([0-9]{3})_([0-9]{8})_emotion\.txt", re.IGNORECASE)
_MOST_BYTES = 4096
_LARGEST_CODE = 1000


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence.

    Attributes:
        subject: ``S005``.
        clip: ``001``.
        frames: images in the order of their numbers.
        numbers: of the frames.
        emotion: code, 0 to 7 for those of `CODES`; None where there is no label.
        peak: number of the frame that the label names; None where there is none.
    """

    subject: str
    clip: str
    frames: tuple[Path, ...]
    numbers: tuple[int, ...]
    emotion: int | None = None
    peak: int | None = None

    @property
    def key(self) -> str:
        """``S005/001``."""
        return f"{self.subject}/{self.clip}"

    @property
    def expression(self) -> str | None:
        """Name of the emotion; None where there is none, or the code has no name."""
        return CODES[self.emotion] if self.emotion is not None and 0 <= self.emotion < len(CODES) else None

    @property
    def whole(self) -> bool:
        """Whether it has every frame from 1 to the labelled peak and none after it."""
        end = self.numbers[-1] if self.peak is None else self.peak
        return self.numbers == tuple(range(1, end + 1))


def find_ckplus(root: Path) -> Path:
    """The folder that holds ``cohn-kanade-images``; see `protocols.base.root.find_root` for what is raised."""
    return find_root(
        root,
        holds=lambda folder: images_folder(folder) is not None,
        name="CK+",
        expected="the folders cohn-kanade-images and Emotion",
        how_to_get=HOW_TO_GET,
        inside=("ckplus", "CK+", "ck+"),
        nearly=below("cohn-kanade-images", "S[0-9][0-9][0-9]"),
    )


def images_folder(root: Path) -> Path | None:
    """The folder of subjects with images; releases nest it once or twice."""
    return _nested(root, _IMAGES)


def labels_folder(root: Path) -> Path | None:
    """The folder of subjects with labels, nested likewise."""
    return _nested(root, _LABELS)


def load_sequences(root: Path) -> tuple[tuple[Sequence, ...], Counter[str]]:
    """List the sequences below a root by subject and clip; labels are read, images are not opened.

    Args:
        root: as `find_ckplus` gives it.

    Returns:
        The sequences, and the number of faults by kind: names that are not CK+'s, labels without a sequence.

    Raises:
        DataError: a folder is absent or empty, no sequence has a label, or a label cannot be read.
    """
    images, labels = images_folder(root), labels_folder(root)
    if images is None or labels is None:
        absent = "cohn-kanade-images" if images is None else "Emotion (the emotion labels, a separate download)"
        raise DataError(f"{root}: no folder {absent} with folders S005, S010... in it.")
    faults: Counter[str] = Counter()
    label_of = _labels(root, labels, faults)
    sequences = []
    for subject in _folders(root, images, _SUBJECT, faults):
        for clip in _folders(root, subject, _CLIP, faults):
            frames = _frames(clip, faults)
            if frames:
                emotion, peak = label_of.pop((subject.name, clip.name), (None, None))
                numbers = tuple(sorted(frames))
                paths = tuple(frames[number] for number in numbers)
                sequences.append(Sequence(subject.name, clip.name, paths, numbers, emotion, peak))
            else:
                faults["folders of a sequence without an image"] += 1
    faults["labels without a sequence"] += len(label_of)
    if not sequences:
        raise DataError(f"{images} holds no sequence: expected S005/001/S005_001_00000001.png and so on.")
    if all(sequence.emotion is None for sequence in sequences):
        raise DataError(f"{labels} labels no sequence: expected S005/001/S005_001_00000011_emotion.txt and so on.")
    return tuple(sequences), +faults


def read_label(path: Path) -> int:
    """Read the code of an emotion file: one number like ``3.0000000e+00``.

    Raises:
        DataError: the content is not one whole number; the text names the file.
    """
    text = read_text(path, most=_MOST_BYTES).strip()
    value = finite_number(text)
    if value is None or value != int(value) or abs(value) > _LARGEST_CODE:
        raise DataError(f"{path} holds {quote(text)}, not an emotion code: expected one number like 3.0000000e+00.")
    return int(value)


def _labels(root: Path, folder: Path, faults: Counter[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Code and peak frame by subject and clip; folders without a file are sequences without an emotion."""
    labels: dict[tuple[str, str], tuple[int, int]] = {}
    for subject in _folders(root, folder, _SUBJECT, faults):
        for clip in _folders(root, subject, _CLIP, faults):
            names = [name for name in names_in(clip) if not name.startswith(".")]
            matches = [match for name in names if (match := _LABEL.fullmatch(name))]
            faults["files among the labels that are not labels"] += len(names) - len(matches)
            if len(matches) > 1:
                raise DataError(f"{subject.name}/{clip.name} has {len(matches)} emotion files; keep the right one.")
            for match in matches:
                if (match[1], match[2]) != (subject.name, clip.name):
                    raise DataError(
                        f"{match[0]} lies in {subject.name}/{clip.name}; its name is that of another sequence."
                    )
                path = clip / match[0]
                if not inside_of(root, path):
                    raise DataError(f"{match[0]} is a link out of the data root.")
                labels[subject.name, clip.name] = read_label(path), int(match[3])
    return labels


def _frames(clip: Path, faults: Counter[str]) -> dict[int, Path]:
    frames: dict[int, Path] = {}
    for name in names_in(clip):
        match = _FRAME.fullmatch(name)
        if name.startswith("."):
            continue
        if not match or (match[1], match[2]) != (clip.parent.name, clip.name) or not inside_of(clip, clip / name):
            faults["files among the images that are not of their sequence"] += 1
        elif int(match[3]) in frames:
            faults["frames that occur twice"] += 1
        else:
            frames[int(match[3])] = clip / name
    return frames


def _folders(root: Path, folder: Path, pattern: re.Pattern[str], faults: Counter[str]) -> list[Path]:
    folders = [path for path in folders_in(folder) if not path.name.startswith(".")]
    valid = [path for path in folders if pattern.fullmatch(path.name) and inside_of(root, path)]
    faults["folders whose name is not one of CK+'s"] += len(folders) - len(valid)
    return valid


def _nested(root: Path, names: tuple[str, ...]) -> Path | None:
    """The folder with one of the names that holds subjects; possibly nested in another such folder."""
    for outer in (root / name for name in names):
        for folder in (outer, *(outer / name for name in names)):
            if any(_SUBJECT.fullmatch(path.name) for path in folders_in(folder)):
                return folder
    return None
