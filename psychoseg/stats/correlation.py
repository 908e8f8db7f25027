"""Weighted correlations of items with missing answers: Pearson and polychoric; smoothing.

Never chooses between them, and never drops a person: every pair of items uses the rows that
answered both.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = [
    "MAX_CATEGORIES",
    "SMOOTHING_FLOOR",
    "covariance",
    "information_size",
    "pearson",
    "polychoric",
    "smooth_correlation",
]

#: More answer categories than this and a polychoric table is mostly empty cells.
MAX_CATEGORIES = 20
#: Gauss-Legendre nodes for the bivariate normal; 48 keep its error below 1e-10 up to |rho| = .99.
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
#: Eigenvalues below this make a matrix one to smooth, as in psych::cor.smooth.
SMOOTHING_FLOOR = 1e-12
#: A polychoric correlation is sought within this bound; a perfect association ends on it.
_RHO_BOUND = 0.9999
_RHO_TOLERANCE = 1e-9
_MAX_STEPS = 60
#: Rows that enter one matrix product, so that memory stays flat.
_CHUNK = 8192


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


def pearson(items: FloatArray, weights: FloatArray) -> FloatArray:
    """Compute weighted Pearson correlations over pairwise complete rows.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (p, p)
        Ones on the diagonal; NaN where a pair has no common rows or no variance among them.
        Variances are over the pair's own rows, as in R's ``cor(use = "pairwise.complete.obs")``.
    """
    cov, var_row, var_col = _moments(items, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        corr = cov / np.sqrt(var_row * var_col)
    corr[~(np.minimum(var_row, var_col) > 0)] = np.nan
    corr = np.clip((corr + corr.T) / 2, -1.0, 1.0)
    constant = np.isnan(np.diag(corr))
    np.fill_diagonal(corr, np.where(constant, np.nan, 1.0))
    return corr


def polychoric(items: FloatArray, weights: FloatArray) -> FloatArray:
    """Compute two-step maximum likelihood polychoric correlations over pairwise complete rows.

    Step one takes each item's thresholds from its own weighted answers (all of them, not only the
    pair's); step two maximises each pair's multinomial likelihood over rho alone.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing. Only their order counts; a code nobody used is
        no category.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (p, p)
        Accurate to about 1e-8 where |rho| < .99; held within +-.9999. NaN where a pair has no
        common rows or an item has one category.

    Raises
    ------
    ValueError
        Where an item has more than :data:`MAX_CATEGORIES` categories.

    Notes
    -----
    Empty cells are left as they are: they add nothing to the likelihood, and with thresholds taken
    from the margins the estimate exists all the same. This is ``psych::polychoric(global = TRUE)``,
    whose own rho is good to about 1e-4, the tolerance of R's ``optimize``.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460, two-step estimator. Drezner & Wesolowsky (1990), J.
    Statist. Comput. Simul. 35, 101-107, the bivariate normal integral.
    """
    n_items = items.shape[1]
    codes, n_categories = _ranked(items)
    width = int(n_categories.max(initial=0))
    if width > MAX_CATEGORIES:
        msg = f"{width} categories are more than the {MAX_CATEGORIES} polychoric correlations take"
        raise ValueError(msg)
    tables = _tables(codes, width, weights)
    margins = tables[np.arange(n_items), np.arange(n_items)].diagonal(axis1=1, axis2=2)
    thresholds = _thresholds(margins)
    rows, cols = np.triu_indices(n_items, k=1)
    counts = tables[rows, cols]
    usable = (counts.sum(axis=(1, 2)) > 0) & (n_categories[rows] > 1) & (n_categories[cols] > 1)
    rho = np.full(len(rows), np.nan)
    start = pearson(items, weights)[rows, cols]
    if usable.any():
        rho[usable] = _maximise(
            counts[usable],
            thresholds[rows[usable]],
            thresholds[cols[usable]],
            np.nan_to_num(start[usable]),
        )
    corr = np.eye(n_items)
    corr[rows, cols] = corr[cols, rows] = rho
    corr[np.diag_indices(n_items)] = np.where(n_categories > 1, 1.0, np.nan)
    return corr


def information_size(items: FloatArray, weights: FloatArray, *, ordinal: bool) -> float:
    """Compute the size of a complete normal sample that would know unrelated items as well.

    Missing answers and coarse answer scales make correlations vary more than the number of
    respondents says: what is drawn to compare them with must be as small as what they know.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing, p at least 2.
    weights : ndarray, shape (n,)
        Frequency weights, or any others on a scale that sums to the effective sample size.
    ordinal : bool
        Whether the correlations are polychoric.

    Returns
    -------
    float
        Harmonic mean, over the pairs of items, of the weight that answered both, times the
        information of both answer scales where they are ordinal; 0 where a pair has none.

    Notes
    -----
    At rho = 0 the information on a polychoric correlation is ``n e_i e_j`` with
    ``e = sum((phi(t_{c-1}) - phi(t_c))**2 / share_c)`` over an item's categories: 1 for a
    continuous item, about .9 for five even points, .64 for an even yes and no.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460, eq. 13, the expected information at rho = 0.
    """
    answered = (~np.isnan(items)).astype(np.float64)
    pairs = (answered * weights[:, None]).T @ answered
    if ordinal:
        kept = np.array([_information(x, weights) for x in items.T])
        pairs = pairs * np.outer(kept, kept)
    sizes = pairs[np.triu_indices(items.shape[1], 1)]
    return float(1 / np.mean(1 / sizes)) if (sizes > 0).all() else 0.0


def _information(item: FloatArray, weights: FloatArray) -> float:
    """Return the share of a normal variable's information that an item's categories keep."""
    there = ~np.isnan(item)
    counts = np.bincount(np.unique(item[there], return_inverse=True)[1], weights=weights[there])
    share = counts / counts.sum()
    edges = ndtri(np.clip(np.cumsum(share)[:-1], 0.0, 1.0))
    density = np.concatenate([[0.0], np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    return float((np.diff(density) ** 2 / share).sum())


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

    References
    ----------
    Wothke (1993) in Bollen & Long, Testing Structural Equation Models, ch. 11, as in
    ``psych::cor.smooth``.
    """
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


