import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from psychoseg.stats.arrays import canonical_order, collapse
from psychoseg.stats.linkage import count_tied_merges, cut_tree, leaf_order, ward_linkage
from psychoseg.stats.reduction import principal_components, weighted_mean_sd
from psychoseg.stats.stability import bootstrap
from psychoseg.stats.validity import adjusted_rand, nested_silhouettes, silhouette


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 2), (50, 3), (700, 5)])
def test_ward_equals_scipy_on_untied_points(n, d):
    x = np.random.default_rng(n).standard_normal((n, d))
    # scipy 1.17.1; both are exact, so only rounding may differ.
    np.testing.assert_allclose(ward_linkage(x, np.ones(n)), linkage(x, "ward"), atol=1e-12)


def test_integer_weights_equal_repeated_rows():
    rng = np.random.default_rng(2)
    x, weights = rng.standard_normal((200, 3)), rng.integers(1, 5, 200)
    repeated = linkage(np.repeat(x, weights, axis=0), "ward")
    ours = ward_linkage(x, weights.astype(float))
    # The first merges of the repeated rows join copies at height 0; the rest must be ours.
    np.testing.assert_allclose(ours[:, 2], repeated[-199:, 2], atol=1e-12)
    copies = fcluster(repeated, 6, "maxclust")
    assert adjusted_rand_score(copies, np.repeat(cut_tree(ours, 6), weights)) == 1


def test_rescaled_weights_change_only_the_heights():
    rng = np.random.default_rng(3)
    x, weights = rng.standard_normal((150, 2)), rng.uniform(0.3, 3, 150)
    a, b = ward_linkage(x, weights), ward_linkage(x, 4 * weights)
    np.testing.assert_array_equal(a[:, [0, 1, 3]], b[:, [0, 1, 3]])
    np.testing.assert_allclose(2 * a[:, 2], b[:, 2], rtol=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=12, max_size=60),
    st.randoms(use_true_random=False),
)
def test_shuffled_rows_give_the_same_tree_however_many_ties(rows, random):
    x = np.array(rows, dtype=float)
    weights = np.ones(len(x))
    shuffle = np.array(random.sample(range(len(x)), len(x)))
    a, b = collapse(x, weights), collapse(x[shuffle], weights)
    np.testing.assert_array_equal(a.x, b.x)
    np.testing.assert_array_equal(a.weights, b.weights)
    if len(a.x) > 2:
        labels = cut_tree(ward_linkage(a.x, a.weights), 3)
        again = cut_tree(ward_linkage(b.x, b.weights), 3)
        np.testing.assert_array_equal(labels[a.point_of][shuffle], again[b.point_of])


def test_textbook_ward_moves_when_tied_rows_are_shuffled():
    # The reason for the canonical order: without it the answer depends on how the file was sorted.
    rng = np.random.default_rng(4)
    x = rng.integers(1, 4, (300, 4)).astype(float)
    shuffle = rng.permutation(300)
    a, b = (fcluster(linkage(rows, "ward"), 5, "maxclust") for rows in (x, x[shuffle]))
    assert adjusted_rand_score(a[shuffle], b) < 0.95


def test_canonical_order_puts_missing_last_and_breaks_ties_by_weight():
    x = np.array([[2.0, np.nan], [1.0, 3.0], [2.0, 1.0], [1.0, 3.0]])
    assert list(canonical_order(x, np.array([1, 5, 1, 2.0]))) == [3, 1, 2, 0]
    assert (collapse(np.array([[0.0], [-0.0]]), np.ones(2)).counts == 2).all()


def test_a_cut_is_scipys_and_every_k_is_reached():
    x = np.random.default_rng(5).standard_normal((60, 2))
    tree = ward_linkage(x, np.ones(60))
    for k in (1, 2, 7, 59, 60):
        labels = cut_tree(tree, k)
        assert len(set(labels)) == k
        assert adjusted_rand_score(labels, fcluster(tree, k, "maxclust")) == 1
        firsts = [np.flatnonzero(labels == c)[0] for c in range(k)]
        assert firsts == sorted(firsts)
    with pytest.raises(ValueError, match="k = 61"):
        cut_tree(tree, 61)


def test_leaf_order_keeps_every_cut_together():
    x = np.random.default_rng(6).standard_normal((80, 3))
    tree = ward_linkage(x, np.ones(80))
    order = leaf_order(tree)
    assert sorted(order) == list(range(80))
    for k in (2, 5, 11):
        along = cut_tree(tree, k)[order]
        assert (np.diff(along) != 0).sum() == k - 1


