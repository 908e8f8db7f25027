"""How many factors: what each rule says, and one recommendation with its reason.

Runs the rules of ``dimension_rules`` and ``parallel`` on one matrix and weighs them; the factors it
extracts and rotates on the way are for counting only.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from psychoseg.errors import PsychosegWarning
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.correlation import SMOOTHING_FLOOR, smooth_correlation
from psychoseg.stats.dimension_rules import (
    Hull,
    acceleration_factor,
    common_part_accounted_for,
    comparative_fit,
    empirical_kaiser,
    hull,
    kaiser_rule,
    minimum_average_partial,
)
from psychoseg.stats.extraction import extract_minres
from psychoseg.stats.optima import extract_minres_from
from psychoseg.stats.parallel import (
    CorrelationKind,
    NextEigenvalue,
    NullData,
    ParallelAnalysis,
    complete_unseen,
    next_eigenvalue,
    parallel_analysis,
)
from psychoseg.stats.rotation import rotate

__all__ = [
    "Criterion",
    "FactorCountEvidence",
    "NextEigenvalue",
    "ParallelAnalysis",
    "how_many_factors",
    "next_eigenvalue",
    "parallel_analysis",
]

#: Hull looks at least this far, so that its curve can bend at all, as in R's EFAtools.
_LEAST_HULL = 3
#: Two items determine a factor by their one correlation alone, and only through other factors;
#: three are the least that do by themselves (Anderson & Rubin 1956; Velicer & Fava 1998).
_LEAST_ITEMS = 3
#: An item belongs to a factor with a loading of at least so much: the default of ``min_loading``.
_LEAST_LOADING = 0.3
#: A uniqueness below this has no likelihood to speak of; the lower bound of extraction.
_LEAST_UNIQUENESS = 0.005


@dataclass(frozen=True, slots=True)
class Criterion:
    """What one rule says.

    Attributes
    ----------
    criterion : str
        Name of the rule.
    suggested : int or None
        Factors it suggests; None where it cannot say.
    statistic : float
        The number behind it; NaN where there is none.
    meaning : str
        What the statistic is.
    footnote : bool
        True for rules reported because readers know them, not because they work.
    """

    criterion: str
    suggested: int | None
    statistic: float
    meaning: str
    footnote: bool


@dataclass(frozen=True, slots=True)
class FactorCountEvidence:
    """All that is known about the number of factors.

    Attributes
    ----------
    n_factors : int
        The recommendation; 0 where no factor stands out from unrelated items.
    n_distinct : int
        Factors before those with too few items were taken off; as many or more.
    reason : str
        Why, in one or two sentences.
    table : tuple of Criterion
        One a rule, footnotes last.
    parallel : ParallelAnalysis
        Eigenvalues and thresholds of components and factors: the scree plot.
    sufficiency : NextEigenvalue
        Eigenvalues beside those of data with the factors before them.
    map_squared, map_fourth : ndarray, shape (p,)
        Average partial correlation after 0, 1, ... components, squared and to the fourth power.
    kaiser_reference : ndarray, shape (p,)
        Reference eigenvalues of the empirical Kaiser criterion.
    hull_caf, hull_cfi : Hull
        Hull with the common part accounted for, and with the comparative fit index.
    """

    n_factors: int
    n_distinct: int
    reason: str
    table: tuple[Criterion, ...]
    parallel: ParallelAnalysis
    sufficiency: NextEigenvalue
    map_squared: FloatArray
    map_fourth: FloatArray
    kaiser_reference: FloatArray
    hull_caf: Hull
    hull_cfi: Hull


def how_many_factors(
    corr: FloatArray,
    n_obs: float,
    *,
    rng: np.random.Generator,
    items: FloatArray | None = None,
    weights: FloatArray | None = None,
    correlation: CorrelationKind = "pearson",
    null: NullData = "simulated",
    replicates: int = 100,
    percentile: float | None = 95.0,
) -> FactorCountEvidence:
    """Ask every rule how many factors there are, and recommend a number.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
        No NaN, p of at least 3. One that is not positive definite is smoothed with a warning.
    n_obs : float
        Respondents behind it, more than p: where answers are weighted, Kish's effective number for
        survey weights and their sum for frequencies.
    rng : numpy.random.Generator
        For the random data of parallel analysis and the next eigenvalue sufficiency test.
    items : ndarray, shape (n, p), optional
        The answers behind ``corr``, NaN where missing: they tell both how precise each correlation
        is, and which pairs nobody answered both of. Always give them with polychoric or mixed
        correlations, and with a split questionnaire.
    weights : ndarray, shape (n,), optional
        Case weights of the items. Their scale does not matter: they stand for ``n_obs`` people.
    correlation : {"pearson", "polychoric", "mixed"}
        What ``corr`` is made of, see :func:`psychoseg.stats.parallel.parallel_analysis`.
    null : {"simulated", "permuted"}
        See :func:`psychoseg.stats.parallel.parallel_analysis`.
    replicates : int
        Random data sets.
    percentile : float, optional
        Of their eigenvalues; None for the mean.

    Returns
    -------
    FactorCountEvidence

    Raises
    ------
    ValueError
        As parallel analysis does, and where there are fewer than 3 items.

    Warns
    -----
    PsychosegWarning
        Where the matrix had to be smoothed.

    Notes
    -----
    The recommendation takes three steps.

    1. The next eigenvalue sufficiency test counts. It knows the factors already found when it
       judges the next one, so that it sees the weaker of correlated factors, which parallel
       analysis of components misses and that of factors sees less often. Like any test it finds,
       in large samples, whatever pair of items shares something of its own.
    2. The empirical Kaiser criterion keeps out factors no larger than one item.
    3. Every factor must be the one on which at least three items load highest, with .3 or more
       (minres, promax). Else the number falls, by half of the factors that are too small (rounded
       up) until none is: pairs of alike items become no factors. One factor stays.

    A polychoric or mixed matrix without its items has no proper thresholds (they let too many
    factors through), so there the components of parallel analysis are the first step. Where a
    factor of two items is wanted, ask for it: ``n_distinct`` is the number before the third step.
    ``tests/benchmarks/measurement_dimension.py`` and ``measurement_recovery.py`` simulate the
    recommendation beside its rules. The test looks no further than one factor for three items.

    Every rule sees the correlations of pairs nobody answered both of as
    :func:`psychoseg.stats.parallel.complete_unseen` has them. Blocks of a split questionnaire
    without items in common are unrelated there: a factor that runs through both counts twice.

    Hull uses minres solutions of 0 factors up to one more than parallel analysis retains, as its
    authors do, and takes Kaiser's KMO of the residuals (CAF) or the normal likelihood (CFI).

    References
    ----------
    See the functions of ``dimension_rules`` and ``parallel``. Auerswald & Moshagen (2019), Psychol.
    Methods 24, 468-491, compare the rules. Velicer & Fava (1998), Psychol. Methods 3, 231-251, on
    the number of items a factor takes.
    """
    if len(corr) < 3:
        msg = f"the number of factors takes at least 3 items, there are {len(corr)}"
        raise ValueError(msg)
    if not np.isnan(corr).any():
        corr, smallest = smooth_correlation(corr)
        if smallest < SMOOTHING_FLOOR:
            msg = (
                "the correlation matrix is not positive definite (smallest eigenvalue "
                f"{smallest:.3g}); it was smoothed before counting factors"
            )
            warnings.warn(msg, PsychosegWarning, stacklevel=2)
        if items is None or items.shape[1] == len(corr):
            corr = complete_unseen(corr, items, weights)
    parallel = parallel_analysis(
        corr,
        n_obs,
        rng=rng,
        replicates=replicates,
        percentile=percentile,
        items=items,
        weights=weights,
        correlation=correlation,
        null=null,
    )
    sufficiency = next_eigenvalue(
        corr,
        n_obs,
        rng=rng,
        replicates=replicates,
        percentile=percentile,
        items=items,
        weights=weights,
        correlation=correlation,
        most=max(len(corr) // _LEAST_ITEMS, 1),
    )
    kaiser, kaiser_reference = empirical_kaiser(parallel.observed, n_obs)
    map2, map_squared = minimum_average_partial(corr, power=2)
    map4, map_fourth = minimum_average_partial(corr, power=4)
    most = max(parallel.n_factors, parallel.n_reduced, _LEAST_HULL - 1) + 1
    hull_caf, hull_cfi = _hulls(corr, n_obs, most)
    elbow, acceleration = acceleration_factor(parallel.observed)
    ones = kaiser_rule(parallel.observed)

    trusted = items is not None or correlation == "pearson"
    found = sufficiency.n_factors if trusted else parallel.n_factors
    n_distinct = min(found, kaiser)
    n_factors = _with_items_enough(corr, n_distinct)
    lead = "smallest lead over the threshold among those retained"
    table = (
        Criterion(
            "next eigenvalue sufficiency test",
            sufficiency.n_factors,
            _lead(sufficiency.observed, sufficiency.threshold, sufficiency.n_factors),
            lead,
            False,
        ),
        Criterion(
            "parallel analysis, factors",
            parallel.n_reduced,
            _lead(parallel.reduced, parallel.reduced_threshold, parallel.n_reduced),
            lead,
            False,
        ),
        Criterion(
            "parallel analysis, components",
            parallel.n_factors,
            _lead(parallel.observed, parallel.threshold, parallel.n_factors),
            lead,
            False,
        ),
        Criterion(
            "minimum average partial, squared",
            map2,
            float(map_squared[map2]),
            "average squared partial correlation",
            False,
        ),
        Criterion(
            "minimum average partial, fourth power",
            map4,
            float(map_fourth[map4]),
            "average fourth power of the partial correlations",
            False,
        ),
        Criterion(
            "empirical Kaiser criterion",
            kaiser,
            _lead(parallel.observed, kaiser_reference, kaiser),
            lead,
            False,
        ),
        _hull_row("hull, common part accounted for", hull_caf),
        _hull_row("hull, comparative fit index", hull_cfi),
        Criterion(
            "eigenvalues above 1 (Kaiser)",
            ones,
            float(parallel.observed[ones - 1]) if ones else np.nan,
            "smallest eigenvalue above 1",
            True,
        ),
        Criterion(
            "acceleration factor (scree)",
            elbow,
            float(acceleration[elbow]),
            "second difference of the eigenvalues at the elbow",
            True,
        ),
    )
    return FactorCountEvidence(
        n_factors=n_factors,
        n_distinct=n_distinct,
        reason=_reason(n_factors, n_distinct, found, trusted, percentile, table),
        table=table,
        parallel=parallel,
        sufficiency=sufficiency,
        map_squared=map_squared,
        map_fourth=map_fourth,
        kaiser_reference=kaiser_reference,
        hull_caf=hull_caf,
        hull_cfi=hull_cfi,
    )


def _with_items_enough(corr: FloatArray, n_factors: int) -> int:
    """Return the number of factors once none has fewer items than it takes."""
    m = min(n_factors, len(corr) - 1)
    while m > 1:
        size = np.abs(rotate(extract_minres(corr, m).loadings, "promax").loadings)
        own = size.argmax(axis=1)[size.max(axis=1) >= _LEAST_LOADING]
        small = int((np.bincount(own, minlength=m) < _LEAST_ITEMS).sum())
        if small == 0:
            break
        m = max(m - (small + 1) // 2, 1)
    return m


def _hulls(corr: FloatArray, n_obs: float, most: int) -> tuple[Hull, Hull]:
    """Fit 0 to ``most`` factors by minres, as far as there are degrees of freedom."""
    p = len(corr)
    caf, cfi, df = [], [], []
    for m in range(most + 1):
        free = ((p - m) ** 2 - p - m) / 2
        if free < 0 or m >= p:
            break
        loadings, unique = np.zeros((p, 0)), np.ones(p)
        if m > 0:
            fit = extract_minres_from(corr, m, start=unique)
            loadings, unique = fit.loadings, np.maximum(fit.uniquenesses, _LEAST_UNIQUENESS)
        df.append(free)
        caf.append(common_part_accounted_for(corr, loadings))
        cfi.append(comparative_fit(corr, loadings, unique, n_obs, free))
    freedom = np.array(df)
    return hull(np.array(caf), freedom), hull(np.array(cfi), freedom)


def _lead(values: FloatArray, reference: FloatArray, retained: int) -> float:
    """Return the smallest lead of the retained values over their reference, NaN where none is."""
    return float((values - reference)[:retained].min()) if retained else np.nan


def _hull_row(name: str, curve: Hull) -> Criterion:
    best = curve.n_factors
    statistic = np.nan if best is None else float(curve.bend[best])
    meaning = "gain in fit before the bend over the gain after it (st)"
    return Criterion(name, best, statistic, meaning, False)


def _reason(
    n_factors: int,
    n_distinct: int,
    found: int,
    trusted: bool,
    percentile: float | None,
    table: tuple[Criterion, ...],
) -> str:
    """Say why, and what the other rules say."""
    bar = "mean" if percentile is None else f"{percentile:g}th percentile"
    reason = f"{_count(n_factors, 'factor')}: "
    if trusted:
        reason += (
            f"{_count(found, 'eigenvalue')} above the {bar} of random data with the factors before "
            "it (next eigenvalue sufficiency test)"
        )
    else:
        reason += (
            f"parallel analysis finds {_count(found, 'component')} above the {bar} of unrelated "
            "items"
        )
    if n_distinct < found:
        reason += (
            f", of which the empirical Kaiser criterion keeps {n_distinct}: the rest are no larger "
            "than one item can be by chance"
        )
    if n_factors < n_distinct:
        reason += (
            f"; of {n_distinct} factors some have fewer than {_LEAST_ITEMS} items of their own, of "
            f"{n_factors} none"
        )
    if not trusted:
        reason += (
            "; components decide, since factors of latent correlations need the answers for "
            "their thresholds"
        )
    rules = [row for row in table if not row.footnote]
    other = [row for row in rules if row.suggested != n_factors]
    says = [f"{row.criterion}: {'-' if row.suggested is None else row.suggested}" for row in other]
    reason += f". {len(rules) - len(other)} of {len(rules)} rules say {n_factors}"
    return reason + (f" ({'; '.join(says)})." if says else ".")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
