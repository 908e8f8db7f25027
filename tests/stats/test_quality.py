import numpy as np
import pytest
from scipy.stats import chi2

from psychoseg.stats.correlation import covariance, pearson
from psychoseg.stats.missing import missing_report
from psychoseg.stats.quality import (
    CUTOFFS,
    Cutoff,
    average_string,
    combine_flags,
    even_odd,
    failed_checks,
    flag,
    longstring,
    mahalanobis,
    pair_consistency,
    person_total,
    psychometric_pairs,
    relative_speed,
    response_variability,
    robust_cutoff,
    seconds_per_item,
    weighted_median,
)
from tests.stats.conftest import reference

NAN = np.nan
REVERSED = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]


@pytest.fixture(scope="module")
def first300(bfi):
    return bfi[:300]


@pytest.fixture(scope="module")
def complete(first300):
    return ~np.isnan(first300).any(axis=1)


@pytest.fixture(scope="module")
def careless():
    """Values of R's careless 1.1.3 on bfi's first 300; make_quality_reference.R."""
    return reference("quality_bfi.csv")


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def test_strings_equal_careless(first300, complete, careless):
    np.testing.assert_array_equal(longstring(first300), careless["longest"])
    # careless counts a missing answer as a run of its own, ours does not count it.
    np.testing.assert_allclose(
        average_string(first300)[complete], careless["average"][complete], atol=1e-11
    )


def test_variability_equals_careless(first300, complete, careless):
    found = response_variability(first300)
    np.testing.assert_allclose(found[complete], careless["irv"][complete], atol=1e-11)
    assert careless["irv"][~complete].isna().all()
    assert not np.isnan(found).any()


def test_mahalanobis_equals_careless_on_complete_rows(first300, complete, careless):
    x = first300[complete]
    found = mahalanobis(x, np.ones(len(x)))
    np.testing.assert_allclose(found.squared, careless["mahad"][complete], rtol=1e-10)
    assert (found.df == 25).all()


def test_even_odd_equals_careless(first300, careless, bfi_items):
    keyed = np.where(np.isin(bfi_items, REVERSED), 7 - first300, first300)
    scales = [np.arange(5 * j, 5 * j + 5) for j in range(5)]
    found = even_odd(keyed, scales)
    theirs = careless["even_odd"].to_numpy()
    # A correlation of -1 makes the correction infinite, which both write as -1.
    np.testing.assert_allclose(found, theirs, atol=1e-10)


@pytest.mark.parametrize(("column", "critical"), [("synonyms", 0.45), ("antonyms", 0.35)])
def test_psychometric_pairs_equal_careless(first300, careless, column, critical):
    corr = pearson(first300, np.ones(300))
    pairs = psychometric_pairs(corr, critical=critical, antonyms=column == "antonyms")
    assert (pairs[:, 0] < pairs[:, 1]).all()
    np.testing.assert_allclose(pair_consistency(first300, pairs), careless[column], atol=1e-10)


def test_strings_by_hand():
    items = np.array(
        [[3, 3, 3, 2, 2], [1, 2, 1, 2, 1], [4, 4, NAN, 4, 4], [NAN] * 5, [NAN, 5, 5, 5, NAN]]
    )
    np.testing.assert_array_equal(longstring(items), [3, 1, 2, 0, 3])
    np.testing.assert_array_equal(average_string(items), [2.5, 1, 2, NAN, 3])


def test_variability_by_hand():
    items = np.array([[1, 3, NAN], [2, 2, 2], [0.1, 0.1, 0.1], [5, NAN, NAN]])
    np.testing.assert_array_equal(response_variability(items), [np.sqrt(2), 0, 0, NAN])


def test_even_odd_by_hand():
    scales = [np.array([0, 1]), np.array([2, 3]), np.array([4, 5])]
    items = np.array(
        [
            [1.0, 1, 3, 3, 5, 5],
            [1, 5, 3, 3, 5, 1],
            # Odd items 1 2 4, even items 2 2 5.
            [1, 2, 2, 2, 4, 5],
            [2, 2, 2, 2, 2, 2],
            [1, 2, 3, NAN, 4, 5],
        ]
    )
    found = even_odd(items, scales)
    r = np.corrcoef([1, 2, 4], [2, 2, 5])[0, 1]
    np.testing.assert_allclose(found, [1, -1, 2 * r / (1 + r), NAN, NAN], atol=1e-12)


def test_pair_consistency_takes_three_pairs_and_variation():
    pairs = np.array([[0, 1], [2, 3], [4, 5]])
    items = np.array([[1, 2.0, 3, 4, 5, 6], [1, 2, 3, 4, 5, NAN], [1, 5, 3, 5, 2, 5]])
    np.testing.assert_allclose(pair_consistency(items, pairs), [1, NAN, NAN], atol=1e-12)
    assert np.isnan(pair_consistency(items, psychometric_pairs(np.eye(6)))).all()


