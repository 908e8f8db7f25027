"""Rows that are no people, people who stand twice, titles, encodings, and texts taken for none."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.study import DataFile, load_study
from psychoseg.survey import load_survey
from psychoseg.survey.read import read_table
from psychoseg.survey.rows import is_summary_word, summary_rows
from tests.survey.reading_cases import write_everything

BODY = "".join(f"{i},{i % 5 + 1},{(i * 7) % 5 + 1},{i % 3 + 1},{20 + i}\n" for i in range(1, 41))
HEAD = "id,q1,q2,q3,age\n"


def read(folder: Path, data: str | bytes, **settings):
    path = folder / "a.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_table(DataFile(file="a.csv", **settings), folder)


def told(folder: Path, data: str | bytes, **settings) -> tuple[pd.DataFrame, str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PsychosegWarning)
        table = read(folder, data, **settings)
    return table.cells, "\n".join(str(w.message) for w in caught)


def test_everything_at_once_is_read_as_meant(tmp_path: Path) -> None:
    with pytest.warns(PsychosegWarning, match="1 row of people who stand in it twice was left out"):
        survey = load_survey(load_study(write_everything(tmp_path)))
    assert survey.ids.tolist() == ["A1", "A2", "A3", "A4", "A5", "A6"]
    assert survey.columns["income"].tolist() == [2140, 650, 17500, 1250.5, 980, -1000]
    assert survey.columns["share"].tolist() == [12, 7, 30, 9, 11, 10]
    assert survey.columns["region"].tolist()[:4] == ["NA", "EMEA", "APAC", "NA"]
    assert survey.weights.tolist() == pytest.approx([0.85, 1.15, 1.2, 0.8, 1, 1])
    lines = survey.ledger[["respondent", "row", "stage", "effect"]].values.tolist()
    assert lines == [
        ["", 5, "read", "unused"],
        ["A2", 10, "read", "unused"],
        ["Mean", 13, "read", "unused"],
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("mean", "Average", "TOTAL", "Summe", "Mittelwert", "n = 240"),
        *("Std. Dev.", "Moyenne", "Promedio", "Gesamt", "Suma"),
    ],
)
def test_words_of_computed_rows(name: str) -> None:
    assert is_summary_word(name)
    assert not is_summary_word("Totally agree")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("Mean,3.00,3.0,2.0,40.5\n", "means"),
        (",3.00,3.0,2.0,40.5\n", "means"),
        ("Total,120,120,80,1620\n", "sums"),
        ("x,120,120,80,1620\n", "sums"),
        ("Maximum,5,5,3,60\n", "highest answers"),
        ("N,40,40,40,40\n", "counts"),
    ],
)
def test_a_row_of_figures_at_the_foot_stops_the_run(tmp_path: Path, row: str, what: str) -> None:
    found = summary_rows(read(tmp_path, HEAD + BODY + row))
    assert [(f.row, f.what, f.sure) for f in found] == [(42, what, True)]


def test_several_rows_of_figures_are_found(tmp_path: Path) -> None:
    foot = "Mean,3.00,3.0,2.0,40.5\nSD,1.43,1.43,.82,11.69\n"
    found = summary_rows(read(tmp_path, HEAD + BODY + foot))
    assert [f.row for f in found] == [43, 42]
    assert all(f.sure for f in found)


@pytest.mark.parametrize("row", ["41,5,5,3,99\n", "41,1,1,1,21\n", "41,,,,\n", "41,3,3,2,40\n"])
def test_the_last_person_is_a_person(tmp_path: Path, row: str) -> None:
    assert summary_rows(read(tmp_path, HEAD + BODY + row)) == []


STUDY = """\
[data]
file = "a.csv"
{more}
[[items]]
columns = ["q1:q3"]
range = [1, 5]
{battery}
"""


def study(folder: Path, data: str, more: str = "", battery: str = ""):
    (folder / "a.csv").write_text(data)
    (folder / "study.toml").write_text(STUDY.format(more=more, battery=battery))
    return load_study(folder)


def test_a_mean_row_is_refused_by_the_run_and_left_out_when_told(tmp_path: Path) -> None:
    data = HEAD + BODY + "Mean,3.00,3.0,2.0,40.5\n"
    with pytest.raises(DataError, match=r"row 42 .*no person but means.*leave_out_rows = \[42\]"):
        load_survey(study(tmp_path, data))
    assert load_survey(study(tmp_path, data, "leave_out_rows = [42]")).n_read == 40


def test_a_fraction_among_whole_answers_is_no_answer(tmp_path: Path) -> None:
    data = HEAD + BODY + "41,3.23,3,2,40\n"
    with pytest.raises(DataError, match=r"item q1: '3.23' \(row 42\) is no whole number"):
        load_survey(study(tmp_path, data))
    survey = load_survey(study(tmp_path, data, 'id = "id"', 'out_of_range = "missing"'))
    assert survey.items["q1"].isna().sum() == 1
    assert "no whole number" in survey.ledger["reason"].iloc[0]


def test_half_steps_are_answers_where_they_are_many(tmp_path: Path) -> None:
    data = HEAD + BODY + "".join(f"{i},3.5,3,2,40\n" for i in range(50, 60))
    assert (load_survey(study(tmp_path, data)).items["q1"] == 3.5).sum() == 10


@pytest.mark.parametrize(("rule", "kept"), [("first", "1"), ("last", "5")])
def test_one_row_of_each_id_stays(tmp_path: Path, rule: str, kept: str) -> None:
    data = HEAD + BODY + "1,5,5,3,30\n"
    data = data.replace("\n1,2,", "\n1,1,", 1)
    with pytest.raises(DataError, match=r"repeats the id id: '1' \(rows 2 and 42\).*duplicates"):
        load_survey(study(tmp_path, data, 'id = "id"'))
    with pytest.warns(PsychosegWarning, match="left out"):
        survey = load_survey(study(tmp_path, data, f'id = "id"\nduplicates = "{rule}"'))
    assert survey.n_read == 40
    assert str(int(survey.items["q1"][survey.ids == "1"].iloc[0])) == kept
    assert "with other answers" in survey.ledger["reason"].iloc[0]


def test_whole_rows_that_repeat_beyond_chance_are_told(tmp_path: Path) -> None:
    rows = [f"{line},{i * 13 % 37},{i * 7 % 31}" for i, line in enumerate(BODY.splitlines())]
    data = "\n".join(["key,q1,q2,q3,age,minutes,metres", *rows, rows[6]]) + "\n"
    with pytest.warns(PsychosegWarning, match="row 42 repeats an earlier row cell for cell"):
        assert load_survey(study(tmp_path, data)).n_read == 41
    with pytest.warns(PsychosegWarning, match="1 row of people"):
        survey = load_survey(study(tmp_path, data, 'duplicates = "first"'))
    assert survey.n_read == 40


def test_rows_of_few_answers_may_agree_by_chance(tmp_path: Path) -> None:
    data = "q1,q2,q3\n" + "1,2,3\n2,1,3\n3,2,1\n" * 20
    with warnings.catch_warnings():
        warnings.simplefilter("error", PsychosegWarning)
        assert load_survey(study(tmp_path, data)).n_read == 60


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ({"leave_out_rows": (99,)}, r"leave_out_rows names row 99"),
        ({"numbers": {"x": "1.234,5"}}, r"numbers names the column 'x'"),
        ({"not_missing": {"x": ("NA",)}}, r"not_missing names the column 'x'"),
        ({"skip_rows": 99}, r"empty below its first 99 lines"),
        ({"duplicates": "first", "id": "x"}, r"no column 'x'"),
    ],
)
def test_settings_that_name_what_is_not_there_are_refused(tmp_path: Path, setting, what) -> None:
    with pytest.raises((DataError, StudyError), match=what):
        read(tmp_path, HEAD + BODY, **setting)


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_a_line_that_tells_excel_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    table = read(tmp_path, f"{first}\nid;q\n1;2,5\n")
    assert list(table.cells) == ["id", "q"]
    assert table.cells["q"].tolist() == ["2,5"]
    assert table.rows.tolist() == [3]


def test_rows_keep_their_numbers_below_titles(tmp_path: Path) -> None:
    table = read(tmp_path, "A title, with commas\n\nid,q\n1,2\n", skip_rows=2)
    assert table.rows.tolist() == [4]


def test_a_stray_quote_below_titles_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 4: a quote opens here and never closes"):
        read(tmp_path, 'Title\n\nid,q\n1,"2\n', skip_rows=2)


def test_lines_of_two_encodings_are_read_each_in_its_own(tmp_path: Path) -> None:
    data = "id,x\n1,Île\n".encode() + "2,Rhône\n".encode("cp1252") + "3,Köln\n".encode()
    cells, message = told(tmp_path, data)
    assert cells["x"].tolist() == ["Île", "Rhône", "Köln"]
    assert "1 of its 4 lines is not UTF-8" in message
    assert "line 3, which reads “2,Rhône”" in message


def test_one_line_of_two_encodings_is_read(tmp_path: Path) -> None:
    data = "id,x,y\n1,Île,".encode() + "Rhône\n".encode("cp1252")
    cells, message = told(tmp_path, data)
    assert cells.iloc[0].tolist() == ["1", "Île", "Rhône"]
    assert "mixes encodings" in message


def test_letters_saved_twice_are_told(tmp_path: Path) -> None:
    cells, message = told(tmp_path, "id,x\n1,Größe\n".encode().decode("cp1252"))
    assert cells["x"].tolist() == ["GrÃ¶ÃŸe"]
    assert "saved twice as UTF-8" in message
    assert "'ö' was meant" in message


@pytest.mark.parametrize(
    "text", ["Größe", "Île", "“quoted” – it’s", "São Tomé", "Łódź", "東京", "Ñandú"]
)
def test_letters_that_read_well_are_not_called_garbled(tmp_path: Path, text: str) -> None:
    cells, message = told(tmp_path, f"id,x\n1,{text}\n")
    assert cells["x"].tolist() == [text]
    assert message == ""


def test_lost_letters_are_told(tmp_path: Path) -> None:
    assert "has lost 1 letter (line 2" in told(tmp_path, "id,x\n1,Gr\ufffdsse\n")[1]


def test_texts_taken_for_no_answer_are_counted(tmp_path: Path) -> None:
    table = read(tmp_path, "id,x,y\n1,NA,None\n2,NA,b\n3,a,NaN\n")
    assert {n: dict(f.taken) for n, f in table.fields.items()} == {
        "id": {},
        "x": {"NA": 2},
        "y": {"NaN": 1},
    }
    assert table.cells["y"].tolist() == ["None", "b", ""]


def test_a_number_that_may_be_thousands_is_told_by_the_run(tmp_path: Path) -> None:
    rows = [
        f"{i},{i % 5 + 1},{i % 4 + 1},{i % 3 + 1},{i % 9 + 1}.{100 + 7 * i}" for i in range(1, 41)
    ]
    data = "id,q1,q2,q3,income\n" + "\n".join(rows) + "\n"
    made = study(tmp_path, data, "", '[[columns]]\nname = "income"\ntype = "numeric"')
    with pytest.warns(PsychosegWarning, match="may be thousands"):
        load_survey(made)
    made = study(
        tmp_path, data, '[data.numbers]\nincome = "1.234,5"', '[[columns]]\nname = "income"'
    )
    assert load_survey(made).columns["income"].min() > 1000
