"""Results drawn: each ``plot_*`` takes a stage's result and returns a matplotlib ``Figure``; none computes results.

Figures are made without pyplot and without touching anybody's rcParams. Text is never read as mathtext, so a
label may hold ``$`` and ``_``. Every plot takes the ``width`` in inches that it is laid out for: its type stays
the same size, so a figure for a telephone is drawn narrow and not shrunk.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles
    from psychoseg.scales import Scales
    from psychoseg.segments import Segments

__all__ = [
    "NARROW",
    "SEGMENT_COLOURS",
    "WIDE",
    "figure_style",
    "ink_on",
    "plot_choice",
    "plot_dendrogram",
    "plot_heatmap",
    "plot_loadings",
    "plot_map",
    "plot_scree",
    "segment_colour",
]

#: Okabe & Ito's palette (Color Universal Design, 2008) in an order that keeps neighbours apart, and two of
#: Paul Tol's muted colours for segments nine and ten.
SEGMENT_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#999999",
    "#332288",
    "#882255",
)
#: Width in inches for a page, and for a telephone (4.2 in = 302 pt, about its width in CSS pixels).
WIDE = 7.6
NARROW = 4.2

INK, MUTED, RULE, BRANCH = "#1B2430", "#5B6775", "#D9DEE4", "#8A94A0"
LOW_COLOUR, MID_COLOUR, HIGH_COLOUR = "#C4601D", "#F6F6F4", "#0B5FA5"
#: Markers beyond this number go in as a picture: as vectors 3,000 take about 250 kB.
MAX_VECTOR_MARKERS = 3000
#: Mean bootstrap Jaccard similarity: below the first a cluster has dissolved, from the second on it is valid
#: (Hennig 2007, section 4, and the help page of fpc::clusterboot).
JACCARD_DISSOLVED, JACCARD_VALID = 0.6, 0.75

_LINE = 1.28
_DIVERGING = LinearSegmentedColormap.from_list("psychoseg", [LOW_COLOUR, MID_COLOUR, HIGH_COLOUR])


@contextmanager
def figure_style() -> Iterator[None]:
    """Hold matplotlib's settings at psychoseg's style inside a ``with`` block, whatever they are outside.

    Notes
    -----
    The SVG hash salt is fixed, so that one figure gives one sequence of bytes.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": "DejaVu Sans",
                "font.size": 9,
                "text.parse_math": False,
                "text.color": INK,
                "axes.labelcolor": MUTED,
                "axes.labelsize": 8.5,
                "axes.edgecolor": "#B8C0C9",
                "axes.linewidth": 0.8,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.color": MUTED,
                "ytick.color": MUTED,
                "xtick.labelsize": 8,
                "ytick.labelsize": 8,
                "svg.fonttype": "none",
                "svg.hashsalt": "psychoseg",
            }
        )
        yield


def segment_colour(segment: int) -> str:
    """Return a segment's colour (segments count from one); grey for 0, which is no segment."""
    return SEGMENT_COLOURS[(segment - 1) % len(SEGMENT_COLOURS)] if segment > 0 else BRANCH


