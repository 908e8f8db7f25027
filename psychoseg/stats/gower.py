"""Gower's distance: people compared on numeric, ordinal and categorical columns at once.

Owns the distances; never reduces or clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import FloatArray

__all__ = ["ColumnKind", "gower_blocks", "gower_distances"]

ColumnKind = Literal["numeric", "ordinal", "nominal", "asymmetric"]

#: Distances that are held at once where the caller takes them block by block (64 MB each of three
#: arrays).
_BLOCK_CELLS = 8_000_000


def gower_distances(
    x: FloatArray, kinds: Sequence[ColumnKind], *, column_weights: FloatArray | None = None
) -> FloatArray:
    """Compute the distances of all rows, shape (n, n); 8 n^2 bytes.

    Parameters
    ----------
    x, kinds, column_weights
        As in :func:`gower_blocks`.

    Returns
    -------
    ndarray, shape (n, n)
        0 to 1; NaN for two rows that no column compares.

    Raises
    ------
    ValueError
        As in :func:`gower_blocks`.
    """
    out = np.empty((len(x), len(x)))
    for rows, block in gower_blocks(x, kinds, column_weights=column_weights):
        out[rows] = block
    return out


def gower_blocks(
    x: FloatArray,
    kinds: Sequence[ColumnKind],
    *,
    column_weights: FloatArray | None = None,
    block_rows: int | None = None,
) -> Iterator[tuple[slice, FloatArray]]:
    """Yield the distances of some rows to all rows, block after block.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        NaN where missing. Categories as codes, an ordinal column's in its order.
    kinds : sequence of {"numeric", "ordinal", "nominal", "asymmetric"}
        Of each column. An asymmetric one is 0 or 1, and two zeros are no likeness: the pair is not
        compared on it.
    column_weights : ndarray, shape (d,), optional
        At least 0; ones where absent. Their scale does not matter.
    block_rows : int, optional
        Rows a block; as many as fit into some 64 MB where absent.

    Yields
    ------
    rows : slice
    block : ndarray, shape (rows, n)
        0 to 1; NaN for two rows that no column compares.

    Raises
    ------
    ValueError
        Where kinds or weights do not match the columns, a value is infinite, or an asymmetric
        column holds something else than 0 and 1.

    Notes
    -----
    The weighted mean over the columns that both rows have: of ``|a - b|`` over the column's range
    (numeric, and ordinal codes), of whether the categories differ (nominal, asymmetric). That is
    ``cluster::daisy(metric = "gower")``. A constant column counts as no difference, as there. The
    range is that of all rows, so one outlier shrinks a column: case weights do not enter.

    References
    ----------
    Gower (1971), Biometrics 27, 857-871. Kaufman & Rousseeuw (1990), Finding Groups in Data, ch. 1.
    """
    weights = _check(x, kinds, column_weights)
    scaled = x.copy()
    for j, kind in enumerate(kinds):
        there = x[~np.isnan(x[:, j]), j]
        if kind in ("numeric", "ordinal") and there.size:
            spread = there.max() - there.min()
            scaled[:, j] = (x[:, j] - there.min()) / (spread if spread > 0 else 1.0)
    n = len(x)
    step = block_rows or max(1, _BLOCK_CELLS // max(n, 1))
    return _blocks(scaled, kinds, weights, step)


def _blocks(
    x: FloatArray, kinds: Sequence[ColumnKind], weights: FloatArray, step: int
) -> Iterator[tuple[slice, FloatArray]]:
    n = len(x)
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        total = np.zeros((rows.stop - start, n))
        compared = np.zeros_like(total)
        for column, kind, weight in zip(x.T, kinds, weights, strict=True):
            here = column[rows, None]
            if kind in ("numeric", "ordinal"):
                apart = np.abs(here - column)
            else:
                apart = (here != column).astype(np.float64)
            known = ~np.isnan(here) & ~np.isnan(column)
            if kind == "asymmetric":
                known &= (here != 0) | (column != 0)
            total += np.where(known, weight * apart, 0.0)
            compared += weight * known
        with np.errstate(invalid="ignore"):
            yield rows, np.where(compared > 0, total / compared, np.nan)


def _check(
    x: FloatArray, kinds: Sequence[ColumnKind], column_weights: FloatArray | None
) -> FloatArray:
    d = x.shape[1]
    weights = np.ones(d) if column_weights is None else column_weights
    if len(kinds) != d or weights.shape != (d,):
        msg = f"{d} columns take as many kinds and weights, not {len(kinds)} and {len(weights)}"
        raise ValueError(msg)
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum() > 0:
        msg = f"column weights must be finite, none below 0, and not all 0: {weights.tolist()}"
        raise ValueError(msg)
    if np.isinf(x).any():
        msg = f"column {int(np.isinf(x).any(axis=0).argmax())} has an infinite value"
        raise ValueError(msg)
    for j, kind in enumerate(kinds):
        if kind == "asymmetric" and not np.isin(x[~np.isnan(x[:, j]), j], (0, 1)).all():
            msg = f"column {j} is asymmetric and holds other values than 0 and 1"
            raise ValueError(msg)
    return weights
