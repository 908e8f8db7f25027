"""Profiles made up for the tests of the plots, the report, the deck and the tables.

Every table of ``Profiles`` in the shape of a real one, consistent with itself and with the made
tree: at ``segments.k`` the cuts and ``by_k`` are the reported segments, a hidden cell is hidden in
every table, and what a portrait says is in the cell that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster

from psychoseg.profiles import Profiles
from psychoseg.segments import Segments
from psychoseg.survey.table import Survey

#: The last two segments have no answer here that may be printed: too few gave one.
HIDDEN = ("spend", "city 0", "city 1", "uses_coach")

_Shown = Callable[[str], str]
_Floats = npt.NDArray[np.float64]


class _Variable(NamedTuple):
    name: str
    label: str
    kind: str
    role: str
    category: str
    x: _Floats
    #: What is hidden is named by it: the column, and of a category which one it is.
    key: str


def make_profiles(
    survey: Survey,
    scales: object,
    segments: Segments,
    shown: _Shown,
    *,
    bare: bool = False,
    quotes: bool = False,
) -> Profiles:
    """Fill every table; with ``bare`` those that a study has to ask for stay empty."""
    variables = _variables(survey, scales)
    w = survey.weights
    cuts = _cut_labels(segments, w)
    numbers = {k: _numbers(variables, labels, k, w) for k, labels in cuts.items()}
    here = numbers[segments.k]
    means = here[here["kind"].isin(["scale", "numeric"])]
    means = means.rename(columns={"value": "mean"}).drop(columns=["category", "association"])
    shares = here[here["kind"].isin(["categorical", "choice"])]
    shares = shares.rename(columns={"value": "share"}).drop(columns=["sd", "z"])
    drivers = _drivers(here)
    names = {s: _name(drivers, s) for s in range(1, segments.k + 1)}
    if segments.unassigned:
        names[segments.unassigned] = "Unassigned"
    personas, facts = _personas(segments, drivers, names, shown)
    empty = pd.DataFrame()
    return Profiles(
        means=means.reset_index(drop=True), shares=shares.reset_index(drop=True),
        tests=_tests(variables, survey.n), drivers=drivers, personas=personas, facts=facts,
        typical=_typical(variables, segments, survey),
        by_k=pd.concat([t.assign(k=k) for k, t in numbers.items()], ignore_index=True)[
            ["k", "segment", "variable", "label", "kind", "role", "category", "value", "low",
             "high", "total", "base", "base_weighted", "base_effective", "index", "effect", "z",
             "hidden"]],
        cuts=_cuts(cuts, numbers, segments, w, dict(zip(personas["segment"], personas["name"],
                                                        strict=True))),
        importance=empty if bare else _importance(variables),
        model=empty if bare else _model(segments, survey.n),
        rules=empty if bare else _rules(segments, survey),
        actions=empty if bare else _actions(segments, shown),
        jobs=empty if bare else _jobs(segments, shown),
        words=empty if bare else _words(segments, survey, shown),
        quotes=_quotes(segments, survey, shown) if quotes else empty,
        centroids=pd.DataFrame(
            [(s, v.name, v.x[segments.labels == s].mean()) for s in range(1, segments.k + 1)
             for v in variables if v.role in ("scale", "active")],
            columns=["segment", "feature", "value"]),
    )  # fmt: skip


def _variables(survey: Survey, scales: object) -> list[_Variable]:
    table, scores = scales.table, scales.scores  # type: ignore[attr-defined]
    out = [
        _Variable(s, label, "scale", "scale", "", scores[s].to_numpy(), s)
        for s, label in zip(table["scale"], table["label"], strict=True)
    ]
    for name, book in survey.codebook.items():
        if name not in survey.columns:
            continue
        column = survey.columns[name]
        if book.kind == "categorical":
            out += [
                _Variable(name, book.label, book.kind, book.role, c,
                          (column == c).to_numpy(dtype=float), f"{name} {i}")
                for i, c in enumerate(book.categories)
            ]  # fmt: skip
        elif book.kind == "choice":
            # As in a real one: the set is the variable and the option the category.
            out.append(_Variable(book.block, book.question, "choice", book.role, book.label,
                                 column.to_numpy(dtype=float), name))  # fmt: skip
        else:
            out.append(_Variable(name, book.label, "numeric", book.role, "",
                                 column.to_numpy(dtype=float), name))  # fmt: skip
    return out


def _cut_labels(segments: Segments, w: _Floats) -> dict[int, npt.NDArray[np.intp]]:
    """Cut the tree into 2 to 10; those who fit no segment stay together and last."""
    left_out = segments.labels == segments.unassigned if segments.unassigned else None
    out = {}
    for c in range(1, 40):
        raw = fcluster(segments.tree, c, "maxclust")
        if left_out is not None:
            raw = np.where(left_out, 0, raw)
        groups = sorted({*raw} - {0}, key=lambda g: -w[raw == g].sum())
        if left_out is not None:
            groups.append(0)
        k = len(groups)
        if 2 <= k <= max(10, segments.k) and k not in out:
            out[k] = np.array([groups.index(g) + 1 for g in raw])
    out[segments.k] = np.asarray(segments.labels)
    return dict(sorted(out.items()))


def _numbers(
    variables: list[_Variable], labels: npt.NDArray[np.intp], k: int, w: _Floats
) -> pd.DataFrame:
    rows = []
    for v in variables:
        there = np.isfinite(v.x)
        total, _, _ = _estimate(v.x, there, w)
        sd = float(np.sqrt(_estimate((v.x - total) ** 2, there, w)[0]))
        found = []
        for s in range(1, k + 1):
            inside = (labels == s) & there
            value, se, effective = _estimate(v.x, inside, w)
            rest, rest_se, _ = _estimate(v.x, there & ~inside, w)
            share = v.kind in ("categorical", "choice")
            apart = np.hypot(se, rest_se)
            if share:
                effect = 2 * (np.arcsin(np.sqrt(value)) - np.arcsin(np.sqrt(rest)))
            else:
                effect = (value - rest) / sd
            hidden = s >= k - 1 and v.key in HIDDEN
            low, high = value - 1.96 * se, value + 1.96 * se
            found.append(
                {"segment": s, "variable": v.name, "label": v.label, "kind": v.kind,
                 "role": v.role, "category": v.category, "value": value,
                 "low": max(low, 0.0) if share else low, "high": min(high, 1.0) if share else high,
                 "se": se, "sd": float(v.x[inside].std()), "base": float(inside.sum()),
                 "base_weighted": float(w[inside].sum()), "base_effective": effective,
                 "total": total, "rest": rest, "difference": value - rest,
                 "difference_low": value - rest - 1.96 * apart,
                 "difference_high": value - rest + 1.96 * apart, "effect": effect,
                 "association": abs(effect) / 4, "z": np.nan if share else (value - total) / sd,
                 "index": 100 * value / total, "v_test": (value - total) / max(se, 1e-9),
                 "letters": "", "hidden": hidden}
            )  # fmt: skip
        _letter(found)
        rows += [_hide(r) if r["hidden"] else r for r in found]
    return pd.DataFrame(rows)


def _estimate(x: _Floats, inside: npt.NDArray[np.bool_], w: _Floats) -> tuple[float, float, float]:
    """Return the weighted mean, its standard error and Kish's base."""
    w = w[inside]
    mean = float(np.average(x[inside], weights=w))
    effective = float(w.sum() ** 2 / (w**2).sum())
    variance = float(np.average((x[inside] - mean) ** 2, weights=w))
    return mean, float(np.sqrt(variance / effective)), effective


