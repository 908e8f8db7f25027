"""Factors once they are found: order, communalities, congruence, a general factor, adequacy.

Finding them is ``extraction``, turning them ``rotation``, how many ``dimension``.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import chi2

from psychoseg.stats.arrays import FloatArray, IntArray, positive_signs
from psychoseg.stats.extraction import (
    SINGULAR,
    Extraction,
    extract_minres,
    limit_inverse,
    require_complete,
    squared_multiple_correlations,
)

__all__ = [
    "Extraction",
    "bartlett_sphericity",
    "communalities",
    "extract_minres",
    "kmo",
    "match_factors",
    "order_factors",
    "schmid_leiman",
    "squared_multiple_correlations",
    "tucker_congruence",
]


def order_factors(
    loadings: FloatArray, phi: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Order factors by the variance they explain and turn each so that its loadings sum positive.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)

    Returns
    -------
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)
    variance : ndarray, shape (m,)
        ``diag(phi @ loadings.T @ loadings)``: a factor's share of the items' variance, the part it
        shares with other factors counted once for each; they sum to the sum of the communalities.
    """
    variance = np.diag(phi @ loadings.T @ loadings)
    order = np.argsort(-variance.round(10), kind="stable")
    sign = positive_signs(loadings[:, order])
    turned = phi[np.ix_(order, order)] * np.outer(sign, sign)
    return loadings[:, order] * sign, turned, variance[order]


def schmid_leiman(loadings: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split oblique factors into one general factor and group factors that are all uncorrelated.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
        Correlations of the factors.

    Returns
    -------
    general : ndarray, shape (p,)
        Loadings on the general factor; all of the loadings where m is 1.
    group : ndarray, shape (p, m)
        Loadings on what each factor has of its own; zeros where m is 1.

    Notes
    -----
    The general factor is the one minres factor of ``phi``. Two factors do not identify it: both
    then get the same loading, the root of their correlation, as in ``psych::schmid(option =
    "equal")``, and what follows from it (omega hierarchical) is a convention, not a finding. A
    factor that the general one explains wholly keeps a group factor of zeros. With m = 3 the
    general factor fits ``phi`` exactly, so that communalities are kept; with m > 3 as far as it
    fits.

    References
    ----------
    Schmid & Leiman (1957), Psychometrika 22, 53-61. Same values as psych 2.2.9, ``schmid``.
    """
    m = len(phi)
    if m == 1:
        return loadings[:, 0].copy(), np.zeros_like(loadings)
    if m == 2:
        shared = np.sqrt(abs(phi[0, 1]))
        second_order = np.array([shared, np.sign(phi[0, 1]) * shared])
    else:
        second_order = extract_minres(phi, 1).loadings[:, 0]
    own = np.sqrt(np.maximum(1 - second_order**2, 0.0))
    return loadings @ second_order, loadings * own


def communalities(loadings: FloatArray, phi: FloatArray) -> FloatArray:
    """Return the communality of each item, ``diag(L phi L')``, shape (p,)."""
    h2: FloatArray = np.einsum("ij,jk,ik->i", loadings, phi, loadings)
    return h2


def tucker_congruence(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Tucker's congruence of every column of a with every column of b, shape (m_a, m_b).

    Parameters
    ----------
    a, b : ndarray, shapes (p, m_a) and (p, m_b)

    Returns
    -------
    ndarray
        Cosines in [-1, 1]; .95 and more counts as the same factor (Lorenzo-Seva & ten Berge 2006).

    References
    ----------
    Tucker (1951), A method for synthesis of factor analysis studies.
    """
    norms = np.outer(np.sqrt((a**2).sum(axis=0)), np.sqrt((b**2).sum(axis=0)))
    return (a.T @ b) / np.where(norms > 0, norms, np.inf)


def match_factors(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pair the columns of a with those of b so that the summed absolute congruence is highest.

    Parameters
    ----------
    a, b : ndarray, shapes (p, m_a) and (p, m_b)

    Returns
    -------
    rows, columns : ndarray of int
        Paired columns of a and of b, ``min(m_a, m_b)`` of each, by column of a.
    congruence : ndarray
        Signed congruence of each pair.
    """
    table = tucker_congruence(a, b)
    rows, columns = linear_sum_assignment(-np.abs(table))
    return rows, columns, table[rows, columns]


def kmo(corr: FloatArray) -> tuple[float, FloatArray]:
    """Compute Kaiser's measure of sampling adequacy, overall and for each item.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN; they may be singular.

    Returns
    -------
    overall : float
    items : ndarray, shape (p,)
        NaN where all correlations are zero.

    Raises
    ------
    ValueError
        Where ``corr`` holds NaN.

    Notes
    -----
    The partial correlations of a singular matrix are those it tends to as an unrelated error in it
    vanishes (:func:`~psychoseg.stats.extraction.limit_inverse`): a duplicate and its twin, or a sum
    score and its parts, have one of 1 or -1, and so low adequacy. ``psych::KMO`` puts the
    correlations in place of the inverse there, and says .5 whatever the items.

    References
    ----------
    Kaiser & Rice (1974), Educ. Psychol. Meas. 34, 111-117.
    """
    inverse = limit_inverse(corr)
    scale = np.sqrt(np.diag(inverse))
    partial = (inverse / np.outer(scale, scale)) ** 2
    squared = corr**2
    np.fill_diagonal(partial, 0.0)
    np.fill_diagonal(squared, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        items = squared.sum(axis=0) / (squared.sum(axis=0) + partial.sum(axis=0))
        overall = squared.sum() / (squared.sum() + partial.sum())
    return float(overall), items


def bartlett_sphericity(corr: FloatArray, n_obs: float) -> tuple[float, int, float]:
    """Test that all correlations are zero; return chi-square, degrees of freedom and p.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN.
    n_obs : float
        Respondents behind the correlations.

    Returns
    -------
    chi_square : float
        Infinite where the matrix is singular or indefinite; 0 where so few respondents make the
        factor before the logarithm negative.
    df : int
    p : float

    Raises
    ------
    ValueError
        Where ``corr`` holds NaN.

    References
    ----------
    Bartlett (1951), Biometrika 38, 337-344: ``-(n - 1 - (2p + 5) / 6) ln det R``.
    """
    p = len(corr)
    require_complete(corr)
    values = np.linalg.eigvalsh(corr)
    statistic = np.inf
    if values[0] > SINGULAR * values[-1]:
        statistic = max(-(n_obs - 1 - (2 * p + 5) / 6) * float(np.log(values).sum()), 0.0)
    df = p * (p - 1) // 2
    return float(statistic), df, float(chi2.sf(statistic, df))
