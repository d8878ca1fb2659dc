"""Training and prediction of a classifier: class-balanced sampling, flips, shifts and weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.devices import torch_threads
from bench.errors import BenchError, DataError
from bench.evaluation.expression.classifier.networks import Settings, build, settings_of
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.images import ByteImages, FloatImages

if TYPE_CHECKING:
    import torch
    from torch import nn

_SHIFT = 1 / 12  # of the side, each way
_PREDICTION_BATCH = 128


def train(
    images: ByteImages,
    targets: NDArray[np.int64],
    classes: int,
    plan: ClassifierPlan,
    *,
    fold: int = 0,
    device: str = "cpu",
    threads: int = 0,
) -> nn.Module:
    """Train a classifier.

    Every epoch draws N faces with replacement, all classes with equal probability; faces are mirrored with probability
    1/2 and shifted by up to 1/12 of the side in each direction, borders repeated. AdamW, cross-entropy, one cycle of
    the learning rate. The last weights are used, since there are no validation faces.

    Args:
        images: RGB uint8 (N, S, S, 3), S the side in the classifier's settings, N >= 1.
        targets: class of each, int64 (N,), from 0.
        classes: how many classes there are; some may have no face.
        plan: network, epochs, seed.
        fold: together with the seed, seeds all random numbers.
        device: torch device.
        threads: processor threads; 0 leaves the choice to torch.

    Returns:
        The network in evaluation mode.

    Raises:
        DataError: no images, wrong shapes, a class out of range, or faces of one class only.
        BenchError: the loss is not finite.
    """
    import torch
    from torch.nn import functional

    settings = settings_of(plan.classifier)
    _check(images, targets, classes, settings)
    epochs = plan.epochs or settings.epochs
    seed = int(np.random.SeedSequence((plan.seed, fold)).generate_state(1, np.uint64)[0] >> 1)
    draws = torch.Generator().manual_seed(seed)
    faces, classes_of_faces = torch.from_numpy(images), torch.from_numpy(targets)
    weights_of_faces = 1 / torch.bincount(classes_of_faces, minlength=classes)[classes_of_faces].double()
    steps = epochs * -(-len(images) // settings.batch)
    where = torch.device(device)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []), torch_threads(threads):
        torch.manual_seed(seed)
        network = build(plan.classifier, classes, plan.weights).to(where).train()
        network = network.to(memory_format=torch.channels_last)  # a fifth faster on processors
        optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.rate, total_steps=steps + 1, pct_start=0.1)
        for _ in range(epochs):
            order = torch.multinomial(weights_of_faces, len(images), replacement=True, generator=draws)
            for start in range(0, len(order), settings.batch):
                rows = order[start : start + settings.batch]
                batch = to_input(augment(faces[rows], draws).to(where), settings)
                loss = functional.cross_entropy(network(batch), classes_of_faces[rows].to(where))
                if not bool(torch.isfinite(loss)):
                    raise BenchError(f"The classifier {plan.classifier} diverged: its loss is {float(loss)}")
                optimiser.zero_grad(set_to_none=True)
                torch.autograd.backward(loss)
                optimiser.step()
                schedule.step()
    return network.eval()


def predict(network: nn.Module, images: ByteImages, plan: ClassifierPlan, *, threads: int = 0) -> FloatImages:
    """Probabilities of the classes: float32 (N, classes), for RGB uint8 (N, S, S, 3); N may be 0."""
    import torch

    settings = settings_of(plan.classifier)
    where = next(network.parameters()).device
    rows = []
    with torch.inference_mode(), torch_threads(threads):
        for start in range(0, len(images), _PREDICTION_BATCH):
            batch = torch.from_numpy(images[start : start + _PREDICTION_BATCH]).to(where)
            rows.append(network(to_input(batch, settings)).softmax(1).float().cpu().numpy())
    return np.concatenate(rows) if rows else np.empty((0, 0), np.float32)


def augment(faces: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """Mirror and shift each face independently; the border is repeated.

    Args:
        faces: uint8 (N, S, S, 3).
        draws: generator.
    """
    import torch

    count, side = faces.shape[:2]
    largest = round(side * _SHIFT)
    shifts = torch.randint(-largest, largest + 1, (2, count, 1), generator=draws)
    mirrored = torch.rand(count, 1, generator=draws) < 0.5
    rows, columns = ((torch.arange(side) + shift).clamp(0, side - 1) for shift in shifts)
    columns = torch.where(mirrored, side - 1 - columns, columns)
    return faces[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]


def to_input(faces: torch.Tensor, settings: Settings) -> torch.Tensor:
    """Network input, float32 (N, 3, input_side, input_side), of uint8 (N, S, S, 3)."""
    import torch
    from torch.nn import functional

    scaled = faces.permute(0, 3, 1, 2).float() / 255
    if settings.input_side != settings.side:
        size = (settings.input_side, settings.input_side)
        scaled = functional.interpolate(scaled, size=size, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(v, device=faces.device).view(1, 3, 1, 1) for v in (settings.mean, settings.std))
    return (scaled - mean) / std


def _check(images: ByteImages, targets: NDArray[np.int64], classes: int, settings: Settings) -> None:
    expected = (len(targets), settings.side, settings.side, 3)
    if images.shape != expected or images.dtype != np.uint8 or not len(images):
        raise DataError(f"Training faces are {images.dtype} {images.shape}; expected uint8 {expected}, at least one")
    occurring = np.unique(targets)
    if occurring[0] < 0 or occurring[-1] >= classes:
        raise DataError(f"Classes from {occurring[0]} to {occurring[-1]}; there are {classes}")
    if len(occurring) < 2:
        raise DataError("All training faces show the same expression; a classifier needs two or more")
