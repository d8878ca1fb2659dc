"""The number of learned parameters of a hallucinator: of its torch modules, its ONNX files, or its weight files.

Torch modules are those that compute in a pass and those reachable from the hallucinator's attributes. An unknown
number is None with the reason, never 0.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.interfaces import Hallucinator
from bench.pipeline.build import Built
from bench.pipeline.output_checks import INTERPOLATING

_DEEPEST = 8
_MOST_OBJECTS = 20_000
_TORCH_FILES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
_LIBRARIES = ("torch", "numpy", "onnx", "onnxruntime", "PIL", "cv2")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameter counts of a chain.

    Attributes:
        count: all of them; None where they cannot be known.
        used: those of modules that computed in the pass; None where that is not known.
        how: what was counted, or why there is no count.
        left_out: names of weight files that are not covered by the count.
    """

    count: int | None
    used: int | None
    how: str
    left_out: tuple[str, ...] = ()


@dataclass
class _Reachable:
    """Objects that are reachable from the attributes of a component."""

    modules: dict[int, Any] = field(default_factory=dict)
    sessions: dict[int, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    visited: set[int] = field(default_factory=set)


@contextmanager
def called_modules() -> Iterator[dict[int, Any]]:
    """Collect the torch modules whose ``forward`` runs inside the block, by their id; none where torch is not loaded.

    Modules that are built in the pass are included, so torch must be imported before if the chain may need it.
    """
    called: dict[int, Any] = {}
    if "torch" not in sys.modules:
        yield called
        return
    from torch.nn.modules.module import register_module_forward_hook

    def record(module: Any, *_: object) -> None:
        called[id(module)] = module

    handle = register_module_forward_hook(record)
    try:
        yield called
    finally:
        handle.remove()


def count(steps: Sequence[Built[Hallucinator]], called: Mapping[int, Any]) -> Parameters:
    """Count the parameters of a chain after a pass.

    Args:
        steps: of the chain.
        called: what `computing` collected in the pass.

    Returns:
        The sum over steps, each module, session and file counted once; unknown if one step is unknown.
    """
    total = 0
    methods: list[str] = []
    left_out: list[str] = []
    unknown: list[str] = []
    counted: set[object] = set()
    learned = [step for step in steps if step.spec.name not in INTERPOLATING]
    for step in steps:
        if step.spec.name in INTERPOLATING:
            methods.append(f"{step.spec}: interpolation, nothing is learned")
            continue
        reachable = _Reachable()
        _collect(step.component, reachable, 0)
        if len(learned) == 1:  # unreachable modules that computed belong to the only learned step
            reachable.modules |= called
        number, method, uncovered = _of_step(step, reachable, counted)
        left_out += uncovered
        (unknown if number is None else methods).append(f"{step.spec}: {method}")
        total += number or 0
    if unknown:
        return Parameters(None, None, "; ".join(unknown), tuple(left_out))
    return Parameters(total, _used(called) if called else None, "; ".join(methods), tuple(left_out))


def onnx_numbers(model: Path | bytes) -> int:
    """Elements of an ONNX model's initialisers without shapes and flags (64-bit integers, booleans)."""
    import onnx

    if isinstance(model, bytes):
        graph = onnx.load_from_string(model).graph
    else:
        graph = onnx.load(str(model), load_external_data=False).graph
    apart = (onnx.TensorProto.INT64, onnx.TensorProto.BOOL, onnx.TensorProto.STRING)
    return sum(_product(tensor.dims) for tensor in graph.initializer if tensor.data_type not in apart)


def file_numbers(path: Path) -> int:
    """Elements of the floating-point tensors of a torch or safetensors file.

    Raises:
        DataError: it is damaged or refused; see `bench.weights.load_state_dict`.
    """
    from bench.weights import load_state_dict

    return sum(tensor.numel() for tensor in load_state_dict(path).values() if tensor.is_floating_point())


def _of_step(
    step: Built[Hallucinator], reachable: _Reachable, counted: set[object]
) -> tuple[int | None, str, list[str]]:
    """Count one step: the number or None, the method or the reason, and weight files that are not covered."""
    total, methods, covered = 0, [], set()
    if reachable.modules:
        new_parameters = {id(p): p for m in reachable.modules.values() for p in m.parameters() if id(p) not in counted}
        counted.update(new_parameters)
        total += sum(parameter.numel() for parameter in new_parameters.values())
        methods.append("parameters of torch modules")
        covered |= {weights.name for weights in step.component.weights if _is_torch(weights.name)}
    try:
        for session in reachable.sessions.values():
            path = Path(session._model_path) if getattr(session, "_model_path", None) else None
            model = path or getattr(session, "_model_bytes", None)
            if model is not None and (path or id(session)) not in counted:
                counted.add(path or id(session))
                total += onnx_numbers(model)
                methods.append("initialisers of ONNX sessions")
                covered |= {path.name} if path else {w.name for w in step.component.weights if w.name.endswith(".onnx")}
        for weights in step.component.weights:
            file = reachable.files.get(weights.name)
            if weights.name in covered or file is None or not (_is_torch(file.name) or file.suffix == ".onnx"):
                continue
            covered.add(weights.name)
            methods.append(f"tensors of {weights.name}")
            if file not in counted:
                counted.add(file)
                total += onnx_numbers(file) if file.suffix == ".onnx" else file_numbers(file)
    except (BenchError, OSError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}", []
    except Exception as error:  # noqa: BLE001  # protobuf raises many classes for a damaged file
        return None, f"unreadable ONNX file ({type(error).__name__})", []
    uncovered = [weights.name for weights in step.component.weights if weights.name not in covered]
    if not methods:
        return None, "it has no reachable torch module, ONNX session or readable weight file", uncovered
    return total, ", ".join(dict.fromkeys(methods)), uncovered


def _used(called: Mapping[int, Any]) -> int:
    """Parameters of modules that ran; of a module none of whose parts ran as modules, all parameters."""
    parameters: dict[int, Any] = {}
    for module in called.values():
        parts = list(module.modules())[1:]
        all_parts = not any(id(part) in called for part in parts)
        parameters |= {id(parameter): parameter for parameter in module.parameters(recurse=all_parts)}
    return sum(parameter.numel() for parameter in parameters.values())


def _collect(value: Any, reachable: _Reachable, depth: int) -> None:
    """Collect modules, sessions and files reachable from an object; objects of other libraries are not opened."""
    if depth > _DEEPEST or id(value) in reachable.visited or len(reachable.visited) > _MOST_OBJECTS:
        return
    reachable.visited.add(id(value))
    if _is_module(value):
        reachable.modules[id(value)] = value
        return
    kind = type(value)
    if kind.__name__ == "InferenceSession" and kind.__module__.split(".")[0] == "onnxruntime":
        reachable.sessions[id(value)] = value
        return
    if isinstance(value, (Path, str)):
        if len(str(value)) < 4096 and Path(value).suffix in (*_TORCH_FILES, ".onnx"):
            reachable.files.setdefault(Path(value).name, Path(value))
        return
    for part in _parts(value, kind):
        _collect(part, reachable, depth + 1)


def _parts(value: Any, kind: type) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, types.MethodType):
        return [value.__self__]
    if isinstance(value, types.FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
    package = kind.__module__.split(".")[0]
    if package in sys.stdlib_module_names or package in _LIBRARIES or isinstance(value, type):
        return []
    slots = [getattr(value, name, None) for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return [*slots, *getattr(value, "__dict__", {}).values()]


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _is_module(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def _is_torch(name: str) -> bool:
    return Path(name).suffix in _TORCH_FILES


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= int(size)
    return total
