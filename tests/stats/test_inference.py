"""Means, shares, effect sizes and tests: R's survey package, repeated rows, and hand sums.

R 4.2.2 with survey 4.1.1, on the Pew excerpt of December 2013 (2,001 respondents, ``weight``),
after::

    library(survey)
    d <- read.csv("pew_dec13_excerpt.csv", na.strings = "")
    mid <- c("18-24" = 21, "25-34" = 30, "35-44" = 40, "45-54" = 50, "55-64" = 60, "65+" = 72)
    d$age <- unname(mid[d$recage])               # NA for DK/Ref
    des <- svydesign(ids = ~1, weights = ~weight, data = d)

The line of R that gave a number stands beside it. Printed with 12 digits and more, so relative
tolerances of 1e-9 to 1e-8 are those of the printed digits and of another order of summation.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from psychoseg.stats import inference as inf

MIDPOINTS = {"18-24": 21, "25-34": 30, "35-44": 40, "45-54": 50, "55-64": 60, "65+": 72}


class Pew:
    """The excerpt as arrays."""

    def __init__(self, path: Path) -> None:
        self.frame = pd.read_csv(path, keep_default_na=False, na_values=[""])
        self.weights = self.frame["weight"].to_numpy(float)
        self.age = self.frame["recage"].map(MIDPOINTS).to_numpy(float)
        self.region = self.codes("cregion")

    def codes(self, column: str) -> np.ndarray:
        return pd.Categorical(self.frame[column]).codes.astype(np.intp)

    def inside(self, region: str) -> np.ndarray:
        return (self.frame["cregion"] == region).to_numpy()

    def chosen(self, column: str, category: str) -> np.ndarray:
        return (self.frame[column] == category).to_numpy(float)


@pytest.fixture(scope="module")
def pew(shared_data: Path) -> Pew:
    return Pew(shared_data / "04_values_social" / "pew_dec13_excerpt.csv")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


def made(rng: np.random.Generator, n: int = 240) -> tuple[np.ndarray, ...]:
    """Return x with missing values, categories with missing ones, groups, integer weights."""
    groups = rng.integers(1, 4, n)
    x = rng.normal(groups * 0.4, 1 + 0.2 * groups)
    x[rng.random(n) < 0.1] = np.nan
    codes = rng.integers(0, 4, n)
    codes[rng.random(n) < 0.1] = -1
    return x, codes, groups, rng.integers(1, 5, n).astype(float)


class TestAgainstSurveyPackage:
    def test_mean_and_standard_error_of_the_whole_sample_are_svymean_s(self, pew: Pew) -> None:
        # m <- svymean(~age, des, na.rm = TRUE); c(coef(m), SE(m))
        # confint(m, df = degf(subset(des, !is.na(age))))
        found = inf.estimate_mean(pew.age, pew.region >= 0, pew.weights, counts=False)
        assert found.value == pytest.approx(46.380033054060, rel=1e-11)
        assert found.se == pytest.approx(0.430926373704, rel=1e-9)
        assert [found.low, found.high] == pytest.approx([45.5349109964, 47.2251551118], rel=1e-10)

    @pytest.mark.parametrize(
        ("region", "mean", "se"),
        [
            ("Midwest", 46.9670608512, 0.925124606160),
            ("Northeast", 46.6369073046, 1.038171946716),
            ("South", 46.1099436620, 0.706205212320),
            ("West", 46.0529167995, 0.879364586272),
        ],
    )
    def test_mean_and_standard_error_of_a_domain_are_svyby_s(
        self, pew: Pew, region: str, mean: float, se: float
    ) -> None:
        # svyby(~age, ~cregion, des, svymean, na.rm = TRUE)
        found = inf.estimate_mean(pew.age, pew.inside(region), pew.weights, counts=False)
        assert found.value == pytest.approx(mean, rel=1e-10)
        assert found.se == pytest.approx(se, rel=1e-9)

    def test_interval_of_a_domain_is_confint_with_the_domain_s_degrees_of_freedom(
        self, pew: Pew
    ) -> None:
        # s <- subset(des, cregion == "Midwest" & !is.na(age)); confint(svymean(~age, s), df =
        # degf(s))
        found = inf.estimate_mean(pew.age, pew.inside("Midwest"), pew.weights, counts=False)
        assert [found.low, found.high] == pytest.approx([45.148981723, 48.7851399795], rel=1e-9)

    def test_standard_deviation_is_the_root_of_svyvar(self, pew: Pew) -> None:
        # sqrt(coef(svyvar(~age, subset(des, cregion == "Midwest" & !is.na(age)))))
        inside = pew.inside("Midwest")
        found = inf.weighted_sd(pew.age[inside], pew.weights[inside], counts=False)
        assert found == pytest.approx(17.190721651, rel=1e-9)

    @pytest.mark.parametrize(
        ("region", "column", "category", "share", "low", "high"),
        [
            ("South", "q1", "Approve", 0.4245426298262, 0.382800360675469, 0.467100886864271),
            ("South", "q1", "Disapprove", 0.5329599130544, 0.490516398741073, 0.575051559284252),
            (
                "West",
                "racethn2",
                "Ref",
                0.0190202117853369,
                0.00721403897041493,
                0.0402660365122149,
            ),
            (
                "West",
                "racethn2",
                "White~Hisp",
                0.55621754086198,
                0.500080309811373,
                0.611310664131844,
            ),
        ],
    )
    def test_share_and_interval_are_svyciprop_s_beta_method(
        self,
        pew: Pew,
        region: str,
        column: str,
        category: str,
        share: float,
        low: float,
        high: float,
    ) -> None:
        # svyciprop(~I(q1 == "Approve"), subset(des, cregion == "South"), method = "beta")
        found = inf.estimate_share(
            pew.chosen(column, category), pew.inside(region), pew.weights, counts=False
        )
        assert [found.value, found.low, found.high] == pytest.approx([share, low, high], rel=1e-9)

    @pytest.mark.parametrize(
        ("by", "p"), [("cregion", 0.86179948635647), ("party", 3.5695684867773e-03)]
    )
    def test_p_of_equal_means_is_regtermtest_s(self, pew: Pew, by: str, p: float) -> None:
        # regTermTest(svyglm(age ~ party, des), ~party)$p
        found = inf.test_means(pew.age, pew.codes(by), pew.weights, counts=False).p
        assert found == pytest.approx(p, rel=1e-8)

    @pytest.mark.parametrize(
        ("column", "p"),
        [
            ("q1", 9.0417656354554e-04),
            ("party", 3.8100196524599e-02),
            ("racethn2", 3.7767288014684e-12),
            ("sex", 0.55315879241462),
            # With missing answers: svychisq(~q2 + cregion, subset(des, !is.na(q2)))$p.value
            ("q2", 1.0973901174138e-02),
            ("partyln", 3.1448628733489e-02),
        ],
    )
    def test_p_of_independence_is_svychisq_s_f(self, pew: Pew, column: str, p: float) -> None:
        # svychisq(~q1 + cregion, des)$p.value
        found = inf.test_association(pew.codes(column), pew.region, pew.weights, counts=False).p
        assert found == pytest.approx(p, rel=1e-8)

    def test_p_of_independence_is_svychisq_s_f_with_empty_cells(self, pew: Pew) -> None:
        # svychisq(~party + cregion,   subset(des, !(party == "Other party (VOL.)" & cregion %in%
        # c("Northeast", "West"))))$p.value
        codes = pew.codes("party")
        other = (pew.frame["party"] == "Other party (VOL.)").to_numpy()
        codes[other & (pew.inside("Northeast") | pew.inside("West"))] = -1
        found = inf.test_association(codes, pew.region, pew.weights, counts=False).p
        assert found == pytest.approx(8.3265018129072e-02, rel=1e-8)


class TestWeights:
    def test_integer_frequency_weights_give_the_numbers_of_repeated_rows(
        self, rng: np.random.Generator
    ) -> None:
        x, codes, groups, weights = made(rng)
        times = weights.astype(int)
        ones = np.ones(times.sum())
        weighted = every_number(x, codes, groups, weights, counts=True)
        repeated = every_number(
            np.repeat(x, times),
            np.repeat(codes, times),
            np.repeat(groups, times),
            ones,
            counts=True,
        )
        # The same sums in another order: 1e-10 leaves room for the tails of the distributions.
        assert weighted == pytest.approx(repeated, rel=1e-10)

    def test_rescaled_sampling_weights_change_nothing(self, rng: np.random.Generator) -> None:
        x, codes, groups, weights = made(rng)
        first = every_number(x, codes, groups, weights, counts=False)
        second = every_number(x, codes, groups, weights * 0.037, counts=False)
        assert first == pytest.approx(second, rel=1e-10)

    def test_sampling_weights_widen_the_intervals_of_the_same_counts(
        self, rng: np.random.Generator
    ) -> None:
        x, _, groups, weights = made(rng)
        sampling = inf.estimate_mean(x, groups == 1, weights, counts=False)
        people = inf.estimate_mean(x, groups == 1, weights, counts=True)
        assert sampling.value == people.value
        assert sampling.se > 1.3 * people.se

    def test_bases_are_rows_sum_and_kish_s_effective_size(self) -> None:
        weights = np.array([1.0, 1.0, 2.0])
        sampling = inf.count_base(weights, counts=False)
        assert (sampling.rows, sampling.people, sampling.weighted) == (3, 3, 4)
        assert sampling.effective == pytest.approx(16 / 6)
        assert inf.count_base(weights, counts=True) == inf.Base(3, 4.0, 4.0, 4.0)


class TestUnweightedCases:
    """With weights of one the numbers are the textbook's, by scipy 1.17.1."""

    def test_chi_square_is_pearson_s(self, rng: np.random.Generator) -> None:
        _, codes, groups, _ = made(rng)
        table = pd.crosstab(codes[codes >= 0], groups[codes >= 0]).to_numpy()
        expected = stats.chi2_contingency(table, correction=False)
        ones = np.ones(len(codes))
        assert inf.test_association(codes, groups, ones, counts=True).p == pytest.approx(
            expected.pvalue, rel=1e-10
        )
        v = stats.contingency.association(table, method="cramer")
        assert inf.cramers_v(codes, groups, ones) == pytest.approx(v, rel=1e-12)

    def test_eta_squared_is_the_share_between_groups_of_anova(
        self, rng: np.random.Generator
    ) -> None:
        x, _, groups, _ = made(rng)
        use = ~np.isnan(x)
        f = stats.f_oneway(*(x[use & (groups == g)] for g in (1, 2, 3))).statistic
        between, within = 2, use.sum() - 3
        eta = f * between / (f * between + within)
        assert inf.eta_squared(x, groups, np.ones(len(x))) == pytest.approx(eta, rel=1e-10)

    def test_equal_means_of_two_groups_is_nearly_welch_s_test(
        self, rng: np.random.Generator
    ) -> None:
        # The Wald test divides by m where Welch divides by m - 1 and has more degrees of freedom:
        # at 200 a group both are within a few per cent of each other.
        groups = np.repeat([1, 2], 200)
        x = rng.normal(groups * 0.2, groups)
        expected = stats.ttest_ind(x[groups == 1], x[groups == 2], equal_var=False).pvalue
        found = inf.test_means(x, groups, np.ones(400), counts=True).p
        assert found == pytest.approx(expected, rel=0.03)

    def test_p_of_equal_means_is_uniform_where_nothing_differs(
        self, rng: np.random.Generator
    ) -> None:
        # 400 surveys with unequal weights; Kolmogorov-Smirnov at 1 per mille, so a wrong variance
        # shows.
        p = [
            inf.test_means(
                rng.normal(size=300),
                rng.integers(1, 4, 300),
                rng.uniform(0.3, 3, 300),
                counts=False,
            ).p
            for _ in range(400)
        ]
        assert stats.kstest(p, "uniform").pvalue > 0.001

    def test_interval_of_a_share_is_clopper_pearson_where_nobody_chose_it(self) -> None:
        found = inf.estimate_share(np.zeros(40), np.ones(40, dtype=bool), np.ones(40), counts=True)
        exact = stats.binomtest(0, 40).proportion_ci(method="exact")
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), rel=1e-10)

    def test_lucky_weights_do_not_make_more_people_than_there_are(self) -> None:
        # One respondent of tiny weight chose it: the linearised variance alone would count as
        # 10,000 people.
        weights = np.ones(50)
        weights[0] = 1e-4
        chosen = np.zeros(50)
        chosen[0] = 1
        found = inf.estimate_share(chosen, np.ones(50, dtype=bool), weights, counts=False)
        assert found.high > 0.05


