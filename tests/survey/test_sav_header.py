"""An SPSS file whose counts cannot be true is refused before anything believes them."""

import datetime as dt
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from psychoseg.errors import DataError
from psychoseg.survey import sav_header
from psychoseg.survey.sav_header import check_sav
from psychoseg.survey.spss import read_spss


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    path = tmp_path / "a.sav"
    frame = pd.DataFrame({"q1": np.arange(200) % 5 + 1.0, "text": ["abc"] * 200})
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels={"q1": "How much?"},
        variable_value_labels={"q1": {1: "little", 5: "much"}},
        missing_ranges={"q1": [9]},
        row_compress=True,
        note="a note",
    )
    return path


def changed(path: Path, at: int, value: int) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, at, value)
    path.write_bytes(content)
    return path


def users_at(path: Path) -> int:
    """Return where the record stands that says which variables have the labels."""
    return path.read_bytes().index(struct.pack("<3i", 4, 1, 1))


def test_sound_files_of_all_programs_pass(sav: Path, shared_data: Path) -> None:
    check_sav(sav)
    found = [p for e in ("sav", "zsav") for p in (shared_data / "06_spss_sav").rglob(f"*.{e}")]
    assert len(found) > 10
    for path in found:
        check_sav(path)


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (80, 2**31 - 1, "2,147,483,647 cases of 2 values, for which it has no room"),
        (80, -7, "says -7 cases"),
        (64, 77, "its layout is"),
        (72, 9, "packed in the way 9"),
        (176 + 4, 300, "variable 1 is 300 letters wide"),
        (176 + 12, -9, "variable 1 has -9 missing values"),
        (176 + 32, -1, "says -1 letters of a label"),
        (176, 55, "a record of the kind 55"),
    ],
)
def test_counts_that_cannot_be_are_refused(sav: Path, at: int, value: int, why: str) -> None:
    with pytest.raises(DataError, match=rf"a\.sav is damaged: .*{why}.*save it again"):
        read_spss(changed(sav, at, value), "a.sav")


def test_labels_of_a_variable_that_is_not_there_are_refused(sav: Path) -> None:
    # ReadStat follows the index and ends the whole process.
    with pytest.raises(DataError, match="value labels belong to variable 1000007, and it has 2"):
        read_spss(changed(sav, users_at(sav) + 8, 1_000_007), "a.sav")


def test_a_file_that_is_cut_short_is_refused(sav: Path) -> None:
    sav.write_bytes(sav.read_bytes()[:400])
    with pytest.raises(DataError, match="cut short"):
        read_spss(sav, "a.sav")


def test_more_values_than_fit_are_refused(sav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sav_header, "MAX_VALUES", 399)
    with pytest.raises(DataError, match="200 cases of 2 values, 400 in all, above the limit"):
        check_sav(sav)


def test_an_encrypted_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    path.write_bytes(b"\x1c" + bytes(7) + b"ENCRYPTEDSAV" + bytes(500))
    with pytest.raises(DataError, match="is protected by a password"):
        read_spss(path, "a.sav")


def test_a_date_beyond_the_calendar_stays_a_number(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    seconds = (dt.date(2018, 5, 6) - dt.date(1582, 10, 14)).days * 86_400
    days = pd.DataFrame({"day": [seconds, 1e300, -5.0]})
    pyreadstat.write_sav(days, str(path), variable_format={"day": "DATE11"})
    assert read_spss(path, "a.sav").cells["day"].tolist() == ["2018-05-06", "1e+300", "-5"]
