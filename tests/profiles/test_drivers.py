"""Drivers: what sets a segment apart."""

from dataclasses import replace

import numpy as np
import pandas as pd

from psychoseg.profiles import profile_segments
from psychoseg.profiles.drivers import MAX_CATEGORIES_PER_VARIABLE, MAX_DRIVERS, find_drivers
from psychoseg.profiles.sample import Sample
from psychoseg.study_report import ProfilesSettings
from tests.test_profiles import make_survey, planted


def with_choices() -> tuple:
    """Return the planted survey with a set of two options: few of segment 3 chose the first, and
    most of it are men.
    """
    survey, scales, segments = planted()
    rng = np.random.default_rng(8)
    n = len(segments.labels)
    men = rng.random(n) < np.where(segments.labels == 3, 0.9, 0.5)
    gender = pd.Categorical(np.where(men, "Male", "Female"), ["Male", "Female"])
    survey = replace(survey, columns=survey.columns.assign(gender=gender))
    chose = pd.DataFrame(
        {
            "tv": (rng.random(n) < np.where(segments.labels == 3, 0.1, 0.7)).astype(float),
            "web": (rng.random(n) < np.where(segments.labels == 3, 0.9, 0.5)).astype(float),
        }
    )
    made = make_survey(pd.concat([survey.columns, chose], axis=1), survey.weights)
    book = {
        name: replace(line, kind="choice", block="media", question="Media used")
        if name in chose
        else line
        for name, line in made.codebook.items()
    }
    return replace(made, codebook=book), scales, segments


def test_what_was_planted_comes_first() -> None:
    survey, scales, segments = planted()
    found = profile_segments(survey, scales, segments)
    drivers = find_drivers(Sample.of(survey, scales, segments), found.means, found.shares)
    assert {d.variable for d in drivers[1][:2]} == {"age", "thrift"}
    assert (drivers[3][0].variable, drivers[3][0].category) == ("plan", "Premium")
    for own in drivers.values():
        assert len(own) <= MAX_DRIVERS
        assert [abs(d.effect) for d in own] == sorted((abs(d.effect) for d in own), reverse=True)
        for name in {d.variable for d in own}:
            assert sum(d.variable == name for d in own) <= MAX_CATEGORIES_PER_VARIABLE


def test_a_scale_of_hardly_any_alpha_names_and_describes_nobody() -> None:
    survey, scales, segments = planted()
    weak = replace(scales, table=scales.table.assign(alpha=0.49))
    before = profile_segments(survey, scales, segments)
    after = profile_segments(survey, weak, segments)
    said = [*after.personas["name"], *after.facts["text"], *after.drivers["text"]]
    said += [*after.cuts["name"], *after.cuts["headline"]]
    assert before.facts["text"].str.contains("Thrift").any()
    assert not any("thrift" in text.lower() for text in said)
    # It is an axis of the segments, and its figures are in the tables.
    assert after.means.equals(before.means)


def test_a_driver_has_the_figures_of_its_cell() -> None:
    survey, scales, segments = planted()
    found = profile_segments(survey, scales, segments)
    drivers = find_drivers(Sample.of(survey, scales, segments), found.means, found.shares)
    cells = {(r.segment, r.variable, ""): r for r in found.means.itertuples()}
    cells |= {(r.segment, r.variable, r.category): r for r in found.shares.itertuples()}
    for s, own in drivers.items():
        for d in own:
            cell = cells[s, d.variable, d.category]
            value = cell.share if d.category else cell.mean
            assert (d.value, d.total, d.effect, d.base) == (
                value,
                cell.total,
                cell.effect,
                cell.base,
            )


def test_of_two_categories_the_rarer_here_is_passed_over_but_not_of_two_options() -> None:
    survey, scales, segments = with_choices()
    found = profile_segments(survey, scales, segments)
    drivers = find_drivers(Sample.of(survey, scales, segments), found.means, found.shares)
    own = [(d.variable, d.category, d.effect < 0) for d in drivers[3]]
    assert ("media", "Tv", True) in own
    assert ("media", "Web", False) in own
    gender = [(d.category, d.effect > 0) for d in drivers[3] if d.variable == "gender"]
    assert gender == [("Male", True)]


def test_a_hidden_figure_drives_nothing() -> None:
    survey, scales, segments = with_choices()
    found = profile_segments(survey, scales, segments, options=ProfilesSettings(min_base=190))
    assert found.means["hidden"].any()
    drivers = find_drivers(Sample.of(survey, scales, segments), found.means, found.shares)
    assert drivers[3] == []
    assert all(d.base >= 190 for own in drivers.values() for d in own)


def test_a_category_that_fewer_than_five_people_chose_drives_nothing() -> None:
    survey, scales, segments = planted()
    first = np.flatnonzero(segments.labels == 2)
    region = survey.columns["region"].astype(object).copy()
    region[region == "East"] = "North"
    for people, expected in ((4, False), (5, True)):
        own = region.copy()
        own[first[:people]] = "East"
        # Everybody else here answers nothing, so that a few people are a large share.
        own[first[40:]] = None
        columns = survey.columns.assign(region=pd.Categorical(own, ["North", "South", "East"]))
        made = replace(survey, columns=columns)
        found = profile_segments(made, scales, segments)
        drivers = find_drivers(Sample.of(made, scales, segments), found.means, found.shares)
        assert any(d.category == "East" for d in drivers[2]) is expected
