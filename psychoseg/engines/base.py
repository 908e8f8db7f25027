"""The protocol every engine keeps: a few raw computations, nothing derived and nothing decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from psychoseg.stats.extraction import ExtractionMethod
from psychoseg.stats.rotation import RotationMethod

__all__ = [
    "CorrelationKind",
    "Engine",
    "ExtractionMethod",
    "FloatArray",
    "MissingRule",
    "RawFactors",
    "RotationMethod",
    "RotationOptions",
    "Variant",
]

FloatArray = npt.NDArray[np.float64]
CorrelationKind = Literal["pearson", "spearman", "polychoric", "mixed"]
MissingRule = Literal["pairwise", "listwise", "em"]
Variant = Literal["psych", "spss"]


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
