"""``bench train``: a packed file of photographs to the weights of a hallucinator."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from hallucinators.training.plan import Options, Stage
    from hallucinators.training.settings import Settings

_GO_ON = {
    "signal": "The same command goes on from there.",
    "time": "The same command with more --minutes, or none, goes on from there.",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a hallucinator",
        description="Train a hallucinator on a file by `bench data pairs`. A killed training goes on where it stopped "
        "when the same command is given again. Several processes: python -m torch.distributed.run --nproc-per-node=2 "
        "-m bench train ...",
    )
    parser.add_argument(
        "method", help="vividgan, vividgan-flow, stn, srgan, cbn, waveletsrnet, tdae, tann, drgan, cyclegan"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        nargs="+",
        metavar="FILE",
        help="packed photographs (.npz); the first names the people left out on whom weights are chosen",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoints, curves, pictures, weights")
    parser.add_argument("--views", type=Path, metavar="DIR", help="rendered views, shared by trainings (OUT/views)")
    parser.add_argument("--lr", type=int, default=16, choices=(16, 32), help="side of the LR faces (default: 16)")
    parser.add_argument("--preset", default="compact", help="compact (default) or paper")
    parser.add_argument("--steps", default="", metavar="STAGE=N,...", help="steps of stages; 0 leaves one out")
    parser.add_argument("--minutes", type=float, metavar="M", help="stop after so long, over all stages")
    parser.add_argument("--batch", type=int, default=32, metavar="N", help="faces a step, over all processes")
    parser.add_argument("--identity", default="dlib", help="teacher: dlib (default), none, or ResNet-50's weights file")
    parser.add_argument("--losses", default="full", help="a set of Table III: minus, dagger, ddagger, star, full")
    parser.add_argument("--no-touchup", action="store_true", help="V-TN: without the touching-up networks")
    parser.add_argument("--no-component-module", action="store_true", help="without heatmaps and integration block")
    parser.add_argument("--true-components", action="store_true", help="V+GT: the prior made of true components")
    parser.add_argument(
        "--no-carry",
        action="store_true",
        help="the paper's letter: the coarse network paints on grey, not on the LR face",
    )
    parser.add_argument(
        "--aligner", type=Path, metavar="FILE", help="trained stn that super-resolvers stand behind (default: shipped)"
    )
    parser.add_argument(
        "--of", default="vividgan-flow", metavar="HALLUCINATOR", help="whose faces cyclegan learns to adapt"
    )
    parser.add_argument("--patience", type=int, default=0, metavar="N", help="validations without gain before the end")
    parser.add_argument("--faces", type=int, metavar="N", help="train on the first N people only: a smoke run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads (default: torch's)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    import importlib

    from bench.errors import UsageError
    from bench.faces.pack import Pack
    from bench.provenance import digest_of, file_digest
    from hallucinators.training import distributed
    from hallucinators.training.loop import Result, train
    from hallucinators.training.plan import METHODS, Options
    from hallucinators.training.rendering import rendered
    from hallucinators.training.source import PairSource

    if args.method not in METHODS:
        raise UsageError(f"There is no training of {args.method!r}; known are {', '.join(METHODS)}.")
    if args.faces is not None and args.faces < 1:
        raise UsageError(f"--faces is {args.faces}; give 1 or more, or leave it out to train on all people")
    processes = distributed.world_size()
    settings = _settings(args, processes)
    packs = {file_digest(path): Pack(path) for path in args.data}
    digests = list(packs)
    digest = digests[0] if len(digests) == 1 else digest_of(digests)
    options = Options(
        method=args.method,
        lr=args.lr,
        preset=args.preset,
        steps=_steps(args.steps),
        identity=args.identity,
        losses=args.losses,
        touchup=not args.no_touchup,
        component_aware=not args.no_component_module,
        true_components=args.true_components,
        carry=not args.no_carry,
        device=str(distributed.device_of(args.device)),
        people=sum(len(pack.indices(test=False)[: args.faces]) for pack in packs.values()),
        aligner=args.aligner,
        of=args.of,
    )
    method = importlib.import_module(METHODS[args.method])
    stages: list[Stage] = method.stages(options)
    people, left_out = rendered(packs, args.views or args.out / "views", faces=args.faces, seed=args.seed)
    results: dict[str, Result] = {}
    with distributed.processes(distributed.device_of(args.device)):  # once: torchrun's store lets them meet only once
        for stage in stages:
            source = PairSource(
                people,
                left_out,
                batch_size=settings.batch_size,
                seed=args.seed,
                rank=distributed.rank(),
                ranks=processes,
                sides=stage.sides,
                flow=stage.flow,
                upright=stage.upright,
            )
            spent = sum(result.seconds for result in results.values()) / 60
            result = train(
                stage.make(args.out),
                source,
                replace(
                    settings,
                    steps=stage.steps,
                    minutes=None if args.minutes is None else max(args.minutes - spent, min(args.minutes, 0.01)),
                    validate_every=min(500, stage.steps),
                    checkpoint_every=min(250, stage.steps),
                ),
                args.out / stage.name,
                recipe=_recipe(options, digest, args.faces),
            )
            results[stage.name] = result
            if result.stopped in ("signal", "time"):
                if distributed.rank() == 0:
                    print(f"Stopped ({result.stopped}) in stage {stage.name}. {_GO_ON[result.stopped]}")
                return 130 if result.stopped == "signal" else 0
    if distributed.rank() == 0:
        weights = args.out / f"{args.method}.safetensors"
        trained = {"pack": digest, "people": options.people, "smoke": args.faces is not None, "losses": options.losses}
        trained |= {f"{name}_samples": result.samples_seen for name, result in results.items()}
        trained |= {f"{name}_minutes": round(result.seconds / 60, 1) for name, result in results.items()}
        facts = method.export(options, args.out, weights, trained)
        more = (f",size={facts.lr}" if facts.lr else "") + ("" if facts.fine else ",output=coarse")
        print(f"{weights}: use it by --hallucinator {args.method}:weights={weights}{more}")
        if args.faces is not None:
            print("SMOKE RUN: trained on a part of the people; its figures say nothing about the method.")
    return 0


def _settings(args: argparse.Namespace, processes: int) -> Settings:
    """What all stages share; seen to before anything is read or rendered."""
    from bench.errors import UsageError
    from hallucinators.training.settings import Settings

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
    )


def _steps(text: str) -> dict[str, int]:
    """``coarse=100,whole=0`` as a mapping."""
    from bench.errors import UsageError

    found = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if not number.isdecimal():
            raise UsageError(f"--steps is STAGE=N,STAGE=N; {part!r} is not of that kind")
        found[name] = int(number)
    return found


def _recipe(options: Options, digest: str, faces: int | None) -> dict[str, str | int | float]:
    """What a checkpoint must share with the run that goes on from it."""
    return {
        "method": options.method,
        "lr": options.lr,
        "preset": options.preset,
        "identity": Path(options.identity).name,
        "losses": options.losses,
        "touchup": int(options.touchup),
        "component_aware": int(options.component_aware),
        "true_components": int(options.true_components),
        "carry": int(options.carry),
        "data": digest,
        "faces": faces or 0,
    }
