"""Valley depths: none in one cloud to speak of, deep between clusters, on one scale for all n."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.stats import norm

from psychoseg.stats.arrays import collapse
from psychoseg.stats.indices import nested_cuts
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.valleys import mean_depths, valley_depths


def two(n, apart, d=2, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    x[: n // 2, 0] += apart
    return collapse(x, np.ones(n)).x


def depth(x, weights=None):
    weights = np.ones(len(x)) if weights is None else weights
    return valley_depths(x, weights, ward_linkage(x, weights), 1)[0]


def test_the_valley_between_two_normal_clusters_is_that_of_their_smoothed_density():
    n, apart = 4000, 5.0
    x = two(n, apart, d=1)
    # Two halves of n / 2, each normal with the kernel's variance of a quarter added.
    spread = np.sqrt(1 + 0.25)
    at = n / 2 * np.array(
        [norm.pdf(0, scale=spread) + norm.pdf(apart, scale=spread),
         2 * norm.pdf(apart / 2, scale=spread)]
    )  # fmt: skip
    ours = valley_depths(x, np.ones(n), linkage(x, "ward"), 1)[0]
    # Roots of about 700 and 50 people have standard errors near 1/2; the standard deviation
    # within the halves is cut a little short by dividing at the middle.
    assert ours == pytest.approx(np.sqrt(at[0]) - np.sqrt(at[1]), abs=1.5)


def test_depth_grows_with_the_distance_and_with_the_root_of_the_people():
    depths = [depth(two(600, apart)) for apart in (0, 3, 4, 5, 8)]
    assert depths[0] < 0.5
    assert (np.diff(depths) > 0.5).all()
    ratio = np.mean(
        [depth(two(2000, 5.0, seed=s)) / depth(two(500, 5.0, seed=s)) for s in range(8)]
    )
    assert ratio == pytest.approx(2, abs=0.15)


def test_linear_changes_of_a_column_hardly_matter():
    x = two(600, 5.0, d=3)
    # The direction is Fisher's, so that a long axis across it does not hide the valley; the tree
    # itself does see the scale.
    stretched = x * [1, 2, 1]
    assert depth(stretched) == pytest.approx(depth(x), rel=0.1)


def test_divisions_come_in_the_order_of_the_cuts():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((300, 2)) + np.repeat([[0.0, 0], [9, 0], [30, 0]], 100, axis=0)
    x = collapse(x, np.ones(300)).x
    tree = ward_linkage(x, np.ones(300))
    depths = valley_depths(x, np.ones(300), tree, 5)
    assert depths[:2].min() > 4
    assert depths[2:].max() < 1.5
    np.testing.assert_allclose(
        mean_depths(x, np.ones(300), tree, 6), np.cumsum(depths) / np.arange(1, 6)
    )
    # Each depth is that of the cluster which the next cut divides, alone.
    cuts = nested_cuts(tree, 3)
    inside = (
        cuts[:, 1] == np.bincount(cuts[np.unique(cuts[:, 2], return_index=True)[1], 1]).argmax()
    )
    assert depths[1] == pytest.approx(depth(x[inside]), rel=1e-9)


def test_integer_weights_equal_repeated_rows_and_the_order_of_columns_does_not_matter():
    rng = np.random.default_rng(5)
    points = collapse(two(120, 4.0, d=3).round(1), rng.integers(1, 4, 120).astype(float))
    x, w = points.x, points.weights
    rows = np.repeat(x, w.astype(int), axis=0)
    ones = np.ones(len(rows))
    a = valley_depths(x, w, ward_linkage(x, w), 6)
    np.testing.assert_allclose(a, valley_depths(rows, ones, ward_linkage(rows, ones), 6), rtol=1e-9)
    turned = np.ascontiguousarray(x[:, ::-1])
    np.testing.assert_allclose(a, valley_depths(turned, w, ward_linkage(x, w), 6), rtol=1e-9)


def test_few_people_and_people_all_alike_have_no_valley():
    same = np.zeros((30, 2))
    tree = np.array(linkage(same, "ward"))
    np.testing.assert_array_equal(valley_depths(same, np.ones(30), tree, 3), [0, 0, 0])
    few = np.array([[0.0], [1], [9], [10]])
    np.testing.assert_array_equal(
        valley_depths(few, np.ones(4), linkage(few, "ward"), 8), np.zeros(8)
    )


def test_two_answers_and_nothing_between_are_as_deep_as_the_smaller_is_large():
    x, w = np.array([[0.0], [1]]), np.array([60.0, 40])
    assert depth(x, w) == pytest.approx(np.sqrt(40))
    assert depth(x, w / 20) == 0
    rows = np.repeat(x, [60, 40], axis=0)
    assert depth(rows) == pytest.approx(np.sqrt(40))
