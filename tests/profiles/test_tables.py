"""Means, shares and tests, worked by hand and held against the statistics cell by cell."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from psychoseg.profiles import Profiles, fit, profile_segments
from psychoseg.profiles.sample import Sample
from psychoseg.scales import Scales
from psychoseg.segments import Segments
from psychoseg.segments.cuts import cut_labels, cut_numbers, cut_table
from psychoseg.segments.methods import by_size
from psychoseg.stats import inference
from psychoseg.stats.groups import group_means, sum_groups
from psychoseg.stats.inference import (
    cohens_h,
    count_base,
    cramers_v,
    estimate_mean,
    estimate_share,
    standardised_difference,
    weighted_sd,
)
from psychoseg.stats.letters import column_letters, pairwise_p
from psychoseg.stats.linkage import cut_tree, ward_linkage
from psychoseg.study_report import ProfilesSettings
from psychoseg.survey.table import Survey, Variable
from tests.test_profiles import make_scales, make_segments, make_survey, planted, take

ALL = ProfilesSettings(min_base=1)


@pytest.fixture(autouse=True)
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the model of importance, which takes longer than all tables."""
    empty = pd.DataFrame()
    monkeypatch.setattr(fit, "fit_importance", lambda *_, **__: (empty, empty, empty))


Study = tuple[Survey, Scales, Segments]


def one_scale(
    columns: pd.DataFrame, labels: np.ndarray, weights: np.ndarray | None = None
) -> Study:
    """Return people with columns, segments and a scale that says nothing."""
    n = len(labels)
    w = np.ones(n) if weights is None else weights
    scores = pd.DataFrame({"thrift": np.tile([2.0, 3.0], n)[:n]})
    kind = "none" if weights is None else "sampling"
    segments = make_segments(labels, scores.to_numpy(), w, {"thrift": "scale"})
    return make_survey(columns, w, kind), make_scales(scores), segments


def with_set(study: Study, answers: pd.DataFrame, name: str = "devices") -> Study:
    """Return the study with the options of a multiple-response set."""
    survey, scales, segments = study
    book = {
        column: Variable(
            column,
            column.upper(),
            "profile",
            "choice",
            question="Which of these do you own?",
            block=name,
        )
        for column in answers
    }
    columns = survey.columns.join(answers)
    return (
        replace(survey, columns=columns, codebook={**survey.codebook, **book}),
        scales,
        segments,
    )


def weighted_study(kind: str, n: int = 400) -> Study:
    rng = np.random.default_rng(12)
    weights = {
        "none": np.ones(n),
        "sampling": rng.uniform(0.2, 4, n),
        "frequency": rng.integers(1, 5, n).astype(float),
    }[kind]
    made = planted(n, weights=weights, kind=kind)
    chosen = pd.DataFrame(rng.integers(0, 2, (n, 3)).astype(float), columns=["tv", "pc", "car"])
    chosen.loc[rng.random(n) < 0.2, :] = np.nan
    return with_set(made, chosen)


def row(table: pd.DataFrame, segment: int, variable: str, category: str = "") -> pd.Series:
    found = table[(table["segment"] == segment) & (table["variable"] == variable)]
    if category:
        found = found[found["category"] == category]
    assert len(found) == 1
    return found.iloc[0]


