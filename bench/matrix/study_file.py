"""What a matrix of runs is asked to do: from flags, or from a study file such as ``bench.toml``.

[study]
name = "table"                        # out = "DIR"; both may be left out
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
from bench.interfaces import HALLUCINATORS, PROTOCOLS, RECOGNISERS
from bench.registry import Registry
from bench.specs import check_item, split_items

ALL = "all"
AXES: dict[str, Registry[Any]] = {
    "protocol": PROTOCOLS,
    "hallucinator": cast("Registry[Any]", HALLUCINATORS),
    "recogniser": cast("Registry[Any]", RECOGNISERS),
}
_DEFAULTS = {"hallucinator": ["none"], "recogniser": ["sface"]}
_TABLES = ("study", "options", "data", "cell")
_PATHS = ("cache", "manifest")
OPTIONS = tuple(f.name for f in fields(RunConfig) if f.name not in (*AXES, "data_root", "out"))


@dataclass(frozen=True)
class Rule:
    """An exception: which cells, and what is different for them.

    Attributes:
        where: by axis, the components it is for; an axis left out means all.
        exclude: whether these cells are left out.
        options: values instead of the study's.
    """

    where: Mapping[str, tuple[str, ...]]
    exclude: bool
    options: Mapping[str, Any]

    def holds_for(self, axes: Mapping[str, str]) -> bool:
        """Whether it is for a cell."""
        return all(axes[axis] in items for axis, items in self.where.items())


@dataclass
class Asked:
    """What was asked, checked but for what only the data can tell.

    Attributes:
        axes: protocols, hallucinators and recognisers by the name of their flag.
        options: values for all cells, converted.
        flags: values from the command line, which beat everything else, converted.
        data: folders by data set.
        rules: exceptions, the later one wins.
        name: of the study, or None.
        out: its folder, or None.
        source: the study file's bytes, or None.
    """

    axes: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Path] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    name: str | None = None
    out: Path | None = None
    source: bytes | None = None


def asked_for(file: Path | None, flags: Mapping[str, Any]) -> Asked | dict[str, Any]:
    """What is asked: a study, or the flags of a single run with each component as one text.

    Args:
        file: a study file, a flat TOML file as for one run, or None.
        flags: what the command line gave; ``protocol``, ``hallucinator`` and ``recogniser`` are lists.

    Raises:
        UsageError: something is wrong with the file or the flags; all faults are listed at once.
    """
    raw = _read(file) if file else {}
    given = {axis: split_items(flags[axis], axis, registry) for axis, registry in AXES.items() if axis in flags}
    rest = {key: value for key, value in flags.items() if key not in AXES}
    faults: list[str] = []
    if file and is_study(raw):
        asked = _from_study(raw, file, faults)
    else:
        flat = {axis: split_items([raw[axis]], axis, AXES[axis]) for axis in AXES if isinstance(raw.get(axis), str)}
        axes = flat | given
        if all(len(items) == 1 for items in axes.values()) and axes.get("protocol") != [ALL]:
            return {**rest, **{axis: items[0] for axis, items in given.items()}}
        asked = Asked(axes=flat)
        values, found = check_values({key: value for key, value in raw.items() if key not in AXES})
        asked.options, faults = values, found
        asked.out = asked.options.pop("out", None)
    asked.axes = {**_DEFAULTS, **asked.axes, **given}
    asked.flags, found = check_values(rest)
    asked.out = asked.flags.pop("out", asked.out)
    faults += found
    _check_components(asked, faults)
    _raise(faults, file)
    return asked


def is_study(raw: Mapping[str, Any]) -> bool:
    """Whether a TOML file is a study's, and not the flat one of a single run."""
    return any(key in raw for key in (*_TABLES, *(f"{axis}s" for axis in AXES)))


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file() and str(file).partition(":")[0] in PROTOCOLS:
        raise UsageError(f"There is no file {file}. For the protocol write: bench run --protocol {file}")
    return read_toml(file)


