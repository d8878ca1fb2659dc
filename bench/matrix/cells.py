"""The cells of an experiment: every protocol with every hallucinator and recogniser, without the exceptions."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from bench.config import RunConfig, get_setting
from bench.errors import BenchError, MissingError, UsageError
from bench.execution.data import find_data
from bench.execution.finished import WITHOUT_EFFECT
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.io.file_digests import digest_of
from bench.matrix.experiment_file import ALL, AXES, LR_FACE, Experiment
from bench.pipeline.build import build
from bench.registry import Entry, Spec

_LONGEST = 120
_OF_EMBEDDINGS = ("recogniser", "align", "align_gallery", "flip", "fusion")


@dataclass(frozen=True)
class Cell:
    """One run of an experiment.

    Attributes:
        name: of its folder in that of the experiment.
        config: of the run.
        drawn: whether the protocol's sample is used because the folder ``BENCH_DATA`` lacks this data set.
        recognises: whether its figures depend on the recogniser; if not, this is the cell of all recognisers.
        lr_aligner: aligner of a further row of the LR face; empty for all other cells.
    """

    name: str
    config: RunConfig
    drawn: bool = False
    recognises: bool = True
    lr_aligner: str = ""

    @property
    def recogniser(self) -> str:
        """The recogniser as the user wrote it; empty if figures do not depend on one."""
        return self.config.recogniser if self.recognises else ""

    @property
    def hallucinator(self) -> str:
        """The hallucinator as the user wrote it, with the aligner of a further row of the LR face."""
        more = f" (align {self.lr_aligner})" if self.lr_aligner else ""
        return f"{self.config.hallucinator}{more}"

    @property
    def digest(self) -> str:
        """Digest of its configuration, without options that do not change figures."""
        return digest_of({key: v for key, v in asdict(self.config).items() if key not in WITHOUT_EFFECT})


@dataclass(frozen=True)
class Matrix:
    """The cells of an experiment.

    Attributes:
        name: of the experiment.
        out: its folder.
        cells: in the order in which they run.
        left_out: protocols of ``all`` that cannot run, and why.
        config: the experiment as values for JSON.
        source: the bytes of the experiment file, or None.
    """

    name: str
    out: Path
    cells: tuple[Cell, ...]
    left_out: Mapping[str, str]
    config: Mapping[str, Any]
    source: bytes | None = None

    @property
    def digest(self) -> str:
        """Digest of the configurations of all cells."""
        return digest_of([cell.digest for cell in self.cells])


def make_matrix(experiment: Experiment) -> Matrix:
    """Lay out the cells of an experiment; a protocol whose figures depend on no recogniser has one cell for all.

    Raises:
        UsageError: no cell is left, or one data folder or manifest is given for several data sets.
    """
    protocols, drawn, left_out = _protocols(experiment)
    built = {item: _build_protocol(item) for item in protocols}
    datasets = {item: protocol.dataset if protocol else "" for item, protocol in built.items()}
    _check_data(experiment, datasets)
    unnamed_cells: list[Cell] = []
    for combination in product(protocols, experiment.axes["hallucinator"], experiment.axes["recogniser"]):
        axes = dict(zip(AXES, combination, strict=True))
        rules = [rule for rule in experiment.rules if rule.applies_to(axes)]
        if any(rule.exclude for rule in rules):
            continue
        values = {**experiment.options, **{k: v for rule in rules for k, v in rule.options.items()}, **axes}
        if datasets[axes["protocol"]] in experiment.data:
            values["data_root"] = experiment.data[datasets[axes["protocol"]]]
        protocol = built[axes["protocol"]]
        recognises = protocol is None or protocol.recognises
        cell = Cell("", RunConfig(**{**values, **experiment.flags}), axes["protocol"] in drawn, recognises)
        if recognises or not any(
            _without_embedding_options(cell) == _without_embedding_options(other) for other in unnamed_cells
        ):
            unnamed_cells.append(cell)
        if recognises and axes["hallucinator"] == LR_FACE:
            unnamed_cells += _lr_rows(cell, experiment.lr_aligners)
    if not unnamed_cells:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise UsageError(f"No cell is left to run{f' ({reasons})' if reasons else ''}.")
    digest = digest_of([cell.digest for cell in unnamed_cells])
    out = experiment.out or Path("runs") / (experiment.name or f"study__{digest[:8]}")
    names = _names(unnamed_cells)
    cells = tuple(
        replace(cell, name=name, config=replace(cell.config, out=out / name))
        for name, cell in zip(names, unnamed_cells, strict=True)
    )
    return Matrix(experiment.name or out.name, out, cells, left_out, _plain(experiment), experiment.source)


def _protocols(experiment: Experiment) -> tuple[list[str], set[str], dict[str, str]]:
    """Protocols with ``all`` expanded; those of ``all`` that use their sample; those that cannot run, with reasons."""
    names: list[str] = []
    drawn: set[str] = set()
    left_out: dict[str, str] = {}
    for item in experiment.axes["protocol"]:
        if item != ALL:
            names.append(item)
            continue
        for entry in PROTOCOLS:
            reason = _why_not(entry, experiment, drawn)
            if reason is None:
                names.append(entry.name)
            else:
                left_out[entry.name] = reason
    return list(dict.fromkeys(names)), drawn - set(experiment.axes["protocol"]), left_out


def _why_not(entry: Entry[EvalProtocol], experiment: Experiment, drawn: set[str]) -> str | None:
    """Why a protocol cannot be part of ``all``, or None. Adds its name to ``drawn`` where its sample is to be used."""
    missing = entry.missing()
    required = [argument.name for argument in entry.arguments() if argument.required]
    if missing or required:
        return missing or f"it requires {', '.join(required)}"
    try:
        protocol = build(PROTOCOLS, Spec(entry.name)).component
    except MissingError as error:
        return str(error)
    if protocol.dataset in experiment.data or "data_root" in experiment.flags | experiment.options:
        return None
    if get_setting(f"data.{protocol.dataset}"):
        return None
    try:
        if os.environ.get("BENCH_DATA"):
            find_data(protocol, None)
            return None
    except MissingError:
        drawn.add(entry.name)
    except BenchError:
        return None  # its cells report the fault of the data
    if type(protocol).write_sample is EvalProtocol.write_sample:
        return "it has neither data nor a sample"
    return None


def _build_protocol(item: str) -> EvalProtocol | None:
    """A protocol; None where it cannot be built, which its cells report."""
    try:
        return build(PROTOCOLS, Spec.parse(item)).component
    except MissingError:
        return None


def _without_embedding_options(cell: Cell) -> RunConfig:
    """The configuration of a cell, without options that affect only embeddings."""
    plain = RunConfig(protocol="")
    return replace(cell.config, **{name: getattr(plain, name) for name in _OF_EMBEDDINGS})


def _check_data(experiment: Experiment, datasets: Mapping[str, str]) -> None:
    registered = {getattr(entry.factory, "dataset", entry.name) for entry in PROTOCOLS}
    known = registered | set(datasets.values()) | {entry.name for entry in PROTOCOLS}
    unknown = sorted(set(experiment.data) - known)
    if unknown:
        raise UsageError(f"[data] names {', '.join(unknown)}; data sets are {', '.join(sorted(known - {''}))}.")
    several = sorted(set(datasets.values()))
    if "data_root" in experiment.flags | experiment.options and len(several) > 1:
        raise UsageError(
            f"--data-root is one folder, for {len(several)} data sets: {', '.join(several)}. Set each by `bench "
            "config set data.NAME DIR`, or in [data] of an experiment file."
        )
    if (experiment.flags | experiment.options).get("manifest") and len(datasets) > 1:
        raise UsageError(
            f"--manifest is of one protocol, and there are {len(datasets)}: {', '.join(datasets)}. In an experiment "
            "file, [[cell]] with protocol and manifest names one for each."
        )


def _lr_rows(cell: Cell, aligners: Sequence[str]) -> list[Cell]:
    """Further rows of the LR face: a cell of it under each of some aligners."""
    return [
        replace(cell, config=replace(cell.config, align=name), lr_aligner=name)
        for name in aligners
        if name != cell.config.align
    ]


def _names(cells: Sequence[Cell]) -> list[str]:
    """A readable and unique folder name for each cell."""
    names = []
    for cell in cells:
        row = f"{cell.config.hallucinator}+align={cell.lr_aligner}" if cell.lr_aligner else cell.config.hallucinator
        parts = (cell.config.protocol, row, cell.config.recogniser)
        name = "__".join("".join(c if c.isalnum() or c in "+=-." else "-" for c in part) for part in parts)
        names.append(name if len(os.fsencode(name)) <= _LONGEST else f"{name[: _LONGEST // 4]}__{cell.digest[:8]}")
    counts = Counter(name.lower() for name in names)  # some file systems ignore case
    return [
        name if counts[name.lower()] == 1 else f"{name[: _LONGEST // 2]}__{cell.digest[:8]}"
        for name, cell in zip(names, cells, strict=True)
    ]


def _plain(experiment: Experiment) -> dict[str, Any]:
    """The experiment as values for JSON."""
    config = {f"{axis}s": list(items) for axis, items in experiment.axes.items()}
    defaults = {f.name: f.default for f in fields(RunConfig)}
    options = {k: v for k, v in (experiment.options | experiment.flags).items() if v != defaults[k]}
    config |= {"lr_aligners": list(experiment.lr_aligners)} if experiment.lr_aligners else {}
    rules = [{**rule.where, "exclude": rule.exclude, "options": dict(rule.options)} for rule in experiment.rules]
    plain: dict[str, Any] = _texts({**config, "options": options, "data": experiment.data, "cells": rules})
    return plain


def _texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _texts(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_texts(part) for part in value]
    return str(value) if isinstance(value, Path) else value