def test_mahalanobis_over_the_answers_given_is_chi_square(rng):
    root = np.linalg.cholesky(np.full((6, 6), 0.4) + np.diag(np.full(6, 0.6)))
    x = rng.standard_normal((4000, 6)) @ root.T
    x[rng.random(x.shape) < 0.2] = NAN
    found = mahalanobis(x, np.ones(4000))
    np.testing.assert_array_equal(found.df, (~np.isnan(x)).sum(axis=1))
    # Uniform p-values: standard error of a share of 5% among 4000 is .0034.
    p = found.p[found.df > 0]
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.011)
    assert (p[found.df[found.df > 0] <= 3] < 0.05).mean() == pytest.approx(0.05, abs=0.035)
    assert np.isnan(found.squared[found.df == 0]).all()


def test_mahalanobis_of_one_item_is_a_squared_z_and_a_repeated_item_adds_nothing(rng):
    x = rng.standard_normal((50, 1))
    z = (x[:, 0] - x.mean()) / x.std(ddof=1)
    single = mahalanobis(x, np.ones(50))
    np.testing.assert_allclose(single.squared, z**2, rtol=1e-12)
    np.testing.assert_allclose(single.p, chi2.sf(z**2, 1), rtol=1e-12)
    twice = mahalanobis(np.column_stack([x, x, np.ones(50)]), np.ones(50))
    np.testing.assert_allclose(twice.squared, z**2, rtol=1e-9)
    assert (twice.df == 1).all()


def test_mahalanobis_is_the_form_in_the_answers_given_however_many_are_missing(rng):
    root = np.linalg.cholesky(np.full((6, 6), 0.4) + np.diag(np.full(6, 0.6)))
    x = rng.standard_normal((300, 6)) @ root.T
    x[rng.random(x.shape) < 0.4] = NAN
    found = mahalanobis(x, np.ones(300))
    cov, mean = covariance(x, np.ones(300)), np.nanmean(x, axis=0)
    for i in range(300):
        here = ~np.isnan(x[i])
        z = x[i, here] - mean[here]
        expected = z @ np.linalg.solve(cov[np.ix_(here, here)], z) if here.any() else NAN
        np.testing.assert_allclose(found.squared[i], expected, rtol=1e-9)
    assert set(found.df) == set(range(7))
    # A constant item makes the matrix singular and changes nothing else.
    other = mahalanobis(np.column_stack([x, np.ones(300)]), np.ones(300))
    np.testing.assert_allclose(other.squared, found.squared, rtol=1e-9)
    np.testing.assert_array_equal(other.df, found.df)


def test_person_total_tells_a_backwards_respondent(rng):
    level = np.array([1.5, 2.0, 3.0, 4.0, 4.5])
    x = level + rng.normal(0, 0.3, (100, 5))
    x[0] = 6 - level
    x[1, 3:] = NAN
    x[2, 1:4] = NAN
    found = person_total(x, np.ones(100))
    assert found[0] < -0.95
    assert flag(found, CUTOFFS["person_total"]).nonzero()[0].tolist() == [0]
    mean = np.nanmean(x, axis=0)
    assert found[1] == pytest.approx(np.corrcoef(x[1, :3], mean[:3])[0, 1])
    assert np.isnan(found[2])


def test_speed_is_measured_against_the_median():
    seconds = np.array([100, 200, 300, 600, NAN, 0])
    weights = np.ones(6)
    found = relative_speed(seconds, weights)
    np.testing.assert_allclose(found, [2.5, 1.25, 250 / 300, 250 / 600, NAN, NAN])
    assert flag(found, CUTOFFS["relative_speed"]).tolist() == [True] + [False] * 5
    # Pages: medians 20 and 30; the first is 20 / 2 = 10, held at 3, and 30 / 30.
    pages = np.array([[2, 30.0], [20, 30], [40, NAN]])
    np.testing.assert_allclose(relative_speed(pages, np.ones(3)), [2, 1, 0.5])
    items = np.array([[1, 2.0], [1, NAN], [NAN, NAN]])
    spent = seconds_per_item(np.array([3.0, 3, 3]), items)
    np.testing.assert_array_equal(spent, [1.5, 3, NAN])
    assert flag(spent, CUTOFFS["seconds_per_item"]).tolist() == [True, False, False]


def test_failed_checks_count_wrong_answers_and_not_missing_ones():
    checks = np.array([[4, 1.0], [4, 5], [3, NAN], [NAN, NAN]])
    failed, share = failed_checks(checks, [{4}, (1, 2)])
    np.testing.assert_array_equal(failed, [0, 1, 1, 0])
    np.testing.assert_array_equal(share, [0, 0.5, 1, NAN])
    assert flag(share, CUTOFFS["failed_share"]).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("below", [True, False, False, False]),
        ("above", [False, False, True, False]),
        ("at least", [False, True, True, False]),
    ],
)
def test_a_flag_lies_on_the_stated_side_and_nan_on_none(side, expected):
    values = np.array([1, 2, 3, NAN])
    assert flag(values, Cutoff("x", side, 2, "")).tolist() == expected


