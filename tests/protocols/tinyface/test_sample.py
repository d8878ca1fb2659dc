"""The TinyFace sample against the facts of the official release."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image
from scipy.io import loadmat

from protocols.sample import write_sample
from protocols.tinyface.files import OFFICIAL
from protocols.tinyface.protocol import TinyFace


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples") / "tinyface"
    write_sample("tinyface", out, identities=5, seed=3)
    return out


def test_the_folders_are_the_official_ones(root: Path) -> None:
    assert sorted(path.name for path in root.iterdir()) == [
        "Face_Identification_Evaluation",
        "SAMPLE.txt",
        "Testing_Set",
        "Training_Set",
        "readme.txt",
        "sample.json",
    ]
    assert sorted(path.name for path in (root / "Testing_Set").iterdir()) == [
        "Gallery_Distractor",
        "Gallery_Match",
        "Probe",
        "gallery_match_img_ID_pairs.mat",
        "probe_img_ID_pairs.mat",
    ]


@pytest.mark.parametrize(("prefix", "folder"), [("gallery", "Gallery_Match"), ("probe", "Probe")])
def test_the_mat_files_name_every_image_with_its_identity(root: Path, prefix: str, folder: str) -> None:
    stem = "gallery_match" if prefix == "gallery" else "probe"
    content = loadmat(root / "Testing_Set" / f"{stem}_img_ID_pairs.mat")
    names, ids = content[f"{prefix}_set"], content[f"{prefix}_ids"]
    on_disk = sorted(path.name for path in (root / "Testing_Set" / folder).iterdir())
    assert names.shape == ids.shape == (len(on_disk), 1)
    listed = [str(names[i, 0][0]) for i in range(len(names))]
    assert sorted(listed) == on_disk
    assert [int(name.split("_")[0]) for name in listed] == [int(i) for i in ids[:, 0]]
    assert ids.min() >= 1
    copy = root / "Face_Identification_Evaluation" / f"{stem}_img_ID_pairs.mat"
    assert copy.read_bytes() == (root / "Testing_Set" / copy.name).read_bytes()


def test_no_time_and_no_system_stand_in_a_mat_file(root: Path) -> None:
    head = (root / "Testing_Set" / "probe_img_ID_pairs.mat").read_bytes()[:128]
    assert head[:116].strip() == b"MATLAB 5.0 MAT-file, sample of face-hallucination-bench"
    assert head[124:128] == b"\x00\x01IM"  # version 1.0, little-endian, as SciPy wrote it


def test_training_people_are_named_by_their_folder_and_not_tested(root: Path) -> None:
    tested = {int(i) for i in loadmat(root / "Testing_Set" / "probe_img_ID_pairs.mat")["probe_ids"][:, 0]}
    folders = sorted((root / "Training_Set").iterdir())
    assert len(folders) == 3 and len(tested) == 5
    for folder in folders:
        assert int(folder.name) not in tested
        files = sorted(folder.iterdir())
        assert len(files) >= 2 and all(path.name.startswith(f"{folder.name}_") for path in files)


def test_every_image_is_a_low_resolution_jpeg(root: Path) -> None:
    images = sorted(root.rglob("*.jpg"))
    for path in images:
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            assert 12 <= image.width <= 36 and 12 <= image.height <= 36, path
    assert len({path.read_bytes() for path in images}) == len(images)


def test_the_adapter_reads_it_and_finds_no_damage(root: Path) -> None:
    protocol = TinyFace()
    result = protocol.read(protocol.locate(root))
    assert len(result.distractors) == 25 and not result.official
    assert {media.identity for media in result.probes} == {media.identity for media in result.gallery}
    lines = protocol.check(root)
    assert [line for line in lines if line.level == "damaged"] == []
    assert {line.expected for line in lines if line.level == "differs"} >= {f"{OFFICIAL['probe']:,}"}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(root: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    write_sample("tinyface", again, identities=5, seed=3)
    write_sample("tinyface", other, identities=5, seed=4)
    assert tree(again) == tree(root)
    same = {digest for name, digest in tree(root).items() if name.endswith(".jpg")}
    assert not same & set(tree(other).values())
