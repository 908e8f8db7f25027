"""Internal validity of divisions: how compact and how separate their clusters are.

Owns the indices for k = 1, 2, ... of the cuts of one tree or of any divisions, from one pass over
the distances, the silhouette of each point, and how far a division goes with columns that took no
part in it. Never chooses k (``choice`` does) and never draws a random number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.validity import contingency, nested_silhouettes, silhouette

__all__ = [
    "Indices",
    "association",
    "division_indices",
    "nested_cuts",
    "silhouette_of_all",
    "systematic_sample",
    "tree_indices",
]

#: Points up to which all distances are looked at; beyond, those among a systematic sample of as
#: many people.
EXACT_POINTS = 20_000
#: Points whose distances to all others are held at once.
_CHUNK = 512
#: People whom each point is held against where all are too many, and of one cluster at the least.
_AGAINST, _AGAINST_EACH = 2000, 30
#: A sum of squares below this part of the total is zero but for rounding.
_NOTHING = 1e-14


@dataclass(frozen=True, slots=True)
class Indices:
    """Indices of divisions into k = 1, 2, ... clusters, one entry each; NaN where undefined.

    What a tree alone has (heights, and what the cluster divided next would tell) is NaN for
    divisions that are not the cuts of one.

    Attributes
    ----------
    k : ndarray of int, shape (s,)
    within : ndarray, shape (s,)
        Weighted sum of squared distances to the cluster means.
    calinski_harabasz : ndarray
        ``(B / (k - 1)) / (W / (n - k))``; high is good.
    davies_bouldin : ndarray
        Mean over the clusters of the worst ratio of spread to distance of means; low is good.
    dunn : ndarray
        Least distance between clusters by the largest diameter; high is good.
    hartigan : ndarray
        ``(W_k / W_(k+1) - 1) (n - k - 1)``: what one more cluster would bring.
    duda_hart : ndarray
        Je(2) / Je(1) of the cluster that is divided next.
    duda_hart_critical : ndarray
        The value that Je(2) / Je(1) falls below where that cluster is more than one.
    height : ndarray
        Height of the merge that made k clusters into k - 1.
    height_jump : ndarray
        That height less the one of the merge before it.
    silhouette : ndarray
        Weighted mean silhouette width.
    smallest_share : ndarray
        Share of the weight in the smallest cluster.
    exact : bool
        False where silhouette and Dunn are those of a sample of :data:`EXACT_POINTS` people.
    """

    k: IntArray
    within: FloatArray
    calinski_harabasz: FloatArray
    davies_bouldin: FloatArray
    dunn: FloatArray
    hartigan: FloatArray
    duda_hart: FloatArray
    duda_hart_critical: FloatArray
    height: FloatArray
    height_jump: FloatArray
    silhouette: FloatArray
    smallest_share: FloatArray
    exact: bool


def tree_indices(
    x: FloatArray,
    weights: FloatArray,
    tree: FloatArray,
    *,
    k_max: int = 15,
    exact_points: int = EXACT_POINTS,
) -> Indices:
    """Compute the indices of the cuts of one tree into 1 to k_max clusters.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Distinct points in canonical order.
    weights : ndarray, shape (n,)
        A point of weight w counts as w people. The sum of weights is the number of people where an
        index needs it (Calinski-Harabasz, Hartigan, Duda-Hart), so give weights of mean one a
        person.
    tree : ndarray, shape (n - 1, 4)
        scipy's linkage matrix, of any method.
    k_max : int
        Lowered to n where there are fewer points.
    exact_points : int
        Points up to which silhouette and Dunn are exact.

    Returns
    -------
    Indices

    Notes
    -----
    Sums of squares come from those of the finest cut and the means above it, so that they hold for
    every linkage; for Ward's they also are half the squared heights, added up. Rescaled weights
    leave all but ``within``, the heights' scale and what depends on n unchanged; the silhouette's
    ``W - 1`` depends on n too. Spread in Davies-Bouldin is the mean distance to the mean, as in
    scikit-learn. The critical value of Duda & Hart is that of ``fpc::dudahart2``, alpha .001. Where
    the points are too many, silhouette and Dunn are those of a systematic sample of people
    (:func:`systematic_sample`): without bias for the silhouette, too good for Dunn.

    References
    ----------
    Calinski & Harabasz (1974), Commun. Stat. 3, 1-27. Davies & Bouldin (1979), IEEE PAMI 1,
    224-227. Dunn (1974), J. Cybern. 4, 95-104. Hartigan (1975), Clustering Algorithms, ch. 4.
    Duda & Hart (1973), Pattern Classification and Scene Analysis, 6.12. Rousseeuw (1987).
    """
    labels = nested_cuts(tree, k_max)
    n_cuts = labels.shape[1]
    ks = np.arange(1, n_cuts + 1)
    n_people, d = float(weights.sum()), x.shape[1]
    fine = labels[:, -1]
    first = np.unique(fine, return_index=True)[1]
    group = labels[first]
    mass = _totals(fine, weights)
    centre = _means(x, weights, fine, mass)
    squares = np.bincount(fine, weights=weights * ((x - centre[fine]) ** 2).sum(axis=1))

    within, davies = np.empty(n_cuts), np.full(n_cuts, np.nan)
    smallest = np.empty(n_cuts)
    in_cluster, masses = [], []
    for j in range(n_cuts):
        size = _totals(group[:, j], mass)
        means = _means(centre, mass, group[:, j], size)
        apart = ((centre - means[group[:, j]]) ** 2).sum(axis=1)
        own = np.bincount(group[:, j], weights=squares + mass * apart)
        in_cluster.append(own)
        masses.append(size)
        within[j], smallest[j] = own.sum(), size.min() / n_people
        if j:
            spread = np.sqrt(((x - means[labels[:, j]]) ** 2).sum(axis=1))
            spread = np.bincount(labels[:, j], weights=weights * spread) / size
            davies[j] = _davies_bouldin(spread, means)
    # What is rounding alone would decide ratios where all points of a cluster are the same.
    within[within <= _NOTHING * within[0]] = 0.0

    ratio, critical = np.full(n_cuts, np.nan), np.full(n_cuts, np.nan)
    for j in range(n_cuts - 1):
        # The cluster divided next is the only one whose finer labels differ within it.
        parent = labels[np.unique(labels[:, j + 1], return_index=True)[1], j]
        node = int(np.bincount(parent).argmax())
        total, left = in_cluster[j][node], in_cluster[j + 1][parent == node].sum()
        if total > _NOTHING * within[0]:
            ratio[j] = left / total
        critical[j] = _duda_hart_critical(masses[j][node], d)
    heights = np.append(np.nan, tree[::-1, 2])
    below = np.append(heights, 0.0)
    silhouettes, dunn, exact = _from_distances(x, weights, labels, exact_points)
    return Indices(
        k=ks,
        within=within,
        calinski_harabasz=_calinski_harabasz(within, ks, within[0], n_people),
        davies_bouldin=davies,
        dunn=dunn,
        hartigan=_hartigan(within, ks, n_people),
        duda_hart=ratio,
        duda_hart_critical=critical,
        height=heights[:n_cuts],
        height_jump=heights[:n_cuts] - below[1 : n_cuts + 1],
        silhouette=silhouettes,
        smallest_share=smallest,
        exact=exact,
    )


def division_indices(
    x: FloatArray,
    weights: FloatArray,
    divisions: Sequence[IntArray],
    *,
    exact_points: int = EXACT_POINTS,
) -> Indices:
    """Compute the indices of divisions that need not be the cuts of one tree.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Distinct points in canonical order.
    weights : ndarray, shape (n,)
        Of mean one a person, as in :func:`tree_indices`.
    divisions : sequence of ndarray of int, shape (n,)
        Labels 0 to k - 1, none empty.
    exact_points : int
        Points up to which silhouette and Dunn are exact.

    Returns
    -------
    Indices
        One entry a division. Heights and Duda-Hart are NaN; Hartigan's index is that of a
        division and the next, where that has one cluster more.

    Raises
    ------
    ValueError
        Where there is no division.

    Notes
    -----
    Conventions and references as in :func:`tree_indices`.
    """
    if not len(divisions):
        msg = "there is no division to compute indices of"
        raise ValueError(msg)
    n_people = float(weights.sum())
    ks = np.array([int(labels.max()) + 1 for labels in divisions])
    within, davies = np.empty(len(ks)), np.full(len(ks), np.nan)
    smallest, none = np.empty(len(ks)), np.full(len(ks), np.nan)
    for j, labels in enumerate(divisions):
        mass = _totals(labels, weights)
        means = _means(x, weights, labels, mass)
        squares = ((x - means[labels]) ** 2).sum(axis=1)
        within[j], smallest[j] = weights @ squares, mass.min() / n_people
        if ks[j] > 1:
            spread = np.bincount(labels, weights=weights * np.sqrt(squares)) / mass
            davies[j] = _davies_bouldin(spread, means)
    total = float(weights @ ((x - weights @ x / n_people) ** 2).sum(axis=1))
    within[within <= _NOTHING * total] = 0.0
    silhouettes, dunn, exact = _any_from_distances(x, weights, divisions, exact_points)
    return Indices(
        k=ks,
        within=within,
        calinski_harabasz=_calinski_harabasz(within, ks, total, n_people),
        davies_bouldin=davies,
        dunn=dunn,
        hartigan=_hartigan(within, ks, n_people),
        duda_hart=none,
        duda_hart_critical=none.copy(),
        height=none.copy(),
        height_jump=none.copy(),
        silhouette=silhouettes,
        smallest_share=smallest,
        exact=exact,
    )


def silhouette_of_all(
    x: FloatArray,
    weights: FloatArray,
    labels: IntArray,
    *,
    exact_points: int = EXACT_POINTS,
) -> FloatArray:
    """Compute the silhouette width of each point, of however many.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Distinct points in canonical order.
    weights : ndarray, shape (n,)
    labels : ndarray of int, shape (n,)
        0 to k - 1, none empty.
    exact_points : int
        Points up to which it is exact.

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    Beyond ``exact_points`` an approximation: each point is held against an evenly spaced sample of
    2,000 people, from each cluster as many as its share of the weight and 30 at the least. Its mean
    distance to a cluster is the one to these, itself left out. Conventions as in
    :func:`nested_silhouettes`.
    """
    if len(x) <= exact_points:
        return silhouette(x, labels, weights)
    k = int(labels.max()) + 1
    mass = _totals(labels, weights)
    times = np.zeros(len(x), dtype=np.intp)
    for g in range(k):
        here = np.flatnonzero(labels == g)
        size = max(_AGAINST_EACH, round(_AGAINST * mass[g] / mass.sum()))
        times[here] = systematic_sample(weights[here], size)
    kept = np.flatnonzero(times)
    against, heads = x[kept], times[kept].astype(np.float64)
    member = np.eye(k)[labels[kept]] * heads[:, None]
    taken = member.sum(axis=0)
    # A point that is in the sample is not held against itself, as often as it came in.
    others = taken[labels] - times
    out = np.zeros(len(x))
    for start in range(0, len(x), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(x)))
        out[rows] = _widths(
            cdist(x[rows], against) @ member, labels[rows], taken, others[rows].astype(np.float64)
        )
    out[mass[labels] <= 1] = 0.0
    return out


def nested_cuts(tree: FloatArray, k_max: int) -> IntArray:
    """Return the cuts of a tree into 1 to k_max clusters, one a column, shape (n, k_max).

    Labels count from 0 by first leaf. k_max is lowered to the number of leaves.

    Raises
    ------
    ValueError
        Where k_max is below 1.
    """
    n = len(tree) + 1
    if k_max < 1:
        msg = f"k_max = {k_max} must be at least 1"
        raise ValueError(msg)
    k_max = min(k_max, n)
    fine = cut_tree(tree, k_max)
    # The least fine label in each cluster stands for it, so that numbering is by first leaf.
    stands_for = np.arange(k_max)
    columns = [stands_for]
    for row in range(n - k_max, n - 1):
        a, b = (stands_for[fine[_a_leaf(tree, node)]] for node in tree[row, :2].astype(int))
        stands_for = np.where(stands_for == max(a, b), min(a, b), stands_for)
        columns.append(stands_for)
    numbered = [np.unique(c, return_inverse=True)[1] for c in reversed(columns)]
    return np.column_stack(numbered)[fine]


def systematic_sample(weights: FloatArray, size: int) -> IntArray:
    """Return how often each point comes into an evenly spaced sample of people, shape (n,).

    Parameters
    ----------
    weights : ndarray, shape (n,)
        In an order that neighbours share (canonical order does): the sample spreads over it. A
        point of weight w comes in as often as w identical points together.
    size : int
        People to take.

    References
    ----------
    Madow (1949), Ann. Math. Stat. 20, 333-354.
    """
    ends = np.cumsum(weights)
    at = (np.arange(size) + 0.5) * (ends[-1] / size)
    place = np.minimum(np.searchsorted(ends, at, side="right"), len(weights) - 1)
    return np.bincount(place, minlength=len(weights))


def association(
    labels: IntArray, columns: FloatArray, nominal: BoolArray, weights: FloatArray
) -> FloatArray:
    """Compute how strongly divisions go with columns that took no part in them.

    Parameters
    ----------
    labels : ndarray of int, shape (n, s)
        0-based labels, one division a column.
    columns : ndarray, shape (n, p)
        Numbers, or any codes of a nominal column; NaN where missing.
    nominal : ndarray of bool, shape (p,)
        Columns that hold codes.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (s, p)
        Cramer's V for a nominal column, eta (the square root of the share of variance between the
        clusters) for a numeric one; both from 0 to 1, over the rows with a value. 0 for a single
        cluster, NaN for a column without variation.

    References
    ----------
    Cramer (1946), Mathematical Methods of Statistics, 21.9. Pearson (1905), eta.
    """
    out = np.full((labels.shape[1], columns.shape[1]), np.nan)
    for j in range(columns.shape[1]):
        here = ~np.isnan(columns[:, j])
        values, w = columns[here, j], weights[here]
        if not here.any() or (values == values[0]).all():
            continue
        codes = np.unique(values, return_inverse=True)[1]
        for s in range(labels.shape[1]):
            own = np.unique(labels[here, s], return_inverse=True)[1]
            if nominal[j]:
                out[s, j] = _cramer_v(contingency(own, codes, w))
            else:
                out[s, j] = _eta(own, values, w)
    return out


def _totals(labels: IntArray, weights: FloatArray) -> FloatArray:
    return np.bincount(labels, weights=weights).astype(np.float64)


def _means(x: FloatArray, weights: FloatArray, labels: IntArray, mass: FloatArray) -> FloatArray:
    sums = [np.bincount(labels, weights=weights * x[:, c]) for c in range(x.shape[1])]
    return np.column_stack(sums) / mass[:, None]


def _calinski_harabasz(
    within: FloatArray, ks: IntArray, total: float, n_people: float
) -> FloatArray:
    out = np.full(len(ks), np.nan)
    has = (within > 0) & (ks > 1)
    between = total - within[has]
    out[has] = between * (n_people - ks[has]) / (within[has] * (ks[has] - 1))
    return out


def _hartigan(within: FloatArray, ks: IntArray, n_people: float) -> FloatArray:
    out = np.full(len(ks), np.nan)
    has = np.flatnonzero((within[1:] > 0) & (np.diff(ks) == 1))
    out[has] = (within[has] / within[has + 1] - 1) * (n_people - ks[has] - 1)
    return out


def _davies_bouldin(spread: FloatArray, means: FloatArray) -> float:
    apart = cdist(means, means)
    np.fill_diagonal(apart, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (spread[:, None] + spread) / apart
    return float(ratio.max(axis=1).mean())


def _duda_hart_critical(n: float, d: int) -> float:
    # 3.0902323 is the normal quantile of 1 - .001, the default of fpc::dudahart2.
    spread = 2 * (1 - 8 / (np.pi**2 * d)) / (n * d)
    return float(1 - 2 / (np.pi * d) - 3.090232306167813 * np.sqrt(spread))


def _a_leaf(tree: FloatArray, node: int) -> int:
    n = len(tree) + 1
    while node >= n:
        node = int(tree[node - n, 0])
    return node


def _from_distances(
    x: FloatArray, weights: FloatArray, labels: IntArray, exact_points: int
) -> tuple[FloatArray, FloatArray, bool]:
    """Return the mean silhouette and the Dunn index of each cut, and whether they are exact."""
    exact = len(x) <= exact_points
    if not exact:
        times = systematic_sample(weights, exact_points)
        kept = np.flatnonzero(times)
        x, labels, weights = x[kept], labels[kept], times[kept].astype(np.float64)
        # A cluster that the sample missed leaves a gap in the numbering.
        labels = np.column_stack([np.unique(c, return_inverse=True)[1] for c in labels.T])
    widths = weights @ nested_silhouettes(x, labels, weights) / weights.sum()
    widths[0] = np.nan
    return widths, _dunn(x, labels), exact


def _any_from_distances(
    x: FloatArray, weights: FloatArray, divisions: Sequence[IntArray], exact_points: int
) -> tuple[FloatArray, FloatArray, bool]:
    """Do as :func:`_from_distances` for divisions of which none need refine another."""
    exact = len(x) <= exact_points
    if not exact:
        times = systematic_sample(weights, exact_points)
        kept = np.flatnonzero(times)
        x, weights = x[kept], times[kept].astype(np.float64)
        divisions = [np.unique(labels[kept], return_inverse=True)[1] for labels in divisions]
    masses = [_totals(labels, weights) for labels in divisions]
    ends = np.cumsum([len(mass) for mass in masses])
    # All divisions side by side, so that the distances are computed and added up once.
    member = np.concatenate([np.eye(len(m))[c] for m, c in zip(masses, divisions, strict=True)], 1)
    member *= weights[:, None]
    widths = np.zeros(len(divisions))
    least, most = np.full(len(divisions), np.inf), np.zeros(len(divisions))
    for start in range(0, len(x), _CHUNK):
        rows = slice(start, min(start + _CHUNK, len(x)))
        apart = cdist(x[rows], x)
        to_all = np.split(apart @ member, ends[:-1], axis=1)
        for s, (labels, mass) in enumerate(zip(divisions, masses, strict=True)):
            if len(mass) == 1:
                continue
            own = labels[rows]
            widths[s] += weights[rows] @ _widths(to_all[s], own, mass, mass[own] - 1)
            # Distances are symmetric: those to earlier points have been seen.
            same, later = own[:, None] == labels[start:], apart[:, start:]
            most[s] = max(most[s], float(np.max(later, where=same, initial=0.0)))
            least[s] = min(least[s], float(np.min(later, where=~same, initial=np.inf)))
    several = np.array([len(mass) > 1 for mass in masses])
    dunn = np.full(len(divisions), np.nan)
    defined = several & (most > 0)
    dunn[defined] = least[defined] / most[defined]
    return np.where(several, widths / weights.sum(), np.nan), dunn, exact


def _widths(
    to_cluster: FloatArray, own: IntArray, mass: FloatArray, others: FloatArray
) -> FloatArray:
    """Return silhouette widths from summed distances to clusters, 0 where there are no others."""
    here = np.arange(len(own))
    with np.errstate(invalid="ignore", divide="ignore"):
        within = to_cluster[here, own] / others
        between = to_cluster / mass
        between[here, own] = np.inf
        nearest = between.min(axis=1)
        width = (nearest - within) / np.maximum(within, nearest)
    return np.where((others > 0) & np.isfinite(width), width, 0.0)


def _dunn(x: FloatArray, labels: IntArray) -> FloatArray:
    fine = labels[:, -1]
    order = np.argsort(fine, kind="stable")
    points, owner = x[order], fine[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    k = len(starts)
    least, most = np.full((k, k), np.inf), np.zeros((k, k))
    for start in range(0, len(x), _CHUNK):
        part = cdist(points[start : start + _CHUNK], points)
        rows = owner[start : start + _CHUNK]
        breaks = np.flatnonzero(np.diff(rows, prepend=-1))
        near = np.minimum.reduceat(np.minimum.reduceat(part, starts, axis=1), breaks)
        far = np.maximum.reduceat(np.maximum.reduceat(part, starts, axis=1), breaks)
        which = rows[breaks]
        least[which] = np.minimum(least[which], near)
        most[which] = np.maximum(most[which], far)
    group = labels[order][starts]
    out = np.full(labels.shape[1], np.nan)
    for j in range(1, labels.shape[1]):
        same = group[:, j][:, None] == group[:, j]
        diameter = most[same].max()
        if diameter > 0 and not same.all():
            out[j] = least[~same].min() / diameter
    return out


def _cramer_v(table: FloatArray) -> float:
    rows, cols, total = table.sum(axis=1), table.sum(axis=0), table.sum()
    smaller = min(len(rows), len(cols)) - 1
    if smaller == 0:
        return 0.0
    expected = np.outer(rows, cols) / total
    chi = ((table - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi / (total * smaller)))


def _eta(labels: IntArray, values: FloatArray, weights: FloatArray) -> float:
    mass = np.bincount(labels, weights=weights)
    means = np.bincount(labels, weights=weights * values) / mass
    mean = weights @ values / weights.sum()
    total = weights @ (values - mean) ** 2
    return float(np.sqrt(mass @ (means - mean) ** 2 / total))