def ink_on(colour: str) -> str:
    """Return white or dark, whichever reads better on a colour (WCAG 2.1 contrast ratio)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Large bold text needs 3:1 (WCAG 1.4.3); white is kept as long as it has that.
    return "#FFFFFF" if 1.05 / (luminance + 0.05) >= 3 else INK


def plot_dendrogram(
    segments: Segments,
    names: Sequence[str] | None = None,
    *,
    width: float = WIDE,
    max_leaves: int = 60,
) -> Figure:
    """Draw the tree from left (everybody) to right, coloured by segment, with the cut as a dashed line.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
        Names of segments 1 to k.
    width : float
        Inches.
    max_leaves : int
        Deeper branches are folded into wedges, each with its weighted number of people.

    Returns
    -------
    Figure

    Notes
    -----
    The last ``max_leaves - 1`` merges are drawn, at least all those above the cut. Children are turned so that
    lower segment numbers come first, and inside a segment the heavier branch.
    """
    k = segments.k
    nodes = _Nodes(segments, max(max_leaves, k))
    y = nodes.rows
    with figure_style():
        margin, counts = 14.0, 26.0
        column = min(190.0, 0.4 * 72 * width)
        blocks = [_wrap(name, column - 26, 8.5, 3, bold=True) for name in _names(names, segments)]
        tall = [8.5 * _LINE * len(b) + 8 * _LINE + 7 for b in blocks]
        height = max(8.0 * (max(y.values()) + 1), sum(tall), 150.0)
        fig, ax = _figure(width, height, margin, counts + column + 6, 40, 26)
        top = float(segments.tree[:, 2].max()) if len(segments.tree) else 1.0
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
            _put(ax, 0, y[leaf], [size], dx=counts - 5, ha="right", size=6.5, colour=MUTED)
        cut = _cut_height(segments)
        if cut is not None:
            ax.axvline(cut, color=INK, linestyle=(0, (4, 3)), linewidth=1)
            edge = cut / (top * 1.04)
            align = "right" if edge < 0.3 else "left" if edge > 0.7 else "center"
            _put(ax, cut, -0.5, [f"cut: {k} segments"], dy=9, ha=align, size=8, bold=True)
        per_row = height / (max(y.values()) + 1)
        spans = [
            [y[leaf] for leaf in nodes.leaves if nodes.segment[leaf] == s + 1] for s in range(k)
        ]
        centres = [(np.mean(s) + 0.5) * per_row if s else 0.0 for s in spans]
        placed = _spread(centres, tall, height)
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
            _badge(ax, 0, at, s + 1, dx=counts + 18, size=8)
            first = (len(blocks[s]) * 8.5 + 8) * _LINE / 2
            _put(ax, 0, at, blocks[s], dx=counts + 28, dy=first, va="top", size=8.5, bold=True)
            share = f"{100 * row['share']:.0f}%, n = {int(row['n']):,}"
            below = first - len(blocks[s]) * 8.5 * _LINE
            _put(ax, 0, at, [share], dx=counts + 28, dy=below, va="top", size=8, colour=MUTED)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel("Distance at joining (Ward)" if width < 6 else "Distance at which groups are joined (Ward)")
        return fig


def plot_choice(
    segments: Segments,
    *,
    min_jaccard: float = JACCARD_DISSOLVED,
    stable_jaccard: float = JACCARD_VALID,
    width: float = WIDE,
) -> Figure:
    """Draw average silhouette and bootstrap Jaccard by number of segments, the chosen number marked.

    Parameters
    ----------
    segments : Segments
    min_jaccard, stable_jaccard : float
        Drawn as lines: where a segment has dissolved, and from where a solution counts as stable.
    width : float
        Inches. Below 6 the panels stand one above the other.

    Returns
    -------
    Figure
    """
    table = segments.choice.sort_values("k")
    with figure_style():
        wide = width >= 6
        panel_height, right, gap = 170.0, 56.0, 62.0
        total = 72 * width
        panel = (total - 2 * 40 - 2 * right) / 2 if wide else total - 40 - right
        height = panel_height + 70 if wide else 2 * panel_height + gap + 80
        fig = Figure(figsize=(width, height / 72))
        lift = 46.0
        first = _axes(fig, 40, lift if wide else lift + panel_height + gap, panel, panel_height)
        second = _axes(fig, 80 + panel + right if wide else 40, lift, panel, panel_height)
        _by_k(first, table, [("silhouette", HIGH_COLOUR, "average over people")])
        first.set_ylim(min(0.0, float(table["silhouette"].min()) - 0.02), None)
        _by_k(
            second,
            table,
            [
                ("jaccard_mean", HIGH_COLOUR, "mean of segments"),
                ("jaccard_min", LOW_COLOUR, "weakest"),
            ],
        )
        second.set_ylim(0, 1.04)
        # The two notes stand clear of each other however close the thresholds are.
        apart = max(0.0, 20 - panel_height / 1.04 * (stable_jaccard - min_jaccard)) / 2
        for level, dy, words in (
            (min_jaccard, -apart, ("dissolved", f"below {min_jaccard:.2f}")),
            (stable_jaccard, apart, ("stable", f"from {stable_jaccard:.2f}")),
        ):
            second.axhline(level, color=MUTED, linestyle=(0, (4, 3)), linewidth=0.9)
            _put(second, 1, level, words, dx=4, dy=dy, size=7, colour=MUTED, axes_x=True)
        _put(
            first, 0, 1, ["Average silhouette"], dy=14, size=9, bold=True, axes_x=True, axes_y=True
        )
        _put(
            second, 0, 1, ["Stability (bootstrap Jaccard)"], dy=14, size=9, bold=True, axes_x=True,
            axes_y=True,
        )  # fmt: skip
        return fig


def plot_map(
    segments: Segments, names: Sequence[str] | None = None, *, width: float = WIDE
) -> Figure:
    """Draw people on the first two components, with segment centres and the strongest features as arrows.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
    width : float
        Inches.

    Returns
    -------
    Figure

    Notes
    -----
    A marker's area grows with the weight of the point. Beyond ``MAX_VECTOR_MARKERS`` the markers are a picture.
    An arrow points to where a feature grows and is as long as the feature's correlation with the two
    components; a label that would cover another one is left out. With one component alone, each
    segment has a lane of its own.
    """
    points = segments.points
    flat = "comp_2" not in points
    with figure_style():
        side = 72 * width - 46 - 14
        height = side * (0.74 if width >= 6 else 0.95)
        labels = _names(names, segments)
        legend = _legend_height(labels, 72 * width - 30, width)
        fig, ax = _figure(width, height, 46, 14, 42 + legend, 10)
        xs = points["comp_1"].to_numpy(dtype=float)
        ys = _lanes(points) if flat else points["comp_2"].to_numpy(dtype=float)
        ax.axhline(0, color=RULE, linewidth=0.8, zorder=0)
        ax.axvline(0, color=RULE, linewidth=0.8, zorder=0)
        _scatter(ax, xs, ys, points)
        xlim, ylim = _limits(xs, ys, side / height, equal=not flat)
        ax.set_xlim(xlim)
        ax.set_ylim(ylim)
        shares = segments.eigenvalues["share"].to_numpy(dtype=float)
        ax.set_xlabel(f"Component 1 ({100 * shares[0]:.0f}% of the variance)")
        if flat:
            ax.set_yticks([])
            ax.set_ylabel("Segment")
        else:
            ax.set_ylabel(f"Component 2 ({100 * shares[1]:.0f}% of the variance)")
        per_x = side / (xlim[1] - xlim[0])
        per_y = height / (ylim[1] - ylim[0])
        weight, segment = points["weight"].to_numpy(dtype=float), points["segment"].to_numpy()
        centres = np.array(
            [
                [np.average(v[segment == s], weights=weight[segment == s]) for v in (xs, ys)]
                for s in range(1, segments.k + 1)
            ]
        )
        offsets = (centres - (xlim[0], ylim[0])) * (per_x, per_y)
        badges = _push_apart(offsets, 19.0)
        taken = [(x - 9, y - 9, x + 9, y + 9) for x, y in badges]
        if not flat:
            _arrows(ax, segments, taken, (xlim, ylim), (per_x, per_y))
        for s, (x, y) in enumerate(badges, start=1):
            _badge(ax, xlim[0] + x / per_x, ylim[0] + y / per_y, s, size=9.5)
        _legend(fig, labels, 30, 8, 72 * width - 30, width)
        return fig


def plot_heatmap(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw segments by scales: the mean in each cell, coloured by its distance from everybody's mean.

    Parameters
    ----------
    profiles : Profiles
    width : float
        Inches.

    Returns
    -------
    Figure

    Notes
    -----
    The colour is z, (segment mean - total mean) / total sd, from orange through grey to blue, and ends at the
    largest absolute z or 1, whichever is larger.
    """
    means = profiles.means[profiles.means["kind"] == "scale"]
    if means.empty:
        means = profiles.means
    order = list(dict.fromkeys(means["variable"]))
    label = dict(zip(means["variable"], means["label"], strict=True))
    total = dict(zip(means["variable"], means["total"], strict=True))
    numbers = sorted(int(s) for s in profiles.personas["segment"])
    names = [str(n) for n in profiles.personas.sort_values("segment")["name"]]
    cells = means.set_index(["variable", "segment"])[["mean", "z"]]
    with figure_style():
        left = min(0.33 * 72 * width, 200.0)
        texts = [_wrap(label[v], left - 12, 8.5, 3) for v in order]
        rows = [max(24.0, len(t) * 8.5 * _LINE + 8) for t in texts]
        height = max(sum(rows), 24.0)
        legend = _legend_height(names, 72 * width - 20, width)
        fig, ax = _figure(width, height, left, 8, 52 + legend, 30)
        columns = len(numbers) + 1
        ax.set_xlim(0, columns)
        ax.set_ylim(height, 0)
        ax.axis("off")
        top = max(1.0, float(means["z"].abs().max()))
        size = 8.5 if (72 * width - left) / columns > 30 else 6.5
        _put(ax, 0.5, 0, ["All"], dy=12, ha="center", size=8.5, bold=True)
        for c, s in enumerate(numbers, start=1):
            _badge(ax, c + 0.5, 0, s, dy=13, size=8)
        y = 0.0
        for variable, text, tall in zip(order, texts, rows, strict=True):
            middle = y + tall / 2
            _put(ax, 0, middle, text, dx=-8, ha="right", size=8.5)
            _put(ax, 0.5, middle, [_two(total[variable])], ha="center", size=size, colour=MUTED)
            for c, s in enumerate(numbers, start=1):
                mean, z = (
                    cells.loc[(variable, s)] if (variable, s) in cells.index else (np.nan,) * 2
                )
                colour = _shade(float(z) / top if np.isfinite(z) else 0.0)
                ax.add_patch(
                    Rectangle((c + 0.02, y + 1), 0.96, tall - 2, facecolor=colour, linewidth=0)
                )
                _put(
                    ax, c + 0.5, middle, [_two(mean)], ha="center", size=size, colour=ink_on(colour)
                )
            y += tall
        _colour_key(fig, legend + 14, 72 * width, top)
        _legend(fig, names, 20, 6, 72 * width - 20, width)
        return fig


