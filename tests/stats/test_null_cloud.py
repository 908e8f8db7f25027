"""The single cloud and the tests against it: matched, calibrated, and able to see clusters."""

import pickle

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.stats import skew

from psychoseg.stats.arrays import collapse
from psychoseg.stats.indices import nested_cuts
from psychoseg.stats.null_cloud import draw_cloud, fit_cloud, node_tests, null_test


def long_cloud(rng, n=400, d=5):
    x = np.sqrt(0.4) * rng.standard_normal((n, d))
    return x + np.sqrt(0.6) * rng.standard_normal((n, 1))


def five_points(x):
    return np.digitize(x / x.std(axis=0), [-1.4, -0.5, 0.5, 1.4]).astype(float)


def planted(rng, k=4, apart=4.0, n=400, d=5):
    centre = rng.standard_normal((k, d))
    gaps = np.linalg.norm(centre[:, None] - centre, axis=2)[np.triu_indices(k, 1)]
    return rng.standard_normal((n, d)) + (centre * apart / gaps.min())[rng.integers(0, k, n)]


def p_of(x, seed=1, **options):
    points = collapse((x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x)))
    counts = points.counts.astype(float)
    rng = np.random.default_rng(seed)
    return null_test(points.x, points.weights, counts, rng=rng, **options).p_value


@pytest.mark.parametrize("shape", [five_points, np.asarray, lambda x: np.exp(0.4 * x)])
def test_the_cloud_has_the_covariance_and_the_scales_of_the_data(shape):
    x = shape(long_cloud(np.random.default_rng(3), n=3000))
    drawn = draw_cloud(fit_cloud(x, np.ones(3000)), 20_000, np.random.default_rng(1))
    # A correlation of 20,000 pairs has a standard error of .007 at the most; what is left comes
    # from matching it through the first term of its series, and grows with skew.
    np.testing.assert_allclose(np.corrcoef(drawn.T), np.corrcoef(x.T), atol=0.04)
    np.testing.assert_allclose(drawn.mean(axis=0), x.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), x.std(axis=0), rtol=0.05)
    np.testing.assert_allclose(skew(drawn), skew(x), atol=0.35)


def test_answers_keep_the_shares_of_their_categories():
    x = five_points(long_cloud(np.random.default_rng(3), n=3000))
    drawn = draw_cloud(fit_cloud(x, np.ones(3000)), 20_000, np.random.default_rng(1))
    for j in range(x.shape[1]):
        ours = [np.mean(drawn[:, j] == v) for v in range(5)]
        # Four standard errors of a share of 20,000 people.
        np.testing.assert_allclose(ours, [np.mean(x[:, j] == v) for v in range(5)], atol=0.015)


@pytest.mark.parametrize("decimals", [0, 9])
def test_two_peaks_become_one(decimals):
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(-3, 1, 1000), rng.normal(3, 1, 1000)])[:, None].round(decimals)
    drawn = draw_cloud(fit_cloud(x, np.ones(2000)), 20_000, rng)[:, 0]
    middle = np.mean(np.abs(x) < 1.5), np.mean(np.abs(drawn) < 1.5)
    assert middle[0] < 0.09
    # A plateau between the peaks: about 3 of the 6 to 10 units that it spans.
    assert middle[1] > 0.2


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("scale", ["continuous", "five points"])
def test_single_clouds_are_rarely_called_clustered(long, scale):
    below = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, long])
        x = long_cloud(rng, n=200) if long else rng.standard_normal((200, 5))
        x = five_points(x) if scale == "five points" else x
        below += p_of(x, seed, replicates=19) <= 0.05
    # At a true rate of .05 five or more of 30 come in 1.6% of such tests.
    assert below <= 4


@pytest.mark.parametrize("k", [2, 3, 6])
def test_planted_clusters_of_medium_separation_are_seen(k):
    seen = [p_of(planted(np.random.default_rng([k, s]), k), replicates=19) for s in range(10)]
    # At a true rate of .9 fewer than 7 of 10 come in 1.3% of such tests.
    assert np.sum(np.array(seen) <= 0.05) >= 7


def test_integer_weights_equal_repeated_rows_and_scale_does_not_matter():
    rng = np.random.default_rng(4)
    weights = rng.integers(1, 4, 100).astype(float)
    points = collapse(rng.standard_normal((100, 3)), weights)
    rows = np.repeat(points.x, points.weights.astype(int), axis=0)
    ones = np.ones(len(rows))

    def z(x, w, counts):
        return null_test(x, w, counts, rng=np.random.default_rng(1), replicates=9).z

    a = z(points.x, points.weights, points.weights)
    np.testing.assert_allclose(a, z(rows, ones, ones), rtol=1e-10)
    np.testing.assert_allclose(a, z(points.x, 5 * points.weights, points.weights), rtol=1e-8)


def test_weights_that_differ_are_carried_by_the_drawn_people():
    rng = np.random.default_rng(5)
    x, weights = rng.standard_normal((150, 3)), rng.uniform(0.2, 3, 150)
    points = collapse(x, weights)
    found = null_test(
        points.x, points.weights, np.ones(150), rng=np.random.default_rng(1), replicates=39
    )
    assert found.p_value > 0.05


