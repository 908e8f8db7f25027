"""How many segments: the panel from 1 to 15, what each rule says, one recommendation, the verdict.

Owns the choice of k and the words for it. Never divides anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from psychoseg.segments.methods import Division
from psychoseg.segments.result import Verdict
from psychoseg.segments.space import Space
from psychoseg.stats.arrays import FloatArray, IntArray, canonical_order
from psychoseg.stats.choice import ALPHA, Recommendation, elbow, recommend, votes
from psychoseg.stats.gap import Gap, gap_statistic, prediction_strength
from psychoseg.stats.indices import (
    Indices,
    association,
    division_indices,
    nested_cuts,
    tree_indices,
)
from psychoseg.stats.null_cloud import CloudTest, NodeTests, node_tests, null_test
from psychoseg.stats.stability import Bootstrap, Mapper
from psychoseg.stats.verdict import verdict
from psychoseg.study import SegmentsSettings
from psychoseg.study_segments import FINDS_K
from psychoseg.survey.table import Survey

__all__ = ["PANEL", "Evidence", "Number", "choose_number", "gather_evidence"]

#: Numbers of segments that the panel shows at the least.
PANEL = 15


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each number of segments from 1 on, one entry a number.

    Attributes
    ----------
    indices : Indices
    test : CloudTest
    nodes : NodeTests
    gap : Gap
    strength : ndarray, shape (s,)
    association : ndarray, shape (s,)
        Mean over the profile columns; NaN without any.
    share, people : list of ndarray
        Share of the weight and number of people of each segment, 0 of an empty one.
    unassigned : bool
        Whether the last segment of the last division is of those left out.
    bic, icl : ndarray, shape (s,)
    """

    indices: Indices
    test: CloudTest
    nodes: NodeTests
    gap: Gap
    strength: FloatArray
    association: FloatArray
    share: list[FloatArray]
    people: list[FloatArray]
    unassigned: bool
    bic: FloatArray
    icl: FloatArray


@dataclass(frozen=True, slots=True)
class Number:
    """The number of segments and the reasons for it; fields as in ``Segments``."""

    k: int
    choice: pd.DataFrame
    votes: pd.DataFrame
    recommended_k: int
    runner_up: int
    k_reason: str
    runner_up_reason: str
    verdict: Verdict
    reason: str
    k_rule: str
    null: pd.DataFrame


def gather_evidence(
    space: Space,
    survey: Survey,
    division: Division,
    ks: Sequence[int],
    ward: FloatArray,
    leaf_of: IntArray,
    settings: SegmentsSettings,
    *,
    rng: np.random.Generator,
    mapper: Mapper,
) -> Evidence:
    """Compute the indices and tests of divisions into 2, 3, ... segments.

    Parameters
    ----------
    space : Space
    survey : Survey
        Its profile columns are what divisions are associated with.
    division : Division
        Into 2, 3, ... segments, one column each.
    ks : sequence of int
        These numbers, of which a flat method may leave some segments empty.
    ward : ndarray, shape (l - 1, 4)
        Ward's tree, whose divisions are held against single clouds.
    leaf_of : ndarray of int, shape (m,)
        Its leaf of each point.
    settings : SegmentsSettings
    rng : numpy.random.Generator
    mapper : callable
        Runs independent replicates.

    Returns
    -------
    Evidence
    """
    weights, x = space.merged.weights, space.coordinates
    labels = np.column_stack([np.zeros(len(x), dtype=np.intp), division.labels])
    n_cuts = labels.shape[1]
    test_rng, node_rng, gap_rng, strength_rng = rng.spawn(4)
    if division.tree is not None and not division.n_micro and not settings.consolidate:
        indices = tree_indices(x, weights, division.tree, k_max=n_cuts)
    else:
        indices = _of_full(division_indices(x, weights, list(labels.T)), ks)
    test = null_test(
        space.columns,
        weights,
        space.people,
        rng=test_rng,
        coordinates=space.project,
        nominal=space.nominal,
        replicates=settings.null_replicates,
        mapper=mapper,
    )
    nodes = node_tests(
        space.columns,
        weights,
        space.people,
        nested_cuts(ward, n_cuts)[leaf_of],
        rng=node_rng,
        coordinates=space.project,
        nominal=space.nominal,
        mapper=mapper,
    )
    gap = gap_statistic(x, weights, space.people, rng=gap_rng, k_max=n_cuts, mapper=mapper)
    strength = prediction_strength(
        x, weights, space.people, rng=strength_rng, k_max=n_cuts, mapper=mapper
    )
    every = list(zip([1, *ks], labels.T, strict=True))
    share = [np.bincount(own, weights=weights, minlength=k) / weights.sum() for k, own in every]
    none = np.full(1, np.nan)
    return Evidence(
        indices=indices,
        test=test,
        nodes=nodes,
        gap=gap,
        strength=strength,
        association=_association(space, survey, labels),
        share=share,
        people=[
            np.bincount(own, weights=space.people, minlength=k).astype(np.float64)
            for k, own in every
        ],
        unassigned=division.unassigned,
        bic=np.append(none, division.bic),
        icl=np.append(none, division.icl),
    )


