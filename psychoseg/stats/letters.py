"""Column letters: which columns of a table's row are significantly below which.

Owns the pairwise tests of columns, their correction and the letters. The convention is that of
SPSS's custom tables: a column carries the letters of the columns it is higher than.

References
----------
Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
Statistical Society B 57, 289-300.
IBM (2021). IBM SPSS Statistics Algorithms: column proportions and column means tests (CTABLES).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

import numpy as np
from scipy import stats

from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.groups import GroupEstimates, difference_p

__all__ = ["Correction", "adjust_pairs", "column_letters", "column_names", "pairwise_p"]

Correction = Literal["fdr", "bonferroni", "none"]

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def pairwise_p(estimates: GroupEstimates) -> FloatArray:
    """Return the two-sided p of each pair of groups (g, g).

    NaN where undefined and on the diagonal. Of means and of shares alike it is
    ``survey::svyttest`` on the two groups, see
    :func:`psychoseg.stats.groups.difference_p`.
    """
    rows = GroupEstimates(*(getattr(estimates, f.name)[:, None] for f in fields(estimates)))
    columns = GroupEstimates(*(getattr(estimates, f.name)[None, :] for f in fields(estimates)))
    p = difference_p(rows, columns)
    np.fill_diagonal(p, np.nan)
    return p


def adjust_pairs(p: FloatArray, *, correction: Correction) -> FloatArray:
    """Correct the p-values of all pairs of columns for their number.

    Parameters
    ----------
    p : ndarray, shape (r, g, g)
        Rows of one variable's table, each with its pairs of columns; what stands above the
        diagonal is read. NaN is no test.
    correction : {"fdr", "bonferroni", "none"}
        Bonferroni within a row, by the number of pairs tested there, as SPSS does;
        Benjamini-Hochberg over all pairs of all rows.

    Returns
    -------
    ndarray, shape (r, g, g)
        Symmetric, NaN where there is no test.
    """
    above = np.triu_indices(p.shape[1], 1)
    pairs = p[:, above[0], above[1]]
    tested = ~np.isnan(pairs)
    if correction == "bonferroni":
        pairs = np.minimum(pairs * tested.sum(axis=1, keepdims=True), 1)
    elif correction == "fdr" and tested.any():
        pairs = pairs.copy()
        pairs[tested] = stats.false_discovery_control(pairs[tested])
    adjusted = np.full(p.shape, np.nan)
    adjusted[:, above[0], above[1]] = pairs
    adjusted[:, above[1], above[0]] = pairs
    return adjusted


def column_letters(
    values: FloatArray,
    p: FloatArray,
    *,
    correction: Correction,
    levels: tuple[float, float] = (0.05, 0.001),
) -> list[list[str]]:
    """Return for each cell the letters of the columns it is significantly higher than.

    Parameters
    ----------
    values : ndarray, shape (r, g)
        Means or shares, NaN where there is none. A table of means has one row.
    p : ndarray, shape (r, g, g)
        Of each pair, by :func:`pairwise_p`, not corrected.
    correction : {"fdr", "bonferroni", "none"}
        See :func:`adjust_pairs`.
    levels : tuple of float
        Corrected p below the first: the letter in lower case; below the second: a capital.

    Returns
    -------
    list of list of str
        Shape (r, g), columns named A, B, ... Z, AA, AB, ...; "aC" is higher than A at the first
        level and than C at the second. Beyond 26 columns a space parts the letters.
    """
    adjusted = adjust_pairs(p, correction=correction)
    n_rows, n_columns = values.shape
    names = column_names(n_columns)
    between = "" if n_columns <= len(_ALPHABET) else " "
    weak, strong = levels
    higher = (values[:, :, None] > values[:, None, :]) & (adjusted < weak)
    return [
        [
            between.join(
                names[j] if adjusted[r, i, j] < strong else names[j].lower()
                for j in np.flatnonzero(higher[r, i])
            )
            for i in range(n_columns)
        ]
        for r in range(n_rows)
    ]


def column_names(n_columns: int) -> list[str]:
    """Return A, B, ... Z, AA, AB, ... as a spreadsheet names its columns."""
    names = []
    for number in range(1, n_columns + 1):
        name, left = "", number
        while left:
            left, digit = divmod(left - 1, len(_ALPHABET))
            name = _ALPHABET[digit] + name
        names.append(name)
    return names
