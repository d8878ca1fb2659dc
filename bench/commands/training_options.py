"""Options that all training subcommands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every training: sizes, teacher, folder of views, device."""
    parser.add_argument("--views", type=Path, metavar="DIR", help="rendered views, shared by trainings (OUT/views)")
    parser.add_argument("--preset", default="compact", help="compact (default) or paper")
    parser.add_argument(
        "--batch", type=int, default=32, metavar="N", help="faces per step, over all processes (default: 32)"
    )
    parser.add_argument("--identity", default="dlib", help="teacher: dlib (default), none, or ResNet-50's weights file")
    parser.add_argument("--faces", type=int, metavar="N", help="train on the first N people only: a smoke run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", metavar="DEVICE", help="cpu (default), cuda, cuda:1, mps, or auto")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads (default: torch's)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")


def check_faces(args: argparse.Namespace) -> None:
    """Refuse a smoke run without people.

    Raises:
        UsageError: ``--faces`` is less than 1.
    """
    from bench.errors import UsageError

    if args.faces is not None and args.faces < 1:
        raise UsageError(f"--faces is {args.faces}; give 1 or more, or omit it to train on all people")
