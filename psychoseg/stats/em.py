"""Means and covariances of a multivariate normal with answers missing, by maximum likelihood.

Owns the EM algorithm. Never fills in answers for anybody else to use.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from psychoseg.errors import PsychosegWarning
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["NormalMoments", "em_moments"]

#: Below this smallest eigenvalue of the correlations the items depend on one another, and the
#: likelihood has no bound.
_SINGULAR = 1e-10
#: Numbers that one batch of small inverses may hold, so that memory stays flat.
_BATCH = 4_000_000


@dataclass(frozen=True, slots=True)
class NormalMoments:
    """Moments of a normal distribution fitted to incomplete rows.

    Attributes
    ----------
    mean : ndarray, shape (p,)
        NaN for an item without answers.
    cov : ndarray, shape (p, p)
        Divided by the sum of weights. NaN for an item without answers; zeros for a constant item.
    n_steps : int
        EM steps taken.
    converged : bool
    """

    mean: FloatArray
    cov: FloatArray
    n_steps: int
    converged: bool

    @property
    def corr(self) -> FloatArray:
        """Return the correlations, NaN for items that do not vary."""
        scale = np.sqrt(np.diag(self.cov))
        with np.errstate(invalid="ignore", divide="ignore"):
            corr: FloatArray = self.cov / np.outer(scale, scale)
        np.fill_diagonal(corr, np.where(scale > 0, 1.0, np.nan))
        return corr


def em_moments(
    items: FloatArray, weights: FloatArray, *, max_steps: int = 5000, tolerance: float = 1e-9
) -> NormalMoments:
    """Estimate means and covariances by maximum likelihood under normality, by EM.

    Every row with an answer counts for what it answered; a row without any says nothing. Right
    where answers are missing at random, given the answers there are.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows; rescaling all of them changes nothing.
    max_steps : int
        EM steps at most; more than that gives a warning.
    tolerance : float
        Stops when no mean and no covariance of the standardised items changes by more.

    Returns
    -------
    NormalMoments

    Raises
    ------
    ValueError
        Where items depend linearly on one another (a duplicate, a sum score, fewer rows than
        items): the likelihood then has no maximum. The message gives their positions.

    Warns
    -----
    PsychosegWarning
        Where it did not converge.

    Notes
    -----
    Covariances divide by the sum of weights, not by one less. Starts from the available means and
    variances and no correlation. This is the unrestricted (h1) model of ``lavaan`` with
    ``missing = "fiml"``, ``psych::corFiml`` and ``norm::em.norm``. The conditional distributions
    are read off the inverse of the covariance matrix, so that a step costs one matrix product, and
    one small inverse a pattern of missing answers.

    References
    ----------
    Dempster, Laird & Rubin (1977), J. R. Stat. Soc. B 39, 1-38. Little & Rubin (2002), Statistical
    Analysis with Missing Data, 2nd ed., sec. 11.2.1.
    """
    p = items.shape[1]
    kept = (weights > 0) & ~np.isnan(items).all(axis=1)
    x, w = items[kept], weights[kept] / (weights[kept].sum() or 1.0)
    missing = np.isnan(x)
    centre, scale = _available(x, w)
    varying = np.flatnonzero(scale > 0)
    mean, cov = centre.copy(), np.full((p, p), np.nan)
    cov[np.ix_(~np.isnan(centre), ~np.isnan(centre))] = 0.0
    if len(varying) == 0:
        return NormalMoments(mean=mean, cov=cov, n_steps=0, converged=True)
    z = (x[:, varying] - centre[varying]) / scale[varying]
    missing = missing[:, varying]
    answered = ~missing.all(axis=1)
    z, missing, w = z[answered], missing[answered], w[answered] / w[answered].sum()
    patterns, pattern_of = np.unique(missing, axis=0, return_inverse=True)
    pattern_of = pattern_of.reshape(-1)
    mass: FloatArray = np.bincount(pattern_of, w, len(patterns)).astype(np.float64)
    m, s = np.zeros(len(varying)), np.eye(len(varying))
    converged, step = False, 0
    while not converged and step < max_steps:
        step += 1
        new_m, new_s = _step(z, missing, w, patterns, pattern_of, mass, m, s)
        _require_full_rank(new_s, varying)
        change = max(np.abs(new_m - m).max(), np.abs(new_s - s).max())
        m, s = new_m, new_s
        # Without missing answers the first step is the answer.
        converged = change <= tolerance or not missing.any()
    if not converged:
        msg = (
            f"EM did not converge in {max_steps} steps (last change {change:.1g}); items with few "
            "answers in common make it slow: use pairwise correlations, or leave such items out"
        )
        warnings.warn(msg, PsychosegWarning, stacklevel=2)
    mean[varying] = centre[varying] + scale[varying] * m
    cov[np.ix_(varying, varying)] = s * np.outer(scale[varying], scale[varying])
    return NormalMoments(mean=mean, cov=cov, n_steps=step, converged=converged)


def _available(x: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each item's mean and standard deviation over its own answers; 0 if it is constant."""
    answered = ~np.isnan(x)
    mass = w @ answered
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (w @ np.where(answered, x, 0.0)) / mass
        deviation = np.where(answered, x - centre, 0.0)
        scale = np.sqrt((w @ deviation**2) / mass)
    # Less than this is the rounding error of a mean.
    scale[scale <= 1e-12 * np.abs(centre)] = 0.0
    return centre, scale


