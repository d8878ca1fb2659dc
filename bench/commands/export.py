"""``bench export``: write a hallucinator as an ONNX file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "export",
        help="write a hallucinator as an ONNX file",
        description="Write a hallucinator's network as one ONNX file, and check with onnxruntime that its output "
        "equals that of torch; otherwise no file is written.",
    )
    parser.add_argument("hallucinator", metavar="NAME", help="name:key=value,... of a hallucinator")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx", help="the file")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.errors import UsageError
    from bench.interfaces import HALLUCINATORS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins

    if args.out.suffix != ".onnx" or args.out.is_dir():
        raise UsageError(f"--out is {args.out}; name a file FILE.onnx")
    load_plugins()
    built = build(HALLUCINATORS, Spec.parse(args.hallucinator))
    export = getattr(built.component, "export_onnx", None)
    if export is None:
        raise UsageError(f"Hallucinator {built.spec.name} has no network to export as ONNX.")
    exported = export(args.out, licence=built.licence)
    sides = " and ".join(str(side) for side in exported.sides)
    print(
        f"{args.out}: {exported.size / 2**20:.1f} MiB, {' + '.join(exported.inputs)} to {', '.join(exported.outputs)}\n"
        f"LR side {sides}: differs from torch by {exported.difference:.1g} of 1.0 at most. Licence: {built.licence}"
    )
    return 0
