"""Bootstrap, segment level stability and flows: against fpc, by hand, and by what must hold."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.arrays import collapse
from psychoseg.stats.flow import Flow, flows, slsa
from psychoseg.stats.partition import k_means
from psychoseg.stats.stability import (
    BORDER,
    best_match,
    bootstrap,
    border_share,
    slsw,
    ward_cuts,
)
from tests.stats.conftest import REFERENCE, reference


@dataclass
class GivenDraws:
    """Stands in for a generator: each child draws the people of one row."""

    rows: np.ndarray
    used: int = field(default=0)

    def spawn(self, n):
        return [GivenDraws(self.rows[i : i + 1]) for i in range(n)]

    def integers(self, high, size):
        drawn = self.rows[self.used]
        self.used += 1
        assert len(drawn) == size
        assert drawn.max() < high
        return drawn


def points_of(name):
    frame = reference("stability_points.csv")
    return frame[frame["set"] == name].drop(columns="set").dropna(axis=1).to_numpy(np.float64)


def canonical(x, *labels):
    """Return rows in canonical order, with what belongs to them."""
    points = collapse(x, np.ones(len(x)))
    order = np.argsort(points.point_of)
    return points.x, *(lab[order] for lab in labels)


def k_means_cuts(x, weights, ks):
    labels = [k_means(x, weights, k, rng=np.random.default_rng(0), starts=10).labels for k in ks]
    return np.column_stack(labels)


def clouds(sizes, distance, d=3, seed=1):
    rng = np.random.default_rng(seed)
    planted = np.repeat(np.arange(len(sizes)), sizes)
    return rng.standard_normal((len(planted), d)) + distance * np.eye(max(d, len(sizes)))[
        planted, :d
    ], planted


def judged(method):
    """Return the divisions that fpc judged: set, k, labels."""
    frame = pd.read_csv(REFERENCE / "stability_labels.csv", dtype={"labels": str})
    return [
        (row.set, int(row.k), np.array([int(digit) for digit in row.labels]))
        for row in frame[frame["method"] == method].itertuples()
    ]


def test_the_same_resamples_give_the_similarities_of_fpc_digit_by_digit():
    # fpc 2.2-10, clusterboot(bootmethod = "boot") of USArrests, hclust ward.D2, k = 4.
    x = points_of("USArrests")
    draws = reference("stability_draws.csv").to_numpy(np.intp)
    labels = next(lab for name, k, lab in judged("ward") if (name, k) == ("USArrests", 4))
    ones = np.ones(len(x))
    found = bootstrap(x, ones, ones, labels[:, None], rng=GivenDraws(draws), replicates=100)
    np.testing.assert_allclose(
        found.values[0], reference("stability_drawn.csv").to_numpy(), atol=1e-12
    )


@pytest.mark.parametrize(
    ("method", "name", "replicates"),
    [
        ("ward", "USArrests", 1000),
        ("ward", "iris", 1000),
        ("ward", "overlapping", 400),
        ("ward", "young", 400),
        ("kmeans", "USArrests", 400),
        ("kmeans", "overlapping", 200),
    ],
)
def test_the_bootstrap_is_that_of_fpc(method, name, replicates):
    # Asked: .03 at B = 100. Both means have an error of chance of up to .25 / sqrt(B) of their own,
    # so that B is larger here: what is compared is the definition, not the luck of the draw.
    x = points_of(name)
    cuts = [(k, lab) for given, k, lab in judged(method) if given == name]
    at, *labels = canonical(x, *(lab for _, lab in cuts))
    ones = np.ones(len(x))
    found = bootstrap(
        at,
        ones,
        ones,
        np.column_stack(labels),
        rng=np.random.default_rng(2),
        replicates=replicates,
        divide=ward_cuts if method == "ward" else k_means_cuts,
    )
    theirs = reference("stability_jaccard.csv").query("set == @name and method == @method")
    for s, (k, _) in enumerate(cuts):
        of_k = theirs[theirs.k == k].sort_values("segment")
        np.testing.assert_allclose(found.jaccard[s], of_k.jaccard, atol=0.03, err_msg=f"k = {k}")
        # Shares of resamples: an error of up to .5 * sqrt(1 / B + 1 / 1000), three of them.
        chance = 1.5 * np.sqrt(1 / replicates + 1e-3)
        np.testing.assert_allclose(found.recovered[s] / replicates, of_k.recovered, atol=chance)
        np.testing.assert_allclose(found.dissolved[s] / replicates, of_k.dissolved, atol=chance)


def test_integer_weights_and_counts_are_repeated_rows():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((40, 3))
    x = x[np.lexsort(x.T[::-1])]
    times = rng.integers(1, 4, 40)
    cuts = ward_cuts(x, times.astype(float), [2, 3, 5])
    rows, row_cuts = np.repeat(x, times, axis=0), np.repeat(cuts, times, axis=0)
    ones, counts = np.ones(len(rows)), times.astype(float)
    by_point = bootstrap(x, counts, counts, cuts, rng=np.random.default_rng(1), replicates=20)
    by_row = bootstrap(rows, ones, ones, row_cuts, rng=np.random.default_rng(1), replicates=20)
    for a, b in zip(by_point.values, by_row.values, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)
    np.testing.assert_allclose(np.repeat(by_point.certainty, times, axis=0), by_row.certainty)
    one = slsw(x, counts, counts, cuts[:, 1], rng=np.random.default_rng(1), pairs=10)
    other = slsw(rows, ones, ones, row_cuts[:, 1], rng=np.random.default_rng(1), pairs=10)
    np.testing.assert_allclose(one, other, atol=1e-10)


def test_rescaled_weights_change_nothing():
    x, _ = clouds([40, 30, 20], 3)
    weights = np.random.default_rng(5).uniform(0.3, 3, len(x))
    ones = np.ones(len(x))
    cuts = ward_cuts(x, weights, [3])
    one, other = (
        bootstrap(x, w, ones, cuts, rng=np.random.default_rng(1), replicates=10)
        for w in (weights, 7 * weights)
    )
    np.testing.assert_allclose(one.values[0], other.values[0], atol=1e-12)
    np.testing.assert_array_equal(one.certainty, other.certainty)


def test_a_persons_weight_counts_in_the_similarity():
    # One person of two, drawn or not, between two far segments: by weight the segment that is
    # mixed up has 3 of 4 in common, by heads 1 of 2.
    x = np.array([[0.0], [0.1], [9.0], [9.1]])
    labels = np.array([[0], [0], [1], [1]])
    weights = np.array([3.0, 1.0, 1.0, 1.0])
    draws = GivenDraws(np.array([[0, 1, 2, 3]]))

    def split_first(at, w, ks):
        return np.array([[0], [1], [1], [1]])

    found = bootstrap(x, weights, np.ones(4), labels, rng=draws, replicates=1, divide=split_first)
    np.testing.assert_allclose(found.jaccard[0], [3 / 4, 2 / 3])


def test_people_of_clear_segments_are_certain_and_those_between_two_are_not():
    x, planted = clouds([60, 60], 12, d=2)
    between = np.array([[6.0, 6.0]])
    x, planted = np.vstack([x, between]), np.append(planted, 0)
    ones = np.ones(len(x))
    found = bootstrap(
        x,
        ones,
        ones,
        planted[:, None],
        rng=np.random.default_rng(1),
        replicates=60,
        divide=k_means_cuts,
    )
    assert (found.certainty[:-1] == 1).all()
    assert 0.05 < found.certainty[-1, 0] < 0.95
    assert found.jaccard[0].min() > 0.95


def test_matching_is_by_overlap_so_that_other_numbers_of_segments_change_nothing():
    x, planted = clouds([50, 40, 30], 10)
    ones = np.ones(len(x))

    def renumbered(at, w, ks):
        return (ward_cuts(at, w, ks) + 1) % 3

    found = [
        bootstrap(
            x,
            ones,
            ones,
            planted[:, None],
            rng=np.random.default_rng(1),
            replicates=5,
            divide=divide,
        )
        for divide in (ward_cuts, renumbered)
    ]
    np.testing.assert_array_equal(found[0].certainty, found[1].certainty)
    assert (found[0].certainty == 1).all()


def test_border_share_is_by_weight_and_leaves_out_the_unknown():
    certainty = np.array([1.0, BORDER, BORDER - 0.01, 0.2, np.nan])
    assert border_share(certainty, np.array([1.0, 1, 2, 1, 100])) == pytest.approx(3 / 5)
    assert np.isnan(border_share(np.array([np.nan]), np.ones(1)))


def test_beyond_the_limit_certainty_is_that_of_a_sample(monkeypatch):
    x, planted = clouds([60, 50], 12)
    ones = np.ones(len(x))
    options = {"replicates": 5, "divide": ward_cuts}
    every = bootstrap(x, ones, ones, planted[:, None], rng=np.random.default_rng(1), **options)
    monkeypatch.setattr("psychoseg.stats.stability.MAX_CERTAIN", 30)
    some = bootstrap(x, ones, ones, planted[:, None], rng=np.random.default_rng(1), **options)
    known = ~np.isnan(some.certainty)
    assert known.sum() == 30
    np.testing.assert_array_equal(some.certainty[known], every.certainty[known])
    np.testing.assert_array_equal(some.values[0], every.values[0])


def test_points_in_no_segment_are_in_none_of_the_similarities():
    x, planted = clouds([40, 40], 12)
    noise = planted.copy()
    noise[:10] = -1
    ones = np.ones(len(x))

    def leaves_out(at, w, ks):
        labels = ward_cuts(at, w, ks)
        labels[np.isin(at[:, 0], x[:10, 0])] = -1
        return labels

    found = bootstrap(
        x,
        ones,
        ones,
        noise[:, None],
        rng=np.random.default_rng(1),
        replicates=10,
        divide=leaves_out,
    )
    np.testing.assert_array_equal(found.jaccard[0], [1, 1])
    assert np.isnan(found.certainty[:10]).all()
    assert (found.certainty[10:] == 1).all()

    def nothing_but_noise(at, w, ks):
        return np.full((len(at), len(ks)), -1)

    lost = bootstrap(
        x,
        ones,
        ones,
        noise[:, None],
        rng=np.random.default_rng(1),
        replicates=3,
        divide=nothing_but_noise,
    )
    np.testing.assert_array_equal(lost.jaccard[0], [0, 0])
    assert (lost.certainty[10:] == 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_people_is_defined(n):
    x = np.arange(float(n))[:, None]
    ones = np.ones(n)
    cuts = np.column_stack([np.zeros(n, dtype=int), np.arange(n)])
    found = bootstrap(x, ones, ones, cuts, rng=np.random.default_rng(1), replicates=10)
    np.testing.assert_array_equal(found.jaccard[0], [1])
    assert all(np.isfinite(j).all() and (j <= 1).all() for j in found.jaccard)
    assert (found.certainty[:, 0] == 1).all()
    values = slsw(x, ones, ones, cuts[:, 1], rng=np.random.default_rng(1), pairs=5)
    assert values.shape == (5, n)
    assert np.isfinite(values).all()


def test_what_cannot_be_resampled_is_refused():
    x, ones, cuts = np.arange(4.0)[:, None], np.ones(4), np.array([[0], [0], [1], [1]])
    rng = np.random.default_rng(1)
    for wrong, word in (
        ((np.array([[0.0], [1], [2], [np.inf]]), ones, ones, cuts), "finite"),
        ((x, np.array([1.0, 1, 1, 0]), ones, cuts), "weights"),
        ((x, ones, np.array([1.0, 1, 1, 0]), cuts), "counts"),
        ((x, ones, ones, cuts - 2), "label"),
        ((x, ones, ones, cuts[:3]), "label"),
    ):
        with pytest.raises(ValueError, match=word):
            bootstrap(*wrong, rng=rng, replicates=2)
    with pytest.raises(ValueError, match="resample"):
        bootstrap(x, ones, ones, cuts, rng=rng, replicates=0)


def test_slsw_by_hand():
    x = np.array([[0.0], [1.0], [8.0], [9.0], [10.0]])
    labels = np.array([0, 0, 1, 1, 1])

    def divide(at, w, ks):
        # A resample of all five is divided as they are, any other one between 9 and 10.
        return (at > (5 if len(at) == 5 else 9.5)).astype(np.intp)

    def stability(first, second):
        draws = GivenDraws(np.array([first, second]))
        draws.spawn = lambda n: [GivenDraws(draws.rows)]
        return slsw(x, np.ones(5), np.ones(5), labels, rng=draws, pairs=1, divide=divide)

    # Means (0 + 1 + 8 + 8) / 4 = 4.25 and 10: everybody nearest to them is in the own segment
    # again, although 8 was divided from 10.
    np.testing.assert_allclose(stability([0, 1, 2, 3, 4], [0, 1, 2, 2, 4]), [[1, 1]])
    # Means (0 + 9 + 9 + 9) / 4 = 6.75 and 10, so {0, 1, 8} and {9, 10}: 2 of 3 each. With 9 once
    # the mean would be 4.5, and 8 nearer to 10.
    found = stability([0, 1, 2, 3, 4], [0, 3, 3, 3, 4])
    np.testing.assert_allclose(found, [[(1 + 2 / 3) / 2] * 2])


def test_slsw_tells_a_clear_segment_from_a_split_cloud():
    x, planted = clouds([80, 80], 9)
    # The first cloud is tight; the second is divided in two at will, though nothing divides it.
    x[planted == 0] *= 0.2
    labels = np.where(planted == 0, 0, 1 + (x[:, 2] > 0))
    ones = np.ones(len(x))
    found = slsw(x, ones, ones, labels, rng=np.random.default_rng(1), pairs=40)
    low, middle = np.quantile(found, [0.05, 0.5], axis=0)
    assert low[0] > 0.98
    assert (middle[1:] < 0.85).all()


def test_flows_by_hand():
    source, target = np.array([0, 0, 0, 1, 1, -1]), np.array([0, 1, 1, 1, 2, 2])
    weights = np.array([1.0, 2, 3, 4, 5, 6])
    assert flows(source, target, weights) == [
        Flow(0, 0, 1), Flow(0, 1, 5), Flow(1, 1, 4), Flow(1, 2, 5),
    ]  # fmt: skip


def test_slsa_by_hand():
    # k = 2, weights 6 and 4; k = 3: {3 of a}, {3 of a, 1 of b}, {3 of b}.
    two = np.array([0, 0, 1, 1])
    three = np.array([0, 1, 1, 2])
    weights = np.array([3.0, 3, 1, 3])
    found = slsa(np.column_stack([np.zeros(4, dtype=int), two, three]), weights)
    mixed = 1 + (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    np.testing.assert_allclose(found.from_previous[2], [1, mixed, 1])
    halves = 1 - np.log(2) / np.log(3)
    quarter = 1 + (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(3)
    np.testing.assert_allclose(found.into_next[1], [halves, quarter])
    # There is nothing before the first, and one segment before the second tells nothing.
    assert np.isnan(found.from_previous[0]).all()
    assert np.isnan(found.from_previous[1]).all()
    assert np.isnan(found.into_next[2]).all()
    assert [len(step) for step in found.flows] == [2, 4]
    assert sum(flow.weight for flow in found.flows[1]) == weights.sum()


def test_nested_cuts_come_from_one_segment_and_one_of_them_is_divided():
    x, _ = clouds([30, 30, 30], 2)
    cuts = ward_cuts(x, np.ones(90), [2, 3, 4, 5])
    found = slsa(cuts, np.ones(90))
    for s in range(1, 4):
        np.testing.assert_array_equal(found.from_previous[s], 1)
        assert (found.into_next[s - 1] < 1).sum() == 1


def test_segments_of_all_alike_have_slsa_zero():
    found = slsa(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]), np.ones(4))
    np.testing.assert_allclose(found.from_previous[1], [0, 0], atol=1e-12)
    with pytest.raises(ValueError, match="weights"):
        slsa(np.zeros((3, 2), dtype=int), np.array([1.0, 1, 0]))
    with pytest.raises(ValueError, match="columns"):
        slsa(np.zeros((0, 2), dtype=int), np.ones(0))


def test_the_best_match_is_the_greatest_total_not_the_greedy_one():
    # Greedy would take 10 first and end at 10 + 0.
    assert best_match(np.array([[10.0, 9], [9, 0]])).tolist() == [1, 0]
    assert best_match(np.array([[5.0, 0, 0], [0, 0, 2]])).tolist() == [0, -1, 1]
