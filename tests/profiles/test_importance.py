"""Importance, held-out accuracy and rules: what was planted is found, what is noise is not."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from psychoseg.profiles.importance import fit_importance
from psychoseg.profiles.rules import Column, tree_rules
from psychoseg.profiles.sample import Sample, SampleVariable


def sample_of(
    labels: np.ndarray,
    variables: list[SampleVariable],
    weights: np.ndarray | None = None,
    *,
    counts: bool = True,
) -> Sample:
    """Return a sample in canonical order."""
    w = np.ones(len(labels)) if weights is None else weights
    keys = [v.values for v in sorted(variables, key=lambda v: v.name, reverse=True)]
    order = np.lexsort([*keys, w, labels])
    return Sample(
        segments=tuple(range(1, int(labels.max()) + 1)),
        labels=labels[order],
        weights=w[order],
        counts=counts,
        variables=tuple(replace(v, values=v.values[order]) for v in variables),
        rows=order,
    )


def quantity(name: str, x: np.ndarray, role: str = "scale") -> SampleVariable:
    return SampleVariable(name, name.capitalize(), role, x)


def choice(name: str, x: np.ndarray) -> SampleVariable:
    return SampleVariable(name, name, "profile", x, None, "media", "Media used")


def planted(n: int = 600, seed: int = 1, *, noise: bool = False) -> tuple[np.ndarray, list]:
    """Return three segments that differ in thrift, less in plan, and in nothing else."""
    rng = np.random.default_rng(seed)
    labels = rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2])
    apart = 0 if noise else 1
    plan = np.where(
        rng.random(n) < 0.5 * apart, np.array([0, 1, 2])[labels - 1], rng.integers(0, 3, n)
    ).astype(float)
    age = rng.normal(40, 12, n).round()
    age[rng.random(n) < 0.1] = np.nan
    return labels, [
        quantity("thrift", rng.normal(1.5 * apart * labels, 1).round(1)),
        SampleVariable("plan", "Plan", "profile", plan, ("Free", "Trial", "Premium")),
        quantity("age", age, "profile"),
        SampleVariable("sex", "Sex", "profile", rng.integers(0, 2, n).astype(float), ("f", "m")),
        choice("tv", rng.integers(0, 2, n).astype(float)),
        choice("web", rng.integers(0, 2, n).astype(float)),
    ]


def fit(sample: Sample, seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    importance, model, rules = fit_importance(sample, np.random.default_rng(seed))
    return importance.set_index("variable"), model.set_index("what"), rules


def test_what_was_planted_ranks_first_and_noise_is_not_told_from_nothing() -> None:
    found, _, _ = fit(sample_of(*planted()))
    assert found.index[:2].tolist() == ["thrift", "plan"]
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert (found.loc[["thrift", "plan"], "low"] > 0).all()
    noise = found.loc[["age", "sex", "media"]]
    assert ((noise["low"] < 0) & (noise["high"] > 0)).all()
    assert (noise["importance"].abs() < 0.02).all()


def test_a_multiple_response_set_is_shuffled_as_one() -> None:
    labels, variables = planted(noise=True)
    both = [choice("tv", (labels == 1) * 1.0), choice("web", (labels == 2) * 1.0)]
    found, _, _ = fit(sample_of(labels, [*variables[:-2], *both]))
    assert found.loc["media", ["label", "kind", "rank"]].tolist() == ["Media used", "choice", 1]
    assert "tv" not in found.index
    assert "web" not in found.index


def test_accuracy_is_that_of_people_not_seen() -> None:
    """On noise no better than naming the largest segment; perfect on what is given away."""
    drawn = [fit(sample_of(*planted(seed=s, noise=True)))[1]["value"] for s in range(4)]
    for value in drawn:
        assert value["accuracy"] < value["largest segment"] + 0.04
        assert value["accuracy"] > value["largest segment"] - 0.08
        assert value["tree accuracy"] < value["largest segment"]
        assert abs(value["balanced accuracy"] - 1 / 3) < 0.06
    labels, variables = planted()
    given = sample_of(labels, [*variables, quantity("answer", 2.0 * labels)])
    _, model, _ = fit(given)
    assert model["value"]["accuracy"] > 0.98
    assert model["value"]["tree accuracy"] > 0.98


def test_accuracy_is_near_the_best_that_is_possible() -> None:
    """Two normal groups two deviations apart: Bayes' rule is right with probability .8413."""
    rng = np.random.default_rng(3)
    labels = np.repeat([1, 2], 2000)
    x = rng.normal(2.0 * labels, 1)
    _, model, _ = fit(sample_of(labels, [quantity("x", x), quantity("z", rng.normal(size=4000))]))
    # Three standard errors of a share of .84 among 4,000.
    assert abs(model["value"]["accuracy"] - 0.8413) < 0.018
    low, high = model.loc["accuracy", ["low", "high"]]
    assert low < 0.8413 < high
    assert model["value"]["largest segment"] == 0.5


