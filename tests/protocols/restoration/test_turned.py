"""Where the faces of the protocol `restoration` come from, and how views are paired with truths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import read_image
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.pipeline.build import build
from bench.registry import Spec
from bench.studies import RestorationSet
from protocols.restoration.protocol import restoration

Write = Callable[..., Path]


def read(protocol: EvalProtocol, root: Path, scratch: Path) -> RestorationSet:
    data = protocol.read_with(root, scratch)
    assert isinstance(data, RestorationSet)
    return data


def check_pairs(data: RestorationSet, side: int) -> None:
    """Each truth is the photograph its face is a view of, and the landmarks of both are the same points."""
    assert len({face.key for face in data.faces}) == len(data.faces)
    for face, truth in zip(data.faces, data.truths, strict=True):
        assert face.template == truth.template == face.key and face.role == "probe" and truth.role == "gallery"
        assert face.identity == truth.identity and face.path.parent == truth.path.parent
        assert truth.path.name == "truth.png" and truth.cut is None
        assert face.cut is not None and face.cut.side == side
        assert face.landmarks is not None and truth.landmarks is not None
        again = (np.array(face.landmarks) + 0.5) * (128 / side) - 0.5
        assert np.allclose(again, truth.landmarks)


def test_views_of_celeba_are_paired_with_their_photographs(
    write_celeba: Write, tmp_path: Path, quick_views: object
) -> None:
    root = write_celeba([(1, 0, True), *[(person, 2, True) for person in (2, 2, 2, 3, 4, 4) for _ in "a"]])
    data = read(restoration(), root, tmp_path / "scratch")
    check_pairs(data, 16)
    assert sorted({str(m.identity) for m in data.faces}) == ["2", "3", "4"]  # nobody of the training partition
    photographs = {str(m.attributes["photograph"]): str(m.identity) for m in data.faces}
    assert sorted(photographs.values()) == ["2", "2", "3", "4", "4"]  # two of each at most
    assert len(data.faces) == 40
    assert any("Not the paper's number: 40 of 16,000 pairs" in note for note in data.notes)
    few = read(restoration(identities=2, photographs=1, lr=32), root, tmp_path / "scratch")
    check_pairs(few, 32)
    assert len(few.faces) == 16


def test_frames_of_mmi_are_restored(tmp_path: Path, add_session: Write, quick_views: object) -> None:
    for clip in range(1, 4):
        add_session(clip, 1, clip, emotion=clip)
    data = read(restoration(source="mmi", photographs=4), tmp_path / "mmi", tmp_path / "scratch")
    check_pairs(data, 16)
    assert [m.attributes["photograph"] for m in data.faces[::8]] == [
        "2/S001-002.avi#0", "1/S001-001.avi#5", "2/S001-002.avi#5", "3/S001-003.avi#5",
    ]  # fmt: skip
    assert any("must not be trained on: 1." in note for note in data.notes)


@pytest.mark.parametrize(("person", "people"), [("file", 4), ("folder", 2)])
def test_any_folder_of_photographs_serves(
    write_celeba: Write, tmp_path: Path, quick_views: object, person: str, people: int
) -> None:
    pictures = write_celeba([(1, 2, True)] * 4 + [(1, 2, False)]) / "Img/img_align_celeba"
    for number, path in enumerate(sorted(pictures.iterdir())):
        person_folder = tmp_path / "folder" / f"person{number % 2}"
        person_folder.mkdir(parents=True, exist_ok=True)
        path.rename(person_folder / path.name)
    protocol = build(PROTOCOLS, Spec.parse(f"restoration:source=folder,person={person}")).component
    assert protocol.dataset == "folder"
    data = read(protocol, protocol.locate(tmp_path / "folder"), tmp_path / "scratch")
    check_pairs(data, 16)
    assert len(data.faces) == 32 and len({m.identity for m in data.faces}) == people
    assert any("1 not frontal" in note for note in data.notes)
    (counted, opened) = protocol.check(tmp_path / "folder")
    assert (counted.found, opened.level) == ("5", "ok")


def test_a_folder_without_photographs_or_faces_is_reported(
    tmp_path: Path, quick_views: object, write_celeba: Write
) -> None:
    protocol = restoration(source="folder")
    with pytest.raises(MissingError, match="source=folder --data-root DIR"):
        protocol.locate(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no photographs"):
        protocol.locate(tmp_path / "empty")
    root = write_celeba([(1, 2, False)])
    with pytest.raises(
        DataError, match="usable frontal face.*1 photographs show no usable frontal face.*1 not frontal"
    ):
        read(protocol, root, tmp_path / "scratch")
    with pytest.raises(MissingError, match="no sample of folder"):
        protocol.write_sample(tmp_path / "sample")


def test_each_source_reads_the_root_of_its_own_data_set() -> None:
    names = {source: restoration(source=source).dataset for source in ("celeba", "mmi", "multipie", "folder")}
    assert names == {source: source for source in names}


def test_arguments_are_checked() -> None:
    with pytest.raises(UsageError, match="0 or more"):
        restoration(identities=-1)
    with pytest.raises(UsageError, match="accepts only lr, alexnet and seed"):
        restoration(source="multipie", jitter="none")
    with pytest.raises(UsageError, match="none of celeba, mmi, multipie, folder"):
        build(PROTOCOLS, Spec.parse("restoration:source=lfw"))


def test_multipie_gives_what_two_cameras_saw_in_one_flash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from protocols.multipie.files import Take
    from protocols.multipie.landmarks import TakePoints
    from protocols.restoration import multipie

    points = ((50.0, 40.0), (80.0, 40.0), (65.0, 60.0), (52.0, 80.0), (78.0, 80.0))

    def find(root: object, takes: Mapping[Take, object], scratch: object, progress: object) -> TakePoints:
        return TakePoints({take: None if take.camera == "19_0" else points for take in takes})

    monkeypatch.setattr(multipie, "detect_points", find)
    base = tmp_path / "data/session01/multiview/250/01"
    for camera, shots in {"05_1": (6, 7), "08_0": (6, 7, 9), "19_0": (7,)}.items():
        folder = base / camera
        folder.mkdir(parents=True)
        for shot in shots:
            name = f"250_01_01_{camera.replace('_', '')}_{shot:02d}.png"
            (folder / name).write_bytes(b"not decoded here")
    protocol = restoration(source="multipie", lr=32)
    data = read(protocol, tmp_path, tmp_path / "scratch")
    assert {face.path.name: truth.path.name for face, truth in zip(data.faces, data.truths, strict=True)} == {
        "250_01_01_080_06.png": "250_01_01_051_06.png",
        "250_01_01_080_07.png": "250_01_01_051_07.png",
        "250_01_01_190_07.png": "250_01_01_051_07.png",
    }
    assert {face.attributes["yaw_deg"] for face in data.faces} == {-45.0, 45.0}
    assert all(face.template == truth.template for face, truth in zip(data.faces, data.truths, strict=True))
    assert {face.cut.side for face in data.faces if face.cut} == {32}
    assert any("1 turned images have no frontal one in the same flash" in note for note in data.notes)
    assert any("1 of 3 takes are cropped to the median square of their camera" in note for note in data.notes)
    assert {face.attributes["camera"]: face.attributes["crop"] for face in data.faces} == {
        "08_0": "points",
        "19_0": "box",
    }
    assert any("nothing is rendered or moved" in note for note in data.notes)


def test_views_can_be_opened_and_differ(write_celeba: Write, tmp_path: Path, quick_views: object) -> None:
    root = write_celeba([(1, 2, True)])
    data = read(restoration(identities=1), root, tmp_path / "scratch")
    means = [read_image(face.path).mean() for face in data.faces]
    assert len({round(float(mean), 3) for mean in means}) == 4  # the fixture darkens by yaw, alike to both sides
