"""What the rules say of k, and the recommendation."""

from dataclasses import replace

import numpy as np
import pytest

from psychoseg.stats.arrays import collapse
from psychoseg.stats.choice import elbow, majority, recommend, votes
from psychoseg.stats.gap import gap_statistic, prediction_strength
from psychoseg.stats.indices import nested_cuts, tree_indices
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.null_cloud import CloudTest, NodeTests, node_tests, null_test
from tests.stats.test_indices import points_of
from tests.stats.test_null_cloud import long_cloud, planted

K = 8
ANY = np.ones(K, dtype=bool)


def evidence(x, seed=1):
    points = collapse((x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x)))
    tree = ward_linkage(points.x, points.weights)
    rng = np.random.default_rng(seed)
    counts = points.counts.astype(float)
    test = null_test(points.x, points.weights, counts, rng=rng, replicates=39)
    nodes = node_tests(points.x, points.weights, counts, nested_cuts(tree, K), rng=rng)
    return tree_indices(points.x, points.weights, tree, k_max=K), test, nodes


@pytest.fixture(scope="module")
def four():
    return evidence(planted(np.random.default_rng(3), k=4, apart=6.0))


def told(excess, p_value=0.01):
    """Return made-up evidence: of all people, and of each division."""
    test = CloudTest(p_value, 5.0, 5.0, np.array([5.0]), 2, 300, False)
    excess = np.array(excess, dtype=float)
    return test, NodeTests(np.where(excess > 2, 0.02, 0.5), excess)


def test_planted_clusters_are_recommended_with_a_neighbour_as_runner_up(four):
    found = recommend(*four, eligible=ANY)
    assert found.k == 4
    assert found.runner_up in (3, 5)
    assert found.eligible
    assert "gaps between groups of people that one cloud" in found.reason
    assert "3 divisions that lead to 4 segments" in found.reason
    assert f"{found.runner_up} segments" in found.runner_up_reason


def test_one_long_cloud_is_one_and_the_runner_up_a_useful_cut():
    indices, test, nodes = evidence(long_cloud(np.random.default_rng(5)))
    found = recommend(indices, test, nodes, eligible=ANY)
    assert found.k == 1
    assert found.runner_up == int(np.nanargmax(indices.silhouette)) + 1
    assert "no gaps between groups of people" in found.reason
    assert "divide the continuum" in found.runner_up_reason
    nobody = recommend(indices, test, nodes, eligible=~ANY)
    assert (nobody.k, nobody.runner_up, nobody.runner_up_reason) == (1, None, "")


