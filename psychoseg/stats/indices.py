"""Internal validity of the first cuts of one tree: how compact and how separate the clusters are.

Owns the indices for k = 1, 2, ... from one tree and one pass over the distances, and how far a
division goes with columns that took no part in it. Never chooses k (``choice`` does) and never
draws a random number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.validity import contingency, nested_silhouettes

__all__ = ["Indices", "association", "nested_cuts", "systematic_sample", "tree_indices"]

#: Points up to which all distances are looked at; beyond, those among a systematic sample of as
#: many people.
EXACT_POINTS = 20_000
#: Points whose distances to all others are held at once.
_CHUNK = 512
#: A sum of squares below this part of the total is zero but for rounding.
_NOTHING = 1e-14


@dataclass(frozen=True, slots=True)
class Indices:
    """Indices of the cuts into k = 1, 2, ... clusters, one entry a k; NaN where undefined.

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
    hartigan, between = np.full(n_cuts, np.nan), within[0] - within
    for j in range(n_cuts - 1):
        # The cluster divided next is the only one whose finer labels differ within it.
        parent = labels[np.unique(labels[:, j + 1], return_index=True)[1], j]
        node = int(np.bincount(parent).argmax())
        total, left = in_cluster[j][node], in_cluster[j + 1][parent == node].sum()
        if total > _NOTHING * within[0]:
            ratio[j] = left / total
        critical[j] = _duda_hart_critical(masses[j][node], d)
        if within[j + 1] > 0:
            hartigan[j] = (within[j] / within[j + 1] - 1) * (n_people - ks[j] - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        calinski = np.where(within > 0, between * (n_people - ks) / (within * (ks - 1)), np.nan)
    calinski[0] = np.nan

    heights = np.append(np.nan, tree[::-1, 2])
    below = np.append(heights, 0.0)
    silhouettes, dunn, exact = _from_distances(x, weights, labels, exact_points)
    return Indices(
        k=ks,
        within=within,
        calinski_harabasz=calinski,
        davies_bouldin=davies,
        dunn=dunn,
        hartigan=hartigan,
        duda_hart=ratio,
        duda_hart_critical=critical,
        height=heights[:n_cuts],
        height_jump=heights[:n_cuts] - below[1 : n_cuts + 1],
        silhouette=silhouettes,
        smallest_share=smallest,
        exact=exact,
    )


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
