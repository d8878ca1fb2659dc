"""The interfaces of components (also of plugins) and their four registries.

Constructors are cheap: they check arguments, find weight files and hash them; the network is built at first use. So a
finished run is recognised without loading a network.

Images are passed as NumPy arrays, so a stage can be pickled to another process and a run whose stages need no torch
never imports it. A network wraps them with ``torch.from_numpy`` at no cost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from bench.errors import MissingError
from bench.images import ByteImages, FloatImages
from bench.registry import Registry
from bench.studies import Study
from bench.types import OK, CheckLine, FaceTemplate, ImageSpec, Outcome, Points, Side, WeightsFile

__all__ = [
    "ALIGNERS", "HALLUCINATORS", "PROTOCOLS", "RECOGNISERS", "REGISTRIES",
    "Aligner", "ByteImages", "EvalProtocol", "FloatImages", "Hallucinator", "Progress", "Recogniser",
]  # fmt: skip

Progress = Callable[[int, int], None]


class Hallucinator(ABC):
    """Turns low-resolution faces into faces for a recogniser.

    Attributes:
        input_spec: size of its input; for a fixed size the runner resizes native images (bicubic) and records it.
        output_spec: size of its output.
        version: part of every cache key; raise it whenever the same input would give another output.
        weights: the files it was built from; part of every cache key.
        passthrough: True only for the hallucinator that returns its input; nothing is then cached or quantised.
        output_frame: name of the frame (of the aligner ``template``) in which every output face lies; empty where faces
            keep their position, None where they are moved to a frame without a name. A run aligns by that frame unless
            the user names an aligner. A hallucinator with several frames has an argument ``frame`` whose type is a
            ``Literal`` of their names (``lr``: the position of the face in the LR image) and of ``auto``, the default:
            the run then chooses the frame and passes its name.
        input_frame: name of the frame in which input faces must lie, as its training faces did; empty where any
            position is accepted. A hallucinator of a fixed input size counts as trained on upright faces when another
            hallucinator comes before it.
    """

    input_spec: ImageSpec = ImageSpec()
    output_spec: ImageSpec = ImageSpec()
    version: str = "1"
    weights: tuple[WeightsFile, ...] = ()
    passthrough: bool = False
    output_frame: str | None = ""
    input_frame: str = ""

    @abstractmethod
    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate a batch.

        Args:
            lr: RGB in [0, 1]; float32 (N, 3, h, w), N >= 1; square of ``input_spec.size`` where that is set.

        Returns:
            RGB, float32 (N, 3, H, W), meant to lie in [0, 1]: values outside are clipped, values that are not finite
            make that image a counted failure. Image i must depend on lr[i] alone.
        """

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """Hallucinate a batch and report the outcome of each image; the runner calls this method.

        Override it when single images can fail or fall back (for example, no landmarks found); otherwise `hallucinate`
        is enough.

        Returns:
            The images as `hallucinate` returns them, and one outcome each; an image whose outcome is ``failed`` is
            ignored.
        """
        return self.hallucinate(lr), [OK] * len(lr)

    def execution(self) -> Mapping[str, object]:
        """How it was computed, for the run's record: facts by name, such as ``device`` and ``batch``.

        It is called after the last image, so it may report what is known only then. The runner fills in missing facts
        from the component's arguments (``device``).
        """
        return {}

    def notes(self) -> tuple[str, ...]:
        """Warnings to show beside the figures, such as departures from the method; called after the last image."""
        return ()


