"""A file nobody has described -> how to read it, and its cells; through the readers of surveys.

Finds the header and the sheet, and joins what ``layout`` says of rows and ``written`` of columns.
Encoding and separator are what ``psychoseg.survey`` finds by itself.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from psychoseg.errors import DataError, PsychosegWarning, StudyError, tell
from psychoseg.starter.layout import find_layout, find_repeats, foot_rows, unit_row
from psychoseg.starter.written import (
    asked_once,
    check_weights,
    find_answers,
    find_numbers,
    taken_text,
)
from psychoseg.study import DataFile
from psychoseg.survey.raw import TextTable, parse_number, quoted_list
from psychoseg.survey.read import SPSS_ENDINGS, WORKBOOK_ENDINGS, read_rows, read_table
from psychoseg.survey.workbook import UncalculatedError, list_sheets

__all__ = ["Given", "Source", "read_source"]

#: What Qualtrics writes into its third header row.
_IMPORT_ID = re.compile(r"\{\s*['\"]+ImportId['\"]+\s*:")
#: Names that Qualtrics' older export writes below V1, V2, ...
_LEGACY = {"ResponseID", "ResponseSet", "StartDate", "EndDate", "IPAddress", "Finished", "Status"}
#: Share of columns of numbers with a text in their first cell that makes the first row a header.
_HEADER_SHARE = 0.6
#: Columns it takes to say so.
_HEADER_COLUMNS = 4
#: Sheets of a workbook that are looked at.
_SHEETS = 12


@dataclass(frozen=True, slots=True)
class Source:
    """A file, how to read it, and what was read.

    Attributes
    ----------
    data : DataFile
        The settings of ``[data]``; ``file`` is the bare name.
    table : TextTable
    platform : str
        Whose export it looks like: "Qualtrics", "SurveyMonkey", "Google Forms", "SPSS" or "".
    notes : tuple of str
        What was guessed and should be looked at.
    taken : str
        Which texts were taken for no answer, how often and where; empty for none.
    """

    data: DataFile
    table: TextTable
    platform: str
    notes: tuple[str, ...]
    taken: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says about a file that is to be read; None where nothing is said.

    Attributes
    ----------
    encoding : str or None
    skip_rows : int or None
        Rows above the header.
    sheet : str or None
        Name or number of a sheet.
    """

    encoding: str | None = None
    skip_rows: int | None = None
    sheet: str | None = None


def read_source(path: Path, given: Given | None = None) -> Source:
    """Read a file of answers, whatever wrote it.

    Parameters
    ----------
    path : Path
    given : Given, optional
        What somebody says about the file, which is then not looked for.

    Raises
    ------
    DataError, StudyError
        Where it is no file of answers, cannot be read, or a column named like a survey weight
        holds what is no number.
    """
    given = given or Given()
    ending = path.suffix.lower()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PsychosegWarning)
        data = DataFile(
            file=path.name,
            encoding=given.encoding or "auto",
            sheet=_sheet(path, given.sheet),
            skip_rows=given.skip_rows or 0,
        )
        if ending in WORKBOOK_ENDINGS and data.sheet is None:
            data, table = _best_sheet(path, data)
        else:
            data, table = _with_headers(data, path.parent, look_above=given.skip_rows is None)
    told = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, PsychosegWarning))
    notes = list(told)
    if ending not in SPSS_ENDINGS:
        with warnings.catch_warnings():
            # They were told at the first reading, or are said in notes of their own.
            warnings.simplefilter("ignore", PsychosegWarning)
            data, table, more = _looked_at(data, table, path.parent)
        notes += more
    return Source(data, table, _platform(data, table, ending), tuple(notes), taken_text(table))


def _sheet(path: Path, sheet: str | None) -> str | int | None:
    """Return a sheet by its name, or else by its number."""
    if sheet is None:
        return None
    if path.suffix.lower() not in WORKBOOK_ENDINGS:
        raise StudyError(f"{path} is no workbook and has no sheets. Leave the sheet out.")
    named = any(info.name == sheet for info in list_sheets(path))
    return int(sheet) if sheet.isdecimal() and not named else sheet


