"""Importance: which variables tell the segments apart, and rules that find them.

Owns the model behind ``Profiles.importance`` and the tree behind ``Profiles.rules``, and how well
both do on people they have not seen. Describes no segment beyond that.

The model is multinomial logistic regression on every variable and its square, with a ridge penalty.
Compact segments, which Ward's method and its kin make, are cells with nearly straight borders, and
groups that are normally distributed about their centres have log-odds that are quadratic in the
variables: both are exactly of this form, where a forest would approximate each border by steps.
It uses survey weights as they are meant, has no draws of its own, and shuffling a variable moves
its logits by one small matrix product, so that each fold is shuffled many times in milliseconds.
It looks at no interactions; the tree does.

References
----------
Breiman, L. (2001). Random forests. Machine Learning 45, 5-32, section 10 (permutation importance).
Nadeau, C. & Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52,
239-281, equation 9 (the variance of cross-validated means).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from psychoseg.profiles.rules import RULE_COLUMNS, Column, tree_rules
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, one_thread

__all__ = ["IMPORTANCE_COLUMNS", "MODEL_COLUMNS", "fit_importance"]

IMPORTANCE_COLUMNS = ("rank", "variable", "label", "kind", "role", "importance", "low", "high")
MODEL_COLUMNS = ("what", "value", "low", "high", "base")

#: People that are looked at: enough for an accuracy within 1.5 points, and few enough for seconds.
_MOST_PEOPLE = 5_000
#: Ten held-out fifths: as many as Kohavi (1995) finds enough, spread over two divisions.
_FOLDS, _REPEATS = 5, 2
#: Times that each variable is shuffled in each fold.
_SHUFFLES = 10
#: Standard deviation of the log-odds that all variables together may have before the data speak:
#: odds of 7 to 1 up or down. Divided over the columns, it makes many columns no excuse to overfit.
_PRIOR_SD = 2.0
#: Beyond so many standard deviations an answer pulls no more: its square would rule the fit.
_FURTHEST = 3.0
#: A spread this small beside the numbers is rounding error: about 1e4 ulps of a double.
_NO_SPREAD = 1e-12
#: Steps of the solver: ten times what the surveys in reach took.
_STEPS = 1_000

#: A tree this deep can be read; with more than three segments it takes one level more.
_DEPTH, _DEPTH_OF_MANY, _MANY = 3, 4, 3
#: A rule that finds a smaller part of the people is a detail.
_LEAF_SHARE = 0.02
#: Importances that are equal to so many decimals are tied.
_TIE_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class _Block:
    """What is shuffled at once: a variable, or all options of a multiple-response set."""

    variables: tuple[SampleVariable, ...]

    @property
    def line(self) -> tuple[str, str, str, str]:
        """Return variable, label, kind and role."""
        first = self.variables[0]
        if first.kind == "choice":
            return first.set_name, first.set_label, "choice", first.role
        return first.name, first.label, first.kind, first.role


@one_thread
def fit_importance(
    sample: Sample, rng: np.random.Generator, *, min_base: int = 10
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Find which variables tell the segments apart, and rules that find each segment.

    Parameters
    ----------
    sample : Sample
    rng : numpy.random.Generator
        Divides people into folds and shuffles answers.
    min_base : int
        A leaf of the tree holds at least as many people, and a fiftieth of all.

    Returns
    -------
    importance : DataFrame
        ``rank, variable, label, kind, role, importance, low, high``: accuracy on held-out people
        that is lost when the variable's answers are shuffled among them; ties by name.
    model : DataFrame
        ``what, value, low, high, base``: "accuracy", "balanced accuracy" (mean over segments of
        the share that is found) and "largest segment" (what naming it for everybody would get) of
        the model, "tree accuracy" of the tree; all on held-out people.
    rules : DataFrame
        See :func:`psychoseg.profiles.rules.tree_rules`: a row for each leaf of a tree of all.

    Notes
    -----
    Twice five folds, stratified by segment. Intervals are Nadeau and Bengio's: t with 9 degrees of
    freedom, the folds' variance times ``1 / 10 + 1 / 4``. Weights enter fit and scores; answers are
    shuffled so that each stands in proportion to its weight. A missing answer stays: in the model
    as an indicator beside the mean, in the tree as a value that goes to one side. Of more than
    5,000 people an even sample in canonical order is taken. Variables are ordered by name, so that
    neither rows nor columns in another order change anything. Two variables that say the same
    share their importance. With fewer than two segments or without variables all three are empty.
    """
    blocks = _blocks(sample)
    if len(sample.segments) < 2 or not blocks:
        return (
            pd.DataFrame(columns=list(IMPORTANCE_COLUMNS)),
            pd.DataFrame(columns=list(MODEL_COLUMNS)),
            pd.DataFrame(columns=list(RULE_COLUMNS)),
        )
    rows = _even_rows(len(sample.labels))
    labels, weights = sample.labels[rows], sample.weights[rows]
    if not sample.counts:
        # A constant factor of sampling weights means nothing; the penalty would take it seriously.
        weights = weights / weights.mean()
    design, block_of = _design(blocks, rows, weights)
    columns = _columns(blocks, rows)
    plain = np.column_stack([c.values for c in columns])

    leaf = max(min_base, 1, round(_LEAF_SHARE * len(rows)))

    accuracy, balanced, tree_accuracy, lost = [], [], [], []
    for _ in range(_REPEATS):
        fold_of = _folds(labels, rng)
        for fold in range(_FOLDS):
            test, train = fold_of == fold, fold_of != fold
            if not test.any() or len(np.unique(labels[train])) < 2:
                continue
            answer, w = labels[test], weights[test]
            model = _Logits.fit(design[train], labels[train], weights[train])
            logits = model.of(design[test])
            here = _accuracy(model.segments[logits.argmax(axis=1)], answer, w)
            accuracy.append(here)
            balanced.append(_balanced(model.segments[logits.argmax(axis=1)], answer, w))
            left = _after_shuffling(model, design[test], logits, answer, w, block_of, rng)
            lost.append(here - left)
            tree = _tree(len(sample.segments), leaf)
            tree.fit(plain[train], labels[train], sample_weight=weights[train])
            tree_accuracy.append(_accuracy(tree.predict(plain[test]), answer, w))

    tree = _tree(len(sample.segments), leaf)
    tree.fit(plain, labels, sample_weight=weights)
    rules = tree_rules(tree, columns, labels, weights, sample.segments)
    base = len(rows)
    largest = float(np.bincount(labels, weights=weights).max() / weights.sum())
    model_table = pd.DataFrame(
        [
            ("accuracy", *_interval(np.array(accuracy)), base),
            ("balanced accuracy", *_interval(np.array(balanced)), base),
            ("largest segment", largest, np.nan, np.nan, base),
            ("tree accuracy", *_interval(np.array(tree_accuracy)), base),
        ],
        columns=list(MODEL_COLUMNS),
    )
    return _importance(blocks, np.array(lost).reshape(-1, len(blocks))), model_table, rules


