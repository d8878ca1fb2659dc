"""Faces restored from turned LR views, measured against the frontal truth: PSNR, SSIM, likeness, landmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import Frame
from bench.errors import UsageError
from bench.interfaces import PROTOCOLS, EvalProtocol
from protocols.restoration_sources import CelebAPairs, FolderPairs, MmiPairs, TurnedPairs
from protocols.turned import JitterName, Recipe

if TYPE_CHECKING:
    from protocols.restoration_multipie import MultiPiePairs

Source = Literal["celeba", "mmi", "multipie", "folder"]


@PROTOCOLS.register(
    "restoration",
    summary="Turned LR faces against their frontal truth: PSNR, SSIM, likeness, landmarks; overall and by yaw.",
    source="Zhang et al., Face Hallucination with Finishing Touches, 2021, section V; views rendered or real",
    licence="that of the source's data set",
)
def restoration(
    *,
    source: Source = "celeba",
    lr: Literal[16, 32, 0] = 16,
    identities: int = 0,
    photographs: int = 0,
    person: Literal["file", "folder"] = "file",
    jitter: JitterName = "paper",
    frame: Frame = "utkface200",
    alexnet: Path | None = None,
    seed: int = 0,
) -> EvalProtocol:
    """Choose where the faces come from.

    Args:
        source: ``celeba`` (test partition), ``mmi`` (drawn subjects), ``multipie`` (real pairs of the test subjects:
            nothing is rendered), or ``folder``: any frontal photographs.
        lr: side of the LR faces, pixels; 0 leaves them at 128.
        identities: how many people; 0 takes 1,000 of celeba, 15 of mmi, all of a folder.
        photographs: how many of each; 0 takes 2 of celeba, 12 of mmi, all of a folder.
        person: of ``folder``, what names a person: the file, or its folder.
        jitter: how far each LR face is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
            degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
        frame: where the true faces stand in their pictures (``utkface200`` is what the shipped weights give); a
            hallucinator is judged in the frame in which it gives faces.
        alexnet: AlexNet of ImageNet for LPIPS, in place of the file in torch's cache.
        seed: of the draw and of the similarities.

    Raises:
        UsageError: a negative number; ``identities``, ``photographs``, ``jitter`` or ``frame`` with multipie, whose
            pairs are those of the protocol of that name.
        MissingError: ``alexnet`` is given, and it or the package lpips is not here.
        DataError: AlexNet's file is damaged.
    """
    if identities < 0 or photographs < 0:
        raise UsageError(f"restoration: identities={identities}, photographs={photographs}; 0 or more")
    recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
    if source == "multipie":
        if identities or photographs or recipe != Recipe(seed=seed):
            raise UsageError(
                "restoration: source=multipie takes lr, alexnet and seed alone; its pairs are photographs in the crop "
                "of the protocol multipie."
            )
        from protocols.restoration_multipie import MultiPiePairs

        return _with_backbone(MultiPiePairs(lr=lr, seed=seed), alexnet)
    if source == "folder":
        folder = FolderPairs(recipe, lr or None, identities, photographs, by_folder=person == "folder")
        return _with_backbone(folder, alexnet)
    kind = CelebAPairs if source == "celeba" else MmiPairs
    return _with_backbone(kind(recipe, lr or None, identities, photographs), alexnet)


def _with_backbone(protocol: TurnedPairs | MultiPiePairs, alexnet: Path | None) -> EvalProtocol:
    """Say which AlexNet LPIPS is measured with, so that a run is made anew when it appears or changes."""
    from bench.perceptual import backbone_files

    protocol.backbone, protocol.weights = alexnet, backbone_files(alexnet)
    return protocol
