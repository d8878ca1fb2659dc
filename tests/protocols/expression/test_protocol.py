"""The protocol `mmi-expression`: arguments, shots of MMI, faces and where they are kept, folds, checks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from bench.errors import DataError, MissingError, UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.images import ByteImages, decode, encode_png
from bench.interfaces import PROTOCOLS
from bench.pipeline.reader import open_media
from bench.types import Cut
from protocols.expression import frontal_faces
from protocols.expression import study as expression_study
from protocols.expression.frontal_faces import FrontalFaces
from protocols.expression.protocol import mmi_expression
from protocols.expression.shots import SIX, mmi_shots
from protocols.sample import write_sample
from protocols.sample.cartoon import Cartoon
from protocols.views.recipe import Photograph
from protocols.views.turned import RenderedView, TurnedFace

PEOPLE = 4


class Middle(Landmarker):
    """Sees a face in the middle of every picture that is not black."""

    looked_at = 0

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._one(image) for image in images]

    def _one(self, image: ByteImages) -> Landmarks | None:
        Middle.looked_at += 1
        if not image.any():
            return None
        height, width = image.shape[:2]
        points = np.full((478, 3), (width / 2, height / 2, 0), np.float32)
        for place, (x, y) in zip(
            (468, 473, 1, 61, 291), ((-40, -45), (40, -45), (0, 0), (-35, 35), (35, 35)), strict=True
        ):
            points[place] += (x, y, 0)
        return Landmarks(points, 0.0, 0.0, 0.0, np.zeros(52, np.float32), 1.0, 1)


@pytest.fixture(autouse=True)
def finder(monkeypatch: pytest.MonkeyPatch) -> None:
    import bench.faces.landmarks.mediapipe

    monkeypatch.setattr(bench.faces.landmarks.mediapipe, "FaceLandmarker", Middle)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mmi") / "mmi"
    write_sample("mmi", root, identities=PEOPLE, seed=3, paint=Cartoon())
    return root


@pytest.fixture
def mmi(sample: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    shutil.copytree(sample, tmp_path / "mmi")
    return tmp_path / "mmi"


def annotation(root: Path, session: int) -> Path:
    folder = root / "Sessions" / str(session)
    return next(p for p in folder.glob("S*.xml") if "aucs" not in p.name)


def test_a_clip_gives_its_first_frame_as_neutral_and_three_at_the_apex(sample: Path) -> None:
    listed = mmi_shots(sample)
    shots_of_subject = [shot for shot in listed.shots if shot.key.startswith("1/")]
    assert [shot.expression for shot in shots_of_subject] == ["neutral", "anger", "anger", "anger"]
    coded = ElementTree.parse(sample / "Sessions/1/S001-001-oao_aucs.xml").getroot().iter("Marker")
    begins = {int(mark.attrib["Type"]): int(mark.attrib["Frame"]) - 1 for mark in list(coded)[1:4]}
    frames = [int(shot.key.split("#")[1]) for shot in shots_of_subject]
    assert frames[0] == 0 and all(begins[2] <= frame < begins[3] for frame in frames[1:])


def test_where_faces_are_is_kept_alike_whatever_was_imported_before() -> None:
    code = "from protocols.expression.frontal_faces import _engine; print(_engine(15.0))"
    alone = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert alone.stdout.strip() == frontal_faces._engine(15.0)


def test_sessions_without_an_emotion_and_stills_are_left_out_and_counted(sample: Path) -> None:
    listed = mmi_shots(sample)
    assert set(listed.sequences) == set(SIX) and sum(listed.sequences.values()) == PEOPLE * 6 + 2  # two dual views
    assert any(
        "2 sessions are left out: 1 stills, not sequences, 1 without an emotion (action units alone)." in note
        for note in listed.notes
    )
    assert not listed.official and any("No list of sequences is published" in note for note in listed.notes)


def test_codes_outside_the_six_and_views_from_the_side_are_left_out_and_counted(mmi: Path) -> None:
    path = annotation(mmi, 1)
    path.write_text(path.read_text().replace('Name="Emotion" Value="1"', 'Name="Emotion" Value="9"'))
    other = mmi / "Sessions/2/session.xml"
    other.write_text(other.read_text().replace('view="0"', 'view="1"'))
    (mmi / "Sessions/3/S001-003.avi").write_bytes(b"no video")
    notes = " ".join(mmi_shots(mmi).notes)
    for words in (
        "1 with an emotion code outside 1 to 6",
        "1 not seen from the front",
        "1 videos that cannot be opened",
    ):
        assert words in notes


@pytest.mark.parametrize("damage", ["absent", "truncated", "other"])
def test_damaged_annotations_leave_their_session_out_with_a_note(mmi: Path, damage: str) -> None:
    path = annotation(mmi, 1)
    if damage == "absent":
        path.unlink()
    else:
        path.write_text(path.read_text()[:40] if damage == "truncated" else "<Annotation/>")
    listed = mmi_shots(mmi)
    assert not [shot for shot in listed.shots if shot.key.startswith("1/")]
    assert "2 without an emotion" in " ".join(listed.notes)


def test_nothing_to_classify_is_an_error(mmi: Path) -> None:
    for folder in (mmi / "Sessions").iterdir():
        for path in folder.glob("S*.xml"):
            path.write_text("<Annotation/>")
    with pytest.raises(DataError, match="no session of MMI shows one of the six"):
        mmi_shots(mmi)


def test_the_study_pairs_lr_faces_with_their_true_ones_in_folds_of_people(sample: Path, tmp_path: Path) -> None:
    study = mmi_expression(folds=2).read_with(sample, tmp_path / "scratch")
    assert len(study.faces) == len(study.truths) == len(mmi_shots(sample).shots)
    assert study.labels == (*SIX, "neutral") and study.folds == {"1": 0, "2": 1, "3": 0, "4": 1}
    lr, hr = open_media(study.faces[1]), open_media(study.truths[1])
    assert lr.shape == (16, 16, 3) and hr.shape == (128, 128, 3)
    shrunk = np.asarray(Image.fromarray(hr).resize((16, 16), Image.Resampling.BICUBIC))
    assert np.abs(shrunk.astype(int) - lr).mean() < 3
    assert len({media.key for media in (*study.faces, *study.truths)}) == 2 * len(study.faces)
    assert all(f.template == t.template == f.key for f, t in zip(study.faces, study.truths, strict=True))
    assert not study.official and any("4 people are assigned to 2 folds" in note for note in study.notes)


def test_six_classes_and_full_size(sample: Path, tmp_path: Path) -> None:
    study = mmi_expression(folds=2, classes=6, lr=0).read_with(sample, tmp_path / "scratch")
    assert study.labels == SIX and {str(face.attributes["expression"]) for face in study.faces} == set(SIX)
    assert open_media(study.faces[0]).shape == (128, 128, 3)


def test_faces_are_looked_for_once(sample: Path, tmp_path: Path) -> None:
    protocol = mmi_expression(folds=2)
    first = protocol.read_with(sample, tmp_path / "scratch")
    before = Middle.looked_at
    assert protocol.read_with(sample, tmp_path / "scratch") == first and Middle.looked_at == before
    kept = next((tmp_path / "scratch").glob("frontal-*.json"))
    kept.write_text("{ damaged")
    assert protocol.read_with(sample, tmp_path / "scratch") == first and Middle.looked_at > before


def test_records_that_cannot_be_used_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(path)
    photograph = Photograph(path, (Cut(),))
    (good,) = FrontalFaces(tmp_path).find([photograph])
    kept = next(tmp_path.glob("frontal-*.json"))
    (name,) = json.loads(kept.read_text())
    for record in (7, {"cut": 5, "points": [[1.0, 2.0]] * 5}, {"cut": 0, "points": [[1.0]] * 5}, {"cut": 0}):
        kept.write_text(json.dumps({name: record}))
        assert FrontalFaces(tmp_path).find([photograph]) == [good]


def test_points_in_a_half_of_a_dual_view_are_those_of_the_whole_frame(tmp_path: Path) -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, 100:] = 90
    path = tmp_path / "dual.png"
    path.write_bytes(encode_png(picture))
    halves = (Cut(box=(0, 0, 100, 100)), Cut(box=(100, 0, 100, 100)))
    (cut,) = FrontalFaces(tmp_path).find([Photograph(path, halves)])
    assert cut is not None and cut.box is None and cut.points is not None
    assert np.mean([x for x, _ in cut.points]) == pytest.approx(150, abs=2)


def test_photographs_without_a_face_and_absent_ones_are_counted(tmp_path: Path) -> None:
    black = tmp_path / "black.png"
    black.write_bytes(encode_png(np.zeros((64, 64, 3), np.uint8)))
    faces = FrontalFaces(tmp_path / "scratch")
    assert faces.find([Photograph(black), Photograph(tmp_path / "absent.png")]) == [None, None]
    assert faces.rejected == {"no face": 1, "file absent or not readable": 1}


def test_no_face_at_all_is_an_error(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Middle, "_one", lambda self, image: None)
    with pytest.raises(DataError, match=r"None of \d+ photographs shows a frontal face.*no face"):
        mmi_expression(folds=2).read_with(sample, tmp_path / "scratch")


def test_fewer_people_than_folds_is_an_error_that_names_both(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 people cannot be assigned to 10 folds"):
        mmi_expression().read_with(sample, tmp_path / "scratch")


def test_turned_views_share_their_true_face(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Quick(expression_study.Turner):
        def turn(self, photograph: Photograph) -> TurnedFace | None:
            five = ((1.0, 1.0),) * 5
            views = tuple(RenderedView(tmp_path / f"{yaw}.png", yaw, five) for yaw in (-22.0, 22.0))
            return TurnedFace(tmp_path / "truth.png", five, 1.0, views)

    monkeypatch.setattr(expression_study, "Turner", Quick)
    study = mmi_expression(folds=2, views="turned", lr=32).read_with(sample, tmp_path / "scratch")
    shots = mmi_shots(sample).shots
    assert len(study.faces) == 2 * len(shots)
    assert [face.attributes["yaw_deg"] for face in study.faces[:2]] == [-22.0, 22.0]
    assert {truth.path for truth in study.truths} == {tmp_path / "truth.png"}
    assert study.faces[0].cut == Cut(side=32) and study.faces[0].key == f"{shots[0].key}@yaw-22"


def test_the_classifier_is_reported_what_was_requested(tmp_path: Path) -> None:
    plan = mmi_expression(folds=5, only_fold=3, train_on="hr", epochs=2, seed=4, references=False).classification  # type: ignore[attr-defined]
    assert (plan.train_on, plan.epochs, plan.seed, plan.references, plan.tested) == ("hr", 2, 4, False, (3,))
    fer = mmi_expression(source="fer2013").classification  # type: ignore[attr-defined]
    assert (fer.trained, fer.tested) == ((0,), (2,))


def test_retraining_a_fold_is_explained_and_not_done() -> None:
    with pytest.raises(UsageError, match=r"bench train METHOD.*only_fold=0 --hallucinator METHOD:weights="):
        mmi_expression(retrain="per-fold")


def test_arguments_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    for wrong in ({"folds": 1}, {"only_fold": 10}, {"only_fold": -1}, {"epochs": -1}, {"weights": tmp_path / "w.pth"}):
        with pytest.raises(UsageError):
            mmi_expression(**wrong)  # type: ignore[arg-type]
    for wrong in ({"views": "turned"}, {"only_fold": 1}):
        with pytest.raises(UsageError, match="FER2013"):
            mmi_expression(source="fer2013", **wrong)  # type: ignore[arg-type]


def test_absent_weights_of_vgg16_are_missing_with_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingError, match=r"vgg16-397923af\.pth.*IMAGENET1K_V1.*classifier=small needs no file"):
        mmi_expression(classifier="vgg16")
    (tmp_path / "w.pth").write_bytes(b"weights")
    assert mmi_expression(classifier="vgg16", weights=tmp_path / "w.pth").weights[0].name == "w.pth"
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth").write_bytes(b"half of it")
    with pytest.raises(DataError, match=r"vgg16-397923af\.pth of classifier vgg16 are damaged"):
        mmi_expression(classifier="vgg16")


def test_the_registry_names_every_argument() -> None:
    names = {argument.name for argument in PROTOCOLS["mmi-expression"].arguments()}
    assert {"source", "folds", "classes", "classifier", "train_on", "views", "lr", "epochs", "seed", "retrain"} <= names
    with pytest.raises(UsageError, match="source"):
        PROTOCOLS["mmi-expression"].create({"source": "affectnet"})
    with pytest.raises(UsageError, match="lr"):
        PROTOCOLS["mmi-expression"].create({"lr": "17"})


def test_each_source_finds_and_checks_its_own_folder(mmi: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source in ("mmi", "ckplus", "fer2013"):
        protocol = mmi_expression(source=source, folds=2)
        assert protocol.dataset == source and source in protocol.how_to_get.replace("data.", "")
        with pytest.raises(DataError, match="expected"):
            protocol.locate(tmp_path / "empty")
        assert [line.level for line in protocol.check(tmp_path / "empty")][0] == "damaged"
    lines = {line.subject: line for line in mmi_expression(folds=2).check(mmi)}
    assert lines["folds"].found == "2 of 4 people, 2 to 2 a fold" and lines["ready to classify"].level == "ok"
    assert {line.level for line in mmi_expression(folds=9).check(mmi) if line.subject == "ready to classify"} == {
        "damaged"
    }


def test_only_mmi_has_a_sample(tmp_path: Path, mmi: Path) -> None:
    assert mmi_expression().is_sample(mmi) and not mmi_expression().is_sample(tmp_path)
    with pytest.raises(MissingError, match="no sample of ckplus"):
        mmi_expression(source="ckplus").write_sample(tmp_path / "x")


def test_a_study_of_faces_that_are_lost_afterwards_counts_them(mmi: Path, tmp_path: Path) -> None:
    study = mmi_expression(folds=2).read_with(mmi, tmp_path / "scratch")
    lost = replace(study.faces[0], path=tmp_path / "gone.avi")
    with pytest.raises(DataError, match="file not found"):
        open_media(lost)
    assert decode(encode_png(open_media(study.faces[0]))).shape == (16, 16, 3)


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    Middle.looked_at = 0
