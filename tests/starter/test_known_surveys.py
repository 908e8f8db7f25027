"""Drafts of real surveys against what their codebooks say."""

import functools
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from psychoseg.engines import get_engine
from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.scales import fit_scales
from psychoseg.starter import Draft, draft_study, write_study
from psychoseg.study import load_study
from psychoseg.survey import load_survey

YOUNG = "01_young_people_survey/responses.csv"
HSQ = "03_openpsychometrics/HSQ/data.csv"
BIG5 = "03_openpsychometrics/BIG5/data.csv"
GRIT = "03_openpsychometrics/duckworth-grit-scale-data/data.csv"
GSS = "04_values_social/gss12_schwartz_values.csv"
AIRLINE = "05_segmentation/mkt4320/airlinesat.csv"
COLA = "06_spss_sav/displayr/Cola.sav"
COLAS = "06_spss_sav/displayr/Colas.sav"
MOBILES = "06_spss_sav/displayr/Mobiles_feedback_4_weeks.sav"
BIOFAM = "08_sequences/TraMineR_biofam.csv"
FORMS = "11_platform_exports/google_forms_mxmh/mxmh_survey_results.csv"
MONKEY = "11_platform_exports/surveymonkey_fivethirtyeight"
STAR_WARS = f"{MONKEY}/star-wars-survey/StarWars.csv"
FLYING = f"{MONKEY}/flying-etiquette-survey/flying-etiquette.csv"

#: Files a study can begin with.
RUNS = {
    YOUNG, HSQ, BIG5, GRIT, GSS, AIRLINE, COLA, COLAS, MOBILES, BIOFAM, FORMS, STAR_WARS, FLYING,
    "02_r_personality/bfi.csv",
    "04_values_social/likert_gap.csv",
    "05_segmentation/chapman_feit/python_chapter9_data.csv",
    "05_segmentation/mcdonalds/mcdonalds.csv",
    "06_lca_irt/poLCA_cheating.csv",
    "07_customers/bayesm_customerSat.csv",
    "07_customers/customer_personality_marketing_campaign.csv",
    "12_lifestyle_taste/sjlabelled_efc.csv",
}  # fmt: skip

#: Files without items: categories or check-all questions divide the people.
RUNS_WITHOUT_ITEMS = {
    "04_values_social/pew_dec13_excerpt.csv",
    "06_lca_irt/poLCA_gss82.csv",
    "08_sequences/eventdataR_patients.csv",
    "09_r_misc/FactoMineR__tea.csv",
    "09_r_misc/MASS__survey.csv",
    "10_open_text/womens_clothing_reviews_first_part.csv",
    "10_open_text/womens_clothing_wcp.csv",
    f"{MONKEY}/comma-survey/comma-survey.csv",
    "12_lifestyle_taste/expss_product_test.csv",
}

#: First, last and number of items of each battery. From the README of the data, the codebook.txt of
#: HSQ and BIG5, the variable labels of Cola.sav, and Mooi & Sarstedt for the airline. The numbers
#: of a file that are between first and last and are no numbers (Punctuality, say) do not count.
CODEBOOKS = {
    (YOUNG, "music"): ("Music", "Opera", 19),
    (YOUNG, "movies"): ("Movies", "Action", 12),
    (YOUNG, "hobbies"): ("History", "Pets", 32),
    (YOUNG, "phobias"): ("Flying", "Fear of public speaking", 10),
    (YOUNG, "personality"): ("Daily events", "Questionnaires or polls", 54),
    (YOUNG, "spending"): ("Finances", "Spending on healthy eating", 7),
    (HSQ, "humour styles"): ("Q1", "Q32", 32),
    (BIG5, "IPIP items"): ("E1", "O10", 50),
    (GSS, "values"): ("valorig", "valfun", 21),
    (COLA, "Q4 drinks"): ("Q4_A", "Q4_C", 3),
    (COLA, "Q6 brand preference"): ("Q6_A", "Q6_F", 6),
    (COLA, "Q9 frequency"): ("Q9_A", "Q9_F", 6),
    (COLA, "Q10 reasons"): ("Q10_A", "Q10_F", 6),
    (COLA, "Q14 to Q23 value trade-offs"): ("Q14", "Q23", 10),
    (COLA, "Q24 TIPI"): ("Q24_1", "Q24_10", 10),
    (COLA, "Q25 image"): ("Q25_1", "Q25_29", 29),
    (COLA, "Q26 self-monitoring"): ("Q26_1", "Q26_10", 10),
    (AIRLINE, "expectations"): ("e1", "e23", 23),
    (AIRLINE, "satisfaction"): ("s1", "s23", 23),
    (AIRLINE, "overall satisfaction"): ("sat1", "sat3", 3),
    (AIRLINE, "loyalty"): ("loy1", "loy5", 5),
    (AIRLINE, "commitment"): ("com1", "com3", 3),
}
#: What is not found as the codebook has it. Personality is parted where two of its questions are
#: answered in words (Punctuality, Lying), and begins with an item about health.
WRONG = {(YOUNG, "personality")}

