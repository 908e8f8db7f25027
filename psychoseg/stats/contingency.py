"""Contingency tables of every pair of items, counted in one pass over whole numbers.

Owns the coding of answers as small whole numbers and the counting of how often two answers come
together. Never estimates anything from the tables.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["MAX_CATEGORIES", "Codes", "ordinal_codes", "pair_tables"]

#: Answers as small whole numbers, 0 where missing.
Codes = npt.NDArray[np.int8]

#: More answer categories than this and a contingency table is mostly empty cells.
MAX_CATEGORIES = 20
#: Stands for a missing answer, and for any larger number, while answers are read.
_MISSING = 127
#: Rows that are read, or weighted and multiplied, at a time: they fit the CPU's cache.
_ROWS = 2048
#: Counts up to 255 take 8 bits, so that three of them share the 24 bits of a single-precision
#: number. Rows counted at a time follow from it.
_BITS, _SHARING = 8, 3
_COUNTED = 2**_BITS - 1
#: The columns are cut into this many groups, and a group is multiplied with itself and those after
#: it: of the full square, (1 + 1 / groups) / 2 are left. More groups make the products too narrow.
_GROUPS = 4


def pair_tables(items: FloatArray, weights: FloatArray) -> tuple[FloatArray, IntArray]:
    """Count the weighted contingency table of every pair of items.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing.
    weights : ndarray, shape (n,)
        Rows of weight zero do not count.

    Returns
    -------
    tables : ndarray, shape (p, p, width, width)
        Rows that gave answer a to the first item and b to the second, answers in ascending order;
        an item's table with itself has its margin on the diagonal. Codes that nobody used may leave
        empty rows and columns.
    n_categories : ndarray of int, shape (p,)
        Codes in use of each item.

    Raises
    ------
    ValueError
        Where an item has more than :data:`MAX_CATEGORIES` categories.

    Notes
    -----
    Where all weights are equal the counts are exact, whatever the number of rows and threads.
    """
    if (weights == 0).any():
        items, weights = items[weights > 0], weights[weights > 0]
    codes = ordinal_codes(items)
    n, p = codes.shape
    width = max(int(codes.max(initial=0)), 1)
    common = float(weights[0]) if n else 1.0
    if (weights == common).all():
        total = _counts(codes, width) * common
    else:
        total = _weighted_counts(codes, weights, width)
    tables = total.reshape(width, p, width, p).transpose(1, 3, 0, 2)
    return tables, np.count_nonzero(total.diagonal().reshape(width, p), axis=0)


def ordinal_codes(items: FloatArray) -> Codes:
    """Return answers as codes from 1 in ascending order, 0 where missing.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing.

    Returns
    -------
    ndarray of int8, shape (n, p)
        Each item's column is contiguous. Codes that nobody used may leave gaps.

    Raises
    ------
    ValueError
        Where an item has more than :data:`MAX_CATEGORIES` categories.
    """
    codes = _read_as_codes(items)
    if codes is not None:
        return codes.T
    codes = np.zeros(items.shape[::-1], dtype=np.int8)
    for j in range(items.shape[1]):
        there: BoolArray = ~np.isnan(items[:, j])
        values, ranks = np.unique(items[there, j], return_inverse=True)
        if len(values) > MAX_CATEGORIES:
            msg = (
                f"{len(values)} categories are more than the {MAX_CATEGORIES} polychoric "
                "correlations take"
            )
            raise ValueError(msg)
        codes[j, there] = ranks + 1
    return codes.T


def _read_as_codes(items: FloatArray) -> Codes | None:
    """Return codes (p, n) of whole numbers close together, the usual case; None if they are not."""
    n, p = items.shape
    codes: Codes = np.empty((p, n), dtype=np.int8)
    buffer = np.empty((p, min(n, _ROWS)))
    n_missing = 0
    for first in range(0, n, _ROWS):
        rows = items.T[:, first : first + _ROWS]
        n_missing += int(np.count_nonzero(np.isnan(rows)))
        part = np.fmin(rows, _MISSING, out=buffer[:, : rows.shape[1]])
        with np.errstate(invalid="ignore"):
            codes[:, first : first + _ROWS] = part
        if not (codes[:, first : first + _ROWS] == part).all():
            return None
    answered = codes != _MISSING
    if np.count_nonzero(answered) + n_missing != n * p:
        return None
    # Where codes are too far apart for eight bits the difference wraps around, below zero.
    codes -= codes.min(axis=1, initial=_MISSING)[:, None] - np.int8(1)
    if n_missing:
        codes *= answered
    near = codes.min(initial=0) >= 0 and codes.max(initial=0) <= MAX_CATEGORIES
    return codes if near else None


def _counts(codes: Codes, width: int) -> FloatArray:
    """Return how many rows gave each two answers, shape (width * p, width * p)."""
    n, p = codes.shape
    total = np.zeros((width * p, width * p))
    if n == 0:
        return total
    # The last answer to an item that everybody answered is what its other answers leave of the
    # margins, and is not counted.
    last = codes.max(axis=0).astype(np.intp) - 1
    full = np.flatnonzero(codes.min(axis=0) > 0)
    n_counted = last + 1
    n_counted[full] -= 1
    code, item = np.nonzero(np.arange(width)[:, None] < n_counted)
    counted = code * p + item
    left = last[full] * p + full
    together = _seen_together(codes, item, code + 1)
    margins = np.zeros(width * p)
    margins[counted] = together[-1, :-1]
    margins[left] = n - margins.reshape(width, p).sum(axis=0)[full]
    total[np.ix_(counted, counted)] = together[:-1, :-1]
    rest = margins - total.reshape(width, p, width * p).sum(axis=0)[full]
    total[np.ix_(left, counted)] = rest[:, counted]
    total[:, left] = margins[:, None] - total.reshape(width * p, width, p).sum(axis=1)[:, full]
    return total


def _seen_together(codes: Codes, item: IntArray, code: IntArray) -> FloatArray:
    """Return how many rows gave every two of some answers; the last of them stands for any answer.

    A product of 0/1 columns in single precision, where one side's columns share a number by threes:
    column a + 256 b + 65536 c times another column counts a, b and c with it at once.
    """
    n, n_columns = len(codes), len(item) + 1
    narrow = -(-n_columns // (_SHARING * _GROUPS))
    wide = _SHARING * narrow
    size = _GROUPS * wide
    # What fills the last group up is a code that nobody has.
    item = np.pad(item, (0, size - len(item)))
    wanted = np.pad(code, (0, size - len(code)), constant_values=-1).astype(np.int8)[:, None]
    starts = range(0, size, wide)
    ends = np.cumsum([narrow * (size - start) for start in starts])
    hot = np.zeros((size, _COUNTED), dtype=np.float32)
    shared = np.empty((_GROUPS, narrow, _COUNTED), dtype=np.float32)
    product = np.empty(ends[-1], dtype=np.float32)
    parts = [
        block.reshape(narrow, size - start)
        for start, block in zip(starts, np.split(product, ends[:-1]), strict=True)
    ]
    packed, digit = np.empty((2, ends[-1]), dtype=np.int32)
    counts = np.zeros((_SHARING, ends[-1]), dtype=np.int32)
    for first in range(0, n, _COUNTED):
        rows = codes.T[:, first : first + _COUNTED]
        here = rows.shape[1]
        hot[:, :here] = rows[item] == wanted
        hot[n_columns - 1, :here] = 1
        hot[:, here:] = 0
        digits = hot.reshape(_GROUPS, _SHARING, narrow, _COUNTED)
        shared[:] = digits[:, -1]
        for place in range(_SHARING - 2, -1, -1):
            shared *= 2**_BITS
            shared += digits[:, place]
        for start, left, out in zip(starts, shared, parts, strict=True):
            np.matmul(left, hot[start:].T, out=out)
        packed[:] = product
        for place in counts:
            np.bitwise_and(packed, _COUNTED, out=digit)
            place += digit
            packed >>= _BITS
    together = np.empty((size, size))
    for start, block in zip(starts, np.split(counts, ends[:-1], axis=1), strict=True):
        stop = start + wide
        together[start:stop, start:] = block.reshape(wide, size - start)
        together[stop:, start:stop] = together[start:stop, stop:].T
    return together[:n_columns, :n_columns]


def _weighted_counts(codes: Codes, weights: FloatArray, width: int) -> FloatArray:
    """Return the weight of the rows that gave each two answers, shape (width * p, width * p)."""
    n, p = codes.shape
    # Roots of weights on both sides, since the product of a matrix with itself costs half of one
    # with another.
    roots = np.sqrt(weights)
    answers = np.arange(1, width + 1, dtype=np.int8)[:, None]
    hot = np.empty((_ROWS, width, p))
    total = np.zeros((width * p, width * p))
    for first in range(0, n, _ROWS):
        part = np.ascontiguousarray(codes[first : first + _ROWS])
        block = hot[: len(part)]
        np.equal(part[:, None, :], answers, out=block, casting="unsafe")
        block *= roots[first : first + _ROWS, None, None]
        flat = block.reshape(len(part), width * p)
        total += flat.T @ flat
    return total
