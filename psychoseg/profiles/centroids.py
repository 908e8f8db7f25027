"""The centre of each segment in the features that it was made of, in their own units.

Owns what ``Profiles.centroids`` keeps, so that a later run can tell which of its segments is which
of these. Never matches segments (``names`` does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.profiles.sample import Sample
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.groups import group_means, sum_groups
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales
    from psychoseg.segments import Segments

__all__ = ["CENTROID_COLUMNS", "COLUMN_SUFFIX", "find_centroids"]

CENTROID_COLUMNS = ("segment", "feature", "value")

#: What ``features`` adds to a column that is called as a scale is.
COLUMN_SUFFIX = " (column)"


def find_centroids(
    sample: Sample, survey: Survey, scales: Scales | None, segments: Segments
) -> pd.DataFrame:
    """Return the weighted mean of each active feature in each segment.

    Returns
    -------
    DataFrame
        ``segment, feature, value``; of a category its share, of an ordinal column its mean rank
        (0, 1, ...). Features as ``segments.features`` has them.
    """
    table = segments.features
    names = [str(name) for name in table["feature"]] if len(table) else []
    kinds = [str(kind) for kind in table["kind"]] if len(table) else []
    rows = []
    for feature, kind in zip(names, kinds, strict=True):
        values = _values(feature, kind, survey, scales)
        if values is None:
            continue
        sums = sum_groups(
            values[sample.rows],
            sample.labels - 1,
            sample.weights,
            n_groups=len(sample.segments),
            counts=sample.counts,
        )
        centre = group_means(sums).value
        rows += [(s, feature, v) for s, v in zip(sample.segments, centre, strict=True)]
    found = pd.DataFrame(rows, columns=list(CENTROID_COLUMNS))
    return found.sort_values("segment", kind="stable", ignore_index=True)


def _values(feature: str, kind: str, survey: Survey, scales: Scales | None) -> FloatArray | None:
    """Return a feature of all respondents (n,), None where the survey does not have it."""
    if kind == "scale":
        if scales is None or feature not in scales.scores.columns:
            return None
        return _floats(scales.scores[feature])
    plain = feature
    while plain.endswith(COLUMN_SUFFIX) and plain not in survey.columns.columns:
        plain = plain.removesuffix(COLUMN_SUFFIX)
    if kind == "category":
        return _indicator(plain, survey)
    if plain not in survey.columns.columns:
        return None
    column = survey.columns[plain]
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return _floats(column)
    ranks = column.cat.remove_unused_categories().cat.codes.to_numpy().astype(np.float64)
    return np.where(ranks < 0, np.nan, ranks)


def _indicator(feature: str, survey: Survey) -> FloatArray | None:
    """Return who has the category of a feature called "column=category"."""
    for name in survey.columns.columns:
        column = survey.columns[name]
        if not feature.startswith(f"{name}=") or not isinstance(column.dtype, pd.CategoricalDtype):
            continue
        wanted = feature.removeprefix(f"{name}=")
        for code, category in enumerate(column.cat.categories):
            if str(category) == wanted:
                codes = column.cat.codes.to_numpy()
                return np.where(codes < 0, np.nan, codes == code)
    return None


def _floats(column: pd.Series) -> FloatArray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
