"""Answers in words are put in order, in several languages, or not at all."""

import random

import pytest

from psychoseg.starter.answers import is_no_answer, order_answers

SCALES = {
    "agreement": [
        "Strongly disagree",
        "Disagree",
        "Neither agree nor disagree",
        "Agree",
        "Strongly agree",
    ],
    "six points": [
        "Completely disagree",
        "Mostly disagree",
        "Slightly disagree",
        "Slightly agree",
        "Mostly agree",
        "Completely agree",
    ],
    "Schwartz": [
        "Not like me at all",
        "Not like me",
        "A little like me",
        "Somewhat like me",
        "Like me",
        "Very much like me",
    ],
    "satisfaction": [
        "Very dissatisfied",
        "Somewhat dissatisfied",
        "Neither satisfied nor dissatisfied",
        "Somewhat satisfied",
        "Very satisfied",
    ],
    "importance": [
        "Not at all important",
        "Slightly important",
        "Moderately important",
        "Very important",
        "Extremely important",
    ],
    "care": ["Not at all", "Not much", "Some", "A lot"],
    "liking": ["Hate", "Dislike", "Neither like nor dislike", "Like", "Love"],
    "quality": ["Very poor", "Poor", "Fair", "Good", "Excellent"],
    "frequency": [
        "Never",
        "Almost never",
        "Rarely",
        "Sometimes",
        "Often",
        "Almost always",
        "Always",
    ],
    "rates": [
        "Never",
        "Once or twice a year",
        "Once every 3 months",
        "Once a month",
        "Once every 2 weeks",
        "Once a week",
        "2 to 3 days a week",
        "4 to 5 days a week",
        "Every or nearly every day",
    ],
    "recency": [
        "within the last 2 days",
        "within the last week",
        "within the last month",
        "within the last 3 months",
        "within the last 6 months",
        "within the last 12 months",
    ],
    "recency in other words": [
        "Today",
        "Less than a week ago",
        "In the past two weeks",
        "During the last month",
        "One to three months ago",
        "6 months ago",
        "More than 2 years ago",
        "Never",
    ],
    "numbered ends": ["1 = never", "2", "3", "4", "5 = always"],
    "German agreement": [
        "Stimme überhaupt nicht zu",
        "Stimme eher nicht zu",
        "Teils/teils",
        "Stimme eher zu",
        "Stimme voll und ganz zu",
    ],
    "German truth": ["Trifft nicht zu", "Trifft eher nicht zu", "Trifft eher zu", "Trifft voll zu"],
    "German satisfaction": [
        "Sehr unzufrieden",
        "Unzufrieden",
        "Weder noch",
        "Zufrieden",
        "Sehr zufrieden",
    ],
    "German frequency": ["Nie", "Selten", "Manchmal", "Oft", "Immer"],
    "French": [
        "Pas du tout d'accord",
        "Plutôt pas d'accord",
        "Ni d'accord ni pas d'accord",
        "Plutôt d'accord",
        "Tout à fait d'accord",
    ],
    "French frequency": ["Jamais", "Rarement", "Parfois", "Souvent", "Toujours"],
    "Spanish": [
        "Totalmente en desacuerdo",
        "En desacuerdo",
        "Ni de acuerdo ni en desacuerdo",
        "De acuerdo",
        "Totalmente de acuerdo",
    ],
    "Spanish frequency": ["Nunca", "Casi nunca", "A veces", "Casi siempre", "Siempre"],
    "Dutch": ["Helemaal mee oneens", "Mee oneens", "Neutraal", "Mee eens", "Helemaal mee eens"],
    "Portuguese": [
        "Discordo totalmente",
        "Discordo",
        "Não concordo nem discordo",
        "Concordo",
        "Concordo totalmente",
    ],
    "Italian": [
        "Per niente d'accordo",
        "Poco d'accordo",
        "Abbastanza d'accordo",
        "Molto d'accordo",
    ],
    "incomes": [
        "Less than $15,000",
        "$15,001 to $30,000",
        "$30,001 to $45,000",
        "$150,001 or more",
    ],
    "ages": ["18-29", "30-44", "45-60", "> 60"],
    "schooling": [
        "Less than high school degree",
        "High school degree",
        "Some college or Associate degree",
        "Bachelor degree",
        "Graduate degree",
    ],
}


@pytest.mark.parametrize("name", SCALES)
def test_answers_come_out_in_order_however_they_go_in(name):
    answers = list(SCALES[name])
    random.Random(3).shuffle(answers)
    found = order_answers(answers)
    assert found is not None
    assert [level[0] for level in found.levels] == SCALES[name]


@pytest.mark.parametrize(
    "answers",
    [
        ["Coke", "Diet Coke", "Coke Zero", "Pepsi"],
        ["Male", "Female", "Other"],
        ["South", "Midwest", "West", "Northeast"],
        ["Working full time", "Working part time", "Retired"],
        ["Protestant", "Catholic", "Jewish", "None"],
    ],
)
def test_names_have_no_order(answers):
    assert order_answers(answers) is None


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("agreement", ""),
        ("frequency", ""),
        ("numbered ends", ""),
        ("ages", ""),
        ("incomes", ""),
        ("recency", "how long ago"),
        ("rates", "how often"),
        ("schooling", "schooling"),
    ],
)
def test_an_order_that_is_no_known_scale_is_called_a_guess(name, guess):
    found = order_answers(SCALES[name])
    assert found is not None
    assert found.guess == guess


def test_an_order_by_digits_inside_names_is_called_a_guess():
    found = order_answers(["Route 5", "Route 66", "Route 101"])
    assert found is not None
    assert found.guess == "the numbers in them"


def test_how_often_in_the_last_month_is_a_rate_and_no_date():
    answers = ["Once in the last month", "Twice in the last month", "5 times in the last month"]
    found = order_answers(answers)
    assert found is not None
    assert [level[0] for level in found.levels] == answers
    assert found.guess == "how often"


def test_two_wordings_of_one_answer_share_a_level():
    answers = ["No, not at all rude", "No, not rude at all", "Yes, somewhat rude", "Yes, very rude"]
    found = order_answers(answers)
    assert found is not None
    assert [len(level) for level in found.levels] == [2, 1, 1]


@pytest.mark.parametrize(
    "text",
    ["Don't know", "Don t Know", "N/A", "Unfamiliar (N/A)", "Prefer not to say", "Weiß nicht",
     "Keine Angabe", "I’d rather not say", "DK/Ref", "No sabe", "Ne sait pas"],
)  # fmt: skip
def test_what_means_no_answer_is_none(text):
    assert is_no_answer(text)


@pytest.mark.parametrize("text", ["No", "None", "Never", "Not at all", "Neutral", "Other"])
def test_what_is_an_answer_stays_one(text):
    assert not is_no_answer(text)
