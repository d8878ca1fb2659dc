"""The contracts a plugin fulfils, and the four registries that hold what fulfils them.

Constructors are cheap: they check arguments, find weight files and hash them; the network is built at first use. So a
finished run can be recognised as finished without loading any.

Images cross these seams as NumPy arrays, so a stage can be pickled to another process and a run whose stages need no
torch never imports it. A network wraps them with ``torch.from_numpy`` at no cost.
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
    """Turns low-resolution faces into what a recogniser sees instead of them.

    Attributes:
        input_spec: the size it takes; a fixed size makes the runner resize native images (bicubic), and says so.
        output_spec: the size it gives.
        version: part of every cache key; raise it whenever the same input would give another output.
        weights: the files it was built from; part of every cache key.
        passthrough: True only for the hallucinator that returns its input; nothing is then cached or quantised.
        output_frame: name of the frame (of the aligner ``template``) that it puts every face in; empty where faces stay
            where they were, None where they are moved to no frame that has a name. A run aligns by that frame unless
            the user names an aligner. One that can give several takes an argument ``frame`` whose type is a ``Literal``
            of their names (``lr``: where the face stands in the LR image) and of ``auto``, the default: a run then
            chooses, and passes the name.
        input_frame: name of the frame that faces must stand in for it, since it was trained on such faces; empty where
            it takes them anywhere. One of a fixed input size counts as trained on upright faces when another
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
        """Hallucinate a batch and say how each image fared; what the runner calls.

        Override it when single images can fail or fall back (no landmarks found, say); otherwise `hallucinate` alone
        is enough.

        Returns:
            The images as `hallucinate` returns them, and one outcome each; an image whose outcome is ``failed`` is
            not looked at.
        """
        return self.hallucinate(lr), [OK] * len(lr)

    def execution(self) -> Mapping[str, object]:
        """What was used to compute, for the run's record: facts by name, such as ``device`` and ``batch``.

        A run asks after its last image, so what is only known by then may be told. What a component does not tell is
        filled in by the runner from its arguments (``device``).
        """
        return {}

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures, such as what was done otherwise; asked after the last image."""
        return ()


class Recogniser(ABC):
    """The ruler: aligned face chips to embeddings.

    Attributes:
        face: chip size and the five points the network was trained on.
        embedding_size: length of an embedding.
        colour: channel order the network is fed (the runner always hands over RGB; the recogniser swaps); ``gray`` is
            luma.
        scaling: what is done to 0..255 values before the network, in words.
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
            row that is not finite is counted as a failure by the runner.
        """

    def execution(self) -> Mapping[str, object]:
        """What was used to compute, for the run's record: facts by name, such as ``device`` and ``batch``.

        A run asks after its last image, so what is only known by then may be told. What a component does not tell is
        filled in by the runner from its arguments (``device``).
        """
        return {"colour": self.colour, "scaling": self.scaling}

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures, such as what was done otherwise; asked after the last image."""
        return ()


class Aligner(ABC):
    """Brings a face image to a recogniser's template.

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
            whole image was resized instead. An aligner never drops an image.
        """

    def execution(self) -> Mapping[str, object]:
        """What was used to compute, for the run's record: facts by name, such as ``device`` and ``batch``.

        A run asks after its last image, so what is only known by then may be told. What a component does not tell is
        filled in by the runner from its arguments (``device``).
        """
        return {}

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures, such as what was done otherwise; asked after the last image."""
        return ()


class EvalProtocol(ABC):
    """Who is compared with whom, on which files, and by which official rules.

    Attributes:
        dataset: name under which the data root is configured (``data.tinyface``).
        how_to_get: what the data set is, whom to ask for it and how to point to it; shown when it is missing.
        similarity: how two templates are scored; higher is more alike (a distance is negated).
        unit_length: whether templates are scaled to unit length before they are scored.
        flip: fusion of each image with its mirror image: ``none``, ``sum`` (embeddings added as they are) or
            ``mean`` (each scaled to unit length first).
        fusion: how the media of a template become one vector: ``mean`` of their embeddings as they are, ``unit`` (each
            scaled to unit length first, then averaged) or ``media`` (images of one medium averaged, the media added).
        score_weighted: whether an embedding counts by the detector's score of its image (``attributes["score"]``).
        false_positive_rates: the FPIR at which open-set identification is reported, or the FAR of verification.
        ranks: the k of the rank-k rates reported.
        mean_average_precision: whether mAP is reported (trapezoid rule).
        default_align: name of the aligner used when the user names none.
        lr_sides: what ``--hallucinate auto`` takes: ``both`` where gallery and distractors are LR faces of the kind of
            the probes, ``probe`` where they are not.
        wanted_frame: name of the frame that hallucinated faces are wanted in, where it is not for the recogniser: that
            of the true faces they are compared with; empty where these stand as the LR faces do; None in a search.
        probe_frame: name of the frame that probe images stand in as the data set has them; empty where it has no name.
        gallery_frame: likewise of gallery images and distractors.
        recognises: whether figures depend on a recogniser and on alignment; where not, a matrix of runs has one cell
            for all recognisers.
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
        """Return the folder of the data set for a root the user gave; raise MissingError or DataError."""

    def is_sample(self, root: Path) -> bool:
        """Whether the folder holds drawn people instead of the data set; every result made on it then says so."""
        return False

    def sample_version(self) -> str:
        """What tells this sample from one that an earlier version of the code wrote."""
        return self.version

    def sample_note(self) -> str:
        """What a user is told before the sample is written: what it is and why it is needed; empty says nothing."""
        return (
            f"No data set {self.dataset} is configured, so a sample is used: people who do not exist, drawn by this "
            "suite in the layout of the data set. It is written once."
        )

    def write_sample(self, out: Path) -> None:
        """Write the sample that serves when the user has no data, to a new folder; the same bytes every time.

        Raises:
            MissingError: the protocol has no sample (the default).
        """
        raise MissingError(f"There is no sample of {self.dataset}.\n{self.how_to_get}")

    @abstractmethod
    def read(self, root: Path) -> Study:
        """List the media under a located root; decode nothing. Raises DataError on an inconsistent data set."""

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Study:
        """Like `read`; what else reading needs (landmarks, turned views) may be computed and kept under ``scratch``.

        What is kept there must be named after what it was made from, since the folder outlives changes of the data.

        Args:
            root: the located root.
            scratch: a folder of this protocol's own, which may not exist yet.
            progress: called with (images done, all) now and then.
        """
        return self.read(root)

    def published_counts(self) -> Mapping[str, int] | None:
        """Counts that a run with these arguments has on the published set; None (the default) where none is published.

        A run is called official where it has them, whatever its ``run.json`` says. Names: ``probe``, ``gallery`` and
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
