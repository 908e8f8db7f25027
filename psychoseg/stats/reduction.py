"""Weighted standardisation, principal components, how many to keep, and what is projected on them.

Numbers alone: categories are coded by ``mixed_reduction``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray, positive_signs
from psychoseg.stats.dimension_rules import leading_above

__all__ = [
    "ComponentParallel",
    "PrincipalComponents",
    "component_parallel",
    "components_by_share",
    "principal_components",
    "supplementary_categories",
    "supplementary_correlations",
    "weighted_covariance",
    "weighted_mean_sd",
]

#: An eigenvalue below this part of the largest is zero but for rounding.
_NO_VARIANCE = 1e-12
#: Shares of variance are compared after adding this, so that .8 asked for and .8 reached are equal.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """Principal components of centred columns.

    Attributes
    ----------
    eigenvalues : ndarray, shape (d,)
        Variances of the components, descending.
    vectors : ndarray, shape (d, d)
        Unit-length columns, each turned so that it sums positive.
    scores : ndarray, shape (n, d)
        ``x @ vectors``: component j has weighted variance ``eigenvalues[j]``.
    """

    eigenvalues: FloatArray
    vectors: FloatArray
    scores: FloatArray


@dataclass(frozen=True, slots=True)
class ComponentParallel:
    """Eigenvalues of components beside those of unrelated columns.

    Attributes
    ----------
    observed : ndarray, shape (r,)
        Eigenvalues, descending; r is the sum of the ranks of the variables.
    threshold : ndarray, shape (r,)
        The percentile of the same eigenvalues where the variables are unrelated.
    n_components : int
        Leading eigenvalues above their threshold.
    """

    observed: FloatArray
    threshold: FloatArray
    n_components: int


def weighted_mean_sd(x: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weighted means and standard deviations of columns, both shape (d,).

    Parameters
    ----------
    x : ndarray, shape (n, d)
        No NaN.
    weights : ndarray, shape (n,)

    Returns
    -------
    mean, sd : ndarray
        The divisor is the sum of weights (ddof 0), as in FactoMineR.
    """
    mean = weights @ x / weights.sum()
    return mean, np.sqrt(weights @ (x - mean) ** 2 / weights.sum())


def principal_components(x: FloatArray, weights: FloatArray) -> PrincipalComponents:
    """Compute the principal components of weighted, already centred columns.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Centred at their weighted means; standardise them first for a PCA of correlations.
    weights : ndarray, shape (n,)

    Returns
    -------
    PrincipalComponents

    References
    ----------
    Hotelling (1933), J. Educ. Psychol. 24, 417-441. FactoMineR's ``PCA(row.w = )`` has the same
    eigenvalues.
    """
    cov = weighted_covariance(x, weights)
    values, vectors = np.linalg.eigh(cov)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    vectors = vectors * positive_signs(vectors)
    return PrincipalComponents(values, vectors, x @ vectors)


