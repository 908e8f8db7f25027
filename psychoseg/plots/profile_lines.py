"""Segments beside one another over the scales, as lines: the snake plot and the radar."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from psychoseg.plots.canvas import (
    BRANCH,
    INK,
    LINE,
    MUTED,
    RULE,
    WIDE,
    badge,
    figure_style,
    legend,
    legend_height,
    new_figure,
    put,
    segment_colour,
    spread,
    wrap,
)
from psychoseg.profiles.figures import dividing_rows

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles

__all__ = ["Apart", "plot_radar", "plot_snake", "scales_apart"]

#: More spokes than this cannot be told apart.
MAX_SPOKES = 12


class Apart(NamedTuple):
    """How far each segment is from everybody, in standard deviations.

    Attributes
    ----------
    labels : list of str, length v
    segments : list of int, length k
    names : list of str, length k
    z : ndarray, shape (v, k)
        NaN where hidden.
    """

    labels: list[str]
    segments: list[int]
    names: list[str]
    z: npt.NDArray[np.float64]

    def most_different(self, most: int) -> Apart:
        """Return the variables on which the segments lie farthest apart, in their order."""
        filled = np.nan_to_num(self.z)
        order = np.argsort(filled.min(axis=1) - filled.max(axis=1), kind="stable")[:most]
        kept = sorted(int(i) for i in order)
        return self._replace(labels=[self.labels[i] for i in kept], z=self.z[kept])


def scales_apart(profiles: Profiles) -> Apart:
    """Return how far each segment is from everybody on the scales; on all means without scales."""
    means = dividing_rows(profiles.means, profiles.shares)
    people = profiles.personas.sort_values("segment")
    segments = [int(s) for s in people["segment"]]
    order = list(dict.fromkeys(means["variable"]))
    label = dict(zip(means["variable"], means["label"], strict=True))
    wide = means.pivot(index="variable", columns="segment", values="z")
    return Apart(
        labels=[str(label[v]) for v in order],
        segments=segments,
        names=[str(n) for n in people["name"]],
        z=wide.reindex(index=order, columns=segments).to_numpy(dtype=float),
    )


def plot_snake(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw a line for each segment down the scales: how far its means are from everybody's.

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
    In standard deviations of all, as the colours of the heat map. A line is broken where a mean is
    hidden.
    """
    apart = scales_apart(profiles)
    with figure_style():
        left = min(0.33 * 72 * width, 200.0)
        texts = [wrap(label, left - 12, 8.5, 3) for label in apart.labels]
        rows = [max(24.0, len(t) * 8.5 * LINE + 8) for t in texts]
        height, foot = max(sum(rows), 24.0), 40.0
        below = legend_height(apart.names, 72 * width - 20, width)
        fig, ax = new_figure(width, height, left, 14, 14 + foot + below, 34)
        across = 72 * width - left - 14
        top = _furthest(apart) * 1.06
        ax.set_xlim(-top, top)
        ax.set_ylim(height, 0)
        ax.axis("off")
        _grid(ax, top, height, across)
        middles = np.cumsum(rows) - np.array(rows) / 2
        for middle, text in zip(middles, texts, strict=True):
            put(ax, -top, middle, text, dx=-8, ha="right", size=8.5)
            ax.plot((-top, top), (middle, middle), color=RULE, linewidth=0.6, zorder=0)
        _snakes(ax, apart, middles, height, across / (2 * top), foot)
        legend(fig, apart.names, 20, 6, 72 * width - 20, width)
        return fig


