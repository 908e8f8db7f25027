"""What cannot end well is said before anything is read, and where a folder is no run, what is."""

import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg import DataError, StudyError
from psychoseg.cli import main
from psychoseg.run_folder import read_run

STUDY = """
[data]
file = "there_is_no_such_file.csv"
[[items]]
columns = ["q1:q5"]
{more}
"""


def study_with(folder, more):
    (folder / "study.toml").write_text(STUDY.format(more=more), encoding="utf-8")
    return folder


def test_a_template_that_is_none_is_refused_before_the_data_are_read(tmp_path):
    (tmp_path / "client.pptx").write_text("no zip", encoding="utf-8")
    study = study_with(tmp_path, '[report]\ntemplate = "client.pptx"')
    with pytest.raises(StudyError, match=r"client\.pptx cannot be read as a PowerPoint file"):
        psychoseg.run(study)
    # Where no deck is asked for it does not matter, and the missing data are what is wrong.
    with pytest.raises(StudyError, match="there_is_no_such_file"):
        psychoseg.run(study, formats=["html"])


def test_pseudonyms_without_a_key_are_refused_before_the_data_are_read(tmp_path, monkeypatch):
    monkeypatch.delenv("PSYCHOSEG_KEY", raising=False)
    study = study_with(tmp_path, '[export]\nids = "pseudonym"')
    with pytest.raises(StudyError, match="PSYCHOSEG_KEY"):
        psychoseg.run(study)


def test_a_previous_run_that_is_not_there_is_refused_even_without_names(tmp_path):
    study = study_with(tmp_path, '[segments]\nprevious = "runs/nope"')
    with pytest.raises(StudyError, match="runs/nope is not a run folder"):
        psychoseg.run(study)


def test_a_finished_run_is_not_a_study(tmp_path):
    study_with(tmp_path, "")
    manifest = '{"versions": {"psychoseg": "0.1.0"}}'
    (tmp_path / "manifest.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(StudyError, match="is a finished run, not a study"):
        psychoseg.run(tmp_path)


def test_one_format_is_answered_with_the_list_it_should_be(tmp_path):
    study = study_with(tmp_path, '[report]\nformats = "html"')
    with pytest.raises(StudyError, match=r"'html' should be a list, such as \[\"html\"\]"):
        psychoseg.run(study)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nope", "is not there"),
        (lambda folder: folder, "has no manifest.json"),
        (lambda folder: folder / "study.toml", "is a file, not a run folder"),
    ],
)
def test_what_is_no_run_is_told_without_python(tmp_path, make, message):
    study_with(tmp_path, "")
    with pytest.raises(DataError, match=message) as caught:
        read_run(make(tmp_path))
    assert "Errno" not in str(caught.value)


def test_the_runs_of_a_study_folder_are_named(tmp_path):
    run = study_with(tmp_path, "") / "runs" / "first"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"Did you mean .*runs/first\?"):
        read_run(tmp_path)


def test_a_format_that_there_is_not_is_refused_by_both_commands(tmp_path, capsys):
    study = str(study_with(tmp_path, ""))
    for command in ("run", "report"):
        assert main([command, study, "--format", "docx"]) == 2
        assert "no report format 'docx'" in capsys.readouterr().err


@pytest.fixture
def without_segments(tmp_path, monkeypatch):
    """Return a function that runs a study with data, and fails where it comes to segments."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 1)) + 0.7 * rng.normal(size=(80, 6))
    frame = pd.DataFrame(np.clip(np.round(x + 3), 1, 5), columns=[f"q{i}" for i in range(1, 7)])
    frame["plan"] = rng.choice(["Basic", "Plus"], 80)
    frame.astype({c: int for c in frame.columns[:6]}).to_csv(tmp_path / "data.csv", index=False)

    def too_late(*_, **__):
        raise AssertionError("the segments were begun")

    monkeypatch.setattr("psychoseg.runs.fit_segments", too_late)

    def run(more):
        text = STUDY.replace("there_is_no_such_file", "data").replace("q5", "q6")
        text = text.format(more='[scales]\nn_factors = 1\n[[columns]]\nname = "plan"\n' + more)
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        return psychoseg.run(tmp_path)

    return run


@pytest.mark.parametrize(
    ("wants", "message"),
    [
        ('{ prize = "high" }', "'Offer', wants.prize: there is no scale or column"),
        ('{ plan = "Premium" }', "'plan' has no such answer"),
    ],
)
def test_an_offer_for_what_is_not_there_is_refused_before_the_segments(
    without_segments, wants, message
):
    with pytest.raises(StudyError, match=message):
        without_segments(f'[[actions]]\nname = "Offer"\nwants = {wants}')


def test_an_offer_for_what_is_there_goes_on(without_segments):
    with pytest.raises(AssertionError, match="the segments were begun"):
        without_segments('[[actions]]\nname = "Offer"\nwants = { plan = "Plus" }')


def test_a_job_with_a_top_that_nobody_can_reach_is_refused_before_the_segments(without_segments):
    job = '[[jobs]]\nlabel = "Save"\nimportance = "q1"\nsatisfaction = "q2"\ntop = 9'
    with pytest.raises(StudyError, match="top = 9"):
        without_segments(job)
