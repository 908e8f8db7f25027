"""Scores of people on factors and scales, and how far factor scores can be trusted.

Never decides which items make a scale, and never reverses one: items come keyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.extraction import require_complete
from psychoseg.stats.factor import communalities

__all__ = [
    "SCORE_METHODS",
    "FactorScores",
    "ScoreWeights",
    "determinacy",
    "factor_scores",
    "score_weights",
    "unit_scores",
]

ScoreMethod = Literal["regression", "bartlett", "ten_berge"]
SCORE_METHODS: tuple[ScoreMethod, ...] = ("regression", "bartlett", "ten_berge")
#: Eigenvalues below this share of the largest count as none where a matrix is inverted.
_RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Weights that turn standardised items into factor scores.

    Attributes
    ----------
    weights : ndarray, shape (p, m)
        Scores are ``z @ weights``.
    correlations : ndarray, shape (m, m)
        Of the scores among each other.
    validity : ndarray, shape (m,)
        Correlation of each score with its factor.
    determinacy : ndarray, shape (m,)
        The highest such correlation that any weights reach (those of regression do).
    """

    weights: FloatArray
    correlations: FloatArray
    validity: FloatArray
    determinacy: FloatArray


@dataclass(frozen=True, slots=True)
class FactorScores:
    """People's scores on factors.

    Attributes
    ----------
    scores : ndarray, shape (n, m)
        NaN where too few items were answered, or those answered do not determine the scores.
    n_answered : ndarray of int, shape (n,)
    mean, sd : ndarray, shape (p,)
        What items were standardised with; score new people with the same.
    """

    scores: FloatArray
    n_answered: IntArray
    mean: FloatArray
    sd: FloatArray


def score_weights(
    corr: FloatArray, loadings: FloatArray, phi: FloatArray, *, method: ScoreMethod = "regression"
) -> ScoreWeights:
    """Compute the weights of factor scores.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN; a singular matrix gets a pseudo-inverse.
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
    method : {"regression", "bartlett", "ten_berge"}
        ``regression`` (Thurstone) correlates highest with the factors, ``bartlett`` is unbiased for
        each person, ``ten_berge`` gives scores that correlate exactly as the factors do.

    Returns
    -------
    ScoreWeights

    Raises
    ------
    ValueError
        For an unknown method, or where ``corr`` holds NaN; for Bartlett where an item has no
        uniqueness or the loadings do not have full rank.

    Notes
    -----
    With S = ``loadings @ phi``: regression ``inv(R) S``; Bartlett ``inv(U) L inv(L' inv(U) L)``
    with U the uniquenesses that the loadings imply; ten Berge ``inv(R)^.5 C phi^.5`` with ``C =
    inv(R)^.5 L phi^.5 (phi^.5 L' inv(R) L phi^.5)^-.5``. Matches psych 2.2.9 ``factor.scores``
    (methods Thurstone, Bartlett, tenBerge).

    References
    ----------
    Thurstone (1935), The Vectors of Mind. Bartlett (1937), Br. J. Psychol. 28, 97-104. ten Berge,
    Krijnen, Wansbeek & Shapiro (1999), Linear Algebra Appl. 289, 311-318. Grice (2001), Psychol.
    Methods 6, 430-450, determinacy and validity (its eq. 8, of ten Berge's scores, has a misprint).
    """
    if method not in SCORE_METHODS:
        msg = f"method = {method!r} is none of {', '.join(SCORE_METHODS)}"
        raise ValueError(msg)
    require_complete(corr)
    uniquenesses = 1 - communalities(loadings, phi)
    if method == "bartlett" and (uniquenesses <= 0).any():
        item = int(uniquenesses.argmin())
        msg = (
            f"Bartlett scores divide by uniquenesses, and that of item {item} is "
            f"{uniquenesses[item]:.3g} (a Heywood case): drop it, or use regression scores"
        )
        raise ValueError(msg)
    weights = _weights(corr, loadings, phi, uniquenesses, method)
    if weights is None:
        msg = "these loadings do not have full column rank: the scores are not determined"
        raise ValueError(msg)
    structure = loadings @ phi
    covariances = weights.T @ corr @ weights
    sd = np.sqrt(np.diag(covariances))
    correlations = covariances / np.outer(sd, sd)
    np.fill_diagonal(correlations, 1.0)
    return ScoreWeights(
        weights=weights,
        correlations=(correlations + correlations.T) / 2,
        validity=(weights * structure).sum(axis=0) / sd,
        determinacy=determinacy(corr, loadings, phi),
    )


