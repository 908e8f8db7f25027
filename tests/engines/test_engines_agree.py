"""Both engines give the same correlations and factors, or the R engine says that it cannot."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from psychoseg.engines.base import RawFactors, RotationOptions
from psychoseg.engines.python import PythonEngine
from psychoseg.engines.r import REngine
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.factor import match_factors
from psychoseg.stats.rotation import ROTATIONS
from tests.engines.conftest import REFERENCE

METHODS = ("minres", "ml", "principal_axes", "components")
SETS = {"bfi": 5, "fitness": 6, "Harman74": 4}
#: psych's optimisers stop where its uniquenesses are good to about 3e-6 and R's optimize where rho
#: is good to 2e-5; a rotation ends at a gradient of 1e-6, in a flat place 5e-5 from the optimum.
AGREED = 1e-4
#: Sums of the same doubles in another order.
ROUNDING = 1e-12
PYTHON = PythonEngine()


@pytest.fixture(scope="session")
def fitness(root) -> np.ndarray:
    frame = pd.read_csv(root / "surveys" / "fitness_app" / "survey.csv")
    return frame.loc[:, "wl_1":"pr_6"].to_numpy(np.float64)


@pytest.fixture(scope="session")
def age(root) -> np.ndarray:
    return pd.read_csv(root / "surveys" / "big_five" / "data.csv")["age"].to_numpy(np.float64)


@pytest.fixture(scope="session")
def answers(bfi, fitness, age) -> dict[str, np.ndarray]:
    """Six-point, five-point, two-point and measured items, each set with answers missing."""
    few = bfi[:, :6].copy()
    few[:, 5] = np.where(np.isnan(few[:, 5]), np.nan, few[:, 5] > 3)
    few[:, 0] = np.minimum(few[:, 0], 4)
    other = np.random.default_rng(3).normal(size=len(bfi)) + bfi[:, 1]
    return {"bfi": bfi[:, 5:12], "fitness": fitness[:, 4:10], "mixed": np.c_[few, age, other]}


@pytest.fixture(scope="session")
def correlations(bfi, fitness) -> dict[str, np.ndarray]:
    corr = {
        name: PYTHON.correlate(x, "pearson", np.ones(len(x)))
        for name, x in (("bfi", bfi), ("fitness", fitness))
    }
    rows = pd.read_csv(REFERENCE / "factor_sets.csv").query("set == 'Harman74' and kind == 'corr'")
    full = np.eye(24)
    full[rows["row"], rows["column"]] = full[rows["column"], rows["row"]] = rows["value"]
    return {**corr, "Harman74": full}


# Correlations


@pytest.mark.parametrize("missing", ["pairwise", "listwise"])
@pytest.mark.parametrize("weighting", ["none", "all two", "uneven", "some zero"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *itertools.product(["bfi", "fitness"], ["pearson", "spearman", "polychoric", "mixed"]),
        *itertools.product(["mixed"], ["pearson", "spearman", "mixed"]),
    ],
)
def test_correlations_are_those_of_the_python_engine(
    r_engine, answers, name, kind, weighting, missing
):
    x = answers[name]
    assert np.isnan(x).any()
    uneven = np.random.default_rng(1).uniform(0.2, 4, len(x))
    weights = {
        "none": np.ones(len(x)),
        "all two": np.full(len(x), 2.0),
        "uneven": uneven,
        "some zero": np.where(uneven < 1, 0.0, uneven),
    }[weighting]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = r_engine.correlate(x, kind, weights, missing=missing)
    expected = PYTHON.correlate(x, kind, weights, missing=missing)
    exact = kind in ("pearson", "spearman")
    np.testing.assert_allclose(found, expected, atol=ROUNDING if exact else AGREED)
    other = {"pairwise": "listwise", "listwise": "pairwise"}[missing]
    assert np.abs(found - PYTHON.correlate(x, kind, weights, missing=other)).max() > 1e-3


@pytest.mark.parametrize("name", ["bfi", "fitness", "mixed"])
def test_em_correlations_are_those_of_the_python_engine(r_engine, answers, name):
    x = answers[name].copy()
    x[np.random.default_rng(2).random(x.shape) < 0.2] = np.nan
    weights = np.full(len(x), 3.0)
    found = r_engine.correlate(x, "pearson", weights, missing="em")
    # Both stop at a change of 1e-9, a little before the maximum.
    np.testing.assert_allclose(
        found, PYTHON.correlate(x, "pearson", weights, missing="em"), atol=1e-7
    )
    assert np.abs(found - r_engine.correlate(x, "pearson", weights)).max() > 1e-3


def test_em_leaves_items_and_rows_without_information_aside(r_engine, bfi):
    x = np.column_stack([bfi[:200, :3], np.full(200, 2.0), np.full(200, np.nan)])
    x[:5, :3] = np.nan
    found = r_engine.correlate(x, "pearson", np.ones(200), missing="em")
    assert np.isnan(found[3:]).all()
    expected = PYTHON.correlate(x[:, :3], "pearson", np.ones(200), missing="em")
    np.testing.assert_allclose(found[:3, :3], expected, atol=1e-7)


@pytest.mark.parametrize("kind", ["polychoric", "mixed"])
@pytest.mark.parametrize("correction", [0.1, 0.5])
def test_the_correction_of_an_empty_cell_is_that_of_the_python_engine(
    r_engine, bfi, kind, correction
):
    # Nobody agrees with both of the first two; the fourth has six categories and empty cells, which
    # stay.
    x = np.column_stack([bfi[:300, 0] > 5, bfi[:300, 4] < 2, bfi[:300, 2] > 4]).astype(float)
    x = np.column_stack([x, bfi[:300, 3], bfi[:300, 5]])
    weights = np.random.default_rng(5).uniform(0.5, 2, 300)
    found = r_engine.correlate(x, kind, weights, correction=correction)
    expected = PYTHON.correlate(x, kind, weights, correction=correction)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    plain = r_engine.correlate(x, kind, weights)
    assert abs(found[0, 1] - plain[0, 1]) > 0.1
    np.testing.assert_allclose(found[3:, 3:], plain[3:, 3:], atol=1e-9)


def test_mixed_correlations_of_measured_items_alone_are_pearsons(r_engine):
    x = np.random.default_rng(8).normal(size=(50, 3))
    found = r_engine.correlate(x, "mixed", np.ones(50))
    np.testing.assert_allclose(found, np.corrcoef(x.T), atol=ROUNDING)


@pytest.mark.parametrize("kind", ["spearman", "mixed"])
@pytest.mark.parametrize("weights", [np.ones(50), np.linspace(1, 2, 50)], ids=["even", "uneven"])
@pytest.mark.filterwarnings("ignore:R .*standard deviation is zero")
def test_items_that_cannot_correlate_are_nan_in_both_engines(r_engine, bfi, age, kind, weights):
    x = np.column_stack([bfi[:50, 0], np.full(50, 3.0), age[:50], np.full(50, np.nan), age[:50]])
    x[:25, 4], x[25:, 0] = np.nan, np.nan
    found = r_engine.correlate(x, kind, weights)
    expected = PYTHON.correlate(x, kind, weights)
    assert np.isnan(expected[[1, 3]]).all()
    assert np.isnan(expected[0, 4])
    np.testing.assert_allclose(found, expected, atol=AGREED)


def test_without_a_complete_row_listwise_correlations_are_nan(r_installed):
    x = np.array([[1.0, np.nan], [np.nan, 2.0]])
    for engine in (PYTHON, REngine()):
        found = engine.correlate(x, "pearson", np.ones(2), missing="listwise")
        assert np.isnan(found).all()


# Factors


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SETS)
def test_factors_are_those_of_the_python_engine(r_engine, correlations, name, method, rotation):
    corr, m = correlations[name], SETS[name]
    options = RotationOptions(target=target_of(len(corr), m))
    assert_agree(r_engine, corr, m, method, rotation, options)


@pytest.mark.parametrize("rotation", [r for r in ROTATIONS if r != "none"])
@pytest.mark.parametrize("usual", [False, True])
def test_kaisers_normalisation_is_done_where_asked(r_engine, correlations, rotation, usual):
    corr = correlations["bfi"]
    options = RotationOptions(kaiser=usual, target=target_of(25, 5))
    found = assert_agree(r_engine, corr, 5, "minres", rotation, options)
    other = RotationOptions(kaiser=not usual, target=target_of(25, 5))
    assert distance(found, python_factor(corr, 5, "minres", rotation, other)) > 1e-3


@pytest.mark.parametrize("rotation", [r for r in ROTATIONS if r not in ("none", "promax")])
def test_the_variant_of_spss_normalises_every_rotation(r_engine, correlations, rotation):
    corr = correlations["bfi"]
    options = RotationOptions(variant="spss", target=target_of(25, 5))
    assert_agree(r_engine, corr, 5, "ml", rotation, options)


@pytest.mark.parametrize(
    ("rotation", "options"),
    [
        ("oblimin", RotationOptions(gamma=-0.5)),
        ("oblimin", RotationOptions(gamma=0.2)),
        ("geomin_q", RotationOptions(delta=0.05)),
        ("geomin_t", RotationOptions(delta=0.05)),
        ("promax", RotationOptions(power=3.0)),
        ("promax", RotationOptions(power=3.0, kaiser=False)),
    ],
)
def test_gamma_delta_and_power_are_passed_on(r_engine, correlations, rotation, options):
    corr = correlations["bfi"]
    found = assert_agree(r_engine, corr, 5, "minres", rotation, options)
    plain = RotationOptions(kaiser=options.kaiser)
    assert distance(found, python_factor(corr, 5, "minres", rotation, plain)) > 1e-3


@pytest.mark.parametrize("kaiser", [False, True])
def test_a_target_with_nothing_free_is_reached_through_a_reflection(r_engine, correlations, kaiser):
    corr = correlations["bfi"]
    target = np.where(np.isnan(target_of(25, 5)), 0.6, 0.0)[:, [1, 0, 2, 3, 4]]
    target[:, 2] *= -1
    options = RotationOptions(target=target, kaiser=kaiser)
    found = assert_agree(r_engine, corr, 5, "minres", "target_t", options)
    # In the target's own order and signs: nothing to match.
    ours = python_factor(corr, 5, "minres", "target_t", options)
    np.testing.assert_allclose(found.loadings, ours.loadings, atol=AGREED)


@pytest.mark.parametrize("rotation", ["bifactor_q", "bifactor_t"])
def test_bifactor_rotations_start_from_the_order_of_extraction(r_engine, rotation):
    # Three precise items make the first factor of maximum likelihood, six others the largest, which
    # psych puts first; the rotation then ends in another optimum.
    rng = np.random.default_rng(0)
    loadings = np.zeros((9, 3))
    loadings[:3, 0], loadings[3:, 1] = 0.9, 0.65
    loadings[3::2, 2] = rng.uniform(-0.5, 0.5, 3)
    loadings += rng.normal(0, 0.1, loadings.shape)
    loadings /= np.sqrt(np.maximum((loadings**2).sum(axis=1) / 0.9, 1))[:, None]
    corr = loadings @ loadings.T
    np.fill_diagonal(corr, 1.0)
    corr = np.corrcoef(rng.multivariate_normal(np.zeros(9), corr, 300).T)
    sums = (python_factor(corr, 3, "ml", "none", RotationOptions()).loadings ** 2).sum(axis=0)
    assert sums.argmax() != 0
    assert_agree(r_engine, corr, 3, "ml", rotation, RotationOptions())


def test_oblimin_with_kaisers_normalisation_off_is_psychs_own_to_the_last_bit(
    r_engine, correlations
):
    usual = r_engine.factor(correlations["bfi"], 5, n_obs=2800.0)
    options = RotationOptions(kaiser=False, gamma=0.0)
    said = r_engine.factor(correlations["bfi"], 5, options=options, n_obs=2800.0)
    np.testing.assert_array_equal(usual.loadings, said.loadings)


def test_one_factor_needs_neither_rotation_nor_target(r_engine, correlations):
    raw = r_engine.factor(correlations["bfi"], 1, rotation="target_q", n_obs=2800.0)
    ours = PYTHON.factor(correlations["bfi"], 1, rotation="target_q", n_obs=2800.0)
    assert distance(raw, ours) < AGREED


@pytest.mark.parametrize("engine", ["python", "r"])
def test_principal_axes_that_ran_out_of_steps_say_so(r_engine, correlations, engine):
    chosen = r_engine if engine == "r" else PYTHON
    with pytest.warns(PsychosegWarning, match=r"principal_axes\)? did not converge for 8 factors"):
        chosen.factor(
            correlations["Harman74"], 8, method="principal_axes", rotation="none", n_obs=145.0
        )


@pytest.mark.parametrize("engine", ["python", "r"])
def test_a_rotation_that_did_not_converge_says_so(r_engine, correlations, engine):
    chosen = r_engine if engine == "r" else PYTHON
    # With next to nothing added geomin is not smooth, and its minimum has no gradient of zero.
    options = RotationOptions(delta=1e-9)
    words = {"r": r"GPArotation::geominQ\): convergence not obtained", "python": "did not converge"}
    with pytest.warns(PsychosegWarning, match=words[engine]):
        chosen.factor(correlations["bfi"], 5, rotation="geomin_q", options=options, n_obs=2800.0)


# What R cannot do


@pytest.mark.parametrize("kind", ["spearman", "polychoric", "mixed"])
def test_em_is_for_pearson_alone(bfi, kind):
    for engine in (PYTHON, REngine()):
        with pytest.raises(EngineError, match=f"not {kind} ones"):
            engine.correlate(bfi, kind, np.ones(len(bfi)), missing="em")


def test_em_with_weights_is_for_the_python_engine(bfi):
    weights = np.linspace(1, 3, len(bfi))
    with pytest.raises(
        EngineError, match=r'missing = "em", .* from 1 to 3\. Use engine = "python"'
    ):
        REngine().correlate(bfi, "pearson", weights, missing="em")


@pytest.mark.filterwarnings("ignore:R .*smallest eigenvalue of the EM estimated")
def test_em_of_items_that_depend_on_one_another_is_refused(r_engine, bfi):
    x = np.column_stack([bfi[:, :3], bfi[:, :3].sum(axis=1)])
    with pytest.raises(
        EngineError, match=r"lavaan::lavCor failed: the items depend on one another"
    ):
        r_engine.correlate(x, "pearson", np.ones(len(x)), missing="em")


def test_too_many_answers_for_an_ordinal_item_are_refused_by_both_engines(age):
    x = np.column_stack([age, age])
    for engine in (PYTHON, REngine()):
        with pytest.raises(ValueError, match="categories are more than the 20"):
            engine.correlate(x, "polychoric", np.ones(len(x)))


@pytest.mark.parametrize(
    ("method", "rotation", "setting"),
    [
        ("principal_axes", "oblimin", 'extraction = "principal_axes" with variant = "spss"'),
        ("minres", "promax", 'rotation = "promax" with variant = "spss"'),
    ],
)
def test_spsss_own_rules_are_for_the_python_engine(correlations, method, rotation, setting):
    with pytest.raises(EngineError, match=f'{setting} is not in R.*engine = "python"'):
        REngine().factor(
            correlations["bfi"],
            5,
            method=method,
            rotation=rotation,
            options=RotationOptions(variant="spss"),
            n_obs=2800.0,
        )


def test_principal_axes_with_a_negative_eigenvalue_are_refused(r_engine):
    corr = np.full((6, 6), 0.3) + 0.7 * np.eye(6)
    with (
        pytest.warns(PsychosegWarning, match="NaNs produced"),
        pytest.raises(EngineError, match="an eigenvalue of the first 5 is negative; try fewer"),
    ):
        r_engine.factor(corr, 5, method="principal_axes", rotation="none", n_obs=100.0)


def test_an_oblimin_without_a_minimum_is_refused_by_name(r_engine, correlations):
    with pytest.raises(EngineError, match=r"psych::fa and GPArotation::oblimin failed: .*singular"):
        r_engine.factor(correlations["bfi"], 5, options=RotationOptions(gamma=2.0), n_obs=2800.0)


@pytest.mark.parametrize(
    ("method", "rotation", "words"),
    [("image", "oblimin", "'image' with 'oblimin'"), ("minres", "cluster", "with 'cluster'")],
)
def test_an_unknown_method_or_rotation_is_refused(correlations, method, rotation, words):
    with pytest.raises(EngineError, match=f"extracts by minres, ml, .* not by .*{words}"):
        REngine().factor(correlations["bfi"], 5, method=method, rotation=rotation, n_obs=2800.0)


@pytest.mark.parametrize("rotation", ["target_t", "target_q"])
@pytest.mark.parametrize("target", [None, np.zeros((25, 4))], ids=["none", "of 4 factors"])
def test_a_target_rotation_without_a_fitting_target_is_refused(correlations, rotation, target):
    options = RotationOptions(target=target)
    for engine in (PYTHON, REngine()):
        with pytest.raises(ValueError, match=rf"{rotation} takes a target of shape \(25, 5\)"):
            engine.factor(correlations["bfi"], 5, rotation=rotation, options=options, n_obs=2800.0)


# Helpers


def target_of(p: int, m: int) -> np.ndarray:
    """Return a target: zero but for each factor's own run of items, which are free."""
    target = np.zeros((p, m))
    target[np.arange(p), np.arange(p) * m // p] = np.nan
    return target


def python_factor(corr, m, method, rotation, options) -> RawFactors:
    return PYTHON.factor(corr, m, method=method, rotation=rotation, options=options, n_obs=2800.0)


def assert_agree(r_engine, corr, m, method, rotation, options) -> RawFactors:
    found = r_engine.factor(
        corr, m, method=method, rotation=rotation, options=options, n_obs=2800.0
    )
    assert distance(found, python_factor(corr, m, method, rotation, options)) < AGREED
    return found


def distance(a: RawFactors, b: RawFactors) -> float:
    """Return the largest difference of loadings, phi and uniquenesses, columns matched."""
    _, columns, sign = match_factors(a.loadings, b.loadings)
    turn = np.sign(sign)
    return max(
        float(np.abs(a.loadings - b.loadings[:, columns] * turn).max()),
        float(np.abs(a.phi - b.phi[np.ix_(columns, columns)] * np.outer(turn, turn)).max()),
        float(np.abs(a.uniquenesses - b.uniquenesses).max()),
    )
