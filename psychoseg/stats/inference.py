"""Weighted means, shares, effect sizes and tests of groups, with design-based intervals.

Owns the inference behind the profiles as array maths: knows neither names nor tables, never rounds.

Every function takes ``weights`` and says with ``counts`` what they are:

- ``counts=False``: sampling weights of a with-replacement sample, one row a person. Variances are
  Taylor-linearised, those of R's ``survey::svydesign(ids = ~1, weights = ~w)``; multiplying the
  weights by a constant changes nothing.
- ``counts=True``: a weight w stands for w identical people; every number is that of the row given w
  times. All weights one is the unweighted survey.

A group is a domain of the whole sample: its size is random, so the rows outside it count in the
finite-sample factor ``n / (n - 1)`` (Lumley 2010), as in ``survey::svyby``.

References
----------
Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, 2nd ed.
Kish, L. (1965). Survey Sampling.
Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected
number of positive counts estimated from survey data. Survey Methodology 24, 193-201.
Lumley, T. (2010). Complex Surveys: A Guide to Analysis Using R. Chapter 2.
Rao, J. N. K. & Scott, A. J. (1984). On chi-squared tests for multiway contingency tables with cell
proportions estimated from survey data. Annals of Statistics 12, 46-60.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import stats

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = [
    "Base",
    "Estimate",
    "Test",
    "adjust_p",
    "cohens_h",
    "count_base",
    "cramers_v",
    "estimate_mean",
    "estimate_share",
    "eta_squared",
    "standardised_difference",
    "test_association",
    "test_means",
    "weighted_sd",
]

#: A spread this small beside the size of the numbers is rounding error, not spread: about 1e4 ulps
#: of a double.
_NO_SPREAD = 1e-12


@dataclass(frozen=True, slots=True)
class Base:
    """How many answers a number stands on.

    Attributes
    ----------
    rows : int
        Rows with an answer, unweighted.
    people : float
        Independent observations: the rows, or the sum of the weights where weights are counts.
    weighted : float
        Sum of the weights.
    effective : float
        Kish's effective size ``sum(w)**2 / sum(w**2)``; ``people`` where weights are counts.
    """

    rows: int
    people: float
    weighted: float
    effective: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean or share, its standard error and its interval; NaN where undefined."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Test:
    """A test of one hypothesis; all but the name NaN where it could not be done.

    Attributes
    ----------
    statistic, df1, df2 : float
        ``df2`` is NaN for a chi-square.
    p : float
    name : str
        "Wald F", "chi-square" or "Rao-Scott F".
    """

    #: Keeps pytest from taking it for tests.
    __test__: ClassVar[bool] = False

    statistic: float
    df1: float
    df2: float
    p: float
    name: str


def count_base(weights: FloatArray, *, counts: bool) -> Base:
    """Count the rows, people and effective people behind strictly positive weights (n,)."""
    total = float(weights.sum())
    people = total if counts else float(len(weights))
    squares = float((weights**2).sum())
    effective = people if counts or not len(weights) else total**2 / squares
    return Base(rows=len(weights), people=people, weighted=total, effective=effective)


def estimate_mean(
    x: FloatArray, inside: BoolArray, weights: FloatArray, *, counts: bool, level: float = 0.95
) -> Estimate:
    """Estimate the weighted mean of x within a domain, with its linearised standard error.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Values of the whole sample, NaN where missing: those rows are outside the domain.
    inside : ndarray of bool, shape (n,)
        The domain.
    weights : ndarray, shape (n,)
        Strictly positive.
    counts : bool
        Whether a weight counts identical people.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        All NaN without an answer; standard error and interval NaN with the answer of a single
        person.

    Notes
    -----
    With residuals e and W the domain's sum of weights, the variance is ``n/(n-1) * sum((w e)**2) /
    W**2``, n rows in the sample; for counts ``N/(N-1) * sum(w e**2) / W**2``, N people in the
    sample. The interval takes Student's t with (people in the domain - 1) degrees of freedom, R's
    ``degf`` of the subset.
    """
    use = inside & ~np.isnan(x)
    base = count_base(weights[use], counts=counts)
    if not base.rows:
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    mean = _mean(x[use], weights[use])
    if base.people < 2:
        return Estimate(mean, np.nan, np.nan, np.nan)
    se = float(
        np.sqrt(_variance_of_mean(x[use], weights[use], _sample_size(weights, counts), counts))
    )
    half = float(stats.t.ppf((1 + level) / 2, base.people - 1)) * se
    return Estimate(mean, se, mean - half, mean + half)


def estimate_share(
    chosen: FloatArray, inside: BoolArray, weights: FloatArray, *, counts: bool, level: float = 0.95
) -> Estimate:
    """Estimate the weighted share of ones within a domain, with the Korn-Graubard interval.

    Parameters
    ----------
    chosen : ndarray, shape (n,)
        1 where the category was chosen, 0 where another was, NaN where missing.
    inside, weights, counts, level
        As in :func:`estimate_mean`.

    Returns
    -------
    Estimate
        All NaN without an answer; the interval stays within 0 and 1 and is never empty.

    Notes
    -----
    The interval is Clopper and Pearson's exact one with the effective size ``p (1 - p) /
    variance``, which is ``survey::svyciprop(method = "beta")``. Two departures: the effective size
    is at most the number of people (weights may make a variance lucky), and where nobody or
    everybody chose the category, which leaves no variance to see, it is Kish's.
    """
    mean = estimate_mean(chosen, inside, weights, counts=counts, level=level)
    p = mean.value
    if np.isnan(p):
        return mean
    base = count_base(weights[inside & ~np.isnan(chosen)], counts=counts)
    size = base.effective
    if mean.se > 0:
        size = min(p * (1 - p) / mean.se**2, base.people)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, size * p, size * (1 - p) + 1)) if p > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, size * p + 1, size * (1 - p))) if p < 1 else 1.0
    return Estimate(p, mean.se, low, high)


def weighted_sd(x: FloatArray, weights: FloatArray, *, counts: bool) -> float:
    """Return the weighted standard deviation of x (n,), NaN where missing.

    The mean squared deviation is multiplied by ``m / (m - 1)``, m people with an answer, so that it
    is the usual ddof = 1 without weights, and the square root of ``survey::svyvar`` with sampling
    weights. NaN for fewer than two people.
    """
    use = ~np.isnan(x)
    base = count_base(weights[use], counts=counts)
    if base.people < 2:
        return float("nan")
    spread = _squares(x[use], weights[use]) / base.weighted
    return float(np.sqrt(spread * base.people / (base.people - 1)))


def standardised_difference(
    x: FloatArray, inside: BoolArray, weights: FloatArray, *, counts: bool
) -> float:
    """Return Cohen's d of a domain against the rest, in pooled standard deviations.

    Parameters
    ----------
    x : ndarray, shape (n,)
        NaN where missing: left out.
    inside, weights, counts
        As in :func:`estimate_mean`.

    Returns
    -------
    float
        NaN where either side has no answer or there are no more than two people; plus or minus
        infinity where the means differ and nobody deviates from them.

    Notes
    -----
    The pooled variance is ``(SS_in + SS_rest) / W * m / (m - 2)`` with weighted sums of squares SS
    about each side's own mean, W the sum of weights, and m people (Cohen 1988, equation 2.5.2,
    without weights).
    """
    answered = ~np.isnan(x)
    in_, out = inside & answered, ~inside & answered
    base = count_base(weights[answered], counts=counts)
    if not in_.any() or not out.any() or base.people <= 2:
        return float("nan")
    difference = _mean(x[in_], weights[in_]) - _mean(x[out], weights[out])
    squares = _squares(x[in_], weights[in_]) + _squares(x[out], weights[out])
    pooled = float(np.sqrt(squares / base.weighted * base.people / (base.people - 2)))
    size = float(np.abs(x[answered]).max())
    if abs(difference) <= _NO_SPREAD * size:
        return 0.0
    if pooled <= _NO_SPREAD * size:
        return float(np.copysign(np.inf, difference))
    return difference / pooled


def cohens_h(share: float, other: float) -> float:
    """Return Cohen's h, ``2 asin(sqrt(share)) - 2 asin(sqrt(other))``; NaN where either is."""
    first, second = np.clip([share, other], 0, 1)
    return float(2 * np.arcsin(np.sqrt(first)) - 2 * np.arcsin(np.sqrt(second)))


