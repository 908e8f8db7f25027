"""The trees of both engines: the same, or an error that says which engine can."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import AgglomerativeClustering

from psychoseg.engines.python import PythonEngine
from psychoseg.engines.r import REngine
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.validity import adjusted_rand

METHODS = ("ward", "average", "complete", "single", "centroid", "mcquitty")
#: Sums of the same doubles in another order; Ward's are square roots of differences.
SAME = 1e-10
PYTHON = PythonEngine()

pytestmark = pytest.mark.filterwarnings("ignore:.*merges of the centroid tree lie lower")


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((120, 3)), rng.uniform(0.3, 4, 120)


@pytest.fixture(scope="module")
def builders(r_installed) -> dict[str, REngine]:
    """R 4.2.2, cluster 2.1.4, factoextra 1.0.7, fastcluster 1.2.3."""
    engines = {tree: REngine(tree=tree) for tree in ("hclust", "fastcluster", "agnes", "hcut")}
    yield engines
    for engine in engines.values():
        engine.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tree", ["hclust", "fastcluster"])
def test_weighted_trees_of_r_are_those_of_the_python_engine(builders, points, tree, method):
    x, weights = points
    found = builders[tree].linkage(x, method, weights)
    np.testing.assert_allclose(found, PYTHON.linkage(x, method, weights), atol=SAME)
    assert builders[tree].takes_weights_for(method)


@pytest.mark.parametrize(
    ("tree", "method"),
    [
        *(("agnes", m) for m in METHODS if m != "centroid"),
        *(("hcut", m) for m in METHODS),
    ],
)
def test_agnes_and_hcut_build_the_same_trees_where_weights_are_equal(
    builders, points, tree, method
):
    x, twos = points[0], np.full(120, 2.0)
    found = builders[tree].linkage(x, method, twos)
    np.testing.assert_allclose(found, PYTHON.linkage(x, method, twos), atol=SAME)


@pytest.mark.parametrize("method", ["average", "complete", "single", "mcquitty"])
@pytest.mark.parametrize("tree", ["hclust", "fastcluster", "agnes", "hcut"])
def test_distances_in_place_of_coordinates_give_the_same_tree(builders, points, tree, method):
    x, ones = points[0], np.ones(120)
    distances = squareform(pdist(x, "cityblock"))
    found = builders[tree].linkage(x, method, ones, distances=distances)
    expected = PYTHON.linkage(x, method, ones, distances=distances)
    np.testing.assert_allclose(found, expected, atol=SAME)
    assert np.abs(expected[:, 2] - PYTHON.linkage(x, method, ones)[:, 2]).max() > 0.1


@pytest.mark.parametrize("tree", ["agnes", "hcut"])
@pytest.mark.parametrize("method", ["ward", "average", "complete", "single", "mcquitty"])
def test_r_refuses_weights_exactly_where_they_would_matter(builders, points, tree, method):
    x, weights = points
    engine = builders[tree]
    if method in ("ward", "average"):
        assert not engine.takes_weights_for(method)
        with pytest.raises(EngineError, match=rf"::{tree} .* without case weights.*hclust"):
            engine.linkage(x, method, weights)
    else:
        assert engine.takes_weights_for(method)
        expected = PYTHON.linkage(x, method, weights)
        np.testing.assert_allclose(engine.linkage(x, method, weights), expected, atol=SAME)


@pytest.mark.parametrize("tree", ["auto", "hcut"])
def test_diana_divides_from_above_as_cluster_does(points, r_installed, tree):
    # R 4.2.2, cluster 2.1.4: as.hclust(diana(c(1, 2, 4, 8, 9, 20))) has heights 1 1 3 8 19 and
    # merges (1 2) (8 9) (1 2 4) (1 2 4 8 9) (all).
    x = np.array([1, 2, 4, 8, 9, 20.0])[:, None]
    with REngine(tree=tree) as engine:
        found = engine.linkage(x, "diana", np.ones(6))
        np.testing.assert_allclose(found[:, 2], [1, 1, 3, 8, 19])
        assert list(cut_tree(found, 3)) == [0, 0, 0, 1, 1, 2]
        given = engine.linkage(x, "diana", np.ones(6), distances=squareform(pdist(x)))
        np.testing.assert_array_equal(found, given)
        assert not engine.takes_weights_for("diana")
        with pytest.raises(EngineError, match=r"diana|hcut.*without case weights.*from 1 to 2"):
            engine.linkage(x, "diana", np.array([1, 1, 1, 1, 1, 2.0]))


@pytest.mark.parametrize(
    ("engine", "method", "message"),
    [
        (PYTHON, "diana", r'R alone \(cluster::diana\)\. Use engine = "r"'),
        (PythonEngine(tree="scikit-learn"), "mcquitty", 'not by mcquitty. Use tree = "psychoseg"'),
        (REngine(tree="agnes"), "centroid", 'not by centroid. Use tree = "hclust"'),
        (REngine(tree="hclust"), "diana", "divides from above"),
        (REngine(tree="hclust"), "median", "not by 'median'"),
    ],
)
def test_a_tree_that_is_not_there_is_refused_with_what_to_use(points, engine, method, message):
    with pytest.raises(EngineError, match=message):
        engine.linkage(points[0], method, np.ones(120))


@pytest.mark.parametrize("method", ["ward", "centroid"])
def test_trees_of_means_refuse_distances(points, method):
    distances = squareform(pdist(points[0]))
    for engine in (PYTHON, REngine(tree="hclust")):
        with pytest.raises(EngineError, match=f'{method} merges means.*method = "average"'):
            engine.linkage(points[0], method, points[1], distances=distances)


def test_too_many_points_for_a_matrix_are_refused_with_what_to_use():
    with pytest.raises(EngineError, match=r'up to 15,000 points, not 15,001\. Use method = "ward"'):
        PYTHON.linkage(np.zeros((15_001, 1)), "average", np.ones(15_001))


def test_a_centroid_tree_whose_heights_go_down_says_so(points, r_installed):
    with REngine(tree="hclust") as r_engine:
        for engine in (PYTHON, r_engine):
            with pytest.warns(PsychosegWarning, match="merges of the centroid tree lie lower"):
                engine.linkage(points[0], "centroid", points[1])


@pytest.mark.parametrize(
    ("tree", "method"),
    [
        *(("scipy", m) for m in METHODS),
        *(("scikit-learn", m) for m in ("ward", "average", "complete", "single")),
    ],
)
def test_other_python_builders_give_the_same_tree_and_take_no_weights(points, tree, method):
    x, threes = points[0], np.full(120, 3.0)
    engine = PythonEngine(tree=tree)
    expected = PYTHON.linkage(x, method, threes)
    np.testing.assert_allclose(engine.linkage(x, method, threes)[:, 2:], expected[:, 2:], atol=SAME)
    sizes_matter = method in ("ward", "average", "centroid")
    assert engine.takes_weights_for(method) != sizes_matter
    if sizes_matter:
        with pytest.raises(EngineError, match=f"{tree} builds trees without case weights"):
            engine.linkage(x, method, points[1])


@pytest.mark.parametrize("method", ["average", "complete", "single"])
def test_cuts_are_those_of_scikit_learn(points, method):
    x = points[0]
    labels = cut_tree(PYTHON.linkage(x, method, np.ones(120)), 5)
    theirs = AgglomerativeClustering(5, linkage=method).fit_predict(x)
    assert adjusted_rand(labels, theirs) == 1
