"""What the report says: the facts of its context, and the file that prints them."""

import base64
import dataclasses
import hashlib
import itertools
import re

import numpy as np
import pandas as pd
import pytest

from psychoseg.report import build_context, html, words, write_html
from psychoseg.runs import run_study
from psychoseg.stats.choice import ALPHA
from tests.made_run import HOSTILE, SCALES, in_house, make_run
from tests.report.conftest import KINDS
from tests.report.reading import Outline, column, strings


@pytest.fixture(scope="module")
def context(context_of):
    return context_of("plain")


# -- the facts --------------------------------------------------------------------------------


def test_those_read_are_those_kept_plus_those_excluded(context):
    people = [int(n.replace(",", "")) for n in column(context.people, 2)]
    assert people[0] == sum(people[1:]) == 623
    assert people[-1] == 600


def test_rows_that_met_nobody_are_counted_apart_from_exclusions(context):
    assert [c.text for c in context.set_aside.rows[0].cells] == [
        "Rows not used",
        "Merging files",
        "Meets no respondent.",
        "31",
    ]


def test_reasons_that_differ_in_numbers_alone_are_one_line_with_their_range():
    run = make_run()
    reasons = [f"answered {i} of 40 items in wave2.csv" for i in range(3, 25)]
    excluded = (run.survey.ledger["effect"] == "excluded").to_numpy()[:22]
    assert excluded.all()
    ledger = run.survey.ledger.copy()
    ledger.loc[:21, "reason"] = reasons
    run = dataclasses.replace(run, survey=dataclasses.replace(run.survey, ledger=ledger))
    row = build_context(run).people.rows[1]
    assert [c.text for c in row.cells[1:3]] == [
        "Answered 3 to 24 of 40 items in wave2.csv.",
        "22",
    ]


def test_a_range_of_numbers_minds_signs_and_exponents():
    run = make_run()
    ledger = run.survey.ledger.copy()
    assert (ledger["effect"].head(22) == "excluded").all()
    synonyms = "psychometric synonyms {} (cut-off below 0)"
    distance = "squared Mahalanobis distance {}, p = {} (cut-off below 0.001)"
    ledger.loc[:21, "stage"] = "quality"
    ledger.loc[:21, "reason"] = [synonyms.format(v) for v in ("-0.323", "-0.612", "-0.4")] + [
        distance.format(60.5 + i, p) for i, p in enumerate(["0.00084", "9.5e-05", "8e-06", "1e-16"])
    ] + ["listed twice in wave-2.csv of 2026-02-03"] * 15  # fmt: skip
    run = dataclasses.replace(run, survey=dataclasses.replace(run.survey, ledger=ledger))
    said = {row.cells[1].text: row.cells[2].text for row in build_context(run).people.rows}
    assert said["Psychometric synonyms -0.612 to -0.323 (cut-off below 0)."] == "3"
    assert (
        said[
            "Squared Mahalanobis distance 60.5 to 63.5, p = 1e-16 to 0.00084 (cut-off below 0.001)."
        ]
        == "4"
    )
    assert said["Listed twice in wave-2.csv of 2026-02-03."] == "15"


def test_a_reproducible_division_is_never_sold_as_natural(context):
    assert context.verdict.headline == "Reproducible segments"
    assert context.verdict.tone == "amber"
    assert "not separate types of people" in context.verdict.meaning
    assert not any(re.search(r"\bnatural (clusters|groups|segments)", s) for s in strings(context))


def test_a_constructed_division_is_called_no_stable_segments_with_its_reason(context_of, made):
    verdict = context_of("no stable segments").verdict
    assert verdict.headline == "No stable segments"
    assert verdict.tone == "red"
    reason = made("no stable segments").segments.reason
    assert verdict.reason.lower() in reason.lower()
    assert not verdict.reason.startswith(verdict.headline)
    assert verdict.facts[0].value.startswith("8 segments, for illustration")