def test_one_strong_division_does_not_carry_many_weak_ones(four):
    test, nodes = told([50, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    found = recommend(four[0], test, nodes, eligible=ANY)
    # 50 counts as 2; each of the others takes half away.
    np.testing.assert_allclose(found.score, [0, 2, 1.5, 1, 0.5, 0, -0.5, -1])
    assert (found.k, found.runner_up) == (2, 3)


def test_a_cluster_that_shows_only_when_divided_further_is_found(four):
    # Dividing the second is weak in itself; the third and fourth make up for it.
    found = recommend(four[0], *told([4, 0.2, 4, 4, -1, -1, -1]), eligible=ANY)
    assert found.k == 5


def test_only_eligible_numbers_are_recommended_and_the_better_one_is_named(four):
    eligible = ANY.copy()
    eligible[4] = False
    found = recommend(four[0], *told([4, 4, 4, 4, -1, -1, -1]), eligible=eligible)
    assert (found.k, found.runner_up) == (4, 6)
    assert "5 segments would follow the gaps more closely" in found.reason
    none = recommend(four[0], *told([4, 4, 4, 4, -1, -1, -1]), eligible=~ANY)
    assert none.k == 5
    assert not none.eligible
    assert "for illustration" in none.reason


def test_the_fewest_of_equal_numbers_are_recommended(four):
    found = recommend(four[0], *told([3, 1, 1, 1, 0, 0, 0]), eligible=ANY)
    assert (found.k, found.runner_up) == (2, 3)


@pytest.mark.parametrize(
    ("excess", "words"),
    [
        ([4, -3, -3, -3, -3, -3, -3], "2 segments have a gap between them; any further"),
        ([4, 4, -3, -3, -3, -3, -3], "Each of the 2 divisions that lead to 3 segments runs along"),
        ([1.5, 4, -3, -3, -3, -3, -3], "Of the 2 divisions that lead to 3 segments 1 runs along"),
        ([1.5, -3, -3, -3, -3, -3, -3], "2 segments are the best of a weak lot"),
        ([4, -3, 2.5, -3, -3, -3, -3], "between them; most further ones"),
        ([4, 4, 4, 4, 4, 4, 4], "more segments were not looked at"),
    ],
)
def test_the_reason_says_how_many_divisions_run_along_a_gap(four, excess, words):
    assert words in recommend(four[0], *told(excess), eligible=ANY).reason


def test_the_runner_up_is_said_to_be_coarser_or_finer_and_how_much_worse(four):
    finer = recommend(four[0], *told([4, 1.9, -3, -3, -3, -3, -3]), eligible=ANY)
    assert (finer.k, finer.runner_up) == (3, 2)
    assert finer.runner_up_reason.startswith("2 segments follow the gaps almost as well. They are")
    assert "fewer and coarser" in finer.runner_up_reason
    coarser = recommend(four[0], *told([4, -1, -3, -3, -3, -3, -3]), eligible=ANY)
    assert "less well. They are more and finer" in coarser.runner_up_reason


def test_evidence_of_other_shapes_is_refused(four):
    with pytest.raises(ValueError, match="8 cuts take 7 tests"):
        recommend(four[0], *told([1, 2]), eligible=ANY)


def test_votes_are_those_of_the_indices():
    points = points_of("USArrests")
    x, w, counts = points.x, points.weights, points.counts.astype(float)
    indices = tree_indices(x, w, ward_linkage(x, w))
    rng = np.random.default_rng(1)
    gap = gap_statistic(x, w, counts, rng=rng, k_max=8)
    strength = prediction_strength(x, w, counts, rng=rng, k_max=8)
    said = {vote.rule: vote for vote in votes(indices, gap=gap, strength=strength)}
    # fpc 2.2-10 on the same tree: silhouette and Calinski-Harabasz are highest at 2 (.405, 41.9),
    # prediction strength .87 at 2 and .51 at 3 (tests/reference/indices_*.csv).
    assert said["silhouette"].k == 2
    assert said["silhouette"].statistic == pytest.approx(0.404794, abs=1e-6)
    assert said["Calinski-Harabasz"].k == 2
    assert said["prediction strength"].k == 2
    # Je(2) / Je(1) of all is .534, critical .565; of the cluster divided next .565 against .490.
    assert said["Duda-Hart"].k == 2
    assert said["height jump"].k == 2
    assert said["gap"].k == gap.k
    low = said["Davies-Bouldin"]
    assert low.statistic == pytest.approx(np.nanmin(indices.davies_bouldin))
    assert majority(tuple(said.values())) == 2


def test_rules_without_numbers_are_silent():
    x = np.zeros((4, 2))
    said = votes(tree_indices(x, np.ones(4), ward_linkage(x, np.ones(4))))
    silent = {vote.rule for vote in said if vote.k is None}
    assert {"Calinski-Harabasz", "Dunn", "Davies-Bouldin", "Hartigan", "Duda-Hart"} <= silent
    assert majority(()) is None
    assert majority(tuple(replace(v, k=k) for v, k in zip(said, [3, 2, 3, 2], strict=False))) == 2


def test_the_elbow_is_where_the_curve_bends():
    assert elbow(np.array([100.0, 60, 20, 17, 14, 11])) == 3
    assert elbow(np.array([5.0, 1])) is None
    assert elbow(np.zeros(6)) is None
