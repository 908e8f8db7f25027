"""Multiple-response sets: which options count as chosen, who counts as asked, what they are."""

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import DataError, StudyError
from psychoseg.features import build_features
from psychoseg.survey import load_survey

HEAD = """
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["q1", "q2"]
range = [1, 5]
"""
#: Two items that vary, so that nothing else is wrong with the answers.
ITEMS = [(1, 5), (2, 4), (3, 3), (4, 2), (5, 1), (1, 1)]


def csv_of(**columns):
    """Return a CSV of six respondents with two items and these columns."""
    names = ["id", "q1", "q2", *columns]
    rows = [
        [f"p{i}", str(q1), str(q2), *(str(values[i]) for values in columns.values())]
        for i, (q1, q2) in enumerate(ITEMS)
    ]
    return "\n".join(",".join(row) for row in [names, *rows]) + "\n"


def values_of(survey, name):
    return survey.columns[name].tolist()


@pytest.mark.parametrize(
    ("yes", "no"),
    [("1", "0"), ("Yes", "No"), ("Selected", "Not Selected"), ("Football", ""), ("x", ""),
     ("TRUE", "FALSE"), ("1", "")],
)  # fmt: skip
def test_an_option_is_chosen_unless_the_cell_says_otherwise(make_study, yes, no):
    a = [yes, yes, no, no, yes, no]
    b = [no, yes, yes, no, no, no]
    study = make_study(
        HEAD + '[[sets]]\nname = "sports"\ncolumns = ["a", "b"]', data__csv=csv_of(a=a, b=b)
    )
    survey = load_survey(study)
    # Three and five chose nothing: not asked, unless the study says otherwise.
    np.testing.assert_array_equal(values_of(survey, "a"), [1, 1, 0, np.nan, 1, np.nan])
    np.testing.assert_array_equal(values_of(survey, "b"), [0, 1, 1, np.nan, 0, np.nan])


def test_an_options_line_of_the_codebook_says_its_set(make_study):
    study = make_study(
        HEAD
        + '[[sets]]\nname = "sports"\nlabel = "Which sports?"\ncolumns = ["s_*"]\n'
        + 'labels = { s_a = "Athletics" }\nmissing = [9]\n',
        data__csv=csv_of(s_a=[1, 1, 0, 0, 1, 9], s_b=[1, 0, 1, 0, 1, 9]),
    )
    book = load_survey(study).codebook
    assert list(book) == ["id", "q1", "q2", "s_a", "s_b"]
    a = book["s_a"]
    assert (a.kind, a.role, a.block, a.question) == ("choice", "profile", "sports", "Which sports?")
    assert (a.label, a.missing) == ("Athletics", ("9",))
    assert book["s_b"].label == "s_b"


def test_cells_that_hold_the_options_name_label_it(make_study):
    study = make_study(
        HEAD + '[[sets]]\nname = "sports"\ncolumns = ["s1", "s2"]',
        data__csv=csv_of(s1=["Rowing", "", "", "", "Rowing", ""], s2=["", "Golf", "", "", "", ""]),
    )
    book = load_survey(study).codebook
    assert (book["s1"].label, book["s2"].label) == ("Rowing", "Golf")


def test_labels_come_from_the_labels_file_where_the_study_has_none(make_study):
    study = make_study(
        HEAD.replace('id = "id"', 'id = "id"\nlabels = "labels.csv"')
        + '[[sets]]\nname = "sports"\ncolumns = ["a", "b"]\nlabels = { a = "From the study" }',
        data__csv=csv_of(a=[1, 1, 0, 0, 1, 0], b=[0, 1, 1, 0, 0, 0]),
        labels__csv="name,label,question\na,Alpha,Which ones?\nb,Beta,Which ones?\n",
    )
    book = load_survey(study).codebook
    assert (book["a"].label, book["b"].label) == ("From the study", "Beta")
    assert {book[name].question for name in "ab"} == {"Which ones?"}


def test_whoever_chose_nothing_answers_where_none_is_an_answer(make_study):
    toml = HEAD + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\nnone = "answer"\nmissing = [9]\n'
    blank_is_no = csv_of(a=["1", "", "", "9", "1", ""], b=["", "1", "", "", "", ""])
    survey = load_survey(make_study(toml, data__csv=blank_is_no))
    np.testing.assert_array_equal(values_of(survey, "a"), [1, 0, 0, np.nan, 1, 0])
    np.testing.assert_array_equal(values_of(survey, "b"), [0, 1, 0, np.nan, 0, 0])


def test_blank_cells_are_no_answer_where_others_say_not_chosen(make_study):
    toml = HEAD + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\nnone = "answer"\n'
    spoken = csv_of(a=["1", "0", "", "0", "1", ""], b=["0", "1", "", "0", "0", ""])
    survey = load_survey(make_study(toml, data__csv=spoken))
    np.testing.assert_array_equal(values_of(survey, "a"), [1, 0, np.nan, 0, 1, np.nan])


