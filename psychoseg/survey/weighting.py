"""The weights of a study: its column, raked to margins and trimmed, and what weighting costs.

Owns who is in which category of a margin, who cannot be weighted, and the two tables about weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.errors import DataError, tell
from psychoseg.stats.arrays import FloatArray, IntArray, canonical_order
from psychoseg.stats.weighting import (
    MarginProblem,
    Raking,
    check_margins,
    rake,
    trim_weights,
    weighting_efficiency,
)
from psychoseg.study import Margin, WeightsSettings
from psychoseg.survey.coding import CodedColumn
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.raw import number_text, quoted_list
from psychoseg.survey.select import nearest_names

__all__ = [
    "MARGIN_COLUMNS",
    "WEIGHTING_COLUMNS",
    "Weighted",
    "exclude_unmatched",
    "fit_weights",
    "weighting_table",
]

WEIGHTING_COLUMNS = ("measure", "value")
MARGIN_COLUMNS = (
    "column",
    "category",
    "n",
    "unweighted_share",
    "starting_share",
    "target_share",
    "weighted_share",
)
#: Categories that an error lists; a column of numbers has one for each.
_SHOWN = 10
#: Without bounds, margins missed by more than this contradict each other: a tenth of a per cent.
_CONTRADICTION = 0.001


@dataclass(frozen=True, slots=True)
class Weighted:
    """Weights, and tables of what they cost and of the margins they meet.

    Attributes
    ----------
    weights : ndarray, shape (n,)
    weighting : DataFrame
        ``measure, value``.
    margins : DataFrame
        One row a category of each margin; empty without margins.
    """

    weights: FloatArray
    weighting: pd.DataFrame
    margins: pd.DataFrame


def exclude_unmatched(
    settings: WeightsSettings,
    columns: Mapping[str, CodedColumn],
    labels: Mapping[str, Mapping[str, str]],
    ledger: Ledger,
) -> tuple[IntArray, ...]:
    """Find everybody's category of each margin, and leave out who has none where the study says so.

    Parameters
    ----------
    settings : WeightsSettings
    columns : mapping of str to CodedColumn
        Those of the margins, all rows.
    labels : mapping of str to mapping
        For each column what its codes are shown as, so that targets may name codes.
    ledger : Ledger
        Gets a line for each respondent left out.

    Returns
    -------
    tuple of ndarray of int, shape (n,)
        For each margin the position of the category among its targets, -1 for none.

    Raises
    ------
    DataError
        Listing all that keeps the margins from being met: a column of numbers, respondents in no
        category (where the rule is "error"), a target for a category that nobody is in, totals
        in different units.

    Warns
    -----
    PsychosegWarning
        With the number of respondents left out.
    """
    numeric = [m for m in settings.margins if not _categorical(columns[m.column])]
    if numeric:
        raise DataError(
            "\n".join(
                f"weights.margins: column {m.column} is numeric, and margins are of categories. "
                f'Give it type = "categorical" under [[columns]], or bring it into classes.'
                for m in numeric
            )
        )
    positions = tuple(
        _positions(margin, columns[margin.column], labels.get(margin.column, {}))
        for margin in settings.margins
    )
    if settings.unmatched == "exclude":
        before = int(ledger.kept.sum())
        for margin, position in zip(settings.margins, positions, strict=True):
            out = np.flatnonzero(ledger.kept & (position < 0))
            values = columns[margin.column].values
            reasons = [
                f"no answer to {margin.column}, which the weights are raked to"
                if pd.isna(values.iloc[i])
                else f"{margin.column} = {values.iloc[i]} has no target to rake the weights to"
                for i in out
            ]
            ledger.exclude(out, "weights", reasons)
        _warn_unmatched(settings.margins, before, before - int(ledger.kept.sum()))
    kept = ledger.kept
    found = check_margins(
        [position[kept] for position in positions],
        [np.asarray(list(margin.targets.values())) for margin in settings.margins],
    )
    problems = [
        _problem(p, settings.margins, columns, positions[p.margin], labels, ledger) for p in found
    ]
    if problems:
        n = _people(int(kept.sum()))
        head = f"the weights cannot be raked to their margins ({n}):"
        raise DataError("\n".join([head, *(f"  - {p}" for p in problems)]))
    return positions


def fit_weights(
    start: FloatArray, settings: WeightsSettings, positions: Sequence[IntArray]
) -> Weighted:
    """Rake or trim the weights as the study says, and describe them.

    Parameters
    ----------
    start : ndarray, shape (n,)
        Positive, of the respondents kept, rescaled.
    settings : WeightsSettings
    positions : sequence of ndarray of int, shape (n,)
        From :func:`exclude_unmatched`, the respondents kept.

    Returns
    -------
    Weighted

    Raises
    ------
    DataError
        Where margins contradict each other.

    Warns
    -----
    PsychosegWarning
        Where bounds keep the margins from being met.
    """
    # Sums over rows in canonical order, so that the order of the file cannot move the last digit.
    columns = np.column_stack([start, *positions]).astype(np.float64)
    order = canonical_order(columns)
    place = np.argsort(order)
    sorted_start = start[order]
    codes = [position[order] for position in positions]
    weights, extra = sorted_start, {}
    if settings.margins:
        targets = [np.asarray(list(m.targets.values())) for m in settings.margins]
        raked = rake(sorted_start, codes, targets, bounds=settings.trim)
        _check_raked(raked, settings, codes)
        weights = raked.weights
        extra = {"raking_rounds": float(raked.rounds), "largest_deviation": raked.deviation}
        if settings.trim is not None:
            extra["n_bounded"] = float(raked.n_bounded)
    elif settings.trim is not None:
        low, high = settings.trim
        weights = trim_weights(sorted_start, low=low, high=high)
        relative = weights / weights.mean()
        on_bound = (relative <= low * (1 + 1e-9)) | (relative >= high * (1 - 1e-9))
        extra = {"n_bounded": float(on_bound.sum())}
    table = weighting_table(weights)
    more = pd.DataFrame(list(extra.items()), columns=list(WEIGHTING_COLUMNS))
    return Weighted(
        weights=weights[place],
        weighting=pd.concat([table, more], ignore_index=True) if extra else table,
        margins=_margin_table(settings.margins, codes, sorted_start, weights),
    )


def weighting_table(weights: FloatArray) -> pd.DataFrame:
    """Describe sampling weights by Kish's effective sample size, efficiency and range.

    Parameters
    ----------
    weights : ndarray, shape (n,)

    Returns
    -------
    DataFrame
        ``measure, value``: n, effective, design_effect, efficiency, lowest and highest (over the
        mean weight).
    """
    found = weighting_efficiency(np.sort(weights))
    names = ("n", "effective", "design_effect", "efficiency", "lowest", "highest")
    rows = [(name, float(getattr(found, name))) for name in names]
    return pd.DataFrame(rows, columns=list(WEIGHTING_COLUMNS))


def _warn_unmatched(margins: Sequence[Margin], before: int, lost: int) -> None:
    if lost == 0:
        return
    names = quoted_list([margin.column for margin in margins])
    tell(
        f'unmatched = "exclude" leaves out {lost} of {_people(before)}, who {_are(lost)} in no '
        f"category of {names} that has a target. The ledger says who and why; if they are many, "
        "give their categories a target."
    )


def _people(n: int) -> str:
    return "1 respondent" if n == 1 else f"{n} respondents"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _categorical(column: CodedColumn) -> bool:
    return isinstance(column.values.dtype, pd.CategoricalDtype)


def _shown(margin: Margin, column: CodedColumn, labels: Mapping[str, str]) -> list[str]:
    """Return each target's category as shown, the target's own text where there is none."""
    categories = set(column.values.cat.categories)
    return [t if t in categories else labels.get(t, t) for t in map(str.strip, margin.targets)]


def _positions(margin: Margin, column: CodedColumn, labels: Mapping[str, str]) -> IntArray:
    place = {shown: i for i, shown in enumerate(_shown(margin, column, labels))}
    of_category = [place.get(category, -1) for category in column.values.cat.categories]
    # The code of a missing answer is -1, which takes the last.
    positions: IntArray = np.asarray([*of_category, -1], dtype=np.intp)
    return positions[column.values.cat.codes.to_numpy()]


def _problem(
    problem: MarginProblem,
    margins: Sequence[Margin],
    columns: Mapping[str, CodedColumn],
    position: IntArray,
    labels: Mapping[str, Mapping[str, str]],
    ledger: Ledger,
) -> str:
    margin = margins[problem.margin]
    name, column = margin.column, columns[margin.column]
    if problem.kind == "totals differ":
        first = margins[0]
        return (
            f"the targets of {name} sum to {problem.count:g}, those of {first.column} to "
            f"{sum(first.targets.values()):g}. Give all in the same unit."
        )
    if problem.kind == "no category":
        without = column.values[ledger.kept & (position < 0)]
        counts = without.value_counts()
        counts = counts[counts > 0]
        # The largest, in the order of the categories.
        largest = counts.sort_values(ascending=False, kind="stable").head(_SHOWN).sort_index()
        parts = [f"{n} in {category!r}" for category, n in largest.items()]
        more = len(counts) - len(largest)
        parts += [f"{int(counts.sum() - largest.sum())} in {more} more"] if more else []
        absent = int(without.isna().sum())
        parts += [f"{absent} without an answer"] if absent else []
        return (
            f"{name}: {_people(int(problem.count))} {_are(int(problem.count))} in no category "
            "with a target: "
            f"{', '.join(parts)}. Give these categories a target, bring them together by labels "
            'under [[columns]], or leave these respondents out with unmatched = "exclude".'
        )
    target = list(margin.targets)[problem.category]
    all_shown = _shown(margin, column, labels.get(name, {}))
    shown = all_shown[problem.category]
    if all_shown.count(shown) > 1:
        return f"{name}: two targets are for {shown!r}, as code and as label. Keep one."
    categories = [str(c) for c in column.values.cat.categories]
    if shown not in categories:
        return f"{name}: no category {target!r} in the file.{nearest_names(target, categories)}"
    return (
        f"{name}: a target of {number_text(problem.count)} for {target!r}, but nobody kept is in "
        "it. Add its target to a neighbour's, and give both one label under [[columns]]."
    )


def _check_raked(raked: Raking, settings: WeightsSettings, codes: Sequence[IntArray]) -> None:
    if raked.converged:
        return
    worst = max(
        (
            (abs(share - target), margin.column, category, share, target)
            for margin, code in zip(settings.margins, codes, strict=True)
            for category, share, target in zip(
                margin.targets,
                _shares(code, raked.weights, len(margin.targets)),
                _target_shares(margin),
                strict=True,
            )
        ),
        key=lambda row: row[0],
    )
    _, column, category, share, target = worst
    what = (
        f"{column} {category!r} comes to {100 * share:.2f}% where {100 * target:.2f}% is wanted, "
        f"after {raked.rounds} round{'s' if raked.rounds != 1 else ''} of raking"
    )
    if settings.trim is None and raked.deviation > _CONTRADICTION:
        names = quoted_list([m.column for m in settings.margins])
        raise DataError(
            f"the margins {names} contradict each other in this sample: {what}. Some combination "
            "of their categories has too few respondents. Merge categories, or drop a margin."
        )
    remedy = " Widen trim, or merge categories." if settings.trim else ""
    tell(f"the weights do not meet their margins exactly: {what}.{remedy}")


def _shares(code: IntArray, weights: FloatArray, k: int) -> FloatArray:
    shares: FloatArray = np.bincount(code, weights=weights, minlength=k) / weights.sum()
    return shares


def _target_shares(margin: Margin) -> FloatArray:
    targets = np.asarray(list(margin.targets.values()))
    shares: FloatArray = targets / targets.sum()
    return shares


def _margin_table(
    margins: Sequence[Margin], codes: Sequence[IntArray], start: FloatArray, weights: FloatArray
) -> pd.DataFrame:
    rows = []
    for margin, code in zip(margins, codes, strict=True):
        k = len(margin.targets)
        count = np.bincount(code, minlength=k)
        shares = (
            count / len(code),
            _shares(code, start, k),
            _target_shares(margin),
            _shares(code, weights, k),
        )
        for c, category in enumerate(margin.targets):
            rows.append((margin.column, category, int(count[c]), *(float(s[c]) for s in shares)))
    return pd.DataFrame(rows, columns=list(MARGIN_COLUMNS))
