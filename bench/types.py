"""The nouns of the suite: media, outcomes, weight files, image sizes. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Role = Literal["gallery", "probe", "distractor"]
Status = Literal["ok", "fallback", "failed"]
Side = Literal["probe", "gallery", "both"]
SideChoice = Literal["auto", "probe", "gallery", "both"]

Points = tuple[tuple[float, float], ...]
"""Landmarks as (x, y) pixels, origin at the centre of the top-left pixel."""


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """Where a recogniser wants the face.

    Attributes:
        height: chip height, pixels.
        width: chip width, pixels.
        points: five points in the chip: image-left eye, image-right eye, nose, image-left and image-right mouth corner.
    """

    height: int
    width: int
    points: Points


@dataclass(frozen=True, slots=True)
class Cut:
    """How a face is taken out of its file and brought to size, in the order of these fields.

    Attributes:
        frame: of a video, counted from 0; None where the file is a picture.
        quarter_turns: clockwise turns of 90 degrees.
        box: x, y, width, height in pixels of the (turned) picture, measured between pixel edges; rounded to whole
            pixels; what lies beyond the picture repeats its border. None keeps the whole picture.
        points: five points of the face in pixels of the (turned) picture, to be laid on those of ``face``; a box is
            not used then.
        face: the chip that ``points`` are brought to.
        side: height and width it is shrunk to, antialiased bicubic, rounded to 8 bits: the LR face. None keeps the
            size.
    """

    frame: int | None = None
    quarter_turns: int = 0
    box: tuple[float, float, float, float] | None = None
    points: Points | None = None
    face: FaceTemplate | None = None
    side: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """One image of one identity, not yet decoded.

    Attributes:
        key: unique and stable inside its protocol, for instance ``Probe/12_3.jpg``; pairs runs with each other.
        path: the file, absolute, inside the data root.
        role: what the image is compared as.
        identity: the person; None for a distractor whose identity is not given.
        template: the template this media belongs to; media of one template are fused.
        landmarks: five points (eyes, nose, mouth corners; image left first) in pixels of the image after its ``cut``,
            or None.
        attributes: what the protocol knows of the image (``yaw_deg``, ``session``...), carried to the results.
        cut: how the face is taken out of the file; None takes the picture as it is.
        medium: what the image was taken from (a photograph, a video): where templates are fused by medium, images of
            one are averaged first. Empty where each image is one by itself.
    """

    key: str
    path: Path
    role: Role
    identity: str | None
    template: str
    landmarks: Points | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    cut: Cut | None = None
    medium: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one image fared: every image of a run ends with exactly one.

    Attributes:
        status: ``ok``; ``fallback`` (scored, though a stage had to make do: a face not found, say); ``failed``
            (not scored, counts as a miss).
        stage: the stage that decided it (``decode``, ``hallucinate``, ``align``, ``embed``); empty when ok.
        reason: a short phrase that groups alike cases (``face not found``), no file names in it; empty when ok.
    """

    status: Status = "ok"
    stage: str = ""
    reason: str = ""


OK = Outcome()


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weight file a component was built from.

    Attributes:
        name: of the file, without its folder.
        sha256: of its bytes, in hexadecimal.
        path: where it is, so that a change during a run is noticed; None where nobody says. Not part of any record.
    """

    name: str
    sha256: str
    path: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Size contract of one end of a hallucinator.

    Attributes:
        size: side in pixels of a square image; None means any size (input), or input size times ``scale`` (output).
        scale: magnification where the output has no fixed size; ignored for an input.
        largest: side in pixels above which an input of any size would be shrunk first; a chain step that gives more is
            refused, since it would have worked for nothing. None means that there is none; ignored for an output.
    """

    size: int | None = None
    scale: int = 1
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class IdentificationSet:
    """Who is searched (probes) in what (gallery and distractors).

    Attributes:
        gallery: media of enrolled identities; identity is never None.
        probes: media of searched templates; identity is never None.
        distractors: gallery media whose identity has no probe; may be empty.
        official: True when the counts are those of the published data set.
        notes: sentences for the user about how the data differ from the official set; shown with every result.
        galleries: templates of each gallery by its name, where probes are searched in several one after the other;
            empty for one gallery of all. Distractors are in each.
        open_set: whether a probe may be without a mate; figures of open-set identification are then given.
    """

    gallery: tuple[Media, ...]
    probes: tuple[Media, ...]
    distractors: tuple[Media, ...] = ()
    official: bool = False
    notes: tuple[str, ...] = ()
    galleries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_set: bool = False

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first: what is wrong with a chain shows before a long gallery is embedded."""
        return {"probe": self.probes, "gallery": self.gallery, "distractor": self.distractors}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One finding of ``bench data check``.

    Attributes:
        level: ``ok``, ``differs`` (usable, not as published) or ``damaged`` (must be mended before a run).
        subject: what was looked at (``Probe images``).
        found: what there is, in words or a number.
        expected: what the published set has; empty where nothing is published.
        examples: the first few file names or rows concerned.
    """

    level: Literal["ok", "differs", "damaged"]
    subject: str
    found: str
    expected: str = ""
    examples: tuple[str, ...] = ()
