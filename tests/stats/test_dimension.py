import warnings
from itertools import pairwise

import numpy as np
import pytest

from psychoseg.errors import PsychosegWarning
from psychoseg.stats import dimension
from psychoseg.stats.correlation import mixed_correlation, pearson, polychoric
from psychoseg.stats.dimension import how_many_factors, next_eigenvalue, parallel_analysis
from psychoseg.stats.factor import extract_minres
from psychoseg.stats.parallel import _category_variance, _margins, complete_unseen
from tests.stats.conftest import reference


def answers(rng, sizes, n, *, phi=0.3, missing=0.05):
    """Return answers on five skewed points, each item on one factor."""
    m, p = len(sizes), sum(sizes)
    between = np.full((m, m), phi)
    np.fill_diagonal(between, 1)
    load = np.zeros((p, m))
    load[np.arange(p), np.repeat(np.arange(m), sizes)] = rng.uniform(0.5, 0.8, p)
    factors = rng.standard_normal((n, m)) @ np.linalg.cholesky(between).T
    unique = np.sqrt(1 - (load**2).sum(axis=1))
    latent = factors @ load.T + rng.standard_normal((n, p)) * unique
    shift = rng.uniform(0.3, 1.0, p) * rng.choice([-1, 1], p)
    cuts = np.array([-1.5, -0.5, 0.5, 1.5])[:, None] + shift
    x = (latent > cuts[:, None, :]).sum(axis=0) + 1.0
    x[rng.random((n, p)) < missing] = np.nan
    return x


def by_name(evidence):
    return {row.criterion: row.suggested for row in evidence.table}


def test_eigenvalues_of_components_and_factors_equal_psych_on_bfi(bfi):
    expected = reference("dimension_parallel.csv")
    corr = pearson(bfi, np.ones(len(bfi)))
    ours = parallel_analysis(corr, len(bfi), rng=np.random.default_rng(1), replicates=2)
    # No iteration on either side: only the ten digits printed limit the comparison.
    np.testing.assert_allclose(ours.observed, expected["observed"], atol=1e-8)
    np.testing.assert_allclose(ours.reduced, expected["reduced"], atol=1e-8)


@pytest.mark.parametrize(
    ("percentile", "components", "factors"),
    [
        (None, "simulated_mean", "simulated_reduced_mean"),
        (95.0, "simulated_95", "simulated_reduced_95"),
    ],
)
def test_simulated_thresholds_equal_psych_on_bfi(bfi, percentile, components, factors):
    expected = reference("dimension_parallel.csv")
    corr = pearson(bfi, np.ones(len(bfi)))
    ours = parallel_analysis(
        corr, len(bfi), rng=np.random.default_rng(1), replicates=1000, percentile=percentile
    )
    # The largest random eigenvalue has a standard deviation of .015, its 95th percentile in 400
    # replicates a Monte Carlo error of .0016: .006 is over three of them.
    np.testing.assert_allclose(ours.threshold, expected[components], atol=0.006)
    np.testing.assert_allclose(ours.reduced_threshold, expected[factors], atol=0.006)


def test_permuted_thresholds_equal_those_psych_resamples_on_bfi(bfi):
    expected = reference("dimension_parallel.csv")
    corr = pearson(bfi, np.ones(len(bfi)))
    ours = parallel_analysis(
        corr,
        len(bfi),
        rng=np.random.default_rng(1),
        replicates=200,
        percentile=None,
        items=bfi,
        null="permuted",
    )
    # psych draws with replacement, which at n = 2800 moves nothing by more than Monte Carlo error.
    np.testing.assert_allclose(ours.threshold, expected["resampled_mean"], atol=0.005)
    np.testing.assert_allclose(
        ours.reduced_threshold, expected["resampled_reduced_mean"], atol=0.005
    )


