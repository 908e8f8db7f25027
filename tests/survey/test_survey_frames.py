"""A survey from a DataFrame."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import DataError
from psychoseg.survey import Survey

FRAME = pd.DataFrame(
    {
        "who": ["001", "002", "003"],
        "q1": [1, 2, 3],
        "q2": [5.0, np.nan, 4.0],
        "age": [20, 30, 40],
        "sex": pd.Categorical(["m", "f", "m"], categories=["m", "f", "x"]),
        "town": ["B", None, "A"],
        "w": [1.0, 1.0, 4.0],
    }
)


def test_a_frame_becomes_a_survey_and_stays_as_it_is() -> None:
    before = FRAME.copy(deep=True)
    survey = Survey.from_frame(
        FRAME,
        columns=["age", "sex", "town"],
        reverse=["q2"],
        answer_range=(1, 5),
        labels={"q1": "One"},
        ids="who",
        weights="w",
    )
    pd.testing.assert_frame_equal(FRAME, before)
    assert list(survey.items) == ["q1", "q2"]
    assert survey.ids.tolist() == ["001", "002", "003"]
    np.testing.assert_allclose(survey.weights, [0.5, 0.5, 2.0])
    assert survey.codebook["sex"].categories == ("m", "f")
    assert survey.codebook["town"].categories == ("A", "B")
    assert survey.codebook["age"].kind == "numeric"
    assert survey.label("q1") == "One"
    np.testing.assert_array_equal(survey.keyed_items()["q2"], [1.0, np.nan, 2.0])
    assert survey.n_read == survey.n == 3
    assert survey.ledger.empty


def test_the_index_gives_the_ids_and_any_index_will_do() -> None:
    frame = pd.DataFrame({"q1": [1, 2], "q2": [3, 1]}, index=["x", "y"])
    survey = Survey.from_frame(frame, weights=[2, 3], weight_kind="frequency")
    assert survey.ids.tolist() == ["x", "y"]
    assert survey.items.index.tolist() == [0, 1]
    assert survey.weights.tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"items": ["q1"], "columns": ["aeg"]}, r"no column 'aeg'\. Did you mean 'age'\?"),
        ({"items": ["q1"], "columns": ["q1"]}, r"'q1' is used twice"),
        ({"items": ["q1"], "reverse": ["q2"]}, r"reverse: 'q2' is not one of the items"),
        (
            {"items": ["q1", "town"]},
            r"items must be numbers or an ordered Categorical; not so: town",
        ),
        (
            {"items": ["q1", "q2"], "answer_range": (1, 4)},
            r"1 answers are outside 1 to 4.* q2 = 5 in row 0",
        ),
        ({"items": ["q1"], "answer_range": (2, 5)}, r"1 answers .* 2 to 5.* q1 = 1 in row 0"),
        ({"items": ["q1"], "ids": "sex"}, r"the id column sex repeats 'm'"),
        ({"items": ["q1"], "ids": "town"}, r"the id column town has missing ids \(row 1\)"),
        (
            {"items": ["q1"], "weights": [1, 0, 1]},
            r"1 weights are not positive numbers.* 0 in row 1",
        ),
        ({"items": ["q1"], "weights": [1, np.nan, -1]}, r"2 weights are not positive"),
        (
            {"items": ["q1"], "weights": [1, 2]},
            r"weights have shape \(2,\); one for each of the 3 rows",
        ),
        ({"items": ["q1"], "weights": "town"}, r"weights are not positive|not numbers"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Survey.from_frame(FRAME, **options)


def test_a_constant_item_and_a_frame_without_numbers_are_errors() -> None:
    with pytest.raises(DataError, match=r"q \(always 1\)"):
        Survey.from_frame(pd.DataFrame({"q": [1, 1], "r": [1, 2]}))
    with pytest.raises(DataError, match="there are no items"):
        Survey.from_frame(pd.DataFrame({"q": ["a", "b"]}))
    twice = pd.DataFrame([[1, 2], [2, 1]], columns=["q", "q"])
    with pytest.raises(DataError, match=r"the frame repeats the columns 'q'"):
        Survey.from_frame(twice)


def test_columns_of_a_frame_are_of_one_block_and_an_ordered_categorical_is_ordinal() -> None:
    ordered = pd.Categorical(["m", "f", "m"], categories=["m", "f", "x"], ordered=True)
    survey = Survey.from_frame(FRAME.assign(rank=ordered), columns=["age", "sex", "rank"])
    kinds = {name: survey.codebook[name].kind for name in ("age", "sex", "rank")}
    assert kinds == {"age": "numeric", "sex": "categorical", "rank": "ordinal"}
    assert survey.codebook["rank"].categories == ("m", "f")
    assert survey.codebook["rank"].block == "demographics"
    assert survey.codebook["q1"].block == ""
