"""``bench train`` from a small pack to weights: stages, resumption, refusals, several processes."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.faces.pairs.describe import Describer
from bench.faces.pairs.grouping import Grouping
from bench.faces.pairs.pack import pack, photographs
from bench.images import encode_png
from bench.interfaces import HALLUCINATORS
from bench.io.file_digests import file_digest
from bench.pipeline.build import build
from bench.registry import Spec
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.settings import Settings
from hallucinators.vividgan.network.loading import build as build_network
from hallucinators.vividgan.network.loading import load_weights, save_weights
from hallucinators.vividgan.network.weight_file import Facts, read_facts
from hallucinators.vividgan.training import recipe
from tests.hallucinators.photographs_fixture import write_photographs

Bench = Callable[..., tuple[int, str, str]]
STEPS = "geometry=2,coarse=2,touchup=2,whole=2"


@pytest.fixture(scope="session")
def heads() -> ModuleType:
    """The drawn heads of the tests of training, as a module."""
    path = Path(__file__).parents[2] / "hallucinators" / "conftest.py"
    spec = importlib.util.spec_from_file_location("training_heads", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def data(heads: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of 14 people to train on and 4 left out."""
    file: Path = heads.write_pack(tmp_path_factory.mktemp("people"))
    return file


@pytest.fixture(scope="session")
def views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rendered views that the trainings share."""
    return tmp_path_factory.mktemp("views")


@pytest.fixture(autouse=True)
def no_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # it takes seconds to import


@pytest.fixture
def train(bench: Bench, data: Path, views: Path, tmp_path: Path) -> Bench:
    """Run ``bench train`` on 8 people into ``tmp_path/out``."""

    def call(method: str, *more: object, steps: str = STEPS, identity: str = "none") -> tuple[int, str, str]:
        given = ("--data", data, "--out", tmp_path / "out", "--views", views, "--faces", 8, "--batch", 4)
        return bench("train", method, *given, "--steps", steps, "--identity", identity, "--threads", 1, *more)

    return call


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vividgan", "vividgan-flow"])
def test_a_training_ends_with_weights_that_a_hallucinator_takes_and_again_returns_at_once(
    train: Bench, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = train(method)
    assert code == 0, err
    assert "SMOKE RUN" in out
    weights = tmp_path / "out" / f"{method}.safetensors"
    facts = read_facts(weights)
    assert facts.network == method and facts.fine
    assert facts.trained["smoke"] is True and facts.trained["people"] == 8
    assert facts.trained["split"] == "by file name" and "is split by file name" in err
    card = weights.with_suffix(".md").read_text()
    assert "SMOKE RUN" in card and file_digest(weights) in card and "| whole | 2 | 8 |" in card
    stages = (*(["geometry"] if method == "vividgan" else []), "coarse", "touchup", "whole")
    assert [facts.trained[f"{stage}_samples"] for stage in stages] == [8] * len(stages)
    hint = re.search(r"--hallucinator (\S+)", out)
    assert hint
    hallucinator = build(HALLUCINATORS, Spec.parse(hint[1] + ",landmarks=template")).component
    lr = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    assert hallucinator.hallucinate(lr).shape == (2, 3, 128, 128)

    before, at = weights.read_bytes(), [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("checkpoint-*.pt"))]

    def must_not(*args: object, **named: object) -> None:
        raise AssertionError("a step was made")

    for stage in ("GeometryStage", "CoarseStage", "TouchUpStage", "WholeStage", "FlowTask"):
        monkeypatch.setattr(getattr(recipe, stage), "update", must_not)
    code, out, err = train(method)
    assert code == 0 and err.count("had ended (done)") == len(stages) and "SMOKE RUN" in out
    assert weights.read_bytes() == before
    assert at == [p.stat().st_mtime_ns for p in sorted(tmp_path.rglob("checkpoint-*.pt"))]


def test_a_training_killed_after_a_stage_continues_with_the_next(
    train: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "TouchUpStage", dies)
        code, out, err = train("vividgan", steps="geometry=0,coarse=2,touchup=1,whole=0")
    assert code == 130 and "interrupted" in err and "SMOKE" not in out
    checkpoint_bytes = checkpoint.path_of(tmp_path / "out" / "coarse", 2).read_bytes()
    code, out, err = train("vividgan", steps="geometry=0,coarse=2,touchup=1,whole=0")
    assert code == 0, err
    assert "vividgan-coarse: had ended (done)" in err and "vividgan-touchup: stopped (done) after 1 steps" in err
    assert checkpoint.path_of(tmp_path / "out" / "coarse", 2).read_bytes() == checkpoint_bytes


def test_the_coarse_network_alone_makes_weights_of_it_alone(train: Bench, tmp_path: Path) -> None:
    code, out, err = train("vividgan", "--lr", 32, steps="geometry=0,coarse=1,touchup=0,whole=0")
    assert code == 0, err
    weights = tmp_path / "out" / "vividgan.safetensors"
    facts = read_facts(weights)
    assert not facts.fine and facts.lr == 32 and "touchup_samples" not in facts.trained
    hint = re.search(r"--hallucinator (\S+)", out)
    assert hint
    hallucinator = build(HALLUCINATORS, Spec.parse(hint[1])).component
    assert hallucinator.hallucinate(np.zeros((1, 3, 32, 32), np.float32)).shape == (1, 3, 128, 128)
    best = checkpoint.load(checkpoint.best_path(tmp_path / "out" / "coarse"))["averages"]["coarse"]  # type: ignore[arg-type]
    for name, value in load_weights(weights)[0].coarse.state_dict().items():
        np.testing.assert_array_equal(value, best[name].half().float())


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of photographs of eight people in any pose."""
    return write_photographs(tmp_path_factory.mktemp("photographs"))


