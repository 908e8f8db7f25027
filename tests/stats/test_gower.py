"""Gower's distance beside cluster::daisy (cluster 2.1.4)."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.gower import gower_blocks, gower_distances
from tests.stats.conftest import reference

#: cluster's flower: three asymmetric, one nominal, two ordinal and two numeric columns.
FLOWER = ["asymmetric"] * 3 + ["nominal"] + ["ordinal"] * 2 + ["numeric"] * 2
FLOWER_WEIGHTS = np.array([1, 2, 0.5, 1, 1, 3, 0.25, 1])


@pytest.mark.parametrize(("which", "weights"), [("plain", None), ("weighted", FLOWER_WEIGHTS)])
def test_flower_with_gaps_equals_daisy(which, weights):
    x = reference("reduction_flower.csv").to_numpy(float)
    assert np.isnan(x).sum() == 3
    found = gower_distances(x, FLOWER, column_weights=weights)
    theirs = reference("reduction_gower.csv")
    # 15 digits are printed.
    np.testing.assert_allclose(found[theirs["i"] - 1, theirs["j"] - 1], theirs[which], atol=1e-12)
    np.testing.assert_array_equal(found, found.T)
    assert (np.diag(found) == 0).all()


def test_the_student_survey_with_its_own_gaps_equals_daisy(shared_data):
    # "None" is an answer there (no exercise).
    file = shared_data / "09_r_misc" / "MASS__survey.csv"
    frame = pd.read_csv(file, keep_default_na=False, na_values=["", "NA"])
    smoke = pd.CategoricalDtype(["Never", "Occas", "Regul", "Heavy"], ordered=True)
    columns, kinds = [], []
    for name in frame.columns:
        if name == "Smoke":
            kind, values = "ordinal", frame[name].astype(smoke).cat.codes.to_numpy(float)
        elif pd.api.types.is_numeric_dtype(frame[name]):
            kind, values = "numeric", frame[name].to_numpy(float)
        else:
            kind, values = "nominal", frame[name].astype("category").cat.codes.to_numpy(float)
        if kind != "numeric":
            values[values < 0] = np.nan
        kinds.append(kind)
        columns.append(values)
    x = np.column_stack(columns)
    assert np.isnan(x).sum() > 100
    found = gower_distances(x, kinds)
    theirs = reference("reduction_gower_survey.csv")
    # Sums of 237 distances below 1, each good to 1e-14.
    np.testing.assert_allclose(found.sum(axis=1), theirs["sum"], atol=1e-11)
    np.testing.assert_allclose((found**2).sum(axis=1), theirs["sum_of_squares"], atol=1e-11)


def test_blocks_put_together_are_the_whole_and_inputs_stay():
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.standard_normal(23), rng.integers(0, 3, 23)])
    x[4, 0] = np.nan
    before = x.copy()
    kinds = ["numeric", "nominal"]
    blocks = list(gower_blocks(x, kinds, block_rows=5))
    assert [block.shape for _, block in blocks] == [(5, 23)] * 4 + [(3, 23)]
    np.testing.assert_array_equal(np.vstack([b for _, b in blocks]), gower_distances(x, kinds))
    np.testing.assert_array_equal(x, before)


def test_order_and_the_scale_of_weights_do_not_matter():
    x = reference("reduction_flower.csv").to_numpy(float)
    rng = np.random.default_rng(2)
    rows, columns = rng.permutation(len(x)), rng.permutation(8)
    a = gower_distances(x, FLOWER, column_weights=FLOWER_WEIGHTS)
    b = gower_distances(
        x[rows][:, columns],
        [FLOWER[j] for j in columns],
        column_weights=7.3 * FLOWER_WEIGHTS[columns],
    )
    np.testing.assert_allclose(b, a[np.ix_(rows, rows)], atol=1e-14)


def test_rows_that_no_column_compares_have_no_distance():
    x = np.array([[1.0, np.nan], [np.nan, 1.0], [0.0, 0.0], [0.0, 1.0]])
    found = gower_distances(x, ["asymmetric", "nominal"])
    assert np.isnan(found[0, 1])
    assert found[2, 3] == 1  # two zeros are not compared
    assert found[0, 2] == 1


def test_a_constant_or_an_empty_column_makes_no_difference():
    x = np.array([[1.0, 5, np.nan], [2, 5, np.nan], [3, 5, np.nan]])
    found = gower_distances(x, ["numeric"] * 3)
    # The constant column counts in the mean, as in daisy; the empty one does not.
    np.testing.assert_allclose(found[0], [0, 0.25, 0.5])


@pytest.mark.parametrize(
    ("x", "kinds", "weights", "message"),
    [
        ([[1.0], [np.inf]], ["numeric"], None, "infinite"),
        ([[1.0], [2.0]], ["asymmetric"], None, "other values than 0 and 1"),
        ([[1.0], [2.0]], ["numeric"] * 2, None, "1 columns"),
        ([[1.0], [2.0]], ["numeric"], np.array([-1.0]), "none below 0"),
        ([[1.0], [2.0]], ["numeric"], np.array([0.0]), "not all 0"),
    ],
)
def test_input_that_has_no_distance_is_refused(x, kinds, weights, message):
    with pytest.raises(ValueError, match=message):
        gower_blocks(np.array(x), kinds, column_weights=weights)
