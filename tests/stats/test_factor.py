import numpy as np
import pytest
from factor_analyzer import calculate_bartlett_sphericity, calculate_kmo

from psychoseg.engines.python import PythonEngine
from psychoseg.stats.correlation import covariance, pearson
from psychoseg.stats.dimension import parallel_analysis
from psychoseg.stats.factor import (
    bartlett_sphericity,
    communalities,
    extract_minres,
    kmo,
    match_factors,
    order_factors,
    tucker_congruence,
)
from psychoseg.stats.reliability import cronbach_alpha
from tests.stats.conftest import reference


@pytest.fixture(scope="module")
def bfi_corr(bfi):
    return pearson(bfi, np.ones(len(bfi)))


def test_minres_and_oblimin_equal_psych_on_bfi(bfi_corr):
    raw = PythonEngine().factor(bfi_corr, 5, n_obs=2800)
    loadings, phi, variance = order_factors(raw.loadings, raw.phi)
    theirs = reference("bfi_minres_oblimin.csv").iloc[:, 1:].to_numpy()
    rows, columns, sign = match_factors(loadings, theirs)
    aligned = theirs[:, columns] * np.sign(sign)
    # psych stops its extraction at a relative change of 1e-7 and its rotation at a gradient of
    # 1e-5.
    np.testing.assert_allclose(loadings[:, rows], aligned, atol=1e-4)
    phi_theirs = reference("bfi_minres_oblimin_phi.csv").iloc[:, 1:].to_numpy()
    turned = phi_theirs[np.ix_(columns, columns)] * np.outer(np.sign(sign), np.sign(sign))
    np.testing.assert_allclose(phi, turned, atol=1e-4)
    # psych's "SS loadings", issue 3: 2.570 2.199 2.029 1.985 1.586.
    np.testing.assert_allclose(variance, [2.570, 2.199, 2.029, 1.985, 1.586], atol=6e-4)
    np.testing.assert_allclose(communalities(loadings, phi), 1 - raw.uniquenesses, atol=1e-12)
    assert variance.sum() == pytest.approx(communalities(loadings, phi).sum())


def test_minres_reproduces_an_exact_factor_model():
    rng = np.random.default_rng(1)
    planted = rng.uniform(0.3, 0.8, (12, 2)) * np.repeat(np.eye(2), 6, axis=0)
    corr = planted @ planted.T
    np.fill_diagonal(corr, 1)
    found = extract_minres(corr, 2)
    assert found.converged
    assert found.objective < 1e-9
    np.testing.assert_allclose(found.uniquenesses, 1 - (planted**2).sum(axis=1), atol=1e-4)
    np.testing.assert_allclose(np.abs(match_factors(planted, found.loadings)[2]), 1, atol=0.05)


def test_minres_gradient_is_that_of_the_residuals(bfi_corr):
    # At the optimum no uniqueness can be moved to lower the off-diagonal residuals.
    found = extract_minres(bfi_corr, 5)
    for i in (0, 7, 20):
        for step in (-1e-3, 1e-3):
            psi = found.uniquenesses.copy()
            psi[i] += step
            values, vectors = np.linalg.eigh(bfi_corr - np.diag(psi))
            loadings = vectors[:, -5:] * np.sqrt(values[-5:])
            rest = (bfi_corr - loadings @ loadings.T)[np.tril_indices(25, -1)]
            assert rest @ rest >= found.objective - 1e-10


def test_a_heywood_case_is_named():
    loadings = np.array([0.999, 0.6, 0.5, 0.4, 0.7])
    corr = np.outer(loadings, loadings) * 1.0
    corr[0, 1] = corr[1, 0] = 0.64
    np.fill_diagonal(corr, 1)
    assert list(extract_minres(corr, 1).heywood) == [0]


@pytest.mark.parametrize("n_factors", [0, 5])
def test_an_impossible_number_of_factors_is_refused(n_factors):
    with pytest.raises(ValueError, match="between 1 and 4"):
        extract_minres(np.eye(5), n_factors)


