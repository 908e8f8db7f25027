"""Files that were once read wrongly without a word, and many others of each kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from psychoseg.cli import main
from psychoseg.errors import DataError, StudyError
from psychoseg.starter import draft_study
from psychoseg.study import Study, load_study
from psychoseg.survey import Survey, load_survey
from tests.conftest import skip_or_fail


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases"
    if not folder.is_dir():
        skip_or_fail("the shared cases are not beside this checkout")
    return folder


def drafted(path: Path, folder: Path, **given) -> tuple[Study, Survey, str]:
    """Draft a study of a file, read the survey by it, and return both with the draft's text."""
    draft = draft_study(path, file=str(path), **given)
    (folder / "study.toml").write_text(draft.text, encoding="utf-8")
    study = load_study(folder)
    return study, load_survey(study), "\n".join(draft.undecided)


def people(n: int = 60) -> list[list[str]]:
    """Return a header and answers to nine items of three factors, an age and an id."""
    rng = np.random.default_rng(3)
    factors = rng.standard_normal((n, 3)).repeat(3, axis=1)
    items = np.clip(np.round(3 + factors + 0.6 * rng.standard_normal((n, 9))), 1, 5).astype(int)
    ages = rng.integers(18, 80, n)
    names = [f"{block}_{i}" for block in ("mo", "he", "te") for i in (1, 2, 3)]
    rows = [["id", *names, "age"]]
    for i in range(n):
        rows.append([f"R{i:03d}", *map(str, items[i]), str(ages[i])])
    return rows


def write(
    folder: Path,
    rows: list[list[str]],
    *,
    sep: str = ";",
    above: str = "",
    below: str = "",
    encoding: str = "utf-8",
) -> Path:
    path = folder / "data.csv"
    body = "".join(sep.join(row) + "\n" for row in rows)
    path.write_bytes((above + body + below).encode(encoding))
    return path


def with_column(name: str, values: list[str]) -> list[list[str]]:
    rows = people(len(values))
    return [[*row, cell] for row, cell in zip(rows, [name, *values], strict=True)]


@pytest.mark.parametrize(
    ("case", "column"),
    [("thousands_dot", "income"), ("thousands_dot_with_comma_weights", "einkommen")],
)
def test_thousands_with_a_point_are_thousands(cases: Path, tmp_path: Path, case, column):
    study, survey, _ = drafted(cases / case / "s.csv", tmp_path)
    truth = pd.read_csv(cases / "thousands_dot" / "truth.csv")["truth"]
    assert survey.columns[column].tolist() == truth.tolist()
    assert study.data.numbers == {column: "1.234,5"}


def test_a_weight_with_a_decimal_comma_is_read_beside_thousands(cases: Path, tmp_path: Path):
    path = cases / "thousands_dot_with_comma_weights" / "s.csv"
    study, survey, _ = drafted(path, tmp_path)
    given = pd.read_csv(path, sep=";", decimal=",")["gewicht"]
    assert study.weights is not None
    assert survey.weights == pytest.approx(given / given.mean())


def test_thousands_typed_with_a_comma_are_thousands(cases: Path, tmp_path: Path):
    path = cases / "manual_thousands" / "s.csv"
    _, survey, _ = drafted(path, tmp_path)
    assert survey.columns["income"].tolist() == pd.read_csv(path, thousands=",")["income"].tolist()


