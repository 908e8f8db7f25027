"""What the tests of drafted study files share."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from psychoseg.engines import get_engine
from psychoseg.errors import PsychosegWarning
from psychoseg.scales import fit_scales
from psychoseg.starter import write_study
from psychoseg.study import Study, load_study
from psychoseg.survey import Survey, load_survey


@pytest.fixture
def runs(tmp_path):
    """Return a function that drafts a study, loads it and fits its scales."""

    def run(path: Path) -> tuple[Study, Survey]:
        study = load_study(write_study(path, out=tmp_path / "study"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            survey = load_survey(study)
            fit_scales(
                survey, study.scales, engine=get_engine("python"), rng=np.random.default_rng(1)
            )
        return study, survey

    return run
