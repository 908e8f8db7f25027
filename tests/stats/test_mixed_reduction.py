"""FAMD, MCA and MFA's block scaling beside FactoMineR 2.7; what blocks carry of a division."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.stats.mixed_reduction import (
    MixedComponents,
    block_divisors,
    block_shares,
    code_columns,
    famd,
    mca,
    place_variables,
)
from psychoseg.stats.reduction import (
    principal_components,
    supplementary_categories,
    supplementary_correlations,
)
from tests.stats.conftest import reference
from tests.stats.test_reduction import expected, row_weights


def as_codes(frame: pd.DataFrame) -> np.ndarray:
    return np.column_stack([np.unique(frame[c], return_inverse=True)[1] for c in frame.columns])


@pytest.fixture(scope="module")
def tea(shared_data) -> pd.DataFrame:
    return pd.read_csv(shared_data / "09_r_misc" / "FactoMineR__tea.csv")


@pytest.fixture(scope="module")
def wine() -> pd.DataFrame:
    return reference("reduction_wine.csv")


def same_as_factominer(name: str, eigenvalues: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Compare with the reference and return the signs that make the components FactoMineR's."""
    values = expected("eigenvalues", name)["eigenvalue"].to_numpy()
    np.testing.assert_allclose(eigenvalues[: len(values)], values, rtol=1e-12)
    rows = expected("rows", name)
    ours, theirs = scores[rows["row"] - 1, :5], rows.loc[:, "dim1":"dim5"].to_numpy()
    signs = np.sign((ours * theirs).sum(axis=0))
    # 1e-10: near eigenvalues (tea's third to fifth) turn components by rounding.
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-10)
    return signs


def places_are_factominers(
    name: str, found: MixedComponents, names: list[str], variables: list[str], w: np.ndarray
) -> None:
    """Compare coordinates, contributions, cos2 and eta2 of the columns with the reference."""
    coded, scores = found.coded, found.scores[:, :5]
    number = coded.category < 0
    place = place_variables(
        coded.x, scores, w, coded.variable, np.where(number, np.nan, coded.mean)
    )
    theirs = expected("variables", name).set_index(["measure", "column"]).loc[:, "dim1":"dim5"]
    coord = theirs.loc["coord"].loc[names].to_numpy()
    signs = np.sign((place.coordinates * coord).sum(axis=0))
    np.testing.assert_allclose(place.coordinates, coord * signs, atol=1e-9)
    np.testing.assert_allclose(
        100 * place.contributions, theirs.loc["contrib"].loc[names], atol=1e-8
    )
    np.testing.assert_allclose(place.cos2, theirs.loc["cos2"].loc[names], atol=1e-9)
    of_variable = [variables[v] for v in coded.variable]
    np.testing.assert_allclose(place.eta_squared, theirs.loc["eta2"].loc[of_variable], atol=1e-9)
    np.testing.assert_allclose(place.contributions.sum(axis=0), 1, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_places_of_categories_and_numbers_equal_factominer(tea, weighted):
    # FactoMineR 2.7: MCA()$var; FAMD()$quanti.var, $quali.var and, as eta2, $var$coord.
    w = row_weights(300, weighted=weighted)
    tag = "_weighted" * weighted
    codes, columns = as_codes(tea.iloc[:, :18]), list(tea.columns[:18])
    levels = [str(level) for c in columns for level in np.unique(tea[c])]
    places_are_factominers("tea_mca" + tag, mca(codes, w), levels, columns, w)
    mixed = famd(tea[["age"]].to_numpy(float), codes, w)
    places_are_factominers("tea_famd" + tag, mixed, ["age", *levels], ["age", *columns], w)


def test_places_of_poison_equal_factominer():
    poison = reference("reduction_poison.csv")
    levels = [str(level) for c in poison for level in np.unique(poison[c])]
    ones = np.ones(len(poison))
    found = mca(as_codes(poison), ones)
    places_are_factominers("poison_mca", found, levels, list(poison.columns), ones)


@pytest.mark.parametrize("weighted", [False, True])
def test_mca_and_what_is_projected_equal_factominer(tea, weighted):
    w = row_weights(300, weighted=weighted)
    name = "tea_mca" + "_weighted" * weighted
    found = mca(as_codes(tea.iloc[:, :18]), w)
    signs = same_as_factominer(name, found.eigenvalues, found.scores)
    assert len(found.eigenvalues) == len(expected("eigenvalues", name)) == 27

    projected = expected("supplementary", name).set_index("column").loc[:, "dim1":"dim5"] * signs
    scores = found.scores[:, :5]
    age = supplementary_correlations(tea[["age"]].to_numpy(float), scores, w)
    np.testing.assert_allclose(age[0], projected.loc["age"], atol=1e-10)
    centres, _ = supplementary_categories((tea["sex"] == "M").to_numpy(np.intp), scores, w)
    # FactoMineR's MCA divides barycentres by the root of the eigenvalue.
    np.testing.assert_allclose(
        centres / np.sqrt(found.eigenvalues[:5]), projected.loc[["F", "M"]], atol=1e-10
    )


def test_tea_has_the_eigenvalues_of_the_issue(tea):
    found = mca(as_codes(tea.iloc[:, :18]), np.ones(300)).eigenvalues[:2]
    np.testing.assert_allclose(found, [0.1483, 0.1215], atol=5e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_famd_of_wine_equals_factominer(wine, weighted):
    w = row_weights(len(wine), weighted=weighted)
    found = famd(wine.iloc[:, 2:].to_numpy(float), as_codes(wine.iloc[:, :2]), w)
    same_as_factominer("wine_famd" + "_weighted" * weighted, found.eigenvalues, found.scores)


@pytest.mark.parametrize("weighted", [False, True])
def test_famd_of_tea_equals_factominer(tea, weighted):
    w = row_weights(300, weighted=weighted)
    found = famd(tea[["age"]].to_numpy(float), as_codes(tea.iloc[:, :18]), w)
    same_as_factominer("tea_famd" + "_weighted" * weighted, found.eigenvalues, found.scores)


@pytest.mark.parametrize("weighted", [False, True])
def test_scaled_blocks_equal_factominers_mfa(wine, weighted):
    w = row_weights(len(wine), weighted=weighted)
    coded = code_columns(wine.iloc[:, 2:].to_numpy(float), as_codes(wine.iloc[:, :2]), w)
    # wine's groups: 2 categorical columns, then 5, 3, 10, 9 and 2 numeric ones.
    of_variable = np.r_[np.repeat([1, 2, 3, 4, 5], [5, 3, 10, 9, 2]), 0, 0]
    divisors = block_divisors(coded.x, of_variable[coded.variable], w)
    pca = principal_components(coded.x / divisors, w)
    same_as_factominer("wine_mfa" + "_weighted" * weighted, pca.eigenvalues, pca.scores)


def test_famd_without_categories_is_a_pca_and_without_numbers_an_mca():
    rng = np.random.default_rng(1)
    x, codes, w = rng.standard_normal((50, 4)), rng.integers(0, 3, (50, 5)), rng.uniform(1, 2, 50)
    only_numbers = famd(x, np.empty((50, 0), dtype=np.intp), w)
    pca = principal_components(code_columns(x, codes[:, :0], w).x, w)
    np.testing.assert_array_equal(only_numbers.eigenvalues, pca.eigenvalues)
    only_codes, ca = famd(np.empty((50, 0)), codes, w), mca(codes, w)
    np.testing.assert_allclose(only_codes.eigenvalues, 5 * ca.eigenvalues, rtol=1e-12)


@pytest.fixture
def mixed() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 3))
    return x, rng.integers(0, 4, (60, 3)), rng.integers(1, 5, 60).astype(float)


