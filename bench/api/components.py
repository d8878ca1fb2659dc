"""`bench.list`: components, their arguments, and whether they can run here; also for ``bench list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.digests.closure import closure
from bench.errors import UnknownNameError
from bench.grammar.spelling import british
from bench.grammar.values import nearest
from bench.interfaces import REGISTRIES
from bench.registry import Entry, load_plugins

if TYPE_CHECKING:
    import pandas as pd


def list_components(name: str | None = None) -> pd.DataFrame:
    """The components that a run is made of: protocols, hallucinators, recognisers, aligners.

    Args:
        name: a kind (``hallucinators``) or the name of one component; None for all.

    Returns:
        One row a component: ``kind``, ``name``, ``summary``, ``runs_here``, ``why_not`` (None where it can run),
        ``source``, ``licence``, ``module``, ``details`` (a mapping) and ``arguments`` (a list of mappings with
        ``name``, ``type``, ``required``, ``default``, ``description``).

    Raises:
        UnknownNameError: there is no such kind and no such component.
    """
    import pandas as pd

    columns = ["kind", "name", "summary", "runs_here", "why_not", "source", "licence", "module", "details", "arguments"]
    return pd.DataFrame([describe(entry) for entry in select(name)], columns=columns)


def select(name: str | None) -> list[Entry[Any]]:
    """All components, those of a kind, or those of a name; what follows a colon is ignored.

    Raises:
        UnknownNameError: there is no such kind and no such component; the text has the nearest name.
    """
    load_plugins()
    entries: list[Entry[Any]] = [entry for registry in REGISTRIES for entry in registry]
    if not name:
        return entries
    name = name.partition(":")[0]
    kind = _kind(name)
    if kind:
        return [entry for entry in entries if entry.kind == kind]
    return [entry for entry in entries if entry.name == name] or [_raise_unknown(name)]


def is_kind(name: str) -> bool:
    """Whether a word names a kind of components."""
    return _kind(name.partition(":")[0]) is not None


def describe(entry: Entry[Any], *, modules: bool = False) -> dict[str, object]:
    """A component as plain values for JSON.

    Args:
        entry: the component.
        modules: whether to add the names of `modules_of`.
    """
    missing = entry.missing()
    return {
        "kind": entry.kind,
        "name": entry.name,
        "summary": entry.summary,
        "source": entry.source,
        "licence": entry.licence,
        "module": entry.module,
        "runs_here": missing is None,
        "why_not": missing,
        "details": {name: list(text) if isinstance(text, tuple) else text for name, text in entry.details().items()},
        "arguments": [
            {
                "name": a.name,
                "type": a.type_name,
                "required": a.required,
                "default": _default(a.default, a.required),
                "description": a.description,
            }
            for a in entry.arguments()
        ],
        **({"modules": modules_of(entry)} if modules else {}),
    }


def modules_of(entry: Entry[Any]) -> list[str]:
    """Names of the modules whose code is part of every key of the cache and of every finished run."""
    return list(closure(entry.module))


def _default(value: object, required: bool) -> object:
    return None if required or value is None else value if isinstance(value, (bool, int, float, str)) else str(value)


def _kind(name: str) -> str | None:
    """The kind of a word (``recognisers``, ``recognizer``), or None."""
    kinds = {registry.kind for registry in REGISTRIES}
    word = british(name).removesuffix("s")
    return word if word in kinds else None


def _raise_unknown(name: str) -> Entry[Any]:
    """Raise an error with the nearest name of a component, or else of a kind."""
    names = {entry.name: registry for registry in REGISTRIES for entry in registry}
    near = nearest(name, names)
    if near:
        return names[near][name]
    kinds = [f"{registry.kind}s" for registry in REGISTRIES]
    kind = nearest(british(name), kinds)
    hint = f" Did you mean {kind!r}?" if kind else ""
    raise UnknownNameError(
        f"No component and no kind of component is named {name!r}.{hint} Kinds: {', '.join(kinds)}; `bench list` "
        "shows every component."
    )
