"""Sums by group: equal to survey's numbers, to inference's one by one, and to repeated rows."""

import time
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from psychoseg.stats import groups as gr
from psychoseg.stats import inference as inf
from tests.stats.conftest import reference
from tests.stats.profile_reference import Table, biofam, pew, tables

K = 4


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


def made(rng: np.random.Generator, n: int = 300) -> tuple[np.ndarray, ...]:
    """Return x with missing values, groups with rows in none, integer weights."""
    groups = rng.integers(-1, K, n)
    x = rng.normal(10 + groups * 0.4, 1 + 0.2 * groups.clip(0))
    x[rng.random(n) < 0.1] = np.nan
    return x, groups, rng.integers(1, 5, n).astype(float)


def summed(
    x: np.ndarray, groups: np.ndarray, weights: np.ndarray | None = None, *, counts: bool = True
) -> gr.GroupSums:
    weights = np.ones(len(x)) if weights is None else weights
    return gr.sum_groups(x, groups, weights, n_groups=int(groups.max()) + 1, counts=counts)


def numbers(sums: gr.GroupSums) -> np.ndarray:
    """Return every estimate of groups and of groups against the rest as one array."""
    mean, bases = gr.group_means(sums), gr.group_bases(sums)
    apart = gr.differences(sums, gr.rest_of(sums))
    return np.array(
        [
            *(mean.value, mean.se, mean.low, mean.high, mean.people, gr.group_sds(sums)),
            *(bases.people, bases.weighted, bases.effective),
            *(apart.difference, apart.low, apart.high, apart.p, apart.effect),
        ]
    )


def varies(table: Table, *columns: str) -> np.ndarray:
    """Return which of R's rows are of groups whose answers vary (see difference_p)."""
    varying = gr.group_means(table.sums).variance > 0
    return np.logical_and.reduce([varying[table.positions(c)] for c in columns])


class TestAgainstSurveyPackage:
    """R 4.2.2, survey 4.1.1, 15 digits; ours differ by rounding, so 1e-11 and for p 1e-9."""

    def test_means_shares_and_their_intervals_are_svymean_s_and_svyciprop_s(
        self, shared_data: Path
    ) -> None:
        seen = lucky_seen = 0
        for table in tables("profile_estimates.csv", shared_data):
            share, r = table.kind == "share", table.rows
            found = gr.group_shares(table.sums) if share else gr.group_means(table.sums)
            at, value, se = table.positions("group"), r["value"].to_numpy(), r["se"].to_numpy()
            np.testing.assert_allclose(found.value[at], value, rtol=1e-11, err_msg=table.name)
            # R's standard error of a share of 0 or 1 is rounding.
            np.testing.assert_allclose(found.se[at], se, rtol=1e-11, atol=1e-9, err_msg=table.name)
            np.testing.assert_allclose(found.people[at], r["n"], rtol=0)
            # Where the share does not vary, or weights are so lucky that the effective size is
            # above the number of people, the interval is wider than R's on purpose.
            plain = se > 1e-9
            if share:
                plain &= value * (1 - value) <= r["n"].to_numpy() * np.maximum(se, 1e-9) ** 2
            lucky_seen += int((~plain).sum())
            low, high = r["low"].to_numpy(), r["high"].to_numpy()
            np.testing.assert_allclose(found.low[at][plain], low[plain], rtol=1e-11)
            np.testing.assert_allclose(found.high[at][plain], high[plain], rtol=1e-11)
            if not share:
                np.testing.assert_allclose(gr.group_sds(table.sums)[at], r["sd"], rtol=1e-11)
            seen += len(r)
        assert seen == len(reference("profile_estimates.csv"))
        assert lucky_seen < seen / 5

    def test_differences_from_the_rest_are_svyttest_s(self, shared_data: Path) -> None:
        compared = 0
        for table in tables("profile_rests.csv", shared_data):
            found = gr.differences(table.sums, gr.rest_of(table.sums))
            at, r, use = table.positions("group"), table.rows, varies(table, "group")
            # Differences of birth years are 1e-4 of the years: hence 1e-9.
            np.testing.assert_allclose(
                found.difference[at], r["difference"], rtol=1e-9, err_msg=table.name
            )
            for name in ("low", "high", "p"):
                np.testing.assert_allclose(
                    getattr(found, name)[at][use], r[name][use], rtol=1e-9, err_msg=table.name
                )
            compared += int(use.sum())
        assert compared > 0.95 * len(reference("profile_rests.csv"))

    def test_differences_of_pairs_are_svyttest_s(self, shared_data: Path) -> None:
        compared = 0
        for table in tables("profile_pairs.csv", shared_data):
            one, other = (only(table.sums, table.positions(c)) for c in ("group", "other"))
            found, r, use = gr.differences(one, other), table.rows, varies(table, "group", "other")
            for name in ("low", "high", "p"):
                np.testing.assert_allclose(
                    getattr(found, name)[use], r[name][use], rtol=1e-9, err_msg=table.name
                )
            compared += int(use.sum())
        assert compared > 0.9 * len(reference("profile_pairs.csv"))

    def test_tests_of_all_groups_are_regtermtest_s_and_svychisq_s(self, shared_data: Path) -> None:
        frames = {"pew": pew(shared_data), "biofam": biofam(shared_data)}
        for r in reference("profile_tests.csv").itertuples():
            frame = frames[r.set]
            weights = frame["weight"].to_numpy()
            by = codes(frame[r.by])
            if r.kind == "mean":
                x = frame[r.variable].to_numpy(float)
                found = inf.test_means(x, by, weights, counts=False)
                assert found.name == "Wald F"
            else:
                x = codes(frame[r.variable])
                found = inf.test_association(x, by, weights, counts=False)
                assert found.name == "Rao-Scott F"
            ours = [found.statistic, found.df1, found.df2, found.p]
            assert ours == pytest.approx([r.statistic, r.df1, r.df2, r.p], rel=1e-9, abs=0)


