"""Surveys whose batteries, sets, ranks and times were once read wrongly, and their kinds."""

import functools
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from psychoseg.errors import PsychosegWarning
from psychoseg.starter import Draft, draft_study, write_study
from psychoseg.starter.columns import Looked, look_at_columns
from psychoseg.starter.markers import is_mark, is_no_number
from psychoseg.starter.ranks import rank_depth
from psychoseg.study import DataFile, Study, load_study
from psychoseg.survey import Survey, load_survey, read_table
from tests.conftest import skip_or_fail
from tests.starter.made import AGREE, ratings, write_csv

N = 240


@functools.cache
def draft_of(path: Path) -> Draft:
    return draft_study(path)


@pytest.fixture
def case(shared_data):
    """Return a function that drafts one of the inputs that were read wrongly."""

    def draft(name: str) -> Draft:
        path = shared_data.parent / "cases" / name
        path = path / "s.csv" if path.is_dir() else path
        if not path.exists():
            skip_or_fail(f"the case {name} is not beside this checkout")
        return draft_of(path)

    return draft


@pytest.fixture
def made(tmp_path):
    """Return a function that writes a survey and drafts it."""

    def draft(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Draft:
        return draft_study(write_csv(tmp_path / "s.csv", [list(head), *rows]))

    return draft


@pytest.fixture
def loaded(tmp_path):
    """Return a function that writes a survey, drafts it and reads it as the draft says."""

    def load(head: Sequence[str], rows: Sequence[Sequence[object]]) -> tuple[Study, Survey]:
        study = load_study(write_study(write_csv(tmp_path / "s.csv", [list(head), *rows])))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PsychosegWarning)
            return study, load_survey(study)

    return load


def answers(**options) -> np.ndarray:
    return ratings(N, **options)


def names(stem: str, count: int = 6) -> list[str]:
    return [f"{stem}{j + 1}" for j in range(count)]


def with_cells(x: np.ndarray, cells: dict[tuple[int, int], object]) -> list[list[object]]:
    rows = x.tolist()
    for (i, j), cell in cells.items():
        rows[i][j] = cell
    return rows


def beside(x: np.ndarray, more: Sequence[Sequence[object]]) -> list[list[object]]:
    return [[*a, *b] for a, b in zip(x.tolist(), more, strict=True)]