def _from_study(raw: Mapping[str, Any], file: Path, faults: list[str]) -> Asked:
    asked = Asked(source=file.read_bytes())
    lists = {f"{axis}s": axis for axis in AXES}
    study = _table(raw, "study", faults)
    _unknown(raw, [*_TABLES, *lists], "", faults)
    _unknown(study, ["name", "out", *lists], "study.", faults)
    for key in ("name", "out"):
        if key in study and not (isinstance(study[key], str) and study[key].strip()):
            faults.append(f"study.{key} is {study[key]!r}, no text")
        elif key == "out" and key in study:
            asked.out = file.parent / Path(study[key]).expanduser()
        elif key in study:
            asked.name = study[key]
    if asked.name and (set(asked.name) & set("/\\\0") or asked.name.startswith(".")):
        faults.append(f"study.name is {asked.name!r}; it names a folder, so no slash and no dot in front")
    for key, axis in lists.items():
        if key in raw and key in study:
            faults.append(f"{key} is given at the top and in [study]")
        if key in raw or key in study:
            asked.axes[axis] = _texts(raw.get(key, study.get(key)), key, faults)
    asked.options = _options(_table(raw, "options", faults), file, "options.", faults)
    for name, folder in _table(raw, "data", faults).items():
        if isinstance(folder, str) and folder:
            asked.data[name] = file.parent / Path(folder).expanduser()
        else:
            faults.append(f"data.{name} is {folder!r}, no folder")
    cells = raw.get("cell", [])
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        faults.append("cell is no list of tables: write [[cell]]")
        cells = []
    for number, cell in enumerate(cells, 1):
        asked.rules.append(_rule(cell, f"cell {number}: ", asked, file, faults))
    return asked


def _rule(cell: Mapping[str, Any], where: str, asked: Asked, file: Path, faults: list[str]) -> Rule:
    cell = {key.replace("-", "_"): value for key, value in cell.items()}
    chosen: dict[str, tuple[str, ...]] = {}
    for axis in AXES:
        if axis in cell:
            one = cell[axis]
            chosen[axis] = tuple(_texts([one] if isinstance(one, str) else one, where + axis, faults))
            listed = asked.axes.get(axis, _DEFAULTS.get(axis, []))
            for item in chosen[axis]:
                if item not in listed and not (ALL in listed and axis == "protocol" and item in PROTOCOLS):
                    faults.append(f"{where}{axis} {item!r} is none of the study's: {', '.join(listed) or 'none'}")
    exclude = cell.get("exclude", False)
    others = {key: value for key, value in cell.items() if key not in (*AXES, "exclude")}
    options = _options(others, file, where, faults)
    if not chosen:
        faults.append(f"{where}names no protocol, hallucinator or recogniser; what is for all cells goes to [options]")
    if not isinstance(exclude, bool):
        faults.append(f"{where}exclude is {exclude!r}, neither true nor false")
    elif exclude == bool(others):
        faults.append(f"{where}either exclude = true or other options, not {'both' if exclude else 'neither'}")
    return Rule(chosen, exclude is True, options)


def _options(given: Mapping[str, Any], file: Path, where: str, faults: list[str]) -> dict[str, Any]:
    given = {key.replace("-", "_"): value for key, value in given.items()}
    _unknown(given, OPTIONS, where, faults)
    values, found = check_values({key: value for key, value in given.items() if key in OPTIONS})
    faults += [f"{where}{fault}" for fault in found]
    return {key: file.parent / value if key in _PATHS and value else value for key, value in values.items()}


def _check_components(asked: Asked, faults: list[str]) -> None:
    if not asked.axes.get("protocol"):
        faults.append("no protocol is named (--protocol NAME, or protocols = [...]; `bench list` shows them)")
    for axis, registry in AXES.items():
        for item in asked.axes.get(axis, ()):
            fault = None if item == ALL and axis == "protocol" else check_item(item, registry)
            if fault:
                faults.append(fault)


def _table(raw: Mapping[str, Any], key: str, faults: list[str]) -> Mapping[str, Any]:
    value = raw.get(key, {})
    if isinstance(value, dict):
        return value
    faults.append(f"{key} is {value!r}, no table: write [{key}]")
    return {}


def _texts(value: object, key: str, faults: list[str]) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(item, str) and item.strip() for item in value):
        return list(dict.fromkeys(item.strip() for item in value))
    faults.append(f'{key} is {value!r}, no list such as ["none", "bicubic"]')
    return []


def _unknown(given: Iterable[str], known: Iterable[str], where: str, faults: list[str]) -> None:
    names = list(known)
    for key in given:
        if key not in names:
            faults.append(f"unknown key {where + key!r}{suggestion(key, names)}")


def _raise(faults: list[str], file: Path | None) -> None:
    if faults:
        where = f"the study {file}" if file else "this study"
        raise UsageError(f"Cannot run {where}: {'; '.join(fault.rstrip('.') for fault in dict.fromkeys(faults))}.")
