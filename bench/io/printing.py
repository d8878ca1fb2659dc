"""Text from files, made safe to print: no character controls the terminal or reorders a line."""

from __future__ import annotations

import codecs
import json
import unicodedata

ESCAPED = "bench.escaped"
"""Error handler for writing text: characters that the encoding lacks, and bytes of file names that are not UTF-8,
become JSON escapes (``\\udcff``)."""
_CODES = ("Cc", "Cs", "Zl", "Zp", "Cf")
_JOINERS = "\u00ad\u200c\u200d"
"""Formatting characters that some scripts and emoji need; they do not reorder text."""


def printable(text: object, *, lines: bool = False) -> str:
    r"""Text with control characters, direction marks and lone surrogates shown by their code points.

    ``printable("a\u202eb")`` is ``a‹U+202E›b``: such a character could otherwise erase, reorder or break the text
    around it. A byte of a file name that is not UTF-8 is shown as ``‹U+DCFF›``.

    Args:
        text: any object; its ``str`` is used.
        lines: whether line breaks are kept, for a text of several lines from this suite.
    """
    plain = str(text)
    if plain.isascii() and plain.isprintable():
        return plain
    return "".join(c if (lines and c == "\n") or not _is_control(c) else f"‹U+{ord(c):04X}›" for c in plain)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in _CODES and character not in _JOINERS


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(ESCAPED, _escape)
