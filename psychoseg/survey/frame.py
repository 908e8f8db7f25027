"""A DataFrame in a notebook -> :class:`Survey`, without a study file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.survey.clean import check_items, observed_ends, rescale
from psychoseg.survey.given import (
    LEFT_OUT_COLUMNS,
    FrameLike,
    answer_kind,
    as_pandas,
    category_codes,
    matching_rows,
    no_category,
    no_item,
    no_like_items,
    numbers_of,
    tell_left_out,
)
from psychoseg.survey.raw import number_text, quoted_list, rows_text
from psychoseg.survey.select import nearest_names
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable
from psychoseg.survey.weighting import WEIGHTING_COLUMNS, weighting_table

__all__ = ["survey_from_frame", "survey_of_columns"]


def survey_from_frame(
    frame: FrameLike,
    *,
    items: Sequence[str] | None = None,
    columns: Sequence[str] = (),
    active: Sequence[str] = (),
    reverse: Sequence[str] = (),
    answer_range: tuple[float, float] | None = None,
    labels: Mapping[str, str] | None = None,
    ids: str | None = None,
    weights: str | npt.ArrayLike | None = None,
    weight_kind: Literal["sampling", "frequency"] = "sampling",
) -> Survey:
    """Make a survey from a frame; see :meth:`Survey.from_frame`.

    With ``items=[]`` there are only columns.

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
    frame = as_pandas(frame)
    for what, names in (("items", items), ("columns", columns), ("reverse", reverse)):
        if isinstance(names, str):
            raise DataError(f"{what} is the text {names!r}. Give a list: [{names!r}].")
    columns, active, reverse = ([str(n) for n in names] for names in (columns, active, reverse))
    columns = [*columns, *active]
    items = None if items is None else [str(name) for name in items]
    labels = {str(name): label for name, label in (labels or {}).items()}
    weight_column = weights if isinstance(weights, str) else None
    left_out = pd.DataFrame(columns=list(LEFT_OUT_COLUMNS), dtype="str")
    if items is None:
        named = {*columns, *([ids] if ids else []), *([weight_column] if weight_column else [])}
        items, left_out = _found_items(frame, [n for n in frame.columns if n not in named])
    _check_names(frame, items, columns, reverse, ids, weight_column)
    _check_finite(frame, [*items, *columns])
    answers = _items(frame, items, answer_range)
    others = pd.DataFrame({n: _column(frame[n]) for n in columns}, index=pd.RangeIndex(len(frame)))
    used = np.ones(len(frame)) if weights is None else _weights(frame, weights, weight_kind)
    sampled = weights is not None and weight_kind == "sampling"
    survey = Survey(
        ids=_ids(frame, ids),
        items=answers,
        columns=others,
        weights=used,
        weight_kind="none" if weights is None else weight_kind,
        codebook={
            **_item_lines(frame, answers, reverse, answer_range, labels),
            **{
                name: _column_line(name, others[name], labels, active=name in active)
                for name in columns
            },
            **({} if ids is None else {ids: Variable(ids, labels.get(ids, ids), "id", "text")}),
            **(
                {}
                if weight_column is None
                else {
                    weight_column: Variable(
                        weight_column, labels.get(weight_column, weight_column), "weight", "numeric"
                    )
                }
            ),
        },
        ledger=pd.DataFrame(columns=list(LEDGER_COLUMNS)),
        n_read=len(frame),
        weighting=weighting_table(used) if sampled else pd.DataFrame(columns=WEIGHTING_COLUMNS),
        index=frame.index,
        left_out=left_out,
    )
    tell_left_out(left_out, "the items")
    return survey


def survey_of_columns(
    frame: FrameLike,
    *,
    weights: str | npt.ArrayLike | None = None,
    weight_kind: Literal["none", "sampling", "frequency"] = "sampling",
    use: Literal["active", "profile"],
    what: str,
) -> Survey:
    """Make a survey of all columns of a frame that can form or describe segments, and no items.

    Parameters
    ----------
    frame : frame, shape (n, any)
    weights : str or array-like of shape (n,), optional
    weight_kind : {"none", "sampling", "frequency"}
        "none" where there are no weights.
    use : {"active", "profile"}
    what : str
        What a column is left out of that is an id, a date, open text or empty, for the warning.

    Returns
    -------
    Survey
        Its ``left_out`` holds these columns.

    Raises
    ------
    DataError
        As :func:`survey_from_frame` does.

    Warns
    -----
    PsychosegWarning
        Where a column is left out.
    """
    frame = as_pandas(frame)
    named = [n for n in frame.columns if n != weights] if isinstance(weights, str) else frame
    reasons = {str(name): no_category(frame[name]) for name in named}
    left_out = _left_out({name: why for name, why in reasons.items() if why})
    kept = [name for name, why in reasons.items() if not why]
    survey = survey_from_frame(
        frame,
        items=[],
        columns=kept if use == "profile" else (),
        active=kept if use == "active" else (),
        weights=weights,
        weight_kind="frequency" if weight_kind == "frequency" else "sampling",
    )
    tell_left_out(left_out, what)
    return replace(survey, left_out=left_out)


