"""How far segments hang on what should not matter: the order of the rows, errors of measurement.

Owns both audits for any way of dividing. Never judges what is much or little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from scipy.cluster.hierarchy import linkage

from psychoseg.stats.arrays import FloatArray, IntArray, canonical_order, collapse
from psychoseg.stats.flow import cross_table
from psychoseg.stats.indices import systematic_sample
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.stability import Divide, Mapper, best_match, one_by_one, ward_cuts
from psychoseg.stats.validity import adjusted_rand

__all__ = ["JitterAudit", "OrderAudit", "Spread", "jitter_audit", "order_audit"]

#: People that an audit looks at at the most: it takes some tens of trees, and textbook Ward keeps
#: all distances.
MAX_PEOPLE = 2000


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, middle and largest of some values."""

    least: float
    median: float
    largest: float


@dataclass(frozen=True, slots=True)
class OrderAudit:
    """Adjusted Rand indices between divisions of the same people in other row orders.

    Attributes
    ----------
    textbook : Spread
        Between any two shuffles, both through textbook Ward.
    textbook_with_ours : Spread
        Between each shuffle through textbook Ward and ours of the rows as they came.
    ours : Spread
        Between any two of the same shuffles, both through ours, and with the rows as they came.
    n_people : int
        People looked at.
    sampled : bool
        True where these are a sample.
    """

    textbook: Spread
    textbook_with_ours: Spread
    ours: Spread
    n_people: int
    sampled: bool


@dataclass(frozen=True, slots=True)
class JitterAudit:
    """What errors of measurement do to a division.

    Attributes
    ----------
    rand : ndarray, shape (replicates,)
        Adjusted Rand index with the division without added error, by weight.
    kept : ndarray, shape (replicates,)
        Share of the weight that keeps its segment.
    kept_by_segment : ndarray, shape (replicates, k)
        The same within each segment; NaN where a sample has nobody of it.
    n_people : int
        People looked at.
    sampled : bool
        True where these are a sample, which is compared with its own division.
    """

    rand: FloatArray
    kept: FloatArray
    kept_by_segment: FloatArray
    n_people: int
    sampled: bool

    @property
    def spread(self) -> Spread:
        """The adjusted Rand indices in three numbers."""
        return _spread(self.rand)


def order_audit(
    x: FloatArray,
    counts: FloatArray,
    k: int,
    *,
    rng: np.random.Generator,
    shuffles: int = 20,
    max_people: int = MAX_PEOPLE,
    divide: Divide = ward_cuts,
    mapper: Mapper = one_by_one,
) -> OrderAudit:
    """Shuffle the same people and divide them each time, by textbook Ward and by ours.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Distinct points in canonical order.
    counts : ndarray, shape (m,)
        People at each point: each is a row.
    k : int
        Segments.
    rng : numpy.random.Generator
    shuffles : int
        At least 2.
    max_people : int
        Above, an evenly spaced sample of so many is looked at.
    divide : callable
        Ours: see :data:`psychoseg.stats.stability.Divide`.
    mapper : callable
        See :class:`psychoseg.stats.stability.Mapper`.

    Returns
    -------
    OrderAudit

    Raises
    ------
    ValueError
        Where a coordinate is not finite, a count is not positive, there are fewer than 2 shuffles,
        or k is not between 1 and the number of distinct points looked at.

    Notes
    -----
    Textbook Ward is scipy's ``linkage(method="ward")``, which as R's ``hclust`` takes the first of
    equal distances in row order. It has no case weights, so that people count alike for both.
    Ours is computed anew for each shuffle, from the shuffled rows on.
    """
    if shuffles < 2:
        msg = f"shuffles = {shuffles}: it takes 2 to compare"
        raise ValueError(msg)
    _check_points(x, counts, "counts")
    n_people = max(round(float(counts.sum())), 1)
    times = systematic_sample(counts, min(n_people, max_people))
    n_points = int((times > 0).sum())
    if not 1 <= k <= n_points:
        msg = f"k = {k} is not between 1 and the {n_points} distinct points that are looked at"
        raise ValueError(msg)
    rows = np.repeat(x, times, axis=0)
    ours_as_given = _ours(rows, k, divide)
    job = partial(_shuffled, rows, k, divide)
    both = list(mapper(job, rng.spawn(shuffles)))
    textbook, ours = [b[0] for b in both], [ours_as_given, *(b[1] for b in both)]
    return OrderAudit(
        textbook=_spread([adjusted_rand(a, b) for a, b in combinations(textbook, 2)]),
        textbook_with_ours=_spread([adjusted_rand(a, ours_as_given) for a in textbook]),
        ours=_spread([adjusted_rand(a, b) for a, b in combinations(ours, 2)]),
        n_people=len(rows),
        sampled=n_people > max_people,
    )


