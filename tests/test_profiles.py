"""Profiles of made-up segments whose answers are known, and what must hold of any profile."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from psychoseg import profiles
from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.profiles import Profiles
from psychoseg.profiles.drivers import MAX_CATEGORIES_PER_VARIABLE, MAX_DRIVERS
from psychoseg.scales import Scales
from psychoseg.segments import Segments
from psychoseg.stats.arrays import collapse
from psychoseg.study import SegmentsSettings
from psychoseg.study_report import ProfilesSettings
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable

#: These few people are made up: nothing is hidden. What is, is tested in ``profiles/test_tables``.
profile_segments = partial(profiles.profile_segments, options=ProfilesSettings(min_base=1))

TABLES = (
    "means", "shares", "tests", "drivers", "personas", "typical", "by_k", "cuts", "importance",
    "model", "rules", "facts", "actions", "jobs", "words", "quotes", "names", "centroids",
)  # fmt: skip


def make_scales(scores: pd.DataFrame) -> Scales:
    """Return scales that have scores and labels and nothing else that profiles read."""
    empty = pd.DataFrame()
    table = pd.DataFrame(
        {"scale": scores.columns, "label": [c.capitalize() for c in scores], "alpha": 0.8}
    )
    return Scales(
        table=table,
        items=empty,
        loadings=empty,
        phi=empty,
        factors=empty,
        structure=empty,
        eigenvalues=empty,
        number=empty,
        number_reason="",
        fit=empty,
        residuals=empty,
        reliability=empty,
        flags=empty,
        drops=empty,
        corr=empty,
        scores=scores,
        score="",
        method="",
        found=False,
        n_factors_suggested=0,
        kmo=float("nan"),
        correlation="pearson",
    )


def make_segments(
    labels: np.ndarray, x: np.ndarray, weights: np.ndarray, features: dict[str, str]
) -> Segments:
    """Return segments with points at x (n, d), one for identical rows, and no tree."""
    empty = pd.DataFrame()
    kept = np.flatnonzero(labels > 0)
    # Real points belong to one segment each; these may coincide across segments.
    points = collapse(np.column_stack([x, labels])[kept], weights[kept])
    point_of = np.full(len(labels), -1)
    point_of[kept] = points.point_of
    segment_of = points.x[:, -1].astype(int)
    table = pd.DataFrame(points.x[:, :-1], columns=[f"comp_{j + 1}" for j in range(x.shape[1])])
    table.insert(0, "point", np.arange(len(table)))
    table.insert(1, "weight", points.weights)
    table.insert(2, "n", points.counts)
    table.insert(3, "segment", segment_of)
    return Segments(
        labels=pd.Series(labels),
        k=int(labels.max()),
        unassigned=0,
        table=empty,
        choice=empty,
        votes=empty,
        recommended_k=1,
        runner_up=0,
        k_reason="",
        runner_up_reason="",
        verdict="constructed",
        reason="",
        k_rule="",
        null=empty,
        stability=empty,
        slsw=empty,
        flow=empty,
        blocks=empty,
        audit=empty,
        methods=empty,
        tandem=empty,
        consensus=empty,
        neighbours=empty,
        resamples=0,
        tree=np.empty((0, 4)),
        leaf_of=np.arange(len(table)),
        points=table,
        point_of=point_of,
        features=pd.DataFrame(
            {"feature": list(features), "kind": list(features.values()), "sd": 1.0}
        ),
        eigenvalues=empty,
        components=empty,
        contributions=empty,
        supplementary=empty,
        components_rule="",
        map_note="",
        silhouette=pd.Series(np.full(len(labels), np.nan)),
        certainty=pd.Series(np.full(len(labels), np.nan)),
        excluded=empty,
        tied_merges=0,
        n_identical=0,
        n_moved=0,
        approximate="",
        method="",
    )


def make_survey(columns: pd.DataFrame, weights: np.ndarray, kind: str = "none") -> Survey:
    roles = {"plan": "active"}
    n = len(columns)
    return Survey(
        ids=pd.Series([f"r{i:04d}" for i in range(n)], dtype="str"),
        items=pd.DataFrame(index=range(n)),
        columns=columns,
        weights=weights,
        weight_kind=kind,
        codebook={
            c: Variable(
                c,
                c.capitalize(),
                roles.get(c, "profile"),
                "categorical" if columns[c].dtype == "category" else "numeric",
            )
            for c in columns
        },
        ledger=pd.DataFrame(columns=LEDGER_COLUMNS),
        n_read=n,
    )


def planted(
    n: int = 600, *, weights: np.ndarray | None = None, kind: str = "none", seed: int = 4
) -> tuple[Survey, Scales, Segments]:
    """Return three segments: 1 thrifty and young, 2 neither, 3 Premium; all else is chance."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2, 3], n, p=[0.05, 0.45, 0.3, 0.2])
    scores = pd.DataFrame(
        {
            # Answers on a grid, so that respondents share points.
            "thrift": np.round(3 + 1.2 * (labels == 1) + rng.normal(0, 0.8, n), 0),
            "humour": np.round(3 - 0.7 * (labels == 3) + rng.normal(0, 0.8, n), 0),
        }
    )
    plan = np.where(
        labels == 3,
        rng.choice(["Free", "Premium"], n, p=[0.1, 0.9]),
        rng.choice(["Free", "Premium", "Trial"], n, p=[0.6, 0.2, 0.2]),
    )
    age = rng.normal(40 - 12 * (labels == 1), 9, n).round()
    age[rng.random(n) < 0.1] = np.nan
    gender = pd.Categorical(rng.choice(["Male", "Female"], n), ["Male", "Female"])
    region = rng.choice(["North", "South", "East"], n).astype(object)
    region[rng.random(n) < 0.1] = None
    columns = pd.DataFrame(
        {
            "plan": pd.Categorical(plan, ["Free", "Trial", "Premium", "Family"]),
            "age": age,
            "gender": gender,
            "region": pd.Categorical(region, ["North", "South", "East"]),
        }
    )
    w = np.ones(n) if weights is None else weights
    features = {"thrift": "scale", "humour": "scale", "plan=Free": "category"}
    segments = make_segments(labels, scores.to_numpy(), w, features)
    return make_survey(columns, w, kind), make_scales(scores), segments


