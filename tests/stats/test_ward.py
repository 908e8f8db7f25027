import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import cophenet, fcluster, is_valid_linkage, linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

from psychoseg.stats.arrays import collapse
from psychoseg.stats.linkage import cut_tree, leaf_order, ward_linkage

REFERENCE = Path(__file__).parents[1] / "reference"
#: Both ways to build the tree.
WAYS = pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "compiled"])


def ward_tree(x, weights, *, threads=None):
    return ward_linkage(x, weights, compiled=True, threads=threads)


@pytest.mark.parametrize("d", range(1, 11))
def test_the_compiled_tree_is_scipys_on_untied_points(d):
    rng = np.random.default_rng(d)
    for n in (2, 3, 4, 5, 17, 40, 150, 700):
        x = rng.standard_normal((n, d)) * rng.uniform(0.1, 5, d) + 100
        # scipy 1.17.1; both are exact, so only rounding may differ.
        np.testing.assert_allclose(
            ward_tree(x, np.ones(n)), linkage(x, "ward"), rtol=1e-10, atol=1e-10
        )


@pytest.mark.parametrize("spread", [0.0, 0.5, 2.0])
def test_the_compiled_tree_is_the_chains_for_any_weights(spread):
    rng = np.random.default_rng(12)
    for n, d in ((2, 2), (30, 1), (300, 4), (2000, 8)):
        x, weights = rng.standard_normal((n, d)), rng.lognormal(0, spread, n)
        np.testing.assert_allclose(
            ward_tree(x, weights), ward_linkage(x, weights, compiled=False), rtol=1e-10, atol=1e-10
        )


@WAYS
def test_three_thousand_untied_points_give_scipys_tree(compiled):
    x = np.random.default_rng(19).standard_normal((3000, 8))
    np.testing.assert_allclose(
        ward_linkage(x, np.ones(3000), compiled=compiled),
        linkage(x, "ward"),
        rtol=1e-10,
        atol=1e-10,
    )


@pytest.mark.parametrize("seed", range(30))
def test_both_ways_give_the_same_bytes_on_the_grids_of_a_survey(seed):
    # Answers, standardised answers, and means of four answers: all full of ties.
    rng = np.random.default_rng(seed)
    n, d, top = rng.integers(50, 900), rng.integers(1, 8), rng.integers(2, 8)
    x = rng.integers(1, top + 1, (n, d, 4)).astype(float)
    for rows in (x[:, :, 0], (x[:, :, 0] - 2.7) / 1.3, x.mean(axis=2)):
        points = collapse(rows, rng.integers(1, 3, n).astype(float))
        if len(points.x) > 1:
            chain = ward_linkage(points.x, points.weights, compiled=False)
            assert ward_tree(points.x, points.weights).tobytes() == chain.tobytes()


def test_many_points_of_uneven_density_give_scipys_tree():
    # Enough for threads, for several indices of several levels, and for sleepers around hubs.
    rng = np.random.default_rng(13)
    x = np.vstack([rng.standard_normal((2500, 6)), rng.standard_t(2, (2500, 6)) * 0.1])
    np.testing.assert_allclose(
        ward_linkage(x, np.ones(5000)), linkage(x, "ward"), rtol=1e-10, atol=1e-10
    )


def test_integer_weights_equal_rows_repeated_and_shuffled():
    rng = np.random.default_rng(14)
    x, weights = rng.standard_normal((300, 3)), rng.integers(1, 5, 300)
    rows = np.repeat(np.arange(300), weights)
    rng.shuffle(rows)
    ours, theirs = ward_tree(x, weights.astype(float)), ward_tree(x[rows], np.ones(len(rows)))
    assert (theirs[: len(rows) - 300, 2] == 0).all()
    np.testing.assert_allclose(theirs[-299:, 2], ours[:, 2], rtol=1e-10)
    for k in (2, 5, 50):
        assert adjusted_rand_score(cut_tree(ours, k)[rows], cut_tree(theirs, k)) == 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=12, max_size=60),
    st.randoms(use_true_random=False),
)
def test_shuffled_rows_give_the_same_bytes_however_many_ties(rows, random):
    x = np.array(rows, dtype=float)
    shuffle = np.array(random.sample(range(len(x)), len(x)))
    a, b = collapse(x, np.ones(len(x))), collapse(x[shuffle], np.ones(len(x)))
    if len(a.x) > 2:
        first, again = ward_tree(a.x, a.weights), ward_tree(b.x, b.weights)
        assert first.tobytes() == again.tobytes()
        labels, moved = cut_tree(first, 3)[a.point_of], cut_tree(again, 3)[b.point_of]
        np.testing.assert_array_equal(labels[shuffle], moved)
        assert is_valid_linkage(first)


