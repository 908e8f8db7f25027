"""What enters the segmentation: kinds, blocks, order by content, who lacks a value."""

from dataclasses import replace

import numpy as np
import pandas as pd

from psychoseg.features import build_features
from psychoseg.survey.frame import survey_from_frame


def features_of(frame: pd.DataFrame, **blocks: str):
    survey = survey_from_frame(frame, items=[], active=list(frame))
    book = {n: replace(v, block=blocks.get(n, v.block)) for n, v in survey.codebook.items()}
    return build_features(replace(survey, codebook=book), None)


FRAME = pd.DataFrame(
    {
        "town": ["x", "y", "z", "x", "x", "y"],
        "age": [30.0, 40, 30, 50, 60, 20],
        "school": pd.Categorical(
            ["low", "high", None, "mid", "low", "high"],
            categories=["low", "mid", "never chosen", "high"],
            ordered=True,
        ),
        "sex": ["f", "f", "f", "f", "m", "f"],
    }
)


def test_numbers_and_ranks_come_first_then_the_categories_of_each_column_together():
    found = features_of(FRAME, town="home")
    names = list(found.table.columns)
    assert set(names[:2]) == {"age", "school"}
    kinds = [found.kinds[name] for name in names]
    assert sorted(kinds[:2]) == ["numeric", "ordinal"]
    assert kinds[2:] == ["category"] * 4
    of = [found.variables[name] for name in names[2:]]
    assert len(set(of)) == 2
    assert of == sorted(of) or of == sorted(of, reverse=True)
    assert {found.blocks[n] for n in names if n.startswith("town")} == {"home"}
    assert found.blocks["age"] == "demographics"
    assert found.variable_labels[found.variables["sex=f"]] == "sex"


def test_ranks_count_the_categories_that_were_given_and_a_missing_one_is_missing():
    ranks = features_of(FRAME).table["school"]
    np.testing.assert_array_equal(ranks, [0, 2, np.nan, 1, 0, 2])


def test_a_category_that_only_the_incomplete_gave_is_no_feature():
    # Only the respondent without a school lives in z.
    found = features_of(FRAME)
    assert found.complete.tolist() == [True, True, False, True, True, True]
    assert "town=z" not in found.table
    assert found.gaps["reason"].tolist() == ["no value for school"]


def test_the_order_of_features_is_that_of_what_they_hold():
    first = features_of(FRAME)
    renamed = FRAME.iloc[::-1, [2, 0, 3, 1]].rename(columns={"age": "zeta", "town": "alpha"})
    second = features_of(renamed.reset_index(drop=True))
    np.testing.assert_array_equal(first.table.to_numpy()[::-1], second.table.to_numpy())


def test_features_that_would_share_a_name_all_enter():
    frame = FRAME[["town"]].assign(**{"town=x": [5.0, 6, 7, 8, 9, 9]})
    found = features_of(frame)
    assert found.table.shape[1] == 4
    assert sorted(found.kinds.values()) == ["category", "category", "category", "numeric"]
