"""An ablation: train the variants, measure them, write the table; a later call does only what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench import progress
from bench.errors import BenchError, DataError, UsageError
from bench.io.atomic import explain_os_errors, write_file
from bench.io.file_digests import file_digest
from bench.provenance import environment
from bench.results.folder import dump_json
from hallucinators.vividgan.ablation.measure import BICUBIC, Evaluator, Measures, split
from hallucinators.vividgan.ablation.table import Row, compute, to_csv, to_json, to_markdown
from hallucinators.vividgan.ablation.train import VARIANT_FOLDER, Trainer
from hallucinators.vividgan.ablation.variants import (
    PAPER_VARIANTS,
    REFERENCE,
    VARIANTS,
    Recipe,
    options_of,
    refuse_teacher,
    select,
    terms_of,
)

PLAN = "plan.json"


def ablate(
    data: Path,
    out: Path,
    recipe: Recipe,
    *,
    names: Sequence[str] = tuple(PAPER_VARIANTS),
    recogniser: str = "sface",
    people: int = 400,
    landmarks: str = "auto",
    views: Path | None = None,
    data_seed: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Train variants with one recipe and measure them on the same people; writes ``table.md``, ``.csv`` and ``.json``.

    Args:
        data: a file of ``bench data pairs``.
        out: the folder; a stopped call is continued from it.
        recipe: shared settings of all variants.
        names: names of the variants.
        recogniser: the recogniser of rank-1; not the teacher.
        people: number of people measured.
        landmarks: source of the positions of components, see the hallucinator ``vividgan``.
        views: folder of rendered views; None takes one in ``out``.
        data_seed: seed of the rendered views and of the similarities of the probes; None takes the recipe's.
        say: called with lines on the progress.

    Returns:
        One row for each variant, in the order of the table, and interpolation last.

    Raises:
        UsageError: an argument is wrong, or ``out`` holds an ablation of another recipe.
        DataError, MissingError: the pack or the teacher is missing or damaged.
        BenchError: no variant could be trained and measured.
    """
    from bench.faces.pairs.pack import Pack
    from hallucinators.training.data.rendering import view_set
    from hallucinators.training.data.views import ViewPlan
    from hallucinators.vividgan.training.recipe import stages

    variants = select(names)
    refuse_teacher(recogniser, recipe)
    stages(options_of(VARIANTS[REFERENCE], recipe))  # raises for a faulty recipe before anything is read
    without_teacher = replace(recipe, identity="none")
    planned = {v.name: {stage.name: stage.steps for stage in stages(options_of(v, without_teacher))} for v in variants}
    if not all(steps.get("whole") for steps in planned.values()):
        raise UsageError("An ablation needs the stage whole; give it steps.")
    seed = recipe.seed if data_seed is None else data_seed
    packed, digest = Pack(data), file_digest(data)
    validated, measured = split(packed, people)
    evaluator = Evaluator(
        packed,
        measured,
        recogniser,
        lr=recipe.lr,
        seed=seed,
        device=recipe.device,
        threads=recipe.threads,
        landmarks=landmarks,
    )
    trained_on = packed.indices(test=False)[: recipe.faces].tolist()
    if len(trained_on) < recipe.batch:
        raise UsageError(f"Batches of {recipe.batch} faces from {len(trained_on)} people: give a smaller --batch.")
    _refuse_other_plan(out, recipe, digest)
    folder = views or out / "views"
    plan = ViewPlan(seed=seed)
    trainer = Trainer(
        out,
        recipe,
        view_set(packed, trained_on, folder / "train", plan, digest),
        view_set(packed, validated, folder / "left-out", plan, digest),
        digest,
        say,
    )
    facts = _facts(recipe, planned, recogniser, trained_on, validated, evaluator.people, digest, landmarks)
    rows: list[Row] = []
    for variant in variants:
        say(f"variant {variant.name} ({variant.label})")
        losses = [term for term in terms_of(variant) if term != "identity" or recipe.identity != "none"]
        row = Row(variant.name, variant.label, losses, None, stages=planned[variant.name])
        rows.append(row)
        try:
            weights = trainer.train(variant)
            with progress.stage(f"measure {variant.name}", evaluator.people) as advance:
                row.measures = evaluator.measure_variant(variant, weights, advance)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001  # a failure of one variant must not end the others
            row.failure = _reason(error)
            say(f"variant {variant.name} FAILED: {row.failure}")
        _write(out, rows, facts)
    if all(row.measures is None for row in rows):
        raise BenchError(f"No variant has figures: {'; '.join(f'{r.variant}: {r.failure}' for r in rows)}")
    with progress.stage("measure bicubic", evaluator.people) as advance:
        rows.append(_bicubic(evaluator.measure_bicubic(out / VARIANT_FOLDER / BICUBIC, advance)))
    compute(rows, seed=recipe.seed)
    _write(out, rows, facts)
    return rows


