"""One division out of several: the consensus of an ensemble, and how stable it is.

Owns the consensus of given divisions. Never makes them: the methods and the numbers of segments
behind them are whoever calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray, collapse
from psychoseg.stats.linkage import cut_tree, ward_linkage
from psychoseg.stats.partition import consolidate
from psychoseg.stats.validity import adjusted_rand

__all__ = ["Consensus", "consensus"]

#: Ways of halving an ensemble that are looked at at the most.
_HALVES = 20


@dataclass(frozen=True, slots=True)
class Consensus:
    """The consensus of r divisions.

    Attributes
    ----------
    labels : ndarray of int, shape (m,)
        0 to k - 1, by first point.
    agreement : ndarray, shape (r,)
        Adjusted Rand index of the consensus with each division given; 0 with one of a single
        segment.
    between_members : float
        Mean adjusted Rand index of two of the divisions; NaN where there is one. A consensus that
        agrees with its members no better than they among themselves adds nothing.
    reproducibility : float
        Mean adjusted Rand index between the consensus of one half of the divisions and that of the
        other; NaN where there are fewer than 4.
    k : int
    """

    labels: IntArray
    agreement: FloatArray
    between_members: float
    reproducibility: float
    k: int


def consensus(
    divisions: IntArray, weights: FloatArray, k: int, *, rng: np.random.Generator
) -> Consensus:
    """Find the division into k segments from which the given ones differ least.

    Parameters
    ----------
    divisions : ndarray of int, shape (m, r)
        Labels of the same points, in canonical order, one division a column; of any methods and
        numbers of segments, each from 0 up.
    weights : ndarray, shape (m,)
        A point of weight w counts as w identical points. Give weights of mean one a person, as
        the Rand index is one of pairs of people.
    k : int
        From 1 to the number of different rows of ``divisions``.
    rng : numpy.random.Generator
        Draws the halves of the ensemble, where there are more than 20 ways.

    Returns
    -------
    Consensus

    Raises
    ------
    ValueError
        Where a label is below 0, a weight is not positive, every division is a single segment, or
        k is out of range.

    Notes
    -----
    Each segment of each division is a column of ones and zeros (over the root of 2), so that the
    squared distance of two points is the number of divisions that separate them: their distance in
    the co-association matrix, without that matrix. Weighted Ward on the distinct rows and then
    k-means from its cut make the sum of squares small, which is Mirkin's measure of how far the
    divisions differ from the consensus (Topchy et al. 2005). Neither the order of the divisions
    nor the numbers of their segments matter.

    Sawtooth's CCEA goes the same way: many divisions by several methods, recoded as indicators,
    clustered in their turn, and judged by how well the answer reproduces.

    References
    ----------
    Strehl & Ghosh (2002), J. Mach. Learn. Res. 3, 583-617. Topchy, Jain & Punch (2005), IEEE Trans.
    Pattern Anal. Mach. Intell. 27, 1866-1881. Orme & Johnson (2008), Improving K-Means Cluster
    Analysis: Ensemble Analysis Instead of Highest Reproducibility Replicates, Sawtooth Software
    Research Paper.
    """
    if divisions.ndim != 2 or not divisions.size or divisions.min() < 0:
        msg = (
            "divisions must be columns of labels from 0 up; leave out a division with points in "
            "no segment (-1)"
        )
        raise ValueError(msg)
    if weights.shape != (len(divisions),) or not (np.isfinite(weights) & (weights > 0)).all():
        msg = "weights must be positive and finite, one a point"
        raise ValueError(msg)
    members = _numbered(divisions)
    telling = members[:, members.max(axis=0) > 0]
    if not telling.shape[1] and k > 1:
        msg = "no division has more than one segment: there is nothing to agree on"
        raise ValueError(msg)
    labels = _agreed(telling, weights, k)
    columns = divisions.T
    pairs = [adjusted_rand(a, b, weights) for a, b in combinations(columns, 2)]
    halves = _halves(telling.shape[1], rng) if k > 1 else []
    again = [
        adjusted_rand(
            _agreed_at_most(telling[:, one], weights, k),
            _agreed_at_most(telling[:, other], weights, k),
            weights,
        )
        for one, other in halves
    ]
    return Consensus(
        labels=labels,
        agreement=np.array([adjusted_rand(labels, c, weights) for c in columns]),
        between_members=float(np.mean(pairs)) if pairs else float("nan"),
        reproducibility=float(np.mean(again)) if again else float("nan"),
        k=k,
    )


def _numbered(divisions: IntArray) -> IntArray:
    """Return segments numbered by first point, and the divisions in order of what they hold."""
    columns: list[list[int]] = []
    for column in divisions.T:
        _, first, inverse = np.unique(column, return_index=True, return_inverse=True)
        columns.append(np.argsort(np.argsort(first))[inverse].tolist())
    return np.array(sorted(columns), dtype=np.intp).T


def _agreed(members: IntArray, weights: FloatArray, k: int) -> IntArray:
    rows = np.unique(members, axis=0, return_inverse=True) if members.shape[1] else None
    n_rows = len(rows[0]) if rows is not None else 1
    if not 1 <= k <= n_rows:
        msg = f"k = {k} is not between 1 and the {n_rows} ways in which points are divided"
        raise ValueError(msg)
    if k == 1:
        return np.zeros(len(weights), dtype=np.intp)
    points = collapse(members.astype(np.float64), weights)
    at = points.x.astype(np.intp)
    coded = np.hstack([np.eye(int(c.max()) + 1)[c] for c in at.T]) / np.sqrt(2)
    cut = cut_tree(ward_linkage(coded, points.weights), k)
    found = consolidate(coded, points.weights, cut).partition.labels[points.point_of]
    first = np.unique(found, return_index=True)[1]
    labels: IntArray = np.argsort(np.argsort(first))[found]
    return labels


def _agreed_at_most(members: IntArray, weights: FloatArray, k: int) -> IntArray:
    """Return a consensus in k segments, or in fewer where half of the divisions tell fewer."""
    return _agreed(members, weights, min(k, len(np.unique(members, axis=0))))


def _halves(n: int, rng: np.random.Generator) -> list[tuple[IntArray, IntArray]]:
    """Return ways to halve n members, all of them or some drawn; none where n is below 4."""
    if n < 4:
        return []
    every = [c for c in combinations(range(n), n // 2) if n % 2 or c[0] == 0] if n <= 6 else []
    chosen = (
        [np.array(c) for c in every]
        if every
        else [np.sort(rng.permutation(n)[: n // 2]) for _ in range(_HALVES)]
    )
    return [(c, np.setdiff1d(np.arange(n), c)) for c in chosen]
