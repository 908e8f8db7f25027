"""The branches of the tree as the explorer's script draws them; folds nothing, draws nothing.

Which branches there are, and that each has enough people, is decided in
:mod:`psychoseg.segments.outline`. People's places go in only where a report stays in the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import numpy as np

from psychoseg.report import words
from psychoseg.segments.outline import Branch, Outline
from psychoseg.stats.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["MAX_DOTS", "FoldedTree", "write_tree"]

#: Dots on the map at the most; more are drawn over one another.
MAX_DOTS = 2000


class FoldedTree(TypedDict):
    """The folded tree, a list entry a branch; branch 0 is everybody.

    ``left`` and ``right`` are -1 for a wedge; ``order`` are the branches that divide, in the order
    in which they do as more of the tree is shown, ``needed`` of them at least. ``labels`` has the
    segment of each wedge at each cut. ``dots`` are places on the map, x and y in turn; empty where
    the report may leave the house.
    """

    split: list[float]
    people: list[str]
    share: list[str]
    weight: list[float]
    left: list[int]
    right: list[int]
    labels: list[list[int]]
    dots: list[list[int]]
    order: list[int]
    needed: int


def write_tree(segments: Segments, outline: Outline, places: FloatArray | None) -> FoldedTree:
    """Write the branches of a tree out in short numbers and words.

    Parameters
    ----------
    segments : Segments
    outline : Outline
        With a tree.
    places : ndarray, shape (number of points, 2), or None
        Where each point is on the map; None where nobody may be shown.

    Returns
    -------
    FoldedTree

    Notes
    -----
    Dots are drawn systematically in proportion to weight.
    """
    branches = outline.branches
    total = branches[0].weight
    return FoldedTree(
        split=[b.split for b in branches],
        people=[words.plural(round(b.people), "person", "people") for b in branches],
        share=[words.percent(b.weight / total) for b in branches],
        weight=[round(b.weight / total, 3) for b in branches],
        left=[b.children[0] for b in branches],
        right=[b.children[1] for b in branches],
        labels=[b.labels for b in branches],
        dots=[] if places is None else _dots(segments, branches, places),
        order=outline.order,
        needed=outline.needed,
    )


def _dots(segments: Segments, branches: list[Branch], places: FloatArray) -> list[list[int]]:
    """Return the places of some people on the map, for each wedge x and y in turn."""
    wedge_of: IntArray = np.zeros(len(segments.tree) + 1, dtype=np.intp)
    for number, branch in enumerate(branches):
        if branch.children[0] < 0:
            wedge_of[branch.leaves] = number
    wedge = wedge_of[segments.leaf_of]
    at = np.lexsort((np.arange(len(wedge)), wedge))
    if len(at) > MAX_DOTS:
        # Systematic sampling in proportion to weight: every wedge has its share of the dots.
        upto = np.cumsum(segments.points["weight"].to_numpy(dtype=float)[at])
        steps = (np.arange(MAX_DOTS) + 0.5) * (upto[-1] / MAX_DOTS)
        at = at[np.unique(np.searchsorted(upto, steps))]
    out: list[list[int]] = [[] for _ in branches]
    whole = np.rint(places).astype(np.intp)
    for point in at.tolist():
        out[wedge[point]] += whole[point].tolist()
    return out
