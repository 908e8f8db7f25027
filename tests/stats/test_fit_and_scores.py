import numpy as np
import pytest

from psychoseg.stats.correlation import covariance, pearson
from psychoseg.stats.extraction import extract, extract_minres, extract_ml
from psychoseg.stats.factor import bartlett_sphericity, kmo, order_factors
from psychoseg.stats.fit import factor_fit, largest_residuals, rmsea_interval
from psychoseg.stats.reliability import cronbach_alpha
from psychoseg.stats.rotation import rotate
from psychoseg.stats.scores import determinacy, factor_scores, score_weights, unit_scores
from tests.stats.conftest import reference
from tests.stats.factor_reference import matrix

FITS = reference("factor_fit.csv")
PSYCH = {"regression": "Thurstone", "bartlett": "Bartlett", "ten_berge": "tenBerge"}


def oblique(which):
    return (
        matrix("factor_sets.csv", which, "corr"),
        matrix("rotation_values.csv", which, "oblimin"),
        matrix("rotation_values.csv", which, "oblimin:phi"),
    )


@pytest.mark.parametrize(
    "row", list(FITS.itertuples(index=False)), ids=lambda r: f"{r.set}-{r.method}"
)
def test_fit_equals_psych_at_psychs_loadings(row):
    corr = matrix("factor_sets.csv", row.set, "corr")
    loadings = matrix("factor_sets.csv", row.set, row.method)
    fit = factor_fit(corr, loadings, np.eye(row.n_factors), row.n_obs)
    assert fit.df == row.df
    # psych 2.2.9, ten digits; chi-square carries the digits of R and the loadings times n.
    for name in ("objective", "chi_square", "null_chi_square", "bic", "sabic"):
        assert getattr(fit, name) == pytest.approx(getattr(row, name), rel=1e-5, abs=1e-4), name
    for name in ("p", "tli", "rmsea", "rmsr", "rmsr_corrected"):
        assert getattr(fit, name) == pytest.approx(getattr(row, name), abs=1e-6, nan_ok=True), name
    # psych's interval comes from uniroot with its tolerance of 1.2e-4 in the noncentrality, and is
    # NA where its own RMSEA lies outside.
    for name in ("rmsea_low", "rmsea_high"):
        if not np.isnan(getattr(row, name)):
            assert getattr(fit, name) == pytest.approx(getattr(row, name), abs=2e-4), name


def test_fit_of_bfi_and_holzinger_swineford_is_issue_3s():
    corr = matrix("factor_sets.csv", "bfi", "corr")
    minres = factor_fit(corr, extract_minres(corr, 5).loadings, np.eye(5), 2800)
    assert minres.chi_square == pytest.approx(1808.94, abs=0.01)
    assert minres.df == 185
    assert (minres.rmsea, minres.rmsea_low, minres.rmsea_high) == pytest.approx(
        (0.0560, 0.0537, 0.0584), abs=6e-5
    )
    assert minres.tli == pytest.approx(0.867, abs=6e-4)
    assert minres.rmsr == pytest.approx(0.0290, abs=6e-5)
    assert minres.bic == pytest.approx(340.5, abs=0.06)
    ml = factor_fit(corr, extract_ml(corr, 5).loadings, np.eye(5), 2800)
    assert ml.chi_square == pytest.approx(1749.88, abs=0.01)
    assert ml.tli == pytest.approx(0.872, abs=6e-4)
    assert ml.rmsea == pytest.approx(0.0550, abs=6e-5)
    for fit in (minres, ml):
        assert fit.null_chi_square == pytest.approx(20163.79, abs=0.005)
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    ml = factor_fit(corr, extract_ml(corr, 3).loadings, np.eye(3), 301)
    assert (ml.chi_square, ml.df) == (pytest.approx(22.377, abs=5e-4), 12)
    assert ml.tli == pytest.approx(0.964, abs=5e-4)
    assert ml.rmsea == pytest.approx(0.0535, abs=5e-5)
    assert ml.cfi == pytest.approx(1 - (ml.chi_square - 12) / (ml.null_chi_square - 36), abs=1e-12)


