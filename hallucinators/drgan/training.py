"""Training DR-GAN: pixels first, then its discriminator with identity and pose.

Sources: L. Tran, X. Yin, X. Liu, CVPR 2017 and PAMI 2018; layers, losses and rates as the public implementations have
them (kayamin/DR-GAN, tranluan/DR-GAN). What we do otherwise is listed in `hallucinators.drgan.DEPARTURES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from bench.errors import UsageError
from hallucinators.drgan.network import PRESETS, SIDE, Answer, DrDiscriminator, DrGan, nearest_bin, resized
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps import distributed
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

STAGES = ("pixel", "adversarial")
_DEFAULT_STEPS = {"pixel": 1000, "adversarial": 500}
_RATE = {"paper": 2e-4, "compact": 1e-3}
_LATE_RATE = 5e-4
_PEOPLE = 200
"""Classes of the paper preset where nobody says how many people there are: those of Multi-PIE."""
OWN, ANY = 0.25, 0.25
"""Shares of faces that are turned to the pose they had, and, with the discriminator, to one drawn at random; the
others become frontal."""
ADVERSARIAL, IDENTITY, POSE = 1e-3, 1e-3, 1e-3
"""Weights of the discriminator's three answers beside a squared distance of pixels in [0, 1]."""
_REAL = 0.999
_TOO_GOOD, _EVERY = 0.9, 5
"""A discriminator that tells real from made so often learns at every fifth step alone (kayamin: one to four)."""
_LIKENESS = 10.0
_SHAKE_DEG, _SHAKE_SCALE, _SHAKE_SHIFT = 8.0, 0.08, 0.06
_PRIME = 7919