def _looked_at(
    data: DataFile, table: TextTable, folder: Path
) -> tuple[DataFile, TextTable, list[str]]:
    """Find rows that are no people, people who stand twice, and how columns are written."""
    notes = []
    rows, note = foot_rows(table)
    unit, of_unit = unit_row(table)
    notes += [text for text in (note, of_unit) if text]
    if rows or unit:
        left = sorted({*data.leave_out_rows, *rows, *([unit] if unit else [])})
        data = data.model_copy(update={"leave_out_rows": tuple(left)})
        table = read_table(data, folder)
    repeats = find_repeats(table)
    notes += [repeats.note] if repeats.note else []
    if repeats.found:
        data = data.model_copy(update={"duplicates": "first", "id": repeats.id})
    answers = find_answers(table)
    notes += [why for _, why in answers.values()]
    if answers:
        kept = {name: (text,) for name, (text, _) in answers.items()}
        data = data.model_copy(update={"not_missing": kept})
    typed = Path(data.file).suffix.lower() not in WORKBOOK_ENDINGS
    written = find_numbers(table, typed=typed)
    notes += asked_once(written.asks)
    data = data.model_copy(update={"decimal": written.decimal, "numbers": dict(written.numbers)})
    if repeats.found or answers or written.numbers or written.decimal != ".":
        table = read_table(data, folder)
    check_weights(table, written.asks)
    return data, table, notes


def _with_headers(
    data: DataFile, folder: Path, *, look_above: bool = True
) -> tuple[DataFile, TextTable]:
    """Read with as many header rows as the first rows say there are, without titles and remarks."""
    if Path(data.file).suffix.lower() not in SPSS_ENDINGS and (folder / data.file).is_file():
        with warnings.catch_warnings():
            # The reading below tells them.
            warnings.simplefilter("ignore", PsychosegWarning)
            found = find_layout(*read_rows(data, folder))
        skip = found.skip_rows if look_above and found.skip_rows else data.skip_rows
        data = data.model_copy(update={"skip_rows": skip, "leave_out_rows": found.leave_out})
        for note in found.notes:
            tell(note)
    try:
        table = read_table(data, folder)
    except DataError as error:
        if "the header repeats the names" not in str(error):
            raise
        second = data.model_copy(update={"header_rows": 2})
        try:
            table = read_table(second, folder)
        except DataError:
            return _numbered(data, folder, error)
        if _is_import_row(table.cells, 0):
            return _reread(data, folder, 3)
        if _took_answers(table):
            return _numbered(data, folder, error)
        return second, table
    if len(table.cells) > 1 and _is_import_row(table.cells, 1):
        return _reread(data, folder, 3)
    if unit_row(table)[0]:
        return data, table
    if _is_second_header(table.cells):
        return _reread(data, folder, 2)
    return data, table


def _numbered(data: DataFile, folder: Path, error: DataError) -> tuple[DataFile, TextTable]:
    """Read with repeated names numbered, where the header is one: its names are no numbers."""
    numbered = data.model_copy(update={"repeated_names": "number"})
    table = read_table(numbered, folder)
    # 4_2 is the second 4.
    names = [str(name).partition("_")[0] for name in table.cells.columns]
    if sum(parse_number(name) is not None for name in names) > 0.5 * len(names):
        raise error
    return numbered, table


def _took_answers(table: TextTable) -> bool:
    """Tell whether the second header row was a row of answers: numbers, or answers of others."""
    names = [str(name) for name in table.cells.columns]
    labels = {name: table.fields[name].label for name in names if table.fields[name].label}
    taken = 0
    for name, label in labels.items():
        others = table.cells[name].unique()
        # A ticked option says what the header says, and nothing else.
        taken += parse_number(label) is not None or (len(others) > 2 and label in others)
    return taken > 0.3 * len(labels) or not labels


def _reread(data: DataFile, folder: Path, rows: int) -> tuple[DataFile, TextTable]:
    data = data.model_copy(update={"header_rows": rows})
    return data, read_table(data, folder)


def _is_import_row(cells: pd.DataFrame, row: int) -> bool:
    if len(cells) <= row:
        return False
    found = [_IMPORT_ID.match(str(cell)) is not None for cell in cells.iloc[row]]
    return sum(found) > len(found) / 2


