"""Profiles: who each segment is, what sets it apart, how sure that is, and what to call it.

Owns the tables that the report prints and the choice of drivers, names and typical respondents. The
statistics themselves are in ``psychoseg.stats.inference``. Never reads or writes a file, and never
changes a segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from psychoseg.errors import DataError
from psychoseg.naming import (
    Driver,
    decimals_of,
    final_names,
    say_driver,
    say_number,
    size_of,
    suggest_names,
)
from psychoseg.profiles.result import Profiles
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.inference import (
    adjust_p,
    association_p,
    cohens_h,
    count_base,
    cramers_v,
    equal_means_p,
    estimate_mean,
    estimate_share,
    eta_squared,
    standardised_difference,
    weighted_sd,
)
from psychoseg.survey.frame import check_same_rows, survey_from_frame
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales
    from psychoseg.segments import Segments
    from psychoseg.study import SegmentsSettings

__all__ = ["profile_segments"]

#: A column's driver that rests on fewer people is chance: the customary least cell of a table
#: (Cochran 1954).
MIN_DRIVER_PEOPLE = 5

#: As many drivers as a persona card holds.
MAX_DRIVERS = 8
#: Two categories of one variable say what a third would repeat.
MAX_CATEGORIES_PER_VARIABLE = 2

#: Numbers that are equal to so many decimals are tied: far above rounding error, far below anything
#: that matters.
_TIE_DECIMALS = 9

#: Rows of a distance matrix held at once: 512 x 20,000 doubles are 80 MB.
_CHUNK = 512
#: Part of a segment, nearest its centre, from which its typical respondent is taken: enough people
#: that one of them is typical in age too, few enough that all are typical in the scales.
_CORE_SHARE = 0.05


def profile_segments(
    survey: Survey | pd.DataFrame,
    scales: Scales | None,
    segments: Segments,
    settings: SegmentsSettings | None = None,
) -> Profiles:
    """Describe each segment: means, shares, tests, drivers, a name and a typical respondent.

    Parameters
    ----------
    survey : Survey or DataFrame, shape (n, any)
        The respondents that were segmented, in that order; or a DataFrame of columns to describe
        them with, unweighted; those that the segments were made of are known by name.
    scales : Scales, optional
        None where the segments were made of columns alone.
    segments : Segments
        Respondents of label 0 take no part in anything.
    settings : SegmentsSettings, optional
        Its ``names`` replace suggested names.

    Returns
    -------
    Profiles

    Raises
    ------
    DataError
        Where the three do not have the same number of respondents, or segments made with weights
        meet a DataFrame, or its columns or index repeat.

    Warns
    -----
    PsychosegWarning
        Where ``settings.names`` names a segment that is not there, or gives two segments one name.

    Notes
    -----
    Sampling and frequency weights enter as ``psychoseg.stats.inference`` says; a missing answer
    leaves its respondent out of that variable only, and the base says so. p-values are adjusted by
    Benjamini and Hochberg (1995) over the profile columns. The typical respondent is taken from the
    segment's core, the twentieth of its weight with the least weighted sum of Euclidean distances
    to the others in the space of the components (at least the medoid): of these the one whose
    columns are nearest to the segment's. Sums run in an order given by the answers, so the order of
    rows changes nothing.
    """
    if isinstance(survey, pd.DataFrame):
        if scales is not None:
            check_same_rows(survey, scales.scores)
        survey = _survey_of(survey, segments)
    _check_rows(survey, scales, segments)
    sample = _Sample.of(survey, scales, segments)
    means = _means(sample)
    shares = _shares(sample)
    drivers = _drivers(sample, means, shares)
    typical_rows = {s: _typical(sample, segments, s) for s in sample.segments}
    return Profiles(
        means=_tidy(means, _Mean),
        shares=_tidy(shares, _Share),
        tests=_tests(sample),
        drivers=pd.DataFrame(
            [
                (s, rank, *driver, say_driver(driver))
                for s in sample.segments
                for rank, driver in enumerate(drivers[s], start=1)
            ],
            columns=["segment", "rank", *Driver._fields, "text"],
        ),
        personas=_personas(
            sample,
            suggest_names(drivers, unassigned=segments.unassigned),
            typical_rows,
            settings.names if settings else {},
        ),
        typical=pd.DataFrame(
            [
                (s, v.name, v.label, _shown(v, v.values[typical_rows[s]]))
                for s in sample.segments
                for v in sample.variables
            ],
            columns=["segment", "variable", "label", "value"],
        ),
    )


@dataclass(frozen=True, slots=True)
class _Mean:
    """A row of ``Profiles.means``."""

    segment: int
    variable: str
    label: str
    kind: str
    role: str
    mean: float
    low: float
    high: float
    sd: float
    base: int
    base_weighted: float
    base_effective: float
    total: float
    effect: float
    z: float


@dataclass(frozen=True, slots=True)
class _Share:
    """A row of ``Profiles.shares``."""

    segment: int
    variable: str
    label: str
    role: str
    category: str
    share: float
    low: float
    high: float
    total: float
    base: int
    base_weighted: float
    base_effective: float
    index: float
    effect: float


@dataclass(frozen=True, slots=True)
class _Variable:
    """One variable of the sample; ``values`` holds category codes where there are categories."""

    name: str
    label: str
    role: str
    values: FloatArray
    categories: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        if self.categories is not None:
            return "categorical"
        return "scale" if self.role == "scale" else "numeric"

    def codes(self) -> IntArray:
        return np.where(np.isnan(self.values), -1, self.values).astype(np.intp)


@dataclass(frozen=True, slots=True)
class _Sample:
    """The segmented respondents in canonical order; ``rows`` are their positions in the survey."""

    segments: tuple[int, ...]
    labels: IntArray
    weights: FloatArray
    counts: bool
    variables: tuple[_Variable, ...]
    rows: IntArray

    @classmethod
    def of(cls, survey: Survey, scales: Scales | None, segments: Segments) -> _Sample:
        every = [*_scale_variables(scales), *_column_variables(survey, segments)]
        labels = np.asarray(segments.labels, dtype=np.intp)
        weights = np.asarray(survey.weights, dtype=np.float64)
        # By what was answered, so that neither rows nor columns in another order move a sum by a
        # last bit; by id last, among respondents who answered all alike.
        ids = np.unique(survey.ids.astype(str).to_numpy(dtype=str), return_inverse=True)[1]
        keys = [v.values for v in sorted(every, key=lambda v: v.name)]
        order = np.lexsort([ids, *keys, weights, labels])
        rows = order[labels[order] > 0]
        return cls(
            segments=tuple(range(1, segments.k + 1)),
            labels=labels[rows],
            weights=weights[rows],
            counts=survey.weight_kind != "sampling",
            variables=tuple(
                _Variable(v.name, v.label, v.role, v.values[rows], v.categories) for v in every
            ),
            rows=rows,
        )

    def variable(self, name: str, role: str) -> _Variable:
        """Return a variable; a scale and a column may have the same name."""
        return next(v for v in self.variables if (v.name, v.role) == (name, role))

    def base(self, use: BoolArray) -> tuple[int, float, float]:
        base = count_base(self.weights[use], counts=self.counts)
        return base.rows, base.weighted, base.effective

    def people(self, use: BoolArray) -> float:
        return count_base(self.weights[use], counts=self.counts).people


def _survey_of(frame: pd.DataFrame, segments: Segments) -> Survey:
    """Return a survey that has columns and nothing else, their roles left to the features."""
    points = segments.points
    if not np.allclose(points["weight"], points["n"]):
        raise DataError(
            "the segments were made with weights, which a DataFrame does not carry. "
            "Pass the Survey that was segmented, such as Survey.from_frame(..., weights=...)."
        )
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    survey = survey_from_frame(named, items=[], columns=list(named.columns))
    return replace(survey, codebook={})


def _check_rows(survey: Survey, scales: Scales | None, segments: Segments) -> None:
    lengths = {"survey": survey.n, "segments": len(segments.labels)}
    if scales is not None:
        lengths["scales"] = len(scales.scores)
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} {n:,}" for name, n in lengths.items())
        raise DataError(
            f"profile_segments needs the same respondents everywhere, but found: {found}. "
            "Pass the survey and scales that the segments were made from."
        )


def _scale_variables(scales: Scales | None) -> list[_Variable]:
    if scales is None:
        return []
    labels = dict(zip(scales.table["scale"], scales.table["label"], strict=True))
    return [
        _Variable(str(name), str(labels.get(name, name)), "scale", _floats(scales.scores[name]))
        for name in scales.scores.columns
    ]


def _column_variables(survey: Survey, segments: Segments) -> list[_Variable]:
    made_of = segments.features.loc[segments.features["kind"] != "scale", "feature"].astype(str)
    out = []
    for name in survey.columns.columns:
        column = survey.columns[name]
        if name in survey.codebook:
            active = survey.codebook[name].role == "active"
        else:
            # The features that fit_segments makes of a column.
            own = made_of.isin([name, f"{name} (column)"]) | made_of.str.startswith(f"{name}=")
            active = bool(own.any())
        role, label = "active" if active else "profile", survey.label(name)
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy().astype(np.float64)
            categories = tuple(str(c) for c in column.cat.categories)
            values = np.where(codes < 0, np.nan, codes)
            out.append(_Variable(str(name), label, role, values, categories))
        else:
            out.append(_Variable(str(name), label, role, _floats(column)))
    return out


def _floats(column: pd.Series) -> FloatArray:
    # Adding zero turns -0.0 into 0.0: equal, but with other bytes in a sum.
    return column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0


def _tidy(rows: Sequence[_Mean | _Share], kind: type[_Mean | _Share]) -> pd.DataFrame:
    return pd.DataFrame([astuple(r) for r in rows], columns=[f.name for f in fields(kind)])


def _means(sample: _Sample) -> list[_Mean]:
    out = []
    everyone = np.ones(len(sample.labels), dtype=bool)
    w, counts = sample.weights, sample.counts
    for s in sample.segments:
        inside = sample.labels == s
        for v in sample.variables:
            if v.categories is not None:
                continue
            x = v.values
            here = estimate_mean(x, inside, w, counts=counts)
            total = estimate_mean(x, everyone, w, counts=counts).value
            sd_total = weighted_sd(x, w, counts=counts)
            out.append(
                _Mean(
                    s,
                    v.name,
                    v.label,
                    v.kind,
                    v.role,
                    here.value,
                    here.low,
                    here.high,
                    weighted_sd(x[inside], w[inside], counts=counts),
                    *sample.base(inside & ~np.isnan(x)),
                    total,
                    standardised_difference(x, inside, w, counts=counts),
                    (here.value - total) / sd_total if sd_total > 0 else np.nan,
                )
            )
    return out


def _shares(sample: _Sample) -> list[_Share]:
    out = []
    everyone = np.ones(len(sample.labels), dtype=bool)
    w, counts = sample.weights, sample.counts
    for s in sample.segments:
        inside = sample.labels == s
        for v in sample.variables:
            base = sample.base(inside & ~np.isnan(v.values))
            for code, category in enumerate(v.categories or ()):
                chosen = np.where(np.isnan(v.values), np.nan, v.values == code)
                here = estimate_share(chosen, inside, w, counts=counts)
                rest = estimate_share(chosen, ~inside, w, counts=counts).value
                total = estimate_share(chosen, everyone, w, counts=counts).value
                out.append(
                    _Share(
                        s,
                        v.name,
                        v.label,
                        v.role,
                        category,
                        here.value,
                        here.low,
                        here.high,
                        total,
                        *base,
                        100 * here.value / total if total > 0 else np.nan,
                        cohens_h(here.value, rest),
                    )
                )
    return out


def _tests(sample: _Sample) -> pd.DataFrame:
    rows = []
    labels, w, counts = sample.labels, sample.weights, sample.counts
    for v in sample.variables:
        p = np.nan
        if v.categories is None:
            measure, strength = "eta squared", eta_squared(v.values, labels, w)
            if v.role == "profile":
                p = equal_means_p(v.values, labels, w, counts=counts)
        else:
            measure, strength = "Cramer's V", cramers_v(v.codes(), labels, w)
            if v.role == "profile":
                p = association_p(v.codes(), labels, w, counts=counts)
        base = int((~np.isnan(v.values)).sum())
        rows.append((v.name, v.label, v.kind, v.role, measure, strength, p, base))
    table = pd.DataFrame(
        rows,
        columns=["variable", "label", "kind", "role", "measure", "strength", "p", "base"],
    )
    table.insert(7, "p_adjusted", adjust_p(table["p"].to_numpy(dtype=np.float64)))
    return table


def _drivers(sample: _Sample, means: list[_Mean], shares: list[_Share]) -> dict[int, list[Driver]]:
    """Return the drivers of each segment, strongest first, with one scale at least."""
    found: dict[int, list[Driver]] = {s: [] for s in sample.segments}
    for m in means:
        if _is_mean_driver(sample, m):
            size = size_of(m.effect)
            found[m.segment].append(
                Driver(m.kind, m.variable, m.label, "", m.effect, size, m.mean, m.total, m.base)
            )
    for c in shares:
        if _is_share_driver(sample, c):
            size, name = size_of(c.effect), c.variable
            found[c.segment].append(
                Driver(
                    "category", name, c.label, c.category, c.effect, size, c.share, c.total, c.base
                )
            )
    for candidates in found.values():
        candidates.sort(key=lambda d: (-round(abs(d.effect), _TIE_DECIMALS), d.variable))
    return {s: _strongest(candidates) for s, candidates in found.items()}


def _is_mean_driver(sample: _Sample, row: _Mean) -> bool:
    if np.isnan(row.effect):
        return False
    if row.kind == "scale":
        return True
    answered = ~np.isnan(sample.variable(row.variable, row.role).values)
    return sample.people(answered & (sample.labels == row.segment)) >= MIN_DRIVER_PEOPLE


def _is_share_driver(sample: _Sample, row: _Share) -> bool:
    if np.isnan(row.effect):
        return False
    variable = sample.variable(row.variable, row.role)
    codes = variable.codes()
    if len(np.unique(codes[codes >= 0])) == 2 and row.effect < 0:
        # Fewer of one is more of the other, and the other says it.
        return False
    inside = sample.labels == row.segment
    chosen = codes == (variable.categories or ()).index(row.category)
    # More of a category needs people here who chose it; fewer of it, people anywhere who did.
    behind = chosen & inside if row.effect > 0 else chosen
    return min(sample.people(behind), sample.people((codes >= 0) & inside)) >= MIN_DRIVER_PEOPLE


def _strongest(ranked: list[Driver]) -> list[Driver]:
    times: Counter[str] = Counter()
    chosen: list[Driver] = []
    for driver in ranked:
        if driver.size != "negligible" and times[driver.variable] < MAX_CATEGORIES_PER_VARIABLE:
            times[driver.variable] += 1
            chosen.append(driver)
    chosen = chosen[:MAX_DRIVERS]
    scale = next((d for d in ranked if d.kind == "scale"), None)
    if scale is not None and all(d.kind != "scale" for d in chosen):
        chosen = [*chosen[: MAX_DRIVERS - 1], scale]
    return chosen


def _personas(
    sample: _Sample,
    suggested: Mapping[int, str],
    typical: Mapping[int, int],
    given: Mapping[str, str],
) -> pd.DataFrame:
    names = final_names(suggested, given)
    everyone = float(sample.weights.sum())
    rows = []
    for s in sample.segments:
        n, weighted, _ = sample.base(sample.labels == s)
        row = int(sample.rows[typical[s]])
        rows.append((s, names[s], suggested[s], n, weighted, weighted / everyone, row))
    columns = ["segment", "name", "suggested", "n", "weighted", "share", "typical_row"]
    return pd.DataFrame(rows, columns=columns)


def _typical(sample: _Sample, segments: Segments, segment: int) -> int:
    """Return the typical respondent of a segment as a position in the sample."""
    core = _core(segments.points, segment)
    place = np.asarray(segments.point_of)[sample.rows]
    there = np.flatnonzero(np.isin(place, core))
    rank = np.argsort(core)[np.searchsorted(np.sort(core), place[there])]
    columns = [v for v in sample.variables if v.role != "scale"]
    inside = sample.labels == segment
    missing = np.zeros(len(there))
    distance = np.zeros(len(there))
    for v in columns:
        x = v.values
        missing += np.isnan(x[there])
        distance += np.nan_to_num(_oddness(v, inside, sample.weights)[there])
    # Ties go to the first in canonical order: the same answers whatever the order of the rows.
    odd = np.round(distance, _TIE_DECIMALS)
    best = np.lexsort([np.arange(len(there)), rank, odd, missing])[0]
    return int(there[best])


def _core(points: pd.DataFrame, segment: int) -> IntArray:
    """Return the points nearest a segment's centre, the medoid first, to a share of its weight."""
    members = points[points["segment"] == segment].sort_values("point")
    components = [c for c in points.columns if str(c).startswith("comp_")]
    x = members[components].to_numpy(dtype=np.float64)
    weights = members["weight"].to_numpy(dtype=np.float64)
    costs = np.concatenate(
        [cdist(x[i : i + _CHUNK], x) @ weights for i in range(0, len(x), _CHUNK)]
    )
    # Equal costs: the heavier point first, then the one with the smaller canonical index.
    relative = np.round(costs / max(costs.min(), 1e-300), _TIE_DECIMALS)
    order = np.lexsort([np.arange(len(x)), -weights, relative])
    within = np.cumsum(weights[order]) <= _CORE_SHARE * weights.sum()
    within[0] = True
    core: IntArray = members["point"].to_numpy()[order[within]].astype(np.intp)
    return core


def _oddness(variable: _Variable, inside: BoolArray, weights: FloatArray) -> FloatArray:
    """Return how odd each answer is in a segment: deviations from its mean, or 1 - its share."""
    x = variable.values
    use = inside & ~np.isnan(x)
    if not use.any():
        return np.zeros(len(x))
    if variable.categories is None:
        mean = np.average(x[use], weights=weights[use])
        sd = float(np.sqrt(np.average((x[use] - mean) ** 2, weights=weights[use])))
        return np.abs(x - mean) / sd if sd > 0 else np.zeros(len(x))
    share = np.bincount(
        variable.codes()[use], weights=weights[use], minlength=len(variable.categories)
    )
    return np.where(np.isnan(x), np.nan, 1 - (share / share.sum())[variable.codes()])


def _shown(variable: _Variable, value: float) -> str:
    if np.isnan(value):
        return "no answer"
    if variable.categories is not None:
        return variable.categories[int(value)]
    if variable.kind == "scale":
        return say_number(value, 2)
    return say_number(value, 0 if value == round(value) else decimals_of(value))
