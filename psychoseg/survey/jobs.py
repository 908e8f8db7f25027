"""Jobs that a labels file tags: which items ask how important they are, and how satisfied people.

Knows only the labels files; whether the columns are there is for ``select`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from psychoseg.errors import DataError
from psychoseg.study import DataFile, Job, Study
from psychoseg.survey.raw import TextTable, quoted_list
from psychoseg.survey.read import read_table

__all__ = ["tagged_jobs"]

_MEASURES = ("importance", "satisfaction")
_KINDS = ("job", "outcome")


def tagged_jobs(study: Study) -> tuple[Job, ...]:
    """Return the jobs that the labels files of a study tag, in their order.

    A row of a labels file is tagged by the columns ``job`` (what people want done), ``measure``
    ("importance" or "satisfaction") and, where wanted, ``kind`` ("job" or "outcome", the latter
    where empty). The two rows of a job name the columns that ask about it.

    Parameters
    ----------
    study : Study
        Its ``data.labels`` and the ``labels`` of its merged files are read.

    Returns
    -------
    tuple of Job
        Empty where no file has the column ``job``.

    Raises
    ------
    DataError
        Where a job lacks one of its two columns or has two for one, a measure or kind is unknown,
        or the study file has the job as well; all of them at once.
    """
    pairs: dict[str, _Pair] = {}
    problems: list[str] = []
    files = [file.labels for file in (study.data, *study.merge) if file.labels]
    for file in dict.fromkeys(files):
        table = read_table(DataFile(file=file, missing=()), study.folder)
        if {"name", "job"} <= set(table.cells.columns):
            _gather(table, pairs, problems)
    own = {job.label for job in study.jobs}
    for label, pair in pairs.items():
        for measure in _MEASURES:
            names = pair.columns[measure]
            if not names:
                problems.append(
                    f"job {label!r} has no row with measure {measure}. Tag the column that asks "
                    "it, or clear the job."
                )
            elif len(names) > 1:
                problems.append(
                    f"job {label!r} has {len(names)} rows with measure {measure}: "
                    f"{quoted_list(names)}. Keep one."
                )
        if set(pair.columns["importance"]) & set(pair.columns["satisfaction"]):
            problems.append(f"job {label!r} has one column for both measures. Tag two.")
        if len(pair.kinds) > 1:
            problems.append(f"job {label!r} is a job in one row and an outcome in another.")
        if label in own:
            problems.append(f"job {label!r} is in [[jobs]] of the study as well. Keep one of them.")
    if problems:
        many = "s" if len(problems) > 1 else ""
        head = f"{', '.join(dict.fromkeys(files))}: {len(problems)} problem{many} with its jobs:"
        raise DataError("\n".join([head, *(f"  - {p}" for p in problems)]))
    return tuple(
        Job(
            label=label,
            importance=pair.columns["importance"][0],
            satisfaction=pair.columns["satisfaction"][0],
            kind=cast("Literal['job', 'outcome']", pair.kinds[0] if pair.kinds else "outcome"),
        )
        for label, pair in pairs.items()
    )


@dataclass(slots=True)
class _Pair:
    """The columns of one job as they are met, by measure, and its kinds."""

    columns: dict[str, list[str]] = field(default_factory=lambda: {m: [] for m in _MEASURES})
    kinds: list[str] = field(default_factory=list)


def _gather(table: TextTable, pairs: dict[str, _Pair], problems: list[str]) -> None:
    blank = [""] * len(table.cells)
    parts = [
        table.cells[name].tolist() if name in table.cells else blank
        for name in ("name", "job", "measure", "kind")
    ]
    for row, name, job, measure, kind in zip(table.rows, *parts, strict=True):
        place = f"{table.file}, row {row} ({name})"
        if not job:
            # The kind of an untagged row may be the file's own.
            if measure.lower() in _MEASURES:
                problems.append(f"{place}: measure {measure!r} without a job. Name the job.")
            continue
        if measure.lower() not in _MEASURES:
            problems.append(f"{place}: measure {measure!r} should be importance or satisfaction.")
            continue
        pair = pairs.setdefault(job, _Pair())
        pair.columns[measure.lower()].append(name)
        if kind and kind.lower() not in _KINDS:
            problems.append(f"{place}: kind {kind!r} should be job or outcome.")
        elif kind and kind.lower() not in pair.kinds:
            pair.kinds.append(kind.lower())
