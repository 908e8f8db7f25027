"""The report as a PDF: the HTML report printed by Chromium or by WeasyPrint; draws nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from psychoseg.errors import EngineError

__all__ = ["write_pdf"]

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 120
_REMEDY = (
    "Install Chromium (on Debian: apt install chromium), or WeasyPrint (pip install weasyprint), "
    "or print report.html from a browser; or leave pdf out of [report] formats."
)
#: Both ways write when they ran; one report gives one file. The length stays, and with it the table
#: of where each object begins.
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) ?\(D:)(\d{14})([^)]*)(?=\))")


def write_pdf(html: Path, pdf: Path) -> None:
    """Print a report as a PDF: A4, colours of grounds kept, no header and footer of a browser.

    Parameters
    ----------
    html : Path
        The HTML report.
    pdf : Path
        The file to write; its folder must exist.

    Raises
    ------
    EngineError
        Where neither a Chromium nor WeasyPrint is here, or the one that is fails.

    Notes
    -----
    Neither may use the network. Chromium is preferred, since the report's CSS is written for
    browsers.
    """
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    with tempfile.TemporaryDirectory(prefix="psychoseg-pdf-") as scratch:
        made = Path(scratch) / "report.pdf"
        if browser is not None:
            _by_browser(browser, html.resolve(), made, Path(scratch))
        else:
            _by_weasyprint(html, made)
        pdf.write_bytes(_undated(made.read_bytes()))


def _by_browser(browser: str, html: Path, made: Path, scratch: Path) -> None:
    command = [
        browser,
        "--headless",
        "--disable-gpu",
        "--disable-extensions",
        "--disable-background-networking",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={scratch / 'profile'}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={made}",
        html.as_uri(),
    ]
    # Chromium's sandbox refuses to run as root, which is who runs in a container; the page is ours,
    # without foreign scripts and without a network.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"{browser} could not print {html}: {error}. {_REMEDY}") from error
    if done.returncode != 0 or not made.is_file():
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = said[-1] if said else "it said nothing"
        raise EngineError(f"{browser} could not print {html}: {last}. {_REMEDY}")


def _by_weasyprint(html: Path, made: Path) -> None:
    try:
        import weasyprint
    # Without Pango, WeasyPrint fails at import with an OSError.
    except (ImportError, OSError) as error:
        raise EngineError(
            f"report.pdf needs Chromium or WeasyPrint, and neither is here ({error}). {_REMEDY}"
        ) from error

    try:
        weasyprint.HTML(filename=str(html), url_fetcher=_no_network).write_pdf(str(made))
    except Exception as error:
        raise EngineError(f"WeasyPrint could not print {html}: {error}. {_REMEDY}") from error


def _no_network(url: str) -> dict[str, bytes | str]:
    """Refuse every address: all of a report is in its one file."""
    raise ValueError(f"the report may not load {url}")


def _undated(data: bytes) -> bytes:
    return _DATE.sub(lambda m: m[1] + b"20000101000000" + m[3], data)
