"""A weight of w is a row given w times, and only relative weights matter: every statistic.

Each entry of ``STATISTICS`` takes answers (300 people and ten items of bfi, 6% of the answers
missing), their weights, whose each row is, and the number of people; it returns numbers. It is run
on weights of 1 to 4, on the rows repeated so often, and on the weights times 7.3 with the number
of people as it was. What is one number a respondent comes back once for each.

``SIZED`` names those that count respondents by the size of the weights, and why; ``OF_WEIGHTS``
those that describe weights as such. A list that goes stale fails.
"""

from collections.abc import Callable

import numpy as np
import pytest

from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.correlation import (
    covariance,
    em_moments,
    mixed_correlation,
    pearson,
    polychoric,
    polyserial,
    smooth_correlation,
    spearman,
    thin_pairs,
)
from psychoseg.stats.dimension import how_many_factors
from psychoseg.stats.extraction import (
    EXTRACTION_METHODS,
    extract,
    extract_principal_axes,
    squared_multiple_correlations,
)
from psychoseg.stats.factor import bartlett_sphericity, kmo, schmid_leiman
from psychoseg.stats.fit import factor_fit
from psychoseg.stats.items import item_rest, purification_path, screen_items, suggest_keys
from psychoseg.stats.missing import missing_report
from psychoseg.stats.parallel import parallel_analysis
from psychoseg.stats.polychoric import pair_tables
from psychoseg.stats.quality import (
    mahalanobis,
    person_total,
    relative_speed,
    robust_cutoff,
    weighted_median,
)
from psychoseg.stats.reliability import (
    average_variance_extracted,
    composite_reliability,
    cronbach_alpha,
    guttman_lambda6,
    omega,
    omega_total,
    ordinal_alpha,
    scaled_correlation,
    split_half,
    standardised_alpha,
)
from psychoseg.stats.rotation import ROTATIONS, rotate
from psychoseg.stats.scores import factor_scores, score_weights
from psychoseg.stats.weighting import rake, trim_weights, weighting_efficiency

