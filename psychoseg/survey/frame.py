"""A DataFrame in a notebook -> :class:`Survey`, without a study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.survey.clean import check_items, observed_ends, rescale
from psychoseg.survey.raw import number_text, quoted_list, rows_text
from psychoseg.survey.select import nearest_names
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable
from psychoseg.survey.weighting import WEIGHTING_COLUMNS, weighting_table

__all__ = ["check_same_rows", "survey_from_frame"]


def survey_from_frame(
    frame: pd.DataFrame,
    *,
    items: Sequence[str] | None = None,
    columns: Sequence[str] = (),
    reverse: Sequence[str] = (),
    answer_range: tuple[float, float] | None = None,
    labels: Mapping[str, str] | None = None,
    ids: str | None = None,
    weights: str | npt.ArrayLike | None = None,
    weight_kind: Literal["sampling", "frequency"] = "sampling",
    use: Literal["active", "profile"] = "profile",
) -> Survey:
    """Make a survey from a DataFrame; see :meth:`Survey.from_frame`.

    ``use`` says what its columns are for. With ``items=[]`` there are only columns.

    Raises
    ------
    DataError
        Where a column is unknown or used twice, an item is not numeric, constant, empty or outside
        its range, ids repeat or are missing, or a weight is not positive and finite. All that is
        wrong with names comes at once.

    Notes
    -----
    Nobody is left out: the ledger is empty. A column of numbers stays numeric; one of anything else
    becomes categorical, a ``Categorical`` with its own order, other values sorted; an ordered
    ``Categorical`` is ordinal. All columns are of one block, "demographics".
    """
    # Names become text, as a survey's are: a column called 0 is "0".
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    columns = [str(name) for name in columns]
    items = None if items is None else [str(name) for name in items]
    if not frame.columns.is_unique:
        twice = [str(n) for n in frame.columns[frame.columns.duplicated()].unique()]
        raise DataError(
            f"the frame repeats the columns {quoted_list(twice)}. Give each its own name."
        )
    weight_column = weights if isinstance(weights, str) else None
    named = {*columns, *([ids] if ids else []), *([weight_column] if weight_column else [])}
    if items is None:
        items = [
            str(n)
            for n in frame.columns
            if n not in named and pd.api.types.is_numeric_dtype(frame[n].dtype)
        ]
        if not items:
            raise DataError("there are no items: no numeric column is left. Name them in items.")
    _check_names(frame, items, columns, reverse, ids, weight_column)
    _check_finite(frame, [*items, *columns])
    answers = _items(frame, items, answer_range)
    others = pd.DataFrame({n: _column(frame[n]) for n in columns}, index=pd.RangeIndex(len(frame)))
    labels = labels or {}
    book: dict[str, Variable] = {}
    low, high = answer_range or (observed_ends(answers) if items else (0.0, 0.0))
    for name in items:
        book[name] = Variable(
            name,
            labels.get(name, name),
            "item",
            "likert",
            low=low,
            high=high,
            reversed=name in reverse,
        )
    for name in columns:
        categorical = isinstance(others[name].dtype, pd.CategoricalDtype)
        categories = tuple(others[name].cat.categories) if categorical else ()
        kind: Literal["numeric", "ordinal", "categorical"] = "numeric"
        if categorical:
            kind = "ordinal" if others[name].cat.ordered else "categorical"
        book[name] = Variable(
            name,
            labels.get(name, name),
            use,
            kind,
            categories=categories,
            block="demographics",
        )
    if ids is not None:
        book[ids] = Variable(ids, labels.get(ids, ids), "id", "text")
    if weight_column is not None:
        book[weight_column] = Variable(
            weight_column, labels.get(weight_column, weight_column), "weight", "numeric"
        )
    used = np.ones(len(frame)) if weights is None else _weights(frame, weights, weight_kind)
    sampled = weights is not None and weight_kind == "sampling"
    return Survey(
        ids=_ids(frame, ids),
        items=answers,
        columns=others,
        weights=used,
        weight_kind="none" if weights is None else weight_kind,
        codebook=book,
        ledger=pd.DataFrame(columns=list(LEDGER_COLUMNS)),
        n_read=len(frame),
        weighting=weighting_table(used) if sampled else pd.DataFrame(columns=WEIGHTING_COLUMNS),
    )


def check_same_rows(frame: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Refuse a frame whose index says that its rows are not those of the scale scores.

    Parameters
    ----------
    frame : DataFrame, shape (n, anything)
    scores : DataFrame, shape (n, s)
        Their index is 0 to n - 1 where they came from a survey, which says nothing of a frame with
        names of its own for its rows.

    Raises
    ------
    DataError
    """
    if len(frame) != len(scores) or frame.index.equals(scores.index):
        return
    unnamed = scores.index.equals(pd.RangeIndex(len(scores)))
    if not unnamed or frame.index.isin(scores.index).any():
        raise DataError(
            "the DataFrame and the scales have other rows: their indexes differ. Give the rows "
            "that the scales were fitted on, in the same order."
        )


