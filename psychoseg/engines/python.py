"""The default engine: psychoseg's own array maths, other Python packages on request; needs no R."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.metadata import version
from typing import Literal, get_args

import numpy as np

from psychoseg.engines.base import (
    CorrelationKind,
    ExtractionMethod,
    FlatMethod,
    FloatArray,
    MissingRule,
    PartitionOptions,
    RawFactors,
    RawPartition,
    RotationMethod,
    RotationOptions,
    TreeMethod,
    centroid_warning,
    no_distances,
    unequal,
)
from psychoseg.engines.python_methods import flat_partition
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.correlation import (
    MAX_CATEGORIES,
    ItemKind,
    mixed_correlation,
    pearson,
    polychoric,
    spearman,
)
from psychoseg.stats.extraction import extract, extract_principal_axes
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.linkages import MOST_POINTS, count_inversions, linkage_of
from psychoseg.stats.rotation import rotate, uses_kaiser

__all__ = ["PYTHON_ROTATORS", "PYTHON_TREES", "PythonEngine"]

PythonTree = Literal["auto", "psychoseg", "scikit-learn", "scipy", "fastcluster"]
PYTHON_TREES = ("auto", "psychoseg", "scikit-learn", "scipy")
PYTHON_ROTATORS = ("psychoseg", "factor-analyzer")
#: Rotations that factor_analyzer 0.5.1's Rotator does as their authors and GPArotation do, by its
#: names. Its equamax is another criterion, and Kaiser's normalisation it knows for the first two.
_ROTATOR = {
    "varimax": "varimax",
    "promax": "promax",
    "quartimax": "quartimax",
    "oblimin": "oblimin",
    "quartimin": "quartimin",
    "geomin_t": "geomin_ort",
    "geomin_q": "geomin_obl",
}
#: Trees in which the weight of a point plays a part.
_WEIGHTED = ("ward", "average", "centroid")
#: Methods of scikit-learn's AgglomerativeClustering and of scipy's linkage, by their names.
_SKLEARN_TREES = {"ward": "ward", "average": "average", "complete": "complete", "single": "single"}
_SCIPY_TREES = {**_SKLEARN_TREES, "centroid": "centroid", "mcquitty": "weighted"}
_ROTATOR_STEPS = 5000
_ROTATOR_TOLERANCE = 1e-7


class PythonEngine:
    """Compute in this process.

    Parameters
    ----------
    tree : {"auto", "psychoseg", "scikit-learn", "scipy"}
        Who builds the tree. ``auto`` is psychoseg's own Ward, which takes weights; the other two do
        not.
    rotator : {"psychoseg", "factor-analyzer"}
        Who rotates: psychoseg's own gradient projection, or ``factor_analyzer.Rotator`` as a second
        opinion.
    """

    def __init__(self, *, tree: str = "auto", rotator: str = "psychoseg") -> None:
        if tree not in PYTHON_TREES:
            raise EngineError(
                f"the python engine has no tree builder {tree!r}; it has "
                f"{', '.join(PYTHON_TREES)}. "
                f'Trees built in R need engine = "r".'
            )
        if rotator not in PYTHON_ROTATORS:
            raise EngineError(
                f"the python engine has no rotator {rotator!r}; it has "
                f"{', '.join(PYTHON_ROTATORS)}."
            )
        self.tree = "psychoseg" if tree == "auto" else tree
        self.rotator = rotator

    @property
    def name(self) -> str:
        """Return ``"python"``."""
        return "python"

    def correlate(
        self,
        items: FloatArray,
        kind: CorrelationKind,
        weights: FloatArray,
        *,
        missing: MissingRule = "pairwise",
        correction: float = 0.0,
    ) -> FloatArray:
        """Return weighted correlations, shape (p, p).

        Parameters
        ----------
        items : ndarray, shape (n, p)
            NaN where missing.
        kind : {"pearson", "spearman", "polychoric", "mixed"}
            ``mixed`` takes items with more than 20 different answers as continuous, and the others
            as ordinal.
        weights : ndarray, shape (n,)
        missing : {"pairwise", "listwise", "em"}
            ``em`` for Pearson alone.
        correction : float
            Added to the empty cells of ordinal pairs.

        Returns
        -------
        ndarray
            NaN for a pair without common rows or variance.

        Raises
        ------
        EngineError
            For ``em`` with another kind.
        ValueError
            Where an ordinal item has too many answers.
        """
        if kind == "pearson":
            return pearson(items, weights, missing=missing)
        if missing == "em":
            raise EngineError(
                f'missing = "em" estimates Pearson correlations, not {kind} ones. Use "pairwise" '
                'or "listwise", or correlation = "pearson".'
            )
        if kind == "spearman":
            return spearman(items, weights, missing=missing)
        if kind == "mixed":
            wide = [len(np.unique(x[~np.isnan(x)])) > MAX_CATEGORIES for x in items.T]
            kinds: list[ItemKind] = ["continuous" if many else "ordinal" for many in wide]
            return mixed_correlation(items, kinds, weights, correction=correction, missing=missing)
        return polychoric(items, weights, correction=correction, missing=missing)

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
        """Extract and rotate factors.

        Parameters
        ----------
        corr : ndarray, shape (p, p)
        n_factors : int
        method : {"minres", "ml", "principal_axes", "components"}
        rotation : str
            One of :data:`psychoseg.stats.rotation.ROTATIONS`.
        options : RotationOptions, optional
        n_obs : float
            Not used: no method's loadings depend on it. The protocol carries it for R.

        Returns
        -------
        RawFactors

        Raises
        ------
        ValueError
            As extraction and rotation do.
        EngineError
            Where factor-analyzer is to rotate and cannot, or does not as its authors say.

        Warns
        -----
        PsychosegWarning
            Where extraction or rotation did not converge.
        """
        options = options or RotationOptions()
        if method == "principal_axes":
            found = extract_principal_axes(corr, n_factors, convention=options.variant)
        else:
            found = extract(corr, n_factors, method=method)
        if not found.converged:
            warnings.warn(
                f"the extraction ({method}) did not converge for {n_factors} factors after "
                f"{found.iterations} steps; try fewer factors",
                PsychosegWarning,
                stacklevel=2,
            )
        if self.rotator == "factor-analyzer" and rotation != "none" and n_factors > 1:
            loadings, phi = _rotated_by_factor_analyzer(found.loadings, rotation, options)
            return RawFactors(loadings, phi, found.uniquenesses)
        turned = rotate(
            found.loadings,
            rotation,
            variant=options.variant,
            kaiser=options.kaiser,
            gamma=options.gamma,
            delta=options.delta,
            power=options.power,
            target=options.target,
        )
        if not turned.converged:
            warnings.warn(
                f"the {rotation} rotation did not converge (gradient {turned.gradient:.1e} after "
                f"{turned.iterations} steps); the loadings may differ between programs",
                PsychosegWarning,
                stacklevel=2,
            )
        return RawFactors(turned.loadings, turned.phi, found.uniquenesses)

    def takes_weights_for(self, method: TreeMethod | FlatMethod) -> bool:
        """Return whether a method takes a weight for each point, or gives the same without.

        hdbscan takes whole numbers alone, and R's diana none.
        """
        if method in _WEIGHTED:
            return self.tree == "psychoseg"
        return method != "diana"

    def check(self, method: TreeMethod | FlatMethod, *, weighted: bool, gower: bool) -> None:
        """Raise what dividing by a method would raise, whoever the people are.

        Parameters
        ----------
        method : str
        weighted : bool
            Whether people count unequally.
        gower : bool
            Whether a flat method would be given Gower's distances.

        Raises
        ------
        EngineError
            Where this engine, or its tree builder, cannot do it.
        """
        if method not in get_args(FlatMethod):
            self._check_builder(method, None, weighted=weighted)
        elif gower and method != "pam":
            raise no_distances(method)

    def linkage(
        self,
        x: FloatArray,
        method: TreeMethod,
        weights: FloatArray,
        *,
        distances: FloatArray | None = None,
    ) -> FloatArray:
        """Return the tree of the points as scipy's linkage matrix, shape (m-1, 4).

        Parameters
        ----------
        x : ndarray, shape (m, d)
        method : {"ward", "average", "complete", "single", "centroid", "mcquitty"}
        weights : ndarray, shape (m,)
            Complete, single and McQuitty do not depend on them.
        distances : ndarray, shape (m, m), optional
            In place of coordinates, but for ward and centroid.

        Returns
        -------
        ndarray

        Raises
        ------
        EngineError
            For ``diana``, which R has; distances with ward or centroid; too many points; and where
            the tree builder lacks the method, or takes no weights and they differ.
        ValueError
            Where numbers are not finite, weights not positive, or there are fewer than 2 points.

        Warns
        -----
        PsychosegWarning
            Where heights of a centroid tree go down.
        """
        weighted = len(weights) > 0 and bool(np.ptp(weights) > 0)
        self._check_builder(method, weights, weighted=weighted)
        self._check_points(len(weights), method, distances)
        if self.tree != "psychoseg":
            tree = _other_tree(self.tree, x, method, distances)
            if method == "ward" and len(weights):
                tree[:, 2] *= np.sqrt(weights[0])
        elif method == "ward":
            tree = ward_linkage(x, weights)
        elif method != "diana":
            tree = linkage_of(x, method, weights, distances=distances)
        if method == "centroid" and (inversions := count_inversions(tree)):
            warnings.warn(centroid_warning(inversions), PsychosegWarning, stacklevel=2)
        return tree

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
        """Divide points; see :func:`psychoseg.engines.python_methods.flat_partition`."""
        return flat_partition(
            x, method, weights, k=k, rng=rng, options=options, distances=distances
        )

    def versions(self) -> Mapping[str, str]:
        """Return the versions of the packages that compute."""
        names = ("numpy", "scipy", "scikit-learn", "factor-analyzer", "stepmix")
        return {name: version(name) for name in names}

    def close(self) -> None:
        """Do nothing: this engine holds nothing."""

    def _check_builder(
        self, method: TreeMethod | FlatMethod, weights: FloatArray | None, *, weighted: bool
    ) -> None:
        """Raise where there is no such tree, or none of unequal weights."""
        if method == "diana":
            raise EngineError(
                'diana is in R alone (cluster::diana). Use engine = "r", or method = "average".'
            )
        if self.tree == "psychoseg":
            return
        known = _SCIPY_TREES if self.tree == "scipy" else _SKLEARN_TREES
        if method not in known:
            raise EngineError(
                f"{self.tree} builds trees by {', '.join(known)}, not by {method}. Use "
                'tree = "psychoseg".'
            )
        if weighted and not self.takes_weights_for(method):
            raise EngineError(
                f"{self.tree} builds trees without case weights, {unequal(weights)}. "
                'Use tree = "psychoseg".'
            )

    def _check_points(self, n: int, method: TreeMethod, distances: FloatArray | None) -> None:
        """Raise where a tree takes no distances, or not so many points."""
        if distances is not None and method in ("ward", "centroid"):
            raise EngineError(
                f"{method} merges means, so it takes coordinates, not distances such as Gower's. "
                'Use method = "average", or [reduce] method = "components".'
            )
        if self.tree != "psychoseg" or method == "ward" or method == "diana":
            return
        most = MOST_POINTS[method if distances is None else "average"]
        if n > most:
            raise EngineError(
                f"a tree by {method} takes up to {most:,} points, not {n:,}. "
                'Use method = "ward" or "kmeans", which take more.'
            )


def _rotated_by_factor_analyzer(
    loadings: FloatArray, rotation: RotationMethod, options: RotationOptions
) -> tuple[FloatArray, FloatArray]:
    from factor_analyzer import Rotator

    kaiser = uses_kaiser(rotation, options.variant) if options.kaiser is None else options.kaiser
    weighted = rotation in ("varimax", "promax")
    plain_promax = rotation == "promax" and not (kaiser and options.variant == "psych")
    if rotation not in _ROTATOR or (kaiser and not weighted) or plain_promax:
        raise EngineError(
            f'factor-analyzer cannot turn by "{rotation}" '
            f"{'with' if kaiser else 'without'} Kaiser's normalisation as {options.variant} does. "
            'Use rotator = "psychoseg" in [engine].'
        )
    rotator = Rotator(
        method=_ROTATOR[rotation],
        normalize=kaiser,
        power=options.power,
        gamma=options.gamma if rotation == "oblimin" else 0,
        delta=options.delta,
        max_iter=_ROTATOR_STEPS,
        tol=_ROTATOR_TOLERANCE,
    )
    turned = np.asarray(rotator.fit_transform(loadings.copy()), dtype=np.float64)
    phi = np.eye(loadings.shape[1]) if rotator.phi_ is None else np.asarray(rotator.phi_)
    return turned, phi.astype(np.float64)


def _other_tree(
    program: str, x: FloatArray, method: TreeMethod, distances: FloatArray | None
) -> FloatArray:
    if program == "scipy":
        from scipy.cluster.hierarchy import linkage
        from scipy.spatial.distance import squareform

        data = x if distances is None else squareform(distances, checks=False)
        return np.asarray(linkage(data, method=_SCIPY_TREES[method]), dtype=np.float64)
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(
        n_clusters=None,
        distance_threshold=0,
        linkage=_SKLEARN_TREES[method],
        metric="euclidean" if distances is None else "precomputed",
    ).fit(x if distances is None else distances)
    children = np.sort(model.children_, axis=1)
    n = len(children) + 1
    sizes = np.ones(2 * n - 1)
    for i, (left, right) in enumerate(children):
        sizes[n + i] = sizes[left] + sizes[right]
    return np.column_stack([children, model.distances_, sizes[n:]]).astype(np.float64)