def choose_number(evidence: Evidence, boot: Bootstrap, settings: SegmentsSettings) -> Number:
    """Choose the number of segments, and give the verdict on it.

    Parameters
    ----------
    evidence : Evidence
    boot : Bootstrap
        Of the divisions into 2, 3, ... segments.
    settings : SegmentsSettings

    Returns
    -------
    Number

    Notes
    -----
    Eligible are the numbers of segments of which the smallest holds ``min_share`` of the weight and
    ``min_people`` respondents, and which come back in the bootstrap with a mean Jaccard of
    ``stable_jaccard`` overall and ``min_jaccard`` each. Of these :func:`recommend` takes one. Where
    it says that there is one cloud, its runner-up is shown; where none is eligible, the highest
    silhouette among those large enough, for illustration.
    """
    indices = evidence.indices
    choice = _panel(evidence, boot, settings)
    if settings.method in FINDS_K:
        k = int(indices.k[-1])
        dense = k - int(evidence.unassigned)
        reason = f"The method finds {dense} dense groups"
        reason += ", and leaves who is in none unassigned." if evidence.unassigned else "."
        none = np.full(len(indices.k), np.nan)
        advice = Recommendation(
            k, None, reason, "", none, eligible=bool(choice["eligible"].iloc[-1])
        )
        table = []
    else:
        eligible = choice["eligible"].to_numpy(dtype=bool)
        advice = recommend(indices, evidence.test, evidence.nodes, eligible=eligible)
        said = votes(indices, gap=evidence.gap, strength=evidence.strength)
        table = [(v.rule, v.k or 0, v.statistic, v.meaning) for v in said]
        table += _people_say(choice, settings)
    choice["score"] = advice.score
    for name, values in (("BIC", evidence.bic), ("ICL", evidence.icl)):
        if np.isfinite(values).any():
            best = int(np.nanargmin(values))
            table.append((name, best + 1, float(values[best]), "lowest"))
    shown = _shown(choice, advice, settings)
    choice["chosen"] = choice["k"] == shown
    row = choice[choice["k"] == shown].iloc[0]
    verdict, reason = _verdict(row, evidence, settings)
    test = evidence.test
    return Number(
        k=shown,
        choice=choice,
        votes=pd.DataFrame(table, columns=["rule", "k", "statistic", "meaning"]),
        recommended_k=advice.k,
        runner_up=advice.runner_up or 0,
        k_reason=advice.reason,
        runner_up_reason=advice.runner_up_reason,
        verdict=verdict,
        reason=reason,
        k_rule=_rule(shown, choice, advice, settings),
        null=pd.DataFrame(
            {
                "p_value": [test.p_value],
                "excess": [test.excess],
                "best_k": [test.best_k],
                "n_people": [test.n_people],
                "sampled": [test.sampled],
                "replicates": [settings.null_replicates],
            }
        ),
    )


def _association(space: Space, survey: Survey, labels: IntArray) -> FloatArray:
    """Return the mean association of each division with the profile columns."""
    columns, nominal = [], []
    for name in survey.columns.columns:
        variable = survey.codebook[name]
        if variable.role != "profile" or variable.kind not in ("numeric", "ordinal", "categorical"):
            continue
        shown = survey.columns[name].iloc[space.rows]
        is_nominal = isinstance(shown.dtype, pd.CategoricalDtype)
        if is_nominal:
            numbers = shown.cat.codes.to_numpy(np.float64)
            numbers[numbers < 0] = np.nan
        else:
            numbers = shown.to_numpy(np.float64)
        columns.append(numbers)
        nominal.append(is_nominal)
    if not columns:
        return np.full(labels.shape[1], np.nan)
    values: FloatArray = np.column_stack(columns).astype(np.float64)
    weights, point = survey.weights[space.rows], space.merged.point_of
    # Summed in an order that is not the file's.
    order = canonical_order(np.column_stack([point, values]), weights)
    found = association(labels[point[order]], values[order], np.array(nominal), weights[order])
    there = ~np.isnan(found).all(axis=0)
    if not there.any():
        return np.full(labels.shape[1], np.nan)
    mean: FloatArray = np.nanmean(found[:, there], axis=1)
    return mean


