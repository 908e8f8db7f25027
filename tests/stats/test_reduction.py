"""Weighted PCA, the number of components, and supplementary columns, beside FactoMineR 2.7."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.parallel import parallel_analysis
from psychoseg.stats.reduction import (
    component_parallel,
    components_by_share,
    principal_components,
    supplementary_categories,
    supplementary_correlations,
    weighted_mean_sd,
)
from tests.stats.conftest import reference


def row_weights(n: int, *, weighted: bool) -> np.ndarray:
    """Return the weights of make_reduction_reference.R."""
    return np.resize([1.0, 2.0, 3.0], n) if weighted else np.ones(n)


def standardised(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    mean, sd = weighted_mean_sd(x, weights)
    return (x - mean) / sd


@pytest.fixture(scope="module")
def decathlon() -> pd.DataFrame:
    return reference("reduction_decathlon.csv")


def expected(name: str, analysis: str) -> pd.DataFrame:
    frame = reference(f"reduction_{name}.csv")
    return frame[frame["analysis"] == analysis]


@pytest.mark.parametrize("weighted", [False, True])
def test_pca_and_what_is_projected_equal_factominer(decathlon, weighted):
    w = row_weights(len(decathlon), weighted=weighted)
    active = standardised(decathlon.iloc[:, :10].to_numpy(float), w)
    pca = principal_components(active, w)
    name = "decathlon_pca" + "_weighted" * weighted
    # FactoMineR 2.7, PCA(row.w = ); 15 digits are printed.
    np.testing.assert_allclose(pca.eigenvalues, expected("eigenvalues", name)["eigenvalue"], 1e-12)
    rows = expected("rows", name)
    scores = pca.scores[rows["row"] - 1, :5]
    theirs = rows.loc[:, "dim1":"dim5"].to_numpy()
    signs = np.sign((scores * theirs).sum(axis=0))
    np.testing.assert_allclose(scores, theirs * signs, atol=1e-11)

    projected = expected("supplementary", name).set_index("column").loc[:, "dim1":"dim5"] * signs
    numbers = decathlon[["Rank", "Points"]].to_numpy(float)
    found = supplementary_correlations(numbers, pca.scores[:, :5], w)
    np.testing.assert_allclose(found, projected.loc[["Rank", "Points"]], atol=1e-12)
    codes = (decathlon["Competition"] == "OlympicG").to_numpy(np.intp)
    centres, eta = supplementary_categories(codes, pca.scores[:, :5], w)
    np.testing.assert_allclose(centres, projected.loc[["Decastar", "OlympicG"]], atol=1e-11)
    between = np.bincount(codes, w) @ centres**2 / w.sum()
    np.testing.assert_allclose(eta, between / pca.eigenvalues[:5], rtol=1e-10)


def test_decathlon_eigenvalues_are_those_of_the_manual(decathlon):
    # Husson, Le & Pages, Exploratory Multivariate Analysis by Example Using R: 3.2719, 1.7371.
    x = standardised(decathlon.iloc[:, :10].to_numpy(float), np.ones(41))
    found = principal_components(x, np.ones(41)).eigenvalues[:2]
    np.testing.assert_allclose(found, [3.2719, 1.7371], atol=5e-5)


def test_mcdonalds_components_have_the_published_spread(shared_data):
    # Dolnicar, Gruen & Leisch (2018), Market Segmentation Analysis, prcomp of the 11 items.
    frame = pd.read_csv(shared_data / "05_segmentation" / "mcdonalds" / "mcdonalds.csv")
    x = (frame.iloc[:, :11] == "Yes").to_numpy(float)
    n = len(x)
    values = principal_components(x - x.mean(axis=0), np.ones(n)).eigenvalues * n / (n - 1)
    np.testing.assert_allclose(np.sqrt(values[:4]), [0.7570, 0.6075, 0.5046, 0.3988], atol=5e-5)


def test_weights_are_repeated_rows_and_their_scale_does_not_matter():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((40, 6)) @ rng.standard_normal((6, 6)), rng.integers(1, 5, 40)
    once = np.repeat(x, w, axis=0)
    profile = rng.standard_normal((40, 2))
    profile[::7, 0] = np.nan
    codes = rng.integers(-1, 3, 40)

    def all_of(x, w, profile, codes):
        pca = principal_components(standardised(x, w), w)
        return [
            pca.eigenvalues,
            pca.vectors,
            supplementary_correlations(profile, pca.scores, w),
            *supplementary_categories(codes, pca.scores, w),
        ]

    weighted = all_of(x, w.astype(float), profile, codes)
    rows = np.repeat(np.arange(40), w)
    for other in (
        all_of(once, np.ones(len(once)), profile[rows], codes[rows]),
        all_of(x, 7.3 * w, profile, codes),
    ):
        for a, b in zip(weighted, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-10)


def test_a_supplementary_column_that_cannot_be_placed_is_nan():
    scores = np.random.default_rng(2).standard_normal((9, 2))
    columns = np.column_stack([np.ones(9), np.full(9, np.nan), scores[:, 0]])
    found = supplementary_correlations(columns, scores, np.ones(9))
    assert np.isnan(found[:2]).all()
    assert found[2, 0] == pytest.approx(1, abs=1e-12)
    centres, eta = supplementary_categories(np.full(9, -1), scores, np.ones(9))
    assert len(centres) == 0
    assert np.isnan(eta).all()


def test_components_by_share_are_the_fewest():
    values = np.array([5.0, 3.0, 1.0, 1.0, 0.0])
    assert [components_by_share(values, s) for s in (0.4, 0.5, 0.51, 0.8, 0.9, 1.0)] == [
        1,
        1,
        2,
        2,
        3,
        4,
    ]
    # Eight tenths add up to .7999999999999999.
    assert components_by_share(np.full(10, 1.0) / 10, 0.8) == 8
    with pytest.raises(ValueError, match=r"not 1\.2"):
        components_by_share(values, 1.2)
    with pytest.raises(ValueError, match="identical"):
        components_by_share(np.zeros(3), 0.8)


def planted(rng: np.random.Generator, n: int, p: int, m: int) -> np.ndarray:
    """Return p columns of m equal components and noise."""
    loadings = np.kron(np.eye(m), np.ones((1, p // m)))
    return rng.standard_normal((n, m)) @ loadings + rng.standard_normal((n, p))


def test_parallel_analysis_of_single_columns_is_that_of_items():
    x = standardised(planted(np.random.default_rng(3), 250, 12, 3), np.ones(250))
    ours = component_parallel(
        x, np.ones(250), 250, rng=np.random.default_rng(4), replicates=1000, percentile=95
    )
    theirs = parallel_analysis(
        np.corrcoef(x.T), 250, rng=np.random.default_rng(5), replicates=1000, percentile=95
    )
    assert ours.n_components == theirs.n_factors == 3
    # Two draws of 1000: the standard error of a 95th percentile is about .003 here.
    np.testing.assert_allclose(ours.threshold, theirs.threshold, atol=0.015)


def test_parallel_analysis_of_indicators_is_that_of_shuffled_answers():
    rng = np.random.default_rng(6)
    n, q = 400, 6
    codes = np.column_stack([rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1]) for _ in range(q)])
    dummies = np.concatenate([codes[:, [j]] == np.arange(4) for j in range(q)], axis=1)
    share = dummies.mean(axis=0)
    x = (dummies - share) / np.sqrt(share)
    found = component_parallel(
        x,
        np.ones(n),
        n,
        rng=np.random.default_rng(7),
        variables=np.repeat(np.arange(q), 4),
        replicates=400,
    )
    random = []
    for _ in range(400):
        order = [rng.permutation(n) for _ in range(q)]
        y = np.concatenate([x[o, 4 * j : 4 * j + 4] for j, o in enumerate(order)], axis=1)
        random.append(np.linalg.eigvalsh(y.T @ y / n)[::-1][:18])
    shuffled = np.percentile(random, 95, axis=0)
    # Normal columns stand in for categories: 2% is the error of that and of 400 draws.
    np.testing.assert_allclose(found.threshold, shuffled, rtol=0.02)
    # Columns taken each by itself would find the covariances within a question.
    assert found.n_components == 0


def test_parallel_analysis_knows_weights_as_rows_and_no_order_of_columns():
    rng = np.random.default_rng(8)
    x, w = planted(rng, 80, 8, 2), rng.integers(1, 4, 80).astype(float)
    x = standardised(x, w) * np.repeat([1.0, 0.5], 4)
    n = w.sum()

    def run(x, w):
        done = component_parallel(x, w, n, rng=np.random.default_rng(9), replicates=20)
        return np.concatenate([done.observed, done.threshold, [done.n_components]])

    first = run(x, w)
    rows = np.repeat(np.arange(80), w.astype(int))
    np.testing.assert_allclose(run(x[rows], np.ones(len(rows))), first, atol=1e-10)
    np.testing.assert_allclose(run(x[:, rng.permutation(8)], w), first, atol=1e-10)
    np.testing.assert_allclose(run(x, 3.7 * w), first, atol=1e-10)


def test_parallel_analysis_refuses_what_it_cannot_judge():
    rng = np.random.default_rng(10)
    with pytest.raises(ValueError, match="more than 6 respondents"):
        component_parallel(rng.standard_normal((5, 6)), np.ones(5), 5, rng=rng)
    with pytest.raises(ValueError, match="identical"):
        component_parallel(np.zeros((5, 2)), np.ones(5), 5, rng=rng)


def test_fewer_rows_than_columns_and_one_column_have_components():
    x = np.random.default_rng(11).standard_normal((4, 9))
    x -= x.mean(axis=0)
    values = principal_components(x, np.ones(4)).eigenvalues
    assert (values[:3] > 0.01).all()
    np.testing.assert_allclose(values[3:], 0, atol=1e-12)
    assert principal_components(x[:, :1], np.ones(4)).vectors == 1
