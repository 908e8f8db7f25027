"""Weighted correlations of items with missing answers, of every kind; thin pairs; smoothing.

Owns Pearson's and Spearman's coefficients and the mixture of kinds; the latent ones are in
:mod:`psychoseg.stats.polychoric`, EM in :mod:`psychoseg.stats.em`. Never chooses between them, and
never drops a person unless told to (``missing="listwise"``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, complete_rows
from psychoseg.stats.em import em_moments
from psychoseg.stats.extraction import require_complete
from psychoseg.stats.polychoric import (
    MAX_CATEGORIES,
    EmptyCellRule,
    pair_tables,
    polychoric,
    polyserial,
)

__all__ = [
    "MAX_CATEGORIES",
    "SMOOTHING_FLOOR",
    "ItemKind",
    "ThinPair",
    "covariance",
    "em_moments",
    "mixed_correlation",
    "pearson",
    "polychoric",
    "polyserial",
    "smooth_correlation",
    "spearman",
    "thin_pairs",
]

ItemKind = Literal["continuous", "ordinal"]

#: Eigenvalues below this make a matrix one to smooth, as in psych::cor.smooth.
SMOOTHING_FLOOR = 1e-12
#: A correlation of fewer rows than this is always +-1 or undefined.
_LEAST_ROWS = 3.0
#: Cochran (1954), Biometrics 10, 417-451: no cell of a table should expect fewer than one.
_LEAST_EXPECTED = 1.0


@dataclass(frozen=True, slots=True)
class ThinPair:
    """A pair of items with too little in common to estimate a correlation.

    Attributes
    ----------
    row, col : int
        Positions of the items, row before col.
    reason : {"too few rows", "constant", "nearly constant"}
    n : float
        Sum of weights of the rows that answered both.
    """

    row: int
    col: int
    reason: Literal["too few rows", "constant", "nearly constant"]
    n: float


def covariance(items: FloatArray, weights: FloatArray) -> FloatArray:
    """Compute weighted covariances over pairwise complete rows.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows.

    Returns
    -------
    ndarray, shape (p, p)
        NaN where fewer than two weighted rows answered both items. May fail to be positive
        semidefinite, as every pairwise matrix may.

    Notes
    -----
    Means are over the pair's own rows and the divisor is the pair's sum of weights minus one, as in
    R's ``cov(use = "pairwise.complete.obs")`` on the repeated rows.
    """
    return _moments(items, weights)[0]


def pearson(
    items: FloatArray,
    weights: FloatArray,
    *,
    missing: Literal["pairwise", "listwise", "em"] = "pairwise",
) -> FloatArray:
    """Compute weighted Pearson correlations.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows; rescaling all of them changes nothing.
    missing : {"pairwise", "listwise", "em"}
        A pair uses the rows that answered both items, or those that answered all items; or all
        answers are used by maximum likelihood under normality, see
        :func:`psychoseg.stats.em.em_moments`, which also says what it refuses.

    Returns
    -------
    ndarray, shape (p, p)
        Ones on the diagonal; NaN where a pair has no common rows or no variance among them.

    Notes
    -----
    Variances are over the pair's own rows, as in R's ``cor(use = "pairwise.complete.obs")``, so
    that a pairwise matrix may fail to be positive semidefinite; the other two never do.
    """
    if missing == "em":
        return em_moments(items, weights).corr
    if missing == "listwise":
        items, weights = complete_rows(items, weights)
    cov, var_row, var_col = _moments(items, weights)
    return _symmetric(cov, var_row, var_col)


def spearman(
    items: FloatArray,
    weights: FloatArray,
    *,
    missing: Literal["pairwise", "listwise"] = "pairwise",
) -> FloatArray:
    """Compute weighted Spearman rank correlations: Pearson's r of midranks.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows; rescaling all of them changes nothing.
    missing : {"pairwise", "listwise"}
        Which rows a pair uses: those that answered both items, or those that answered all items.

    Returns
    -------
    ndarray, shape (p, p)
        Ones on the diagonal; NaN where a pair has no common rows or no variance among them.

    Notes
    -----
    Ranks are among the pair's own rows, as in R's ``cor(method = "spearman", use =
    "pairwise.complete.obs")``. A value's midrank is the weight below it and half of the weight at
    it, so that a weight of 3 is the row given three times.

    References
    ----------
    Kendall & Gibbons (1990), Rank Correlation Methods, 5th ed., ch. 3, ties by midranks.
    """
    if missing == "listwise":
        items, weights = complete_rows(items, weights)
    p = items.shape[1]
    if all(len(np.unique(x[~np.isnan(x)])) <= MAX_CATEGORIES for x in items.T):
        tables, _ = pair_tables(items, weights)
        cross, square = _rank_moments(tables)
        return _symmetric(cross, square, square.T)
    places = [np.unique(items[:, j], return_inverse=True)[1] for j in range(p)]
    answered: BoolArray = ~np.isnan(items) & (weights > 0)[:, None]
    corr = np.full((p, p), np.nan)
    for i in range(p):
        for j in range(i, p):
            both = answered[:, i] & answered[:, j]
            w = weights[both]
            a, b = (_midranks(places[k][both], w) for k in (i, j))
            scale = np.sqrt((w @ a**2) * (w @ b**2))
            if scale > 0:
                corr[i, j] = corr[j, i] = 1.0 if i == j else np.clip(w @ (a * b) / scale, -1, 1)
    return corr


def mixed_correlation(
    items: FloatArray,
    kinds: Sequence[ItemKind],
    weights: FloatArray,
    *,
    correction: float = 0.0,
    rule: EmptyCellRule = "two_by_two",
    missing: Literal["pairwise", "listwise"] = "pairwise",
) -> FloatArray:
    """Correlate each pair of items as their kinds ask for.

    Two ordinal items have a polychoric correlation (tetrachoric, with two categories each), an
    ordinal and a continuous one a polyserial, two continuous ones Pearson's.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    kinds : sequence of {"continuous", "ordinal"}, length p
    weights : ndarray, shape (n,)
        A weight of w counts as w rows.
    correction, rule
        For empty cells of two ordinal items, see :func:`polychoric`.
    missing : {"pairwise", "listwise"}
        Which rows a pair uses: those that answered both items, or those that answered all items.

    Returns
    -------
    ndarray, shape (p, p)
        NaN where a pair cannot be estimated. May fail to be positive semidefinite.

    Raises
    ------
    ValueError
        Where there is not one known kind an item, or an ordinal item has more than
        :data:`MAX_CATEGORIES` categories.

    References
    ----------
    Muthén (1984), Psychometrika 49, 115-132, the correlations of mixed variables. The parts:
    :func:`pearson`, :func:`polychoric`, :func:`polyserial`.
    """
    p = items.shape[1]
    if len(kinds) != p or not set(kinds) <= {"continuous", "ordinal"}:
        msg = f"kinds is {list(kinds)}; give 'continuous' or 'ordinal' for each of the {p} items"
        raise ValueError(msg)
    if missing == "listwise":
        items, weights = complete_rows(items, weights)
    ordinal = np.flatnonzero([kind == "ordinal" for kind in kinds])
    other = np.flatnonzero([kind != "ordinal" for kind in kinds])
    if len(ordinal) == 0:
        return pearson(items, weights)
    corr = np.empty((p, p))
    corr[np.ix_(other, other)] = pearson(items[:, other], weights)
    try:
        corr[np.ix_(ordinal, ordinal)] = polychoric(
            items[:, ordinal], weights, correction=correction, rule=rule
        )
    except ValueError as error:
        msg = f"among the ordinal items {ordinal.tolist()}: {error}; or declare it continuous"
        raise ValueError(msg) from error
    between = polyserial(items[:, other], items[:, ordinal], weights)
    corr[np.ix_(other, ordinal)] = between
    corr[np.ix_(ordinal, other)] = between.T
    return corr


def thin_pairs(
    items: FloatArray,
    weights: FloatArray,
    *,
    least_rows: float = _LEAST_ROWS,
    least_expected: float = _LEAST_EXPECTED,
) -> tuple[ThinPair, ...]:
    """Name the pairs of items that have too little in common to estimate a correlation.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows; give weights that average one.
    least_rows : float
        A pair answered by fewer rows has too few.
    least_expected : float
        Where fewer respondents are expected to be off the commonest answer of both items at once,
        were the items independent, both are nearly constant: whether one person stands there or
        nobody decides the coefficient.

    Returns
    -------
    tuple of ThinPair
        By row, then column; the first reason that holds, in the order of its values.

    Notes
    -----
    The commonest answers and their shares are among the rows that answered both items.

    References
    ----------
    Cochran (1954), Biometrics 10, 417-451, for an expected count of at least one.
    """
    answered = ~np.isnan(items) & (weights > 0)[:, None]
    mass = (answered * weights[:, None]).T @ answered.astype(np.float64)
    common = np.zeros_like(mass)
    for j, x in enumerate(items.T):
        # Weight at each value of item j among those who answered each other item.
        values, place = np.unique(x[answered[:, j]], return_inverse=True)
        order = np.argsort(place, kind="stable")
        rows = np.flatnonzero(answered[:, j])[order]
        if len(values):
            starts = np.searchsorted(place[order], np.arange(len(values)))
            held = answered[rows] * weights[rows, None]
            common[j] = np.add.reduceat(held, starts, axis=0).max(axis=0)
    off = np.maximum(mass - common, 0.0)
    off[off <= 1e-12 * mass] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = off * off.T / mass
    found = []
    for i, j in combinations(range(items.shape[1]), 2):
        reason: Literal["too few rows", "constant", "nearly constant"]
        if mass[i, j] < least_rows:
            reason = "too few rows"
        elif off[i, j] == 0 or off[j, i] == 0:
            reason = "constant"
        elif expected[i, j] < least_expected:
            reason = "nearly constant"
        else:
            continue
        found.append(ThinPair(row=i, col=j, reason=reason, n=float(mass[i, j])))
    return tuple(found)


def smooth_correlation(
    corr: FloatArray, *, floor: float = SMOOTHING_FLOOR
) -> tuple[FloatArray, float]:
    """Make a correlation matrix positive definite where it is not.

    Eigenvalues below ``floor`` are raised to ``100 * floor``, the others scaled so that they still
    sum to p, and the result rescaled to a unit diagonal.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN.
    floor : float
        Smallest eigenvalue that is left alone.

    Returns
    -------
    corr : ndarray, shape (p, p)
        The same values where nothing had to be done.
    smallest : float
        Smallest eigenvalue of the matrix as it came.

    Raises
    ------
    ValueError
        Where ``corr`` holds NaN.

    Notes
    -----
    The one method of smoothing here, and its order of steps, are those of ``psych::cor.smooth``.
    Smoothing an indefinite matrix of pairwise or polychoric correlations changes every value a
    little: say so to the reader wherever ``smallest`` is below ``floor``.

    References
    ----------
    Wothke (1993) in Bollen & Long, Testing Structural Equation Models, 256-293, as in
    ``psych::cor.smooth``.
    """
    require_complete(corr)
    values, vectors = np.linalg.eigh(corr)
    smallest = float(values[0])
    if smallest >= floor:
        return corr.copy(), smallest
    raised = np.where(values < floor, 100 * floor, values)
    raised *= len(raised) / raised.sum()
    smooth = (vectors * raised) @ vectors.T
    scale = 1 / np.sqrt(np.diag(smooth))
    smooth *= np.outer(scale, scale)
    np.fill_diagonal(smooth, 1.0)
    return (smooth + smooth.T) / 2, smallest


def _moments(items: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return pairwise covariances and both variances over the pair's rows."""
    answered = ~np.isnan(items)
    # Centring first keeps the difference of large sums accurate.
    mass = weights @ answered
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (weights @ np.where(answered, items, 0.0)) / mass
    x = np.where(answered, items - centre, 0.0)
    m = answered.astype(np.float64)
    wx, wm = x * weights[:, None], m * weights[:, None]
    total = wm.T @ m
    sum_row, cross, square = wx.T @ m, wx.T @ x, (wx * x).T @ m
    with np.errstate(invalid="ignore", divide="ignore"):
        cov = (cross - sum_row * sum_row.T / total) / (total - 1)
        var_row = (square - sum_row**2 / total) / (total - 1)
    # Below one part in 1e12 of the raw square a variance is rounding noise: the item is constant
    # there.
    var_row[var_row * (total - 1) <= 1e-12 * np.abs(square)] = 0.0
    cov[~(total > 1)] = np.nan
    var_row[~(total > 1)] = np.nan
    return cov, var_row, var_row.T


