"""SPSS's conventions, held against GNU PSPP, an independent program that keeps them.

No output of SPSS itself was found that prints both a correlation matrix and promax or principal
axes of it. PSPP cites "SPSS Statistical Algorithms" for its promax, and stops principal axes as
SPSS does. The numbers stand in its own tests (tests/language/commands/factor.at of its sources,
commit 9eb07d79), printed to three decimals.
"""

import csv

import numpy as np
import pytest

from psychoseg.stats.correlation import pearson
from psychoseg.stats.extraction import extract_principal_axes
from psychoseg.stats.factor import match_factors
from psychoseg.stats.rotation import rotate

ROWS = np.array(
    [
        [1, 5, 3],
        [2, 2, 2],
        [3, 1, 1],
        [4, 4, 5],
        [5, 3, 9],
        [6, 6, 4],
        [7, 7, 6],
        [8, 8, 8],
        [9, 9, 7],
    ],
    dtype=float,
)


def test_principal_axes_stop_where_pspp_and_so_spss_stop():
    corr = pearson(ROWS, np.ones(len(ROWS)))
    pspp = [0.990, 0.808, 0.723]
    spss = extract_principal_axes(corr, 1, convention="spss")
    np.testing.assert_allclose(spss.loadings[:, 0], pspp, atol=5e-4)
    # The number tells the conventions apart: the other two stop elsewhere.
    for other in ("psych", "exact"):
        loadings = extract_principal_axes(corr, 1, convention=other).loadings[:, 0]
        assert np.abs(loadings - pspp).max() > 7e-4


def test_promax_is_that_of_pspp_and_so_of_spss(root):
    with (root / "tests" / "reference" / "pspp_promax.csv").open() as file:
        rows = [[float(v) for v in row.values()] for row in csv.DictReader(file)]
    axes, pattern = np.array(rows)[:, :4], np.array(rows)[:, 4:]
    phi = np.eye(4)
    phi[np.triu_indices(4, 1)] = [0.008, -0.232, 0.294, 0.065, 0.347, -0.076]
    phi = phi + phi.T - np.eye(4)

    spss = rotate(axes, "promax", variant="spss", power=5)
    theirs, ours, congruence = match_factors(pattern, spss.loadings)
    turn = np.sign(congruence)
    np.testing.assert_array_equal(theirs, np.arange(4))
    # Twelve sums of rounded loadings enter each: 2e-3 is their rounding.
    np.testing.assert_allclose(spss.loadings[:, ours] * turn, pattern, atol=2e-3)
    np.testing.assert_allclose(spss.phi[np.ix_(ours, ours)] * np.outer(turn, turn), phi, atol=2e-3)
    psych = rotate(axes, "promax", variant="psych", power=5)
    _, columns, congruence = match_factors(pattern, psych.loadings)
    assert np.abs(psych.loadings[:, columns] * np.sign(congruence) - pattern).max() == (
        pytest.approx(0.09, abs=0.01)
    )
