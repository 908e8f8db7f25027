"""Jobs to be done: how much each outcome matters, how satisfied people are, and the opportunity.

Owns which answers count as important or satisfied. The score is in ``psychoseg.stats.opportunity``.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.errors import StudyError
from psychoseg.profiles.protect import shown_beside_total
from psychoseg.profiles.sample import Sample
from psychoseg.stats.arrays import BoolArray, FloatArray
from psychoseg.stats.opportunity import score_opportunities
from psychoseg.study_report import Job
from psychoseg.survey.table import Survey

__all__ = ["JOB_COLUMNS", "check_jobs", "job_table"]

JOB_COLUMNS = (
    "segment", "job", "label", "kind", "importance", "satisfaction", "opportunity", "low", "high",
    "base", "hidden", "top",
)  # fmt: skip

#: Answers that count as "top" where the study names none: Ulwick's (2005) upper two of five.
_TOP = 2
#: The most steps of which two are "top": those of a 0 to 10 scale. More is a slider.
_MOST_STEPS = 11
#: How far up its range the error's example of a ``top`` lies: the upper two of five again.
_EXAMPLE = 0.75


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question of a job: who gave a top answer (1, 0, NaN for none), and which those are."""

    top: FloatArray
    rule: str


def job_table(survey: Survey, sample: Sample, jobs: Sequence[Job], min_base: int) -> pd.DataFrame:
    """Score every job in every segment, and among all who have one.

    Parameters
    ----------
    survey : Survey
    sample : Sample
    jobs : sequence of Job
        Each with the items or numeric or ordinal columns that ask how important it is and how
        satisfied people are.
    min_base : int
        A score on fewer people is hidden, and one that would give away, by subtraction, such a
        figure of another segment or of a profile table.

    Returns
    -------
    DataFrame
        ``segment`` (0: all), ``job`` (from 1, in the order of the study), ``label, kind,
        importance, satisfaction`` (share of top answers times 10), ``opportunity, low, high`` (0 to
        20), ``base`` (people who answered both), ``hidden``, ``top`` (which answers counted, in
        words).

    Raises
    ------
    StudyError
        Where a job names no such question, the upper two answers of a question are not known (it
        has more than 11 steps, or any number), or ``top`` lets everybody count, or nobody.

    Notes
    -----
    The upper two answers are those of the labelled codes where every answer is one of them, else
    the upper end of the answer scale and the number below it; of an ordinal column its last two
    categories, which are numbered from 1. A reverse-keyed item is turned first.
    """
    if not jobs:
        return pd.DataFrame(columns=list(JOB_COLUMNS))
    asked = _asked(survey, jobs)
    everybody = np.zeros(len(sample.labels), dtype=np.intp)
    rows = []
    for number, (job, (important, satisfied)) in enumerate(zip(jobs, asked, strict=True), start=1):
        i, s = important.top[sample.rows], satisfied.top[sample.rows]
        rule = f"important: {important.rule}, satisfied: {satisfied.rule}"
        both = ~np.isnan(i) & ~np.isnan(s)
        people = np.bincount(
            sample.labels[both] - 1,
            weights=sample.weights[both] if sample.counts else None,
            minlength=len(sample.segments),
        )
        by_segment, overall = shown_beside_total(people, min_base)
        if min_base > 1 and _gives_away(sample, job, both, min_base):
            by_segment, overall = np.zeros_like(by_segment), False
        seen = {0: overall, **dict(zip(sample.segments, by_segment, strict=True))}
        for groups, segments in ((everybody, (0,)), (sample.labels - 1, sample.segments)):
            found = score_opportunities(
                i, s, groups, sample.weights, n_groups=len(segments), counts=sample.counts
            )
            base = np.bincount(groups[both], minlength=len(segments))
            for place, segment in enumerate(segments):
                hidden = not seen[segment]
                figures = (
                    found.importance[place],
                    found.satisfaction[place],
                    found.opportunity[place],
                    found.low[place],
                    found.high[place],
                    float(base[place]),
                )
                shown = (np.nan,) * len(figures) if hidden else tuple(float(f) for f in figures)
                rows.append((segment, number, job.label, job.kind, *shown, hidden, rule))
    rows.sort(key=lambda row: (row[0], row[1]))

    return pd.DataFrame(rows, columns=list(JOB_COLUMNS))


def check_jobs(survey: Survey, jobs: Sequence[Job]) -> None:
    """Raise, before there are segments, the StudyError that :func:`job_table` would raise."""
    if jobs:
        _asked(survey, jobs)


