"""What the measurement stage gives: :class:`Scales`, and that of a survey without items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from psychoseg.engines.base import CorrelationKind
from psychoseg.shown import Summary, plain_share
from psychoseg.study import ScalesSettings
from psychoseg.survey.given import LEFT_OUT_COLUMNS

__all__ = ["Scales", "no_scales"]


@dataclass(frozen=True, slots=True, repr=False)
class Scales:
    """Scales, the factor analysis behind them, and everybody's scores.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a scale: ``scale, label, n_items, alpha, alpha_low, alpha_high, mean_r, mean, sd,
        base``. The interval is at 95% and asks for no distribution
        (:func:`psychoseg.stats.alpha_interval.alpha_interval`); mean and sd are weighted (ddof 0),
        on the answer scale; base counts the respondents with a score.
    items : pandas.DataFrame
        One row an item: ``item, label, scale, key, loading, communality, item_rest,
        alpha_if_dropped, mean, sd, base, msa``. ``scale`` is empty for an item in none; ``key`` is
        -1 where the raw answer was turned round; ``loading`` is the pattern loading of the item, as
        scored, on its scale's factor; ``msa`` is Kaiser's measure of sampling adequacy. An item
        that was left out because the study asked for it has no loading.
    loadings : pandas.DataFrame, shape (p, m)
        Pattern loadings of the items after the declared reversals; columns F1, F2, ... by explained
        variance, each turned so that the items of its scale load positive in sum.
    phi : pandas.DataFrame, shape (m, m)
        Factor correlations.
    factors : pandas.DataFrame
        One row a factor: ``factor, label, ss_loadings, share, scale``.
    structure : pandas.DataFrame, shape (p, m)
        Correlations of the items with the factors.
    eigenvalues : pandas.DataFrame
        ``component, observed, threshold, factor, factor_threshold, retained``: parallel analysis of
        component eigenvalues and of those of the correlations with squared multiple correlations on
        the diagonal.
    number : pandas.DataFrame
        ``criterion, suggested, statistic, meaning, footnote``: what each rule says of the number of
        factors. ``suggested`` is missing where a rule cannot say.
    number_reason : str
        Why the recommended number, in words.
    fit : pandas.DataFrame
        ``measure, value, low, high``: how well the factors reproduce the correlations, and whether
        these were worth factoring.
    residuals : pandas.DataFrame
        ``item, other, observed, residual``: the pairs of items that the factors explain worst.
    reliability : pandas.DataFrame
        ``scale, coefficient, value, low, high``; see :mod:`psychoseg.scales.reliability`.
    flags : pandas.DataFrame
        ``item, label, reason, value, cutoff, other, remark``: what speaks against an item.
    drops : pandas.DataFrame
        ``scale, step, item, label, alpha, alpha_without, rmsr, rmsr_without, applied``: items that
        a scale would be more reliable without, one after the other.
    corr : pandas.DataFrame, shape (p, p)
        Correlations that were factored.
    scores : pandas.DataFrame, shape (n, s)
        By default the mean of the answered items, reverse-keyed ones turned round; NaN where too
        few were answered. The index is that of the DataFrame the scales were fitted on.
    score : str
        What a score is, in words.
    method : str
        How the scales came about, in one sentence.
    found : bool
        Whether the scales were found rather than named.
    n_factors_suggested : int
        The recommended number.
    kmo : float
        Kaiser's measure of sampling adequacy.
    correlation : {"pearson", "spearman", "polychoric", "mixed"}
    weights : pandas.Series or None
        The weight of each respondent, index as of ``scores``; None where nothing is weighted.
    weight_kind : {"none", "sampling", "frequency"}
    left_out : pandas.DataFrame
        ``column, reason``: columns of the DataFrame that cannot be items.
    settings : ScalesSettings
        What was asked for.
    """

    table: pd.DataFrame
    items: pd.DataFrame
    loadings: pd.DataFrame
    phi: pd.DataFrame
    factors: pd.DataFrame
    structure: pd.DataFrame
    eigenvalues: pd.DataFrame
    number: pd.DataFrame
    number_reason: str
    fit: pd.DataFrame
    residuals: pd.DataFrame
    reliability: pd.DataFrame
    flags: pd.DataFrame
    drops: pd.DataFrame
    corr: pd.DataFrame
    scores: pd.DataFrame
    score: str
    method: str
    found: bool
    n_factors_suggested: int
    kmo: float
    correlation: CorrelationKind
    weights: pd.Series | None = None
    weight_kind: Literal["none", "sampling", "frequency"] = "none"
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LEFT_OUT_COLUMNS))
    settings: ScalesSettings = field(default_factory=ScalesSettings)

    def __repr__(self) -> str:
        return f"Scales({self._in_short()})"

    def _repr_html_(self) -> str:
        return self.summary().first()._repr_html_()

    def summary(self) -> Summary:
        """Return what was found in short: the scales, their reliability, and what is in none."""
        inside = self.items["scale"] != "" if len(self.items) else pd.Series(dtype=bool)
        lines = [line for line in (self.method, self.number_reason) if line]
        alone = [str(item) for item in self.items.loc[~inside, "item"]] if len(self.items) else []
        if alone:
            lines.append(f"In no scale: {', '.join(alone)}")
        if len(self.left_out):
            lines.append(f"No items: {', '.join(self.left_out['column'])}")
        columns = ["scale", "label", "n_items", "alpha", "alpha_low", "alpha_high", "mean", "sd"]
        members = ["scale", "item", "label", "key", "loading", "item_rest"]
        return Summary(
            self._in_short(),
            lines,
            {
                "Scales": self.table[columns],
                "Items": self.items.loc[inside, members].sort_values("scale", kind="stable"),
            }
            if len(self.table)
            else {},
        )

    def _in_short(self) -> str:
        if self.table.empty:
            return "no scales"
        count, n_items = len(self.table), int((self.items["scale"] != "").sum())
        alphas = [plain_share(a) for a in (self.table["alpha"].min(), self.table["alpha"].max())]
        ends = alphas[0] if alphas[0] == alphas[1] else f"{alphas[0]} to {alphas[1]}"
        return (
            f"{count} scale{'s' if count > 1 else ''} of {n_items} items, {len(self.scores):,} "
            f"respondents, alpha {ends}"
        )


def no_scales(n: int) -> Scales:
    """Return the scales of a survey without items: every table there, and empty.

    Parameters
    ----------
    n : int
        Respondents.

    Returns
    -------
    Scales
        Scores of shape (n, 0); ``kmo`` is NaN.
    """

    def table(columns: str, *, text: str, index: str | None = None) -> pd.DataFrame:
        names, words = columns.split(), text.split()
        kinds = {name: object if name in words else np.float64 for name in names}
        frame = pd.DataFrame({name: pd.Series(dtype=kinds[name]) for name in names})
        return frame if index is None else frame.rename_axis(index)

    return Scales(
        table=table(
            "scale label n_items alpha alpha_low alpha_high mean_r mean sd base",
            text="scale label",
        ),
        items=table(
            "item label scale key loading communality item_rest alpha_if_dropped mean sd base msa",
            text="item label scale",
        ),
        loadings=table("", text="", index="item"),
        phi=table("", text="", index="factor"),
        factors=table("factor label ss_loadings share scale", text="factor label scale"),
        structure=table("", text="", index="item"),
        eigenvalues=table("component observed threshold factor factor_threshold retained", text=""),
        number=table(
            "criterion suggested statistic meaning footnote", text="criterion meaning footnote"
        ),
        number_reason="",
        fit=table("measure value low high", text="measure"),
        residuals=table("item other observed residual", text="item other"),
        reliability=table("scale coefficient value low high", text="scale coefficient"),
        flags=table(
            "item label reason value cutoff other remark", text="item label reason other remark"
        ),
        drops=table(
            "scale step item label alpha alpha_without rmsr rmsr_without applied",
            text="scale item label",
        ),
        corr=table("", text="", index="item"),
        scores=pd.DataFrame(index=pd.RangeIndex(n)),
        score="",
        method="the study has no items, so there are no scales",
        found=False,
        n_factors_suggested=0,
        kmo=float("nan"),
        correlation="pearson",
    )
