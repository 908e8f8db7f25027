"""Actions: offers ranked for each segment, with the reason."""

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import StudyError
from psychoseg.profiles.actions import rank_actions, suits_in_part
from psychoseg.study_report import Action

LABELS = {"tech": "Tech-savviness", "price": "Price sensitivity", "plan": "Plan"}


def means_of(effects: dict[str, tuple[float, ...]]) -> pd.DataFrame:
    rows = [
        (s, v, LABELS[v], "scale", "scale", 3.4 + 0.5 * e, 3.4, e, 100.0)
        for v, own in effects.items()
        for s, e in enumerate(own, start=1)
    ]
    return pd.DataFrame(
        rows,
        columns=[
            *("segment", "variable", "label", "kind", "role", "mean", "total", "effect", "base")
        ],
    )


def shares_of(effects: dict[str, tuple[float, ...]]) -> pd.DataFrame:
    rows = [
        (s, "plan", "Plan", "categorical", "profile", c, 0.2 + 0.1 * e, 0.2, e, 100.0)
        for c, own in effects.items()
        for s, e in enumerate(own, start=1)
    ]
    return pd.DataFrame(
        rows,
        columns=[
            *("segment", "variable", "label", "kind", "role"),
            *("category", "share", "total", "effect", "base"),
        ],
    )


MEANS = means_of({"tech": (1.6, 0.1, -0.9), "price": (-0.5, 0.0, 0.5)})
SHARES = shares_of({"Premium": (0.9, -0.3, 0.0), "Pay as you go": (-0.9, 0.3, 0.0)})


def rank(*actions: Action, means: pd.DataFrame = MEANS) -> pd.DataFrame:
    shares = SHARES[SHARES["segment"].isin(means["segment"])]
    return rank_actions(actions, means, shares, LABELS)


def test_a_score_is_the_mean_hyperbolic_tangent_of_the_effects() -> None:
    wants = {"tech_savviness": "high", "price_sensitivity": "low"}
    found = rank(Action(name="Data integration", wants=wants)).set_index("segment")
    # By hand: (tanh 1.6 + tanh .5) / 2, tanh(.1) / 2, (-tanh .9 - tanh .5) / 2.
    np.testing.assert_allclose(found["score"], [0.691893, 0.049834, -0.589208], atol=1e-6)
    assert found["fits"].tolist() == [True, False, False]


def test_the_reason_has_the_numbers_and_what_was_wanted() -> None:
    wants = {"tech": "high", "price": "low", "plan": "Premium"}
    found = rank(Action(name="Data integration", wants=wants)).set_index("segment")
    assert found["reason"][1] == (
        "Tech-savviness 4.2 against 3.4 overall: high, as wanted; Price sensitivity 3.1 against "
        "3.4 overall: low, as wanted; 'Premium' (Plan) 29% against 20% overall: more, as wanted"
    )
    assert found["reason"][2] == (
        "Tech-savviness 3.45 against 3.40 overall: average, high wanted; Price sensitivity 3.4 "
        "against 3.4 overall: average, low wanted; 'Premium' (Plan) 17% against 20% overall: "
        "fewer, more wanted"
    )


@pytest.mark.parametrize("key", ["tech", "Tech-savviness", "tech_savviness", "TECH SAVVINESS"])
def test_a_want_goes_by_name_or_by_label_however_it_is_written(key: str) -> None:
    assert rank(Action(name="A", wants={key: "high"}))["score"][0] == pytest.approx(np.tanh(1.6))


@pytest.mark.parametrize("category", ["Pay as you go", "pay_as_you_go"])
def test_a_category_goes_by_its_text_however_it_is_written(category: str) -> None:
    assert rank(Action(name="A", wants={"plan": category}))["score"][1] == pytest.approx(
        np.tanh(0.3)
    )


def test_an_exact_name_goes_before_the_label_of_another() -> None:
    means = means_of({"tech": (1.0,), "price": (-1.0,)})
    means["label"] = ["price", "Something else"]
    found = rank_actions([Action(name="A", wants={"price": "high"})], means, SHARES.iloc[:0], {})
    assert found["score"][0] == pytest.approx(-np.tanh(1.0))


