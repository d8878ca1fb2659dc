"""Opening networks in ONNX files with ONNX Runtime: nothing is printed, and its errors keep their whole cause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import DataError, UsageError, one_line

_FATAL = 4  # ONNX Runtime raises what it logs below that, so a run that works prints nothing


def open_session(model: bytes | Path, *, path: Path, threads: int = 0, device: str = "cpu") -> Any:
    """Open a network.

    Args:
        model: the serialised model, or the file itself.
        path: the file, for the error.
        threads: processor threads; 0 means all.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        DataError: ONNX Runtime does not take the file.
        UsageError: ONNX Runtime has no such device.
    """
    import onnxruntime

    wanted = _providers(device)
    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # waiting threads sleep: spinning gains little here and halves the speed where other processes compute too
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=wanted
        )
    except Exception as error:  # noqa: BLE001  # onnxruntime raises a class of its own for each kind of fault
        raise DataError(f"onnxruntime does not take the weights {path}: {one_line(error)}") from None
    first = wanted[0] if isinstance(wanted[0], str) else wanted[0][0]
    if session.get_providers()[0] != first:
        raise UsageError(f"onnxruntime cannot use {first} for {path.name} here; take device=cpu.")
    return session


def run_session(session: Any, outputs: Sequence[str], inputs: dict[str, Any]) -> list[Any]:
    """Run a network once; what ONNX Runtime raises passes, and is not printed as well."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL
    results: list[Any] = session.run(list(outputs), inputs, options)
    return results


def check_providers(device: str) -> None:
    """Raise UsageError where ONNX Runtime has no such device here; nothing is opened."""
    _providers(device)


def _providers(device: str) -> list[Any]:
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return ["CPUExecutionProvider"]
    import onnxruntime

    here = onnxruntime.get_available_providers()
    if kind != "cuda" or "CUDAExecutionProvider" not in here or not (number or "0").isdecimal():
        raise UsageError(
            f"device={device} was asked for; onnxruntime has {', '.join(here)} here. Take device=cpu, or install "
            "onnxruntime-gpu for cuda."
        )
    return [("CUDAExecutionProvider", {"device_id": int(number or 0)})]
