import numpy as np
import pytest

from psychoseg.stats.correlation import covariance, pearson, polychoric
from psychoseg.stats.extraction import extract_minres
from psychoseg.stats.factor import communalities, schmid_leiman
from psychoseg.stats.reliability import (
    MAX_SPLITS,
    average_variance_extracted,
    composite_reliability,
    cronbach_alpha,
    guttman_lambda6,
    omega,
    omega_total,
    ordinal_alpha,
    scaled_correlation,
    split_half,
    standardised_alpha,
)
from psychoseg.stats.rotation import rotate
from tests.stats.conftest import reference

SCALES = {
    "A": ["-A1", "A2", "A3", "A4", "A5"],
    "C": ["C1", "C2", "C3", "-C4", "-C5"],
    "E": ["-E1", "-E2", "E3", "E4", "E5"],
    "N": ["N1", "N2", "N3", "N4", "N5"],
    "O": ["O1", "-O2", "O3", "O4", "-O5"],
}
SCALES["AC"] = SCALES["A"] + SCALES["C"]


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def keyed(bfi: np.ndarray, bfi_items: list[str], scale: str) -> np.ndarray:
    columns = [bfi_items.index(name.strip("-")) for name in SCALES[scale]]
    turned = np.array([name.startswith("-") for name in SCALES[scale]])
    return np.where(turned, 7 - bfi[:, columns], bfi[:, columns])


def psych(scale: str) -> dict[str, float]:
    return reference("reliability_bfi.csv").set_index("scale").loc[scale].to_dict()


