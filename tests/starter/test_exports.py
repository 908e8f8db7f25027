"""Exports as survey platforms write them: header rows, grids, check-all questions, paradata."""

import json

import numpy as np
import openpyxl

from psychoseg.starter import draft_study, write_study
from psychoseg.study import load_study
from tests.starter.made import AGREE, battery_rows, ratings, write_csv

N = 90


def names_left_out(text: str) -> str:
    return text.split("what is left out", 1)[1]


def test_qualtrics_three_header_rows(tmp_path, runs):
    x = ratings(N, items=6, reverse=[4])
    rng = np.random.default_rng(2)
    columns = {
        "StartDate": ("Start Date", "startDate"),
        "EndDate": ("End Date", "endDate"),
        "IPAddress": ("IP Address", "ipAddress"),
        "Duration (in seconds)": ("Duration (in seconds)", "duration"),
        "Finished": ("Finished", "finished"),
        "ResponseId": ("Response ID", "_recordId"),
        "RecipientEmail": ("Recipient Email", "recipientEmail"),
        **{f"Q1_{j}": (f"How far do you agree? - Statement {j}", f"QID1_{j}") for j in range(1, 7)},
        **{f"Q2_{j + 1}": (f"Which do you own? - {o}", f"QID2_{j}")
           for j, o in enumerate(["A car", "A bicycle", "A boat"])},
        "Q3": ("What is your gender?", "QID3"),
        "Q4": ("Anything else?", "QID4_TEXT"),
    }  # fmt: skip
    rows: list[list[object]] = [
        list(columns),
        [label for label, _ in columns.values()],
        [json.dumps({"ImportId": qid}) for _, qid in columns.values()],
    ]
    for i in range(N):
        owned = [o if rng.random() < 0.5 else "" for o in ("A car", "A bicycle", "A boat")]
        rows.append(
            [
                "2026-03-01 10:00:00", f"2026-03-01 10:{i % 60:02d}:11", f"192.0.2.{i}",
                300 + 7 * i, "True", f"R_3kQ{i:04d}xYz", f"person{i}@example.org",
                *(AGREE[v - 1] for v in x[i]), *owned, ["Woman", "Man"][i % 2],
                f"I would like to see more of number {i} please",
            ]
        )  # fmt: skip
    path = write_csv(tmp_path / "qualtrics.csv", rows)
    study, survey = runs(path)
    draft = draft_study(path)
    assert study.data.header_rows == 3
    assert study.data.id == "ResponseId"
    assert study.quality.duration == ("Duration (in seconds)",)
    assert study.items[0].columns == ("Q1_1:Q1_6",)
    assert study.items[0].question == "How far do you agree?"
    assert study.items[0].labels["Q1_3"] == "Statement 3"
    assert study.items[0].codes == tuple(AGREE)
    assert study.items[0].reverse == ("Q1_5",)
    assert [s.columns for s in study.sets] == [("Q2_1:Q2_3",)]
    assert [t.column for t in study.texts] == ["Q4"]
    assert [c.name for c in study.columns] == ["Q3"]
    for name in ("IPAddress", "RecipientEmail", "StartDate", "Finished"):
        assert name in names_left_out(draft.text)
        assert name not in survey.columns.columns
    assert survey.n_read == N


def test_qualtrics_older_export_with_two_header_rows(tmp_path, runs):
    x = ratings(N, items=4)
    head = [*(f"V{i}" for i in range(1, 6)), *(f"Q1_{j}" for j in range(1, 5))]
    second = ["ResponseID", "IPAddress", "StartDate", "EndDate", "Finished"]
    second += [f"How true is it?-Row {j}" for j in range(1, 5)]
    rows = [[f"R_9H2nl{i:04d}", f"192.0.2.{i}", "2016-05-27 11:33:34", "2016-05-27 11:40:00", 1,
             *x[i].tolist()] for i in range(N)]  # fmt: skip
    study, _ = runs(write_csv(tmp_path / "legacy.csv", [head, second, *rows]))
    assert study.data.header_rows == 2
    assert study.data.id == "V1"
    assert study.items[0].labels == {f"Q1_{j}": f"Row {j}" for j in range(1, 5)}


def test_surveymonkey_two_header_rows(tmp_path, runs):
    x = ratings(N, items=5)
    rng = np.random.default_rng(3)
    first = ["RespondentID", "How far do you agree with each?", "", "", "", "",
             "Which do you use? Check all that apply.", "", "", "Your age"]  # fmt: skip
    second = ["", *(f"Statement {j}" for j in range(1, 6)), "Train", "Bus", "Tram", "Response"]
    rows = [
        [
            3292879000 + i,
            *(AGREE[v - 1] for v in x[i]),
            *(o if rng.random() < 0.6 else "" for o in ("Train", "Bus", "Tram")),
            ["18-29", "30-44", "45-60", "> 60"][i % 4],
        ]
        for i in range(N)
    ]
    study, survey = runs(write_csv(tmp_path / "monkey.csv", [first, second, *rows]))
    assert study.data.header_rows == 2
    assert study.data.id == "RespondentID"
    assert study.items[0].question == "How far do you agree with each?"
    assert survey.items.shape == (N, 5)
    assert study.columns[0].type == "ordinal"
    assert study.columns[0].order == ("18-29", "30-44", "45-60", "> 60")
    assert len(study.sets) == 1


