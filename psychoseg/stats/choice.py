"""How many clusters: what each rule says, one recommendation, a runner-up and the reasons.

Owns the rules that turn indices and tests into a k, and the words for it. Never computes an index
(``indices``, ``gap``) or a test (``null_cloud``), never draws a random number.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import BoolArray, FloatArray
from psychoseg.stats.gap import Gap
from psychoseg.stats.indices import Indices
from psychoseg.stats.null_cloud import CloudTest, NodeTests

__all__ = ["Recommendation", "Vote", "elbow", "majority", "recommend", "votes"]

#: Gaps are believed up to this p-value. Below the .05 of surveys of a single cloud that may be
#: called more: the cloud that matches bent or five-point data is not quite theirs, and at .05 some
#: were called so in 7 to 10% of 100 simulated surveys (at .025 in 5%; a cube in 7%).
ALPHA = 0.03
#: A division speaks for itself where its cluster exceeds single clouds by more than one standard
#: deviation, and none counts for or against by more than two: in simulated surveys like the planted
#: ones of tests/benchmarks/segments_choice.py (other draws) a bar of .75 to 1.5 was right most
#: often, and where the counts end made no difference from 1 to 8.
_WORTH, _CAP = 1.0, 2.0
#: Hartigan's own threshold (1975, ch. 4), and Tibshirani & Walther's (2005).
_HARTIGAN, _STRENGTH = 10.0, 0.8
#: Two scores closer than this are equal but for rounding.
_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Vote:
    """What one rule says.

    Attributes
    ----------
    rule : str
        Its name.
    k : int or None
        The number of clusters; None where the rule cannot say.
    statistic : float
        The index at that k; NaN where there is none.
    meaning : str
        How the rule reads its index.
    """

    rule: str
    k: int | None
    statistic: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A number of clusters, the next best, and why.

    Attributes
    ----------
    k : int
        1 where the people are no more clustered than one cloud.
    runner_up : int or None
        None where there is no other.
    reason, runner_up_reason : str
        In words for a reader without statistics; the second is empty where there is no runner-up.
    score : ndarray, shape (s,)
        Evidence for k = 1, 2, ...: what its divisions have for them less what they have against
        them; above 0 where they follow gaps on the whole.
    eligible : bool
        False where nothing met the conditions, and k is for illustration.
    """

    k: int
    runner_up: int | None
    reason: str
    runner_up_reason: str
    score: FloatArray
    eligible: bool


def recommend(
    indices: Indices,
    test: CloudTest,
    nodes: NodeTests,
    *,
    eligible: BoolArray,
    alpha: float = ALPHA,
) -> Recommendation:
    """Recommend a number of clusters and a runner-up.

    Parameters
    ----------
    indices : Indices
        For k = 1 to s.
    test : CloudTest
        Of all people.
    nodes : NodeTests
        Of the clusters divided next, for k = 1 to s - 1.
    eligible : ndarray of bool, shape (s,)
        Numbers of clusters whose clusters are large enough and come back; that of k = 1 does not
        matter.
    alpha : float

    Returns
    -------
    Recommendation

    Raises
    ------
    ValueError
        Where the shapes do not belong together.

    Notes
    -----
    The rule. (1) Where all people together have no deeper gaps than the single cloud that
    matches them (p above alpha), k = 1, and the runner-up is the eligible division of highest
    average silhouette: a useful cut of a continuum. (2) Otherwise each division that the tree makes
    on its way to k is judged by itself: it counts for k by how far the cluster it divides exceeds
    single clouds of its own covariance, less one standard deviation, held to two either way. The
    eligible k of highest total is recommended, of equal ones the smallest; the next highest is the
    runner-up. (3) Where no division is eligible, the same among all, said so.
    """
    n_cuts = len(indices.k)
    if len(nodes.excess) != n_cuts - 1 or eligible.shape != (n_cuts,):
        msg = (
            f"{n_cuts} cuts take {n_cuts - 1} tests of clusters and {n_cuts} flags, not "
            f"{len(nodes.excess)} and {eligible.shape}"
        )
        raise ValueError(msg)
    steps = np.clip(nodes.excess - _WORTH, -_CAP, _CAP)
    score = np.append(0.0, np.cumsum(steps))
    allowed = eligible & (indices.k >= 2)
    if test.p_value > alpha or n_cuts == 1:
        return _one_cloud(indices, test, score, allowed)
    any_allowed = bool(allowed.any())
    order = _ranked(score, allowed if any_allowed else indices.k >= 2)
    k = order[0]
    runner_up = order[1] if len(order) > 1 else None
    reason = (
        "There are gaps between groups of people that one cloud of people with the same "
        f"correlations would not have (p = {test.p_value:.2f}). {_divisions(nodes, k, alpha)}"
    )
    best = int(score[1:].round(_DECIMALS).argmax()) + 2
    if any_allowed and not allowed[best - 1]:
        reason += (
            f" {best} segments would follow the gaps more closely, but at least one of them is too "
            "small or does not come back when the survey is repeated."
        )
    if not any_allowed:
        reason += (
            " No number of segments gives groups that are all large enough and come back when the "
            "survey is repeated: this one is for illustration."
        )
    return Recommendation(
        k=k,
        runner_up=runner_up,
        reason=reason,
        runner_up_reason="" if runner_up is None else _against(k, runner_up, score),
        score=score,
        eligible=any_allowed,
    )