def plot_scree(scales: Scales, *, width: float = WIDE) -> Figure:
    """Draw the eigenvalues of the items against parallel analysis, the retained ones filled.

    Parameters
    ----------
    scales : Scales
    width : float
        Inches.

    Returns
    -------
    Figure
    """
    table = scales.eigenvalues
    with figure_style():
        fig, ax = _figure(width, 190, 40, 14, 42, 14)
        x = table["component"].to_numpy(dtype=float)
        observed = table["observed"].to_numpy(dtype=float)
        threshold = table["threshold"].to_numpy(dtype=float)
        kept = table["retained"].to_numpy(dtype=bool)
        ax.plot(x, threshold, color=LOW_COLOUR, linestyle=(0, (4, 3)), linewidth=1.3)
        ax.plot(x, observed, color=HIGH_COLOUR, linewidth=1.3)
        ax.plot(x[kept], observed[kept], "o", color=HIGH_COLOUR, markersize=6)
        ax.plot(x[~kept], observed[~kept], "o", color=HIGH_COLOUR, mfc="white", markersize=4)
        ax.set_ylim(min(0.0, float(observed.min()) * 1.1), float(np.nanmax(observed)) * 1.08)
        ax.set_xlim(0.4, len(x) + 0.6)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("Factor")
        ax.set_ylabel("Eigenvalue")
        key = (("o", HIGH_COLOUR, "these answers; filled: kept"), ("", LOW_COLOUR, "chance alone"))
        for row, (marker, colour, text) in enumerate(key):
            at = 1 - 0.02 - 0.1 * row
            style = "-" if marker else (0, (4, 3))
            span = (0.42, 0.5) if width >= 6 else (0.3, 0.4)
            ax.plot(span, (at, at), color=colour, linestyle=style, transform=ax.transAxes, lw=1.3)
            _put(ax, span[1], at, [text], dx=6, size=8, axes_x=True, axes_y=True)
        return fig


