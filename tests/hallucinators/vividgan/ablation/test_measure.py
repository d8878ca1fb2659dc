"""Measuring left-out people: V+GT uses ground-truth components, and results are stored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import DataError, UsageError
from bench.faces.pairs.pack import Pack
from bench.faces.pairs.pairs import make_pairs
from bench.images import resize, to_float
from hallucinators.vividgan.ablation.measure import FILE, Evaluator, GroundTruthComponents, split
from hallucinators.vividgan.ablation.variants import VARIANTS
from hallucinators.vividgan.network.components import centres_from_five, crop
from hallucinators.vividgan.network.loading import build, load_weights, save_weights
from hallucinators.vividgan.network.weight_file import Facts


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VividGAN that has learned nothing."""
    torch.manual_seed(0)
    facts = Facts("vividgan", 16, "compact")
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(path, build(facts), facts)
    return path


def test_v_gt_computes_what_the_model_does_with_the_true_components(weights: Path, packed: Pack) -> None:
    pairs = make_pairs(packed, 0, yaws_deg=(40,))
    components = GroundTruthComponents(weights, 16, "cpu")
    components.set_truth(pairs)
    result = components.hallucinate(to_float([pair.lr for pair in reversed(pairs)]))[::-1]
    model = load_weights(weights)[0]
    truth, lr = to_float([pairs[0].frontal]), to_float([pairs[0].lr])
    centres = centres_from_five(torch.from_numpy(pairs[0].five)[None]).round()
    with torch.inference_mode():
        inputs = crop(torch.from_numpy(truth), centres, model.patch_sizes)
        expected = model(torch.from_numpy(lr), components=inputs, centres=centres)
        output = model(torch.from_numpy(lr), centres=centres)
    np.testing.assert_allclose(result[0], expected.fine[0].clamp(0, 1).numpy(), atol=1e-5)
    assert not torch.equal(expected.prior, output.prior)
    with pytest.raises(UsageError, match="no ground truth"):
        components.hallucinate(to_float([255 - pairs[0].lr]))


def test_bicubic_is_measured_as_by_hand_and_kept(packed: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = packed.indices(test=True)[:2].tolist()
    figures: list[int] = []
    result = Evaluator(packed, chosen, "ablation-pixels", lr=16).measure_bicubic(tmp_path, figures.append)
    assert sum(figures) == 2 and result.people == ("0",) * 8 + ("1",) * 8 and result.align == "true"
    pair = make_pairs(packed, chosen[0])[0]
    error = np.square(resize(pair.lr, 128, 128).astype(float) - pair.frontal).mean()
    assert result.psnr_db[0] == pytest.approx(10 * np.log10(255**2 / error))
    assert sum(result.outcomes.values()) == 16

    monkeypatch.setattr(Evaluator, "_measure", lambda *args: pytest.fail("it was measured again"))
    assert Evaluator(packed, chosen, "ablation-pixels", lr=16).measure_bicubic(tmp_path, figures.append) == result
    for changed in (
        Evaluator(packed, chosen, "ablation-pixels", lr=32),
        Evaluator(packed, chosen, "ablation-pixels", lr=16, seed=1),
    ):
        with pytest.raises(pytest.fail.Exception):
            changed.measure_bicubic(tmp_path, figures.append)


def test_infinite_values_are_kept_and_damaged_files_named(packed: Pack, tmp_path: Path) -> None:
    chosen = packed.indices(test=True)[:2].tolist()
    evaluator = Evaluator(packed, chosen, "ablation-pixels", lr=16)
    first = evaluator.measure_bicubic(tmp_path, lambda done: None)
    raw = json.loads((tmp_path / FILE).read_text())
    raw["psnr_db"][:2] = ["inf", None]
    (tmp_path / FILE).write_text(json.dumps(raw))
    result = evaluator.measure_bicubic(tmp_path, lambda done: None)
    assert result.psnr_db[:2] == (float("inf"), None) and result.psnr_db[2:] == first.psnr_db[2:]
    (tmp_path / FILE).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        evaluator.measure_bicubic(tmp_path, lambda done: None)


def test_those_who_choose_weights_are_not_measured(packed: Pack) -> None:
    validated, measured = split(packed, 100)
    assert not set(validated) & set(measured)
    assert sorted([*validated, *measured]) == packed.indices(test=True).tolist()
    assert len(split(packed, 2)[1]) == 2
    with pytest.raises(UsageError, match="at least 2 are needed"):
        split(packed, 1)


def test_only_v_gt_is_given_the_truth() -> None:
    assert [v.name for v in VARIANTS.values() if v.true_components] == ["v+gt"]