def test_precision_of_polychoric_correlations_is_that_of_their_permuted_answers():
    rng = np.random.default_rng(4)
    x = answers(rng, [5] * 4, 600, missing=0.15)
    corr = polychoric(x, np.ones(len(x)))
    found = {
        null: parallel_analysis(
            corr,
            len(x),
            rng=np.random.default_rng(5),
            replicates=200,
            percentile=None,
            items=x,
            correlation="polychoric",
            null=null,
        )
        for null in ("simulated", "permuted")
    }
    plain = parallel_analysis(
        corr, len(x), rng=np.random.default_rng(5), replicates=200, percentile=None
    )
    a, b = found["simulated"], found["permuted"]
    # First order in 1 / sqrt(n); thresholds that ignore cuts and missing answers are off by .1.
    np.testing.assert_allclose(a.threshold, b.threshold, atol=0.02)
    np.testing.assert_allclose(a.reduced_threshold, b.reduced_threshold, atol=0.02)
    assert b.reduced_threshold[0] - plain.reduced_threshold[0] > 0.08


@pytest.mark.parametrize("cuts", [[0.0], [-0.4, 1.0], [-1.0, 0.0, 0.3, 1.2]])
def test_category_variance_is_that_of_a_cut_normal_variable(cuts):
    # The trapezoid rule over each category, on the density itself.
    edges = [-9.0, *cuts, 9.0]
    grid = [np.linspace(a, b, 20001) for a, b in pairwise(edges)]
    density = [np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) for z in grid]
    mass = [np.trapezoid(d, z) for d, z in zip(density, grid, strict=True)]
    first = [np.trapezoid(d * z, z) for d, z in zip(density, grid, strict=True)]
    expected = sum(f**2 / m for f, m in zip(first, mass, strict=True))
    item = np.append(np.arange(len(mass), dtype=float), np.nan)
    # Trapezoids of width 1e-3 or less are good to about 1e-7.
    assert _category_variance(item, np.append(mass, 5.0)) == pytest.approx(expected, abs=1e-6)
    if cuts == [0.0]:
        assert _category_variance(item, np.append(mass, 5.0)) == pytest.approx(2 / np.pi, abs=1e-6)


@pytest.mark.parametrize("null", ["simulated", "permuted"])
@pytest.mark.parametrize("correlation", ["pearson", "polychoric"])
def test_whole_weights_equal_repeated_rows_and_their_scale_does_not_matter(null, correlation):
    rng = np.random.default_rng(6)
    x = answers(rng, [4, 4], 150)
    weights = rng.integers(1, 4, len(x)).astype(float)
    repeated = np.repeat(x, weights.astype(int), axis=0)
    kind = {"pearson": pearson, "polychoric": polychoric}[correlation]

    def evidence(items, case_weights, corr):
        return how_many_factors(
            corr,
            weights.sum(),
            rng=np.random.default_rng(7),
            items=items,
            weights=case_weights,
            correlation=correlation,
            null=null,
            replicates=10,
        )

    corr = kind(x, weights)
    a = evidence(x, weights, corr)
    # One matrix for all: what is tested is the use of the weights here, not in the correlations.
    for b in (evidence(repeated, None, corr), evidence(x, weights * 0.37, corr)):
        np.testing.assert_allclose(a.parallel.threshold, b.parallel.threshold, atol=1e-10)
        np.testing.assert_allclose(
            a.parallel.reduced_threshold, b.parallel.reduced_threshold, atol=1e-10
        )
        np.testing.assert_allclose(a.sufficiency.threshold, b.sufficiency.threshold, atol=1e-10)
        assert a.n_factors == b.n_factors
        assert a.reason == b.reason


def test_shuffled_rows_change_nothing():
    rng = np.random.default_rng(8)
    x = answers(rng, [4, 4, 4], 200)
    weights = rng.uniform(0.5, 2.0, len(x))
    order = rng.permutation(len(x))
    corr = pearson(x, weights)
    a, b = (
        parallel_analysis(
            corr,
            200,
            rng=np.random.default_rng(9),
            items=x[rows],
            weights=weights[rows],
            null="permuted",
            replicates=5,
        )
        for rows in (np.arange(len(x)), order)
    )
    np.testing.assert_allclose(a.threshold, b.threshold, atol=1e-12)


def test_margins_keep_every_answer_and_its_share():
    item = np.array([[3.0], [np.nan], [1.0], [2.0]])
    rows = _margins(item, np.array([1.0, 2.0, 3.0, 4.0]), 20)[0]
    values, counts = np.unique(rows, return_counts=True)
    np.testing.assert_array_equal(values, [1, 2, 3, np.nan])
    np.testing.assert_array_equal(counts, [6, 8, 2, 4])


