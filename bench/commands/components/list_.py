"""``bench list``: components, their arguments, and whether they can run here."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from bench.commands.terminal.plugin_option import add_plugin_option

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.registry import Entry


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "list",
        help="list protocols, hallucinators, recognisers, aligners",
        description="List components: a summary of each, whether it can run here, and if not why. `bench list KIND` "
        "lists one kind; `bench list NAME` shows one in full and explains each of its arguments.",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="KIND|NAME",
        help="protocols, hallucinators, recognisers or aligners; or one component in full",
    )
    add_plugin_option(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.api.components import describe, is_kind, select
    from bench.registry import failures
    from bench.results.folder import dump_json

    entries = select(args.name)
    if args.json:
        broken = [{"name": f.name, "package": f.package, "cause": f.cause} for f in failures()]
        described = [describe(entry, modules=bool(args.name)) for entry in entries]
        print(dump_json({"components": described, "broken_plugins": broken}), end="")
        return 0
    if args.name and not is_kind(args.name):
        for entry in entries:
            _print_full(entry)
    else:
        _print_short(entries)
    for failure in failures():
        print(f"\nPlugin {failure.name!r} of {failure.package} failed to load: {failure.cause}")
    return 0


def _print_short(entries: list[Entry[Any]]) -> None:
    from bench.io.columns import align_columns

    rows: list[tuple[str, str, str]] = []
    for entry in entries:
        rows.append((entry.kind, entry.name, entry.summary))
        if missing := entry.missing():
            rows.append((entry.kind, "", f"cannot run here: {missing}"))
    lines = align_columns([row[1:] for row in rows])
    for kind in dict.fromkeys(entry.kind for entry in entries):
        print(f"{kind}s")
        print("\n".join(line for line, row in zip(lines, rows, strict=True) if row[0] == kind))
    print("\n`bench list NAME` explains the arguments of one and names its source and licence.")


def _print_full(entry: Entry[Any]) -> None:
    from bench.api.components import modules_of

    missing = entry.missing()
    print(f"{entry.kind} {entry.name}\n  {entry.summary}")
    print(f"  source:   {entry.source or 'not stated'}\n  licence:  {entry.licence or 'not stated'}")
    print(f"  module:   {entry.module}\n  here:     {'can run' if missing is None else f'cannot run: {missing}'}")
    print(f"  code:     {len(modules_of(entry))} modules affect its output (--json names them)")
    arguments = entry.arguments()
    if arguments:
        print(f"  arguments, written {entry.name}:NAME=VALUE,NAME=VALUE")
    for argument in arguments:
        default = "required" if argument.required else f"default {_format_default(argument.default)}"
        print(f"    {argument.name}={argument.type_name} ({default})")
        print(_wrap(argument.description.replace("``", "`") or "(no description)", 6))
    for name, text in entry.details().items():
        if isinstance(text, str):
            print(f"  {name + ': ':<10}{text}")
            continue
        print(f"  {name}:")
        for line in text:
            print(f"    - {line}")


def _format_default(default: object) -> str:
    """A default in the syntax of the command line."""
    if isinstance(default, bool) or default is None:
        return str(default).lower()
    return f"[{','.join(map(str, default))}]" if isinstance(default, tuple) else str(default)


def _wrap(text: str, indent: int) -> str:
    import shutil
    import textwrap

    width = max(60, min(120, shutil.get_terminal_size().columns))
    space = " " * indent
    return textwrap.fill(text, width, initial_indent=space, subsequent_indent=space, break_on_hyphens=False)