class TestHandWorked:
    def test_means(self) -> None:
        labels = np.array([1, 1, 1, 2, 2, 2, 2, 2])
        columns = pd.DataFrame({"spend": np.arange(1.0, 9), "pence": 100 * np.arange(1.0, 9)})
        found = profile_segments(*one_scale(columns, labels), options=ALL)
        first = row(found.means, 1, "spend")
        # 1, 2, 3 against 4, ..., 8: the means are 2 and 6, of all 4.5.
        assert first[["mean", "total", "rest", "difference"]].tolist() == [2, 4.5, 6, -4]
        assert row(found.means, 1, "pence")["index"] == pytest.approx(100 * 2 / 4.5)
        # Squares about the means: 2 and 10; pooled over 8 - 2 people 2; d = -4 / sqrt(2).
        assert first["effect"] == pytest.approx(-4 / np.sqrt(2))
        # Of all about 4.5: 42, over 7 people 6.
        assert first["z"] == pytest.approx((2 - 4.5) / np.sqrt(6))
        assert first["sd"] == pytest.approx(1)
        # Linearised: 8/7 * 2 / 3**2 and 8/7 * 10 / 5**2.
        own, rest = 8 / 7 * 2 / 9, 8 / 7 * 10 / 25
        assert first["se"] == pytest.approx(np.sqrt(own))
        half = stats.t.ppf(0.975, 2) * np.sqrt(own)
        assert first[["low", "high"]].tolist() == pytest.approx([2 - half, 2 + half])
        half = stats.t.ppf(0.975, 6) * np.sqrt(own + rest)
        ends = first[["difference_low", "difference_high"]].tolist()
        assert ends == pytest.approx([-4 - half, -4 + half])
        # Lebart: 2.5 below, over sqrt(42/8) * sqrt((8 - 3) / 7 / 3).
        assert first["v_test"] == pytest.approx(-2.5 / np.sqrt(42 / 8 * 5 / 7 / 3))
        assert first[["base", "base_weighted", "base_effective"]].tolist() == [3, 3, 3]
        second = row(found.means, 2, "spend")
        assert second["letters"] == "a"
        assert first["letters"] == ""

    def test_shares(self) -> None:
        labels = np.repeat([1, 2], [40, 60])
        # 30 of 40 and 15 of 60.
        gender = np.repeat(["Male", "Female", "Male", "Female"], [30, 10, 15, 45])
        columns = pd.DataFrame({"gender": pd.Categorical(gender, ["Male", "Female"])})
        found = profile_segments(*one_scale(columns, labels), options=ALL)
        male = row(found.shares, 1, "gender", "Male")
        assert male[["share", "total", "rest", "difference"]].tolist() == [0.75, 0.45, 0.25, 0.5]
        assert male["index"] == pytest.approx(100 * 0.75 / 0.45)
        # asin(sqrt(.75)) is 60 degrees, asin(sqrt(.25)) 30 degrees.
        assert male["effect"] == pytest.approx(np.pi / 3)
        # Two by two: (30 * 45 - 10 * 15) / sqrt(40 * 60 * 45 * 55).
        assert male["association"] == pytest.approx(1200 / np.sqrt(40 * 60 * 45 * 55))
        own, rest = 100 / 99 * 0.75 * 0.25 / 40, 100 / 99 * 0.25 * 0.75 / 60
        assert male["se"] == pytest.approx(np.sqrt(own))
        half = stats.t.ppf(0.975, 98) * np.sqrt(own + rest)
        assert male["difference_high"] == pytest.approx(0.5 + half)
        # p of the difference is 1e-6: a capital.
        assert male["letters"] == "B"
        assert row(found.shares, 2, "gender", "Female")["letters"] == "A"
        assert row(found.shares, 2, "gender", "Male")["letters"] == ""
        # Hypergeometric mid-p of 30 of 40 when 45 of 100 are male, as a normal deviate.
        draw = stats.hypergeom(100, 45, 40)
        mid = draw.sf(30) + draw.pmf(30) / 2
        assert male["v_test"] == pytest.approx(stats.norm.isf(mid))

    def test_a_test_of_each_profile_column(self) -> None:
        labels = np.repeat([1, 2], [40, 60])
        gender = np.repeat(["Male", "Female", "Male", "Female"], [30, 10, 15, 45])
        columns = pd.DataFrame(
            {
                "gender": pd.Categorical(gender, ["Male", "Female"]),
                "spend": np.concatenate([np.arange(40), np.arange(60)]).astype(float),
            }
        )
        tests = profile_segments(*one_scale(columns, labels), options=ALL).tests
        tests = tests.set_index("variable")
        # 1200**2 / (40 * 60 * 45 * 55) * 100, on one degree of freedom.
        assert tests.loc["gender", "statistic"] == pytest.approx(1200**2 / 59400)
        assert tests.loc["gender", ["test", "df1"]].tolist() == ["chi-square", 1]
        assert np.isnan(tests.loc["gender", "df2"])
        # Means 19.5 and 29.5; variances 40 * 39 * 41 / 12 and so on, linearised.
        v = [100 / 99 * n * (n**2 - 1) / 12 / n**2 for n in (40, 60)]
        assert tests.loc["spend", "statistic"] == pytest.approx(10**2 / sum(v))
        assert tests.loc["spend", ["test", "df1", "df2"]].tolist() == ["Wald F", 1, 98]
        assert tests.loc["thrift", "test"] == ""
        assert tests.loc["thrift", ["statistic", "df1", "df2", "p"]].isna().all()

    def test_a_multiple_response_set_is_one_table_of_those_who_were_asked(self) -> None:
        labels = np.repeat([1, 2], [40, 60])
        answers = pd.DataFrame({"tv": np.ones(100), "pc": np.tile([1.0, 0], 50)})
        # Ten of the first segment were not asked; of the second, 15 have no TV.
        answers.loc[:9] = np.nan
        answers.loc[85:, "tv"] = 0
        study = with_set(one_scale(pd.DataFrame({"age": np.arange(100.0)}), labels), answers)
        found = profile_segments(*study, options=ALL)
        own = found.shares
        assert set(own["variable"]) == {"devices"}
        assert set(own["label"]) == {"Which of these do you own?"}
        assert set(own["kind"]) == {"choice"}
        assert list(own["category"]) == ["TV", "PC"] * 2
        assert row(own, 1, "devices", "TV")[["share", "base"]].tolist() == [1, 30]
        assert row(own, 2, "devices", "TV")[["share", "base"]].tolist() == [0.75, 60]
        # Options need not sum to one.
        assert row(own, 1, "devices", "PC")["share"] == 0.5
        tests = found.tests.set_index("variable").loc[["tv", "pc"]]
        assert list(tests["label"]) == ["TV", "PC"]
        assert list(tests["kind"]) == ["choice"] * 2
        assert list(tests["base"]) == [90, 90]


