"""``bench hallucinate``: hallucinate the faces of photographs and show the stages side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal.plugin_option import add_plugin_option

if TYPE_CHECKING:
    from bench.commands import Subparsers


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
    add_plugin_option(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it; returns 1 if an image gave no face."""
    from bench.api.faces import check_lr, cut_faces, hallucinate_face, load_chain
    from bench.errors import DataError
    from bench.faces.pairs.crops import beside
    from bench.images import encode_png, read_image

    check_lr(args.lr)
    chain = load_chain(args.hallucinator, args.device)
    _make_folder(args.out)
    taken = {path.resolve() for path in args.images}  # no photograph is overwritten
    complete = 0
    for path in args.images:
        try:
            image = read_image(path)
        except DataError as error:
            print(f"{path}: {error}; left out")
            continue
        faces = cut_faces(image, whole=args.whole)
        if not faces:
            print(f"{path}: no face found; left out (--whole takes the whole image as one face)")
        done = 0
        for number, face in enumerate(faces, 1):
            hallucinated = hallucinate_face(chain, face, args.lr)
            notes = "".join(f"; {note}" for note in hallucinated.notes)
            description = f"{path}: face {number} of {len(faces)}, {face.shape[1]} x {face.shape[0]} pixels{notes}"
            if hallucinated.result is None:
                print(f"{description}; left out")
                continue
            name = _free_name(args.out, f"{path.stem}-{number}" if len(faces) > 1 else path.stem, taken)
            _write(args.out / f"{name}.png", encode_png(hallucinated.result))
            _write(args.out / f"{name}-stages.png", encode_png(beside(hallucinated.columns)))
            print(f"{description}: {name}.png, {name}-stages.png")
            done += 1
        complete += bool(faces) and done == len(faces)
    print(f"{args.out}: {complete} of {len(args.images)} images hallucinated")
    return 0 if complete == len(args.images) else 1


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
