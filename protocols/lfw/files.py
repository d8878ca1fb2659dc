"""Files of Labeled Faces in the Wild: folders of people, lists of pairs."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DataError, MissingError
from protocols.base.root import escaped_name, find_root, folders_in, inside_of, names_in

FOLDERS = ("lfw", "lfw-deepfunneled", "lfw_funneled", "lfw-funneled", "lfw_deepfunneled")
PAIRS, DEV_TRAIN, DEV_TEST = "pairs.txt", "pairsDevTrain.txt", "pairsDevTest.txt"
OFFICIAL = {"images": 13_233, "people": 5749}
TWICE = 1680  # people with two photographs or more
OFFICIAL_PAIRS = {1: ((0, 2200), (1, 1000)), 2: tuple((fold, 600) for fold in range(10))}
_IMAGE = re.compile(r"(.+)_(\d{4})\.(?:jpg|jpeg|png)", re.IGNORECASE)
_INSPECTED = 50  # folders, to decide whether they are folders of people


@dataclass(frozen=True)
class People:
    """Images by person.

    Attributes:
        images: of each person, in the order of names, path by image number, ascending.
        misnamed: files not named after their folder; left out.
    """

    images: Mapping[str, Mapping[int, Path]]
    misnamed: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Images of all people."""
        return sum(map(len, self.images.values()))


def holds_people(folder: Path) -> bool:
    """Whether a folder holds folders of people, each image named after its folder."""
    for person in folders_in(folder)[:_INSPECTED]:
        try:
            with os.scandir(person) as entries:
                if any(_number(entry.name, person.name) is not None for entry in entries):
                    return True
        except OSError:
            continue
    return False


def locate(root: Path, how_to_get: str) -> Path:
    """Return the folder of people: ``root``, or one of `FOLDERS` in it, which may be nested in another of them.

    Raises:
        MissingError: ``root`` does not exist.
        DataError: none or several of them hold people.
    """
    if root.is_dir() and not holds_people(root):
        named = [*FOLDERS, *(f"{outer}/{inner}" for outer in FOLDERS for inner in FOLDERS)]
        versions = [root / name for name in named if (root / name).is_dir() and holds_people(root / name)]
        if len(versions) > 1:
            listed = ", ".join(str(path.relative_to(root)) for path in versions)
            raise DataError(f"{root} holds several versions of LFW: {listed}. Name one by --data-root.")
        if versions:
            return versions[0]
    return find_root(
        root,
        holds=holds_people,
        name="LFW",
        expected="folders NAME with NAME_0001.jpg",
        how_to_get=how_to_get,
        inside=FOLDERS,
        nearly=_describe_misnamed,
    )


def _describe_misnamed(root: Path) -> str:
    """What is wrong where folders hold images not named after them; empty where none do."""
    for person in folders_in(root)[:_INSPECTED]:
        images = [name for name in names_in(person) if name.lower().endswith((".jpg", ".jpeg", ".png"))]
        if images:
            file, expected = f"{escaped_name(person.name)}/{images[0]}", f"{escaped_name(person.name)}_0001"
            return f"its folders exist, but the file {file} is not named like {expected}{Path(images[0]).suffix}"
    return ""


def read_people(root: Path) -> People:
    """List the images of all people.

    Raises:
        DataError: there are no images, a link leads out of the root, or two files are the same image of a person.
    """
    images: dict[str, dict[int, Path]] = {}
    misnamed: list[str] = []
    for folder in folders_in(root):
        if folder.name.startswith("."):
            continue
        if folder.is_symlink() and not inside_of(root, folder):
            raise DataError(f"The folder {escaped_name(folder.name)} is a link that leads out of {root}.")
        of_person = _images_of(root, folder, misnamed)
        if of_person:
            images[folder.name] = dict(sorted(of_person.items()))
    if not images:
        raise DataError(f"{root} holds no image named after its folder, such as NAME/NAME_0001.jpg.")
    return People(images, tuple(sorted(misnamed)))


def _images_of(root: Path, folder: Path, misnamed: list[str]) -> dict[int, Path]:
    """Images of one person by number; adds other files to ``misnamed``."""
    images: dict[int, Path] = {}
    with os.scandir(folder) as entries:
        files = sorted((e.name, e.is_symlink()) for e in entries if not e.name.startswith(".") and not e.is_dir())
    for name, link in files:
        number = _number(name, folder.name)
        if number is None:
            misnamed.append(escaped_name(f"{folder.name}/{name}"))
            continue
        if link and not inside_of(root, folder / name):
            raise DataError(f"{escaped_name(folder.name)}/{escaped_name(name)} is a link that leads out of {root}.")
        if number in images:
            raise DataError(f"{escaped_name(folder.name)} has image {number} twice: {images[number].name} and {name}.")
        images[number] = folder / name
    return images


def image_path(root: Path, people: People, image: tuple[str, int]) -> Path:
    """Path of a listed image, also where it is absent."""
    name, number = image
    return people.images.get(name, {}).get(number, root / name / f"{name}_{number:04d}.jpg")


def list_file(root: Path, name: str) -> Path:
    """Path of a list: beside the folders of people or, where their parent is one of `FOLDERS`, beside it.

    Raises:
        MissingError: there is none.
    """
    places = [root]
    while places[-1].name in FOLDERS and len(places) < 3:
        places.append(places[-1].parent)
    for folder in places:
        if (folder / name).is_file():
            return folder / name
    raise MissingError(
        f"{name} is not in {' or '.join(map(str, places))}. It lists the pairs to compare; LFW's page offers it "
        "beside the images. Without it, only the search in a gallery can be measured: lfw:task=identification."
    )


def _number(file: str, person: str) -> int | None:
    """Number of an image named after its person; None for other names."""
    match = _IMAGE.fullmatch(file)
    return int(match[2]) if match and match[1] == person else None
