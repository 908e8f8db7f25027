"""Results drawn: each ``plot_*`` takes a stage's result and returns a matplotlib ``Figure``.

None computes results. Figures are made without pyplot and without touching anybody's rcParams.
Every plot takes the ``width`` in inches that it is laid out for: its type stays the same size, so a
figure for a telephone is drawn narrow and not shrunk.
"""

from psychoseg.plots.canvas import (
    NARROW,
    SEGMENT_COLOURS,
    WIDE,
    figure_style,
    ink_on,
    segment_colour,
)
from psychoseg.plots.evidence import plot_map
from psychoseg.plots.grids import plot_heatmap, plot_loadings, plot_scree
from psychoseg.plots.number import plot_choice, plot_neighbours
from psychoseg.plots.profile_bars import plot_importance, plot_profile
from psychoseg.plots.profile_lines import plot_radar, plot_snake
from psychoseg.plots.stability import plot_certainty, plot_flow, plot_stability
from psychoseg.plots.tree import plot_dendrogram

__all__ = [
    "NARROW",
    "SEGMENT_COLOURS",
    "WIDE",
    "figure_style",
    "ink_on",
    "plot_certainty",
    "plot_choice",
    "plot_dendrogram",
    "plot_flow",
    "plot_heatmap",
    "plot_importance",
    "plot_loadings",
    "plot_map",
    "plot_neighbours",
    "plot_profile",
    "plot_radar",
    "plot_scree",
    "plot_snake",
    "plot_stability",
    "segment_colour",
]
