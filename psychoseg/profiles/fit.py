"""``profile_segments``: who each segment is, what sets it apart, how sure that is, what to call it.

Owns the order of the steps. The tables are made in ``tables`` and ``by_k``, the statistics in
``psychoseg.stats``. Never reads or writes a file, and never changes a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, tell
from psychoseg.naming import Driver, say_driver
from psychoseg.profiles.actions import rank_actions
from psychoseg.profiles.by_k import cut_profiles, cut_summary, cuts_of
from psychoseg.profiles.centroids import find_centroids
from psychoseg.profiles.drivers import find_drivers
from psychoseg.profiles.importance import fit_importance
from psychoseg.profiles.jobs import job_table
from psychoseg.profiles.names import Previous, carry_names
from psychoseg.profiles.personas import write_personas
from psychoseg.profiles.protect import shown_cells
from psychoseg.profiles.result import Profiles
from psychoseg.profiles.sample import Sample, check_rows, survey_of
from psychoseg.profiles.tables import means_table, shares_table, tests_table
from psychoseg.profiles.typical import typical_answers
from psychoseg.profiles.words import distinctive_words
from psychoseg.scales import Scales
from psychoseg.segments.inputs import aligned_scales, aligned_segments
from psychoseg.stats.arrays import one_thread
from psychoseg.study_report import Action, Job, OpenText, ProfilesSettings
from psychoseg.survey.given import FrameLike, generator_of
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.segments import Segments
    from psychoseg.study import SegmentsSettings

__all__ = ["profile_segments"]


@one_thread
def profile_segments(
    survey: Survey | FrameLike,
    scales: Scales | None,
    segments: Segments,
    settings: SegmentsSettings | None = None,
    *,
    weights: str | npt.ArrayLike | None = None,
    options: ProfilesSettings | None = None,
    jobs: Sequence[Job] = (),
    actions: Sequence[Action] = (),
    texts: Sequence[OpenText] = (),
    previous: Previous | None = None,
    random_state: int | np.random.Generator | None = None,
    rng: np.random.Generator | None = None,
) -> Profiles:
    """Describe each segment: means, shares, tests, drivers, a persona, what suits it.

    Parameters
    ----------
    survey : Survey or DataFrame, shape (n, any)
        The respondents that were segmented, matched by the index; or a frame of columns to describe
        them with, of which ids, dates, open text and empty columns are left out and told; those
        that the segments were made of are known by name.
    scales : Scales, optional
        None where the segments were made of columns alone.
    segments : Segments
        Respondents of label 0 take no part in anything.
    settings : SegmentsSettings, optional
        Its ``names`` and ``texts`` replace what is suggested.
    weights : str, Series or array of shape (n,), optional
        Of a frame, as :func:`psychoseg.fit_segments` takes them.
    options : ProfilesSettings, optional
        The least base of a figure, and the correction behind the column letters.
    jobs, actions, texts : sequence
        What the study file says of them.
    previous : Previous, optional
        The run that the keys of ``settings.names`` were given for; see
        :func:`psychoseg.profiles.names.carry_names`.
    random_state : int or numpy.random.Generator, optional
        For held-out accuracy; 1 where absent.
    rng : numpy.random.Generator, optional
        The same as ``random_state``.

    Returns
    -------
    Profiles

    Raises
    ------
    DataError
        Where the three do not have the same respondents, segments made with weights meet a frame
        without, or its columns or index repeat.
    StudyError
        Where an action or a job names what is not there.

    Warns
    -----
    PsychosegWarning
        Where ``settings.names`` names a segment that is not there, or gives two segments one name.

    Notes
    -----
    Sampling and frequency weights enter as ``psychoseg.stats.inference`` says; a missing answer
    leaves its respondent out of that variable only, and the base says so. p-values are adjusted by
    Benjamini and Hochberg (1995) over the profile columns. Figures on fewer people than
    ``options.min_base`` are hidden, and neither drive, name nor are told. Every other cut of the
    tree is described from the same sums. Sums run in an order given by the answers, so the order of
    rows changes nothing.

    Examples
    --------
    >>> import psychoseg
    >>> answers = psychoseg.example_answers()
    >>> quick = psychoseg.SegmentsSettings(bootstrap=10, null_replicates=39, audits=False)
    >>> items = [name for name in answers if name.startswith("q")]
    >>> segments = psychoseg.fit_segments(answers[items], settings=quick, k=3)
    >>> profiles = psychoseg.profile_segments(answers[["age", "region"]], None, segments)
    >>> profiles.tests["variable"].tolist()
    ['age', 'region']
    """
    options = options or ProfilesSettings()
    if isinstance(segments, Scales):
        msg = "scales come before segments: profile_segments(df, scales, segments)."
        raise TypeError(msg)
    rng = generator_of(rng, random_state)
    if not isinstance(survey, Survey):
        survey = survey_of(survey, scales, segments, weights)
    elif weights is not None:
        raise DataError(
            "weights are for a DataFrame; a Survey has its own. Give them to Survey.from_frame."
        )
    check_rows(survey, scales, segments)
    scales = None if scales is None else aligned_scales(survey, scales)
    segments = aligned_segments(survey, segments)
    sample = Sample.of(survey, scales, segments)
    k, min_base = segments.k, options.min_base
    correction, scope = options.correction, options.letters_scope

    cuts = cuts_of(sample, segments)
    own = cuts.into[k]
    shown = shown_cells(cuts.gathered, cuts.into, reported=k, min_base=min_base)
    means = means_table(cuts.gathered, own, k, shown.means[k], correction=correction, scope=scope)
    shares = shares_table(
        cuts.gathered, own, k, shown.shares[k], correction=correction, scope=scope
    )
    _tell_hidden(min_base, means, shares)
    by_k, tables = cut_profiles(cuts, shown, means, shares, k=k)
    drivers = find_drivers(sample, means, shares)
    importance, model, rules = fit_importance(sample, rng, min_base=min_base)
    centroids = find_centroids(sample, survey, scales, segments)
    typical, typical_rows = typical_answers(sample, segments, min_base)
    words, quotes = distinctive_words(survey, sample, texts, min_base)
    if previous is not None and scales is not None:
        previous = previous.renamed(scales.items)
    names, portraits, anchors = carry_names(segments, centroids, settings, previous)
    personas, facts = write_personas(
        sample, segments, drivers, means, shares, names, portraits, min_base
    )
    personas["typical_row"] = [typical_rows[s] for s in personas["segment"]]
    called = dict(zip(personas["segment"], personas["name"], strict=True))
    return Profiles(
        means=means,
        shares=shares,
        tests=tests_table(
            sample,
            _variables_where("hidden", means, shares),
            _variables_where("no total", means, shares),
        ),
        drivers=pd.DataFrame(
            [
                (s, rank, *driver, say_driver(driver))
                for s in sample.segments
                for rank, driver in enumerate(drivers[s], start=1)
            ],
            columns=["segment", "rank", *Driver._fields, "text"],
        ),
        personas=personas,
        typical=typical,
        by_k=by_k,
        cuts=cut_summary(sample, segments, cuts, tables, drivers, called),
        importance=importance,
        model=model,
        rules=rules,
        facts=facts,
        actions=rank_actions(actions, means, shares, {v.name: v.label for v in sample.variables}),
        jobs=job_table(survey, sample, jobs, min_base),
        words=words,
        quotes=quotes,
        names=anchors,
        centroids=centroids,
    )


def _variables_where(
    what: Literal["hidden", "no total"], *tables: pd.DataFrame
) -> set[tuple[str, str]]:
    """Return variables, by name and role, of which a cell is hidden, or the total not known."""
    found: set[tuple[str, str]] = set()
    for table in tables:
        where = table["hidden"].astype(bool) if what == "hidden" else table["total"].isna()
        part = table[where]
        found |= {*zip(part["variable"], part["role"], strict=True)}
    return found


def _tell_hidden(min_base: int, *tables: pd.DataFrame) -> None:
    hidden = sum(int(table["hidden"].sum()) for table in tables)
    if hidden:
        labels = {str(x) for t in tables for x in t.loc[t["hidden"].astype(bool), "label"]}
        tell(
            f"{hidden} of {sum(map(len, tables))} figures of the segments are not shown, of "
            f"{', '.join(sorted(labels))}: fewer than {min_base} people answered, or such a figure "
            "could be worked out by subtraction. [profiles] min_base says how many it takes."
        )
