"""Who is left out, who counts how much, and what cannot be analysed."""

import numpy as np
import pytest

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.survey import Survey, load_survey
from psychoseg.survey.ledger import Ledger


def load(make_study, text: str, more: str = "", battery: str = "", pattern: str = "q*") -> Survey:
    toml = f"""
[data]
file = "a.csv"
id = "id"
[[items]]
columns = ["{pattern}"]
{battery}
{more}
"""
    return load_survey(make_study(toml, a__csv=text))


def test_too_few_answers_exclude_with_numbers(make_study) -> None:
    text = "id,q1,q2,q3,q4\na,1,2,3,4\nb,1,,,\nc,2,1,,\nd,,,,\ne,5,4,3,1\nf,2,2,1,5\n"
    survey = load(make_study, text)
    assert survey.ids.tolist() == ["a", "c", "e", "f"]
    assert survey.n_read == 6
    assert survey.ledger.to_numpy().tolist() == [
        ["b", "a.csv", 3, "clean", "excluded", "answered 1 of 4 items (at least 2 are needed)"],
        ["d", "a.csv", 5, "clean", "excluded", "answered 0 of 4 items (at least 2 are needed)"],
    ]


def test_the_share_answered_is_met_exactly_in_spite_of_rounding(make_study) -> None:
    # 0.28 * 25 is 7.000000000000001 in floating point; 7 answers must do.
    header = "id," + ",".join(f"q{i}" for i in range(25))
    full = [f"{i}," + ",".join(str((i + j) % 5) for j in range(25)) for i in range(30)]
    text = "\n".join([header, *full, "x" + ",1" * 7 + "," * 18, "y" + ",1" * 6 + "," * 19]) + "\n"
    survey = load(make_study, text, "[clean]\nmin_answered = 0.28")
    assert "x" in set(survey.ids)
    assert "y" not in set(survey.ids)


def straight(items: int) -> str:
    header = "id," + ",".join(f"q{i}" for i in range(items))
    rows = [f"{i}," + ",".join(str((i * j) % 7) for j in range(1, items + 1)) for i in range(1, 20)]
    flat = "flat," + ",".join(["3"] * items)
    short = "short," + ",".join(["3"] * 9 + [""] * (items - 9))
    enough = "enough," + ",".join(["4"] * 10 + [""] * (items - 10))
    return (
        "\n".join(
            [header, *[r for r in rows if len(set(r.split(",")[1:])) > 1], flat, short, enough]
        )
        + "\n"
    )


def test_straight_liners_go_only_where_the_study_says_so(make_study) -> None:
    kept = load(make_study, straight(12))
    survey = load(
        make_study,
        straight(12),
        '[clean]\nstraight_liners = "exclude"',
        'reverse = ["q3"]\nrange = [0, 6]',
    )
    assert set(kept.ids) - set(survey.ids) == {"flat", "enough"}
    assert survey.ledger["reason"].tolist() == [
        "gave the answer 3 to all 12 items answered",
        "gave the answer 4 to all 10 items answered",
    ]


