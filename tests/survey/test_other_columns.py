"""Columns beside the items: numeric, categorical, their order and labels."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.survey import Survey, load_survey


def load(make_study, values: list[str], settings: str = "", data: str = "") -> Survey:
    rows = "\n".join(f"{i % 5 + 1},{value}" for i, value in enumerate(values))
    toml = f"""
[data]
file = "a.csv"
{data}
[[items]]
columns = ["q1"]
[[columns]]
name = "x"
{settings}
"""
    return load_survey(make_study(toml, a__csv=f"q1,x\n{rows}\n"))


def categories(survey: Survey) -> list[str]:
    assert isinstance(survey.columns["x"].dtype, pd.CategoricalDtype)
    assert list(survey.columns["x"].cat.categories) == list(survey.codebook["x"].categories)
    assert survey.codebook["x"].kind == "categorical"
    return list(survey.columns["x"].cat.categories)


def test_numbers_without_labels_are_numeric(make_study) -> None:
    survey = load(make_study, ["1", "2", "", "1.5"])
    np.testing.assert_array_equal(survey.columns["x"], [1.0, 2.0, np.nan, 1.5])
    assert survey.codebook["x"].kind == "numeric"


def test_text_is_categorical_and_sorted(make_study) -> None:
    survey = load(make_study, ["m", " f", "", "None", "f"])
    assert categories(survey) == ["None", "f", "m"]
    assert survey.columns["x"].isna().tolist() == [False, False, True, False, False]


def test_labelled_codes_are_categorical_in_code_order(make_study) -> None:
    settings = 'labels = {"10" = "Ten", "9" = "Nine", "2" = "Two"}'
    survey = load(make_study, ["10", "2.0", "9", "9.0", "3"], settings)
    assert categories(survey) == ["Two", "3", "Nine", "Ten"]
    assert survey.columns["x"].tolist() == ["Ten", "Two", "Nine", "Nine", "3"]


def test_codes_with_one_label_are_one_category_at_the_lowest_of_them(make_study) -> None:
    settings = 'labels = {"1" = "Low", "2" = "Mid", "3" = "Low"}'
    assert categories(load(make_study, ["2", "3", "1", "3"], settings)) == ["Low", "Mid"]


def test_many_numbers_with_a_labelled_few_stay_numeric(make_study) -> None:
    values = [str(i) for i in range(20, 40)]
    survey = load(make_study, values, 'labels = {"20" = "Twenty or less"}')
    assert survey.codebook["x"].kind == "numeric"
    labels = "labels = {" + ", ".join(f'"{v}" = "L{v}"' for v in values) + "}"
    assert categories(load(make_study, values, labels)) == [f"L{v}" for v in values]


def test_numbers_can_be_declared_categories_and_sort_as_numbers(make_study) -> None:
    survey = load(make_study, ["10", "9", "2", "2.0"], 'type = "categorical"')
    assert categories(survey) == ["2", "9", "10"]


def test_the_order_given_is_kept_by_text_code_or_label(make_study) -> None:
    settings = (
        'order = ["3", "Low", "2", "Never chosen"]\nlabels = {"1" = "Low", "9" = "Never chosen"}'
    )
    survey = load(make_study, ["1.0", "2", "3", "3"], settings)
    assert categories(survey) == ["3", "Low", "2"]
    assert survey.columns["x"].cat.ordered


def test_an_order_with_an_unknown_category_is_an_error(make_study) -> None:
    message = (
        r"column x: its order lists 'mid', which is no answer in the file\. Did you mean 'middle'\?"
    )
    with pytest.raises(DataError, match=message):
        load(make_study, ["low", "middle", "high"], 'order = ["low", "mid", "high"]')


def test_categories_left_out_of_the_order_come_last_with_a_warning(make_study) -> None:
    with pytest.warns(PsychosegWarning, match=r"column x: its order leaves out 'a' and 'b'"):
        survey = load(make_study, ["b", "low", "a", "high"], 'order = ["low", "high"]')
    assert categories(survey) == ["low", "high", "a", "b"]


def test_missing_codes_of_a_column_are_no_answers(make_study) -> None:
    survey = load(make_study, ["1", "99", "n/a", "2"], 'missing = [99, "n/a"]')
    np.testing.assert_array_equal(survey.columns["x"], [1.0, np.nan, np.nan, 2.0])
    assert survey.codebook["x"].missing == ("99", "n/a")


def test_text_in_a_numeric_column_is_an_error(make_study) -> None:
    message = r"column x holds text: 'old' \(row 3\)\. List it under the column's missing"
    with pytest.raises(DataError, match=message):
        load(make_study, ["30", "old", "40"], 'type = "numeric"')


def test_many_numbers_and_a_few_texts_are_a_number_with_text_in_it(make_study) -> None:
    with pytest.raises(DataError, match=r"column x holds text: 'old' \(row 22\)"):
        load(make_study, [*map(str, range(20, 40)), "old"])


def test_more_categories_than_a_profile_shows_are_told(make_study) -> None:
    with pytest.warns(PsychosegWarning, match=r"column x has 31 categories"):
        load(make_study, [f"text {i}" for i in range(31)])


@pytest.mark.parametrize(
    ("values", "what"),
    [(["1", "1", "1"], "is the same for everybody"), (["", "", ""], "has no answers")],
)
def test_a_constant_active_column_is_an_error(make_study, values: list[str], what: str) -> None:
    with pytest.raises(
        DataError, match=rf"active column x {what} among the 3 respondents.*profile"
    ):
        load(make_study, values, 'use = "active"')
    if values[0]:
        assert load(make_study, values).columns["x"].tolist() == [1.0, 1.0, 1.0]
    else:
        with pytest.warns(PsychosegWarning, match="column x has no answers"):
            load(make_study, values)


def test_categories_of_the_excluded_only_are_dropped_but_known_to_the_order(make_study) -> None:
    toml = """
