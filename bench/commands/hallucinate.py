"""``bench hallucinate``: hallucinate the faces of photographs and show the stages side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.images import ByteImages
    from bench.pipeline.chain import Chain


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "hallucinate",
        help="hallucinate the faces of photographs",
        description="Find the faces of photographs, hallucinate each, and write the LR face, the stages of the network "
        "(if it provides them), and the result side by side. The result is that of `bench run` with the same "
        "hallucinator; its frame is the one in which the face fills the picture, unless frame=NAME is given. Faces "
        "larger than the hallucinator's input are shrunk first, with a note.",
    )
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the pictures")
    parser.add_argument(
        "--hallucinator",
        default="vividgan-flow",
        metavar="A+B",
        help="(default: %(default)s, whose coarse face is recognised as well as the final one, in a third of the time; "
        "vividgan-flow:output=fine gives the final one, with the components beside it)",
    )
    parser.add_argument("--whole", action="store_true", help="each image is one cropped face: detect none")
    parser.add_argument("--lr", type=int, default=None, metavar="N", help="shrink each face to N x N pixels first")
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default), cuda, cuda:1, mps, or auto")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it; returns 1 if an image gave no face."""
    from bench.devices import resolve_device
    from bench.errors import DataError, UsageError
    from bench.faces.pairs.crops import beside, faces_of
    from bench.images import encode_png, read_image
    from bench.pipeline.chain import Chain
    from bench.registry import load_plugins

    if args.lr is not None and not 2 <= args.lr <= 128:
        raise UsageError(f"--lr is {args.lr}; a tiny face has 2 to 128 pixels")
    load_plugins()
    chain = Chain.parse(args.hallucinator, {"device": resolve_device(args.device)})
    _make_folder(args.out)
    taken = {path.resolve() for path in args.images}  # no photograph is overwritten
    complete = 0
    for path in args.images:
        try:
            image = read_image(path)
        except DataError as error:
            print(f"{path}: {error}; left out")
            continue
        faces = [image] if args.whole else faces_of(image)
        if not faces:
            print(f"{path}: no face found; left out (--whole takes the whole image as one face)")
        done = 0
        for number, face in enumerate(faces, 1):
            columns, notes = _stages(chain, face, args.lr)
            description = f"{path}: face {number} of {len(faces)}, {face.shape[1]} x {face.shape[0]} pixels{notes}"
            if columns is None:
                print(f"{description}; left out")
                continue
            name = _free_name(args.out, f"{path.stem}-{number}" if len(faces) > 1 else path.stem, taken)
            _write(args.out / f"{name}.png", encode_png(columns[-1]))
            _write(args.out / f"{name}-stages.png", encode_png(beside(columns)))
            print(f"{description}: {name}.png, {name}-stages.png")
            done += 1
        complete += bool(faces) and done == len(faces)
    print(f"{args.out}: {complete} of {len(args.images)} images hallucinated")
    return 0 if complete == len(args.images) else 1


def _stages(chain: Chain, face: ByteImages, side: int | None) -> tuple[list[ByteImages] | None, str]:
    """Input of the network, its stages (where it provides them) and the result; and notes about them."""
    from bench.images import resize, to_bytes, to_float

    notes = "" if face.shape[0] == face.shape[1] else "; not square: stretched"
    network_input = resize(face, side, side) if side else face
    first = chain.steps[0].component
    stages: list[ByteImages] = []
    if len(chain.steps) == 1 and hasattr(first, "stages"):
        result_of_stages = first.stages(to_float([network_input]))
        outcome = result_of_stages.outcomes[0]
        network_input = to_bytes(result_of_stages.lr)[0]
        pictures = [
            to_bytes(image)[0]
            for image in (result_of_stages.coarse, result_of_stages.prior, result_of_stages.fine)
            if image is not None
        ]
        *stages, last = pictures
        result = to_bytes(first.in_frame(result_of_stages))[0] if hasattr(first, "in_frame") else last
    else:
        network_input = (
            network_input if chain.input_size is None else resize(network_input, chain.input_size, chain.input_size)
        )
        (image,), (outcome,) = chain.hallucinate([network_input])
        if image is None:
            return None, f"{notes}; {chain.text} failed: {outcome.reason}"
        result = image
    if network_input.shape != face.shape:
        verb = "shrunk" if network_input.shape[0] < max(face.shape[:2]) else "enlarged"
        notes += f"; {verb} to {network_input.shape[1]} x {network_input.shape[0]}"
    notes += f"; {outcome.reason}" if outcome.reason else ""
    return [network_input, *stages, result], notes


def _make_folder(out: Path) -> None:
    from bench.errors import UsageError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "is a file" if out.is_file() else f"cannot be created: {error.strerror}"
        raise UsageError(f"--out {out} {what}; name a folder.") from None


def _free_name(folder: Path, name: str, taken: set[Path]) -> str:
    """A name that no picture of this call and no input photograph has; it is then marked as taken."""
    number, free = 1, name
    while not taken.isdisjoint(_pictures(folder, free)):
        number += 1
        free = f"{name}_{number}"
    taken |= set(_pictures(folder, free))
    return free


def _pictures(folder: Path, name: str) -> list[Path]:
    return [(folder / f"{name}{end}.png").resolve() for end in ("", "-stages")]


def _write(path: Path, data: bytes) -> None:
    from bench.io.atomic import explain_os_errors, write_file

    with explain_os_errors(f"Cannot write {path}"):
        write_file(path, data)
