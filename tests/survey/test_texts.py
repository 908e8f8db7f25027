"""Open questions, and the jobs that a labels file tags."""

import pandas as pd
import pytest

from psychoseg.errors import DataError, StudyError
from psychoseg.spreadsheet import harmless_frame
from psychoseg.survey import load_survey
from psychoseg.survey.jobs import tagged_jobs
from tests.survey.test_sets import HEAD, csv_of

LABELLED = HEAD.replace('id = "id"', 'id = "id"\nlabels = "labels.csv"')


def test_texts_are_kept_as_written_with_nothing_for_no_answer(make_study):
    study = make_study(
        HEAD
        + '[[texts]]\ncolumn = "why"\nlabel = "Why?"\nmissing = ["n/a", 99]\n'
        + '[[texts]]\ncolumn = "else"\n',
        data__csv=csv_of(
            why=["n/a", '"a, b"', "99", "NA", "  caf\u00e9 ", "None"],
            **{"else": ["=1+1", "", "x", "y", "z", "5"]},
        ),
    )
    survey = load_survey(study)
    assert survey.texts["why"].tolist() == ["", "a, b", "", "", "caf\u00e9", "None"]
    assert survey.texts["else"].tolist() == ["=1+1", "", "x", "y", "z", "5"]
    assert list(survey.texts) == ["why", "else"]
    why = survey.codebook["why"]
    assert (why.label, why.kind, why.role) == ("Why?", "text", "other")
    assert {"n/a", "99"} <= set(why.missing)
    assert "why" not in survey.columns


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_was_made_harmless_for_a_spreadsheet_comes_back(make_study, tmp_path, ending):
    texts = ["=1+1", "'=1+1", "@x", "-3.5", "'tis", "+4 or so"]
    frame = pd.DataFrame(
        {
            "id": ["=p1", "-p2", "p3", "p4", "p5", "p6"],
            "q1": [1, 2, 3, 4, 5, 1],
            "q2": [5, 4, 3, 2, 1, 1],
            "@why": texts,
        }
    )
    safe = harmless_frame(frame)
    assert safe["'@why"].tolist()[:3] == ["'=1+1", "''=1+1", "'@x"]
    study = make_study(HEAD.replace("data.csv", f"data.{ending}") + '[[texts]]\ncolumn = "@why"\n')
    if ending == "csv":
        safe.to_csv(tmp_path / "data.csv", index=False)
    else:
        safe.to_excel(tmp_path / "data.xlsx", index=False)
    survey = load_survey(study)
    assert survey.texts["@why"].tolist() == texts
    assert survey.ids.tolist() == frame["id"].tolist()


def test_without_texts_there_is_an_empty_table(make_study):
    survey = load_survey(make_study(HEAD, data__csv=csv_of()))
    assert survey.texts.shape[1] == 0


def test_tagged_pairs_are_jobs_in_the_order_of_the_file(make_study):
    study = make_study(
        LABELLED,
        data__csv=csv_of(),
        labels__csv=(
            "name,label,job,measure,kind\n"
            "q2,Satisfied,Stay fit,Satisfaction,\n"
            "x,Other,,,text\n"
            "q1,Important,Stay fit,importance,\n"
            "q1b,I,Sleep well,importance,job\nq2b,S,Sleep well,satisfaction,Job\n"
        ),
    )
    first, second = tagged_jobs(study)
    assert (first.label, first.importance, first.satisfaction) == ("Stay fit", "q1", "q2")
    assert (first.kind, second.kind) == ("outcome", "job")
    assert (second.label, second.importance, second.satisfaction) == ("Sleep well", "q1b", "q2b")


def test_a_labels_file_without_tags_has_no_jobs(make_study):
    study = make_study(
        LABELLED, data__csv=csv_of(), labels__csv="name,label,kind,measure\nq1,One,x,scale\n"
    )
    assert tagged_jobs(study) == ()
    assert tagged_jobs(make_study(HEAD, data__csv=csv_of())) == ()


def test_all_that_is_wrong_with_tags_comes_at_once(make_study):
    study = make_study(
        LABELLED + '[[jobs]]\nlabel = "Own"\nimportance = "q1"\nsatisfaction = "q2"\n',
        data__csv=csv_of(),
        labels__csv=(
            "name,label,job,measure,kind\n"
            "a,A,Half,importance,\n"
            "b,B,Twice,importance,\nc,C,Twice,importance,\nd,D,Twice,satisfaction,\n"
            "e,E,Typo,importence,\n"
            "f,F,Own,importance,\ng,G,Own,satisfaction,\n"
            "h,H,,satisfaction,\n"
            "i,I,Kinds,importance,job\nj,J,Kinds,satisfaction,outcome\n"
            "k,K,Kind,importance,jobb\nl,L,Kind,satisfaction,\n"
        ),
    )
    with pytest.raises(DataError) as error:
        tagged_jobs(study)
    text = str(error.value)
    for piece in (
        "labels.csv: 7 problems with its jobs",
        "job 'Half' has no row with measure satisfaction",
        "job 'Twice' has 2 rows with measure importance: 'b' and 'c'",
        "labels.csv, row 6 (e): measure 'importence' should be importance or satisfaction",
        "job 'Own' is in [[jobs]] of the study as well",
        "labels.csv, row 9 (h): measure 'satisfaction' without a job",
        "job 'Kinds' is a job in one row and an outcome in another",
        "labels.csv, row 12 (k): kind 'jobb' should be job or outcome",
    ):
        assert piece in text


def test_a_tagged_column_must_be_one_that_the_study_uses(make_study):
    study = make_study(
        LABELLED,
        data__csv=csv_of(w=[1, 2, 3, 4, 5, 5]),
        labels__csv=("name,label,job,measure\nq1,A,J,importance\nw,B,J,satisfaction\n"),
    )
    with pytest.raises(StudyError, match=r"job 'J', satisfaction: 'w' is neither an item nor"):
        load_survey(study)