def determinacy(corr: FloatArray, loadings: FloatArray, phi: FloatArray) -> FloatArray:
    """Compute the multiple correlation of each factor with the items, shape (m,).

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)

    Returns
    -------
    ndarray
        Above .9 scores may stand for the factor (Gorsuch 1983, in Grice); below .71 (half the
        variance) two sets of scores that both fit may correlate negatively. Values above 1, which
        an improper solution gives, are left for the reader to see.

    References
    ----------
    Guttman (1955), Br. J. Stat. Psychol. 8, 65-81. Grice (2001), Psychol. Methods 6, 430-450.
    """
    require_complete(corr)
    structure = loadings @ phi
    squared = (structure * (np.linalg.pinv(corr, hermitian=True) @ structure)).sum(axis=0)
    rho: FloatArray = np.sqrt(np.maximum(squared, 0.0))
    return rho


def factor_scores(
    items: FloatArray,
    weights: FloatArray,
    corr: FloatArray,
    loadings: FloatArray,
    phi: FloatArray,
    *,
    method: ScoreMethod = "regression",
    min_share: float = 0.5,
    mean: FloatArray | None = None,
    sd: FloatArray | None = None,
) -> FactorScores:
    """Score people on factors, those with missing answers included.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Keyed answers, NaN where missing.
    weights : ndarray, shape (n,)
        Survey weights; they enter the mean and standard deviation of each item.
    corr : ndarray, shape (p, p)
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)
    method : {"regression", "bartlett", "ten_berge"}
    min_share : float
        Least share of the items that must be answered.
    mean, sd : ndarray, shape (p,), optional
        To standardise with, for people who are not among those the factors came from.

    Returns
    -------
    FactorScores

    Raises
    ------
    ValueError
        As :func:`score_weights`, and where an item has no variance.

    Notes
    -----
    Nothing is imputed. Each pattern of missing answers gets weights of its own, from the
    correlations and loadings of the answered items alone: for regression the expectation of the
    factors given the answers. (Leaving a gap at the mean, as programs do, pulls scores to zero.)
    Bartlett and ten Berge scores of a person are NaN where the answered items do not have as many
    dimensions as there are factors. Standard deviations divide by the sum of the weights, so that
    rescaled weights change nothing; R's ``scale`` divides by n - 1, and its scores are smaller by
    the factor ``sqrt((n - 1) / n)``.
    """
    score_weights(corr, loadings, phi, method=method)
    answered = ~np.isnan(items)
    if mean is None or sd is None:
        mean, sd = _mean_sd(items, answered, weights)
    if not (sd > 0).all():
        msg = f"item {int(np.argmin(np.where(sd > 0, 1, 0)))} has no variance: drop it"
        raise ValueError(msg)
    z = np.where(answered, (items - mean) / sd, 0.0)
    uniquenesses = 1 - communalities(loadings, phi)
    scores = np.full((len(items), loadings.shape[1]), np.nan)
    n_answered: IntArray = answered.sum(axis=1)
    enough = n_answered >= _least_answers(min_share, items.shape[1])
    if not enough.any():
        return FactorScores(scores=scores, n_answered=n_answered, mean=mean, sd=sd)
    patterns, pattern_of = np.unique(answered[enough], axis=0, return_inverse=True)
    rows = np.flatnonzero(enough)[np.argsort(pattern_of.ravel(), kind="stable")]
    ends = np.cumsum(np.bincount(pattern_of.ravel(), minlength=len(patterns)))
    for there, group in zip(patterns, np.split(rows, ends[:-1]), strict=True):
        own = _weights(
            corr[np.ix_(there, there)], loadings[there], phi, uniquenesses[there], method
        )
        if own is not None:
            scores[group] = z[np.ix_(group, there)] @ own
    return FactorScores(scores=scores, n_answered=n_answered, mean=mean, sd=sd)


