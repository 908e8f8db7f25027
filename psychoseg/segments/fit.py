"""``fit_segments``: coordinates, a division, the number of segments and how sure they are.

Owns the order of the steps and the tables by segment. Never describes a segment (``profiles``
does), and never reads or writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from psychoseg.engines.base import Engine
from psychoseg.engines.python import PythonEngine
from psychoseg.engines.python_methods import k_distances
from psychoseg.errors import DataError, tell
from psychoseg.notebook import notebook_progress
from psychoseg.segments.audits import (
    AUDIT_COLUMNS,
    CONSENSUS_COLUMNS,
    METHOD_COLUMNS,
    TANDEM_COLUMNS,
    audit_consensus,
    audit_methods,
    audit_tandem,
    audit_trust,
)
from psychoseg.segments.inputs import survey_and_scales, tell_excluded
from psychoseg.segments.map import map_of
from psychoseg.segments.methods import (
    METHOD_NAMES,
    Divider,
    Division,
    divider_of,
    for_resamples,
    grow_tree,
)
from psychoseg.segments.number import PANEL, choose_number, gather_evidence
from psychoseg.segments.progress import StageProgress
from psychoseg.segments.result import Segments
from psychoseg.segments.space import Space, block_table, block_warning, build_space
from psychoseg.stats.arrays import FloatArray, IntArray, one_thread
from psychoseg.stats.flow import AcrossSolutions, slsa
from psychoseg.stats.indices import silhouette_of_all
from psychoseg.stats.linkage import count_tied_merges
from psychoseg.stats.micro_clusters import agreement_with_exact
from psychoseg.stats.stability import BORDER, Bootstrap, bootstrap, slsw
from psychoseg.study import ReduceSettings, SegmentsSettings
from psychoseg.study_options import with_options
from psychoseg.study_segments import FINDS_K, TREE_METHODS, SegmentMethod
from psychoseg.survey.given import FrameLike, generator_of
from psychoseg.survey.table import Survey

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = ["fit_segments"]

#: Methods whose fits are so slow that fewer resamples are drawn, and how many.
_SLOW, _FEW_RESAMPLES = ("gmm", "lca", "pam", "diana"), 20
#: Pairs of resamples for the stability of segments within the solution, and of a slow method.
_PAIRS, _FEW_PAIRS = 50, 10
#: Points of the k-distance curve that are kept.
_CURVE = 500
#: Hennig's words for a mean Jaccard similarity from each bound on (Hennig 2007;
#: fpc::clusterboot's help page).
_BANDS = ((0.85, "highly stable"), (0.75, "valid"), (0.6, "a pattern"), (0.0, "not to be trusted"))


@one_thread
def fit_segments(
    survey: Survey | FrameLike | Scales,
    scales: Scales | None = None,
    settings: SegmentsSettings | None = None,
    *,
    k: int | Literal["auto"] | None = None,
    method: SegmentMethod | None = None,
    weights: str | npt.ArrayLike | None = None,
    random_state: int | np.random.Generator | None = None,
    reduce: ReduceSettings | None = None,
    engine: Engine | None = None,
    rng: np.random.Generator | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Segments:
    """Divide the survey into segments, and say how sure they are.

    Parameters
    ----------
    survey : Survey, DataFrame or Scales
        With a Survey, its active columns enter beside the scale scores. With a frame (of pandas,
        polars or another library, or an array), all its columns do: numbers, text and Categorical
        as categories, an ordered Categorical as equal steps; ids, dates, open text and empty
        columns are left out and told. With Scales, their scores alone.
    scales : Scales, optional
        Of the same respondents, matched by the index; none where the columns alone are to be
        segmented.
    settings : SegmentsSettings, optional
    k, method : optional
        Instead of the settings'.
    weights : str, Series or array of shape (n,), optional
        Of a frame or of Scales: a column, a Series matched by its index, or an array in the order
        of the rows. Those of the scales where absent.
    random_state : int or numpy.random.Generator, optional
        For resamples, single clouds and random starts; 1 where absent.
    reduce : ReduceSettings, optional
    engine : Engine, optional
        Who divides; Python where absent. Resamples are divided in Python wherever it has the
        method.
    rng : numpy.random.Generator, optional
        The same as ``random_state``.
    progress : callable, optional
        Called with (steps done, steps in all); in a notebook a bar is shown where absent.

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        Where nothing is active, an active column is constant, the index does not match that of the
        scales, k is larger than the number of distinct respondents, or the method cannot divide
        them.
    StudyError
        Where a setting is not allowed or said twice.

    Warns
    -----
    PsychosegWarning
        For respondents who lack an active value, columns of a frame that take no part, a segment
        too small to read, for ties that decide the cut, for an approximation, and where
        demographics carry most of the division.

    Notes
    -----
    A respondent who lacks an active value is left out, with a ledger line. Numeric columns are
    standardised (weighted, ddof 0); a category's indicator y of share p becomes ``(y - p) /
    sqrt(p)``, as in FAMD (Pages 2004). Component scores keep their variances. Rows are put in
    canonical order and identical ones made one weighted point before anything is computed, so that
    neither row nor column order can move the answer.

    The number of segments and the verdict: :func:`psychoseg.segments.number.choose_number`.

    References
    ----------
    Ward (1963); Rousseeuw (1987); Hennig (2007); Dolnicar & Leisch (2010), Marketing Letters 21,
    83-101, the verdicts; Dolnicar & Leisch (2017), Marketing Letters 28, 423-436, segment level
    stability.

    Examples
    --------
    >>> import psychoseg
    >>> answers = psychoseg.example_answers()
    >>> quick = psychoseg.SegmentsSettings(bootstrap=10, null_replicates=39, audits=False)
    >>> items = [name for name in answers if name.startswith("q")]
    >>> segments = psychoseg.fit_segments(answers[items], settings=quick, k=3)
    >>> segments.labels["P001"] in (1, 2, 3)
    True
    """
    settings = with_options(settings or SegmentsSettings(), {"k": k, "method": method})
    survey, scales = survey_and_scales(survey, scales, weights)
    reduce = reduce or ReduceSettings()
    engine = engine or PythonEngine()
    streams = generator_of(rng, random_state).spawn(8)
    with notebook_progress() as bar:
        if bar is not None and progress is None:
            bar.stage("Segments")
            progress = bar.step
        return _segment(survey, scales, settings, reduce, engine, streams, progress)


def _segment(
    survey: Survey,
    scales: Scales | None,
    settings: SegmentsSettings,
    reduce: ReduceSettings,
    engine: Engine,
    streams: Sequence[np.random.Generator],
    progress: Callable[[int, int], None] | None,
) -> Segments:
    """Divide the survey, draw it again, and gather what is known of each number of segments."""
    asked = settings
    space = build_space(
        survey,
        scales,
        reduce,
        takes_weights=engine.takes_weights_for(settings.method),
        with_answers=settings.method == "lca",
        rng=streams[0],
    )
    tell_excluded(space.gaps, survey.n)
    merged = space.merged
    m = len(merged.x)
    weights = merged.weights
    people = space.people
    divider = divider_of(settings, engine, streams[1], gower=space.distances is not None)
    ks = _numbers(settings, m)
    material = space.coordinates if space.answers is None else space.answers
    division = divider.divide(material, weights, ks, distances=space.distances)
    if settings.method in FINDS_K:
        ks = [int(division.labels.max()) + 1]
        _check_density(division, space, settings)
    # A mixture may stop short of the numbers that are asked for.
    ks = ks[: division.labels.shape[1]]
    if settings.k != "auto":
        _check_full(division.labels[:, min(settings.k, ks[-1]) - 2], settings)
    ward, ward_leaf = _evidence_tree(divider, division, space)

    again = for_resamples(divider)
    pairs = _PAIRS
    if settings.method in _SLOW:
        pairs, resamples = _FEW_PAIRS, min(settings.bootstrap, _FEW_RESAMPLES)
        settings = settings.model_copy(update={"bootstrap": resamples})
    steps = StageProgress(progress, workers=1 if again.method == "diana" else None)
    mapper = steps.map
    steps.begin("resamples")
    boot = bootstrap(
        space.coordinates,
        weights,
        people,
        division.labels,
        rng=streams[2],
        replicates=settings.bootstrap,
        divide=again,
        material=material,
        mapper=mapper,
    )
    steps.begin("evidence")
    evidence = gather_evidence(
        space, survey, division, ks, ward, ward_leaf, settings, rng=streams[3], mapper=mapper
    )
    number = choose_number(evidence, boot, settings)
    column = ks.index(number.k)
    labels = division.labels[:, column]
    steps.begin("halves")
    within = slsw(
        space.coordinates,
        weights,
        people,
        labels,
        rng=streams[4],
        pairs=pairs,
        divide=again,
        material=material,
        mapper=mapper,
    )
    widths = silhouette_of_all(space.coordinates, weights, labels)
    certainty = boot.certainty[:, column]
    known = number.k - division.unassigned
    _tell_small(np.bincount(labels, weights=people)[:known], settings)
    tied = count_tied_merges(ward if division.tree is None else division.tree)
    if tied and settings.method == "ward":
        tell(
            f"{tied} of {len(ward)} merges of the tree are tied: textbook Ward would let the order "
            "of the rows decide them; here the respondents' own answers do, so that it cannot"
        )
    tree, leaf_of = division.tree, division.leaf_of
    if tree is None or settings.consolidate:
        tree, leaf_of = grow_tree(space.coordinates, weights, labels)
    approximate = _approximation(division, space, labels, settings)
    audit = pd.DataFrame(columns=list(AUDIT_COLUMNS))
    methods = pd.DataFrame(columns=list(METHOD_COLUMNS))
    tandem = pd.DataFrame(columns=list(TANDEM_COLUMNS))
    steps.begin("audits")
    if settings.audits:
        inside = np.where(labels < known, labels, -1)
        audit = audit_trust(
            space, scales, inside, certainty, tied, again, rng=streams[5], mapper=mapper
        )
        methods = audit_methods(survey, space, divider, inside, seed=divider.seed, mapper=mapper)
        if scales is not None:
            tandem = audit_tandem(survey, space, inside)
    consensus, agreed = pd.DataFrame(columns=list(CONSENSUS_COLUMNS)), None
    if settings.consensus:
        consensus, lines, agreed = audit_consensus(
            space, divider, labels, rng=streams[6], mapper=mapper
        )
        audit = pd.concat([audit, lines], ignore_index=True)
    steps.finish()
    blocks = block_table(space, labels)
    warning = block_warning(blocks)
    if warning:
        tell(warning)
    xy, map_note = map_of(space, reduce.map, streams[7])

    point_of = np.full(survey.n, -1, dtype=np.intp)
    point_of[space.rows] = merged.point_of
    there = point_of >= 0
    comp = [f"comp_{j + 1}" for j in range(space.coordinates.shape[1])]
    points = pd.DataFrame(
        {
            "point": np.arange(m),
            "weight": weights,
            "n": merged.counts,
            "segment": labels + 1,
            "map_1": xy[:, 0],
            "map_2": xy[:, 1],
        }
    ).join(pd.DataFrame(space.coordinates, columns=comp))
    if agreed is not None:
        points["consensus"] = agreed + 1
    across = slsa(np.column_stack([np.zeros(m, dtype=np.intp), division.labels]), weights)
    return Segments(
        labels=pd.Series(np.where(there, labels[point_of] + 1, 0), survey.rows, name="segment"),
        k=number.k,
        unassigned=number.k if division.unassigned else 0,
        table=_segment_table(
            labels, survey, space, boot.jaccard[column], within, widths, certainty
        ),
        choice=number.choice,
        votes=number.votes,
        recommended_k=number.recommended_k,
        runner_up=number.runner_up,
        k_reason=number.k_reason,
        runner_up_reason=number.runner_up_reason,
        verdict=number.verdict,
        reason=number.reason,
        k_rule=number.k_rule,
        null=number.null,
        stability=_stability_table(ks, division.labels, weights, boot, across),
        slsw=pd.DataFrame(
            {
                "segment": np.tile(np.arange(1, number.k + 1), len(within)),
                "resample": np.repeat(np.arange(1, len(within) + 1), number.k),
                "value": within.ravel(),
            }
        ),
        flow=_flow_table(ks, division.labels, people, across),
        blocks=blocks,
        audit=audit,
        methods=methods,
        tandem=tandem,
        consensus=consensus,
        neighbours=_neighbours(space, settings),
        resamples=settings.bootstrap,
        tree=tree,
        leaf_of=leaf_of,
        points=points,
        point_of=point_of,
        features=space.features,
        eigenvalues=space.eigenvalues,
        components=space.components,
        contributions=space.contributions,
        supplementary=space.supplementary,
        components_rule=space.rule,
        map_note=map_note,
        silhouette=pd.Series(
            np.where(there, widths[point_of], np.nan), survey.rows, name="silhouette"
        ),
        certainty=pd.Series(
            np.where(there, certainty[point_of], np.nan), survey.rows, name="certainty"
        ),
        excluded=space.gaps,
        tied_merges=tied,
        n_identical=space.n_identical,
        n_moved=round(float(people[division.moved[:, column]].sum())),
        approximate=approximate,
        method=_method(settings, engine),
        left_out=survey.left_out,
        settings=asked,
        reduce=reduce,
    )


def _numbers(settings: SegmentsSettings, n_points: int) -> list[int]:
    """Return the numbers of segments that people are divided into, 2, 3, ..."""
    if settings.k != "auto" and settings.k > n_points:
        raise DataError(
            f"[segments] k = {settings.k} is larger than the {n_points} distinct respondents. Ask "
            "for fewer."
        )
    if settings.k == "auto" and n_points <= settings.k_min:
        raise DataError(
            f"there are only {n_points} distinct respondents, too few to look for "
            f"{settings.k_min} segments or more. Give more respondents, or set k in [segments]."
        )
    # Of a slow method no more than are looked for.
    panel = 2 if settings.method in _SLOW else PANEL
    most = max(2, min(max(panel, settings.k_max), n_points - 1))
    return list(range(2, (most if settings.k == "auto" else max(most, settings.k)) + 1))


def _check_full(labels: IntArray, settings: SegmentsSettings) -> None:
    """Refuse a division that has fewer segments than the study asks for."""
    found = int(labels.max()) + 1
    if settings.k != "auto" and found < settings.k:
        raise DataError(
            f'[segments] method = "{settings.method}" with k = {settings.k} finds only {found} '
            f"segments that have members. Ask for {found} or fewer, or take another method."
        )


def _check_density(division: Division, space: Space, settings: SegmentsSettings) -> None:
    """Refuse a division by density that is none."""
    groups = int(division.labels.max()) + 1 - int(division.unassigned)
    if groups < 2:
        what = "there is one dense group" if groups else "nobody has enough neighbours"
        if settings.method == "dbscan":
            curve = _neighbours(space, settings)
            what += (
                f" at eps = {curve['eps'].iloc[0]:.3g} (half of the people have "
                f"{settings.min_samples} within {curve['distance'].median():.3g}, all within "
                f"{curve['distance'].iloc[-1]:.3g})"
            )
        raise DataError(
            f'[segments] method = "{settings.method}" finds no segments: {what}. Change eps or '
            "min_samples, or take another method."
        )


def _evidence_tree(
    divider: Divider, division: Division, space: Space
) -> tuple[FloatArray, IntArray]:
    """Return Ward's tree, whose divisions are held against single clouds, and its leaves."""
    if divider.method == "ward" and division.tree is not None:
        return division.tree, division.leaf_of
    ward = replace(divider, method="ward", engine=PythonEngine(), consolidate=False)
    found = ward.divide(space.coordinates, space.merged.weights, [2])
    if found.tree is None:
        msg = "Ward's tree is missing"
        raise RuntimeError(msg)
    return found.tree, found.leaf_of