#: The same of other surveys with batteries, beyond those that the nine of ten are counted on.
OTHERS = {
    (GRIT, "grit"): ("GS1", "GS12", 12),
    (GRIT, "IPIP items"): ("E1", "O10", 50),
    ("02_r_personality/bfi.csv", "bfi"): ("A1", "O5", 25),
    ("04_values_social/likert_gap.csv", "satisfaction"): (
        "Financial Aid", "Testing and Examination", 5,
    ),
    ("04_values_social/likert_gap.csv", "importance"): (
        "Financial Aid - Importance", "Testing and Examination - Importance", 5,
    ),
    ("05_segmentation/mcdonalds/mcdonalds.csv", "perceptions"): ("yummy", "disgusting", 11),
    ("05_segmentation/chapman_feit/python_chapter9_data.csv", "brand"): ("perform", "rebuy", 9),
    ("07_customers/bayesm_customerSat.csv", "satisfaction"): ("q1", "q10", 10),
    ("12_lifestyle_taste/sjlabelled_efc.csv", "COPE"): ("c82cop1", "c90cop9", 9),
    (MOBILES, "satisfaction"): ("Q11_1", "Q11_3", 3),
    (MOBILES, "effort"): ("Q12_1", "Q12_6", 6),
    (COLAS, "attitude"): ("q4a", "q4f", 6),
    (FORMS, "frequency"): ("Frequency [Classical]", "Frequency [Video game music]", 16),
    (FORMS, "mental health"): ("Anxiety", "OCD", 4),
}  # fmt: skip


def survey_files(folder: Path) -> list[Path]:
    endings = {".csv", ".sav", ".zsav", ".por", ".txt"}
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in endings)


@functools.cache
def draft_of(path: Path) -> Draft:
    return draft_study(path)


def ends_of(path: Path) -> set[tuple[str, str, int]]:
    return {(b.names[0], b.names[-1], len(b.names)) for b in draft_of(path).batteries}


def test_nine_of_ten_batteries_are_found_as_their_codebooks_have_them(shared_data):
    found = {file: ends_of(shared_data / file) for file, _ in CODEBOOKS}
    wrong = {key for key, battery in CODEBOOKS.items() if battery not in found[key[0]]}
    assert wrong == WRONG
    assert len(wrong) <= 0.1 * len(CODEBOOKS)


def test_batteries_of_other_surveys_are_found_too(shared_data):
    found = {file: ends_of(shared_data / file) for file, _ in OTHERS}
    assert {key for key, battery in OTHERS.items() if battery not in found[key[0]]} == set()


