"""How far the density of people falls between the two halves of each division of a tree.

Owns the depth of these valleys, on which the test against a single cloud rests. Never draws a
random number and never says what depth is much (``null_cloud`` does).
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import leaves_list

from psychoseg.stats.arrays import FloatArray

__all__ = ["mean_depths", "valley_depths"]

#: Rounds in which the halves of a division are let move to the nearer mean; few change after four.
_ROUNDS = 6
#: The bandwidth of the density, in standard deviations within the halves. At .35 answers of five
#: points still make ripples; at .5 the valley between normal clusters 4 apart is as clear.
_BANDWIDTH = 0.5
#: The density is looked at up to so many standard deviations beyond the two means, at so many
#: places.
_MARGIN, _PLACES = 1.5, 60
#: Part of the mean variance that is added to each column's, so that the direction which parts the
#: halves best does not follow chance where columns are many and people few.
_RIDGE = 0.1
#: A half of fewer people has no peak to speak of.
_FEWEST = 5
#: A point this little nearer to the other mean, relative to the distance of the means, stays.
_TIE = 1e-9


def mean_depths(x: FloatArray, weights: FloatArray, tree: FloatArray, k_max: int) -> FloatArray:
    """Return the mean depth of the valleys of the first 1, 2, ... divisions of a tree.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        The points of the tree.
    weights : ndarray, shape (n,)
        A point of weight w counts as w people.
    tree : ndarray, shape (n - 1, 4)
        scipy's linkage matrix, of any method.
    k_max : int

    Returns
    -------
    ndarray, shape (k_max - 1,)
        Entry j belongs to the cut into j + 2 clusters.

    Notes
    -----
    Means in the order of the divisions: one deep valley at the top counts fully for k = 2, and many
    of middling depth add up where each alone would not be told from chance.
    """
    depths = valley_depths(x, weights, tree, k_max - 1)
    return np.asarray(np.cumsum(depths) / np.arange(1, k_max), dtype=np.float64)


def valley_depths(
    x: FloatArray, weights: FloatArray, tree: FloatArray, n_divisions: int
) -> FloatArray:
    """Compute how far the density falls between the halves of each of the first divisions.

    Parameters
    ----------
    x, weights, tree
        As in :func:`mean_depths`.
    n_divisions : int

    Returns
    -------
    ndarray, shape (n_divisions,)
        In the order in which the tree divides, from the top; 0 where there is no valley, where a
        half has fewer than 5 people or there is no further division.

    Notes
    -----
    The people of the node are divided in two by means, from the tree's two halves on. They are
    projected on the direction that parts these best for their spread (Fisher's), and a kernel
    density is taken along it. The depth is the root of the lower of the two peaks on either side
    less that of the lowest place between the two means. Roots, since the spread of a root of a
    count does not depend on the count: nodes of any size are on one scale, and a valley counts
    with the root of the number of people.

    References
    ----------
    Fisher (1936), Ann. Eugen. 7, 179-188. Silverman (1981), J. R. Stat. Soc. B 43, 97-99, peaks of
    a kernel density as a test. Ahmed & Walther (2012), J. Comput. Graph. Stat. 21, 637-658,
    one-dimensional modes as a test of clusters.
    """
    order = leaves_list(tree)
    n = len(x)
    # Leaves below a node lie side by side in the order in which the tree is drawn.
    start = {2 * n - 2: 0}
    out = np.zeros(n_divisions)
    for division, row in enumerate(range(n - 2, max(n - 2 - n_divisions, -1), -1)):
        left, right = (int(node) for node in tree[row, :2])
        first = start.pop(n + row)
        middle = first + (int(tree[left - n, 3]) if left >= n else 1)
        last = first + int(tree[row, 3])
        start[left], start[right] = first, middle
        rows = order[first:last]
        second = np.arange(first, last) >= middle
        out[division] = _depth(x[rows], weights[rows], second)
    return out


def _depth(x: FloatArray, weights: FloatArray, second: np.ndarray) -> float:
    total, everybody = weights @ x, float(weights.sum())
    # Centred, so that a mean far from zero costs no digits.
    x = x - total / everybody
    for _ in range(_ROUNDS):
        toward, halfway, tie = _between(x, weights, second)
        nearer = x @ toward - halfway
        moved = np.where(np.abs(nearer) > tie, nearer > 0, second)
        if (moved == second).all():
            break
        if moved.all() or not moved.any():
            return 0.0
        second = moved
    there = float(weights @ second)
    if min(there, everybody - there) < _FEWEST:
        return 0.0
    b = (weights * second) @ x / there
    a = -b * there / (everybody - there)
    offset = x - np.where(second[:, None], b, a)
    spread = (offset * weights[:, None]).T @ offset / everybody
    level = float(np.trace(spread)) / len(spread)
    if level <= _TIE * float((b - a) @ (b - a)):
        # Two places and nothing between them.
        return float(np.sqrt(min(there, everybody - there)))
    direction = np.linalg.solve(spread + _RIDGE * level * np.eye(len(spread)), b - a)
    within = float(direction @ spread @ direction)
    if within <= 0:
        # Nothing but rounding within the halves along the way from one to the other.
        return float(np.sqrt(min(there, everybody - there)))
    unit = float(np.sqrt(within))
    return _fall(
        x @ direction / unit, weights, float(a @ direction) / unit, float(b @ direction) / unit
    )


def _between(
    x: FloatArray, weights: FloatArray, second: np.ndarray
) -> tuple[FloatArray, float, float]:
    """Return the way from the first mean to the second, where halfway lies on it, and a tie."""
    share = weights * second
    there = share.sum()
    b = share @ x / max(there, 1e-300)
    a = -b * there / max(weights.sum() - there, 1e-300)
    toward: FloatArray = b - a
    return toward, float((a + b) @ toward) / 2, _TIE * float(toward @ toward)


def _fall(position: FloatArray, weights: FloatArray, a: float, b: float) -> float:
    low, high = a - _MARGIN, b + _MARGIN
    step = (high - low) / (_PLACES - 1)
    at = (position - low) / step
    inside = (at >= 0) & (at <= _PLACES - 1)
    at, weights = at[inside], weights[inside]
    # Shared between the two nearest places, so that no rounding moves a whole person.
    place = np.minimum(at.astype(np.intp), _PLACES - 2)
    upper = at - place
    count = np.bincount(place, weights * (1 - upper), _PLACES)
    count += np.bincount(place + 1, weights * upper, _PLACES)
    away = np.arange(1 - _PLACES, _PLACES) * step / _BANDWIDTH
    kernel = np.exp(-(away**2) / 2) / (np.sqrt(2 * np.pi) * _BANDWIDTH)
    density = np.convolve(count, kernel)[_PLACES - 1 : 2 * _PLACES - 1]
    from_a, to_b = int(_MARGIN / step), _PLACES - int(_MARGIN / step)
    valley = from_a + int(density[from_a:to_b].argmin())
    peak = min(density[: valley + 1].max(), density[valley:].max())
    return float(np.sqrt(peak) - np.sqrt(density[valley]))