def test_a_cluster_of_people_without_weight_is_no_cluster():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((200, 2)) + np.repeat([[0.0], [8]], 100, axis=0)

    def p(weights):
        points = collapse(x, weights)
        rng = np.random.default_rng(1)
        return null_test(points.x, points.weights, np.ones(200), rng=rng, replicates=39).p_value

    assert p(np.ones(200)) <= 0.05
    # A hundred people who weigh as much as one ten-thousandth of a person.
    assert p(np.repeat([1.0, 1e-6], 100)) > 0.05


def test_a_nominal_column_counts_by_its_categories_not_its_codes():
    rng = np.random.default_rng(6)
    x = rng.standard_normal((300, 3))
    group = np.digitize(x[:, 0] + rng.standard_normal(300), [-0.8, 0.8])

    def p(codes):
        columns = np.column_stack([x, np.asarray(codes, float)[group]])
        points = collapse(columns, np.ones(300))

        def turn(c):
            known = (c[:, 3:] == np.array([[codes[0], codes[1], codes[2]]])).astype(float)
            return np.column_stack([c[:, :3], known])

        return null_test(
            points.x,
            points.weights,
            points.weights,
            rng=np.random.default_rng(1),
            coordinates=turn,
            nominal=np.array([False, False, False, True]),
            replicates=39,
        )

    # The categories themselves make gaps, which the cloud has as well.
    assert p([1, 2, 3]).p_value > 0.05
    assert p([1, 2, 3]).z[0] == pytest.approx(p([7, 3, 9]).z[0], abs=1.5)


def test_clusters_of_the_tree_are_divided_as_long_as_they_hold_several():
    rng = np.random.default_rng(8)
    # Three far apart on a line of unequal steps: two divisions are right, all further ones wrong.
    x = rng.standard_normal((300, 2)) + np.repeat([[0.0, 0], [8, 0], [20, 0]], 100, axis=0)
    points = collapse(x, np.ones(300))
    cuts = nested_cuts(linkage(points.x, "ward"), 6)
    found = node_tests(points.x, points.weights, points.weights, cuts, rng=rng)
    assert (found.p_value[:2] <= 0.05).all()
    assert (found.p_value[2:] > 0.05).all()
    assert found.excess[:2].min() > found.excess[2:].max()


def in_another_process(function, jobs):
    """Send each job there and back as bytes, last one first, as a pool of workers may."""
    sent = [pickle.dumps((function, job)) for job in jobs]
    done = []
    for message in reversed(sent):
        run, job = pickle.loads(message)
        done.append(run(job))
    return reversed(done)


def doubled(columns):
    return 2 * columns


def test_who_runs_the_replicates_changes_nothing():
    points = collapse(five_points(long_cloud(np.random.default_rng(3), n=150)), np.ones(150))
    counts = points.counts.astype(float)
    cuts = nested_cuts(linkage(points.x, "ward"), 4)

    def both(**options):
        rng = np.random.default_rng(1)
        test = null_test(
            points.x, points.weights, counts, rng=rng, replicates=9, coordinates=doubled, **options
        )
        nodes = node_tests(
            points.x, points.weights, counts, cuts, rng=rng, replicates=5, coordinates=doubled,
            **options,
        )  # fmt: skip
        return test.z, nodes.excess

    for here, there in zip(both(), both(mapper=in_another_process), strict=True):
        np.testing.assert_array_equal(here, there)


def bent(rng, n=400):
    x = rng.standard_normal((n, 4))
    x[:, 1] = 0.6 * x[:, 1] + 0.7 * (x[:, 0] ** 2 - 1)
    return x


def test_a_bent_cloud_has_no_gaps():
    seen = [p_of(bent(np.random.default_rng(s)), s, replicates=19) <= 0.05 for s in range(20)]
    # At a true rate of .1 five or more of 20 come in 4% of such tests; the within sum of squares,
    # which has no such cloud as its null, calls all of them clustered.
    assert sum(seen) <= 4


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_two_clusters_of_medium_separation_are_seen_whatever_their_sizes(share):
    seen = []
    for s in range(10):
        rng = np.random.default_rng([s, 7])
        x = rng.standard_normal((400, 5))
        x[rng.random(400) < share] += 4 / np.sqrt(5)
        seen.append(p_of(x, replicates=19) <= 0.05)
    assert sum(seen) >= 8


def test_too_few_people_are_refused_or_left_undecided():
    with pytest.raises(ValueError, match="at least 3 people, not 2"):
        null_test(np.eye(2), np.ones(2), np.ones(2), rng=np.random.default_rng(1))
    x = np.random.default_rng(1).standard_normal((15, 2))
    cuts = nested_cuts(linkage(x, "ward"), 4)
    found = node_tests(x, np.ones(15), np.ones(15), cuts, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(found.p_value, [1, 1, 1])
