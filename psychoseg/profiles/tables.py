"""The tables of means, shares and tests: every figure with its base, interval and comparison.

Owns what is compared with what and which figures rest on too few people. The statistics themselves
are in ``psychoseg.stats``; every answer is looked at once, by the smallest groups that are asked
for, and everything else is joined from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Literal

import numpy as np
import pandas as pd

from psychoseg.profiles.sample import Kind, Role, Sample, SampleVariable
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.catdes import v_test_means, v_test_shares
from psychoseg.stats.groups import (
    GroupEstimates,
    GroupSums,
    differences,
    group_bases,
    group_means,
    group_sds,
    group_shares,
    join_groups,
    rest_of,
    sum_categories,
    sum_groups,
)
from psychoseg.stats.inference import (
    adjust_p,
    cramers_v,
    eta_squared,
    test_association,
    test_means,
)
from psychoseg.stats.letters import Correction, column_letters, pairwise_p

__all__ = [
    "MEAN_COLUMNS",
    "SHARE_COLUMNS",
    "TEST_COLUMNS",
    "Gathered",
    "Line",
    "Scope",
    "gather",
    "mean_cells",
    "means_table",
    "share_cells",
    "shares_table",
    "tests_table",
]

#: Answers of the longest rating in common use, 0 to 10.
_RATING_STEPS = 11

#: Over what the comparisons behind the column letters are corrected.
Scope = Literal["variable", "table"]

_NAMES = ("segment", "variable", "label", "kind", "role")
_BASES = ("base", "base_weighted", "base_effective")
MEAN_COLUMNS = (
    *_NAMES, "mean", "low", "high", "se", "sd", *_BASES, "total", "rest", "difference",
    "difference_low", "difference_high", "effect", "z", "index", "v_test", "letters", "hidden",
)  # fmt: skip
SHARE_COLUMNS = (
    *_NAMES, "category", "share", "low", "high", "se", "total", "rest", "difference",
    "difference_low", "difference_high", *_BASES, "index", "effect", "association", "v_test",
    "letters", "hidden",
)  # fmt: skip
TEST_COLUMNS = (
    "variable", "label", "kind", "role", "measure", "strength", "test", "statistic", "df1", "df2",
    "p", "p_adjusted", "base",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table, a cell of which is shown for each segment.

    Attributes
    ----------
    variable, label, kind, role, category
        As ``Profiles.means`` and ``Profiles.shares`` have them.
    table : int
        Lines of one number are the categories of one variable, or the options of one set: their
        column letters are corrected together, where not those of all lines are.
    ratio : bool
        Whether 100 times the ratio to the mean of all makes sense: answers have a true zero.
    sums : GroupSums
        By atom.
    """

    variable: str
    label: str
    kind: Kind
    role: Role
    category: str
    table: int
    ratio: bool
    sums: GroupSums


@dataclass(frozen=True, slots=True)
class Gathered:
    """What each atom answered: an atom is a group of respondents that no cut divides.

    Attributes
    ----------
    means, shares : tuple of Line
    n_atoms : int
    """

    means: tuple[Line, ...]
    shares: tuple[Line, ...]
    n_atoms: int


def gather(sample: Sample, atoms: IntArray, n_atoms: int) -> Gathered:
    """Sum every variable of the sample by atom, in one pass over the respondents.

    Parameters
    ----------
    sample : Sample
    atoms : ndarray of int, shape (n,)
        From 0.
    n_atoms : int

    Returns
    -------
    Gathered
        Means of scales and numeric columns as the sample has them; shares of each category, and of
        each option of a multiple-response set where the set's first one stands.
    """
    w, counts = sample.weights, sample.counts
    means: list[Line] = []
    shares: list[Line] = []
    done: set[str] = set()
    for number, v in enumerate(sample.variables):
        if v.kind == "categorical":
            categories = v.categories or ()
            sums = sum_categories(
                v.codes(),
                atoms,
                w,
                n_categories=len(categories),
                n_groups=n_atoms,
                counts=counts,
            )
            shares += [
                Line(v.name, v.label, v.kind, v.role, category, number, True, own)
                for category, own in zip(categories, sums, strict=True)
            ]
        elif v.kind == "choice":
            if v.set_name in done:
                continue
            done.add(v.set_name)
            for option in (o for o in sample.variables if o.set_name == v.set_name):
                own = sum_groups(option.values, atoms, w, n_groups=n_atoms, counts=counts)
                shares.append(
                    Line(v.set_name, v.set_label, v.kind, v.role, option.label, number, True, own)
                )
        else:
            own = sum_groups(v.values, atoms, w, n_groups=n_atoms, counts=counts)
            ratio = _has_zero(v)
            means.append(Line(v.name, v.label, v.kind, v.role, "", number, ratio, own))
    return Gathered(tuple(means), tuple(shares), n_atoms)


