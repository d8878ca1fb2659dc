"""Training DR-GAN: pixels first, then its discriminator with identity and pose.

Sources: L. Tran, X. Yin, X. Liu, CVPR 2017 and PAMI 2018; layers, losses and rates as in the public implementations
(kayamin/DR-GAN, tranluan/DR-GAN). Differences are listed in `hallucinators.drgan.DEPARTURES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from bench.errors import UsageError
from hallucinators.drgan.network import PRESETS, SIDE, Answer, DrDiscriminator, DrGan, nearest_bin, resized
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps import distributed
from hallucinators.training.steps.adversary import Adversary
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

DEFAULT_STEPS = {"pixel": 1000, "adversarial": 500}
_RATE = {"paper": 2e-4, "compact": 1e-3}
_ADVERSARIAL_RATE = 5e-4
_PEOPLE = 200
"""Classes of the paper preset if the number of people is unknown: those of Multi-PIE."""
INPUT_POSE_SHARE, RANDOM_POSE_SHARE = 0.25, 0.25
"""Shares of faces whose target pose is that of the input and, with the discriminator, a random one; the others are
turned to the front."""
ADVERSARIAL, IDENTITY, POSE = 1e-3, 1e-3, 1e-3
"""Weights of the discriminator's three losses beside the mean squared error of pixels in [0, 1]."""
_REAL_LABEL = 0.999
_ACCURATE, _EVERY = 0.9, 5
"""Accuracy from which the discriminator is updated in every fifth step only (kayamin: one to four)."""
_COSINE_SCALE = 10.0
_JITTER_DEG, _JITTER_SCALE, _JITTER_SHIFT = 8.0, 0.08, 0.06
_PRIME = 7919


