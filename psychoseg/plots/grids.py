"""Scales drawn: segments by scales, loadings, eigenvalues; computes none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from psychoseg.plots.canvas import (
    HIGH_COLOUR,
    LINE,
    LOW_COLOUR,
    MUTED,
    RULE,
    WIDE,
    add_axes,
    badge,
    figure_style,
    ink_on,
    legend,
    legend_height,
    new_figure,
    put,
    shade,
    text_width,
    two_decimals,
    wrap,
)
from psychoseg.profiles.figures import dividing_rows

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles
    from psychoseg.scales import Scales

__all__ = ["plot_heatmap", "plot_loadings", "plot_scree"]

#: Eigenvalues beyond this number say nothing and would blot the first ones.
MAX_EIGENVALUES = 40


def plot_heatmap(profiles: Profiles, *, width: float = WIDE) -> Figure:
    """Draw segments by scales: each cell the mean, coloured by its distance from the total mean.

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
    Without scales the active columns are drawn, their categories and options as shares
    (:func:`psychoseg.profiles.figures.dividing_rows`).
    The colour is z, (segment mean - total mean) / total sd, from orange through grey to blue, and
    ends at the largest absolute z or 1, whichever is larger. Where a column is too narrow for its
    numbers, the colours stand alone.
    """
    means = dividing_rows(profiles.means, profiles.shares)
    order = list(dict.fromkeys(means["variable"]))
    label = dict(zip(means["variable"], means["label"], strict=True))
    total = dict(zip(means["variable"], means["total"], strict=True))
    shares = set(means.loc[means["is_share"], "variable"])
    numbers = sorted(int(s) for s in profiles.personas["segment"])
    names = [str(n) for n in profiles.personas.sort_values("segment")["name"]]
    cells = means.set_index(["variable", "segment"])[["mean", "z"]]
    with figure_style():
        left = min(0.33 * 72 * width, 200.0)
        texts = [wrap(label[v], left - 12, 8.5, 3) for v in order]
        rows = [max(24.0, len(t) * 8.5 * LINE + 8) for t in texts]
        height = max(sum(rows), 24.0)
        below = legend_height(names, 72 * width - 20, width)
        fig, ax = new_figure(width, height, left, 8, 52 + below, 42)
        columns = len(numbers) + 1
        ax.set_xlim(0, columns)
        ax.set_ylim(height, 0)
        ax.axis("off")
        top = max(1.0, float(means["z"].abs().max()))
        column = (72 * width - left - 8) / columns
        size = 8.5 if column > 30 else 6.5
        roomy = column >= text_width("0.00", size)
        people = profiles.personas.set_index("segment")["n"]
        known = people.notna().all()
        put(ax, 0.5, 0, ["All"], dy=25, ha="center", size=8.5, bold=True)
        put(ax, 0, 0, ["Base (n)"], dx=-8, dy=8, ha="right", size=7.5, colour=MUTED)
        put(
            ax,
            0.5,
            0,
            [f"{people.sum():,.0f}"] if known else [],
            dy=8,
            ha="center",
            size=min(size, 7.5),
            colour=MUTED,
        )
        for c, s in enumerate(numbers, start=1):
            badge(ax, c + 0.5, 0, s, dy=25, size=8)
            put(
                ax,
                c + 0.5,
                0,
                [f"{people[s]:,.0f}" if np.isfinite(people[s]) else "few"] if roomy else [],
                dy=8,
                ha="center",
                size=min(size, 7.5),
                colour=MUTED,
            )
        y = 0.0
        for variable, text, tall in zip(order, texts, rows, strict=True):
            middle = y + tall / 2
            put(ax, 0, middle, text, dx=-8, ha="right", size=8.5)
            put(
                ax,
                0.5,
                middle,
                [_shown(total[variable], share=variable in shares)],
                ha="center",
                size=size,
                colour=MUTED,
            )
            for c, s in enumerate(numbers, start=1):
                mean, z = (
                    cells.loc[(variable, s)] if (variable, s) in cells.index else (np.nan,) * 2
                )
                colour = shade(float(z) / top if np.isfinite(z) else 0.0)
                ax.add_patch(
                    Rectangle((c + 0.02, y + 1), 0.96, tall - 2, facecolor=colour, linewidth=0)
                )
                put(
                    ax,
                    c + 0.5,
                    middle,
                    [_shown(mean, share=variable in shares)] if roomy else [],
                    ha="center",
                    size=size,
                    colour=ink_on(colour),
                )
            y += tall
        _colour_key(fig, below + 14, 72 * width, top)
        legend(fig, names, 20, 6, 72 * width - 20, width)
        return fig


def _shown(value: float, *, share: bool) -> str:
    return f"{100 * value:.0f}%" if share and np.isfinite(value) else two_decimals(value)


def plot_scree(scales: Scales, *, width: float = WIDE) -> Figure:
    """Draw eigenvalues of components and of factors, each against parallel analysis.

    Parameters
    ----------
    scales : Scales
    width : float
        Inches.

    Returns
    -------
    Figure

    Notes
    -----
    As many as are used are filled. Of more than ``MAX_EIGENVALUES`` the first are drawn.
    """
    table = scales.eigenvalues
    kept = table["retained"].to_numpy(dtype=bool)
    shown = min(len(table), max(MAX_EIGENVALUES, int(kept.sum()) + 5))
    kept = kept[:shown]
    x = table["component"].to_numpy(dtype=float)[:shown]
    series: tuple[tuple[str, str, str | tuple[int, tuple[int, int]], str], ...] = (
        ("observed", HIGH_COLOUR, "-", "components; filled: used"),
        ("factor", LOW_COLOUR, "-", "factors; filled: used"),
        ("threshold", HIGH_COLOUR, (0, (4, 3)), "components by chance"),
        ("factor_threshold", LOW_COLOUR, (0, (4, 3)), "factors by chance"),
    )
    with figure_style():
        columns = 2 if width >= 6 else 1
        step, across = 15.0, 72 * width - 40 - 14
        tall = step * len(series) / columns
        fig, ax = new_figure(width, 200, 40, 14, 42, tall + 10)
        # The key stands above the axes, where no eigenvalue can reach it.
        key = add_axes(fig, 40, 42 + 200 + 8, across, tall)
        key.set_xlim(0, across)
        key.set_ylim(tall, 0)
        key.axis("off")
        ax.axhline(0, color=RULE, linewidth=0.8, zorder=0)
        lowest, highest = 0.0, 0.0
        for i, (column, colour, style, text) in enumerate(series):
            y = table[column].to_numpy(dtype=float)[:shown]
            lowest, highest = min(lowest, np.nanmin(y)), max(highest, np.nanmax(y))
            ax.plot(x, y, color=colour, linestyle=style, linewidth=1.3)
            if style == "-":
                ax.plot(x[kept], y[kept], "o", color=colour, markersize=6)
                ax.plot(x[~kept], y[~kept], "o", color=colour, mfc="white", markersize=4)
            at, down = (i % columns) * across / columns, step * (i // columns + 0.5)
            key.plot((at, at + 26), (down, down), color=colour, linestyle=style, linewidth=1.3)
            put(key, at, down, [text], dx=32, size=8)
        ax.set_ylim(lowest * 1.1, highest * 1.08)
        ax.set_xlim(0.4, shown + 0.6)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        of = f" (first {shown} of {len(table)})" if shown < len(table) else ""
        ax.set_xlabel(f"Number of the component or factor{of}")
        ax.set_ylabel("Eigenvalue")
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
        texts = [wrap(str(items.loc[i, "label"]), left - 12, 7.5, 2) for i in order]
        rows = [len(t) * 7.5 * LINE + 6 for t in texts]
        fig, ax = new_figure(width, sum(rows), left, 8, 12, 24)
        ax.set_xlim(0, len(factors))
        ax.set_ylim(sum(rows), 0)
        ax.axis("off")
        for c, factor in enumerate(factors):
            put(ax, c + 0.5, 0, [str(factor)], dy=10, ha="center", size=8, bold=True)
        y = 0.0
        for item, text, tall in zip(order, texts, rows, strict=True):
            put(ax, 0, y + tall / 2, text, dx=-8, ha="right", size=7.5)
            for c, factor in enumerate(factors):
                value = float(scales.loadings.loc[item, factor])
                colour = shade(value)
                ax.add_patch(Rectangle((c + 0.02, y + 0.5), 0.96, tall - 1, fc=colour, lw=0))
                ink = ink_on(colour) if abs(value) >= strong else MUTED
                put(
                    ax,
                    c + 0.5,
                    y + tall / 2,
                    [two_decimals(value)],
                    ha="center",
                    size=7,
                    colour=ink,
                )
            y += tall
        return fig


def _colour_key(fig: Figure, bottom: float, across: float, top: float) -> None:
    ax = add_axes(fig, 0, bottom, across, 26)
    ax.set_xlim(0, across)
    ax.set_ylim(0, 26)
    ax.axis("off")
    step, steps = 12.0, 11
    start = across / 2 - step * steps / 2
    for i in range(steps):
        at = 2 * i / (steps - 1) - 1
        ax.add_patch(Rectangle((start + i * step, 14), step, 8, facecolor=shade(at), linewidth=0))
    put(ax, start, 18, ["below average"], dx=-6, ha="right", size=7.5, colour=MUTED)
    put(ax, start + step * steps, 18, ["above average"], dx=6, size=7.5, colour=MUTED)
    for at, text in (
        (start, f"−{top:.1f}"),
        (across / 2, "0 SD"),
        (start + step * steps, f"+{top:.1f}"),
    ):
        put(ax, at, 6, [text], ha="center", size=7, colour=MUTED)