def _approximation(
    division: Division, space: Space, labels: IntArray, settings: SegmentsSettings
) -> str:
    """Say what is approximate, and how far it agrees with what is exact."""
    if not division.n_micro:
        return ""
    text = f"{division.n_micro:,} micro-clusters stand for {len(labels):,} points"
    if settings.method == "ward":
        agreement = agreement_with_exact(
            space.coordinates, space.merged.weights, labels, k=int(labels.max()) + 1
        )
        text += f"; adjusted Rand index with the exact tree of a subsample {agreement:.2f}"
    tell(f"the division is approximate: {text}")
    return text


def _segment_table(
    labels: IntArray,
    survey: Survey,
    space: Space,
    jaccard: FloatArray,
    within: FloatArray,
    widths: FloatArray,
    certainty: FloatArray,
) -> pd.DataFrame:
    k, weights = int(labels.max()) + 1, space.merged.weights
    mass = np.bincount(labels, weights=weights, minlength=k)
    share = mass / mass.sum()
    whole = survey.weights.sum() if survey.weight_kind == "frequency" else survey.n
    n_effective = survey.n_effective * space.people.sum() / max(whole, 1)
    low, high = proportion_confint(share * n_effective, n_effective, method="wilson")
    known = ~np.isnan(certainty)
    seen = np.bincount(labels[known], weights=weights[known], minlength=k)
    with np.errstate(invalid="ignore", divide="ignore"):
        sure = np.bincount(labels[known], weights=(weights * certainty)[known], minlength=k) / seen
        unsure = weights * (certainty < BORDER)
        border = np.bincount(labels[known], weights=unsure[known], minlength=k) / seen
    return pd.DataFrame(
        {
            "segment": np.arange(1, k + 1),
            "n": np.bincount(labels, weights=space.merged.counts, minlength=k).astype(int),
            "weighted": mass,
            "share": share,
            "share_low": low,
            "share_high": high,
            "jaccard": jaccard,
            "band": [next(word for bound, word in _BANDS if j >= bound) for j in jaccard],
            "slsw": np.nanmedian(within, axis=0),
            "certainty": sure,
            "border_share": border,
            "silhouette": np.bincount(labels, weights=weights * widths, minlength=k) / mass,
        }
    )


