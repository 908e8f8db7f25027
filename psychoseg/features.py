"""What enters the segmentation: active columns as numbers, distinct respondents as weighted points.

Never reduces or clusters them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.stats.arrays import (
    BoolArray,
    Collapsed,
    FloatArray,
    IntArray,
    canonical_order,
    collapse,
)
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.survey.table import LEDGER_COLUMNS, Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = ["Features", "build_features", "case_weights", "merge_identical", "standardise"]

#: A column whose spread is below this part of its size is constant but for rounding.
_CONSTANT = 1e-12


@dataclass(frozen=True, slots=True)
class Features:
    """Active columns as numbers.

    Attributes
    ----------
    table : pandas.DataFrame, shape (n, d)
        Ordered by content; a category is an indicator ``column=category``. NaN where missing.
    kinds : dict of str to str
        "scale", "numeric" or "category" of each feature.
    labels : dict of str to str
        What a reader sees.
    complete : ndarray of bool, shape (n,)
        Respondents with every active value.
    gaps : pandas.DataFrame
        Ledger lines of the others.
    """

    table: pd.DataFrame
    kinds: dict[str, str]
    labels: dict[str, str]
    complete: BoolArray
    gaps: pd.DataFrame


def build_features(survey: Survey, scales: Scales | None) -> Features:
    """Gather scale scores and active columns, and say who lacks one.

    Parameters
    ----------
    survey : Survey
    scales : Scales or None
        Row by row the same respondents.

    Returns
    -------
    Features

    Raises
    ------
    DataError
        Where nothing is active.
    """
    columns: dict[str, FloatArray] = {}
    kinds: dict[str, str] = {}
    labels: dict[str, str] = {}
    missing: dict[str, BoolArray] = {}
    shown: dict[str, str] = {}
    if scales is not None:
        shown = dict(zip(scales.table["scale"], scales.table["label"], strict=True))
        for name in scales.scores.columns:
            columns[name] = scales.scores[name].to_numpy(np.float64)
            kinds[name], labels[name] = "scale", shown[name]
            missing[name] = np.isnan(columns[name])
    for name in survey.columns.columns:
        if survey.codebook[name].role != "active":
            continue
        values = survey.columns[name]
        label = survey.label(name)
        missing[f"column {name}"] = values.isna().to_numpy()
        shown[f"column {name}"] = label
        if isinstance(values.dtype, pd.CategoricalDtype):
            for category in values.cat.categories:
                feature = f"{name}={category}"
                columns[feature] = (values == category).to_numpy(np.float64)
                kinds[feature], labels[feature] = "category", f"{label}: {category}"
        else:
            feature = name if name not in columns else f"{name} (column)"
            columns[feature] = values.to_numpy(np.float64)
            kinds[feature], labels[feature] = "numeric", label
    if not columns:
        raise DataError(
            'nothing is active: there are no scales and no column with use = "active". Add one.'
        )
    gap: BoolArray = np.array(list(missing.values()), dtype=bool)
    wanted = list(missing)
    lines = []
    for i in np.flatnonzero(gap.any(axis=0)):
        lacking = ", ".join(shown[wanted[j]] for j in np.flatnonzero(gap[:, i]))
        lines.append(
            (survey.ids.iloc[i], "", "", "segments", "excluded", f"no value for {lacking}")
        )
    # Ordered by what they hold, so that neither the order of the columns nor what they are called
    # can move a random draw; equal columns by name.
    names = sorted(columns, key=lambda name: (*_distribution(columns[name], survey.weights), name))
    ordered = pd.DataFrame({name: columns[name] for name in names})
    # A category that none of the complete respondents has is no feature.
    complete: BoolArray = np.logical_not(gap.any(axis=0))
    used = [
        name
        for name in ordered.columns
        if kinds[name] != "category" or bool(ordered[name].to_numpy()[complete].any())
    ]
    gaps = pd.DataFrame(lines, columns=list(LEDGER_COLUMNS))
    return Features(ordered[used], kinds, labels, complete, gaps)


def _distribution(column: FloatArray, weights: FloatArray) -> tuple[bytes, bytes]:
    """Return a column's distinct values and their shares of the weight, to sort columns by."""
    values, place = np.unique(column + 0.0, return_inverse=True)
    share = np.bincount(place, weights=weights) / weights.sum()
    # Rounded, so that repeated rows and weights, whose sums differ in the last digit, sort alike.
    return values.tobytes(), np.round(share, 9).tobytes()


def case_weights(survey: Survey, rows: IntArray) -> FloatArray:
    """Return the weights of the rows (n,), sampling weights again with mean one."""
    weights = survey.weights[rows]
    if survey.weight_kind != "sampling":
        return weights
    # Summed in sorted order, and rounded, for the same bytes whatever the order of the rows and the
    # scale of the weights.
    return _significant(weights * (len(weights) / np.sort(weights).sum()))


def merge_identical(
    raw: FloatArray, weights: FloatArray, survey: Survey, *, takes_weights: bool
) -> Collapsed:
    """Turn identical respondents into one weighted point.

    Where the tree builder takes no weights, an unweighted survey is only put in canonical order.

    Parameters
    ----------
    raw : ndarray, shape (n, d)
        Complete feature values.
    weights : ndarray, shape (n,)
    survey : Survey
    takes_weights : bool

    Returns
    -------
    Collapsed
    """
    if takes_weights or survey.weight_kind != "none":
        return collapse(raw, weights)
    order = canonical_order(raw, weights)
    point_of = np.empty(len(order), dtype=np.intp)
    point_of[order] = np.arange(len(order))
    return Collapsed(raw[order], weights[order], np.ones(len(order), dtype=np.intp), point_of)


def standardise(merged: Collapsed, features: Features) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the points standardised, and the mean and divisor of each feature.

    Numeric features get mean 0 and standard deviation 1 (weighted, ddof 0). A category of share p
    is centred at p and divided by ``sqrt(p)``, so that its inertia is ``1 - p``, as in FAMD.

    Raises
    ------
    DataError
        Where a feature is constant.

    References
    ----------
    Pages (2004), Revue de Statistique Appliquee 52(4), 93-111, factor analysis of mixed data.
    """
    mean, sd = weighted_mean_sd(merged.x, merged.weights)
    names = list(features.table.columns)
    constant = [
        features.labels[name]
        for name, m, s in zip(names, mean, sd, strict=True)
        if s <= _CONSTANT * max(1.0, abs(m))
    ]
    if constant:
        raise DataError(
            f"every respondent has the same value of {', '.join(constant)}, so it cannot tell them "
            "apart. "
            f'Make it use = "profile", or leave it out.'
        )
    category = np.array([features.kinds[name] == "category" for name in names])
    divisor = np.where(category, np.sqrt(np.abs(mean)), sd)
    return (merged.x - mean) / divisor, mean, divisor


def _significant(values: FloatArray) -> FloatArray:
    """Round positive numbers to twelve significant digits."""
    digits = 11 - np.floor(np.log10(values))
    # Dividing by a power of ten gives the nearest double; multiplying by its inverse would not.
    return np.round(values * 10.0**digits) / 10.0**digits