@WAYS
@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(*[st.integers(1, 4)] * 3), min_size=3, max_size=40, unique=True))
def test_each_merge_is_the_nearest_pair_and_of_ties_that_of_the_earliest_rows(compiled, rows):
    x = np.array(sorted(rows), dtype=float)
    tree = ward_linkage(x, np.ones(len(x)), compiled=compiled)
    centroid, mass = dict(enumerate(x)), dict.fromkeys(range(len(x)), 1.0)
    # A cluster goes by its earliest row; the node is what the tree calls it.
    node = {i: i for i in range(len(x))}
    for row, (left, right, height, size) in enumerate(tree):
        alive = sorted(centroid)
        c, m = np.array([centroid[i] for i in alive]), np.array([mass[i] for i in alive])
        squared = ((c[:, None] - c) ** 2).sum(axis=2) * 2 * m[:, None] * m / (m[:, None] + m)
        squared[np.tril_indices(len(alive))] = np.inf
        # Sums of at most 40 small fractions that are not the same differ by far more than 1e-10.
        i, j = np.argwhere(squared <= squared.min() * (1 + 1e-10))[0]
        a, b = alive[i], alive[j]
        assert sorted((node[a], node[b])) == [left, right]
        assert height == pytest.approx(np.sqrt(squared[i, j]), rel=1e-10)
        cb, mb = centroid.pop(b), mass.pop(b)
        centroid[a] = (mass[a] * centroid[a] + mb * cb) / (mass[a] + mb)
        mass[a] += mb
        node[a] = len(x) + row
        assert size == mass[a]


@pytest.mark.parametrize("kind", ["cloud", "ties"])
def test_any_number_of_threads_gives_the_same_bytes(kind):
    rng = np.random.default_rng(15)
    x = rng.standard_normal((6000, 5))
    if kind == "ties":
        x = np.unique(x.round(0), axis=0)
    weights = rng.uniform(0.2, 3, len(x))
    alone = ward_tree(x, weights, threads=1).tobytes()
    assert ward_tree(x, weights, threads=2).tobytes() == alone
    assert ward_tree(x, weights, threads=5).tobytes() == alone


@WAYS
@pytest.mark.parametrize("n", [2, 3, 3000, 100_000])
def test_identical_rows_join_at_height_zero(n, compiled):
    tree = ward_linkage(np.full((n, 2), 7.0), np.ones(n), compiled=compiled)
    assert (tree[:, 2] == 0).all()
    assert tree[-1, 3] == n
    assert is_valid_linkage(tree)


def test_ten_thousand_points_in_a_row_take_their_ties_in_order():
    # One column of equal steps: of each round's ties only the first pair is reciprocal.
    n = 10_000
    tree = ward_linkage(np.arange(float(n))[:, None], np.ones(n), compiled=True)
    pairs = tree[: n // 2]
    np.testing.assert_array_equal(pairs[:, :2], np.arange(n).reshape(-1, 2))
    np.testing.assert_array_equal(pairs[:, 2], 1)


def test_a_hub_of_a_thousand_points_gives_scipys_heights():
    # All others have the first point as their nearest, and each merge with it leaves them alone.
    spokes = np.random.default_rng(16).standard_normal((3000, 40))
    spokes /= np.linalg.norm(spokes, axis=1)[:, None] / np.linspace(1, 1.001, 3000)[:, None]
    x = np.vstack([np.zeros((1, 40)), spokes])
    ours, theirs = ward_tree(x, np.ones(len(x)))[:, 2], linkage(x, "ward")[:, 2]
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)