def _plain(recipe: Recipe) -> dict[str, Any]:
    return asdict(recipe) | {"steps": dict(recipe.steps), "settings": dict(recipe.settings)}


def _bicubic(measures: Measures) -> Row:
    return Row(BICUBIC, "interpolation, pose kept, rank-1 with ground-truth landmarks", (), measures)


def _refuse_other_plan(out: Path, recipe: Recipe, digest: str) -> None:
    """Refuse a folder with an ablation of another recipe, whose variants would not be comparable."""
    plan: dict[str, Any] = _plain(recipe) | {"pack": digest}
    for name in ("device", "threads"):
        del plan[name]
    path = out / PLAN
    if path.is_file():
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            differing = [key for key in plan if plan[key] != stored.get(key)]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is damaged ({type(error).__name__}: {error}). Take another --out.") from error
        if differing:
            differences = "; ".join(f"{key} is {plan[key]!r} here and was {stored.get(key)!r}" for key in differing)
            raise UsageError(f"{out} holds an ablation of another recipe: {differences}. Take another --out.")
        return
    with explain_os_errors(f"Cannot write {path}"):
        write_file(path, dump_json(plan))


def _facts(
    recipe: Recipe,
    planned: Mapping[str, Mapping[str, int]],
    recogniser: str,
    trained_on: Sequence[int],
    validated: Sequence[int],
    measured: int,
    digest: str,
    landmarks: str,
) -> dict[str, Any]:
    """Facts above the table, as text and as values."""
    length = " + ".join(f"{name} {steps:,}" for name, steps in planned[REFERENCE].items())
    skipped = [name for name, steps in planned.items() if set(steps) != set(planned[REFERENCE])]
    lines = {
        "Length": f"{length} steps of {recipe.batch} faces, the same for all"
        + (f" ({', '.join(skipped)}: without the stage that trains the component networks)" if skipped else ""),
        "Network": f"vividgan, preset {recipe.preset}, {recipe.lr} x {recipe.lr} to 128 x 128, {recipe.precision}",
        "Shared": "the first stage by all; coarse and component networks by variants with the same terms of Eq. 9",
        "Teacher of identity": recipe.identity,
        "People": f"{len(trained_on):,} for training; {len(validated):,} left out for validation; "
        f"{measured:,} others left out are measured, eight views each, moved by the paper's similarity",
        "Recipe": ", ".join(f"--{n.replace('_', '-')} {v}" for n, v in recipe.settings.items()) or "ours",
        "Recogniser": f"{recogniser}; the gallery is the frontal photographs of those measured",
        "Landmarks": f"{landmarks}; ground truth for v+gt",
        "Pack": digest,
    }
    if recipe.faces is not None:
        lines = {"SMOKE RUN": "trained on a part of the people; its figures say nothing about the variants"} | lines
    return {
        "told": lines,
        "steps": {name: dict(steps) for name, steps in planned.items()},
        "recipe": _plain(recipe) | {"identity": Path(recipe.identity).name},
        "smoke": recipe.faces is not None,
        "environment": environment(device=recipe.device, threads=recipe.threads),
    }


def _write(out: Path, rows: Sequence[Row], facts: Mapping[str, Any]) -> None:
    compute(rows, seed=facts["recipe"]["seed"])
    texts = {"table.md": to_markdown(rows, facts), "table.csv": to_csv(rows), "table.json": to_json(rows, facts)}
    with explain_os_errors(f"Cannot write the table to {out}"):
        for name, text in texts.items():
            write_file(out / name, text)


def _reason(error: Exception) -> str:
    words = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())
