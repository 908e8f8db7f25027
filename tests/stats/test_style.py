import numpy as np
import pytest

from psychoseg.stats.correlation import covariance
from psychoseg.stats.reliability import cronbach_alpha
from psychoseg.stats.style import (
    centre_within,
    mean_rating,
    response_styles,
    schwartz_unusable,
)

NAN = np.nan


def styles(items, keys, scale_of=None, low=1.0, high=5.0):
    p = np.shape(items)[1]
    return response_styles(
        np.asarray(items, dtype=float),
        low=np.full(p, low),
        high=np.full(p, high),
        keys=np.array(keys),
        scale_of=None if scale_of is None else np.array(scale_of),
    )


def test_styles_by_hand():
    found = styles([[5, 5, 5, 5], [5, 5, 1, 1], [3, 3, 3, NAN], [NAN] * 4], [1, 1, -1, -1])
    np.testing.assert_array_equal(found.acquiescence, [0.5, 0, 0, NAN])
    np.testing.assert_array_equal(found.net_agreement, [1, 0, 0, NAN])
    np.testing.assert_array_equal(found.extreme, [1, 1, 0, NAN])
    np.testing.assert_array_equal(found.midpoint, [0, 0, 1, NAN])


def test_acquiescence_weighs_both_sides_of_a_scale_alike_and_skips_one_sided_scales():
    # Scale 0: three for, one against: (1 + .5) / 2 - .5 = .25; scale 1 has one side only.
    row = [[5, 5, 5, 3, 1, 1]]
    assert styles(row, [1, 1, 1, -1, 1, 1], [0, 0, 0, 0, 1, 1]).acquiescence[0] == 0.25
    assert np.isnan(styles(row, [1] * 6).acquiescence).all()


def test_acquiescence_recovers_what_was_planted_whatever_the_content():
    rng = np.random.default_rng(3)
    content, yes = rng.normal(0, 1, 2000), rng.normal(0, 0.5, 2000)
    keys = np.tile([1, -1], 10)
    items = 3 + content[:, None] * keys + yes[:, None] + rng.normal(0, 0.5, (2000, 20))
    found = styles(items, keys)
    # 20 errors of .5 leave a reliability of .25 / (.25 + .0125) = .95, a correlation of .976.
    assert np.corrcoef(found.acquiescence, yes)[0, 1] > 0.96
    assert abs(np.corrcoef(found.acquiescence, content)[0, 1]) < 0.07
    assert abs(found.acquiescence.mean()) < 0.02


def test_an_even_answer_scale_has_no_midpoint():
    found = styles([[1, 2, 3, 4]], [1, 1, 1, 1], high=4.0)
    assert (found.midpoint[0], found.extreme[0], found.net_agreement[0]) == (0, 0.5, 0)


def test_centring_takes_out_the_level_and_nothing_else():
    x = np.array([[1, 2, 3.0], [4, NAN, 6], [2, 2, 2]])
    np.testing.assert_array_equal(centre_within(x), [[-1, 0, 1], [-1, NAN, 1], [0, 0, 0]])
    np.testing.assert_allclose(
        centre_within(x, standardise=True),
        [[-np.sqrt(1.5), 0, np.sqrt(1.5)], [-1, NAN, 1], [NAN] * 3],
    )
    level = np.array([1.0, 2, 3])
    np.testing.assert_array_equal(centre_within(x, around=level)[0], [0, 1, 2])


def test_schwartz_s_centred_value_is_the_mean_of_its_centred_items():
    rng = np.random.default_rng(8)
    items = rng.integers(1, 7, (50, 21)).astype(float)
    scores = np.column_stack([items[:, :3].mean(axis=1), items[:, 3:].mean(axis=1)])
    centred = centre_within(scores, around=mean_rating(items))
    by_item = centre_within(items)
    np.testing.assert_allclose(centred[:, 0], by_item[:, :3].mean(axis=1), atol=1e-12)
    # The values' scores, weighted by their items, cancel.
    np.testing.assert_allclose(centred @ [3, 18], 0, atol=1e-11)


def test_alpha_belongs_before_centring():
    rng = np.random.default_rng(5)
    items = rng.normal(0, 1, (500, 1)) + rng.normal(0, 1, (500, 6))
    before = cronbach_alpha(covariance(items, np.ones(500))).alpha
    after = covariance(centre_within(items), np.ones(500))
    assert before > 0.8
    # The centred sum is a constant: alpha has nothing to divide by.
    assert after.sum() == pytest.approx(0, abs=1e-10)


def test_schwartz_s_limits_are_5_missing_and_16_alike():
    varied = np.tile([1, 2, 3, 4, 5, 6, 2], 3).astype(float)
    rows = np.tile(varied, (4, 1))
    rows[0, :5] = NAN
    rows[1, :6] = NAN
    rows[2] = np.r_[np.full(16, 4), [1, 2, 3, 5, 6]]
    rows[3] = np.r_[np.full(17, 4), [1, 2, 3, 5]]
    assert schwartz_unusable(rows).tolist() == [False, True, False, True]
