"""The option ``--plugin FILE.py`` of the commands that build components."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def add_plugin_option(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    parser.add_argument(
        "--plugin",
        type=Path,
        action="append",
        default=argparse.SUPPRESS,
        metavar="FILE.py",
        help="Python file that registers components; it is run as a program. May be repeated",
    )


def run_plugins(paths: Sequence[Path]) -> None:
    """Run the files of the option after the installed plugins; see `bench.modules.plugin_file.run_plugin_files`."""
    from bench.modules.plugin_file import run_plugin_files
    from bench.registry import load_plugins

    load_plugins()
    run_plugin_files(paths)