[data]
file = "a.csv"
[[items]]
columns = ["q1"]
[[columns]]
name = "x"
order = ["gone", "b", "a"]
"""
    survey = load_survey(make_study(toml, a__csv="q1,x\n1,a\n2,b\n,gone\n3,a\n"))
    assert survey.ids.tolist() == ["1", "2", "4"]
    assert categories(survey) == ["b", "a"]


def test_the_measure_level_of_spss_decides(make_study, tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "q1": [1.0, 2, 3, 4],
            "sex": [2.0, 1, 2, 1],
            "rank": [3.0, 1, 2, 2],
            "kids": [1.0, 2, 1, 0],
        }
    )
    labels = {"sex": {1: "Zoe", 2: "Adam"}, "kids": {0: "none", 1: "one", 2: "two"}}
    measures = {"sex": "nominal", "rank": "ordinal", "kids": "scale"}
    pyreadstat.write_sav(
        frame, str(tmp_path / "a.sav"), variable_value_labels=labels, variable_measure=measures
    )
    columns = "".join(f'[[columns]]\nname = "{n}"\n' for n in measures)
    survey = load_survey(
        make_study(f'[data]\nfile = "a.sav"\n[[items]]\ncolumns = ["q1"]\n{columns}')
    )
    assert survey.codebook["sex"].categories == ("Zoe", "Adam")
    assert survey.codebook["rank"].categories == ("1", "2", "3")
    assert survey.columns["rank"].cat.ordered
    assert not survey.columns["sex"].cat.ordered
    assert survey.codebook["kids"].kind == "numeric"
    assert survey.codebook["q1"].kind == "likert"


def test_an_ordinal_column_keeps_its_order_and_block(make_study) -> None:
    settings = 'type = "ordinal"\norder = ["low", "mid", "high"]\nblock = "schooling"'
    survey = load(make_study, ["mid", "high", "low", "low"], settings)
    variable = survey.codebook["x"]
    assert (variable.kind, variable.block) == ("ordinal", "schooling")
    assert variable.categories == ("low", "mid", "high")
    assert survey.columns["x"].cat.codes.tolist() == [1, 2, 0, 0]
    assert survey.codebook["q1"].block == ""


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        (["10", "9", "2", "9"], ""),
        (["1", "0", "2", "0"], 'labels = {"0" = "low", "1" = "mid", "2" = "high"}'),
        (["mid", "low", "high"], 'labels = {"low" = "Low", "mid" = "Mid", "high" = "High"}'),
    ],
)
def test_an_ordinal_column_may_take_its_order_from_numbers_or_labels(
    make_study, values: list[str], settings: str
) -> None:
    survey = load(make_study, values, f'type = "ordinal"\n{settings}')
    assert survey.codebook["x"].kind == "ordinal"
    assert survey.columns["x"].cat.ordered
    if not settings:
        assert survey.codebook["x"].categories == ("2", "9", "10")
    else:
        assert [c.lower() for c in survey.codebook["x"].categories] == ["low", "mid", "high"]


def test_an_ordinal_column_of_texts_without_an_order_is_an_error(make_study) -> None:
    message = r"""column x: type = "ordinal" takes an order of its answers \('high', 'low'"""
    with pytest.raises(DataError, match=message):
        load(make_study, ["low", "mid", "high"], 'type = "ordinal"')


def test_columns_are_of_the_block_demographics_unless_the_study_says_otherwise(make_study) -> None:
    assert load(make_study, ["1", "2", "3"]).codebook["x"].block == "demographics"
