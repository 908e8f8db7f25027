"""Opportunity scores: by hand, their intervals against simulation and the delta method."""

import numpy as np
import pytest

from psychoseg.stats import inference as inf
from psychoseg.stats.groups import group_shares, sum_groups
from psychoseg.stats.opportunity import Opportunities, score_opportunities


def of_one(
    important: np.ndarray, satisfied: np.ndarray, weights: np.ndarray | None = None
) -> Opportunities:
    n = len(important)
    w, counts = (np.ones(n), True) if weights is None else (weights, False)
    groups = np.zeros(n, dtype=np.intp)
    return score_opportunities(
        np.asarray(important, float),
        np.asarray(satisfied, float),
        groups,
        w,
        n_groups=1,
        counts=counts,
    )


def answers(top: int, n: int) -> np.ndarray:
    return (np.arange(n) < top).astype(float)


class TestHandWorked:
    @pytest.mark.parametrize(
        ("important", "satisfied", "score"),
        # Ulwick's algorithm: 8 + (8 - 3); 5 + max(5 - 7, 0); 6 + 0; the ends of the scale.
        [(8, 3, 13), (5, 7, 5), (6, 6, 6), (10, 0, 20), (0, 10, 0), (0, 0, 0)],
    )
    def test_importance_plus_what_satisfaction_lacks(
        self, important: int, satisfied: int, score: float
    ) -> None:
        found = of_one(answers(important, 10), answers(satisfied, 10)[::-1])
        assert found.importance[0] == pytest.approx(important)
        assert found.satisfaction[0] == pytest.approx(satisfied)
        assert found.opportunity[0] == pytest.approx(score)
        assert found.people[0] == 10

    def test_weights_enter_the_shares(self) -> None:
        # Important: 3 of 6; satisfied: 1 of 6: 5 + (5 - 5/3).
        found = of_one(np.array([1, 0, 0]), np.array([0, 0, 1]), np.array([3.0, 2, 1]))
        assert found.opportunity[0] == pytest.approx(5 + 5 - 5 / 3)

    def test_who_lacks_either_answer_is_left_out_of_both(self) -> None:
        important = np.array([1, 1, 0, np.nan, 1])
        satisfied = np.array([0, 1, 0, 1, np.nan])
        found, complete = of_one(important, satisfied), of_one(important[:3], satisfied[:3])
        assert found.importance[0] == complete.importance[0]
        assert found.satisfaction[0] == complete.satisfaction[0]
        assert found.people[0] == 3


class TestIntervals:
    def test_in_a_large_group_it_is_the_delta_method_s(self) -> None:
        rng = np.random.default_rng(1)
        n = 40_000
        important = (rng.random(n) < 0.7).astype(float)
        # Related answers: the covariance matters.
        satisfied = (rng.random(n) < np.where(important == 1, 0.5, 0.2)).astype(float)
        weights = rng.uniform(0.4, 2, n)
        found = of_one(important, satisfied, weights)
        linear = inf.estimate_mean(
            2 * important - satisfied, np.ones(n, dtype=bool), weights, counts=False
        )
        # Limits of shares are not symmetric: by about 1 % of their distance at this size.
        assert found.opportunity[0] == pytest.approx(10 * linear.value, rel=1e-12)
        assert found.high[0] - found.low[0] == pytest.approx(
            10 * (linear.high - linear.low), rel=0.02
        )

    def test_where_people_are_satisfied_it_is_that_of_importance(self) -> None:
        important, satisfied = answers(20, 100), answers(90, 100)
        found = of_one(important, satisfied)
        share = group_shares(
            sum_groups(
                important, np.zeros(100, dtype=np.intp), np.ones(100), n_groups=1, counts=True
            )
        )
        assert [found.low[0], found.high[0]] == pytest.approx(
            [10 * share.low[0], 10 * share.high[0]], rel=1e-12
        )

    @pytest.mark.parametrize(
        ("p_important", "p_satisfied", "related"),
        [(0.7, 0.4, 0.3), (0.5, 0.5, 0.0), (0.6, 0.6, 0.5), (0.95, 0.05, 0.0), (0.3, 0.8, 0.2)],
    )
    def test_it_holds_the_true_score_as_often_as_it_says(
        self, p_important: float, p_satisfied: float, related: float
    ) -> None:
        # 95 % of 800 samples of 80; standard deviation .8 %. Korn and Graubard's limits are on the
        # safe side; at the kink, where I = S, the larger of two limits costs a little.
        rng = np.random.default_rng(2)
        true = 10 * max(p_important, 2 * p_important - p_satisfied)
        held = 0
        for _ in range(800):
            same, u, v = rng.random((3, 80))
            important = u < p_important
            satisfied = np.where(same < related, u, v) < p_satisfied
            found = of_one(important, satisfied)
            held += bool(found.low[0] <= true <= found.high[0])
        assert held / 800 > 0.93

    def test_it_has_a_width_where_everybody_says_the_same(self) -> None:
        found = of_one(np.ones(12), np.zeros(12))
        assert found.opportunity[0] == 20
        assert found.high[0] == 20
        assert 8 < found.low[0] < 18

    def test_it_stays_on_the_scale_and_holds_the_score(self) -> None:
        rng = np.random.default_rng(3)
        for _ in range(300):
            n = int(rng.integers(1, 15))
            found = of_one(
                rng.random(n) < rng.random(), rng.random(n) < rng.random(), rng.uniform(0.2, 3, n)
            )
            low, score, high = found.low[0], found.opportunity[0], found.high[0]
            assert -1e-12 <= low <= score + 1e-9 <= high + 2e-9 <= 20 + 4e-9


class TestProperties:
    def test_integer_frequency_weights_give_the_numbers_of_repeated_rows(self) -> None:
        rng = np.random.default_rng(4)
        important, satisfied = rng.integers(0, 2, (2, 90)).astype(float)
        groups, times = rng.integers(-1, 3, 90), rng.integers(1, 5, 90)
        weighted = score_opportunities(
            important, satisfied, groups, times.astype(float), n_groups=3, counts=True
        )
        repeated = score_opportunities(
            *(np.repeat(a, times) for a in (important, satisfied, groups)),
            np.ones(times.sum()),
            n_groups=3,
            counts=True,
        )
        for name in ("importance", "satisfaction", "opportunity", "low", "high", "people"):
            np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-10)

    def test_rescaled_weights_and_another_order_change_nothing(self) -> None:
        rng = np.random.default_rng(5)
        important, satisfied = rng.integers(0, 2, (2, 90)).astype(float)
        weights, order = rng.uniform(0.3, 3, 90), rng.permutation(90)
        one = of_one(important, satisfied, weights)
        two = of_one(important[order], satisfied[order], weights[order] * 0.037)
        for name in ("opportunity", "low", "high"):
            np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-10)

    def test_a_group_without_answers_has_no_score(self) -> None:
        found = score_opportunities(
            np.array([1.0, 0, np.nan]),
            np.array([0.0, 1, 1]),
            np.array([0, 0, 1]),
            np.ones(3),
            n_groups=3,
            counts=False,
        )
        for g in (1, 2):
            assert np.isnan([found.opportunity[g], found.low[g], found.high[g]]).all()
            assert found.people[g] == 0