def _ranked(items: FloatArray) -> tuple[IntArray, IntArray]:
    """Return answers as ranks of the codes in use (-1 if missing), and categories per item."""
    codes: IntArray = np.full(items.shape, -1, dtype=np.intp)
    n_categories: IntArray = np.zeros(items.shape[1], dtype=np.intp)
    for j in range(items.shape[1]):
        there: BoolArray = ~np.isnan(items[:, j])
        used, ranks = np.unique(items[there, j], return_inverse=True)
        codes[there, j] = ranks
        n_categories[j] = len(used)
    return codes, n_categories


def _tables(codes: IntArray, width: int, weights: FloatArray) -> FloatArray:
    """Return the weighted contingency table of every pair of items, shape (p, p, width, width)."""
    n, p = codes.shape
    total = np.zeros((p * width, p * width))
    for first in range(0, n, _CHUNK):
        part = codes[first : first + _CHUNK]
        ones = (part[:, :, None] == np.arange(width)).reshape(len(part), p * width)
        hot = ones.astype(np.float64)
        total += hot.T @ (hot * weights[first : first + _CHUNK, None])
    return total.reshape(p, width, p, width).transpose(0, 2, 1, 3)


def _thresholds(margins: FloatArray) -> FloatArray:
    """Return normal thresholds (p, width + 1); unused categories have no breadth."""
    cumulative = np.cumsum(margins, axis=1) / margins.sum(axis=1, keepdims=True)
    # The last used category ends at 1, which rounding may miss.
    cumulative[cumulative > 1 - 1e-12] = 1.0
    inner = ndtri(cumulative)
    return np.concatenate([np.full((len(margins), 1), -np.inf), inner], axis=1)


def _maximise(
    counts: FloatArray, rows: FloatArray, cols: FloatArray, start: FloatArray
) -> FloatArray:
    """Maximise each table's likelihood over rho by Fisher scoring inside a shrinking bracket."""
    low = np.full(len(counts), -_RHO_BOUND)
    high = np.full(len(counts), _RHO_BOUND)
    rho = np.clip(start, -0.95, 0.95)
    open_pairs = np.arange(len(counts))
    for _ in range(_MAX_STEPS):
        score, information = _score(
            rho[open_pairs], counts[open_pairs], rows[open_pairs], cols[open_pairs]
        )
        right = score > 0
        low[open_pairs[right]] = rho[open_pairs[right]]
        high[open_pairs[~right]] = rho[open_pairs[~right]]
        with np.errstate(invalid="ignore", divide="ignore"):
            proposal = rho[open_pairs] + score / information
        middle = (low[open_pairs] + high[open_pairs]) / 2
        inside = (proposal > low[open_pairs]) & (proposal < high[open_pairs])
        proposal = np.where(inside, proposal, middle)
        moved = np.abs(proposal - rho[open_pairs])
        rho[open_pairs] = proposal
        open_pairs = open_pairs[moved > _RHO_TOLERANCE]
        if len(open_pairs) == 0:
            break
    return rho


def _score(
    rho: FloatArray, counts: FloatArray, rows: FloatArray, cols: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the derivative of each log-likelihood at rho, and its expected information."""
    cdf, density = _bivariate_normal(rows[:, :, None], cols[:, None, :], rho[:, None, None])
    cell = np.diff(np.diff(cdf, axis=1), axis=2)
    slope = np.diff(np.diff(density, axis=1), axis=2)
    cell = np.maximum(cell, 1e-15)
    score = (counts / cell * slope).sum(axis=(1, 2))
    information = counts.sum(axis=(1, 2)) * (slope**2 / cell).sum(axis=(1, 2))
    return score, information


def _bivariate_normal(
    h: FloatArray, k: FloatArray, rho: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the bivariate normal distribution function and density; h, k may be infinite.

    The density is also the derivative of the distribution function in rho (Plackett 1954).
    """
    finite = np.isfinite(h) & np.isfinite(k)
    a, b = np.where(np.isfinite(h), h, 0.0), np.where(np.isfinite(k), k, 0.0)
    a, b = np.broadcast_arrays(a, b)
    square, product = (a * a + b * b) / 2, a * b
    reach = np.arcsin(rho)
    integral = np.zeros(np.broadcast_shapes(square.shape, rho.shape))
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        sine = np.sin(reach * (node + 1) / 2)
        integral += weight * np.exp((product * sine - square) / (1 - sine * sine))
    cdf = ndtr(h) * ndtr(k) + np.where(finite, integral * reach / (4 * np.pi), 0.0)
    rest = 1 - rho * rho
    density = np.exp((product * rho - square) / rest) / (2 * np.pi * np.sqrt(rest))
    return cdf, np.where(finite, density, 0.0)
