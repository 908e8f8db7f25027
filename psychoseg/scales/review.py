"""What speaks against each item, in words, and what leaving one out would do.

Proposes; whether an item goes is the study's decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.scales.factoring import Factoring, ItemAnswers
from psychoseg.scales.keys import ScaleItems
from psychoseg.scales.scoring import answer_ends
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.correlation import covariance
from psychoseg.stats.extraction import extract_minres
from psychoseg.stats.items import (
    DropProposal,
    ItemFlag,
    item_rest,
    purification_path,
    screen_items,
)
from psychoseg.survey.table import Survey

__all__ = ["Drop", "drop_table", "flag_table", "propose_drops"]

_FLAG_COLUMNS = ("item", "label", "reason", "value", "cutoff", "other", "remark")
_DROP_COLUMNS = (
    "scale",
    "step",
    "item",
    "label",
    "alpha",
    "alpha_without",
    "rmsr",
    "rmsr_without",
    "applied",
)


@dataclass(frozen=True, slots=True)
class Drop:
    """An item proposed to go, from the scale it is in.

    Attributes
    ----------
    scale, item : str
    step : int
        From 1, in its scale.
    proposal : DropProposal
    applied : bool
    """

    scale: str
    item: str
    step: int
    proposal: DropProposal
    applied: bool = False


def flag_table(
    keys: Sequence[ScaleItems],
    answers: ItemAnswers,
    corr: FloatArray,
    factoring: Factoring,
    survey: Survey,
) -> pd.DataFrame:
    """List what speaks against each item.

    Parameters
    ----------
    keys : sequence of ScaleItems
    answers : ItemAnswers
    corr : ndarray, shape (p, p)
    factoring : Factoring
    survey : Survey

    Returns
    -------
    DataFrame
        ``item, label, reason, value, cutoff, other, remark``: one row a reason, items in name
        order; ``other`` is the other item of a pair or the other factor of a cross-loading. The
        rules and their sources are those of :class:`psychoseg.stats.items.ItemRules`.
    """
    signs = _signs(keys, answers.names)
    ends = np.array([answer_ends(survey, name) for name in answers.names])
    low, high = ends[:, 0], ends[:, 1]
    loadings = factoring.loadings * signs[:, None]
    flags = screen_items(
        np.where(signs > 0, answers.x, low + high - answers.x),
        answers.weights,
        corr * np.outer(signs, signs),
        loadings,
        factoring.phi,
        low=low,
        high=high,
        # An item may be in two scales: its key is looked at in each, below.
        scale_of=np.full(len(answers.names), -1),
    )
    flags = tuple(sorted([*flags, *_wrong_keys(keys, answers, corr)], key=lambda f: f.item))
    of_factor = {key.factor: key.label for key in keys}
    declared = np.array([-1.0 if survey.codebook[n].reversed else 1.0 for n in answers.names])
    raw = signs * declared
    rows = []
    for flag in flags:
        crossing = flag.reason == "cross-loading"
        factor = of_factor.get(flag.other, f"factor F{flag.other + 1}")
        other = f"F{flag.other + 1}" if crossing else answers.names[flag.other]
        rows.append(
            (
                answers.names[flag.item],
                answers.labels[flag.item],
                flag.reason,
                flag.value,
                flag.cutoff,
                other if flag.other >= 0 else "",
                _remark(
                    flag,
                    factor if crossing else answers.labels[flag.other],
                    loadings[flag.item, flag.other] if crossing else np.nan,
                    opposite=not crossing and bool(raw[flag.item] != raw[flag.other]),
                ),
            )
        )
    return pd.DataFrame(rows, columns=list(_FLAG_COLUMNS))


def propose_drops(
    keys: Sequence[ScaleItems],
    flags: pd.DataFrame,
    answers: ItemAnswers,
    corr: FloatArray,
    n_factors: int,
) -> list[Drop]:
    """Propose, scale by scale and step by step, flagged items without which alpha rises.

    Parameters
    ----------
    keys : sequence of ScaleItems
    flags : DataFrame
        From :func:`flag_table`; only items in it are candidates.
    answers : ItemAnswers
    corr : ndarray, shape (p, p)
    n_factors : int

    Returns
    -------
    list of Drop
        The fit beside alpha is the root mean square residual of a minres solution of all items
        that are left, with as many factors as before.
    """
    place = {name: i for i, name in enumerate(answers.names)}
    flagged = [place[name] for name in flags["item"].unique()]
    plain = covariance(answers.x, answers.weights)
    drops = []
    for key in keys:
        signs = _signs([key], answers.names)
        cov = plain * np.outer(signs, signs)
        members = np.array(sorted(place[name] for name in key.signs), dtype=np.intp)
        others = np.setdiff1d(np.arange(len(signs)), members)

        def fit(kept: np.ndarray[tuple[int], np.dtype[np.intp]], others: object = others) -> float:
            return _rmsr(corr, np.sort(np.concatenate([np.asarray(others), kept])), n_factors)

        path = purification_path(cov, members, candidates=np.array(flagged, dtype=np.intp), fit=fit)
        drops += [
            Drop(key.name, answers.names[p.item], step, p) for step, p in enumerate(path, start=1)
        ]
    return drops


def drop_table(drops: Sequence[Drop], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the proposals as a table.

    Parameters
    ----------
    drops : sequence of Drop
    labels : mapping of str to str
        Label of each item.

    Returns
    -------
    DataFrame
        ``scale, step, item, label, alpha, alpha_without, rmsr, rmsr_without, applied``.
    """
    rows = [
        (
            d.scale,
            d.step,
            d.item,
            labels[d.item],
            d.proposal.alpha,
            d.proposal.alpha_without,
            d.proposal.fit,
            d.proposal.fit_without,
            d.applied,
        )
        for d in drops
    ]
    return pd.DataFrame(rows, columns=list(_DROP_COLUMNS))


