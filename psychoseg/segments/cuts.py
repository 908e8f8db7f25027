"""The drawn tree cut into other numbers of segments: who is where, what comes from what, colours.

Owns the numbering and the colours of segments across cuts. The reported segments stay what
``fit_segments`` found; nothing here is tested for stability.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from psychoseg.segments.methods import by_size
from psychoseg.segments.result import Segments
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.indices import nested_cuts

__all__ = ["cut_labels", "cut_numbers", "cut_panel", "cut_table"]

#: As many segments as the cut of a dendrogram can be moved to.
MOST_CUTS = 10


def cut_numbers(segments: Segments) -> range:
    """Return the numbers of segments that the tree is cut into.

    From 2 to :data:`MOST_CUTS`, and ``segments.k`` where that is more or less; no more than the
    tree has leaves, and ``segments.k`` alone where there is no tree.
    """
    leaves = _leaves(segments)
    if leaves < max(segments.k, 2):
        return range(segments.k, segments.k + 1)
    return range(min(2, segments.k), min(max(MOST_CUTS, segments.k), leaves) + 1)


def cut_labels(segments: Segments, k: int) -> IntArray:
    """Return each respondent's segment after cutting the drawn tree into k.

    Parameters
    ----------
    segments : Segments
    k : int
        From 1 to the number of leaves.

    Returns
    -------
    ndarray of int, shape (n,)
        1 to k by descending weighted size, equal sizes by their first leaf; 0 where excluded. At
        ``segments.k`` they are ``segments.labels``.

    Raises
    ------
    ValueError
        Where k is not between 1 and the number of leaves.

    Notes
    -----
    Those whom a density method leaves out fit no segment at any height: from two segments on they
    stay together, undivided, as the last one, and the others' part of the tree is cut into k - 1.
    """
    if k != segments.k and not 1 <= k <= _leaves(segments):
        msg = f"k = {k} must lie between 1 and the {_leaves(segments)} leaves of the tree"
        raise ValueError(msg)
    return cut_panel(segments, range(k, k + 1))[:, 0]


def cut_panel(segments: Segments, ks: range) -> IntArray:
    """Return the labels of :func:`cut_labels` for several k, one a column, shape (n, len(ks))."""
    if list(ks) == [segments.k]:
        return np.array(segments.labels, dtype=np.intp)[:, None]
    weight = segments.points["weight"].to_numpy(dtype=np.float64)
    leaf_weight: FloatArray = np.bincount(
        segments.leaf_of, weights=weight, minlength=len(segments.tree) + 1
    ).astype(np.float64)
    apart = _unassigned_leaves(segments)
    if apart.any() and ks[-1] > 1:
        inside = np.flatnonzero(~apart)
        cuts = np.full((len(apart), ks[-1]), -1, dtype=np.intp)
        # A segment more than the others' part is cut into.
        cuts[inside, 1:] = nested_cuts(_without(segments.tree, apart), ks[-1] - 1)
        cuts[:, 0] = 0
    else:
        cuts = nested_cuts(segments.tree, ks[-1])
    there = segments.point_of >= 0
    leaf = segments.leaf_of[segments.point_of]
    columns = []
    for k in ks:
        if k == segments.k:
            columns.append(np.asarray(segments.labels, dtype=np.intp))
            continue
        own = cuts[:, k - 1]
        last = k - 1 if apart.any() and k > 1 else None
        own = by_size(np.where(own < 0, k - 1, own), leaf_weight, last=last)
        columns.append(np.where(there, own[leaf] + 1, 0))
    return np.column_stack(columns)


def cut_table(segments: Segments) -> pd.DataFrame:
    """Return where each segment of each cut comes from, and its colour.

    Returns
    -------
    DataFrame
        ``k, segment, parent`` (the segment of k - 1 that holds it; 0 where that is no cut),
        ``colour``: at ``segments.k`` the segment's number; with fewer segments that of the largest
        of those that it joins, one merge after another; with more, the larger part keeps the colour
        of what was divided and the other gets the next number.
    """
    ks = cut_numbers(segments)
    panel = cut_panel(segments, ks)
    parents: dict[int, dict[int, int]] = {}
    shown = segments.labels.to_numpy()
    coarser = np.minimum(shown, 1) if ks[0] == 2 else np.zeros_like(shown)
    for k, own in zip(ks, panel.T, strict=True):
        of = np.zeros(k + 1, dtype=np.intp)
        of[own] = coarser
        parents[k] = dict(enumerate(of.tolist()[1:], start=1))
        coarser = own
    colours = {segments.k: {s: s for s in range(1, segments.k + 1)}}
    for k in range(segments.k - 1, ks[0] - 1, -1):
        # Numbers go by size: the largest child has the lowest, and is written last.
        children = sorted(parents[k + 1].items(), reverse=True)
        colours[k] = {parent: colours[k + 1][child] for child, parent in children}
    for k in range(segments.k + 1, ks.stop):
        colours[k] = {}
        kept = set()
        for child, parent in sorted(parents[k].items()):
            colours[k][child] = k if parent in kept else colours[k - 1][parent]
            kept.add(parent)
    rows = [(k, s, parents[k][s], colours[k][s]) for k in ks for s in range(1, k + 1)]
    return pd.DataFrame(rows, columns=["k", "segment", "parent", "colour"])


def _leaves(segments: Segments) -> int:
    """Return the number of segments that the tree can be cut into."""
    if not len(segments.tree):
        return 1
    apart = _unassigned_leaves(segments)
    return int((~apart).sum()) + bool(apart.any())


def _unassigned_leaves(segments: Segments) -> BoolArray:
    """Return which leaves hold those who fit no segment."""
    apart = np.zeros(len(segments.tree) + 1, dtype=bool)
    if segments.unassigned:
        own = segments.points["segment"].to_numpy() == segments.unassigned
        apart[segments.leaf_of[own]] = True
    return apart


def _without(tree: FloatArray, apart: BoolArray) -> FloatArray:
    """Return the tree of the leaves that are not set apart, renumbered in their order."""
    n = len(tree) + 1
    kept = int((~apart).sum())
    # What each node is in the new tree; -1 where nothing of it is left.
    node = np.concatenate([np.where(apart, -1, np.cumsum(~apart) - 1), np.full(n - 1, -1)])
    merges: list[tuple[int, int, float, float]] = []
    for row, (a, b) in enumerate(tree[:, :2].astype(np.intp).tolist()):
        left, right = sorted((int(node[a]), int(node[b])))
        if left < 0:
            node[n + row] = right
            continue
        node[n + row] = kept + len(merges)
        merges.append((left, right, float(tree[row, 2]), 0.0))
    return np.array(merges, dtype=np.float64).reshape(-1, 4)