@pytest.mark.parametrize(
    ("kind", "lit"),
    [("unassigned", "natural"), ("plain", "reproducible"), ("no stable segments", "constructed")],
)
def test_the_light_of_the_verdict_is_on_and_all_three_are_explained(context_of, kind, lit):
    verdict = context_of(kind).verdict
    assert verdict.kind == lit
    assert [(x.kind, x.colour) for x in verdict.lights] == [
        ("natural", "green"), ("reproducible", "amber"), ("constructed", "red"),
    ]  # fmt: skip
    assert [x.kind for x in verdict.lights if x.on] == [lit]
    assert verdict.tone == next(x.colour for x in verdict.lights if x.on)
    assert all(x.word and x.meaning for x in verdict.lights)
    assert [f.label for f in verdict.facts] == ["How many", "How sure"]


def test_the_light_is_told_by_word_and_not_by_colour_alone(written):
    page = Outline(written("plain").read_text(encoding="utf-8"))
    lit = [a["class"] for t, a in page.tags if t == "li" and "aria-current" in a]
    assert lit == ["amber on"]
    assert "Reproducible this survey" in " ".join(page.text.split())


def test_the_recommendation_and_the_runner_up_come_with_their_reasons(context, made):
    segments = made("plain").segments
    said = {f.label: f.value for f in context.number.reasons}
    assert said == {
        "Recommended: 1": segments.k_reason,
        "Runner-up: 4": segments.runner_up_reason,
        "The rule": segments.k_rule,
    }


def test_every_rule_has_its_vote_and_the_ones_for_the_number_shown_are_marked(context, made):
    votes = made("plain").segments.votes
    table = context.number.votes
    assert column(table, 1) == ["cannot say" if k == 0 else str(k) for k in votes["k"]]
    assert [r.kind == "chosen" for r in table.rows] == list(votes["k"] == 4)


def test_the_whole_panel_is_in_the_appendix(context):
    for table in context.number.panel:
        assert column(table, 0) == [str(k) for k in range(1, 16)]
        assert [r.cells[0].text for r in table.rows if r.kind == "chosen"] == ["4"]
    heads = [c.text for t in context.number.panel for c in t.head]
    assert {"Silhouette", "Gap", "Prediction strength", "Dunn", "Link to profile"} <= set(heads)
    assert "BIC" not in heads  # nothing but gaps in this run


def test_the_null_test_is_a_sentence_with_its_p_value_and_base(context, context_of):
    said = {f.label: f.value for f in context.sureness.facts}["Against one cloud"]
    assert "p = 0.31" in said
    assert "600 people" in said
    assert "no gaps" in said
    natural = {f.label: f.value for f in context_of("unassigned").sureness.facts}
    assert "p = 0.01" in natural["Against one cloud"]
    assert "there are gaps" in natural["Against one cloud"]


def test_each_segment_has_its_band_size_and_border(context, made):
    table = made("plain").segments.table
    rows = context.sureness.segments.rows
    assert [r.cells[0].number for r in rows] == [1, 2, 3, 4]
    assert [r.cells[1].base for r in rows] == [f"n = {n}" for n in table["n"]]
    assert [r.cells[3].text for r in rows] == [
        "highly stable", "valid, stable", "valid, stable", "a pattern, not a sharp group",
    ]  # fmt: skip
    assert rows[3].cells[6].text == words.percent(table["border_share"].iloc[3])


def test_audits_say_textbook_ward_beside_ours_with_ranges_and_bases(context):
    said = {f.label: f.value for f in context.sureness.facts}
    assert "textbook Ward, any two shuffles 0.41 (0.22–0.59, poor)" in said["Row order"]
    assert "psychoseg, any two shuffles 1.00 (excellent)" in said["Row order"]
    assert "37 of 599" in said["Ties"]
    assert "keeps its segment 78% (75–80%)" in said["Error of measurement"]
    assert "12% of all 600 stand on a border" in said["Person by person"]
    assert [r.cells[4].text for r in context.sureness.audit.rows] == ["600"] * 2 + ["599"] + [
        "600"
    ] * 3


