"""The measurement stage: the planted truth, psych's numbers, and input that cannot work."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg import DataError, PsychosegWarning, StudyError, fit_scales, load_study, load_survey
from psychoseg.engines.python import PythonEngine
from psychoseg.naming import short_label
from psychoseg.stats.factor import match_factors
from psychoseg.study import ScaleKey, ScalesSettings
from psychoseg.survey import Survey


@pytest.fixture(scope="module")
def fitness(root):
    study = load_study(root / "surveys" / "fitness_app")
    survey = load_survey(study)
    return study, survey, fit_scales(survey, study.scales)


@pytest.fixture(scope="module")
def big_five(root):
    study = load_study(root / "surveys" / "big_five")
    survey = load_survey(study)
    return study, survey, fit_scales(survey, study.scales)


def simulated(n=400, seed=1, factors=3, per_factor=4):
    """Return five-point items of unrelated factors, items in the order of their factors."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n, factors))
    noise = rng.standard_normal((n, factors * per_factor))
    x = 0.8 * np.repeat(latent, per_factor, axis=1) + 0.6 * noise
    answers = np.clip(np.round(x + 3), 1, 5)
    names = [f"{'abcdefgh'[j]}{i + 1}" for j in range(factors) for i in range(per_factor)]
    return pd.DataFrame(answers, columns=names)


def test_the_planted_factors_of_fitness_app_are_found(root, fitness):
    _, survey, scales = fitness
    truth = pd.read_csv(root / "surveys" / "fitness_app" / "truth_loadings.csv")
    planted = truth.pivot(index="item", columns="factor", values="loading").fillna(0.0)
    # The planted loadings are those of the raw answers; ours are those of the keyed ones.
    turned = [-1.0 if survey.codebook[item].reversed else 1.0 for item in planted.index]
    found = scales.loadings.loc[planted.index].mul(turned, axis=0).to_numpy()
    assert scales.n_factors_suggested == planted.shape[1] == 7
    congruence = match_factors(planted.to_numpy(), found)[2]
    assert np.abs(congruence).min() >= 0.95
    for _, rows in truth[truth["loading"] != 0].groupby("factor"):
        homes = set(scales.items.set_index("item").loc[rows["item"], "scale"])
        assert len(homes) == 1


def test_found_scales_bear_the_names_of_the_study(fitness):
    study, _, scales = fitness
    assert set(scales.table["label"]) == set(study.scales.names.values())
    assert scales.found


def test_bfi_alphas_are_those_of_psych(big_five):
    # psych 2.2.9 on psychTools 2.2.9, n = 2800: A .703, C .727, E .762, N .814, O .600.
    alphas = big_five[2].table.set_index("label")["alpha"].round(3)
    assert alphas.to_dict() == {
        "Agreeableness": 0.703,
        "Conscientiousness": 0.727,
        "Extraversion": 0.762,
        "Neuroticism": 0.814,
        "Openness": 0.6,
    }


def test_a_score_is_the_mean_of_the_keyed_answers(big_five):
    _, survey, scales = big_five
    items = survey.items
    expected = pd.concat([7 - items["A1"], items[["A2", "A3", "A4", "A5"]]], axis=1)
    enough = expected.notna().sum(axis=1) >= 3
    ours = scales.scores["agreeableness"]
    np.testing.assert_allclose(ours[enough], expected.mean(axis=1)[enough], atol=1e-12)
    assert ours[~enough].isna().all()
    keys = scales.items.set_index("item")["key"]
    assert (keys["A1"], keys["A2"]) == (-1, 1)


def test_shuffled_rows_and_columns_give_the_same_bytes(big_five):
    study, survey, scales = big_five
    rng = np.random.default_rng(5)
    rows = rng.permutation(survey.n)
    frame = survey.items.iloc[rows, rng.permutation(survey.items.shape[1])].reset_index(drop=True)
    reverse = [name for name, v in survey.codebook.items() if v.reversed]
    again = fit_scales(
        Survey.from_frame(frame, items=list(frame), reverse=reverse, answer_range=(1, 6)),
        study.scales,
    )
    np.testing.assert_array_equal(again.scores, scales.scores.iloc[rows])
    np.testing.assert_array_equal(again.loadings.loc[scales.loadings.index], scales.loadings)
    pd.testing.assert_frame_equal(again.table, scales.table, check_exact=True)


