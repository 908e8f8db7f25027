"""The tree cut into other numbers of segments: nested, numbered by size, colours by descent."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg import fit_segments
from psychoseg.segments import Segments
from psychoseg.segments.cuts import MOST_CUTS, cut_labels, cut_numbers, cut_panel, cut_table
from psychoseg.study_segments import ReduceSettings
from psychoseg.survey.frame import survey_from_frame
from tests.brief_segments import cheap, cut_short

METHODS = {
    "ward": {"k": 4},
    "ward, consolidated": {"k": 4, "consolidate": True},
    "average": {"k": 3},
    "kmeans": {"k": 4},
    "gmm": {"k": 3},
    "dbscan": {"eps": 0.4, "min_samples": 5},
    "micro-clusters": {"k": 3, "exact_points": 1000},
}


def people(n: int = 120, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truth = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    centres = np.array([[0, 0, 0], [8, 0, 0], [0, 8, 8], [8, 8, 0]])
    return pd.DataFrame(centres[truth] + rng.standard_normal((n, 3)), columns=list("xyz"))


@pytest.fixture(scope="module", params=list(METHODS))
def found(request: pytest.FixtureRequest) -> Segments:
    name = request.param
    method = "ward" if name == "micro-clusters" else name.split(",")[0]
    frame = people(1500 if name == "micro-clusters" else 120)
    if name != "micro-clusters":
        # Somebody without an answer has no segment.
        frame.loc[3, "x"] = np.nan
    # Weights of two sizes: the largest group of rows is not always the heaviest.
    weights = np.where(np.arange(len(frame)) % 3 == 0, 3.0, 1.0)
    survey = survey_from_frame(frame, items=[], active=list(frame), weights=weights)
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        settings = cheap(method=method, **METHODS[name])
        return fit_segments(survey, None, settings, reduce=ReduceSettings(method="none"))


def weight_of(found: Segments, labels: np.ndarray) -> np.ndarray:
    points = found.points["weight"].to_numpy()
    there = found.point_of >= 0
    rows = np.bincount(found.point_of[there], minlength=len(points))
    each = (points / rows)[found.point_of[there]]
    return np.bincount(labels[there], weights=each)[1:]


class TestCutLabels:
    def test_at_the_reported_number_they_are_the_reported_segments(self, found: Segments) -> None:
        np.testing.assert_array_equal(cut_labels(found, found.k), found.labels)

    def test_every_cut_is_within_the_one_before_it(self, found: Segments) -> None:
        ks = cut_numbers(found)
        assert ks == range(2, MOST_CUTS + 1)
        for k in ks:
            labels = cut_labels(found, k)
            assert set(labels) - {0} == set(range(1, k + 1))
            pairs = np.unique(np.column_stack([labels, cut_labels(found, k - 1)]), axis=0)
            assert len(pairs) == k + (0 in labels)

    def test_who_has_no_segment_has_none_in_any_cut(self, found: Segments) -> None:
        for k in cut_numbers(found):
            np.testing.assert_array_equal(cut_labels(found, k) == 0, found.labels == 0)

    def test_numbers_go_by_weighted_size(self, found: Segments) -> None:
        for k in cut_numbers(found):
            sizes = weight_of(found, cut_labels(found, k))
            known = sizes[: -1 if found.unassigned else None]
            assert (np.diff(known) <= 1e-9).all(), k

    def test_those_who_fit_none_stay_together_and_last(self, found: Segments) -> None:
        assert bool(found.unassigned) == found.method.startswith("DBSCAN")
        if not found.unassigned:
            return
        for k in cut_numbers(found):
            np.testing.assert_array_equal(
                cut_labels(found, k) == k, found.labels == found.unassigned
            )

    def test_several_cuts_at_once_are_the_single_ones(self, found: Segments) -> None:
        panel = cut_panel(found, range(2, 8))
        for k in range(2, 8):
            np.testing.assert_array_equal(panel[:, k - 2], cut_labels(found, k))

    def test_a_cut_into_none_or_too_many_is_refused(self, found: Segments) -> None:
        for k in (0, len(found.tree) + 2):
            with pytest.raises(ValueError, match=f"k = {k} must lie between 1 and"):
                cut_labels(found, k)


class TestCutTable:
    def test_parents_hold_their_children(self, found: Segments) -> None:
        table = cut_table(found)
        for k, segment, parent in table[["k", "segment", "parent"]].itertuples(index=False):
            inside = cut_labels(found, k) == segment
            assert set(cut_labels(found, k - 1)[inside]) == {parent}

    def test_each_colour_is_once_in_a_cut_and_the_reported_ones_are_their_numbers(
        self, found: Segments
    ) -> None:
        table = cut_table(found)
        assert not table.duplicated(["k", "colour"]).any()
        assert not table.duplicated(["k", "segment"]).any()
        own = table[table["k"] == found.k]
        assert list(own["colour"]) == list(own["segment"]) == list(range(1, found.k + 1))
        for k, part in table.groupby("k"):
            # New colours are the next numbers; with fewer segments none is new.
            if k >= found.k:
                assert sorted(part["colour"]) == list(range(1, k + 1))
            else:
                assert part["colour"].between(1, found.k).all()

    def test_the_larger_part_keeps_the_colour_of_the_whole(self, found: Segments) -> None:
        table = cut_table(found).set_index(["k", "segment"])
        for k in cut_numbers(found):
            if k == 2:
                continue
            own = table.loc[k]
            for parent, children in own.groupby("parent"):
                whole = table.loc[(k - 1, parent), "colour"]
                # Numbers go by size: the lowest is the largest.
                assert children["colour"].iloc[0] == whole
                assert (children["colour"].iloc[1:] != whole).all()


class TestHandWorked:
    @pytest.fixture
    def five(self) -> Segments:
        """Return five points of weights 4, 3, 2, 1.5, 1 joined ((0 2) (1 4)) 3, cut into three."""
        template = fit_brief(people(60))
        # Merges: {1, 4}; {0, 2}; {0, 2, 1, 4}; all.
        tree = np.array([[1, 4, 1, 2], [0, 2, 2, 2], [5, 6, 3, 4], [3, 7, 4, 5]], dtype=float)
        points = pd.DataFrame(
            {
                "point": range(5),
                "weight": [4, 3, 2, 1.5, 1],
                "n": 1,
                "segment": [1, 2, 1, 3, 2],
                "comp_1": 0.0,
            }
        )
        labels = np.array([1, 2, 1, 3, 2, 0])
        return replace(
            template,
            tree=tree,
            points=points,
            leaf_of=np.arange(5),
            point_of=np.array([0, 1, 2, 3, 4, -1]),
            labels=pd.Series(labels),
            k=3,
            unassigned=0,
        )

    def test_labels(self, five: Segments) -> None:
        assert cut_labels(five, 1).tolist() == [1, 1, 1, 1, 1, 0]
        assert cut_labels(five, 2).tolist() == [1, 1, 1, 2, 1, 0]
        assert cut_labels(five, 3).tolist() == [1, 2, 1, 3, 2, 0]
        # {0} weighs 4, {1, 4} weigh 4 as well: the earlier leaf is first; then {2}, {3}.
        assert cut_labels(five, 4).tolist() == [1, 2, 3, 4, 2, 0]
        assert cut_labels(five, 5).tolist() == [1, 2, 3, 4, 5, 0]

    def test_table(self, five: Segments) -> None:
        rows = cut_table(five).to_numpy().tolist()
        assert rows == [
            [2, 1, 1, 1],
            [2, 2, 1, 3],
            [3, 1, 1, 1],
            [3, 2, 1, 2],
            [3, 3, 2, 3],
            [4, 1, 1, 1],
            [4, 2, 2, 2],
            [4, 3, 1, 4],
            [4, 4, 3, 3],
            [5, 1, 1, 1],
            [5, 2, 2, 2],
            [5, 3, 3, 4],
            [5, 4, 4, 3],
            [5, 5, 2, 5],
        ]

    def test_unassigned_leaves_are_cut_around(self, five: Segments) -> None:
        # Point 3 and, deeper in the tree, point 4 fit no segment.
        points = five.points.assign(segment=[1, 2, 1, 3, 3])
        odd = replace(five, points=points, labels=pd.Series([1, 2, 1, 3, 3, 0]), unassigned=3)
        assert cut_numbers(odd) == range(2, 5)
        assert cut_labels(odd, 2).tolist() == [1, 1, 1, 2, 2, 0]
        assert cut_labels(odd, 3).tolist() == [1, 2, 1, 3, 3, 0]
        assert cut_labels(odd, 4).tolist() == [1, 2, 3, 4, 4, 0]

    def test_segments_without_a_tree_have_one_cut(self, five: Segments) -> None:
        bare = replace(five, tree=np.empty((0, 4)))
        assert cut_numbers(bare) == range(3, 4)
        assert cut_table(bare).to_numpy().tolist() == [[3, 1, 0, 1], [3, 2, 0, 2], [3, 3, 0, 3]]


def fit_brief(frame: pd.DataFrame) -> Segments:
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        return fit_segments(frame, settings=cheap(k=3))


def test_more_segments_than_usual_are_all_cuts() -> None:
    frame = people(150)
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        found = fit_segments(frame, settings=cheap(k=12, min_people=1))
    assert cut_numbers(found) == range(2, 13)
    np.testing.assert_array_equal(cut_labels(found, 12), found.labels)
    assert list(cut_table(found)["k"].unique()) == list(range(2, 13))


def test_shuffled_rows_are_cut_alike() -> None:
    frame = people(100)
    order = np.random.default_rng(5).permutation(100)
    one, other = fit_brief(frame), fit_brief(frame.iloc[order].reset_index(drop=True))
    for k in cut_numbers(one):
        np.testing.assert_array_equal(cut_labels(one, k)[order], cut_labels(other, k))
    pd.testing.assert_frame_equal(cut_table(one), cut_table(other))
