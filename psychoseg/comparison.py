"""Two runs side by side: which segment became which, who moved, and whether more than chance.

Owns the comparison of finished runs, of the same people (two solutions) or of others (two waves).
Reads nothing but the two runs, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from psychoseg.errors import DataError
from psychoseg.features import build_features
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.inference import adjust_p, estimate_share
from psychoseg.stats.validity import adjusted_rand

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["Comparison", "compare_runs"]

#: Share of the smaller run's respondents that must be in the other for the two to be solutions of
#: the same survey: half of them are no accident, and two waves may share a panel's few.
_SAME_PEOPLE = 0.5
#: Adjusted p-values below it count as more than chance.
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the segments of a first run in a second.

    Attributes
    ----------
    kind : {"solutions", "waves"}
        The same respondents divided twice, or two sets of respondents.
    shared : int
        Respondents that both runs have segmented; 0 for waves.
    names_a, names_b : mapping of int to str
        The segments of each run.
    match : DataFrame
        A row for each segment of either run: ``a, b`` (0: none), ``name_a, name_b, distance`` (of
        the centres, in standard deviations of the features), ``share_a, share_b``; of solutions
        also ``jaccard`` (people in both over people in either), ``expected`` (the segment's own
        bootstrapped Jaccard, see :class:`psychoseg.segments.Segments`) and ``low`` (its fifth
        percentile); ``change`` ("same", "new", "gone", or of solutions "changed", where the Jaccard
        is below ``low``).
    flow : DataFrame
        ``a, b, n, weighted, share_a, share_b``: respondents by their segment in both. Of waves the
        second run's respondents, ``a`` being the first run's segment whose centre is nearest.
    summary : DataFrame
        ``measure, value, low, high, expected, base``.
    changes : DataFrame
        Of matched segments: ``a, b, kind`` ("size", "mean", "share"), ``variable, label, category,
        value_a, value_b, difference, low, high`` (95 %), ``p, p_adjusted`` (Benjamini and Hochberg
        over all rows), ``real`` (more than chance), ``base_a, base_b``. ``p`` is NaN for solutions:
        the same people were asked once.
    notes : tuple of str
        What cannot be compared, and why.
    """

    kind: Literal["solutions", "waves"]
    shared: int
    names_a: Mapping[int, str]
    names_b: Mapping[int, str]
    match: pd.DataFrame
    flow: pd.DataFrame
    summary: pd.DataFrame
    changes: pd.DataFrame
    notes: tuple[str, ...]


def compare_runs(a: Run, b: Run) -> Comparison:
    """Compare two runs.

    Parameters
    ----------
    a, b : Run
        The earlier and the later one.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Where the two share neither respondents nor features.

    Notes
    -----
    Runs are solutions of one survey where at least half of the smaller one's respondents are in the
    other, by their ids; ids that are row numbers count only if both runs read the same file. Of
    solutions, segments are matched by the people they share; of waves, by their centres on the
    features of the same name, in the first run's standard deviations, and a match counts only if no
    other of the first run's centres is nearer. Both are the assignment of least cost (Kuhn 1955).
    Differences between waves are those of independent samples; their variances are those of the
    profiles, design-based under weights.
    """
    shared_a, shared_b = _shared_rows(a, b)
    smaller = min(int((r.segments.labels > 0).sum()) for r in (a, b))
    if len(shared_a) >= _SAME_PEOPLE * smaller:
        return _solutions(a, b, shared_a, shared_b)
    return _waves(a, b)


@dataclass(frozen=True, slots=True)
class _Centres:
    """The centres of two runs' segments on their common features, and the second's people."""

    a: FloatArray
    b: FloatArray
    people: FloatArray
    rows: IntArray
    features: tuple[str, ...]


def _shared_rows(a: Run, b: Run) -> tuple[IntArray, IntArray]:
    """Return the rows of those whom both runs have segmented, in the order of the ids."""
    nobody = np.empty(0, dtype=np.intp)
    numbered = a.study.data.id is None or b.study.data.id is None
    if numbered and _first_input(a) != _first_input(b):
        return nobody, nobody
    rows = [np.flatnonzero(r.segments.labels > 0) for r in (a, b)]
    ids = [
        np.asarray(r.survey.ids, dtype=np.str_)[own] for r, own in zip((a, b), rows, strict=True)
    ]
    _, at_a, at_b = np.intersect1d(ids[0], ids[1], assume_unique=True, return_indices=True)
    return rows[0][at_a], rows[1][at_b]