def test_frequency_weights_equal_repeated_rows():
    frame = simulated(300)
    counts = np.random.default_rng(2).integers(1, 4, 300)
    weighted = Survey.from_frame(
        frame, weights=counts.astype(float), weight_kind="frequency", answer_range=(1, 5)
    )
    repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
    a = fit_scales(weighted)
    b = fit_scales(Survey.from_frame(repeated, answer_range=(1, 5)))
    np.testing.assert_allclose(a.loadings, b.loadings, atol=1e-10)
    numbers = ["alpha", "alpha_low", "alpha_high", "mean_r", "mean", "sd"]
    np.testing.assert_allclose(a.table[numbers], b.table[numbers], atol=1e-10)
    np.testing.assert_allclose(a.items["item_rest"], b.items["item_rest"], atol=1e-10)


def test_rescaled_sampling_weights_change_nothing():
    frame, weights = simulated(300), np.random.default_rng(3).uniform(0.3, 3, 300)
    a, b = (fit_scales(Survey.from_frame(frame, weights=w)) for w in (weights, 12 * weights))
    np.testing.assert_allclose(a.loadings, b.loadings, atol=1e-9)
    np.testing.assert_allclose(a.table["alpha_low"], b.table["alpha_low"], atol=1e-9)


def test_an_undeclared_reverse_item_is_turned_and_said():
    frame = simulated()
    frame["a2"] = 6 - frame["a2"]
    with pytest.warns(PsychosegWarning, match="count the other way: a2"):
        scales = fit_scales(frame)
    home = scales.items.set_index("item").loc["a2"]
    assert home["key"] == -1
    assert home["loading"] > 0.5
    assert home["item_rest"] > 0.4