def _of_full(indices: Indices, ks: Sequence[int]) -> Indices:
    """Return the indices under the numbers asked for, NaN where segments are empty."""
    asked = np.array([1, *ks])
    full = indices.k == asked
    return replace(
        indices,
        k=asked,
        silhouette=np.where(full, indices.silhouette, np.nan),
        calinski_harabasz=np.where(full, indices.calinski_harabasz, np.nan),
        davies_bouldin=np.where(full, indices.davies_bouldin, np.nan),
        dunn=np.where(full, indices.dunn, np.nan),
        hartigan=np.where(full, indices.hartigan, np.nan),
    )


def _panel(evidence: Evidence, boot: Bootstrap, settings: SegmentsSettings) -> pd.DataFrame:
    """Return the evidence for each number of segments, and what stands against it."""
    indices = evidence.indices
    rows = []
    for j, k in enumerate(indices.k.tolist()):
        share, people = evidence.share[j], evidence.people[j]
        jaccard = np.zeros(k)
        found = boot.jaccard[j - 1] if j else np.ones(1)
        jaccard[: len(found)] = found
        if evidence.unassigned and j:
            # Those left out are no segment that must be large or come back.
            share, people, jaccard = share[:-1], people[:-1], jaccard[:-1]
        mean, least = float(share @ jaccard / share.sum()), float(jaccard.min())
        against = []
        if k == 1:
            against.append("nobody is divided")
        elif not settings.k_min <= k <= settings.k_max:
            against.append(f"outside the {settings.k_min} to {settings.k_max} that are looked for")
        if share.min() < settings.min_share:
            against.append(f"smallest segment {100 * share.min():.1f}%")
        if people.min() < settings.min_people:
            against.append(f"smallest segment {people.min():.0f} people")
        if mean < settings.stable_jaccard:
            shown = _beside(mean, settings.stable_jaccard)
            against.append(f"does not come back (Jaccard {shown})")
        elif least < settings.min_jaccard:
            shown = _beside(least, settings.min_jaccard)
            against.append(f"one segment does not come back (Jaccard {shown})")
        rows.append(
            {
                "k": k,
                "silhouette": indices.silhouette[j],
                "jaccard_mean": mean if j else np.nan,
                "jaccard_min": least if j else np.nan,
                "smallest_share": float(share.min()),
                "smallest_n": round(float(people.min())),
                "eligible": not against,
                "chosen": False,
                "why": "; ".join(against) or "large enough and stable",
                "within": indices.within[j],
                "calinski_harabasz": indices.calinski_harabasz[j],
                "davies_bouldin": indices.davies_bouldin[j],
                "dunn": indices.dunn[j],
                "hartigan": indices.hartigan[j],
                "duda_hart": indices.duda_hart[j],
                "duda_hart_critical": indices.duda_hart_critical[j],
                "height": indices.height[j],
                "height_jump": indices.height_jump[j],
                "gap": _entry(evidence.gap.gap, k - 1),
                "gap_se": _entry(evidence.gap.se, k - 1),
                "prediction_strength": _entry(evidence.strength, k - 1),
                "association": evidence.association[j] if j else np.nan,
                "division_p": _entry(evidence.nodes.p_value, k - 2) if j else np.nan,
                "bic": evidence.bic[j],
                "icl": evidence.icl[j],
            }
        )
    return pd.DataFrame(rows)


def _people_say(
    choice: pd.DataFrame, settings: SegmentsSettings
) -> list[tuple[str, int, float, str]]:
    """Return what stability, profile columns and segment sizes say, as rows of the votes."""
    stable = choice["jaccard_mean"] >= settings.stable_jaccard
    stable &= choice["jaccard_min"] >= settings.min_jaccard
    large = [_is_large(row, settings) for _, row in choice.iterrows()]
    out = []
    for rule, holds, column, meaning in (
        ("bootstrap stability", stable, "jaccard_mean", "largest k that comes back"),
        ("smallest segment", large, "smallest_share", "largest k with all large enough"),
    ):
        k = int(choice["k"][holds].max()) if np.any(holds) else 1
        at = float(choice.loc[choice["k"] == k, column].iloc[0])
        out.append((rule, k, at, meaning))
    linked = choice["association"].fillna(0.0).to_numpy(dtype=float)
    k = elbow(-linked) or 0
    at = float(linked[k - 1]) if k else float("nan")
    out.append(("association with the profile", k, at, "where it stops rising much"))
    return out


def _entry(values: FloatArray, j: int) -> float:
    """Return an entry, NaN behind the last: a sample may hold fewer people than there are k."""
    return float(values[j]) if j < len(values) else float("nan")


