"""Factor analysis of a correlation matrix, without its rotation.

Never rotates (an engine does) and never decides how many factors there are (see ``dimension``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment, minimize
from scipy.stats import chi2

from psychoseg.stats.arrays import FloatArray, IntArray, positive_signs

__all__ = [
    "Extraction",
    "bartlett_sphericity",
    "communalities",
    "extract_minres",
    "kmo",
    "match_factors",
    "oblimin_gradient",
    "order_factors",
    "squared_multiple_correlations",
    "tucker_congruence",
]

#: Bounds of a uniqueness during extraction, those of psych::fa; one that ends at the lower bound is
#: a Heywood case.
_UNIQUENESS_LOW, _UNIQUENESS_HIGH = 0.005, 1.0


@dataclass(frozen=True, slots=True)
class Extraction:
    """Unrotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        By descending explained variance, each factor's loadings summing to a positive number.
    uniquenesses : ndarray, shape (p,)
        One minus the communality that the loadings imply.
    objective : float
        Sum of squared residual correlations below the diagonal.
    converged : bool
    heywood : ndarray of int
        Items whose uniqueness ended at its lower bound.
    """

    loadings: FloatArray
    uniquenesses: FloatArray
    objective: float
    converged: bool
    heywood: IntArray


def extract_minres(corr: FloatArray, n_factors: int) -> Extraction:
    """Extract factors by minimum residuals (unweighted least squares).

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN; it need not be positive definite.
    n_factors : int
        From 1 to p - 1.

    Returns
    -------
    Extraction

    Raises
    ------
    ValueError
        Where ``n_factors`` is not between 1 and p - 1.

    Notes
    -----
    The uniquenesses psi minimise half the sum of the squared eigenvalues of ``R - diag(psi)``
    beyond the first m, by L-BFGS-B with the exact gradient, started from one minus the squared
    multiple correlations. The optimum is that of minres (``psych::fa(fm = "minres")``), which
    minimises the off-diagonal residuals.

    References
    ----------
    Harman & Jones (1966), Psychometrika 31, 351-368. Joreskog (2003), "Factor analysis by MINRES",
    eq. 5-8.
    """
    p = len(corr)
    if not 1 <= n_factors < p:
        msg = f"n_factors = {n_factors} must lie between 1 and {p - 1}, one less than the items"
        raise ValueError(msg)

    def discrepancy(psi: FloatArray) -> tuple[float, FloatArray]:
        values, vectors = np.linalg.eigh(corr - np.diag(psi))
        # Eigenvalues ascend: the last m belong to the factors unless they are negative.
        left = values.copy()
        left[-n_factors:] = np.minimum(left[-n_factors:], 0.0)
        return 0.5 * float(left @ left), -(vectors**2) @ left

    start = 1 - squared_multiple_correlations(corr)
    result = minimize(
        discrepancy,
        np.clip(start, _UNIQUENESS_LOW, _UNIQUENESS_HIGH),
        jac=True,
        method="L-BFGS-B",
        bounds=[(_UNIQUENESS_LOW, _UNIQUENESS_HIGH)] * p,
        options={"maxiter": 2000, "maxfun": 5000, "ftol": 1e-15, "gtol": 1e-8, "maxcor": 20},
    )
    psi = result.x
    values, vectors = np.linalg.eigh(corr - np.diag(psi))
    top = slice(-1, -n_factors - 1, -1)
    loadings = vectors[:, top] * np.sqrt(np.maximum(values[top], 0.0))
    loadings = loadings * positive_signs(loadings)
    residual = (corr - loadings @ loadings.T)[np.tril_indices(p, -1)]
    gradient = discrepancy(psi)[1]
    inside = (psi > _UNIQUENESS_LOW) & (psi < _UNIQUENESS_HIGH)
    return Extraction(
        loadings=loadings,
        uniquenesses=1 - (loadings**2).sum(axis=1),
        objective=float(residual @ residual),
        # The line search may stop on rounding before its own test is met: the gradient has the last
        # word.
        converged=bool(result.success) or bool(np.abs(gradient[inside]).max(initial=0.0) < 1e-5),
        heywood=np.flatnonzero(psi <= _UNIQUENESS_LOW),
    )


def squared_multiple_correlations(corr: FloatArray) -> FloatArray:
    """Return each item's squared multiple correlation with the others, shape (p,).

    A singular matrix gets a pseudo-inverse, and values are held within [0, 1].
    """
    inverse = np.linalg.pinv(corr, hermitian=True)
    return np.clip(1 - 1 / np.maximum(np.diag(inverse), 1e-12), 0.0, 1.0)


def order_factors(
    loadings: FloatArray, phi: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Order factors by the variance they explain and turn each so that its loadings sum positive.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)

    Returns
    -------
    loadings : ndarray, shape (p, m)
    phi : ndarray, shape (m, m)
    variance : ndarray, shape (m,)
        ``diag(phi @ loadings.T @ loadings)``: a factor's share of the items' variance, the part it
        shares with other factors counted once for each; they sum to the sum of the communalities.
    """
    variance = np.diag(phi @ loadings.T @ loadings)
    order = np.argsort(-variance.round(10), kind="stable")
    sign = positive_signs(loadings[:, order])
    turned = phi[np.ix_(order, order)] * np.outer(sign, sign)
    return loadings[:, order] * sign, turned, variance[order]


