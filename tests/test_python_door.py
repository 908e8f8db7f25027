"""The Python door: frames of every kind, rows matched by the index, nothing dropped silently."""

import warnings

import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.profiles import profile_segments
from psychoseg.scales import fit_scales
from psychoseg.segments import fit_segments
from psychoseg.study import ScalesSettings
from psychoseg.survey import Survey
from tests.brief_segments import cheap, cut_short

ANSWERS = psychoseg.example_answers()
ITEMS = [f"q{j}" for j in range(1, 9)]
WORDS = ["Never", "Rarely", "Sometimes", "Often", "Always"]


@pytest.fixture(scope="module", autouse=True)
def brief():
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        yield


def told(function, *args, **options):
    """Return what a call returns and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = function(*args, **options)
    return found, [str(w.message) for w in caught if issubclass(w.category, PsychosegWarning)]


def frame_of(kind):
    """Return the items as a frame of some kind, with a gap where the kind can have one."""
    numbers = ANSWERS[ITEMS].astype(float)
    numbers.iloc[3, 2] = np.nan
    plain = numbers.reset_index(drop=True)
    match kind:
        case "float":
            return numbers
        case "Int64":
            return numbers.astype("Int64")
        case "object":
            return numbers.astype("Int64").astype(object).where(numbers.notna(), None)
        case "array":
            return plain.to_numpy()
        case "ordered":
            return numbers.apply(
                lambda c: pd.Categorical([WORDS[int(v) - 1] if v == v else None for v in c],
                                         WORDS, ordered=True)
            )  # fmt: skip
        case "ordered numbers":
            return numbers.apply(lambda c: pd.Categorical(c, [1.0, 2.0, 3.0, 4.0, 5.0], True))
        case "arrow":
            pytest.importorskip("pyarrow")
            return numbers.astype("Int64").astype("int64[pyarrow]")
        case "polars":
            polars = pytest.importorskip("polars")
            return polars.DataFrame(
                {c: [None if v != v else int(v) for v in plain[c]] for c in plain}
            )
        case "polars enum":
            polars = pytest.importorskip("polars")
            return polars.DataFrame(
                {c: [None if v != v else WORDS[int(v) - 1] for v in plain[c]] for c in plain},
                schema=dict.fromkeys(plain, polars.Enum(WORDS)),
            )
    raise AssertionError(kind)


KINDS = ["Int64", "object", "array", "ordered", "ordered numbers", "arrow", "polars", "polars enum"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_scales(kind):
    expected = fit_scales(frame_of("float"), n_factors=2)
    found = fit_scales(frame_of(kind), n_factors=2)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.table["alpha"], expected.table["alpha"])
    if kind in ("ordered", "ordered numbers", "Int64"):
        assert found.scores.index.equals(ANSWERS.index)


def test_frames_of_columns_give_the_same_segments_whatever_their_types():
    columns = ANSWERS[["q1", "q5", "age"]].assign(
        region=ANSWERS["region"], owner=ANSWERS["age"] > 40
    )
    expected = fit_segments(columns, settings=cheap(), k=3).labels
    polars = pytest.importorskip("polars")
    nullable = columns.convert_dtypes(dtype_backend="numpy_nullable")
    other = polars.DataFrame({c: columns[c].tolist() for c in columns})
    for frame in (nullable, columns.astype({"region": "category", "owner": object}), other):
        np.testing.assert_array_equal(fit_segments(frame, settings=cheap(), k=3).labels, expected)


@pytest.mark.parametrize("seed", range(2))
def test_shuffled_rows_of_anything_give_everybody_the_same_segment(seed):
    rng = np.random.default_rng(seed)

    def shuffled(table):
        return table.iloc[rng.permutation(len(table))]

    weights = ANSWERS["weight"]
    scales = fit_scales(ANSWERS[ITEMS], n_factors=2, weights=weights)
    segments = fit_segments(ANSWERS[["age"]], scales, cheap(), k=3)
    profiles = profile_segments(ANSWERS[["region"]], scales, segments)
    mixed = fit_scales(shuffled(ANSWERS[ITEMS]), n_factors=2, weights=shuffled(weights))
    again = fit_segments(shuffled(ANSWERS[["age"]]), mixed, cheap(), k=3)
    described = profile_segments(shuffled(ANSWERS[["region"]]), scales, again)
    pd.testing.assert_frame_equal(mixed.scores.loc[ANSWERS.index], scales.scores)
    pd.testing.assert_series_equal(again.labels.loc[ANSWERS.index], segments.labels)
    pd.testing.assert_series_equal(again.silhouette.loc[ANSWERS.index], segments.silhouette)
    pd.testing.assert_frame_equal(described.means, profiles.means)
    pd.testing.assert_frame_equal(described.shares, profiles.shares)


def test_one_weight_goes_all_the_way_from_the_scales_to_the_profiles():
    survey = Survey.from_frame(ANSWERS, items=ITEMS, columns=["region"], weights="weight")
    scales = fit_scales(ANSWERS, n_factors=2, items=ITEMS, weights="weight")
    pd.testing.assert_frame_equal(scales.scores, fit_scales(survey, n_factors=2).scores)
    segments = fit_segments(scales, settings=cheap(), k=3)
    expected = fit_segments(survey, scales, cheap(), k=3)
    pd.testing.assert_series_equal(segments.labels, expected.labels)
    pd.testing.assert_frame_equal(segments.table, expected.table)
    found = profile_segments(ANSWERS[["region"]], scales, segments).shares
    pd.testing.assert_frame_equal(found, profile_segments(survey, scales, expected).shares)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.iloc[:-2], r"2 rows of the frame \(such as 'P299'\) are not in the weights"),
        (lambda s: s.reset_index(drop=True), r"their indexes differ; 300 rows of the frame"),
        (lambda s: s.set_axis(["P001"] * 300), r"the index of the weights repeats 'P001'"),
    ],
)
def test_weights_of_other_rows_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        Survey.from_frame(ANSWERS, items=ITEMS, weights=change(ANSWERS["weight"]))


def test_a_list_of_weights_goes_by_position_since_it_has_no_index():
    found = Survey.from_frame(ANSWERS, items=ITEMS, weights=ANSWERS["weight"].tolist())
    expected = Survey.from_frame(ANSWERS, items=ITEMS, weights=ANSWERS["weight"].iloc[::-1])
    np.testing.assert_array_equal(found.weights, expected.weights)


def test_who_has_a_gap_is_told_and_has_the_label_nought():
    frame = ANSWERS[["q1", "q5", "age"]].astype(float)
    frame.loc[["P003", "P007"], "age"] = np.nan
    frame.loc["P009", "q1"] = np.nan
    segments, said = told(fit_segments, frame, settings=cheap(), k=3)
    lost = ["P003", "P007", "P009"]
    assert segments.labels.index[segments.labels == 0].tolist() == lost
    assert segments.excluded["respondent"].tolist() == lost
    text = (
        r"3 of 300 respondents are in no segment \(label 0\).*no value for age: 2; no value for q1"
    )
    assert any(pd.Series(said).str.contains(text))


OUT = {
    "name": [f"Person number {i}" for i in range(300)],
    "number": np.arange(300) + 1001,
    "user_id": np.arange(300) * 7919 % 99991,
    "seen": pd.date_range("2024-01-01", periods=300),
    "day": [f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}" for i in range(300)],
    "span": pd.to_timedelta(np.arange(300), unit="h"),
    "parts": [[1, 2]] * 300,
    "nothing": [None] * 300,
}


@pytest.mark.parametrize("as_category", [False, True])
def test_ids_dates_and_open_text_neither_form_segments_nor_go_without_a_word(as_category):
    plain = ANSWERS[["q1", "q5", "age", "region"]]
    frame = plain.assign(**OUT)
    if as_category:
        frame = frame.astype({"name": "category"})
    segments, said = told(fit_segments, frame, settings=cheap(), k=3)
    expected = fit_segments(plain, settings=cheap(), k=3)
    pd.testing.assert_series_equal(segments.labels, expected.labels)
    assert set(segments.left_out["column"]) == set(OUT)
    (line,) = [s for s in said if "left out of the segmentation" in s]
    assert "8 columns are left out" in line
    for name in OUT:
        assert f"{name} (" in line
    profiles, said = told(profile_segments, frame, None, segments)
    assert set(profiles.tests["variable"]) == set(plain)
    assert any("8 columns are left out of the profiles" in s for s in said)


def test_what_cannot_be_an_item_is_told_and_ordered_answers_are_items():
    frame = ANSWERS[ITEMS].assign(
        region=ANSWERS["region"],
        group=pd.Categorical(ANSWERS["region"]),
        code=[str(1 + i % 5) for i in range(300)],
        **OUT,
    )
    scales, said = told(fit_scales, frame, n_factors=2)
    assert set(scales.items["item"]) == set(ITEMS)
    reasons = scales.left_out.set_index("column")["reason"]
    assert set(reasons.index) == {*OUT, "region", "group", "code"}
    assert reasons["code"] == "numbers kept as text: use pandas.to_numeric"
    assert reasons["group"].startswith("categories without an order")
    assert reasons["seen"] == "dates"
    assert any("11 columns are left out of the items" in s for s in said)
    ordered = frame[ITEMS].assign(q1=frame_of("ordered")["q1"])
    scales, said = told(fit_scales, ordered, n_factors=2)
    assert set(scales.items["item"]) == set(ITEMS)
    assert not [s for s in said if "left out" in s]


def test_ages_and_weights_among_likert_items_are_none_unless_they_are_named():
    scales, said = told(fit_scales, ANSWERS, n_factors=2)
    assert set(scales.items["item"]) == set(ITEMS)
    reasons = scales.left_out.set_index("column")["reason"]
    assert set(reasons.index) == {"age", "region", "weight"}
    assert reasons["age"].startswith(
        "53 different values from 18 to 80, most other columns go from 1 to 5"
    )
    assert reasons["weight"] == "fractions, and called a weight: give it as weights"
    assert any("3 columns are left out of the items" in s for s in said)
    named = fit_scales(ANSWERS, ScalesSettings(correlation="pearson"), items=[*ITEMS, "age"])
    assert "age" in set(named.items["item"])


def test_items_that_are_named_leave_the_rest_of_the_frame_unmentioned():
    _, said = told(fit_scales, ANSWERS.assign(**OUT), n_factors=2, items=ITEMS)
    assert not [s for s in said if "left out" in s]


def test_an_ordered_answer_keeps_its_scale_where_nobody_took_an_end():
    frame = frame_of("ordered")
    frame["q1"] = frame["q1"].where(frame["q1"] != "Never")
    survey = Survey.from_frame(frame, reverse=["q1"])
    line = survey.codebook["q1"]
    assert (line.low, line.high, line.value_labels[5.0]) == (1.0, 5.0, "Always")
    assert survey.keyed_items()["q1"].min() == 1


def test_options_beside_settings_are_the_settings():
    by_settings = fit_scales(ANSWERS[ITEMS], ScalesSettings(n_factors=2))
    pd.testing.assert_frame_equal(
        fit_scales(ANSWERS[ITEMS], n_factors=np.int64(2)).scores, by_settings.scores
    )
    reversed_ = fit_scales(ANSWERS, n_factors=2, items=ITEMS, reverse=["q2"])
    assert reversed_.items.set_index("item").loc["q2", "key"] == 1
    settings = cheap(k=3, method="kmeans")
    one = fit_segments(ANSWERS[ITEMS], settings=settings, rng=np.random.default_rng(5))
    two = fit_segments(ANSWERS[ITEMS], settings=cheap(), k=3, method="kmeans", random_state=5)
    pd.testing.assert_series_equal(one.labels, two.labels)
    pd.testing.assert_frame_equal(one.choice, two.choice)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit_scales(ANSWERS[ITEMS], ScalesSettings(n_factors=3), n_factors=2),
         StudyError, "n_factors is 2 in the call and 3 in the settings"),
        (lambda: fit_scales(Survey.from_frame(ANSWERS[ITEMS]), items=ITEMS), DataError,
         "items in fit_scales is for a DataFrame"),
        (lambda: fit_scales(ANSWERS, items=["q1", "q2", "Q3"]), DataError,
         r"no column 'Q3'\. Did you mean 'q3'"),
        (lambda: fit_scales(ANSWERS[ITEMS], 2), TypeError, r"fit_scales\(df, n_factors=5\)"),
        (lambda: fit_scales(ANSWERS, items="q1"), DataError, r"Give a list: \['q1'\]"),
        (lambda: profile_segments(ANSWERS, None, fit_scales(ANSWERS[ITEMS])), TypeError,
         "scales come before segments"),
        (lambda: fit_scales(ANSWERS["q1"]), DataError, "a Series is one column"),
        (lambda: fit_scales(ANSWERS["q1"].to_numpy()), DataError, r"an array of shape \(300,\)"),
        (lambda: fit_scales({"q1": [1, 2]}), DataError, "a builtins dict is no table"),
        (lambda: fit_segments(ANSWERS[ITEMS], 4), TypeError, r"fit_segments\(df, k=4\)"),
        (lambda: fit_segments(ANSWERS[ITEMS], k=1), StudyError, "k"),
        (lambda: fit_segments(ANSWERS[ITEMS], method="wards"), StudyError, "Did you mean"),
        (lambda: fit_segments(ANSWERS[ITEMS], random_state="a"), DataError, "random_state"),
        (lambda: fit_segments(ANSWERS[ITEMS], random_state=1, rng=np.random.default_rng(1)),
         DataError, "Give one"),
        (lambda: fit_segments(ANSWERS[["region"]].assign(a=OUT["name"])[["a"]]), DataError,
         "nothing is active"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_call_is_said(call, error, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        with pytest.raises(error, match=message):
            call()
