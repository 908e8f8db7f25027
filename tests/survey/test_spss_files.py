"""SPSS files: labels, user-missing codes, measure levels, dates."""

from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import DataError
from psychoseg.study import DataFile
from psychoseg.survey import read_table
from psychoseg.survey.raw import TextTable

SPSS = "06_spss_sav"


def read(shared_data: Path, file: str) -> TextTable:
    return read_table(DataFile(file=f"{SPSS}/{file}"), shared_data)


def test_labels_and_measures_of_cola(shared_data: Path) -> None:
    table = read(shared_data, "displayr/Cola.sav")
    assert table.cells.shape == (327, 198)
    field = table.fields["Q25_4"]
    assert field.label == "Q25. I am the life of the party"
    assert field.measure == "nominal"
    assert list(field.value_labels)[:2] == ["1", "2"]
    assert field.value_labels["5"] == "Strongly agree"
    assert set(table.cells["Q25_4"]) == {"1", "2", "3", "4", "5"}


def test_user_missing_codes_are_no_answers_and_no_labels(shared_data: Path) -> None:
    table = read(shared_data, "displayr/Mobiles_feedback_4_weeks.sav")
    assert table.fields["Q12_1"].missing == ("6",)
    assert "6" not in set(table.cells["Q12_1"])
    assert "" in set(table.cells["Q12_1"])
    assert "6" not in table.fields["Q12_1"].value_labels


def test_user_missing_ranges_and_texts(shared_data: Path) -> None:
    table = read(shared_data, "pyreadstat/sample_missing.sav")
    assert table.fields["mynum"].missing == ("2000 to 3000", "-1")
    assert table.cells["mynum"].tolist() == ["1.1", "1.2", "-1000.3", "-1.4", "1000.3", "", ""]
    text = read(shared_data, "pyreadstat/missing_char.sav")
    assert text.fields["mychar"].missing == ("Z",)
    assert "Z" not in set(text.cells["mychar"])


@pytest.mark.parametrize("name", ["sample.sav", "sample.zsav", "sample.por"])
def test_all_three_spss_formats_read_alike(shared_data: Path, name: str) -> None:
    table = read(shared_data, f"pyreadstat/{name}")
    table.cells.columns = table.cells.columns.str.lower()
    # Dates as in sample.csv, which stands beside these files.
    assert table.cells["mydate"].tolist() == [
        "2018-05-06",
        "1880-05-06",
        "1960-01-01",
        "1583-01-01",
        "",
    ]
    assert table.cells["dtime"].iloc[0] == "2018-05-06 10:10:10"
    assert table.cells["mynum"].tolist() == ["1.1", "1.2", "-1000.3", "-1.4", "1000.3"]
    assert table.rows.tolist() == [1, 2, 3, 4, 5]


def test_letters_beyond_ascii(shared_data: Path) -> None:
    labels = read(shared_data, "haven/umlauts.sav").fields["var1"].value_labels
    assert list(labels.values()) == ["the ä umlaut", "the ü umlaut", "the ö umlaut"]


def test_a_missing_string_is_no_answer_and_numbers_keep_no_point(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [123.0, 0.1 + 0.2], "text": ["a", None]})
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"))
    table = read_table(DataFile(file="a.sav"), tmp_path)
    assert table.cells["id"].tolist() == ["123", "0.30000000000000004"]
    assert table.cells["text"].tolist() == ["a", ""]


def test_what_is_no_spss_file_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "a.sav").write_text("id,q1\n1,2\n")
    with pytest.raises(DataError, match=r"a\.sav cannot be read as an SPSS file .*Save it again"):
        read_table(DataFile(file="a.sav"), tmp_path)
