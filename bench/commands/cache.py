"""``bench cache``: the size of the cache, and its deletion."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bench.commands.terminal.parser import add_group

if TYPE_CHECKING:
    from pathlib import Path

    from bench.commands import Subparsers

_PARTS = ("results", "derived", "samples")


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "cache", help="show or clear the cache", description="The size of the cache, and its deletion."
    )
    commands = add_group(parser)
    size = commands.add_parser(
        "size",
        help="print the size of the cache",
        description="Print the size of each part of the cache: results (embeddings and images of earlier runs), "
        "derived (landmarks and views that protocols computed), samples (drawn data sets).",
    )
    size.add_argument("--json", action="store_true", help="machine-readable, in bytes")
    size.set_defaults(main=main_size)
    clear = commands.add_parser(
        "clear",
        help="delete what the cache holds",
        description="Delete the contents of the cache. Runs compute it again, with the same figures. Run folders and "
        "data sets are elsewhere and stay.",
    )
    clear.add_argument("part", nargs="?", choices=_PARTS, help="delete only this part (default: all)")
    clear.set_defaults(main=main_clear)
    for command in (size, clear):
        command.add_argument("--cache", metavar="DIR", help="cache folder (default: BENCH_CACHE or the user's)")


def main_size(args: argparse.Namespace) -> int:
    """Run ``bench cache size``."""
    from bench.installation.cache_contents import measure_cache
    from bench.installation.facts import format_size
    from bench.io.columns import align_columns
    from bench.results.folder import dump_json

    folder = _folder(args)
    parts = measure_cache(folder)
    total = sum(part.size for part in parts)
    if args.json:
        sizes = {part.part: {"bytes": part.size, "entries": part.entries} for part in parts}
        print(dump_json({"folder": str(folder), "bytes": total, "parts": sizes}), end="")
        return 0
    rows = [("part", "size", "entries"), *((p.part, format_size(p.size), f"{p.entries:,}") for p in parts)]
    print(folder)
    print(
        "\n".join(
            align_columns([*rows, ("all", format_size(total), f"{sum(p.entries for p in parts):,}")], right=(1, 2))
        )
    )
    return 0


def main_clear(args: argparse.Namespace) -> int:
    """Run ``bench cache clear``."""
    from bench.installation.cache_contents import PARTS, clear_cache, measure_cache
    from bench.installation.facts import format_size

    folder = _folder(args)
    before = sum(part.size for part in measure_cache(folder))
    for part in PARTS:
        if args.part in (None, part):
            clear_cache(folder, part)
    freed = before - sum(part.size for part in measure_cache(folder))
    print(f"{format_size(max(0, freed))} freed in {folder}")
    return 0


def _folder(args: argparse.Namespace) -> Path:
    from pathlib import Path

    from bench.config import RunConfig, cache_folder

    return cache_folder(RunConfig(protocol="", cache=Path(args.cache) if args.cache else None))
