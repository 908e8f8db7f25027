"""Read the reference values of make_factor_reference.R as arrays."""

from functools import cache

import numpy as np
import pandas as pd

from psychoseg.stats.factor import match_factors
from tests.stats.conftest import reference


@cache
def _table(name: str) -> dict[tuple[str, str], pd.DataFrame]:
    return dict(iter(reference(name).groupby(["set", "kind"])))


def matrix(name: str, which: str, kind: str) -> np.ndarray:
    rows = _table(name)[which, kind]
    shape = (int(rows["row"].max()) + 1, int(rows["column"].max()) + 1)
    out = np.empty(shape)
    out[rows["row"], rows["column"]] = rows["value"]
    return out


def aligned(ours: np.ndarray, theirs: np.ndarray, phi: np.ndarray | None = None):
    """Return theirs (and their phi) in the order and with the signs of ours."""
    _, columns, sign = match_factors(ours, theirs)
    turn = np.sign(sign)
    if phi is None:
        return theirs[:, columns] * turn
    return theirs[:, columns] * turn, phi[np.ix_(columns, columns)] * np.outer(turn, turn)
