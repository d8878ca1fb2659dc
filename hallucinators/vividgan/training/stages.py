"""VividGAN's three stages of training (section III-E), each a task for the loop."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.steps.adversary import Critic
from hallucinators.training.steps.alignment import alignment
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.vividgan.network.coarse import CoarseNet
from hallucinators.vividgan.network.components import centres_from_five, crop
from hallucinators.vividgan.network.model import Hallucination, VividGAN
from hallucinators.vividgan.training import losses
from hallucinators.vividgan.training.objective import Objective, coarse_objective

ALIGNMENT = 0.3
"""Weight of telling the first spatial transformer where the face is, where batches carry flow targets; not of the
paper."""


class CoarseStage:
    """Stage (i): the coarse network with L_C (Eq. 9) and Coarse-D."""

    name = "vividgan-coarse"
    averaged: tuple[str, ...] = ("coarse",)

    def __init__(
        self,
        coarse: nn.Module,
        critic: Discriminator | None,
        objective: Objective,
        *,
        steps: int,
        rate: float = 1e-3,
    ) -> None:
        """Say what is trained and how long.

        Args:
            coarse: the network.
            critic: Coarse-D, needed where the objective has ``adversarial_coarse``.
            objective: what counts.
            steps: of the whole stage.
            rate: greatest learning rate.

        Raises:
            UsageError: the discriminator is missing.
        """
        if "adversarial_coarse" in objective.terms and critic is None:
            raise UsageError("The coarse stage's losses name adversarial_coarse; give it a discriminator, or drop it")
        self._coarse, self._objective, self._steps = coarse, objective, steps
        self._critic = Critic(critic, 1e-4) if critic is not None else None
        group = {"params": list(coarse.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The coarse network and its discriminator."""
        return {"coarse": self._coarse} | ({"coarse_d": self._critic.net} if self._critic else {})

    def optimisers(self) -> dict[str, Optimizer]:
        """One each."""
        found: dict[str, Optimizer] = {"coarse": self._optimiser}
        return found | ({"coarse_d": self._critic.optimiser} if self._critic else {})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the network, then one of the discriminator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        preview = self._coarse(batch.lr)
        now = self._objective if step >= self._objective.late * self._steps else self._objective.early()
        total, terms = coarse_objective(preview, batch, now, self._critic)
        if batch.flow is not None and isinstance(self._coarse, CoarseNet):
            terms["alignment"] = alignment(self._coarse.similarity(batch.lr), batch)
            total = total + ALIGNMENT * terms["alignment"]
        told = {"total": descend(total, self._optimiser, name="L_C", limit=1.0)} | _numbers(terms)
        if self._critic and "adversarial_coarse" in now.terms:
            told["coarse_d"] = self._critic.learn(preview, batch.hr, share, name="coarse_d")
        return told

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the preview; where the batches tell, by how many pixels of 128 the first transformer is off.

        With an identity loss also ``objective``, equation 9 without its adversary, negative: by PSNR the best weights
        would be those from before that loss joins.
        """
        preview = self._coarse(batch.lr)
        found = {"psnr_db": psnr_db(preview, batch.hr)}
        if self._objective.teaches_identity:
            found["objective"] = -float(coarse_objective(preview, batch, self._objective.lasting(), None)[0])
        if batch.flow is not None and isinstance(self._coarse, CoarseNet):
            found["alignment_px"] = float(alignment(self._coarse.similarity(batch.lr), batch)) * SIDE / 2
        return found

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, preview, truth."""
        return [batch.lr, self._coarse(batch.lr).clamp(0, 1), batch.hr]


