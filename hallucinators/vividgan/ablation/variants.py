"""The variants of VividGAN: Table III, figures 6 and 8, then the full one without each addition; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from hallucinators.vividgan.departures import DEPARTURES, Departure

if TYPE_CHECKING:
    from hallucinators.training.method.options import Options

REFERENCE = "full"
"""The variant that the others are compared with."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to train VividGAN.

    Attributes:
        name: name on the command line and of its folder.
        label: the paper's name.
        losses: a name of `hallucinators.vividgan.training.losses.LOSS_SETS`.
        touchup: False leaves out the touching-up networks.
        component_aware: False leaves out heatmaps and the integration block.
        true_components: the prior consists of the ground-truth components, in training and measurement.
        without: the addition that is left out alone: its option has the paper's value.
    """

    name: str
    label: str
    losses: str
    touchup: bool = True
    component_aware: bool = True
    true_components: bool = False
    without: Departure | None = None


PAPER_VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant("minus", "L-", "minus"),
        Variant("dagger", "L†", "dagger"),
        Variant("ddagger", "L‡ (Vivid-FHnet)", "ddagger"),
        Variant("star", "L⋆ (+ Coarse-D)", "star"),
        Variant("full", "L_G (VividGAN)", "full"),
        Variant("figure_6f", "without the component-aware module", "figure_6f", component_aware=False),
        Variant("figure_6i", "Vivid-FHnet + Fine-D", "figure_6i"),
        Variant("v-tn", "V-TN", "full", touchup=False),
        Variant("v+gt", "V+GT (true components given)", "full", true_components=True),
    )
}


VARIANTS: Mapping[str, Variant] = {
    **PAPER_VARIANTS,
    **{
        f"no-{departure.option[2:]}": Variant(
            f"no-{departure.option[2:]}", f"without the addition {departure.option[2:]}", REFERENCE, without=departure
        )
        for departure in DEPARTURES
        if departure.ablated
    },
}
ADDITIONS = "additions"
"""In place of names: `REFERENCE`, and that without each addition."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Shared settings of all variants.

    Attributes:
        lr: side of the LR faces, 16 or 32.
        preset: name of the sizes of the networks.
        steps: steps by stage; a stage that is not named takes its default.
        identity: the teacher, see `hallucinators.training.method.options.Options`.
        batch: faces a step.
        seed: of the random numbers in training.
        device: torch device.
        threads: processor threads, 0 for torch's choice.
        precision: ``fp32`` or ``bf16``.
        faces: number of training people (the first ones); None for all. With a number it is a smoke run.
        settings: values of `departures.DEPARTURES` in all variants, by name; the others are ours.
    """

    lr: int = 16
    preset: str = "compact"
    steps: Mapping[str, int]
    identity: str = "dlib"
    batch: int = 32
    seed: int = 0
    device: str = "cpu"
    threads: int = 0
    precision: str = "bf16"
    faces: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def expand(text: str | None) -> list[str]:
    """The names of ``NAME,NAME``; `ADDITIONS` stands for several, and None for the variants of the paper."""
    if text is None:
        return list(PAPER_VARIANTS)
    names = [name.strip() for name in text.split(",")]
    additions = [REFERENCE, *(name for name, variant in VARIANTS.items() if variant.without)]
    if ADDITIONS in names:
        return list(dict.fromkeys(n for name in names for n in (additions if name == ADDITIONS else [name])))
    return names


def select(names: Sequence[str]) -> list[Variant]:
    """The variants of these names, in the order of the table.

    Raises:
        UsageError: a name is unknown or repeated, or `REFERENCE` is not among them.
    """
    unknown = [name for name in names if name not in VARIANTS]
    if unknown or len(set(names)) != len(names):
        raise UsageError(f"Variants {', '.join(names)}: known are {', '.join(VARIANTS)}, each once")
    if REFERENCE not in names:
        raise UsageError(
            f"Variants {', '.join(names)}: {REFERENCE} must be among them, since the others are compared with it"
        )
    return [variant for name, variant in VARIANTS.items() if name in names]


def options_of(variant: Variant, recipe: Recipe) -> Options:
    """Options of the training of a variant.

    Raises:
        UsageError: the recipe does not have the addition that the variant is without.
    """
    from hallucinators.training.method.options import Options

    settings = dict(recipe.settings)
    addition = variant.without
    if addition:
        if settings.get(addition.name, addition.ours) == addition.paper:
            raise UsageError(f"Variant {variant.name}: the recipe has the paper's value of {addition.option} already")
        settings[addition.name] = addition.paper
    return Options(
        method="vividgan",
        lr=recipe.lr,
        preset=recipe.preset,
        steps=dict(recipe.steps),
        identity=recipe.identity,
        losses=variant.losses,
        touchup=variant.touchup,
        component_aware=variant.component_aware,
        true_components=variant.true_components,
        device=recipe.device,
        carry=bool(settings.pop("carry", True)),
        seed=recipe.seed,
        settings=settings,
    )


def terms_of(variant: Variant) -> list[str]:
    """Names of the losses of a variant, in the order of the equations."""
    from typing import get_args

    from hallucinators.vividgan.training.losses import LOSS_SETS, Term

    return [term for term in get_args(Term) if term in LOSS_SETS[variant.losses]]


def coarse_terms(variant: Variant, recipe: Recipe) -> list[str]:
    """The terms of equation 9, which determine the coarse network; variants with the same terms share it."""
    used = ("pixel", "symmetry", "adversarial_coarse") + (("identity",) if recipe.identity != "none" else ())
    return [term for term in terms_of(variant) if term in used]


def refuse_teacher(recogniser: str, recipe: Recipe) -> None:
    """Refuse a recogniser that is the teacher.

    Raises:
        UsageError: the recogniser is the teacher.
    """
    name = recogniser.partition(":")[0]
    if name == Path(recipe.identity).stem:
        raise UsageError(f"The recogniser {recogniser} is the teacher of the identity loss; take another recogniser.")
