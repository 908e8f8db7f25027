"""Workbooks: Excel's and LibreOffice's sheets."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.study import DataFile
from psychoseg.survey import read_table, xml_parts
from psychoseg.survey.grid import cell_number
from psychoseg.survey.workbook import list_sheets, read_sheet

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
    monkeypatch.setattr(xml_parts, "MAX_XML_BYTES", 10_000)
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


def test_numbers_read_as_excel_shows_them() -> None:
    # Excel keeps 15 digits: the noise of 0.1 + 0.2 behind them is shown by no spreadsheet.
    assert cell_number(0.1 + 0.2) == "0.3"
    assert cell_number(3.0000000000000004) == "3"
    assert cell_number(1 / 3) == "0.333333333333333"
    assert cell_number(2.0**53) == "9007199254740992"
    assert cell_number(-2.5e-7) == "-2.5e-07"


def test_the_first_sheet_that_excel_shows_is_read_and_hidden_ones_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "old"
    book.active.append(["q"])
    book.active.append([1])
    book.active.sheet_state = "veryHidden"
    for name, answer in (("now", 2), ("notes", 3)):
        book.create_sheet(name).append(["q"])
        book[name].append([answer])
    book.create_chartsheet("picture")
    book.save(tmp_path / "a.xlsx")
    infos = [(i.name, i.hidden, i.has_cells) for i in list_sheets(tmp_path / "a.xlsx")]
    assert infos == [
        ("old", True, True),
        ("now", False, True),
        ("notes", False, True),
        ("picture", False, False),
    ]
    with pytest.warns(PsychosegWarning, match=r"\('old' hidden\); 'now' was read"):
        assert read_sheet(tmp_path / "a.xlsx")[0] == [["q"], ["2"]]
    with pytest.raises(DataError, match="'picture' is a chart"):
        read_sheet(tmp_path / "a.xlsx", "picture")


def test_formulas_that_nobody_calculated_are_said_to_be_so_with_their_columns(
    tmp_path: Path,
) -> None:
    save(tmp_path / "a.xlsx", answers=[("id", "q1", "age"), (1, 5, "=2026-1990"), (2, 4, 36)])
    with pytest.raises(
        DataError,
        match=r"'answers' has 1 formula without stored values, in the column C \('age'\).*Open",
    ):
        read_table(DataFile(file="a.xlsx"), tmp_path)


def test_a_formula_that_gives_an_empty_text_is_calculated(tmp_path: Path) -> None:
    cells = '<c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><f>1+1</f><v>2</v></c>'
    _one_sheet(tmp_path / "a.xlsx", f"<row>{_text('q')}{_text('r')}</row><row>{cells}</row>")
    assert read_sheet(tmp_path / "a.xlsx")[0] == [["q", "r"], ["", "2"]]


def test_formulas_that_all_hold_0_are_told(tmp_path: Path) -> None:
    rows = "".join('<row><c t="n"><f>B1</f><v>0</v></c></row>' for _ in range(3))
    _one_sheet(tmp_path / "a.xlsx", f"<row>{_text('q')}</row>{rows}")
    with pytest.warns(PsychosegWarning, match=r"column A have the stored value 0"):
        read_sheet(tmp_path / "a.xlsx")


def test_hidden_rows_and_merged_answers_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("Music", None), ("rock", "pop"), *((1, 2) for _ in range(6))):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A5:A7")
    sheet.row_dimensions[4].hidden = True
    book.save(tmp_path / "a.xlsx")
    with pytest.warns(PsychosegWarning) as told:
        rows, _ = read_sheet(tmp_path / "a.xlsx")
    assert [str(w.message).partition(": ")[2][:40] for w in told] == [
        "1 rows are hidden, as by a filter; they ",
        "1 merged cells span several rows (A5:A7)",
    ]
    assert [row[0] for row in rows] == ["Music", "rock", "1", "1", "1", "", "", "1"]


def test_errors_truth_values_dates_and_stretches_are_what_excel_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    row = ["#N/A", "#DIV/0!", False, dt.time(3, 4, 5), dt.timedelta(hours=30), 0.25, " x ", "1,5"]
    book.active.append(list("abcdefgh"))
    book.active.append(row)
    book.active["F2"].number_format = "0%"
    book.save(tmp_path / "a.xlsx")
    assert read_sheet(tmp_path / "a.xlsx")[0][1] == [
        *("#N/A", "#DIV/0!", "FALSE", "03:04:05", "30:00:00", "0.25", " x ", "1,5"),
    ]


def test_dates_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["day"])
    book.active.append([dt.date(2024, 5, 6)])
    book.save(tmp_path / "a.xlsx")
    assert read_sheet(tmp_path / "a.xlsx")[0][1] == ["2024-05-06"]


def test_rich_texts_are_joined_and_how_to_pronounce_them_is_left_out(tmp_path: Path) -> None:
    rich = "<is><r><t>very </t></r><r><t>much</t></r><rPh><t>ゼン</t></rPh></is>"
    _one_sheet(
        tmp_path / "a.xlsx",
        f'<row><c t="inlineStr">{rich}</c></row><row>{_text("a_x000D_b")}</row>',
    )
    assert read_sheet(tmp_path / "a.xlsx")[0] == [["very much"], ["a\rb"]]


def test_prefixed_elements_and_cells_without_places_are_read(tmp_path: Path) -> None:
    # As some report servers write them.
    rows = "<x:row><x:c><x:v>1</x:v></x:c><x:c><x:v>2</x:v></x:c></x:row>"
    _one_sheet(tmp_path / "a.xlsx", rows, prefix="x:")
    assert read_sheet(tmp_path / "a.xlsx")[0] == [["1", "2"]]


def test_an_ods_reads_as_the_same_xlsx(tmp_path: Path) -> None:
    _ods(
        tmp_path / "a.ods",
        '<table:table table:name="old" table:style-name="h"><table:table-row>'
        f"{_ods_text('x')}</table:table-row></table:table>"
        '<table:table table:name="now" table:style-name="s"><table:table-row>'
        f"{_ods_text('id')}{_ods_text('q')}</table:table-row>"
        '<table:table-row table:number-rows-repeated="2">'
        '<table:table-cell office:value-type="float" office:value="0.30000000000000004"/>'
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"/>'
        "</table:table-row><table:table-row>"
        '<table:table-cell table:number-columns-repeated="3"/>'
        '<table:table-cell office:value-type="date" office:date-value="2024-05-06T00:00:00"/>'
        '<table:table-cell office:value-type="time" office:time-value="PT30H00M00S"/>'
        '</table:table-row><table:table-row table:number-rows-repeated="1048500">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
        "</table:table>",
    )
    assert [(i.name, i.hidden) for i in list_sheets(tmp_path / "a.ods")] == [
        ("old", True),
        ("now", False),
    ]
    with pytest.warns(PsychosegWarning, match="'old' hidden"):
        rows, numbers = read_sheet(tmp_path / "a.ods")
    assert [row[:2] for row in rows] == [["id", "q"], ["0.3", "TRUE"], ["0.3", "TRUE"], ["", ""]]
    assert rows[3][3:] == ["2024-05-06", "30:00:00"]
    assert numbers == [1, 2, 3, 4]


def test_a_workbook_is_known_by_its_bytes_and_not_by_its_ending(tmp_path: Path) -> None:
    save(tmp_path / "a.xlsx", answers=[("q",), (7,)])
    (tmp_path / "a.xlsx").rename(tmp_path / "a.xls")
    assert read_sheet(tmp_path / "a.xls")[0] == [["q"], ["7"]]
    (tmp_path / "b.xls").write_text("<html><table><tr><td>1</td></tr></table></html>")
    with pytest.raises(DataError, match="a web page or XML under the name of one"):
        read_sheet(tmp_path / "b.xls")
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    (tmp_path / "c.xlsx").write_bytes(encrypted + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(DataError, match="is protected by a password"):
        read_sheet(tmp_path / "c.xlsx")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c></row><row r="999999999"/>', "row '999999999'"),
        (
            '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c>'
            "</row>",
            "reaches to the cell XFD1048576",
        ),
        ('<row r="1"><c r="ZZZ1"><v>1</v></c></row>', "in column ZZZ"),
        ('<row r="1"><c r="A1" t="s"><v>7</v></c></row>', "refers to a text 7"),
        ('<row r="1"><c r="A1" x="' + 3_000_000 * "a" + '"/></row>', "one tag of more than 1 MB"),
        ('<row r="1"><c r="A1"><v>1</v></c>', "is damaged"),
    ],
    ids=["row", "corner", "column", "text", "tag", "end"],
)
def test_a_sheet_that_would_take_the_machine_is_refused_in_a_sentence(
    tmp_path: Path, rows: str, why: str
) -> None:
    _one_sheet(tmp_path / "a.xlsx", rows)
    with pytest.raises(DataError, match=why):
        read_sheet(tmp_path / "a.xlsx")


def test_entities_and_what_unpacks_without_end_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    _one_sheet(tmp_path / "a.xlsx", "<row><c><v>&b;</v></c></row>", before=bomb)
    with pytest.raises(DataError, match="declares a document type"):
        read_sheet(tmp_path / "a.xlsx")
    _one_sheet(tmp_path / "b.xlsx", "<row/>" * 3_000_000)
    with pytest.raises(DataError, match=r"unpacks to .* times its size"):
        read_sheet(tmp_path / "b.xlsx")


def _text(text: str) -> str:
    return f'<c t="inlineStr"><is><t>{text}</t></is></c>'


def _one_sheet(path: Path, rows: str, *, prefix: str = "", before: str = "") -> None:
    """Write the least that is a workbook, with a sheet of raw XML."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    colon = f":{prefix[:-1]}" if prefix else ""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="r1" Type="{office}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'{before}<{prefix}worksheet xmlns{colon}="{main}"><{prefix}sheetData>{rows}'
            f"</{prefix}sheetData></{prefix}worksheet>",
        )


