"""The respondents that profiles describe, and what is known of each, in canonical order.

Owns which variables are described and the order in which they are summed. Computes no statistic but
bases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.naming import LEAST_ALPHA
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.inference import count_base
from psychoseg.survey.frame import survey_of_columns
from psychoseg.survey.given import FrameLike
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales
    from psychoseg.segments import Segments

__all__ = ["Kind", "Role", "Sample", "SampleVariable", "check_rows", "survey_of"]

Kind = Literal["scale", "numeric", "categorical", "choice"]
Role = Literal["scale", "active", "profile"]


@dataclass(frozen=True, slots=True)
class SampleVariable:
    """One variable of the sample.

    Attributes
    ----------
    name : str
        The scale or the column.
    label : str
        What a reader sees; of a choice, the option's label.
    role : {"scale", "active", "profile"}
    values : ndarray, shape (n,)
        NaN where missing. Of kind "categorical" the codes 0, 1, ... of ``categories``; of kind
        "choice" 1 where the option was chosen and 0 where it was not by somebody who was asked.
    categories : tuple of str or None
        None but for kind "categorical".
    set_name, set_label : str
        The multiple-response set that a choice is an option of; empty for any other kind.
    """

    name: str
    label: str
    role: Role
    values: FloatArray
    categories: tuple[str, ...] | None = None
    set_name: str = ""
    set_label: str = ""

    @property
    def kind(self) -> Kind:
        """Return what the values are."""
        if self.categories is not None:
            return "categorical"
        if self.set_name:
            return "choice"
        return "scale" if self.role == "scale" else "numeric"

    @property
    def known(self) -> BoolArray:
        """Return who answered, shape (n,)."""
        return ~np.isnan(self.values)

    def codes(self) -> IntArray:
        """Return the values as whole numbers, -1 where missing."""
        return np.where(np.isnan(self.values), -1, self.values).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Sample:
    """The segmented respondents in canonical order.

    Attributes
    ----------
    segments : tuple of int
        1 to k.
    labels : ndarray of int, shape (n,)
        The segment of each.
    weights : ndarray, shape (n,)
    counts : bool
        Whether a weight counts identical people; see ``psychoseg.stats.inference``.
    variables : tuple of SampleVariable
        Scales, then columns, as the survey has them.
    rows : ndarray of int, shape (n,)
        Their positions in the survey.
    weak : frozenset of str
        Scales whose alpha is too low for them to name or describe anybody.

    Notes
    -----
    Sorted by segment, weight and answers, so that neither rows nor columns in another order move a
    sum by a last bit; by id last, among respondents who answered all alike.
    """

    segments: tuple[int, ...]
    labels: IntArray
    weights: FloatArray
    counts: bool
    variables: tuple[SampleVariable, ...]
    rows: IntArray
    weak: frozenset[str] = frozenset()

    @classmethod
    def of(cls, survey: Survey, scales: Scales | None, segments: Segments) -> Sample:
        """Gather the respondents who have a segment."""
        every = [*_scale_variables(scales), *_column_variables(survey, segments)]
        labels = np.asarray(segments.labels, dtype=np.intp)
        weights = np.asarray(survey.weights, dtype=np.float64)
        rows = np.flatnonzero(labels > 0)
        answers = [v.values for v in sorted(every, key=lambda v: v.name, reverse=True)]
        rows = _sorted_rows(rows, [labels, weights, *answers], survey.ids)
        return cls(
            segments=tuple(range(1, segments.k + 1)),
            labels=labels[rows],
            weights=weights[rows],
            counts=survey.weight_kind != "sampling",
            variables=tuple(replace(v, values=v.values[rows]) for v in every),
            rows=rows,
            weak=_weak_scales(scales),
        )

    def variable(self, name: str, role: str) -> SampleVariable:
        """Return a variable; a scale and a column may have the same name."""
        return next(v for v in self.variables if (v.name, v.role) == (name, role))

    def option(self, set_name: str, label: str) -> SampleVariable:
        """Return the option of a multiple-response set that has a label."""
        return next(v for v in self.variables if (v.set_name, v.label) == (set_name, label))

    def chosen(self, *, kind: str, variable: str, role: str, category: str) -> FloatArray:
        """Return who is counted in a row of ``Profiles.shares``: 1, 0, or NaN where missing."""
        if kind == "choice":
            return self.option(variable, category).values
        found = self.variable(variable, role)
        code = (found.categories or ()).index(category)
        return np.where(found.known, found.values == code, np.nan)

    def base(self, use: BoolArray) -> tuple[int, float, float]:
        """Return the rows, the weighted and the effective size of some of the sample."""
        base = count_base(self.weights[use], counts=self.counts)
        return base.rows, base.weighted, base.effective

    def people(self, use: BoolArray) -> float:
        """Return how many people some rows of the sample are."""
        return count_base(self.weights[use], counts=self.counts).people


def survey_of(
    frame: FrameLike,
    scales: Scales | None,
    segments: Segments,
    weights: str | npt.ArrayLike | None,
) -> Survey:
    """Return a survey that has columns and nothing else, their roles left to the features."""
    points = segments.points
    kind = "sampling" if weights is not None or scales is None else scales.weight_kind
    if weights is None and scales is not None:
        weights = scales.weights
    if weights is None and not np.allclose(points["weight"], points["n"]):
        raise DataError(
            "the segments were made with weights. Give them here too, weights=..., or pass the "
            "Survey that was segmented."
        )
    survey = survey_of_columns(
        frame, weights=weights, weight_kind=kind, use="profile", what="the profiles"
    )
    return replace(survey, codebook={})


def check_rows(survey: Survey, scales: Scales | None, segments: Segments) -> None:
    """Raise a DataError where the three do not have the same number of respondents."""
    lengths = {"survey": survey.n, "segments": len(segments.labels)}
    if scales is not None:
        lengths["scales"] = len(scales.scores)
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise DataError(
            f"profile_segments needs the same respondents everywhere, but found: {found}. "
            "Pass the survey and scales that the segments were made from."
        )


def _sorted_rows(rows: IntArray, keys: Sequence[FloatArray | IntArray], ids: pd.Series) -> IntArray:
    """Return the rows sorted by the keys, the first key first, and by id last; missing is last.

    Once a row differs from all others the later keys are not looked at: a million respondents are
    told apart by a few of a hundred variables.
    """
    order = rows[np.argsort(keys[0][rows], kind="stable")]
    # Runs of rows that are equal so far, and where they start.
    starts = _starts(keys[0][order])
    for key in keys[1:]:
        at, run = _tied(starts)
        if not len(at):
            return order
        values = key[order[at]]
        sort = np.lexsort((values, run))
        order[at] = order[at[sort]]
        starts[at] |= _starts(values[sort])
    at, run = _tied(starts)
    order[at] = order[at[np.lexsort((ids.iloc[order[at]].astype(str).to_numpy(dtype=str), run))]]
    return order


def _starts(values: FloatArray | IntArray) -> BoolArray:
    """Return where sorted values change, and the first."""
    new = np.ones(len(values), dtype=bool)
    new[1:] = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return new


def _tied(starts: BoolArray) -> tuple[IntArray, IntArray]:
    """Return the positions in runs of two or more, and the run of each."""
    ends = np.append(starts[1:], True)
    at = np.flatnonzero(~(starts & ends))
    run: IntArray = np.cumsum(starts, dtype=np.intp)[at]
    return at, run


def _weak_scales(scales: Scales | None) -> frozenset[str]:
    if scales is None:
        return frozenset()
    alphas = zip(scales.table["scale"], scales.table["alpha"], strict=True)
    return frozenset(str(name) for name, alpha in alphas if alpha < LEAST_ALPHA)


def _scale_variables(scales: Scales | None) -> list[SampleVariable]:
    if scales is None:
        return []
    labels = dict(zip(scales.table["scale"], scales.table["label"], strict=True))
    return [
        SampleVariable(
            str(name), str(labels.get(name, name)), "scale", _floats(scales.scores[name])
        )
        for name in scales.scores.columns
    ]


def _column_variables(survey: Survey, segments: Segments) -> list[SampleVariable]:
    made_of = segments.features.loc[segments.features["kind"] != "scale", "feature"].astype(str)
    out = []
    for name in survey.columns.columns:
        column, label = survey.columns[name], survey.label(name)
        line = survey.codebook.get(name)
        if line is not None:
            active = line.role == "active"
        else:
            # The features that fit_segments makes of a column.
            own = made_of.isin([name, f"{name} (column)"]) | made_of.str.startswith(f"{name}=")
            active = bool(own.any())
        role: Role = "active" if active else "profile"
        if line is not None and line.kind == "choice":
            made = SampleVariable(
                str(name),
                label,
                role,
                _floats(column),
                set_name=line.block,
                set_label=line.question or line.block,
            )
        elif isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(np.float64)
            categories = tuple(str(c) for c in column.cat.categories)
            values = np.where(codes < 0, np.nan, codes)
            made = SampleVariable(str(name), label, role, values, categories)
        else:
            made = SampleVariable(str(name), label, role, _floats(column))
        out.append(made)
    return out


def _floats(column: pd.Series) -> FloatArray:
    # Adding zero turns -0.0 into 0.0: equal, but with other bytes in a sum.
    return column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