def take(
    survey: Survey, scales: Scales, segments: Segments, rows: np.ndarray, weights: np.ndarray
) -> tuple[Survey, Scales, Segments]:
    """Return rows of all three, with other weights; ids stay with their rows where they can."""
    scores = scales.scores.iloc[rows].reset_index(drop=True)
    ids = survey.ids.iloc[rows].reset_index(drop=True)
    if ids.duplicated().any():
        ids = pd.Series([f"r{i:05d}" for i in range(len(rows))], dtype="str")
    features = dict(zip(segments.features["feature"], segments.features["kind"], strict=True))
    return (
        replace(
            survey,
            ids=ids,
            items=pd.DataFrame(index=range(len(rows))),
            columns=survey.columns.iloc[rows].reset_index(drop=True),
            weights=weights,
        ),
        make_scales(scores),
        make_segments(segments.labels.to_numpy()[rows], scores.to_numpy(), weights, features),
    )


def assert_same(
    first: Profiles,
    second: Profiles,
    *,
    leave: tuple[str, ...] = (),
    leave_tables: tuple[str, ...] = (),
) -> None:
    for name in [t for t in TABLES if t not in leave_tables]:
        one, two = (_without(getattr(p, name), *leave) for p in (first, second))
        # 1e-10: the same sums, perhaps in another order, through the tails of distributions.
        pd.testing.assert_frame_equal(one, two, rtol=1e-10, atol=1e-12)


