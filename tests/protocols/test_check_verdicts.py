"""``bench data check`` never contradicts a run of the same arguments: for each protocol, with parts removed."""

from __future__ import annotations

import importlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError, DataError
from bench.images import read_image
from bench.interfaces import PROTOCOLS
from bench.media.video import read_frame
from bench.pipeline.build import build
from bench.pipeline.reader import open_media
from bench.registry import Spec
from protocols.celeba.files import picture_path
from protocols.celeba.people import searchable_people
from protocols.expression.folds import deal_folds
from protocols.expression.shots import mmi_shots
from protocols.mmi.files import load_sessions
from protocols.sample import write_sample

_REMOVED = 12
_MANY = ("mmi", "multipie")  # their samples have many files; fewer removals
_IDENTITIES = {"cfp": 20, "lfw": 20, "mmi": 3, "multipie": 4}
ARGUMENTS = {
    "tinyface": ("", "variant=adaface", "unit_length=false"),
    "lfw": ("task=identification", "task=verification", "people=5", "lr=0", "crop=frame"),
    "cfp": ("task=identification", "pairs=FF", "pairs=FP"),
    "celeba": ("", "probe=other"),
    "ijbc": (
        "release=B", "release=C", "task=verification", "lr=none,crop=whole", "task=verification,release=C",
        "task=verification,lr=none,crop=whole", "detector_score=true",
    ),
    "multipie": ("setting=paper", "setting=1", "setting=2"),
    "mmi": ("",),
    "dronesurf": ("scenario=both", "scenario=active", "scenario=passive"),
    "folder": ("", "open_set=true", "templates=person"),
    "csv": ("", "lr=16"),
    "pairs": ("", "folds=0"),
    "mmi-expression": ("folds=2", "folds=2,classes=6", "folds=4"),
    "restoration": ("source=celeba", "source=mmi", "source=multipie"),
}  # fmt: skip
CASES = [(name, arguments) for name, choices in ARGUMENTS.items() for arguments in choices]


