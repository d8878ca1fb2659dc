"""``bench list``: what there is, what it takes, whether it can run here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.registry import Entry


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "list",
        help="list protocols, hallucinators, recognisers, aligners",
        description="List components: what each is, its arguments, whether it can run here and if not why.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="one component in full")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.interfaces import REGISTRIES
    from bench.plugins import failures, load_plugins
    from bench.runfolder import dump_json

    load_plugins()
    entries: list[Entry[Any]] = [entry for registry in REGISTRIES for entry in registry]
    if args.name:
        entries = [entry for entry in entries if entry.name == args.name] or [_unknown(args.name)]
    if args.json:
        broken = [{"name": f.name, "package": f.package, "cause": f.cause} for f in failures()]
        print(dump_json({"components": [_describe(entry) for entry in entries], "broken_plugins": broken}), end="")
        return 0
    if args.name:
        for entry in entries:
            _print_full(entry)
    else:
        _print_short(entries)
    for failure in failures():
        print(f"\nPlugin {failure.name!r} of {failure.package} failed to load: {failure.cause}")
    return 0


def _describe(entry: Entry[Any]) -> dict[str, object]:
    missing = entry.missing()
    return {
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "source": entry.source,
        "licence": entry.licence,
        "module": entry.module,
        "runs_here": missing is None,
        "why_not": missing,
        "details": {name: list(told) if isinstance(told, tuple) else told for name, told in entry.details().items()},
        "arguments": [
            {"name": a.name, "type": a.type_name, "required": a.required, "default": _default(a.default, a.required)}
            for a in entry.arguments()
        ],
    }


def _default(value: object, required: bool) -> object:
    return None if required or value is None else value if isinstance(value, (bool, int, float, str)) else str(value)


def _print_short(entries: list[Entry[Any]]) -> None:
    width = max((len(entry.name) for entry in entries), default=0)
    for kind in dict.fromkeys(entry.kind for entry in entries):
        print(f"{kind}s")
        for entry in (e for e in entries if e.kind == kind):
            missing = entry.missing()
            print(f"  {entry.name:<{width}}  {entry.summary}")
            if missing:
                print(f"  {'':<{width}}  cannot run here: {missing}")
    print("\n`bench list NAME` shows arguments, source and licence.")


def _print_full(entry: Entry[Any]) -> None:
    missing = entry.missing()
    print(f"{entry.kind} {entry.name}\n  {entry.summary}")
    print(f"  source:   {entry.source or 'not stated'}\n  licence:  {entry.licence or 'not stated'}")
    print(f"  module:   {entry.module}\n  here:     {'can run' if missing is None else f'cannot run: {missing}'}")
    for name, told in entry.details().items():
        if isinstance(told, str):
            print(f"  {name + ': ':<10}{told}")
            continue
        print(f"  {name}:")
        for line in told:
            print(f"    - {line}")
    for argument in entry.arguments():
        default = "required" if argument.required else f"default {argument.default}"
        print(f"  argument: {argument.name} ({argument.type_name}; {default})")


def _unknown(name: str) -> Entry[Any]:
    """Raise the error of the registry that holds the nearest name."""
    import difflib

    from bench.interfaces import REGISTRIES

    names = {entry.name: registry for registry in REGISTRIES for entry in registry}
    near = difflib.get_close_matches(name, names, n=1)
    registry = names[near[0]] if near else REGISTRIES[0]
    return registry[name]
