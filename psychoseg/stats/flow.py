"""Where segments come from and where they go when their number changes.

Owns the flows between two divisions of the same people and segment level stability across
solutions. Draws nothing, neither random numbers nor figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.validity import contingency

__all__ = ["AcrossSolutions", "Flow", "cross_table", "flows", "slsa"]


@dataclass(frozen=True, slots=True)
class Flow:
    """People who are in one segment of a division and in one of the next.

    Attributes
    ----------
    source, target : int
        0-based labels.
    weight : float
        More than 0.
    """

    source: int
    target: int
    weight: float


@dataclass(frozen=True, slots=True)
class AcrossSolutions:
    """Segment level stability across s divisions, one entry a division.

    Attributes
    ----------
    from_previous : list of s ndarrays, shape (k,)
        Dolnicar & Leisch's SLSa: 1 where all of a segment was one segment of the division before,
        0 where it comes from all of them alike. NaN in the first division and after one segment.
    into_next : list of s ndarrays, shape (k,)
        The same looking on: 1 where all of a segment stays together in the next division. NaN in
        the last division and before one segment.
    flows : list of s - 1 lists of Flow
        From each division into the next.
    """

    from_previous: list[FloatArray]
    into_next: list[FloatArray]
    flows: list[list[Flow]]


def cross_table(
    source: IntArray, target: IntArray, weights: FloatArray, k: int | None = None
) -> FloatArray:
    """Return the weight in each pair of segments, of the points that both put into one.

    Parameters
    ----------
    source, target : ndarray of int, shape (m,)
        0-based labels, -1 for a point in no segment.
    weights : ndarray, shape (m,)
    k : int, optional
        Segments of ``source``, where its last ones may be missing; those seen where absent.

    Returns
    -------
    ndarray, shape (k, k_target)
    """
    table = np.zeros((int(source.max()) + 1 if k is None else k, int(target.max()) + 1))
    both = (source >= 0) & (target >= 0)
    if both.any():
        cells = contingency(source[both], target[both], weights[both])
        table[: cells.shape[0], : cells.shape[1]] = cells
    return table


def flows(source: IntArray, target: IntArray, weights: FloatArray) -> list[Flow]:
    """Return the weight in each pair of segments that have people in common.

    Parameters
    ----------
    source, target : ndarray of int, shape (m,)
        0-based labels; a point of label -1 in either is left out.
    weights : ndarray, shape (m,)

    Returns
    -------
    list of Flow
        By source, then target.
    """
    table = cross_table(source, target, weights)
    return [Flow(int(a), int(b), float(table[a, b])) for a, b in np.argwhere(table > 0)]


def slsa(cuts: IntArray, weights: FloatArray) -> AcrossSolutions:
    """Compute segment level stability across solutions, and the flows between them.

    Parameters
    ----------
    cuts : ndarray of int, shape (m, s)
        Divisions by number of segments; labels 0 to k - 1, -1 for a point in none.
    weights : ndarray, shape (m,)

    Returns
    -------
    AcrossSolutions

    Raises
    ------
    ValueError
        Where shapes do not fit, or a weight is not positive.

    Notes
    -----
    ``1 - H / log(k)``: H is the entropy of the shares of a segment that come from each of the k
    segments of the division before. Cuts of one tree are nested, so that looking back every
    segment comes from one and has SLSa 1 whatever the data; what tells of a tree's segment is
    whether it is divided in the next cut (``into_next``), and for how many cuts it is not.

    References
    ----------
    Dolnicar & Leisch (2017), Marketing Letters 28, 423-436. Dolnicar, Grun & Leisch (2018), Market
    Segmentation Analysis, section 7.5.4. As flexclust's ``slsaplot``, whose values are entropies,
    1 less these.
    """
    if cuts.ndim != 2 or not cuts.size or weights.shape != (len(cuts),):
        msg = "divisions are columns of labels, one row and one weight a point"
        raise ValueError(msg)
    if not (np.isfinite(weights) & (weights > 0)).all():
        msg = "weights must be positive and finite"
        raise ValueError(msg)
    n_divisions = cuts.shape[1]
    back = [np.full(int(k) + 1, np.nan) for k in cuts.max(axis=0)]
    on = [b.copy() for b in back]
    for s in range(n_divisions - 1):
        table = cross_table(cuts[:, s], cuts[:, s + 1], weights)
        on[s] = _undivided(table)
        back[s + 1] = _undivided(table.T)
    steps = [flows(cuts[:, s], cuts[:, s + 1], weights) for s in range(n_divisions - 1)]
    return AcrossSolutions(back, on, steps)


def _undivided(table: FloatArray) -> FloatArray:
    """Return 1 less the relative entropy of each row; NaN for an empty row or a single column."""
    k = table.shape[1]
    total = table.sum(axis=1, keepdims=True)
    if k < 2:
        return np.full(len(table), np.nan)
    share = table / np.where(total > 0, total, np.nan)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
    # Rounding could leave a hair outside 0 to 1.
    undivided: FloatArray = np.clip(1 - entropy / np.log(k), 0.0, 1.0)
    return undivided
