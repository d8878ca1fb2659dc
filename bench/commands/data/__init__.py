"""``bench data``: check data sets, write samples, manifests and training files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.data import init, pairs, sample, shrink
from bench.commands.data import manifest as data_manifest
from bench.commands.terminal.parser import add_group

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.interfaces import EvalProtocol
    from bench.pipeline.build import Built
    from bench.types import CheckLine

_EXIT = {"ok": 0, "differs": 4, "damaged": 1}


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser("data", help="check a data set", description="Work with the data sets you have.")
    commands = add_group(parser)
    check = commands.add_parser(
        "check",
        help="compare a folder with the official data set",
        description="Compare a folder with the official data set: what is missing, extra, damaged. Exit code 0: the "
        "official set, complete; 4: usable, but not the official set; 1: damaged; 3: absent.",
    )
    check.add_argument("protocol", metavar="NAME", help="protocol, for instance tinyface")
    check.add_argument("root", type=Path, nargs="?", metavar="DIR", help="folder (default: as configured)")
    check.add_argument("--json", action="store_true", help="machine-readable findings")
    check.add_argument(
        "--manifest", type=Path, metavar="FILE", help="compare also with a file written by `bench data manifest`"
    )
    check.set_defaults(main=main)
    sample.add_parser(commands)
    pairs.add_parser(commands)
    init.add_parser(commands)
    shrink.add_parser(commands)
    data_manifest.add_parser(commands)


def main(args: argparse.Namespace) -> int:
    """Run ``bench data check``."""
    from dataclasses import asdict

    from bench import progress
    from bench.commands.terminal.output import print_check
    from bench.execution.data import find_data
    from bench.interfaces import PROTOCOLS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins
    from bench.results.folder import dump_json

    load_plugins()
    built = build(PROTOCOLS, Spec.parse(args.protocol))
    protocol = built.component
    root = find_data(protocol, args.root)
    with progress.counted("open every image") as report:
        lines = protocol.check(root, report)
    if args.manifest:
        lines = [*lines, _compare_with_manifest(args.manifest, built, root)]
    worst = max((line.level for line in lines), key=("ok", "differs", "damaged").index)
    if args.json:
        findings = [asdict(line) for line in lines]
        print(dump_json({"protocol": args.protocol, "root": str(root), "verdict": worst, "findings": findings}), end="")
    else:
        print_check(args.protocol, root, lines, worst)
    return _EXIT[worst]


def _compare_with_manifest(path: Path, protocol: Built[EvalProtocol], root: Path) -> CheckLine:
    """Compare the data with a manifest."""
    from bench.config import RunConfig, cache_folder
    from bench.errors import DataError
    from bench.execution.manifest import compare, read_manifest
    from bench.types import CheckLine

    manifest = read_manifest(path)
    scratch = cache_folder(RunConfig(protocol=protocol.spec.name)) / "derived" / protocol.component.dataset
    try:
        data = protocol.component.read_with(root, scratch)
        first, count = compare(manifest, protocol, root, scratch, data)
    except DataError as error:
        return CheckLine("damaged", "manifest", f"these data cannot be read: {error}")
    finding = f"{count:,} differences" if count else "the same data"
    return CheckLine("differs" if count else "ok", "manifest", finding, examples=tuple(first))
