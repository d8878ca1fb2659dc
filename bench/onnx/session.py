"""Sessions of ONNX Runtime: nothing is printed, and errors keep their full cause."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import DataError, UsageError, one_line

_FATAL = 4  # less severe faults are raised too, so they need not be printed


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
        DataError: ONNX Runtime cannot open the file.
        UsageError: ONNX Runtime has no such device.
    """
    import onnxruntime

    providers = _providers(device)
    onnxruntime.set_default_logger_severity(_FATAL)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # waiting threads sleep: spinning gains little and halves the speed if other processes compute too
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=providers
        )
    except Exception as error:  # noqa: BLE001  # onnxruntime raises many classes
        raise DataError(f"onnxruntime cannot open the weights {path}: {one_line(error)}") from None
    first = providers[0] if isinstance(providers[0], str) else providers[0][0]
    if session.get_providers()[0] != first:
        raise UsageError(f"onnxruntime cannot use {first} for {path.name} here; use device=cpu.")
    return session


def run_session(session: Any, outputs: Sequence[str], inputs: dict[str, Any]) -> list[Any]:
    """Run a network once; exceptions of ONNX Runtime are raised and not printed."""
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

    available = onnxruntime.get_available_providers()
    if kind != "cuda" or "CUDAExecutionProvider" not in available or not (number or "0").isdecimal():
        raise UsageError(
            f"device={device} is not available; onnxruntime has {', '.join(available)} here. Use device=cpu, or "
            "install onnxruntime-gpu for cuda."
        )
    return [("CUDAExecutionProvider", {"device_id": int(number or 0)})]
