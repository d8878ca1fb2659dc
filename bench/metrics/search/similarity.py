"""Scores of pairs that do not depend on batching, and the error bound of a fast matrix product."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError

Similarity = Literal["cosine", "euclidean"]

FloatArray = NDArray[np.floating]
_CHUNK_NUMBERS = 1 << 18  # float64 numbers at a time: 2 MiB, fits a core's cache
_LARGEST_PRODUCT = 1e37  # float32 ends at 3.4e38
_UNIT64 = 2.0**-53


def check_similarity(similarity: str) -> None:
    """Raise UsageError unless ``similarity`` is one of the known names."""
    if similarity not in get_args(Similarity):
        raise UsageError(f"Unknown similarity {similarity!r}; choose one of: {', '.join(get_args(Similarity))}.")


def check_embeddings(name: str, embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Check embeddings and return their Euclidean norms, (N,) float64.

    Args:
        name: of the embeddings, for the error.
        embeddings: (N, D) float32, N and D at least 1, finite.

    Raises:
        DataError: another dtype or shape, no rows, or a row that is not finite.
    """
    if embeddings.ndim != 2 or embeddings.dtype != np.float32 or 0 in embeddings.shape:
        raise DataError(
            f"The {name} embeddings are {embeddings.dtype} of shape {embeddings.shape}; "
            "expected float32 (N, D), neither of them 0."
        )
    step = max(1, _CHUNK_NUMBERS // embeddings.shape[1])
    norms = np.empty(len(embeddings), dtype=np.float64)
    for start in range(0, len(embeddings), step):
        rows = embeddings[start : start + step].astype(np.float64)
        norms[start : start + step] = np.sqrt(np.vecdot(rows, rows))
    finite = np.isfinite(norms)
    if not finite.all():
        raise DataError(
            f"{int((~finite).sum())} of {len(norms)} {name} embeddings are not finite (first: row "
            f"{int(finite.argmin())}); record them as failed and exclude them before ranking."
        )
    return norms


def check_range(probe_norms: NDArray[np.float64], gallery_norms: NDArray[np.float64]) -> None:
    """Raise DataError where products of the embeddings could overflow float32."""
    longest = max(float(probe_norms.max()), float(gallery_norms.max()))
    if longest**2 > _LARGEST_PRODUCT:
        raise DataError(
            f"An embedding has norm {longest:.3g}: products overflow float32. Normalise the embeddings first."
        )


def exact_scores(
    probes: NDArray[np.float32],
    gallery: NDArray[np.float32],
    probe_rows: NDArray[np.int64],
    gallery_rows: NDArray[np.int64],
    similarity: Similarity,
) -> NDArray[np.float64]:
    """Score pairs of rows in float64, each pair by itself.

    The value depends on the two rows only, never on the other pairs of the call: identical gallery rows tie exactly.
    ``cosine`` is the dot product of the given rows (normalise before), ``euclidean`` the negative Euclidean distance.

    Args:
        probes: (P, D) float32.
        gallery: (G, D) float32.
        probe_rows: (N,) int64, a row of ``probes`` for each pair.
        gallery_rows: (N,) int64, a row of ``gallery`` for each pair.
        similarity: ``cosine`` or ``euclidean``.

    Returns:
        (N,) float64, higher is more similar.
    """
    scores = np.empty(len(probe_rows), dtype=np.float64)
    step = max(1, _CHUNK_NUMBERS // probes.shape[1])
    for start in range(0, len(scores), step):
        chosen = slice(start, start + step)
        left = probes[probe_rows[chosen]].astype(np.float64)
        right = gallery[gallery_rows[chosen]].astype(np.float64)
        if similarity == "cosine":
            scores[chosen] = np.vecdot(left, right)
        else:
            left -= right
            scores[chosen] = -np.sqrt(np.vecdot(left, left))
    return scores


def error_bound(
    dtype: np.dtype[np.floating],
    dimension: int,
    probe_norms: NDArray[np.float64],
    gallery_norm: float,
    similarity: Similarity,
) -> NDArray[np.float64]:
    """Bound the difference between a blocked score and the exact one.

    A blocked score is ``p.g`` (cosine) or ``p.g - |g|^2 / 2`` (euclidean: the same order within a probe) from a
    matrix product in ``dtype``. The bound holds for any order of summation, with or without fused products.

    Args:
        dtype: dtype of the matrix product.
        dimension: D.
        probe_norms: (P,) float64.
        gallery_norm: the largest norm among the gallery rows concerned.
        similarity: ``cosine`` or ``euclidean``.

    Returns:
        (P,) float64, positive.

    Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, eq. 3.5, with Cauchy-Schwarz for |p|.|g|.
    """
    info = np.finfo(dtype)
    unit = float(info.eps) / 2
    product = probe_norms * gallery_norm
    bound = (dimension + 10) * unit * product + dimension * float(info.tiny)  # tiny: products may underflow
    if similarity == "euclidean":
        bound += 2 * unit * gallery_norm**2
    return np.asarray(bound + 4 * (dimension + 10) * _UNIT64 * (probe_norms + gallery_norm) ** 2)


def duplicate_groups(gallery: NDArray[np.float32]) -> NDArray[np.int64]:
    """Give each row a representative: the first gallery row with the same bytes (up to hash collisions).

    A collision leaves a row as its own representative, so equal representatives always mean equal rows.

    Args:
        gallery: (G, D) float32, C-contiguous.

    Returns:
        (G,) int64 row numbers.
    """
    words = gallery.view(np.uint32)
    weights = np.random.default_rng(0).integers(1, 2**63, size=words.shape[1], dtype=np.uint64) | np.uint64(1)
    step = max(1, _CHUNK_NUMBERS // words.shape[1])
    hashes = np.empty(len(words), dtype=np.uint64)
    for start in range(0, len(words), step):
        hashes[start : start + step] = words[start : start + step].astype(np.uint64) @ weights  # modulo 2**64
    _, firsts, groups = np.unique(hashes, return_index=True, return_inverse=True)
    representatives = firsts[groups].astype(np.int64)
    for start in range(0, len(words), step):
        chosen = slice(start, start + step)
        differs = (words[chosen] != words[representatives[chosen]]).any(axis=1)
        representatives[chosen][differs] = np.flatnonzero(differs) + start
    return representatives
