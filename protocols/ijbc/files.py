"""The image files of IJB-C, looked up in listings of folders without opening them."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from bench.errors import DataError
from bench.io.image_formats import IMAGE_ENDINGS
from protocols.base.root import inside_of


class Files:
    """Resolves listed names below a folder; each folder is read once.

    Attributes:
        base: folder that names are relative to.
        absent: names without a file, in the order of `find`.
        renamed: names whose file has another ending.
    """

    def __init__(self, root: Path, base: Path) -> None:
        """Resolve names below ``base``; links must not leave ``root``."""
        self.absent: list[str] = []
        self.renamed: list[str] = []
        self.base = base
        self._root = root
        self._folders: dict[str, dict[str, bool]] = {}  # by folder: file name, and whether it is a link
        self._stems: dict[str, dict[str, list[str]]] = {}
        self._files: dict[str, Path] = {}

    def find(self, name: str) -> Path:
        """The file of a listed name, else the one of the same stem with another image ending.

        Args:
            name: path below the base, with ``/`` between folders, already validated.

        Returns:
            The file; for an absent one the path it should have, which becomes a counted failure.

        Raises:
            DataError: the file or its folder is a link out of the root, or several files have its stem.
        """
        known = self._files.get(name)
        if known is None:
            known = self._files[name] = self._resolve(name)
        return known

    def _resolve(self, name: str) -> Path:
        folder, _, file = name.rpartition("/")
        here = self._listing(folder)
        if file not in here:
            others = self._by_stem(folder).get(PurePosixPath(file).stem, [])
            if len(others) > 1:
                raise DataError(f"{name} does not exist, and {' and '.join(sorted(others))} could be meant; keep one.")
            if not others:
                self.absent.append(name)
                return self.base / name
            self.renamed.append(name)
            file = others[0]
        path = self.base / folder / file if folder else self.base / file
        if here[file] and not inside_of(self._root, path):
            raise DataError(f"{path} is a link out of {self._root}; refused.")
        return path

    def _listing(self, folder: str) -> dict[str, bool]:
        if folder not in self._folders:
            place = self.base / folder if folder else self.base
            if not inside_of(self._root, place):
                raise DataError(f"{place} is a link out of {self._root}; refused. Put the folder itself there.")
            try:
                with os.scandir(place) as entries:
                    self._folders[folder] = {entry.name: entry.is_symlink() for entry in entries}
            except (FileNotFoundError, NotADirectoryError):
                self._folders[folder] = {}
            except OSError as error:
                raise DataError(f"{place} cannot be read ({error.strerror}).") from None
        return self._folders[folder]

    def _by_stem(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._stems:
            stems = self._stems[folder] = {}
            for name in self._listing(folder):
                if name.lower().endswith(IMAGE_ENDINGS):
                    stems.setdefault(PurePosixPath(name).stem, []).append(name)
        return self._stems[folder]