# Issue 3's figures, to half a unit of the last digit given there.
def test_eigenvalues_bartlett_and_kmo_of_bfi_are_issue_3s(bfi):
    corr = pearson(bfi, np.ones(len(bfi)))
    np.testing.assert_allclose(
        np.linalg.eigvalsh(corr)[:-7:-1], [5.037, 2.744, 2.108, 1.832, 1.536, 1.113], atol=5e-4
    )
    chi_square, df, _ = bartlett_sphericity(corr, 2800)
    assert (chi_square, df) == (pytest.approx(20163.79, abs=0.005), 300)
    assert kmo(corr)[0] == pytest.approx(0.8459, abs=5e-5)


def test_alpha_if_dropped_of_bfis_neuroticism_is_issue_3s(bfi, bfi_items):
    items = bfi[:, [bfi_items.index(f"N{i}") for i in range(1, 6)]]
    found = cronbach_alpha(covariance(items, np.ones(len(items)))).alpha_if_dropped
    np.testing.assert_allclose(found, [0.758, 0.763, 0.755, 0.795, 0.813], atol=5e-4)


def test_holzinger_swineford_is_issue_3s():
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    turned = rotate(extract_ml(corr, 3).loadings, "oblimin")
    phi = order_factors(turned.loadings, turned.phi)[1]
    np.testing.assert_allclose(phi[[0, 0, 1], [1, 2, 2]], [0.326, 0.216, 0.270], atol=5e-4)
    assert kmo(corr)[0] == pytest.approx(0.752, abs=5e-4)
    chi_square, df, _ = bartlett_sphericity(corr, 301)
    assert (chi_square, df) == (pytest.approx(904.10, abs=0.005), 36)
    covariances = matrix("factor_holzinger.csv", "holzinger_swineford", "covariance")
    theirs = matrix("factor_holzinger.csv", "holzinger_swineford", "alpha").ravel()
    scales = [slice(0, 3), slice(3, 6), slice(6, 9)]
    found = [cronbach_alpha(covariances[i, i]).alpha for i in scales]
    # The third is .68845, and .689 in the issue.
    np.testing.assert_allclose(found, [0.626, 0.883, 0.689], atol=6e-4)
    # psych 2.2.9, alpha(), ten digits.
    np.testing.assert_allclose(found, theirs, atol=1e-8)
    scores = score_weights(corr, turned.loadings, turned.phi, method="ten_berge")
    np.testing.assert_allclose(scores.correlations, turned.phi, atol=1e-10)


def test_ml_has_the_lowest_chi_square_and_rotation_changes_no_fit():
    corr = matrix("factor_sets.csv", "holzinger_swineford", "corr")
    fits = {
        method: factor_fit(corr, extract(corr, 3, method=method).loadings, np.eye(3), 301)
        for method in ("ml", "minres", "principal_axes", "components")
    }
    assert min(fits, key=lambda method: fits[method].chi_square) == "ml"
    assert min(fits, key=lambda method: fits[method].rmsr) == "minres"
    turned = rotate(extract_ml(corr, 3).loadings, "oblimin")
    again = factor_fit(corr, turned.loadings, turned.phi, 301)
    assert again.chi_square == pytest.approx(fits["ml"].chi_square, abs=1e-8)


def test_rmsea_interval_covers_at_its_level_by_definition():
    from scipy.stats import ncx2

    low, high = rmsea_interval(85.306, 24, 301)
    assert ncx2.sf(85.306, 24, low**2 * 300 * 24) == pytest.approx(0.05, abs=1e-6)
    assert ncx2.cdf(85.306, 24, high**2 * 300 * 24) == pytest.approx(0.05, abs=1e-6)
    assert rmsea_interval(1.0, 24, 301) == (0.0, 0.0)


def test_a_saturated_and_a_singular_model_have_nan_where_nothing_is_known():
    corr = np.where(np.eye(3) > 0, 1, 0.4)
    fit = factor_fit(corr, extract_minres(corr, 1).loadings, np.eye(1), 100)
    assert fit.df == 0
    assert np.isnan([fit.p, fit.tli, fit.cfi, fit.rmsea, fit.rmsea_low, fit.bic]).all()
    assert fit.rmsr < 1e-6
    x = np.random.default_rng(1).standard_normal((50, 5))
    singular = np.corrcoef(np.column_stack([x, x.sum(axis=1)]).T)
    fit = factor_fit(singular, extract_minres(singular, 1).loadings, np.eye(1), 50)
    assert np.isnan([fit.objective, fit.chi_square, fit.p, fit.rmsea, fit.tli, fit.bic]).all()
    assert fit.rmsr > 0


