"""The Python door: :func:`run` and :func:`remake_report` join the stages to the report."""

from __future__ import annotations

from pathlib import Path

from psychoseg.run_folder import Run
from psychoseg.runs import Progress, rewrite_report, run_study

__all__ = ["remake_report", "run"]


def run(
    path: str | Path,
    *,
    out: str | Path | None = None,
    engine: str | None = None,
    seed: int | None = None,
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
    progress : Progress, optional
        Told of each stage and step.

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
    return run_study(
        path, out=out, engine=engine, seed=seed, progress=progress, write_report=_write_report
    )


def remake_report(folder: str | Path) -> Path:
    """Make the report of a finished run anew, without running the study again.

    Parameters
    ----------
    folder : str or Path
        A run folder. What ``r_scripts/confirm_scales.R`` has left in it comes into the report.

    Returns
    -------
    Path
        The report, ``report.html`` in the folder.

    Raises
    ------
    DataError
        Where the folder is not a run; nothing is written then.
    """
    return rewrite_report(folder, _write_report)


def _write_report(result: Run, folder: Path) -> None:
    from psychoseg.report import write_html

    write_html(result, folder / "report.html")
