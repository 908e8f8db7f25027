"""Any answer file -> :class:`TextTable`: which reader it needs, its rows and its missing texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, StudyError
from psychoseg.spreadsheet import unharmed
from psychoseg.study import DataFile
from psychoseg.survey.grid import MAX_COLUMNS
from psychoseg.survey.header import read_header
from psychoseg.survey.numbers import parse_written
from psychoseg.survey.raw import (
    EXAMPLES,
    Field,
    LeftOutRow,
    TextTable,
    number_text,
    quoted_list,
    rows_text,
    short,
)
from psychoseg.survey.rows import keep_once, without_rows
from psychoseg.survey.spss import read_spss
from psychoseg.survey.text import read_records
from psychoseg.survey.workbook import read_sheet

__all__ = ["read_labels", "read_rows", "read_table"]

#: Letters of a cell: Microsoft, "Excel specifications and limits"; SPSS has the same.
MAX_TEXT = 32_767
#: Letters of a column name. Our own choice: questions as names were seen with up to 400.
MAX_NAME = 10_000
TEXT_ENDINGS = {".csv", ".tsv", ".tab", ".txt", ".dat"}
WORKBOOK_ENDINGS = {".xlsx", ".xlsm", ".xls", ".ods"}
SPSS_ENDINGS = {".sav", ".zsav", ".por"}


def read_table(file: DataFile, folder: Path = Path()) -> TextTable:
    """Read one file of answers as text.

    Parameters
    ----------
    file : DataFile
        Where it is and how it is written.
    folder : Path
        Where a relative path starts.

    Returns
    -------
    TextTable
        Cells are trimmed, and without the apostrophe that keeps a spreadsheet from running them
        (:mod:`psychoseg.spreadsheet`). Empty cells and the file's ``missing`` texts are ``""``,
        except in the id column, where every text is an id.

    Raises
    ------
    StudyError
        Where there is no such file, sheet or encoding.
    DataError
        Where the file cannot be read as a table.

    Notes
    -----
    Blank lines are skipped, as are rows at the end with nothing in any cell, and columns at the
    right that have neither a name nor an answer (what a separator at the end of every line leaves
    behind).
    """
    path = folder / file.file
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise StudyError(
            f"the file {path} {what}. Correct the path; it starts at {folder.resolve()}."
        )
    if path.suffix.lower() in SPSS_ENDINGS:
        _check_spss(file, path)
        table = read_spss(path, file.file, None if file.encoding == "auto" else file.encoding)
        table = _without_cases(table, file)
    else:
        table = _from_rows(*read_rows(file, folder), path=path, file=file)
    if not len(table.cells):
        raise DataError(
            f"{path} has a header but no answers below it. Export it again with the answers."
        )
    _check_named(table, file)
    table = _without_missing(table, file)
    return keep_once(_with_numbers(table, file), file)


def read_rows(file: DataFile, folder: Path = Path()) -> tuple[list[list[str]], list[int]]:
    """Read a text file or a sheet as rows of cells, whatever they hold.

    Returns
    -------
    rows : list of list of str
        From below the ``skip_rows`` on, ``leave_out_rows`` too.
    numbers : list of int
        Where each starts in the file.

    Raises
    ------
    DataError, StudyError
        As :func:`read_table`; where the ending is none of a table, too.
    """
    path = folder / file.file
    ending = path.suffix.lower()
    if ending in TEXT_ENDINGS:
        return read_records(
            path,
            separator=file.separator,
            encoding=file.encoding,
            decimal=file.decimal,
            skip_rows=file.skip_rows,
        )
    if ending not in WORKBOOK_ENDINGS:
        raise DataError(
            f"{path}: files ending in {ending or 'nothing'} cannot be read. Save it as CSV or TSV "
            f"({', '.join(sorted(TEXT_ENDINGS))}), a workbook "
            f"({', '.join(sorted(WORKBOOK_ENDINGS))}) or SPSS ({', '.join(sorted(SPSS_ENDINGS))})."
        )
    rows, numbers = read_sheet(path, file.sheet)
    below = [i for i, number in enumerate(numbers) if number > file.skip_rows]
    if not below:
        raise DataError(
            f"{path} is empty below its first {file.skip_rows} rows. Correct skip_rows."
        )
    # A table may begin in any column, as in any row.
    left = min(next((j for j, c in enumerate(rows[i]) if c.strip()), len(rows[i])) for i in below)
    return [rows[i][left:] for i in below], [numbers[i] for i in below]


def read_labels(file: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Read a labels file: columns ``name``, ``label`` and, where wanted, ``question``.

    Returns
    -------
    dict of str to (str, str)
        Column name to label and question.

    Raises
    ------
    StudyError, DataError
        Where it cannot be read, lacks a column, or names a column twice.
    """
    table = read_table(DataFile(file=file, missing=()), folder)
    for needed in ("name", "label"):
        if needed not in table.cells:
            raise DataError(
                f"{table.path}: a labels file needs the columns name and label; {needed} is "
                f"missing (found: {', '.join(map(str, table.cells.columns))}). Rename its columns."
            )
    names = table.cells["name"]
    twice = names[names.duplicated()]
    if len(twice):
        raise DataError(
            f"{table.path} labels {twice.iloc[0]!r} more than once "
            f"({rows_text(table.rows[(names == twice.iloc[0]).to_numpy()])}). Keep one of them."
        )
    questions = table.cells["question"] if "question" in table.cells else [""] * len(names)
    return {n: (lab, q) for n, lab, q in zip(names, table.cells["label"], questions, strict=True)}


