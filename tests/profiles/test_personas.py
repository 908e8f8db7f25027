"""Personas: portraits whose every sentence says one cell, and nothing else."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from psychoseg.naming import Driver, say_amounts, say_percentages, size_of
from psychoseg.profiles import Profiles, profile_segments
from psychoseg.profiles.personas import FACT_COLUMNS, write_personas
from psychoseg.profiles.sample import Sample
from psychoseg.segments import Segments
from psychoseg.study import SegmentsSettings
from psychoseg.study_report import ProfilesSettings
from tests.profiles.test_drivers import with_choices
from tests.test_profiles import make_segments, planted

NUMBER = r"\d[\d,]*\.?\d*%?"


def one_segment(n: int = 40) -> tuple[Sample, Segments]:
    labels = np.repeat([1, 2], n)
    segments = make_segments(labels, np.zeros((2 * n, 1)), np.ones(2 * n), {})
    return Sample((1, 2), labels, np.ones(2 * n), True, (), np.arange(2 * n)), segments


def scale(label: str, effect: float, value: float = 4.2, total: float = 3.4) -> Driver:
    return Driver("scale", label.lower(), label, "", effect, size_of(effect), value, total, 40)


def tell(*drivers: Driver, sets: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """Return the sentences of segment 1, without its size, and of what it is not."""
    sample, segments = one_segment()
    empty = pd.DataFrame(columns=["segment", "variable", "label", "kind", "role", "category",
                                  "mean", "share", "total", "effect", "base"])  # fmt: skip
    if sets:
        made = planted()[0]
        sample = replace(
            sample, variables=tuple(v for v in choices_of(made.n) if v.set_name in sets)
        )
    _, facts = write_personas(sample, segments, {1: list(drivers), 2: []}, empty, empty, {}, {}, 10)
    own = facts[facts["segment"] == 1]
    says = own.loc[own["part"] == "portrait", "text"].tolist()
    return says[1:], own.loc[own["part"] == "is_not", "text"].tolist()


def choices_of(n: int):
    from psychoseg.profiles.sample import SampleVariable

    return [SampleVariable("tv", "TV", "profile", np.zeros(n), None, "media", "Media used")]


def shown_values(cell, table: str) -> set[str]:
    if table == "shares":
        value, total = say_percentages(cell.share, cell.total)
        return {value, total} - ({value} if cell.share == 0 else set())
    return set(say_amounts(cell.mean, cell.total, scale=cell.kind == "scale"))


def assert_all_from_cells(found: Profiles) -> None:
    people = found.personas.set_index("segment")
    for fact in found.facts.itertuples():
        numbers = set(re.findall(NUMBER, fact.text))
        if fact.table == "personas":
            row = people.loc[fact.segment]
            assert numbers == {f"{100 * row['share']:.0f}%", f"{row['n']:,}"}
            continue
        table = getattr(found, fact.table)
        cells = table[(table["segment"] == fact.segment) & (table["variable"] == fact.variable)]
        if fact.table == "shares":
            cells = cells[cells["category"] == fact.category]
        assert len(cells) == 1
        cell = next(cells.itertuples())
        assert not cell.hidden
        assert numbers == shown_values(cell, fact.table)
        said = r"(young|old)er than" if cell.label == "Age" else re.escape(cell.label)
        assert re.search(said, fact.text)
        assert fact.category in fact.text


@pytest.mark.parametrize("seed", range(4))
def test_every_number_and_label_of_a_sentence_stands_in_its_cell(seed: int) -> None:
    assert_all_from_cells(profile_segments(*planted(seed=seed)))


def test_options_of_a_set_are_cells_too() -> None:
    found = profile_segments(*with_choices())
    assert_all_from_cells(found)
    assert found.facts["text"].str.contains("chose 'Web' (Media used)", regex=False).any()


def test_a_portrait_is_its_facts_in_order_and_says_no_cell_twice() -> None:
    found = profile_segments(*planted())
    assert list(found.facts.columns) == list(FACT_COLUMNS)
    for row in found.personas.itertuples():
        own = found.facts[found.facts["segment"] == row.segment]
        for part in ("portrait", "is_not"):
            told = own[own["part"] == part]
            assert getattr(row, part) == " ".join(told["text"])
            assert told["rank"].tolist() == list(range(1, len(told) + 1))
        cells = own[["table", "variable", "category"]]
        assert not cells.duplicated().any()
        assert (own["part"] == "portrait").sum() <= 6
        assert all(re.fullmatch(r"[A-Z0-9'].*\.", text) for text in own["text"])


def test_no_hidden_figure_is_said() -> None:
    survey, scales, segments = planted()
    found = profile_segments(survey, scales, segments, options=ProfilesSettings(min_base=130))
    assert found.means.query("segment == 3")["hidden"].any()
    assert_all_from_cells(found)
    few = profile_segments(survey, scales, segments, options=ProfilesSettings(min_base=140))
    assert few.personas.query("segment == 3")[["portrait", "is_not"]].to_numpy().tolist() == [
        ["Fewer than 140 people are in this segment, too few to be described.", ""]
    ]


def test_what_was_planted_is_told() -> None:
    found = profile_segments(*planted()).personas.set_index("segment")
    assert "far more than the others" in found["portrait"][1]
    assert "on Thrift" in found["portrait"][1].replace("On", "on")
    assert "far younger than the others" in found["portrait"][1]
    assert "'Premium' (Plan) applies to 88% of them, against 36% overall." in found["portrait"][3]
    assert found["is_not"][3] == "'Free' (Plan) applies to only 12% of them, against 49% overall."


def test_the_strongest_leads_then_what_there_is_more_of_and_less_is_what_it_is_not() -> None:
    says, is_not = tell(
        scale("A", -2.0, 1.2), scale("B", -1.0, 2.1), scale("C", 0.6), scale("D", -0.5, 3.0),
        scale("E", 0.3), scale("F", 0.25), scale("G", -0.21, 3.2),
    )  # fmt: skip
    assert [re.search(r"[Oo]n ([A-G])\b", text)[1] for text in says] == ["A", "C", "E"]
    assert is_not == [
        "They are not high on B: 2.1 against 3.4 overall.",
        "Nor are they high on D: 3.0 against 3.4 overall.",
    ]


def test_a_segment_low_in_everything_has_a_portrait_of_that() -> None:
    says, is_not = tell(scale("A", -2.0, 1.2), scale("B", -1.0, 2.1), scale("C", -0.6, 2.9))
    assert says == [
        "On A they average 1.2, far less than the others (3.4 overall).",
        "They score far below the others on B: 2.1 against 3.4 overall.",
    ]
    assert is_not == ["They are not high on C: 2.9 against 3.4 overall."]


def test_a_segment_that_stands_out_in_nothing_says_so() -> None:
    says, is_not = tell(scale("Trust", 0.1, 3.43, 3.41))
    assert says == [
        "They stand out in nothing: even on Trust, the scale that sets them apart most, they "
        "average 3.43 against 3.41 overall."
    ]
    assert is_not == []
    assert tell() == (["Nothing that can be shown sets them apart."], [])


@pytest.mark.parametrize(
    ("driver", "sentence"),
    [
        (
            scale("What is your view of things?", 0.9),
            "On 'What is your view of things?' they average 4.2, far more than the others (3.4 "
            "overall).",
        ),
        (
            scale("I am a person who likes to plan", 0.6),
            "On 'I am a person who likes to plan' they average 4.2, clearly more than the others "
            "(3.4 overall).",
        ),
        (scale("TV", 0.3), "On TV they average 4.2, slightly more than the others (3.4 overall)."),
        (
            scale("{total} <b>", 0.3),
            "On {total} <b> they average 4.2, slightly more than the others (3.4 overall).",
        ),
        (
            Driver("numeric", "spend", "Monthly spend", "", -0.6, "medium", 12_300.0, 41_000, 40),
            "In Monthly spend they average 12,300, clearly less than the others (41,000 overall).",
        ),
        (
            Driver("numeric", "age", "Age", "", 0.6, "medium", 45.04, 40.02, 40),
            "They are clearly older than the others: 45.0 on average, 40.0 overall.",
        ),
        (
            Driver("category", "plan", "Plan", "Free", 0.6, "medium", 0.46, 0.21, 40),
            "'Free' (Plan) applies to 46% of them, against 21% overall.",
        ),
        (
            Driver("category", "plan", "Plan", "Free", -0.6, "medium", 0.05, 0.21, 40),
            "'Free' (Plan) applies to only 5% of them, against 21% overall.",
        ),
        (
            Driver("category", "plan", "Plan", "Free", -0.6, "medium", 0.0, 0.21, 40),
            "'Free' (Plan) applies to none of them, against 21% overall.",
        ),
        (
            Driver("category", "media", "Media used", "TV", 0.6, "medium", 0.46, 0.21, 40),
            "46% of them chose 'TV' (Media used), against 21% overall.",
        ),
        (
            Driver("category", "media", "Media used", "TV", -0.6, "medium", 0.0, 0.21, 40),
            "None of them chose 'TV' (Media used), against 21% overall.",
        ),
    ],
)
def test_sentences_are_grammatical_for_any_label(driver: Driver, sentence: str) -> None:
    assert tell(driver, sets=("media",))[0] == [sentence]


def test_one_person_is_not_people() -> None:
    sample, segments = one_segment(1)
    empty = pd.DataFrame(columns=["segment", "variable", "label", "kind", "role", "category",
                                  "mean", "share", "total", "effect", "base"])  # fmt: skip
    found, _ = write_personas(sample, segments, {1: [], 2: []}, empty, empty, {}, {}, 1)
    assert found["portrait"][0].startswith("50% of the respondents (1 person) are in this segment.")


def test_the_unassigned_are_said_to_fit_no_segment() -> None:
    survey, scales, segments = planted()
    found = profile_segments(survey, scales, replace(segments, unassigned=3))
    row = found.personas.set_index("segment").loc[3]
    assert row["name"] == "Unassigned"
    assert row["portrait"] == "24% of the respondents (136 people) fit no segment."
    assert row["is_not"] == ""


def test_given_names_and_texts_stand_instead_of_what_is_composed() -> None:
    survey, scales, segments = planted()
    features = segments.features.assign(sd=1.0)
    settings = SegmentsSettings(names={"2": "The settled"}, texts={"2": "They have arrived."})
    found = profile_segments(survey, scales, replace(segments, features=features), settings)
    row = found.personas.set_index("segment").loc[2]
    assert (row["name"], row["portrait"]) == ("The settled", "They have arrived.")
    assert row["suggested"] == "Older, low thrift"
    assert "Premium" in row["is_not"]
    own = found.facts.query("segment == 2 and part == 'portrait'")
    assert own[["text", "table"]].to_numpy().tolist() == [["They have arrived.", "personas"]]


def test_sizes_are_weighted_shares_and_people_counted() -> None:
    survey, scales, segments = planted(
        weights=np.random.default_rng(3).uniform(0.3, 3, 600), kind="sampling"
    )
    row = profile_segments(survey, scales, segments).personas.iloc[0]
    inside, kept = segments.labels == 1, segments.labels > 0
    share = survey.weights[inside].sum() / survey.weights[kept].sum()
    assert row["share"] == pytest.approx(share)
    assert row["portrait"].startswith(
        f"{100 * share:.0f}% of the respondents ({inside.sum()} people) are in this segment."
    )


def test_a_segment_whose_figures_are_hidden_is_not_called_average() -> None:
    found = profile_segments(*planted(), options=ProfilesSettings(min_base=140))
    assert found.means.query("segment == 3")["hidden"].all()
    assert found.personas.set_index("segment")["suggested"][3] == "Segment 3"


def test_where_every_scale_is_weak_and_nothing_else_is_known_segments_have_numbers() -> None:
    survey, scales, segments = planted()
    weak = replace(scales, table=scales.table.assign(alpha=0.1))
    alone = replace(survey, columns=survey.columns.iloc[:, :0])
    names = profile_segments(alone, weak, segments).personas["suggested"]
    assert names.tolist() == ["Segment 1", "Segment 2", "Segment 3"]
