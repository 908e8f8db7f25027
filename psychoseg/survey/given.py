"""What a caller in Python gives: frames of any library and their rows, brought to pandas.

Owns which tables are taken, what kind of answers a column holds, and how two things with an index
are brought to the same rows. Never makes a survey.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, tell
from psychoseg.survey.raw import quoted_list

if TYPE_CHECKING:
    import narwhals as nw
    from narwhals.typing import IntoDataFrame

__all__ = [
    "LEFT_OUT_COLUMNS",
    "AnswerKind",
    "FrameLike",
    "answer_kind",
    "as_pandas",
    "category_codes",
    "generator_of",
    "matching_rows",
    "no_category",
    "no_item",
    "no_like_items",
    "numbers_of",
    "tell_left_out",
]

#: A pandas, polars or other frame that narwhals knows, or an array of numbers.
FrameLike: TypeAlias = "pd.DataFrame | npt.NDArray[np.generic] | IntoDataFrame"
AnswerKind = Literal["number", "bool", "ordered", "category", "text", "date", "other"]

LEFT_OUT_COLUMNS = ("column", "reason")

#: Texts up to this many different ones are categories, whatever the number of people; more of them
#: are only where each has this many people on average: a segment cannot be told by less.
_FEW_CATEGORIES, _PEOPLE_EACH = 20, 10
#: Steps of an answer scale at most, and different values from which on a column is unlike them.
_FEW_STEPS, _MANY_STEPS = 11, 20
#: Whole numbers that all differ are ids only from this many people on: by chance they may in fewer.
_ID_PEOPLE = 30
_ID_NAME = re.compile(
    r"(?:^|[^a-z])(?:u?u?id|guid|nr|respondent|resp(?:ondent)?_?(?:id|no|nr)|caseid|serial)(?:$|[^a-z])"
)
_WEIGHT_NAME = re.compile(r"(?:^|[^a-z])(?:w|wt|wgt|weights?|gewicht|gew|poids|peso)(?:$|[^a-z])")
_DATE_TEXT = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[ T]\d{1,2}:\d{2}.*)?")
#: Names that a message shows before it only counts.
_NAMED = 8


def as_pandas(frame: object) -> pd.DataFrame:
    """Return a table as a pandas frame whose columns are named by text.

    Parameters
    ----------
    frame : DataFrame, array or any eager frame that narwhals knows, such as of polars
        An array of shape (n, p) gets the columns x0, x1, ...; only a pandas frame has an index.

    Returns
    -------
    DataFrame, shape (n, p)
        Not the one that was given, which stays as it is.

    Raises
    ------
    DataError
        Where it is no table, or two columns have one name.
    """
    if isinstance(frame, pd.DataFrame):
        named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    elif isinstance(frame, np.ndarray):
        named = _from_array(frame)
    else:
        named = _from_other(frame)
    if not named.columns.is_unique:
        twice = [str(n) for n in named.columns[named.columns.duplicated()].unique()]
        raise DataError(
            f"the frame repeats the columns {quoted_list(twice)}. Give each its own name."
        )
    return named


def matching_rows(wanted: pd.Index, given: pd.Index, *, what: str, of: str) -> npt.NDArray[np.intp]:
    """Return where each row of one thing stands in another, by their indexes.

    Parameters
    ----------
    wanted, given : Index
        Of the rows that count, and of what is brought to them.
    what, of : str
        What ``given`` and ``wanted`` are of, for a message.

    Returns
    -------
    ndarray of int, shape (len(wanted),)

    Raises
    ------
    DataError
        Where the two do not hold the same labels, or one repeats a label.
    """
    if wanted.equals(given):
        return np.arange(len(wanted))
    for index, whose in ((given, what), (wanted, of)):
        if not index.is_unique:
            twice = index[index.duplicated()][0]
            raise DataError(
                f"{what} and {of} cannot be matched: the index of {whose} repeats {twice!r}. Give "
                "each row its own label, such as with reset_index(drop=True) on both while their "
                "rows are still in one order."
            )
    at = given.get_indexer(wanted)
    lacking = wanted[at < 0]
    beyond = given[~given.isin(wanted)]
    if len(lacking) or len(beyond):
        found = [
            f"{len(rows)} row{'s' if len(rows) > 1 else ''} of {whose} (such as {rows[0]!r}) "
            f"{'are' if len(rows) > 1 else 'is'} not in {other}"
            for rows, whose, other in ((lacking, of, what), (beyond, what, of))
            if len(rows)
        ]
        raise DataError(
            f"{what} and {of} have other rows: their indexes differ; {' and '.join(found)}. Rows "
            "are matched by the index, never by position: give both the same one, in any order."
        )
    return np.asarray(at, dtype=np.intp)


def answer_kind(series: pd.Series) -> AnswerKind:
    """Return what a column holds; "other" is what no survey answer is, such as a list."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "ordered" if dtype.ordered else "category"
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_complex_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return "other"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "date"
    return _kind_of_objects(series)


