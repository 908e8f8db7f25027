"""Reports: a run turned into one context of ready-to-print facts, and that into files.

The package is called what one does with it: ``psychoseg.report(run, folder)`` writes a report.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from psychoseg.report.context import build_context
from psychoseg.report.facts import ReportContext
from psychoseg.report.html import write_html
from psychoseg.report.writing import write_report, write_reports

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles
    from psychoseg.run_folder import Run
    from psychoseg.scales import Scales
    from psychoseg.segments import Segments
    from psychoseg.study_report import Format
    from psychoseg.survey import Survey

__all__ = ["ReportContext", "build_context", "write_html", "write_report", "write_reports"]


class _Report(ModuleType):
    """The package, which can be called: its name and that of the function are the same."""

    def __call__(
        self,
        result: Run | Survey,
        folder: str | Path,
        *,
        scales: Scales | None = None,
        segments: Segments | None = None,
        profiles: Profiles | None = None,
        formats: Sequence[Format] = ("html",),
        title: str = "",
    ) -> list[Path]:
        """Write a report; see :func:`psychoseg.report.write_report`."""
        return write_report(
            result,
            folder,
            scales=scales,
            segments=segments,
            profiles=profiles,
            formats=formats,
            title=title,
        )


sys.modules[__name__].__class__ = _Report
