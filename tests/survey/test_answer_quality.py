"""Careless answering: each index reaches the ledger, the rule decides, nothing else moves."""

import re

import numpy as np
import pandas as pd
import pytest

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.stats.quality import CUTOFFS, longstring
from psychoseg.study import QualityCutoffs, QualityRules, load_study
from psychoseg.survey import load_survey
from psychoseg.survey.quality import QUALITY_COLUMNS, RULE_COLUMNS

N, SCALES, PER = 300, 6, 4
#: The third item of each scale is keyed the other way.
KEYS = np.tile([1, 1, -1, 1], SCALES)
REVERSED = [f"q{j}" for j in range(SCALES * PER) if KEYS[j] < 0]


def answers() -> pd.DataFrame:
    """Return honest respondents, and one for each way of being careless."""
    rng = np.random.default_rng(5)
    trait = np.repeat(rng.standard_normal((N, SCALES)), PER, axis=1)
    level = np.where(KEYS > 0, 1, -1) * 0.5 + np.linspace(-0.5, 0.5, SCALES * PER)
    x = np.clip(np.round(3 + level + 1.1 * KEYS * trait + 0.5 * rng.standard_normal(x_shape)), 1, 5)
    frame = pd.DataFrame(x.astype(int), columns=[f"q{j}" for j in range(SCALES * PER)])
    typical = np.where(KEYS > 0, 4, 2)
    high = np.repeat(np.arange(SCALES) % 2 == 0, PER)
    ends = np.where(high, 5, 1)
    # In each scale the items of one half contradict those of the other.
    contrary = np.where(np.tile([True, False], SCALES * PER // 2), ends, 6 - ends)
    frame.loc["straight"] = 3
    frame.loc["contrary"] = np.where(KEYS > 0, contrary, 6 - contrary)
    frame.loc["opposite"] = 6 - typical
    frame["seconds"] = 240 + rng.integers(0, 60, len(frame))
    frame["check"] = 2
    frame.loc["speeder"] = [*x[0].astype(int), 20, 2]
    frame.loc["inattentive"] = [*x[1].astype(int), 250, 4]
    return frame.rename_axis("id").reset_index()


x_shape = (N, SCALES * PER)
ITEMS = f"""
[data]
file = "a.csv"
id = "id"
[[items]]
columns = ["q*"]
range = [1, 5]
reverse = {REVERSED}
"""
SCALE_TABLES = "".join(
    f'[[scales.scale]]\nname = "s{s}"\nitems = {[f"q{s * PER + j}" for j in range(PER)]}\n'
    for s in range(SCALES)
)
CHECKED = 'duration = "seconds"\nchecks = [{ column = "check", accept = [2] }]\n'


def load(make_study, frame: pd.DataFrame, quality: str = "", more: str = SCALE_TABLES):
    text = f"{ITEMS}[quality]\n{quality}\n{more}"
    return load_survey(make_study(text, a__csv=frame.to_csv(index=False)))


@pytest.mark.parametrize(
    ("index", "who", "reason"),
    [
        (
            "longstring_share",
            "straight",
            r"longest run of one answer 24 of 24 items \(cut-off 12\)",
        ),
        ("variability", "straight", r"spread of answers 0 \(cut-off below 0\.\d+\)"),
        (
            "mahalanobis_p",
            "contrary",
            r"squared Mahalanobis distance \d+\.\d, p = .+ \(cut-off below 0\.001\)",
        ),
        ("even_odd", "contrary", r"even-odd consistency -1 \(cut-off below 0\.3\)"),
        ("synonyms", "contrary", r"psychometric synonyms -0\.\d+ \(cut-off below 0\)"),
        ("antonyms", "contrary", r"psychometric antonyms 0\.\d+ \(cut-off above 0\)"),
        (
            "person_total",
            "opposite",
            r"correlation with everybody's answers -0\.\d+ \(cut-off below 0\)",
        ),
        ("relative_speed", "speeder", r"speed over the median 13\.\d \(cut-off at least 2\)"),
        ("seconds_per_item", "speeder", r"seconds per item 0\.833 \(cut-off below 2\)"),
        (
            "failed_share",
            "inattentive",
            r"failed 1 of 1 check: check \(attention\) \(cut-off at least 0\.5\)",
        ),
    ],
)
def test_each_index_leaves_out_whom_it_is_for_with_value_and_cut_off(
    make_study, index: str, who: str, reason: str
) -> None:
    frame = answers()
    survey = load(
        make_study, frame, f'action = "exclude"\nrules = ["{index}"]\nat_least = 1\n{CHECKED}'
    )
    lines = survey.ledger.set_index("respondent")
    assert lines.loc[who, ["stage", "effect"]].tolist() == ["quality", "excluded"]
    assert re.fullmatch(f"careless answering: {reason}", lines.loc[who, "reason"])
    rows = survey.quality.set_index("respondent")
    assert set(lines.index) == set(rows.index[rows["excluded"]])
    assert rows.loc[who, "flagged_by"] == index
    rule = survey.quality_rules.set_index("index").loc[index]
    assert rule["n_flagged"] == len(lines)
    # Nearly everybody is honest; how many of them an index suspects is its own weakness.
    assert len(lines) <= 0.1 * len(frame)


def test_by_default_indices_are_reported_and_nobody_leaves(make_study) -> None:
    frame = answers()
    survey = load(make_study, frame, CHECKED)
    assert survey.n == len(frame) == len(survey.quality)
    assert len(survey.ledger) == 0
    assert list(survey.quality.columns) == ["respondent", *QUALITY_COLUMNS]
    assert list(survey.quality_rules.columns) == list(RULE_COLUMNS)
    assert (survey.quality_rules["not_computed"] == "").all()
    assert not survey.quality["excluded"].any()
    assert survey.quality.set_index("respondent")["n_flags"]["contrary"] >= 2
    items = frame[[f"q{j}" for j in range(SCALES * PER)]].to_numpy(float)
    np.testing.assert_array_equal(survey.quality["longstring"], longstring(items))


def test_two_flags_or_one_that_suffices_leave_out(make_study) -> None:
    frame = answers()
    survey = load(make_study, frame, f'action = "exclude"\n{CHECKED}')
    rows = survey.quality.set_index("respondent")
    assert (rows["excluded"] == (rows["n_flags"] >= 2)).all()
    assert rows.loc["contrary", "excluded"]
    assert not rows.loc[["speeder", "inattentive"], "excluded"].any()
    strict = load(
        make_study, frame, f'action = "exclude"\nsufficient = ["failed_share"]\n{CHECKED}'
    )
    gone = set(strict.ledger["respondent"])
    assert gone == set(survey.ledger["respondent"]) | {"inattentive"}
    assert set(strict.ids) == set(map(str, frame["id"])) - gone
    assert strict.n_read == strict.n + len(strict.ledger)
    counts = strict.quality_rules.set_index("index")["counts"]
    assert counts[["failed_share", "relative_speed", "antonyms"]].tolist() == [
        "alone",
        "a flag",
        "",
    ]


def test_cut_offs_of_the_study_replace_the_cited_ones_and_say_so(make_study) -> None:
    quality = (
        'action = "exclude"\nrules = ["relative_speed"]\nat_least = 1\nduration = ["seconds"]\n'
    )
    survey = load(make_study, answers(), f"{quality}[quality.cutoffs]\nrelative_speed = 20\n")
    assert survey.n == survey.n_read
    rules = survey.quality_rules.set_index("index")
    assert rules.loc["relative_speed", ["cutoff", "source"]].tolist() == [
        20.0,
        "set in the study file",
    ]
    assert rules.loc["even_odd", "source"] == CUTOFFS["even_odd"].source
    assert "median absolute deviations" in rules.loc["variability", "source"]


def test_the_default_cut_offs_are_the_cited_ones() -> None:
    ours = QualityCutoffs().model_dump()
    assert ours.pop("variability") is None
    assert ours == {name: cutoff.value for name, cutoff in CUTOFFS.items()}


def test_the_order_of_rows_changes_nothing(make_study) -> None:
    frame = answers()
    frame["w"] = np.random.default_rng(1).uniform(0.3, 3, len(frame)).round(3)
    more = f'[weights]\ncolumn = "w"\n{SCALE_TABLES}'
    settings = f'action = "exclude"\n{CHECKED}'
    one = load(make_study, frame, settings, more)
    mixed = frame.sample(frac=1, random_state=3)
    other = load(make_study, mixed, settings, more)
    pd.testing.assert_frame_equal(
        one.quality.set_index("respondent"),
        other.quality.set_index("respondent").loc[one.quality["respondent"]],
        check_exact=True,
    )
    pd.testing.assert_frame_equal(one.quality_rules, other.quality_rules, check_exact=True)
    reasons = [s.ledger.set_index("respondent")["reason"].sort_index() for s in (one, other)]
    pd.testing.assert_series_equal(*reasons)


def test_integer_weights_equal_repeated_rows(make_study) -> None:
    frame = answers()
    times = np.random.default_rng(2).integers(1, 4, len(frame))
    again = frame.loc[frame.index.repeat(times)].reset_index(drop=True)
    again["id"] = np.arange(len(again))
    counted = load(
        make_study,
        frame.assign(w=times),
        CHECKED,
        f'[weights]\ncolumn = "w"\nkind = "frequency"\n{SCALE_TABLES}',
    )
    repeated = load(make_study, again, CHECKED)
    numbers = [c for c in QUALITY_COLUMNS if c not in ("flagged_by", "excluded")]
    np.testing.assert_allclose(
        counted.quality.loc[counted.quality.index.repeat(times), numbers].to_numpy(float),
        repeated.quality[numbers].to_numpy(float),
        rtol=1e-9,
        atol=1e-10,
    )
    same = ["median", "cutoff", "share_flagged"]
    np.testing.assert_allclose(
        counted.quality_rules[same], repeated.quality_rules[same], rtol=1e-10
    )


def test_what_cannot_be_computed_says_why_and_is_told_where_it_should_count(make_study) -> None:
    text = "id,q1,q2,q3\na,1,2,3\nb,2,3,1\nc,3,1,2\nd,5,4,4\n"
    toml = '[data]\nfile = "a.csv"\nid = "id"\n[[items]]\ncolumns = ["q*"]\nrange = [1, 5]\n'
    survey = load_survey(make_study(toml, a__csv=text))
    why = survey.quality_rules.set_index("index")["not_computed"].to_dict()
    assert why == {
        "longstring_share": "10 items are needed, not 3",
        "variability": "10 items are needed, not 3",
        "mahalanobis_p": "",
        "even_odd": "5 scales of two items or more are needed, not 1",
        "synonyms": "5 pairs of items correlating above 0.6 are needed, not 0",
        "antonyms": "5 pairs of items correlating below -0.6 are needed, not 0",
        "person_total": "10 items are needed, not 3",
        "relative_speed": "there is no duration",
        "seconds_per_item": "there is no duration",
        "failed_share": "there are no checks",
    }
    exclude = f'{toml}[quality]\naction = "exclude"\n'
    with pytest.warns(PsychosegWarning, match="judged without") as caught:
        load_survey(make_study(exclude, a__csv=text))
    (told,) = (str(w.message) for w in caught if "judged without" in str(w.message))
    assert "Longest run of one answer, share of the items answered (10 items are" in told
    assert "longstring_share" not in told
    # The default rules name what this study never declared; that is no news.
    assert "duration" not in told
    assert "checks" not in told
    asked = f'{exclude}rules = ["mahalanobis_p", "failed_share"]\n'
    with pytest.warns(PsychosegWarning, match=r"items failed \(there are no checks\)"):
        load_survey(make_study(asked, a__csv=text))


def test_a_rule_that_leaves_out_a_quarter_is_questioned(make_study) -> None:
    quality = 'action = "exclude"\nrules = ["seconds_per_item"]\nat_least = 1\n'
    frame = answers()
    frame.loc[frame.index[: N // 2], "seconds"] = 10
    with pytest.warns(PsychosegWarning, match=r"leaves out 50% of the respondents as careless"):
        survey = load(make_study, frame, f'{quality}duration = "seconds"\n')
    assert survey.n == survey.n_read - N // 2 - 1


def test_person_total_is_not_used_where_all_items_have_like_means(make_study) -> None:
    rng = np.random.default_rng(8)
    x = rng.permuted(np.tile(np.arange(1, 6), (12, 60)), axis=1).T
    frame = pd.DataFrame(x, columns=[f"q{j}" for j in range(12)])
    toml = '[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q*"]\nrange = [1, 5]\n'
    survey = load_survey(make_study(toml, a__csv=frame.to_csv(index=False)))
    assert survey.quality["person_total"].isna().all()
    why = survey.quality_rules.set_index("index").loc["person_total", "not_computed"]
    assert "differ too little in their means" in why


def test_acquiescence_and_extreme_responding_are_those_of_the_answers(make_study) -> None:
    survey = load(make_study, answers())
    rows = survey.quality.set_index("respondent")
    styles = ["acquiescence", "net_agreement", "extreme", "midpoint"]
    # Always the midpoint; and high and low ends alike, in every scale.
    np.testing.assert_allclose(rows.loc["straight", styles].astype(float), [0, 0, 0, 1])
    np.testing.assert_allclose(rows.loc["contrary", styles].astype(float)[2:], [1, 0])
    always = answers()
    always.loc[0, [c for c in always if c.startswith("q")]] = 5
    row = load(make_study, always).quality.loc[0]
    assert row[styles].tolist() == [0.5, 1.0, 1.0, 0.0]


def test_the_order_of_the_file_is_that_of_the_questionnaire(make_study) -> None:
    frame = answers()
    toml = ITEMS.replace('["q*"]', '["q12:q23", "q0:q11"]') + SCALE_TABLES
    survey = load_survey(make_study(toml, a__csv=frame.to_csv(index=False)))
    assert survey.items.columns[0] == "q12"
    items = frame[[f"q{j}" for j in range(SCALES * PER)]].to_numpy(float)
    np.testing.assert_array_equal(survey.quality["longstring"], longstring(items))


def test_pages_are_added_up_and_an_unknown_page_makes_the_time_unknown(make_study) -> None:
    frame = answers().rename(columns={"seconds": "t1"}).assign(t2=60)
    frame.loc[0, "t2"] = 0
    survey = load(make_study, frame, 'duration = ["t*"]\n')
    seconds = survey.quality["seconds"]
    assert np.isnan(seconds[0])
    np.testing.assert_array_equal(seconds[1:], (frame["t1"] + 60)[1:])
    assert survey.quality["relative_speed"].notna().all()


def test_a_check_amid_the_items_is_passed_over_by_their_range(make_study) -> None:
    text = "id,q1,q2,q3\na,1,agree,3\nb,2,agree,1\nc,3,disagree,2\nd,5,,4\n"
    toml = (
        '[data]\nfile = "a.csv"\nid = "id"\n[[items]]\ncolumns = ["q1:q3"]\nrange = [1, 5]\n'
        '[quality]\nchecks = [{ column = "q2", accept = ["agree"], kind = "bogus" }]\n'
    )
    survey = load_survey(make_study(toml, a__csv=text))
    assert survey.items.columns.tolist() == ["q1", "q3"]
    np.testing.assert_array_equal(survey.quality["failed_share"], [0, 0, 1, np.nan])
    assert survey.codebook["q2"].role == "other"
    with pytest.raises(StudyError, match=r"checks\[1\]\.column: 'q2' is also an item"):
        load_survey(make_study(toml.replace("q1:q3", 'q1", "q2'), a__csv=text))


def test_a_right_answer_is_met_as_a_number_or_as_text_and_a_missing_one_is_no_failure(
    make_study,
) -> None:
    text = "q1,q3,c\n1,3,3.0\n2,1,agree\n3,2,3\n5,4,4\n4,1,99\n2,2,\n"
    toml = (
        '[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q*"]\nrange = [1, 5]\n[quality]\n'
        'checks = [{ column = "c", accept = [3, "agree"], missing = [99] }]\n'
    )
    survey = load_survey(make_study(toml, a__csv=text))
    np.testing.assert_array_equal(survey.quality["failed_share"], [0, 0, 0, 1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("at_least = 9", r"at_least = 9 flags can never come from 7 rules"),
        ('rules = ["longstring"]', r"Did you mean 'longstring_share'"),
        ('rules = ["synonyms", "synonyms"]', r"rules names synonyms more than once"),
        ('sufficient = ["failed_share"]', r"there is no \[\[quality\.checks\]\]"),
        ('sufficient = ["relative_speed"]', r"duration names no column"),
        ('checks = [{ column = "check" }]', r"accept is missing"),
        ("[quality.cutoffs]\neven_odds = 0.1", r"Did you mean even_odd"),
        (
            "[quality.cutoffs]\nmahalanobis_p = 10",
            r"mahalanobis_p: 10 should be a share",
        ),
        ('duration = "second"', r"quality\.duration: no column 'second'\. Did you mean 'seconds'"),
        ('duration = "q1"', r"quality\.duration: 'q1' is used as an item"),
        ('checks = [{ column = "chek", accept = [2] }]', r"checks\[1\].*Did you mean 'check'"),
        ('checks = [{ column = "id", accept = [2] }]', r"'id' is the id of the respondents"),
    ],
)
def test_settings_that_cannot_be_are_refused(make_study, settings: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        load(make_study, answers(), settings, "")


def test_answers_that_cannot_be_judged_are_refused(make_study) -> None:
    frame = answers().astype({"seconds": object})
    frame.loc[2, "seconds"] = "4:05"
    with pytest.raises(DataError) as caught:
        load(
            make_study,
            frame,
            'duration = "seconds"\nchecks = [{ column = "check", accept = ["two", 7] }]\n',
        )
    assert "duration seconds holds what is no number of seconds: '4:05' (row 4)" in str(
        caught.value
    )
    assert "check check: nobody gave an accepted answer ('7' and 'two'); there are '2' and '4'" in (
        str(caught.value)
    )


def test_in_real_data_who_answers_too_fast_is_told_by_the_answers_too(
    make_study, shared_data
) -> None:
    """The grit survey: three words of its vocabulary list do not exist, pages are timed."""
    folder = shared_data / "03_openpsychometrics" / "duckworth-grit-scale-data"
    checks = ", ".join(f'{{ column = "VCL{j}", accept = [0], kind = "bogus" }}' for j in (6, 9, 12))
    scales = "".join(
        f'[[scales.scale]]\nname = "{s}"\nitems = {[f"{s}{j}" for j in range(1, 11)]}\n'
        for s in "ENACO"
    )
    # The keys of the IPIP's fifty items.
    reverse = [f"{s}{j}" for s, js in IPIP_REVERSED.items() for j in js]
    toml = f"""
[data]
file = "{(folder / "data.csv").as_posix()}"
[[items]]
columns = ["E1:O10"]
range = [1, 5]
missing = [0]
reverse = {reverse}
[quality]
action = "exclude"
duration = "testelapse"
checks = [{checks}]
{scales}
"""
    survey = load_survey(make_study(toml))
    rows, rules = survey.quality, survey.quality_rules.set_index("index")
    assert survey.n_read == 4270 == survey.n + len(survey.ledger)
    assert rules["not_computed"].ne("").sum() == 1  # no antonyms: nothing correlates below -.6
    # Counted from the file: those kept by [clean] who ticked two false words or three.
    frame = pd.read_csv(folder / "data.csv", sep="\t")
    there = frame.loc[rows["respondent"].astype(int).to_numpy() - 1, ["VCL6", "VCL9", "VCL12"]]
    assert rules.loc["failed_share", "n_flagged"] == (there.sum(axis=1) >= 2).sum() > 250
    np.testing.assert_array_equal(rows["failed_checks"], there.sum(axis=1))
    # Who took less than two seconds an item is told by answers alone as well: the indices that
    # know nothing of time speak twice as often. (The false words measure overclaiming: who ticks
    # them answers no less carefully by the other indices, 19% against 19% flagged.)
    others = ["longstring_share", "mahalanobis_p", "even_odd", "synonyms", "person_total"]
    flagged = pd.concat([rows["flagged_by"].str.contains(name) for name in others], axis=1)
    fast = rows["seconds_per_item"] < 2
    assert fast.sum() == rules.loc["seconds_per_item", "n_flagged"] == 39
    assert flagged[fast].to_numpy().mean() > 2 * flagged[~fast].to_numpy().mean()
    assert (flagged[fast].mean() > flagged[~fast].mean()).all()
    # Meade & Craig (2012) find 10 to 12% careless students; these asked for their results.
    assert 0.02 < rows["excluded"].mean() < 0.12


IPIP_REVERSED = {
    "E": (2, 4, 6, 8, 10),
    "N": (2, 4),
    "A": (1, 3, 5, 7),
    "C": (2, 4, 6, 8),
    "O": (2, 4, 6),
}


def test_the_settings_survive_being_written_and_read_again(tmp_path) -> None:
    text = (
        '[data]\nfile = "a.csv"\n[[items]]\ncolumns = ["q*"]\n[quality]\naction = "exclude"\n'
        'duration = "t"\n[quality.cutoffs]\nvariability = 0.4\n[[quality.checks]]\ncolumn = "c"\n'
        "accept = [3]\n"
    )
    (tmp_path / "study.toml").write_text(text)
    study = load_study(tmp_path)
    (tmp_path / "study.toml").write_text(study.to_toml())
    assert load_study(tmp_path) == study
    assert study.quality.duration == ("t",)
    assert study.quality.rules == QualityRules().rules
