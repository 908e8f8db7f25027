"""How well a division fits the points, and how far two divisions agree."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import FloatArray, IntArray

__all__ = ["adjusted_rand", "contingency", "nested_silhouettes", "silhouette"]

#: Points whose distances to all others are held at once.
_CHUNK = 512


def contingency(a: IntArray, b: IntArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the (weighted) cross-table of two 0-based labelings, shape (k_a, k_b)."""
    shape = (int(a.max()) + 1, int(b.max()) + 1)
    cells = np.bincount(a * shape[1] + b, weights=weights, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.float64)


def adjusted_rand(a: IntArray, b: IntArray, weights: FloatArray | None = None) -> float:
    """Compute the adjusted Rand index of two divisions of the same people.

    Parameters
    ----------
    a, b : ndarray of int, shape (n,)
        Labels; their numbers do not matter.
    weights : ndarray, shape (n,), optional
        A weight of w counts as w people.

    Returns
    -------
    float
        1 for the same division, about 0 for unrelated ones.

    References
    ----------
    Hubert & Arabie (1985), J. Classif. 2, 193-218, eq. 5.
    """
    a = np.unique(a, return_inverse=True)[1]
    b = np.unique(b, return_inverse=True)[1]
    table = contingency(a, b, weights)
    total = table.sum()
    same = _pairs(table).sum()
    rows, cols = _pairs(table.sum(axis=1)).sum(), _pairs(table.sum(axis=0)).sum()
    expected = rows * cols / _pairs(np.array([total])).sum()
    highest = (rows + cols) / 2
    return 1.0 if highest == expected else float((same - expected) / (highest - expected))


def silhouette(x: FloatArray, labels: IntArray, weights: FloatArray) -> FloatArray:
    """Compute the silhouette width of each weighted point, shape (n,).

    See :func:`nested_silhouettes` for the conventions.
    """
    return nested_silhouettes(x, labels[:, None], weights)[:, 0]


def nested_silhouettes(x: FloatArray, labels: IntArray, weights: FloatArray) -> FloatArray:
    """Compute silhouette widths for several nested divisions in one pass over the distances.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Euclidean coordinates.
    labels : ndarray of int, shape (n, s)
        0-based labels, one division a column. The finest division must refine all others, as cuts
        of one tree do.
    weights : ndarray, shape (n,)
        A point of weight w counts as w people at the same place.

    Returns
    -------
    ndarray, shape (n, s)
        ``(b - a) / max(a, b)``; 0 for a cluster of total weight 1 or less, and for a single
        cluster.

    Notes
    -----
    a is the mean distance to the other people of one's cluster, ``sum(w d) / (W - 1)``, b the least
    mean distance to another cluster, so integer weights equal repeated rows.

    References
    ----------
    Rousseeuw (1987), J. Comput. Appl. Math. 20, 53-65. Studer (2013), WeightedCluster
    Library Manual, LIVES Working Papers 24, the weighted form.
    """
    n, n_divisions = labels.shape
    finest = int(labels.max(axis=0).argmax())
    fine = np.eye(int(labels[:, finest].max()) + 1)[labels[:, finest]] * weights[:, None]
    # To which cluster of each coarser division a cluster of the finest belongs.
    first = np.unique(labels[:, finest], return_index=True)[1]
    parents = [labels[first, s] for s in range(n_divisions)]
    out = np.zeros((n, n_divisions))
    for start in range(0, n, _CHUNK):
        rows = slice(start, min(start + _CHUNK, n))
        to_fine = cdist(x[rows], x) @ fine
        for s, parent in enumerate(parents):
            k = int(labels[:, s].max()) + 1
            if k == 1:
                continue
            to_cluster = to_fine @ np.eye(k)[parent]
            mass = np.bincount(labels[:, s], weights=weights, minlength=k)
            own = labels[rows, s]
            here = np.arange(len(own))
            others = mass[own] - 1
            with np.errstate(invalid="ignore", divide="ignore"):
                within = to_cluster[here, own] / others
                between = to_cluster / mass
                between[here, own] = np.inf
                nearest = between.min(axis=1)
                width = (nearest - within) / np.maximum(within, nearest)
            out[rows, s] = np.where((others > 0) & np.isfinite(width), width, 0.0)
    return out


def _pairs(counts: FloatArray) -> FloatArray:
    return counts * (counts - 1) / 2