def _letter(rows: list[dict[str, object]]) -> None:
    for r in rows:
        won = ""
        for other in rows:
            z = (r["value"] - other["value"]) / max(np.hypot(r["se"], other["se"]), 1e-9)
            if z > 1.96 and not r["hidden"] and not other["hidden"]:
                letter = chr(96 + other["segment"])
                won += letter.upper() if z > 3.29 else letter
        r["letters"] = won


def _hide(row: dict[str, object]) -> dict[str, object]:
    kept = ("segment", "variable", "label", "kind", "role", "category", "total", "hidden")
    return {
        name: value if name in kept else "" if name == "letters" else np.nan
        for name, value in row.items()
    }


def _drivers(numbers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for segment, part in numbers[~numbers["hidden"]].groupby("segment"):
        part = part.assign(size=part["effect"].abs()).sort_values(
            "size", ascending=False, kind="stable"
        )
        for rank, r in enumerate(part.head(8).to_dict("records"), start=1):
            size = abs(r["effect"])
            kind = r["kind"] if r["kind"] in ("scale", "numeric") else "category"
            rows.append(
                (segment, rank, kind, r["variable"], r["label"], r["category"], r["effect"],
                 "large" if size >= 0.8 else "medium" if size >= 0.5 else "small",
                 r["value"], r["total"], int(r["base"]), _said(r))
            )  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["segment", "rank", "kind", "variable", "label", "category", "effect", "size",
                 "value", "total", "base", "text"],
    )  # fmt: skip