@pytest.mark.parametrize("kind", ["none", "sampling", "frequency"])
class TestAgainstTheStatistics:
    """Every cell is what the plain function of ``stats.inference`` gives for it alone."""

    def test_means(self, kind: str) -> None:
        study = weighted_study(kind)
        found = profile_segments(*study, options=ALL).means
        sample = Sample.of(*study)
        w, counts = sample.weights, sample.counts
        everyone = np.ones(len(w), dtype=bool)
        assert len(found) == 9
        for r in found.to_dict("records"):
            v = sample.variable(r["variable"], r["role"])
            x, inside = v.values, sample.labels == r["segment"]
            here, rest = (estimate_mean(x, use, w, counts=counts) for use in (inside, ~inside))
            total = estimate_mean(x, everyone, w, counts=counts)
            sd = weighted_sd(x, w, counts=counts)
            base = count_base(w[inside & v.known], counts=counts)
            expected = {
                "mean": here.value,
                "low": here.low,
                "high": here.high,
                "se": here.se,
                "sd": weighted_sd(x[inside], w[inside], counts=counts),
                "base": base.rows,
                "base_weighted": base.weighted,
                "base_effective": base.effective,
                "total": total.value,
                "rest": rest.value,
                "difference": here.value - rest.value,
                "effect": standardised_difference(x, inside, w, counts=counts),
                "z": (here.value - total.value) / sd,
                # Ages have a true zero; a score on an answer scale has none.
                "index": np.nan if v.kind == "scale" else 100 * here.value / total.value,
            }
            # The same sums in another order.
            found_here = {name: r[name] for name in expected}
            assert found_here == pytest.approx(expected, rel=1e-9, nan_ok=True)

    def test_shares(self, kind: str) -> None:
        study = weighted_study(kind)
        found = profile_segments(*study, options=ALL).shares
        sample = Sample.of(*study)
        w, counts = sample.weights, sample.counts
        everyone = np.ones(len(w), dtype=bool)
        assert set(found["kind"]) == {"categorical", "choice"}
        for r in found.to_dict("records"):
            x = sample.chosen(
                kind=r["kind"], variable=r["variable"], role=r["role"], category=r["category"]
            )
            inside = sample.labels == r["segment"]
            here, rest = (estimate_share(x, use, w, counts=counts) for use in (inside, ~inside))
            total = estimate_share(x, everyone, w, counts=counts).value
            base = count_base(w[inside & ~np.isnan(x)], counts=counts)
            codes = np.where(np.isnan(x), -1, x).astype(int)
            expected = {
                "share": here.value,
                "low": here.low,
                "high": here.high,
                "se": here.se,
                "base": base.rows,
                "base_weighted": base.weighted,
                "base_effective": base.effective,
                "total": total,
                "rest": rest.value,
                "difference": here.value - rest.value,
                "effect": cohens_h(here.value, rest.value),
                "index": 100 * here.value / total if total > 0 else np.nan,
                "association": cramers_v(codes, inside.astype(int), w),
            }
            assert {name: r[name] for name in expected} == pytest.approx(
                expected, rel=1e-9, abs=1e-12, nan_ok=True
            )

    def test_tests(self, kind: str) -> None:
        study = weighted_study(kind)
        found = profile_segments(*study, options=ALL).tests
        sample = Sample.of(*study)
        w, counts = sample.weights, sample.counts
        for r in found[found["role"] == "profile"].to_dict("records"):
            v = sample.variable(r["variable"], r["role"])
            if r["kind"] == "numeric":
                expected = inference.test_means(v.values, sample.labels, w, counts=counts)
            else:
                expected = inference.test_association(v.codes(), sample.labels, w, counts=counts)
            assert r["test"] == expected.name
            own = [r[name] for name in ("statistic", "df1", "df2", "p")]
            assert own == pytest.approx(
                [expected.statistic, expected.df1, expected.df2, expected.p], nan_ok=True
            )

    @pytest.mark.parametrize("correction", ["fdr", "bonferroni", "none"])
    def test_letters_are_corrected_within_a_variable(self, kind: str, correction: str) -> None:
        study = weighted_study(kind)
        options = ProfilesSettings(min_base=1, correction=correction)
        found = profile_segments(*study, options=options)
        sample = Sample.of(*study)
        for table, name in ((found.means, "mean"), (found.shares, "share")):
            for _, part in table.groupby(["variable", "role"]):
                lines = part.drop_duplicates("category") if name == "share" else part.iloc[:1]
                p, values = [], []
                for line in lines.to_dict("records"):
                    if name == "mean":
                        x = sample.variable(line["variable"], line["role"]).values
                        own = part
                    else:
                        x = sample.chosen(
                            kind=line["kind"],
                            variable=line["variable"],
                            role=line["role"],
                            category=line["category"],
                        )
                        own = part[part["category"] == line["category"]]
                    values.append(own.sort_values("segment")[name].to_numpy())
                    p.append(pairs(x, sample))
                expected = column_letters(np.array(values), np.array(p), correction=correction)
                shown = part.sort_values("segment", kind="stable")["letters"].to_numpy()
                shown = shown.reshape(-1, len(lines)).T.tolist()
                assert shown == expected


