"""Where answers are missing: by item, pattern and pair, weighted."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.survey import Survey, load_survey

FRAME = pd.DataFrame(
    {
        "a": [1, 2, 3, 4, 5, 1],
        "b": [2, None, 4, None, 1, 2],
        "c": [3, None, 5, 1, None, 2],
    },
    dtype=float,
)


def test_missing_answers_by_item_pattern_and_pair() -> None:
    found = Survey.from_frame(FRAME, labels={"b": "The second"}).missing_answers()
    assert found.overall.set_index("measure")["value"].to_dict() == pytest.approx(
        {
            "respondents": 6,
            "items": 3,
            "share_missing": 4 / 18,
            "share_complete": 0.5,
            "n_complete": 3,
            "n_patterns": 4,
            "thinnest_pair": 0.5,
        }
    )
    assert found.items.to_dict("list") == {
        "item": ["a", "b", "c"],
        "label": ["a", "The second", "c"],
        "n_answered": [6, 4, 4],
        "n_missing": [0, 2, 2],
        "share_missing": pytest.approx([0, 1 / 3, 1 / 3]),
        "n_last": [1, 1, 4],
    }
    assert found.patterns["missing"].tolist() == ["", "c", "b", "b; c"]
    assert found.patterns["n"].tolist() == [3, 1, 1, 1]
    assert found.pairs[["item_1", "item_2", "n_both"]].to_numpy().tolist() == [
        ["b", "c", 3],
        ["a", "b", 4],
        ["a", "c", 4],
    ]


def test_weights_count_in_shares_and_respondents_in_counts() -> None:
    weights = np.array([1, 4, 1, 2, 1, 3])
    weighted = Survey.from_frame(FRAME, weights=weights, weight_kind="frequency").missing_answers()
    again = FRAME.loc[FRAME.index.repeat(weights)].reset_index(drop=True)
    repeated = Survey.from_frame(again).missing_answers()
    shares = ["share_missing", "share_complete", "thinnest_pair"]
    np.testing.assert_allclose(
        weighted.overall.set_index("measure").loc[shares, "value"],
        repeated.overall.set_index("measure").loc[shares, "value"],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        weighted.items["share_missing"], repeated.items["share_missing"], rtol=1e-12
    )
    np.testing.assert_allclose(weighted.patterns["share"], repeated.patterns["share"], rtol=1e-12)
    assert weighted.items["n_missing"].tolist() == [0, 2, 2]


def test_the_order_of_rows_does_not_change_a_digit() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(1, 6, (200, 5)).astype(float)
    x[rng.random(x.shape) < 0.2] = np.nan
    frame = pd.DataFrame(x, columns=list("abcde"))
    weights = rng.uniform(0.2, 4, 200)
    order = rng.permutation(200)
    one = Survey.from_frame(frame, weights=weights, weight_kind="frequency").missing_answers()
    other = Survey.from_frame(
        frame.iloc[order], weights=weights[order], weight_kind="frequency"
    ).missing_answers()
    for name in ("overall", "items", "patterns", "pairs"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def test_items_stand_in_the_order_of_the_questionnaire(make_study) -> None:
    toml = '[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q3", "q1:q2"]\nrange = [1, 5]\n'
    text = "q1,q2,q3\n1,2,3\n2,3,\n3,1,\n4,2,5\n,5,2\n"
    found = load_survey(make_study(toml, a__csv=text)).missing_answers()
    assert found.items["item"].tolist() == ["q1", "q2", "q3"]
    # Two of five stopped after q2.
    assert found.items["n_last"].tolist() == [0, 2, 3]


def test_a_survey_without_items_or_gaps_is_described_too() -> None:
    complete = Survey.from_frame(FRAME[["a"]].assign(b=[1, 2, 1, 2, 1, 2])).missing_answers()
    assert complete.overall.set_index("measure")["value"]["share_complete"] == 1
    assert len(complete.pairs) == 0
    assert complete.patterns["missing"].tolist() == [""]
