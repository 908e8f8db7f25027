"""What sets segments apart, in words."""

import pytest

from psychoseg.errors import PsychosegWarning
from psychoseg.naming import (
    Driver,
    final_names,
    say_amounts,
    say_driver,
    say_number,
    say_percentages,
    size_of,
    suggest_names,
)


def scale(label: str, effect: float, value: float = 4.211, total: float = 3.049) -> Driver:
    return Driver("scale", label, label, "", effect, size_of(effect), value, total, 100)


def number(label: str, effect: float, value: float, total: float) -> Driver:
    return Driver("numeric", label, label, "", effect, size_of(effect), value, total, 100)


def category(label: str, name: str, effect: float, value: float, total: float) -> Driver:
    return Driver("category", label, label, name, effect, size_of(effect), value, total, 100)


@pytest.mark.parametrize(
    ("effect", "word"),
    [
        (0.8, "large"),
        (-0.81, "large"),
        (0.7999, "medium"),
        (-0.5, "medium"),
        (0.2, "small"),
        (0.3 - 0.1, "small"),  # 0.19999999999999998
        (0.1999, "negligible"),
        (float("-inf"), "large"),
    ],
)
def test_effects_are_called_as_cohen_called_them(effect: float, word: str) -> None:
    assert size_of(effect) == word


@pytest.mark.parametrize(
    ("driver", "line"),
    [
        (scale("Tech-savviness", 1.2), "High tech-savviness: 4.21 against 3.05 overall"),
        (scale("Thrift", -0.6, 2, 3.049), "Low thrift: 2.00 against 3.05 overall"),
        (scale("Thrift", 0.3), "Slightly high thrift: 4.21 against 3.05 overall"),
        (scale("Thrift", 0.01, 3.06), "Average thrift: 3.06 against 3.05 overall"),
        (scale("Coke Zero", 1.2), "High Coke Zero: 4.21 against 3.05 overall"),
        (number("Age", -0.9, 24.26, 34.24), "Lower age: 24.3 against 34.2 overall"),
        (number("Income", 0.9, 52_300.4, 41_000), "Higher income: 52,300 against 41,000 overall"),
        (
            number("Year of birth", 0.9, 1984.2, 1975),
            "Higher year of birth: 1984 against 1975 overall",
        ),
        (
            category("Plan", "Premium", 0.6, 0.46, 0.21),
            "More 'Premium' (Plan): 46% against 21% overall",
        ),
        (
            category("Plan", "Free", -0.4, 0.21, 0.46),
            "Slightly fewer 'Free' (Plan): 21% against 46% overall",
        ),
        (category("Plan", "Trial", -0.6, 0.0, 0.08), "Fewer 'Trial' (Plan): 0% against 8% overall"),
        (
            category("Plan", "Trial", -0.6, 0.002, 0.08),
            "Fewer 'Trial' (Plan): 0.2% against 8.0% overall",
        ),
    ],
)
def test_a_driver_reads_as_a_line_with_labels_and_two_decimals_at_most(
    driver: Driver, line: str
) -> None:
    assert say_driver(driver) == line


def test_separators_are_for_numbers_that_cannot_be_years() -> None:
    assert [say_number(x, 0) for x in (1984, 9999, 10_000)] == ["1984", "9999", "10,000"]


