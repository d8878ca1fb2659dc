"""The 1:N search of IJB-C in its three releases, and every way in which a copy can be broken."""

from __future__ import annotations

import csv
import random
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.interfaces import PROTOCOLS
from bench.pipeline.reader import open_media
from bench.types import IdentificationSet, Media
from protocols.ijbc import studies
from protocols.ijbc.protocol import IjbC

Copy = Callable[[str], Path]
Edit = Callable[[Path, Callable[[list[dict[str, str]]], list[dict[str, str]]]], None]
RELEASES = ("A", "B", "C")
PROBES = {
    "A": "protocols/ijbc_1N_probe_mixed.csv",
    "B": "protocols/test4/probes.csv",
    "C": "meta/ijbc_1N_probe_mixed.csv",
}
G1 = {
    "A": "protocols/ijbc_1N_gallery_G1.csv",
    "B": "protocols/test4/gallery_G1.csv",
    "C": "meta/ijbc_1N_gallery_G1.csv",
}
G2 = {name: path.replace("_G1", "_G2") for name, path in G1.items()}


def read(root: Path, **arguments: Any) -> IdentificationSet:
    result = IjbC(**arguments).read(root)
    assert isinstance(result, IdentificationSet)
    return result


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_template(media: tuple[Media, ...]) -> dict[str, list[Media]]:
    groups: dict[str, list[Media]] = defaultdict(list)
    for item in media:
        groups[item.template].append(item)
    return groups


def partition(media: list[Media]) -> list[int]:
    """How many images each medium of a template has, in order of appearance."""
    counts: dict[str, int] = {}
    for item in media:
        counts[item.medium] = counts.get(item.medium, 0) + 1
    return list(counts.values())


@pytest.mark.parametrize("release", ["A", "B"])
def test_templates_people_files_and_boxes_are_those_of_the_lists(drawn_ijbc: dict[str, Path], release: str) -> None:
    root = drawn_ijbc[release]
    data = read(root, lr=None)
    for media, files in ((data.probes, [PROBES[release]]), (data.gallery, [G1[release], G2[release]])):
        rows = [row for file in files for row in table(root / file)]
        assert [(m.template, m.identity, m.path) for m in media] == [
            (row["TEMPLATE_ID"], row["SUBJECT_ID"], root / "images" / row["FILENAME"]) for row in rows
        ]
        for item, row in zip(media, rows, strict=True):
            x, y, w, h = (float(row[name]) for name in ("FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT"))
            side = max(w, h)
            assert item.cut is not None and item.cut.side is None
            assert item.cut.box == pytest.approx((x + w / 2 - side / 2, y + h / 2 - side / 2, side, side), abs=0.5)
            assert all(value == int(value) for value in item.cut.box)
            assert item.path.is_file()
    assert len({m.key for m in (*data.gallery, *data.probes)}) == len(data.gallery) + len(data.probes)


@pytest.mark.parametrize("release", ["A", "B"])
def test_media_are_the_sightings(drawn_ijbc: dict[str, Path], release: str) -> None:
    """Release B names no sightings in its lists of templates; they come from the metadata."""
    root = drawn_ijbc[release]
    metadata = next((root / "protocols").glob("ijbc_metadata*.csv"))
    sightings = {(row["SUBJECT_ID"], row["FILENAME"]): row["SIGHTING_ID"] for row in table(metadata)}
    data = read(root)
    for item in (*data.gallery, *data.probes):
        assert item.medium == sightings[str(item.identity), item.path.relative_to(root / "images").as_posix()]
    assert not any("SIGHTING_ID" in note for note in data.notes)
    assert max(max(partition(group)) for group in by_template(data.probes).values()) > 1


