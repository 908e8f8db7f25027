"""The protocol every engine keeps: a few raw computations, nothing derived and nothing decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from psychoseg.errors import EngineError
from psychoseg.stats.extraction import ExtractionMethod
from psychoseg.stats.rotation import RotationMethod

__all__ = [
    "CorrelationKind",
    "Engine",
    "ExtractionMethod",
    "FlatMethod",
    "FloatArray",
    "IntArray",
    "MissingRule",
    "PartitionOptions",
    "RawFactors",
    "RawPartition",
    "RotationMethod",
    "RotationOptions",
    "TreeMethod",
    "Variant",
    "by_weight",
    "centroid_warning",
    "no_distances",
    "unequal",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
CorrelationKind = Literal["pearson", "spearman", "polychoric", "mixed"]
MissingRule = Literal["pairwise", "listwise", "em"]
Variant = Literal["psych", "spss"]
TreeMethod = Literal["ward", "average", "complete", "single", "centroid", "mcquitty", "diana"]
FlatMethod = Literal["kmeans", "minibatch", "pam", "gmm", "lca", "dbscan", "hdbscan"]


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """What a rotation takes beside its name; see :func:`psychoseg.stats.rotation.rotate`.

    Attributes
    ----------
    variant : {"psych", "spss"}
        Whose conventions hold where programs differ: those of principal axes, promax and Kaiser's
        normalisation.
    kaiser : bool or None
        Kaiser's normalisation; the variant's habit where None.
    gamma, delta, power : float
        Of oblimin, geomin and promax.
    target : ndarray, shape (p, m), or None
        Of target rotation, NaN where free.
    """

    variant: Variant = "psych"
    kaiser: bool | None = None
    gamma: float = 0.0
    delta: float = 0.01
    power: float = 4.0
    target: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class RawFactors:
    """What a factor analysis returns before anything is ordered, turned or named.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings, factors in the order and with the signs the engine happened to give.
    phi : ndarray, shape (m, m)
        Factor correlations; the identity for an orthogonal rotation.
    uniquenesses : ndarray, shape (p,)
    """

    loadings: FloatArray
    phi: FloatArray
    uniquenesses: FloatArray


@dataclass(frozen=True, slots=True)
class PartitionOptions:
    """What a flat method takes beside the number of segments.

    Attributes
    ----------
    eps : float or None
        Of dbscan: the distance within which people are neighbours; read off the distances where
        None (:func:`psychoseg.engines.python_methods.k_distances`).
    min_samples : int
        Of dbscan: people, oneself included, within ``eps`` of whoever is not on the edge of a
        segment. Of hdbscan: that, and the least people of a segment.
    starts : int
        Of kmeans, minibatch, gmm and lca: searches from other beginnings, of which the best is
        kept.
    categories : tuple of int or None
        Of lca: how many categories each column has, whose codes then run from 0; as many as
        somebody chose where None.
    """

    eps: float | None = None
    min_samples: int = 10
    starts: int = 50
    categories: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class RawPartition:
    """What a flat method returns.

    Attributes
    ----------
    labels : ndarray of int, shape (m,)
        0 to k - 1 by descending weight, equal weights by first point; -1 for whom a density method
        leaves out.
    posterior : ndarray, shape (m, k), or None
        Of a mixture: how probable each segment is, columns as the labels. It may have columns more
        than there are labels: segments that are nobody's most probable one.
    bic, icl : float
        Of a mixture, lower is better, with the sum of the weights as the number of people; NaN
        where there is no likelihood.
    """

    labels: IntArray
    posterior: FloatArray | None
    bic: float
    icl: float


class Engine(Protocol):
    """Raw computations behind one small door.

    Something the reader must know (non-convergence, R's own warnings) is given as a
    :class:`psychoseg.errors.PsychosegWarning` through :func:`warnings.warn`. What an engine cannot
    do raises :class:`psychoseg.errors.EngineError`.
    """

    @property
    def name(self) -> str:
        """Return ``"python"`` or ``"r"``."""
        ...

    def correlate(
        self,
        items: FloatArray,
        kind: CorrelationKind,
        weights: FloatArray,
        *,
        missing: MissingRule = "pairwise",
        correction: float = 0.0,
    ) -> FloatArray:
        """Return correlations (p, p) of items (n, p)."""
        ...

    def factor(
        self,
        corr: FloatArray,
        n_factors: int,
        *,
        method: ExtractionMethod = "minres",
        rotation: RotationMethod = "oblimin",
        options: RotationOptions | None = None,
        n_obs: float,
    ) -> RawFactors:
        """Extract and rotate factors of a correlation matrix (p, p)."""
        ...

    def takes_weights_for(self, method: TreeMethod | FlatMethod) -> bool:
        """Return whether a method takes a weight for each point, or gives the same without."""
        ...

    def check(self, method: TreeMethod | FlatMethod, *, weighted: bool, gower: bool) -> None:
        """Raise the EngineError that dividing by a method would, whoever the people are.

        ``weighted`` is whether people count unequally; ``gower``, whether a flat method would be
        given Gower's distances. Trees of means take the coordinates that stand for these.
        """
        ...

    def linkage(
        self,
        x: FloatArray,
        method: TreeMethod,
        weights: FloatArray,
        *,
        distances: FloatArray | None = None,
    ) -> FloatArray:
        """Return scipy's linkage matrix (m-1, 4) of the points x (m, d), or of distances (m, m).

        Ward's heights are on the scale of R's ``hclust(method = "ward.D2")`` and scipy's ``ward``.
        A point of weight w counts as w identical points, so the height at which points or clusters
        a and b merge is ``sqrt(2 w_a w_b / (w_a + w_b)) * ||c_a - c_b||``. Heights of the others
        are distances, those of centroid too: the square root of ``hclust(d^2, "centroid")``. Ward
        and centroid take coordinates alone. Rows are in the order of the merges; centroid's heights
        may go down. The fourth column counts the rows of x below a node.
        """
        ...

    def partition(
        self,
        x: FloatArray,
        method: FlatMethod,
        weights: FloatArray,
        *,
        k: int | None,
        rng: np.random.Generator,
        options: PartitionOptions | None = None,
        distances: FloatArray | None = None,
    ) -> RawPartition:
        """Divide the points x (m, d), or for pam those of distances (m, m), into k segments.

        ``k`` is None for dbscan and hdbscan, which find it.
        """
        ...

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the programs behind this engine, for the manifest."""
        ...

    def close(self) -> None:
        """Let go of whatever the engine holds; it may be called twice."""
        ...


def centroid_warning(inversions: int) -> str:
    """Return what the reader must know of a centroid tree whose heights go down."""
    return (
        f"{inversions} merges of the centroid tree lie lower than a merge below them, as this "
        "method's may; a cut undoes the last merges, and heights are no evidence for a number of "
        'segments. method = "average" has no such merges'
    )


def no_distances(what: str) -> EngineError:
    """Return the refusal of a flat method that takes coordinates alone."""
    return EngineError(
        f"{what} divides coordinates, not distances such as Gower's. Use method = "
        '"pam", a tree by "average", or [reduce] method = "components".'
    )


def unequal(weights: FloatArray | None) -> str:
    """Return how weights differ that a method does not take; None where they are not known yet."""
    if weights is None:
        return "and the study has [weights]"
    return f"and these weights go from {weights.min():g} to {weights.max():g}"


def by_weight(labels: IntArray, weights: FloatArray) -> tuple[IntArray, list[int]]:
    """Give segments numbers by descending weight, equal weights by first point; -1 stays.

    Parameters
    ----------
    labels : ndarray of int, shape (m,)
        -1 for whom a density method leaves out.
    weights : ndarray, shape (m,)

    Returns
    -------
    labels : ndarray of int, shape (m,)
    order : list of int
        The former numbers, in the new order.
    """
    found, first = np.unique(labels, return_index=True)
    found, first = found[found >= 0], first[found >= 0]
    mass = np.array([weights[labels == j].sum() for j in found]) / weights.sum()
    # Rounded, so that two sums that differ by rounding alone count as equal.
    order = [int(found[i]) for i in np.lexsort([first, -mass.round(12)])]
    number = np.full(labels.max(initial=0) + 2, -1, dtype=np.intp)
    number[order] = np.arange(len(order))
    return number[labels], order
