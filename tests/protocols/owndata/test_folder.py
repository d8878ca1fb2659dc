"""A folder a person: what is listed, and every layout that is refused."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.images import read_image
from protocols.owndata.protocol import Folder

Write = Callable[..., Path]


def refusal(root: Path, **arguments: object) -> str:
    protocol = Folder(**arguments)  # type: ignore[arg-type]
    with pytest.raises(DataError) as error:
        protocol.read(protocol.locate(root))
    return str(error.value)


def test_each_folder_is_a_person_and_folders_in_it_belong_to_it(faces: Path) -> None:
    study = Folder().read(Folder().locate(faces))
    assert [(m.key, m.identity) for m in study.gallery] == [
        ("gallery/ann/1.png", "ann"),
        ("gallery/bob/1.png", "bob"),
        ("gallery/cy d'Été/1.png", "cy d'Été"),
    ]
    assert [m.key for m in study.probes if m.identity == "ann"] == ["probe/ann/1.jpg", "probe/ann/more/2.webp"]
    assert [(m.key, m.identity) for m in study.distractors] == [("distractor/x.bmp", None)]
    assert len({m.template for m in study.probes}) == 6 and study.notes == ()


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_format_is_read_in_colour_and_grey(picture: Write, ending: str, mode: str) -> None:
    path = picture(f"gallery/a/1{ending}", mode=mode)
    picture("gallery/b/1.png")
    picture("probe/a/1.png")
    media = Folder().read(path.parents[2]).gallery[0]
    assert media.path == path and read_image(media.path).shape == (20, 20, 3)


def test_a_person_whose_accents_are_written_apart_is_the_same_person(picture: Write, tmp_path: Path) -> None:
    picture("gallery/bob/1.png")
    for role, form in (("gallery", "NFC"), ("probe", "NFD")):
        picture(f"{role}/{unicodedata.normalize(form, 'José')}/1.png")
    study = Folder().read(tmp_path / "data")
    assert study.probes[0].identity == "José" == study.gallery[0].identity


def test_one_tree_enrols_the_first_pictures_of_each_person(picture: Write, tmp_path: Path) -> None:
    for name in ("a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "c/1.png"):
        picture(name)
    study = Folder(enrol=1).read(Folder(enrol=1).locate(tmp_path / "data"))
    assert [m.key for m in study.gallery] == ["a/1.png", "b/1.png", "c/1.png"]
    assert [m.key for m in study.probes] == ["a/2.png", "a/3.png", "b/2.png"]
    assert study.notes == ("1 people have 1 pictures or fewer ('c'): no probe is of them.",)
    assert [m.key for m in Folder(enrol=2).read(tmp_path / "data").probes] == ["a/3.png"]


def test_pictures_of_a_person_are_fused_if_templates_are_people(faces: Path) -> None:
    study = Folder(templates="person").read(faces)
    assert {m.template for m in study.probes} == {"probe/ann", "probe/bob", "probe/cy d'Été"}


def test_probes_are_shrunk_and_the_gallery_is_not(faces: Path) -> None:
    study = Folder(lr=16).read(faces)
    assert {m.cut.side for m in study.probes if m.cut} == {16} and {m.cut for m in study.gallery} == {None}


def test_other_files_and_empty_folders_are_counted(faces: Path) -> None:
    (faces / "gallery/ann/Thumbs.db").write_bytes(b"x")
    (faces / "gallery/dan").mkdir()
    (faces / "gallery/.hidden").mkdir()
    assert Folder().read(faces).notes == (
        "1 files are no pictures by their ending ('gallery/ann/Thumbs.db') and are left out.",
        "1 folders hold no picture ('gallery/dan').",
    )


def test_a_link_inside_the_root_is_followed_and_one_out_of_it_is_refused(faces: Path, tmp_path: Path) -> None:
    (faces / "probe/ann/3.jpg").symlink_to(faces / "gallery/ann/1.png")
    assert "probe/ann/3.jpg" in {m.key for m in Folder().read(faces).probes}
    outside = tmp_path / "outside.jpg"
    shutil.copy(faces / "probe/ann/1.jpg", outside)
    (faces / "probe/ann/4.jpg").symlink_to(outside)
    assert "1 links out of the data root (probe/ann/4.jpg)" in refusal(faces)
    (faces / "probe/ann/4.jpg").unlink()
    (faces / "probe/ann/loop").symlink_to(faces / "probe")
    assert "1 links to a folder above them (probe/ann/loop)" in refusal(faces)


def test_a_role_that_is_a_link_out_of_the_root_is_refused(faces: Path, tmp_path: Path) -> None:
    shutil.move(faces / "distractor", tmp_path / "elsewhere")
    (faces / "distractor").symlink_to(tmp_path / "elsewhere")
    assert "1 links out of the data root (distractor)" in refusal(faces)


def test_another_layout_is_refused_with_what_to_do(picture: Write, tmp_path: Path) -> None:
    root = tmp_path / "data"
    with pytest.raises(MissingError, match="gallery/PERSON"):
        Folder().locate(root)
    picture("ann/1.png")
    assert "it holds ann. Expected gallery/PERSON/*.jpg" in refusal(root) and "folder:enrol=1" in refusal(root)
    picture("gallery/ann/1.png")
    assert "has no folder probe" in refusal(root)
    picture("probes/ann/1.png")
    assert "holds 'probes'; name the folders gallery, probe" in refusal(root)
    (root / "probes").rename(root / "probe")
    assert f"Use --data-root {root} instead" in refusal(tmp_path)
    assert "Leave out enrol" in refusal(root, enrol=1)
    with pytest.raises(UsageError, match="enrol is -1"):
        Folder(enrol=-1)


def test_pictures_without_a_folder_of_a_person_are_refused(faces: Path, picture: Write) -> None:
    picture("gallery/loose.png")
    assert "1 pictures in no folder of a person (gallery/loose.png)" in refusal(faces)


def test_a_person_in_probe_only_is_named_and_an_open_set_accepts_it(faces: Path, picture: Write) -> None:
    picture("probe/Ann/1.png")
    text = refusal(faces)
    assert "1 people who are searched and not in the gallery ('Ann' (the gallery has 'ann'))" in text
    assert "folder:open_set=true" in text
    study = Folder(open_set=True).read(faces)
    assert study.open_set and len(study.probes) == 7


def test_a_distractor_of_a_searched_person_is_refused(faces: Path, picture: Write) -> None:
    picture("distractor/ann/1.png")
    assert "distractors of a person who is enrolled or searched ('ann')" in refusal(faces)


def test_the_check_names_what_the_run_refuses_and_counts_what_it_reads(faces: Path, picture: Write) -> None:
    lines = {line.subject: line for line in Folder().check(faces)}
    assert {line.level for line in lines.values()} == {"ok"}
    assert lines["probe pictures"].found == "6 of 3 people"
    picture("probe/dan/1.png", side=30)
    (faces / "probe/ann/1.jpg").write_bytes((faces / "probe/ann/1.jpg").read_bytes()[:200])
    shutil.copy(faces / "gallery/bob/1.png", faces / "probe/bob/1.png")
    lines = {line.subject: line for line in Folder().check(faces)}
    assert lines["people who are searched and not in the gallery"].level == "damaged"
    assert lines["probe files absent or damaged"].examples == ("probe/ann/1.jpg: image is truncated",)
    assert lines["probe sizes"].found == "2 sizes, 20 x 20 to 30 x 30 pixels"
    assert lines["probes that are also enrolled, byte for byte"].level == "differs"
    assert lines["readable for a run"].level == "damaged"
