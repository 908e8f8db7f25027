"""Means, shares and differences of many groups at once, from sums taken in one pass.

Owns the sufficient sums of a variable by group, their unions and complements, and the design-based
estimates that follow from them. Knows neither names nor tables, and never looks at a row twice:
what is estimated for a cut of the tree, or for a segment's rest, comes from the sums of the
smallest groups.

``weights`` and ``counts`` are those of :mod:`psychoseg.stats.inference`, whose estimates these
equal: :func:`group_means` is its ``estimate_mean`` and :func:`group_shares` its
``estimate_share``. Rows are added in the order they come in; give them in a canonical order for the
same bytes.

References
----------
Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed. Equation 2.5.2.
Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected
number of positive counts estimated from survey data. Survey Methodology 24, 193-201.
Lumley, T. (2010). Complex Surveys: A Guide to Analysis Using R. Chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from psychoseg.stats.arrays import FloatArray, IntArray

__all__ = [
    "GroupBases",
    "GroupDifferences",
    "GroupEstimates",
    "GroupSums",
    "difference_p",
    "differences",
    "group_bases",
    "group_means",
    "group_sds",
    "group_shares",
    "join_groups",
    "rest_of",
    "sum_categories",
    "sum_groups",
]

#: Half a unit in the last place of 1: what one addition may be off by.
_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums of one variable in each group, shape (g,) each, over the rows with an answer.

    Attributes
    ----------
    rows : ndarray
        Rows with an answer, unweighted.
    weight, weight2 : ndarray
        Sums of the weights w and of their squares.
    wx, wxx : ndarray
        Sums of ``w d`` and ``w d**2``, d the answer minus the centre.
    w2x, w2xx : ndarray
        Sums of ``w**2 d`` and ``w**2 d**2``.
    centre : float
        Near the mean of all, so that nothing cancels; 0 where all answers are 0 or 1.
    size : float
        People of the whole sample, with an answer and a group or without.
    counts : bool
        Whether a weight counts identical people.
    """

    rows: FloatArray
    weight: FloatArray
    weight2: FloatArray
    wx: FloatArray
    wxx: FloatArray
    w2x: FloatArray
    w2xx: FloatArray
    centre: float
    size: float
    counts: bool


@dataclass(frozen=True, slots=True)
class GroupBases:
    """How many answers stand behind each group, shape (g,) each, as in ``inference.Base``."""

    rows: FloatArray
    people: FloatArray
    weighted: FloatArray
    effective: FloatArray


@dataclass(frozen=True, slots=True)
class GroupEstimates:
    """A mean or share of each group, shape (g,) each; NaN where undefined.

    Attributes
    ----------
    value, se, low, high : ndarray
        As in ``inference.Estimate``.
    variance : ndarray
        The square of ``se``.
    people, effective : ndarray
        Independent observations, and Kish's effective number of them.
    """

    value: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    variance: FloatArray
    people: FloatArray
    effective: FloatArray


@dataclass(frozen=True, slots=True)
class GroupDifferences:
    """Each group against another, shape (g,) each; NaN where undefined.

    Attributes
    ----------
    difference, low, high : ndarray
        Group minus other, with its interval.
    p : ndarray
        Two-sided, of no difference.
    effect : ndarray
        Cohen's d; infinite where the means differ and nobody deviates from them.
    """

    difference: FloatArray
    low: FloatArray
    high: FloatArray
    p: FloatArray
    effect: FloatArray


