"""A small run made up for the tests of the plots and the report, in the shape of a real one.

Nothing here is estimated with care: it only has to look like what the stages return, quickly and
repeatably.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from psychoseg.study import Column, DataFile, ItemBattery, Study, StudyInfo
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable

SCALES = (
    "Motivation: health",
    "Motivation: looks",
    "Sociability",
    "Tech-savviness",
    "Willingness to pay",
    "Privacy concern",
)
CITIES = ("Village", "Town", "City")

#: What a label must survive: markup, mathtext, a line break, another script, and no end of text.
HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "$\\frac{1}{0}$ & $unclosed",
    "a_b^c {x} \\n\nnew line",
    "健康意識と社会的なつながりについての質問",
    "العربية والصحة",
    "\"quoted\" 'single' {{ 7 * 7 }} {% raw %}",
    "An endless label " * 12,
    "Unbroken" * 25,
    "</style></svg></title>--><script>window.hacked=1</script>",
)


@dataclass(frozen=True, slots=True)
class MadeRun:
    folder: Path | None
    study: Study
    survey: Survey
    scales: Any
    segments: Any
    profiles: Any
    warnings: pd.DataFrame
    agreement: pd.DataFrame | None
    manifest: Mapping[str, object]


def make_run(
    n: int = 600,
    *,
    k: int = 4,
    seed: int = 7,
    weighted: bool = False,
    hostile: bool = False,
    verdict: str = "reproducible",
    both: bool = False,
    one_component: bool = False,
) -> MadeRun:
    """Simulate ``n`` respondents in ``k`` segments and fill every frame of the contract."""
    rng = np.random.default_rng(seed)
    bad = iter(HOSTILE * 20)

    def shown(text: str) -> str:
        return f"{text} {next(bad)}" if hostile else text

    centres = rng.normal(scale=1.3, size=(k, len(SCALES)))
    truth = rng.choice(k, size=n, p=np.arange(k + 1, 1, -1) / np.arange(k + 1, 1, -1).sum())
    traits = centres[truth] + rng.normal(size=(n, len(SCALES)))
    weights = rng.choice([0.5, 1.0, 2.0], size=n) if weighted else np.ones(n)
    weights = weights / weights.mean()

    codebook: dict[str, Variable] = {}
    items = {}
    names = [f"scale_{s + 1}" for s in range(len(SCALES))]
    for s, label in enumerate(SCALES):
        for j in range(4):
            name = f"q{s}_{j}"
            answer = 3 + 0.7 * traits[:, s] + rng.normal(scale=0.7, size=n)
            items[name] = np.clip(np.round(answer), 1, 5)
            codebook[name] = Variable(
                name,
                shown(f"{label}, statement {j + 1}: I would say that this describes me"),
                "item",
                "likert",
                question="How much do you agree?",
                low=1,
                high=5,
                reversed=j == 3,
            )
    columns = pd.DataFrame(
        {
            "age": np.clip(
                np.round(38 + 6 * centres[truth, 0] + rng.normal(scale=9, size=n)), 18, 80
            ),
            "spend": np.round(
                np.exp(2.5 + 0.3 * centres[truth, 4] + rng.normal(scale=0.4, size=n)), 2
            ),
            "gender": pd.Categorical(
                np.where(rng.random(n) < 0.35 + 0.1 * truth / k, "Woman", "Man"), ["Woman", "Man"]
            ),
            "city": pd.Categorical(rng.choice(CITIES, size=n, p=[0.2, 0.3, 0.5]), CITIES),
        }
    )
    kinds = {"age": "Age", "spend": "Monthly spend", "gender": "Gender", "city": "City size"}
    categories = {c: shown(c) for c in ("Woman", "Man", *CITIES)}
    for name in ("gender", "city"):
        columns[name] = columns[name].cat.rename_categories(categories)
    for name, label in kinds.items():
        numeric = name in {"age", "spend"}
        codebook[name] = Variable(
            name, shown(label), "active" if name == "age" else "profile",
            "numeric" if numeric else "categorical",
            categories=() if numeric else tuple(columns[name].cat.categories),
        )  # fmt: skip
    ledger = pd.DataFrame(
        [
            *[(f"secret-{i}", "answers.csv", i + 2, "clean", "excluded",
               "fewer than 50% of the items answered") for i in range(17)],
            *[(f"secret-{i}", "answers.csv", i + 2, "clean", "excluded",
               "the same answer to every item") for i in range(17, 22)],
            *[(f"secret-{i}", "customers.csv", i + 2, "merge", "unused",
               "meets no respondent") for i in range(100, 131)],
            ("secret-5000", "", "", "segments", "excluded", "no value for Age"),
        ],
        columns=list(LEDGER_COLUMNS),
    )  # fmt: skip
    survey = Survey(
        ids=pd.Series([f"secret-{1000 + i}" for i in range(n)], dtype="str"),
        items=pd.DataFrame(items),
        columns=columns,
        weights=weights,
        weight_kind="sampling" if weighted else "none",
        codebook=codebook,
        ledger=ledger,
        n_read=n + 23,
    )
    scales = _scales(survey, names, [shown(s) for s in SCALES])
    segments = _segments(scales, survey, k, verdict, one_component)
    profiles = _profiles(survey, scales, segments, shown)
    study = Study(
        study=StudyInfo(
            title=shown("Fitness app: who will use the new features?"),
            description="A survey of users about motives, technology and privacy.",
            population=shown("Users of the app, 18 to 80 years"),
            source="Simulated for the tests",
        ),
        data=DataFile(file="answers.csv", id="id"),
        items=(ItemBattery(columns=("q*",), range=(1, 5)),),
        columns=(Column(name="age", use="active"), Column(name="gender")),
    )
    warnings = pd.DataFrame(
        [("scales", shown("The correlation matrix was smoothed.")),
         ("segments", "37 merges were tied; respondents were put in canonical order first.")],
        columns=["stage", "message"],
    )  # fmt: skip
    agreement = pd.DataFrame(
        [("scales", "Tucker congruence", "F1", 0.99987), ("segments", "adjusted Rand", "", 1.0)],
        columns=["stage", "measure", "what", "value"],
    )
    return MadeRun(
        None, study, survey, scales, segments, profiles, warnings, agreement if both else None,
        {"versions": {"psychoseg": "0.1.0", "numpy": "2.4.6"}, "seed": 1, "engine": "python",
         "inputs": [{"file": "answers.csv", "sha256": "ab" * 32, "bytes": 123456}],
         "seconds": {"scales": 98765.4321}},
    )  # fmt: skip


def _scales(survey: Survey, names: list[str], labels: list[str]) -> SimpleNamespace:
    x = survey.items
    corr = x.corr()
    m = len(names)
    owner = {c: names[int(c[1])] for c in x}
    scores = pd.DataFrame({s: x[[c for c in x if owner[c] == s]].mean(axis=1) for s in names})
    rng = np.random.default_rng(1)
    loadings = pd.DataFrame(
        [[0.72 if owner[c] == s else float(rng.normal(scale=0.06)) for s in names] for c in x],
        index=list(x), columns=[f"F{i + 1}" for i in range(m)],
    )  # fmt: skip
    eigen = np.sort(np.linalg.eigvalsh(corr))[::-1]
    threshold = np.linspace(1.35, 0.7, len(eigen))
    table = pd.DataFrame(
        {"scale": names, "label": labels, "n_items": 4, "alpha": 0.84, "alpha_low": 0.81,
         "alpha_high": 0.869, "mean_r": 0.57, "mean": scores.mean().to_numpy(),
         "sd": scores.std().to_numpy(), "base": len(x)}
    )  # fmt: skip
    table.loc[m - 1, ["alpha", "alpha_low", "alpha_high"]] = (0.583, 0.52, 0.64)
    items = pd.DataFrame(
        {"item": list(x), "label": [survey.label(c) for c in x], "scale": [owner[c] for c in x],
         "key": [-1 if survey.codebook[c].reversed else 1 for c in x], "loading": 0.72,
         "communality": 0.52, "item_rest": 0.66, "alpha_if_dropped": 0.8,
         "mean": x.mean().to_numpy(), "sd": x.std().to_numpy(), "base": len(x)}
    )  # fmt: skip
    items.loc[0, ["scale", "loading", "item_rest", "alpha_if_dropped"]] = (
        "",
        np.nan,
        np.nan,
        np.nan,
    )
    return SimpleNamespace(
        table=table, items=items, loadings=loadings, scores=scores, corr=corr,
        phi=pd.DataFrame(np.eye(m), index=loadings.columns, columns=loadings.columns),
        factors=pd.DataFrame({"factor": loadings.columns, "label": labels, "ss_loadings": 2.1,
                              "share": 0.1, "scale": names}),
        eigenvalues=pd.DataFrame({"component": np.arange(1, len(eigen) + 1), "observed": eigen,
                                  "threshold": threshold, "retained": np.arange(len(eigen)) < m}),
        method="The scales were found by factor analysis.", found=True, n_factors_suggested=m,
        kmo=0.874, correlation="polychoric",
    )  # fmt: skip


def _segments(
    scales: SimpleNamespace, survey: Survey, k: int, verdict: str, one_component: bool
) -> SimpleNamespace:
    x = scales.scores.to_numpy()
    x = (x - x.mean(0)) / x.std(0)
    tree = linkage(x, "ward")
    raw = fcluster(tree, k, "maxclust")
    w = survey.weights
    order = sorted(set(raw), key=lambda s: -w[raw == s].sum())
    labels = np.array([order.index(s) + 1 for s in raw])
    u, d, vt = np.linalg.svd(x, full_matrices=False)
    dims = 1 if one_component else 3
    comp = (u * d)[:, :dims]
    share = np.array([w[labels == s].sum() / w.sum() for s in range(1, k + 1)])
    half = 1.96 * np.sqrt(share * (1 - share) / len(w))
    jaccard = np.linspace(0.9, 0.55 if verdict == "constructed" else 0.72, k)
    ks = np.arange(2, 11)
    choice = pd.DataFrame(
        {"k": ks, "silhouette": 0.25 - 0.02 * abs(ks - k),
         "jaccard_mean": 0.85 - 0.05 * abs(ks - k), "jaccard_min": 0.75 - 0.07 * abs(ks - k),
         "smallest_share": 0.9 / ks**1.3,
         "smallest_n": (0.9 / ks**1.3 * len(w)).astype(int), "eligible": abs(ks - k) < 2,
         "chosen": ks == k, "why": ["stable and large enough" if abs(c - k) < 2 else
                                    "a segment dissolves in the bootstrap" for c in ks]}
    )  # fmt: skip
    names = list(scales.table["scale"])
    return SimpleNamespace(
        labels=labels, k=k,
        table=pd.DataFrame({"segment": np.arange(1, k + 1),
                            "n": [int((labels == s).sum()) for s in range(1, k + 1)],
                            "weighted": share * w.sum(), "share": share, "share_low": share - half,
                            "share_high": share + half, "jaccard": jaccard, "silhouette": 0.21}),
        choice=choice, verdict=verdict,
        reason=("The segments come back in 50 bootstrap samples: mean Jaccard 0.81."
                if verdict == "reproducible" else
                "No stable segments: at every number of segments at least one dissolves when the "
                "survey is drawn again."),
        k_rule="The eligible number of segments with the best average silhouette.",
        tree=tree,
        points=pd.DataFrame({"point": np.arange(len(x)), "weight": w, "n": 1, "segment": labels}
                            | {f"comp_{j + 1}": comp[:, j] for j in range(dims)}),
        point_of=np.arange(len(x)),
        features=pd.DataFrame({"feature": names, "label": list(scales.table["label"]),
                               "kind": "scale", "mean": 0.0, "sd": 1.0}),
        eigenvalues=pd.DataFrame({"component": np.arange(1, len(d) + 1),
                                  "eigenvalue": d**2 / len(x),
                                  "share": d**2 / (d**2).sum(),
                                  "cumulative": np.cumsum(d**2) / (d**2).sum(),
                                  "retained": np.arange(len(d)) < dims}),
        components=pd.DataFrame((vt.T * d / np.sqrt(len(x)))[:, :dims], index=names,
                                columns=[f"comp_{j + 1}" for j in range(dims)]),
        components_rule="The fewest components that carry 80% of the variance.",
        silhouette=np.full(len(x), 0.2),
        excluded=survey.ledger[survey.ledger["stage"] == "segments"],
        tied_merges=37, n_identical=12, method="Ward (python: psychoseg)",
    )  # fmt: skip


def _profiles(
    survey: Survey, scales: SimpleNamespace, segments: SimpleNamespace, shown: Any
) -> SimpleNamespace:
    means, shares, drivers, typical, personas = [], [], [], [], []
    labels, w = segments.labels, survey.weights
    named = zip(scales.table["scale"], scales.table["label"], strict=True)
    numeric = {s: ("scale", "scale", scales.scores[s], label) for s, label in named}
    for c in ("age", "spend"):
        v = survey.codebook[c]
        numeric[c] = ("numeric", v.role, survey.columns[c], v.label)
    for seg in range(1, segments.k + 1):
        inside = labels == seg
        base = int(inside.sum())
        found = []
        for name, (kind, role, values, label) in numeric.items():
            x = values.to_numpy()
            total, sd = np.average(x, weights=w), x.std()
            mean = np.average(x[inside], weights=w[inside])
            half = 1.96 * x[inside].std() / np.sqrt(base)
            z = (mean - total) / sd
            effect = (mean - x[~inside].mean()) / sd
            means.append((seg, name, label, kind, role, mean, mean - half, mean + half,
                          x[inside].std(), base, w[inside].sum(), base, total, effect,
                          z))  # fmt: skip
            found.append((kind, name, label, "", effect, mean, total))
        for name in ("gender", "city"):
            v = survey.codebook[name]
            for cat in v.categories:
                is_cat = (survey.columns[name] == cat).to_numpy()
                total, p = (
                    np.average(is_cat, weights=w),
                    np.average(is_cat[inside], weights=w[inside]),
                )
                half = 1.96 * np.sqrt(p * (1 - p) / base)
                h = 2 * np.arcsin(np.sqrt(p)) - 2 * np.arcsin(np.sqrt(total))
                shares.append((seg, name, v.label, cat, p, max(p - half, 0), p + half, total, base,
                               w[inside].sum(), base, 100 * p / total, h))  # fmt: skip
                found.append(("category", name, v.label, cat, h, p, total))
        found.sort(key=lambda d: -abs(d[4]))
        for rank, (kind, name, label, cat, effect, value, total) in enumerate(found[:8], start=1):
            size = "large" if abs(effect) > 0.8 else "medium" if abs(effect) > 0.5 else "small"
            drivers.append((seg, rank, kind, name, label, cat, effect, size, value, total, base,
                            f"{'High' if effect > 0 else 'Low'} {label}: {value:.2f} against "
                            f"{total:.2f} overall"))  # fmt: skip
        row = int(np.flatnonzero(inside)[0])
        best = [d for d in found if d[0] == "scale"][:2]
        name = " and ".join(f"{'high' if d[4] > 0 else 'low'} {d[2]}" for d in best).capitalize()
        t = segments.table.iloc[seg - 1]
        personas.append((seg, shown("Urban achievers") if seg == 2 else name, name, base,
                         t["weighted"], t["share"], row))  # fmt: skip
        typical += [(seg, s, v[3], f"{v[2][row]:.2f}") for s, v in numeric.items()]
        typical += [
            (seg, c, survey.label(c), str(survey.columns[c][row])) for c in ("gender", "city")
        ]
    variables = {m[1]: m for m in means} | {s[1]: s for s in shares}
    return SimpleNamespace(
        means=pd.DataFrame(means, columns=["segment", "variable", "label", "kind", "role", "mean",
                                           "low", "high", "sd", "base", "base_weighted",
                                           "base_effective", "total", "effect", "z"]),
        shares=pd.DataFrame(shares, columns=["segment", "variable", "label", "category", "share",
                                             "low", "high", "total", "base", "base_weighted",
                                             "base_effective", "index", "effect"]),
        tests=pd.DataFrame([(v, row[2], "category" if v in {"gender", "city"} else row[3],
                             "profile" if v in {"gender", "city"} else row[4],
                             "Cramer's V" if v in {"gender", "city"} else "eta squared",
                             0.123456, *((0.0001234 if v == "gender" else 0.3456,) * 2
                                        if v in {"spend", "gender", "city"} else (np.nan,) * 2),
                            survey.n)
                            for v, row in variables.items()],
                           columns=["variable", "label", "kind", "role", "measure", "strength", "p",
                                    "p_adjusted", "base"]),
        drivers=pd.DataFrame(drivers, columns=["segment", "rank", "kind", "variable", "label",
                                               "category", "effect", "size", "value", "total",
                                               "base", "text"]),
        personas=pd.DataFrame(personas, columns=["segment", "name", "suggested", "n", "weighted",
                                                 "share", "typical_row"]),
        typical=pd.DataFrame(typical, columns=["segment", "variable", "label", "value"]),
    )  # fmt: skip