def types_in(draft: Draft, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "types.toml"
    path.write_text(draft.text, encoding="utf-8")
    return {c.name: c.type for c in load_study(path).columns}


#: Case -> first, last and number of items, range, codes for no answer with their cells, strays.
BATTERIES = {
    "miss_dash": ("mo_1", "te_4", 12, (1, 5), {"-": 163}, ()),
    "miss_dot": ("mo_1", "te_4", 12, (1, 5), {".": 180}, ()),
    "miss_hashna": ("mo_1", "te_4", 12, (1, 5), {"#N/A": 181}, ()),
    "odd_dot": ("mo_1", "te_4", 12, (1, 5), {".": 1}, ()),
    "odd_hash": ("mo_1", "te_4", 12, (1, 5), {"#N/A": 1}, ()),
    "odd_null": ("mo_1", "te_4", 12, (1, 5), {"NULL": 1}, ()),
    "stray_6": ("mo_1", "te_4", 12, (1, 5), {}, ("6",)),
    "skew_no_top_3": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "rank_top3": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "kobo_slash": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "typeform_options": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "choose_two": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "time_duration": ("mo_1", "te_4", 12, (1, 5), {}, ()),
    "from_surveys/m1_minus99.csv": ("sens_1", "sens_6", 6, (1, 7), {"-99": 300}, ()),
    "from_surveys/m1b_minus99_numeric.csv": ("sens_1", "sens_6", 6, (1, 7), {"-99": 300}, ()),
    "from_surveys/m2_minus1.csv": ("nat_1", "nat_6", 6, (-1, 1), {}, ()),
    "from_surveys/m3_zero.csv": ("Q1", "Q8", 8, (1, 2), {"0": 6}, ()),
    "from_surveys/m4_star.csv": ("Si1*", "Si14", 7, (0, 4), {}, ()),
    "from_surveys/m5_broken_run.csv": ("fashn", "vain", 13, (1, 7), {}, ()),
    "from_surveys/m6_yesno_stray.sav": ("q23a", "q23f", 6, (1, 5), {}, ()),
    "from_surveys/m7_choices.sav": ("Q7a", "Q7f", 6, (1, 5), {}, ()),
    "from_surveys/m8_time.csv": ("Q1", "Q6", 6, (1, 5), {}, ()),
    "from_surveys/m9_notselected.csv": ("q0009_1", "q0009_5", 5, (1, 5), {}, ()),
    "from_surveys/m14_twins.csv": ("E1", "E8", 8, (1, 4), {}, ()),
}


@pytest.mark.parametrize("name", BATTERIES)
def test_the_battery_of_a_case_is_whole(case, name):
    (used,) = [b for b in case(name).batteries if not b.why_not]
    scale = used.scale
    found = (used.names[0], used.names[-1], len(used.names), (scale.low, scale.high))
    missing = {text: scale.counts[text] for text in scale.missing}
    assert (*found, missing, scale.strays) == BATTERIES[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("odd_null", "mo_2 is almost the same: 1 cell differs (NULL)."),
        ("stray_6", "mo_2 is almost the same: 1 cell differs (6)."),
        ("skew_no_top_3", "mo_2 is almost the same: nobody answered more than 3."),
        ("from_surveys/m2_minus1.csv", "-1, 0 and 1 were taken for a scale of three."),
        ("from_surveys/m3_zero.csv", "0 is rare beside 1 and 2 and was taken"),
        ("rank_top3", "each person put 3 of these 6 into an order"),
        ("choose_two", "brands: several choices in one cell"),
        ("time_duration", "Total time: another duration, beside time_taken"),
        ("from_surveys/m6_yesno_stray.sav", "q8: the codes 4, 5, 6, 8 have no label in the file"),
        ("from_surveys/m7_choices.sav", "Q8a: what do the codes mean?"),
        ("from_surveys/m8_time.csv", "time_1, time_2, time_3: looks like the time"),
        ("from_surveys/m14_twins.csv", "the same people gave the same answers to E1 to E8"),
    ],
)
def test_what_is_odd_about_a_case_is_asked(case, name, said):
    assert any(said in u for u in case(name).undecided)


@pytest.mark.parametrize(
    ("name", "columns", "labels", "selected"),
    [
        ("kobo_slash", ("pick_colors/red", 4), ["red", "green", "blue", "black"], ()),
        ("typeform_options", ("Facebook", 4),
         ["Facebook", "Instagram", "TikTok", "None of these"], ()),
        ("rank_top3", ("rank_1", 6), [], ("1", "2", "3")),
        ("from_surveys/m9_notselected.csv", ("q0004_0001", 5),
         ["Father or father figure", "Mother or mother figure", "Friends", "Pop culture", "Other"],
         ()),
    ],
)  # fmt: skip
def test_the_set_of_a_case_is_found(case, name, columns, labels, selected):
    (choices,) = case(name).sets
    assert (choices.columns[0].name, len(choices.columns)) == columns
    assert list(choices.labels.values()) == labels
    assert choices.selected == selected


def test_codes_without_a_label_are_no_answers_of_yes_and_no(case, tmp_path):
    text = case("from_surveys/m6_yesno_stray.sav").text
    assert types_in(case("from_surveys/m6_yesno_stray.sav"), tmp_path) == dict.fromkeys(
        ("q1", "q8", "q9"), "categorical"
    )
    assert "missing = [4, 5, 6, 8]    # no answer: 16 cells (4: 5, 5: 1, 6: 5, 8: 5)" in text


def test_choices_between_unlabelled_options_are_categories(case, tmp_path):
    types = types_in(case("from_surveys/m7_choices.sav"), tmp_path)
    assert types == {f"Q8{letter}": "categorical" for letter in "abcdefgh"}


# ---------------------------------------------------------------------- odd cells