def pairs(x: np.ndarray, sample: Sample) -> np.ndarray:
    sums = sum_groups(
        x, sample.labels - 1, sample.weights, n_groups=len(sample.segments), counts=sample.counts
    )
    return pairwise_p(group_means(sums))


class TestIndex:
    def test_a_mean_that_could_be_negative_has_no_index(self) -> None:
        labels = np.repeat([1, 2], 50)
        columns = pd.DataFrame({"spend": np.arange(100.0), "gain": np.arange(-1.0, 99)})
        found = profile_segments(*one_scale(columns, labels)).means.set_index("variable")
        assert found.loc["gain", "index"].isna().all()
        assert found.loc["spend", "index"].notna().all()

    def test_what_two_codings_of_one_question_would_give_two_of_is_not_given(self) -> None:
        rng = np.random.default_rng(4)
        labels = np.repeat([1, 2], 50)
        rating = rng.integers(1, 6, 100).astype(float)
        columns = pd.DataFrame({"one": rating, "zero": rating - 1, "spend": 10.5 * rating})
        found = profile_segments(*one_scale(columns, labels)).means.set_index("variable")
        assert found.loc[["one", "zero", "thrift"], "index"].isna().all()
        assert found.loc["spend", "index"].notna().all()
        z = found["z"].groupby(level=0).agg(list)
        assert z["one"] == pytest.approx(z["zero"], abs=1e-12)


