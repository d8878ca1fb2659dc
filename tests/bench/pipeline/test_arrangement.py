"""Which side is hallucinated, in which frame, and how each side is aligned; what does not fit is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from bench.align.template import FRAMES, TRUTH_FRAME
from bench.align.templates import ARCFACE_112, DLIB_150, SPHEREFACE_112X96
from bench.config import RunConfig
from bench.interfaces import HALLUCINATORS, PROTOCOLS, RECOGNISERS, Hallucinator, Recogniser
from bench.pipeline.arrangement import Arrangement, arrange
from bench.pipeline.build import build
from bench.registry import Spec, load_plugins
from bench.types import FaceTemplate, ImageSpec

FLOW = "vividgan-flow"
BY_UTKFACE = "template:frame=utkface200"


class TemplateRecogniser(Recogniser):
    """A recogniser that only has a template."""

    embedding_size = 4

    def __init__(self, *, chip: str = "arcface") -> None:
        odd = FaceTemplate(100, 100, ((10.0, 80.0), (30.0, 80.0), (20.0, 85.0), (12.0, 92.0), (28.0, 92.0)))
        self.face = {"arcface": ARCFACE_112, "dlib": DLIB_150, "sphereface": SPHEREFACE_112X96, "odd": odd}[chip]

    def embed(self, chips: np.ndarray) -> np.ndarray:
        return np.ones((len(chips), 4), np.float32)


class Placed(Hallucinator):
    """A plugin that gives faces in the frame it is told."""

    output_spec = ImageSpec(32)

    def __init__(self, *, frame: Literal["auto", "celeba128", "arcface112"] = "auto", gain: float = 1.0) -> None:
        self.frame = frame
        self.output_frame = "celeba128" if frame == "auto" else frame

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        return np.zeros((len(lr), 3, 32, 32), np.float32)


class Fixed(Placed):
    """A plugin that gives faces in one frame."""

    def __init__(self) -> None:
        self.output_frame = "tpgan128"


class Unplaced(Placed):
    """A plugin that moves faces to a frame nobody else knows."""

    def __init__(self) -> None:
        self.output_frame = "mine"


class Upright(Placed):
    """A plugin trained on upright faces, which it leaves where they are; its size is fixed."""

    input_spec = ImageSpec(128)
    output_spec = ImageSpec(128)

    def __init__(self) -> None:
        self.output_frame = ""


class Unsaid(Placed):
    """A plugin whose frame the runner may not pick: it declares no ``auto``, and no `output_frame`."""

    def __init__(self, *, frame: Literal["celeba128", "arcface112"] = "celeba128") -> None:
        self.output_frame = ""


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    load_plugins()
    for registry in (HALLUCINATORS, RECOGNISERS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    for kind in (Placed, Fixed, Unplaced, Upright, Unsaid):
        HALLUCINATORS.register(kind.__name__.lower(), summary="A plugin.")(kind)
    RECOGNISERS.register("template", summary="A template.")(TemplateRecogniser)


Arranged = Callable[..., Arrangement]


def arranged(hallucinator: str, protocol: str = "tinyface", **options: Any) -> Arrangement:
    config = RunConfig(protocol=protocol, hallucinator=hallucinator, **{"recogniser": "template", **options})
    return arrange(config, build(PROTOCOLS, Spec.parse(protocol)).component)


def chains(result: Arrangement) -> tuple[str | None, str | None]:
    return result.probe.chain, result.gallery.chain


def aligned(result: Arrangement) -> tuple[str, str]:
    return str(result.probe.align), str(result.gallery.align)


@pytest.mark.parametrize("network", ["vividgan", FLOW])
def test_without_alignment_both_sides_are_hallucinated_where_the_recogniser_looks(network: str) -> None:
    result = arranged(network)
    assert (result.side, chains(result)) == ("both", (f"{network}:frame=arcface112",) * 2)
    assert aligned(result) == ("none", "none") and not result.warnings
    assert any("frame=arcface112 was picked" in note and "template looks" in note for note in result.notes)
    assert any("Both sides are hallucinated" in note for note in result.notes)


@pytest.mark.parametrize(("chip", "frame"), [("dlib", "dlib150"), ("sphereface", "sphereface112x96")])
def test_the_chip_of_another_recogniser_has_its_own_frame(chip: str, frame: str) -> None:
    result = arranged(FLOW, recogniser=f"template:chip={chip}")
    assert chains(result) == (f"{FLOW}:frame={frame}",) * 2
    assert aligned(result) == ("none", "none") and not result.warnings


def test_a_chip_that_no_frame_fits_gets_the_nearest_one_and_an_aligner() -> None:
    result = arranged("placed", recogniser="template:chip=odd")
    assert len(set(chains(result))) == 1
    frame = str(result.probe.chain).rpartition("=")[2]
    assert frame in FRAMES and aligned(result) == (f"template:frame={frame}",) * 2
    assert not result.warnings


@pytest.mark.parametrize("align", ["mtcnn", "yunet", "landmarks"])
def test_before_a_detector_or_landmarks_the_face_stays_where_the_picture_has_it(align: str) -> None:
    result = arranged(FLOW, align=align)
    assert chains(result) == (f"{FLOW}:frame=lr",) * 2 and aligned(result) == (align, align) and not result.warnings


@pytest.mark.parametrize("frame", ["utkface200", "celeba128", "tpgan128", "lfw250"])
def test_the_aligner_template_gets_the_frame_it_expects(frame: str) -> None:
    result = arranged(FLOW, align=f"template:frame={frame}")
    assert chains(result) == (f"{FLOW}:frame={frame}",) * 2 and not result.warnings


def test_the_aligner_template_with_points_by_hand_gets_the_face_where_it_stood() -> None:
    points = "[.3,.4,.7,.4,.5,.6,.3,.8,.7,.8]"
    assert chains(arranged(FLOW, align=f"template:points={points}")) == (f"{FLOW}:frame=lr",) * 2


@pytest.mark.parametrize(
    ("protocol", "frame"),
    [
        ("restoration", "utkface200"),
        ("restoration:frame=celeba128", "celeba128"),
        ("restoration:source=multipie", "tpgan128"),
        ("restoration:source=pairs,lr=LR,hr=HR", "lr"),
        ("mmi-expression", "utkface200"),
        ("mmi-expression:source=fer2013", "lr"),
        ("efficiency", "utkface200"),
    ],
)
def test_where_there_is_a_truth_its_frame_is_picked_and_the_truth_is_left_alone(protocol: str, frame: str) -> None:
    result = arranged(FLOW, protocol)
    assert (result.side, chains(result)) == ("probe", (f"{FLOW}:frame={frame}", None))
    assert not result.warnings


@pytest.mark.parametrize("protocol", ["multipie", "celeba", "mmi", "dronesurf", "ijbc", "lfw", "cfp", "restoration"])
def test_a_gallery_that_is_not_small_is_left_alone_by_default(protocol: str) -> None:
    result = arranged(FLOW, protocol)
    assert result.side == "probe" and result.gallery.chain is None and not result.warnings


def test_for_the_lr_face_itself_there_is_no_side_to_choose() -> None:
    result = arranged("none")
    assert result.side == "probe" and result.probe.align == result.gallery.align and not result.notes


def test_a_side_named_by_hand_is_taken() -> None:
    assert arranged(FLOW, hallucinate="gallery").probe.chain is None
    assert arranged(FLOW, "lfw", hallucinate="both").gallery.chain == f"{FLOW}:frame=lr"


def test_the_default_by_hand_is_the_same_request() -> None:
    one, other = arranged(FLOW), arranged(f"{FLOW}:frame=arcface112", hallucinate="both")
    assert (one.probe, one.gallery) == (other.probe, other.gallery)
    assert one.notes and not other.notes


def test_a_step_before_a_network_of_upright_faces_gives_those_and_the_sides_are_aligned_by_them() -> None:
    for last in ("cyclegan", "upright"):
        result = arranged(f"{FLOW}+{last}")
        assert result.probe.chain == f"{FLOW}:frame={TRUTH_FRAME}+{last}"
        assert aligned(result) == (BY_UTKFACE, BY_UTKFACE) and not result.warnings
        assert any(f"{last} comes after it" in note for note in result.notes)


def test_before_plain_interpolation_the_step_that_moves_counts_as_the_last() -> None:
    assert arranged(f"{FLOW}+bicubic:size=112").probe.chain == f"{FLOW}:frame=arcface112+bicubic:size=112"
    assert arranged(f"bicubic:size=16+{FLOW}").probe.chain == f"bicubic:size=16+{FLOW}:frame=arcface112"
    assert arranged(f"{FLOW}+placed").probe.chain == f"{FLOW}:frame={TRUTH_FRAME}+placed:frame=arcface112"


@pytest.mark.parametrize("frame", ["lr", "arcface112"])
def test_a_frame_by_hand_before_a_network_of_upright_faces_is_warned_of(frame: str) -> None:
    (warning, *_) = arranged(f"{FLOW}:frame={frame}+cyclegan").warnings
    assert "cyclegan, which was trained on faces in the frame utkface200" in warning and "leave frame away" in warning


@pytest.mark.parametrize(
    ("chain", "frame"),
    [("tann", "utkface200"), ("tdae", "utkface200"), ("srgan+bicubic:size=112", "utkface200"), ("fixed", "tpgan128")],
)
@pytest.mark.parametrize("protocol", ["tinyface", "multipie"])
def test_sides_of_a_hallucinator_with_one_frame_are_aligned_by_it(chain: str, frame: str, protocol: str) -> None:
    result = arranged(chain, protocol)
    assert result.probe.align == Spec("template", (("frame", frame),)) and not result.warnings
    if protocol == "tinyface":
        assert result.gallery.align == result.probe.align
        assert any(f"aligned by template:frame={frame}" in note and "own none" in note for note in result.notes)


def test_landmarks_of_the_truth_fit_a_face_in_the_frame_of_the_truth() -> None:
    assert aligned(arranged("tann", "restoration")) == ("landmarks", "landmarks")


@pytest.mark.parametrize("align", ["none", "mtcnn", "landmarks", "template:frame=celeba128"])
def test_an_aligner_by_hand_is_honoured_with_a_warning_that_names_the_right_one(align: str) -> None:
    result = arranged("tann", align=align)
    assert aligned(result) == (align, align)
    (warning,) = result.warnings
    assert "tann gives faces in the frame utkface200" in warning and f"add --align {BY_UTKFACE}" in warning


@pytest.mark.parametrize("align", [None, "none", "mtcnn", "yunet", "landmarks", "template:frame=celeba128"])
def test_a_frame_by_hand_that_does_not_fit_is_warned_of_under_every_aligner(align: str | None) -> None:
    result = arranged(f"{FLOW}:frame=utkface200", align=align)
    assert aligned(result) == ((align or "none"),) * 2
    (warning,) = result.warnings
    assert f"add --align {BY_UTKFACE}" in warning and "leave frame away" in warning
    (probe_only,) = arranged(f"{FLOW}:frame=utkface200", align=align, hallucinate="probe").warnings
    assert f"--align {BY_UTKFACE} --align-gallery " in probe_only


def test_a_frame_by_hand_that_fits_is_not_warned_of() -> None:
    assert not arranged(f"{FLOW}:frame=utkface200", align=BY_UTKFACE).warnings
    assert not arranged(f"{FLOW}:frame=arcface112").warnings
    assert not arranged(f"{FLOW}:frame=lr", align="mtcnn").warnings
    assert not arranged(f"{FLOW}:frame=arcface112", align_gallery="mtcnn", hallucinate="probe").warnings


def test_a_frame_by_hand_that_is_not_the_truth_s_is_warned_of() -> None:
    for frame in ("lr", "arcface112"):
        warning = arranged(f"{FLOW}:frame={frame}", "restoration").warnings[0]
        assert "True faces stand in the frame utkface200" in warning and "leave frame away" in warning
    assert "give the protocol frame=utkface200" in arranged("tann", "restoration:frame=celeba128").warnings[0]


@pytest.mark.parametrize(
    ("chain", "options", "flags"),
    [
        (f"{FLOW}:frame=arcface112", {"hallucinate": "probe"}, ["--align-gallery mtcnn", "--hallucinate both"]),
        ("tann", {"hallucinate": "probe"}, ["--align-gallery mtcnn", "--hallucinate both"]),
        ("tann", {"hallucinate": "gallery"}, ["--align mtcnn", "--hallucinate both"]),
        (FLOW, {"hallucinate": "probe", "align": "mtcnn", "align_gallery": "none"}, ["--align-gallery mtcnn"]),
        ("bicubic", {"align": "mtcnn", "align_gallery": "none"}, ["--align-gallery mtcnn"]),
        (f"{FLOW}:frame=utkface200", {"hallucinate": "probe", "align": BY_UTKFACE}, ["--hallucinate both"]),
    ],
)
def test_two_sides_in_different_frames_are_warned_of(chain: str, options: dict[str, Any], flags: list[str]) -> None:
    (warning,) = arranged(chain, **options).warnings
    assert warning.startswith("The sides stand in different frames") and all(flag in warning for flag in flags)


def test_faces_that_are_not_moved_are_not_warned_of() -> None:
    for chain in ("none", "bicubic", "srgan:align=false"):
        for align in (None, "mtcnn", "landmarks", BY_UTKFACE):
            assert not arranged(chain, align=align).warnings


def test_faces_moved_to_a_frame_without_a_name_need_a_detector() -> None:
    for chain in ("drgan:pose=40", "unplaced"):
        (warning,) = arranged(chain).warnings
        assert "add --align mtcnn" in warning
        assert not arranged(chain, align="mtcnn").warnings


def test_a_plugin_declares_its_frames_by_a_literal_and_is_given_the_one_that_fits() -> None:
    assert chains(arranged("placed")) == ("placed:frame=arcface112",) * 2
    assert chains(arranged("placed:frame=auto,gain=2")) == ("placed:gain=2,frame=arcface112",) * 2
    result = arranged("placed", "multipie")  # it can't leave faces where they stand, and has no frame tpgan128
    assert result.probe.align == Spec("template", (("frame", str(result.probe.chain).rpartition("=")[2]),))
    assert not result.warnings


def test_a_plugin_without_auto_has_decided_and_its_argument_says_where_faces_stand() -> None:
    result = arranged("unsaid")
    assert chains(result) == ("unsaid", "unsaid") and aligned(result) == ("template:frame=celeba128",) * 2
    assert "add --align template:frame=celeba128" in arranged("unsaid:frame=celeba128").warnings[0]
    assert not arranged("unsaid:frame=arcface112").warnings
