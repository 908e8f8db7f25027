"""The segmentation stage: active columns to components, a tree, a cut and its stability.

Owns what enters the tree, where it is cut and the verdict on the cut. Never describes a segment
(``profiles`` does), and never reads or writes a file.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from psychoseg.engines.base import Engine
from psychoseg.engines.python import PythonEngine
from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.features import build_features, case_weights, merge_identical, standardise
from psychoseg.stats.arrays import Collapsed, FloatArray, IntArray, one_thread
from psychoseg.stats.linkage import count_tied_merges, cut_tree
from psychoseg.stats.reduction import PrincipalComponents, principal_components, weighted_mean_sd
from psychoseg.stats.stability import bootstrap_jaccard
from psychoseg.stats.validity import nested_silhouettes
from psychoseg.study import ReduceSettings, SegmentsSettings
from psychoseg.survey.frame import check_same_rows, survey_from_frame
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = ["Segments", "Verdict", "fit_segments"]

Verdict = Literal["reproducible", "constructed"]

#: An eigenvalue below this part of the largest is zero but for rounding.
_NO_VARIANCE = 1e-12
#: Coordinates are held to this part of the first component's spread: what is finer is rounding
#: noise, and must not decide which of two equal distances is the shorter.
_GRID = 1e-10


@dataclass(frozen=True, slots=True)
class Segments:
    """A division of the respondents, the tree it was cut from, and the evidence for it.

    Attributes
    ----------
    labels : ndarray of int, shape (n,)
        1 to k by descending weighted size; 0 for a respondent in ``excluded``.
    k : int
    table : pandas.DataFrame
        One row a segment: ``segment, n, weighted, share, share_low, share_high, jaccard,
        silhouette``. The interval is Wilson's at 95% on the effective sample size.
    choice : pandas.DataFrame
        One row a number of segments: ``k, silhouette, jaccard_mean, jaccard_min, smallest_share,
        smallest_n, eligible, chosen, why``.
    verdict : {"reproducible", "constructed"}
        "natural" is never said here: it takes a test against one cloud of people.
    reason : str
        The verdict in a sentence.
    k_rule : str
        How k came about.
    tree : ndarray, shape (m - 1, 4)
        scipy's linkage matrix over m points, identical respondents being one weighted point.
    points : pandas.DataFrame
        One row a point: ``point, weight, n, segment, comp_1, ...``; the first two components are
        the map.
    point_of : ndarray of int, shape (n,)
        Point of each respondent, -1 where excluded.
    features : pandas.DataFrame
        One row an active feature: ``feature, label, kind, mean, sd``; kind is "scale", "numeric" or
        "category".
    eigenvalues : pandas.DataFrame
        ``component, eigenvalue, share, cumulative, retained``.
    components : pandas.DataFrame
        Correlation of each feature (index) with each retained component.
    components_rule : str
    silhouette : ndarray, shape (n,)
        Silhouette width; NaN where excluded.
    excluded : pandas.DataFrame
        Ledger lines of the respondents that lack an active value.
    tied_merges : int
        Merges of the tree whose height another one shares.
    n_identical : int
        Respondents whose active values equal another one's.
    method : str
    """

    labels: IntArray
    k: int
    table: pd.DataFrame
    choice: pd.DataFrame
    verdict: Verdict
    reason: str
    k_rule: str
    tree: FloatArray
    points: pd.DataFrame
    point_of: IntArray
    features: pd.DataFrame
    eigenvalues: pd.DataFrame
    components: pd.DataFrame
    components_rule: str
    silhouette: FloatArray
    excluded: pd.DataFrame
    tied_merges: int
    n_identical: int
    method: str


@one_thread
def fit_segments(
    survey: Survey | pd.DataFrame,
    scales: Scales | None = None,
    settings: SegmentsSettings | None = None,
    *,
    reduce: ReduceSettings | None = None,
    engine: Engine | None = None,
    rng: np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Segments:
    """Cut the survey into segments.

    Parameters
    ----------
    survey : Survey or DataFrame
        With a Survey, its active columns enter beside the scale scores. With a DataFrame, all its
        columns do (numeric, or text and Categorical as categories).
    scales : Scales, optional
        Row by row the same respondents; none where the columns alone are to be segmented.
    settings : SegmentsSettings, optional
    reduce : ReduceSettings, optional
    engine : Engine, optional
        Who builds the tree; Python where absent.
    rng : numpy.random.Generator, optional
        For the bootstrap; seeded with 1 where absent.
    progress : callable, optional
        Called with (replicates done, replicates in all).

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        Where nothing is active, an active column is constant, rows do not match the scales, or k is
        larger than the number of distinct respondents.

    Warns
    -----
    PsychosegWarning
        For a segment too small to read, and for ties that decide the cut.

    Notes
    -----
    A respondent who lacks an active value is left out, with a ledger line. Numeric columns are
    standardised (weighted, ddof 0); a category's indicator y of share p becomes ``(y - p) /
    sqrt(p)``, as in FAMD (Pages 2004). Component scores keep their variances. Rows are put in
    canonical order and identical ones made one weighted point before anything is computed, so that
    neither row nor column order can move the answer.

    The number of segments: those whose smallest segment holds ``min_share`` of the weight and
    ``min_people`` respondents, whose clusters come back in the bootstrap with a mean Jaccard of
    ``stable_jaccard`` overall and ``min_jaccard`` each, are eligible; of these the one with the
    highest average silhouette is taken. Where none is eligible the verdict is "constructed", and
    the highest silhouette among the large enough ones is shown.

    References
    ----------
    Ward (1963); Rousseeuw (1987); Hennig (2007); Dolnicar & Leisch (2010), Marketing Letters 21,
    83-101, the verdicts.
    """
    survey, scales = _as_inputs(survey, scales)
    settings = settings or SegmentsSettings()
    reduce = reduce or ReduceSettings()
    engine = engine or PythonEngine()
    rng = rng or np.random.default_rng(1)

    features = build_features(survey, scales)
    rows = np.flatnonzero(features.complete)
    if len(rows) < 3:
        raise DataError(
            f"only {len(rows)} respondents have all active values; segments take at least 3. Look "
            "at the ledger, "
            f'and make columns with many gaps use = "profile".'
        )
    raw = features.table.to_numpy(np.float64)[rows]
    weights = case_weights(survey, rows)
    merged = merge_identical(
        raw, weights, survey, takes_weights=getattr(engine, "takes_weights", True)
    )
    x, mean, sd = standardise(merged, features)
    pca = principal_components(x, merged.weights)
    n_components, components_rule = _n_components(pca.eigenvalues, reduce)
    coordinates = _on_grid(pca.scores[:, :n_components])

    if settings.k != "auto" and settings.k > len(coordinates):
        raise DataError(
            f"[segments] k = {settings.k} is larger than the {len(coordinates)} distinct "
            "respondents. Ask for fewer."
        )
    tree = engine.linkage(coordinates, settings.method, merged.weights)
    counts = merged.weights if survey.weight_kind == "frequency" else merged.counts.astype(float)
    ks = _candidates(settings, len(coordinates))
    cuts = {k: _by_size(cut_tree(tree, k), merged.weights, coordinates) for k in ks}
    widths = nested_silhouettes(coordinates, np.column_stack([cuts[k] for k in ks]), merged.weights)
    replicates = settings.bootstrap
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, replicates)

    jaccards = bootstrap_jaccard(
        coordinates,
        merged.weights,
        counts,
        [cuts[k] for k in ks],
        rng=rng,
        replicates=replicates,
        progress=advance,
    )
    choice = _choice_table(ks, cuts, widths, jaccards, merged.weights, counts, settings)
    k, verdict, reason, k_rule = _decide(choice, settings)
    choice["chosen"] = choice["k"] == k
    point_labels = cuts[k] + 1
    column = ks.index(k)
    table = _segment_table(
        point_labels, merged, widths[:, column], jaccards[column], survey, counts
    )
    _tell_small(np.bincount(point_labels - 1, weights=counts).astype(np.float64), settings)
    tied = count_tied_merges(tree)
    if tied:
        warnings.warn(
            f"{tied} of {len(tree)} merges of the tree are tied: textbook Ward would let the order "
            "of the rows decide them; here the respondents' own answers do, so that it cannot",
            PsychosegWarning,
            stacklevel=2,
        )

    point_of = np.full(survey.n, -1, dtype=np.intp)
    point_of[rows] = merged.point_of
    there = point_of >= 0
    labels = np.where(there, point_labels[point_of], 0)
    names = list(features.table.columns)
    comp = [f"comp_{j + 1}" for j in range(n_components)]
    points = pd.DataFrame(
        {
            "point": np.arange(len(coordinates)),
            "weight": merged.weights,
            "n": merged.counts,
            "segment": point_labels,
        }
    ).join(pd.DataFrame(coordinates, columns=comp))
    kinds = [features.kinds[name] for name in names]
    return Segments(
        labels=labels,
        k=k,
        table=table,
        choice=choice,
        verdict=verdict,
        reason=reason,
        k_rule=k_rule,
        tree=tree,
        points=points,
        point_of=point_of,
        features=pd.DataFrame(
            {
                "feature": names,
                "label": [features.labels[name] for name in names],
                "kind": kinds,
                "mean": mean,
                "sd": sd,
            }
        ),
        eigenvalues=_eigenvalue_table(pca.eigenvalues, n_components),
        components=_correlations(x, pca, merged.weights, names, comp),
        components_rule=components_rule,
        silhouette=np.where(there, widths[point_of, column], np.nan),
        excluded=features.gaps,
        tied_merges=tied,
        n_identical=_n_identical(raw),
        method=f"Ward's tree ({engine.name}: {getattr(engine, 'tree', engine.name)})",
    )


def _as_inputs(
    survey: Survey | pd.DataFrame, scales: Scales | None
) -> tuple[Survey, Scales | None]:
    """Return a survey whose active columns are those of a DataFrame, where one was given."""
    if isinstance(survey, pd.DataFrame):
        frame, columns = survey, [str(name) for name in survey.columns]
        survey = survey_from_frame(survey, items=[], columns=columns, use="active")
        if scales is not None:
            check_same_rows(frame, scales.scores)
    if scales is not None and len(scales.scores) != survey.n:
        raise DataError(
            f"the scales have {len(scales.scores)} respondents and the survey {survey.n}. Give the "
            "rows that the scales were fitted on, in the same order."
        )
    return survey, scales


def _n_components(eigenvalues: FloatArray, reduce: ReduceSettings) -> tuple[int, str]:
    positive = int((eigenvalues > _NO_VARIANCE * eigenvalues[0]).sum())
    cumulative = np.cumsum(eigenvalues) / eigenvalues.sum()
    if reduce.components == "all":
        return positive, f"all {positive} components"
    if reduce.components == "share":
        n = min(int(np.searchsorted(cumulative, reduce.share - 1e-9) + 1), positive)
        return n, (
            f"the first {n} of {positive} components: the fewest that carry "
            f"{100 * reduce.share:.0f}% of the variance ({100 * cumulative[n - 1]:.0f}%)"
        )
    if reduce.components > positive:
        raise DataError(
            f"[reduce] components = {reduce.components} is more than the {positive} that the "
            "active columns have."
        )
    n = reduce.components
    return n, f"{n} components, set in the study ({100 * cumulative[n - 1]:.0f}% of the variance)"


def _on_grid(scores: FloatArray) -> FloatArray:
    """Round coordinates to a grid far below any difference between answers."""
    step = _GRID * float(np.abs(scores).max())
    exponent = np.floor(np.log10(step)) if step > 0 else -12
    return np.round(scores, int(-exponent)) + 0.0


def _candidates(settings: SegmentsSettings, n_points: int) -> list[int]:
    ks = set(range(settings.k_min, min(settings.k_max, n_points - 1) + 1))
    if settings.k != "auto":
        ks.add(settings.k)
    if not ks:
        raise DataError(
            f"there are only {n_points} distinct respondents, too few for {settings.k_min} "
            "segments."
        )
    return sorted(ks)


def _by_size(labels: IntArray, weights: FloatArray, x: FloatArray) -> IntArray:
    """Renumber clusters by descending weight, equal weights by their first point."""
    k = int(labels.max()) + 1
    mass = np.bincount(labels, weights=weights, minlength=k)
    first = np.unique(labels, return_index=True)[1]
    # Rounded, so that two sums that differ by rounding alone count as equal.
    order = np.lexsort([first, -mass.round(9)])
    rank = np.empty(k, dtype=np.intp)
    rank[order] = np.arange(k)
    return rank[labels]


def _choice_table(
    ks: list[int],
    cuts: dict[int, IntArray],
    widths: FloatArray,
    jaccards: list[FloatArray],
    weights: FloatArray,
    counts: FloatArray,
    settings: SegmentsSettings,
) -> pd.DataFrame:
    """Return the evidence for each number of segments, and what stands against it."""
    rows = []
    for j, k in enumerate(ks):
        mass = np.bincount(cuts[k], weights=weights, minlength=k)
        people = np.bincount(cuts[k], weights=counts, minlength=k)
        share = mass / mass.sum()
        mean_jaccard = float(share @ jaccards[j])
        low_jaccard = float(jaccards[j].min())
        against = []
        if share.min() < settings.min_share:
            against.append(f"smallest segment {100 * share.min():.1f}%")
        if people.min() < settings.min_people:
            against.append(f"smallest segment {people.min():.0f} people")
        if mean_jaccard < settings.stable_jaccard:
            shown = _beside(mean_jaccard, settings.stable_jaccard)
            against.append(f"does not come back (Jaccard {shown})")
        elif low_jaccard < settings.min_jaccard:
            shown = _beside(low_jaccard, settings.min_jaccard)
            against.append(f"one segment does not come back (Jaccard {shown})")
        rows.append(
            {
                "k": k,
                "silhouette": float(weights @ widths[:, j] / weights.sum()),
                "jaccard_mean": mean_jaccard,
                "jaccard_min": low_jaccard,
                "smallest_share": float(share.min()),
                "smallest_n": round(float(people.min())),
                "eligible": not against,
                "chosen": False,
                "why": "; ".join(against) or "large enough and stable",
            }
        )
    return pd.DataFrame(rows)


def _decide(choice: pd.DataFrame, settings: SegmentsSettings) -> tuple[int, Verdict, str, str]:
    """Return k, the verdict on it, the verdict's reason, and how k came about."""
    rule = (
        f"the highest average silhouette among {settings.k_min} to {settings.k_max} segments whose "
        f"smallest holds at least {100 * settings.min_share:.0f}% and {settings.min_people} "
        f"respondents and that come back in {settings.bootstrap} bootstrap resamples (mean Jaccard "
        f"at least {settings.stable_jaccard:.2f}, each segment at least {settings.min_jaccard:.2f})"
    )
    searched = choice[choice["k"].between(settings.k_min, settings.k_max)]
    if settings.k != "auto":
        row = choice[choice["k"] == settings.k].iloc[0]
        k_rule = f"{settings.k} segments, set in the study"
    elif searched["eligible"].any():
        row = _best(searched[searched["eligible"]])
        k_rule = f"{row['k']} segments: {rule}"
    else:
        large = searched[
            (searched["smallest_share"] >= settings.min_share)
            & (searched["smallest_n"] >= settings.min_people)
        ]
        row = _best(
            large if len(large) else searched, "silhouette" if len(large) else "smallest_share"
        )
        why = (
            "has the highest average silhouette of those large enough"
            if len(large)
            else "has the largest smallest segment"
        )
        k_rule = (
            f"{row['k']} segments, for illustration: none met the rule ({rule}), and this {why}"
        )
    stable, least = settings.stable_jaccard, settings.min_jaccard
    evidence = (
        f"mean Jaccard {_beside(row['jaccard_mean'], stable)} over {settings.bootstrap} resamples, "
        f"the least stable segment {_beside(row['jaccard_min'], least)}"
    )
    comes_back = row["jaccard_mean"] >= stable and row["jaccard_min"] >= least
    if comes_back and not row["eligible"]:
        return (
            int(row["k"]),
            "constructed",
            f"No stable segments: these {row['k']} come back when the survey is redrawn "
            f"({evidence}), but not all are large enough to count on (the smallest has "
            f"{row['smallest_n']} respondents, {100 * row['smallest_share']:.1f}%; "
            f"{settings.min_people} and {100 * settings.min_share:.0f}% are asked for).",
            k_rule,
        )
    if comes_back:
        return (
            int(row["k"]),
            "reproducible",
            f"The same {row['k']} segments come back when the survey is redrawn ({evidence}).",
            k_rule,
        )
    return (
        int(row["k"]),
        "constructed",
        f"No stable segments: when the survey is redrawn, these {row['k']} do not come back "
        f"({evidence}; {stable:.2f} and {least:.2f} are asked for). Read them as one way to divide "
        "a continuum, not as groups that exist.",
        k_rule,
    )