def _stability_table(
    ks: list[int],
    labels: IntArray,
    weights: FloatArray,
    boot: Bootstrap,
    across: AcrossSolutions,
) -> pd.DataFrame:
    rows = []
    for s, k in enumerate(ks):
        share = np.bincount(labels[:, s], weights=weights) / weights.sum()
        for j in range(len(share)):
            rows.append(
                (
                    k,
                    j + 1,
                    share[j],
                    boot.jaccard[s][j],
                    boot.low[s][j],
                    across.from_previous[s + 1][j],
                    across.into_next[s + 1][j],
                )
            )
    names = ["k", "segment", "share", "jaccard", "jaccard_low", "slsa", "slsa_next"]
    return pd.DataFrame(rows, columns=names)


def _flow_table(
    ks: list[int], labels: IntArray, people: FloatArray, across: AcrossSolutions
) -> pd.DataFrame:
    rows = []
    for s, k in enumerate(ks[:-1]):
        for flow in across.flows[s + 1]:
            both = (labels[:, s] == flow.source) & (labels[:, s + 1] == flow.target)
            n = round(float(people[both].sum()))
            rows.append((k, flow.source + 1, flow.target + 1, flow.weight, n))
    return pd.DataFrame(rows, columns=["k", "segment", "next_segment", "weight", "n"])