def test_photographs_train_a_deeper_network_from_shallower_weights(
    train: Bench, turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "load_teacher", lambda name, device: _colours)
    given = ("--photographs", turned, "--depth", 3)
    shallow = Facts("vividgan-flow", 0, "compact", touchup=False, fine=False)
    start = tmp_path / "start.safetensors"
    save_weights(start, build_network(shallow), shallow)
    code, out, err = train(
        "vividgan-flow", *given, "--start", start, steps="coarse=0,photographs=3,touchup=0,whole=0", identity="dlib"
    )
    assert code == 0, err
    weights = tmp_path / "out" / "vividgan-flow.safetensors"
    facts = read_facts(weights)
    assert facts.depth == 3 and not facts.fine and facts.trained["photographs_samples"] == 12
    assert facts.trained["photographs"] == 32 and facts.trained["start_sha256"] == file_digest(start)
    assert facts.trained["degradation"] is True and facts.trained["templates"] is True
    card = weights.with_suffix(".md").read_text()
    assert "32 real photographs" in card and file_digest(start) in card and "depth 3" in card
    hint = re.search(r"--hallucinator (\S+)", out)
    assert hint
    hallucinator = build(HALLUCINATORS, Spec.parse(hint[1])).component
    assert hallucinator.hallucinate(np.zeros((1, 3, 16, 16), np.float32)).shape == (1, 3, 128, 128)
    more = "coarse=0,photographs=3,touchup=0,whole=0"
    code, _, err = train("vividgan-flow", *given, "--start", start, "--no-templates", steps=more, identity="dlib")
    assert code == 1 and "templates is 0 here and 1" in err


def test_turned_photographs_are_no_frontal_data(bench: Bench, turned: Path, tmp_path: Path) -> None:
    given = ("--data", turned, "--out", tmp_path / "out", "--identity", "none", "--steps", "coarse=1")
    code, _, err = bench("train", "vividgan-flow", *given)
    assert code == 2 and "give this pack to --photographs" in err


def _colours(images: Tensor, five: Tensor) -> Tensor:
    values = torch.nn.functional.interpolate(images.float(), (6, 7), mode="area").flatten(1)
    return torch.nn.functional.pad(values, (0, 2)) * 0.2


def test_another_recipe_is_refused_in_the_same_folder(train: Bench) -> None:
    assert train("vividgan", steps="geometry=0,coarse=1,touchup=0,whole=0")[0] == 0
    for more in (("--losses", "minus"), ("--no-component-module",), ("--lr", 32), ("--batch", 2), ("--seed", 1)):
        code, out, err = train("vividgan", *more, steps="geometry=0,coarse=1,touchup=0,whole=0")
        assert code == 1 and ("of another run" in err or "another pack or plan" in err), more
    code, _, err = train("vividgan-flow", steps="geometry=0,coarse=1,touchup=0,whole=0")
    assert code == 1 and "method is 'vividgan-flow' here and 'vividgan' in the checkpoint" in err or "task is" in err


