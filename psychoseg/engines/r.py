"""The R engine: psych, GPArotation, lavaan, fastcluster and others behind the engines' protocol.

Owns what is asked of R and what R cannot do as asked; the process is for ``r_process``, the R code
for ``r_engine.R``. Never orders, names or smooths what R returns.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

import numpy as np

from psychoseg.engines import r_worker
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
    by_weight,
    centroid_warning,
)
from psychoseg.engines.r_process import (
    Worker,
    one_line,
    raise_unless_ok,
)
from psychoseg.engines.r_trees import (
    R_TREES,
    all_equal,
    check_division,
    counts_weights,
    flat_function,
    scipy_linkage,
    slowness,
    tree_function,
)
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.arrays import BoolArray, complete_rows
from psychoseg.stats.contingency import MAX_CATEGORIES, ordinal_codes
from psychoseg.stats.linkages import count_inversions
from psychoseg.stats.rotation import uses_kaiser

__all__ = [
    "R_PACKAGES",
    "R_TREES",
    "REngine",
]

#: The R packages whose versions the manifest names.
R_PACKAGES = ("psych", "GPArotation", "mnormt", "lavaan", "cluster", "factoextra", "fastcluster")

#: What extracts, and what rotates from the unrotated axes.
_EXTRACTORS: dict[ExtractionMethod, str] = {
    "minres": "psych::fa",
    "ml": "psych::fa",
    "principal_axes": "psych::fa",
    "components": "psych::principal",
}
#: R takes seeds below this.
_SEEDS = 2**31 - 1
_ROTATORS: dict[RotationMethod, str] = {
    "none": "",
    "varimax": "GPArotation::Varimax",
    "quartimax": "GPArotation::quartimax",
    "equamax": "GPArotation::cfT",
    "geomin_t": "GPArotation::geominT",
    "target_t": "GPArotation::targetT",
    "bifactor_t": "GPArotation::bifactorT",
    "promax": "psych::Promax",
    "oblimin": "GPArotation::oblimin",
    "quartimin": "GPArotation::quartimin",
    "geomin_q": "GPArotation::geominQ",
    "target_q": "GPArotation::targetQ",
    "bifactor_q": "GPArotation::bifactorQ",
}


class REngine:
    """Compute in R.

    R starts at the first computation, in a process of its own, and again at the next computation
    after it was ended. Threads may share an engine; their calls wait for each other.

    Parameters
    ----------
    tree : {"auto", "hclust", "fastcluster", "agnes", "hcut"}
        Who builds the tree. ``auto`` is ``fastcluster::hclust`` where that package is installed,
        else ``stats::hclust``; both build the same tree. ``cluster::agnes`` and
        ``factoextra::hcut`` take no weights.
    time_limit : float
        Seconds that one call may take.

    Raises
    ------
    EngineError
        Where R has no such tree builder, or the time limit is not positive. From every method:
        where R, rpy2 or an R package is absent or broken, R fails, or a call takes too long.

    Warns
    -----
    PsychosegWarning
        Whatever R warns of, as ``R (psych::fa): ...``.
    """

    def __init__(self, *, tree: str = "auto", time_limit: float = 600.0) -> None:
        if tree not in R_TREES:
            raise EngineError(
                f"the r engine has no tree builder {tree!r}; it has {', '.join(R_TREES)}. "
                f'Others need engine = "python".'
            )
        if not 0 < time_limit < math.inf:
            raise EngineError(
                f"time_limit = {time_limit} must be a positive number of seconds, such as 600"
            )
        self._asked_tree = tree
        self._found_tree = ""
        self._time_limit = time_limit
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Return ``"r"``."""
        return "r"

    @property
    def tree(self) -> str:
        """Return the tree builder; ``"auto"`` becomes what it stands for once a tree was built."""
        return self._found_tree or self._asked_tree

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
            ``em`` for Pearson and equal weights alone.
        correction : float
            Added to the one empty cell of a 2 x 2 table of ordinal items, its margins kept: the
            rule ``two_by_two`` of :func:`psychoseg.stats.polychoric.polychoric`.

        Returns
        -------
        ndarray
            NaN for a pair without common rows or variance. Not smoothed.

        Raises
        ------
        EngineError
            For ``em`` with another kind, or weights that differ.
        ValueError
            Where an ordinal item has too many answers.

        Notes
        -----
        Pearson and Spearman: ``stats::cor(use = "pairwise.complete.obs")``; where weights differ,
        the same with weighted sums and midranks, in base R, because ``psych::cor.wt`` centres and
        divides over rows that the pair did not answer.

        EM: ``lavaan::lavCor(missing = "fiml")`` of the standardised items, run to 1e-9;
        ``psych::corFiml`` maximises the same likelihood to about 3e-5.

        Polychoric: ``psych::polychoric(global = TRUE)``, each item's thresholds from all of its own
        answers; rho to about 2e-5, the tolerance of R's ``optimize``. Where weights differ, items
        have different numbers of categories or empty cells are corrected psych would use other
        thresholds (unweighted; of the pair, with every empty cell filled), so there psych's
        likelihood is maximised under the same definition.

        Mixed: these for two ordinal and two continuous items; for an ordinal and a continuous one
        the two-step likelihood, maximised in base R: ``psych::mixedCor`` has a ratio of moments
        there, and ``lavaan::lavCor`` may end off the maximum.
        """
        if missing == "em" and kind != "pearson":
            raise EngineError(
                f'missing = "em" estimates Pearson correlations, not {kind} ones. Use "pairwise" '
                'or "listwise", or correlation = "pearson".'
            )
        even = all_equal(weights[weights > 0])
        if missing == "em" and not even:
            raise EngineError(
                'the r engine has no case weights for missing = "em", and these weights go from '
                f'{weights.min():g} to {weights.max():g}. Use engine = "python".'
            )
        items, weights = items[weights > 0], weights[weights > 0]
        if missing == "listwise":
            items, weights = complete_rows(items, weights)
        if len(items) == 0:
            return np.full((items.shape[1], items.shape[1]), np.nan)
        if missing == "em":
            return self._ask("correlate_em", "lavaan::lavCor", ["lavaan"], [items])[0]
        if kind in ("pearson", "spearman"):
            if even:
                return self._ask("correlate_plain", "stats::cor", [], [items], [kind])[0]
            label = "weighted stats::cor"
            return self._ask(f"correlate_{kind}_weighted", label, [], [items, weights])[0]
        ordinal = np.full(items.shape[1], True) if kind == "polychoric" else _few_answers(items)
        # Refuses an item with too many answers, with the python engine's words.
        ordinal_codes(items[:, ordinal])
        if kind == "polychoric":
            return self._ask(
                "correlate_polychoric",
                "psych::polychoric",
                ["psych"],
                [items, weights],
                [correction],
            )[0]
        return self._ask(
            "correlate_mixed",
            "psych::polychoric and polyserial",
            ["psych"],
            [items, weights, ordinal.astype(np.float64)],
            [correction],
        )[0]

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
        """Extract factors with psych and rotate them with psych or GPArotation.

        Parameters
        ----------
        corr : ndarray, shape (p, p)
        n_factors : int
        method : {"minres", "ml", "principal_axes", "components"}
            ``psych::fa(fm = )`` minres, ml and pa; ``psych::principal``.
        rotation : str
            One of :data:`psychoseg.stats.rotation.ROTATIONS`.
        options : RotationOptions, optional
        n_obs : float

        Returns
        -------
        RawFactors
            In R's order and with R's signs.

        Raises
        ------
        EngineError
            For what R does not have: SPSS's principal axes and promax, and unknown names.
        ValueError
            Where a target rotation has no target or one of another shape.

        Warns
        -----
        PsychosegWarning
            Beside what R says, where the extraction did not converge, about which psych is silent.

        Notes
        -----
        Oblimin with gamma 0 and without Kaiser's normalisation is ``psych::fa(rotate =
        "oblimin")``. Every other rotation starts from the unrotated axes in the order of their
        eigenvalues: the functions of GPArotation that
        :func:`psychoseg.stats.rotation.rotate` names, run to a gradient of 1e-6; promax is
        ``psych::kaiser(rotate = "Promax")``, and without Kaiser's normalisation ``psych::Promax``,
        from ``GPArotation::Varimax``, because ``stats::varimax`` stops early.
        """
        options = options or RotationOptions()
        if method not in _EXTRACTORS or rotation not in _ROTATORS:
            raise EngineError(
                f"the r engine extracts by {', '.join(_EXTRACTORS)} and rotates by "
                f"{', '.join(_ROTATORS)}, not by {method!r} with {rotation!r}"
            )
        if n_factors == 1:
            rotation = "none"
        if options.variant == "spss":
            _refuse_spss(method, rotation)
        # Symmetric to the last bit: psych tests it, and takes what fails for raw answers.
        symmetric = (corr + corr.T) / 2 if corr.ndim == 2 and corr.shape == corr.T.shape else corr
        habit = uses_kaiser(rotation, options.variant)
        kaiser = rotation != "none" and (habit if options.kaiser is None else options.kaiser)
        settings: list[float | str | list[str]] = [
            *(float(n_factors), method, rotation, float(n_obs), float(kaiser)),
            *(options.gamma, options.delta, options.power),
        ]
        label = _EXTRACTORS[method]
        whole = rotation == "oblimin" and method != "components"
        if rotation != "none" and not (whole and not kaiser and options.gamma == 0):
            label += f" and {_ROTATORS[rotation]}"
        loadings, phi, unique = self._ask(
            "factor_analysis",
            label,
            ["psych"] if rotation == "none" else ["psych", "GPArotation"],
            [symmetric, _target(rotation, options, (len(corr), n_factors))],
            settings,
        )
        return RawFactors(loadings, phi, unique)

    def takes_weights_for(self, method: TreeMethod | FlatMethod) -> bool:
        """Return whether a method takes a weight for each point, or gives the same without."""
        return counts_weights(self._asked_tree, method)

    def check(self, method: TreeMethod | FlatMethod, *, weighted: bool, gower: bool) -> None:
        """Raise what dividing by a method would raise, whoever the people are; R is not started.

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
            Where R, or the tree builder, cannot do it.
        """
        check_division(self._asked_tree, method, weighted=weighted, gower=gower)

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
        method : {"ward", "average", "complete", "single", "centroid", "mcquitty", "diana"}
        weights : ndarray, shape (m,)
            Complete, single and McQuitty do not depend on them; ``diana`` takes none.
        distances : ndarray, shape (m, m), optional
            In place of coordinates, but for ward and centroid.

        Returns
        -------
        ndarray

        Raises
        ------
        EngineError
            Where there are fewer than two points, the tree builder takes no weights and they
            differ, or it has no such tree.

        Warns
        -----
        PsychosegWarning
            Where ``agnes`` or ``hcut`` was asked for by name and there are more than 2,000 points;
            where heights of a centroid tree go down.

        Notes
        -----
        Ward.D2 heights. ``hclust`` and ``fastcluster`` get the weights as ``members``, for Ward
        with distances times ``sqrt(2 w_i w_j / (w_i + w_j))``; ``agnes`` and ``hcut`` need equal
        weights w, which multiply Ward's heights by ``sqrt(w)``. Centroid is ``hclust`` of squared
        distances, as its page asks, and heights are square roots. ``diana`` is ``cluster::diana``.
        The matrix of distances takes 4 m^2 bytes in R, and more where it is copied.
        """
        n = len(weights)
        if method == "diana" or self._asked_tree != "auto":
            tree = self._asked_tree
        else:
            tree = self._resolved_tree() if n > 1 else "hclust"
        function = tree_function(tree, method, weights, distances)
        if words := slowness(tree, method, n):
            warnings.warn(words, PsychosegWarning, stacklevel=2)
        given = distances is not None
        merge, height = self._ask(
            function.call,
            function.label,
            function.packages,
            [distances if distances is not None else x, weights],
            [function.method, float(given)],
        )
        if method == "ward" and tree in ("agnes", "hcut"):
            height = height * math.sqrt(weights[0])
        found = scipy_linkage(merge, height, monotone=method != "centroid")
        if method == "centroid" and (inversions := count_inversions(found)):
            warnings.warn(centroid_warning(inversions), PsychosegWarning, stacklevel=2)
        return found

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
        """Divide points by ``cluster::pam`` or ``stats::kmeans``.

        Parameters
        ----------
        x : ndarray, shape (m, d)
        method : {"pam", "kmeans"}
        weights : ndarray, shape (m,)
            All equal.
        k : int
            Below m.
        rng : numpy.random.Generator
            Gives R's seed.
        options : PartitionOptions, optional
            ``starts`` is the ``nstart`` of kmeans.
        distances : ndarray, shape (m, m), optional
            For pam.

        Returns
        -------
        RawPartition
            Without a likelihood.

        Raises
        ------
        EngineError
            For other methods, weights that differ, and a k that R does not take.

        Notes
        -----
        ``kmeans`` is Hartigan & Wong's (1979). Both get people as rows: identical ones repeated.
        """
        function = flat_function(method, k, weights, distances)
        starts = (options or PartitionOptions()).starts
        seed = float(rng.integers(_SEEDS))
        given = distances is not None
        labels = self._ask(
            function.call,
            function.label,
            function.packages,
            [distances if distances is not None else x],
            [float(k or 0), float(given), float(starts), seed],
        )[0]
        return RawPartition(by_weight(labels.astype(np.intp) - 1, weights)[0], None, np.nan, np.nan)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of R, rpy2 and the R packages that are installed."""
        from importlib.metadata import version

        _, texts = self._exchange("versions", "packageVersion", [], [], [list(R_PACKAGES)])
        found = dict(zip(R_PACKAGES, texts[1], strict=True))
        return {
            "R": texts[0][0],
            "rpy2": version("rpy2"),
            **{package: number for package, number in found.items() if number},
        }

    def close(self) -> None:
        """End R. A later computation starts it again."""
        with self._lock:
            if self._worker is not None:
                self._worker.end()
                self._worker = None

    def _resolved_tree(self) -> str:
        if self._asked_tree == "auto" and not self._found_tree:
            has_fastcluster = "fastcluster" in self.versions()
            self._found_tree = "fastcluster" if has_fastcluster else "hclust"
        return self.tree

    def _evaluate(self, code: str) -> list[FloatArray]:
        """Evaluate R code whose value is numeric: a door for the tests."""
        return self._ask("evaluate", "eval", [], [], [code])

    def _ask(
        self,
        call: str,
        label: str,
        packages: Sequence[str],
        arrays: Sequence[FloatArray],
        options: Sequence[float | str | list[str]] = (),
    ) -> list[FloatArray]:
        values, _ = self._exchange(call, label, packages, arrays, options)
        return values

    def _exchange(
        self,
        call: str,
        label: str,
        packages: Sequence[str],
        arrays: Sequence[FloatArray],
        options: Sequence[float | str | list[str]],
    ) -> tuple[list[FloatArray], list[list[str]]]:
        """Call a function of r_engine.R; its numeric and its textual values."""
        columns = [np.asarray(a, dtype=np.float64) for a in arrays]
        request: r_worker.Request = {
            "call": call,
            "packages": list(packages),
            "arrays": [a.shape for a in columns],
            "options": list(options),
        }
        message = r_worker.pack(request, [a.tobytes(order="F") for a in columns])
        with self._lock:
            answer = self._running_worker().ask(message, label=label, limit=self._time_limit)
        for text in answer.header["warnings"]:
            warnings.warn(f"R ({label}): {one_line(text)}", PsychosegWarning, stacklevel=4)
        raise_unless_ok(answer.header, label)
        return answer.arrays, answer.header["texts"]

    def _running_worker(self) -> Worker:
        if self._worker is None or not self._worker.is_ours_and_alive():
            if self._worker is not None:
                self._worker.end()
            self._worker = Worker(on_collection_of=self)
        return self._worker


def _few_answers(items: FloatArray) -> BoolArray:
    """Return which items have so few different answers that they are ordinal."""
    return np.array([len(np.unique(x[~np.isnan(x)])) <= MAX_CATEGORIES for x in items.T])


def _refuse_spss(method: str, rotation: str) -> None:
    for setting, value in (("extraction", method), ("rotation", rotation)):
        if value in ("principal_axes", "promax"):
            raise EngineError(
                f'{setting} = "{value}" with variant = "spss" is not in R: psych has rules of its '
                'own for it. Use engine = "python", or variant = "psych".'
            )


def _target(
    rotation: RotationMethod, options: RotationOptions, shape: tuple[int, int]
) -> FloatArray:
    """Return the target of a target rotation, and one with everything free for the others."""
    if rotation not in ("target_t", "target_q"):
        return np.full(shape, np.nan)
    if options.target is None or options.target.shape != shape:
        got = "none" if options.target is None else f"one of shape {options.target.shape}"
        raise ValueError(
            f"{rotation} takes a target of shape {shape}, NaN where free, and got {got}"
        )
    return options.target