def _first_input(run: Run) -> str:
    inputs = run.manifest.get("inputs", ())
    return str(inputs[0]["sha256"]) if isinstance(inputs, list) and inputs else ""


def _solutions(a: Run, b: Run, rows_a: IntArray, rows_b: IntArray) -> Comparison:
    labels_a, labels_b = a.segments.labels.to_numpy()[rows_a], b.segments.labels.to_numpy()[rows_b]
    weights = a.survey.weights[rows_a]
    flow = _flow(labels_a, labels_b, weights, a.segments.k, b.segments.k)
    table = flow.pivot(index="a", columns="b", values="weighted").to_numpy(np.float64)
    union = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    jaccard = np.divide(table, union, out=np.zeros_like(table), where=union > 0)
    pairs = _assigned(1 - jaccard)
    at_k = a.segments.stability
    own = at_k[at_k["k"] == a.segments.k].set_index("segment")
    centres, notes = _common(a, b)
    rows: list[dict[str, object]] = []
    for s in range(1, a.segments.k + 1):
        t = int(pairs[s - 1]) + 1
        value = float(jaccard[s - 1, t - 1]) if t else np.nan
        low = float(own["jaccard_low"].get(s, np.nan))
        rows.append(
            {
                **_pair(a, b, s, t, centres),
                "jaccard": value,
                "expected": float(own["jaccard"].get(s, np.nan)),
                "low": low,
                "change": "gone" if not t else "changed" if value < low else "same",
            }
        )
    rows += [
        {
            **_pair(a, b, 0, t, centres),
            "jaccard": np.nan,
            "expected": np.nan,
            "low": np.nan,
            "change": "new",
        }
        for t in _unmatched(pairs, b.segments.k)
    ]
    match = pd.DataFrame(rows)
    certainty = a.segments.certainty.to_numpy()[rows_a]
    known = ~np.isnan(certainty)
    expected = (
        float(np.average(certainty[known], weights=weights[known])) if known.any() else np.nan
    )
    summary = _agreement(
        "stay in the matching segment",
        (labels_a, labels_b),
        pairs,
        weights,
        counts=a.survey.weight_kind != "sampling",
        expected=expected,
    )
    changes = _changes(a, b, match, notes, tested=False)
    return Comparison(
        "solutions", len(rows_a), _names(a), _names(b), match, flow, summary, changes, notes
    )


def _waves(a: Run, b: Run) -> Comparison:
    centres, notes = _common(a, b)
    if centres is None:
        raise DataError(
            f"{a.folder} and {b.folder} share neither respondents nor active scales or columns. "
            "Compare two runs of one survey, or two waves with scales and columns of the same name."
        )
    apart = cdist(centres.a, centres.b)
    pairs = _assigned(apart**2)
    nearest = apart.argmin(axis=0)
    pairs = np.where((pairs >= 0) & (nearest[pairs] == np.arange(len(pairs))), pairs, -1)
    rows: list[dict[str, object]] = []
    for s in range(1, a.segments.k + 1):
        t = int(pairs[s - 1]) + 1
        rows.append({**_pair(a, b, s, t, centres), "change": "same" if t else "gone"})
    rows += [
        {**_pair(a, b, 0, t, centres), "change": "new"} for t in _unmatched(pairs, b.segments.k)
    ]
    match = pd.DataFrame(rows)
    own = b.segments.labels.to_numpy()[centres.rows]
    weights = b.survey.weights[centres.rows]
    typed = cdist(centres.people, centres.a).argmin(axis=1).astype(np.intp) + 1
    flow = _flow(typed, own, weights, a.segments.k, b.segments.k)
    summary = _agreement(
        "new respondents whose nearest old segment is their own",
        (typed, own),
        pairs,
        weights,
        counts=b.survey.weight_kind != "sampling",
        expected=np.nan,
    )
    changes = _changes(a, b, match, notes, tested=True)
    return Comparison("waves", 0, _names(a), _names(b), match, flow, summary, changes, notes)


