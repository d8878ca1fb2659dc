"""The settings of VividGAN's stages, from the options of a training."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from hallucinators.training.method.options import Options
from hallucinators.training.steps.schedule import rate_at
from hallucinators.vividgan.departures import DEPARTURES


@dataclass(frozen=True, kw_only=True)
class VividSettings:
    """One value for each option of `departures.DEPARTURES` that is no field of `Options`; their meaning is there."""

    alignment: bool = True
    identity_weight: float = 0.1
    identification: float = 0.5
    identity_jitter: bool = True
    late_terms: float = 0.5
    discriminator_updates: str = "pausing"
    reduction: str = "mean"
    clip: float = 1.0
    schedule: str = "cosine"
    residual_scale: float = 0.6
    component_jitter: float = 1.5
    freeze_coarse: bool = True
    ema: float = 0.999
    free_views: bool = True
    mild_share: float = 0.6
    surround_share: float = 0.5
    mirror_share: float = 0.5
    frontal_share: float = 0.25

    @property
    def limit(self) -> float | None:
        """Largest norm of gradients; None for no clipping."""
        return self.clip or None

    def share_at(self, step: int, steps: int) -> float:
        """Share of the greatest learning rate at a step."""
        return rate_at(step, steps) if self.schedule == "cosine" else 1.0

    def factor(self, elements: int) -> float:
        """Factor of a mean over so many elements of a face: 1, or their number if the losses are sums."""
        return float(elements) if self.reduction == "sum" else 1.0


OURS = VividSettings()


def settings_of(options: Options) -> VividSettings:
    """The settings of a training: those of its options, and ours for the others.

    With another teacher than dlib ours has the paper's weight and formula; without carry or identification the residual
    is not scaled.
    """
    chosen: dict[str, Any] = dict(options.settings)
    paper = {d.name: d.paper for d in DEPARTURES}
    if options.identity != "dlib":
        chosen = {name: paper[name] for name in ("identity_weight", "identification")} | chosen
    identification = options.identity != "none" and chosen.get("identification", OURS.identification) > 0
    if not identification or not options.carry or options.method != "vividgan":
        chosen = {"residual_scale": 1.0} | chosen
    return VividSettings(**chosen)


def used_by(options: Options, precision: str = "") -> dict[str, Any]:
    """The value of every option of `DEPARTURES` in a training; ``precision`` is left out if it is empty."""
    settings = settings_of(options)
    used = {field.name: getattr(settings, field.name) for field in fields(settings)}
    used |= {"preset": options.preset, "carry": options.carry, "identity": options.identity}
    return used | ({"precision": precision} if precision else {})