def eta_squared(x: FloatArray, groups: IntArray, weights: FloatArray) -> float:
    """Return the weighted share of the variance of x (n,) that lies between groups (n,).

    A missing x is NaN, the group of a row in none is negative. The result is NaN where fewer than
    two groups answered or everybody answered alike.
    """
    use = ~np.isnan(x) & (groups >= 0)
    x, groups, weights = x[use], groups[use], weights[use]
    present = np.unique(groups)
    if len(present) < 2:
        return float("nan")
    total = _squares(x, weights)
    if total <= (_NO_SPREAD * np.abs(x).max()) ** 2 * weights.sum():
        return float("nan")
    within = sum(_squares(x[groups == g], weights[groups == g]) for g in present)
    return float(np.clip(1 - within / total, 0, 1))


def test_means(x: FloatArray, groups: IntArray, weights: FloatArray, *, counts: bool) -> Test:
    """Test that all groups have the same mean of x: the design-based Wald F test.

    Parameters
    ----------
    x : ndarray, shape (n,)
        NaN where missing.
    groups : ndarray of int, shape (n,)
        Negative for rows in no group.
    weights, counts
        As in :func:`estimate_mean`.

    Returns
    -------
    Test
        NaN where fewer than two groups have two people with an answer, or two of those groups
        answered all alike within themselves, which leaves no variance to compare their means with.

    Notes
    -----
    It is ``survey::regTermTest`` (Wald) of the groups in ``survey::svyglm``: the means of disjoint
    domains are uncorrelated, so the statistic is their sum of squares about their
    precision-weighted mean, over q - 1; the degrees of freedom are q - 1 and (people - q), q
    groups. Groups with a single person take no part. For counts and unweighted data the variances
    are those of repeated rows, so the test does not assume equal variances.
    """
    name = "Wald F"
    answered = ~np.isnan(x) & (groups >= 0)
    size = _sample_size(weights, counts)
    means, variances, people = [], [], 0.0
    for group in np.unique(groups[answered]):
        use = answered & (groups == group)
        base = count_base(weights[use], counts=counts)
        if base.people < 2:
            continue
        means.append(_mean(x[use], weights[use]))
        variances.append(_variance_of_mean(x[use], weights[use], size, counts))
        people += base.people
    q = len(means)
    if q < 2 or people <= q:
        return _untested(name)
    m, v = np.array(means), np.array(variances)
    alike = v <= (_NO_SPREAD * np.abs(x[answered]).max()) ** 2
    if alike.sum() > 1:
        return _untested(name)
    if alike.any():
        # The limit of the statistic as one variance goes to zero: the others are compared with that
        # mean.
        wald = float((((m - m[alike]) ** 2)[~alike] / v[~alike]).sum())
    else:
        wald = float(((m - _mean(m, 1 / v)) ** 2 / v).sum())
    df1, df2 = float(q - 1), people - q
    return Test(wald / df1, df1, df2, float(stats.f.sf(wald / df1, df1, df2)), name)


