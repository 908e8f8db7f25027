"""Ward's tree over weighted points, and what is read off a tree: cuts, ties, leaf order."""

from __future__ import annotations

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["count_tied_merges", "cut_tree", "leaf_order", "ward_linkage"]

#: Two heights closer than this, relative to the tallest, count as tied.
_TIE = 1e-12


def ward_linkage(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Build Ward's minimum variance tree over weighted points, exactly and in linear memory.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite coordinates, n at least 2. Give rows in canonical order: ties go to the earlier row.
    weights : ndarray, shape (n,)
        Positive. A point of weight w counts as w identical points.

    Returns
    -------
    ndarray, shape (n - 1, 4)
        scipy's linkage matrix: the two nodes merged (leaves 0 to n - 1, then n + row), the height,
        and the number of rows of x below. Heights do not decrease.

    Raises
    ------
    ValueError
        Where a coordinate is not finite, a weight is not positive, or there are fewer than 2
        points.

    Notes
    -----
    Height ``sqrt(2 w_a w_b / (w_a + w_b)) * ||c_a - c_b||``: that of R's ``hclust(method =
    "ward.D2")`` and scipy's ``ward`` for weights of one. Nearest-neighbour chains need only
    centroids, O(n d) memory, and O(n^2 d) time; they give the exact tree because Ward is reducible.

    References
    ----------
    Ward (1963), JASA 58, 236-244. Murtagh & Legendre (2014), J. Classif. 31, 274-295, the height's
    scale. Mullner (2011), arXiv:1109.2378, the chain and the relabelling.
    """
    n = len(x)
    if n < 2:
        msg = f"a tree takes at least 2 points, not {n}"
        raise ValueError(msg)
    if not np.isfinite(x).all():
        msg = "coordinates must be finite"
        raise ValueError(msg)
    if not ((weights > 0) & np.isfinite(weights)).all():
        msg = "weights must be positive and finite"
        raise ValueError(msg)
    pairs, heights = _chain_merges(x, weights)
    order = np.argsort(heights, kind="stable")
    return _relabel(pairs[order], heights[order], n)


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
    parent = np.arange(2 * n - 1)
    for row in range(n - k):
        parent[tree[row, :2].astype(np.intp)] = n + row
    # Parents come later than their children, so one pass from the top finds every root.
    for node in range(2 * n - 2, -1, -1):
        parent[node] = parent[parent[node]]
    roots = parent[:n]
    _, first, inverse = np.unique(roots, return_index=True, return_inverse=True)
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
    stack, order = [2 * n - 2], []
    while stack:
        node = stack.pop()
        if node < n:
            order.append(node)
        else:
            left, right = tree[node - n, :2].astype(int)
            stack += [right, left]
    return np.array(order, dtype=np.intp)


def _chain_merges(x: FloatArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return merges as pairs of representative leaves, in the order the chain finds them."""
    n = len(x)
    centroid, mass = x.astype(np.float64), weights.astype(np.float64)
    leaf = np.arange(n)
    alive = np.ones(n, dtype=bool)
    pairs = np.empty((n - 1, 2), dtype=np.intp)
    heights = np.empty(n - 1)
    chain: list[int] = []
    n_alive = n
    for merge in range(n - 1):
        # Dead rows cost time in every scan: drop them once they are half, keeping the order of the
        # others.
        if n_alive * 2 < len(leaf):
            keep = np.flatnonzero(alive)
            place = np.cumsum(alive) - 1
            chain = [int(place[c]) for c in chain]
            centroid, mass, leaf = centroid[keep], mass[keep], leaf[keep]
            alive = np.ones(len(leaf), dtype=bool)
        if not chain:
            chain.append(int(alive.argmax()))
        while True:
            tip = chain[-1]
            offset = centroid - centroid[tip]
            squared = np.einsum("ij,ij->i", offset, offset)
            squared *= 2 * mass[tip] * mass / (mass + mass[tip])
            squared[~alive] = np.inf
            squared[tip] = np.inf
            nearest = int(squared.argmin())
            if len(chain) > 1 and squared[chain[-2]] <= squared[nearest]:
                break
            chain.append(nearest)
        b, a = chain.pop(), chain.pop()
        a, b = min(a, b), max(a, b)
        pairs[merge] = leaf[a], leaf[b]
        heights[merge] = np.sqrt(squared[a if a != tip else b])
        total = mass[a] + mass[b]
        centroid[a] = (mass[a] * centroid[a] + mass[b] * centroid[b]) / total
        mass[a] = total
        alive[b] = False
        n_alive -= 1
    return pairs, heights


def _relabel(pairs: IntArray, heights: FloatArray, n: int) -> FloatArray:
    """Turn merges of representative leaves, sorted by height, into scipy's linkage matrix."""
    tree = np.empty((n - 1, 4))
    root = list(range(2 * n - 1))
    size = [1] * n + [0] * (n - 1)
    for row, (a, b) in enumerate(pairs.tolist()):
        a, b = _find(root, a), _find(root, b)
        node = n + row
        root[a] = root[b] = node
        size[node] = size[a] + size[b]
        tree[row] = min(a, b), max(a, b), heights[row], size[node]
    return tree


def _find(root: list[int], node: int) -> int:
    top = node
    while root[top] != top:
        top = root[top]
    while root[node] != top:
        root[node], node = top, root[node]
    return top
