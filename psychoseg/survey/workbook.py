"""One sheet of an Excel workbook -> rows of text, as a person would read them."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.survey.raw import number_text, quoted_list

__all__ = ["read_sheet"]

#: Uncompressed XML above which a workbook is refused. Our own choice: room for several million
#: cells, below the sheet of 300 MB that a file of 1.3 MB was seen to unpack to.
MAX_XML_BYTES = 256 * 1024**2


def read_sheet(path: Path, sheet: str | int | None = None) -> tuple[list[list[str]], list[int]]:
    """Read a sheet into rows of text, all of one length.

    Parameters
    ----------
    path : Path
    sheet : str or int, optional
        Its name, or its position counted from 1; the first one where absent.

    Returns
    -------
    rows : list of list of str
        Whole numbers without a decimal point, dates as ISO 8601, truth values as TRUE and FALSE,
        formulas as the values Excel saved with them. Blank rows above the first and below the last
        row with something in it are left out.
    numbers : list of int
        The row number of each in Excel.

    Raises
    ------
    DataError
        Where it is no workbook, or its XML is larger than ``MAX_XML_BYTES``.
    StudyError
        Where there is no such sheet.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = max((i.file_size for i in archive.infolist()), default=0)
    except zipfile.BadZipFile:
        raise DataError(
            f"{path} is not an Excel workbook, or is protected by a password. Save it as .xlsx "
            "without one."
        ) from None
    if size > MAX_XML_BYTES:
        raise DataError(
            f"{path} unpacks to {size / 1024**2:,.0f} MB, above the limit of "
            f"{MAX_XML_BYTES / 1024**2:,.0f} MB. Save the sheet as CSV."
        )
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read as an Excel workbook ({error}). Save it again as .xlsx."
        ) from None
    try:
        name = _sheet_name(book.sheetnames, sheet, path)
        found = book[name]
        if not hasattr(found, "iter_rows"):
            raise DataError(
                f"{path}: {name!r} is a chart, not a sheet of cells. Name another sheet."
            )
        # Some programs write a wrong size into the sheet, and openpyxl would believe it.
        found.reset_dimensions()
        rows: list[list[str]] = []
        first = last = 0
        for number, cells in enumerate(found.iter_rows(values_only=True), start=1):
            row = [_text(cell) for cell in cells]
            if any(cell.strip() for cell in row):
                first = first or number
                # A blank row between others may be somebody who answered nothing.
                rows.extend([] for _ in range(number - last - 1) if last)
                rows.append(row)
                last = number
    except (ParseError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path}: the sheet is damaged ({error}). Save it again as .xlsx."
        ) from None
    finally:
        book.close()
    if not rows:
        raise DataError(
            f"{path}: the sheet {name!r} is empty. Set sheet to the one with the answers."
        )
    width = max(map(len, rows))
    return [row + [""] * (width - len(row)) for row in rows], list(range(first, last + 1))


def _sheet_name(names: list[str], sheet: str | int | None, path: Path) -> str:
    if sheet is None:
        if len(names) > 1:
            warnings.warn(
                f"{path.name} has the sheets {quoted_list(names)}; {names[0]!r} was read. Set "
                "sheet to choose.",
                PsychosegWarning,
                stacklevel=2,
            )
        return names[0]
    if isinstance(sheet, int):
        if 1 <= sheet <= len(names):
            return names[sheet - 1]
    elif sheet in names:
        return sheet
    raise StudyError(
        f"{path}: there is no sheet {sheet!r}. It has: "
        f"{', '.join(f'{i} {n!r}' for i, n in enumerate(names, start=1))}."
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
