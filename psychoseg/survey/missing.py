"""Where answers are missing among the respondents kept, as tables; fills nothing in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.stats.arrays import FloatArray, canonical_order
from psychoseg.stats.missing import missing_report

__all__ = ["MissingAnswers", "describe_missing"]

#: Rows of the tables of patterns and of pairs: enough to see what is planned and what broke off.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class MissingAnswers:
    """Missing answers by item, pattern and pair.

    Attributes
    ----------
    overall : DataFrame
        ``measure, value``: respondents, items, share_missing (of all answers, weighted),
        share_complete (respondents without a missing answer, weighted), n_complete, n_patterns,
        thinnest_pair (least weighted share that answered both of two items).
    items : DataFrame
        ``item, label, n_answered, n_missing, share_missing, n_last``, in the order of the
        questionnaire. ``n_last`` of the respondents answered this item and none after it, who broke
        off unless it is the last.
    patterns : DataFrame
        ``share, n, n_missing, missing``: the 20 most frequent sets of missing items, weighted
        share first; ``missing`` names the items.
    pairs : DataFrame
        ``item_1, item_2, n_both, share_both``: the 20 pairs that the fewest answered both of, of
        those not answered by everybody.
    """

    overall: pd.DataFrame
    items: pd.DataFrame
    patterns: pd.DataFrame
    pairs: pd.DataFrame


def describe_missing(
    items: FloatArray, names: Sequence[str], labels: Mapping[str, str], weights: FloatArray
) -> MissingAnswers:
    """Describe missing answers.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        In the order of the questionnaire, NaN for no answer.
    names : sequence of str
    labels : mapping of str to str
        Label of each item.
    weights : ndarray, shape (n,)

    Returns
    -------
    MissingAnswers
        Counts are of respondents, shares weighted.
    """
    # Sums over rows in canonical order, so that the order of the file cannot move the last digit.
    order = canonical_order(items, weights)
    items, weights = items[order], weights[order]
    report = missing_report(items, weights)
    missing = np.isnan(items)
    n, p = items.shape
    counts = np.bincount(report.last_answered[report.last_answered >= 0], minlength=p)
    by_item = pd.DataFrame(
        {
            "item": list(names),
            "label": [labels[name] for name in names],
            "n_answered": (~missing).sum(axis=0),
            "n_missing": missing.sum(axis=0),
            "share_missing": report.items,
            "n_last": counts,
        }
    )
    row, col = np.triu_indices(p, k=1)
    both = report.coverage[row, col]
    answered = (~missing).astype(np.float64)
    n_both = (answered.T @ answered)[row, col].astype(int)
    thin = np.lexsort([n_both, both.round(12)])[: int((n_both < n).sum())][:_SHOWN]
    overall = {
        "respondents": n,
        "items": p,
        "share_missing": report.overall,
        "share_complete": report.complete,
        "n_complete": int((~missing.any(axis=1)).sum()),
        "n_patterns": len(report.patterns),
        "thinnest_pair": float(both.min(initial=1.0)),
    }
    return MissingAnswers(
        overall=pd.DataFrame(
            {"measure": list(overall), "value": [float(v) for v in overall.values()]}
        ),
        items=by_item,
        patterns=_patterns(missing, report.patterns[:_SHOWN], report.pattern_shares, names),
        pairs=pd.DataFrame(
            {
                "item_1": [names[i] for i in row[thin]],
                "item_2": [names[i] for i in col[thin]],
                "n_both": n_both[thin],
                "share_both": both[thin],
            }
        ),
    )


def _patterns(
    missing: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    patterns: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
    shares: FloatArray,
    names: Sequence[str],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "share": shares[: len(patterns)],
            "n": [int((missing == pattern).all(axis=1).sum()) for pattern in patterns],
            "n_missing": patterns.sum(axis=1),
            "missing": ["; ".join(np.asarray(names, dtype=object)[p]) for p in patterns],
        }
    )
