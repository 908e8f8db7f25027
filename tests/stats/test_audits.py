"""What the order of rows and errors of measurement do to segments."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.arrays import collapse
from psychoseg.stats.audits import jitter_audit, order_audit
from psychoseg.stats.stability import ward_cuts


def same(columns):
    return columns


def two_clouds(distance, n=100, seed=1):
    rng = np.random.default_rng(seed)
    planted = np.repeat([0, 1], n)
    return rng.standard_normal((2 * n, 3)) + distance * planted[:, None], planted


def yes_no(n, p, seed=2):
    points = collapse(np.random.default_rng(seed).integers(0, 2, (n, p)).astype(float), np.ones(n))
    return points.x, points.counts.astype(float)


def test_ties_move_textbook_ward_and_not_ours():
    x, counts = yes_no(300, 6)
    found = order_audit(x, counts, 4, rng=np.random.default_rng(1))
    assert found.ours.least == found.ours.median == found.ours.largest == 1
    assert found.textbook.least < 0.9
    assert found.textbook_with_ours.least < 0.9
    assert found.textbook.least <= found.textbook.median <= found.textbook.largest <= 1
    assert (found.n_people, found.sampled) == (300, False)


def test_without_ties_the_textbook_is_as_good_and_equals_ours():
    x, _ = two_clouds(1.5)
    points = collapse(x, np.ones(200))
    found = order_audit(points.x, np.ones(200), 4, rng=np.random.default_rng(1), shuffles=5)
    assert found.textbook.least == found.textbook_with_ours.least == found.ours.least == 1


def test_ours_is_computed_for_each_shuffle_and_would_be_seen_to_move():
    calls = []

    def by_turns(x, weights, ks):
        calls.append(len(x))
        return (np.arange(len(x)) % 2 == len(calls) % 2).astype(np.intp)[:, None] * (
            np.arange(len(x)) < 5 + len(calls)
        )[:, None]

    x, counts = yes_no(100, 5)
    found = order_audit(x, counts, 2, rng=np.random.default_rng(1), shuffles=6, divide=by_turns)
    assert len(calls) == 7
    assert found.ours.least < 1


def test_mcdonalds_survey_in_other_orders(shared_data):
    frame = pd.read_csv(shared_data / "05_segmentation" / "mcdonalds" / "mcdonalds.csv")
    items = (frame.iloc[:, :11] == "Yes").to_numpy(np.float64)
    points = collapse(items, np.ones(len(items)))
    counts = points.counts.astype(float)
    found = order_audit(points.x, counts, 4, rng=np.random.default_rng(1), shuffles=6)
    assert found.ours.least == 1
    # DEPENDENCIES: .2 to .6 between two shuffles of real surveys.
    assert found.textbook.least < 0.7


def test_more_people_than_the_limit_are_sampled():
    x, counts = yes_no(300, 6)
    found = order_audit(x, counts, 3, rng=np.random.default_rng(1), shuffles=3, max_people=120)
    assert (found.n_people, found.sampled) == (120, True)
    assert found.ours.least == 1


def test_what_cannot_be_shuffled_is_refused():
    x, counts = yes_no(30, 3)
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="distinct points"):
        order_audit(x, counts, 9, rng=rng)
    with pytest.raises(ValueError, match="shuffles = 1"):
        order_audit(x, counts, 2, rng=rng, shuffles=1)
    with pytest.raises(ValueError, match="counts"):
        order_audit(x, 0 * counts, 2, rng=rng)
    with pytest.raises(ValueError, match="finite"):
        order_audit(np.full((3, 1), np.nan), np.ones(3), 2, rng=rng)
    alone = order_audit(np.zeros((1, 2)), np.array([5.0]), 1, rng=rng, shuffles=3)
    assert alone.textbook.least == alone.ours.least == 1


def test_no_error_changes_nothing_and_a_large_one_everything():
    x, planted = two_clouds(8)
    ones = np.ones(len(x))
    rands = []
    for size in (0.0, 0.5, 30.0):
        found = jitter_audit(
            x, np.full(3, size), same, ones, planted, rng=np.random.default_rng(1), replicates=8
        )
        rands.append(found.spread.median)
    assert rands[0] == 1
    assert rands[1] > 0.97
    assert abs(rands[2]) < 0.1


def test_error_is_added_to_the_columns_that_have_some_by_its_size():
    x, planted = two_clouds(8)
    seen = []

    def look(columns):
        seen.append(columns)
        return columns

    jitter_audit(
        x,
        np.array([0.0, 1.0, 3.0]),
        look,
        np.ones(len(x)),
        planted,
        rng=np.random.default_rng(1),
        replicates=20,
    )
    order = np.lexsort(x.T[::-1])
    added = np.stack(seen) - x[order]
    assert (added[:, :, 0] == 0).all()
    # 4,000 draws: a standard deviation is known to 1.1%, three of them.
    np.testing.assert_allclose(added[:, :, 1:].std(axis=(0, 1)), [1, 3], rtol=0.035)


def test_kept_is_the_share_by_weight_that_keeps_its_segment():
    x = np.arange(6.0)[:, None]
    labels = np.array([0, 0, 0, 1, 1, 1])
    weights = np.array([1.0, 1, 2, 3, 1, 1])

    def moves_one(at, w, ks):
        # Numbered the other way round, and 2 goes over.
        return np.array([1, 1, 0, 0, 0, 0])[:, None]

    found = jitter_audit(
        x,
        np.zeros(1),
        same,
        weights,
        labels,
        rng=np.random.default_rng(1),
        replicates=2,
        divide=moves_one,
    )
    np.testing.assert_allclose(found.kept, 7 / 9)
    np.testing.assert_allclose(found.kept_by_segment, [[2 / 4, 1]] * 2)


def test_the_order_of_rows_does_not_move_the_jitter():
    x, planted = two_clouds(3)
    weights = np.random.default_rng(3).uniform(0.5, 2, len(x))
    mixed = np.random.default_rng(4).permutation(len(x))
    one, other = (
        jitter_audit(
            x[rows], np.full(3, 0.5), same, weights[rows], planted[rows],
            rng=np.random.default_rng(1), replicates=4,
        )
        for rows in (np.arange(len(x)), mixed)
    )  # fmt: skip
    assert one.rand.tobytes() == other.rand.tobytes()
    assert one.kept_by_segment.tobytes() == other.kept_by_segment.tobytes()


def test_a_sample_is_compared_with_its_own_division():
    x, _ = two_clouds(1)
    ones = np.ones(len(x))
    # Any labels: those of a sample come from dividing the sample.
    labels = np.random.default_rng(1).integers(0, 3, len(x))
    found = jitter_audit(
        x,
        np.zeros(3),
        same,
        ones,
        labels,
        rng=np.random.default_rng(1),
        replicates=2,
        max_people=50,
        divide=ward_cuts,
    )
    assert (found.n_people, found.sampled) == (50, True)
    np.testing.assert_array_equal(found.rand, 1)
    np.testing.assert_array_equal(found.kept_by_segment, 1)


def test_what_cannot_be_jittered_is_refused():
    x, planted = two_clouds(1, n=5)
    ones, sd = np.ones(10), np.ones(3)
    for wrong, word in (
        ((x, -sd, same, ones, planted), "error_sd"),
        ((x, sd[:2], same, ones, planted), "error_sd"),
        ((x, sd, same, 0 * ones, planted), "weights"),
        ((x, sd, same, ones, planted[:3]), "labels"),
        ((np.full_like(x, np.inf), sd, same, ones, planted), "finite"),
    ):
        with pytest.raises(ValueError, match=word):
            jitter_audit(*wrong, rng=np.random.default_rng(1))
