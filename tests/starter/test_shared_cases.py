"""Inputs that once were read wrongly: each read right now, or marked or refused in the right words.

All but those of ``from_surveys`` hold the same answers of 240 people to twelve five-point items, in
another dress; what they are is in the truth of ``words_not_sure_mid``.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import DataError
from psychoseg.starter.draft import Draft, write_draft
from psychoseg.study import Study, load_study
from psychoseg.survey import Survey, load_survey
from tests.conftest import skip_or_fail

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases"
ITEMS = [f"{scale}_{i}" for scale in ("mo", "he", "te") for i in range(1, 5)]


@dataclass(frozen=True)
class Read:
    draft: Draft
    study: Study
    survey: Survey

    def asked(self, *words: str) -> bool:
        """Tell whether one thing that is left to decide says all of these words."""
        return any(all(word in said for word in words) for said in self.draft.undecided)


def read(name: str, tmp_path: Path) -> Read:
    if not CASES.is_dir():
        skip_or_fail("the shared cases are not beside this checkout")
    (file,) = (p for p in CASES.rglob("*") if p.is_file() and name in (p.parent.name, p.stem)
               and p.name != "truth.csv")  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path, draft = write_draft(file, out=tmp_path)
        study = load_study(path)
        return Read(draft, study, load_survey(study))


def truth(name: str = "words_not_sure_mid") -> np.ndarray:
    frame = pd.read_csv(CASES / name / "truth.csv", dtype={"id": str})
    return frame[ITEMS].to_numpy(float)


def same_but_for_gaps(survey: Survey, expected: np.ndarray) -> int:
    """Check that the items are the truth where they hold an answer; return the gaps."""
    got = survey.items[ITEMS].to_numpy(float)
    gaps = np.isnan(got)
    np.testing.assert_array_equal(got[~gaps], expected[~gaps])
    return int(gaps.sum())


#: Case -> cells that hold no answer, whatever else is in the file.
PLAIN = {
    "bands_de": 0, "choose_two": 0, "dup_rows": 0, "id_names": 0, "kobo_slash": 0,
    "lang_cs": 0, "lang_ja": 0, "manual_thousands": 0, "miss_dash": 163, "miss_dot": 180,
    "miss_hashna": 181, "mixed_encoding": 0, "na_region": 0, "odd_dot": 1, "odd_hash": 1,
    "odd_null": 1, "preamble": 0, "rank_top3": 0, "sav_czech_dk": 289, "sav_dots": 0,
    "sep_line": 0, "stray_6": 1, "thousands_dot": 0,
    "thousands_dot_with_comma_weights": 0, "time_duration": 0, "typeform_options": 0,
    "words_not_sure_mid": 0, "words_not_very_often": 0, "words_very_little": 0,
    "xlsx_hidden_sheet": 0, "xlsx_title_rows": 0, "average_row_noid": 0,
}  # fmt: skip


@pytest.mark.parametrize(("name", "gaps"), PLAIN.items())
def test_the_answers_are_those_that_were_given(tmp_path, name, gaps):
    found = read(name, tmp_path)
    assert found.survey.n == 240
    assert same_but_for_gaps(found.survey, truth()) == gaps


@pytest.mark.parametrize("name", ["words_zutreffend", "difficult_to_answer"])
def test_the_answers_are_those_of_its_own_truth(tmp_path, name):
    found = read(name, tmp_path)
    expected = truth(name)
    there = found.survey.items.index
    kept = pd.read_csv(CASES / name / "s.csv", dtype=str)["id"].isin(found.survey.ids)
    np.testing.assert_array_equal(found.survey.items.loc[there, ITEMS], expected[kept])


@pytest.mark.parametrize(
    ("name", "text", "cells"),
    [
        ("kann_nicht", "kann ich nicht beurteilen", 220),
        ("pt_ns", "Não sei / Não respondo", 232),
        ("difficult_to_answer", "Difficult to answer", 362),
        ("miss_hashna", "#N/A", 181),
        ("odd_null", "NULL", 1),
    ],
)
def test_a_text_taken_for_no_answer_is_shown_with_its_count(tmp_path, name, text, cells):
    line = f'missing = ["{text}"]    # no answer: {cells} cell{"s" if cells > 1 else ""}'
    assert line in read(name, tmp_path).draft.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dup_rows", ("30 rows repeat an earlier one", "the first stays")),
        ("average_row_noid", ("row 242", "no person", "means")),
        ("preamble", ("titles stand above the header", "skip_rows")),
        ("xlsx_title_rows", ("titles stand above the header", "skip_rows")),
        ("mixed_encoding", ("10 of its 241 lines", "cp1252", "Île")),
        ("na_region", ("NA is an answer of region", "99 cells")),
        ("xlsx_hidden_sheet", ('"Answers 2026" was read', '"old wave" hidden')),
        ("odd_hash", ("mo_2 is almost the same: 1 cell differs (#N/A)",)),
        ("stray_6", ("mo_2 is almost the same: 1 cell differs (6)",)),
        ("skew_no_top_3", ("mo_2 is almost the same", "nobody answered more than 3")),
        ("rank_top3", ("ranks and no ratings",)),
        ("words_not_sure_mid", ('"Not sure" was taken for the middle',)),
        ("choose_two", ("brands: several choices in one cell",)),
        ("m1_minus99", ("50 of 200 people would be left out", "-99")),
        ("m2_minus1", ("-1, 0 and 1 were taken for a scale of three",)),
        ("m3_zero", ("0 is rare beside 1 and 2",)),
        ("m14_twins", ("the same people gave the same answers to E1 to E8",)),
        ("m8_time", ("time_1, time_2, time_3", "time or the clicks")),
        ("m6_yesno_stray", ("q8: the codes 4, 5, 6, 8 have no label",)),
        ("m11_words", ("neutral", "guess")),
        ("m12_dup", ("repeats the column names 'Other (please specify)'", "got its number")),
    ],
)
def test_what_was_decided_for_somebody_is_asked(tmp_path, name, words):
    assert read(name, tmp_path).asked(*words)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("m1_minus99", (1, 7)), ("m1b_minus99_numeric", (1, 7)), ("m2_minus1", (-1, 1)),
        ("m4_star", (0, 4)), ("m5_broken_run", (1, 7)), ("sav_czech_dk", (1, 5)),
        ("sav_dots", (1, 5)), ("sav_words_override", (1, 5)), ("skew_no_top_3", (1, 5)),
    ],
)  # fmt: skip
def test_the_ends_of_the_scale_are_those_that_were_offered(tmp_path, name, ends):
    book = read(name, tmp_path).survey.codebook.values()
    assert {(v.low, v.high) for v in book if v.role == "item"} == {ends}


def test_bands_and_amounts_have_their_size(tmp_path):
    bands = read("bands_de", tmp_path / "a").survey.columns["einkommen"]
    assert list(bands.cat.categories) == [
        "unter 500 €", "500 bis 999 €", "1.000 bis 1.999 €", "2.000 bis 3.999 €",
        "4.000 € und mehr",
    ]  # fmt: skip
    amounts = read("thousands_dot", tmp_path / "b").survey.columns["income"]
    given = pd.read_csv(CASES / "thousands_dot" / "truth.csv")["truth"]
    np.testing.assert_array_equal(amounts, given)
    typed = read("manual_thousands", tmp_path / "c").survey.columns["income"]
    assert typed.head(3).tolist() == [2603, 440, 2315]


def test_weights_are_read_beside_amounts_of_thousands(tmp_path):
    found = read("thousands_dot_with_comma_weights", tmp_path)
    assert found.survey.weight_kind == "sampling"
    assert found.survey.columns["einkommen"].head(3).tolist() == [2140, 1760, 2300]
    first = found.survey.weights[:3]
    np.testing.assert_allclose(first / first[0], [1, 1.36 / 1.73, 1.40 / 1.73])


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("kobo_slash", ["pick_colors/red", "pick_colors/green", "pick_colors/blue",
                        "pick_colors/black"]),
        ("typeform_options", ["Facebook", "Instagram", "TikTok", "None of these"]),
        ("m9_notselected", [f"q0004_000{i}" for i in range(1, 6)]),
    ],
)  # fmt: skip
def test_ticks_are_a_set_and_no_items(tmp_path, name, columns):
    book = read(name, tmp_path).survey.codebook
    assert [n for n, v in book.items() if v.kind == "choice"] == columns
    assert {book[c].role for c in columns} == {"profile"}


def test_a_region_called_na_is_a_region(tmp_path):
    region = read("na_region", tmp_path).survey.columns["region"]
    assert region.value_counts()["NA"] == 99
    assert not region.isna().any()


def test_a_time_is_a_duration_and_an_id_an_id(tmp_path):
    timed = read("time_duration", tmp_path / "a")
    assert timed.study.quality.duration == ("time_taken",)
    assert "says who the respondent is" not in timed.draft.text
    assert read("id_names", tmp_path / "b").study.data.id == "Teilnehmer"
    assert read("dup_rows", tmp_path / "c").study.data.id == "id"


def test_what_is_no_scale_is_no_item(tmp_path):
    stray = read("m6_yesno_stray", tmp_path / "a").survey.codebook
    assert {n for n, v in stray.items() if v.role == "item"} == {f"q23{c}" for c in "abcdef"}
    choices = read("m7_choices", tmp_path / "b").survey.codebook
    assert {n for n, v in choices.items() if v.role == "item"} == {f"Q7{c}" for c in "abcdef"}
    timed = read("m8_time", tmp_path / "c").survey.codebook
    assert not [n for n, v in timed.items() if n.startswith("time") and v.role != "other"]
    twins = read("m14_twins", tmp_path / "d").survey.codebook
    assert {n[0] for n, v in twins.items() if v.role == "item"} == {"E"}


def test_the_files_own_codes_win(tmp_path):
    found = read("sav_words_override", tmp_path)
    assert same_but_for_gaps(found.survey, truth()) == 0
    assert not found.asked("the codes run")


def test_formulas_without_values_are_called_so(tmp_path):
    with pytest.raises(DataError, match=r"480 formulas without stored values.*save it"):
        read("xlsx_formulas", tmp_path)
