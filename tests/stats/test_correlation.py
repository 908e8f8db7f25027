import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm

from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    covariance,
    pearson,
    polychoric,
    smooth_correlation,
)
from psychoseg.stats.polychoric import _bivariate_normal
from tests.stats.conftest import reference


def cut(latent: np.ndarray, thresholds: list[float]) -> np.ndarray:
    return np.searchsorted(thresholds, latent).astype(np.float64)


def test_pearson_and_covariance_equal_pandas_pairwise_on_bfi(bfi):
    # pandas 3.1.1; both are sums of products, so only rounding may differ.
    ones = np.ones(len(bfi))
    frame = pd.DataFrame(bfi)
    np.testing.assert_allclose(pearson(bfi, ones), frame.corr(), atol=1e-13)
    np.testing.assert_allclose(covariance(bfi, ones), frame.cov(), atol=1e-12)


def test_polychoric_equals_psych_on_bfi(bfi, bfi_items):
    ours = polychoric(bfi, np.ones(len(bfi)))
    theirs = reference("bfi_polychoric.csv").iloc[:, 1:].to_numpy()
    # psych's rho is as good as R's optimize(), whose default tolerance is 1.2e-4.
    np.testing.assert_allclose(ours, theirs, atol=1.2e-4)
    n1, n2 = bfi_items.index("N1"), bfi_items.index("N2")
    assert ours[n1, n2] == pytest.approx(0.764, abs=5e-4)


def test_polychoric_is_the_exact_two_step_maximum(bfi):
    # The likelihood written out anew with scipy's bivariate normal.
    pair = bfi[:, [15, 16]]
    ours = polychoric(pair, np.ones(len(pair)))[0, 1]
    both = pair[~np.isnan(pair).any(axis=1)].astype(int)
    table = np.zeros((6, 6))
    np.add.at(table, (both[:, 0] - 1, both[:, 1] - 1), 1)
    edges = []
    for j in range(2):
        counts = np.array([np.nansum(pair[:, j] == c) for c in range(1, 7)])
        inner = norm.ppf(np.cumsum(counts)[:-1] / counts.sum())
        edges.append(np.concatenate([[-9], inner, [9]]))

    def loss(rho: float) -> float:
        grid = np.array([[(a, b) for b in edges[1]] for a in edges[0]])
        cdf = multivariate_normal.cdf(grid, cov=[[1, rho], [rho, 1]], abseps=1e-12, releps=1e-12)
        cells = np.diff(np.diff(cdf, axis=0), axis=1)
        return -float((table * np.log(np.maximum(cells, 1e-300))).sum())

    best = minimize_scalar(loss, bounds=(0.6, 0.9), method="bounded", options={"xatol": 1e-7})
    assert ours == pytest.approx(best.x, abs=2e-6)


@pytest.mark.parametrize("rho", [-0.99, -0.6, 0.0, 0.3, 0.95, 0.99])
def test_bivariate_normal_equals_scipy(rho):
    h, k = np.array([-1.3, 0.2, 2.0, 0.0]), np.array([0.4, 0.2, -1.0, 0.0])
    cdf, density = _bivariate_normal(h, k, np.array(rho))
    law = multivariate_normal([0, 0], [[1, rho], [rho, 1]], abseps=1e-12, releps=1e-12)
    points = np.column_stack([h, k])
    np.testing.assert_allclose(cdf, law.cdf(points), atol=1e-9)
    np.testing.assert_allclose(density, law.pdf(points), rtol=1e-10)


@pytest.mark.parametrize("correlate", [pearson, polychoric, covariance])
def test_integer_weights_equal_repeated_rows(bfi, correlate):
    rng = np.random.default_rng(3)
    rows = bfi[rng.choice(len(bfi), 400, replace=False), :8]
    weights = rng.integers(1, 4, len(rows))
    weighted = correlate(rows, weights.astype(float))
    repeated = correlate(np.repeat(rows, weights, axis=0), np.ones(weights.sum()))
    np.testing.assert_allclose(weighted, repeated, atol=1e-10)


@pytest.mark.parametrize("correlate", [pearson, polychoric])
def test_rescaled_weights_change_nothing(bfi, correlate):
    weights = np.random.default_rng(4).uniform(0.2, 3, 500)
    a, b = correlate(bfi[:500, :6], weights), correlate(bfi[:500, :6], 7.3 * weights)
    np.testing.assert_allclose(a, b, atol=1e-9)


def test_polychoric_recovers_planted_correlations_where_pearson_is_too_low():
    rng = np.random.default_rng(5)
    planted = np.array([[1, 0.7, -0.5], [0.7, 1, 0.2], [-0.5, 0.2, 1]])
    latent = rng.multivariate_normal(np.zeros(3), planted, size=40_000)
    items = np.column_stack([cut(latent[:, j], [0.2, 1.0, 1.6]) for j in range(3)])
    weights = np.ones(len(items))
    found = polychoric(items, weights)
    # Three standard errors of a correlation at this n.
    np.testing.assert_allclose(found, planted, atol=0.02)
    assert pearson(items, weights)[0, 1] < 0.6


def test_answers_missing_in_pairs_use_the_rows_that_answered_both():
    items = np.array([[1, 2.0], [2, np.nan], [3, 5], [4, 4], [np.nan, 1]])
    both = items[~np.isnan(items).any(axis=1)]
    assert pearson(items, np.ones(5))[0, 1] == pytest.approx(np.corrcoef(both.T)[0, 1], abs=1e-14)


@pytest.mark.parametrize("correlate", [pearson, polychoric])
def test_what_cannot_be_correlated_is_nan(correlate):
    never_both = np.array([[1, np.nan, 1], [2, np.nan, 1], [np.nan, 1, 1], [np.nan, 2, 1.0]])
    corr = correlate(never_both, np.ones(4))
    assert np.isnan(corr[0, 1])
    assert np.isnan(corr[0, 2])
    assert np.isnan(corr[2, 2])
    assert corr[0, 0] == 1


def test_a_perfect_association_ends_on_the_bound():
    item = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2.0])
    corr = polychoric(np.column_stack([item, item, -item]), np.ones(9))
    assert corr[0, 1] > 0.999
    assert corr[0, 2] < -0.999


def test_too_many_categories_are_refused_with_their_number():
    items = np.column_stack([np.arange(30.0), np.arange(30.0) % 3])
    with pytest.raises(ValueError, match=f"30 categories.*{MAX_CATEGORIES}"):
        polychoric(items, np.ones(30))


def test_smoothing_equals_psych_cor_smooth_and_leaves_good_matrices_alone():
    bad = np.array([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]])
    smooth, smallest = smooth_correlation(bad)
    np.testing.assert_allclose(smooth, reference("smoothed.csv"), atol=1e-9)
    assert smallest == pytest.approx(np.linalg.eigvalsh(bad)[0])
    good = np.array([[1, 0.3], [0.3, 1]])
    assert (smooth_correlation(good)[0] == good).all()
