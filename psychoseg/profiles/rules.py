"""Rules: the leaves of a shallow decision tree in words, with how well each finds its segment.

Owns the English of conditions and the numbers they are cut at. Fits nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from psychoseg.naming import say_number
from psychoseg.profiles.sample import SampleVariable
from psychoseg.stats.arrays import FloatArray, IntArray

__all__ = ["RULE_COLUMNS", "Column", "tree_rules"]

RULE_COLUMNS = ("segment", "rank", "rule", "share", "precision", "base")

#: Powers of ten between which a cut is looked for, roundest first.
_ROUNDEST, _FINEST = -6, 9


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a tree can split: a quantity (code -1), or 1 where a category is chosen.

    Attributes
    ----------
    variable : SampleVariable
    code : int
    values : ndarray, shape (n,)
        NaN where missing.
    """

    variable: SampleVariable
    code: int
    values: FloatArray


@dataclass(frozen=True, slots=True)
class _Step:
    """One turn on the way to a leaf: above or below a threshold of a column."""

    column: int
    threshold: float
    above: bool
    takes_missing: bool


def tree_rules(
    tree: DecisionTreeClassifier,
    columns: Sequence[Column],
    labels: IntArray,
    weights: FloatArray,
    segments: Sequence[int],
) -> pd.DataFrame:
    """Return the leaves of a fitted tree as rules.

    Parameters
    ----------
    tree : DecisionTreeClassifier
        Fitted on the columns.
    columns : sequence of Column
    labels : ndarray of int, shape (n,)
    weights : ndarray, shape (n,)
    segments : sequence of int

    Returns
    -------
    DataFrame
        ``segment, rank, rule, share, precision, base``: the segment that most of the leaf's weight
        is of (two halves of a node that say the same are one rule); within a segment the rule that
        finds most of it first. ``share`` and ``precision``
        are of the people the tree was made from; ``base`` counts those in the leaf.

    Notes
    -----
    A cut lies between two answers that were given; the roundest number there is shown, which
    divides the same people.
    """
    x = np.column_stack([c.values for c in columns])
    leaf_of = tree.apply(x)
    size = tree.tree_.node_count
    weight = np.zeros((size, len(segments)))
    np.add.at(weight, (leaf_of, np.searchsorted(segments, labels)), weights)
    people = np.bincount(leaf_of, minlength=size)
    of_segment = weight.sum(axis=0)
    rows = []
    for leaf in _leaves(tree, x, weight, 0, ()):
        inside = weight[list(leaf.nodes)].sum(axis=0)
        best = int(inside.argmax())
        found = float(inside[best])
        rows.append(
            (
                segments[best],
                _rule(leaf.steps, columns),
                found / float(of_segment[best]),
                found / float(inside.sum()),
                int(people[list(leaf.nodes)].sum()),
            )
        )
    rows.sort(key=lambda r: (r[0], -round(r[2], 9), -round(r[3], 9), r[1]))
    table = pd.DataFrame(rows, columns=[c for c in RULE_COLUMNS if c != "rank"])
    table.insert(1, "rank", table.groupby("segment").cumcount() + 1)
    return table


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Leaves that are one rule: their nodes, and the steps that lead there."""

    nodes: tuple[int, ...]
    steps: tuple[_Step, ...]


def _leaves(
    tree: DecisionTreeClassifier,
    x: FloatArray,
    weight: FloatArray,
    node: int,
    steps: tuple[_Step, ...],
) -> list[_Leaf]:
    """Return the leaves below a node; two that say the same segment are one."""
    inner = tree.tree_
    left, right = int(inner.children_left[node]), int(inner.children_right[node])
    if left == right:
        return [_Leaf((node,), steps)]
    column, threshold = int(inner.feature[node]), float(inner.threshold[node])
    gaps = bool(np.isnan(x[:, column]).any())
    to_left = bool(inner.missing_go_to_left[node])
    below = [
        *_leaves(
            tree, x, weight, left, (*steps, _Step(column, threshold, False, gaps and to_left))
        ),
        *_leaves(
            tree, x, weight, right, (*steps, _Step(column, threshold, True, gaps and not to_left))
        ),
    ]
    if len({int(weight[list(leaf.nodes)].sum(axis=0).argmax()) for leaf in below}) == 1:
        return [_Leaf(tuple(n for leaf in below for n in leaf.nodes), steps)]
    return below


def _rule(steps: Sequence[_Step], columns: Sequence[Column]) -> str:
    """Return the steps to a leaf as one rule, one part a variable."""
    if not steps:
        return "Everybody"
    variables: dict[tuple[str, str], list[_Step]] = {}
    for step in steps:
        v = columns[step.column].variable
        variables.setdefault((v.name, v.role), []).append(step)
    return " and ".join(_part(own, columns) for own in variables.values())


def _part(steps: Sequence[_Step], columns: Sequence[Column]) -> str:
    v = columns[steps[0].column].variable
    label = f"{v.set_label}: {v.label}" if v.kind == "choice" else v.label
    # An infinite threshold parts those who answered from those who did not.
    if any(s.above and np.isinf(s.threshold) for s in steps):
        return f"{label} not answered"
    cuts = [s for s in steps if np.isfinite(s.threshold)]
    if not cuts:
        return f"{label} answered"
    if v.kind == "choice":
        verb = "chose" if cuts[-1].above else "did not choose"
        part = f"{verb} '{v.label}' ({v.set_label})"
    elif v.categories is not None:
        part = _category_part(v, cuts, columns)
    else:
        part = _number_part(v, cuts)
    return part + (" (or no answer)" if all(s.takes_missing for s in steps) else "")


def _number_part(v: SampleVariable, steps: Sequence[_Step]) -> str:
    above = [s.threshold for s in steps if s.above]
    below = [s.threshold for s in steps if not s.above]
    low = _cut(v.values, max(above)) if above else None
    high = _cut(v.values, min(below)) if below else None
    if low and high:
        return f"{v.label} {_from(*low)} but under {high[0]}"
    if low:
        return f"{v.label} {_from(*low)}"
    return f"{v.label} under {high[0] if high else ''}"


def _from(number: str, reached: bool) -> str:
    return f"{number} or more" if reached else f"above {number}"


def _cut(x: FloatArray, threshold: float) -> tuple[str, bool]:
    """Return the roundest number that divides x where the threshold does, and whether x has it."""
    known = x[~np.isnan(x)]
    # The tree compares in single precision.
    single = known.astype(np.float32)
    low = float(known[single <= threshold].max(initial=-np.inf))
    high = float(known[single > threshold].min(initial=np.inf))
    middle = (low + high) / 2
    for decimals in range(_ROUNDEST, _FINEST + 1):
        scaled = middle * 10.0**decimals
        for whole in (round(scaled), math.floor(scaled), math.ceil(scaled)):
            number = whole / 10.0**decimals
            if low < number <= high:
                return say_number(number, max(decimals, 0)), number == high
    return say_number(middle, _FINEST), False


def _category_part(v: SampleVariable, steps: Sequence[_Step], columns: Sequence[Column]) -> str:
    categories = v.categories or ()
    chosen = [columns[s.column].code for s in steps if s.above]
    if chosen:
        return f"{v.label} is '{categories[chosen[0]]}'"
    refused = [columns[s.column].code for s in steps]
    known = np.unique(v.codes()[v.known])
    left = [int(c) for c in known if c not in refused]
    if len(left) == 1:
        return f"{v.label} is '{categories[left[0]]}'"
    return f"{v.label} is not " + " or ".join(f"'{categories[c]}'" for c in sorted(refused))