def unit_scores(
    items: FloatArray,
    members: BoolArray,
    *,
    statistic: Literal["mean", "sum"] = "mean",
    min_share: float = 0.5,
) -> FloatArray:
    """Score people by the unweighted mean or sum of each scale's items, shape (n, s).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Keyed answers, NaN where missing.
    members : ndarray of bool, shape (p, s)
        Which items make which scale.
    statistic : {"mean", "sum"}
        A sum with gaps is the mean of the answers times the number of items.
    min_share : float
        Least share of a scale's items that must be answered; NaN below it.

    Returns
    -------
    ndarray, shape (n, s)
    """
    scores = np.full((len(items), members.shape[1]), np.nan)
    for j, chosen in enumerate(members.T):
        own = items[:, chosen]
        answered = ~np.isnan(own)
        count = answered.sum(axis=1)
        enough = count >= _least_answers(min_share, own.shape[1])
        # Row by row, so that a person's sum does not depend on where the row stands.
        total = np.where(answered, own, 0.0).sum(axis=1)
        scores[enough, j] = total[enough] / count[enough]
        if statistic == "sum":
            scores[:, j] *= own.shape[1]
    return scores


def _least_answers(min_share: float, n_items: int) -> int:
    """Return how many answers make the share, one at least; rounding must not ask for one more."""
    return max(1, int(np.ceil(min_share * n_items - 1e-9)))


def _weights(
    corr: FloatArray,
    loadings: FloatArray,
    phi: FloatArray,
    uniquenesses: FloatArray,
    method: ScoreMethod,
) -> FloatArray | None:
    """Return score weights (p, m), None where the items do not determine the scores."""
    if method == "regression":
        return _power(corr, -1.0)[0] @ loadings @ phi
    if method == "bartlett":
        scaled = loadings / uniquenesses[:, None]
        inverse, rank = _power(scaled.T @ loadings, -1.0)
        return scaled @ inverse if rank == loadings.shape[1] else None
    root = _power(corr, -0.5)[0]
    phi_root = _power(phi, 0.5)[0]
    turned = root @ loadings @ phi_root
    inner, rank = _power(turned.T @ turned, -0.5)
    return root @ turned @ inner @ phi_root if rank == loadings.shape[1] else None


def _power(matrix: FloatArray, exponent: float) -> tuple[FloatArray, int]:
    """Return a symmetric matrix to a power, zero eigenvalues left at zero, and its rank."""
    values, vectors = np.linalg.eigh(matrix)
    there = values > _RANK_TOLERANCE * values[-1]
    raised = np.where(there, np.where(there, values, 1.0) ** exponent, 0.0)
    return (vectors * raised) @ vectors.T, int(there.sum())


def _mean_sd(
    items: FloatArray, answered: BoolArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return each item's weighted mean and standard deviation over its own answers."""
    mass = weights @ answered
    if not (mass > 0).all():
        msg = f"item {int(np.argmin(mass))} has no answers: drop it"
        raise ValueError(msg)
    mean = (weights @ np.where(answered, items, 0.0)) / mass
    centred = np.where(answered, items - mean, 0.0)
    sd = np.sqrt((weights @ centred**2) / mass)
    # Below one part in 1e12 of the mean square a variance is rounding: the item is constant.
    return mean, np.where(sd > 1e-6 * np.maximum(np.abs(mean), 1e-300), sd, 0.0)
