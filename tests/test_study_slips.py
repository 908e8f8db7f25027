"""A slip of the pen in a study file: the line, the line itself, and what to write instead."""

import re

import pytest

from psychoseg.cli import main
from psychoseg.errors import StudyError
from psychoseg.study import load_study

STUDY = """[study]
title = "T"
[data]
file = "a.csv"
[[items]]
columns = ["q1:q5"]
range = [1, 5]
"""


def told(tmp_path, text: str) -> str:
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path)
    return str(caught.value).removeprefix(f"{tmp_path / 'study.toml'}")


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ('"T"', '"T', 2, "a quotation mark is missing at the end"),
        ('"T"', "'T", 2, "a quotation mark is missing at the end"),
        ('"T"', "My study", 2, 'text stands in quotes: "My study"'),
        ('"T"', "18 to 24", 2, 'text stands in quotes: "18 to 24"'),
        ('"T"', "“T”", 2, "curly quotation marks"),
        ('"T"', 'The "best" one', 2, "text stands in quotes"),
        ('"T"', '"The "best" one"', 2, "a quotation mark inside quotes"),
        ('title = "T"', 'title : "T"', 2, 'title = "T"'),
        ('title = "T"', 'title "T"', 2, "= is missing"),
        ('title = "T"', "title =", 2, "the value is missing"),
        ('title = "T"', 'title = "T"\ntitle = "B"', 3, "title stands twice in its group"),
        ('"a.csv"', r'"C:\Users\me\a.csv"', 4, "use / in paths"),
        ('"a.csv"', r'"data\a.csv"', 4, "use / in paths"),
        ('["q1:q5"]', '["q1:q5"', 6, "ends with ]"),
        ('["q1:q5"]', '["q1" "q2"]', 6, "commas between its entries"),
        ("[1, 5]", "[1, 5]\n[clean]\nmin_answered = 0,5", 9, "write 0.5"),
        ("[1, 5]", "[1, 5]\n[clean]\nmin_answered = .5", 9, "write 0.5"),
        ("[1, 5]", "[1, 5]\n[clean]\nmin_answered = 50%", 9, "write the share, 0.5"),
        ("[1, 5]", "[1, 5]\n[segments]\naudits = True", 9, "write true in small letters"),
        ("[1, 5]", "[1, 5]\n[segments]\naudits = no", 9, "write false in small letters"),
        ("[1, 5]", "[1, 5]\n[segments]\nk = 04", 9, "write 4"),
        ("[1, 5]", "[1, 5]\n[scales]\nkaiser = None", 9, "take the line out"),
        ("[1, 5]", "[1, 5]\n[segments\nk = 4", 8, "write [segments]"),
        ("[1, 5]", "[1, 5]\n[study]\nseed = 2", 8, "the group [study] stands twice"),
        ("[1, 5]", "[1, 5]\n// a remark", 8, "a comment begins with #"),
        ("[1, 5]", '[1, 5]\n[items.labels]\nQ 1 = "x"', 9, 'goes into quotes: "Q 1"'),
        ("[1, 5]", '[1, 5]\n[items.labels]\nGröße = "x"', 9, 'goes into quotes: "Größe"'),
    ],
)
def test_a_slip_is_told_with_its_line_and_what_to_write(tmp_path, before, after, line, words):
    text = STUDY.replace(before, after, 1)
    message = told(tmp_path, text)
    assert message.startswith(f", line {line}: ")
    assert words in message
    assert message.endswith(f"\n    {text.splitlines()[line - 1].strip()}")
    assert "TOML" not in message


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[[items]]", "[items]", "line 5, items: items is a list of groups: write two brackets"),
        ("[data]", "[[data]]", "line 3, data: there is one data in a study: write one pair"),
        ("[1, 5]", '"1-5"', "line 7, items[1].range: '1-5' should be a list, such as [1, 5]"),
        ("[1, 5]", "[1, 2, 3]", "line 7, items[1].range: [1, 2, 3] has 3 entries"),
        ("[1, 5]", "[1, 5]\n[clean]\nmin_answered = 50", "Write 0.5 for 50 per cent"),
        ("[1, 5]", '[1, 5]\n[segments]\nk = "four"', "'four' is not one of auto, a whole number"),
    ],
)
def test_a_wrong_value_is_told_in_the_signs_of_the_file(tmp_path, before, after, words):
    assert words in told(tmp_path, STUDY.replace(before, after, 1))


def test_a_number_in_quotes_is_that_number(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY + '[segments]\nk = "4"\n[scales]\nn_factors = "3"\n')
    study = load_study(tmp_path)
    assert (study.segments.k, study.scales.n_factors) == (4, 3)


def test_a_wrong_column_is_told_once_with_its_lines_and_without_its_consequences(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("id,q1,q2,q3,age\n1,1,2,3,30\n2,3,1,2,40\n")
    study = """[data]
file = "a.csv"
[[items]]
columns = [
  "q1",
  "q9",
  "q3",
]
reverse = ["q9"]
[items.labels]
q9 = "Nine"
[[columns]]
name = "agee"
[[scales.scale]]
name = "S"
items = ["q1", "q9", "q3"]
[[texts]]
column = "agee"
"""
    (tmp_path / "study.toml").write_text(study)
    assert main(["run", str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == [
        "  - line 6, items[1].columns: no column 'q9'. There are: 'id', 'q1', 'q2', 'q3' "
        "and 'age'.",
        "  - line 13, columns[1].name; line 18, texts[1].column: no column 'agee'. "
        "Did you mean 'age'?",
    ]
    assert said[0].endswith("has 2 problems:")


def test_a_survey_file_is_run_again_by_the_study_beside_it(tmp_path, capsys, monkeypatch):
    (tmp_path / "a.csv").write_text("id,q1,q2,q3\n1,1,2,3\n")
    (tmp_path / "b.csv").write_text("id,q1\n1,1\n")
    (tmp_path / "study.toml").write_text(STUDY.replace("q1:q5", "q1:q9"))
    assert main(["run", str(tmp_path / "a.csv")]) == 2
    heard = capsys.readouterr()
    assert "as it stands (it reads a.csv" in heard.out
    assert re.search(r"line 6, items\[1\]\.columns: no column 'q9'", heard.err)
    assert main(["run", str(tmp_path / "b.csv")]) == 2
    assert "reads a.csv, not b.csv" in capsys.readouterr().err