def _from_rows(
    records: Sequence[Sequence[str]], lines: Sequence[int], *, path: Path, file: DataFile
) -> TextTable:
    heads = file.header_rows
    left = set(file.leave_out_rows)
    gone = {number: record for record, number in zip(records, lines, strict=True) if number in left}
    if left - set(gone):
        raise DataError(_no_such_rows(path, sorted(left - set(gone)), lines))
    if gone:
        stays = [i for i, number in enumerate(lines) if number not in gone]
        records, lines = [records[i] for i in stays], [lines[i] for i in stays]
    if len(records) < heads:
        raise DataError(
            f"{path} has {len(records)} rows, fewer than its {heads} header rows. Export it again."
        )
    end = len(records)
    while end > heads and not any(cell.strip() for cell in records[end - 1]):
        end -= 1
    body = records[heads:end]
    width = _width(records[:heads], body, lines, path)
    if width > MAX_COLUMNS:
        raise DataError(
            f"{path} has {width:,} columns, and {MAX_COLUMNS:,} can be read. Keep those that are "
            "needed; where it is one line, the ends of its lines are lost: export it again."
        )
    name = max((cell for record in records[:heads] for cell in record), key=len, default="")
    if len(name) > MAX_NAME:
        raise DataError(
            f"{path}: a name in its header has {len(name):,} letters and begins {name[:40]!r}: a "
            f"quotation mark may be missing. A name takes {MAX_NAME:,} letters at the most."
        )
    header = read_header(
        [[unharmed(c) for c in r[:width]] for r in records[:heads]],
        path,
        number_repeated=file.repeated_names == "number",
    )
    columns = list(zip(*body, strict=False)) or [()] * width
    cells = pd.DataFrame(
        {
            name: _trimmed(column, name, lines[heads:end], path)
            for name, column in zip(header.names, columns[:width], strict=True)
        },
        columns=list(header.names),
        dtype=object,
    )
    typed = path.suffix.lower() in TEXT_ENDINGS
    decimal = file.decimal if typed else "."
    fields = {
        name: Field(label=label, question=question, decimal=decimal, loose=typed)
        for name, label, question in zip(header.names, header.labels, header.questions, strict=True)
    }
    rows = np.asarray(lines[heads:end], dtype=np.int64)
    reason = "no person: left out by leave_out_rows"
    lines_out = tuple(
        LeftOutRow(number, _cell_of(file.id, header.names, record), reason)
        for number, record in gone.items()
    )
    return TextTable(path, file.file, cells, rows, fields, lines_out)


def _cell_of(name: str | None, names: Sequence[str], record: Sequence[str]) -> str:
    at = names.index(name) if name in names else len(record)
    return record[at].strip() if at < len(record) else ""


def _no_such_rows(path: Path, rows: Sequence[int], lines: Sequence[int]) -> str:
    return (
        f"{path}: leave_out_rows names {rows_text(rows)}, where no row of answers starts (the file "
        f"has rows {lines[0]} to {lines[-1]}). Correct leave_out_rows."
    )


def _check_spss(file: DataFile, path: Path) -> None:
    """Refuse what only tables of text have."""
    asked = [
        key
        for key, given in (
            ("skip_rows", file.skip_rows),
            ("numbers", file.numbers),
            ("sheet", file.sheet),
            ("separator", file.separator != "auto"),
        )
        if given
    ]
    if asked:
        raise StudyError(
            f"{path} is an SPSS file, which has no use for {', '.join(asked)}. Take it out."
        )


def _without_cases(table: TextTable, file: DataFile) -> TextTable:
    if not file.leave_out_rows:
        return table
    known = {int(row): i for i, row in enumerate(table.rows)}
    lost = [row for row in file.leave_out_rows if row not in known]
    if lost:
        raise DataError(_no_such_rows(table.path, lost, table.rows.tolist()))
    at = [known[row] for row in file.leave_out_rows]
    ids = table.cells.get(file.id)
    lines = [
        LeftOutRow(
            int(table.rows[i]),
            "" if ids is None else str(ids.iloc[i]),
            "no person: left out by leave_out_rows",
        )
        for i in at
    ]
    return without_rows(table, at, lines)


