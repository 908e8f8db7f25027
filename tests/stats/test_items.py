import numpy as np
import pytest

from psychoseg.stats.correlation import covariance, pearson
from psychoseg.stats.items import (
    ItemRules,
    item_rest,
    propose_drop,
    purification_path,
    screen_items,
    suggest_keys,
)
from psychoseg.stats.reliability import cronbach_alpha
from tests.stats.conftest import reference


def model(loadings: np.ndarray, phi: np.ndarray) -> np.ndarray:
    corr = loadings @ phi @ loadings.T
    np.fill_diagonal(corr, 1)
    return corr


CLEAN = np.kron(np.eye(2), np.full((4, 1), 0.7))
PHI = np.array([[1, 0.3], [0.3, 1]])
EVEN = np.tile(np.arange(1.0, 6), (8, 1)).T


def screen(
    loadings: np.ndarray = CLEAN, corr: np.ndarray | None = None, items: np.ndarray = EVEN, **extra
) -> list[tuple[int, str, int]]:
    p = len(loadings)
    flags = screen_items(
        items,
        np.ones(len(items)),
        model(loadings, PHI) if corr is None else corr,
        loadings,
        PHI,
        low=np.ones(p),
        high=np.full(p, 5.0),
        **extra,
    )
    return [(f.item, f.reason, f.other) for f in flags]


def test_nothing_speaks_against_clean_items():
    assert screen() == []


@pytest.mark.parametrize(("answer", "reason"), [(1.0, "floor"), (5.0, "ceiling")])
def test_an_item_with_most_answers_at_one_end_is_named(answer, reason):
    items = np.tile(EVEN, (2, 1))
    items[:6, 2] = answer
    items[6:, 2] = 3
    assert screen(items=items) == [(2, reason, -1)]
    # Six of ten, which a higher bar lets pass.
    assert screen(items=items, rules=ItemRules(at_end=0.7)) == []


def test_floors_count_weights():
    items = EVEN.copy()
    weights = np.array([6.0, 1, 1, 1, 1])
    flags = screen_items(
        items,
        weights,
        model(CLEAN, PHI),
        CLEAN,
        PHI,
        low=np.ones(8),
        high=np.full(8, 5.0),
    )
    assert {(f.item, f.reason, f.value) for f in flags} == {(j, "floor", 0.6) for j in range(8)}


def test_low_communality_and_weak_loading_are_told_apart():
    loadings = CLEAN.copy()
    loadings[0] = 0.38, 0.25
    # .1444 + .0625 + 2 x .3 x .095 = .2639: weak, but not of low communality.
    assert screen(loadings) == [(0, "weak loading", -1)]
    loadings[0] = 0.35, 0.0
    assert screen(loadings) == [(0, "low communality", -1), (0, "weak loading", -1)]


def test_cross_loading_is_a_second_loading_or_a_small_gap():
    loadings = CLEAN.copy()
    loadings[0, 1] = -0.32
    loadings[5] = 0.28, 0.45
    assert screen(loadings) == [(0, "cross-loading", 1), (5, "cross-loading", 0)]


def test_pairs_that_ask_the_same_are_named_once_and_apart_from_dependent_ones():
    corr = model(CLEAN, PHI)
    corr[0, 1] = corr[1, 0] = 0.85
    corr[4, 6] = corr[6, 4] = 0.72
    assert screen(corr=corr) == [(0, "redundant pair", 1), (4, "dependent pair", 6)]


def test_a_wrong_key_is_found_and_the_right_one_suggested():
    turned = CLEAN.copy()
    turned[3] *= -1
    assert screen(turned) == [(3, "wrong key", -1)]
    np.testing.assert_array_equal(suggest_keys(model(turned, PHI)[:4, :4]), [1, 1, 1, -1])


def test_named_scales_judge_keys_not_the_factors():
    turned = CLEAN.copy()
    turned[3] *= -1
    without = np.array([0, 0, 0, -1, 1, 1, 1, 1])
    assert screen(turned, scale_of=without) == []


def test_suggested_keys_are_those_of_the_bfi(bfi, bfi_items):
    # psychTools::bfi.keys. The heavier side stays: A4, E3, N5 and O3 are on it.
    for scale, reverse in {"A": "A1", "C": "C4 C5", "E": "E1 E2", "N": "", "O": "O2 O5"}.items():
        columns = [i for i, name in enumerate(bfi_items) if name[0] == scale]
        keys = suggest_keys(pearson(bfi[:, columns], np.ones(len(bfi))))
        expected = [-1 if bfi_items[i] in reverse.split() else 1 for i in columns]
        np.testing.assert_array_equal(keys, expected)


def test_a_draw_leaves_the_first_item_as_it_is():
    np.testing.assert_array_equal(suggest_keys(np.array([[1, -0.5], [-0.5, 1]])), [1, -1])


def test_item_rest_correlations_are_within_scales():
    corr = model(CLEAN, PHI)
    rest = item_rest(corr, np.array([0, 0, 0, 0, 1, 1, 2, -1]))
    # .49 x 3 / sqrt(3 + 6 x .49), and .49 between two.
    assert rest[0] == pytest.approx(1.47 / np.sqrt(5.94))
    assert rest[4] == pytest.approx(0.49)
    assert np.isnan(rest[6:]).all()


@pytest.fixture
def bfi_n(bfi, bfi_items):
    first = bfi_items.index("N1")
    return covariance(bfi[:, first : first + 5], np.ones(len(bfi)))


def test_the_drop_proposed_for_bfi_is_the_one_psych_s_table_gives(bfi_n):
    # psych 2.2.9 alpha(): if dropped .758 .763 .755 .795 .813, of .814; none raises it.
    theirs = reference("bfi_alpha.csv").query("scale == 'N'")["dropped"].to_numpy()
    kept = np.arange(5)
    assert propose_drop(bfi_n, kept) is None
    step = propose_drop(bfi_n, kept, min_gain=-np.inf)
    assert step is not None
    assert step.item == theirs.argmax() == 4
    assert step.alpha_without == pytest.approx(theirs.max(), abs=1e-9)
    only = propose_drop(bfi_n, kept, candidates=np.array([0, 1]), min_gain=-np.inf)
    assert only is not None
    assert (only.item, only.alpha_without) == (1, pytest.approx(theirs[1], abs=1e-9))


def test_the_path_drops_the_planted_noise_and_stops_with_its_inputs_untouched():
    corr = np.eye(7)
    corr[:5, :5] += np.full((5, 5), 0.5) - np.diag(np.full(5, 0.5))
    kept = np.arange(7)
    before = corr.copy()
    path = purification_path(corr, kept, fit=lambda items: float(len(items)))
    assert [step.item for step in path] == [5, 6]
    np.testing.assert_array_equal(path[-1].kept, np.arange(5))
    assert [(s.fit, s.fit_without) for s in path] == [(7, 6), (6, 5)]
    assert path[-1].alpha_without == pytest.approx(5 * 0.5 / 3)
    assert path[0].alpha == cronbach_alpha(corr).alpha
    np.testing.assert_array_equal(corr, before)
    np.testing.assert_array_equal(kept, np.arange(7))


def test_no_drop_leaves_fewer_than_three_items():
    corr = np.eye(4)
    path = purification_path(corr + 0.1, np.arange(4), min_gain=-np.inf)
    assert [len(step.kept) for step in path] == [3]
    assert propose_drop(corr, np.arange(4), candidates=np.array([9]), min_gain=-np.inf) is None