@pytest.mark.parametrize(
    ("command_options", "known"),
    [
        (("vividgam",), "vividgan, vividgan-flow, waveletsrnet, all"),
        (("vividgan", "--steps", "corse=2"), "coarse, touchup, whole"),
        (("vividgan", "--steps", "coarse"), "STAGE=N"),
        (("vividgan", "--steps", "coarse=-1"), "STAGE=N"),
        (("vividgan", "--preset", "huge"), "paper, compact"),
        (("vividgan", "--losses", "most"), "minus, dagger, ddagger, star, full"),
        (("vividgan", "--depth", "3"), "vividgan has no option --photographs, --depth or --start"),
        (("vividgan-flow", "--depth", "4"), "depth is 4"),
        (("vividgan-flow", "--steps", "photographs=2"), "--photographs FILE"),
        (("vividgan-flow", "--steps", "coarse=0"), "one of the stages coarse and photographs"),
        (("vividgan", "--batch", "0"), "batch_size is 0"),
        (("vividgan", "--batch", "9"), "no more pairs a step than there are faces"),
        (("vividgan", "--minutes", "0"), "minutes is 0"),
        (("vividgan", "--minutes", "-3"), "minutes is -3"),
        (("vividgan", "--seed", "-1"), "seed is -1"),
        (("vividgan", "--device", "gpu"), "There is no device 'gpu' here"),
        (("vividgan", "--faces", "0"), "--faces is 0"),
        (("vividgan", "--faces", "-2"), "--faces is -2"),
    ],
)
def test_impossible_options_are_usage_errors_with_the_possible_ones(
    train: Bench, tmp_path: Path, command_options: tuple[str, ...], known: str
) -> None:
    code, out, err = train(*command_options)
    assert code == 2 and known in err, err
    assert out == "" and not list(tmp_path.rglob("*.pt"))


def test_the_header_and_card_say_the_split_and_what_was_left_out(
    bench: Bench, heads: ModuleType, tmp_path: Path
) -> None:
    folder, test = tmp_path / "people", tmp_path / "test"
    for result in (folder, test):
        result.mkdir()
    numbers = range(14)
    drawn = [heads.head(number) for number in numbers]
    for number, (image, _) in zip(numbers, drawn, strict=True):
        (folder / f"{number:02d}.png").write_bytes(encode_png(image))
    (test / "copy.png").write_bytes((folder / "00.png").read_bytes())
    grouping = Grouping(Describer(), ("bytes",), partition=["train"] * 6 + ["validation"] * 8)
    file = folder / "faces.npz"
    known = heads.Known([landmarks for _, landmarks in drawn])
    pack(photographs(folder), file, known, grouping=grouping)
    given = ["--data", file, "--out", tmp_path / "out", "--batch", 4]
    given += ["--steps", "geometry=0,coarse=1,touchup=0,whole=0"]
    code, out, err = bench("train", "vividgan", *given, "--identity", "none", "--threads", 1, "--exclude", test)
    assert code == 0, err
    assert "1 faces are not trained on because of test" in out and "were not compared by recognisers" in err
    weights = tmp_path / "out" / "vividgan.safetensors"
    trained = read_facts(weights).trained
    assert trained["split"] == "by groups of bytes" and trained["people"] == 5
    assert trained["left_out_near"] == [{"pack": "faces.npz", "near": "test", "by": {"bytes": 1}, "left_out": 1}]
    card = weights.with_suffix(".md").read_text()
    assert "| split | by groups of bytes |" in card and "| not trained on, near test | 1 faces of faces.npz |" in card
    code, out, err = bench("train", "vividgan", *given, "--identity", "none", "--threads", 1)
    assert code == 1 and ("another pack or plan" in err or "of another run" in err), "other people, same folder"


def test_a_teacher_that_is_not_here_is_missing(train: Bench) -> None:
    code, _, err = train("vividgan", identity="resnet60.pth")
    assert code == 3 and "dlib, none" in err


def test_a_pack_that_is_missing_damaged_or_without_held_out_people_is_an_error(
    bench: Bench, heads: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "damaged.npz").write_bytes(b"junk")
    (tmp_path / "few").mkdir()
    few = heads.write_pack(tmp_path / "few", range(1, 6))
    for file, message in (
        (tmp_path / "absent.npz", "absent.npz"),
        (tmp_path / "damaged.npz", "is not a pack"),
        (few, "5 faces to train on and 0 for validation"),
    ):
        code, _, err = bench("train", "vividgan", "--data", file, "--out", tmp_path / "out", "--identity", "none")
        assert code in (1, 3) and message in err, err
    assert not (tmp_path / "out").exists()


def test_a_training_out_of_time_is_reported_and_continues_with_more(train: Bench, tmp_path: Path) -> None:
    steps = "geometry=0,coarse=3,touchup=0,whole=0"
    for _ in range(2):
        code, out, err = train("vividgan", "--minutes", "0.0001", steps=steps)
        assert code == 0 and "--minutes" in out and "SMOKE" not in out
        assert not (tmp_path / "out" / "vividgan.safetensors").exists()
    assert "stopped (time) after 1 steps" in err
    code, out, err = train("vividgan", steps=steps)
    assert code == 0 and "continuing from the checkpoint of step 1" in err
    assert (tmp_path / "out" / "vividgan.safetensors").exists()