def plot_loadings(scales: Scales, *, width: float = WIDE, strong: float = 0.3) -> Figure:
    """Draw the pattern loadings, items by factors, grouped by scale.

    Parameters
    ----------
    scales : Scales
    width : float
        Inches.
    strong : float
        Loadings of at least this size have their number in the cell in full ink.

    Returns
    -------
    Figure
    """
    items = scales.items.set_index("item")
    groups = {s: i for i, s in enumerate(scales.table["scale"])}
    order = sorted(scales.loadings.index, key=lambda i: groups.get(items.loc[i, "scale"], 10**6))
    factors = list(scales.loadings.columns)
    with figure_style():
        left = 0.5 * 72 * width
        texts = [_wrap(str(items.loc[i, "label"]), left - 12, 7.5, 2) for i in order]
        rows = [len(t) * 7.5 * _LINE + 6 for t in texts]
        fig, ax = _figure(width, sum(rows), left, 8, 12, 24)
        ax.set_xlim(0, len(factors))
        ax.set_ylim(sum(rows), 0)
        ax.axis("off")
        for c, factor in enumerate(factors):
            _put(ax, c + 0.5, 0, [str(factor)], dy=10, ha="center", size=8, bold=True)
        y = 0.0
        for item, text, tall in zip(order, texts, rows, strict=True):
            _put(ax, 0, y + tall / 2, text, dx=-8, ha="right", size=7.5)
            for c, factor in enumerate(factors):
                value = float(scales.loadings.loc[item, factor])
                colour = _shade(value)
                ax.add_patch(Rectangle((c + 0.02, y + 0.5), 0.96, tall - 1, fc=colour, lw=0))
                ink = ink_on(colour) if abs(value) >= strong else MUTED
                _put(ax, c + 0.5, y + tall / 2, [_two(value)], ha="center", size=7, colour=ink)
            y += tall
        return fig


