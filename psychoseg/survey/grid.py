"""The cells of one sheet as text, within bounds; never where they come from.

Owns how large a sheet may be and what is said of one that is larger. The readers of the three
formats (``xlsx``, ``ods``, ``xls``) fill a :class:`Grid` row by row.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from psychoseg.survey.raw import EXACT_WHOLE

__all__ = [
    "MAX_COLUMNS",
    "MAX_ROWS",
    "Grid",
    "SheetInfo",
    "Unreadable",
    "cell_number",
    "cell_time",
    "column_letters",
]

#: Rows and columns of a sheet: Microsoft, "Excel specifications and limits".
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
#: Cells of a table, blank ones between others counted. Our own choice: 100,000 people by 100
#: answers, in under 1 GB.
MAX_CELLS = 10_000_000
#: Digits that Excel keeps of a number and shows: what is behind them is the noise of sums in
#: binary (Microsoft, "Excel specifications and limits", number precision).
EXCEL_DIGITS = 15


class Unreadable(Exception):
    """Why a workbook cannot be read, as the end of a sentence that starts with its path."""


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """A sheet of a workbook: its name, whether Excel shows it, and whether it has cells."""

    name: str
    hidden: bool = False
    has_cells: bool = True


@dataclass(slots=True)
class Grid:
    """A sheet that is being read.

    Attributes
    ----------
    rows : dict of int to list of str
        Row number, counted from 1, to its cells from column A on; only rows with something in them.
    uncalculated : dict of int to (int, int)
        Column, counted from 0, to how many formulas in it have no stored value, and the row of the
        first.
    zeros : dict of int to (int, int)
        Column to how many formulas it has, and how many of them have a stored 0.
    hidden_rows : int
        Rows with something in them that Excel does not show.
    merged : list of (int, str)
        Ranges of merged cells that span several rows: the first row, and the range.
    """

    rows: dict[int, list[str]] = field(default_factory=dict)
    uncalculated: dict[int, tuple[int, int]] = field(default_factory=dict)
    zeros: dict[int, tuple[int, int]] = field(default_factory=dict)
    hidden_rows: int = 0
    merged: list[tuple[int, str]] = field(default_factory=list)
    _stored: int = 0

    def add(self, number: int, cells: Sequence[str], *, times: int = 1) -> None:
        """Take a row, or several alike; one with nothing in it is left out."""
        if not any(cell and not cell.isspace() for cell in cells):
            return
        if number + times - 1 > MAX_ROWS:
            raise Unreadable(
                f"has a row {number + times - 1}, and a sheet has {MAX_ROWS:,} at the most. Save "
                "it again from Excel or LibreOffice"
            )
        self._stored += len(cells) * times
        if self._stored > MAX_CELLS:
            raise Unreadable(_too_large(number, len(cells)))
        row = list(cells)
        for repeat in range(times):
            self.rows[number + repeat] = row

    def uncalculated_at(self, row: int, column: int) -> None:
        """Take note of a formula without a stored value."""
        count, first = self.uncalculated.get(column, (0, row))
        self.uncalculated[column] = (count + 1, first)

    def calculated_at(self, column: int, *, zero: bool) -> None:
        """Take note of a formula with one."""
        count, zeros = self.zeros.get(column, (0, 0))
        self.zeros[column] = (count + 1, zeros + zero)

    def table(self) -> tuple[list[list[str]], list[int]]:
        """Return the rows from the first to the last with something in them, all of one length.

        Raises
        ------
        Unreadable
            Where a cell stands so far from the others that the blanks between them have no room.
        """
        if not self.rows:
            return [], []
        first, last = min(self.rows), max(self.rows)
        width = max(map(len, self.rows.values()))
        if (last - first + 1) * width > MAX_CELLS:
            raise Unreadable(_too_large(last, width))
        numbers = list(range(first, last + 1))
        blank: list[str] = []
        rows = (self.rows.get(number, blank) for number in numbers)
        return [row + [""] * (width - len(row)) for row in rows], numbers


def column_letters(column: int) -> str:
    """Return what Excel calls a column, counted from 0: A, ..., Z, AA, ..."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_number(value: float) -> str:
    """Return a number as Excel shows it where there is room: 0.1 + 0.2 is 0.3, 5.0 is 5."""
    if value.is_integer() and abs(value) <= EXACT_WHOLE:
        return str(int(value))
    rounded = float(f"{value:.{EXCEL_DIGITS}g}")
    if not math.isfinite(rounded):
        return repr(value)
    return str(int(rounded)) if rounded.is_integer() and abs(rounded) < 1e15 else repr(rounded)


def cell_time(value: dt.date | dt.time | dt.timedelta) -> str:
    """Return a date as ISO 8601, midnight left out; a stretch of time as hours:minutes:seconds."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        whole, rest = divmod(abs(value), dt.timedelta(seconds=1))
        minutes, seconds = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        sign = "-" if value < dt.timedelta() else ""
        part = f".{rest.microseconds:06d}".rstrip("0") if rest else ""
        return f"{sign}{hours}:{minutes:02d}:{seconds:02d}{part}"
    return value.isoformat()


def _too_large(row: int, width: int) -> str:
    return (
        f"reaches to the cell {column_letters(max(width - 1, 0))}{row}, which makes a table of "
        f"more than {MAX_CELLS // 10**6} million cells. Delete what stands far from the answers, "
        "or save the sheet as CSV"
    )