class TestLettersScope:
    def test_many_variables_of_noise_have_fewer_letters_over_the_table(self) -> None:
        rng = np.random.default_rng(9)
        labels = np.repeat([1, 2, 3], 200)
        noise = {f"n{j}": rng.normal(50, 10, 600) for j in range(60)}
        cat = {f"c{j}": pd.Categorical(rng.choice(["a", "b"], 600)) for j in range(60)}
        study = one_scale(
            pd.DataFrame({**noise, **cat, "real": 50 + 9 * labels + noise["n0"]}), labels
        )
        found = {
            scope: profile_segments(*study, options=ProfilesSettings(letters_scope=scope))
            for scope in ("variable", "table")
        }
        lettered = {
            scope: set(p.means.loc[p.means["letters"] != "", "variable"])
            | set(p.shares.loc[p.shares["letters"] != "", "variable"])
            for scope, p in found.items()
        }
        assert lettered["table"] == {"real"}
        # One variable in twenty, by chance: what "within one variable" means.
        assert 2 <= len(lettered["variable"] - {"real"}) <= 15

    def test_only_the_false_discovery_rate_is_held_over_a_table(self) -> None:
        with pytest.raises(ValueError, match='goes with correction = "fdr"'):
            ProfilesSettings(letters_scope="table", correction="bonferroni")


FIGURES = [
    "low", "high", "se", "base", "base_weighted", "base_effective", "rest", "difference",
    "difference_low", "difference_high", "effect", "index", "v_test",
]  # fmt: skip


