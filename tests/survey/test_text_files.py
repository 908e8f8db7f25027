"""Delimited text: encodings, separators, quotes, ragged rows."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.study import DataFile
from psychoseg.survey import read_table
from psychoseg.survey.raw import TextTable


def read(folder: Path, content: str | bytes, name: str = "a.csv", **settings: object) -> TextTable:
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)
    return read_table(DataFile(file=name, **settings), folder)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, mark: str) -> None:
    table = read(tmp_path, "id,q1,q2\n1,2,3\n4,5,6\n".replace(",", mark))
    assert table.cells.to_numpy().tolist() == [["1", "2", "3"], ["4", "5", "6"]]


def test_semicolons_are_found_among_decimal_commas(tmp_path: Path) -> None:
    # Divided at its commas, this is a table of three columns.
    table = read(tmp_path, "a, b;c, d\n1,5;2,5\n3,5;4,5\n", decimal=",")
    assert list(table.cells) == ["a, b", "c, d"]
    assert table.cells.iloc[0].tolist() == ["1,5", "2,5"]


def test_a_declared_separator_may_be_named(tmp_path: Path) -> None:
    table = read(tmp_path, "a;b,c\n1;2,3\n", separator="comma")
    assert list(table.cells) == ["a;b", "c"]


def test_a_separator_that_is_not_in_the_file_is_an_error_with_the_right_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv.*';'.*comma divides into 3 columns.*\"comma\""):
        read(tmp_path, "id,q1,q2\n1,2,3\n", separator=";")


def test_a_separator_of_two_characters_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"separator = '::' is not one character\. Use one"):
        read(tmp_path, "a::b\n1::2\n", separator="::")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_found_without_a_word(tmp_path: Path, encoding: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = read(tmp_path, "id,ville\n1,Orléans\n".encode(encoding))
    assert list(table.cells) == ["id", "ville"]
    assert table.cells.iloc[0, 1] == "Orléans"


def test_a_western_file_is_read_as_cp1252_and_the_reader_is_told(tmp_path: Path) -> None:
    with pytest.warns(
        PsychosegWarning, match=r"a\.csv .* cp1252: line 3 reads .*Müller.*set encoding"
    ):
        table = read(tmp_path, "id,name\n1,Smith\n2,Müller €\n".encode("cp1252"))
    assert table.cells["name"].tolist() == ["Smith", "Müller €"]


def test_a_declared_encoding_is_used_without_a_word(tmp_path: Path) -> None:
    data = "id,imię\n1,Łódź\n".encode("cp1250")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(read(tmp_path, data, encoding="cp1250").cells) == ["id", "imię"]


def test_a_cyrillic_file_is_found_by_its_language(tmp_path: Path) -> None:
    text = "id,ответ\n" + "1,Я чувствую себя счастливым\n2,Мне нравится заниматься спортом\n" * 30
    with pytest.warns(PsychosegWarning, match="cp1251"):
        table = read(tmp_path, text.encode("cp1251"))
    assert table.cells["ответ"].iloc[0] == "Я чувствую себя счастливым"


def test_an_encoding_that_cannot_be_told_is_an_error_not_a_guess(tmp_path: Path) -> None:
    # charset-normalizer's best guess at these Greek words is Cyrillic (KOI8-R).
    data = ("ποτέ,συχνά,πολύ συχνά\n" * 20).encode("cp1253")
    with pytest.raises(DataError, match=r"a\.csv is not UTF-8 \(byte 0, line 1.*Set encoding"):
        read(tmp_path, data)


def test_a_declared_encoding_that_does_not_fit_names_the_byte_and_the_line(tmp_path: Path) -> None:
    data = "id,name\n1,Smith\n2,Müller\n".encode("latin-1")
    message = r"does not fit its encoding utf-8: byte 19 \(line 3\) is 0xfc\. Set encoding"
    with pytest.raises(DataError, match=message):
        read(tmp_path, data, encoding="utf-8")


def test_utf8_declared_as_latin1_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'declared as latin-1.*UTF-8 \(byte 11, line 2\).*"utf-8"'):
        read(tmp_path, "id,name\n1,Müller\n", encoding="latin-1")


def test_utf8_declared_as_utf16_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'declared as utf-16.*Set encoding = "utf-8"'):
        read(tmp_path, "id,name\n1,Smith\n", encoding="utf-16")


def test_an_unknown_encoding_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no encoding 'utf-9'\. Use a name such as utf-8"):
        read(tmp_path, "id,name\n1,Smith\n", encoding="utf-9")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04rest", r"Excel workbook .* \.xlsx"),
        (b"\xd0\xcf\x11\xe0rest", r"password.*Save it as \.xlsx"),
        (b"$FL2@(#) rest", r"SPSS file.*\.sav"),
        (b"id,q1\n1,\x002\n", r"line 2: a zero byte"),
        ("id,q1\n1,2\n".encode("utf-16-le"), r'UTF-16 without its mark.*"utf-16-le"'),
        (
            bytes(range(128, 256)) + b"\x01\x02",
            r"neither UTF-8 nor readable text \(byte 0, line 1\)",
        ),
        (b"", r"is empty\. Export it again"),
        (b"\n  \n\n", r"is empty"),
        (b"id,q1\n", r"header but no answers"),
        (b"id,q1\n,\n", r"header but no answers"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, data)


def test_an_ending_nobody_reads_lists_those_that_are_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.dta: files ending in \.dta.*\.csv.*\.xlsx.*\.sav"):
        read(tmp_path, "x", name="a.dta")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"lost\.csv does not exist\. Correct the path"):
        read_table(DataFile(file="lost.csv"), tmp_path)


def test_everything_stays_text_but_the_missing_texts(tmp_path: Path) -> None:
    table = read(tmp_path, "id,q1\n00123, 1.50 \nNA,None\nNULL,NA\n1e5,NaN\n", id="id")
    assert table.cells["id"].tolist() == ["00123", "NA", "NULL", "1e5"]
    assert table.cells["q1"].tolist() == ["1.50", "None", "", ""]
    assert table.fields["q1"].missing == ("NA", "NaN")


def test_rows_are_the_lines_a_text_editor_shows(tmp_path: Path) -> None:
    table = read(
        tmp_path, 'id,text\r\n1,"two\nlines"\r\n\r\n2,one\r\n3,"x\r\ny"\r\n4,z\r\n\r\n,\r\n'
    )
    assert table.rows.tolist() == [2, 5, 6, 8]
    assert table.cells["text"].tolist() == ["two\nlines", "one", "x\r\ny", "z"]


def test_a_separator_at_the_end_of_every_line_is_no_column(tmp_path: Path) -> None:
    assert list(read(tmp_path, "a,b,\n1,2,\n3,4,\n").cells) == ["a", "b"]
    assert list(read(tmp_path, "a,b\n1,2,\n3,4,\n").cells) == ["a", "b"]


def test_ragged_rows_are_an_error_with_their_lines(tmp_path: Path) -> None:
    message = r"a\.csv: the header has 3 cells, but line 3 has 4, line 5 has 2\. Put quotes around"
    with pytest.raises(DataError, match=message):
        read(tmp_path, "a,b,c\n1,2,3\n1,2,3,4\n1,2,3\n1,2\n")


def test_one_row_with_a_blank_cell_too_many_is_an_error_since_its_answers_may_have_moved(
    tmp_path: Path,
) -> None:
    with pytest.raises(DataError, match=r"line 3 has 4"):
        read(tmp_path, "a,b,c\n1,2,3\n1,,2,\n")


def rows(first: int, last: int, columns: int = 6) -> str:
    return "".join(",".join([str(i), *["3"] * (columns - 1)]) + "\n" for i in range(first, last))


HEADER = "id,q1,q2,q3,q4,q5\n"


def test_stray_quotes_that_swallow_rows_are_named_with_both_lines(tmp_path: Path) -> None:
    text = HEADER + rows(1, 5) + '5,3,"3,3,3,3\n' + rows(6, 20) + '20,3,3",3,3,3\n' + rows(21, 30)
    message = r"a\.csv, line 6: a stray quote opens here and closes in line 21,.*Remove the quote"
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)


def test_stray_quotes_that_join_two_rows_are_found(tmp_path: Path) -> None:
    text = HEADER + rows(1, 5) + '5,3,"3,3,3,3\n6,3,3",3,3,3\n' + rows(7, 9)
    with pytest.raises(DataError, match=r"line 6: a stray quote opens here and closes in line 7"):
        read(tmp_path, text)


def test_swallowed_rows_are_found_between_rows_with_quoted_commas(tmp_path: Path) -> None:
    text = HEADER + '1,"a, b","3,3,3,3\n' + rows(2, 4) + '4,"",3",3,3,"a, b"\n'
    with pytest.raises(DataError, match=r"line 2: .* closes in line 5"):
        read(tmp_path, text)


def test_stray_quotes_are_found_in_a_table_of_two_columns(tmp_path: Path) -> None:
    text = "id,q\n" + rows(1, 4, 2) + '4,"3\n' + rows(5, 9, 2) + '9,3"\n' + rows(10, 12, 2)
    with pytest.raises(DataError, match=r"line 5: .* closes in line 10"):
        read(tmp_path, text)


def test_a_quote_that_never_closes_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 5: a quote opens here and never closes"):
        read(tmp_path, HEADER + rows(1, 4) + '4,3,"3,3,3,3\n' + rows(5, 9))


def test_text_behind_a_closing_quote_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: a stray quote: text follows.*Remove the quote"):
        read(tmp_path, 'id,t,c\n1,a,b\n2,"he said "yes" twice",b\n')
    with pytest.raises(DataError, match=r"line 4: text follows .* opened in line 3"):
        read(tmp_path, 'id,t,c\n1,a,b\n2,"he\nsaid "yes" twice",b\n')


def test_a_quote_that_swallows_a_whole_file_is_named(tmp_path: Path) -> None:
    text = HEADER + '0,3,"3,3,3,3\n' + rows(1, 20000)
    with pytest.raises(DataError, match=r"line 2: a quote opens here and has not closed"):
        read(tmp_path, text)


def test_answers_of_several_lines_pass(tmp_path: Path) -> None:
    text = (
        HEADER
        + '1,"I like it, really, but, well, no, and\nsecond, line, of, it, all, so\nend",3,3,3,3\n'
    )
    assert read(tmp_path, text).cells.shape == (1, 6)
    assert read(tmp_path, 'id,text\n1,"Good,\nbad, and\nugly"\n').cells.shape == (1, 2)


@pytest.mark.parametrize(
    ("file", "shape", "last"),
    [
        # Rows by R 4.2.2's read.csv (nrow), the last one's line by a text editor.
        ("10_open_text/womens_clothing_reviews_first_part.csv", (1000, 11), 1173),
        ("10_open_text/womens_clothing_wcp.csv", (1499, 11), 1782),
        ("03_openpsychometrics/SENTANCES1/data1.csv", (934, 13), 935),
        (
            "11_platform_exports/surveymonkey_fivethirtyeight/comma-survey/comma-survey.csv",
            (1129, 13),
            1130,
        ),
    ],
)
def test_real_files_with_open_text_pass(
    shared_data: Path, file: str, shape: tuple[int, int], last: int
) -> None:
    table = read_table(DataFile(file=file), shared_data)
    assert table.cells.shape == shape
    assert table.rows[-1] == last


def test_a_stray_quote_put_into_a_real_file_is_found(shared_data: Path, tmp_path: Path) -> None:
    lines = (
        (shared_data / "03_openpsychometrics/HSQ/data.csv").read_text().splitlines(keepends=True)
    )
    lines[100] = lines[100].replace(",", ',"', 1)
    lines[700] = lines[700].replace(",", '",', 1)
    with pytest.raises(
        DataError, match=r"line 101: a stray quote opens here and closes in line 701"
    ):
        read(tmp_path, "".join(lines))


def test_quotes_thrown_into_a_real_file_never_lose_a_row_silently(
    shared_data: Path, tmp_path: Path
) -> None:
    text = (shared_data / "03_openpsychometrics/HSQ/data.csv").read_text()
    starts = [i + 1 for i, sign in enumerate(text) if sign == ","]
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        first = int(rng.integers(len(starts) - 400))
        opened, closed = starts[first], starts[first + int(rng.integers(1, 400))] - 1
        broken = f'{text[:opened]}"{text[opened:closed]}"{text[closed:]}'
        try:
            assert len(read(tmp_path, broken).cells) == 1071
        except DataError:
            refused += 1
    # Two quotes within one row lengthen a cell and make the row ragged, or wrap one cell and change
    # nothing; nearly all others span rows.
    assert refused > 40


def test_a_byte_order_mark_and_semicolons_of_a_real_file(shared_data: Path) -> None:
    file = "07_customers/customer_personality_marketing_campaign.csv"
    table = read_table(DataFile(file=file), shared_data)
    assert table.cells.shape == (2240, 29)
    assert list(table.cells)[:2] == ["ID", "Year_Birth"]
