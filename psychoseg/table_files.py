"""A table as a CSV file and back: types by column, names that repeat, texts as they stand.

Owns how a run folder's tables are written and read; knows nothing of what is in them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.spreadsheet import harmless_frame, unharmed

__all__ = ["ENCODING", "REMEDY", "read_table", "type_of", "write_table"]

#: Without it, or with it where a spreadsheet has saved a table as "CSV UTF-8".
ENCODING = "utf-8-sig"
REMEDY = (
    "Undo the change, or run the study again; to look at a table in a spreadsheet, open a copy."
)
#: numpy's kind of a column -> its type in the manifest.
_TYPES = {"f": "number", "i": "integer", "u": "integer", "b": "logical"}


def type_of(dtype: object) -> str:
    """Return a column's type as the manifest names it."""
    if isinstance(dtype, pd.CategoricalDtype):
        return "ordered" if dtype.ordered else "categories"
    if str(dtype) == "Int64":
        return "count"
    return _TYPES.get(getattr(dtype, "kind", "O"), "text")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as a CSV file without its index; no text in it is run by a spreadsheet."""
    safe = harmless_frame(frame)
    text = safe.to_csv(index=False, lineterminator="\n")
    if "\r" in text:
        # Python's csv quotes a carriage return only where the line end has one.
        text = safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    path.write_text(text, encoding="utf-8", newline="\n")


def read_table(path: Path, types: Sequence[str]) -> pd.DataFrame:
    """Read a table by the types of its columns; names may repeat, and "None" is a text."""
    try:
        with path.open(encoding=ENCODING, newline="") as file:
            # A spreadsheet may end a table with an empty line.
            head, *rows = [row for row in csv.reader(file) if row] or [[]]
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text any more. {REMEDY}") from None
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV file any more ({error}). {REMEDY}") from None
    _check_shape(path, head, rows, len(types))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(head)
    frame = pd.DataFrame(
        {
            j: _typed(column, kind, f"{path}, column {head[j]}")
            for j, (column, kind) in enumerate(zip(columns, types, strict=True))
        }
    )
    return frame.set_axis(pd.Index([unharmed(name) for name in head]), axis=1)


def _check_shape(
    path: Path, head: Sequence[str], rows: Sequence[Sequence[str]], n_columns: int
) -> None:
    """Check that each row has as many cells as the run wrote columns."""
    if len(head) != n_columns:
        lost = "a column was " + ("added" if len(head) > n_columns else "lost")
        if len(head) == 1 and ";" in head[0]:
            lost = "the cells are separated by semicolons instead of commas"
        words = "1 column" if len(head) == 1 else f"{len(head)} columns"
        raise DataError(f"{path} has {words} where the run wrote {n_columns}: {lost}. {REMEDY}")
    for number, row in enumerate(rows, start=2):
        if len(row) != n_columns:
            raise DataError(
                f"{path}: row {number} has {len(row)} cells where the header has {n_columns}. "
                f"{REMEDY}"
            )


def _typed(column: Sequence[str], kind: str, where: str) -> pd.Series:
    if kind == "number":
        found = [_parsed(x, float, where) if x else np.nan for x in column]
        return pd.Series(found, dtype=np.float64)
    if kind == "integer":
        return pd.Series([_parsed(x, int, where) for x in column], dtype=np.int64)
    if kind == "count":
        return pd.Series([_parsed(x, int, where) if x else pd.NA for x in column], dtype="Int64")
    if kind == "logical":
        return pd.Series([_parsed(x, _logical, where) for x in column], dtype=bool)
    return pd.Series([unharmed(text) for text in column], dtype="str")


def _parsed(text: str, read: Callable[[str], float], where: str) -> float:
    try:
        return read(text)
    except (ValueError, KeyError):
        wanted = _WANTED[read]
        comma = ", with a point for the decimals" if "," in text and read is float else ""
        raise DataError(f"{where}: {text!r} is not {wanted}{comma}. {REMEDY}") from None


def _logical(text: str) -> bool:
    """Read True and False, in capitals as a spreadsheet writes them."""
    return {"true": True, "false": False}[text.lower()]


_WANTED = {float: "a number", int: "a whole number", _logical: "True or False"}