def _neighbours(space: Space, settings: SegmentsSettings) -> pd.DataFrame:
    """Return the curve that eps is read off, at evenly spaced people."""
    if settings.method != "dbscan":
        return pd.DataFrame(columns=["share", "distance", "eps"])
    found = k_distances(space.coordinates, space.merged.weights, settings.min_samples)
    some = np.unique(np.linspace(0, len(found.share) - 1, _CURVE).astype(int))
    eps = found.knee if settings.eps is None else settings.eps
    return pd.DataFrame({"share": found.share[some], "distance": found.distance[some], "eps": eps})


def _method(settings: SegmentsSettings, engine: Engine) -> str:
    who = f"{engine.name}: {getattr(engine, 'tree', engine.name)}"
    name = METHOD_NAMES[settings.method]
    if settings.consolidate:
        name += ", consolidated"
    return f"{name} ({who})" if settings.method in TREE_METHODS else f"{name} ({engine.name})"


def _tell_small(people: FloatArray | IntArray, settings: SegmentsSettings) -> None:
    small = [f"{s} (n = {n:.0f})" for s, n in enumerate(people, start=1) if n < settings.min_people]
    if small:
        what = f"segment {small[0]} has" if len(small) == 1 else f"segments {', '.join(small)} have"
        tell(
            f"{what} fewer than {settings.min_people} respondents: too few to read "
            f"{'its profile' if len(small) == 1 else 'their profiles'} with confidence"
        )
