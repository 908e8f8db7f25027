"""Which cells of the profile tables are shown: none on too few people, none that gives one away.

Owns the choice over all cuts at once, since the cuts are nested and their tables stand in one
report. The rule is in ``psychoseg.stats.disclosure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from psychoseg.profiles.tables import Gathered, Line
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.disclosure import publishable_cells
from psychoseg.stats.groups import group_bases

__all__ = ["Shown", "shown_beside_total", "shown_cells"]

#: What is hidden last: the figures of all people, then those of the reported segments.
_TOTAL, _REPORTED, _OTHER = 2, 1, 0


@dataclass(frozen=True, slots=True)
class Shown:
    """Which cells are shown.

    Attributes
    ----------
    means, shares : mapping of int to ndarray of bool, shape (lines, k + 1)
        By the number of segments: for each line of ``Gathered`` each segment and, last, all.
    """

    means: Mapping[int, BoolArray]
    shares: Mapping[int, BoolArray]


def shown_cells(
    gathered: Gathered, into: Mapping[int, IntArray], *, reported: int, min_base: int
) -> Shown:
    """Choose the cells to show in the tables of every cut.

    Parameters
    ----------
    gathered : Gathered
        Sums by atom.
    into : mapping of int to ndarray of int, shape (atoms,)
        For each number of segments the segment of each atom, from 0; cuts are nested.
    reported : int
        The number of segments whose cells are hidden last.
    min_base : int
        The least number of people behind a figure, and of effective ones where people weigh
        differently; 1 hides nothing.

    Returns
    -------
    Shown
    """
    known: dict[bytes, dict[int, BoolArray]] = {}

    def by_cut(line: Line) -> dict[int, BoolArray]:
        sums, people = line.sums, group_bases(line.sums).people
        # A weight that counts people makes nobody heavier than another one.
        weights, squares = (people, people) if sums.counts else (sums.weight, sums.weight2)
        # Most variables were answered by the same people.
        key = np.concatenate([people, weights, squares]).tobytes()
        if key not in known:
            known[key] = _choose(people, weights, squares, into, reported, min_base)
        return known[key]

    lines = ([by_cut(line) for line in part] for part in (gathered.means, gathered.shares))
    means, shares = (
        {k: np.array([own[k] for own in part], dtype=bool).reshape(-1, k + 1) for k in into}
        for part in lines
    )
    return Shown(means, shares)


def shown_beside_total(people: FloatArray | IntArray, min_base: int) -> tuple[BoolArray, bool]:
    """Choose among the figures of each segment (k,) and of all, where there are no other cuts."""
    if min_base <= 1:
        return np.ones(len(people), dtype=bool), True
    cells = np.vstack([np.eye(len(people), dtype=bool), np.ones(len(people), dtype=bool)])
    keep = np.append(np.full(len(people), _REPORTED), _TOTAL)
    shown = publishable_cells(people, cells, least=min_base, keep=keep)
    return shown[:-1], bool(shown[-1])


def _choose(
    people: FloatArray,
    weights: FloatArray,
    squares: FloatArray,
    into: Mapping[int, IntArray],
    reported: int,
    min_base: int,
) -> dict[int, BoolArray]:
    if min_base <= 1:
        return {k: np.ones(k + 1, dtype=bool) for k in into}
    cells = [np.ones((1, len(people)), dtype=bool)]
    keep = [np.array([_TOTAL])]
    for k, segment_of in into.items():
        cells.append(np.arange(k)[:, None] == segment_of[None, :])
        keep.append(np.full(k, _REPORTED if k == reported else _OTHER))
    overall, *shown = publishable_cells(
        people,
        np.vstack(cells),
        least=min_base,
        keep=np.concatenate(keep),
        weights=weights,
        squares=squares,
    )
    ends = np.cumsum(list(into))
    return {
        k: np.array([*shown[end - k : end], overall]) for k, end in zip(into, ends, strict=True)
    }
