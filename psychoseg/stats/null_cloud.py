"""Are there gaps between people that one cloud does not have? A test against a matched cloud.

Owns the single cloud (same covariance, same discreteness, single-peaked columns), draws from it and
the tests against it: of all people, and of each cluster that a tree divides next. Never says what
follows from a p-value (``choice`` and ``verdict`` do).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.stats import norm

from psychoseg.stats.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    canonical_order,
    on_grid,
    positive_signs,
)
from psychoseg.stats.indices import systematic_sample
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.stability import Mapper, one_by_one
from psychoseg.stats.valleys import mean_depths

__all__ = [
    "CloudTest",
    "NodeTests",
    "SingleCloud",
    "draw_cloud",
    "fit_cloud",
    "node_tests",
    "null_test",
    "ward_of_people",
]

#: Builds a tree over points (n, d) with weights (n,).
Grow = Callable[[FloatArray, FloatArray], FloatArray]

#: Up to so many different values a column is an answer scale: any shares of its answers come from
#: one normal variable cut at thresholds, as in the polychoric correlation.
_ANSWER_VALUES = 7
#: Up to so many different values each keeps its own share; beyond, the range is cut into as many.
_BINS = 30
#: Where the quantile function of a column is looked at to compare it with a normal variable.
_GRID = (np.arange(1000) + 0.5) / 1000
_GRID_NORMAL = norm.ppf(_GRID)
#: Least eigenvalue of the normal variables' correlation matrix.
_LEAST_EIGENVALUE = 1e-3
#: People that a test looks at at the most, for all of them and for one cluster of a tree.
MAX_PEOPLE, MAX_NODE = 2000, 500
#: A cluster of fewer people for each coordinate than this is too small to tell from one cloud.
_PEOPLE_PER_COORDINATE, _LEAST_PEOPLE = 3, 20
#: Clusters up to which a cluster of the tree is divided: one that holds several may not show them
#: when cut in two.
_NODE_K = 6


@dataclass(frozen=True, slots=True)
class SingleCloud:
    """A multivariate normal distribution seen through the columns' own scales.

    Attributes
    ----------
    root : ndarray, shape (d, d)
        Lower Cholesky factor of the normal variables' correlation matrix.
    values : tuple of d ndarrays
        A discrete column's values, or the edges of a continuous one's bins.
    shares : tuple of d ndarrays
        Cumulative shares at these values or edges.
    discrete : tuple of d bool
    """

    root: FloatArray
    values: tuple[FloatArray, ...]
    shares: tuple[FloatArray, ...]
    discrete: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class CloudTest:
    """People held against draws from the single cloud that matches them.

    Attributes
    ----------
    p_value : float
        Share of the clouds, the people's own included, that are as clustered as the people.
    statistic : float
        The largest ``z``.
    excess : float
        By how many standard deviations of the clouds' largest z it exceeds their mean: goes on
        where the p-value cannot get smaller.
    z : ndarray, shape (s,)
        By how many standard deviations the mean depth of the valleys between the halves of the
        first k - 1 divisions exceeds that of single clouds, k = 2, 3, ...
    best_k : int
        The k of the largest z.
    n_people : int
        People looked at.
    sampled : bool
        True where these are a sample.
    """

    p_value: float
    statistic: float
    excess: float
    z: FloatArray
    best_k: int
    n_people: int
    sampled: bool


@dataclass(frozen=True, slots=True)
class NodeTests:
    """The cluster that each cut divides next, held against one cloud of its own.

    Attributes
    ----------
    p_value : ndarray, shape (s,)
        Entry j belongs to the cluster that the cut into j + 1 divides; 1 where it has too few
        people to tell.
    excess : ndarray, shape (s,)
        As in :class:`CloudTest`; 0 where it has too few people to tell.
    """

    p_value: FloatArray
    excess: FloatArray


def ward_of_people(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Build Ward's tree, by scipy's faster routine where all weights are the same."""
    if (weights != weights[0]).any():
        return ward_linkage(x, weights)
    tree = np.asarray(linkage(x, "ward"), dtype=np.float64)
    tree[:, 2] *= np.sqrt(weights[0])
    return tree