def cramers_v(codes: IntArray, groups: IntArray, weights: FloatArray) -> float:
    """Return Cramer's V of categories (n,) and groups (n,), negative where missing.

    It comes from the weighted table; categories and groups that nobody is in do not count. NaN
    where fewer than two of either are left.
    """
    table = _table(codes, groups, weights)
    if min(table.shape) < 2:
        return float("nan")
    return float(np.sqrt(_phi_squared(table) / (min(table.shape) - 1)))


def test_association(
    codes: IntArray, groups: IntArray, weights: FloatArray, *, counts: bool
) -> Test:
    """Test that categories and groups are independent: Pearson's test or Rao and Scott's.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Category of each row, -1 where missing.
    groups, weights, counts
        As in :func:`test_means`.

    Returns
    -------
    Test
        NaN where fewer than two categories or groups are left.

    Notes
    -----
    For counts and unweighted data it is Pearson's test without continuity correction. For sampling
    weights it is the second-order Rao-Scott F test, the default of ``survey::svychisq``: X2 /
    trace(D) on d0 and d0 (n - 1) degrees of freedom, with D the design effects of the interaction
    contrasts, ``d0 = trace(D)**2 / trace(D @ D)``, and n rows with an answer. Where so many cells
    are empty that D is not defined, its pseudo-inverse form is used.
    """
    name = "chi-square" if counts else "Rao-Scott F"
    table = _table(codes, groups, weights)
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return _untested(name)
    if counts:
        chi2, df = _phi_squared(table) * float(table.sum()), float((rows - 1) * (columns - 1))
        return Test(chi2, df, np.nan, float(stats.chi2.sf(chi2, df)), name)
    use = (codes >= 0) & (groups >= 0)
    shares = (table / table.sum()).ravel()
    covariance = _covariance_of_shares(
        _table(codes, groups, weights**2).ravel(), shares, float(weights[use].sum()), len(weights)
    )
    inverse = np.divide(1, shares, out=np.zeros_like(shares), where=shares > 0)
    contrasts = np.kron(_contrasts(rows), _contrasts(columns)) * inverse[:, None]
    simple = contrasts.T @ (shares[:, None] * contrasts)
    effects = np.linalg.pinv(simple, hermitian=True) @ (contrasts.T @ covariance @ contrasts)
    trace = float(np.trace(effects))
    d0 = trace**2 / float(np.trace(effects @ effects))
    f, df1, df2 = _phi_squared(table) / trace, d0, d0 * float(use.sum() - 1)
    return Test(f, df1, df2, float(stats.f.sf(f, df1, df2)), name)


