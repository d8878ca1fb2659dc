"""Experiment files: the runs that `bench run EXPERIMENT.toml` does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UsageError
from bench.matrix.cells import make_matrix
from bench.matrix.experiment_file import Experiment, read_experiment

Bench = Callable[..., tuple[int, str, str]]
STUDY = """
[experiment]
name = "table"
out = "results"
protocols = ["toys", "games:people=3"]
hallucinators = ["none", "counted:gain=0.9,mode=a"]
recognisers = ["pixels"]

[options]
images = "none"
seed = 3

[data]
toys = "toy-data"

[[cell]]
protocol = "games:people=3"
hallucinator = "counted:gain=0.9,mode=a"
exclude = true

[[cell]]
protocol = "toys"
hallucinate = "both"
seed = 4
"""


@pytest.fixture
def file(toys: Any, toy_root: Path, tmp_path: Path) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def configs(file: Path | None, **flags: Any) -> dict[tuple[str, str], Any]:
    requested = read_experiment(file, flags)
    assert isinstance(requested, Experiment)
    return {(cell.config.protocol, cell.config.hallucinator): cell.config for cell in make_matrix(requested).cells}


def test_an_experiment_runs_with_its_exceptions_and_keeps_its_file(bench: Bench, file: Path, tmp_path: Path) -> None:
    code, out, err = bench("run", file)
    assert code == 0, err
    assert "experiment table: 3 of 3 cells finished" in out
    folder = tmp_path / "results"
    assert (folder / "study.toml").read_bytes() == file.read_bytes()
    state = json.loads((folder / "study.json").read_text())
    assert state["schema_version"] == 1
    assert state["source_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert state["config"]["protocols"] == ["toys", "games:people=3"]
    result = {}
    for cell in state["cells"]:
        record = json.loads((folder / cell["name"] / "run.json").read_text())
        assert record["sample"] is (cell["protocol"] != "toys")
        result[cell["protocol"], cell["hallucinator"]] = (record["config"]["hallucinate"], record["seed"])
    assert result == {
        ("toys", "none"): ("both", 4),
        ("toys", "counted:gain=0.9,mode=a"): ("both", 4),
        ("games:people=3", "none"): ("probe", 3),
    }


def test_a_flag_beats_the_file_and_its_exceptions(file: Path, tmp_path: Path) -> None:
    result = configs(file, seed="9", hallucinator=["none"], out=str(tmp_path / "other"))
    assert set(result) == {("toys", "none"), ("games:people=3", "none")}
    assert {config.seed for config in result.values()} == {9}
    assert result["toys", "none"].hallucinate == "both"
    assert result["toys", "none"].out == tmp_path / "other" / "toys__none__pixels"
    assert result["toys", "none"].data_root == tmp_path / "toy-data"
    assert result["games:people=3", "none"].data_root is None


def test_lists_may_stand_above_the_tables_and_defaults_are_a_run_s(file: Path) -> None:
    file.write_text('protocols = ["toys"]\nhallucinators = ["none", "counted"]\n')
    result = configs(file)
    assert set(result) == {("toys", "none"), ("toys", "counted")}
    assert {config.recogniser for config in result.values()} == {"sface"}
    assert {str(config.out.parent.parent) for config in result.values()} == {"runs"}


def test_the_later_exception_is_used_and_names_several(file: Path) -> None:
    with file.open("a") as text:
        text.write('[[cell]]\nhallucinator = ["none", "counted:gain=0.9,mode=a"]\nseed = 5\ncache = "c"\n')
    result = configs(file)
    assert {config.seed for config in result.values()} == {5}
    assert result["toys", "none"].cache == file.parent / "c"
    assert result["toys", "none"].hallucinate == "both"


def test_the_earlier_name_of_the_table_is_still_read_but_not_both_names(toys: Any, tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text('[study]\nname = "old"\nprotocols = ["toys"]\n')
    experiment = read_experiment(file, {})
    assert isinstance(experiment, Experiment) and experiment.name == "old"
    file.write_text('[study]\nname = "old"\nprotocols = ["toys"]\n[experiment]\nname = "new"\n')
    with pytest.raises(UsageError, match=r"\[study\] is the earlier name of \[experiment\]"):
        read_experiment(file, {})


def test_every_fault_of_an_experiment_is_listed_at_once(toys: Any, tmp_path: Path) -> None:
    file = tmp_path / "bench.toml"
    file.write_text(
        """
