import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from psychoseg.stats import linkages
from psychoseg.stats.arrays import collapse
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.linkages import MOST_POINTS, count_inversions, linkage_of
from psychoseg.stats.validity import adjusted_rand

SCIPY = {
    "average": "average",
    "complete": "complete",
    "single": "single",
    "centroid": "centroid",
    "mcquitty": "weighted",
}
#: Sums of the same doubles in another order.
ROUNDING = 1e-12


@pytest.mark.parametrize("method", SCIPY)
@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 2), (60, 1), (60, 3), (500, 5)])
def test_trees_equal_scipys_on_untied_points(method, n, d):
    x = np.random.default_rng(n + d).standard_normal((n, d))
    # scipy 1.17.1, whose centroid heights go down where ours do.
    expected = linkage(x, SCIPY[method])
    np.testing.assert_allclose(linkage_of(x, method, np.ones(n)), expected, atol=ROUNDING)


@pytest.mark.parametrize("method", SCIPY)
def test_integer_weights_equal_repeated_rows(method):
    rng = np.random.default_rng(1)
    x, weights = rng.standard_normal((150, 3)), rng.integers(1, 6, 150)
    ours = linkage_of(x, method, weights.astype(float))
    repeated = linkage(np.repeat(x, weights, axis=0), SCIPY[method])
    # The first merges of the repeated rows join copies at height 0; the rest must be ours.
    np.testing.assert_allclose(ours[:, 2], repeated[-149:, 2], atol=ROUNDING)
    for k in (2, 5, 9, 40):
        copies = cut_tree(repeated, k)
        assert adjusted_rand(copies, np.repeat(cut_tree(ours, k), weights)) == 1


@pytest.mark.parametrize(("method", "matters"), [(m, m in ("average", "centroid")) for m in SCIPY])
def test_weights_count_in_average_and_centroid_alone(method, matters):
    rng = np.random.default_rng(2)
    x, weights = rng.standard_normal((80, 2)), rng.uniform(0.2, 5, 80)
    changed = linkage_of(x, method, weights)[:, 2] != linkage_of(x, method, np.ones(80))[:, 2]
    assert changed.any() == matters


@pytest.mark.parametrize("method", SCIPY)
def test_rescaled_weights_change_nothing(method):
    rng = np.random.default_rng(3)
    x, weights = rng.standard_normal((80, 2)), rng.uniform(0.2, 5, 80)
    a, b = linkage_of(x, method, weights), linkage_of(x, method, 4 * weights)
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", [m for m in SCIPY if m != "centroid"])
def test_distances_give_the_tree_of_their_coordinates(method):
    rng = np.random.default_rng(4)
    x, weights = rng.standard_normal((90, 3)), rng.uniform(0.5, 3, 90)
    given = linkage_of(np.empty((90, 0)), method, weights, distances=squareform(pdist(x)))
    np.testing.assert_allclose(given, linkage_of(x, method, weights), atol=ROUNDING)


def test_the_weighted_chain_breaks_every_tie_as_scipy_does():
    # Where weights happen to be equal it makes no difference which of the two is asked.
    x = np.random.default_rng(5).integers(1, 4, (250, 3)).astype(float)
    pairs, heights = linkages._average_merges(pdist(x), np.ones(250))
    order = np.argsort(heights, kind="stable")
    tree = linkages.linkage_matrix(pairs[order], heights[order])
    np.testing.assert_array_equal(tree, linkage(x, "average"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(SCIPY)),
    st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=12, max_size=50),
    st.randoms(use_true_random=False),
)
def test_shuffled_rows_give_the_same_tree_however_many_ties(method, rows, random):
    x = np.array(rows, dtype=float)
    shuffle = np.array(random.sample(range(len(x)), len(x)))
    a, b = collapse(x, np.ones(len(x))), collapse(x[shuffle], np.ones(len(x)))
    if len(a.x) > 1:
        trees = [linkage_of(c.x, method, c.weights) for c in (a, b)]
        np.testing.assert_array_equal(*trees)


def test_centroid_of_a_triangle_has_the_inversion_worked_out_by_hand():
    # Sides 2, 2.06, 2.06: the base merges at 2, and its middle is 1.8 from the third corner.
    x = np.array([[0, 0], [2, 0], [1, 1.8]])
    tree = linkage_of(x, "centroid", np.ones(3))
    np.testing.assert_allclose(tree, [[0, 1, 2, 2], [2, 3, 1.8, 3]], atol=ROUNDING)
    assert count_inversions(tree) == 1
    assert list(cut_tree(tree, 2)) == [0, 0, 1]
    # Three people in the right corner: the mean is at 1.5.
    heavy = linkage_of(x, "centroid", np.array([1, 3, 1.0]))
    assert heavy[1, 2] == pytest.approx(np.hypot(0.5, 1.8), abs=ROUNDING)


def test_other_trees_have_no_inversions():
    x = np.random.default_rng(6).integers(1, 4, (200, 4)).astype(float)
    points = collapse(x, np.random.default_rng(7).uniform(0.5, 2, 200))
    for method in SCIPY:
        tree = linkage_of(points.x, method, points.weights)
        falls = (np.diff(tree[:, 2]) < 0).any()
        assert (count_inversions(tree) > 0, falls) == ((method == "centroid",) * 2)


def test_single_holds_no_matrix():
    import tracemalloc

    x = np.random.default_rng(8).standard_normal((3000, 2))
    tracemalloc.start()
    linkage_of(x, "single", np.ones(3000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A matrix of distances would take 36 MB; all vectors together are one.
    assert peak < 3e6


@pytest.mark.parametrize("method", SCIPY)
def test_points_at_one_place_merge_at_zero(method):
    tree = linkage_of(np.ones((5, 2)), method, np.array([1, 2, 1, 1, 3.0]))
    np.testing.assert_array_equal(tree[:, 2], 0)
    assert tree[-1, 3] == 5


@pytest.mark.parametrize(
    ("x", "method", "weights", "distances", "message"),
    [
        (np.ones((1, 2)), "single", np.ones(1), None, "at least 2 points, not 1"),
        (np.array([[1.0], [np.inf]]), "average", np.ones(2), None, "coordinates must be finite"),
        (np.eye(2), "complete", np.array([1.0, 0.0]), None, "weights must be positive"),
        (np.eye(2), "complete", np.ones(3), None, "one a point"),
        (np.eye(2), "median", np.ones(2), None, "not 'median'"),
        (np.eye(2), "centroid", np.ones(2), 1 - np.eye(2), "takes coordinates"),
        (np.eye(2), "single", np.ones(2), np.full((2, 2), np.nan), "finite numbers"),
        (np.eye(2), "single", np.ones(2), np.triu(np.ones((2, 2)), 1), "symmetric"),
        (np.zeros((15_001, 1)), "average", np.ones(15_001), None, "up to 15,000 points"),
    ],
)
def test_what_makes_no_tree_is_refused(x, method, weights, distances, message):
    with pytest.raises(ValueError, match=message):
        linkage_of(x, method, weights, distances=distances)


def test_single_and_centroid_go_beyond_what_a_matrix_holds():
    assert MOST_POINTS["single"] > 20_000 < MOST_POINTS["centroid"]
    x = np.arange(16_000.0)[:, None] ** 1.1
    tree = linkage_of(x, "single", np.ones(16_000))
    # On a line the gaps are the tree.
    np.testing.assert_allclose(tree[:, 2], np.sort(np.diff(x[:, 0])), rtol=1e-9)
