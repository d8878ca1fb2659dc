"""``bench run``: measure hallucinators under protocols."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal.plugin_option import add_plugin_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.commands import Subparsers
    from bench.evaluation.contract import Prepared
    from bench.matrix.experiment_file import Experiment


_NOT_OPTIONS = ("main", "config", "experiment", "json", "quiet", "verbose", "dry_run", "plugin")
"""Arguments that are no options of a run."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "run",
        help="measure hallucinators under protocols",
        description="Measure a hallucinator under a protocol and write a run folder. Components are written "
        "name:key=value,key=value; `bench list NAME` shows the keys. Several protocols, hallucinators or "
        "recognisers, separated by commas or by repeating the flag, are an experiment: every combination is run with "
        "one cache, and a table is printed. A flag overrides the file.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "experiment",
        type=Path,
        nargs="?",
        default=None,
        metavar="FILE",
        help="experiment file (TOML) with many runs, or a file as for --config",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with the same keys as these flags")
    parser.add_argument(
        "--protocol", action="append", metavar="NAME", help="protocol, for instance tinyface; all: every one that runs"
    )
    parser.add_argument("--data-root", "--data_root", metavar="DIR", help="folder of the data set")
    parser.add_argument(
        "--manifest", metavar="FILE", help="refuse data that differ from this file of `bench data manifest`"
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
    parser.add_argument("--flip", metavar="HOW", help="fusion with the mirrored image: none, sum or mean")
    parser.add_argument("--fusion", metavar="HOW", help="fusion of images to templates: mean, unit or media")
    parser.add_argument(
        "--limit",
        metavar="N",
        help="smoke run, whose figures are not a result: N evenly spaced probes, searched in the whole gallery (N "
        "pairs, N faces or N timed passes where no gallery is searched)",
    )
    parser.add_argument(
        "--limit-gallery",
        metavar="M",
        help="smoke run: only M templates of the gallery and the distractors, besides the mates of the probes",
    )
    parser.add_argument("--out", metavar="DIR", help="folder of the run or experiment (default: one under runs/)")
    parser.add_argument("--overwrite", metavar="WHEN", help="only-missing (default), always or never")
    parser.add_argument(
        "--trust-times",
        action="store_true",
        help="take a finished run as unchanged if sizes and times of its files are, without reading the files",
    )
    parser.add_argument("--cache", metavar="DIR", help="cache folder (default: BENCH_CACHE or the user's)")
    parser.add_argument("--no-cache", action="store_true", help="do not use a cache")
    parser.add_argument("--images", metavar="WHICH", help="images stored for reports: all (default) or none")
    parser.add_argument(
        "--batch-size",
        metavar="N",
        help="maximum images per network call (default: 64; fewer on a CPU); figures do not depend on it",
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        help="cpu (default), cuda, cuda:1, mps, or auto: the first available of cuda, mps and cpu",
    )
    parser.add_argument("--threads", metavar="N", help="threads, 0 for all cores (default)")
    add_plugin_option(parser)
    parser.add_argument("--label", metavar="NAME", help="name of the run in reports (default: the hallucinator)")
    parser.add_argument("--seed", metavar="N", help="seed of the intervals (default: 0)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON at full precision")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check everything, print the number of images and the time they need, measured on a few, and write no run",
    )
    amount = parser.add_mutually_exclusive_group()
    amount.add_argument(
        "-v", "--verbose", action="store_true", help="also print the stages with their arguments, weights and times"
    )
    amount.add_argument(
        "-q", "--quiet", action="store_true", help="print figures, warnings and errors, but no progress and no notes"
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from contextlib import nullcontext

    from bench.progress import hidden

    with hidden() if hasattr(args, "quiet") else nullcontext():
        return _main(args)


def _main(args: argparse.Namespace) -> int:
    from bench.commands.terminal.next_step import comparing_command
    from bench.commands.terminal.output import print_figures, run_object, stage_lines
    from bench.config import make_config
    from bench.diagnosis.below import below_beside
    from bench.errors import UsageError
    from bench.execution.execute import execute, prepare
    from bench.execution.text import describe_run
    from bench.matrix.experiment_file import Experiment, read_experiment
    from bench.progress import note
    from bench.registry import failures, load_plugins
    from bench.results.folder import dump_json

    file = getattr(args, "config", None)
    if args.experiment and file:
        raise UsageError(f"Two files: {args.experiment} and --config {file}. Give one.")
    file = args.experiment or file
    flags = {key: value for key, value in vars(args).items() if key not in _NOT_OPTIONS}
    load_plugins()
    for failure in failures():
        print(f"note: plugin {failure.name!r} of {failure.package} failed to load: {failure.cause}", file=sys.stderr)
    request = read_experiment(file, flags)
    if isinstance(request, Experiment):
        return _run_experiment(request, json=hasattr(args, "json"), dry=hasattr(args, "dry_run"))
    prepared = prepare(make_config(file, request))
    note(describe_run(prepared))
    if hasattr(args, "dry_run"):
        return _print_estimates([prepared], json=hasattr(args, "json"))
    result, fresh = execute(prepared, note)
    warning = below_beside(result, prepared.out)
    if hasattr(args, "json"):
        print(dump_json(run_object(result, prepared.out, computed=fresh, more=[warning] if warning else [])), end="")
    else:
        print_figures(result)
        if warning:
            print(f"warning: {warning}")
    if hasattr(args, "verbose"):
        note("\n".join(stage_lines(result.record)))
    kept = result.record.config.get("label")
    if prepared.config.label not in (None, kept):
        note(
            f"The finished run keeps its label ({kept or 'none'}). Reports and comparisons take another one: NAME=RUN."
        )
    state = "Written to" if fresh else "Nothing to do: the finished run is in"
    note(f"{state} {prepared.out}\nReport: bench report {prepared.out} --out report")
    comparison = comparing_command(prepared.config.protocol, prepared.config.hallucinator, request, file)
    plugins = "".join(f" --plugin {shlex.quote(str(path))}" for path in getattr(args, "plugin", ()))
    note(f"Compare: {comparison}{plugins}")
    return 0


def _print_estimates(runs: Iterable[Prepared], *, json: bool) -> int:
    """Print what runs would do, and how long they would take."""
    from bench.commands.terminal.dry_run import estimate_lines, estimate_object, total_line
    from bench.execution.estimate import Estimate, estimate
    from bench.pipeline.plan import EmbedPlan
    from bench.results.folder import dump_json
    from bench.results.text import print_line

    rates: dict[EmbedPlan, float] = {}
    results: list[tuple[Path, Estimate]] = []
    for run in runs:
        results.append((run.out, estimate(run, rates)))
        for line in [] if json else estimate_lines(*results[-1]):
            print_line(line)
    if json:
        plain = {"format": "face-hallucination-bench dry run", "version": 1}
        print(dump_json({**plain, "runs": [estimate_object(out, result) for out, result in results]}), end="")
    else:
        print_line(total_line([result for _, result in results]))
    return 0


def _run_experiment(experiment: Experiment, *, json: bool, dry: bool) -> int:
    """Run every cell of an experiment; returns 0 if all finished, else 1."""
    from bench.matrix.cells import make_matrix
    from bench.matrix.runner import prepare_cells, run_matrix
    from bench.matrix.state import read_state
    from bench.matrix.table import experiment_object, print_experiment
    from bench.progress import note
    from bench.results.folder import dump_json

    matrix = make_matrix(experiment)
    if dry:
        return _print_estimates(prepare_cells(matrix), json=json)
    try:
        state = run_matrix(matrix)
    except KeyboardInterrupt:
        print_experiment(read_state(matrix.out), matrix.out)
        raise
    if json:
        print(dump_json(experiment_object(state, matrix.out)), end="")
    else:
        print_experiment(state, matrix.out)
    if any(cell.state == "done" for cell in state.cells):
        note(f"Report: bench report {matrix.out} --out report")
    return 0 if all(cell.state == "done" for cell in state.cells) else 1
