"""Whether a division comes back when the survey is drawn again: its segments, and its people.

Owns what is done with resamples of people, for any way of dividing them. Never chooses k, and runs
no process: whoever has several cores gives a ``mapper``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.flow import cross_table
from psychoseg.stats.indices import nested_cuts, systematic_sample
from psychoseg.stats.linkage import ward_linkage

__all__ = [
    "BORDER",
    "Bootstrap",
    "Divide",
    "Mapper",
    "best_match",
    "bootstrap",
    "border_share",
    "one_by_one",
    "slsw",
    "ward_cuts",
]

#: Divides points (n, d) with weights (n,) into each of several numbers of segments: labels (n, s),
#: 0 to k - 1, or -1 for a point in none. A method that draws random numbers starts a generator of
#: its own at each call, so that the answer does not depend on which resample came before.
Divide = Callable[[FloatArray, FloatArray, Sequence[int]], IntArray]

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


class Mapper(Protocol):
    """Applies a function to jobs and gives the results in the order of the jobs."""

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], /
    ) -> Iterable[_Result]:
        """Return one result a job."""
        ...


#: People drawn in a resample at the most: a tree costs time with the square of its points.
MAX_DRAWN = 4000
#: Points whose certainty is found at the most; beyond, those of an evenly spaced sample.
MAX_CERTAIN = 20_000
#: A cluster that comes back less well than the first (Jaccard) is dissolved, one that comes back
#: better than the second is recovered: Hennig (2007), section 3, and ``fpc::clusterboot``.
_DISSOLVED, _RECOVERED = 0.5, 0.75
#: A respondent who keeps the segment in fewer resamples is on a border. Half way between .5, where
#: either of two segments is as likely, and 1.
BORDER = 0.75
#: The quantile of the Jaccard similarities that stands for a bad resample.
_LOW = 0.05


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How well s divisions come back from resamples.

    Attributes
    ----------
    jaccard : list of s ndarrays, shape (k,)
        Mean similarity of each segment to its best match in a resample. Below .6 a segment is not
        to be trusted, from .75 it is valid, from .85 highly stable (Hennig 2007).
    low : list of s ndarrays, shape (k,)
        The 5% quantile of the same.
    recovered, dissolved : list of s ndarrays of int, shape (k,)
        Resamples with a similarity above .75, and of .5 or less.
    values : list of s ndarrays, shape (replicates, k)
        The similarities themselves.
    certainty : ndarray, shape (m, s)
        Share of the resamples in which a point goes to the segment it has; NaN for a point in none
        and, where there are more than :data:`MAX_CERTAIN` points, for those not looked at.
    """

    jaccard: list[FloatArray]
    low: list[FloatArray]
    recovered: list[IntArray]
    dissolved: list[IntArray]
    values: list[FloatArray]
    certainty: FloatArray


def one_by_one(function: Callable[[_Job], _Result], jobs: Sequence[_Job], /) -> Iterable[_Result]:
    """Apply a function to jobs in this process: the mapper where none is given."""
    return map(function, jobs)


def ward_cuts(x: FloatArray, weights: FloatArray, ks: Sequence[int]) -> IntArray:
    """Cut one Ward tree into each number of segments, shape (n, s): the default way to divide."""
    cuts = nested_cuts(ward_linkage(x, weights), max(ks))
    return cuts[:, [k - 1 for k in ks]]


