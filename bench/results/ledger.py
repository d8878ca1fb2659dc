"""Outcomes of images, counted by status and by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.results import RoleLedger
from bench.types import Outcome


def role_ledger(outcomes: Sequence[Outcome]) -> RoleLedger:
    """Count the outcomes of the images of one role, and the reasons of those that are not ok."""
    status = Counter(outcome.status for outcome in outcomes)
    reasons = Counter(f"{outcome.stage}: {outcome.reason}" for outcome in outcomes if outcome.status != "ok")
    return RoleLedger(len(outcomes), status["ok"], status["fallback"], status["failed"], dict(sorted(reasons.items())))