def test_selected_says_which_codes_count(make_study):
    toml = HEAD + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\nselected = [1]\n'
    coded = csv_of(a=[1, 2, 2, 1, 2, 2], b=[2, 1, "1.0", 2, 2, ""])
    survey = load_survey(make_study(toml, data__csv=coded))
    np.testing.assert_array_equal(values_of(survey, "a"), [1, 0, 0, 1, np.nan, np.nan])
    np.testing.assert_array_equal(values_of(survey, "b"), [0, 1, 1, 0, np.nan, np.nan])


def test_two_codes_that_would_both_count_are_a_problem(make_study):
    toml = HEAD + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\n'
    study = make_study(toml, data__csv=csv_of(a=[1, 2, 2, 1, 2, 2], b=[2, 1, 1, 2, 2, 1]))
    with pytest.raises(DataError, match=r"set 's': in a '1' .*'2' .* would all count as chosen.*"):
        load_survey(study)


def test_a_set_of_which_nobody_chose_anything_is_a_problem(make_study):
    toml = HEAD + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\nselected = ["X"]\n'
    study = make_study(toml, data__csv=csv_of(a=[1, 2, 2, 1, 2, 2], b=[2] * 6))
    with pytest.raises(DataError, match=r"set 's': nobody chose anything; its columns hold '1'"):
        load_survey(study)


def test_categories_become_a_column_an_option(make_study):
    toml = (
        HEAD
        + '[[sets]]\nname = "media"\ncolumns = ["m1:m3"]\ncoding = "category"\nmissing = [99]\n'
        + 'labels = { 2 = "Radio", 1 = "TV" }\n'
    )
    data = csv_of(
        m1=["1", "2", "", "3", "99", "1"],
        m2=["2", "", "", "10", "", "1"],
        m3=["", "", "", "1.0", "", ""],
    )
    survey = load_survey(make_study(toml, data__csv=data))
    # Options in the order of the labels, then as numbers.
    assert list(survey.columns) == ["media=Radio", "media=TV", "media=3", "media=10"]
    np.testing.assert_array_equal(values_of(survey, "media=TV"), [1, 0, np.nan, 1, np.nan, 1])
    np.testing.assert_array_equal(values_of(survey, "media=Radio"), [1, 1, np.nan, 0, np.nan, 0])
    np.testing.assert_array_equal(values_of(survey, "media=10"), [0, 0, np.nan, 1, np.nan, 0])
    variable = survey.codebook["media=Radio"]
    assert (variable.label, variable.kind, variable.role) == ("Radio", "choice", "profile")
    assert (variable.block, variable.question) == ("media", "media")
    assert survey.codebook["m1"].role == "other"


def test_an_option_that_only_the_left_out_chose_is_no_column(make_study):
    toml = HEAD + '[[sets]]\nname = "m"\ncolumns = ["m1"]\ncoding = "category"\n'
    data = csv_of(m1=["A", "B", "A", "B", "A", "C"]).replace("p5,1,1,", "p5,,,")
    survey = load_survey(make_study(toml, data__csv=data))
    assert survey.n == 5
    assert list(survey.columns) == ["m=A", "m=B"]


def test_a_derived_name_that_the_file_has_is_a_problem(make_study):
    toml = HEAD + '[[sets]]\nname = "m"\ncolumns = ["m1"]\ncoding = "category"\n'
    data = csv_of(**{"m1": ["A", "B"] * 3, "m=A": [1] * 6})
    with pytest.raises(DataError, match=r"set 'm': its options would be called 'm=A'"):
        load_survey(make_study(toml, data__csv=data))


def test_all_that_is_wrong_with_sets_and_texts_comes_at_once(make_study):
    toml = (
        HEAD
        + '[[columns]]\nname = "age"\n'
        + '[[sets]]\nname = "s"\ncolumns = ["a", "q1", "nothing*"]\nlabels = { z = "Z" }\n'
        + '[[sets]]\nname = "s"\ncolumns = ["a", "age", "id"]\n'
        + '[[texts]]\ncolumn = "why"\n[[texts]]\ncolumn = "a"\n[[texts]]\ncolumn = "q2"\n'
        + '[[texts]]\ncolumn = "wy"\n[[texts]]\ncolumn = "why"\n'
        + '[[jobs]]\nlabel = "J"\nimportance = "q3"\nsatisfaction = "why"\n'
    )
    data = csv_of(a=[1, 0] * 3, age=[20, 30] * 3, why=["x"] * 6)
    with pytest.raises(StudyError) as error:
        load_survey(make_study(toml, data__csv=data))
    text = str(error.value)
    for piece in (
        "sets[1].columns: no column fits 'nothing*'",
        "sets[1].columns: 'q1' is also an item",
        "sets[1].labels: 'z' is not one of the columns of the set",
        "sets[2].columns: 'age' is also one of [[columns]]",
        "sets[2].columns: 'id' is also the id of the respondents",
        "sets[2].columns: 'a' already belong to sets[1]",
        "sets[2].name: 's' is the name of sets[1] too",
        "texts[2].column: 'a' is also in one of [[sets]]",
        "texts[3].column: 'q2' is also an item",
        "texts[4].column: no column 'wy'. Did you mean 'why'?",
        "texts[5].column: 'why' is in an earlier [[texts]]",
        "jobs[1].importance: no column 'q3'",
        "jobs[1].satisfaction: 'why' is neither an item nor one of [[columns]]",
    ):
        assert piece in text
    assert "has 13 problems" in text