def votes(
    indices: Indices, *, gap: Gap | None = None, strength: FloatArray | None = None
) -> tuple[Vote, ...]:
    """Say which k each index stands for by its customary rule.

    Parameters
    ----------
    indices : Indices
    gap : Gap, optional
    strength : ndarray, shape (s,), optional
        Prediction strength for k = 1, 2, ...

    Returns
    -------
    tuple of Vote
        Only the gap, prediction strength, Hartigan and Duda-Hart can say 1.
    """
    ks = indices.k
    out = [
        Vote(
            "elbow of the within sum of squares",
            elbow(indices.within),
            np.nan,
            "where the curve bends most: farthest below the line from its first to its last point",
        ),
        _extreme("silhouette", ks, indices.silhouette, "highest"),
        _extreme("Calinski-Harabasz", ks, indices.calinski_harabasz, "highest"),
        _extreme("Davies-Bouldin", ks, -indices.davies_bouldin, "lowest"),
        _extreme("Dunn", ks, indices.dunn, "highest"),
        _extreme("height jump", ks, indices.height_jump, "highest"),
        _first(
            "Hartigan",
            indices.hartigan,
            indices.hartigan <= _HARTIGAN,
            f"first at or below {_HARTIGAN:g}",
        ),
        _first(
            "Duda-Hart",
            indices.duda_hart,
            indices.duda_hart >= indices.duda_hart_critical,
            "first at or above its critical value",
        ),
    ]
    if gap is not None:
        out.append(Vote("gap", gap.k, float(gap.gap[gap.k - 1]), "first within one se of the next"))
    if strength is not None:
        k = int(np.flatnonzero(strength >= _STRENGTH).max(initial=0)) + 1
        meaning = f"largest k of at least {_STRENGTH:g}"
        out.append(Vote("prediction strength", k, float(strength[k - 1]), meaning))
    return tuple(out)


def majority(said: tuple[Vote, ...]) -> int | None:
    """Return the k that most rules say, of equal ones the smallest; None where none says any."""
    heard = Counter(vote.k for vote in said if vote.k is not None)
    return min(heard, key=lambda k: (-heard[k], k)) if heard else None


def elbow(within: FloatArray) -> int | None:
    """Return the k (from 1) whose point lies farthest below the line from first to last.

    None where there are fewer than 3 points or nothing falls.

    References
    ----------
    Satopaa, Albrecht, Irwin & Raghavan (2011), ICDCS Workshops, 166-171.
    """
    n = len(within)
    if n < 3 or within[0] <= within[-1]:
        return None
    line = 1 - np.arange(n) / (n - 1)
    below = line - (within - within[-1]) / (within[0] - within[-1])
    return int(below.round(_DECIMALS).argmax()) + 1


def _one_cloud(
    indices: Indices, test: CloudTest, score: FloatArray, allowed: BoolArray
) -> Recommendation:
    order = _ranked(np.nan_to_num(indices.silhouette, nan=-1.0), allowed)
    runner_up = order[0] if order else None
    reason = (
        "There are no gaps between groups of people beyond those that one cloud of people with the "
        f"same correlations would have (p = {test.p_value:.2f}): people differ by degrees."
    )
    words = (
        ""
        if runner_up is None
        else f"If segments are wanted all the same, {runner_up} divide the continuum most "
        "compactly, of all numbers whose segments are large enough and come back when the survey "
        "is repeated."
    )
    return Recommendation(1, runner_up, reason, words, score, eligible=True)


def _ranked(score: FloatArray, allowed: BoolArray) -> list[int]:
    """Return the allowed k by descending score, equal ones by ascending k."""
    order = np.lexsort([np.arange(len(score)), -score.round(_DECIMALS)])
    return [int(j) + 1 for j in order if allowed[j]]


def _divisions(nodes: NodeTests, k: int, alpha: float) -> str:
    shown = int((nodes.p_value[: k - 1] <= alpha).sum())
    further = int((nodes.p_value[k - 1 :] <= alpha).sum())
    if shown == 0:
        text = f"{k} segments are the best of a weak lot: none of their borders is sure to be a gap"
    elif k == 2:
        text = "2 segments have a gap between them"
    elif shown == k - 1:
        text = f"Each of the {k - 1} divisions that lead to {k} segments runs along a gap"
    else:
        text = f"Of the {k - 1} divisions that lead to {k} segments {shown} "
        text += "runs along a gap" if shown == 1 else "run along a gap"
    if k - 1 == len(nodes.p_value):
        return f"{text}; more segments were not looked at."
    if further == 0:
        return f"{text}; any further one would cut through a group without gaps."
    return f"{text}; most further ones would cut through groups without gaps."


def _against(k: int, runner_up: int, score: FloatArray) -> str:
    close = score[k - 1] - score[runner_up - 1] < _WORTH
    how = "almost as well" if close else "less well"
    what = "fewer and coarser" if runner_up < k else "more and finer"
    return (
        f"{runner_up} segments follow the gaps {how}. They are {what}: take them where they are "
        "easier to act on."
    )


def _extreme(rule: str, ks: np.ndarray, values: FloatArray, which: str) -> Vote:
    """Vote for the highest value; the caller turns the sign where low is good."""
    if np.isnan(values).all():
        return Vote(rule, None, np.nan, which)
    j = int(np.nan_to_num(values, nan=-np.inf).round(_DECIMALS).argmax())
    return Vote(rule, int(ks[j]), float(-values[j] if which == "lowest" else values[j]), which)


def _first(rule: str, values: FloatArray, holds: BoolArray, meaning: str) -> Vote:
    found = np.flatnonzero(holds & ~np.isnan(values))
    if not len(found):
        return Vote(rule, None, np.nan, meaning)
    return Vote(rule, int(found[0]) + 1, float(values[found[0]]), meaning)
