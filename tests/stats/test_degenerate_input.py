"""What degenerate answers do to each statistic: an error that names the item, or the stated NaN.

Answers that say nothing (a constant item, one nobody answered, two nobody answered both of), say a
thing twice (a duplicate, a sum score, fewer people than items) or contradict each other (a matrix
that is not positive definite). A warning of numpy's own is a failure throughout.
"""

import numpy as np
import pytest

from psychoseg.errors import PsychosegWarning
from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.correlation import (
    covariance,
    mixed_correlation,
    pearson,
    polychoric,
    smooth_correlation,
    spearman,
    thin_pairs,
)
from psychoseg.stats.dimension import how_many_factors
from psychoseg.stats.extraction import (
    extract,
    extract_components,
    extract_minres,
    extract_ml,
    extract_principal_axes,
    squared_multiple_correlations,
)
from psychoseg.stats.factor import bartlett_sphericity, kmo
from psychoseg.stats.fit import factor_fit
from psychoseg.stats.items import propose_drop, suggest_keys
from psychoseg.stats.missing import missing_report
from psychoseg.stats.optima import search_optima
from psychoseg.stats.parallel import parallel_analysis
from psychoseg.stats.quality import mahalanobis, person_total
from psychoseg.stats.reliability import (
    cronbach_alpha,
    guttman_lambda6,
    omega_total,
    split_half,
    standardised_alpha,
)
from psychoseg.stats.scores import determinacy, factor_scores, score_weights, unit_scores

pytestmark = pytest.mark.filterwarnings("error")

P = 8
LOADINGS = np.kron(np.eye(2), np.full((4, 1), 0.6))
CORRELATIONS = {
    "pearson": pearson,
    "em": lambda x, w: pearson(x, w, missing="em"),
    "spearman": spearman,
    "polychoric": polychoric,
    "polychoric, corrected": lambda x, w: polychoric(x, w, correction=0.5, rule="psych"),
    "mixed": lambda x, w: mixed_correlation(
        x, ["continuous"] * 4 + ["ordinal"] * (x.shape[1] - 4), w
    ),
}
#: Whatever takes a matrix of correlations.
OF_A_MATRIX = {
    "squared multiple correlations": squared_multiple_correlations,
    "kmo": kmo,
    "bartlett's test": lambda r: bartlett_sphericity(r, 200),
    "minres": lambda r: extract_minres(r, 2),
    "ml": lambda r: extract_ml(r, 2),
    "principal axes": lambda r: extract_principal_axes(r, 2),
    "components": lambda r: extract_components(r, 2),
    "restarts": lambda r: search_optima(r, 2, method="minres", rng=rng(), starts=2),
    "fit": lambda r: factor_fit(r, LOADINGS, np.eye(2), 200),
    "score weights": lambda r: score_weights(r, LOADINGS, np.eye(2)),
    "determinacy": lambda r: determinacy(r, LOADINGS, np.eye(2)),
    "lambda 6": guttman_lambda6,
    "omega total": omega_total,
    "split half": lambda r: split_half(r, rng=rng()),
    "keys": suggest_keys,
    "smoothing": smooth_correlation,
}


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def answers():
    """Two factors of four items on five points, 200 people."""
    latent = rng().standard_normal((200, 2)) @ np.kron(np.eye(2), np.full((1, 4), 0.8))
    return np.clip(np.round(3 + latent + 0.7 * rng().standard_normal((200, P))), 1, 5)


