"""The map of people: the same for every row order, and said to be for looking only."""

import sys
import types

import numpy as np
import pandas as pd
import pytest

import psychoseg.segments.map as map_module
from psychoseg.errors import EngineError
from psychoseg.segments.map import map_of
from psychoseg.study_segments import ReduceSettings
from tests.test_space import mixed, space_of, survey_of


def spread_out(n: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    group = np.repeat([0, 1, 2], n // 3)
    centres = np.array([[0, 0, 0, 0], [9, 0, 0, 9], [0, 9, 9, 0]])
    return pd.DataFrame(centres[group] + rng.standard_normal((n, 4)), columns=list("abcd")), group


def test_the_map_of_components_is_the_first_two_with_their_shares():
    space = space_of(survey_of(mixed()))
    xy, note = map_of(space, "pca", np.random.default_rng(1))
    np.testing.assert_array_equal(xy, space.coordinates[:, :2])
    share = space.eigenvalues["share"] * 100
    assert f"{share[0]:.0f}% and {share[1]:.0f}%" in note
    one = space_of(survey_of(mixed()), ReduceSettings(components=1))
    xy, note = map_of(one, "pca", np.random.default_rng(1))
    assert (xy[:, 1] == 0).all()
    assert "the one component kept" in note


def test_tsne_is_the_same_for_every_row_order_and_keeps_far_groups_apart():
    frame, group = spread_out()
    space = space_of(survey_of(frame))
    xy, note = map_of(space, "tsne", np.random.default_rng(1))
    assert "t-SNE, for looking only: distances between far groups mean nothing" in note
    of = xy[space.merged.point_of]
    apart = np.linalg.norm(of[:, None] - of, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (group[apart.argmin(axis=1)] == group).all()
    rows = np.random.default_rng(2).permutation(len(frame))
    shuffled = space_of(survey_of(frame.iloc[rows, ::-1].reset_index(drop=True)))
    again, _ = map_of(shuffled, "tsne", np.random.default_rng(1))
    assert again.tobytes() == xy.tobytes()
    other, _ = map_of(space, "tsne", np.random.default_rng(9))
    assert other.shape == xy.shape


def test_tsne_of_three_people_is_defined():
    space = space_of(survey_of(pd.DataFrame({"x": [1.0, 2, 4], "y": [3.0, 1, 4]})))
    xy, _ = map_of(space, "tsne", np.random.default_rng(1))
    assert xy.shape == (3, 2)
    assert np.isfinite(xy).all()


@pytest.mark.parametrize("kind", ["pca", "tsne", "umap"])
def test_one_component_is_a_line_whatever_is_asked_for(kind):
    # umap-learn 0.5.12 gives NaN where it starts from a line.
    space = space_of(survey_of(pd.DataFrame({"x": [1.0, 2.0, 4.0]})))
    xy, note = map_of(space, kind, np.random.default_rng(1))
    np.testing.assert_array_equal(xy, np.column_stack([space.coordinates[:, 0], np.zeros(3)]))
    assert "the one component kept, 100% of the variance" in note


def test_beyond_what_is_embedded_people_stand_where_the_nearest_embedded_one_is(monkeypatch):
    monkeypatch.setattr(map_module, "MAX_EMBEDDED", 50)
    frame, _ = spread_out()
    space = space_of(survey_of(frame))
    xy, note = map_of(space, "tsne", np.random.default_rng(1))
    assert "40 of 120 different respondents were placed" in note
    assert len(np.unique(xy, axis=0)) == 40
    x = space.coordinates
    nearest = np.linalg.norm(x[:, None] - x[::3], axis=2).argmin(axis=1)
    np.testing.assert_array_equal(xy, xy[::3][nearest])


def test_umap_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    space = space_of(survey_of(mixed()))
    with pytest.raises(EngineError, match=r'pip install "psychoseg\[maps\]"'):
        map_of(space, "umap", np.random.default_rng(1))


def test_umap_gets_a_seed_a_start_and_as_many_neighbours_as_there_are(monkeypatch):
    asked = {}

    class UMAP:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, x):
            return x[:, :2].astype(np.float32)

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=UMAP))
    space = space_of(survey_of(pd.DataFrame({"x": [1.0, 2, 4, 9], "y": [3.0, 1, 4, 1]})))
    xy, note = map_of(space, "umap", np.random.default_rng(1))
    np.testing.assert_allclose(xy, space.coordinates, atol=1e-6)
    assert "UMAP, for looking only" in note
    assert asked["n_neighbors"] == 3
    assert asked["random_state"] == int(np.random.default_rng(1).integers(2**31 - 1))
    assert np.abs(asked["init"]).max() == pytest.approx(10)
