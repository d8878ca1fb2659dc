"""Pairs of LR faces and truths as files, and faces that are restored already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.checks.toy_faces import draw_face
from bench.config import RunConfig
from bench.errors import DataError, UsageError
from bench.execution.execute import execute, prepare
from bench.images import ByteImages, encode_png, resize
from bench.interfaces import PROTOCOLS
from bench.metrics.quality import psnr_rgb_db
from bench.pipeline.build import build
from bench.registry import Spec
from protocols.restoration import pairs as restoration_pairs
from protocols.restoration.pairs import GivenPairs

FACES = [draw_face(k, 0, 128) for k in range(3)]
FIVE = ((40.0, 50.0), (88.0, 50.0), (64.0, 70.0), (48.0, 90.0), (80.0, 90.0))


def shrunk(face: ByteImages) -> ByteImages:
    return resize(face, 16, 16)


def write(root: Path, pattern: str, change: Callable[[ByteImages], ByteImages] = lambda face: face) -> None:
    for number, face in enumerate(FACES):
        path = root / pattern.format(f"{number:04d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(change(face)))


@pytest.fixture(autouse=True)
def fixed_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(files: Sequence[Path], *args: object) -> dict[Path, object]:
        return dict.fromkeys(files, FIVE)

    monkeypatch.setattr(restoration_pairs, "detect_faces", find)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "data", "HR/{}.png")
    write(tmp_path / "data", "LR/{}x8.png", shrunk)
    write(tmp_path / "data", "SR/{}x8_out.png", lambda face: resize(shrunk(face), 128, 128))
    return tmp_path / "data"


def pairs(hr: str = "HR", lr: str = "LR", sr: str = "") -> GivenPairs:
    return GivenPairs(hr=hr, lr=lr, sr=sr, person="file")


@pytest.mark.parametrize(
    "ending", ["{}.png", "{}x8.png", "{}_x8.png", "{}_LR.png", "{}-lr.png", "lr_{}.png", "{}_bicubic.png"]
)
def test_files_are_paired_by_name_without_the_part_for_the_version(tmp_path: Path, ending: str) -> None:
    write(tmp_path, "HR/{}.png")
    write(tmp_path, f"LR/{ending}", shrunk)
    data = pairs().read_with(tmp_path, tmp_path / "scratch")
    assert [(f.path.name, t.path.name) for f, t in zip(data.faces, data.truths, strict=True)] == [
        (ending.format(f"{k:04d}"), f"{k:04d}.png") for k in range(3)
    ]
    assert data.notes[0] == "3 pairs by name; sizes 16 x 16 to 128 x 128 (3)."
    assert data.official is None and not data.ready


def test_points_of_the_truth_serve_both_sides(root: Path) -> None:
    data = pairs().read_with(root, root)
    assert data.truths[0].landmarks == FIVE
    assert data.faces[0].landmarks is not None and data.faces[0].landmarks[0] == pytest.approx(
        (40.5 / 8 - 0.5, 50.5 / 8 - 0.5)
    )


def test_what_has_no_partner_is_counted_and_named(root: Path) -> None:
    (root / "LR/0001x8.png").unlink()
    write(root, "LR/extra{}.png", shrunk)
    notes = pairs().read_with(root, root).notes
    assert "1 images of hr=HR have no partner and are left out: '0001.png'." in notes
    assert any("3 images of lr=LR have no partner" in note and "'extra0000.png'" in note for note in notes)
    levels = {line.subject: line.level for line in pairs().check(root)}
    assert levels["images of hr=HR without a partner"] == "differs" and levels["readable for a run"] == "ok"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LR/0001.png": shrunk(FACES[1]), "LR/0001x8.png": None, "LR/0001_LR.png": shrunk(FACES[1])}, ""),
        ({"LR/0001_LR.png": shrunk(FACES[1])}, "pairs are ambiguous"),
    ],
)
def test_a_name_that_could_mean_two_files_is_refused(
    root: Path, change: dict[str, ByteImages | None], message: str
) -> None:
    for name, image in change.items():
        if image is None:
            (root / name).unlink()
        else:
            (root / name).write_bytes(encode_png(image))
    if message:
        with pytest.raises(DataError, match=message):
            pairs().match(root)
        assert pairs().check(root)[-1].level == "damaged"
    else:
        assert pairs().match(root).pairs["0001.png"][0].name == "0001.png"  # the exact name goes first


def test_swapped_folders_and_odd_sizes_are_reported(root: Path) -> None:
    with pytest.raises(DataError, match="are lr and hr swapped"):
        pairs(hr="LR", lr="HR").match(root)
    (root / "LR/0000x8.png").write_bytes(encode_png(resize(FACES[0], 30, 30)))
    assert (
        pairs().match(root).notes()[-1]
        == "1 pairs are of sizes without a whole-number ratio: '0000.png', 30 x 30 to 128 x 128."
    )


@pytest.mark.parametrize("lr", ["../LR", "/etc", "a/../../b"])
def test_folders_do_not_leave_the_data_root(lr: str) -> None:
    with pytest.raises(UsageError, match="leads out of the data root"):
        pairs(lr=lr)


def test_a_link_out_of_the_root_and_an_absent_folder_are_refused(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    with pytest.raises(DataError, match="is a link out of"):
        pairs(lr="out").locate(root)
    with pytest.raises(DataError, match=r"holds no folder lq \(lr=lq\); it holds HR, LR, SR"):
        pairs(lr="lq").locate(root)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("source=pairs", "needs hr=DIR and lr=DIR or sr=DIR"),
        ("source=pairs,lr=LR", "needs hr=DIR"),
        ("source=pairs,lr=HR,hr=HR", "the same folder"),
        ("source=pairs,lr=LR,hr=HR,jitter=none", "accepts only lr, hr, sr, person, alexnet and seed"),
        ("source=celeba,lr=LR", "lr=LR; expected 16, 32 or 0"),
        ("source=folder,hr=HR", "Use source=pairs"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(PROTOCOLS, Spec.parse(f"restoration:{spec}"))


def measured(root: Path, out: Path, spec: str, hallucinator: str) -> float:
    config = RunConfig(
        protocol=f"restoration:{spec}", data_root=root, hallucinator=hallucinator, images="none", out=out, no_cache=True
    )
    return float(execute(prepare(config))[0].record.metrics["psnr_db"].value)


def test_lr_faces_are_restored_and_restored_ones_are_measured_as_they_are(root: Path, tmp_path: Path) -> None:
    expected = [psnr_rgb_db(face, resize(shrunk(face), 128, 128)) for face in FACES]
    mean = sum(expected) / len(expected)
    by_chain = measured(root, tmp_path / "a", "source=pairs,lr=LR,hr=HR", "bicubic:size=128")
    ready = measured(root, tmp_path / "b", "source=pairs,sr=SR,hr=HR,lr=LR", "none")
    assert by_chain == pytest.approx(mean) and ready == pytest.approx(mean)
    with pytest.raises(UsageError, match="already restored"):
        measured(root, tmp_path / "c", "source=pairs,sr=SR,hr=HR", "bicubic:size=128")
