"""Paths that a user's list gives, located below the data root."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from bench.errors import UsageError
from bench.io.textfiles import quote
from protocols.base.root import demand_folder, escaped_name

OUTSIDE = "paths outside the data root"
OUTSIDE_ADVICE = "Put the files below the folder of the list, or give a folder above both as --data-root."


class Below:
    """Locates files below a root. Each folder is resolved once, since a list may have a hundred thousand files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._folders: dict[str, bool] = {}

    def locate(self, text: str) -> tuple[str, Path, bool] | None:
        r"""Locate a file.

        Args:
            text: a path relative to the root, or an absolute one inside it; ``/`` or ``\`` between folders.

        Returns:
            Its name (`escaped_name` of the path below the root), its path, and whether it exists; None where the path
            is empty or leads out of the root, also by a link.
        """
        if not text or "\0" in text:
            return None
        for spelling in dict.fromkeys((text, text.strip(), text.replace("\\", "/"))):
            for form in dict.fromkeys((spelling, *_forms(spelling))):
                path = os.path.normpath(os.path.join(self.root, form))
                if self._inside(path) and os.path.isfile(path):
                    return self._named(path, True)
        path = os.path.normpath(os.path.join(self.root, text.strip().replace("\\", "/")))
        return self._named(path, False) if self._inside(path) else None

    def _named(self, path: str, exists: bool) -> tuple[str, Path, bool]:
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        return escaped_name(relative), Path(path), exists

    def _inside(self, path: str) -> bool:
        """Whether a normalised path is below the root, its links resolved."""
        root = str(self.root)
        if path == root or not path.startswith(root.rstrip(os.sep) + os.sep):
            return False
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self._holds(os.path.realpath(folder))
        return self._folders[folder] and (not os.path.islink(path) or self._holds(os.path.realpath(path)))

    def _holds(self, real: str) -> bool:
        return real == self._real or real.startswith(self._real.rstrip(os.sep) + os.sep)


def demand_folder_of_list(root: Path, protocol: str, how_to_get: str) -> None:
    """Refuse a data root that is not a folder; of a list that is given itself, say how to name it.

    Raises:
        MissingError: it does not exist.
        UsageError: it is a file.
    """
    if root.is_file():
        raise UsageError(f"{root} is a file. Use --data-root {root.parent} and {protocol}:file={root.name}.")
    demand_folder(root, how_to_get)


def quoted(place: str, text: str) -> str:
    """A place and the text that stands there."""
    return f"{place}: {quote(text)}"


def _forms(text: str) -> tuple[str, ...]:
    """Other Unicode forms of a name: a list and a file system may write accents differently."""
    return () if text.isascii() else (unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