def data_set(name: str, arguments: str) -> str:
    if name == "ijbc" and ("release=C" in arguments or "whole" in arguments or "score" in arguments):
        return "ijbc C"
    return arguments.partition("=")[2] if name == "restoration" else "mmi" if name == "mmi-expression" else name


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Samples by the quick painter, each written once."""
    folder = tmp_path_factory.mktemp("samples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("protocols.sample.painter"), "DEFAULT_PAINTER", "cartoon")

        def get(name: str) -> Path:
            if not (folder / name).is_dir():
                database, _, release = name.partition(" ")
                options = {"release": release} if release else {}
                write_sample(database, folder / name, identities=_IDENTITIES.get(name, 8), seed=1, options=options)
            return folder / name

        yield get


def opened(path: Path) -> None:
    if path.suffix.lower() in (".avi", ".mp4"):
        read_frame(path, 0)
    else:
        read_image(path)


def run_fails(name: str, arguments: str, protocol: Any, root: Path) -> bool:
    """Whether a run would refuse the data, or count failures; without looking for faces."""
    source = data_set(name, arguments)
    try:
        if name == "mmi-expression":
            labels = protocol._choice.labels
            shots = [shot for shot in mmi_shots(root).shots if shot.expression in labels]
            deal_folds((shot.person for shot in shots), protocol._choice.folds)
        elif source == "mmi":
            return not any(s.frontal and s.neutral_frame() is not None for s in load_sessions(root)[0])
        elif source == "celeba":
            people = searchable_people(root)
            for pictures in people.pictures.values():
                for picture in pictures:
                    opened(picture_path(people.folder, picture))
        elif source == "multipie":
            chosen = (protocol._source if name == "restoration" else protocol).choose(root)
            for shot in (*chosen.gallery, *chosen.probes):
                opened(shot.path)
        elif source == "dronesurf":
            chosen = protocol.choose(root)
            for path in {track.video.path for track, result in chosen.tracks if result.faces}:
                opened(path)
            for subject in chosen.enrolled:
                for path in chosen.listing.gallery[subject]:
                    opened(path)
        else:
            for side in protocol.read(root).media.values():
                for media in side:
                    open_media(media)
    except BenchError:
        return True
    return False


def removable(root: Path, most: int) -> list[Path | None]:
    """Lists, folders and some files; None removes nothing."""
    draw = random.Random(0)
    everything = sorted(root.rglob("*"))
    folders = [p for p in everything if p.is_dir() and len(p.relative_to(root).parts) < 4]
    lists = [p for p in everything if p.suffix in (".txt", ".csv", ".mat", ".xml")]
    images = [p for p in everything if p.suffix in (".jpg", ".png", ".avi", ".mp4")]
    kept = [draw.sample(part, min(len(part), most // 3)) for part in (folders, lists, images)]
    return [None, *(path for part in kept for path in part)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=lambda value: value or "default")
def test_the_check_and_the_run_agree_whatever_is_removed(
    name: str, arguments: str, written: Callable[[str], Path], tmp_path: Path
) -> None:
    base = written(data_set(name, arguments))
    protocol = build(PROTOCOLS, Spec.parse(f"{name}:{arguments}" if arguments else name)).component
    contradictions = []
    for path in removable(base, _REMOVED // 4 if data_set(name, arguments) in _MANY else _REMOVED):
        if path is not None:
            os.rename(path, tmp_path / "removed")
        try:
            try:
                root = protocol.locate(base)
            except BenchError:
                continue  # the check says the same: it asks the same function
            fails = run_fails(name, arguments, protocol, root)
            damaged = [line.subject for line in protocol.check(root) if line.level == "damaged"]
            lost = data_set(name, arguments) == "mmi" and path is not None  # sessions left out are told as damage
            if fails != bool(damaged) and not (lost and not fails):
                contradictions.append((path, fails, damaged))
        finally:
            if path is not None:
                os.rename(tmp_path / "removed", path)
    assert contradictions == []


def copied(written: Callable[[str], Path], name: str, tmp_path: Path) -> Path:
    shutil.copytree(written(name), tmp_path / name)
    return tmp_path / name


def verdict(spec: str, root: Path) -> str:
    protocol = build(PROTOCOLS, Spec.parse(spec)).component
    levels = {line.level for line in protocol.check(protocol.locate(root))}
    return "damaged" if "damaged" in levels else "usable"


def test_a_list_is_needed_only_by_the_task_that_reads_it(written: Callable[[str], Path], tmp_path: Path) -> None:
    lfw = copied(written, "lfw", tmp_path)
    for path in lfw.rglob("pairs*.txt"):
        path.unlink()
    assert verdict("lfw:task=identification", lfw) == "usable"
    assert verdict("lfw:task=verification", lfw) == "damaged"
    cfp = copied(written, "cfp", tmp_path)
    shutil.rmtree(cfp / "Protocol")
    assert verdict("cfp:task=identification", cfp) == "usable"
    assert verdict("cfp", cfp) == "damaged"


def test_whole_crops_need_no_points(written: Callable[[str], Path], tmp_path: Path) -> None:
    root = copied(written, "ijbc C", tmp_path)
    for path in (root / "meta").glob("*5pts*"):
        path.unlink()
    assert verdict("ijbc:release=C,lr=none,crop=whole", root) == "usable"
    assert verdict("ijbc:release=C", root) == "damaged"


def test_celeba_needs_its_test_part_alone(written: Callable[[str], Path], tmp_path: Path) -> None:
    root = copied(written, "celeba", tmp_path)
    people = searchable_people(root)
    used = {picture_path(people.folder, name) for pictures in people.pictures.values() for name in pictures}
    for path in people.folder.iterdir():
        if path not in used:
            path.unlink()
    assert verdict("celeba", root) == "usable"
    assert verdict("restoration:source=celeba", root) == "usable"
    next(iter(used)).unlink()
    assert verdict("celeba", root) == "damaged"


def test_training_people_and_unlisted_images_of_tinyface_are_not_needed(
    written: Callable[[str], Path], tmp_path: Path
) -> None:
    root = copied(written, "tinyface", tmp_path)
    shutil.rmtree(root / "Training_Set")
    (root / "Testing_Set/Probe/extra_1.jpg").write_bytes(b"damaged")
    assert verdict("tinyface", root) == "usable"
    with pytest.raises(DataError):
        read_image(root / "Testing_Set/Probe/extra_1.jpg")
