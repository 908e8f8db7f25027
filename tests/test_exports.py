"""Respondents for other programs: what goes out, what SPSS gets of it, and what becomes of ids."""

import csv
import hashlib
import hmac
import json
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.exports import check_export, write_respondents
from psychoseg.run_folder import Run
from psychoseg.spreadsheet import unharmed
from psychoseg.study import load_study
from psychoseg.survey import load_survey
from psychoseg.survey.sav import MAX_NAME, SavColumn, read_sav, spss_names, write_sav

KEY = "a secret of sixteen signs or more"
NAMES = {1: "=Urban \u00c4chievers", 2: "Calm planners"}
ADDED = ["segment", "certainty", "scale_1", "map_1", "map_2", "weight_used", "left_out"]
#: What an SPSS file says of its columns and what must come through an export.
KEPT = (
    "column_names_to_labels",
    "missing_ranges",
    "variable_measure",
    "variable_display_width",
    "original_variable_types",
)


def made_run(folder: Path, toml: str) -> Run:
    """Load a study; put people into two segments by turns, the last of them into none."""
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    study = load_study(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        survey = load_survey(study)
    n = survey.n
    labels = np.arange(n) % 2 + 1
    labels[-1] = 0
    gap = pd.DataFrame(
        [[survey.ids.iloc[-1], "", "", "segments", "excluded", "no value for Age"]],
        columns=survey.ledger.columns,
    )
    survey = replace(survey, ledger=pd.concat([survey.ledger, gap], ignore_index=True))
    certainty = np.where(labels > 0, 0.5 + np.arange(n) / (4 * n), np.nan)
    segments = SimpleNamespace(
        labels=pd.Series(labels),
        points=pd.DataFrame({"map_1": np.arange(n) / 7, "map_2": -np.arange(n) / 7}),
        point_of=np.arange(n)[::-1],
        silhouette=pd.Series(np.full(n, 0.2)),
        certainty=pd.Series(certainty),
    )
    scales = SimpleNamespace(
        table=pd.DataFrame({"scale": ["scale_1"], "label": ["Sociability"]}),
        scores=pd.DataFrame({"scale_1": np.arange(n) / 3}),
    )
    files = [study.data, *study.merge]
    manifest = {
        "study_folder": "..",
        "inputs": [
            {"file": f.file, "sha256": hashlib.sha256((folder / f.file).read_bytes()).hexdigest()}
            for f in files
        ],
    }
    return Run(
        folder=folder / "runs",
        study=study,
        survey=survey,
        scales=scales,  # type: ignore[arg-type]
        segments=segments,  # type: ignore[arg-type]
        profiles=SimpleNamespace(  # type: ignore[arg-type]
            personas=pd.DataFrame({"segment": list(NAMES), "name": list(NAMES.values())})
        ),
        warnings=pd.DataFrame(),
        agreement=None,
        manifest=manifest,
    )


TOML = """
[data]
file = "data.csv"
id = "Respondent no."
[[merge]]
file = "more.csv"
id = "who"
[[items]]
columns = ["q1", "q2"]
range = [1, 5]
missing = [9]
labels = { q1 = "I like company" }
[[columns]]
name = "sex"
label = "Gender"
type = "categorical"
labels = { 1 = "Female", 2 = "Male" }
[weights]
column = "w"
"""
DATA = """\
Respondent no.,q1,q2,sex,w,copy,why did you come?,Q1,zip
007,1,5,1,1.5,7,=1+1,1,01234
=cmd,2,4,2,0.5,=cmd,because,2,81101
A3,9,3,1,1,a3,"a; ""b"", c",3,99999
A4,4,2,2,1,A4,,4,12345
A5,,9,1,1,A5,nothing,5,00001
A6,5,1,2,1,A6,x,6,4
"""
MORE = "who,who_again,age\nA6,A6,30\nA5,A5,20\nA4,A4,44\nA3,A3,\n=cmd,=cmd,31.5\n007,007,18\n"


@pytest.fixture
def csv_run(tmp_path):
    (tmp_path / "data.csv").write_text(DATA, encoding="utf-8")
    (tmp_path / "more.csv").write_text(MORE, encoding="utf-8")
    return made_run(tmp_path, TOML)


def with_ids(run, ids):
    export = run.study.export.model_copy(update={"ids": ids})
    return replace(run, study=run.study.model_copy(update={"export": export}))


def pseudonym(text):
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:20]