def _said(r: dict[str, object]) -> str:
    if r["category"]:
        return (
            f"{'More' if r['effect'] > 0 else 'Fewer'} {r['label']}: {r['category']}, "
            f"{100 * r['value']:.0f}% against {100 * r['total']:.0f}% overall"
        )
    return (
        f"{'High' if r['effect'] > 0 else 'Low'} {r['label']}: {r['value']:.2f} against "
        f"{r['total']:.2f} overall"
    )


def _name(drivers: pd.DataFrame, segment: int) -> str:
    best = drivers[(drivers["segment"] == segment) & (drivers["kind"] == "scale")].head(2)
    said = [
        f"{'high' if e > 0 else 'low'} {label}"
        for e, label in zip(best["effect"], best["label"], strict=True)
    ]
    return " and ".join(said).capitalize() or f"Segment {segment}"


def _personas(
    segments: Segments, drivers: pd.DataFrame, names: dict[int, str], shown: _Shown
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, facts = [], []
    for s in range(1, segments.k + 1):
        t = segments.table.iloc[s - 1]
        size = f"{100 * t['share']:.0f}% of people are in this segment."
        said = [(s, "portrait", 1, size, "personas", "share", "")]
        own = drivers[drivers["segment"] == s].to_dict("records")
        for rank, d in enumerate(own[:4], start=2):
            table = "shares" if d["kind"] == "category" else "means"
            said.append((s, "portrait", rank, f"{d['text']}.", table, d["variable"],
                         d["category"]))  # fmt: skip
        below = [d for d in own if d["effect"] < 0] or own[-1:]
        is_not = f"It is not about {below[0]['label']}."
        table = "shares" if below[0]["kind"] == "category" else "means"
        facts += [*said, (s, "is_not", 1, is_not, table, below[0]["variable"],
                          below[0]["category"])]  # fmt: skip
        rows.append(
            (s, shown("Urban achievers") if s == 2 else names[s], names[s], int(t["n"]),
             t["weighted"], t["share"], " ".join(f[3] for f in said), is_not,
             int(np.flatnonzero(segments.labels == s)[0]))
        )  # fmt: skip
    personas = pd.DataFrame(
        rows,
        columns=["segment", "name", "suggested", "n", "weighted", "share", "portrait", "is_not",
                 "typical_row"],
    )  # fmt: skip
    return personas, pd.DataFrame(
        facts, columns=["segment", "part", "rank", "text", "table", "variable", "category"]
    )


def _columns(variables: list[_Variable]) -> list[_Variable]:
    """Return one of each column: a categorical one's first category, every option of a set."""
    return list({v.key.split()[0]: v for v in reversed(variables)}.values())[::-1]


def _tests(variables: list[_Variable], n: int) -> pd.DataFrame:
    rows = []
    for v in _columns(variables):
        kind = {"categorical": ("Cramer's V", "chi-square"), "choice": ("Cramer's V", "chi-square")}
        measure, test = kind.get(v.kind, ("eta squared", "Wald F"))
        p = 0.0001234 if v.name == "gender" else 0.3456
        tested = v.role not in ("scale", "active")
        label = f"{v.label}: {v.category}" if v.kind == "choice" else v.label
        rows.append(
            (v.key.split()[0], label, v.kind, v.role, measure, 0.123456, test,
             *((12.3456, 3.0, 596.0, p, p) if tested else (np.nan,) * 5), n)
        )  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["variable", "label", "kind", "role", "measure", "strength", "test", "statistic",
                 "df1", "df2", "p", "p_adjusted", "base"],
    )  # fmt: skip


