"""The Python door: :func:`run`, which joins the stages to the report."""

from __future__ import annotations

from pathlib import Path

from psychoseg.runs import Progress, Run, run_study

__all__ = ["run"]


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
    from psychoseg.report import write_html

    return run_study(
        path,
        out=out,
        engine=engine,
        seed=seed,
        progress=progress,
        write_report=lambda result, folder: write_html(result, folder / "report.html"),
    )
