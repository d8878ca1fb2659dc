"""Packs and pairs: people never on both sides, truths unchanged, every rejection counted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.__main__ import main
from bench.align.template import FRAMES
from bench.errors import BenchError, DataError, UsageError
from bench.faces.landmarks.dlib_fan import flat
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.landmarks.points import five_points, sixty_eight_points
from bench.faces.pairs.pack import SIDE, Pack, pack, photographs
from bench.faces.pairs.pairs import (
    Jitter,
    in_lr,
    make_pairs,
    random_similarity,
    turned_five,
    warped,
)
from bench.faces.people.model import People
from bench.images import ByteImages, encode_png


class Known(Landmarker):
    """Knows the points of the photographs it is shown, in order; None for what is no face."""

    def __init__(self, detections: Sequence[Landmarks | None]) -> None:
        self._detections = list(detections)

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._detections.pop(0) for _ in images]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("photographs")
    people = People()
    result: list[Landmarks | None] = []
    for i in range(12):
        photo, landmarks = people.photograph(i, "neutral", 1.0)
        (folder / f"{i:02d}.png").write_bytes(encode_png(photo))
        result.append(landmarks)
    (folder / "98.png").write_bytes(encode_png(np.zeros((50, 50, 3), np.uint8)))
    (folder / "99.png").write_bytes(b"junk")
    summary = pack(photographs(folder), folder / "faces.npz", Known([*result, None]))
    assert summary.rejected == {"no face": 1, "not an image": 1}
    assert (summary.train + summary.test, summary.size) == (12, (folder / "faces.npz").stat().st_size)
    return Pack(folder / "faces.npz")


def test_a_pack_gives_back_faces_and_points(packed: Pack) -> None:
    photo, landmarks = People().photograph(3, "neutral", 1.0)
    face, result = packed.face(packed.names.index("03.png"))
    assert np.abs(face.astype(int) - photo).mean() < 3
    np.testing.assert_allclose(result.points, landmarks.points, atol=1 / 64)
    assert packed.rejected == {"no face": 1, "not an image": 1}


@pytest.mark.parametrize("margin", [None, 48])
def test_the_68_points_of_another_landmarker_go_where_the_face_goes(margin: int | None, tmp_path: Path) -> None:
    people = People()
    drawn = [people.photograph(i, "neutral", 1.0) for i in range(3)]
    for i, (photo, _) in enumerate(drawn):
        (tmp_path / f"{i}.png").write_bytes(encode_png(photo))
    ours = [landmarks for _, landmarks in drawn]
    theirs = [flat(sixty_eight_points(one.points)[:, :2] + 3, 1) for one in ours[:2]]  # three pixels down and right
    out = tmp_path / "faces.npz"
    summary = pack(photographs(tmp_path), out, Known(ours), margin=margin, outline=("dlib", Known([*theirs, None])))
    assert summary.rejected == {"no 68 points by dlib": 1} and summary.train + summary.test == 2
    plain = tmp_path / "plain.npz"
    pack(photographs(tmp_path), plain, Known(ours), margin=margin)
    one, other = Pack(out), Pack(plain)
    assert (one.outline, other.outline) == ("dlib", "engine")
    for i in range(2):
        np.testing.assert_allclose(other.sixty_eight(i), sixty_eight_points(other.face(i)[1].points)[:, :2], atol=1e-4)
        assert np.array_equal(one.face(i)[1].points, other.face(i)[1].points)
        shift = one.sixty_eight(i) - other.sixty_eight(i)
        assert shift.std(0).max() < 0.03 and np.hypot(*shift.mean(0)) > 0.5


def test_a_pack_from_before_there_was_a_choice_has_the_engines_68_points(packed: Pack, tmp_path: Path) -> None:
    path = tmp_path / "now.npz"
    photo, landmarks = People().photograph(0, "neutral", 1.0)
    (tmp_path / "0.png").write_bytes(encode_png(photo))
    pack(photographs(tmp_path), path, Known([landmarks]))
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "outline"}
    np.savez(tmp_path / "then.npz", **{**arrays, "version": np.array(2)})
    assert Pack(tmp_path / "then.npz").outline == "engine"
    assert np.array_equal(Pack(tmp_path / "then.npz").sixty_eight(0), Pack(path).sixty_eight(0))


def test_the_split_is_by_person_and_the_same_in_every_pack(tmp_path: Path, packed: Pack) -> None:
    assert sorted([*packed.indices(test=True), *packed.indices(test=False)]) == list(range(12))
    photo, landmarks = People().photograph(0, "neutral", 1.0)
    names = [f"{person}/{image}.png" for person in "abcdefghijklmnop" for image in range(3)]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encode_png(photo))
    files = photographs(tmp_path)
    pack(files, tmp_path / "out.npz", Known([landmarks] * len(files)), person=lambda path: path.parent.name)
    sides = Pack(tmp_path / "out.npz").test.reshape(16, 3)
    assert (sides == sides[:, :1]).all()
    assert 0 < sides[:, 0].sum() < 16


def test_pairs_hold_the_truth_and_both_sides_of_every_yaw(packed: Pack) -> None:
    pairs = make_pairs(packed, 2, yaws_deg=(22, 75), lr=16)
    assert [pair.yaw_deg for pair in pairs] == [-22, 22, -75, 75]
    face, _ = packed.face(2)
    for pair in pairs:
        assert np.array_equal(pair.frontal, face)
        assert (pair.view.shape, pair.lr.shape, pair.landmarks.shape) == ((SIDE, SIDE, 3), (16, 16, 3), (68, 2))
    change = [np.abs(pair.view.astype(int) - face).mean() for pair in pairs]
    assert change[0] < change[2] and change[1] < change[3]


def test_pairs_repeat_by_seed_and_differ_by_epoch(packed: Pack) -> None:
    one, same, other = (make_pairs(packed, 1, yaws_deg=(40,), seed=seed)[0] for seed in (5, 5, 6))
    assert np.array_equal(one.lr, same.lr)
    assert not np.array_equal(one.lr, other.lr)
    assert np.array_equal(one.view, other.view)


def test_without_jitter_the_lr_image_is_the_shrunken_view(packed: Pack) -> None:
    from bench.images import resize

    image, _ = packed.face(0)
    still = warped(image, 32, random_similarity(np.random.default_rng(0), Jitter(0, 0, (1, 1))))
    assert np.array_equal(still, resize(image, 32, 32))


def test_points_are_moved_by_rotation_scale_and_shift_as_worked_by_hand() -> None:
    # a quarter turn to the left about the centre (63.5, 63.5), halved, moved by (10, 4): (63.5 + dx, 63.5 + dy) goes to
    # (73.5 + dy / 2, 67.5 - dx / 2)
    matrix = np.array([[0, 0.5, 73.5 - 31.75], [-0.5, 0, 67.5 + 31.75]])
    points = np.array([[63.5, 63.5], [83.5, 63.5], [63.5, 3.5]], np.float32)
    aim = np.array([[73.5, 67.5], [73.5, 57.5], [43.5, 67.5]])
    np.testing.assert_allclose(in_lr(points, SIDE, matrix), aim, atol=1e-4)
    np.testing.assert_allclose(in_lr(points, 16, matrix), (aim + 0.5) / 8 - 0.5, atol=1e-4)
    edges = np.array([[-0.5, -0.5], [127.5, 127.5]], np.float32)
    np.testing.assert_allclose(in_lr(edges, 16, np.eye(2, 3)), [[-0.5, -0.5], [15.5, 15.5]], atol=1e-5)


def test_a_bright_spot_goes_where_its_point_is_moved() -> None:
    rng = np.random.default_rng(4)
    axis = np.arange(SIDE)
    for _ in range(5):
        point = rng.uniform(56, 72, 2).astype(np.float32)  # so far inside that no mirror image of it is seen
        spot = np.exp(-((axis[None] - point[0]) ** 2 + (axis[:, None] - point[1]) ** 2) / (2 * 5.0**2))
        image = np.repeat(np.rint(spot * 255).astype(np.uint8)[:, :, None], 3, axis=2)
        matrix = random_similarity(rng, Jitter())
        small = warped(image, 32, matrix)[:, :, 0].astype(float)
        grid = np.arange(32)
        centre = np.array([(small * grid[None]).sum(), (small * grid[:, None]).sum()]) / small.sum()
        np.testing.assert_allclose(in_lr(point[None], 32, matrix)[0], centre, atol=0.05)


def test_the_points_of_a_turned_head_follow_it(packed: Pack) -> None:
    _, landmarks = packed.face(2)
    still = make_pairs(packed, 2, yaws_deg=(40,), lr=SIDE, jitter=Jitter(0, 0, (1, 1)))
    np.testing.assert_allclose(turned_five(landmarks, 0), still[0].five, atol=1e-4)
    left, right = still
    assert left.lr_five[2, 0] < left.five[2, 0] - 5 and right.lr_five[2, 0] > right.five[2, 0] + 5
    np.testing.assert_allclose(left.lr_five[:, 1], left.five[:, 1], atol=1e-3)  # about the upright axis
    shrunk = make_pairs(packed, 2, yaws_deg=(40,), lr=16, jitter=Jitter(0, 0, (1, 1)))[0].lr_five
    np.testing.assert_allclose(shrunk, (left.lr_five + 0.5) / 8 - 0.5, atol=1e-4)
    assert all(np.isfinite(pair.lr_five).all() for pair in make_pairs(packed, 2))


def test_points_turn_about_the_pivot_as_worked_by_hand() -> None:
    # pivot (60, 50, 20); a point 30 before it, 10 to the right: at 90 degrees it stands 30 to the right
    points = np.tile(np.array([70, 44, -10], np.float32), (478, 1))
    landmarks = Landmarks(points, 0, 0, 0, np.empty(0, np.float32), 1, 1)
    pivot = np.array([60, 50, 20], np.float32)
    np.testing.assert_allclose(turned_five(landmarks, 90, pivot), [[90, 44]] * 5, atol=1e-4)
    np.testing.assert_allclose(turned_five(landmarks, -90, pivot), [[30, 44]] * 5, atol=1e-4)


@pytest.mark.parametrize(("yaws", "lr"), [((), 16), ((22,), 1), ((22,), 500)])
def test_what_makes_no_pair_is_refused(packed: Pack, yaws: tuple[int, ...], lr: int) -> None:
    with pytest.raises(UsageError):
        make_pairs(packed, 0, yaws_deg=yaws, lr=lr)


def test_nothing_usable_or_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no photographs"):
        photographs(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match="file is empty"):
        pack(photographs(tmp_path), tmp_path / "out.npz", Known([]))
    assert not (tmp_path / "out.npz").exists()


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    photo, landmarks = People().photograph(0, "neutral", 1.0)
    (tmp_path / "a.png").write_bytes(encode_png(photo))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match="Cannot write"):
        pack([tmp_path / "a.png"], tmp_path / "file" / "out.npz", Known([landmarks]))


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04 cut"])
def test_a_damaged_pack_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "faces.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"faces.npz is not a pack"):
        Pack(tmp_path / "faces.npz")


def test_the_command_packs_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(encode_png(People().photograph(i, "neutral", 1.0)[0]))
    (tmp_path / "bad.png").write_bytes(b"junk")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "empty"))
    assert main(["data", "pairs", str(tmp_path), "--out", str(tmp_path / "faces.npz")]) == 0
    messages = capsys.readouterr().out
    assert "rejected: 1 not an image" in messages and "68 points for heatmaps: engine" in messages
    assert len(Pack(tmp_path / "faces.npz")) == 3


def test_the_command_takes_the_heatmaps_points_of_fan_where_it_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("face_alignment", reason="the package face-alignment is not installed")
    import torch

    class Middle(torch.nn.Module):
        """Every heatmap peaks in the middle of the crop."""

        def forward(self, chips: torch.Tensor) -> torch.Tensor:
            maps = torch.zeros(len(chips), 68, 64, 64)
            maps[:, :, 32, 32] = 1.0
            return maps

    photos, cache = tmp_path / "photos", tmp_path / "home" / "hub" / "checkpoints"
    photos.mkdir()
    cache.mkdir(parents=True)
    (photos / "0.png").write_bytes(encode_png(People().photograph(0, "neutral", 1.0)[0]))
    torch.jit.script(Middle()).save(str(cache / "2DFAN4-cd938726ad.zip"))  # type: ignore[no-untyped-call]
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    # stands for the published archive, whose digest begins as its name ends
    monkeypatch.setattr("bench.faces.landmarks.dlib_fan.file_digest", lambda path: "cd938726ad")
    assert main(["data", "pairs", str(photos), "--out", str(tmp_path / "auto.npz")]) == 0
    assert "68 points for heatmaps: fan" in capsys.readouterr().out
    packed = Pack(tmp_path / "auto.npz")
    assert packed.outline == "fan" and np.ptp(packed.sixty_eight(0), axis=0).max() < 0.1
    assert main(["data", "pairs", str(photos), "--out", str(tmp_path / "engine.npz"), "--heatmaps", "engine"]) == 0
    assert Pack(tmp_path / "engine.npz").outline == "engine"
    assert main(["data", "pairs", str(photos), "--out", str(tmp_path / "x.npz"), "--heatmaps", "nobody"]) == 3
    assert "nobody" in capsys.readouterr().err and not (tmp_path / "x.npz").exists()


def test_training_needs_only_what_a_bare_machine_has() -> None:
    script = (
        "import sys; import bench.faces.pairs.pairs\n"
        "allowed = {'torch', 'torchvision', 'numpy', 'PIL', 'cv2', 'safetensors'}\n"
        "heavy = {'scipy', 'pandas', 'onnx', 'onnxruntime', 'skimage', 'sklearn', 'ai_edge_litert', 'platformdirs'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_photographs_with_surroundings_are_brought_to_the_frame(tmp_path: Path) -> None:
    photo, landmarks = People().photograph(3, "neutral", 1.0)
    side, margin = photo.shape[0], 24
    wide = np.zeros((3 * side, 3 * side, 3), np.uint8)
    wide[:, :, 1] = 200  # green all around
    wide[side : 2 * side, side : 2 * side] = photo
    (tmp_path / "a.png").write_bytes(encode_png(wide))
    moved = replace(landmarks, points=landmarks.points + np.array([side, side, 0], np.float32))
    pack(photographs(tmp_path), tmp_path / "wide.npz", Known([moved]), margin=margin)
    outcome = Pack(tmp_path / "wide.npz")
    assert outcome.margin == margin
    face, result = outcome.face(0)
    assert face.shape == (SIDE, SIDE, 3)
    five = five_points(result.points)[:, :2]
    frame = np.array(FRAMES["utkface200"]) * SIDE - 0.5
    assert np.abs(five - frame).max() < 6  # a similarity brings a face near its frame, no face wholly into it
    assert np.abs(five.mean(0) - frame.mean(0)).max() < 0.1
    whole, points = outcome.with_surroundings(0)
    assert whole.shape == (SIDE + 2 * margin,) * 2 + (3,)
    assert np.array_equal(whole[margin:-margin, margin:-margin], face)
    np.testing.assert_allclose(points.points[:, :2] - margin, result.points[:, :2], atol=1e-4)
    assert tuple(whole[0, 0]) == (0, 200, 0), "the surroundings are not those of the photograph"
    # a point of the photograph is where its colour is in the pack
    nose = five_points(moved.points)[2, :2]
    there = face[tuple(np.rint(five[2]).astype(int)[::-1])].astype(int)
    assert np.abs(there - wide[tuple(np.rint(nose).astype(int)[::-1])]).max() < 40


def test_an_impossible_margin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="margin is 0 to 128"):
        pack([], tmp_path / "x.npz", Known([]), margin=-1)