def test_every_rule_says_what_is_known_of_bfi(bfi):
    corr = pearson(bfi, np.ones(len(bfi)))
    found = how_many_factors(corr, len(bfi), rng=np.random.default_rng(1), items=bfi)
    says = by_name(found)
    # psych::fa.parallel(SMC = TRUE) 2.2.9 says 8 factors and 6 components, vss's MAP 5.
    assert says["minimum average partial, squared"] == 5
    # Eigenvalues 5.04 2.74 2.11 1.83 1.54 1.11 .85: six above 1.
    assert says["eigenvalues above 1 (Kaiser)"] == 6
    assert says["parallel analysis, components"] == 6
    assert says["parallel analysis, factors"] == 8
    assert says["empirical Kaiser criterion"] == 6
    # The sixth factor of bfi has two items of its own; its authors wrote five.
    assert found.n_distinct == 6
    assert found.n_factors == 5
    assert "keeps 6" in found.reason
    assert "of 6 factors some have fewer than 3 items of their own, of 5 none" in found.reason
    assert "empirical Kaiser criterion: 6" in found.reason
    assert "average partial" not in found.reason
    assert [row.footnote for row in found.table] == [False] * 8 + [True] * 2


def test_the_four_scales_of_the_humor_styles_questionnaire_are_recommended(shared_data):
    file = shared_data / "03_openpsychometrics" / "HSQ" / "data.csv"
    x = np.genfromtxt(file, delimiter=",", skip_header=1)[:, :32]
    x[x < 1] = np.nan
    for kind, correlate in (("pearson", pearson), ("polychoric", polychoric)):
        found = how_many_factors(
            correlate(x, np.ones(len(x))),
            len(x),
            rng=np.random.default_rng(1),
            items=x,
            correlation=kind,
        )
        assert found.n_factors == 4
        # Alike questions within the scales make pairs; the rules that test for them find more.
        assert found.n_distinct > 4


def related_triples():
    """Return the matrix ex_4factors_corr of R's Rnest, as its README prints it."""
    triple = np.outer([0.9, 0.9, 0.3], [0.9, 0.9, 0.3])
    corr = np.kron(np.eye(2), np.block([[triple, 0.7 * triple], [0.7 * triple, triple]]))
    np.fill_diagonal(corr, 1)
    return corr


def test_next_eigenvalue_says_what_rnest_says():
    # README of Rnest 1.0 (Caron 2025): 2 factors at n = 240; at n = 2500 a sample of it has 4, with
    # p-values .010 and .009 of the third and fourth eigenvalue and .727 of the fifth.
    corr = related_triples()
    assert corr[0, 1] == pytest.approx(0.81)
    assert corr[0, 3] == pytest.approx(0.567)
    rng = np.random.default_rng(1)
    assert next_eigenvalue(corr, 240, rng=rng, replicates=1000).n_factors == 2
    found = next_eigenvalue(corr, 2500, rng=rng, replicates=1000)
    assert found.n_factors == 4
    assert len(found.threshold) == 5
    # Components cannot see the third: random data without factors leave it .98 < 1.08.
    components = parallel_analysis(corr, 2500, rng=rng)
    assert components.n_factors == 2


def test_next_eigenvalue_thresholds_are_those_of_simulated_rows():
    corr = related_triples()
    ours = next_eigenvalue(
        corr, 2500, rng=np.random.default_rng(2), replicates=2000, percentile=None
    )
    loadings = extract_minres(corr, 2).loadings
    implied = loadings @ loadings.T
    np.fill_diagonal(implied, 1)
    root = np.linalg.cholesky(implied)
    rng = np.random.default_rng(3)
    third = [
        np.linalg.eigvalsh(np.corrcoef(root @ rng.standard_normal((12, 2500))))[-3]
        for _ in range(400)
    ]
    # Five standard errors of the mean of 400 with a standard deviation of .012.
    assert ours.threshold[2] == pytest.approx(np.mean(third), abs=0.003)


