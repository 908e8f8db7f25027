"""One, two and three header rows."""

from pathlib import Path

import pytest

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.study import DataFile
from psychoseg.survey import read_table
from psychoseg.survey.header import read_header

HERE = Path("a.csv")
PLATFORMS = "11_platform_exports"


def test_a_name_that_repeats_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"a\.csv: the header repeats the names 'q1' and 'q2'\. Give"
    ):
        read_header([["q1", "q2", "q1", "q2", "x"]], HERE)


def test_a_blank_name_becomes_its_position() -> None:
    header = read_header([["id", "", " q2 ", "column_4", ""]], HERE)
    assert header.names == ("id", "column_2", "q2", "column_4", "column_5")


def test_surveymonkey_carries_questions_over_blanks_and_joins_options() -> None:
    first = ["ID", "Happy?", "Which?", "", "", "Why?"]
    second = ["", "Response", "Red", "Green", "Other (please specify)", "Open-Ended Response"]
    header = read_header([first, second], HERE)
    assert header.names == (
        *("ID", "Happy?", "Which?: Red", "Which?: Green"),
        *("Which?: Other (please specify)", "Why?"),
    )
    assert header.labels == ("", "", "Red", "Green", "Other (please specify)", "")
    assert header.questions == ("", "", "Which?", "Which?", "Which?", "")


def test_a_name_that_repeats_under_a_platform_header_gets_its_number_and_a_warning() -> None:
    with pytest.warns(PsychosegWarning, match=r"repeats the column names 'Q: A'.*'Q: A_2'"):
        header = read_header([["Q", "", ""], ["A", "A", "B"]], HERE)
    assert header.names == ("Q: A", "Q: A_2", "Q: B")


def test_complete_names_in_the_first_of_two_rows_are_the_names() -> None:
    header = read_header([["V1", "Q1"], ["ResponseID", "How old are you?"]], HERE)
    assert header.names == ("V1", "Q1")
    assert header.labels == ("ResponseID", "How old are you?")


def test_star_wars_of_surveymonkey(shared_data: Path) -> None:
    file = f"{PLATFORMS}/surveymonkey_fivethirtyeight/star-wars-survey/StarWars.csv"
    table = read_table(DataFile(file=file, header_rows=2, encoding="latin-1"), shared_data)
    stem = "Please state whether you view the following characters favorably, unfavorably, or are "
    assert table.cells.shape == (1186, 38)
    assert list(table.cells)[15] == f"{stem}unfamiliar with him/her.: Han Solo"
    assert table.fields[list(table.cells)[15]].label == "Han Solo"
    assert table.cells["RespondentID"].iloc[0] == "3292879998"
    assert table.rows[0] == 3


def test_three_rows_of_qualtrics(shared_data: Path) -> None:
    file = f"{PLATFORMS}/qualtrics_tools/ropensci_sample_de.csv"
    table = read_table(DataFile(file=file, header_rows=3), shared_data)
    assert table.cells.shape == (1, 20)
    assert table.fields["Q1"].label == "This is a multiple choice question."
    assert table.fields["StartDate"].label == "Anfangsdatum"
    assert table.cells["Q2"].tolist() == ["Hello World!"]


def test_two_rows_of_qualtrics_with_a_separator_at_the_end_of_each_line(shared_data: Path) -> None:
    file = f"{PLATFORMS}/qualtrics_tools/ropensci_sample_legacy.csv"
    table = read_table(DataFile(file=file, header_rows=2), shared_data)
    assert list(table.cells) == [
        *(f"V{i}" for i in range(1, 11)),
        *("Q1", "Q2", "LocationLatitude", "LocationLongitude", "LocationAccuracy"),
    ]
    assert table.fields["Q1"].label == "This is a multiple choice question."


def test_a_real_qualtrics_file_that_repeats_names(shared_data: Path) -> None:
    file = f"{PLATFORMS}/qualtrics_tools/many_question_types_insights.csv"
    with pytest.warns(PsychosegWarning, match="Q50#2_bites_1231"):
        table = read_table(DataFile(file=file, header_rows=3), shared_data)
    assert table.cells.shape == (5, 190)
    assert table.cells.columns.is_unique
