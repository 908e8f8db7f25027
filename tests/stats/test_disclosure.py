"""No figure on too few people is shown, and none can be had by adding and subtracting."""

from itertools import combinations

import numpy as np
import pytest

from psychoseg.stats.disclosure import publishable_cells


def nested_cells(rng, atoms):
    """Return the cells of cuts into 1, 2, ... parts, each made by splitting one part in two."""
    parts = [list(range(atoms))]
    cells = [tuple(parts[0])]
    while any(len(p) > 1 for p in parts):
        part = parts.pop(rng.choice([i for i, p in enumerate(parts) if len(p) > 1]))
        at = rng.integers(1, len(part))
        parts += [part[:at], part[at:]]
        cells += [tuple(part[:at]), tuple(part[at:])]
    return np.array([[a in cell for a in range(atoms)] for cell in cells])


def recovered(people, cells, shown):
    """Return the sets of too few people whose figure is a combination of the figures shown."""
    published = cells[shown].astype(float)
    found = []
    there = np.flatnonzero(people)
    for size in range(1, len(there) + 1):
        for some in combinations(there, size):
            n = people[list(some)].sum()
            if n >= 10:
                continue
            target = np.zeros(len(people))
            target[list(some)] = 1
            fit = np.linalg.lstsq(published[:, there].T, target[there], rcond=None)[0]
            if np.abs(published[:, there].T @ fit - target[there]).max() < 1e-9:
                found.append(some)
    return found


def test_a_small_segment_hides_the_smallest_other_one_too():
    people = np.array([100, 60, 5])
    cells = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    assert publishable_cells(people, cells, least=10).tolist() == [True, False, False, True]


def test_two_small_segments_that_are_many_together_hide_no_other():
    people = np.array([100, 6, 5])
    cells = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    assert publishable_cells(people, cells, least=10).tolist() == [True, False, False, True]


def test_what_is_to_be_kept_is_hidden_last():
    people = np.array([100, 60, 5])
    cells = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    shown = publishable_cells(people, cells, least=10, keep=np.array([0, 1, 1, 1]))
    assert shown.tolist() == [False, True, False, True]


def test_a_finer_cut_does_not_give_away_what_the_coarser_one_hides():
    # The segment of 65 splits into 60 and 5: the 60 must go, for 65 - 60 are the 5.
    people = np.array([100, 60, 5])
    cells = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
    assert publishable_cells(people, cells, least=10).tolist() == [True, True, True, False, False]


def test_segments_of_the_same_people_are_one_cell():
    # Nobody in the third atom answered: the second segment is the same people in both cuts.
    people = np.array([50, 50, 0])
    cells = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]], dtype=bool)
    assert publishable_cells(people, cells, least=10).all()


def test_nothing_is_shown_of_too_few_people_in_all():
    assert not publishable_cells(np.array([4, 5]), np.ones((1, 2), dtype=bool), least=10).any()


def test_cells_that_overlap_are_refused():
    cells = np.array([[1, 1, 0], [0, 1, 1]], dtype=bool)
    with pytest.raises(ValueError, match="overlap"):
        publishable_cells(np.array([20, 20, 20]), cells, least=10)


@pytest.mark.parametrize("seed", range(20))
def test_an_attacker_recovers_no_figure_on_too_few_people(seed):
    rng = np.random.default_rng(seed)
    for _ in range(50):
        atoms = int(rng.integers(2, 7))
        people = rng.choice([0, 1, 3, 8, 9, 10, 12, 40, 200], atoms)
        cells = nested_cells(rng, atoms)
        keep = rng.integers(0, 2, len(cells))
        shown = publishable_cells(people, cells, least=10, keep=keep)
        assert recovered(people, cells, shown) == []


def test_hiding_only_the_small_ones_would_be_recovered():
    rng = np.random.default_rng(1)
    caught = 0
    for _ in range(50):
        people = rng.choice([3, 8, 40, 200], 5)
        cells = nested_cells(rng, 5)
        caught += bool(recovered(people, cells, cells @ people >= 10))
    assert caught > 25
