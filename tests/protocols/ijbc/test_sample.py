"""The IJB-C sample against the facts of its three releases."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import UsageError
from protocols.sample import SampleSummary, write_sample

Ijbc = tuple[Path, SampleSummary]
Row = dict[str, str]
SEVEN = ["TEMPLATE_ID", "SUBJECT_ID", "FILENAME", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT"]
THIRTY_THREE = [
    "SUBJECT_ID", "FILENAME", "SIGHTING_ID", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT", "FRAME_NUM",
    "FACIAL_HAIR", "AGE", "INDOOR_OUTDOOR", "SKINTONE", "GENDER", "YAW", "ROLL",
    "OCC1", "OCC2", "OCC3", "OCC4", "OCC5", "OCC6", "OCC7", "OCC8", "OCC9", "OCC10", "OCC11", "OCC12", "OCC13",
    "OCC14", "OCC15", "OCC16", "OCC17", "OCC18",
]  # fmt: skip


@pytest.fixture(scope="module")
def release(sample: Callable[..., Ijbc]) -> Callable[[str], Ijbc]:
    return lambda letter: sample("ijbc", identities=5, release=letter)


def rows(path: Path, header: list[str]) -> list[Row]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        result = list(reader)
    assert reader.fieldnames == header
    assert all(None not in row and None not in row.values() for row in result)
    return result


def owners(rows_of_list: list[Row]) -> dict[int, int]:
    """Template to subject; a template has one subject."""
    table: dict[int, int] = {}
    for row in rows_of_list:
        assert table.setdefault(int(row["TEMPLATE_ID"]), int(row["SUBJECT_ID"])) == int(row["SUBJECT_ID"])
    return table


def test_release_b_has_its_files(release: Callable[[str], Ijbc]) -> None:
    root, _ = release("B")
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {name for name in names if not name.startswith("images/")} == {
        "SAMPLE.txt", "sample.json", "protocols/ijbc_metadata_with_age.csv",
        "protocols/test1/enroll_templates.csv", "protocols/test1/verif_templates.csv", "protocols/test1/match.csv",
        "protocols/test4/gallery_G1.csv", "protocols/test4/gallery_G2.csv", "protocols/test4/probes.csv",
    }  # fmt: skip
    assert {path.name for path in (root / "images").iterdir()} == {"img", "frames", "nonfaces"}


def test_galleries_are_disjoint_and_each_probe_has_its_mate_in_one(release: Callable[[str], Ijbc]) -> None:
    root, summary = release("B")
    folder = root / "protocols" / "test4"
    g1, g2, probes = (owners(rows(folder / f"{n}.csv", SEVEN)) for n in ("gallery_G1", "gallery_G2", "probes"))
    assert not set(g1.values()) & set(g2.values()) and len({**g1, **g2, **probes}) == len(g1) + len(g2) + len(probes)
    assert len(set(g1.values())) == len(g1) == 3 and len(set(g2.values())) == len(g2) == 2  # one template a subject
    assert all((subject in g1.values()) != (subject in g2.values()) for subject in probes.values())
    assert len(probes) == 15 == summary.counts["probe"]
    enrolled = owners(rows(root / "protocols" / "test1" / "enroll_templates.csv", SEVEN))
    assert enrolled == {**g1, **g2}
    assert owners(rows(root / "protocols" / "test1" / "verif_templates.csv", SEVEN)) == probes


def test_every_mated_pair_is_matched_and_impostors_share_gender_and_about_the_skin(
    release: Callable[[str], Ijbc],
) -> None:
    root, _ = release("B")
    folder = root / "protocols"
    traits = {
        row["SUBJECT_ID"]: (row["GENDER"], int(row["SKINTONE"]))
        for row in rows(folder / "ijbc_metadata_with_age.csv", THIRTY_THREE)
        if row["SUBJECT_ID"]
    }
    enrolled = owners(rows(folder / "test1" / "enroll_templates.csv", SEVEN))
    probes = owners(rows(folder / "test1" / "verif_templates.csv", SEVEN))
    matches = rows(folder / "test1" / "match.csv", ["ENROLL_TEMPLATE_ID", "VERIF_TEMPLATE_ID"])
    genuine, impostors = set(), 0
    for row in matches:
        one, other = enrolled[int(row["ENROLL_TEMPLATE_ID"])], probes[int(row["VERIF_TEMPLATE_ID"])]
        if one == other:
            genuine.add(int(row["VERIF_TEMPLATE_ID"]))
        else:
            impostors += 1
            (gender, tone), (gender_other, tone_other) = traits[str(one)], traits[str(other)]
            assert gender == gender_other and abs(tone - tone_other) <= 1
    assert genuine == set(probes) and impostors >= 10


def test_boxes_lie_in_their_images_and_metadata_know_them(release: Callable[[str], Ijbc]) -> None:
    root, _ = release("B")
    metadata = {
        (row["FILENAME"], row["SUBJECT_ID"]): row
        for row in rows(root / "protocols" / "ijbc_metadata_with_age.csv", THIRTY_THREE)
    }
    listed = [
        row
        for name in ("gallery_G1", "gallery_G2", "probes")
        for row in rows(root / "protocols" / "test4" / f"{name}.csv", SEVEN)
    ]
    for row in listed:
        folder, _, name = row["FILENAME"].partition("/")
        stem, _, ending = name.partition(".")
        assert folder in ("img", "frames") and stem.isdigit() and len(ending) == 3
        x, y, width, height = (int(row[key]) for key in SEVEN[3:])
        with Image.open(root / "images" / row["FILENAME"]) as image:
            assert 0 <= x < x + width <= image.width and 0 <= y < y + height <= image.height
        about = metadata[row["FILENAME"], row["SUBJECT_ID"]]
        assert [about[key] for key in SEVEN[3:]] == [row[key] for key in SEVEN[3:]]
        assert (about["FRAME_NUM"] == "") == (folder == "img")
    shown = {row["FILENAME"] for row in listed} | {"nonfaces/1.jpg", "nonfaces/2.jpg"}
    files = {path.relative_to(root / "images").as_posix() for path in (root / "images").rglob("*.*")}
    assert shown == files == {name for name, _ in metadata}
    nonfaces = [row for (name, _), row in metadata.items() if "nonface" in name]
    assert len(nonfaces) == 2 and all(
        value == "" for row in nonfaces for key, value in row.items() if key != "FILENAME"
    )


def test_probes_mix_stills_and_frames_and_a_video_is_one_sighting(release: Callable[[str], Ijbc]) -> None:
    root, _ = release("A")
    header = ["TEMPLATE_ID", *THIRTY_THREE]
    assert len(header) == 34
    kinds: dict[str, set[str]] = defaultdict(set)
    media: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    for row in rows(root / "protocols" / "ijbc_1N_probe_mixed.csv", header):
        folder = row["FILENAME"].partition("/")[0]
        kinds[row["TEMPLATE_ID"]].add(folder)
        media[row["SIGHTING_ID"]].add(folder)
        people[row["FILENAME"]].add(row["SUBJECT_ID"])
    assert {frozenset(kind) for kind in kinds.values()} == {
        frozenset({"img"}), frozenset({"frames"}), frozenset({"img", "frames"}),
    }  # fmt: skip
    assert all(len(folders) == 1 for folders in media.values())
    assert max(map(len, people.values())) == 2  # an image may hold two subjects
    for name in ("gallery_G1", "gallery_G2"):
        result = rows(root / "protocols" / f"ijbc_1N_{name}.csv", header)
        assert len(result) > len(owners(result)) and all(row["FILENAME"].startswith("img/") for row in result)


def test_releases_give_equal_data_for_the_same_pictures(release: Callable[[str], Ijbc]) -> None:
    (a, _), (b, _) = release("A"), release("B")
    files = sorted(path.relative_to(a) for path in (a / "images").rglob("*.*"))
    assert files and all((a / name).read_bytes() == (b / name).read_bytes() for name in files)
    matches = (a / "protocols" / "ijbc_11_G1_G2_matches.csv").read_text().splitlines()
    assert matches == (b / "protocols" / "test1" / "match.csv").read_text().splitlines()[1:]
    metadata = (a / "protocols" / "ijbc_metadata.csv").read_text()
    assert metadata == (b / "protocols" / "ijbc_metadata_with_age.csv").read_text()


def test_release_c_has_parallel_lists_of_loose_crops(release: Callable[[str], Ijbc]) -> None:
    root, summary = release("C")
    media = [line.split(" ") for line in (root / "meta" / "ijbc_face_tid_mid.txt").read_text().splitlines()]
    points = [line.split(" ") for line in (root / "meta" / "ijbc_name_5pts_score.txt").read_text().splitlines()]
    names = [f"{n}.jpg" for n in range(1, summary.images + 1)]
    assert [row[0] for row in media] == [row[0] for row in points] == names
    assert sorted(path.name for path in (root / "loose_crop").iterdir()) == sorted(names)
    assert all(len(row) == 3 for row in media) and all(len(row) == 12 for row in points)
    scores = [float(row[11]) for row in points]
    assert min(scores) == 0.1 and sum(score >= 0.7 for score in scores) == len(scores) - len(scores) // 25
    for row in points:
        places = np.array(row[1:11], float).reshape(5, 2)
        with Image.open(root / "loose_crop" / row[0]) as crop:
            assert (places >= 0).all() and (places < crop.size).all()
    labels = [line.split(" ") for line in (root / "meta" / "ijbc_template_pair_label.txt").read_text().splitlines()]
    templates = {row[1] for row in media}
    assert all(len(row) == 3 and {row[0], row[1]} <= templates and row[2] in "01" for row in labels)
    assert sum(row[2] == "1" for row in labels) == summary.counts["probe"] == 15


def test_another_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="release is A, B or C, not 'D'"):
        write_sample("ijbc", tmp_path / "out", identities=4, options={"release": "D"})
    assert list(tmp_path.iterdir()) == []
