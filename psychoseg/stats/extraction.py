"""Unrotated factors of correlations: minres, maximum likelihood, principal axes, components.

Never rotates (see ``rotation``), never decides how many factors there are (see ``dimension``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray, positive_signs

__all__ = [
    "EXTRACTION_METHODS",
    "SINGULAR",
    "UNIQUENESS_HIGH",
    "UNIQUENESS_LOW",
    "Extraction",
    "extract",
    "extract_components",
    "extract_minres",
    "extract_ml",
    "extract_principal_axes",
    "limit_inverse",
    "require_complete",
    "squared_multiple_correlations",
]

ExtractionMethod = Literal["minres", "ml", "principal_axes", "components"]
EXTRACTION_METHODS: tuple[ExtractionMethod, ...] = ("minres", "ml", "principal_axes", "components")

#: Bounds of a uniqueness during extraction, those of psych::fa and stats::factanal; an item at the
#: lower bound is a Heywood case.
UNIQUENESS_LOW, UNIQUENESS_HIGH = 0.005, 1.0
#: Largest projected gradient at an optimum. Near it Newton squares the error at each step, so that
#: loadings are then good to about 1e-9.
_GRADIENT_TOLERANCE = 1e-8
#: Where rounding ends the search before that, a gradient below this still counts as an optimum.
_GRADIENT_ENOUGH = 1e-5
_MAX_STEPS = 200
#: A matrix whose smallest eigenvalue is no more than this share of its largest is singular.
SINGULAR = 1e-12
#: How principal axes stop: the change that ends it, of what, and the most steps. Both from SMCs.
_AXES_RULES = {
    "psych": (0.001, "sum", 50),
    "spss": (0.001, "max", 25),
    "exact": (1e-9, "max", 20000),
}


@dataclass(frozen=True, slots=True)
class Extraction:
    """Unrotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        By descending explained variance (for ML: of the items divided by the roots of their
        uniquenesses), each factor's loadings summing to a positive number.
    uniquenesses : ndarray, shape (p,)
        One minus the communality that the loadings imply.
    objective : float
        What the method minimises: for ML its discrepancy ``log|S| + tr(R/S) - log|R| - p``, for the
        others the sum of squared residual correlations below the diagonal (which principal axes
        reach only when run to the end, and components not at all).
    converged : bool
    heywood : ndarray of int
        Items with a communality of .995 or more (the bound of the search): Heywood cases. Empty
        for components, where such a communality means nothing.
    iterations : int
    """

    loadings: FloatArray
    uniquenesses: FloatArray
    objective: float
    converged: bool
    heywood: IntArray
    iterations: int


def extract(corr: FloatArray, n_factors: int, *, method: ExtractionMethod = "minres") -> Extraction:
    """Extract factors by the named method, with that method's defaults.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN.
    n_factors : int
        From 1 to p - 1.
    method : {"minres", "ml", "principal_axes", "components"}
        ULS is minres.

    Returns
    -------
    Extraction
    """
    functions: dict[str, Callable[[FloatArray, int], Extraction]] = {
        "minres": extract_minres,
        "ml": extract_ml,
        "principal_axes": extract_principal_axes,
        "components": extract_components,
    }
    if method not in functions:
        msg = f"method = {method!r} is none of {', '.join(functions)}"
        raise ValueError(msg)
    return functions[method](corr, n_factors)


def extract_minres(
    corr: FloatArray, n_factors: int, *, start: FloatArray | None = None
) -> Extraction:
    """Extract factors by minimum residuals (unweighted least squares).

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN; it need not be positive definite.
    n_factors : int
        From 1 to p - 1.
    start : ndarray, shape (p,), optional
        Uniquenesses to start from; one minus the squared multiple correlations where absent.

    Returns
    -------
    Extraction

    Raises
    ------
    ValueError
        Where ``n_factors`` is not between 1 and p - 1, or ``corr`` holds NaN.

    Notes
    -----
    The uniquenesses psi minimise half the sum of the squared eigenvalues of ``R - diag(psi)``
    beyond the first m, within [.005, 1], by Newton's method with the exact gradient and Hessian.
    The optimum is that of minres and of ULS (``psych::fa(fm = "minres")``), which minimises the
    off-diagonal residuals; with an item at the bound, those and half its squared residual variance.

    References
    ----------
    Harman & Jones (1966), Psychometrika 31, 351-368. Joreskog (2003), "Factor analysis by MINRES".
    Bertsekas (1982), SIAM J. Control Optim. 20, 221-246, Newton within bounds.
    """
    _check(corr, n_factors)
    if start is None:
        start = 1 - squared_multiple_correlations(corr)
    psi, gradient, steps = _newton(
        lambda psi, curved: _minres_discrepancy(corr, n_factors, psi, curved),
        np.asarray(start, dtype=np.float64),
        UNIQUENESS_LOW,
        UNIQUENESS_HIGH,
    )
    values, vectors = np.linalg.eigh(corr - np.diag(psi))
    loadings = _principal(values, vectors, n_factors)
    return _extraction(
        corr, loadings, converged=gradient < _GRADIENT_ENOUGH, iterations=steps, objective=None
    )


def extract_ml(corr: FloatArray, n_factors: int, *, start: FloatArray | None = None) -> Extraction:
    """Extract factors by maximum likelihood under normality.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN, positive definite.
    n_factors : int
        From 1 to p - 1.
    start : ndarray, shape (p,), optional
        Uniquenesses to start from; Joreskog's ``(1 - m / 2p) / diag(inv(R))`` where absent.

    Returns
    -------
    Extraction

    Raises
    ------
    ValueError
        Where ``n_factors`` is not between 1 and p - 1, or ``corr`` holds NaN or is singular.

    Notes
    -----
    Newton's method in the logarithms of the uniquenesses, within [.005, 1], on the discrepancy
    concentrated over the loadings; its exact gradient and Hessian. The optimum is that of
    ``stats::factanal`` and ``psych::fa(fm = "ml")``.

    References
    ----------
    Joreskog (1967), Psychometrika 32, 443-482. Clarke (1970), Br. J. Math. Stat. Psychol. 23,
    43-52, the Hessian.
    """
    _check(corr, n_factors)
    spectrum = np.linalg.eigvalsh(corr)
    if spectrum[0] <= SINGULAR * spectrum[-1]:
        msg = (
            f"maximum likelihood takes a positive definite matrix, and the smallest eigenvalue of "
            f"this one is {spectrum[0]:.2g}: smooth it, drop duplicate or sum items, or use minres"
        )
        raise ValueError(msg)
    p = len(corr)
    if start is None:
        start = (1 - 0.5 * n_factors / p) / np.diag(np.linalg.inv(corr))
    theta, gradient, steps = _newton(
        lambda theta, curved: _ml_discrepancy(corr, n_factors, theta, curved),
        np.log(np.clip(start, UNIQUENESS_LOW, UNIQUENESS_HIGH)),
        np.log(UNIQUENESS_LOW),
        np.log(UNIQUENESS_HIGH),
    )
    root = np.exp(theta / 2)
    values, vectors = np.linalg.eigh(corr / np.outer(root, root))
    loadings = _signed(root[:, None] * _principal(values - 1, vectors, n_factors))
    return _extraction(
        corr,
        loadings,
        converged=gradient < _GRADIENT_ENOUGH,
        iterations=steps,
        objective=_ml_discrepancy(corr, n_factors, theta, False)[0],
    )


def extract_principal_axes(
    corr: FloatArray, n_factors: int, *, convention: Literal["psych", "spss", "exact"] = "psych"
) -> Extraction:
    """Extract factors by iterated principal axes.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN.
    n_factors : int
        From 1 to p - 1.
    convention : {"psych", "spss", "exact"}
        When to stop. ``psych``: the sum of the communalities changes by .001 or less, at most 50
        steps (``psych::fa(fm = "pa")``). ``spss``: no communality changes by .001 or more, at most
        25 steps, and an end as soon as one exceeds 1 (SPSS FACTOR, its defaults). ``exact``: until
        nothing changes, which is the minres solution where no item is a Heywood case.

    Returns
    -------
    Extraction
        ``converged`` is False where the steps ran out or SPSS would stop with a message.

    Notes
    -----
    Communalities start from the squared multiple correlations. Negative eigenvalues among the first
    m count as 0; psych stops with an error there, SPSS takes their absolute values.

    References
    ----------
    Harman (1976), Modern Factor Analysis, ch. 8. Grieder & Steiner (2022), Behav. Res. Methods 54,
    54-74, the rules of psych and SPSS and how far apart they lead.
    """
    _check(corr, n_factors)
    if convention not in _AXES_RULES:
        msg = f"convention = {convention!r} is none of {', '.join(_AXES_RULES)}"
        raise ValueError(msg)
    tolerance, change_of, most = _AXES_RULES[convention]
    reduced = corr.copy()
    h2 = squared_multiple_correlations(corr)
    converged, steps = False, 0
    loadings = np.zeros((len(corr), n_factors))
    while not converged and steps < most:
        steps += 1
        np.fill_diagonal(reduced, h2)
        loadings = _principal(*np.linalg.eigh(reduced), n_factors)
        new = (loadings**2).sum(axis=1)
        change = abs(new.sum() - h2.sum()) if change_of == "sum" else np.abs(new - h2).max()
        # psych goes on while the change is above the criterion, SPSS until it is below.
        converged = bool(change <= tolerance if change_of == "sum" else change < tolerance)
        h2 = new
        if convention == "spss" and new.max() > 1:
            converged = False
            break
    return _extraction(corr, loadings, converged=converged, iterations=steps, objective=None)


def extract_components(corr: FloatArray, n_factors: int) -> Extraction:
    """Return the first principal components as loadings, for comparison with factors.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN.
    n_factors : int
        From 1 to p - 1.

    Returns
    -------
    Extraction
        ``heywood`` is empty: components have no uniquenesses to run out of.

    References
    ----------
    Hotelling (1933), J. Educ. Psychol. 24, 417-441; ``psych::principal(rotate = "none")``.
    """
    _check(corr, n_factors)
    loadings = _principal(*np.linalg.eigh(corr), n_factors)
    found = _extraction(corr, loadings, converged=True, iterations=1, objective=None)
    return Extraction(
        loadings=found.loadings,
        uniquenesses=found.uniquenesses,
        objective=found.objective,
        converged=True,
        heywood=np.empty(0, dtype=np.intp),
        iterations=1,
    )


def squared_multiple_correlations(corr: FloatArray) -> FloatArray:
    """Return each item's squared multiple correlation with the others, shape (p,).

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN; they may be singular.

    Returns
    -------
    ndarray
        Within [0, 1]. 1 for an item that others determine (a duplicate, a sum score and its parts),
        the others as they were without the dependence: see :func:`limit_inverse`.
        ``psych::smc`` takes a pseudo-inverse, by which a duplicate has nothing in common with its
        twin (0).

    References
    ----------
    Guttman (1953), Psychometrika 18, 277-296: ``1 - 1 / diag(inv(R))``.
    """
    return np.clip(1 - 1 / np.diag(limit_inverse(corr)), 0.0, 1.0)


def limit_inverse(matrix: FloatArray) -> FloatArray:
    """Invert correlations or covariances, singular ones as the limit of ones that are not.

    Eigenvalues below 1e-12 of the largest, negative ones among them, count as that: a direction
    without variance gets next to none. What is read off such an inverse as a ratio (squared
    multiple and partial correlations) then has the value it tends to as that variance vanishes; a
    pseudo-inverse would take the direction out instead, and call what is determined unrelated.

    Parameters
    ----------
    matrix : ndarray, shape (p, p)
        Symmetric, no NaN.

    Returns
    -------
    ndarray, shape (p, p)

    Raises
    ------
    ValueError
        Where ``matrix`` holds NaN.
    """
    require_complete(matrix)
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, SINGULAR * values[-1])
    inverse: FloatArray = (vectors / values) @ vectors.T
    return inverse


def require_complete(corr: FloatArray) -> None:
    """Raise ValueError where correlations are missing, naming the items or the first pair.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    """
    missing = np.isnan(corr)
    if not missing.any():
        return
    empty = np.flatnonzero(missing.all(axis=1) | np.diag(missing))
    if len(empty):
        which = f"item {', '.join(str(i) for i in empty)}"
        advice = "drop constant or never answered items"
    else:
        first, second = np.argwhere(missing)[0]
        which = f"items {first} and {second}"
        advice = "nobody who varies answered both: drop one, or estimate by EM"
    msg = f"the correlation matrix holds NaN ({which}): {advice}"
    raise ValueError(msg)


def _check(corr: FloatArray, n_factors: int) -> None:
    p = len(corr)
    if not 1 <= n_factors < p:
        msg = f"n_factors = {n_factors} must lie between 1 and {p - 1}, one less than the items"
        raise ValueError(msg)
    require_complete(corr)


def _principal(values: FloatArray, vectors: FloatArray, n_factors: int) -> FloatArray:
    """Return loadings on the axes of the largest m of ascending eigenvalues."""
    top = slice(-1, -n_factors - 1, -1)
    return _signed(vectors[:, top] * np.sqrt(np.maximum(values[top], 0.0)))


def _signed(loadings: FloatArray) -> FloatArray:
    return loadings * positive_signs(loadings)


def _extraction(
    corr: FloatArray,
    loadings: FloatArray,
    *,
    converged: bool,
    iterations: int,
    objective: float | None,
) -> Extraction:
    h2 = (loadings**2).sum(axis=1)
    if objective is None:
        residual = (corr - loadings @ loadings.T)[np.tril_indices(len(corr), -1)]
        objective = float(residual @ residual)
    return Extraction(
        loadings=loadings,
        uniquenesses=1 - h2,
        objective=objective,
        converged=bool(converged),
        # At the bound the gradient is not negative, so that the communality is .995 or more there
        # and nowhere else; the margin is for rounding.
        heywood=np.flatnonzero(h2 >= 1 - UNIQUENESS_LOW - 1e-9),
        iterations=iterations,
    )


def _minres_discrepancy(
    corr: FloatArray, n_factors: int, psi: FloatArray, curved: bool
) -> tuple[float, FloatArray, FloatArray | None]:
    """Return half the sum of squared left-over eigenvalues, its gradient and Hessian in psi."""
    values, vectors = np.linalg.eigh(corr - np.diag(psi))
    # A negative eigenvalue is no factor's: it is left over even among the first m.
    n_left = len(psi) - min(n_factors, int((values > 0).sum()))
    left, rest = values[:n_left], vectors[:, :n_left]
    gradient = -(rest**2) @ left
    hessian = None
    if curved:
        hessian = (rest @ rest.T) ** 2
        for value, axis in zip(values[n_left:], vectors[:, n_left:].T, strict=True):
            ratio = left / np.minimum(left - value, -1e-10)
            hessian += 2 * np.outer(axis, axis) * ((rest * ratio) @ rest.T)
    return 0.5 * float(left @ left), gradient, hessian


def _ml_discrepancy(
    corr: FloatArray, n_factors: int, theta: FloatArray, curved: bool
) -> tuple[float, FloatArray, FloatArray | None]:
    """Return the concentrated discrepancy, its gradient and Hessian in log uniquenesses."""
    root = np.exp(theta / 2)
    values, vectors = np.linalg.eigh(corr / np.outer(root, root))
    values = np.maximum(values, 1e-300)
    # An eigenvalue below 1 is no factor's: it is left over even among the first m.
    n_left = len(theta) - min(n_factors, int((values > 1).sum()))
    left, rest = values[:n_left], vectors[:, :n_left]
    gradient = (rest**2) @ (1 - left)
    hessian = None
    if curved:
        hessian = ((rest * left) @ rest.T) * (rest @ rest.T)
        for value, axis in zip(values[n_left:], vectors[:, n_left:].T, strict=True):
            ratio = (1 - left) * (left + value) / np.maximum(value - left, 1e-10)
            hessian += np.outer(axis, axis) * ((rest * ratio) @ rest.T)
    return float((left - np.log(left) - 1).sum()), gradient, hessian


def _newton(
    function: Callable[[FloatArray, bool], tuple[float, FloatArray, FloatArray | None]],
    start: FloatArray,
    low: float,
    high: float,
) -> tuple[FloatArray, float, int]:
    """Minimise within bounds; return where, the largest projected gradient, and the steps."""
    x = np.clip(start, low, high)
    value, gradient, hessian = function(x, True)
    largest = np.inf
    for step in range(_MAX_STEPS):
        held = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        free = ~held
        largest = float(np.abs(gradient[free]).max(initial=0.0))
        if largest < _GRADIENT_TOLERANCE or hessian is None:
            return x, largest, step
        direction = np.zeros_like(x)
        direction[free] = -_solve_definite(hessian[np.ix_(free, free)], gradient[free])
        moved = _line_search(function, x, value, gradient, direction, low, high)
        if moved is None:
            return x, largest, step
        x = moved
        value, gradient, hessian = function(x, True)
    return x, largest, _MAX_STEPS


def _line_search(
    function: Callable[[FloatArray, bool], tuple[float, FloatArray, FloatArray | None]],
    x: FloatArray,
    value: float,
    gradient: FloatArray,
    direction: FloatArray,
    low: float,
    high: float,
) -> FloatArray | None:
    """Return the first point along the bent direction that lowers the value enough."""
    length = 1.0
    for _ in range(40):
        trial = np.clip(x + length * direction, low, high)
        slope = float(gradient @ (trial - x))
        # Armijo's condition, with room for the rounding of the value.
        if function(trial, False)[0] <= value + 1e-4 * slope + 1e-14 * max(1.0, abs(value)):
            return None if np.array_equal(trial, x) else trial
        length /= 2
    return None


def _solve_definite(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """Solve with the Hessian, its eigenvalues made positive where they are not."""
    try:
        lower = np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(hessian)
        values = np.maximum(np.abs(values), 1e-4 * np.abs(values).max())
        solved: FloatArray = vectors @ ((vectors.T @ gradient) / values)
        return solved
    return np.linalg.solve(lower.T, np.linalg.solve(lower, gradient))