def _beside(value: float, threshold: float) -> str:
    """Return two decimals, or three where two would print a value below a threshold as on it."""
    text = f"{value:.2f}"
    return f"{value:.3f}" if value < threshold <= float(text) else text


def _best(rows: pd.DataFrame, by: str = "silhouette") -> pd.Series:
    """Return the row that is highest in a column; of equal ones the one with fewest segments."""
    return rows.iloc[int(rows[by].round(9).to_numpy().argmax())]


def _segment_table(
    labels: IntArray,
    merged: Collapsed,
    widths: FloatArray,
    jaccard: FloatArray,
    survey: Survey,
    counts: FloatArray,
) -> pd.DataFrame:
    k = int(labels.max())
    mass = np.bincount(labels - 1, weights=merged.weights, minlength=k)
    share = mass / mass.sum()
    n_effective = (
        survey.n_effective
        * counts.sum()
        / max(survey.weights.sum() if survey.weight_kind == "frequency" else survey.n, 1)
    )
    low, high = proportion_confint(share * n_effective, n_effective, method="wilson")
    return pd.DataFrame(
        {
            "segment": np.arange(1, k + 1),
            "n": np.bincount(labels - 1, weights=merged.counts, minlength=k).astype(int),
            "weighted": mass,
            "share": share,
            "share_low": low,
            "share_high": high,
            "jaccard": jaccard,
            "silhouette": np.bincount(labels - 1, weights=merged.weights * widths, minlength=k)
            / mass,
        }
    )


