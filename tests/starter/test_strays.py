"""Files that are no survey with scales: one clear sentence each; and nothing is written over."""

import numpy as np
import pytest

from psychoseg.errors import DataError, PsychosegError, StudyError
from psychoseg.starter import draft_study, write_study
from psychoseg.starter.draft import write_draft
from psychoseg.study import load_study
from psychoseg.survey import load_survey
from tests.starter.made import AGREE, battery_rows, ratings, write_csv

N = 90


def why_not(path) -> str:
    with pytest.raises(DataError) as caught:
        write_study(path)
    assert not (path.parent / "study.toml").exists()
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_no_battery(tmp_path):
    rng = np.random.default_rng(1)
    rows = [
        ["age", "city", "spend"],
        *([int(rng.integers(18, 80)), "AB"[i % 2], i * 1.7] for i in range(N)),
    ]
    why = why_not(write_csv(tmp_path / "a.csv", rows))
    assert "none of its 3 columns share an answer scale" in why
    assert "No column looks like a question answered in grades. Export the rating" in why


def test_no_battery_names_the_columns_that_look_like_answers(tmp_path):
    rng = np.random.default_rng(1)
    x = ratings(N, items=2, steps=7)
    rows = [
        ["taste", "spend", "price", "gap", "design"],
        *([x[i, 0], i * 1.7, x[i, 1], i * 0.3, rng.integers(0, 11)] for i in range(N)),
    ]
    why = why_not(write_csv(tmp_path / "a.csv", rows))
    assert "look like graded answers: taste (1 to 7), price (1 to 7), design (0 to 10)." in why
    assert 'write a study.toml with [data] file = "a.csv", and under [[items]] columns' in why
    two = why_not(write_csv(tmp_path / "b.csv", [row[:4] for row in rows]))
    assert "look like graded answers: taste (1 to 7), price (1 to 7). At least 3" in two


def test_one_column(tmp_path):
    rows = [["answer"], *([1 + i % 5] for i in range(N))]
    assert "one column only" in why_not(write_csv(tmp_path / "a.csv", rows))


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert "is empty" in why_not(path)


def test_a_header_and_nothing_below(tmp_path):
    assert "no answers below it" in why_not(write_csv(tmp_path / "a.csv", [["a", "b", "c"]]))


def test_all_text(tmp_path):
    words = ["I like it", "we came by train", "nothing to add here", "ask me again later"]
    rows = [["q1", "q2"], *([f"{words[i % 4]} {i}", f"{words[i % 3]} or {i}"] for i in range(N))]
    assert "open text" in why_not(write_csv(tmp_path / "a.csv", rows))


def test_five_rows(tmp_path):
    assert "holds 5 respondents" in why_not(write_csv(tmp_path / "a.csv", battery_rows(5)))


@pytest.mark.parametrize("in_words", [False, True])
def test_repeated_column_names_get_numbers_and_are_told(tmp_path, in_words):
    head, *rows = battery_rows(N)
    head[2] = head[1]
    if in_words:
        rows = [[r[0], *(AGREE[v - 1] for v in r[1:7]), *r[7:]] for r in rows]
    path, draft = write_draft(write_csv(tmp_path / "a.csv", [head, *rows]))
    assert any(f"repeats the column names '{head[1]}'" in said for said in draft.undecided)
    study = load_study(path)
    assert study.data.repeated_names == "number"
    assert f"{head[1]}_2" in load_survey(study).codebook


def test_a_row_of_answers_is_no_header_whose_names_repeat(tmp_path):
    _, *rows = battery_rows(N)
    assert "repeats the names" in why_not(write_csv(tmp_path / "a.csv", rows))


def test_no_such_file_and_no_such_format(tmp_path):
    with pytest.raises(PsychosegError, match="does not exist"):
        draft_study(tmp_path / "none.csv")
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(PsychosegError, match="cannot be read"):
        draft_study(tmp_path / "a.docx")


