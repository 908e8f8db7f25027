"""psychTools' bfi as an array, and reference values written by R (see tests/reference)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture(scope="session")
def bfi(root: Path) -> np.ndarray:
    frame = pd.read_csv(root / "surveys" / "big_five" / "data.csv")
    return frame.loc[:, "A1":"O5"].to_numpy(np.float64)


@pytest.fixture(scope="session")
def bfi_items(root: Path) -> list[str]:
    frame = pd.read_csv(root / "surveys" / "big_five" / "data.csv", nrows=1)
    return list(frame.loc[:, "A1":"O5"].columns)


def reference(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / name)