def led_by(*loadings: float, reverse: tuple[str, ...], swap: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the scale of items a1, a2, ... of one factor beside four of another."""
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((800, 2))
    size = np.array([*loadings, 0.8, 0.8, 0.8, 0.8])
    of = [0] * len(loadings) + [1] * 4
    x = size * latent[:, of] + np.sqrt(1 - size**2) * rng.standard_normal((800, len(size)))
    names = [f"a{i + 1}" for i in range(len(loadings))] + [f"b{i + 1}" for i in range(4)]
    frame = pd.DataFrame(np.clip(np.round(x + 3), 1, 5), columns=names)
    for name in (*reverse, *swap):
        frame[name] = 6 - frame[name]
    survey = Survey.from_frame(frame, items=names, reverse=reverse, answer_range=(1, 5))
    table = fit_scales(survey, ScalesSettings(n_factors=2, correlation="pearson")).table
    return table[table["label"].str.contains("a")].iloc[0]


def test_a_found_scale_is_called_by_an_item_that_who_is_high_agrees_with():
    assert led_by(0.9, 0.8, 0.7, 0.6, reverse=())["label"] == "a1"
    assert led_by(0.9, 0.8, 0.7, 0.6, reverse=("a1", "a2"))["label"] == "a3"
    # Turned by the scale and not by the study: high is what most of the strongest item say.
    assert led_by(0.8, 0.9, 0.7, 0.6, reverse=("a2",), swap=("a1",))["label"] == "a3"


def test_a_found_scale_of_reversed_items_alone_says_so_in_its_label():
    everyone = ("a1", "a2", "a3", "a4")
    found = led_by(0.9, 0.8, 0.7, 0.6, reverse=everyone)
    assert found["label"] == "(reversed) a1"
    # The orientation is that of the declared keys, whatever the label.
    assert found["mean"] == pytest.approx(3, abs=0.1)
    straight = led_by(0.9, 0.8, 0.7, 0.6, reverse=())
    assert found["alpha"] == pytest.approx(straight["alpha"], abs=1e-12)


def test_an_item_whose_file_counts_down_from_agreement_is_not_taken_for_agreement():
    down = {1: "Strongly agree", 2: "Agree", 3: "Neither", 4: "Disagree", 5: "Strongly disagree"}
    frame = simulated(factors=2)
    plain = Survey.from_frame(frame, items=list(frame), answer_range=(1, 5))

    def labelled(labels, reverse=()):
        book = {
            name: replace(v, value_labels=labels, reversed=name in reverse)
            for name, v in plain.codebook.items()
        }
        return replace(plain, codebook=book)

    settings = ScalesSettings(n_factors=2, correlation="pearson")
    with pytest.warns(PsychosegWarning, match="1 = 'Strongly agree' to 5 = 'Strongly disagree'"):
        found = fit_scales(labelled(down), settings).table["label"]
    assert found.str.startswith("(reversed) ").all()
    ends = {1.0: "1 - trifft voll zu", 5.0: "5 - trifft gar nicht zu"}
    with pytest.warns(PsychosegWarning, match="run from much to little"):
        fit_scales(labelled(ends), settings)
    for survey in (
        labelled(down, reverse=tuple(frame)),
        labelled({6 - code: text for code, text in down.items()}),
        labelled({1: "Rot", 5: "Blau"}),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error", PsychosegWarning)
            found = fit_scales(survey, settings).table["label"]
        assert not found.str.startswith("(reversed) ").any()


def test_a_pair_of_opposite_wording_is_not_said_to_ask_the_same():
    frame = simulated(factors=2)
    same = frame["a1"].where(np.arange(400) % 20 > 0, 3.0)
    for turned in (False, True):
        survey = Survey.from_frame(
            frame.assign(a2=6 - same if turned else same),
            items=list(frame),
            reverse=["a2"] if turned else [],
            answer_range=(1, 5),
        )
        flags = fit_scales(survey, ScalesSettings(n_factors=2, correlation="pearson")).flags
        remark = flags.set_index(["item", "reason"])["remark"]["a1", "redundant pair"]
        if turned:
            assert re.fullmatch(r"it correlates −0\.9\d with “a2”: the two ask for .*", remark)
        else:
            assert re.fullmatch(r"it correlates 0\.9\d with “a2”: the two ask the same", remark)


def test_two_scales_that_begin_alike_are_told_apart_in_a_name_as_well():
    stem = "When I think of the app and all that it has to offer, then "
    frame = simulated(factors=2)
    survey = Survey.from_frame(frame, items=list(frame), answer_range=(1, 5))
    book = {n: replace(v, label=stem + n) for n, v in survey.codebook.items()}
    table = fit_scales(replace(survey, codebook=book), ScalesSettings(n_factors=2)).table
    assert {label[-4:] for label in table["label"]} == {" (1)", " (2)"}
    short = {short_label(label) for label in table["label"]}
    assert short == {
        "When I think of the app and all that… (1)",
        "When I think of the app and all that… (2)",
    }


def test_a_name_given_at_a_reversed_item_is_pointed_out():
    frame = simulated(factors=2)
    frame["a1"] = 6 - frame["a1"]
    survey = Survey.from_frame(frame, items=list(frame), reverse=["a1"], answer_range=(1, 5))
    with pytest.warns(PsychosegWarning, match=r"Shyness is named in \[scales.names\] at the rev"):
        table = fit_scales(survey, ScalesSettings(n_factors=2, names={"a1": "Shyness"})).table
    assert "Shyness" in set(table["label"])


def test_a_scale_that_does_not_hang_together_is_pointed_out():
    frame = simulated()
    settings = ScalesSettings(
        scale=(
            ScaleKey(name="Mixture", items=("a1", "b1", "c1")),
            ScaleKey(name="Sound", items=("a2", "a3", "a4")),
        )
    )
    with pytest.warns(PsychosegWarning, match="the scale Mixture has a.* alpha") as told:
        fit_scales(frame, settings)
    assert not any("Sound" in str(t.message) for t in told)


def test_reverse_keys_of_a_named_scale_work_on_a_plain_frame():
    frame = simulated()
    straight = fit_scales(frame, named(frame))
    frame["a2"] = 6 - frame["a2"]
    turned = fit_scales(frame, named(frame, reverse=("a2",)))
    np.testing.assert_allclose(turned.table["alpha"], straight.table["alpha"], atol=1e-12)
    np.testing.assert_allclose(turned.scores, straight.scores, atol=1e-12)


def named(frame, reverse=()):
    scale = tuple(
        ScaleKey(
            name=letter,
            items=tuple(c for c in frame if c[0] == letter),
            reverse=tuple(r for r in reverse if r[0] == letter),
        )
        for letter in "abc"
    )
    return ScalesSettings(scale=scale)


def test_an_item_that_measures_nothing_else_does_is_left_out_and_said():
    frame = simulated()
    frame["zz"] = np.random.default_rng(9).integers(1, 6, len(frame)).astype(float)
    with pytest.warns(PsychosegWarning, match=r"1 of 13 items load below 0\.3.*zz"):
        scales = fit_scales(frame, ScalesSettings(n_factors=3))
    assert scales.items.set_index("item").loc["zz", "scale"] == ""
    assert "zz" not in scales.scores


def test_items_with_other_answer_scales_are_brought_to_the_common_one():
    frame = simulated()
    plain = fit_scales(frame, ScalesSettings(n_factors=3)).scores
    # The same answers on 0-100: (x - 1) * 25.
    frame["a1"] = (frame["a1"] - 1) * 25
    survey = Survey.from_frame(frame, answer_range=(0, 100))
    book = {
        name: replace(v, low=1.0, high=5.0) if name != "a1" else v
        for name, v in survey.codebook.items()
    }
    survey = replace(survey, codebook=book)
    with pytest.warns(PsychosegWarning, match="different answer scales; all were brought to 1-5"):
        scales = fit_scales(survey, ScalesSettings(n_factors=3))
    np.testing.assert_allclose(np.sort(scales.scores, axis=1), np.sort(plain, axis=1), atol=1e-12)


def test_too_few_answers_give_no_score():
    frame = simulated()
    frame.loc[0, ["a1", "a2", "a3"]] = np.nan
    frame.loc[1, ["a1", "a2"]] = np.nan
    scales = fit_scales(frame, named(frame))
    assert np.isnan(scales.scores.loc[0, "a"])
    assert scales.scores.loc[1, "a"] == frame.loc[1, ["a3", "a4"]].mean()
    assert scales.table.set_index("label").loc["a", "base"] == len(frame) - 1


def test_inputs_are_not_changed():
    frame = simulated()
    before = frame.copy()
    fit_scales(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_a_matrix_that_is_not_positive_definite_is_smoothed_and_said():
    frame = simulated(120)
    frame["a5"], frame["a6"] = frame["a1"], frame["a1"]
    rng = np.random.default_rng(4)
    for name in ("a1", "a5", "a6", "b1"):
        frame.loc[rng.choice(120, 50, replace=False), name] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_scales(frame, ScalesSettings(n_factors=3))
    assert any("not positive definite" in str(w.message) for w in caught)


@pytest.mark.parametrize(
    ("change", "settings", "error", "message"),
    [
        (lambda f: f.iloc[:10], None, DataError, r"12 items but only 10 respondents"),
        (lambda f: f[["a1", "a2"]], None, DataError, "at least 3 items; there are 2"),
        (
            lambda f: f,
            ScalesSettings(n_factors=9),
            StudyError,
            "n_factors = 9 is too many for 12 items: at most 6",
        ),
        (
            lambda f: f,
            ScalesSettings(scale=(ScaleKey(name="x", items=("a1", "q9")),)),
            StudyError,
            r"does not have: q9",
        ),
        (
            lambda f: f.assign(
                **{c: f[c].sample(frac=1, random_state=50 + i).array for i, c in enumerate(f)}
            ),
            None,
            DataError,
            "no factor stands out",
        ),
        (
            lambda f: f + np.arange(len(f))[:, None] / 100,
            None,
            DataError,
            'Use correlation = "mixed" or "pearson"',
        ),
        (
            lambda f: f.assign(
                a1=f["a1"].where(np.arange(len(f)) < 200),
                b1=f["b1"].where(np.arange(len(f)) >= 200),
            ),
            None,
            DataError,
            "a1 and b1",
        ),
    ],
)
def test_input_that_cannot_work_is_refused_with_what_to_do(change, settings, error, message):
    with pytest.raises(error, match=message):
        fit_scales(change(simulated()), settings)


def test_rotation_and_extraction_are_the_engines_not_ours(fitness):
    # The stage must not depend on the order and signs that an engine happens to give.
    class Backwards(PythonEngine):
        def factor(
            self, corr, n_factors, *, method="minres", rotation="oblimin", options=None, n_obs
        ):
            raw = super().factor(
                corr, n_factors, method=method, rotation=rotation, options=options, n_obs=n_obs
            )
            flip = np.where(np.arange(n_factors) % 2, 1.0, -1.0)[::-1]
            return type(raw)(
                raw.loadings[:, ::-1] * flip,
                raw.phi[::-1, ::-1] * np.outer(flip, flip),
                raw.uniquenesses,
            )

    study, survey, scales = fitness
    again = fit_scales(survey, study.scales, engine=Backwards())
    np.testing.assert_allclose(again.loadings, scales.loadings, atol=1e-12)
    np.testing.assert_allclose(again.phi, scales.phi, atol=1e-12)
    pd.testing.assert_frame_equal(again.scores, scales.scores)


def test_scores_keep_the_index_of_the_frame_so_that_they_can_be_joined():
    frame = simulated()
    shuffled = frame.sample(frac=1, random_state=1)
    scores = fit_scales(shuffled, named(frame)).scores
    joined = frame.join(scores)
    np.testing.assert_allclose(joined["a"], frame[["a1", "a2", "a3", "a4"]].mean(axis=1))


def test_columns_named_by_numbers_work_and_infinite_answers_are_refused():
    frame = simulated()
    frame.columns = range(len(frame.columns))
    assert len(fit_scales(frame).table) == 3
    frame.iloc[4, 2] = np.inf
    with pytest.raises(DataError, match="column '2' is infinite in row 4"):
        fit_scales(frame)


def test_an_item_to_which_nobody_gave_the_lowest_answer_keeps_the_answer_scale():
    frame = simulated()
    frame["a1"] = frame["a1"].clip(lower=2)
    scales = fit_scales(frame, named(frame, reverse=("a1",)))
    expected = pd.concat([6 - frame["a1"], frame[["a2", "a3", "a4"]]], axis=1).mean(axis=1)
    np.testing.assert_allclose(scales.scores["a"], expected, atol=1e-12)


def test_ranges_that_differ_widely_and_are_not_stated_are_said():
    frame = simulated()
    frame["a1"] *= 20
    with pytest.warns(PsychosegWarning, match=r"different answer scales .*a1: 20 to 100"):
        fit_scales(frame, ScalesSettings(n_factors=3))


@pytest.mark.parametrize("kind", ["pearson", "polychoric"])
@pytest.mark.parametrize(("cuts", "missing"), [((0.0,), 0.0), ((-1.0, 0.0, 1.0), 0.3)])
def test_unrelated_items_are_found_to_be_unrelated(kind, cuts, missing):
    # The 95th percentile lets noise through in 1 of 20 studies; 6 of 20 has a chance below .001.
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        items = np.searchsorted(cuts, rng.standard_normal((300, 12))).astype(float)
        items[rng.random(items.shape) < missing] = np.nan
        frame = pd.DataFrame(items, columns=list("abcdefghijkl"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            scales = fit_scales(frame, ScalesSettings(correlation=kind, n_factors=2, min_loading=0))
        found += scales.n_factors_suggested > 0
    assert found < 6