def test_minutes_count_over_all_stages(train: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hallucinators.training.loop import run as loop

    limits: list[float | None] = []

    def record(task: object, source: object, settings: Settings, *rest: object, **named: object) -> loop.Result:
        limits.append(settings.minutes)
        return loop.Result(settings.steps, "done", {}, 90.0, 8, 0)

    class Nothing:
        def __init__(self, *args: object, **named: object) -> None: ...

    def written(path: Path, *rest: object) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"weights")

    monkeypatch.setattr(loop, "train", record)
    for stage in ("TouchUpStage", "WholeStage"):
        monkeypatch.setattr(recipe, stage, Nothing)
    monkeypatch.setattr(recipe, "_load", lambda model, *rest, **named: model)
    monkeypatch.setattr(recipe, "save_weights", written)
    assert train("vividgan", "--minutes", "2", steps="geometry=0,coarse=2,touchup=2,whole=2")[0] == 0
    assert limits[:2] == [2, 0.5] and limits[2] is not None and 0 < limits[2] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vividgan", "vividgan-flow"])
def test_two_processes_of_torchrun_train_all_stages(data: Path, tmp_path: Path, method: str) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "bench"]
    command += ["train", method, "--data", str(data), "--out", str(tmp_path / "out"), "--faces", "8", "--batch", "4"]
    command += ["--steps", STEPS, "--identity", "none", "--threads", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    for again in (False, True):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("SMOKE RUN") == 1, "only rank 0 prints"
        stages = 4 if method == "vividgan" else 3
        assert done.stderr.count("had ended (done)") == (stages if again else 0)
    facts = read_facts(tmp_path / "out" / f"{method}.safetensors")
    assert facts.fine and facts.trained["whole_samples"] == 8


def test_all_trains_every_baseline_in_order_with_one_budget_and_continues_after_a_failure(
    bench: Bench, data: Path, views: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.errors import MissingError
    from hallucinators.training.loop import run as loop
    from hallucinators.training.method import train_all
    from hallucinators.training.method.train import MethodResult

    requested: list[tuple[str, int, str, float | None, str]] = []

    def record(options: Options, settings: Settings, people: object, out: Path) -> MethodResult:
        aligner = "" if options.aligner is None else str(options.aligner.relative_to(tmp_path))
        requested.append((options.method, options.lr, out.name, settings.minutes, aligner))
        if options.method == "cbn":
            raise MissingError("no landmarks\nmore")
        result = loop.Result(5, "done", {"psnr_db": 20.0}, 60.0, 160, 0)
        return MethodResult("done", "pixels", {"pixels": result}, out / "w")

    monkeypatch.setattr(train_all, "train_method", record)
    given = ("--data", data, "--out", tmp_path / "out", "--views", views, "--faces", 8, "--batch", 4, "--minutes", 3)
    code, out, _ = bench("train", "all", *given)
    assert code == 1 and re.search("^cbn-8x +FAILED: no landmarks", out, re.MULTILINE) and "SMOKE RUN" in out
    assert [name for _, _, name, _, _ in requested] == [
        "stn-8x", "stn-4x", "cbn-8x", "cbn-4x", "cyclegan", "drgan", "srgan-8x", "srgan-4x",
        "tann-8x", "tann-4x", "tdae-8x", "tdae-4x", "waveletsrnet-8x", "waveletsrnet-4x",
    ]  # fmt: skip
    assert {minutes for *_, minutes, _ in requested} == {3}
    assert {(lr, aligner) for method, lr, _, _, aligner in requested if method == "srgan"} == {
        (16, "out/stn-8x/stn.safetensors"),
        (32, "out/stn-4x/stn.safetensors"),
    }
    requested.clear()
    assert bench("train", "all", *given, "--lr", 32)[0] == 1
    assert [name for _, _, name, _, _ in requested][:2] == ["stn-4x", "cbn-4x"] and len(requested) == 8
    code, _, err = bench("train", "all", *given, "--steps", "pixels=3")
    assert code == 2 and "--steps is for one method" in err


@pytest.mark.slow
def test_the_recipe_paper_trains_and_its_card_and_header_name_what_is_not_as_in_the_paper(
    train: Bench, tmp_path: Path
) -> None:
    more = ("--recipe", "paper", "--preset", "compact")
    code, out, err = train("vividgan", *more, steps="coarse=2,touchup=1,whole=2")
    assert code == 0, err
    weights = tmp_path / "out" / "vividgan.safetensors"
    trained = read_facts(weights).trained
    assert trained["recipe"] == "paper" and trained["departures"] == {"preset": "compact", "identity": "none"}
    assert not (tmp_path / "out" / "geometry").exists() and (tmp_path / "out" / "whole").is_dir()
    card = weights.with_suffix(".md").read_text(encoding="utf-8")
    assert "| recipe | paper |" in card and "`--preset` compact, `--identity` none" in card
    code, _, err = train("vividgan", "--preset", "compact", steps="coarse=2,touchup=1,whole=2")
    assert code != 0, "another recipe does not continue it"
