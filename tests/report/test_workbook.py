"""The workbook: numbers are the profiles' and are numbers, text is text, hidden stays hidden."""

import csv
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest

from psychoseg.report.sheets import letter_of
from psychoseg.report.workbook import write_workbook
from tests.conftest import skip_or_fail


@pytest.fixture(scope="module")
def path_of(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("workbooks")

    def write(kind):
        path = folder / f"{kind.replace(' ', '-')}.xlsx"
        if not path.exists():
            write_workbook(made(kind), path)
        return path

    return write


@pytest.fixture(scope="module")
def book_of(path_of):
    return lambda kind: openpyxl.load_workbook(path_of(kind))


KINDS = ("plain", "hostile", "one component", "unassigned", "fifteen segments")


def rows_of(sheet, label, measure):
    """Return the rows of a banner table with this label and measure, as lists of values."""
    return [
        [c.value for c in row]
        for row in sheet.iter_rows(min_row=7)
        if row[0].value == label and row[1].value == measure
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_contents_link_to_every_sheet_by_legal_names(book_of, kind):
    book = book_of(kind)
    links = {
        cell.hyperlink.location.split("!")[0].strip("'").replace("''", "'")
        for (cell,) in book["Contents"].iter_rows(min_row=3, max_col=1)
        if cell.hyperlink
    }
    assert links == {s for s in book.sheetnames if s != "Contents"}
    assert all(len(s) <= 31 and not re.search(r"[\[\]:*?/\\]", s) for s in book.sheetnames)
    assert len({s.casefold() for s in book.sheetnames}) == len(book.sheetnames)


@pytest.mark.parametrize("kind", ["plain", "unassigned", "fifteen segments"])
def test_means_letters_index_and_bases_are_those_of_the_profiles(made, book_of, kind):
    means = made(kind).profiles.means
    for name, of in (("Scales", "scale"), ("Numeric", "numeric")):
        sheet = book_of(kind)[name]
        for label, part in means[means["kind"] == of].groupby("label", sort=False):
            part = part.sort_values("segment")
            for measure, column in (
                ("Mean", "mean"), ("95% low", "low"), ("SD", "sd"), ("Index", "index"),
                ("v-test", "v_test"), ("Base (n)", "base"), ("Base, weighted", "base_weighted"),
                ("Base, effective", "base_effective"),
            ):  # fmt: skip
                (row,) = rows_of(sheet, label, measure)
                for r, value, letters in zip(
                    part.to_dict("records"), row[3::2], row[4::2], strict=True
                ):
                    if r["hidden"]:
                        assert value == ("<10" if measure == "Mean" else None)
                    else:
                        assert isinstance(value, int | float)
                        assert value == pytest.approx(r[column], rel=1e-14)
                        if measure == "Mean":
                            assert (letters or "") == r["letters"]


def test_shares_are_fractions_with_a_percent_format(made, book_of):
    shares = made("plain").profiles.shares
    for name, of in (("Demographics", "categorical"), ("Multiple response", "choice")):
        sheet = book_of("plain")[name]
        for category, part in shares[shares["kind"] == of].groupby("category", sort=False):
            part = part.sort_values("segment")
            (row,) = [
                row for row in sheet.iter_rows(min_row=7)
                if row[0].value == category and row[1].value == "Share"
            ]  # fmt: skip
            assert row[2].value == pytest.approx(part["total"].iloc[0])
            assert row[2].number_format == "0%"
            for r, cell in zip(part.to_dict("records"), row[3::2], strict=True):
                assert cell.value == ("<10" if r["hidden"] else pytest.approx(r["share"]))


def test_what_is_hidden_can_not_be_had_by_subtraction_from_the_bases(made, book_of):
    shares = made("plain").profiles.shares
    hidden = shares[shares["hidden"]]["category"].unique()
    assert len(hidden)
    for category in hidden:
        sheet = book_of("plain")[
            "Multiple response"
            if (shares[shares["category"] == category]["kind"] == "choice").all()
            else "Demographics"
        ]
        bases = rows_of(sheet, category, "Base (n)")
        assert bases
        assert [row[2] for row in bases] == [None] * len(bases)


def test_heads_are_frozen_and_repeated_and_the_page_is_landscape(book_of):
    for name in ("Scales", "Demographics", "Tests"):
        sheet = book_of("plain")[name]
        assert sheet.freeze_panes
        assert sheet.print_title_rows
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert book_of("plain")["Scales"].freeze_panes == "D7"


def test_high_and_low_index_are_shaded_by_rules(book_of):
    sheet = book_of("plain")["Demographics"]
    index_rows = {row[0].row for row in sheet.iter_rows(min_row=7) if row[1].value == "Index"}
    ruled = {int(re.search(r"\d+", str(area.sqref))[0]) for area in sheet.conditional_formatting}
    assert ruled == index_rows


def test_each_table_has_its_base_and_test_under_it(made, book_of):
    text = "\n".join(str(c.value) for row in book_of("plain")["Demographics"] for c in row)
    assert "Base n = 600; Cramer's V 0.12; chi-square(3.00, 596.00) = 12.35, p < 0.01 adj" in text
    scales = "\n".join(str(c.value) for row in book_of("plain")["Scales"] for c in row)
    assert "no test: it made the segments" in scales


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_a_formula_and_no_id_is_in_the_file(path_of, kind):
    with zipfile.ZipFile(path_of(kind)) as file:
        for name in file.namelist():
            data = file.read(name)
            assert b"secret-" not in data
            if "worksheets/sheet" in name:
                assert b"<f>" not in data
                assert b"<f " not in data


@pytest.mark.parametrize("start", ["=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1"])
def test_text_that_a_spreadsheet_would_run_is_made_harmless(made, tmp_path, start):
    run = made("plain")
    personas = run.profiles.personas.assign(name=start, portrait=start)
    drivers = run.profiles.drivers.assign(label=start)
    profiles = replace(run.profiles, personas=personas, drivers=drivers)
    write_workbook(replace(run, profiles=profiles), tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(tmp_path / "t.xlsx")
    found = [c for s in book for row in s for c in row if start.strip() in str(c.value)]
    assert len(found) > 10
    assert all(c.data_type == "s" and str(c.value).startswith("'") for c in found)


def test_long_and_clashing_block_names_become_legal_sheets(made, tmp_path):
    run = made("plain")
    book = dict(run.survey.codebook)
    names = {"gender": "Was [alles]: so/gefragt? " + "wurde" * 10, "city": "scales"}
    for column, block in names.items():
        book[column] = replace(book[column], block=block)
    survey = replace(run.survey, codebook=book)
    write_workbook(replace(run, survey=survey), tmp_path / "t.xlsx")
    sheets = openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames
    assert "Scales 2" in sheets
    assert "Was alles so gefragt wurdewurde" in sheets


def test_a_cell_holds_no_more_than_excel_can(made, tmp_path):
    run = made("plain")
    personas = run.profiles.personas.assign(portrait="x" * 40000)
    profiles = replace(run.profiles, personas=personas)
    write_workbook(replace(run, profiles=profiles), tmp_path / "t.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["Personas"]
    assert max(len(str(c.value)) for row in sheet for c in row) == 32767


def test_one_run_gives_one_sequence_of_bytes(made, path_of, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 4e9)
    write_workbook(made("plain"), tmp_path / "t.xlsx")
    assert (tmp_path / "t.xlsx").read_bytes() == path_of("plain").read_bytes()


def test_the_ledger_counts_reasons_and_adds_up(made, book_of):
    rows = [[c.value for c in row] for row in book_of("plain")["Ledger"].iter_rows(min_row=5)]
    counts = [r[2] for r in rows if isinstance(r[2], int)]
    assert counts[0] == made("plain").survey.n_read
    assert counts[0] - sum(counts[1:-1]) == counts[-1]


def test_columns_are_lettered_as_a_spreadsheet_does():
    assert [letter_of(i) for i in (1, 2, 26, 27, 52, 53)] == ["A", "B", "Z", "AA", "AZ", "BA"]


def test_libreoffice_reads_the_same_numbers(made, path_of, tmp_path):
    soffice = shutil.which("soffice")
    if soffice is None:
        skip_or_fail("LibreOffice (soffice) is not installed")
    # -1: every sheet into a file of its own; false: numbers as they are, not as shown.
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
    subprocess.run(
        [soffice, "--headless", f"-env:UserInstallation={(tmp_path / 'lo').as_uri()}",
         "--convert-to", form, "--outdir", str(tmp_path), str(path_of("plain"))],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    book = openpyxl.load_workbook(path_of("plain"))
    for name in ("Segments", "Scales", "Demographics", "Multiple response", "Tests", "Jobs"):
        with (tmp_path / f"plain-{name}.csv").open(encoding="utf-8", newline="") as file:
            theirs = list(csv.reader(file))
        numbers = 0
        for row in book[name].iter_rows():
            for cell in row:
                if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                    said = theirs[cell.row - 1][cell.column - 1]
                    # LibreOffice writes fifteen digits.
                    value = float(said.rstrip("%")) / (100 if said.endswith("%") else 1)
                    assert value == pytest.approx(cell.value, rel=1e-12)
                    numbers += 1
        assert numbers > 10, name


def test_empty_tables_have_no_sheet(book_of):
    assert "Jobs" not in book_of("one component").sheetnames
    assert "Words" not in book_of("one component").sheetnames


def test_the_inputs_are_left_as_they_were(made, tmp_path):
    run = made("plain")
    before = run.profiles.means.copy()
    write_workbook(run, tmp_path / "t.xlsx")
    pd.testing.assert_frame_equal(run.profiles.means, before)
    assert np.isfinite(run.profiles.tests["strength"]).all()
