"""A drawn IJB-C in each of its three releases, and ways to break a copy."""

from __future__ import annotations

import csv
import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Copy = Callable[[str], Path]
IDENTITIES = 4


@pytest.fixture(scope="session")
def drawn_ijbc(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Four people in 16 templates, as release A, B and C; not to be changed."""
    sample = importlib.import_module("protocols.sample")
    folder, roots = tmp_path_factory.mktemp("ijbc"), {}
    for release in ("A", "B", "C"):
        roots[release] = folder / release
        sample.write_sample(
            "ijbc", roots[release], identities=IDENTITIES, seed=3, paint=sample.painter("cartoon"),
            options={"release": release},
        )  # fmt: skip
    return roots


@pytest.fixture
def copy(drawn_ijbc: dict[str, Path], tmp_path: Path) -> Copy:
    """A copy of a release that a test may break."""

    def make(release: str) -> Path:
        return Path(shutil.copytree(drawn_ijbc[release], tmp_path / f"release {release}"))

    return make


Table = list[dict[str, str]]


@pytest.fixture(scope="session")
def edit() -> Callable[[Path, Callable[[Table], Table]], None]:
    """Change the rows of a list with a header."""

    def change(path: Path, how: Callable[[Table], Table]) -> None:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            rows = how(list(reader))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(reader.fieldnames or ()), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return change