def test_a_doublet_left_out_is_the_largest_residual():
    loadings = np.full((6, 1), 0.6)
    corr = loadings @ loadings.T
    corr[1, 4] = corr[4, 1] = 0.7
    np.fill_diagonal(corr, 1)
    fit = factor_fit(corr, loadings, np.eye(1), 200)
    first, second, value = largest_residuals(fit.residuals, n_pairs=3)
    assert (first[0], second[0]) == (1, 4)
    assert value[0] == pytest.approx(0.34)
    assert len(value) == 3


@pytest.mark.parametrize("which", ["bfi", "holzinger_swineford", "Harman74"])
@pytest.mark.parametrize("method", PSYCH)
def test_score_weights_equal_psych(which, method):
    corr, loadings, phi = oblique(which)
    found = score_weights(corr, loadings, phi, method=method)
    name = PSYCH[method]
    theirs = matrix("rotation_values.csv", which, f"weights:{name}")
    # Ten digits of reference, times the condition of the matrices.
    np.testing.assert_allclose(found.weights, theirs, atol=1e-6)
    between = matrix("rotation_values.csv", which, f"scores:{name}")
    np.testing.assert_allclose(found.correlations, between, atol=1e-6)
    if method == "regression":
        r2 = matrix("rotation_values.csv", which, "r2:Thurstone").ravel()
        np.testing.assert_allclose(found.determinacy**2, r2, atol=1e-6)
        np.testing.assert_allclose(found.validity, found.determinacy, atol=1e-10)
    assert (found.validity <= found.determinacy + 1e-10).all()


def test_ten_berge_scores_correlate_exactly_as_phi():
    for which in ("bfi", "holzinger_swineford"):
        corr, loadings, phi = oblique(which)
        found = score_weights(corr, loadings, phi, method="ten_berge")
        np.testing.assert_allclose(found.correlations, phi, atol=1e-8)


def test_ten_berge_scores_of_people_correlate_as_phi(bfi):
    complete = bfi[~np.isnan(bfi).any(axis=1)]
    ones = np.ones(len(complete))
    corr = pearson(complete, ones)
    turned = rotate(extract_minres(corr, 5).loadings, "oblimin")
    found = factor_scores(complete, ones, corr, turned.loadings, turned.phi, method="ten_berge")
    np.testing.assert_allclose(np.corrcoef(found.scores.T), turned.phi, atol=1e-10)
    np.testing.assert_allclose(found.scores.std(axis=0), 1, atol=1e-10)


def test_bartlett_scores_are_unbiased_and_regression_scores_come_closest():
    rng = np.random.default_rng(2)
    loadings = np.kron(np.eye(2), np.array([[0.8], [0.7], [0.6], [0.5]]))
    phi = np.array([[1, 0.4], [0.4, 1]])
    corr = loadings @ phi @ loadings.T
    uniquenesses = 1 - np.diag(corr)
    np.fill_diagonal(corr, 1)
    eta = rng.multivariate_normal([0, 0], phi, 20000)
    x = eta @ loadings.T + rng.standard_normal((20000, 8)) * np.sqrt(uniquenesses)
    error = {}
    for method in PSYCH:
        weights = score_weights(corr, loadings, phi, method=method).weights
        error[method] = ((x @ weights - eta) ** 2).mean()
        if method == "bartlett":
            np.testing.assert_allclose(loadings.T @ weights, np.eye(2), atol=1e-10)
    assert min(error, key=error.get) == "regression"
    ours = determinacy(corr, loadings, phi)
    weights = score_weights(corr, loadings, phi).weights
    seen = [np.corrcoef((x @ weights)[:, j], eta[:, j])[0, 1] for j in range(2)]
    # Standard error of a correlation of .9 in 20,000 people: .0013.
    np.testing.assert_allclose(ours, seen, atol=0.006)