def test_tied_merges_are_counted():
    square = np.array([[0, 0], [0, 1], [5, 0], [5, 1.0]])
    assert count_tied_merges(ward_linkage(square, np.ones(4))) == 2
    loose = np.array([[0.0], [1.0], [10.0], [12.0]])
    assert count_tied_merges(ward_linkage(loose, np.ones(4))) == 0


@pytest.mark.parametrize(
    ("x", "weights", "message"),
    [
        (np.array([[1.0]]), np.ones(1), "at least 2"),
        (np.array([[1.0], [np.inf]]), np.ones(2), "finite"),
        (np.array([[1.0], [2.0]]), np.array([1.0, 0.0]), "positive"),
    ],
)
def test_points_that_make_no_tree_are_refused(x, weights, message):
    with pytest.raises(ValueError, match=message):
        ward_linkage(x, weights)


def test_silhouettes_equal_scikit_learn_and_count_weights_as_rows():
    rng = np.random.default_rng(7)
    x, weights = rng.standard_normal((300, 3)), rng.integers(1, 4, 300)
    tree = ward_linkage(x, weights.astype(float))
    labels = np.column_stack([cut_tree(tree, k) for k in (2, 5, 9)])
    ours = nested_silhouettes(x, labels, weights.astype(float))
    rows = np.repeat(x, weights, axis=0)
    for j in range(3):
        theirs = silhouette_samples(rows, np.repeat(labels[:, j], weights))
        # scikit-learn 1.9.1 takes distances from squared norms, good to about 1e-8.
        np.testing.assert_allclose(np.repeat(ours[:, j], weights), theirs, atol=1e-7)


def test_silhouette_of_one_cluster_or_a_lone_point_is_zero():
    x = np.array([[0.0], [1.0], [9.0]])
    assert (silhouette(x, np.zeros(3, dtype=int), np.ones(3)) == 0).all()
    assert silhouette(x, np.array([0, 0, 1]), np.ones(3))[2] == 0


def test_adjusted_rand_equals_scikit_learn_and_counts_weights_as_rows():
    rng = np.random.default_rng(8)
    a, b, weights = rng.integers(0, 4, 200), rng.integers(0, 3, 200), rng.integers(1, 4, 200)
    rows = adjusted_rand_score(np.repeat(a, weights), np.repeat(b, weights))
    assert adjusted_rand(a, b, weights.astype(float)) == pytest.approx(rows, abs=1e-12)
    assert adjusted_rand(a, a + 5) == 1


def test_components_have_the_eigenvalues_as_weighted_variances():
    rng = np.random.default_rng(9)
    x, weights = rng.standard_normal((500, 4)) @ rng.standard_normal((4, 4)), rng.uniform(1, 3, 500)
    mean, sd = weighted_mean_sd(x, weights)
    z = (x - mean) / sd
    found = principal_components(z, weights)
    assert found.eigenvalues.sum() == pytest.approx(4)
    variances = weighted_mean_sd(found.scores, weights)[1] ** 2
    np.testing.assert_allclose(variances, found.eigenvalues, atol=1e-12)
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(4), atol=1e-12)
    assert (found.vectors.sum(axis=0) >= 0).all()


def test_clear_clusters_come_back_and_a_single_cloud_does_not():
    rng = np.random.default_rng(10)
    centres = np.array([[0, 0], [8, 0], [0, 8.0]])
    planted = np.repeat(np.arange(3), 100)
    clear = centres[planted] + rng.standard_normal((300, 2))
    cloud = rng.standard_normal((300, 4))
    ones = np.ones(300)
    for x, k, check in ((clear, 3, lambda j: j.min() > 0.95), (cloud, 4, lambda j: j.mean() < 0.6)):
        labels = cut_tree(ward_linkage(x, ones), k)
        again = bootstrap(x, ones, ones, labels[:, None], rng=np.random.default_rng(1))
        jaccard = again.jaccard[0]
        assert check(jaccard)


def test_bootstrap_counts_people_at_a_point_not_points():
    # Two heaps of 100 identical people and 20 loose ones: the heaps are drawn in every resample.
    rng = np.random.default_rng(11)
    x = np.vstack([[[0.0, 0.0]], [[20.0, 0.0]], rng.normal([10, 15], 0.5, (20, 2))])
    counts = np.array([100, 100, *[1] * 20], dtype=float)
    labels = np.array([0, 1, *[2] * 20])
    again = bootstrap(x, counts, counts, labels[:, None], rng=rng, replicates=20)
    np.testing.assert_allclose(again.jaccard[0], 1)
