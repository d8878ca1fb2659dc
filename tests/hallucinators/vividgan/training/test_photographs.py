"""The stage of photographs: each kind of batch lowers its losses, heads left in pose are not turned, runs continue."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.faces.pairs.pack import Pack
from hallucinators.training.data.photographs import People, PhotographSource, people_of
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import run
from hallucinators.training.steps.settings import Settings
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.network.turn_limits import ALWAYS
from hallucinators.vividgan.training.photographs import PhotographTask
from tests.hallucinators.photographs_fixture import open_photographs


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return open_photographs(tmp_path_factory.mktemp("photographs"))


@pytest.fixture(scope="module")
def people(photographs: Pack) -> People:
    return people_of([photographs], "dlib")


@pytest.fixture(scope="module")
def source(
    photographs: Pack, people: People, trained_on: RenderedViews, validation_views: RenderedViews
) -> PhotographSource:
    pairs = PairSource(trained_on, validation_views, batch_size=4, sides=(32, 16), flow=True)
    return PhotographSource(pairs, [photographs], people, batch_size=4)


def colours(images: Tensor, five: Tensor) -> Tensor:
    """A stand-in for a teacher: 128 numbers of the image, of about the length of dlib's."""
    values = torch.nn.functional.interpolate(images.float(), (6, 7), mode="area").flatten(1)
    return torch.nn.functional.pad(values, (0, 2)) * 0.2


def task(people: People | None, steps: int = 300) -> PhotographTask:
    torch.manual_seed(0)
    return PhotographTask(FlowCoarseNet(width=12, depth=3), people, steps=steps, teacher=colours)


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (0, {"pixel", "edges", "identity", "confusion"}),
        (1, {"template", "people", "colours"}),
        (2, {"pixel", "edges", "identity", "confusion", "flow", "first_flow", "seen"}),
    ],
)
def test_each_kind_of_batch_has_its_losses_and_lowers_them(
    source: PhotographSource, people: People, step: int, names: set[str]
) -> None:
    training, batch = task(people), source.batch(step)
    figures = [training.update(batch, 200) for _ in range(12)]
    assert set(figures[0]) == names | {"total"}
    assert figures[-1]["total"] < figures[0]["total"]


def test_a_photograph_left_in_its_pose_is_its_own_truth(source: PhotographSource, people: People) -> None:
    training, batch = task(people), source.batch(3)
    result, truth, five = training._restore(batch)
    # a fresh network locates the face where the frontal frame is: truth and points are those of the photograph
    inside = (..., slice(4, -4), slice(4, -4))  # the flow of 32 x 32 does not reach the border
    assert torch.allclose(truth[inside], batch.hr[inside], atol=1e-3)
    assert torch.allclose(five, batch.five, atol=1e-2)
    assert torch.allclose(result.coarse, result.warped), "the residual of a fresh network is zero"
    assert training._net.limits == ALWAYS


def test_a_smaller_rate_moves_the_parts_that_estimate_flows(people: People) -> None:
    restoring, geometry = task(people).optimisers()["net"].param_groups
    assert geometry["greatest"] == pytest.approx(restoring["greatest"] / 10)
    names = {name.split(".")[0] for name, _ in task(people)._net.named_parameters()}
    assert len(restoring["params"]) + len(geometry["params"]) == len(list(task(people)._net.parameters()))
    assert {"content", "fuse", "detail", "paint"} < names


def test_validation_is_of_pairs_and_of_photographs_alike(source: PhotographSource, people: People) -> None:
    training = task(people)
    for batch in (source.batch(0), source.batch(2)):
        figures = training.validate(batch)
        assert set(figures) == {"psnr_db", "identity", "objective"} and figures["objective"] < 0
        assert [image.shape[0] for image in training.preview(batch)] == [4] * 4


def test_a_training_that_is_continued_equals_one_in_one_piece(
    source: PhotographSource, people: People, tmp_path: Path
) -> None:
    def train(out: Path, steps: int) -> dict[str, Tensor]:
        training = task(people, steps=6)
        settings = Settings(
            steps=steps, batch_size=4, threads=1, precision="fp32", validate_every=steps, checkpoint_every=3
        )
        run.train(training, source, settings, out, progress=lambda line: None)
        return {name: value.clone() for name, value in training._net.state_dict().items()}

    whole = train(tmp_path / "whole", 6)
    train(tmp_path / "parts", 3)
    continued = train(tmp_path / "parts", 6)
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
