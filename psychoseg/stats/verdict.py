"""What a division is: natural, reproducible or constructed, from its tests and its resamples.

Owns the rule. Never computes a test (``null_cloud``) or a resample (``stability``).
"""

from __future__ import annotations

from typing import Literal

from psychoseg.stats.choice import ALPHA
from psychoseg.stats.null_cloud import CloudTest

__all__ = ["EACH_JACCARD", "MEAN_JACCARD", "Kind", "verdict"]

Kind = Literal["natural", "reproducible", "constructed"]

#: Hennig's bands: a segment is valid from .75 on, and below .6 not to be trusted. Hennig (2007),
#: as given in ``fpc::clusterboot``.
MEAN_JACCARD, EACH_JACCARD = 0.75, 0.6


def verdict(
    test: CloudTest,
    *,
    supported: bool,
    large: bool,
    jaccard_mean: float,
    jaccard_min: float,
    mean_needed: float = MEAN_JACCARD,
    each_needed: float = EACH_JACCARD,
    alpha: float = ALPHA,
) -> Kind:
    """Say which of Dolnicar and Leisch's three a division is.

    Parameters
    ----------
    test : CloudTest
        Of all people.
    supported : bool
        Whether the divisions that lead to this one have more for them than against them: a score
        above 0 in :class:`Recommendation`.
    large : bool
        Whether each segment is large enough.
    jaccard_mean, jaccard_min : float
        Mean over the people, and least of the segments, of how far they come back in resamples;
        NaN counts as not coming back.
    mean_needed, each_needed : float
        What these must reach.
    alpha : float

    Returns
    -------
    {"natural", "reproducible", "constructed"}
        Natural: there are gaps that a single cloud does not have (p at most alpha) and this
        division is one that follows them, into segments all large enough. Reproducible: not so,
        but the same segments, all large enough, come back from resample to resample. Constructed:
        neither.

    References
    ----------
    Dolnicar & Leisch (2010), Marketing Letters 21, 83-101.
    """
    if test.p_value <= alpha and supported and large:
        return "natural"
    comes_back = jaccard_mean >= mean_needed and jaccard_min >= each_needed
    return "reproducible" if large and comes_back else "constructed"
