"""``bench run``: measure a hallucinator under a protocol."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.matrix.study_file import Asked


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run",
        help="measure hallucinators under protocols",
        description="Measure a hallucinator under a protocol and write a run folder. Components are written "
        "name:key=value,key=value; `bench list NAME` shows what each takes. Several protocols, hallucinators or "
        "recognisers, separated by commas or by repeating the flag, make a study: every combination is run, with one "
        "cache, and a table is printed. A flag beats the configuration file.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "study", type=Path, nargs="?", default=None, metavar="FILE", help="study file (TOML), or one as for --config"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the same keys as these flags")
    parser.add_argument(
        "--protocol", action="append", metavar="NAME", help="protocol, for instance tinyface; all: every one that runs"
    )
    parser.add_argument("--data-root", "--data_root", metavar="DIR", help="folder of the data set")
    parser.add_argument(
        "--manifest", metavar="FILE", help="refuse data that are not as this file of `bench data manifest` says"
    )
    parser.add_argument(
        "--hallucinator",
        action="append",
        metavar="A[+B]",
        help="hallucinator or chain (default: none); its defaults are those of `bench hallucinate`: the coarse face of "
        "vividgan-flow, the final one of vividgan",
    )
    parser.add_argument("--recogniser", action="append", metavar="NAME", help="recogniser (default: sface)")
    parser.add_argument(
        "--align", metavar="NAME", help="aligner (default: the protocol's: none, landmarks or template)"
    )
    parser.add_argument("--align-gallery", metavar="NAME", help="another aligner for the gallery (default: --align)")
    parser.add_argument(
        "--hallucinate",
        metavar="SIDE",
        help="auto (default: both where the gallery holds LR faces like the probes, else probe), probe, gallery, both",
    )
    parser.add_argument("--flip", metavar="HOW", help="fusion with the mirror image: none, sum or mean")
    parser.add_argument("--fusion", metavar="HOW", help="of images to templates: mean, unit or media")
    parser.add_argument(
        "--limit",
        metavar="N",
        help="smoke run, no result: N probes, spread evenly, searched in the whole gallery (N pairs, N faces or N "
        "timed passes where no gallery is searched)",
    )
    parser.add_argument(
        "--limit-gallery",
        metavar="M",
        help="smoke run: besides the mates of the probes, M templates of the gallery and the distractors",
    )
    parser.add_argument("--out", metavar="DIR", help="folder of the run or study (default: one under runs/)")
    parser.add_argument("--overwrite", metavar="WHEN", help="only-missing (default), always or never")
    parser.add_argument(
        "--trust-times",
        action="store_true",
        help="believe sizes and times of files when a finished run is looked for, and do not read their bytes",
    )
    parser.add_argument("--cache", metavar="DIR", help="cache folder (default: BENCH_CACHE or the user's)")
    parser.add_argument("--no-cache", action="store_true", help="work without a cache")
    parser.add_argument("--images", metavar="WHICH", help="images kept for reports: all (default) or none")
    parser.add_argument(
        "--batch-size",
        metavar="N",
        help="most images per network call (default: 64; a processor takes few); no figure depends on it",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="cpu (default), cuda, cuda:1, mps, or auto: the first of cuda, mps and cpu that is here",
    )
    parser.add_argument("--threads", metavar="N", help="threads, 0 for all cores (default)")
    parser.add_argument("--seed", metavar="N", help="seed of the intervals (default: 0)")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.commands.terminal.next_step import comparing_command
    from bench.commands.terminal.output import print_figures
    from bench.config import make_config
    from bench.diagnosis.beside import below_beside
    from bench.errors import UsageError
    from bench.matrix.study_file import Asked, asked_for
    from bench.registry import failures, load_plugins
    from bench.run.execute import execute, prepare
    from bench.run.text import describe_run

    file = getattr(args, "config", None)
    if args.study and file:
        raise UsageError(f"Two files: {args.study} and --config {file}. Give one.")
    file = args.study or file
    flags = {key: value for key, value in vars(args).items() if key not in ("main", "config", "study")}
    load_plugins()
    for failure in failures():
        print(f"note: plugin {failure.name!r} of {failure.package} failed to load: {failure.cause}", file=sys.stderr)
    asked = asked_for(file, flags)
    if isinstance(asked, Asked):
        return _run_study(asked)
    prepared = prepare(make_config(file, asked))
    print(describe_run(prepared), file=sys.stderr)
    result, fresh = execute(prepared, lambda sentence: print(sentence, file=sys.stderr, flush=True))
    print_figures(result)
    beside = below_beside(result, prepared.out)
    if beside:
        print(f"warning: {beside}")
    state = "Written to" if fresh else "Nothing to do: the finished run is in"
    print(f"{state} {prepared.out}\nReport: bench report {prepared.out} --out report", file=sys.stderr)
    compared = comparing_command(prepared.config.protocol, prepared.config.hallucinator, asked, file)
    print(f"Compare: {compared}", file=sys.stderr)
    return 0


def _run_study(asked: Asked) -> int:
    """Run every cell of a study; 0 when all worked, else 1."""
    from bench.matrix.cells import make_matrix
    from bench.matrix.runner import run_matrix
    from bench.matrix.state import read_state
    from bench.matrix.table import print_study

    matrix = make_matrix(asked)
    try:
        state = run_matrix(matrix)
    except KeyboardInterrupt:
        print_study(read_state(matrix.out), matrix.out)
        raise
    print_study(state, matrix.out)
    if any(cell.state == "done" for cell in state.cells):
        print(f"Report: bench report {matrix.out}/*/ --out report", file=sys.stderr)
    return 0 if all(cell.state == "done" for cell in state.cells) else 1
