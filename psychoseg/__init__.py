"""psychoseg: survey psychographics, from Likert items to segments that can be defended.

>>> import psychoseg
>>> result = psychoseg.run("surveys/fitness_app")  # doctest: +SKIP
>>> result.segments.table  # doctest: +SKIP

The stages can be called one by one, on a DataFrame too: ``fit_scales``, ``fit_segments``,
``profile_segments``; ``plots`` draws what they return and ``report`` writes it down. Names are
loaded when first used, so that ``psychoseg.scorer`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psychoseg import plots
    from psychoseg.api import compare, draft_study, is_survey_file, remake_report, run
    from psychoseg.engines import get_engine
    from psychoseg.errors import (
        DataError,
        EngineError,
        PsychosegError,
        PsychosegWarning,
        StudyError,
    )
    from psychoseg.estimators import LikertFactorAnalysis, LikertScales
    from psychoseg.profiles import Profiles, profile_segments
    from psychoseg.reference import r_scripts, settings_reference
    from psychoseg.report.writing import write_report as report
    from psychoseg.run_folder import Run, read_run
    from psychoseg.scales import Scales, fit_scales
    from psychoseg.segments import Segments, fit_segments
    from psychoseg.study import (
        Action,
        Job,
        OpenText,
        ProfilesSettings,
        ReduceSettings,
        ScaleKey,
        ScalesSettings,
        SegmentsSettings,
        Study,
        load_study,
    )
    from psychoseg.survey import Survey, load_survey
    from psychoseg.survey.example import example_answers

    __version__: str

_HOME = {
    "compare": "api",
    "draft_study": "api",
    "is_survey_file": "api",
    "remake_report": "api",
    "run": "api",
    "get_engine": "engines",
    "DataError": "errors",
    "EngineError": "errors",
    "PsychosegError": "errors",
    "PsychosegWarning": "errors",
    "StudyError": "errors",
    "LikertFactorAnalysis": "estimators",
    "LikertScales": "estimators",
    "Profiles": "profiles",
    "profile_segments": "profiles",
    "r_scripts": "reference",
    "settings_reference": "reference",
    "Run": "run_folder",
    "read_run": "run_folder",
    "Scales": "scales",
    "fit_scales": "scales",
    "Segments": "segments",
    "fit_segments": "segments",
    "Action": "study",
    "Job": "study",
    "OpenText": "study",
    "ProfilesSettings": "study",
    "ReduceSettings": "study",
    "ScaleKey": "study",
    "ScalesSettings": "study",
    "SegmentsSettings": "study",
    "Study": "study",
    "load_study": "study",
    "Survey": "survey",
    "load_survey": "survey",
    "example_answers": "survey.example",
}
#: Packages that are names of their own; ``report`` can be called.
_PACKAGES = ("plots", "report")

__all__ = [
    "Action",
    "DataError",
    "EngineError",
    "Job",
    "LikertFactorAnalysis",
    "LikertScales",
    "OpenText",
    "Profiles",
    "ProfilesSettings",
    "PsychosegError",
    "PsychosegWarning",
    "ReduceSettings",
    "Run",
    "ScaleKey",
    "Scales",
    "ScalesSettings",
    "Segments",
    "SegmentsSettings",
    "Study",
    "StudyError",
    "Survey",
    "__version__",
    "compare",
    "draft_study",
    "example_answers",
    "fit_scales",
    "fit_segments",
    "get_engine",
    "is_survey_file",
    "load_study",
    "load_survey",
    "plots",
    "profile_segments",
    "r_scripts",
    "read_run",
    "remake_report",
    "report",
    "run",
    "settings_reference",
]


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"psychoseg.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("psychoseg")
    if name not in _HOME:
        msg = f"module 'psychoseg' has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(f"psychoseg.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