def test_a_study_file_is_never_written_over(tmp_path):
    path = write_csv(tmp_path / "survey.csv", battery_rows(N))
    written = write_study(path)
    written.write_text(written.read_text() + "# mine\n")
    with pytest.raises(StudyError, match="is there already and is not written over"):
        write_study(path)
    assert written.read_text().endswith("# mine\n")


def test_reverse_keyed_items_are_recovered(tmp_path):
    for reverse in ([2], [0, 5], [1, 3, 4]):
        x = ratings(400, items=8, reverse=reverse, seed=9)
        head = [f"it_{j}" for j in range(8)]
        path = write_csv(tmp_path / "r.csv", [head, *x.tolist()])
        assert draft_study(path).batteries[0].reverse == tuple(f"it_{j}" for j in reverse)


def test_no_item_is_reversed_where_none_is(tmp_path):
    x = np.hstack([ratings(400, items=5, seed=1), ratings(400, items=5, seed=2)])
    path = write_csv(tmp_path / "s.csv", [[f"it_{j}" for j in range(10)], *x.tolist()])
    assert draft_study(path).batteries[0].reverse == ()


@pytest.mark.parametrize("code", [-1, 0, 9, 99])
def test_codes_outside_the_scale_are_no_answer(tmp_path, code):
    head, *rows = battery_rows(300)
    rng = np.random.default_rng(6)
    for row in rows:
        for j in range(1, 7):
            row[j] = code if rng.random() < 0.015 else row[j]
    path = write_csv(tmp_path / "m.csv", [head, *rows])
    study = load_study(write_study(path))
    assert study.items[0].missing == (code,)
    assert study.items[0].range == (1, 5)


def test_a_zero_that_is_an_answer_stays_one(tmp_path):
    x = ratings(300, items=6) - 1
    path = write_csv(tmp_path / "z.csv", [[f"it_{j}" for j in range(6)], *x.tolist()])
    assert draft_study(path).batteries[0].scale.missing == ()
    assert draft_study(path).batteries[0].scale.low == 0


def test_a_constant_item_is_left_out_and_said_so(tmp_path):
    head, *rows = battery_rows(N)
    for row in rows:
        row[3] = 4
    path = write_csv(tmp_path / "c.csv", [head, *rows])
    study = load_study(write_study(path))
    assert study.items[0].columns == ("att_1", "att_2", "att_4:att_6")
    assert "the same for everybody: att_3" in draft_study(path).text


def test_sensitive_columns_are_marked(tmp_path):
    head, *rows = battery_rows(N)
    rows = [[*r, ["Catholic", "Protestant", "None"][i % 3]] for i, r in enumerate(rows)]
    path = write_csv(tmp_path / "s.csv", [[*head, "religion"], *rows])
    study = load_study(write_study(path))
    assert {c.name: c.sensitive for c in study.columns}["religion"] is True
    assert {c.name: c.sensitive for c in study.columns}["gender"] is None


def test_what_could_not_be_decided_is_marked_and_listed(tmp_path):
    head, *rows = battery_rows(N)
    rows = [[*r, 1 + i % 2] for i, r in enumerate(rows)]
    draft = draft_study(write_csv(tmp_path / "u.csv", [[*head, "smoker"], *rows]))
    assert any("smoker: what do the codes mean?" in line for line in draft.undecided)
    assert draft.text.count("# ??") == len(draft.undecided)


def test_what_is_undecided_is_told_to_the_end_of_its_sentence(tmp_path):
    head, *rows = battery_rows(N, reverse=[4])
    rows = [row[1:] for row in rows]
    draft = draft_study(write_csv(tmp_path / "u.csv", [head[1:], *rows]))
    assert [u for u in draft.undecided if not u.endswith((".", "?", "!", "}", '"'))] == []
    wanted = (
        'No column with an id was found. Where there is one, write id = "its name"; without it '
        "respondents are counted from 1."
    )
    assert wanted in draft.undecided
    assert any(u.endswith("by themselves, so nothing breaks.") for u in draft.undecided)


