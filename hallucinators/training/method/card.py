"""The card of a weight file: what it is of, what it saw, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.io.atomic import write_file
from bench.io.file_digests import file_digest
from hallucinators.training.loop.run import Result
from hallucinators.training.method.options import Options
from hallucinators.training.steps.settings import Settings


def write_card(
    weights: Path,
    options: Options,
    settings: Settings,
    results: Mapping[str, Result],
    *,
    people: int,
    smoke: bool,
    split: str,
    trained: Mapping[str, Any],
    left_out_near: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write the card beside a weight file, under the same name and ``.md``.

    Args:
        weights: the file.
        options: what was trained.
        settings: of the loop.
        results: of the stages, by name.
        people: number of training photographs.
        smoke: whether that is a part of the pack, so that figures say nothing about the method.
        split: how people were split, in words.
        left_out_near: faces not trained on because of excluded sets, see
            `hallucinators.training.method.train.People`.
        trained: the facts of the header; the recipe and its departures from the paper, if the method has them.
    """
    sizes = f"{options.lr} x {options.lr} ({128 // options.lr}x)" if options.lr else "any"
    lines = [f"# {options.method}", ""]
    if smoke:
        lines += ["**SMOKE RUN: trained on a part of the people; its figures say nothing about the method.**", ""]
    lines += [
        f"`{weights.name}`, SHA-256 `{file_digest(weights)}`",
        "",
        "| | |",
        "| --- | --- |",
        f"| LR faces | {sizes} |",
        f"| preset | {options.preset} |",
        f"| trained on | {people:,} photographs, turned views of each; batches of {settings.batch_size} |",
        f"| split | {split} |",
        *(f"| not trained on, near {e['near']} | {e['left_out']:,} faces of {e['pack']} |" for e in left_out_near),
        f"| precision, device | {settings.precision}, {settings.device} |",
        f"| seed | {settings.seed} |",
        *_photographs(options, trained),
        *_recipe(trained),
        "| licence | as its training photographs'; those of UTKFace and LFW are for non-commercial research |",
        "",
        "| stage | steps | faces seen | minutes | best on people left out |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, result in results.items():
        best = ", ".join(f"{key} {value:.4g}" for key, value in result.best.items())
        spent = f"{result.samples_seen:,} | {result.seconds / 60:.1f}"
        lines.append(f"| {name} | {result.steps:,} | {spent} | {best or 'not validated'} |")
    seen = sum(result.samples_seen for result in results.values())
    minutes = sum(result.seconds for result in results.values()) / 60
    lines += [f"| all | | {seen:,} | {minutes:.1f} | |", ""]
    card = weights.with_suffix(".md")
    write_file(card, "\n".join(lines))
    return card


def _photographs(options: Options, trained: Mapping[str, Any]) -> list[str]:
    """The rows on added blocks, on real photographs, and on the weights that the training started from."""
    rows = [f"| network | depth {options.depth}: residual blocks added |"] if options.depth else []
    if "photographs" in trained:
        yes = {True: "yes", False: "no"}
        rows.append(
            f"| photographs in any pose | {trained['photographs']:,} real photographs; degradation "
            f"{yes[trained['degradation']]}, compared with templates of "
            f"{trained.get('photographs_people', 0):,} people |"
        )
    if "start_sha256" in trained:
        rows.append(f"| started from | weights with SHA-256 `{trained['start_sha256']}` |")
    return rows


def _recipe(trained: Mapping[str, Any]) -> list[str]:
    """The rows on the recipe, its teacher, and the options whose values are not the paper's."""
    if "recipe" not in trained:
        return []
    values = [f"`--{name.replace('_', '-')}` {value}" for name, value in trained["departures"].items()]
    rows = [f"| recipe | {trained['recipe']} |", f"| not as in the paper | {', '.join(values) or 'no option'} |"]
    if trained["recipe"] == "paper" and trained["departures"].get("identity") == "dlib":
        rows.append("| teacher | dlib's network replaces ResNet-50, whose weights were not in torch's cache |")
    return rows