def oblimin_gradient(loadings: np.ndarray, phi: np.ndarray, *, gamma: float = 0.0) -> float:
    """Return the norm of the projected gradient of direct oblimin; 0 at an optimum.

    Jennrich (2002), Psychometrika 67, 7-19: with T the factor axes in any frame (``phi = T'T``),
    the gradient in T is projected onto unit-length columns.
    """
    others = 1.0 - np.eye(loadings.shape[1])
    squared = loadings**2
    centred = squared - gamma * squared.mean(axis=0)
    slope = loadings * (centred @ others)
    axes = np.linalg.cholesky(phi).T
    gradient = -np.linalg.solve(axes.T, (loadings.T @ slope).T)
    projected = gradient - axes * (axes * gradient).sum(axis=0)
    return float(np.sqrt((projected**2).sum()))


def test_oblimin_gradient_is_zero_at_the_optimum_only(bfi_corr):
    raw = PythonEngine().factor(bfi_corr, 5, n_obs=2800)
    assert oblimin_gradient(raw.loadings, raw.phi) < 1e-5
    unrotated = extract_minres(bfi_corr, 5).loadings
    assert oblimin_gradient(unrotated, np.eye(5)) > 0.1


def test_factors_are_ordered_by_variance_and_turned_positive():
    loadings = np.array([[0.1, -0.8], [0.2, -0.7], [0.6, 0.1]])
    phi = np.array([[1, 0.3], [0.3, 1]])
    ordered, turned, variance = order_factors(loadings, phi)
    np.testing.assert_array_equal(ordered[:, 0], [0.8, 0.7, -0.1])
    assert turned[0, 1] == -0.3
    assert variance[0] > variance[1]


def test_tucker_congruence_by_hand():
    a, b = np.array([[1.0], [1.0]]), np.array([[1.0], [0.0]])
    assert tucker_congruence(a, b)[0, 0] == pytest.approx(1 / np.sqrt(2))
    assert tucker_congruence(a, -3 * a)[0, 0] == pytest.approx(-1)


def test_kmo_and_bartlett_equal_psych_and_factor_analyzer_on_bfi(bfi, bfi_corr):
    theirs = reference("bfi_adequacy.csv").set_index("measure")["value"]
    overall, items = kmo(bfi_corr)
    assert overall == pytest.approx(theirs["kmo"], abs=1e-9)
    np.testing.assert_allclose(items, theirs.filter(like="msa_"), atol=1e-9)
    chi_square, df, p = bartlett_sphericity(bfi_corr, 2800)
    assert chi_square == pytest.approx(theirs["bartlett"], rel=1e-9)
    assert df == theirs["df"] == 300
    assert p == 0
    # factor-analyzer 0.5.1, on complete rows because it takes no missing answers.
    complete = bfi[~np.isnan(bfi).any(axis=1)]
    corr = pearson(complete, np.ones(len(complete)))
    assert kmo(corr)[0] == pytest.approx(calculate_kmo(complete)[1], abs=1e-9)
    assert bartlett_sphericity(corr, len(complete))[0] == pytest.approx(
        calculate_bartlett_sphericity(complete)[0], rel=1e-9
    )


def test_kmo_of_a_singular_matrix_is_what_it_tends_to():
    rng = np.random.default_rng(9)
    x, error = rng.standard_normal((300, 5)), rng.standard_normal(300)
    x[:, 1:] += x[:, :1]
    known = np.column_stack([np.ones(300), x])
    error -= known @ np.linalg.lstsq(known, error, rcond=None)[0]
    for added in (x[:, 2], x[:, :3].sum(axis=1)):
        corr, near = (
            np.corrcoef(np.column_stack([x, added + error * size]).T) for size in (0, 1e-4)
        )
        overall, items = kmo(corr)
        # An error variance of 1e-8, unrelated to all items, is that near to none.
        assert overall == pytest.approx(kmo(near)[0], abs=1e-6)
        np.testing.assert_allclose(items, kmo(near)[1], atol=1e-6)
    # A twin's partial correlation with the other is 1, with anybody else 0.
    twins = np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]])
    np.testing.assert_allclose(kmo(twins)[1], [1.25 / 2.25, 1.25 / 2.25, 1], atol=1e-9)


