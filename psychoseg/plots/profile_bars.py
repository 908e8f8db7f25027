"""Segments as bars: the segment profile plot, and which variables tell the segments apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from psychoseg.plots.canvas import (
    HIGH_COLOUR,
    INK,
    LINE,
    LOW_COLOUR,
    MUTED,
    RULE,
    WIDE,
    badge,
    figure_style,
    new_figure,
    put,
    segment_colour,
    text_width,
    wrap,
)
from psychoseg.plots.profile_lines import Apart, scales_apart

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles

__all__ = ["MARKER", "plot_importance", "plot_profile"]

#: Standard deviations from everybody beyond which a scale is a marker variable, as Dolnicar, Grün &
#: Leisch (2018), Market Segmentation Analysis, chapter 8, call those that mark a segment: half a
#: one, Cohen's (1988) medium difference.
MARKER = 0.5
#: More rows than this make panels that nobody reads.
MAX_ROWS = 20
MAX_IMPORTANCE = 15
_PALE = "#D4DAE1"


def plot_profile(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw a panel a segment: its bars beside everybody's line, marker variables in colour.

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
    A bar runs from everybody's mean to the segment's, in standard deviations of all. Those beyond
    the grey band (``MARKER``) are the marker variables and have the segment's colour; the others
    are pale. Of more than ``MAX_ROWS`` scales those are drawn on which the segments differ most. A
    hidden mean has no bar.

    References
    ----------
    Dolnicar & Leisch (2014), Marketing Letters 25, 149-163; Dolnicar, Grün & Leisch (2018), Market
    Segmentation Analysis, section 8.1: the segment profile plot.
    """
    apart = scales_apart(profiles).most_different(MAX_ROWS)
    k = len(apart.segments)
    with figure_style():
        across, wide = 72 * width, width >= 6
        left = min(0.33 * across, 180.0)
        texts = [wrap(label, left - 12, 8, 2) for label in apart.labels]
        rows = np.array([max(16.0, len(t) * 8 * LINE + 4) for t in texts] or [16.0])
        columns = 1 if k == 1 else 2 if k in (2, 4) or not wide else 3
        panel = (across - left - 4) / columns
        titles = [wrap(n, panel - 26, 7.5, 3, bold=True) for n in apart.names]
        head = max(len(t) for t in titles) * 7.5 * LINE + 10
        tall = head + float(rows.sum()) + 30
        height = tall * -(-k // columns)
        fig, ax = new_figure(width, height, 0, 0, 0, 0)
        ax.set_xlim(0, across)
        ax.set_ylim(height, 0)
        ax.axis("off")
        known = np.abs(apart.z[np.isfinite(apart.z)])
        top = max(1.0, float(known.max()) if len(known) else 1.0)
        for i, segment in enumerate(apart.segments):
            y = tall * (i // columns)
            x = left + panel * (i % columns)
            badge(ax, x + 10, y + head / 2, segment, size=7.5)
            put(ax, x + 22, y + head / 2, titles[i], size=7.5, bold=True)
            _panel(ax, apart, i, (x + 4, y + head, panel - 10), rows, top)
            if i % columns == 0:
                for middle, text in zip(y + head + np.cumsum(rows) - rows / 2, texts, strict=False):
                    put(ax, left, middle, text, dx=-6, ha="right", size=8)
        return fig


def plot_importance(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw how much of its accuracy a model loses without each variable, strongest first.

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
    The line through a bar's end is the 95 % interval. Of more than ``MAX_IMPORTANCE`` variables the
    strongest are drawn.
    """
    table = profiles.importance
    with figure_style():
        if table.empty:
            fig, ax = new_figure(width, 40, 0, 0, 0, 0)
            ax.axis("off")
            put(
                ax, 0.5, 0.5, ["not measured"], ha="center", size=9, colour=MUTED, axes_x=True,
                axes_y=True,
            )  # fmt: skip
            return fig
        table = table.sort_values("rank").head(MAX_IMPORTANCE)
        across = 72 * width
        left, right = min(0.42 * across, 230.0), 44.0
        texts = [wrap(str(label), left - 12, 8.5, 2) for label in table["label"]]
        rows = np.array([max(20.0, len(t) * 8.5 * LINE + 6) for t in texts])
        fig, ax = new_figure(width, float(rows.sum()), left, right, 40, 26)
        value = 100 * table["importance"].to_numpy(dtype=float)
        low = 100 * table["low"].to_numpy(dtype=float)
        high = 100 * table["high"].to_numpy(dtype=float)
        ends = np.concatenate([value, low, high, [0.0, 1.0]])
        ends = ends[np.isfinite(ends)]
        room = 0.04 * (ends.max() - ends.min())
        ax.set_xlim(ends.min() - room if ends.min() < 0 else 0.0, ends.max() + room)
        ax.set_ylim(float(rows.sum()), 0)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.axvline(0, color=INK, linewidth=0.8)
        middles = np.cumsum(rows) - rows / 2
        made = table["role"].isin(["scale", "active"]).to_numpy()
        edge = float(ax.get_xlim()[0])
        for i, middle in enumerate(middles):
            put(ax, edge, middle, texts[i], dx=-8, ha="right", size=8.5)
            colour = HIGH_COLOUR if made[i] else LOW_COLOUR
            ax.barh([middle], [value[i]], height=min(12.0, rows[i] - 6), color=colour, linewidth=0)
            if np.isfinite(low[i]) and np.isfinite(high[i]):
                ax.plot((low[i], high[i]), (middle, middle), color=INK, linewidth=1.0)
            # Adding zero leaves no minus before a zero.
            said = f"{round(value[i], 1) + 0.0:.1f}".replace("-", "−")
            put(ax, float(ax.get_xlim()[1]), middle, [said], dx=6, size=8, colour=INK)
        _colours(ax, across, left)
        ax.set_xlabel("Points of accuracy lost" if width < 6 else "Percentage points of accuracy "
                      "lost when the answers are shuffled")  # fmt: skip
        return fig


def _panel(
    ax: Axes,
    apart: Apart,
    column: int,
    place: tuple[float, float, float],
    rows: npt.NDArray[np.float64],
    top: float,
) -> None:
    x0, y0, across = place
    scale, bottom = across / (2 * top), y0 + float(rows.sum())
    middle_x = x0 + across / 2
    band = Rectangle(
        (middle_x - MARKER * scale, y0), 2 * MARKER * scale, bottom - y0, facecolor="#F1F3F6",
        linewidth=0, zorder=0,
    )  # fmt: skip
    ax.add_patch(band)
    ax.plot((middle_x, middle_x), (y0, bottom), color=INK, linewidth=1.0, zorder=3)
    ax.plot((x0, x0 + across), (bottom, bottom), color=RULE, linewidth=0.8, zorder=1)
    for y, tall, z in zip(np.cumsum(rows) + y0 - rows / 2, rows, apart.z[:, column], strict=False):
        if not np.isfinite(z):
            put(ax, middle_x, y, ["hidden"], dx=4, size=6.5, colour=MUTED)
            continue
        colour = segment_colour(apart.segments[column]) if abs(z) > MARKER else _PALE
        ax.add_patch(
            Rectangle((middle_x, y - min(5.5, tall / 3)), z * scale, 2 * min(5.5, tall / 3),
                      facecolor=colour, linewidth=0, zorder=2)
        )  # fmt: skip
    for at, text in ((-top, f"−{top:.1f}"), (0.0, "0"), (top, f"+{top:.1f}")):
        align = "left" if at < 0 else "right" if at > 0 else "center"
        put(ax, middle_x + at * scale, bottom + 9, [text], ha=align, size=7, colour=MUTED)


def _colours(ax: Axes, across: float, left: float) -> None:
    """Say over the bars which colour is which."""
    x = 8 - left
    for colour, text in ((HIGH_COLOUR, "made the segments"), (LOW_COLOUR, "describes them")):
        ax.annotate(
            "■", (0, 1), xycoords="axes fraction", xytext=(x, 14), textcoords="offset points",
            color=colour, fontsize=9, va="center_baseline", annotation_clip=False,
        )  # fmt: skip
        put(ax, 0, 1, [text], dx=x + 12, dy=14, size=8, colour=MUTED, axes_x=True, axes_y=True)
        x += 12 + text_width(text, 8) + 12