class TestHidden:
    def made(self, least: int) -> Profiles:
        """Nine of the second segment gave their age, ten their region."""
        rng = np.random.default_rng(3)
        labels = np.repeat([1, 2, 3], [100, 60, 80])
        region = rng.choice(["North", "South"], 240).astype(object)
        age = rng.normal(40, 5, 240) + 60 * (labels == 2)
        region[labels == 2] = [*["North"] * 10, *[None] * 50]
        age[np.flatnonzero(labels == 2)[9:]] = np.nan
        columns = pd.DataFrame({"age": age, "region": pd.Categorical(region)})
        return profile_segments(
            *one_scale(columns, labels), options=ProfilesSettings(min_base=least)
        )

    def test_a_figure_on_too_few_people_is_not_there_and_its_bases_neither(self) -> None:
        found = self.made(10)
        own = row(found.means, 2, "age")
        assert own["hidden"]
        assert own[["mean", "sd", "z", *FIGURES]].isna().all()
        assert own["letters"] == ""
        # All who answered are many.
        assert np.isfinite(own["total"])
        hidden = found.means["hidden"]
        # The smaller of the others too: all less the other would be the nine.
        assert found.means.loc[hidden, "segment"].tolist() == [2, 3]
        assert set(found.means.loc[hidden, "variable"]) == {"age"}
        # A scale has no index.
        shown = found.means[~hidden & (found.means["kind"] == "numeric")]
        assert shown[["mean", "sd", "z", *FIGURES]].notna().all(axis=None)

    def test_as_many_as_the_least_base_are_enough(self) -> None:
        assert not self.made(10).shares["hidden"].any()
        found = self.made(11).shares
        assert set(found.loc[found["hidden"], "segment"]) == {2, 3}
        assert found.loc[found["hidden"], ["share", "association", *FIGURES]].isna().all(axis=None)

    def test_by_default_ten_people_are_enough(self) -> None:
        labels = np.repeat([1, 2], [10, 90])
        study = one_scale(pd.DataFrame({"age": np.arange(100.0)}), labels)
        assert not profile_segments(*study).means["hidden"].any()
        columns = pd.DataFrame({"age": np.where(np.arange(100) == 0, np.nan, np.arange(100))})
        found = profile_segments(*one_scale(columns, labels)).means.query("variable == 'age'")
        # Ninety are many, but beside the figures of all they would give away the nine.
        assert list(found["hidden"]) == [True, True]

    def test_no_letter_and_no_driver_comes_of_a_hidden_figure(self) -> None:
        found = self.made(10)
        # Sixty years older than the others, by far the strongest of all, and not told.
        assert not found.drivers.query("variable == 'age' and segment == 2").size
        shown = self.made(1)
        assert shown.drivers.query("variable == 'age' and segment == 2").size
        # In the open table segment 2 is higher than both; here nobody has a letter for it.
        assert row(shown.means, 2, "age")["letters"] == "AC"
        ages = found.means.query("variable == 'age'")["letters"].str.upper()
        assert not ages.str.contains("B").any()

    def test_a_hidden_figure_takes_no_part_in_the_correction_of_the_others(self) -> None:
        labels = np.repeat([1, 2, 3, 4], [50, 9, 8, 50])
        # 50 against 50 people at a raw p of .03: a letter where it is the one comparison of the
        # row, none among six. Nine and eight together are too many to be subtracted to.
        spread = np.tile([-1.0, 1.0], 25)
        age = np.concatenate([spread + 0.44, np.linspace(0, 0.5, 17), spread])
        study = one_scale(pd.DataFrame({"age": age}), labels)
        letters = {}
        for least in (1, 10):
            options = ProfilesSettings(min_base=least, correction="bonferroni")
            found = profile_segments(*study, options=options).means
            letters[least] = row(found, 1, "age")["letters"]
        assert letters == {1: "", 10: "d"}

    def test_hidden_in_every_cut(self) -> None:
        found = self.made(10).by_k
        own = found.query("segment == 2 and variable == 'age'")
        assert own["hidden"].all()
        assert own[["value", "low", "base", "effect"]].isna().all(axis=None)

    def test_a_test_on_too_few_people_is_not_made(self) -> None:
        labels = np.repeat([1, 2], 50)
        age = np.full(100, np.nan)
        age[[*range(4), *range(50, 55)]] = np.arange(9)
        found = profile_segments(*one_scale(pd.DataFrame({"age": age}), labels)).tests
        own = found.set_index("variable").loc["age"]
        assert own[["strength", "statistic", "p", "p_adjusted", "base"]].isna().all()

    def test_weights_that_count_people_count_for_the_least_base(self) -> None:
        labels = np.repeat([1, 2], [5, 50])
        survey, scales, segments = one_scale(pd.DataFrame({"age": np.arange(55.0)}), labels)
        assert profile_segments(survey, scales, segments).means["hidden"].any()
        twice = replace(survey, weights=np.full(55, 2.0), weight_kind="frequency")
        assert not profile_segments(twice, scales, segments).means["hidden"].any()
        # Sampling weights do not: five people stay five.
        heavy = replace(survey, weights=np.full(55, 2.0), weight_kind="sampling")
        assert profile_segments(heavy, scales, segments).means["hidden"].any()