@pytest.mark.parametrize(
    "cell",
    ["#N/A", "#NULL!", "#DIV/0!", ".", "..", "-", "--", "–", "?", "…", "NULL", "nan", "n/a", "N/A",
     "n.a.", "none", "k.A.", "keine Angabe", "Don't know", "x", "five", "4/5"],
)  # fmt: skip
@pytest.mark.parametrize("head", [names("mo_"), names("Q"), ["on", "off", "up", "in", "at", "by"]])
def test_one_odd_text_takes_no_item_out(made, head, cell):
    draft = made(head, with_cells(answers(), {(17, 2): cell}))
    (battery,) = draft.batteries
    assert battery.names == head
    assert battery.scale.counts == {cell: 1}
    assert any(f"{head[2]} is almost the same: 1 cell differs ({cell})" in n for n in battery.notes)
    assert "# no answer: 1 cell" in draft.text


@pytest.mark.parametrize("cell", [6, 7, 11, 33, 55, 3.5])
def test_one_stray_number_takes_no_item_out(loaded, made, cell):
    rows = with_cells(answers(), {(17, 2): cell})
    (battery,) = made(names("mo_"), rows).batteries
    assert battery.scale.strays == (str(cell),)
    study, survey = loaded(names("mo_"), rows)
    assert study.items[0].range == (1, 5)
    assert study.items[0].out_of_range == "missing"
    assert survey.items.isna().to_numpy().sum() == 1


@pytest.mark.parametrize("cut", [(1, 4), (1, 3), (1, 2), (2, 5), (3, 5), (4, 5)])
def test_an_unused_end_takes_no_item_out(made, cut):
    x = answers()
    x[:, 2] = np.clip(x[:, 2], *cut)
    (battery,) = made(names("mo_"), x.tolist()).batteries
    assert len(battery.names) == 6
    assert (battery.scale.low, battery.scale.high) == (1, 5)


def test_most_items_of_which_nobody_gave_the_top_stay_with_the_others(made):
    x = answers(items=9)
    x[:, :5] = np.minimum(x[:, :5], 4)
    (battery,) = made(names("mo_", 9), x.tolist()).batteries
    assert (len(battery.names), battery.scale.high) == (9, 5)


def test_another_variable_beside_bare_items_is_not_taken_in(made, tmp_path):
    codes = np.random.default_rng(5).integers(1, 7, (N, 1))
    head = ["fash", "price", "conv", "web", "staff", "mat", "brandcode"]
    draft = made(head, np.hstack([answers(steps=7), codes]).tolist())
    assert draft.batteries[0].names == head[:6]
    assert types_in(draft, tmp_path) == {"brandcode": "numeric"}


@pytest.mark.parametrize(
    ("codes", "steps"), [((8, 9), 5), ((7, 8, 9), 4), ((88, 99), 5), ((-9, -8), 5), ((97, 98), 7)]
)
def test_several_codes_for_no_answer_are_found_together(made, codes, steps):
    rng = np.random.default_rng(2)
    x = answers(steps=steps)
    for code in codes:
        x[rng.random(x.shape) < 0.04] = code
    (battery,) = made(names("mo_"), x.tolist()).batteries
    assert battery.scale.missing == tuple(str(c) for c in sorted(codes))
    assert (battery.scale.low, battery.scale.high) == (1, steps)


def test_the_first_line_says_where_most_people_would_be_lost(made):
    x = answers()
    x[np.arange(N) % 5 > 0] = -99
    draft = made(names("sens_"), x.tolist())
    lost = "192 of 240 people would be left out: they answered fewer than half of the 6 items"
    assert draft.text.startswith(f"# ?? {lost}")
    assert draft.found[0].startswith(lost)
    assert "1,152 cells taken for no answer (-99)" in draft.found[0]
    assert not any(
        "would be left out" in line for line in made(names("a"), answers().tolist()).found
    )


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_minus_one_beside_zero_and_one_is_missing_where_people_have_it_throughout(made, share):
    rng = np.random.default_rng(4)
    ticks = (answers() > 3).astype(int)
    ticks[rng.random(N) < share] = -1
    (battery,) = made(names("nat_"), ticks.tolist()).batteries
    assert battery.scale.missing == ("-1",)
    assert (battery.scale.low, battery.scale.high) == (0, 1)