def _symmetric(cross: FloatArray, var_row: FloatArray, var_col: FloatArray) -> FloatArray:
    """Return correlations of pairwise covariances and variances, NaN where one is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        corr = cross / np.sqrt(var_row * var_col)
    corr[~(np.minimum(var_row, var_col) > 0)] = np.nan
    corr = np.clip((corr + corr.T) / 2, -1.0, 1.0)
    constant = np.isnan(np.diag(corr))
    np.fill_diagonal(corr, np.where(constant, np.nan, 1.0))
    return corr


def _rank_moments(tables: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return covariances of midranks and each row item's variance, pair by pair, from tables."""
    total = tables.sum(axis=(2, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = tables / total[:, :, None, None]
    margin = share.sum(axis=3)
    score = np.cumsum(margin, axis=2) - margin / 2 - 0.5
    # An item with one answer among the pair's rows has score 0 but for rounding.
    square = np.einsum("ija,ija->ij", margin, score**2)
    square[square < 1e-24] = 0.0
    cross = np.einsum("ijab,ija,jib->ij", share, score, score)
    return cross, square


def _midranks(place: IntArray, weights: FloatArray) -> FloatArray:
    """Return centred weighted midranks of dense places, as shares of the whole weight."""
    mass = np.bincount(place, weights) / weights.sum() if len(place) else np.zeros(0)
    score = np.cumsum(mass) - mass / 2 - 0.5
    score[np.abs(score) < 1e-12] = 0.0
    ranks: FloatArray = score[place]
    return ranks
