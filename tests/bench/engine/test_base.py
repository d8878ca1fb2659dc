"""Every kind of study has the same figures by an engine whose workers share no memory with the run."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.config import RunConfig
from bench.engine.base import Engine, Stage, engine_for
from bench.engine.local import LocalEngine, compute_apart, split
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.execution.execute import execute, prepare
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.progress import Progress, ProgressCount
from bench.results import RunResult
from bench.results.folder import read_run
from bench.studies import ExpressionSet, IdentificationSet, RestorationSet, Study, VerificationSet
from bench.types import CheckLine, Cut, Media, Role

LABELS = ("anger", "fear")


def compute_pickled(task: bytes) -> bytes:
    return pickle.dumps(compute_apart(*pickle.loads(task)))


class ReversedEngine:
    """Pickles stages, shards and results; other processes compute small shards, the last one first."""

    def __init__(self, pool: Executor) -> None:
        self.pool, self.shards = pool, 0

    def map(
        self,
        stage: Stage[Any, Any],
        items: Iterable[Any],
        *,
        shard_size: int = 3,
        processes: int = 1,
        threads: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Any]:
        shards = list(split(items, min(shard_size, 3)))
        tasks = [self.pool.submit(compute_pickled, pickle.dumps((stage, shard))) for shard in reversed(shards)]
        for task in reversed(tasks):
            result, count = pickle.loads(task.result())
            count.add_to(progress or ProgressCount())
            self.shards += 1
            yield result


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        yield executor


def media(root: Path, role: Role, **more: Any) -> tuple[Media, ...]:
    """The 16 images of a side of the small TinyFace; the second one of the probes is absent."""
    folder = root / "Testing_Set" / ("Probe" if role == "probe" else "Gallery_Match")
    paths = sorted(folder.iterdir())
    if role == "probe":
        paths[1] = folder / "absent.jpg"
    return tuple(
        Media(path.name, path, role, str(k // 2), f"{role}/{k}", attributes={"expression": LABELS[k % 2]}, **more)
        for k, path in enumerate(paths)
    )


def identification(root: Path) -> IdentificationSet:
    return IdentificationSet(media(root, "gallery"), media(root, "probe"))


def verification(root: Path) -> VerificationSet:
    first, second = (places.ravel() for places in np.mgrid[:16, :16])
    return VerificationSet(media(root, "gallery"), media(root, "probe"), first, second, first // 2 == second // 2)


def restoration(root: Path) -> RestorationSet:
    truths = media(root, "gallery")
    faces = tuple(replace(truth, role="probe", cut=Cut(side=16)) for truth in truths)
    faces = (*faces[:3], replace(faces[3], path=root / "absent.jpg"), *faces[4:])
    return RestorationSet(faces, truths)


def expression(root: Path) -> ExpressionSet:
    faces = media(root, "probe")
    return ExpressionSet(faces, media(root, "gallery"), LABELS, {str(person): person % 2 for person in range(8)})


@pytest.mark.parametrize("read_study", [identification, verification, restoration, expression])
@pytest.mark.parametrize("cached", [False, True])
def test_figures_rows_and_images_are_those_of_this_machine(
    read_study: Callable[[Path], Study], cached: bool, small_tinyface: Path, tmp_path: Path, pool: Executor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Small(EvalProtocol):
        dataset, how_to_get, recognises = "study", "", read_study is not expression
        classification = ClassifierPlan(epochs=1)

        def locate(self, root: Path) -> Path:
            return root

        def read(self, root: Path) -> Any:
            return read_study(root)

        def check(self, root: Path, progress: object = None) -> list[CheckLine]:
            return []

    monkeypatch.setattr(PROTOCOLS, "_entries", dict(PROTOCOLS._entries))
    PROTOCOLS.register("study", summary="", source="")(Small)
    engine = ReversedEngine(pool)
    results = [
        run_study(small_tinyface, tmp_path / name, chosen, cached) for name, chosen in (("a", None), ("b", engine))
    ]
    assert engine.shards >= 10
    for here, there in zip(*map(parts_of, results), strict=True):
        assert here == there
    assert any(row.status == "failed" for row in results[0].ledger)
    for name in results[0].arrays:
        assert np.array_equal(results[0].arrays[name], results[1].arrays[name], equal_nan=True)
    assert images_in(tmp_path / "a") == images_in(tmp_path / "b")
    assert bool(images_in(tmp_path / "a")) == (read_study is not verification)


def images_in(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "images.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def run_study(root: Path, out: Path, engine: Engine | None, cached: bool) -> RunResult:
    config = RunConfig(
        protocol="study", data_root=root, hallucinator="bicubic:size=32", recogniser="sface", out=out, threads=1,
        hallucinate="probe", no_cache=not cached, cache=out.with_name(f"cache-{out.name}"),
    )  # fmt: skip
    prepared = prepare(config)
    execute(replace(prepared, engine=engine) if engine else prepared)
    return read_run(out)


def parts_of(result: RunResult) -> Sequence[object]:
    record = result.record
    counts = {stage: row["images"] for stage, row in record.timings.items()}
    data = {key: value for key, value in record.data.items() if key != "stat_digest"}
    return (
        record.metrics, result.probes, result.items, result.ledger, record.ledger, record.warnings, counts, data,
        record.protocol, record.stages,
    )  # fmt: skip


def test_times_are_measured_on_this_machine_by_any_engine(tmp_path: Path, pool: Executor) -> None:
    engine = ReversedEngine(pool)
    config = RunConfig(protocol="efficiency:batches=[1],repeats=3,lr=16", hallucinator="bicubic", out=tmp_path / "run")
    result, _ = execute(replace(prepare(config), engine=engine))
    assert engine.shards == 0 and result.record.metrics["ms@batch=1"].n == 3


def test_a_run_is_computed_on_this_machine() -> None:
    assert isinstance(engine_for(RunConfig(protocol="tinyface")), LocalEngine)