def bootstrap(
    x: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    cuts: IntArray,
    *,
    rng: np.random.Generator,
    replicates: int = 100,
    divide: Divide = ward_cuts,
    material: FloatArray | None = None,
    mapper: Mapper = one_by_one,
    progress: Callable[[], None] | None = None,
) -> Bootstrap:
    """Divide resamples of the people again and see which segments and which people come back.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Distinct points in canonical order.
    weights : ndarray, shape (m,)
        Weight at each point.
    counts : ndarray, shape (m,)
        People at each point: a resample draws people.
    cuts : ndarray of int, shape (m, s)
        Divisions to judge, each with labels 0 to k - 1 (-1 for a point in no segment); a resample
        is divided into as many segments.
    rng : numpy.random.Generator
        Each resample has a child of it, so that a mapper's workers change nothing.
    replicates : int
    divide : callable
        See :data:`Divide`. Told to make no more segments than a resample has points.
    material : ndarray, shape (m, q), optional
        What is divided, row by row, where that is not ``x``: answers, for latent classes.
    mapper : callable
        See :class:`Mapper`.
    progress : callable, optional
        Called after each resample.

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError
        Where shapes do not fit, a coordinate is not finite, a weight or count is not positive, or
        there are no replicates.

    Notes
    -----
    As many people as there are (at most :data:`MAX_DRAWN`) are drawn with replacement. Those drawn
    are divided, each once and with the own weight, and compared with their segments by weight:
    ``fpc::clusterboot(bootmethod = "boot", multipleboot = FALSE)``, its default. (With people
    counted as often as drawn, USArrests' segments have up to .05 less.) A segment of
    which nobody was drawn counts 0.

    For certainty, the segments of a resample are matched with the given ones, one to one, so that
    the weight in matched pairs is greatest, and every point, drawn or not, goes to the nearest
    weighted mean of the resample's segments. A point that a tree puts into a segment whose mean
    is not the nearest is therefore uncertain, and rightly so.

    References
    ----------
    Hennig (2007), Comput. Stat. Data Anal. 52, 258-271.
    """
    _check(x, weights, counts, cuts, replicates)
    looked = np.flatnonzero(systematic_sample(np.ones(len(x)), min(len(x), MAX_CERTAIN)))
    given = x if material is None else material
    job = partial(_come_back, x, given, weights, _ends(counts), cuts, looked, divide)
    ks = cuts.max(axis=0) + 1
    values = [np.zeros((replicates, k)) for k in ks]
    stayed = np.zeros((len(looked), len(ks)))
    for b, (similar, stays) in enumerate(mapper(job, rng.spawn(replicates))):
        for s, found in enumerate(similar):
            values[s][b] = found
        stayed += stays
        if progress is not None:
            progress()
    certainty = np.full(cuts.shape, np.nan)
    certainty[looked] = stayed / replicates
    certainty[cuts < 0] = np.nan
    return Bootstrap(
        jaccard=[v.mean(axis=0) for v in values],
        low=[np.quantile(v, _LOW, axis=0) for v in values],
        recovered=[(v > _RECOVERED).sum(axis=0) for v in values],
        dissolved=[(v <= _DISSOLVED).sum(axis=0) for v in values],
        values=values,
        certainty=certainty,
    )


def border_share(certainty: FloatArray, weights: FloatArray) -> float:
    """Return the share of the weight on a border: of certainty below :data:`BORDER`.

    Parameters
    ----------
    certainty : ndarray, shape (m,)
        NaN for points that are left out.
    weights : ndarray, shape (m,)

    Returns
    -------
    float
        NaN where every point is left out.
    """
    known = ~np.isnan(certainty)
    if not known.any():
        return float("nan")
    return float(weights[known & (certainty < BORDER)].sum() / weights[known].sum())


def slsw(
    x: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    labels: IntArray,
    *,
    rng: np.random.Generator,
    pairs: int = 100,
    divide: Divide = ward_cuts,
    material: FloatArray | None = None,
    mapper: Mapper = one_by_one,
    progress: Callable[[], None] | None = None,
) -> FloatArray:
    """Compute segment level stability within a solution, for each pair of resamples.

    Parameters
    ----------
    x, weights, counts, rng, divide, material, mapper
        As in :func:`bootstrap`.
    labels : ndarray of int, shape (m,)
        The division to judge, 0 to k - 1, -1 for a point in no segment.
    pairs : int
        Pairs of resamples.
    progress : callable, optional
        Called after each pair.

    Returns
    -------
    ndarray, shape (pairs, k)
        A column a segment, for a box plot of the segment. 1: found again whole.

    Raises
    ------
    ValueError
        As :func:`bootstrap` does.

    Notes
    -----
    Two resamples with replacement are divided, people counted as often as they are drawn; all
    points go to the nearest weighted mean of each; the value is the mean over the two of the
    segment's highest Jaccard similarity, by weight. flexclust's ``slswFlexclust`` has the same for
    its k-centroid methods, whose own division is one by nearest means too. A tree's is not: its
    segments can stay below 1 even where every resample has the same tree.

    References
    ----------
    Dolnicar & Leisch (2017), Marketing Letters 28, 423-436. Dolnicar, Grun & Leisch (2018), Market
    Segmentation Analysis, section 7.5.4.
    """
    _check(x, weights, counts, labels[:, None], pairs)
    given = x if material is None else material
    job = partial(_pair, x, given, weights, _ends(counts), labels, divide)
    out = np.zeros((pairs, int(labels.max()) + 1))
    for b, found in enumerate(mapper(job, rng.spawn(pairs))):
        out[b] = found
        if progress is not None:
            progress()
    return out


def best_match(table: FloatArray) -> IntArray:
    """Match the columns of a cross-table with its rows, one to one, by the greatest total.

    Parameters
    ----------
    table : ndarray, shape (a, b)

    Returns
    -------
    ndarray of int, shape (b,)
        The row of each column; -1 where it has none, or nothing in common with it.
    """
    owner = np.full(table.shape[1], -1)
    rows, cols = linear_sum_assignment(table, maximize=True)
    shared = table[rows, cols] > 0
    owner[cols[shared]] = rows[shared]
    return owner