def test_other_methods_that_could_not_be_compared_are_listed_but_not_spoken_of(context):
    said = {f.label: f.value for f in context.sureness.facts}["Other methods"]
    assert "k-means 0.61, poor" in said
    assert "latent class" not in said
    assert "Latent class analysis" in column(context.sureness.methods, 0)


def test_the_critics_of_factor_then_cluster_find_an_answer(context, made):
    said = context.sureness.tandem_text
    assert "Arabie and Hubert 1994" in said
    assert "by items 0.52" in said
    assert len(context.sureness.tandem.rows) == len(made("plain").segments.tandem) == 6


@pytest.mark.parametrize(("block", "warns"), [("scales", False), ("demographics", True)])
def test_a_warning_stands_where_not_the_scales_carry_the_segments(block, warns):
    run = make_run()
    blocks = run.segments.blocks.copy()
    blocks.loc[blocks["block"] == block, "between"] = 0.9
    blocks.loc[blocks["block"] != block, "between"] = 0.1
    run = dataclasses.replace(run, segments=dataclasses.replace(run.segments, blocks=blocks))
    carriers = build_context(run).carriers
    assert carriers.warns == warns
    assert ("Take care" in carriers.meaning) == warns
    assert "90%" in carriers.meaning
    assert [(b.label, b.between, b.fill) for b in carriers.blocks] == [
        (block.capitalize(), "90%", 90.0),
        ("Demographics" if block == "scales" else "Scales", "10%", 10.0),
    ]


def test_the_strongest_describing_column_of_each_component_is_marked(context, made):
    table = made("plain").segments.supplementary
    marked = [c.note for r in context.carriers.supplementary.rows for c in r.cells if c.note]
    ties = sum((table[c].abs() == table[c].abs().max()).sum() for c in table.columns[3:])
    assert marked == ["strongest"] * ties


def test_who_fits_no_segment_is_called_so_and_has_no_stability(context_of, written):
    context = context_of("unassigned")
    last = context.personas[-1]
    assert (last.name, last.unassigned, last.stability) == ("Unassigned", True, "no segment")
    assert "fit no segment" in last.headline
    assert [p.unassigned for p in context.personas[:-1]] == [False] * 3
    assert context.sureness.segments.rows[-1].cells[3].text == "no segment"
    assert "3 segments" in {f.label: f.value for f in context.verdict.facts}["How sure"]
    assert context.number.choice.startswith("3 segments, found where people are dense")
    assert "holds the people who fit none" in context.number.choice
    assert {f.label: f.value for f in context.key_numbers}["Segments"] == "3"
    assert "gives 3 segments and those who fit none" in context.tree_text
    assert "Found: 3" in [f.label for f in context.number.reasons]
    text = Outline(written("unassigned").read_text(encoding="utf-8")).text
    assert "the method found too few others like them" in text


def test_what_was_not_audited_is_left_out_and_not_made_up(context_of):
    sureness = context_of("one component").sureness
    assert [f.label for f in sureness.facts] == ["Against one cloud", "When the survey is redrawn"]
    assert "could not be tested" in sureness.facts[0].value
    assert "not measured" in sureness.facts[1].value
    assert sureness.audit is sureness.methods is sureness.tandem is sureness.consensus is None
    assert sureness.tandem_text == ""
    assert context_of("one component").number.votes is None


