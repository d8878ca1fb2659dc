from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.interfaces import RECOGNISERS
from bench.recognisers import facenet

torch = pytest.importorskip("torch")
if facenet.package_file("facenet_pytorch", "__init__.py") is None:
    pytest.skip("facenet-pytorch is not installed", allow_module_level=True)

NAME = "20180402-114759-vggface2.pt"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A torch home whose cache holds weights of the right shapes, drawn at random."""
    from facenet_pytorch import InceptionResnetV1

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("torch") / "checkpoints"
    folder.mkdir()
    network = InceptionResnetV1(pretrained=None, classify=False)
    logits = {"logits.weight": torch.zeros(8631, 512), "logits.bias": torch.zeros(8631)}
    torch.save(network.state_dict() | logits, folder / NAME)
    return folder.parent


def chips(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 160, 160, 3), dtype=np.uint8)


def test_it_reads_the_librarys_cache_and_equals_the_librarys_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facenet_pytorch import InceptionResnetV1
    from facenet_pytorch.models.mtcnn import fixed_image_standardization

    monkeypatch.setenv("TORCH_HOME", str(home))
    assert facenet._missing() is None
    recogniser = RECOGNISERS["facenet"].create()
    assert [weights.name for weights in recogniser.weights] == [NAME]
    images = chips(2)
    reference = InceptionResnetV1(pretrained="vggface2").eval()
    tensor = fixed_image_standardization(torch.from_numpy(images).permute(0, 3, 1, 2).float())
    with torch.inference_mode():
        expected = reference(tensor).numpy()
    together = recogniser.embed(images)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    np.testing.assert_allclose(recogniser.embed(images[1:]), together[1:], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_nothing_is_fetched_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert "weights=PATH" in (facenet._missing() or "")
    with pytest.raises(MissingError, match=f"{NAME}, which does not exist. Fetch {NAME} .* download=true"):
        RECOGNISERS["facenet"].create()
    with pytest.raises(MissingError, match="20180408-102900-casia-webface.pt"):
        RECOGNISERS["facenet"].create({"pretrained": "casia-webface"})
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_is_missing_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import facenet_pytorch

    def fail(**arguments: object) -> None:
        raise OSError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(facenet_pytorch, "InceptionResnetV1", fail)
    with pytest.raises(MissingError, match="could not fetch its weights .no route."):
        RECOGNISERS["facenet"].create({"download": True})


def test_weights_of_another_network_are_a_data_error(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="do not fit InceptionResnetV1: .* is missing"):
        RECOGNISERS["facenet"].create({"weights": tmp_path / "other.pt"}).embed(chips(1))