class TestEffects:
    def test_standardised_difference_is_cohen_s_d_by_hand(self) -> None:
        # Means 3 and 1; sums of squares 2 and 2; pooled variance 4 / (6 - 2) = 1; d = 2.
        x = np.array([2.0, 3, 4, 0, 1, 2])
        inside = np.arange(6) < 3
        assert inf.standardised_difference(x, inside, np.ones(6), counts=True) == pytest.approx(2)
        assert inf.standardised_difference(x, ~inside, np.ones(6), counts=True) == pytest.approx(-2)

    def test_standardised_difference_finds_the_planted_one(self, rng: np.random.Generator) -> None:
        inside = rng.random(20_000) < 0.25
        x = rng.normal(10 + 1.5 * inside, 3)
        weights = rng.uniform(0.5, 2, 20_000)
        found = inf.standardised_difference(x, inside, weights, counts=False)
        # Standard error of d here about .017: four of them.
        assert found == pytest.approx(0.5, abs=0.07)

    def test_standardised_difference_is_infinite_where_groups_are_apart_without_spread(
        self,
    ) -> None:
        inside = np.arange(6) < 3
        x = np.where(inside, 0.1, 0.7)
        weights = np.array([0.3, 0.7, 1.1, 1.3, 0.9, 0.6])
        assert inf.standardised_difference(x, inside, weights, counts=False) == -np.inf
        assert inf.standardised_difference(np.full(6, 0.1), inside, weights, counts=False) == 0

    def test_cohen_s_h_is_cohen_s_table_6_2_2(self) -> None:
        # Cohen (1988), table 6.2.2: phi = 2 asin sqrt(P) is 1.571 at .50 and .927 at .20.
        assert inf.cohens_h(0.5, 0.2) == pytest.approx(1.571 - 0.927, abs=0.001)
        assert inf.cohens_h(0, 1) == pytest.approx(-np.pi)
        assert np.isnan(inf.cohens_h(np.nan, 0.2))