def test_minus_one_is_an_answer_of_three_beside_another_battery_too(made):
    three = np.sign(answers(seed=8) - 3)
    assert made(names("nat_"), three.tolist()).batteries[0].scale.low == -1
    draft = made([*names("att_"), *names("nat_")], np.hstack([answers(), three]).tolist())
    assert draft.sets == ()
    assert [(b.scale.low, b.why_not) for b in draft.batteries] == [(1, ""), (-1, "")]


@pytest.mark.parametrize("low", [-2, -3])
def test_a_scale_around_zero_keeps_its_lower_half(made, low):
    x = answers(steps=1 - 2 * low) - 1 + low
    x[:, 1] = np.minimum(x[:, 1], -low - 1)
    (battery,) = made(names("mo_"), x.tolist()).batteries
    assert (len(battery.names), battery.scale.low, battery.scale.high) == (6, low, -low)


@pytest.mark.parametrize(
    ("low", "high"),
    [("Not sensitive 1", "Very sensitive 7"), ("1 - Never", "7 - Always"), ("No (1)", "Yes (7)"),
     ("Strongly disagree", "Strongly agree")],
)  # fmt: skip
def test_ends_in_words_are_the_ends_of_the_numbers_between(loaded, low, high):
    x = answers(steps=7)
    cells = [[{1: low, 7: high}.get(v, v) for v in row] for row in x.tolist()]
    cells[3] = [-99] * 6
    study, survey = loaded(names("s_"), cells)
    assert study.items[0].codes == (low, "2", "3", "4", "5", "6", high)
    assert study.items[0].missing == (-99,)
    kept = np.delete(x, 3, axis=0)
    assert np.array_equal(survey.items.to_numpy(), kept)


def test_a_code_beside_words_is_no_answer(loaded):
    cells = [[AGREE[v - 1] for v in row] for row in answers().tolist()]
    for row in cells[::20]:
        row[1] = "-99"
    study, survey = loaded(names("s_"), cells)
    assert study.items[0].codes == tuple(AGREE)
    assert study.items[0].missing == (-99,)
    assert survey.items.isna().to_numpy().sum() == 12


# ---------------------------------------------------------------------- one question twice


def test_one_question_on_two_codings_is_two_batteries(made):
    x = answers(items=8)
    x[:, 4:] -= 1
    first, second = made(names("q5_", 8), x.tolist()).batteries
    assert [(b.scale.low, b.scale.high, len(b.names)) for b in (first, second)] == [
        (1, 5, 4),
        (0, 4, 4),
    ]
    assert "the same question on two codings: here 1 to 5, and in q5_5 0 to 4" in first.notes


def test_codes_beside_words_of_one_question_are_used_however_few(made):
    rows = [[*(AGREE[v - 1] for v in row[:6]), *row[6:]] for row in answers(items=8).tolist()]
    first, second = made(names("q5_", 8), rows).batteries
    assert (len(first.names), second.names) == (6, ["q5_7", "q5_8"])
    assert "the same question as q5_1, in other answers" in second.notes
    assert not second.why_not


@pytest.mark.parametrize("turn", [False, True])
def test_a_battery_that_repeats_another_is_not_used(made, turn):
    x = answers()
    again = 6 - x if turn else x
    first, second = made([*names("E"), *names("S")], np.hstack([x, again]).tolist()).batteries
    assert not first.why_not
    assert "gave the same answers to E1 to E6" in second.why_not
    other = answers(seed=9)
    both = made([*names("imp"), *names("sat")], np.hstack([x, other]).tolist()).batteries
    assert [b.why_not for b in both] == ["", ""]


def test_a_turned_copy_of_an_item_counts_once(made):
    x = answers()
    (battery,) = made(names("it", 7), np.column_stack([x, 6 - x[:, 0]]).tolist()).batteries
    assert battery.left_out == (
        ("it7", "it holds the same answers as it1, so it would count twice"),
    )
    assert any("left out, since the answers are those of another item" in n for n in battery.notes)


