"""Fixtures that every part of the tests shares."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]


def skip_or_fail(reason: str) -> NoReturn:
    """Skip a test that lacks something of this machine; where CI is set, fail it instead."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        skip_or_fail("the shared survey files are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def r_installed() -> None:
    if shutil.which("R") is None and not os.environ.get("R_HOME"):
        skip_or_fail("R is not installed")


@pytest.fixture(scope="session")
def rscript() -> str:
    found = shutil.which("Rscript")
    if found is None:
        skip_or_fail("Rscript is not installed (sh r_scripts/install.sh)")
    return found


@pytest.fixture(scope="session")
def browser():
    """Return headless Chromium, one a process, since Playwright takes no more.

    Without it the test is skipped, and fails where CI is set.
    """
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        skip_or_fail("there is no chromium on PATH")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
