"""One door to every way of dividing people: trees and flat methods, exact or by micro-clusters.

Owns which rows, distances or answers a method takes, and how large a survey it takes exactly. Never
says how many segments there are (``number`` does), and never draws people (``certainty`` does).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.engines.base import Engine, FlatMethod, PartitionOptions, TreeMethod
from psychoseg.engines.python import PythonEngine
from psychoseg.errors import EngineError, PsychosegWarning, tell
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, weighted_means
from psychoseg.stats.indices import nested_cuts
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.micro_clusters import micro_clusters
from psychoseg.stats.partition import consolidate
from psychoseg.study import SegmentsSettings
from psychoseg.study_segments import FINDS_K, TREE_METHODS, SegmentMethod

__all__ = [
    "METHOD_NAMES",
    "Divider",
    "Division",
    "by_size",
    "divider_of",
    "for_resamples",
    "grow_tree",
]

#: Distinct respondents up to which a method divides them all; beyond, micro-clusters stand for
#: them. All distances of 10,000 take 0.8 GB; k-medoids needs several such arrays.
_MOST_POINTS = {
    "average": 10_000,
    "complete": 10_000,
    "mcquitty": 10_000,
    "diana": 10_000,
    "single": 50_000,
    "centroid": 50_000,
    "pam": 5_000,
}
#: Micro-clusters that stand for the people where exact Ward does not take them all.
_MICRO = 20_000
#: Leaves of the tree that is drawn over a flat division of more people than that.
_LEAVES = 2_000
#: Points from which hundreds of trees gain more by the compiled Ward (.02 s instead of .05 s at
#: 1,200) than loading it takes; the trees are the same.
_COMPILED_FROM = 500
#: By which part a merge of segments is at least higher than what is below it: seen by programs
#: that read a tree to 9 digits, and by nobody who looks at it.
_STEP = 1e-6
#: Mixtures, whose starts cost most, and how many they get.
_MIXTURES, _MIXTURE_STARTS = ("gmm", "lca"), 20
#: Random starts of a flat method in a resample; a mixture has one.
_FEW_STARTS = 3
#: What a reader calls the methods.
METHOD_NAMES: dict[SegmentMethod, str] = {
    "ward": "Ward's tree",
    "average": "average linkage tree",
    "complete": "complete linkage tree",
    "single": "single linkage tree",
    "centroid": "centroid tree",
    "mcquitty": "McQuitty's tree",
    "diana": "divisive tree (DIANA)",
    "kmeans": "k-means",
    "minibatch": "mini-batch k-means",
    "pam": "k-medoids (PAM)",
    "gmm": "Gaussian mixture",
    "lca": "latent classes of the items",
    "dbscan": "DBSCAN",
    "hdbscan": "HDBSCAN",
}
_BY_DISTANCE = ("average", "complete", "single", "mcquitty", "diana", "pam")


@dataclass(frozen=True, slots=True)
class Division:
    """Points divided into several numbers of segments.

    Attributes
    ----------
    labels : ndarray of int, shape (n, s)
        One column a number of segments, 0 to k - 1 by descending weight; those whom a density
        method leaves out come last.
    tree : ndarray or None
        scipy's linkage matrix over the leaves, None for a flat method.
    leaf_of : ndarray of int, shape (n,)
    unassigned : bool
        Whether the last segment is of those left out.
    bic, icl : ndarray, shape (s,)
        NaN where the method has none.
    moved : ndarray of bool, shape (n, s)
        Points that consolidation moved.
    n_micro : int
        Micro-clusters that stood for the points; 0 where all is exact.
    """

    labels: IntArray
    tree: FloatArray | None
    leaf_of: IntArray
    unassigned: bool
    bic: FloatArray
    icl: FloatArray
    moved: BoolArray
    n_micro: int = 0


@dataclass(frozen=True, slots=True)
class Divider:
    """A method of dividing points, with its options.

    Attributes
    ----------
    method : str
    engine : Engine
    options : PartitionOptions
    consolidate : bool
    exact_points : int
        Points up to which Ward's tree is exact.
    gower : bool
        Whether distances are squares of the coordinates' where none are given.
    seed : int
        Of the random starts.
    many : bool
        Whether it divides again and again, so that loading the compiled Ward pays early.
    """

    method: SegmentMethod
    engine: Engine
    options: PartitionOptions = field(default_factory=PartitionOptions)
    consolidate: bool = False
    exact_points: int = 1_000_000
    gower: bool = False
    seed: int = 0
    many: bool = False

    def __call__(self, x: FloatArray, weights: FloatArray, ks: Sequence[int]) -> IntArray:
        """Return labels (n, s), as a resample wants them.

        What a search has to say is said of the people themselves, not of each resample. Where a
        mixture cannot divide a resample into so many, its last division stands in, whose segments
        have then not come back.
        """
        if not self.engine.takes_weights_for(self.method):
            # Nobody was merged, so that a weight says how often somebody was drawn.
            times = np.maximum(np.rint(weights), 1).astype(np.intp)
            x, weights = np.repeat(x, times, axis=0), np.ones(times.sum())
        else:
            times = np.ones(len(x), dtype=np.intp)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            try:
                labels = self.divide(x, weights, ks).labels
            except EngineError:
                if self.method != "gmm":
                    raise
                labels = np.zeros((len(x), 1), dtype=np.intp)
        if labels.shape[1] < len(ks) and self.method not in FINDS_K:
            missing = len(ks) - labels.shape[1]
            labels = np.hstack([labels, labels[:, -1:].repeat(missing, axis=1)])
        found: IntArray = labels[np.cumsum(times) - times]
        return found

    def divide(
        self,
        x: FloatArray,
        weights: FloatArray,
        ks: Sequence[int],
        *,
        distances: FloatArray | None = None,
    ) -> Division:
        """Divide points into each of several numbers of segments.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            Coordinates; answers for latent class analysis.
        weights : ndarray, shape (n,)
        ks : sequence of int
            Ascending; without meaning for a density method, which finds its own. A mixture that
            has no fit from some number on stops there, and says so.
        distances : ndarray, shape (n, n), optional
            Instead of those of the coordinates, for methods that go by distances.

        Returns
        -------
        Division
        """
        limit = _MOST_POINTS.get(self.method, len(x))
        if self.method == "ward":
            limit = self.exact_points
        if len(x) <= limit:
            return self._divided(x, weights, ks, distances)
        micro = micro_clusters(x, weights, size=min(limit, _MICRO))
        means, mass = weighted_means(x, weights, micro)
        coarse = self._divided(means, mass, ks, None)
        return replace(
            coarse,
            labels=coarse.labels[micro],
            leaf_of=coarse.leaf_of[micro],
            moved=coarse.moved[micro],
            n_micro=len(means),
        )

    def _divided(
        self, x: FloatArray, weights: FloatArray, ks: Sequence[int], distances: FloatArray | None
    ) -> Division:
        if self.method in _BY_DISTANCE and distances is None:
            if self.gower:
                distances = cdist(x, x, "sqeuclidean")
            elif self.method == "pam":
                distances = cdist(x, x)
        if self.method in TREE_METHODS:
            return self._cut(x, weights, ks, distances)
        return self._partitioned(x, weights, ks, distances)

    def _cut(
        self, x: FloatArray, weights: FloatArray, ks: Sequence[int], distances: FloatArray | None
    ) -> Division:
        if self.many and self.method == "ward" and len(x) >= _COMPILED_FROM:
            tree = ward_linkage(x, weights, compiled=True, threads=1)
        else:
            tree = self.engine.linkage(
                x,
                cast(TreeMethod, self.method),
                weights,
                distances=distances if self.method in _BY_DISTANCE else None,
            )
        cuts = nested_cuts(tree, min(max(ks), len(x)))
        labels = np.column_stack([by_size(cuts[:, min(k, len(x)) - 1], weights) for k in ks])
        moved = np.zeros(labels.shape, dtype=bool)
        if self.consolidate:
            for j in range(labels.shape[1]):
                better = consolidate(x, weights, labels[:, j])
                moved[:, j] = better.moved
                labels[:, j] = by_size(better.partition.labels, weights)
        none = np.full(len(ks), np.nan)
        return Division(labels, tree, np.arange(len(x)), False, none, none, moved)

    def _partitioned(
        self, x: FloatArray, weights: FloatArray, ks: Sequence[int], distances: FloatArray | None
    ) -> Division:
        columns: list[IntArray] = []
        bic, icl = [], []
        unassigned = False
        finds_k = self.method in FINDS_K
        most = len(x)
        if self.method == "lca":
            # People of different columns may have answered alike.
            most = len(np.unique(np.nan_to_num(x, nan=-1.0), axis=0))
        for k in [None] if finds_k else ks:
            try:
                found = self.engine.partition(
                    x,
                    cast(FlatMethod, self.method),
                    weights,
                    k=k if k is None else min(k, most),
                    rng=np.random.default_rng([self.seed, k or 0]),
                    options=self.options,
                    distances=distances,
                )
            except EngineError as error:
                if self.method != "gmm" or not columns:
                    raise
                tell(f"the panel ends before {k} segments: {error}")
                break
            bic.append(found.bic)
            icl.append(found.icl)
            own = found.labels.copy()
            unassigned = bool((own < 0).any())
            own[own < 0] = own.max() + 1
            columns.append(by_size(own, weights, last=int(own.max()) if unassigned else None))
        labels = np.column_stack(columns)
        return Division(
            labels,
            None,
            np.arange(len(x)),
            unassigned,
            np.array(bic),
            np.array(icl),
            np.zeros(labels.shape, dtype=bool),
        )


def divider_of(
    settings: SegmentsSettings, engine: Engine, rng: np.random.Generator, *, gower: bool
) -> Divider:
    """Return the divider that the settings ask for.

    Parameters
    ----------
    settings : SegmentsSettings
    engine : Engine
    rng : numpy.random.Generator
        Seeds the random starts.
    gower : bool

    Returns
    -------
    Divider
    """
    return Divider(
        method=settings.method,
        engine=engine,
        options=PartitionOptions(
            eps=settings.eps,
            min_samples=settings.min_samples,
            starts=_MIXTURE_STARTS if settings.method in _MIXTURES else PartitionOptions().starts,
        ),
        consolidate=settings.consolidate,
        exact_points=settings.exact_points,
        gower=gower,
        seed=int(rng.integers(2**31)),
    )


def for_resamples(divider: Divider) -> Divider:
    """Return the same divider for resamples: in this process wherever Python has the method."""
    starts = 1 if divider.method in _MIXTURES else _FEW_STARTS
    options = replace(divider.options, starts=starts)
    engine = divider.engine if divider.method == "diana" else PythonEngine()
    return replace(divider, engine=engine, options=options, many=True)


def by_size(labels: IntArray, weights: FloatArray, *, last: int | None = None) -> IntArray:
    """Renumber segments by descending weight, equal weights by their first point.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        0-based, none empty.
    weights : ndarray, shape (n,)
    last : int, optional
        A segment that comes last whatever its weight.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    k = int(labels.max()) + 1
    mass = np.bincount(labels, weights=weights, minlength=k)
    first = np.unique(labels, return_index=True)[1]
    # Rounded, so that two sums that differ by rounding alone count as equal.
    order = np.lexsort([first, -mass.round(9), np.arange(k) == (-1 if last is None else last)])
    rank = np.empty(k, dtype=np.intp)
    rank[order] = np.arange(k)
    return rank[labels]


