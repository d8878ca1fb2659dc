"""Faces restored from turned LR views, measured against the frontal truth: PSNR, SSIM, likeness, landmarks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import Frame
from bench.errors import UsageError
from bench.interfaces import PROTOCOLS, EvalProtocol
from protocols.restoration.turned import CelebAPairs, FolderPairs, MmiPairs, TurnedPairs
from protocols.views.recipe import JitterName, Recipe

if TYPE_CHECKING:
    from protocols.restoration.multipie import MultiPiePairs
    from protocols.restoration.pairs import GivenPairs

Source = Literal["celeba", "mmi", "multipie", "folder", "pairs"]


@PROTOCOLS.register(
    "restoration",
    summary="Turned LR faces against their frontal truth: PSNR, SSIM, likeness, landmarks; overall and by yaw.",
    source="Zhang et al., Face Hallucination with Finishing Touches, 2021, section V; views rendered or real",
    licence="that of the source's data set",
)
def restoration(
    *,
    source: Source = "celeba",
    lr: Literal[16, 32, 0] | str = 16,
    hr: str = "",
    sr: str = "",
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
            nothing is rendered), ``folder``: any frontal photographs, or ``pairs``: LR faces and truths as files.
        lr: side of the LR faces, pixels; 0 leaves them at 128. Of ``pairs``: their folder in the data root.
        hr: of ``pairs``: the folder of the truths, in the data root; files of a pair bear one name, but for endings
            such as ``x8`` or ``_LR``.
        sr: of ``pairs``: a folder of faces that are restored already; they are measured as they are, by
            ``--hallucinator none``.
        identities: how many people; 0 takes 1,000 of celeba, 15 of mmi, all of a folder.
        photographs: how many of each; 0 takes 2 of celeba, 12 of mmi, all of a folder.
        person: of ``folder`` and ``pairs``, what names a person: the file, or its folder.
        jitter: how far each LR face is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
            degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
        frame: where the true faces stand in their pictures (``utkface200`` is what the shipped weights give); a
            hallucinator is judged in the frame in which it gives faces.
        alexnet: AlexNet of ImageNet for LPIPS, in place of the file in torch's cache.
        seed: of the draw and of the similarities.

    Raises:
        UsageError: a negative number; ``identities``, ``photographs``, ``jitter`` or ``frame`` with multipie or pairs,
            which have their own; ``hr`` or ``sr`` with another source.
        MissingError: ``alexnet`` is given, and it or the package lpips is not here.
        DataError: AlexNet's file is damaged.
    """
    if identities < 0 or photographs < 0:
        raise UsageError(f"restoration: identities={identities}, photographs={photographs}; 0 or more")
    recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
    if source == "pairs":
        if identities or photographs or recipe != Recipe(seed=seed):
            raise UsageError("restoration: source=pairs takes lr, hr, sr, person, alexnet and seed alone.")
        from protocols.restoration.pairs import GivenPairs

        folder = lr if isinstance(lr, str) else ""
        return _with_backbone(GivenPairs(hr=hr, lr=folder, sr=sr, person=person), alexnet)
    if hr or sr:
        raise UsageError(f"restoration: hr and sr are folders of pairs; source={source} has none. Say source=pairs.")
    if isinstance(lr, str):
        raise UsageError(
            f"restoration: lr={lr} is none of 16, 32, 0, the sides of LR faces in pixels. A folder of LR faces goes "
            "with source=pairs."
        )
    if source == "multipie":
        if identities or photographs or recipe != Recipe(seed=seed):
            raise UsageError(
                "restoration: source=multipie takes lr, alexnet and seed alone; its pairs are photographs in the crop "
                "of the protocol multipie."
            )
        from protocols.restoration.multipie import MultiPiePairs

        return _with_backbone(MultiPiePairs(lr=lr, seed=seed), alexnet)
    if source == "folder":
        pictures = FolderPairs(recipe, lr or None, identities, photographs, by_folder=person == "folder")
        return _with_backbone(pictures, alexnet)
    kind = CelebAPairs if source == "celeba" else MmiPairs
    return _with_backbone(kind(recipe, lr or None, identities, photographs), alexnet)


def _with_backbone(protocol: TurnedPairs | MultiPiePairs | GivenPairs, alexnet: Path | None) -> EvalProtocol:
    """Say which AlexNet LPIPS is measured with, so that a run is made anew when it appears or changes."""
    from bench.metrics.perceptual import backbone_files

    protocol.backbone, protocol.weights = alexnet, backbone_files(alexnet)
    return protocol