colour = 1
protocols = ["toys"]
[experiment]
protocols = ["toys"]
nmae = "x"
name = "../x"
hallucinators = ["none", "countd", "counted:gian=2"]
recognisers = "pixels"
[options]
sede = 1
limit = 0
data_root = "x"
[data]
toys = 3
[[cell]]
protocol = "tois"
exclude = true
[[cell]]
protocol = "toys"
[[cell]]
seed = 3
[[cell]]
protocol = "toys"
exclude = true
seed = "x"
"""
    )
    with pytest.raises(UsageError) as caught:
        read_experiment(file, {"device": "cpu", "threads": "-1"})
    for part in (
        "unknown key 'colour'", "protocols is given at the top and in [experiment]",
        "'experiment.nmae' (did you mean 'name'?)",
        "names a folder", "Unknown hallucinator 'countd'", "unknown argument 'gian'",
        "recognisers is 'pixels', not a list",
        "'options.sede' (did you mean 'seed'?)", "options.limit is 0", "unknown key 'options.data_root'",
        "data.toys is 3", "cell 1: protocol 'tois' is not part of the experiment: toys",
        "cell 2: either exclude = true or other options, not neither", "cell 3: names no protocol",
        "cell 4: either exclude = true or other options, not both", "cell 4: seed: 'x' is not a whole number",
        "threads is -1", str(file),
    ):  # fmt: skip
        assert part in str(caught.value)


def test_a_data_set_that_is_none_and_an_empty_study_are_refused(file: Path) -> None:
    file.write_text(STUDY.replace("toys = ", "tois = "))
    with pytest.raises(UsageError, match=r"\[data\] names tois; data sets are .*toys"):
        configs(file)
    file.write_text('[experiment]\nprotocols = ["toys"]\n[[cell]]\nprotocol = "toys"\nexclude = true\n')
    with pytest.raises(UsageError, match="No cell is left"):
        configs(file)
    file.write_text('[experiment]\nname = "x"\n')
    with pytest.raises(UsageError, match="no protocol is named"):
        configs(file)


def test_a_flat_file_is_one_run_as_ever_and_may_be_given_by_name(bench: Bench, toys: Any, toy_root: Path) -> None:
    flat = toy_root.parent / "run.toml"
    flat.write_text(f'protocol = "toys"\ndata-root = "{toy_root}"\nrecogniser = "pixels"\nimages = "none"\n')
    assert read_experiment(flat, {"seed": "3"}) == {"seed": "3"}
    for flags in ((flat,), ("--config", flat)):
        code, out, err = bench("run", *flags, "--out", toy_root.parent / f"run-{len(flags)}")
        assert code == 0, err
        assert "95 % interval" in out and " of 4 identities; a failed probe counts as a miss" in out
        assert (toy_root.parent / f"run-{len(flags)}" / "run.json").is_file()
    code, _, err = bench("run", flat, "--config", flat)
    assert code == 2
    assert "Two files" in err


def test_a_flat_file_with_several_components_is_a_study(toys: Any, toy_root: Path) -> None:
    flat = toy_root.parent / "run.toml"
    flat.write_text('protocol = "toys"\nhallucinator = "none,counted"\nseed = 5\n')
    result = configs(flat, recogniser=["pixels"])
    assert set(result) == {("toys", "none"), ("toys", "counted")}
    assert {config.seed for config in result.values()} == {5}


def test_a_protocol_in_the_place_of_a_file_is_met_with_the_flag(bench: Bench, toys: Any) -> None:
    code, _, err = bench("run", "toys")
    assert code == 2
    assert "bench run --protocol toys" in err
    code, _, err = bench("run", "absent.toml")
    assert code == 2
    assert "absent.toml cannot be read: file not found" in err


def test_each_protocol_may_have_a_manifest_of_its_own(bench: Bench, file: Path, tmp_path: Path) -> None:
    code, _, err = bench("data", "manifest", "toys", tmp_path / "toy-data", "--out", tmp_path / "toys.json")
    assert code == 0, err
    lists = (
        '[experiment]\nout = "o"\nprotocols = ["toys", "games"]\nrecognisers = ["pixels"]\n[data]\ntoys = "toy-data"\n'
    )
    rule = '[[cell]]\nprotocol = "{}"\nmanifest = "toys.json"\n'
    file.write_text(lists + rule.format("toys"))
    assert bench("run", file)[0] == 0
    file.write_text(lists + rule.format("games"))
    code, out, _ = bench("run", file)
    assert code == 1
    assert "1 of 2 cells finished" in out
    assert "are not those of the manifest" in out


LR_ROWS = """
[experiment]
protocols = ["toys"]
hallucinators = ["none", "counted"]
recognisers = ["pixels"]
lr_aligners = ["none", "template", "yunet"]
"""


def test_lr_aligners_add_one_row_of_the_lr_face_each_and_none_of_other_hallucinators(
    toys: Any, toy_root: Path, tmp_path: Path
) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(LR_ROWS, encoding="utf-8")
    experiment = read_experiment(file, {})
    assert isinstance(experiment, Experiment)
    cells = make_matrix(experiment).cells
    assert [(cell.hallucinator, cell.config.align) for cell in cells] == [
        ("none", None),
        ("none (align none)", "none"),
        ("none (align template)", "template"),
        ("none (align yunet)", "yunet"),
        ("counted", None),
    ]
    assert len({cell.name for cell in cells}) == 5 and "align=yunet" in cells[3].name


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('"yunet"', '"yunett"', "yunett"),
        ('["none", "counted"]', '["counted"]', "lr_aligners adds rows of the LR face"),
        ('["none", "template", "yunet"]', "3", "lr_aligners is 3"),
    ],
)
def test_wrong_lr_aligners_are_named_before_anything_runs(
    toys: Any, toy_root: Path, tmp_path: Path, old: str, new: str, text: str
) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(LR_ROWS.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError, match=text):
        read_experiment(file, {})


def test_the_experiment_files_of_the_documents_can_be_read() -> None:
    files = sorted((Path(__file__).parents[3] / "docs" / "experiments").glob("*.toml"))
    assert files
    for file in files:
        experiment = read_experiment(file, {})
        assert isinstance(experiment, Experiment) and experiment.lr_aligners
