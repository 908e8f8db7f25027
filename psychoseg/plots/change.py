"""What became of the segments of one run in another, drawn; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from psychoseg.plots.canvas import (
    INK,
    MUTED,
    WIDE,
    badge,
    figure_style,
    new_figure,
    put,
    segment_colour,
    wrap,
)

if TYPE_CHECKING:
    import pandas as pd

    from psychoseg.comparison import Comparison

__all__ = ["plot_change"]

#: Points: of all people one above the other, between segments, of a bar.
_HIGH, _GAP, _BAR = 260.0, 12.0, 16.0


def plot_change(comparison: Comparison, *, width: float = WIDE) -> Figure:
    """Draw who goes from which segment of the first run to which of the second.

    Parameters
    ----------
    comparison : Comparison
    width : float
        Inches.

    Returns
    -------
    Figure

    Notes
    -----
    Ribbons have the colour of the segment that they come from; one that carries less than a
    hundredth of all people is left out.
    """
    flow = comparison.flow
    sides = (flow.groupby("a")["weighted"].sum(), flow.groupby("b")["weighted"].sum())
    total = float(flow["weighted"].sum())
    column = 190.0 if width >= 6 else 92.0
    gaps = max(len(s) for s in sides) - 1
    with figure_style():
        fig, ax = new_figure(width, _HIGH + _GAP * gaps, column, column, 12, 34)
        across = 72 * width - 2 * column
        ax.set_xlim(0, across)
        ax.set_ylim(_HIGH + _GAP * gaps, 0)
        ax.axis("off")
        order = _order_of(comparison)
        left = _stacked(list(sides[0].index), sides[0], total, gaps)
        right = _stacked(order, sides[1], total, gaps)
        _ribbons(ax, flow, left, right, total, across)
        for names, places, at, is_left in (
            (comparison.names_a, left, 0.0, True),
            (comparison.names_b, right, across - _BAR, False),
        ):
            _side(ax, names, places, at, is_left, column)
        heads = ("First run", "Second run")
        if comparison.kind == "waves":
            heads = ("Nearest segment of the first run", "Segment of the second run")
        put(
            ax,
            0,
            0,
            wrap(heads[0], column + across / 2 - 10, 8.5, 2),
            dy=20,
            dx=-column + 4,
            size=8.5,
            colour=MUTED,
        )
        put(
            ax,
            across,
            0,
            wrap(heads[1], column + across / 2 - 10, 8.5, 2),
            dy=20,
            dx=column - 4,
            ha="right",
            size=8.5,
            colour=MUTED,
        )
        return fig


def _order_of(comparison: Comparison) -> list[int]:
    """Return the second run's segments, each beside its match, those without one last."""
    matched = [int(b) for b in comparison.match["b"] if b]
    return [*matched, *(b for b in comparison.names_b if b not in matched)]


def _stacked(
    order: list[int], sizes: pd.Series, total: float, gaps: int
) -> dict[int, tuple[float, float]]:
    top = _GAP * (gaps - len(order) + 1) / 2
    out = {}
    for s in order:
        tall = float(sizes.get(s, 0.0)) / total * _HIGH
        out[s] = (top, tall)
        top += tall + _GAP
    return out


def _ribbons(
    ax: Axes,
    flow: pd.DataFrame,
    left: Mapping[int, tuple[float, float]],
    right: Mapping[int, tuple[float, float]],
    total: float,
    across: float,
) -> None:
    used_left, used_right = dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0)
    rows = sorted(
        flow.to_dict("records"), key=lambda r: (left[int(r["a"])][0], right[int(r["b"])][0])
    )
    x0, x1, middle = _BAR, across - _BAR, across / 2
    for r in rows:
        a, b = int(r["a"]), int(r["b"])
        tall = float(r["weighted"]) / total * _HIGH
        y0, y1 = left[a][0] + used_left[a], right[b][0] + used_right[b]
        used_left[a] += tall
        used_right[b] += tall
        if tall < _HIGH / 100:
            continue
        corners = [
            (x0, y0), (middle, y0), (middle, y1), (x1, y1), (x1, y1 + tall),
            (middle, y1 + tall), (middle, y0 + tall), (x0, y0 + tall), (x0, y0),
        ]  # fmt: skip
        curve = [Path.CURVE4] * 3
        codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
        ax.add_patch(
            PathPatch(
                Path(corners, codes), facecolor=segment_colour(a), alpha=0.4, linewidth=0, zorder=0
            )
        )


def _side(
    ax: Axes,
    names: Mapping[int, str],
    places: Mapping[int, tuple[float, float]],
    at: float,
    is_left: bool,
    column: float,
) -> None:
    for s, (top, tall) in places.items():
        colour = segment_colour(s) if is_left else MUTED
        ax.add_patch(Rectangle((at, top), _BAR, tall, color=colour, linewidth=0))
        middle = top + tall / 2
        room = max(1, int((tall + _GAP) / 11))
        lines = wrap(names[s], column - 38, 8.5, min(3, room))
        if is_left:
            badge(ax, at, middle, s, dx=-12, size=7.5)
            put(ax, at, middle, lines, dx=-24, ha="right", size=8.5, colour=INK)
        else:
            put(ax, at + _BAR, middle, [str(s)], dx=6, size=8.5, bold=True)
            put(ax, at + _BAR, middle, lines, dx=18 if s < 10 else 24, size=8.5, colour=INK)
