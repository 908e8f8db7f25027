"""Typical answers: what those nearest a segment's centre say, and who is the most typical.

Owns who counts as near the centre. What is shown is of several people at once: nobody's own answers
are printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from psychoseg.naming import decimals_of, say_number
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["TYPICAL_COLUMNS", "typical_answers"]

TYPICAL_COLUMNS = ("segment", "variable", "label", "value", "base")

#: Part of a segment, nearest its centre, that is typical: enough people that one of them is typical
#: in age too, few enough that all are typical in the scales.
_CORE_SHARE = 0.05
#: Rows of a distance matrix held at once: 512 x 20,000 doubles are 80 MB.
_CHUNK = 512
#: Points of a segment up to which each is held against each; of more, against an even sample.
_EVERY_POINT, _SAMPLED = 5_000, 500
#: Numbers that are equal to so many decimals are tied: far above rounding error, far below anything
#: that matters.
_TIE_DECIMALS = 9


def typical_answers(
    sample: Sample, segments: Segments, min_base: int
) -> tuple[pd.DataFrame, dict[int, int]]:
    """Return what is typically answered in each segment, and its typical respondent.

    Parameters
    ----------
    sample : Sample
    segments : Segments
    min_base : int
        Nothing is shown on fewer people.

    Returns
    -------
    typical : DataFrame
        ``segment, variable, label, value, base``: the median of a quantity, the most frequent
        category, "Chosen" or "Not chosen" for an option, each among those near the centre who
        answered; ``value`` is empty and ``base`` NaN where they are too few.
    rows : dict of int to int
        Position in the survey of each segment's typical respondent; never to be printed.

    Notes
    -----
    The centre is the medoid: points are ordered by the weighted sum of their Euclidean distances to
    the others of their segment in the space of the components (of segments of more than 5,000
    points, to 500 of them evenly spread in canonical order). The core is the first twentieth of the
    weight, at least the medoid; of it, the typical respondent is the one whose columns are nearest
    to the segment's. Those shown are the core or, where that is smaller, the first ``min_base``
    people and whoever stands on the last one's point. A weighted median of two middle answers is
    the lower; of equally frequent categories it is the first.
    """
    rows: dict[int, int] = {}
    lines = []
    place_of = np.asarray(segments.point_of)[sample.rows]
    for s in sample.segments:
        points, in_core = _from_the_centre(segments.points, s)
        rank_of = np.full(int(place_of.max(initial=0)) + 1, len(points))
        rank_of[points] = np.arange(len(points))
        inside = sample.labels == s
        rank = np.where(inside, rank_of[place_of], len(points))
        rows[s] = int(sample.rows[_typical(sample, inside, rank, in_core)])
        near = rank < max(in_core, _reach(np.sort(rank[inside]), min_base))
        for v in sample.variables:
            lines.append((s, v.name, _label(v), *_shown(sample, v, near, min_base)))
    return pd.DataFrame(lines, columns=list(TYPICAL_COLUMNS)), rows


def _from_the_centre(points: pd.DataFrame, segment: int) -> tuple[IntArray, int]:
    """Return the points of a segment from the medoid outwards, and how many are its core."""
    members = points[points["segment"] == segment].sort_values("point")
    components = [c for c in points.columns if str(c).startswith("comp_")]
    x = members[components].to_numpy(dtype=np.float64)
    weights = members["weight"].to_numpy(dtype=np.float64)
    every = len(x) <= _EVERY_POINT
    to = np.arange(len(x)) if every else np.linspace(0, len(x) - 1, _SAMPLED).round().astype(int)
    costs = np.concatenate(
        [cdist(x[i : i + _CHUNK], x[to]) @ weights[to] for i in range(0, len(x), _CHUNK)]
    )
    # Equal costs: the heavier point first, then the one with the smaller canonical index.
    relative = np.round(costs / max(costs.min(), 1e-300), _TIE_DECIMALS)
    order = np.lexsort([np.arange(len(x)), -weights, relative])
    within = np.cumsum(weights[order]) <= _CORE_SHARE * weights.sum()
    within[0] = True
    return members["point"].to_numpy()[order].astype(np.intp), int(within.sum())


def _typical(sample: Sample, inside: BoolArray, rank: IntArray, in_core: int) -> int:
    """Return the typical respondent of a segment as a position in the sample."""
    there = np.flatnonzero(rank < in_core)
    missing = np.zeros(len(there))
    distance = np.zeros(len(there))
    for v in sample.variables:
        if v.role == "scale":
            continue
        missing += np.isnan(v.values[there])
        distance += np.nan_to_num(_oddness(v, inside, sample.weights)[there])
    # Ties go to the first in canonical order: the same answers whatever the order of the rows.
    odd = np.round(distance, _TIE_DECIMALS)
    best = np.lexsort([np.arange(len(there)), rank[there], odd, missing])[0]
    return int(there[best])


def _reach(ranks: IntArray, people: int) -> int:
    """Return how many points from the centre hold so many people."""
    return int(ranks[min(people, len(ranks)) - 1]) + 1 if len(ranks) and people else 0


def _oddness(variable: SampleVariable, inside: BoolArray, weights: FloatArray) -> FloatArray:
    """Return how odd each answer is in a segment: deviations from its mean, or 1 - its share."""
    x = variable.values
    use = inside & variable.known
    if not use.any():
        return np.zeros(len(x))
    if variable.categories is None:
        mean = np.average(x[use], weights=weights[use])
        sd = float(np.sqrt(np.average((x[use] - mean) ** 2, weights=weights[use])))
        return np.abs(x - mean) / sd if sd > 0 else np.zeros(len(x))
    share = np.bincount(
        variable.codes()[use], weights=weights[use], minlength=len(variable.categories)
    )
    return np.where(variable.known, 1 - (share / share.sum())[variable.codes()], np.nan)


def _shown(
    sample: Sample, variable: SampleVariable, near: BoolArray, min_base: int
) -> tuple[str, float]:
    """Return the typical answer in words, and how many people it is of."""
    use = near & variable.known
    base = int(use.sum())
    if base < max(min_base, 1):
        return "", float("nan")
    x, w = variable.values[use], sample.weights[use]
    if variable.kind in ("categorical", "choice"):
        names = variable.categories or ("Not chosen", "Chosen")
        weight = np.bincount(x.astype(np.intp), weights=w, minlength=len(names))
        return names[int(np.round(weight, _TIE_DECIMALS).argmax())], float(base)
    order = np.argsort(x, kind="stable")
    half = np.searchsorted(np.cumsum(w[order]), w.sum() / 2 * (1 - 1e-12))
    value = float(x[order][half])
    if variable.kind == "scale":
        return say_number(value, 2), float(base)
    return say_number(value, 0 if value == round(value) else decimals_of(value)), float(base)


def _label(variable: SampleVariable) -> str:
    if variable.kind == "choice":
        return f"{variable.set_label}: {variable.label}"
    return variable.label
