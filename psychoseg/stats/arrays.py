"""The array types of this floor, the canonical order of rows, and the order of sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

__all__ = [
    "BoolArray",
    "Collapsed",
    "FloatArray",
    "IntArray",
    "canonical_order",
    "collapse",
    "complete_rows",
    "on_grid",
    "one_thread",
    "positive_signs",
    "weighted_means",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

#: Coordinates are held to this part of the largest: what is finer is rounding noise, and must not
#: decide which of two equal distances is the shorter.
_GRID = 1e-10

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Distinct rows as weighted points, in canonical order.

    Attributes
    ----------
    x : ndarray, shape (m, d)
    weights : ndarray, shape (m,)
        Sum of the weights of the rows at each point.
    counts : ndarray of int, shape (m,)
        Number of rows at each point.
    point_of : ndarray of int, shape (n,)
        The point of each original row.
    """

    x: FloatArray
    weights: FloatArray
    counts: IntArray
    point_of: IntArray


def canonical_order(x: FloatArray, weights: FloatArray | None = None) -> IntArray:
    """Return the order that sorts rows by their values, first column first, then by weight.

    Two rows that tie in all of it are identical, so that any computation on the sorted rows gives
    the same bytes whatever order the rows came in.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        NaN sorts last.
    weights : ndarray, shape (n,), optional

    Returns
    -------
    ndarray of int, shape (n,)
    """
    keys = [] if weights is None else [weights]
    # Adding zero turns -0.0 into 0.0, which compares equal but has other bytes.
    return np.lexsort([*keys, *(x[:, j] + 0.0 for j in range(x.shape[1] - 1, -1, -1))])


def collapse(x: FloatArray, weights: FloatArray) -> Collapsed:
    """Turn identical rows into one weighted point, points in canonical order.

    Weights are added in canonical order, so that their sums do not depend on row order either.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        No NaN.
    weights : ndarray, shape (n,)

    Returns
    -------
    Collapsed
    """
    order = canonical_order(x, weights)
    rows = x[order] + 0.0
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    group = np.cumsum(new) - 1
    point_of = np.empty(len(rows), dtype=np.intp)
    point_of[order] = group
    starts = np.flatnonzero(new)
    return Collapsed(
        x=rows[starts],
        weights=np.add.reduceat(weights[order], starts),
        counts=np.diff(np.append(starts, len(rows))),
        point_of=point_of,
    )


def complete_rows(items: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Keep the rows without a missing answer, as listwise deletion does.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)

    Returns
    -------
    items : ndarray, shape (m, p)
    weights : ndarray, shape (m,)
    """
    kept = ~np.isnan(items).any(axis=1)
    return items[kept], weights[kept]


def on_grid(coordinates: FloatArray) -> FloatArray:
    """Round coordinates to a grid far below any difference between answers.

    Parameters
    ----------
    coordinates : ndarray, shape (n, d)

    Returns
    -------
    ndarray, shape (n, d)
    """
    step = _GRID * float(np.abs(coordinates).max(initial=0.0))
    exponent = np.floor(np.log10(step)) if step > 0 else -12
    return np.round(coordinates, int(-exponent)) + 0.0


def positive_signs(columns: FloatArray) -> FloatArray:
    """Return the sign (1 or -1) that makes each column sum positive, shape (m,).

    A column that sums to nothing but rounding is turned so that its first largest value is
    positive.

    Parameters
    ----------
    columns : ndarray, shape (p, m)
    """
    total = columns.sum(axis=0)
    size = np.abs(columns).round(9)
    largest = columns[size.argmax(axis=0), np.arange(columns.shape[1])]
    decides = np.where(np.abs(total) > 1e-9 * size.sum(axis=0), total, largest)
    return np.where(decides < 0, -1.0, 1.0)


def weighted_means(
    x: FloatArray, weights: FloatArray, labels: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the weighted mean (k, d) and the mass (k,) of each cluster; labels 0 to k - 1."""
    mass: FloatArray = np.bincount(labels, weights=weights).astype(np.float64)
    sums = [np.bincount(labels, weights=weights * column) for column in x.T]
    return np.column_stack(sums) / mass[:, None], mass


def one_thread(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run a function with one thread for linear algebra.

    More threads sum in another order, which gives other last digits; and on matrices of some
    hundred rows they are slower.
    """

    @wraps(function)
    def limited(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with threadpool_limits(limits=1):
            return function(*args, **kwargs)

    return limited
