"""Manifests: a list of what a protocol compares, without images, and whether other data are the same.

A manifest holds no absolute path. Files of the data set are identified by their bytes. Images that the protocol
rendered from them (turned views) are identified by their names, which contain a digest of the bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from bench import progress
from bench.errors import DataError, MissingError
from bench.evaluation import kind_of
from bench.execution.manifest_differences import differences
from bench.interfaces import EvalProtocol
from bench.io.atomic import explain_os_errors, write_file
from bench.io.file_digests import digest_of, file_digest
from bench.io.textfiles import read_text
from bench.pipeline.build import Built
from bench.pipeline.plan import ABSENT
from bench.studies import ExpressionSet, RestorationSet, Study, VerificationSet
from bench.types import Cut, IdentificationSet, Media, Role

MANIFEST_VERSION = 1
_IDENTIFIED: tuple[Role, ...] = ("probe", "gallery")
_MAX_LISTED = 10
Manifest = dict[str, Any]


def make_manifest(
    protocol: Built[EvalProtocol], root: Path, scratch: Path, data: Study, *, digests: bool = True
) -> Manifest:
    """Describe a study; equal data give an equal manifest on any machine.

    Args:
        protocol: the built protocol that read it.
        root: the located data root.
        scratch: folder of the images that the protocol rendered.
        data: what is compared.
        digests: whether the SHA-256 of each file is computed; without, names and counts alone are listed.

    Raises:
        DataError: a file lies outside both folders, or a value cannot be written as JSON.
    """
    media = [item for items in data.media.values() for item in items]
    entries = _entries(media, root, scratch, digests)
    if isinstance(data, (RestorationSet, ExpressionSet)):
        for entry, truth in zip(entries, data.truths, strict=False):  # the faces come first
            entry["truth"] = truth.key
    name = protocol.component.dataset
    body: Manifest = {
        "schema_version": MANIFEST_VERSION,
        "what": "manifest",
        "protocol": protocol.spec.name,
        "arguments": {key: _without_absolute_paths(value, root) for key, value in protocol.arguments.items()},
        "version": protocol.component.version,
        "seed": protocol.arguments.get("seed"),
        "dataset": name,
        "sample": protocol.component.is_sample(root),
        "kind": kind_of(data),
        "official": data.official,
        "notes": [str(_without_absolute_paths(note, root)) for note in data.notes],
        "digests": digests,
        "counts": {
            **{role: len(items) for role, items in data.media.items()},
            **{f"{role} identities": len({i.identity for i in data.media[role]}) for role in _IDENTIFIED},
        },
        "compared": _compared(data),
        "media": sorted(entries, key=_place),
    }
    try:
        return {**body, "digest": digest_of(body)}
    except (TypeError, ValueError) as error:
        raise DataError(f"The manifest of {name} cannot be written as strict JSON: {error}") from error


def dump_manifest(manifest: Manifest) -> str:
    """Strict JSON, keys sorted, one media a line: the same bytes for the same manifest."""
    lines = []
    for key in sorted(manifest):
        value = manifest[key]
        if key == "media":
            text = "[\n" + ",\n".join(f"    {_json(entry)}" for entry in value) + "\n  ]"
        else:
            text = _json(value)
        lines.append(f"  {_json(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest in one step. Raises BenchError when it cannot be."""
    with explain_os_errors(f"Cannot write the manifest {path}"):
        write_file(path, dump_manifest(manifest))


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        MissingError: there is no such file.
        DataError: it is no manifest, is damaged, or is of another schema version.
    """
    if not path.exists():
        raise MissingError(f"No manifest {path}. `bench data manifest NAME --out FILE.json` writes one.")
    try:
        manifest = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as a manifest: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("what") != "manifest":
        raise DataError(f"{path} is no manifest of `bench data manifest`.")
    if manifest.get("schema_version") != MANIFEST_VERSION:
        raise DataError(
            f"{path} has schema version {manifest.get('schema_version')}; this bench reads {MANIFEST_VERSION}. "
            "Write it again."
        )
    try:
        intact = manifest["digest"] == digest_of({key: value for key, value in manifest.items() if key != "digest"})
    except (KeyError, ValueError):
        intact = False
    if not intact:
        raise DataError(f"{path} is not as `bench data manifest` wrote it: its digest is another. Get it again.")
    return manifest


def compare(
    manifest: Manifest, protocol: Built[EvalProtocol], root: Path, scratch: Path, data: Study
) -> tuple[list[str], int]:
    """How a study differs from a manifest: the first differences in words, and the number of all."""
    lines = differences(manifest, make_manifest(protocol, root, scratch, data, digests=bool(manifest["digests"])))
    return lines[:_MAX_LISTED], len(lines)


def check_manifest(path: Path, protocol: Built[EvalProtocol], root: Path, scratch: Path, data: Study) -> None:
    """Refuse data that are not those of a manifest.

    Raises:
        MissingError, DataError: see `read_manifest`; or the data differ, and the text names the first differences.
    """
    first, count = compare(read_manifest(path), protocol, root, scratch, data)
    if count:
        more = f" and {count - len(first):,} more" if count > len(first) else ""
        raise DataError(
            f"The data in {root} are not those of the manifest {path}: {'; '.join(first)}{more}. Correct the data, or "
            "run without --manifest."
        )


def _entries(media: Sequence[Media], root: Path, scratch: Path, digests: bool) -> list[Manifest]:
    """One entry a media, in their order."""
    file_digests: dict[Path, str] = {}
    entries: list[Manifest] = []
    with progress.stage("digest files", len(media) if digests else 0) as advance:
        for item in media:
            location = _relative_path(item, root, scratch)
            entry: Manifest = {
                "role": item.role,
                "key": item.key,
                "identity": item.identity,
                "template": item.template,
                "attributes": dict(item.attributes),
                **location,
            }
            if item.medium:
                entry["medium"] = item.medium
            if item.landmarks is not None:
                entry["landmarks"] = [list(point) for point in item.landmarks]
            if item.cut is not None:
                entry["cut"] = _cut(item.cut)
            if digests and "derived" not in location:
                if item.path not in file_digests:
                    file_digests[item.path] = _digest(item.path)
                entry["sha256"] = file_digests[item.path]
            entries.append(entry)
            advance(1)
    return entries


def _relative_path(item: Media, root: Path, scratch: Path) -> Manifest:
    """The path of a media's file below the data root, or below the folder of rendered images."""
    for folder, fields in ((root, {}), (scratch, {"derived": True})):
        candidates = [(item.path, folder), (item.path.absolute(), folder.absolute())]
        candidates.append((item.path.parent.resolve() / item.path.name, folder.resolve()))
        for path, base in candidates:
            if path.is_relative_to(base):
                return {"path": _printable(path.relative_to(base).as_posix()), **fields}
    raise DataError(f"{item.key} lies in {item.path}, outside {root}: a manifest cannot name it for others")


