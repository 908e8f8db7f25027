"""What the report says of how sure the scales are, in words and in the statistician's tables."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from psychoseg.report import build_context, words, write_html
from psychoseg.report.measurement import FLAGS_SHOWN
from psychoseg.scales.reliability import COEFFICIENTS
from tests.made_run import SCALES, make_run


@pytest.fixture(scope="module")
def measured(context_of):
    return context_of("measured")


def said(context, label: str) -> str:
    return next(f.value for f in context.measurement.sure if f.label == label)


def row_of(table, text: str):
    return next(row for row in table.rows if row.cells[0].text == text)


def texts(row) -> list[str]:
    return [cell.text for cell in row.cells]


# -- for everybody ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alpha", "how"),
    [
        (0.896, "almost the same way"),  # printed as 0.90
        (0.894, "much the same way"),
        (0.80, "much the same way"),
        (0.70, "roughly the same way"),
        (0.69, "only loosely the same way"),
    ],
)
def test_alpha_is_said_in_nunnallys_steps(alpha, how):
    assert f" {how}: a correlation of about {alpha:.2f}." in words.alpha_meaning(alpha)


@pytest.mark.parametrize("alpha", [np.nan, 0.0, -0.2])
def test_an_alpha_that_ranks_nobody_is_given_no_meaning(alpha):
    assert words.alpha_meaning(alpha) == ""


@pytest.mark.parametrize(
    ("rmsea", "word"),
    [(0.05, "close"), (0.0504, "close"), (0.051, "reasonable"), (0.08, "reasonable"),
     (0.1, "mediocre"), (0.101, "poor")],
)  # fmt: skip
def test_rmsea_is_said_in_the_words_of_convention(rmsea, word):
    assert words.rmsea_words(rmsea) == word


@pytest.mark.parametrize(
    ("value", "word"), [(0.95, "good"), (0.946, "good"), (0.9, "acceptable"), (0.89, "below")]
)
def test_tli_and_cfi_are_said_in_the_words_of_convention(value, word):
    assert words.fit_index_words(value).split()[0] == word


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05599, "0.056"), (-0.0969, "−0.097"), (0.0001, "< 0.001"), (-0.0001, "0.000"),
     (0.0, "0.000"), (np.nan, "–"), (1808.94, "1,809")],
)  # fmt: skip
def test_what_is_small_by_nature_has_three_decimals(value, text):
    assert words.fine(value) == text


def test_the_number_of_factors_is_said_with_how_many_rules_agree(context_of):
    text = said(context_of("plain"), "Number of factors")
    assert text == (
        "The scales rest on 6 factors. 2 of 4 rules for their number say so; 1 says 5, 1 cannot "
        "tell. Weighed together they recommend 6: as many as stand out from chance, are larger "
        "than one item and have three items of their own."
    )


def test_a_number_that_the_study_sets_against_the_rules_is_said_to_be_so():
    run = make_run()
    run.scales.number = run.scales.number.assign(suggested=pd.array([8, 8, 7, 7, 6], "Int64"))
    run.scales.n_factors_suggested = 8
    text = said(build_context(run), "Number of factors")
    assert "None of the 4 rules for their number says so: 2 say 7, 2 say 8." in text
    assert "the rules recommend 8; the study sets the number itself." in text


def test_agreement_of_all_rules_is_said_in_a_word():
    run = make_run()
    run.scales.number = run.scales.number.assign(suggested=pd.array([6, 6, 6, 6, 1], "Int64"))
    assert said(build_context(run), "Number of factors").endswith(
        "All 4 rules for their number agree."
    )


def test_fit_is_said_with_its_conventions_and_their_sources(context_of):
    text = said(context_of("plain"), "Fit")
    assert "RMSEA of 0.056 (reasonable) and a TLI of 0.97 (good)" in text
    assert "conventions, not laws" in text
    assert all(who in text for who in ("Browne", "MacCallum", "Hu", "Bonett", "Kaiser"))


def test_a_model_that_cannot_be_tested_is_not_said_to_fit():
    run = make_run()
    run.scales.fit.loc[run.scales.fit["measure"].isin(["rmsea", "tli"]), "value"] = np.nan
    assert said(build_context(run), "Fit").startswith("How well the factors fit these items cannot")


@pytest.mark.parametrize("absent", [True, False], ids=["rows left out", "rows of an older run"])
def test_components_are_not_judged_as_a_factor_model(absent):
    run = make_run()
    settings = run.study.scales.model_copy(update={"extraction": "components"})
    run = dataclasses.replace(run, study=run.study.model_copy(update={"scales": settings}))
    of_a_model = ["chi_square", "df", "p", "rmsea", "tli", "cfi", "bic"]
    if absent:
        run.scales.fit = run.scales.fit[~run.scales.fit["measure"].isin(of_a_model)]
    context = build_context(run)
    text = said(context, "Fit")
    assert "no model" in text
    assert "0.029 (RMSR)" in text
    assert "KMO 0.87" in text
    assert "0.056" not in text
    assert not any(word in text for word in ("reasonable", "mediocre", "good", "acceptable"))
    fit = context.measurement.fit
    assert [row.cells[0].text for row in fit.rows] == ["SRMR", "RMSR", "KMO", "Bartlett's test"]
    assert "do not apply" in fit.note
    assert fit.caption == "How well 6 components fit"


def test_items_that_need_attention_are_named_once_with_all_that_speaks_against_them(measured, made):
    first = measured.measurement.attention[0]
    label = made("measured").scales.items["label"].iloc[0]
    assert first.label == label
    assert first.value.startswith("Its highest loading is 0.37, below 0.40; it correlates 0.86")
    assert len(measured.measurement.attention) == 6
    assert "18 more items" in measured.measurement.attention_more


def test_without_a_confirmation_the_report_says_how_to_make_one(context_of):
    context = context_of("plain")
    assert context.measurement.confirmation is None
    assert "not been confirmed" in said(context, "Confirmation")
    assert "confirm_scales.R" in said(context, "Confirmation")


def test_a_confirmation_is_said_in_words_by_its_preferred_version(measured):
    text = said(measured, "Confirmation")
    assert "the same respondents, which flatters: CFI 0.93 (acceptable), RMSEA 0.061 (" in text
    assert "of the second half: CFI 0.89 (below what is asked)" in text
    assert "22 of 24 items came to the scale they have here" in text
    # The scalar step of the made-up run does not hold.
    assert "compare their means with care" in text


@pytest.mark.parametrize(
    ("holds", "cfi", "words_of_it"),
    [
        (["", "True", "True"], 0.95, "means of the groups may be compared"),
        (["", "False", "True"], 0.95, "do not measure alike"),
        (["", "True", "True"], 0.89, "cannot be told"),
    ],
)
def test_groups_are_compared_only_as_far_as_all_steps_hold(holds, cfi, words_of_it):
    run = make_run(measured=True)
    steps = run.confirmation["invariance"].assign(holds=holds, cfi=cfi)
    run = dataclasses.replace(run, confirmation={**run.confirmation, "invariance": steps})
    assert words_of_it in said(build_context(run), "Confirmation")


# -- for the statistician ---------------------------------------------------------------------


def test_each_rule_is_there_and_footnotes_stand_apart(context_of):
    table = context_of("plain").measurement.number
    assert [row.cells[0].text for row in table.rows if row.kind == "group"] == [
        "Shown because readers know them, not counted"
    ]
    assert texts(table.rows[-1])[:2] == ["Eigenvalues above 1 (Kaiser)", "6"]
    assert [row.cells[1].text for row in table.rows[:4]] == ["6", "6", "5", "cannot tell"]
    # Footnotes are never marked as support of the recommendation.
    assert [bool(row.cells[-2].tone) for row in table.rows if not row.kind] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_reliability_has_a_row_a_scale_and_a_column_a_coefficient(context_of, made):
    table = context_of("plain").measurement.reliability
    of = made("plain").scales.reliability.set_index(["scale", "coefficient"])["value"]
    head = [cell.text for cell in table.head]
    assert [row.cells[0].text for row in table.rows if not row.kind] == list(SCALES)
    for name, coefficient in (("Alpha", "alpha"), ("CR", "composite reliability")):
        expected = words.number(of["scale_1", coefficient])
        assert table.rows[0].cells[head.index(name)].text == expected
    assert table.rows[0].cells[head.index("Alpha")].note == "0.81–0.87"
    lowest, highest = (of["scale_1", f"split half, {end}"] for end in ("lowest", "highest"))
    half = table.rows[0].cells[head.index("Split half")]
    assert half.note == words.interval(lowest, highest)


def test_all_items_together_have_omega_hierarchical_and_explained_common_variance(context_of):
    last = context_of("plain").measurement.reliability.rows[-1]
    assert last.kind == "group"
    assert texts(last) == [
        "All items together: omega total 0.93, omega hierarchical 0.44, explained common variance "
        "0.16"
    ]


def test_a_coefficient_that_no_scale_has_takes_no_column():
    run = make_run()
    of = run.scales.reliability
    run.scales.reliability = of[~of["coefficient"].isin(["alpha, ordinal", "omega, own part"])]
    head = [cell.text for cell in build_context(run).measurement.reliability.head]
    assert not {"Ordinal alpha", "Own part"} & set(head)


def test_every_coefficient_is_explained(context_of):
    explained = [f.label for f in context_of("plain").measurement.coefficients]
    assert explained == [name[0].upper() + name[1:] for name in COEFFICIENTS]


def test_fit_has_its_interval_degrees_of_freedom_and_p(context_of):
    fit = context_of("plain").measurement.fit
    assert row_of(fit, "RMSEA").cells[1].note == "90% 0.054–0.058"
    assert row_of(fit, "Chi-square").cells[1].note == "df 147, p < 0.01"
    assert row_of(fit, "SRMR").cells[1].text == "0.028"


def test_residual_pairs_go_by_their_labels(context_of, made):
    first = context_of("plain").measurement.residuals.rows[0]
    label = made("plain").survey.label
    of = made("plain").scales.residuals.iloc[0]
    assert texts(first) == [label(of["item"]), label(of["other"]), "0.34", "−0.097"]


def test_loadings_stand_under_their_scale_with_communality_and_msa(context_of, made):
    measurement = context_of("plain").measurement
    table = measurement.loadings
    groups = [row.cells[0].text for row in table.rows if row.kind == "group"]
    assert groups == [*(f"{s} (F{i + 1})" for i, s in enumerate(SCALES)), "In no scale"]
    assert texts(table.rows[1])[-2:] == ["0.52", "0.91"]
    assert len([r for r in table.rows if not r.kind]) == len(made("plain").scales.loadings)
    assert len(measurement.structure.rows) == len(table.rows)


def test_proposals_say_what_leaving_out_would_do_and_what_was_left_out(measured):
    rows = [row.cells for row in measured.measurement.drops.rows]
    assert [cells[0].note for cells in rows] == [
        f"{SCALES[1]}, step 1",
        f"{SCALES[1]}, step 2",
        f"{SCALES[2]}, step 1",
    ]
    assert [cells[1].text for cells in rows] == [
        "Without it alpha rises from 0.710 to 0.740, the mean residual falls from 0.031 to 0.029.",
        "Without it alpha rises from 0.740 to 0.751, the mean residual stays at 0.029.",
        "Without it alpha rises from 0.600 to 0.610, the mean residual cannot be told.",
    ]
    assert [cells[1].note for cells in rows] == [
        "Left out, as the study asks",
        "Proposed, kept",
        "Proposed, kept",
    ]


def test_long_lists_of_flags_end_with_how_many_more_there_are(measured, made):
    table = measured.measurement.flags
    more = len(made("measured").scales.flags) - FLAGS_SHOWN
    assert len(table.rows) == FLAGS_SHOWN
    assert more == 8
    assert "And 8 more; all in scales/flags.csv." in table.note


def test_a_run_without_flags_says_so(written):
    text = written("plain").read_text(encoding="utf-8")
    assert "Nothing speaks against any item." in text


def test_every_measurement_table_says_its_base(measured):
    m = measured.measurement
    tables = [
        m.number, m.eigenvalues, m.factors, m.reliability, m.fit, m.residuals, m.loadings,
        m.structure, m.factor_correlations, m.flags, m.drops, m.confirmation.loadings,
        m.confirmation.correlations, m.confirmation.invariance, m.confirmation.split_half,
        *measured.answering,
    ]  # fmt: skip
    assert [t.caption for t in tables if "ase n = " not in t.note] == []
    assert m.confirmation.fit.head[-1].text == "Base (n)"


def test_weighted_runs_say_their_effective_base(context_of, made):
    effective = f"effective {made('hostile').survey.n_effective:,.0f}."
    assert effective in context_of("hostile").measurement.fit.note


def test_confirmation_tables_go_by_labels_and_survive_gaps(measured, made):
    confirmation = measured.measurement.confirmation
    assert texts(confirmation.invariance.rows[0])[4:] == ["–", "–", "–", "starting point"]
    assert texts(confirmation.invariance.rows[2])[4:] == [
        "−0.015", "0.005", "< 0.01", "does not hold",
    ]  # fmt: skip
    assert confirmation.invariance.caption.endswith("Over Gender")
    halves = confirmation.split_half.rows
    assert (halves[0].cells[1].text, halves[0].cells[1].note) == (
        "No scale",
        f"first half: {SCALES[0]}",
    )
    assert halves[2].cells[1].note == "first half: Another factor"
    assert [row.cells[-1].text for row in halves[:4]] == ["no", "yes", "no", "yes"]
    assert texts(confirmation.loadings.rows[0]) == [SCALES[0]]
    assert len([r for r in confirmation.loadings.rows if not r.kind]) == 23
    marked = [row.kind for row in confirmation.fit.rows]
    assert marked == ["", "chosen", "", "chosen"]


def test_a_confirmation_without_options_has_its_two_tables_alone():
    run = make_run(measured=True)
    few = {
        k: run.confirmation[k][run.confirmation[k]["model"] == "all respondents"]
        for k in ("fit", "loadings", "factor_correlations")
    } | {"notes": run.confirmation["notes"]}
    confirmation = build_context(
        dataclasses.replace(run, confirmation=few)
    ).measurement.confirmation
    assert confirmation.invariance is None
    assert confirmation.split_half is None
    assert len(confirmation.fit.rows) == 2


# -- how people answered ----------------------------------------------------------------------


def test_answers_weights_and_care_are_described_where_they_are_known(measured, context_of):
    assert [t.caption for t in measured.answering] == [
        "How carefully people answered",
        "Answers not given",
        "What weighting costs",
        "Margins that the weights were raked to",
    ]
    assert context_of("plain").answering == ()


def test_an_index_says_its_cut_off_source_and_whom_it_flags(measured):
    rows = measured.answering[0].rows
    assert texts(rows[0])[1:] == ["0.12", "12", "2%", "a flag"]
    assert rows[0].cells[0].note == "flagged at least 0.50; half of the items: Curran (2016)"
    assert rows[0].cells[2].base == "of 600"
    assert texts(rows[1])[-1] == "no"
    assert rows[2].cells[0].note == "not computed: there are no checks"
    assert texts(rows[2])[1:] == ["–", "–", "–", "suffices alone"]


def test_missing_answers_are_listed_item_by_item_most_first(measured, made):
    table = measured.answering[1]
    label = made("measured").survey.label
    assert [texts(row) for row in table.rows] == [
        [label("q0_3"), "570", "30", "5%"],
        [label("q1_3"), "595", "5", "1%"],
    ]


def test_weighting_costs_are_named(measured):
    assert [texts(row) for row in measured.answering[2].rows] == [
        ["Respondents", "600"],
        ["Effective base (Kish)", "512"],
        ["Design effect of weighting", "1.17"],
        ["Efficiency", "85%"],
        ["Lowest weight, of the mean", "0.41"],
        ["Highest weight, of the mean", "1.71"],
    ]


# -- the file ---------------------------------------------------------------------------------


def test_a_folded_table_opens_by_keyboard_and_prints_open(browser, written):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(written("measured").as_uri())
    shown = """() => [...document.querySelectorAll('details')]
        .map(d => getComputedStyle(d, '::details-content').contentVisibility)"""
    assert set(page.evaluate(shown)) == {"hidden"}
    page.locator("summary").first.press("Enter")
    assert page.evaluate(shown)[:2] == ["visible", "hidden"]
    page.emulate_media(media="print")
    assert set(page.evaluate(shown)) == {"visible"}
    page.close()


def test_every_term_of_the_tables_is_in_the_glossary(measured):
    terms = " ".join(f.label for f in measured.glossary).lower()
    wanted = ("omega total", "general and own part", "lambda 6", "split half", "(cr)", "(ave)")
    wanted += ("determinacy", "msa", "structure", "communality", "rmsea", "tli", "cfi", "srmr")
    wanted += ("rmsr", "bic", "bartlett", "parallel analysis", "minimum average partial", "hull")
    wanted += ("empirical kaiser", "acceleration", "cross-loading", "residual", "wlsmv", "scalar")
    wanted += ("careless", "raking", "efficiency", "design effect", "ordinal alpha", "polychoric")
    assert [w for w in wanted if w not in terms] == []


def test_a_hundred_items_do_not_blow_the_report_up(tmp_path):
    run = make_run(measured=True)
    scales = run.scales
    for name in ("items", "flags", "residuals"):
        frame = getattr(scales, name)
        copies = [frame.assign(item=frame["item"] + f"_{i}") for i in range(5)]
        setattr(scales, name, pd.concat(copies, ignore_index=True))
    for name in ("loadings", "structure"):
        frame = getattr(scales, name)
        copies = [frame.set_axis([f"{item}_{i}" for item in frame.index]) for i in range(5)]
        setattr(scales, name, pd.concat(copies))
    measurement = build_context(run).measurement
    assert len([row for row in measurement.loadings.rows if not row.kind]) == 120
    assert len(measurement.attention) == 6
    assert "114 more items" in measurement.attention_more
    assert len(measurement.residuals.rows) == 10
    assert len(measurement.flags.rows) == FLAGS_SHOWN
    write_html(run, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 1_500_000
