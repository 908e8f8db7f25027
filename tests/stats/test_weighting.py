import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.weighting import (
    check_margins,
    rake,
    trim_weights,
    weighting_efficiency,
)
from tests.stats.conftest import reference

VARIABLES = ["sex", "recage", "receduc"]


@pytest.fixture(scope="module")
def pew(shared_data):
    """Pew's survey of December 2013 and its targets, as margins of codes and shares."""
    folder = shared_data / "04_values_social"
    survey = pd.read_csv(folder / "pew_dec13_excerpt.csv")
    acs = pd.read_csv(folder / "pew_acs_2017_targets.csv")
    survey = survey[np.logical_and.reduce([survey[v].isin(acs[v]) for v in VARIABLES])]
    return survey, acs


def margin(survey, acs, *names):
    target = acs.groupby(list(names))["weight"].sum()
    rows = survey[names[0]] if len(names) == 1 else pd.MultiIndex.from_frame(survey[list(names)])
    codes = target.index.get_indexer(pd.Index(rows)).astype(np.intp)
    return codes, target.to_numpy()


def factors(survey, raked, start):
    """Return what a cell's weights were multiplied by, in the order of the reference."""
    ratio = pd.Series(raked / start, index=survey.index)
    cells = ratio.groupby([survey[v] for v in VARIABLES])
    assert (cells.max() - cells.min()).max() < 1e-12
    return cells.first().to_numpy()


@pytest.mark.parametrize(
    ("column", "margins"),
    [
        ("three", [["sex"], ["recage"], ["receduc"]]),
        ("crossed", [["sex", "receduc"], ["recage"]]),
        ("weighted", [["sex"], ["recage"], ["receduc"]]),
    ],
)
def test_raked_weights_of_pew_equal_survey_rake(pew, column, margins):
    survey, acs = pew
    start = survey["weight"].to_numpy() if column == "weighted" else np.ones(len(survey))
    codes, targets = zip(*(margin(survey, acs, *names) for names in margins), strict=True)
    found = rake(start, codes, targets, tolerance=1e-13)
    # survey 4.1.1, rake() to 1e-9 people, written with 14 digits.
    expected = reference("raking_pew.csv")[column].to_numpy()
    np.testing.assert_allclose(factors(survey, found.weights, start), expected, atol=1e-9)
    assert found.converged
    assert found.weights.sum() == pytest.approx(start.sum(), rel=1e-14)


def test_raking_a_two_by_two_table_by_hand():
    # Cells 1 2 / 3 4 to even margins keep their odds ratio of 4/6: with a in the corner,
    # a^2 / (.5 - a)^2 = 2/3, so a = .5 r / (1 + r), r = sqrt(2/3).
    rows = np.repeat([0, 0, 1, 1], [1, 2, 3, 4])
    cols = np.repeat([0, 1, 0, 1], [1, 2, 3, 4])
    half = np.array([50.0, 50.0])
    found = rake(np.ones(10), [rows, cols], [half, half], tolerance=1e-14)
    r = np.sqrt(2 / 3)
    assert found.weights[0] / 10 == pytest.approx(0.5 * r / (1 + r))
    assert found.deviation < 1e-14
    # 1 2 / 3 4: cells of one value share their weight.
    assert np.ptp(found.weights[1:3]) < 1e-14


@pytest.fixture
def made():
    rng = np.random.default_rng(4)
    codes = [rng.integers(0, k, 200).astype(np.intp) for k in (2, 3, 4)]
    targets = [rng.dirichlet(np.full(k, 8.0)) for k in (2, 3, 4)]
    return codes, targets, rng


def test_the_order_of_margins_and_rows_does_not_matter(made):
    codes, targets, rng = made
    once = rake(np.ones(200), codes, targets, tolerance=1e-14).weights
    backwards = rake(np.ones(200), codes[::-1], targets[::-1], tolerance=1e-14).weights
    np.testing.assert_allclose(once, backwards, atol=1e-11)
    order = rng.permutation(200)
    shuffled = rake(np.ones(200), [c[order] for c in codes], targets, tolerance=1e-14).weights
    np.testing.assert_allclose(once[order], shuffled, atol=1e-11)


def test_integer_weights_equal_repeated_rows_and_scale_does_not_matter(made):
    codes, targets, rng = made
    times = rng.integers(1, 4, 200)
    weighted = rake(times.astype(float), codes, targets, tolerance=1e-14).weights
    again = [np.repeat(c, times) for c in codes]
    repeated = rake(np.ones(times.sum()), again, targets, tolerance=1e-14).weights
    np.testing.assert_allclose(np.repeat(weighted / times, times), repeated, atol=1e-10)
    scaled = rake(0.01 * times, codes, [100 * t for t in targets], tolerance=1e-14).weights
    np.testing.assert_allclose(scaled, 0.01 * weighted, atol=1e-11)


