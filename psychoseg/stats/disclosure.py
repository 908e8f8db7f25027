"""Which figures may leave the house: none on too few people, and none that gives one away.

Owns the choice of cells to hide; knows neither names nor figures.

References
----------
Hundepool, A. et al. (2012). Statistical Disclosure Control. Section 4.4: secondary suppression.
"""

from __future__ import annotations

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["enough_people", "publishable_cells"]


def enough_people(sums: FloatArray, least: float) -> bool:
    """Tell whether a group is large enough to be shown.

    Parameters
    ----------
    sums : ndarray, shape (3,)
        People, the sum of their weights and the sum of the squares of their weights.
    least : float

    Returns
    -------
    bool
        Whether both the people and, under weights, Kish's effective number of them reach ``least``:
        where one weighs as much as all others together, the group's figure is that one's.

    Notes
    -----
    What holds of two groups apart holds of both together: by Cauchy's inequality the effective
    number of a union is at least the smaller of the two.
    """
    people, weight, square = (float(v) for v in sums)
    # A rounding error must not hide ten people of one weight.
    return people >= least and weight * weight >= square * least * (1 - 1e-9)


def publishable_cells(
    people: FloatArray | IntArray,
    cells: BoolArray,
    *,
    least: int,
    keep: IntArray | None = None,
    weights: FloatArray | None = None,
    squares: FloatArray | None = None,
) -> BoolArray:
    """Choose the cells whose figures may be shown.

    Parameters
    ----------
    people : ndarray, shape (a,)
        People in each atom, the smallest groups that cells are made of.
    cells : ndarray of bool, shape (c, a)
        The atoms of each cell. Any two cells are disjoint, or one holds the other. Cells of the
        same people are one cell.
    least : int
        A figure on fewer people is not shown.
    keep : ndarray of int, shape (c,), optional
        Where one of several cells must be hidden to protect another, that with the lowest value
        goes first, then the one with the fewest people.
    weights, squares : ndarray, shape (a,), optional
        Sums of the weights, and of their squares, of the people in each atom; of people who all
        weigh the same where absent.

    Returns
    -------
    ndarray of bool, shape (c,)

    Raises
    ------
    ValueError
        Where two cells overlap.

    Notes
    -----
    From means and bases anyone can subtract: a cell less the cells within it that are shown leaves
    a figure on the rest of its people. Every figure that can be had by adding and subtracting is on
    a union of such remainders, since these are disjoint and cells are unions of them. So the rule
    is that no remainder that has people has too few (:func:`enough_people`). Cells are taken from
    the smallest up; where the remainder of one is too small, cells right within it are hidden until
    it is not.
    """
    there = people > 0
    sets, which = np.unique(cells[:, there], axis=0, return_inverse=True)
    which = which.ravel()
    _check_nested(sets)
    own = [people, people if weights is None else weights, people if squares is None else squares]
    sums = sets @ np.column_stack(own).astype(np.float64)[there]
    size = sums[:, 0]
    rank = np.full(len(sets), np.iinfo(np.int64).min)
    np.maximum.at(rank, which, np.zeros(len(cells), dtype=np.int64) if keep is None else keep)
    shown = np.array([enough_people(s, max(least, 1)) for s in sums], dtype=bool)
    for cell in np.argsort(size, kind="stable"):
        if not shown[cell]:
            continue
        while True:
            inside = _right_within(sets, size, shown, int(cell))
            remainder = sums[cell] - sums[inside].sum(axis=0)
            if not len(inside) or remainder[0] == 0 or enough_people(remainder, least):
                break
            shown[inside[np.lexsort([inside, size[inside], rank[inside]])[0]]] = False
    result: BoolArray = shown[which]
    return result


def _check_nested(sets: BoolArray) -> None:
    counts = sets.astype(np.int64)
    shared = counts @ counts.T
    own = np.diag(shared)
    if ((shared > 0) & (shared < own[:, None]) & (shared < own[None, :])).any():
        raise ValueError("cells overlap without one holding the other")


def _right_within(
    sets: BoolArray, size: FloatArray | IntArray, shown: BoolArray, cell: int
) -> IntArray:
    """Return the largest shown cells inside a cell."""
    within = np.flatnonzero(
        shown & (size < size[cell]) & ~(sets & ~sets[cell]).any(axis=1) & (size > 0)
    )
    inside = sets[within].astype(np.int64)
    # A set is inside another one where all that it has is shared.
    held = (inside @ inside.T == inside.sum(axis=1)[:, None]).sum(axis=1)
    largest: IntArray = within[held == 1]
    return largest
