"""Fixtures that every part of the tests shares."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = "the shared survey files are not beside this checkout"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def r_installed() -> None:
    if shutil.which("R") is None and not os.environ.get("R_HOME"):
        reason = "R is not installed"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
