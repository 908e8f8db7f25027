"""Distinctive words: log-odds of a group against the rest, held down by a prior.

Owns the weighted log-odds ratio with an informative Dirichlet prior. Knows neither words nor texts.

References
----------
Monroe, B. L., Colaresi, M. P. & Quinn, K. M. (2008). Fightin' words: lexical feature selection and
evaluation for identifying the content of political conflict. Political Analysis 16, 372-403.
Equations 15, 16, 19, 20 and 22.
"""

from __future__ import annotations

import numpy as np

from psychoseg.stats.arrays import FloatArray

__all__ = ["distinctive"]


def distinctive(counts: FloatArray, *, prior_weight: float) -> tuple[FloatArray, FloatArray]:
    """Return how much more each group uses each word than the other groups do.

    Parameters
    ----------
    counts : ndarray, shape (words, groups)
        Weighted uses, not negative. Their scale is that of independent uses: with sampling weights
        scale these to Kish's effective size first.
    prior_weight : float
        Uses that the prior counts for; above 0. They are shared among the words as the uses of all
        groups together are, so that a word used as by everybody has a log-odds of 0, and a rare one
        needs evidence.

    Returns
    -------
    log_odds : ndarray, shape (words, groups)
        Natural log of the group's odds of the word over the odds of the other groups.
    z : ndarray, shape (words, groups)
        Log-odds over its approximate standard deviation; beyond 2 in size is more than chance.

    Raises
    ------
    ValueError
        Where a count is negative or the prior weighs nothing.

    Notes
    -----
    NaN for a word that nobody uses, and where there is no other word. A group without a word has
    log-odds of about 0 for every word.
    """
    if not prior_weight > 0:
        msg = f"prior_weight is {prior_weight}; it must be above 0"
        raise ValueError(msg)
    if not (counts >= 0).all():
        msg = "counts of words must not be negative or missing"
        raise ValueError(msg)
    of_word = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        prior = prior_weight * of_word / of_word.sum()
        here, there = counts + prior, of_word - counts + prior
        other_here = here.sum(axis=0) - here
        other_there = there.sum(axis=0) - there
        log_odds = np.log(here / other_here) - np.log(there / other_there)
        z = log_odds / np.sqrt(1 / here + 1 / there)
    undefined = (of_word == 0) | (of_word == of_word.sum())
    return np.where(undefined, np.nan, log_odds), np.where(undefined, np.nan, z)