def test_many_columns_of_noise_are_no_excuse_to_overfit() -> None:
    """Without a penalty it is right for .69 of these people, with it for .73."""
    rng = np.random.default_rng(3)
    labels = np.repeat([1, 2], 150)
    noise = [quantity(f"z{i}", rng.normal(size=300)) for i in range(60)]
    _, model, _ = fit(sample_of(labels, [quantity("x", rng.normal(2.0 * labels, 1)), *noise]))
    assert model["value"]["accuracy"] > 0.71


def test_a_middle_group_is_found_by_one_variable() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, 600)
    labels = np.where(np.abs(x) < 0.5, 1, 2)
    _, model, _ = fit(sample_of(labels, [quantity("x", x)]))
    assert model["value"]["accuracy"] > 0.93


def test_weights_decide_what_counts() -> None:
    """Of people in segments 1 and 2 alike the heavier ones are right, and x finds segment 3."""
    labels = np.repeat([1, 2, 3], 200)
    x = np.repeat([0.0, 0.0, 1.0], 200)
    weights = np.repeat([1.0, 3.0, 2.0], 200)
    _, model, rules = fit(sample_of(labels, [quantity("x", x)], weights, counts=False))
    assert model["value"]["largest segment"] == pytest.approx(0.5)
    # Of weights 1 : 3 : 2, all but the first are told right: 5 of 6; of segments, 2 of 3.
    assert model["value"]["accuracy"] == pytest.approx(5 / 6)
    assert model["value"]["balanced accuracy"] == pytest.approx(2 / 3)
    assert rules[["segment", "rule", "share", "precision", "base"]].to_numpy().tolist() == [
        [2, "X under 1", 1.0, 0.75, 400],
        [3, "X 1 or more", 1.0, 1.0, 200],
    ]


def test_rescaling_sampling_weights_changes_nothing() -> None:
    labels, variables = planted()
    weights = np.random.default_rng(2).uniform(0.2, 4, len(labels))
    one = fit(sample_of(labels, variables, weights, counts=False))
    two = fit(sample_of(labels, variables, 8 * weights, counts=False))
    for a, b in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(a, b, rtol=1e-10)


def test_rules_of_counted_rows_are_those_of_repeated_rows() -> None:
    """Bases apart, which are rows."""
    labels, variables = planted(300)
    times = np.random.default_rng(2).integers(1, 4, len(labels))
    weighted = fit(sample_of(labels, variables, times.astype(float)))
    repeated = fit(
        sample_of(
            np.repeat(labels, times),
            [replace(v, values=np.repeat(v.values, times)) for v in variables],
        )
    )
    assert weighted[1]["value"]["largest segment"] == pytest.approx(
        repeated[1]["value"]["largest segment"], rel=1e-12
    )
    one, two = (found[2].set_index("rule") for found in (weighted, repeated))
    pd.testing.assert_frame_equal(
        one[["segment", "share", "precision"]], two[["segment", "share", "precision"]]
    )


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    labels, variables = planted()
    rows = np.random.default_rng(5).permutation(len(labels))
    shuffled = [replace(v, values=v.values[rows]) for v in reversed(variables)]
    for a, b in zip(
        fit(sample_of(labels, variables)), fit(sample_of(labels[rows], shuffled)), strict=True
    ):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    sample = sample_of(*planted())
    pd.testing.assert_frame_equal(fit(sample)[0], fit(sample)[0], check_exact=True)
    assert (fit(sample)[0]["importance"] != fit(sample, 8)[0]["importance"]).any()


def test_people_with_missing_answers_stay_and_not_answering_may_tell() -> None:
    labels, variables = planted(noise=True)
    silent = np.where(labels == 2, np.nan, 1.0 + (np.arange(len(labels)) % 2))
    found, model, rules = fit(sample_of(labels, [*variables, quantity("income", silent)]))
    assert model["base"]["accuracy"] == len(labels)
    assert found.index[0] == "income"
    assert found["importance"].iloc[0] > 0.2
    assert rules.loc[rules["segment"] == 2, "rule"].tolist() == ["Income not answered"]
    assert "Income answered" in rules.loc[rules["segment"] == 1, "rule"].iloc[0]


def test_of_many_people_an_even_sample_is_taken() -> None:
    labels, variables = planted(12_000)
    found, model, _ = fit(sample_of(labels, variables))
    assert set(model["base"]) == {5_000}
    assert model["value"]["largest segment"] == pytest.approx((labels == 1).mean(), abs=2e-3)
    assert found.index[0] == "thrift"


def test_it_takes_less_than_three_seconds() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(1, 7, 1200)
    variables = [quantity(f"v{i}", rng.normal(labels * (i < 8), 1.5)) for i in range(15)]
    sample = sample_of(labels, variables)
    start = time.process_time()
    fit_importance(sample, rng)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("case", ["one segment", "no variables", "nobody answered"])
