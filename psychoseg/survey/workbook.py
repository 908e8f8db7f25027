"""One sheet of a workbook -> rows of text, as a person would read them.

Owns which sheet is read, what is said of hidden sheets, hidden rows, merged cells and formulas that
nobody has calculated, and every refusal. The formats are read by ``xlsx``, ``ods`` and ``xls``; a
file is known by its first bytes, not by its ending.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from psychoseg.errors import DataError, StudyError, tell
from psychoseg.survey import ods, xls, xlsx
from psychoseg.survey.grid import Grid, SheetInfo, Unreadable, column_letters
from psychoseg.survey.raw import parse_number, quoted_list
from psychoseg.survey.xml_parts import open_parts

__all__ = ["UncalculatedError", "list_sheets", "read_sheet"]

_ZIP, _OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Where Office keeps what it has encrypted: [MS-OFFCRYPTO] 1.3.3.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_START = 4096
#: Formulas of a column that all come to 0 before that is told: one may well be 0.
_MANY_ZEROS = 3
#: Rows that a header has at the most: cells that are merged in it are no answers.
_HEADER_ROWS = 3


def list_sheets(path: Path) -> list[SheetInfo]:
    """Return the sheets of a workbook in their order, hidden ones and charts included.

    Raises
    ------
    DataError
        Where it is no workbook, is protected by a password, or is larger than a workbook may be.
    """
    try:
        return _Workbook(path).sheets
    except Unreadable as reason:
        raise DataError(f"{path} {reason}.") from None


def read_sheet(path: Path, sheet: str | int | None = None) -> tuple[list[list[str]], list[int]]:
    """Read a sheet into rows of text, all of one length.

    Parameters
    ----------
    path : Path
        .xlsx, .xlsm, .xls or .ods.
    sheet : str or int, optional
        Its name, or its position counted from 1; the first one that Excel shows where absent.

    Returns
    -------
    rows : list of list of str
        Whole numbers without a decimal point, numbers to the 15 digits that Excel shows, dates as
        ISO 8601, truth values as TRUE and FALSE, errors as Excel shows them ("#N/A"), formulas as
        the values that were saved with them. Blank rows above the first and below the last row with
        something in it are left out.
    numbers : list of int
        The row number of each in Excel.

    Raises
    ------
    DataError
        Where it is no workbook, is protected by a password, is larger than a workbook may be, or
        has formulas without stored values.
    StudyError
        Where there is no such sheet.
    """
    try:
        book = _Workbook(path)
        position = _chosen(book.sheets, sheet, path)
        name = book.sheets[position].name
        grid = book.grid(position)
        rows, numbers = grid.table()
    except Unreadable as reason:
        raise DataError(f"{path} {reason}.") from None
    if grid.uncalculated:
        n_cells = sum(bool(cell) for row in rows for cell in row)
        raise UncalculatedError(_uncalculated_text(path, name, grid), n_cells)
    if not rows:
        raise DataError(
            f"{path}: the sheet {name!r} is empty. Set sheet to the one with the answers."
        )
    _tell_of(grid, f"{path.name}, sheet {name!r}")
    return rows, numbers


class UncalculatedError(DataError):
    """A sheet with formulas that nobody has calculated, and how many cells it has beside them."""

    def __init__(self, message: str, n_cells: int) -> None:
        super().__init__(message)
        self.n_cells = n_cells


class _Workbook:
    """A workbook of any format."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            start = file.read(_START)
        if start.startswith(_OLE):
            if _holds(path, _ENCRYPTED):
                raise Unreadable("is protected by a password. Save it without one")
            self._format = "xls"
        elif start.startswith(_ZIP):
            with open_parts(path) as parts:
                kind = parts.start("mimetype")
                is_ods = b"opendocument" in kind or (not kind and "content.xml" in parts)
            self._format = "ods" if is_ods else "xlsx"
        elif start[:1] == b"\x09" and start[1:2] in b"\x00\x02\x04\x08":
            # Excel 2 to 4 wrote the records of a sheet without a container.
            self._format = "xls"
        else:
            raise Unreadable(_what_else(start))
        self.sheets, self._grids = self._opened()

    def grid(self, position: int) -> Grid:
        """Return the cells of a sheet."""
        if self._format == "xlsx":
            with open_parts(self._path) as parts:
                return xlsx.read_cells(parts, xlsx.open_book(parts), position)
        if self._format == "xls":
            return xls.read_cells(xls.open_book(self._path), position)
        return self._grids[position]

    def _opened(self) -> tuple[list[SheetInfo], list[Grid]]:
        """Return the sheets, and their cells where they all stand in one part."""
        if self._format == "xls":
            return xls.sheets_of(xls.open_book(self._path)), []
        with open_parts(self._path) as parts:
            if self._format == "xlsx":
                return list(xlsx.open_book(parts).sheets), []
            found = ods.read_book(parts)
            return [info for info, _ in found], [grid for _, grid in found]


