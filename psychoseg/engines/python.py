"""The default engine: psychoseg's own array maths, with factor-analyzer's rotation; needs no R."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Literal

import numpy as np

from psychoseg.engines.base import CorrelationKind, FloatArray, RawFactors
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.correlation import pearson, polychoric
from psychoseg.stats.factor import communalities, extract_minres, oblimin_gradient
from psychoseg.stats.linkage import ward_linkage

__all__ = ["PYTHON_TREES", "PythonEngine"]

PythonTree = Literal["auto", "psychoseg", "scikit-learn", "scipy", "fastcluster"]
PYTHON_TREES = ("auto", "psychoseg", "scikit-learn", "scipy")
#: Norm of the projected gradient at which GPArotation, and so psych::fa, stops rotating.
_ROTATION_TOLERANCE = 1e-5
_ROTATION_STEPS = 5000


class PythonEngine:
    """Compute in this process.

    Parameters
    ----------
    tree : {"auto", "psychoseg", "scikit-learn", "scipy"}
        Who builds the tree. ``auto`` is psychoseg's own Ward, which takes weights; the other two do
        not.
    """

    def __init__(self, *, tree: str = "auto") -> None:
        if tree not in PYTHON_TREES:
            raise EngineError(
                f"the python engine has no tree builder {tree!r}; it has "
                f"{', '.join(PYTHON_TREES)}. "
                f'Trees built in R need engine = "r".'
            )
        self.tree = "psychoseg" if tree == "auto" else tree

    @property
    def name(self) -> str:
        """Return ``"python"``."""
        return "python"

    @property
    def takes_weights(self) -> bool:
        """Return whether the tree builder takes a weight for each point."""
        return self.tree == "psychoseg"

    def correlate(
        self, items: FloatArray, kind: CorrelationKind, weights: FloatArray
    ) -> FloatArray:
        """Return weighted pairwise-complete correlations, shape (p, p).

        Parameters
        ----------
        items : ndarray, shape (n, p)
            NaN where missing.
        kind : {"pearson", "polychoric"}
        weights : ndarray, shape (n,)

        Returns
        -------
        ndarray
            NaN for a pair without common rows or variance.
        """
        return pearson(items, weights) if kind == "pearson" else polychoric(items, weights)

    def factor(
        self,
        corr: FloatArray,
        n_factors: int,
        *,
        method: Literal["minres"] = "minres",
        rotation: Literal["oblimin", "none"] = "oblimin",
        n_obs: float,
    ) -> RawFactors:
        """Extract by minres, rotate by direct oblimin (gamma 0, no Kaiser weights).

        Parameters
        ----------
        corr : ndarray, shape (p, p)
        n_factors : int
        method : {"minres"}
        rotation : {"oblimin", "none"}
        n_obs : float
            Not used by minres; the protocol carries it for methods that need it.

        Returns
        -------
        RawFactors

        Warns
        -----
        PsychosegWarning
            Where extraction or rotation did not converge, or an item is a Heywood case.

        Notes
        -----
        The rotation is ``factor_analyzer.Rotator``, started from the unrotated axes like
        GPArotation's ``oblimin``, and its optimum is checked here, because it does not say when it
        has not converged.
        """
        found = extract_minres(corr, n_factors)
        if not found.converged:
            warnings.warn(
                f"minres did not converge for {n_factors} factors; try fewer factors",
                PsychosegWarning,
                stacklevel=2,
            )
        if len(found.heywood):
            places = ", ".join(str(i + 1) for i in found.heywood)
            warnings.warn(
                f"Heywood case: {len(found.heywood)} of {len(corr)} items (number {places} in name "
                f"order) are explained almost wholly by {n_factors} factors; look for duplicate "
                "items or use fewer factors",
                PsychosegWarning,
                stacklevel=2,
            )
        if rotation == "none" or n_factors == 1:
            return RawFactors(found.loadings, np.eye(n_factors), found.uniquenesses)
        loadings, phi = _oblimin(found.loadings)
        return RawFactors(loadings, phi, 1 - communalities(loadings, phi))

    def linkage(self, x: FloatArray, method: Literal["ward"], weights: FloatArray) -> FloatArray:
        """Return the Ward tree of the points as scipy's linkage matrix, shape (n-1, 4).

        Parameters
        ----------
        x : ndarray, shape (n, d)
        method : {"ward"}
        weights : ndarray, shape (n,)

        Returns
        -------
        ndarray

        Raises
        ------
        EngineError
            Where the tree builder takes no weights and the weights differ.
        """
        if self.takes_weights:
            return ward_linkage(x, weights)
        if len(weights) and np.ptp(weights) > 0:
            raise EngineError(
                f"{self.tree} builds trees without case weights, and these weights differ "
                f'({weights.min():g} to {weights.max():g}). Use tree = "psychoseg".'
            )
        tree = _scipy_ward(x) if self.tree == "scipy" else _sklearn_ward(x)
        if len(weights):
            tree[:, 2] *= np.sqrt(weights[0])
        return tree

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that compute."""
        names = ("numpy", "scipy", "factor-analyzer", "scikit-learn")
        return {name: version(name) for name in names}

    def close(self) -> None:
        """Do nothing: this engine holds nothing."""


def _oblimin(loadings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotate by direct oblimin (quartimin) and say so where it did not converge."""
    from factor_analyzer import Rotator

    rotator = Rotator(
        method="oblimin",
        normalize=False,
        gamma=0,
        max_iter=_ROTATION_STEPS,
        tol=_ROTATION_TOLERANCE / 100,
    )
    rotated = np.asarray(rotator.fit_transform(loadings), dtype=np.float64)
    phi = np.asarray(rotator.phi_, dtype=np.float64)
    distance = oblimin_gradient(rotated, phi)
    if not distance <= _ROTATION_TOLERANCE:
        warnings.warn(
            f"the oblimin rotation did not converge (gradient {distance:.1e} after "
            f"{_ROTATION_STEPS} steps); the loadings may differ between programs",
            PsychosegWarning,
            stacklevel=3,
        )
    return rotated, phi


def _scipy_ward(x: FloatArray) -> FloatArray:
    from scipy.cluster.hierarchy import linkage

    return np.asarray(linkage(x, method="ward"), dtype=np.float64)


def _sklearn_ward(x: FloatArray) -> FloatArray:
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(n_clusters=None, distance_threshold=0, linkage="ward").fit(x)
    children = np.sort(model.children_, axis=1)
    n = len(x)
    sizes = np.ones(2 * n - 1)
    for i, (left, right) in enumerate(children):
        sizes[n + i] = sizes[left] + sizes[right]
    return np.column_stack([children, model.distances_, sizes[n:]]).astype(np.float64)
