"""How reliable each scale is, by every coefficient a reader may ask for, and all items together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psychoseg.scales.factoring import Factoring, ItemAnswers
from psychoseg.scales.keys import ScaleItems
from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.arrays import FloatArray, canonical_order
from psychoseg.stats.correlation import MAX_CATEGORIES, covariance
from psychoseg.stats.extraction import extract_minres
from psychoseg.stats.factor import communalities, schmid_leiman
from psychoseg.stats.reliability import (
    average_variance_extracted,
    composite_reliability,
    cronbach_alpha,
    guttman_lambda6,
    omega,
    omega_total,
    ordinal_alpha,
    scaled_correlation,
    split_half,
    standardised_alpha,
)
from psychoseg.stats.scores import determinacy
from psychoseg.study import ScalesSettings

__all__ = ["ALL_ITEMS", "COEFFICIENTS", "reliability_table"]

#: Stands in the column ``scale`` for all items together.
ALL_ITEMS = ""
#: A hierarchical solution of fewer group factors is not identified (Revelle & Zinbarg 2009).
_LEAST_GROUPS = 3
#: Coefficient -> what a reader should know of it.
COEFFICIENTS = {
    "alpha": "Cronbach's alpha of the score as it is made; interval free of distributions",
    "alpha, standardised": "of standardised items; interval likewise",
    "alpha, ordinal": "of the answers' underlying continua, not of the score",
    "omega total": "share of the score's variance due to one common factor of the scale; of all "
    "items together, due to all factors",
    "omega, general part": "share due to what all scales have in common (Schmid-Leiman)",
    "omega, own part": "share due to what this scale alone measures (Schmid-Leiman)",
    "omega hierarchical": "share of the sum of all items due to one general factor",
    "explained common variance": "the general factor's share of all common variance",
    "lambda 6": "Guttman's: what the other items predict of each",
    "split half, lowest": "of all ways to halve the scale, or 10,000 of them",
    "split half, mean": "of all ways to halve the scale, or 10,000 of them",
    "split half, highest": "Guttman's lambda 4",
    "average correlation": "mean correlation between two items",
    "composite reliability": "from the loadings on one factor of the factored correlations",
    "average variance extracted": "mean squared loading on that factor; .5 is wanted",
    "determinacy": "correlation of the best possible factor score with the factor",
}


def reliability_table(
    keys: Sequence[ScaleItems],
    scored: Mapping[str, pd.DataFrame],
    sizes: Mapping[str, float],
    weights: FloatArray,
    counts: bool,
    answers: ItemAnswers,
    corr: FloatArray,
    factoring: Factoring,
    rng: np.random.Generator,
    settings: ScalesSettings,
) -> pd.DataFrame:
    """Compute every coefficient of every scale.

    Parameters
    ----------
    keys : sequence of ScaleItems
    scored : mapping of str to DataFrame
        Items of each scale as scored, in file order.
    sizes : mapping of str to float
        Respondents behind each scale, the effective number where they are weighted.
    weights : ndarray, shape (n,)
    counts : bool
        Whether a weight of w stands for w respondents.
    answers : ItemAnswers
    corr : ndarray, shape (p, p)
        The correlations that were factored.
    factoring : Factoring
    rng : numpy.random.Generator
        For split halves of scales with too many halvings to try them all.
    settings : ScalesSettings
        Polychoric and mixed correlations have an ordinal alpha, of scales whose items are ordinal;
        a bifactor rotation has its general factor already.

    Returns
    -------
    DataFrame
        ``scale, coefficient, value, low, high``; the ends are NaN where there is no interval.
        ``scale`` is empty for all items together.

    Notes
    -----
    Raw alpha is of the covariances of the items as scored, over pairwise complete rows;
    standardised alpha, omega total, lambda 6, split halves and the average correlation are of
    one matrix of correlations made from them, as in ``psych::alpha``
    (:func:`psychoseg.stats.reliability.scaled_correlation`). Their intervals:
    :func:`psychoseg.stats.alpha_interval.alpha_interval`. The parts of omega are those of the
    Schmid-Leiman transformation of the oblique solution, for three factors and more.
    """
    place = {name: i for i, name in enumerate(answers.names)}
    parts = _hierarchical(keys, corr, factoring, place, settings)
    certain = determinacy(corr, factoring.loadings, factoring.phi)
    latent = settings.correlation in ("polychoric", "mixed")
    rows: list[tuple[str, str, float, float, float]] = []
    for key in keys:
        x = scored[key.name].to_numpy(np.float64)
        order = canonical_order(x, weights)
        x, w = x[order], weights[order]
        cov = covariance(x, w)
        raw = cronbach_alpha(cov)
        names = list(scored[key.name].columns)
        chosen = [place[name] for name in names]
        signs = np.array([float(key.signs[name]) for name in names])
        factored = corr[np.ix_(chosen, chosen)] * np.outer(signs, signs)
        plain = scaled_correlation(cov)
        # Two items that nobody answered both have a correlation by maximum likelihood alone.
        plain = np.where(np.isnan(plain), factored, plain)
        loadings = extract_minres(factored, 1).loadings[:, 0]
        halves = split_half(plain, rng=rng)
        found: dict[str, tuple[float, float, float] | float] = {
            "alpha": (raw.alpha, *alpha_interval(x, w, counts=counts)),
            "alpha, standardised": (
                standardised_alpha(plain),
                *alpha_interval(x, w, counts=counts, standardised=True),
            ),
            "omega total": omega_total(plain),
            "lambda 6": guttman_lambda6(plain),
            "split half, lowest": halves.lowest,
            "split half, mean": halves.mean,
            "split half, highest": halves.highest,
            "average correlation": float(plain[np.tril_indices(len(plain), -1)].mean()),
            "composite reliability": composite_reliability(loadings),
            "average variance extracted": average_variance_extracted(loadings),
            "determinacy": float(certain[key.factor]),
        }
        if latent and max(len(np.unique(v[~np.isnan(v)])) for v in x.T) <= MAX_CATEGORIES:
            found["alpha, ordinal"] = ordinal_alpha(x, w, sizes[key.name])
        found |= parts.get(key.name, {})
        rows += _rows(key.name, found)
    rows += _rows(ALL_ITEMS, parts.get(ALL_ITEMS, {}))
    return pd.DataFrame(rows, columns=["scale", "coefficient", "value", "low", "high"])


def _rows(
    scale: str, found: Mapping[str, tuple[float, float, float] | float]
) -> list[tuple[str, str, float, float, float]]:
    """Return a scale's rows in the order of :data:`COEFFICIENTS`."""
    rows = []
    for coefficient in COEFFICIENTS:
        if coefficient in found:
            value = found[coefficient]
            three = value if isinstance(value, tuple) else (value, np.nan, np.nan)
            rows.append((scale, coefficient, *three))
    return rows