def test_an_approximate_tree_moved_people_and_a_missing_tree_are_said(tmp_path):
    run = make_run(200)
    changed = dataclasses.replace(
        run.segments, approximate="500 micro-clusters stand for 9,000 points", n_moved=12
    )
    context = build_context(dataclasses.replace(run, segments=changed))
    assert "Approximate: 500 micro-clusters stand for 9,000 points." in context.tree_text
    assert "12 respondents then moved" in context.tree_text
    assert "drawn over the segments" in context.tree_text
    assert any(f.label == "Approximate" for f in context.sureness.facts)
    flat = dataclasses.replace(run.segments, tree=np.empty((0, 4)), method="k-means")
    run = dataclasses.replace(run, segments=flat)
    assert "no tree to draw" in build_context(run).tree_text
    write_html(run, tmp_path / "flat.html")
    page = Outline((tmp_path / "flat.html").read_text(encoding="utf-8"))
    assert "plot-dendrogram" not in page.names()
    assert not [a for t, a in page.tags if t == "svg" and "dendrogram" in str(a)]


def test_a_flat_method_is_not_said_to_cut_a_tree():
    run = make_run(200)
    settings = run.study.segments.model_copy(update={"method": "kmeans"})
    study = run.study.model_copy(update={"segments": settings})
    segments = dataclasses.replace(run.segments, method="k-means (python)")
    text = build_context(dataclasses.replace(run, study=study, segments=segments)).tree_text
    assert text.startswith("K-means (python). The method divides people directly, without a tree.")
    assert "most similar people first" not in text


def test_segments_below_hennigs_bound_do_not_contradict_a_verdict_that_all_come_back():
    run = make_run(200)
    table = run.segments.table.assign(jaccard=[0.9, 0.8, 0.8, 0.74])
    segments = dataclasses.replace(run.segments, table=table)
    facts = build_context(dataclasses.replace(run, segments=segments)).verdict.facts
    sure = {f.label: f.value for f in facts}["How sure"]
    assert sure.startswith("3 of 4 segments are valid when the survey is drawn again")
    assert "come back" not in sure


def test_the_glossary_gives_the_level_that_the_verdict_uses(context):
    meaning = {f.label: f.value for f in context.glossary}["One cloud, null test, p"]
    assert f"up to {ALPHA:.2f} counts as gaps" in meaning


@pytest.mark.parametrize(
    ("value", "word"), [(0.9, "excellent"), (0.8, "good"), (0.65, "moderate"), (0.64, "poor")]
)
def test_agreement_is_said_in_steinleys_words(value, word):
    assert words.agreement_words(value) == word


def test_every_term_of_the_evidence_is_in_the_glossary(context):
    terms = " ".join(f.label for f in context.glossary)
    for term in ("SLSw", "SLSa", "Gap", "Prediction strength", "Certainty", "Adjusted Rand",
                 "Tandem", "Natural, reproducible, constructed", "Dunn", "Unassigned"):  # fmt: skip
        assert term in terms


def test_each_segment_has_a_card_with_its_size_interval_and_base(context, made):
    table = made("plain").segments.table
    assert [p.number for p in context.personas] == [1, 2, 3, 4]
    for card, row in zip(context.personas, table.itertuples(), strict=True):
        assert card.share == f"{100 * row.share:.0f}%"
        assert card.share_interval == f"{100 * row.share_low:.0f}–{100 * row.share_high:.0f}%"
        assert card.base == f"n = {row.n}"


def test_a_given_name_stands_above_the_suggested_one(context):
    assert (context.personas[1].name, context.personas[0].suggested) == ("Urban achievers", "")
    assert context.personas[1].suggested.startswith("High ")


def test_a_driver_carries_value_total_interval_effect_and_base(context, made):
    profiles = made("plain").profiles
    first = profiles.drivers[profiles.drivers["segment"] == 1].iloc[0]
    of = profiles.means.set_index(["segment", "variable"]).loc[(1, first["variable"])]
    line = context.personas[0].psychographic[0]
    assert line.label == first["label"]
    assert (line.value, line.total) == (f"{first['value']:.2f}", f"{first['total']:.2f}")
    assert line.interval == f"{of['low']:.2f}–{of['high']:.2f}"
    assert line.effect == words.signed(first["effect"])
    assert line.base == f"n = {first['base']}"
    assert line.size == first["size"]


