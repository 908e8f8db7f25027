"""The tables of the measurement stage: scales, items, factors, their number and their fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psychoseg.errors import tell
from psychoseg.naming import LEAST_ALPHA
from psychoseg.scales.factoring import Factoring, ItemAnswers
from psychoseg.scales.keys import ScaleItems
from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.arrays import FloatArray, canonical_order
from psychoseg.stats.correlation import covariance
from psychoseg.stats.dimension import FactorCountEvidence
from psychoseg.stats.factor import communalities
from psychoseg.stats.fit import largest_residuals
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.reliability import cronbach_alpha
from psychoseg.study import ScalesSettings
from psychoseg.survey.table import Survey

__all__ = [
    "eigenvalue_table",
    "factor_table",
    "fit_table",
    "number_table",
    "residual_table",
    "scale_and_item_tables",
]

#: Largest residual correlations that are listed.
_RESIDUALS = 10


def scale_and_item_tables(
    keys: list[ScaleItems],
    scores: pd.DataFrame,
    scored: Mapping[str, pd.DataFrame],
    survey: Survey,
    names: Sequence[str],
    answers: ItemAnswers,
    factoring: Factoring,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of scales and the table of items."""
    place = {name: i for i, name in enumerate(answers.names)}
    loadings = factoring.loadings
    communality = communalities(loadings, factoring.phi)
    scale_rows, item_rows = [], []
    members: set[str] = set()
    for key in keys:
        items = scored[key.name]
        x = items.to_numpy(np.float64)
        order = canonical_order(x, survey.weights)
        x, w = x[order], survey.weights[order]
        alpha = cronbach_alpha(covariance(x, w))
        low, high = alpha_interval(x, w, counts=survey.weight_kind != "sampling")
        values, value_weights = _answered(scores[key.name], survey.weights)
        mean, sd = weighted_mean_sd(values[:, None], value_weights)
        scale_rows.append(
            {
                "scale": key.name,
                "label": key.label,
                "n_items": len(key.signs),
                "alpha": alpha.alpha,
                "alpha_low": low,
                "alpha_high": high,
                "mean_r": alpha.mean_r,
                "mean": mean[0],
                "sd": sd[0],
                "base": len(values),
            }
        )
        if alpha.alpha < LEAST_ALPHA:
            _tell_weak(key.label, alpha.alpha)
        column = {name: j for j, name in enumerate(items.columns)}
        for name in key.signs:
            members.add(name)
            loading = loadings[place[name], key.factor] * key.signs[name]
            declared = -1 if survey.codebook[name].reversed else 1
            item_rows.append(
                _item_row(survey, name)
                | {
                    "scale": key.name,
                    "key": declared * key.signs[name],
                    "loading": loading,
                    "communality": communality[place[name]],
                    "item_rest": alpha.item_rest[column[name]],
                    "alpha_if_dropped": alpha.alpha_if_dropped[column[name]],
                    "msa": factoring.msa[place[name]],
                }
            )
    for name in survey.items.columns:
        if name in names and name not in members:
            there = place.get(name)
            best = 0 if there is None else int(np.abs(loadings[there]).argmax())
            item_rows.append(
                _item_row(survey, name)
                | {
                    "scale": "",
                    "key": -1 if survey.codebook[name].reversed else 1,
                    "loading": np.nan if there is None else loadings[there, best],
                    "communality": np.nan if there is None else communality[there],
                    "item_rest": np.nan,
                    "alpha_if_dropped": np.nan,
                    "msa": np.nan if there is None else factoring.msa[there],
                }
            )
    columns = [
        "item",
        "label",
        "scale",
        "key",
        "loading",
        "communality",
        "item_rest",
        "alpha_if_dropped",
        "mean",
        "sd",
        "base",
        "msa",
    ]
    return pd.DataFrame(scale_rows), pd.DataFrame(item_rows)[columns]