def test_bounds_hold_and_margins_are_met_where_they_can_be(made):
    codes, targets, _ = made
    free = rake(np.ones(200), codes, targets)
    high = 0.9 * free.weights.max()
    found = rake(np.ones(200), codes, targets, bounds=(0.2, high))
    assert found.converged
    assert found.n_bounded > 0
    assert found.weights.max() <= high * (1 + 1e-6)
    for c, t in zip(codes, targets, strict=True):
        np.testing.assert_allclose(np.bincount(c, found.weights) / 200, t / t.sum(), atol=1e-9)


def test_bounds_without_room_are_reported_as_not_converged():
    codes = np.repeat([0, 1], [10, 90])
    found = rake(np.ones(100), [codes], [np.array([0.5, 0.5])], bounds=(0.2, 2.0), max_rounds=50)
    assert not found.converged
    # A tenth of the people at no more than about twice the others' mean cannot make a half.
    assert found.deviation > 0.1


def test_margins_that_contradict_each_other_are_reported_as_not_converged():
    a = np.repeat([0, 1], 5).astype(np.intp)
    found = rake(np.ones(10), [a, a], [np.array([0.5, 0.5]), np.array([0.4, 0.6])], max_rounds=50)
    assert not found.converged
    assert found.rounds == 50


def test_every_problem_of_the_margins_is_found_at_once():
    codes = [np.array([0, 1, -1, 0]), np.array([0, 0, 2, 5]), np.array([0, 0, 1, 1])]
    targets = [
        np.array([50.0, 50.0]),
        np.array([40.0, 30.0, 30.0]),
        np.array([np.nan, 0.0]),
    ]
    problems = {
        (p.margin, p.category, p.kind, p.count) for p in check_margins(codes[:2], targets[:2])
    }
    assert problems == {
        (0, -1, "no category", 1),
        (1, -1, "no category", 1),
        (1, 1, "nobody", 30),
    }
    wrong = r"margin 0: no category \(1\); .*category 1: nobody \(30\); .*not a number.*"
    with pytest.raises(ValueError, match=wrong + r"not positive.*2 starting weights are not pos"):
        rake(np.array([1, 0, np.nan, 1]), codes, targets)


def test_shares_beside_percentages_are_refused_and_rounding_is_not():
    a = np.array([0, 1, 0, 1])
    mixed = check_margins([a, a], [np.array([0.5, 0.5]), np.array([50.0, 50.0])])
    assert [(p.margin, p.kind, p.count) for p in mixed] == [(1, "totals differ", 100)]
    assert check_margins([a, a], [np.array([0.5, 0.5]), np.array([0.33, 0.66])]) == ()


@pytest.mark.parametrize("bounds", [(1.2, 5), (0, 0.9), (-1, 5)])
def test_bounds_that_do_not_lie_around_one_are_refused(bounds):
    with pytest.raises(ValueError, match="around 1"):
        rake(np.ones(2), [np.array([0, 1])], [np.ones(2)], bounds=bounds)
    with pytest.raises(ValueError, match="around 1"):
        trim_weights(np.ones(2), low=bounds[0], high=bounds[1])


def test_no_margin_is_refused():
    with pytest.raises(ValueError, match="no margin"):
        rake(np.ones(2), [], [])


def test_trimming_keeps_the_sum_the_bounds_and_the_ratios_between_them():
    weights = np.array([0.01, 0.5, 1, 1.5, 12])
    trimmed = trim_weights(weights, low=0.2, high=2.0)
    mean = weights.mean()
    assert trimmed.sum() == pytest.approx(weights.sum())
    # 3.002 = mean: the ends are cut at .6004 and 6.004, the rest share what is left in proportion.
    assert trimmed[[0, 4]] == pytest.approx([0.2 * mean, 2 * mean])
    assert trimmed[1:4] == pytest.approx((15.01 - 2.2 * mean) * np.array([0.5, 1, 1.5]) / 3)
    np.testing.assert_allclose(trim_weights(np.ones(4), low=0.2, high=5), 1)


def test_kish_s_design_effect_by_hand():
    # (1 + 1 + 2)^2 / (1 + 1 + 4) = 16 / 6; nobody counts for the weight of zero.
    found = weighting_efficiency(np.array([1.0, 1.0, 2.0, 0.0]))
    assert found.n == 3
    assert found.effective == pytest.approx(16 / 6)
    assert found.design_effect == pytest.approx(18 / 16)
    assert found.efficiency == pytest.approx(16 / 18)
    assert (found.lowest, found.highest) == pytest.approx((0.75, 1.5))
    assert found.design_effect == pytest.approx(1 + np.var([1, 1, 2]) / np.mean([1, 1, 2]) ** 2)


def test_bounds_hold_even_where_they_leave_no_room_for_the_margin():
    # 20 of 100 are to become half: they would have to count 2.5 times, and may count 1.2 times.
    codes = np.repeat([0, 1], [20, 80])
    found = rake(np.ones(100), [codes], [np.array([50.0, 50.0])], bounds=(0.8, 1.2))
    assert not found.converged
    assert found.weights.min() >= 0.8 - 1e-9
    assert found.weights.max() <= 1.2 + 1e-9
    assert found.weights.sum() == pytest.approx(100)
    assert found.deviation == pytest.approx(0.5 - 0.24, abs=1e-9)
