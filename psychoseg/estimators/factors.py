"""Respondents to ordered factors: correlate, count, extract, rotate.

Owns what both estimators learn from correlations; never scores anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Literal, get_args

import numpy as np

from psychoseg.errors import tell
from psychoseg.estimators.inputs import check_option, check_varying, listed
from psychoseg.stats.arrays import FloatArray, IntArray, positive_signs
from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    SMOOTHING_FLOOR,
    pearson,
    polychoric,
    smooth_correlation,
    spearman,
)
from psychoseg.stats.dimension import how_many_factors
from psychoseg.stats.em import em_moments
from psychoseg.stats.extraction import EXTRACTION_METHODS, ExtractionMethod, extract
from psychoseg.stats.rotation import ROTATIONS, Rotation, RotationMethod, rotate

__all__ = [
    "MIN_ITEMS",
    "Correlation",
    "FactorCount",
    "Factors",
    "Missing",
    "Seed",
    "find_factors",
]

Correlation = Literal["auto", "pearson", "spearman", "polychoric"]
Missing = Literal["pairwise", "listwise", "em"]
FactorCount = Literal["auto", "parallel"]
Seed = int | np.random.Generator | np.random.RandomState | None
_Kind = Literal["pearson", "spearman", "polychoric"]

#: A scale takes at least this many items, as in ``fit_scales``.
MIN_ITEMS = 2
#: A rotation's optimum is better where its criterion is lower by more than this, relative to its
#: size; less is rounding.
_BETTER = 1e-6


@dataclass(frozen=True, slots=True)
class Factors:
    """Ordered factors, and the moments that they come from.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)
    heywood : ndarray of int
        Positions of the Heywood cases.
    corr : ndarray, shape (p, p)
        Positive definite.
    kind : {"pearson", "spearman", "polychoric"}
    mean, sd : ndarray, shape (p,)
        Of the items; ddof 0.
    n_obs : float
        Sum of the weights behind them.
    """

    loadings: FloatArray
    phi: FloatArray
    heywood: IntArray
    corr: FloatArray
    kind: _Kind
    mean: FloatArray
    sd: FloatArray
    n_obs: float


def find_factors(
    items: FloatArray,
    weights: FloatArray,
    names: list[str],
    *,
    n_factors: int | FactorCount,
    most: int,
    correlation: Correlation,
    missing: Missing,
    extraction: ExtractionMethod,
    rotation: RotationMethod,
    target: FloatArray | None,
    starts: int,
    random_state: Seed,
) -> Factors:
    """Correlate, count, extract, rotate and order.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing; rows in canonical order.
    weights : ndarray, shape (n,)
        Positive.
    names : list of str, length p
        For messages.
    n_factors, correlation, missing, extraction, rotation, target, starts, random_state
        As in :class:`psychoseg.estimators.LikertFactorAnalysis`.
    most : int
        Most factors that may be asked for.

    Returns
    -------
    Factors

    Raises
    ------
    ValueError
        Where an item is constant, a pair of items cannot be correlated, or a parameter has no
        meaning.

    Warns
    -----
    PsychosegWarning
        For a smoothed matrix, a Heywood case, what did not converge or has several optima, a number
        of factors that could not be found.
    """
    check_option("correlation", correlation, get_args(Correlation))
    check_option("missing", missing, get_args(Missing))
    check_option("extraction", extraction, EXTRACTION_METHODS)
    check_option("rotation", rotation, ROTATIONS)
    if missing == "listwise":
        complete = ~np.isnan(items).any(axis=1)
        items, weights = items[complete], weights[complete]
    check_varying(items, names)
    kind = _kind(items, correlation, missing, names)
    mean, sd, corr = _moments(items, weights, kind, missing)
    corr = _definite(corr, kind, names)
    n_obs = float(weights.sum())
    m = _count(n_factors, most, corr, items, weights, kind, random_state)
    raw = extract(corr, m, method=extraction)
    if not raw.converged:
        tell(f"the {extraction} extraction of {m} factors did not converge; try fewer factors")
    if len(raw.heywood):
        tell(
            f"Heywood case: {m} factors explain all of "
            f"{listed([names[i] for i in raw.heywood])}; look for items that repeat each other, "
            "or use fewer factors"
        )
    turned = rotate(
        raw.loadings, rotation, target=target, starts=starts, rng=_generator(random_state)
    )
    _tell_rotation(turned, rotation)
    loadings, phi = _ordered(turned.loadings, turned.phi, rotation)
    return Factors(loadings, phi, raw.heywood, corr, kind, mean, sd, n_obs)


def _kind(items: FloatArray, correlation: Correlation, missing: Missing, names: list[str]) -> _Kind:
    """Settle which correlation, and refuse what cannot go together."""
    if missing == "em" and correlation not in ("auto", "pearson"):
        msg = f'missing="em" is for Pearson correlations, not correlation={correlation!r}'
        raise ValueError(msg)
    if correlation in ("pearson", "spearman") or missing == "em":
        return "spearman" if correlation == "spearman" else "pearson"
    wide = [len(np.unique(x[~np.isnan(x)])) > MAX_CATEGORIES for x in items.T]
    if correlation == "auto":
        whole = (np.isnan(items) | (items == np.round(items))).all()
        return "pearson" if any(wide) or not whole else "polychoric"
    if any(wide):
        many = [name for name, over in zip(names, wide, strict=True) if over]
        msg = (
            f"polychoric correlations take at most {MAX_CATEGORIES} different answers an item; "
            f'more than that has {listed(many)}: use correlation="pearson"'
        )
        raise ValueError(msg)
    return "polychoric"


def _moments(
    items: FloatArray, weights: FloatArray, kind: _Kind, missing: Missing
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means, standard deviations (ddof 0) and correlations."""
    if missing == "em":
        normal = em_moments(items, weights)
        return normal.mean, np.sqrt(np.diag(normal.cov)), normal.corr
    there = ~np.isnan(items)
    mass = weights @ there
    mean = (weights @ np.where(there, items, 0.0)) / mass
    sd = np.sqrt((weights @ np.where(there, items - mean, 0.0) ** 2) / mass)
    correlate = {"pearson": pearson, "spearman": spearman, "polychoric": polychoric}[kind]
    return mean, sd, correlate(items, weights)