def test_the_three_releases_say_the_same(drawn_ijbc: dict[str, Path]) -> None:
    messages = []
    for release in RELEASES:
        data = read(drawn_ijbc[release])
        groups = by_template((*data.gallery, *data.probes))
        assert data.notes[0].startswith(f"Read as release {release} of IJB-C")
        messages.append(
            (
                {t: (m[0].identity, partition(m), dict(m[0].attributes)) for t, m in groups.items()},
                dict(data.galleries),
            )
        )
    assert messages[0] == messages[1] == messages[2]


@pytest.mark.parametrize("release", RELEASES)
def test_the_galleries_are_g1_and_g2_and_both_joined_unless_pooled(drawn_ijbc: dict[str, Path], release: str) -> None:
    root = drawn_ijbc[release]
    data = read(root)
    for name, file in (("G1", G1), ("G2", G2)):
        assert data.galleries[name] == tuple(dict.fromkeys(row["TEMPLATE_ID"] for row in table(root / file[release])))
    assert data.galleries["joined"] == data.galleries["G1"] + data.galleries["G2"]
    assert list(read(root, closed_set="pooled").galleries) == ["G1", "G2"]
    assert data.open_set and not data.distractors
    people = {
        name: {m.identity for m in data.gallery if m.template in templates}
        for name, templates in data.galleries.items()
    }
    assert all((m.identity in people["G1"]) != (m.identity in people["G2"]) for m in data.probes)


@pytest.mark.parametrize("release", RELEASES)
def test_rows_of_a_template_need_not_follow_each_other(copy: Copy, edit: Edit, release: str) -> None:
    root = copy(release)
    before = by_template(read(root).probes)

    def shuffled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        random.Random(0).shuffle(rows)
        return rows

    edit(root / PROBES[release], shuffled)
    if release == "C":  # its order is that of the list of crops
        lines = (root / "meta/ijbc_face_tid_mid.txt").read_text().splitlines()
        points = (root / "meta/ijbc_name_5pts_score.txt").read_text().splitlines()
        order = list(range(len(lines)))
        random.Random(0).shuffle(order)
        for name, old in (("ijbc_face_tid_mid", lines), ("ijbc_name_5pts_score", points)):
            (root / f"meta/{name}.txt").write_text("".join(old[i] + "\n" for i in order))
    after = by_template(read(root).probes)
    assert list(after) != list(before)
    assert {t: sorted(map(repr, m)) for t, m in after.items()} == {t: sorted(map(repr, m)) for t, m in before.items()}


