"""How people use an answer scale whatever is asked: response styles, and answers freed of them.

Alpha and factors belong to the answers as given: centred ones sum to zero in every row, so that
their correlations are singular and negative on average. Compute reliability first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = [
    "ResponseStyles",
    "centre_within",
    "mean_rating",
    "response_styles",
    "schwartz_unusable",
]

#: Of the 21 values items: at most 5 missing, at most 16 answered alike. Schwartz, Computing scores
#: for the 10 human values (European Social Survey), the instructions for the ESS value scale.
_SCHWARTZ_ITEMS, _SCHWARTZ_MISSING, _SCHWARTZ_SAME = 21, 5, 16


@dataclass(frozen=True, slots=True)
class ResponseStyles:
    """How each respondent uses the answer scales; all shape (n,), NaN where it cannot be told.

    Attributes
    ----------
    acquiescence : ndarray
        From -.5 (always the low end, whatever is asked) to .5 (always the high end): content
        cancels, because scales keyed both ways count, and each with its two sides alike.
    net_agreement : ndarray
        Share of answers above the midpoint less share below, over all items: it holds content too.
    extreme : ndarray
        Share of answers at either end of the answer scale.
    midpoint : ndarray
        Share of answers at the midpoint; zero on a scale that has none.
    """

    acquiescence: FloatArray
    net_agreement: FloatArray
    extreme: FloatArray
    midpoint: FloatArray


def response_styles(
    items: FloatArray,
    *,
    low: FloatArray,
    high: FloatArray,
    keys: IntArray,
    scale_of: IntArray | None = None,
) -> ResponseStyles:
    """Compute acquiescence, net agreement, extreme and midpoint responding of each respondent.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Raw codes (not turned round), NaN where missing.
    low, high : ndarray, shape (p,)
        Ends of each answer scale, high meaning agreement.
    keys : ndarray of int, shape (p,)
        -1 for an item that counts the other way, else 1.
    scale_of : ndarray of int, shape (p,), optional
        Scale of each item, -1 for none; all items are one scale where absent.

    Returns
    -------
    ResponseStyles

    Notes
    -----
    Acquiescence: answers are brought to 0..1; within a scale the mean over its positively keyed
    items and the mean over its negatively keyed ones are averaged, then the scales are, and one
    half is taken away. Scales keyed one way only cannot tell agreement from content and take no
    part; NaN where there is no other.

    References
    ----------
    Baumgartner & Steenkamp (2001), J. Mark. Res. 38, 143-156, net acquiescence, extreme and
    midpoint responding. Soto, John, Gosling & Potter (2008), J. Pers. Soc. Psychol. 94, 718-737,
    acquiescence from pairs of opposite items.
    """
    unit = (items - low) / (high - low)
    answered = ~np.isnan(unit)
    count = answered.sum(axis=1)

    def share(which: BoolArray) -> FloatArray:
        return np.where(count > 0, which.sum(axis=1) / np.maximum(count, 1), np.nan)

    of = np.zeros(items.shape[1], dtype=np.intp) if scale_of is None else scale_of
    levels = []
    for scale in np.unique(of[of >= 0]):
        up, down = (of == scale) & (keys > 0), (of == scale) & (keys < 0)
        if up.any() and down.any():
            levels.append((_row_mean(unit[:, up]) + _row_mean(unit[:, down])) / 2)
    none = np.full(len(items), np.nan)
    return ResponseStyles(
        acquiescence=_row_mean(np.column_stack(levels)) - 0.5 if levels else none,
        net_agreement=share(unit > 0.5) - share(unit < 0.5),
        extreme=share((unit == 0) | (unit == 1)),
        midpoint=share(unit == 0.5),
    )


def mean_rating(items: FloatArray) -> FloatArray:
    """Return each respondent's mean answer over all items: Schwartz's MRAT, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        All items of the value questionnaire, raw codes on one answer scale; NaN where missing.

    Returns
    -------
    ndarray
        Over the items answered; NaN for none.

    References
    ----------
    Schwartz (1992), Adv. Exp. Soc. Psychol. 25, 1-65; Schwartz, Computing scores for the 10 human
    values (European Social Survey).
    """
    return _row_mean(items)


def centre_within(
    x: FloatArray, *, around: FloatArray | None = None, standardise: bool = False
) -> FloatArray:
    """Take each respondent's own level out of the answers or scores (ipsatising).

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Items, or scale scores on one answer scale; NaN where missing.
    around : ndarray, shape (n,), optional
        The level: give :func:`mean_rating` of all items to centre value scores as Schwartz does.
        The mean of the row where absent.
    standardise : bool
        Divide by the row's standard deviation as well (ddof 0): Fischer's ipsative score.

    Returns
    -------
    ndarray, shape (n, d)
        NaN where an answer is missing, and in the whole row where it is to be divided by a zero
        spread.

    Notes
    -----
    Schwartz's value score is the mean of a value's items less MRAT; on complete answers that is the
    mean of the centred items.

    References
    ----------
    Fischer (2004), J. Cross-Cult. Psychol. 35, 263-282.
    """
    level = _row_mean(x) if around is None else around
    centred = x - level[:, None]
    if not standardise:
        return centred
    own = x - _row_mean(x)[:, None]
    spread = np.sqrt(_row_mean(own**2))
    size = np.abs(np.where(np.isnan(x), 0.0, x)).max(axis=1, initial=0.0)
    # Rounding of the mean alone must not pass for spread.
    spread = np.where(spread > 1e-12 * size, spread, np.nan)
    return centred / spread[:, None]


def schwartz_unusable(items: FloatArray) -> BoolArray:
    """Return whose value scores Schwartz would not compute, shape (n,).

    Parameters
    ----------
    items : ndarray, shape (n, p)
        The value items, raw codes.

    Returns
    -------
    ndarray of bool
        More than 5 of 21 unanswered, or more than 16 of 21 given the same answer; the same shares
        for another number of items.
    """
    p = items.shape[1]
    missing = np.isnan(items).sum(axis=1)
    most = np.zeros(len(items), dtype=np.intp)
    for code in np.unique(items[~np.isnan(items)]):
        most = np.maximum(most, (items == code).sum(axis=1))
    few = missing * _SCHWARTZ_ITEMS > _SCHWARTZ_MISSING * p
    alike = most * _SCHWARTZ_ITEMS > _SCHWARTZ_SAME * p
    unusable: BoolArray = few | alike
    return unusable


def _row_mean(x: FloatArray) -> FloatArray:
    there = ~np.isnan(x)
    count = there.sum(axis=1)
    total = np.where(there, x, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
