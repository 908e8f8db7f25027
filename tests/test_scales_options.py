"""The measurement stage's settings: each does what it says, and psych's numbers come out of it."""

import re
import warnings
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from psychoseg import (
    DataError,
    EngineError,
    PsychosegWarning,
    StudyError,
    fit_scales,
    load_study,
    load_survey,
)
from psychoseg.engines.python import PythonEngine
from psychoseg.stats.extraction import EXTRACTION_METHODS
from psychoseg.stats.factor import match_factors
from psychoseg.stats.rotation import ROTATIONS
from psychoseg.study import ScaleKey, ScalesSettings
from psychoseg.survey import Survey
from tests.test_scales import named, simulated


@pytest.fixture(scope="module")
def bfi(root):
    return load_survey(load_study(root / "surveys" / "big_five"))


@pytest.fixture(scope="module")
def bfi_scales(root):
    return load_study(root / "surveys" / "big_five").scales


def told(frame, settings=None):
    """Return the scales, and what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scales = fit_scales(frame, settings)
    return scales, [str(w.message) for w in caught if w.category is PsychosegWarning]


def test_the_fit_of_bfi_is_that_of_psych(bfi, bfi_scales):
    # psych 2.2.9: fa(bfi[1:25], 5, fm = "minres", rotate = "oblimin"), n = 2800, pairwise Pearson.
    settings = bfi_scales.model_copy(update={"correlation": "pearson"})
    scales = fit_scales(bfi, settings)
    fit = scales.fit.set_index("measure")
    expected = {
        "chi_square": (1808.94, 0.005),
        "df": (185, 0),
        "rmsea": (0.0560, 5e-5),
        "tli": (0.867, 5e-4),
        "rmsr": (0.0290, 5e-5),
        "bic": (340.5, 0.05),
        "kmo": (0.8459, 5e-5),
        "bartlett_chi_square": (20163.79, 0.005),
        "bartlett_df": (300, 0),
    }
    for measure, (value, tolerance) in expected.items():
        assert fit.loc[measure, "value"] == pytest.approx(value, abs=tolerance), measure
    assert fit.loc["rmsea", ["low", "high"]].tolist() == pytest.approx([0.0537, 0.0584], abs=5e-5)
    ss = sorted(scales.factors["ss_loadings"], reverse=True)
    np.testing.assert_allclose(ss, [2.570, 2.199, 2.029, 1.985, 1.586], atol=5e-4)
    np.testing.assert_allclose(
        scales.eigenvalues["observed"][:6], [5.037, 2.744, 2.108, 1.832, 1.536, 1.113], atol=5e-4
    )


def test_omega_and_alpha_if_dropped_of_bfi_are_those_of_psych(bfi, bfi_scales):
    # psych 2.2.9: omega(nfactors = 1) of cov2cor(cov(x, use = "pairwise")) of each scale's keyed
    # items, the matrix that alpha() takes; of cor(x, use = "pairwise") openness has .617.
    scales = fit_scales(bfi, bfi_scales)
    table = scales.reliability.pivot(index="scale", columns="coefficient", values="value")
    omegas = {
        "agreeableness": 0.723,
        "conscientiousness": 0.731,
        "extraversion": 0.764,
        "neuroticism": 0.819,
        "openness": 0.616,
    }
    assert table["omega total"].round(3).drop("").to_dict() == omegas
    dropped = scales.items.set_index("item")["alpha_if_dropped"]
    assert dropped[[f"N{i}" for i in range(1, 6)]].round(3).tolist() == [
        0.758,
        0.763,
        0.755,
        0.795,
        0.813,
    ]
    # An own part and a general part make up less than what one common factor explains twice over.
    for part in ("omega, general part", "omega, own part"):
        assert table.drop(index="")[part].between(0, 1).all()
    assert 0 < table.loc["", "omega hierarchical"] < table.loc["", "omega total"] < 1


@pytest.mark.parametrize(
    "rotation", [r for r in ROTATIONS if not r.startswith(("target", "bifactor", "none"))]
)
def test_every_rotation_finds_the_three_planted_scales(rotation):
    scales, _ = told(simulated(), ScalesSettings(n_factors=3, rotation=rotation))
    homes = scales.items.set_index("item")["scale"]
    for letter in "abc":
        assert homes[[f"{letter}{i}" for i in range(1, 5)]].nunique() == 1
    assert homes.nunique() == 3


def test_unrotated_factors_are_uncorrelated():
    scales, _ = told(simulated(), ScalesSettings(n_factors=3, rotation="none"))
    np.testing.assert_array_equal(scales.phi, np.eye(3))


def with_general(n=1500):
    """Return items of three groups with one factor behind them all, of half their variance."""
    rng = np.random.default_rng(4)
    general = rng.standard_normal((n, 1))
    groups = np.repeat(rng.standard_normal((n, 3)), 4, axis=1)
    x = 0.7 * general + 0.45 * groups + np.sqrt(1 - 0.49 - 0.2025) * rng.standard_normal((n, 12))
    answers = np.clip(np.round(x + 3), 1, 5)
    return pd.DataFrame(answers, columns=[f"{s}{i}" for s in "abc" for i in range(1, 5)])


@pytest.mark.parametrize("rotation", ["bifactor_t", "bifactor_q"])
def test_a_bifactor_rotation_shows_what_the_named_scales_have_in_common(rotation):
    frame = with_general()
    settings = named(frame)
    plain, _ = told(frame, settings)
    scales, _ = told(frame, settings.model_copy(update={"rotation": rotation}))
    assert scales.factors["label"].tolist()[0] == "General factor"
    assert set(scales.factors["label"][1:]) == {"a", "b", "c"}
    assert scales.loadings["F1"].between(0.55, 0.85).all()
    # The Schmid-Leiman transformation of the oblique solution says the same of the same answers, as
    # far as a rotation that wants perfect groups can (planted: omega hierarchical .84).
    tables = [s.reliability.set_index(["scale", "coefficient"])["value"] for s in (plain, scales)]
    for coefficient in ("omega hierarchical", "omega total", "explained common variance"):
        assert tables[0]["", coefficient] == pytest.approx(tables[1]["", coefficient], abs=0.06)
    parts = ["omega, general part", "omega, own part"]
    for scale in "abc":
        both = [sum(table[scale, part] for part in parts) for table in tables]
        assert both[0] == pytest.approx(both[1], abs=0.05)
    with pytest.raises(ValueError, match="shows what named scales have in common"):
        ScalesSettings(rotation=rotation)


@pytest.mark.parametrize("extraction", ["minres", "ml", "principal_axes", "components"])
@pytest.mark.parametrize("variant", ["psych", "spss"])
def test_every_extraction_and_variant_finds_the_same_scales(extraction, variant):
    frame = simulated()
    usual = fit_scales(frame, ScalesSettings(n_factors=3))
    scales, _ = told(frame, ScalesSettings(n_factors=3, extraction=extraction, variant=variant))
    congruence = match_factors(usual.loadings.to_numpy(), scales.loadings.to_numpy())[2]
    assert congruence.min() > 0.995
    assert extraction.replace("_", " ") in scales.method
    assert ("SPSS" in scales.method) == (variant == "spss")


@pytest.mark.parametrize("rotation", ["target_t", "target_q"])
def test_a_target_rotation_turns_towards_the_named_scales(rotation):
    frame = simulated()
    settings = named(frame).model_copy(update={"rotation": rotation})
    scales, messages = told(frame, settings)
    assert messages == []
    own = np.array(
        [[item[0] == s for s in scales.factors["label"]] for item in scales.loadings.index]
    )
    assert np.abs(scales.loadings.to_numpy()[~own]).max() < 0.15
    with pytest.raises(ValueError, match="turns towards named scales"):
        ScalesSettings(rotation=rotation)


@pytest.mark.parametrize(
    "settings",
    [
        {"correlation": "pearson"},
        {"correlation": "spearman"},
        {"correlation": "polychoric", "correction": 0.5},
        {"correlation": "mixed"},
        {"correlation": "pearson", "missing": "em"},
        {"correlation": "polychoric", "missing": "listwise"},
    ],
)
def test_every_kind_of_correlation_finds_the_same_scales(settings):
    frame = simulated()
    frame = frame.mask(np.random.default_rng(7).random(frame.shape) < 0.03)
    if settings["correlation"] == "mixed":
        # More different answers than an ordinal item may have.
        noise = np.random.default_rng(8).uniform(-0.4, 0.4, len(frame))
        frame["a1"] += noise
    scales, _ = told(frame, ScalesSettings(n_factors=3, **settings))
    usual, _ = told(frame.round(), ScalesSettings(n_factors=3))
    homes = [s.items.set_index("item")["scale"] for s in (scales, usual)]
    assert all(h.groupby(h.index.str[0]).nunique().eq(1).all() for h in homes)
    assert np.abs(scales.corr - usual.corr).to_numpy().max() < 0.25
    assert scales.correlation == settings["correlation"]


def test_em_is_for_pearson_alone():
    with pytest.raises(ValueError, match='missing = "em" is for correlation = "pearson"'):
        ScalesSettings(missing="em")


def test_a_sum_is_the_mean_times_the_items():
    frame = simulated()
    mean, total = (
        fit_scales(frame, named(frame).model_copy(update={"score": s})) for s in ("mean", "sum")
    )
    np.testing.assert_allclose(total.scores, 4 * mean.scores, atol=1e-12)
    assert total.score.startswith("sum of the answered items")


@pytest.mark.parametrize("method", ["regression", "bartlett", "ten_berge"])
def test_factor_scores_point_the_way_of_the_scale_and_are_standardised(method):
    frame = simulated(1500)
    frame["a2"] = 6 - frame["a2"]
    keys = named(frame, reverse=("a2",))
    mean = fit_scales(frame, keys)
    scales = fit_scales(frame, keys.model_copy(update={"score": method}))
    for name in "abc":
        assert np.corrcoef(mean.scores[name], scales.scores[name])[0, 1] > 0.9
    assert np.abs(scales.scores.mean()).max() < 1e-10
    # Alpha is that of the items, however people are scored.
    np.testing.assert_allclose(scales.table["alpha"], mean.table["alpha"], atol=1e-12)


def test_centring_within_persons_takes_out_their_own_level_and_leaves_alpha():
    frame = simulated()
    plain = fit_scales(frame, named(frame))
    centred = fit_scales(frame, named(frame).model_copy(update={"centre": "person"}))
    level = frame.mean(axis=1)
    np.testing.assert_allclose(centred.scores, plain.scores.sub(level, axis=0), atol=1e-12)
    np.testing.assert_allclose(centred.table["alpha"], plain.table["alpha"], atol=1e-12)
    assert "each respondent's own mean answer taken out" in centred.score


def test_a_bad_item_is_flagged_proposed_and_dropped_only_when_asked():
    frame = simulated()
    frame["a4"] = np.random.default_rng(3).integers(1, 6, len(frame)).astype(float)
    keys = named(frame)
    scales, _ = told(frame, keys)
    reasons = set(scales.flags.loc[scales.flags["item"] == "a4", "reason"])
    assert {"low communality", "weak loading"} <= reasons
    proposal = scales.drops.iloc[0]
    assert (proposal["scale"], proposal["item"], proposal["applied"]) == ("a", "a4", False)
    assert proposal["alpha_without"] > proposal["alpha"] + 0.05
    assert scales.items.set_index("item").loc["a4", "scale"] == "a"

    applied, messages = told(frame, keys.model_copy(update={"drop_items": "apply"}))
    assert applied.items.set_index("item").loc["a4", "scale"] == ""
    assert applied.drops.loc[applied.drops["applied"], "item"].tolist() == ["a4"]
    assert any("alpha rises without them: a4" in m for m in messages)
    assert applied.table.set_index("scale").loc["a", "alpha"] == pytest.approx(
        proposal["alpha_without"], abs=1e-12
    )
    np.testing.assert_allclose(applied.scores["a"], frame[["a1", "a2", "a3"]].mean(axis=1))


def test_a_wrong_key_of_a_named_scale_is_flagged():
    frame = simulated()
    frame["b3"] = 6 - frame["b3"]
    scales, _ = told(frame, named(frame))
    flags = scales.flags[scales.flags["reason"] == "wrong key"]
    assert flags["item"].tolist() == ["b3"]
    assert "key looks wrong" in flags["remark"].iloc[0]


def test_integer_weights_equal_repeated_rows_in_every_table():
    frame = simulated(250)
    frame = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.05)
    counts = np.random.default_rng(2).integers(1, 4, len(frame))
    weighted = Survey.from_frame(
        frame, weights=counts.astype(float), weight_kind="frequency", answer_range=(1, 5)
    )
    repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
    a, b = (fit_scales(s) for s in (weighted, Survey.from_frame(repeated, answer_range=(1, 5))))
    for name in ("loadings", "phi", "structure", "corr"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-10, err_msg=name)
    for name in ("eigenvalues", "number", "fit", "residuals", "reliability", "flags", "drops"):
        one, two = getattr(a, name), getattr(b, name)
        numbers = one.select_dtypes("number").columns
        np.testing.assert_allclose(
            one[numbers].astype(float),
            two[numbers].astype(float),
            rtol=1e-9,
            atol=1e-10,
            err_msg=name,
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(d1=f["a1"]), "1 pair of items with the same answers: a1 and d1"),
        (
            lambda f: f.assign(total=f["a1"] + f["a2"] + f["a3"]),
            r"depend on each other exactly.*a1, a2, a3, total",
        ),
        (
            lambda f: f.assign(
                b1=np.where(np.arange(len(f)) < 1, 5.0, 1.0),
                b2=np.where(np.arange(len(f)) == 1, 5.0, 1.0),
            ),
            r"too little in common .*: b1 \(11 pairs\), b2 \(10 pairs\)",
        ),
    ],
)
def test_items_that_repeat_each_other_or_hardly_vary_are_named(change, message):
    frame = change(simulated())
    settings = ScalesSettings(n_factors=3, correlation="pearson")
    _, messages = told(Survey.from_frame(frame, answer_range=(1, 15)), settings)
    assert any(re.search(message, m) for m in messages), messages


def test_items_with_two_answers_have_tetrachoric_correlations():
    frame = (simulated(2000) > 3).astype(float)
    scales, _ = told(frame, ScalesSettings(n_factors=3))
    # Five points cut at 3 lose nothing on the underlying continua: .8 x .8 = .64 was planted.
    within = scales.corr.loc["a1", ["a2", "a3", "a4"]]
    assert within.between(0.54, 0.74).all()


@pytest.mark.parametrize("column", ["constant", "empty"])
def test_a_constant_item_and_one_that_nobody_answered_are_named(column):
    frame = simulated()
    frame["b2"] = 3.0 if column == "constant" else np.nan
    with pytest.raises(DataError, match="b2"):
        fit_scales(Survey.from_frame(frame, items=list(frame), answer_range=(1, 5)))


def test_a_heywood_case_is_named():
    frame = simulated(300)
    rng = np.random.default_rng(6)
    frame["a1"] = np.clip(
        np.round(frame[["a2", "a3", "a4"]].mean(axis=1) + 0.05 * rng.standard_normal(300)), 1, 5
    )
    _, messages = told(frame, ScalesSettings(n_factors=5))
    assert any(m.startswith("Heywood case: 5 factors explain all of ") for m in messages)


def test_the_number_of_factors_can_be_by_components_alone(bfi):
    auto = fit_scales(bfi, ScalesSettings())
    components = fit_scales(bfi, ScalesSettings(n_factors="parallel"))
    table = auto.number.set_index("criterion")["suggested"]
    assert len(components.factors) == table["parallel analysis, components"]
    assert len(auto.factors) == auto.n_factors_suggested
    assert auto.number["footnote"].sum() >= 2
    assert str(auto.n_factors_suggested) in auto.number_reason


def test_a_named_item_that_is_unknown_is_refused_as_before():
    with pytest.raises(StudyError, match="does not have: q9"):
        fit_scales(simulated(), ScalesSettings(scale=(ScaleKey(name="x", items=("a1", "q9")),)))


def test_tables_have_labels_and_no_gaps():
    scales, _ = told(simulated())
    assert scales.items["msa"].between(0.5, 1).all()
    assert list(scales.structure.index) == list(scales.loadings.index)
    np.testing.assert_allclose(
        scales.structure.to_numpy(), scales.loadings.to_numpy() @ scales.phi.to_numpy(), atol=1e-12
    )
    observed = [scales.corr.loc[r.item, r.other] for r in scales.residuals.itertuples()]
    np.testing.assert_allclose(scales.residuals["observed"], observed)
    assert isinstance(scales.number["suggested"].dtype, pd.Int64Dtype)


@pytest.mark.parametrize(
    "rotation",
    ["varimax", "promax", "quartimax", "oblimin", "quartimin", "geomin_t", "geomin_q"],
)
def test_factor_analyzer_turns_the_factors_of_bfi_as_we_do(bfi, bfi_scales, rotation):
    # factor_analyzer 0.5.1 stops at a change of its criterion, which leaves 3e-5 in a loading.
    settings = bfi_scales.model_copy(update={"rotation": rotation})
    ours = fit_scales(bfi, settings)
    theirs = fit_scales(bfi, settings, engine=PythonEngine(rotator="factor-analyzer"))
    np.testing.assert_allclose(ours.loadings, theirs.loadings, atol=1e-4)
    np.testing.assert_allclose(ours.phi, theirs.phi, atol=1e-4)


@pytest.mark.parametrize(
    "settings", [{"rotation": "equamax"}, {"rotation": "oblimin", "kaiser": True}]
)
def test_what_factor_analyzer_does_wrongly_is_refused(bfi, bfi_scales, settings):
    with pytest.raises(EngineError, match="factor-analyzer cannot turn by"):
        fit_scales(
            bfi,
            bfi_scales.model_copy(update=settings),
            engine=PythonEngine(rotator="factor-analyzer"),
        )


def test_the_item_that_names_a_scale_never_counts_against_it():
    frame = simulated()
    # The strongest item of a is turned, so that the other three outweigh it.
    frame["a1"] = 6 - np.clip(np.round(frame[["a2", "a3", "a4"]].mean(axis=1)), 1, 5)
    scales, _ = told(frame, ScalesSettings(n_factors=3))
    for _, row in scales.table.iterrows():
        keys = scales.items[scales.items["scale"] == row["scale"]].set_index("item")["key"]
        assert keys[row["label"]] == 1
    home = scales.items.set_index("item").loc["a1", "scale"]
    assert np.corrcoef(scales.scores[home], frame["a1"])[0, 1] > 0.8
    assert (scales.items["loading"] > 0).all()
    given, _ = told(frame, ScalesSettings(n_factors=3, names={"a2": "Likes a"}))
    assert np.corrcoef(given.scores["likes_a"], frame["a2"])[0, 1] > 0.7


def test_items_of_a_named_scale_load_positive_whichever_way_their_factor_points(bfi, bfi_scales):
    scales = fit_scales(bfi, bfi_scales)
    assert (scales.items["loading"] > 0).all()
    own = [
        scales.loadings.loc[r.item, scales.factors.set_index("scale").loc[r.scale, "factor"]]
        for r in scales.items.itertuples()
    ]
    np.testing.assert_allclose(own, scales.items["loading"])


def overlapping(frame, **changes):
    """Return two scales that share a4, which only the second turns round."""
    scales = (
        ScaleKey(name="a", items=("a1", "a2", "a3", "a4")),
        ScaleKey(name="b", items=("a4", "b1", "b2", "b3", "b4"), reverse=("a4",)),
    )
    return ScalesSettings(scale=scales, **changes)


def test_an_item_of_two_scales_is_turned_where_it_is_reversed_and_flagged_there(tmp_path):
    frame = simulated()
    scales, _ = told(frame, overlapping(frame))
    np.testing.assert_allclose(
        scales.scores["a"], frame[["a1", "a2", "a3", "a4"]].mean(axis=1), atol=1e-12
    )
    turned = pd.concat([6 - frame["a4"], frame[["b1", "b2", "b3", "b4"]]], axis=1)
    np.testing.assert_allclose(scales.scores["b"], turned.mean(axis=1), atol=1e-12)
    # The same through a study file, where reverse keys are read before the scales are.
    frame.astype(int).rename_axis("id").to_csv(tmp_path / "data.csv")
    (tmp_path / "study.toml").write_text(
        """
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["a1:c4"]
range = [1, 5]
[[scales.scale]]
name = "a"
items = ["a1", "a2", "a3", "a4"]
[[scales.scale]]
name = "b"
items = ["a4", "b1", "b2", "b3", "b4"]
reverse = ["a4"]
"""
    )
    study = load_study(tmp_path)
    again = fit_scales(load_survey(study), study.scales)
    np.testing.assert_allclose(again.scores, scales.scores, atol=1e-12)


def test_an_item_leaves_the_scale_that_is_better_without_it_and_stays_in_the_other():
    frame = simulated()
    rng = np.random.default_rng(2)
    frame["a4"] = rng.integers(1, 6, len(frame)).astype(float)
    noise = rng.standard_normal(len(frame))
    frame["d1"] = np.clip(np.round(frame["a4"] + 0.5 * noise), 1, 5)
    scales = (
        ScaleKey(name="a", items=("a1", "a2", "a3", "a4")),
        ScaleKey(name="d", items=("a4", "d1")),
    )
    found, _ = told(frame, ScalesSettings(scale=scales, drop_items="apply"))
    homes = found.items.groupby("scale")["item"].agg(set)
    assert homes["a"] == {"a1", "a2", "a3"}
    assert homes["d"] == {"a4", "d1"}


def test_listwise_answers_are_those_of_psych_on_the_complete_rows(bfi, bfi_scales):
    # psych 2.2.9: fa(na.omit(bfi[1:25]), 5, fm = "minres", rotate = "oblimin"), n = 2436.
    settings = bfi_scales.model_copy(update={"missing": "listwise"})
    scales, messages = told(bfi, settings)
    fit = scales.fit.set_index("measure")["value"]
    assert fit["chi_square"] == pytest.approx(1538.5, abs=0.05)
    assert fit["bic"] == pytest.approx(95.9, abs=0.05)
    assert fit["bartlett_chi_square"] == pytest.approx(18146, abs=0.5)
    assert any("rest on the 2436 of 2800 respondents" in m for m in messages)
    few = bfi.items.mask(np.random.default_rng(1).random(bfi.items.shape) < 0.2)
    with pytest.raises(DataError, match="25 items but only"):
        told(Survey.from_frame(few, answer_range=(1, 6)), ScalesSettings(missing="listwise"))


def test_respondents_without_an_answer_add_nothing_to_the_sample_size():
    frame = simulated()
    empty = pd.DataFrame(np.nan, index=range(400, 600), columns=frame.columns)
    alone, padded = (fit_scales(f) for f in (frame, pd.concat([frame, empty])))
    pd.testing.assert_frame_equal(alone.fit, padded.fit)


@pytest.mark.parametrize("column", ["copy", "mirror", "sum"])
def test_items_that_repeat_each_other_are_named_with_polychoric_correlations_too(column):
    frame = simulated()
    if column == "sum":
        frame["zz"] = frame["a1"] + frame["b1"]
    else:
        frame["zz"] = frame["a1"] if column == "copy" else 6 - frame["a1"]
    _, messages = told(Survey.from_frame(frame, answer_range=(1, 10)), ScalesSettings(n_factors=3))
    expected = "depend on each other exactly" if column == "sum" else "the same answers"
    assert any(expected in m and "zz" in m for m in messages), messages


def test_an_item_that_hardly_varies_is_named():
    frame = simulated()
    frame["b2"] = np.where(np.arange(len(frame)) < 2, 5.0, 1.0)
    _, messages = told(frame, ScalesSettings(n_factors=3))
    assert any("hardly vary" in m and "b2 (2 of 400 differ)" in m for m in messages)


def test_components_are_not_tested_as_a_model():
    scales, _ = told(simulated(), ScalesSettings(n_factors=3, extraction="components"))
    assert {"rmsr", "srmr", "kmo", "bartlett_p"} == set(scales.fit["measure"]) - {
        "bartlett_chi_square",
        "bartlett_df",
    }


def test_bartlett_scores_of_a_heywood_case_name_the_item():
    frame = simulated(300)
    frame["a1"] = frame[["a2", "a3", "a4"]].mean(axis=1).round()
    settings = ScalesSettings(
        n_factors=3, score="bartlett", correlation="pearson", extraction="principal_axes"
    )
    heavy = frame.assign(d1=frame["a1"], d2=frame["a1"])
    with pytest.raises(DataError, match=r"leave nothing of .*(a1|d1|d2)"):
        told(heavy, settings)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"n_factors": 4}, "n_factors"),
        ({"names": {"a1": "x"}}, "names"),
        ({"min_loading": 0.4}, "min_loading"),
    ],
)
def test_what_has_no_effect_beside_named_scales_is_refused(change, what):
    scale = (ScaleKey(name="a", items=("a1", "a2")),)
    with pytest.raises(ValueError, match=f"{what} in \\[scales\\] would have no effect"):
        ScalesSettings(scale=scale, **change)


def test_the_study_file_offers_what_can_be_computed():
    offered = {name: field.annotation for name, field in ScalesSettings.model_fields.items()}
    assert get_args(offered["rotation"]) == ROTATIONS
    assert get_args(offered["extraction"]) == EXTRACTION_METHODS
