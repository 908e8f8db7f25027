"""Weights that make the sample look like the population: raking, trimming, what weighting costs.

Knows margins and categories by their numbers only; never decides to weight, and never drops a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray

__all__ = [
    "Efficiency",
    "MarginProblem",
    "Raking",
    "check_margins",
    "rake",
    "trim_weights",
    "weighting_efficiency",
]

#: Totals of two margins may differ by this much: published shares are rounded to whole per cents.
_ROUNDING = 0.02

ProblemKind = Literal[
    "no category", "target not positive", "target not a number", "nobody", "totals differ"
]


@dataclass(frozen=True, slots=True)
class MarginProblem:
    """Why a margin cannot be raked to.

    Attributes
    ----------
    margin : int
    category : int
        -1 where it is about the margin as a whole.
    kind : str
        "no category": ``count`` rows have a code that is not among the targets. "nobody": a target
        for a category that no row is in. "totals differ": from those of the first margin.
    count : float
        Rows concerned, the target, or the margin's total.
    """

    margin: int
    category: int
    kind: ProblemKind
    count: float


@dataclass(frozen=True, slots=True)
class Raking:
    """Raked weights and how close they came.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        With the sum of the weights they came from.
    converged : bool
        Whether every margin is met to the tolerance, within the bounds if there are any.
    rounds : int
        Passes over all margins.
    deviation : float
        Largest difference between a category's weighted share and its target share.
    n_bounded : int
        Rows whose weight lies on a bound.
    """

    weights: FloatArray
    converged: bool
    rounds: int
    deviation: float
    n_bounded: int


@dataclass(frozen=True, slots=True)
class Efficiency:
    """What unequal weights cost.

    Attributes
    ----------
    n : int
        Rows with a positive weight.
    effective : float
        Kish's effective sample size, ``sum(w)**2 / sum(w**2)``.
    design_effect : float
        ``n / effective``, one plus the squared coefficient of variation of the weights.
    efficiency : float
        ``effective / n``.
    lowest, highest : float
        Smallest and largest weight over the mean weight.
    """

    n: int
    effective: float
    design_effect: float
    efficiency: float
    lowest: float
    highest: float


def check_margins(
    categories: Sequence[IntArray], targets: Sequence[FloatArray]
) -> tuple[MarginProblem, ...]:
    """List all that keeps the rows from being raked to the targets.

    Parameters
    ----------
    categories : sequence of ndarray of int, shape (n,)
        For each margin, each row's category from 0; -1 for a missing or unlisted answer.
    targets : sequence of ndarray, shape (k,)
        For each margin, each category's share, per cent or count in the population.

    Returns
    -------
    tuple of MarginProblem
        Empty where nothing does. A row without a category, a category without a row and a target
        of zero are problems for the researcher: which rows to leave out or which categories to
        merge is no arithmetic.
    """
    problems: list[MarginProblem] = []
    for m, (codes, target) in enumerate(zip(categories, targets, strict=True)):
        k = len(target)
        outside = (codes < 0) | (codes >= k)
        if outside.any():
            problems.append(MarginProblem(m, -1, "no category", float(outside.sum())))
        rows = np.bincount(codes[~outside], minlength=k)
        for c in range(k):
            if not np.isfinite(target[c]):
                problems.append(MarginProblem(m, c, "target not a number", float(target[c])))
            elif target[c] <= 0:
                problems.append(MarginProblem(m, c, "target not positive", float(target[c])))
            elif rows[c] == 0:
                problems.append(MarginProblem(m, c, "nobody", float(target[c])))
        total, first = float(target.sum()), float(targets[0].sum())
        if abs(total - first) > _ROUNDING * abs(first):
            problems.append(MarginProblem(m, -1, "totals differ", total))
    return tuple(problems)


def rake(
    weights: FloatArray,
    categories: Sequence[IntArray],
    targets: Sequence[FloatArray],
    *,
    bounds: tuple[float, float] | None = None,
    tolerance: float = 1e-9,
    max_rounds: int = 1000,
) -> Raking:
    """Adjust weights by iterative proportional fitting until each margin has its target shares.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Weights to start from, strictly positive: ones, or those of the sampling design.
    categories : sequence of ndarray of int, shape (n,)
        For each margin, each row's category from 0. Two variables crossed are one margin.
    targets : sequence of ndarray, shape (k,)
        For each margin, each category's share, per cent or count in the population, all in the same
        unit; each margin is divided by its own total, which takes rounded shares.
    bounds : (float, float), optional
        Least and largest factor by which a starting weight may change, relative to the mean: with
        equal starting weights, multiples of the mean weight. After each pass weights are cut off
        there.
    tolerance : float
        Largest difference of a share from its target at which to stop.
    max_rounds : int

    Returns
    -------
    Raking
        ``converged`` is False where margins contradict each other or the bounds leave no room.

    Raises
    ------
    ValueError
        Naming all that :func:`check_margins` finds, a weight that is not positive, or bounds that
        do not lie around 1.

    Notes
    -----
    Without bounds this is ``survey::rake``: the weights nearest to the starting ones in
    Kullback-Leibler distance that meet the margins; the order of the margins does not matter once
    it has converged. With bounds it is the truncation of DeBell & Krosnick inside every pass; the
    margins are then met as well as the bounds let them be.

    PyPI's ipfn 1.4.4 was tried and is not used: it fills an array with a cell for each combination
    of all margins, needs pandas, leaves a target that nobody can meet at zero, and reports success
    when it stops moving.

    References
    ----------
    Deming & Stephan (1940), Ann. Math. Stat. 11, 427-444. Ireland & Kullback (1968), Biometrika 55,
    179-188. DeBell & Krosnick (2009), Computing Weights for American National Election Study Survey
    Data.
    """
    _refuse(weights, categories, targets, bounds)
    total = float(weights.sum())
    # With the weights' sum held at one, a share is a sum of weights.
    start = weights / total
    shares = [target / target.sum() for target in targets]
    lowest, highest = (0.0, np.inf) if bounds is None else bounds
    raked = start.copy()
    deviation, rounds = _deviation(raked, categories, shares), 0
    while deviation > tolerance and rounds < max_rounds:
        rounds += 1
        for codes, share in zip(categories, shares, strict=True):
            raked *= (share / np.bincount(codes, weights=raked, minlength=len(share)))[codes]
        if bounds is not None:
            raked = _scaled_within(raked, lowest * start, highest * start)
        deviation = _deviation(raked, categories, shares)
    ratio = raked / start
    on_bound = (ratio <= lowest * (1 + 1e-9)) | (ratio >= highest * (1 - 1e-9))
    return Raking(
        weights=raked * total,
        converged=deviation <= tolerance,
        rounds=rounds,
        deviation=deviation,
        n_bounded=int(on_bound.sum()),
    )


def trim_weights(weights: FloatArray, *, low: float, high: float) -> FloatArray:
    """Cut weights off at multiples of their mean and share out what that frees or takes.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Positive.
    low, high : float
        Least and largest weight over the mean weight, around 1. Five is a common ``high`` (DeBell &
        Krosnick 2009); 0.2 mirrors it.

    Returns
    -------
    ndarray, shape (n,)
        With the same sum, every weight within the bounds. Margins raked to before are no longer
        met exactly: give the bounds to :func:`rake` where they must be.

    Raises
    ------
    ValueError
        Where ``0 <= low < 1 < high`` does not hold.

    Notes
    -----
    The weights between the bounds are scaled by one common factor, found by bisection, so that the
    sum is kept with their ratios (Potter 1990; ``survey::trimWeights`` adds a constant instead).

    References
    ----------
    Potter (1990), Proc. Surv. Res. Methods Sect. ASA, 225-230.
    """
    if not 0 <= low < 1 < high:
        msg = f"bounds of {low:g} and {high:g} times the mean weight do not lie around 1"
        raise ValueError(msg)
    shares = weights / weights.sum()
    n = len(weights)
    trimmed: FloatArray = _scaled_within(shares, np.full(n, low / n), np.full(n, high / n))
    trimmed *= weights.sum()
    return trimmed


def weighting_efficiency(weights: FloatArray) -> Efficiency:
    """Compute Kish's effective sample size and design effect of unequal weights.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Not negative, one positive at least; rows of weight zero count nobody.

    Returns
    -------
    Efficiency

    References
    ----------
    Kish (1965), Survey Sampling; (1992), J. Off. Stat. 8, 183-200.
    """
    used = weights[weights > 0]
    effective = float(used.sum() ** 2 / (used**2).sum())
    return Efficiency(
        n=len(used),
        effective=effective,
        design_effect=len(used) / effective,
        efficiency=effective / len(used),
        lowest=float(used.min() / used.mean()),
        highest=float(used.max() / used.mean()),
    )


def _scaled_within(shares: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Scale shares by one factor and cut them off at bounds, so that they sum to one after it."""
    lower, upper = 0.0, 1.0
    while np.clip(upper * shares, low, high).sum() < 1:
        upper *= 2
    # 200 halvings end on neighbouring doubles.
    for _ in range(200):
        middle = (lower + upper) / 2
        if np.clip(middle * shares, low, high).sum() < 1:
            lower = middle
        else:
            upper = middle
    scaled: FloatArray = np.clip(upper * shares, low, high)
    return scaled


def _deviation(
    raked: FloatArray, categories: Sequence[IntArray], shares: Sequence[FloatArray]
) -> float:
    found = [
        np.bincount(codes, weights=raked, minlength=len(share))
        for codes, share in zip(categories, shares, strict=True)
    ]
    return max(float(np.abs(f - s).max()) for f, s in zip(found, shares, strict=True))


def _refuse(
    weights: FloatArray,
    categories: Sequence[IntArray],
    targets: Sequence[FloatArray],
    bounds: tuple[float, float] | None,
) -> None:
    wrong = [
        f"margin {p.margin}"
        + (f", category {p.category}" if p.category >= 0 else "")
        + f": {p.kind} ({p.count:g})"
        for p in check_margins(categories, targets)
    ]
    if not len(targets):
        wrong.append("there is no margin")
    bad = int((~(weights > 0) | ~np.isfinite(weights)).sum())
    if bad:
        wrong.append(f"{bad} starting weights are not positive")
    if bounds is not None and not 0 <= bounds[0] < 1 < bounds[1]:
        wrong.append(f"bounds {bounds[0]:g} and {bounds[1]:g} do not lie around 1")
    if wrong:
        msg = "cannot rake: " + "; ".join(wrong)
        raise ValueError(msg)
