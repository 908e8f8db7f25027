"""How far the segments hang on what should not decide them: row order, error, method, reduction.

Owns the audits' tables. Never changes the division that is audited.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.engines.python import PythonEngine
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.features import SCALES_BLOCK, case_weights, content_key
from psychoseg.segments.methods import METHOD_NAMES, Divider, by_size
from psychoseg.segments.space import Space
from psychoseg.stats.arrays import FloatArray, IntArray, collapse
from psychoseg.stats.audits import Spread, jitter_audit, order_audit
from psychoseg.stats.consensus import consensus
from psychoseg.stats.indices import silhouette_of_all, systematic_sample
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.stability import Mapper, border_share, ward_cuts
from psychoseg.stats.validity import adjusted_rand, contingency
from psychoseg.study_segments import SegmentMethod
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = [
    "AUDIT_COLUMNS",
    "CONSENSUS_COLUMNS",
    "METHOD_COLUMNS",
    "TANDEM_COLUMNS",
    "audit_consensus",
    "audit_methods",
    "audit_tandem",
    "audit_trust",
]

AUDIT_COLUMNS = ("audit", "what", "value", "low", "high", "base")
METHOD_COLUMNS = ("method", "k", "adjusted_rand", "silhouette", "bic", "icl", "note")
TANDEM_COLUMNS = ("a", "b", "k", "adjusted_rand", "base")
CONSENSUS_COLUMNS = ("segment", "n", "share", "jaccard", "agreement")

#: People that other methods are tried on at the most; of more, a systematic sample.
_MOST_PEOPLE = 3_000
#: Who is asked for another opinion.
_OTHERS: tuple[SegmentMethod, ...] = ("ward", "kmeans", "gmm")
#: Random starts of another opinion.
_STARTS = 5


def audit_trust(
    space: Space,
    scales: Scales | None,
    labels: IntArray,
    certainty: FloatArray,
    tied: int,
    again: Divider,
    *,
    rng: np.random.Generator,
    mapper: Mapper,
) -> pd.DataFrame:
    """Audit row order, ties, measurement error and borders.

    Parameters
    ----------
    space : Space
    scales : Scales or None
        Their alphas give the measurement error.
    labels : ndarray of int, shape (m,)
        The division; -1 for whom a density method leaves out, here and in the other audits.
    certainty : ndarray, shape (m,)
    tied : int
        Tied merges of the tree.
    again : Divider
        Divides a resample.
    rng : numpy.random.Generator
    mapper : callable

    Returns
    -------
    pandas.DataFrame
        ``audit, what, value, low, high, base``.
    """
    k, weights = int(labels.max()) + 1, space.merged.weights
    order_rng, jitter_rng = rng.spawn(2)
    rows: list[tuple[str, str, float, float, float, int]] = []

    def add(audit: str, what: str, spread: Spread, base: int) -> None:
        rows.append((audit, what, spread.median, spread.least, spread.largest, base))

    if again.method == "ward":
        # Of the columns, whose ties are exact; those of turned coordinates hang on their rounding.
        order = order_audit(
            space.coded, space.people, k, rng=order_rng, divide=again, mapper=mapper
        )
        add("row order", "textbook Ward, any two shuffles", order.textbook, order.n_people)
        add("row order", "psychoseg, any two shuffles", order.ours, order.n_people)
        rows.append(("ties", "tied merges", float(tied), np.nan, np.nan, len(weights) - 1))
    if scales is not None and again.method != "lca":
        error = _error_of_measurement(space, scales)
        jitter = jitter_audit(
            space.columns,
            error,
            space.project,
            weights,
            labels,
            rng=jitter_rng,
            divide=again,
            mapper=mapper,
        )
        add("measurement error", "adjusted Rand index", jitter.spread, jitter.n_people)
        kept = np.quantile(jitter.kept, [0, 0.5, 1])
        spread = Spread(float(kept[0]), float(kept[1]), float(kept[2]))
        add("measurement error", "share that keeps its segment", spread, jitter.n_people)
    certainty = np.where(labels < 0, np.nan, certainty)
    known = ~np.isnan(certainty)
    rows.append(
        (
            "border",
            "share on a border",
            border_share(certainty, weights),
            np.nan,
            np.nan,
            round(float(space.people[known].sum())),
        )
    )
    return pd.DataFrame(rows, columns=list(AUDIT_COLUMNS))


def audit_methods(
    survey: Survey,
    space: Space,
    divider: Divider,
    labels: IntArray,
    *,
    seed: int,
    mapper: Mapper,
) -> pd.DataFrame:
    """Divide the same people into as many segments by other methods.

    Parameters
    ----------
    survey : Survey
        Its items are what latent classes are of.
    space : Space
    divider : Divider
        The method in use, which is not tried again.
    labels : ndarray of int, shape (m,)
    seed : int
        Of random starts.
    mapper : callable

    Returns
    -------
    pandas.DataFrame
        ``method, k, adjusted_rand, silhouette, bic, icl, note``; the index and the silhouette are
        weighted. ``note`` is the base, or why the method cannot divide these people.
    """
    k = int(labels.max()) + 1
    some, part = _sample(space.people, labels)
    x, weights = space.coordinates[some], space.merged.weights[some] * part
    others = [
        replace(divider, method=method, engine=PythonEngine(), consolidate=False, seed=seed)
        for method in _OTHERS
        if method != divider.method and k <= len(x)
    ]
    jobs = [(replace(d, options=replace(d.options, starts=_STARTS)), x, weights, k) for d in others]
    if divider.method != "lca" and survey.items.shape[1]:
        answers, mass, point = _answers(survey, space, some, part)
        lca = replace(divider, method="lca", engine=PythonEngine(), seed=seed)
        lca = replace(lca, options=replace(lca.options, starts=_STARTS))
        jobs.append((lca, answers, mass, k))
    rows: list[tuple[str, int, float, float, float, float, str]] = []
    note = f"{round(float(space.people[some] @ part)):,} respondents"
    for (other, *_), (found, bic, icl, why) in zip(jobs, mapper(_divide_once, jobs), strict=True):
        name = METHOD_NAMES[other.method]
        if found is None:
            rows.append((name, k, np.nan, np.nan, np.nan, np.nan, why))
        elif other.method == "lca":
            rand = adjusted_rand(labels[point], found, mass)
            rows.append((name, k, rand, np.nan, bic, icl, note + why))
        else:
            rand = adjusted_rand(labels[some], found, weights)
            width = float(weights @ silhouette_of_all(x, weights, found) / weights.sum())
            rows.append((name, k, rand, width, bic, icl, note + why))
    return pd.DataFrame(rows, columns=list(METHOD_COLUMNS))


def audit_tandem(survey: Survey, space: Space, labels: IntArray) -> pd.DataFrame:
    """Divide people by their scales, their components and their items, and compare.

    Parameters
    ----------
    survey : Survey
    space : Space
    labels : ndarray of int, shape (m,)
        The division in use, whose number of segments all get.

    Returns
    -------
    pandas.DataFrame
        ``a, b, k, adjusted_rand, base``.

    Notes
    -----
    Ward's tree each time. Items are standardised and beside them stand the active columns; a blank
    answer counts as the item's mean. Identical people are one weighted point throughout.

    References
    ----------
    Arabie & Hubert (1994), in Bagozzi, Advanced Methods of Marketing Research, 160-189: the case
    against clustering factor scores.
    """
    k = int(labels.max()) + 1
    some, part = _sample(space.people, labels)
    items, mass, point = _answers(survey, space, some, part)
    base = round(float(space.people[some] @ part))
    if items.shape[1] == 0 or k > len(some):
        return pd.DataFrame(columns=list(TANDEM_COLUMNS))
    mean = np.array([_mean(column, mass) for column in items.T])
    filled = np.where(np.isnan(items), mean, items)
    sd = weighted_mean_sd(filled, mass)[1]
    z = (filled - mean)[:, sd > 0] / sd[sd > 0]
    columns = space.coded[:, space.block_of != space.blocks.index(SCALES_BLOCK)][point]
    found = {
        "segments": labels[point],
        "scales": _ward(space.coded[point], mass, k),
        "components": _ward(space.coordinates[point], mass, k),
        "items": _ward(np.hstack([z, columns]), mass, k),
    }
    rows = [
        (a, b, k, adjusted_rand(found[a], found[b], mass), base)
        for a, b in (
            ("segments", "scales"),
            ("segments", "components"),
            ("segments", "items"),
            ("scales", "components"),
            ("scales", "items"),
            ("components", "items"),
        )
    ]
    return pd.DataFrame(rows, columns=list(TANDEM_COLUMNS))


def audit_consensus(
    space: Space,
    divider: Divider,
    labels: IntArray,
    *,
    rng: np.random.Generator,
    mapper: Mapper,
) -> tuple[pd.DataFrame, pd.DataFrame, IntArray]:
    """Make one division of many: by several methods, into about as many segments.

    Parameters
    ----------
    space, divider, labels, mapper
        As in :func:`audit_methods`.
    rng : numpy.random.Generator

    Returns
    -------
    table : pandas.DataFrame
        ``segment, n, share, jaccard, agreement``: each consensus segment, its best match among the
        segments in use, and the share of it that is in that one.
    audit : pandas.DataFrame
        Lines for the audit table.
    labels : ndarray of int, shape (m,)
        The consensus division, 0 to k - 1 by weight.
    """
    k, weights, x = int(labels.max()) + 1, space.merged.weights, space.coordinates
    seed = int(rng.integers(2**31))
    jobs = [
        (
            replace(
                divider,
                method=method,
                engine=PythonEngine(),
                consolidate=False,
                seed=seed,
                options=replace(divider.options, starts=_STARTS),
            ),
            x,
            weights,
            n,
        )
        for method in ("ward", "kmeans", "gmm")
        for n in (k - 1, k, k + 1)
        if 2 <= n <= len(x)
    ]
    others = [found for found, *_ in mapper(_divide_once, jobs)]
    members = [labels, *(found for found in others if found is not None)]
    agreed = consensus(np.column_stack(members), weights, k, rng=rng)
    ours = by_size(agreed.labels, weights)
    table = contingency(ours, labels, weights)
    size = table.sum(axis=1)
    jaccard = table / (size[:, None] + table.sum(axis=0) - table)
    best = jaccard.argmax(axis=1)
    segments = pd.DataFrame(
        {
            "segment": np.arange(1, len(table) + 1),
            "n": np.bincount(ours, weights=space.people).round().astype(int),
            "share": size / size.sum(),
            "jaccard": jaccard.max(axis=1),
            "agreement": table[np.arange(len(table)), best] / size,
        },
        columns=list(CONSENSUS_COLUMNS),
    )
    base = round(float(space.people.sum()))
    own = adjusted_rand(ours, labels, weights)
    members_agree = agreed.agreement
    lines = [
        ("consensus", "adjusted Rand index with the segments", own, np.nan, np.nan, base),
        (
            "consensus",
            f"adjusted Rand index with its {len(members)} members",
            float(np.median(members_agree)),
            float(members_agree.min()),
            float(members_agree.max()),
            base,
        ),
        (
            "consensus",
            "adjusted Rand index of two halves",
            agreed.reproducibility,
            np.nan,
            np.nan,
            base,
        ),
    ]
    return segments, pd.DataFrame(lines, columns=list(AUDIT_COLUMNS)), ours


def _sample(people: FloatArray, labels: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the points of all in a segment, or of an even sample, and the part of each in it."""
    inside = np.flatnonzero(labels >= 0)
    people = people[inside]
    if people.sum() <= _MOST_PEOPLE:
        return inside, np.ones(len(inside))
    times = systematic_sample(people, _MOST_PEOPLE)
    some = np.flatnonzero(times)
    return inside[some], times[some] / people[some]


