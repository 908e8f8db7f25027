"""A file as it stands: every cell as text, and what it says of its columns; never interprets.

:class:`TextTable` is what every reader returns, whatever the format, so that one set of rules turns
text into codes. Numbers of formats that store numbers (XLSX, SPSS) are written the shortest way
that reads back the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "Field",
    "LeftOutRow",
    "Measure",
    "TextTable",
    "number_text",
    "parse_number",
    "quoted_list",
    "rows_text",
    "short",
]

Measure = Literal["", "nominal", "ordinal", "scale"]

#: Whole numbers up to here are exact in a double (2**53) and are written without a decimal point.
EXACT_WHOLE = 2.0**53
#: How many examples an error shows.
EXAMPLES = 5
#: Letters of a text that an error shows: questions as names have up to 150.
SHOWN = 200

# "inf", "nan" and "1_000" are numbers to Python's float() but not to a questionnaire.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Field:
    """What a file says about one of its columns.

    Attributes
    ----------
    label, question : str
        Empty where the file has none.
    value_labels : dict of str to str
        Code as text to label, in code order, without the codes that mean "no answer".
    missing : tuple of str
        Codes that the file itself declares as "no answer" (SPSS user-missing values and ranges).
    measure : {"", "nominal", "ordinal", "scale"}
    decimal : {".", ","}
    set_label : str
        Label of the multiple-response set that the file says it is in (SPSS).
    loose : bool
        Whether numbers were typed as text, and nobody has said how they are written.
    answers : tuple of str
        Texts that look like none and that the study says are answers.
    taken : dict of str to int
        The texts of the study's ``missing`` met in the column, and how many cells hold each.
    counted : str
        The code that means "chosen" in that set; empty where it is a set of categories.
    """

    label: str = ""
    question: str = ""
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    measure: Measure = ""
    decimal: Literal[".", ","] = "."
    set_label: str = ""
    loose: bool = False
    answers: tuple[str, ...] = ()
    taken: Mapping[str, int] = field(default_factory=dict)
    counted: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A row of a file that is nobody's answers: where it stands, its id (or "") and why."""

    row: int
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class TextTable:
    """One file, read.

    Attributes
    ----------
    path : Path
    file : str
        The file as the study names it.
    cells : DataFrame of str, shape (n, columns)
        Trimmed text; ``""`` is "no answer".
    rows : ndarray of int, shape (n,)
        Where each row starts: the line as a text editor counts, the row as Excel does (the header
        is line 1), or the case number in an SPSS file.
    fields : dict of str to Field
        One for each column.
    left_out : tuple of LeftOutRow
        Rows that the study leaves out of the file, in file order.
    """

    path: Path
    file: str
    cells: pd.DataFrame
    rows: npt.NDArray[np.int64]
    fields: Mapping[str, Field]
    left_out: tuple[LeftOutRow, ...] = ()


def number_text(value: float) -> str:
    """Return the shortest text that reads back the same: ``5``, not ``5.0``; ``""`` for NaN."""
    if math.isnan(value):
        return ""
    if float(value).is_integer() and abs(value) <= EXACT_WHOLE:
        return str(int(value))
    return repr(float(value))


def parse_number(text: str, decimal: Literal[".", ","] = ".") -> float | None:
    """Return the number a text is, or None; ``1,000``, ``inf`` and ``nan`` are none."""
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def rows_text(rows: Sequence[int] | npt.NDArray[np.int64]) -> str:
    """Return "row 4", "rows 4 and 9", or "rows 4, 9, 12, 15, 20 and 7 more"."""
    return ("row " if len(rows) == 1 else "rows ") + _listed([str(r) for r in rows])


def quoted_list(texts: Sequence[str]) -> str:
    """Return the first few texts in quotes, and how many more there are."""
    return _listed([repr(short(t)) for t in texts[:EXAMPLES]] + list(texts[EXAMPLES:]))


def short(text: str) -> str:
    """Return a text as an error shows it: a cell may hold a book."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _listed(texts: list[str]) -> str:
    if len(texts) > EXAMPLES:
        return f"{', '.join(texts[:EXAMPLES])} and {len(texts) - EXAMPLES} more"
    if len(texts) == 1:
        return texts[0]
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
