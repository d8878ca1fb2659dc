"""Options that all training subcommands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands.terminal.parser import Parser

if TYPE_CHECKING:
    from hallucinators.vividgan.departures import Departure


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every training: sizes, teacher, folder of views, device."""
    parser.add_argument("--views", type=Path, metavar="DIR", help="rendered views, shared by trainings (OUT/views)")
    parser.add_argument("--preset", help="compact (default; of --recipe paper: paper) or paper")
    parser.add_argument(
        "--batch", type=int, default=32, metavar="N", help="faces per step, over all processes (default: 32)"
    )
    parser.add_argument(
        "--identity",
        help="teacher: dlib (default), none, ResNet-50's weights file, or resnet50 (of --recipe paper) for that "
        "file in torch's cache; without it dlib's network stands in",
    )
    parser.add_argument("--faces", type=int, metavar="N", help="train on the first N people only: a smoke run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default), cuda, cuda:1, mps, or auto")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads (default: torch's)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="default: bf16; of --recipe paper: fp32")
    if isinstance(parser, Parser):
        parser.add_more = _add_recipe  # its list lies among the hallucinators, whose import takes 0.2 s


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add ``--recipe`` and an option for each difference between the recipes of VividGAN."""
    from hallucinators.vividgan.departures import DEPARTURES, RECIPES

    group = parser.add_argument_group("the recipe of vividgan")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        default="ours",
        help="ours (default): as the shipped weights; paper: the paper's value of every option below, and of --preset, "
        "--precision and --identity",
    )
    for departure in DEPARTURES:
        if not departure.shared:
            _add_departure(group, departure)


def _add_departure(group: argparse._ArgumentGroup, departure: Departure) -> None:
    text = f"{departure.what} (ours: {departure.ours}, paper: {departure.paper})".replace("%", "%%")
    if isinstance(departure.ours, bool):
        group.add_argument(departure.option, action=argparse.BooleanOptionalAction, help=text)
    elif isinstance(departure.ours, float):
        group.add_argument(departure.option, type=float, metavar="X", help=text)
    else:
        group.add_argument(departure.option, choices=departure.choices or None, help=text)


def apply_recipe(args: argparse.Namespace, method: str) -> dict[str, Any]:
    """Set preset, precision and identity by the recipe, and return the other options of the recipe by name.

    Args:
        args: parsed arguments; ``preset``, ``precision`` and ``identity`` are set in place.
        method: the method that is trained; only ``vividgan`` has a recipe.

    Returns:
        The options that the recipe ``paper`` sets or the user named, ``carry`` among them.

    Raises:
        UsageError: another method has a recipe's option, or a value is out of range.
    """
    from bench.errors import UsageError
    from hallucinators.vividgan.departures import DEPARTURES, values

    given = {d.name: getattr(args, d.name) for d in DEPARTURES if getattr(args, d.name) is not None}
    named = [d.option for d in DEPARTURES if not d.shared and d.name in given]
    if method != "vividgan" and (named or args.recipe != "ours"):
        raise UsageError(f"{method} has no option {named[0] if named else '--recipe paper'}; vividgan has it.")
    chosen = values(args.recipe, given)
    for departure in DEPARTURES:
        if departure.shared:
            setattr(args, departure.name, chosen.pop(departure.name, departure.ours))
    if args.identity == "resnet50":
        from hallucinators.vividgan.training.teacher import paper_teacher

        args.identity = paper_teacher()
        if args.identity == "dlib":
            print("No ResNet-50 weights in torch's cache: dlib's network stands in as the teacher.", file=sys.stderr)
    return chosen


def check_faces(args: argparse.Namespace) -> None:
    """Refuse a smoke run without people.

    Raises:
        UsageError: ``--faces`` is less than 1.
    """
    from bench.errors import UsageError

    if args.faces is not None and args.faces < 1:
        raise UsageError(f"--faces is {args.faces}; give 1 or more, or omit it to train on all people")