def test_every_file_gives_a_study_that_runs_or_says_why_not(shared_data, tmp_path):
    engine = get_engine("python")
    ran, divided = set(), set()
    sentences = {}
    for number, path in enumerate(survey_files(shared_data)):
        file = path.relative_to(shared_data).as_posix()
        try:
            written = write_study(path, out=tmp_path / str(number))
        except DataError as error:
            sentences[path] = str(error)
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            study = load_study(written)
            survey = load_survey(study)
            if not study.items:
                assert any(v.role == "active" for v in survey.codebook.values())
                divided.add(file)
                continue
            # Fewer replicates say nothing of the draft and take a fifth of the time.
            settings = study.scales.model_copy(update={"replicates": 20})
            scales = fit_scales(
                survey, settings, engine=engine, rng=np.random.default_rng(study.study.seed)
            )
        assert scales.scores.shape[1] > 0
        ran.add(file)
    assert ran == RUNS
    assert divided == RUNS_WITHOUT_ITEMS
    assert [p for p, why in sentences.items() if str(p) not in why or "\n" in why] == []


def test_codes_that_mean_no_answer_are_found(shared_data):
    missing = {
        file: draft_of(shared_data / file).batteries[0].scale.missing for file in (HSQ, BIG5)
    }
    assert missing == {HSQ: ("-1",), BIG5: ("0",)}
    brand = {b.names[0]: b for b in draft_of(shared_data / COLA).batteries}["Q6_A"]
    assert brand.scale.missing == ("1",)  # 1 = "Don t Know"
    assert (brand.scale.low, brand.scale.high) == (2, 6)


def test_codes_out_of_the_order_of_their_labels_are_left_and_asked_about(shared_data):
    # In Colas.sav 1 is "Love" and 2 is "Like".
    brand = {b.names[0]: b for b in draft_of(shared_data / COLAS).batteries}["q4a"]
    assert (brand.scale.low, brand.scale.high, brand.scale.codes) == (-2, 2, ())
    assert any(
        '["Hate", "Dislike", "Neither like nor dislike", "Like", "Love"]' in note
        for note in brand.notes
    )


def test_reverse_keyed_items_of_the_big_five_are_found(shared_data):
    # codebook.txt, by scale: extraversion 2 4 6 8 10, neuroticism 2 4, agreeableness 1 3 5 7,
    # conscientiousness 2 4 6 8, openness 2 4 6.
    keys = {
        "E": [2, 4, 6, 8, 10],
        "N": [2, 4],
        "A": [1, 3, 5, 7],
        "C": [2, 4, 6, 8],
        "O": [2, 4, 6],
    }
    truth = {f"{scale}{i}" for scale, numbers in keys.items() for i in numbers}
    found = set(draft_of(shared_data / BIG5).batteries[0].reverse)
    assert found - truth == set()
    assert len(truth - found) <= 1


def test_reverse_keyed_humour_items_are_found(shared_data):
    # Martin et al. (2003): 1 7 9 15 16 17 22 23 25 29 31 are keyed the other way.
    truth = {f"Q{i}" for i in (1, 7, 9, 15, 16, 17, 22, 23, 25, 29, 31)}
    found = set(draft_of(shared_data / HSQ).batteries[0].reverse)
    # The aggressive scale has four items each way, and nothing says which way is straight.
    aggressive = {f"Q{i}" for i in range(3, 32, 4)}
    assert found - aggressive == truth - aggressive


def test_how_often_people_drink_has_no_direction_to_reverse(shared_data):
    found = {b.names[0]: b.reverse for b in draft_of(shared_data / COLA).batteries}
    assert found["Q9_A"] == ()
    # Gosling et al. (2003): the TIPI's second item of each trait is keyed the other way.
    assert found["Q24_1"] == ("Q24_2", "Q24_4", "Q24_6", "Q24_8", "Q24_10")


def test_multiple_response_sets_are_found(shared_data):
    cola = draft_of(shared_data / COLA).sets
    assert [len(s.columns) for s in cola if s.columns[0].name.startswith("Q5_")] == [7] * 9
    star_wars = draft_of(shared_data / STAR_WARS).sets
    assert [(len(s.columns), s.coding) for s in star_wars] == [(6, "dichotomy")]
    assert list(star_wars[0].labels.values())[-1] == "Episode VI Return of the Jedi"
    grit = draft_of(shared_data / GRIT).sets
    assert [[c.name for c in s.columns] for s in grit] == [[f"VCL{i}" for i in range(1, 17)]]


