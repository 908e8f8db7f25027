"""Ranks: numbers of which each person gives each one once, to all options or to the first few."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.stems import shape_groups, stem_groups
from psychoseg.stats.arrays import FloatArray

__all__ = ["Ranks", "find_ranks", "rank_depth"]

#: Share of the people with two answers or more whose numbers run 1, 2, 3, ... without a tie.
_RANKED = 0.9
#: Fewer people than this may do so by chance; so may most people where there are two columns.
_PEOPLE, _COLUMNS = 10, 3
#: Nobody puts more options than this into an order; such numbers are places in the questionnaire.
_MOST = 20
#: What a program calls the place at which it showed an item: pos_3, Q3_order.
_PLACES = re.compile(
    r"(^|[_. ])(pos|position|order|place|seq|sequence|display|do)[_. ]?\d+$"
    r"|\d[_. ]?(i|pos|position|order|place|seq|sequence|display|do)$"
)


@dataclass(frozen=True, slots=True)
class Ranks:
    """Columns that hold ranks.

    Attributes
    ----------
    columns : tuple of Looked
    stem : str
    depth : int
        How many options each person ranked: the number of columns where all are.
    shown : bool
        They are the places in which items were shown, not answers.
    """

    columns: tuple[Looked, ...]
    stem: str
    depth: int
    shown: bool

    @property
    def partial(self) -> bool:
        """Tell whether people ranked some of the options only."""
        return self.depth < len(self.columns)


def find_ranks(columns: Sequence[Looked]) -> list[Ranks]:
    """Find the columns of one question that hold ranks, in file order."""
    numbers = [
        c for c in columns if c.kind == "numeric" and not c.field.value_labels and not c.demographic
    ]
    found = []
    taken: set[str] = set()
    groups = (
        *stem_groups(numbers, least=_COLUMNS),
        *shape_groups(numbers, least=_COLUMNS),
    )
    for stem, members in groups:
        if taken.intersection(c.name for c in members):
            continue
        codes = np.column_stack([np.array([*c.numbers, np.nan])[c.codes] for c in members])
        depth = rank_depth(codes)
        if depth:
            named = all(_named_like_places(c.name) for c in members)
            found.append(Ranks(tuple(members), stem, depth, named or len(members) > _MOST))
            taken |= {c.name for c in members}
    return sorted(found, key=lambda r: r.columns[0].position)


def rank_depth(codes: FloatArray) -> int:
    """Return how many options were ranked, 0 where numbers are no ranks.

    Parameters
    ----------
    codes : ndarray, shape (n, p)
        NaN, 0 or a negative number for what was not ranked.
    """
    p = codes.shape[1]
    if p < _COLUMNS:
        return 0
    x = np.where((codes > 0) & (codes <= p), codes, np.inf)
    held = np.isfinite(x).sum(axis=1)
    several = held >= 2
    if several.sum() < max(_PEOPLE, 0.5 * (held > 0).sum()):
        return 0
    ordered = np.sort(x[several], axis=1)
    steps = np.arange(1, p + 1)
    right = ((ordered == steps) | ~np.isfinite(ordered)).all(axis=1)
    if right.mean() < _RANKED:
        return 0
    return int(np.median(held[several]))


def _named_like_places(name: str) -> bool:
    return _PLACES.search(name.casefold()) is not None