def _typical(variables: list[_Variable], segments: Segments, survey: Survey) -> pd.DataFrame:
    rows = []
    for s in range(1, segments.k + 1):
        inside = segments.labels == s
        base = int(max(10, inside.sum() // 20))
        rows += [(s, v.name, v.label, f"{np.median(v.x[inside]):.2f}", base)
                 for v in variables if not v.category]  # fmt: skip
        rows += [(s, c, survey.label(c), str(survey.columns[c][inside].mode()[0]), base)
                 for c in ("gender", "city")]  # fmt: skip
    return pd.DataFrame(rows, columns=["segment", "variable", "label", "value", "base"])


def _cuts(
    cuts: dict[int, npt.NDArray[np.intp]],
    numbers: dict[int, pd.DataFrame],
    segments: Segments,
    w: _Floats,
    names: dict[int, str],
) -> pd.DataFrame:
    colours = {segments.k: {s: s for s in range(1, segments.k + 1)}}
    for k in range(segments.k - 1, 1, -1):  # the colour of the larger part
        colours[k] = {
            s: max(
                (t for t in range(1, k + 2) if ((cuts[k] == s) & (cuts[k + 1] == t)).any()),
                key=lambda t, k=k: w[cuts[k + 1] == t].sum(),
            )
            for s in range(1, k + 1)
        }
        colours[k] = {s: colours[k + 1][t] for s, t in colours[k].items()}
    for k in range(segments.k + 1, max(cuts) + 1):  # the larger child keeps it
        colours[k] = {}
        for s in range(1, k + 1):
            parent = int(cuts[k - 1][cuts[k] == s][0])
            colour = colours[k - 1][parent]
            if colour in colours[k].values():
                colour = max({*colours[k - 1].values(), *colours[k].values()}) + 1
            colours[k][s] = colour
    rows = []
    for k, labels in cuts.items():
        drivers = _drivers(numbers[k])
        for s in range(1, k + 1):
            inside = labels == s
            parent = int(cuts[k - 1][inside][0]) if k - 1 in cuts else 1
            name = names[s] if k == segments.k else _name(drivers, s)
            if segments.unassigned and s == k:
                name = "Unassigned"
            head = drivers[drivers["segment"] == s]["text"]
            rows.append((k, s, parent, colours[k][s], name, int(inside.sum()), w[inside].sum(),
                         w[inside].sum() / w.sum(), head.iloc[0]))  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["k", "segment", "parent", "colour", "name", "n", "weighted", "share", "headline"],
    )


def _importance(variables: list[_Variable]) -> pd.DataFrame:
    rows = []
    for rank, v in enumerate(_columns(variables), start=1):
        value = 0.21 / rank - 0.018
        label = f"{v.label}: {v.category}" if v.kind == "choice" else v.label
        rows.append((rank, v.key.split()[0], label, v.kind, v.role, value, value - 0.02,
                     value + 0.02))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["rank", "variable", "label", "kind", "role", "importance", "low", "high"]
    )