class TestEqualsTheOneByOneEstimates:
    @pytest.mark.parametrize("counts", [False, True])
    def test_means_sds_bases_and_effects(self, rng: np.random.Generator, counts: bool) -> None:
        x, groups, weights = made(rng)
        if not counts:
            weights *= rng.uniform(0.3, 1.7, len(weights))
        sums = summed(x, groups, weights, counts=counts)
        mean, sd, bases = gr.group_means(sums), gr.group_sds(sums), gr.group_bases(sums)
        apart = gr.differences(sums, gr.rest_of(sums))
        in_one = np.where(groups >= 0, x, np.nan)
        for g in range(K):
            inside = groups == g
            one = inf.estimate_mean(x, inside, weights, counts=counts)
            ours = [mean.value[g], mean.se[g], mean.low[g], mean.high[g]]
            assert ours == pytest.approx([one.value, one.se, one.low, one.high], rel=1e-12)
            assert sd[g] == pytest.approx(
                inf.weighted_sd(x[inside], weights[inside], counts=counts), rel=1e-12
            )
            base = inf.count_base(weights[inside & ~np.isnan(x)], counts=counts)
            ours = [bases.rows[g], bases.people[g], bases.weighted[g], bases.effective[g]]
            expected = [base.rows, base.people, base.weighted, base.effective]
            assert ours == pytest.approx(expected, rel=1e-13)
            d = inf.standardised_difference(in_one, inside, weights, counts=counts)
            assert apart.effect[g] == pytest.approx(d, rel=1e-11)

    @pytest.mark.parametrize("counts", [False, True])
    def test_shares_of_categories_in_one_pass(self, rng: np.random.Generator, counts: bool) -> None:
        _, groups, weights = made(rng)
        answers = rng.integers(-1, 3, len(groups))
        found = gr.sum_categories(
            answers, groups, weights, n_categories=3, n_groups=K, counts=counts
        )
        for category, sums in enumerate(found):
            chosen = np.where(answers < 0, np.nan, answers == category)
            slow = gr.sum_groups(chosen, groups, weights, n_groups=K, counts=counts)
            np.testing.assert_allclose(numbers(sums), numbers(slow), rtol=1e-12)
            share = gr.group_shares(sums)
            for g in range(K):
                one = inf.estimate_share(chosen, groups == g, weights, counts=counts)
                ours = [share.value[g], share.se[g], share.low[g], share.high[g]]
                assert ours == pytest.approx([one.value, one.se, one.low, one.high], rel=1e-11)


