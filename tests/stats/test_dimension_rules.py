import numpy as np
import pytest

from psychoseg.stats.correlation import pearson
from psychoseg.stats.dimension_rules import (
    acceleration_factor,
    common_part_accounted_for,
    comparative_fit,
    empirical_kaiser,
    hull,
    kaiser_rule,
    leading_above,
    minimum_average_partial,
)
from psychoseg.stats.factor import extract_minres
from tests.stats.conftest import reference


def test_minimum_average_partial_equals_psych_on_bfi(bfi):
    corr = pearson(bfi, np.ones(len(bfi)))
    suggested, average = minimum_average_partial(corr)
    expected = reference("dimension_map.csv")
    # Nothing iterates: only the ten digits printed limit the comparison.
    np.testing.assert_allclose(average[1:13], expected["map"], atol=1e-9)
    assert suggested == 5
    assert average[5] == pytest.approx(0.0148, abs=5e-5)


@pytest.mark.parametrize("power", [2, 4])
def test_average_partial_equals_partial_correlations_by_regression(power):
    # Partial correlations given components, by regressing standardised items on component scores.
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, 6)) + rng.standard_normal((300, 1))
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    corr = np.corrcoef(z.T)
    _, average = minimum_average_partial(corr, power=power)
    scores = z @ np.linalg.eigh(corr)[1][:, ::-1]
    for m in range(5):
        left = z - scores[:, :m] @ np.linalg.lstsq(scores[:, :m], z)[0] if m else z
        partial = np.corrcoef(left.T)[np.tril_indices(6, -1)]
        # Rounding grows as the variance left shrinks.
        assert average[m] == pytest.approx((partial**power).mean(), abs=1e-10)


def test_minimum_average_partial_is_zero_for_unrelated_items():
    assert minimum_average_partial(np.eye(5))[0] == 0


def test_empirical_kaiser_references_are_those_of_its_equation():
    # Braeken & van Assen (2017), eq. 2, by hand: p = 4, n = 100, (1 + sqrt(.04))^2 = 1.44.
    suggested, expected = empirical_kaiser(np.array([2.2, 1.1, 0.4, 0.3]), 100)
    by_hand = [1.44, (4 - 2.2) / 3 * 1.44, (4 - 3.3) / 2 * 1.44, (4 - 3.7) * 1.44]
    np.testing.assert_allclose(expected, [1.44, 1.0, 1.0, 1.0])
    assert max(by_hand[1:]) < 1
    assert suggested == 2
    # A first eigenvalue below 1.44 leaves the others a reference above 1.
    suggested, expected = empirical_kaiser(np.array([1.3, 1.2, 0.8, 0.7]), 100)
    assert expected[1] == pytest.approx((4 - 1.3) / 3 * 1.44)
    assert suggested == 0


def test_first_empirical_kaiser_reference_is_where_random_eigenvalues_end():
    # The Marchenko-Pastur edge, and the mean of the largest eigenvalue of 50 unrelated items and
    # 1000 people: by the Tracy-Widom law it lies 1.21 * .0216 = .026 below, in 40 draws +- .004;
    # correlations instead of covariances lower it a little more.
    rng = np.random.default_rng(2)
    first = [
        np.linalg.eigvalsh(np.corrcoef(rng.standard_normal((1000, 50)).T))[-1] for _ in range(40)
    ]
    values = np.append(1.4, np.full(49, 48.6 / 49))
    assert 0.02 < empirical_kaiser(values, 1000)[1][0] - np.mean(first) < 0.05


def test_hull_by_hand():
    # Gains per parameter: 0 to 1: .5/10, 1 to 2: .3/9, 2 to 3: .02/8, 3 to 4: .01/7.
    fit = np.array([0.0, 0.5, 0.8, 0.82, 0.83])
    df = np.array([45.0, 35.0, 26.0, 18.0, 11.0])
    found = hull(fit, df)
    assert found.on_hull.all()
    expected = [np.nan, 0.05 / (0.3 / 9), (0.3 / 9) / (0.02 / 8), (0.02 / 8) / (0.01 / 7), np.nan]
    np.testing.assert_allclose(found.bend, expected)
    assert found.n_factors == 2


def test_solutions_below_the_hull_or_no_better_are_dropped():
    df = np.array([45.0, 35.0, 26.0, 18.0, 11.0])
    found = hull(np.array([0.0, 0.1, 0.8, 0.79, 0.83]), df)
    np.testing.assert_array_equal(found.on_hull, [True, False, True, False, True])
    assert found.bend[2] == pytest.approx((0.8 / 19) / (0.03 / 15))
    assert found.n_factors == 2


def test_a_straight_curve_has_no_hull_to_speak_of():
    found = hull(np.array([0.0, 0.1, 0.2]), np.array([3.0, 2.0, 1.0]))
    assert found.n_factors is None
    assert np.isnan(found.bend).all()


def test_fit_for_hull_is_full_with_the_planted_factors_and_none_without():
    pattern = np.kron(np.eye(3), np.full((4, 1), 0.7))
    corr = pattern @ pattern.T
    np.fill_diagonal(corr, 1)
    fit = extract_minres(corr, 3)
    none = np.zeros((12, 0))
    assert comparative_fit(corr, fit.loadings, fit.uniquenesses, 500, 33) == pytest.approx(1)
    assert comparative_fit(corr, none, np.ones(12), 500, 66) == pytest.approx(0)
    two = extract_minres(corr, 2)
    assert common_part_accounted_for(corr, two.loadings) < 0.5
    # KMO of the whole matrix is what no factor leaves unexplained: 4 items at r = .49 in each of
    # three groups, r^2 = .2401, partial r = .49 / (1 + 2 * .49).
    partial = 0.49 / (1 + 2 * 0.49)
    expected = 1 - 0.49**2 / (0.49**2 + partial**2)
    assert common_part_accounted_for(corr, none) == pytest.approx(expected)


def test_comparative_fit_is_that_of_ml_chi_squares():
    # Bentler (1990), from the definition of the likelihood's discrepancy.
    corr = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]])
    loadings = np.array([[0.6], [0.6], [0.4]])
    unique = 1 - (loadings**2).sum(axis=1)
    implied = loadings @ loadings.T + np.diag(unique)
    f = np.log(np.linalg.det(implied) / np.linalg.det(corr))
    f += np.trace(corr @ np.linalg.inv(implied)) - 3
    chi, null = 199 * f, -199 * np.log(np.linalg.det(corr))
    ours = comparative_fit(corr, loadings, unique, 200, 1)
    assert 0 < ours < 1
    assert ours == pytest.approx(1 - (chi - 1) / (null - 3))


def test_footnotes_by_hand():
    values = np.array([3.0, 1.5, 0.3, 0.15, 0.05])
    assert kaiser_rule(values) == 2
    elbow, acceleration = acceleration_factor(values)
    np.testing.assert_allclose(acceleration[1:-1], [0.3, 1.05, 0.05])
    assert elbow == 2


def test_leading_above_stops_at_the_first_that_is_not():
    assert leading_above(np.array([3.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0])) == 1
    assert leading_above(np.array([3.0, 2.0]), np.array([1.0, 1.0])) == 2