def cut(survey: Survey, scales: Scales, k: int) -> Segments:
    """Return Ward's segments of the scales with their tree."""
    x = scales.scores.to_numpy()
    segments = make_segments(np.ones(len(x), dtype=int), x, survey.weights, {})
    points = segments.points
    place = points[[c for c in points if c.startswith("comp_")]].to_numpy()
    weights = points["weight"].to_numpy()
    tree = ward_linkage(place, weights)
    labels = by_size(cut_tree(tree, k), weights) + 1
    return replace(
        segments,
        tree=tree,
        k=k,
        labels=pd.Series(labels[segments.point_of], index=segments.labels.index),
        points=points.assign(segment=labels),
        features=pd.DataFrame(
            {"feature": list(scales.scores), "kind": "scale", "sd": 1.0},
        ),
    )


def of_rows(segments: Segments, rows: np.ndarray) -> pd.Series:
    """Return the labels of some rows, counted from 0 again."""
    return segments.labels.iloc[rows].reset_index(drop=True)


def with_tree(kind: str = "sampling", k: int = 4, n: int = 300) -> Study:
    survey, scales, _ = weighted_study(kind, n)
    return survey, scales, cut(survey, scales, k)


class TestCuts:
    def test_at_the_reported_number_they_repeat_the_reported_tables(self) -> None:
        found = profile_segments(*with_tree())
        own = found.by_k[found.by_k["k"] == 4]
        key = ["segment", "variable", "role", "category"]
        means = found.means.rename(columns={"mean": "value"}).assign(category="")
        shares = found.shares.rename(columns={"share": "value"}).assign(z=np.nan)
        expected = pd.concat([means, shares])[own.columns.drop("k")]
        pd.testing.assert_frame_equal(
            own.drop(columns="k").sort_values(key, ignore_index=True),
            expected.sort_values(key, ignore_index=True),
            check_exact=True,
        )
        cuts = found.cuts[found.cuts["k"] == 4].reset_index(drop=True)
        for name in ("segment", "name", "n", "weighted", "share"):
            assert list(cuts[name]) == list(found.personas[name])

    @pytest.mark.parametrize("kind", ["none", "sampling", "frequency"])
    def test_any_cut_is_what_it_would_be_if_it_were_the_reported_one(self, kind: str) -> None:
        survey, scales, segments = with_tree(kind)
        found = profile_segments(survey, scales, segments)
        assert list(found.by_k["k"].unique()) == list(cut_numbers(segments))
        for k in (2, 3, 7):
            other = cut(survey, scales, k)
            np.testing.assert_array_equal(other.labels, cut_labels(segments, k))
            direct = profile_segments(survey, scales, other)
            one, two = (p.by_k[p.by_k["k"] == k].reset_index(drop=True) for p in (found, direct))
            # Sums joined from the same parts.
            pd.testing.assert_frame_equal(one, two, rtol=1e-10, atol=1e-12)
            names = found.cuts[found.cuts["k"] == k]
            assert list(names["name"]) == list(direct.personas["name"])
            first = direct.drivers[direct.drivers["rank"] == 1].set_index("segment")["text"]
            assert list(names["headline"]) == [first.get(s, "") for s in range(1, k + 1)]

    def test_in_every_cut_those_who_fit_none_are_called_so(self) -> None:
        survey, scales, segments = with_tree()
        found = profile_segments(survey, scales, replace(segments, unassigned=4)).cuts
        last = found[found["k"] == found["segment"]]
        assert list(last["name"]) == ["Unassigned"] * len(list(cut_numbers(segments)))
        assert (found["name"] == "Unassigned").sum() == len(last)

    def test_a_segment_of_another_cut_that_nothing_sets_apart_still_has_a_headline(self) -> None:
        thrift = np.repeat([1.0, 3.0, 5.0], 60)
        columns = pd.DataFrame({"age": np.tile([30.0, 40.0], 90)})
        survey = make_survey(columns, np.ones(180))
        scales = make_scales(pd.DataFrame({"thrift": thrift}))
        found = profile_segments(survey, scales, cut(survey, scales, 2)).cuts
        texts = list(found.loc[found["k"] == 3, "headline"])
        assert "Average thrift: 3.00 against 3.00 overall" in texts

    def test_parents_and_colours_are_those_of_the_cuts(self) -> None:
        survey, scales, segments = with_tree()
        found = profile_segments(survey, scales, segments).cuts
        columns = ["k", "segment", "parent", "colour"]
        pd.testing.assert_frame_equal(found[columns], cut_table(segments))
        np.testing.assert_allclose(found.groupby("k")["share"].sum(), 1)
        assert (found.groupby("k")["n"].sum() == survey.n).all()

    def test_a_number_asked_for_beyond_ten_is_a_cut(self) -> None:
        found = profile_segments(*with_tree(k=12))
        assert sorted(found.by_k["k"].unique()) == list(range(2, 13))

    def test_shuffled_rows_and_columns_change_no_byte_of_any_cut(self) -> None:
        survey, scales, segments = with_tree()
        order = np.random.default_rng(2).permutation(survey.n)
        turned, turned_scales, _ = take(survey, scales, segments, order, survey.weights[order])
        turned = replace(turned, columns=turned.columns[list(survey.columns)[::-1]])
        one = profile_segments(survey, scales, segments)
        two = profile_segments(
            turned,
            make_scales(turned_scales.scores[["humour", "thrift"]]),
            replace(segments, labels=of_rows(segments, order), point_of=segments.point_of[order]),
        )
        key = ["k", "segment", "variable", "role", "category"]
        first, second = (p.by_k.sort_values(key, ignore_index=True) for p in (one, two))
        pd.testing.assert_frame_equal(first, second, check_exact=True)
        pd.testing.assert_frame_equal(one.cuts, two.cuts, check_exact=True)

    def test_frequency_weights_are_repeated_rows_in_every_cut(self) -> None:
        survey, scales, segments = with_tree("frequency")
        rows = np.repeat(np.arange(survey.n), survey.weights.astype(int))
        repeated, repeated_scales, _ = take(
            replace(survey, weight_kind="none"), scales, segments, rows, np.ones(len(rows))
        )
        other = replace(segments, labels=of_rows(segments, rows), point_of=segments.point_of[rows])
        one = profile_segments(survey, scales, segments).by_k
        two = profile_segments(repeated, repeated_scales, other).by_k
        pd.testing.assert_frame_equal(
            one.drop(columns="base"), two.drop(columns="base"), rtol=1e-10, atol=1e-12
        )


