"""The TinyFace adapter: the official layout, and every way in which a copy can be broken."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.io import savemat

from bench.errors import DataError, MissingError
from bench.types import CheckLine
from protocols.tinyface import TinyFace

PROBE_MAT = "probe_img_ID_pairs.mat"


@pytest.fixture
def root(small_tinyface: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy that a test may break."""
    copy = tmp_path / "tinyface"
    shutil.copytree(small_tinyface, copy)
    yield copy


def test_the_official_layout_is_read_in_the_order_of_its_files(root: Path) -> None:
    data = TinyFace().read(root)
    assert (len(data.gallery), len(data.probes), len(data.distractors)) == (16, 16, 10)
    assert [media.key for media in data.probes[:3]] == ["Probe/1_3.jpg", "Probe/1_4.jpg", "Probe/2_3.jpg"]
    assert data.probes[2].identity == "2"
    assert all(media.identity is None for media in data.distractors)
    assert all(media.path.is_file() for media in (*data.gallery, *data.probes, *data.distractors))
    assert not data.official
    assert data.notes == (
        "Not the official test set: 16 of 4,443 gallery; 10 of 153,428 distractor; 16 of 3,728 probe; 8 of 2,569 "
        "identities.",
    )


def test_the_two_variants_have_the_rules_of_their_sources() -> None:
    official, adaface = TinyFace(), TinyFace(variant="adaface")
    assert (official.similarity, official.flip, official.ranks) == ("euclidean", "none", (1, 5, 10, 20, 50))
    assert official.mean_average_precision
    assert (adaface.similarity, adaface.flip, adaface.ranks) == ("cosine", "sum", (1, 5, 20))
    assert TinyFace(flip="mean").flip == "mean"


def test_the_folder_itself_or_the_one_around_it_is_found(root: Path) -> None:
    assert TinyFace().locate(root) == root
    assert TinyFace().locate(root.parent) == root


def test_a_set_unzipped_too_deep_is_found_and_named(root: Path) -> None:
    outer = root.parent / "download" / "tinyface"
    outer.mkdir(parents=True)
    shutil.move(root, outer / "tinyface")
    with pytest.raises(DataError, match=r"too deep.*Use --data-root .*download/tinyface/tinyface"):
        TinyFace().locate(root.parent / "download")


def test_an_absent_folder_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        TinyFace().locate(tmp_path / "absent")
    for part in ("qmul-tinyface.github.io", "--data-root", "BENCH_DATA", "bench config set data.tinyface"):
        assert part in str(caught.value)
    assert caught.value.exit_code == 3


def test_another_folder_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(DataError, match=r"expected the folder Testing_Set.*found holiday.jpg"):
        TinyFace().locate(tmp_path)


def test_the_copies_beside_the_official_script_serve_too(root: Path) -> None:
    script = root / "Face_Identification_Evaluation"
    script.mkdir()
    for path in list((root / "Testing_Set").glob("*.mat")):
        path.rename(script / path.name)
    assert len(TinyFace().read(root).probes) == 16


def test_a_missing_mat_file_is_named(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).unlink()
    with pytest.raises(DataError, match=PROBE_MAT):
        TinyFace().read(root)


@pytest.mark.parametrize("keep", [0, 20, 130, 200])
def test_a_truncated_mat_file_is_named(root: Path, keep: int) -> None:
    path = root / "Testing_Set" / PROBE_MAT
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=PROBE_MAT):
        TinyFace().read(root)


def test_a_mat_file_of_version_7_3_says_how_to_save_it(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    with pytest.raises(DataError, match="-v7"):
        TinyFace().read(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"probes": np.ones(2)}, r"holds \['probes'\]; expected 'probe_set' and 'probe_ids'"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [1, 2]}, "1 names .* but 2 identities"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [0]}, "at least 1"),
        ({"probe_set": np.array(["1_3.jpg"], object), "probe_ids": [1.5]}, "whole numbers"),
        ({"probe_set": np.array([], object), "probe_ids": []}, "is empty"),
        ({"probe_set": np.array(["1_3.jpg", "1_3.jpg"], object), "probe_ids": [1, 1]}, "more than once: 1_3.jpg"),
        ({"probe_set": np.array([7], object), "probe_ids": [1]}, "where a file name is expected"),
    ],
)
def test_a_mat_file_with_other_content_says_what_it_holds(root: Path, content: dict[str, object], message: str) -> None:
    savemat(root / "Testing_Set" / PROBE_MAT, content)
    with pytest.raises(DataError, match=message):
        TinyFace().read(root)


@pytest.mark.parametrize("name", ["../1_3.jpg", "a/b.jpg", "/etc/passwd", "..", "..\\x.jpg"])
def test_a_name_that_leaves_its_folder_is_refused(root: Path, tinyface_fixture: ModuleType, name: str) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [(name, 1)])
    with pytest.raises(DataError, match="outside its image folder"):
        TinyFace().read(root)


def test_a_link_that_leaves_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes((root / "Testing_Set/Probe/1_3.jpg").read_bytes())
    (root / "Testing_Set/Probe/1_3.jpg").unlink()
    (root / "Testing_Set/Probe/1_3.jpg").symlink_to(outside)
    with pytest.raises(DataError, match="leaves"):
        TinyFace().read(root)


