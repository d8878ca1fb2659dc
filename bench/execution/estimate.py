"""How long a run will take: rates measured on a few of its images, times the number of images. Writes no run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench import evaluation, progress
from bench.evaluation.contract import Prepared
from bench.execution.finished import outdated
from bench.pipeline.plan import EmbedPlan, ImageRequest
from bench.pipeline.stages import EmbedStage
from bench.results.kinds import IDENTIFICATION, VERIFICATION
from bench.types import Media, Role

MEASURED_IMAGES = 16
"""Images of each role that are timed, evenly spaced over it, after two that load the networks."""
_FIRST = 2


@dataclass(frozen=True, slots=True)
class RoleTime:
    """The time for the images of one role.

    Attributes:
        role: of the images.
        images: their number.
        seconds_each: measured without the cache; None for a kind of study that is not estimated.
    """

    role: Role
    images: int
    seconds_each: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would do.

    Attributes:
        state: ``new``, ``finished`` (nothing would be computed) or ``outdated`` (it would be computed again).
        reason: why it is outdated; else empty.
        roles: roles with images.
    """

    state: str
    reason: str
    roles: tuple[RoleTime, ...]

    @property
    def seconds(self) -> float | None:
        """Seconds to embed all images if nothing is in the cache; 0 for a finished run, None where not estimated."""
        if self.state == "finished":
            return 0.0
        times = [role.images * role.seconds_each for role in self.roles if role.seconds_each is not None]
        return sum(times) if len(times) == len(self.roles) else None


def estimate(run: Prepared, rates: dict[EmbedPlan, float]) -> Estimate:
    """Estimate the time of a prepared run by embedding a few of its images, without the cache.

    Searches, tests of the output, the LR face for the diagnosis and images for reports are not counted.

    Args:
        run: the run.
        rates: seconds an image that were measured before, by plan; those of this run are added.

    Raises:
        BenchError: its folder holds something else.
    """
    state, reason = "new", ""
    if run.config.overwrite != "always" and run.out.exists() and any(run.out.iterdir()):
        reason = outdated(run) or ""
        state = "outdated" if reason else "finished"
    embeds = evaluation.kind_of(run.data) in (IDENTIFICATION, VERIFICATION)
    roles = []
    for role, media in run.media.items():
        if not media:
            continue
        if embeds and state != "finished" and run.plan(role) not in rates:
            rates[run.plan(role)] = _seconds_each(run, role, media)
        roles.append(RoleTime(role, len(media), rates.get(run.plan(role)) if embeds else None))
    return Estimate(state, reason, tuple(roles))


def _seconds_each(run: Prepared, role: Role, media: Sequence[Media]) -> float:
    stage = EmbedStage(run.plan(role), None)
    step = max(1, len(media) // MEASURED_IMAGES)
    requests = [ImageRequest(item) for item in media[::step][:MEASURED_IMAGES]]
    stage(requests[:_FIRST], progress.ProgressCount())
    start = time.perf_counter()
    stage(requests, progress.ProgressCount())
    return (time.perf_counter() - start) / len(requests)
