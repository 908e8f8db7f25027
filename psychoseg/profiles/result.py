"""What the profile stage returns."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from psychoseg.shown import Summary

__all__ = ["Profiles"]

#: Drivers of each segment that a summary tells.
_TOLD = 3


@dataclass(frozen=True, slots=True, repr=False)
class Profiles:
    """What each segment is like, beside the rest and beside all who have a segment ("total").

    A figure on fewer than ``[profiles] min_base`` unweighted people, or one that would give such a
    figure away by subtraction, is NaN (text: empty) and its row's ``hidden`` is true; its bases are
    missing too. This holds in every table here.

    Attributes
    ----------
    means : DataFrame
        A row for each segment and each scale or numeric column: ``segment, variable, label, kind``
        ("scale" or "numeric"), ``role`` ("scale", "active" or "profile"), ``mean, low, high`` (95 %
        interval), ``se, sd, base`` (respondents with an answer), ``base_weighted, base_effective,
        total`` (mean of all), ``rest`` (mean of the other segments), ``difference,
        difference_low, difference_high`` (segment minus rest, 95 % interval), ``effect`` (Cohen's d
        of the segment against the rest), ``z`` (mean minus total in standard deviations of all),
        ``index`` (100 is the mean of all; NaN for scales, ratings and negative answers, whose zero
        is a matter of coding: ``z`` says it there), ``v_test``
        (Lebart's), ``letters`` (columns it is higher than: "a" at 5 %, "A" at .1 %), ``hidden``.
    shares : DataFrame
        A row for each segment and each category: ``segment, variable, label, kind`` ("categorical",
        or "choice" of a multiple-response set), ``role, category, share, low, high`` (95 %
        interval), ``se, total, rest, difference, difference_low, difference_high, base,
        base_weighted, base_effective, index`` (100 is the share of all), ``effect`` (Cohen's h of
        the segment against the rest), ``association`` (Cramer's V of category by segment against
        rest), ``v_test, letters, hidden``.
    tests : DataFrame
        A row for each variable: ``variable, label, kind, role, measure`` ("eta squared" or
        "Cramer's V"), ``strength, test`` ("Wald F", "chi-square" or "Rao-Scott F"), ``statistic,
        df1, df2, p, p_adjusted, base``. ``statistic`` to ``p_adjusted`` are NaN for what made the
        segments (see Notes). A multiple-response set has a row for each option, ``variable`` being
        the option's column.
    by_k : DataFrame
        The drawn tree cut into each number of segments, for looking at: ``k, segment, variable,
        label, kind, role, category`` (empty for a mean), ``value, low, high, total, base,
        base_weighted, base_effective, index, effect, z`` (NaN for a share), ``hidden``.
    cuts : DataFrame
        The segments of each cut: ``k, segment, parent`` (the segment of k - 1 that holds it),
        ``colour`` (the number of the reported segment whose colour it has; above ``segments.k`` a
        new one), ``name, n, weighted, share, headline``. At ``segments.k`` they are the reported
        segments.
    drivers : DataFrame
        What sets a segment apart, strongest first: ``segment, rank, kind`` ("scale", "numeric",
        "category"), ``variable, label, category, effect, size`` ("large", "medium", "small",
        "negligible"), ``value, total, base, text`` (a sentence to print).
    importance : DataFrame
        Which variables tell the segments apart, strongest first: ``rank, variable, label, kind,
        role, importance`` (held-out accuracy lost when the answers are shuffled), ``low, high``
        (95 % interval).
    model : DataFrame
        ``what, value, low, high, base`` of the model behind ``importance`` ("accuracy",
        "balanced accuracy", "largest segment") and of the tree behind ``rules`` ("tree accuracy").
    rules : DataFrame
        The leaves of a shallow decision tree: ``segment, rank, rule`` (words), ``share`` (of the
        segment that the rule finds), ``precision`` (of those found, how many are of the segment),
        ``base``.
    personas : DataFrame
        A row for each segment: ``segment, name, suggested, n, weighted, share, portrait`` (a
        paragraph), ``is_not`` (a sentence), ``typical_row`` (position of its typical respondent in
        the survey; for exports, never printed).
    facts : DataFrame
        What ``portrait`` and ``is_not`` say, sentence by sentence: ``segment, part`` ("portrait" or
        "is_not"), ``rank, text, table`` ("means", "shares" or "personas"), ``variable, category``:
        the cell it comes from.
    typical : DataFrame
        What those nearest the segment's centre answered: ``segment, variable, label, value, base``.
    actions : DataFrame
        ``segment, rank, action, score`` (-1 to 1), ``fits`` (bool), ``reason``; empty without
        ``[[actions]]``.
    jobs : DataFrame
        ``segment`` (0: all), ``job, label, kind`` ("job" or "outcome"), ``importance, satisfaction,
        opportunity, low, high, base, hidden, top`` (which answers counted, in words); empty without
        jobs.
    words : DataFrame
        Distinctive words of open answers: ``segment, variable, label, rank, word, z, log_odds,
        share, rest`` (share of those who answered that use it), ``base, hidden``.
    quotes : DataFrame
        ``segment, variable, label, text``; empty unless asked for.
    names : DataFrame
        Where given names are anchored: ``key, name, text, segment, feature, value, sd``, one row a
        feature of each named segment; empty without given names.
    centroids : DataFrame
        ``segment, feature, value``: weighted mean of each active feature, in its own units, so that
        a later run can tell which of its segments is which of these.

    Notes
    -----
    Scales and active columns differ between segments by construction: the segments were cut so that
    they would. A p-value for them would be small in pure noise, so there is none; how strongly they
    differ is given. Their letters and v-tests describe and prove nothing.
    """

    means: pd.DataFrame
    shares: pd.DataFrame
    tests: pd.DataFrame
    drivers: pd.DataFrame
    personas: pd.DataFrame
    typical: pd.DataFrame
    by_k: pd.DataFrame = field(default_factory=pd.DataFrame)
    cuts: pd.DataFrame = field(default_factory=pd.DataFrame)
    importance: pd.DataFrame = field(default_factory=pd.DataFrame)
    model: pd.DataFrame = field(default_factory=pd.DataFrame)
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    actions: pd.DataFrame = field(default_factory=pd.DataFrame)
    jobs: pd.DataFrame = field(default_factory=pd.DataFrame)
    words: pd.DataFrame = field(default_factory=pd.DataFrame)
    quotes: pd.DataFrame = field(default_factory=pd.DataFrame)
    names: pd.DataFrame = field(default_factory=pd.DataFrame)
    centroids: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        return f"Profiles({self._in_short()})"

    def _repr_html_(self) -> str:
        return self.summary().first()._repr_html_()

    def summary(self) -> Summary:
        """Return who the segments are in short: names, sizes, what sets each apart."""
        told = self.drivers.loc[self.drivers["rank"] <= _TOLD, ["segment", "text"]]
        return Summary(
            self._in_short(),
            (),
            {
                "Segments": self.personas[["segment", "name", "n", "share"]],
                "What sets them apart": told,
            },
        )

    def _in_short(self) -> str:
        names = "; ".join(str(name) for name in self.personas["name"])
        return f"{len(self.personas)} segments by {len(self.tests)} variables: {names}"
