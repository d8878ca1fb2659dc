"""Makes the pictures of docs/people.md and docs/hallucinate.md: ``python docs/make_gallery.py``. Drawn people only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from bench.faces.people.look import EXPRESSIONS, ILLUMINATIONS, Look
from bench.faces.people.model import People
from bench.images import ByteImages, resize, to_bytes, to_float
from hallucinators.vividgan.hallucinator import VividGanFlow, VividGanHallucinator

IMAGES = Path(__file__).parent / "images"
SIDE = 96
YAWS = (-90, -75, -60, -45, -30, -15, 0, 15, 30, 45, 60, 75, 90)


def main() -> None:
    """Draw and store."""
    people = People()
    save(
        "people.jpg",
        [[Look(identity=10 * row + column, size=SIDE) for column in range(10)] for row in range(10)],
        people,
    )
    persons = (11, 24, 36, 61)
    save("poses.jpg", [[Look(identity=i, yaw_deg=yaw, size=SIDE) for yaw in YAWS] for i in persons], people)
    save("expressions.jpg", [[Look(identity=i, expression=e, size=SIDE) for e in EXPRESSIONS] for i in persons], people)
    lamps = [[Look(identity=i, illumination=k, size=SIDE) for k in range(ILLUMINATIONS)] for i in persons[:2]]
    save("lamps.jpg", lamps, people)
    faces = people([Look(identity=i, size=128) for i in range(40, 50)])
    rows = [
        [np.kron(resize(face, lr, lr), np.ones((128 // lr, 128 // lr, 1), np.uint8)) for face in faces]
        for lr in (16, 32)
    ]
    write("resolutions.jpg", [*rows, faces])
    write("hallucinated.jpg", hallucinated(people))
    write("forty.jpg", forty(people))


def hallucinated(people: People) -> list[list[ByteImages]]:
    """Turned faces at 16 x 16, what vividgan-flow makes of them (coarse, final), and the true front."""
    turns = (-75, -55, -40, -22, 0, 22, 40, 55, 75)
    turned = people([Look(identity=60 + i, yaw_deg=yaw, size=128) for i, yaw in enumerate(turns)])
    truth = people([Look(identity=60 + i, size=128) for i in range(len(turns))])
    tiny = [resize(face, 16, 16) for face in turned]
    found = VividGanFlow(output="fine").stages(to_float(tiny))
    assert found.fine is not None
    shown = [np.kron(face, np.ones((8, 8, 1), np.uint8)) for face in tiny]
    return [shown, list(to_bytes(found.coarse)), list(to_bytes(found.fine)), list(truth)]


def forty(people: People) -> list[list[ByteImages]]:
    """Forty turned faces at 16 x 16 in five bands of eight: LR, vividgan, vividgan-flow, the true front."""
    side, across = 64, 8
    turns = [yaw for _ in range(5) for yaw in (-75, -55, -40, -22, 22, 40, 55, 75)]
    turned = people([Look(identity=10 + i, yaw_deg=yaw, size=128) for i, yaw in enumerate(turns)])
    truth = people([Look(identity=10 + i, size=128) for i in range(len(turns))])
    tiny = [resize(face, 16, 16) for face in turned]
    faces = to_float(tiny)
    rows = [
        [np.kron(face, np.ones((8, 8, 1), np.uint8)) for face in tiny],
        list(to_bytes(VividGanHallucinator().hallucinate(faces))),
        list(to_bytes(VividGanFlow().hallucinate(faces))),
        list(truth),
    ]
    bands = [row[start : start + across] for start in range(0, len(turns), across) for row in rows]
    return [[resize(face, side, side) for face in band] for band in bands]


def save(name: str, looks: list[list[Look]], people: People) -> None:
    """Draw rows of looks into one picture."""
    write(name, [people(row) for row in looks])


def write(name: str, rows: list[list[ByteImages]]) -> None:
    """Store rows of images of one size as one JPEG."""
    picture = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    Image.fromarray(picture).save(IMAGES / name, quality=85, optimize=True)


if __name__ == "__main__":
    main()