class DrGanStage:
    """A stage of DR-GAN; without a discriminator the pixel stage."""

    averaged: tuple[str, ...] = ("net",)

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
        """Say what is trained and how long.

        Args:
            net: the generator.
            critic: the discriminator; None trains by pixels alone.
            steps: of the whole stage.
            people: classes of the discriminator; 0 where it compares with the truths of the batch.
            rate: greatest learning rate of the generator.
            critic_rate: of the discriminator.
        """
        self.name = "drgan-adversarial" if critic else "drgan-pixel"
        self._net, self._critic, self._steps, self._people = net, critic, steps, people
        betas = (0.5, 0.999) if critic else (0.9, 0.99)
        self._optimiser = Adam([{"params": list(net.parameters()), "lr": rate, "greatest": rate}], betas=betas)
        self._critic_optimiser: Optimizer | None = None
        if critic:
            group = {"params": list(critic.parameters()), "lr": critic_rate, "greatest": critic_rate}
            self._critic_optimiser = Adam([group], betas=betas)

    def modules(self) -> dict[str, nn.Module]:
        """The generator and, in its stage, the discriminator."""
        return {"net": self._net} | ({"critic": self._critic} if self._critic else {})

    def optimisers(self) -> dict[str, Optimizer]:
        """One each."""
        found: dict[str, Optimizer] = {"net": self._optimiser}
        return found | ({"critic": self._critic_optimiser} if self._critic_optimiser else {})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the generator, then one of the discriminator."""
        share = rate_at(step, self._steps, warm=min(200, self._steps // 5))
        set_rates(self._optimiser, share)
        front, turned = resized(batch.hr, SIDE), resized(batch.turned(), SIDE)
        own = nearest_bin(batch.yaw_deg, self._net.poses_deg)
        pose, paired = self._wanted(own)
        made = self._net(seen(batch, shake=True), pose, self._noise(len(own)).to(batch.hr.device))
        truth = torch.where((pose == self._net.frontal())[:, None, None, None], front, turned)
        errors = (made - truth).square().mean((1, 2, 3))
        terms = {"pixel": (errors * paired).sum() / paired.sum().clamp(min=1)}
        total = terms["pixel"]
        if self._critic:
            judged = self._judge(made, front, turned, pose, batch)
            terms |= judged
            total = total + ADVERSARIAL * judged["real"] + IDENTITY * judged["identity"] + POSE * judged["pose"]
        told = {"total": descend(total, self._optimiser, name="drgan", limit=1.0)}
        told |= {name: float(term.detach()) for name, term in terms.items()}
        return told | (self._learn(made.detach(), front, turned, own, batch, share, step) if self._critic else {})

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of frontal faces of 128 pixels: mean over, and for, each kind of picture it may be given."""
        found = {f"{name}_psnr_db": psnr_db(self._frontal(faces), batch.hr) for name, faces in kinds(batch).items()}
        return {"psnr_db": sum(found.values()) / len(found)} | found

    def preview(self, batch: Batch) -> list[Tensor]:
        """Each kind of picture and its frontal face; the truth; the first kind turned to the outermost bins."""
        given = kinds(batch)
        shown = [image for faces in given.values() for image in (faces, self._frontal(faces))]
        last = len(self._net.poses_deg) - 1
        turned = [self._turned(given["upright"], index) for index in (0, last // 4, last - last // 4, last)]
        return [image.clamp(0, 1) for image in (*shown, batch.hr, *turned)]

    def _frontal(self, faces: Tensor) -> Tensor:
        return resized(self._turned(faces, self._net.frontal()), 128)

    def _turned(self, faces: Tensor, index: int) -> Tensor:
        pose = torch.full((len(faces),), index, device=faces.device)
        return self._net(faces, pose, faces.new_zeros(len(faces), self._net.noise)).float()  # type: ignore[no-any-return]

    def _noise(self, count: int) -> Tensor:
        return 2 * torch.rand(count, self._net.noise) - 1

    def _wanted(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """The pose bin each face is turned to, and 1 where there is a truth of it, else 0."""
        draw = torch.rand(len(own)).to(own.device)
        pose = torch.where(draw < OWN, own, torch.full_like(own, self._net.frontal()))
        if not self._critic:
            return pose, torch.ones_like(draw)
        drawn = torch.randint(len(self._net.poses_deg), (len(own),)).to(own.device)
        free = draw > 1 - ANY
        pose = torch.where(free, drawn, pose)
        return pose, 1 - (free & (pose != self._net.frontal())).float()

    def _judge(self, made: Tensor, front: Tensor, turned: Tensor, pose: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The generator's losses by the discriminator, which learns nothing from it."""
        assert self._critic is not None  # noqa: S101
        self._critic.requires_grad_(False)
        of_made, of_front, _ = self._answers(made, front, turned)
        self._critic.requires_grad_(True)
        return {
            "real": functional.binary_cross_entropy_with_logits(of_made.real, torch.ones_like(of_made.real)),
            "identity": self._identity(of_made.identity, of_front.identity.detach(), batch),
            "pose": functional.cross_entropy(of_made.pose, pose),
        }

    def _answers(self, *parts: Tensor) -> list[Answer]:
        """Answers to several batches of N, judged as one: batch norm would make each by itself look like the others."""
        assert self._critic is not None  # noqa: S101
        answer = self._critic(torch.cat(parts))
        return [Answer(*rows) for rows in zip(*(part.chunk(len(parts)) for part in answer), strict=True)]

    def _learn(
        self, made: Tensor, front: Tensor, turned: Tensor, own: Tensor, batch: Batch, share: float, step: int
    ) -> dict[str, float]:
        """One step of the discriminator, unless it is too good already; returns its losses."""
        assert self._critic is not None and self._critic_optimiser is not None  # noqa: S101
        set_rates(self._critic_optimiser, share)
        of_made, of_front, of_turned = self._answers(made, front, turned)
        true = torch.cat([of_turned.real, of_front.real])
        real = functional.binary_cross_entropy_with_logits(true, torch.full_like(true, _REAL))
        real = real + functional.binary_cross_entropy_with_logits(of_made.real, torch.zeros_like(of_made.real))
        whose = self._identity(of_turned.identity, of_front.identity, batch)
        poses = torch.cat([own, torch.full_like(own, self._net.frontal())])
        looks = functional.cross_entropy(torch.cat([of_turned.pose, of_front.pose]), poses)
        right = float(((true > 0).float().mean() + (of_made.real < 0).float().mean()) / 2)
        (right,) = distributed.means([right])  # all processes must decide alike
        told = {"critic_real": real, "critic_identity": whose, "critic_pose": looks}
        if right < _TOO_GOOD or step % _EVERY == 0:
            descend(real + whose + looks, self._critic_optimiser, name="critic", limit=1.0)
        return {name: float(term.detach()) for name, term in told.items()} | {"critic_right": right}

    def _identity(self, given: Tensor, known: Tensor, batch: Batch) -> Tensor:
        """Cross entropy of who it is: among all people, or among those of the batch by likeness to their truths."""
        if self._people:
            return functional.cross_entropy(given, classes(batch.face, self._people))
        likeness = functional.normalize(given) @ functional.normalize(known).T
        return functional.cross_entropy(_LIKENESS * likeness, torch.arange(len(given), device=given.device))


def classes(face: Tensor, people: int) -> Tensor:
    """Class of each face, int64 (N,): its number in the pack, packs apart, modulo the number of people.

    A pure function, so that every process and a resumed run have the same classes. Packs hold people who are left out
    too, and so some people share their class.
    """
    return (face % 2**32 + face // 2**32 * _PRIME) % people


def kinds(batch: Batch, *, shake: bool = False) -> dict[str, Tensor]:
    """What DR-GAN may be given, (N, 3, 96, 96) each: sharp and upright, upright from few pixels, and the LR face."""
    upright = _shaken(batch.turned()) if shake else batch.turned()
    small = resized(upright, batch.lr.shape[-1])
    return {"upright": resized(upright, SIDE), "shrunk": resized(small, SIDE), "lr": resized(batch.lr, SIDE)}


def seen(batch: Batch, *, shake: bool = False) -> Tensor:
    """A batch of all kinds in turn, (N, 3, 96, 96)."""
    given = torch.stack(list(kinds(batch, shake=shake).values()))
    rows = torch.arange(len(batch), device=given.device)
    return given[rows % len(given), rows]


def _shaken(faces: Tensor) -> Tensor:
    """Moved a little, as what super-resolution gives is never quite upright."""
    turn, scale, right, down = (2 * torch.rand(4, len(faces)) - 1).to(faces)
    angle, scale = torch.deg2rad(_SHAKE_DEG * turn), 1 + _SHAKE_SCALE * scale
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([cosine, -sine, 2 * _SHAKE_SHIFT * right], 1)]
    rows += [torch.stack([sine, cosine, 2 * _SHAKE_SHIFT * down], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1).float(), list(faces.shape), align_corners=False)
    return functional.grid_sample(faces, grid, padding_mode="reflection", align_corners=False)


def stages(options: Options) -> list[Stage]:
    """Pixels, then the discriminator.

    Raises:
        UsageError: an unknown preset or stage.
    """
    refuse_unknown("drgan", options.preset, PRESETS)
    if options.people < 0:
        raise UsageError(f"drgan classifies people; there cannot be {options.people}")
    steps = {name: options.steps_of(name, _DEFAULT_STEPS[name], STAGES) for name in STAGES}
    people = (options.people or _PEOPLE) if options.preset == "paper" else 0
    rate = _RATE[options.preset]
    late = min(rate, _LATE_RATE)

    def pixel(folder: Path) -> Task:
        return DrGanStage(_net(options), None, steps=steps["pixel"], rate=rate)

    def adversarial(folder: Path) -> Task:
        net = _net(options)
        critic = DrDiscriminator(options.preset, people=people)
        if steps["pixel"]:
            net.load_state_dict(checkpoint.finished(folder / "pixel")["net"])
        return DrGanStage(net, critic, steps=steps["adversarial"], people=people, rate=late, critic_rate=rate)

    makers = {"pixel": pixel, "adversarial": adversarial}
    return [Stage(name, makers[name], steps[name], (32, 16), upright=True) for name in STAGES if steps[name]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training; of its last stage that was not left out.

    Raises:
        DataError: no stage is finished.
    """
    net = _net(options)
    last = [name for name in STAGES if options.steps.get(name) != 0 and checkpoint.best_path(folder / name)]
    net.load_state_dict(checkpoint.finished(folder / (last or STAGES)[-1])["net"])
    facts = Facts("drgan", 0, options.preset, {**trained})
    save_weights(out, net, facts)
    return facts


def _net(options: Options) -> DrGan:
    torch.manual_seed(0)  # the same first weights in every stage and process
    return DrGan(options.preset)
