"""``bench doctor``: describe the installation and check that its figures are right."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.checks.conformance import Check
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor",
        help="describe this installation and check that its figures are right",
        description="Describe this installation: system, packages, devices, storage, weights, data sets, plugins. Then "
        "run canaries on drawn faces: hallucinators and labels of known figures, and faulty ones that must be "
        "detected by name. Every hallucinator that moves faces must put them in the frame of the recogniser, with the "
        "defaults of every protocol. Exit code 1 when a canary fails or something that every run needs does "
        "not work.",
    )
    parser.add_argument("--recogniser", default="sface", metavar="NAME", help="recogniser to measure with")
    parser.add_argument(
        "--device", default="cpu", metavar="DEVICE", help="of the recogniser: cpu (default), cuda, cuda:1, mps, or auto"
    )
    parser.add_argument("--quick", action="store_true", help="omit the canary of frames, which takes longest")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    import shutil
    import sys

    from bench.commands.terminal.output import print_checks
    from bench.devices import resolve_device
    from bench.installation import describe
    from bench.installation.table import to_lines, to_plain
    from bench.results.folder import dump_json

    device = resolve_device(args.device)
    facts = describe()
    broken = any(fact.level == "problem" for fact in facts)
    if not args.json:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print("\n".join(to_lines(facts, width)), end="\n\nCanaries\n", flush=True)
    checks = _examine(args.recogniser, device, quick=args.quick)
    if args.json:
        passed = not broken and all(check.passed for check in checks)
        plain = {
            "format": "face-hallucination-bench doctor",
            "version": 1,
            "passed": passed,
            "installation": to_plain(facts),
            "canaries": [check._asdict() for check in checks],
        }
        print(dump_json(plain), end="")
        return 0 if passed else 1
    code = print_checks("this installation", checks)
    return 1 if broken else code


def _examine(recogniser: str, device: str, *, quick: bool) -> Sequence[Check]:
    """Run the canaries; an exception of a broken library becomes one failed check."""
    from bench.errors import BenchError

    try:
        from bench.checks.doctor import examine

        checks = examine(recogniser, device=device)
        if not quick:
            from bench.checks.frontalisers import examine_frames

            checks = [*checks, *examine_frames(recogniser)]
        return checks
    except BenchError:
        raise
    except Exception as error:  # noqa: BLE001  # a broken package raises anything
        from bench.checks.conformance import Check
        from bench.errors import one_line

        return [Check("canaries-run", False, f"they could not be run ({one_line(error, named=True)})")]