def test_google_forms_grids_and_lists(tmp_path, runs):
    x = ratings(N, items=4)
    rng = np.random.default_rng(4)
    rows_of_grid = ["Rock", "Pop", "Jazz", "Folk"]
    head = ["Timestamp", "Email Address", *(f"How do you like it? [{r}]" for r in rows_of_grid),
            "Which devices do you own?", "Gender"]  # fmt: skip
    rows = []
    for i in range(N):
        devices = [d for d in ("Phone", "Tablet", "Laptop", "Watch") if rng.random() < 0.6]
        rows.append(
            [f"3/{1 + i % 28}/2026 10:00:{i % 60:02d}", f"p{i}@example.org",
             *(AGREE[v - 1] for v in x[i]), ", ".join(devices), ["Female", "Male"][i % 2]]
        )  # fmt: skip
    path = write_csv(tmp_path / "forms.csv", [head, *rows])
    study, survey = runs(path)
    assert study.items[0].question == "How do you like it?"
    assert study.items[0].labels == {f"How do you like it? [{r}]": r for r in rows_of_grid}
    assert list(survey.items.columns) == head[2:6]
    out = names_left_out(draft_study(path).text)
    assert "Timestamp" in out
    assert "Email Address" in out
    assert "?? Which devices do you own?: several choices in one cell" in out.replace("\n# ", " ")


def test_numbers_with_decimal_commas_and_semicolons(tmp_path, runs):
    head, *rows = battery_rows(N)
    table = [[*head, "weight"], *([*r, f"{0.5 + (i % 11) / 10:.2f}".replace(".", ",")]
                                  for i, r in enumerate(rows))]  # fmt: skip
    study, survey = runs(write_csv(tmp_path / "comma.csv", table, delimiter=";"))
    assert study.data.decimal == ","
    assert study.weights is not None
    assert study.weights.column == "weight"
    assert survey.weights.std() > 0.1


def test_utf16_and_names_in_any_script(tmp_path, runs):
    head, *rows = battery_rows(N)
    head = ["id", *(f"вопрос_{j}" for j in range(1, 7)), "возраст", "пол"]
    study, _ = runs(write_csv(tmp_path / "u16.csv", [head, *rows], encoding="utf-16"))
    assert study.items[0].columns == ("вопрос_1:вопрос_6",)


def test_the_sheet_with_the_answers_is_found(tmp_path, runs):
    book = openpyxl.Workbook()
    cover = book.active
    cover.title = "About"
    cover.append(["What", "Value"])
    cover.append(["Title", "A survey"])
    sheet = book.create_sheet("Answers 2026")
    for row in battery_rows(N):
        sheet.append(row)
    path = tmp_path / "two.xlsx"
    book.save(path)
    study, survey = runs(path)
    assert study.data.sheet == "Answers 2026"
    assert survey.items.shape == (N, 6)


def test_a_second_row_of_wordings_is_a_header(tmp_path, runs):
    head, *rows = battery_rows(N)
    wordings = [
        "Respondent",
        *(f"I like thing number {j}" for j in range(1, 7)),
        "Your age",
        "Gender",
    ]
    study, survey = runs(write_csv(tmp_path / "worded.csv", [head, wordings, *rows]))
    assert study.data.header_rows == 2
    assert survey.label("att_2") == "I like thing number 2"


def test_hostile_names_and_answers_stay_text(tmp_path, runs):
    head, *rows = battery_rows(N)
    names = ['a"b', "c\\d", "e # f", "[g]", "h = 1", "i\tj"]
    head = ["id", *(f"{name} {k}" for k, name in enumerate(names)), "plan", "gender"]
    rows = [[*r[:7], ['"x"', "y\\n", "# ?? z"][i % 3], r[8]] for i, r in enumerate(rows)]
    study, survey = runs(write_csv(tmp_path / "hostile.csv", [head, *rows]))
    assert list(survey.items.columns) == head[1:7]
    assert {c.name for c in study.columns} == {"plan", "gender"}


def test_a_study_elsewhere_names_the_file_from_there(tmp_path):
    path = write_csv(tmp_path / "survey.csv", battery_rows(N))
    written = write_study(path, out=tmp_path / "a" / "b")
    assert written == tmp_path / "a" / "b" / "study.toml"
    assert load_study(written).data.file == "../../survey.csv"
    assert load_study(write_study(path)).data.file == "survey.csv"