def _hierarchical(
    keys: Sequence[ScaleItems],
    corr: FloatArray,
    factoring: Factoring,
    place: Mapping[str, int],
    settings: ScalesSettings,
) -> dict[str, dict[str, float]]:
    """Return omega's parts of each scale and of all items, where they can be told."""
    m = factoring.loadings.shape[1]
    bifactor = settings.rotation.startswith("bifactor")
    if not bifactor and (m < _LEAST_GROUPS or np.allclose(factoring.phi, np.eye(m))):
        return {}
    signs = np.ones(len(corr))
    for key in keys:
        for name, sign in key.signs.items():
            signs[place[name]] = sign
    if bifactor:
        # The first factor is the general one; the groups keep their places behind it.
        general, groups = factoring.loadings[:, 0], factoring.loadings.copy()
        groups[:, 0] = 0.0
    else:
        general, groups = schmid_leiman(factoring.loadings, factoring.phi)
    # An item that the general factor runs against is turned, as psych::omega turns it.
    keyed = general * signs
    turned = signs * np.where(keyed < 0, -1.0, 1.0)
    whole = omega(
        corr * np.outer(turned, turned),
        general * turned,
        groups * turned[:, None],
        # Beyond three factors the transformation does not keep the communalities.
        uniquenesses=1 - communalities(factoring.loadings, factoring.phi),
    )
    out: dict[str, dict[str, float]] = {
        ALL_ITEMS: {
            "omega total": whole.total,
            "omega hierarchical": whole.hierarchical,
            "explained common variance": whole.ecv,
        }
    }
    for key in keys:
        members = np.array([place[name] for name in key.signs], dtype=np.intp)
        own = signs[members]
        variance = (corr[np.ix_(members, members)] * np.outer(own, own)).sum()
        out[key.name] = {
            "omega, general part": float((general[members] @ own) ** 2 / variance),
            "omega, own part": float((groups[members, key.factor] @ own) ** 2 / variance),
        }
    return out
