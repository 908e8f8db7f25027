"""Which items of a battery go against the rest of their factor: a guess, never more.

Works on the items alone, before anything is decided about scales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.rotation import rotate

__all__ = ["correlations", "guess_reversed"]

#: Loadings below this say nothing about direction; as in ``[scales] min_loading``.
_LOADING = 0.3
#: A clear majority is so many times the others; a clear difference between mean answers is so much
#: of the scale. Our own choices, which give the published keys of BIG5, the TIPI and bfi.
_MAJORITY, _GAP = 2, 0.1
#: Fewer items, or answers, than this show no factor.
_ITEMS, _ANSWERS = 4, 30


def guess_reversed(codes: FloatArray, columns: Sequence[Looked]) -> tuple[str, ...]:
    """Guess which items are keyed the other way.

    Parameters
    ----------
    codes : ndarray, shape (n, p)
        Answers, NaN for none.
    columns : sequence of Looked
        The p items.

    Returns
    -------
    tuple of str
        Items that load on their own factor against those that are worded straight.

    Notes
    -----
    Principal components of the pairwise correlations, as many as stand above the largest eigenvalue
    of noise (Marchenko and Pastur), turned by varimax. Codes are whole numbers, so that sums are
    exact and the order of the rows cannot matter. Straight is the direction of a clear majority of
    a factor's items, else of those that people agree with clearly more, else of the larger number,
    the larger loadings, the first item.
    """
    n, p = codes.shape
    if p < _ITEMS or (~np.isnan(codes)).sum(axis=0).min() < _ANSWERS:
        return ()
    corr = correlations(codes)
    if not np.isfinite(corr).all():
        return ()
    values, vectors = np.linalg.eigh(corr)
    noise = (1 + np.sqrt(p / n)) ** 2
    m = int(np.clip((values > noise).sum(), 1, max(1, p // 3)))
    loadings = vectors[:, ::-1][:, :m] * np.sqrt(np.maximum(values[::-1][:m], 0.0))
    if m > 1:
        loadings = rotate(loadings, "varimax").loadings
    own = np.abs(loadings).round(9).argmax(axis=1)
    reverse: list[int] = []
    for factor in range(m):
        mine = np.flatnonzero((own == factor) & (np.abs(loadings[:, factor]) >= _LOADING))
        if len(mine) < 2:
            continue
        straight = _straight_sign(loadings[mine, factor], codes[:, mine])
        reverse += mine[np.sign(loadings[mine, factor]) != straight].tolist()
    return tuple(columns[j].name for j in sorted(reverse))


def _straight_sign(loadings: FloatArray, codes: FloatArray) -> float:
    """Return the sign of the items that are taken to be worded straight."""
    signs = np.sign(loadings)
    up, down = int((signs > 0).sum()), int((signs < 0).sum())
    if max(up, down) >= _MAJORITY * min(up, down):
        return 1.0 if up > down else -1.0
    # People agree more with what is worded straight: most of it sounds well.
    level = np.nansum(codes, axis=0) / (~np.isnan(codes)).sum(axis=0)
    gap = level[signs > 0].mean() - level[signs < 0].mean()
    if abs(gap) >= _GAP * (np.nanmax(codes) - np.nanmin(codes)):
        return float(np.sign(gap))
    balance = signs.sum() or np.round(loadings.sum(), 6) or signs[0]
    return float(np.sign(balance))


def correlations(codes: FloatArray) -> FloatArray:
    """Return pairwise-complete Pearson correlations; NaN where a column does not vary."""
    known = (~np.isnan(codes)).astype(np.float64)
    x = np.where(np.isnan(codes), 0.0, codes)
    count = known.T @ known
    sums = x.T @ known
    squares = (x * x).T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        cov = x.T @ x - sums * sums.T / count
        spread = squares - sums * sums / count
        corr = cov / np.sqrt(spread * spread.T)
    np.fill_diagonal(corr, 1.0)
    return np.asarray(corr, dtype=np.float64)