def test_next_eigenvalue_knows_what_cuts_and_missing_answers_cost():
    rng = np.random.default_rng(4)
    load = np.kron(np.eye(3), np.full((5, 1), 0.7))
    corr = load @ load.T
    np.fill_diagonal(corr, 1)
    root = np.linalg.cholesky(corr)
    cuts = np.array([-0.8, 0.2, 0.9, 1.6])[:, None] * np.tile([1, -1, 1, -1, 1], 3)

    def sample(n):
        x = (cuts[:, None, :] < (root @ rng.standard_normal((15, n))).T).sum(axis=0) + 1.0
        x[rng.random(x.shape) < 0.1] = np.nan
        return x

    ours = next_eigenvalue(
        corr,
        400,
        rng=np.random.default_rng(5),
        replicates=500,
        percentile=None,
        items=sample(20_000),
        correlation="polychoric",
    )
    fourth = [np.linalg.eigvalsh(polychoric(sample(400), np.ones(400)))[-4] for _ in range(60)]
    # Precise to first order in 1 / sqrt(n). A smaller complete sample, of the size that knows
    # unrelated items as well, is .023 lower, one of all 400 people .06.
    assert ours.threshold[3] == pytest.approx(np.mean(fourth), abs=0.015)


def test_a_pair_of_alike_items_is_no_factor():
    # Two factors of five items and a pair that shares .6 and little else.
    pattern = np.zeros((12, 3))
    pattern[:5, 0] = pattern[5:10, 1] = 0.7
    pattern[10:, 2] = 0.8
    corr = pattern @ pattern.T
    np.fill_diagonal(corr, 1)
    found = how_many_factors(corr, 1000, rng=np.random.default_rng(1))
    assert found.n_distinct == 3
    assert found.n_factors == 2
    third = np.zeros((13, 3))
    third[:12] = pattern
    third[12, 2] = 0.8
    corr = third @ third.T
    np.fill_diagonal(corr, 1)
    assert how_many_factors(corr, 1000, rng=np.random.default_rng(1)).n_factors == 3


@pytest.mark.parametrize(
    ("n", "sizes", "phi"), [(400, [6] * 5, 0.2), (1200, [3] * 7, 0.3), (1500, [3] * 12, 0.4)]
)
def test_planted_factors_are_recommended(n, sizes, phi):
    right = 0
    for seed in range(6):
        x = answers(np.random.default_rng(seed), sizes, n, phi=phi)
        found = how_many_factors(
            polychoric(x, np.ones(n)),
            n,
            rng=np.random.default_rng(seed),
            items=x,
            correlation="polychoric",
            replicates=40,
        )
        right += found.n_factors == len(sizes)
    # At 90% right, 4 or fewer of 6 has a chance of .11; at 50%, 5 or more has one of .11.
    assert right >= 5


def test_unrelated_items_have_no_factors():
    rng = np.random.default_rng(3)
    corr = np.corrcoef(rng.standard_normal((500, 12)).T)
    found = how_many_factors(corr, 500, rng=rng)
    assert found.n_factors == 0
    assert found.reason.startswith("0 factors: ")


def test_polychoric_correlations_without_answers_go_by_components():
    x = answers(np.random.default_rng(1), [6] * 5, 500)
    corr = polychoric(x, np.ones(len(x)))
    found = how_many_factors(corr, 500, rng=np.random.default_rng(1), correlation="polychoric")
    assert found.n_factors == found.parallel.n_factors
    assert "components decide" in found.reason


def test_a_factor_no_larger_than_an_item_is_counted_and_not_recommended():
    # 20,000 people make a pair that shares .25 beyond its factor significant; it is no scale.
    pattern = np.kron(np.eye(2), np.full((5, 1), 0.7))
    corr = pattern @ pattern.T
    corr[0, 1] = corr[1, 0] = 0.49 + 0.25
    np.fill_diagonal(corr, 1)
    found = how_many_factors(corr, 20_000, rng=np.random.default_rng(1))
    assert found.parallel.n_reduced == 3
    assert found.parallel.observed[2] < 1
    assert found.n_factors == 2


