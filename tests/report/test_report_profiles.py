"""What the report says of the profiles: portraits, cells, letters, actions, jobs, words."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from psychoseg.report import build_context, words, write_html
from psychoseg.report.facts import Quotes, cell_anchor
from tests.made_run import make_run
from tests.report.conftest import KINDS
from tests.report.reading import Outline, column, strings


@pytest.fixture(scope="module")
def context(context_of):
    return context_of("plain")


def test_each_sentence_of_a_portrait_links_to_the_cell_that_it_says(context, made):
    facts = made("plain").profiles.facts
    where = {c.anchor: c for t in (*context.profile_means, *context.profile_shares,
                                   context.sureness.segments)
             for r in t.rows for c in r.cells if c.anchor}  # fmt: skip
    said = [s for p in context.personas for s in (*p.portrait, *p.is_not)]
    assert [s.text for s in said] == list(facts["text"])
    assert len(said) == 6 * 4
    for sentence, row in zip(said, facts.to_dict("records"), strict=True):
        cell = where[sentence.anchor]
        if row["part"] == "portrait" and row["rank"] > 1:
            assert cell.text in sentence.text


def test_no_two_cells_have_one_anchor_though_a_scale_and_a_column_may_share_a_name():
    run = make_run(200)
    means = run.profiles.means
    twin = means[means["variable"] == "age"].assign(variable="scale_1")
    profiles = dataclasses.replace(run.profiles, means=pd.concat([means, twin]))
    tables = build_context(dataclasses.replace(run, profiles=profiles)).profile_means
    anchors = [c.anchor for t in tables for r in t.rows for c in r.cells if c.anchor]
    assert len(anchors) == len(set(anchors)) == len(means)
    assert sum(len(r.cells) > 1 for r in tables[0].rows) == len(means) / 4 + 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_figure_shows_its_least_base_and_no_number(context_of, made, kind):
    context, profiles = context_of(kind), made(kind).profiles
    shown = {c.anchor: c for t in (*context.profile_means, *context.profile_shares)
             for r in t.rows for c in r.cells if c.anchor}  # fmt: skip
    hidden = 0
    for name, frame in (("means", profiles.means), ("shares", profiles.shares)):
        for r in frame.assign(category=frame.get("category", "")).to_dict("records"):
            cell = shown[cell_anchor(name, r["variable"], r["category"], r["segment"])]
            assert (cell.text == "n < 10") == r["hidden"]
            if r["hidden"]:
                hidden += 1
                assert (cell.note, cell.base, cell.letters, cell.more) == ("", "", "", ())
                assert np.isnan(cell.sort)
    assert hidden == 8
    assert "nan" not in " ".join(strings(context)).lower().split()


def test_the_base_of_everybody_is_not_added_up_over_hidden_bases(context):
    spend = next(r for r in context.profile_means[0].rows if r.cells[0].text == "Monthly spend")
    assert spend.cells[1].base == ""
    assert [c.text for c in spend.cells[4:]] == ["n < 10", "n < 10"]


def test_the_least_base_is_that_of_the_study():
    run = make_run(200)
    settings = run.study.profiles.model_copy(update={"min_base": 25})
    study = run.study.model_copy(update={"profiles": settings})
    table = build_context(dataclasses.replace(run, study=study)).profile_means[0]
    assert "n < 25" in {c.text for r in table.rows for c in r.cells}
    assert "fewer than 25 people" in table.note


def test_letters_are_those_of_the_columns_in_the_head(context, made):
    assert [c.letters for c in context.profile_means[0].head] == ["", "", "A", "B", "C", "D"]
    means = made("plain").profiles.means
    letters = means.set_index(["label", "segment"])["letters"]
    rows = [r for r in context.profile_means[0].rows if r.kind != "group"]
    assert any(c.letters for r in rows for c in r.cells)
    for row in rows:
        for s, cell in enumerate(row.cells[2:], start=1):
            assert cell.letters == letters[row.cells[0].text, s]


def test_details_of_a_cell_are_rest_difference_index_effect_v_test_and_base(context, made):
    means = made("plain").profiles.means.set_index(["variable", "segment"])
    first, cell = means.iloc[0], context.profile_means[0].rows[1].cells[2]
    assert cell.more == (
        f"rest {first['rest']:.2f}",
        f"difference {words.signed(first['difference'])}",
        f"({words.interval(first['difference_low'], first['difference_high'])})",
        f"index {first['index']:.0f}, effect {words.signed(first['effect'])}",
        f"v-test {words.signed(first['v_test'])}",
        f"effective base {first['base_effective']:.0f}",
    )


def test_a_set_is_one_table_and_says_that_several_answers_were_possible(context):
    heads = [r.cells[0] for r in context.profile_shares[0].rows if r.kind == "group"]
    assert [(c.text, c.note) for c in heads] == [
        ("Gender", ""), ("City size", ""),
        ("Which parts of the app do you use?", "several answers possible"),
    ]  # fmt: skip
    assert column(context.profile_shares[0], 0)[-3:] == ["Training plan", "Coach", "Friends"]


def test_actions_are_ranked_with_reasons_and_the_best_is_on_the_first_page(context, made):
    actions = made("plain").profiles.actions
    for card in context.personas:
        own = actions[actions["segment"] == card.number].sort_values("rank")
        assert [a.name for a in card.actions] == list(own["action"])
        assert [a.fits for a in card.actions] == list(own["fits"])
        assert all(a.reason for a in card.actions)
        assert card.best == own["action"].iloc[0]


def test_where_no_offer_suits_that_is_said():
    run = make_run(200)
    actions = run.profiles.actions.assign(fits=False, score=-0.5)
    run = dataclasses.replace(run, profiles=dataclasses.replace(run.profiles, actions=actions))
    assert {p.best for p in build_context(run).personas} == {"None of the offers suits them"}


def test_an_offer_that_suits_in_part_is_said_to_and_not_that_it_does_not(tmp_path):
    run = make_run(200)
    actions = run.profiles.actions.assign(fits=False, score=0.5)
    run = dataclasses.replace(run, profiles=dataclasses.replace(run.profiles, actions=actions))
    for card in build_context(run).personas:
        assert all(a.in_part and not a.fits for a in card.actions)
        assert card.best == f"{card.actions[0].name} (in part)"
    path = tmp_path / "report.html"
    write_html(run, path)
    text = Outline(path.read_text(encoding="utf-8")).text
    assert "suits them in part" in text
    assert "does not suit them" not in text


def test_the_model_is_held_against_naming_the_largest_segment(context, made):
    said = {f.label: f for f in context.drivers.accuracy}
    largest = made("plain").segments.table["share"].max()
    assert "91% (89–94%)" in said["The model"].value
    assert f"right for {100 * largest:.0f}%" in said["The model"].value
    assert said["The model"].note == "n = 600"
    assert "74% (70–78%)" in said["The rules"].value
    assert column(context.drivers.importance, 2)[:2] == ["19.2 pts", "8.7 pts"]
    assert len(context.drivers.rules.rows) == 5


def test_jobs_show_opportunity_with_interval_importance_and_satisfaction(context):
    row = context.jobs[0].rows[0]
    assert (row.cells[0].text, row.cells[0].note) == ("Stay fit in little time", "job")
    assert (row.cells[1].text, row.cells[1].note, row.cells[1].tone) == (
        "10.30", "9.60–11.00", "high",
    )  # fmt: skip
    assert row.cells[1].more == ("importance 7.20", "satisfaction 4.10")
    assert [c.text for c in context.jobs[0].rows[2].cells[-2:]] == ["n < 10", "n < 10"]


def test_words_too_few_people_use_are_left_out(context, made):
    words_of = made("plain").profiles.words
    shown = [c for c in column(context.words[0], 0)]
    assert shown == list(words_of.loc[~words_of["hidden"], "word"])
    assert len(shown) == len(words_of) - 1
    assert context.personas[0].words == ", ".join(words_of["word"].iloc[:3])


def test_quotes_stand_on_their_card_only_where_there_are_any(context, context_of):
    assert {p.quotes for p in context.personas} == {()}
    assert all(p.quotes for p in context_of("measured").personas)


def test_quotes_stand_under_their_question_and_are_examples_where_no_word_tells(tmp_path):
    run = make_run(200)
    quotes = pd.DataFrame(
        [(1, "why", "Why this app?", "It is quick."), (1, "else", "Anything else?", "More music."),
         (1, "why", "Why this app?", "A friend told me.")],
        columns=["segment", "variable", "label", "text"],
    )  # fmt: skip
    run = dataclasses.replace(run, profiles=dataclasses.replace(run.profiles, quotes=quotes))
    assert set(run.profiles.words["variable"]) == {"why"}
    cards = build_context(run).personas
    assert cards[0].quotes == (
        Quotes("Why this app?", ("It is quick.", "A friend told me."), examples=False),
        Quotes("Anything else?", ("More music.",), examples=True),
    )
    assert cards[1].quotes == ()
    path = tmp_path / "report.html"
    write_html(run, path)
    text = re.sub(r"\s+", " ", Outline(path.read_text(encoding="utf-8")).text)
    order = ["Why this app?", "It is quick.", "A friend told me.", "Anything else?", "(examples)",
             "More music."]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_the_note_of_the_jobs_says_which_answers_count():
    run = make_run(200)
    jobs = run.profiles.jobs.assign(top="important: 4 or more, satisfied: 4 or more")
    same = dataclasses.replace(run, profiles=dataclasses.replace(run.profiles, jobs=jobs))
    note = build_context(same).jobs[0].note
    assert "times 10. Top answers are: important: 4 or more, satisfied: 4 or more." in note
    first = jobs["label"] == jobs["label"].iloc[0]
    other = jobs.assign(
        top=jobs["top"].where(~first, "important: 80 or more, satisfied: 7 or more")
    )
    each = dataclasses.replace(run, profiles=dataclasses.replace(run.profiles, jobs=other))
    note = build_context(each).jobs[0].note
    label = jobs["label"].iloc[0]
    assert f"of “{label}” important: 80 or more, satisfied: 7 or more; of “" in note


def test_typical_answers_are_said_to_be_those_of_several_people(context):
    for card in context.personas:
        people = re.search(r"of the (\d+) people", card.typical_note)
        assert int(people[1]) >= 10


def test_what_a_study_did_not_ask_for_is_left_out(context_of, written):
    context = context_of("one component")
    assert (context.drivers, context.jobs, context.words) == (None, (), ())
    assert {(p.best, p.actions, p.words) for p in context.personas} == {("", (), "")}
    text = Outline(written("one component").read_text(encoding="utf-8")).text
    assert not re.search("What to do|Jobs to be done|In their words|tells the segments apart", text)


@pytest.mark.parametrize(
    "term", ["Index", "Letters", "v-test", "Rao-Scott", "Kish", "opportunity score",
             "Permutation importance", "Marker variable", "Hidden figures", "Multiple response",
             "log-odds"],
)  # fmt: skip
def test_every_term_of_the_profiles_is_in_the_glossary_once(context, term):
    assert len([f for f in context.glossary if term in f.label]) == 1


@pytest.mark.parametrize(
    ("value", "text"), [(0.074, "+7 pts"), (-0.126, "−13 pts"), (0.001, "0 pts"), (np.nan, "–")]
)
def test_differences_of_shares_are_percentage_points(value, text):
    assert words.points(value) == text