def numbers_of(series: pd.Series) -> npt.NDArray[np.float64]:
    """Return a column of numbers, truths or ordered categories as floats, NaN where missing.

    Ordered categories whose names are numbers that rise are these numbers, others 1, 2, ... in
    their order.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        steps = np.append(np.asarray(category_codes(series), dtype=np.float64), np.nan)
        return steps[series.cat.codes.to_numpy()]
    if series.dtype == object:
        series = pd.to_numeric(series)
    return series.to_numpy(np.float64, na_value=np.nan)


def category_codes(series: pd.Series) -> list[float]:
    """Return the code of each category of an ordered column; see :func:`numbers_of`."""
    names = series.cat.categories
    try:
        steps = [float(name) for name in names]
    except (TypeError, ValueError):
        steps = []
    rising = bool(steps) and bool(np.isfinite(steps).all()) and bool((np.diff(steps) > 0).all())
    return steps if rising else [float(code) for code in range(1, len(names) + 1)]


def no_item(series: pd.Series) -> str:
    """Return why a column that nobody named as an item is none; empty where it may be one."""
    kind = answer_kind(series)
    if kind == "number" and _is_id(series):
        return "whole numbers that all differ: an id"
    if kind in ("number", "bool", "ordered"):
        return ""
    if kind == "date":
        return "dates"
    if kind == "category":
        return "categories without an order: make it an ordered Categorical"
    if kind == "text":
        texts = series.dropna().astype(str)
        if len(texts) and pd.to_numeric(texts, errors="coerce").notna().all():
            return "numbers kept as text: use pandas.to_numeric"
        return "text: turn answers into codes, or into an ordered Categorical"
    return f"{series.dtype}, which holds no answers"


def no_like_items(items: pd.DataFrame) -> dict[str, str]:
    """Return which columns that nobody named as items are unlike most of the others, and why.

    Parameters
    ----------
    items : DataFrame, shape (n, p)
        Columns that may be items by what they hold.

    Returns
    -------
    dict of str to str
        Where more than half of the columns are whole numbers of few steps: those with many
        different values that go far beyond the others' range, such as ages, and fractions that are
        called a weight.
    """
    values = {str(name): numbers_of(items[name]) for name in items}
    known = {name: x[np.isfinite(x)] for name, x in values.items()}
    steps = {name: len(np.unique(x)) for name, x in known.items()}
    whole = {name: not (x % 1).any() for name, x in known.items()}
    alike = [n for n in known if whole[n] and 0 < steps[n] <= _FEW_STEPS]
    if 2 * len(alike) <= len(known):
        return {}
    low, high = min(known[n].min() for n in alike), max(known[n].max() for n in alike)
    reasons = {}
    for name, x in known.items():
        far = len(x) > 0 and (x.max() > 2 * high - low or x.min() < 2 * low - high)
        if steps[name] > _MANY_STEPS and far:
            reasons[name] = (
                f"{steps[name]} different values from {x.min():g} to {x.max():g}, most other "
                f"columns go from {low:g} to {high:g}: name it in items if it is one"
            )
        elif not whole[name] and _WEIGHT_NAME.search(name.lower()):
            reasons[name] = "fractions, and called a weight: give it as weights"
    return reasons


def no_category(series: pd.Series) -> str:
    """Return why a column can neither form nor describe segments; empty where it can."""
    kind = answer_kind(series)
    if series.isna().all():
        return "no value in any row"
    if kind == "number":
        return "whole numbers that all differ: an id" if _is_id(series) else ""
    if kind == "date":
        return "dates: turn it into a number, such as the year"
    if kind == "other":
        return f"{series.dtype}, which holds neither numbers nor categories"
    if kind not in ("text", "category"):
        return ""
    there = series.dropna().astype(str)
    n_values = there.nunique()
    if kind == "text" and there.str.fullmatch(_DATE_TEXT).all():
        return "dates as text: turn it into a number, such as the year"
    if n_values <= _FEW_CATEGORIES or len(there) >= n_values * _PEOPLE_EACH:
        return ""
    return (
        f"{n_values:,} different values among {len(there):,}, an id or open text: put it into few "
        "categories first"
    )


def tell_left_out(left_out: pd.DataFrame, what: str) -> None:
    """Say which columns took no part, and why; nothing where all did."""
    if left_out.empty:
        return
    shown = [
        f"{column} ({reason})" for column, reason in left_out.itertuples(index=False, name=None)
    ]
    rest = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    tell(
        f"{len(shown)} column{'s are' if len(shown) > 1 else ' is'} left out of {what}: "
        f"{'; '.join(shown[:_NAMED])}{rest}"
    )


def generator_of(
    rng: np.random.Generator | None, random_state: int | np.random.Generator | None
) -> np.random.Generator:
    """Return where random numbers come from: said in one of two ways, else seed 1.

    Raises
    ------
    DataError
        Where both are given, or a seed is no whole number from 0.
    """
    if rng is not None and random_state is not None:
        raise DataError("rng and random_state say the same thing. Give one of them.")
    given = 1 if random_state is None else random_state
    if rng is None and isinstance(given, int | np.integer):
        if isinstance(given, bool) or given < 0:
            raise DataError(f"random_state = {given!r} is not a whole number from 0. Give one.")
        return np.random.default_rng(int(given))
    found = given if rng is None else rng
    if not isinstance(found, np.random.Generator):
        raise DataError(
            f"random_state is a {type(found).__name__}. Give a whole number or a "
            "numpy.random.Generator."
        )
    return found


def _from_array(array: npt.NDArray[np.generic]) -> pd.DataFrame:
    if array.ndim != 2:
        raise DataError(
            f"an array of shape {array.shape} is no table. Give one of shape (people, columns)."
        )
    frame = pd.DataFrame(array, columns=[f"x{j}" for j in range(array.shape[1])])
    return frame.infer_objects()


def _from_other(frame: object) -> pd.DataFrame:
    import narwhals as nw

    try:
        found = nw.from_native(cast("IntoDataFrame", frame), eager_only=True)
    except TypeError:
        what = f"a {type(frame).__module__.split('.')[0]} {type(frame).__name__}"
        hint = "a DataFrame of pandas or polars, or an array with one row a respondent"
        if hasattr(frame, "collect"):
            hint = "what its collect() returns"
        elif isinstance(frame, pd.Series):
            hint = "a DataFrame, such as df[[name]], since a Series is one column"
        raise DataError(f"{what} is no table of answers here. Give {hint}.") from None
    return pd.DataFrame({str(name): _column_of(found[name]) for name in found.columns})


def _column_of(series: nw.Series[Any]) -> pd.Series:
    """Return a column of another library; by lists, so that no further package is needed."""
    import narwhals as nw

    dtype = series.dtype
    if dtype.is_numeric() and not dtype.is_decimal():
        return pd.Series(np.asarray(series.to_numpy(), dtype=np.float64))
    values = series.to_list()
    if isinstance(dtype, nw.Enum):
        # Its categories have a declared order, as those of an ordered Categorical.
        return pd.Series(pd.Categorical(values, categories=dtype.categories, ordered=True))
    if dtype == nw.Boolean:
        return pd.Series(values, dtype="boolean")
    if dtype.is_decimal():
        return pd.Series([np.nan if v is None else float(v) for v in values], dtype=np.float64)
    if dtype.is_temporal() and dtype not in (nw.Duration, nw.Time):
        return pd.Series(pd.to_datetime(pd.Series(values, dtype=object)))
    return pd.Series(values, dtype=object)


def _kind_of_objects(series: pd.Series) -> AnswerKind:
    """Return what a column of text or of Python objects holds, by its values."""
    found = pd.api.types.infer_dtype(series, skipna=True)
    if found in ("integer", "floating", "mixed-integer-float", "decimal"):
        return "number"
    if found == "boolean":
        return "bool"
    if found in ("date", "datetime", "datetime64", "period"):
        return "date"
    if found in ("string", "empty"):
        return "text"
    # Numbers and text side by side are text; lists, dictionaries and the like are no answers.
    plain = series.dropna().map(lambda value: isinstance(value, str | int | float | bool))
    return "text" if plain.all() else "other"


def _is_id(series: pd.Series) -> bool:
    """Return whether numbers only say who somebody is: whole, none twice, dense or so called."""
    values = numbers_of(series)
    if len(values) < _ID_PEOPLE or not np.isfinite(values).all() or (values % 1).any():
        return False
    if len(np.unique(values)) < len(values):
        return False
    dense = float(np.ptp(values)) < 2 * len(values)
    return dense or _ID_NAME.search(str(series.name).lower()) is not None