def test_every_fixed_cutoff_has_a_source():
    assert all(c.source and name == c.index for name, c in CUTOFFS.items())


def test_robust_cutoff_by_hand():
    # Median 3, deviations 2 1 0 1 97: their median 1.
    cut = robust_cutoff("irv", np.array([1, 2, 3, 4, 100, NAN]), np.ones(6), side="above")
    assert cut.value == pytest.approx(3 + 3 * 1.4826)
    low = robust_cutoff("irv", np.array([1, 2, 3, 4, 100.0]), np.ones(5), side="below")
    assert low.value == pytest.approx(3 - 3 * 1.4826)


def test_flags_are_combined_by_their_number():
    flags = np.array([[True, False, False], [True, True, False], [True, True, True]])
    assert combine_flags(flags).tolist() == [False, True, True]
    assert combine_flags(flags, at_least=3).tolist() == [False, False, True]


def test_weighted_median_is_that_of_repeated_values(rng):
    for _ in range(50):
        values = rng.integers(0, 6, 7).astype(float)
        times = rng.integers(1, 5, 7)
        expected = np.median(np.repeat(values, times))
        assert weighted_median(values, times.astype(float)) == expected
        assert weighted_median(values, times * 0.1) == expected
    assert np.isnan(weighted_median(np.array([NAN]), np.ones(1)))


def test_integer_weights_equal_repeated_rows(first300):
    rng = np.random.default_rng(9)
    x = first300[:, :10]
    times = rng.integers(1, 4, 300)
    again, ones = np.repeat(x, times, axis=0), np.ones(times.sum())
    weights = times.astype(float)
    seconds = rng.lognormal(5, 0.5, 300)
    for one, other in [
        (mahalanobis(x, weights).squared, mahalanobis(again, ones).squared),
        (mahalanobis(x, weights).p, mahalanobis(again, ones).p),
        (person_total(x, weights), person_total(again, ones)),
        (relative_speed(seconds, weights), relative_speed(np.repeat(seconds, times), ones)),
    ]:
        np.testing.assert_allclose(np.repeat(one, times), other, atol=1e-10)
    one, other = missing_report(x, weights), missing_report(again, ones)
    np.testing.assert_allclose(one.items, other.items, atol=1e-12)
    np.testing.assert_allclose(one.coverage, other.coverage, atol=1e-12)
    np.testing.assert_allclose(one.pattern_shares, other.pattern_shares, atol=1e-12)
    np.testing.assert_array_equal(one.patterns, other.patterns)


def test_planted_careless_respondents_are_found_and_few_others():
    rng = np.random.default_rng(12)
    n, bad = 1000, 100
    factors = rng.standard_normal((n, 6))
    latent = 0.8 * np.repeat(factors, 6, axis=1) + 0.6 * rng.standard_normal((n, 36))
    # Items differ in how many agree, or there is nothing for a person to correlate with.
    latent += np.tile(np.linspace(-1, 1, 6), 6)
    items = np.searchsorted([-1.2, -0.4, 0.4, 1.2], latent) + 1.0
    # Half of them answer at random, the others tick one column.
    items[:50] = rng.integers(1, 6, (50, 36))
    items[50:bad] = rng.integers(1, 6, (50, 1))
    scales = [np.arange(6 * j, 6 * j + 6) for j in range(6)]
    weights = np.ones(n)
    pairs = psychometric_pairs(pearson(items, weights), critical=0.45)
    indices = {
        "longstring_share": longstring(items) / 36,
        "mahalanobis_p": mahalanobis(items, weights).p,
        "even_odd": even_odd(items, scales),
        "synonyms": pair_consistency(items, pairs),
        "person_total": person_total(items, weights),
    }
    flags = {name: flag(values, CUTOFFS[name]) for name, values in indices.items()}
    assert flags["longstring_share"][50:bad].all()
    assert not flags["longstring_share"][bad:].any()
    both = combine_flags(np.column_stack([flags["even_odd"], flags["mahalanobis_p"]]))
    assert both[:50].mean() > 0.5
    assert both[bad:].mean() < 0.02


def test_missing_answers_are_reported_by_item_person_pair_and_pattern():
    items = np.array([[1, 2, 3], [1, NAN, NAN], [NAN, NAN, NAN], [2, 2, NAN]])
    found = missing_report(items, np.array([1.0, 1, 1, 2]))
    np.testing.assert_allclose(found.items, [0.2, 0.4, 0.8])
    np.testing.assert_allclose(found.respondents, [0, 2 / 3, 1, 1 / 3])
    np.testing.assert_array_equal(found.last_answered, [2, 0, -1, 1])
    assert found.overall == pytest.approx(1.4 / 3)
    assert found.complete == pytest.approx(0.2)
    np.testing.assert_allclose(np.diag(found.coverage), [0.8, 0.6, 0.2])
    assert found.coverage[0, 1] == pytest.approx(0.6)
    assert found.patterns[0].tolist() == [False, False, True]
    np.testing.assert_allclose(found.pattern_shares, [0.4, 0.2, 0.2, 0.2])
