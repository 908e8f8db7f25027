"""Who is left out before anything is computed, and whether what is left can be analysed at all."""

from __future__ import annotations

import math
import warnings
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.study import CleanRules
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.raw import number_text, quoted_list

__all__ = [
    "check_active",
    "check_items",
    "exclude_respondents",
    "exclude_unweighted",
    "observed_ends",
    "rescale",
]

#: Answers that span this many times the range of another item's belong to another answer scale:
#: more than five-point items can differ by when answers heap on two points.
_OTHER_SCALE = 5
#: The same answer to fewer items than this may be an honest one. Ten is our own choice: five points
#: given at random agree ten times over once in two million respondents.
STRAIGHT_LINE_ITEMS = 10


def exclude_respondents(items: pd.DataFrame, rules: CleanRules, ledger: Ledger) -> None:
    """Leave out who answered too few items, and straight-liners where the study says so.

    Parameters
    ----------
    items : DataFrame, shape (n, p)
        Raw codes, not reversed, NaN for no answer; all respondents read.
    rules : CleanRules
        ``min_answered`` is a share of all items. A straight-liner gave one and the same raw code to
        every item he or she answered, in all batteries, ten items at least; among items keyed both
        ways that contradicts itself. A study without items leaves nobody out here.
    ledger : Ledger
        Gets a line for each.
    """
    x = items.to_numpy()
    p = x.shape[1]
    if not p:
        return
    answered = (~np.isnan(x)).sum(axis=1)
    least = int(np.ceil(rules.min_answered * p - 1e-9))
    few = np.flatnonzero(ledger.kept & (answered < least))
    reasons = [f"answered {answered[i]} of {p} items (at least {least} are needed)" for i in few]
    ledger.exclude(few, "clean", reasons)
    if rules.straight_liners == "keep":
        return
    if p < STRAIGHT_LINE_ITEMS:
        warnings.warn(
            f"straight-liners cannot be told among {p} items; {STRAIGHT_LINE_ITEMS} are needed, "
            "and all were kept.",
            PsychosegWarning,
            stacklevel=2,
        )
        return
    enough = answered >= STRAIGHT_LINE_ITEMS
    lowest = np.where(np.isnan(x), np.inf, x).min(axis=1)
    highest = np.where(np.isnan(x), -np.inf, x).max(axis=1)
    same = np.flatnonzero(ledger.kept & enough & (lowest == highest))
    reasons = [
        f"gave the answer {number_text(lowest[i])} to all {answered[i]} items answered"
        for i in same
    ]
    ledger.exclude(same, "clean", reasons)


def exclude_unweighted(weights: npt.NDArray[np.float64], column: str, ledger: Ledger) -> None:
    """Leave out who has no weight, or a weight of zero, which counts nobody."""
    without = np.flatnonzero(ledger.kept & (np.isnan(weights) | (weights == 0)))
    reasons = [
        f"no weight in {column}"
        if np.isnan(weights[i])
        else f"a weight of zero in {column} counts nobody"
        for i in without
    ]
    ledger.exclude(without, "weights", reasons)


def rescale(
    weights: npt.NDArray[np.float64], kind: Literal["sampling", "frequency"]
) -> npt.NDArray[np.float64]:
    """Return sampling weights with mean one; frequency weights as they are."""
    if kind == "frequency":
        return weights.copy()
    # fsum is exact, so that the order of the rows cannot move the last digit.
    return weights * (len(weights) / math.fsum(weights))


def check_items(items: pd.DataFrame, *, excluded: str = "") -> None:
    """Stop where items cannot be analysed: nobody left, no answers, no variation.

    Parameters
    ----------
    items : DataFrame, shape (n, p)
        Codes of the respondents kept.
    excluded : str
        How many were left out and why, for the message.

    Raises
    ------
    DataError
    """
    if not len(items):
        raise DataError(
            f"no respondent is left{excluded}. Check the rules under [clean], [quality], "
            "[[items]] and [[merge]]."
        )
    answers = items.notna().sum()
    if not items.shape[1]:
        return
    if not answers.any():
        raise DataError(
            f"all answers are missing: none of the {items.shape[1]} items has one{excluded}. "
            f"Check missing, codes and range of [[items]]."
        )
    empty = [str(name) for name in items.columns[answers == 0]]
    spread = items.max() - items.min()
    constant = [str(name) for name in items.columns[(answers > 0) & (spread == 0)]]
    problems = []
    if empty:
        problems.append(
            f"{_items(empty)} no answers among the {len(items)} respondents kept. Check missing "
            f"and codes, or take {'it' if len(empty) == 1 else 'them'} out of [[items]]."
        )
    if constant:
        shown = [f"{n} (always {number_text(float(items[n].min()))})" for n in constant[:5]]
        more = f" and {len(constant) - 5} more" if len(constant) > 5 else ""
        problems.append(
            f"{'an item has' if len(constant) == 1 else 'items have'} the same answer from "
            f"everybody: {', '.join(shown)}{more}. A constant cannot be correlated; take "
            f"{'it' if len(constant) == 1 else 'them'} out of [[items]]."
        )
    if problems:
        raise DataError("\n".join(problems))


def observed_ends(items: pd.DataFrame) -> tuple[float, float]:
    """Return the lowest and highest answer to any of the items, as the ends of their answer scale.

    Of all the items together: one item of a five-point battery to which nobody answered 1 still
    has five points, and turning it round about its own ends would move it.

    Parameters
    ----------
    items : pandas.DataFrame, shape (n, p)
        Items that share an answer scale.

    Warns
    -----
    PsychosegWarning
        Where one item's answers span a far wider range than another's.
    """
    width = items.max() - items.min()
    narrow, wide = str(width.idxmin()), str(width.idxmax())
    if width[wide] >= _OTHER_SCALE * width[narrow]:
        warnings.warn(
            f"the items seem to have different answer scales ({narrow}: "
            f"{items[narrow].min():g} to {items[narrow].max():g}, {wide}: "
            f"{items[wide].min():g} to {items[wide].max():g}) and no range is stated. State one "
            "for each battery.",
            PsychosegWarning,
            stacklevel=3,
        )
    return float(items.min().min()), float(items.max().max())


def check_active(columns: pd.DataFrame, active: list[str]) -> None:
    """Stop where an active column is constant or empty; warn where a profile column has no answers.

    Raises
    ------
    DataError
    """
    problems = []
    for name in map(str, columns.columns):
        distinct = columns[name].nunique()
        if name in active and distinct < 2:
            what = "has no answers" if distinct == 0 else "is the same for everybody"
            problems.append(
                f"active column {name} {what} among the {len(columns)} respondents kept. Set use = "
                '"profile", '
                f"or take it out."
            )
        elif distinct == 0:
            warnings.warn(
                f"column {name} has no answers among the {len(columns)} respondents kept.",
                PsychosegWarning,
                stacklevel=2,
            )
    if problems:
        raise DataError("\n".join(problems))


def _items(names: list[str]) -> str:
    return f"item {names[0]!r} has" if len(names) == 1 else f"items {quoted_list(names)} have"
