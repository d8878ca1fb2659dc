"""``bench ablate``: the variants of Table III, trained with one recipe and measured on the same people."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.training_options import add_training_options, check_faces

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "ablate",
        help="train and measure the variants of VividGAN",
        description="Train each variant of VividGAN (Table III, figures 6 and 8) for the same number of steps from the "
        "same first stage, and measure PSNR, SSIM and rank-1 on held-out people, with paired intervals against the "
        "full variant. The same command continues a stopped call. A variant that fails "
        "is named in the table, and the exit code is then 1.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="PACK", help="a file written by `bench data pairs`")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of trainings, weights and the table"
    )
    parser.add_argument("--variants", metavar="NAME,...", help="default: all; full must be among them")
    parser.add_argument("--steps", default="", metavar="STAGE=N,...", help="steps of geometry, coarse, touchup, whole")
    parser.add_argument("--lr", type=int, default=16, choices=(16, 32), help="side of the LR faces (default: 16)")
    parser.add_argument("--recogniser", default="sface", help="recogniser of rank-1, not the teacher (default: sface)")
    parser.add_argument(
        "--people", type=int, default=400, metavar="N", help="held-out people to measure (default: 400)"
    )
    parser.add_argument("--landmarks", default="auto", help="positions of components: auto, engine or template")
    add_training_options(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    import sys

    from bench.devices import resolve_device
    from bench.registry import load_plugins
    from hallucinators.training.method.options import parse_steps
    from hallucinators.vividgan.ablation.run import ablate
    from hallucinators.vividgan.ablation.variants import VARIANTS, Recipe

    check_faces(args)
    load_plugins()
    recipe = Recipe(
        lr=args.lr,
        preset=args.preset,
        steps=parse_steps(args.steps),
        identity=args.identity,
        batch=args.batch,
        seed=args.seed,
        device=resolve_device(args.device),
        threads=args.threads,
        precision=args.precision,
        faces=args.faces,
    )
    rows = ablate(
        args.data,
        args.out,
        recipe,
        names=tuple(VARIANTS) if args.variants is None else [name.strip() for name in args.variants.split(",")],
        recogniser=args.recogniser,
        people=args.people,
        landmarks=args.landmarks,
        views=args.views,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print((args.out / "table.md").read_text(encoding="utf-8"), end="")
    failed = [row.variant for row in rows if row.failure]
    if failed:
        print(f"bench: {len(failed)} of {len(rows) - 1} variants failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
