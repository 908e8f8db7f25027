"""Public survey files, read without touching them by hand."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.study import Study
from psychoseg.survey import Survey, load_survey


def load(folder: Path, data: dict[str, object], items: dict[str, object], **more: object) -> Survey:
    return load_survey(
        Study.model_validate({"folder": folder, "data": data, "items": [items], **more})
    )


def test_cola_with_labels_ends_and_categories_of_spss(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "06_spss_sav/displayr/Cola.sav", "id": "URLID"},
        {"columns": ["Q25_1:Q25_29"]},
        columns=[{"name": "Q12"}, {"name": "Q28"}],
    )
    assert survey.items.shape == (327, 29)
    item = survey.codebook["Q25_4"]
    assert item.label == "Q25. I am the life of the party"
    assert (item.low, item.high) == (1.0, 5.0)
    assert item.value_labels[5.0] == "Strongly agree"
    assert survey.codebook["Q12"].categories[0] == "Every or nearly every day"
    assert survey.codebook["Q12"].categories[-1] == "Never"


def test_mobiles_user_missing_codes(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "06_spss_sav/displayr/Mobiles_feedback_4_weeks.sav"},
        {"columns": ["Q12_1:Q12_6"]},
        columns=[{"name": "Q1"}, {"name": "Duration__in_seconds_"}],
    )
    item = survey.codebook["Q12_1"]
    assert (item.low, item.high, item.missing) == (1.0, 5.0, ("6",))
    assert survey.items.max().max() == 5.0
    assert survey.n < survey.n_read == 895
    assert survey.codebook["Q1"].categories == ("Male", "Female")
    assert survey.codebook["Duration__in_seconds_"].kind == "numeric"


def test_star_wars_two_header_rows_and_text_codes(shared_data: Path) -> None:
    file = "11_platform_exports/surveymonkey_fivethirtyeight/star-wars-survey/StarWars.csv"
    steps = [
        "Very un",
        "Somewhat un",
        "Neither favorably nor unfavorably (neutral)",
        "Somewhat ",
        "Very ",
    ]
    codes = [s if s.startswith("Neither") else f"{s}favorably" for s in steps]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        survey = load(
            shared_data,
            {"file": file, "id": "RespondentID", "header_rows": 2, "encoding": "latin-1"},
            {
                "columns": ["Please state whether*"],
                "codes": [c[0].upper() + c[1:] for c in codes],
                "missing": ["Unfamiliar (N/A)"],
            },
            columns=[
                {"name": "Age", "order": ["18-29", "30-44", "45-60", "> 60"]},
                {"name": "Gender"},
            ],
        )
    assert survey.items.shape[1] == 14
    assert survey.label(survey.items.columns[0]) == "Han Solo"
    assert survey.codebook[survey.items.columns[0]].question.startswith("Please state whether")
    assert survey.codebook["Age"].categories == ("18-29", "30-44", "45-60", "> 60")
    assert survey.ids.iloc[0] == "3292879998"
    # Counted in the file with grep: 1186 respondents.
    assert survey.n_read == 1186 == survey.n + len(survey.ledger)


def test_gss_values_with_text_codes(shared_data: Path) -> None:
    codes = [
        "Not like me at all",
        "Not like me",
        "A little like me",
        "Somewhat like me",
        "Like me",
        "Very much like me",
    ]
    survey = load(
        shared_data,
        {"file": "04_values_social/gss12_schwartz_values.csv"},
        {"columns": ["val*"], "codes": codes},
    )
    assert survey.items.shape[1] == 21
    assert survey.items["valorig"].iloc[0] == 6.0
    assert (survey.codebook["valorig"].low, survey.codebook["valorig"].high) == (1.0, 6.0)
    assert survey.n_read == 1255


def test_humour_styles_with_minus_one_as_missing(shared_data: Path) -> None:
    data = {"file": "03_openpsychometrics/HSQ/data.csv"}
    with pytest.raises(DataError, match=r"outside 1 to 5: '-1' \(row"):
        load(shared_data, data, {"columns": ["Q1:Q32"], "range": (1, 5)})
    survey = load(shared_data, data, {"columns": ["Q1:Q32"], "range": (1, 5), "missing": (-1,)})
    assert survey.n_read == 1071
    assert survey.ledger["reason"].str.contains("of 32 items").all()
    assert survey.items.min().min() == 1.0
    assert survey.items.isna().any().any()


def test_youth_survey_with_blanks_and_categories(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "01_young_people_survey/responses.csv"},
        {"columns": ["Music", "Dance:Opera", "Hiphop, Rap"], "range": (1, 5)},
        columns=[{"name": "Age", "use": "active"}, {"name": "Gender"}, {"name": "Education"}],
    )
    assert survey.n == 1010
    assert survey.codebook["Age"].kind == "numeric"
    assert survey.codebook["Gender"].categories == ("female", "male")


def test_music_and_health_of_a_google_form(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "11_platform_exports/google_forms_mxmh/mxmh_survey_results.csv"},
        {
            "columns": ["Frequency [*]"],
            "codes": ("Never", "Rarely", "Sometimes", "Very frequently"),
        },
        columns=[{"name": "Age"}, {"name": "Fav genre"}],
    )
    assert survey.items.shape == (736, 16)
    assert survey.items["Frequency [Classical]"].iloc[0] == 2.0


def test_tea_with_two_levelled_answers(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "09_r_misc/FactoMineR__tea.csv"},
        {"columns": ["breakfast"], "codes": {"Not.breakfast": 0, "breakfast": 1}},
        columns=[{"name": "age", "use": "active"}, {"name": "SPC"}, {"name": "sugar"}],
    )
    # summary(tea$breakfast) in R 4.2.2, FactoMineR 2.7: breakfast 144, Not.breakfast 156.
    assert survey.items["breakfast"].value_counts().to_dict() == {0.0: 156, 1.0: 144}
    assert survey.codebook["sugar"].categories == ("No.sugar", "sugar")


def test_pew_with_its_weight(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "04_values_social/pew_dec13_excerpt.csv", "id": "psraid"},
        {
            "columns": ["q1", "q2"],
            "codes": ["Approve", "Disapprove", "Very strongly", "Not so strongly"],
            "missing": ["Don't know/Refused (VOL.)", "Don't know/refused (VOL.)"],
            "out_of_range": "missing",
        },
        weights={"column": "weight"},
    )
    assert survey.weights.mean() == pytest.approx(1.0, abs=1e-12)
    assert (survey.weights > 0).all()


def test_semicolons_and_an_encoding_are_found_in_real_customer_data(shared_data: Path) -> None:
    survey = load(
        shared_data,
        {"file": "07_customers/customer_personality_marketing_campaign.csv", "id": "ID"},
        {"columns": ["MntWines:MntGoldProds"]},
        columns=[{"name": "Income", "use": "active"}, {"name": "Education"}],
    )
    assert survey.items.shape == (2240, 6)
    # README of the data: Income has 24 missing values.
    assert survey.columns["Income"].isna().sum() == 24


def test_twenty_thousand_by_sixty_is_read_as_it_was_written(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(1, 6, size=(20_000, 60))
    header = ",".join(["id", *(f"q{i}" for i in range(60))])
    rows = "\n".join(f"{i:06d}," + ",".join(map(str, row)) for i, row in enumerate(values))
    (tmp_path / "a.csv").write_text(f"{header}\n{rows}\n")
    survey = load(tmp_path, {"file": "a.csv", "id": "id"}, {"columns": ["q*"], "range": (1, 5)})
    assert survey.items.shape == (20_000, 60)
    np.testing.assert_array_equal(survey.items.to_numpy(), values)


def test_a_guess_is_told_when_star_wars_has_no_encoding(shared_data: Path) -> None:
    file = "11_platform_exports/surveymonkey_fivethirtyeight/star-wars-survey/StarWars.csv"
    with pytest.warns(
        PsychosegWarning, match=r"StarWars\.csv is not UTF-8 and was read as cp1252: line 1"
    ):
        load(
            shared_data,
            {"file": file, "header_rows": 2},
            {"columns": ["Please rank*"]},
        )