def test_weights_are_repeated_rows_and_their_scale_does_not_matter(mixed):
    x, codes, w = mixed
    rows = np.repeat(np.arange(60), w.astype(int))
    first = np.unique(rows, return_index=True)[1]
    for reduce in (famd, lambda x, codes, w: mca(codes, w)):
        a = reduce(x, codes, w)
        b = reduce(x[rows], codes[rows], np.ones(len(rows)))
        c = reduce(x, codes, 7.3 * w)
        for other, scores in ((b, b.scores[first]), (c, c.scores)):
            np.testing.assert_allclose(other.eigenvalues, a.eigenvalues, atol=1e-10)
            np.testing.assert_allclose(scores, a.scores, atol=1e-10)
    blocks = np.array([0, 0, 1])
    scale = block_divisors(x - w @ x / w.sum(), blocks, w)
    again = x[rows] - x[rows].mean(axis=0)
    np.testing.assert_allclose(block_divisors(again, blocks, np.ones(len(rows))), scale, 1e-10)
    labels = (x[:, 0] > 0).astype(np.intp)
    shares = block_shares(x, blocks, labels, w)
    repeated = block_shares(x[rows], blocks, labels[rows], np.ones(len(rows)))
    np.testing.assert_allclose(repeated.between, shares.between, atol=1e-10)
    np.testing.assert_allclose(repeated.eta_squared, shares.eta_squared, atol=1e-10)


def test_order_of_rows_columns_and_codes_changes_nothing(mixed):
    x, codes, w = mixed
    rng = np.random.default_rng(3)
    rows, columns, places = rng.permutation(60), rng.permutation(3), rng.permutation(3)
    renamed = np.array([7, 0, 3, 2])[codes]

    def sums(found: MixedComponents) -> np.ndarray:
        return found.vectors.sum(axis=0)

    a = famd(x, codes, w)
    b = famd(x[rows][:, columns], renamed[rows][:, places], w[rows])
    # The rule of the sign does not touch the order of the columns.
    assert (sums(a) > 1e-6).all()
    np.testing.assert_allclose(b.eigenvalues, a.eigenvalues, atol=1e-10)
    np.testing.assert_allclose(b.scores, a.scores[rows], atol=1e-10)
    np.testing.assert_allclose(sums(b), sums(a), atol=1e-10)


