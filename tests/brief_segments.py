"""Settings under which a whole segmentation takes a second, for claims that do not hang on them."""

from functools import partial

import pytest

from psychoseg.segments import fit, number
from psychoseg.study import SegmentsSettings


def cut_short(patch: pytest.MonkeyPatch, *, panel: int = 3) -> None:
    """Look at few numbers of segments, few resamples and few single clouds."""
    patch.setattr(fit, "_PAIRS", 2)
    patch.setattr(fit, "PANEL", panel)
    patch.setattr(number, "gap_statistic", partial(number.gap_statistic, replicates=2))
    patch.setattr(number, "prediction_strength", partial(number.prediction_strength, replicates=2))


def cheap(**options: object) -> SegmentsSettings:
    """Return the fewest replicates that allow every verdict (p = .025), without audits."""
    given = {"k_max": 3, "bootstrap": 10, "null_replicates": 39, "audits": False, "min_people": 5}
    return SegmentsSettings.model_validate({**given, **options})
