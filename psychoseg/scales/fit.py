"""The measurement stage: items become scales, through factor analysis or as the study names them.

Puts together what the other modules of this package find. Never reads or writes a file, and never
drops a respondent: who answered too little of a scale has no score on it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.engines.base import Engine
from psychoseg.engines.python import PythonEngine
from psychoseg.errors import DataError, PsychosegWarning, StudyError, tell
from psychoseg.scales.factoring import (
    Factoring,
    ItemAnswers,
    correlate_items,
    count_factors,
    factor_items,
    turn_factors,
)
from psychoseg.scales.keys import ScaleItems, found_scales, named_scales
from psychoseg.scales.polarity import tell_downward
from psychoseg.scales.reliability import reliability_table
from psychoseg.scales.result import Scales
from psychoseg.scales.review import Drop, drop_table, flag_table, propose_drops
from psychoseg.scales.scoring import keyed_scale_items, score_factors, score_units
from psychoseg.scales.tables import (
    eigenvalue_table,
    factor_table,
    fit_table,
    number_table,
    residual_table,
    scale_and_item_tables,
)
from psychoseg.stats.arrays import BoolArray, FloatArray, canonical_order, one_thread
from psychoseg.stats.dimension import FactorCountEvidence
from psychoseg.stats.rotation import structure_matrix
from psychoseg.study import ScalesSettings
from psychoseg.study_options import with_options
from psychoseg.survey.given import FrameLike, generator_of
from psychoseg.survey.table import Survey, effective_size

__all__ = ["fit_scales"]


@one_thread
def fit_scales(
    survey: Survey | FrameLike,
    settings: ScalesSettings | None = None,
    *,
    n_factors: int | Literal["auto", "parallel"] | None = None,
    items: Sequence[str] | None = None,
    reverse: Sequence[str] = (),
    answer_range: tuple[float, float] | None = None,
    weights: str | npt.ArrayLike | None = None,
    random_state: int | np.random.Generator | None = None,
    engine: Engine | None = None,
    rng: np.random.Generator | None = None,
) -> Scales:
    """Turn items into psychographic scales.

    Parameters
    ----------
    survey : Survey or DataFrame
        Respondents and items. A frame may be of pandas, polars or another library, or an array of
        shape (people, items).
    settings : ScalesSettings, optional
        Scales named beforehand, or how to find them; the defaults find them.
    n_factors : int or {"auto", "parallel"}, optional
        Instead of the settings'.
    items, reverse, answer_range, weights : optional
        Of a frame, as :meth:`Survey.from_frame` takes them: where ``items`` is absent, every column
        of numbers or of an ordered ``Categorical`` is an item, and the others are told. A Series of
        weights is matched by its index.
    random_state : int or numpy.random.Generator, optional
        For parallel analysis and random starts; 1 where absent.
    engine : Engine, optional
        Who computes correlations and factors; Python where absent.
    rng : numpy.random.Generator, optional
        The same as ``random_state``.

    Returns
    -------
    Scales

    Raises
    ------
    DataError
        Where an item is constant, two items have no respondents in common, there are fewer
        respondents than items, or no factor has items enough; each names its items. Where a frame
        is not in order, or what is said of a frame is said of a Survey.
    StudyError
        Where a named item does not exist, or a setting is not allowed or said twice.

    Warns
    -----
    PsychosegWarning
        For a smoothed correlation matrix, thin pairs, items that repeat each other, Heywood cases,
        several optima, an item in no scale, a factor without items enough, an item scored against
        its declared key, an item left out on request, a column of the frame that is no item.

    Notes
    -----
    The number of factors is that of the named scales, the setting's, or the recommendation of
    :func:`psychoseg.stats.dimension.how_many_factors`. An item goes to the factor with its largest
    absolute pattern loading where that reaches ``min_loading``, with that loading's sign as its
    key. A score is the mean of the answered items where at least the share ``min_answered`` of them
    was answered; items with different answer scales are first brought to the one most items of the
    scale have. Centring within persons touches the scores alone: correlations, factors and
    reliability are those of the answers as given.

    Examples
    --------
    >>> import psychoseg
    >>> answers = psychoseg.example_answers()
    >>> items = [name for name in answers if name.startswith("q")]
    >>> scales = psychoseg.fit_scales(answers, n_factors=2, items=items, weights="weight")
    >>> scales
    Scales(2 scales of 8 items, 300 respondents, alpha .89)
    >>> scales.table["scale"].tolist()
    ['factor_1', 'factor_2']
    """
    if settings is not None and not isinstance(settings, ScalesSettings):
        msg = (
            f"the second argument is a {type(settings).__name__}; it takes ScalesSettings. Say "
            "others by name: fit_scales(df, n_factors=5)."
        )
        raise TypeError(msg)
    settings = with_options(settings or ScalesSettings(), {"n_factors": n_factors})
    survey = _as_survey(survey, items, reverse, answer_range, weights)
    engine = engine or PythonEngine()
    rng = generator_of(rng, random_state)

    # Items in name order and rows in canonical order make every sum, and so every byte, independent
    # of how the file was sorted.
    names = _analysed_items(survey, settings)
    keyed = survey.keyed_items()[names].to_numpy(np.float64)
    order = canonical_order(keyed, survey.weights)
    everybody = ItemAnswers(
        keyed[order],
        survey.weights[order],
        survey.n_effective,
        names,
        [survey.label(name) for name in names],
    )
    answers = _analysed_answers(everybody, survey, settings)
    _check_items(answers)
    tell_downward(survey, answers.names)
    corr = correlate_items(answers, settings, engine)
    n_factors, evidence = count_factors(corr, answers, settings, rng)
    solution = _solve(answers, corr, n_factors, survey, settings, engine, rng)
    answers, corr, factoring, keys = (
        solution.answers,
        solution.corr,
        solution.factoring,
        solution.keys,
    )

    scored = keyed_scale_items(keys, survey)
    units = settings.model_copy(update={"score": "mean", "centre": "none"})
    means = score_units(keys, scored, names, survey, units)
    if settings.score == "mean" or settings.score == "sum":
        scores = score_units(keys, scored, names, survey, settings)
    else:
        scores = score_factors(
            keys, order, everybody, answers, corr, factoring, settings, settings.score
        ).set_axis(survey.items.index)
    sizes = {
        key.name: survey.n_effective
        # fsum is exact, so that the order of the rows cannot move the last digit.
        * math.fsum(survey.weights[means[key.name].notna()])
        / math.fsum(survey.weights)
        for key in keys
    }
    table, item_table = scale_and_item_tables(
        keys, scores, scored, survey, names, answers, factoring
    )
    columns = [f"F{j + 1}" for j in range(n_factors)]
    in_file_order = [name for name in survey.items.columns if name in set(answers.names)]
    items_index = pd.Index(answers.names, name="item")
    structure = structure_matrix(factoring.loadings, factoring.phi)
    return Scales(
        table=table,
        items=item_table,
        loadings=pd.DataFrame(factoring.loadings, index=items_index, columns=columns).loc[
            in_file_order
        ],
        phi=pd.DataFrame(factoring.phi, index=pd.Index(columns, name="factor"), columns=columns),
        factors=factor_table(keys, factoring, len(answers.names), settings),
        structure=pd.DataFrame(structure, index=items_index, columns=columns).loc[in_file_order],
        eigenvalues=eigenvalue_table(evidence, n_factors),
        number=number_table(evidence),
        number_reason=evidence.reason,
        fit=fit_table(factoring, components=settings.extraction == "components"),
        residuals=residual_table(corr, factoring, answers.names),
        reliability=reliability_table(
            keys,
            scored,
            sizes,
            survey.weights,
            survey.weight_kind != "sampling",
            answers,
            corr,
            factoring,
            rng,
            settings,
        ),
        flags=solution.flags,
        drops=drop_table(solution.drops, {name: survey.label(name) for name in names}),
        corr=pd.DataFrame(corr, index=items_index, columns=answers.names).loc[
            in_file_order, in_file_order
        ],
        scores=scores.set_axis(survey.rows),
        score=_score_words(settings),
        method=_method(settings, evidence, n_factors, len(names)),
        found=not settings.scale,
        n_factors_suggested=evidence.n_factors,
        kmo=factoring.kmo,
        correlation=settings.correlation,
        weights=None
        if survey.weight_kind == "none"
        else pd.Series(survey.weights, index=survey.rows, name="weight"),
        weight_kind=survey.weight_kind,
        left_out=survey.left_out,
        settings=settings,
    )


def _as_survey(
    survey: Survey | FrameLike,
    items: Sequence[str] | None,
    reverse: Sequence[str],
    answer_range: tuple[float, float] | None,
    weights: str | npt.ArrayLike | None,
) -> Survey:
    """Return the survey that was given, or that of a frame; a Survey has its own answers."""
    if not isinstance(survey, Survey):
        return Survey.from_frame(
            survey, items=items, reverse=reverse, answer_range=answer_range, weights=weights
        )
    said = {
        "items": items is not None,
        "reverse": len(reverse) > 0,
        "answer_range": answer_range is not None,
        "weights": weights is not None,
    }
    if any(said.values()):
        raise DataError(
            f"{', '.join(name for name, is_said in said.items() if is_said)} in fit_scales is for "
            "a DataFrame; a Survey has its own. Give it to Survey.from_frame."
        )
    return survey


@dataclass(frozen=True, slots=True)
class _Solution:
    """Factors and scales of the items that were not left out."""

    answers: ItemAnswers
    corr: FloatArray
    factoring: Factoring
    keys: list[ScaleItems]
    flags: pd.DataFrame
    drops: list[Drop]


def _solve(
    answers: ItemAnswers,
    corr: FloatArray,
    n_factors: int,
    survey: Survey,
    settings: ScalesSettings,
    engine: Engine,
    rng: np.random.Generator,
) -> _Solution:
    """Factor the items and assign them; where the study asks, leave items out one by one."""

    def once(settings: ScalesSettings) -> _Solution:
        target = _target(settings, answers.names) if settings.scale else None
        factoring = factor_items(corr, n_factors, answers, settings, engine, rng, target=target)
        assign = named_scales if settings.scale else found_scales
        keys = assign(settings, factoring.loadings, answers.names, survey)
        factoring = turn_factors(factoring, keys, answers.names)
        flags = flag_table(keys, answers, corr, factoring, survey)
        drops = propose_drops(keys, flags, answers, corr, n_factors)
        return _Solution(answers, corr, factoring, keys, flags, drops)

    applied: list[Drop] = []
    while settings.drop_items == "apply":
        # A step on the way is neither searched for rivals nor talked about: only the last counts.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            step = once(settings.model_copy(update={"starts": 0}))
        drops = step.drops
        if not drops:
            break
        best = max(
            (drop for drop in drops if drop.step == 1),
            key=lambda d: (round(d.proposal.alpha_without - d.proposal.alpha, 12), d.item),
        )
        steps = sum(drop.scale == best.scale for drop in applied)
        applied.append(replace(best, step=steps + 1, applied=True))
        scale = [key.name for key in step.keys].index(best.scale)
        settings = _without(settings, best.item, scale)
        still = {item for s in settings.scale for item in s.items}
        kept = [i for i, name in enumerate(answers.names) if name != best.item or name in still]
        answers = replace(
            answers,
            x=answers.x[:, kept],
            names=[answers.names[i] for i in kept],
            labels=[answers.labels[i] for i in kept],
        )
        corr = corr[np.ix_(kept, kept)]
    solution = once(settings)
    if applied:
        gone = "; ".join(survey.label(drop.item) for drop in applied)
        tell(
            f"left out of their scales, as the study asks, because alpha rises without them: {gone}"
        )
    return replace(solution, drops=[*applied, *solution.drops])


def _target(settings: ScalesSettings, names: Sequence[str]) -> FloatArray:
    """Return zeros for the items that a named scale does not hold, NaN for those it does."""
    return np.array(
        [[np.nan if name in scale.items else 0.0 for scale in settings.scale] for name in names]
    )


def _without(settings: ScalesSettings, item: str, place: int) -> ScalesSettings:
    """Return the settings with an item taken out of one named scale, or of all that are found."""
    scales = list(settings.scale)
    if scales:
        scale = scales[place]
        scales[place] = scale.model_copy(
            update={
                "items": tuple(i for i in scale.items if i != item),
                "reverse": tuple(i for i in scale.reverse if i != item),
            }
        )
    names = {i: name for i, name in settings.names.items() if i != item}
    return settings.model_copy(update={"scale": tuple(scales), "names": names})


def _analysed_answers(
    everybody: ItemAnswers, survey: Survey, settings: ScalesSettings
) -> ItemAnswers:
    """Return who the correlations rest on: who answered anything, or with "listwise" everything."""
    answered = ~np.isnan(everybody.x)
    listwise = settings.missing == "listwise"
    kept: BoolArray = np.asarray(answered.all(axis=1) if listwise else answered.any(axis=1))
    if kept.all():
        return everybody
    weights = everybody.weights[kept]
    if listwise:
        tell(
            f'missing = "listwise": the correlations and factors rest on the {int(kept.sum())} of '
            f"{len(kept)} respondents who answered every item"
        )
    size = effective_size(weights, survey.weight_kind)
    return replace(everybody, x=everybody.x[kept], weights=weights, n_effective=size)


def _analysed_items(survey: Survey, settings: ScalesSettings) -> list[str]:
    """Return the items to analyse, in name order: those of the named scales, else all."""
    known = list(survey.items.columns)
    wanted = [item for scale in settings.scale for item in scale.items] or known
    unknown = sorted({i for i in [*wanted, *settings.names] if i not in known})
    if unknown:
        raise StudyError(
            f"[scales] names items that the survey does not have: {', '.join(unknown)}. Its items "
            f"are {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
        )
    twice = sorted({scale.name for scale in settings.scale if _count(settings, scale.name) > 1})
    if twice:
        raise StudyError(f"[scales] has two scales called {twice[0]}. Give each its own name.")
    return sorted(set(wanted))


def _count(settings: ScalesSettings, name: str) -> int:
    return sum(scale.name == name for scale in settings.scale)


def _check_items(answers: ItemAnswers) -> None:
    n, p = answers.x.shape
    if p < 3:
        raise DataError(f"scales take at least 3 items; there {'is' if p == 1 else 'are'} {p}.")
    if answers.n_effective <= p:
        raise DataError(
            f"there are {p} items but only {n} respondents (effective sample size "
            f"{answers.n_effective:.0f}). Factor analysis takes more respondents than items: use "
            "fewer items."
        )
    lowest = np.where(np.isnan(answers.x), np.inf, answers.x).min(axis=0)
    highest = np.where(np.isnan(answers.x), -np.inf, answers.x).max(axis=0)
    constant = [answers.names[j] for j in np.flatnonzero(~(highest > lowest))]
    if constant:
        raise DataError(
            f"{'item' if len(constant) == 1 else 'items'} {', '.join(constant)}: every respondent "
            f"kept gave the same answer, or none. Leave {'it' if len(constant) == 1 else 'them'} "
            "out of [[items]]."
        )


def _score_words(settings: ScalesSettings) -> str:
    share = f"where at least {settings.min_answered:.0%} of the items were answered"
    if settings.score in ("mean", "sum"):
        what = f"{settings.score} of the answered items"
        if settings.score == "sum":
            what += ", gaps filled by their mean"
        if settings.centre == "person":
            what += ", each respondent's own mean answer taken out"
        return f"{what}, {share}"
    which = {
        "regression": "Thurstone's regression",
        "bartlett": "Bartlett's",
        "ten_berge": "ten Berge's",
    }
    return f"factor score by {which[settings.score]} method, {share}"


def _method(
    settings: ScalesSettings, evidence: FactorCountEvidence, n_factors: int, n_items: int
) -> str:
    many = f"{n_factors} factor{'' if n_factors == 1 else 's'}"
    how = (
        f"{many} of {n_items} items, {settings.correlation} correlations, "
        f"{settings.extraction.replace('_', ' ')} extraction, "
        f"{settings.rotation.removesuffix('_t').removesuffix('_q')} rotation"
    )
    if settings.variant == "spss":
        how += " (SPSS's conventions)"
    if settings.scale:
        return (
            f"{n_factors} scales named in the study; the rules suggest {evidence.n_factors} "
            f"factors for their items. Loadings: {how}."
        )
    if settings.n_factors == "auto":
        return f"Found: {how}; their number as recommended."
    if settings.n_factors == "parallel":
        return f"Found: {how}; their number by parallel analysis of component eigenvalues."
    return f"Found: {how}; their number set in the study (the rules suggest {evidence.n_factors})."
