"""Excel's older .xls -> :class:`Grid`, through xlrd, which calculates nothing and runs no macro."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psychoseg.survey.grid import Grid, SheetInfo, Unreadable, cell_number, cell_time

__all__ = ["open_book", "read_cells", "sheets_of"]

#: The format ends at 65,536 rows by 256 columns; files of answers were seen up to 40 MB.
MAX_BYTES = 256 * 1024**2


def open_book(path: Path) -> Any:
    """Open a workbook with xlrd; an Unreadable where it is none or has a password."""
    import xlrd

    if path.stat().st_size > MAX_BYTES:
        raise Unreadable(
            f"has {path.stat().st_size / 1024**2:,.0f} MB, above the limit of "
            f"{MAX_BYTES // 1024**2} MB. Save the sheet as CSV"
        )
    with _damage_told():
        # What it remarks on odd files goes nowhere: it is not for the reader of the results.
        return xlrd.open_workbook(str(path), logfile=io.StringIO(), on_demand=True)


def sheets_of(book: Any) -> list[SheetInfo]:
    """Return the sheets that hold cells: xlrd leaves charts out."""
    with _damage_told():
        shown = book._sheet_visibility
        return [SheetInfo(n, bool(v)) for n, v in zip(book.sheet_names(), shown, strict=False)]


def read_cells(book: Any, position: int) -> Grid:
    """Read the cells of a sheet, by its position counted from 0."""
    grid = Grid()
    with _damage_told():
        sheet = book.sheet_by_index(position)
        for row in range(sheet.nrows):
            cells = zip(sheet.row_types(row), sheet.row_values(row), strict=True)
            grid.add(row + 1, [_shown(kind, value, book.datemode) for kind, value in cells])
    return grid


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (Unreadable, OSError):
        raise
    except Exception as error:
        # xlrd raises whatever its arithmetic on damaged bytes comes to, assertions included.
        if "encrypted" in str(error).casefold():
            raise Unreadable("is protected by a password. Save it without one") from None
        raise Unreadable(
            f"is damaged or is no .xls workbook ({type(error).__name__}: {str(error)[:200]}). Save "
            "it again as .xlsx"
        ) from None


def _shown(kind: int, value: float | str, datemode: int) -> str:
    import xlrd

    if isinstance(value, str):
        return value
    if kind == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(int(value), "#N/A"))
    if kind == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if value else "FALSE"
    if kind == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate_as_datetime(value, datemode)
        except (xlrd.xldate.XLDateError, ValueError, OverflowError):
            return cell_number(value)
        return cell_time(moment.time() if 0 <= value < 1 else moment)
    return cell_number(value) if value - value == 0 else str(value)
