"""``bench check``: does a component keep its contract?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check",
        help="check that a hallucinator or recogniser keeps its contract",
        description="Run a hallucinator or recogniser on drawn faces and compare what it does with its contract; what "
        "a plugin's author runs first. Exit code 1 when a check fails.",
    )
    parser.add_argument("component", metavar="NAME", help="name:key=value,... of a hallucinator or recogniser")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.components import build
    from bench.conformance import check_hallucinator, check_recogniser
    from bench.interfaces import HALLUCINATORS, RECOGNISERS
    from bench.plugins import load_plugins
    from bench.registry import Spec
    from bench.terminal import print_checks

    load_plugins()
    spec = Spec.parse(args.component)
    if spec.name in RECOGNISERS and spec.name not in HALLUCINATORS:
        checks = check_recogniser(build(RECOGNISERS, spec))
    else:
        checks = check_hallucinator(build(HALLUCINATORS, spec))
    return print_checks(str(spec), checks)
