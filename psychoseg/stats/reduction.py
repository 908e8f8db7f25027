"""Weighted standardisation and principal components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import FloatArray, positive_signs

__all__ = ["PrincipalComponents", "principal_components", "weighted_mean_sd"]


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
    cov = (x * weights[:, None]).T @ x / weights.sum()
    values, vectors = np.linalg.eigh(cov)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    vectors = vectors * positive_signs(vectors)
    return PrincipalComponents(values, vectors, x @ vectors)
