"""The row of the paper's tables for a run, by the steps of its chain, not by its label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.results import StageRecord
from reports.runs.run import Run

LR, F_SR, SR_F, JOINT, OTHER = "Low resolution", "F ({}) + SR", "SR + F ({})", "Joint SR+F", "Other"
"""Blocks of rows; those of chains hold the name of the frontaliser."""
FRONTALISERS: Mapping[str, str] = {"drgan": "DR-GAN", "hassner": "Hassner"}
SUPER_RESOLVERS: Mapping[str, str] = {
    "bicubic": "Bicubic",
    "srgan": "SRGAN",
    "cbn": "CBN",
    "waveletsrnet": "WaveletSRnet",
    "tdae": "TDAE",
}
_JOINT: Mapping[str, str] = {"tann": "TANN", "vividgan": "VividGAN", "vividgan-flow": "VividGAN-flow"}
_HELP = ("stn", "cyclegan")
_ABLATED = re.compile(r"(?<![a-z])v[-_]?tn(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Method:
    """A row: its block, and its name in the block."""

    block: str
    name: str

    @property
    def order(self) -> tuple[int, int]:
        """Sort key of the block."""
        return block_order(self.block)


def block_order(block: str) -> tuple[int, int]:
    """LR, then chains by frontaliser, then joint methods, then the others."""
    chains = [form.format(name) for name in FRONTALISERS.values() for form in (F_SR, SR_F)]
    blocks = (LR, *chains, JOINT, OTHER)
    return (0, blocks.index(block)) if block in blocks else (1, 0)


def chains(names: tuple[str, ...], frontaliser: str = "DR-GAN") -> list[Method]:
    """Rows of super-resolvers before and after a frontaliser, F+SR first."""
    return [Method(form.format(frontaliser), name) for form in (F_SR, SR_F) for name in names]


def method_of(run: Run) -> Method:
    """The row of a run.

    A super-resolver and a frontaliser give F+SR or SR+F by their order; resizing by ``bicubic`` between them, and the
    aligner ``stn`` before them, are ignored. A final ``cyclegan`` is named. Other chains keep their label.
    """
    steps = [stage for stage in run.record.stages if stage.stage == "hallucinate" and stage.side == "probe"]
    method = _method_of_steps(steps)
    if method is None:
        return Method(OTHER, run.record.label)
    if method == Method(JOINT, "VividGAN") and ablated(run):
        return Method(OTHER, "V-TN")
    extra = " + CycleGAN" if any(step.name == "cyclegan" for step in steps) else ""
    is_named = run.side_by_flag not in ("", "probe", "by protocol")
    side = f" ({run.side} hallucinated)" if is_named else ""
    return Method(method.block, f"{method.name}{extra}{side}")


def ablated(run: Run) -> bool:
    """Whether a run is of VividGAN without touching-up networks: its weights or its label name the variant V-TN."""
    files = [str(file.get("name", "")) for stage in run.record.stages for file in stage.weights]
    return any(_ABLATED.search(text) for text in (*files, run.record.label))


def _method_of_steps(steps: list[StageRecord]) -> Method | None:
    core = [step for step in steps if step.name not in _HELP]
    names = [step.name for step in core]
    if names == ["none"]:
        return Method(LR, "LR face")
    faces = [at for at, name in enumerate(names) if name in FRONTALISERS]
    nets = [at for at, name in enumerate(names) if name in SUPER_RESOLVERS and name != "bicubic"]
    if len(faces) == 1 and all(name in FRONTALISERS or name in SUPER_RESOLVERS for name in names):
        return _chain(names, faces[0], nets)
    joint = [step for step in core if step.name in _JOINT]
    if len(joint) == 1 and all(step in joint or step.name == "bicubic" for step in core):
        return _joint(joint[0])
    if not faces and len(set(names)) == 1 and names[0] in SUPER_RESOLVERS:
        return Method(OTHER, f"{SUPER_RESOLVERS[names[0]]} (pose kept)")
    return None


def _chain(names: list[str], face: int, nets: list[int]) -> Method | None:
    frontaliser = FRONTALISERS[names[face]]
    if len(nets) > 1 or len(names) == 1:
        return None
    if nets:
        at, name = nets[0], SUPER_RESOLVERS[names[nets[0]]]
    else:  # bicubic alone: the step after the frontaliser decides, because resizing before it is part of F
        at, name = len(names) - 1 if names[-1] == "bicubic" else 0, SUPER_RESOLVERS["bicubic"]
    return Method((F_SR if at > face else SR_F).format(frontaliser), name)


def _joint(step: StageRecord) -> Method | None:
    name = _JOINT[step.name]
    output = step.arguments.get("output", "fine")
    if output not in ("fine", "coarse"):
        return None
    return Method(JOINT, f"{name}†" if output == "coarse" else name)