def plot_radar(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw a radar for each segment, everybody as the dashed ring.

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
    A spoke is a scale and runs from far below everybody's mean, at the centre, to far above it; the
    ring is everybody. Of more than ``MAX_SPOKES`` scales those are drawn on which the segments
    differ most. Fewer than three make no radar.
    """
    apart = scales_apart(profiles).most_different(MAX_SPOKES)
    k = len(apart.segments)
    with figure_style():
        if len(apart.labels) < 3:
            fig, ax = new_figure(width, 40, 0, 0, 0, 0)
            ax.axis("off")
            said = "A radar needs three scales or more."
            put(ax, 0.5, 0.5, [said], ha="center", size=9, colour=MUTED, axes_x=True, axes_y=True)
            return fig
        across = 72 * width
        columns = min(k, 4 if width >= 6 else 2)
        panel = min(across / columns, 190.0)
        radius = min(panel / 2 - 20, 62.0)
        titles = [wrap(n, panel - 30, 8, 2, bold=True) for n in apart.names]
        head = max(len(t) for t in titles) * 8 * LINE + 10
        tall = head + 2 * radius + 34
        keys = 2 if width >= 6 else 1
        key = [
            wrap(f"{i}  {label}", across / keys - 30, 8, 2)
            for i, label in enumerate(apart.labels, start=1)
        ]
        row = max(len(t) for t in key) * 8 * LINE + 4
        lines = -(-len(key) // keys)
        panels = -(-k // columns)
        height = panels * tall + lines * row + 10
        fig, ax = new_figure(width, height, 0, 0, 0, 0)
        ax.set_xlim(0, across)
        ax.set_ylim(height, 0)
        ax.axis("off")
        for i, (segment, title) in enumerate(zip(apart.segments, titles, strict=True)):
            start = (across - panel * min(columns, k - i // columns * columns)) / 2
            x = start + panel * (i % columns + 0.5)
            y = tall * (i // columns)
            badge(ax, x - panel / 2 + 12, y + head / 2, segment, size=8)
            put(ax, x - panel / 2 + 24, y + head / 2, title, size=8, bold=True)
            _radar(ax, (x, y + head + 12 + radius), radius, apart, i)
        for i, text in enumerate(key):
            at = panels * tall + 8 + row * (i % lines + 0.5)
            put(ax, 14 + (i // lines) * across / keys, at, text, size=8)
        return fig


def _furthest(apart: Apart) -> float:
    seen = np.abs(apart.z[np.isfinite(apart.z)])
    return max(1.0, float(seen.max())) if len(seen) else 1.0


def _grid(ax: Axes, top: float, height: float, across: float) -> None:
    step = 0.5 if top < 1.6 else 1.0 if top < 4 else 2.0
    for at in np.arange(-np.floor(top / step) * step, top, step):
        ax.plot(
            (at, at), (0, height), color=INK if at == 0 else RULE,
            linewidth=1.0 if at == 0 else 0.6, zorder=0,
        )  # fmt: skip
        text = "0" if at == 0 else f"{at:+.1f}".replace("-", "−")
        put(ax, at, 0, [text], dy=8, ha="center", size=7.5, colour=MUTED)
    size = 7.5 if across > 260 else 7.0
    put(ax, -top, 0, ["below everybody"], dy=22, size=size, colour=MUTED)
    put(ax, top, 0, ["above"], dy=22, ha="right", size=size, colour=MUTED)


def _snakes(
    ax: Axes,
    apart: Apart,
    middles: npt.NDArray[np.float64],
    height: float,
    points: float,
    foot: float,
) -> None:
    """Draw the lines, and a badge under the end of each, as near as they can stand."""
    ends = [_end(apart.z[:, c]) for c in range(len(apart.segments))]
    across = 2 * points * float(ax.get_xlim()[1])
    size = min(8.0, across / len(ends) / 1.85)
    half = across / 2
    placed = spread([x * points + half for x, _ in ends], [size * 1.85] * len(ends), across)
    for c, segment in enumerate(apart.segments):
        colour = segment_colour(segment)
        ax.plot(
            apart.z[:, c], middles, "-o", color=colour, linewidth=1.7, markersize=4.2, mec="white",
            mew=0.6, zorder=3,
        )  # fmt: skip
        x, last = ends[c]
        down = (placed[c] - half) / points
        start = middles[last] if len(middles) else 0.0
        ax.plot(
            (x, down), (start, height + foot - 16), color=colour, linewidth=0.8,
            linestyle=(0, (2, 2)), clip_on=False, zorder=2,
        )  # fmt: skip
        badge(ax, down, height + foot - 14, segment, size=size)


def _end(z: npt.NDArray[np.float64]) -> tuple[float, int]:
    """Return the last mean that is known and where it is."""
    known = np.flatnonzero(np.isfinite(z))
    return (float(z[known[-1]]), int(known[-1])) if len(known) else (0.0, len(z) - 1)


def _radar(ax: Axes, centre: tuple[float, float], radius: float, apart: Apart, column: int) -> None:
    m = len(apart.labels)
    angle = 2 * np.pi * np.arange(m) / m
    top = _furthest(apart)
    x0, y0 = centre

    def at(r: npt.NDArray[np.float64] | float) -> tuple[npt.NDArray[np.float64], ...]:
        return x0 + r * np.sin(angle), y0 - r * np.cos(angle)

    rim, ring = at(radius), at(radius / 2)
    for i in range(m):
        ax.plot((x0, rim[0][i]), (y0, rim[1][i]), color=RULE, linewidth=0.6, zorder=0)
        away = at(radius + 8.5)
        put(ax, away[0][i], away[1][i], [str(i + 1)], ha="center", size=7, colour=MUTED)
    ax.plot(*(np.append(v, v[0]) for v in rim), color=RULE, linewidth=0.8, zorder=0)
    ax.plot(
        *(np.append(v, v[0]) for v in ring), color=BRANCH, linewidth=0.9, linestyle=(0, (3, 2)),
        zorder=1,
    )  # fmt: skip
    colour = segment_colour(apart.segments[column])
    z = apart.z[:, column]
    x, y = at(radius / 2 * (1 + z / top))
    if np.isfinite(z).all():
        ax.fill(x, y, color=colour, alpha=0.28, linewidth=0, zorder=2)
    ax.plot(
        np.append(x, x[0]), np.append(y, y[0]), "-o", color=colour, linewidth=1.5, markersize=3,
        zorder=3,
    )  # fmt: skip