class TestSuggestedNames:
    def test_a_name_is_made_of_the_two_strongest_in_sentence_case(self) -> None:
        names = suggest_names(
            {
                1: [
                    scale("Muscle gain", 1.4),
                    scale("Privacy concern", -0.9),
                    scale("Thrift", 0.7),
                ],
                2: [scale("TV use", -1.4), number("Age", 0.6, 50, 34)],
                3: [category("Plan", "Premium", 1.1, 0.7, 0.2), scale("Thrift", 0.4)],
                4: [category("Plan", "Free", -1.1, 0.1, 0.4), scale("I save", 0.3)],
                5: [category("Plan", "Free", -1.1, 0, 0.4), scale("Trust", 0.6), scale("Fun", 0.5)],
            }
        )
        assert names == {
            1: "High muscle gain, low privacy concern",
            2: "Low TV use, older",
            3: "Mostly Premium (plan)",
            4: "Fewer Free (plan)",
            # What a segment is comes before what it is not.
            5: "High trust, high fun",
        }

    def test_a_weak_driver_names_alone_and_only_where_there_is_no_clear_one(self) -> None:
        drivers = {1: [scale("Thrift", 0.4), scale("Humour", 0.3)], 2: [scale("Humour", 0.1)]}
        assert suggest_names(drivers) == {1: "Slightly high thrift", 2: "Middle of the road"}

    def test_two_categories_of_one_variable_give_one_part(self) -> None:
        ranked = [
            category("City size", "Large", 1.0, 0.6, 0.2),
            category("City size", "Small", -0.9, 0.1, 0.5),
            scale("Thrift", 0.8),
        ]
        assert suggest_names({1: ranked, 2: []})[1] == "Mostly Large (city size), high thrift"

    def test_names_that_clash_take_more_drivers_and_at_last_a_number(self) -> None:
        same = [scale("Thrift", 1.0), scale("Humour", 0.9)]
        names = suggest_names(
            {
                1: [*same, scale("I trust", 0.6)],
                2: [*same, scale("Trust", -0.3)],
                3: [scale("Fun", 0.1)],
                4: [],
                5: [],
            }
        )
        assert names == {
            1: "High thrift, high humour, high I trust",
            2: "High thrift, high humour, slightly low trust",
            3: "Middle of the road",
            4: "Middle of the road 2",
            5: "Middle of the road 3",
        }

    def test_one_segment_is_everyone(self) -> None:
        assert suggest_names({1: []}) == {1: "Everyone"}

    @pytest.mark.parametrize(
        ("label", "name"),
        [
            ("Coke Zero", "High Coke Zero"),
            ("Pepsi MAX", "High Pepsi MAX"),
            ("Weight loss motivation", "High weight loss motivation"),
            ("What I save", "High what I save"),
            ("What I've saved", "High what I've saved"),
        ],
    )
    def test_a_brand_keeps_its_capital_and_other_labels_lose_it(self, label, name) -> None:
        assert suggest_names({1: [scale(label, 1.0)], 2: []})[1] == name
        assert say_driver(scale(label, 1.0)).startswith(name + ":")

    def test_a_long_label_loses_what_it_says_in_brackets_before_it_is_cut(self) -> None:
        label = "Weight loss motivation (how much it matters to You today)"
        assert suggest_names({1: [scale(label, 1.0)], 2: []})[1] == "High weight loss motivation"
        short = "Income (EUR)"
        assert suggest_names({1: [scale(short, 1.0)], 2: []})[1].endswith(short)

    def test_a_segment_of_which_nothing_may_be_shown_has_a_number_for_a_name(self) -> None:
        drivers = {1: [scale("Thrift", 1.2)], 2: [], 3: []}
        found = suggest_names(drivers, unknown={2})
        assert found == {1: "High thrift", 2: "Segment 2", 3: "Middle of the road"}
        assert suggest_names({1: [], 2: []}, unknown={2})[1] == "Middle of the road"
        assert suggest_names({1: [], 2: [], 3: []}, unassigned=3, unknown={1, 2, 3}) == {
            1: "Segment 1", 2: "Segment 2", 3: "Unassigned",
        }  # fmt: skip

    def test_no_length_costs_a_reversed_label_its_mark(self) -> None:
        label = "(reversed) I usually read the privacy statement of an app (all of it) before use"
        assert suggest_names({1: [scale(label, 1.0)], 2: []})[1] == (
            "High (reversed) I usually read the privacy statement…"
        )
        short = "(reversed) Find it difficult to approach others"
        assert suggest_names({1: [scale(short, -1.0)], 2: []})[1] == (
            "Low (reversed) find it difficult to approach others"
        )

    def test_a_long_label_is_cut_at_a_word(self) -> None:
        label = "I usually read the privacy statement of an app before I install it"
        assert suggest_names({1: [scale(label, 1.0)], 2: []})[1] == (
            "High I usually read the privacy statement…"
        )


class TestFinalNames:
    def test_names_asked_for_replace_suggested_ones(self) -> None:
        assert final_names({1: "High thrift", 2: "Low thrift"}, {"1": "Savers"}) == {
            1: "Savers",
            2: "Low thrift",
        }

    def test_an_unknown_segment_is_named_in_a_warning(self) -> None:
        with pytest.warns(PsychosegWarning, match=r"segment '7', but the segments are 1 to 2"):
            names = final_names({1: "A", 2: "B"}, {"7": "Savers"})
        assert names == {1: "A", 2: "B"}

    def test_a_suggestion_equal_to_a_name_asked_for_gets_the_number(self) -> None:
        assert final_names({1: "Savers", 2: "B"}, {"2": "savers"}) == {1: "Savers 2", 2: "savers"}

    def test_a_name_asked_for_twice_is_numbered_with_a_warning(self) -> None:
        with pytest.warns(PsychosegWarning, match="'Savers' to more than one segment"):
            names = final_names({1: "A", 2: "B"}, {"2": "Savers", "1": "Savers"})
        assert names == {1: "Savers", 2: "Savers 2"}

    def test_a_number_never_makes_another_segment_s_name(self) -> None:
        names = final_names({1: "A", 2: "A", 3: "A 2"}, {})
        assert sorted(names.values()) == ["A", "A 2", "A 3"]


def test_those_who_fit_no_segment_are_called_unassigned_and_name_nobody_else() -> None:
    drivers = {1: [scale("Thrift", 1.2)], 2: [scale("Thrift", -1.2)], 3: [scale("Fun", 2.0)]}
    assert suggest_names(drivers, unassigned=3) == {
        1: "High thrift",
        2: "Low thrift",
        3: "Unassigned",
    }
    alone = suggest_names({1: [scale("Thrift", 1.2)], 2: []}, unassigned=2)
    assert alone == {1: "Everyone", 2: "Unassigned"}


@pytest.mark.parametrize(
    ("value", "total", "scale", "said"),
    [
        (4.211, 3.449, True, ("4.2", "3.4")),
        (3.43, 3.41, True, ("3.43", "3.41")),
        (3.412, 3.409, True, ("3.4", "3.4")),
        (24.26, 34.24, False, ("24.3", "34.2")),
        (52_300.4, 41_000, False, ("52,300", "41,000")),
    ],
)
def test_amounts_are_rounded_alike_and_as_far_as_they_differ(
    value: float, total: float, scale: bool, said: tuple[str, str]
) -> None:
    assert say_amounts(value, total, scale=scale) == said


@pytest.mark.parametrize(
    ("value", "total", "said"),
    [
        (0.46, 0.21, ("46%", "21%")),
        (0.461, 0.464, ("46.1%", "46.4%")),
        (0.003, 0.21, ("0.3%", "21.0%")),
        (0.0, 0.21, ("0%", "21%")),
    ],
)
def test_percentages_are_whole_unless_that_would_hide_something(
    value: float, total: float, said: tuple[str, str]
) -> None:
    assert say_percentages(value, total) == said
