"""Numeric and categorical columns in one reduction (FAMD, MCA), and blocks made equal (MFA).

Owns the coding of categories, the scale of a block, and what share of a division each block
carries. Never chooses the number of components (see ``reduction``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.reduction import (
    principal_components,
    weighted_covariance,
    weighted_mean_sd,
)

__all__ = [
    "BlockShares",
    "CodedColumns",
    "MixedComponents",
    "VariablePlaces",
    "block_divisors",
    "block_shares",
    "code_columns",
    "famd",
    "mca",
    "place_variables",
]

#: A column whose spread is below this part of its size is constant but for rounding.
_CONSTANT = 1e-12
#: An eigenvalue below this part of the largest is zero but for rounding.
_NO_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True)
class CodedColumns:
    """Numeric columns standardised, and each category as a column of its own.

    Attributes
    ----------
    x : ndarray, shape (n, c)
        ``(raw - mean) / divisor``, weighted mean 0; numeric columns first.
    variable : ndarray of int, shape (c,)
        Which of the p numeric (0 to p - 1) and q categorical (p to p + q - 1) variables.
    category : ndarray of int, shape (c,)
        Which code of it; -1 for a numeric column.
    mean, divisor : ndarray, shape (c,)
        Of a category its share and the root of its share.
    """

    x: FloatArray
    variable: IntArray
    category: IntArray
    mean: FloatArray
    divisor: FloatArray


@dataclass(frozen=True, slots=True)
class MixedComponents:
    """Components of numeric and categorical columns.

    Attributes
    ----------
    eigenvalues : ndarray, shape (m,)
        Those above zero, descending.
    vectors : ndarray, shape (c, m)
        Unit-length columns, each turned so that it sums positive.
    scores : ndarray, shape (n, m)
        ``coded.x @ vectors``: component j has weighted variance ``eigenvalues[j]``.
    coded : CodedColumns
    """

    eigenvalues: FloatArray
    vectors: FloatArray
    scores: FloatArray
    coded: CodedColumns


@dataclass(frozen=True, slots=True)
class VariablePlaces:
    """What columns have to do with components.

    Attributes
    ----------
    coordinates : ndarray, shape (c, m)
        Of a number its correlation; of a category the mean of its people, over the root of the
        eigenvalue where all columns are categories (MCA).
    contributions : ndarray, shape (c, m)
        Share of the component's variance that the column makes; each component sums to 1 where all
        columns that were reduced are given.
    cos2 : ndarray, shape (c, m)
        How well the component shows the column: the share of its squared distance from the centre.
    eta_squared : ndarray, shape (c, m)
        Share of the component's variance that the column's variable explains: of a number the
        squared correlation, of a category that of all categories of its variable.
    """

    coordinates: FloatArray
    contributions: FloatArray
    cos2: FloatArray
    eta_squared: FloatArray


@dataclass(frozen=True, slots=True)
class BlockShares:
    """What each block of columns carries of a division.

    Attributes
    ----------
    block : ndarray of int, shape (b,)
        Block ids, ascending.
    between : ndarray, shape (b,)
        Share of the variance between the segments that lies in the block's columns; sums to 1. NaN
        where the segments do not differ at all.
    total : ndarray, shape (b,)
        Share of the variance of all columns that lies in the block's: what it would carry of a
        division that separates all blocks alike.
    eta_squared : ndarray, shape (b,)
        Share of the block's own variance that lies between the segments; NaN where it has none.
    """

    block: IntArray
    between: FloatArray
    total: FloatArray
    eta_squared: FloatArray


def code_columns(numeric: FloatArray, codes: IntArray, weights: FloatArray) -> CodedColumns:
    """Standardise numeric columns and code categories so that all count alike.

    Parameters
    ----------
    numeric : ndarray, shape (n, p)
        Finite; p may be 0.
    codes : ndarray of int, shape (n, q)
        0-based categories, none missing (give a missing answer a category of its own); q may be 0.
    weights : ndarray, shape (n,)
        At least 0. A row of weight 0 is projected only.

    Returns
    -------
    CodedColumns

    Raises
    ------
    ValueError
        Where there is no column, a value is missing or infinite, a column is constant or has one
        category, a category has no weight, or weights cannot be used.

    Notes
    -----
    A numeric column gets mean 0 and variance 1 (weighted, ddof 0). A category of share s is centred
    at s and divided by ``sqrt(s)``; the categories of a variable then have eigenvalues of 1, one
    fewer than there are categories.

    References
    ----------
    Pages (2004), Revue de Statistique Appliquee 52(4), 93-111.
    """
    n, p = numeric.shape
    if codes.shape[0] != n or weights.shape != (n,):
        msg = f"{n} rows of numbers, {len(codes)} of categories and {len(weights)} weights"
        raise ValueError(msg)
    if p + codes.shape[1] == 0:
        msg = "there is no column to reduce"
        raise ValueError(msg)
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum() > 0:
        msg = "weights must be finite, none below 0, and not all 0"
        raise ValueError(msg)
    if not np.isfinite(numeric).all():
        msg = f"numeric column {_first(~np.isfinite(numeric))} has a value that is not finite"
        raise ValueError(msg)
    if (codes < 0).any():
        msg = (
            f"categorical column {_first(codes < 0)} has a missing value; give it a category of "
            "its own, or leave the row out"
        )
        raise ValueError(msg)
    mean, sd = weighted_mean_sd(numeric, weights)
    constant = sd <= _CONSTANT * np.maximum(1.0, np.abs(mean))
    if constant.any():
        msg = f"numeric column {int(constant.argmax())} is constant; leave it out"
        raise ValueError(msg)
    raw, means, divisors = [numeric], [mean], [sd]
    variable, category = [np.arange(p)], [np.full(p, -1)]
    for j, column in enumerate(codes.T):
        present = np.unique(column)
        indicator = (column[:, None] == present).astype(np.float64)
        share = weights @ indicator / weights.sum()
        if (share <= 0).any():
            empty = present[int((share <= 0).argmax())]
            msg = f"category {empty} of categorical column {j} has no weight; leave its rows out"
            raise ValueError(msg)
        if len(present) < 2:
            msg = f"categorical column {j} has only the category {present[0]}; leave it out"
            raise ValueError(msg)
        raw.append(indicator)
        means.append(share)
        divisors.append(np.sqrt(share))
        variable.append(np.full(len(present), p + j))
        category.append(present)
    centre, divisor = np.concatenate(means), np.concatenate(divisors)
    return CodedColumns(
        x=(np.column_stack(raw) - centre) / divisor,
        variable=np.concatenate(variable),
        category=np.concatenate(category),
        mean=centre,
        divisor=divisor,
    )


def famd(numeric: FloatArray, codes: IntArray, weights: FloatArray) -> MixedComponents:
    """Reduce numeric and categorical columns together, each of the same weight.

    Parameters
    ----------
    numeric : ndarray, shape (n, p)
        Finite; p may be 0.
    codes : ndarray of int, shape (n, q)
        0-based categories, none missing; q may be 0, which is a PCA of correlations.
    weights : ndarray, shape (n,)
        At least 0. A row of weight 0 is projected only.

    Returns
    -------
    MixedComponents

    Raises
    ------
    ValueError
        As in :func:`code_columns`.

    Notes
    -----
    Eigenvalues and row coordinates are those of FactoMineR's ``FAMD(row.w = )``, but for signs.
    Written here because the one library for it, prince (0.23), refuses case weights in its FAMD and
    has none in its MCA, and its randomised decomposition gave 2.6705 for the first eigenvalue of
    FactoMineR's tea with age, which is 2.6729.

    References
    ----------
    Pages (2004), Revue de Statistique Appliquee 52(4), 93-111.
    """
    return _components(code_columns(numeric, codes, weights), weights)


def mca(codes: IntArray, weights: FloatArray) -> MixedComponents:
    """Reduce categorical columns: multiple correspondence analysis of their indicators.

    Parameters
    ----------
    codes : ndarray of int, shape (n, q)
        0-based categories, none missing.
    weights : ndarray, shape (n,)
        At least 0. A row of weight 0 is projected only.

    Returns
    -------
    MixedComponents

    Raises
    ------
    ValueError
        As in :func:`code_columns`.

    Notes
    -----
    Eigenvalues and row coordinates are those of FactoMineR's ``MCA(row.w = )``, but for signs: FAMD
    without numeric columns, its coded columns divided by ``sqrt(q)`` (the divisors are so many
    times larger). On prince see :func:`famd`.

    References
    ----------
    Greenacre (1984), Theory and Applications of Correspondence Analysis, ch. 5.
    """
    coded = code_columns(np.empty((len(codes), 0)), codes, weights)
    root = np.sqrt(codes.shape[1])
    scaled = CodedColumns(
        coded.x / root, coded.variable, coded.category, coded.mean, coded.divisor * root
    )
    return _components(scaled, weights)


def place_variables(
    x: FloatArray,
    scores: FloatArray,
    weights: FloatArray,
    variable: IntArray,
    share: FloatArray,
) -> VariablePlaces:
    """Say where the columns lie on the components and what they carry of them.

    Parameters
    ----------
    x : ndarray, shape (n, c)
        The coded columns as they were reduced, centred: ``CodedColumns.x``, or at another scale.
    scores : ndarray, shape (n, m)
        Coordinates of the rows on the components, each of some variance.
    weights : ndarray, shape (n,)
    variable : ndarray of int, shape (c,)
        Variable of each column.
    share : ndarray, shape (c,)
        Of a category its share of the weight; NaN for a number.

    Returns
    -------
    VariablePlaces

    Notes
    -----
    All are read off the correlations of columns and components. Of :func:`mca` they are
    FactoMineR's ``MCA()$var`` (contributions there in per cent), of :func:`famd` the
    ``quanti.var`` and ``quali.var`` of its ``FAMD()``, whose cos2 of a category is of the distance
    of its people's mean from the centre over all columns. Categories that took no part:
    :func:`psychoseg.stats.reduction.supplementary_categories`.

    References
    ----------
    Le Roux & Rouanet (2010), Multiple Correspondence Analysis, ch. 3. Pages (2004), see
    :func:`famd`.
    """
    mass = weights / weights.sum()
    centred = scores - mass @ scores
    eigenvalues = mass @ centred**2
    variance = mass @ x**2
    r = (x * mass[:, None]).T @ centred / np.sqrt(variance[:, None] * eigenvalues)
    category = ~np.isnan(share)
    rest = np.where(category, 1 - share, 1.0)
    means = r * np.sqrt(eigenvalues) * np.sqrt(rest / np.where(category, share, 1.0))[:, None]
    cos2 = r**2
    if category.all():
        coordinates = means / np.sqrt(eigenvalues)
    else:
        coordinates = np.where(category[:, None], means, r)
        for j in np.flatnonzero(category):
            # The people of a category are on the positive side of its centred indicator.
            own = mass * (x[:, j] > 0)
            centre = own @ x / own.sum()
            cos2[j] = means[j] ** 2 / (centre @ centre)
    ids, place = np.unique(variable, return_inverse=True)
    explained = np.zeros((len(ids), scores.shape[1]))
    np.add.at(explained, place, r**2 * rest[:, None])
    return VariablePlaces(
        coordinates=coordinates,
        contributions=r**2 * variance[:, None] / eigenvalues,
        cos2=cos2,
        eta_squared=explained[place],
    )


def block_divisors(
    x: FloatArray,
    blocks: IntArray,
    weights: FloatArray,
    *,
    block_weights: FloatArray | None = None,
) -> FloatArray:
    """Return what to divide columns by so that no long block drowns a short one, shape (d,).

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Columns coded or standardised, centred at their weighted means.
    blocks : ndarray of int, shape (d,)
        Block of each column.
    weights : ndarray, shape (n,)
    block_weights : ndarray, shape (b,), optional
        How much each block counts, block ids ascending; positive. A block of weight 2 has twice the
        variance along its first component that one of weight 1 has.

    Returns
    -------
    ndarray, shape (d,)
        The block's first singular value (the root of the first eigenvalue of its covariances) over
        the root of its weight.

    Raises
    ------
    ValueError
        Where a block has no variance, or its weight is not positive.

    References
    ----------
    Escofier & Pages (1994), Comput. Stat. Data Anal. 18, 121-140: multiple factor analysis.
    FactoMineR's ``MFA(row.w = )`` has the same eigenvalues.
    """
    ids, place = np.unique(blocks, return_inverse=True)
    wanted = np.ones(len(ids)) if block_weights is None else block_weights
    if wanted.shape != (len(ids),) or not (np.isfinite(wanted) & (wanted > 0)).all():
        msg = f"{len(ids)} blocks take as many positive weights, not {wanted.tolist()}"
        raise ValueError(msg)
    first = np.array(
        [
            np.linalg.eigvalsh(weighted_covariance(x[:, place == b], weights))[-1]
            for b in range(len(ids))
        ]
    )
    if (first <= _CONSTANT**2).any():
        msg = f"block {ids[int((first <= _CONSTANT**2).argmax())]} has no variance; leave it out"
        raise ValueError(msg)
    divisors: FloatArray = np.sqrt(first / wanted)[place]
    return divisors


def block_shares(
    x: FloatArray, blocks: IntArray, labels: IntArray, weights: FloatArray
) -> BlockShares:
    """Divide the variance between segments among the blocks of columns.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        The columns as they entered the segmentation, at the scale they had there.
    blocks : ndarray of int, shape (d,)
        Block of each column.
    labels : ndarray of int, shape (n,)
        0-based segments.
    weights : ndarray, shape (n,)

    Returns
    -------
    BlockShares

    Raises
    ------
    ValueError
        Where no column varies.

    Notes
    -----
    Sums of squares add over columns, so the shares are exact, and they hold for the
    components too where all of them were kept.
    """
    mean = weights @ x / weights.sum()
    mass = np.bincount(labels, weights=weights)
    used = mass > 0
    sums = np.column_stack([np.bincount(labels, weights=weights * column) for column in x.T])
    between = mass[used] @ (sums[used] / mass[used, None] - mean) ** 2
    total = weights @ (x - mean) ** 2
    ids, place = np.unique(blocks, return_inverse=True)
    between = np.bincount(place, weights=between)
    total = np.bincount(place, weights=total)
    if not total.sum() > 0:
        msg = "no column varies, so there is no variance to divide among blocks"
        raise ValueError(msg)
    # Rounding leaves a trace of variance between segments that have the same means.
    nothing = between.sum() <= _NO_VARIANCE * total.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return BlockShares(
            block=ids,
            between=np.full(len(ids), np.nan) if nothing else between / between.sum(),
            total=total / total.sum(),
            eta_squared=np.where(total > 0, between / total, np.nan),
        )


def _components(coded: CodedColumns, weights: FloatArray) -> MixedComponents:
    pca = principal_components(coded.x, weights)
    m = int((pca.eigenvalues > _NO_VARIANCE * pca.eigenvalues[0]).sum())
    return MixedComponents(pca.eigenvalues[:m], pca.vectors[:, :m], pca.scores[:, :m], coded)


def _first(wrong: BoolArray) -> int:
    """Return the first column with a mark."""
    return int(wrong.any(axis=0).argmax())
