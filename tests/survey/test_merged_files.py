"""Files joined by id."""

import numpy as np
import pytest

from psychoseg.errors import DataError, StudyError
from psychoseg.survey import Survey, load_survey

ANSWERS = "id,shop,q1,q2\n001,A,1,2\n002,A,2,4\n003,B,3,1\n1,C,4,3\n"


def load(
    make_study, crm: str, merge: str = "", answers: str = ANSWERS, columns: str = "plan"
) -> Survey:
    toml = f"""
[data]
file = "a.csv"
id = "id"
[[merge]]
file = "crm.csv"
id = "key"
{merge}
[[items]]
columns = ["q1", "q2"]
[[columns]]
name = "{columns}"
"""
    return load_survey(make_study(toml, a__csv=answers, crm__csv=crm))


CRM = "plan,key\nbasic,1\npro,003\nfree, 001 \npro,002\n"


def test_files_are_joined_by_id_as_text_in_the_order_of_the_answers(make_study) -> None:
    survey = load(make_study, CRM)
    assert survey.ids.tolist() == ["001", "002", "003", "1"]
    assert survey.columns["plan"].tolist() == ["free", "pro", "pro", "basic"]
    assert survey.ledger.empty
    assert "key" not in survey.codebook


def test_rows_that_meet_nobody_are_unused_in_the_ledger(make_study) -> None:
    survey = load(make_study, CRM + "pro,007\npro,008\n")
    assert survey.ledger.to_numpy().tolist() == [
        ["007", "crm.csv", 6, "merge", "unused", "no respondent of a.csv has this id"],
        ["008", "crm.csv", 7, "merge", "unused", "no respondent of a.csv has this id"],
    ]
    assert survey.n_read == survey.n == 4


SHORT = "plan,key\nfree,001\npro,003\nbasic,1\n"


def test_the_unmatched_stop_the_join_where_nothing_is_said(make_study) -> None:
    message = r"1 of 4 respondents of a\.csv are not in crm\.csv: '002' \(row 3\)\. Set unmatched"
    with pytest.raises(DataError, match=message):
        load(make_study, SHORT)


def test_the_unmatched_are_dropped_into_the_ledger(make_study) -> None:
    survey = load(make_study, SHORT, 'unmatched = "drop"')
    assert survey.ids.tolist() == ["001", "003", "1"]
    assert survey.n_read == 4
    assert survey.ledger.to_numpy().tolist() == [
        ["002", "a.csv", 3, "merge", "excluded", "not in crm.csv"]
    ]


def test_the_unmatched_are_kept_without_the_columns(make_study) -> None:
    survey = load(make_study, SHORT, 'unmatched = "keep"')
    assert survey.n == 4
    assert survey.columns["plan"].isna().tolist() == [False, True, False, False]
    assert survey.ledger.empty


@pytest.mark.parametrize("rule", ["drop", "keep", "error"])
def test_files_without_a_common_id_are_an_error_whatever_the_rule(make_study, rule: str) -> None:
    message = r"no respondent of a\.csv meets a row of crm\.csv: ids read '001', .* here and 'x1'"
    with pytest.raises(DataError, match=message):
        load(make_study, "key,plan\nx1,a\nx2,b\n", f'unmatched = "{rule}"')


@pytest.mark.parametrize("expect", ["one_to_one", "many_to_one"])
def test_a_fan_out_is_an_error_with_ids_and_rows(make_study, expect: str) -> None:
    message = r"crm\.csv repeats the key key: '002' \(rows 5 and 6\)\. Each would meet respondents"
    with pytest.raises(DataError, match=message):
        load(make_study, CRM + "basic,002\n", f'expect = "{expect}"')


def test_many_respondents_may_share_a_row_only_where_the_study_says_so(make_study) -> None:
    shops = "key,size\nA,10\nB,20\nC,30\n"
    survey = load(make_study, shops, 'to = "shop"\nexpect = "many_to_one"', columns="size")
    np.testing.assert_array_equal(survey.columns["size"], [10.0, 10.0, 20.0, 30.0])
    message = r"a\.csv repeats the key shop: 'A' \(rows 2 and 3\)\..*expect = \"many_to_one\""
    with pytest.raises(DataError, match=message):
        load(make_study, shops, 'to = "shop"', columns="size")


def test_two_files_with_the_same_column_are_an_error(make_study) -> None:
    with pytest.raises(
        DataError, match=r"crm\.csv and the files before it both have the column 'q1'\. Rename"
    ):
        load(make_study, "key,q1,plan\n001,1,a\n")


def test_ids_that_repeat_are_an_error_with_rows(make_study) -> None:
    message = r"a\.csv repeats the id id: '002' \(rows 3 and 6\)\. Keep one row for each respondent"
    with pytest.raises(DataError, match=message):
        load(make_study, CRM, answers=ANSWERS + " 002 ,A,1,1\n")


def test_blank_ids_are_an_error_with_rows(make_study) -> None:
    with pytest.raises(DataError, match=r"a\.csv: the id id is blank in rows 6 and 8\. Fill it in"):
        load(make_study, CRM, answers=ANSWERS + ",A,1,1\n9,A,1,1\n ,B,2,2\n")
    with pytest.raises(DataError, match=r"crm\.csv: the key key is blank in row 6"):
        load(make_study, CRM + "pro,\n")


def test_a_join_by_id_needs_an_id(make_study) -> None:
    merge = '[[merge]]\nfile = "b.csv"\nid = "id"\n'
    toml = f'[data]\nfile = "a.csv"\n{merge}[[items]]\ncolumns = ["q1"]\n'
    with pytest.raises(StudyError, match=r"merge\[1\]: b\.csv is to be joined by id.*Set data\.id"):
        load_survey(make_study(toml, a__csv="q1\n1\n2\n", b__csv="id,x\n1,2\n"))


def test_problems_in_a_merged_file_name_its_own_rows(make_study) -> None:
    toml = """
[data]
file = "a.csv"
id = "id"
[[merge]]
file = "b.csv"
id = "id"
decimal = ","
[[items]]
columns = ["q1", "q2"]
range = [1, 5]
"""
    answers = "id,q1\n1,1\n2,2\n3,3\n"
    study = make_study(toml, a__csv=answers, b__csv="id;q2\n9;1\n3;7\n1;2,5\n2;4\n")
    with pytest.raises(DataError, match=r"item q2: 1 answer is outside 1 to 5: '7' \(row 3\)"):
        load_survey(study)
