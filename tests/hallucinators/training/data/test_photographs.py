"""Batches of real photographs: parts are respected, a template excludes the photograph itself, steps repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import UsageError
from bench.faces.pairs.pack import Pack
from hallucinators.training.data.photographs import SIDES, People, PhotographSource, people_of
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from tests.hallucinators.photographs_fixture import EACH, PEOPLE, YAWS_DEG, open_photographs


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    opened = open_photographs(tmp_path_factory.mktemp("photographs"))
    opened.part[-2 * EACH : -EACH], opened.part[-EACH:] = "validation", "sealed"
    return opened


@pytest.fixture(scope="module")
def people(photographs: Pack) -> People:
    return people_of([photographs], "dlib")


@pytest.fixture
def source(
    photographs: Pack, people: People, trained_on: RenderedViews, validation_views: RenderedViews
) -> PhotographSource:
    pairs = PairSource(trained_on, validation_views, batch_size=4, sides=(32, 16), flow=True)
    return PhotographSource(pairs, [photographs], people, batch_size=4, seed=5)


def test_the_pack_keeps_the_yaw_of_each_head(photographs: Pack) -> None:
    assert photographs.most_yaw_deg == 90 and photographs.yaw_deg.tolist() == [*YAWS_DEG] * PEOPLE


def test_people_are_those_of_the_training_part_with_two_photographs(photographs: Pack, people: People) -> None:
    assert photographs.groups is not None
    assert len(people.templates) == len(np.unique(people.person))
    assert set(photographs.part[people.face]) == {"train"}
    labels = photographs.groups.identity[people.face]
    assert {len(set(labels[people.person == row])) for row in np.unique(people.person)} == {1}
    assert people.weight.sum() == pytest.approx(1)


def test_a_template_without_the_photograph_does_not_depend_on_it(photographs: Pack, people: People) -> None:
    assert photographs.groups is not None
    embeddings = photographs.groups.described.embeddings["dlib"]
    faces = people.face[people.person == 0]
    share = np.maximum(0.15, np.cos(np.deg2rad(np.minimum(1.5 * np.abs(photographs.yaw_deg[faces]), 80))))
    expected = (embeddings[faces[1:]] * share[1:, None]).sum(0)
    expected /= np.linalg.norm(expected)
    length = np.median(np.linalg.norm(embeddings[people.face], axis=1))
    np.testing.assert_allclose(people.without[people.person == 0][0], expected * length, rtol=1e-4, atol=1e-5)
    whole = (embeddings[faces] * share[:, None]).sum(0)
    np.testing.assert_allclose(people.templates[0], whole / np.linalg.norm(whole) * length, rtol=1e-4, atol=1e-5)


def test_a_near_copy_is_no_other_photograph(photographs: Pack) -> None:
    assert photographs.groups is not None
    described = photographs.groups.described
    first, second = people_of([photographs], "dlib").face[:2].tolist()
    hashes = described.phash.copy()
    described.phash[second] = hashes[first]
    try:
        changed = people_of([photographs], "dlib")
    finally:
        described.phash[:] = hashes
    before = people_of([photographs], "dlib")
    np.testing.assert_array_equal(changed.templates, before.templates)
    assert not np.allclose(changed.without[0], before.without[0])
    faces = [face for face in changed.face[changed.person == 0].tolist() if face not in (first, second)]
    assert changed.without[0] @ described.embeddings["dlib"][faces].sum(0) > 0


def test_three_kinds_of_batches_come_in_turn(source: PhotographSource) -> None:
    posed, person, pairs = (source.batch(step) for step in (3, 4, 5))
    assert posed.in_pose is not None and posed.in_pose.all() and posed.template is None
    assert person.template is not None and person.template.shape == (4, 128) and person.person is not None
    assert pairs.in_pose is None and pairs.flow is not None
    assert posed.lr.shape[-1] == person.lr.shape[-1] == SIDES[1] and pairs.lr.shape[-1] == 16
    assert len({*person.face.tolist()}) == 4, "no photograph is twice in a batch"


def test_without_people_photographs_and_pairs_alternate(photographs: Pack, source: PhotographSource) -> None:
    plain = PhotographSource(source._pairs, [photographs], None, batch_size=4)
    assert [plain.batch(step).in_pose is None for step in range(4)] == [False, True, False, True]


def test_a_batch_is_a_function_of_seed_and_step(source: PhotographSource, photographs: Pack, people: People) -> None:
    again = PhotographSource(source._pairs, [photographs], people, batch_size=4, seed=5)
    other = PhotographSource(source._pairs, [photographs], people, batch_size=4, seed=6)
    for step in (0, 1):
        assert torch.equal(source.batch(step).lr, again.batch(step).lr)
        assert not torch.equal(source.batch(step).lr, other.batch(step).lr)


def test_points_follow_the_photograph(source: PhotographSource) -> None:
    batch = source.batch(0)
    eyes = batch.five[:, :2].mean(1)
    mouth = batch.five[:, 3:].mean(1)
    assert ((mouth - eyes)[:, 1] > 10).all() and (batch.five[:, 1, 0] > batch.five[:, 0, 0]).all()
    assert ((batch.five > 0) & (batch.five < 127)).all()


def test_validation_photographs_are_held_out_and_never_trained_on(source: PhotographSource, photographs: Pack) -> None:
    held_out = [batch for batch in source.held_out() if batch.in_pose is not None]
    assert {batch.lr.shape[-1] for batch in held_out} == {16, 32}
    assert {face for batch in held_out for face in batch.face.tolist()} <= set(photographs.part_indices("validation"))
    trained = {face for step in (0, 1, 3, 4, 6, 7) for face in source.batch(step).face.tolist()}
    assert trained <= set(photographs.indices(test=False).tolist())


def test_packs_without_labels_or_too_few_people_are_refused(tmp_path: Path, source: PhotographSource) -> None:
    unnamed = open_photographs(tmp_path, labels=False)
    with pytest.raises(UsageError, match="--identities"):
        people_of([unnamed], "dlib")
    with pytest.raises(UsageError, match="no embeddings of resnet"):
        people_of([unnamed], "resnet")
    with pytest.raises(UsageError, match="a smaller --batch"):
        PhotographSource(source._pairs, source._packs, source._people, batch_size=40)