def _found_items(frame: pd.DataFrame, names: Sequence[str]) -> tuple[list[str], pd.DataFrame]:
    """Return the columns that can be items, and the others with the reason why not."""
    reasons = {name: no_item(frame[name]) for name in names}
    able = [name for name, why in reasons.items() if not why]
    reasons |= no_like_items(frame[able])
    items = [name for name, why in reasons.items() if not why]
    left_out = _left_out({name: why for name, why in reasons.items() if why})
    if not items:
        held = [f"{name}: {why}" for name, why in left_out.itertuples(index=False, name=None)]
        raise DataError(
            "there are no items: no column of numbers or of an ordered Categorical is left"
            + (f" ({'; '.join(held[:5])}{' ...' if len(held) > 5 else ''})" if held else "")
            + ". Turn answers into codes, or name the items."
        )
    return items, left_out


def _left_out(reasons: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(reasons.items()), columns=list(LEFT_OUT_COLUMNS), dtype="str")


def _item_lines(
    frame: pd.DataFrame,
    answers: pd.DataFrame,
    reverse: Sequence[str],
    answer_range: tuple[float, float] | None,
    labels: Mapping[str, str],
) -> dict[str, Variable]:
    """Return the codebook of the items; an ordered Categorical brings its own ends and labels."""
    worded = {
        str(name): dict(
            zip(category_codes(frame[name]), map(str, frame[name].cat.categories), strict=True)
        )
        for name in answers.columns
        if answer_kind(frame[name]) == "ordered"
    }
    plain = [name for name in answers.columns if name not in worded]
    ends = answer_range or (observed_ends(answers[plain]) if plain else (0.0, 0.0))
    lines = {}
    for name in answers.columns:
        low, high = ends
        if name in worded and answer_range is None:
            low, high = min(worded[name]), max(worded[name])
        lines[name] = Variable(
            name,
            labels.get(name, name),
            "item",
            "likert",
            low=low,
            high=high,
            value_labels=worded.get(name, {}),
            reversed=name in reverse,
        )
    return lines


def _column_line(
    name: str, values: pd.Series, labels: Mapping[str, str], *, active: bool
) -> Variable:
    kind: Literal["numeric", "ordinal", "categorical"] = "numeric"
    categories: tuple[str, ...] = ()
    if isinstance(values.dtype, pd.CategoricalDtype):
        kind = "ordinal" if values.cat.ordered else "categorical"
        categories = tuple(values.cat.categories)
    return Variable(
        name,
        labels.get(name, name),
        "active" if active else "profile",
        kind,
        categories=categories,
        block="demographics",
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
        if answer_kind(frame[name]) != "number":
            continue
        infinite = np.flatnonzero(np.isinf(numbers_of(frame[name])))
        if len(infinite):
            raise DataError(
                f"column {name!r} is infinite in {rows_text(infinite)} (counted from 0). Make it "
                "missing, or put in what was meant."
            )


def _items(
    frame: pd.DataFrame, items: Sequence[str], answer_range: tuple[float, float] | None
) -> pd.DataFrame:
    text = [n for n in items if answer_kind(frame[n]) not in ("number", "bool", "ordered")]
    if text:
        held = [f"{n} ({frame[n].dtype})" for n in text]
        raise DataError(
            "items must be numbers or an ordered Categorical; not so: "
            f"{', '.join(held[:5])}{' ...' if len(held) > 5 else ''}. "
            f"Turn their answers into codes, or say their order with "
            "pandas.Categorical(..., ordered=True)."
        )
    answers = pd.DataFrame(
        {n: numbers_of(frame[n]) for n in items}, index=pd.RangeIndex(len(frame)), dtype=np.float64
    )
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
    if answer_kind(series) == "number":
        return pd.Series(numbers_of(series), name=series.name)
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
    if isinstance(weights, pd.Series):
        at = matching_rows(frame.index, weights.index, what="the weights", of="the frame")
        weights = weights.iloc[at].to_numpy()
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
