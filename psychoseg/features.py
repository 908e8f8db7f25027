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
from psychoseg.survey.table import LEDGER_COLUMNS, Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = [
    "COLUMNS_BLOCK",
    "SCALES_BLOCK",
    "Features",
    "build_features",
    "case_weights",
    "content_key",
    "merge_identical",
]

#: The block of the scale scores; a column has the one the study gives it, else this.
SCALES_BLOCK, COLUMNS_BLOCK = "scales", "demographics"


@dataclass(frozen=True, slots=True)
class Features:
    """Active columns as numbers.

    Attributes
    ----------
    table : pandas.DataFrame, shape (n, d)
        A category is an indicator ``column=category``. Numbers first, then the categories of each
        column together, both ordered by content. NaN where a number is missing.
    kinds : dict of str to str
        "scale", "numeric" (an option of a multiple-response set too, as 0 and 1), "ordinal" (ranks
        0, 1, ... of the categories given) or "category".
    labels : dict of str to str
        What a reader sees.
    blocks : dict of str to str
        The block of each feature.
    variables : dict of str to str
        Which scale or column each feature is of: the categories of one column share it.
    variable_labels : dict of str to str
        What a reader sees of a scale or column.
    complete : ndarray of bool, shape (n,)
        Respondents with every active value.
    gaps : pandas.DataFrame
        Ledger lines of the others.
    """

    table: pd.DataFrame
    kinds: dict[str, str]
    labels: dict[str, str]
    blocks: dict[str, str]
    variables: dict[str, str]
    variable_labels: dict[str, str]
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
    blocks: dict[str, str] = {}
    variables: dict[str, str] = {}
    missing: dict[str, BoolArray] = {}
    shown: dict[str, str] = {}

    def add(feature: str, values: FloatArray, kind: str, label: str, block: str, of: str) -> None:
        while feature in columns:
            feature += " (column)"
        columns[feature] = values
        kinds[feature], labels[feature] = kind, label
        blocks[feature], variables[feature] = block, of

    if scales is not None:
        shown = dict(zip(scales.table["scale"], scales.table["label"], strict=True))
        for name in scales.scores.columns:
            scores = scales.scores[name].to_numpy(np.float64)
            missing[name] = np.isnan(scores)
            add(name, scores, "scale", shown[name], SCALES_BLOCK, name)
    for name in survey.columns.columns:
        variable = survey.codebook[name]
        if variable.role != "active":
            continue
        values = survey.columns[name]
        label, block, of = survey.label(name), variable.block or COLUMNS_BLOCK, f"column {name}"
        shown[of] = label
        # Who was not asked a set lacks all of its options: one gap, not one an option.
        asked = f"set {block}" if variable.kind == "choice" else of
        shown[asked] = (variable.question or block) if variable.kind == "choice" else label
        gaps = values.isna().to_numpy()
        missing[asked] = gaps | missing.get(asked, False)
        if not isinstance(values.dtype, pd.CategoricalDtype):
            add(name, values.to_numpy(np.float64), "numeric", label, block, of)
        elif variable.kind == "ordinal":
            ranks = values.cat.remove_unused_categories().cat.codes.to_numpy(np.float64)
            add(name, np.where(gaps, np.nan, ranks), "ordinal", label, block, of)
        else:
            for category in values.cat.categories:
                has = (values == category).to_numpy(np.float64)
                add(f"{name}={category}", has, "category", f"{label}: {category}", block, of)
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
    names = sorted(columns, key=lambda name: (*content_key(columns[name], survey.weights), name))
    # A category that none of the complete respondents has is no feature.
    complete: BoolArray = np.logical_not(gap.any(axis=0))
    used = [n for n in names if kinds[n] != "category" or bool(columns[n][complete].any())]
    first = {of: place for place, of in reversed(list(enumerate(variables[n] for n in used)))}
    used.sort(key=lambda n: (kinds[n] == "category", first[variables[n]]))
    return Features(
        table=pd.DataFrame({name: columns[name] for name in used}),
        kinds=kinds,
        labels=labels,
        blocks=blocks,
        variables=variables,
        variable_labels=shown,
        complete=complete,
        gaps=pd.DataFrame(lines, columns=list(LEDGER_COLUMNS)),
    )


def content_key(column: FloatArray, weights: FloatArray) -> tuple[bytes, bytes]:
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


def _significant(values: FloatArray) -> FloatArray:
    """Round positive numbers to twelve significant digits."""
    digits = 11 - np.floor(np.log10(values))
    # Dividing by a power of ten gives the nearest double; multiplying by its inverse would not.
    return np.round(values * 10.0**digits) / 10.0**digits
