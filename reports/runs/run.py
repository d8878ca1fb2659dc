"""One run of a report: its record, its rows, and values derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.evaluation.identification.galleries import mated_places
from bench.results import ItemRow, ProbeRow, RunRecord, StageRecord
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, VERIFICATION, recorded_kind

_RECOGNISE_NOTHING = (EXPRESSION, EFFICIENCY)  # nothing is aligned or embedded, although a recogniser is configured


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a report.

    Attributes:
        folder: the run folder.
        record: its ``run.json``.
        probes: its rows, if a gallery is searched.
        items: its rows, for all other kinds of runs.
        arrays: data too large for rows: the scores of pairs.
        doubts: claims of ``run.json`` that could not be verified; see `bench.execution.standing`.
        changed: whether the folder was changed after the run: it is never ranked.
        given_name: its name in ``NAME=RUN``; empty where the user gave none.
    """

    folder: Path
    record: RunRecord
    probes: tuple[ProbeRow, ...]
    items: tuple[ItemRow, ...] = ()
    arrays: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    doubts: tuple[str, ...] = ()
    changed: bool = False
    given_name: str = ""

    @property
    def name(self) -> str:
        """Its name in reports: that of ``NAME=RUN``, else of ``--label``, else the hallucinator chain."""
        return self.given_name or self.setting("label") or self.record.label

    @property
    def kind(self) -> str:
        """The kind of the run: identification, verification..."""
        return recorded_kind(self.record.protocol)

    @property
    def searched(self) -> bool:
        """Whether probes are searched in a gallery: only then are there ranks, curves and comparisons."""
        return self.kind == IDENTIFICATION

    @property
    def recognises(self) -> bool:
        """Whether its figures depend on a recogniser and on alignment."""
        return self.kind not in _RECOGNISE_NOTHING

    @property
    def head(self) -> list[tuple[int, ProbeRow]]:
        """The rows that its headline figures are over, with their indices."""
        return [(i, self.probes[i]) for i in mated_places(self.probes)] if self.searched else []

    @property
    def stages(self) -> tuple[StageRecord, ...]:
        """The stages that were executed; the record names a recogniser even where nothing is recognised."""
        stages = self.record.stages
        return stages if self.recognises else tuple(s for s in stages if s.stage not in ("align", "embed"))

    @property
    def folder_name(self) -> str:
        """Name of the folder without its path, which reports never show."""
        return self.folder.resolve().name

    @property
    def identities(self) -> int | None:
        """Number of people among the rows; None where rows have no identities."""
        if self.kind == VERIFICATION:
            identities = self.record.data.get("counts", {}).get("probe identities")
            return identities if isinstance(identities, int) else None
        people = {row.identity for row in (self.probes or self.items)} - ({""} if self.items else set())
        return len(people) if self.kind != EFFICIENCY and (people or self.searched) else None

    def stage(self, stage: str, side: str) -> StageRecord | None:
        """The first stage of that kind on that side, or None."""
        return next((s for s in self.stages if s.stage == stage and s.side == side), None)

    def setting(self, key: str) -> str:
        """An entry of the configuration as text; empty where there is none."""
        value = self.record.config.get(key)
        return "" if value is None else str(value)

    @property
    def recogniser(self) -> str:
        """The recogniser as the user wrote it; empty where nothing is recognised."""
        if not self.recognises:
            return ""
        return self.setting("recogniser") or _name(self.stage("embed", "probe"))

    @property
    def aligner(self) -> str:
        """The aligner of the probes as the user wrote it, and that of the gallery if it differs."""
        if not self.recognises:
            return ""
        probe = self.setting("align") or _spec(self.stage("align", "probe"))
        gallery = self.setting("align_gallery") or self.setting("align") or _spec(self.stage("align", "gallery"))
        return probe if gallery in ("", probe) else f"{probe} (gallery: {gallery})"

    @property
    def side(self) -> str:
        """The hallucinated side: probe, gallery or both; empty where there is no choice."""
        return "" if self.kind == EFFICIENCY else self.setting("hallucinate")

    @property
    def side_by_flag(self) -> str:
        """Like `side`; ``by protocol`` where the protocol chose it, which may differ between protocols."""
        flag = self.record.choices.get("asked", {}).get("hallucinate")
        return "by protocol" if self.side and flag == "auto" else self.side

    @property
    def frame(self) -> str:
        """The frame of hallucinated faces, and that of the gallery if it differs; empty for none."""
        probe, gallery = (
            [
                str(s.arguments["frame"])
                for s in self.stages
                if (s.stage, s.side) == ("hallucinate", side) and "frame" in s.arguments
            ]
            for side in ("probe", "gallery")
        )
        words = "+".join(probe or gallery)
        return f"{words} (gallery: {'+'.join(gallery)})" if probe and gallery and gallery != probe else words

    @property
    def automatic_choices(self) -> tuple[str, ...]:
        """Settings that the suite chose because the user named none, as sentences."""
        return tuple(self.record.choices.get("notes", ()))

    @property
    def banners(self) -> tuple[str, ...]:
        """To show above every figure of this run."""
        smoke = ("SMOKE RUN - not a result",) if self.record.smoke else ()
        sample = (self.sample_banner,) if self.record.sample else ()
        return (*smoke, *sample, *(f"NOT CONFIRMED: {doubt}" for doubt in self.doubts))

    @property
    def sample_banner(self) -> str:
        """The banner of a run on drawn people."""
        return f"SAMPLE DATA, not {self.record.data.get('name') or 'a published data set'}"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run folder that could not be used, and the reason."""

    folder_name: str
    reason: str


def _name(stage: StageRecord | None) -> str:
    return stage.name if stage else ""


def _spec(stage: StageRecord | None) -> str:
    """The name of an aligner, with its frame if that determines its output."""
    if stage is None or stage.name != "template" or "frame" not in stage.arguments or stage.arguments.get("points"):
        return _name(stage)
    return f"{stage.name}:frame={stage.arguments['frame']}"