def _shown(choice: pd.DataFrame, advice: Recommendation, settings: SegmentsSettings) -> int:
    """Return the number of segments that the result shows."""
    if settings.method in FINDS_K:
        return advice.k
    if settings.k != "auto":
        return settings.k
    if advice.eligible and advice.k > 1:
        return advice.k
    if advice.k == 1 and advice.runner_up is not None:
        return advice.runner_up
    searched = choice[choice["k"].between(settings.k_min, settings.k_max)]
    large = searched[[_is_large(row, settings) for _, row in searched.iterrows()]]
    if len(large):
        return int(_best(large, "silhouette")["k"])
    return int(_best(searched, "smallest_share")["k"])


def _is_large(row: pd.Series, settings: SegmentsSettings) -> bool:
    return bool(
        row["smallest_share"] >= settings.min_share and row["smallest_n"] >= settings.min_people
    )


def _rule(k: int, choice: pd.DataFrame, advice: Recommendation, settings: SegmentsSettings) -> str:
    """Say how the number came about."""
    asked = (
        f"{settings.k_min} to {settings.k_max} segments whose smallest holds at least "
        f"{100 * settings.min_share:.0f}% and {settings.min_people} respondents and that come back "
        f"in {settings.bootstrap} bootstrap resamples (mean Jaccard at least "
        f"{settings.stable_jaccard:.2f}, each segment at least {settings.min_jaccard:.2f})"
    )
    if settings.method in FINDS_K:
        return "as many segments as the method finds dense groups of people"
    if settings.k != "auto":
        return f"{k} segments, set in the study"
    if advice.k > 1 and advice.eligible:
        return (
            f"{k} segments: of {asked}, those whose divisions exceed what single clouds of people "
            "would show by most"
        )
    if advice.k == 1 and advice.runner_up == k:
        return (
            f"{k} segments: people form one cloud, and of {asked}, these divide it most compactly "
            "(highest average silhouette)"
        )
    large = _is_large(choice[choice["k"] == k].iloc[0], settings)
    why = (
        "highest average silhouette of those large enough" if large else "largest smallest segment"
    )
    return f"{k} segments, for illustration: there are none of the {asked}, and this has the {why}"


def _beside(value: float, threshold: float) -> str:
    """Return two decimals, or three where two would print a value below a threshold as on it."""
    text = f"{value:.2f}"
    return f"{value:.3f}" if value < threshold <= float(text) else text


def _best(rows: pd.DataFrame, by: str) -> pd.Series:
    """Return the row that is highest in a column; of equal ones the one with fewest segments."""
    return rows.iloc[int(rows[by].fillna(-np.inf).round(9).to_numpy().argmax())]


def _verdict(row: pd.Series, evidence: Evidence, settings: SegmentsSettings) -> tuple[Verdict, str]:
    """Return the verdict on a division and the sentence that says so."""
    test, stable, least = evidence.test, settings.stable_jaccard, settings.min_jaccard
    k, large = int(row["k"]) - int(evidence.unassigned), _is_large(row, settings)
    comes_back = bool(row["jaccard_mean"] >= stable and row["jaccard_min"] >= least)
    kind = verdict(
        test,
        # The gaps are those of Ward's tree: another method's division has to come back for itself,
        # and one by density has no score.
        supported=(bool(row["score"] > 0) or settings.method in FINDS_K)
        and (settings.method == "ward" or comes_back),
        large=large,
        jaccard_mean=float(row["jaccard_mean"]),
        jaccard_min=float(row["jaccard_min"]),
        mean_needed=stable,
        each_needed=least,
    )
    found = (
        f"mean Jaccard {_beside(row['jaccard_mean'], stable)} over {settings.bootstrap} resamples, "
        f"the least stable segment {_beside(row['jaccard_min'], least)}"
    )
    if kind == "natural":
        back = "come back" if comes_back else "do not all come back"
        return kind, (
            f"There are gaps between groups of people that a single cloud does not have (p = "
            f"{test.p_value:.2f}), and these {k} segments follow them; they {back} when the survey "
            f"is redrawn ({found})."
        )
    if kind == "reproducible":
        gaps = (
            f"no gaps between them were found (p = {test.p_value:.2f} against a single cloud)"
            if test.p_value > ALPHA
            else "the gaps that there are lie elsewhere"
        )
        return kind, (
            f"The same {k} segments come back when the survey is redrawn ({found}), though "
            f"{gaps}: they divide a continuum, dependably."
        )
    if comes_back and not large:
        return kind, (
            f"No stable segments: these {k} come back when the survey is redrawn ({found}), but "
            f"not all are large enough to count on (the smallest has {row['smallest_n']} "
            f"respondents, {100 * row['smallest_share']:.1f}%; {settings.min_people} and "
            f"{100 * settings.min_share:.0f}% are asked for)."
        )
    return kind, (
        f"No stable segments: when the survey is redrawn, these {k} do not come back ({found}; "
        f"{stable:.2f} and {least:.2f} are asked for). Read them as one way to divide a continuum, "
        "not as groups that exist."
    )
