"""What each index says of the number of segments, in small multiples; computes none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from psychoseg.plots.canvas import (
    HIGH_COLOUR,
    INK,
    LOW_COLOUR,
    MUTED,
    WIDE,
    ShownFigure,
    add_axes,
    figure_style,
    new_figure,
    put,
)

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["plot_choice", "plot_neighbours"]

#: Mean bootstrap Jaccard similarity: below the first a cluster is not to be trusted, from the
#: second on it is valid (Hennig 2007, and the help page of fpc::clusterboot).
JACCARD_DOUBTFUL, JACCARD_VALID = 0.6, 0.75
#: Highly stable (Hennig 2007).
JACCARD_HIGH = 0.85
#: Prediction strength of well separated clusters (Tibshirani & Walther 2005).
STRENGTH = 0.8
_BAND, _VOTE = "#DCE7F1", "#B3261E"


@dataclass(frozen=True, slots=True)
class _Panel:
    """A panel: its column, its heading, how it is read, and how the rule that votes is called."""

    column: str
    title: str
    read: str
    rule: str


_PANELS = (
    _Panel("within", "Within sum of squares", "look for the bend", "elbow"),
    _Panel("silhouette", "Silhouette", "high is good", "silhouette"),
    _Panel("calinski_harabasz", "Calinski-Harabasz", "high is good", "calinski"),
    _Panel("davies_bouldin", "Davies-Bouldin", "low is good", "davies"),
    _Panel("dunn", "Dunn", "high is good", "dunn"),
    _Panel("gap", "Gap", "band: standard error", "gap"),
    _Panel("prediction_strength", "Prediction strength", "from 0.80 good", "prediction"),
    _Panel("jaccard_mean", "Stability (Jaccard)", "mean and weakest", "stability"),
    _Panel("association", "Link to profile", "high is useful", "association"),
    _Panel("smallest_share", "Smallest segment", "share of people", "smallest"),
)


def plot_choice(
    segments: Segments,
    *,
    min_jaccard: float = JACCARD_DOUBTFUL,
    stable_jaccard: float = JACCARD_VALID,
    width: float = WIDE,
) -> Figure:
    """Draw ten indices by number of segments, with the chosen number and what each index says.

    Parameters
    ----------
    segments : Segments
    min_jaccard, stable_jaccard : float
        Drawn as lines in the panel of stability, beside Hennig's .85.
    width : float
        Inches. Below 6 there are two panels in a row, else three.

    Returns
    -------
    Figure

    Notes
    -----
    An index that is defined nowhere has an empty panel that says so.
    """
    table = segments.choice.sort_values("k")
    said = {str(r["rule"]).lower(): int(r["k"]) for r in segments.votes.to_dict("records")}
    with figure_style():
        columns = 3 if width >= 6 else 2
        rows = -(-len(_PANELS) // columns)
        left, right, gap, high, lift = 34.0, 8.0, 40.0, 82.0, 62.0
        key = 14.0 if columns == 3 else 76.0
        across = (72 * width - left - right - gap * (columns - 1)) / columns
        height = rows * (high + lift) + key + 6
        fig = ShownFigure(figsize=(width, height / 72))
        for i, panel in enumerate(_PANELS):
            x = left + (i % columns) * (across + gap)
            y = height - (i // columns + 1) * (high + lift) + 24
            ax = add_axes(fig, x, y, across, high)
            _draw(ax, table, panel, segments, (min_jaccard, stable_jaccard))
            vote = next((k for rule, k in said.items() if panel.rule in rule), 0)
            _mark(ax, table, panel, vote)
        # With three columns the last two cells of the grid are free.
        spare = (left + across + gap, 20.0) if columns == 3 else (left, 0.0)
        room = (2 * across + gap, high) if columns == 3 else (72 * width - left - right, key)
        _key(add_axes(fig, *spare, *room), segments)
        return fig


def plot_neighbours(segments: Segments, *, width: float = WIDE) -> Figure:
    """Draw how far people's neighbours are, and the distance that DBSCAN took for near.

    Parameters
    ----------
    segments : Segments
        Of DBSCAN.
    width : float
        Inches.

    Returns
    -------
    Figure
    """
    curve = segments.neighbours
    eps = float(curve["eps"].iloc[0])
    with figure_style():
        fig, ax = new_figure(width, 170, 52, 16, 42, 12)
        ax.plot(100 * curve["share"], curve["distance"], color=INK, linewidth=1.6)
        ax.axhline(eps, color=_VOTE, linewidth=1, linestyle=(0, (4, 3)))
        put(ax, 2, eps, [f"eps = {eps:.2f}"], dy=8, size=8.5, colour=_VOTE)
        ax.set_xlim(0, 100)
        ax.set_ylim(0, None)
        ax.set_xlabel("Per cent of people, nearest neighbours first")
        ax.set_ylabel("Distance")
        return fig


def _draw(
    ax: Axes,
    table: pd.DataFrame,
    panel: _Panel,
    segments: Segments,
    levels: tuple[float, float],
) -> None:
    k = table["k"].to_numpy(dtype=int)
    y = table[panel.column].to_numpy(dtype=float)
    for at in k[table["chosen"].to_numpy(dtype=bool)]:
        ax.axvspan(at - 0.45, at + 0.45, color=_BAND, linewidth=0, zorder=0)
    for at in _others(segments):
        ax.axvline(at, color=MUTED, linestyle=_dashes(at, segments), linewidth=1, zorder=0)
    if panel.column == "gap":
        se = table["gap_se"].to_numpy(dtype=float)
        ax.fill_between(k, y - se, y + se, color=HIGH_COLOUR, alpha=0.22, linewidth=0)
    lines: list[float] = []
    if panel.column == "prediction_strength":
        lines = [STRENGTH]
    if panel.column == "jaccard_mean":
        lines = sorted({*levels, JACCARD_HIGH})
        weakest = table["jaccard_min"].to_numpy(dtype=float)
        ax.plot(k, weakest, color=LOW_COLOUR, linewidth=1.1, marker="o", markersize=2.4)
    for level in lines:
        ax.axhline(level, color=MUTED, linestyle=(0, (4, 3)), linewidth=0.8, zorder=0)
    ax.plot(k, y, color=HIGH_COLOUR, linewidth=1.2, marker="o", markersize=2.4)
    put(ax, 0, 1, [panel.title], dy=21, size=8.5, bold=True, axes_x=True, axes_y=True)
    put(ax, 0, 1, [panel.read], dy=9.5, size=7.5, colour=MUTED, axes_x=True, axes_y=True)
    ax.set_xlim(k.min() - 0.7, k.max() + 0.7)
    ax.set_xticks([t for t in k if t == 1 or t % 5 == 0] if len(k) > 6 else k)
    ax.tick_params(labelsize=7.5, length=2.5, pad=2)
    ax.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    if lines:
        ax.set_ylim(min(0.4, _least(y)), 1.05)
    if panel.column == "smallest_share":
        ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    elif _greatest(y) >= 10_000:
        ax.yaxis.set_major_formatter(lambda v, _: f"{v / 1000:,.0f}k" if v else "0")
    if not np.isfinite(y).any():
        ax.set_yticks([])
        put(
            ax, 0.5, 0.5, ["not available"], ha="center", size=8, colour=MUTED, axes_x=True,
            axes_y=True,
        )  # fmt: skip


def _mark(ax: Axes, table: pd.DataFrame, panel: _Panel, vote: int) -> None:
    """Ring what the index itself stands for."""
    here = table[table["k"] == vote][panel.column].to_numpy(dtype=float)
    if len(here) and np.isfinite(here[0]):
        ax.plot(
            [vote], [here[0]], "D", mfc="none", mec=_VOTE, mew=1.4, markersize=7, zorder=6,
            clip_on=False,
        )  # fmt: skip


def _others(segments: Segments) -> list[int]:
    """Return the numbers beside the one shown that were recommended or come next."""
    return sorted({segments.recommended_k, segments.runner_up} - {0, segments.k})


def _dashes(k: int, segments: Segments) -> tuple[int, tuple[float, float]]:
    return (0, (5, 2)) if k == segments.recommended_k else (0, (1, 1.6))


def _role(k: int, segments: Segments) -> str:
    roles = {segments.runner_up: ", runner-up", segments.recommended_k: ", recommended"}
    return roles.get(k, "")


def _key(ax: Axes, segments: Segments) -> None:
    ax.axis("off")
    k = segments.k
    shown: list[tuple[Patch | Line2D, str]] = [
        (Patch(facecolor=_BAND), f"{k}: shown in this report{_role(k, segments)}")
    ]
    for other in _others(segments):
        line = Line2D([], [], color=MUTED, linestyle=_dashes(other, segments), linewidth=1)
        shown.append((line, f"{other}{_role(other, segments).replace(',', ':')}"))
    vote = Line2D([], [], marker="D", linestyle="", mfc="none", mec=_VOTE, mew=1.4, markersize=6)
    weakest = Line2D([], [], color=LOW_COLOUR, marker="o", markersize=2.4, linewidth=1.1)
    shown += [(vote, "what the index itself says"), (weakest, "stability of the weakest segment")]
    ax.legend(
        [h for h, _ in shown], [t for _, t in shown], loc="center left", frameon=False, fontsize=8,
        labelcolor=INK, borderaxespad=0, handlelength=1.8, labelspacing=0.45,
    )  # fmt: skip


def _least(y: npt.NDArray[np.float64]) -> float:
    found = y[np.isfinite(y)]
    return float(found.min()) - 0.05 if len(found) else 0.0


def _greatest(y: npt.NDArray[np.float64]) -> float:
    found = np.abs(y[np.isfinite(y)])
    return float(found.max()) if len(found) else 0.0