def without(kind: str, items: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    """Return answers that say nothing, which pairs have no correlation, and who is to be named."""
    items, undefined = items.copy(), np.zeros((P, P), dtype=bool)
    if kind == "never answered together":
        items[:100, 0] = items[100:, 1] = np.nan
        undefined[[0, 1], [1, 0]] = True
        return items, undefined, "items 0 and 1"
    items[:, 2] = 3.0 if kind == "constant" else np.nan
    undefined[2] = undefined[:, 2] = True
    return items, undefined, "item 2"


SILENT = ("constant", "never answered", "never answered together")


@pytest.mark.parametrize("kind", SILENT)
@pytest.mark.parametrize("name", CORRELATIONS)
def test_correlations_are_nan_where_the_answers_say_nothing_and_nowhere_else(answers, kind, name):
    items, undefined, _ = without(kind, answers)
    if name == "em" and kind == "never answered together":
        # EM goes through the other items.
        undefined[:] = False
    np.testing.assert_array_equal(np.isnan(CORRELATIONS[name](items, np.ones(200))), undefined)


@pytest.mark.parametrize("kind", SILENT)
@pytest.mark.parametrize("name", OF_A_MATRIX)
def test_what_takes_correlations_names_the_item_without(answers, kind, name):
    items, _, named = without(kind, answers)
    with pytest.raises(ValueError, match=f"NaN \\({named}\\)"):
        OF_A_MATRIX[name](pearson(items, np.ones(200)))


@pytest.mark.parametrize("kind", SILENT)
def test_counting_factors_refuses_missing_correlations(answers, kind):
    items, _, named = without(kind, answers)
    corr = pearson(items, np.ones(200))
    for count in (parallel_analysis, how_many_factors):
        with pytest.raises(ValueError, match=f"NaN \\({named}\\)"):
            count(corr, 200, rng=rng())


@pytest.mark.parametrize("kind", SILENT)
def test_alpha_says_nan_where_it_cannot_be_told(answers, kind):
    items, undefined, _ = without(kind, answers)
    ones = np.ones(200)
    cov = covariance(items, ones)
    found = cronbach_alpha(cov)
    assert np.isnan(found.mean_r)
    assert np.isnan(standardised_alpha(pearson(items, ones)))
    if kind == "constant":
        # It adds nothing to either variance, and one to the number of items.
        rest = cronbach_alpha(np.delete(np.delete(cov, 2, axis=0), 2, axis=1))
        assert found.alpha == pytest.approx(rest.alpha * (8 / 7) / (7 / 6))
        np.testing.assert_array_equal(np.isnan(found.item_rest), np.arange(P) == 2)
    else:
        assert np.isnan(found.alpha)
        assert np.isnan(alpha_interval(items, ones, counts=True)).all()
        alone = undefined.sum(axis=0) == undefined.sum(axis=0).max()
        np.testing.assert_array_equal(np.isfinite(found.alpha_if_dropped), alone)
        assert propose_drop(cov, np.arange(P)) is None


def test_alpha_of_constant_items_alone_is_nan():
    found = cronbach_alpha(np.zeros((3, 3)))
    assert np.isnan([found.alpha, found.mean_r]).all()
    for standardised in (False, True):
        ends = alpha_interval(np.ones((9, 3)), np.ones(9), counts=True, standardised=standardised)
        assert np.isnan(ends).all()


def test_thin_pairs_name_what_says_nothing(answers):
    reasons = {"constant": "constant", "never answered": "too few rows"}
    for kind, reason in reasons.items():
        found = thin_pairs(without(kind, answers)[0], np.ones(200))
        assert {(pair.row, pair.col) for pair in found} == {
            (min(2, j), max(2, j)) for j in range(P) if j != 2
        }
        assert {pair.reason for pair in found} == {reason}
    pair = thin_pairs(without("never answered together", answers)[0], np.ones(200))[0]
    assert (pair.row, pair.col, pair.reason, pair.n) == (0, 1, "too few rows", 0.0)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("constant", "item 2 has no variance"), ("never answered", "item 2 has no answers")],
)
def test_factor_scores_name_the_item_that_cannot_be_standardised(answers, kind, message):
    items, corr = without(kind, answers)[0], pearson(answers, np.ones(200))
    with pytest.raises(ValueError, match=message):
        factor_scores(items, np.ones(200), corr, LOADINGS, np.eye(2))


@pytest.mark.parametrize("kind", SILENT)
def test_indices_of_respondents_go_by_what_is_there(answers, kind):
    items = without(kind, answers)[0]
    ones = np.ones(200)
    found = mahalanobis(items, ones)
    assert np.isfinite(found.squared).all()
    assert (found.df == 7).all()
    assert np.isfinite(person_total(items, ones)).any()
    assert np.isfinite(unit_scores(items, np.ones((P, 1), dtype=bool))).all()
    share = missing_report(items, ones).items[2]
    assert share == (1.0 if kind == "never answered" else 0.0)


