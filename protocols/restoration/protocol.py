"""Faces restored from turned LR views, compared with the frontal truth: PSNR, SSIM, similarity, landmarks."""

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
    """Choose the source of the faces.

    Args:
        source: ``celeba`` (test partition), ``mmi`` (drawn subjects), ``multipie`` (real pairs of the test subjects,
            without rendering), ``folder``: any frontal photographs, or ``pairs``: LR faces and truths as files.
        lr: side of the LR faces, pixels; 0 leaves them at 128. With ``pairs``: their folder in the data root.
        hr: with ``pairs``: the folder of the truths in the data root; the files of a pair have the same name except for
            endings such as ``x8`` or ``_LR``.
        sr: with ``pairs``: a folder of faces that are already restored; they are measured unchanged, with
            ``--hallucinator none``.
        identities: number of people; 0 uses 1,000 of celeba, 15 of mmi, all of a folder.
        photographs: photographs a person; 0 uses 2 of celeba, 12 of mmi, all of a folder.
        person: with ``folder`` and ``pairs``: whether the file or its folder is the person.
        jitter: how far each LR face is turned, shifted and scaled at random before it is shrunk: ``paper`` (up to 45
            degrees, 5 % of the side, 0.8 to 1), ``small`` (10 degrees, 3 %, 0.9 to 1) or ``none``.
        frame: frame of the true faces (``utkface200`` is the frame of the shipped weights); a hallucinator is measured
            in the frame of its outputs.
        alexnet: AlexNet of ImageNet for LPIPS, instead of the file in torch's cache.
        seed: of the draw and of the similarities.

    Raises:
        UsageError: a negative number; ``identities``, ``photographs``, ``jitter`` or ``frame`` with multipie or pairs,
            which do not use them; ``hr`` or ``sr`` with another source.
        MissingError: ``alexnet`` is given, and it or the package lpips is absent.
        DataError: AlexNet's file is damaged.
    """
    if identities < 0 or photographs < 0:
        raise UsageError(f"restoration: identities={identities}, photographs={photographs}; expected 0 or more")
    recipe = Recipe(frame=frame, jitter=jitter, seed=seed)
    if source == "pairs":
        if identities or photographs or recipe != Recipe(seed=seed):
            raise UsageError("restoration: source=pairs accepts only lr, hr, sr, person, alexnet and seed.")
        from protocols.restoration.pairs import GivenPairs

        folder = lr if isinstance(lr, str) else ""
        return _with_backbone(GivenPairs(hr=hr, lr=folder, sr=sr, person=person), alexnet)
    if hr or sr:
        raise UsageError(f"restoration: hr and sr are folders of pairs; source={source} has none. Use source=pairs.")
    if isinstance(lr, str):
        raise UsageError(
            f"restoration: lr={lr}; expected 16, 32 or 0, the side of LR faces in pixels. A folder of LR faces needs "
            "source=pairs."
        )
    if source == "multipie":
        if identities or photographs or recipe != Recipe(seed=seed):
            raise UsageError(
                "restoration: source=multipie accepts only lr, alexnet and seed; its pairs are photographs in the crop "
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
    """Record which AlexNet LPIPS uses, so that a run is repeated when the file appears or changes."""
    from bench.metrics.perceptual import backbone_files

    protocol.backbone, protocol.weights = alexnet, backbone_files(alexnet)
    return protocol