def _is_second_header(cells: pd.DataFrame) -> bool:
    """Tell whether the first row below the names is a header as well."""
    if len(cells) < 2:
        return False
    first = [str(cell) for cell in cells.iloc[0]]
    names = [str(name) for name in cells.columns]
    if len(_LEGACY.intersection(first)) >= 3:
        return True
    blank = [name.startswith("column_") for name in names]
    no_option = {"Response", "Open-Ended Response"}
    if sum(blank) > 1 and (no_option & set(first) or not any(f == "" for f in first[1:])):
        # SurveyMonkey: a question spans the blank names to its right, options stand below it.
        options = [f for f, b in zip(first, blank, strict=True) if b]
        return all(f and parse_number(f) is None for f in options)
    return _is_wording_row(cells, first)


def _is_wording_row(cells: pd.DataFrame, first: Sequence[str]) -> bool:
    numeric = with_text = 0
    for position, cell in enumerate(first):
        rest = [t for t in cells.iloc[1:, position].unique() if t]
        if rest and all(parse_number(str(t)) is not None for t in rest):
            numeric += 1
            with_text += bool(cell) and parse_number(cell) is None
    return numeric >= _HEADER_COLUMNS and with_text >= _HEADER_SHARE * numeric


def _best_sheet(path: Path, data: DataFile) -> tuple[DataFile, TextTable]:
    """Read the sheet with the most cells of those that Excel shows; tell of the others."""
    sheets = [info for info in list_sheets(path) if info.has_cells]
    shown = [info for info in sheets if not info.hidden]
    found = [_read_sheet(path, data, info.name) for info in (shown or sheets)[:_SHEETS]]
    if not found:
        raise DataError(f"{path} has no sheet of cells, only charts. Save the answers in one.")
    best = max(found, key=lambda sheet: sheet.n_cells)
    if best.problem is not None or best.table is None:
        unseen = [info.name for info in sheets if info.hidden and shown]
        more = f" Hidden and not read: {quoted_list(unseen)}." if unseen else ""
        raise DataError(f"{best.problem or f'{path}: no sheet could be read.'}{more}")
    for message in best.told:
        tell(message)
    if len(sheets) == 1:
        return best.data.model_copy(update={"sheet": None}), best.table
    name = best.data.sheet
    hidden = [f'"{info.name}"' for info in sheets if info.hidden and info.name != name]
    tell(
        f'the workbook has several sheets; "{name}" was read'
        + (f" ({', '.join(hidden)} hidden, not read)" if hidden else "")
        + ("" if shown else "; all are hidden")
    )
    return best.data, best.table


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A sheet as it was read, or why it was not; how many cells it has."""

    data: DataFile
    table: TextTable | None = None
    told: tuple[str, ...] = ()
    problem: DataError | None = None
    n_cells: int = 0


def _read_sheet(path: Path, data: DataFile, name: str) -> _Sheet:
    data = data.model_copy(update={"sheet": name})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PsychosegWarning)
        try:
            data, table = _with_headers(data, path.parent)
        except UncalculatedError as error:
            # It may hold the answers, where a sheet of notes that is no table does not.
            return _Sheet(data, problem=error, n_cells=error.n_cells)
        except DataError as error:
            return _Sheet(data, problem=error)
    told = tuple(str(w.message) for w in caught if issubclass(w.category, PsychosegWarning))
    return _Sheet(data, table, told, n_cells=int((table.cells != "").to_numpy().sum()))


def _platform(data: DataFile, table: TextTable, ending: str) -> str:
    names = [str(name) for name in table.cells.columns]
    if ending in SPSS_ENDINGS:
        return "SPSS"
    if data.header_rows == 3 or _LEGACY.intersection(names) >= {"StartDate", "Finished"}:
        return "Qualtrics"
    if data.header_rows == 2:
        return "SurveyMonkey" if any(f.question for f in table.fields.values()) else "Qualtrics"
    if names[0] in {"Timestamp", "Zeitstempel", "Horodateur", "Marca temporal"}:
        return "Google Forms"
    return "SurveyMonkey" if names[0] == "RespondentID" else ""
