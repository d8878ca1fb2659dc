"""``bench list``: components, their arguments, and whether they can run here."""

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
        description="List components: a summary of each, whether it can run here, and if not why. `bench list KIND` "
        "lists one kind; `bench list NAME` shows one in full and explains each of its arguments.",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="KIND|NAME",
        help="protocols, hallucinators, recognisers or aligners; or one component in full",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.interfaces import REGISTRIES
    from bench.registry import failures, load_plugins
    from bench.results.folder import dump_json

    load_plugins()
    entries: list[Entry[Any]] = [entry for registry in REGISTRIES for entry in registry]
    name = (args.name or "").partition(":")[0]
    kind = _kind(name)
    if kind:
        entries = [entry for entry in entries if entry.kind == kind]
    elif args.name:
        entries = [entry for entry in entries if entry.name == name] or [_raise_unknown(name)]
    if args.json:
        broken = [{"name": f.name, "package": f.package, "cause": f.cause} for f in failures()]
        described = [{**_describe(entry), **({"modules": _modules(entry)} if args.name else {})} for entry in entries]
        print(dump_json({"components": described, "broken_plugins": broken}), end="")
        return 0
    if args.name and not kind:
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
        "details": {name: list(text) if isinstance(text, tuple) else text for name, text in entry.details().items()},
        "arguments": [
            {
                "name": a.name,
                "type": a.type_name,
                "required": a.required,
                "default": _default(a.default, a.required),
                "description": a.description,
            }
            for a in entry.arguments()
        ],
    }


def _modules(entry: Entry[Any]) -> list[str]:
    """Names of the modules whose code is part of every key of the cache and of every finished run."""
    from bench.digests.closure import closure

    return list(closure(entry.module))


def _default(value: object, required: bool) -> object:
    return None if required or value is None else value if isinstance(value, (bool, int, float, str)) else str(value)


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
    missing = entry.missing()
    print(f"{entry.kind} {entry.name}\n  {entry.summary}")
    print(f"  source:   {entry.source or 'not stated'}\n  licence:  {entry.licence or 'not stated'}")
    print(f"  module:   {entry.module}\n  here:     {'can run' if missing is None else f'cannot run: {missing}'}")
    print(f"  code:     {len(_modules(entry))} modules affect its output (--json names them)")
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


def _kind(name: str) -> str | None:
    """The kind of a word (``recognisers``, ``recognizer``), or None."""
    from bench.commands.terminal.parser import british
    from bench.interfaces import REGISTRIES

    kinds = {registry.kind for registry in REGISTRIES}
    word = british(name).removesuffix("s")
    return word if word in kinds else None


def _raise_unknown(name: str) -> Entry[Any]:
    """Raise an error with the nearest name of a component, or else of a kind."""
    from bench.commands.terminal.parser import british
    from bench.errors import UnknownNameError
    from bench.grammar.values import nearest
    from bench.interfaces import REGISTRIES

    names = {entry.name: registry for registry in REGISTRIES for entry in registry}
    near = nearest(name, names)
    if near:
        return names[near][name]
    kinds = [f"{registry.kind}s" for registry in REGISTRIES]
    kind = nearest(british(name), kinds)
    hint = f" Did you mean {kind!r}?" if kind else ""
    raise UnknownNameError(
        f"No component and no kind of component is named {name!r}.{hint} Kinds: {', '.join(kinds)}; `bench list` "
        "shows every component."
    )
