"""The tree folded into branches that can be drawn, told apart and printed; draws nothing.

A branch is never shown with a size that gives fewer than ``[profiles] min_base`` people away.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from psychoseg.report import words
from psychoseg.segments.cuts import cut_panel
from psychoseg.stats.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["MAX_DOTS", "MAX_WEDGES", "FoldedTree", "fold_tree"]

#: Folded branches at the most: at 850 pixels each has seven.
MAX_WEDGES = 120
#: Dots on the map at the most; more are drawn over one another.
MAX_DOTS = 2000


class FoldedTree(TypedDict):
    """The folded tree, a list entry a branch; branch 0 is everybody.

    ``left`` and ``right`` are -1 for a wedge; ``order`` are the branches that divide, in the order
    in which they do as more of the tree is shown, ``needed`` of them at least. ``labels`` has the
    segment of each wedge at each cut, and ``place`` the mean place of its people on the map.
    """

    height: list[float]
    split: list[float]
    people: list[str]
    share: list[str]
    weight: list[float]
    left: list[int]
    right: list[int]
    labels: list[list[int]]
    place: list[list[float]]
    dots: list[list[int]]
    order: list[int]
    needed: int


def fold_tree(run: Run, ks: list[int], places: FloatArray) -> FoldedTree:
    """Fold the tree of a run into at most ``MAX_WEDGES`` branches.

    Parameters
    ----------
    run : Run
    ks : list of int
        Numbers of segments that the tree is cut into, ascending.
    places : ndarray, shape (number of points, 2)
        Where each point is on the map.

    Returns
    -------
    FoldedTree

    Notes
    -----
    Where two segments of a cut part, a merge is always drawn. Elsewhere the highest merges are
    drawn, and a branch of fewer than ``min_base`` people becomes part of the larger one beside it.
    Where a segment is that small, all sizes are rounded to tens, so that its own cannot be worked
    out. Dots are drawn systematically in proportion to weight.
    """
    min_base = run.study.profiles.min_base
    nodes = _Nodes(run, ks, places)
    reported = ks.index(run.segments.k) if run.segments.k in ks else -1
    root = len(nodes.sums) - 1
    branches = [_Branch(root, nodes.sums[root])]
    # Those where segments part come first, then the highest; the number breaks ties.
    queue: list[tuple[bool, float, int]] = []

    def offer(number: int) -> None:
        branch = branches[number]
        branch.split, branch.small = nodes.division(branch.node, min_base)
        if branch.split >= 0:
            free = not nodes.mixed[branch.split]
            heapq.heappush(queue, (free, -float(nodes.height[branch.split]), number))

    offer(0)
    order: list[int] = []
    needed = 0
    while queue and len(order) < MAX_WEDGES - 1:
        free, _, number = heapq.heappop(queue)
        needed += not free
        order.append(number)
        branch = branches[number]
        # Turned so that lower numbers of reported segments come first, and then the heavier.
        pair = sorted(
            nodes.pairs[branch.split - nodes.m],
            key=lambda c: (_lowest(nodes, c, reported), -nodes.sums[c, 1], c),
        )
        children = [_Branch(c, nodes.sums[c]) for c in pair]
        heavier = max(children, key=lambda c: (c.sums[1], -c.node))
        heavier.folded = branch.folded + branch.small
        for node in heavier.folded:
            heavier.sums = heavier.sums + nodes.sums[node]
        branch.children = len(branches), len(branches) + 1
        branches += children
        for child in branch.children:
            offer(child)
    return _written(run, nodes, branches, order, needed, places, min_base)


@dataclass(slots=True)
class _Branch:
    """A drawn branch: a node of the tree, and small ones beside it that are folded in.

    ``sums`` are its people, their weight, and their weighted places on the map. ``split`` is the
    merge at which it divides, below which ``small`` are folded into the heavier of its children;
    -1 where it does not.
    """

    node: int
    sums: FloatArray
    folded: list[int] = field(default_factory=list)
    split: int = -1
    small: list[int] = field(default_factory=list)
    children: tuple[int, int] = (-1, -1)


class _Nodes:
    """The whole tree: its nodes' heights, sums and segments at each cut, 0 where mixed."""

    def __init__(self, run: Run, ks: list[int], places: FloatArray) -> None:
        segments = run.segments
        tree, weight = segments.tree, segments.points["weight"].to_numpy(dtype=float)
        m = len(tree) + 1
        self.m = m
        self.pairs: list[list[int]] = tree[:, :2].astype(np.intp).tolist()
        self.height = np.concatenate([np.zeros(m), tree[:, 2]])
        people = segments.points["n"].to_numpy(dtype=float)
        self.sums = np.zeros((2 * m - 1, 4))
        for j, column in enumerate((people, weight, *(weight * p for p in places.T))):
            self.sums[:m, j] = np.bincount(segments.leaf_of, column, m)
        self.labels = np.zeros((2 * m - 1, len(ks)), dtype=np.intp)
        self.labels[:m] = _leaf_labels(run, ks)
        for node, (a, b) in enumerate(self.pairs, start=m):
            self.sums[node] = self.sums[a] + self.sums[b]
            self.labels[node] = np.where(self.labels[a] == self.labels[b], self.labels[a], 0)
        self.mixed = (self.labels == 0).any(axis=1)

    def division(self, node: int, min_base: int) -> tuple[int, list[int]]:
        """Return the merge at which a branch divides, and the small branches passed before it.

        -1 where none below has ``min_base`` people on both sides, unless segments part there.
        """
        passed: list[int] = []
        people = self.sums[:, 0]
        while node >= self.m and (self.mixed[node] or people[node] >= 2 * min_base):
            a, b = self.pairs[node - self.m]
            if self.mixed[node] or min(people[a], people[b]) >= min_base:
                return node, passed
            node, small = (a, b) if people[a] >= people[b] else (b, a)
            passed.append(small)
        return -1, []

    def leaves(self, roots: list[int]) -> IntArray:
        """Return the leaves below some nodes."""
        stack, leaves = list(roots), []
        while stack:
            node = stack.pop()
            if node < self.m:
                leaves.append(node)
            else:
                stack += self.pairs[node - self.m]
        return np.array(sorted(leaves), dtype=np.intp)


