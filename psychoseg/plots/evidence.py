"""People and segments on the map; computes no place on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from psychoseg.plots.canvas import (
    INK,
    LINE,
    MUTED,
    RULE,
    WIDE,
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
    from psychoseg.segments.outline import Outline

__all__ = ["plot_map"]

#: Markers beyond this number go in as a picture: as vectors 3,000 take about 250 kB.
MAX_VECTOR_MARKERS = 3000
#: Half the height of a cloud in its lane, of a lane of one.
_LANE = 0.2


def plot_map(
    segments: Segments,
    names: Sequence[str] | None = None,
    *,
    width: float = WIDE,
    outline: Outline | None = None,
) -> Figure:
    """Draw people on the map, with segment centres and, on components, the strongest features.

    Parameters
    ----------
    segments : Segments
    names : sequence of str of length k, optional
    width : float
        Inches.
    outline : Outline, optional
        Draw its clouds, an ellipse of one and of two standard deviations for each segment, in place
        of people: for a figure that leaves the house.

    Returns
    -------
    Figure

    Notes
    -----
    A marker's area grows with the weight of the point. Beyond ``MAX_VECTOR_MARKERS`` the markers
    are a picture. An arrow points to where a feature grows and is as long as the feature's
    correlation with the two components; a feature whose label would cover another one is left out.
    A map of another kind has neither arrows nor scales. With one component alone, each segment has
    a lane of its own. The note of the map stands under it.
    """
    points = segments.points
    flat = "map_2" not in points or not points["map_2"].any()
    components = bool((points["map_1"] == points["comp_1"]).all())
    with figure_style():
        side = 72 * width - 46 - 14
        height = side * (0.74 if width >= 6 else 0.95)
        labels = names_of(names, segments)
        said = f"Shown: {segments.map_note}." if segments.map_note else ""
        note = wrap(said, 72 * width - 34, 7.5, 4) if said else []
        below = legend_height(labels, 72 * width - 30, width) + 7.5 * LINE * len(note)
        fig, ax = new_figure(width, height, 46, 14, 42 + below, 10)
        ax.axhline(0, color=RULE, linewidth=0.8, zorder=0)
        ax.axvline(0, color=RULE, linewidth=0.8, zorder=0)
        if outline is None:
            xs = points["map_1"].to_numpy(dtype=float)
            ys = _lanes(points) if flat else points["map_2"].to_numpy(dtype=float)
            _scatter(ax, xs, ys, points)
            centres = _centres(points, xs, ys, segments.k)
        else:
            ends = outline.frame if not flat else (*outline.frame[:2], -segments.k - 0.5, -0.5)
            xs, ys = np.array(ends[:2]), np.array(ends[2:])
            centres = _draw_clouds(ax, outline, segments.k)
        xlim, ylim = _limits(xs, ys, side / height, equal=not flat)
        ax.set_xlim(xlim)
        ax.set_ylim(ylim)
        shares = segments.eigenvalues["share"].to_numpy(dtype=float)
        if components:
            ax.set_xlabel(f"Component 1 ({100 * shares[0]:.0f}% of the variance)")
        else:
            ax.set_xticks([])
            ax.set_xlabel("Near is alike; directions and distances mean nothing")
        if flat:
            ax.set_yticks([])
            ax.set_ylabel("Segment")
        elif not components:
            ax.set_yticks([])
        else:
            ax.set_ylabel(f"Component 2 ({100 * shares[1]:.0f}% of the variance)")
        per_x = side / (xlim[1] - xlim[0])
        per_y = height / (ylim[1] - ylim[0])
        numbers = sorted(centres)
        offsets = (np.array([centres[s] for s in numbers]) - (xlim[0], ylim[0])) * (per_x, per_y)
        badges = _push_apart(offsets, 19.0)
        taken = [(x - 9, y - 9, x + 9, y + 9) for x, y in badges]
        if components and not flat:
            _arrows(ax, segments, taken, (xlim, ylim), (per_x, per_y))
        for s, (x, y) in zip(numbers, badges, strict=True):
            badge(ax, xlim[0] + x / per_x, ylim[0] + y / per_y, s, size=9.5)
        put(
            ax, 0, 0, note, dx=-29, dy=-36, va="top", size=7.5, colour=MUTED, axes_x=True,
            axes_y=True,
        )  # fmt: skip
        legend(fig, labels, 30, 8, 72 * width - 30, width)
        return fig


def _centres(
    points: pd.DataFrame, xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], k: int
) -> dict[int, tuple[float, float]]:
    weight, segment = points["weight"].to_numpy(dtype=float), points["segment"].to_numpy()
    return {
        s: (
            float(np.average(xs[segment == s], weights=weight[segment == s])),
            float(np.average(ys[segment == s], weights=weight[segment == s])),
        )
        for s in range(1, k + 1)
    }


def _draw_clouds(ax: Axes, outline: Outline, k: int) -> dict[int, tuple[float, float]]:
    """Draw two ellipses for each cloud; return the centres of the segments that have one."""
    clouds = {s: c for s, c in enumerate(outline.clouds[k], start=1) if c is not None}
    # Wide ones first, or they would cover the others.
    for s, c in sorted(clouds.items(), key=lambda item: -item[1].along * item[1].across):
        colour = segment_colour(s)
        y, across = (-float(s), _LANE) if outline.flat else (c.y, c.across)
        for reach, alpha in ((2, 0.16), (1, 0.34)):
            shape = Ellipse(
                (c.x, y), 2 * reach * c.along, 2 * reach * across, angle=c.turn,
                facecolor=colour, alpha=alpha, linewidth=0, zorder=1,
            )  # fmt: skip
            ax.add_patch(shape)
            edge = Ellipse(
                (c.x, y), 2 * reach * c.along, 2 * reach * across, angle=c.turn,
                fill=False, edgecolor=colour, linewidth=0.9 if reach == 1 else 0.6, alpha=0.8,
                zorder=2,
            )  # fmt: skip
            ax.add_patch(edge)
    return {s: (c.x, -float(s) if outline.flat else c.y) for s, c in clouds.items()}


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
    lanes: npt.NDArray[np.float64] = -points["segment"].to_numpy(dtype=float)
    return lanes + 0.6 * ((place * golden) % 1 - 0.5)


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
        lines = wrap(str(label.get(segments.components.index[i], "")), 96, 7.5, 2)
        w = max(text_width(t, 7.5) for t in lines) + 4
        h = len(lines) * 7.5 * LINE + 2
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
        put(ax, *at, lines, size=7.5, bold=False, zorder=5)


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


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
