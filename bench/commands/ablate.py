"""``bench ablate``: the variants of Table III, trained with one recipe and measured on the same people."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.training_options import add_training_options, apply_recipe, check_faces

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
    parser.add_argument(
        "--variants",
        metavar="NAME,...",
        help="default: those of the paper; full must be among them. `additions`: full, and full without each "
        "addition of the recipe alone, as no-carry",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="train every variant N times, with the seeds from --seed on; seeds.md has means, spread and intervals",
    )
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
    from hallucinators.vividgan.ablation.seeds import ablate_seeds
    from hallucinators.vividgan.ablation.variants import Recipe, expand

    check_faces(args)
    chosen = apply_recipe(args, "vividgan")
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
        settings=chosen,
    )
    rows = ablate_seeds(
        args.data,
        args.out,
        recipe,
        args.seeds,
        names=expand(args.variants),
        recogniser=args.recogniser,
        people=args.people,
        landmarks=args.landmarks,
        views=args.views,
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )
    table = "table.md" if args.seeds == 1 else "seeds.md"
    print((args.out / table).read_text(encoding="utf-8"), end="")
    failed = [row.variant for row in rows if row.failure]
    if failed:
        print(f"bench: {len(failed)} of {len(rows) - 1} variants failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