class TestEdges:
    def test_one_person_has_a_mean_but_no_interval(self) -> None:
        inside = np.array([True, False, False])
        found = inf.estimate_mean(np.array([4.0, 2, 3]), inside, np.ones(3), counts=True)
        assert found.value == 4
        assert np.isnan([found.se, found.low, found.high]).all()

    def test_no_answer_gives_nan_everywhere(self) -> None:
        x, inside, ones = np.array([np.nan, 2, 3]), np.array([True, False, False]), np.ones(3)
        assert np.isnan(inf.estimate_mean(x, inside, ones, counts=True).value)
        share = inf.estimate_share(x, inside, ones, counts=True)
        assert np.isnan([share.value, share.low, share.high]).all()
        assert np.isnan(inf.standardised_difference(x, inside, ones, counts=True))

    def test_one_group_has_neither_strength_nor_p(self, rng: np.random.Generator) -> None:
        x, codes, _, weights = made(rng)
        groups = np.ones(len(x), dtype=int)
        assert np.isnan(inf.eta_squared(x, groups, weights))
        assert np.isnan(inf.test_means(x, groups, weights, counts=False).p)
        assert np.isnan(inf.cramers_v(codes, groups, weights))
        assert np.isnan(inf.test_association(codes, groups, weights, counts=False).p)
        nobody = np.full(len(x), -1)
        assert np.isnan(inf.cramers_v(nobody, groups, weights))

    def test_a_group_without_spread_is_the_limit_of_little_spread(
        self, rng: np.random.Generator
    ) -> None:
        groups = np.repeat([1, 2, 3], 50)
        x = rng.normal(0.1 * groups, 1)
        x[groups == 2] = 0.3
        nearly = np.where(groups == 2, 0.3 + 1e-6 * rng.normal(size=150), x)
        exact = inf.test_means(x, groups, np.ones(150), counts=True).p
        # A spread of 1e-6 moves that group's mean by about 1e-7 and the p-value by no more than
        # that.
        assert exact == pytest.approx(
            inf.test_means(nearly, groups, np.ones(150), counts=True).p, abs=1e-6
        )

    def test_two_groups_without_spread_cannot_be_tested(self) -> None:
        groups = np.repeat([1, 2, 3], 4)
        x = np.array([1.0] * 4 + [2.0] * 4 + [1.0, 2, 3, 4])
        assert np.isnan(inf.test_means(x, groups, np.ones(12), counts=True).p)

    def test_a_group_of_one_person_takes_no_part_in_the_test(
        self, rng: np.random.Generator
    ) -> None:
        groups = np.array([1] * 30 + [2] * 30 + [3])
        x = rng.normal(size=61)
        with_one = inf.test_means(x, groups, np.ones(61), counts=True).p
        x[-1] = np.nan
        assert with_one == inf.test_means(x, groups, np.ones(61), counts=True).p

    def test_adjusted_p_is_benjamini_and_hochberg_s_and_skips_the_untested(self) -> None:
        # By hand: sorted .01 .02 .30 times 3/1, 3/2, 3/3, made monotone from the right.
        found = inf.adjust_p(np.array([0.30, np.nan, 0.01, 0.02]))
        np.testing.assert_allclose(found, [0.30, np.nan, 0.03, 0.03], rtol=1e-12)
        assert np.isnan(inf.adjust_p(np.array([np.nan]))).all()


def every_number(
    x: np.ndarray, codes: np.ndarray, groups: np.ndarray, weights: np.ndarray, *, counts: bool
) -> list[float]:
    inside = groups == 1
    chosen = np.where(codes < 0, np.nan, codes == 2)
    mean = inf.estimate_mean(x, inside, weights, counts=counts)
    share = inf.estimate_share(chosen, inside, weights, counts=counts)
    means = inf.test_means(x, groups, weights, counts=counts)
    table = inf.test_association(codes, groups, weights, counts=counts)
    return [
        *(mean.value, mean.se, mean.low, mean.high),
        *(share.value, share.se, share.low, share.high),
        inf.weighted_sd(x[inside], weights[inside], counts=counts),
        inf.standardised_difference(x, inside, weights, counts=counts),
        inf.eta_squared(x, groups, weights),
        *(means.statistic, means.df1, means.df2, means.p),
        inf.cramers_v(codes, groups, weights),
        *(table.statistic, table.df1, table.df2 if not counts else 0, table.p),
    ]
