"""Eigenvalues beside random ones: parallel analysis, and the next eigenvalue sufficiency test.

Owns the random data; never weighs what it finds against other rules (see ``dimension``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.correlation import (
    SMOOTHING_FLOOR,
    pearson,
    polychoric,
    smooth_correlation,
)
from psychoseg.stats.dimension_rules import leading_above
from psychoseg.stats.extraction import extract_minres_from, squared_multiple_correlations

__all__ = [
    "CorrelationKind",
    "NextEigenvalue",
    "NullData",
    "ParallelAnalysis",
    "next_eigenvalue",
    "parallel_analysis",
]

CorrelationKind = Literal["pearson", "polychoric"]
NullData = Literal["simulated", "permuted"]

#: A pair of items that fewer than this share of people answered is treated as if so many had.
_LEAST_SHARE = 1e-3
#: A factor solution with an item at its bound can imply a singular matrix, which has no root.
_LEAST_EIGENVALUE = 1e-6


@dataclass(frozen=True, slots=True)
class ParallelAnalysis:
    """Eigenvalues beside those of unrelated items.

    Attributes
    ----------
    observed : ndarray, shape (p,)
        Eigenvalues of the correlation matrix, descending: components.
    threshold : ndarray, shape (p,)
        The percentile (or mean) of the same eigenvalues of unrelated items.
    n_factors : int
        Leading component eigenvalues above their threshold.
    reduced : ndarray, shape (p,)
        Eigenvalues of the matrix with squared multiple correlations on its diagonal: factors.
    reduced_threshold : ndarray, shape (p,)
        The percentile (or mean) of those of unrelated items.
    n_reduced : int
        Leading factor eigenvalues above their threshold.
    """

    observed: FloatArray
    threshold: FloatArray
    n_factors: int
    reduced: FloatArray
    reduced_threshold: FloatArray
    n_reduced: int


@dataclass(frozen=True, slots=True)
class NextEigenvalue:
    """Eigenvalues beside those of as many factors as came before them.

    Attributes
    ----------
    observed : ndarray, shape (m + 1,)
        The first eigenvalues of the correlation matrix, the last of them not retained (all of them
        retained where the degrees of freedom ran out).
    threshold : ndarray, shape (m + 1,)
        The percentile (or mean) of eigenvalue k + 1 of random data with the first k factors.
    n_factors : int
        Factors after which the next eigenvalue is no larger than random ones.
    """

    observed: FloatArray
    threshold: FloatArray
    n_factors: int


def parallel_analysis(
    corr: FloatArray,
    n_obs: float,
    *,
    rng: np.random.Generator,
    replicates: int = 100,
    percentile: float | None = 95.0,
    items: FloatArray | None = None,
    weights: FloatArray | None = None,
    correlation: CorrelationKind = "pearson",
    null: NullData = "simulated",
) -> ParallelAnalysis:
    """Compare the eigenvalues with those of as many unrelated items answered by as many people.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN.
    n_obs : float
        Respondents behind the correlations; more than p. With ``items`` the number before missing
        answers, which are then taken off pair by pair.
    rng : numpy.random.Generator
    replicates : int
        Random data sets.
    percentile : float, optional
        Of the random eigenvalues; 95 guards against trivial factors better than their mean, which
        None asks for.
    items : ndarray, shape (n, p), optional
        The answers behind ``corr``, NaN where missing.
    weights : ndarray, shape (n,), optional
        Case weights of the items; ones where absent. Their scale does not matter.
    correlation : {"pearson", "polychoric"}
        What ``corr`` is made of.
    null : {"simulated", "permuted"}
        Normal items, or the answers themselves with each column shuffled on its own, which takes
        ``items``.

    Returns
    -------
    ParallelAnalysis

    Raises
    ------
    ValueError
        Where ``n_obs`` is not above p, ``corr`` has NaN, or ``items`` are missing or of another
        width.

    Notes
    -----
    *Simulated.* Wishart matrices, drawn through Bartlett's decomposition, have the distribution of
    the correlations of n simulated normal rows without the rows. Where ``items`` are given the
    sampling error grows by what the data lack: off-diagonal values are divided by the root of the
    pair's share of people (missing answers) and, for polychoric correlations, by
    ``sqrt(V_i V_j)``, V being the variance of the category means of a normal variable cut at the
    item's thresholds. That is the one-step polychoric correlation at rho = 0, where a pair's
    information per person is ``V_i V_j``: the answers of unrelated normal variables with the items'
    own thresholds, to first order. Without ``items`` the thresholds are those of Pearson
    correlations of complete normal data, which let too many factor eigenvalues of a polychoric
    matrix through.

    *Permuted.* Each column's weighted margin, missing answers among it, is laid out over
    round(n_obs) people and shuffled; correlations are pairwise, of the same kind as ``corr``
    (polychoric ones estimated anew in each replicate).

    Random matrices that are not positive definite are smoothed as the observed one is. An
    eigenvalue counts while all before it count.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185. Humphreys & Ilgen (1969), Educ. Psychol. Meas. 29,
    571-578, squared multiple correlations. Glorfeld (1995), Educ. Psychol. Meas. 55, 377-393, the
    percentile. Buja & Eyuboglu (1992), Multivar. Behav. Res. 27, 509-540, permutation. Bartlett
    (1933), Proc. R. Soc. Edinb. 53, 260-283, the decomposition. Olsson (1979), Psychometrika 44,
    443-460, the information of a polychoric correlation.
    """
    p = len(corr)
    _check(corr, n_obs, items)
    if items is None and null == "permuted":
        msg = "permuted data take the items behind the correlation matrix"
        raise ValueError(msg)
    if items is not None:
        weights = np.ones(len(items)) if weights is None else weights
    components, factors = np.empty((replicates, p)), np.empty((replicates, p))
    if null == "permuted" and items is not None and weights is not None:
        draw: _Permuted | _Simulated = _Permuted(
            _margins(items, weights, round(n_obs)), correlation
        )
    else:
        draw = _Simulated(n_obs, _precision(items, weights, p, correlation), np.eye(p))
    for i in range(replicates):
        random = smooth_correlation(draw(rng))[0]
        components[i], factors[i] = _eigenvalues(random)
    observed, reduced = _eigenvalues(corr)
    threshold = _summary(components, percentile)
    reduced_threshold = _summary(factors, percentile)
    return ParallelAnalysis(
        observed=observed,
        threshold=threshold,
        n_factors=leading_above(observed, threshold),
        reduced=reduced,
        reduced_threshold=reduced_threshold,
        n_reduced=leading_above(reduced, reduced_threshold),
    )


def next_eigenvalue(
    corr: FloatArray,
    n_obs: float,
    *,
    rng: np.random.Generator,
    replicates: int = 100,
    percentile: float | None = 95.0,
    items: FloatArray | None = None,
    weights: FloatArray | None = None,
    correlation: CorrelationKind = "pearson",
    most: int | None = None,
) -> NextEigenvalue:
    """Test whether 0, 1, 2, ... factors suffice for the eigenvalue after them.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN, p of at least 2; positive definite.
    n_obs, rng, replicates, percentile, items, weights, correlation
        As in :func:`parallel_analysis`.
    most : int, optional
        Stop at so many factors; else where another one has no degrees of freedom.

    Returns
    -------
    NextEigenvalue

    Raises
    ------
    ValueError
        As :func:`parallel_analysis` does.

    Notes
    -----
    Eigenvalue k + 1 is compared with those of data that have the k minres factors of ``corr`` and
    nothing else; the first that is not larger ends the test. Parallel analysis has no factors in
    its random data, whose later eigenvalues are then too large where the first factors of the
    observed data took much: it misses the weaker of correlated factors.

    The random matrices are Wishart, as in :func:`parallel_analysis`. Missing answers and answer
    scales work like unreliability: the items of the sample correlate less, by the root of a pair's
    information, and the correlations are corrected for it afterwards. So the matrix is drawn with
    its off-diagonal values multiplied by that root and divided by it. (The error in each
    correlation is then larger and, unlike that of a sample of fewer people, no smaller where the
    factors leave the items little of their own.) Without factors this is parallel analysis.

    References
    ----------
    Achim (2017), Quant. Methods Psychol. 13, 64-74. Brandenburg & Papenberg (2024), Psychol.
    Methods 29, 21-47, compare it. Caron's R package Rnest fits by maximum likelihood.
    """
    p = len(corr)
    _check(corr, n_obs, items)
    if items is not None:
        weights = np.ones(len(items)) if weights is None else weights
    precision = _precision(items, weights, p, correlation)
    observed: FloatArray = np.linalg.eigvalsh(corr)[::-1].astype(np.float64)
    thresholds: list[float] = []
    unique = np.ones(p)
    for m in range(p - 1 if most is None else min(p - 1, most)):
        if (p - m) ** 2 < p + m:
            break
        implied: FloatArray = np.zeros((p, p))
        if m > 0:
            found = extract_minres_from(corr, m, start=unique)
            loadings, unique = found.loadings, found.uniquenesses
            implied = loadings @ loadings.T * precision
        np.fill_diagonal(implied, 1.0)
        root = np.linalg.cholesky(smooth_correlation(implied, floor=_LEAST_EIGENVALUE)[0])
        draw = _Simulated(n_obs, precision, root.astype(np.float64))
        random = np.array([_one_eigenvalue(draw(rng), m) for _ in range(replicates)])
        thresholds.append(float(_summary(random, percentile)))
        if observed[m] <= thresholds[-1]:
            break
    threshold = np.array(thresholds)
    seen: FloatArray = observed[: len(threshold)].copy()
    return NextEigenvalue(
        observed=seen, threshold=threshold, n_factors=leading_above(seen, threshold)
    )


def _check(corr: FloatArray, n_obs: float, items: FloatArray | None) -> None:
    p = len(corr)
    if n_obs <= p:
        msg = f"parallel analysis takes more respondents ({n_obs:g}) than items ({p})"
        raise ValueError(msg)
    if np.isnan(corr).any():
        msg = f"the correlation matrix has {int(np.isnan(corr).sum())} missing values"
        raise ValueError(msg)
    if items is not None and items.shape[1] != p:
        msg = f"items have {items.shape[1]} columns, the correlation matrix {p}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class _Simulated:
    """Correlations of n normal rows, and what less precise answers make of them.

    ``root`` is the Cholesky factor of their correlations times the precision.
    """

    n_obs: float
    precision: FloatArray
    root: FloatArray

    def __call__(self, rng: np.random.Generator) -> FloatArray:
        p = len(self.precision)
        lower = np.tril(rng.standard_normal((p, p)), -1)
        lower[np.diag_indices(p)] = np.sqrt(rng.chisquare(self.n_obs - 1 - np.arange(p)))
        lower = self.root @ lower
        lower /= np.sqrt((lower**2).sum(axis=1, keepdims=True))
        random: FloatArray = np.clip(lower @ lower.T / self.precision, -1.0, 1.0)
        np.fill_diagonal(random, 1.0)
        return random


@dataclass(frozen=True, slots=True)
class _Permuted:
    """Correlations of columns shuffled each on its own."""

    rows: FloatArray
    correlation: CorrelationKind

    def __call__(self, rng: np.random.Generator) -> FloatArray:
        shuffled = self.rows.copy()
        for row in shuffled:
            rng.shuffle(row)
        ones = np.ones(shuffled.shape[1])
        if self.correlation == "polychoric":
            random = polychoric(shuffled.T, ones)
        elif np.isnan(shuffled).any():
            random = pearson(shuffled.T, ones)
        else:
            # Complete columns keep mean and variance when shuffled: one product is enough.
            centred = shuffled - self.rows.mean(axis=1, keepdims=True)
            length = np.sqrt((centred**2).sum(axis=1))
            with np.errstate(invalid="ignore"):
                random = (centred @ centred.T) / np.outer(length, length)
        # A pair of rare answers may fall on no common person: unrelated is what it is.
        random = np.nan_to_num(random)
        np.fill_diagonal(random, 1.0)
        return random


def _eigenvalues(corr: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues of a matrix and of its reduced form, descending."""
    reduced = corr.copy()
    np.fill_diagonal(reduced, squared_multiple_correlations(corr))
    values: FloatArray = np.linalg.eigvalsh(np.stack([corr, reduced]))[:, ::-1].astype(np.float64)
    return values[0], values[1]


