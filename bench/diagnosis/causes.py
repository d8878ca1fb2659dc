"""Likely causes of a bad figure, from the record of a run and from its images and chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.results import RoleLedger, RunRecord
from bench.results.kinds import IDENTIFICATION, VERIFICATION, recorded_kind

_MANY = 0.2  # share of images that are not ok
_CANARIES = ("output-equals-input", "flat-output", "constant-output", "swapped-channels")


def causes_in_record(record: RunRecord) -> list[str]:
    """Causes in run.json: images that fell back or failed, warnings of canaries, the side, the frame."""
    causes = [*failures(record.ledger)]
    for warning in record.warnings:
        name = warning.partition(":")[0]
        if name in _CANARIES:
            causes.append(warning)
        elif is_on_frames(warning):
            causes.append(f"frame: {warning}")
    return causes + hallucinated_side(str(record.config.get("hallucinate", "")), searched=kind_is_search(record))


def failures(ledger: Mapping[str, RoleLedger]) -> list[str]:
    """Roles of which many images fell back or failed, with the commonest reason."""
    causes = []
    for role, row in ledger.items():
        for what, count in (("fell back", row.fallback), ("failed", row.failed)):
            if row.total and count >= _MANY * row.total:
                reason, most = max(row.reasons.items(), key=lambda pair: pair[1], default=("no reason", count))
                causes.append(
                    f"{count:,} of {row.total:,} {role} images {what} (most: {reason}, {most:,}){_flag(reason)}"
                )
    return causes


def hallucinated_side(hallucinated: str, *, searched: bool) -> list[str]:
    """The side as a cause, where only one of two sides is hallucinated."""
    if not searched or hallucinated not in ("probe", "gallery"):
        return []
    other = "gallery" if hallucinated == "probe" else "probe"
    return [f"side: {hallucinated} images alone are hallucinated; where {other} images are LR too, --hallucinate both"]


def recogniser_input(arguments: Mapping[str, object], name: str) -> list[str]:
    """Colour order and scaling of a recogniser as a cause, where they are arguments."""
    named = [key for key in ("colour", "scaling", "mean", "std") if key in arguments]
    if not named:
        return []
    values = ", ".join(f"{key}={arguments[key]}" for key in named)
    return [f"recogniser {name}: colour order or scaling ({values}); `bench check {name}:...` tries others"]


def is_on_frames(warning: str) -> bool:
    """Whether a warning is about frames or alignment of hallucinated faces."""
    return "frame=" in warning or "--align" in warning


def kind_is_search(record: RunRecord) -> bool:
    """Whether a run compares probes with a gallery that may be hallucinated too."""
    return recorded_kind(record.protocol) in (IDENTIFICATION, VERIFICATION)


def joined(*parts: Sequence[str]) -> list[str]:
    """Causes of several checks, each once."""
    return list(dict.fromkeys(cause for part in parts for cause in part))


def _flag(reason: str) -> str:
    if reason.startswith("align: face not found"):
        return ": --align none takes whole images, --align mtcnn and yunet find different faces"
    if reason.startswith("align: no landmarks given"):
        return ": --align mtcnn looks for faces itself"
    return ""
