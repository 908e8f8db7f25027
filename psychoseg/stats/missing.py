"""Which answers are missing, by item, respondent, pair and pattern, before any scale.

Never fills an answer in and never leaves anybody out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["MissingReport", "missing_report"]


@dataclass(frozen=True, slots=True)
class MissingReport:
    """Where answers are missing, before any scale.

    Attributes
    ----------
    items : ndarray, shape (p,)
        Weighted share of respondents without an answer to each item.
    respondents : ndarray, shape (n,)
        Share of the items each respondent left out.
    last_answered : ndarray of int, shape (n,)
        Position of the last item answered, -1 for none: where who broke off broke off.
    overall : float
        Weighted share of all answers that are missing.
    complete : float
        Weighted share of respondents who answered everything.
    coverage : ndarray, shape (p, p)
        Weighted share of respondents who answered both items.
    patterns : ndarray of bool, shape (k, p)
        Distinct patterns (True where missing), the most frequent first; on a tie, in the order of
        the items missing.
    pattern_shares : ndarray, shape (k,)
        Their weighted shares.
    """

    items: FloatArray
    respondents: FloatArray
    last_answered: IntArray
    overall: float
    complete: float
    coverage: FloatArray
    patterns: BoolArray
    pattern_shares: FloatArray


def missing_report(items: FloatArray, weights: FloatArray) -> MissingReport:
    """Report missing answers by item, respondent, pair and pattern.

    Parameters
    ----------
    items : ndarray, shape (n, p)
    weights : ndarray, shape (n,)

    Returns
    -------
    MissingReport
        Without items nothing is missing.

    Raises
    ------
    ValueError
        Where nobody has a positive weight.
    """
    if not weights.sum() > 0:
        msg = f"there is nobody to report on: {len(weights)} respondents, weights sum to 0"
        raise ValueError(msg)
    missing = np.isnan(items)
    total = weights.sum()
    answered = (~missing).astype(np.float64)
    p = items.shape[1]
    position = np.arange(p)
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    shares = np.bincount(which.reshape(-1), weights=weights, minlength=len(patterns)) / total
    order = np.argsort(-shares.round(12), kind="stable")
    by_item = weights @ missing / total
    return MissingReport(
        items=by_item,
        respondents=missing.sum(axis=1) / max(p, 1),
        last_answered=np.where(missing, -1, position).max(axis=1, initial=-1),
        overall=float(by_item.sum()) / max(p, 1),
        complete=float(weights[~missing.any(axis=1)].sum() / total),
        coverage=(answered * weights[:, None]).T @ answered / total,
        patterns=patterns[order],
        pattern_shares=shares[order],
    )