def _lowest(nodes: _Nodes, node: int, at: int) -> int:
    """Return the lowest segment of a cut in a branch."""
    stack, lowest = [node], len(nodes.sums)
    while stack:
        node = stack.pop()
        own = int(nodes.labels[node, at])
        if own:
            lowest = min(lowest, own)
        else:
            stack += nodes.pairs[node - nodes.m]
    return lowest


def _leaf_labels(run: Run, ks: list[int]) -> IntArray:
    """Return each leaf's segment at each cut, shape (m, len(ks)): that of most of its weight."""
    segments = run.segments
    m = len(segments.tree) + 1
    panel = cut_panel(segments, range(ks[0], ks[-1] + 1))[:, [k - ks[0] for k in ks]]
    there = np.flatnonzero(segments.point_of >= 0)
    # People at one point are alike and have one segment.
    points, first = np.unique(segments.point_of[there], return_index=True)
    leaf = segments.leaf_of[points]
    weight = segments.points["weight"].to_numpy(dtype=float)[points]
    out = np.zeros((m, len(ks)), dtype=np.intp)
    for j in range(len(ks)):
        label = panel[there[first], j]
        most = int(label.max()) + 1
        out[:, j] = np.bincount(leaf * most + label, weight, m * most).reshape(m, most).argmax(1)
    return out


def _written(
    run: Run,
    nodes: _Nodes,
    branches: list[_Branch],
    order: list[int],
    needed: int,
    places: FloatArray,
    min_base: int,
) -> FoldedTree:
    """Write the folded tree out in short numbers and words."""
    wedge_of = np.zeros(nodes.m, dtype=np.intp)
    labels: list[list[int]] = []
    for number, branch in enumerate(branches):
        labels.append([])
        if branch.children[0] < 0:
            leaves = nodes.leaves([branch.node, *branch.folded])
            wedge_of[leaves] = number
            labels[number] = _majority(nodes, leaves)
    few = any(b.sums[0] < min_base for b in branches)
    total = float(branches[0].sums[1])
    digits = 4 if nodes.height.max() < 1000 else 1
    wedges = [b.children[0] < 0 for b in branches]
    return FoldedTree(
        height=[round(float(nodes.height[b.node]), digits) for b in branches],
        split=[
            round(float(nodes.height[b.split]), digits) if b.split >= 0 else 0 for b in branches
        ],
        people=[_size(float(b.sums[0]), min_base, rough=few) for b in branches],
        share=[words.percent(b.sums[1] / total) if b.sums[0] >= min_base else "" for b in branches],
        weight=[round(float(b.sums[1]) / total, 6) for b in branches],
        left=[b.children[0] for b in branches],
        right=[b.children[1] for b in branches],
        labels=labels,
        place=[
            [round(float(v), 1) for v in b.sums[2:] / b.sums[1]] if wedge else []
            for b, wedge in zip(branches, wedges, strict=True)
        ],
        dots=_dots(run, wedge_of, places, len(branches)),
        order=order,
        needed=needed,
    )


def _majority(nodes: _Nodes, leaves: IntArray) -> list[int]:
    """Return the segment of most of the weight of some leaves, at each cut."""
    own, weight = nodes.labels[leaves], nodes.sums[leaves, 1]
    return [int(np.bincount(column, weight).argmax()) for column in own.T]


def _size(people: float, min_base: int, *, rough: bool) -> str:
    """Return a branch's size; to tens where an exact one could give away a small branch."""
    if people < min_base:
        return f"fewer than {min_base} people"
    return f"about {round(people, -1):,.0f} people" if rough else f"{people:,.0f} people"


def _dots(run: Run, wedge_of: IntArray, places: FloatArray, n_branches: int) -> list[list[int]]:
    """Return the places of some people on the map, for each wedge x and y in turn."""
    segments = run.segments
    wedge = wedge_of[segments.leaf_of]
    at = np.lexsort((np.arange(len(wedge)), wedge))
    if len(at) > MAX_DOTS:
        # Systematic sampling in proportion to weight: every wedge has its share of the dots.
        upto = np.cumsum(segments.points["weight"].to_numpy(dtype=float)[at])
        steps = (np.arange(MAX_DOTS) + 0.5) * (upto[-1] / MAX_DOTS)
        at = at[np.unique(np.searchsorted(upto, steps))]
    out: list[list[int]] = [[] for _ in range(n_branches)]
    whole = np.rint(places).astype(np.intp)
    for point in at.tolist():
        out[wedge[point]] += whole[point].tolist()
    return out
