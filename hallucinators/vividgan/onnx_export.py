"""VividGAN as an ONNX file, checked against torch before it is written."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bench import __version__
from bench.checks.toy_faces import draw_face
from bench.errors import ContractError
from bench.images import FloatImages, resize, to_float
from bench.io.atomic import explain_os_errors, write_file
from hallucinators.vividgan.network.components import template_centres
from hallucinators.vividgan.network.model import VividGAN
from hallucinators.vividgan.network.weight_file import Facts

OPSET = 20
TOLERANCE = 1e-3
"""Largest accepted difference to torch, for values in [0, 1]: a quarter of a grey level of 255."""

_BATCHES = (1, 3)
_FLOW_SIDES = (16, 32)
_SHIFT = 6.0  # standard deviation, in pixels, of the centres in the check around the template


class Exported(NamedTuple):
    """Facts of a written file.

    Attributes:
        inputs: names of the inputs.
        outputs: names of the outputs.
        sides: sides of LR faces in the check.
        difference: largest difference to torch.
        size: of the file in bytes.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    sides: tuple[int, ...]
    difference: float
    size: int


def export_onnx(
    model: VividGAN, facts: Facts, out: Path, *, weights_sha256: str = "", licence: str = "", sides: Sequence[int] = ()
) -> Exported:
    """Write the network as one graph of opset 20, unless its output differs from that of torch.

    Inputs: ``lr`` float32 (N, 3, s, s), RGB in [0, 1], and ``centres`` float32 (N, 4, 2), the centres of the components
    in the coarse face (xy pixels; left eye, right eye, nose, mouth). Outputs: ``coarse``, ``prior`` and ``fine``,
    float32 (N, 3, 128, 128), clamped to [0, 1]. N is free, and for ``vividgan-flow`` so is s. A network without
    touching-up has neither ``centres`` nor ``prior``; if ``facts.fine`` is False the only output is ``coarse``. The
    metadata of the file have the network, its licence, the digest of its weights and the template centres.

    Args:
        model: the network, on the CPU.
        facts: its header.
        out: the file.
        weights_sha256: digest of the weight file, for the metadata.
        licence: of the weights, for the metadata.
        sides: sides of LR faces for the check; by default those the network takes.

    Raises:
        ContractError: the output of onnxruntime differs from that of torch.
        BenchError: the file cannot be written.
    """
    path = _Path(model, fine=facts.fine).eval()  # the exporter restores only the mode of the outermost module
    checked = tuple(sides) or ((facts.lr,) if facts.lr else _FLOW_SIDES)
    metadata = {
        "network": facts.network,
        "lr": str(facts.lr) if facts.lr else "any",
        "preset": facts.preset,
        "trained": json.dumps(dict(facts.trained), sort_keys=True),
        "licence": licence,
        "weights_sha256": weights_sha256,
        "template_centres": json.dumps(template_centres().tolist()),
        "made_by": f"face-hallucination-bench {__version__}",
    }
    graph = _graph(path, checked[0], free_side=not facts.lr, metadata=metadata)
    difference = _difference(graph, path, checked)
    if not difference <= TOLERANCE:
        raise ContractError(
            f"The ONNX graph of {facts.network} differs from torch by {difference:.2g} (at most {TOLERANCE:g} is "
            f"accepted), so {out} was not written."
        )
    _write(out, graph)
    return Exported(path.inputs, path.outputs, checked, difference, len(graph))


class _Path(nn.Module):
    """LR face to images in [0, 1], as a tuple of tensors."""

    def __init__(self, model: VividGAN, *, fine: bool) -> None:
        super().__init__()
        self.model, self._fine = model, fine
        self._prior = fine and model.touchup is not None
        self.inputs = ("lr", "centres") if self._prior else ("lr",)
        self.outputs = ("coarse", "prior", "fine") if self._prior else ("coarse", "fine") if fine else ("coarse",)

    def forward(self, lr: Tensor, centres: Tensor | None = None) -> tuple[Tensor, ...]:
        coarse = self.model.preview(lr)
        if not self._fine:
            return (coarse.clamp(0, 1),)
        result = self.model.refine(coarse, centres=centres)
        images = (coarse, result.prior, result.fine) if self._prior else (coarse, result.fine)
        return tuple(image.clamp(0, 1) for image in images)


def _graph(path: _Path, side: int, *, free_side: bool, metadata: Mapping[str, str]) -> bytes:
    """The serialised graph."""
    import onnx

    free: dict[str, dict[int, str]] = {name: {0: "n"} for name in (*path.inputs, *path.outputs)}
    if free_side:
        free["lr"] |= {2: "height", 3: "width"}
    examples = tuple(torch.from_numpy(values) for values in _faces(2, side, path).values())
    with warnings.catch_warnings(), torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # the sizes it warns of are constants, and the exporter is the older one
        torch.onnx.export(
            path,
            examples,
            str(Path(folder, "graph.onnx")),
            input_names=list(path.inputs),
            output_names=list(path.outputs),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
        model = onnx.load(str(Path(folder, "graph.onnx")))
    for value in model.graph.output:  # the exporter does not infer some sizes
        for axis, size in enumerate((3, 128, 128), 1):
            value.type.tensor_type.shape.dim[axis].dim_value = size
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised


def _difference(graph: bytes, path: _Path, sides: Sequence[int]) -> float:
    """The largest difference between onnxruntime and torch, over drawn faces; NaN where values are not finite."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    worst = 0.0
    for side in sides:
        for count in _BATCHES:
            given = _faces(count, side, path)
            with torch.no_grad():
                expected = path(*(torch.from_numpy(values) for values in given.values()))
            outputs = session.run(list(path.outputs), given)
            for one, other in zip(outputs, expected, strict=True):
                same = one.shape == tuple(other.shape)
                worst = float(np.maximum(worst, np.abs(one - other.numpy()).max() if same else np.inf))  # keeps NaN
    return worst


def _faces(count: int, side: int, path: _Path) -> dict[str, FloatImages]:
    """Drawn faces and centres of their components."""
    rng = np.random.default_rng((count, side))
    given = {"lr": to_float([resize(draw_face(person, 0), side, side) for person in range(count)])}
    if "centres" in path.inputs:
        moved = rng.normal(0, _SHIFT, (count, 4, 2))
        given["centres"] = (template_centres().numpy()[None] + moved).astype(np.float32)
    return given


def _write(out: Path, graph: bytes) -> None:
    with explain_os_errors(f"Cannot write {out}"):
        write_file(out, graph)
