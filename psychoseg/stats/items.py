"""What speaks against an item: screening with reasons, suggested keys, what dropping one would do.

Proposes and never decides: no function here drops an item, turns one round, or changes a scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.extraction import require_complete
from psychoseg.stats.factor import communalities
from psychoseg.stats.reliability import cronbach_alpha

__all__ = [
    "DEFAULT_RULES",
    "DropProposal",
    "ItemFlag",
    "ItemRules",
    "Reason",
    "item_rest",
    "propose_drop",
    "purification_path",
    "screen_items",
    "suggest_keys",
]

Reason = Literal[
    "floor",
    "ceiling",
    "low communality",
    "weak loading",
    "cross-loading",
    "redundant pair",
    "dependent pair",
    "wrong key",
]

#: Fewer items than this do not identify a factor of their own.
_MIN_ITEMS = 3


@dataclass(frozen=True, slots=True)
class ItemRules:
    """Cut-offs of :func:`screen_items`, each with its source.

    Attributes
    ----------
    at_end : float
        More than this share of the answers at one end of the answer scale is a floor or ceiling.
        Our own choice: beyond one half the median is the end itself, and the item cannot order half
        of the people.
    communality : float
        Least communality; Child (2006), The Essentials of Factor Analysis, 3rd ed.
    primary, secondary, gap : float
        Least loading on the main factor, highest on any other, least difference between the two:
        the .40-.30-.20 rule of Howard (2016), Int. J. Hum.-Comput. Interact. 32, 51-62.
    redundant : float
        Absolute correlation from which two items ask the same. Our own choice: they share 64% of
        their variance.
    dependent : float
        Absolute residual correlation from which a pair has more in common than its factors. Our own
        choice, after the .20 in use for Yen's Q3, another residual: Christensen, Makransky & Horton
        (2017), Appl. Psychol. Meas. 41, 178-194, who warn of one value for all cases.
    """

    at_end: float = 0.50
    communality: float = 0.20
    primary: float = 0.40
    secondary: float = 0.30
    gap: float = 0.20
    redundant: float = 0.80
    dependent: float = 0.20


DEFAULT_RULES = ItemRules()


@dataclass(frozen=True, slots=True)
class ItemFlag:
    """One reason against one item.

    Attributes
    ----------
    item : int
    reason : str
    value, cutoff : float
        What was found, and the rule it breaks.
    other : int
        The other item of a pair, the other factor of a cross-loading; -1 where there is none.
    """

    item: int
    reason: Reason
    value: float
    cutoff: float
    other: int = -1


@dataclass(frozen=True, slots=True)
class DropProposal:
    """What the scale would be without one item.

    Attributes
    ----------
    item : int
        The item proposed.
    kept : ndarray of int
        The items that would be left.
    alpha, alpha_without : float
        Raw alpha before and after.
    fit, fit_without : float
        The caller's fit measure before and after; NaN where none was given.
    """

    item: int
    kept: IntArray
    alpha: float
    alpha_without: float
    fit: float
    fit_without: float


def screen_items(
    items: FloatArray,
    weights: FloatArray,
    corr: FloatArray,
    loadings: FloatArray,
    phi: FloatArray,
    *,
    low: FloatArray,
    high: FloatArray,
    scale_of: IntArray | None = None,
    rules: ItemRules = DEFAULT_RULES,
) -> tuple[ItemFlag, ...]:
    """List what speaks against each item, by item and then in the order of :data:`Reason`.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Keyed answers, NaN where missing.
    weights : ndarray, shape (n,)
    corr : ndarray, shape (p, p)
        The correlations that were factored.
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
    low, high : ndarray, shape (p,)
        Ends of each answer scale.
    scale_of : ndarray of int, shape (p,), optional
        Scale of each item, -1 for none. Where absent, the factor each loads on most, if it reaches
        ``rules.primary``.
    rules : ItemRules

    Returns
    -------
    tuple of ItemFlag
        Empty where nothing does.

    Notes
    -----
    An item is cross-loading where its second loading exceeds ``secondary``, or, its first being
    high enough, the two differ by less than ``gap``. It is wrongly keyed where it correlates
    negatively with the rest of its scale as keyed. A pair is given once, with its first item.
    Shares are weighted, over those who answered.
    """
    flags: list[ItemFlag] = []
    floor, ceiling = _shares_at(items, weights, low), _shares_at(items, weights, high)
    communality = communalities(loadings, phi)
    size = np.abs(loadings)
    order = np.argsort(-size.round(9), axis=1, kind="stable")
    first = np.take_along_axis(size, order[:, :1], axis=1)[:, 0]
    if scale_of is None:
        scale_of = np.where(first >= rules.primary, order[:, 0], -1)
    rest = item_rest(corr, scale_of)
    residual = corr - loadings @ phi @ loadings.T
    p = len(corr)
    for i in range(p):
        if floor[i] > rules.at_end:
            flags.append(ItemFlag(i, "floor", float(floor[i]), rules.at_end))
        if ceiling[i] > rules.at_end:
            flags.append(ItemFlag(i, "ceiling", float(ceiling[i]), rules.at_end))
        if communality[i] < rules.communality:
            flags.append(ItemFlag(i, "low communality", float(communality[i]), rules.communality))
        if first[i] < rules.primary:
            flags.append(ItemFlag(i, "weak loading", float(first[i]), rules.primary))
        if loadings.shape[1] > 1:
            factor = int(order[i, 1])
            second = float(size[i, factor])
            if second > rules.secondary:
                flags.append(ItemFlag(i, "cross-loading", second, rules.secondary, factor))
            elif first[i] >= rules.primary and first[i] - second < rules.gap:
                gap = float(first[i] - second)
                flags.append(ItemFlag(i, "cross-loading", gap, rules.gap, factor))
        for j in range(i + 1, p):
            if abs(corr[i, j]) >= rules.redundant:
                r = float(corr[i, j])
                flags.append(ItemFlag(i, "redundant pair", r, rules.redundant, j))
            elif abs(residual[i, j]) >= rules.dependent:
                r = float(residual[i, j])
                flags.append(ItemFlag(i, "dependent pair", r, rules.dependent, j))
        if rest[i] < 0:
            flags.append(ItemFlag(i, "wrong key", float(rest[i]), 0.0))
    return tuple(flags)


def item_rest(cov: FloatArray, scale_of: IntArray) -> FloatArray:
    """Return each item's correlation with the sum of the other items of its scale.

    Parameters
    ----------
    cov : ndarray, shape (p, p)
        Covariances, or correlations for the sum of standardised items.
    scale_of : ndarray of int, shape (p,)
        -1 for an item in no scale.

    Returns
    -------
    ndarray, shape (p,)
        NaN for an item in no scale, or alone in its scale.
    """
    rest = np.full(len(cov), np.nan)
    for scale in np.unique(scale_of[scale_of >= 0]):
        members = np.flatnonzero(scale_of == scale)
        if len(members) > 1:
            rest[members] = cronbach_alpha(cov[np.ix_(members, members)]).item_rest
    return rest


def suggest_keys(corr: FloatArray) -> IntArray:
    """Suggest which items of one scale to turn round: 1 as it is, -1 reversed.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations of the raw (unkeyed) items of one scale.

    Returns
    -------
    ndarray of int, shape (p,)
        The sign of each loading on the first principal component, turned so that the loadings sum
        positive, as ``psych::alpha(check.keys = TRUE)`` does. A loading of zero keeps the item.

    Raises
    ------
    ValueError
        Where ``corr`` holds NaN.

    Notes
    -----
    Which of the two directions is "up" cannot be known from correlations: the heavier side stays.
    Where it is a draw, the first item stays as it is.
    """
    require_complete(corr)
    vector = np.linalg.eigh(corr)[1][:, -1].round(9)
    balance = vector.sum().round(7)
    if balance == 0:
        balance = vector[np.flatnonzero(vector)[0]]
    keys: IntArray = np.where(vector * balance < 0, -1, 1).astype(np.intp)
    return keys


def propose_drop(
    cov: FloatArray,
    kept: IntArray,
    *,
    candidates: IntArray | None = None,
    fit: Callable[[IntArray], float] | None = None,
    min_gain: float = 0.0,
) -> DropProposal | None:
    """Propose the one item whose loss serves alpha best, and say what it does to alpha and fit.

    Parameters
    ----------
    cov : ndarray, shape (p, p)
        Covariances of all keyed items.
    kept : ndarray of int
        Items that the scale has now.
    candidates : ndarray of int, optional
        Items that may go (those flagged by :func:`screen_items`, say); any where absent.
    fit : callable, optional
        Given the items kept, returns a measure of the model's fit: shown, it does not choose.
    min_gain : float
        Alpha must rise by more than this; ``-inf`` proposes the least harmful candidate.

    Returns
    -------
    DropProposal or None
        None where no drop gains enough, or three items or fewer are left (fewer do not identify a
        factor), or alpha cannot be told because covariances of the items kept are NaN.

    Notes
    -----
    Alpha of what is left rises by chance as items are picked by it, so that a purified scale needs
    a fresh sample for an honest alpha (Kopalle & Lehmann 1997, Organ. Behav. Hum. Decis. Process.
    70, 189-197). On a tie the first item is proposed.
    """
    if len(kept) <= _MIN_ITEMS:
        return None
    now = cronbach_alpha(cov[np.ix_(kept, kept)])
    without = now.alpha_if_dropped.round(12)
    allowed: BoolArray = np.ones(len(kept), dtype=bool)
    if candidates is not None:
        allowed = np.isin(kept, candidates)
    if not allowed.any():
        return None
    place = int(np.where(allowed, without, -np.inf).argmax())
    if not now.alpha_if_dropped[place] - now.alpha > min_gain:
        return None
    left = np.delete(kept, place)
    return DropProposal(
        item=int(kept[place]),
        kept=left,
        alpha=now.alpha,
        alpha_without=float(now.alpha_if_dropped[place]),
        fit=float(fit(kept)) if fit is not None else np.nan,
        fit_without=float(fit(left)) if fit is not None else np.nan,
    )


def purification_path(
    cov: FloatArray,
    kept: IntArray,
    *,
    candidates: IntArray | None = None,
    fit: Callable[[IntArray], float] | None = None,
    min_gain: float = 0.0,
) -> tuple[DropProposal, ...]:
    """List the drops that would be proposed one after the other, if each were accepted.

    Parameters
    ----------
    cov, kept, candidates, fit, min_gain
        As in :func:`propose_drop`.

    Returns
    -------
    tuple of DropProposal
        Empty where the first step already has nothing to propose. Nothing is dropped: the caller
        takes as many steps of it as it wants, none by default.
    """
    path: list[DropProposal] = []
    step = propose_drop(cov, kept, candidates=candidates, fit=fit, min_gain=min_gain)
    while step is not None:
        path.append(step)
        step = propose_drop(cov, step.kept, candidates=candidates, fit=fit, min_gain=min_gain)
    return tuple(path)


def _shares_at(items: FloatArray, weights: FloatArray, value: FloatArray) -> FloatArray:
    """Return the weighted share of each item's answers that equal a value; NaN without answers."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share: FloatArray = (weights @ (items == value)) / (weights @ ~np.isnan(items))
    return share
