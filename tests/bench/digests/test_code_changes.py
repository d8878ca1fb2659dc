"""What a changed source does to caches and finished runs: tried on a copy of the tree, in processes of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("bench", "hallucinators", "protocols", "reports")
FINGERPRINTS = """
import json, sys
from bench.pipeline.chain import Chain
from bench.registry import load_plugins
load_plugins()
chains = {name: Chain.parse(name) for name in ("none", "bicubic", "vividgan")}
print(json.dumps({name: [chain.fingerprint, chain.configuration] for name, chain in chains.items()}))
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "weights")
        shutil.copytree(ROOT / package, tree / package, ignore=ignored)
    (tree / "hallucinators" / "weights").symlink_to(ROOT / "hallucinators" / "weights")
    return tree


@pytest.fixture
def tree(whole: Path) -> Iterator[Path]:
    """The copy; what a test changes is mended after it."""
    before = {path: path.read_bytes() for path in whole.rglob("*.py")}
    yield whole
    for path, data in before.items():
        if path.read_bytes() != data:
            path.write_bytes(data)


def python(tree: Path, *arguments: object) -> tuple[int, str, str]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=tree.parent, env=environment
    )
    return done.returncode, done.stdout, done.stderr


def fingerprints(tree: Path) -> dict[str, list[str]]:
    code, out, err = python(tree, "-c", FINGERPRINTS)
    assert code == 0, err
    result: dict[str, list[str]] = json.loads(out)
    return result


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_changed_rule_makes_a_finished_run_again_and_keeps_the_old_record(
    tree: Path, small_tinyface: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = ("-m", "bench", "run", "--protocol", "tinyface", "--data-root", small_tinyface, "--out", out)
    command += ("--cache", tmp_path / "cache", "--images", "none")
    assert python(tree, *command)[0] == 0
    before = json.loads((out / "run.json").read_text())
    assert "Nothing to do" in python(tree, *command)[2]

    with (tree / "protocols" / "mmi" / "annotations.py").open("a") as file:
        file.write("\n# a comment\nA_NEW_CONSTANT = 1\n")
    replace(tree / "bench" / "metrics" / "search" / "ranking.py", "from __future__", "# a comment\nfrom __future__")
    assert "Nothing to do" in python(tree, *command)[2]

    ranking = tree / "bench" / "metrics" / "search" / "ranking.py"
    ranking.write_text(ranking.read_text() + "\n\ndef a_new_rule() -> int:\n    return 100\n")
    code, text, err = python(tree, *command)
    assert code == 0, err
    assert "Made again: code that computes it has changed" in err
    assert "(bench.metrics.search.ranking)" in err
    after = json.loads((out / "run.json").read_text())
    assert "embed (probe)" not in after["timings"]  # the embeddings are not what changed
    assert after["config_digest"] == before["config_digest"]
    assert after["metrics"] == before["metrics"]
    assert {name for name in after["code"] if after["code"][name] != before["code"].get(name)} == {
        "bench.metrics.search.ranking"
    }
    assert json.loads((out / "run.replaced.json").read_text()) == before
    assert "Nothing to do" in python(tree, *command)[2]


def test_changed_landmarks_make_new_images_of_vividgan_alone(tree: Path) -> None:
    before = fingerprints(tree)
    replace(tree / "bench" / "faces" / "landmarks" / "mediapipe.py", "_MARGIN = 1.5", "_MARGIN = 1.6")
    after = fingerprints(tree)
    assert after["vividgan"][0] != before["vividgan"][0]
    assert after["vividgan"][1] == before["vividgan"][1]
    assert (after["none"], after["bicubic"]) == (before["none"], before["bicubic"])


def test_code_of_trainings_and_comments_change_no_fingerprint_of_a_hallucinator(tree: Path) -> None:
    before = fingerprints(tree)
    for path in (tree / "hallucinators" / "training").rglob("*.py"):
        path.write_text(path.read_text() + "\n\nA_NEW_CONSTANT = 1\n")
    replace(
        tree / "hallucinators" / "vividgan" / "network" / "model.py", "from __future__", "# a comment\nfrom __future__"
    )
    assert fingerprints(tree) == before