def sum_groups(
    x: FloatArray, groups: IntArray, weights: FloatArray, *, n_groups: int, counts: bool
) -> GroupSums:
    """Sum a variable in each group.

    Parameters
    ----------
    x : ndarray, shape (n,)
        NaN where missing; 0 or 1 for a share.
    groups : ndarray of int, shape (n,)
        From 0; -1 for rows in no group, which count in nothing but the size of the sample.
    weights : ndarray, shape (n,)
        Strictly positive.
    n_groups : int
    counts : bool
        Whether a weight counts identical people.

    Returns
    -------
    GroupSums
    """
    size = float(weights.sum()) if counts else float(len(weights))
    use = (groups >= 0) & ~np.isnan(x)
    x, groups, weights = x[use], groups[use], weights[use]
    centre = _centre(x, weights)
    d, squared = x - centre, weights**2
    wd, w2d = weights * d, squared * d

    def total(values: FloatArray | None) -> FloatArray:
        return np.bincount(groups, weights=values, minlength=n_groups).astype(np.float64)

    return GroupSums(
        rows=total(None),
        weight=total(weights),
        weight2=total(squared),
        wx=total(wd),
        wxx=total(wd * d),
        w2x=total(w2d),
        w2xx=total(w2d * d),
        centre=centre,
        size=size,
        counts=counts,
    )


def sum_categories(
    codes: IntArray,
    groups: IntArray,
    weights: FloatArray,
    *,
    n_categories: int,
    n_groups: int,
    counts: bool,
) -> list[GroupSums]:
    """Sum each category of a nominal variable in each group, all in one pass.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Category of each row, from 0; -1 where missing.
    groups, weights, n_groups, counts
        As in :func:`sum_groups`.
    n_categories : int

    Returns
    -------
    list of GroupSums
        One a category: the sums of 1 where it was chosen and 0 where another was.
    """
    size = float(weights.sum()) if counts else float(len(weights))
    use = (groups >= 0) & (codes >= 0)
    cell, w = codes[use] * n_groups + groups[use], weights[use]

    def table(values: FloatArray | None) -> FloatArray:
        found = np.bincount(cell, weights=values, minlength=n_categories * n_groups)
        return found.astype(np.float64).reshape(n_categories, n_groups)

    rows, weight, weight2 = table(None).sum(axis=0), table(w), table(w**2)
    all_weight, all_weight2 = weight.sum(axis=0), weight2.sum(axis=0)
    return [
        GroupSums(rows, all_weight, all_weight2, wx, wx, w2x, w2x, 0.0, size, counts)
        for wx, w2x in zip(weight, weight2, strict=True)
    ]


def join_groups(sums: GroupSums, into: IntArray, n_groups: int) -> GroupSums:
    """Return the sums of unions of groups.

    Parameters
    ----------
    sums : GroupSums
        Of g groups.
    into : ndarray of int, shape (g,)
        The union each group belongs to, from 0; -1 for none.
    n_groups : int
        Number of unions.

    Returns
    -------
    GroupSums
    """
    use = into >= 0

    def joined(values: FloatArray) -> FloatArray:
        found = np.bincount(into[use], weights=values[use], minlength=n_groups)
        return found.astype(np.float64)

    return _each(sums, joined)


def rest_of(sums: GroupSums) -> GroupSums:
    """Return the sums of each group's complement: all the other groups."""

    def others(values: FloatArray) -> FloatArray:
        # From both ends: all minus one would cancel where one is nearly all.
        before = np.concatenate([[0.0], np.cumsum(values[:-1])])
        after = np.concatenate([np.cumsum(values[:0:-1])[::-1], [0.0]])
        return before + after if len(values) else values

    return _each(sums, others)


def group_bases(sums: GroupSums) -> GroupBases:
    """Return the bases of each group."""
    people = sums.weight if sums.counts else sums.rows
    effective = people if sums.counts else _ratio(sums.weight**2, sums.weight2, empty=0.0)
    return GroupBases(sums.rows, people, sums.weight, effective)


def group_means(sums: GroupSums, *, level: float = 0.95) -> GroupEstimates:
    """Estimate the weighted mean of each group, with its linearised standard error.

    Parameters
    ----------
    sums : GroupSums
    level : float
        Of the interval.

    Returns
    -------
    GroupEstimates
        All NaN without an answer; standard error and interval NaN with the answer of a single
        person.

    Notes
    -----
    As ``inference.estimate_mean``: a group is a domain of the whole sample. A variance that is
    nothing but rounding of the sums is zero.
    """
    bases = group_bases(sums)
    mean = _ratio(sums.wx, sums.weight)
    squares = _about_mean(sums, mean, squared_weights=not sums.counts)
    variance = _ratio(squares, sums.weight**2) * _ratio(
        np.array(sums.size), np.array(sums.size - 1)
    )
    variance[bases.people < 2] = np.nan
    se = np.sqrt(variance)
    half = _t_quantile((1 + level) / 2, bases.people - 1) * se
    value = sums.centre + mean
    return GroupEstimates(
        value, se, value - half, value + half, variance, bases.people, bases.effective
    )


