"""Origin of a figure: digests of data, versions, the machine. For digests of code see `bench.digests.closure`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import __version__
from bench.io.file_digests import digest_of
from bench.types import Media

_PACKAGES = (
    "numpy", "pillow", "onnxruntime", "torch", "torchvision", "facenet-pytorch", "dlib-bin", "scipy", "scikit-image",
    "scikit-learn", "opencv-python", "opencv-contrib-python", "opencv-python-headless", "insightface", "face-alignment",
    "lpips",
)  # fmt: skip


def stat_digest(media: Iterable[Media]) -> str:
    """A digest of the list of media and each file's size and modification time: a cheap test for changes."""
    states: dict[Path, str] = {}
    lines = []
    for item in media:
        if item.path not in states:  # frames of one film share its file
            try:
                stat = item.path.stat()
                states[item.path] = f"{stat.st_size} {stat.st_mtime_ns}"
            except OSError:
                states[item.path] = "absent"
        lines.append([*_identity_of(item), states[item.path]])
    return digest_of(sorted(lines))


def data_digest(media: Iterable[tuple[Media, str]]) -> str:
    """A digest of the media and the bytes of their files; equal on two machines that hold the same data.

    Args:
        media: every media of the data set with the SHA-256 of its file; ``absent`` for a missing file.
    """
    return digest_of(sorted([*_identity_of(item), digest] for item, digest in media))


def files_digest(media: Iterable[tuple[Media, str]]) -> str:
    """A digest of the bytes of all files alone, however they are listed; arguments as for `data_digest`."""
    return digest_of(sorted({digest for _, digest in media}))


def environment(*, device: str, threads: int) -> dict[str, object]:
    """Versions, commit and machine, to judge a timing or repeat a run."""
    commit, dirty = _git_state()
    return {
        "bench": __version__,
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        "packages": {name: installed for name in _PACKAGES if (installed := version_of(name))},
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu_count": os.cpu_count(),
        "device": device,
        "threads": threads,
    }


def _identity_of(item: Media) -> list[str]:
    attributes = json.dumps(dict(item.attributes), sort_keys=True)
    cut = "" if item.cut is None else repr(item.cut)
    return [item.role, item.key, item.identity or "", item.template, repr(item.landmarks), attributes, cut, item.medium]


def version_of(package: str) -> str | None:
    """Version of an installed package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_state() -> tuple[str | None, bool | None]:
    """Commit and dirty flag of the checkout that holds this package; None where there is none."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None, None
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        state = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return head.stdout.strip(), bool(state.stdout.strip())
