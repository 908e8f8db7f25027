"""Excel sheets."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.study import DataFile
from psychoseg.survey import read_table, workbook

Rows = Sequence[Sequence[object]]


def save(path: Path, **sheets: Rows) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)


def test_cells_become_the_text_a_person_reads(tmp_path: Path) -> None:
    row = (
        123,
        "00123",
        2.5,
        3.0,
        True,
        None,
        dt.datetime(2024, 5, 6),
        dt.datetime(2024, 5, 6, 7, 8),
    )
    save(tmp_path / "a.xlsx", answers=[tuple("abcdefgh"), row])
    table = read_table(DataFile(file="a.xlsx"), tmp_path)
    assert table.cells.iloc[0].tolist() == [
        *("123", "00123", "2.5", "3", "TRUE", ""),
        *("2024-05-06", "2024-05-06 07:08:00"),
    ]


def test_rows_are_those_of_excel_and_blank_ones_at_the_end_are_none(tmp_path: Path) -> None:
    rows = [(), ("id", "q1"), (1, 5), (), (2, 4), (" ", None)]
    save(tmp_path / "a.xlsx", answers=rows)
    table = read_table(DataFile(file="a.xlsx"), tmp_path)
    assert table.cells["id"].tolist() == ["1", "", "2"]
    assert table.rows.tolist() == [3, 4, 5]


def test_a_sheet_is_taken_by_name_or_position(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", notes=[("x",), (1,)], answers=[("q",), (7,)])
    assert read_table(DataFile(file="a.xlsx", sheet="answers"), tmp_path).cells.iloc[0, 0] == "7"
    assert read_table(DataFile(file="a.xlsx", sheet=2), tmp_path).cells.iloc[0, 0] == "7"
    with pytest.warns(PsychosegWarning, match=r"'notes' and 'answers'; 'notes' was read"):
        assert read_table(DataFile(file="a.xlsx"), tmp_path).cells.iloc[0, 0] == "1"


@pytest.mark.parametrize("sheet", ["answer", 0, 3])
def test_a_sheet_that_is_not_there_lists_those_that_are(tmp_path: Path, sheet: str | int) -> None:
    save(tmp_path / "a.xlsx", notes=[("x",), (1,)], answers=[("q",), (7,)])
    with pytest.raises(StudyError, match=r"a\.xlsx: there is no sheet .*1 'notes', 2 'answers'"):
        read_table(DataFile(file="a.xlsx", sheet=sheet), tmp_path)


def test_a_sheet_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.xlsx", answers=[("q",), *[(1,)] * 1000])
    monkeypatch.setattr(workbook, "MAX_XML_BYTES", 10_000)
    with pytest.raises(
        DataError, match=r"a\.xlsx unpacks to .* MB, above the limit.*Save the sheet as CSV"
    ):
        read_table(DataFile(file="a.xlsx"), tmp_path)


def test_what_is_no_workbook_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("id,q1\n1,2\n")
    with pytest.raises(DataError, match=r"a\.xlsx is not an Excel workbook.*Save it as \.xlsx"):
        read_table(DataFile(file="a.xlsx"), tmp_path)
    save(tmp_path / "b.xlsx", answers=[])
    with pytest.raises(DataError, match=r"the sheet 'answers' is empty\. Set sheet"):
        read_table(DataFile(file="b.xlsx"), tmp_path)


def test_answers_beside_the_header_get_a_column_of_their_own(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", answers=[("id", "q1"), (1, 2), (3, 4, 5)])
    table = read_table(DataFile(file="a.xlsx"), tmp_path)
    assert list(table.cells) == ["id", "q1", "column_3"]
    assert table.cells["column_3"].tolist() == ["", "5"]