def adjust_p(p: FloatArray) -> FloatArray:
    """Return Benjamini and Hochberg's adjusted p-values (m,); NaN stays NaN, and is no test."""
    adjusted = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p[tested])
    return adjusted


def _untested(name: str) -> Test:
    return Test(np.nan, np.nan, np.nan, np.nan, name)


def _sample_size(weights: FloatArray, counts: bool) -> float:
    return float(weights.sum()) if counts else float(len(weights))


def _mean(x: FloatArray, weights: FloatArray) -> float:
    return float((weights * x).sum() / weights.sum())


def _squares(x: FloatArray, weights: FloatArray) -> float:
    return float((weights * (x - _mean(x, weights)) ** 2).sum())


def _variance_of_mean(x: FloatArray, weights: FloatArray, size: float, counts: bool) -> float:
    """Return the linearised variance of a domain's mean; ``size`` is that of the whole sample."""
    residuals = x - _mean(x, weights)
    squares = (weights if counts else weights**2) * residuals**2
    return float(size / (size - 1) * squares.sum() / weights.sum() ** 2)


def _table(codes: IntArray, groups: IntArray, weights: FloatArray) -> FloatArray:
    """Return the weighted table of categories by groups, without the empty ones."""
    use = (codes >= 0) & (groups >= 0)
    rows, columns = codes[use], groups[use]
    shape = (int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1)
    cell, size = rows * shape[1] + columns, shape[0] * shape[1]
    sums = np.bincount(cell, weights=weights[use], minlength=size)
    table: FloatArray = np.asarray(sums, dtype=np.float64).reshape(shape)
    there = np.bincount(cell, minlength=size).reshape(shape)
    table = table[there.any(axis=1)][:, there.any(axis=0)]
    return table


def _phi_squared(table: FloatArray) -> float:
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum() / table.sum())


def _covariance_of_shares(
    squares: FloatArray, shares: FloatArray, total: float, n: int
) -> FloatArray:
    """Return the linearised covariance of cell shares; ``squares``: summed squared weights."""
    cross = np.outer(squares, shares)
    products = np.diag(squares) - cross - cross.T + squares.sum() * np.outer(shares, shares)
    covariance: FloatArray = n / (n - 1) * products / total**2
    return covariance


def _contrasts(levels: int) -> FloatArray:
    """Return contrasts (levels, levels - 1): a basis of all that sums to zero."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])