def _check_named(table: TextTable, file: DataFile) -> None:
    """Stop where a setting names columns that the file does not have."""
    names = [str(name) for name in table.cells.columns]
    lost = [
        f"{key} names the column {name!r}"
        for key, given in (("numbers", file.numbers), ("not_missing", file.not_missing))
        for name in given
        if name not in names
    ]
    if lost:
        raise StudyError(
            f"{table.path}: {', and '.join(lost)}, which the file does not have (found: "
            f"{quoted_list(names)}). Correct the name."
        )


def _with_numbers(table: TextTable, file: DataFile) -> TextTable:
    """Write the numbers of the columns in ``numbers`` as all others are, the rest as it stands."""
    if not file.numbers:
        return table
    cells = table.cells.copy()
    fields = dict(table.fields)
    for name, form in file.numbers.items():
        codes, uniques = pd.factorize(table.cells[name].to_numpy())
        written = [parse_written(text, form) if text else None for text in uniques]
        texts = np.asarray(
            [
                text if number is None else number_text(number)
                for text, number in zip(uniques, written, strict=True)
            ],
            dtype=object,
        )
        cells[name] = texts[codes]
        fields[name] = replace(fields[name], decimal=".", loose=False)
    return replace(table, cells=cells, fields=fields)


def _width(
    head: Sequence[Sequence[str]], body: Sequence[Sequence[str]], lines: Sequence[int], path: Path
) -> int:
    """Return the number of columns; stop where rows differ in length."""
    width = len(head[0])
    lengths = [len(record) for record in (*head, *body)]
    longest = max(lengths)
    if any(length != width for length in lengths):
        extra_is_blank = all(not any(c.strip() for c in r[width:]) for r in (*head, *body))
        # A separator at the end of every line but the first: nothing has moved.
        if not (extra_is_blank and set(lengths[len(head) :]) == {longest} and longest > width):
            wrong = [i for i, length in enumerate(lengths) if length != width]
            shown = ", ".join(f"line {lines[i]} has {lengths[i]}" for i in wrong[:EXAMPLES])
            more = (
                f" and {len(wrong) - EXAMPLES} more lines differ" if len(wrong) > EXAMPLES else ""
            )
            raise DataError(
                f"{path}: the header has {width} cells, but {shown}{more}. Put quotes around "
                f"answers that hold the separator, or set separator, header_rows or the file "
                f"right. Rows of a title above the header are for skip_rows, rows that are no "
                f"people for leave_out_rows."
            )
    while (
        width > 1
        and not any(r[width - 1].strip() for r in head)
        and not any(r[width - 1].strip() for r in body)
    ):
        width -= 1
    if not any(cell.strip() for cell in head[0][:width]):
        raise DataError(f"{path}: its first row is blank. Put the column names there.")
    return width


def _trimmed(
    column: Sequence[str], name: str, lines: Sequence[int], path: Path
) -> npt.NDArray[np.object_]:
    codes, uniques = pd.factorize(np.asarray(column, dtype=object))
    longest = max(uniques, key=len, default="")
    if len(longest) > MAX_TEXT:
        raise DataError(
            f"{path}: line {lines[column.index(longest)]}, column {short(name)!r} has a text of "
            f"{len(longest):,} letters, which begins {longest[:40]!r}: a quotation mark may be "
            f"missing. Correct it, or cut it: a cell takes {MAX_TEXT:,} letters at the most."
        )
    trimmed = np.asarray([unharmed(text.strip()).strip() for text in uniques], dtype=object)
    return trimmed[codes] if len(trimmed) else np.empty(0, dtype=object)


def _without_missing(table: TextTable, file: DataFile) -> TextTable:
    """Turn the missing texts into ``""`` and note them, everywhere but in the id column."""
    texts = {text.strip() for text in file.missing} - {""}
    if not texts:
        return table
    cells = {}
    fields: dict[str, Field] = dict(table.fields)
    for name, kept_texts in file.not_missing.items():
        fields[name] = replace(fields[name], answers=kept_texts)
    for name in map(str, table.cells.columns):
        column = table.cells[name].to_numpy()
        codes, uniques = pd.factorize(column)
        absent = texts - {text.strip() for text in file.not_missing.get(name, ())}
        met = sorted(text for text in uniques if text in absent)
        if met and name != file.id:
            kept = np.asarray(["" if text in absent else text for text in uniques], dtype=object)
            column = kept[codes]
            counts = dict(zip(uniques, np.bincount(codes).tolist(), strict=True))
            fields[name] = replace(
                fields[name],
                missing=(*fields[name].missing, *met),
                taken={text: counts[text] for text in met},
            )
        cells[name] = column
    frame = pd.DataFrame(cells, columns=table.cells.columns, dtype=object)
    return replace(table, cells=frame, fields=fields)