def mean_cells(gathered: Gathered, into: IntArray, k: int, shown: BoolArray) -> pd.DataFrame:
    """Return the means of k segments, each a union of atoms, beside the total.

    Parameters
    ----------
    gathered : Gathered
    into : ndarray of int, shape (atoms,)
        The segment of each atom, from 0.
    k : int
    shown : ndarray of bool, shape (lines, k + 1)
        A figure that is not shown is NaN, and its row hidden; the last is the total's.

    Returns
    -------
    DataFrame
        :data:`MEAN_COLUMNS` without v-tests and letters; by segment, then by line.
    """
    blocks = [
        _mean_block(line, into, k, own) for line, own in zip(gathered.means, shown, strict=True)
    ]
    return _frame(gathered.means, blocks, k, [c for c in MEAN_COLUMNS if c not in _IN_FULL])


def share_cells(gathered: Gathered, into: IntArray, k: int, shown: BoolArray) -> pd.DataFrame:
    """Return the shares of k segments, each a union of atoms, beside the total.

    Parameters and result are those of :func:`mean_cells`, of :data:`SHARE_COLUMNS`.
    """
    blocks = _share_blocks(gathered, into, k, shown)
    return _frame(gathered.shares, blocks, k, [c for c in SHARE_COLUMNS if c not in _IN_FULL])


def means_table(
    gathered: Gathered,
    into: IntArray,
    k: int,
    shown: BoolArray,
    *,
    correction: Correction,
    scope: Scope,
) -> pd.DataFrame:
    """Return ``Profiles.means``: :func:`mean_cells` with v-tests and column letters."""
    every = [join_groups(line.sums, into, k) for line in gathered.means]
    letters = _letters_of(gathered.means, every, shown, correction, scope)
    blocks: list[_Block] = []
    for line, sums, own, text in zip(gathered.means, every, shown, letters, strict=True):
        more: _Block = {
            "v_test": np.where(own[:-1], v_test_means(sums), np.nan),
            "letters": text,
        }
        blocks.append({**_mean_block(line, into, k, own), **more})
    return _frame(gathered.means, blocks, k, MEAN_COLUMNS)


def shares_table(
    gathered: Gathered,
    into: IntArray,
    k: int,
    shown: BoolArray,
    *,
    correction: Correction,
    scope: Scope,
) -> pd.DataFrame:
    """Return ``Profiles.shares``: :func:`share_cells` with association, v-tests and letters."""
    blocks = _share_blocks(gathered, into, k, shown)
    every = [join_groups(line.sums, into, k) for line in gathered.shares]
    letters = _letters_of(gathered.shares, every, shown, correction, scope)
    full: list[_Block] = [
        {
            **block,
            "association": np.where(own[:-1], _association(sums), np.nan),
            "v_test": np.where(own[:-1], v_test_shares(sums), np.nan),
            "letters": text,
        }
        for block, sums, own, text in zip(blocks, every, shown, letters, strict=True)
    ]
    return _frame(gathered.shares, full, k, SHARE_COLUMNS)