def factor_table(
    keys: Sequence[ScaleItems], factoring: Factoring, p: int, settings: ScalesSettings
) -> pd.DataFrame:
    """Return the factors, what each explains and which scale it stands behind."""
    by_factor = {key.factor: key for key in keys}
    m = len(factoring.variance)
    labels = [by_factor[j].label if j in by_factor else "" for j in range(m)]
    if settings.rotation.startswith("bifactor"):
        labels[0] = "General factor"
    return pd.DataFrame(
        {
            "factor": [f"F{j + 1}" for j in range(m)],
            "label": labels,
            "ss_loadings": factoring.variance,
            "share": factoring.variance / p,
            "scale": [by_factor[j].name if j in by_factor else "" for j in range(m)],
        }
    )


def eigenvalue_table(evidence: FactorCountEvidence, n_factors: int) -> pd.DataFrame:
    """Return observed eigenvalues beside those of unrelated items."""
    parallel = evidence.parallel
    p = len(parallel.observed)
    return pd.DataFrame(
        {
            "component": np.arange(1, p + 1),
            "observed": parallel.observed,
            "threshold": parallel.threshold,
            "factor": parallel.reduced,
            "factor_threshold": parallel.reduced_threshold,
            "retained": np.arange(p) < n_factors,
        }
    )


def fit_table(factoring: Factoring, *, components: bool) -> pd.DataFrame:
    """Return how well the factors fit, and whether the items were worth factoring."""
    fit = factoring.fit
    chi_square, df, p = factoring.bartlett
    none = np.nan
    # Components are no model of the correlations: nothing tests them.
    tests = [
        ("chi_square", fit.chi_square, none, none),
        ("df", float(fit.df), none, none),
        ("p", fit.p, none, none),
        ("rmsea", fit.rmsea, fit.rmsea_low, fit.rmsea_high),
        ("tli", fit.tli, none, none),
        ("cfi", fit.cfi, none, none),
        ("bic", fit.bic, none, none),
    ]
    rows = [
        *([] if components else tests),
        ("srmr", fit.srmr, none, none),
        ("rmsr", fit.rmsr, none, none),
        ("kmo", factoring.kmo, none, none),
        ("bartlett_chi_square", chi_square, none, none),
        ("bartlett_df", float(df), none, none),
        ("bartlett_p", p, none, none),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "low", "high"])


def residual_table(corr: FloatArray, factoring: Factoring, names: Sequence[str]) -> pd.DataFrame:
    """Return the pairs of items that the factors explain worst."""
    rows, cols, values = largest_residuals(factoring.fit.residuals, n_pairs=_RESIDUALS)
    return pd.DataFrame(
        {
            "item": [names[i] for i in rows],
            "other": [names[j] for j in cols],
            "observed": corr[rows, cols],
            "residual": values,
        }
    )


def number_table(evidence: FactorCountEvidence) -> pd.DataFrame:
    """Return what each rule says of the number of factors; missing where it cannot say."""
    rows = [(c.criterion, c.suggested, c.statistic, c.meaning, c.footnote) for c in evidence.table]
    columns = ["criterion", "suggested", "statistic", "meaning", "footnote"]
    return pd.DataFrame(rows, columns=columns).astype({"suggested": "Int64"})


def _tell_weak(label: str, alpha: float) -> None:
    size = f"a negative alpha ({alpha:.2f})" if alpha < 0 else f"an alpha of {alpha:.2f}"
    tell(
        f"the scale {label} has {size}: below {LEAST_ALPHA:.2f} its items do not say one thing. "
        "Where segments are made of scales it is one of their axes all the same, and it names and "
        "describes none of them. Check its keys, name the scales in [[scales.scale]], or leave its "
        "items out of [[items]]"
    )


def _item_row(survey: Survey, name: str) -> dict[str, object]:
    values, weights = _answered(survey.items[name], survey.weights)
    mean, sd = weighted_mean_sd(values[:, None], weights)
    return {
        "item": name,
        "label": survey.label(name),
        "mean": mean[0],
        "sd": sd[0],
        "base": len(values),
    }


def _answered(column: pd.Series, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the answers given and their weights, in canonical order."""
    there = column.notna().to_numpy()
    values = column.to_numpy(np.float64)[there]
    order = canonical_order(values[:, None], weights[there])
    return values[order], weights[there][order]
