"""Two engines held against each other, stage by stage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from psychoseg.engines.base import Engine
from psychoseg.scales import Scales, fit_scales
from psychoseg.segments import Segments, fit_segments
from psychoseg.stats.factor import match_factors
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import Study
from psychoseg.survey.table import Survey

__all__ = ["compare_engines"]


def compare_engines(
    survey: Survey,
    study: Study,
    scales: Scales,
    segments: Segments,
    other: Engine,
    rng: Callable[[str], np.random.Generator],
) -> pd.DataFrame:
    """Run scales and segments again with another engine and report how far the two agree.

    Parameters
    ----------
    survey : Survey
    study : Study
    scales, segments
        What the first engine found.
    other : Engine
    rng : callable
        Gives a stage's own random stream by the stage's name: the same for both engines.

    Returns
    -------
    pandas.DataFrame
        ``stage, measure, what, value``: largest difference of a correlation and of a loading,
        Tucker's congruence of each factor, number of factors and segments in each, adjusted Rand
        index of the segments over the respondents both have segmented, largest relative difference
        of a merge height.
    """
    again = fit_scales(survey, study.scales, engine=other, rng=rng("scales"))
    settings = study.segments.model_copy(update={"audits": False, "consensus": False})
    resegmented = fit_segments(
        survey, again, settings, reduce=study.reduce, engine=other, rng=rng("segments")
    )
    a = scales.loadings.to_numpy(np.float64)
    b = again.loadings.to_numpy(np.float64)
    rows, columns, congruence = match_factors(a, b)
    turned = b[:, columns] * np.sign(congruence)
    corr = np.abs(scales.corr.to_numpy() - again.corr.to_numpy()).max()
    lines: list[tuple[str, str, str, float]] = [
        ("scales", "largest difference of a correlation", "all pairs of items", float(corr)),
        ("scales", "number of factors", other.name, float(b.shape[1])),
        (
            "scales",
            "largest difference of a loading",
            "all items and matched factors",
            float(np.abs(a[:, rows] - turned).max()),
        ),
    ]
    lines += [
        ("scales", "Tucker congruence", f"F{i + 1}", float(abs(c)))
        for i, c in zip(rows, congruence, strict=True)
    ]
    ours, theirs = segments.labels.to_numpy(), resegmented.labels.to_numpy()
    both = (ours > 0) & (theirs > 0)
    lines += [
        ("segments", "number of segments", other.name, float(resegmented.k)),
        (
            "segments",
            "adjusted Rand index",
            f"{int(both.sum())} respondents",
            adjusted_rand(ours[both], theirs[both]),
        ),
    ]
    if len(segments.tree) == len(resegmented.tree):
        heights, others = segments.tree[:, 2], resegmented.tree[:, 2]
        lines.append(
            (
                "segments",
                "largest relative difference of a merge height",
                f"{len(heights)} merges",
                float(np.abs(heights - others).max() / heights.max()),
            )
        )
    return pd.DataFrame(lines, columns=["stage", "measure", "what", "value"])
