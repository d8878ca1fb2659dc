"""``bench data manifest``: list what a protocol compares, to share it without images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand to those of ``bench data``."""
    parser = subparsers.add_parser(
        "manifest",
        help="list what a protocol compares, without images",
        description="List what a protocol compares: media, people, templates, crops, galleries, pairs, and the "
        "SHA-256 of each file, but no image and no absolute path. `bench run --manifest FILE` refuses other data. "
        "Without data, the sample of drawn people is described.",
    )
    parser.add_argument("protocol", metavar="NAME", help="protocol with its arguments, for instance tinyface")
    parser.add_argument("root", type=Path, nargs="?", metavar="DIR", help="folder (default: as configured)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write (.json)")
    parser.add_argument("--no-digests", action="store_true", help="names and counts only: files are not read")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run ``bench data manifest``."""
    from bench import progress
    from bench.config import RunConfig, cache_folder
    from bench.execution.data import find_or_draw
    from bench.execution.manifest import make_manifest, write_manifest
    from bench.interfaces import PROTOCOLS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins

    load_plugins()
    protocol = build(PROTOCOLS, Spec.parse(args.protocol))
    cache = cache_folder(RunConfig(protocol=args.protocol))
    root = find_or_draw(protocol.component, args.root, cache / "samples")
    scratch = cache / "derived" / protocol.component.dataset
    with progress.counted(f"read {protocol.component.dataset}") as report:
        data = protocol.component.read_with(root, scratch, report)
    manifest = make_manifest(protocol, root, scratch, data, digests=not args.no_digests)
    write_manifest(args.out, manifest)
    counts = ", ".join(f"{count:,} {part}" for part, count in manifest["counts"].items())
    sample = f" (SAMPLE of drawn people, not {manifest['dataset']})" if manifest["sample"] else ""
    print(f"{args.out}: {args.protocol}{sample}: {counts}")
    print(f"  digest {manifest['digest']}")
    return 0
