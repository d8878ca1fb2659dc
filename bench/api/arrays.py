"""`bench.evaluate`: the figures of embeddings in memory, computed by the functions that compute those of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench import progress
from bench.api.tables import figures_table, html_lines, html_table, rows_table
from bench.errors import DataError, UsageError
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.open_set import missing_figures
from bench.evaluation.identification.search import identify, join_gallery
from bench.evaluation.verification.figures import figures_of as pair_figures_of
from bench.evaluation.verification.measure import missing_figures as missing_pair_figures
from bench.evaluation.verification.measure import score_pairs
from bench.execution.text import figure_rows
from bench.pipeline.templates import Templates, fuse
from bench.results import Figure, ProbeRow
from bench.results.kinds import IDENTIFICATION
from bench.types import OK, Media, Outcome, Role

if TYPE_CHECKING:
    import pandas as pd

MOST_PAIRS = 20_000_000
"""Pairs that are scored at most; so many take 2 GB of memory and 20 s."""
_NOT_FINITE = Outcome("failed", "embed", "embedding not finite")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of embeddings.

    Attributes:
        figures: by name, as in a run: ``rank-1``, ``map``, ``tpir@fpir=0.01``, ``tar@far=0.001``, ``auc``, ``eer``.
        rows: one a probe, in order; empty without a gallery.
        warnings: what must be shown beside the figures: failed rows, and figures that could not be computed.
    """

    figures: Mapping[str, Figure]
    rows: tuple[ProbeRow, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def figures_table(self) -> pd.DataFrame:
        """The figures as a table: value, interval and denominators, one row a figure."""
        return figures_table(self.figures)

    @property
    def probes(self) -> pd.DataFrame:
        """One row a probe: rank, ranks of all mates, best scores; keys are row numbers (``probe 0``, ``gallery 3``)."""
        return rows_table(self.rows)

    def _repr_html_(self) -> str:
        """The warnings and figures for a notebook."""
        rows, more = figure_rows(self.figures, IDENTIFICATION)
        return html_lines(self.warnings, "p") + html_table(rows) + html_lines(more)


def evaluate(
    embeddings: ArrayLike,
    labels: ArrayLike,
    *,
    gallery: ArrayLike | None = None,
    gallery_labels: ArrayLike | None = None,
    distractors: ArrayLike | None = None,
    ranks: Sequence[int] = (1, 5, 10, 20, 50),
    mean_average_precision: bool = True,
    false_positive_rates: Sequence[float] = (0.01, 0.1),
    false_accept_rates: Sequence[float] = (0.001, 0.01, 0.1),
    similarity: Literal["cosine", "euclidean"] = "cosine",
    unit_length: bool = True,
    seed: int | None = 0,
) -> Evaluation:
    """Compute the figures of embeddings in memory, with intervals over identities.

    With a gallery every embedding is a probe: it is searched in the gallery (rank-k, mAP by the trapezoid rule of
    TinyFace, ties against the system), and every probe is compared with every gallery row (AUC, EER, TAR at a FAR). If
    some probes have no mate in the gallery, TPIR at an FPIR is computed too (`open_set_figures`). Without a gallery all
    pairs of embeddings are compared.

    An embedding that is not finite, or of length 0 where ``unit_length``, is a failure: a failed probe is a miss, a
    failed gallery row or distractor is not searched, a pair with one is never accepted. Each stays in its denominator,
    and a warning counts them.

    Args:
        embeddings: float (N, D), computed with as float32.
        labels: (N,) integers or text, the identity of each row.
        gallery: float (G, D), one row a template; None for none.
        gallery_labels: (G,) like ``labels``, required with ``gallery``.
        distractors: float (M, D) of other people, added to the searched gallery but not to the pairs; None for none.
        ranks: the k of the rank-k rates.
        mean_average_precision: whether to compute ``map``.
        false_positive_rates: FPIR, each in (0, 1]; used where probes have no mate.
        false_accept_rates: FAR, each in (0, 1); empty compares no pairs.
        similarity: ``cosine`` (dot products) or ``euclidean`` (negative distance).
        unit_length: whether to scale embeddings to unit length first.
        seed: of the bootstrap; None computes no intervals.

    Returns:
        The figures, and with a gallery a row a probe.

    Raises:
        DataError: shapes or labels do not fit, or nothing could be scored.
        UsageError: a rate or another option is out of range, or there are too many pairs (`MOST_PAIRS`) and no gallery.
    """
    _check_options(ranks, false_positive_rates, false_accept_rates, similarity)
    if (gallery is None) != (gallery_labels is None) or (distractors is not None and gallery is None):
        raise UsageError("Give gallery and gallery_labels together; distractors need a gallery.")
    if gallery_labels is not None and _are_numbers(labels) != _are_numbers(gallery_labels):
        raise DataError("The labels of one side are integers, those of the other are text. Give both as one.")
    with progress.hidden():
        probes = _templates("probe", embeddings, labels, unit_length=unit_length)
        width = probes.vectors.shape[1]
        if gallery is None or gallery_labels is None:
            return _verify(probes, probes, false_accept_rates, similarity, seed)
        enrolled = _templates("gallery", gallery, gallery_labels, unit_length=unit_length, width=width)
        others = np.empty((0, width)) if distractors is None else distractors
        unknown = _templates("distractor", others, None, unit_length=unit_length, width=width)
        rows = identify(probes, join_gallery(enrolled, unknown), similarity=similarity, open_set=True)
        warnings = tuple(filter(None, map(_failures, ("probe", "gallery", "distractor"), (probes, enrolled, unknown))))
        if all(row.rank is None for row in rows):
            raise DataError(f"None of {len(rows)} probes has a mate in the gallery that could be scored.")
        is_open = not all(row.mates for row in rows)
        figures = figures_of(
            rows,
            ranks=ranks,
            mean_average_precision=mean_average_precision,
            false_positive_rates=false_positive_rates if is_open else (),
            seed=seed,
        )
        warnings += missing_figures(rows, false_positive_rates) if is_open else ()
        pairs = len(probes.keys) * len(enrolled.keys)
        if false_accept_rates and pairs > MOST_PAIRS:
            warnings += (f"AUC, EER and TAR are not given: {pairs:,} pairs are more than {MOST_PAIRS:,}.",)
        elif false_accept_rates:
            verified = _verify(probes, enrolled, false_accept_rates, similarity, seed, refuse=False)
            figures |= verified.figures
            warnings += verified.warnings
        return Evaluation(figures, tuple(rows), warnings)


def _verify(
    probes: Templates,
    enrolled: Templates,
    rates: Sequence[float],
    similarity: Literal["cosine", "euclidean"],
    seed: int | None,
    *,
    refuse: bool = True,
) -> Evaluation:
    """The figures of all pairs of one set of templates, or between two."""
    count, size = len(probes.keys), len(enrolled.keys)
    pairs = count * (count - 1) // 2 if probes is enrolled else count * size
    if pairs > MOST_PAIRS:
        raise UsageError(
            f"{count:,} embeddings give {pairs:,} pairs; at most {MOST_PAIRS:,} are compared. Take fewer rows, or give "
            "a gallery."
        )
    if probes is enrolled:
        first, second = np.triu_indices(count, 1)
    else:
        first, second = (places.ravel() for places in np.indices((size, count)))
    names = np.unique([*map(str, enrolled.identities), *map(str, probes.identities)], return_inverse=True)[1]
    person: NDArray[np.int32] = np.asarray(names, np.int32)
    same: NDArray[np.bool_] = np.equal(person[:size][first], person[size:][second])
    arrays: dict[str, Any] = {
        "scores": score_pairs(enrolled, probes, first, second, similarity),
        "same": same,
        "fold": np.full(pairs, -1, np.int16),
        "person": person[:size][first],
    }
    rules = {"false_positive_rates": list(rates), "far_rule": "exact", "thresholds": "exact", "similarity": similarity}
    warnings = missing_pair_figures(arrays, rules)
    if bool(same.all()) or not same.any():
        if refuse:
            kind = "different" if same.all() else "same"
            raise DataError(f"Of {pairs:,} pairs none is {kind}, so there is no figure.")
        return Evaluation({}, (), warnings)
    if np.isnan(arrays["scores"]).all():
        raise DataError(f"None of {pairs:,} pairs could be scored: every pair has a failed embedding.")
    return Evaluation(pair_figures_of(arrays, rules, seed=seed)[0], (), warnings)


def _templates(
    role: Role, embeddings: ArrayLike, labels: ArrayLike | None, *, unit_length: bool, width: int | None = None
) -> Templates:
    """One template a row; rows that are not finite failed."""
    vectors = np.asarray(embeddings)
    if vectors.ndim != 2 or vectors.shape[1] == 0 or vectors.dtype.kind not in "fiu":
        raise DataError(f"The {role} embeddings are {vectors.dtype} of shape {vectors.shape}; expected numbers (N, D).")
    if width is not None and vectors.shape[1] != width:
        raise DataError(f"The {role} embeddings have {vectors.shape[1]} numbers each, those of probes {width}.")
    if role != "distractor" and not len(vectors):
        raise DataError(f"There are no {role} embeddings.")
    with np.errstate(over="ignore"):
        rows = vectors.astype(np.float32)
    names: Sequence[str | None] = [None] * len(rows) if labels is None else _labels(role, labels, len(rows))
    keys = [f"{role} {index}" for index in range(len(rows))]
    media = [Media(key, Path(key), role, name, key) for key, name in zip(keys, names, strict=True)]
    outcomes = [OK if finite else _NOT_FINITE for finite in np.all(np.isfinite(rows), axis=1).tolist()]
    return fuse(media, rows, outcomes, unit_length=unit_length)


def _labels(role: str, labels: ArrayLike, count: int) -> list[str]:
    """Labels as text."""
    values = np.asarray(labels)
    if values.shape != (count,):
        raise DataError(f"The {role} labels have shape {values.shape}; expected ({count},), one a row.")
    texts = [str(value) for value in values.tolist() if isinstance(value, int | str)]
    if len(texts) < count or values.dtype.kind not in "iuUO" or "" in texts:
        raise DataError(f"The {role} labels are {values.dtype}; expected integers, or text that is not empty.")
    return texts


def _are_numbers(labels: ArrayLike) -> bool:
    return np.asarray(labels).dtype.kind in "iu"


def _failures(role: str, templates: Templates) -> str:
    """A sentence that counts the failed rows of a role; empty where there are none."""
    failed = sum(outcome.status == "failed" for outcome in templates.outcomes)
    effect = {"probe": "count as misses", "gallery": "are not searched", "distractor": "are not searched"}[role]
    return f"{failed:,} of {len(templates.keys):,} {role} rows failed and {effect}." if failed else ""


def _check_options(
    ranks: Sequence[int], false_positive_rates: Sequence[float], false_accept_rates: Sequence[float], similarity: str
) -> None:
    """Raise UsageError where an option is out of range."""
    faults = [f"rank {k}" for k in ranks if k < 1]
    faults += [f"false positive rate {rate:g}" for rate in false_positive_rates if not 0 < rate <= 1]
    faults += [f"false accept rate {rate:g}" for rate in false_accept_rates if not 0 < rate < 1]
    faults += [] if similarity in ("cosine", "euclidean") else [f"similarity {similarity!r}"]
    if faults:
        raise UsageError(f"Out of range: {', '.join(faults)}.")
