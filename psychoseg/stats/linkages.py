"""Trees other than Ward's over weighted points: average, complete, single, centroid, McQuitty.

Owns what is merged when and at which height. What is read off a tree is in ``linkage``, which also
has Ward's; who may ask for which method is for the engines.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.linkage import linkage_matrix

__all__ = ["MOST_POINTS", "LinkageMethod", "count_inversions", "linkage_of"]

LinkageMethod = Literal["average", "complete", "single", "centroid", "mcquitty"]

#: Points that a tree may have. A matrix of distances takes 4 n^2 bytes and scipy copies it: 1.8 GB
#: at 15,000 points. The other two hold no matrix and take time alone, which grows with n^2.
MOST_POINTS: dict[LinkageMethod, int] = {
    "average": 15_000,
    "complete": 15_000,
    "mcquitty": 15_000,
    "single": 100_000,
    "centroid": 50_000,
}
#: scipy's names for methods in which the size of a cluster plays no part.
_UNWEIGHTED = {"complete": "complete", "mcquitty": "weighted"}
#: Weights that differ by rounding alone are equal.
_SAME_WEIGHT = 1e-12
#: Rows of a matrix that are compared with its columns at once.
_ROWS = 256


def linkage_of(
    x: FloatArray,
    method: LinkageMethod,
    weights: FloatArray,
    *,
    distances: FloatArray | None = None,
) -> FloatArray:
    """Build a tree over weighted points.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite coordinates, n at least 2. Give rows in canonical order: ties go to the earlier row.
        Not looked at where distances are given.
    method : {"average", "complete", "single", "centroid", "mcquitty"}
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.
    distances : ndarray, shape (n, n), optional
        Symmetric, finite, none negative, such as Gower's; Euclidean where absent. Not for
        ``centroid``, which takes coordinates.

    Returns
    -------
    ndarray, shape (n - 1, 4)
        scipy's linkage matrix: the two nodes merged (leaves 0 to n - 1, then n + row), the height,
        and the number of rows of x below. Rows are in the order of the merges, so that a cut into k
        undoes the last k - 1; heights do not decrease, but for ``centroid``.

    Raises
    ------
    ValueError
        Where a number is not finite, a weight not positive, distances are no symmetric square or
        belong to ``centroid``, or there are fewer than 2 points or more than :data:`MOST_POINTS`
        (of a method that holds a matrix, where distances are given).

    Notes
    -----
    Heights are those of scipy's ``linkage`` and R's ``hclust`` for weights of one. Average (UPGMA)
    takes the mean over all pairs of rows, so the weights are cluster sizes. Centroid merges the two
    clusters whose weighted means are nearest and gives their distance: scipy's convention, the
    square root of ``hclust(d^2, "centroid")``. A merge may lie lower than the one before
    (:func:`count_inversions`); as in both programs nothing is smoothed, and the order of the merges
    alone decides a cut. Complete, single and McQuitty (WPGMA, which gives both parts of a cluster
    the same say) know no sizes: rows repeated w times merge at 0 first and leave the rest of the
    tree as it is, so weights change nothing.

    Single is a minimum spanning tree, grown in O(n^2) time and O(n) memory; centroid keeps each
    cluster's nearest neighbour in O(n d) memory.

    References
    ----------
    Sokal & Michener (1958), Univ. Kansas Sci. Bull. 38, 1409-1438, average and centroid. McQuitty
    (1966), Educ. Psychol. Meas. 26, 825-831. Lance & Williams (1967), Computer J. 9, 373-380. Gower
    & Ross (1969), Appl. Stat. 18, 54-64, the spanning tree. Mullner (2011), arXiv:1109.2378.
    """
    _check(x, method, weights, distances)
    if method == "centroid":
        return linkage_matrix(*_centroid_merges(x, weights))
    if method == "single":
        return linkage_matrix(*_in_order(*_spanning_tree(x, distances)))
    condensed = pdist(x) if distances is None else squareform(distances, checks=False)
    if method in _UNWEIGHTED:
        return np.asarray(linkage(condensed, _UNWEIGHTED[method]), dtype=np.float64)
    if np.ptp(weights) <= _SAME_WEIGHT * weights.max():
        return np.asarray(linkage(condensed, "average"), dtype=np.float64)
    return linkage_matrix(*_in_order(*_average_merges(condensed, weights)))


def count_inversions(tree: FloatArray) -> int:
    """Return how many merges lie lower than a merge below them, as centroid's may.

    Parameters
    ----------
    tree : ndarray, shape (n - 1, 4)

    Returns
    -------
    int
    """
    n = len(tree) + 1
    height = np.concatenate([np.zeros(n), tree[:, 2]])
    below = height[tree[:, :2].astype(np.intp)].max(axis=1)
    return int((tree[:, 2] < below * (1 - _SAME_WEIGHT)).sum())


def _check(
    x: FloatArray, method: LinkageMethod, weights: FloatArray, distances: FloatArray | None
) -> None:
    if method not in get_args(LinkageMethod):
        msg = f"the method is one of {', '.join(get_args(LinkageMethod))}, not {method!r}"
        raise ValueError(msg)
    n = len(x if distances is None else distances)
    if n < 2:
        msg = f"a tree takes at least 2 points, not {n}"
        raise ValueError(msg)
    most = MOST_POINTS[method if distances is None else "average"]
    if n > most:
        msg = f"a tree by {method} takes up to {most:,} points, not {n:,}"
        raise ValueError(msg)
    if weights.shape != (n,) or not ((weights > 0) & np.isfinite(weights)).all():
        msg = "weights must be positive and finite, one a point"
        raise ValueError(msg)
    if distances is None:
        if x.ndim != 2 or not np.isfinite(x).all():
            msg = "coordinates must be finite"
            raise ValueError(msg)
        return
    if method == "centroid":
        msg = "centroid merges means, so it takes coordinates, not distances"
        raise ValueError(msg)
    if distances.shape != (n, n) or not (np.isfinite(distances) & (distances >= 0)).all():
        msg = "distances must be a square of finite numbers, none below 0"
        raise ValueError(msg)
    for start in range(0, n, _ROWS):
        rows = slice(start, start + _ROWS)
        if not np.allclose(distances[rows], distances[:, rows].T, rtol=1e-9, atol=0):
            msg = "distances must be symmetric"
            raise ValueError(msg)


def _spanning_tree(x: FloatArray, distances: FloatArray | None) -> tuple[IntArray, FloatArray]:
    """Return the edges of a minimum spanning tree and their lengths, in the order it grows."""
    n = len(x if distances is None else distances)
    edges, lengths = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    outside = np.arange(1, n)
    there = x[1:]
    best, source = np.full(n - 1, np.inf), np.zeros(n - 1, dtype=np.intp)
    tip = 0
    for edge in range(n - 1):
        if distances is None:
            offset = there - x[tip]
            length = np.sqrt(np.einsum("ij,ij->i", offset, offset))
        else:
            length = distances[tip, outside]
        nearer = (length < best) & (source >= 0)
        best[nearer], source[nearer] = length[nearer], tip
        place = int(best.argmin())
        tip = int(outside[place])
        edges[edge], lengths[edge] = (source[place], tip), best[place]
        best[place], source[place] = np.inf, -1
        inside = edge + 1 - (n - 1 - len(outside))
        if inside * 2 > len(outside):
            # Points inside cost time in every scan: dropped once they are half.
            keep = source >= 0
            outside, best, source = outside[keep], best[keep], source[keep]
            there = there[keep] if distances is None else there
    return edges, lengths


def _average_merges(distance: FloatArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return merges of representative leaves in the order a nearest-neighbour chain finds them.

    Every tie goes as in scipy's chain, so that weights that happen to be equal change nothing.
    ``distance`` is condensed and overwritten.
    """
    n = len(weights)
    mass, made = weights.copy(), np.zeros(n)
    index = np.arange(n)
    # The distance of i < j is at base[i] + j.
    base = n * index - index * (index + 1) // 2 - index - 1
    alive: BoolArray = np.ones(n, dtype=bool)
    live = index
    pairs, heights = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    chain: list[int] = []
    for merge in range(n - 1):
        if not chain:
            chain.append(int(live[0]))
        while True:
            tip = chain[-1]
            others = live[live != tip]
            row = distance[_places(base, tip, others)]
            nearest = int(row.argmin())
            if len(chain) > 1:
                back = float(distance[_places(base, tip, np.array(chain[-2:-1]))][0])
                if back <= row[nearest]:
                    break
            chain.append(int(others[nearest]))
        a, b = sorted((chain.pop(), chain.pop()))
        # Rounding may put a mean of equal distances below the height of a part.
        made[b] = heights[merge] = max(back, made[a], made[b])
        pairs[merge] = a, b
        alive[a] = False
        live = np.flatnonzero(alive)
        rest = live[live != b]
        at_a, at_b = _places(base, a, rest), _places(base, b, rest)
        total = mass[a] + mass[b]
        distance[at_b] = (mass[a] * distance[at_a] + mass[b] * distance[at_b]) / total
        mass[b] = total
    return pairs, heights