class TestSample:
    @pytest.mark.parametrize("seed", range(5))
    def test_rows_stand_in_the_order_of_a_full_sort_of_all_answers(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        weights = rng.choice([1.0, 2.0], 200)
        survey, scales, segments = planted(200, weights=weights, kind="sampling", seed=seed)
        # Many equal rows, told apart by a late column or by id alone.
        columns = survey.columns.assign(age=rng.choice([30.0, np.nan], 200), gender="Male")
        columns["gender"] = columns["gender"].astype("category")
        ids = pd.Series(rng.permutation([f"r{i}" for i in range(200)]), dtype="str")
        scales = make_scales(scales.scores.round(-1))
        survey = replace(survey, columns=columns, ids=ids)
        sample = Sample.of(survey, scales, segments)
        values = {v: survey.columns[v].cat.codes.to_numpy(float) for v in ("plan", "region")}
        values = {v: np.where(c < 0, np.nan, c) for v, c in values.items()}
        values |= {"age": columns["age"].to_numpy(), **{s: c for s, c in scales.scores.items()}}
        keys = [ids.to_numpy(dtype=str), *(values[v] for v in sorted(values))]
        order = np.lexsort([*keys, weights, segments.labels])
        expected = order[segments.labels[order] > 0]
        np.testing.assert_array_equal(sample.rows, expected)

    def test_a_choice_is_neither_a_number_nor_a_category(self) -> None:
        sample = Sample.of(*weighted_study("none"))
        kinds = {v.name: v.kind for v in sample.variables}
        assert kinds["tv"] == kinds["pc"] == "choice"
        assert (kinds["thrift"], kinds["age"], kinds["plan"]) == ("scale", "numeric", "categorical")
        assert sample.option("devices", "TV").name == "tv"