def grow_tree(x: FloatArray, weights: FloatArray, labels: IntArray) -> tuple[FloatArray, IntArray]:
    """Grow Ward's tree within each segment and then over them.

    Cut into as many clusters as there are segments it gives the segments, so that a division that
    no tree was cut from has a dendrogram.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    weights : ndarray, shape (n,)
    labels : ndarray of int, shape (n,)
        0 to k - 1, none empty.

    Returns
    -------
    tree : ndarray, shape (l - 1, 4)
        A merge of segments is higher than any within one.
    leaf_of : ndarray of int, shape (n,)
        The points themselves; of many, micro-clusters.
    """
    leaf_of = np.arange(len(x))
    if len(x) > _MICRO:
        leaf_of = np.empty(len(x), dtype=np.intp)
        used = 0
        for segment in range(int(labels.max()) + 1):
            own = np.flatnonzero(labels == segment)
            size = max(1, round(_LEAVES * len(own) / len(x)))
            cells = micro_clusters(x[own], weights[own], size=size)
            leaf_of[own] = used + cells
            used += int(cells.max()) + 1
        x, mass = weighted_means(x, weights, leaf_of)
        labels = labels[np.unique(leaf_of, return_index=True)[1]]
        weights = mass
    n, k = len(x), int(labels.max()) + 1
    merges: list[tuple[float, int, int, int]] = []
    tops = np.empty(k, dtype=np.intp)
    name = n
    for segment in range(k):
        own = np.flatnonzero(labels == segment)
        tops[segment] = own[0]
        if len(own) > 1:
            part = ward_linkage(x[own], weights[own])
            ids = np.concatenate([own, np.arange(name, name + len(part))])
            for row, (a, b, height, _) in enumerate(part.tolist()):
                merges.append((height, int(ids[int(a)]), int(ids[int(b)]), name + row))
            name += len(part)
            tops[segment] = name - 1
    floor = max((merge[0] for merge in merges), default=0.0)
    # Stable, and children of a merge are never higher than it, so that they stay ahead of it.
    merges.sort(key=lambda merge: merge[0])
    if k > 1:
        centres, mass = weighted_means(x, weights, labels)
        over = ward_linkage(centres, mass)
        ids = np.concatenate([tops, np.arange(name, name + k - 1)])
        for row, (a, b, height, _) in enumerate(over.tolist()):
            # Strictly higher, so that a cut at a height gives the segments too.
            floor = max(height, floor * (1 + _STEP), np.finfo(float).tiny)
            merges.append((floor, int(ids[int(a)]), int(ids[int(b)]), name + row))
    node = np.arange(name + k)
    below = np.ones(2 * n - 1)
    tree = np.empty((n - 1, 4))
    for row, (height, a, b, own_name) in enumerate(merges):
        left, right = sorted((int(node[a]), int(node[b])))
        below[n + row] = below[left] + below[right]
        tree[row] = left, right, height, below[n + row]
        node[own_name] = n + row
    return tree, leaf_of
