"""Which networks a step updates, by the rule of the adversary, and what gets a gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hallucinators.training.steps import distributed
from hallucinators.training.steps.adversary import MARGIN, Adversary, Rule, always, balance, pause_when_accurate

FACES = torch.zeros(4, 3, 8, 8)


class Logits(nn.Module):
    """A discriminator with one logit for bright images and one for dark images."""

    def __init__(self, bright: float, dark: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([dark, bright]))

    def forward(self, faces: Tensor) -> Tensor:
        return self.logits[(faces.mean((1, 2, 3)) > 0.5).long()] + 0 * faces.mean((1, 2, 3))


def loss_to_logit(loss: float) -> float:
    """The logit of a real face whose cross-entropy is ``loss``."""
    return -torch.log(torch.expm1(torch.tensor(loss))).item()


def logits(adversary: Adversary) -> Tensor:
    net: object = adversary.net
    assert isinstance(net, Logits)
    return net.logits.detach().clone()


def adversary(real: float, fake: float, rule: Rule = balance) -> Adversary:
    """An adversary with these losses on real (bright) and hallucinated (dark) faces."""
    return Adversary(Logits(loss_to_logit(real), -loss_to_logit(fake)), rate=0.1, rule=rule)


@pytest.mark.parametrize(
    ("real", "fake", "updates_discriminator", "updates_generator"),
    [
        (0.69, 0.69, True, True),
        (0.29, 0.5, False, True),  # accurate on real faces: the discriminator pauses
        (0.5, 0.29, False, True),
        (0.71, 0.5, True, False),  # unreliable on one half: the generator ignores it
        (0.5, 0.71, True, False),
        (0.29, 0.71, True, True),  # both conditions: both are updated
        (0.31, 0.69, True, True),
    ],
)
def test_the_balance_rule_depends_on_both_losses(
    real: float, fake: float, updates_discriminator: bool, updates_generator: bool
) -> None:
    opponent = adversary(real, fake)
    before = logits(opponent)
    step = opponent.update(FACES, FACES + 1, 1.0)
    assert (step.real, step.hallucinated) == pytest.approx((real, fake), abs=1e-5) and MARGIN == 0.3
    assert step.loss == pytest.approx(real + fake, abs=1e-5)
    assert step.update_generator == updates_generator
    assert (not torch.equal(logits(opponent), before)) == updates_discriminator


@pytest.mark.parametrize(
    ("real", "fake", "updates"), [(0.69, 0.69, True), (0.2, 0.41, True), (0.2, 0.39, False), (0.01, 0.01, False)]
)
def test_an_accurate_discriminator_pauses_by_its_mean_loss(real: float, fake: float, updates: bool) -> None:
    opponent = adversary(real, fake, pause_when_accurate)
    before = logits(opponent)
    assert opponent.update(FACES, FACES + 1, 1.0).update_generator
    assert (not torch.equal(logits(opponent), before)) == updates


@pytest.mark.parametrize(
    ("rule", "means", "updates"),
    [(balance, [0.29, 0.71], True), (pause_when_accurate, [9.0, 0.1], True), (pause_when_accurate, [0.1, 0.1], False)],
)
def test_all_processes_take_the_same_decision(
    monkeypatch: pytest.MonkeyPatch, rule: Rule, means: list[float], updates: bool
) -> None:
    monkeypatch.setattr(distributed, "means", lambda values: means)
    loss = 0.1 if updates else 0.6  # the loss of this process alone would lead to the opposite decision
    opponent = adversary(loss, loss, rule)
    before = logits(opponent)
    step = opponent.update(FACES, FACES + 1, 1.0)
    assert [step.real, step.hallucinated] == means and step.loss == pytest.approx(2 * loss, abs=1e-5)
    assert (not torch.equal(logits(opponent), before)) == updates


def test_an_update_changes_the_discriminator_and_gives_faces_no_gradient() -> None:
    opponent = adversary(0.6, 0.6)
    faces = FACES.clone().requires_grad_()
    opponent.update(faces, FACES + 1, 1.0)
    assert faces.grad is None
    assert logits(opponent)[0] < -loss_to_logit(0.6) and logits(opponent)[1] > loss_to_logit(0.6)


def test_the_loss_gives_a_gradient_to_the_faces_alone() -> None:
    opponent = adversary(0.6, 0.6)
    faces = FACES.clone().requires_grad_()
    loss = opponent.loss(faces)
    assert loss.item() == pytest.approx(torch.nn.functional.softplus(torch.tensor(loss_to_logit(0.6))).item())
    torch.autograd.backward(loss)
    assert faces.grad is not None
    assert all(p.grad is None and p.requires_grad for p in opponent.net.parameters())


@pytest.mark.parametrize(("real", "hallucinated"), [(0.0, 0.0), (0.1, 0.1), (9.0, 9.0)])
def test_the_rule_of_the_paper_updates_both_networks_in_every_step(real: float, hallucinated: float) -> None:
    assert always(real, hallucinated) == (True, True)
