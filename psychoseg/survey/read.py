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
from psychoseg.survey.header import read_header
from psychoseg.survey.raw import EXAMPLES, Field, TextTable, rows_text
from psychoseg.survey.spss import read_spss
from psychoseg.survey.text import read_records
from psychoseg.survey.workbook import read_sheet

__all__ = ["read_labels", "read_table"]

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
    ending = path.suffix.lower()
    if ending in SPSS_ENDINGS:
        table = read_spss(path, file.file, None if file.encoding == "auto" else file.encoding)
    elif ending in WORKBOOK_ENDINGS:
        table = _from_rows(*read_sheet(path, file.sheet), path=path, file=file)
    elif ending in TEXT_ENDINGS:
        records, lines = read_records(
            path, separator=file.separator, encoding=file.encoding, decimal=file.decimal
        )
        table = _from_rows(records, lines, path=path, file=file)
    else:
        raise DataError(
            f"{path}: files ending in {ending or 'nothing'} cannot be read. Save it as CSV or TSV "
            f"({', '.join(sorted(TEXT_ENDINGS))}), a workbook "
            f"({', '.join(sorted(WORKBOOK_ENDINGS))}) or SPSS ({', '.join(sorted(SPSS_ENDINGS))})."
        )
    if not len(table.cells):
        raise DataError(
            f"{path} has a header but no answers below it. Export it again with the answers."
        )
    return _without_missing(table, file)


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
    if len(records) < heads:
        raise DataError(
            f"{path} has {len(records)} rows, fewer than its {heads} header rows. Export it again."
        )
    end = len(records)
    while end > heads and not any(cell.strip() for cell in records[end - 1]):
        end -= 1
    body = records[heads:end]
    width = _width(records[:heads], body, lines, path)
    header = read_header([[unharmed(c) for c in r[:width]] for r in records[:heads]], path)
    columns = list(zip(*body, strict=False)) or [()] * width
    cells = pd.DataFrame(
        {
            name: _trimmed(column)
            for name, column in zip(header.names, columns[:width], strict=True)
        },
        columns=list(header.names),
        dtype=object,
    )
    decimal = file.decimal if path.suffix.lower() in TEXT_ENDINGS else "."
    fields = {
        name: Field(label=label, question=question, decimal=decimal)
        for name, label, question in zip(header.names, header.labels, header.questions, strict=True)
    }
    rows = np.asarray(lines[heads:end], dtype=np.int64)
    return TextTable(path, file.file, cells, rows, fields)


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
                f"answers that hold the separator, or set separator, header_rows or the file right."
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


def _trimmed(column: Sequence[str]) -> npt.NDArray[np.object_]:
    codes, uniques = pd.factorize(np.asarray(column, dtype=object))
    trimmed = np.asarray([unharmed(text.strip()).strip() for text in uniques], dtype=object)
    return trimmed[codes] if len(trimmed) else np.empty(0, dtype=object)


def _without_missing(table: TextTable, file: DataFile) -> TextTable:
    """Turn the missing texts into ``""`` and note them, everywhere but in the id column."""
    texts = {text.strip() for text in file.missing} - {""}
    if not texts:
        return table
    cells = {}
    fields: dict[str, Field] = dict(table.fields)
    for name in map(str, table.cells.columns):
        column = table.cells[name].to_numpy()
        codes, uniques = pd.factorize(column)
        met = [text for text in uniques if text in texts]
        if met and name != file.id:
            kept = np.asarray(["" if text in texts else text for text in uniques], dtype=object)
            column = kept[codes]
            fields[name] = replace(fields[name], missing=(*fields[name].missing, *sorted(met)))
        cells[name] = column
    frame = pd.DataFrame(cells, columns=table.cells.columns, dtype=object)
    return replace(table, cells=frame, fields=fields)
