"""Reads an experiment, many runs at once, from flags or from an experiment file such as ``bench.toml``.

[experiment]
name = "table"                        # out = "DIR"; both are optional
protocols = ["tinyface", "celeba:lr=32"]
hallucinators = ["none", "bicubic"]
recognisers = ["sface"]

[options]                             # flags of `bench run`
align = "mtcnn"

[data]                                # relative to this file
tinyface = "../TinyFace"

[[cell]]                              # exceptions: exclude, or other options
protocol = "tinyface"
hallucinator = "bicubic"
exclude = true
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from bench.config import RunConfig, check_values, read_toml
from bench.errors import UsageError
from bench.grammar.values import suggestion
from bench.interfaces import ALIGNERS, HALLUCINATORS, PROTOCOLS, RECOGNISERS
from bench.registry import Registry
from bench.specs import check_item, split_items

ALL = "all"
AXES: dict[str, Registry[Any]] = {
    "protocol": PROTOCOLS,
    "hallucinator": cast("Registry[Any]", HALLUCINATORS),
    "recogniser": cast("Registry[Any]", RECOGNISERS),
}
_DEFAULTS = {"hallucinator": ["none"], "recogniser": ["sface"]}
_TABLES = ("experiment", "options", "data", "cell")
_OLD_TABLE = "study"
"""Earlier name of the table ``[experiment]``, still accepted."""
_LR_ALIGNERS = "lr_aligners"
LR_FACE = "none"
_PATHS = ("cache", "manifest")
OPTIONS = tuple(f.name for f in fields(RunConfig) if f.name not in (*AXES, "data_root", "out"))


@dataclass(frozen=True)
class CellRule:
    """An exception for some cells of an experiment.

    Attributes:
        where: by axis, the components of the cells; an absent axis means all.
        exclude: whether these cells are excluded.
        options: values that replace those of the experiment.
    """

    where: Mapping[str, tuple[str, ...]]
    exclude: bool
    options: Mapping[str, Any]

    def applies_to(self, axes: Mapping[str, str]) -> bool:
        """Whether the rule applies to a cell."""
        return all(axes[axis] in items for axis, items in self.where.items())


@dataclass
class Experiment:
    """An experiment, checked as far as possible without its data.

    Attributes:
        axes: protocols, hallucinators and recognisers by the name of their flag.
        options: values for all cells, converted.
        flags: values from the command line, which override all others, converted.
        data: folders by data set.
        rules: exceptions; a later one overrides an earlier one.
        name: of the experiment, or None.
        out: its folder, or None.
        source: the bytes of the experiment file, or None.
        lr_aligners: aligners of further rows of the LR face, one row each for every protocol and recogniser.
    """

    axes: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Path] = field(default_factory=dict)
    rules: list[CellRule] = field(default_factory=list)
    name: str | None = None
    out: Path | None = None
    source: bytes | None = None
    lr_aligners: list[str] = field(default_factory=list)


def read_experiment(file: Path | None, flags: Mapping[str, Any]) -> Experiment | dict[str, Any]:
    """Read an experiment; for a single run its flags, with each component as one text.

    Args:
        file: an experiment file, a flat TOML file as for one run, or None.
        flags: of the command line; ``protocol``, ``hallucinator`` and ``recogniser`` are lists.

    Raises:
        UsageError: something is wrong with the file or the flags; all faults are listed.
    """
    raw = _read(file) if file else {}
    axis_flags = {axis: split_items(flags[axis], axis, registry) for axis, registry in AXES.items() if axis in flags}
    other_flags = {key: value for key, value in flags.items() if key not in AXES}
    faults: list[str] = []
    if file and is_experiment(raw):
        experiment = _from_file(raw, file, faults)
    else:
        flat = {axis: split_items([raw[axis]], axis, AXES[axis]) for axis in AXES if isinstance(raw.get(axis), str)}
        axes = flat | axis_flags
        if all(len(items) == 1 for items in axes.values()) and axes.get("protocol") != [ALL]:
            return {**other_flags, **{axis: items[0] for axis, items in axis_flags.items()}}
        experiment = Experiment(axes=flat)
        experiment.options, faults = check_values({key: value for key, value in raw.items() if key not in AXES})
        experiment.out = experiment.options.pop("out", None)
    experiment.axes = {**_DEFAULTS, **experiment.axes, **axis_flags}
    experiment.flags, flag_faults = check_values(other_flags)
    experiment.out = experiment.flags.pop("out", experiment.out)
    faults += flag_faults
    if experiment.flags.get("label") or experiment.options.get("label"):
        faults.append("label names one run, and these are several: write it in a [[cell]]")
    _check_components(experiment, faults)
    _raise_faults(faults, file)
    return experiment


def is_experiment(raw: Mapping[str, Any]) -> bool:
    """Whether a TOML file describes an experiment and not the options of a single run."""
    return any(key in raw for key in (*_TABLES, _OLD_TABLE, *(f"{axis}s" for axis in AXES)))


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file() and str(file).partition(":")[0] in PROTOCOLS:
        raise UsageError(f"There is no file {file}. For the protocol write: bench run --protocol {file}")
    return read_toml(file)


def _from_file(raw: Mapping[str, Any], file: Path, faults: list[str]) -> Experiment:
    experiment = Experiment(source=file.read_bytes())
    lists = {f"{axis}s": axis for axis in AXES}
    name = _OLD_TABLE if _OLD_TABLE in raw else "experiment"
    table = _table(raw, name, faults)
    if name == _OLD_TABLE and "experiment" in raw:
        faults.append(f"[{_OLD_TABLE}] is the earlier name of [experiment]: write one of them")
    _add_unknown_keys(raw, [*_TABLES, _OLD_TABLE, *lists], "", faults)
    _add_unknown_keys(table, ["name", "out", _LR_ALIGNERS, *lists], f"{name}.", faults)
    for key in ("name", "out"):
        if key in table and not (isinstance(table[key], str) and table[key].strip()):
            faults.append(f"{name}.{key} is {table[key]!r}, not text")
        elif key == "out" and key in table:
            experiment.out = file.parent / Path(table[key]).expanduser()
        elif key in table:
            experiment.name = table[key]
    if experiment.name and (set(experiment.name) & set("/\\\0") or experiment.name.startswith(".")):
        faults.append(
            f"{name}.name is {experiment.name!r}; it names a folder, so it must have no slash and not start with a dot"
        )
    if _LR_ALIGNERS in table:
        experiment.lr_aligners = _texts(table[_LR_ALIGNERS], f"{name}.{_LR_ALIGNERS}", faults)
    for key, axis in lists.items():
        if key in raw and key in table:
            faults.append(f"{key} is given at the top and in [{name}]")
        if key in raw or key in table:
            experiment.axes[axis] = _texts(raw.get(key, table.get(key)), key, faults)
    experiment.options = _options(_table(raw, "options", faults), file, "options.", faults)
    for dataset, folder in _table(raw, "data", faults).items():
        if isinstance(folder, str) and folder:
            experiment.data[dataset] = file.parent / Path(folder).expanduser()
        else:
            faults.append(f"data.{dataset} is {folder!r}, not a folder")
    cells = raw.get("cell", [])
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        faults.append("cell is not a list of tables: write [[cell]]")
        cells = []
    for number, cell in enumerate(cells, 1):
        experiment.rules.append(_rule(cell, f"cell {number}: ", experiment, file, faults))
    return experiment


def _rule(cell: Mapping[str, Any], where: str, experiment: Experiment, file: Path, faults: list[str]) -> CellRule:
    cell = {key.replace("-", "_"): value for key, value in cell.items()}
    components: dict[str, tuple[str, ...]] = {}
    for axis in AXES:
        if axis in cell:
            components_of_axis = cell[axis]
            components[axis] = tuple(
                _texts(
                    [components_of_axis] if isinstance(components_of_axis, str) else components_of_axis,
                    where + axis,
                    faults,
                )
            )
            listed = experiment.axes.get(axis, _DEFAULTS.get(axis, []))
            for item in components[axis]:
                if item not in listed and not (ALL in listed and axis == "protocol" and item in PROTOCOLS):
                    faults.append(
                        f"{where}{axis} {item!r} is not part of the experiment: {', '.join(listed) or 'none'}"
                    )
    exclude = cell.get("exclude", False)
    other_keys = {key: value for key, value in cell.items() if key not in (*AXES, "exclude")}
    options = _options(other_keys, file, where, faults)
    if not components:
        faults.append(f"{where}names no protocol, hallucinator or recogniser; options of all cells belong in [options]")
    if not isinstance(exclude, bool):
        faults.append(f"{where}exclude is {exclude!r}, neither true nor false")
    elif exclude == bool(other_keys):
        faults.append(f"{where}either exclude = true or other options, not {'both' if exclude else 'neither'}")
    return CellRule(components, exclude is True, options)


def _options(values_of_file: Mapping[str, Any], file: Path, where: str, faults: list[str]) -> dict[str, Any]:
    values_of_file = {key.replace("-", "_"): value for key, value in values_of_file.items()}
    _add_unknown_keys(values_of_file, OPTIONS, where, faults)
    values, option_faults = check_values({key: value for key, value in values_of_file.items() if key in OPTIONS})
    faults += [f"{where}{fault}" for fault in option_faults]
    return {key: file.parent / value if key in _PATHS and value else value for key, value in values.items()}


def _check_components(experiment: Experiment, faults: list[str]) -> None:
    if not experiment.axes.get("protocol"):
        faults.append("no protocol is named (--protocol NAME, or protocols = [...]; `bench list` shows them)")
    for axis, registry in AXES.items():
        for item in experiment.axes.get(axis, ()):
            fault = None if item == ALL and axis == "protocol" else check_item(item, registry)
            if fault:
                faults.append(fault)
    faults += [fault for item in experiment.lr_aligners if (fault := check_item(item, cast("Registry[Any]", ALIGNERS)))]
    if experiment.lr_aligners and LR_FACE not in experiment.axes["hallucinator"]:
        faults.append(f"{_LR_ALIGNERS} adds rows of the LR face, so hallucinators must have {LR_FACE!r}")


def _table(raw: Mapping[str, Any], key: str, faults: list[str]) -> Mapping[str, Any]:
    value = raw.get(key, {})
    if isinstance(value, dict):
        return value
    faults.append(f"{key} is {value!r}, not a table: write [{key}]")
    return {}


def _texts(value: object, key: str, faults: list[str]) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(item, str) and item.strip() for item in value):
        return list(dict.fromkeys(item.strip() for item in value))
    faults.append(f'{key} is {value!r}, not a list such as ["none", "bicubic"]')
    return []


def _add_unknown_keys(keys: Iterable[str], known: Iterable[str], where: str, faults: list[str]) -> None:
    names = list(known)
    for key in keys:
        if key not in names:
            faults.append(f"unknown key {where + key!r}{suggestion(key, names)}")


def _raise_faults(faults: list[str], file: Path | None) -> None:
    if faults:
        where = f"the experiment {file}" if file else "this experiment"
        raise UsageError(f"Cannot run {where}: {'; '.join(fault.rstrip('.') for fault in dict.fromkeys(faults))}.")
