"""Spearman, empty cells, polyserial and mixed pairs, EM, thin pairs.

Reference values by R 4.2.2, psych 2.2.9 and lavaan 0.6-14 (make_correlation_reference.R).
"""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from psychoseg.errors import PsychosegWarning
from psychoseg.stats.contingency import pair_tables
from psychoseg.stats.correlation import (
    ThinPair,
    em_moments,
    mixed_correlation,
    pearson,
    polychoric,
    polyserial,
    spearman,
    thin_pairs,
)
from psychoseg.stats.polychoric import RHO_BOUND
from tests.stats.conftest import reference

KINDS = ["continuous", "continuous", "ordinal", "ordinal", "ordinal"]


@pytest.fixture(scope="module")
def few(bfi):
    items = bfi[:160, [0, 1, 5, 15, 20, 21]]
    return items[~np.isnan(items).any(axis=1)][:120]


@pytest.fixture(scope="module")
def mixed(root, bfi):
    age = pd.read_csv(root / "surveys" / "big_five" / "data.csv")["age"].to_numpy(float)
    worry = np.where(np.isnan(bfi[:, 17]), np.nan, bfi[:, 17] > 3)
    return np.column_stack([age, bfi[:, 1:5].sum(axis=1), bfi[:, 15], bfi[:, 20], worry])[:600]


def expected(name: str) -> np.ndarray:
    return reference(f"correlation_{name}.csv").to_numpy()


def mixture(items: np.ndarray, weights: np.ndarray) -> np.ndarray:
    kinds = ["continuous", *["ordinal"] * (items.shape[1] - 1)]
    return mixed_correlation(items, kinds, weights)


