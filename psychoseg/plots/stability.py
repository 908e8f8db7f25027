"""How sure the segments are: resample by resample, person by person, and across their number.

Draws what the segmentation found and computes none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from psychoseg.plots.canvas import (
    HIGH_COLOUR,
    INK,
    LINE,
    MUTED,
    RULE,
    WIDE,
    add_axes,
    badge,
    figure_style,
    legend,
    legend_height,
    names_of,
    new_figure,
    put,
    segment_colour,
    text_width,
    wrap,
)

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["plot_certainty", "plot_flow", "plot_stability"]

#: Hennig's bands of a Jaccard similarity, and how they are shaded.
_BANDS = (
    (0.0, 0.6, "#F6DDD9", "not to be trusted"),
    (0.6, 0.75, "#FBF0D5", "a pattern"),
    (0.75, 0.85, "#E2F1E9", "valid"),
    (0.85, 1.0, "#C9E6D8", "highly stable"),
)
#: Stability across solutions, from the lightest colour to the darkest.
_SHADES = ((0.0, "#F3E1C9"), (0.4, "#D9D9D2"), (0.6, "#A9C6DF"), (0.8, "#5E97C4"), (0.9, "#0B5FA5"))
#: Numbers of segments side by side on a page and on a telephone.
WIDE_LEVELS, NARROW_LEVELS = 8, 5
#: Numbers of segments beyond the chosen one that the flow goes on to.
BEYOND = 2
_BINS = 20


def plot_stability(
    segments: Segments, names: Sequence[str] | None = None, *, width: float = WIDE
) -> Figure:
    """Draw how well each segment comes back: SLSw as boxes, the mean Jaccard as a diamond.

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
    A box holds the middle half of the resamples, its line the median; whiskers reach as far as one
    and a half boxes (Tukey 1977). The axis starts at .5, or below where something lies there. A
    segment that was not looked at has an empty row.
    """
    wide = width >= 6
    column = 190.0 if wide else 124.0
    with figure_style():
        blocks = [
            wrap(n, column - 34, 8.5, 2 if wide else 3, bold=True)
            for n in names_of(names, segments)
        ]
        seen = np.append(segments.slsw["value"], segments.table["jaccard"]).astype(float)
        start = min(0.5, np.floor(10 * np.nanmin(np.append(seen, 1.0))) / 10)
        row = max(30.0, max(len(b) for b in blocks) * 8.5 * LINE + 8)
        fig, ax = new_figure(width, row * segments.k, column, 12, 46, 34)
        _band_key(fig, row * segments.k + 46 + 6)
        for low, high, colour, _ in _BANDS:
            ax.axvspan(low, high, color=colour, linewidth=0, zorder=0)
        for s, jaccard in zip(
            segments.table["segment"].astype(int), segments.table["jaccard"], strict=True
        ):
            values = segments.slsw.loc[segments.slsw["segment"] == s, "value"].to_numpy(dtype=float)
            values = values[np.isfinite(values)]
            if len(values):
                _box(ax, values, s)
            if np.isfinite(jaccard):
                ax.plot(
                    [jaccard], [s], "D", color=INK, markersize=5.5, mec="white", mew=0.9, zorder=5
                )
            elif not len(values):
                put(ax, (start + 1) / 2, s, ["not measured"], ha="center", size=8, colour=MUTED)
            badge(ax, start, s, s, dx=-column + 13, size=8.5)
            put(ax, start, s, blocks[s - 1], dx=-column + 26, size=8.5, bold=True)
        ax.set_xlim(start, 1)
        ax.set_ylim(segments.k + 0.5, 0.5)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ticks = [0, 0.2, 0.4, 0.6, 0.75, 0.85, 1] if wide else [0, 0.3, 0.6, 0.85, 1]
        ax.set_xticks([start, *(t for t in ticks if t > start + 0.09)])
        ax.set_xlabel(
            "How much comes back (boxes: SLSw by resample; diamond: mean Jaccard)"
            if wide
            else "SLSw by resample; diamond: Jaccard"
        )
        return fig


def plot_certainty(
    segments: Segments, names: Sequence[str] | None = None, *, width: float = WIDE, least: int = 1
) -> Figure:
    """Draw how many respondents are how sure to be in their segment.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
    width : float
        Inches.
    least : int
        From 2 on everybody is drawn as one, and a bar stands for that many people at least: for a
        figure that leaves the house.

    Returns
    -------
    Figure
    """
    labels = names_of(names, segments) if least <= 1 else []
    with figure_style():
        below = legend_height(labels, 72 * width - 50, width)
        fig, ax = new_figure(width, 150, 46, 12, 46 + below, 10)
        edges = np.linspace(0, 1, _BINS + 1)
        own = segments.labels.to_numpy()
        certainty = segments.certainty.to_numpy()
        sure = np.isfinite(certainty) & (own > 0)
        base = np.zeros(_BINS)
        if least > 1:
            count, _ = np.histogram(certainty[sure], edges)
            # In tens, so that no bar less another one says how sure a single person is.
            shown = np.where(count >= least, np.round(count / least) * least, 0)
            ax.bar(
                edges[:-1], shown, np.diff(edges) * 0.94, align="edge", color=HIGH_COLOUR,
                linewidth=0,
            )  # fmt: skip
        for s in range(1, segments.k + 1) if least <= 1 else ():
            count, _ = np.histogram(certainty[sure & (own == s)], edges)
            ax.bar(
                edges[:-1], count, np.diff(edges) * 0.94, base, align="edge",
                color=segment_colour(s), linewidth=0,
            )  # fmt: skip
            base = base + count
        if not sure.any():
            put(
                ax, 0.5, 0.5, ["not measured"], ha="center", size=9, colour=MUTED, axes_x=True,
                axes_y=True,
            )  # fmt: skip
            ax.set_yticks([])
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        ax.set_ylabel("Respondents")
        ax.set_xlabel("Resamples that put a respondent into the same segment")
        if labels:
            legend(fig, labels, 36, 8, 72 * width - 50, width)
        return fig


def plot_flow(
    segments: Segments, names: Sequence[str] | None = None, *, width: float = WIDE
) -> Figure:
    """Draw how the segments of one number become those of the next, an alluvium in their colours.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
    width : float
        Inches. Below 6 there are fewer numbers of segments side by side.

    Returns
    -------
    Figure

    Notes
    -----
    A band has the colour of the segment, of those chosen, that its people are in or mostly come
    from. A node's height is the weight of its segment; its left half is shaded by how far the
    segment was one segment before, its right half by how far it stays one (SLSa both ways).
    Segments stand below one another in the order of the mean place of those they come from, of
    equal ones the lower number first; out of a tree no two bands then cross. The chosen number
    carries badges, and the key their names.

    References
    ----------
    Dolnicar & Leisch (2017), Marketing Letters 28, 423-436: the plot of segment level stability
    across solutions (SLSa).
    """
    labels = names_of(names, segments)
    levels = _levels(segments, WIDE_LEVELS if width >= 6 else NARROW_LEVELS)
    with figure_style():
        below = legend_height(labels, 72 * width - 34, width)
        gap, most = 11.0, max([segments.k, *levels])
        high = 200.0 + gap * (most - 1)
        fig, ax = new_figure(width, high, 20, 24, 30 + below, 70)
        across = 72 * width - 44
        ax.set_xlim(0, across)
        ax.set_ylim(high, 0)
        ax.axis("off")
        if len(levels) < 2:
            put(ax, across / 2, high / 2, ["No other number of segments to compare"], ha="center")
        else:
            _alluvium(ax, segments, levels, gap, across, high)
        _shade_key(add_axes(fig, 20, below + 30 + high + 46, across, 20), across)
        legend(fig, labels, 24, 8, 72 * width - 34, width)
        return fig


def _band_key(fig: Figure, bottom: float) -> None:
    across = 72 * float(fig.get_figwidth()) - 24
    ax = add_axes(fig, 12, bottom, across, 20)
    ax.set_xlim(0, across)
    ax.set_ylim(0, 20)
    ax.axis("off")
    x = 0.0
    for _, _, colour, word in _BANDS:
        ax.add_patch(Rectangle((x, 6), 10, 8, facecolor=colour, edgecolor=MUTED, linewidth=0.5))
        put(ax, x + 13, 10, [word], size=7.5, colour=MUTED)
        x += 13 + text_width(word, 7.5) + 8


def _box(ax: Axes, values: np.ndarray, segment: int) -> None:
    colour = segment_colour(segment)
    ax.boxplot(
        [values], positions=[segment], widths=0.42, orientation="horizontal", patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.75, "edgecolor": INK, "linewidth": 0.8},
        medianprops={"color": INK, "linewidth": 1.6},
        whiskerprops={"color": INK, "linewidth": 0.8}, capprops={"color": INK, "linewidth": 0.8},
        flierprops={"marker": "o", "markersize": 2.2, "mfc": MUTED, "mec": "none"},
    )  # fmt: skip


def _levels(segments: Segments, room: int) -> list[int]:
    """Return the numbers of segments to draw: up to a little beyond the chosen one."""
    flow = segments.flow
    if flow.empty:
        return []
    there = sorted({*flow["k"].astype(int), *(flow["k"].astype(int) + 1)})
    last = min(there[-1], max(segments.k, segments.recommended_k) + BEYOND)
    return [k for k in there if max(2, last - room + 1) <= k <= last]


def _alluvium(
    ax: Axes, segments: Segments, levels: list[int], gap: float, across: float, high: float
) -> None:
    flow = segments.flow
    bar = 14.0
    step = (across - bar) / (len(levels) - 1)
    sizes = {k: _sizes(flow, k) for k in levels}
    places: dict[int, dict[int, tuple[float, float]]] = {}
    order = sorted(sizes[levels[0]])
    for i, k in enumerate(levels):
        if i:
            order = _ordered(flow[flow["k"] == levels[i - 1]], places[levels[i - 1]], sizes[k])
        places[k] = _stacked(order, sizes[k], gap, high)
    families = _families(flow, segments.k, levels)
    for i, k in enumerate(levels[:-1]):
        part = flow[flow["k"] == k]
        side = "next_segment" if k < segments.k else "segment"
        family = families.get(k + 1 if k < segments.k else k, {})
        colours = [segment_colour(family.get(int(s), 0)) for s in part[side]]
        _ribbons(ax, part, colours, (places[k], places[k + 1]), (i * step + bar, (i + 1) * step))
    slsa = {
        (int(r["k"]), int(r["segment"])): (float(r["slsa"]), float(r["slsa_next"]))
        for r in segments.stability.to_dict("records")
    }
    for i, k in enumerate(levels):
        x = i * step
        chosen = k == segments.k
        put(
            ax, x + bar / 2, 0, [f"{k}"], dy=20, ha="center", size=9 if chosen else 8.5,
            bold=chosen, colour=INK if chosen else MUTED,
        )  # fmt: skip
        for s, (top, tall) in places[k].items():
            for half, value in enumerate(slsa.get((k, s), (np.nan, np.nan))):
                left = x + half * bar / 2
                colour = _shade_of(value)
                ax.add_patch(Rectangle((left, top), bar / 2, tall, color=colour, linewidth=0))
            edge = INK if chosen else MUTED
            node = Rectangle((x, top), bar, tall, facecolor="none", edgecolor=edge, linewidth=0.8)
            node.set_clip_on(False)
            ax.add_patch(node)
            if chosen:
                badge(ax, x + bar / 2, top + tall / 2, s, size=7.5)
            else:
                put(ax, x + bar, top + tall / 2, [str(s)], dx=3, size=7.5, bold=True)
    put(ax, 0, 0, ["Number of segments"], dy=32, size=7.5, colour=MUTED)


def _families(flow: pd.DataFrame, k: int, levels: list[int]) -> dict[int, dict[int, int]]:
    """Return for each number and segment the chosen segment that most of it becomes or was."""
    out = {k: {int(s): int(s) for s in _sizes(flow, k)}}
    onwards = [(c, "next_segment", "segment", c - 1) for c in range(k + 1, levels[-1] + 1)]
    back = [(c, "segment", "next_segment", c + 1) for c in range(k - 1, levels[0] - 1, -1)]
    for c, own, other, near in [*onwards, *back]:
        part = flow[flow["k"] == min(c, near)].sort_values("weight", ascending=False, kind="stable")
        once = part.drop_duplicates(own)
        pairs = zip(once[own].astype(int), once[other].astype(int), strict=True)
        out[c] = {s: out[near].get(t, 0) for s, t in pairs}
    return out


def _sizes(flow: pd.DataFrame, k: int) -> dict[int, float]:
    """Return the weight of each of k segments, from what leaves them or what enters them.

    Both are the same but where who goes where is rounded: then the larger one.
    """
    out: dict[int, float] = {}
    for at, side in ((k, "segment"), (k - 1, "next_segment")):
        part = flow[flow["k"] == at]
        for s, weight in part.groupby(side)["weight"].sum().items():
            number = int(s)  # type: ignore[call-overload]
            out[number] = max(out.get(number, 0.0), float(weight))
    return out


def _ordered(
    part: pd.DataFrame, before: dict[int, tuple[float, float]], sizes: dict[int, float]
) -> list[int]:
    mean: dict[int, float] = {}
    for s in sizes:
        into = part[part["next_segment"] == s]
        middles = [sum(before[int(b)]) - before[int(b)][1] / 2 for b in into["segment"]]
        mean[s] = float(np.average(middles, weights=into["weight"])) if len(into) else np.inf
    return sorted(sizes, key=lambda s: (round(mean[s], 6), s))


def _stacked(
    order: list[int], sizes: dict[int, float], gap: float, high: float
) -> dict[int, tuple[float, float]]:
    """Return top and height of each node, all levels of one scale and centred."""
    total = sum(sizes.values())
    scale = 200.0 / total
    top = (high - 200.0 - gap * (len(order) - 1)) / 2
    out = {}
    for s in order:
        tall = sizes[s] * scale
        out[s] = (top, tall)
        top += tall + gap
    return out


def _ribbons(
    ax: Axes,
    part: pd.DataFrame,
    colours: list[str],
    places: tuple[dict[int, tuple[float, float]], dict[int, tuple[float, float]]],
    ends: tuple[float, float],
) -> None:
    here, there = places
    total = part["weight"].sum()
    used_here, used_there = dict.fromkeys(here, 0.0), dict.fromkeys(there, 0.0)
    rows = part.assign(colour=colours).to_dict("records")
    rows.sort(key=lambda r: (here[int(r["segment"])][0], there[int(r["next_segment"])][0]))
    (x0, x1), middle = ends, sum(ends) / 2
    for r in rows:
        a, b = int(r["segment"]), int(r["next_segment"])
        tall = float(r["weight"]) * 200.0 / total
        y0, y1 = here[a][0] + used_here[a], there[b][0] + used_there[b]
        used_here[a] += tall
        used_there[b] += tall
        corners = [
            (x0, y0), (middle, y0), (middle, y1), (x1, y1), (x1, y1 + tall),
            (middle, y1 + tall), (middle, y0 + tall), (x0, y0 + tall), (x0, y0),
        ]  # fmt: skip
        curve = [Path.CURVE4] * 3
        codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
        ax.add_patch(
            PathPatch(
                Path(corners, codes), facecolor=str(r["colour"]), alpha=0.45, linewidth=0, zorder=0
            )
        )


def _shade_of(slsa: float) -> str:
    if not np.isfinite(slsa):
        return to_hex(RULE)
    return [colour for least, colour in _SHADES if slsa >= least or least == 0.0][-1]


def _shade_key(ax: Axes, across: float) -> None:
    ax.set_xlim(0, across)
    ax.set_ylim(0, 20)
    ax.axis("off")
    put(ax, 0, 16, ["Stability across numbers of segments (SLSa)"], size=7.5, colour=MUTED)
    step = min(52.0, across / len(_SHADES))
    for i, (least, colour) in enumerate(_SHADES):
        ax.add_patch(Rectangle((i * step, 0.5), 10, 7, facecolor=colour, edgecolor=MUTED, lw=0.5))
        text = f"{least:.1f}+" if i else f"< {_SHADES[1][0]:.1f}"
        put(ax, i * step + 13, 4, [text], size=7.5, colour=MUTED)