def _holds(path: Path, sought: bytes) -> bool:
    """Return whether a file holds some bytes, read piece by piece."""
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(1024**2):
            if sought in rest + piece:
                return True
            rest = piece[-len(sought) :]
    return False


def _what_else(start: bytes) -> str:
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if not start:
        return "is empty. Export it again"
    if head.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta")):
        return (
            "is not an Excel workbook but a web page or XML under the name of one. Open it in "
            "Excel or LibreOffice and save it as .xlsx"
        )
    if b"\x00" not in start:
        return (
            "is not an Excel workbook but a text. Save it as .xlsx, or give it the ending .csv or "
            ".tsv"
        )
    return "is not an Excel workbook. Save it as .xlsx"


def _chosen(sheets: Sequence[SheetInfo], sheet: str | int | None, path: Path) -> int:
    """Return the position of the sheet to read, counted from 0."""
    names = [info.name for info in sheets]
    if sheet is None:
        shown = [i for i, info in enumerate(sheets) if info.has_cells and not info.hidden]
        candidates = shown or [i for i, info in enumerate(sheets) if info.has_cells]
        if not candidates:
            raise DataError(f"{path} has no sheet of cells, only charts. Save the answers in one.")
        position = candidates[0]
        if len(sheets) > 1:
            tell(
                f"{path.name} has the sheets {quoted_list(names)}{_hidden_text(sheets)}; "
                f"{names[position]!r} was read. Set sheet to choose."
            )
        return position
    numbers = {name: i for i, name in reversed(list(enumerate(names)))}
    position = sheet - 1 if isinstance(sheet, int) else numbers.get(sheet, -1)
    if not 0 <= position < len(sheets):
        raise StudyError(
            f"{path}: there is no sheet {sheet!r}. It has: "
            f"{', '.join(f'{i} {n!r}' for i, n in enumerate(names, start=1))}."
        )
    if not sheets[position].has_cells:
        raise DataError(
            f"{path}: {names[position]!r} is a chart, not a sheet of cells. Name another sheet."
        )
    return position


def _hidden_text(sheets: Sequence[SheetInfo]) -> str:
    hidden = [info.name for info in sheets if info.hidden]
    return f" ({quoted_list(hidden)} hidden)" if hidden else ""


def _uncalculated_text(path: Path, name: str, grid: Grid) -> str:
    total = sum(count for count, _ in grid.uncalculated.values())
    columns = []
    for column, (_, first) in sorted(grid.uncalculated.items()):
        above = grid.rows.get(first - 1, [])
        title = above[column].strip() if column < len(above) else ""
        title = "" if parse_number(title) is not None else title
        columns.append(column_letters(column) + (f" ({title[:40]!r})" if title else ""))
    more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
    where = "column" if len(columns) == 1 else "columns"
    return (
        f"{path}: the sheet {name!r} has {total:,} formula{'s' if total > 1 else ''} without "
        f"stored values, in the {where} {', '.join(columns[:8])}{more}: the program that wrote it "
        "did not calculate them. Open it in Excel or LibreOffice and save it, so that they have "
        "values."
    )


def _tell_of(grid: Grid, where: str) -> None:
    if grid.hidden_rows:
        tell(
            f"{where}: {grid.hidden_rows:,} rows are hidden, as by a filter; they were read like "
            "the others. Delete them if they are not meant."
        )
    answers = min(grid.rows) + _HEADER_ROWS
    tall = [text for row, text in grid.merged if row >= answers]
    if tall:
        tell(
            f"{where}: {len(tall):,} merged cells span several rows ({', '.join(tall[:3])}); only "
            "the first row of each has the answer. Undo the merging and fill in the others."
        )
    zeros = [
        column_letters(column)
        for column, (count, zero) in sorted(grid.zeros.items())
        if count >= _MANY_ZEROS and count == zero
    ]
    if zeros:
        tell(
            f"{where}: all formulas of the {'column' if len(zeros) == 1 else 'columns'} "
            f"{', '.join(zeros[:8])} have the stored value 0, as where nothing has calculated them "
            "yet. Open it in Excel or LibreOffice and save it if they should come to more."
        )
