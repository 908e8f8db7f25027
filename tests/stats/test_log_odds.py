"""Distinctive words: by hand, and what must hold of a log-odds with a prior."""

import numpy as np
import pytest

from psychoseg.stats.log_odds import distinctive


def test_log_odds_and_z_by_hand() -> None:
    # Words of 8 and 12 uses, prior 10: 4 and 6. The first group then has 10 and 10, the second 6
    # and 14: log(10/10) - log(6/14); variance 1/10 + 1/6 of the first word, 1/10 + 1/14 of the
    # second.
    log_odds, z = distinctive(np.array([[6.0, 2], [4, 8]]), prior_weight=10)
    apart = np.log(14 / 6)
    np.testing.assert_allclose(log_odds, [[apart, -apart], [-apart, apart]], rtol=1e-12)
    first, second = apart / np.sqrt(1 / 10 + 1 / 6), apart / np.sqrt(1 / 10 + 1 / 14)
    np.testing.assert_allclose(z, [[first, -first], [-second, second]], rtol=1e-12)
    assert first == pytest.approx(1.64078, abs=1e-5)


def test_three_groups_are_each_compared_with_the_other_two() -> None:
    counts = np.array([[6.0, 2, 1], [4, 8, 3], [1, 1, 9]])
    log_odds, z = distinctive(counts, prior_weight=5)
    for g in range(3):
        both = np.column_stack([counts[:, g], np.delete(counts, g, axis=1).sum(axis=1)])
        one, one_z = distinctive(both, prior_weight=5)
        np.testing.assert_allclose(log_odds[:, g], one[:, 0], rtol=1e-12)
        np.testing.assert_allclose(z[:, g], one_z[:, 0], rtol=1e-12)


def test_a_word_used_as_by_everybody_has_no_log_odds() -> None:
    counts = np.outer([5.0, 10, 85], [1, 2, 7])
    log_odds, z = distinctive(counts, prior_weight=100)
    np.testing.assert_allclose(log_odds, 0, atol=1e-12)
    np.testing.assert_allclose(z, 0, atol=1e-12)


def test_a_rare_word_needs_more_evidence_than_a_common_one() -> None:
    # Both are ten times as frequent in the first group; one was used 10 times, one 1,000 times.
    counts = np.array([[10.0, 1], [1000, 100], [8990, 9899]])
    log_odds, z = distinctive(counts, prior_weight=500)
    assert z[0, 0] < z[1, 0] / 5
    assert log_odds[0, 0] < np.log(10)


def test_a_heavier_prior_pulls_towards_no_difference() -> None:
    counts = np.array([[6.0, 2], [4, 8], [5, 5]])
    sizes = [abs(distinctive(counts, prior_weight=w)[0][0, 0]) for w in (0.1, 10, 1e4, 1e8)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-6


def test_integer_weights_are_repeated_texts() -> None:
    rng = np.random.default_rng(2)
    uses, groups, times = (rng.integers(0, 3, (40, 6)), np.tile([0, 1], 20), rng.integers(1, 4, 40))

    def count(uses, groups, weights):
        return np.column_stack([(uses * weights[:, None])[groups == g].sum(axis=0) for g in (0, 1)])

    weighted = distinctive(count(uses, groups, times.astype(float)), prior_weight=20)
    repeated = distinctive(
        count(
            np.repeat(uses, times, axis=0), np.repeat(groups, times), np.ones(times.sum())
        ),
        prior_weight=20,
    )  # fmt: skip
    np.testing.assert_allclose(weighted, repeated, rtol=1e-12)


def test_the_planted_word_comes_first_and_others_stay_within_chance() -> None:
    rng = np.random.default_rng(4)
    share = rng.dirichlet(np.full(200, 0.5))
    planted = share.copy()
    planted[50] += 0.05
    counts = np.column_stack(
        [rng.multinomial(4000, planted / planted.sum()), rng.multinomial(12_000, share)]
    ).astype(float)
    _, z = distinctive(counts, prior_weight=100)
    assert np.nanargmax(z[:, 0]) == 50
    # 199 words that differ by little: normal deviates beyond 4 are one in 16,000.
    assert np.nanmax(np.abs(np.delete(z[:, 0], 50))) < 4


def test_what_has_no_odds_is_missing() -> None:
    log_odds, z = distinctive(np.array([[3.0, 1], [0, 0], [2, 2]]), prior_weight=1)
    assert np.isnan(log_odds[1]).all()
    assert np.isnan(z[1]).all()
    assert np.isfinite(log_odds[[0, 2]]).all()
    alone, _ = distinctive(np.array([[3.0, 1]]), prior_weight=1)
    assert np.isnan(alone).all()
    silent, z = distinctive(np.array([[3.0, 0], [4, 0]]), prior_weight=1)
    np.testing.assert_allclose(silent, 0, atol=1e-12)
    assert (np.abs(z) < 1e-12).all()
    nothing, _ = distinctive(np.zeros((2, 2)), prior_weight=1)
    assert np.isnan(nothing).all()


@pytest.mark.parametrize(
    ("counts", "prior", "says"),
    [
        (np.ones((2, 2)), 0.0, "prior_weight is 0.0"),
        (np.ones((2, 2)), np.nan, "prior_weight is nan"),
        (-np.ones((2, 2)), 1.0, "must not be negative"),
        (np.full((2, 2), np.nan), 1.0, "must not be negative or missing"),
    ],
)
def test_impossible_input_is_refused(counts: np.ndarray, prior: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        distinctive(counts, prior_weight=prior)
