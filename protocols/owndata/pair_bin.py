"""Pairs in the ``.bin`` files of insightface (``lfw.bin``, ``cfp_fp.bin``...): read without unpickling.

Such a file is a pickle of (list of encoded images, list of bool); images 2i and 2i + 1 are pair i. A pickle can name
any function of any module, so it is never loaded: its opcodes are parsed, and only those that build lists, bytes and
bools are carried out.

Source: insightface, ``recognition/arcface_mxnet/verification.py`` (load_bin) and ``src/data/lfw2pack.py``.
"""

from __future__ import annotations

import hashlib
import io
import pickletools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.io.atomic import explain_os_errors, replace_folder
from bench.io.filekinds import read_plain
from bench.io.strictfiles import shorten

LARGEST = 1 << 31
"""Bytes of a file."""
MOST_IMAGES = 2_000_000
_LARGEST_IMAGE = 1 << 26
_MARK = object()
_BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINSTRING", "SHORT_BINSTRING")
_IGNORED = ("PROTO", "FRAME")
_TRUE, _FALSE = "NEWTRUE", "NEWFALSE"
_ENDINGS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG": ".png", b"RIFF": ".webp", b"BM": ".bmp"}


def read_bin(path: Path) -> tuple[list[bytes], list[bool]]:
    """The images and labels of a ``.bin`` file.

    Args:
        path: the file; at most `LARGEST` bytes, all of which are held in memory.

    Returns:
        2N encoded images, and for each of N pairs whether it shows one person.

    Raises:
        DataError: it is no such file, is truncated, holds other objects than bytes and bools, or numbers that do not
            fit.
    """
    try:
        data = read_plain(path, LARGEST)
    except DataError as error:
        raise DataError(f"{path} cannot be read: {error}.") from None
    try:
        content = _evaluate(path, data)
    except (AttributeError, IndexError, KeyError, MemoryError, OverflowError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no complete .bin file of pairs ({shorten(str(error), 120)}). Copy it again."
        ) from None
    if not (isinstance(content, tuple) and len(content) == 2 and all(isinstance(part, list) for part in content)):
        raise DataError(f"{path} holds no two lists; a .bin file of pairs holds images and labels.")
    images, labels = content
    if not all(isinstance(image, bytes) for image in images) or not all(isinstance(label, bool) for label in labels):
        raise DataError(f"{path} holds other values than encoded images and labels true or false.")
    if not labels or len(images) != 2 * len(labels):
        raise DataError(f"{path} holds {len(images):,} images and {len(labels):,} labels; expected two images a label.")
    total = sum(map(len, images))
    if total > LARGEST:  # a small file may name one image many times
        raise DataError(f"{path} holds {total:,} bytes of images; {LARGEST:,} are the limit. Split it.")
    return images, labels


def extract(path: Path, scratch: Path) -> tuple[list[Path], list[bool]]:
    """Write the images of a ``.bin`` file to a folder named by its digest, once.

    Args:
        path: the file.
        scratch: cache folder.

    Returns:
        The 2N files in order, and the N labels.

    Raises:
        DataError: as `read_bin`, or the images cannot be written.
    """
    images, labels = read_bin(path)
    digest = hashlib.sha256()
    for image in images:
        digest.update(len(image).to_bytes(8, "little") + image)
    folder = scratch / f"bin-{digest.hexdigest()[:24]}"
    names = [f"{number:07d}{_ending(image)}" for number, image in enumerate(images)]
    if not folder.is_dir():
        with explain_os_errors(f"Cannot write the images of {path} to {folder}", "", DataError):
            scratch.mkdir(parents=True, exist_ok=True)
            with replace_folder(folder, sync=False) as new:
                for name, image in zip(names, images, strict=True):
                    (new / name).write_bytes(image)
    return [folder / name for name in names], labels


def _ending(image: bytes) -> str:
    return next((ending for start, ending in _ENDINGS.items() if image.startswith(start)), ".jpg")


def _evaluate(path: Path, data: bytes) -> Any:
    """Carry out the opcodes of a pickle that build lists, tuples, bytes and bools."""
    machine = _Machine()
    for opcode, argument, _ in _opcodes(data):
        if opcode in _IGNORED:
            continue
        if opcode == "STOP":
            (result,) = machine.stack
            return result
        if opcode in _BYTES:
            machine.push(argument if isinstance(argument, bytes) else argument.encode("latin-1"))
        elif opcode in (_TRUE, _FALSE):
            machine.push(opcode == _TRUE)
        elif opcode == "INT" and isinstance(argument, bool):  # the labels of protocol 0 and 1
            machine.push(argument)
        elif opcode in machine.actions:
            machine.actions[opcode](argument)
        else:
            what = f"{opcode} {shorten(str(argument), 60)}" if argument is not None else opcode
            raise DataError(
                f"{path} holds Python objects other than images and labels ({what}), which are never loaded. Only "
                "files with encoded images as bytes are read."
            )
    raise ValueError("it has no end")


def _opcodes(data: bytes) -> Iterator[tuple[str, Any, int | None]]:
    for opcode, argument, position in pickletools.genops(io.BytesIO(data)):
        yield opcode.name, argument, position


class _Machine:
    """The stack and the memo of a pickle whose only containers are lists and tuples of at most two levels."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.actions: dict[str, Callable[[Any], None]] = {
            "MARK": lambda _: self.push(_MARK),
            "EMPTY_LIST": lambda _: self.push([]),
            "EMPTY_TUPLE": lambda _: self.push(()),
            "LIST": lambda _: self.push(self._marked()),
            "TUPLE": lambda _: self.push(tuple(self._marked())),
            "TUPLE2": lambda _: self.push((self.stack.pop(-2), self.stack.pop())),
            "APPEND": lambda _: self._extend([self.stack.pop()]),
            "APPENDS": lambda _: self._extend(self._marked()),
            "MEMOIZE": lambda _: self._store(len(self._memo)),
            **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), self._store),
            **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda place: self.push(self._memo[place])),
        }

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        if isinstance(value, bytes) and len(value) > _LARGEST_IMAGE:
            raise ValueError("an image is larger than 64 MB")
        if len(self.stack) > MOST_IMAGES:
            raise ValueError("it has too many values")
        self.stack.append(value)

    def _store(self, place: int) -> None:
        self._memo[place] = self.stack[-1]

    def _marked(self) -> list[Any]:
        """The values since the last mark, which are taken off the stack with it."""
        place = next(i for i in range(len(self.stack) - 1, -2, -1) if i < 0 or self.stack[i] is _MARK)
        if place < 0:
            raise ValueError("a mark is missing")
        values = self.stack[place + 1 :]
        del self.stack[place:]
        return values

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list) or any(isinstance(value, list | tuple) for value in values):
            raise ValueError("a list holds lists")
        if len(target) + len(values) > MOST_IMAGES:
            raise ValueError("it has too many values")
        target.extend(values)
