"""A run: the stages in their order, and the run folder that keeps what they found.

The only reader and writer of a run folder. Computes nothing itself: every number comes from a
stage.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from psychoseg.agreement import compare_engines
from psychoseg.engines import get_engine, trees_of
from psychoseg.engines.base import Engine
from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.folder_swap import put_in_place, recover, sweep, temporary
from psychoseg.profiles import profile_segments
from psychoseg.profiles.actions import check_actions
from psychoseg.profiles.jobs import check_jobs
from psychoseg.profiles.names import Previous
from psychoseg.run_folder import MANIFEST, Run, read_run, read_tables, write_tables
from psychoseg.scales import fit_scales, no_scales
from psychoseg.segments import Segments, fit_segments
from psychoseg.segments.map import check_map
from psychoseg.study import Study, load_study
from psychoseg.study_report import FORMATS, Format
from psychoseg.survey import Survey, load_survey
from psychoseg.survey.jobs import tagged_jobs
from psychoseg.survey.ledger import say_lost

__all__ = ["Progress", "WriteReport", "check_formats", "rewrite_report", "run_study"]

STAGES = ("survey", "scales", "segments", "profiles", "report")
#: What a run folder may hold; r_report is what r_scripts/persona_report.R adds.
_WRITTEN = {
    "agreement.csv",
    "comparison.html",
    "manifest.json",
    "profiles",
    "r_report",
    "report.html",
    "report.pdf",
    "report.pptx",
    "respondents.csv",
    "respondents.sav",
    "scales",
    "segments",
    "study.toml",
    "survey",
    "tables.xlsx",
}


WriteReport = Callable[[Run, Path, Sequence[Format]], None]


class Progress(Protocol):
    """Whoever wants to know how far a run is."""

    def stage(self, name: str) -> None:
        """Take note that a stage begins."""
        ...

    def step(self, done: int, total: int) -> None:
        """Take note of a step within the stage."""
        ...


def run_study(
    path: str | Path,
    *,
    out: str | Path | None = None,
    engine: str | None = None,
    seed: int | None = None,
    formats: Sequence[Format] | None = None,
    progress: Progress | None = None,
    check_report: Callable[[Study], None] | None = None,
    write_report: WriteReport | None = None,
) -> Run:
    """Run a study and keep it in a run folder.

    Parameters
    ----------
    path : str or Path
        A study file, or the folder that holds ``study.toml``.
    out : str or Path, optional
        The run folder; ``runs/<time>`` beside the study file where absent. An earlier run there is
        replaced, anything else is left alone.
    engine : {"python", "r", "both"}, optional
        Instead of the study's.
    seed : int, optional
        Instead of the study's.
    formats : sequence of str, optional
        Which files to write, instead of the study's: see :data:`psychoseg.study_report.FORMATS`.
    progress : Progress, optional
    check_report : callable, optional
        Given the study before anything is read: raises what the reports would raise in the end.
    write_report : callable, optional
        Given the run, the folder to write reports into, and the formats.

    Returns
    -------
    Run

    Raises
    ------
    PsychosegError
        Where the study, its data or an engine is not in order; nothing is written then.
    """
    _check_no_run(Path(path))
    study = _overridden(load_study(path), engine=engine, seed=seed, formats=formats)
    folder = _run_folder(study, out)
    previous = _previous(study, folder)
    log = _Log(progress)
    primary, second = _engines(study)
    _check_possible(study, primary, second)
    if check_report is not None:
        check_report(study)
    try:
        # One thread: sums in another order would give other last digits.
        with threadpool_limits(limits=1):
            run = _stages(study, log, primary, second, previous)
            return _keep(
                run, folder, log, primary, second, write_report, replace_old=out is not None
            )
    finally:
        primary.close()
        if second is not None:
            second.close()


def rewrite_report(
    folder: str | Path, write_report: WriteReport, formats: Sequence[Format] = ("html",)
) -> list[Path]:
    """Make the report of a finished run anew, without running the study again.

    Parameters
    ----------
    folder : str or Path
        A run folder. What ``r_scripts/confirm_scales.R`` has left in it comes into the report.
    write_report : callable
        Given the run, the folder to write reports into, and the formats.
    formats : sequence of str
        Which files to write.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    DataError
        Where the folder is not a run; nothing is written then.
    """
    folder = Path(folder)
    run = read_run(folder)
    sweep(folder)
    partial = temporary(folder / "report")
    partial.mkdir()
    try:
        with threadpool_limits(limits=1):
            write_report(run, partial, formats)
        return [file.rename(folder / file.name) for file in sorted(partial.iterdir())]
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(slots=True)
class _Log:
    """Seconds and warnings by stage."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage and collect what it warns of; other warnings pass through."""
        if self.progress is not None:
            self.progress.stage(name)
        start = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        for warning in caught:
            if issubclass(warning.category, PsychosegWarning):
                # Once is enough: a second engine meets again what the first has warned of.
                text = str(warning.message)
                if all(text != told for _, told in self.messages):
                    self.messages.append((name, text))
            else:
                warnings.warn_explicit(
                    warning.message, warning.category, warning.filename, warning.lineno
                )

    def step(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress.step(done, total)


def _overridden(
    study: Study, *, engine: str | None, seed: int | None, formats: Sequence[Format] | None
) -> Study:
    """Return the study with the command line's word in place of its own, checked like the file."""
    changes: dict[str, object] = {}
    if engine is not None:
        if engine not in ("python", "r", "both"):
            raise StudyError(f'there is no engine {engine!r}. Use "python", "r" or "both".')
        changes["engine"] = study.engine.model_copy(update={"name": engine})
    if seed is not None:
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise StudyError(f"seed = {seed!r} is not a whole number from 0. Give one.")
        changes["study"] = study.study.model_copy(update={"seed": int(seed)})
    if formats is not None:
        check_formats(formats)
        changes["report"] = study.report.model_copy(update={"formats": tuple(formats)})
    return study.model_copy(update=changes)


def check_formats(formats: Sequence[str]) -> None:
    """Raise a StudyError where a report is asked for in a format that there is not."""
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise StudyError(
            f"there is no report format {unknown[0] if unknown else ''!r}. Use "
            f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}."
        )