class Recogniser(ABC):
    """Computes embeddings of aligned face chips.

    Attributes:
        face: chip size and the five points the network was trained on.
        embedding_size: length of an embedding.
        colour: channel order of the network's input (the runner always passes RGB; the recogniser swaps); ``gray`` is
            luma.
        scaling: how 0..255 values are scaled before the network, in words.
        version: part of every cache key; raise it whenever the same chip would give another embedding.
        weights: the files it was built from; part of every cache key.
    """

    face: FaceTemplate
    embedding_size: int
    colour: Literal["RGB", "BGR", "gray"] = "RGB"
    scaling: str = ""
    version: str = "1"
    weights: tuple[WeightsFile, ...] = ()

    @abstractmethod
    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed aligned chips.

        Args:
            chips: RGB, uint8 (N, H, W, 3) with (H, W) of ``face``, N >= 1.

        Returns:
            Embeddings as the network gives them (not normalised), float32 (N, D). Row i depends on chips[i] alone. A
            row that is not finite counts as a failure.
        """

    def execution(self) -> Mapping[str, object]:
        """How it was computed, for the run's record: facts by name, such as ``device`` and ``batch``.

        It is called after the last image, so it may report what is known only then. The runner fills in missing facts
        from the component's arguments (``device``).
        """
        return {"colour": self.colour, "scaling": self.scaling}

    def notes(self) -> tuple[str, ...]:
        """Warnings to show beside the figures, such as departures from the method; called after the last image."""
        return ()


class Aligner(ABC):
    """Aligns a face image to a recogniser's template.

    Attributes:
        version: part of every cache key; raise it whenever the same image would give another chip.
        weights: the files it was built from; part of every cache key.
    """

    version: str = "1"
    weights: tuple[WeightsFile, ...] = ()

    @abstractmethod
    def align(
        self, images: Sequence[ByteImages], landmarks: Sequence[Points | None], face: FaceTemplate
    ) -> tuple[ByteImages, list[Outcome]]:
        """Align images one by one.

        Args:
            images: RGB, uint8 (h, w, 3) each, any sizes.
            landmarks: the five points of each image in its own pixels, or None where the data set gives none.
            face: the recogniser's template.

        Returns:
            Chips, uint8 (N, H, W, 3), and one outcome each: ``ok``, or ``fallback`` when no face was found and the
            whole image was resized. An aligner never drops an image.
        """

    def execution(self) -> Mapping[str, object]:
        """How it was computed, for the run's record: facts by name, such as ``device`` and ``batch``.

        It is called after the last image, so it may report what is known only then. The runner fills in missing facts
        from the component's arguments (``device``).
        """
        return {}

    def notes(self) -> tuple[str, ...]:
        """Warnings to show beside the figures, such as departures from the method; called after the last image."""
        return ()


class EvalProtocol(ABC):
    """Defines the comparisons, the files and the official rules of an evaluation.

    Attributes:
        dataset: name under which the data root is configured (``data.tinyface``).
        how_to_get: what the data set is, where to request it and how to configure its folder; shown when it is missing.
        similarity: how two templates are scored; higher is more similar (a distance is negated).
        unit_length: whether templates are scaled to unit length before they are scored.
        flip: fusion of each image with its mirror image: ``none``, ``sum`` (embeddings added as they are) or
            ``mean`` (each scaled to unit length first).
        fusion: how the media of a template become one vector: ``mean`` of their embeddings as they are, ``unit`` (each
            scaled to unit length first, then averaged) or ``media`` (images of one medium averaged, the media added).
        score_weighted: whether embeddings are weighted by the detector's score of the image (``attributes["score"]``).
        false_positive_rates: the FPIR at which open-set identification is reported, or the FAR of verification.
        ranks: the k of the rank-k rates reported.
        mean_average_precision: whether mAP is reported (trapezoid rule).
        default_align: name of the aligner used when the user names none.
        lr_sides: meaning of ``--hallucinate auto``: ``both`` if gallery and distractors are LR faces like the probes,
            ``probe`` if not.
        wanted_frame: name of the frame of the true faces that hallucinated faces are compared with; empty where it is
            the frame of the LR faces; None in a search.
        probe_frame: name of the frame of the probe images in the data set; empty where it has no name.
        gallery_frame: the same for gallery images and distractors.
        recognises: whether figures depend on a recogniser and on alignment; if not, a matrix of runs has one cell for
            all recognisers.
        version: raise it whenever the same files would give another list of media or other figures.
    """

    dataset: ClassVar[str]
    how_to_get: ClassVar[str]
    similarity: Literal["cosine", "euclidean"] = "cosine"
    unit_length: bool = True
    flip: Literal["none", "sum", "mean"] = "none"
    fusion: Literal["mean", "unit", "media"] = "mean"
    score_weighted: bool = False
    false_positive_rates: tuple[float, ...] = (0.01, 0.1)
    ranks: tuple[int, ...] = (1, 5, 10, 20, 50)
    mean_average_precision: bool = True
    default_align: str = "none"
    lr_sides: Side = "probe"
    wanted_frame: str | None = None
    probe_frame: str = ""
    gallery_frame: str = ""
    recognises: bool = True
    version: str = "1"
    weights: tuple[WeightsFile, ...] = ()

    @abstractmethod
    def locate(self, root: Path) -> Path:
        """Return the folder of the data set for the user's root; raise MissingError or DataError."""

    def is_sample(self, root: Path) -> bool:
        """Whether the folder holds the sample of drawn people and not the data set; results on it are marked so."""
        return False

    def sample_version(self) -> str:
        """Version of the sample: it differs when another version of the code wrote the sample."""
        return self.version

    def sample_note(self) -> str:
        """The message before the sample is written: what it is and why it is needed; empty for no message."""
        return (
            f"No data set {self.dataset} is configured, so a sample is used: people who do not exist, drawn by this "
            "suite in the layout of the data set. It is written once."
        )

    def write_sample(self, out: Path) -> None:
        """Write the sample, which is used when no data set is configured, to a new folder; always the same bytes.

        Raises:
            MissingError: the protocol has no sample (the default).
        """
        raise MissingError(f"There is no sample of {self.dataset}.\n{self.how_to_get}")

    @abstractmethod
    def read(self, root: Path) -> Study:
        """List the media under a located root; decode nothing. Raises DataError on an inconsistent data set."""

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Study:
        """Like `read`; derived data (landmarks, turned views) may be computed and stored under ``scratch``.

        Names of stored files must depend on their inputs, since the folder outlives changes of the data.

        Args:
            root: the located root.
            scratch: a folder for this protocol alone, which may not exist yet.
            progress: called with (images done, all) now and then.
        """
        return self.read(root)

    def published_counts(self) -> Mapping[str, int] | None:
        """Counts of a run with these arguments on the published set; None (the default) if none is published.

        A run is official if its counts equal them, whatever its ``run.json`` says. Names: ``probe``, ``gallery`` and
        ``distractor`` (images), ``probe identities``, ``gallery identities``, ``searches`` (rows of probes), ``items``
        (rows of other kinds), ``pairs``, ``same pairs``.
        """
        return None

    @abstractmethod
    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """Compare a located root with the official set, opening every image. Never raises on damaged data.

        Args:
            root: the located root.
            progress: called with (images opened, all) now and then.
        """


HALLUCINATORS: Registry[Hallucinator] = Registry("hallucinator")
RECOGNISERS: Registry[Recogniser] = Registry("recogniser")
ALIGNERS: Registry[Aligner] = Registry("aligner")
PROTOCOLS: Registry[EvalProtocol] = Registry("protocol")
REGISTRIES: tuple[Registry[Hallucinator] | Registry[Recogniser] | Registry[Aligner] | Registry[EvalProtocol], ...] = (
    PROTOCOLS,
    HALLUCINATORS,
    RECOGNISERS,
    ALIGNERS,
)
