"""v-tests: FactoMineR's, the exact hypergeometric tail, and far beyond where FactoMineR ends."""

from collections.abc import Iterator
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from psychoseg.stats.catdes import v_test_means, v_test_shares
from psychoseg.stats.groups import GroupSums, sum_groups
from tests.stats.conftest import reference
from tests.stats.profile_reference import pew, sums_of, tea, wine


def catdes(folder: Path, kind: str) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield ours and FactoMineR's v-tests of each variable or category."""
    known = pew(folder)[pew(folder)["age"].notna()]
    weights = known["weight"].to_numpy()
    cases = {
        "tea": (tea(folder), np.ones(300), True),
        "wine": (wine(), np.ones(21), True),
        # FactoMineR was given w * sum(w) / sum(w**2): what we make of sampling weights.
        "pew": (known, weights, False),
        "pew people": (known, np.rint(weights) + 1, True),
    }
    rows = reference("profile_catdes.csv")
    rows = rows[rows["kind"] == kind].fillna({"category": ""})
    for key, part in rows.groupby(["set", "by", "variable", "category"]):
        which, by, variable, category = key
        frame, w, counts = cases[which]
        sums = sums_of(frame, kind, variable, by, category, w, counts=counts)
        groups = list(pd.Categorical(frame[by]).categories)
        v = v_test_means(sums) if kind == "mean" else v_test_shares(sums)
        yield " ".join(key), v[[groups.index(g) for g in part["group"]]], part["v"].to_numpy()


class TestAgainstFactoMineR:
    """R 4.2.2, FactoMineR 2.7: catdes(proba = 1) on tea, wine and, weighted, the Pew excerpt."""

    @pytest.mark.parametrize(("kind", "least"), [("mean", 100), ("share", 1000)])
    def test_v_tests_are_catdes_s(self, shared_data: Path, kind: str, least: int) -> None:
        seen, signs = 0, set()
        for name, ours, theirs in catdes(shared_data, kind):
            # 15 digits and another way to sum a tail: both are right to 1e-12 or so.
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10, err_msg=name)
            seen += len(theirs)
            signs |= set(np.sign(theirs))
        assert seen >= least
        assert {-1, 1} <= signs


def draw(drawn: int, group: int, ones: int, everybody: int) -> GroupSums:
    """Return the sums of a group with ``drawn`` of all ones, and of the rest."""
    cells = [
        (1, 0, drawn),
        (0, 0, group - drawn),
        (1, 1, ones - drawn),
        (0, 1, everybody - group - ones + drawn),
    ]
    x, groups, weights = np.array([c for c in cells if c[2]]).T
    return sum_groups(
        x.astype(float), groups.astype(np.intp), weights.astype(float), n_groups=2, counts=True
    )


