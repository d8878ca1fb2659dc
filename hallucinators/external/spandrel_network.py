"""Networks of the library spandrel: detected from their tensors, loaded, and run as their authors do."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import DataError, one_line, pip_install
from bench.io.file_digests import known_file_digest
from hallucinators.external.state_dict import Trust, read_state

if TYPE_CHECKING:
    from torch import Tensor

FACE_SIDE = 512
"""Side of the aligned faces that GFPGAN, CodeFormer and RestoreFormer were trained on."""
FIDELITY = "CodeFormer"
"""The architecture that takes a fidelity weight."""
DEFAULT_FIDELITY = 0.5
"""That of CodeFormer's own command line."""

_BARE = ("GFPGAN", FIDELITY)
"""Architectures that spandrel 0.4 calls with images in [0, 1] though they were trained on [-1, 1]."""


@dataclass(frozen=True)
class Facts:
    """Facts of a weight file.

    Attributes:
        architecture: spandrel's name.
        scale: magnification.
        side: side of the only square input it takes; None for any size.
    """

    architecture: str
    scale: int
    side: int | None


def describe(path: Path, *, trust: Trust) -> Facts:
    """Detect a network from names and shapes of its tensors; nothing is kept in memory.

    Raises:
        DataError: it is unknown to spandrel, does not fit, or is no network from RGB to RGB.
    """
    return _describe(path, trust, known_file_digest(path))


def load(path: Path, *, trust: Trust, sha256: str | None = None) -> Any:
    """The network as spandrel's descriptor, on the processor, in evaluation mode; raises what `describe` does.

    Args:
        path: the file.
        trust: see `read_state`.
        sha256: digest that its bytes must have; None takes any.
    """
    state = _canonical(read_state(path, trust=trust, sha256=sha256), path)
    return _build(_detect(state, path), state, path).eval()


def run(descriptor: Any, face: Tensor, *, fidelity: float) -> Tensor:
    """Run it on one image.

    Args:
        descriptor: the result of `load`.
        face: RGB in [0, 1], float32 (1, 3, h, w).
        fidelity: CodeFormer's w.

    Returns:
        float32 (1, 3, H, W), clamped to [0, 1]. Deterministic: GFPGAN takes the noise stored in its file.

    Source: TencentARC/GFPGAN gfpgan/utils.py, sczhou/CodeFormer inference_codeformer.py: both normalise by mean 0.5
        and deviation 0.5 and read the output in [-1, 1]. For the others, spandrel's own call, which pads images
        (reflection) to the sizes a network needs.
    """
    name = descriptor.architecture.id
    if name not in _BARE:
        output: Tensor = descriptor(face)
        return output
    how = {"weight": fidelity} if name == FIDELITY else {"return_rgb": False, "randomize_noise": False}
    restored: Tensor = descriptor.model(face * 2 - 1, **how)[0]
    return ((restored + 1) / 2).clamp(0, 1)


@lru_cache(maxsize=64)
def _describe(path: Path, trust: Trust, sha256: str) -> Facts:
    import torch

    lazily = trust == "no"
    state = _canonical(read_state(path, trust=trust, shapes_only=lazily), path)
    architecture = _detect(state, path)
    descriptor = None
    if lazily:
        try:
            with torch.device("meta"):
                descriptor = architecture.load(dict(state))
        except Exception:  # noqa: BLE001  # some read values while they are built, which needs the whole file
            state = _canonical(read_state(path, trust=trust), path)
    descriptor = descriptor or _build(architecture, state, path)
    purpose = descriptor.purpose
    if purpose == "Inpainting":
        raise DataError(f"The weights {path} are of {architecture.id}, which fills holes and needs a mask.")
    channels = (descriptor.input_channels, descriptor.output_channels)
    if channels != (3, 3):
        raise DataError(
            f"The weights {path} are of {architecture.id} from {channels[0]} to {channels[1]} channels; "
            "a hallucinator takes RGB and gives RGB."
        )
    return Facts(architecture.id, descriptor.scale, FACE_SIDE if purpose == "FaceSR" else None)


def _canonical(content: object, path: Path) -> dict[str, Any]:
    from spandrel import canonicalize_state_dict

    if not isinstance(content, dict):
        raise DataError(f"The weights {path} hold one {type(content).__name__}, not tensors by name.")
    if not all(isinstance(name, str) for name in content):
        raise DataError(f"The weights {path} hold things without a name, not tensors by name.")
    state: dict[str, Any] = canonicalize_state_dict(content)
    return state


def _detect(state: dict[str, Any], path: Path) -> Any:
    registry = _registry()
    for known in registry.architectures("detection"):
        if known.detect(state):
            return known.architecture
    names = ", ".join(sorted(known.architecture.id for known in registry))
    more = (
        ""
        if _extra_is_here()
        else f" CodeFormer and others, under licences of their own, come with: {pip_install('spandrel_extra_arches')}"
    )
    raise DataError(
        f"The weights {path} are of no network that spandrel knows ({len(state)} entries, the first "
        f"{', '.join(list(state)[:3]) or 'none'}). It knows {names}.{more}"
    )


def _build(architecture: Any, state: dict[str, Any], path: Path) -> Any:
    import torch

    try:
        with torch.random.fork_rng([]):  # parameters are drawn before they are loaded
            return architecture.load(dict(state))
    except Exception as error:  # noqa: BLE001  # the library guesses settings from shapes
        raise DataError(
            f"The weights {path} look like {architecture.id}, but do not fit it ({type(error).__name__}: "
            f"{one_line(error)})."
        ) from None


@lru_cache(maxsize=1)
def _registry() -> Any:
    """All architectures that are installed; spandrel's own registry is left as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about how the library is written
        from spandrel import MAIN_REGISTRY

        registry = MAIN_REGISTRY.copy()
        if _extra_is_here():
            from spandrel_extra_arches import EXTRA_REGISTRY

            registry.add(*EXTRA_REGISTRY, ignore_duplicates=True)
    return registry


def _extra_is_here() -> bool:
    return importlib.util.find_spec("spandrel_extra_arches") is not None
