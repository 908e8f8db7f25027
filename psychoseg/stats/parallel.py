"""Eigenvalues beside random ones: parallel analysis, and the next eigenvalue sufficiency test.

Owns the random data; never weighs what it finds against other rules (see ``dimension``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from psychoseg.stats.arrays import BoolArray, FloatArray
from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    SMOOTHING_FLOOR,
    ItemKind,
    mixed_correlation,
    pearson,
    polychoric,
    smooth_correlation,
)
from psychoseg.stats.dimension_rules import leading_above
from psychoseg.stats.extraction import (
    require_complete,
    squared_multiple_correlations,
)
from psychoseg.stats.optima import extract_minres_from

__all__ = [
    "CorrelationKind",
    "NextEigenvalue",
    "NullData",
    "ParallelAnalysis",
    "complete_unseen",
    "next_eigenvalue",
    "parallel_analysis",
]

CorrelationKind = Literal["pearson", "polychoric", "mixed"]
NullData = Literal["simulated", "permuted"]

#: A pair of items that fewer than this share of people answered (but somebody) is treated as if so
#: many had.
_LEAST_SHARE = 1e-3
#: Completing a matrix stops when no value changes by more, for a random one far below the sampling
#: error, or after so many rounds.
_TOLERANCE, _RANDOM_TOLERANCE, _MOST_ROUNDS = 1e-9, 1e-4, 500
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
    correlation : {"pearson", "polychoric", "mixed"}
        What ``corr`` is made of. ``mixed`` takes an item with more than :data:`MAX_CATEGORIES`
        different answers as continuous, the others as ordinal.
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
    pair's share of people (missing answers) and, for polychoric and mixed correlations, by
    ``sqrt(V_i V_j)``, V being the variance of the category means of a normal variable cut at the
    item's thresholds, 1 for a continuous item. That is the one-step polychoric (polyserial)
    correlation at rho = 0, where a pair's information per person is ``V_i V_j``: the answers of
    unrelated normal variables with the items' own thresholds, to first order. Without ``items`` the
    thresholds are those of Pearson correlations of complete normal data, which let too many factor
    eigenvalues of a polychoric or mixed matrix through.

    *Permuted.* Each column's weighted margin, missing answers among it, is laid out over
    round(n_obs) people and shuffled; correlations are pairwise, of the same kind as ``corr``
    (polychoric and polyserial ones estimated anew in each replicate).

    *Pairs nobody answered both of* (split questionnaires; known from ``items``). They have a value
    through other items only, as EM gives them one, and no information of their own. Here it is, in
    ``corr`` and in each random matrix alike, the one that leaves the two items unrelated given all
    others (:func:`complete_unseen`).

    Random matrices that are not positive definite are smoothed as the observed one is. An
    eigenvalue counts while all before it count.

    References
    ----------
    Horn (1965), Psychometrika 30, 179-185. Humphreys & Ilgen (1969), Educ. Psychol. Meas. 29,
    571-578, squared multiple correlations. Glorfeld (1995), Educ. Psychol. Meas. 55, 377-393, the
    percentile. Buja & Eyuboglu (1992), Multivar. Behav. Res. 27, 509-540, permutation. Bartlett
    (1933), Proc. R. Soc. Edinb. 53, 260-283, the decomposition. Olsson (1979), Psychometrika 44,
    443-460, the information of a polychoric correlation. Dempster (1972), Biometrics 28, 157-175,
    the completion of a covariance matrix.
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
            _margins(items, weights, round(n_obs)),
            correlation,
            _kinds(items),
            _unseen(items, weights, p),
        )
    else:
        precision = _precision(items, weights, p, correlation)
        draw = _Simulated(n_obs, precision, np.eye(p), _unseen(items, weights, p))
    for i in range(replicates):
        random = smooth_correlation(draw(rng))[0]
        components[i], factors[i] = _eigenvalues(random)
    observed, reduced = _eigenvalues(complete_unseen(corr, items, weights))
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
    factors leave the items little of their own.) Pairs nobody answered both of are completed as
    there. Without factors this is parallel analysis.

    References
    ----------
    Achim (2017), Quant. Methods Psychol. 13, 64-74. Brandenburg & Papenberg (2024), Psychol.
    Methods 29, 21-47, compare it. Caron's R package Rnest fits by maximum likelihood.
    """
    p = len(corr)
    _check(corr, n_obs, items)
    if items is not None:
        weights = np.ones(len(items)) if weights is None else weights
    precision, unseen = _precision(items, weights, p, correlation), _unseen(items, weights, p)
    corr = complete_unseen(corr, items, weights)
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
        draw = _Simulated(n_obs, precision, root.astype(np.float64), unseen)
        random = np.array([_one_eigenvalue(draw(rng), m) for _ in range(replicates)])
        thresholds.append(float(_summary(random, percentile)))
        if observed[m] <= thresholds[-1]:
            break
    threshold = np.array(thresholds)
    seen: FloatArray = observed[: len(threshold)].copy()
    return NextEigenvalue(
        observed=seen, threshold=threshold, n_factors=leading_above(seen, threshold)
    )