def _model(segments: Segments, n: int) -> pd.DataFrame:
    largest = float(segments.table["share"].max())
    return pd.DataFrame(
        [("accuracy", 0.91234, 0.89, 0.935, n), ("balanced accuracy", 0.90111, 0.87, 0.93, n),
         ("largest segment", largest, np.nan, np.nan, n), ("tree accuracy", 0.7412, 0.7, 0.78, n)],
        columns=["what", "value", "low", "high", "base"],
    )  # fmt: skip


def _rules(segments: Segments, survey: Survey) -> pd.DataFrame:
    spend, age = survey.label("spend"), survey.label("age")
    rows = []
    for s in range(1, segments.k + 1):
        rows.append((s, 1, f"{age} is above {30 + s} and {spend} is at most {10 + s}",
                     0.70123 - 0.02 * s, 0.81 - 0.02 * s, 120 - s))  # fmt: skip
        if s == 1:
            rows.append((s, 2, f"{age} is at most 31", 0.14321, 0.6, 31))
    return pd.DataFrame(rows, columns=["segment", "rank", "rule", "share", "precision", "base"])


def _actions(segments: Segments, shown: _Shown) -> pd.DataFrame:
    offers = [shown(a) for a in ("Coach by video", "Advanced data integration", "Group runs")]
    rows = []
    for s in range(1, segments.k + 1):
        scores = sorted(
            ((0.62 - 0.4 * ((s + j) % 3), a) for j, a in enumerate(offers)), reverse=True
        )
        rows += [(s, rank, a, score, score > 0.15,
                  f"{'high' if score > 0 else 'low'} Tech-savviness, {score:+.1f} as wanted")
                 for rank, (score, a) in enumerate(scores, start=1)]  # fmt: skip
    return pd.DataFrame(rows, columns=["segment", "rank", "action", "score", "fits", "reason"])


def _jobs(segments: Segments, shown: _Shown) -> pd.DataFrame:
    jobs = (("Stay fit in little time", "job"), ("Know what to do next", "outcome"),
            ("Be sure that my data are safe", "outcome"))  # fmt: skip
    named = [(shown(label), kind) for label, kind in jobs]
    rows = []
    for s in range(segments.k + 1):
        for j, (label, kind) in enumerate(named):
            important, satisfied = 7.2 - 0.6 * j + 0.2 * s, 4.1 + 0.9 * j
            opportunity = important + max(important - satisfied, 0)
            base = int(segments.table["n"].iloc[s - 1]) if s else len(segments.labels)
            hidden = s >= segments.k - 1 and s > 0 and j == 2
            numbers = (important, satisfied, opportunity, opportunity - 0.7, opportunity + 0.7)
            rows.append((s, f"job_{j}", label, kind,
                         *((np.nan,) * 5 if hidden else numbers), np.nan if hidden else base,
                         hidden))  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["segment", "job", "label", "kind", "importance", "satisfaction", "opportunity",
                 "low", "high", "base", "hidden"],
    )  # fmt: skip


def _words(segments: Segments, survey: Survey, shown: _Shown) -> pd.DataFrame:
    said = ("coach", "no time", "privacy", "friends", "price", "numbers")
    rows = []
    for s in range(1, segments.k + 1):
        for rank in range(1, 4):
            hidden = s == segments.k and rank == 3
            numbers = (5.1 - rank, 1.4 - 0.2 * rank, 0.31 - 0.05 * rank, 0.11, 140 - s)
            word = shown(said[(s + rank) % len(said)])
            rows.append((s, "why", survey.label("why"), rank, "" if hidden else word,
                         *((np.nan,) * 5 if hidden else numbers), hidden))  # fmt: skip
    return pd.DataFrame(
        rows,
        columns=["segment", "variable", "label", "rank", "word", "z", "log_odds", "share", "rest",
                 "base", "hidden"],
    )  # fmt: skip


def _quotes(segments: Segments, survey: Survey, shown: _Shown) -> pd.DataFrame:
    return pd.DataFrame(
        [(s, "why", survey.label("why"), shown("I would use it more if it left my data alone."))
         for s in range(1, segments.k + 1)],
        columns=["segment", "variable", "label", "text"],
    )  # fmt: skip
