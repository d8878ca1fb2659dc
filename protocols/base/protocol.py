"""What protocols do alike: tell and draw the sample of a database; keep what reading finds or makes."""

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
        """Whether the folder was written by `protocols.sample`, of whatever database."""
        from protocols.sample.marker import is_sample

        return is_sample(root)

    def sample_version(self) -> str:
        """Digest of the code and the face model that draw the sample of the database."""
        from protocols.sample.marker import version

        sample = self.sample_writer()
        return super().sample_version() if sample is None else version(sample)

    def write_sample(self, out: Path) -> None:
        """Write the sample of the database with its usual number of drawn people.

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
    """One that cannot be read without finding or making something, which it keeps."""

    def read(self, root: Path) -> Study:
        """Like `read_with`; what is found or made is kept in the user's cache folder."""
        scratch = cache_folder(RunConfig(protocol=self.dataset)) / "derived" / self.dataset
        return self.read_with(root, scratch)

    @abstractmethod
    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> Study:
        """See `EvalProtocol.read_with`."""