class _Nodes:
    """The part of the tree that is drawn: which nodes, their heights, weights, segments and rows."""

    def __init__(self, segments: Segments, max_leaves: int) -> None:
        m = len(segments.points)
        tree = segments.tree
        shown = min(max_leaves, m)
        first = 2 * m - shown  # merges from this node on are drawn; everything below them is folded
        pairs = tree[:, :2].astype(int)
        self.height = np.concatenate([np.zeros(m), tree[:, 2]])
        self.weight = np.concatenate(
            [segments.points["weight"].to_numpy(dtype=float), np.zeros(m - 1)]
        )
        self.count = np.concatenate([np.ones(m), tree[:, 3]]).astype(int)
        own = segments.points["segment"].to_numpy(dtype=int)
        self.segment = np.concatenate([own, np.zeros(m - 1, dtype=int)])
        lowest = self.segment.copy()
        for i, (a, b) in enumerate(pairs):
            self.weight[m + i] = self.weight[a] + self.weight[b]
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
        self.rows: dict[int, float] = {}
        row, previous = -1.0, None
        for leaf in self.leaves:
            # A gap between segments, so that the colours do not touch.
            row += 1.0 if previous in (None, self.segment[leaf]) else 1.9
            self.rows[leaf] = row
            previous = self.segment[leaf]
        for node in reversed(self.inner):
            a, b = self.children[node]
            self.rows[node] = (self.rows[a] + self.rows[b]) / 2


def _cut_height(segments: Segments) -> float | None:
    """Return the height half-way between the last merge kept and the first one undone."""
    merges = len(segments.tree)
    undone = merges - segments.k + 1
    if not 0 <= undone < merges:
        return None
    below = float(segments.tree[undone - 1, 2]) if undone else 0.0
    return (below + float(segments.tree[undone, 2])) / 2


def _by_k(ax: Axes, table: pd.DataFrame, series: list[tuple[str, str, str]]) -> None:
    k = table["k"].to_numpy(dtype=int)
    chosen = table["chosen"].to_numpy(dtype=bool)
    eligible = table["eligible"].to_numpy(dtype=bool)
    for at in k[chosen]:
        ax.axvspan(at - 0.4, at + 0.4, color="#E8EEF4", linewidth=0, zorder=0)
    for row, (column, colour, text) in enumerate(series):
        y = table[column].to_numpy(dtype=float)
        ax.plot(k, y, color=colour, linewidth=1.3)
        ax.plot(k[~eligible], y[~eligible], "o", color=colour, mfc="white", markersize=4.5)
        ax.plot(k[eligible], y[eligible], "o", color=colour, markersize=4.5)
        ax.plot(k[chosen], y[chosen], "o", color=colour, markersize=8.5, mec=INK, mew=1.2)
        if len(series) > 1:
            _put(
                ax, 0.5 * row, 0, [text], dx=20, dy=-38, size=8, colour=MUTED, axes_x=True,
                axes_y=True,
            )  # fmt: skip
            ax.plot(
                (0.5 * row + 0.02, 0.5 * row + 0.085), (-38 / 170, -38 / 170), color=colour,
                transform=ax.transAxes, clip_on=False, linewidth=2,
            )  # fmt: skip
    ax.set_xticks(k)
    ax.set_xlim(k.min() - 0.6, k.max() + 0.6)
    ax.set_xlabel("Number of segments", labelpad=2)