def _check_names(
    frame: pd.DataFrame,
    items: Sequence[str],
    columns: Sequence[str],
    reverse: Sequence[str],
    ids: str | None,
    weight: str | None,
) -> None:
    names = [str(n) for n in frame.columns]
    asked = [*items, *columns, *([ids] if ids else []), *([weight] if weight else [])]
    problems = [
        f"no column {n!r}.{nearest_names(n, names)}" for n in asked if n not in frame.columns
    ]
    problems += [
        f"{n!r} is used twice. Use it once." for n in dict.fromkeys(asked) if asked.count(n) > 1
    ]
    problems += [
        f"reverse: {n!r} is not one of the items.{nearest_names(n, items)}"
        for n in reverse
        if n not in items
    ]
    if problems:
        raise DataError("\n".join(problems))


def _check_finite(frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if not pd.api.types.is_float_dtype(frame[name].dtype):
            continue
        infinite = np.flatnonzero(np.isinf(frame[name].to_numpy(np.float64, na_value=np.nan)))
        if len(infinite):
            raise DataError(
                f"column {name!r} is infinite in {rows_text(infinite)} (counted from 0). Make it "
                "missing, or put in what was meant."
            )


def _items(
    frame: pd.DataFrame, items: Sequence[str], answer_range: tuple[float, float] | None
) -> pd.DataFrame:
    text = [n for n in items if not pd.api.types.is_numeric_dtype(frame[n].dtype)]
    if text:
        held = [f"{n} ({frame[n].dtype})" for n in text]
        raise DataError(
            "items must be numeric; not so: "
            f"{', '.join(held[:5])}{' ...' if len(held) > 5 else ''}. "
            f"Turn their answers into codes."
        )
    answers = frame[list(items)].astype(float).reset_index(drop=True)
    x = answers.to_numpy()
    if np.isinf(x).any():
        where = [str(n) for n in answers.columns[np.isinf(x).any(axis=0)]]
        raise DataError(f"items hold infinite answers: {quoted_list(where)}. Turn them into NaN.")
    if answer_range is not None:
        low, high = answer_range
        outside = (x < low) | (x > high)
        if outside.any():
            i, j = np.argwhere(outside)[0]
            raise DataError(
                f"{int(outside.sum())} answers are outside {number_text(low)} to "
                f"{number_text(high)}, the first of them "
                f"{items[j]} = {number_text(x[i, j])} in row {i}. Correct answer_range, or turn "
                "them into NaN."
            )
    if items:
        check_items(answers)
    return answers


def _column(series: pd.Series) -> pd.Series:
    series = series.reset_index(drop=True)
    numeric = pd.api.types.is_numeric_dtype(series.dtype)
    if numeric and not pd.api.types.is_bool_dtype(series.dtype):
        return series.astype(float)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.remove_unused_categories()
        return series.cat.rename_categories([str(c) for c in series.cat.categories])
    text = series.map(str, na_action="ignore").astype(object)
    return pd.Series(
        pd.Categorical(text, categories=sorted(text.dropna().unique())), name=series.name
    )


def _ids(frame: pd.DataFrame, ids: str | None) -> pd.Series:
    source = frame.index.to_series() if ids is None else frame[ids]
    what = "the index" if ids is None else f"the id column {ids}"
    if source.isna().any():
        raise DataError(
            f"{what} has missing ids (row {int(np.flatnonzero(source.isna())[0])}). Fill them in."
        )
    text = pd.Series(
        [number_text(v) if isinstance(v, float) else str(v) for v in source],
        name=ids or "respondent",
        dtype="str",
    )
    twice = text[text.duplicated()].unique().tolist()
    if twice:
        raise DataError(f"{what} repeats {quoted_list(twice)}. Keep one row for each respondent.")
    return text


def _weights(
    frame: pd.DataFrame, weights: str | npt.ArrayLike, kind: Literal["sampling", "frequency"]
) -> npt.NDArray[np.float64]:
    given = frame[weights].to_numpy() if isinstance(weights, str) else np.asarray(weights)
    if given.shape != (len(frame),):
        raise DataError(
            f"weights have shape {given.shape}; one for each of the {len(frame)} rows is needed."
        )
    if not (np.issubdtype(given.dtype, np.number) or given.dtype == object):
        raise DataError(f"weights are {given.dtype}, not numbers.")
    values = np.asarray(pd.to_numeric(pd.Series(given), errors="coerce"), dtype=float)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(wrong):
        raise DataError(
            f"{len(wrong)} weights are not positive numbers, the first of them {given[wrong[0]]!s} "
            f"in row {wrong[0]}. Correct them, or leave out these rows."
        )
    return rescale(values, kind)
