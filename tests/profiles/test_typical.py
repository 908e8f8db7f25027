"""Typical answers: of several people near the centre, never of one."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.profiles.typical import typical_answers
from psychoseg.segments import Segments
from tests.test_profiles import make_segments, planted, take


def at(places: list[float], *, weights: np.ndarray | None = None, **answers: list) -> tuple:
    """Return a sample of one segment of people at some places, and its segments."""
    n = len(places)
    w = np.ones(n) if weights is None else weights
    labels = np.ones(n, dtype=int)
    segments = make_segments(labels, np.array(places, dtype=float)[:, None], w, {})
    variables = []
    for name, x in answers.items():
        values = np.array(x, dtype=float)
        if name == "plan":
            variables.append(SampleVariable(name, "Plan", "active", values, ("Free", "Paid")))
        elif name == "tv":
            variables.append(
                SampleVariable(name, "TV", "profile", values, None, "media", "Media used")
            )
        else:
            role = "scale" if name == "trust" else "profile"
            variables.append(SampleVariable(name, name.capitalize(), role, values))
    return Sample((1,), labels, w, True, tuple(variables), np.arange(n)), segments


def shown(sample: Sample, segments: Segments, min_base: int) -> dict[str, tuple[str, float]]:
    found, _ = typical_answers(sample, segments, min_base)
    return {r.label: (r.value, r.base) for r in found.itertuples()}


def test_it_is_the_median_or_the_most_frequent_answer_of_the_nearest_people() -> None:
    sample, segments = at(
        [0, 0.1, -0.1, 0.2, -0.2, 9, -9],
        trust=[3.2, 3.4, 3.3, 4.0, 1.0, 5, 5],
        age=[30, 31, np.nan, 33, 90, 20, 20],
        plan=[0, 1, 1, 1, 0, 0, 0],
        tv=[1, 0, 0, 0, 1, 1, 1],
    )
    assert shown(sample, segments, 5) == {
        "Trust": ("3.30", 5),
        "Age": ("", pytest.approx(float("nan"), nan_ok=True)),
        "Plan": ("Paid", 5),
        "Media used: TV": ("Not chosen", 5),
    }
    # With four people whoever stands as near as the fourth comes too, which is nobody here.
    assert shown(sample, segments, 3)["Age"] == ("", pytest.approx(np.nan, nan_ok=True))
    assert shown(sample, segments, 4)["Age"] == ("", pytest.approx(np.nan, nan_ok=True))


def test_weights_decide_the_median_and_the_most_frequent() -> None:
    sample, segments = at(
        [0, 0, 0],
        weights=np.array([1.0, 1, 3]),
        trust=[1, 2, 4],
        plan=[0, 0, 1],
    )
    found = shown(sample, segments, 3)
    assert found["Trust"][0] == "4.00"
    assert found["Plan"][0] == "Paid"


def test_ties_go_to_the_lower_answer_and_the_first_category() -> None:
    sample, segments = at([0, 0, 0, 0], trust=[1, 2, 3, 4], plan=[1, 0, 1, 0])
    found = shown(sample, segments, 4)
    assert found["Trust"][0] == "2.00"
    assert found["Plan"][0] == "Free"


def test_nothing_is_shown_on_fewer_people_than_the_least_base() -> None:
    sample, segments = at([0, 0.1, 0.2], trust=[1, 2, 3])
    assert shown(sample, segments, 4)["Trust"][0] == ""
    survey, scales, segs = planted()
    found, _ = typical_answers(Sample.of(survey, scales, segs), segs, 25)
    known = found[found["value"] != ""]
    assert len(known) > 10
    assert (known["base"] >= 25).all()
    assert found.loc[found["value"] == "", "base"].isna().all()


def test_the_twentieth_nearest_the_centre_is_shown_where_it_is_more_people() -> None:
    rng = np.random.default_rng(1)
    sample, segments = at(list(rng.normal(size=2000)), trust=list(rng.normal(size=2000)))
    assert shown(sample, segments, 10)["Trust"][1] == 100


def test_the_typical_respondent_is_of_the_segment_and_the_order_of_rows_does_not_matter() -> None:
    survey, scales, segments = planted()
    table, rows = typical_answers(Sample.of(survey, scales, segments), segments, 10)
    assert {s: int(segments.labels[r]) for s, r in rows.items()} == {1: 1, 2: 2, 3: 3}
    order = np.random.default_rng(2).permutation(survey.n)
    other = take(survey, scales, segments, order, survey.weights[order])
    shuffled, moved = typical_answers(Sample.of(*other), other[2], 10)
    pd.testing.assert_frame_equal(table, shuffled)
    columns = [survey.columns, other[0].columns]
    for s, row in rows.items():
        pd.testing.assert_series_equal(
            columns[0].iloc[row], columns[1].iloc[moved[s]], check_names=False
        )


def test_of_a_large_segment_a_sample_of_the_points_tells_the_centre() -> None:
    rng = np.random.default_rng(1)
    sample, segments = at(list(rng.normal(size=9000)), age=list(rng.normal(size=9000)))
    _, rows = typical_answers(sample, segments, 10)
    points = segments.points
    place = points["comp_1"].to_numpy()[segments.point_of[rows[1]]]
    # A tenth of a standard deviation holds 8 % of the people; the core is 5 %.
    assert abs(place) < 0.1