def test_a_scale_bar_runs_over_the_answer_scale(context, made):
    line = context.personas[0].psychographic[0]
    drivers = made("plain").profiles.drivers
    value = drivers[drivers["segment"] == 1]["value"].iloc[0]
    assert line.fill == pytest.approx(100 * (value - 1) / 4, abs=0.01)  # answers from 1 to 5


def test_psychographic_and_demographic_drivers_are_kept_apart(context):
    for card in context.personas:
        assert {line.label for line in card.psychographic} <= set(SCALES)
        assert not {line.label for line in card.demographic} & set(SCALES)


def test_a_category_driver_names_variable_and_category_in_percent(context):
    shares = [d for p in context.personas for d in p.demographic if d.label.startswith("Gender: ")]
    assert shares
    assert all(d.value.endswith("%") and d.total.endswith("%") for d in shares)


@pytest.mark.parametrize(
    ("jaccard", "level", "word"),
    [
        (0.59, 1, "not to be trusted"),
        (0.598, 2, "a pattern, not a sharp group"),  # printed as 0.60
        (0.60, 2, "a pattern, not a sharp group"),
        (0.75, 3, "valid, stable"),
        (0.85, 4, "highly stable"),
        (np.nan, 0, "unknown"),
    ],
)
def test_stability_is_said_in_hennigs_bands(jaccard, level, word):
    assert words.stability_band(jaccard)[:2] == (level, word)


def test_a_weak_scale_is_marked(context):
    assert [s.low_alpha for s in context.scales if s.alpha] == [False] * 5 + [True]
    assert context.scales[5].alpha == "0.58"
    assert context.scales[5].alpha_interval == "0.52–0.64"


def test_an_item_in_no_scale_is_shown_as_such(context):
    assert context.scales[-1].label == "In no scale"
    assert len(context.scales[-1].items.rows) == 1


def test_a_reversed_item_is_marked(context):
    notes = [row.cells[0].note for row in context.scales[1].items.rows]
    assert notes == ["", "", "", "answers turned round"]


def test_what_made_the_segments_has_no_p_value(context):
    for row in context.tests.rows:
        part, test, p = row.cells[1].text, row.cells[4].text, row.cells[5].text
        assert (p == "–") == (test == "–") == (part == "made the segments")
    assert "< 0.01" in column(context.tests, 5)
    assert "chi-square (3, 596) = 12.35" in column(context.tests, 4)


def test_profile_tables_hold_at_most_five_segments_and_all_of_them(context_of):
    context = context_of("no stable segments")
    for tables in (context.profile_means, context.profile_shares):
        numbers = [[c.number for c in t.head if c.number] for t in tables]
        assert numbers == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_every_cell_of_a_profile_table_has_an_interval_and_a_base(context):
    for row in context.profile_means[0].rows:
        for cell in row.cells[2:]:
            if cell.text == "n < 10":
                assert (cell.note, cell.base, cell.letters, cell.more) == ("", "", "", ())
                continue
            assert re.fullmatch(r"−?\d+\.\d\d(–| to )−?\d+\.\d\d", cell.note)
            assert re.fullmatch(r"n = [\d,]+", cell.base)


def test_shading_follows_the_distance_from_everybody(context, made):
    means = made("plain").profiles.means.set_index(["label", "segment"])["z"]
    for row in context.profile_means[0].rows:
        for segment, cell in enumerate(row.cells[2:], start=1):
            z = means[row.cells[0].text, segment]
            if np.isnan(z):
                assert cell.tone == "hidden"
                continue
            size = "" if abs(z) < 0.2 else "er" if abs(z) >= 0.5 else "."
            expected = "" if not size else ("high" if z > 0 else "low") + size.strip(".")
            assert cell.tone == expected


def test_the_chosen_number_of_segments_is_marked(context):
    marked = [row.cells[0].text for row in context.number.eligible.rows if row.kind == "chosen"]
    assert marked == ["4"]


def test_all_warnings_are_there(context, made):
    assert [w.message for w in context.warnings] == list(made("plain").warnings["message"])


