"""Item cells -> codes: texts, missing codes, ranges, ends of the scale."""

import warnings

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.survey import load_survey


def toml(battery: str = "", data: str = "", more: str = "") -> str:
    return f"""
[data]
file = "a.csv"
id = "id"
{data}
[[items]]
columns = ["q*"]
{battery}
{more}
"""


def table(*rows: str, header: str = "id,q1,q2") -> str:
    return "\n".join([header, *rows]) + "\n"


def test_numbers_are_read_as_written(make_study) -> None:
    text = table("1,1,5.0", "2, 2 ,-1e0", "3,.5,+3")
    survey = load_survey(make_study(toml(), a__csv=text))
    assert survey.items["q1"].tolist() == [1.0, 2.0, 0.5]
    assert survey.items["q2"].tolist() == [5.0, -1.0, 3.0]


def test_a_decimal_comma_is_honoured(make_study) -> None:
    text = table("1;1,5;2", "2;2,5;3", "3;4;1", header="id;q1;q2")
    survey = load_survey(make_study(toml(data='decimal = ","'), a__csv=text))
    assert survey.items["q1"].tolist() == [1.5, 2.5, 4.0]


def test_a_point_is_no_decimal_sign_where_the_comma_is(make_study) -> None:
    text = table("1;1,5;2", "2;1.234;3", "3;4;1", header="id;q1;q2")
    with pytest.raises(DataError, match=r"item q1 holds text: '1\.234' \(row 3\)"):
        load_survey(make_study(toml(data='decimal = ","'), a__csv=text))


def test_a_decimal_comma_that_is_not_declared_is_an_error_saying_so(make_study) -> None:
    text = table("1;1,5;2", "2;2,5;3", "3;4;1", header="id;q1;q2")
    with pytest.raises(
        DataError, match=r"item q1 holds text: '1,5' \(row 2\).*Set decimal = \",\""
    ):
        load_survey(make_study(toml(), a__csv=text))


def test_ordered_codes_count_from_one(make_study) -> None:
    text = table("1,No, Maybe ", "2,Yes,No", "3,Maybe,Yes", "4,None,None")
    study = make_study(toml('codes = ["None", "No", "Maybe", "Yes"]'), a__csv=text)
    survey = load_survey(study)
    assert survey.items["q1"].tolist() == [2.0, 4.0, 3.0, 1.0]
    assert survey.items["q2"].tolist() == [3.0, 2.0, 4.0, 1.0]
    item = survey.codebook["q1"]
    assert (item.low, item.high) == (1.0, 4.0)
    assert item.value_labels == {1.0: "None", 2.0: "No", 3.0: "Maybe", 4.0: "Yes"}


def test_a_table_of_codes_and_missing_codes_as_text_and_number(make_study) -> None:
    text = table("1,no,yes", "2,yes,n/a", "3,no,no", "4,-9,yes", "5,-9.0,NA")
    battery = 'codes = {no = 0, yes = 1, "YES!" = 1}\nmissing = ["n/a", -9]'
    survey = load_survey(make_study(toml(battery, more="[clean]\nmin_answered = 0"), a__csv=text))
    expected = [[0, 1], [1, np.nan], [0, 0], [np.nan, 1], [np.nan, np.nan]]
    np.testing.assert_array_equal(survey.items.to_numpy(), expected)
    assert survey.codebook["q1"].missing == ("n/a", "-9")
    assert survey.codebook["q2"].missing == ("NA", "n/a", "-9")


def test_text_in_an_item_is_an_error_with_texts_and_rows_for_all_items_at_once(make_study) -> None:
    text = table("1,1,3", "2,a,4", "3,b,x", "4,a,1", "5,c,2", "6,d,2", "7,e,2", "8,f,2")
    with pytest.raises(DataError) as caught:
        load_survey(make_study(toml(), a__csv=text))
    message = str(caught.value)
    assert "a.csv: 2 problems in the answers:" in message
    assert "item q1 holds text: 'a' (rows 3 and 5), 'b' (row 4), 'c' (row 6)" in message
    assert "'e' (row 8) and 1 more. Give its battery codes" in message
    assert "item q2 holds text: 'x' (row 4)." in message


@pytest.mark.parametrize("word", ["inf", "nan", "1_000", "1,000", "٣"])
def test_what_only_python_takes_for_a_number_is_text(make_study, word: str) -> None:
    text = table("1;1;3", f"2;{word};4", "3;2;1", header="id;q1;q2")
    with pytest.raises(DataError, match="item q1 holds text"):
        load_survey(make_study(toml(), a__csv=text))


OUT = table("1,1,3", "2,9,4", "3,9,8", "4,5,1", "5,2,2")


def test_a_code_out_of_range_that_no_rule_covers_is_an_error(make_study) -> None:
    message = (
        r"item q1: 2 answers are outside 1 to 5: '9' \(rows 3 and 4\)\. List a code that means "
        r"no answer under missing.*out_of_range[\s\S]*"
        r"item q2: 1 answer is outside 1 to 5: '8' \(row 4\)"
    )
    with pytest.raises(DataError, match=message):
        load_survey(make_study(toml("range = [1, 5]"), a__csv=OUT))


def test_a_code_out_of_range_is_set_missing_with_a_line_for_each_respondent(make_study) -> None:
    battery = 'range = [1, 5]\nout_of_range = "missing"'
    survey = load_survey(make_study(toml(battery, more="[clean]\nmin_answered = 0"), a__csv=OUT))
    assert survey.n == survey.n_read == 5
    assert np.isnan(survey.items["q1"].to_numpy()).tolist() == [False, True, True, False, False]
    assert survey.ledger.to_numpy().tolist() == [
        ["2", "a.csv", 3, "range", "set missing", "q1 = 9 (outside 1 to 5)"],
        [
            "3",
            "a.csv",
            4,
            "range",
            "set missing",
            "q1 = 9 (outside 1 to 5); q2 = 8 (outside 1 to 5)",
        ],
    ]