@pytest.mark.parametrize(
    "head",
    [
        ["Si1*", "Si1", "Si2*", "Si2", "Si3", "Si4*"],
        ["a*", "b?", "c[x]", "d", "e:f", "*"],
        ['say "yes"', "it's", "back\\slash", "a=b", "#six", "€uro"],
    ],
)
def test_names_with_signs_of_patterns_mean_themselves(loaded, head):
    x = answers()
    _, survey = loaded(head, x.tolist())
    assert list(survey.items.columns) == head
    assert np.array_equal(survey.items.to_numpy(), x)


# ---------------------------------------------------------------------- sets and ranks

TICKS = np.random.default_rng(7).random((N, 6)) < 0.3
MEDIA = ["Radio", "TV", "Web", "Press", "Friends", "Other"]


@pytest.mark.parametrize(
    ("head", "yes", "no"),
    [
        (names("Q5_"), "1", "0"),
        (names("Q5_"), "1", ""),
        (names("Q5_"), "x", ""),
        (names("Q5_"), "Yes", "No"),
        (names("Q5_"), "Ja", "Nein"),
        (names("Q5_"), "TRUE", "FALSE"),
        (names("Q5_"), "Selected", "Not selected"),
        (names("Q5_"), "Checked", "Unchecked"),
        (names("Q5_"), "genannt", "nicht genannt"),
        (names("Q5_"), None, "Not selected"),
        (names("Q5_"), None, "nicht ausgewählt"),
        (names("Q5_"), None, ""),
        ([f"Q5[SQ00{j}]" for j in range(1, 7)], "Y", "N"),
        ([f"Which do you use? [{m}]" for m in MEDIA], "Yes", ""),
        ([f"pick/{m}" for m in MEDIA], "1", "0"),
        ([f"grp/pick/{m}" for m in MEDIA], "1", "0"),
        ([f"media_{m}" for m in MEDIA], "1", "0"),
        ([f"media.{m}" for m in MEDIA], "True", "False"),
        ([f"Media: {m}" for m in MEDIA], "1", "0"),
        (MEDIA, None, ""),
        (MEDIA, "x", ""),
        (MEDIA, "1", "0"),
    ],
)
def test_ticks_of_every_kind_are_one_set(loaded, head, yes, no):
    cells = [
        [(yes or MEDIA[j]) if tick else no for j, tick in enumerate(row)] for row in TICKS.tolist()
    ]
    study, survey = loaded([*names("att_"), *head], beside(answers(), cells))
    (choices,) = study.sets
    assert len(study.items) == 1
    assert study.columns == ()
    options = [v for v in survey.codebook.values() if v.block == choices.name]
    assert len(options) == 6
    share = survey.columns[[v.name for v in options]].fillna(0).to_numpy()
    assert np.array_equal(share, TICKS.astype(float))


@pytest.mark.parametrize(
    "head", [names("it_"), ["smile", "laugh", "joke", "sing", "dance", "play"]]
)
def test_answers_and_not_names_say_whether_zero_and_one_are_items(made, head):
    together = made(head, (answers() > 3).astype(int).tolist())
    assert [len(b.names) for b in together.batteries] == [6]
    assert together.sets == ()
    assert any("two answers each that go together" in u for u in together.undecided)
    apart = made(head, TICKS.astype(int).tolist())
    assert apart.batteries == ()
    assert [len(s.columns) for s in apart.sets] == [6]
    assert "No item battery was found, so people are divided by" in apart.text


def test_two_answers_amid_graded_ones_of_a_question_are_an_unused_end(made):
    x = np.minimum(answers(items=8) - 1, [1, 1, 4, 4, 4, 4, 4, 4])
    draft = made(names("a", 8), x.tolist())
    assert draft.sets == ()
    assert [b.names for b in draft.batteries] == [names("a", 8)]