def tests_table(
    sample: Sample,
    hidden: Collection[tuple[str, str]],
    unknown: Collection[tuple[str, str]],
) -> pd.DataFrame:
    """Return ``Profiles.tests``: how strongly each variable goes with the segments.

    Parameters
    ----------
    sample : Sample
    hidden : collection of (variable, role)
        Variables a cell of which is hidden: what sums over all cells would give it away.
    unknown : collection of (variable, role)
        Variables whose total is hidden.

    Returns
    -------
    DataFrame
        Profile columns are tested; their p-values are adjusted by Benjamini and Hochberg (1995).
    """
    rows = []
    labels, w = sample.labels, sample.weights
    for v in sample.variables:
        base = int(v.known.sum())
        measure = "eta squared" if v.kind in ("scale", "numeric") else "Cramer's V"
        strength, test = np.nan, _NO_TEST
        name = (v.set_name or v.name, v.role)
        if name not in hidden:
            if measure == "eta squared":
                strength = eta_squared(v.values, labels, w)
            else:
                strength = cramers_v(v.codes(), labels, w)
            if v.role == "profile":
                test = _test(v, sample)
        figures = (np.nan if name in unknown else float(base),)
        rows.append((v.name, v.label, v.kind, v.role, measure, strength, *test, np.nan, *figures))
    table = pd.DataFrame(rows, columns=list(TEST_COLUMNS))
    table["p_adjusted"] = adjust_p(table["p"].to_numpy(dtype=np.float64))
    return table


#: What only the reported segments have: comparisons that no chart of another cut shows.
_IN_FULL = ("association", "v_test", "letters")
_Block = Mapping[str, FloatArray | BoolArray | list[str]]
_NO_TEST = ("", np.nan, np.nan, np.nan, np.nan)


def _has_zero(variable: SampleVariable) -> bool:
    """Return whether a quantity counts from a true zero, so that twice as much means something.

    A scale does not, nor does anything with negative answers. Whole numbers that lie as close
    together as those of a rating may be one, and an index of that would be another for 1 to 5 than
    for 0 to 4: it has none.
    """
    answers = variable.values[variable.known]
    if variable.kind == "scale" or not len(answers):
        return False
    low, high = float(answers.min()), float(answers.max())
    rating = high - low < _RATING_STEPS and bool((answers == np.round(answers)).all())
    return low >= 0 and not rating


def _mean_block(line: Line, into: IntArray, k: int, shown: BoolArray) -> dict[str, FloatArray]:
    """Return the figures of a line of means, shape (k,) each."""
    sums = join_groups(line.sums, into, k)
    rest = rest_of(sums)
    everybody = join_groups(sums, np.zeros(k, dtype=np.intp), 1)
    here, total, sd = group_means(sums), group_means(everybody).value, group_sds(everybody)
    apart = differences(sums, rest)
    z = np.divide(here.value - total, sd, out=np.full(k, np.nan), where=sd > 0)
    figures = {"mean": here.value, "se": here.se, "sd": group_sds(sums), "z": z}
    comparison = {
        "rest": group_means(rest).value,
        "difference": apart.difference,
        "difference_low": apart.low,
        "difference_high": apart.high,
        "effect": apart.effect,
    }
    return _block(line, sums, figures, comparison, here, total, shown)


def _share_blocks(
    gathered: Gathered, into: IntArray, k: int, shown: BoolArray
) -> list[dict[str, FloatArray]]:
    """Return the figures of each line of shares, shape (k,) each."""
    if not gathered.shares:
        return []
    sums = [join_groups(line.sums, into, k) for line in gathered.shares]
    rests = [rest_of(own) for own in sums]
    # All lines at once: an interval is a search, which costs as much for one as for a hundred.
    every = group_shares(_stacked(sums))
    apart = differences(_stacked(sums), _stacked(rests))
    blocks = []
    for i, line in enumerate(gathered.shares):
        own = slice(i * k, (i + 1) * k)
        here = GroupEstimates(*(getattr(every, f.name)[own] for f in fields(every)))
        everybody = join_groups(sums[i], np.zeros(k, dtype=np.intp), 1)
        total, rest = group_means(everybody).value, group_means(rests[i]).value
        comparison = {
            "rest": rest,
            "difference": apart.difference[own],
            "difference_low": apart.low[own],
            "difference_high": apart.high[own],
            "effect": 2 * (_angle(here.value) - _angle(rest)),
        }
        figures = {"share": here.value, "se": here.se}
        blocks.append(_block(line, sums[i], figures, comparison, here, total, shown[i]))
    return blocks


