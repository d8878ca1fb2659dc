"""FaceNet (Inception-ResNet v1) as packaged by facenet-pytorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.templates import FACENET_160
from bench.errors import MissingError, pip_install
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import check_chips, network_input
from bench.recognisers.networks.torch_network import TorchNetwork
from bench.weights import load_into, load_state_dict, package_file, torch_home, weights_file

if TYPE_CHECKING:
    from torch import nn

Pretrained = Literal["vggface2", "casia-webface"]

_FILES = {"vggface2": "20180402-114759-vggface2.pt", "casia-webface": "20180408-102900-casia-webface.pt"}


def _how_to_get(pretrained: Pretrained) -> str:
    return (
        f"Fetch {_FILES[pretrained]} from the releases of timesler/facenet-pytorch and put it into {_cache()}, pass "
        "weights=PATH, or pass download=true to let facenet-pytorch fetch it."
    )


def _cache() -> Path:
    """Folder that torch, and with it facenet-pytorch, keeps downloaded weights in."""
    return torch_home() / "checkpoints"


def _missing() -> str | None:
    if package_file("facenet_pytorch", "__init__.py") is None:
        return f"The package facenet-pytorch is not installed: {pip_install('facenet-pytorch')}."
    if any((_cache() / name).is_file() for name in _FILES.values()):
        return None
    return f"The FaceNet weights are not in the cache. {_how_to_get('vggface2')}"


@RECOGNISERS.register(
    "facenet",
    summary="FaceNet (Inception-ResNet v1), 512-d, trained on VGGFace2 or CASIA-WebFace.",
    source="Schroff et al. 2015, FaceNet; weights by D. Sandberg, ported by T. Esler (facenet-pytorch)",
    licence="MIT; the training sets are for research",
    missing=_missing,
)
class FaceNet(Recogniser):
    """Unit-length embeddings: the network normalises them itself."""

    face = FACENET_160
    embedding_size = 512
    colour = "RGB"
    scaling = "(x - 127.5) / 128"

    def __init__(
        self,
        *,
        pretrained: Pretrained = "vggface2",
        weights: Path | None = None,
        download: bool = False,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights.

        Args:
            pretrained: which training set; names the file looked for in torch's cache.
            weights: a state dict of InceptionResnetV1, in place of that file.
            download: whether facenet-pytorch may fetch the file when it is not there.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there are no weights, or facenet-pytorch is not installed.
        """
        if package_file("facenet_pytorch", "__init__.py") is None:
            raise MissingError(f"Recogniser facenet needs facenet-pytorch: {pip_install('facenet-pytorch')}.")
        path = weights or _cache() / _FILES[pretrained]
        if download and weights is None and not path.is_file():
            _download(pretrained)
        self.weights = (weights_file(path, wanted_by="Recogniser facenet", how_to_get=_how_to_get(pretrained)),)
        self._path = path
        self._network = TorchNetwork(self._build, device=device, threads=threads)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 160, 160, 3) as float32 (N, 512)."""
        check_chips(chips, self.face, recogniser="facenet")
        return self._network.run(network_input(chips, colour="RGB", mean=(127.5,), std=(128,)))

    def _build(self) -> nn.Module:
        from facenet_pytorch import InceptionResnetV1

        held = load_state_dict(self._path, sha256=self.weights[0].sha256)
        state = {name: tensor for name, tensor in held.items() if not name.startswith("logits.")}
        network: nn.Module = InceptionResnetV1(pretrained=None, classify=False)
        load_into(network, state, origin=str(self._path))
        return network


def _download(pretrained: Pretrained) -> None:
    from facenet_pytorch import InceptionResnetV1

    try:
        InceptionResnetV1(pretrained=pretrained)  # fetches the file into torch's cache as a side effect
    except OSError as error:
        raise MissingError(
            f"facenet-pytorch could not fetch its weights ({error}). {_how_to_get(pretrained)}"
        ) from None
