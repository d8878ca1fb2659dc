"""Base classes of protocols: the sample of a database, and a cache folder for what reading computes."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from bench.config import RunConfig, cache_folder
from bench.interfaces import EvalProtocol, Progress
from bench.studies import Study

if TYPE_CHECKING:
    from protocols.sample.summary import Sample


class SampledProtocol(EvalProtocol):
    """A protocol whose database may have a sample."""

    @classmethod
    def sample_writer(cls) -> Sample | None:
        """The writer of the database's sample; None where it has none."""
        return None

    def is_sample(self, root: Path) -> bool:
        """Whether the folder was written by `protocols.sample`, for any database."""
        from protocols.sample.marker import is_sample

        return is_sample(root)

    def sample_version(self) -> str:
        """Digest of the code and the face model that draw the sample of the database."""
        from protocols.sample.marker import version

        sample = self.sample_writer()
        return super().sample_version() if sample is None else version(sample)

    def write_sample(self, out: Path) -> None:
        """Write the sample of the database with its default number of drawn people.

        Raises:
            MissingError: the database has none.
        """
        from bench import progress
        from protocols.sample import draw_sample

        sample = self.sample_writer()
        if sample is None:
            super().write_sample(out)
        else:
            draw_sample(sample, out, progress=progress.stage)


class ScratchProtocol(SampledProtocol):
    """A protocol that has to detect or render faces before it can list its media."""

    def read(self, root: Path) -> Study:
        """Like `read_with`, with a folder in the user's cache."""
        scratch = cache_folder(RunConfig(protocol=self.dataset)) / "derived" / self.dataset
        return self.read_with(root, scratch)

    @abstractmethod
    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Study:
        """See `EvalProtocol.read_with`."""
