"""How sure alpha is: an interval that takes the answers as they are, ceilings, gaps and weights.

Owns the interval of raw and of standardised alpha; alpha itself is in ``reliability``.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t as t_distribution

from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.correlation import covariance

__all__ = ["alpha_interval"]

#: A variance below this part of the mean square is a constant item but for rounding.
_CONSTANT = 1e-12
#: A respondent counts as no larger a part of the variance: beyond it (a handful of people, or gaps)
#: the jackknife divides by next to nothing.
_MOST_SHARE = 0.9


def alpha_interval(
    items: FloatArray,
    weights: FloatArray,
    *,
    counts: bool,
    standardised: bool = False,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the ends of alpha's confidence interval, whatever the distribution of the answers.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        The keyed items, NaN where missing; p at least 2.
    weights : ndarray, shape (n,)
    counts : bool
        Whether a weight of w stands for w respondents (frequency weights); else weights are those
        of a sample, and rescaling them changes nothing.
    standardised : bool
        Of standardised alpha.
    level : float
        Confidence level.

    Returns
    -------
    low, high : float
        NaN where alpha is, or where fewer than two respondents answered. ``high`` is 1 at most.

    Raises
    ------
    ValueError
        Where there are fewer than two items.

    Notes
    -----
    Feldt's (1965) interval rests on normal items with equal covariances. Where most people give
    the top answer it is far too narrow: it held the true alpha of five five-point items in 88% of
    samples with 62% top answers, in 79% with 79%. This one asks for neither. A respondent's
    influence on alpha goes through the covariances and over one minus their share in the sum
    score's variance, which makes it, of complete answers, the jackknife's; their squares give
    the variance (asymptotically distribution-free: Maydeu-Olivares, Coffman & Hartmann 2007, with
    the correction of small samples), and the t quantile has as many degrees of freedom as the
    spread of the squares leaves (Satterthwaite 1946), since a few people decide under a ceiling.

    Coverage of the nominal 95%, of 2,000 samples each, 3, 5 and 10 items of five answers: 94.2% to
    96.1% at 62% and 79% top answers from 60 to 500 respondents; at 90%, where Feldt's has 61% to
    69%, 90.6% to 94.1% at 60 and 100 respondents and 94.2% to 95.4% from 200 on. A covariance of
    two items is over the rows that answered both, as alpha is.

    References
    ----------
    Maydeu-Olivares, Coffman & Hartmann (2007), Psychol. Methods 12, 157-176. Satterthwaite (1946),
    Biometrics Bull. 2, 110-114. Efron & Stein (1981), Ann. Stat. 9, 586-596, the jackknife. Shao
    (1996), Stat. Sinica 6, 215-222, of sampling weights.
    """
    p = items.shape[1]
    if p < 2:
        msg = f"reliability takes at least two items; there is {p}"
        raise ValueError(msg)
    there = (weights > 0) & ~np.isnan(items).all(axis=1)
    x, w = items[there], weights[there]
    mass = float(w.sum())
    if not mass > (1 if counts else w.max()):
        return np.nan, np.nan
    cov = covariance(x, w) * (1 - 1 / mass)
    if standardised:
        variance = np.diag(cov)
        if not (variance > _CONSTANT * np.nanmean(x**2, axis=0)).all():
            return np.nan, np.nan
        x = x / np.sqrt(variance)
        cov = cov / np.sqrt(np.outer(variance, variance))
    total, trace = float(cov.sum()), float(np.trace(cov))
    if not total > 0:
        return np.nan, np.nan
    alpha = p / (p - 1) * (1 - trace / total)
    # What each covariance moves alpha by.
    slope = np.full((p, p), trace / total**2)
    if standardised:
        # A standardised item has variance 1 whatever its own: what a larger variance does is to
        # lower the item's correlations.
        np.fill_diagonal(slope, slope[0, 0] * (1 - cov.sum(axis=1)))
    else:
        slope -= np.eye(p) / total
    slope *= p / (p - 1)
    # Who is taken out: one of the respondents that a row stands for, or the row.
    gone, copies = (np.ones(len(w)), w) if counts else (w, np.ones(len(w)))
    share = gone * _influences(x, w, np.ones((p, p)), centred=False) / (total * (mass - gone))
    moved = gone * _influences(x, w, slope) / ((mass - gone) * (1 - np.minimum(share, _MOST_SHARE)))
    squares = moved**2
    variance_of_alpha = float(copies @ squares)
    uneven = float(copies @ squares**2) - variance_of_alpha**2 / float(copies.sum())
    if not variance_of_alpha > 0:
        return alpha, alpha
    freedom = 2 * variance_of_alpha**2 / max(uneven, _CONSTANT * variance_of_alpha**2)
    reach = float(t_distribution.ppf((1 + level) / 2, freedom)) * float(np.sqrt(variance_of_alpha))
    return alpha - reach, min(alpha + reach, 1.0)


def _influences(
    x: FloatArray, weights: FloatArray, slope: FloatArray, *, centred: bool = True
) -> FloatArray:
    """Return each row's part in the sum of slope times covariance, shape (n,).

    Of a pair's covariance a row that answered both has the product of its two deviations from the
    pair's own means (less the covariance, where ``centred``), over the share of the pair's weight.
    """
    answered = ~np.isnan(x)
    m = answered.astype(np.float64)
    z = np.where(answered, x - np.average(np.where(answered, x, 0.0), axis=0, weights=weights), 0.0)
    wm = m * weights[:, None]
    both = wm.T @ m
    with np.errstate(invalid="ignore", divide="ignore"):
        # Mean of item j among those who answered k as well.
        mean = (z * weights[:, None]).T @ m / both
        by_pair = slope * weights.sum() / both
        product = (z * weights[:, None]).T @ z / both - mean * mean.T
    if not np.isfinite(by_pair).all():
        return np.full(len(x), np.nan)
    rows = ((z @ by_pair) * z).sum(axis=1)
    rows -= 2 * ((m @ (by_pair * mean)) * z).sum(axis=1)
    constant = by_pair * mean * mean.T
    if centred:
        constant = constant - by_pair * product
    out: FloatArray = rows + ((m @ constant) * m).sum(axis=1)
    return out
