"""The gap statistic and prediction strength: numbers of clusters judged by new sets of people.

Owns both for k = 1, 2, ... Never builds the tree of all people; both grow trees of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import FloatArray, IntArray, canonical_order
from psychoseg.stats.indices import nested_cuts, systematic_sample
from psychoseg.stats.null_cloud import Grow, ward_of_people
from psychoseg.stats.reduction import principal_components
from psychoseg.stats.stability import Mapper, one_by_one
from psychoseg.stats.validity import contingency

__all__ = ["Gap", "gap_statistic", "log_within", "prediction_strength"]

#: People that either looks at at the most: trees cost time with the square of their points.
MAX_PEOPLE = 2000


@dataclass(frozen=True, slots=True)
class Gap:
    """The gap statistic for k = 1, 2, ...

    Attributes
    ----------
    log_within : ndarray, shape (s,)
        log(W_k / W_1).
    expected : ndarray, shape (s,)
        Its mean over the reference sets.
    gap : ndarray, shape (s,)
        Expected less observed.
    se : ndarray, shape (s,)
        Standard deviation over the reference sets (ddof 1), by ``sqrt(1 + 1 / B)``.
    k : int
        The smallest k whose gap is at least the next one's less its ``se``; the last k where
        there is none.
    n_people : int
        People looked at.
    sampled : bool
        True where these are a sample.
    """

    log_within: FloatArray
    expected: FloatArray
    gap: FloatArray
    se: FloatArray
    k: int
    n_people: int
    sampled: bool


def gap_statistic(
    x: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    *,
    rng: np.random.Generator,
    k_max: int = 15,
    replicates: int = 50,
    max_people: int = MAX_PEOPLE,
    grow: Grow = ward_of_people,
    mapper: Mapper = one_by_one,
) -> Gap:
    """Compare the within sums of squares with those of people spread evenly over the same box.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Distinct points in canonical order.
    weights : ndarray, shape (m,)
        Weight at each point.
    counts : ndarray, shape (m,)
        People at each point.
    rng : numpy.random.Generator
        Each reference set has a child of it, so that a mapper's workers change nothing.
    k_max : int
        Lowered to the number of people.
    replicates : int
        Reference sets drawn.
    max_people : int
        Above, an evenly spaced sample of so many is looked at.
    grow : callable
        Builds a Ward tree: sums of squares are read off its heights.
    mapper : callable
        Applies a function to a list of jobs, results in order.

    Returns
    -------
    Gap

    Notes
    -----
    The box is that of the principal components, as in ``cluster::clusGap(spaceH0 = "scaledPCA")``;
    W is the sum of squared distances to the means, Tibshirani's own (``d.power = 2``; clusGap's
    default is 1). Taken relative to W_1 on both sides, which moves every gap by
    that of k = 1; rescaled weights change nothing. Each reference person carries the weight of an
    observed one.

    References
    ----------
    Tibshirani, Walther & Hastie (2001), J. R. Stat. Soc. B 63, 411-423.
    """
    n_people = round(float(counts.sum()))
    times = systematic_sample(counts, min(n_people, max_people))
    take = np.repeat(np.arange(len(x)), times)
    weight = (weights / counts)[take]
    k_max = min(k_max, len(take))
    centred = x - weights @ x / weights.sum()
    scores = principal_components(centred, weights).scores
    box = _Box(scores.min(axis=0), scores.max(axis=0), weight, k_max, grow)
    observed = box.log_w(scores[take])
    reference = np.array(list(mapper(box.log_w_of_reference, rng.spawn(replicates))))
    expected = reference.mean(axis=0)
    se = reference.std(axis=0, ddof=1) * np.sqrt(1 + 1 / replicates)
    gap = expected - observed
    enough = np.flatnonzero(gap[:-1] >= gap[1:] - se[1:])
    return Gap(
        log_within=observed - observed[0],
        expected=expected,
        gap=gap,
        se=se,
        k=int(enough[0]) + 1 if len(enough) else k_max,
        n_people=len(take),
        sampled=n_people > max_people,
    )


def prediction_strength(
    x: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    *,
    rng: np.random.Generator,
    k_max: int = 15,
    replicates: int = 20,
    max_people: int = MAX_PEOPLE,
    grow: Grow = ward_of_people,
    mapper: Mapper = one_by_one,
) -> FloatArray:
    """Compute how well clusters of one half of the people predict those of the other.

    Parameters
    ----------
    x, weights, counts, rng, k_max, replicates, max_people, grow, mapper
        As in :func:`gap_statistic`; ``replicates`` counts the times people are halved.

    Returns
    -------
    ndarray, shape (k_max,)
        For k = 1, 2, ...: in the worst cluster of a half, the share of pairs of people that the
        nearest mean of the other half's clusters also puts together; mean over both halves and all
        replicates. 1 at k = 1.

    Notes
    -----
    The largest k of at least .8 is the number of clusters. Pairs count by weight, weights with
    mean one; a cluster of one person or less predicts itself, as in ``fpc::prediction.strength``,
    whose ``classification = "centroid"`` this is.

    References
    ----------
    Tibshirani & Walther (2005), J. Comput. Graph. Stat. 14, 511-528.
    """
    n_people = round(float(counts.sum()))
    times = systematic_sample(counts, min(n_people, max_people))
    take = np.repeat(np.arange(len(x)), times)
    weight = (weights / counts)[take]
    weight = weight / weight.mean()
    # A half of one person makes one cluster and no pair.
    if len(take) < 4:
        return np.ones(1)
    k_max = min(k_max, len(take) // 2)
    halves = _Halves(x[take], weight, k_max, grow)
    strength = np.zeros(k_max)
    for found in mapper(halves.strength, rng.spawn(replicates)):
        strength += found
    return strength / replicates


def log_within(x: FloatArray, weights: FloatArray, k_max: int, grow: Grow) -> FloatArray:
    """Return log(W_k / W_1) on the Ward tree of x for k = 2 to k_max, shape (k_max - 1,).

    Where there are fewer points than k, and where nothing is left within, the log of 1e-12.
    """
    order = canonical_order(x, weights)
    tree = grow(x[order], weights[order])
    # Half the squared height of a Ward merge is the sum of squares that it adds.
    gained = np.zeros(k_max - 1)
    top = tree[::-1, 2][: k_max - 1] ** 2 / 2
    gained[: len(top)] = np.cumsum(top)
    gained[len(top) :] = gained[len(top) - 1]
    total = float((tree[:, 2] ** 2).sum() / 2)
    if total == 0:
        return np.zeros(k_max - 1)
    return np.log(np.maximum(1 - gained / total, 1e-12))


@dataclass(frozen=True, slots=True)
class _Box:
    """The box of the principal components; can be sent to another process."""

    low: FloatArray
    high: FloatArray
    weights: FloatArray
    k_max: int
    grow: Grow

    def log_w_of_reference(self, rng: np.random.Generator) -> FloatArray:
        return self.log_w(rng.uniform(self.low, self.high, (len(self.weights), len(self.low))))

    def log_w(self, points: FloatArray) -> FloatArray:
        # Absolute sums of squares of the first cut, so that the gap at k = 1 counts as well.
        mass = self.weights.sum()
        mean = self.weights @ points / mass
        total = float((self.weights[:, None] * (points - mean) ** 2).sum()) / mass
        curve = np.append(0.0, log_within(points, self.weights, self.k_max, self.grow))
        return np.asarray(curve + np.log(max(total, 1e-300)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Halves:
    """People to be halved; can be sent to another process."""

    x: FloatArray
    weights: FloatArray
    k_max: int
    grow: Grow

    def strength(self, rng: np.random.Generator) -> FloatArray:
        mixed = rng.permutation(len(self.x))
        half = len(self.x) // 2
        parts, cuts = [], []
        for some in (mixed[:half], mixed[half:]):
            points, w = self.x[some], self.weights[some]
            order = canonical_order(points, w)
            parts.append((points[order], w[order]))
            cuts.append(nested_cuts(self.grow(points[order], w[order]), self.k_max))
        out = np.zeros(self.k_max)
        for a, b in ((0, 1), (1, 0)):
            for k in range(1, self.k_max + 1):
                own, other = cuts[a][:, k - 1], cuts[b][:, k - 1]
                predicted = cdist(parts[a][0], _centres(*parts[b], other)).argmin(axis=1)
                out[k - 1] += _worst_pairs(own, predicted, parts[a][1]) / 2
        return out


def _centres(points: FloatArray, weights: FloatArray, labels: IntArray) -> FloatArray:
    member = np.eye(int(labels.max()) + 1)[labels] * weights[:, None]
    centres: FloatArray = member.T @ points / member.sum(axis=0)[:, None]
    return centres


def _worst_pairs(own: IntArray, predicted: IntArray, weights: FloatArray) -> float:
    table = contingency(own, predicted, weights)
    # A person makes no pair with oneself: what is left out is the square of each one's weight.
    alone = np.bincount(own, weights=weights**2)
    pairs = table.sum(axis=1) ** 2 - alone
    together = (table**2).sum(axis=1) - alone
    return float(np.where(pairs > 1e-9, together / np.where(pairs > 1e-9, pairs, 1.0), 1.0).min())
