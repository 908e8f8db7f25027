"""Ward's tree over weighted points, and what is read off a tree: cuts, ties, leaf order."""

from __future__ import annotations

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, canonical_order

__all__ = [
    "check_points",
    "count_tied_merges",
    "cut_tree",
    "leaf_order",
    "linkage_matrix",
    "ward_linkage",
]

#: In 8 dimensions numpy takes .2 s for 3,000 points, .9 s for 8,000, 2 s for 12,000; compiled code
#: .05, .2 and .4 s, half a second to load it, and at the first call on a machine 5 s of compiling.
_COMPILED_FROM = 10_000
#: Squares of differences this large, over 1,000 dimensions and times a mass, are still finite.
_LARGEST = 1e100
#: Squared distances are rounded to 41 of 53 bits (by Dekker's splitting, with 2 to the 12 plus 1),
#: a relative 2e-13, so that equal distances stay equal whatever the last digits of the means.
_SPLIT = 4097.0
#: Two heights closer than this, relative to the tallest, count as tied.
_TIE = 1e-12
#: Rows compared at a time, so that the comparison takes little memory.
_BLOCK = 65_536


def ward_linkage(
    x: FloatArray,
    weights: FloatArray,
    *,
    compiled: bool | None = None,
    threads: int | None = None,
) -> FloatArray:
    """Build Ward's minimum variance tree over weighted points, exactly and in linear memory.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite coordinates, n at least 2. Give rows in canonical order: ties go to the earlier row.
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.
    compiled : bool, optional
        Whether to search in compiled code; unless given, from 10,000 distinct points on. The first
        such tree on a machine waits 5 to 10 s for the compiler, the first of a process half a
        second; give True where many trees are to come. It changes the time alone.
    threads : int, optional
        For compiled code; those the process may use unless given. They change the time alone.

    Returns
    -------
    ndarray, shape (n - 1, 4)
        scipy's linkage matrix: the two nodes merged (leaves 0 to n - 1, then n + row), the height,
        and the number of rows of x below. Heights do not decrease.

    Raises
    ------
    ValueError
        Where a coordinate is not finite, a weight is not positive, there are fewer than 2 points,
        or the numbers are so large that squares and products of them are not finite.

    Notes
    -----
    Height ``sqrt(2 w_a w_b / (w_a + w_b)) * ||c_a - c_b||``: that of R's ``hclust(method =
    "ward.D2")`` and scipy's ``ward`` for weights of one. Both ways merge clusters that are each
    other's nearest and need O(n d) memory; they give the exact tree because Ward is reducible. Few
    points follow nearest-neighbour chains, in O(n^2 d) time; many are searched for in a tree of
    boxes (:mod:`psychoseg.stats.ward`).

    A cluster goes by its earliest row. Each step merges the pair with the least distance, and of
    pairs at the same distance the one whose earlier cluster is the earliest, then whose later one
    is. Squared distances within some 2e-13 of each other count as the same.

    References
    ----------
    Ward (1963), JASA 58, 236-244. Murtagh & Legendre (2014), J. Classif. 31, 274-295, the height's
    scale. Mullner (2011), arXiv:1109.2378, the chain and the relabelling.
    """
    check_points(x, weights)
    n = len(x)
    kept, mass, copies = _identical_rows(x, weights)
    pairs, heights = copies, np.zeros(n - 1)
    if len(kept) > 1:
        distinct = np.array(x[kept], dtype=np.float64, order="C")
        if compiled is None:
            compiled = len(kept) >= _COMPILED_FROM
        if compiled:
            # Imported here because numba takes half a second to load.
            from psychoseg.stats.ward import reciprocal_merges

            merges, above = reciprocal_merges(distinct, mass, threads=threads)
        else:
            merges, above = _chain_merges(distinct, mass)
        pairs, heights[len(copies) :] = np.concatenate([copies, kept[merges]]), above
    return _relabel(pairs, heights)


def check_points(x: FloatArray, weights: FloatArray) -> None:
    """Refuse points that make no tree.

    Raises
    ------
    ValueError
        As :func:`ward_linkage` says.
    """
    if len(x) < 2:
        msg = f"a tree takes at least 2 points, not {len(x)}"
        raise ValueError(msg)
    if not np.isfinite(x).all():
        msg = "coordinates must be finite"
        raise ValueError(msg)
    if not ((weights > 0) & np.isfinite(weights)).all():
        msg = "weights must be positive and finite"
        raise ValueError(msg)
    if max(float(np.abs(x).max(initial=0)), float(weights.sum())) > _LARGEST:
        msg = f"coordinates and the sum of weights must not exceed {_LARGEST:g}"
        raise ValueError(msg)


