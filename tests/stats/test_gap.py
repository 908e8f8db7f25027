"""Gap statistic and prediction strength against R (cluster 2.1.4, fpc 2.2-10)."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from psychoseg.stats.arrays import collapse
from psychoseg.stats.gap import gap_statistic, log_within, prediction_strength
from psychoseg.stats.indices import nested_cuts
from psychoseg.stats.null_cloud import ward_of_people as grow
from tests.stats.conftest import reference
from tests.stats.test_indices import made_points, points_of
from tests.stats.test_null_cloud import in_another_process


@pytest.mark.parametrize("name", ["USArrests", "iris"])
def test_gap_lies_within_one_standard_error_of_clusgap(name):
    points = points_of(name)
    ours = gap_statistic(
        points.x,
        points.weights,
        points.counts.astype(float),
        rng=np.random.default_rng(1),
        k_max=8,
        replicates=400,
    )
    theirs = reference("indices_gap.csv").query("set == @name")
    # The limit asked for is one of clusGap's standard errors (those of one reference set); with
    # 400 and 500 sets the two means differ by a tenth of that, three times over at the most.
    assert (np.abs(ours.gap - theirs["gap"].to_numpy()) < 0.3 * theirs["se"]).all()
    np.testing.assert_allclose(ours.se, theirs["se"], rtol=0.2)
    assert ours.k == theirs["suggested"].iloc[0]


@pytest.mark.parametrize("name", ["USArrests", "iris"])
def test_prediction_strength_equals_that_of_fpc(name):
    points = points_of(name)
    ours = prediction_strength(
        points.x,
        points.weights,
        points.counts.astype(float),
        rng=np.random.default_rng(1),
        k_max=6,
        replicates=200,
    )
    theirs = reference("indices_prediction.csv").query("set == @name")
    assert ours[0] == 1
    # Both are means over 200 halvings: four standard errors of their difference.
    assert (np.abs(ours[1:] - theirs["strength"]) < 4 * np.sqrt(2) * theirs["se"]).all()


@pytest.mark.parametrize("what", ["gap", "strength"])
def test_integer_weights_equal_repeated_rows_and_scale_does_not_matter(what):
    weights = np.random.default_rng(3).integers(1, 4, 90).astype(float)
    points = collapse(made_points(90), weights)
    rows = np.repeat(points.x, points.weights.astype(int), axis=0)

    def run(x, w, counts):
        rng = np.random.default_rng(7)
        if what == "gap":
            return gap_statistic(x, w, counts, rng=rng, replicates=10, k_max=6).gap
        return prediction_strength(x, w, counts, rng=rng, replicates=5, k_max=6)

    a = run(points.x, points.weights, points.weights)
    b = run(rows, np.ones(len(rows)), np.ones(len(rows)))
    c = run(points.x, 3 * points.weights, points.weights)
    np.testing.assert_allclose(a, b, rtol=1e-10)
    np.testing.assert_allclose(a, c, rtol=1e-9, atol=1e-12)


def test_who_runs_the_replicates_changes_nothing():
    x = collapse(made_points(80), np.ones(80)).x

    def both(**options):
        rng = np.random.default_rng(7)
        ones = np.ones(80)
        return (
            gap_statistic(x, ones, ones, rng=rng, replicates=4, k_max=6, **options).gap,
            prediction_strength(x, ones, ones, rng=rng, replicates=3, k_max=6, **options),
        )

    for here, there in zip(both(), both(mapper=in_another_process), strict=True):
        np.testing.assert_array_equal(here, there)


def test_gap_finds_planted_clusters_and_one_in_a_box():
    rng = np.random.default_rng(2)
    three = collapse(rng.standard_normal((300, 2)) + 9 * rng.integers(0, 3, (300, 1)), np.ones(300))
    box = collapse(rng.uniform(size=(300, 2)), np.ones(300))
    found = [
        gap_statistic(p.x, p.weights, p.weights, rng=np.random.default_rng(1), k_max=8).k
        for p in (three, box)
    ]
    assert found == [3, 1]


def test_a_sample_is_said_to_be_one():
    points = collapse(made_points(500), np.ones(500))
    found = gap_statistic(
        points.x,
        points.weights,
        points.weights,
        rng=np.random.default_rng(1),
        replicates=3,
        max_people=200,
    )
    assert found.sampled
    assert found.n_people == 200


def test_three_people_are_enough():
    x = np.array([[0.0, 1], [1, 0], [4, 4]])
    gap = gap_statistic(x, np.ones(3), np.ones(3), rng=np.random.default_rng(1), replicates=5)
    assert len(gap.gap) == 3
    assert np.isfinite(gap.gap).all()
    strength = prediction_strength(x, np.ones(3), np.ones(3), rng=np.random.default_rng(1))
    np.testing.assert_array_equal(strength, [1.0])


def test_log_within_is_that_of_the_tree_and_stops_where_nothing_is_left():
    x = np.random.default_rng(1).standard_normal((50, 2))
    ours = log_within(x, np.ones(50), 5, grow)
    labels = nested_cuts(linkage(x, "ward"), 5)
    total = ((x - x.mean(axis=0)) ** 2).sum()
    for k in range(2, 6):
        c = labels[:, k - 1]
        w = sum(((x[c == g] - x[c == g].mean(axis=0)) ** 2).sum() for g in range(k))
        assert ours[k - 2] == pytest.approx(np.log(w / total), abs=1e-10)
    three = log_within(np.array([[0.0], [1], [5]]), np.ones(3), 6, grow)
    assert three.shape == (5,)
    assert np.isfinite(three).all()
    np.testing.assert_array_equal(log_within(np.zeros((4, 2)), np.ones(4), 3, grow), [0, 0])
