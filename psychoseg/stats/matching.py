"""Which rows of one table are which of another: the nearest one-to-one matching.

Owns the matching of points by distance, such as segments of a run to those of an earlier one.

References
----------
Kuhn, H. W. (1955). The Hungarian method for the assignment problem. Naval Research Logistics
Quarterly 2, 83-97.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from psychoseg.stats.arrays import FloatArray, IntArray, canonical_order

__all__ = ["match_rows"]


def match_rows(a: FloatArray, b: FloatArray) -> IntArray:
    """Match each row of a with another row of b, so that the distances sum to the least.

    Parameters
    ----------
    a : ndarray, shape (p, f)
        No NaN; features in comparable units.
    b : ndarray, shape (q, f)

    Returns
    -------
    ndarray of int, shape (p,)
        The row of b, or -1 where b has fewer rows than a and this one is left over.

    Raises
    ------
    ValueError
        Where the tables have not the same features, or a value is missing or infinite.

    Notes
    -----
    Distances are Euclidean. Of several best matchings it takes the one the Hungarian method finds
    on rows in canonical order, so that the order of the rows decides nothing, unless rows are
    identical.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        msg = f"rows of shapes {a.shape} and {b.shape} have not the same features"
        raise ValueError(msg)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        msg = "rows to match must not have missing or infinite values"
        raise ValueError(msg)
    found = np.full(len(a), -1, dtype=np.intp)
    if not len(a) or not len(b):
        return found
    rows, columns = canonical_order(a), canonical_order(b)
    row, column = linear_sum_assignment(cdist(a[rows], b[columns]))
    found[rows[row]] = columns[column]
    return found