def _definite(corr: FloatArray, kind: str, names: list[str]) -> FloatArray:
    """Refuse pairs that could not be estimated; smooth what is not positive definite."""
    rows, cols = np.nonzero(np.isnan(np.triu(corr)))
    if len(rows):
        pairs = [f"{names[i]} and {names[j]}" for i, j in zip(rows, cols, strict=True)]
        msg = (
            f"{len(rows)} pairs of items cannot be correlated, because nobody answered both or one "
            f"does not vary among those who did: {listed(pairs)}. Leave one of each pair out"
        )
        raise ValueError(msg)
    smooth, smallest = smooth_correlation(corr)
    if smallest < SMOOTHING_FLOOR:
        tell(
            f"the {kind} correlations of the items are not positive definite (smallest eigenvalue "
            f"{smallest:.2g}) and were smoothed; look for items that repeat each other, many "
            "missing answers, or fewer people than items"
        )
    return smooth


def _count(
    n_factors: int | FactorCount,
    most: int,
    corr: FloatArray,
    items: FloatArray,
    weights: FloatArray,
    kind: str,
    random_state: Seed,
) -> int:
    """Return how many factors to extract."""
    if isinstance(n_factors, Integral) and not isinstance(n_factors, bool):
        if not 1 <= n_factors <= most:
            msg = f"n_factors = {n_factors} must lie between 1 and {most} for {len(corr)} items"
            raise ValueError(msg)
        return int(n_factors)
    if n_factors not in get_args(FactorCount):
        msg = f"n_factors = {n_factors!r} is neither a whole number nor one of auto, parallel"
        raise ValueError(msg)
    most = min(most, len(corr) // MIN_ITEMS)
    if most == 1:
        return 1
    n_obs = float(weights.sum())
    if n_obs <= len(corr):
        tell(
            f"the number of factors cannot be found with no more people ({n_obs:g}) than items "
            f"({len(corr)}); one factor was taken"
        )
        return 1
    evidence = how_many_factors(
        corr,
        n_obs,
        rng=_generator(random_state),
        items=items,
        weights=weights,
        correlation="polychoric" if kind == "polychoric" else "pearson",
    )
    found = evidence.n_factors if n_factors == "auto" else evidence.parallel.n_factors
    if found == 0:
        tell(
            "no factor stands out: the items correlate no more than unrelated ones would; one "
            "factor was taken, and it may mean nothing"
        )
    return max(1, min(found, most))


def _generator(random_state: Seed) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(np.iinfo(np.int32).max))
    return np.random.default_rng(random_state)


def _tell_rotation(turned: Rotation, rotation: RotationMethod) -> None:
    """Say where a rotation did not converge, or its optimum is not the only one to speak of."""
    if not turned.converged:
        tell(f"the {rotation} rotation did not converge (gradient {turned.gradient:.1e})")
    elif len(turned.objectives) and turned.objectives[0] > turned.objective + _BETTER * max(
        1.0, abs(turned.objective)
    ):
        tell(
            f"the {rotation} rotation has a better optimum (criterion {turned.objective:.6g}) than "
            f"the one the usual start leads to ({turned.objectives[0]:.6g}); the better one was "
            "taken, and other programs may show the other"
        )
    if turned.rivals:
        apart = max(rival.largest_difference for rival in turned.rivals)
        tell(
            f"the {rotation} rotation has {len(turned.rivals)} more optima within 1% of the best, "
            f"with loadings up to {apart:.2f} apart: the items fit more than one way of turning "
            "the factors"
        )


def _ordered(
    loadings: FloatArray, phi: FloatArray, rotation: RotationMethod
) -> tuple[FloatArray, FloatArray]:
    """Order and turn factors as ``stats.factor.order_factors`` does, but a rotation's own first."""
    if rotation.startswith("target"):
        return loadings, phi
    variance = np.diag(phi @ loadings.T @ loadings).round(10)
    if rotation.startswith("bifactor"):
        variance[0] = np.inf
    order = np.argsort(-variance, kind="stable")
    sign = positive_signs(loadings[:, order])
    return loadings[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign)