def weighted_covariance(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the covariances of centred columns, shape (d, d); the divisor is the sum of weights.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Centred at their weighted means.
    weights : ndarray, shape (n,)
    """
    cov: FloatArray = (x * weights[:, None]).T @ x / weights.sum()
    return cov


def components_by_share(eigenvalues: FloatArray, share: float) -> int:
    """Return the fewest leading components that carry a share of the variance.

    Parameters
    ----------
    eigenvalues : ndarray, shape (d,)
        Descending.
    share : float
        Above 0, at most 1. 1 gives all components that have variance.

    Raises
    ------
    ValueError
        Where the share is out of range, or there is no variance at all.
    """
    if not 0 < share <= 1:
        msg = f"a share of variance lies above 0 and is at most 1, not {share}"
        raise ValueError(msg)
    if not eigenvalues.size or eigenvalues[0] <= 0:
        msg = "there is no variance: all rows are identical"
        raise ValueError(msg)
    positive = int((eigenvalues > _NO_VARIANCE * eigenvalues[0]).sum())
    cumulative = np.cumsum(eigenvalues) / eigenvalues.sum()
    return min(int(np.searchsorted(cumulative, share - _ROUNDING)) + 1, positive)


def component_parallel(
    x: FloatArray,
    weights: FloatArray,
    n_obs: float,
    *,
    rng: np.random.Generator,
    variables: IntArray | None = None,
    replicates: int = 100,
    percentile: float = 95.0,
) -> ComponentParallel:
    """Compare the eigenvalues of components with those of unrelated variables.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        The columns as they enter :func:`principal_components`: centred, and scaled by block or
        coded from categories where they are.
    weights : ndarray, shape (n,)
    n_obs : float
        Respondents behind the columns (the effective number where weights are unequal); more than
        the sum of the ranks of the variables.
    rng : numpy.random.Generator
    variables : ndarray of int, shape (d,), optional
        Which columns are of one variable, as the indicators of one question are: their own
        covariances are kept. Each column is its own where absent.
    replicates : int
        Random data sets.
    percentile : float
        Of the random eigenvalues.

    Returns
    -------
    ComponentParallel

    Raises
    ------
    ValueError
        Where ``n_obs`` is not above the rank, or there is no variance at all.

    Notes
    -----
    Wishart matrices of unrelated normal columns, drawn through Bartlett's decomposition, in which
    the columns of one variable are then given their observed covariance; for standardised single
    columns these are the random correlations of ``parallel.parallel_analysis``. Only the
    eigenvalues of each variable's covariance matter, and variables are drawn in the order of these,
    so that the order of the columns does not. The sampling error of a category is that of a normal
    variable: right to first order, too small for categories that only a handful chose.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185. Glorfeld (1995), Educ. Psychol. Meas. 55, 377-393, the
    percentile. Bartlett (1933), Proc. R. Soc. Edinb. 53, 260-283.
    """
    cov = weighted_covariance(x, weights)
    if not cov.size or np.trace(cov) <= 0:
        msg = "there is no variance: all rows are identical"
        raise ValueError(msg)
    variables = np.arange(x.shape[1]) if variables is None else variables
    spectra = [_spectrum(cov[np.ix_(own, own)]) for own in _members(variables)]
    spectra.sort(key=lambda values: (len(values), np.round(values, 9).tobytes()))
    scale = np.sqrt(np.concatenate(spectra))
    rank = len(scale)
    if n_obs <= rank:
        msg = (
            f"parallel analysis of {rank} dimensions takes more than {rank} respondents, not "
            f"{n_obs:g}; ask for a share of variance instead"
        )
        raise ValueError(msg)
    ends = np.cumsum([len(values) for values in spectra])
    random = np.empty((replicates, rank))
    for i in range(replicates):
        lower = np.tril(rng.standard_normal((rank, rank)), -1)
        lower[np.diag_indices(rank)] = np.sqrt(rng.chisquare(n_obs - 1 - np.arange(rank)))
        for values, end in zip(spectra, ends, strict=True):
            rows = slice(end - len(values), end)
            # Orthonormal rows: which rotation of them does not matter to the eigenvalues.
            lower[rows] = np.linalg.qr(lower[rows].T)[0].T
        random[i] = np.linalg.svd(lower * scale[:, None], compute_uv=False) ** 2
    threshold: FloatArray = np.percentile(random, percentile, axis=0)
    # n < d leaves fewer eigenvalues than columns, n <= d fewer than the sum of ranks: zeros there.
    observed: FloatArray = np.maximum(np.linalg.eigvalsh(cov)[::-1][:rank], 0.0)
    return ComponentParallel(observed, threshold, leading_above(observed, threshold))


def supplementary_correlations(
    columns: FloatArray, scores: FloatArray, weights: FloatArray
) -> FloatArray:
    """Project numeric columns on components that they took no part in: their correlations.

    Parameters
    ----------
    columns : ndarray, shape (n, q)
        NaN where missing: a column's correlation is over the rows that have it.
    scores : ndarray, shape (n, m)
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (q, m)
        NaN where the column or the component is constant.
    """
    out = np.full((columns.shape[1], scores.shape[1]), np.nan)
    for j, column in enumerate(columns.T):
        there = ~np.isnan(column) & (weights > 0)
        if not there.any():
            continue
        both = np.column_stack([column[there], scores[there]])
        mean, sd = weighted_mean_sd(both, weights[there])
        spread = sd > _NO_VARIANCE * np.maximum(1.0, np.abs(mean))
        product = weights[there] * (both[:, 0] - mean[0]) @ (both[:, 1:] - mean[1:])
        product /= weights[there].sum()
        known = spread[1:] & spread[0]
        out[j, known] = product[known] / (sd[0] * sd[1:][known])
    return out


def supplementary_categories(
    codes: IntArray, scores: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Project a categorical column on components that it took no part in: its barycentres.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        0-based categories; -1 where missing.
    scores : ndarray, shape (n, m)
    weights : ndarray, shape (n,)

    Returns
    -------
    barycentres : ndarray, shape (c, m)
        Weighted mean score of the respondents of each category; NaN where it has none. FactoMineR's
        ``PCA`` and ``FAMD`` print these, its ``MCA`` these divided by the root of the eigenvalue.
    eta_squared : ndarray, shape (m,)
        Share of each component's variance that lies between the categories; NaN where it has none.
    """
    there = (codes >= 0) & (weights > 0)
    codes, scores, weights = codes[there], scores[there], weights[there]
    if not len(codes):
        nothing = np.full(scores.shape[1], np.nan)
        return np.empty((0, scores.shape[1])), nothing
    mass = np.bincount(codes, weights=weights)
    sums = np.column_stack([np.bincount(codes, weights=weights * score) for score in scores.T])
    mean, sd = weighted_mean_sd(scores, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        centres = sums / mass[:, None]
        between = mass @ np.nan_to_num(centres - mean) ** 2 / mass.sum()
        eta = np.where(sd > _NO_VARIANCE * np.maximum(1.0, np.abs(mean)), between / sd**2, np.nan)
    return centres, eta


def _members(ids: IntArray) -> list[IntArray]:
    """Return the columns of each id, ids ascending."""
    return [np.flatnonzero(ids == i) for i in np.unique(ids)]


def _spectrum(cov: FloatArray) -> FloatArray:
    """Return the eigenvalues of a covariance matrix that are not zero, descending."""
    values = np.linalg.eigvalsh(cov)[::-1].astype(np.float64)
    return values[values > max(_NO_VARIANCE * float(values[0]), 0.0)]