def cut_tree(tree: FloatArray, k: int) -> IntArray:
    """Return each leaf's cluster, 0 to k - 1 by first leaf, after undoing k - 1 merges.

    Parameters
    ----------
    tree : ndarray, shape (n - 1, 4)
    k : int
        From 1 to n.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    ValueError
        Where k is not between 1 and n.
    """
    n = len(tree) + 1
    if not 1 <= k <= n:
        msg = f"k = {k} must lie between 1 and the {n} points of the tree"
        raise ValueError(msg)
    # Nodes above the cut take no part: its highest merge has row n - k - 1.
    parent = np.arange(2 * n - k, dtype=np.intp)
    parent[tree[: n - k, :2].astype(np.intp)] = np.arange(n, 2 * n - k)[:, None]
    while True:
        above = parent[parent]
        if (above == parent).all():
            break
        parent = above
    _, first, inverse = np.unique(parent[:n], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def count_tied_merges(tree: FloatArray) -> int:
    """Return how many merges share their height with another one: each could have come first."""
    heights = tree[:, 2]
    if len(heights) < 2:
        return 0
    close = np.diff(heights) <= _TIE * max(float(heights[-1]), 1e-300)
    tied: BoolArray = np.zeros(len(heights), dtype=bool)
    tied[1:] |= close
    tied[:-1] |= close
    return int(tied.sum())


def leaf_order(tree: FloatArray) -> IntArray:
    """Return the leaves from left to right as the tree is drawn, shape (n,)."""
    n = len(tree) + 1
    left, right = tree[:, 0].astype(np.intp), tree[:, 1].astype(np.intp)
    parent, ahead = np.arange(2 * n - 1, dtype=np.intp), np.zeros(2 * n - 1, dtype=np.intp)
    parent[left] = parent[right] = np.arange(n, 2 * n - 1)
    # What stands ahead of a right child within its parent is all of its sibling.
    size = np.concatenate([np.ones(n), tree[:, 3]])
    ahead[right] = size[left].astype(np.intp)
    # Each round doubles the number of ancestors summed over; the root has itself and nothing ahead.
    while parent[:n].min(initial=2 * n - 2) < 2 * n - 2:
        ahead += ahead[parent]
        parent = parent[parent]
    order = np.empty(n, dtype=np.intp)
    order[ahead[:n]] = np.arange(n)
    return order


def _identical_rows(x: FloatArray, weights: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Return the first row of each point, the point's mass, and the merges of rows into them."""
    n = len(x)
    order = canonical_order(x)
    new = np.ones(n, dtype=bool)
    for start in range(1, n, _BLOCK):
        here = order[start - 1 : start + _BLOCK]
        new[start : start + _BLOCK] = (x[here[1:]] != x[here[:-1]]).any(axis=1)
    starts = np.flatnonzero(new)
    mass = np.add.reduceat(weights[order].astype(np.float64), starts)
    firsts = order[starts]
    copies = np.column_stack([np.repeat(firsts, np.diff(np.append(starts, n))), order])[~new]
    by_row = np.argsort(firsts)
    return firsts[by_row], mass[by_row], copies


def _chain_merges(x: FloatArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return merges of distinct points as pairs of clusters' earliest points, and heights."""
    n = len(x)
    # One column after another is added up, as in the compiled search: the same last digits.
    centroid, mass = np.array(x.T, order="C"), weights.copy()
    leaf, height = np.arange(n), np.zeros(n)
    alive = np.ones(n, dtype=bool)
    pairs, heights = np.empty((n - 1, 2), dtype=np.intp), np.empty(n - 1)
    chain: list[int] = []
    n_alive = n
    for merge in range(n - 1):
        # Dead rows cost time in every scan: drop them once they are half, keeping the order of the
        # others.
        if n_alive * 2 < len(leaf):
            keep = np.flatnonzero(alive)
            place = np.cumsum(alive) - 1
            chain = [int(place[c]) for c in chain]
            centroid, mass = np.ascontiguousarray(centroid[:, keep]), mass[keep]
            leaf, height = leaf[keep], height[keep]
            alive = np.ones(len(leaf), dtype=bool)
        if not chain:
            chain.append(int(alive.argmax()))
        while True:
            tip = chain[-1]
            offset = centroid - centroid[:, tip, None]
            offset *= offset
            squared = offset.sum(axis=0)
            squared *= 2 * mass[tip] * mass / (mass + mass[tip])
            upper = squared * _SPLIT
            squared = upper - (upper - squared)
            squared[~alive] = np.inf
            squared[tip] = np.inf
            nearest = int(squared.argmin())
            if len(chain) > 1 and nearest == chain[-2]:
                break
            chain.append(nearest)
        b, a = chain.pop(), chain.pop()
        # Rounding must not put a merge below one of its parts.
        height[min(a, b)] = max(np.sqrt(squared[a]), height[a], height[b])
        a, b = min(a, b), max(a, b)
        pairs[merge], heights[merge] = (leaf[a], leaf[b]), height[a]
        total = mass[a] + mass[b]
        centroid[:, a] = (mass[a] * centroid[:, a] + mass[b] * centroid[:, b]) / total
        mass[a] = total
        alive[b] = False
        n_alive -= 1
    return pairs, heights


def _relabel(pairs: IntArray, heights: FloatArray) -> FloatArray:
    """Turn merges of clusters' earliest leaves, in any order, into scipy's linkage matrix."""
    # The order in which they were found says nothing, and differs between the two ways.
    order = np.lexsort([pairs[:, 1], pairs[:, 0], heights])
    return linkage_matrix(pairs[order], heights[order])


def linkage_matrix(pairs: IntArray, heights: FloatArray) -> FloatArray:
    """Turn merges, in their order, into scipy's linkage matrix.

    Parameters
    ----------
    pairs : ndarray of int, shape (n - 1, 2)
        A leaf of each of the two clusters that merge.
    heights : ndarray, shape (n - 1,)

    Returns
    -------
    ndarray, shape (n - 1, 4)
    """
    n = len(pairs) + 1
    root, size = list(range(2 * n - 1)), [1] * (2 * n - 1)
    left, right = [0] * (n - 1), [0] * (n - 1)
    for row, (a, b) in enumerate(pairs.tolist()):
        a, b = _find(root, a), _find(root, b)
        node = n + row
        root[a] = root[b] = node
        size[node] = size[a] + size[b]
        left[row], right[row] = min(a, b), max(a, b)
    return np.column_stack([left, right, heights, size[n:]]).astype(np.float64)


def _find(root: list[int], node: int) -> int:
    top = node
    while root[top] != top:
        top = root[top]
    while root[node] != top:
        root[node], node = top, root[node]
    return top