def em(items: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return em_moments(items, weights).cov


def corrected(items: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return polychoric(items, weights, correction=0.5, rule="psych")


def test_spearman_equals_r_pairwise_on_bfi(bfi):
    # Both are sums of products of ranks: rounding alone.
    np.testing.assert_allclose(spearman(bfi, np.ones(len(bfi))), expected("spearman"), atol=1e-11)


def test_spearman_of_many_values_equals_pandas_pairwise():
    x = np.random.default_rng(1).standard_normal((80, 3)).round(1)
    x[::7, 0] = np.nan
    theirs = pd.DataFrame(x).corr(method="spearman")
    np.testing.assert_allclose(spearman(x, np.ones(80)), theirs, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "cut", "correction", "rule", "atol"),
    [
        # lavaan's nlminb stops at about 1e-8, psych's optimize at 1.2e-4.
        ("lavaan_yes", lambda x: (x > 4)[:16] * 1.0, 0.5, "two_by_two", 1e-6),
        ("lavaan_none", lambda x: x, 0.5, "two_by_two", 1e-6),
        ("lavaan_half", lambda x: x, 0.5, "every_table", 1e-6),
        ("psych_half", lambda x: np.ceil(x / 2), 0.5, "psych", 1.2e-4),
        ("psych_yes", lambda x: (x > 4)[:16] * 1.0, 0.5, "psych", 1.2e-4),
    ],
)
def test_empty_cells_are_corrected_as_lavaan_and_psych_do(few, name, cut, correction, rule, atol):
    items = cut(few)
    ones = np.ones(len(items))
    ours = polychoric(items, ones, correction=correction, rule=rule)
    np.testing.assert_allclose(ours, expected(name), atol=atol)
    plain = polychoric(items, ones)
    # The rule is what makes the difference, save where lavaan leaves larger tables alone.
    assert (np.abs(plain - ours).max() < 1e-9) == (name == "lavaan_none")


def test_codes_far_apart_or_with_gaps_count_by_order_alone(bfi):
    rows = bfi[:500, :5]
    strange = np.array([np.nan, -40.5, 2, 3, 99, 1000, 1001])[np.nan_to_num(rows).astype(int)]
    ones = np.ones(500)
    np.testing.assert_allclose(polychoric(strange, ones), polychoric(rows, ones), atol=1e-12)
    np.testing.assert_allclose(polychoric(2 * rows, ones), polychoric(rows, ones), atol=1e-9)


def test_rows_of_weight_zero_do_not_count(few):
    weights = np.r_[np.ones(100), np.zeros(20)]
    few = few.copy()
    few[-1] = 9
    np.testing.assert_allclose(polychoric(few, weights), polychoric(few[:100], np.ones(100)))


def test_tables_count_every_pair_of_answers(bfi):
    weights = np.random.default_rng(2).uniform(0.5, 2, len(bfi))
    tables, n_categories = pair_tables(bfi[:, :3], weights)
    frame = pd.DataFrame({"a": bfi[:, 0], "b": bfi[:, 2], "w": weights}).dropna()
    theirs = frame.pivot_table(index="a", columns="b", values="w", aggfunc="sum", fill_value=0)
    np.testing.assert_allclose(tables[0, 2], theirs, rtol=1e-12)
    assert n_categories.tolist() == [6, 6, 6]


@pytest.mark.parametrize("n", [1, 254, 255, 256, 511, 3000])
def test_tables_are_exact_counts_whatever_is_missing(n):
    # 255 rows are counted at a time; the last answer is only inferred where nothing is missing.
    rng = np.random.default_rng(n)
    items = rng.integers(0, [2, 5, 7, 20, 1, 5, 5, 3], (n, 8)).astype(float)
    items[rng.random(n) < 0.3, 5] = np.nan
    items[:, 6] = np.nan
    items[:, 7] *= 2
    tables, n_categories = pair_tables(items, np.ones(n))
    expected = np.zeros_like(tables)
    low = np.nanmin(np.where(np.isnan(items), np.inf, items), axis=0)
    for i, j in np.ndindex(8, 8):
        both = ~np.isnan(items[:, i]) & ~np.isnan(items[:, j])
        a, b = (items[both][:, k] - low[k] for k in (i, j))
        np.add.at(expected[i, j], (a.astype(int), b.astype(int)), 1)
    np.testing.assert_array_equal(tables, expected)
    used = [len(np.unique(x[~np.isnan(x)])) for x in items.T]
    assert n_categories.tolist() == used


def test_equal_weights_give_the_same_bytes_on_one_thread_and_on_two():
    items = np.random.default_rng(7).integers(1, 6, (2000, 40)).astype(float)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(pair_tables(items, np.ones(2000))[0].tobytes())
    assert found[0] == found[1]


@pytest.mark.parametrize("code", [127.0, 128.0, 1000.0, -128.0, -129.0, np.inf, -np.inf])
def test_no_code_is_taken_for_a_missing_answer(code):
    item = np.array([1, 2, 1, 2, code, code])
    other = np.array([1, 1, 2, 2, np.nan, 1])
    tables, n_categories = pair_tables(np.column_stack([item, other]), np.ones(6))
    assert n_categories.tolist() == [3, 2]
    place = 2 if code > 0 else 0
    assert tables[0, 0, place, place] == 2
    assert tables[0, 1, place].tolist() == [1, 0, 0]


def test_mixed_pairs_equal_lavaan(mixed):
    # lavaan fits two continuous items by an optimiser, to about 1e-5, the others to 2e-6.
    ours = mixed_correlation(mixed, KINDS, np.ones(len(mixed)))
    theirs = expected("mixed")
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(ours[2:, 2:], theirs[2:, 2:], atol=1e-6)
    np.testing.assert_allclose(ours[:2, 2:], theirs[:2, 2:], atol=2e-6)


def test_polyserial_is_the_exact_two_step_maximum(mixed):
    # The likelihood written out anew; lavaan is 1e-6 off it for this pair.
    x, item = mixed[:, 1], mixed[:, 2]
    z = (x - np.nanmean(x)) / np.nanstd(x)
    answers = item[~np.isnan(item)]
    shares = [np.mean(answers <= c) for c in range(7)]
    cuts = norm.ppf(shares)
    both = ~np.isnan(x) & ~np.isnan(item)
    z, code = z[both], item[both].astype(int)

    def loss(rho: float) -> float:
        root = np.sqrt(1 - rho**2)
        upper, lower = (cuts[code] - rho * z) / root, (cuts[code - 1] - rho * z) / root
        return -float(np.log(norm.cdf(upper) - norm.cdf(lower)).sum())

    best = minimize_scalar(loss, bounds=(-0.3, 0.0), method="bounded", options={"xatol": 1e-10})
    ours = polyserial(x[:, None], item[:, None], np.ones(len(x)))[0, 0]
    # A minimum found from values alone is good to the root of their precision.
    assert ours == pytest.approx(best.x, abs=1e-7)


def test_polyserial_recovers_planted_correlations_where_pearson_is_too_low():
    rng = np.random.default_rng(3)
    latent = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], size=40_000)
    item = np.searchsorted([0.8, 1.5], latent[:, 1]).astype(float)[:, None]
    x = 5 + 3 * latent[:, :1]
    ones = np.ones(len(x))
    # Three standard errors at this n.
    assert polyserial(x, item, ones)[0, 0] == pytest.approx(0.8, abs=0.015)
    assert pearson(np.hstack([x, item]), ones)[0, 1] < 0.7


def test_em_equals_lavaans_unrestricted_model(bfi):
    items = expected("em_data")
    weights = {"em": np.ones(len(items)), "em_weighted": 1 + np.arange(1, len(items) + 1) % 3}
    for name, w in weights.items():
        found = em_moments(items, w.astype(float))
        theirs = expected(name)
        # lavaan stops on a relative change of 1e-13 in the likelihood: about 1e-7 in moments.
        np.testing.assert_allclose(found.mean, theirs[0], atol=1e-7)
        np.testing.assert_allclose(found.cov, theirs[1:], atol=1e-7)
        assert found.converged