def group_shares(sums: GroupSums, *, level: float = 0.95) -> GroupEstimates:
    """Estimate the weighted share of ones in each group, with the Korn-Graubard interval.

    Parameters
    ----------
    sums : GroupSums
        Of a variable of 0 and 1.
    level : float
        Of the interval.

    Returns
    -------
    GroupEstimates
        All NaN without an answer; the interval stays within 0 and 1 and is never empty.

    Notes
    -----
    As ``inference.estimate_share``, with its two departures from ``survey::svyciprop``.
    """
    mean = group_means(sums, level=level)
    p, size = mean.value, mean.effective.copy()
    varies = mean.se > 0
    size[varies] = np.minimum((p * (1 - p))[varies] / mean.variance[varies], mean.people[varies])
    tail = (1 - level) / 2
    low = stats.beta.ppf(tail, size * p, size * (1 - p) + 1)
    high = stats.beta.ppf(1 - tail, size * p + 1, size * (1 - p))
    return replace(mean, low=np.where(p == 0, 0.0, low), high=np.where(p == 1, 1.0, high))


def group_sds(sums: GroupSums) -> FloatArray:
    """Return the weighted standard deviation of each group (g,), ``inference.weighted_sd``.

    NaN for fewer than two people.
    """
    people = group_bases(sums).people
    squares = _about_mean(sums, _ratio(sums.wx, sums.weight), squared_weights=False)
    variance = _ratio(squares, sums.weight) * _ratio(people, people - 1)
    return np.sqrt(np.where(people < 2, np.nan, variance))


