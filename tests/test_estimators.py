"""The scikit-learn estimators: scikit-learn's checks, psych's numbers, fit_scales' scores."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from psychoseg.errors import PsychosegWarning
from psychoseg.estimators import LikertFactorAnalysis, LikertScales, factors
from psychoseg.scales import fit_scales
from psychoseg.scales.keys import MIN_ITEMS
from psychoseg.stats.correlation import pearson, polychoric
from psychoseg.stats.dimension import how_many_factors
from psychoseg.stats.factor import match_factors
from psychoseg.stats.scores import factor_scores
from psychoseg.study import ScalesSettings, load_study
from psychoseg.survey import load_survey

#: The defaults, and settings that leave no factor and no scale of the checks' random data empty.
CHECKED = [
    LikertFactorAnalysis(),
    LikertFactorAnalysis(n_factors=1, correlation="spearman", rotation="varimax"),
    LikertFactorAnalysis(n_factors=1, extraction="components", missing="listwise"),
    LikertScales(),
    LikertScales(n_factors=1, min_loading=0.0, correlation="pearson"),
    LikertScales(scales=[[0, 1]], reverse=[1], statistic="sum"),
]
#: Checks that scikit-learn runs on its own transformers beside those of parametrize_with_checks.
OWN_CHECKS = [
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_dataframe_column_names_consistency,
]
FITTED = [
    *("loadings_", "phi_", "structure_", "uniquenesses_", "communalities_", "corr_"),
    *("weights_", "determinacy_", "mean_", "sd_"),
]


@pytest.fixture(scope="module")
def big_five(root):
    study = load_study(root / "surveys" / "big_five")
    return study, load_survey(study)


def answers(n=400, *, seed=1, n_factors=3, per_factor=4, missing=0.05):
    """Return five-point items of unrelated factors, in the order of the factors."""
    rng = np.random.default_rng(seed)
    latent = np.repeat(rng.standard_normal((n, n_factors)), per_factor, axis=1)
    noise = rng.standard_normal((n, n_factors * per_factor))
    x = np.clip(np.round(0.8 * latent + 0.6 * noise + 3), 1, 5)
    x[rng.random(x.shape) < missing] = np.nan
    names = [f"{'abcdefgh'[j]}{i + 1}" for j in range(n_factors) for i in range(per_factor)]
    return pd.DataFrame(x, columns=names)


@pytest.mark.filterwarnings("ignore::psychoseg.errors.PsychosegWarning")
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks_pass(estimator, check, monkeypatch):
    # Without it scikit-learn skips its check that array-API dispatch changes nothing for numpy.
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    check(estimator)


@pytest.mark.filterwarnings("ignore::psychoseg.errors.PsychosegWarning")
@pytest.mark.parametrize("check", OWN_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", CHECKED, ids=str)
def test_scikit_learns_checks_of_its_own_transformers_pass(estimator, check):
    check(type(estimator).__name__, estimator)


def test_fit_of_bfi_is_that_of_psych(root):
    # psych 2.2.9, fa(bfi[1:25], 5), minres and oblimin, n = 2800: the digits it prints.
    items = pd.read_csv(root / "surveys" / "big_five" / "data.csv").loc[:, "A1":"O5"]
    model = LikertFactorAnalysis(5, correlation="pearson").fit(items)
    fit = model.fit_statistics_
    assert (round(fit.chi_square, 2), fit.df) == (1808.94, 185)
    assert round(fit.rmsea, 4) == 0.0560
    assert (round(fit.rmsea_low, 4), round(fit.rmsea_high, 4)) == (0.0537, 0.0584)
    assert (round(fit.tli, 3), round(fit.rmsr, 4), round(fit.bic, 1)) == (0.867, 0.0290, 340.5)
    explained = np.diag(model.phi_ @ model.loadings_.T @ model.loadings_)
    assert explained.round(3).tolist() == [2.570, 2.199, 2.029, 1.985, 1.586]


def test_given_scales_score_as_fit_scales_does(big_five):
    study, survey = big_five
    expected = fit_scales(survey, study.scales)
    ours = LikertScales(
        scales={scale.name.lower(): scale.items for scale in study.scales.scale},
        reverse=[item for scale in study.scales.scale for item in scale.reverse],
        answer_range=(1, 6),
    ).set_output(transform="pandas")
    scores = ours.fit_transform(survey.items)
    # Sums of at most five answers, in another order: rounding alone.
    pd.testing.assert_frame_equal(scores, expected.scores, rtol=1e-14)
    np.testing.assert_allclose(ours.alphas_, expected.table["alpha"], atol=1e-12)
    np.testing.assert_allclose(
        ours.alpha_intervals_, expected.table[["alpha_low", "alpha_high"]], atol=1e-12
    )
    # psych 2.2.9 on psychTools 2.2.9.
    assert ours.alphas_.round(3).tolist() == [0.703, 0.727, 0.762, 0.814, 0.6]


@pytest.mark.parametrize("correlation", ["pearson", "polychoric"])
def test_found_scales_score_as_fit_scales_does(big_five, correlation):
    study, survey = big_five
    reverse = [item for scale in study.scales.scale for item in scale.reverse]
    expected = fit_scales(survey, ScalesSettings(correlation=correlation, n_factors=5))
    ours = LikertScales(5, reverse=reverse, answer_range=(1, 6), correlation=correlation)
    scores = ours.set_output(transform="pandas").fit_transform(survey.items)
    pd.testing.assert_frame_equal(scores, expected.scores, rtol=1e-14)
    np.testing.assert_allclose(ours.alphas_, expected.table["alpha"], atol=1e-12)
    keys = expected.items.set_index("item").loc[survey.items.columns, "key"]
    in_scale = (ours.keys_ != 0).any(axis=1)
    assert ours.keys_.sum(axis=1)[in_scale].tolist() == keys[in_scale].tolist()
    # Rotations stop at a gradient of 1e-7, which leaves loadings good to about as much.
    np.testing.assert_allclose(ours.loadings_, expected.loadings, atol=1e-5)


def test_a_scale_takes_as_many_items_as_in_fit_scales():
    assert factors.MIN_ITEMS == MIN_ITEMS


def test_planted_factors_are_found():
    model = LikertFactorAnalysis().fit(answers())
    planted = np.kron(np.eye(3), np.full((4, 1), 0.8))
    assert (model.n_factors_, model.correlation_) == (3, "polychoric")
    assert match_factors(planted, model.loadings_)[2].min() > 0.99
    assert model.determinacy_.min() > 0.9
    np.testing.assert_array_equal(model.get_feature_names_out(), ["F1", "F2", "F3"])


def test_the_number_of_factors_is_what_the_rules_recommend():
    # Correlated factors of three items each: components miss what factor eigenvalues find.
    rng = np.random.default_rng(2)
    latent = np.sqrt(0.6) * rng.standard_normal((300, 1)) + np.sqrt(0.4) * rng.standard_normal(
        (300, 3)
    )
    noise = rng.standard_normal((300, 9))
    x = np.clip(np.round(0.9 * np.repeat(latent, 3, axis=1) + 0.8 * noise + 2), 1, 5)
    x[rng.random(x.shape) < 0.1] = np.nan
    ones = np.ones(300)
    rules = how_many_factors(
        polychoric(x, ones),
        300,
        rng=np.random.default_rng(3),
        items=x,
        weights=ones,
        correlation="polychoric",
    )
    assert (rules.n_factors, rules.parallel.n_factors) == (3, 1)
    found = [LikertFactorAnalysis(wanted, random_state=3).fit(x) for wanted in ("auto", "parallel")]
    assert [model.n_factors_ for model in found] == [3, 1]


def test_scores_are_those_of_the_numerical_core():
    items = answers()
    for method in ("regression", "bartlett", "ten_berge"):
        model = LikertFactorAnalysis(3, correlation="pearson", scores=method).fit(items)
        expected = factor_scores(
            items.to_numpy(),
            np.ones(len(items)),
            pearson(items.to_numpy(), np.ones(len(items))),
            model.loadings_,
            model.phi_,
            method=method,
        )
        ours = model.transform(items)
        np.testing.assert_allclose(ours, expected.scores, atol=1e-12)
        complete = items.dropna()
        z = (complete - model.mean_) / model.sd_
        np.testing.assert_allclose(model.transform(complete), z @ model.weights_, atol=1e-12)


def test_ten_berge_scores_correlate_as_the_factors():
    items = answers(missing=0.0)
    model = LikertFactorAnalysis(3, correlation="pearson", scores="ten_berge").fit(items)
    np.testing.assert_allclose(np.corrcoef(model.transform(items).T), model.phi_, atol=1e-10)


@pytest.mark.parametrize(
    ("correlation", "missing"),
    [
        ("pearson", "pairwise"),
        ("pearson", "listwise"),
        ("pearson", "em"),
        ("spearman", "pairwise"),
        ("polychoric", "pairwise"),
    ],
)
def test_whole_weights_equal_repeated_rows(correlation, missing):
    items = answers(200)
    counts = np.random.default_rng(2).integers(0, 4, 200)
    repeated = items.loc[np.repeat(items.index, counts)]
    model = LikertFactorAnalysis(correlation=correlation, missing=missing)
    a = clone(model).fit(items, sample_weight=counts)
    b = clone(model).fit(repeated.sample(frac=1, random_state=4))
    for name in FITTED:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-10, err_msg=name)
    assert (a.n_obs_, a.n_factors_) == (b.n_obs_, b.n_factors_)
    assert a.fit_statistics_.chi_square == pytest.approx(b.fit_statistics_.chi_square, abs=1e-10)
    np.testing.assert_allclose(a.transform(items), b.transform(items), atol=1e-10)


@pytest.mark.parametrize("given", [None, {"one": ["a1", "a2", "b1"], "two": ["c1", "c2"]}])
def test_whole_weights_equal_repeated_rows_for_scales(given):
    items = answers(200)
    counts = np.random.default_rng(2).integers(0, 4, 200)
    a = LikertScales(scales=given, reverse=["a2"]).fit(items, sample_weight=counts)
    b = LikertScales(scales=given, reverse=["a2"]).fit(items.loc[np.repeat(items.index, counts)])
    np.testing.assert_array_equal(a.keys_, b.keys_)
    np.testing.assert_allclose(a.alphas_, b.alphas_, atol=1e-10)
    np.testing.assert_allclose(a.alpha_intervals_, b.alpha_intervals_, atol=1e-10)
    np.testing.assert_allclose(a.transform(items), b.transform(items), atol=1e-10)


def test_rescaled_weights_change_only_what_counts_people():
    items, weights = answers(), np.random.default_rng(3).uniform(0.3, 3, 400)
    a, b = (LikertFactorAnalysis(3).fit(items, sample_weight=w) for w in (weights, 12 * weights))
    for name in FITTED:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-9, err_msg=name)
    assert b.n_obs_ == pytest.approx(12 * a.n_obs_)


def test_moments_are_those_of_the_repeated_rows():
    items = answers(200)
    counts = np.random.default_rng(2).integers(0, 6, 200)
    repeated = items.loc[np.repeat(items.index, counts)]
    model = LikertFactorAnalysis(3, correlation="pearson").fit(items, sample_weight=counts)
    # pandas' own, by another road than the weighted one.
    np.testing.assert_allclose(model.mean_, repeated.mean(), atol=1e-12)
    np.testing.assert_allclose(model.sd_, repeated.std(ddof=0), atol=1e-12)
    np.testing.assert_allclose(model.corr_, repeated.corr(), atol=1e-12)
    assert np.abs(model.corr_ - items.corr()).to_numpy().max() > 0.05


def test_who_has_a_weight_of_zero_is_not_there():
    items = answers()
    wild = pd.concat([items, pd.DataFrame([np.full(12, 99.5)], columns=items.columns)])
    weights = np.r_[np.ones(400), 0.0]
    assert LikertFactorAnalysis(3).fit(wild, None, weights).correlation_ == "polychoric"
    assert LikertScales(answer_range=(1, 5)).fit(wild, None, weights).answer_range_ == (1, 5)
    assert LikertScales().fit(wild, None, weights).answer_range_ == (1, 5)


def test_shuffled_rows_give_the_same_bytes_and_shuffled_columns_the_same_scores():
    items = answers()
    rng = np.random.default_rng(6)
    rows, columns = rng.permutation(len(items)), rng.permutation(items.shape[1])
    for model in (LikertFactorAnalysis(), LikertScales()):
        once = clone(model).fit(items)
        again = clone(model).fit(items.iloc[rows])
        np.testing.assert_array_equal(again.transform(items), once.transform(items))
        turned = clone(model).fit(items.iloc[:, columns])
        # Rotations stop at a gradient of 1e-7, wherever the order of the items makes them start.
        np.testing.assert_allclose(
            turned.transform(items.iloc[:, columns]), once.transform(items), atol=1e-6
        )


@pytest.mark.parametrize("model", [LikertFactorAnalysis(3), LikertScales(3)], ids=str)
def test_new_people_score_one_at_a_time_as_all_together(model):
    model = clone(model).fit(answers())
    new = answers(60, seed=8, missing=0.3)
    one_by_one = np.vstack([model.transform(new.iloc[[i]]) for i in range(len(new))])
    together = model.transform(new)
    np.testing.assert_allclose(one_by_one, together, atol=1e-12)
    assert 0 < np.isnan(together).any(axis=1).sum() < len(new)


@pytest.mark.parametrize("method", ["regression", "bartlett", "ten_berge"])
def test_who_answered_too_little_has_no_factor_score(method):
    items = answers(missing=0.0)
    model = LikertFactorAnalysis(3, scores=method).fit(items)
    new = items.iloc[:3].copy()
    new.iloc[0, :] = np.nan
    new.iloc[1, :7] = np.nan
    new.iloc[2, [0, 5, 10]] = np.nan
    scores = model.transform(new)
    assert np.isnan(scores).all(axis=1).tolist() == [True, True, False]
    assert np.isnan(model.transform(new.iloc[[0]])).all()


def test_a_share_is_reached_where_rounding_says_it_is_not():
    # 0.56 * 25 is 14.000000000000002 in floats; 14 of 25 answers are enough.
    items = answers(n_factors=1, per_factor=25, missing=0.0)
    new = items.iloc[:2].copy()
    new.iloc[0, :11] = np.nan
    new.iloc[1, :12] = np.nan
    for model in (
        LikertFactorAnalysis(1, min_answered=0.56),
        LikertScales(scales=[list(items)], min_answered=0.56),
    ):
        scores = model.fit(items).transform(new)
        assert np.isnan(scores[:, 0]).tolist() == [False, True]


def test_a_score_is_the_mean_of_the_keyed_answers_or_their_sum():
    # Nobody gives the lowest answer: the ends are those stated, not those seen.
    items = answers().clip(lower=2)
    scales = {"one": ["a1", "a2", "a3"], "two": ["b1", "a2"]}
    settings = {"scales": scales, "reverse": ["a2"], "answer_range": (1, 5)}
    mean = LikertScales(**settings).fit(items)
    keyed = items.assign(a2=6 - items["a2"])
    for j, members in enumerate(scales.values()):
        enough = keyed[members].notna().mean(axis=1) >= 0.5
        expected = keyed[members].mean(axis=1).where(enough)
        np.testing.assert_allclose(mean.transform(items)[:, j], expected, atol=1e-12)
        total = LikertScales(**settings, statistic="sum").fit(items).transform(items)[:, j]
        np.testing.assert_allclose(total, expected * len(members), atol=1e-12)
    assert mean.keys_[:3].tolist() == [[1, 0], [-1, -1], [1, 0]]
    assert mean.loadings_ is None


def test_undeclared_reverse_items_are_turned_and_said():
    items = answers()
    items["a2"] = 6 - items["a2"]
    with pytest.warns(PsychosegWarning, match="these count the other way: a2$"):
        model = LikertScales().fit(items)
    straight = LikertScales(reverse=["a2"]).fit(items)
    assert model.keys_[1].min() == -1
    np.testing.assert_array_equal(model.keys_, straight.keys_)
    np.testing.assert_allclose(model.transform(items), straight.transform(items), atol=1e-12)


def test_positions_serve_where_columns_have_no_names():
    items = answers()
    named = LikertScales(scales=[["a1", "a2"], ["b1", "b2"]], reverse=["b2"]).fit(items)
    placed = LikertScales(scales=[[0, 1], [4, 5]], reverse=[5]).fit(items.to_numpy())
    np.testing.assert_array_equal(placed.transform(items.to_numpy()), named.transform(items))
    assert placed.get_feature_names_out().tolist() == ["scale_1", "scale_2"]


def test_output_as_pandas_keeps_index_and_names():
    items = answers().set_axis([f"p{i}" for i in range(400)])
    model = LikertScales(scales={"warm": ["a1", "a2"]}).set_output(transform="pandas")
    scores = model.fit_transform(items)
    assert list(scores) == ["warm"]
    assert scores.index.equals(items.index)
    factor_table = LikertFactorAnalysis(2).set_output(transform="pandas").fit_transform(items)
    assert list(factor_table) == ["F1", "F2"]


def test_a_pipeline_scores_standardises_and_clusters_with_weights():
    items, counts = answers(missing=0.02), np.random.default_rng(7).integers(1, 4, 400)
    kmeans = KMeans(3, n_init=2, random_state=0)
    pipeline = make_pipeline(LikertScales(3), StandardScaler(), kmeans)
    labels = pipeline.fit(items, likertscales__sample_weight=counts).predict(items)
    scales = LikertScales(3).fit(items, sample_weight=counts)
    scores = StandardScaler().fit_transform(scales.transform(items))
    np.testing.assert_array_equal(labels, clone(kmeans).fit_predict(scores))


def test_a_grid_search_clones_and_sets_parameters():
    items = answers(missing=0.0)
    pipeline = make_pipeline(LikertFactorAnalysis(), StandardScaler(), KMeans(2, random_state=0))
    grid = {"likertfactoranalysis__n_factors": [1, 2, 3]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(items)
    assert search.best_estimator_[0].n_factors_ == search.best_params_.popitem()[1]


def test_a_clone_has_the_parameters_and_nothing_learned():
    target = np.full((12, 2), np.nan)
    model = LikertFactorAnalysis(2, target=target, rotation="target_q", random_state=9)
    copy = clone(model.set_params(target=np.kron(np.eye(2), np.ones((6, 1)))).fit(answers()))
    assert not hasattr(copy, "loadings_")
    assert copy.get_params()["random_state"] == 9
    np.testing.assert_array_equal(copy.target, model.target)


@pytest.mark.parametrize(
    "state", [0, None, np.random.default_rng(0), np.random.RandomState(0)], ids=str
)
def test_every_kind_of_random_state_serves(state):
    assert LikertFactorAnalysis(random_state=state).fit(answers()).n_factors_ == 3


def test_inputs_are_not_changed():
    items, weights = answers(), np.ones(400)
    before = items.copy()
    for model in (LikertFactorAnalysis(), LikertScales(reverse=["a1"])):
        model.fit(items, sample_weight=weights).transform(items)
    pd.testing.assert_frame_equal(items, before)
    assert (weights == 1).all()


def test_the_general_factor_of_a_bifactor_rotation_comes_first():
    # Three weak general loadings' worth beside strong group factors: not the largest column.
    rng = np.random.default_rng(2)
    general, group = rng.standard_normal((2000, 1)), rng.standard_normal((2000, 3))
    x = 0.35 * general + 0.75 * np.repeat(group, 4, axis=1)
    x = x + 0.5 * rng.standard_normal(x.shape)
    model = LikertFactorAnalysis(4, rotation="bifactor_t").fit(x)
    size = np.abs(model.loadings_)
    assert size[:, 0].min() > 0.2
    assert (size[:, 1:] > 0.4).sum(axis=0).tolist() == [4, 4, 4]


def test_a_target_rotation_keeps_the_targets_columns():
    forwards = np.kron(np.eye(3), np.ones((4, 1)))
    for target in (forwards, forwards[:, ::-1]):
        for rotation in ("target_t", "target_q"):
            model = LikertFactorAnalysis(3, rotation=rotation, target=target).fit(answers())
            np.testing.assert_array_equal(model.loadings_.argmax(axis=1), target.argmax(axis=1))


def test_polychoric_is_for_few_whole_numbers_alone():
    items = answers(missing=0.02)
    # The seen values alone decide: 21 whole numbers or one half are no Likert item's answers.
    wide = items.assign(a1=np.random.default_rng(1).integers(0, 60, 400))
    halves = items.assign(a1=items["a1"] / 2)
    kinds = [LikertFactorAnalysis(2).fit(x).correlation_ for x in (items, wide, halves)]
    assert kinds == ["polychoric", "pearson", "pearson"]
    assert LikertFactorAnalysis(2, missing="em").fit(items).correlation_ == "pearson"
    with pytest.raises(ValueError, match=r"at most 20 different answers .* has a1: use"):
        LikertFactorAnalysis(2, correlation="polychoric").fit(wide)


def test_em_uses_the_moments_of_em_throughout():
    items = answers(missing=0.2)
    em = LikertFactorAnalysis(3, missing="em").fit(items)
    pairwise = LikertFactorAnalysis(3, correlation="pearson").fit(items)
    assert 1e-4 < np.abs(em.mean_ - pairwise.mean_).max() < 0.1
    assert 1e-4 < np.abs(em.corr_ - pairwise.corr_)[np.triu_indices(12, 1)].max() < 0.1


def test_unrelated_items_give_one_factor_and_a_warning():
    x = np.random.default_rng(1).standard_normal((300, 8))
    with pytest.warns(PsychosegWarning, match="no factor stands out"):
        assert LikertFactorAnalysis().fit(x).n_factors_ == 1


def test_items_without_a_scale_give_no_columns_and_a_warning():
    x = np.random.default_rng(1).standard_normal((300, 8))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = LikertScales(1, min_loading=0.9).fit(x)
    said = " ".join(str(w.message) for w in caught)
    assert "there are no scales, and transform returns no columns" in said
    assert model.transform(x).shape == (300, 0)
    assert model.get_feature_names_out().tolist() == []


def test_fewer_people_than_items_give_one_factor_and_a_warning():
    with pytest.warns(PsychosegWarning, match=r"no more people \(10\) than items \(12\)"):
        LikertFactorAnalysis().fit(answers(10, missing=0.0, seed=3))


@pytest.mark.parametrize(
    ("model", "change", "message"),
    [
        (LikertFactorAnalysis(12), {}, "n_factors = 12 must lie between 1 and 11 for 12 items"),
        (LikertScales(7), {}, "n_factors = 7 must lie between 1 and 6"),
        (LikertFactorAnalysis("many"), {}, "'many' is neither a whole number nor one of auto"),
        (LikertFactorAnalysis(True), {}, "n_factors = True is neither"),
        (LikertFactorAnalysis(rotation="twist"), {}, "rotation = 'twist' is none of none, varimax"),
        (LikertFactorAnalysis(scores="best"), {}, "scores = 'best' is none of regression"),
        (LikertFactorAnalysis(min_answered=2), {}, "min_answered = 2 must lie between 0 and 1"),
        (
            LikertFactorAnalysis(missing="em", correlation="polychoric"),
            {},
            'missing="em" is for Pearson correlations',
        ),
        (LikertFactorAnalysis(), {"a1": 3.0}, "the same answer, or none, to a1: leave"),
        (LikertScales(scales=[["a1", "a2"]]), {"a1": np.nan}, "or none, to a1: leave"),
        (LikertScales(scales=[["a1", "q9", 99]]), {}, "scale_1 names 'q9', 99, which X does not"),
        (LikertScales(reverse=[-1]), {}, "reverse names -1, which X does not have"),
        (LikertScales(scales={"x": []}), {}, "the scale x names no item"),
        (LikertScales(scales={"x": ["a1", 0]}), {}, "the scale x names an item twice"),
        (LikertScales(scales={}), {}, "scales = {} names no scale"),
        (LikertScales(answer_range=(5, 1)), {}, r"answer_range = \(5, 1\): give the lowest"),
        (
            LikertScales(answer_range=(1, 5)),
            {"a1": 99.0},
            r"outside answer_range = 1 to 5 \(a1: 99\)",
        ),
        (LikertScales(statistic="median"), {}, "statistic = 'median' is none of mean, sum"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(model, change, message):
    with pytest.raises(ValueError, match=message):
        clone(model).fit(answers().assign(**change))


def test_pairs_that_nobody_answered_both_of_are_named():
    items = answers()
    items["a1"] = items["a1"].where(np.arange(400) < 200)
    items["b1"] = items["b1"].where(np.arange(400) >= 200)
    with pytest.raises(ValueError, match=r"1 pairs of items cannot be correlated.*a1 and b1"):
        LikertFactorAnalysis(3).fit(items)


def test_a_new_answer_outside_the_stated_range_is_refused():
    items = answers()
    model = LikertScales(scales=[["a1", "a2"]], answer_range=(1, 5)).fit(items)
    with pytest.raises(ValueError, match="1 answers lie outside"):
        model.transform(items.iloc[:5].assign(a1=[1, 2, 9, 4, 5]))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(400), "all of sample_weight is zero"),
        (np.r_[-1.0, np.ones(399)], "sample_weight holds -1"),
        (np.ones(3), r"has the shape \(3,\)"),
        (np.r_[np.nan, np.ones(399)], "sample_weight contains NaN"),
    ],
)
def test_weights_that_are_none_are_refused(weights, message):
    for model in (LikertFactorAnalysis(), LikertScales()):
        with pytest.raises(ValueError, match=message):
            model.fit(answers(), sample_weight=weights)