def _blocks(sample: Sample) -> list[_Block]:
    """Return what is shuffled, by name; variables that say nothing are left out."""
    found: dict[tuple[str, str, str], list[SampleVariable]] = {}
    for v in sample.variables:
        if not v.known.any():
            continue
        name = (v.set_name, "choice", v.role) if v.kind == "choice" else (v.name, v.kind, v.role)
        found.setdefault(name, []).append(v)
    return [
        _Block(tuple(sorted(variables, key=lambda v: v.name)))
        for _, variables in sorted(found.items())
    ]


def _even_rows(n: int) -> IntArray:
    if n <= _MOST_PEOPLE:
        return np.arange(n)
    return np.linspace(0, n - 1, _MOST_PEOPLE).round().astype(np.intp)


def _columns(blocks: Sequence[_Block], rows: IntArray) -> list[Column]:
    """Return every variable as columns that a tree can split: NaN where missing."""
    out = []
    for block in blocks:
        for v in block.variables:
            x = v.values[rows]
            if v.categories is None:
                out.append(Column(v, -1, x))
                continue
            present = [c for c in range(len(v.categories)) if (x == c).any()]
            # Of two categories one says both.
            for code in present[1:] if len(present) == 2 else present:
                out.append(Column(v, code, np.where(np.isnan(x), np.nan, x == code)))
    return out


