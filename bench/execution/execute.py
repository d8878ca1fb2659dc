"""One run, from a configuration to a run folder."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bench import evaluation, progress
from bench.config import RunConfig, cache_folder
from bench.devices import resolve_device
from bench.diagnosis.of_run import diagnose
from bench.digests.closure import closure
from bench.engine.base import engine_for
from bench.evaluation.contract import ImageSelection, Measured, Prepared, view_first
from bench.execution.data import cut, find_or_draw
from bench.execution.finished import outdated
from bench.execution.manifest import check_manifest
from bench.execution.output_checks import INSPECTED, inspect_run
from bench.execution.record import images_of_run, ledger_rows, make_record, processor_note
from bench.faults import refuse_exit
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.io.atomic import hidden_sibling
from bench.io.file_digests import digest_of, file_state, path_digest, refuse_changed
from bench.io.outputs import check_output
from bench.pipeline.arrangement import arrange
from bench.pipeline.build import Built, build
from bench.pipeline.cache import Cache
from bench.pipeline.embedder import embedder_for, renewed_embedder
from bench.pipeline.plan import EmbedPlan
from bench.pipeline.views import PictureStore
from bench.provenance import stat_digest
from bench.registry import Spec, load_plugins
from bench.results import RunResult
from bench.results.folder import read_run, write_run
from bench.results.kinds import IDENTIFICATION
from bench.studies import Study
from bench.types import Role

_CODE_DIGITS = 16


def prepare(config: RunConfig, studies: dict[str, Study] | None = None) -> Prepared:
    """Check all that can be checked before the work starts: names, arguments, data, sizes.

    Args:
        config: what to do.
        studies: studies that were read before, by digest, to be used again and added to; None reads the data.

    Raises:
        UsageError, MissingError, DataError: something is wrong; nothing has been written.
    """
    load_plugins()
    config = replace(config, device=resolve_device(config.device))
    if config.out is not None:
        check_output(config.out, folder=True)
    official = build(PROTOCOLS, Spec.parse(config.protocol))
    protocol = _overridden(official, config)
    arrangement = arrange(config, protocol.component)
    probe_plan, gallery_plan = arrangement.probe, arrangement.gallery
    for plan in (probe_plan, gallery_plan):
        renewed_embedder(plan)
    root = find_or_draw(protocol.component, config.data_root, cache_folder(config) / "samples")
    data = _read(protocol, root, cache_folder(config), {} if studies is None else studies, config.manifest)
    data = cut(data, config.limit, config.limit_gallery)
    decisive: list[object] = [
        embedder_for(probe_plan).configuration,
        embedder_for(gallery_plan).configuration,
        protocol.configuration,
        [config.limit, config.limit_gallery],
        config.seed,
        config.images,
        evaluation.kind_of(data),
    ]
    if protocol.component.fusion != official.component.fusion:  # the flip is part of the fingerprints
        decisive.append(["fusion", protocol.component.fusion])
    request = digest_of(decisive)
    out = config.out or _default_out(config, request)
    state = _state(data)
    code = _code(protocol, (probe_plan, gallery_plan), evaluation.kind_of(data))
    selection = ImageSelection(INSPECTED, pictures=config.images == "all")
    return Prepared(config, protocol, root, data, arrangement, request, state, out, code, engine_for(config), selection)


def execute(run: Prepared, report: Callable[[str], None] = lambda sentence: None) -> tuple[RunResult, bool]:
    """Compute a run and write its folder, unless the folder holds a finished run of the same request, data and code.

    A run of the same request and data that was computed by other code is replaced; its ``run.json`` stays beside the
    new one.

    Args:
        run: what to compute.
        report: called with a sentence before a finished run is replaced.

    Returns:
        The result, and whether it was computed now (False: the finished run was read).

    Raises:
        BenchError: no probe could be scored, the folder is taken, the disk is full.
    """
    again = None
    if run.config.overwrite != "always" and run.out.exists() and any(run.out.iterdir()):
        again = outdated(run)
        if again is None:
            return read_run(run.out), False
        report(again)
    check_output(hidden_sibling(run.out))
    if run.cache is not None:
        with Cache(run.cache):  # an error of the cache is raised before the work
            pass
    result, pictures = _compute(run)
    with pictures:
        images = images_of_run(pictures, run.media, result) if run.selection.pictures else None
        write_run(run.out, result, images=images, replace=again is not None or run.config.overwrite == "always")
    return result, True


def _code(protocol: Built[EvalProtocol], plans: Sequence[EmbedPlan], kind: str) -> dict[str, str]:
    """First digits of the digests of all modules that decide the figures of a run, by name."""
    modules = {**closure(__name__), **evaluation.code_of(kind), **protocol.code}
    for plan in plans:
        modules.update(embedder_for(plan).code)
    return {name: digest[:_CODE_DIGITS] for name, digest in sorted(modules.items())}


def _compute(run: Prepared) -> tuple[RunResult, PictureStore]:
    """The result, and the pictures of its probes."""
    measured = evaluation.measure(run)
    for plan in (run.probe_plan, run.gallery_plan):
        embedder_for(plan).refuse_changed()
    refuse_changed(run.protocol.files)
    warnings = (*measured.warnings, *_warnings(run, measured))
    warnings += diagnose(run, _lr_face(run), measured, warnings)
    record = make_record(run, measured, warnings)
    result = RunResult(record, measured.rows, ledger_rows(measured.embedded), measured.items, measured.arrays)
    return result, measured.images.pictures


def _lr_face(run: Prepared) -> Prepared:
    """The same run of the LR face, aligned as it would be by itself; none of its images are kept."""
    config = replace(run.config, hallucinator="none")
    arrangement = arrange(config, run.protocol.component)
    return replace(run, config=config, arrangement=arrangement, selection=ImageSelection())


def _warnings(run: Prepared, measured: Measured) -> tuple[str, ...]:
    """What a reader should know before believing the figures."""
    warnings = []
    sides: tuple[tuple[Role, str], ...] = (("distractor", "can only raise"), ("gallery", "changes"))
    for role, what in sides if evaluation.kind_of(run.data) == IDENTIFICATION else ():
        outcomes = measured.embedded[role][1].outcomes if role in measured.embedded else ()
        failed = sum(outcome.status == "failed" for outcome in outcomes)
        if failed:
            warnings.append(f"{failed} {role} images failed and were not searched, which {what} the figures.")
    for plan in (run.probe_plan, run.gallery_plan):
        embedder = embedder_for(plan)
        steps = embedder.chain.steps if embedder.chain else ()
        warnings += [note for step in steps for note in step.notes()]
        warnings += [*embedder.aligner.notes(), *embedder.recogniser.notes()]
    embeds = evaluation.kind_of(run.data) not in evaluation.UNRECOGNISED
    note = processor_note(run.config.device, (run.probe_plan, run.gallery_plan), embeds=embeds)
    warnings += [note] if note else []
    warnings += run.arrangement.warnings
    findings = inspect_run(run, view_first(run, "probe", INSPECTED, measured.images))
    return (*dict.fromkeys(warnings), *(f"{finding.name}: {finding.detail}" for finding in findings))


def _overridden(protocol: Built[EvalProtocol], config: RunConfig) -> Built[EvalProtocol]:
    """The protocol with the rules that the user named in place of its defaults; every kind of study follows them."""
    component = copy.copy(protocol.component)
    if config.flip is not None:
        component.flip = config.flip
    if config.fusion is not None:
        component.fusion = config.fusion
    return replace(protocol, component=component)


def _read(
    protocol: Built[EvalProtocol], root: Path, cache: Path, studies: dict[str, Study], manifest: Path | None
) -> Study:
    """The protocol's study, read now or before, and checked against a manifest where one is given."""
    scratch = cache / "derived" / protocol.component.dataset
    name = digest_of([protocol.fingerprint, str(root)])
    if name not in studies:
        with progress.counted(f"read {protocol.component.dataset}") as advance:
            with refuse_exit(f"Protocol {protocol.spec}"):
                studies[name] = protocol.component.read_with(root, scratch, advance)
    if manifest is not None:
        files = sorted({item.path for items in studies[name].media.values() for item in items})
        agreed = digest_of([name, manifest, path_digest(manifest), [_state_of(path) for path in files]])
        if agreed not in studies:
            check_manifest(manifest, protocol, root, scratch, studies[name])
            studies[agreed] = studies[name]
    return studies[name]


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        return file_state(path)
    except OSError:
        return ()


def _state(data: Study) -> str:
    """The state of all files of a study."""
    return stat_digest(item for items in data.media.values() for item in items)


def _default_out(config: RunConfig, request: str) -> Path:
    """A folder under ``runs/`` with the name of the run, unique by the digest of the request at its end."""
    parts = (config.protocol, config.hallucinator, config.recogniser)
    smoke = ["smoke"] if config.smoke else []
    name = "__".join([*("".join(c if c.isalnum() or c in "+=-." else "-" for c in part) for part in parts), *smoke])
    return Path("runs") / f"{name}__{request[:8]}"
