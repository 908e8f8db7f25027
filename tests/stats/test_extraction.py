import numpy as np
import pytest

from psychoseg.stats import extraction
from psychoseg.stats.correlation import pearson
from psychoseg.stats.extraction import (
    extract,
    extract_components,
    extract_minres,
    extract_ml,
    extract_principal_axes,
    limit_inverse,
    squared_multiple_correlations,
)
from psychoseg.stats.optima import search_optima
from tests.stats.conftest import reference
from tests.stats.factor_reference import aligned, matrix

FITS = reference("factor_fit.csv")
CASES = list(FITS[["set", "method", "n_factors"]].itertuples(index=False, name=None))


def ml_objective(corr, loadings):
    # With an item at the bound of .005 (a Heywood case) the model's variance is a little off 1.
    model = loadings @ loadings.T
    np.fill_diagonal(model, np.diag(model) + np.clip(1 - np.diag(model), 0.005, 1))
    ratio = np.linalg.solve(model, corr)
    return np.trace(ratio) - np.linalg.slogdet(ratio)[1] - len(corr)


def minres_objective(corr, loadings):
    # What psych and we minimise: off-diagonal squares, and for an item whose uniqueness is held at
    # the bound of .005 (a Heywood case) half the square of its residual variance too.
    rest = corr - loadings @ loadings.T
    held = np.diag(rest) - np.clip(np.diag(rest), 0.005, 1)
    below = rest[np.tril_indices(len(corr), -1)]
    return below @ below + held @ held / 2


def test_the_reference_holds_twenty_data_sets_or_more():
    assert len(set(FITS["set"])) >= 20


@pytest.mark.parametrize(("which", "method", "m"), CASES)
def test_loadings_equal_psych_or_have_a_lower_objective(which, method, m):
    # psych 2.2.9. Where loadings differ by more than 1e-4, psych's L-BFGS-B stopped short (relative
    # change 1e-7) or in a worse optimum: then our objective is lower.
    corr, theirs = (
        matrix("factor_sets.csv", which, "corr"),
        matrix("factor_sets.csv", which, method),
    )
    found = extract(corr, m, method=method)
    assert found.converged
    goal = minres_objective if method == "minres" else ml_objective
    away = np.abs(found.loadings - aligned(found.loadings, theirs)).max()
    assert away < 1e-4 or goal(corr, found.loadings) < goal(corr, theirs)
    # ... and it is never higher by more than the reference's ten digits.
    assert goal(corr, found.loadings) < goal(corr, theirs) + 1e-7
    # Every item whose two highest loadings psych tells apart is on the same unrotated factor.
    ranked = np.sort(np.abs(theirs), axis=1)
    clear = ranked[:, -1] - (ranked[:, -2] if m > 1 else 0) > 0.02
    np.testing.assert_array_equal(
        np.abs(found.loadings).argmax(axis=1)[clear],
        np.abs(aligned(found.loadings, theirs)).argmax(axis=1)[clear],
    )


@pytest.mark.parametrize(
    ("function", "start"),
    [(extraction._minres_discrepancy, 0.5), (extraction._ml_discrepancy, np.log(0.5))],
)
def test_gradient_and_hessian_equal_finite_differences(function, start):
    corr = matrix("factor_sets.csv", "Harman74", "corr")
    x = start + np.random.default_rng(1).uniform(-0.1, 0.1, len(corr))
    _, gradient, hessian = function(corr, 3, x, True)
    steps = np.eye(len(corr)) * 1e-5
    up = [function(corr, 3, x + step, True) for step in steps]
    down = [function(corr, 3, x - step, True) for step in steps]
    slopes = [(a[0] - b[0]) / 2e-5 for a, b in zip(up, down, strict=True)]
    curves = [(a[1] - b[1]) / 2e-5 for a, b in zip(up, down, strict=True)]
    # Central differences of step 1e-5 are good to about 1e-8 here.
    np.testing.assert_allclose(gradient, slopes, atol=1e-7)
    np.testing.assert_allclose(hessian, curves, atol=1e-6)


def test_ml_equals_factanal_on_holzinger_swineford():
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    theirs = matrix("factor_factanal.csv", "holzinger_swineford", "loadings")
    found = extract_ml(corr, 3)
    # stats::factanal of R 4.2.2 stops at a relative change of 1e-7.
    np.testing.assert_allclose(found.loadings, aligned(found.loadings, theirs), atol=1e-4)
    chi_square, df = matrix("factor_factanal.csv", "holzinger_swineford", "test").ravel()
    assert df == 12
    assert found.objective * (300 - 23 / 6 - 2) == pytest.approx(chi_square, abs=1e-4)
    # Issue 3's figure.
    assert round(chi_square, 3) == 22.377


@pytest.mark.parametrize(("which", "m"), [("bfi", 5), ("holzinger_swineford", 3)])
def test_principal_axes_and_components_equal_psych(which, m):
    corr = matrix("factor_sets.csv", which, "corr")
    for function in (extract_principal_axes, extract_components):
        kind = function.__name__.removeprefix("extract_")
        found = function(corr, m)
        theirs = matrix("factor_axes.csv", which, kind)
        # The same steps from the same start: only the ten digits of the reference differ.
        np.testing.assert_allclose(found.loadings, aligned(found.loadings, theirs), atol=1e-7)
        assert found.converged