class TestShares:
    def test_size_is_the_exact_hypergeometric_mid_p(self) -> None:
        rng = np.random.default_rng(1)
        for _ in range(200):
            everybody = int(rng.integers(4, 60))
            group, ones = (int(v) for v in rng.integers(1, everybody, 2))
            least, most = max(0, group + ones - everybody), min(group, ones)
            drawn = int(rng.integers(least, most + 1))
            ways = [comb(ones, j) * comb(everybody - ones, group - j) for j in range(most + 1)]
            below = Fraction(sum(ways[:drawn]) * 2 + ways[drawn], 2 * comb(everybody, group))
            mid_p = float(min(below, 1 - below))
            v = v_test_shares(draw(drawn, group, ones, everybody))[0]
            # The normal quantile near 1/2 has an absolute error: hence atol.
            assert abs(v) == pytest.approx(-stats.norm.ppf(mid_p), rel=1e-10, abs=1e-10)
            if drawn * everybody != group * ones:
                assert np.sign(v) in (0, np.sign(drawn * everybody - group * ones))

    def test_v_goes_on_where_the_p_of_a_double_ends(self) -> None:
        # All 2,000 ones are in a group of 2,000 of 4,000: mid-p is half of 1 / C(4000, 2000), which
        # is 1e-1202. FactoMineR's v-test is Inf here.
        v = v_test_shares(draw(2000, 2000, 2000, 4000))
        # Python's whole numbers have no end, and math.log takes them.
        log_p = -(np.log(2) + float(np.log(float(comb(4000, 2000) // 10**900))) + 900 * np.log(10))
        assert np.isfinite(v).all()
        assert special.log_ndtr(-v[0]) == pytest.approx(log_p, rel=1e-12)
        assert v[1] == pytest.approx(-v[0], rel=1e-12)

    def test_v_of_a_million_people_is_the_normal_one_near_the_middle(self) -> None:
        # Standard deviation of a draw of 250,000 with 30 % ones from 1,000,000: 198.43; 400 above
        # the expected number is 2.016 of them, and what the normal law lacks is 1 / sd.
        v = v_test_shares(draw(75_400, 250_000, 300_000, 1_000_000))
        sd = np.sqrt(250_000 * 0.3 * 0.7 * 750_000 / 999_999)
        assert v[0] == pytest.approx(400 / sd, abs=1e-3)

    def test_share_of_all_or_of_nobody_has_no_v_test(self) -> None:
        groups = np.array([0, 0, 1, 1])
        for x in (np.zeros(4), np.ones(4), np.full(4, np.nan)):
            sums = sum_groups(x, groups, np.ones(4), n_groups=3, counts=False)
            assert np.isnan(v_test_shares(sums)).all()

    def test_an_empty_group_and_one_with_everybody_have_none(self) -> None:
        x, groups = np.array([0.0, 1, 1]), np.zeros(3, dtype=np.intp)
        sums = sum_groups(x, groups, np.ones(3), n_groups=2, counts=True)
        assert np.isnan(v_test_shares(sums)).all()
        assert np.isnan(v_test_means(sums)).all()

    def test_uneven_weights_that_round_to_an_impossible_draw_stay_finite(self) -> None:
        rng = np.random.default_rng(5)
        for _ in range(300):
            n = int(rng.integers(3, 12))
            x, groups = rng.integers(0, 2, n).astype(float), rng.integers(0, 3, n)
            weights = rng.lognormal(0, 1.5, n)
            for counts in (True, False):
                found = sum_groups(x, groups, weights, n_groups=3, counts=counts)
                v = np.concatenate([v_test_shares(found), v_test_means(found)])
                assert not np.isinf(v).any()


class TestMeans:
    def test_by_hand(self) -> None:
        # 1 2 3 | 4 5: mean of all 3, standard deviation sqrt(2); the second group's mean is 1.5
        # above; sqrt((5 - 2) / (2 * 4)) * sqrt(2) is the error of a mean of two of five.
        x, groups = np.array([1.0, 2, 3, 4, 5]), np.array([0, 0, 0, 1, 1])
        v = v_test_means(sum_groups(x, groups, np.ones(5), n_groups=2, counts=True))
        assert v == pytest.approx([-np.sqrt(3), np.sqrt(3)], rel=1e-12)

    def test_answers_all_alike_have_none(self) -> None:
        x, groups = np.full(90, 0.1), np.tile([0, 1, 2], 30)
        sums = sum_groups(x, groups, np.tile([0.3, 0.7], 45), n_groups=3, counts=False)
        assert np.isnan(v_test_means(sums)).all()

    def test_missing_answers_count_nowhere(self) -> None:
        x, groups = np.array([1.0, 2, 3, 4, 5, np.nan]), np.array([0, 0, 0, 1, 1, 1])
        with_missing = sum_groups(x, groups, np.ones(6), n_groups=2, counts=True)
        without = sum_groups(x[:5], groups[:5], np.ones(5), n_groups=2, counts=True)
        np.testing.assert_array_equal(v_test_means(with_missing), v_test_means(without))


class TestWeights:
    def test_integer_frequency_weights_give_the_v_tests_of_repeated_rows(self) -> None:
        rng = np.random.default_rng(8)
        for _ in range(20):
            x, groups = rng.integers(0, 2, 80).astype(float), rng.integers(0, 3, 80)
            times = rng.integers(1, 5, 80)
            weighted = sum_groups(x, groups, times.astype(float), n_groups=3, counts=True)
            repeated = sum_groups(
                np.repeat(x, times),
                np.repeat(groups, times),
                np.ones(times.sum()),
                n_groups=3,
                counts=True,
            )
            for test in (v_test_means, v_test_shares):
                np.testing.assert_allclose(test(weighted), test(repeated), rtol=1e-10, atol=1e-12)

    def test_rescaled_sampling_weights_change_nothing(self) -> None:
        rng = np.random.default_rng(9)
        x, groups = rng.integers(0, 2, 200).astype(float), rng.integers(0, 3, 200)
        weights = rng.uniform(0.3, 3, 200)
        one, two = (
            sum_groups(x, groups, weights * scale, n_groups=3, counts=False) for scale in (1, 0.037)
        )
        for test in (v_test_means, v_test_shares):
            np.testing.assert_allclose(test(one), test(two), rtol=1e-10)

    def test_unequal_sampling_weights_do_not_make_evidence(self) -> None:
        # Half the people weigh nine times the others: 1,000 rows are worth 610 people.
        rng = np.random.default_rng(10)
        groups = rng.integers(0, 2, 1000)
        x = rng.normal(groups * 0.3, 1)
        weights = np.tile([1.0, 9.0], 500)
        sampled = sum_groups(x, groups, weights, n_groups=2, counts=False)
        people = sum_groups(x, groups, weights, n_groups=2, counts=True)
        ratio = v_test_means(sampled) / v_test_means(people)
        # 5,000 people against 5000**2 / 41000 = 609.76.
        assert ratio == pytest.approx([np.sqrt(608.76 / 4999)] * 2, rel=1e-4)
