"""``bench run``: measure a hallucinator under a protocol."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run",
        help="measure a hallucinator under a protocol",
        description="Measure a hallucinator under a protocol and write a run folder. Components are written "
        "name:key=value,key=value; `bench list NAME` shows what each takes. A flag beats the configuration file.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the same keys as these flags")
    parser.add_argument("--protocol", metavar="NAME", help="protocol, for instance tinyface")
    parser.add_argument("--data-root", "--data_root", metavar="DIR", help="folder of the data set")
    parser.add_argument("--hallucinator", metavar="A[+B]", help="hallucinator or chain (default: none)")
    parser.add_argument("--recogniser", metavar="NAME", help="recogniser (default: sface)")
    parser.add_argument("--align", metavar="NAME", help="aligner (default: the protocol's)")
    parser.add_argument("--align-gallery", metavar="NAME", help="another aligner for the gallery (default: --align)")
    parser.add_argument("--hallucinate", metavar="SIDE", help="probe, gallery or both (default: probe)")
    parser.add_argument("--limit", metavar="N", help="smoke run on N probes, for testing only")
    parser.add_argument("--out", metavar="DIR", help="run folder (default: one under runs/)")
    parser.add_argument("--overwrite", metavar="WHEN", help="only-missing (default), always or never")
    parser.add_argument("--cache", metavar="DIR", help="cache folder (default: BENCH_CACHE or the user's)")
    parser.add_argument("--no-cache", action="store_true", help="work without a cache")
    parser.add_argument("--images", metavar="WHICH", help="images kept for reports: all (default) or none")
    parser.add_argument(
        "--batch-size", metavar="N", help="images per network call (default: 64); no figure depends on it"
    )
    parser.add_argument("--device", metavar="DEVICE", help="cpu (default), cuda, cuda:1...")
    parser.add_argument("--threads", metavar="N", help="threads, 0 for all cores (default)")
    parser.add_argument("--seed", metavar="N", help="seed of the intervals (default: 0)")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.config import make_config
    from bench.run import execute, prepare
    from bench.terminal import describe_run, print_figures

    flags = {key: value for key, value in vars(args).items() if key not in ("main", "config")}
    prepared = prepare(make_config(getattr(args, "config", None), flags))
    print(describe_run(prepared), file=sys.stderr)
    result, fresh = execute(prepared)
    print_figures(result)
    state = "Written to" if fresh else "Nothing to do: the finished run is in"
    print(f"{state} {prepared.out}\nReport: bench report {prepared.out} --out report", file=sys.stderr)
    return 0