def test_principal_axes_run_to_the_end_are_minres():
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    exact = extract_principal_axes(corr, 3, convention="exact")
    assert exact.converged
    # 1e-9 a step, at a rate of convergence of about .99.
    np.testing.assert_allclose(exact.loadings, extract_minres(corr, 3).loadings, atol=1e-6)
    spss = extract_principal_axes(corr, 3, convention="spss")
    assert spss.iterations <= 25
    assert spss.iterations != exact.iterations


@pytest.mark.parametrize("function", [extract_minres, extract_ml])
def test_a_heywood_case_is_found_on_its_communality(function):
    loadings = np.array([0.999, 0.6, 0.5, 0.4, 0.7])
    corr = np.outer(loadings, loadings)
    corr[0, 1] = corr[1, 0] = 0.62
    np.fill_diagonal(corr, 1)
    assert list(function(corr, 1).heywood) == [0]
    assert len(function(np.where(np.eye(5) > 0, 1, corr * 0.8), 1).heywood) == 0


def test_a_high_pattern_loading_alone_is_no_heywood_case():
    corr = matrix("factor_sets.csv", "bfi", "corr")
    assert len(extract_minres(corr, 5).heywood) == 0


@pytest.mark.parametrize("method", ["minres", "ml"])
def test_restarts_agree_on_the_optimum(method):
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    optima = search_optima(corr, 3, method=method, rng=np.random.default_rng(2), starts=10)
    assert optima.usual_is_best
    assert optima.n_at_best >= 6
    assert np.nanmin(optima.objectives) >= optima.best.objective - 1e-6


def with_dependent_item(kind):
    x = np.random.default_rng(5).standard_normal((200, 6))
    x[:, 1:] += x[:, :1]
    added = {"duplicate": x[:, 1], "reversed": -x[:, 1], "sum score": x[:, :3].sum(axis=1)}[kind]
    return np.corrcoef(np.column_stack([x, added]).T)


@pytest.mark.parametrize(
    ("kind", "determined"),
    [("duplicate", [1, 6]), ("reversed", [1, 6]), ("sum score", [0, 1, 2, 6])],
)
def test_items_that_determine_each_other_have_a_squared_multiple_correlation_of_one(
    kind, determined
):
    corr = with_dependent_item(kind)
    smc = squared_multiple_correlations(corr)
    # The limit is taken at a variance of 1e-12; psych 2.2.9's smc says 0 for a duplicate.
    np.testing.assert_allclose(smc[determined], 1, atol=1e-10)
    others = np.setdiff1d(np.arange(6), determined)
    plain = squared_multiple_correlations(corr[:6, :6])
    # What the added item says is known from the others already.
    np.testing.assert_allclose(smc[others], plain[others], atol=1e-10)


def test_squared_multiple_correlations_are_those_of_regression():
    x = np.random.default_rng(6).standard_normal((60, 4))
    x[:, 1:] += x[:, :1]
    smc = squared_multiple_correlations(np.corrcoef(x.T))
    for j in range(4):
        rest = np.column_stack([np.ones(60), np.delete(x, j, axis=1)])
        left = x[:, j] - rest @ np.linalg.lstsq(rest, x[:, j], rcond=None)[0]
        assert smc[j] == pytest.approx(1 - left.var() / x[:, j].var(), abs=1e-12)


def test_the_limit_inverse_is_the_inverse_where_there_is_one():
    corr = matrix("factor_sets.csv", "bfi", "corr")
    np.testing.assert_allclose(limit_inverse(corr) @ corr, np.eye(25), atol=1e-12)


def test_ml_refuses_a_singular_matrix_and_says_what_to_do():
    x = np.random.default_rng(3).standard_normal((50, 4))
    corr = np.corrcoef(np.column_stack([x, x.sum(axis=1)]).T)
    with pytest.raises(ValueError, match="smooth it, drop duplicate or sum items"):
        extract_ml(corr, 2)


@pytest.mark.parametrize("method", ["minres", "ml", "principal_axes", "components"])
def test_missing_correlations_and_impossible_numbers_are_refused(method):
    corr = np.eye(5)
    with pytest.raises(ValueError, match="between 1 and 4"):
        extract(corr, 5, method=method)
    corr[:, 2] = corr[2] = np.nan
    with pytest.raises(ValueError, match="NaN \\(item 2\\)"):
        extract(corr, 2, method=method)


def test_integer_weights_equal_repeated_rows_and_scale_does_not_matter():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((120, 6)) + rng.standard_normal((120, 1))
    times = rng.integers(1, 4, 120)
    weighted = pearson(x, times.astype(float))
    repeated = pearson(np.repeat(x, times, axis=0), np.ones(times.sum()))
    rescaled = pearson(x, times * 0.37)
    for method in ("minres", "ml"):
        ours = extract(weighted, 2, method=method).loadings
        np.testing.assert_allclose(ours, extract(repeated, 2, method=method).loadings, atol=1e-10)
        np.testing.assert_allclose(ours, extract(rescaled, 2, method=method).loadings, atol=1e-10)
