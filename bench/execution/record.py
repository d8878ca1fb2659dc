"""What a run leaves: its record (``run.json``), its ledger, and small images of its probes for reports."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench import __version__, progress
from bench.devices import CPU
from bench.errors import DataError
from bench.evaluation import UNRECOGNISED, kind_of
from bench.evaluation.contract import Measured, Prepared
from bench.interfaces import Aligner, Hallucinator, Recogniser
from bench.modules.plugin_file import plugin_files
from bench.pipeline.build import Built
from bench.pipeline.embedder import embedder_for
from bench.pipeline.plan import Embedded, EmbedPlan
from bench.pipeline.reader import open_media
from bench.pipeline.views import PictureStore, encode_picture
from bench.provenance import data_digest, environment, files_digest
from bench.results import ItemRow, LedgerRow, ProbeRow, RunRecord, RunResult, StageRecord
from bench.results.ledger import role_ledger
from bench.types import Media, Role

_IDENTIFIED: tuple[Role, ...] = ("probe", "gallery")
EmbeddedMedia = Mapping[Role, tuple[Sequence[Media], Embedded]]


def make_record(run: Prepared, measured: Measured, warnings: tuple[str, ...]) -> RunRecord:
    """Assemble the record of a run.

    Args:
        run: the run.
        measured: its measurements.
        warnings: sentences that belong beside the figures, those of ``measured`` included.
    """
    config, rules, arrangement = run.config, run.protocol.component, run.arrangement
    embedded = measured.embedded
    digested = [pair for items, part in embedded.values() for pair in zip(items, part.file_digests, strict=True)]
    return RunRecord(
        bench_version=__version__,
        label=config.hallucinator,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        smoke=config.smoke,
        limit=config.limit,
        limit_gallery=config.limit_gallery,
        sample=run.sample,
        config={
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(replace(config, hallucinate=run.side)).items()
        },
        config_digest=run.request_digest,
        protocol={
            "name": run.protocol.spec.name,
            "arguments": run.protocol.arguments,
            "version": rules.version,
            "source": run.protocol.source,
            "similarity": rules.similarity,
            "unit_length": rules.unit_length,
            "flip": rules.flip,
            "ranks": list(rules.ranks),
            "mean_average_precision": rules.mean_average_precision,
            "fusion": rules.fusion,
            "score_weighted": rules.score_weighted,
            **measured.rules,
        },
        data={
            "name": rules.dataset,
            "root": str(run.root),
            "official": run.data.official,
            "digest": data_digest(digested),
            "files_digest": files_digest(digested),
            "stat_digest": run.stat_digest,
            "counts": {
                **{role: len(items) for role, (items, _) in embedded.items()},
                **{f"{role} identities": len({i.identity for i in run.media[role]}) for role in _IDENTIFIED},
            },
            "notes": list(run.data.notes),
        },
        stages=stage_records(
            {"probe": run.probe_plan, "gallery": run.gallery_plan}, embeds=kind_of(run.data) not in UNRECOGNISED
        ),
        metrics=measured.metrics,
        ledger={role: role_ledger(part.outcomes) for role, (_, part) in embedded.items()},
        warnings=warnings,
        timings={
            f"{stage} ({role})": {"seconds": round(seconds, 4), "images": part.counts.get(stage, 0)}
            for role, (_, part) in embedded.items()
            for stage, seconds in part.seconds.items()
        },
        environment={**environment(device=config.device, threads=config.threads), **_plugin_files()},
        seed=config.seed,
        code=run.code,
        choices={
            "asked": {"hallucinate": config.hallucinate, "align": config.align, "align_gallery": config.align_gallery},
            "frames": dict(arrangement.frames),
            "notes": list(arrangement.notes),
        },
    )


def _plugin_files() -> dict[str, object]:
    """Names and SHA-256 of the plugin files of this command; empty where there are none."""
    files = [{"name": Path(path).name, "sha256": sha256} for path, sha256 in plugin_files().items()]
    return {"plugin_files": files} if files else {}


def ledger_rows(embedded: EmbeddedMedia) -> tuple[LedgerRow, ...]:
    """One row for every image that did not end ok."""
    return tuple(
        LedgerRow(item.key, item.role, outcome.status, outcome.stage, outcome.reason)
        for items, part in embedded.values()
        for item, outcome in zip(items, part.outcomes, strict=True)
        if outcome.status != "ok"
    )


def processor_note(device: str, plans: Sequence[EmbedPlan], *, embeds: bool) -> str:
    """A sentence that names the networks which compute on the CPU although another device was requested.

    Args:
        device: the device of the run.
        plans: of the sides.
        embeds: whether images are aligned and embedded.

    Returns:
        The sentence; empty where there is no such network.
    """
    if device == CPU:
        return ""
    names = []
    for plan in plans:
        embedder = embedder_for(plan)
        stages: list[Built[Hallucinator] | Built[Aligner] | Built[Recogniser]] = []
        stages += embedder.chain.steps if embedder.chain else ()
        stages += [embedder.aligner, embedder.recogniser] if embeds else []
        names += [str(stage.spec) for stage in stages if stage.component.weights and stage.execution()["device"] == CPU]
    listed = ", ".join(dict.fromkeys(names))
    return f"Device {device}: {listed} cannot use it and computes on the processor." if listed else ""


def stage_records(plans: Mapping[str, EmbedPlan], *, embeds: bool) -> tuple[StageRecord, ...]:
    """The stages that images passed; where nothing is embedded, the chains alone."""
    records = []
    for side, plan in plans.items():
        embedder = embedder_for(plan)
        steps = embedder.chain.steps if embedder.chain else ()
        records += [step.record("hallucinate", side) for step in steps]
        if embeds:
            records += [embedder.aligner.record("align", side), embedder.recogniser.record("embed", side)]
    return tuple(records)


def images_of_run(
    stored: PictureStore, media: Mapping[Role, Sequence[Media]], result: RunResult
) -> Iterator[tuple[str, bytes]]:
    """Members of a run's ``images.zip``, one after the other; see `bench.results.folder`.

    Args:
        stored: pictures of the probes, kept while they were embedded.
        media: media by role.
        result: of the run; row i of the searched probes, or item i, is ``.../00000i.png``.
    """
    faces = _first_media([*media["gallery"], *media.get("distractor", ())])
    rows: Sequence[ProbeRow | ItemRow] = result.probes or [item for item in result.items if item.key in stored]
    with progress.stage("keep images for reports", len(rows)) as advance:
        for index, row in enumerate(rows):
            picture = stored[_template(row)]
            if picture.lr:
                yield f"lr/{index:06d}.png", picture.lr
            if picture.out:
                yield f"out/{index:06d}.png", picture.out
            for kind, key in _compared(row, faces):
                try:
                    yield f"{kind}/{index:06d}.png", encode_picture(open_media(faces[key]))
                except DataError:
                    continue  # the ledger already counts it: another media of its template was scored
            advance(1)


def _compared(row: ProbeRow | ItemRow, faces: Mapping[str, Media]) -> list[tuple[str, str]]:
    """The images that are shown beside a probe: kind and template."""
    if isinstance(row, ItemRow):
        return [("truth", row.key)] if row.key in faces else []
    return [(kind, key) for kind, key in (("mate", row.best_mated_key), ("impostor", row.best_nonmated_key)) if key]


def _template(row: ProbeRow | ItemRow) -> str:
    return row.key if isinstance(row, ItemRow) else row.template or row.key


def _first_media(media: Sequence[Media]) -> dict[str, Media]:
    """The media that stands for each template."""
    first: dict[str, Media] = {}
    for item in media:
        first.setdefault(item.template, item)
    return first
