"""`bench.compare`: two finished runs, compared by the code of ``bench compare``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bench.api.runs import Run
from bench.api.tables import html_lines
from bench.errors import DataError
from bench.results import RunRecord
from reports.comparison.compare import RunComparison, compare_runs
from reports.comparison.text import to_lines, to_object


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one protocol on the same data.

    Attributes:
        result: the comparison with both runs.
    """

    result: RunComparison = field(repr=False)

    @property
    def figures(self) -> pd.DataFrame:
        """One row a figure, indexed by its name.

        Columns: ``first`` and ``second`` (values), ``difference`` (second - first over the rows that both have, in the
        unit of the figure, so fractions are not in percentage points), ``low`` and ``high`` (95 % interval of the
        difference), ``p_identity`` (sign-flip test over identities), ``p_mcnemar``, ``paired`` and ``unshared``
        (numbers of rows), ``unit``, ``interval`` (how it was computed). Not computed is NaN.
        """
        rows = []
        for figure in self.to_dict()["figures"]:
            sides = {side: figure[side]["value"] if figure[side] else None for side in ("first", "second")}
            rows.append({**figure, **sides})
        columns = ["first", "second", "difference", "low", "high", "p_identity", "p_mcnemar", "paired", "unshared"]
        table = pd.DataFrame(rows, columns=["figure", *columns, "unit", "interval"]).set_index("figure")
        return table.astype(dict.fromkeys(columns[:7], "float64"))

    @property
    def differs(self) -> pd.DataFrame:
        """What differs in configuration, versions, code and machine: ``what``, ``first``, ``second``."""
        return pd.DataFrame(self.to_dict()["differs"], columns=["what", "first", "second"])

    def to_dict(self) -> dict[str, Any]:
        """The content of ``bench compare --json``."""
        return dict(to_object(self.result, ()))

    def __str__(self) -> str:
        return "\n".join(to_lines(self.result, ()))

    def _repr_html_(self) -> str:
        """The text of ``bench compare`` for a notebook."""
        return html_lines([str(self)], "pre")


def compare(first: Run | str | Path, second: Run | str | Path) -> Comparison:
    """Compare two finished runs of one protocol on the same data.

    Args:
        first: the reference: a run or its folder.
        second: the run that is compared with it.

    Raises:
        UsageError: they are one run, or were not measured in the same way; all that forbids the comparison is named.
        MissingError: a run folder does not exist.
        DataError: one is damaged, or is not the run that was given any more.
    """
    result = compare_runs(_folder(first), _folder(second))
    for given, compared in ((first, result.first), (second, result.second)):
        if isinstance(given, Run) and _key(given.record) != _key(compared.record):
            raise DataError(
                f"{given.folder} holds another run than the one that was given: it was made again at "
                f"{compared.record.created}. Read it with Run.read."
            )
    return Comparison(result)


def _key(record: RunRecord) -> tuple[str, str]:
    return record.created, record.config_digest


def _folder(run: Run | str | Path) -> Path:
    return run.folder if isinstance(run, Run) else Path(run)
