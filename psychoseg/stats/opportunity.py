"""Opportunity scores: what matters to people and does not satisfy them.

Owns Ulwick's score by group and its interval, from who called an outcome important and who is
satisfied with it.

References
----------
Ulwick, A. W. (2005). What Customers Want. Chapter 3.
Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures: a general
approach. Statistics in Medicine 27, 1693-1702.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.groups import GroupEstimates, group_means, group_shares, sum_groups

__all__ = ["Opportunities", "score_opportunities"]

#: Shares are told on a scale of 0 to 10.
_TENTHS = 10.0


@dataclass(frozen=True, slots=True)
class Opportunities:
    """Opportunity of each group, shape (g,) each; NaN where undefined.

    Attributes
    ----------
    importance, satisfaction : ndarray
        Share of top answers times 10.
    opportunity, low, high : ndarray
        Importance + max(importance - satisfaction, 0), 0 to 20, and its interval.
    people : ndarray
        Independent people who rated both.
    """

    importance: FloatArray
    satisfaction: FloatArray
    opportunity: FloatArray
    low: FloatArray
    high: FloatArray
    people: FloatArray


def score_opportunities(
    important: FloatArray,
    satisfied: FloatArray,
    groups: IntArray,
    weights: FloatArray,
    *,
    n_groups: int,
    counts: bool,
    level: float = 0.95,
) -> Opportunities:
    """Score an outcome in each group.

    Parameters
    ----------
    important, satisfied : ndarray, shape (n,)
        1 for a top answer (usually the highest two of five), 0 for another, NaN where missing: who
        lacks either is left out of both.
    groups : ndarray of int, shape (n,)
        From 0; -1 for none.
    weights, counts
        As in :func:`psychoseg.stats.groups.sum_groups`.
    n_groups : int
    level : float
        Of the interval.

    Returns
    -------
    Opportunities

    Notes
    -----
    The score is the larger of I and 2 I - S, so its interval is from the larger of their lower
    limits to the larger of their upper limits; there is no kink to linearise. The limits of I are
    Korn and Graubard's, those of 2 I - S are recovered from theirs and the correlation of the two
    shares (Zou & Donner 2008, equation 4): the delta method's in large groups, and not of width 0
    where everybody or nobody gave a top answer.
    """
    either = np.isnan(important) | np.isnan(satisfied)
    i, s = np.where(either, np.nan, important), np.where(either, np.nan, satisfied)

    def shares(x: FloatArray) -> GroupEstimates:
        sums = sum_groups(x, groups, weights, n_groups=n_groups, counts=counts)
        return group_shares(sums, level=level)

    first, second = shares(i), shares(s)
    # Over the same people, what the variance of the sum has beyond the two is twice the covariance.
    sum_of_both = group_means(
        sum_groups(i + s, groups, weights, n_groups=n_groups, counts=counts), level=level
    )
    covariance = (sum_of_both.variance - first.variance - second.variance) / 2
    spread = first.se * second.se
    related = np.divide(covariance, spread, out=np.zeros(n_groups), where=spread > 0)
    gap = 2 * first.value - second.value
    low = gap - _distance(
        2 * (first.value - first.low), second.high - second.value, np.clip(related, -1, 1)
    )
    high = gap + _distance(
        2 * (first.high - first.value), second.value - second.low, np.clip(related, -1, 1)
    )
    return Opportunities(
        importance=_TENTHS * first.value,
        satisfaction=_TENTHS * second.value,
        opportunity=_TENTHS * np.maximum(first.value, gap),
        low=_TENTHS * np.maximum(first.low, low),
        high=_TENTHS * np.maximum(first.high, high),
        people=first.people,
    )


def _distance(one: FloatArray, other: FloatArray, related: FloatArray) -> FloatArray:
    """Return how far the limit of a difference is from it, of correlated estimates."""
    return np.sqrt(np.maximum(one**2 + other**2 - 2 * related * one * other, 0))