def test_actions_are_ranked_for_each_segment_and_ties_go_by_name() -> None:
    found = rank(
        Action(name="B", wants={"tech": "high"}),
        Action(name="C", wants={"tech": "low"}),
        Action(name="A", wants={"tech": "high"}),
    )
    assert found[found["segment"] == 1]["action"].tolist() == ["A", "B", "C"]
    assert found[found["segment"] == 3]["action"].tolist() == ["C", "A", "B"]
    assert found[found["segment"] == 3]["rank"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("effect", "fits"), [(0.3 - 0.1, True), (0.1999, False), (-1.0, False), (float("inf"), True)]
)
def test_an_action_fits_from_a_small_effect_on(effect: float, fits: bool) -> None:
    found = rank(Action(name="A", wants={"tech": "high"}), means=means_of({"tech": (effect,)}))
    assert found["fits"][0] == fits
    assert -1 <= found["score"][0] <= 1


@pytest.mark.parametrize("price", [0.5, 0.0, -0.19])
def test_an_action_suits_in_part_where_one_want_is_not_met(price: float) -> None:
    means = means_of({"tech": (2.0,), "price": (price,)})
    found = rank(Action(name="A", wants={"tech": "high", "price": "low"}), means=means)
    assert found["score"][0] > 0.2
    assert not found["fits"][0]
    assert suits_in_part(found["score"][0], fits=False)
    assert found["reason"][0].startswith("In part: Tech-savviness 4.4 against 3.4 overall: high")
    assert found["reason"][0].endswith(", low wanted")


def test_an_action_that_has_little_of_what_it_wants_does_not_suit_even_in_part() -> None:
    means = means_of({"tech": (0.3,), "price": (0.5,)})
    found = rank(Action(name="A", wants={"tech": "high", "price": "low"}), means=means)
    assert not suits_in_part(found["score"][0], fits=False)
    assert not found["reason"][0].startswith("In part")


def test_an_action_fits_where_every_want_is_met_slightly() -> None:
    means = means_of({"tech": (0.21,), "price": (-0.21,)})
    found = rank(Action(name="A", wants={"tech": "high", "price": "low"}), means=means)
    assert found["fits"][0]
    assert not suits_in_part(found["score"][0], fits=True)
    assert not found["reason"][0].startswith("In part")


def test_hidden_figures_say_nothing() -> None:
    means = MEANS.copy()
    means.loc[means["variable"] == "price", ["mean", "total", "effect", "base"]] = np.nan
    found = rank(
        Action(name="A", wants={"tech": "high", "price": "low"}),
        Action(name="B", wants={"price": "low"}),
        means=means,
    )
    own = found[found["segment"] == 1].set_index("action")
    assert own["score"]["A"] == pytest.approx(np.tanh(1.6))
    assert own["reason"]["A"].endswith("; too few answers for the rest")
    assert (own["score"]["B"], own["fits"]["B"]) == (0.0, False)
    assert own["reason"]["B"] == "Too few answers to say."


def test_everything_that_is_not_there_is_told_at_once_with_the_nearest_name() -> None:
    with pytest.raises(StudyError) as error:
        rank(
            Action(name="A", wants={"tech_saviness": "high", "price": "cheap"}),
            Action(name="B", wants={"plan": "Premum"}),
        )
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert "'A', wants.tech_saviness" in lines[0]
    assert "Did you mean 'tech_savviness'" in lines[0]
    assert lines[1].endswith('\'Price sensitivity\' is a quantity. Write "high" or "low".')
    assert lines[2] == (
        "[[actions]] 'B', wants.plan = 'Premum': 'Plan' has no such answer. Did you mean 'Premium'?"
    )


def test_no_actions_are_an_empty_table_with_its_columns() -> None:
    assert list(rank().columns) == ["segment", "rank", "action", "score", "fits", "reason"]
    assert rank().empty