def _one_eigenvalue(corr: FloatArray, m: int) -> float:
    """Return eigenvalue m + 1 of a matrix, smoothed where it is not positive definite."""
    values = np.linalg.eigvalsh(corr)
    if values[0] < SMOOTHING_FLOOR:
        values = np.linalg.eigvalsh(smooth_correlation(corr)[0])
    return float(values[-1 - m])


def _summary(random: FloatArray, percentile: float | None) -> FloatArray:
    if percentile is None:
        mean: FloatArray = random.mean(axis=0)
        return mean
    cut: FloatArray = np.percentile(random, percentile, axis=0)
    return cut


def _precision(
    items: FloatArray | None, weights: FloatArray | None, p: int, correlation: CorrelationKind
) -> FloatArray:
    """Return the root of each pair's information per person, relative to complete normal data."""
    if items is None or weights is None:
        return np.ones((p, p))
    answered = (~np.isnan(items)).astype(np.float64)
    share = np.maximum((answered * weights[:, None]).T @ answered / weights.sum(), _LEAST_SHARE)
    if correlation == "polychoric":
        variance = np.array([_category_variance(items[:, j], weights) for j in range(p)])
        share *= np.outer(variance, variance)
    precision: FloatArray = np.sqrt(share)
    return precision


def _category_variance(item: FloatArray, weights: FloatArray) -> float:
    """Return the variance between the categories of a normal variable cut at an item's thresholds.

    1 with ever finer categories, 2/pi for two halves.
    """
    there = ~np.isnan(item)
    _, category = np.unique(item[there], return_inverse=True)
    mass = np.bincount(category, weights[there])
    mass = mass[mass > 0] / mass.sum()
    if len(mass) < 2:
        return 1.0
    cut = ndtri(np.cumsum(mass)[:-1])
    density = np.concatenate([[0.0], np.exp(-(cut**2) / 2) / np.sqrt(2 * np.pi), [0.0]])
    return float((np.diff(density) ** 2 / mass).sum())


def _margins(items: FloatArray, weights: FloatArray, n: int) -> FloatArray:
    """Lay each item's weighted margin out over n people, sorted, NaN last; shape (p, n).

    Whole weights that sum to n give the sorted column of the repeated rows.
    """
    middle = (np.arange(n) + 0.5) / n
    rows = np.empty((items.shape[1], n))
    for j, item in enumerate(items.T):
        order = np.argsort(item, kind="stable")
        share = np.cumsum(weights[order])
        place = np.searchsorted(share / share[-1], middle)
        rows[j] = item[order][np.minimum(place, len(item) - 1)]
    return rows
