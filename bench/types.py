"""Basic types: media, outcomes, weight files, image sizes. Standard library only."""

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
    """Position of the face in a recogniser's input.

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
    """How a face is cropped from its file and resized, in the order of these fields.

    Attributes:
        frame: of a video, counted from 0; None where the file is a picture.
        quarter_turns: clockwise turns of 90 degrees.
        box: x, y, width, height in pixels of the (turned) picture, measured between pixel edges; rounded to whole
            pixels; outside the picture its border is repeated. None keeps the whole picture.
        points: five points of the face in pixels of the (turned) picture, aligned to those of ``face``; ``box`` is
            then ignored.
        face: the chip to which ``points`` are aligned.
        side: height and width of the LR face, shrunk by antialiased bicubic and rounded to 8 bits. None keeps the
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
        role: whether the image is a gallery, probe or distractor image.
        identity: the person; None for a distractor of unknown identity.
        template: the template this media belongs to; media of one template are fused.
        landmarks: five points (eyes, nose, mouth corners; image left first) in pixels of the image after its ``cut``,
            or None.
        attributes: facts about the image (``yaw_deg``, ``session``...), copied to the results.
        cut: how the face is cropped from the file; None takes the whole picture.
        medium: the photograph or video of the image; where templates are fused by medium, images of one medium are
            averaged first. Empty where each image is a medium of its own.
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
    """Outcome of one image: every image of a run has exactly one.

    Attributes:
        status: ``ok``; ``fallback`` (scored, but a stage used a substitute, for example when no face was found);
            ``failed`` (not scored, counts as a miss).
        stage: the stage that caused it (``decode``, ``hallucinate``, ``align``, ``embed``); empty when ok.
        reason: a short phrase for cases of the same kind (``face not found``), without file names; empty when ok.
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
        path: the file, to detect a change during a run; None where it is not known. Not part of any record.
    """

    name: str
    sha256: str
    path: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """Image size of the input or output of a hallucinator.

    Attributes:
        size: side in pixels of a square image; None means any size (input), or input size times ``scale`` (output).
        scale: magnification where the output has no fixed size; ignored for an input.
        largest: side in pixels above which an input of any size is shrunk first; a chain whose previous step gives a
            larger image is refused, since that step would be wasted. None means no limit; ignored for an output.
    """

    size: int | None = None
    scale: int = 1
    largest: int | None = None


@dataclass(frozen=True, slots=True)
class IdentificationSet:
    """Probes, and the gallery and distractors in which they are searched.

    Attributes:
        gallery: media of enrolled identities; identity is never None.
        probes: media of searched templates; identity is never None.
        distractors: gallery media whose identity has no probe; may be empty.
        official: whether the counts equal those of the published data set; None where no set is published.
        notes: sentences for the user about how the data differ from the official set; shown with every result.
        galleries: templates of each gallery by its name, where probes are searched in several galleries; empty for
            one gallery of all. Distractors are in each.
        open_set: whether a probe may have no mate; figures of open-set identification are then computed.
        groups: names of attributes of probes by which closed-set figures are broken down too: ``rank-1 (yaw 30)`` for
            ``yaw_deg``, ``rank-1 (camera door)`` for ``camera``.
    """

    gallery: tuple[Media, ...]
    probes: tuple[Media, ...]
    distractors: tuple[Media, ...] = ()
    official: bool | None = False
    notes: tuple[str, ...] = ()
    galleries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    open_set: bool = False
    groups: tuple[str, ...] = ()

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first: a fault of a chain then appears before a long gallery is embedded."""
        return {"probe": self.probes, "gallery": self.gallery, "distractor": self.distractors}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One finding of ``bench data check``.

    Attributes:
        level: ``ok``, ``differs`` (usable, not as published) or ``damaged`` (must be repaired before a run).
        subject: what was checked (``Probe images``).
        found: the present state, in words or a number.
        expected: the state of the published set; empty where nothing is published.
        examples: the first few file names or rows concerned.
    """

    level: Literal["ok", "differs", "damaged"]
    subject: str
    found: str
    expected: str = ""
    examples: tuple[str, ...] = ()
