"""Input and output of an evaluation: a prepared run, its measurements, and the images kept from its one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench import progress
from bench.config import RunConfig, cache_folder
from bench.engine.base import Engine
from bench.engine.local import SHARD_SIZE, LocalEngine
from bench.interfaces import EvalProtocol
from bench.pipeline.arrangement import Arrangement
from bench.pipeline.build import Built
from bench.pipeline.cache import open_cache
from bench.pipeline.contracts import refuse_broken
from bench.pipeline.embedder import embedder_for
from bench.pipeline.plan import Embedded, EmbedPlan, ImageRequest, PlanSide, join_embedded
from bench.pipeline.stages import EmbedStage
from bench.pipeline.views import PictureStore, View
from bench.results import Figure, ItemRow, ProbeRow
from bench.studies import Study
from bench.types import Media, Role, Side


@dataclass(frozen=True)
class ImageSelection:
    """Which images of a run are kept, for output checks, the diagnosis and reports.

    Attributes:
        views: number of first images of each hallucinated side.
        pictures: whether to keep small pictures of all probes.
    """

    views: int = 0
    pictures: bool = False


@dataclass(frozen=True)
class RunImages:
    """What is kept of the images while they pass.

    Attributes:
        views: by side, the views of its first images; a side that is not hallucinated is absent.
        pictures: of probes, by template.
        working: names of components that returned a result for an image.
    """

    views: dict[PlanSide, tuple[View, ...]] = field(default_factory=dict)
    pictures: PictureStore = field(default_factory=PictureStore)
    working: set[str] = field(default_factory=set)

    def take(self, side: PlanSide, part: Embedded) -> Embedded:
        """Take the images out of a result; raises ContractError where a component raised on every image so far."""
        refuse_broken(part.errors, self.working)
        if part.views:
            self.views[side] = (*self.views.get(side, ()), *part.views)
        for picture in part.pictures:
            self.pictures.put(picture)
        return replace(part, views=(), pictures=())


@dataclass(frozen=True)
class Prepared:
    """A run with its components and data, ready to execute.

    Attributes:
        request_digest: of the configuration, without code and data.
        stat_digest: of the media with sizes and times of their files.
        out: the run folder.
        code: first digits of the digests of the modules that affect figures, by name.
        engine: computes its shards.
        selection: the images that are kept.
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
    engine: Engine = field(default_factory=LocalEngine)
    selection: ImageSelection = ImageSelection()

    @property
    def probe_plan(self) -> EmbedPlan:
        """How probes become embeddings."""
        return self.arrangement.probe

    @property
    def gallery_plan(self) -> EmbedPlan:
        """How gallery and distractor images become embeddings."""
        return self.arrangement.gallery

    @property
    def side(self) -> Side:
        """The side that passes the hallucinator."""
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
        """Folder of the cache, or None without a cache."""
        return None if self.config.no_cache else cache_folder(self.config)

    def plan(self, role: str) -> EmbedPlan:
        """How the media of a role become embeddings."""
        return self.probe_plan if role == "probe" else self.gallery_plan


@dataclass(frozen=True)
class Measured:
    """Results of an evaluation.

    Attributes:
        metrics: figures by name.
        embedded: by role, all media that were processed, with embeddings and outcomes.
        rows: one per searched probe.
        items: rows of other kinds of studies.
        arrays: data too large for rows.
        warnings: sentences to show beside the figures.
        rules: further facts about the protocol for the record.
        gallery_sizes: number of searched gallery templates by name of the gallery (empty for one gallery of all).
        images: the images that were kept.
    """

    metrics: Mapping[str, Figure]
    embedded: Mapping[Role, tuple[Sequence[Media], Embedded]]
    rows: tuple[ProbeRow, ...] = ()
    items: tuple[ItemRow, ...] = ()
    arrays: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)
    gallery_sizes: Mapping[str, int] = field(default_factory=dict)
    images: RunImages = field(default_factory=RunImages)


def changes_images(plan: EmbedPlan) -> bool:
    """Whether a side passes a chain that changes images."""
    chain = embedder_for(plan).chain
    return chain is not None and not chain.passthrough


def request_images(run: Prepared, role: Role) -> list[ImageRequest]:
    """Requests for the images of a role; the picture of a template is that of its first probe."""
    views = run.selection.views if role != "distractor" and changes_images(run.plan(role)) else 0
    templates_with_picture: set[str] = set()
    requests = []
    for index, media in enumerate(run.media[role]):
        picture = run.selection.pictures and role == "probe" and media.template not in templates_with_picture
        templates_with_picture.add(media.template)
        requests.append(ImageRequest(media, view=index < views, picture=picture))
    return requests


def embed_roles(run: Prepared) -> tuple[dict[Role, Embedded], RunImages]:
    """Embed the images of every role, and keep those that are selected."""
    images = RunImages()
    return {role: embed_role(run, role, images) for role in run.media}, images


def embed_role(run: Prepared, role: Role, images: RunImages) -> Embedded:
    """Embed the images of a role, shard by shard, and keep those that are selected."""
    stage = EmbedStage(run.plan(role), run.cache)
    parts = []
    with progress.stage(f"embed {role} images", len(run.media[role])) as advance:
        for part in run.engine.map(stage, request_images(run, role), shard_size=SHARD_SIZE, progress=advance):
            parts.append(images.take("probe" if role == "probe" else "gallery", part))
    return join_embedded(parts, embedder_for(run.plan(role)).recogniser.component.embedding_size)


def view_first(run: Prepared, side: PlanSide, count: int, images: RunImages) -> Sequence[View]:
    """Views of the first images of a side: the kept ones, or computed now if none were kept.

    None are kept of a side that is not hallucinated, since its images need only be opened, and by a kind of study that
    hallucinates in separate processes.
    """
    views = images.views.get(side, ())[:count]
    media = run.media[side][:count]
    if len(views) == len(media):
        return views
    with open_cache(run.cache) as cache:
        return [view for view, _ in embedder_for(run.plan(side)).views(media, cache)]
