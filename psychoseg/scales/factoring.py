"""Items -> factors: correlations, their number, extraction and rotation, and how well they fit.

Owns every decision around an engine's raw numbers up to the loadings; which item makes which scale
is for ``keys``. Never scores anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from psychoseg.engines.base import Engine, RawFactors, RotationOptions
from psychoseg.errors import DataError, StudyError, tell
from psychoseg.scales.keys import MIN_ITEMS, ScaleItems
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    SMOOTHING_FLOOR,
    pearson,
    smooth_correlation,
    thin_pairs,
)
from psychoseg.stats.dimension import FactorCountEvidence, how_many_factors
from psychoseg.stats.factor import (
    bartlett_sphericity,
    kmo,
    order_factors,
    tucker_congruence,
)
from psychoseg.stats.fit import FactorFit, factor_fit
from psychoseg.stats.optima import search_optima
from psychoseg.stats.rotation import Rotation, rotate, rotation_objective
from psychoseg.study import ScalesSettings

__all__ = [
    "Factoring",
    "ItemAnswers",
    "correlate_items",
    "count_factors",
    "factor_items",
    "turn_factors",
]

#: Pairs or items named in a message before the rest is only counted.
_SHOWN = 5
#: Where fewer respondents than this gave another answer than the commonest, an item hardly varies;
#: five is the expected count that Cochran (1954), Biometrics 10, 417-451, asks for by custom.
_LEAST_OFF = 5.0
#: An optimum found by a random start counts as better where its criterion is lower by more than
#: this, relative to its size; less is rounding.
_BETTER = 1e-6
#: A communality from which an item is a Heywood case: the bound of the search for uniquenesses.
_HEYWOOD = 0.995 - 1e-9


@dataclass(frozen=True, slots=True)
class ItemAnswers:
    """Items as they enter the analysis, rows in canonical and items in name order.

    Attributes
    ----------
    x : ndarray, shape (n, p)
        Answers, reverse-keyed ones turned round; NaN where missing.
    weights : ndarray, shape (n,)
    n_effective : float
    names, labels : list of str, length p
    """

    x: FloatArray
    weights: FloatArray
    n_effective: float
    names: list[str]
    labels: list[str]


@dataclass(frozen=True, slots=True)
class Factoring:
    """Factors of the items.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings; factors by explained variance, each turned so that its loadings sum
        positive (in the end, those of its scale's items).
    phi : ndarray, shape (m, m)
    variance : ndarray, shape (m,)
        What each factor explains, in items.
    fit : FactorFit
    kmo : float
    msa : ndarray, shape (p,)
        Kaiser's measure of each item.
    bartlett : (float, int, float)
        Chi-square, degrees of freedom and p of sphericity.
    """

    loadings: FloatArray
    phi: FloatArray
    variance: FloatArray
    fit: FactorFit
    kmo: float
    msa: FloatArray
    bartlett: tuple[float, int, float]


def correlate_items(answers: ItemAnswers, settings: ScalesSettings, engine: Engine) -> FloatArray:
    """Correlate the items, refuse what could not be estimated, smooth what is not definite.

    Parameters
    ----------
    answers : ItemAnswers
    settings : ScalesSettings
        Kind, missing-value rule and correction of empty cells.
    engine : Engine

    Returns
    -------
    ndarray, shape (p, p)
        Positive definite.

    Raises
    ------
    DataError
        Naming the items: too many different answers for an ordinal one, or a pair that nobody
        answered or that does not vary.

    Warns
    -----
    PsychosegWarning
        For a smoothed matrix, pairs too thin to estimate, and items that repeat each other.
    """
    names = answers.names
    kind = settings.correlation
    try:
        corr = engine.correlate(
            answers.x,
            kind,
            answers.weights,
            missing=settings.missing,
            correction=settings.correction,
        )
    except ValueError as error:
        wide = [len(np.unique(x[~np.isnan(x)])) > MAX_CATEGORIES for x in answers.x.T]
        many = ", ".join(name for name, over in zip(names, wide, strict=True) if over)
        raise DataError(
            f'{many or "the items"}: {error}. Use correlation = "mixed" or "pearson" in [scales] '
            "for items with so many answers."
        ) from error
    rows, cols = np.nonzero(np.isnan(np.triu(corr, 1)))
    if len(rows):
        raise DataError(
            f"{_many(len(rows))} of items cannot be correlated, because nobody answered both or "
            f"one does not vary among those who did: {_pairs(rows, cols, names)}. Leave one of "
            'each pair out, or take correlation = "pearson" with missing = "em" in [scales].'
        )
    _tell_thin(answers)
    _tell_repeated(answers)
    corr, smallest = smooth_correlation(corr)
    if smallest < SMOOTHING_FLOOR:
        tell(
            f"the {kind} correlations of the items are not positive definite (smallest eigenvalue "
            f"{smallest:.2g}) and were smoothed (negative eigenvalues raised, as psych::cor.smooth "
            "does); look for items that repeat each other or have many missing answers"
        )
    return corr


def count_factors(
    corr: FloatArray,
    answers: ItemAnswers,
    settings: ScalesSettings,
    rng: np.random.Generator,
) -> tuple[int, FactorCountEvidence]:
    """Return the number of factors to extract, and what all the rules say.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    answers : ItemAnswers
    settings : ScalesSettings
    rng : numpy.random.Generator

    Returns
    -------
    tuple of int and FactorCountEvidence

    Raises
    ------
    DataError
        Where no factor stands out and the study names no number.
    StudyError
        Where the study asks for more factors than the items can carry.
    """
    evidence = how_many_factors(
        corr,
        answers.n_effective,
        rng=rng,
        items=answers.x,
        weights=answers.weights,
        correlation="pearson" if settings.correlation == "spearman" else settings.correlation,
        replicates=settings.replicates,
        percentile=settings.percentile,
    )
    most = len(corr) // MIN_ITEMS
    if settings.scale:
        general = int(settings.rotation.startswith("bifactor"))
        return len(settings.scale) + general, evidence
    if isinstance(settings.n_factors, int):
        if settings.n_factors > most:
            raise StudyError(
                f"[scales] n_factors = {settings.n_factors} is too many for {len(corr)} items: at "
                f"most {most}."
            )
        return settings.n_factors, evidence
    found = evidence.n_factors if settings.n_factors == "auto" else evidence.parallel.n_factors
    if found == 0:
        raise DataError(
            "no factor stands out: the items correlate no more than unrelated ones would. Name the "
            "scales in [[scales.scale]], or give n_factors in [scales]."
        )
    return min(found, most), evidence


def factor_items(
    corr: FloatArray,
    n_factors: int,
    answers: ItemAnswers,
    settings: ScalesSettings,
    engine: Engine,
    rng: np.random.Generator,
    *,
    target: FloatArray | None = None,
) -> Factoring:
    """Extract and rotate, and check that the optimum is the optimum.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    n_factors : int
    answers : ItemAnswers
        For the names, and the sample size behind the fit.
    settings : ScalesSettings
    engine : Engine
    rng : numpy.random.Generator
        For the random starts.
    target : ndarray, shape (p, m), optional
        Of a target rotation.

    Returns
    -------
    Factoring

    Warns
    -----
    PsychosegWarning
        For Heywood cases by name; where a random start finds a better optimum of the extraction
        or of the rotation (which is then taken), or another one hardly worse.
    """
    options = RotationOptions(
        variant=settings.variant,
        kaiser=settings.kaiser,
        gamma=settings.gamma,
        delta=settings.delta,
        power=settings.power,
        target=target,
    )
    try:
        raw = engine.factor(
            corr,
            n_factors,
            method=settings.extraction,
            rotation=settings.rotation if n_factors > 1 else "none",
            options=options,
            n_obs=answers.n_effective,
        )
    except ValueError as error:
        raise DataError(
            f"the items cannot be factored by {settings.extraction} with {settings.rotation} "
            f"rotation: {error}. Choose another extraction or rotation in [scales]."
        ) from error
    if settings.extraction != "components":
        _tell_heywood(raw, answers.labels, n_factors)
    if settings.starts > 0:
        raw = _best_extraction(corr, raw, settings, options, rng)
        raw = _best_rotation(raw, settings, options, rng)
    loadings, phi, variance = _ordered(raw, settings)
    overall, msa = kmo(corr)
    return Factoring(
        loadings=loadings,
        phi=phi,
        variance=variance,
        fit=factor_fit(corr, loadings, phi, answers.n_effective),
        kmo=overall,
        msa=msa,
        bartlett=bartlett_sphericity(corr, answers.n_effective),
    )


def turn_factors(
    factoring: Factoring, keys: Sequence[ScaleItems], names: Sequence[str]
) -> Factoring:
    """Turn each factor so that the items of its scale, as keyed, load positive in sum."""
    place = {name: i for i, name in enumerate(names)}
    signs = np.ones(factoring.loadings.shape[1])
    for key in keys:
        own = sum(s * factoring.loadings[place[n], key.factor] for n, s in key.signs.items())
        signs[key.factor] = -1.0 if own < 0 else 1.0
    return replace(
        factoring,
        loadings=factoring.loadings * signs,
        phi=factoring.phi * np.outer(signs, signs),
    )


def _ordered(
    raw: RawFactors, settings: ScalesSettings
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Order factors by explained variance; the general one of a bifactor rotation stays first."""
    loadings, phi, variance = order_factors(raw.loadings, raw.phi)
    if not settings.rotation.startswith("bifactor"):
        return loadings, phi, variance
    general = int(np.abs(tucker_congruence(raw.loadings[:, :1], loadings)).argmax())
    order = [general, *(j for j in range(len(phi)) if j != general)]
    return loadings[:, order], phi[np.ix_(order, order)], variance[order]


def _tell_thin(answers: ItemAnswers) -> None:
    """Name the pairs of items whose correlation rests on next to nobody."""
    size = answers.n_effective / answers.weights.sum()
    still = []
    for column, label in zip(answers.x.T, answers.labels, strict=True):
        there = ~np.isnan(column)
        mass = np.bincount(
            np.unique(column[there], return_inverse=True)[1], answers.weights[there] * size
        )
        if mass.sum() - mass.max() < _LEAST_OFF:
            still.append(f"{label} ({mass.sum() - mass.max():.3g} of {mass.sum():.0f} differ)")
    if still:
        tell(
            "items that hardly vary have correlations that rest on a handful of people: "
            f"{'; '.join(still[:_SHOWN])}{_more(len(still))}. Leave them out"
        )
    thin = thin_pairs(answers.x, answers.weights * size)
    if not thin:
        return
    # Name the few items behind many pairs: each time the one in most of the pairs left.
    pairs = {(pair.row, pair.col) for pair in thin}
    behind = []
    while pairs:
        times = np.bincount(np.array(sorted(pairs)).ravel(), minlength=len(answers.labels))
        item = int(times.argmax())
        behind.append(f"{answers.labels[item]} ({_many(int(times[item]))})")
        pairs = {pair for pair in pairs if item not in pair}
    tell(
        f"{_many(len(thin))} of items with too little in common for a correlation that can be "
        "trusted (too few answered both, or one hardly varies): "
        f"{', '.join(behind[:_SHOWN])}{_more(len(behind))}"
    )


def _tell_repeated(answers: ItemAnswers) -> None:
    """Name items that are one item, or the sum of others: of the answers as they are."""
    # A latent correlation never reaches 1, and of a sum it is no sum any more.
    corr = np.nan_to_num(pearson(answers.x, answers.weights))
    labels = answers.labels
    rows, cols = np.nonzero(np.abs(np.triu(corr, 1)) > 1 - 1e-6)
    if len(rows):
        tell(
            f"{_many(len(rows))} of items with the same answers: {_pairs(rows, cols, labels)}. "
            "Leave one of each pair out"
        )
        return
    values, vectors = np.linalg.eigh(corr)
    if abs(values[0]) < 1e-8:
        involved = np.flatnonzero(np.abs(vectors[:, 0]) > 1e-3)
        shown = ", ".join(labels[i] for i in involved[:_SHOWN])
        tell(
            f"the answers to {len(involved)} items depend on each other exactly, as where one is "
            f"the sum of others: {shown}{_more(len(involved))}. Leave the sum out"
        )


def _tell_heywood(raw: RawFactors, labels: Sequence[str], n_factors: int) -> None:
    cases = np.flatnonzero(1 - raw.uniquenesses >= _HEYWOOD)
    if len(cases):
        shown = ", ".join(labels[i] for i in cases[:_SHOWN])
        tell(
            f"Heywood case: {n_factors} factors explain all of {shown}{_more(len(cases))}; look "
            "for items that repeat each other, or use fewer factors"
        )


def _best_extraction(
    corr: FloatArray,
    raw: RawFactors,
    settings: ScalesSettings,
    options: RotationOptions,
    rng: np.random.Generator,
) -> RawFactors:
    """Extract from random starts too; return the best optimum, rotated, and tell of it."""
    method = settings.extraction
    if method != "minres" and method != "ml":
        return raw
    m = raw.loadings.shape[1]
    optima = search_optima(corr, m, method=method, rng=rng, starts=settings.starts)
    if optima.usual_is_best:
        return raw
    tell(
        f"the {method} extraction has a better optimum (objective {optima.best.objective:.6g}) "
        f"than the one its usual start leads to ({optima.objectives[0]:.6g}); the better one was "
        "taken, and other programs may show the other. Most likely these are too many factors"
    )
    turned = _rotate(optima.best.loadings, settings, options)
    return RawFactors(turned.loadings, turned.phi, optima.best.uniquenesses)


def _best_rotation(
    raw: RawFactors, settings: ScalesSettings, options: RotationOptions, rng: np.random.Generator
) -> RawFactors:
    """Rotate from random starts too; return the best optimum and tell of rivals."""
    m = raw.loadings.shape[1]
    if m == 1 or settings.rotation in ("none", "promax"):
        return raw
    # Any orthogonal axes of the same space will do to start from.
    axes = raw.loadings @ np.linalg.cholesky(raw.phi)
    again = _rotate(axes, settings, options, starts=settings.starts, rng=rng)
    mine = rotation_objective(
        raw.loadings,
        raw.phi,
        settings.rotation,
        variant=options.variant,
        kaiser=options.kaiser,
        gamma=options.gamma,
        delta=options.delta,
        target=options.target,
    )
    best = float(np.nanmin(again.objectives)) if np.isfinite(again.objectives).any() else np.nan
    if best < mine - _BETTER * max(1.0, abs(mine)):
        tell(
            f"the {settings.rotation} rotation has a better optimum (criterion {best:.6g}) than "
            f"the one the usual start leads to ({mine:.6g}); the better one was taken, and other "
            "programs may show the other"
        )
        return replace(raw, loadings=again.loadings, phi=again.phi)
    if again.rivals:
        apart = max(rival.largest_difference for rival in again.rivals)
        tell(
            f"the {settings.rotation} rotation has {len(again.rivals)} other optimum"
            f"{'' if len(again.rivals) == 1 else 's'} within 1% of the best, with loadings up to "
            f"{apart:.2f} apart: the items fit more than one way of turning the factors"
        )
    return raw


def _rotate(
    axes: FloatArray,
    settings: ScalesSettings,
    options: RotationOptions,
    *,
    starts: int = 0,
    rng: np.random.Generator | None = None,
) -> Rotation:
    return rotate(
        axes,
        settings.rotation if axes.shape[1] > 1 else "none",
        variant=options.variant,
        kaiser=options.kaiser,
        gamma=options.gamma,
        delta=options.delta,
        power=options.power,
        target=options.target,
        starts=starts,
        rng=rng,
    )


def _pairs(rows: IntArray, cols: IntArray, names: Sequence[str]) -> str:
    shown = ", ".join(
        f"{names[i]} and {names[j]}" for i, j in zip(rows[:_SHOWN], cols[:_SHOWN], strict=True)
    )
    return shown + _more(len(rows))


def _many(pairs: int) -> str:
    return "1 pair" if pairs == 1 else f"{pairs} pairs"


def _more(count: int) -> str:
    return f", and {count - _SHOWN} more" if count > _SHOWN else ""