def null_test(
    columns: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    *,
    rng: np.random.Generator,
    coordinates: Callable[[FloatArray], FloatArray] | None = None,
    nominal: BoolArray | None = None,
    replicates: int = 99,
    k_max: int = 10,
    max_people: int = MAX_PEOPLE,
    grow: Grow = ward_of_people,
    mapper: Mapper = one_by_one,
) -> CloudTest:
    """Test whether there are gaps between people that one cloud with their covariance has not.

    Parameters
    ----------
    columns : ndarray, shape (m, d)
        What was measured, distinct points in canonical order, no NaN. Nominal columns as codes.
    weights : ndarray, shape (m,)
        Weight at each point.
    counts : ndarray, shape (m,)
        People at each point.
    rng : numpy.random.Generator
        Each cloud has a child of it, so that a mapper's workers change nothing.
    coordinates : callable, optional
        The same standardisation and reduction as for the tree, with fixed constants: columns
        (n, d) to coordinates (n, c). Absent, the columns are the coordinates.
    nominal : ndarray of bool, shape (d,), optional
        Columns whose codes have no order.
    replicates : int
        Clouds drawn; 99 allow p-values down to .01.
    k_max : int
    max_people : int
        Above, an evenly spaced sample of so many is looked at.
    grow : callable
        Builds the tree.
    mapper : callable
        Applies a function to a list of jobs, results in order. Where it does so in other processes,
        ``coordinates`` and ``grow`` must be picklable.

    Returns
    -------
    CloudTest

    Raises
    ------
    ValueError
        Where there are fewer than 3 people.

    Notes
    -----
    The cloud: normal variables, correlated so that the drawn columns correlate as the observed
    (Pearson), each turned into its column's values. A column of up to 7 values keeps the
    shares of its values, since thresholds on a normal variable can give any; one of more values
    gets the closest single-peaked distribution, so that skew, heavy tails and ceilings are not
    taken for clusters and two peaks are. The cloud may be round or long. Categories are put in the
    order of their means on the first principal component.

    The statistic: for k = 2 to k_max the mean depth of the valleys of the first k - 1 divisions
    (:func:`mean_depths`), standardised by mean and standard deviation over all replicates and the
    people themselves, so that people and clouds are exchangeable; the largest over k. ``p = (b + 1)
    / (B + 1)``. Each drawn person carries the weight of an observed one. The within sum of squares,
    the statistic of SigClust, sees two clusters less often (at 4 standard deviations in 70 to 90%
    of surveys of 500 instead of 95 to 100%) and takes every bent or uneven cloud for several.

    References
    ----------
    Kimes, Liu, Hayes & Marron (2017), Biometrics 73, 811-821, the divisions of a tree against a
    normal cloud. Hennig & Lin (2015), Statistics and Computing 25, 821-833, clouds with the data's
    own peculiarities as null model. Davison & Hinkley (1997), 4.2, the p-value.
    """
    take, per_head, sampled = _people(weights, counts, max_people)
    if len(take) < 3:
        msg = f"a test against one cloud takes at least 3 people, not {len(take)}"
        raise ValueError(msg)
    flags = np.zeros(columns.shape[1], dtype=bool) if nominal is None else nominal
    ordered, codes = _ordered_categories(columns, weights, flags)
    cloud = fit_cloud(ordered, weights)
    depths = _Depths(
        cloud=cloud,
        codes=tuple(codes.items()),
        coordinates=coordinates or _as_they_are,
        weights=per_head / per_head.mean(),
        k_max=k_max,
        grow=grow,
    )
    clouds = list(mapper(depths.of_cloud, rng.spawn(replicates)))
    deep = np.array([depths.of_people(ordered[take]), *clouds])
    spread = deep.std(axis=0)
    z = (deep - deep.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    largest = z.max(axis=1)
    null_spread = float(largest[1:].std())
    as_clustered = int((largest[1:] >= largest[0]).sum())
    return CloudTest(
        p_value=(as_clustered + 1) / (replicates + 1),
        statistic=float(largest[0]),
        excess=float(largest[0] - largest[1:].mean()) / (null_spread if null_spread > 0 else 1.0),
        z=z[0],
        best_k=int(z[0].argmax()) + 2,
        n_people=len(take),
        sampled=sampled,
    )


def node_tests(
    columns: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    labels: IntArray,
    *,
    rng: np.random.Generator,
    coordinates: Callable[[FloatArray], FloatArray] | None = None,
    nominal: BoolArray | None = None,
    replicates: int = 49,
    max_people: int = MAX_NODE,
    grow: Grow = ward_of_people,
    mapper: Mapper = one_by_one,
) -> NodeTests:
    """Test each cluster that the cuts of a tree divide next against one cloud of its own.

    Parameters
    ----------
    columns, weights, counts, rng, coordinates, nominal, replicates, max_people, grow, mapper
        As in :func:`null_test`.
    labels : ndarray of int, shape (m, s)
        Cuts into 1, 2, ..., s clusters of one tree.

    Returns
    -------
    NodeTests
    """
    n_divisions = labels.shape[1] - 1
    p_value, excess = np.ones(n_divisions), np.zeros(n_divisions)
    least = max(_LEAST_PEOPLE, _PEOPLE_PER_COORDINATE * columns.shape[1])
    flags = np.zeros(columns.shape[1], dtype=bool) if nominal is None else nominal
    tested, jobs = [], []
    for j, child in enumerate(rng.spawn(n_divisions)):
        parent = labels[np.unique(labels[:, j + 1], return_index=True)[1], j]
        here = labels[:, j] == np.bincount(parent).argmax()
        if counts[here].sum() < least:
            continue
        tested.append(j)
        jobs.append(_Node(columns[here], weights[here], counts[here], child))
    test = partial(
        _test_node,
        coordinates=coordinates,
        nominal=flags,
        replicates=replicates,
        max_people=max_people,
        grow=grow,
    )
    for j, found in zip(tested, mapper(test, jobs), strict=True):
        p_value[j], excess[j] = found.p_value, found.excess
    return NodeTests(p_value, excess)


def fit_cloud(columns: FloatArray, weights: FloatArray) -> SingleCloud:
    """Fit the single cloud with the covariance and the discreteness of the columns.

    Parameters
    ----------
    columns : ndarray, shape (n, d)
        No NaN. A constant column stays constant.
    weights : ndarray, shape (n,)

    Returns
    -------
    SingleCloud
    """
    d = columns.shape[1]
    scales = [_marginal(columns[:, j], weights) for j in range(d)]
    kept = np.ones(d)
    for j, (values, shares, discrete) in enumerate(scales):
        seen = _quantiles(values, shares, discrete, _GRID)
        if seen.std() > 0:
            kept[j] = np.corrcoef(_GRID_NORMAL, seen)[0, 1]
    mean, sd = weighted_mean_sd(columns, weights)
    z = (columns - mean) / np.where(sd > 0, sd, 1.0)
    corr = (z * weights[:, None]).T @ z / weights.sum() / np.outer(kept, kept)
    np.fill_diagonal(corr, 1.0)
    lambdas, vectors = np.linalg.eigh(corr)
    corr = (vectors * np.maximum(lambdas, _LEAST_EIGENVALUE)) @ vectors.T
    size = np.sqrt(np.diag(corr))
    return SingleCloud(
        root=np.linalg.cholesky(corr / np.outer(size, size)),
        values=tuple(s[0] for s in scales),
        shares=tuple(s[1] for s in scales),
        discrete=tuple(s[2] for s in scales),
    )


def draw_cloud(cloud: SingleCloud, n: int, rng: np.random.Generator) -> FloatArray:
    """Draw n people from a single cloud, shape (n, d)."""
    u = norm.cdf(rng.standard_normal((n, len(cloud.root))) @ cloud.root.T)
    return np.column_stack(
        [
            _quantiles(values, shares, discrete, u[:, j])
            for j, (values, shares, discrete) in enumerate(
                zip(cloud.values, cloud.shares, cloud.discrete, strict=True)
            )
        ]
    )


@dataclass(frozen=True, slots=True)
class _Depths:
    """Valley depths of people, observed or drawn; can be sent to another process."""

    cloud: SingleCloud
    codes: tuple[tuple[int, FloatArray], ...]
    coordinates: Callable[[FloatArray], FloatArray]
    weights: FloatArray
    k_max: int
    grow: Grow

    def of_cloud(self, rng: np.random.Generator) -> FloatArray:
        return self.of_people(draw_cloud(self.cloud, len(self.weights), rng))

    def of_people(self, people: FloatArray) -> FloatArray:
        for j, code in self.codes:
            people[:, j] = code[people[:, j].astype(np.intp)]
        # On a grid, so that rounding does not decide which of equal distances is the shorter.
        x = on_grid(self.coordinates(people))
        order = canonical_order(x, self.weights)
        x, weights = x[order], self.weights[order]
        return mean_depths(x, weights, self.grow(x, weights), self.k_max)


@dataclass(frozen=True, slots=True)
class _Node:
    """The people of one cluster of a tree, and their random numbers."""

    columns: FloatArray
    weights: FloatArray
    counts: FloatArray
    rng: np.random.Generator


def _test_node(
    node: _Node,
    *,
    coordinates: Callable[[FloatArray], FloatArray] | None,
    nominal: BoolArray,
    replicates: int,
    max_people: int,
    grow: Grow,
) -> CloudTest:
    return null_test(
        node.columns,
        node.weights,
        node.counts,
        rng=node.rng,
        coordinates=coordinates,
        nominal=nominal,
        replicates=replicates,
        k_max=_NODE_K,
        max_people=max_people,
        grow=grow,
    )


def _as_they_are(columns: FloatArray) -> FloatArray:
    return columns


def _people(
    weights: FloatArray, counts: FloatArray, max_people: int
) -> tuple[IntArray, FloatArray, bool]:
    """Return the point and the weight of each person looked at, and whether they are a sample."""
    n_people = round(float(counts.sum()))
    sampled = n_people > max_people
    times = systematic_sample(counts, min(n_people, max_people))
    take = np.repeat(np.arange(len(counts)), times)
    return take, (weights / counts)[take], sampled


def _ordered_categories(
    columns: FloatArray, weights: FloatArray, nominal: BoolArray
) -> tuple[FloatArray, dict[int, FloatArray]]:
    """Return nominal columns as places in a useful order, and the code at each place."""
    out = columns.astype(np.float64)
    codes: dict[int, FloatArray] = {}
    if not nominal.any():
        return out, codes
    parts = [columns[:, ~nominal]]
    inverses = {}
    for j in np.flatnonzero(nominal).tolist():
        values, inverse = np.unique(columns[:, j], return_inverse=True)
        share = np.bincount(inverse, weights=weights) / weights.sum()
        parts.append(np.eye(len(values))[inverse] / np.sqrt(share))
        inverses[j] = values, inverse
    wide = np.column_stack(parts)
    mean, sd = weighted_mean_sd(wide, weights)
    numeric = int((~nominal).sum())
    sd[numeric:] = 1.0
    z = (wide - mean) / np.where(sd > 0, sd, 1.0)
    vectors = np.linalg.eigh((z * weights[:, None]).T @ z)[1]
    first = z @ (vectors[:, -1] * positive_signs(vectors[:, -1:]))
    for place, (values, inverse) in inverses.items():
        mass = np.bincount(inverse, weights=weights)
        order = np.argsort(np.bincount(inverse, weights=weights * first) / mass, kind="stable")
        out[:, place] = np.argsort(order)[inverse]
        codes[place] = values[order]
    return out, codes


def _marginal(column: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray, bool]:
    """Return values or bin edges, cumulative shares there, and whether the column is discrete."""
    values, place = np.unique(column, return_inverse=True)
    if len(values) <= _BINS:
        share = np.bincount(place, weights=weights) / weights.sum()
        if len(values) > _ANSWER_VALUES:
            share = _single_peaked(share)
        return values, np.cumsum(share), True
    edges = np.linspace(values[0], values[-1], _BINS + 1)
    share = np.histogram(column, edges, weights=weights)[0] / weights.sum()
    cumulative = np.append(0.0, np.cumsum(_single_peaked(share)))
    # Smoothing moves mean and spread a little; the cloud has those of the data.
    seen = np.interp(_GRID, cumulative, edges)
    mean, sd = weighted_mean_sd(column[:, None], weights)
    return mean[0] + (edges - seen.mean()) * (sd[0] / seen.std()), cumulative, False


def _quantiles(values: FloatArray, shares: FloatArray, discrete: bool, u: FloatArray) -> FloatArray:
    if discrete:
        return values[np.minimum(np.searchsorted(shares, u), len(values) - 1)]
    return np.asarray(np.interp(u, shares, values), dtype=np.float64)


def _single_peaked(share: FloatArray) -> FloatArray:
    """Return the closest shares, by squares, that rise to one peak and then fall."""
    best, least = share, np.inf
    for peak in range(len(share)):
        left, right = _rising(share[: peak + 1]), _rising(share[peak + 1 :][::-1])[::-1]
        fitted = np.concatenate([left, right])
        distance = float(((fitted - share) ** 2).sum())
        if distance < least - 1e-15 and (len(right) == 0 or right[0] <= left[-1] + 1e-15):
            best, least = fitted, distance
    peaked: FloatArray = best / best.sum()
    return peaked


def _rising(y: FloatArray) -> FloatArray:
    """Return the closest non-decreasing sequence: pool adjacent violators (Barlow et al. 1972)."""
    means: list[float] = []
    sizes: list[int] = []
    for value in y.tolist():
        means.append(value)
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            size = sizes[-2] + sizes[-1]
            pooled = (means[-2] * sizes[-2] + means[-1] * sizes[-1]) / size
            means[-2:], sizes[-2:] = [pooled], [size]
    return np.repeat(means, sizes) if means else np.empty(0)
