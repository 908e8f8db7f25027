"""Names that follow their segments from run to run."""

import io
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import PsychosegWarning
from psychoseg.profiles.names import ANCHOR_COLUMNS, Previous, carry_names
from psychoseg.segments import Segments
from psychoseg.study import SegmentsSettings
from tests.test_profiles import make_segments

#: Three kinds of people on two scales whose sd is 1.
THRIFTY, SOCIAL, URBAN = (4.0, 2.0), (2.0, 4.0), (4.5, 4.5)
NAMES = ("thrift", "social")


def segments_of(features: tuple[str, ...] = NAMES) -> Segments:
    made = make_segments(np.array([1, 2]), np.zeros((2, 1)), np.ones(2), {})
    table = pd.DataFrame({"feature": features, "kind": "scale", "sd": 1.0})
    return replace(made, features=table)


def centroids_of(*points: tuple[float, ...], features: tuple[str, ...] = NAMES) -> pd.DataFrame:
    rows = [
        (s, f, v)
        for s, point in enumerate(points, start=1)
        for f, v in zip(features, point, strict=True)
    ]
    return pd.DataFrame(rows, columns=["segment", "feature", "value"])


def moved(point: tuple[float, float], by: float = 0.1) -> tuple[float, float]:
    return point[0] + by, point[1] - by


def carry(
    centroids: pd.DataFrame,
    names: dict[str, str],
    previous: Previous | None = None,
    *,
    texts: dict[str, str] | None = None,
    features: tuple[str, ...] = NAMES,
) -> tuple[dict[int, str], dict[int, str], pd.DataFrame]:
    settings = SegmentsSettings(names=names, texts=texts or {})
    return carry_names(segments_of(features), centroids, settings, previous)


def first_run() -> tuple[pd.DataFrame, Previous]:
    """Return a run whose segment 3 is urban, seen by a user who has named nothing yet."""
    centroids = centroids_of(THRIFTY, SOCIAL, URBAN)
    return centroids, Previous(carry(centroids, {})[2], centroids)


