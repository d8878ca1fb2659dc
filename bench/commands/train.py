"""``bench train``: train the weights of a hallucinator on packed photographs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands.data.photograph_sets import add_exclude_option
from bench.commands.training_options import add_training_options, apply_recipe, check_faces

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.faces.pairs.pack import Pack
    from hallucinators.training.method.options import Options
    from hallucinators.training.method.train import People
    from hallucinators.training.steps.settings import Settings

ALL = "all"
_SMOKE = "SMOKE RUN: trained on a part of the people; its figures say nothing about the method."

_CONTINUE = {
    "signal": "The same command continues from there.",
    "time": "The same command with more --minutes, or without, continues from there.",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a hallucinator",
        description="Train a hallucinator on a file written by `bench data pairs`. The same command continues a "
        "stopped training. Several processes: python -m torch.distributed.run --nproc-per-node=2 "
        "-m bench train ...",
    )
    parser.add_argument(
        "method",
        help="a method such as vividgan or srgan (an unknown name lists all of them); or all: every baseline in turn, "
        "8x and 4x, on the same people with the same budget",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        nargs="+",
        metavar="FILE",
        help="packed photographs (.npz); weights are selected on the validation people of the first. Faces of one "
        "pack near those that another holds out are left out",
    )
    add_exclude_option(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of checkpoints, curves, pictures and weights"
    )
    parser.add_argument(
        "--photographs",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="vividgan-flow: packs of photographs in any pose (bench data pairs --most-yaw 90 --margin 48 --identities "
        "...) for a stage that restores them in their pose and compares frontalised ones with the person's other "
        "photographs",
    )
    parser.add_argument(
        "--no-degradation", action="store_true", help="photographs: LR faces by antialiased bicubic alone"
    )
    parser.add_argument("--no-templates", action="store_true", help="photographs: no comparison with other photographs")
    parser.add_argument(
        "--depth",
        type=int,
        default=0,
        metavar="N",
        help="vividgan-flow: residual blocks added to its restoring part, a multiple of 3 (default: 0)",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="vividgan-flow: weights to start from, of the same depth or less (default: random weights)",
    )
    parser.add_argument("--lr", type=int, choices=(16, 32), help="side of the LR faces (default: 16; of all: both)")
    parser.add_argument("--steps", default="", metavar="STAGE=N,...", help="steps of stages; 0 omits a stage")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="stop after M minutes over all stages; with all, of each network"
    )
    parser.add_argument("--losses", default="full", help="a set of Table III: minus, dagger, ddagger, star, full")
    parser.add_argument("--no-touchup", action="store_true", help="V-TN: without the touching-up networks")
    parser.add_argument("--no-component-module", action="store_true", help="without heatmaps and integration block")
    parser.add_argument(
        "--true-components", action="store_true", help="V+GT: the prior is computed from true components"
    )
    parser.add_argument(
        "--aligner", type=Path, metavar="FILE", help="trained stn for srgan, cbn and waveletsrnet (default: shipped)"
    )
    parser.add_argument(
        "--of", default="vividgan-flow", metavar="HALLUCINATOR", help="hallucinator whose faces cyclegan adapts"
    )
    parser.add_argument(
        "--patience", type=int, default=0, metavar="N", help="stop after N validations without improvement"
    )
    add_training_options(parser)
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.devices import resolve_device
    from bench.errors import UsageError
    from bench.faces.pairs.pack import Pack
    from bench.io.file_digests import digest_of, file_digest
    from hallucinators.networks.registration import TRAINERS
    from hallucinators.training.data.rendering import load_or_render
    from hallucinators.training.method.options import Options, parse_steps
    from hallucinators.training.method.train import People, stages_of
    from hallucinators.training.steps import distributed

    if args.method not in (*TRAINERS, ALL):
        raise UsageError(f"There is no training of {args.method!r}; known are {', '.join(sorted(TRAINERS))}, {ALL}.")
    check_faces(args)
    args.device = resolve_device(args.device)
    chosen = apply_recipe(args, args.method)
    settings = _settings(args, distributed.world_size(), chosen.get("ema"))
    opened = [(Pack(path), file_digest(path)) for path in args.data]  # a damaged file is an error here
    packs = {digest: pack for pack, digest in opened}
    turned = [(Pack(path), file_digest(path)) for path in args.photographs]
    paths = [*args.data, *args.photographs]
    left_out_near = _exclude(args, paths, [pack for pack, _ in (*opened, *turned)])
    digests = [*packs, *(digest for _, digest in turned)]
    digests += [f"{entry}" for entry in left_out_near if entry["left_out"]]
    device = distributed.device_of(args.device)
    options = Options(
        method=args.method,
        lr=args.lr or 16,
        preset=args.preset,
        steps=parse_steps(args.steps),
        identity=args.identity,
        losses=args.losses,
        touchup=not args.no_touchup,
        component_aware=not args.no_component_module,
        true_components=args.true_components,
        carry=chosen.pop("carry", True),
        device=str(device),
        people=sum(len(pack.indices(test=False)[: args.faces]) for pack in packs.values()),
        aligner=args.aligner,
        of=args.of,
        photographs=tuple(pack for pack, _ in turned),
        degradation=not args.no_degradation,
        templates=not args.no_templates,
        depth=args.depth,
        start=args.start,
        seed=args.seed,
        recipe=args.recipe,
        settings=chosen,
    )
    if args.method == ALL and (args.photographs or args.depth or args.start is not None):
        raise UsageError("all trains the baselines; --photographs, --depth and --start are options of vividgan-flow.")
    if args.method != ALL:
        stages_of(options)  # faults are reported before anything is rendered
    train, left_out = load_or_render(packs, args.views or args.out / "views", faces=args.faces, seed=args.seed)
    people = People(
        train=train,
        left_out=left_out,
        digest=digests[0] if len(digests) == 1 else digest_of(digests),
        faces=args.faces or 0,
        split="; ".join(dict.fromkeys(pack.split() for pack in packs.values())),
        left_out_near=left_out_near,
    )
    with distributed.processes(device):  # once: torchrun's store allows one process group only
        if args.method == ALL:
            return _train_all(args, options, settings, people)
        return _train_one(args, options, settings, people)


def _exclude(args: argparse.Namespace, paths: Sequence[Path], packs: Sequence[Pack]) -> list[dict[str, Any]]:
    """Take faces near excluded sets out of the packs, and say how many.

    Raises:
        UsageError: a pack has no groups and a set is excluded.
    """
    import sys

    from bench.commands.data.photograph_sets import exclude_near, grouping_recognisers
    from hallucinators.training.steps import distributed

    embedded = any(pack.groups is not None and pack.groups.described.embeddings for pack in packs)
    folders = any(path.is_dir() for path in args.exclude)
    by_path = dict(zip(paths, packs, strict=True))
    record = exclude_near(by_path, args.exclude, grouping_recognisers() if embedded and folders else {})
    if distributed.rank() != 0:
        return record
    for path, pack in by_path.items():
        if pack.groups is None:
            print(
                f"warning: {path} is split {pack.split()}: people left out may be among those trained on. Pack again "
                "to split by groups.",
                file=sys.stderr,
            )
    for entry in record:
        counts = ", ".join(f"{count:,} by {rule}" for rule, count in entry["by"].items())
        print(
            f"{entry['pack']}: {entry['left_out']:,} faces are not trained on because of {entry['near']} (near, of all "
            f"parts: {counts}; the others are of their groups or people)"
        )
        if "recognisers" not in entry["by"]:
            print(f"warning: {entry['pack']} and {entry['near']} were not compared by recognisers.", file=sys.stderr)
    return record


def _train_one(args: argparse.Namespace, options: Options, settings: Settings, people: People) -> int:
    from hallucinators.training.method.train import train_method
    from hallucinators.training.steps import distributed

    outcome = train_method(options, settings, people, args.out)
    if distributed.rank() == 0:
        if outcome.stopped in ("signal", "time"):
            print(f"Stopped ({outcome.stopped}) in stage {outcome.stage}. {_CONTINUE[outcome.stopped]}")
        else:
            specification = f"{options.method}:weights={outcome.weights}{outcome.arguments}"
            print(f"{outcome.weights}: use it by --hallucinator {specification}")
            if args.faces is not None:
                print(_SMOKE)
    return 130 if outcome.stopped == "signal" else 0


def _train_all(args: argparse.Namespace, options: Options, settings: Settings, people: People) -> int:
    import sys

    from hallucinators.training.method.train_all import table, train_all
    from hallucinators.training.steps import distributed

    sizes = (args.lr,) if args.lr else (16, 32)
    first = distributed.rank() == 0
    rows = train_all(
        options,
        settings,
        people,
        args.out,
        sizes=sizes,
        announce=lambda name: print(f"== {name}", file=sys.stderr) if first else None,
    )
    if first:
        print(table(rows))
        if args.faces is not None:
            print(_SMOKE)
    if any(row.outcome is not None and row.outcome.stopped == "signal" for row in rows):
        return 130
    return 1 if any(row.outcome is None for row in rows) else 0


def _settings(args: argparse.Namespace, processes: int, ema: float | None) -> Settings:
    """Settings of all stages, checked before anything is read or rendered."""
    from bench.errors import UsageError
    from hallucinators.training.steps.settings import Settings

    if args.batch % processes:
        raise UsageError(f"--batch {args.batch} does not divide among {processes} processes")
    return Settings(
        steps=1,
        minutes=args.minutes,
        batch_size=args.batch // processes,
        seed=args.seed,
        device=args.device,
        precision=args.precision,
        threads=args.threads,
        patience=args.patience,
        ema_decay=0.999 if ema is None else ema,
    )