@pytest.mark.parametrize("scale", SCALES)
def test_coefficients_equal_psych_on_bfi(bfi, bfi_items, scale):
    # psych 2.2.9: alpha(), omega(nfactors = 1); make_reliability_reference.R.
    corr = pearson(keyed(bfi, bfi_items, scale), np.ones(len(bfi)))
    theirs = psych(scale)
    assert standardised_alpha(corr) == pytest.approx(theirs["std_alpha"], abs=1e-11)
    assert guttman_lambda6(corr) == pytest.approx(theirs["lambda6"], abs=1e-11)
    assert cronbach_alpha(corr).mean_r == pytest.approx(theirs["average_r"], abs=1e-11)
    # psych's optim() stops at a relative change of 1e-7 of the residuals.
    assert omega_total(corr) == pytest.approx(theirs["omega_total_1"], abs=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_one_matrix_gives_all_that_psych_alpha_says_of_answers_with_gaps(bfi, bfi_items, scale):
    # psych 2.2.9, alpha() of the answers: cov2cor() of pairwise covariances, which differ from the
    # pairwise correlations by up to 4e-4 here.
    corr = scaled_correlation(covariance(keyed(bfi, bfi_items, scale), np.ones(len(bfi))))
    theirs = reference("reliability_answers.csv").set_index("scale").loc[scale]
    assert standardised_alpha(corr) == pytest.approx(theirs["std_alpha"], abs=1e-9)
    assert guttman_lambda6(corr) == pytest.approx(theirs["lambda6"], abs=1e-9)
    assert corr[np.tril_indices(len(corr), -1)].mean() == pytest.approx(
        theirs["average_r"], abs=1e-9
    )


def test_omega_total_of_the_bfi_scales_is_that_of_the_issue(bfi, bfi_items):
    found = [
        round(omega_total(pearson(keyed(bfi, bfi_items, s), np.ones(len(bfi)))), 3) for s in "ACENO"
    ]
    assert found == [0.723, 0.731, 0.764, 0.819, 0.617]


@pytest.mark.parametrize("scale", SCALES)
def test_split_halves_equal_psych_s_formula_over_all_halvings(bfi, bfi_items, rng, scale):
    corr = pearson(keyed(bfi, bfi_items, scale), np.ones(len(bfi)))
    theirs = psych(scale)
    found = split_half(corr, rng=rng)
    assert (found.highest, found.mean, found.lowest) == pytest.approx(
        (theirs["max"], theirs["mean"], theirs["min"]), abs=1e-11
    )
    assert found.exhaustive
    for half, value in ((found.best, found.highest), (found.worst, found.lowest)):
        between = corr[np.ix_(half, ~half)].sum()
        assert 4 * between / corr.sum() == pytest.approx(value, abs=1e-12)
    if len(corr) % 2 == 0:
        # psych::splitHalf itself, which is complete for an even number of items.
        assert theirs["psych_max"] == pytest.approx(found.highest, abs=1e-11)
        assert theirs["psych_min"] == pytest.approx(found.lowest, abs=1e-11)


def test_the_mean_of_all_even_halvings_is_alpha(bfi, bfi_items, rng):
    # Cronbach (1951).
    cov = covariance(keyed(bfi, bfi_items, "AC"), np.ones(len(bfi)))
    found = split_half(cov, rng=rng)
    assert found.n_splits == 126
    assert found.mean == pytest.approx(cronbach_alpha(cov).alpha, abs=1e-12)


def test_long_scales_are_halved_in_a_sample_of_ways(rng):
    cov = np.full((20, 20), 0.3) + np.diag(np.linspace(0.5, 1.5, 20))
    found = split_half(cov, rng=rng)
    assert (found.n_splits, found.exhaustive) == (MAX_SPLITS, False)
    assert found.best.sum() == found.worst.sum() == 10
    # 92,378 halvings whose values differ by less than .01: the mean of 10,000 is off by 1e-4 at
    # most.
    assert found.mean == pytest.approx(cronbach_alpha(cov).alpha, abs=1e-4)


def test_omegas_of_thurstone_s_tests_equal_psych():
    # psych 2.2.9, omega(Thurstone, 3), from psych's own oblique loadings.
    table = reference("omega_thurstone.csv")
    corr = table.iloc[:, 9:].to_numpy()
    loadings = table[["F1", "F2", "F3"]].to_numpy()
    phi = reference("omega_thurstone_phi.csv").iloc[:, 1:].to_numpy()
    theirs = reference("omega_thurstone_values.csv")
    general, groups = schmid_leiman(loadings, phi)
    unique = 1 - communalities(loadings, phi)
    found = omega(corr, general, groups, uniquenesses=unique)
    # The general factor is psych's minres, good to 1e-5.
    assert found.total == pytest.approx(theirs["total"][0], abs=1e-5)
    assert found.hierarchical == pytest.approx(theirs["omega_h"][0], abs=1e-5)
    assert found.asymptotic == pytest.approx(theirs["omega_lim"][0], abs=1e-5)
    assert found.ecv == pytest.approx(theirs["ecv"][0], abs=1e-5)
    np.testing.assert_array_equal(found.group_of, np.repeat([0, 1, 2], 3))
    np.testing.assert_allclose(found.group_total, theirs["total"][1:], atol=1e-5)
    np.testing.assert_allclose(found.group_general, theirs["general"][1:], atol=1e-5)
    np.testing.assert_allclose(found.group_own, theirs["group"][1:], atol=1e-5)


def test_omega_hierarchical_of_our_own_factors_equals_psych_on_ten_bfi_items(bfi, bfi_items):
    # psych 2.2.9, omega(r, 3): minres, oblimin, Schmid-Leiman. Ten items, because three factors of
    # five are not identified and what a rotation makes of them is a matter of its start.
    corr = pearson(keyed(bfi, bfi_items, "AC"), np.ones(len(bfi)))
    extraction = extract_minres(corr, 3)
    turned = rotate(extraction.loadings, method="oblimin")
    general, groups = schmid_leiman(turned.loadings, turned.phi)
    found = omega(corr, general, groups, uniquenesses=extraction.uniquenesses)
    theirs = psych("AC")
    # psych stops extracting at a relative change of 1e-7 and rotating at a gradient of 1e-5.
    assert found.total == pytest.approx(theirs["omega_total_3"], abs=1e-4)
    assert found.hierarchical == pytest.approx(theirs["omega_h_3"], abs=1e-4)
    assert found.asymptotic == pytest.approx(theirs["omega_lim_3"], abs=1e-4)
    assert found.ecv == pytest.approx(theirs["ecv_3"], abs=1e-4)


def test_omega_recovers_a_planted_bifactor_model():
    general, own = np.full(6, 0.6), np.full(6, 0.5)
    groups = np.kron(np.eye(2), np.ones((3, 1))) * own[:, None]
    model = np.outer(general, general) + groups @ groups.T
    corr = model - np.diag(np.diag(model)) + np.eye(6)
    found = omega(corr, general, groups)
    # By hand: (6 x .6)^2 = 12.96; two groups (3 x .5)^2 = 2.25 each; errors 6 x .39 = 2.34.
    assert found.hierarchical == pytest.approx(12.96 / 19.8)
    assert found.total == pytest.approx(17.46 / 19.8)
    assert found.ecv == pytest.approx(0.36 / 0.61)


def test_ordinal_alpha_is_alpha_of_the_polychoric_correlations(bfi, bfi_items):
    items = keyed(bfi, bfi_items, "N")
    found = standardised_alpha(polychoric(items, np.ones(len(items))))
    # psych's polychoric correlations are good to 1e-4.
    expected = reference("reliability_ordinal.csv")["std_alpha"][0]
    assert found == pytest.approx(expected, abs=1e-4)


def test_parallel_items_make_all_coefficients_one_and_the_same(rng):
    corr = np.full((4, 4), 0.5) + np.diag(np.full(4, 0.5))
    expected = 4 * 0.5 / (1 + 3 * 0.5)
    assert standardised_alpha(corr) == pytest.approx(expected)
    assert omega_total(corr) == pytest.approx(expected, abs=1e-6)
    assert composite_reliability(np.full(4, np.sqrt(0.5))) == pytest.approx(expected)
    assert average_variance_extracted(np.full(4, np.sqrt(0.5))) == pytest.approx(0.5)
    halves = split_half(corr, rng=rng)
    assert halves.highest == pytest.approx(halves.lowest)
    assert halves.mean == pytest.approx(expected)


def test_composite_reliability_and_ave_by_hand():
    loadings = np.array([0.8, 0.7, 0.6])
    # 2.1^2 = 4.41; errors .36 + .51 + .64 = 1.51; squares .64 + .49 + .36 = 1.49.
    assert composite_reliability(loadings) == pytest.approx(4.41 / 5.92)
    assert average_variance_extracted(loadings) == pytest.approx(1.49 / 3)


def test_two_items_have_the_spearman_brown_value(rng):
    corr = np.array([[1, 0.4], [0.4, 1]])
    expected = 0.8 / 1.4
    assert standardised_alpha(corr) == pytest.approx(expected)
    assert omega_total(corr) == pytest.approx(expected, abs=1e-6)
    found = split_half(corr, rng=rng)
    assert (found.n_splits, found.mean) == (1, pytest.approx(expected))


@pytest.mark.parametrize(
    "coefficient",
    [
        cronbach_alpha,
        standardised_alpha,
        guttman_lambda6,
        omega_total,
        lambda m: split_half(m, rng=np.random.default_rng(1)),
    ],
)
def test_a_single_item_is_refused(coefficient):
    with pytest.raises(ValueError, match="at least two items; there is 1"):
        coefficient(np.eye(1))


def test_ordinal_alpha_is_standardised_alpha_of_polychoric_correlations(bfi, bfi_items):
    items = keyed(bfi, bfi_items, "N")
    alpha, low, high = ordinal_alpha(items, np.ones(len(items)), len(items))
    plain = standardised_alpha(polychoric(items, np.ones(len(items))))
    assert alpha == pytest.approx(plain, abs=1e-12)
    assert low < alpha < high


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_standard_error_of_ordinal_alpha_is_its_spread_over_samples(missing):
    # 150 samples: the spread itself is known to 1 / sqrt(300), 6%; three of those are allowed.
    rng = np.random.default_rng(3)
    alphas, widths = [], []
    for _ in range(150):
        common = rng.standard_normal((400, 1))
        x = 0.7 * common + np.sqrt(0.51) * rng.standard_normal((400, 5))
        items = np.searchsorted([-0.2, 0.5, 1.1, 1.7], x).astype(float)
        items[rng.random(items.shape) < missing] = np.nan
        alpha, low, high = ordinal_alpha(items, np.ones(400), 400)
        alphas.append(np.log(1 - alpha))
        widths.append(np.log(1 - low) - np.log(1 - high))
    assert np.mean(widths) / (2 * 1.959964) == pytest.approx(np.std(alphas), rel=0.18)


def test_a_duplicated_item_does_not_break_lambda_6():
    corr = np.array([[1, 1, 0.5], [1, 1, 0.5], [0.5, 0.5, 1]])
    # The twins predict each other wholly; the third keeps 1 - .25 of a sum that varies by 7.
    assert guttman_lambda6(corr) == pytest.approx(1 - 0.75 / 7, abs=1e-9)


def test_integer_weights_equal_repeated_rows(bfi, bfi_items):
    rng = np.random.default_rng(6)
    items = keyed(bfi, bfi_items, "C")[:300]
    weights = rng.integers(1, 4, 300)

    def numbers(x: np.ndarray, w: np.ndarray) -> list[float]:
        corr = pearson(x, w)
        halves = split_half(corr, rng=rng)
        return [
            standardised_alpha(corr),
            guttman_lambda6(corr),
            omega_total(corr),
            halves.highest,
            halves.mean,
            halves.lowest,
        ]

    weighted = numbers(items, weights.astype(float))
    repeated = numbers(np.repeat(items, weights, axis=0), np.ones(weights.sum()))
    assert weighted == pytest.approx(repeated, abs=1e-10)
