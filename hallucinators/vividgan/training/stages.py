"""VividGAN's three stages of training (section III-E), each a task for the loop."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Adam

from bench.errors import UsageError
from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.steps.adversary import Adversary, always, pause_when_accurate
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.placement import PIXELS, WEIGHT, frontal_placement
from hallucinators.training.steps.schedule import rate_group, set_rates
from hallucinators.vividgan.network.coarse import CoarseNet
from hallucinators.vividgan.network.components import centres_from_five, crop
from hallucinators.vividgan.network.model import Hallucination, VividGAN
from hallucinators.vividgan.training import losses
from hallucinators.vividgan.training.objective import Objective, coarse_objective
from hallucinators.vividgan.training.settings import OURS, VividSettings

_CRITIC_RATE = 1e-4


class CoarseStage(NetworkTask):
    """Stage (i): the coarse network with L_C (Eq. 9) and Coarse-D."""

    def __init__(
        self,
        coarse: nn.Module,
        critic: Discriminator | None,
        objective: Objective,
        *,
        steps: int,
        rate: float = 1e-3,
    ) -> None:
        """Set up the stage.

        Args:
            coarse: the network.
            critic: Coarse-D; an objective with ``adversarial_coarse`` needs it.
            objective: terms and weights.
            steps: of the whole stage.
            rate: greatest learning rate.

        Raises:
            UsageError: the discriminator is missing.
        """
        if "adversarial_coarse" in objective.terms and critic is None:
            raise UsageError("The coarse stage's losses name adversarial_coarse; give it a discriminator, or drop it")
        self._coarse, self._objective, self._steps = coarse, objective, steps
        self._adversary = adversary(critic, "coarse_d", objective.settings) if critic is not None else None
        optimiser = Adam([rate_group(coarse.parameters(), rate)], betas=(0.9, 0.99))
        super().__init__("vividgan-coarse", coarse, optimiser, key="coarse", adversaries={"coarse_d": self._adversary})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the network, then one of the discriminator."""
        share = self._objective.settings.share_at(step, self._steps)
        set_rates(self._optimiser, share)
        preview = self._coarse(batch.lr)
        objective = self._objective if step >= self._objective.late * self._steps else self._objective.early()
        total, terms = coarse_objective(preview, batch, objective, self._adversary)
        if batch.flow is not None and isinstance(self._coarse, CoarseNet):
            terms["alignment"] = frontal_placement(self._coarse.similarity(batch.lr), batch)
            total = total + WEIGHT * terms["alignment"]
        figures = {"total": descend(total, self._optimiser, name="L_C", limit=objective.settings.limit)} | _numbers(
            terms
        )
        if self._adversary and "adversarial_coarse" in objective.terms:
            figures["coarse_d"] = self._adversary.update(preview, batch.hr, share).loss
        return figures

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the coarse face; with flow targets also the placement error in pixels of 128.

        With an identity loss also ``objective``, the negative of equation 9 without its adversary: by PSNR the best
        weights would be those from before that loss is used.
        """
        preview = self._coarse(batch.lr)
        figures = {"psnr_db": psnr_db(preview, batch.hr)}
        if self._objective.has_identity:
            objective = self._objective.without_adversaries()
            figures["objective"] = -float(coarse_objective(preview, batch, objective, None)[0])
        if batch.flow is not None and isinstance(self._coarse, CoarseNet):
            figures["alignment_px"] = float(frontal_placement(self._coarse.similarity(batch.lr), batch)) * PIXELS
        return figures

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, coarse face, truth."""
        return [batch.lr, self._coarse(batch.lr).clamp(0, 1), batch.hr]