@WAYS
@pytest.mark.parametrize(
    ("value", "weight", "message"),
    [
        (np.inf, 1, "coordinates must be finite"),
        (np.nan, 1, "coordinates must be finite"),
        (1, 0, "weights must be positive"),
        (1, -1, "weights must be positive"),
        (1, np.inf, "weights must be positive"),
        (1, np.nan, "weights must be positive"),
        (1e200, 1, "must not exceed 1e"),
        (1, 1e200, "must not exceed 1e"),
    ],
)
def test_points_that_make_no_tree_are_refused_with_the_reason(compiled, value, weight, message):
    x, weights = np.random.default_rng(17).standard_normal((30, 2)), np.ones(30)
    x[5, 1], weights[7] = value, weight
    with pytest.raises(ValueError, match=message):
        ward_linkage(x, weights, compiled=compiled)


@WAYS
def test_one_point_makes_no_tree(compiled):
    with pytest.raises(ValueError, match="at least 2 points, not 1"):
        ward_linkage(np.zeros((1, 3)), np.ones(1), compiled=compiled)


@WAYS
def test_two_and_three_points_in_one_column_have_the_heights_of_the_formula(compiled):
    # sqrt(2 * 1 * 3 / 4) * 2 and, from the mean 1.5 of mass 4 to 9, sqrt(2 * 4 * 1 / 5) * 7.5.
    tree = ward_linkage(np.array([[0.0], [2.0]]), np.array([1.0, 3.0]), compiled=compiled)
    np.testing.assert_allclose(tree, [[0, 1, 1.5**0.5 * 2, 2]], rtol=1e-12)
    three = np.array([[0.0], [2.0], [9.0]]), np.array([1.0, 3.0, 1.0])
    tree = ward_linkage(*three, compiled=compiled)
    np.testing.assert_allclose(
        tree, [[0, 1, 1.5**0.5 * 2, 2], [2, 3, 1.6**0.5 * 7.5, 3]], rtol=1e-12
    )


@WAYS
@pytest.mark.parametrize("scale", [1e-90, 1e90])
def test_huge_and_tiny_values_give_the_tree_of_ordinary_ones(compiled, scale):
    x = np.random.default_rng(20).standard_normal((200, 3))
    plain = ward_linkage(x, np.ones(200), compiled=compiled)
    scaled = ward_linkage(x * scale, np.ones(200), compiled=compiled)
    np.testing.assert_array_equal(scaled[:, [0, 1, 3]], plain[:, [0, 1, 3]])
    np.testing.assert_allclose(scaled[:, 2], plain[:, 2] * scale, rtol=1e-10)


@WAYS
def test_usarrests_has_the_heights_and_sizes_that_r_prints(compiled):
    x = np.loadtxt(REFERENCE / "reduction_usarrests.csv", delimiter=",", skiprows=1)
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    tree = ward_linkage(x, np.ones(50), compiled=compiled)
    # R 4.2.2: hclust(dist(scale(USArrests)), "ward.D2"), printed to three digits.
    np.testing.assert_allclose(tree[-3:, 2][::-1], [13.516, 7.188, 6.462], atol=5e-4)
    assert list(np.bincount(cut_tree(tree, 4))) == [7, 12, 19, 12]
    # cor(cophenetic(tree), dist(x)), printed to four digits.
    assert cophenet(tree, pdist(x))[0] == pytest.approx(0.6975, abs=5e-5)


def test_cuts_and_leaf_order_of_a_large_tree_are_scipys():
    x = np.random.default_rng(18).standard_normal((20_000, 3))
    given_x = x.copy()
    tree = ward_linkage(x, np.ones(20_000))
    np.testing.assert_array_equal(x, given_x)
    order = leaf_order(tree)
    for k in (2, 9, 500):
        labels = cut_tree(tree, k)
        assert adjusted_rand_score(labels, fcluster(tree, k, "maxclust")) == 1
        assert (np.diff(labels[order]) != 0).sum() == k - 1


def test_a_package_nobody_can_write_to_is_imported_all_the_same():
    # numba refuses at import to cache where neither the package nor the home folder is writable.
    code = (
        "from numba.core.caching import _CacheLocator as c\n"
        "def no(self): raise OSError('read-only')\n"
        "c.ensure_cache_path = no\n"
        "import numpy as np\n"
        "from psychoseg.stats import ward\n"
        "assert ward._select.stats.cache_path is None\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_survey_of_three_thousand_points_does_not_load_the_compiler():
    code = (
        "import sys, numpy as np\n"
        "from psychoseg.stats.linkage import ward_linkage\n"
        "ward_linkage(np.random.default_rng(1).standard_normal((3000, 2)), np.ones(3000))\n"
        "assert 'numba' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