def _gives_away(sample: Sample, job: Job, both: BoolArray, min_base: int) -> bool:
    """Return whether a profiled column less the score would be a figure on too few people.

    These are the people of a segment who answered one question and not the other.
    """
    for v in sample.variables:
        if v.role == "scale" or v.name not in (job.importance, job.satisfaction):
            continue
        one_alone = np.bincount(sample.labels[v.known & ~both] - 1, minlength=len(sample.segments))
        if ((one_alone > 0) & (one_alone < min_base)).any():
            return True
    return False


def _asked(survey: Survey, jobs: Sequence[Job]) -> list[tuple[_Asked, _Asked]]:
    """Return for each job how important it is and how satisfied people are."""
    problems: list[str] = []
    keyed: pd.DataFrame = survey.keyed_items()
    out = []
    for job in jobs:
        pair = []
        for asks, name in (("importance", job.importance), ("satisfaction", job.satisfaction)):
            place = f"[[jobs]] {job.label!r}, {asks} = {name!r}"
            try:
                pair.append(_ask(survey, keyed, name, job.top, place))
            except StudyError as error:
                problems.append(str(error))
        if len(pair) == 2:
            out.append((pair[0], pair[1]))
    if problems:
        raise StudyError("\n".join(problems))
    return out


def _ask(survey: Survey, keyed: pd.DataFrame, name: str, top: float | None, place: str) -> _Asked:
    if name not in keyed.columns and name not in survey.columns.columns:
        known = [str(c) for c in (*keyed.columns, *survey.columns.columns)]
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        raise StudyError(
            f"{place}: there is no item or column of this name. Did you mean "
            f"{' or '.join(map(repr, close))}?"
        )
    line = survey.codebook.get(name)
    labelled = sorted(line.value_labels) if line else []
    codes: list[float] = []
    steps: tuple[str, ...] = ()
    turned = False
    if name in keyed.columns:
        x = keyed[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if line is not None and line.low is not None and line.high is not None:
            turned = line.reversed
            if turned:
                labelled = sorted(line.low + line.high - c for c in labelled)
            codes = [float(c) for c in np.arange(line.low, line.high + 1)]
    elif isinstance(survey.columns[name].dtype, pd.CategoricalDtype):
        if line is None or line.kind != "ordinal":
            raise StudyError(
                f"{place}: its answers have no order. Name an item, a numeric column, or one with "
                'type = "ordinal".'
            )
        ranks = survey.columns[name].cat.codes.to_numpy().astype(np.float64)
        x = np.where(ranks < 0, np.nan, ranks + 1)
        steps = tuple(map(str, line.categories))
        codes, labelled = [float(c) for c in range(1, len(steps) + 1)], []
    else:
        x = survey.columns[name].to_numpy(dtype=np.float64, na_value=np.nan)
    possible = codes or labelled
    # Often the ends alone have labels: they are the answers only where nothing else was answered.
    if len(labelled) > _TOP and np.isin(x[~np.isnan(x)], labelled).all():
        codes = labelled
    least = _upper_two(x, codes, place) if top is None else top
    if top is not None:
        _check_top(top, possible if len(possible) else x[~np.isnan(x)], place)
    return _Asked(
        np.where(np.isnan(x), np.nan, (x >= least).astype(np.float64)),
        _rule(least, steps, turned=turned),
    )


def _upper_two(x: FloatArray, codes: Sequence[float], place: str) -> float:
    """Return the lower of the upper two answers, where there are few enough of them."""
    if _TOP <= len(codes) <= _MOST_STEPS:
        return codes[-_TOP]
    ends = codes or x[~np.isnan(x)].tolist()
    if not ends:
        raise StudyError(f"{place}: nobody answered it. Leave this job out.")
    low, high = min(ends), max(ends)
    example = min(float(np.ceil(low + _EXAMPLE * (high - low))), high)
    raise StudyError(
        f"{place}: which answers are its upper two is not known (it holds {_say(low)} to "
        f"{_say(high)}). Add top = the lowest answer that counts, such as top = {_say(example)}."
    )


def _check_top(top: float, answers: Collection[float], place: str) -> None:
    if not len(answers):
        return
    low, high = min(answers), max(answers)
    if low < top <= high:
        return
    raise StudyError(
        f"{place}: with top = {_say(top)} {'nobody' if top > high else 'everybody'} would count: "
        f"its answers are {_say(low)} to {_say(high)}. Choose top above {_say(low)} and at most "
        f"{_say(high)}."
    )


def _rule(least: float, steps: Sequence[str], *, turned: bool) -> str:
    if steps:
        first = int(np.ceil(least))
        return f"'{steps[first - 1]}'" + (" or more" if first < len(steps) else "")
    return f"{_say(least)} or more" + (" (answers turned)" if turned else "")


def _say(value: float) -> str:
    return f"{value:.10g}"