def _digest(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError:
        return ABSENT


def _cut(cut: Cut) -> Manifest:
    """The fields of a cut that are set."""
    fields: Manifest = {
        "frame": cut.frame,
        "quarter_turns": cut.quarter_turns or None,
        "box": None if cut.box is None else list(cut.box),
        "points": None if cut.points is None else [list(point) for point in cut.points],
        "side": cut.side,
    }
    if cut.face is not None:
        fields["face"] = [cut.face.height, cut.face.width, [list(point) for point in cut.face.points]]
    return {name: value for name, value in fields.items() if value is not None}


def _compared(data: Study) -> Manifest:
    """What a study compares, besides its media: galleries, pairs, folds, labels."""
    if isinstance(data, VerificationSet):
        return {"pairs": _pairs(data)}
    if isinstance(data, ExpressionSet):
        return {"labels": list(data.labels), "folds": dict(data.folds)}
    if isinstance(data, IdentificationSet):
        return {"open_set": data.open_set, "galleries": {name: sorted(keys) for name, keys in data.galleries.items()}}
    return {}


def _pairs(data: VerificationSet) -> Manifest:
    """Counts of pairs, and a digest over them that does not depend on the order of the media."""
    import numpy as np

    digest = hashlib.sha256()
    for places, media in ((data.first, data.enrolled), (data.second, data.verified)):
        names = list(dict.fromkeys(item.template for item in media))
        rank = np.empty(len(names), "<i8")
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        digest.update(rank[places].tobytes())
    digest.update(data.same.astype("u1").tobytes())
    digest.update(b"" if data.fold is None else data.fold.astype("<i8").tobytes())
    folds = None if data.fold is None else np.bincount(data.fold).tolist()
    return {"count": len(data.same), "same": int(data.same.sum()), "folds": folds, "sha256": digest.hexdigest()}


def _place(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return entry["role"], entry["key"], entry["template"]


def _without_absolute_paths(value: object, root: Path) -> object:
    """A value without absolute paths: the data root is ``DATA``, another path is its last part."""
    if isinstance(value, list):
        return [_without_absolute_paths(part, root) for part in value]
    if not isinstance(value, str):
        return value
    base = root.absolute()
    text = value.replace(str(base), "DATA") if len(base.parts) > 1 else value
    return PurePath(text).name if PurePath(text).is_absolute() else re.sub(r"(?<!\S)/(?:[^\s/]+/)+", "", text)


def _printable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False)