def repeated(kind: str, items: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return answers that say a thing twice, and the items that depend on one another."""
    if kind == "duplicate":
        return np.column_stack([items, items[:, 1]]), [1, 8]
    if kind == "sum score":
        return np.column_stack([items, items[:, :4].sum(axis=1)]), [0, 1, 2, 3, 8]
    return items[:6], list(range(P))


SINGULAR = ("duplicate", "sum score", "fewer people than items")


@pytest.mark.parametrize("kind", SINGULAR)
def test_items_that_depend_on_one_another_are_refused_where_the_likelihood_has_no_end(
    answers, kind
):
    items, involved = repeated(kind, answers)
    ones = np.ones(len(items))
    named = ", ".join(str(i) for i in involved)
    with pytest.raises(ValueError, match=rf"items \[{named}\] depend linearly"):
        pearson(items, ones, missing="em")
    with pytest.raises(ValueError, match="drop duplicate or sum items"):
        extract_ml(pearson(items, ones), 2)


@pytest.mark.parametrize("kind", SINGULAR)
def test_items_that_depend_on_one_another_are_fully_predicted_and_not_tested(answers, kind):
    items, involved = repeated(kind, answers)
    corr = pearson(items, np.ones(len(items)))
    smc = squared_multiple_correlations(corr)
    np.testing.assert_allclose(smc[involved], 1, atol=1e-9)
    assert (np.delete(smc, involved) < 0.9).all()
    overall, each = kmo(corr)
    assert 0 < overall < 1
    assert ((each > 0) & (each < 1)).all()
    assert bartlett_sphericity(corr, len(items))[0] == np.inf
    assert 0 < guttman_lambda6(corr) <= 1
    fit = factor_fit(corr, extract_minres(corr, 2).loadings, np.eye(2), len(items))
    assert np.isnan([fit.chi_square, fit.null_chi_square, fit.p, fit.rmsea, fit.tli]).all()
    assert fit.rmsr < 0.2
    assert smooth_correlation(corr)[1] < 1e-12


@pytest.mark.parametrize("kind", SINGULAR)
def test_items_that_depend_on_one_another_are_factored_and_scored_all_the_same(answers, kind):
    items, _ = repeated(kind, answers)
    ones = np.ones(len(items))
    corr = pearson(items, ones)
    for method in ("minres", "principal_axes", "components"):
        assert np.isfinite(extract(corr, 2, method=method).loadings).all()
    if kind == "sum score":
        assert extract_minres(corr, 2).heywood.tolist() == [8]
    loadings = extract_minres(corr, 1).loadings
    scores = factor_scores(items, ones, corr, loadings, np.eye(1)).scores
    assert np.isfinite(scores).all()
    found = mahalanobis(items, ones)
    # As many dimensions as there are independent items, or people less one.
    assert (found.df == (5 if kind == "fewer people than items" else P)).all()
    assert np.isfinite(found.squared).all()


def test_a_duplicate_is_warned_of_where_factors_are_counted(answers):
    corr = pearson(repeated("duplicate", answers)[0], np.ones(200))
    with pytest.warns(PsychosegWarning, match="not positive definite"):
        how_many_factors(corr, 200, rng=rng(), replicates=3)


def test_fewer_people_than_items_have_no_parallel_analysis(answers):
    corr = pearson(answers[:6], np.ones(6))
    with pytest.raises(ValueError, match=r"more respondents \(6\) than items \(8\)"):
        parallel_analysis(corr, 6, rng=rng())


@pytest.mark.parametrize("name", CORRELATIONS)
def test_two_answered_categories_are_enough(answers, name):
    items, ones = (answers > 3).astype(float), np.ones(200)
    corr = CORRELATIONS[name](items, ones)
    assert np.isfinite(corr).all()
    for compute in OF_A_MATRIX.values():
        compute(smooth_correlation(corr)[0])
    assert np.isfinite(cronbach_alpha(covariance(items, ones)).alpha)
    assert (mahalanobis(items, ones).df == P).all()


@pytest.fixture
def indefinite():
    # An item that goes with two others which go against each other: eigenvalues to -.5.
    corr = np.full((P, P), 0.3) + 0.7 * np.eye(P)
    corr[0, 1] = corr[1, 0] = corr[0, 2] = corr[2, 0] = 0.9
    corr[1, 2] = corr[2, 1] = -0.5
    assert np.linalg.eigvalsh(corr)[0] < -0.3
    return corr


def test_a_matrix_that_is_not_positive_definite_is_refused_smoothed_or_left_untested(indefinite):
    with pytest.raises(ValueError, match="smallest eigenvalue of this one is -"):
        extract_ml(indefinite, 2)
    smooth, smallest = smooth_correlation(indefinite)
    assert smallest < -0.3
    assert np.linalg.eigvalsh(smooth)[0] > 0
    with pytest.warns(PsychosegWarning, match="not positive definite"):
        how_many_factors(indefinite, 200, rng=rng(), replicates=3)
    found = extract_minres(indefinite, 2)
    assert found.converged
    fit = factor_fit(indefinite, found.loadings, np.eye(2), 200)
    assert np.isnan([fit.objective, fit.chi_square, fit.rmsea, fit.bic]).all()
    assert np.isfinite(fit.rmsr)
    assert bartlett_sphericity(indefinite, 200)[0] == np.inf
    smc = squared_multiple_correlations(indefinite)
    assert ((smc >= 0) & (smc <= 1)).all()
    np.testing.assert_allclose(smc[:3], 1, atol=1e-9)
    assert 0 < kmo(indefinite)[0] < 1


def test_nobody_is_refused_or_has_nothing():
    nobody = np.empty((0, P))
    with pytest.raises(ValueError, match="nobody"):
        missing_report(nobody, np.empty(0))
    assert mahalanobis(nobody, np.empty(0)).squared.shape == (0,)
    assert np.isnan(pearson(nobody, np.empty(0))).all()
