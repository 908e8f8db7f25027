"""Jobs: importance, satisfaction and opportunity in every segment."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import StudyError
from psychoseg.profiles.jobs import job_table
from psychoseg.profiles.sample import Sample
from psychoseg.study_report import Job
from psychoseg.survey.table import Survey, Variable
from tests.test_profiles import make_survey

SAVE = Job(label="Save time", importance="imp", satisfaction="sat", kind="job")


def item(name: str, *, labels: dict[float, str] | None = None, turned: bool = False) -> Variable:
    return Variable(
        name, name, "item", "likert", low=1, high=5, value_labels=labels or {}, reversed=turned
    )


def survey_of(
    answers: dict[str, list[float]],
    *,
    book: dict[str, Variable] | None = None,
    columns: pd.DataFrame | None = None,
) -> Survey:
    n = len(next(iter(answers.values())))
    made = make_survey(pd.DataFrame(index=range(n)) if columns is None else columns, np.ones(n))
    items = {name: item(name) for name in answers} | (book or {})
    return replace(
        made, items=pd.DataFrame(answers, dtype=float), codebook={**made.codebook, **items}
    )


def sample_of(labels: list[int], weights: np.ndarray | None = None) -> Sample:
    w = np.ones(len(labels)) if weights is None else weights
    n = max(labels)
    return Sample(tuple(range(1, n + 1)), np.array(labels), w, True, (), np.arange(len(labels)))


def scores(survey: Survey, labels: list[int], *jobs: Job, min_base: int = 1) -> pd.DataFrame:
    return job_table(survey, sample_of(labels), jobs or (SAVE,), min_base).set_index("segment")


def test_opportunity_is_importance_and_what_satisfaction_lacks_of_it() -> None:
    """Ulwick (2005, chapter 3): importance 8.0, satisfaction 4.0 is an opportunity of 12."""
    answers = {
        "imp": [5, 4, 5, 4, 1, 1, 1, 1, 5, 1, 5],
        "sat": [4, 5, 1, 2, 3, 5, 5, 5, 5, 1, np.nan],
    }
    found = scores(survey_of(answers), [1] * 5 + [2] * 5 + [1])
    columns = ["importance", "satisfaction", "opportunity", "base"]
    np.testing.assert_allclose(
        found[columns].to_numpy(float), [[5, 6, 5, 10], [8, 4, 12, 5], [2, 8, 2, 5]], atol=1e-12
    )
    assert found["label"].tolist() == ["Save time"] * 3
    assert set(found["kind"]) == {"job"}
    assert (found["low"] <= found["opportunity"]).all()
    assert (found["opportunity"] <= found["high"]).all()


def test_a_reverse_keyed_item_is_turned_first() -> None:
    answers = {"imp": [1, 2, 1, 5], "sat": [5, 5, 5, 1]}
    survey = survey_of(answers, book={"imp": item("imp", turned=True)})
    found = scores(survey, [1] * 4).iloc[0]
    # Answers 1 and 2 are the important ones, and are satisfied: opportunity is importance alone.
    assert (found["importance"], found["opportunity"]) == (pytest.approx(7.5), pytest.approx(7.5))


def test_the_labelled_codes_of_a_reverse_keyed_item_are_turned_too() -> None:
    """Turned, its answers are 5, 2 and 1: the upper two of them are 5 and 2."""
    labels = {1.0: "Very", 4.0: "Hardly", 5.0: "No"}
    survey = survey_of(
        {"imp": [1, 4, 5, 5], "sat": [1, 1, 1, 1]},
        book={"imp": item("imp", labels=labels, turned=True)},
    )
    assert scores(survey, [1] * 4)["importance"].iloc[0] == pytest.approx(5)


@pytest.mark.parametrize(
    ("labels", "share"),
    [
        ({}, 0.4),
        ({1.0: "Not at all", 5.0: "Very"}, 0.4),
        ({1.0: "No", 3.0: "Somewhat", 5.0: "Very"}, 0.4),
        ({c: str(c) for c in (1.0, 2.0, 3.0, 4.0, 5.0)}, 0.4),
    ],
)
def test_the_upper_two_answers_are_four_and_five_whichever_have_labels(labels, share) -> None:
    answers = {"imp": [1, 2, 3, 4, 5], "sat": [1, 2, 3, 4, 5]}
    survey = survey_of(answers, book={"imp": item("imp", labels=labels)})
    assert scores(survey, [1] * 5)["importance"].iloc[0] == pytest.approx(10 * share)


def test_codes_in_larger_steps_are_taken_as_labelled() -> None:
    answers = {"imp": [1, 3, 3, 5], "sat": [1, 1, 1, 1]}
    survey = survey_of(answers, book={"imp": item("imp", labels={1: "No", 3: "So", 5: "Yes"})})
    assert scores(survey, [1] * 4)["importance"].iloc[0] == pytest.approx(7.5)


def test_a_given_top_counts_from_there_for_both() -> None:
    survey = survey_of({"imp": [1, 2, 3, 4, 5], "sat": [1, 1, 1, 3, 3]})
    job = SAVE.model_copy(update={"top": 3.0})
    found = scores(survey, [1] * 5, job).iloc[0]
    assert (found["importance"], found["satisfaction"]) == (pytest.approx(6), pytest.approx(4))


def slider(high: float) -> Survey:
    answers = {"imp": [0.0, 50.0, 79.0, 80.0, high], "sat": [0.0, 100.0, 20.0, 80.0, 90.0]}
    book = {name: replace(item(name), low=0, high=high) for name in answers}
    return survey_of(answers, book=book)


def test_a_slider_has_no_upper_two_answers_and_says_so() -> None:
    with pytest.raises(StudyError) as error:
        scores(slider(100.0), [1] * 5)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert "importance = 'imp': which answers are its upper two is not known" in lines[0]
    assert "(it holds 0 to 100)" in lines[0]
    assert lines[0].endswith("Add top = the lowest answer that counts, such as top = 75.")
    found = scores(slider(100.0), [1] * 5, SAVE.model_copy(update={"top": 80.0})).iloc[0]
    assert (found["importance"], found["satisfaction"]) == (pytest.approx(4), pytest.approx(6))


@pytest.mark.parametrize(("steps", "known"), [(11, True), (12, False)])
def test_eleven_answers_have_an_upper_two_and_twelve_do_not(steps: int, known: bool) -> None:
    answers = {"imp": [0.0, 9.0, 10.0], "sat": [0.0, 1.0, 2.0]}
    book = {name: replace(item(name), low=0, high=steps - 1) for name in answers}
    survey = survey_of(answers, book=book)
    if known:
        assert scores(survey, [1] * 3)["importance"].iloc[0] == pytest.approx(20 / 3)
    else:
        with pytest.raises(StudyError, match="Add top = "):
            scores(survey, [1] * 3)


@pytest.mark.parametrize(("top", "who"), [(6, "nobody"), (1, "everybody"), (-3, "everybody")])
def test_a_top_by_which_nobody_or_everybody_counts_is_told_with_the_range(top, who) -> None:
    survey = survey_of({"imp": [2, 3, 4], "sat": [2, 3, 4]})
    with pytest.raises(StudyError) as error:
        scores(survey, [1] * 3, SAVE.model_copy(update={"top": float(top)}))
    said = f"with top = {top} {who} would count: its answers are 1 to 5. Choose top above 1 and "
    assert said + "at most 5." in str(error.value).splitlines()[0]


@pytest.mark.parametrize("top", [2, 5])
def test_the_highest_answer_and_the_second_lowest_are_possible_tops(top) -> None:
    # Though nobody gave them: the range is that of the question.
    survey = survey_of({"imp": [2, 3, 4], "sat": [2, 3, 4]})
    found = scores(survey, [1] * 3, SAVE.model_copy(update={"top": float(top)})).iloc[0]
    assert found["importance"] == (10 if top == 2 else 0)


def test_the_range_of_a_numeric_column_is_what_it_holds() -> None:
    columns = pd.DataFrame({"spend": [1.0, 20.0, 300.0]})
    survey = survey_of({"imp": [1, 2, 3], "sat": [1, 2, 3]}, columns=columns)
    job = Job(label="B", importance="spend", satisfaction="imp", top=301.0)
    with pytest.raises(StudyError, match="its answers are 1 to 300"):
        scores(survey, [1] * 3, job)


def test_the_table_says_which_answers_counted() -> None:
    steps = ("Low", "Middle", "High", "Very high")
    columns = pd.DataFrame({"need": pd.Categorical(["Low", "High", "Very high", None], steps)})
    survey = survey_of(
        {"imp": [1, 2, 3, 4], "sat": [5, 5, 5, 5]},
        columns=columns,
        book={"sat": item("sat", turned=True)},
    )
    line = replace(survey.codebook["need"], kind="ordinal", categories=steps)
    survey = replace(survey, codebook={**survey.codebook, "need": line})
    need = SAVE.model_copy(update={"importance": "need"})
    last = need.model_copy(update={"top": 4.0})
    found = scores(survey, [1] * 4, SAVE, need, last)
    assert found.loc[1, "top"].tolist() == [
        "important: 4 or more, satisfied: 4 or more (answers turned)",
        "important: 'High' or more, satisfied: 4 or more (answers turned)",
        "important: 'Very high', satisfied: 4 or more (answers turned)",
    ]
    # A top counts categories from 1: the fourth is the last.
    assert found.loc[1, "importance"].tolist()[1:] == [pytest.approx(20 / 3), pytest.approx(10 / 3)]


def test_ordinal_columns_count_by_their_last_two_categories() -> None:
    steps = ("Low", "Middle", "High", "Very high")
    columns = pd.DataFrame({"need": pd.Categorical(["Low", "High", "Very high", None], steps)})
    survey = survey_of({"imp": [1, 2, 3, 4], "sat": [5, 5, 5, 5]}, columns=columns)
    line = replace(survey.codebook["need"], kind="ordinal", categories=steps)
    survey = replace(survey, codebook={**survey.codebook, "need": line})
    job = SAVE.model_copy(update={"importance": "need"})
    found = scores(survey, [1] * 4, job).iloc[0]
    assert found["importance"] == pytest.approx(10 * 2 / 3)
    assert found["base"] == 3


def test_a_score_on_too_few_people_is_hidden_and_so_is_its_base() -> None:
    answers = {"imp": [5, 4, 5, 4, 1, 2, 3, 5, 4], "sat": [4, 5, 1, 2, np.nan, 1, 3, 5, 1]}
    found = scores(survey_of(answers), [1, 1, 1, 1, 2, 2, 3, 3, 3], min_base=2)
    # The third too, or the score of all less those shown would be the second's.
    assert found["hidden"].tolist() == [False, False, True, True]
    figures = ["importance", "satisfaction", "opportunity", "low", "high", "base"]
    assert found.loc[2:, figures].isna().all(axis=None)
    assert found.loc[:1, figures].notna().all(axis=None)


def test_a_weight_of_three_is_three_people() -> None:
    rng = np.random.default_rng(1)
    answers = {name: rng.integers(1, 6, 60).astype(float) for name in ("imp", "sat")}
    labels, times = rng.integers(1, 3, 60), rng.integers(1, 4, 60)
    weighted = job_table(survey_of(answers), sample_of(list(labels), times * 1.0), [SAVE], 1)
    repeated = job_table(
        survey_of({name: np.repeat(x, times) for name, x in answers.items()}),
        sample_of(list(np.repeat(labels, times))),
        [SAVE],
        1,
    )
    pd.testing.assert_frame_equal(
        weighted.drop(columns="base"), repeated.drop(columns="base"), rtol=1e-10
    )


def test_jobs_keep_the_order_of_the_study_within_each_segment() -> None:
    survey = survey_of({"imp": [1, 5, 5], "sat": [1, 5, 5], "imp2": [5, 5, 5]})
    other = Job(label="Feel safe", importance="imp2", satisfaction="sat")
    found = scores(survey, [1, 1, 2], SAVE, other)
    assert found.index.tolist() == [0, 0, 1, 1, 2, 2]
    assert found["label"].tolist() == ["Save time", "Feel safe"] * 3
    assert found["kind"].tolist() == ["job", "outcome"] * 3


def test_all_that_is_wrong_is_told_at_once() -> None:
    columns = pd.DataFrame({"spend": [1.0, 20.0, 300.0], "city": pd.Categorical(["a", "b", "a"])})
    survey = survey_of({"imp": [1, 2, 3], "sat": [1, 2, 3]}, columns=columns)
    jobs = [
        Job(label="A", importance="impp", satisfaction="sat"),
        Job(label="B", importance="spend", satisfaction="city"),
    ]
    with pytest.raises(StudyError) as error:
        scores(survey, [1, 1, 1], *jobs)
    lines = str(error.value).splitlines()
    assert "'A', importance = 'impp'" in lines[0]
    assert "Did you mean 'imp'?" in lines[0]
    assert "it holds 1 to 300" in lines[1]
    assert "such as top = 226" in lines[1]
    assert "its answers have no order" in lines[2]
    assert len(lines) == 3


def test_no_jobs_are_an_empty_table_with_its_columns() -> None:
    found = job_table(survey_of({"imp": [1.0]}), sample_of([1]), (), 10)
    assert found.empty
    assert "opportunity" in found.columns
