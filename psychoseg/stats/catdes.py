"""Lebart's v-tests: how far a group's mean or share is from that of all, in normal deviates.

Owns the two test values of the French school, as FactoMineR's ``catdes`` has them. They compare a
group with a draw of as many people from all, without replacement; beyond 2 in size a group stands
out. They rank what describes a group and are no proof where the group was made from the variable.

References
----------
Lebart, L., Morineau, A. & Piron, M. (1995). Statistique exploratoire multidimensionnelle. Section
2.3.
Husson, F., Le, S. & Pages, J. (2017). Exploratory Multivariate Analysis by Example Using R, 2nd ed.
Section 4.9.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.groups import GroupSums, group_bases, group_means, join_groups

__all__ = ["v_test_means", "v_test_shares"]

#: Shares nearer than this are the same but for rounding.
_SAME = 1e-12
#: A term this small beside the largest adds nothing to a sum of doubles.
_NEGLIGIBLE = 1e-20
#: Terms of a tail that are taken at a time: most tails end within them.
_TERMS = 256


def v_test_means(sums: GroupSums) -> FloatArray:
    """Return the v-test of each group's mean (g,), the groups together being all.

    Parameters
    ----------
    sums : GroupSums

    Returns
    -------
    ndarray, shape (g,)
        NaN for a group without an answer or with all of them, and where all answer alike.

    Notes
    -----
    ``(mean - mean of all) / s * sqrt(n) / sqrt((N - n) / (N - 1))`` with s the standard deviation
    of all (ddof 0), n of the group's and N of all people with an answer: ``catdes(row.w = w)``,
    which takes n and N with the missing ones in. The scale of sampling weights is arbitrary; they
    are scaled to Kish's effective size, ``row.w = w * sum(w) / sum(w**2)``.
    """
    everybody = join_groups(sums, np.zeros(len(sums.rows), dtype=np.intp), 1)
    weight, total, n, n_all = _sizes(sums, everybody)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, mean_all = sums.wx / weight, everybody.wx / total
        spread = np.sqrt(np.maximum(everybody.wxx / total - mean_all**2, 0))
        found = (mean - mean_all) / spread * np.sqrt(n) / np.sqrt((n_all - n) / (n_all - 1))
    varies = group_means(everybody).variance > 0
    return np.where(varies & (sums.rows > 0) & (sums.rows < everybody.rows), found, np.nan)


def v_test_shares(sums: GroupSums) -> FloatArray:
    """Return the v-test of each group's share of ones (g,), the groups together being all.

    Parameters
    ----------
    sums : GroupSums
        Of a variable of 0 and 1.

    Returns
    -------
    ndarray, shape (g,)
        NaN for a group without an answer or with all of them, and where all answer alike. Never
        infinite.

    Notes
    -----
    The normal deviate of the hypergeometric mid-p, positive where the group's share is above that
    of all: ``catdes(row.w = w)`` with its rounding of weighted counts to whole people, and
    sampling weights scaled as in :func:`v_test_means`. The tail is taken in logarithms, so that it
    goes on where FactoMineR's p underflows and its v-test becomes infinite (beyond about 38).
    """
    everybody = join_groups(sums, np.zeros(len(sums.rows), dtype=np.intp), 1)
    weight, total, n, n_all = _sizes(sums, everybody)
    ones = float(everybody.wx[0])
    found = np.full(len(n), np.nan)
    if not 0 < ones < total:
        return found
    for g in np.flatnonzero((sums.rows > 0) & (sums.rows < everybody.rows)):
        scale = n_all / total
        drawn, group, all_, ones_ = np.rint([sums.wx[g] * scale, n[g], n_all, ones * scale])
        size = -float(special.ndtri_exp(_log_mid_p(drawn, group, all_, ones_)))
        above = sums.wx[g] / weight[g] > ones / total * (1 + _SAME)
        found[g] = size if above else -size
    return found


def _sizes(sums: GroupSums, everybody: GroupSums) -> tuple[FloatArray, float, FloatArray, float]:
    """Return weights of groups (g,) and of all, and effective people of groups (g,) and of all."""
    total = float(everybody.weight[0])
    people = total if sums.counts else float(group_bases(everybody).effective[0])
    scale = people / total if total > 0 else np.nan
    return sums.weight, total, sums.weight * scale, people


def _log_mid_p(drawn: float, group: float, everybody: float, ones: float) -> float:
    """Return the log of the smaller tail of ``drawn`` ones among a group drawn from everybody.

    Half of the probability of ``drawn`` itself counts in.
    """
    zeros = everybody - ones
    least, most = max(0.0, group - zeros), min(group, ones)
    # Rounding of the four weighted counts may leave a count that cannot be drawn.
    drawn = min(max(drawn, least), most)
    log_here = (
        _log_choose(ones, drawn) + _log_choose(zeros, group - drawn) - _log_choose(everybody, group)
    )
    upwards = drawn * everybody > group * ones
    steps = most - drawn if upwards else drawn - least
    tail, reached, first = 0.5, 1.0, 0.0
    while first < steps and reached > _NEGLIGIBLE * tail:
        step = first + np.arange(min(_TERMS, steps - first))
        if upwards:
            j = drawn + step
            ratio = (ones - j) / (j + 1) * (group - j) / (zeros - group + j + 1)
        else:
            j = drawn - step
            ratio = j / (ones - j + 1) * (zeros - group + j) / (group - j + 1)
        terms = reached * np.cumprod(ratio)
        tail, reached, first = tail + float(terms.sum()), float(terms[-1]), first + _TERMS
    log_tail = log_here + float(np.log(tail))
    # Next to the middle of a skew distribution the other tail may be the smaller one.
    return log_tail if log_tail <= -np.log(2) else float(np.log1p(-np.exp(min(log_tail, 0.0))))


def _log_choose(n: float, k: float) -> float:
    return float(-np.log1p(n) - special.betaln(n - k + 1, k + 1))
