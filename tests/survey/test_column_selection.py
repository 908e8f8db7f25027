"""Names, ranges and patterns, and all column problems at once."""

import pytest

from psychoseg.errors import StudyError
from psychoseg.survey import load_survey
from psychoseg.survey.select import match_columns

NAMES = [
    "id",
    "A1",
    "A2",
    "A3",
    "Mood: good",
    "Mood: bad",
    "Frequency [Rock]",
    "Frequency [R&B]",
    "a4",
    "A1:A3",
]


@pytest.mark.parametrize(
    ("pattern", "columns"),
    [
        ("A2", ["A2"]),
        ("A1:A3", ["A1:A3"]),
        ("A1:A2", ["A1", "A2"]),
        ("A1 : Mood: good", ["A1", "A2", "A3", "Mood: good"]),
        ("Mood: good:Mood: bad", ["Mood: good", "Mood: bad"]),
        ("Mood: bad", ["Mood: bad"]),
        ("A?", ["A1", "A2", "A3"]),
        ("A*", ["A1", "A2", "A3", "A1:A3"]),
        ("Frequency [Rock]", ["Frequency [Rock]"]),
        ("Frequency [*]", ["Frequency [Rock]", "Frequency [R&B]"]),
        ("A3:A1", []),
        ("B*", []),
        ("A9", []),
    ],
)
def test_a_pattern_means_these_columns(pattern: str, columns: list[str]) -> None:
    assert match_columns(pattern, NAMES) == columns


TOML = """
[data]
file = "answers.csv"
id = "idd"
[[merge]]
file = "crm.csv"
id = "kunde"
to = "nr"
[[items]]
columns = ["q1", "Q2", "q3:q9", "q3:q1"]
reverse = ["q7"]
labels = {q8 = "x"}
[[items]]
columns = ["q1", "zz*"]
[[columns]]
name = "agee"
[[columns]]
name = "q*"
[[columns]]
name = "sex"
[weights]
column = "wieght"
[[scales.scale]]
name = "S"
items = ["q1", "q2"]
reverse = ["q3"]
"""


def test_all_column_problems_come_at_once_with_the_nearest_name(make_study) -> None:
    answers = "id,nr,q1,q2,q3,age,sex,weight\n1,1,1,2,3,30,m,1\n"
    study = make_study(TOML, answers__csv=answers, crm__csv="kundennr,plan\n1,a\n")
    with pytest.raises(StudyError) as caught:
        load_survey(study)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("study.toml has 13 problems:")
    for expected in (
        "data.id: no column 'idd' in answers.csv. Did you mean 'id'?",
        "merge[1].id: no column 'kunde' in crm.csv. Did you mean 'kundennr'?",
        "items[1].columns: no column 'Q2'. Did you mean 'q2'?",
        "items[1].columns: no column 'q9', an end of 'q3:q9'. There are: 'id',",
        "items[1].columns: 'q3:q1' runs backwards: 'q1' stands before 'q3' in the file.",
        "items[1].reverse: 'q7' is not one of the items.",
        "items[1].labels: 'q8' is not one of the items.",
        "items[2].columns: 'q1' already belong to items[1].",
        "items[2].columns: no column fits 'zz*'.",
        "columns[1].name: no column 'agee'. Did you mean 'age'?",
        "columns[2].name: 'q*' takes in 'q1', which is an item.",
        "weights.column: no column 'wieght'. Did you mean 'weight'?",
        "scales.scale[1].reverse: 'q3' is not among the items of the scale 'S'.",
    ):
        assert any(f", {expected}" in line for line in lines), expected
    # Q2 was meant: that no scale finds it is a consequence.
    assert not any("'q2' is not one of the items" in line for line in lines)


def test_a_name_for_the_scale_of_an_unknown_item_is_refused(make_study) -> None:
    toml = """
[data]
file = "a.csv"
[[items]]
columns = ["q1", "q2", "q3"]
[scales.names]
q4 = "Thrift"
"""
    with pytest.raises(StudyError, match=r"scales\.names: 'q4' is not one of the items\."):
        load_survey(make_study(toml, a__csv="q1,q2,q3\n1,2,3\n2,1,3\n"))


def test_a_column_named_in_full_keeps_its_settings_where_a_pattern_takes_it_in(make_study) -> None:
    toml = """
[data]
file = "a.csv"
[[items]]
columns = ["q1"]
[[columns]]
name = "d_*"
[[columns]]
name = "d_age"
use = "active"
label = "Age"
"""
    survey = load_survey(make_study(toml, a__csv="q1,d_age,d_sex\n1,30,m\n2,40,f\n"))
    assert survey.codebook["d_age"].role == "active"
    assert survey.label("d_age") == "Age"
    assert survey.codebook["d_sex"].role == "profile"


def test_all_missing_files_come_at_once(make_study) -> None:
    toml = """
[data]
file = "a.csv"
labels = "l.csv"
[[merge]]
file = "b.csv"
id = "id"
[[items]]
columns = ["q1"]
"""
    with pytest.raises(
        StudyError, match=r"has 3 problems:\n.*data\.file.*a\.csv.*\n.*data\.labels.*\n.*merge\[1\]"
    ):
        load_survey(make_study(toml))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (
            '[[columns]]\nname = "w"\n[weights]\ncolumn = "w"',
            r"weights\.column: 'w' is also one of",
        ),
        ('[[columns]]\nname = "id"', r"columns: 'id' is the id of the respondents"),
        ('[[columns]]\nname = "w"\n[[columns]]\nname = "w"', r"columns\[2\]\.name: 'w' is taken"),
        ('[[columns]]\nname = "q1"', r"columns\[1\]\.name: 'q1' takes in 'q1', which is an item"),
    ],
)
def test_a_column_has_one_use(make_study, what: str, message: str) -> None:
    toml = f'[data]\nfile = "a.csv"\nid = "id"\n[[items]]\ncolumns = ["q1"]\n{what}\n'
    with pytest.raises(StudyError, match=message):
        load_survey(make_study(toml, a__csv="id,q1,w\n1,1,1\n2,2,1\n"))
