"""The check of a TinyFace copy: it finds what a run would stumble over, and never stumbles itself."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType

from bench.types import CheckLine
from protocols.tinyface.protocol import TinyFace

PROBE_MAT = "probe_img_ID_pairs.mat"


def checks_by_name(root: Path) -> dict[str, CheckLine]:
    return {line.subject: line for line in TinyFace().check(root)}


def test_a_whole_copy_differs_from_the_official_set_only_in_its_counts(root: Path) -> None:
    lines = checks_by_name(root)
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
    lines = checks_by_name(root)
    assert lines["Probe images named in the .mat file but absent"].examples == ("1_3.jpg",)
    assert lines["Probe images not in the .mat file"].examples == ("extra.jpg",)
    assert lines["Probe files absent or damaged"].examples == (
        "Probe/1_4.jpg: file is empty",
        "Probe/2_3.jpg: image is truncated",
    )
    leak = lines["probe images that are also in the gallery, byte for byte"]
    assert leak.examples == ("Probe/extra.jpg = Gallery_Match/3_1.jpg",)
    assert lines["identities in both training and test set"].examples == ("1",)
    assert lines["Probe files absent or damaged"].level == "damaged"


def test_the_check_survives_an_empty_folder_and_damaged_mat_files(root: Path) -> None:
    (root / "Testing_Set" / PROBE_MAT).write_bytes(b"junk")
    shutil.rmtree(root / "Testing_Set" / "Gallery_Distractor")
    shutil.rmtree(root / "Training_Set")
    lines = checks_by_name(root)
    assert lines["Probe .mat file"].level == "damaged"
    assert lines["Gallery_Distractor images"].level == "damaged"
    assert lines["readable for a run"].level == "damaged"
    assert lines["Training_Set"].level == "differs"


def test_what_a_run_refuses_is_damaged(root: Path) -> None:
    path = root / "Testing_Set/Probe/1_3.jpg"
    shutil.copy(path, path.with_suffix(".png"))
    path.rename(path.with_suffix(".bmp"))
    lines = checks_by_name(root)
    assert lines["Probe names that could mean several images"].examples == ("1_3.jpg could mean 1_3.bmp or 1_3.png",)
    assert lines["Probe images named in the .mat file but absent"].found == "none"
    assert lines["readable for a run"].level == "damaged"


def test_probes_without_a_mate_are_damaged(root: Path, tinyface_fixture: ModuleType) -> None:
    tinyface_fixture.write_mat(root / "Testing_Set" / PROBE_MAT, "probe", [("1_3.jpg", 1), ("2_3.jpg", 99)])
    lines = checks_by_name(root)
    assert lines["probes without a mate in the gallery"].examples == ("2_3.jpg (identity 99)",)
    assert lines["Probe names that begin with another identity"].examples == ("2_3.jpg",)


def test_images_in_a_folder_too_deep_are_pointed_at(root: Path) -> None:
    inner = root / "Testing_Set" / "Probe" / "Probe"
    inner.mkdir()
    for path in list((root / "Testing_Set" / "Probe").glob("*.jpg")):
        path.rename(inner / path.name)
    lines = checks_by_name(root)
    assert lines["folders in Probe, whose images are not read"].examples == ("Probe",)
    assert lines["Probe images named in the .mat file but absent"].found == "16"


def test_a_copy_of_the_mat_file_that_contradicts_it_is_reported(root: Path, tinyface_fixture: ModuleType) -> None:
    subject = "Probe .mat file and its copy beside the script"
    assert (checks_by_name(root)[subject].level, checks_by_name(root)[subject].found) == ("ok", "no copy")
    script = root / "Face_Identification_Evaluation"
    script.mkdir()
    shutil.copy(root / "Testing_Set" / PROBE_MAT, script)
    assert (checks_by_name(root)[subject].level, checks_by_name(root)[subject].found) == ("ok", "equal")
    tinyface_fixture.write_mat(script / PROBE_MAT, "probe", [("1_3.jpg", 2)])
    assert checks_by_name(root)[subject].found == "contradict each other"
    (script / PROBE_MAT).write_bytes(b"junk")
    assert checks_by_name(root)[subject].level == "differs"


def test_copies_within_one_folder_are_no_leak(root: Path) -> None:
    probes = root / "Testing_Set" / "Probe"
    shutil.copy(probes / "1_3.jpg", probes / "1_4.jpg")
    lines = checks_by_name(root)
    assert lines["other images that occur more than once"].examples == ("Probe/1_3.jpg = Probe/1_4.jpg",)
    assert lines["probe images that are also in the gallery, byte for byte"].level == "ok"


def test_nothing_at_all_is_damaged_and_raises_nothing(tmp_path: Path) -> None:
    assert checks_by_name(tmp_path)["readable for a run"].level == "damaged"