def _design(
    blocks: Sequence[_Block], rows: IntArray, weights: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return standardised columns (n, c) without gaps, and the block of each."""
    columns: list[FloatArray] = []
    block_of: list[int] = []
    for place, block in enumerate(blocks):
        parts: list[FloatArray] = []
        for column in _columns([block], rows):
            missing = np.isnan(column.values)
            z = _standardised(column.values, weights)
            parts.append(z)
            if column.code < 0 and column.variable.kind != "choice":
                parts.append(_standardised(np.where(missing, np.nan, z**2), weights))
        for v in block.variables:
            missing = ~v.known[rows]
            if missing.any():
                parts.append(_standardised(missing.astype(np.float64), weights))
        kept: dict[bytes, FloatArray] = {p.tobytes(): p for p in parts if p.any()}
        columns += kept.values()
        block_of += [place] * len(kept)
    return np.column_stack(columns), np.array(block_of, dtype=np.intp)


def _standardised(x: FloatArray, weights: FloatArray) -> FloatArray:
    """Return x in standard deviations, at most three, zero where missing or constant."""
    known = ~np.isnan(x)
    out = np.zeros(len(x))
    if known.any():
        mean = np.average(x[known], weights=weights[known])
        sd = np.sqrt(np.average((x[known] - mean) ** 2, weights=weights[known]))
        if sd > _NO_SPREAD * np.abs(x[known]).max():
            out[known] = ((x[known] - mean) / sd).clip(-_FURTHEST, _FURTHEST)
    return out


def _folds(labels: IntArray, rng: np.random.Generator) -> IntArray:
    """Return a fold for each person, each segment spread evenly over all of them."""
    fold_of = np.empty(len(labels), dtype=np.intp)
    dealt = 0
    for segment in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == segment))
        # Going on where the last segment stopped keeps the folds equally large.
        fold_of[members] = (np.arange(len(members)) + dealt) % _FOLDS
        dealt += len(members)
    return fold_of


@dataclass(frozen=True, slots=True)
class _Logits:
    """A fitted model: coefficients (c, g), intercepts (g,) and the segments they are of."""

    coefficients: FloatArray
    intercepts: FloatArray
    segments: IntArray

    @classmethod
    def fit(cls, x: FloatArray, labels: IntArray, weights: FloatArray) -> _Logits:
        model = LogisticRegression(C=_PRIOR_SD**2 / x.shape[1], max_iter=_STEPS)
        model.fit(x, labels, sample_weight=weights)
        coefficients, intercepts = model.coef_.T, model.intercept_
        if len(model.classes_) == 2:
            coefficients = np.hstack([np.zeros_like(coefficients), coefficients])
            intercepts = np.append(0.0, intercepts)
        return cls(coefficients, intercepts, np.asarray(model.classes_, dtype=np.intp))

    def of(self, x: FloatArray) -> FloatArray:
        logits: FloatArray = x @ self.coefficients + self.intercepts
        return logits


def _after_shuffling(
    model: _Logits,
    x: FloatArray,
    logits: FloatArray,
    labels: IntArray,
    weights: FloatArray,
    block_of: IntArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return the mean accuracy with each block's answers shuffled, shape (blocks,)."""
    out = np.zeros(int(block_of.max()) + 1)
    parts = [x[:, block_of == b] @ model.coefficients[block_of == b] for b in range(len(out))]
    for _ in range(_SHUFFLES):
        donors = _shuffled(weights, rng)
        for b, part in enumerate(parts):
            told = model.segments[(logits + part[donors] - part).argmax(axis=1)]
            out[b] += _accuracy(told, labels, weights) / _SHUFFLES
    return out


def _shuffled(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return whose answers each person gets: a permutation where weights are equal.

    Otherwise systematic sampling in random order, so that an answer is given away as often as its
    weight says.
    """
    n = len(weights)
    order = rng.permutation(n)
    edges = np.cumsum(weights[order])
    at = (np.arange(n) + 0.5) / n * edges[-1]
    donors: IntArray = order[np.searchsorted(edges, at).clip(max=n - 1)]
    return donors[rng.permutation(n)]


def _tree(segments: int, leaf: int) -> DecisionTreeClassifier:
    depth = _DEPTH if segments <= _MANY else _DEPTH_OF_MANY
    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf, random_state=0)


def _accuracy(told: IntArray, labels: IntArray, weights: FloatArray) -> float:
    right: BoolArray = told == labels
    return float(weights[right].sum() / weights.sum())


def _balanced(told: IntArray, labels: IntArray, weights: FloatArray) -> float:
    each = [_accuracy(told[labels == s], labels[labels == s], weights[labels == s])
            for s in np.unique(labels)]  # fmt: skip
    return float(np.mean(each))


def _interval(values: FloatArray) -> tuple[float, float, float]:
    """Return mean and 95 % interval of a figure of every fold."""
    n = len(values)
    if n < 2:
        return (float(values.mean()) if n else np.nan, np.nan, np.nan)
    mean, ratio = float(values.mean()), 1 / (_FOLDS - 1)
    half = float(stats.t.ppf(0.975, n - 1) * np.sqrt((1 / n + ratio) * values.var(ddof=1)))
    return mean, mean - half, mean + half


def _importance(blocks: Sequence[_Block], lost: FloatArray) -> pd.DataFrame:
    rows = [(*block.line, *_interval(lost[:, b])) for b, block in enumerate(blocks)]
    rows.sort(key=lambda row: (-round(row[4], _TIE_DECIMALS), row[0], row[3]))
    return pd.DataFrame(
        [(rank, *row) for rank, row in enumerate(rows, start=1)], columns=list(IMPORTANCE_COLUMNS)
    )