def _tell_small(people: FloatArray, settings: SegmentsSettings) -> None:
    for segment, n in enumerate(people, start=1):
        if n < settings.min_people:
            warnings.warn(
                f"segment {segment} has only {n:.0f} respondents (fewer than "
                f"{settings.min_people}): too few to read its profile with confidence",
                PsychosegWarning,
                stacklevel=3,
            )


def _eigenvalue_table(eigenvalues: FloatArray, n_components: int) -> pd.DataFrame:
    share = eigenvalues / eigenvalues.sum()
    return pd.DataFrame(
        {
            "component": np.arange(1, len(eigenvalues) + 1),
            "eigenvalue": eigenvalues,
            "share": share,
            "cumulative": np.cumsum(share),
            "retained": np.arange(len(eigenvalues)) < n_components,
        }
    )


def _correlations(
    x: FloatArray,
    pca: PrincipalComponents,
    weights: FloatArray,
    names: list[str],
    comp: list[str],
) -> pd.DataFrame:
    """Return the correlation of each feature with each retained component."""
    sd = weighted_mean_sd(x, weights)[1]
    d = len(comp)
    values = pca.vectors[:, :d] * np.sqrt(pca.eigenvalues[:d]) / sd[:, None]
    return pd.DataFrame(values, index=pd.Index(names, name="feature"), columns=comp)


def _n_identical(raw: FloatArray) -> int:
    counts = np.unique(raw, axis=0, return_counts=True)[1]
    return int(counts[counts > 1].sum())