def differences(inside: GroupSums, outside: GroupSums, *, level: float = 0.95) -> GroupDifferences:
    """Compare each group with another that shares nobody with it, such as its rest.

    Parameters
    ----------
    inside, outside : GroupSums
        Of the same variable, with the same number of groups.
    level : float
        Of the interval.

    Returns
    -------
    GroupDifferences
        The difference is NaN where either side has no answer; the interval and p where either has
        fewer than two people; the interval where neither side varies.

    Notes
    -----
    The interval and p are those of :func:`difference_p`, Cohen's d is that of
    ``inference.standardised_difference``.
    """
    one, other = group_means(inside, level=level), group_means(outside, level=level)
    # The two means from one centre: what they have in common must not round the difference.
    mean, mean_other = _ratio(inside.wx, inside.weight), _ratio(outside.wx, outside.weight)
    difference = (mean - mean_other) + (inside.centre - outside.centre)
    people = one.people + other.people
    rounding = _EPSILON * people * (np.abs(mean) + np.abs(mean_other))
    difference = np.where(np.abs(difference) <= rounding, 0.0, difference)
    variance = _variance_of_difference(one, other)
    half = _t_quantile((1 + level) / 2, people - 2) * np.sqrt(variance)
    squares = _about_mean(inside, mean, squared_weights=False)
    squares += _about_mean(outside, mean_other, squared_weights=False)
    pooled = _ratio(squares, inside.weight + outside.weight) * _ratio(people, people - 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = difference / np.sqrt(pooled)
    alike = (difference == 0) & ~np.isnan(pooled)
    return GroupDifferences(
        difference=difference,
        low=difference - half,
        high=difference + half,
        p=difference_p(one, other),
        effect=np.where(alike, 0.0, effect),
    )


def difference_p(one: GroupEstimates, other: GroupEstimates) -> FloatArray:
    """Return the two-sided p of no difference between groups that share nobody.

    Parameters
    ----------
    one, other : GroupEstimates
        The shapes broadcast, so that columns against rows compare every pair.

    Returns
    -------
    ndarray
        NaN where either group has fewer than two people.

    Notes
    -----
    ``survey::svyttest`` on the two groups: the means of disjoint domains are uncorrelated, so their
    linearised variances add; t has (people of both - 2) degrees of freedom.

    It departs from svyttest where the answers of a group do not vary, such as a share of 0. Their
    variance of nothing does not mean that the group's mean is known: svyttest would find 0 of 10
    people to be below 3 % of 300 beyond doubt (SPSS does not test such columns). The group is taken
    to vary as the other does, person by person. Where neither varies, p is the permutation test's
    ``2 / C(n + m, n)`` with effective sizes n and m, and 1 for the same mean.
    """
    difference, people = one.value - other.value, one.people + other.people
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / np.sqrt(_variance_of_difference(one, other))
    p = 2 * stats.t.sf(t, people - 2)
    n, m = one.effective, other.effective
    log_arrangements = special.gammaln(n + m + 1) - special.gammaln(n + 1) - special.gammaln(m + 1)
    size = np.abs(one.value) + np.abs(other.value)
    alike = np.abs(difference) <= _EPSILON * people * size
    exact = np.where(alike, 1.0, np.minimum(2 * np.exp(-log_arrangements), 1))
    return np.where((one.variance == 0) & (other.variance == 0), exact, p)


def _variance_of_difference(one: GroupEstimates, other: GroupEstimates) -> FloatArray:
    """Return the variance of the difference of two means; NaN where neither group varies."""
    first, second = one.variance, other.variance
    with np.errstate(divide="ignore", invalid="ignore"):
        like_second = second * other.effective / one.effective
        like_first = first * one.effective / other.effective
    total = np.where(first == 0, like_second, first) + np.where(second == 0, like_first, second)
    return np.where((first == 0) & (second == 0), np.nan, total)


def _centre(x: FloatArray, weights: FloatArray) -> float:
    """Return a short number near the mean, or 0 for answers of 0 and 1.

    It is a multiple of a power of two no larger than the spread: answers that are whole numbers
    stay so, and their sums are exact.
    """
    if not len(x) or ((x == 0) | (x == 1)).all():
        return 0.0
    mean = float((weights * x).sum() / weights.sum())
    spread = float(np.sqrt((weights * (x - mean) ** 2).sum() / weights.sum()))
    if spread <= _EPSILON * len(x) * abs(mean):
        return float(x[0])
    step = 2.0 ** np.floor(np.log2(spread))
    return float(np.round(mean / step) * step)


def _each(sums: GroupSums, change: Callable[[FloatArray], FloatArray]) -> GroupSums:
    return GroupSums(
        rows=change(sums.rows),
        weight=change(sums.weight),
        weight2=change(sums.weight2),
        wx=change(sums.wx),
        wxx=change(sums.wxx),
        w2x=change(sums.w2x),
        w2xx=change(sums.w2xx),
        centre=sums.centre,
        size=sums.size,
        counts=sums.counts,
    )


def _about_mean(sums: GroupSums, mean: FloatArray, *, squared_weights: bool) -> FloatArray:
    """Return sums of squares about the groups' own means (g,), weighted with w or its square."""
    weight, first, second = sums.weight, sums.wx, sums.wxx
    if squared_weights:
        weight, first, second = sums.weight2, sums.w2x, sums.w2xx
    squares = second - 2 * mean * first + mean**2 * weight
    return np.where(squares <= _EPSILON * sums.rows * second, 0.0, squares)


def _ratio(above: FloatArray, below: FloatArray, *, empty: float = np.nan) -> FloatArray:
    found: FloatArray = np.divide(above, below, out=np.full(below.shape, empty), where=below > 0)
    return found


def _t_quantile(level: float, df: FloatArray) -> FloatArray:
    return np.asarray(stats.t.ppf(level, np.where(df > 0, df, np.nan)), dtype=np.float64)
