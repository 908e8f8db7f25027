"""How carefully each respondent answered: indices, their cut-offs, and how to combine them.

Every index is one number a respondent, NaN where it cannot be told; NaN is never flagged. Nobody is
left out here: a study's rule does that, on the flags. Response styles are in ``style``, missing
answers in ``missing``.

Columns of ``items`` stand in the order of the questionnaire, raw codes unless a function says
otherwise. The formulas are those of R's careless 1.1.3 (Yentes & Wilhelm) where it has them.

References
----------
Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. J.
Exp. Soc. Psychol. 66, 4-19.
Johnson, J. A. (2005). Ascertaining the validity of individual protocols from web-based personality
inventories. J. Res. Pers. 39, 103-129.
Meade, A. W. & Craig, S. B. (2012). Identifying careless responses in survey data. Psychol. Methods
17, 437-455.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import chi2

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.correlation import covariance

__all__ = [
    "CUTOFFS",
    "SYNONYM_R",
    "Cutoff",
    "Mahalanobis",
    "average_string",
    "combine_flags",
    "even_odd",
    "failed_checks",
    "flag",
    "longstring",
    "mahalanobis",
    "pair_consistency",
    "person_total",
    "psychometric_pairs",
    "relative_speed",
    "response_variability",
    "robust_cutoff",
    "seconds_per_item",
    "weighted_median",
]

#: Correlation beyond which two items are psychometric synonyms (below its negative, antonyms);
#: Meade & Craig (2012), and careless's default.
SYNONYM_R = 0.60
#: A within-person correlation takes three pairs at least, as in careless: two always give +-1.
_MIN_PAIRS = 3
#: However fast a page was left, it counts as at most this many times faster; Leiner (2019).
_SPEED_CAP = 3.0
#: Makes the median absolute deviation of normal values their standard deviation.
_MAD_SCALE = 1.4826
#: Eigenvalues below this share of the largest are directions without variance.
_RANK_TOLERANCE = 1e-10
#: Rows whose blocks of the covariance matrix are held at once.
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Cutoff:
    """From where an index speaks of a careless respondent.

    Attributes
    ----------
    index : str
    side : {"below", "above", "at least"}
        Where the flagged values lie.
    value : float
    source : str
    """

    index: str
    side: Literal["below", "above", "at least"]
    value: float
    source: str


#: Fixed cut-offs, by index. Variability has none: see :func:`robust_cutoff`.
CUTOFFS = {
    c.index: c
    for c in (
        Cutoff("longstring_share", "at least", 0.5, "half of the items: Curran (2016)"),
        Cutoff(
            "mahalanobis_p",
            "below",
            0.001,
            "Tabachnick & Fidell (2013), Using Multivariate Statistics",
        ),
        Cutoff("even_odd", "below", 0.30, "Jackson (1976), in Johnson (2005)"),
        Cutoff("synonyms", "below", 0.0, "own choice: answers to like items are unrelated"),
        Cutoff("antonyms", "above", 0.0, "own choice: answers to opposite items are unrelated"),
        Cutoff("person_total", "below", 0.0, "a negative correlation: Curran (2016)"),
        Cutoff("relative_speed", "at least", 2.0, "twice the median speed: Leiner (2019)"),
        Cutoff("seconds_per_item", "below", 2.0, "Huang et al. (2012)"),
        Cutoff("failed_share", "at least", 0.5, "own choice: one slip among several is human"),
    )
}


@dataclass(frozen=True, slots=True)
class Mahalanobis:
    """Distance of each respondent from the middle of all.

    Attributes
    ----------
    squared : ndarray, shape (n,)
        Squared distance over the items answered; NaN without an answer.
    df : ndarray of int, shape (n,)
        Dimensions it is measured in: the items answered, less those that repeat others.
    p : ndarray, shape (n,)
        Upper tail of chi-square on ``df``, which makes distances over different items comparable.
    """

    squared: FloatArray
    df: IntArray
    p: FloatArray


def longstring(items: FloatArray) -> IntArray:
    """Return the length of the longest run of one and the same answer, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Raw codes in questionnaire order. A missing answer ends a run.

    Returns
    -------
    ndarray of int
        0 without an answer.

    References
    ----------
    Johnson (2005). ``careless::longstring``, which counts a missing answer as a run of one.
    """
    longest: IntArray = np.zeros(len(items), dtype=np.intp)
    run: IntArray = np.zeros(len(items), dtype=np.intp)
    for j in range(items.shape[1]):
        answered = ~np.isnan(items[:, j])
        same = (items[:, j] == items[:, j - 1]) if j else np.zeros(len(items), dtype=bool)
        run = np.where(answered, np.where(same, run + 1, 1), 0)
        longest = np.maximum(longest, run)
    return longest


def average_string(items: FloatArray) -> FloatArray:
    """Return the mean length of the runs of one and the same answer, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        As in :func:`longstring`.

    Returns
    -------
    ndarray
        NaN without an answer. ``careless::longstring(avg = TRUE)`` on complete rows.
    """
    answered = ~np.isnan(items)
    goes_on = items[:, 1:] == items[:, :-1]
    runs = answered.sum(axis=1) - goes_on.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(runs > 0, answered.sum(axis=1) / np.where(runs > 0, runs, 1), np.nan)


def response_variability(items: FloatArray) -> FloatArray:
    """Return the intra-individual response variability: the SD of a person's answers, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Raw codes on one answer scale, NaN where missing.

    Returns
    -------
    ndarray
        Divisor one less than the answers given; NaN with fewer than two. Very low speaks of
        straight-lining (Dunn et al.), very high of answers at random (Marjanovic et al.).

    References
    ----------
    Dunn, Heggestad, Shanock & Theilgard (2018), J. Bus. Psychol. 33, 105-121. Marjanovic et al.
    (2015), Pers. Individ. Differ. 84, 79-83. ``careless::irv`` on complete rows; it gives none to
    others.
    """
    answered = ~np.isnan(items)
    count = answered.sum(axis=1)
    centred = _centred_rows(items)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt((centred**2).sum(axis=1) / (count - 1))
    return np.where(count > 1, sd, np.nan)


def mahalanobis(items: FloatArray, weights: FloatArray) -> Mahalanobis:
    """Compute each respondent's squared Mahalanobis distance over the items he or she answered.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        NaN where missing.
    weights : ndarray, shape (n,)
        With mean one, or counts of identical people.

    Returns
    -------
    Mahalanobis

    Notes
    -----
    ``(x - m)' S^-1 (x - m)`` with weighted means and pairwise covariances (divisor: sum of weights
    minus one), both cut down to the items answered. On complete rows this is
    ``psych::outlier``, behind ``careless::mahad``. With missing answers those two put the mean in
    their place and keep p degrees of freedom, so that who answers little cannot stand out; the
    marginal distance here is chi-square on the items answered.
    Directions without variance (an item that repeats another) are left out of distance and df.

    References
    ----------
    Mahalanobis (1936), Proc. Natl. Inst. Sci. India 2, 49-55. Meade & Craig (2012).
    """
    answered = ~np.isnan(items)
    mass = weights @ answered
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ np.where(answered, items, 0.0) / mass
    cov = covariance(items, weights)
    # A pair that nobody answered both of tells nothing about its covariance.
    cov = np.where(np.isnan(cov), 0.0, cov)
    centred = np.where(answered, items - mean, 0.0)
    lowest, highest = np.linalg.eigvalsh(cov)[[0, -1]]
    if lowest > _RANK_TOLERANCE * highest:
        squared, df = _full_rank_distance(centred, answered, cov)
    else:
        squared, df = _distance(centred, answered, cov)
    p = np.where(df > 0, chi2.sf(squared, np.maximum(df, 1)), np.nan)
    return Mahalanobis(squared=squared, df=df, p=p)


def even_odd(keyed: FloatArray, scales: Sequence[IntArray]) -> FloatArray:
    """Correlate, within each person, the even with the odd halves of the scales, shape (n,).

    Parameters
    ----------
    keyed : ndarray, shape (n, p)
        Answers with reverse-keyed items turned round, NaN where missing; one answer scale.
    scales : sequence of ndarray of int
        Columns of each scale, in questionnaire order. A scale of one item has no halves.

    Returns
    -------
    ndarray
        Spearman-Brown corrected, ``2r / (1 + r)``, not below -1. NaN with fewer than three scales
        answered in both halves, or where a half does not vary between scales.

    References
    ----------
    Jackson (1976), The appraisal of personal reliability, in Johnson (2005).
    ``careless::evenodd``, which takes two scales as well (and turns the sign round from 1.2 on).
    """
    odd = np.column_stack([_row_mean(keyed[:, s[0::2]]) for s in scales])
    even = np.column_stack([_row_mean(keyed[:, s[1::2]]) for s in scales])
    r = _within_person(even, odd)
    with np.errstate(invalid="ignore", divide="ignore"):
        corrected = 2 * r / (1 + r)
    return np.where(np.isnan(r), np.nan, np.maximum(np.where(r <= -1, -1.0, corrected), -1.0))


def psychometric_pairs(
    corr: FloatArray, *, critical: float = SYNONYM_R, antonyms: bool = False
) -> IntArray:
    """Return the pairs of items that everybody else answers alike, or oppositely, shape (k, 2).

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations of the raw (unkeyed) items.
    critical : float
        Pairs correlate above it, or below its negative for antonyms.
    antonyms : bool

    Returns
    -------
    ndarray of int
        Lower column first; no rows where there is no such pair.
    """
    rows, cols = np.triu_indices(len(corr), k=1)
    r = corr[rows, cols]
    found = r < -abs(critical) if antonyms else r > abs(critical)
    pairs: IntArray = np.column_stack([rows[found], cols[found]])
    return pairs


def pair_consistency(items: FloatArray, pairs: IntArray) -> FloatArray:
    """Correlate, within each person, the answers to the two sides of the pairs, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Raw codes, NaN where missing.
    pairs : ndarray of int, shape (k, 2)
        From :func:`psychometric_pairs`.

    Returns
    -------
    ndarray
        The psychometric synonym (or antonym) index. NaN with fewer than three pairs answered, or
        where one side does not vary.

    Notes
    -----
    Which item of a pair is on which side is a convention (the earlier in the questionnaire on the
    first), and the index depends on it a little.

    References
    ----------
    Meade & Craig (2012); Johnson (2005). ``careless::psychsyn`` and ``careless::psychant``.
    """
    return _within_person(items[:, pairs[:, 0]], items[:, pairs[:, 1]])


def person_total(items: FloatArray, weights: FloatArray) -> FloatArray:
    """Correlate each person's answers with everybody's weighted item means, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Raw codes, NaN where missing.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray
        Over the items answered; NaN with fewer than three, or without variation.

    References
    ----------
    Donlon & Fischer (1968), Educ. Psychol. Meas. 28, 105-113. Curran (2016).
    """
    answered = ~np.isnan(items)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ np.where(answered, items, 0.0) / (weights @ answered)
    return _within_person(items, np.broadcast_to(mean, items.shape))


def relative_speed(seconds: FloatArray, weights: FloatArray) -> FloatArray:
    """Return how many times faster than the median each respondent was, shape (n,).

    Parameters
    ----------
    seconds : ndarray, shape (n,) or (n, k)
        Duration of the interview, or of each of its k pages; NaN where unknown.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray
        Median over duration, by page at most 3, averaged over the pages. NaN without a positive
        duration.

    References
    ----------
    Leiner (2019), Surv. Res. Methods 13, 229-248, the relative speed index.
    """
    paged = seconds.ndim == 2
    pages = seconds if paged else seconds[:, None]
    known = np.where(pages > 0, pages, np.nan)
    middle = np.array([weighted_median(known[:, j], weights) for j in range(known.shape[1])])
    ratio = middle / known
    return _row_mean(np.minimum(ratio, _SPEED_CAP)) if paged else ratio[:, 0]


def seconds_per_item(seconds: FloatArray, items: FloatArray) -> FloatArray:
    """Return the seconds that a respondent spent on each item answered, shape (n,).

    Parameters
    ----------
    seconds : ndarray, shape (n,)
        Time spent on the items; NaN where unknown. The whole interview's makes everybody slower.
    items : ndarray, shape (n, p)

    Returns
    -------
    ndarray
        NaN without a positive duration or an answer.

    References
    ----------
    Huang, Curran, Keeney, Poposki & DeShon (2012), J. Bus. Psychol. 27, 99-114: two seconds an item
    as an educated guess of what reading and answering take at least.
    """
    count = (~np.isnan(items)).sum(axis=1)
    usable = (seconds > 0) & (count > 0)
    return np.where(usable, seconds / np.maximum(count, 1), np.nan)


def failed_checks(
    checks: FloatArray, accepted: Sequence[Collection[float]]
) -> tuple[IntArray, FloatArray]:
    """Count failed attention checks and bogus items.

    Parameters
    ----------
    checks : ndarray, shape (n, k)
        Answers to items that have right answers ("please tick 'agree'"; "I was born on the moon").
    accepted : sequence of k collections of float
        The right answers to each.

    Returns
    -------
    failed : ndarray of int, shape (n,)
    share : ndarray, shape (n,)
        Failed among those answered; NaN where none was. A missing answer is no failure.

    References
    ----------
    Meade & Craig (2012), bogus and instructed-response items.
    """
    answered = ~np.isnan(checks)
    right = np.column_stack([np.isin(checks[:, j], list(a)) for j, a in enumerate(accepted)])
    failed: IntArray = (answered & ~right).sum(axis=1).astype(np.intp)
    count = answered.sum(axis=1)
    return failed, np.where(count > 0, failed / np.maximum(count, 1), np.nan)


def flag(values: FloatArray, cutoff: Cutoff) -> BoolArray:
    """Return who lies on the careless side of a cut-off, shape (n,); NaN never does."""
    if cutoff.side == "below":
        return values < cutoff.value
    return values > cutoff.value if cutoff.side == "above" else values >= cutoff.value


def robust_cutoff(
    index: str,
    values: FloatArray,
    weights: FloatArray,
    *,
    side: Literal["below", "above"],
    spread: float = 3.0,
) -> Cutoff:
    """Return the cut-off for an index whose size depends on the questionnaire.

    Parameters
    ----------
    index : str
    values : ndarray, shape (n,)
        NaN where unknown.
    weights : ndarray, shape (n,)
    side : {"below", "above"}
    spread : float
        Median absolute deviations (made comparable to standard deviations) from the median.

    Returns
    -------
    Cutoff
        Flags nobody where half of the values are the same, and so the deviation is zero, save those
        that differ.

    References
    ----------
    Leys, Ley, Klein, Bernard & Licata (2013), J. Exp. Soc. Psychol. 49, 764-766.
    """
    middle = weighted_median(values, weights)
    deviation = _MAD_SCALE * weighted_median(np.abs(values - middle), weights)
    value = middle + (spread if side == "above" else -spread) * deviation
    source = f"{spread:g} median absolute deviations from the median: Leys et al. (2013)"
    return Cutoff(index, side, value, source)


def combine_flags(flags: BoolArray, *, at_least: int = 2) -> BoolArray:
    """Return who has enough flags, shape (n,).

    Parameters
    ----------
    flags : ndarray of bool, shape (n, k)
        One column an index.
    at_least : int
        Flags needed; one index alone is wrong too often (Curran 2016 asks for
        several, each with a lenient cut-off).

    Returns
    -------
    ndarray of bool
    """
    enough: BoolArray = flags.sum(axis=1) >= at_least
    return enough


def weighted_median(values: FloatArray, weights: FloatArray) -> float:
    """Return the weighted median; NaN values take no part, and NaN stands for none at all.

    Parameters
    ----------
    values : ndarray, shape (n,)
    weights : ndarray, shape (n,)
        Positive. With integer weights it is the median of the repeated values.

    Returns
    -------
    float
    """
    known = ~np.isnan(values)
    if not known.any():
        return np.nan
    order = np.argsort(values[known], kind="stable")
    x, w = values[known][order], weights[known][order]
    share = np.cumsum(w) / w.sum()
    # The sum of rescaled weights may miss one half by rounding.
    at = int(np.searchsorted(share, 0.5 - 1e-12))
    if share[at] <= 0.5 + 1e-12 and at + 1 < len(x):
        return float((x[at] + x[at + 1]) / 2)
    return float(x[at])


def _full_rank_distance(
    centred: FloatArray, answered: BoolArray, cov: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return squared distances and their df, all rows with as many answers missing at a time."""
    p = answered.shape[1]
    inverse = np.linalg.inv(cov)
    projected = centred @ inverse
    squared = np.einsum("ij,ij->i", projected, centred)
    df: IntArray = answered.sum(axis=1).astype(np.intp)
    for count in np.unique(df[df < p]):
        rows_of_count = np.flatnonzero(df == count)
        few = p - count <= count
        for first in range(0, len(rows_of_count), _CHUNK):
            rows = rows_of_count[first : first + _CHUNK]
            where = ~answered[rows] if few else answered[rows]
            which = np.nonzero(where)[1].reshape(len(rows), -1)
            block = (inverse if few else cov)[which[:, :, None], which[:, None, :]]
            x = np.take_along_axis((projected if few else centred)[rows], which, axis=1)
            form = np.einsum("ij,ij->i", x, np.linalg.solve(block, x[:, :, None])[:, :, 0])
            # With the answers missing at their most likely values the form in all items is that in
            # the answers given: take off what zeros in their place add. Small blocks either way.
            squared[rows] = squared[rows] - form if few else form
    return np.where(df > 0, squared, np.nan), df


