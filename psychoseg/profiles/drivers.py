"""Drivers: what sets a segment apart from the rest, strongest first.

Owns which figures of the profile tables count as drivers. Computes no statistic but bases, and
writes no words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.naming import Driver, size_of
from psychoseg.profiles.figures import Figure, read_figures
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.stats.arrays import FloatArray

__all__ = ["MAX_CATEGORIES_PER_VARIABLE", "MAX_DRIVERS", "MIN_DRIVER_PEOPLE", "find_drivers"]

#: A column's driver that rests on fewer people is chance: the customary least cell of a table
#: (Cochran 1954).
MIN_DRIVER_PEOPLE = 5

#: As many drivers as a persona card holds.
MAX_DRIVERS = 8
#: Two categories of one variable say what a third would repeat.
MAX_CATEGORIES_PER_VARIABLE = 2

#: Effects that are equal to so many decimals are tied: far above rounding error, far below anything
#: that matters.
_TIE_DECIMALS = 9


def find_drivers(
    sample: Sample, means: pd.DataFrame, shares: pd.DataFrame
) -> dict[int, list[Driver]]:
    """Return the drivers of each segment, strongest first, with one scale at least.

    Parameters
    ----------
    sample : Sample
    means, shares : DataFrame
        Those of :class:`psychoseg.profiles.Profiles`; a hidden figure is NaN and drives nothing.

    Returns
    -------
    dict of int to list of Driver
        At most 8, two categories of a variable, none of them negligible; a scale beside them where
        none is clear.

    Notes
    -----
    A scale whose alpha is below :data:`psychoseg.naming.LEAST_ALPHA` drives nothing: its items do
    not say one thing that could be said of anybody. Ranked by the absolute value of Cohen's d or h,
    ties by the variable's name. A category that few people stand behind is left out, and of a
    variable with two categories the one that there is less of: the other says it.
    """
    found: dict[int, list[Driver]] = {s: [] for s in sample.segments}
    people = {(v.name, str(v.role)): _People.of(sample, v) for v in sample.variables}
    for f in read_figures(means, shares):
        if np.isnan(f.effect) or not _has_people(f, sample, people):
            continue
        if f.kind == "scale" and f.variable in sample.weak:
            continue
        kind = "category" if f.table == "shares" else f.kind
        found[f.segment].append(
            Driver(
                kind,
                f.variable,
                f.label,
                f.category,
                f.effect,
                size_of(f.effect),
                f.value,
                f.total,
                int(f.base),
            )
        )
    for candidates in found.values():
        candidates.sort(key=lambda d: (-round(abs(d.effect), _TIE_DECIMALS), d.variable))
    return {s: _strongest(candidates) for s, candidates in found.items()}


@dataclass(frozen=True, slots=True)
class _People:
    """How many people of each segment answered (g,) and chose each code (g, codes)."""

    answered: FloatArray
    chose: FloatArray

    @classmethod
    def of(cls, sample: Sample, variable: SampleVariable) -> _People:
        each = sample.weights if sample.counts else np.ones(len(sample.labels))
        known, groups = variable.known, len(sample.segments) + 1
        labels, each = sample.labels[known], each[known]
        answered = np.bincount(labels, weights=each, minlength=groups).astype(np.float64)
        if variable.kind not in ("categorical", "choice"):
            return cls(answered, np.empty((groups, 0)))
        width = max(len(variable.categories or ()), 2)
        cells = labels * width + variable.codes()[known]
        chose = np.bincount(cells, weights=each, minlength=groups * width).astype(np.float64)
        return cls(answered, chose.reshape(groups, width))


def _has_people(f: Figure, sample: Sample, people: Mapping[tuple[str, str], _People]) -> bool:
    """Return whether enough people are behind a figure for it to be a driver."""
    if f.table == "means":
        answered = people[f.variable, f.role].answered[f.segment]
        return f.kind == "scale" or bool(answered >= MIN_DRIVER_PEOPLE)
    if f.kind == "choice":
        of, code = people[sample.option(f.variable, f.category).name, f.role], 1
    else:
        of = people[f.variable, f.role]
        code = (sample.variable(f.variable, f.role).categories or ()).index(f.category)
        if (of.chose.sum(axis=0) > 0).sum() == 2 and f.effect < 0:
            # Fewer of one is more of the other, and the other says it.
            return False
    # More of a category needs people here who chose it; fewer of it, people anywhere who did.
    chose = of.chose[f.segment, code] if f.effect > 0 else of.chose[:, code].sum()
    return bool(min(chose, of.answered[f.segment]) >= MIN_DRIVER_PEOPLE)


def _strongest(ranked: Sequence[Driver]) -> list[Driver]:
    times: Counter[str] = Counter()
    chosen: list[Driver] = []
    for driver in ranked:
        if driver.size != "negligible" and times[driver.variable] < MAX_CATEGORIES_PER_VARIABLE:
            times[driver.variable] += 1
            chosen.append(driver)
    chosen = chosen[:MAX_DRIVERS]
    scale = next((d for d in ranked if d.kind == "scale"), None)
    if scale is not None and all(d.kind != "scale" for d in chosen):
        chosen = [*chosen[: MAX_DRIVERS - 1], scale]
    return chosen