def _scatter(
    ax: Axes, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], points: pd.DataFrame
) -> None:
    weight = points["weight"].to_numpy(dtype=float)
    # A few sizes only: matplotlib writes each size of marker once and then refers to it.
    diameter = np.clip(np.round(2 * 3.4 * np.sqrt(weight / np.median(weight))) / 2, 2.0, 11.0)
    raster = len(points) > MAX_VECTOR_MARKERS
    for s in sorted(set(points["segment"])):
        for d in sorted(set(diameter)):
            at = ((points["segment"] == s) & (diameter == d)).to_numpy()
            if at.any():
                ax.plot(
                    xs[at], ys[at], "o", color=segment_colour(int(s)), alpha=0.5, markersize=d,
                    markeredgewidth=0, rasterized=raster,
                )  # fmt: skip


def _lanes(points: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Spread the points of each segment over a lane of its own, evenly and without randomness."""
    place = points.groupby("segment").cumcount().to_numpy(dtype=float)
    golden = (math.sqrt(5) - 1) / 2
    return -points["segment"].to_numpy(dtype=float) + 0.6 * ((place * golden) % 1 - 0.5)


def _limits(
    xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], aspect: float, *, equal: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return axis limits with a margin, of one scale on both axes where ``equal``."""
    spans = [max(float(np.ptp(v)), 1e-9) * 1.1 for v in (xs, ys)]
    middles = [float(v.max() + v.min()) / 2 for v in (xs, ys)]
    if equal:
        spans = [max(spans[0], spans[1] * aspect), max(spans[1], spans[0] / aspect)]
    (x, y), (w, h) = middles, spans
    return (x - w / 2, x + w / 2), (y - h / 2, y + h / 2)


def _arrows(
    ax: Axes,
    segments: Segments,
    taken: list[tuple[float, float, float, float]],
    limits: tuple[tuple[float, float], tuple[float, float]],
    per: tuple[float, float],
) -> None:
    """Draw the strongest features; ``taken`` holds boxes in points from the lower left corner."""
    loadings = segments.components[["comp_1", "comp_2"]].to_numpy(dtype=float)
    label = dict(zip(segments.features["feature"], segments.features["label"], strict=True))
    (x0, x1), (y0, y1) = limits
    reach = 0.44 * min((x1 - x0), (y1 - y0))
    boxes = list(taken)
    wide, high = (x1 - x0) * per[0], (y1 - y0) * per[1]
    strength = np.hypot(loadings[:, 0], loadings[:, 1])
    for i in np.lexsort((np.arange(len(strength)), -strength))[:8]:
        if strength[i] < 0.4:  # under 16% of the feature's variance lies in this plane
            break
        tip = loadings[i] * reach
        lines = _wrap(str(label.get(segments.components.index[i], "")), 96, 7.5, 2)
        w = max(_width(t, 7.5) for t in lines) + 4
        h = len(lines) * 7.5 * _LINE + 2
        right, up = tip[0] >= 0, tip[1] >= 0
        x, y = (tip[0] - x0) * per[0], (tip[1] - y0) * per[1]
        box = (x + 3 if right else x - 3 - w, y if up else y - h)
        box = (min(max(box[0], 2), wide - w - 2), min(max(box[1], 2), high - h - 2))
        rectangle = (*box, box[0] + w, box[1] + h)
        if any(_overlap(rectangle, other) for other in boxes):
            continue
        boxes.append(rectangle)
        ax.annotate(
            "", xy=(tip[0], tip[1]), xytext=(0, 0),
            arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.1, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        corner = Rectangle(
            (x0 + box[0] / per[0], y0 + box[1] / per[1]), w / per[0], h / per[1],
            facecolor="white", alpha=0.82, linewidth=0, zorder=4,
        )  # fmt: skip
        ax.add_patch(corner)
        at = x0 + (box[0] + 2) / per[0], y0 + (box[1] + h / 2) / per[1]
        _put(ax, *at, lines, size=7.5, bold=False, zorder=5)


def _push_apart(at: npt.NDArray[np.float64], gap: float) -> npt.NDArray[np.float64]:
    """Move places at least ``gap`` apart, a little at a time."""
    out = at.copy()
    for _ in range(200):
        moved = False
        for i in range(len(out)):
            for j in range(i):
                delta = out[i] - out[j]
                distance = float(np.hypot(*delta))
                if distance < gap - 0.1:
                    unit = delta / distance if distance > 1e-6 else np.array([1.0, 0.0])
                    step = unit * (gap - distance) / 2
                    out[i] += step
                    out[j] -= step
                    moved = True
        if not moved:
            break
    return out


def _spread(centres: list[float], tall: list[float], height: float) -> list[float]:
    """Place blocks of given heights as near to their centres as they can stand without touching."""
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    placed = list(centres)
    floor = 0.0
    for i in order:
        placed[i] = max(placed[i], floor + tall[i] / 2)
        floor = placed[i] + tall[i] / 2
    ceiling = height
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling - tall[i] / 2)
        ceiling = placed[i] - tall[i] / 2
    return placed


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _figure(
    width: float, height: float, left: float, right: float, bottom: float, top: float
) -> tuple[Figure, Axes]:
    """Return a figure with one axes of a height and margins in points."""
    fig = Figure(figsize=(width, (height + bottom + top) / 72))
    return fig, _axes(fig, left, bottom, 72 * width - left - right, height)


def _axes(fig: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    w, h = (72 * v for v in fig.get_size_inches())
    return fig.add_axes((left / w, bottom / h, width / w, height / h))


def _put(
    ax: Axes,
    x: float,
    y: float,
    lines: Sequence[str],
    *,
    dx: float = 0,
    dy: float = 0,
    ha: str = "left",
    va: str = "center",
    size: float = 9,
    bold: bool = False,
    colour: str = INK,
    axes_x: bool = False,
    axes_y: bool = False,
    zorder: float = 5,
) -> None:
    """Write lines at a place plus an offset in points.

    Each line is a text of its own, so that SVG keeps its alignment whatever font the reader has.
    """
    step = size * _LINE
    first = dy + (step * (len(lines) - 1) / 2 if va == "center" else -step / 2)
    frame = ("axes fraction" if axes_x else "data", "axes fraction" if axes_y else "data")
    for i, line in enumerate(lines):
        ax.annotate(
            line, (x, y), xycoords=frame, xytext=(dx, first - i * step), textcoords="offset points",
            ha=ha, va="center_baseline", fontsize=size, fontweight="bold" if bold else "normal",
            color=colour, annotation_clip=False, zorder=zorder,
        )  # fmt: skip


def _badge(
    ax: Axes, x: float, y: float, segment: int, *, dx: float = 0, dy: float = 0, size: float = 9
) -> None:
    """Write a segment's number in a disc of its colour."""
    colour = segment_colour(segment)
    ax.plot(
        [x], [y], "o", color=colour, markersize=size * 1.75, mec="white", mew=1.2, clip_on=False,
        zorder=6, transform=ax.transData + _shift(ax, dx, dy),
    )  # fmt: skip
    _put(
        ax, x, y, [str(segment)], dx=dx, dy=dy, ha="center", size=size, bold=True,
        colour=ink_on(colour), zorder=7,
    )  # fmt: skip


def _shift(ax: Axes, dx: float, dy: float) -> matplotlib.transforms.Transform:
    from matplotlib.transforms import ScaledTranslation

    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return ScaledTranslation(dx / 72, dy / 72, figure.dpi_scale_trans)


def _legend_rows(names: Sequence[str], across: float, width: float) -> tuple[int, list[list[str]]]:
    columns = (2 if len(names) in (1, 2, 4) else 3) if width >= 6 else 1
    return columns, [_wrap(n, across / columns - 26, 8, 2) for n in names]


def _legend_height(names: Sequence[str], across: float, width: float) -> float:
    columns, texts = _legend_rows(names, across, width)
    tall = [max(len(t) for t in texts[i : i + columns]) for i in range(0, len(texts), columns)]
    return sum(t * 8 * _LINE + 7 for t in tall) + 6


def _legend(
    fig: Figure, names: Sequence[str], left: float, bottom: float, across: float, width: float
) -> None:
    """Write the numbers and names of the segments under a figure, in columns where it is wide."""
    columns, texts = _legend_rows(names, across, width)
    height = _legend_height(names, across, width) - 6
    ax = _axes(fig, left, bottom, across, height)
    ax.set_xlim(0, across)
    ax.set_ylim(height, 0)
    ax.axis("off")
    y = 0.0
    for i in range(0, len(texts), columns):
        row = texts[i : i + columns]
        tall = max(len(t) for t in row) * 8 * _LINE + 7
        for c, text in enumerate(row):
            x = c * across / columns + 8
            _badge(ax, x, y + tall / 2, i + c + 1, size=7.5)
            _put(ax, x, y + tall / 2, text, dx=12, size=8)
        y += tall


def _colour_key(fig: Figure, bottom: float, across: float, top: float) -> None:
    ax = _axes(fig, 0, bottom, across, 26)
    ax.set_xlim(0, across)
    ax.set_ylim(0, 26)
    ax.axis("off")
    step, steps = 12.0, 11
    start = across / 2 - step * steps / 2
    for i in range(steps):
        at = 2 * i / (steps - 1) - 1
        ax.add_patch(Rectangle((start + i * step, 14), step, 8, facecolor=_shade(at), linewidth=0))
    _put(ax, start, 18, ["below average"], dx=-6, ha="right", size=7.5, colour=MUTED)
    _put(ax, start + step * steps, 18, ["above average"], dx=6, size=7.5, colour=MUTED)
    for at, text in (
        (start, f"−{top:.1f}"),
        (across / 2, "0 SD"),
        (start + step * steps, f"+{top:.1f}"),
    ):
        _put(ax, at, 6, [text], ha="center", size=7, colour=MUTED)


def _shade(value: float) -> str:
    """Return the diverging colour of a value from -1 to 1."""
    r, g, b, _ = _DIVERGING((min(max(value, -1.0), 1.0) + 1) / 2)
    return f"#{round(255 * r):02X}{round(255 * g):02X}{round(255 * b):02X}"


def _two(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    text = f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def _names(names: Sequence[str] | None, segments: Segments) -> list[str]:
    return [str(n) for n in names] if names else [f"Segment {s}" for s in range(1, segments.k + 1)]


def _width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate a text's width in points, on the generous side, for any script and without a font.

    The reader's browser chooses the font; DejaVu Sans, whose widths these are, is wider than most.
    """
    em = 0.0
    for char in text:
        if unicodedata.combining(char):
            continue
        if unicodedata.east_asian_width(char) in "WF":
            em += 1.0
        elif char in "mwMW@%—…":
            em += 0.98
        elif char in " ijlI.,:;'|!()[]ftr-":
            em += 0.4
        else:
            em += 0.72 if char.isupper() else 0.635
    return em * size * (1.12 if bold else 1.0)


def _wrap(text: str, width: float, size: float, lines: int, *, bold: bool = False) -> list[str]:
    """Break a text into at most ``lines`` lines of a width in points, an ellipsis where it goes on."""
    clean = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    out: list[str] = [""]
    for word in clean.split():
        rest = word
        while rest:
            joined = f"{out[-1]} {rest}" if out[-1] else rest
            if _width(joined, size, bold=bold) <= width:
                out[-1] = joined
                break
            if out[-1]:
                out.append("")
                continue
            # A word wider than a line is cut where it must be; one character is always taken.
            cut = len(rest)
            while cut > 1 and _width(rest[:cut], size, bold=bold) > width:
                cut -= 1
            out[-1], rest = rest[:cut], rest[cut:]
            if rest:
                out.append("")
    if len(out) > lines:
        last = out[lines - 1]
        while last and _width(last + "…", size, bold=bold) > width:
            last = last[:-1]
        out = [*out[: lines - 1], last.rstrip() + "…"]
    return out
