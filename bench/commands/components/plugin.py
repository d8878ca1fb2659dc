"""``bench plugin``: write the package of a new plugin."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal.parser import add_group

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "plugin", help="write the package of a new plugin", description="Work with plugins: packages with components."
    )
    commands = add_group(parser)
    new = commands.add_parser(
        "new",
        help="write a package with one component",
        description="Write a package of two short files with one component that already works; put your code in it. "
        "`bench check NAME` checks hallucinators and recognisers.",
    )
    new.add_argument("name", metavar="NAME", help="of the component, as in `bench list`: lower-case letters, digits, -")
    new.add_argument(
        "--kind", default="hallucinator", help="hallucinator (default), recogniser, aligner or protocol", metavar="KIND"
    )
    new.add_argument("--out", type=Path, metavar="DIR", help="folder, new or empty (default: bench-NAME)")
    new.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run ``bench plugin new``."""
    from bench.errors import UsageError
    from bench.installation.plugins.write import write_plugin
    from bench.interfaces import REGISTRIES
    from bench.registry import load_plugins

    load_plugins()
    for registry in REGISTRIES:
        if args.name in registry:
            raise UsageError(f"There is a {registry.kind} {args.name!r} already; give the plugin another name.")
    folder = args.out or Path(f"bench-{args.name}")
    for path in write_plugin(folder, args.name, args.kind):
        print(path)
    print(f"Next: pip install -e {folder}")
    if args.kind in ("hallucinator", "recogniser"):
        print(f"      bench check {args.name}")
    print(f"      bench list {args.name}")
    return 0
