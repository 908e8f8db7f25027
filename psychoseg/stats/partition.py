"""Flat divisions of weighted points: k-means, the consolidation of a tree's cut, and medoids.

Owns the search for a division; never chooses how many segments there are, nor names them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, collapse

__all__ = ["Consolidation", "Medoids", "Partition", "consolidate", "k_means", "k_medoids"]

#: Two squared distances (or costs) closer than this part of the spread count as equal.
_TIE = 1e-12
#: A single point is moved where that lowers the sum of squares by this part of the total: less is
#: no better division, and with 100,000 points there are thousands of such moves.
_WORTH = 1e-8
#: Rounds after which a search that still moves points is ended; some tens are usual.
_MOST_ROUNDS = 1000
#: Starts of k-means from seeds of their own; further ones vary the best division so far. On eleven
#: yes/no items, where fresh starts end at hundreds of optima, 50 and 140 variations found the least
#: sum known of seven segments in 6 of 6 trials and that of eight in 5; 190 fresh starts in 4 and 2.
_FRESH_STARTS = 50
#: Distances that are held at once.
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Partition:
    """Points around centres.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        0 to k - 1.
    centers : ndarray, shape (k, d)
        Weighted means.
    within : float
        Weighted sum of squared distances to the centres.
    between : float
        Weighted sum of squared distances of the centres to the mean of all.
    converged : bool
        Whether the search ended by itself: no move of one point makes ``within`` smaller by
        more than 1e-8 of the total.
    """

    labels: IntArray
    centers: FloatArray
    within: float
    between: float
    converged: bool


@dataclass(frozen=True, slots=True)
class Consolidation:
    """A division before and after its points were allowed to move.

    Attributes
    ----------
    partition : Partition
        Segments keep their numbers.
    moved : ndarray of bool, shape (n,)
        Points that ended in another segment.
    moved_weight : float
        Their weight, out of that of all points.
    between_before : float
        As ``partition.between``, of the division that was given.
    """

    partition: Partition
    moved: BoolArray
    moved_weight: float
    between_before: float


@dataclass(frozen=True, slots=True)
class Medoids:
    """Points around points.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        0 to k - 1; segments by the row of their medoid.
    medoids : ndarray of int, shape (k,)
        Rows, ascending.
    cost : float
        Weighted mean distance to the nearest medoid.
    build_cost : float
        The same before the swaps.
    swaps : int
    """

    labels: IntArray
    medoids: IntArray
    cost: float
    build_cost: float
    swaps: int


def k_means(
    x: FloatArray,
    weights: FloatArray,
    k: int,
    *,
    rng: np.random.Generator,
    starts: int = 20,
) -> Partition:
    """Divide points so that the weighted sum of squares within the segments is small.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite coordinates.
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.
    k : int
        From 1 to the number of distinct points.
    rng : numpy.random.Generator
    starts : int
        Of these the best is kept, of equal ones the first. From the 51st on a start is the best
        division so far with one centre taken away and another put elsewhere.

    Returns
    -------
    Partition
        Labels by descending weight, equal weights by first point in canonical order.

    Raises
    ------
    ValueError
        Where a coordinate is not finite, a weight not positive, or k or ``starts`` out of range.

    Notes
    -----
    Greedy k-means++ starts (after 50 of them random swaps of one centre of the best, Fränti 2018),
    Lloyd's rounds, and then single points are moved while that lowers the
    sum (Hartigan's criterion, whose optima are fewer than Lloyd's: over 50 starts on yes/no items
    scikit-learn's ``KMeans``, which has Lloyd's alone, stayed .5% above the least sum known).

    Identical rows are one weighted point, columns are put in order of what they hold and rows in
    canonical order, and a point leaves its centre only for one that is nearer by more than
    rounding: neither the order of rows and columns nor the scale of the weights moves the answer.
    Only columns that hold the same values equally often, and have the same third moment with the
    distance from the mean, keep the order they came in.

    References
    ----------
    Arthur & Vassilvitskii (2007), SODA, 1027-1035. Lloyd (1982), IEEE Trans. Inf. Theory 28,
    129-137. Hartigan (1975), Clustering Algorithms, ch. 4. Telgarsky & Vattani (2010), AISTATS,
    820-827, the optima. Fränti (2018), J. Big Data 5, 13, random swaps.
    """
    _check(x, weights)
    if starts < 1:
        msg = f"k-means takes at least 1 start, not {starts}"
        raise ValueError(msg)
    columns = _column_order(x, weights)
    points = collapse(x[:, columns], weights)
    if not 1 <= k <= len(points.x):
        msg = f"k = {k} is not between 1 and the {len(points.x)} distinct points"
        raise ValueError(msg)
    # Centred, so that a mean far from zero costs no digits.
    at = points.x - points.weights @ points.x / points.weights.sum()
    mass = points.weights / points.weights.sum()
    tie = _TIE * float(mass @ (at**2).sum(axis=1))
    best, best_within, best_converged = np.zeros(len(at), dtype=np.intp), np.inf, True
    for start in range(starts if k > 1 else 1):
        if start < _FRESH_STARTS:
            seeds = _seeds(at, mass, k, rng, tie)
            labels = _nearest(_squared(at, at[seeds]), tie)
            # Two seeds may be as near as a tie.
            labels[seeds] = np.arange(k)
        else:
            labels = _swapped(at, mass, best, k, rng, tie)
        labels, converged = _refine(at, mass, labels, k, tie)
        within = _within(at, mass, labels, k)
        if within < best_within - tie:
            best, best_within, best_converged = labels, within, converged
    order = np.lexsort(
        [
            np.unique(best, return_index=True)[1],
            # Rounded, so that two sums that differ by rounding alone count as equal.
            -np.bincount(best, weights=mass, minlength=k).round(12),
        ]
    )
    rank = np.empty(k, dtype=np.intp)
    rank[order] = np.arange(k)
    return _partition(x, weights, rank[best][points.point_of], k, converged=best_converged)


def consolidate(x: FloatArray, weights: FloatArray, labels: IntArray) -> Consolidation:
    """Let the points of a tree's cut move to nearer centres, as FactoMineR's ``HCPC`` does.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite coordinates.
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.
    labels : ndarray of int, shape (n,)
        0 to k - 1, none empty; identical rows alike.

    Returns
    -------
    Consolidation

    Raises
    ------
    ValueError
        Where a coordinate is not finite, a weight not positive, a segment empty, or identical rows
        differ in their label.

    Notes
    -----
    The search of :func:`k_means` from the centres of the given division. HCPC, which has no
    weights here, calls R's ``kmeans`` (Hartigan & Wong) and ends at the same kind of optimum.

    References
    ----------
    Husson, Josse & Pages (2010), Principal component methods - hierarchical clustering -
    partitional clustering, Agrocampus Rennes technical report.
    """
    _check(x, weights)
    k = int(labels.max()) + 1
    if labels.min() < 0 or (np.bincount(labels, minlength=k) == 0).any():
        msg = f"labels must be 0 to {k - 1} with no segment empty"
        raise ValueError(msg)
    points = collapse(x, weights)
    given = np.zeros(len(points.x), dtype=np.intp)
    given[points.point_of] = labels
    if (given[points.point_of] != labels).any():
        msg = "identical rows must have the same label; collapse them before cutting the tree"
        raise ValueError(msg)
    at = points.x - points.weights @ points.x / points.weights.sum()
    mass = points.weights / points.weights.sum()
    tie = _TIE * float(mass @ (at**2).sum(axis=1))
    found, converged = _refine(at, mass, given, k, tie)
    moved = (found != given)[points.point_of]
    before = _partition(x, weights, labels, k, converged=False)
    return Consolidation(
        partition=_partition(x, weights, found[points.point_of], k, converged=converged),
        moved=moved,
        moved_weight=float(weights[moved].sum()),
        between_before=before.between,
    )


def k_medoids(distances: FloatArray, weights: FloatArray, k: int) -> Medoids:
    """Divide points around k of them so that the weighted mean distance is small: PAM.

    Parameters
    ----------
    distances : ndarray, shape (n, n)
        Symmetric, finite, none negative, such as Gower's. Give rows in canonical order: ties go to
        the earlier row.
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.
    k : int
        From 1 to n.

    Returns
    -------
    Medoids

    Raises
    ------
    ValueError
        Where distances are not finite or not a symmetric square, a weight is not positive, or k is
        out of range.

    Notes
    -----
    The build phase adds the point that lowers the cost most, the swap phase makes the best swap of
    a medoid for another point until none lowers the cost. ``cluster::pam`` does the same, without
    weights. All swaps are judged in one pass, O(n^2) a pass.

    References
    ----------
    Kaufman & Rousseeuw (1990), Finding Groups in Data, ch. 2. Schubert & Rousseeuw (2021), Inf.
    Syst. 101, 101804, the pass.
    """
    n = len(distances)
    if distances.shape != (n, n) or not np.isfinite(distances).all() or (distances < 0).any():
        msg = (
            "distances must be a square of finite numbers, none below 0; rows that no column "
            "compares have to be left out"
        )
        raise ValueError(msg)
    if not np.allclose(distances, distances.T, rtol=1e-9, atol=0):
        msg = "distances must be symmetric"
        raise ValueError(msg)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights > 0)).all():
        msg = "weights must be positive and finite, one a row"
        raise ValueError(msg)
    if not 1 <= k <= n:
        msg = f"k = {k} is not between 1 and the {n} points"
        raise ValueError(msg)
    mass = weights / weights.sum()
    medoids = _build(distances, mass, k)
    build_cost = float(mass @ distances[:, medoids].min(axis=1))
    swaps = 0
    while k < n:
        old, new, gain = _best_swap(distances, mass, medoids)
        if not gain > _TIE * build_cost:
            break
        medoids[old] = new
        swaps += 1
    medoids.sort()
    to_medoid = distances[:, medoids]
    labels = to_medoid.argmin(axis=1)
    # A medoid belongs to itself, also where another one lies at the same place.
    labels[medoids] = np.arange(k)
    return Medoids(labels, medoids, float(mass @ to_medoid.min(axis=1)), build_cost, swaps)


def _check(x: FloatArray, weights: FloatArray) -> None:
    if x.ndim != 2 or not x.size:
        msg = "there is nothing to divide: no rows or no columns"
        raise ValueError(msg)
    if not np.isfinite(x).all():
        msg = "coordinates must be finite"
        raise ValueError(msg)
    if weights.shape != (len(x),) or not (np.isfinite(weights) & (weights > 0)).all():
        msg = "weights must be positive and finite, one a row"
        raise ValueError(msg)


def _column_order(x: FloatArray, weights: FloatArray) -> list[int]:
    """Return columns in an order that only what they hold decides."""
    order = np.argsort(weights, kind="stable")
    share = weights / weights[order].sum()
    offset = x - share @ x
    squared = (offset**2).sum(axis=1)
    scale = float(share @ squared) ** 1.5

    def content(j: int) -> tuple[bytes, bytes, float]:
        values, place = np.unique(x[:, j] + 0.0, return_inverse=True)
        margin = np.bincount(place, weights=share).round(9)
        third = float(share @ (offset[:, j] * squared)) / scale if scale > 0 else 0.0
        return values.tobytes(), margin.tobytes(), round(third, 9)

    return sorted(range(x.shape[1]), key=content)


def _seeds(
    x: FloatArray, mass: FloatArray, k: int, rng: np.random.Generator, tie: float
) -> list[int]:
    """Draw k points, each with a chance in proportion to mass times squared distance so far.

    Of 2 + log k candidates the one that leaves the least sum is taken, as scikit-learn does.
    """
    n_trials = 2 + int(np.log(k))
    last = len(x) - 1
    chosen = [min(int(np.searchsorted(np.cumsum(mass), rng.random() * mass.sum())), last)]
    nearest = _squared(x, x[chosen])[:, 0]
    for _ in range(k - 1):
        chance = np.cumsum(mass * nearest)
        # side="right" passes over points of no chance: those chosen already.
        trials = np.searchsorted(chance, rng.random(n_trials) * chance[-1], side="right")
        trials = np.minimum(trials, int(np.flatnonzero(nearest).max()))
        left = np.minimum(_squared(x, x[trials]), nearest[:, None])
        best = int(_nearest((mass @ left)[None], tie)[0])
        chosen.append(int(trials[best]))
        nearest = left[:, best]
    return chosen


def _swapped(
    x: FloatArray,
    mass: FloatArray,
    labels: IntArray,
    k: int,
    rng: np.random.Generator,
    tie: float,
) -> IntArray:
    """Give up one centre at random for a point, drawn as a seed is, and assign the points anew."""
    centers = _centers(x, mass, labels, k)
    gone = int(rng.random() * k)
    nearest = _squared(x, np.delete(centers, gone, axis=0)).min(axis=1)
    chance = np.cumsum(mass * nearest)
    new = min(int(np.searchsorted(chance, rng.random() * chance[-1], side="right")), len(x) - 1)
    centers[gone] = x[new]
    found = _nearest(_squared(x, centers), tie)
    found[new] = gone
    # A centre that has lost all of its points to the new one keeps the division as it was.
    return labels if (np.bincount(found, minlength=k) == 0).any() else found


def _refine(
    x: FloatArray, mass: FloatArray, labels: IntArray, k: int, tie: float
) -> tuple[IntArray, bool]:
    """Move points until no move lowers the sum: all at once, then one by one, in turn."""
    rows = np.arange(len(x))
    for _ in range(_MOST_ROUNDS):
        squared = _squared(x, _centers(x, mass, labels, k))
        own = squared[rows, labels]
        nearest = _nearest(squared, tie)
        labels = np.where(squared[rows, nearest] < own - tie, nearest, labels)
        empty = np.flatnonzero(np.bincount(labels, minlength=k) == 0)
        for segment in empty:
            # The point that costs most, out of a segment that keeps another.
            several = np.bincount(labels, minlength=k)[labels] > 1
            labels[_nearest(-np.where(several, mass * own, -1.0)[None], tie)[0]] = segment
        if len(empty) or (squared[rows, nearest] < own - tie).any():
            continue
        labels, any_moved = _transfer(x, mass, labels, k, tie)
        if not any_moved:
            return labels, True
    return labels, False


def _transfer(
    x: FloatArray, mass: FloatArray, labels: IntArray, k: int, tie: float
) -> tuple[IntArray, bool]:
    """Move single points where that lowers the sum, although their own centre may be nearest.

    Moving a point of mass w from a to b changes the sum by ``w (m_b d_b / (m_b + w) - m_a d_a /
    (m_a - w))``, m being masses and d squared distances.
    """
    worth = tie * _WORTH / _TIE
    labels = labels.copy()
    centers = _centers(x, mass, labels, k)
    total = np.bincount(labels, weights=mass, minlength=k)
    count = np.bincount(labels, minlength=k)
    rows = np.arange(len(x))
    squared = _squared(x, centers)
    with np.errstate(divide="ignore", invalid="ignore"):
        leave = squared[rows, labels] * total[labels] / (total[labels] - mass)
        leave[count[labels] == 1] = 0.0
        enter = squared * total / (total + mass[:, None])
    enter[rows, labels] = np.inf
    moved = False
    for i in np.flatnonzero(mass * (leave - enter.min(axis=1)) > worth):
        a, w = labels[i], mass[i]
        if count[a] == 1:
            continue
        # The centres may have moved since the candidates were found.
        d = ((centers - x[i]) ** 2).sum(axis=1)
        cost = d * total / (total + w)
        cost[a] = np.inf
        b = int(_nearest(cost[None], tie)[0])
        if not w * (d[a] * total[a] / (total[a] - w) - cost[b]) > worth:
            continue
        centers[a] -= (x[i] - centers[a]) * w / (total[a] - w)
        centers[b] += (x[i] - centers[b]) * w / (total[b] + w)
        total[a] -= w
        total[b] += w
        count[a] -= 1
        count[b] += 1
        labels[i] = b
        moved = True
    return labels, moved


def _centers(x: FloatArray, mass: FloatArray, labels: IntArray, k: int) -> FloatArray:
    sums = [np.bincount(labels, weights=mass * column, minlength=k) for column in x.T]
    centers: FloatArray = np.column_stack(sums)
    centers /= np.bincount(labels, weights=mass, minlength=k)[:, None]
    return centers


def _squared(x: FloatArray, centers: FloatArray) -> FloatArray:
    """Return squared distances, shape (n, k); not through a product, which costs digits."""
    squared: FloatArray = cdist(x, centers, "sqeuclidean")
    return squared


def _nearest(squared: FloatArray, tie: float) -> IntArray:
    """Return the first of the columns that are least but for rounding."""
    least = squared.min(axis=1, keepdims=True)
    first: IntArray = (squared <= least + tie).argmax(axis=1)
    return first


def _within(x: FloatArray, mass: FloatArray, labels: IntArray, k: int) -> float:
    offset = x - _centers(x, mass, labels, k)[labels]
    return float(mass @ (offset**2).sum(axis=1))


def _partition(
    x: FloatArray, weights: FloatArray, labels: IntArray, k: int, *, converged: bool
) -> Partition:
    middle = weights @ x / weights.sum()
    centers = _centers(x - middle, weights, labels, k)
    mass = np.bincount(labels, weights=weights, minlength=k)
    return Partition(
        labels=labels,
        centers=centers + middle,
        within=_within(x - middle, weights, labels, k),
        between=float(mass @ (centers**2).sum(axis=1)),
        converged=converged,
    )


def _build(distances: FloatArray, mass: FloatArray, k: int) -> IntArray:
    cost = mass @ distances
    medoids = [_first_least(cost, cost.min())]
    nearest = distances[:, medoids[0]]
    for _ in range(k - 1):
        cost = np.concatenate(
            [mass @ np.minimum(distances[:, part], nearest[:, None]) for part in _slices(len(mass))]
        )
        cost[medoids] = np.inf
        medoids.append(_first_least(cost, float(mass @ nearest)))
        nearest = np.minimum(nearest, distances[:, medoids[-1]])
    return np.array(medoids, dtype=np.intp)


def _best_swap(
    distances: FloatArray, mass: FloatArray, medoids: IntArray
) -> tuple[int, int, float]:
    """Return which medoid to give up, for which point, and how much the cost falls."""
    k = len(medoids)
    to_medoid = distances[:, medoids]
    nearest = to_medoid.argmin(axis=1)
    rows = np.arange(len(mass))
    first = to_medoid[rows, nearest]
    others = to_medoid.copy()
    others[rows, nearest] = np.inf
    second = others.min(axis=1)
    belongs = (nearest == np.arange(k)[:, None]) * mass
    change = np.empty((len(mass), k))
    for part in _slices(len(mass)):
        d = distances[:, part]
        stays = np.minimum(d - first[:, None], 0.0)
        leaves = np.minimum(d, second[:, None]) - first[:, None]
        change[part] = (mass @ stays + belongs @ (leaves - stays)).T
    change[medoids] = np.inf
    best = _first_least(change.ravel(), float(mass @ first))
    return best % k, best // k, -float(change.ravel()[best])


def _first_least(values: FloatArray, scale: float) -> int:
    """Return the first value that is least but for rounding."""
    return int((values <= values.min() + _TIE * scale).argmax())


def _slices(n: int) -> list[slice]:
    step = max(1, _CELLS // n)
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]