def test_two_options_ticked_are_no_number(cases: Path, tmp_path: Path):
    study, survey, _ = drafted(cases / "choose_two" / "s.csv", tmp_path)
    assert study.data.decimal == "."
    if "brands" in survey.columns:
        assert isinstance(survey.columns["brands"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize(("file", "title"), [
    ("preamble/s.csv", "Customer survey 2026"), ("xlsx_title_rows/s.xlsx", "Customer survey 2026"),
])  # fmt: skip
def test_titles_above_the_header_are_passed_over(cases: Path, tmp_path: Path, file, title):
    study, survey, asked = drafted(cases / file, tmp_path)
    assert study.data.skip_rows == 3
    assert survey.n_read == 240
    assert title in asked


def test_a_line_for_excel_is_no_header(cases: Path, tmp_path: Path):
    _, survey, _ = drafted(cases / "sep_line" / "s.csv", tmp_path)
    assert (survey.n_read, survey.items.shape[1]) == (240, 12)


def test_a_row_of_means_without_an_id_is_nobody(cases: Path, tmp_path: Path):
    study, survey, asked = drafted(cases / "average_row_noid" / "s.csv", tmp_path)
    assert study.data.leave_out_rows == (242,)
    assert survey.n_read == 240
    assert "means of the rows above" in asked
    assert survey.ledger["row"].tolist() == [242]


def test_people_who_stand_twice_count_once_with_a_line_each(cases: Path, tmp_path: Path):
    with pytest.warns(match="30 rows of people"):
        study, survey, asked = drafted(cases / "dup_rows" / "s.csv", tmp_path)
    assert (study.data.id, study.data.duplicates) == ("id", "first")
    assert survey.n_read == 240
    assert survey.ledger["respondent"].tolist() == [f"R{i:04d}" for i in range(1, 31)]
    assert "'R0001' in rows 2 and 242" in asked


def test_names_that_count_people_are_ids(cases: Path, tmp_path: Path):
    study, survey, _ = drafted(cases / "id_names" / "s.csv", tmp_path)
    assert study.data.id == "Teilnehmer"
    assert survey.ids.tolist()[:2] == ["P0", "P1"]


def test_a_region_called_na_is_an_answer(cases: Path, tmp_path: Path):
    path = cases / "na_region" / "s.csv"
    _, survey, asked = drafted(path, tmp_path)
    given = pd.read_csv(path, keep_default_na=False)["region"]
    assert survey.columns["region"].astype(str).tolist() == given.tolist()
    assert f"({(given == 'NA').sum()} cells)" in asked


def test_two_encodings_are_read_and_an_affected_line_is_shown(cases: Path, tmp_path: Path):
    with pytest.warns(match=r"10 of its 241 lines are not UTF-8.*line 51, which reads “.*Île”"):
        _, survey, asked = drafted(cases / "mixed_encoding" / "s.csv", tmp_path)
    assert set(survey.columns["kraj"]) == {"Île", "Rhône"}
    assert "line 51" in asked


# ---- more of each kind ----

INCOMES = [650, 980, 1250, 2140, 17500, 3300, 720, 4100, 990, 8030] * 6


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        ("{:,}", "1,234.5"),
        ("{:_}", "1.234,5"),
        ("€ {:_}", "1.234,5"),
        ("{:_} €", "1.234,5"),
        ("{:_},00", "1.234,5"),
        ("${:,}.50", "1,234.5"),
        ("{:;}", "1 234,5"),
        ("{:'}", "1'234.5"),
    ],
)
def test_amounts_are_read_as_they_are_written(tmp_path: Path, shape: str, form: str):
    def written(n: int) -> str:
        if ";" in shape:
            return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")
        if "'" in shape:
            return f"{n:,}".replace(",", "'")
        return shape.format(n).replace("_", ".")

    path = write(tmp_path, with_column("income", [written(n) for n in INCOMES]), sep="\t")
    study, survey, _ = drafted(path, tmp_path)
    assert study.data.numbers == {"income": form}
    assert np.floor(survey.columns["income"]).tolist() == INCOMES


def test_what_nothing_decides_is_marked_in_the_draft(tmp_path: Path):
    values = [f"{1 + i % 9}.{100 + 13 * i % 900}" for i in range(60)]
    study, survey, asked = drafted(write(tmp_path, with_column("spend", values)), tmp_path)
    assert "spend: " in asked
    assert "nothing decides" in asked
    assert set(study.data.numbers) == {"spend"}
    assert survey.columns["spend"].notna().all()


@pytest.mark.parametrize("name", ["weight", "Gewicht", "pond", "wgt_final"])
@pytest.mark.parametrize("bad", ["1.2", "n/a?1", "1,2*"])
def test_a_weight_that_does_not_parse_stops_the_draft(tmp_path: Path, name: str, bad: str):
    values = [f"0,{50 + i % 50}" for i in range(59)] + [bad]
    with pytest.raises(DataError, match=f"column {name} is named like a survey weight, but"):
        draft_study(write(tmp_path, with_column(name, values)))


def test_a_weight_in_kilograms_is_no_survey_weight(tmp_path: Path):
    values = [f"{60 + i % 30} kg" for i in range(60)]
    assert draft_study(write(tmp_path, with_column("weight", values)))


@pytest.mark.parametrize(
    "above",
    [
        "Customer survey 2026\n",
        "Customer survey, wave 2; all\n\n",
        "Survey;;;;;;;;;;\nExported;2026-03-03;;;;;;;;;\n;;;;;;;;;;\n",
        "# exported by tool\n# 3 March\n#\n",
        '"Title; in quotes"\n',
        "\n\nTitle\n\n",
    ],
)
def test_titles_of_many_kinds_are_passed_over(tmp_path: Path, above: str):
    path = write(tmp_path, people(), above=above)
    study, survey, asked = drafted(path, tmp_path)
    assert study.data.skip_rows == above.count("\n")
    assert survey.n_read == 60
    assert "above the header" in asked


