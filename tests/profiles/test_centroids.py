"""Centroids: every active feature's weighted mean by segment, by the name that it has there."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg import fit_segments
from psychoseg.profiles.centroids import find_centroids
from psychoseg.profiles.sample import Sample
from psychoseg.study import SegmentsSettings
from tests.brief_segments import cheap, cut_short
from tests.test_profiles import make_scales, make_survey


@pytest.fixture(scope="module")
def found() -> tuple[pd.DataFrame, object]:
    rng = np.random.default_rng(4)
    n = 150
    group = rng.integers(0, 3, n)
    columns = pd.DataFrame(
        {
            "plan": pd.Categorical(np.array(["Free", "Premium", "Free"])[group]),
            "thrift": rng.normal(50, 10, n),
            "size": pd.Categorical(
                rng.choice(["Small", "Large"], n),
                ["Small", "Medium", "Large"],
                ordered=True,
            ),
        }
    )
    weights = rng.uniform(0.5, 2, n)
    survey = make_survey(columns, weights, "sampling")
    active = {"role": "active"}
    book = {name: replace(v, **active) for name, v in survey.codebook.items()}
    book["size"] = replace(book["size"], kind="ordinal")
    survey = replace(survey, codebook=book)
    scales = make_scales(pd.DataFrame({"thrift": 3 + group + rng.normal(0, 0.2, n)}))
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        settings: SegmentsSettings = cheap(k=3)
        segments = fit_segments(survey, scales, settings)
    table = find_centroids(Sample.of(survey, scales, segments), survey, scales, segments)
    return table, (survey, scales, segments)


def test_every_feature_has_a_centre_in_every_segment(found) -> None:
    table, (_, _, segments) = found
    assert set(table["feature"]) == set(segments.features["feature"])
    assert {"thrift", "thrift (column)", "plan=Free", "size"} <= set(table["feature"])
    assert len(table) == 3 * len(segments.features)
    assert table["value"].notna().all()


def test_together_they_are_the_means_that_the_features_have(found) -> None:
    table, (survey, _, segments) = found
    mass = np.bincount(segments.labels, weights=survey.weights)[1:]
    wide = table.pivot_table(index="segment", columns="feature", values="value")
    total = (wide.mul(mass, axis=0)).sum() / mass.sum()
    expected = segments.features.set_index("feature")["mean"]
    # The stage that made the segments has rounded weights to twelve digits.
    np.testing.assert_allclose(total[expected.index], expected, rtol=1e-9)


def test_a_scale_and_a_column_of_one_name_have_each_their_own(found) -> None:
    table, (survey, scales, segments) = found
    first = segments.labels == 1
    w = survey.weights[first]
    own = table[table["segment"] == 1].set_index("feature")["value"]
    assert own["thrift"] == pytest.approx(np.average(scales.scores["thrift"][first], weights=w))
    assert own["thrift (column)"] == pytest.approx(
        np.average(survey.columns["thrift"][first], weights=w)
    )
    # Nobody has the middle size: the ranks are 0 and 1.
    assert own["size"] == pytest.approx(
        np.average(survey.columns["size"][first] == "Large", weights=w)
    )