def _without(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return table.drop(columns=[*columns], errors="ignore")


class TestContract:
    def test_tables_have_the_columns_that_the_run_folder_promises(self) -> None:
        found = profile_segments(*planted())
        columns = {name: " ".join(getattr(found, name).columns) for name in TABLES}
        assert columns == {
            "means": "segment variable label kind role mean low high se sd base base_weighted "
            "base_effective total rest difference difference_low difference_high effect z index "
            "v_test letters hidden",
            "shares": "segment variable label kind role category share low high se total rest "
            "difference difference_low difference_high base base_weighted base_effective index "
            "effect association v_test letters hidden",
            "tests": "variable label kind role measure strength test statistic df1 df2 p "
            "p_adjusted base",
            "drivers": "segment rank kind variable label category effect size value total base "
            "text",
            "personas": "segment name suggested n weighted share portrait is_not typical_row",
            "typical": "segment variable label value base",
            "by_k": "k segment variable label kind role category value low high total base "
            "base_weighted base_effective index effect z hidden",
            "cuts": "k segment parent colour name n weighted share headline",
            "importance": "rank variable label kind role importance low high",
            "model": "what value low high base",
            "rules": "segment rank rule share precision base",
            "facts": "segment part rank text table variable category",
            "actions": "segment rank action score fits reason",
            "jobs": "segment job label kind importance satisfaction opportunity low high base "
            "hidden top",
            "words": "segment variable label rank word z log_odds share rest base hidden",
            "quotes": "segment variable label text",
            "names": "key name text segment feature value sd",
            "centroids": "segment feature value",
        }

    def test_inputs_are_left_as_they_were(self) -> None:
        survey, scales, segments = planted()
        before = [t.copy() for t in (survey.columns, scales.scores, segments.points)]
        profile_segments(survey, scales, segments)
        for old, new in zip(before, (survey.columns, scales.scores, segments.points), strict=True):
            pd.testing.assert_frame_equal(old, new)


class TestNumbers:
    def test_means_and_bases_are_those_of_a_plain_pandas_groupby(self) -> None:
        survey, scales, segments = planted()
        found = profile_segments(survey, scales, segments).means
        found = found[found["variable"] == "age"].set_index("segment")
        kept = segments.labels > 0
        grouped = survey.columns["age"][kept].groupby(segments.labels[kept])
        np.testing.assert_allclose(found["mean"], grouped.mean(), rtol=1e-12)
        np.testing.assert_allclose(found["sd"], grouped.std(), rtol=1e-12)
        np.testing.assert_array_equal(found["base"], grouped.count())
        age = survey.columns["age"][kept]
        np.testing.assert_allclose(found["total"], age.mean(), rtol=1e-12)
        np.testing.assert_allclose(found["z"], (grouped.mean() - age.mean()) / age.std())

    def test_shares_index_and_bases_are_those_of_a_plain_crosstab(self) -> None:
        survey, scales, segments = planted()
        found = profile_segments(survey, scales, segments).shares
        found = found[found["variable"] == "region"].set_index(["segment", "category"])
        kept = segments.labels > 0
        region, labels = survey.columns["region"][kept], segments.labels[kept]
        table = pd.crosstab(labels, region, normalize="index").stack()
        np.testing.assert_allclose(found["share"], table, rtol=1e-12)
        total = region.value_counts(normalize=True)["North"]
        assert found.loc[(2, "North"), "index"] == pytest.approx(
            100 * table[2, "North"] / total, rel=1e-12
        )
        rest = (region[labels != 2].dropna() == "North").mean()
        assert found.loc[(2, "North"), "effect"] == pytest.approx(
            2 * np.arcsin(table[2, "North"] ** 0.5) - 2 * np.arcsin(rest**0.5), rel=1e-10
        )
        assert found.loc[(2, "North"), "base"] == region[labels == 2].notna().sum()

    def test_what_was_planted_is_found_and_what_was_not_is_not(self) -> None:
        found = profile_segments(*planted(4000))
        age = found.means.set_index(["segment", "variable"]).loc[(1, "age")]
        # 12 years apart at 9 years of spread; at 4,000 people d has a standard error of about .035.
        assert age["effect"] == pytest.approx(-12 / 9, abs=0.14)
        tests = found.tests.set_index("variable")
        assert tests.loc["age", "p"] < 1e-50
        assert tests.loc[["gender", "region"], "p_adjusted"].min() > 0.05
        assert tests.loc["gender", "strength"] < 0.05
        drivers = found.drivers
        first = drivers[drivers["rank"] == 1].set_index("segment")
        assert (first.loc[1, "variable"], first.loc[3, "category"]) == ("thrift", "Premium")
        assert not drivers["variable"].isin(["gender", "region"]).any()

    def test_what_made_the_segments_has_a_strength_and_no_p(self) -> None:
        tests = profile_segments(*planted()).tests.set_index("variable")
        made = tests["role"] != "profile"
        assert list(tests.index[made]) == ["thrift", "humour", "plan"]
        assert tests.loc[made, ["p", "p_adjusted"]].isna().all(axis=None)
        assert tests.loc[~made, ["p", "p_adjusted"]].notna().all(axis=None)
        assert tests["strength"].between(0, 1).all()
        np.testing.assert_allclose(
            tests.loc[~made, "p_adjusted"], stats.false_discovery_control(tests.loc[~made, "p"])
        )

    def test_pure_noise_is_not_called_significant_for_the_scales_it_was_cut_on(self) -> None:
        rng = np.random.default_rng(5)
        scores = pd.DataFrame({"noise": rng.normal(size=300)})
        labels = np.where(scores["noise"] > 0, 1, 2)
        segments = make_segments(labels, scores.to_numpy(), np.ones(300), {"noise": "scale"})
        columns = pd.DataFrame({"age": rng.normal(size=300)})
        found = profile_segments(make_survey(columns, np.ones(300)), make_scales(scores), segments)
        tests = found.tests.set_index("variable")
        assert np.isnan(tests.loc["noise", "p"])
        assert tests.loc["age", "p"] > 0.01


class TestWeights:
    def test_integer_frequency_weights_give_the_profile_of_repeated_rows(self) -> None:
        weights = np.random.default_rng(6).integers(1, 5, 400).astype(float)
        survey, scales, segments = planted(400, weights=weights, kind="frequency")
        rows = np.repeat(np.arange(400), weights.astype(int))
        repeated = take(
            replace(survey, weight_kind="none"), scales, segments, rows, np.ones(len(rows))
        )
        # Rows are counted as they stand in the file, also in the portrait; everything else counts
        # people. The model holds out rows, of which there are more.
        assert_same(
            profile_segments(survey, scales, segments),
            profile_segments(*repeated),
            leave=("base", "n", "typical_row", "portrait"),
            leave_tables=("facts", "importance", "model"),
        )

    def test_rescaled_sampling_weights_change_only_the_weighted_bases(self) -> None:
        weights = np.random.default_rng(7).uniform(0.3, 3, 400)
        first = planted(400, weights=weights, kind="sampling")
        second = take(*first, np.arange(400), weights * 0.013)
        leave = ("base_weighted", "weighted")
        assert_same(profile_segments(*first), profile_segments(*second), leave=leave)

    def test_sampling_weights_move_means_shares_and_sizes(self) -> None:
        survey, scales, segments = planted(400)
        weights = np.where(survey.columns["gender"] == "Male", 3.0, 1.0)
        plain = profile_segments(survey, scales, segments)
        heavy = profile_segments(
            replace(survey, weights=weights, weight_kind="sampling"), scales, segments
        )
        male = plain.shares["category"] == "Male"
        p = plain.shares.loc[male, "share"]
        np.testing.assert_allclose(heavy.shares.loc[male, "share"], 3 * p / (3 * p + 1 - p))
        assert (heavy.shares["base_effective"] < heavy.shares["base"]).all()
        assert heavy.personas["share"].sum() == pytest.approx(1)


class TestOrder:
    @pytest.mark.parametrize("seed", range(5))
    def test_shuffled_rows_change_nothing_but_where_the_typical_respondent_stands(
        self, seed: int
    ) -> None:
        weights = np.random.default_rng(8).choice([0.5, 1.0, 1.7], 500)
        made = planted(500, weights=weights, kind="sampling")
        order = np.random.default_rng(seed).permutation(500)
        shuffled = take(*made, order, weights[order])
        first, second = profile_segments(*made), profile_segments(*shuffled)
        for name in TABLES:
            one, two = (_without(getattr(p, name), "typical_row") for p in (first, second))
            # Not a last bit differs: sums run in an order given by the answers.
            pd.testing.assert_frame_equal(one, two, check_exact=True)
        rows = second.personas["typical_row"]
        np.testing.assert_array_equal(order[rows], first.personas["typical_row"])

    def test_shuffled_columns_change_nothing_but_their_order(self) -> None:
        survey, scales, segments = planted(500)
        turned = replace(survey, columns=survey.columns[["region", "gender", "age", "plan"]])
        backward = make_scales(scales.scores[["humour", "thrift"]])
        first = profile_segments(survey, scales, segments)
        second = profile_segments(turned, backward, segments)
        pd.testing.assert_frame_equal(first.drivers, second.drivers, check_exact=True)
        pd.testing.assert_frame_equal(first.personas, second.personas, check_exact=True)

    def test_which_of_several_respondents_at_the_medoid_is_shown_hangs_on_answers_alone(
        self,
    ) -> None:
        # Everybody stands at one point; only ids given by row number tell them apart.
        n = 60
        rng = np.random.default_rng(9)
        columns = pd.DataFrame(
            {
                "age": rng.integers(20, 60, n).astype(float),
                "city": pd.Categorical(rng.choice(["A", "B", "C"], n)),
            }
        )
        scores = pd.DataFrame({"thrift": np.full(n, 3.0)})
        labels = np.ones(n, dtype=int)
        shown = set()
        for seed in range(20):
            order = np.random.default_rng(seed).permutation(n)
            found = profile_segments(
                make_survey(columns.iloc[order].reset_index(drop=True), np.ones(n)),
                make_scales(scores),
                make_segments(labels, scores.to_numpy(), np.ones(n), {"thrift": "scale"}),
            )
            shown.add(tuple(found.typical["value"]))
        assert len(shown) == 1


class TestTypicalRespondent:
    def test_the_typical_respondent_is_the_weighted_medoid(self) -> None:
        # On a line at 0, 1, 2 and 10: unweighted the medoid is 1 (ties broken by index), but three
        # of four people stand at 10 once the last one counts for nine.
        x = np.array([[0.0], [1], [2], [10], [50], [51]])
        labels = np.array([1, 1, 1, 1, 2, 2])
        columns = pd.DataFrame({"age": [20.0, 30, 40, 50, 60, 70]})
        scales = make_scales(pd.DataFrame({"thrift": x[:, 0]}))

        def row(weights: np.ndarray) -> int:
            segments = make_segments(labels, x, weights, {"thrift": "scale"})
            survey = make_survey(columns, weights, "sampling")
            return int(profile_segments(survey, scales, segments).personas.loc[0, "typical_row"])

        assert row(np.array([1.0, 1, 1, 0.5, 1, 1])) == 1
        assert row(np.array([1.0, 1, 1, 9, 1, 1])) == 3

    def test_ties_go_to_the_heavier_point_and_then_to_the_first(self) -> None:
        x = np.array([[0.0], [1], [0], [5], [6]])
        columns = pd.DataFrame({"age": [20.0, 30, 40, 50, 60]})
        labels = np.array([1, 1, 1, 2, 2])
        weights = np.ones(5)
        scales = make_scales(pd.DataFrame({"thrift": x[:, 0]}))
        segments = make_segments(labels, x, weights, {"thrift": "scale"})
        found = profile_segments(make_survey(columns, weights), scales, segments)
        typical = found.typical.set_index(["segment", "variable"])["value"]
        assert typical[1, "thrift"] == "0.00"
        assert typical[2, "thrift"] == "5.00"

    def test_an_odd_medoid_gives_way_to_one_of_the_twentieth_around_it(self) -> None:
        # 101 people on a line: the medoid, in the middle, is 90 years old and everybody else 40.
        x = np.linspace(0, 5, 101)
        columns = pd.DataFrame({"age": np.where(np.arange(101) == 50, 90.0, 40.0)})
        scores = pd.DataFrame({"thrift": x})
        segments = make_segments(
            np.ones(101, dtype=int), scores.to_numpy(), np.ones(101), {"thrift": "scale"}
        )
        found = profile_segments(make_survey(columns, np.ones(101)), make_scales(scores), segments)
        row = found.personas.loc[0, "typical_row"]
        assert columns.loc[row, "age"] == 40
        assert row in {48, 49, 51, 52}

    def test_among_those_at_the_medoid_the_one_nearest_in_demographics_is_typical(self) -> None:
        age = np.array([20.0, 41, 70, 39, np.nan])
        city = pd.Categorical(["Big", "Big", "Big", "Small", "Big"])
        columns = pd.DataFrame({"age": age, "city": city})
        scores = pd.DataFrame({"thrift": np.full(5, 3.25)})
        segments = make_segments(
            np.ones(5, dtype=int), scores.to_numpy(), np.ones(5), {"thrift": "scale"}
        )
        found = profile_segments(make_survey(columns, np.ones(5)), make_scales(scores), segments)
        assert found.personas.loc[0, "typical_row"] == 1
        # Shown are the median and the most frequent answer of all who stand there.
        assert list(found.typical["value"]) == ["3.25", "39", "Big"]

    def test_numbers_are_shown_with_two_decimals_at_most(self) -> None:
        columns = pd.DataFrame(
            {
                "age": [34.0],
                "spend": [12.345],
                "income": [40651.51],
                "rate": [0.123],
                "year": [1984.0],
            }
        )
        scores = pd.DataFrame({"thrift": [3.6667]})
        one = np.ones(1)
        segments = make_segments(one.astype(int), scores.to_numpy(), one, {"thrift": "scale"})
        found = profile_segments(make_survey(columns, one), make_scales(scores), segments)
        assert list(found.typical["value"]) == ["3.67", "34", "12.3", "40,652", "0.12", "1984"]

    def test_an_answer_that_nobody_gave_is_shown_as_none(self) -> None:
        survey, scales, segments = planted()
        columns = survey.columns.assign(age=np.nan)
        found = profile_segments(replace(survey, columns=columns), scales, segments)
        age = found.typical[found.typical["variable"] == "age"]
        assert set(age["value"]) == {""}
        assert age["base"].isna().all()


class TestDrivers:
    def test_drivers_are_ranked_by_effect_and_hold_a_scale(self) -> None:
        drivers = profile_segments(*planted()).drivers
        for _, own in drivers.groupby("segment"):
            assert list(own["rank"]) == list(range(1, len(own) + 1))
            assert len(own) <= MAX_DRIVERS
            assert "scale" in set(own["kind"])
            assert own["effect"].abs().is_monotonic_decreasing

    def test_the_strongest_scale_stands_even_where_it_is_negligible(self) -> None:
        rng = np.random.default_rng(10)
        n = 400
        labels = np.repeat([1, 2], n // 2)
        columns = pd.DataFrame(
            {f"c{i}": rng.normal(labels * (i + 1), 1) for i in range(MAX_DRIVERS + 2)}
        )
        scores = pd.DataFrame({"thrift": np.tile([2.0, 4.0], n // 2)})
        segments = make_segments(labels, scores.to_numpy(), np.ones(n), {"thrift": "scale"})
        drivers = profile_segments(
            make_survey(columns, np.ones(n)), make_scales(scores), segments
        ).drivers
        own = drivers[drivers["segment"] == 1]
        assert len(own) == MAX_DRIVERS
        assert list(own.iloc[-1][["kind", "size"]]) == ["scale", "negligible"]
        assert own.iloc[-1]["text"] == "Average thrift: 3.00 against 3.00 overall"

    def test_a_category_of_fewer_than_five_people_is_no_driver(self) -> None:
        labels = np.repeat([1, 2], [20, 80])
        scores = pd.DataFrame({"thrift": np.tile([2.0, 3.0], 50)})
        segments = make_segments(labels, scores.to_numpy(), np.ones(100), {"thrift": "scale"})

        def categories(times: int) -> list[str]:
            pet = np.array(["Cat", "Dog"] * 50, dtype=object)
            pet[:times] = "Llama"
            columns = pd.DataFrame({"pet": pd.Categorical(pet)})
            survey = make_survey(columns, np.ones(100))
            found = profile_segments(survey, make_scales(scores), segments)
            own = found.drivers[found.drivers["segment"] == 1]
            return list(own.loc[own["kind"] == "category", "category"])

        assert "Llama" not in categories(4)
        assert "Llama" in categories(5)

    def test_of_two_categories_only_the_one_there_is_more_of_is_told(self) -> None:
        labels = np.repeat([1, 2], 100)
        gender = np.where(np.arange(200) % 100 < np.where(labels == 1, 80, 30), "Male", "Female")
        # A third category that nobody chose makes no difference.
        columns = pd.DataFrame({"gender": pd.Categorical(gender, ["Male", "Female", "Other"])})
        scores = pd.DataFrame({"thrift": np.tile([2.0, 3.0], 100)})
        segments = make_segments(labels, scores.to_numpy(), np.ones(200), {"thrift": "scale"})
        found = profile_segments(make_survey(columns, np.ones(200)), make_scales(scores), segments)
        told = found.drivers[found.drivers["kind"] == "category"]
        assert list(told["category"]) == ["Male", "Female"]
        assert list(told["text"]) == [
            "More 'Male' (Gender): 80% against 55% overall",
            "More 'Female' (Gender): 70% against 45% overall",
        ]

    def test_one_variable_gives_two_categories_at_most(self) -> None:
        labels = np.repeat([1, 2], 100)
        city = np.where(labels == 1, np.arange(200) % 4, 4 + np.arange(200) % 4).astype(str)
        columns = pd.DataFrame({"city": pd.Categorical(city)})
        scores = pd.DataFrame({"thrift": np.tile([2.0, 3.0], 100)})
        segments = make_segments(labels, scores.to_numpy(), np.ones(200), {"thrift": "scale"})
        found = profile_segments(make_survey(columns, np.ones(200)), make_scales(scores), segments)
        told = found.drivers[found.drivers["kind"] == "category"].groupby("segment").size()
        assert list(told) == [MAX_CATEGORIES_PER_VARIABLE] * 2

    def test_a_scale_and_a_column_of_one_name_stay_apart(self) -> None:
        survey, scales, segments = planted()
        columns = survey.columns.rename(columns={"age": "thrift"})
        book = {**survey.codebook, "thrift": replace(survey.codebook["age"], name="thrift")}
        found = profile_segments(replace(survey, columns=columns, codebook=book), scales, segments)
        own = found.means[found.means["variable"] == "thrift"].groupby("role")["total"].first()
        assert own["profile"] > 20 > own["scale"]
        # Three answers, however extreme, drive nothing: the scale's many answers are not theirs.
        second = np.flatnonzero(segments.labels == 2)
        columns = columns.copy()
        columns.loc[second, "thrift"] = np.nan
        columns.loc[second[:3], "thrift"] = 500
        found = profile_segments(replace(survey, columns=columns, codebook=book), scales, segments)
        own = found.drivers[found.drivers["segment"] == 2]
        assert "numeric" not in set(own["kind"])


class TestNames:
    def test_names_come_from_what_was_planted(self) -> None:
        personas = profile_segments(*planted()).personas
        assert personas.loc[0, "name"] in ("High thrift, younger", "Younger, high thrift")
        assert personas.loc[2, "name"].startswith("Mostly Premium (plan)")
        assert personas["name"].is_unique

    def test_names_of_the_study_replace_suggestions_and_unknown_ones_warn(self) -> None:
        settings = SegmentsSettings(names={"2": "Urban achievers", "8": "Nobody"})
        with pytest.warns(PsychosegWarning, match="'8'"):
            personas = profile_segments(*planted(), settings).personas
        assert personas.loc[1, "name"] == "Urban achievers"
        assert personas.loc[1, "suggested"] != "Urban achievers"
        assert list(personas["name"] == personas["suggested"]) == [True, False, True]


class TestEdges:
    def test_one_segment_is_everyone_without_effect_or_driver(self) -> None:
        survey, scales, segments = planted()
        labels = (segments.labels > 0).astype(int)
        one = make_segments(labels, scales.scores.to_numpy(), survey.weights, {"thrift": "scale"})
        found = profile_segments(survey, scales, one)
        assert list(found.personas["name"]) == ["Everyone"]
        assert found.drivers.empty
        assert list(found.drivers.columns[:2]) == ["segment", "rank"]
        assert found.means["effect"].isna().all()
        assert found.tests[["strength", "p"]].isna().all(axis=None)
        np.testing.assert_allclose(found.means["mean"], found.means["total"])

    def test_a_segment_of_one_has_means_without_intervals(self) -> None:
        survey, scales, segments = planted()
        labels = segments.labels.copy()
        labels[0] = 4
        four = make_segments(labels, scales.scores.to_numpy(), survey.weights, {"thrift": "scale"})
        found = profile_segments(survey, scales, four)
        own = found.means[found.means["segment"] == 4]
        assert own["mean"].notna().any()
        assert own[["low", "high", "sd"]].isna().all(axis=None)
        assert found.personas.loc[3, "typical_row"] == 0
        # One person says nothing of a column: only scales drive.
        assert set(found.drivers.loc[found.drivers["segment"] == 4, "kind"]) <= {"scale"}

    def test_a_category_that_nobody_of_a_segment_chose_has_share_zero_and_an_interval(self) -> None:
        found = profile_segments(*planted()).shares.set_index(["segment", "category"])
        trial = found.loc[(3, "Trial")]
        assert (trial["share"], trial["index"], trial["low"]) == (0, 0, 0)
        assert 0 < trial["high"] < 0.1
        assert trial["effect"] < -0.5

    def test_a_category_that_nobody_at_all_chose_has_no_index(self) -> None:
        found = profile_segments(*planted()).shares.set_index(["segment", "category"])
        family = found.loc[(1, "Family")]
        assert (family["share"], family["effect"]) == (0, 0)
        assert np.isnan(family["index"])

    def test_a_column_all_missing_within_a_segment_leaves_base_zero_and_no_driver(self) -> None:
        survey, scales, segments = planted()
        columns = survey.columns.copy()
        columns.loc[segments.labels == 2, ["age", "region"]] = None
        found = profile_segments(replace(survey, columns=columns), scales, segments)
        age = found.means.set_index(["segment", "variable"]).loc[(2, "age")]
        assert age["base"] == 0
        assert age[["mean", "low", "high", "effect", "z", "base_effective"]].isna().sum() == 5
        region = found.shares.query("segment == 2 and variable == 'region'")
        assert (region["base"] == 0).all()
        assert region[["share", "low", "high", "effect"]].isna().all(axis=None)
        own = found.drivers[found.drivers["segment"] == 2]
        assert not own["variable"].isin(["age", "region"]).any()
        # The other two segments are still compared.
        assert found.tests.set_index("variable").loc["age", "p"] < 1e-6

    def test_excluded_respondents_take_no_part(self) -> None:
        survey, scales, segments = planted()
        columns = survey.columns.copy()
        columns.loc[segments.labels == 0, "age"] = 1e6
        changed = profile_segments(replace(survey, columns=columns), scales, segments)
        assert_same(changed, profile_segments(survey, scales, segments))

    def test_without_scales_columns_alone_are_described(self) -> None:
        survey, _, segments = planted()
        found = profile_segments(survey, None, segments)
        assert set(found.means["variable"]) == {"age"}
        assert len(found.personas) == 3


class TestDataFrame:
    def test_a_frame_of_columns_is_described_as_the_survey_is(self) -> None:
        survey, scales, segments = planted()
        # In another order: who is who is told by the index.
        frame = survey.columns.astype({"gender": object}).sample(frac=1, random_state=3)
        found = profile_segments(frame, scales, segments)
        expected = profile_segments(survey, scales, segments)
        key = ["segment", "variable", "category"]
        one, two = (
            # The frame drops a category that nobody chose.
            p.shares[p.shares["category"] != "Family"].sort_values(key, ignore_index=True)
            for p in (found, expected)
        )
        pd.testing.assert_frame_equal(_without(one, "label"), _without(two, "label"), rtol=1e-12)
        # Known by the features, not by a codebook.
        assert found.tests.set_index("variable").loc["plan", "role"] == "active"

    def test_a_frame_with_another_index_is_refused(self) -> None:
        survey, scales, segments = planted()
        named = survey.columns.set_axis([f"person {i}" for i in range(survey.n)], axis=0)
        with pytest.raises(DataError, match=r"600 rows of the survey \(such as 'person 0'\)"):
            profile_segments(named, scales, segments)

    def test_numbers_logicals_and_text_are_taken_for_what_they_are(self) -> None:
        survey, scales, segments = planted()
        frame = pd.DataFrame(
            {"kids": np.arange(survey.n) % 3, "owner": np.arange(survey.n) % 2 == 0, "city": "Oslo"}
        )
        found = profile_segments(frame, scales, segments)
        kinds = found.tests.set_index("variable")["kind"]
        assert dict(kinds[["kids", "owner", "city"]]) == {
            "kids": "numeric",
            "owner": "categorical",
            "city": "categorical",
        }

    def test_weighted_segments_refuse_a_frame_that_has_no_weights(self) -> None:
        weights = np.random.default_rng(11).uniform(0.5, 2, 600)
        survey, scales, segments = planted(weights=weights, kind="sampling")
        with pytest.raises(DataError, match="made with weights"):
            profile_segments(survey.columns, scales, segments)

    def test_a_frame_with_a_column_twice_is_refused(self) -> None:
        survey, scales, segments = planted()
        frame = pd.concat([survey.columns, survey.columns[["age"]]], axis=1)
        with pytest.raises(DataError, match="repeats the columns 'age'"):
            profile_segments(frame, scales, segments)

    def test_other_rows_than_those_segmented_are_refused(self) -> None:
        survey, scales, segments = planted()
        with pytest.raises(DataError, match="survey 599, segments 600, scales 600"):
            profile_segments(survey.columns.iloc[1:], scales, segments)


def test_the_segment_of_those_who_fit_none_is_called_unassigned() -> None:
    survey, scales, segments = planted(400)
    last = segments.k
    found = profile_segments(survey, scales, replace(segments, unassigned=last)).personas
    plain = profile_segments(survey, scales, segments).personas
    assert list(found["name"])[-1] == list(found["suggested"])[-1] == "Unassigned"
    assert list(found["name"])[:-1] == list(plain["name"])[:-1]