def _check(
    x: FloatArray, weights: FloatArray, counts: FloatArray, cuts: IntArray, replicates: int
) -> None:
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        msg = "coordinates must be a finite array with at least one row and one column"
        raise ValueError(msg)
    for name, values in (("weights", weights), ("counts", counts)):
        if values.shape != (len(x),) or not (np.isfinite(values) & (values > 0)).all():
            msg = f"{name} must be positive and finite, one a point"
            raise ValueError(msg)
    if cuts.shape[0] != len(x) or cuts.shape[1] == 0 or cuts.min() < -1 or (cuts.max(0) < 0).any():
        msg = "a division has a label 0 to k - 1 (or -1) for each point, and at least one segment"
        raise ValueError(msg)
    if replicates < 1:
        msg = f"at least 1 resample has to be drawn, not {replicates}"
        raise ValueError(msg)


def _ends(counts: FloatArray) -> IntArray:
    """Return up to which person, from 0, people stand at the points."""
    ends = np.rint(np.cumsum(counts)).astype(np.intp)
    ends[-1] = max(ends[-1], 1)
    return ends


def _drawn(rng: np.random.Generator, ends: IntArray, *, once: bool) -> IntArray:
    """Draw people with replacement; return how many of each point came, each once or each time."""
    n_people = int(ends[-1])
    people = rng.integers(n_people, size=min(n_people, MAX_DRAWN))
    if once:
        people = np.unique(people)
    return np.bincount(np.searchsorted(ends, people, side="right"), minlength=len(ends))


def _divided(
    material: FloatArray,
    weights: FloatArray,
    ends: IntArray,
    times: IntArray,
    divide: Divide,
    ks: IntArray,
) -> tuple[IntArray, FloatArray, IntArray]:
    """Return the points that were drawn, the weight drawn of each, and their divisions."""
    here = np.flatnonzero(times)
    weight = weights[here] * times[here] / np.diff(ends, prepend=0)[here]
    if len(here) == 1:
        return here, weight, np.zeros((1, len(ks)), dtype=np.intp)
    return here, weight, divide(material[here], weight, [min(int(k), len(here)) for k in ks])


def _come_back(
    x: FloatArray,
    material: FloatArray,
    weights: FloatArray,
    ends: IntArray,
    cuts: IntArray,
    looked: IntArray,
    divide: Divide,
    rng: np.random.Generator,
) -> tuple[list[FloatArray], FloatArray]:
    """Return each segment's similarity in one resample, and which points stay where they are."""
    ks = cuts.max(axis=0) + 1
    here, weight, again = _divided(
        material, weights, ends, _drawn(rng, ends, once=True), divide, ks
    )
    similar, stays = [], np.zeros((len(looked), len(ks)))
    for s, k in enumerate(ks):
        own, other = cuts[here, s], again[:, s]
        table = cross_table(own, other, weight, int(k))
        similar.append(_best_jaccard(table, own, other, weight))
        if table.size:
            went = best_match(table)[_nearest(x[looked], x[here], weight, other)]
            stays[:, s] = went == cuts[looked, s]
    return similar, stays


def _pair(
    x: FloatArray,
    material: FloatArray,
    weights: FloatArray,
    ends: IntArray,
    labels: IntArray,
    divide: Divide,
    rng: np.random.Generator,
) -> FloatArray:
    k = int(labels.max()) + 1
    total = np.zeros(k)
    for _ in range(2):
        times = _drawn(rng, ends, once=False)
        here, weight, again = _divided(material, weights, ends, times, divide, np.array([k]))
        if again.max() >= 0:
            went = _nearest(x, x[here], weight, again[:, 0])
            total += _best_jaccard(cross_table(labels, went, weights, k), labels, went, weights)
    return total / 2


def _best_jaccard(
    table: FloatArray, own: IntArray, other: IntArray, weights: FloatArray
) -> FloatArray:
    """Return each own segment's highest weighted Jaccard similarity to one of the others."""
    k, k_other = table.shape
    if k_other == 0:
        return np.zeros(k)
    # One more than the label: what is in no segment falls into the first cell.
    size = np.bincount(own + 1, weights=weights, minlength=k + 1)[1:]
    other_size = np.bincount(other + 1, weights=weights, minlength=k_other + 1)[1:]
    union = size[:, None] + other_size - table
    best: FloatArray = (table / np.where(table > 0, union, 1.0)).max(axis=1)
    return best


def _nearest(x: FloatArray, drawn: FloatArray, weights: FloatArray, labels: IntArray) -> IntArray:
    """Return the segment of the nearest weighted mean for each row of x."""
    k = int(labels.max()) + 1
    cells = labels + 1
    mass = np.bincount(cells, weights=weights, minlength=k + 1)[1:]
    sums = [np.bincount(cells, weights=weights * c, minlength=k + 1)[1:] for c in drawn.T]
    filled = np.flatnonzero(mass > 0)
    centres = np.column_stack(sums)[filled] / mass[filled, None]
    nearest: IntArray = filled[cdist(x, centres, "sqeuclidean").argmin(axis=1)]
    return nearest
