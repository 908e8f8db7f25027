"""The figures: what they show, that text stays inside and apart, that nothing global is touched."""

import dataclasses
import io
import itertools
import subprocess
import sys
import unicodedata
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.cluster.hierarchy import linkage

from psychoseg import plots
from psychoseg.plots.tree import _Nodes
from tests.made_run import MadeRun, make_run


def draw(run: MadeRun, name: str, width: float) -> Figure:
    names = list(run.profiles.personas["name"])
    match name:
        case "dendrogram":
            return plots.plot_dendrogram(run.segments, names, width=width)
        case "choice":
            return plots.plot_choice(run.segments, width=width)
        case "stability":
            return plots.plot_stability(run.segments, names, width=width)
        case "certainty":
            return plots.plot_certainty(run.segments, names, width=width)
        case "flow":
            return plots.plot_flow(run.segments, names, width=width)
        case "map":
            return plots.plot_map(run.segments, names, width=width)
        case "heatmap":
            return plots.plot_heatmap(run.profiles, width=width)
        case "scree":
            return plots.plot_scree(run.scales, width=width)
        case "snake":
            return plots.plot_snake(run.profiles, width=width)
        case "radar":
            return plots.plot_radar(run.profiles, width=width)
        case "profile":
            return plots.plot_profile(run.profiles, width=width)
        case "importance":
            return plots.plot_importance(run.profiles, width=width)
    return plots.plot_loadings(run.scales, width=width)


FIGURES = (
    "dendrogram",
    "choice",
    "stability",
    "certainty",
    "flow",
    "map",
    "heatmap",
    "scree",
    "loadings",
    "snake",
    "radar",
    "profile",
    "importance",
)
RUNS = {
    "plain": {},
    "ten segments": {"k": 10, "n": 900},
    "hostile": {"hostile": True, "weighted": True},
    "one component": {"one_component": True, "k": 2},
    "fifteen segments": {"k": 15, "n": 900, "unassigned": True},
    "bare": {"bare": True, "k": 2},
}


@pytest.fixture(scope="module", params=RUNS, ids=lambda r: r.replace(" ", "-"))
def run(request):
    return make_run(**RUNS[request.param])


