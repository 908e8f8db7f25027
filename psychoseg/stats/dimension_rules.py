"""Rules for the number of factors that need one correlation matrix and no random data.

Each returns its whole curve, so that a reader sees how close the call was. Never weighs one rule
against another (see ``dimension``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray
from psychoseg.stats.factor import kmo

__all__ = [
    "Hull",
    "acceleration_factor",
    "common_part_accounted_for",
    "comparative_fit",
    "empirical_kaiser",
    "hull",
    "kaiser_rule",
    "leading_above",
    "minimum_average_partial",
]

#: A component that leaves an item less variance than this leaves nothing to correlate.
_NO_VARIANCE = 1e-8


@dataclass(frozen=True, slots=True)
class Hull:
    """Fit of 0, 1, 2, ... factors and where its curve bends.

    Attributes
    ----------
    fit : ndarray, shape (m + 1,)
        Fit with 0, 1, ..., m factors; larger is better.
    df : ndarray, shape (m + 1,)
        Degrees of freedom of each model.
    on_hull : ndarray of bool, shape (m + 1,)
        Solutions on the upper convex hull.
    bend : ndarray, shape (m + 1,)
        The st value: gain in fit per parameter up to a solution over the gain beyond it. NaN off
        the hull and at its ends.
    n_factors : int or None
        The solution with the largest st; None where fewer than three solutions are on the hull.
    """

    fit: FloatArray
    df: FloatArray
    on_hull: BoolArray
    bend: FloatArray
    n_factors: int | None


def leading_above(values: FloatArray, reference: FloatArray) -> int:
    """Return how many leading values lie above their reference, up to the first that does not."""
    below = np.flatnonzero(values <= reference)
    return int(below[0]) if len(below) else len(values)


def kaiser_rule(eigenvalues: FloatArray) -> int:
    """Count eigenvalues of the correlation matrix above one.

    Parameters
    ----------
    eigenvalues : ndarray, shape (p,)

    Notes
    -----
    It suggests too many factors in samples: half of the eigenvalues of unrelated items exceed one.

    References
    ----------
    Kaiser (1960), Educ. Psychol. Meas. 20, 141-151.
    """
    return int((eigenvalues > 1).sum())


def acceleration_factor(eigenvalues: FloatArray) -> tuple[int, FloatArray]:
    """Find the sharpest elbow of the scree: the largest second difference.

    Parameters
    ----------
    eigenvalues : ndarray, shape (p,)
        Descending, p of at least 3.

    Returns
    -------
    n_factors : int
        Eigenvalues before the elbow.
    acceleration : ndarray, shape (p,)
        Second difference at each eigenvalue; NaN at both ends.

    References
    ----------
    Raiche, Walls, Magis, Riopel & Blais (2013), Methodology 9, 23-29.
    """
    acceleration = np.full(len(eigenvalues), np.nan)
    acceleration[1:-1] = eigenvalues[2:] - 2 * eigenvalues[1:-1] + eigenvalues[:-2]
    # The elbow itself belongs to the scree, so that the factors are those before it.
    return int(np.nanargmax(acceleration)), acceleration


def empirical_kaiser(eigenvalues: FloatArray, n_obs: float) -> tuple[int, FloatArray]:
    """Apply the empirical Kaiser criterion.

    Parameters
    ----------
    eigenvalues : ndarray, shape (p,)
        Of the correlation matrix, descending.
    n_obs : float
        Respondents behind it.

    Returns
    -------
    n_factors : int
        Leading eigenvalues above their reference.
    reference : ndarray, shape (p,)
        The eigenvalue expected of the next component of unrelated items, given how much variance
        the earlier ones took; at least 1.

    References
    ----------
    Braeken & van Assen (2017), Psychol. Methods 22, 450-466. (The study of Auerswald & Moshagen
    2019 takes off the earlier references in place of the earlier eigenvalues.)
    """
    p = len(eigenvalues)
    taken = np.concatenate([[0.0], np.cumsum(eigenvalues)[:-1]])
    share = (p - taken) / np.arange(p, 0, -1)
    reference = np.maximum(share * (1 + np.sqrt(p / n_obs)) ** 2, 1.0)
    return leading_above(eigenvalues, reference), reference


def minimum_average_partial(
    corr: FloatArray, *, power: Literal[2, 4] = 2
) -> tuple[int, FloatArray]:
    """Apply Velicer's minimum average partial test.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN.
    power : {2, 4}
        2 is the test of 1976, 4 its revision of 2000.

    Returns
    -------
    n_factors : int
        Components after which the average is smallest; the first of equal ones.
    average : ndarray, shape (p,)
        Average of the partial correlations to that power after 0, 1, ..., p - 1 components. NaN
        from where an item has no variance left.

    Notes
    -----
    Entry 0 is the average of the correlations themselves, which psych::VSS leaves out: its map[1]
    is entry 1 here.

    References
    ----------
    Velicer (1976), Psychometrika 41, 321-327. Velicer, Eaton & Fava (2000) in Goffin & Helmes,
    Problems and Solutions in Human Assessment, 41-71, the fourth power.
    """
    p = len(corr)
    values, vectors = np.linalg.eigh(corr)
    loadings = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    average = np.full(p, np.nan)
    left = corr.copy()
    for m in range(p):
        if m > 0:
            left -= np.outer(loadings[:, m - 1], loadings[:, m - 1])
        variance = np.diag(left)
        if variance.min() < _NO_VARIANCE:
            break
        partial = left / np.sqrt(np.outer(variance, variance))
        average[m] = ((partial**power).sum() - p) / (p * (p - 1))
    return int(np.nanargmin(average)), average


def common_part_accounted_for(corr: FloatArray, loadings: FloatArray) -> float:
    """Return the common part accounted for: one minus the KMO of the residual correlations.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    loadings : ndarray, shape (p, m)
        Unrotated; m may be 0.

    Returns
    -------
    float
        Near 1 where the residuals share nothing, near 0 where nothing is explained.

    References
    ----------
    Lorenzo-Seva, Timmerman & Kiers (2011), Multivar. Behav. Res. 46, 340-364, eq. 3.
    """
    residual = corr - loadings @ loadings.T
    np.fill_diagonal(residual, 1.0)
    return 1 - kmo(residual)[0]


def comparative_fit(
    corr: FloatArray, loadings: FloatArray, uniquenesses: FloatArray, n_obs: float, df: float
) -> float:
    """Return the comparative fit index of a factor solution under the normal likelihood.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Positive definite.
    loadings : ndarray, shape (p, m)
    uniquenesses : ndarray, shape (p,)
    n_obs : float
    df : float
        Degrees of freedom of the solution.

    Notes
    -----
    With minres loadings the chi-square is the likelihood's at the minres solution, as psych::fa
    reports it, here without Bartlett's correction (factor n - 1).

    References
    ----------
    Bentler (1990), Psychol. Bull. 107, 238-246.
    """
    p = len(corr)
    implied = loadings @ loadings.T + np.diag(uniquenesses)
    log_det = np.linalg.slogdet(corr)[1]
    discrepancy = np.linalg.slogdet(implied)[1] - log_det
    discrepancy += np.trace(np.linalg.solve(implied, corr)) - p
    excess = max((n_obs - 1) * discrepancy - df, 0.0)
    null = max(-(n_obs - 1) * log_det - p * (p - 1) / 2, 0.0)
    worst = max(excess, null)
    return 1.0 if worst == 0 else float(1 - excess / worst)


def hull(fit: FloatArray, df: FloatArray) -> Hull:
    """Find the number of factors after which more factors stop paying for their parameters.

    Parameters
    ----------
    fit : ndarray, shape (m + 1,)
        Fit of 0, 1, ..., m factors; larger is better.
    df : ndarray, shape (m + 1,)
        Degrees of freedom, falling.

    Returns
    -------
    Hull

    Notes
    -----
    Solutions no better than one with fewer factors are dropped, then those on or below a line
    between two others; st is the ratio of slopes before and after a solution that is left.

    References
    ----------
    Lorenzo-Seva, Timmerman & Kiers (2011), Multivar. Behav. Res. 46, 340-364, steps 3 to 8 on
    p. 351.
    """
    kept = [0]
    for j in range(1, len(fit)):
        if fit[j] > fit[kept[-1]]:
            # An upper hull by one scan: points under the new edge leave.
            while len(kept) > 1 and _slope(fit, df, kept[-2], kept[-1]) <= _slope(
                fit, df, kept[-1], j
            ):
                kept.pop()
            kept.append(j)
    bend = np.full(len(fit), np.nan)
    for before, here, after in zip(kept, kept[1:], kept[2:], strict=False):
        bend[here] = _slope(fit, df, before, here) / _slope(fit, df, here, after)
    on_hull = np.zeros(len(fit), dtype=bool)
    on_hull[kept] = True
    best = None if np.isnan(bend).all() else int(np.nanargmax(bend))
    return Hull(fit=fit.copy(), df=df.copy(), on_hull=on_hull, bend=bend, n_factors=best)


def _slope(fit: FloatArray, df: FloatArray, before: int, after: int) -> float:
    return float((fit[after] - fit[before]) / (df[before] - df[after]))