class TouchUpStage(NetworkTask):
    """Stage (ii): the touching-up networks with L_T (Eq. 10), on components of faces of the trained coarse network."""

    def __init__(self, model: VividGAN, *, steps: int, rate: float = 1e-3, settings: VividSettings = OURS) -> None:
        """Set up the stage for a model, whose coarse network is frozen."""
        if model.touchup is None:
            raise UsageError("This VividGAN has no touching-up networks; build it with touchup=True")
        self._model, self._touchup, self._steps, self._settings = model, model.touchup, steps, settings
        model.coarse.eval().requires_grad_(False)
        optimiser = Adam([rate_group(model.touchup.parameters(), rate)], betas=(0.9, 0.99))
        super().__init__("vividgan-touchup", model.touchup, optimiser, key="touchup")

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, self._settings.share_at(step, self._steps))
        patches, truth = self._pairs(batch, jitter=self._settings.component_jitter)
        errors = component_errors(self._touchup(patches), truth, self._settings)
        total = losses.touchup_total(errors)
        return {"total": descend(total, self._optimiser, name="L_T", limit=self._settings.limit)} | _numbers(errors)

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the patches after touching up, and before."""
        patches, truth = self._pairs(batch, jitter=0.0)
        after = self._touchup(patches)
        return {
            "psnr_db": _mean([psnr_db(after[name], truth[name]) for name in truth]),
            "before_psnr_db": _mean([psnr_db(patches[name], truth[name]) for name in truth]),
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        """Each component before, after, and in the truth."""
        patches, truth = self._pairs(batch, jitter=0.0)
        after = self._touchup(patches)
        return [p[name].clamp(0, 1) for name in truth for p in (patches, after, truth)]

    def _pairs(self, batch: Batch, jitter: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Patches of the coarse face and of the truth around the same points, with the jitter of a detector."""
        with torch.no_grad():
            preview = self._model.preview(batch.lr)
        centres = centres_from_five(batch.five)
        centres = (centres + jitter * torch.randn_like(centres)).round()
        return crop(preview, centres, self._model.patch_sizes), crop(batch.hr, centres, self._model.patch_sizes)


