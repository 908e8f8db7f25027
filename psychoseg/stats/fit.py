"""How well factors reproduce the correlations: chi-square and its indices, residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.extraction import SINGULAR, require_complete

__all__ = ["FactorFit", "factor_fit", "largest_residuals", "rmsea_interval"]

#: Confidence of RMSEA's interval: 90%, so that its lower end tests close fit at 5%, as is usual.
_RMSEA_LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class FactorFit:
    """Fit of a factor model.

    Attributes
    ----------
    df : int
        Degrees of freedom; where it is 0 or less the model is not tested and the indices are NaN.
    objective : float
        ``tr(R/S) - log|R/S| - p``, S the correlations that the model implies; NaN where R or S is
        not positive definite, and with it all that follows from it.
    chi_square, p : float
        Likelihood ratio test with Bartlett's correction.
    null_chi_square : float
        That of uncorrelated items.
    null_df : int
    rmsea, rmsea_low, rmsea_high : float
    tli, cfi : float
        TLI (NNFI) is not held within [0, 1]; CFI is.
    rmsr : float
        Root mean square of the off-diagonal residuals.
    rmsr_corrected : float
        The same over the degrees of freedom in place of the pairs (psych's ``crms``).
    srmr : float
        The same over ``p (p + 1) / 2``, the zeros of the diagonal counted, as in lavaan and Mplus.
    bic, sabic : float
        ``chi_square - df log n``, and with ``(n + 2) / 24`` for n: low is good, negative speaks for
        the model against the saturated one.
    residuals : ndarray, shape (p, p)
        ``corr`` less the model; the uniquenesses on the diagonal.
    """

    df: int
    objective: float
    chi_square: float
    p: float
    null_chi_square: float
    null_df: int
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    tli: float
    cfi: float
    rmsr: float
    rmsr_corrected: float
    srmr: float
    bic: float
    sabic: float
    residuals: FloatArray


def factor_fit(
    corr: FloatArray,
    loadings: FloatArray,
    phi: FloatArray,
    n_obs: float,
    *,
    level: float = _RMSEA_LEVEL,
) -> FactorFit:
    """Measure how well factors fit, however they were extracted and rotated.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        Correlations, no NaN.
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
    n_obs : float
        Respondents behind the correlations.
    level : float
        Confidence of RMSEA's interval.

    Returns
    -------
    FactorFit

    Raises
    ------
    ValueError
        Where ``corr`` holds NaN.

    Notes
    -----
    The same formula serves every extraction, as in psych: the likelihood's discrepancy at the
    given loadings, which only ML minimises, so that chi-square is a little high for the others.
    Chi-square is the discrepancy times ``n - 1 - (2p + 5)/6 - 2m/3``, the null one times ``n - 1 -
    (2p + 5)/6``. RMSEA is ``sqrt(max(chi2 / (df n) - 1 / (n - 1), 0))`` like psych's, its interval
    from the noncentral chi-square over ``(n - 1) df``. Matches psych 2.2.9 ``fa.stats`` where R is
    positive definite; where it is not, psych smooths silently and this has NaN. CFI is from the two
    chi-squares above (psych 2.2.9 has none). With polychoric or pairwise correlations none of the
    tests has its nominal size: read them as descriptions.

    References
    ----------
    Lawley & Maxwell (1971), Factor Analysis as a Statistical Method. Steiger & Lind (1980)
    and Browne & Cudeck (1992), Sociol. Methods Res. 21, 230-258, RMSEA. Tucker & Lewis (1973),
    Psychometrika 38, 1-10. Bentler (1990), Psychol. Bull. 107, 238-246, CFI.
    """
    require_complete(corr)
    p, m = loadings.shape
    df = p * (p - 1) // 2 - p * m + m * (m - 1) // 2
    null_df = p * (p - 1) // 2
    model = loadings @ phi @ loadings.T
    residuals = corr - model
    np.fill_diagonal(model, np.diag(corr))
    off = residuals[np.tril_indices(p, -1)]
    squares = float(off @ off)
    objective, null_objective = _discrepancy(corr, model), _discrepancy(corr, np.eye(p))
    factor = n_obs - 1 - (2 * p + 5) / 6 - 2 * m / 3
    chi_square = max(objective * factor, 0.0) if not np.isnan(objective) else np.nan
    null_chi_square = null_objective * (n_obs - 1 - (2 * p + 5) / 6)
    nan = float("nan")
    rmsea = low = high = tli = cfi = bic = sabic = tail = crms = nan
    if df > 0:
        crms = np.sqrt(squares / df)
        null_mean = null_objective / null_df
        with np.errstate(invalid="ignore", divide="ignore"):
            tli = float(np.divide(null_mean - objective / df, null_mean - 1 / factor))
        excess = max(chi_square - df, 0.0) if not np.isnan(chi_square) else nan
        null_excess = max(null_chi_square - null_df, excess)
        cfi = 1 - excess / null_excess if null_excess > 0 else 1.0
        rmsea = float(np.sqrt(max(chi_square / (df * n_obs) - 1 / (n_obs - 1), 0.0)))
        low, high = rmsea_interval(chi_square, df, n_obs, level=level)
        bic = chi_square - df * np.log(n_obs)
        sabic = chi_square - df * np.log((n_obs + 2) / 24)
        tail = float(chi2.sf(chi_square, df))
        if np.isnan(chi_square):
            rmsea = cfi = nan
    return FactorFit(
        df=df,
        objective=objective,
        chi_square=chi_square,
        p=tail,
        null_chi_square=null_chi_square,
        null_df=null_df,
        rmsea=rmsea,
        rmsea_low=low,
        rmsea_high=high,
        tli=tli,
        cfi=cfi,
        rmsr=float(np.sqrt(squares / max(null_df, 1))),
        rmsr_corrected=float(crms),
        srmr=float(np.sqrt(squares / (p * (p + 1) / 2))),
        bic=float(bic),
        sabic=float(sabic),
        residuals=residuals,
    )


def rmsea_interval(
    chi_square: float, df: int, n_obs: float, *, level: float = _RMSEA_LEVEL
) -> tuple[float, float]:
    """Return the confidence interval of RMSEA.

    Parameters
    ----------
    chi_square : float
    df : int
        Above 0.
    n_obs : float
    level : float

    Returns
    -------
    low, high : float
        0 where chi-square is too small for the tail; NaN for a chi-square of NaN.

    References
    ----------
    Browne & Cudeck (1992), Sociol. Methods Res. 21, 230-258.
    """
    if np.isnan(chi_square):
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    ends = [
        float(np.sqrt(_noncentrality(chi_square, df, below) / ((n_obs - 1) * df)))
        for below in (1 - tail, tail)
    ]
    return ends[0], ends[1]


def largest_residuals(
    residuals: FloatArray, *, n_pairs: int = 10
) -> tuple[IntArray, IntArray, FloatArray]:
    """Find the pairs of items whose correlation the factors reproduce worst.

    Parameters
    ----------
    residuals : ndarray, shape (p, p)
    n_pairs : int

    Returns
    -------
    first, second : ndarray of int
        Items of each pair, the first being the lower.
    residual : ndarray
        Signed, by falling size; ties by place.
    """
    first, second = np.triu_indices(len(residuals), 1)
    values = residuals[first, second]
    order = np.argsort(-np.abs(values), kind="stable")[:n_pairs]
    return first[order], second[order], values[order]


def _discrepancy(corr: FloatArray, model: FloatArray) -> float:
    """Return the likelihood's discrepancy, NaN where either matrix is not positive definite."""
    values, model_values = np.linalg.eigvalsh(np.stack([corr, model]))
    for spectrum in (values, model_values):
        if spectrum[0] <= SINGULAR * spectrum[-1]:
            return float("nan")
    log_ratio = float(np.log(values).sum() - np.log(model_values).sum())
    return float(np.trace(np.linalg.solve(model, corr))) - log_ratio - len(corr)


def _noncentrality(chi_square: float, df: int, below: float) -> float:
    """Return the noncentrality at which a share ``below`` falls below chi-square, 0 if none."""
    if chi2.cdf(chi_square, df) <= below:
        return 0.0
    high = max(chi_square, 1.0)
    while ncx2.cdf(chi_square, df, high) > below:
        high *= 2
    return float(brentq(lambda ncp: ncx2.cdf(chi_square, df, ncp) - below, 1e-12, high, xtol=1e-9))
