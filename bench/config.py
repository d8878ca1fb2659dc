"""One run's configuration, from defaults, a TOML file and the command line; and where the data sets live."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import platformdirs

from bench.devices import resolve_device
from bench.errors import DataError, MissingError, UsageError
from bench.grammar.labels import label_fault
from bench.grammar.values import convert, suggestion
from bench.io.atomic import write_file
from bench.io.textfiles import read_text
from bench.types import SideChoice

_LARGEST_TOML = 1 << 22

Overwrite = Literal["only-missing", "always", "never"]
Flip = Literal["none", "sum", "mean"]
Fusion = Literal["mean", "unit", "media"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """The configuration of a run; each field is a key of a TOML file and a flag of the command line.

    Attributes:
        protocol: ``name:key=value``.
        data_root: the data set's folder; None looks in the settings and the environment.
        hallucinator: a chain, ``A:key=value+B``.
        recogniser: ``name:key=value``.
        align: the aligner of both sides; None takes the protocol's default.
        align_gallery: another aligner for gallery and distractors; None takes ``align``.
        hallucinate: which side goes through the chain; ``auto`` takes the protocol's default, see
            `EvalProtocol.lr_sides`.
        flip: fusion of an image with its mirror image, see `EvalProtocol.flip`; None takes the protocol's
            default.
        fusion: how media become a template, see `EvalProtocol.fusion`; None takes the protocol's
            default.
        label: name of the run in reports and comparisons; None takes the hallucinator chain. Changes no figure.
        manifest: a file written by ``bench data manifest`` that the data must agree with, or None.
        limit: number of probes (pairs, faces, timed passes) of a smoke run (`bench.execution.data.cut`); None for all.
        limit_gallery: number of gallery and distractor templates besides the mates of the probes; None for all.
        out: the run folder; None makes one under ``runs/``.
        overwrite: what to do when the run folder exists: leave a finished run of the same configuration as it is,
            always run again, or never touch one.
        cache: folder of the cache; None takes the user's cache folder.
        no_cache: work without a cache.
        trust_times: whether files with unchanged sizes and modification times count as unchanged, so that a finished
            run is recognised without reading them.
        images: whether the run stores images for reports.
        batch_size: largest number of images per network call; never changes a figure.
        device: where networks compute: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; ``auto`` is replaced by what it picks.
        threads: threads per process, 0 for all cores.
        seed: seed of the bootstrap intervals.
    """

    protocol: str
    data_root: Path | None = None
    hallucinator: str = "none"
    recogniser: str = "sface"
    align: str | None = None
    align_gallery: str | None = None
    hallucinate: SideChoice = "auto"
    flip: Flip | None = None
    fusion: Fusion | None = None
    label: str | None = None
    manifest: Path | None = None
    limit: int | None = None
    limit_gallery: int | None = None
    out: Path | None = None
    overwrite: Overwrite = "only-missing"
    cache: Path | None = None
    no_cache: bool = False
    trust_times: bool = False
    images: Literal["all", "none"] = "all"
    batch_size: int = 64
    device: str = "cpu"
    threads: int = 0
    seed: int = 0

    @property
    def smoke(self) -> bool:
        """Whether only a part of the study is measured: such a run is not a result."""
        return self.limit is not None or self.limit_gallery is not None


def make_config(file: Path | None, flags: Mapping[str, object]) -> RunConfig:
    """Build a configuration; a flag overrides the file, the file overrides a default.

    Args:
        file: a TOML file whose keys are those of `RunConfig` (``data-root`` and ``data_root`` are one), or None.
        flags: values from the command line.

    Raises:
        UsageError: the file cannot be read, or keys are unknown or have values of a wrong type; all faults are listed.
    """
    merged = {**(read_toml(file) if file else {}), **flags}
    values, faults = check_values(merged)
    if "protocol" not in merged:
        faults.append("protocol is missing (--protocol NAME; `bench list` shows them)")
    if faults:
        where = f" (configuration {file})" if file else ""
        keys = ""
        if any(fault.startswith("unknown key") for fault in faults):
            keys = f" Keys: {', '.join(f.name for f in fields(RunConfig))}."
        raise UsageError(f"Cannot run{where}: {'; '.join(faults)}.{keys}")
    return RunConfig(**values)


def check_values(raw: Mapping[str, object]) -> tuple[dict[str, Any], list[str]]:
    """Convert the values of fields of `RunConfig`.

    Returns:
        The valid values, and one sentence for each invalid one.
    """
    hints = get_type_hints(RunConfig)
    faults = [f"unknown key {key!r}{suggestion(key, hints)}" for key in raw if key not in hints]
    values: dict[str, Any] = {}
    for key in (key for key in hints if key in raw):
        try:
            values[key] = convert(raw[key], hints[key])
        except ValueError as error:
            faults.append(f"{key}: {error}")
    if isinstance(values.get("device"), str):
        try:
            values["device"] = resolve_device(values["device"])
        except UsageError as error:
            faults.append(str(error).rstrip("."))
    if values.get("label") is not None and (fault := label_fault(values["label"])):
        faults.append(f"label: {fault}")
    for key, least in (("limit", 1), ("limit_gallery", 1), ("batch_size", 1), ("threads", 0), ("seed", 0)):
        value = values.get(key)
        if value is not None and value < least:
            faults.append(f"{key} is {value}; it must be at least {least}")
    return values, faults


def settings_file() -> Path:
    """The user's settings file; ``BENCH_CONFIG`` names another."""
    named = os.environ.get("BENCH_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("bench") / "config.toml"


def cache_folder(config: RunConfig) -> Path:
    """Folder of the cache: ``--cache``, else ``BENCH_CACHE``, else the user's cache folder."""
    if config.cache:
        return config.cache
    named = os.environ.get("BENCH_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("bench")


def read_settings() -> dict[str, Any]:
    """The user's settings; empty when there are none. Raises UsageError when the file is damaged."""
    path = settings_file()
    return read_toml(path, normalise=False) if path.is_file() else {}


def get_setting(key: str) -> str | None:
    """One setting by its dotted key (``data.tinyface``), or None."""
    value: object = read_settings()
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if value is None else str(value)


def set_setting(key: str, value: str) -> Path:
    """Store one setting by its dotted key; returns the settings file."""
    import tomli_w

    parts = key.split(".")
    if not all(part.replace("-", "").replace("_", "").isalnum() for part in parts) or len(parts) < 2:
        raise UsageError(f"{key!r} is not a settings key; one is 'data.NAME', for instance data.tinyface")
    settings = read_settings()
    table = settings
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UsageError(f"{key!r}: {part!r} is already a value in {settings_file()}")
    table[parts[-1]] = value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{key}: {value!r} is not UTF-8 text, and settings must be; give the folder another name"
        ) from None
    path = settings_file()
    write_file(path, tomli_w.dumps(settings))
    return path


def unset_setting(key: str) -> Path:
    """Remove one setting by its dotted key; returns the settings file.

    Raises:
        MissingError: it is not set.
    """
    import tomli_w

    settings = read_settings()
    *parents, last = key.split(".")
    tables: list[dict[str, Any]] = [settings]
    for part in parents:
        table = tables[-1].get(part)
        tables.append(table if isinstance(table, dict) else {})
    if last not in tables[-1]:
        raise MissingError(f"{key!r} is not set in {settings_file()}")
    del tables[-1][last]
    for part, table in zip(reversed(parents), reversed(tables[:-1]), strict=True):
        if not table[part]:
            del table[part]
    write_file(settings_file(), tomli_w.dumps(settings))
    return settings_file()


def flat_settings() -> dict[str, str]:
    """All settings by their dotted keys, sorted."""

    def flat(table: Mapping[str, Any], prefix: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for key, value in table.items():
            values |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": str(value)}
        return values

    return dict(sorted(flat(read_settings(), "").items()))


def read_toml(path: Path, *, normalise: bool = True) -> dict[str, Any]:
    """Read a TOML file; ``normalise`` treats ``data-root`` as ``data_root``. Raises UsageError if it is unreadable."""
    try:
        content = tomllib.loads(read_text(path, most=_LARGEST_TOML))
    except DataError as error:
        raise UsageError(f"Cannot read a TOML file: {error}") from None
    except (ValueError, RecursionError) as error:  # ValueError: TOML errors, and integers of too many digits
        raise UsageError(f"Cannot read {path} as TOML: {error}") from None
    return {key.replace("-", "_"): value for key, value in content.items()} if normalise else content
