"""The TinyFace adapter: the official layout, and every way in which a copy can be broken."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.interfaces import PROTOCOLS
from protocols.tinyface import protocol
from protocols.tinyface.protocol import TinyFace

PROBE_MAT = "probe_img_ID_pairs.mat"


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
    assert TinyFace(similarity="cosine").similarity == "cosine"


def test_no_flip_can_be_requested_as_text() -> None:
    """An argument whose default is None could not be set to the word none."""
    chosen = PROTOCOLS["tinyface"].configure({"variant": "adaface", "flip": "none"})
    assert TinyFace(**chosen).flip == "none"  # type: ignore[arg-type]  # converted by the registry


def test_the_cosine_of_features_as_given_is_refused() -> None:
    assert TinyFace(unit_length=False).unit_length is False
    with pytest.raises(UsageError, match="needs unit_length=true"):
        TinyFace(variant="adaface", unit_length=False)


def test_the_folder_itself_or_the_one_around_it_is_found(root: Path) -> None:
    assert TinyFace().locate(root) == root
    assert TinyFace().locate(root.parent) == root


def test_a_set_unzipped_too_deep_is_found_and_named(root: Path) -> None:
    outer = root.parent / "download" / "tinyface"
    outer.mkdir(parents=True)
    shutil.move(root, outer / "tinyface")
    with pytest.raises(DataError, match=r"too deep.*Use --data-root .*download/tinyface/tinyface instead"):
        TinyFace().locate(root.parent / "download")


def test_the_testing_set_itself_leads_to_the_folder_around_it(root: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder inside TinyFace. Use --data-root .*tinyface instead"):
        TinyFace().locate(root / "Testing_Set")


def test_a_set_three_levels_down_is_found_and_one_four_levels_down_is_not(root: Path) -> None:
    for depth, text in ((3, "too deep"), (4, "expected the folder Testing_Set")):
        base = root.parent / f"deep{depth}"
        shutil.copytree(root / "Testing_Set" / "Probe", base.joinpath(*"abcd"[:depth], "Testing_Set", "Probe"))
        with pytest.raises(DataError, match=text):
            TinyFace().locate(base)


def test_an_absent_folder_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as caught:
        TinyFace().locate(tmp_path / "absent")
    for part in ("qmul-tinyface.github.io", "--data-root", "BENCH_DATA", "bench config set data.tinyface"):
        assert part in str(caught.value)
    assert caught.value.exit_code == 3


def test_the_error_on_another_folder_names_expected_and_present_files(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(DataError, match=r"expected the folder Testing_Set.*found holiday.jpg"):
        TinyFace().locate(tmp_path)


def test_the_copies_beside_the_official_script_serve_too(root: Path) -> None:
    script = root / "Face_Identification_Evaluation"
    script.mkdir()
    for path in list((root / "Testing_Set").glob("*.mat")):
        path.rename(script / path.name)
    data = TinyFace().read(root)
    assert len(data.probes) == 16
    assert "probe_img_ID_pairs.mat is missing in Testing_Set; the copy in Face_Identification_Evaluation was used." in (
        data.notes
    )


def test_people_tested_who_are_in_the_training_set_too_are_reported(root: Path) -> None:
    assert not any("Training_Set" in note for note in TinyFace().read(root).notes)
    for name in ("0002", "3", "77", "more"):
        (root / "Training_Set" / name).mkdir()
    assert any("2 people of the test set are in Training_Set too (0002...)" in n for n in TinyFace().read(root).notes)


@pytest.mark.parametrize("folder", ["Probe", "Gallery_Match", "Gallery_Distractor"])
def test_a_missing_image_folder_is_named(root: Path, folder: str) -> None:
    shutil.rmtree(root / "Testing_Set" / folder)
    with pytest.raises(DataError, match=f"{folder} does not exist"):
        TinyFace().read(root)


def test_a_missing_mat_file_is_named(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).unlink()
    with pytest.raises(DataError, match=PROBE_MAT):
        TinyFace().read(root)


def test_a_link_that_leaves_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes((root / "Testing_Set/Probe/1_3.jpg").read_bytes())
    (root / "Testing_Set/Probe/1_3.jpg").unlink()
    (root / "Testing_Set/Probe/1_3.jpg").symlink_to(outside)
    with pytest.raises(DataError, match="leaves"):
        TinyFace().read(root)


@pytest.mark.parametrize("where", ["Testing_Set/Probe", "Testing_Set/Gallery_Distractor/inner"])
def test_a_link_to_a_folder_is_refused(root: Path, tmp_path: Path, where: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(root / where, ignore_errors=True)
    (root / where).symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(DataError, match="refused"):
        TinyFace().read(root)
    (line,) = [line for line in TinyFace().check(root) if line.subject == "readable for a run"]
    assert line.level == "damaged"


def test_a_root_that_is_a_link_and_links_inside_it_are_fine(root: Path) -> None:
    probe = root / "Testing_Set/Probe/1_3.jpg"
    probe.rename(root / "kept.jpg")
    probe.symlink_to(root / "kept.jpg")
    link = root.parent / "link"
    link.symlink_to(root, target_is_directory=True)
    assert len(TinyFace().read(TinyFace().locate(link)).probes) == 16


def test_shadow_files_of_macos_are_no_images(root: Path) -> None:
    for folder in ("Probe", "Gallery_Distractor"):
        (root / "Testing_Set" / folder / "._1_3.jpg").write_bytes(b"Mac OS X")
    data = TinyFace().read(root)
    assert len(data.distractors) == 10
    assert len(data.notes) == 1


def test_a_set_with_an_absent_image_is_not_official(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"gallery": 16, "distractor": 10, "probe": 16, "identities": 8}
    monkeypatch.setattr(protocol, "OFFICIAL", counts)
    assert TinyFace().read(root).official
    assert TinyFace().read(root).notes == ()
    (root / "Testing_Set/Gallery_Match/1_1.jpg").unlink()
    assert not TinyFace().read(root).official


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
    with pytest.raises(DataError, match=r"1_3.jpg could mean 1_3.bmp or 1_3.png"):
        TinyFace().read(root)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_beyond_ascii_are_found_in_either_unicode_form(
    root: Path, tinyface_fixture: ModuleType, form: Literal["NFC", "NFD"]
) -> None:
    folder = root / "Testing_Set" / "Probe"
    (folder / "1_3.jpg").rename(folder / unicodedata.normalize("NFD", "1_Zoë.jpg"))
    listed = [(unicodedata.normalize(form, "1_Zoë.jpg"), 1)]
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", listed)
    assert TinyFace().read(root).probes[0].path.is_file()


def test_two_names_for_one_image_are_an_error(root: Path, tinyface_fixture: ModuleType) -> None:
    path = root / "Testing_Set/Probe/1_3.jpg"
    path.rename(path.with_suffix(".png"))
    listed = [("1_3.bmp", 1), ("1_3.jpg", 1), ("2_3.jpg", 2)]
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", listed)
    with pytest.raises(DataError, match=r"1_3.bmp and 1_3.jpg could mean 1_3.png"):
        TinyFace().read(root)


def test_a_file_with_one_name_is_not_read_for_another_name(root: Path, tinyface_fixture: ModuleType) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [("1_3.png", 1), ("1_3.jpg", 1)])
    probes = TinyFace().read(root).probes
    assert [media.path.exists() for media in probes] == [False, True]


def test_a_distractor_whose_name_is_no_utf8_gets_a_key_that_is(root: Path) -> None:
    folder = root / "Testing_Set" / "Gallery_Distractor"
    try:
        sorted(folder.iterdir())[0].rename(folder / os.fsdecode(b"Zo\xeb.jpg"))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    data = TinyFace().read(root)
    (odd,) = [media for media in data.distractors if "Zo" in media.key]
    assert odd.key.encode() == b"Gallery_Distractor/Zo\\xeb.jpg"
    assert odd.path.is_file()


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


def aligned(root: Path, folder: str = "aligned_pad_0.1_pad_high") -> Path:
    for part in ("Probe", "Gallery_Match", "Gallery_Distractor"):
        for path in (root / "Testing_Set" / part).rglob("*.jpg"):
            copy = root / folder / path.relative_to(root / "Testing_Set").with_suffix(".png")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return root / folder


def test_aligned_images_serve_in_place_of_the_originals_where_they_are_requested(root: Path) -> None:
    folder = aligned(root)
    plain, data = TinyFace().read(root), TinyFace(images=folder.name).read(root)
    assert any("tinyface:images=aligned_pad_0.1_pad_high" in note for note in plain.notes)
    assert all("Testing_Set" in str(media.path) for side in plain.media.values() for media in side)
    for role, media in data.media.items():
        assert [m.key for m in media] == [m.key for m in plain.media[role]]
        assert all(m.path.is_relative_to(folder) and m.path.suffix == ".png" for m in media)
    assert not data.official and any("instead of the originals" in note for note in data.notes)
    levels = {line.subject: line.level for line in TinyFace(images=folder.name).check(root)}
    assert levels["images opened"] == "differs" and levels["readable for a run"] == "ok"


def test_images_without_an_aligned_version_are_counted(root: Path) -> None:
    folder = aligned(root, "mine")
    lost = [sorted((folder / part).rglob("*.png"))[0] for part in ("Probe", "Gallery_Distractor")]
    for path in lost:
        path.unlink()
    data = TinyFace(images="mine").read(root)
    absent = [media for side in data.media.values() for media in side if not media.path.is_file()]
    assert {media.path.parent.name for media in absent} == {"Probe", "Gallery_Distractor"} and len(absent) == 2
    assert any("distractors have no image in mine" in note for note in data.notes)
    assert "damaged" in {line.level for line in TinyFace(images="mine").check(root)}


def test_a_folder_of_images_does_not_leave_the_root_and_must_be_there(root: Path) -> None:
    with pytest.raises(UsageError, match="leads out of the data root"):
        TinyFace(images="../x")
    with pytest.raises(DataError, match=r"absent \(images=absent\) holds no Probe"):
        TinyFace(images="absent").read(root)
    assert [line.level for line in TinyFace(images="absent").check(root)] == ["damaged"]