def test_options_are_kept_for_the_right_people_through_exclusions_and_a_merge(make_study):
    toml = (
        HEAD
        + '[[merge]]\nfile = "more.csv"\nid = "id"\nunmatched = "keep"\n'
        + '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\nnone = "answer"\n'
        + '[[texts]]\ncolumn = "why"\n'
    )
    data = csv_of(z=[0] * 6).replace("p2,3,3,", "p2,,,")
    more = "id,b,a,why\np5,1,,five\np0,,1,zero\np1,,,one\np2,1,1,two\np4,,1,\n"
    survey = load_survey(make_study(toml, data__csv=data, more__csv=more))
    assert survey.ids.tolist() == ["p0", "p1", "p3", "p4", "p5"]
    # p3 is not in the merged file: no answer, not "chose nothing".
    np.testing.assert_array_equal(values_of(survey, "a"), [1, 0, np.nan, 1, 0])
    np.testing.assert_array_equal(values_of(survey, "b"), [0, 0, np.nan, 0, 1])
    assert survey.texts["why"].tolist() == ["zero", "one", "", "", "five"]


def test_shuffled_rows_and_columns_change_nothing_but_the_order(make_study):
    toml = (
        HEAD
        + '[[sets]]\nname = "m"\ncolumns = ["m*"]\ncoding = "category"\n[[texts]]\ncolumn = "why"\n'
    )
    frame = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(6)],
            "q1": [q for q, _ in ITEMS],
            "q2": [q for _, q in ITEMS],
            "m1": ["B", "A", "", "C", "B", "A"],
            "m2": ["A", "", "", "B", "", "C"],
            "why": list("uvwxyz"),
        }
    )
    first = load_survey(make_study(toml, data__csv=frame.to_csv(index=False)))
    turned = frame.iloc[[3, 1, 5, 0, 2, 4], [5, 4, 0, 3, 2, 1]]
    second = load_survey(make_study(toml, data__csv=turned.to_csv(index=False)))
    place = [second.ids.tolist().index(i) for i in first.ids]
    assert list(first.columns) == list(second.columns)
    pd.testing.assert_frame_equal(first.columns, second.columns.iloc[place].reset_index(drop=True))
    pd.testing.assert_frame_equal(first.texts, second.texts.iloc[place].reset_index(drop=True))


def test_options_form_no_segments(make_study):
    toml = HEAD + (
        '[[columns]]\nname = "age"\nuse = "active"\ntype = "numeric"\n'
        '[[sets]]\nname = "s"\ncolumns = ["a", "b"]\n'
    )
    data = csv_of(a=[1, 0] * 3, b=[1] * 6, age=[20, 31, 42, 53, 64, 75])
    features = build_features(load_survey(make_study(toml, data__csv=data)), None)
    assert list(features.table) == ["age"]
    assert features.complete.all()


def test_sets_of_an_spss_file_give_labels_and_the_code_that_counts(make_study, shared_data):
    cola = (shared_data / "06_spss_sav/displayr/Cola.sav").read_bytes()
    study = make_study(
        '[data]\nfile = "data.sav"\n[[items]]\ncolumns = ["Q26_1:Q26_10"]\n'
        '[[sets]]\nname = "Children"\ncolumns = ["Q30_A:Q30_H"]\n',
        data__sav=cola,
    )
    survey = load_survey(study)
    book = survey.codebook
    assert {book[f"Q30_{c}"].question for c in "ABCDEFGH"} == {"Q30. Children in household"}
    assert all(book[f"Q30_{c}"].kind == "choice" for c in "ABCDEFGH")
    chosen = survey.columns[[f"Q30_{c}" for c in "ABCDEFGH"]].to_numpy()
    # Counted in the file itself: 1 is the set's counted value.
    raw, _ = pyreadstat.read_sav(str(study.folder / "data.sav"))
    there = raw.index.isin(np.asarray([int(i) - 1 for i in survey.ids]))
    expected = (raw.loc[there, [f"Q30_{c}" for c in "ABCDEFGH"]] == 1).sum().tolist()
    assert np.nansum(chosen, axis=0).tolist() == expected
    assert sum(expected) > 0
