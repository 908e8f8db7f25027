"""The verdict: what makes a division natural, reproducible or constructed."""

from dataclasses import replace

import numpy as np
import pytest

from psychoseg.stats.choice import ALPHA
from psychoseg.stats.null_cloud import CloudTest
from psychoseg.stats.verdict import verdict

GAPS = CloudTest(0.01, 9.0, 9.0, np.array([9.0]), 2, 300, False)
NO_GAPS = replace(GAPS, p_value=0.4)
STABLE = {"jaccard_mean": 0.9, "jaccard_min": 0.8, "large": True, "supported": True}


def test_gaps_that_the_division_follows_are_natural_however_it_comes_back():
    assert verdict(GAPS, **STABLE) == "natural"
    assert verdict(GAPS, **{**STABLE, "jaccard_mean": 0.3, "jaccard_min": 0.1}) == "natural"


def test_a_division_without_gaps_that_comes_back_is_reproducible():
    assert verdict(NO_GAPS, **STABLE) == "reproducible"
    assert verdict(GAPS, **{**STABLE, "supported": False}) == "reproducible"


@pytest.mark.parametrize(
    "lacking",
    [{"jaccard_mean": 0.74}, {"jaccard_min": 0.59}, {"large": False}, {"jaccard_mean": np.nan}],
)
def test_what_neither_has_gaps_nor_comes_back_is_constructed(lacking):
    assert verdict(NO_GAPS, **{**STABLE, **lacking}) == "constructed"


def test_the_limits_themselves_are_enough():
    on = {**STABLE, "jaccard_mean": 0.75, "jaccard_min": 0.6}
    assert verdict(NO_GAPS, **on) == "reproducible"
    assert verdict(replace(GAPS, p_value=ALPHA), **STABLE) == "natural"
    assert verdict(NO_GAPS, **on, each_needed=0.7) == "constructed"