def second_run() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a run in which the people named as "3" are segment 2."""
    centroids = centroids_of(moved(SOCIAL), moved(URBAN), moved(THRIFTY))
    names, _, anchors = carry(centroids, {"3": "Urban achievers"}, first_run()[1])
    assert names == {2: "Urban achievers"}
    return centroids, anchors


def test_without_a_previous_run_keys_are_numbers_of_this_run() -> None:
    names, texts, anchors = carry(
        centroids_of(THRIFTY, SOCIAL, URBAN), {"3": "Urban achievers"}, texts={"1": "They save."}
    )
    assert names == {3: "Urban achievers"}
    assert texts == {1: "They save."}
    assert list(anchors.columns) == list(ANCHOR_COLUMNS)
    urban = anchors[anchors["key"] == "3"]
    assert urban["value"].tolist() == [4.5, 4.5]  # social and thrift
    assert urban["sd"].tolist() == [1.0, 1.0]


def test_a_name_follows_its_people_to_another_number_and_goes_on_following() -> None:
    centroids, anchors = second_run()
    third = centroids_of(moved(URBAN, 0.2), moved(THRIFTY, 0.2), moved(SOCIAL, 0.2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names, _, kept = carry(third, {"3": "Urban achievers"}, Previous(anchors, centroids))
    assert names == {1: "Urban achievers"}
    assert set(kept["segment"]) == {1}
    assert set(kept["key"]) == {"3"}


def test_a_name_follows_after_its_anchors_went_through_a_csv() -> None:
    centroids, anchors = second_run()
    tables = [pd.read_csv(io.StringIO(table.to_csv(index=False))) for table in (anchors, centroids)]
    third = centroids_of(moved(URBAN, 0.2), moved(THRIFTY, 0.2), moved(SOCIAL, 0.2))
    names, texts, _ = carry(third, {"3": "Urban achievers"}, Previous(*tables))
    assert names == {1: "Urban achievers"}
    assert texts == {}


def test_a_slow_drift_is_followed_though_its_sum_is_far() -> None:
    centroids, previous = first_run()
    for step in range(1, 8):
        x = 4.5 - 0.3 * step
        centroids = centroids_of((x, 4.5), THRIFTY, (2.0, 0.5))
        names, _, anchors = carry(centroids, {"3": "Urban achievers"}, previous)
        previous = Previous(anchors, centroids)
        assert names == {1: "Urban achievers"}


def test_an_edited_name_takes_the_new_text_where_the_old_one_went_and_says_so() -> None:
    centroids, anchors = second_run()
    with pytest.warns(PsychosegWarning, match="are now called 'City strivers'"):
        names, _, kept = carry(centroids, {"3": "City strivers"}, Previous(anchors, centroids))
    assert names == {2: "City strivers"}
    assert set(kept["name"]) == {"City strivers"}


def test_a_new_text_leaves_its_name_where_it_was() -> None:
    centroids, anchors = second_run()
    names, texts, _ = carry(
        centroids, {"3": "Urban achievers"}, Previous(anchors, centroids), texts={"3": "They ..."}
    )
    assert names == {2: "Urban achievers"}
    assert texts == {2: "They ..."}


def test_a_new_key_is_a_number_of_the_previous_run() -> None:
    centroids, anchors = second_run()
    third = centroids_of(THRIFTY, SOCIAL, URBAN)
    names, _, _ = carry(
        third, {"3": "Urban achievers", "1": "Good company"}, Previous(anchors, centroids)
    )
    assert names == {3: "Urban achievers", 2: "Good company"}


def test_a_name_that_got_its_new_number_frees_the_old_one() -> None:
    centroids, anchors = second_run()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names, _, _ = carry(
            centroids, {"2": "Urban achievers", "3": "Savers"}, Previous(anchors, centroids)
        )
    assert names == {2: "Urban achievers", 3: "Savers"}


def test_two_names_never_land_on_one_segment() -> None:
    centroids, anchors = second_run()
    given = {"3": "Urban achievers", "2": "City people"}
    with pytest.warns(PsychosegWarning, match=r"\"2\" \(City people\) and \"3\" \(Urban achievers"):
        names, _, kept = carry(centroids, given, Previous(anchors, centroids))
    assert names == {2: "City people"}
    with pytest.warns(PsychosegWarning, match="Urban achievers"):
        again, _, _ = carry(centroids, given, Previous(kept, centroids))
    assert again == names


@pytest.mark.parametrize(
    "present",
    [
        pytest.param((THRIFTY, SOCIAL), id="one segment fewer"),
        pytest.param((THRIFTY, SOCIAL, (1.0, 1.0)), id="somebody else"),
    ],
)
def test_a_name_whose_people_are_gone_is_not_used_and_returns_with_them(present) -> None:
    _, previous = first_run()
    centroids = centroids_of(*present)
    with pytest.warns(PsychosegWarning, match="'Urban achievers'"):
        names, _, anchors = carry(centroids, {"3": "Urban achievers"}, previous)
    assert names == {}
    assert set(anchors["segment"]) == {0}
    names, _, _ = carry(
        centroids_of(moved(URBAN), THRIFTY, SOCIAL),
        {"3": "Urban achievers"},
        Previous(anchors, centroids),
    )
    assert names == {1: "Urban achievers"}


def test_segments_that_nobody_named_keep_a_name_from_the_people_they_became() -> None:
    """The nearest to the lost urban people are the social ones, who were there before."""
    _, previous = first_run()
    with pytest.warns(PsychosegWarning, match="Urban"):
        names, _, _ = carry(centroids_of((2.6, 4.1), THRIFTY), {"3": "Urban achievers"}, previous)
    assert names == {}


def test_features_that_both_runs_have_are_enough() -> None:
    _, previous = first_run()
    features = ("social", "income")
    centroids = centroids_of((4.4, 9e4), (2.1, 1e3), features=features)
    names, _, anchors = carry(centroids, {"3": "Urban achievers"}, previous, features=features)
    assert names == {1: "Urban achievers"}
    assert sorted(anchors["feature"]) == ["income", "social"]


def test_without_a_common_feature_numbers_count_and_the_reader_is_told() -> None:
    _, previous = first_run()
    centroids = centroids_of((1.0,), (2.0,), (3.0,), features=("trust",))
    with pytest.warns(PsychosegWarning, match="other scales and columns"):
        names, _, _ = carry(centroids, {"3": "Urban"}, previous, features=("trust",))
    assert names == {3: "Urban"}


@pytest.mark.parametrize("with_previous", [False, True])
def test_a_number_that_is_not_there_is_told(with_previous: bool) -> None:
    centroids, previous = first_run()
    with pytest.warns(PsychosegWarning, match=r"no segment '7' .* are 1 to 3"):
        names, _, anchors = carry(centroids, {"7": "Nobody"}, previous if with_previous else None)
    assert names == {}
    assert anchors.empty


def test_units_decide_nothing() -> None:
    """In euros the two have changed places; in standard deviations they have hardly moved."""
    features = ("income", "social")
    before = centroids_of((50_000.0, 2.0), (51_000.0, 4.0), features=features)
    now = centroids_of((49_800.0, 4.0), (51_200.0, 2.0), features=features)
    made = segments_of(features)
    made = replace(made, features=made.features.assign(sd=[20_000.0, 1.0]))
    settings = SegmentsSettings(names={"1": "Alone"})
    previous = Previous(pd.DataFrame(columns=list(ANCHOR_COLUMNS)), before)
    assert carry_names(made, now, settings, previous)[0] == {2: "Alone"}


def test_the_order_of_rows_decides_nothing() -> None:
    centroids, anchors = second_run()
    there = centroids_of(SOCIAL, moved(URBAN), THRIFTY)
    given = {"3": "Urban achievers", "1": "Good company"}
    straight = carry(there, given, Previous(anchors, centroids))
    shuffled = carry(
        there.sample(frac=1, random_state=2),
        given,
        Previous(anchors.sample(frac=1, random_state=3), centroids.sample(frac=1, random_state=1)),
    )
    assert straight[0] == shuffled[0] == {1: "Good company", 2: "Urban achievers"}
    pd.testing.assert_frame_equal(straight[2], shuffled[2])


def items_of(**scales: str) -> pd.DataFrame:
    """Return the items of scales; a minus before an item turns it."""
    rows = [
        (item.removeprefix("-"), scale, -1 if item.startswith("-") else 1)
        for scale, items in scales.items()
        for item in items.split()
    ]
    return pd.DataFrame(rows, columns=["item", "scale", "key"])


def test_names_stay_where_scales_are_only_renamed() -> None:
    centroids, anchors = second_run()
    before = Previous(anchors, centroids, items_of(thrift="a b -c", social="d e", gone="x"))
    after = items_of(saving="a b -c", social="d e")
    new = ("saving", "social")
    third = centroids_of(URBAN, THRIFTY, SOCIAL, features=new)
    given = {"3": "Urban achievers"}
    names, _, kept = carry(third, given, before.renamed(after), features=new)
    assert names == {1: "Urban achievers"}
    assert set(kept["feature"]) == {"saving", "social"}


def test_a_scale_of_other_items_or_keys_is_another_scale_whatever_it_is_called() -> None:
    centroids, anchors = second_run()
    before = Previous(anchors, centroids, items_of(thrift="a b", social="d e"))
    for other in (items_of(saving="a b c"), items_of(saving="a -b"), items_of(saving="-a -b")):
        assert set(before.renamed(other).centroids["feature"]) == {"thrift", "social"}


def test_two_scales_that_change_names_and_a_column_called_like_one_stay_apart() -> None:
    features = ("one", "two", "age", "two (column)")
    table = centroids_of((1.0, 2.0, 3.0, 4.0), features=features)
    nobody = pd.DataFrame(columns=list(ANCHOR_COLUMNS))
    before = Previous(nobody, table, items_of(one="a b", two="c d"))
    now = before.renamed(items_of(age="a b", one="c d")).centroids
    assert now["feature"].tolist() == ["age", "one", "age (column)", "two"]
    assert now["value"].tolist() == [1.0, 2.0, 3.0, 4.0]
