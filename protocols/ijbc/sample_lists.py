"""Writers of the lists of IJB-C in its three releases, for the templates of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from protocols.sample.files import write_rows, write_text

BOX = ("FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT")
TRAITS = ("FACIAL_HAIR", "AGE", "INDOOR_OUTDOOR", "SKINTONE", "GENDER", "YAW", "ROLL")
OCCLUSIONS = tuple(f"OCC{number}" for number in range(1, 19))
METADATA = ("SUBJECT_ID", "FILENAME", "SIGHTING_ID", *BOX, "FRAME_NUM", *TRAITS, *OCCLUSIONS)
_NONFACE = len(METADATA) - 3  # empty cells of a row without a face


@dataclass(frozen=True, slots=True)
class Subject:
    """One person; gender 0 or 1, skin tone 1 to 6."""

    number: int
    gender: int
    skin_tone: int
    facial_hair: int
    age: int


@dataclass(frozen=True, slots=True)
class Face:
    """One subject in one image.

    Attributes:
        subject: the person.
        filename: the image, below ``images``; with the subject it is the key, since an image may show two people.
        sighting: the medium: one for a still, one for all frames of a video.
        frame: number of a video frame; None for a still.
        box: left, top, width, height in whole pixels.
        yaw_deg: as drawn.
        roll_deg: as drawn.
        indoor: 1 or 0.
    """

    subject: Subject
    filename: str
    sighting: int
    frame: int | None
    box: tuple[int, int, int, int]
    yaw_deg: float
    roll_deg: float
    indoor: int

    def metadata(self) -> list[object]:
        """The 33 cells of a metadata row."""
        who = self.subject
        traits = (
            who.facial_hair,
            who.age,
            self.indoor,
            who.skin_tone,
            who.gender,
            round(self.yaw_deg),
            round(self.roll_deg),
        )
        return [who.number, self.filename, self.sighting, *self.box, self.frame, *traits, *(0 for _ in OCCLUSIONS)]


@dataclass(frozen=True, slots=True)
class Template:
    """Images that are enrolled or searched as one; ``part`` is G1, G2 or probe."""

    number: int
    part: str
    faces: tuple[Face, ...]

    @property
    def subject(self) -> Subject:
        """The person it shows."""
        return self.faces[0].subject


def pairs(templates: Sequence[Template]) -> list[tuple[int, int, bool]]:
    """(gallery template, probe template, same person): all mated pairs, and non-mated ones of similar people."""
    gallery = [template for template in templates if template.part != "probe"]
    listed = []
    for probe in templates:
        if probe.part != "probe":
            continue
        for enrolled in gallery:
            one, other = enrolled.subject, probe.subject
            alike = one.gender == other.gender and abs(one.skin_tone - other.skin_tone) <= 1
            if alike or one is other:
                listed.append((enrolled.number, probe.number, one is other))
    return listed


def write_release_a(root: Path, templates: Sequence[Template], nonfaces: Sequence[str]) -> None:
    """``protocols/ijbc_*.csv``: galleries, mixed probes, 1:1 matches without a header, metadata."""
    folder = root / "protocols"
    _write_one_to_many(folder, templates)
    write_rows(folder / "ijbc_11_G1_G2_matches.csv", None, [pair[:2] for pair in pairs(templates)])
    write_rows(folder / "ijbc_metadata.csv", METADATA, _metadata(templates, nonfaces))


def write_release_b(root: Path, templates: Sequence[Template], nonfaces: Sequence[str]) -> None:
    """``protocols/test1`` (1:1) and ``test4`` (1:N mixed) with seven columns, and the metadata."""
    folder = root / "protocols"
    columns = ("TEMPLATE_ID", "SUBJECT_ID", "FILENAME", *BOX)

    def write(name: str, parts: Sequence[str]) -> None:
        rows = [
            (template.number, face.subject.number, face.filename, *face.box)
            for template in templates
            if template.part in parts
            for face in template.faces
        ]
        write_rows(folder / name, columns, rows)

    write("test1/enroll_templates.csv", ("G1", "G2"))
    write("test1/verif_templates.csv", ("probe",))
    write("test4/gallery_G1.csv", ("G1",))
    write("test4/gallery_G2.csv", ("G2",))
    write("test4/probes.csv", ("probe",))
    matches = [pair[:2] for pair in pairs(templates)]
    write_rows(folder / "test1" / "match.csv", ("ENROLL_TEMPLATE_ID", "VERIF_TEMPLATE_ID"), matches)
    write_rows(folder / "ijbc_metadata_with_age.csv", METADATA, _metadata(templates, nonfaces))


def write_release_c(root: Path, templates: Sequence[Template], crops: Mapping[int, tuple[float, ...]]) -> None:
    """``meta/*``: one row a crop in parallel lists, labelled pairs, 1:N templates.

    Args:
        root: of the sample.
        templates: in order; crop 1 is the first face of the first, and so on.
        crops: crop number to ten coordinates and the detector's score.
    """
    folder = root / "meta"
    rows = [(template.number, face.sighting) for template in templates for face in template.faces]
    media = "".join(f"{n}.jpg {tid} {mid}\n" for n, (tid, mid) in enumerate(rows, start=1))
    points = "".join(f"{n}.jpg {' '.join(f'{v:.4f}' for v in crops[n])}\n" for n in range(1, len(rows) + 1))
    labels = "".join(f"{one} {other} {int(same)}\n" for one, other, same in pairs(templates))
    write_text(folder / "ijbc_face_tid_mid.txt", media)
    write_text(folder / "ijbc_name_5pts_score.txt", points)
    write_text(folder / "ijbc_template_pair_label.txt", labels)
    _write_one_to_many(folder, templates)


def _write_one_to_many(folder: Path, templates: Sequence[Template]) -> None:
    """Galleries and mixed probes with 34 columns."""
    for part, name in (("G1", "gallery_G1"), ("G2", "gallery_G2"), ("probe", "probe_mixed")):
        rows = [
            [template.number, *face.metadata()]
            for template in templates
            if template.part == part
            for face in template.faces
        ]
        write_rows(folder / f"ijbc_1N_{name}.csv", ("TEMPLATE_ID", *METADATA), rows)


def _metadata(templates: Sequence[Template], nonfaces: Sequence[str]) -> list[list[object]]:
    """One row a face, by subject and file, then the images without a face."""
    faces = {(face.subject.number, face.filename): face for template in templates for face in template.faces}
    rows = [faces[key].metadata() for key in sorted(faces)]
    return rows + [[None, name, None, *(None for _ in range(_NONFACE))] for name in nonfaces]