def test_bartlett_of_a_singular_or_indefinite_matrix_is_infinite():
    twins = np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]])
    # Three correlations that cannot be, twice: two negative eigenvalues, a positive determinant.
    indefinite = np.kron(np.eye(2), [[1, 0.9, 0.9], [0.9, 1, -0.9], [0.9, -0.9, 1]])
    assert bartlett_sphericity(twins, 100) == (np.inf, 3, 0.0)
    assert np.linalg.det(indefinite) > 0
    assert bartlett_sphericity(indefinite, 100) == (np.inf, 15, 0.0)


def test_alpha_equals_psych_on_bfi(bfi, bfi_items):
    theirs = reference("bfi_alpha.csv")
    expected = {"A": 0.703, "C": 0.727, "E": 0.762, "N": 0.814, "O": 0.600}
    for scale, rows in theirs.groupby("scale"):
        columns = [bfi_items.index(item) for item in rows["item"]]
        reverse = np.isin(rows["item"], ["A1", "C4", "C5", "E1", "E2", "O2", "O5"])
        items = np.where(reverse, 7 - bfi[:, columns], bfi[:, columns])
        ours = cronbach_alpha(covariance(items, np.ones(len(items))))
        assert round(ours.alpha, 3) == expected[str(scale)]
        assert ours.alpha == pytest.approx(rows["alpha"].iloc[0], abs=1e-9)
        assert ours.mean_r == pytest.approx(rows["mean_r"].iloc[0], abs=1e-9)
        np.testing.assert_allclose(ours.alpha_if_dropped, rows["dropped"], atol=1e-9)
        # psych correlates an item with the sum of the complete rows' others; ours is read off the
        # pairwise covariances, so the two differ by what the missing answers (1% of them) can do.
        np.testing.assert_allclose(ours.item_rest, rows["item_rest"], atol=5e-3)


def test_parallel_analysis_finds_the_planted_factors_and_none_in_noise():
    rng = np.random.default_rng(7)
    pattern = np.kron(np.eye(4), np.full((5, 1), 0.7))
    corr = pattern @ pattern.T
    np.fill_diagonal(corr, 1)
    x = rng.multivariate_normal(np.zeros(20), corr, size=600)
    found = parallel_analysis(np.corrcoef(x.T), 600, rng=rng)
    assert found.n_factors == 4
    noise = [
        parallel_analysis(np.corrcoef(rng.standard_normal((600, 20)).T), 600, rng=rng).n_factors
        for _ in range(40)
    ]
    # The 95th percentile lets a factor through in noise in 1 of 20 cases: 8 of 40 has a chance
    # below .001.
    assert sum(n > 0 for n in noise) < 8


def test_parallel_thresholds_are_those_of_simulated_rows():
    rng = np.random.default_rng(8)
    ours = parallel_analysis(np.eye(10), 200, rng=rng, replicates=2000, percentile=95)
    simulated = [
        np.linalg.eigvalsh(np.corrcoef(rng.standard_normal((200, 10)).T))[::-1] for _ in range(2000)
    ]
    # Monte Carlo error of a 95th percentile of 2000 draws with standard deviation .04.
    np.testing.assert_allclose(ours.threshold, np.percentile(simulated, 95, axis=0), atol=0.01)


def test_parallel_analysis_refuses_fewer_respondents_than_items():
    with pytest.raises(ValueError, match="more respondents"):
        parallel_analysis(np.eye(10), 10, rng=np.random.default_rng(1))