def _check_no_run(path: Path) -> None:
    """Refuse the study file of a run folder, whose data are elsewhere."""
    folder = path if path.is_dir() else path.parent
    if (folder / "study.toml").is_file() and _is_ours(folder):
        raise StudyError(
            f"{folder} is a finished run, not a study. Name the study's own folder, or make the "
            f"reports again with: psychoseg report {folder}"
        )


def _previous(study: Study, folder: Path) -> Previous | None:
    """Return the run whose segments the study's names go by: named, replaced, or the latest."""
    given = bool(study.segments.names or study.segments.texts)
    if study.segments.previous is not None:
        named = study.folder / study.segments.previous
        if not (named / "manifest.json").is_file():
            raise StudyError(
                f'segments.previous = "{study.segments.previous}": {named} is not a run folder. '
                "Name one, or take the line out: the latest run beside the study then counts."
            )
        return _read_previous(named) if given else None
    if not given:
        return None
    if (folder / "manifest.json").is_file():
        return _read_previous(folder)
    finished = (study.folder / "runs").glob("*/manifest.json")
    latest = max(finished, key=lambda file: (file.stat().st_mtime_ns, file), default=None)
    return None if latest is None else _read_previous(latest.parent)


def _read_previous(folder: Path) -> Previous | None:
    """Return names and centroids of a run; None where an earlier version wrote none."""
    frames = read_tables(folder, ("profiles/names", "profiles/centroids", "scales/items"))
    if "profiles/centroids" not in frames:
        return None
    return Previous(
        frames.get("profiles/names", pd.DataFrame()),
        frames["profiles/centroids"],
        frames.get("scales/items", pd.DataFrame()),
    )


def _run_folder(study: Study, out: str | Path | None) -> Path:
    """Return where the run goes, refusing to write over anything but an earlier run."""
    if out is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = study.folder / "runs" / stamp
        number = 2
        while folder.exists():
            folder = study.folder / "runs" / f"{stamp}-{number}"
            number += 1
        return folder
    folder = Path(os.path.abspath(out))
    recover(folder, MANIFEST)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StudyError(f"--out {folder} is a file or a link. Name a new folder.")
    if study.folder.resolve().is_relative_to(folder.resolve()):
        raise StudyError(f"--out {folder} holds the study itself. Name a folder beside or in it.")
    if folder.is_dir():
        _check_replaceable(folder)
    return folder


def _check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that holds anything psychoseg did not write."""
    names = {entry.name for entry in folder.iterdir()}
    if not names:
        return
    foreign = sorted(names - _WRITTEN)
    if foreign or not _is_ours(folder):
        what = f"holds {foreign[0]}, which is" if foreign else "is"
        raise StudyError(
            f"--out {folder} {what} not a run of psychoseg. Name an empty or a new folder."
        )


def _is_ours(folder: Path) -> bool:
    """Return whether a folder has the manifest of a run of psychoseg."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return "psychoseg" in manifest["versions"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _engines(study: Study) -> tuple[Engine, Engine | None]:
    settings = study.engine

    def make(name: str, tree: str) -> Engine:
        return get_engine(name, tree=tree, rotator=settings.rotator, time_limit=settings.time_limit)

    if settings.name != "both":
        return make(settings.name, settings.tree), None
    python, r = (
        settings.tree if settings.tree in trees_of(name) else "auto" for name in ("python", "r")
    )
    return make("python", python), make("r", r)


def _check_possible(study: Study, primary: Engine, second: Engine | None) -> None:
    """Raise, before anything is read, what the last stages would raise whatever the data are."""
    check_map(study.reduce.map)
    for engine in (primary, second):
        if engine is not None:
            engine.check(
                study.segments.method,
                weighted=study.weights is not None,
                gower=study.reduce.method == "gower",
            )


