"""The measurement stage: items become scales, through factor analysis or as the study names them.

Owns the decisions after an engine's raw numbers: how many factors, which item belongs where and
with which key, scores and reliability. Never reads or writes a file, and never drops a respondent:
who answered too little of a scale has no score on it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.engines.base import CorrelationKind, Engine
from psychoseg.engines.python import PythonEngine
from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.keys import MIN_ITEMS, ScaleItems, found_scales, named_scales
from psychoseg.stats.arrays import FloatArray, canonical_order
from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    SMOOTHING_FLOOR,
    covariance,
    information_size,
    smooth_correlation,
)
from psychoseg.stats.dimension import ParallelAnalysis, parallel_analysis
from psychoseg.stats.factor import communalities, kmo, order_factors
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.reliability import cronbach_alpha
from psychoseg.study import ScalesSettings
from psychoseg.survey.table import Survey

__all__ = ["Scales", "fit_scales"]


@dataclass(frozen=True, slots=True)
class Scales:
    """Scales, the factor analysis behind them, and everybody's scores.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a scale: ``scale, label, n_items, alpha, alpha_low, alpha_high, mean_r, mean, sd,
        base``. The interval is Feldt's at 95%; mean and sd are weighted (ddof 0), on the answer
        scale; base counts the respondents with a score.
    items : pandas.DataFrame
        One row an item: ``item, label, scale, key, loading, communality, item_rest,
        alpha_if_dropped, mean, sd, base``. ``scale`` is empty for an item in none; ``key`` is -1
        where the raw answer was turned round; ``loading`` is the pattern loading of the item, as
        scored, on its scale's factor.
    loadings : pandas.DataFrame, shape (p, m)
        Pattern loadings of the items after the declared reversals; columns F1, F2, ... by explained
        variance.
    phi : pandas.DataFrame, shape (m, m)
        Factor correlations.
    factors : pandas.DataFrame
        One row a factor: ``factor, label, ss_loadings, share, scale``.
    eigenvalues : pandas.DataFrame
        ``component, observed, threshold, retained``: parallel analysis.
    corr : pandas.DataFrame, shape (p, p)
        Correlations that were factored.
    scores : pandas.DataFrame, shape (n, s)
        Mean of the answered items, reverse-keyed ones turned round; NaN where too few were
        answered. The index is that of the DataFrame the scales were fitted on.
    method : str
        How the scales came about, in one sentence.
    found : bool
        Whether the scales were found rather than named.
    n_factors_suggested : int
        By parallel analysis.
    kmo : float
        Kaiser's measure of sampling adequacy.
    correlation : {"pearson", "polychoric"}
    """

    table: pd.DataFrame
    items: pd.DataFrame
    loadings: pd.DataFrame
    phi: pd.DataFrame
    factors: pd.DataFrame
    eigenvalues: pd.DataFrame
    corr: pd.DataFrame
    scores: pd.DataFrame
    method: str
    found: bool
    n_factors_suggested: int
    kmo: float
    correlation: CorrelationKind


def fit_scales(
    survey: Survey | pd.DataFrame,
    settings: ScalesSettings | None = None,
    *,
    engine: Engine | None = None,
    rng: np.random.Generator | None = None,
) -> Scales:
    """Turn items into psychographic scales.

    Parameters
    ----------
    survey : Survey or DataFrame
        Respondents and items. Every numeric column of a DataFrame counts as an item.
    settings : ScalesSettings, optional
        Scales named beforehand, or how to find them; the defaults find them.
    engine : Engine, optional
        Who computes correlations and factors; Python where absent.
    rng : numpy.random.Generator, optional
        For parallel analysis; seeded with 1 where absent.

    Returns
    -------
    Scales

    Raises
    ------
    DataError
        Where an item is constant, two items have no respondents in common, there are fewer
        respondents than items, or no factor has items enough.
    StudyError
        Where a named item does not exist.

    Warns
    -----
    PsychosegWarning
        For a smoothed correlation matrix, an item in no scale, a factor without items enough, an
        item scored against its declared key.

    Notes
    -----
    Correlations use pairwise complete rows. The number of factors is that of the named scales, the
    setting's, or by parallel analysis (95th percentile of component eigenvalues). An item goes to
    the factor with its largest absolute pattern loading where that reaches ``min_loading``, with
    that loading's sign as its key. A score is the mean of the answered items where at least the
    share ``min_answered`` of them was answered; items with different answer scales are first
    brought to the one most items of the scale have.
    """
    index = survey.index if isinstance(survey, pd.DataFrame) else None
    survey = survey if isinstance(survey, Survey) else Survey.from_frame(survey)
    settings = settings or ScalesSettings()
    engine = engine or PythonEngine()
    rng = rng or np.random.default_rng(1)

    # Items in name order and rows in canonical order make every sum, and so every byte, independent
    # of how the file was sorted.
    names = _analysed_items(survey, settings)
    keyed = survey.keyed_items()[names]
    order = canonical_order(keyed.to_numpy(np.float64), survey.weights)
    items = keyed.to_numpy(np.float64)[order]
    weights = survey.weights[order]
    _check_items(items, names, survey)

    corr = _correlate(items, weights, names, survey, settings.correlation, engine)
    parallel = parallel_analysis(
        corr,
        _comparable_size(items, weights, survey, settings.correlation),
        rng=rng,
        replicates=settings.replicates,
        percentile=settings.percentile,
    )
    n_factors = _n_factors(settings, parallel, len(names))
    raw = engine.factor(
        corr,
        n_factors,
        rotation="oblimin" if n_factors > 1 else "none",
        n_obs=survey.n_effective,
    )
    loadings, phi, variance = order_factors(raw.loadings, raw.phi)

    keys = (
        named_scales(settings, loadings, names, survey)
        if settings.scale
        else found_scales(settings, loadings, names, survey)
    )
    scores, scored_items = _scores(keys, survey, settings.min_answered)
    table, item_table = _tables(
        keys, scores, scored_items, survey, names, loadings, communalities(loadings, phi)
    )
    columns = [f"F{j + 1}" for j in range(n_factors)]
    by_factor = {key.factor: key for key in keys}
    in_file_order = [name for name in survey.items.columns if name in set(names)]
    frame = pd.DataFrame(loadings, index=pd.Index(names, name="item"), columns=columns)
    correlations = pd.DataFrame(corr, index=pd.Index(names, name="item"), columns=names)
    return Scales(
        table=table,
        items=item_table,
        loadings=frame.loc[in_file_order],
        phi=pd.DataFrame(phi, index=pd.Index(columns, name="factor"), columns=columns),
        factors=pd.DataFrame(
            {
                "factor": columns,
                "label": [by_factor[j].label if j in by_factor else "" for j in range(n_factors)],
                "ss_loadings": variance,
                "share": variance / len(names),
                "scale": [by_factor[j].name if j in by_factor else "" for j in range(n_factors)],
            }
        ),
        eigenvalues=pd.DataFrame(
            {
                "component": np.arange(1, len(names) + 1),
                "observed": parallel.observed,
                "threshold": parallel.threshold,
                "retained": np.arange(len(names)) < n_factors,
            }
        ),
        corr=correlations.loc[in_file_order, in_file_order],
        scores=scores if index is None else scores.set_axis(index),
        method=_method(settings, parallel, n_factors, len(names)),
        found=not settings.scale,
        n_factors_suggested=parallel.n_factors,
        kmo=kmo(corr)[0],
        correlation=settings.correlation,
    )


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


def _check_items(items: FloatArray, names: list[str], survey: Survey) -> None:
    n, p = items.shape
    if p < 3:
        raise DataError(f"scales take at least 3 items; there {'is' if p == 1 else 'are'} {p}.")
    if survey.n_effective <= p:
        raise DataError(
            f"there are {p} items but only {n} respondents (effective sample size "
            f"{survey.n_effective:.0f}). Factor analysis takes more respondents than items: use "
            "fewer items."
        )
    lowest = np.nanmin(np.where(np.isnan(items), np.inf, items), axis=0)
    highest = np.nanmax(np.where(np.isnan(items), -np.inf, items), axis=0)
    constant = [names[j] for j in np.flatnonzero(~(highest > lowest))]
    if constant:
        raise DataError(
            f"{'item' if len(constant) == 1 else 'items'} {', '.join(constant)}: every respondent "
            f"kept gave the same answer, or none. Leave {'it' if len(constant) == 1 else 'them'} "
            "out of [[items]]."
        )


def _correlate(
    items: FloatArray,
    weights: FloatArray,
    names: list[str],
    survey: Survey,
    kind: CorrelationKind,
    engine: Engine,
) -> FloatArray:
    """Correlate, refuse what could not be estimated, and smooth what is not positive definite."""
    try:
        corr = engine.correlate(items, kind, weights)
    except ValueError as error:
        over = (_n_answers(x) > MAX_CATEGORIES for x in items.T)
        many = ", ".join(name for name, wide in zip(names, over, strict=True) if wide)
        raise DataError(
            f'{many or "the items"}: {error}. Use correlation = "pearson" in [scales] for items '
            "with so many answers."
        ) from error
    rows, cols = np.nonzero(np.isnan(np.triu(corr, 1)))
    if len(rows):
        pairs = ", ".join(
            f"{names[i]} and {names[j]}" for i, j in zip(rows[:5], cols[:5], strict=True)
        )
        raise DataError(
            f"{len(rows)} pairs of items cannot be correlated, because nobody answered both or one "
            f"does not vary among those who did: {pairs}{', ...' if len(rows) > 5 else ''}. Leave "
            "one of each pair out."
        )
    corr, smallest = smooth_correlation(corr)
    if smallest < SMOOTHING_FLOOR:
        warnings.warn(
            f"the {kind} correlations of the items are not positive definite (smallest eigenvalue "
            f"{smallest:.2g}) and were smoothed; look for items that repeat each other or have "
            "many missing answers",
            PsychosegWarning,
            stacklevel=3,
        )
    return corr


def _comparable_size(
    items: FloatArray, weights: FloatArray, survey: Survey, kind: CorrelationKind
) -> float:
    """Return how many complete normal respondents know as much as these, for parallel analysis."""
    scaled = weights * (survey.n_effective / weights.sum())
    size = information_size(items, scaled, ordinal=kind == "polychoric")
    least = items.shape[1] + 1.0
    if size < least:
        _tell(
            f"the answers say little about so many items ({size:.0f} complete respondents' worth "
            f"for {items.shape[1]} items): the number of factors is uncertain"
        )
    return size if size > least else least


def _n_answers(column: FloatArray) -> int:
    return len(np.unique(column[~np.isnan(column)]))


def _n_factors(settings: ScalesSettings, parallel: ParallelAnalysis, n_items: int) -> int:
    if settings.scale:
        return len(settings.scale)
    if settings.n_factors == "parallel":
        if parallel.n_factors == 0:
            raise DataError(
                "parallel analysis finds no factor: the items correlate no more than unrelated "
                "ones would. Name the scales in [[scales.scale]], or give n_factors in [scales]."
            )
        return min(parallel.n_factors, n_items // MIN_ITEMS)
    if settings.n_factors > n_items // MIN_ITEMS:
        raise StudyError(
            f"[scales] n_factors = {settings.n_factors} is too many for {n_items} items: at most "
            f"{n_items // MIN_ITEMS}."
        )
    return settings.n_factors


def _scores(
    keys: list[ScaleItems], survey: Survey, min_answered: float
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return everybody's scale scores, and the items of each scale as they were scored."""
    keyed = survey.keyed_items()
    scores: dict[str, FloatArray] = {}
    scored: dict[str, pd.DataFrame] = {}
    for key in keys:
        items = keyed[sorted(key.signs)].copy()
        ends = {name: _ends(survey, name) for name in items.columns}
        for name in items.columns:
            if key.signs[name] < 0:
                items[name] = sum(ends[name]) - items[name]
        if len(set(ends.values())) > 1:
            items = _common_ends(items, ends, key.label)
        answered = items.notna().sum(axis=1)
        # The sum runs over columns in name order: the same bytes whatever the order of the file.
        total = np.nansum(items.to_numpy(np.float64), axis=1)
        enough = answered.to_numpy() >= max(1, np.ceil(min_answered * items.shape[1] - 1e-9))
        with np.errstate(invalid="ignore", divide="ignore"):
            scores[key.name] = np.where(enough, total / answered.to_numpy(), np.nan)
        scored[key.name] = items
    return pd.DataFrame(scores, index=survey.items.index), scored