def jitter_audit(
    columns: FloatArray,
    error_sd: FloatArray,
    project: Callable[[FloatArray], FloatArray],
    weights: FloatArray,
    labels: IntArray,
    *,
    rng: np.random.Generator,
    replicates: int = 20,
    max_people: int = MAX_PEOPLE,
    divide: Divide = ward_cuts,
    mapper: Mapper = one_by_one,
) -> JitterAudit:
    """Add errors of the size of the measurement error to the columns and divide again.

    Parameters
    ----------
    columns : ndarray, shape (n, c)
        One row a person, in any order.
    error_sd : ndarray, shape (c,)
        Standard deviation of the error of each column: for a scale ``sd * sqrt(1 - alpha)``, its
        standard error of measurement; 0 for a column that is taken as it is.
    project : callable
        Columns to coordinates (n, d), a row from a row alone: the standardisation and the
        components found without added error.
    weights : ndarray, shape (n,)
    labels : ndarray of int, shape (n,)
        The division of the people as they are, 0 to k - 1, -1 for one in no segment.
    rng : numpy.random.Generator
    replicates : int
    max_people : int
        Above, an evenly spaced sample of so many is looked at and compared with its own division,
        so that sampling is not taken for error.
    divide, mapper : callable
        As in :func:`psychoseg.stats.stability.bootstrap`.

    Returns
    -------
    JitterAudit

    Raises
    ------
    ValueError
        Where shapes do not fit, a column is not finite, an error is negative or a weight is not
        positive.

    Notes
    -----
    Normal errors, unrelated to each other. The answers have errors already, so that this shows
    twice their variance: a cautious picture. Segments are matched one to one by the greatest
    weight in common.

    References
    ----------
    Hennig (2007), Comput. Stat. Data Anal. 52, 258-271, section 2.2, jittering. Lord & Novick
    (1968), Statistical Theories of Mental Test Scores, ch. 3, the standard error of measurement.
    """
    _check_points(columns, weights, "weights")
    if labels.shape != weights.shape or labels.min() < -1 or labels.max() < 0:
        msg = "labels must be 0 to k - 1 (or -1), one a person"
        raise ValueError(msg)
    if error_sd.shape != columns.shape[1:] or not (np.isfinite(error_sd) & (error_sd >= 0)).all():
        msg = "error_sd must be finite and not below 0, one a column"
        raise ValueError(msg)
    if replicates < 1:
        msg = f"at least 1 replicate is needed, not {replicates}"
        raise ValueError(msg)
    k = int(labels.max()) + 1
    order = canonical_order(columns, weights)
    if len(order) > max_people:
        order = order[np.flatnonzero(systematic_sample(np.ones(len(order)), max_people))]
    rows, mass, base = columns[order], weights[order], labels[order]
    if len(order) < len(columns):
        base = _division(project(rows), mass, k, divide)
    job = partial(_jittered, rows, error_sd, project, mass, base, k, divide)
    found = list(mapper(job, rng.spawn(replicates)))
    kept_weight = np.array([f[1] for f in found])
    in_segment = np.bincount(base[base >= 0], weights=mass[base >= 0], minlength=k)
    return JitterAudit(
        rand=np.array([f[0] for f in found]),
        kept=kept_weight.sum(axis=1) / in_segment.sum(),
        kept_by_segment=kept_weight / np.where(in_segment > 0, in_segment, np.nan),
        n_people=len(order),
        sampled=len(order) < len(columns),
    )


def _check_points(x: FloatArray, weights: FloatArray, name: str) -> None:
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        msg = "values must be a finite array with at least one row and one column"
        raise ValueError(msg)
    if weights.shape != (len(x),) or not (np.isfinite(weights) & (weights > 0)).all():
        msg = f"{name} must be positive and finite, one a row"
        raise ValueError(msg)


def _shuffled(
    rows: FloatArray, k: int, divide: Divide, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return the textbook's division of the shuffled rows and ours, in the order of the rows."""
    order = rng.permutation(len(rows))
    textbook, ours = np.empty(len(rows), dtype=np.intp), np.empty(len(rows), dtype=np.intp)
    shuffled = rows[order]
    textbook[order] = cut_tree(linkage(shuffled, "ward"), k) if len(rows) > 1 else 0
    ours[order] = _ours(shuffled, k, divide)
    return textbook, ours


def _ours(rows: FloatArray, k: int, divide: Divide) -> IntArray:
    return _division(rows, np.ones(len(rows)), k, divide)


def _division(x: FloatArray, weights: FloatArray, k: int, divide: Divide) -> IntArray:
    """Divide rows in any order: identical ones are one point, points in canonical order."""
    points = collapse(x, weights)
    if len(points.x) == 1:
        return np.zeros(len(x), dtype=np.intp)
    labels = divide(points.x, points.weights, [min(k, len(points.x))])[:, 0]
    found: IntArray = labels[points.point_of]
    return found


def _jittered(
    rows: FloatArray,
    error_sd: FloatArray,
    project: Callable[[FloatArray], FloatArray],
    weights: FloatArray,
    base: IntArray,
    k: int,
    divide: Divide,
    rng: np.random.Generator,
) -> tuple[float, FloatArray]:
    """Return the agreement with the division as it was, and the weight kept in each segment."""
    noisy = rows + rng.standard_normal(rows.shape) * error_sd
    again = _division(project(noisy), weights, k, divide)
    table = cross_table(base, again, weights, k)
    owner = best_match(table)
    kept = np.zeros(k)
    matched = np.flatnonzero(owner >= 0)
    kept[owner[matched]] = table[owner[matched], matched]
    return adjusted_rand(base, again, weights), kept


def _spread(values: list[float] | FloatArray) -> Spread:
    array = np.asarray(values)
    return Spread(float(array.min()), float(np.median(array)), float(array.max()))
