"""Views rendered from frontal photographs by the face engine, and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import BenchError, UsageError
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarker, Landmarks
from bench.faces.landmarks.points import five_points
from bench.faces.people.look import Look
from bench.faces.people.model import People
from bench.images import ByteImages, encode_png, read_image
from bench.media.similarity import resized_points
from bench.types import Cut
from protocols.views.recipe import Photograph, Recipe
from protocols.views.seeded import seeded_order
from protocols.views.turned import TurnedFace, Turner, face_media, frame_points


class Counting(Landmarker):
    """The face engine; counts the images it is given."""

    def __init__(self) -> None:
        self.engine, self.image_count = FaceLandmarker(), 0

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        self.image_count += len(images)
        return self.engine.find(images)


@pytest.fixture(scope="module")
def landmarker() -> Counting:
    return Counting()


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frontal face, the same lying on its side beside a grey field, one turned away, no face, no picture."""
    folder = tmp_path_factory.mktemp("faces")
    frontal, away = People()([Look(identity=11, size=160), Look(identity=11, yaw_deg=40, size=160)])
    grey = np.full((160, 160, 3), 127, np.uint8)
    lying = np.concatenate([grey, frontal], axis=1)
    for name, image in {
        "frontal": frontal,
        "away": away,
        "grey": grey,
        "lying": np.ascontiguousarray(np.rot90(lying)),
    }.items():
        (folder / f"{name}.png").write_bytes(encode_png(image))
    (folder / "broken.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def plain(faces: Path, scratch: Path, landmarker: Counting) -> TurnedFace:
    """Views without a random similarity."""
    result = Turner(scratch, Recipe(jitter="none"), landmarker).turn(Photograph(faces / "frontal.png"))
    assert result is not None
    return result


def engine_points(landmarker: Counting, path: Path) -> tuple[np.ndarray, float]:
    result = landmarker.engine.find([read_image(path)])[0]
    assert result is not None, path
    return five_points(result.points), result.yaw_deg


def test_the_truth_stands_in_the_frame_and_its_points_are_where_it_says(
    plain: TurnedFace, landmarker: Counting
) -> None:
    seen, yaw = engine_points(landmarker, plain.truth)
    assert np.abs(seen - np.array(plain.five)).max() < 3
    assert abs(yaw) < 8
    # five points of one person do not lie on those of a frame, their means do
    assert np.abs(np.mean(plain.five, axis=0) - np.mean(frame_points("utkface200"), axis=0)).max() < 0.01
    assert np.abs(np.array(plain.five) - np.array(frame_points("utkface200"))).max() < 12


def test_views_are_turned_as_requested_and_their_points_go_with_them(plain: TurnedFace, landmarker: Counting) -> None:
    assert [view.yaw_deg for view in plain.views] == [-22, 22, -40, 40, -55, 55, -75, 75]
    for view in plain.views[:4]:
        seen, yaw = engine_points(landmarker, view.path)
        assert abs(yaw - view.yaw_deg) < 12
        assert np.abs(seen - np.array(view.five)).max() < 8
    assert all(read_image(path).shape == (128, 128, 3) for path in (plain.truth, plain.views[-1].path))


def test_the_similarity_is_within_its_ranges_and_differs_by_view_and_seed(
    plain: TurnedFace, faces: Path, scratch: Path, landmarker: Counting
) -> None:
    turned = []
    for seed in (0, 1):
        result = Turner(scratch, Recipe(jitter="paper", seed=seed), landmarker).turn(Photograph(faces / "frontal.png"))
        assert result is not None
        turned.append(result)
    angles = []
    for view, still in zip((*turned[0].views, *turned[1].views), (*plain.views, *plain.views), strict=True):
        (a, b), (c, d) = (np.array(p.five)[[0, 4]] for p in (still, view))
        ratio = complex(*(d - c)) / complex(*(b - a))
        assert 0.8 - 1e-3 <= abs(ratio) <= 1 + 1e-3
        angles.append(np.degrees(np.angle(ratio)))
    assert np.abs(angles).max() <= 45.01 and np.abs(angles).max() > 10
    assert len({round(float(angle), 3) for angle in angles}) == 16
    assert turned[0].five == plain.five  # the truth is not moved


def test_the_first_cut_with_an_upright_frontal_face_is_taken(
    faces: Path, scratch: Path, landmarker: Counting, plain: TurnedFace
) -> None:
    box = (160, 0, 160, 160)
    cuts = (Cut(box=(0, 0, 160, 160), quarter_turns=1), Cut(box=box), Cut(box=box, quarter_turns=1))
    turner = Turner(scratch, Recipe(jitter="none"), landmarker)
    result = turner.turn(Photograph(faces / "lying.png", cuts))
    assert result is not None and not turner.rejected
    assert (read_image(result.truth) == read_image(plain.truth)).all()


def test_unusable_photographs_are_counted_by_reason_and_not_examined_again(
    faces: Path, scratch: Path, landmarker: Counting
) -> None:
    turner = Turner(scratch, Recipe(jitter="none"), landmarker)
    names = ("away", "grey", "broken", "absent")
    assert [turner.turn(Photograph(faces / f"{name}.png")) for name in names] == [None] * 4
    assert dict(turner.rejected) == {"not frontal": 1, "no face": 1, "not an image": 1, "file not found": 1}
    assert turner.rejected.total() == 4
    (note,) = turner.note()
    assert note.startswith("4 photographs show no usable frontal face") and "1 not frontal" in note
    before = landmarker.image_count
    again = Turner(scratch, Recipe(jitter="none"), landmarker)
    assert [again.turn(Photograph(faces / f"{name}.png")) for name in names] == [None] * 4
    assert again.rejected == turner.rejected and landmarker.image_count == before


def test_what_is_kept_is_found_again_unless_a_file_or_the_recipe_changed(
    faces: Path, tmp_path: Path, quick_views: list[Path]
) -> None:
    photograph = Photograph(faces / "frontal.png")
    first = Turner(tmp_path).turn(photograph)
    assert first is not None and len(quick_views) == 1
    assert Turner(tmp_path).turn(photograph) == first and len(quick_views) == 1
    first.views[3].path.unlink()
    assert Turner(tmp_path).turn(photograph) == first and len(quick_views) == 2
    assert first.views[3].path.is_file()
    (first.truth.parent / "face.json").write_text("{")
    assert Turner(tmp_path).turn(photograph) == first and len(quick_views) == 3
    other = Turner(tmp_path, Recipe(jitter="none")).turn(photograph)
    assert other is not None and other.truth != first.truth and len(quick_views) == 4
    leftovers = [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert not leftovers


def test_a_folder_that_cannot_be_written_is_an_error(faces: Path, tmp_path: Path, quick_views: object) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="Cannot store rendered views"):
        Turner(tmp_path / "file").turn(Photograph(faces / "frontal.png"))


def test_media_are_shrunk_with_their_points(tmp_path: Path) -> None:
    five = frame_points("tpgan128")
    lr = face_media("k", tmp_path, "probe", "p", five, lr=16)
    assert lr.cut == Cut(side=16) and lr.template == "k"
    assert lr.landmarks == resized_points(five, (128, 128), (16, 16))
    assert face_media("k", tmp_path, "gallery", "p", five, template="t").cut is None


def test_a_draw_does_not_depend_on_who_else_is_there() -> None:
    names = [str(number) for number in range(20)]
    order = seeded_order(names, 3)
    assert sorted(order) == sorted(names) and order != seeded_order(names, 4)
    assert seeded_order(reversed(names[:10]), 3) == [name for name in order if name in names[:10]]


@pytest.mark.parametrize("wrong", [{"frame": "none"}, {"jitter": "much"}, {"yaws_deg": ()}])
def test_a_recipe_is_checked(wrong: dict[str, object]) -> None:
    make: Callable[..., Recipe] = Recipe
    with pytest.raises(UsageError, match="Rendered views need"):
        make(**wrong)


def test_records_hold_numbers_alone(plain: TurnedFace) -> None:
    record = json.loads((plain.truth.parent / "face.json").read_text())
    assert set(record) == {"five", "yaw_deg", "views"} and len(record["views"]) == 8