@pytest.mark.parametrize(
    ("below", "left"),
    [
        ("Source: our panel\n", 1),
        ("\nn = 60\n", 1),
        ("Quelle: Panel;;;;;;;;;;\n", 1),
        ("Mean;3.02;2.98;3.1;3;3.05;3.1;2.9;3.3;2.7;48.3\nSource: x\n", 2),
        ("Exported on 3 March;;;;;;;;;;\nAll rights reserved;;;;;;;;;;\n", 2),
        ("Total;181;178;186;180;183;186;174;198;162;2898\n", 1),
    ],
)
def test_what_stands_at_the_foot_is_nobody(tmp_path: Path, below: str, left: int):
    study, survey, asked = drafted(write(tmp_path, people(), below=below), tmp_path)
    assert len(study.data.leave_out_rows) == left
    assert survey.n_read == 60
    assert (survey.ledger["stage"] == "read").sum() == left
    assert "at the foot" in asked


@pytest.mark.parametrize("last", ["R060;;;;;;;;;;", "R060;1;2;3;4;5;1;2;3;4;33", "R060;5;;;;;;;;;"])
def test_who_answered_little_at_the_foot_is_a_person(tmp_path: Path, last: str):
    study, survey, _ = drafted(write(tmp_path, people(), below=last + "\n"), tmp_path)
    assert study.data.leave_out_rows == ()
    assert survey.n_read == 61


@pytest.mark.parametrize("units", [";;;;;;;;;;years", ";1-5;1-5;1-5;1-5;1-5;1-5;1-5;1-5;1-5;years"])
def test_units_below_the_header_are_nobody(tmp_path: Path, units: str):
    rows = people()
    study, survey, asked = drafted(
        write(tmp_path, [rows[0], units.split(";"), *rows[1:]]), tmp_path
    )
    assert study.data.leave_out_rows == (2,)
    assert survey.n_read == 60
    assert "holds units" in asked


def test_an_id_that_repeats_with_other_answers_stays_an_id(tmp_path: Path):
    rows = people()
    rows[-1][0] = "R000"
    with pytest.warns(match="1 row of people"):
        study, survey, asked = drafted(write(tmp_path, rows), tmp_path)
    assert (study.data.id, study.data.duplicates) == ("id", "first")
    assert survey.n_read == 59
    assert "'R000' in rows 2 and 61" in asked


def test_an_id_that_many_share_is_said_to_be_none(tmp_path: Path):
    rows = people(120)
    for i, row in enumerate(rows[1:]):
        row[0] = f"H{i // 2}"
    study, survey, asked = drafted(write(tmp_path, rows), tmp_path)
    assert study.data.id is None
    assert survey.n_read == 120
    assert "id is named like an id, but its 60 different values stand for 120 rows" in asked


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        (["NA", "EMEA", "APAC", "LATAM"], True),
        (["NA", "EU", "AS", "AF"], True),
        (["NA", "ZA", "BW", "AO", "ZM"], True),
        (["NA", "North", "South"], False),
        (["NA", "m", "f"], False),
        (["NA", "Y", "N"], False),
        (["NA", "1", "2", "3"], False),
    ],
)
def test_na_is_an_answer_among_codes_alone(tmp_path: Path, answers: list[str], kept: bool):
    values = [answers[i % len(answers)] for i in range(60)]
    study, _, _ = drafted(write(tmp_path, with_column("place", values)), tmp_path)
    assert ("place" in study.data.not_missing) is kept


def test_texts_taken_for_no_answer_are_counted_in_the_draft(tmp_path: Path):
    rows = with_column("sex", ["NA" if i % 4 == 0 else "mf"[i % 2] for i in range(60)])
    assert '"NA" in 15 cells of sex' in draft_study(write(tmp_path, rows)).text


def test_what_is_given_is_not_looked_for(tmp_path: Path):
    rows = with_column("town", ["Köln" if i % 2 else "Zürich" for i in range(60)])
    path = write(tmp_path, rows, above="Title\n\n", encoding="cp1252")
    study, survey, _ = drafted(path, tmp_path, encoding="cp1252", skip_rows=2)
    assert (study.data.encoding, study.data.skip_rows) == ("cp1252", 2)
    assert set(survey.columns["town"]) == {"Köln", "Zürich"}
    with pytest.raises(StudyError, match="no workbook and has no sheets"):
        draft_study(path, sheet="2")


def test_init_takes_encoding_rows_and_sheet(cases: Path, tmp_path: Path, capsys):
    path = cases / "xlsx_title_rows" / "s.xlsx"
    given = ["--skip-rows", "3", "--sheet", "1", "--out", str(tmp_path / "new")]
    assert main(["init", str(path), *given]) == 0
    study = load_study(tmp_path / "new")
    assert (study.data.skip_rows, study.data.sheet) == (3, 1)
    assert main(["init", str(path), "--sheet", "none", "--out", str(tmp_path / "other")]) == 2
    assert "there is no sheet 'none'" in capsys.readouterr().err