class TestProperties:
    def test_integer_frequency_weights_give_the_numbers_of_repeated_rows(
        self, rng: np.random.Generator
    ) -> None:
        for _ in range(20):
            x, groups, weights = made(rng, 120)
            times = weights.astype(int)
            weighted = numbers(summed(x, groups, weights))
            repeated = numbers(summed(np.repeat(x, times), np.repeat(groups, times)))
            np.testing.assert_allclose(weighted, repeated, rtol=1e-10)

    def test_rescaled_sampling_weights_change_nothing_but_their_sum(
        self, rng: np.random.Generator
    ) -> None:
        x, groups, weights = made(rng)
        first = numbers(summed(x, groups, weights, counts=False))
        second = numbers(summed(x, groups, weights * 0.037, counts=False))
        second[7] /= 0.037  # The weighted base is what was rescaled.
        np.testing.assert_allclose(first, second, rtol=1e-10)

    def test_the_order_of_rows_decides_nothing(self, rng: np.random.Generator) -> None:
        x, groups, weights = made(rng)
        order = rng.permutation(len(x))
        first = numbers(summed(x, groups, weights, counts=False))
        second = numbers(summed(x[order], groups[order], weights[order], counts=False))
        np.testing.assert_allclose(first, second, rtol=1e-11)

    def test_sums_of_likert_answers_are_the_same_bytes_in_any_order(
        self, rng: np.random.Generator
    ) -> None:
        x = rng.choice([1.0, 2, 3, 4, 5, np.nan], 500, p=[0.1, 0.1, 0.1, 0.3, 0.3, 0.1])
        groups = rng.integers(0, K, 500)
        order = rng.permutation(500)
        first, second = numbers(summed(x, groups)), numbers(summed(x[order], groups[order]))
        assert first.tobytes() == second.tobytes()

    def test_the_rest_is_everybody_else(self, rng: np.random.Generator) -> None:
        x, groups, weights = made(rng)
        rest = gr.rest_of(summed(x, groups, weights, counts=False))
        mean = gr.group_means(rest)
        for g in range(K):
            others = (groups >= 0) & (groups != g)
            one = inf.estimate_mean(x, others, weights, counts=False)
            assert [mean.value[g], mean.se[g]] == pytest.approx([one.value, one.se], rel=1e-12)

    def test_the_rest_of_nearly_everybody_does_not_cancel(self) -> None:
        # One million against three whose weights are a millionth: their mean has all its digits.
        x = np.concatenate([np.full(1000, 5.0), [1.0, 2.0, 4.0]])
        weights = np.concatenate([np.full(1000, 1e6), np.full(3, 1e-3)])
        groups = (np.arange(1003) >= 1000).astype(np.intp)
        rest = gr.group_means(gr.rest_of(summed(x, groups, weights, counts=False)))
        assert rest.value[0] == pytest.approx(7 / 3, rel=1e-12)

    def test_joined_groups_are_the_groups_of_joined_labels(self, rng: np.random.Generator) -> None:
        x, groups, weights = made(rng)
        into = np.array([1, 0, -1, 1])
        joined = gr.join_groups(summed(x, groups, weights, counts=False), into, 2)
        labels = np.where(groups < 0, -1, into[groups])
        expected = gr.sum_groups(x, labels, weights, n_groups=2, counts=False)
        np.testing.assert_allclose(
            gr.group_means(joined).se, gr.group_means(expected).se, rtol=1e-12
        )
        np.testing.assert_allclose(
            gr.group_means(joined).value, gr.group_means(expected).value, rtol=1e-12
        )

    @pytest.mark.parametrize("shift", [0.0, 1.7e9, -1e12])
    def test_answers_far_from_zero_keep_their_digits(
        self, rng: np.random.Generator, shift: float
    ) -> None:
        x, groups = rng.integers(0, 50, 400).astype(float), rng.integers(0, 3, 400)
        near, far = gr.group_means(summed(x, groups)), gr.group_means(summed(x + shift, groups))
        np.testing.assert_allclose(far.se, near.se, rtol=1e-12)

    def test_p_is_uniform_where_nothing_differs(self, rng: np.random.Generator) -> None:
        # 500 surveys with unequal weights; Kolmogorov-Smirnov at 1 per mille.
        p = []
        for _ in range(500):
            groups, weights = rng.integers(0, 3, 250), rng.uniform(0.3, 3, 250)
            sums = summed(rng.normal(size=250), groups, weights, counts=False)
            p.append(gr.differences(sums, gr.rest_of(sums)).p[0])
        assert stats.kstest(p, "uniform").pvalue > 0.001

    def test_intervals_of_a_planted_difference_hold_it_as_often_as_they_say(
        self, rng: np.random.Generator
    ) -> None:
        held = 0
        for _ in range(1000):
            groups, weights = rng.integers(0, 2, 120), rng.uniform(0.5, 2, 120)
            sums = summed(rng.normal(groups * 0.7, 1), groups, weights, counts=False)
            apart = gr.differences(sums, gr.rest_of(sums))
            held += bool(apart.low[1] <= 0.7 <= apart.high[1])
        # 950 expected; the standard deviation of the count is 6.9.
        assert 925 <= held <= 975

    def test_a_million_rows_in_ten_groups_take_less_than_a_second(
        self, rng: np.random.Generator
    ) -> None:
        n = 1_000_000
        groups, weights = rng.integers(0, 10, n), rng.uniform(0.3, 3, n)
        x = rng.integers(1, 8, n).astype(float)
        start = time.process_time()
        found = gr.sum_groups(x, groups, weights, n_groups=10, counts=False)
        categories = gr.sum_categories(
            x.astype(np.intp) - 1, groups, weights, n_categories=7, n_groups=10, counts=False
        )
        assert time.process_time() - start < 1
        assert found.rows.sum() == n == categories[3].rows.sum()


