"""Every way of dividing people, through the whole stage: coherent, invariant or refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster

from psychoseg import DataError, EngineError, PsychosegWarning, fit_segments
from psychoseg.engines import get_engine
from psychoseg.engines.python import PythonEngine
from psychoseg.segments import fit
from psychoseg.segments.methods import Divider, for_resamples, grow_tree
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import ReduceSettings
from psychoseg.survey.frame import survey_from_frame
from tests.brief_segments import cheap, cut_short


@pytest.fixture(autouse=True, scope="module")
def brief():
    """Look at few numbers of segments and few resamples: what is claimed does not hang on them."""
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        yield


def planted(n=90, seed=1, gap=8.0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    centres = np.array([[0, 0, 0], [gap, 0, 0], [0, gap, gap]])
    return pd.DataFrame(centres[truth] + rng.standard_normal((n, 3)), columns=list("xyz")), truth


def answers(n=200, seed=3):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    likely = np.array([[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9]])[truth]
    shown = (rng.random((n, 9)) < likely.repeat(3, axis=1)).astype(float)
    return pd.DataFrame(shown, columns=list("abcdefghi")), truth


def check_coherent(found, n):
    """Labels, points, table, tree and panel say the same."""
    there = found.labels > 0
    assert found.labels.shape == (n,)
    np.testing.assert_array_equal(
        found.points["segment"].to_numpy()[found.point_of[there]], found.labels[there]
    )
    np.testing.assert_array_equal(
        found.table["n"], np.bincount(found.labels, minlength=found.k + 1)[1:]
    )
    assert found.table["segment"].tolist() == list(range(1, found.k + 1))
    sizes = found.table["weighted"].iloc[: -1 if found.unassigned else None]
    assert (np.diff(sizes) <= 1e-9).all()
    assert found.choice.loc[found.choice["chosen"], "k"].tolist() == [found.k]
    assert found.stability.groupby("k").size().to_dict().get(found.k) == found.k
    np.testing.assert_allclose(
        found.stability.loc[found.stability["k"] == found.k, "jaccard"], found.table["jaccard"]
    )
    assert len(found.tree) == found.leaf_of.max()
    assert (found.tree[:, 3] <= len(found.tree) + 1).all()


def check_tree_gives_the_segments(found):
    cut = fcluster(found.tree, found.k, "maxclust")[found.leaf_of]
    assert adjusted_rand(cut, found.points["segment"].to_numpy() - 1) == 1
    assert len(np.unique(cut)) == found.k


@pytest.mark.parametrize(
    "method",
    [
        "ward",
        "average",
        "complete",
        "single",
        "centroid",
        "mcquitty",
        "kmeans",
        "minibatch",
        "pam",
        "gmm",
    ],
)
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_every_method_finds_three_planted_segments_and_hangs_together(method):
    frame, truth = planted()
    found = fit_segments(frame, settings=cheap(method=method, k=3))
    check_coherent(found, len(frame))
    assert adjusted_rand(truth, found.labels) == 1
    # Centroid's heights go down, so that no cut at a height need give its segments.
    if method != "centroid":
        check_tree_gives_the_segments(found)
    assert found.table["jaccard"].min() > 0.9
    assert found.unassigned == 0
    assert found.choice["bic"].notna().any() == (method == "gmm")


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_those_whom_a_density_method_leaves_out_are_the_last_segment_whatever_its_size(method):
    frame, truth = planted(150, gap=20.0)
    # Ever sparser, and so no group of their own.
    way = np.random.default_rng(2).standard_normal((40, 3))
    way *= (40 * 1.15 ** np.arange(40) / np.linalg.norm(way, axis=1))[:, None]
    far = pd.DataFrame(way, columns=list("xyz"))
    everybody = pd.concat([frame, far], ignore_index=True)
    settings = cheap(method=method, k_max=6, eps=3.0 if method == "dbscan" else None)
    reduce = ReduceSettings(method="none", standardise=False)
    found = fit_segments(everybody, settings=settings, reduce=reduce)
    check_coherent(found, len(everybody))
    assert found.unassigned == found.k == 4
    assert (found.labels[150:] == 4).mean() > 0.9
    # More people than in the smallest dense group, and last all the same.
    assert found.table["n"].iloc[3] > found.table["n"].iloc[2]
    inside = found.labels[:150] < 4
    assert inside.mean() > 0.9
    assert adjusted_rand(truth[inside], found.labels[:150][inside]) == 1
    check_tree_gives_the_segments(found)
    # One division of one number: nothing of other numbers stands in its line.
    assert found.choice["k"].tolist() == [1, 4]
    row = found.choice.iloc[1]
    assert np.isnan(row["gap"])
    assert np.isnan(row["division_p"])


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_those_left_out_need_be_neither_many_nor_stable():
    frame, _ = planted(150, gap=20.0)
    frame.loc[150] = [80.0, 80.0, 80.0]
    settings = cheap(method="dbscan", eps=3.0, min_people=10)
    reduce = ReduceSettings(method="none", standardise=False)
    found = fit_segments(frame, settings=settings, reduce=reduce)
    assert found.table["n"].iloc[-1] == 1
    assert found.unassigned == 4
    assert found.choice["eligible"].iloc[-1] or "outside" in found.choice["why"].iloc[-1]
    assert "smallest" not in found.choice["why"].iloc[-1]
    assert found.verdict != "constructed"


def test_a_density_method_that_finds_no_segments_is_refused():
    cloud = pd.DataFrame(np.random.default_rng(1).standard_normal((80, 2)), columns=["x", "y"])
    with pytest.raises(DataError, match=r"nobody has enough neighbours.*eps or min_samples"):
        fit_segments(cloud, settings=cheap(method="dbscan", eps=1e-6))
    with pytest.raises(DataError, match="there is one dense group"):
        fit_segments(cloud, settings=cheap(method="dbscan", eps=50.0))


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_latent_classes_of_the_items_find_the_planted_answers():
    frame, truth = answers()
    age = np.random.default_rng(4).normal(40, 9, len(frame))
    survey = survey_from_frame(frame.assign(age=age), items=list(frame), active=["age"])
    found = fit_segments(survey, None, cheap(method="lca", k=3))
    check_coherent(found, len(frame))
    check_tree_gives_the_segments(found)
    assert adjusted_rand(truth, found.labels) > 0.75
    assert found.choice["bic"].iloc[1:].notna().all()
    assert found.method == "latent classes of the items (python)"


@pytest.mark.parametrize("method", ["average", "pam", "ward"])
def test_gower_distances_go_through_every_method_that_takes_them(method):
    frame, truth = planted(120)
    frame = frame.assign(kind=np.array(["red", "green", "blue"])[truth])
    reduce = ReduceSettings(method="gower")
    found = fit_segments(frame, settings=cheap(method=method, k=3), reduce=reduce)
    check_coherent(found, len(frame))
    check_tree_gives_the_segments(found)
    assert adjusted_rand(truth, found.labels) == 1


def test_a_method_that_takes_no_distances_refuses_gower_with_the_way_out():
    with pytest.raises(EngineError, match=r'use method = "pam"|Use method = "pam"'):
        fit_segments(
            planted()[0], settings=cheap(method="kmeans"), reduce=ReduceSettings(method="gower")
        )


@pytest.mark.usefixtures("r_installed")
def test_diana_through_r_finds_planted_segments():
    frame, truth = planted(60)
    with get_engine("r") as engine:
        found = fit_segments(frame, settings=cheap(method="diana", k=3), engine=engine)
    check_coherent(found, len(frame))
    check_tree_gives_the_segments(found)
    assert adjusted_rand(truth, found.labels) == 1


def test_diana_without_r_is_refused():
    with pytest.raises(EngineError, match="diana"):
        fit_segments(planted()[0], settings=cheap(method="diana"))


@pytest.mark.parametrize(
    ("analysis", "components", "k", "sizes"),
    [("usarrests", 3, 4, [8, 13, 13, 16]), ("tea", 20, 3, [32, 92, 176])],
)
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_consolidated_segments_are_those_of_hcpc(shared_data, analysis, components, k, sizes):
    # HCPC of FactoMineR 2.7: tests/reference/make_reduction_reference.R; sizes as in the issue.
    folder = Path(__file__).parent / "reference"
    theirs = pd.read_csv(folder / "reduction_hcpc.csv").query("analysis == @analysis")
    frame = pd.read_csv(folder / "reduction_usarrests.csv")
    if analysis == "tea":
        tea = pd.read_csv(shared_data / "09_r_misc" / "FactoMineR__tea.csv")
        frame = tea.iloc[:, :18].astype(str)
    reduce = ReduceSettings(components=components)
    found, plain = (
        fit_segments(frame, settings=cheap(k=k, consolidate=moves, min_people=1), reduce=reduce)
        for moves in (True, False)
    )
    assert sorted(found.table["n"]) == sizes
    assert adjusted_rand(found.labels, theirs["cluster"].to_numpy()) == 1
    check_coherent(found, len(frame))
    check_tree_gives_the_segments(found)
    assert plain.n_moved == 0
    # Who moved is who is in another segment than Ward's tree had for him.
    both = pd.crosstab(plain.labels, found.labels).to_numpy()
    assert found.n_moved == len(frame) - both.max(axis=1).sum() > 0


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_micro_clusters_say_so_and_agree_with_the_exact_tree():
    frame, truth = planted(3000)
    with pytest.warns(
        PsychosegWarning, match=r"approximate: \S+ micro-clusters stand for 3,000 points"
    ):
        found = fit_segments(frame, settings=cheap(k=3, exact_points=1000))
    assert "adjusted Rand index with the exact tree of a subsample 1.00" in found.approximate
    n_leaves = len(found.tree) + 1
    assert 900 < n_leaves <= 1000
    assert f"{n_leaves:,} micro-clusters stand for 3,000" in found.approximate
    assert len(found.leaf_of) == len(found.points) == 3000
    assert (found.labels > 0).all()
    check_coherent(found, 3000)
    check_tree_gives_the_segments(found)
    assert adjusted_rand(truth, found.labels) == 1


@pytest.mark.parametrize("method", ["ward", "kmeans", "pam", "average", "gmm"])
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_frequency_weights_equal_repeated_rows_in_everything(method):
    frame, _ = planted(60, gap=3.0)
    frame = frame.round(1)
    counts = np.random.default_rng(2).integers(1, 4, len(frame))
    weighted = survey_from_frame(
        frame,
        items=[],
        active=list(frame),
        weights=counts.astype(float),
        weight_kind="frequency",
    )
    repeated = frame.loc[np.repeat(frame.index, counts)].reset_index(drop=True)
    a, b = (fit_segments(data, settings=cheap(method=method)) for data in (weighted, repeated))
    np.testing.assert_array_equal(np.repeat(a.labels, counts), b.labels)
    # Sums of n equal numbers and products by n differ by rounding.
    for name in ("choice", "votes", "null", "stability", "flow", "blocks", "slsw", "eigenvalues"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-10)
    numbers = a.table.columns.difference(["n"])
    pd.testing.assert_frame_equal(a.table[numbers], b.table[numbers], rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(a.tree, b.tree, atol=1e-10)
    np.testing.assert_allclose(np.repeat(a.certainty, counts), b.certainty, atol=1e-10)
    assert (a.verdict, a.reason, a.k_reason) == (b.verdict, b.reason, b.k_reason)


@pytest.mark.parametrize("method", ["ward", "kmeans", "average"])
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_rescaled_sampling_weights_change_nothing(method):
    frame, _ = planted(70, gap=3.0)
    weights = np.random.default_rng(3).uniform(0.3, 3, len(frame))
    a, b = (
        fit_segments(
            survey_from_frame(frame, items=[], active=list(frame), weights=w),
            settings=cheap(method=method),
        )
        for w in (weights, 7.7 * weights)
    )
    np.testing.assert_array_equal(a.labels, b.labels)
    for name in ("table", "choice", "null", "stability", "flow", "blocks"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("method", ["ward", "kmeans"])
@pytest.mark.parametrize(("n", "k"), [(3, 2), (3, 3), (6, 6)])
@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_as_many_segments_as_people_are_defined(method, n, k):
    frame = planted()[0].head(n)
    found = fit_segments(frame, settings=cheap(method=method, k=k))
    assert found.k == len(found.table) == k
    assert found.verdict == "constructed"
    check_coherent(found, n)


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_two_distinct_respondents_are_two_segments_where_asked_and_else_refused():
    two = pd.DataFrame({"x": [0.0] * 20 + [1.0] * 40})
    found = fit_segments(two, settings=cheap(k=2))
    assert found.table["n"].tolist() == [40, 20]
    with pytest.raises(DataError, match=r"only 2 distinct respondents.*set k in \[segments\]"):
        fit_segments(two, settings=cheap())


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_one_column_is_divided():
    found = fit_segments(planted()[0][["x"]], settings=cheap())
    assert found.k == 2
    assert found.components.shape == (1, 1)


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_the_panel_of_nine_people_ends_at_eight(monkeypatch):
    monkeypatch.setattr(fit, "PANEL", 15)
    found = fit_segments(planted()[0].head(9), settings=cheap(k_max=15))
    assert found.choice["k"].tolist() == list(range(1, 9))
    assert set(found.flow["k"]) == set(range(2, 8))


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_weight_that_is_not_positive_is_refused(wrong):
    frame, _ = planted(60)
    weights = np.ones(60)
    weights[7] = wrong
    with pytest.raises(DataError, match=r"1 weights are not positive numbers.*in row 7. Correct"):
        survey_from_frame(frame, items=[], columns=list(frame), weights=weights)


def test_an_infinite_value_and_identical_rows_are_refused():
    frame, _ = planted(60)
    with pytest.raises(DataError, match=r"column 'y' is infinite in row 3.*Make it missing"):
        fit_segments(frame.assign(y=frame["y"].where(frame.index != 3, np.inf)))
    with pytest.raises(DataError, match=r"same value of x, y, z.*leave it out"):
        fit_segments(frame * 0 + 4)


@pytest.mark.filterwarnings("ignore::psychoseg.PsychosegWarning")
def test_more_classes_than_ways_to_answer_are_refused_where_asked_for():
    # Two yes/no items: 4 ways to answer, while the third column makes every point distinct.
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "a": rng.integers(0, 2, 60).astype(float),
            "b": rng.integers(0, 2, 60).astype(float),
            "age": rng.normal(40, 9, 60),
        }
    )
    survey = survey_from_frame(frame, items=["a", "b"], active=["age"])
    with pytest.raises(DataError, match=r'"lca" with k = 6 finds only \d segments.*fewer'):
        fit_segments(survey, None, cheap(method="lca", k=6))
    found = fit_segments(survey, None, cheap(method="lca", k=2, k_max=6))
    assert found.choice["k"].tolist() == [1, 2, 3, 4, 5, 6]
    empty = found.choice.set_index("k").loc[[5, 6]]
    assert not empty["eligible"].any()
    assert (empty["smallest_n"] == 0).all()
    assert empty["silhouette"].isna().all()


class SpikesFrom3(PythonEngine):
    """Mixtures of two segments and no more."""

    def partition(self, x, method, weights, *, k, rng, options=None, distances=None):
        if method == "gmm" and k > 2:
            raise EngineError(f"every Gaussian mixture with k = {k} ends in a spike")
        return super().partition(
            x, "kmeans", weights, k=k, rng=rng, options=options, distances=distances
        )


def test_a_mixture_that_ends_early_says_so_and_a_k_beyond_is_refused():
    frame, _ = planted(120)
    engine = SpikesFrom3()
    with pytest.warns(PsychosegWarning, match="panel ends before 3 segments: every Gaussian"):
        found = fit_segments(frame, settings=cheap(method="gmm"), engine=engine)
    assert found.choice["k"].tolist() == [1, 2]
    assert found.k == 2
    with (
        pytest.warns(PsychosegWarning, match="panel ends"),
        pytest.raises(DataError, match="k = 3 finds only 2 segments"),
    ):
        fit_segments(frame, settings=cheap(method="gmm", k=3), engine=engine)


def test_a_resample_that_a_mixture_cannot_divide_does_not_end_the_work():
    x = np.random.default_rng(1).standard_normal((30, 2))
    cut = replace(for_resamples(Divider("gmm", PythonEngine())), engine=SpikesFrom3())
    labels = cut(x, np.ones(30), [2, 3, 4])
    assert labels.shape == (30, 3)
    np.testing.assert_array_equal(labels[:, 1], labels[:, 0])
    assert (cut(x, np.ones(30), [3]) == 0).all()


def test_what_a_method_has_to_say_is_said_once():
    frame, _ = planted(80, gap=1.0)
    with pytest.warns(PsychosegWarning) as caught:
        fit_segments(frame, settings=cheap(method="centroid"))
    said = [str(w.message) for w in caught if "centroid tree" in str(w.message)]
    assert len(said) == 1


def test_a_grown_tree_holds_the_segments_and_every_point():
    rng = np.random.default_rng(5)
    x, weights = rng.standard_normal((60, 3)), rng.uniform(0.5, 2, 60)
    labels = rng.permutation(np.repeat([0, 1, 2, 3], 15))
    tree, leaf_of = grow_tree(x, weights, labels)
    assert tree.shape == (59, 4)
    assert (np.diff(tree[:, 2]) >= 0).all()
    assert tree[-1, 3] == 60
    np.testing.assert_array_equal(np.sort(tree[:, :2].ravel()), np.arange(118))
    assert adjusted_rand(fcluster(tree, 4, "maxclust") - 1, labels) == 1
    # Of one segment it is Ward's tree itself.
    one, _ = grow_tree(x, weights, np.zeros(60, dtype=np.intp))
    np.testing.assert_allclose(one[:, 2], ward_linkage(x, weights)[:, 2])
    assert (leaf_of == np.arange(60)).all()