class WholeStage(NetworkTask):
    """Stage (iii): all networks with L_G (Eq. 12) and both discriminators.

    The fine-integration network, new in this stage, has ten times the rate of the others (1e-3 and 1e-4).
    """

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
        """Set up the stage.

        Args:
            model: with trained coarse and touching-up networks and a new fine-integration network.
            coarse_critic: Coarse-D; an objective with ``adversarial_coarse`` needs it.
            fine_critic: Fine-D; an objective with ``adversarial_fine`` needs it.
            objective: terms and weights.
            steps: of the whole stage.
            rate: greatest rate of the fine-integration network; a tenth for the others.
            freeze_coarse: do not train the coarse network, which saves half the time.
            true_components: V+GT of section IV: the prior consists of the true components.

        Raises:
            UsageError: a discriminator is missing.
        """
        for term, critic in (("adversarial_coarse", coarse_critic), ("adversarial_fine", fine_critic)):
            if term in objective.terms and critic is None:
                raise UsageError(f"The losses name {term}; give the stage its discriminator, or drop the term")
        self._model, self._objective, self._steps = model, objective, steps
        self._frozen, self._true = freeze_coarse, true_components
        use_coarse = "adversarial_coarse" in objective.terms and not freeze_coarse
        use_fine = "adversarial_fine" in objective.terms
        self._coarse_d, self._fine_d = (
            adversary(critic, name, objective.settings) if critic is not None and used else None
            for critic, name, used in ((coarse_critic, "coarse_d", use_coarse), (fine_critic, "fine_d", use_fine))
        )
        model.coarse.requires_grad_(not freeze_coarse).train(not freeze_coarse)  # frozen, it runs as in inference
        others = [p for n, p in model.named_parameters() if not n.startswith("fine.") and p.requires_grad]
        groups = [rate_group(model.fine.parameters(), rate), *([rate_group(others, rate / 10)] if others else [])]
        adversaries = {"coarse_d": self._coarse_d, "fine_d": self._fine_d}
        super().__init__("vividgan", model, Adam(groups, betas=(0.9, 0.99)), key="model", adversaries=adversaries)

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the networks, then one of each discriminator."""
        share = self._objective.settings.share_at(step, self._steps)
        set_rates(self._optimiser, share)
        settings = self._objective.settings
        result = self._hallucinate(batch, jitter=settings.component_jitter)
        fine, terms = self._fine_objective(result, batch, self._fine_d)
        coarse = touchup = None
        if self._model.touchup is not None and not self._true:
            truth = crop(batch.hr, result.centres, self._model.patch_sizes)
            touchup = losses.touchup_total(component_errors(result.components, truth, settings))
            terms["touchup"] = touchup
        if not self._frozen:
            coarse, coarse_terms = coarse_objective(result.coarse, batch, self._objective, self._coarse_d)
            terms |= {f"coarse_{name}": term for name, term in coarse_terms.items()}
        total = losses.total(fine, touchup=touchup, coarse=coarse)
        figures = {
            "total": descend(total, self._optimiser, name="L_G", limit=self._objective.settings.limit)
        } | _numbers(terms)
        for name, critic, image in (("coarse_d", self._coarse_d, result.coarse), ("fine_d", self._fine_d, result.fine)):
            if critic:
                figures[name] = critic.update(image, batch.hr, share).loss
        return figures

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the final face and of the coarse face; the error of the heatmaps.

        With an identity loss also ``objective``, the negative of equation 11 without its adversary.
        """
        result = self._hallucinate(batch, jitter=0.0)
        figures = {"psnr_db": psnr_db(result.fine, batch.hr), "coarse_psnr_db": psnr_db(result.coarse, batch.hr)}
        if result.heatmaps:
            target = losses.target_heatmaps(batch.landmarks)
            figures["structure"] = float(losses.structure(result.heatmaps[-1:], target))
        if self._objective.has_identity:
            figures["objective"] = -float(self._fine_objective(result, batch, adversary=None)[0])
        return figures

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, coarse face, components, final face, truth."""
        result = self._hallucinate(batch, jitter=0.0)
        return [batch.lr, *(image.clamp(0, 1) for image in (result.coarse, result.prior, result.fine)), batch.hr]

    def _hallucinate(self, batch: Batch, *, jitter: float) -> Hallucination:
        centres = centres_from_five(batch.five)
        centres = (centres + jitter * torch.randn_like(centres)).round()
        components = crop(batch.hr, centres, self._model.patch_sizes) if self._true else None
        return self._model(batch.lr, components=components, centres=centres)  # type: ignore[no-any-return]

    def _fine_objective(
        self, result: Hallucination, batch: Batch, adversary: Adversary | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Equation 11 and its terms."""
        settings = self._objective.settings
        terms = {"fine_pixel": settings.factor(result.fine[0].numel()) * pixel(result.fine, batch.hr)}
        identity = self._objective.identity_loss(result.fine, batch)
        structure = adversarial = None
        if result.heatmaps and "structure" in self._objective.terms:
            positions = settings.factor(result.heatmaps[-1][0, 0].numel())
            structure = positions * losses.structure(result.heatmaps, losses.target_heatmaps(batch.landmarks))
        if adversary:
            adversarial = adversary.loss(result.fine)
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


def adversary(critic: Discriminator, name: str, settings: VividSettings) -> Adversary:
    """A discriminator with the rule and the clipping of the settings."""
    rule = always if settings.discriminator_updates == "always" else pause_when_accurate
    return Adversary(critic, _CRITIC_RATE, rule=rule, name=name, limit=settings.limit)


def component_errors(
    patches: Mapping[str, Tensor], truth: Mapping[str, Tensor], settings: VividSettings
) -> dict[str, Tensor]:
    """Equation 10 of each component: its mean or summed squared error."""
    return {name: settings.factor(patch[0].numel()) * pixel(patch, truth[name]) for name, patch in patches.items()}


def _numbers(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(term.detach()) for name, term in terms.items()}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