class DrGanStage(NetworkTask):
    """A stage of DR-GAN; without a discriminator the pixel stage."""

    def __init__(
        self,
        net: DrGan,
        critic: DrDiscriminator | None,
        *,
        steps: int,
        people: int = 0,
        rate: float = 1e-3,
        critic_rate: float = 1e-3,
    ) -> None:
        """Set up the stage.

        Args:
            net: the generator.
            critic: the discriminator; None trains with pixels alone.
            steps: of the whole stage.
            people: classes of the discriminator; 0 if it compares features with those of the truths of the batch.
            rate: greatest learning rate of the generator.
            critic_rate: greatest learning rate of the discriminator.
        """
        self._net, self._critic, self._steps, self._people = net, critic, steps, people
        # Updates of this discriminator, which has three losses, are computed here; the class holds its optimiser.
        self._adversary = Adversary(critic, critic_rate) if critic else None
        optimiser = Adam([rate_group(net.parameters(), rate)], betas=(0.5, 0.999) if critic else (0.9, 0.99))
        name = "drgan-adversarial" if critic else "drgan-pixel"
        super().__init__(name, net, optimiser, adversaries={"critic": self._adversary})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the generator, then one of the discriminator."""
        share = rate_at(step, self._steps, warm=min(200, self._steps // 5))
        set_rates(self._optimiser, share)
        front, turned = resized(batch.hr, SIDE), resized(batch.upright_faces(), SIDE)
        input_pose = nearest_bin(batch.yaw_deg, self._net.poses_deg)
        pose, paired = self._target_poses(input_pose)
        faces = self._net(mixed_inputs(batch, jitter=True), pose, self._noise(len(pose)).to(batch.hr.device))
        truth = torch.where((pose == self._net.frontal())[:, None, None, None], front, turned)
        errors = (faces - truth).square().mean((1, 2, 3))
        terms = {"pixel": (errors * paired).sum() / paired.sum().clamp(min=1)}
        total = terms["pixel"]
        if self._critic:
            losses = self._generator_losses(faces, front, turned, pose, batch)
            terms |= losses
            total = total + ADVERSARIAL * losses["real"] + IDENTITY * losses["identity"] + POSE * losses["pose"]
        figures = {"total": descend(total, self._optimiser, name="drgan", limit=1.0)}
        figures |= {name: float(term.detach()) for name, term in terms.items()}
        if self._critic:
            figures |= self._update_critic(faces.detach(), front, turned, input_pose, batch, share, step)
        return figures

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of frontal faces of 128 pixels for each kind of input, and the mean over the kinds."""
        figures = {f"{name}_psnr_db": psnr_db(self._frontal(faces), batch.hr) for name, faces in inputs(batch).items()}
        return {"psnr_db": sum(figures.values()) / len(figures)} | figures

    def preview(self, batch: Batch) -> list[Tensor]:
        """Each kind of input and its frontal face; the truth; the first kind turned to the outermost bins."""
        kinds = inputs(batch)
        pairs = [image for faces in kinds.values() for image in (faces, self._frontal(faces))]
        last = len(self._net.poses_deg) - 1
        turned = [self._turn(kinds["upright"], index) for index in (0, last // 4, last - last // 4, last)]
        return [image.clamp(0, 1) for image in (*pairs, batch.hr, *turned)]

    def _frontal(self, faces: Tensor) -> Tensor:
        return resized(self._turn(faces, self._net.frontal()), 128)

    def _turn(self, faces: Tensor, index: int) -> Tensor:
        pose = torch.full((len(faces),), index, device=faces.device)
        return self._net(faces, pose, faces.new_zeros(len(faces), self._net.noise)).float()  # type: ignore[no-any-return]

    def _noise(self, count: int) -> Tensor:
        return 2 * torch.rand(count, self._net.noise) - 1

    def _target_poses(self, input_pose: Tensor) -> tuple[Tensor, Tensor]:
        """Target pose bin of each face, and 1 if there is a truth for it, else 0."""
        draw = torch.rand(len(input_pose)).to(input_pose.device)
        pose = torch.where(draw < INPUT_POSE_SHARE, input_pose, torch.full_like(input_pose, self._net.frontal()))
        if not self._critic:
            return pose, torch.ones_like(draw)
        random_pose = torch.randint(len(self._net.poses_deg), (len(input_pose),)).to(input_pose.device)
        is_random = draw > 1 - RANDOM_POSE_SHARE
        pose = torch.where(is_random, random_pose, pose)
        return pose, 1 - (is_random & (pose != self._net.frontal())).float()

    def _generator_losses(
        self, faces: Tensor, front: Tensor, turned: Tensor, pose: Tensor, batch: Batch
    ) -> dict[str, Tensor]:
        """The generator's losses by the discriminator, which gets no gradient."""
        assert self._critic is not None  # noqa: S101
        self._critic.requires_grad_(False)
        of_faces, of_front, _ = self._answers(faces, front, turned)
        self._critic.requires_grad_(True)
        return {
            "real": functional.binary_cross_entropy_with_logits(of_faces.real, torch.ones_like(of_faces.real)),
            "identity": self._identity_loss(of_faces.identity, of_front.identity.detach(), batch),
            "pose": functional.cross_entropy(of_faces.pose, pose),
        }

    def _answers(self, *parts: Tensor) -> list[Answer]:
        """Answers for several batches of N in one pass, since batch norm over each alone would hide differences."""
        assert self._critic is not None  # noqa: S101
        answer = self._critic(torch.cat(parts))
        return [Answer(*rows) for rows in zip(*(part.chunk(len(parts)) for part in answer), strict=True)]

    def _update_critic(
        self, faces: Tensor, front: Tensor, turned: Tensor, input_pose: Tensor, batch: Batch, share: float, step: int
    ) -> dict[str, float]:
        """One step of the discriminator, unless it is too accurate already; returns its losses."""
        assert self._adversary is not None  # noqa: S101
        set_rates(self._adversary.optimiser, share)
        of_faces, of_front, of_turned = self._answers(faces, front, turned)
        logits = torch.cat([of_turned.real, of_front.real])
        real = functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, _REAL_LABEL))
        real = real + functional.binary_cross_entropy_with_logits(of_faces.real, torch.zeros_like(of_faces.real))
        identity = self._identity_loss(of_turned.identity, of_front.identity, batch)
        poses = torch.cat([input_pose, torch.full_like(input_pose, self._net.frontal())])
        pose = functional.cross_entropy(torch.cat([of_turned.pose, of_front.pose]), poses)
        accuracy = float(((logits > 0).float().mean() + (of_faces.real < 0).float().mean()) / 2)
        (accuracy,) = distributed.means([accuracy])  # all processes must take the same decision
        if accuracy < _ACCURATE or step % _EVERY == 0:
            descend(real + identity + pose, self._adversary.optimiser, name="critic", limit=1.0)
        losses = {"critic_real": real, "critic_identity": identity, "critic_pose": pose}
        return {name: float(term.detach()) for name, term in losses.items()} | {"critic_right": accuracy}

    def _identity_loss(self, outputs: Tensor, truths: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy of the identity: over all people, or over those of the batch by cosine to their truths."""
        if self._people:
            return functional.cross_entropy(outputs, classes(batch.face, self._people))
        cosines = functional.normalize(outputs) @ functional.normalize(truths).T
        return functional.cross_entropy(_COSINE_SCALE * cosines, torch.arange(len(outputs), device=outputs.device))


def classes(face: Tensor, people: int) -> Tensor:
    """Class of each face, int64 (N,): a number from its index and its pack, modulo the number of people.

    A pure function, so that every process and a resumed run have the same classes. Packs also hold people left out of
    training, so some people share a class.
    """
    return (face % 2**32 + face // 2**32 * _PRIME) % people


def inputs(batch: Batch, *, jitter: bool = False) -> dict[str, Tensor]:
    """The kinds of input, (N, 3, 96, 96) each: sharp and upright, upright from few pixels, and the LR face."""
    upright = _jitter(batch.upright_faces()) if jitter else batch.upright_faces()
    small = resized(upright, batch.lr.shape[-1])
    return {"upright": resized(upright, SIDE), "shrunk": resized(small, SIDE), "lr": resized(batch.lr, SIDE)}


def mixed_inputs(batch: Batch, *, jitter: bool = False) -> Tensor:
    """One input for each face, the kinds in turn: (N, 3, 96, 96)."""
    kinds = torch.stack(list(inputs(batch, jitter=jitter).values()))
    rows = torch.arange(len(batch), device=kinds.device)
    return kinds[rows % len(kinds), rows]


def _jitter(faces: Tensor) -> Tensor:
    """Small random similarities, since super-resolved faces are never exactly upright."""
    turn, scale, right, down = (2 * torch.rand(4, len(faces)) - 1).to(faces)
    angle, scale = torch.deg2rad(_JITTER_DEG * turn), 1 + _JITTER_SCALE * scale
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([cosine, -sine, 2 * _JITTER_SHIFT * right], 1)]
    rows += [torch.stack([sine, cosine, 2 * _JITTER_SHIFT * down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1).float(), list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, padding_mode="reflection", align_corners=False)


def stages(options: Options) -> list[Stage]:
    """Pixels, then the discriminator.

    Raises:
        UsageError: an unknown preset or stage.
    """
    refuse_unknown("drgan", options.preset, PRESETS)
    if options.people < 0:
        raise UsageError(f"drgan: the number of people is {options.people}; it must not be negative")
    steps = options.stage_steps(DEFAULT_STEPS)
    people = (options.people or _PEOPLE) if options.preset == "paper" else 0
    rate = _RATE[options.preset]
    adversarial_rate = min(rate, _ADVERSARIAL_RATE)

    def pixel(folder: Path) -> Task:
        return DrGanStage(_net(options), None, steps=steps["pixel"], rate=rate)

    def adversarial(folder: Path) -> Task:
        net = _net(options)
        critic = DrDiscriminator(options.preset, people=people)
        if steps["pixel"]:
            net.load_state_dict(checkpoint.best_averages(folder / "pixel")["net"])
        return DrGanStage(
            net, critic, steps=steps["adversarial"], people=people, rate=adversarial_rate, critic_rate=rate
        )

    build = {"pixel": pixel, "adversarial": adversarial}
    return [Stage(name, build[name], steps[name], (32, 16), upright=True) for name in steps if steps[name]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training, from the last stage whose steps were not 0.

    Raises:
        DataError: no stage is finished.
    """
    net = _net(options)
    done = [name for name in DEFAULT_STEPS if options.steps.get(name) != 0 and checkpoint.best_path(folder / name)]
    net.load_state_dict(checkpoint.best_averages(folder / (done or list(DEFAULT_STEPS))[-1])["net"])
    facts = Facts("drgan", 0, options.preset, {**trained})
    save_weights(out, net, facts)
    return facts


def _net(options: Options) -> DrGan:
    torch.manual_seed(0)  # the same initial weights in every stage and process
    return DrGan(options.preset)
