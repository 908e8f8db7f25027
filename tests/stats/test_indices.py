"""The indices against R (fpc 2.2-10, cluster 2.1.4), scikit-learn, and what must hold."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from psychoseg.stats.arrays import collapse
from psychoseg.stats.indices import (
    Indices,
    association,
    division_indices,
    nested_cuts,
    silhouette_of_all,
    systematic_sample,
    tree_indices,
)
from psychoseg.stats.linkage import cut_tree, ward_linkage
from psychoseg.stats.partition import k_means
from psychoseg.stats.validity import nested_silhouettes, silhouette
from tests.stats.conftest import reference

PER_K = [name for name in Indices.__slots__ if name not in ("k", "exact")]


def points_of(name: str):
    frame = reference("indices_points.csv")
    x = frame.loc[frame["set"] == name, "v1":"v4"].to_numpy(np.float64)
    return collapse(x, np.ones(len(x)))


def made_points(n=240, seed=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 3)) + 3 * rng.integers(0, 3, (n, 1))


@pytest.mark.parametrize("name", ["USArrests", "iris"])
@pytest.mark.parametrize(
    "index",
    [
        "within",
        "calinski_harabasz",
        "dunn",
        "silhouette",
        "height",
        "duda_hart",
        "duda_hart_critical",
    ],
)
def test_indices_equal_those_of_r(name, index):
    points = points_of(name)
    ours = tree_indices(points.x, points.weights, ward_linkage(points.x, points.weights))
    theirs = reference("indices_internal.csv").query("set == @name")
    # Same formulas in double precision; R's values are written with 15 digits.
    np.testing.assert_allclose(getattr(ours, index)[1:10], theirs[index], rtol=1e-10)
    np.testing.assert_allclose(
        ours.smallest_share[1:10] * points.weights.sum(), theirs["smallest"], rtol=1e-12
    )


def test_usarrests_heights_and_silhouette_are_the_published_ones():
    points = points_of("USArrests")
    ours = tree_indices(points.x, points.weights, ward_linkage(points.x, points.weights))
    # R 4.2.2, hclust(dist(scale(USArrests)), "ward.D2"); printed to three and four digits.
    np.testing.assert_allclose(ours.height[1:4], [13.516, 7.188, 6.462], atol=5e-4)
    assert ours.silhouette[3] == pytest.approx(0.3370, abs=5e-5)
    np.testing.assert_allclose(ours.height_jump[1], 13.516 - 7.188, atol=1e-3)


def test_davies_bouldin_equals_scikit_learn():
    points = points_of("USArrests")
    tree = ward_linkage(points.x, points.weights)
    ours = tree_indices(points.x, points.weights, tree)
    theirs = [davies_bouldin_score(points.x, cut_tree(tree, k)) for k in range(2, 16)]
    np.testing.assert_allclose(ours.davies_bouldin[1:], theirs, rtol=1e-12)


@pytest.mark.parametrize("method", ["ward", "average", "complete"])
def test_within_sum_of_squares_holds_for_every_linkage(method):
    x = made_points()
    tree = linkage(x, method)
    ours = tree_indices(x, np.ones(len(x)), tree)
    for k in range(1, 16):
        labels = cut_tree(tree, k)
        direct = sum(((x[labels == g] - x[labels == g].mean(axis=0)) ** 2).sum() for g in range(k))
        assert ours.within[k - 1] == pytest.approx(direct, rel=1e-12)


def test_ward_heights_carry_the_sums_of_squares():
    x = made_points()
    tree = ward_linkage(x, np.ones(len(x)))
    ours = tree_indices(x, np.ones(len(x)), tree)
    np.testing.assert_allclose(-np.diff(ours.within), tree[::-1, 2][:14] ** 2 / 2, rtol=1e-9)


def test_nested_cuts_are_the_cuts_of_the_tree():
    x = made_points()
    tree = ward_linkage(x, np.ones(len(x)))
    cuts = nested_cuts(tree, 15)
    for k in range(1, 16):
        np.testing.assert_array_equal(cuts[:, k - 1], cut_tree(tree, k))


def test_integer_weights_equal_repeated_rows():
    rng = np.random.default_rng(1)
    x, weights = made_points(80), rng.integers(1, 5, 80).astype(float)
    points = collapse(x, weights)
    rows = np.repeat(points.x, points.weights.astype(int), axis=0)
    a = tree_indices(points.x, points.weights, ward_linkage(points.x, points.weights))
    b = tree_indices(rows, np.ones(len(rows)), ward_linkage(rows, np.ones(len(rows))))
    for name in PER_K:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-10, err_msg=name)


def test_rescaled_weights_move_only_what_depends_on_the_number_of_people():
    x = made_points(120)
    weights = np.random.default_rng(2).uniform(0.4, 2, 120)
    a = tree_indices(x, weights, ward_linkage(x, weights))
    b = tree_indices(x, 4 * weights, ward_linkage(x, 4 * weights))
    for name in ("davies_bouldin", "dunn", "duda_hart", "smallest_share"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-10, err_msg=name)
    np.testing.assert_allclose(4 * a.within, b.within, rtol=1e-10)
    np.testing.assert_allclose(2 * a.height, b.height, rtol=1e-10)


def test_a_sample_stands_in_for_too_many_points_and_says_so():
    x = made_points(3000)
    x = collapse(x, np.ones(3000)).x
    tree = linkage(x, "ward")
    full = tree_indices(x, np.ones(3000), tree, k_max=8)
    part = tree_indices(x, np.ones(3000), tree, k_max=8, exact_points=1500)
    assert full.exact
    assert not part.exact
    # The mean of 1,500 widths whose standard deviation is about .2 has a standard error of .005.
    np.testing.assert_allclose(part.silhouette[1:], full.silhouette[1:], atol=0.02)
    assert (part.dunn[1:] >= full.dunn[1:]).all()


def test_degenerate_points_give_nan_and_no_error():
    same = tree_indices(np.zeros((4, 2)), np.ones(4), ward_linkage(np.zeros((4, 2)), np.ones(4)))
    assert np.isnan(same.calinski_harabasz).all()
    assert np.isnan(same.dunn).all()
    three = np.array([[0.0], [1.0], [5.0]])
    few = tree_indices(three, np.ones(3), ward_linkage(three, np.ones(3)))
    np.testing.assert_array_equal(few.k, [1, 2, 3])
    assert few.within[2] == 0
    assert few.duda_hart[0] == pytest.approx(0.5 / 14)
    with pytest.raises(ValueError, match="k_max = 0"):
        nested_cuts(ward_linkage(three, np.ones(3)), 0)


OF_A_TREE = {"duda_hart", "duda_hart_critical", "height", "height_jump"}


def test_cuts_of_a_tree_have_the_same_indices_as_divisions():
    weights = np.random.default_rng(2).uniform(0.4, 2, 240)
    x = made_points()
    tree = ward_linkage(x, weights)
    a = tree_indices(x, weights, tree, k_max=9)
    b = division_indices(x, weights, list(nested_cuts(tree, 9).T))
    for name in PER_K:
        if name in OF_A_TREE:
            assert np.isnan(getattr(b, name)).all()
        elif name == "hartigan":
            # The tree knows no cut beyond the last either.
            np.testing.assert_allclose(a.hartigan, b.hartigan, rtol=1e-9)
        else:
            np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, err_msg=name)
    assert a.exact
    assert b.exact


def test_divisions_that_are_no_tree_have_the_indices_of_scikit_learn():
    x = made_points()
    ones = np.ones(len(x))
    cuts = [k_means(x, ones, k, rng=np.random.default_rng(k)).labels for k in (2, 3, 5, 8)]
    ours = division_indices(x, ones, cuts)
    for j, labels in enumerate(cuts):
        assert ours.silhouette[j] == pytest.approx(silhouette_score(x, labels), rel=1e-10)
        assert ours.calinski_harabasz[j] == pytest.approx(
            calinski_harabasz_score(x, labels), rel=1e-10
        )
        assert ours.davies_bouldin[j] == pytest.approx(davies_bouldin_score(x, labels), rel=1e-10)
        apart = np.linalg.norm(x[:, None] - x, axis=2)
        same = labels[:, None] == labels
        assert ours.dunn[j] == pytest.approx(apart[~same].min() / apart[same].max(), rel=1e-12)
    # From 2 to 3 there is one cluster more, from 3 to 5 and 5 to 8 there are several.
    assert np.isfinite(ours.hartigan[0])
    assert np.isnan(ours.hartigan[1:]).all()


def test_divisions_of_repeated_rows_have_the_indices_of_weighted_points():
    rng = np.random.default_rng(1)
    points = collapse(made_points(80), rng.integers(1, 5, 80).astype(float))
    times = points.weights.astype(int)
    cuts = [rng.integers(0, k, 80) for k in (2, 3, 4)]
    a = division_indices(points.x, points.weights, cuts)
    rows = np.repeat(points.x, times, axis=0)
    b = division_indices(rows, np.ones(len(rows)), [np.repeat(c, times) for c in cuts])
    for name in PER_K:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-10, err_msg=name)


def test_divisions_of_too_many_points_are_judged_by_a_sample():
    x = collapse(made_points(3000), np.ones(3000)).x
    cuts = list(nested_cuts(linkage(x, "ward"), 6).T)
    full = division_indices(x, np.ones(3000), cuts)
    part = division_indices(x, np.ones(3000), cuts, exact_points=1500)
    assert not part.exact
    # As for the cuts of a tree.
    np.testing.assert_allclose(part.silhouette[1:], full.silhouette[1:], atol=0.02)
    assert np.isnan(part.silhouette[0])
    with pytest.raises(ValueError, match="no division"):
        division_indices(x, np.ones(3000), [])


def test_the_silhouette_of_all_is_exact_for_few_and_close_for_many():
    x = collapse(made_points(6000), np.ones(6000)).x
    labels = cut_tree(linkage(x, "ward"), 4)
    exact = silhouette(x, labels, np.ones(6000))
    np.testing.assert_array_equal(silhouette_of_all(x, np.ones(6000), labels), exact)
    near = silhouette_of_all(x, np.ones(6000), labels, exact_points=1000)
    # Mean distances to 300 people or more of spread 1 have standard errors below .06 on 3 or more.
    assert np.abs(near - exact).max() < 0.06
    assert near.mean() == pytest.approx(exact.mean(), abs=0.005)


def test_the_silhouette_of_a_small_cluster_is_found_where_a_sample_would_miss_it():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.standard_normal((5000, 2)), rng.standard_normal((3, 2)) + 30])
    labels = np.repeat([0, 1], [5000, 3])
    near = silhouette_of_all(x, np.ones(5003), labels, exact_points=1000)
    exact = nested_silhouettes(x, labels[:, None], np.ones(5003))[:, 0]
    np.testing.assert_allclose(near[-3:], exact[-3:], atol=0.01)


def test_a_systematic_sample_takes_a_weighted_point_as_often_as_its_copies():
    weights = np.array([1.0, 3, 2, 5, 1])
    taken = systematic_sample(weights, 7)
    copies = systematic_sample(np.ones(12), 7)
    together = np.add.reduceat(copies, [0, 1, 4, 6, 11])
    np.testing.assert_array_equal(taken, together)
    np.testing.assert_array_equal(systematic_sample(weights, 12), weights)


def test_association_is_one_for_the_division_itself_and_zero_for_a_constant_one():
    labels = np.column_stack([np.zeros(30, int), np.repeat([0, 1, 2], 10)])
    columns = np.column_stack([labels[:, 1] + 5.0, labels[:, 1] * 2.0, np.ones(30)])
    found = association(labels, columns, np.array([True, False, True]), np.ones(30))
    np.testing.assert_allclose(found[1, :2], [1, 1])
    np.testing.assert_allclose(found[0, :2], [0, 0], atol=1e-12)
    assert np.isnan(found[:, 2]).all()


def test_association_is_cramers_v_and_eta():
    rng = np.random.default_rng(4)
    labels, code = rng.integers(0, 3, 300), rng.integers(0, 4, 300)
    value = labels + rng.standard_normal(300)
    value[:20] = np.nan
    found = association(
        labels[:, None], np.column_stack([code, value]), np.array([True, False]), np.ones(300)
    )[0]
    from scipy.stats import f_oneway
    from scipy.stats.contingency import association as scipy_association

    table = np.zeros((3, 4), int)
    np.add.at(table, (labels, code), 1)
    assert found[0] == pytest.approx(scipy_association(table), rel=1e-12)
    f = f_oneway(*[value[20:][labels[20:] == g] for g in range(3)]).statistic
    assert found[1] ** 2 == pytest.approx(2 * f / (2 * f + 277), rel=1e-12)