def test_agreement_is_there_with_both_engines_only(context, context_of):
    assert context.agreement is None
    assert column(context_of("hostile").agreement, 3) == ["1.00", "1.00"]


def test_weights_are_said_with_the_effective_base(context, context_of, made):
    assert "not weighted" in context.weighting
    effective = made("no stable segments").survey.n_effective
    weighted = context_of("no stable segments")
    assert f"{effective:,.0f} unweighted ones" in weighted.weighting
    assert "weighted" in weighted.personas[0].base


def test_inputs_versions_and_seed_are_there_and_no_times(context):
    assert "ab" * 32 in context.inputs[0].value
    assert [v.label for v in context.versions] == ["psychoseg", "numpy"]
    assert next(f.value for f in context.method if f.label == "Seed") == "1"
    assert not any("98765" in s or "98,765" in s for s in strings(context))


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_has_more_than_two_decimals_but_fit_and_residuals_three(context_of, kind):
    context = dataclasses.replace(context_of(kind), settings="", versions=(), title="", inputs=())
    assert [s for s in strings(context) if re.search(r"\d\.\d{4,}", s)] == []
    outside = dataclasses.replace(context, measurement=())
    assert [s for s in strings(outside) if re.search(r"\d\.\d{3,}", s)] == []
    m = context.measurement
    elsewhere = dataclasses.replace(
        m, sure=(), number=None, fit=None, residuals=None, drops=None, confirmation=None
    )
    assert [s for s in strings(elsewhere) if re.search(r"\d\.\d{3,}", s)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_respondent_id_reaches_the_file(written, kind):
    assert "secret-" not in written(kind).read_text(encoding="utf-8")


def test_labels_are_printed_and_names_are_not(written):
    text = Outline(written("plain").read_text(encoding="utf-8")).text
    assert "Tech-savviness, statement 1: I would say that this describes me" in text
    assert not re.search(r"\bscale_\d|\bq\d_\d|comp_\d", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.14159, "3.14"), (-0.004, "0.00"), (-1.5, "−1.50"), (12345.678, "12,346"),
        (999.999, "1000.00"), (np.nan, "–"),
    ],
)  # fmt: skip
def test_numbers_have_two_decimals_and_a_real_minus(value, text):
    assert words.number(value) == text


@pytest.mark.parametrize(("p", "text"), [(0.0, "< 0.01"), (0.0099, "< 0.01"), (0.25, "0.25")])
def test_p_values_are_never_zero(p, text):
    assert words.p_value(p) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0%"), (0.001, "< 1%"), (0.5, "50%"), (0.999, "> 99%"), (1.0, "100%")]
)
def test_a_small_share_is_not_nothing_and_a_large_one_not_all(share, text):
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("kmo", "word"),
    [(0.9, "marvellous"), (0.85, "meritorious"), (0.5, "miserable"), (0.49, "unacceptable")],
)
def test_kmo_is_said_in_kaisers_words(kmo, word):
    assert words.kmo_words(kmo) == word


