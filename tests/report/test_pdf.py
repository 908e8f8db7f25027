"""The PDF: A4, in colour, without a browser's header, and a clear error where nothing can print."""

import re
import shutil
import sys

import pytest

from psychoseg.errors import EngineError
from psychoseg.report import pdf as pdf_module
from psychoseg.report.pdf import write_pdf
from tests.conftest import skip_or_fail

PAGE = """<!doctype html><title>T</title><style>@page { size: A4; margin: 10mm }
* { print-color-adjust: exact } div { background: rgb(1, 102, 51); height: 100px }</style>
<h1>Persona report</h1><div>green</div><img src="http://203.0.113.1/x.png">"""


@pytest.fixture
def chromium():
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        skip_or_fail("there is no Chromium on PATH")


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "a report.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


@pytest.mark.usefixtures("chromium")
def test_a_pdf_is_a4_with_grounds_and_without_a_header_or_date(page, tmp_path):
    from pypdf import PdfReader

    write_pdf(page, tmp_path / "r.pdf")
    reader = PdfReader(tmp_path / "r.pdf")
    assert len(reader.pages) == 1
    (sheet,) = reader.pages
    assert float(sheet.mediabox.width) == pytest.approx(595.3, abs=1)
    assert float(sheet.mediabox.height) == pytest.approx(841.9, abs=1)
    text = sheet.extract_text()
    assert "Persona report" in text
    assert "a report.html" not in text
    assert not re.search(r"\d{1,2}/\d{1,2}/\d{2}", text)
    # 102 / 255 is .4 and 51 / 255 is .2: the green ground is painted.
    assert re.search(rb"\.0039\d* \.4\d* \.2\d* rg", sheet.get_contents().get_data())


@pytest.mark.usefixtures("chromium")
def test_one_page_gives_one_sequence_of_bytes(page, tmp_path):
    write_pdf(page, tmp_path / "a.pdf")
    write_pdf(page, tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_without_a_printer_the_error_names_both_remedies(page, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf_module.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(EngineError) as error:
        write_pdf(page, tmp_path / "r.pdf")
    assert "Chromium" in str(error.value)
    assert "pip install weasyprint" in str(error.value)
    assert not (tmp_path / "r.pdf").exists()


def test_a_browser_that_fails_is_told_with_its_last_words(page, tmp_path, monkeypatch):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'no display here' >&2\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setattr(pdf_module.shutil, "which", lambda name: str(broken))
    with pytest.raises(EngineError, match="no display here"):
        write_pdf(page, tmp_path / "r.pdf")


def test_weasyprint_may_load_nothing():
    with pytest.raises(ValueError, match="may not load"):
        pdf_module._no_network("https://example.com/x.png")