def _signs(keys: Sequence[ScaleItems], names: Sequence[str]) -> FloatArray:
    sign = {name: float(s) for key in keys for name, s in key.signs.items()}
    return np.array([sign.get(name, 1.0) for name in names])


def _wrong_keys(
    keys: Sequence[ScaleItems], answers: ItemAnswers, corr: FloatArray
) -> list[ItemFlag]:
    """Flag items that correlate negatively with the rest of a scale as it is keyed."""
    flags: dict[int, ItemFlag] = {}
    for key in keys:
        members = np.array([answers.names.index(name) for name in key.signs], dtype=np.intp)
        signs = np.array([float(sign) for sign in key.signs.values()])
        keyed = corr[np.ix_(members, members)] * np.outer(signs, signs)
        rest = item_rest(keyed, np.zeros(len(members), dtype=np.intp))
        for item, value in zip(members.tolist(), rest.tolist(), strict=True):
            if value < 0:
                flags.setdefault(item, ItemFlag(item, "wrong key", value, 0.0))
    return list(flags.values())


def _rmsr(
    corr: FloatArray, kept: np.ndarray[tuple[int], np.dtype[np.intp]], n_factors: int
) -> float:
    sub = corr[np.ix_(kept, kept)]
    if n_factors >= len(sub):
        return np.nan
    loadings = extract_minres(sub, n_factors).loadings
    residual = (sub - loadings @ loadings.T)[np.tril_indices(len(sub), -1)]
    return float(np.sqrt((residual**2).mean()))


def _remark(flag: ItemFlag, other: str, loading: float, *, opposite: bool) -> str:
    """Say in words what a flag means; the loading is that on the other factor.

    ``opposite`` of a pair one of which is turned round: beside its words stands what was answered.
    """
    if opposite and flag.reason == "redundant pair" and flag.value > 0:
        said = f"it correlates {-flag.value:.2f} with “{other}”: the two ask for opposite ends of "
        said += "the same"
    else:
        said = _said(flag, other, loading)
    return said.replace(" -0.", " −0.")


def _said(flag: ItemFlag, other: str, loading: float) -> str:
    value, cutoff = flag.value, flag.cutoff
    if flag.reason in ("floor", "ceiling"):
        end = "lowest" if flag.reason == "floor" else "highest"
        share = f"{value:.0%}" if value == 1 or value < 0.995 else "over 99%"
        return f"{share} of its answers are the {end} one, as scored: it cannot rank them"
    if flag.reason == "low communality":
        return f"the factors explain {value:.0%} of it; {cutoff:.0%} is little"
    if flag.reason == "weak loading":
        return f"its highest loading is {value:.2f}, below {cutoff:.2f}"
    if flag.reason == "cross-loading" and cutoff < value:
        return f"it loads {loading:.2f} on {other} as well"
    if flag.reason == "cross-loading":
        return f"its two highest loadings are only {value:.2f} apart; the other is {other}"
    if flag.reason == "redundant pair":
        return f"it correlates {value:.2f} with “{other}”: the two ask the same"
    if flag.reason == "dependent pair":
        return f"it shares {value:.2f} with “{other}” beyond the factors"
    return f"it correlates {value:.2f} with the rest of its scale: its key looks wrong"