class TestEdges:
    def test_an_empty_group_has_a_base_of_zero_and_no_number(self) -> None:
        sums = gr.sum_groups(
            np.array([1.0, 2, 4]), np.array([0, 0, 2]), np.ones(3), n_groups=3, counts=False
        )
        mean, bases = gr.group_means(sums), gr.group_bases(sums)
        assert np.isnan([mean.value[1], mean.se[1], mean.low[1], mean.high[1]]).all()
        assert [bases.rows[1], bases.people[1], bases.weighted[1], bases.effective[1]] == [0] * 4
        apart = gr.differences(sums, gr.rest_of(sums))
        assert np.isnan([apart.difference[1], apart.p[1], apart.effect[1]]).all()

    def test_one_person_has_a_mean_and_no_error(self) -> None:
        sums = summed(np.array([1.0, 2, 4]), np.array([0, 0, 1]))
        mean, apart = gr.group_means(sums), gr.differences(sums, gr.rest_of(sums))
        assert mean.value[1] == 4
        assert np.isnan([mean.se[1], mean.low[1], mean.high[1], gr.group_sds(sums)[1]]).all()
        assert apart.difference[1] == pytest.approx(2.5)
        assert np.isnan([apart.low[1], apart.high[1], apart.p[1]]).all()
        # Three people leave one degree of freedom: sums of squares .5 and 0, d = 2.5 / sqrt(.5).
        assert apart.effect[1] == pytest.approx(2.5 / np.sqrt(0.5))

    @pytest.mark.parametrize("counts", [False, True])
    def test_nobody_answered(self, counts: bool) -> None:
        sums = summed(np.full(4, np.nan), np.array([0, 0, 1, 1]), counts=counts)
        found = numbers(sums)
        assert np.isnan(np.delete(found, [4, 6, 7, 8], axis=0)).all()
        assert (found[[4, 6, 7, 8]] == 0).all()
        assert np.isnan(gr.group_shares(sums).high).all()

    def test_no_rows_and_one_group(self) -> None:
        nobody = np.array([])
        sums = gr.sum_groups(nobody, nobody.astype(np.intp), nobody, n_groups=1, counts=False)
        assert np.isnan(gr.group_means(sums).value).all()
        alone = summed(np.array([1.0, 2, 3]), np.zeros(3, dtype=np.intp))
        assert np.isnan(gr.differences(alone, gr.rest_of(alone)).difference).all()

    def test_answers_all_alike_vary_by_exactly_nothing(self) -> None:
        # Neither .1 nor these weights have short binary fractions: their sums are rounded.
        weights = np.tile([0.3, 0.7, 1.1], 100)
        groups = np.tile([0, 1], 150)
        for x in (np.full(300, 0.1), np.where(groups == 0, 0.1, 0.7)):
            sums = summed(x, groups, weights, counts=False)
            assert (gr.group_means(sums).se == 0).all()
            assert (gr.group_sds(sums) == 0).all()

    def test_effect_is_infinite_where_groups_are_apart_without_spread_and_0_where_alike(
        self,
    ) -> None:
        groups = np.tile([0, 1], 30)
        weights = np.tile([0.3, 0.7, 1.1], 20)
        apart = summed(np.where(groups == 0, 0.1, 0.7), groups, weights, counts=False)
        found = gr.differences(apart, gr.rest_of(apart))
        assert found.effect.tolist() == [-np.inf, np.inf]
        assert np.isnan(found.low).all()
        same = summed(np.full(60, 0.1), groups, weights, counts=False)
        found = gr.differences(same, gr.rest_of(same))
        assert found.effect.tolist() == found.difference.tolist() == [0, 0]
        assert found.p.tolist() == [1, 1]

    def test_shares_of_0_and_1_have_the_exact_interval(self) -> None:
        x, groups = np.repeat([0.0, 1.0], 40), np.repeat([0, 1], 40)
        found = gr.group_shares(summed(x, groups))
        for g, people in enumerate((0, 40)):
            exact = stats.binomtest(people, 40).proportion_ci(method="exact")
            assert [found.low[g], found.high[g]] == pytest.approx(
                [exact.low, exact.high], rel=1e-10
            )

    def test_shares_of_0_and_1_are_exact_under_any_weights(self) -> None:
        weights = np.tile([0.3, 0.7, 1.1], 40)
        groups = np.repeat([0, 1, 2], 40)
        x = np.where(groups == 2, np.arange(120) < 93, groups).astype(float)
        sums = summed(x, groups, weights, counts=False)
        found = gr.group_shares(sums)
        assert found.value[:2].tolist() == [0, 1]
        assert (found.low[0], found.high[1]) == (0, 1)
        assert (found.variance[:2] == 0).all()

    def test_lucky_weights_do_not_make_more_people_than_there_are(self) -> None:
        # One respondent of tiny weight chose it: the linearised variance alone would count as
        # 10,000 people.
        weights = np.ones(50)
        weights[0] = 1e-4
        chosen = np.zeros(50)
        chosen[0] = 1
        sums = summed(chosen, np.zeros(50, dtype=np.intp), weights, counts=False)
        one = inf.estimate_share(chosen, np.ones(50, dtype=bool), weights, counts=False)
        assert gr.group_shares(sums).high[0] == pytest.approx(one.high, rel=1e-10)
        assert one.high > 0.05

    def test_groups_alike_but_for_the_rounding_of_their_sums_do_not_differ(self) -> None:
        # The third group moves the centre, so that the sums of the two others are rounded.
        rng = np.random.default_rng(6)
        for _ in range(50):
            groups, weights = rng.integers(0, 3, 200), rng.uniform(0.3, 3, 200)
            sums = summed(np.where(groups == 2, 0.7, 0.1), groups, weights, counts=False)
            one, other = only(sums, np.array([0])), only(sums, np.array([1]))
            found = gr.differences(one, other)
            assert found.difference[0] == found.effect[0] == 0
            assert found.p[0] == 1

    def test_p_of_nobody_against_everybody_is_the_permutation_test_s(self) -> None:
        # Of the C(5, 2) = 10 ways to deal two ones among five people, one deals them so, and one
        # is as far the other way: 2 / 10. Of 60 against 60 it is no chance.
        sums = summed(np.array([1.0, 1, 0, 0, 0]), np.array([0, 0, 1, 1, 1]))
        assert gr.differences(sums, gr.rest_of(sums)).p == pytest.approx([0.2, 0.2], rel=1e-12)
        many = summed(np.repeat([0.0, 1], 60), np.repeat([0, 1], 60))
        assert (gr.differences(many, gr.rest_of(many)).p < 1e-30).all()

    def test_a_share_of_0_in_a_small_group_is_no_proof(self) -> None:
        # 0 of 40 against 9 of 300, by hand: the rest's variance .0291 / 300 * 340 / 339, the
        # group's the same for 40 people. Fisher's exact test has p = .61, svyttest .002.
        x = np.concatenate([np.zeros(40), np.ones(9), np.zeros(291)])
        groups = np.repeat([0, 1], [40, 300])
        found = gr.differences(*(only(summed(x, groups), np.array([g])) for g in (0, 1)))
        se = np.sqrt(0.0291 * (1 / 300 + 1 / 40) * 340 / 339)
        assert found.p[0] == pytest.approx(2 * stats.t.sf(0.03 / se, 338), rel=1e-10)
        assert found.p[0] > 0.2
        half = stats.t.ppf(0.975, 338) * se
        assert [found.low[0], found.high[0]] == pytest.approx([-0.03 - half, -0.03 + half])

    def test_no_input_is_changed(self, rng: np.random.Generator) -> None:
        x, groups, weights = made(rng)
        before = [a.copy() for a in (x, groups, weights)]
        sums = summed(x, groups, weights, counts=False)
        copies = {f: getattr(sums, f).copy() for f in ("rows", "weight", "wx", "w2xx")}
        numbers(sums)
        gr.group_shares(sums)
        for ours, theirs in zip((x, groups, weights), before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        for name, values in copies.items():
            np.testing.assert_array_equal(getattr(sums, name), values)


class TestTestsOfAllGroups:
    def test_chi_square_is_scipy_s_with_its_degrees_of_freedom(
        self, rng: np.random.Generator
    ) -> None:
        answers, groups = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
        found = inf.test_association(answers, groups, np.ones(300), counts=True)
        table = np.zeros((4, 3))
        np.add.at(table, (answers, groups), 1)
        expected = stats.chi2_contingency(table, correction=False)
        assert [found.statistic, found.p] == pytest.approx(
            [expected.statistic, expected.pvalue], rel=1e-10
        )
        assert (found.df1, found.name) == (expected.dof, "chi-square")
        assert np.isnan(found.df2)

    def test_rows_in_no_group_take_no_part_but_count_in_the_sample(
        self, rng: np.random.Generator
    ) -> None:
        x, groups, weights = made(rng)
        answers = rng.integers(0, 3, len(x))
        grouped = groups >= 0
        hidden, coded = np.where(grouped, x, np.nan), np.where(grouped, answers, -1)
        other = np.where(grouped, groups, 0)
        for counts in (False, True):
            assert inf.test_means(x, groups, weights, counts=counts) == inf.test_means(
                hidden, other, weights, counts=counts
            )
            one = inf.test_association(answers, groups, weights, counts=counts)
            two = inf.test_association(coded, other, weights, counts=counts)
            assert one.statistic == two.statistic
            assert one.p == two.p
        assert inf.eta_squared(x, groups, weights) == inf.eta_squared(hidden, other, weights)
        assert inf.cramers_v(answers, groups, weights) == inf.cramers_v(coded, other, weights)

    def test_what_cannot_be_tested_keeps_its_name(self) -> None:
        groups, ones = np.zeros(5, dtype=np.intp), np.ones(5)
        found = inf.test_means(np.arange(5.0), groups, ones, counts=False)
        assert found.name == "Wald F"
        assert np.isnan([found.statistic, found.df1, found.df2, found.p]).all()
        found = inf.test_association(groups, groups, ones, counts=False)
        assert found.name == "Rao-Scott F"
        assert np.isnan([found.statistic, found.df1, found.df2, found.p]).all()


def only(sums: gr.GroupSums, at: np.ndarray) -> gr.GroupSums:
    """Return the sums of some of the groups."""
    n_groups = len(sums.rows)
    picked = [gr.join_groups(sums, np.where(np.arange(n_groups) == g, 0, -1), 1) for g in at]
    names = ("rows", "weight", "weight2", "wx", "wxx", "w2x", "w2xx")
    fields = [np.concatenate([getattr(p, name) for p in picked]) for name in names]
    return gr.GroupSums(*fields, sums.centre, sums.size, sums.counts)


def codes(column) -> np.ndarray:
    return column.astype("category").cat.codes.to_numpy(np.intp)
