"""The packages beside ``bench``: foreign ones of the same name are named with both places."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import neighbours
from bench.errors import BenchError
from bench.neighbours import PACKAGES, check_neighbours

ROOT = Path(__file__).parent.parent.parent


def bench(folder: Path, *, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "bench", "list", "protocols"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_four_packages_of_a_checkout_belong_together() -> None:
    check_neighbours()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_of_that_name_in_the_working_folder_is_named_with_both_places(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('must not be imported')")
    done = bench(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert str(tmp_path / name) in done.stderr and str(ROOT / name) in done.stderr


def test_a_lone_module_of_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "hallucinators.py").write_text("")
    done = bench(tmp_path)
    assert done.returncode == 1 and str(tmp_path / "hallucinators.py") in done.stderr


def test_one_earlier_on_the_path_is_named_and_one_later_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "other" / "reports").mkdir(parents=True)
    (tmp_path / "other" / "reports" / "__init__.py").write_text("")
    other, empty = str(tmp_path / "other"), tmp_path / "empty"
    empty.mkdir()
    assert bench(empty, path=os.pathsep.join([other, str(ROOT)])).returncode == 1
    assert bench(empty, path=os.pathsep.join([str(ROOT), other])).returncode == 0


def test_a_folder_without_code_in_the_working_folder_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "index.html").write_text("a page")
    assert bench(tmp_path).returncode == 0


def test_in_python_a_foreign_package_is_an_error_before_anything_is_registered(tmp_path: Path) -> None:
    (tmp_path / "protocols").mkdir()
    (tmp_path / "protocols" / "__init__.py").write_text("")
    script = (
        "import protocols\nfrom bench.errors import BenchError\nfrom bench.registry import load_plugins\n"
        "try:\n    load_plugins()\nexcept BenchError as error:\n    print(error)\n"
        "from bench.interfaces import HALLUCINATORS\nprint(len(list(HALLUCINATORS)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0" and str(tmp_path / "protocols") in done.stdout


def test_a_package_that_another_distribution_has_overwritten_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('__distribution__ = "face-hallucination-bench"\n')
    (tmp_path / "reports" / "__init__.py").write_text("# of somebody else\n")
    monkeypatch.setattr(neighbours, "_HOME", tmp_path)
    monkeypatch.setattr(neighbours, "_spec_of", lambda name: neighbours.PathFinder.find_spec(name, [str(tmp_path)]))
    with pytest.raises(BenchError, match=r"'reports'.*belongs to another distribution"):
        check_neighbours()


def test_a_folder_without_code_that_hides_an_editable_install_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    script = (
        "import importlib.machinery, sys\n"
        "class Editable:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        return importlib.machinery.PathFinder.find_spec(name, [{str(ROOT)!r}]) if path is None else None\n"
        "sys.meta_path.append(Editable)\n"
        "from bench.neighbours import check_neighbours\ncheck_neighbours()\nimport reports\nprint(reports.__file__)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-S", "-c", script]  # without site-packages, so that nothing else finds the packages
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / "reports" / "__init__.py"), done.stderr
