"""Alpha's interval, beside leaving everybody out once, lavaan, and samples of a known truth."""

import numpy as np
import pytest
from scipy.stats import norm, t

from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.correlation import covariance
from psychoseg.stats.reliability import cronbach_alpha, scaled_correlation, standardised_alpha
from tests.stats.conftest import reference
from tests.stats.test_reliability import SCALES, keyed


def answers(rng: np.random.Generator, n: int, p: int, top: float) -> np.ndarray:
    """Return five-point answers of one factor (loadings .7), a share ``top`` the highest."""
    latent = 0.7 * rng.standard_normal((n, 1)) + np.sqrt(0.51) * rng.standard_normal((n, p))
    cuts = norm.ppf((1 - top) * np.array([0.12, 0.3, 0.55, 1.0]))
    return np.searchsorted(cuts, latent) + 1.0


def alpha_of(x: np.ndarray, w: np.ndarray, standardised: bool) -> float:
    cov = covariance(x, w)
    return (
        standardised_alpha(scaled_correlation(cov)) if standardised else cronbach_alpha(cov).alpha
    )


def by_leaving_out(x: np.ndarray, w: np.ndarray, standardised: bool) -> tuple[float, float]:
    alpha = alpha_of(x, w, standardised)
    rows = np.arange(len(x))
    squares = np.array(
        [(alpha_of(x[rows != i], w[rows != i], standardised) - alpha) ** 2 for i in rows]
    )
    variance = squares.sum()
    freedom = 2 * variance**2 / ((squares**2).sum() - variance**2 / len(x))
    reach = t.ppf(0.975, freedom) * np.sqrt(variance)
    return alpha - reach, min(alpha + reach, 1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("standardised", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_it_is_that_of_leaving_everybody_out_once(weighted, standardised, missing):
    rng = np.random.default_rng(4)
    x = answers(rng, 120, 4, 0.5)
    # Who answered the first item low skips others, so that a pair's means are not the items'.
    skipped = (rng.random((120, 3)) < missing) & (x[:, :1] < 5)
    x[:, 1:][skipped] = np.nan
    w = rng.uniform(0.3, 3, 120) if weighted else np.ones(120)
    w /= w.mean()
    found = alpha_interval(x, w, counts=False, standardised=standardised)
    # Exact of raw alpha and complete answers, else linear in what one person of 120 does.
    exact = not (standardised or missing)
    width = found[1] - found[0]
    expected = by_leaving_out(x, w, standardised)
    assert found == pytest.approx(expected, abs=1e-12 if exact else 0.01 * width)


@pytest.mark.parametrize("scale", SCALES)
def test_its_standard_error_is_the_distribution_free_one_of_lavaan(bfi, bfi_items, scale):
    # lavaan 0.6.14: all covariances free, se = "robust.sem", alpha a defined parameter.
    x = keyed(bfi, bfi_items, scale)
    x = x[~np.isnan(x).any(axis=1)]
    theirs = reference("reliability_answers.csv").set_index("scale").loc[scale]
    assert (len(x), alpha_of(x, np.ones(len(x)), False)) == pytest.approx(
        (theirs["n"], theirs["alpha_complete"]), abs=1e-7
    )
    # Of 10,000 times as many people what is left of the correction of small samples is 1e-6.
    low, high = alpha_interval(x, np.full(len(x), 1e4), counts=True)
    error = (high - low) / 2 / norm.ppf(0.975) * 100
    assert error == pytest.approx(theirs["se_complete"], rel=1e-5)


@pytest.mark.parametrize("top", [0.2, 0.62, 0.79])
def test_it_covers_the_truth_under_a_ceiling(top):
    rng = np.random.default_rng(7)
    truth = alpha_of(answers(rng, 400_000, 5, top), np.ones(400_000), False)
    held = 0
    for _ in range(800):
        low, high = alpha_interval(answers(rng, 150, 5, top), np.ones(150), counts=True)
        held += low < truth < high
    # 95% +- 2.3%, three standard errors of 800 samples; Feldt's interval has 79% at the third.
    assert 0.927 < held / 800 < 0.973


def test_sampling_weights_widen_it_and_their_scale_does_not_matter():
    rng = np.random.default_rng(8)
    x = answers(rng, 300, 5, 0.3)
    w = rng.uniform(0.2, 4, 300)
    low, high = alpha_interval(x, w, counts=False)
    assert (low, high) == pytest.approx(alpha_interval(x, 10 * w, counts=False), abs=1e-12)
    plain = alpha_interval(x, np.ones(300), counts=False)
    assert high - low > 1.05 * (plain[1] - plain[0])


def test_two_people_or_none_give_no_interval():
    assert np.isnan(alpha_interval(np.full((5, 3), np.nan), np.ones(5), counts=True)).all()
    assert np.isnan(alpha_interval(np.array([[1.0, 2.0, 3.0]]), np.ones(1), counts=True)).all()
    with pytest.raises(ValueError, match="at least two items; there is 1"):
        alpha_interval(np.ones((5, 1)), np.ones(5), counts=True)
