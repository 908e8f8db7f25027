"""A small run made up for the tests of the plots and the report, in the shape of a real one.

Nothing here is estimated with care: it only has to look like what the stages return, quickly and
repeatably.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from psychoseg.scales.reliability import ALL_ITEMS, COEFFICIENTS
from psychoseg.study import Column, DataFile, ItemBattery, Study, StudyInfo
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable
from tests.made_profiles import make_profiles
from tests.made_segments import make_segments

SCALES = (
    "Motivation: health",
    "Motivation: looks",
    "Sociability",
    "Tech-savviness",
    "Willingness to pay",
    "Privacy concern",
)
CITIES = ("Village", "Town", "City")
#: Options of a multiple-response set.
USES = {"uses_plan": "Training plan", "uses_coach": "Coach", "uses_friends": "Friends"}

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
    confirmation: Mapping[str, pd.DataFrame] = field(default_factory=dict)


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
    measured: bool = False,
    unassigned: bool = False,
    bare: bool = False,
) -> MadeRun:
    """Simulate ``n`` respondents in ``k`` segments and fill every frame of the contract.

    With ``measured`` something speaks against items, the scales were confirmed in R, answers are
    missing, and their quality and weighting are described. With ``unassigned`` the last segment is
    of those who fit none; with ``bare`` nothing was audited and nothing could be measured.
    """
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
    question = shown("Which parts of the app do you use?")
    for j, (name, label) in enumerate(USES.items()):
        uses = (rng.random(n) < 0.3 + 0.1 * j + 0.3 * truth / k).astype(float)
        columns[name] = np.where(np.arange(n) % 40 == 7, np.nan, uses)
        codebook[name] = Variable(
            name, shown(label), "profile", "choice", question=question, block="uses"
        )
    codebook["why"] = Variable("why", shown("What would make you use it more?"), "other", "text")
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
        texts=pd.DataFrame({"why": pd.Series(["more time, less data"] * n, dtype="str")}),
    )
    scales = _scales(survey, names, [shown(s) for s in SCALES])
    confirmation = {}
    if measured:
        survey = _described(survey)
        _speak_against(scales)
        confirmation = _confirmation(scales, shown)
    segments = make_segments(
        scales.scores.to_numpy(), list(scales.table["scale"]), list(scales.table["label"]), survey,
        k=k, verdict=verdict, one_component=one_component, unassigned=unassigned, bare=bare,
    )  # fmt: skip
    profiles = make_profiles(survey, scales, segments, shown, bare=bare, quotes=measured)
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
        confirmation,
    )  # fmt: skip


def in_house(run: Any) -> Any:
    """Return a run whose reports stay in the house and show people one by one."""
    report = run.study.report.model_copy(update={"individuals": True})
    return replace(run, study=run.study.model_copy(update={"report": report}))


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
         "mean": x.mean().to_numpy(), "sd": x.std().to_numpy(), "base": len(x), "msa": 0.91234}
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
        structure=loadings * 1.01,
        eigenvalues=pd.DataFrame({"component": np.arange(1, len(eigen) + 1), "observed": eigen,
                                  "threshold": threshold, "factor": eigen - 0.55,
                                  "factor_threshold": threshold - 0.9,
                                  "retained": np.arange(len(eigen)) < m}),
        number=_number(m),
        number_reason=f"{m} factors: parallel analysis finds {m} factors above the 95th percentile "
                      "of unrelated items. 2 of 4 rules say so.",
        fit=pd.DataFrame(
            [("chi_square", 412.34567, np.nan, np.nan), ("df", 147.0, np.nan, np.nan),
             ("p", 1e-30, np.nan, np.nan), ("rmsea", 0.05599014, 0.053667, 0.058366),
             ("tli", 0.9672651, np.nan, np.nan), ("cfi", 0.9182461, np.nan, np.nan),
             ("srmr", 0.02785055, np.nan, np.nan), ("rmsr", 0.02898778, np.nan, np.nan),
             ("bic", 340.5277, np.nan, np.nan), ("kmo", 0.874, np.nan, np.nan),
             ("bartlett_chi_square", 20163.79, np.nan, np.nan),
             ("bartlett_df", 276.0, np.nan, np.nan), ("bartlett_p", 0.0, np.nan, np.nan)],
            columns=["measure", "value", "low", "high"]),
        residuals=pd.DataFrame({"item": list(x)[1:11], "other": list(x)[11:21],
                                "observed": 0.34019312, "residual": -0.0969291}),
        reliability=_reliability(names),
        flags=pd.DataFrame(columns=["item", "label", "reason", "value", "cutoff", "other",
                                    "remark"]),
        drops=pd.DataFrame(columns=["scale", "step", "item", "label", "alpha", "alpha_without",
                                    "rmsr", "rmsr_without", "applied"]),
        score="mean of the answered items, where at least 50% of the items were answered",
        method="The scales were found by factor analysis.", found=True, n_factors_suggested=m,
        kmo=0.874, correlation="polychoric",
    )  # fmt: skip


def _number(m: int) -> pd.DataFrame:
    lead = "smallest lead over the threshold among those retained"
    return pd.DataFrame(
        [
            ("parallel analysis, factors", m, 0.123456, lead, False),
            ("empirical Kaiser criterion", m, 0.234567, lead, False),
            ("minimum average partial, fourth power", m - 1, 0.000123, "average", False),
            (
                "hull, comparative fit index",
                pd.NA,
                np.nan,
                "gain before the bend over after",
                False,
            ),
            ("eigenvalues above 1 (Kaiser)", m, 1.113159, "smallest eigenvalue above 1", True),
        ],
        columns=["criterion", "suggested", "statistic", "meaning", "footnote"],
    ).astype({"suggested": "Int64"})


def _reliability(names: list[str]) -> pd.DataFrame:
    rows = []
    for name in names:
        for j, coefficient in enumerate(COEFFICIENTS):
            if coefficient not in ("omega hierarchical", "explained common variance"):
                ends = (0.812345, 0.869876) if coefficient.startswith("alpha") else (np.nan,) * 2
                rows.append((name, coefficient, 0.84 - 0.0123 * j, *ends))
    rows += [
        (ALL_ITEMS, "omega total", 0.926154, np.nan, np.nan),
        (ALL_ITEMS, "omega hierarchical", 0.437557, np.nan, np.nan),
        (ALL_ITEMS, "explained common variance", 0.155200, np.nan, np.nan),
    ]
    return pd.DataFrame(rows, columns=["scale", "coefficient", "value", "low", "high"])


def _speak_against(scales: SimpleNamespace) -> None:
    """Flag every item twice, and propose to leave two out and have left out a third."""
    label = dict(zip(scales.items["item"], scales.items["label"], strict=True))
    rows = []
    for item, text in label.items():
        pair = f"it correlates 0.86 with “{label['q0_1']}”: the two ask the same"
        rows += [
            (item, text, "weak loading", 0.37, 0.4, "", "its highest loading is 0.37, below 0.40"),
            (item, text, "redundant pair", 0.86, 0.8, "q0_1", pair),
        ]
    scales.flags = pd.DataFrame(rows, columns=scales.flags.columns)
    scales.drops = pd.DataFrame(
        [("scale_2", 1, "q1_0", label["q1_0"], 0.7101, 0.7404, 0.0312, 0.0288, True),
         ("scale_2", 2, "q1_1", label["q1_1"], 0.7404, 0.7506, 0.0288, 0.0288, False),
         ("scale_3", 1, "q2_0", label["q2_0"], 0.6, 0.61, np.nan, np.nan, False)],
        columns=scales.drops.columns,
    )  # fmt: skip


def _described(survey: Survey) -> Survey:
    """Punch gaps into the answers, and describe quality, weighting and margins."""
    items = survey.items.copy()
    items.iloc[:30, 3] = np.nan
    items.iloc[10:15, 7] = np.nan
    quality = pd.DataFrame({"respondent": survey.ids, "longstring": 4.0, "excluded": False})
    return replace(
        survey,
        items=items,
        quality=quality,
        quality_rules=pd.DataFrame(
            [("longstring_share", "Longest run of one answer, share of the items answered",
              "a flag", "at least", 0.5, "half of the items: Curran (2016)", 0.123456, 600, 12,
              0.021, ""),
             ("even_odd", "Even-odd consistency within scales", "", "below", 0.3,
              "Jackson (1976), in Johnson (2005)", 0.81, 580, 0, 0.0, ""),
             ("failed_share", "Share of attention checks and bogus items failed", "alone",
              "at least", 0.5, "own choice", np.nan, 0, 0, 0.0, "there are no checks")],
            columns=["index", "label", "counts", "side", "cutoff", "source", "median", "n_known",
                     "n_flagged", "share_flagged", "not_computed"]),
        weighting=pd.DataFrame(
            [("n", 600.0), ("effective", 512.3456), ("design_effect", 1.171), ("efficiency", 0.854),
             ("lowest", 0.412), ("highest", 1.71)], columns=["measure", "value"]),
        margins=pd.DataFrame(
            [("gender", c, 300, 0.5, 0.5, 0.52 - 0.04 * i, 0.52 - 0.04 * i)
             for i, c in enumerate(survey.codebook["gender"].categories)],
            columns=["column", "category", "n", "unweighted_share", "starting_share",
                     "target_share", "weighted_share"]),
    )  # fmt: skip


def _confirmation(scales: SimpleNamespace, shown: Any) -> dict[str, pd.DataFrame]:
    """Return tables in the shape of r_scripts/confirm_scales.R, read with gaps as empty text."""
    models = ("all respondents", "second half")
    inside = scales.items[scales.items["scale"] != ""]
    loadings = pd.DataFrame(
        [(model, scale, item, label, 0.71234567, 0.013, 0.6812345, 0.7398765, 0.0, 0.5074)
         for model in models
         for item, label, scale in zip(inside["item"], inside["label"], inside["scale"],
                                       strict=True)],
        columns=["model", "scale", "item", "label", "loading", "se", "low", "high", "p",
                 "r_square"],
    )  # fmt: skip
    names = list(scales.table["scale"])
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return {
        "fit": pd.DataFrame(
            [(model, "WLSMV", version, n, 466.2515575, 237, 0.0001, cfi, 0.93, 0.0612345,
              0.0591, 0.0634, 0.0458, 0.9, version == "robust")
             for model, n, cfi in zip(models, (600, 300), (0.9312345, 0.8912345), strict=True)
             for version in ("standard", "robust")],
            columns=["model", "estimator", "version", "n", "chi_square", "df", "p", "cfi", "tli",
                     "rmsea", "rmsea_low", "rmsea_high", "srmr", "rmsea_level", "preferred"]),
        "loadings": loadings,
        "factor_correlations": pd.DataFrame(
            [(model, a, b, -0.29494, 0.031, -0.35546, -0.23442) for model in models
             for a, b in pairs],
            columns=["model", "scale_1", "scale_2", "r", "se", "low", "high"]),
        "notes": pd.DataFrame(
            [("estimator", "WLSMV on polychoric correlations."),
             ("warning", shown("invariance: left out, since smaller than 100"))],
            columns=["topic", "note"]),
        "invariance": pd.DataFrame(
            [("gender", "configural", "", 2, 600, "scaled", 880.5, 474, 0.0001, 0.95123, 0.0501,
              0.045, 0.055, 0.04, "", "", "", "", "", "", ""),
             ("gender", "metric", "loadings", 2, 600, "scaled", 890.5, 492, 0.0001, 0.95023,
              0.0498, 0.045, 0.055, 0.04, "10.0", "18", "0.93", "-0.001", "-0.0003", "0", "True"),
             ("gender", "scalar", "loadings + intercepts", 2, 600, "scaled", 990.5, 510, 0.0001,
              0.93523, 0.0548, 0.045, 0.055, 0.04, "100.0", "18", "1e-13", "-0.015", "0.005", "0",
              "False")],
            columns=["column", "level", "held_equal", "groups", "n", "version", "chi_square", "df",
                     "p", "cfi", "rmsea", "rmsea_low", "rmsea_high", "srmr", "delta_chi_square",
                     "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr", "holds"]),
        "split_half": pd.DataFrame(
            [(item, label, scale, "factor_6" if i == 2 else scale or "scale_1", 0.7312345, 0.12345,
              i not in (0, 2), "" if i in (0, 2) else 0.6954321, 300, 300)
             for i, (item, label, scale) in enumerate(
                 zip(scales.items["item"], scales.items["label"], scales.items["scale"],
                     strict=True))],
            columns=["item", "label", "scale", "scale_explored", "loading_explored",
                     "next_loading", "same", "loading_confirmed", "n_explored", "n_confirmed"]),
    }  # fmt: skip
