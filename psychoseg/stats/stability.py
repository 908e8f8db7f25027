"""Whether a division comes back when the survey is redrawn: the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.linkage import cut_tree, ward_linkage
from psychoseg.stats.validity import contingency

__all__ = ["bootstrap_jaccard"]

#: People drawn in a resample at the most: a tree costs time with the square of its points.
MAX_DRAWN = 4000


def bootstrap_jaccard(
    x: FloatArray,
    weights: FloatArray,
    counts: FloatArray,
    labels: Sequence[IntArray],
    *,
    rng: np.random.Generator,
    replicates: int = 50,
    progress: Callable[[], None] | None = None,
) -> list[FloatArray]:
    """Compute each cluster's mean Jaccard similarity to its best match in resampled Ward trees.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Distinct points in canonical order.
    weights : ndarray, shape (m,)
        Weight at each point.
    counts : ndarray, shape (m,)
        People at each point: a resample draws people.
    labels : sequence of s ndarrays of int, shape (m,)
        Divisions to judge, each with labels 0 to k - 1; a resample's tree is cut at the same k.
    rng : numpy.random.Generator
    replicates : int
    progress : callable, optional
        Called after each replicate.

    Returns
    -------
    list of s ndarrays, shape (k,)
        Mean over the resamples; one that drew nobody of a cluster, or a single point, counts 0.

    Notes
    -----
    People are drawn with replacement and bring their weights (at most :data:`MAX_DRAWN` of them).
    Similarity is by weight, over the points a resample drew, each counted once, as in
    ``fpc::clusterboot``.

    References
    ----------
    Hennig (2007), Comput. Stat. Data Anal. 52, 258-271.
    """
    n_people = round(float(counts.sum()))
    drawn = min(n_people, MAX_DRAWN)
    total = [np.zeros(int(lab.max()) + 1) for lab in labels]
    for _ in range(replicates):
        times = rng.multinomial(drawn, counts / counts.sum())
        here = np.flatnonzero(times)
        # One point alone is no tree: nothing came back.
        if len(here) < 2:
            continue
        tree = ward_linkage(x[here], weights[here] * times[here] / counts[here])
        for s, lab in enumerate(labels):
            k = len(total[s])
            again = cut_tree(tree, min(k, len(here)))
            table = contingency(lab[here], again, weights[here])
            size = table.sum(axis=1)
            union = size[:, None] + table.sum(axis=0) - table
            best = (table / np.where(union > 0, union, np.inf)).max(axis=1)
            # The table ends at the last cluster drawn; those behind it add nothing.
            total[s][: len(best)] += best
        if progress is not None:
            progress()
    return [t / replicates for t in total]
