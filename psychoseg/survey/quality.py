"""How carefully the respondents of a study answered: its rules applied to the indices of ``stats``.

Owns the table of indices and flags, what could not be computed and why, and the wording of a
reason. Leaves nobody out itself: the ledger does, on what is returned here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from psychoseg.errors import tell
from psychoseg.stats import quality
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, canonical_order
from psychoseg.stats.correlation import pearson
from psychoseg.stats.quality import CUTOFFS, Cutoff
from psychoseg.stats.reduction import weighted_mean_sd
from psychoseg.stats.style import response_styles
from psychoseg.study import QualityIndex, QualityRules

__all__ = [
    "QUALITY_COLUMNS",
    "RULE_COLUMNS",
    "STYLE_COLUMNS",
    "Answers",
    "Quality",
    "assess_quality",
]

#: What a table of respondents holds beside their ids.
QUALITY_COLUMNS = (
    "longstring",
    "longstring_share",
    "average_string",
    "variability",
    "mahalanobis",
    "mahalanobis_df",
    "mahalanobis_p",
    "even_odd",
    "synonyms",
    "antonyms",
    "person_total",
    "seconds",
    "relative_speed",
    "seconds_per_item",
    "failed_checks",
    "failed_share",
    "acquiescence",
    "net_agreement",
    "extreme",
    "midpoint",
    "n_flags",
    "flagged_by",
    "excluded",
)
RULE_COLUMNS = (
    "index",
    "label",
    "counts",
    "side",
    "cutoff",
    "source",
    "median",
    "n_known",
    "n_flagged",
    "share_flagged",
    "not_computed",
)
STYLE_COLUMNS = ("style", "label", "mean", "sd", "n_known")
#: With fewer answers than this a run of equal ones, little spread or a low correlation with the
#: item means may be honest: as for straight-liners.
MIN_ITEMS = 10
#: With fewer scales, or pairs of synonyms, the index is mostly noise. Our own choice: of 3,000
#: simulated honest respondents even-odd consistency below .30 flags 23% with three scales of six
#: items, 20% with five of five, 13% with ten of four and 6% with twenty of four.
MIN_SCALES = MIN_PAIRS = 5
#: Where the median person-total correlation is fewer standard errors (of a zero correlation) than
#: this above zero, items differ too little in their means, and honest people often fall below zero.
TYPICAL_ERRORS = 2.0
#: Share of respondents above which a rule that leaves them out is questioned. Meade & Craig (2012)
#: find 10 to 12% careless.
MANY_CARELESS = 0.25

#: What each index is, for a reader.
LABELS: Mapping[str, str] = {
    "longstring_share": "Longest run of one answer, share of the items answered",
    "variability": "Spread of a person's answers (standard deviation)",
    "mahalanobis_p": "Unusual pattern of answers (Mahalanobis distance, p)",
    "even_odd": "Even-odd consistency within scales",
    "synonyms": "Consistency between items answered alike (psychometric synonyms)",
    "antonyms": "Consistency between items answered oppositely (psychometric antonyms)",
    "person_total": "Correlation with everybody's mean answers",
    "relative_speed": "Speed, multiples of the median",
    "seconds_per_item": "Seconds per item",
    "failed_share": "Share of attention checks and bogus items failed",
}
#: What each response style is, for a reader.
STYLES: Mapping[str, str] = {
    "acquiescence": "Agreeing whichever way an item is worded (.5 is neutral)",
    "net_agreement": "Share of answers above the middle less those below",
    "extreme": "Share of answers at an end of the scale",
    "midpoint": "Share of answers in the middle of the scale",
}


#: What is computed of the items, beside the response styles.
_ITEM_INDICES = QUALITY_COLUMNS[: QUALITY_COLUMNS.index("seconds")]


@dataclass(frozen=True, slots=True)
class Answers:
    """All that carefulness is judged by, of the respondents who got this far.

    Attributes
    ----------
    items : ndarray, shape (n, p)
        Raw codes in the order of the questionnaire, NaN for no answer.
    low, high : ndarray, shape (p,)
        Ends of each item's answer scale.
    keys : ndarray of int, shape (p,)
        -1 for an item keyed the other way, else 1.
    scales : tuple of ndarray of int
        Columns of each scale, in the order of the questionnaire.
    weights : ndarray, shape (n,)
        Positive; with mean one, or counts of people.
    seconds : ndarray, shape (n, pages)
        Durations, NaN where unknown; no column where the study has none.
    checks : ndarray, shape (n, checks)
        1 for a right answer, 0 for a wrong one, NaN for none.
    check_names : tuple of str
    """

    items: FloatArray
    low: FloatArray
    high: FloatArray
    keys: IntArray
    scales: tuple[IntArray, ...]
    weights: FloatArray
    seconds: FloatArray
    checks: FloatArray
    check_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """How carefully each respondent answered.

    Attributes
    ----------
    respondents : DataFrame, shape (n, len(QUALITY_COLUMNS))
        Each index (NaN where it cannot be told), response styles, ``n_flags`` (how many of the
        study's rules speak), ``flagged_by`` (which, and those that suffice alone) and ``excluded``.
    rules : DataFrame
        One row an index: cut-off, where it comes from, how often it flags, why it is not computed.
    styles : DataFrame
        One row a response style: weighted mean and standard deviation over the respondents.
    reasons : dict of int to str
        For each respondent to be excluded, by position, why.
    """

    respondents: pd.DataFrame
    rules: pd.DataFrame
    styles: pd.DataFrame
    reasons: Mapping[int, str]


def assess_quality(answers: Answers, rules: QualityRules) -> Quality:
    """Compute every index of careless answering, flag by the cut-offs and apply the study's rule.

    Parameters
    ----------
    answers : Answers
    rules : QualityRules

    Returns
    -------
    Quality
        Nobody is excluded where ``rules.action`` is "report".

    Warns
    -----
    PsychosegWarning
        Where somebody could be excluded and a rule could not be computed, or more than a quarter
        is.

    Notes
    -----
    Where answer scales differ, spread, person-total correlation and even-odd consistency are
    computed on shares of each scale's range. Weights enter correlations, means, medians and shares.
    Response styles never exclude anybody.
    """
    # Sums over rows in canonical order, so that the order of the file cannot move the last digit.
    order = canonical_order(
        np.column_stack([answers.items, answers.seconds, answers.checks]), answers.weights
    )
    sorted_answers = replace(
        answers,
        items=answers.items[order],
        weights=answers.weights[order],
        seconds=answers.seconds[order],
        checks=answers.checks[order],
    )
    place = np.argsort(order)
    indices = _indices(sorted_answers, rules)
    flags = {
        name: quality.flag(indices.values[name], cutoff) for name, cutoff in indices.cutoffs.items()
    }
    counted = np.zeros((len(order), len(rules.rules)), dtype=bool)
    for j, name in enumerate(rules.rules):
        counted[:, j] = flags[name]
    out = quality.combine_flags(counted, at_least=rules.at_least)
    for name in rules.sufficient:
        out = out | flags[name]
    if rules.action == "report":
        out = np.zeros(len(order), dtype=bool)
    used = tuple(dict.fromkeys((*rules.rules, *rules.sufficient)))
    frame = pd.DataFrame(indices.values)
    frame["n_flags"] = counted.sum(axis=1).astype(int)
    frame["flagged_by"] = _joined(used, flags)
    frame["excluded"] = out
    summary = _summary(indices, flags, rules, sorted_answers.weights)
    if rules.action == "exclude":
        _warn(indices, rules, used, out)
    frame = frame.loc[:, list(QUALITY_COLUMNS)].iloc[place].reset_index(drop=True)
    reasons = {int(order[i]): _reason(indices, flags, used, int(i)) for i in np.flatnonzero(out)}
    styles = _style_summary(indices.values, sorted_answers.weights)
    return Quality(frame, summary, styles, dict(sorted(reasons.items())))


@dataclass(frozen=True, slots=True)
class _Indices:
    """The indices of all respondents, their cut-offs, and notes on what could not be computed."""

    answers: Answers
    values: Mapping[str, FloatArray]
    cutoffs: Mapping[str, Cutoff]
    notes: Mapping[str, str]

    def answered(self, i: int) -> int:
        """Return how many items a respondent answered."""
        return int((~np.isnan(self.answers.items[i])).sum())


_Found = tuple[dict[str, FloatArray], dict[str, str]]


def _indices(answers: Answers, rules: QualityRules) -> _Indices:
    values: dict[str, FloatArray] = {}
    notes: dict[str, str] = {}
    of_items = _of_items(answers, rules) if answers.items.shape[1] else [_no_items(answers)]
    for found, why_not in (*of_items, _speed(answers), _checks(answers)):
        values |= found
        notes |= why_not
    cutoffs = {
        name: _cutoff(name, values[name], answers.weights, rules) for name in get_args(QualityIndex)
    }
    return _Indices(answers, values, cutoffs, notes)


def _of_items(answers: Answers, rules: QualityRules) -> list[_Found]:
    one_scale = np.ptp(answers.low) == 0 and np.ptp(answers.high) == 0
    share = (answers.items - answers.low) / (answers.high - answers.low)
    comparable = answers.items if one_scale else share
    return [
        _runs_and_spread(answers, comparable),
        _distances(answers),
        _halves(answers, comparable, one_scale=one_scale),
        _like_items(answers, rules.synonym_r),
        _styles(answers),
    ]


def _no_items(answers: Answers) -> _Found:
    values = {name: _nothing(answers) for name in (*_ITEM_INDICES, *STYLES)}
    return values, {name: "the study has no items" for name in _ITEM_INDICES if name in LABELS}


def _runs_and_spread(answers: Answers, comparable: FloatArray) -> _Found:
    answered = (~np.isnan(answers.items)).sum(axis=1)
    longest = quality.longstring(answers.items)
    needing = {
        "longstring_share": longest / np.maximum(answered, 1),
        "variability": quality.response_variability(comparable),
        "person_total": quality.person_total(comparable, answers.weights),
    }
    values = {k: np.where(answered >= MIN_ITEMS, v, np.nan) for k, v in needing.items()}
    values["longstring"] = longest.astype(float)
    values["average_string"] = quality.average_string(answers.items)
    p = answers.items.shape[1]
    if p < MIN_ITEMS:
        return values, dict.fromkeys(needing, f"{MIN_ITEMS} items are needed, not {p}")
    typical = quality.weighted_median(values["person_total"], answers.weights)
    if not typical >= TYPICAL_ERRORS / np.sqrt(p - 1):
        values["person_total"] = _nothing(answers)
        note = f"items differ too little in their means (median correlation {typical:.2f})"
        return values, {"person_total": note}
    return values, {}


def _distances(answers: Answers) -> _Found:
    n, p = answers.items.shape
    names = ("mahalanobis", "mahalanobis_df", "mahalanobis_p")
    if n <= p:
        note = f"more respondents than the {p} items are needed, not {n}"
        return dict.fromkeys(names, _nothing(answers)), {"mahalanobis_p": note}
    found = quality.mahalanobis(answers.items, answers.weights)
    return dict(zip(names, (found.squared, found.df.astype(float), found.p), strict=True)), {}


def _halves(answers: Answers, comparable: FloatArray, *, one_scale: bool) -> _Found:
    halved = [scale for scale in answers.scales if len(scale) > 1]
    if len(halved) < MIN_SCALES:
        note = f"{MIN_SCALES} scales of two items or more are needed, not {len(halved)}"
        return {"even_odd": _nothing(answers)}, {"even_odd": note}
    turned = answers.low + answers.high - answers.items if one_scale else 1 - comparable
    keyed = np.where(answers.keys < 0, turned, comparable)
    return {"even_odd": quality.even_odd(keyed, halved)}, {}


def _like_items(answers: Answers, critical: float) -> _Found:
    corr = pearson(answers.items, answers.weights)
    values: dict[str, FloatArray] = {}
    notes: dict[str, str] = {}
    for name, beyond in (("synonyms", f"above {critical:g}"), ("antonyms", f"below -{critical:g}")):
        pairs = quality.psychometric_pairs(corr, critical=critical, antonyms=name == "antonyms")
        if len(pairs) >= MIN_PAIRS:
            values[name] = quality.pair_consistency(answers.items, pairs)
        else:
            values[name] = _nothing(answers)
            notes[name] = (
                f"{MIN_PAIRS} pairs of items correlating {beyond} are needed, not {len(pairs)}"
            )
    return values, notes


def _speed(answers: Answers) -> _Found:
    known = np.where(answers.seconds > 0, answers.seconds, np.nan)
    names = ("seconds", "relative_speed", "seconds_per_item")
    if np.isnan(known).all():
        note = "nobody has a duration above zero" if known.shape[1] else "there is no duration"
        return dict.fromkeys(names, _nothing(answers)), dict.fromkeys(names[1:], note)
    total = known.sum(axis=1)
    one_page = known.shape[1] == 1
    speed = quality.relative_speed(known[:, 0] if one_page else known, answers.weights)
    per_item = quality.seconds_per_item(total, answers.items)
    return dict(zip(names, (total, speed, per_item), strict=True)), {}


def _checks(answers: Answers) -> _Found:
    if not answers.check_names:
        values = dict.fromkeys(("failed_checks", "failed_share"), _nothing(answers))
        return values, {"failed_share": "there are no checks"}
    failed, share = quality.failed_checks(answers.checks, [{1.0}] * len(answers.check_names))
    return {"failed_checks": failed.astype(float), "failed_share": share}, {}


def _styles(answers: Answers) -> _Found:
    scale_of: IntArray = np.full(len(answers.keys), -1, dtype=np.intp)
    for number, scale in enumerate(answers.scales):
        # An item of two scales counts in the first.
        scale_of[scale] = np.where(scale_of[scale] < 0, number, scale_of[scale])
    styles = response_styles(
        answers.items, low=answers.low, high=answers.high, keys=answers.keys, scale_of=scale_of
    )
    return {name: getattr(styles, name) for name in STYLES}, {}


def _style_summary(values: Mapping[str, FloatArray], weights: FloatArray) -> pd.DataFrame:
    """Return the mean of each style, NaN where the items cannot tell it."""
    rows = []
    for name, label in STYLES.items():
        known = ~np.isnan(values[name])
        mean = sd = np.nan
        if known.any():
            (mean,), (sd,) = weighted_mean_sd(values[name][known][:, None], weights[known])
        rows.append((name, label, float(mean), float(sd), int(known.sum())))
    return pd.DataFrame(rows, columns=list(STYLE_COLUMNS))


def _nothing(answers: Answers) -> FloatArray:
    return np.full(len(answers.items), np.nan)


def _cutoff(name: str, values: FloatArray, weights: FloatArray, rules: QualityRules) -> Cutoff:
    stated: float | None = getattr(rules.cutoffs, name)
    if stated is None:
        return quality.robust_cutoff(name, values, weights, side="below")
    cited = CUTOFFS.get(name, Cutoff(name, "below", np.nan, ""))
    if stated == cited.value:
        return cited
    return replace(cited, value=stated, source="set in the study file")


def _summary(
    indices: _Indices,
    flags: Mapping[str, BoolArray],
    rules: QualityRules,
    weights: FloatArray,
) -> pd.DataFrame:
    rows = []
    for name, cutoff in indices.cutoffs.items():
        values = indices.values[name]
        counts = "a flag" if name in rules.rules else ""
        rows.append(
            (
                name,
                LABELS[name],
                "alone" if name in rules.sufficient else counts,
                cutoff.side,
                cutoff.value,
                cutoff.source,
                quality.weighted_median(values, weights),
                int((~np.isnan(values)).sum()),
                int(flags[name].sum()),
                float(weights[flags[name]].sum() / weights.sum()),
                indices.notes.get(name, ""),
            )
        )
    return pd.DataFrame(rows, columns=list(RULE_COLUMNS))


def _joined(names: tuple[str, ...], flags: Mapping[str, BoolArray]) -> list[str]:
    n = len(next(iter(flags.values())))
    return ["; ".join(name for name in names if flags[name][i]) for i in range(n)]


def _warn(indices: _Indices, rules: QualityRules, used: tuple[str, ...], out: BoolArray) -> None:
    weights = indices.answers.weights
    missed = [name for name in used if name in indices.notes]
    if "rules" not in rules.model_fields_set:
        # Nobody asked for what the study declares no columns of; the default rules name it.
        missed = [name for name in missed if name not in _undeclared(indices.answers)]
    if missed:
        lost = "; ".join(f"{LABELS[name]} ({indices.notes[name]})" for name in missed)
        tell(f"careless answering was judged without these rules: {lost}.")
    share = float(weights[out].sum() / weights.sum())
    if share > MANY_CARELESS:
        tell(
            f"the rule under [quality] leaves out {100 * share:.0f}% of the respondents as "
            "careless; a tenth is usual. Look at survey/quality_rules.csv for what flags them."
        )


def _undeclared(answers: Answers) -> tuple[str, ...]:
    """Return the indices whose columns the study does not name."""
    speed = () if answers.seconds.shape[1] else ("relative_speed", "seconds_per_item")
    items = () if answers.items.shape[1] else _ITEM_INDICES
    return (*items, *speed, *(() if answers.check_names else ("failed_share",)))


def _reason(
    indices: _Indices, flags: Mapping[str, BoolArray], used: tuple[str, ...], i: int
) -> str:
    """Say which indices flagged a respondent, with their values and cut-offs."""
    parts = [_phrase(indices, name, i) for name in used if flags[name][i]]
    return f"careless answering: {'; '.join(parts)}"


def _phrase(indices: _Indices, name: str, i: int) -> str:
    value, cutoff = indices.values[name][i], indices.cutoffs[name]
    beyond = f"cut-off {cutoff.side} {cutoff.value:.3g}"
    if name == "longstring_share":
        answered = indices.answered(i)
        # The shortest run that reaches the share.
        least = int(np.ceil(cutoff.value * answered - 1e-9))
        longest = int(indices.values["longstring"][i])
        return f"longest run of one answer {longest} of {answered} items (cut-off {least})"
    if name == "mahalanobis_p":
        distance = indices.values["mahalanobis"][i]
        return f"squared Mahalanobis distance {distance:.1f}, p = {value:.2g} ({beyond})"
    if name == "failed_share":
        right = indices.answers.checks[i]
        names = [n for n, r in zip(indices.answers.check_names, right, strict=True) if r == 0]
        given = int((~np.isnan(right)).sum())
        what = "check" if given == 1 else "checks"
        return f"failed {len(names)} of {given} {what}: {', '.join(names)} ({beyond})"
    return f"{_PHRASES[name]} {value:.3g} ({beyond})"


_PHRASES: Mapping[str, str] = {
    "variability": "spread of answers",
    "even_odd": "even-odd consistency",
    "synonyms": "psychometric synonyms",
    "antonyms": "psychometric antonyms",
    "person_total": "correlation with everybody's answers",
    "relative_speed": "speed over the median",
    "seconds_per_item": "seconds per item",
}
