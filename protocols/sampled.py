"""What every protocol of a database with a sample does alike: tell the sample, and draw it."""

from __future__ import annotations

from pathlib import Path

from bench.interfaces import EvalProtocol


class SampledProtocol(EvalProtocol):
    """A protocol whose ``dataset`` may have a writer in `protocols.sample.SAMPLES`."""

    def is_sample(self, root: Path) -> bool:
        """Whether the folder was written by `protocols.sample`, of whatever database."""
        from protocols.sample.marker import is_sample

        return is_sample(root)

    def sample_version(self) -> str:
        """Digest of the code and the face model that draw samples."""
        from protocols.sample.marker import version

        return version()

    def write_sample(self, out: Path) -> None:
        """Write the sample of the database with its usual number of drawn people.

        Raises:
            MissingError: the database has none.
        """
        from bench import progress
        from protocols.sample import SAMPLES, write_sample

        if self.dataset not in SAMPLES:
            super().write_sample(out)
        write_sample(self.dataset, out, progress=progress.stage)
