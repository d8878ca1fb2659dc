"""How many learned numbers a hallucinator has: of its torch modules, its ONNX files, or else its weight files.

Torch modules are those that compute in a pass and those within reach of the hallucinator's attributes. What cannot be
known is None with the reason, never 0.
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
_OTHERS_CODE = ("torch", "numpy", "onnx", "onnxruntime", "PIL", "cv2")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was counted.

    Attributes:
        count: all of them; None where they cannot be known.
        used: those of modules that computed in the pass; None where that cannot be told.
        how: what was counted, or why there is no count.
        left_out: names of weight files that no count covers.
    """

    count: int | None
    used: int | None
    how: str
    left_out: tuple[str, ...] = ()


@dataclass
class _Found:
    """What lies within reach of a component."""

    modules: dict[int, Any] = field(default_factory=dict)
    sessions: dict[int, Any] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)


@contextmanager
def computing() -> Iterator[dict[int, Any]]:
    """Collect the torch modules whose ``forward`` runs inside the block, by their id; none where torch is not loaded.

    Modules that a pass builds are seen too, so torch must be loaded before where it may be needed.
    """
    called: dict[int, Any] = {}
    if "torch" not in sys.modules:
        yield called
        return
    from torch.nn.modules.module import register_module_forward_hook

    def note(module: Any, *_: object) -> None:
        called[id(module)] = module

    handle = register_module_forward_hook(note)
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
        The sum over steps, each module, session and file counted once; unknown as soon as one step is.
    """
    total = 0
    hows: list[str] = []
    left_out: list[str] = []
    unknown: list[str] = []
    counted: set[object] = set()
    learned = [step for step in steps if step.spec.name not in INTERPOLATING]
    for step in steps:
        if step.spec.name in INTERPOLATING:
            hows.append(f"{step.spec}: interpolation, nothing is learned")
            continue
        found = _Found()
        _look(step.component, found, 0)
        if len(learned) == 1:  # what computed out of reach can be nobody else's
            found.modules |= called
        number, how, rest = _of_step(step, found, counted)
        left_out += rest
        (unknown if number is None else hows).append(f"{step.spec}: {how}")
        total += number or 0
    if unknown:
        return Parameters(None, None, "; ".join(unknown), tuple(left_out))
    return Parameters(total, _used(called) if called else None, "; ".join(hows), tuple(left_out))


def onnx_numbers(model: Path | bytes) -> int:
    """Elements of an ONNX model's initialisers, shapes and flags (64-bit integers, booleans) left out."""
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


def _of_step(step: Built[Hallucinator], found: _Found, counted: set[object]) -> tuple[int | None, str, list[str]]:
    """Count one step: the number or None, how or why not, and weight files that it does not cover."""
    total, hows, covered = 0, [], set()
    if found.modules:
        fresh = {id(p): p for m in found.modules.values() for p in m.parameters() if id(p) not in counted}
        counted.update(fresh)
        total += sum(parameter.numel() for parameter in fresh.values())
        hows.append("parameters of torch modules")
        covered |= {weights.name for weights in step.component.weights if _is_torch(weights.name)}
    try:
        for session in found.sessions.values():
            path = Path(session._model_path) if getattr(session, "_model_path", None) else None
            model = path or getattr(session, "_model_bytes", None)
            if model is not None and (path or id(session)) not in counted:
                counted.add(path or id(session))
                total += onnx_numbers(model)
                hows.append("initialisers of ONNX sessions")
                covered |= {path.name} if path else {w.name for w in step.component.weights if w.name.endswith(".onnx")}
        for weights in step.component.weights:
            at = found.files.get(weights.name)
            if weights.name in covered or at is None or not (_is_torch(at.name) or at.suffix == ".onnx"):
                continue
            covered.add(weights.name)
            hows.append(f"tensors of {weights.name}")
            if at not in counted:
                counted.add(at)
                total += onnx_numbers(at) if at.suffix == ".onnx" else file_numbers(at)
    except (BenchError, OSError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}", []
    except Exception as error:  # noqa: BLE001  # protobuf's own errors for a damaged file
        return None, f"no ONNX file that can be read ({type(error).__name__})", []
    rest = [weights.name for weights in step.component.weights if weights.name not in covered]
    if not hows:
        return None, "no torch module, ONNX session or readable weight file is within its reach", rest
    return total, ", ".join(dict.fromkeys(hows)), rest


def _used(called: Mapping[int, Any]) -> int:
    """Parameters of modules that ran; of one that ran no part of itself as a module, all it has."""
    found: dict[int, Any] = {}
    for module in called.values():
        parts = list(module.modules())[1:]
        whole = not any(id(part) in called for part in parts)
        found |= {id(parameter): parameter for parameter in module.parameters(recurse=whole)}
    return sum(parameter.numel() for parameter in found.values())


def _look(thing: Any, found: _Found, depth: int) -> None:
    """Collect modules, sessions and files within reach of a thing; what other people's libraries hold is not opened."""
    if depth > _DEEPEST or id(thing) in found.seen or len(found.seen) > _MOST_OBJECTS:
        return
    found.seen.add(id(thing))
    if _is_module(thing):
        found.modules[id(thing)] = thing
        return
    kind = type(thing)
    if kind.__name__ == "InferenceSession" and kind.__module__.split(".")[0] == "onnxruntime":
        found.sessions[id(thing)] = thing
        return
    if isinstance(thing, (Path, str)):
        if len(str(thing)) < 4096 and Path(thing).suffix in (*_TORCH_FILES, ".onnx"):
            found.files.setdefault(Path(thing).name, Path(thing))
        return
    for part in _parts(thing, kind):
        _look(part, found, depth + 1)


def _parts(thing: Any, kind: type) -> list[Any]:
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.MethodType):
        return [thing.__self__]
    if isinstance(thing, types.FunctionType):
        return [cell.cell_contents for cell in thing.__closure__ or () if _is_filled(cell)]
    package = kind.__module__.split(".")[0]
    if package in sys.stdlib_module_names or package in _OTHERS_CODE or isinstance(thing, type):
        return []
    slots = [getattr(thing, name, None) for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return [*slots, *getattr(thing, "__dict__", {}).values()]


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _is_module(thing: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.nn.Module)


def _is_torch(name: str) -> bool:
    return Path(name).suffix in _TORCH_FILES


def _product(sizes: Sequence[int]) -> int:
    total = 1
    for size in sizes:
        total *= int(size)
    return total
