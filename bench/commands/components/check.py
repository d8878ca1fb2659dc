"""``bench check``: check a component against its interface."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bench.commands.terminal.plugin_option import add_plugin_option

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.registry import Spec


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check",
        help="check a hallucinator or recogniser against its interface",
        description="Run a hallucinator or recogniser on drawn faces and check that it fulfils its interface. "
        "Authors of plugins should run it first. Exit code 1 when a check fails.",
    )
    parser.add_argument("component", metavar="NAME", help="name:key=value,... of a hallucinator or recogniser")
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default), cuda, cuda:1, mps, or auto")
    add_plugin_option(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.checks.conformance import check_hallucinator, check_recogniser
    from bench.commands.terminal.output import print_checks
    from bench.devices import resolve_device
    from bench.interfaces import HALLUCINATORS, RECOGNISERS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins
    from bench.results.folder import dump_json

    load_plugins()
    spec, defaults = Spec.parse(args.component), {"device": resolve_device(args.device)}
    if spec.name in RECOGNISERS and not _is_hallucinator(spec):
        checks = check_recogniser(build(RECOGNISERS, spec, defaults))
    else:
        checks = check_hallucinator(build(HALLUCINATORS, spec, defaults))
    if args.json:
        passed = all(check.passed for check in checks)
        plain = {
            "format": "face-hallucination-bench check",
            "version": 1,
            "component": str(spec),
            "passed": passed,
            "checks": [check._asdict() for check in checks],
        }
        print(dump_json(plain), end="")
        return 0 if passed else 1
    return print_checks(str(spec), checks)


def _is_hallucinator(spec: Spec) -> bool:
    """Whether a name is that of a hallucinator; if a recogniser has it too, the arguments decide."""
    from bench.interfaces import HALLUCINATORS, RECOGNISERS

    if spec.name not in HALLUCINATORS or spec.name not in RECOGNISERS:
        return spec.name in HALLUCINATORS
    hallucinator_arguments, recogniser_arguments = (
        {a.name for a in registry[spec.name].arguments()} for registry in (HALLUCINATORS, RECOGNISERS)
    )
    names = {name for name, _ in spec.arguments}
    return names <= hallucinator_arguments or not names <= recogniser_arguments
