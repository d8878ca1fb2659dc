"""Manifests: what a protocol compares, without images, and whether other data are the same."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.execution.manifest import compare, dump_manifest, make_manifest, read_manifest, write_manifest
from bench.interfaces import PROTOCOLS
from bench.pipeline.build import build
from bench.registry import Spec
from bench.studies import ExpressionSet, RestorationSet, VerificationSet
from bench.types import Cut, Media

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def manifest_file(bench: Bench, toys: Any, toy_root: Path, tmp_path: Path) -> Path:
    """The manifest of the toys."""
    code, _, err = bench("data", "manifest", "toys", toy_root, "--out", tmp_path / "toys.json")
    assert code == 0, err
    return tmp_path / "toys.json"


def test_a_manifest_says_what_is_compared_and_where_from_without_a_place(manifest_file: Path, toy_root: Path) -> None:
    manifest = json.loads(
        manifest_file.read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no strict JSON")
    )
    assert (manifest["protocol"], manifest["arguments"]) == ("toys", {"joined": False, "people": 4})
    assert (manifest["version"], manifest["kind"], manifest["sample"]) == ("1", "identification", False)
    assert manifest["counts"] == {
        "probe": 8, "gallery": 8, "distractor": 0, "probe identities": 4, "gallery identities": 4,
    }  # fmt: skip
    assert [entry["key"] for entry in manifest["media"]] == sorted(entry["key"] for entry in manifest["media"])
    entry = manifest["media"][0]
    assert entry == {
        "attributes": {}, "identity": "0", "key": "gallery/0_0.png", "path": "gallery/0_0.png", "role": "gallery",
        "sha256": hashlib.sha256((toy_root / "gallery/0_0.png").read_bytes()).hexdigest(),
        "template": "gallery/0_0",
    }  # fmt: skip
    assert str(toy_root.parent) not in manifest_file.read_text()


def test_the_same_data_elsewhere_give_the_same_bytes(
    bench: Bench, manifest_file: Path, toy_root: Path, tmp_path: Path
) -> None:
    shutil.copytree(toy_root, tmp_path / "elsewhere")
    code, out, _ = bench("data", "manifest", "toys", tmp_path / "elsewhere", "--out", tmp_path / "again.json")
    assert code == 0
    assert (tmp_path / "again.json").read_bytes() == manifest_file.read_bytes()
    assert json.loads(manifest_file.read_text())["digest"] in out


def test_a_run_refuses_other_data_and_names_the_differences(
    bench: Bench, manifest_file: Path, toy_root: Path, tmp_path: Path
) -> None:
    command = ("run", "--protocol", "toys", "--data-root", toy_root, "--recogniser", "pixels")
    command = (*command, "--manifest", manifest_file)
    assert bench(*command, "--out", tmp_path / "good")[0] == 0
    assert json.loads((tmp_path / "good/run.json").read_text())["config"]["manifest"] == str(manifest_file)
    shutil.copy(toy_root / "probe/1_1.png", toy_root / "probe/0_1.png")
    (toy_root / "gallery/3_0.png").unlink()
    code, _, err = bench(*command, "--out", tmp_path / "bad")
    assert code == 1
    assert "probe probe/0_1.png has the sha256" in err
    assert "gallery gallery/3_0.png has the sha256 absent" in err
    assert not (tmp_path / "bad").exists()
    code, _, err = bench(*command[:2], "toys:people=3", *command[3:], "--out", tmp_path / "bad")
    assert code == 1
    assert "arguments people is 3, in the manifest 4" in err
    assert "gallery gallery/3_0.png is not in these data" in err


def test_a_manifest_without_digests_compares_names_alone(
    bench: Bench, toys: Any, toy_root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "names.json"
    assert bench("data", "manifest", "toys", toy_root, "--out", path, "--no-digests")[0] == 0
    assert "sha256" not in path.read_text()
    (toy_root / "probe/0_1.png").unlink()
    command = ("run", "--protocol", "toys", "--data-root", toy_root, "--recogniser", "pixels", "--manifest", path)
    assert bench(*command, "--out", tmp_path / "run")[0] == 0


def test_check_compares_with_a_manifest_too(bench: Bench, manifest_file: Path, toy_root: Path) -> None:
    code, out, _ = bench("data", "check", "toys", toy_root, "--manifest", manifest_file)
    assert (code, "the same data" in out) == (0, True)
    shutil.copy(toy_root / "probe/1_1.png", toy_root / "probe/0_1.png")
    code, out, _ = bench("data", "check", "toys", toy_root, "--manifest", manifest_file)
    assert code == 4
    assert "1 differences" in out
    assert "probe probe/0_1.png has the sha256" in out


def test_what_is_no_manifest_or_was_changed_is_refused(manifest_file: Path, tmp_path: Path) -> None:
    text = manifest_file.read_text()
    for content, part in (
        ("{", "cannot be read"),
        ("[]", "is no manifest"),
        (text.replace('"schema_version": 1', '"schema_version": 2'), "schema version 2"),
        (text.replace('"identity": "0"', '"identity": "9"', 1), "its digest is another"),
    ):
        manifest_file.write_text(content)
        with pytest.raises(DataError, match=part):
            read_manifest(manifest_file)
    with pytest.raises(MissingError, match="No manifest"):
        read_manifest(tmp_path / "absent.json")


def test_without_data_the_sample_is_described_as_one(bench: Bench, toys: Any, tmp_path: Path) -> None:
    code, out, _ = bench("data", "manifest", "toys", "--out", tmp_path / "new" / "m.json")
    assert code == 0
    assert "SAMPLE of drawn people" in out
    assert read_manifest(tmp_path / "new" / "m.json")["sample"] is True


def face(root: Path, name: str, role: Any, identity: str, **more: Any) -> Media:
    return Media(name, root / name, role, identity, more.pop("template", name), **more)


def test_pairs_are_counted_and_digested_whatever_the_order_of_media(toys: Any, tmp_path: Path) -> None:
    built = build(PROTOCOLS, Spec("toys"))
    enrolled = tuple(face(tmp_path, f"a{i}", "gallery", str(i)) for i in range(3))
    verified = tuple(face(tmp_path, f"b{i}", "probe", str(i)) for i in range(3))
    first, second = np.array([0, 1, 2, 2]), np.array([0, 1, 0, 2])
    fold = np.array([0, 0, 1, 1])
    data = VerificationSet(enrolled, verified, first, second, np.array([True, True, False, True]), fold)

    def pairs(study: VerificationSet) -> Any:
        return make_manifest(built, tmp_path, tmp_path, study)["compared"]["pairs"]

    assert {k: v for k, v in pairs(data).items() if k != "sha256"} == {"count": 4, "same": 3, "folds": [2, 2]}
    turned = replace(data, enrolled=enrolled[::-1], first=2 - first)
    assert pairs(turned) == pairs(data)
    manifest = make_manifest(built, tmp_path, tmp_path, data)
    assert compare(manifest, built, tmp_path, tmp_path, turned) == ([], 0)
    other = replace(data, second=np.array([0, 1, 1, 2]))
    result, count = compare(manifest, built, tmp_path, tmp_path, other)
    assert count == 1
    assert result[0].startswith("pairs sha256 is")


def test_cuts_landmarks_truths_and_folds_are_part_of_it(toys: Any, tmp_path: Path) -> None:
    built = build(PROTOCOLS, Spec("toys"))
    points = ((1.0, 2.0), (3.0, 2.0), (2.0, 3.0), (1.0, 4.0), (3.0, 4.0))
    cut = Cut(box=(1.0, 2.0, 30.0, 30.0), side=16)
    faces = (face(tmp_path, "f", "probe", "1", cut=cut, landmarks=points, attributes={"expression": "joy"}),)
    truths = (face(tmp_path, "t", "gallery", "1"),)
    study = RestorationSet(faces, truths)
    manifest = make_manifest(built, tmp_path, tmp_path, study)
    probe = next(entry for entry in manifest["media"] if entry["role"] == "probe")
    assert probe["cut"] == {"box": [1.0, 2.0, 30.0, 30.0], "side": 16}
    assert probe["truth"] == "t"
    near = tuple((x + 0.004, y) for x, y in points)
    for value, count in ((near, 0), (tuple((x + 0.1, y) for x, y in points), 1), (None, 1)):
        moved = replace(study, faces=(replace(faces[0], landmarks=value),))
        assert compare(manifest, built, tmp_path, tmp_path, moved)[1] == count
    wider = replace(study, faces=(replace(faces[0], cut=replace(cut, side=32)),))
    assert "has the cut" in compare(manifest, built, tmp_path, tmp_path, wider)[0][0]
    labelled = ExpressionSet(faces, truths, ("joy", "fear"), {"1": 0})
    body = make_manifest(built, tmp_path, tmp_path, labelled)
    assert body["compared"] == {"labels": ["joy", "fear"], "folds": {"1": 0}}
    again = compare(body, built, tmp_path, tmp_path, replace(labelled, folds={"1": 1}))
    assert again == (["folds 1 is 1, in the manifest 0"], 1)
    assert compare(body, built, tmp_path, tmp_path, study)[0][0].startswith("kind is restoration")


def test_pictures_that_reading_made_count_by_name_and_others_outside_are_refused(toys: Any, tmp_path: Path) -> None:
    built = build(PROTOCOLS, Spec("toys"))
    root, scratch = tmp_path / "root", tmp_path / "scratch"
    (scratch / "views").mkdir(parents=True)
    (scratch / "views" / "f").write_bytes(b"1")
    study = RestorationSet((face(scratch, "views/f", "probe", "1"),), (face(root, "t", "gallery", "1"),))
    manifest = make_manifest(built, root, scratch, study)
    probe = next(entry for entry in manifest["media"] if entry["role"] == "probe")
    assert (probe["path"], probe["derived"], "sha256" in probe) == ("views/f", True, False)
    (scratch / "views" / "f").write_bytes(b"2")
    assert compare(manifest, built, root, scratch, study)[1] == 0
    stray = replace(study, truths=(face(tmp_path, "elsewhere", "gallery", "1"),))
    with pytest.raises(DataError, match="outside"):
        make_manifest(built, root, scratch, stray)


def test_notes_and_arguments_lose_their_places_and_odd_numbers_are_refused(toys: Any, tmp_path: Path) -> None:
    built = build(PROTOCOLS, Spec("toys"))
    messages = replace(built, arguments={"points": str(tmp_path / "x.csv"), "list": "/home/me/list.txt", "lr": 16})
    note = f"{tmp_path}/a.txt and /home/me/b.txt were read. 3/4 of it."
    study = RestorationSet((face(tmp_path, "f", "probe", "1"),), (face(tmp_path, "t", "gallery", "1"),), notes=(note,))
    manifest = make_manifest(messages, tmp_path, tmp_path, study)
    assert manifest["notes"] == ["DATA/a.txt and b.txt were read. 3/4 of it."]
    assert manifest["arguments"] == {"points": "DATA/x.csv", "list": "list.txt", "lr": 16}
    path = tmp_path / "m.json"
    write_manifest(path, manifest)
    assert path.read_text() == dump_manifest(read_manifest(path))
    odd = replace(study, faces=(replace(study.faces[0], attributes={"yaw": float("nan")}),))
    with pytest.raises(DataError, match="strict JSON"):
        make_manifest(built, tmp_path, tmp_path, odd)


def test_a_manifest_of_names_that_are_no_text_is_utf_8_and_reads_back(tmp_path: Path) -> None:
    manifest = {"identity": "a\udcff"}
    path = tmp_path / "m.json"
    write_manifest(path, manifest)  # type: ignore[arg-type]
    assert json.loads(path.read_text(encoding="utf-8")) == manifest