def test_where_there_is_nothing_to_tell_the_tables_are_empty(case: str) -> None:
    labels = np.repeat([1, 1] if case == "one segment" else [1, 2], 30)
    x = np.full(60, np.nan) if case == "nobody answered" else np.arange(60.0)
    variables = [] if case == "no variables" else [quantity("x", x)]
    found = fit_importance(sample_of(labels, variables), np.random.default_rng(1))
    assert [len(table) for table in found] == [0, 0, 0]
    assert list(found[1].columns) == ["what", "value", "low", "high", "base"]


def test_a_segment_of_two_people_does_not_stop_it() -> None:
    labels, variables = planted()
    labels = np.append(labels[:-2], [4, 4])
    found, model, _ = fit(sample_of(labels, variables))
    assert found["importance"].notna().all()
    assert model["value"]["balanced accuracy"] < model["value"]["accuracy"]


def rules_of(labels: list[int], columns: list[Column], leaf: int = 1) -> list[list]:
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=leaf, random_state=0)
    there = np.array(labels)
    tree.fit(np.column_stack([c.values for c in columns]), there)
    segments = sorted(set(labels))
    found = tree_rules(tree, columns, there, np.ones(len(labels)), segments)
    return found[["segment", "rule", "share", "precision", "base"]].to_numpy().tolist()


@pytest.mark.parametrize(
    ("low", "high", "under", "above"),
    [
        (3.25, 3.5, "under 3.4", "above 3.4"),
        (34, 35, "under 35", "35 or more"),
        (34, 41, "under 40", "above 40"),
        (3, 4, "under 4", "4 or more"),
        (3.9, 4.2, "under 4", "above 4"),
        (-0.5, 0.5, "under 0", "above 0"),
        (41_230, 41_710, "under 41,500", "above 41,500"),
        (0.012, 0.013, "under 0.013", "0.013 or more"),
    ],
)
def test_a_cut_is_the_roundest_number_that_divides_the_same_people(low, high, under, above) -> None:
    x = quantity("x", np.array([low, low, high, high], dtype=float))
    assert rules_of([1, 1, 2, 2], [Column(x, -1, x.values)]) == [
        [1, f"X {under}", 1.0, 1.0, 2],
        [2, f"X {above}", 1.0, 1.0, 2],
    ]


def test_two_cuts_of_one_variable_are_one_part() -> None:
    age = quantity("age", np.repeat([20.0, 21, 40, 41, 60, 61], 4), "profile")
    found = rules_of(np.repeat([1, 2, 3], 8).tolist(), [Column(age, -1, age.values)])
    assert [rule for _, rule, *_ in found] == [
        "Age under 30",
        "Age above 30 but under 50",
        "Age above 50",
    ]


def test_categories_and_options_are_said_in_words() -> None:
    plan = SampleVariable("plan", "Plan", "active", np.repeat([0.0, 1, 2], 4), ("A", "B", "C"))
    columns = [Column(plan, c, (plan.values == c).astype(float)) for c in range(3)]
    assert [rule for _, rule, *_ in rules_of([1] * 4 + [2] * 4 + [3] * 4, columns)] == [
        "Plan is 'A'",
        "Plan is 'B'",
        "Plan is 'C'",
    ]
    assert [rule for _, rule, *_ in rules_of([1] * 4 + [2] * 8, columns)] == [
        "Plan is 'A'",
        "Plan is not 'A'",
    ]
    tv = choice("TV", np.repeat([0.0, 1], 6))
    assert [rule for _, rule, *_ in rules_of([1] * 6 + [2] * 6, [Column(tv, 1, tv.values)])] == [
        "did not choose 'TV' (Media used)",
        "chose 'TV' (Media used)",
    ]


def test_those_who_did_not_answer_go_with_a_rule_that_says_so() -> None:
    x = quantity("x", np.array([1.0, 1, 1, 5, 5, 5, np.nan]))
    assert rules_of([1, 1, 1, 2, 2, 2, 2], [Column(x, -1, x.values)]) == [
        [1, "X under 3", 1.0, 1.0, 3],
        [2, "X above 3 (or no answer)", 1.0, 1.0, 4],
    ]


def test_share_and_precision_are_those_of_applying_the_rule() -> None:
    x = quantity("x", np.array([1.0, 1, 1, 1, 5, 5, 5, 5]))
    assert rules_of([1, 1, 1, 2, 2, 2, 1, 2], [Column(x, -1, x.values)], leaf=4) == [
        [1, "X under 3", 0.75, 0.75, 4],
        [2, "X above 3", 0.75, 0.75, 4],
    ]


def test_leaves_that_say_the_same_segment_are_one_rule() -> None:
    x = quantity("x", np.repeat([1.0, 2.0, 3.0], 10))
    labels = [1] * 6 + [2] * 4 + [1] * 10 + [2] * 10
    found = rules_of(labels, [Column(x, -1, x.values)])
    assert found == [[1, "X under 3", 1.0, 0.8, 20], [2, "X 3 or more", 10 / 14, 1.0, 10]]
