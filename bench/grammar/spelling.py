"""British spelling of words that users write in either spelling."""

from __future__ import annotations

_AMERICAN = (("ize", "ise"), ("color", "colour"), ("gray", "grey"))


def british(word: str) -> str:
    """A word in lower case, with hyphens, in British spelling: ``Recognizers`` is ``recognisers``."""
    word = word.lower().replace("_", "-")
    for american, native in _AMERICAN:
        word = word.replace(american, native)
    return word