def communalities(loadings: FloatArray, phi: FloatArray) -> FloatArray:
    """Return the communality of each item, ``diag(L phi L')``, shape (p,)."""
    h2: FloatArray = np.einsum("ij,jk,ik->i", loadings, phi, loadings)
    return h2


def tucker_congruence(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return Tucker's congruence of every column of a with every column of b, shape (m_a, m_b).

    Parameters
    ----------
    a, b : ndarray, shapes (p, m_a) and (p, m_b)

    Returns
    -------
    ndarray
        Cosines in [-1, 1]; .95 and more counts as the same factor (Lorenzo-Seva & ten Berge 2006).

    References
    ----------
    Tucker (1951), A method for synthesis of factor analysis studies.
    """
    norms = np.outer(np.sqrt((a**2).sum(axis=0)), np.sqrt((b**2).sum(axis=0)))
    return (a.T @ b) / np.where(norms > 0, norms, np.inf)


def match_factors(a: FloatArray, b: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Pair the columns of a with those of b so that the summed absolute congruence is highest.

    Parameters
    ----------
    a, b : ndarray, shapes (p, m_a) and (p, m_b)

    Returns
    -------
    rows, columns : ndarray of int
        Paired columns of a and of b, ``min(m_a, m_b)`` of each, by column of a.
    congruence : ndarray
        Signed congruence of each pair.
    """
    table = tucker_congruence(a, b)
    rows, columns = linear_sum_assignment(-np.abs(table))
    return rows, columns, table[rows, columns]


def oblimin_gradient(loadings: FloatArray, phi: FloatArray, *, gamma: float = 0.0) -> float:
    """Return how far rotated loadings are from a stationary point of direct oblimin.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings after rotation.
    phi : ndarray, shape (m, m)
    gamma : float
        0 is direct quartimin.

    Returns
    -------
    float
        Frobenius norm of the projected gradient; 0 at an optimum, and at most 1e-5 where
        GPArotation stops.

    References
    ----------
    Jennrich (2002), Psychometrika 67, 7-20, eq. 9 and 16: with T the factor axes in any frame
    (``phi = T'T``), the gradient in T is projected onto unit-length columns.
    """
    others = 1.0 - np.eye(loadings.shape[1])
    squared = loadings**2
    centred = squared - gamma * squared.mean(axis=0)
    slope = loadings * (centred @ others)
    axes = np.linalg.cholesky(phi).T
    gradient = -np.linalg.solve(axes.T, (loadings.T @ slope).T)
    projected = gradient - axes * (axes * gradient).sum(axis=0)
    return float(np.sqrt((projected**2).sum()))


def kmo(corr: FloatArray) -> tuple[float, FloatArray]:
    """Compute Kaiser's measure of sampling adequacy, overall and for each item.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Positive definite; a singular matrix gets a pseudo-inverse.

    Returns
    -------
    overall : float
    items : ndarray, shape (p,)

    References
    ----------
    Kaiser & Rice (1974), Educ. Psychol. Meas. 34, 111-117.
    """
    inverse = np.linalg.pinv(corr, hermitian=True)
    scale = np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    partial = (inverse / np.outer(scale, scale)) ** 2
    squared = corr**2
    np.fill_diagonal(partial, 0.0)
    np.fill_diagonal(squared, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        items = squared.sum(axis=0) / (squared.sum(axis=0) + partial.sum(axis=0))
        overall = squared.sum() / (squared.sum() + partial.sum())
    return float(overall), items


def bartlett_sphericity(corr: FloatArray, n_obs: float) -> tuple[float, int, float]:
    """Test that all correlations are zero; return chi-square, degrees of freedom and p.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Positive definite.
    n_obs : float
        Respondents behind the correlations.

    Returns
    -------
    chi_square : float
        Infinite for a singular matrix.
    df : int
    p : float

    References
    ----------
    Bartlett (1951), Biometrika 38, 337-344: ``-(n - 1 - (2p + 5) / 6) ln det R``.
    """
    p = len(corr)
    sign, log_det = np.linalg.slogdet(corr)
    statistic = -(n_obs - 1 - (2 * p + 5) / 6) * log_det if sign > 0 else np.inf
    df = p * (p - 1) // 2
    return float(statistic), df, float(chi2.sf(statistic, df))