# -- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_run_gives_the_same_bytes(made, written, tmp_path, kind):
    write_html(made(kind), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == written(kind).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_has_no_scripts_but_ours_and_refers_to_nothing_outside(written, kind):
    text = written(kind).read_text(encoding="utf-8")
    page = Outline(text)
    assert not page.names() & {"link", "iframe", "object", "embed", "base", "form"}
    for attributes in (a for t, a in page.tags if t == "script"):
        assert attributes in ({}, {"type": "application/json", "id": "xp-data"})
    for _, attributes in page.tags:
        assert not [a for a in attributes if a.startswith("on")]
        for name in ("src", "href", "xlink:href", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    bodies = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(b.encode()).digest()).decode() for b in bodies]
    ours = " ".join(f"'sha256-{h}'" for h in hashes)
    assert policy == (
        f"default-src 'none'; script-src {ours}; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_a_script_that_is_none_of_ours_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "TEMPLATES", tmp_path)
    (tmp_path / "page.html.j2").write_text("<script>{{ body|safe }}</script>", encoding="utf-8")
    (tmp_path / "ours.js").write_text("ours()\n", encoding="utf-8")
    html.render_page("page.html.j2", tmp_path / "good.html", body="ours()")
    with pytest.raises(RuntimeError, match="not psychoseg's"):
        html.render_page("page.html.j2", tmp_path / "bad.html", body="theirs()")
    assert not (tmp_path / "bad.html").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_links_inside_the_page_lead_somewhere(written, kind):
    page = Outline(written(kind).read_text(encoding="utf-8"))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#content").removeprefix("#") in ids
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


def test_hostile_labels_are_text_and_nothing_else(written, made):
    page = Outline(written("hostile").read_text(encoding="utf-8"))
    assert "img" not in page.names()
    assert len([t for t, _ in page.tags if t == "script"]) == len(
        re.findall("<script", written("plain").read_text(encoding="utf-8"))
    )
    text = " ".join(page.text.split())
    for label in HOSTILE:
        assert " ".join(label.split()) in text


def test_every_figure_has_a_name_and_a_description(written):
    page = Outline(written("plain").read_text(encoding="utf-8"))
    drawings = [a for t, a in page.tags if t == "svg" and a.get("class") in ("wide", "narrow")]
    assert len(drawings) == 24  # twelve figures, each for a page and for a telephone
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in drawings)


def test_headings_step_down_one_level_at_a_time(written):
    page = Outline(written("plain").read_text(encoding="utf-8"))
    levels = [int(t[1]) for t, _ in page.tags if re.fullmatch(r"h[1-6]", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_the_report_of_2000_respondents_stays_below_three_megabytes(tmp_path):
    write_html(make_run(2000, k=8, weighted=True, measured=True), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3_000_000


def test_beyond_3000_points_the_markers_of_a_page_for_the_house_are_a_picture(tmp_path):
    write_html(in_house(make_run(3100)), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert len(text) < 3_000_000


def test_a_run_without_warnings_profiles_columns_or_exclusions_still_reads(tmp_path):
    run = make_run(k=2)
    scales = {
        name: frame[frame["kind"] == "scale"]
        for name in ("means", "shares", "drivers")
        for frame in (getattr(run.profiles, name),)
    }
    profiles = dataclasses.replace(run.profiles, **scales, facts=run.profiles.facts.iloc[:0])
    survey = dataclasses.replace(run.survey, ledger=run.survey.ledger.iloc[:0], n_read=600)
    run = dataclasses.replace(
        run, profiles=profiles, survey=survey, warnings=pd.DataFrame(columns=["stage", "message"])
    )
    context = build_context(run)
    assert context.sample is None
    assert context.set_aside is None
    assert column(context.people, 2) == ["600", "600"]
    write_html(run, tmp_path / "report.html")
    text = Outline((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "None: no stage had anything to warn of." in text
    assert "No demographic sets this segment apart." in text


@pytest.mark.parametrize("study", ["fitness_app", "big_five"])
def test_a_real_study_has_its_card_for_every_segment_and_no_id(root, study, tmp_path):
    run = run_study(root / "surveys" / study, out=tmp_path / "run")
    write_html(run, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Outline(text)
    cards = [a["id"] for t, a in page.tags if t == "article"]
    assert cards == [f"segment-{s}" for s in range(1, run.segments.k + 1)]
    ids = {a["id"] for _, a in page.tags if "id" in a}
    said = [a["href"] for t, a in page.tags if t == "a" and a.get("class") == "said"]
    assert len(said) >= 3 * run.segments.k
    assert {link.removeprefix("#") for link in said} <= ids
    words_of_page = set(re.findall(r"\w+", page.text))
    assert {len(i) for i in run.survey.ids} == {5}  # no other number in the page is so long
    assert not words_of_page & set(run.survey.ids)
    assert len(text) < 3_000_000
