"""A run made ready: everything that is known before an image is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.config import RunConfig, cache_folder
from bench.interfaces import EvalProtocol
from bench.pipeline.arrangement import Arrangement
from bench.pipeline.build import Built
from bench.pipeline.plan import Embedded, EmbedPlan
from bench.results import Figure, ItemRow, ProbeRow
from bench.studies import Study
from bench.types import Media, Role, Side


@dataclass(frozen=True)
class Prepared:
    """What a run does, on what.

    Attributes:
        request_digest: of what was asked, code and data apart.
        stat_digest: of the media with sizes and times of their files.
        out: its folder.
        code: first digits of the digests of the modules that decide the figures, by name.
    """

    config: RunConfig
    protocol: Built[EvalProtocol]
    root: Path
    data: Study
    arrangement: Arrangement
    request_digest: str
    stat_digest: str
    out: Path
    code: Mapping[str, str]

    @property
    def probe_plan(self) -> EmbedPlan:
        """How probes become embeddings."""
        return self.arrangement.probe

    @property
    def gallery_plan(self) -> EmbedPlan:
        """How gallery and distractors do."""
        return self.arrangement.gallery

    @property
    def side(self) -> Side:
        """What goes through the hallucinator."""
        return self.arrangement.side

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role, probes first."""
        return self.data.media

    @property
    def sample(self) -> bool:
        """Whether the people are drawn."""
        return self.protocol.component.is_sample(self.root)

    @property
    def cache(self) -> Path | None:
        """Folder of the cache, or None for none."""
        return None if self.config.no_cache else cache_folder(self.config)

    def plan(self, role: str) -> EmbedPlan:
        """How the media of a role become embeddings."""
        return self.probe_plan if role == "probe" else self.gallery_plan


@dataclass(frozen=True)
class Measured:
    """What measuring a study gave.

    Attributes:
        metrics: figures by name.
        embedded: by role, the media and what became of them; everything that was looked at is in it.
        rows: searched probes.
        items: any other items.
        arrays: what is too large for rows.
        warnings: sentences that belong beside the figures.
        rules: what else the record says of the protocol.
        gallery_sizes: of searched probes, how many gallery templates were searched, by name of the gallery (empty for
            one of all).
    """

    metrics: Mapping[str, Figure]
    embedded: Mapping[Role, tuple[Sequence[Media], Embedded]]
    rows: tuple[ProbeRow, ...] = ()
    items: tuple[ItemRow, ...] = ()
    arrays: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    gallery_sizes: Mapping[str, int] = field(default_factory=dict)
