"""``bench config``: the user's settings, such as folders of data sets."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from bench.commands.terminal.parser import add_group

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "config", help="store folders of data sets", description="Read and write the user's settings."
    )
    commands = add_group(parser)
    setter = commands.add_parser("set", help="store a setting", description="Store a setting, such as data.tinyface.")
    setter.add_argument("key", metavar="KEY", help="for instance data.tinyface")
    setter.add_argument("value", metavar="VALUE", help="for instance the data set's folder")
    setter.set_defaults(main=main_set)
    getter = commands.add_parser("get", help="print a setting", description="Print one setting.")
    getter.add_argument("key", metavar="KEY")
    getter.set_defaults(main=main_get)
    lister = commands.add_parser("list", help="print all settings", description="Print every setting, one a line.")
    lister.add_argument("--json", action="store_true", help="machine-readable")
    lister.set_defaults(main=main_list)
    unsetter = commands.add_parser("unset", help="remove a setting", description="Remove one setting.")
    unsetter.add_argument("key", metavar="KEY")
    unsetter.set_defaults(main=main_unset)
    pather = commands.add_parser(
        "path", help="print the settings file", description="Print the path of the settings file, which may be absent."
    )
    pather.set_defaults(main=main_path)


def main_set(args: argparse.Namespace) -> int:
    """Run ``bench config set``."""
    from pathlib import Path

    from bench.config import set_setting

    value = args.value
    if args.key.startswith("data."):
        path = Path(value).expanduser().resolve()  # a relative path would depend on the working folder
        value = str(path)
        if not path.is_dir():
            print(f"bench: note: {path} is not a folder yet", file=sys.stderr)
    print(f"{args.key} = {value!r} in {set_setting(args.key, value)}")
    return 0


def main_get(args: argparse.Namespace) -> int:
    """Run ``bench config get``."""
    from bench.config import get_setting, settings_file
    from bench.errors import MissingError

    value = get_setting(args.key)
    if value is None:
        raise MissingError(f"{args.key!r} is not set in {settings_file()}")
    print(value)
    return 0


def main_list(args: argparse.Namespace) -> int:
    """Run ``bench config list``."""
    from bench.config import flat_settings
    from bench.results.folder import dump_json
    from bench.results.text import print_line

    settings = flat_settings()
    if args.json:
        print(dump_json(settings), end="")
    for key, value in settings.items() if not args.json else ():
        print_line(f"{key} = {value!r}")
    return 0


def main_unset(args: argparse.Namespace) -> int:
    """Run ``bench config unset``."""
    from bench.config import unset_setting

    print(f"{args.key} is removed from {unset_setting(args.key)}")
    return 0


def main_path(args: argparse.Namespace) -> int:
    """Run ``bench config path``."""
    from bench.config import settings_file

    print(settings_file())
    return 0