def test_em_without_missing_answers_is_the_plain_covariance(few):
    found = em_moments(few, np.ones(len(few)))
    np.testing.assert_allclose(found.cov, np.cov(few.T, ddof=0), atol=1e-12)
    np.testing.assert_allclose(pearson(few, np.ones(len(few)), missing="em"), np.corrcoef(few.T))


def test_em_names_items_that_depend_on_one_another(few):
    with pytest.raises(ValueError, match=r"items \[1, 6\] depend linearly"):
        em_moments(np.column_stack([few, few[:, 1]]), np.ones(len(few)))


def test_em_that_runs_out_of_steps_says_so():
    items = expected("em_data")
    with pytest.warns(PsychosegWarning, match="did not converge in 2 steps"):
        assert not em_moments(items, np.ones(len(items)), max_steps=2).converged


@pytest.mark.parametrize("correlate", [spearman, mixture, em, corrected])
def test_integer_weights_equal_repeated_rows(bfi, correlate):
    rng = np.random.default_rng(4)
    rows = bfi[rng.choice(len(bfi), 300, replace=False), :6]
    weights = rng.integers(1, 4, len(rows))
    weighted = correlate(rows, weights.astype(float))
    repeated = correlate(np.repeat(rows, weights, axis=0), np.ones(weights.sum()))
    np.testing.assert_allclose(weighted, repeated, atol=1e-10)


@pytest.mark.parametrize("correlate", [spearman, mixture, em])
def test_rescaled_weights_change_nothing(bfi, correlate):
    weights = np.random.default_rng(5).uniform(0.2, 3, 300)
    a, b = correlate(bfi[:300, :6], weights), correlate(bfi[:300, :6], 7.3 * weights)
    np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize("correlate", [pearson, spearman, polychoric])
def test_listwise_uses_the_rows_without_a_missing_answer(bfi, correlate):
    rows = bfi[:300, :6]
    whole = rows[~np.isnan(rows).any(axis=1)]
    assert len(whole) < 300
    found = correlate(rows, np.ones(300), missing="listwise")
    np.testing.assert_array_equal(found, correlate(whole, np.ones(len(whole))))


def test_thin_pairs_are_named_with_their_reason():
    rng = np.random.default_rng(6)
    full = rng.integers(0, 5, 100).astype(float)
    rare, rarer = np.zeros(100), np.zeros(100)
    rare[:5], rarer[50:53] = 1, 1
    seldom = np.where(np.arange(100) < 2, full, np.nan)
    same = np.ones(100)
    items = np.column_stack([full, rare, rarer, seldom, same])
    assert thin_pairs(items, np.ones(100)) == (
        ThinPair(0, 3, "too few rows", 2.0),
        ThinPair(0, 4, "constant", 100.0),
        ThinPair(1, 2, "nearly constant", 100.0),
        ThinPair(1, 3, "too few rows", 2.0),
        ThinPair(1, 4, "constant", 100.0),
        ThinPair(2, 3, "too few rows", 2.0),
        ThinPair(2, 4, "constant", 100.0),
        ThinPair(3, 4, "too few rows", 2.0),
    )


def test_what_cannot_be_estimated_is_nan_or_on_the_bound():
    item = np.tile([0.0, 1, 2], 5)
    items = np.column_stack([item, item, np.ones(15), np.full(15, np.nan)])
    kinds = ["continuous", "ordinal", "ordinal", "continuous"]
    corr = mixed_correlation(items, kinds, np.ones(15))
    assert 0.99 < corr[0, 1] <= RHO_BOUND
    assert np.isnan(corr[[0, 0, 1, 1, 2], [2, 3, 2, 3, 3]]).all()


def test_a_mixture_may_have_items_of_one_kind_alone(few, mixed):
    ones = np.ones(len(mixed))
    for columns in ([0, 1], [0]):
        np.testing.assert_array_equal(
            mixed_correlation(mixed[:, columns], ["continuous"] * len(columns), ones),
            pearson(mixed[:, columns], ones),
        )
    for columns in ([0, 1, 2], [0]):
        np.testing.assert_array_equal(
            mixed_correlation(few[:, columns], ["ordinal"] * len(columns), np.ones(len(few))),
            polychoric(few[:, columns], np.ones(len(few))),
        )


def test_wrong_arguments_are_refused_with_their_value(few):
    with pytest.raises(ValueError, match=r"correction is -1"):
        polychoric(few, np.ones(len(few)), correction=-1)
    with pytest.raises(ValueError, match=r"kinds is \['ordinal'\]"):
        mixed_correlation(few, ["ordinal"], np.ones(len(few)))