def _ods_text(text: str) -> str:
    return (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )


def _ods(path: Path, tables: str) -> None:
    names = {
        name: f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"
        for name in ("office", "style", "table", "text")
    }
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in names.items())
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:automatic-styles>"
            '<style:style style:name="h"><style:table-properties table:display="false"/>'
            "</style:style></office:automatic-styles><office:body><office:spreadsheet>"
            f"{tables}</office:spreadsheet></office:body></office:document-content>",
        )


def test_a_table_may_begin_in_any_row_and_column_below_its_title(tmp_path: Path) -> None:
    from psychoseg.starter.reading import read_source

    rows = [(), ("Our survey",), ()]
    rows += [(None, "id", "q1", "q2", "q3"), *((None, i, i % 5 + 1, 3, 4) for i in range(40))]
    save(tmp_path / "a.xlsx", answers=rows)
    source = read_source(tmp_path / "a.xlsx")
    assert source.data.skip_rows == 3
    assert list(source.table.cells) == ["id", "q1", "q2", "q3"]
    assert source.table.rows[0] == 5
    assert any("Our survey" in note for note in source.notes)


def test_the_largest_sheet_that_is_shown_is_drafted_from_and_hidden_ones_are_named(
    tmp_path: Path,
) -> None:
    from psychoseg.starter.reading import read_source

    def answers(n: int) -> Rows:
        return [("id", "q1", "q2"), *((i, i % 5 + 1, 2) for i in range(n))]

    for state in ("hidden", "veryHidden"):
        book = openpyxl.Workbook()
        book.active.title = "about"
        book.active.append(["made in March"])
        for name, n in (("old", 90), ("now", 40), ("pilot", 10)):
            book.create_sheet(name)
            for row in answers(n):
                book[name].append(list(row))
        book["old"].sheet_state = state
        book.save(tmp_path / "a.xlsx")
        source = read_source(tmp_path / "a.xlsx")
        assert source.data.sheet == "now"
        assert len(source.table.cells) == 40
        assert any('"now" was read ("old" hidden, not read)' in note for note in source.notes)
    for name in ("now", "pilot"):
        book.remove(book[name])
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="Hidden and not read: 'old'"):
        read_source(tmp_path / "a.xlsx")