def read_back(path):
    return pyreadstat.read_sav(str(path), user_missing=True, disable_datetime_conversion=True)


def written(run, folder, formats=("sav",)):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        write_respondents(run, folder, formats)
    return read_back(folder / "respondents.sav") if "sav" in formats else None


def test_only_the_formats_asked_for_are_written(csv_run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    assert write_respondents(csv_run, out, ("html", "xlsx")) == []
    assert write_respondents(csv_run, out, ("csv", "html")) == [out / "respondents.csv"]
    assert write_respondents(csv_run, out, ("sav",)) == [out / "respondents.sav"]
    assert sorted(p.name for p in out.iterdir()) == ["respondents.csv", "respondents.sav"]


def test_the_csv_has_who_is_in_a_segment_harmless_for_a_spreadsheet(csv_run, tmp_path):
    write_respondents(csv_run, tmp_path, ("csv",))
    with (tmp_path / "respondents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = csv_run.respondents
    assert [unharmed(row["id"]) for row in rows] == found["id"].tolist()
    assert "'=cmd" in [row["id"] for row in rows]
    assert {row["segment_name"] for row in rows} == {"'=Urban \u00c4chievers", "Calm planners"}
    assert [float(row["map_2"]) for row in rows] == found["map_2"].tolist()
    assert any(row["map_2"].startswith("-") for row in rows)


def test_the_sav_of_a_csv_study_has_the_original_columns_and_what_was_found(csv_run, tmp_path):
    frame, meta = written(csv_run, tmp_path)
    # Names that SPSS does not take are made such, with the old one as the label.
    assert list(frame) == [
        "Respondent_no", "q1", "q2", "sex", "w", "copy", "why_did_you_come", "Q1_2", "zip",
        "who_again", "age", *ADDED,
    ]  # fmt: skip
    labels = meta.column_names_to_labels
    assert labels["Respondent_no"] == "Respondent no."
    assert labels["why_did_you_come"] == "why did you come?"
    assert (labels["q1"], labels["Q1_2"]) == ("I like company", "Q1")
    assert (labels["sex"], labels["scale_1"]) == ("Gender", "Scale: Sociability")
    assert frame["Respondent_no"].tolist() == ["007", "=cmd", "A3", "A4", "A5", "A6"]
    assert frame["zip"].tolist() == ["01234", "81101", "99999", "12345", "00001", "4"]
    assert frame["why_did_you_come"].tolist() == [
        "=1+1",
        "because",
        'a; "b", c',
        "",
        "nothing",
        "x",
    ]
    np.testing.assert_array_equal(frame["q1"], [1, 2, 9, 4, np.nan, 5])
    np.testing.assert_array_equal(frame["age"], [18, 31.5, np.nan, 44, 20, 30])
    assert meta.missing_ranges["q1"] == [{"lo": 9.0, "hi": 9.0}]
    assert meta.variable_value_labels["sex"] == {1.0: "Female", 2.0: "Male"}
    measure = meta.variable_measure
    assert (measure["q1"], measure["sex"], measure["w"]) == ("ordinal", "nominal", "scale")


def test_segments_scores_weights_and_reasons_stand_beside_the_right_respondents(csv_run, tmp_path):
    frame, meta = written(csv_run, tmp_path)
    # A5 answered nothing (9 is no answer), A6 is in no segment: both are kept, without a segment.
    np.testing.assert_array_equal(frame["segment"], [1, 2, 1, 2, np.nan, np.nan])
    assert meta.variable_value_labels["segment"] == {float(k): v for k, v in NAMES.items()}
    assert meta.variable_measure["segment"] == "nominal"
    assert frame["left_out"].tolist()[:4] == [""] * 4
    assert "answered" in frame["left_out"][4]
    assert frame["left_out"][5] == "no value for Age"
    position = {i: p for p, i in enumerate(csv_run.survey.ids)}
    for i, row in zip(["007", "=cmd", "A3", "A4"], frame.to_dict("records"), strict=False):
        p = position[i]
        assert row["certainty"] == csv_run.segments.certainty[p]
        assert row["scale_1"] == csv_run.scales.scores["scale_1"][p]
        assert row["weight_used"] == csv_run.survey.weights[p]
        point = csv_run.segments.points.iloc[csv_run.segments.point_of[p]]
        assert (row["map_1"], row["map_2"]) == (point["map_1"], point["map_2"])
    assert np.isnan(frame["weight_used"][4])


def test_original_columns_keep_their_names_before_added_ones(tmp_path):
    data = DATA.replace("copy", "segment").replace("zip", "Certainty")
    (tmp_path / "data.csv").write_text(data, encoding="utf-8")
    (tmp_path / "more.csv").write_text(MORE, encoding="utf-8")
    frame, meta = written(made_run(tmp_path, TOML), tmp_path)
    assert frame["segment"].tolist()[1] == "=cmd"
    np.testing.assert_array_equal(frame["segment_2"], [1, 2, 1, 2, np.nan, np.nan])
    assert meta.column_names_to_labels["segment_2"] == "Segment"
    assert "certainty_2" in frame


def test_the_same_run_gives_the_same_bytes(csv_run, tmp_path):
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_respondents(csv_run, tmp_path / name, ("csv", "sav"))
        files.append([(tmp_path / name / f"respondents.{x}").read_bytes() for x in ("csv", "sav")])
    assert files[0] == files[1]
    assert files[0][1][92:109] == b"01 Jan 7000:00:00"


def test_pseudonyms_are_the_keyed_hash_everywhere_the_id_stands(csv_run, tmp_path, monkeypatch):
    monkeypatch.setenv("PSYCHOSEG_KEY", KEY)
    run = with_ids(csv_run, "pseudonym")
    frame, _ = written(run, tmp_path, ("csv", "sav"))
    ids = ["007", "=cmd", "A3", "A4", "A5", "A6"]
    expected = [pseudonym(i) for i in ids]
    assert frame["Respondent_no"].tolist() == expected
    # "copy" holds 7 for 007 and a3 for A3; "who_again" comes from the merged file.
    assert frame["copy"].tolist() == expected
    assert frame["who_again"].tolist() == expected
    content = (tmp_path / "respondents.csv").read_text(encoding="utf-8")
    assert pseudonym("=cmd") in content
    assert "cmd" not in content
    with (tmp_path / "respondents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [pseudonym(i) for i in csv_run.respondents["id"]]


def test_dropped_ids_leave_no_column_that_holds_them(csv_run, tmp_path):
    frame, _ = written(with_ids(csv_run, "drop"), tmp_path, ("csv", "sav"))
    assert not {"Respondent_no", "copy", "who_again"} & set(frame)
    assert frame["why_did_you_come"].tolist()[1] == "because"
    head = (tmp_path / "respondents.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("weight,scale_1,")


@pytest.mark.parametrize("value", [None, "", "  "])
def test_pseudonyms_without_a_key_are_refused(csv_run, tmp_path, monkeypatch, value):
    monkeypatch.delenv("PSYCHOSEG_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("PSYCHOSEG_KEY", value)
    run = with_ids(csv_run, "pseudonym")
    for formats in (("csv",), ("sav",)):
        with pytest.raises(StudyError, match="PSYCHOSEG_KEY is not set"):
            write_respondents(run, tmp_path, formats)
    with pytest.raises(StudyError, match="PSYCHOSEG_KEY is not set"):
        check_export(run.study)
    assert not (tmp_path / "respondents.csv").exists()
    check_export(csv_run.study)


def test_a_short_key_is_told(csv_run, monkeypatch):
    monkeypatch.setenv("PSYCHOSEG_KEY", "secret")
    with pytest.warns(PsychosegWarning, match="has 6 signs and can be found by trying"):
        check_export(with_ids(csv_run, "pseudonym").study)


def test_a_file_that_is_gone_or_has_changed_is_one_clear_error(csv_run, tmp_path):
    more = tmp_path / "more.csv"
    more.write_text(MORE + "A7,A7,50\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"more\.csv has changed since the run"):
        write_respondents(csv_run, tmp_path, ("sav",))
    more.unlink()
    with pytest.raises(DataError, match=r"more\.csv is not there any more"):
        write_respondents(csv_run, tmp_path, ("sav",))
    assert not (tmp_path / "respondents.sav").exists()
    write_respondents(csv_run, tmp_path, ("csv",))


def test_a_run_read_back_finds_the_files_from_its_folder(csv_run, tmp_path):
    # As read_run gives it: the study's folder is the run's own.
    study = csv_run.study.model_copy(update={"folder": tmp_path / "runs"})
    frame, _ = written(replace(csv_run, study=study), tmp_path)
    assert len(frame) == 6


@pytest.fixture
def spss_run(tmp_path, shared_data):
    source = shared_data / "06_spss_sav/displayr/Mobiles_feedback_4_weeks.sav"
    (tmp_path / "data.sav").write_bytes(source.read_bytes())
    toml = (
        '[data]\nfile = "data.sav"\n[[items]]\ncolumns = ["Q12_1:Q12_6"]\n'
        '[[sets]]\nname = "Race"\ncolumns = ["Q6_1_r:Q6_8_r"]\n[[texts]]\ncolumn = "Q9"\n'
    )
    return made_run(tmp_path, toml)


def test_an_spss_file_comes_back_whole_with_the_columns_added(spss_run, tmp_path):
    with pytest.warns(PsychosegWarning, match="not SPSS's definitions of these sets"):
        write_respondents(spss_run, tmp_path, ("sav",))
    frame, meta = read_back(tmp_path / "respondents.sav")
    before, was = read_back(tmp_path / "data.sav")
    assert list(frame) == [*before, *ADDED]
    pd.testing.assert_frame_equal(frame[list(before)], before)
    for what in KEPT:
        there = getattr(meta, what)
        assert {n: v for n, v in there.items() if n in before} == getattr(was, what), what
    assert {
        n: v for n, v in meta.variable_value_labels.items() if n in before
    } == was.variable_value_labels
    assert was.missing_ranges
    assert was.variable_value_labels
    assert any(form.startswith("DATE") for form in was.original_variable_types.values())
    assert len(frame) == spss_run.survey.n_read > spss_run.survey.n
    assert frame["segment"].notna().sum() == spss_run.survey.n - 1
    assert (frame["left_out"] != "").sum() == spss_run.survey.n_read - spss_run.survey.n + 1


@pytest.mark.parametrize(
    "name",
    [
        "displayr/Cola.sav", "displayr/Colas.sav", "codebook_export/spss27.sav",
        "codebook_export/spss_variable_types.sav", "haven/datetime.sav", "haven/umlauts.sav",
        "haven/labelled-str.sav", "pyreadstat/simple_alltypes.sav", "pyreadstat/sample_missing.sav",
        "pyreadstat/missing_char.sav", "pyreadstat/hebrews.sav", "pyreadstat/tegulu.sav",
    ],
)  # fmt: skip
def test_every_kind_of_spss_file_is_written_as_it_was(shared_data, tmp_path, name):
    source = shared_data / "06_spss_sav" / name
    found = read_sav(source)
    out = tmp_path / "out.sav"
    write_sav(found.columns, out, label=found.label, notes=found.notes)
    before, was = read_back(source)
    frame, meta = read_back(out)
    pd.testing.assert_frame_equal(frame, before)
    for what in (*KEPT, "file_label", "notes"):
        assert getattr(meta, what) == getattr(was, what), what
    # As text, since the code "not a number" differs from itself.
    assert str(meta.variable_value_labels) == str(was.variable_value_labels)


def test_the_frame_of_a_file_says_what_a_second_reading_says(csv_run, tmp_path):
    written(csv_run, tmp_path)
    columns = read_sav(tmp_path / "respondents.sav").columns
    write_sav(columns, tmp_path / "again.sav")
    assert (tmp_path / "again.sav").read_bytes() == (tmp_path / "respondents.sav").read_bytes()


HAVEN = """
frame <- haven::read_sav(commandArgs(TRUE)[1], user_na = TRUE)
# Days since 1970 and seconds since then, as SPSS's seconds since 14 October 1582.
as_spss <- function(x) {
  if (inherits(x, "Date")) return(round((as.numeric(x) + 141428) * 86400))
  if (inherits(x, "POSIXct")) return(round(as.numeric(x) + 141428 * 86400))
  unclass(x)
}
text <- function(x) if (is.null(x)) "" else as.character(x)
cat(jsonlite::toJSON(lapply(frame, function(x) list(
  label = text(attr(x, "label")),
  codes = as.character(unname(attr(x, "labels"))),
  labels = text(names(attr(x, "labels"))),
  missing = as.character(attr(x, "na_values")),
  values = ifelse(is.na(unclass(x)), "", as.character(as_spss(x)))
)), auto_unbox = FALSE))
"""


@pytest.mark.parametrize("which", ["csv_run", "spss_run"])
def test_haven_reads_the_same_values_and_labels(which, request, rscript, tmp_path):
    run = request.getfixturevalue(which)
    frame, meta = written(run, tmp_path)
    program = tmp_path / "read.R"
    program.write_text(HAVEN, encoding="utf-8")
    done = subprocess.run(
        [rscript, str(program), str(tmp_path / "respondents.sav")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    seen = json.loads(done.stdout)
    assert list(seen) == list(frame)
    for name, column in seen.items():
        assert column["label"] == [meta.column_names_to_labels[name] or ""], name
        ours = meta.variable_value_labels.get(name, {})
        theirs = zip(column["codes"], column["labels"], strict=False)
        numeric = pd.api.types.is_float_dtype(frame[name].dtype)
        assert {float(c) if numeric else c: t for c, t in theirs if column["codes"]} == ours, name
        if numeric:
            values = [float(v) if v else np.nan for v in column["values"]]
            # R prints 15 digits.
            np.testing.assert_allclose(values, frame[name], rtol=1e-14, err_msg=name)
        else:
            assert column["values"] == frame[name].tolist(), name
        missing = [r["lo"] for r in meta.missing_ranges.get(name, []) if r["lo"] == r["hi"]]
        assert [float(m) for m in column["missing"]] == missing, name
    assert seen["segment"]["labels"] == list(NAMES.values())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "A", "a_2"], ["a", "A_3", "a_2"]),
        (["1st", "Q 1", "Q-1", ""], ["v1st", "Q_1", "Q_1_2", "v"]),
        (["to", "BY", "end."], ["to_", "BY_", "end"]),
        (["$sys", "#scratch", "@at", "_x"], ["sys", "scratch", "at", "x"]),
        (["\u00e4" * 40], ["\u00e4" * 32]),
        (["\u00fcber", "\u65e5\u672c"], ["\u00fcber", "\u65e5\u672c"]),
        (["Q1.a", "x#$@"], ["Q1.a", "x#$@"]),
        (["=cmd|' /C calc'!A0"], ["cmd_C_calc_A0"]),
    ],
)
def test_names_are_made_such_as_spss_takes(names, expected):
    assert spss_names(names) == expected


@given(st.lists(st.text(max_size=80), max_size=12))
def test_any_names_become_different_ones_that_the_format_takes(names):
    found = spss_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert all(0 < len(name.encode()) <= MAX_NAME for name in found)
    assert spss_names(found) == found


@pytest.mark.parametrize("name", ["a" * 300, "\u00e9 " * 40, "<b>x</b>", "\U0001f600", "\u0660x"])
def test_odd_names_are_written_and_read(tmp_path, name):
    path = tmp_path / "x.sav"
    write_sav([SavColumn(name, pd.Series([1.0, np.nan]))], path)
    frame, meta = read_back(path)
    assert list(frame) == spss_names([name])
    assert name.startswith(meta.column_labels[0] or "")


def test_long_texts_and_labels_are_cut_where_the_format_ends(tmp_path):
    path = tmp_path / "x.sav"
    long = "\u00e9" * 20_000
    columns = [
        SavColumn("t", pd.Series([long, "short"], dtype="str"), label="\u00e9" * 200),
        SavColumn("n", pd.Series([1.0, 2.0]), value_labels={1.0: "\u00e9" * 100}),
    ]
    with pytest.warns(PsychosegWarning, match=r"32767 bytes .* cut in x\.sav: 't'"):
        write_sav(columns, path)
    frame, meta = read_back(path)
    assert frame["t"].tolist() == ["\u00e9" * 16_383, "short"]
    assert meta.column_labels[0] == "\u00e9" * 128
    assert meta.variable_value_labels["n"] == {1.0: "\u00e9" * 60}


def test_more_missing_codes_than_spss_takes_become_no_answer(tmp_path):
    (tmp_path / "data.csv").write_text(DATA.replace("A6,5,", "A6,8,"), encoding="utf-8")
    (tmp_path / "more.csv").write_text(MORE, encoding="utf-8")
    run = made_run(tmp_path, TOML.replace("missing = [9]", "missing = [6, 7, 8, 9]"))
    frame, meta = written(run, tmp_path)
    np.testing.assert_array_equal(frame["q1"], [1, 2, np.nan, 4, np.nan, np.nan])
    assert "q1" not in meta.missing_ranges
