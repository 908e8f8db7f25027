"""Which R function builds which tree and which flat division, and what it cannot take.

Owns the words of refusal and R's form of a tree; asks nothing of R itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from psychoseg.engines.base import FlatMethod, FloatArray, TreeMethod, no_distances, unequal
from psychoseg.errors import EngineError

__all__ = [
    "R_TREES",
    "RFunction",
    "all_equal",
    "check_division",
    "counts_weights",
    "flat_function",
    "scipy_linkage",
    "slowness",
    "tree_function",
]

R_TREES = ("auto", "hclust", "fastcluster", "agnes", "hcut")

#: A tree's name in hclust, and in agnes where that has it.
_HCLUST: dict[TreeMethod, str] = {
    "ward": "ward.D2",
    "average": "average",
    "complete": "complete",
    "single": "single",
    "centroid": "centroid",
    "mcquitty": "mcquitty",
}
_AGNES: dict[TreeMethod, str] = {
    "ward": "ward",
    "average": "average",
    "complete": "complete",
    "single": "single",
    "mcquitty": "weighted",
}
#: Trees that do not depend on how many rows lie at a point.
_WITHOUT_SIZES = ("complete", "single", "mcquitty")
_FLAT = {"pam": "cluster", "kmeans": "stats"}
#: Weights that differ by rounding alone are equal.
_SAME_WEIGHT = 1e-12
#: Rows above which a tree builder without a fast algorithm is worth a word.
_SLOW_ROWS = 2000
#: Measured with R 4.2.2 on 2 cores; cluster 2.1.4, factoextra 1.0.7.
_SLOWNESS = {
    "agnes": "cluster::agnes took 5 to 15 s at 2,000 rows and 279 s at 5,000, hclust .1 s and 1 s",
    "hcut": "factoextra::hcut took twice as long as hclust at 5,000 rows, for the same tree",
}


@dataclass(frozen=True, slots=True)
class RFunction:
    """A function of R.

    Attributes
    ----------
    call : str
        Its wrapper in ``r_engine.R``.
    package : str
    name : str
    method : str
        The method's name there.
    """

    call: str
    package: str
    name: str
    method: str

    @property
    def label(self) -> str:
        """Return ``package::name``."""
        return f"{self.package}::{self.name}"

    @property
    def packages(self) -> list[str]:
        """Return the packages it needs beside those that R always has."""
        return [] if self.package == "stats" else [self.package]


def counts_weights(tree: str, method: TreeMethod | FlatMethod) -> bool:
    """Return whether a method takes a weight for each point, or gives the same without."""
    if method in _WITHOUT_SIZES:
        return True
    return method in _HCLUST and tree in ("auto", "hclust", "fastcluster")


def check_division(
    tree: str, method: TreeMethod | FlatMethod, *, weighted: bool, gower: bool
) -> None:
    """Raise where R cannot divide by a method, whoever the people are.

    Parameters
    ----------
    tree : {"auto", "hclust", "fastcluster", "agnes", "hcut"}
    method : str
    weighted : bool
        Whether people count unequally.
    gower : bool
        Whether a flat method would be given Gower's distances.

    Raises
    ------
    EngineError
        With the words of :func:`tree_function` and :func:`flat_function`.
    """
    if method in get_args(FlatMethod):
        _flat(method, None, weighted=weighted, distances=gower)
    else:
        _tree(tree, method, None, weighted=weighted)


def tree_function(
    tree: str, method: TreeMethod, weights: FloatArray, distances: FloatArray | None
) -> RFunction:
    """Return what builds a tree.

    Parameters
    ----------
    tree : {"hclust", "fastcluster", "agnes", "hcut"}
    method : str
    weights : ndarray, shape (m,)
    distances : ndarray, shape (m, m), or None

    Returns
    -------
    RFunction

    Raises
    ------
    EngineError
        Where there are fewer than two points, R has no such tree, or not as asked.
    """
    if len(weights) < 2:
        raise EngineError(f"a tree needs at least 2 different points, and there is {len(weights)}")
    if distances is not None and method in ("ward", "centroid"):
        raise EngineError(
            f"{method} merges means, so it takes coordinates, not distances such as Gower's. "
            'Use method = "average", or [reduce] method = "components".'
        )
    return _tree(tree, method, weights, weighted=not all_equal(weights))


def flat_function(
    method: FlatMethod, k: int | None, weights: FloatArray, distances: FloatArray | None
) -> RFunction:
    """Return what makes a flat division.

    Raises
    ------
    EngineError
        Where R is not asked for this method, weights differ, or k is none that R takes.
    """
    weighted = not all_equal(weights)
    found = _flat(method, weights, weighted=weighted, distances=distances is not None)
    if k is None or not 1 <= k < len(weights):
        raise EngineError(
            f"{found.label} takes a k from 1 to one less than the {len(weights)} points, not {k}"
        )
    return found


def slowness(tree: str, method: TreeMethod, n: int) -> str | None:
    """Return what to say of a builder that is slow with so many points, or None."""
    if tree not in _SLOWNESS or n <= _SLOW_ROWS or method == "diana":
        return None
    package = "cluster" if tree == "agnes" else "factoextra"
    return (
        f"{package}::{tree} on {n:,} rows is slow: {_SLOWNESS[tree]}. "
        'tree = "hclust" builds the same tree.'
    )


def scipy_linkage(merge: FloatArray, height: FloatArray, *, monotone: bool) -> FloatArray:
    """Return an R tree as scipy's linkage matrix: leaves from 0, the lower number on the left.

    Parameters
    ----------
    merge : ndarray, shape (n - 1, 2)
    height : ndarray, shape (n - 1,)
    monotone : bool
        Whether heights only go down by rounding, which is then taken away: equal heights may come
        out of order by the last bit, and the order of the merges is right all the same.

    Returns
    -------
    ndarray, shape (n - 1, 4)
    """
    n = len(merge) + 1
    # R: -i is leaf i, +i the node of row i, both from 1.
    nodes = np.where(merge < 0, -merge - 1, n + merge - 1).astype(np.intp)
    nodes.sort(axis=1)
    sizes = np.ones(2 * n - 1)
    for row, (left, right) in enumerate(nodes):
        sizes[n + row] = sizes[left] + sizes[right]
    if monotone:
        height = np.maximum.accumulate(height)
    return np.column_stack([nodes, height, sizes[n:]]).astype(np.float64)


def all_equal(weights: FloatArray) -> bool:
    """Return whether weights are equal but for rounding."""
    return len(weights) == 0 or bool(np.ptp(weights) <= _SAME_WEIGHT * np.max(np.abs(weights)))


def _flat(
    method: TreeMethod | FlatMethod,
    weights: FloatArray | None,
    *,
    weighted: bool,
    distances: bool,
) -> RFunction:
    if method not in _FLAT:
        raise EngineError(
            f'the r engine divides by {", ".join(_FLAT)}, not by {method!r}. Use engine = "python".'
        )
    found = RFunction(f"flat_{method}", _FLAT[method], method, method)
    if distances and method != "pam":
        raise no_distances(found.label)
    if weighted:
        raise EngineError(
            f'{found.label} takes no case weights, {unequal(weights)}. Use engine = "python".'
        )
    return found


def _tree(
    tree: str, method: TreeMethod | FlatMethod, weights: FloatArray | None, *, weighted: bool
) -> RFunction:
    found = _function(tree, method)
    if weighted and not counts_weights(tree, method):
        remedy = 'method = "average"' if method == "diana" else 'tree = "hclust"'
        raise EngineError(
            f"{found.label} builds trees without case weights, {unequal(weights)}. Use {remedy}."
        )
    return found


def _function(tree: str, method: TreeMethod | FlatMethod) -> RFunction:
    if method == "diana":
        if tree not in ("auto", "hcut"):
            raise EngineError(
                f"{tree} merges from below, and diana divides from above. "
                'Use tree = "auto" or "hcut".'
            )
        if tree == "hcut":
            return RFunction("tree_hcut", "factoextra", "hcut", "diana")
        return RFunction("tree_diana", "cluster", "diana", "diana")
    if method not in _HCLUST:
        raise EngineError(
            f"the r engine builds trees by {', '.join(_HCLUST)} and diana, not by {method!r}"
        )
    if tree == "agnes":
        if method not in _AGNES:
            raise EngineError(
                f"cluster::agnes builds trees by {', '.join(_AGNES)}, not by {method}. "
                'Use tree = "hclust".'
            )
        return RFunction("tree_agnes", "cluster", "agnes", _AGNES[method])
    if tree == "hcut":
        return RFunction("tree_hcut", "factoextra", "hcut", _HCLUST[method])
    package = "stats" if tree == "hclust" else "fastcluster"
    return RFunction(f"tree_{tree}", package, "hclust", _HCLUST[method])