def test_a_matrix_that_had_to_be_smoothed_says_so():
    corr = np.full((4, 4), 0.5)
    np.fill_diagonal(corr, 1)
    corr[0, 1] = corr[1, 0] = -0.9
    with pytest.warns(PsychosegWarning, match="not positive definite"):
        how_many_factors(corr, 100, rng=np.random.default_rng(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        how_many_factors(np.eye(4), 100, rng=np.random.default_rng(1))


def yes_no_and_measured(rng, n, yes, measured, load):
    """Return answers of three factors, the first ``yes`` cut in two, and their correlations."""
    p = yes + measured
    pattern = load * np.eye(3)[np.arange(p) % 3]
    unique = np.sqrt(1 - load**2)
    x = rng.standard_normal((n, 3)) @ pattern.T + unique * rng.standard_normal((n, p))
    x[:, :yes] = x[:, :yes] > rng.uniform(-0.8, 0.8, yes)
    kinds = ["ordinal"] * yes + ["continuous"] * measured
    return x, mixed_correlation(x, kinds, np.ones(n))


@pytest.mark.parametrize(("yes", "measured"), [(15, 0), (10, 5)])
def test_mixed_correlations_of_unrelated_items_have_no_factors(yes, measured):
    right = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x, corr = yes_no_and_measured(rng, 300, yes, measured, 0.0)
        found = how_many_factors(corr, 300, rng=rng, items=x, correlation="mixed", replicates=60)
        right += found.n_factors == 0
    # At 95% right, 9 or fewer of 12 has a chance of .02; thresholds of Pearson's are right in one.
    assert right >= 10


def test_mixed_correlations_of_planted_factors_have_them():
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, corr = yes_no_and_measured(rng, 500, 10, 5, 0.7)
        found = how_many_factors(corr, 500, rng=rng, items=x, correlation="mixed", replicates=60)
        assert found.n_factors == 3


def test_precision_of_mixed_correlations_is_that_of_their_permuted_answers():
    x, corr = yes_no_and_measured(np.random.default_rng(1), 600, 6, 6, 0.0)
    a, b, plain = (
        parallel_analysis(
            corr,
            600,
            rng=np.random.default_rng(2),
            replicates=100,
            percentile=None,
            items=x,
            correlation=kind,
            null=null,
        )
        for kind, null in (("mixed", "simulated"), ("mixed", "permuted"), ("pearson", "simulated"))
    )
    # First order in 1 / sqrt(n), and a Monte Carlo error of .005; thresholds of Pearson's are off
    # by more than .05.
    np.testing.assert_allclose(a.threshold, b.threshold, atol=0.025)
    assert b.threshold[0] - plain.threshold[0] > 0.05


def test_whole_weights_equal_repeated_rows_with_mixed_correlations_and_unseen_pairs():
    rng = np.random.default_rng(3)
    x, corr = yes_no_and_measured(rng, 150, 5, 4, 0.6)
    x[:75, [0, 5]] = np.nan
    x[75:, [1, 6]] = np.nan
    weights = rng.integers(1, 4, 150).astype(float)
    for null in ("simulated", "permuted"):
        a, b = (
            parallel_analysis(
                corr,
                weights.sum(),
                rng=np.random.default_rng(4),
                replicates=3,
                items=items,
                weights=w,
                correlation="mixed",
                null=null,
            )
            for items, w in ((x, weights), (np.repeat(x, weights.astype(int), axis=0), None))
        )
        np.testing.assert_allclose(a.threshold, b.threshold, atol=1e-10)


def split_questionnaire(rng, n, factor, block, load, *, phi=0.0):
    """Return answers on five points; a person answers block 0 and one of the others."""
    m, p = max(factor) + 1, len(factor)
    between = np.full((m, m), phi)
    np.fill_diagonal(between, 1)
    latent = rng.standard_normal((n, m)) @ np.linalg.cholesky(between).T
    x = load * latent[:, factor] + np.sqrt(1 - load**2) * rng.standard_normal((n, p))
    x = np.digitize(x, [-1.5, -0.5, 0.5, 1.5]).astype(float)
    given = rng.integers(1, max(block) + 1, n)
    x[(given[:, None] != block) & (np.array(block) > 0)] = np.nan
    return x


#: Name: factor of each item, block of each item.
DESIGNS = {
    "two blocks": (np.repeat([0, 1], 5), np.repeat([1, 2], 5)),
    "two blocks and anchors": (np.repeat([0, 1, 2], 5), np.repeat([0, 1, 2], 5)),
    "three blocks": (np.repeat([0, 1, 2], 5), np.repeat([1, 2, 3], 5)),
    "three blocks and anchors": (np.repeat([0, 1, 2, 3], 5), np.repeat([0, 1, 2, 3], 5)),
    "factors through all blocks": (np.repeat([0, 1, 2], 6), np.tile([0, 0, 1, 1, 2, 2], 3)),
}


def counted(seed, n, design, load, *, phi=0.0):
    rng = np.random.default_rng(seed)
    x = split_questionnaire(rng, n, *DESIGNS[design], load, phi=phi)
    corr = pearson(x, np.ones(n), missing="em")
    return how_many_factors(corr, n, rng=rng, items=x, replicates=60).n_factors


@pytest.mark.parametrize(
    ("design", "phi"),
    [
        ("two blocks", 0.0),
        ("two blocks and anchors", 0.3),
        ("three blocks", 0.0),
        ("three blocks and anchors", 0.0),
        ("factors through all blocks", 0.3),
    ],
)
def test_planted_factors_of_a_split_questionnaire_are_recommended(design, phi):
    planted = max(DESIGNS[design][0]) + 1
    # All of 12 simulated ones were right, of every design.
    assert [counted(seed, 800, design, 0.7, phi=phi) for seed in range(2)] == [planted] * 2


@pytest.mark.parametrize("design", ["two blocks", "two blocks and anchors"])
def test_unrelated_items_of_a_split_questionnaire_have_no_factors(design):
    # At 95% right, 9 or fewer of 12 has a chance of .02.
    assert [counted(seed, 600, design, 0.0) for seed in range(12)].count(0) >= 10


def test_unseen_pairs_are_unrelated_given_all_others_and_no_others_change():
    rng = np.random.default_rng(5)
    x = split_questionnaire(rng, 400, *DESIGNS["three blocks and anchors"], 0.7, phi=0.3)
    # A ring: the second anchor item was not seen with the first item of the first block.
    x[~np.isnan(x[:, 5]), 1] = np.nan
    answered = (~np.isnan(x)).astype(float)
    unseen = answered.T @ answered == 0
    assert unseen.sum() == 2 * (3 * 25 + 5)
    pattern = 0.7 * np.eye(4)[DESIGNS["three blocks and anchors"][0]]
    corr = pattern @ (0.3 + 0.7 * np.eye(4)) @ pattern.T
    np.fill_diagonal(corr, 1)
    found = complete_unseen(corr, x)
    # The completion stops when nothing changes by more than 1e-9.
    np.testing.assert_allclose(np.linalg.inv(found)[unseen], 0, atol=1e-7)
    np.testing.assert_array_equal(found[~unseen], corr[~unseen])
    np.testing.assert_array_equal(complete_unseen(corr, None), corr)


def test_blocks_without_an_item_in_common_are_completed_as_unrelated():
    rng = np.random.default_rng(6)
    x = split_questionnaire(rng, 100, *DESIGNS["two blocks"], 0.7)
    found = complete_unseen(np.full((10, 10), 0.4) + 0.6 * np.eye(10), x)
    assert (found[:5, 5:] == 0).all()
    assert (found[1:5, 0] == 0.4).all()


def test_the_input_is_left_alone():
    x = answers(np.random.default_rng(1), [4, 4], 100)
    corr = pearson(x, np.ones(100))
    before, items = corr.copy(), x.copy()
    how_many_factors(corr, 100, rng=np.random.default_rng(1), items=x, replicates=5)
    np.testing.assert_array_equal(corr, before)
    np.testing.assert_array_equal(x, items)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_obs": 5}, r"more respondents \(5\) than items \(5\)"),
        ({"items": np.ones((9, 4))}, "items have 4 columns, the correlation matrix 5"),
        ({"null": "permuted"}, "permuted data take the items"),
        ({"corr": np.full((5, 5), np.nan)}, r"holds NaN \(item 0, 1, 2, 3, 4\): drop constant"),
        ({"corr": np.eye(2)}, "at least 3 items, there are 2"),
    ],
)
def test_impossible_input_is_refused(options, message):
    arguments = {"corr": np.eye(5), "n_obs": 100, **options}
    with pytest.raises(ValueError, match=message):
        dimension.how_many_factors(**arguments, rng=np.random.default_rng(1))
