"""Everybody's scores on the scales: means or sums of the keyed items, or scores on the factors.

Never decides which item belongs where, and never fills a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from psychoseg.errors import DataError, tell
from psychoseg.scales.factoring import Factoring, ItemAnswers
from psychoseg.scales.keys import ScaleItems
from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.factor import communalities
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.scores import ScoreMethod, factor_scores, unit_scores
from psychoseg.stats.style import centre_within, mean_rating
from psychoseg.study import ScalesSettings
from psychoseg.survey.table import Survey

__all__ = ["answer_ends", "keyed_scale_items", "score_factors", "score_units"]


def keyed_scale_items(keys: Sequence[ScaleItems], survey: Survey) -> dict[str, pd.DataFrame]:
    """Return the items of each scale as they are scored.

    Parameters
    ----------
    keys : sequence of ScaleItems
    survey : Survey

    Returns
    -------
    dict of str to DataFrame, shape (n, items of the scale)
        In name order, those keyed the other way turned round; on the answer scale that most items
        of the scale have.

    Warns
    -----
    PsychosegWarning
        Where items of a scale have different answer scales.
    """
    keyed = survey.keyed_items()
    scored: dict[str, pd.DataFrame] = {}
    for key in keys:
        items = keyed[sorted(key.signs)].copy()
        ends = {name: answer_ends(survey, name) for name in items.columns}
        for name in items.columns:
            if key.signs[name] < 0:
                items[name] = sum(ends[name]) - items[name]
        scored[key.name] = _on_common_ends(items, ends, f"the scale {key.label}")
    return scored


def score_units(
    keys: Sequence[ScaleItems],
    scored: dict[str, pd.DataFrame],
    names: Sequence[str],
    survey: Survey,
    settings: ScalesSettings,
) -> pd.DataFrame:
    """Score by the mean or the sum of the answered items.

    Parameters
    ----------
    keys : sequence of ScaleItems
    scored : dict
        From :func:`keyed_scale_items`.
    names : sequence of str
        All items analysed: with ``centre = "person"`` a respondent's own level is the mean raw
        answer to these (Schwartz's MRAT).
    survey : Survey
    settings : ScalesSettings
        ``score``, ``centre`` and ``min_answered``.

    Returns
    -------
    DataFrame, shape (n, s)
        NaN where too few items were answered.

    References
    ----------
    Schwartz (1992), Adv. Exp. Soc. Psychol. 25, 1-65; see :mod:`psychoseg.stats.style`.
    """
    centred = _centred(names, survey) if settings.centre == "person" else None
    scores: dict[str, FloatArray] = {}
    for key in keys:
        items = scored[key.name]
        if centred is not None:
            declared = {n: -1 if survey.codebook[n].reversed else 1 for n in items.columns}
            items = pd.DataFrame(
                {n: declared[n] * key.signs[n] * centred[n] for n in items.columns}
            )
        scores[key.name] = unit_scores(
            items.to_numpy(np.float64),
            np.ones((items.shape[1], 1), dtype=bool),
            statistic="sum" if settings.score == "sum" else "mean",
            min_share=settings.min_answered,
        )[:, 0]
    return pd.DataFrame(scores, index=survey.items.index)


def score_factors(
    keys: Sequence[ScaleItems],
    order: IntArray,
    everybody: ItemAnswers,
    answers: ItemAnswers,
    corr: FloatArray,
    factoring: Factoring,
    settings: ScalesSettings,
    method: ScoreMethod,
) -> pd.DataFrame:
    """Score on the factors behind the scales.

    Parameters
    ----------
    keys : sequence of ScaleItems
        Each is scored on its factor, turned so that its own items load positive in sum.
    order : ndarray of int, shape (n,)
        The respondents' order in ``everybody``.
    everybody : ItemAnswers
        Who is scored.
    answers : ItemAnswers
        Whom the factors come from, and the items in them.
    corr : ndarray, shape (p, p)
    factoring : Factoring
    settings : ScalesSettings
        ``min_answered`` is a share of all items: each factor score draws on every one of them.
    method : {"regression", "bartlett", "ten_berge"}

    Returns
    -------
    DataFrame, shape (n, s)
        In standard deviations of the factor; NaN where too few items were answered.

    Raises
    ------
    DataError
        Where the method does not determine the scores.
    """
    uniquenesses = 1 - communalities(factoring.loadings, factoring.phi)
    if method == "bartlett" and (uniquenesses <= 0).any():
        whole = "; ".join(answers.labels[i] for i in np.flatnonzero(uniquenesses <= 0))
        raise DataError(
            f"Bartlett scores divide by what the factors leave of an item, and they leave nothing "
            f'of {whole} (a Heywood case). Leave it out, or use score = "regression" in [scales].'
        )
    mean, sd = _item_moments(answers)
    chosen = [everybody.names.index(name) for name in answers.names]
    try:
        found = factor_scores(
            everybody.x[:, chosen],
            everybody.weights,
            corr,
            factoring.loadings,
            factoring.phi,
            method=method,
            min_share=settings.min_answered,
            mean=mean,
            sd=sd,
        )
    except ValueError as error:
        raise DataError(
            f'the factors cannot be scored by "{method}": {error}. Choose another score in '
            "[scales]."
        ) from error
    place = {name: i for i, name in enumerate(answers.names)}
    scores: dict[str, FloatArray] = {}
    for key in keys:
        own = sum(s * factoring.loadings[place[n], key.factor] for n, s in key.signs.items())
        values = np.empty(len(order))
        values[order] = found.scores[:, key.factor] * (-1.0 if own < 0 else 1.0)
        scores[key.name] = values
    return pd.DataFrame(scores)


def answer_ends(survey: Survey, name: str) -> tuple[float, float]:
    """Return the ends of an item's answer scale, those of its answers where none are stated."""
    variable = survey.codebook[name]
    if variable.low is None or variable.high is None:
        return float(survey.items[name].min()), float(survey.items[name].max())
    return variable.low, variable.high


def _item_moments(answers: ItemAnswers) -> tuple[FloatArray, FloatArray]:
    """Return each item's mean and standard deviation over those who answered it (ddof 0)."""
    moments = [
        weighted_mean_sd(x[there][:, None], answers.weights[there])
        for x in answers.x.T
        if (there := ~np.isnan(x)).any()
    ]
    return np.array([m[0] for m, _ in moments]), np.array([s[0] for _, s in moments])


def _centred(names: Sequence[str], survey: Survey) -> pd.DataFrame:
    """Return the raw answers less each respondent's own mean answer."""
    # In name order, so that the sum does not depend on the order of the columns.
    raw = survey.items[sorted(names)]
    ends = {name: answer_ends(survey, name) for name in raw.columns}
    raw = _on_common_ends(raw, ends, "the centring within persons")
    x = raw.to_numpy(np.float64)
    return pd.DataFrame(centre_within(x, around=mean_rating(x)), columns=raw.columns)


def _on_common_ends(
    items: pd.DataFrame, ends: dict[str, tuple[float, float]], where: str
) -> pd.DataFrame:
    """Bring items to the answer scale that most of them have."""
    values = [ends[name] for name in items.columns]
    if len(set(values)) == 1:
        return items
    low, high = max(sorted(set(values)), key=values.count)
    tell(
        f"the items of {where} have different answer scales; all were brought to "
        f"{low:g}-{high:g} first"
    )
    out = items.copy()
    for name in items.columns:
        a, b = ends[name]
        out[name] = low + (items[name] - a) * (high - low) / (b - a)
    return out
