"""LPIPS on weight files made here: the loading code is the one that reads the published files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.metrics.perceptual import BACKBONE, PerceptualMeasure, backbone_files, default_backbone
from protocols.restoration.protocol import restoration

torch = pytest.importorskip("torch")
TAPPED = (1, 4, 7, 9, 11)  # AlexNet's five rectified layers, by their places in torchvision's features


@pytest.fixture(scope="module")
def alexnet() -> Any:
    from torchvision.models import alexnet

    torch.manual_seed(0)
    return alexnet(weights=None).eval()


@pytest.fixture(scope="module")
def file(alexnet: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict as torchvision publishes it, drawn at random."""
    path = tmp_path_factory.mktemp("weights") / "alexnet.pth"
    torch.save(alexnet.state_dict(), path)
    return path


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (64, 64, 3), np.uint8), rng.integers(0, 256, (64, 64, 3), np.uint8)


def needs_package() -> None:
    pytest.importorskip("lpips", reason="the package lpips is not installed")


def by_hand(alexnet: Any, left: np.ndarray, right: np.ndarray) -> float:
    """Zhang et al. 2018, eq. 1: unit features, squared differences, weighted by the package's layers, averaged."""
    import lpips

    heads = torch.load(
        Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth", map_location="cpu", weights_only=True
    )
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    total = 0.0
    values = [((torch.from_numpy(x).permute(2, 0, 1) / 127.5 - 1 - shift) / scale)[None] for x in (left, right)]
    with torch.no_grad():
        for place, layer in enumerate(alexnet.features):
            values = [layer(value) for value in values]
            if place in TAPPED:
                one, other = (v / v.square().sum(1, keepdim=True).sqrt() for v in values)
                weight = heads[f"lin{TAPPED.index(place)}.model.1.weight"]
                total += float(((one - other).square() * weight).sum(1).mean())
    return total


def test_it_is_the_published_formula_on_the_given_file(
    alexnet: Any, file: Path, images: tuple[np.ndarray, np.ndarray]
) -> None:
    needs_package()
    measure = PerceptualMeasure(backbone=file)
    assert measure.notes() == ()
    assert measure.compare(*images)["lpips"] == pytest.approx(by_hand(alexnet, *images), rel=1e-4)
    assert measure.compare(images[0], images[0]) == {"lpips": 0.0}


def test_the_record_names_the_file_and_its_digest(file: Path) -> None:
    needs_package()
    (weights,) = backbone_files(file)
    messages = PerceptualMeasure(backbone=file).convention()["lpips"]
    assert "alexnet.pth" in messages and weights.sha256 in messages and "package lpips 0" in messages


def test_torch_s_own_file_is_taken_when_none_is_named(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_package()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert backbone_files(None) == ()
    assert PerceptualMeasure().notes()[0].startswith("LPIPS was not measured: the weights alexnet-owt-7be5be79.pth")
    assert default_backbone() == tmp_path / "hub" / "checkpoints" / BACKBONE
    default_backbone().parent.mkdir(parents=True)
    default_backbone().symlink_to(file)
    with pytest.raises(DataError, match=r"alexnet-owt-7be5be79\.pth.*damaged or replaced.*alexnet=PATH"):
        backbone_files(None)  # its digest isn't the one the name ends in


def test_missing_weights_are_reported_or_an_error_if_the_user_gave_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: tuple[np.ndarray, np.ndarray]
) -> None:
    if importlib.util.find_spec("lpips"):
        with pytest.raises(MissingError, match=r"AlexNet_Weights.IMAGENET1K_V1"):
            restoration(alexnet=tmp_path / "absent.pth")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    measure = PerceptualMeasure()
    assert measure.compare(*images) == {} and measure.convention() == {}
    (note,) = measure.notes()
    assert note.startswith("LPIPS was not measured: the package lpips is not installed (pip install ")
    with pytest.raises(MissingError, match="the package lpips is not installed"):
        restoration(alexnet=tmp_path / "absent.pth")


@pytest.mark.parametrize("source", ["celeba", "mmi", "multipie", "folder"])
def test_every_source_passes_the_file_on(source: Any, file: Path) -> None:
    needs_package()
    protocol = restoration(source=source, alexnet=file)
    assert protocol.backbone == file  # type: ignore[attr-defined]
    assert [weights.name for weights in protocol.weights] == ["alexnet.pth"]


def test_a_file_of_another_network_or_with_other_objects_is_refused(tmp_path: Path) -> None:
    needs_package()
    other = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(2, 2)}, other)
    with pytest.raises(DataError, match=r"do not fit"):
        PerceptualMeasure(backbone=other)
    torch.save({"run": Path("x")}, other)  # a pickle of another class
    with pytest.raises(DataError, match="could run code"):
        PerceptualMeasure(backbone=other)


def test_a_gpu_measures_the_same(file: Path, images: tuple[np.ndarray, np.ndarray]) -> None:
    needs_package()
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    here, there = PerceptualMeasure(backbone=file), PerceptualMeasure("cuda", file)
    assert there.compare(*images)["lpips"] == pytest.approx(here.compare(*images)["lpips"], rel=1e-2)