def _stages(
    study: Study, log: _Log, primary: Engine, second: Engine | None, previous: Previous | None
) -> Run:
    with log.stage("survey"):
        survey = load_survey(study)
        jobs = (*study.jobs, *tagged_jobs(study))
        check_jobs(survey, jobs)
    with log.stage("scales"):
        scales = no_scales(survey.n)
        if study.items:
            scales = fit_scales(survey, study.scales, engine=primary, rng=_rng(study, "scales"))
        check_actions(study.actions, survey, scales)
    with log.stage("segments"):
        segments = fit_segments(
            survey,
            scales if study.items else None,
            study.segments,
            reduce=study.reduce,
            engine=primary,
            rng=_rng(study, "segments"),
            progress=log.step,
        )
    agreement = None
    if second is not None:
        with log.stage("agreement"):
            agreement = compare_engines(
                survey, study, scales, segments, second, lambda stage: _rng(study, stage)
            )
    with log.stage("profiles"):
        profiles = profile_segments(
            survey,
            scales,
            segments,
            study.segments,
            options=study.profiles,
            jobs=jobs,
            actions=study.actions,
            texts=study.texts,
            previous=previous,
            rng=_rng(study, "profiles"),
        )
    ledger = pd.concat([survey.ledger, segments.excluded], ignore_index=True)
    survey = replace(survey, ledger=ledger)
    _check_count(survey, segments)
    lost = say_lost(ledger, survey.n_read)
    if lost:
        log.messages.insert(0, ("survey", lost))
    return Run(
        folder=None,
        study=study,
        survey=survey,
        scales=scales,
        segments=segments,
        profiles=profiles,
        warnings=pd.DataFrame(log.messages, columns=["stage", "message"]),
        agreement=agreement,
        manifest={},
    )


def _rng(study: Study, stage: str) -> np.random.Generator:
    """Return a stream of the stage's own, so that one stage's draws never shift another's."""
    return np.random.default_rng([study.study.seed, STAGES.index(stage)])


def _check_count(survey: Survey, segments: Segments) -> None:
    """Check that everybody who was read is either in a segment or excluded with a reason."""
    kept = int((segments.labels > 0).sum())
    excluded = survey.ledger.loc[survey.ledger["effect"] == "excluded"]
    if kept + len(excluded) != survey.n_read:
        msg = f"{survey.n_read} respondents read, but {kept} kept and {len(excluded)} excluded"
        raise RuntimeError(msg)


def _keep(
    run: Run,
    folder: Path,
    log: _Log,
    primary: Engine,
    second: Engine | None,
    write_report: WriteReport | None,
    *,
    replace_old: bool,
) -> Run:
    """Write the run folder under a temporary name, then give it its own."""
    new = [p for p in folder.parents if not p.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    partial = temporary(folder)
    partial.mkdir()
    try:
        run = replace(run, folder=folder, manifest=_manifest(run, folder, primary, second))
        types = write_tables(run, partial)
        with log.stage("report"):
            if write_report is not None:
                write_report(run, partial, run.study.report.formats)
        manifest = {
            **run.manifest,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": {stage: round(s, 3) for stage, s in log.seconds.items()},
            "warnings": [{"stage": stage, "message": text} for stage, text in log.messages],
            "tables": types,
        }
        (partial / MANIFEST).write_text(
            json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        folder = put_in_place(partial, folder, replace_old=replace_old)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in new:
            if not any(parent.iterdir()):
                parent.rmdir()
        raise
    return replace(run, folder=folder, manifest=manifest)


def _manifest(run: Run, folder: Path, primary: Engine, second: Engine | None) -> dict[str, object]:
    study = run.study
    files = [study.data.file, *(merge.file for merge in study.merge)]
    files += [d.labels for d in (study.data, *study.merge) if d.labels is not None]
    versions = {
        "psychoseg": version("psychoseg"),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pandas", "scipy", "matplotlib")},
        **primary.versions(),
        **(second.versions() if second is not None else {}),
    }
    excluded = int((run.survey.ledger["effect"] == "excluded").sum())
    return {
        "study": study.study.title,
        # Where the input files are, seen from the run.
        "study_folder": os.path.relpath(study.folder, folder),
        "engine": study.engine.name,
        "tree": run.segments.method,
        "seed": study.study.seed,
        "respondents": {
            "read": run.survey.n_read,
            "excluded": excluded,
            "kept": run.survey.n_read - excluded,
            "weights": run.survey.weight_kind,
        },
        "k": run.segments.k,
        "verdict": run.segments.verdict,
        "inputs": [_fingerprint(study.folder / file, file) for file in dict.fromkeys(files)],
        "versions": versions,
    }


def _fingerprint(path: Path, name: str) -> dict[str, object]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read any more ({error.strerror}).") from None
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
