"""One run, from a configuration to a run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import progress
from bench.canaries import INTERPOLATING, Finding, inspect_outputs
from bench.components import Built, build
from bench.config import RunConfig, cache_folder
from bench.datasets import find_or_draw
from bench.embed import embedder_for
from bench.engine import local
from bench.errors import BenchError, MissingError
from bench.evaluate import identify, join_gallery
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.pictures import pictures, views
from bench.plan import Embedded, EmbedPlan
from bench.plugins import load_plugins
from bench.provenance import digest_of, stat_digest
from bench.record import ledger_rows, make_record
from bench.registry import Spec
from bench.results import RunResult
from bench.runfolder import read_record, read_run, write_run
from bench.smoke import cut
from bench.templates import fuse
from bench.types import IdentificationSet, Media

INSPECTED = 64


@dataclass(frozen=True)
class Prepared:
    """A run made ready: everything that is known before an image is decoded."""

    config: RunConfig
    protocol: Built[EvalProtocol]
    root: Path
    data: IdentificationSet
    probe_plan: EmbedPlan
    gallery_plan: EmbedPlan
    request_digest: str
    stat_digest: str
    out: Path

    @property
    def media(self) -> dict[str, tuple[Media, ...]]:
        """The media by role, probes first: what is wrong with the chain shows before the long gallery is embedded."""
        return {"probe": self.data.probes, "gallery": self.data.gallery, "distractor": self.data.distractors}

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


def prepare(config: RunConfig) -> Prepared:
    """Check all that can be checked before the work starts: names, arguments, data, sizes.

    Raises:
        UsageError, MissingError, DataError: something is wrong; nothing has been written.
    """
    load_plugins()
    protocol = build(PROTOCOLS, Spec.parse(config.protocol))
    probe_plan, gallery_plan = _plans(config, protocol.component)
    for plan in (probe_plan, gallery_plan):
        embedder_for(plan)
    root = find_or_draw(protocol.component, config.data_root, cache_folder(config) / "samples")
    data = protocol.component.read(root)
    if config.limit is not None:
        data = cut(data, config.limit)
    request = digest_of(
        [
            embedder_for(probe_plan).fingerprint,
            embedder_for(gallery_plan).fingerprint,
            protocol.fingerprint,
            config.limit,
            config.seed,
            config.images,
        ]
    )
    out = config.out or _default_out(config, request)
    state = stat_digest(data.probes + data.gallery + data.distractors)
    return Prepared(config, protocol, root, data, probe_plan, gallery_plan, request, state, out)


def execute(run: Prepared) -> tuple[RunResult, bool]:
    """Do the run and write its folder, unless a finished run of the same request and data is there.

    Returns:
        The result, and whether it was computed now (False: the finished run was read).

    Raises:
        BenchError: no probe could be scored, the folder is taken, the disk is full.
    """
    if run.out.exists():
        finished = _finished(run)
        if finished:
            return finished, False
    result = _compute(run)
    images = None
    if run.config.images == "all":
        images = pictures(run.probe_plan, run.media, result.probes, run.cache)
    write_run(run.out, result, images=images, replace=run.config.overwrite == "always")
    return result, True


def _finished(run: Prepared) -> RunResult | None:
    """The finished run of the same request in the folder, or None when it is to be made anew."""
    if run.config.overwrite == "always" or not any(run.out.iterdir()):
        return None
    if run.config.overwrite == "never":
        raise BenchError(f"{run.out} exists and --overwrite is never. Choose another --out.")
    try:
        record = read_record(run.out)
    except MissingError:
        raise BenchError(f"{run.out} exists and is no run folder. Choose another --out.") from None
    if record.config_digest != run.request_digest:
        raise BenchError(
            f"{run.out} holds a run of another configuration ({record.label}, {record.created}). Choose another --out, "
            "or --overwrite always."
        )
    if record.data["stat_digest"] != run.stat_digest:
        raise BenchError(
            f"{run.out} holds a run on data that have changed since ({record.created}). Choose another --out, or "
            "--overwrite always."
        )
    return read_run(run.out)


def _compute(run: Prepared) -> RunResult:
    parts: dict[str, Embedded] = {}
    for role, media in run.media.items():
        with progress.stage(f"embed {role} images", len(media)) as advance:
            parts[role] = local.embed_all(run.plan(role), media, run.cache, advance)
    protocol = run.protocol.component
    fused = {
        role: fuse(media, parts[role].vectors, parts[role].outcomes, unit_length=protocol.unit_length)
        for role, media in run.media.items()
    }
    gallery = join_gallery(fused["gallery"], fused["distractor"])
    with progress.stage("search the gallery", len(gallery.keys)) as advance:
        rows = identify(fused["probe"], gallery, similarity=protocol.similarity, progress=progress.cumulative(advance))
    if all(row.rank is None for row in rows):
        causes = sorted({f"{row.stage}: {row.reason}" for row in rows})
        raise BenchError(
            f"None of {len(rows)} probes could be scored ({'; '.join(causes[:5])}), so there is no result."
        )
    record = make_record(
        config=run.config,
        config_digest=run.request_digest,
        protocol=run.protocol,
        root=run.root,
        data=run.data,
        state=run.stat_digest,
        plans={"probe": run.probe_plan, "gallery": run.gallery_plan},
        embedded={role: (media, parts[role]) for role, media in run.media.items()},
        rows=rows,
        warnings=_warnings(run, parts),
    )
    return RunResult(record, tuple(rows), ledger_rows({role: (m, parts[role]) for role, m in run.media.items()}))


def _warnings(run: Prepared, parts: dict[str, Embedded]) -> tuple[str, ...]:
    """What a reader should know before believing the figures."""
    found = []
    for role, what in (("distractor", "can only raise"), ("gallery", "changes")):
        failed = sum(outcome.status == "failed" for outcome in parts[role].outcomes)
        if failed:
            found.append(f"{failed} {role} images failed and were not searched, which {what} the figures.")
    return (*found, *(f"{finding.name}: {finding.detail}" for finding in _odd_outputs(run)))


def _odd_outputs(run: Prepared) -> list[Finding]:
    """What the canaries see in the first probes' outputs."""
    chain = embedder_for(run.probe_plan).chain
    if chain is None or chain.passthrough:
        return []
    shown = views(run.probe_plan, run.data.probes[:INSPECTED], run.cache)
    pairs = [(lr, out) for lr, out in shown if lr is not None and out is not None]
    plain = all(step.spec.name in INTERPOLATING for step in chain.steps)
    return inspect_outputs(pairs, interpolation_expected=plain)


def _plans(config: RunConfig, protocol: EvalProtocol) -> tuple[EmbedPlan, EmbedPlan]:
    """How probes and how gallery and distractors become embeddings."""
    align = config.align or protocol.default_align
    common: dict[str, Any] = {
        "recogniser": Spec.parse(config.recogniser),
        "flip": protocol.flip,
        "batch_size": config.batch_size,
        "device": config.device,
        "threads": config.threads,
    }
    return (
        EmbedPlan(
            chain=config.hallucinator if config.hallucinate in ("probe", "both") else None,
            align=Spec.parse(align),
            **common,
        ),
        EmbedPlan(
            chain=config.hallucinator if config.hallucinate in ("gallery", "both") else None,
            align=Spec.parse(config.align_gallery or align),
            **common,
        ),
    )


def _default_out(config: RunConfig, request: str) -> Path:
    """A folder under ``runs/`` that names the run and can't be another's: it ends in the request's digest."""
    parts = (config.protocol, config.hallucinator, config.recogniser)
    smoke = ["smoke"] if config.limit is not None else []
    name = "__".join([*("".join(c if c.isalnum() or c in "+=-." else "-" for c in part) for part in parts), *smoke])
    return Path("runs") / f"{name}__{request[:8]}"
