"""The dendrogram, coloured by segment; draws the tree as it is and computes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from psychoseg.plots.canvas import (
    INK,
    LINE,
    MUTED,
    WIDE,
    badge,
    figure_style,
    names_of,
    new_figure,
    put,
    segment_colour,
    spread,
    wrap,
)

if TYPE_CHECKING:
    import pandas as pd

    from psychoseg.segments import Segments
    from psychoseg.segments.outline import Outline
    from psychoseg.stats.arrays import IntArray

__all__ = ["plot_dendrogram"]


def plot_dendrogram(
    segments: Segments,
    names: Sequence[str] | None = None,
    *,
    width: float = WIDE,
    max_leaves: int = 60,
    outline: Outline | None = None,
) -> Figure:
    """Draw the tree from everybody (left) to people, coloured by segment, the cut dashed.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
        Names of segments 1 to k.
    width : float
        Inches.
    max_leaves : int
        Deeper branches are folded into wedges, each with its weighted number of people.
    outline : Outline, optional
        Draw its branches, each of enough people, in place of the tree as it is: for a figure that
        leaves the house. A wedge then closes half-way to where its branch divided from others.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Where there is no tree, or one without heights.

    Notes
    -----
    The last ``max_leaves - 1`` merges are drawn, at least all those above the cut. Children are
    turned so that lower segment numbers come first, and inside a segment the heavier branch.
    """
    k = segments.k
    if not len(segments.tree) or not np.isfinite(segments.tree[:, 2]).all():
        raise ValueError("the segments have no tree with heights to draw")
    nodes: _Nodes | _Folded
    if outline is None:
        nodes = _Nodes(segments, max(max_leaves, k))
    else:
        nodes = _Folded(outline, k, max_leaves)
    y = nodes.rows
    with figure_style():
        margin, counts = 14.0, 26.0
        column = min(190.0, 0.4 * 72 * width)
        blocks = [wrap(name, column - 26, 8.5, 3, bold=True) for name in names_of(names, segments)]
        tall = [8.5 * LINE * len(b) + 8 * LINE + 7 for b in blocks]
        height = max(8.0 * (max(y.values()) + 1), sum(tall), 150.0)
        fig, ax = new_figure(width, height, margin, counts + column + 6, 40, 26)
        top = max(nodes.height[node] for node in nodes.inner or nodes.leaves) or 1.0
        ax.set_xlim(top * 1.04, 0)
        ax.set_ylim(max(y.values()) + 0.5, -0.5)
        lines: dict[str, list[list[tuple[float, float]]]] = {}
        for node in nodes.inner:
            for child in nodes.children[node]:
                lines.setdefault(segment_colour(nodes.segment[child]), []).append(
                    [(nodes.height[node], y[child]), (nodes.height[child], y[child])]
                )
            spine = [(nodes.height[node], y[c]) for c in nodes.children[node]]
            lines.setdefault(segment_colour(nodes.segment[node]), []).append(spine)
        for colour, paths in lines.items():
            ax.add_collection(
                LineCollection(paths, colors=colour, linewidths=1.3, capstyle="round")
            )
        for leaf in nodes.leaves:
            colour = segment_colour(nodes.segment[leaf])
            if nodes.count[leaf] > 1:
                corners = [(nodes.height[leaf], y[leaf]), (0, y[leaf] - 0.4), (0, y[leaf] + 0.4)]
                ax.add_patch(Polygon(corners, facecolor=colour, alpha=0.45, linewidth=0))
            size = f"{nodes.weight[leaf]:,.0f}"
            put(ax, 0, y[leaf], [size], dx=counts - 5, ha="right", size=6.8, colour=MUTED)
        cut = _cut_height(segments) if isinstance(nodes, _Nodes) else nodes.cut
        if cut is not None:
            ax.axvline(cut, color=INK, linestyle=(0, (4, 3)), linewidth=1)
            edge = cut / (top * 1.04)
            align = "right" if edge < 0.3 else "left" if edge > 0.7 else "center"
            text = f"cut: {k - bool(segments.unassigned)} segments"
            put(ax, cut, -0.5, [text], dy=9, ha=align, size=8, bold=True)
        per_row = height / (max(y.values()) + 1)
        spans = [
            [y[leaf] for leaf in nodes.leaves if nodes.segment[leaf] == s + 1] for s in range(k)
        ]
        centres = [(float(np.mean(s)) + 0.5) * per_row if s else 0.0 for s in spans]
        placed = spread(centres, tall, height)
        for s in range(k):
            if not spans[s]:
                continue
            colour = segment_colour(s + 1)
            bar = Rectangle((0, 0), 1, 1, color=colour, clip_on=False, linewidth=0)
            low, high = min(spans[s]) - 0.4, max(spans[s]) + 0.4
            per_x = (top * 1.04) / (ax.bbox.width / fig.dpi * 72)
            bar.set_bounds(-counts * per_x, low, -4 * per_x, high - low)
            ax.add_patch(bar)
            at = placed[s] / per_row - 0.5
            link = [(-(counts + 4) * per_x, y_) for y_ in (float(np.mean(spans[s])),)]
            link.append((-(counts + 11) * per_x, at))
            ax.add_collection(LineCollection([link], colors=colour, linewidths=0.9, clip_on=False))
            row = segments.table.iloc[s]
            badge(ax, 0, at, s + 1, dx=counts + 18, size=8)
            first = (len(blocks[s]) * 8.5 + 8) * LINE / 2
            put(ax, 0, at, blocks[s], dx=counts + 28, dy=first, va="top", size=8.5, bold=True)
            share = _size_of(row)
            below = first - len(blocks[s]) * 8.5 * LINE
            put(ax, 0, at, [share], dx=counts + 28, dy=below, va="top", size=8, colour=MUTED)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("Distance at joining" if width < 6 else "Distance at which groups are joined")
        return fig


def _size_of(row: pd.Series) -> str:
    """Return the share and the base of a segment; only in words where they may not be told."""
    share = f"{100 * row['share']:.0f}%" if np.isfinite(row["share"]) else ""
    people = str(row["people"]) if "people" in row else f"n = {int(row['n']):,}"
    return ", ".join(text for text in (share, people) if text)


class _Folded:
    """The branches of an outline as the nodes that are drawn; see :class:`_Nodes`."""

    def __init__(self, outline: Outline, k: int, max_leaves: int) -> None:
        branches, at = outline.branches, outline.ks.index(k)
        divided = outline.order[: max(outline.needed, max_leaves - 1)]
        self.children = {i: branches[i].children for i in divided}
        self.segment = {i: b.labels[at] for i, b in enumerate(branches) if b.labels}
        for i in reversed(range(len(branches))):
            if branches[i].children[0] >= 0:
                one, other = (self.segment[c] for c in branches[i].children)
                self.segment[i] = one if one == other else 0
        self.height = {i: b.split for i, b in enumerate(branches)}
        self.weight = {i: b.weight for i, b in enumerate(branches)}
        self.count = {i: 2 for i in range(len(branches))}
        self.leaves: list[int] = []
        self.inner: list[int] = []
        stack = [0]
        while stack:
            node = stack.pop()
            if node not in self.children:
                self.leaves.append(node)
                continue
            self.inner.append(node)
            for child in reversed(self.children[node]):
                stack.append(child)
                if child not in self.children:
                    self.height[child] = branches[node].split / 2
        self.rows = _rows(self.leaves, self.inner, self.children, self.segment)
        across = [branches[i].split for i in divided if self.segment[i] == 0]
        inside = [branches[i].split for i in divided if self.segment[i] > 0]
        low, high = max(inside, default=0.0), min(across, default=0.0)
        #: Where the cut is; none where segments part below where others divide.
        self.cut = (low + high) / 2 if across and low <= high else None


def _rows(
    leaves: list[int],
    inner: list[int],
    children: Mapping[int, tuple[int, int]],
    segment: Mapping[int, int] | IntArray,
) -> dict[int, float]:
    """Return the row of each node that is drawn, with a gap between segments."""
    rows: dict[int, float] = {}
    row, previous = -1.0, None
    for leaf in leaves:
        # A gap between segments, so that the colours do not touch.
        row += 1.0 if previous in (None, segment[leaf]) else 1.9
        rows[leaf] = row
        previous = segment[leaf]
    for node in reversed(inner):
        a, b = children[node]
        rows[node] = (rows[a] + rows[b]) / 2
    return rows


class _Nodes:
    """The nodes that are drawn: their heights, weights, segments and rows."""

    def __init__(self, segments: Segments, max_leaves: int) -> None:
        tree = segments.tree
        m = len(tree) + 1
        shown = min(max_leaves, m)
        first = 2 * m - shown  # merges from this node on are drawn; everything below them is folded
        pairs = tree[:, :2].astype(int)
        self.height = np.concatenate([np.zeros(m), tree[:, 2]])
        at, points = segments.leaf_of, segments.points
        weight = points["weight"].to_numpy(dtype=float)
        self.weight = np.append(np.bincount(at, weight, m), np.zeros(m - 1))
        self.count = np.append(np.bincount(at, minlength=m), np.zeros(m - 1, dtype=int))
        # Points of one leaf are of one segment, unless the tree is an approximation: then the
        # heaviest gives its colour.
        order = np.argsort(weight, kind="stable")
        own = np.zeros(m, dtype=int)
        own[at[order]] = points["segment"].to_numpy(dtype=int)[order]
        self.segment = np.append(own, np.zeros(m - 1, dtype=int))
        lowest = self.segment.copy()
        for i, (a, b) in enumerate(pairs):
            self.weight[m + i] = self.weight[a] + self.weight[b]
            self.count[m + i] = self.count[a] + self.count[b]
            self.segment[m + i] = self.segment[a] if self.segment[a] == self.segment[b] else 0
            lowest[m + i] = min(lowest[a], lowest[b])
        self.children: dict[int, tuple[int, int]] = {}
        self.leaves: list[int] = []
        self.inner: list[int] = []
        stack = [2 * m - 2]
        while stack:
            node = stack.pop()
            if node < first:
                self.leaves.append(node)
                continue
            a, b = sorted(
                (int(c) for c in pairs[node - m]), key=lambda c: (lowest[c], -self.weight[c], c)
            )
            self.children[node] = (a, b)
            self.inner.append(node)
            stack += [b, a]
        self.rows = _rows(self.leaves, self.inner, self.children, self.segment)


def _cut_height(segments: Segments) -> float | None:
    """Return the height half-way between the last merge kept and the first one undone."""
    merges = len(segments.tree)
    undone = merges - segments.k + 1
    if not 0 <= undone < merges:
        return None
    below = float(segments.tree[undone - 1, 2]) if undone else 0.0
    return (below + float(segments.tree[undone, 2])) / 2
