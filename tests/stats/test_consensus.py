"""One division out of several."""

import numpy as np
import pytest

from psychoseg.stats.consensus import consensus
from psychoseg.stats.validity import adjusted_rand


def ensemble(noise, members=8, n=200, k=4, seed=1):
    """Return a planted division and copies of it, each with a share of the people mixed up."""
    rng = np.random.default_rng(seed)
    planted = np.sort(rng.integers(0, k, n))
    copies = np.repeat(planted[:, None], members, axis=1)
    wrong = rng.random(copies.shape) < noise
    copies[wrong] = rng.integers(0, k, int(wrong.sum()))
    return planted, copies


def rng():
    return np.random.default_rng(1)


def test_the_consensus_is_nearer_the_truth_than_its_members():
    planted, copies = ensemble(0.3)
    found = consensus(copies, np.ones(200), 4, rng=rng())
    members = [adjusted_rand(planted, c) for c in copies.T]
    assert adjusted_rand(planted, found.labels) > max(members) + 0.2
    assert found.agreement.mean() > found.between_members


def test_members_that_agree_are_their_consensus():
    planted, copies = ensemble(0)
    found = consensus(copies, np.ones(200), 4, rng=rng())
    np.testing.assert_array_equal(found.labels, planted)
    np.testing.assert_array_equal(found.agreement, 1)
    assert found.between_members == found.reproducibility == 1


def test_unrelated_members_do_not_reproduce():
    planted, copies = ensemble(1.0)
    found = consensus(copies, np.ones(200), 4, rng=rng())
    assert abs(adjusted_rand(planted, found.labels)) < 0.05
    assert found.reproducibility < 0.1
    assert consensus(ensemble(0.2)[1], np.ones(200), 4, rng=rng()).reproducibility > 0.8


def test_members_of_other_k_count_too():
    # Of four planted segments one member tells 0 from the rest, another 1, a third 2.
    planted, _ = ensemble(0)
    members = np.column_stack([planted == j for j in range(3)]).astype(np.intp)
    found = consensus(members, np.ones(200), 4, rng=rng())
    assert adjusted_rand(found.labels, planted) == 1
    assert np.isnan(found.reproducibility)


def test_by_hand_the_majority_decides():
    members = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1], [1, 1, 1]])
    found = consensus(members, np.ones(5), 2, rng=rng())
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    np.testing.assert_allclose(found.agreement, [1, 1, adjusted_rand(members[:, 0], members[:, 2])])


def test_integer_weights_are_repeated_rows():
    _, copies = ensemble(0.4, n=80)
    times = np.random.default_rng(2).integers(1, 4, 80)
    one = consensus(copies, times.astype(float), 3, rng=rng())
    other = consensus(np.repeat(copies, times, axis=0), np.ones(times.sum()), 3, rng=rng())
    np.testing.assert_array_equal(np.repeat(one.labels, times), other.labels)
    np.testing.assert_allclose(one.agreement, other.agreement, atol=1e-10)
    assert one.reproducibility == pytest.approx(other.reproducibility, abs=1e-10)


def test_neither_the_order_of_the_divisions_nor_their_numbers_matter():
    _, copies = ensemble(0.4)
    shuffle = np.random.default_rng(3).permutation(8)
    renumber = np.array([2, 0, 3, 1])
    one = consensus(copies, np.ones(200), 4, rng=rng())
    other = consensus(renumber[copies[:, shuffle]], np.ones(200), 4, rng=rng())
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.agreement[shuffle], other.agreement, atol=1e-12)
    assert one.reproducibility == other.reproducibility


def test_one_segment_and_as_many_as_there_are_rows():
    _, copies = ensemble(0.4, n=20)
    whole = consensus(copies, np.ones(20), 1, rng=rng())
    assert whole.labels.tolist() == [0] * 20
    n_rows = len(np.unique(copies, axis=0))
    assert consensus(copies, np.ones(20), n_rows, rng=rng()).labels.max() + 1 == n_rows
    alone = consensus(copies[:, :1], np.ones(20), 2, rng=rng())
    assert np.isnan(alone.between_members)
    assert np.isnan(alone.reproducibility)


def test_what_has_no_consensus_is_refused():
    _, copies = ensemble(0.4, n=20)
    ones = np.ones(20)
    for divisions, weights, k, word in (
        (copies - 1, ones, 2, "no segment"),
        (copies, 0 * ones, 2, "weights"),
        (copies, ones, 21, "k = 21"),
        (copies, ones, 0, "k = 0"),
        (0 * copies, ones, 2, "more than one segment"),
        (copies[:0], ones[:0], 2, "columns"),
    ):
        with pytest.raises(ValueError, match=word):
            consensus(divisions, weights, k, rng=rng())