def _distance(
    centred: FloatArray, answered: BoolArray, cov: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return squared distances in the directions that vary, and their number, by pattern."""
    squared = np.full(len(centred), np.nan)
    df: IntArray = np.zeros(len(centred), dtype=np.intp)
    patterns, which = np.unique(answered, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(which)))[:-1]
    for pattern, rows in zip(patterns, groups, strict=True):
        here = np.flatnonzero(pattern)
        values, vectors = np.linalg.eigh(cov[np.ix_(here, here)])
        use = values > _RANK_TOLERANCE * values.max(initial=0.0)
        if use.any():
            turned = centred[np.ix_(rows, here)] @ vectors[:, use]
            squared[rows] = (turned**2 / values[use]).sum(axis=1)
            df[rows] = int(use.sum())
    return squared, df


def _row_mean(x: FloatArray) -> FloatArray:
    """Return each row's mean over what is there; NaN where nothing is."""
    there = ~np.isnan(x)
    count = there.sum(axis=1)
    total = np.where(there, x, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _centred_rows(x: FloatArray) -> FloatArray:
    """Return rows less their mean, zero where missing, and exact zeros where a row is constant."""
    centred = np.where(np.isnan(x), 0.0, x - _row_mean(x)[:, None])
    size = np.abs(np.where(np.isnan(x), 0.0, x)).max(axis=1, initial=0.0)
    # Rounding of the mean alone must not pass for variation.
    flat = np.abs(centred).max(axis=1, initial=0.0) <= 1e-12 * size
    return np.where(flat[:, None], 0.0, centred)


def _within_person(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the correlation of each row of a with that of b over the columns both have."""
    both = ~(np.isnan(a) | np.isnan(b))
    x = _centred_rows(np.where(both, a, np.nan))
    y = _centred_rows(np.where(both, b, np.nan))
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    usable = (both.sum(axis=1) >= _MIN_PAIRS) & (scale > 0)
    r = np.where(usable, (x * y).sum(axis=1) / np.where(usable, scale, 1.0), np.nan)
    return np.clip(r, -1.0, 1.0)
