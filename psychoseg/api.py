"""The Python door: joins the stages to the reports, as the command line does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from psychoseg.notebook import notebook_progress
from psychoseg.run_folder import Run, read_run
from psychoseg.runs import Progress, check_formats, rewrite_report, run_study
from psychoseg.study import Study
from psychoseg.study_report import Format

if TYPE_CHECKING:
    from psychoseg.report.comparing import ComparisonFacts
    from psychoseg.starter import Draft

__all__ = ["compare", "draft_study", "is_survey_file", "remake_report", "run"]

#: A path that ends so is a file of answers; anything else is a study.
_SURVEY_FILES = (".csv", ".tsv", ".txt", ".sav", ".zsav", ".por", ".xlsx", ".xlsm", ".xls", ".ods")


def run(
    path: str | Path,
    *,
    out: str | Path | None = None,
    engine: str | None = None,
    seed: int | None = None,
    formats: Sequence[Format] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a study and write its run folder, the report in it.

    Parameters
    ----------
    path : str or Path
        A study file, or the folder that holds ``study.toml``.
    out : str or Path, optional
        The run folder; ``runs/<time>`` beside the study file where absent.
    engine : {"python", "r", "both"}, optional
        Instead of the study's.
    seed : int, optional
        Instead of the study's.
    formats : sequence of {"html", "pptx", "xlsx", "csv", "sav", "pdf"}, optional
        Which files to write, instead of the study's.
    progress : Progress, optional
        Told of each stage and step; in a notebook a bar is shown where absent.

    Returns
    -------
    Run
        ``.survey``, ``.scales``, ``.segments`` and ``.profiles`` hold the stages' results,
        ``.folder`` says where they were kept.

    Raises
    ------
    PsychosegError
        Where the study, its data or an engine is not in order; nothing is written then.
    """
    with notebook_progress() as bar:
        return run_study(
            path,
            out=out,
            engine=engine,
            seed=seed,
            formats=formats,
            progress=bar if progress is None else progress,
            check_report=_check_report,
            write_report=_write_report,
        )


def remake_report(folder: str | Path, *, formats: Sequence[Format] = ("html",)) -> list[Path]:
    """Make the reports of a finished run anew, without running the study again.

    Parameters
    ----------
    folder : str or Path
        A run folder. What ``r_scripts/confirm_scales.R`` has left in it comes into the report.
    formats : sequence of {"html", "pptx", "xlsx", "csv", "sav", "pdf"}
        Which files to write; ``report.html`` alone where absent.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    StudyError
        Where there is no such format.
    DataError
        Where the folder is not a run; nothing is written then.
    """
    check_formats(formats)
    return rewrite_report(folder, _write_report, formats)


def compare(
    first: str | Path, second: str | Path, *, out: str | Path | None = None
) -> tuple[Path, ComparisonFacts]:
    """Hold two runs side by side and write a page about it.

    Parameters
    ----------
    first, second : str or Path
        Run folders, the earlier first: two solutions for the same people, or two waves.
    out : str or Path, optional
        The page; ``comparison.html`` in the second run's folder where absent.

    Returns
    -------
    page : Path
    facts : ComparisonFacts
        What the page says. :func:`psychoseg.comparison.compare_runs` gives the numbers.

    Raises
    ------
    DataError
        Where a folder is not a run, or the two share neither respondents nor features.
    """
    from psychoseg.comparison import compare_runs
    from psychoseg.report.comparing import write_comparison

    a, b = read_run(first), read_run(second)
    found = compare_runs(a, b)
    page = Path(second) / "comparison.html" if out is None else Path(out)
    return page, write_comparison(found, a, b, page)


def is_survey_file(path: str | Path) -> bool:
    """Return whether a path names a file of answers rather than a study."""
    return Path(path).suffix.lower() in _SURVEY_FILES


def draft_study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    encoding: str | None = None,
    skip_rows: int | None = None,
    sheet: str | None = None,
) -> tuple[Path, Draft]:
    """Draft a study file from a survey file.

    Parameters
    ----------
    path : str or Path
        The file of answers.
    out : str or Path, optional
        Folder for ``study.toml``; that of the file where absent.
    encoding : str, optional
        What the file was saved in, such as ``"cp1252"``; found where absent.
    skip_rows : int, optional
        Rows of titles above the header; found where absent.
    sheet : str, optional
        Name of a workbook's sheet, or its number; the fullest one where absent.

    Returns
    -------
    study : Path
        The study file, which runs as it is.
    draft : Draft
        What was found, and what is left to decide.

    Raises
    ------
    DataError
        Where the file cannot be read, or holds no battery of items.
    StudyError
        Where there is a ``study.toml`` already.
    """
    from psychoseg.starter import write_draft

    return write_draft(path, out=out, encoding=encoding, skip_rows=skip_rows, sheet=sheet)


def _write_report(result: Run, folder: Path, formats: Sequence[Format]) -> None:
    from psychoseg.report.writing import write_reports

    write_reports(result, folder, formats)


def _check_report(study: Study) -> None:
    """Raise before the run what would else end it: a template that is none, no key."""
    from psychoseg.exports import check_export

    if "pptx" in study.report.formats and study.report.template is not None:
        from psychoseg.report.slide_base import open_base

        open_base(study.folder / study.report.template)
    check_export(study)
