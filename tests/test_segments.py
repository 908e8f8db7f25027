"""The segmentation stage: recovery, invariance, the choice of k, the verdict, and refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.cluster.hierarchy import fcluster, linkage

from psychoseg import (
    DataError,
    EngineError,
    PsychosegWarning,
    fit_scales,
    fit_segments,
    load_study,
    load_survey,
)
from psychoseg.engines.python import PythonEngine
from psychoseg.segments import progress
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import ReduceSettings
from psychoseg.survey.frame import survey_from_frame
from tests.brief_segments import cheap, cut_short

#: The study's own settings but for these.
FEW = {"bootstrap": 10, "null_replicates": 39, "audits": False}

QUICK = cheap()


@pytest.fixture(autouse=True, scope="module")
def brief():
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch, panel=6)
        yield


@pytest.fixture(scope="module")
def fitness(root):
    study = load_study(root / "surveys" / "fitness_app")
    survey = load_survey(study)
    scales = fit_scales(survey, study.scales)
    settings = study.segments.model_copy(update=FEW)
    study = study.model_copy(update={"segments": settings})
    return study, survey, scales, fit_segments(survey, scales, settings, reduce=study.reduce)


def planted(n=300, seed=1, gap=6.0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    centres = np.array([[0, 0, 0], [gap, 0, 0], [0, gap, gap]])
    return pd.DataFrame(centres[truth] + rng.standard_normal((n, 3)), columns=list("xyz")), truth


def test_the_planted_segments_of_fitness_app_are_recovered(root, fitness):
    _, survey, _, segments = fitness
    truth = pd.read_csv(root / "surveys" / "fitness_app" / "truth.csv", dtype=str)
    truth = truth.set_index("id")["segment"].reindex(survey.ids)
    there = segments.labels > 0
    assert segments.k == truth.nunique() == 5
    codes = pd.factorize(truth)[0]
    assert adjusted_rand(codes[there], segments.labels[there]) >= 0.85
    assert segments.verdict == "natural"


def test_nobody_vanishes(fitness):
    _, survey, _, segments = fitness
    excluded = survey.ledger[survey.ledger["effect"] == "excluded"]
    kept = (segments.labels > 0).sum()
    assert kept + len(excluded) + len(segments.excluded) == survey.n_read
    assert segments.table["n"].sum() == segments.points["n"].sum() == kept


def test_segments_are_numbered_by_size(fitness):
    sizes = fitness[3].table["weighted"].to_numpy()
    assert (np.diff(sizes) <= 0).all()


TIED = st.integers(8, 30).flatmap(
    lambda n: arrays(np.float64, (n, 3), elements=st.sampled_from([1.0, 2.0, 3.0]))
)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=200, deadline=None, derandomize=True, phases=[Phase.generate])
@given(x=TIED, seed=st.integers(0, 2**16))
def test_shuffled_rows_and_columns_give_the_same_segments_with_heavy_ties(x, seed):
    if len(np.unique(x, axis=0)) < 4 or (np.ptp(x, axis=0) == 0).any():
        # Refused, and tested as such.
        return
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(len(x)), rng.permutation(3)
    frame = pd.DataFrame(x, columns=list("abc"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "parallel_map", in_this_process)
        first, again = (
            fit_segments(data, settings=QUICK)
            for data in (frame, frame.iloc[rows, columns].reset_index(drop=True))
        )
    assert again.k == first.k
    assert again.labels.to_numpy().tobytes() == first.labels.to_numpy()[rows].tobytes()
    pd.testing.assert_frame_equal(again.choice, first.choice)
    assert again.reason == first.reason


def in_this_process(function, jobs, *, workers=None, progress=None):
    return map(function, jobs)


def bfi(root, shared_data):
    study = load_study(root / "surveys" / "big_five")
    return fit_scales(load_survey(study), study.scales).scores.dropna()


def young_people(root, shared_data):
    frame = pd.read_csv(shared_data / "01_young_people_survey" / "responses.csv")
    music = frame.loc[:, "Dance":"Opera"].dropna()
    return pd.DataFrame({f"scale {j}": music.iloc[:, j::5].mean(axis=1) for j in range(5)})


def mcdonalds(root, shared_data):
    frame = pd.read_csv(shared_data / "05_segmentation" / "mcdonalds" / "mcdonalds.csv")
    return frame.iloc[:, :11].eq("Yes").astype(float)


def gss_values(root, shared_data):
    frame = pd.read_csv(shared_data / "04_values_social" / "gss12_schwartz_values.csv")
    values = frame.filter(like="val").apply(lambda c: pd.Series(pd.factorize(c, sort=True)[0]))
    return values[(values >= 0).all(axis=1)].iloc[:, :6].astype(float)


@pytest.mark.parametrize("data", [bfi, young_people, mcdonalds, gss_values])
def test_shuffled_rows_and_columns_give_the_same_segments_on_real_surveys(root, shared_data, data):
    frame = data(root, shared_data).reset_index(drop=True)
    settings = cheap(k_min=5, k_max=6)
    first = fit_segments(frame, settings=settings)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(len(frame)), rng.permutation(frame.shape[1])
    shuffled = frame.iloc[rows, columns].reset_index(drop=True)
    again = fit_segments(shuffled, settings=settings)
    assert again.k == first.k
    assert again.labels.to_numpy().tobytes() == first.labels.to_numpy()[rows].tobytes()
    # What the canonical order is for: textbook Ward gives other segments for other row orders.
    textbook = fcluster(linkage(frame, "ward"), first.k, "maxclust")
    other = fcluster(linkage(shuffled, "ward"), first.k, "maxclust")
    assert adjusted_rand(textbook[rows], other) < 0.9


def test_frequency_weights_equal_repeated_rows():
    frame, _ = planted(200)
    counts = np.random.default_rng(2).integers(1, 4, len(frame))
    weighted = with_active(frame, weights=counts.astype(float), weight_kind="frequency")
    repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
    a, b = fit_segments(weighted, settings=QUICK), fit_segments(repeated, settings=QUICK)
    np.testing.assert_array_equal(np.repeat(a.labels, counts), b.labels)
    np.testing.assert_allclose(a.tree, b.tree, atol=1e-10)
    numbers = ["weighted", "share", "share_low", "share_high", "jaccard", "silhouette"]
    np.testing.assert_allclose(a.table[numbers], b.table[numbers], atol=1e-10)
    np.testing.assert_allclose(a.choice["silhouette"], b.choice["silhouette"], atol=1e-10)


def test_rescaled_sampling_weights_change_nothing():
    frame, _ = planted(200)
    frame = frame.round(0)
    weights = np.random.default_rng(3).uniform(0.3, 3, len(frame))
    a, b = (
        fit_segments(with_active(frame, weights=w), settings=QUICK)
        for w in (weights, 7.7 * weights)
    )
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_allclose(a.table["share_low"], b.table["share_low"], atol=1e-9)


def with_active(frame, **options):
    return survey_from_frame(frame, items=[], active=list(frame), **options)


@pytest.mark.parametrize("tree", ["psychoseg", "scikit-learn", "scipy"])
def test_every_python_tree_gives_the_same_segments(tree, fitness):
    study, survey, scales, segments = fitness
    other = fit_segments(
        survey, scales, study.segments, reduce=study.reduce, engine=PythonEngine(tree=tree)
    )
    np.testing.assert_array_equal(other.labels, segments.labels)
    assert other.k == segments.k


def test_a_tree_without_weights_refuses_them():
    frame, _ = planted(60)
    weighted = with_active(frame, weights=np.linspace(1, 2, 60))
    with pytest.raises(EngineError, match=r'scikit-learn builds trees without.*tree = "psychoseg"'):
        fit_segments(weighted, settings=QUICK, engine=PythonEngine(tree="scikit-learn"))


def test_planted_segments_are_natural_and_their_number_found():
    frame, truth = planted(seed=2)
    found = fit_segments(frame, settings=cheap(k_max=6, null_replicates=99))
    assert found.k == found.recommended_k == 3
    assert adjusted_rand(truth, found.labels) > 0.95
    assert found.verdict == "natural"
    assert found.null["p_value"].item() == pytest.approx(0.01)
    assert found.table["jaccard"].min() > 0.9


@pytest.mark.parametrize("seed", range(3))
def test_one_round_cloud_has_no_stable_segments(seed):
    cloud = pd.DataFrame(
        np.random.default_rng(seed).standard_normal((300, 5)), columns=list("abcde")
    )
    found = fit_segments(cloud, settings=cheap(k_max=6))
    assert found.verdict == "constructed"
    assert found.recommended_k == 1
    assert found.reason.startswith("No stable segments")
    assert not found.choice["eligible"].any()
    assert "for illustration" in found.k_rule


@pytest.mark.parametrize("seed", range(3))
def test_a_long_cloud_is_never_called_natural(seed):
    rng = np.random.default_rng(seed)
    long = rng.standard_normal((300, 1)) * 3 + rng.standard_normal((300, 4))
    found = fit_segments(pd.DataFrame(long, columns=list("abcd")), settings=cheap(k_max=6))
    assert found.verdict in ("reproducible", "constructed")
    assert found.recommended_k == 1


def test_a_given_k_is_kept_and_judged():
    frame, _ = planted()
    found = fit_segments(frame, settings=cheap(k=8))
    assert found.k == len(found.table) == 8
    assert found.k_rule == "8 segments, set in the study"
    assert found.choice.loc[found.choice["chosen"], "k"].tolist() == [8]


def test_a_small_segment_is_not_chosen_and_where_given_said():
    frame, _ = planted(300)
    frame.loc[:4] += 60.0
    found = fit_segments(frame, settings=cheap(min_people=30))
    rows = found.choice.set_index("k")
    assert not rows.loc[2, "eligible"]
    assert "smallest segment" in rows.loc[2, "why"]
    with pytest.warns(PsychosegWarning, match=r"segment 2 \(n = 5\) has fewer than 30 respondents"):
        fit_segments(frame, settings=cheap(k=2, min_people=30))


def test_who_lacks_an_active_value_is_in_the_ledger():
    frame, _ = planted(100)
    frame.loc[7, "y"] = np.nan
    found = fit_segments(frame, settings=QUICK)
    assert found.labels[7] == 0
    assert found.point_of[7] == -1
    assert np.isnan(found.silhouette[7])
    assert found.excluded[["respondent", "stage", "effect", "reason"]].values.tolist() == [
        ["7", "segments", "excluded", "no value for y"]
    ]


def test_categories_enter_as_in_famd():
    # FAMD of one standardised column and one 2-category column: inertia 1 + (2 - 1).
    rng = np.random.default_rng(4)
    group = rng.choice(["town", "country"], 200, p=[0.3, 0.7])
    frame = pd.DataFrame({"age": rng.normal(40, 10, 200) + 30 * (group == "town"), "place": group})
    found = fit_segments(frame, settings=QUICK, reduce=ReduceSettings(components="all"))
    assert found.eigenvalues["eigenvalue"].sum() == pytest.approx(2)
    assert set(found.features["kind"]) == {"numeric", "category"}
    r2 = np.corrcoef(frame["age"], group == "town")[0, 1] ** 2
    # Two correlated standardised variables: eigenvalues 1 +- r.
    np.testing.assert_allclose(found.eigenvalues["eigenvalue"][:2], [1 + r2**0.5, 1 - r2**0.5])


@pytest.mark.parametrize(
    ("reduce", "n", "said"),
    [
        (ReduceSettings(components=2), 2, "2 components, set in the study"),
        (ReduceSettings(components="all"), 3, "all 3 components"),
        (ReduceSettings(share=0.99), 3, "the fewest that carry 99%"),
    ],
)
def test_the_number_of_components_follows_the_stated_rule(reduce, n, said):
    found = fit_segments(planted(100)[0], settings=QUICK, reduce=reduce)
    assert found.eigenvalues["retained"].sum() == found.components.shape[1] == n
    assert said in found.components_rule


@pytest.mark.parametrize(
    ("change", "settings", "reduce", "message"),
    [
        (lambda f: f, cheap(k=500), None, "k = 500 is larger than the 60"),
        (lambda f: f.assign(y=1.0), QUICK, None, "same value of y"),
        (lambda f: f.iloc[:2], QUICK, None, "only 2 respondents"),
        (lambda f: f[[]], QUICK, None, "nothing is active"),
        (lambda f: f, QUICK, ReduceSettings(components=4), "components = 4 is more than the 3"),
    ],
)
def test_input_that_cannot_be_segmented_is_refused(change, settings, reduce, message):
    with pytest.raises(DataError, match=message):
        fit_segments(change(planted(60)[0]), settings=settings, reduce=reduce)


def test_scales_of_other_respondents_are_refused(fitness):
    survey, scales = fitness[1], fitness[2]
    fewer = replace(scales, scores=scales.scores.iloc[:60])
    with pytest.raises(DataError, match=rf"scales have 60 respondents and the survey {survey.n}"):
        fit_segments(survey, fewer, QUICK)


def test_rows_meet_their_scales_by_the_index_or_not_at_all():
    rng = np.random.default_rng(1)
    latent = np.repeat(rng.standard_normal((100, 2)), 3, axis=1)
    items = pd.DataFrame(
        np.round(3 + latent + rng.standard_normal((100, 6))), columns=list("abcdef")
    )
    scales = fit_scales(items)
    others = pd.DataFrame({"age": rng.normal(40, 9, 100)})
    found = fit_segments(others, scales, QUICK)
    shuffled = others.sample(frac=1, random_state=1)
    again = fit_segments(shuffled, scales, QUICK)
    pd.testing.assert_series_equal(again.labels, found.labels.loc[shuffled.index])
    pd.testing.assert_series_equal(again.certainty, found.certainty.loc[shuffled.index])
    with pytest.raises(DataError, match="their indexes differ; 100 rows of the survey"):
        fit_segments(others.set_axis([f"p{i}" for i in range(100)]), scales, QUICK)


def test_frequency_weights_equal_repeated_rows_on_heavily_tied_answers():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(rng.integers(1, 3, (150, 5)).astype(float), columns=list("abcde"))
        counts = rng.integers(1, 4, 150)
        weighted = with_active(frame, weights=counts.astype(float), weight_kind="frequency")
        repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
        a, b = fit_segments(weighted, settings=QUICK), fit_segments(repeated, settings=QUICK)
        np.testing.assert_array_equal(np.repeat(a.labels, counts), b.labels)
        # Another order of the people makes other draws of the same bootstrap only where there
        # are other people: the draws are by point, so they are the same.
        np.testing.assert_allclose(a.choice["jaccard_mean"], b.choice["jaccard_mean"], atol=1e-10)
        assert list(a.points["weight"]) == list(b.points["weight"])


def test_weights_of_an_unweighted_survey_are_ones():
    found = fit_segments(planted(100)[0], settings=QUICK)
    assert (found.points["weight"] == found.points["n"]).all()


def test_segments_too_small_to_count_on_are_not_called_reproducible():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.standard_normal((60, 2)), columns=["x", "y"])
    frame.loc[59] = [60.0, 60.0]
    for k in ("auto", 2):
        with pytest.warns(PsychosegWarning, match="respondents"):
            found = fit_segments(frame, settings=cheap(k=k, min_people=30))
        assert found.verdict == "constructed"


def test_a_lone_respondent_who_is_not_drawn_has_not_come_back():
    # Drawn in 63% of the resamples, he is his own cluster in each: fpc::clusterboot 2.2-10 says
    # .680 on such data with B = 100.
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.standard_normal((60, 2)), columns=["x", "y"])
    frame.loc[60] = [60.0, 60.0]
    with pytest.warns(PsychosegWarning, match=r"segment 2 \(n = 1\) has fewer"):
        found = fit_segments(frame, settings=cheap(k=2, bootstrap=100))
    assert found.table["jaccard"].iloc[1] == pytest.approx(0.632, abs=0.13)


def test_answers_that_almost_all_share_are_divided_or_refused_but_never_a_fault():
    frame = pd.DataFrame({"a": [0.0] * 60 + [1.0, 2.0]})
    with pytest.warns(PsychosegWarning, match="respondents"):
        assert fit_segments(frame, settings=QUICK).verdict == "constructed"


def test_progress_goes_to_its_total_through_every_part_and_never_back():
    seen = []
    settings = QUICK.model_copy(update={"audits": True})
    fit_segments(planted(60)[0], settings=settings, progress=lambda *step: seen.append(step))
    done = [step for step, _ in seen]
    assert done == sorted(done)
    assert {total for _, total in seen} == {1000}
    assert (done[0], done[-1]) == (0, 1000)
    # The audits are the last 300 of the thousand, and are told while they go on.
    assert sum(700 < step < 1000 for step in set(done)) >= 3
