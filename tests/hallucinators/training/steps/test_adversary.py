"""Yu's rule for who learns when."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from hallucinators.training.steps import distributed
from hallucinators.training.steps.adversary import MARGIN, Adversary

FACES = torch.zeros(4, 3, 8, 8)


class Says(nn.Module):
    """Has a logit for bright images and one for dark images."""

    def __init__(self, bright: float, dark: float) -> None:
        super().__init__()
        self.said = nn.Parameter(torch.tensor([dark, bright]))

    def forward(self, faces: Tensor) -> Tensor:
        return self.said[(faces.mean((1, 2, 3)) > 0.5).long()] + 0 * faces.mean((1, 2, 3))


def loss_to_logit(loss: float) -> float:
    """The logit of a real face whose cross-entropy is ``loss``."""
    return -torch.log(torch.expm1(torch.tensor(loss))).item()


def said(versus: Adversary) -> Tensor:
    net: object = versus.net
    assert isinstance(net, Says)
    return net.said.detach().clone()


def adversary(real: float, fake: float) -> Adversary:
    """One whose losses on real (bright) and hallucinated (dark) faces are these."""
    return Adversary(Says(loss_to_logit(real), -loss_to_logit(fake)), rate=0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("real", "fake", "learns", "judges"),
    [
        (0.69, 0.69, True, True),
        (0.29, 0.5, False, True),  # sure of the real half: the discriminator waits
        (0.5, 0.29, False, True),
        (0.71, 0.5, True, False),  # unsure of one half: what it judges waits
        (0.5, 0.71, True, False),
        (0.29, 0.71, True, True),  # both would wait: neither does
        (0.31, 0.69, True, True),
    ],
)
def test_who_waits_depends_on_both_halves(real: float, fake: float, learns: bool, judges: bool) -> None:
    versus = adversary(real, fake)
    before = said(versus)
    told, judged = versus.learn(FACES, FACES + 1, 1.0)
    assert told == pytest.approx({"d_real": real, "d_fake": fake}, abs=1e-5) and MARGIN == 0.3
    assert judged == judges
    assert (not torch.equal(said(versus), before)) == learns


def test_all_processes_decide_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "means", lambda values: [0.29, 0.71])
    versus = adversary(0.1, 0.1)  # alone it would wait
    before = said(versus)
    told, judged = versus.learn(FACES, FACES + 1, 1.0)
    assert judged and told == {"d_real": 0.29, "d_fake": 0.71} and not torch.equal(said(versus), before)


def test_learning_moves_its_own_weights_and_not_the_faces() -> None:
    versus = adversary(0.6, 0.6)
    faces = FACES.clone().requires_grad_()
    versus.learn(faces, FACES + 1, 1.0)
    assert faces.grad is None
    assert said(versus)[0] < -loss_to_logit(0.6) and said(versus)[1] > loss_to_logit(0.6)


def test_judging_gives_a_gradient_to_the_faces_alone() -> None:
    versus = adversary(0.6, 0.6)
    faces = FACES.clone().requires_grad_()
    loss = versus.judge(faces)
    assert loss.item() == pytest.approx(torch.nn.functional.softplus(torch.tensor(loss_to_logit(0.6))).item())
    torch.autograd.backward(loss)
    assert faces.grad is not None
    assert all(p.grad is None and p.requires_grad for p in versus.net.parameters())
