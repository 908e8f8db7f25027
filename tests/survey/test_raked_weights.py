"""Margins and trimming in the study file: raked weights, their cost, and who cannot be raked."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.survey import Survey, load_survey

REFERENCE = Path(__file__).parents[1] / "reference" / "raking_pew.csv"
VARIABLES = ["sex", "recage", "receduc"]


@pytest.fixture(scope="module")
def pew(shared_data) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = shared_data / "04_values_social"
    survey = pd.read_csv(folder / "pew_dec13_excerpt.csv", dtype=str, keep_default_na=False)
    # The file has no scales of items; these stand in for them.
    rng = np.random.default_rng(1)
    for name in ("q101", "q102", "q103"):
        survey[name] = rng.integers(1, 6, len(survey))
    return survey, pd.read_csv(folder / "pew_acs_2017_targets.csv")


def pew_study(make_study, pew, weights: str, data: pd.DataFrame | None = None) -> Survey:
    survey, acs = pew
    margins = ""
    for name in VARIABLES:
        targets = acs.groupby(name)["weight"].sum()
        table = ", ".join(f'"{k}" = {float(v)!r}' for k, v in targets.items())
        margins += f'[[weights.margins]]\ncolumn = "{name}"\ntargets = {{ {table} }}\n'
    toml = (
        '[data]\nfile = "a.csv"\nid = "psraid"\n'
        '[[items]]\ncolumns = ["q101:q103"]\nrange = [1, 5]\n'
        f'[weights]\nunmatched = "exclude"\n{weights}\n{margins}'
    )
    frame = survey if data is None else data
    return load_survey(make_study(toml, a__csv=frame.to_csv(index=False)))


@pytest.mark.parametrize(
    ("column", "weights"), [("three", ""), ("weighted", 'column = "weight"')], ids=["ones", "given"]
)
def test_raked_weights_of_a_study_equal_those_of_r_survey(
    make_study, pew, column: str, weights: str
) -> None:
    found = pew_study(make_study, pew, weights)
    rows = pew[0].set_index("psraid").loc[found.ids]
    start = rows["weight"].astype(float) if weights else pd.Series(1.0, rows.index)
    ratio = pd.Series(found.weights, rows.index) / (start / start.mean())
    cells = ratio.groupby([rows[v] for v in VARIABLES]).mean()
    # survey 4.1.1, rake() to 1e-9 people (reference/make_raking_reference.R); the raking here ends
    # where no share is further than 1e-9 from its target, a factor of 1e-7 in the smallest cell.
    with REFERENCE.open(encoding="utf-8") as file:
        expected = {tuple(r[v] for v in VARIABLES): float(r[column]) for r in csv.DictReader(file)}
    assert len(cells) == len(expected)
    for cell, value in cells.items():
        assert value == pytest.approx(expected[cell], abs=1e-7)
    assert found.weight_kind == "sampling"
    assert found.weights.mean() == pytest.approx(1, rel=1e-14)


def test_who_has_no_category_is_in_the_ledger_and_the_margins_are_met(make_study, pew) -> None:
    found = pew_study(make_study, pew, "")
    assert found.n_read == len(pew[0]) == found.n + len(found.ledger)
    assert set(found.ledger["stage"]) == {"weights"}
    reasons = found.ledger["reason"].value_counts().to_dict()
    absent = {name: int((~pew[0][name].isin(pew[1][name])).sum()) for name in VARIABLES}
    assert sum(reasons.values()) <= sum(absent.values())
    assert all("no answer to" in r or "has no target" in r for r in reasons)
    margins = found.margins
    np.testing.assert_allclose(margins["weighted_share"], margins["target_share"], atol=1e-8)
    assert margins.groupby("column")["n"].sum().eq(found.n).all()
    sex = margins[margins["column"] == "sex"].set_index("category")
    share = (pew[0].set_index("psraid").loc[found.ids, "sex"] == "Male").mean()
    assert sex.loc["Male", "unweighted_share"] == pytest.approx(share, rel=1e-14)
    values = found.weighting.set_index("measure")["value"]
    w = found.weights
    assert values["effective"] == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-12)
    assert values["effective"] == pytest.approx(found.n_effective, rel=1e-12)
    assert values["efficiency"] == pytest.approx(values["effective"] / found.n, rel=1e-12)
    assert values["design_effect"] == pytest.approx(1 / values["efficiency"], rel=1e-12)
    assert values[["lowest", "highest"]].tolist() == pytest.approx([w.min(), w.max()], rel=1e-12)


def test_the_order_of_the_rows_does_not_change_a_digit(make_study, pew) -> None:
    once = pew_study(make_study, pew, 'column = "weight"\ntrim = [0.5, 2]')
    mixed = pew[0].sample(frac=1, random_state=4)
    again = pew_study(make_study, pew, 'column = "weight"\ntrim = [0.5, 2]', mixed)
    a = pd.Series(once.weights, once.ids)
    b = pd.Series(again.weights, again.ids).loc[a.index]
    np.testing.assert_array_equal(a, b)
    pd.testing.assert_frame_equal(once.weighting, again.weighting, check_exact=True)
    pd.testing.assert_frame_equal(once.margins, again.margins, check_exact=True)


def small(make_study, weights: str, more: str = "", rows: int = 40, **columns: list[str]) -> Survey:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.integers(1, 6, (rows, 3)), columns=["q1", "q2", "q3"])
    for name, values in columns.items():
        frame[name] = (values * rows)[:rows]
    toml = f'[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q*"]\nrange = [1, 5]\n{weights}\n{more}'
    return load_survey(make_study(toml, a__csv=frame.to_csv(index=False)))


GENDER = '[[weights.margins]]\ncolumn = "g"\ntargets = { Female = 50, Male = 50 }\n'


def test_targets_meet_codes_and_labels_of_a_column(make_study) -> None:
    column = '[[columns]]\nname = "g"\ntype = "categorical"\nlabels = { 1 = "Female", 2 = "Male" }'
    for targets in ("{ Female = 60, Male = 40 }", "{ 2 = 0.4, 1 = 0.6 }"):
        weights = f'[weights]\nmargins = [{{ column = "g", targets = {targets} }}]'
        survey = small(make_study, weights, column, g=["1", "2", "2", "2"])
        female = (survey.columns["g"] == "Female").to_numpy()
        np.testing.assert_allclose(survey.weights, np.where(female, 0.6 / 0.25, 0.4 / 0.75))
    alone = '[weights]\nmargins = [{ column = "g", targets = { 2 = 0.4, 1 = 0.6 } }]'
    same = small(make_study, alone, g=["1", "2", "2", "2"])
    np.testing.assert_allclose(same.weights, survey.weights)
    assert list(same.columns) == []


def test_given_weights_are_trimmed_and_the_number_at_a_bound_is_told(make_study) -> None:
    weights = '[weights]\ncolumn = "w"\ntrim = [0.5, 3]'
    survey = small(make_study, weights, w=["1", "1", "1", "0.01", "20", "1", "1", "1", "1", "1"])
    assert survey.weights.mean() == pytest.approx(1, rel=1e-12)
    assert survey.weights.max() == pytest.approx(3, rel=1e-9)
    assert survey.weights.min() == pytest.approx(0.5, rel=1e-9)
    values = survey.weighting.set_index("measure")["value"]
    # The ones are scaled to what the ends leave: (10 - 3 - .5) / 8 = .8125.
    assert values["n_bounded"] == 8
    assert sorted(set(survey.weights.round(9))) == [0.5, 0.8125, 3]


def test_bounds_that_leave_no_room_are_told_with_the_share_reached(make_study) -> None:
    weights = f"[weights]\ntrim = [0.8, 1.2]\n{GENDER}"
    message = r"do not meet their margins exactly: g '\w+' comes to .*% where 50\.00% is wanted"
    with pytest.warns(PsychosegWarning, match=message):
        survey = small(make_study, weights, g=["Female", "Male", "Male", "Male", "Male"])
    assert survey.margins["weighted_share"].iloc[0] < 0.4
    assert survey.weighting.set_index("measure")["value"]["n_bounded"] > 0


def test_margins_that_contradict_each_other_are_refused(make_study) -> None:
    # All women are young and all men old, so that 50 : 50 and 80 : 20 cannot both be.
    age = '[[weights.margins]]\ncolumn = "a"\ntargets = { young = 80, old = 20 }'
    weights = f"[weights]\n{GENDER}{age}"
    message = r"the margins 'g' and 'a' contradict each other in this sample: .* comes to"
    with pytest.raises(DataError, match=message):
        small(make_study, weights, g=["Female", "Male"], a=["young", "old"])


def test_without_margins_and_trim_nothing_changes(make_study) -> None:
    survey = small(make_study, "", g=["Female", "Male"])
    assert survey.weights.tolist() == [1.0] * 40
    assert survey.weight_kind == "none"
    assert len(survey.margins) == len(survey.weighting) == 0
    given = small(make_study, '[weights]\ncolumn = "w"', w=["1", "3"])
    assert given.weights.tolist() == [0.5, 1.5] * 20
    values = given.weighting.set_index("measure")["value"]
    assert values["effective"] == pytest.approx(40 * 0.8)
    counts = small(make_study, '[weights]\ncolumn = "w"\nkind = "frequency"', w=["1", "3"])
    assert counts.weights.tolist() == [1.0, 3.0] * 20
    assert len(counts.weighting) == 0


def test_the_careless_leave_before_the_rest_is_raked(make_study) -> None:
    quality = (
        '[quality]\naction = "exclude"\nrules = ["failed_share"]\nat_least = 1\n'
        'checks = [{ column = "c", accept = ["ok"] }]\n'
    )
    survey = small(
        make_study,
        f"[weights]\n{GENDER}",
        quality,
        g=["Female", "Male", "Male"],
        c=["ok"] * 39 + ["no"],
    )
    assert survey.n == 39
    assert survey.margins["n"].sum() == 39
    np.testing.assert_allclose(survey.margins["weighted_share"], 0.5, atol=1e-9)


def test_all_problems_of_the_margins_come_at_once(make_study) -> None:
    weights = (
        "[weights]\n"
        '[[weights.margins]]\ncolumn = "g"\ntargets = { Femal = 50, Male = 50 }\n'
        '[[weights.margins]]\ncolumn = "a"\ntargets = { young = 3000, old = 4000 }\n'
    )
    with pytest.raises(DataError) as caught:
        small(make_study, weights, g=["Female", "Male", "", "Male"], a=["young", "old", "oldest"])
    text = str(caught.value)
    assert "the weights cannot be raked to their margins (40 respondents)" in text
    assert "g: no category 'Femal' in the file. Did you mean 'Female'?" in text
    assert (
        "g: 20 respondents are in no category with a target: 10 in 'Female', 10 without an" in text
    )
    assert "a: 13 respondents are in no category with a target: 13 in 'oldest'" in text
    assert "the targets of a sum to 7000, those of g to 100" in text
    assert 'unmatched = "exclude"' in text


def test_of_many_categories_without_a_target_the_largest_are_listed(make_study) -> None:
    ages = [*(str(age) for age in range(20, 38)), "Male", *["77"] * 3, "Female"]
    declared = '[[columns]]\nname = "g"\ntype = "categorical"\n'
    with pytest.raises(DataError) as caught:
        small(make_study, f"[weights]\n{GENDER}{declared}", g=ages)
    text = str(caught.value)
    assert text.count(" in '") == 10
    assert "in '77'" in text
    assert " in 9 more. Give these" in text


def test_one_respondent_in_no_category_is_said_in_the_singular(make_study) -> None:
    with pytest.raises(DataError, match="g: 1 respondent is in no category"):
        small(make_study, f"[weights]\n{GENDER}", g=["Male"] * 20 + ["Female"] * 19 + ["X"])


def test_unmatched_respondents_leave_with_their_reason(make_study) -> None:
    with pytest.warns(PsychosegWarning, match="leaves out 16 of 40 respondents, who are in no"):
        survey = small(
            make_study,
            f'[weights]\nunmatched = "exclude"\n{GENDER}',
            g=["Female", "Male", "", "X", "Male"],
        )
    assert survey.n == 24
    assert survey.ledger["reason"].value_counts().to_dict() == {
        "no answer to g, which the weights are raked to": 8,
        "g = X has no target to rake the weights to": 8,
    }


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ("[weights]", StudyError, r"needs a column, \[\[weights\.margins\]\], or both"),
        (
            f'[weights]\nkind = "frequency"\n{GENDER}',
            StudyError,
            r'kind = "frequency" counts people and is neither raked nor trimmed',
        ),
        (f"[weights]\ntrim = [1.5, 5]\n{GENDER}", StudyError, r"trim = \[1\.5, 5\.0\] must lie"),
        (f"[weights]\n{GENDER}{GENDER}", StudyError, r"margins names the column g more than once"),
        (
            f"[weights]\n{GENDER}".replace("50 }", "0 }"),
            StudyError,
            r"targets of g must be above zero, not Male = 0: leave the category out",
        ),
        (
            f"[weights]\n{GENDER}".replace("50 }", "58 }"),
            StudyError,
            r"targets of g sum to 108: per cents should sum to 100",
        ),
        (f"[weights]\n{GENDER}".replace('"g"', '"gg"'), StudyError, r"no column 'gg'.*mean 'g'"),
        (f"[weights]\n{GENDER}".replace('"g"', '"q1"'), StudyError, r"'q1' is used as an item"),
        (
            f'[weights]\n{GENDER}[[columns]]\nname = "g"\ntype = "numeric"\n',
            DataError,
            r"column g holds text",
        ),
        (
            f'[weights]\n{GENDER}[[columns]]\nname = "n"\n'.replace('"g"', '"n"'),
            DataError,
            r"column n is numeric, and margins are of categories. Give it type",
        ),
    ],
)
def test_margins_that_cannot_be_are_refused(make_study, weights: str, error, message: str) -> None:
    with pytest.raises(error, match=message):
        small(make_study, weights, g=["Female", "Male"], n=["1", "2"])


def test_a_frame_with_weights_says_what_they_cost() -> None:
    frame = pd.DataFrame({"q1": [1, 2, 3, 4], "q2": [2, 1, 4, 3]})
    survey = Survey.from_frame(frame, weights=[1, 3, 1, 3])
    assert survey.weighting.set_index("measure")["value"]["efficiency"] == pytest.approx(0.8)
    assert len(Survey.from_frame(frame).weighting) == 0
