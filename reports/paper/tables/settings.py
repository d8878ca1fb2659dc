"""The data set and the scale of a run, and which runs share one column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results.kinds import EFFICIENCY
from reports.runs.groups import Group, make_groups
from reports.runs.run import Run

NAMES = {
    "multipie": "Multi-PIE",
    "mmi": "MMI",
    "celeba": "CelebA",
    "tinyface": "TinyFace",
    "dronesurf": "DroneSURF",
    "ijbc": "IJB-C",
}
"""Data sets of the paper, as it writes them."""
SCALES = (8, 4)
"""Scale factors: from 16 x 16 or 32 x 32 to 128 x 128 pixels."""
_SIDE = 128


@dataclass(frozen=True, slots=True)
class Setting:
    """Runs that share one column.

    Attributes:
        data: name of the data set as runs write it.
        scale: 8 or 4.
        title: heading of the column.
        description: the protocol with its arguments, the data and the recogniser.
        runs: in the order given.
        paper: whether it is the first of its data set and scale, whose column has the published figures.
    """

    data: str
    scale: int
    title: str
    description: str
    runs: tuple[Run, ...]
    paper: bool


def data_of(run: Run) -> str:
    """Name of the data set."""
    return str(run.record.data.get("name") or "unknown data")


def scales_of(run: Run) -> tuple[int, ...]:
    """The scales of a run: by the LR side of the protocol, else of the network.

    A run on native LR faces whose method takes any size (the LR face itself) has both, as in the paper.
    """
    side = run.record.protocol.get("arguments", {}).get("lr")
    if isinstance(side, int) and side:
        return tuple(scale for scale in SCALES if scale * side == _SIDE)
    sizes = [
        stage.arguments.get("size")
        for stage in run.record.stages
        if stage.stage == "hallucinate" and stage.side == "probe" and stage.name != "bicubic"
    ]
    known = [_SIDE // size for size in sizes if isinstance(size, int) and size in (16, 32)]
    return tuple(known[:1]) if known else SCALES


def settings(runs: Iterable[Run], *, by_recogniser: bool = False, scales: Sequence[int] = SCALES) -> list[Setting]:
    """Columns of runs of one kind: data sets in the order of the paper, then others.

    Args:
        runs: of one kind.
        by_recogniser: whether figures depend on the recogniser, so that each has its own column.
        scales: in order.
    """
    chosen = list(runs)
    columns: list[tuple[str, int, Group, str, tuple[Run, ...]]] = []
    for group in make_groups(chosen, None) if chosen else ():
        recognisers = dict.fromkeys(run.recogniser for run in group.runs) if by_recogniser else {"": None}
        for recogniser in recognisers:
            for scale in scales:
                members = tuple(r for r in group.runs if scale in scales_of(r) and recogniser in ("", r.recogniser))
                if members:
                    columns.append((data_of(members[0]), scale, group, recogniser, members))
    order = list(NAMES)
    columns.sort(key=lambda item: (order.index(item[0]) if item[0] in order else len(order), scales.index(item[1])))
    return [_setting(columns, index) for index in range(len(columns))]


def _setting(columns: Sequence[tuple[str, int, Group, str, tuple[Run, ...]]], index: int) -> Setting:
    data, scale, group, recogniser, runs = columns[index]
    same = [at for at, item in enumerate(columns) if item[:2] == (data, scale)]
    number = same.index(index)
    title = NAMES.get(data, data)
    if len(same) > 1:
        title += f" ({number + 1})"
    if runs[0].record.sample:
        title += " [SAMPLE]"
    description = f"{group.protocol}, data {str(group.first.record.data['digest'])[:12]}" + (
        f", recogniser {recogniser}" if recogniser else ""
    )
    if runs[0].kind != EFFICIENCY and runs[0].record.data.get("official") is not True:
        description += ", not the official set"
    return Setting(data, scale, title, description, runs, number == 0)
