from __future__ import annotations

import pytest
import torch

from bench.align.template import FRAMES
from bench.errors import DataError, UsageError
from hallucinators.vividgan.network.components import (
    COMPONENTS,
    PATCH_SIZES,
    centres_from_five,
    check_sizes,
    crop,
    stitch,
    template_centres,
)


def covered_by(centres: torch.Tensor) -> dict[str, torch.Tensor]:
    """Boolean (128, 128) masks by component, from the boxes as the module's first paragraph gives them."""
    masks = {}
    for (x, y), name in zip(centres.int().tolist(), COMPONENTS, strict=True):
        wide, high = PATCH_SIZES[name]
        masks[name] = torch.zeros(128, 128, dtype=torch.bool)
        masks[name][max(0, y - high // 2) : y + high // 2, max(0, x - wide // 2) : x + wide // 2] = True
    return masks


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_pasting_undoes_cutting_at_whole_pixels(shift: float) -> None:
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    centres = (template_centres() + shift).round().expand(2, -1, -1)
    prior, mask = stitch(crop(images, centres), centres)
    expected = torch.stack(list(covered_by(centres[0]).values())).any(dim=0)
    assert torch.equal(mask[0, 0].bool(), expected)
    torch.testing.assert_close(prior, images * mask, atol=2e-5, rtol=0)
    assert prior[(mask == 0).expand_as(prior)].abs().max() == 0


def test_the_centre_falls_on_the_middle_pixel_of_the_patch() -> None:
    images = torch.zeros(1, 3, 128, 128)
    centres = torch.tensor([[[30.0, 31], [90, 32], [60, 66], [61, 99]]])
    for x, y in centres[0].int().tolist():
        images[0, :, y, x] = 1
    for name, patch in crop(images, centres).items():
        wide, high = PATCH_SIZES[name]
        assert patch.shape == (1, 3, high, wide)
        assert (patch[0, 0] == patch[0, 0].max()).nonzero().tolist() == [[high // 2, wide // 2]]


def test_a_centre_between_pixels_reads_between_pixels() -> None:
    ramp = torch.arange(128.0).expand(1, 3, 128, 128)
    centres = torch.tensor([[[40.25, 40.0], [86.5, 40.0], [64.0, 66.5], [64.75, 90.0]]])
    patches = crop(ramp, centres)
    assert patches["left_eye"][0, 0, 5, 20].item() == pytest.approx(40.25, abs=1e-3)
    assert patches["mouth"][0, 0, 5, 32].item() == pytest.approx(64.75, abs=1e-3)
    prior, mask = stitch(patches, centres)
    inside = mask.bool() & torch.roll(mask, 1, -1).bool() & torch.roll(mask, -1, -1).bool()
    torch.testing.assert_close(prior[:, :1][inside], ramp[:, :1][inside], atol=0.51, rtol=0)


def test_max_out_acts_only_where_patches_overlap_and_dark_pixels_stay_dark() -> None:
    centres = torch.tensor([[[40.0, 40], [86, 40], [63, 64], [63, 89]]])
    values = {"left_eye": 0.1, "right_eye": 0.2, "nose": 0.05, "mouth": 0.3}
    patches = {name: torch.full((1, 3, high, wide), values[name]) for name, (wide, high) in PATCH_SIZES.items()}
    prior, mask = stitch(patches, centres)
    masks = covered_by(centres[0])
    expected = torch.zeros(128, 128)
    for name, covered in masks.items():
        expected = torch.where(covered, torch.maximum(expected, torch.tensor(values[name])), expected)
    assert (masks["left_eye"] & masks["nose"]).any()
    torch.testing.assert_close(prior[0, 1], expected)
    assert torch.equal(mask[0, 0] > 0, expected > 0)
    only_nose = masks["nose"] & ~masks["left_eye"] & ~masks["right_eye"] & ~masks["mouth"]
    assert prior[0, 0][only_nose].max().item() == pytest.approx(0.05)
    negative, _ = stitch({name: patch - 1 for name, patch in patches.items()}, centres)
    assert negative[0, 0][only_nose].max().item() == pytest.approx(-0.95)  # below zero too: no maximum with the outside


def test_a_component_partly_or_wholly_outside_does_no_harm() -> None:
    images = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    centres = torch.tensor([[[3.0, 2], [127, 40], [64, 64], [500, -300]]])
    patches = crop(images, centres)
    assert all(torch.isfinite(patch).all() for patch in patches.values())
    prior, mask = stitch(patches, centres)
    torch.testing.assert_close(prior, images * mask, atol=1e-4, rtol=0)
    assert mask[0, 0, :22, :23].all() and mask.sum() == 23 * 22 + 40 * 21 + 40 * 32


def test_each_face_is_cut_at_its_own_centres() -> None:
    images = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    centres = torch.stack([template_centres(), template_centres() + 3.3])
    together, alone = crop(images, centres), crop(images[1:], centres[1:])
    for name in COMPONENTS:
        torch.testing.assert_close(together[name][1:], alone[name])


def test_gradients_reach_the_cut_pixels_and_no_other() -> None:
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    centres = template_centres().round()[None]
    prior, mask = stitch(crop(images, centres), centres)
    prior.sum().backward()
    assert images.grad is not None
    torch.testing.assert_close(images.grad, mask.expand(1, 3, 128, 128), atol=1e-3, rtol=0)


def test_the_mouth_is_centred_between_its_corners() -> None:
    five = torch.tensor([[[39.0, 40], [86, 39], [64, 64], [45, 90], [85, 88]]])
    assert centres_from_five(five).tolist() == [[[39, 40], [86, 39], [64, 64], [65, 89]]]


def test_the_template_is_the_mean_face_of_the_aligner() -> None:
    five = torch.tensor(FRAMES["utkface200"])[None] * 128 - 0.5
    torch.testing.assert_close(template_centres(), centres_from_five(five)[0], atol=0.01, rtol=0)


def test_wrong_shapes_and_sizes_are_refused() -> None:
    with pytest.raises(DataError, match="need"):
        crop(torch.zeros(2, 3, 128, 128), torch.zeros(1, 4, 2))
    with pytest.raises(DataError, match="missing: right_eye, nose, mouth"):
        stitch({"left_eye": torch.zeros(1, 3, 40, 40)}, torch.zeros(1, 4, 2))
    with pytest.raises(DataError, match="five points"):
        centres_from_five(torch.zeros(1, 68, 2))
    with pytest.raises(UsageError, match="multiples of 8"):
        check_sizes({**PATCH_SIZES, "nose": (40, 30)})
    with pytest.raises(UsageError, match="components are"):
        check_sizes({"nose": (40, 32)})