def _places(base: IntArray, i: int, others: IntArray) -> IntArray:
    return np.where(others < i, base[others] + i, base[i] + others)


def _centroid_merges(x: FloatArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return merges of representative leaves, nearest pair first, and their heights."""
    n = len(x)
    center, mass, leaf = x.copy(), weights.copy(), np.arange(n)
    alive: BoolArray = np.ones(n, dtype=bool)
    nearest, squared = np.empty(n, dtype=np.intp), np.empty(n)
    for i in range(n):
        nearest[i], squared[i], _ = _neighbour(center, alive, i)
    pairs, heights = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    for merge in range(n - 1):
        i = int(squared.argmin())
        a, b = sorted((i, int(nearest[i])))
        pairs[merge], heights[merge] = (leaf[a], leaf[b]), np.sqrt(squared[i])
        if merge == n - 2:
            break
        total = mass[a] + mass[b]
        center[b] = (mass[a] * center[a] + mass[b] * center[b]) / total
        mass[b] = total
        alive[a], squared[a] = False, np.inf
        lost = alive & ((nearest == a) | (nearest == b))
        lost[b] = False
        nearest[b], squared[b], to_b = _neighbour(center, alive, b)
        for j in np.flatnonzero(lost):
            nearest[j], squared[j], _ = _neighbour(center, alive, int(j))
        # The new mean may lie nearer to a third cluster than either part did.
        nearer = alive & (to_b < squared)
        nearest[nearer], squared[nearer] = b, to_b[nearer]
        if (n - 1 - merge) * 2 < len(leaf):
            # Dead rows cost time in every scan: dropped once they are half.
            place = np.cumsum(alive) - 1
            center, mass, leaf = center[alive], mass[alive], leaf[alive]
            nearest, squared = place[nearest[alive]], squared[alive]
            alive = np.ones(len(leaf), dtype=bool)
    return pairs, heights


def _neighbour(center: FloatArray, alive: BoolArray, i: int) -> tuple[int, float, FloatArray]:
    """Return the nearest living cluster, its squared distance, and those of all."""
    offset = center - center[i]
    squared: FloatArray = np.einsum("ij,ij->i", offset, offset)
    squared[~alive] = np.inf
    squared[i] = np.inf
    nearest = int(squared.argmin())
    return nearest, float(squared[nearest]), squared


def _in_order(pairs: IntArray, heights: FloatArray) -> tuple[IntArray, FloatArray]:
    order = np.argsort(heights, kind="stable")
    return pairs[order], heights[order]