def test_missing_answers_get_weights_of_their_own():
    corr, loadings, phi = oblique("holzinger_swineford")
    x = np.random.default_rng(3).multivariate_normal(np.zeros(9), corr, 400)
    gaps = x.copy()
    gaps[0, 2] = gaps[1, [0, 1, 2]] = gaps[2, :5] = gaps[3] = np.nan
    ones = np.ones(400)
    mean, sd = x.mean(axis=0), x.std(axis=0)
    for method in PSYCH:
        full = factor_scores(x, ones, corr, loadings, phi, method=method, mean=mean, sd=sd)
        found = factor_scores(gaps, ones, corr, loadings, phi, method=method, mean=mean, sd=sd)
        np.testing.assert_allclose(found.scores[4:], full.scores[4:], atol=1e-12)
        # 8 of 9 answered: that item's weights go to the others, by the same formula.
        there = np.arange(9) != 2
        own = score_weights(corr[np.ix_(there, there)], loadings[there], phi, method=method)
        z = (x[0] - mean) / sd
        np.testing.assert_allclose(found.scores[0], z[there] @ own.weights, atol=1e-10)
        # 4 of 9 is less than half; none is none.
        assert np.isnan(found.scores[[2, 3]]).all()
        assert found.n_answered[:4].tolist() == [8, 6, 4, 0]
        assert np.isfinite(found.scores[1]).all()


def test_a_factor_without_answers_is_not_scored_by_bartlett():
    loadings = np.kron(np.eye(2), np.full((3, 1), 0.7))
    corr = loadings @ loadings.T
    np.fill_diagonal(corr, 1)
    items = np.random.default_rng(4).standard_normal((30, 6))
    items[0, :3] = np.nan
    for method, known in (("bartlett", False), ("ten_berge", False), ("regression", True)):
        found = factor_scores(items, np.ones(30), corr, loadings, np.eye(2), method=method)
        assert np.isfinite(found.scores[0]).all() == known
        assert np.isfinite(found.scores[1:]).all()


def test_weighted_scores_equal_repeated_rows_and_scale_does_not_matter():
    corr, loadings, phi = oblique("holzinger_swineford")
    rng = np.random.default_rng(5)
    x = rng.multivariate_normal(np.zeros(9), corr, 60)
    x[rng.random(x.shape) < 0.05] = np.nan
    times = rng.integers(1, 4, 60)
    repeated = np.repeat(np.arange(60), times)
    weighted = factor_scores(x, times.astype(float), corr, loadings, phi)
    twice = factor_scores(x[repeated], np.ones(len(repeated)), corr, loadings, phi)
    rescaled = factor_scores(x, times * 0.3, corr, loadings, phi)
    np.testing.assert_allclose(weighted.scores[repeated], twice.scores, atol=1e-10)
    np.testing.assert_allclose(weighted.scores, rescaled.scores, atol=1e-10)


def test_unit_scores_take_a_minimum_share_answered():
    items = np.array([[1, 2, 3, 4.0], [1, np.nan, 3, 4], [1, np.nan, np.nan, np.nan]])
    members = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], dtype=bool)
    mean = unit_scores(items, members)
    np.testing.assert_array_equal(mean, [[2, 4], [2, 4], [np.nan, np.nan]])
    np.testing.assert_array_equal(
        unit_scores(items, members, statistic="sum")[:, 0], [6, 6, np.nan]
    )
    assert unit_scores(items, members, min_share=0.3)[2, 0] == 1


def test_what_cannot_be_scored_is_refused_by_name():
    loadings = np.array([[1.0], [0.5], [0.5]])
    with pytest.raises(ValueError, match="item 0 is 0 \\(a Heywood case\\)"):
        score_weights(np.eye(3), loadings, np.eye(1), method="bartlett")
    items = np.column_stack([np.arange(9.0), np.full(9, 3.0), np.arange(9.0) ** 2])
    with pytest.raises(ValueError, match="item 1 has no variance"):
        factor_scores(items, np.ones(9), np.eye(3), loadings / 2, np.eye(1))