def _agreement(
    what: str,
    labels: tuple[IntArray, IntArray],
    pairs: IntArray,
    weights: FloatArray,
    *,
    counts: bool,
    expected: float,
) -> pd.DataFrame:
    """Return ``Comparison.summary``: how many are in the matching segment, and how that is."""
    first, second = labels
    match = (pairs[first - 1] == second - 1).astype(np.float64)
    share = estimate_share(match, np.ones(len(match), dtype=bool), weights, counts=counts)
    rand = adjusted_rand(first, second, weights)
    rows = [
        (what, share.value, share.low, share.high, expected, len(match)),
        ("adjusted Rand index", rand, np.nan, np.nan, np.nan, len(match)),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high", "expected", "base"])


def _common(a: Run, b: Run) -> tuple[_Centres | None, tuple[str, ...]]:
    """Return the centres on the features that both runs have, and what cannot be compared."""
    tables = [build_features(r.survey, r.scales).table for r in (a, b)]
    made = [r.segments.features for r in (a, b)]
    kinds = [dict(zip(f["feature"], f["kind"], strict=True)) for f in made]
    different = _different_scales(a, b)
    names = tuple(n for n in kinds[0] if kinds[1].get(n) == kinds[0][n] and n not in different)
    called = {f: str(t) for m in made for f, t in zip(m["feature"], m["label"], strict=True)}
    notes = []
    if different:
        listed = ", ".join(sorted(called[f] for f in different))
        notes.append(f"Made of other items in the second run, so not compared: {listed}.")
    alone = {*kinds[0], *kinds[1]} - {*names, *different}
    if alone:
        notes.append(f"Active in one run alone: {', '.join(sorted(called[f] for f in alone))}.")
    if not names:
        return None, tuple(notes)
    first = made[0].set_index("feature")
    mean = first.loc[list(names), "mean"].to_numpy(np.float64)
    sd = first.loc[list(names), "sd"].to_numpy(np.float64)
    found = []
    for run, table in zip((a, b), tables, strict=True):
        rows = np.flatnonzero(run.segments.labels > 0)
        x = (table[list(names)].to_numpy(np.float64)[rows] - mean) / np.where(sd > 0, sd, 1)
        labels, weights = run.segments.labels.to_numpy()[rows], run.survey.weights[rows]
        centre = np.array(
            [
                np.average(x[labels == s], axis=0, weights=weights[labels == s])
                for s in range(1, run.segments.k + 1)
            ]
        )
        found.append((centre, x, rows))
    (first_centres, _, _), (centres, people, rows) = found
    return _Centres(first_centres, centres, people, rows, names), tuple(notes)


def _different_scales(a: Run, b: Run) -> set[str]:
    """Return scales of one name that are not made of the same items keyed the same way."""
    items = [
        {
            s: set(zip(rows["item"], rows["key"], strict=True))
            for s, rows in r.scales.items.groupby("scale")
        }
        for r in (a, b)
    ]
    return {str(s) for s in items[0] if s and s in items[1] and items[0][s] != items[1][s]}


def _assigned(cost: FloatArray) -> IntArray:
    """Return the column of each row at the least total cost, -1 where rows outnumber columns."""
    # Rounded, so that costs equal but for rounding error are ties, which the order decides.
    rows, columns = linear_sum_assignment(cost.round(9))
    pairs = np.full(len(cost), -1, dtype=np.intp)
    pairs[rows] = columns
    return pairs


def _names(run: Run) -> dict[int, str]:
    personas = run.profiles.personas
    return {int(s): str(n) for s, n in zip(personas["segment"], personas["name"], strict=True)}


def _pair(a: Run, b: Run, s: int, t: int, centres: _Centres | None) -> dict[str, object]:
    """Return what a row of the matches says of both segments; 0 is none."""
    distance = np.nan
    if centres is not None and s and t:
        distance = float(np.linalg.norm(centres.a[s - 1] - centres.b[t - 1]))
        distance /= float(np.sqrt(len(centres.features)))
    shares = [r.segments.table.set_index("segment")["share"] for r in (a, b)]
    return {
        "a": s,
        "b": t,
        "name_a": _names(a).get(s, ""),
        "name_b": _names(b).get(t, ""),
        "distance": distance,
        "share_a": float(shares[0].get(s, np.nan)),
        "share_b": float(shares[1].get(t, np.nan)),
    }


def _unmatched(pairs: IntArray, k: int) -> list[int]:
    return sorted(set(range(1, k + 1)) - {int(p) + 1 for p in pairs})


def _flow(a: IntArray, b: IntArray, weights: FloatArray, k_a: int, k_b: int) -> pd.DataFrame:
    cell = (a - 1) * k_b + b - 1
    n = np.bincount(cell, minlength=k_a * k_b)
    weighted = np.bincount(cell, weights=weights, minlength=k_a * k_b).reshape(k_a, k_b)
    of_a, of_b = weighted.sum(axis=1, keepdims=True), weighted.sum(axis=0, keepdims=True)
    return pd.DataFrame(
        {
            "a": np.repeat(np.arange(1, k_a + 1), k_b),
            "b": np.tile(np.arange(1, k_b + 1), k_a),
            "n": n,
            "weighted": weighted.ravel(),
            "share_a": np.divide(
                weighted, of_a, out=np.zeros_like(weighted), where=of_a > 0
            ).ravel(),
            "share_b": np.divide(
                weighted, of_b, out=np.zeros_like(weighted), where=of_b > 0
            ).ravel(),
        }
    )


def _changes(
    a: Run, b: Run, match: pd.DataFrame, notes: tuple[str, ...], *, tested: bool
) -> pd.DataFrame:
    """Return how matched segments differ, in size and in every figure that both profiles have."""
    rows: list[dict[str, object]] = []
    sizes = [_sizes(r) for r in (a, b)]
    figures = [_figures(r) for r in (a, b)]
    different = _different_scales(a, b)
    for s, t in match.loc[(match["a"] > 0) & (match["b"] > 0), ["a", "b"]].to_numpy():
        rows.append(_change(int(s), int(t), ("size", "", "Size", ""), sizes[0][s], sizes[1][t]))
        for key, first in figures[0][int(s)].items():
            second = figures[1][int(t)].get(key)
            if second is not None and not (key[0] == "mean" and key[1] in different):
                rows.append(_change(int(s), int(t), key, first, second))
    columns = [
        "a",
        "b",
        "kind",
        "variable",
        "label",
        "category",
        "value_a",
        "value_b",
        "difference",
        "low",
        "high",
        "p",
        "base_a",
        "base_b",
    ]
    table = pd.DataFrame(rows, columns=columns)
    if not tested:
        table[["low", "high", "p"]] = np.nan
    adjusted = adjust_p(table["p"].to_numpy(dtype=np.float64))
    table.insert(12, "p_adjusted", adjusted)
    table.insert(13, "real", adjusted < _LEVEL)
    return table


#: Value, standard error, base.
_Figure = tuple[float, float, float]
_Key = tuple[str, str, str, str]


def _sizes(run: Run) -> dict[int, _Figure]:
    rows = np.flatnonzero(run.segments.labels > 0)
    labels, weights = run.segments.labels.to_numpy()[rows], run.survey.weights[rows]
    counts = run.survey.weight_kind != "sampling"
    everyone = np.ones(len(rows), dtype=bool)
    out = {}
    for s in range(1, run.segments.k + 1):
        e = estimate_share((labels == s).astype(np.float64), everyone, weights, counts=counts)
        out[s] = (e.value, e.se, float(len(rows)))
    return out


def _figures(run: Run) -> dict[int, dict[_Key, _Figure]]:
    """Return value, standard error and base of each figure by segment."""
    out: dict[int, dict[_Key, _Figure]] = {s: {} for s in range(1, run.segments.k + 1)}
    for kind, table, category in (
        ("mean", run.profiles.means, ""),
        ("share", run.profiles.shares, "category"),
    ):
        for r in table.to_dict("records"):
            if r["hidden"] or not np.isfinite(r["se"]):
                continue
            key = (kind, str(r["variable"]), str(r["label"]), str(r[category]) if category else "")
            out[int(r["segment"])][key] = (
                float(r[kind]),
                float(r["se"]),
                float(r["base"]),
            )
    return out


def _change(s: int, t: int, key: _Key, first: _Figure, second: _Figure) -> dict[str, object]:
    difference = second[0] - first[0]
    se = float(np.hypot(first[1], second[1]))
    freedom = first[2] + second[2] - 2
    half = float(stats.t.ppf(0.975, freedom)) * se
    p = float(2 * stats.t.sf(abs(difference) / se, freedom)) if se > 0 else np.nan
    kind, variable, label, category = key
    return {
        "a": s,
        "b": t,
        "kind": kind,
        "variable": variable,
        "label": label,
        "category": category,
        "value_a": first[0],
        "value_b": second[0],
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "p": p,
        "base_a": int(first[2]),
        "base_b": int(second[2]),
    }