def test_too_few_items_to_tell_straight_liners_are_told(make_study) -> None:
    text = "id,q1,q2\na,1,1\nb,2,3\nc,3,1\n"
    with pytest.warns(PsychosegWarning, match=r"cannot be told among 2 items; 10 are needed"):
        assert load(make_study, text, '[clean]\nstraight_liners = "exclude"').n == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,q1,q2\na,1,2\nb,1,3\nc,1,1\n",
            r"an item has the same answer from everybody: q1 \(always 1\)",
        ),
        (
            "id,q1,q2\na,,2\nb,,3\nc,,1\n",
            r"item 'q1' has no answers among the 3 respondents.*take it out",
        ),
        (
            "id,q1,q2\na,,\nb,,\nc,,\n",
            r"all answers are missing: none of the 2 items has one.*Check missing",
        ),
        ("id,q1,q2\na,1,2\n", r"the same answer"),
        (
            "id,q1,q2,q3\na,1,2,1\nb,2,3,2\n",
            r"2 respondents are kept, fewer than the 3 items\. Use fewer",
        ),
    ],
)
def test_answers_that_cannot_be_analysed_are_an_error(make_study, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(make_study, text)


def test_an_item_that_cleaning_makes_constant_is_an_error(make_study) -> None:
    text = "id,q1,q2,q3\na,1,2,1\nb,1,3,3\nc,1,1,2\nd,5,,\n"
    with pytest.raises(DataError, match=r"q1 \(always 1\)"):
        load(make_study, text)


def test_nobody_left_says_at_which_stage(make_study) -> None:
    text = "id,q1,q2\na,1,\nb,2,\nc,,1\nd,,3\n"
    with pytest.raises(
        DataError, match=r"no respondent is left \(4 were excluded: 4 at stage clean\)"
    ):
        load(make_study, text, "[clean]\nmin_answered = 1")


WEIGHTED = "id,q1,q2,w\na,1,2,1\nb,2,3,3\nc,3,1,\nd,4,2,0\ne,5,1,2\n"


def test_weights_are_rescaled_and_who_has_none_is_excluded(make_study) -> None:
    survey = load(make_study, WEIGHTED, '[weights]\ncolumn = "w"')
    assert survey.ids.tolist() == ["a", "b", "e"]
    np.testing.assert_allclose(survey.weights, [0.5, 1.5, 1.0], rtol=1e-15)
    assert survey.weight_kind == "sampling"
    assert survey.ledger[["respondent", "stage", "reason"]].to_numpy().tolist() == [
        ["c", "weights", "no weight in w"],
        ["d", "weights", "a weight of zero in w counts nobody"],
    ]
    assert survey.codebook["w"].role == "weight"


def test_frequency_weights_are_as_given(make_study) -> None:
    survey = load(make_study, WEIGHTED, '[weights]\ncolumn = "w"\nkind = "frequency"')
    assert survey.weights.tolist() == [1.0, 3.0, 2.0]
    assert survey.n_effective == 6.0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("-1", r"weight w is negative: '-1' \(row 7\)\. Correct the weights"),
        ("1e999", r"weight w holds what is no finite number: '1e999' \(row 7\)"),
        ("inf", r"weight w holds what is no finite number: 'inf' \(row 7\)"),
        ("heavy", r"weight w holds what is no finite number: 'heavy' \(row 7\)"),
    ],
)
def test_weights_that_are_none_are_an_error_with_rows(make_study, bad: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(make_study, WEIGHTED + f"f,1,1,{bad}\n", '[weights]\ncolumn = "w"')


def test_the_weight_may_come_from_a_merged_file(make_study) -> None:
    toml = """
[data]
file = "a.csv"
id = "id"
[[merge]]
file = "b.csv"
id = "id"
[[items]]
columns = ["q*"]
[weights]
column = "w"
"""
    study = make_study(toml, a__csv="id,q1\na,1\nb,2\n", b__csv="id,w\nb,3\na,1\n")
    assert load_survey(study).weights.tolist() == [0.5, 1.5]


def test_without_id_and_weight_rows_are_numbered_and_count_one(make_study) -> None:
    toml = '[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q*"]\n'
    survey = load_survey(make_study(toml, a__csv="q1,q2\n1,2\n\n,\n2,1\n3,3\n"))
    assert survey.ids.tolist() == ["1", "3", "4"]
    assert survey.ledger[["respondent", "row"]].to_numpy().tolist() == [["2", 4]]
    assert survey.weights.tolist() == [1.0, 1.0, 1.0]
    assert survey.weight_kind == "none"


def test_respondents_read_are_those_kept_and_excluded_for_any_mix_of_reasons(make_study) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 9, size=(200, 6)).astype(object)
    values[rng.random(values.shape) < 0.3] = ""
    rows = "\n".join(f"{i}," + ",".join(map(str, row)) for i, row in enumerate(values))
    survey = load(
        make_study,
        f"id,q1,q2,q3,q4,q5,w\n{rows}\n",
        '[weights]\ncolumn = "w"',
        'range = [0, 7]\nout_of_range = "exclude"',
    )
    excluded = survey.ledger[survey.ledger["effect"] == "excluded"]
    assert survey.n_read == 200 == survey.n + len(excluded)
    assert excluded["respondent"].is_unique
    assert set(excluded["stage"]) == {"range", "clean", "weights"}
    assert not set(excluded["respondent"]) & set(survey.ids)


def test_who_is_out_keeps_the_first_reason() -> None:
    ledger = Ledger(["a", "b"], "a.csv", np.array([2, 3]))
    ledger.exclude(np.array([1]), "merge", ["first"])
    ledger.exclude(np.array([0, 1]), "clean", ["third", "second"])
    assert ledger.table()["reason"].tolist() == ["first", "third"]
    assert not ledger.kept.any()


def test_a_ledger_that_does_not_add_up_is_a_fault_of_the_program() -> None:
    ledger = Ledger(["a", "b"], "a.csv", np.array([2, 3]))
    ledger.kept[0] = False
    with pytest.raises(RuntimeError, match="2 respondents read, but 1 kept and 0 excluded"):
        ledger.table()


def test_nothing_is_written(make_study, tmp_path) -> None:
    study_files = {"a.csv", "study.toml"}
    load(make_study, WEIGHTED)
    assert {p.name for p in tmp_path.iterdir()} == study_files