def complete_unseen(
    corr: FloatArray, items: FloatArray | None, weights: FloatArray | None = None
) -> FloatArray:
    """Give pairs nobody answered both of the correlation that the other pairs imply.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN. Its values for such pairs are no more than a start.
    items : ndarray, shape (n, p), optional
        The answers behind it, NaN where missing; without them every pair was seen.
    weights : ndarray, shape (n,), optional
        Rows of weight zero answered nothing.

    Returns
    -------
    ndarray, shape (p, p)
        The completion of largest determinant: the inverse is zero at unseen pairs. The same values
        where there are none.

    Notes
    -----
    With blocks A and B never answered together and items C that everybody answered the value is
    ``R_AC inv(R_CC) R_CB``; without C it is 0. Nothing in the answers speaks for or against it: a
    likelihood is flat there, and EM stops where its start leads it, short of this value, which
    splits factors that run through both blocks.

    References
    ----------
    Dempster (1972), Biometrics 28, 157-175.
    """
    return _completed(corr, _unseen(items, weights, len(corr)), _TOLERANCE)


def _check(corr: FloatArray, n_obs: float, items: FloatArray | None) -> None:
    p = len(corr)
    if n_obs <= p:
        msg = f"parallel analysis takes more respondents ({n_obs:g}) than items ({p})"
        raise ValueError(msg)
    require_complete(corr)
    if items is not None and items.shape[1] != p:
        msg = f"items have {items.shape[1]} columns, the correlation matrix {p}"
        raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class _Simulated:
    """Correlations of n normal rows, and what less precise answers make of them.

    ``root`` is the Cholesky factor of their correlations times the precision; ``unseen`` are the
    pairs to complete.
    """

    n_obs: float
    precision: FloatArray
    root: FloatArray
    unseen: BoolArray

    def __call__(self, rng: np.random.Generator) -> FloatArray:
        p = len(self.precision)
        lower = np.tril(rng.standard_normal((p, p)), -1)
        lower[np.diag_indices(p)] = np.sqrt(rng.chisquare(self.n_obs - 1 - np.arange(p)))
        lower = self.root @ lower
        lower /= np.sqrt((lower**2).sum(axis=1, keepdims=True))
        random: FloatArray = np.clip(lower @ lower.T / self.precision, -1.0, 1.0)
        np.fill_diagonal(random, 1.0)
        return _completed(random, self.unseen, _RANDOM_TOLERANCE)


@dataclass(frozen=True, slots=True)
class _Permuted:
    """Correlations of columns shuffled each on its own."""

    rows: FloatArray
    correlation: CorrelationKind
    kinds: list[ItemKind]
    unseen: BoolArray

    def __call__(self, rng: np.random.Generator) -> FloatArray:
        shuffled = self.rows.copy()
        for row in shuffled:
            rng.shuffle(row)
        ones = np.ones(shuffled.shape[1])
        if self.correlation == "polychoric":
            random = polychoric(shuffled.T, ones)
        elif self.correlation == "mixed":
            random = mixed_correlation(shuffled.T, self.kinds, ones)
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
        return _completed(random, self.unseen, _RANDOM_TOLERANCE)


def _completed(corr: FloatArray, unseen: BoolArray, tolerance: float) -> FloatArray:
    """Replace correlations of pairs nobody saw by those that leave them unrelated given the rest.

    Items with the same unseen partners move together: their correlations with those are what
    regression on the items they were seen with makes of them.
    """
    full = corr.copy()
    blocks = np.unique(unseen[unseen.any(axis=1)], axis=0)
    for _ in range(_MOST_ROUNDS):
        change = 0.0
        for far in blocks:
            own = (unseen == far).all(axis=1)
            near = ~own & ~far
            value = np.zeros((own.sum(), far.sum()))
            if near.any():
                # Pairs of few people can make this part indefinite, which has no regression.
                given = smooth_correlation(full[np.ix_(near, near)], floor=_LEAST_EIGENVALUE)[0]
                value = full[np.ix_(own, near)] @ np.linalg.solve(given, full[np.ix_(near, far)])
            value = np.clip(value, -1.0, 1.0)
            change = max(change, float(np.abs(value - full[np.ix_(own, far)]).max()))
            full[np.ix_(own, far)] = value
            full[np.ix_(far, own)] = value.T
        if change <= tolerance:
            break
    return full


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
    share = (answered * weights[:, None]).T @ answered / weights.sum()
    # What stands for a pair nobody answered is completed later: until then it is drawn as if
    # answers were missing independently, which keeps the drawn matrix positive definite.
    own = np.diag(share)
    share = np.maximum(np.where(share > 0, share, np.outer(own, own)), _LEAST_SHARE)
    if correlation != "pearson":
        kinds = _kinds(items) if correlation == "mixed" else ["ordinal"] * p
        variance = np.array(
            [
                _category_variance(items[:, j], weights) if kind == "ordinal" else 1.0
                for j, kind in enumerate(kinds)
            ]
        )
        share *= np.outer(variance, variance)
    precision: FloatArray = np.sqrt(share)
    return precision


def _unseen(items: FloatArray | None, weights: FloatArray | None, p: int) -> BoolArray:
    """Return which pairs of items nobody answered both of."""
    if items is None:
        return np.zeros((p, p), dtype=np.bool_)
    rows = items if weights is None else items[weights > 0]
    answered = (~np.isnan(rows)).astype(np.float64)
    unseen: BoolArray = answered.T @ answered == 0
    # An item without answers has no partner to go through, and is refused with its correlations.
    np.fill_diagonal(unseen, False)
    return unseen


def _kinds(items: FloatArray) -> list[ItemKind]:
    """Return what each item is to mixed correlations."""
    many = [len(np.unique(x[~np.isnan(x)])) > MAX_CATEGORIES for x in items.T]
    return ["continuous" if over else "ordinal" for over in many]


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