def test_a_row_without_weight_is_projected_only(mixed):
    x, codes, w = mixed
    without = w.copy()
    without[:5] = 0
    a, b = famd(x, codes, without), famd(x[5:], codes[5:], w[5:])
    np.testing.assert_allclose(a.eigenvalues, b.eigenvalues, atol=1e-10)
    np.testing.assert_allclose(a.scores[5:], b.scores, atol=1e-10)
    assert np.isfinite(a.scores[:5]).all()


def test_scaled_blocks_have_a_first_eigenvalue_of_their_weight():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((90, 7)) * np.r_[np.full(5, 10.0), 1, 1]
    x -= x.mean(axis=0)
    blocks = np.array([3, 3, 3, 3, 3, 8, 8])
    y = x / block_divisors(x, blocks, np.ones(90), block_weights=np.array([1.0, 2.5]))
    for block, first in ((3, 1.0), (8, 2.5)):
        found = principal_components(y[:, blocks == block], np.ones(90)).eigenvalues[0]
        assert found == pytest.approx(first, rel=1e-12)


def test_blocks_share_the_variance_between_segments_by_hand():
    # Means of the halves: column 0 -1 and 1, column 1 -2 and 2, column 2 equal. Between sums of
    # squares 4 x 1, 4 x 4 and 0; total 4, 4 x 4 + 4 x 1 and 4.
    x = np.array([[-1, -3, 1], [-1, -1, -1], [1, 1, 1], [1, 3, -1]], dtype=float)
    found = block_shares(x, np.array([0, 1, 1]), np.array([0, 0, 1, 1]), np.ones(4))
    np.testing.assert_allclose(found.between, [0.2, 0.8])
    np.testing.assert_allclose(found.total, [4 / 28, 24 / 28])
    np.testing.assert_allclose(found.eta_squared, [1, 16 / 24])
    same = block_shares(x, np.array([0, 1, 1]), np.zeros(4, dtype=np.intp), np.ones(4))
    assert np.isnan(same.between).all()
    np.testing.assert_allclose(same.eta_squared, 0, atol=1e-15)


NONE = np.empty((4, 0))
NO_CODES = np.empty((4, 0), dtype=np.intp)
NUMBERS = np.array([[1.0], [2.0], [3.0], [5.0]])


@pytest.mark.parametrize(
    ("numeric", "codes", "weights", "message"),
    [
        (NONE, NO_CODES, np.ones(4), "no column"),
        (np.ones((4, 1)), NO_CODES, np.ones(4), "numeric column 0 is constant"),
        (np.array([[1.0], [2], [np.nan], [3]]), NO_CODES, np.ones(4), "not finite"),
        (np.array([[1.0], [2], [np.inf], [3]]), NO_CODES, np.ones(4), "not finite"),
        (NONE, np.zeros((4, 1), dtype=np.intp), np.ones(4), "only the category 0"),
        (NONE, np.array([[0], [1], [-1], [1]]), np.ones(4), "missing"),
        (NONE, np.array([[0], [1], [2], [1]]), np.array([1.0, 1, 0, 1]), "category 2 .* no weight"),
        (NUMBERS, NO_CODES, np.zeros(4), "not all 0"),
        (NUMBERS, NO_CODES, np.array([1.0, -1, 1, 1]), "none below 0"),
        (NUMBERS, NO_CODES, np.ones(3), "3 weights"),
    ],
)
def test_columns_that_cannot_be_reduced_are_refused(numeric, codes, weights, message):
    with pytest.raises(ValueError, match=message):
        famd(numeric, codes, weights)


def test_blocks_that_cannot_be_scaled_are_refused():
    x = np.column_stack([NUMBERS[:, 0] - 2.75, np.zeros(4)])
    with pytest.raises(ValueError, match="block 1 has no variance"):
        block_divisors(x, np.array([0, 1]), np.ones(4))
    with pytest.raises(ValueError, match="positive weights"):
        block_divisors(x, np.array([0, 0]), np.ones(4), block_weights=np.array([0.0]))
    with pytest.raises(ValueError, match="no column varies"):
        block_shares(np.ones((4, 2)), np.array([0, 1]), np.array([0, 0, 1, 1]), np.ones(4))


def test_one_column_and_fewer_rows_than_columns_are_reduced():
    assert famd(NUMBERS, NO_CODES, np.ones(4)).eigenvalues == pytest.approx([1.0])
    codes = np.array([[0, 0, 0, 1], [0, 1, 0, 1], [1, 1, 1, 0]])
    found = mca(codes, np.ones(3))
    # Three rows span two dimensions; the inertia is J / Q - 1.
    assert len(found.eigenvalues) == 2
    assert found.eigenvalues.sum() == pytest.approx(8 / 4 - 1)
