"""SPSS files -> :class:`TextTable`, with labels, user-missing codes and measure levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.survey.raw import Field, Measure, TextTable, number_text
from psychoseg.survey.sav_header import check_sav

__all__ = ["read_spss"]

#: SPSS counts seconds from the first day of the Gregorian calendar.
EPOCH = np.datetime64("1582-10-14", "s")
#: Of the year 9999, the last that ISO 8601 writes with four digits.
LAST_SECOND = int((np.datetime64("10000-01-01", "s") - EPOCH) / np.timedelta64(1, "s"))
_DATES = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "QYR", "MOYR", "WKYR")


class _Range(TypedDict):
    """User-missing values from ``lo`` to ``hi``, both included; texts where the variable is one."""

    lo: float | str
    hi: float | str


class _Set(TypedDict):
    """A multiple-response set, as pyreadstat describes it."""

    label: str
    counted_value: int | None
    variable_list: list[str]


def read_spss(path: Path, file: str, encoding: str | None = None) -> TextTable:
    """Read an SPSS file.

    Parameters
    ----------
    path : Path
    file : str
        The file as the study names it.
    encoding : str, optional
        In place of the one the file declares (.sav and .zsav).

    Returns
    -------
    TextTable
        User-missing codes and system-missing values are ``""``; dates are ISO 8601; ``rows`` are
        case numbers.

    Raises
    ------
    DataError
        Where it is no SPSS file or its text does not fit its encoding.
    """
    import pyreadstat

    if path.suffix.lower() != ".por":
        check_sav(path)
    try:
        if path.suffix.lower() == ".por":
            frame, meta = pyreadstat.read_por(str(path), disable_datetime_conversion=True)
        else:
            frame, meta = pyreadstat.read_sav(
                str(path), user_missing=True, disable_datetime_conversion=True, encoding=encoding
            )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as an SPSS file ({error}). Save it again from SPSS, or set "
            "encoding where its "
            f'letters are wrong, such as encoding = "cp1252".'
        ) from None
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names) or not all(isinstance(name, str) for name in frame.columns):
        raise DataError(
            f"{path} is damaged: names of its variables are no text or repeat. Copy it anew, or "
            "save it again from SPSS."
        )
    sets = _sets_of(meta.mr_sets.values())
    cells: dict[str, npt.NDArray[np.object_]] = {}
    fields: dict[str, Field] = {}
    for name in names:
        form = str(meta.original_variable_types.get(name, ""))
        ranges = cast("Sequence[_Range]", meta.missing_ranges.get(name, []))
        cells[name] = _texts(frame[name], form, ranges)
        labels = cast("Mapping[object, str]", meta.variable_value_labels.get(name, {}))
        measure = str(meta.variable_measure.get(name, ""))
        fields[name] = Field(
            label=str(meta.column_names_to_labels.get(name) or "").strip(),
            value_labels=_value_labels(labels, ranges),
            missing=tuple(_range_text(r) for r in ranges),
            measure=cast("Measure", measure if measure in {"nominal", "ordinal", "scale"} else ""),
            set_label=sets.get(name, ("", ""))[0],
            counted=sets.get(name, ("", ""))[1],
        )
    table = pd.DataFrame(cells, columns=list(cells), dtype=object)
    return TextTable(path, file, table, np.arange(1, len(table) + 1, dtype=np.int64), fields)


def _sets_of(sets: Iterable[_Set]) -> dict[str, tuple[str, str]]:
    """Return label and counted code of the first multiple-response set that a column is in."""
    found: dict[str, tuple[str, str]] = {}
    for one in sets:
        counted = one["counted_value"]
        code = "" if counted is None else number_text(float(counted))
        for name in one["variable_list"]:
            found.setdefault(name, (one["label"].strip(), code))
    return found


def _texts(column: pd.Series, form: str, ranges: Sequence[_Range]) -> npt.NDArray[np.object_]:
    codes, uniques = pd.factorize(column.to_numpy(), use_na_sentinel=True)
    numeric = pd.api.types.is_float_dtype(column.dtype)
    values = [float(value) if numeric else str(value).strip() for value in uniques]
    texts = ["" if _in_ranges(value, ranges) else _text(value, form) for value in values]
    # The sentinel -1 of a missing value picks the last one.
    return np.asarray([*texts, ""], dtype=object)[codes]


def _text(value: float | str, form: str) -> str:
    if isinstance(value, str):
        return value
    kind = form.rstrip("0123456789.")
    # A number that is no day of the calendar stays a number.
    if 0 <= value < LAST_SECOND:
        if kind in _DATES:
            return str((EPOCH + np.timedelta64(round(value), "s")).astype("datetime64[D]"))
        if kind == "DATETIME":
            return str(EPOCH + np.timedelta64(round(value), "s")).replace("T", " ")
    return number_text(value)


def _value_labels(labels: Mapping[object, str], ranges: Sequence[_Range]) -> dict[str, str]:
    known: list[tuple[float, str, str]] = []
    for code, label in labels.items():
        value = float(code) if isinstance(code, int | float) else str(code).strip()
        text = value if isinstance(value, str) else number_text(value)
        if text and not _in_ranges(value, ranges):
            known.append((0.0 if isinstance(value, str) else value, text, str(label).strip()))
    return {text: label for _, text, label in sorted(known)}


def _in_ranges(value: float | str, ranges: Sequence[_Range]) -> bool:
    if isinstance(value, str):
        return value != "" and any(value == str(bounds["lo"]).strip() for bounds in ranges)
    return any(float(bounds["lo"]) <= value <= float(bounds["hi"]) for bounds in ranges)


def _range_text(bounds: _Range) -> str:
    low, high = bounds["lo"], bounds["hi"]
    if isinstance(low, str) or isinstance(high, str):
        return str(low).strip()
    return number_text(low) if low == high else f"{number_text(low)} to {number_text(high)}"