def texts(figure: Figure) -> list[tuple[Text, object]]:
    """Return the texts that show something, each with its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    with plots.figure_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        canvas.draw()
        renderer = canvas.get_renderer()
        found = [t for t in figure.findobj(Text) if t.get_text() and t.get_visible()]
        never = {t for axes in figure.axes for t in undrawn_ticks(axes, renderer)}
        return [
            (t, t.get_window_extent(renderer))
            for t in found
            if t not in never and not beyond_the_font(t.get_text())
        ]


def beyond_the_font(text: str) -> bool:
    """Say whether matplotlib measures stand-ins for letters that its font lacks."""
    return any(unicodedata.east_asian_width(c) in "WF" for c in text)


def undrawn_ticks(axes, renderer) -> list[Text]:
    """Return the labels that matplotlib keeps but does not draw: off, or beyond the axis."""
    undrawn = []
    for axis, ends in ((axes.xaxis, axes.bbox.intervalx), (axes.yaxis, axes.bbox.intervaly)):
        for label in (t.label1 for t in axis.get_major_ticks()):
            box = label.get_window_extent(renderer)
            at = (box.x0 + box.x1) / 2 if axis is axes.xaxis else (box.y0 + box.y1) / 2
            if not axes.axison or not ends[0] - 2 <= at <= ends[1] + 2:
                undrawn.append(label)
    return undrawn if axes.axison else [*undrawn, axes.xaxis.label, axes.yaxis.label]


@pytest.fixture(
    scope="module",
    params=itertools.product(FIGURES, (plots.WIDE, plots.NARROW)),
    ids=lambda p: f"{p[0]}-{'wide' if p[1] == plots.WIDE else 'narrow'}",
)
def drawn(run, request):
    """Return a figure and its texts with their boxes."""
    figure = draw(run, *request.param)
    return figure, texts(figure)


def test_all_text_lies_inside_its_figure(drawn):
    figure, boxes = drawn
    box = figure.bbox
    outside = [
        t.get_text()
        for t, b in boxes
        if b.x0 < box.x0 - 1 or b.x1 > box.x1 + 1 or b.y0 < box.y0 - 1 or b.y1 > box.y1 + 1
    ]
    assert outside == []


def test_no_two_texts_overlap(drawn):
    _, boxes = drawn
    assert len(boxes) > 4 or [t.get_text() for t, _ in boxes] == ["not measured"]
    # A pixel and a half across, two and a half up: boxes hold the empty space around letters.
    clash = [
        (a.get_text(), b.get_text())
        for (a, p), (b, q) in itertools.combinations(boxes, 2)
        if min(p.x1, q.x1) - max(p.x0, q.x0) > 1.5 and min(p.y1, q.y1) - max(p.y0, q.y0) > 2.5
    ]
    assert clash == []


def test_leaves_of_a_segment_stand_together_and_add_up_to_its_weight():
    run = make_run(weighted=True)
    nodes = _Nodes(run.segments, 60)
    order = [int(nodes.segment[leaf]) for leaf in nodes.leaves]
    assert len(order) == 60
    assert sorted(k for k, _ in itertools.groupby(order)) == [1, 2, 3, 4]
    for s, weight in zip(
        run.segments.table["segment"], run.segments.table["weighted"], strict=True
    ):
        leaves = [leaf for leaf in nodes.leaves if nodes.segment[leaf] == s]
        assert nodes.weight[leaves].sum() == pytest.approx(weight)


def test_lower_segments_and_heavier_branches_come_first():
    run = make_run(weighted=True)
    nodes = _Nodes(run.segments, 60)
    assert nodes.segment[nodes.leaves[0]] == 1
    pairs = nodes.children.values()
    inside = [(a, b) for a, b in pairs if nodes.segment[a] == nodes.segment[b] > 0]
    assert len(inside) > 10
    assert all(nodes.weight[a] >= nodes.weight[b] for a, b in inside)


def test_the_folded_tree_covers_every_point_once():
    run = make_run()
    nodes = _Nodes(run.segments, 25)
    assert nodes.count[nodes.leaves].sum() == len(run.segments.points)


def test_branches_have_the_colours_of_the_segments_and_grey_above_the_cut():
    run = make_run()
    figure = plots.plot_dendrogram(run.segments)
    drawn = {
        to_hex(c).upper()
        for lines in figure.findobj(LineCollection)
        for c in lines.get_edgecolors()
    }
    assert drawn == {*plots.SEGMENT_COLOURS[:4], plots.segment_colour(0)}


def test_the_cut_lies_between_the_merges_it_separates():
    run = make_run()
    axes = plots.plot_dendrogram(run.segments).axes[0]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    at = dashed[0].get_xdata()[0]
    heights = run.segments.tree[:, 2]
    assert heights[-4] < at < heights[-3]


def test_those_who_fit_none_are_not_counted_as_a_segment_at_the_cut():
    for unassigned, cut in ((True, "cut: 3 segments"), (False, "cut: 4 segments")):
        figure = plots.plot_dendrogram(make_run(200, unassigned=unassigned).segments)
        assert cut in [t.get_text() for t, _ in texts(figure)]


def test_the_map_shows_each_point_once_where_it_is():
    run = make_run(weighted=True)
    axes = plots.plot_map(run.segments).axes[0]
    dots = [line for line in axes.lines if line.get_alpha() is not None]
    drawn = np.concatenate([line.get_xydata() for line in dots])
    expected = run.segments.points[["map_1", "map_2"]].to_numpy()
    np.testing.assert_array_equal(drawn[np.lexsort(drawn.T)], expected[np.lexsort(expected.T)])


def test_heavier_points_have_larger_markers():
    run = make_run(weighted=True)
    axes = plots.plot_map(run.segments).axes[0]
    sizes = {line.get_markersize() for line in axes.lines if line.get_alpha() is not None}
    assert len(sizes) == run.segments.points["weight"].nunique() == 3


def test_map_axes_name_the_share_of_variance():
    run = make_run()
    axes = plots.plot_map(run.segments).axes[0]
    first, second = run.segments.eigenvalues["share"][:2]
    assert f"{100 * first:.0f}%" in axes.get_xlabel()
    assert f"{100 * second:.0f}%" in axes.get_ylabel()


def test_heat_map_prints_every_mean_to_two_decimals():
    run = make_run()
    shown = [t.get_text() for t, _ in texts(plots.plot_heatmap(run.profiles))]
    means = run.profiles.means
    for mean in means.loc[means["kind"] == "scale", "mean"]:
        assert f"{mean:.2f}" in shown


def panel_of(figure: Figure, title: str):
    return next(a for a in figure.axes if any(t.get_text() == title for t in a.texts))


def test_choice_draws_every_number_of_segments_and_shades_the_chosen_one():
    run = make_run()
    axes = panel_of(plots.plot_choice(run.segments), "Silhouette")
    drawn = axes.lines[-2]
    np.testing.assert_array_equal(drawn.get_xdata(), np.arange(1, 16))
    np.testing.assert_array_equal(drawn.get_ydata(), run.segments.choice["silhouette"])
    assert [round(p.get_x() + p.get_width() / 2, 9) for p in axes.patches] == [4]


def test_choice_rings_what_each_index_says_itself():
    run = make_run()
    figure = plots.plot_choice(run.segments)
    found = {
        title: [
            list(line.get_xdata())
            for line in panel_of(figure, title).lines
            if line.get_marker() == "D"
        ]
        for title in ("Dunn", "Gap", "Within sum of squares", "Silhouette", "Smallest segment")
    }
    assert found == {
        "Dunn": [[2]], "Gap": [[1]], "Within sum of squares": [[5]], "Silhouette": [[4]],
        "Smallest segment": [],
    }  # fmt: skip


def test_choice_draws_the_thresholds_of_stability_and_of_prediction_strength():
    figure = plots.plot_choice(make_run().segments, min_jaccard=0.5)
    levels = {
        title: [
            line.get_ydata()[0]
            for line in panel_of(figure, title).lines
            if line.get_linestyle() == "--" and line.get_ydata()[0] == line.get_ydata()[1]
        ]
        for title in ("Stability (Jaccard)", "Prediction strength")
    }
    assert levels == {"Stability (Jaccard)": [0.5, 0.75, 0.85], "Prediction strength": [0.8]}


def test_an_index_that_is_nowhere_defined_is_said_to_be_missing():
    figure = plots.plot_choice(make_run(bare=True).segments)
    missing = [a.texts[0].get_text() for a in figure.axes
               if "not available" in [t.get_text() for t in a.texts]]  # fmt: skip
    assert missing == ["Gap", "Prediction strength", "Stability (Jaccard)", "Link to profile"]


def test_stability_boxes_hold_the_middle_half_of_the_resamples():
    segments = make_run().segments
    axes = plots.plot_stability(segments).axes[0]
    boxes = [p for p in axes.patches if type(p).__name__ == "PathPatch"]
    assert len(boxes) == 4
    for s, box in enumerate(boxes, start=1):
        values = segments.slsw.loc[segments.slsw["segment"] == s, "value"]
        ends = box.get_path().vertices[:, 0]
        np.testing.assert_allclose((ends.min(), ends.max()), np.quantile(values, [0.25, 0.75]))
    diamonds = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "D"]
    np.testing.assert_array_equal(diamonds, segments.table["jaccard"])


def test_certainty_counts_every_respondent_once():
    run = make_run()
    axes = plots.plot_certainty(run.segments).axes[0]
    assert sum(p.get_height() for p in axes.patches) == run.survey.n


def test_the_flow_ends_two_numbers_beyond_the_chosen_one():
    axes = plots.plot_flow(make_run().segments).axes[0]
    shown = [t.get_text() for t in axes.texts if t.get_fontsize() >= 8.5]
    assert shown == ["2", "3", "4", "5", "6"]


def test_no_two_bands_of_the_flow_of_a_tree_cross():
    segments = make_run(weighted=True).segments
    axes = plots.plot_flow(segments).axes[0]
    bands = [p.get_path().vertices for p in axes.patches if type(p).__name__ == "PathPatch"]
    shown = segments.flow[segments.flow["k"].between(2, 5)]
    assert len(bands) == len(shown)
    ends = {}
    for v in bands:
        ends.setdefault(round(v[0, 0]), []).append((v[0, 1], v[3, 1]))
    assert len(ends) == 4
    for pairs in ends.values():
        right = [b for _, b in sorted(pairs)]
        assert right == sorted(right)


def test_the_bands_of_the_flow_are_as_tall_as_their_weights():
    segments = make_run(weighted=True).segments
    axes = plots.plot_flow(segments).axes[0]
    bands = [p.get_path().vertices for p in axes.patches if type(p).__name__ == "PathPatch"]
    first = sorted(v[4, 1] - v[3, 1] for v in bands if round(v[0, 0]) == 14)
    weights = np.sort(segments.flow.loc[segments.flow["k"] == 2, "weight"])
    np.testing.assert_allclose(first, 200 * weights / weights.sum())


def test_the_map_follows_its_own_places_and_says_what_it_shows():
    segments = make_run().segments
    points = segments.points.assign(map_1=np.arange(600.0), map_2=np.arange(600.0) % 7)
    changed = dataclasses.replace(segments, points=points, map_note="t-SNE, for looking only")
    figure = plots.plot_map(changed)
    axes = figure.axes[0]
    dots = [line for line in axes.lines if line.get_alpha() is not None]
    assert max(line.get_xdata().max() for line in dots) == 599
    found = [t.get_text() for t, _ in texts(figure)]
    assert "Shown: t-SNE, for looking only." in found
    assert not any("Component" in t for t in found)
    assert not axes.get_xticks().size


def test_the_tree_may_have_fewer_leaves_than_points():
    segments = make_run(weighted=True).segments
    # Three points of a segment to a leaf, as micro-clusters are; segments far apart.
    threes = segments.points.groupby("segment").cumcount() // 3
    keys = list(zip(segments.points["segment"], threes, strict=True))
    names = sorted(set(keys))
    leaf_of = np.array([names.index(key) for key in keys])
    centres = segments.points.groupby(leaf_of)[["comp_1", "comp_2"]].mean().to_numpy()
    far = np.array([100.0 * segment for segment, _ in names])[:, None]
    tree = linkage(np.hstack([centres, far]), "ward")
    nodes = _Nodes(dataclasses.replace(segments, tree=tree, leaf_of=leaf_of), 40)
    assert nodes.count[nodes.leaves].sum() == 600
    for s, weight in zip(segments.table["segment"], segments.table["weighted"], strict=True):
        leaves = [leaf for leaf in nodes.leaves if nodes.segment[leaf] == s]
        assert nodes.weight[leaves].sum() == pytest.approx(weight)


def test_a_division_without_a_tree_has_no_dendrogram():
    segments = dataclasses.replace(make_run().segments, tree=np.empty((0, 4)))
    with pytest.raises(ValueError, match="no tree"):
        plots.plot_dendrogram(segments)


def test_scree_fills_the_eigenvalues_in_use_of_components_and_of_factors():
    run = make_run()
    axes = plots.plot_scree(run.scales).axes[0]
    filled = [
        line
        for line in axes.lines
        if line.get_marker() == "o" and line.get_markerfacecolor() != "white"
    ]
    assert [len(line.get_xdata()) for line in filled] == [6, 6]


def test_scree_draws_both_observed_lines_whole_and_both_chance_lines_dashed():
    table = make_run().scales.eigenvalues
    axes = plots.plot_scree(make_run().scales).axes[0]
    lines = {
        style: [
            line.get_ydata()
            for line in axes.lines
            if line.get_linestyle() == style
            and line.get_marker() == "None"
            and len(line.get_ydata()) == len(table)
        ]
        for style in ("-", "--")
    }
    for style, columns in (
        ("-", ["observed", "factor"]),
        ("--", ["threshold", "factor_threshold"]),
    ):
        for drawn, column in zip(lines[style], columns, strict=True):
            np.testing.assert_array_equal(drawn, table[column])


@pytest.mark.parametrize("width", [plots.WIDE, plots.NARROW])
def test_the_key_of_the_scree_lies_outside_its_axes(width):
    figure = plots.plot_scree(make_run().scales, width=width)
    axes = figure.axes[0]
    named = {"components; filled: used", "factors; filled: used"}
    named |= {"components by chance", "factors by chance"}
    key = [box for text, box in texts(figure) if text.get_text() in named]
    assert len(key) == 4
    assert all(box.y0 > axes.get_window_extent().y1 for box in key)


def test_scree_of_many_items_draws_the_first_and_says_so():
    scales = make_run().scales
    many = scales.eigenvalues.loc[scales.eigenvalues.index.repeat(5)]
    scales.eigenvalues = many.assign(component=np.arange(1, 121), retained=np.arange(120) < 6)
    axes = plots.plot_scree(scales).axes[0]
    assert max(line.get_xdata()[-1] for line in axes.lines if len(line.get_xdata()) > 2) == 40
    assert axes.get_xlabel().endswith("(first 40 of 120)")


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_leaves_the_settings_of_matplotlib_alone(name):
    # Asking for the backend chooses one, so it is not asked for.
    keys = [k for k in matplotlib.rcParams if k != "backend"]
    before = {k: matplotlib.rcParams[k] for k in keys}
    draw(make_run(), name, plots.WIDE)
    assert {k: matplotlib.rcParams[k] for k in keys} == before


@pytest.mark.parametrize("name", FIGURES)
def test_somebody_elses_settings_do_not_change_a_figure(name):
    run = make_run()
    plain = svg(draw(run, name, plots.WIDE))
    with matplotlib.rc_context({"font.size": 20, "text.usetex": True, "axes.facecolor": "red"}):
        assert svg(draw(run, name, plots.WIDE)) == plain


def svg(figure: Figure) -> str:
    out = io.StringIO()
    with plots.figure_style():
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def test_labels_are_never_read_as_mathtext():
    name = r"$\frac{1}{0}$ a_b"
    found = [t for t, _ in texts(plots.plot_map(make_run().segments, [name] * 4))]
    assert [t.get_text() for t in found].count(name) == 4
    assert not any(t.get_parse_math() for t in found)


def test_control_characters_and_line_breaks_in_a_name_become_spaces():
    names = ["one\ntwo\x00three"] * 4
    found = [t.get_text() for t, _ in texts(plots.plot_map(make_run().segments, names))]
    assert found.count("one two three") == 4


def test_a_name_too_long_for_its_place_ends_in_an_ellipsis():
    names = ["endless " * 50] * 4
    found = [t.get_text() for t, _ in texts(plots.plot_dendrogram(make_run().segments, names))]
    assert sum(t.endswith("…") for t in found) == 4


def test_pyplot_is_not_needed(root):
    code = (
        "import sys; from tests.made_run import make_run; from psychoseg import plots; "
        "plots.plot_map(make_run().segments); print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "False"


def test_no_colour_stands_for_two_segments():
    assert len(set(plots.SEGMENT_COLOURS)) == 15


@pytest.mark.parametrize("colour", plots.SEGMENT_COLOURS)
def test_numbers_on_segment_colours_have_the_contrast_of_large_text(colour):
    def luminance(c: str) -> float:
        v = np.array(to_rgba(c)[:3])
        v = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
        return float(v @ [0.2126, 0.7152, 0.0722])

    a, b = sorted((luminance(colour), luminance(plots.ink_on(colour))))
    # WCAG 2.1, success criterion 1.4.3: 3:1 for large text.
    assert (b + 0.05) / (a + 0.05) >= 3