def test_an_absent_image_stays_in_the_list_and_is_noted(root: Path) -> None:
    (root / "Testing_Set/Probe/1_3.jpg").unlink()
    data = TinyFace().read(root)
    assert len(data.probes) == 16
    assert not data.probes[0].path.exists()
    assert any("1 of 16 images that the .mat file of Probe names are absent: 1_3.jpg" in note for note in data.notes)


def test_an_image_with_another_ending_is_found_by_its_stem(root: Path) -> None:
    path = root / "Testing_Set/Probe/1_3.jpg"
    path.rename(path.with_suffix(".png"))
    assert TinyFace().read(root).probes[0].path.name == "1_3.png"


def test_two_images_that_could_be_meant_are_an_error(root: Path) -> None:
    path = root / "Testing_Set/Probe/1_3.jpg"
    shutil.copy(path, path.with_suffix(".png"))
    assert TinyFace().read(root).probes[0].path.name == "1_3.jpg"
    path.rename(path.with_suffix(".bmp"))
    with pytest.raises(DataError, match=r"1_3.bmp and 1_3.png could be meant"):
        TinyFace().read(root)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_beyond_ascii_are_found_in_either_unicode_form(
    root: Path, tinyface_fixture: ModuleType, form: str
) -> None:
    folder = root / "Testing_Set" / "Probe"
    (folder / "1_3.jpg").rename(folder / unicodedata.normalize("NFD", "1_Zoë.jpg"))
    listed = [(unicodedata.normalize(form, "1_Zoë.jpg"), 1)]
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", listed)
    assert TinyFace().read(root).probes[0].path.is_file()


def test_a_probe_without_a_mate_is_an_error(root: Path, tinyface_fixture: ModuleType) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [("1_3.jpg", 1), ("2_3.jpg", 99)])
    with pytest.raises(DataError, match=r"1 of 2 probes have no mate .*Probe/2_3.jpg \(99\)"):
        TinyFace().read(root)


def test_a_name_that_contradicts_its_identity_is_noted(root: Path, tinyface_fixture: ModuleType) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [("1_3.jpg", 2)])
    data = TinyFace().read(root)
    assert data.probes[0].identity == "2"
    assert any("1 file names in Probe begin with another identity" in note for note in data.notes)


def test_distractors_in_folders_are_found(root: Path) -> None:
    folder = root / "Testing_Set" / "Gallery_Distractor"
    path = sorted(folder.iterdir())[0]
    (folder / path.stem).mkdir()
    path.rename(folder / path.stem / path.name)
    keys = [media.key for media in TinyFace().read(root).distractors]
    assert len(keys) == 10
    assert keys == sorted(keys)


def found(root: Path) -> dict[str, CheckLine]:
    return {line.subject: line for line in TinyFace().check(root)}


def test_a_whole_copy_differs_from_the_official_set_only_in_its_counts(root: Path) -> None:
    lines = found(root)
    assert {line.level for line in lines.values()} == {"ok", "differs"}
    assert {subject for subject, line in lines.items() if line.level == "differs"} == {
        "Probe rows in the .mat file",
        "Gallery_Match rows in the .mat file",
        "Gallery_Distractor images",
        "probe identities",
        "gallery identities",
        "training identities",
        "training images",
    }
    assert (lines["Probe rows in the .mat file"].found, lines["Probe rows in the .mat file"].expected) == (
        "16",
        "3,728",
    )


def test_the_check_finds_what_is_missing_extra_and_damaged(root: Path) -> None:
    test = root / "Testing_Set"
    (test / "Probe" / "1_3.jpg").unlink()
    (test / "Probe" / "1_4.jpg").write_bytes(b"")
    (test / "Probe" / "2_3.jpg").write_bytes((test / "Probe" / "2_3.jpg").read_bytes()[:-120])
    shutil.copy(test / "Gallery_Match" / "3_1.jpg", test / "Probe" / "extra.jpg")
    (root / "Training_Set" / "1").mkdir()
    lines = found(root)
    assert lines["Probe images named in the .mat file but absent"].examples == ("1_3.jpg",)
    assert lines["Probe images not in the .mat file"].examples == ("extra.jpg",)
    assert lines["images that cannot be read"].examples == (
        "Probe/1_4.jpg: file is empty",
        "Probe/2_3.jpg: image is truncated",
    )
    leak = lines["probe images that are also in the gallery, byte for byte"]
    assert leak.examples == ("Probe/extra.jpg = Gallery_Match/3_1.jpg",)
    assert lines["identities in both training and test set"].examples == ("1",)
    assert lines["images that cannot be read"].level == "damaged"


def test_the_check_survives_an_empty_folder_and_damaged_mat_files(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).write_bytes(b"junk")
    shutil.rmtree(root / "Testing_Set" / "Gallery_Distractor")
    shutil.rmtree(root / "Training_Set")
    lines = found(root)
    assert lines["Probe .mat file"].level == "damaged"
    assert lines["Gallery_Distractor images"].found == "0"
    assert lines["Training_Set"].level == "differs"
