"""Matching of rows: the least sum of all matchings, whatever the order of the rows."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from psychoseg.stats.matching import match_rows


def test_the_sum_of_distances_is_the_least_of_all_matchings() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        p, q = rng.integers(1, 6, 2)
        a, b = rng.normal(size=(p, 3)), rng.normal(size=(q, 3))
        apart, found = cdist(a, b), match_rows(a, b)
        matched = found >= 0
        ours = apart[np.flatnonzero(matched), found[matched]].sum()
        if p <= q:
            least = min(apart[range(p), list(c)].sum() for c in permutations(range(q), int(p)))
        else:
            least = min(apart[list(r), range(q)].sum() for r in permutations(range(p), int(q)))
        assert ours == pytest.approx(least, rel=1e-12)
        assert matched.sum() == min(p, q)
        assert len(set(found[matched])) == matched.sum()


def test_shuffled_and_shaken_rows_find_themselves() -> None:
    rng = np.random.default_rng(2)
    a, order = rng.normal(size=(8, 4)), rng.permutation(8)
    b = (a + rng.normal(scale=0.01, size=a.shape))[order]
    np.testing.assert_array_equal(order[match_rows(a, b)], np.arange(8))


def test_it_is_not_the_nearest_row_for_each() -> None:
    # Both are nearest to 1; the least sum sends the first to 0 and the second to 1.
    assert match_rows(np.array([[0.6], [1.1]]), np.array([[1.0], [0.0]])).tolist() == [1, 0]


def test_rows_left_over_are_unmatched() -> None:
    a, b = np.array([[0.0], [5.0], [9.0]]), np.array([[9.1], [0.1]])
    assert match_rows(a, b).tolist() == [1, -1, 0]
    assert match_rows(b, a).tolist() == [2, 0]


def test_with_many_ties_the_order_of_rows_decides_nothing() -> None:
    # Points of a grid: many matchings have the same sum.
    rng = np.random.default_rng(3)
    a = np.array([[i, j] for i in range(3) for j in range(3)], dtype=float)
    b = a[:7] + np.array([0.5, 0.5])
    pairs = {(tuple(a[i]), tuple(b[j])) for i, j in enumerate(match_rows(a, b)) if j >= 0}
    for _ in range(30):
        x, y = a[rng.permutation(9)], b[rng.permutation(7)]
        assert {
            (tuple(x[i]), tuple(y[j])) for i, j in enumerate(match_rows(x, y)) if j >= 0
        } == pairs


def test_nothing_to_match() -> None:
    assert match_rows(np.empty((0, 2)), np.ones((3, 2))).tolist() == []
    assert match_rows(np.ones((2, 2)), np.empty((0, 2))).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (np.ones((2, 2)), np.ones((2, 3)), "not the same features"),
        (np.ones(2), np.ones((2, 2)), "not the same features"),
        (np.full((1, 1), np.nan), np.ones((1, 1)), "missing or infinite"),
        (np.ones((1, 1)), np.full((1, 1), np.inf), "missing or infinite"),
    ],
)
def test_impossible_input_is_refused(a: np.ndarray, b: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        match_rows(a, b)