def test_nothing_is_opened_to_read(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in RELEASES:
        root = copy(release)
        before = read(root)
        for path in root.rglob("*"):
            if path.suffix in (".jpg", ".png"):
                path.write_bytes(b"")
        assert read(root) == before


def test_the_rules_are_those_of_the_published_evaluations() -> None:
    search, pairs = IjbC(), IjbC(task="verification")
    assert (search.fusion, search.flip, search.similarity, search.unit_length) == ("media", "sum", "cosine", True)
    assert (search.ranks, search.mean_average_precision, search.score_weighted) == ((1, 5, 10), False, False)
    assert search.false_positive_rates == (0.01, 0.1) and pairs.false_positive_rates == (1e-4,)
    chosen = PROTOCOLS["ijbc"].configure({"lr": "none", "flip": "none", "false_positive_rates": "[0.05]"})
    other = IjbC(**chosen)  # type: ignore[arg-type]  # converted by the registry
    assert (other.lr, other.flip, other.false_positive_rates) == (None, "none", (0.05,))
    assert IjbC(lr=0).lr is None


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"lr": 2}, "lr is 2"),
        ({"lr": 1000}, "lr is 1000"),
        ({"margin": -0.1}, "margin is -0.1"),
        ({"crop": "whole"}, "crop=whole needs lr=none"),
        ({"false_positive_rates": (1.0,)}, r"\[1.0\]"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        IjbC(**arguments)


@pytest.mark.parametrize("release", ["A", "B"])
def test_what_a_release_does_not_have_is_refused(drawn_ijbc: dict[str, Path], release: str) -> None:
    with pytest.raises(UsageError, match=f"detector_score=true needs release C; this is release {release}"):
        IjbC(detector_score=True).read(drawn_ijbc[release])
    with pytest.raises(UsageError, match="crop=whole needs release C"):
        IjbC(crop="whole", lr=None).read(drawn_ijbc[release])


def test_a_set_with_the_published_counts_is_official_only_if_all_is_there(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"G1 templates": 2, "G2 templates": 2, "probe templates": 12}
    root = copy("B")
    assert read(root).official is False
    assert "Not the official set: 2 of 1,772 G1 templates; 2 of 1,759 G2" in read(root).notes[1]
    monkeypatch.setattr(studies, "OFFICIAL_SEARCH", counts)
    assert read(root).official is True
    (root / "images/img/1.jpg").unlink()
    data = read(root)
    assert data.official is False
    assert "1 listed images are absent: img/1.jpg...; they count as failures." in data.notes


def test_images_may_lie_beside_the_lists(copy: Copy) -> None:
    root = copy("A")
    for name in ("img", "frames"):
        (root / "images" / name).rename(root / name)
    shutil.rmtree(root / "images")
    assert all(m.path.is_file() for m in read(root).probes)


@pytest.mark.parametrize("release", RELEASES)
def test_probes_are_small_and_gallery_faces_are_not(drawn_ijbc: dict[str, Path], release: str) -> None:
    for lr, shape in ((16, (16, 16, 3)), (32, (32, 32, 3))):
        data = read(drawn_ijbc[release], lr=lr)
        assert open_media(data.probes[3]).shape == shape
        height, width, _ = open_media(data.gallery[0]).shape
        assert height == width > 32


@pytest.mark.parametrize(
    ("inside", "release"), [("", "B"), ("IJB-C", "A"), ("IJB/IJB-C", "B"), ("IJBC", "C"), ("ijb/IJBC", "C")]
)
def test_the_folder_is_found_where_it_usually_lies(
    drawn_ijbc: dict[str, Path], tmp_path: Path, inside: str, release: str
) -> None:
    root = shutil.copytree(drawn_ijbc[release], tmp_path / "top" / inside, dirs_exist_ok=True)
    assert IjbC().locate(tmp_path / "top").resolve() == Path(root).resolve()


def test_other_folders_are_explained(drawn_ijbc: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="NIST gave it out on request"):
        IjbC().locate(tmp_path / "absent")
    (tmp_path / "holiday").mkdir()
    with pytest.raises(DataError, match=r"expected protocols/ijbc_1N_\*.csv.*found holiday"):
        IjbC().locate(tmp_path)
    with pytest.raises(DataError, match="is a folder inside IJB-C. Use --data-root"):
        IjbC().locate(drawn_ijbc["B"] / "images")


def test_of_several_releases_the_one_requested_is_read(copy: Copy, drawn_ijbc: dict[str, Path]) -> None:
    root = copy("B")
    shutil.copytree(drawn_ijbc["C"] / "meta", root / "meta")
    shutil.copytree(drawn_ijbc["C"] / "loose_crop", root / "loose_crop")
    assert read(root).notes[0].startswith("Read as release B")
    assert read(root).notes[1] == "Lists of release C exist too and were not used."
    assert read(root, release="C").notes[0].startswith("Read as release C")
    with pytest.raises(DataError, match="of release A for identification; complete releases: B, C"):
        read(root, release="A")


def test_headers_in_other_letters_with_blanks_or_a_byte_order_mark_are_read(copy: Copy) -> None:
    root = copy("B")
    before = read(root)
    path = root / PROBES["B"]
    first, *rest = path.read_text().splitlines(keepends=True)
    path.write_bytes(b"\xef\xbb\xbf" + first.lower().replace(",", ", ").encode() + "".join(rest).encode())
    assert read(root) == before
