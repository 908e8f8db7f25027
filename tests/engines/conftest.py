"""R for the tests: an engine that starts once a file, and bfi."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from psychoseg.engines.r import REngine

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


@pytest.fixture(scope="module")
def r_engine(r_installed: None) -> Iterator[REngine]:
    with REngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def bfi(root: Path) -> np.ndarray:
    frame = pd.read_csv(root / "surveys" / "big_five" / "data.csv")
    return frame.loc[:, "A1":"O5"].to_numpy(np.float64)


@pytest.fixture(scope="session")
def bfi_polychoric() -> np.ndarray:
    """psych 2.2.9's own polychoric correlations of bfi, in R 4.2.2 without psychoseg."""
    return pd.read_csv(REFERENCE / "bfi_polychoric.csv", index_col=0).to_numpy()