def test_yes_and_no_of_questions_far_apart_are_no_set(made, tmp_path):
    rows = beside(answers(), [["Yes" if t else "No" for t in row[:3]] for row in TICKS.tolist()])
    draft = made([*names("att_"), "Q1", "Q8", "Q19"], rows)
    assert draft.sets == ()
    assert types_in(draft, tmp_path) == dict.fromkeys(("Q1", "Q8", "Q19"), "categorical")


def test_one_column_that_is_ticked_or_blank_is_not_the_same_for_everybody(made):
    rows = beside(answers(), [["I agree" if row[0] else ""] for row in TICKS.tolist()])
    draft = made([*names("att_"), "optin"], rows)
    assert "the same for everybody" not in draft.text
    assert any(u.startswith('optin: "I agree" for ') for u in draft.undecided)


@pytest.mark.parametrize("mark", [";", ", ", "|", "\n"])
def test_several_choices_in_one_cell_are_told(made, mark):
    cells = [[mark.join(m for m, t in zip(MEDIA, row, strict=True) if t)] for row in TICKS.tolist()]
    draft = made([*names("att_"), "media"], beside(answers(), cells))
    assert any(u.startswith("media: several choices in one cell") for u in draft.undecided)


def ranked(p: int, depth: int, blank: object) -> list[list[object]]:
    rng = np.random.default_rng(p + depth)
    orders = [rng.permutation(p) + 1 for _ in range(N)]
    return [[int(v) if v <= depth else blank for v in order] for order in orders]


@pytest.mark.parametrize(("p", "depth", "blank"), [(6, 3, ""), (5, 2, ""), (6, 3, 0), (6, 3, -99)])
def test_the_first_few_in_order_are_a_set_and_no_items(made, p, depth, blank):
    draft = made([*names("att_"), *names("Q9_", p)], beside(answers(), ranked(p, depth, blank)))
    assert [b.names for b in draft.batteries] == [names("att_")]
    (choices,) = draft.sets
    assert choices.selected == tuple(str(i) for i in range(1, depth + 1))
    assert any(f"put {depth} of these {p} into an order" in u for u in draft.undecided)


def test_a_whole_order_is_no_battery_and_says_so(made, tmp_path):
    draft = made([*names("att_"), *names("Q9_", 5)], beside(answers(), ranked(5, 5, "")))
    assert [b.names for b in draft.batteries] == [names("att_")]
    assert types_in(draft, tmp_path) == dict.fromkeys(names("Q9_", 5), "numeric")
    assert any("Q9_1: this and the columns to Q9_5 hold ranks" in u for u in draft.undecided)


def test_ratings_are_no_ranks():
    assert rank_depth(answers(items=5).astype(float)) == 0
    assert rank_depth(np.array(ranked(5, 5, np.nan), dtype=float)) == 5
    assert rank_depth(np.array(ranked(6, 2, np.nan), dtype=float)) == 2


# ---------------------------------------------------------------------- times and paradata


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (names("time_"), "looks like the time"),
        (names("rt_"), "looks like the time"),
        ([f"Q{j}_time" for j in range(1, 7)], "looks like the time"),
        ([f"groupTime{j}" for j in range(1, 7)], "looks like the time"),
        ([f"att_{j}_E" for j in range(1, 7)], "looks like the time"),
        ([f"Q{j}_Click Count" for j in range(1, 7)], "looks like the time or the clicks"),
    ],
)
def test_times_of_items_describe_nobody(made, tmp_path, head, why):
    times = np.random.default_rng(3).integers(11, 20_000, (N, 6))
    draft = made([*names("att_"), *head], beside(answers(), times.tolist()))
    assert [b.names for b in draft.batteries] == [names("att_")]
    assert types_in(draft, tmp_path) == {}
    assert any(u.startswith(f"{', '.join(head)}: {why}") for u in draft.undecided)


def test_ratings_named_time_stay_items(made):
    draft = made(names("time_"), answers().tolist())
    assert draft.batteries[0].names == names("time_")


@pytest.mark.parametrize("stem", ["pos_", "order_"])
def test_places_of_items_describe_nobody(made, tmp_path, stem):
    draft = made([*names("att_"), *names(stem)], beside(answers(), ranked(6, 6, "")))
    assert types_in(draft, tmp_path) == {}
    assert "the place at which an item was shown" in draft.text


