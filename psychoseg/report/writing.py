"""Reports written to a folder: of a run, or of the objects that the stages returned.

Owns which files are written and in which order. Never computes a number.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from psychoseg.errors import DataError, StudyError
from psychoseg.exports import write_respondents
from psychoseg.run_folder import Run
from psychoseg.runs import check_formats
from psychoseg.scales import Scales, no_scales
from psychoseg.segments.inputs import aligned_scales, aligned_segments
from psychoseg.study import (
    Column,
    DataFile,
    ItemBattery,
    ReportSettings,
    Study,
    StudyInfo,
)
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.profiles import Profiles
    from psychoseg.segments import Segments
    from psychoseg.study_report import Format

__all__ = ["write_report", "write_reports"]


def write_report(
    result: Run | Survey,
    folder: str | Path,
    *,
    scales: Scales | None = None,
    segments: Segments | None = None,
    profiles: Profiles | None = None,
    formats: Sequence[Format] = ("html",),
    title: str = "",
) -> list[Path]:
    """Write the report of a run, or of a survey and what the stages found of it.

    Parameters
    ----------
    result : Run or Survey
        What ``psychoseg.run`` or ``psychoseg.read_run`` returned; or a Survey, beside which
        ``segments`` and ``profiles`` are needed.
    folder : str or Path
        Made where it is not there. A report that is there already is replaced.
    scales : Scales, optional
        None where columns alone were segmented.
    segments : Segments
    profiles : Profiles
    formats : sequence of {"html", "pptx", "xlsx", "csv", "sav", "pdf"}
        ``sav`` needs the file of answers, so it is for a run alone.
    title : str
        Of the report; that of the study where absent.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    StudyError
        Where there is no such format.
    DataError
        Where an object is lacking or of other respondents; nothing is written then.

    Examples
    --------
    >>> import psychoseg
    >>> run = psychoseg.read_run("runs/first")  # doctest: +SKIP
    >>> psychoseg.report(run, "for_the_client", formats=["html", "pptx"])  # doctest: +SKIP
    """
    if isinstance(formats, str):
        raise StudyError(f"formats is the text {formats!r}. Give a list: [{formats!r}].")
    check_formats(formats)
    given = {"scales": scales, "segments": segments, "profiles": profiles}
    if isinstance(result, Run):
        beside = [name for name, value in given.items() if value is not None]
        if beside:
            raise DataError(f"a run has its own {', '.join(beside)}. Give them with a Survey.")
        run = result
        if title:
            study = run.study.study.model_copy(update={"title": title})
            run = replace(run, study=run.study.model_copy(update={"study": study}))
    elif isinstance(result, Survey):
        if segments is None or profiles is None:
            raise DataError(
                "a report on a Survey takes segments=... and profiles=..., and scales=... where "
                "there are some."
            )
        if "sav" in formats:
            raise DataError(
                "respondents.sav is for a run, since it holds the file of answers. Ask for csv."
            )
        run = _run_of(result, scales, segments, profiles, title)
    else:
        raise DataError(
            f"a report is made of a Run or a Survey, not of a {type(result).__name__}. Make a "
            "Survey of a DataFrame with Survey.from_frame."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        write_reports(run, partial, formats)
        return [file.rename(folder / file.name) for file in sorted(partial.iterdir())]
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_reports(run: Run, folder: Path, formats: Sequence[Format]) -> None:
    """Write what is asked for; a PDF is printed from the HTML, which stays if it was asked for."""
    from psychoseg.report.html import write_html

    html = folder / "report.html"
    if "html" in formats or "pdf" in formats:
        write_html(run, html)
    if "pdf" in formats:
        from psychoseg.report.pdf import write_pdf

        write_pdf(html, folder / "report.pdf")
        if "html" not in formats:
            html.unlink()
    if "pptx" in formats:
        from psychoseg.report.deck import write_deck

        write_deck(run, folder / "report.pptx", template=_template(run))
    if "xlsx" in formats:
        from psychoseg.report.workbook import write_workbook

        write_workbook(run, folder / "tables.xlsx")
    write_respondents(run, folder, formats)


def _run_of(
    survey: Survey, scales: Scales | None, segments: Segments, profiles: Profiles, title: str
) -> Run:
    """Return a run as a study file of these settings would have given it, in no folder."""
    if scales is None:
        scales = no_scales(survey.n)
        scales = replace(scales, scores=scales.scores.set_axis(survey.rows))
    scales = aligned_scales(survey, scales)
    if len(segments.labels) != survey.n:
        raise DataError(
            f"the segments have {len(segments.labels)} respondents and the survey {survey.n}. "
            "Give the Survey that was segmented."
        )
    segments = aligned_segments(survey, segments)
    lines = survey.codebook.values()
    items = tuple(line.name for line in lines if line.role == "item")
    study = Study(
        study=StudyInfo(title=title) if title else StudyInfo(),
        data=DataFile(file="(a DataFrame)"),
        items=(ItemBattery(columns=items),) if items else (),
        columns=tuple(
            Column(name=line.name, use="active" if line.role == "active" else "profile")
            for line in lines
            if line.role in ("active", "profile") and line.kind != "choice"
        ),
        scales=scales.settings,
        segments=segments.settings,
        reduce=segments.reduce,
        report=ReportSettings(),
    )
    ledger = pd.concat([survey.ledger, segments.excluded], ignore_index=True)
    return Run(
        folder=None,
        study=study,
        survey=replace(survey, ledger=ledger),
        scales=scales,
        segments=segments,
        profiles=profiles,
        warnings=pd.DataFrame(columns=["stage", "message"]),
        agreement=None,
        manifest={
            "engine": segments.method,
            "versions": {
                "psychoseg": version("psychoseg"),
                "python": platform.python_version(),
                **{name: version(name) for name in ("numpy", "pandas", "scipy", "matplotlib")},
            },
        },
    )


def _template(run: Run) -> Path | None:
    """Return the client's template, beside the study file that the run was made from."""
    name = run.study.report.template
    if name is None:
        return None
    beside = run.study.folder / name
    origin = run.manifest.get("study_folder")
    if beside.is_file() or run.folder is None or not isinstance(origin, str):
        return beside
    return run.folder / origin / name