def _block(
    line: Line,
    sums: GroupSums,
    figures: dict[str, FloatArray],
    comparison: dict[str, FloatArray],
    here: GroupEstimates,
    total: FloatArray,
    shown: BoolArray,
) -> dict[str, FloatArray]:
    """Return all figures of a line, NaN where they are not shown."""
    bases = group_bases(sums)
    k = len(bases.rows)
    index = np.full(k, np.nan)
    if line.ratio:
        index = np.divide(100 * here.value, total, out=index, where=total > 0)
    figures = {
        **figures,
        "low": here.low,
        "high": here.high,
        "base": bases.rows,
        "base_weighted": bases.weighted,
        "base_effective": bases.effective,
        "index": index,
    }
    return {
        **{
            name: np.where(shown[:-1], values, np.nan)
            for name, values in {**figures, **comparison}.items()
        },
        "total": np.where(shown[-1], np.broadcast_to(total, k), np.nan),
        "hidden": ~shown[:-1],
    }


def _frame(
    lines: Sequence[Line],
    blocks: Sequence[_Block],
    k: int,
    columns: Sequence[str],
) -> pd.DataFrame:
    """Return blocks of (k,) figures as a table: by segment, then by line."""
    out: dict[str, object] = {}
    for name in columns:
        if name == "segment":
            out[name] = np.repeat(np.arange(1, k + 1), len(lines))
        elif blocks and name in blocks[0]:
            out[name] = [block[name][s] for s in range(k) for block in blocks]
        else:
            out[name] = [getattr(line, name, None) for line in lines] * k
    return pd.DataFrame(out, columns=list(columns))


def _letters_of(
    lines: Sequence[Line],
    sums: Sequence[GroupSums],
    shown: BoolArray,
    correction: Correction,
    scope: Scope,
) -> list[list[str]]:
    """Return the column letters of each line, corrected over its variable or over all lines."""
    whole = scope == "table"
    found: list[list[str]] = []
    for _, own in groupby(range(len(lines)), key=lambda i: 0 if whole else lines[i].table):
        rows = list(own)
        estimates = [group_means(sums[i]) for i in rows]
        found += _letters(estimates, [shown[i, :-1] for i in rows], correction)
    return found


def _letters(
    estimates: Sequence[GroupEstimates], shown: Sequence[BoolArray], correction: Correction
) -> list[list[str]]:
    """Return the letters of lines corrected together; a hidden cell has none and gives none."""
    values = np.array([np.where(s, e.value, np.nan) for e, s in zip(estimates, shown, strict=True)])
    p = np.array([pairwise_p(e) for e in estimates])
    for row, seen in zip(p, shown, strict=True):
        row[~np.outer(seen, seen)] = np.nan
    return column_letters(values, p, correction=correction)


def _association(sums: GroupSums) -> FloatArray:
    """Return Cramer's V of the two by two table of a category by each group against its rest."""
    rest = rest_of(sums)
    a, b = sums.wx, sums.weight - sums.wx
    c, d = rest.wx, rest.weight - rest.wx
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    size = np.abs(a * d - b * c)
    v = np.divide(size, np.sqrt(margins), out=np.full(len(a), np.nan), where=margins > 0)
    found: FloatArray = np.minimum(v, 1)
    return found


def _angle(share: FloatArray) -> FloatArray:
    return np.arcsin(np.sqrt(np.clip(share, 0, 1)))


def _stacked(sums: Sequence[GroupSums]) -> GroupSums:
    """Return the sums of several lines of zeros and ones as those of one long line."""

    def end_to_end(name: str) -> FloatArray:
        return np.concatenate([getattr(own, name) for own in sums])

    return GroupSums(
        rows=end_to_end("rows"),
        weight=end_to_end("weight"),
        weight2=end_to_end("weight2"),
        wx=end_to_end("wx"),
        wxx=end_to_end("wxx"),
        w2x=end_to_end("w2x"),
        w2xx=end_to_end("w2xx"),
        centre=sums[0].centre,
        size=sums[0].size,
        counts=sums[0].counts,
    )


def _test(variable: SampleVariable, sample: Sample) -> tuple[str, float, float, float, float]:
    """Return the test of a profile column: its name, statistic, degrees of freedom and p."""
    labels, w, counts = sample.labels, sample.weights, sample.counts
    if variable.kind == "numeric":
        found = test_means(variable.values, labels, w, counts=counts)
    else:
        found = test_association(variable.codes(), labels, w, counts=counts)
    return found.name, found.statistic, found.df1, found.df2, found.p