Numbers = list[np.ndarray]
#: Answers, weights, the respondent each row belongs to, and the number of people.
Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray, float], Numbers]
SCALE = 7.3
PHI = np.array([[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1]])
KINDS = ["continuous", "continuous", *["ordinal"] * 8]


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def each_once(values: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Return one value a respondent; repeated rows must have the same."""
    first = np.unique(person, return_index=True)[1]
    np.testing.assert_allclose(values, values[first][np.searchsorted(person[first], person)])
    return values[first]


def of_corr(function: Callable[[np.ndarray, float], Numbers]) -> Statistic:
    return lambda x, w, _, n: function(pearson(x, w), n)


def fitted(corr: np.ndarray, n: float) -> Numbers:
    fit = factor_fit(corr, extract(corr, 2).loadings, PHI[:2, :2], n)
    return [np.array([getattr(fit, name)]) for name in fit.__slots__ if name != "residuals"]


def alphas(x: np.ndarray, w: np.ndarray, _: np.ndarray, n: float) -> Numbers:
    found = cronbach_alpha(covariance(x, w))
    parts = [found.alpha, *alpha_interval(x, w, counts=True), found.mean_r]
    return [np.array(parts), found.item_rest, found.alpha_if_dropped]


def omegas(corr: np.ndarray, _: float) -> Numbers:
    found = omega(corr, *schmid_leiman(extract(corr, 3).loadings, PHI))
    return [
        np.array([omega_total(corr), found.total, found.hierarchical, found.asymptotic, found.ecv]),
        np.array([found.group_total, found.group_general, found.group_own]),
    ]


def halves(corr: np.ndarray, _: float) -> Numbers:
    found = split_half(corr, rng=rng())
    return [np.array([found.highest, found.mean, found.lowest]), found.best, found.worst]


def weights_of_scores(method: str) -> Statistic:
    def compute(corr: np.ndarray, _: float) -> Numbers:
        found = score_weights(corr, extract(corr, 2).loadings, PHI[:2, :2], method=method)
        return [found.weights, found.correlations, found.validity, found.determinacy]

    return of_corr(compute)


def scores(method: str) -> Statistic:
    def compute(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
        corr = pearson(x, w)
        found = factor_scores(x, w, corr, extract(corr, 2).loadings, PHI[:2, :2], method=method)
        return [each_once(found.scores, person), found.mean, found.sd]

    return compute


def distances(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
    found = mahalanobis(x, w)
    return [each_once(part, person) for part in (found.squared, found.df, found.p)]


def singular_distances(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
    return distances(np.column_stack([x, x[:, 0]]), w, person, 0.0)


def missing(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
    found = missing_report(x, w)
    totals = np.array([found.overall, found.complete])
    each = [each_once(part, person) for part in (found.respondents, found.last_answered)]
    return [found.items, totals, found.coverage, found.patterns, found.pattern_shares, *each]


def screened(x: np.ndarray, w: np.ndarray, *_: object) -> Numbers:
    corr = pearson(x, w)
    ends = np.ones(x.shape[1]), np.full(x.shape[1], 6.0)
    axes = extract(corr, 2).loadings
    flags = screen_items(x, w, corr, axes, PHI[:2, :2], low=ends[0], high=ends[1])
    assert {"weak loading", "wrong key"} & {flag.reason for flag in flags}
    reasons = np.array([[ord(letter) for letter in f.reason[:3]] for f in flags], dtype=float)
    return [np.array([[f.item, f.other, f.value] for f in flags]), reasons]


def dropped(x: np.ndarray, w: np.ndarray, *_: object) -> Numbers:
    cov = covariance(x, w)
    path = purification_path(cov, np.arange(len(cov)))
    assert len(path) > 1
    return [
        np.array([[step.item, step.alpha, step.alpha_without] for step in path]),
        item_rest(cov, np.zeros(len(cov), dtype=int)),
    ]


def thin(x: np.ndarray, w: np.ndarray, *_: object) -> Numbers:
    rare = np.where(np.arange(x.shape[1]) < 2, x, np.where(x < 6, 1.0, x))
    rare[:, 0] = np.where(rare[:, 0] > 2, rare[:, 0], np.nan)
    found = thin_pairs(rare, w, least_rows=300, least_expected=30)
    assert found
    return [np.array([[f.row, f.col, f.reason == "too few rows", f.n] for f in found])]


def parallel(kind: str, null: str) -> Statistic:
    def compute(x: np.ndarray, w: np.ndarray, _: np.ndarray, n: float) -> Numbers:
        corr = {"pearson": pearson, "polychoric": polychoric}[kind](x, w)
        found = parallel_analysis(
            smooth_correlation(corr)[0],
            n,
            rng=rng(),
            replicates=5,
            items=x,
            weights=w,
            correlation=kind,
            null=null,
        )
        return [found.observed, found.threshold, found.reduced, found.reduced_threshold]

    return compute


def how_many(x: np.ndarray, w: np.ndarray, _: np.ndarray, n: float) -> Numbers:
    found = how_many_factors(pearson(x, w), n, rng=rng(), items=x, weights=w, replicates=5)
    rows = [[np.nan if r.suggested is None else r.suggested, r.statistic] for r in found.table]
    return [np.array(rows), found.map_squared, found.map_fourth, found.kaiser_reference]


def margins_of(x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    codes = [np.nan_to_num(x[:, j], nan=1.0).astype(int) > 3 for j in (0, 1, 2)]
    return [c.astype(int) for c in codes], [np.array([0.4, 0.6])] * 3


def raked(bounds: tuple[float, float] | None) -> Statistic:
    def compute(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
        found = rake(w, *margins_of(x), bounds=bounds, tolerance=1e-13)
        # The factor by which a respondent's weight changes is that of each of its repetitions.
        return [each_once(found.weights / w, person), np.array([found.deviation])]

    return compute


def trimmed(_: np.ndarray, w: np.ndarray, person: np.ndarray, __: float) -> Numbers:
    cut = trim_weights(w * (1 + person % 5), low=0.3, high=2.0)
    return [cut / cut.mean()]


def efficiency(_: np.ndarray, w: np.ndarray, person: np.ndarray, __: float) -> Numbers:
    found = weighting_efficiency(w)
    return [np.array([getattr(found, name) for name in found.__slots__])]


def speed(x: np.ndarray, w: np.ndarray, person: np.ndarray, _: float) -> Numbers:
    seconds = np.nansum(x, axis=1) * 3 + person % 7
    pages = np.column_stack([seconds, np.nansum(x[:, :4], axis=1)])
    cutoff = robust_cutoff("speed", seconds, w, side="below")
    return [
        each_once(relative_speed(seconds, w), person),
        each_once(relative_speed(pages, w), person),
        np.array([cutoff.value, weighted_median(seconds, w)]),
    ]


def extraction(method: str) -> Statistic:
    def compute(corr: np.ndarray, _: float) -> Numbers:
        found = extract(corr, 2, method=method)
        return [found.loadings, found.uniquenesses, np.array([found.objective])]

    return of_corr(compute)


def rotation(method: str) -> Statistic:
    def compute(corr: np.ndarray, _: float) -> Numbers:
        loadings = extract(corr, 2).loadings
        turned = rotate(loadings, method, target=np.where(np.abs(loadings) > 0.3, np.nan, 0.0))
        return [turned.loadings, turned.phi]

    return of_corr(compute)


STATISTICS: dict[str, Statistic] = {
    "covariance": lambda x, w, *_: [covariance(x, w)],
    "pearson, pairwise": lambda x, w, *_: [pearson(x, w)],
    "pearson, listwise": lambda x, w, *_: [pearson(x, w, missing="listwise")],
    "pearson, em": lambda x, w, *_: [pearson(x, w, missing="em")],
    "em moments": lambda x, w, *_: [em_moments(x, w).mean, em_moments(x, w).cov],
    "spearman, pairwise": lambda x, w, *_: [spearman(x, w)],
    "spearman, listwise": lambda x, w, *_: [spearman(x, w, missing="listwise")],
    "spearman of many values": lambda x, w, p, _: [spearman(x + (p % 31)[:, None], w)],
    "polychoric, pairwise": lambda x, w, *_: [polychoric(x, w)],
    "polychoric, listwise": lambda x, w, *_: [polychoric(x, w, missing="listwise")],
    "tetrachoric": lambda x, w, *_: [polychoric((x > 3).astype(float), w)],
    "tables": lambda x, w, *_: [pair_tables(x, w)[0]],
    "ordinal alpha": lambda x, w, _, n: [np.array(ordinal_alpha(x[:, 5:], w, n))],
    "polyserial": lambda x, w, *_: [polyserial(x[:, :2], x[:, 2:], w)],
    "mixed, pairwise": lambda x, w, *_: [mixed_correlation(x, KINDS, w)],
    "mixed, listwise": lambda x, w, *_: [mixed_correlation(x, KINDS, w, missing="listwise")],
    "thin pairs": thin,
    "smoothed": lambda x, w, *_: [smooth_correlation(pearson(x, w), floor=0.5)[0]],
    "squared multiple correlations": of_corr(lambda r, _: [squared_multiple_correlations(r)]),
    "kmo": of_corr(lambda r, _: [np.array([kmo(r)[0]]), kmo(r)[1]]),
    "bartlett's test": of_corr(lambda r, n: [np.array(bartlett_sphericity(r, n))]),
    "principal axes, spss": of_corr(
        lambda r, _: [extract_principal_axes(r, 2, convention="spss").loadings]
    ),
    "fit": of_corr(fitted),
    "alpha": alphas,
    "alpha, standardised": lambda x, w, *_: [
        np.array([standardised_alpha(scaled_correlation(covariance(x, w)))]),
        np.array(alpha_interval(x, w, counts=True, standardised=True)),
    ],
    "alpha, ordinal": lambda x, w, *_: [np.array([standardised_alpha(polychoric(x, w))])],
    "lambda 6": of_corr(lambda r, _: [np.array([guttman_lambda6(r)])]),
    "omega": of_corr(omegas),
    "split half": of_corr(halves),
    "composite reliability": of_corr(
        lambda r, _: [
            np.array([composite_reliability(f), average_variance_extracted(f)])
            for f in extract(r, 1).loadings.T
        ]
    ),
    "keys": of_corr(lambda r, _: [suggest_keys(r)]),
    "screening": screened,
    "purification": dropped,
    "missing report": missing,
    "mahalanobis": distances,
    "mahalanobis, singular": singular_distances,
    "person total": lambda x, w, p, _: [each_once(person_total(x, w), p)],
    "speed and medians": speed,
    "number of factors": how_many,
    "raking": raked(None),
    "raking within bounds": raked((0.5, 2.0)),
    "trimming": trimmed,
    "efficiency": efficiency,
}
for _kind in ("pearson", "polychoric"):
    for _null in ("simulated", "permuted"):
        STATISTICS[f"parallel analysis, {_kind}, {_null}"] = parallel(_kind, _null)
for _rule in ("two_by_two", "every_table", "psych"):
    STATISTICS[f"polychoric, {_rule}"] = lambda x, w, p, _, rule=_rule: [
        polychoric(x, w, correction=0.5, rule=rule),
        polychoric((x > 5)[p < 60].astype(float), w[p < 60], correction=0.5, rule=rule),
    ]
for _method in EXTRACTION_METHODS:
    STATISTICS[f"extraction, {_method}"] = extraction(_method)
for _method in ROTATIONS:
    STATISTICS[f"rotation, {_method}"] = rotation(_method)
for _method in ("regression", "bartlett", "ten_berge"):
    STATISTICS[f"score weights, {_method}"] = weights_of_scores(_method)
    STATISTICS[f"scores, {_method}"] = scores(_method)


#: Those whose meaning is in the size of the weights, which must average one or count people.
SIZED = {
    "covariance": "divides by one less than the sum of the weights",
    "tables": "are sums of weights",
    "thin pairs": "counts respondents",
    "alpha": "is of covariances, and their pairs have not all the same sum of weights",
    "alpha, standardised": "is of the same covariances",
    "purification": "is of covariances",
    "mahalanobis": "is of covariances",
    "mahalanobis, singular": "is of covariances",
    "polychoric, two_by_two": "fills an empty cell with half a respondent",
    "polychoric, every_table": "fills an empty cell with half a respondent",
    "polychoric, psych": "fills an empty cell with half a respondent",
}
#: A weight cut off or spread unevenly is that of one row: two rows of weight 1 are not one of 2.
OF_WEIGHTS = ("trimming", "efficiency")

#: These take positive weights alone; raking refuses others.
POSITIVE = ("raking", "raking within bounds", "trimming")


@pytest.fixture(scope="module")
def answers(bfi):
    draw = np.random.default_rng(12)
    items = bfi[draw.choice(len(bfi), 300, replace=False)][:, :10].copy()
    items[draw.random(items.shape) < 0.05] = np.nan
    assert 0.04 < np.isnan(items).mean() < 0.08
    return items, draw.integers(1, 5, 300).astype(float)


def compare(ours: Numbers, theirs: Numbers) -> None:
    # Sums of some hundred products in another order differ by 1e-13 at most.
    for a, b in zip(ours, theirs, strict=True):
        assert np.isfinite(a.astype(float)).any()
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", [name for name in STATISTICS if name not in OF_WEIGHTS])
def test_integer_weights_equal_repeated_rows(answers, name):
    items, weights = answers
    person, n = np.arange(len(items)), float(weights.sum())
    repeated = np.repeat(person, weights.astype(int))
    weighted = STATISTICS[name](items, weights, person, n)
    ones = np.ones(len(repeated))
    compare(weighted, STATISTICS[name](items[repeated], ones, repeated, n))


@pytest.mark.parametrize("name", [name for name in STATISTICS if name not in SIZED])
def test_rescaled_weights_change_nothing(answers, name):
    items, weights = answers
    person, n = np.arange(len(items)), float(weights.sum())
    as_given = STATISTICS[name](items, weights, person, n)
    compare(as_given, STATISTICS[name](items, SCALE * weights, person, n))


@pytest.mark.parametrize("name", SIZED)
def test_rescaled_weights_change_what_counts_respondents(answers, name):
    items, weights = answers
    person, n = np.arange(len(items)), float(weights.sum())
    as_given = STATISTICS[name](items, weights, person, n)
    rescaled = STATISTICS[name](items, SCALE * weights, person, n)
    same = [
        a.shape == b.shape and np.allclose(a, b, rtol=1e-10, equal_nan=True)
        for a, b in zip(as_given, rescaled, strict=True)
    ]
    assert not all(same)


# Keys are signs, and signs may well stay.
@pytest.mark.parametrize("name", [name for name in STATISTICS if name != "keys"])
def test_weights_matter(answers, name):
    items, weights = answers
    person, n = np.arange(len(items)), float(weights.sum())
    weighted = STATISTICS[name](items, weights, person, n)
    plain = STATISTICS[name](items, np.ones(len(items)), person, n)
    same = [
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6, equal_nan=True)
        for a, b in zip(weighted, plain, strict=True)
    ]
    assert not all(same)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [name for name in STATISTICS if name not in POSITIVE])
def test_a_weight_of_zero_is_no_row(answers, name):
    items, weights = answers
    person, n = np.arange(len(items)), float(weights.sum())
    # ... whatever is in it, an answer that nobody else gave included.
    more = np.vstack([items, items[:20] + 10])
    given = np.concatenate([weights, np.zeros(20)])
    with_zeros = STATISTICS[name](more, given, np.arange(len(more)), n)
    without = STATISTICS[name](items, weights, person, n)
    # One number a respondent: those of the rows that count.
    kept = [a[: len(items)] if len(a) == len(more) else a for a in with_zeros]
    compare(kept, without)