@pytest.mark.parametrize("name", ["Time taken", "Interview time", "duration"])
def test_hours_minutes_and_seconds_are_a_duration(loaded, name):
    clock = [[f"0:{5 + i % 40:02d}:{i % 60:02d}"] for i in range(N)]
    study, survey = loaded([*names("att_"), name], beside(answers(), clock))
    assert study.quality.duration == (name,)
    seconds = survey.quality.set_index("respondent")["seconds"]
    assert seconds.iloc[:3].tolist() == [300.0, 361.0, 422.0]


def looked(tmp_path: Path, name: str, cells: Sequence[str]) -> Looked:
    path = write_csv(tmp_path / "c.csv", [[name, "other"], *([c, "1"] for c in cells)])
    return look_at_columns(read_table(DataFile(file=path.name), tmp_path))[0]


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("time_taken", [f"00:0{i % 9}:11" for i in range(60)], "duration"),
        ("started", [f"{8 + i % 12:02d}:0{i % 9}:11" for i in range(60)], "date"),
        ("ip", [f"2001:db8::{i}:1:2" for i in range(60)], "personal"),
        ("brands", ["1,4", "2", "1,3,4", "3"] * 15, "list"),
        ("key", [f"{i:030x}a1" for i in range(30)] * 2, "token"),
        ("lastpage", ["7", "9", "11", "3"] * 15, "technical"),
        ("q", ["1", "2", "3", "."] * 15, "numeric"),
        ("kids", ["0", "1", "2", "3 or more"] * 15, "categories"),
    ],
)
def test_a_column_is_told_by_its_answers(tmp_path, name, cells, kind):
    assert looked(tmp_path, name, cells).kind == kind


def test_marks_are_told_from_grades():
    assert [t for t in ("-", ".", "?", "#N/A", "NULL", "+", "++", "None", "x") if is_mark(t)] == [
        "-", ".", "?", "#N/A", "NULL",
    ]  # fmt: skip
    assert is_no_number("None")
    assert not is_no_number("5 or more")


# ---------------------------------------------------------------------- the draft as a whole


def test_a_survey_of_categories_alone_is_drafted_and_loads(loaded):
    rng = np.random.default_rng(1)
    kinds = (["red", "blue"], ["petrol", "diesel", "none"], ["flat", "house"], ["web", "shop"])
    rows = [[*(k[rng.integers(len(k))] for k in kinds), rng.integers(18, 70)] for _ in range(N)]
    study, survey = loaded(["shirt", "car", "home", "channel", "age"], rows)
    assert study.items == ()
    active = [v.name for v in survey.codebook.values() if v.role == "active"]
    assert active == ["shirt", "car", "home", "channel"]


def test_the_draft_carries_examples_of_names_actions_and_template(made, tmp_path):
    text = made(names("mo_"), answers().tolist()).text
    for line in ("# [segments.names]", "# [[actions]]", "# template =", "# [scales.names]"):
        assert f"\n{line}" in text
    # Without their # the examples are a study file that is understood.
    examples = text.split("# [segments.names]")[1]
    shown = "\n".join(
        line.removeprefix("# ")
        for line in f"[segments.names]{examples}".splitlines()
        if line.startswith(("[segments", "# 1 =", "# [[actions", "# name =", "# wants ="))
    )
    path = tmp_path / "examples.toml"
    head = '[data]\nfile = "s.csv"\n[[items]]\ncolumns = ["mo_1:mo_6"]\nrange = [1, 5]\n'
    path.write_text(head + shown, encoding="utf-8")
    assert load_study(path).actions[0].wants == {"name of a scale": "high"}


def test_nothing_depends_on_the_order_of_the_rows(made):
    rows = with_cells(answers(), {(17, 2): "#N/A", (40, 3): 6, (3, 0): ".", (90, 1): "five"})
    head = names("mo_")
    first = made(head, rows).text
    order = np.random.default_rng(3).permutation(N)
    assert made(head, [rows[i] for i in order]).text == first