def test_a_respondent_with_a_code_out_of_range_is_excluded_where_the_rule_says_so(
    make_study,
) -> None:
    battery = 'range = [1, 5]\nout_of_range = "exclude"'
    survey = load_survey(make_study(toml(battery), a__csv=OUT))
    assert survey.ids.tolist() == ["1", "4", "5"]
    assert survey.ledger["effect"].tolist() == ["excluded", "excluded"]
    assert survey.ledger["reason"].iloc[0] == "q1 = 9 (outside 1 to 5)"
    assert survey.n_read == 5


def test_a_text_that_is_not_among_the_codes_is_out_of_range(make_study) -> None:
    text = table("1,no,yes", "2,yes,no", "3,Yes,yes")
    codes = 'codes = ["no", "yes"]'
    message = r"item q1: 1 answer is not among the codes: 'Yes' \(row 4\)\. Did you mean 'yes'\?"
    with pytest.raises(DataError, match=message):
        load_survey(make_study(toml(codes), a__csv=text))
    rule = f'{codes}\nout_of_range = "missing"'
    survey = load_survey(make_study(toml(rule), a__csv=text))
    assert survey.ledger["reason"].tolist() == ["q1 = Yes (not among the codes)"]


def test_codes_that_fit_no_answer_at_all_are_an_error_whatever_the_rule(make_study) -> None:
    text = table("1,ja,nein", "2,nein,ja")
    rule = 'codes = ["no", "yes"]\nout_of_range = "missing"'
    with pytest.raises(DataError, match=r"item q1: 2 answers are not among the codes"):
        load_survey(make_study(toml(rule), a__csv=text))


def test_the_ends_of_the_scale_are_the_range_even_where_nobody_chose_them(make_study) -> None:
    text = table("1,2,3", "2,3,4", "3,4,2")
    survey = load_survey(make_study(toml('range = [1, 7]\nreverse = ["q2"]'), a__csv=text))
    item = survey.codebook["q2"]
    assert (item.low, item.high, item.reversed) == (1.0, 7.0, True)
    assert survey.items["q2"].tolist() == [3.0, 4.0, 2.0]
    assert survey.keyed_items()["q2"].tolist() == [5.0, 4.0, 6.0]


def test_guessed_ends_of_a_reversed_item_are_told(make_study) -> None:
    text = table("1,2,3", "2,3,4", "3,4,2")
    scale = '[[scales.scale]]\nname = "S"\nitems = ["q1", "q2"]\nreverse = ["q2"]'
    with pytest.warns(PsychosegWarning, match=r"reverse-keyed items 'q2' are not stated.*range"):
        survey = load_survey(make_study(toml(more=scale), a__csv=text))
    assert survey.codebook["q2"].reversed
    assert not survey.codebook["q1"].reversed
    assert (survey.codebook["q2"].low, survey.codebook["q2"].high) == (2.0, 4.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_survey(make_study(toml(), a__csv=text))


def test_value_labels_of_spss_give_the_ends_and_catch_what_is_outside(make_study, tmp_path) -> None:
    frame = pd.DataFrame({"id": [1.0, 2, 3, 4], "q1": [1.0, 2, 9, 5], "q2": [2.0, 3, 4, 4]})
    labels = {"q1": {1: "Never", 5: "Always", 9: "Don't know"}, "q2": {1: "Never", 5: "Always"}}
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "a.sav"),
        variable_value_labels=labels,
        column_labels={"q1": "How often?"},
    )
    text = toml("missing = [9]").replace("a.csv", "a.sav")
    survey = load_survey(make_study(text))
    item = survey.codebook["q1"]
    assert (item.label, item.low, item.high) == ("How often?", 1.0, 5.0)
    assert item.value_labels == {1.0: "Never", 5.0: "Always"}
    assert survey.ids.tolist() == ["1", "2", "3", "4"]
    assert np.isnan(survey.items.loc[2, "q1"])
    frame.loc[0, "q2"] = 7
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), variable_value_labels=labels)
    with pytest.raises(DataError, match=r"item q2: 1 answer is outside 1 to 5: '7' \(row 1\)"):
        load_survey(make_study(text))


def test_labels_come_from_battery_then_file_then_header_then_name(make_study) -> None:
    text = "id,q1,q2,q3,q4\n,Label 1,Label 2,Label 3,\n1,1,2,3,4\n2,2,3,4,5\n3,3,4,5,6\n4,4,5,6,7\n"
    study = make_study(
        toml('labels = {q1 = "Battery"}\nquestion = "Stem"', 'header_rows = 2\nlabels = "l.csv"'),
        a__csv=text,
        l__csv="name,label,question\nq1,File 1,\nq2,File 2,\nnobody,x,\n",
    )
    survey = load_survey(study)
    assert [survey.label(f"q{i}") for i in range(1, 5)] == ["Battery", "File 2", "Label 3", "q4"]
    assert survey.codebook["q3"].question == "Stem"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            "nme,label\nq1,x\n",
            r"l\.csv: a labels file needs the columns name and label; name is missing",
        ),
        ("name,label\nq1,x\nq1,y\n", r"l\.csv labels 'q1' more than once \(rows 2 and 3\)"),
    ],
)
def test_a_labels_file_without_its_columns_is_an_error(
    make_study, labels: str, message: str
) -> None:
    study = make_study(toml(data='labels = "l.csv"'), a__csv=OUT, l__csv=labels)
    with pytest.raises(DataError, match=message):
        load_survey(study)