def _error_of_measurement(space: Space, scales: Scales) -> FloatArray:
    """Return the standard error of measurement of each column, 0 where it is no scale."""
    alphas = dict(zip(scales.table["scale"], scales.table["alpha"], strict=True))
    sd = weighted_mean_sd(space.columns, space.merged.weights)[1]
    error = np.zeros(space.columns.shape[1])
    # Numbers come first among the columns and among the features, in one order.
    for j in np.flatnonzero(~space.nominal).tolist():
        if space.features["kind"].iloc[j] == "scale":
            alpha = float(alphas[space.features["feature"].iloc[j]])
            if np.isfinite(alpha):
                error[j] = sd[j] * np.sqrt(1 - min(max(alpha, 0.0), 1.0))
    return error


def _answers(
    survey: Survey, space: Space, points: IntArray, part: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return item answers, weights and points of the respondents at some points.

    In canonical order, items ordered by content, people who answered alike as one.
    """
    weight_of = np.zeros(len(space.merged.x))
    weight_of[points] = part
    point = space.merged.point_of
    here = np.flatnonzero(weight_of[point])
    every, names = survey.items.to_numpy(np.float64), list(survey.items.columns)
    order = sorted(
        range(len(names)), key=lambda j: (*content_key(every[:, j], survey.weights), names[j])
    )
    items, point = every[space.rows[here]][:, order], point[here]
    known = np.column_stack([np.nan_to_num(items, nan=np.inf), point])
    same = collapse(known, case_weights(survey, space.rows)[here] * weight_of[point])
    answers = same.x[:, :-1]
    return (
        np.where(np.isinf(answers), np.nan, answers),
        same.weights,
        same.x[:, -1].astype(np.intp),
    )


def _mean(column: FloatArray, weights: FloatArray) -> float:
    there = ~np.isnan(column)
    return float(weights[there] @ column[there] / weights[there].sum()) if there.any() else 0.0


def _ward(x: FloatArray, weights: FloatArray, k: int) -> IntArray:
    points = collapse(x, weights)
    found: IntArray = ward_cuts(points.x, points.weights, [min(k, len(points.x))])[:, 0]
    return found[points.point_of]


def _divide_once(
    job: tuple[Divider, FloatArray, FloatArray, int],
) -> tuple[IntArray | None, float, float, str]:
    """Return the division, its BIC and ICL, and what it warns of; or none and the reason."""
    divider, x, weights, k = job
    # A warning is about the other method's division, which nobody asked for: it stands beside it.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PsychosegWarning)
        try:
            found = divider.divide(x, weights, [k])
        except EngineError as error:
            return None, np.nan, np.nan, str(error)
    said = "".join(f"; {w.message}" for w in caught if w.category is PsychosegWarning)
    return found.labels[:, 0], float(found.bic[0]), float(found.icl[0]), said
