"""The protocol every engine keeps: a few raw computations, nothing derived and nothing decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["CorrelationKind", "Engine", "FloatArray", "RawFactors"]

FloatArray = npt.NDArray[np.float64]
CorrelationKind = Literal["pearson", "polychoric"]


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


class Engine(Protocol):
    """Raw computations behind one small door.

    Something the reader must know (non-convergence, a Heywood case, a smoothed matrix, R's own
    warnings) is given as a :class:`psychoseg.errors.PsychosegWarning` through
    :func:`warnings.warn`. What an engine cannot do raises :class:`psychoseg.errors.EngineError`.
    """

    @property
    def name(self) -> str:
        """Return ``"python"`` or ``"r"``."""
        ...

    def correlate(
        self, items: FloatArray, kind: CorrelationKind, weights: FloatArray
    ) -> FloatArray:
        """Return correlations (p, p) of items (n, p) over pairwise complete rows."""
        ...

    def factor(
        self,
        corr: FloatArray,
        n_factors: int,
        *,
        method: Literal["minres"] = "minres",
        rotation: Literal["oblimin", "none"] = "oblimin",
        n_obs: float,
    ) -> RawFactors:
        """Extract and rotate factors of a correlation matrix (p, p)."""
        ...

    def linkage(self, x: FloatArray, method: Literal["ward"], weights: FloatArray) -> FloatArray:
        """Return scipy's linkage matrix (n-1, 4) of the points x (n, d).

        Heights are on the scale of R's ``hclust(method = "ward.D2")`` and scipy's ``ward``. A point
        of weight w counts as w identical points, so the height at which points or clusters a and b
        merge is ``sqrt(2 w_a w_b / (w_a + w_b)) * ||c_a - c_b||``. The fourth column counts the
        rows of x below a node.
        """
        ...

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the programs behind this engine, for the manifest."""
        ...

    def close(self) -> None:
        """Let go of whatever the engine holds; it may be called twice."""
        ...
