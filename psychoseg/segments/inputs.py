"""What ``fit_segments`` is given, brought to one survey and its scales, row by row the same people.

Never segments anybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, tell
from psychoseg.survey.frame import survey_from_frame, survey_of_columns
from psychoseg.survey.given import FrameLike, matching_rows
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales
    from psychoseg.segments.result import Segments

__all__ = ["aligned_scales", "aligned_segments", "survey_and_scales", "tell_excluded"]


def survey_and_scales(
    survey: Survey | FrameLike | Scales,
    scales: Scales | None,
    weights: str | npt.ArrayLike | None,
) -> tuple[Survey, Scales | None]:
    """Return a survey whose active columns are those of a frame, and the scales of its rows.

    Parameters
    ----------
    survey : Survey, frame or Scales
        Scales alone are segmented without any column.
    scales : Scales or None
    weights : str or array-like, optional
        Of a frame or of Scales; where absent, those of the scales.

    Returns
    -------
    survey : Survey
    scales : Scales or None
        In the order of the survey.

    Raises
    ------
    DataError
        Where the two have other rows, or weights are given beside a Survey, which has its own.
    TypeError
        Where ``scales`` are none.
    """
    from psychoseg.scales import Scales

    if isinstance(survey, Scales):
        if scales is not None:
            raise DataError("scales were given twice. Give them first or second.")
        scales = survey
        kind = scales.weight_kind if weights is None else "sampling"
        survey = survey_from_frame(
            scales.scores[[]],
            items=[],
            weights=scales.weights if weights is None else weights,
            weight_kind="frequency" if kind == "frequency" else "sampling",
        )
        weights = None
    if scales is not None and not isinstance(scales, Scales):
        msg = (
            f"the second argument is a {type(scales).__name__}; it takes the result of "
            "fit_scales. Give settings by name: fit_segments(df, k=4)."
        )
        raise TypeError(msg)
    if not isinstance(survey, Survey):
        survey = survey_of_columns(
            survey,
            weights=scales.weights if weights is None and scales is not None else weights,
            weight_kind="sampling" if weights is not None or scales is None else scales.weight_kind,
            use="active",
            what="the segmentation",
        )
    elif weights is not None:
        raise DataError(
            "weights are for a DataFrame; a Survey has its own. Give them to Survey.from_frame."
        )
    return survey, None if scales is None else aligned_scales(survey, scales)


def aligned_scales(survey: Survey, scales: Scales) -> Scales:
    """Return the scales with the scores of each respondent in the survey's order, by the index."""
    if len(scales.scores) != survey.n:
        raise DataError(
            f"the scales have {len(scales.scores)} respondents and the survey {survey.n}. Give the "
            "rows that the scales were fitted on."
        )
    at = matching_rows(survey.rows, scales.scores.index, what="the scales", of="the survey")
    if np.array_equal(at, np.arange(len(at))):
        return scales
    weights = None if scales.weights is None else scales.weights.iloc[at]
    return replace(scales, scores=scales.scores.iloc[at], weights=weights)


def aligned_segments(survey: Survey, segments: Segments) -> Segments:
    """Return the segments with everybody in the survey's order, by the index."""
    if len(segments.labels) != survey.n:
        return segments
    at = matching_rows(survey.rows, segments.labels.index, what="the segments", of="the survey")
    if np.array_equal(at, np.arange(len(at))):
        return segments
    return replace(
        segments,
        labels=segments.labels.iloc[at],
        point_of=segments.point_of[at],
        silhouette=segments.silhouette.iloc[at],
        certainty=segments.certainty.iloc[at],
    )


def tell_excluded(gaps: pd.DataFrame, n: int) -> None:
    """Say how many have no segment, and what they lack; nothing where nobody does."""
    if gaps.empty:
        return
    counts = gaps["reason"].value_counts()
    shown = [f"{reason}: {count}" for reason, count in counts.head(5).items()]
    rest = f"; {len(counts) - 5} other combinations" if len(counts) > 5 else ""
    tell(
        f"{len(gaps)} of {n} respondents are in no segment (label 0), since they lack a value that "
        f"forms segments ({'; '.join(shown)}{rest}). Segments.excluded names them"
    )