def test_what_is_undecided_holds_nothing_of_the_comment_below(tmp_path):
    head, *rows = battery_rows(400)
    rows = [[*r, f"town {i % 40}", 1] for i, r in enumerate(rows)]
    draft = draft_study(write_csv(tmp_path / "u.csv", [[*head, "branch", "wave"], *rows]))
    assert "the same for everybody: wave" in draft.text
    assert draft.undecided[-1].startswith("branch: 40 different answers")
    assert "wave" not in draft.undecided[-1]


@pytest.mark.parametrize("name", ["idhous", "house_no", "hh_id", "storeid"])
def test_numbers_of_households_do_not_describe_people(tmp_path, name):
    head, *rows = battery_rows(200)
    rows = [[*r, 1000 + 37 * (i // 2)] for i, r in enumerate(rows)]
    path = write_csv(tmp_path / "h.csv", [[*head, name], *rows])
    draft = draft_study(path)
    assert name not in {c.name for c in load_study(write_study(path)).columns}
    assert any(u.startswith(f"{name}: named like a number") for u in draft.undecided)


def test_items_in_a_guessed_order_say_so(tmp_path):
    ago = ["Today", "2 days ago", "A week ago", "A month ago", "Never"]
    x = ratings(N, items=4)
    rows = [[ago[v - 1] for v in row] for row in x]
    path = write_csv(tmp_path / "g.csv", [[f"last_{j}" for j in range(4)], *rows])
    draft = draft_study(path)
    assert load_study(write_study(path)).items[0].codes == tuple(ago)
    assert "Check: the order of the answers is a guess (how long ago)." in draft.undecided
    rows = [[AGREE[v - 1] for v in row] for row in x]
    path = write_csv(tmp_path / "k.csv", [[f"it_{j}" for j in range(4)], *rows])
    assert not any("is a guess (" in u for u in draft_study(path).undecided)


def test_few_numbers_named_like_ids_stay_answers(tmp_path):
    head, *rows = battery_rows(200)
    rows = [[*r, i % 6] for i, r in enumerate(rows)]
    study = load_study(write_study(write_csv(tmp_path / "h.csv", [[*head, "kid"], *rows])))
    assert "kid" in {c.name for c in study.columns}


@pytest.mark.parametrize(
    ("first", "second", "factor"),
    [("weight", "grossed", 812.5), ("wp01ab", "wp01ac", None), ("weight", "pop_weight", None)],
)
def test_a_second_weight_does_not_describe_people(tmp_path, first, second, factor):
    head, *rows = battery_rows(200)
    w = np.round(np.random.default_rng(3).uniform(0.4, 1.8, 200), 4)
    other = np.random.default_rng(4).uniform(400.5, 1800.5, 200) if factor is None else w * factor
    rows = [[*r, w[i], other[i]] for i, r in enumerate(rows)]
    path = write_csv(tmp_path / "w.csv", [[*head, first, second], *rows])
    draft = draft_study(path)
    study = load_study(write_study(path))
    assert study.weights is not None
    assert study.weights.column == first
    assert second not in {c.name for c in study.columns}
    assert any(u.startswith(f"{second}: looks like a survey weight") for u in draft.undecided)


def test_a_body_weight_with_decimals_stays_an_answer(tmp_path):
    head, *rows = battery_rows(N)
    rows = [[*r, 50.5 + (7 * i) % 45] for i, r in enumerate(rows)]
    study = load_study(write_study(write_csv(tmp_path / "w.csv", [[*head, "weight"], *rows])))
    assert "weight" in {c.name for c in study.columns}


@pytest.mark.parametrize("rate", [1.0, 30.0])
def test_open_counts_are_amounts_and_no_battery(tmp_path, rate):
    rng = np.random.default_rng(8)
    n = 600
    head, *rows = battery_rows(n)
    counts = np.floor(rng.exponential(rate, (n, 4)) * np.array([0.8, 1.0, 1.2, 1.5])).astype(int)
    counts = np.minimum(counts, np.array([7, 8, 9, 10]) if rate < 2 else 380)
    rows = [[*r, *counts[i].tolist()] for i, r in enumerate(rows)]
    names = [f"n_{brand}" for brand in (1, 2, 3, 4)]
    path = write_csv(tmp_path / "c.csv", [[*head, *names], *rows])
    draft = draft_study(path)
    study = load_study(write_study(path))
    assert [b.names[0] for b in draft.batteries] == ["att_1"]
    assert [c.type for c in study.columns if c.name in names] == ["numeric"] * 4
    asked = [u for u in draft.undecided if "look like counts" in u]
    assert len(asked) == 1
    assert asked[0].startswith("n_1: this and the columns to n_4 look like counts")


def test_skewed_ratings_with_one_end_stay_a_battery(tmp_path):
    x = np.minimum(np.random.default_rng(8).geometric(0.55, (400, 5)), 7)
    path = write_csv(tmp_path / "s.csv", [[f"it_{j}" for j in range(5)], *x.tolist()])
    assert len(draft_study(path).batteries[0].columns) == 5


def test_numbers_that_nothing_explains_are_asked_about(tmp_path):
    question = "do the numbers run from less to more?"
    bare = draft_study(write_csv(tmp_path / "b.csv", battery_rows(N)))
    assert sum(question in u for u in bare.undecided) == 1
    head, *rows = battery_rows(N)
    head[1:7] = ["Opera", "Jazz", "Folk", "Rock", "Metal", "Swing"]
    named = draft_study(write_csv(tmp_path / "n.csv", [head, *rows]))
    assert len(named.batteries[0].columns) == 6
    assert sum(question in u for u in named.undecided) == 0


def test_the_body_weight_is_no_survey_weight(tmp_path):
    head, *rows = battery_rows(N)
    rows = [[*r, 50 + (7 * i) % 45] for i, r in enumerate(rows)]
    study = load_study(write_study(write_csv(tmp_path / "w.csv", [[*head, "weight"], *rows])))
    assert study.weights is None
    assert "weight" in {c.name for c in study.columns}


def test_interrupted_names_of_one_question_are_one_battery(tmp_path):
    x = ratings(N, items=6)
    head = ["Q7_1", "Q7_2", "age", "Q7_3", "Q7_4", "Q7_5", "Q7_6"]
    rows = [[*x[i][:2].tolist(), 20 + i % 50, *x[i][2:].tolist()] for i in range(N)]
    study = load_study(write_study(write_csv(tmp_path / "i.csv", [head, *rows])))
    assert study.items[0].columns == ("Q7_1", "Q7_2", "Q7_3:Q7_6")


def test_yes_and_no_with_stray_codes_are_no_graded_battery(tmp_path):
    rng = np.random.default_rng(3)
    head, *rows = battery_rows(300)
    ticks = rng.choice([1, 2, 3, 5], p=[0.5, 0.46, 0.02, 0.02], size=(300, 5))
    rows = [[*row, *codes] for row, codes in zip(rows, ticks.tolist(), strict=True)]
    head = [*head, *(f"Q8{letter}" for letter in "abcde")]
    path, draft = write_draft(write_csv(tmp_path / "a.csv", [head, *rows]))
    items = load_survey(load_study(path)).items.columns
    assert not [name for name in items if name.startswith("Q8")]
    assert any("two codes, such as yes and no" in said for said in draft.undecided)


def test_a_scale_that_most_people_are_low_on_is_graded(tmp_path):
    rng = np.random.default_rng(3)
    low = rng.choice([1, 2, 3, 4, 5], p=[0.72, 0.18, 0.06, 0.03, 0.01], size=(300, 5))
    head = ["id", *(f"fear_{j}" for j in range(5))]
    rows = [[f"r{i}", *row] for i, row in enumerate(low.tolist())]
    path, _ = write_draft(write_csv(tmp_path / "a.csv", [head, *rows]))
    assert load_survey(load_study(path)).items.shape[1] == 5
