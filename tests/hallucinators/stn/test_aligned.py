"""Super-resolvers behind the aligner: files, errors, order of the two."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError
from hallucinators.networks.transformer import MAX_SHIFT, SpatialTransformer
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn import aligned
from hallucinators.stn.aligned import AlignedHallucinator, aligner_file, frozen_aligner
from hallucinators.stn.aligner import Aligner
from hallucinators.training.method.options import Options


class Nearest(nn.Module):
    """Repeats pixels, a little darker."""

    def __init__(self) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.tensor(0.5))

    def forward(self, faces: Tensor) -> Tensor:
        return self.share * nn.functional.interpolate(faces, (128, 128))


class Repeating(AlignedHallucinator):
    network = "repeating"

    def build(self, facts: Facts) -> nn.Module:
        return Nearest()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The super-resolver's, and that of an aligner which moves by two pixels."""
    weights, stn = tmp_path / "repeating.safetensors", tmp_path / "stn.safetensors"
    save_weights(weights, Nearest(), Facts("repeating", 16, "compact"))
    network = Aligner("paper", 16)
    moves = cast(SpatialTransformer, network.looks[0]).similarity.bias
    moves.data[2] = torch.atanh(torch.tensor(2 * 2 / 16 / MAX_SHIFT))
    save_weights(stn, network, Facts("stn", 16, "paper"))
    return weights, stn


def build_hallucinator(weights: Path, stn: Path | None, *, align: bool = True, lr: Literal[16, 32] = 16) -> Repeating:
    return Repeating(size=lr, align=align, stn=stn, weights=weights, device="cpu", threads=0)


def test_faces_are_aligned_and_then_super_resolved(files: tuple[Path, Path]) -> None:
    faces = np.random.default_rng(0).random((2, 3, 16, 16)).astype(np.float32)
    plain = build_hallucinator(*files, align=False).hallucinate(faces)
    np.testing.assert_allclose(plain, 0.5 * faces.repeat(8, 2).repeat(8, 3), atol=1e-6)
    moved = build_hallucinator(*files).hallucinate(faces)
    np.testing.assert_allclose(moved[..., :112], plain[..., 16:], atol=5e-3)  # the aligner's file is half precision


def test_both_files_are_named_and_only_one_where_faces_are_upright(files: tuple[Path, Path]) -> None:
    assert [file.name for file in build_hallucinator(*files).weights] == ["repeating.safetensors", "stn.safetensors"]
    assert [file.name for file in build_hallucinator(files[0], Path("nowhere"), align=False).weights] == [
        "repeating.safetensors"
    ]


def test_a_missing_aligner_says_how_to_get_one(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"bench train stn --lr 16.*repeating:stn=FILE.*align=false"):
        build_hallucinator(files[0], tmp_path / "none.safetensors")
    with pytest.raises(MissingError, match=r"Training srgan.*bench train stn --lr 32.*--aligner FILE"):
        frozen_aligner(Options(method="srgan", lr=32, aligner=tmp_path / "none.safetensors"))


def test_the_shipped_aligner_is_taken_where_none_is_named(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aligned, "SHIPPED", tmp_path)
    files[1].rename(tmp_path / "stn-8x.safetensors")
    assert aligner_file(None, 16, wanted_by="", how="") == tmp_path / "stn-8x.safetensors"
    with pytest.raises(MissingError, match="stn-4x"):
        aligner_file(None, 32, wanted_by="", how="")


def test_a_file_of_something_else_is_no_aligner(files: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match="network 'repeating'; network 'stn' was requested"):
        build_hallucinator(files[0], files[0])
    with pytest.raises(DataError, match="lr 16; lr 32"):
        frozen_aligner(Options(method="srgan", lr=32, aligner=files[1]))


def test_a_trainings_aligner_is_frozen(files: tuple[Path, Path]) -> None:
    network = frozen_aligner(Options(method="srgan", aligner=files[1]))
    assert not network.training and not any(p.requires_grad for p in network.parameters())


def test_importing_the_hallucinators_imports_no_torch() -> None:
    code = "import sys, hallucinators.srgan, hallucinators.stn; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
