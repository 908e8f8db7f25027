"""The figures of profiles: what their lines, bars and colours stand for."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import PathPatch, Rectangle

from psychoseg import plots
from psychoseg.plots.profile_bars import MARKER, MAX_IMPORTANCE, MAX_ROWS
from psychoseg.plots.profile_lines import MAX_SPOKES
from tests.made_run import make_run


@pytest.fixture(scope="module")
def profiles():
    return make_run().profiles


def z_of(profiles):
    scales = profiles.means[profiles.means["kind"] == "scale"]
    return scales.pivot(index="variable", columns="segment", values="z")


def with_hidden(profiles, variable, segment):
    means = profiles.means.copy()
    rows = (means["variable"] == variable) & (means["segment"] == segment)
    assert rows.sum() == 1
    means.loc[rows, ["mean", "z"]] = np.nan
    return dataclasses.replace(profiles, means=means)


def with_scales(profiles, n):
    """Return profiles of n scales, the first ones repeated, each a little farther apart."""
    scales = profiles.means[profiles.means["kind"] == "scale"]
    names = list(dict.fromkeys(scales["variable"]))
    parts = [
        scales[scales["variable"] == names[i % len(names)]].assign(
            variable=f"s{i}", label=f"Scale {i}", z=lambda t, i=i: t["z"] * (1 + i / 100)
        )
        for i in range(n)
    ]
    return dataclasses.replace(profiles, means=pd.concat(parts, ignore_index=True))


def lines_of(axes, segment):
    colour = plots.segment_colour(segment)
    return [line for line in axes.lines if to_hex(line.get_color()).upper() == colour.upper()]


def test_each_snake_runs_through_its_segments_means(profiles):
    axes = plots.plot_snake(profiles).axes[0]
    for segment, z in z_of(profiles).items():
        snake = lines_of(axes, segment)[0]
        np.testing.assert_allclose(snake.get_xdata(), z)
        assert list(snake.get_ydata()) == sorted(snake.get_ydata())


def test_a_hidden_mean_breaks_the_snake_and_is_no_zero(profiles):
    hidden = with_hidden(profiles, "scale_3", 2)
    snake = lines_of(plots.plot_snake(hidden).axes[0], 2)[0]
    assert list(np.isnan(snake.get_xdata())) == [False, False, True, False, False, False]


def test_a_radar_has_a_spoke_a_scale_and_its_ring_is_everybody(profiles):
    axes = plots.plot_radar(profiles).axes[0]
    z = z_of(profiles)
    top = max(1.0, z.abs().to_numpy().max())
    rings = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert len(rings) == 4
    for ring, (segment, own) in zip(rings, z.items(), strict=True):
        x, y = ring.get_xdata()[:-1], ring.get_ydata()[:-1]
        centre = np.array([x.mean(), y.mean()])
        half = np.hypot(x[0] - centre[0], y[0] - centre[1])
        drawn = next(line for line in lines_of(axes, segment) if len(line.get_xdata()) == 7)
        away = np.hypot(drawn.get_xdata()[:-1] - centre[0], drawn.get_ydata()[:-1] - centre[1])
        np.testing.assert_allclose(away, half * (1 + own / top), atol=1e-9)


def test_a_radar_of_few_scales_says_so_and_one_of_many_keeps_those_that_differ_most(profiles):
    few = plots.plot_radar(with_scales(profiles, 2)).axes[0]
    assert [t.get_text() for t in few.texts] == ["A radar needs three scales or more."]
    many = plots.plot_radar(with_scales(profiles, 40)).axes[0]
    keys = [t.get_text() for t in many.texts if "Scale " in t.get_text()]
    assert len(keys) == MAX_SPOKES
    apart = z_of(with_scales(profiles, 40))
    spread = (apart.max(axis=1) - apart.min(axis=1)).sort_values(ascending=False)
    assert {k.split()[-1] for k in keys} == {v[1:] for v in spread.index[:MAX_SPOKES]}


def test_a_hidden_mean_leaves_the_radar_open_and_unfilled(profiles):
    full = plots.plot_radar(profiles).axes[0]
    hidden = plots.plot_radar(with_hidden(profiles, "scale_3", 2)).axes[0]
    assert len(full.patches) == 4
    assert len(hidden.patches) == 3


def bars_of(axes):
    bars = [p for p in axes.patches if isinstance(p, Rectangle)]
    bands = [b for b in bars if to_hex(b.get_facecolor()) == "#f1f3f6"]
    return bands, [b for b in bars if b not in bands]


def test_bars_of_the_profile_plot_are_as_long_as_the_distance_and_coloured_beyond_the_band(
    profiles,
):
    axes = plots.plot_profile(profiles).axes[0]
    bands, bars = bars_of(axes)
    z = z_of(profiles)
    assert len(bands) == 4
    scale = bands[0].get_width() / (2 * MARKER)
    np.testing.assert_allclose(
        [b.get_width() / scale for b in bars], z.to_numpy().T.ravel(), atol=1e-12
    )
    for bar, (segment, value) in zip(bars, [(s, v) for s in z for v in z[s]], strict=True):
        marked = to_hex(bar.get_facecolor()).upper() == plots.segment_colour(segment).upper()
        assert marked == (abs(value) > MARKER)


def test_a_hidden_mean_has_no_bar_and_is_called_so(profiles):
    axes = plots.plot_profile(with_hidden(profiles, "scale_3", 2)).axes[0]
    assert len(bars_of(axes)[1]) == 6 * 4 - 1
    assert [t.get_text() for t in axes.texts].count("hidden") == 1


def test_the_profile_plot_of_forty_scales_keeps_those_that_differ_most_in_their_order(profiles):
    axes = plots.plot_profile(with_scales(profiles, 40)).axes[0]
    shown = [t.get_text() for t in axes.texts if t.get_text().startswith("Scale ")]
    first = shown[:MAX_ROWS]
    assert len(shown) == 2 * MAX_ROWS  # four panels stand in two rows
    assert first == sorted(first, key=lambda t: int(t.split()[1]))


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize("name", ["plot_snake", "plot_radar", "plot_profile", "plot_heatmap"])
def test_one_scale_and_forty_can_be_drawn(profiles, n, name):
    figure = getattr(plots, name)(with_scales(profiles, n), width=plots.NARROW)
    assert figure.axes


def test_importance_bars_are_in_points_with_their_interval(profiles):
    axes = plots.plot_importance(profiles).axes[0]
    table = profiles.importance
    np.testing.assert_allclose([p.get_width() for p in axes.patches], 100 * table["importance"])
    ends = [line.get_xdata() for line in axes.lines if len(set(line.get_ydata())) == 1]
    np.testing.assert_allclose(ends, 100 * table[["low", "high"]])


def test_importance_tells_apart_what_made_the_segments_by_colour_and_word(profiles):
    axes = plots.plot_importance(profiles).axes[0]
    made = profiles.importance["role"].isin(["scale", "active"])
    colours = [to_hex(p.get_facecolor()) for p in axes.patches]
    assert len({c for c, m in zip(colours, made, strict=True) if m}) == 1
    assert set(colours[:7]).isdisjoint(colours[7:])
    assert {"made the segments", "describes them"} <= {t.get_text() for t in axes.texts}


def test_of_many_variables_the_most_important_are_drawn(profiles):
    one = profiles.importance
    many = pd.concat([one.assign(rank=one["rank"] + 13 * i) for i in range(3)])
    axes = plots.plot_importance(dataclasses.replace(profiles, importance=many)).axes[0]
    assert len(axes.patches) == MAX_IMPORTANCE


def test_bands_of_the_flow_have_the_colour_of_the_chosen_segment_they_belong_to():
    segments = make_run().segments
    axes = plots.plot_flow(segments).axes[0]
    bands = [p for p in axes.patches if isinstance(p, PathPatch)]
    four = [plots.segment_colour(s).upper() for s in range(1, 5)]
    seen = {to_hex(b.get_facecolor()).upper() for b in bands}
    assert seen == set(four)
    # The bands that leave the chosen number, of five there: one colour divides.
    x = sorted({round(b.get_path().vertices[0, 0]) for b in bands})
    here = [b for b in bands if round(b.get_path().vertices[0, 0]) == x[2]]
    flow = segments.flow[segments.flow["k"] == 4]
    counts = {c: [to_hex(b.get_facecolor()).upper() for b in here].count(c) for c in four}
    assert counts == {c: int((flow["segment"] == s).sum()) for s, c in enumerate(four, start=1)}
