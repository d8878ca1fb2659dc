"""The complete list of differences of both VividGANs from the paper, and the options that switch them; no torch.

`bench list`, the options of `bench train vividgan` and `bench ablate`, the header and the card of weight files and
docs/training.md all use this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.errors import UsageError

Recipe = Literal["ours", "paper"]
RECIPES: tuple[Recipe, ...] = ("ours", "paper")
Value = bool | float | str


@dataclass(frozen=True, slots=True)
class Departure:
    """A difference between the recipes that one option switches.

    Attributes:
        name: of the option, with underscores; ``--NAME VALUE``, or ``--NAME`` and ``--no-NAME`` for a truth value.
        ours: value of the recipe ``ours``.
        paper: value of the recipe ``paper``.
        what: what the option sets, and why ours differs.
        stage: the first stage of training that it changes.
        choices: the values of a text; empty for any.
        ablated: whether `bench ablate` has a variant without it.
        shared: whether all methods have the option.
    """

    name: str
    ours: Value
    paper: Value
    what: str
    stage: Literal["geometry", "coarse", "touchup", "whole"] = "coarse"
    choices: tuple[str, ...] = ()
    ablated: bool = True
    shared: bool = False

    @property
    def option(self) -> str:
        """The option as users write it."""
        return f"--{self.name.replace('_', '-')}"


DEPARTURES: tuple[Departure, ...] = (
    Departure(
        "preset",
        "compact",
        "paper",
        "widths; the paper gives none. paper has the sizes of Table IV; compact has a quarter of its encoder's "
        "channels, "
        "a fifth of its code and two hourglasses in place of four",
        "geometry",
        ablated=False,
        shared=True,
    ),
    Departure(
        "precision",
        "bf16",
        "fp32",
        "arithmetic of forward passes; the paper does not say",
        "geometry",
        ("fp32", "bf16"),
        ablated=False,
        shared=True,
    ),
    Departure(
        "identity",
        "dlib",
        "resnet50",
        "teacher of the identity loss: dlib, none, or the file of ResNet-50's ImageNet weights. resnet50 takes "
        "that file "
        "from torch's cache; without it dlib's network stands in, with the paper's formula and weight, and the "
        "card says so",
        ablated=False,
        shared=True,
    ),
    Departure(
        "alignment",
        True,
        False,
        "supervised alignment: a stage before the paper's trains the first spatial transformer with the true "
        "position of "
        "the face, and a term of weight 0.3 continues this in the coarse stage",
    ),
    Departure(
        "carry",
        True,
        False,
        "the coarse network adds a residual to the aligned LR image; without it the network generates the whole face",
    ),
    Departure("identity_weight", 0.1, 0.01, "weight of the identity loss, coarse and fine (with a ResNet-50: 0.01)"),
    Departure(
        "identification",
        0.5,
        0.0,
        "weight, in the identity loss, of the cross-entropy of identifying the person's photograph in the batch "
        "(with a "
        "ResNet-50: 0)",
    ),
    Departure(
        "identity_jitter", True, False, "the teacher's images are moved, mirrored and blurred at random, both alike"
    ),
    Departure(
        "late_terms",
        0.5,
        0.0,
        "share of the coarse stage before its identity and adversarial terms, and Coarse-D, are used",
    ),
    Departure(
        "discriminator_updates",
        "pausing",
        "always",
        "pausing: a discriminator whose mean cross-entropy is below 0.6 is not updated in that step",
        choices=("pausing", "always"),
    ),
    Departure(
        "reduction",
        "mean",
        "sum",
        "equations 3, 4, 6 and 10 over pixels or heatmap positions: means, so that a weight has the same effect "
        "at every "
        "size, or the paper's sums. The sums of the four components are averaged; equation 5 is a sum in both",
        choices=("mean", "sum"),
    ),
    Departure("clip", 1.0, 0.0, "largest norm of a gradient in the paper's stages; 0 does not clip"),
    Departure(
        "schedule",
        "cosine",
        "constant",
        "learning rate: cosine rises over 200 steps and falls after half of them; constant is the paper's 1e-3 "
        "and 1e-4",
        choices=("cosine", "constant"),
    ),
    Departure(
        "residual_scale",
        0.6,
        1.0,
        "scale of the coarse network's residual after its stage (1 without carry or identification)",
        "touchup",
    ),
    Departure(
        "component_jitter",
        1.5,
        0.0,
        "standard deviation, in pixels, of the random shift of the components' centres in training",
        "touchup",
    ),
    Departure(
        "freeze_coarse", True, False, "the coarse network, and Coarse-D, are not trained in the last stage", "whole"
    ),
    Departure("ema", 0.999, 0.0, "decay of averaged weights; 0 uses the last weights themselves", "geometry"),
    Departure(
        "free_views", True, False, "four views of random yaw and pitch beside the paper's eight yaws", "geometry"
    ),
    Departure(
        "mild_share",
        0.6,
        0.0,
        "share of pairs that are moved by a smaller similarity, with other crops, than the paper's",
        "geometry",
    ),
    Departure(
        "surround_share",
        0.5,
        0.0,
        "share of the pairs of mild-share that have another image beyond their border",
        "geometry",
    ),
    Departure("mirror_share", 0.5, 0.0, "share of pairs that are mirrored", "geometry"),
    Departure("frontal_share", 0.25, 0.0, "share of pairs whose view is the frontal photograph itself", "geometry"),
)
"""What `--recipe` switches, one option each."""

UNSWITCHED = (
    "group norm in place of batch norm: a face depends on no other face of its batch",
    "spatial transformers start as the identity and stay within 60 degrees, a factor of 2 and 0.3 of the side",
    "a touching-up network adds to its patch, and the fine-integration network adds to the coarse face through skip "
    "connections, without spatial transformers in its encoder",
    "components are cut at the truth's points in training, at the face engine's five points in use (or at the "
    "template)",
    "touching-up is trained on components of the pack's coarse faces, not on component sets of four databases",
    "targets of heatmaps are Gaussians at 68 points: FAN's, or the face engine's if FAN's archive is not in "
    "torch's cache",
    "the heatmap loss is a mean over the hourglasses, and the touching-up loss over the components",
    "the weights of a stage are the best on validation people; Adam with betas 0.9 and 0.99 (discriminators 0.5 and "
    "0.999), batches of 32, steps of stages and 1e-3 in stages (i) and (ii) are ours: the paper gives none of them",
    "training pairs are rendered from single photographs; Multi-PIE's real pairs cannot be trained on",
)
"""Differences of `vividgan` that no option switches."""

IN_USE = (
    "in the frames of recognisers (their chips, lr) half of the LR image shows through the face: recognition is better "
    "so; show_through=0 is the paper's output",
    "the shipped weights were trained without discriminators (--losses ddagger); their cards have the whole training",
)


def _text(value: Value) -> str:
    return (
        {True: "yes", False: "no"}[value]
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else value
    )


def _line(departure: Departure) -> str:
    return f"{departure.option} {_text(departure.ours)} (recipe paper: {_text(departure.paper)}): {departure.what}"


VIVIDGAN = (*map(_line, DEPARTURES), *UNSWITCHED, *IN_USE)
FLOW = (
    "the coarse network is not the paper's: image and features are warped to the frontal face by dense flows, and by "
    "flows from the opposite point of the face, in place of similarities; no norm, symmetry loss or discriminator",
    "in the frames of recognisers (their chips, lr) heads turned by less than about 30 degrees keep their pose: "
    "recognition of real photographs is better so; frontalise=always frontalises them there too",
    "its flows are trained with the face engine's exact flows, in the first third of the training and after",
    "a stage on real photographs (--photographs): left in their pose, with pixel and identity losses; and frontalised, "
    "compared by the teacher with a template of the person's other photographs (--no-templates leaves this out)",
    "LR faces of photographs have other kernels, blur, noise or JPEG, on a share of them (--no-degradation)",
    "residual blocks are added to the restoring part (--depth)",
    "touching-up and fine-integration networks are the paper's, trained on its faces with pixels, identity and "
    "heatmaps; the coarse face is the default output, since recognition is as good",
    "its training is that of the recipe ours of vividgan, see bench list vividgan; --recipe paper does not "
    "exist for it",
    *UNSWITCHED,
)
PAPER_PARAMETERS = "63,698,610 (62.0 M in Table IV), coarse network 26,385,091 (26.5 M)"
"""Of the preset paper for 16 pixels; 54,998,354 and 17,684,835 for 32."""


def values(recipe: Recipe, given: Mapping[str, Value]) -> dict[str, Value]:
    """The options that differ from the defaults of ``ours`` by the recipe, or were given.

    Args:
        recipe: ``ours`` or ``paper``.
        given: options that the user named, by name.

    Raises:
        UsageError: an option has a value out of its range.
    """
    chosen = ({d.name: d.paper for d in DEPARTURES} if recipe == "paper" else {}) | dict(given)
    for name in ("late_terms", "mild_share", "surround_share", "mirror_share", "frontal_share"):
        if not 0 <= float(chosen.get(name, 0)) <= 1:
            raise UsageError(f"--{name.replace('_', '-')} is {chosen[name]}; it is a share, from 0 to 1.")
    for name in ("identity_weight", "identification", "clip", "residual_scale", "component_jitter"):
        if not 0 <= float(chosen.get(name, 0)) < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} is {chosen[name]}; it must be 0 or more.")
    if not 0 <= float(chosen.get("ema", 0)) < 1:
        raise UsageError(f"--ema is {chosen['ema']}; it must be at least 0 and less than 1.")
    return chosen


def differences(used: Mapping[str, Any]) -> dict[str, Any]:
    """The options whose values are not the paper's, for headers and cards."""
    return {d.name: used[d.name] for d in DEPARTURES if d.name in used and used[d.name] != d.paper}


def table() -> str:
    """The list as the Markdown table of docs/training.md."""
    rows = [f"| `{d.option}` | {_text(d.ours)} | {_text(d.paper)} | {d.stage} | {d.what} |" for d in DEPARTURES]
    return "\n".join(["| option | `ours` | `paper` | first stage | |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"
