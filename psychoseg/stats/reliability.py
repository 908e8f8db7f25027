"""Reliability of a scale from the covariances of its items, keyed the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from psychoseg.stats.arrays import FloatArray

__all__ = ["AlphaResult", "cronbach_alpha"]


@dataclass(frozen=True, slots=True)
class AlphaResult:
    """Cronbach's alpha of one scale.

    Attributes
    ----------
    alpha : float
        Raw alpha.
    low, high : float
        Ends of its interval; NaN where there is no sample size.
    mean_r : float
        Average inter-item correlation.
    item_rest : ndarray, shape (p,)
        Correlation of each item with the sum of the others.
    alpha_if_dropped : ndarray, shape (p,)
        Alpha of the others; NaN for a scale of two.
    """

    alpha: float
    low: float
    high: float
    mean_r: float
    item_rest: FloatArray
    alpha_if_dropped: FloatArray


def cronbach_alpha(cov: FloatArray, n_obs: float, *, level: float = 0.95) -> AlphaResult:
    """Compute raw alpha with an interval, and what each item adds to it.

    Parameters
    ----------
    cov : ndarray, shape (p, p)
        Covariances of the keyed items, p at least 2, no NaN.
    n_obs : float
        Respondents behind them.
    level : float
        Confidence level of the interval.

    Returns
    -------
    AlphaResult

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334, eq. 2. Feldt (1965), Psychometrika 30, 357-370, the
    interval from F on n - 1 and (n - 1)(p - 1) degrees of freedom, as in ``psych::alpha.ci``.
    """
    p = len(cov)
    alpha = _alpha(cov)
    df1, df2 = n_obs - 1, (n_obs - 1) * (p - 1)
    tail = (1 - level) / 2
    low, high = np.nan, np.nan
    if df1 > 0:
        low = 1 - (1 - alpha) * float(f_distribution.ppf(1 - tail, df1, df2))
        high = 1 - (1 - alpha) * float(f_distribution.ppf(tail, df1, df2))
    sd = np.sqrt(np.diag(cov))
    corr = cov / np.outer(sd, sd)
    to_rest = cov.sum(axis=1) - np.diag(cov)
    rest_variance = cov.sum() - 2 * cov.sum(axis=1) + np.diag(cov)
    with np.errstate(invalid="ignore", divide="ignore"):
        item_rest = to_rest / (sd * np.sqrt(rest_variance))
    keep = ~np.eye(p, dtype=bool)
    dropped = [_alpha(cov[np.ix_(row, row)]) if p > 2 else np.nan for row in keep]
    return AlphaResult(
        alpha=alpha,
        low=low,
        high=high,
        mean_r=float(corr[np.tril_indices(p, -1)].mean()),
        item_rest=item_rest,
        alpha_if_dropped=np.array(dropped),
    )


def _alpha(cov: FloatArray) -> float:
    p = len(cov)
    return float(p / (p - 1) * (1 - np.trace(cov) / cov.sum()))