class TouchUpStage:
    """Stage (ii): the touching-up networks with L_T (Eq. 10), on components of a finished coarse network's faces."""

    name = "vividgan-touchup"
    averaged: tuple[str, ...] = ("touchup",)

    def __init__(self, model: VividGAN, *, steps: int, rate: float = 1e-3) -> None:
        """Say which model's networks; its coarse network is not trained."""
        if model.touchup is None:
            raise UsageError("This VividGAN has no touching-up networks; build it with touchup=True")
        self._model, self._touchup, self._steps = model, model.touchup, steps
        model.coarse.eval().requires_grad_(False)
        group = {"params": list(model.touchup.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The four networks, as one."""
        return {"touchup": self._touchup}

    def optimisers(self) -> dict[str, Optimizer]:
        """Theirs."""
        return {"touchup": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        patches, truth = self._pairs(batch, shake=1.5)
        errors = {name: pixel(patch, truth[name]) for name, patch in self._touchup(patches).items()}
        total = losses.touchup_total(errors)
        return {"total": descend(total, self._optimiser, name="L_T", limit=1.0)} | _numbers(errors)

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the patches before and after."""
        patches, truth = self._pairs(batch, shake=0.0)
        after = self._touchup(patches)
        return {
            "psnr_db": _mean([psnr_db(after[name], truth[name]) for name in truth]),
            "before_psnr_db": _mean([psnr_db(patches[name], truth[name]) for name in truth]),
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        """Each component before, after, true."""
        patches, truth = self._pairs(batch, shake=0.0)
        after = self._touchup(patches)
        return [p[name].clamp(0, 1) for name in truth for p in (patches, after, truth)]

    def _pairs(self, batch: Batch, shake: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Patches of the preview and of the truth around the same points, shaken as a detector's would be."""
        with torch.no_grad():
            preview = self._model.preview(batch.lr)
        centres = centres_from_five(batch.five)
        centres = (centres + shake * torch.randn_like(centres)).round()
        return crop(preview, centres, self._model.patch_sizes), crop(batch.hr, centres, self._model.patch_sizes)


class WholeStage:
    """Stage (iii): all together with L_G (Eq. 12) and both discriminators.

    The fine-integration network, new in this stage, learns ten times as fast as the others (1e-3 and 1e-4).
    """

    name = "vividgan"
    averaged: tuple[str, ...] = ("model",)

    def __init__(
        self,
        model: VividGAN,
        coarse_critic: Discriminator | None,
        fine_critic: Discriminator | None,
        objective: Objective,
        *,
        steps: int,
        rate: float = 1e-3,
        freeze_coarse: bool = False,
        true_components: bool = False,
    ) -> None:
        """Say what is trained.

        Args:
            model: coarse and touching-up networks trained before, fine-integration network new.
            coarse_critic: Coarse-D, where the objective has ``adversarial_coarse``.
            fine_critic: Fine-D, where it has ``adversarial_fine``.
            objective: what counts.
            steps: of the whole stage.
            rate: of the fine-integration network; the others get a tenth.
            freeze_coarse: leave the coarse network as it is, which saves half the time.
            true_components: V+GT of section IV: the prior is made of the true components.

        Raises:
            UsageError: a discriminator is missing.
        """
        for term, critic in (("adversarial_coarse", coarse_critic), ("adversarial_fine", fine_critic)):
            if term in objective.terms and critic is None:
                raise UsageError(f"The losses name {term}; give the stage its discriminator, or drop the term")
        self._model, self._objective, self._steps = model, objective, steps
        self._frozen, self._true = freeze_coarse, true_components
        use_coarse = "adversarial_coarse" in objective.terms and not freeze_coarse
        self._coarse_d = Critic(coarse_critic, 1e-4) if coarse_critic is not None and use_coarse else None
        use_fine = "adversarial_fine" in objective.terms
        self._fine_d = Critic(fine_critic, 1e-4) if fine_critic is not None and use_fine else None
        fine = {"params": list(model.fine.parameters()), "lr": rate, "greatest": rate}
        model.coarse.requires_grad_(not freeze_coarse).train(not freeze_coarse)  # frozen, it gives what it will in use
        rest = [p for n, p in model.named_parameters() if not n.startswith("fine.") and p.requires_grad]
        groups = [fine] + ([{"params": rest, "lr": rate / 10, "greatest": rate / 10}] if rest else [])
        self._optimiser = Adam(groups, betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The model and the discriminators in use."""
        critics = {"coarse_d": self._coarse_d, "fine_d": self._fine_d}
        return {"model": self._model} | {name: critic.net for name, critic in critics.items() if critic}

    def optimisers(self) -> dict[str, Optimizer]:
        """One for the model, one for each discriminator."""
        critics = {"coarse_d": self._coarse_d, "fine_d": self._fine_d}
        found: dict[str, Optimizer] = {"model": self._optimiser}
        return found | {name: critic.optimiser for name, critic in critics.items() if critic}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the networks, then one of each discriminator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        found = self._hallucinate(batch, shake=1.5)
        total, terms = self._fine_objective(found, batch, self._fine_d)
        if self._model.touchup is not None and not self._true:
            truth = crop(batch.hr, found.centres, self._model.patch_sizes)
            touched = losses.touchup_total({n: pixel(p, truth[n]) for n, p in found.components.items()})
            total, terms["touchup"] = total + touched, touched
        if not self._frozen:
            coarse, more = coarse_objective(found.coarse, batch, self._objective, self._coarse_d)
            total = total + coarse
            terms |= {f"coarse_{name}": term for name, term in more.items()}
        told = {"total": descend(total, self._optimiser, name="L_G", limit=1.0)} | _numbers(terms)
        for name, critic, image in (("coarse_d", self._coarse_d, found.coarse), ("fine_d", self._fine_d, found.fine)):
            if critic:
                told[name] = critic.learn(image, batch.hr, share, name=name)
        return told

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the final face and of the preview; how well the landmarks are found.

        With an identity loss also ``objective``, equation 11 without its adversary, negative.
        """
        found = self._hallucinate(batch, shake=0.0)
        told = {"psnr_db": psnr_db(found.fine, batch.hr), "coarse_psnr_db": psnr_db(found.coarse, batch.hr)}
        if found.heatmaps:
            told["structure"] = float(losses.structure(found.heatmaps[-1:], losses.target_heatmaps(batch.landmarks)))
        if self._objective.teaches_identity:
            told["objective"] = -float(self._fine_objective(found, batch, critic=None)[0])
        return told

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, preview, components, final face, truth."""
        found = self._hallucinate(batch, shake=0.0)
        return [batch.lr, *(image.clamp(0, 1) for image in (found.coarse, found.prior, found.fine)), batch.hr]

    def _hallucinate(self, batch: Batch, *, shake: float) -> Hallucination:
        centres = centres_from_five(batch.five)
        centres = (centres + shake * torch.randn_like(centres)).round()
        given = crop(batch.hr, centres, self._model.patch_sizes) if self._true else None
        return self._model(batch.lr, components=given, centres=centres)  # type: ignore[no-any-return]

    def _fine_objective(
        self, found: Hallucination, batch: Batch, critic: Critic | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Equation 11 and its terms."""
        terms = {"fine_pixel": pixel(found.fine, batch.hr)}
        identity = self._objective.identity_loss(found.fine, batch)
        structure = adversarial = None
        if found.heatmaps and "structure" in self._objective.terms:
            structure = losses.structure(found.heatmaps, losses.target_heatmaps(batch.landmarks))
        if critic:
            adversarial = critic.judge(found.fine)
        for name, term in (("identity", identity), ("structure", structure), ("adversarial", adversarial)):
            if term is not None:
                terms[f"fine_{name}"] = term
        total = losses.fine_total(
            terms["fine_pixel"],
            identity=identity,
            structure=structure,
            adversarial=adversarial,
            weights=self._objective.weights,
        )
        return total, terms


def _numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