def _step(
    z: FloatArray,
    missing: BoolArray,
    w: FloatArray,
    patterns: BoolArray,
    pattern_of: IntArray,
    mass: FloatArray,
    m: FloatArray,
    s: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the moments after one EM step.

    With K the inverse of s, missing answers given the others have covariance inv(K_mm) and mean
    m_m - inv(K_mm) K_mo (z_o - m_o).
    """
    p = len(m)
    precision = np.linalg.inv(s)
    deviation = np.where(missing, 0.0, z - m)
    pull = deviation @ precision
    spread = np.zeros(p * p)
    n_missing = patterns.sum(axis=1)
    for size in np.unique(n_missing[n_missing > 0]):
        of_size = np.flatnonzero(n_missing == size)
        batch = max(1, _BATCH // int(size) ** 2)
        for first in range(0, len(of_size), batch):
            group = of_size[first : first + batch]
            at = np.nonzero(patterns[group])[1].reshape(len(group), size)
            inverse = np.linalg.inv(precision[at[:, :, None], at[:, None, :]])
            flat = at[:, :, None] * p + at[:, None, :]
            spread += np.bincount(
                flat.ravel(), (inverse * mass[group, None, None]).ravel(), minlength=p * p
            )
            local = np.full(len(patterns), -1)
            local[group] = np.arange(len(group))
            rows = np.flatnonzero(local[pattern_of] >= 0)
            g = local[pattern_of[rows]]
            here = at[g]
            guess = -(inverse[g] @ pull[rows[:, None], here][:, :, None])[:, :, 0]
            deviation[rows[:, None], here] = guess
    shift = w @ deviation
    cross = (deviation * w[:, None]).T @ deviation
    new = cross - np.outer(shift, shift) + spread.reshape(p, p)
    return m + shift, (new + new.T) / 2


def _require_full_rank(s: FloatArray, positions: IntArray) -> None:
    """Raise where the items depend on one another, naming those that do."""
    scale = np.sqrt(np.diag(s))
    values, vectors = np.linalg.eigh(s / np.outer(scale, scale))
    if values[0] > _SINGULAR:
        return
    # Items of the dependence have a part in its vector; a hundredth of the largest is rounding.
    part = np.abs(vectors[:, 0])
    involved = positions[part > 0.01 * part.max()].tolist()
    msg = (
        f"items {involved} depend linearly on one another (a duplicate, a sum score, or fewer rows "
        "than items), so that EM has no maximum; leave one out, or use pairwise correlations"
    )
    raise ValueError(msg)