def _ends(survey: Survey, name: str) -> tuple[float, float]:
    variable = survey.codebook[name]
    if variable.low is None or variable.high is None:
        return float(survey.items[name].min()), float(survey.items[name].max())
    return variable.low, variable.high


def _common_ends(
    items: pd.DataFrame, ends: dict[str, tuple[float, float]], label: str
) -> pd.DataFrame:
    """Bring items to the answer scale that most of them have."""
    values = [ends[name] for name in items.columns]
    low, high = max(sorted(set(values)), key=values.count)
    _tell(
        f"the items of the scale {label} have different answer scales; all were brought to "
        f"{low:g}-{high:g} before they were averaged"
    )
    out = items.copy()
    for name in items.columns:
        a, b = ends[name]
        out[name] = low + (items[name] - a) * (high - low) / (b - a)
    return out


def _tables(
    keys: list[ScaleItems],
    scores: pd.DataFrame,
    scored: dict[str, pd.DataFrame],
    survey: Survey,
    names: list[str],
    loadings: FloatArray,
    communality: FloatArray,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of scales and the table of items."""
    place = {name: i for i, name in enumerate(names)}
    scale_rows, item_rows = [], []
    members: set[str] = set()
    for key in keys:
        items = scored[key.name]
        x = items.to_numpy(np.float64)
        order = canonical_order(x, survey.weights)
        there = scores[key.name].notna().to_numpy()
        n_obs = survey.n_effective * float(survey.weights[there].sum() / survey.weights.sum())
        alpha = cronbach_alpha(covariance(x[order], survey.weights[order]), n_obs)
        values, value_weights = _answered(scores[key.name], survey.weights)
        mean, sd = weighted_mean_sd(values[:, None], value_weights)
        scale_rows.append(
            {
                "scale": key.name,
                "label": key.label,
                "n_items": len(key.signs),
                "alpha": alpha.alpha,
                "alpha_low": alpha.low,
                "alpha_high": alpha.high,
                "mean_r": alpha.mean_r,
                "mean": mean[0],
                "sd": sd[0],
                "base": int(there.sum()),
            }
        )
        if alpha.alpha < 0:
            _tell(f"the scale {key.label} has a negative alpha ({alpha.alpha:.2f}): check its keys")
        column = {name: j for j, name in enumerate(items.columns)}
        for name in key.signs:
            members.add(name)
            loading = loadings[place[name], key.factor] * key.signs[name]
            declared = -1 if survey.codebook[name].reversed else 1
            item_rows.append(
                _item_row(survey, name)
                | {
                    "scale": key.name,
                    "key": declared * key.signs[name],
                    "loading": loading,
                    "communality": communality[place[name]],
                    "item_rest": alpha.item_rest[column[name]],
                    "alpha_if_dropped": alpha.alpha_if_dropped[column[name]],
                }
            )
    for name in survey.items.columns:
        if name in place and name not in members:
            best = np.abs(loadings[place[name]]).argmax()
            item_rows.append(
                _item_row(survey, name)
                | {
                    "scale": "",
                    "key": -1 if survey.codebook[name].reversed else 1,
                    "loading": loadings[place[name], best],
                    "communality": communality[place[name]],
                    "item_rest": np.nan,
                    "alpha_if_dropped": np.nan,
                }
            )
    columns = [
        "item",
        "label",
        "scale",
        "key",
        "loading",
        "communality",
        "item_rest",
        "alpha_if_dropped",
        "mean",
        "sd",
        "base",
    ]
    return pd.DataFrame(scale_rows), pd.DataFrame(item_rows)[columns]


def _item_row(survey: Survey, name: str) -> dict[str, object]:
    values, weights = _answered(survey.items[name], survey.weights)
    mean, sd = weighted_mean_sd(values[:, None], weights)
    return {
        "item": name,
        "label": survey.label(name),
        "mean": mean[0],
        "sd": sd[0],
        "base": len(values),
    }


def _answered(column: pd.Series, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the answers given and their weights, in canonical order."""
    there = column.notna().to_numpy()
    values = column.to_numpy(np.float64)[there]
    order = canonical_order(values[:, None], weights[there])
    return values[order], weights[there][order]


def _method(
    settings: ScalesSettings, parallel: ParallelAnalysis, n_factors: int, n_items: int
) -> str:
    how = (
        f"{n_factors} factors of {n_items} items, {settings.correlation} correlations, minres "
        "extraction, oblimin rotation"
    )
    if settings.scale:
        return (
            f"{n_factors} scales named in the study; parallel analysis of their items suggests "
            f"{parallel.n_factors}. Loadings: {how}."
        )
    if settings.n_factors == "parallel":
        return f"Found: {how}; their number by parallel analysis."
    return (
        f"Found: {how}; their number set in the study (parallel analysis suggests "
        f"{parallel.n_factors})."
    )


def _tell(message: str) -> None:
    warnings.warn(message, PsychosegWarning, stacklevel=4)