def test_ids_weights_durations_and_texts_are_found(shared_data, tmp_path):
    mobiles = load_study(write_study(shared_data / MOBILES, out=tmp_path / "m"))
    assert mobiles.quality.duration == ("Duration__in_seconds_",)
    assert [t.column for t in mobiles.texts] == ["Q9", "Q10"]
    biofam = load_study(write_study(shared_data / BIOFAM, out=tmp_path / "b"))
    assert biofam.weights is not None
    assert biofam.weights.column in ("wp00tbgp", "wp00tbgs")
    star_wars = load_study(write_study(shared_data / STAR_WARS, out=tmp_path / "s"))
    assert star_wars.data.id == "RespondentID"
    assert star_wars.data.header_rows == 2


def test_the_last_flight_is_ordered_by_how_long_ago(shared_data, tmp_path):
    study = load_study(write_study(shared_data / AIRLINE, out=tmp_path / "a"))
    latest = {c.name: c for c in study.columns}["flight_latest"]
    last = ("2 days", "week", "month", "3 months", "6 months", "12 months")
    assert latest.order == tuple(f"within the last {when}" for when in last)
    asked = draft_of(shared_data / AIRLINE).undecided
    assert "flight_latest: the order of the answers is a guess (how long ago): check it." in asked


def test_households_and_the_second_weight_of_biofam_are_left_out(shared_data, tmp_path):
    study = load_study(write_study(shared_data / BIOFAM, out=tmp_path / "b"))
    assert {"idhous", "wp00tbgp", "wp00tbgs"} & {c.name for c in study.columns} == set()
    asked = draft_of(shared_data / BIOFAM).undecided
    assert any(u.startswith("idhous: ") for u in asked)
    assert any(u.startswith("wp00tbgp: ") for u in asked)
    # a17 to a30 are states of a family, which are names.
    assert any("If they are names, take this battery out." in u for u in asked)


def test_codes_that_are_times_a_year_become_steps(shared_data):
    # q2a to q2f of Colas.sav: 0 "Never", 1.5, 3, 12, 26, 52, 180, 220, 380 "(nearly) every day".
    draft = draft_of(shared_data / COLAS)
    often = {b.names[0]: b for b in draft.batteries}["q2a"]
    assert (often.scale.low, often.scale.high) == (1, 9)
    assert often.scale.code_of["380"] == 9
    assert often.scale.codes[0] == ("Never",)
    assert often.reverse == ()
    assert any("run from 0 to 380, in uneven steps" in u for u in draft.undecided)


def test_a_survey_without_items_is_divided_by_its_sets_or_categories(shared_data):
    product = draft_of(shared_data / "12_lifestyle_taste/expss_product_test.csv").undecided
    assert any("so people are divided by a1, b1 (use" in u for u in product)
    politics = draft_of(shared_data / "04_values_social/pew_dec13_excerpt.csv").undecided
    assert any("so people are divided by q1, q2, q45 (use" in u for u in politics)


@pytest.mark.parametrize("file", [YOUNG, GSS, FORMS, FLYING])
def test_the_order_of_the_rows_changes_nothing(shared_data, tmp_path, file):
    lines = (shared_data / file).read_text(encoding="utf-8").splitlines()
    rows = lines[1:]
    assert not any(line.count('"') % 2 for line in rows)  # no answer spans lines
    path = tmp_path / Path(file).name
    order = np.random.default_rng(5).permutation(len(rows))
    path.write_text("\n".join([lines[0], *(rows[i] for i in order)]) + "\n", encoding="utf-8")
    assert draft_study(path).text == draft_of(shared_data / file).text


def test_a_survey_of_twenty_thousand_is_drafted_in_three_seconds(shared_data):
    draft_study(shared_data / HSQ)  # imports
    start = time.process_time()
    draft_study(shared_data / BIG5)
    assert time.process_time() - start < 3
