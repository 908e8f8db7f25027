"""Hand-written answer scales of thirteen languages come out in their order, whatever stands by."""

import random
from pathlib import Path

import pytest

from psychoseg.starter.answers import means_nothing, read_answers
from psychoseg.starter.quantities import how_often, order_bands

#: One scale a line: its language, and its answers from low to high.
SCALES = [
    (line.split("|")[0], line.split("|")[1].split(" > "))
    for line in (Path(__file__).parent / "scales.txt").read_text("utf-8").splitlines()
]
MORE = [
    line.split(" > ")
    for line in (Path(__file__).parent / "more_scales.txt").read_text("utf-8").splitlines()
]
NAMES = [f"{language}: {answers[0]}" for language, answers in SCALES]

NO_ANSWERS = [
    "Don't know", "dont know", "Don’t know / refused", "Can't say", "Difficult to answer",
    "Hard to say", "Unable to rate", "Not applicable", "N/A", "No opinion", "Prefer not to say",
    "I'd rather not say", "Refused", "No answer", "Haven't thought about it", "Cannot choose",
    "weiß nicht", "Kann ich nicht beurteilen", "keine Angabe", "k. A.", "Weiß nicht / keine Angabe",
    "möchte ich nicht beantworten", "keine Meinung", "schwer zu sagen",
    "Ne sait pas", "Je ne sais pas", "Sans opinion", "NSP", "Non concerné", "Sans réponse",
    "No sabe", "No sé", "NS/NC", "No contesta", "No aplica", "No sabe / No contesta",
    "Non so", "Non saprei", "Non risponde", "Preferisco non rispondere",
    "Weet niet", "Geen mening", "Niet van toepassing", "Kan ik niet beoordelen",
    "Não sei", "Não sei / Não respondo", "Não se aplica", "Sem opinião", "Prefiro não responder",
    "Nie wiem", "Trudno powiedzieć", "Nie dotyczy", "Odmowa odpowiedzi",
    "Nevím", "Nevím, nedokážu posoudit", "Nechci odpovědět", "Netýká se mě",
    "Не знаю", "Затрудняюсь ответить", "Трудно сказать", "Отказ от ответа", "Нет ответа",
    "لا أعرف", "لا ينطبق", "رفض الإجابة", "わからない", "無回答", "答えたくない", "該当しない",
    "(Don't know)", "[Refused]", "I'm not sure", "It is hard to say", "Je ne suis pas concerné(e)",
    "ich möchte darauf nicht antworten", "どれでもない",
    "不知道", "不清楚", "拒绝回答", "不适用", "难以回答", "說不清",
]  # fmt: skip


@pytest.mark.parametrize("form", ["{}", "{i} - {}", "{i} = {}", "{i}. {}", "({i}) {}", "{} ({i})"])
@pytest.mark.parametrize(("language", "answers"), SCALES, ids=NAMES)
def test_a_scale_comes_out_in_its_order(language, answers, form):
    written = [form.format(a, i=i) for i, a in enumerate(answers, start=1)]
    shuffled = list(written)
    random.Random(3).shuffle(shuffled)
    found = read_answers(shuffled)
    assert found is not None
    assert [level[0] for level in found.levels] == written
    assert not found.missing
    assert not found.odd


@pytest.mark.parametrize("answers", MORE, ids=lambda a: a[0])
def test_other_wordings_come_out_in_their_order(answers):
    found = read_answers(answers)
    assert found is not None
    assert [level[0] for level in found.levels] == answers
    assert not found.missing


@pytest.mark.parametrize(("language", "answers"), SCALES, ids=NAMES)
def test_capitals_make_no_level_of_their_own(language, answers):
    found = read_answers([*answers, *(a.upper() for a in answers), *(a.lower() for a in answers)])
    assert found is not None
    assert [{a.casefold() for a in level} for level in found.levels] == [
        {a.casefold()} for a in answers
    ]


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_a_text_for_no_answer_is_no_step_of_any_language(text):
    assert means_nothing(text)
    for answers in (
        ["Strongly disagree", "Disagree", "Agree", "Strongly agree"],
        ["Stimme gar nicht zu", "Stimme eher nicht zu", "Stimme eher zu", "Stimme voll zu"],
        ["Discordo totalmente", "Discordo", "Concordo", "Concordo totalmente"],
    ):
        found = read_answers([*answers, text])
        assert found is not None
        assert [level[0] for level in found.levels] == answers
        assert found.missing == (text,)


@pytest.mark.parametrize(
    "answers",
    [
        ["nicht zutreffend", "eher nicht zutreffend", "eher zutreffend", "voll zutreffend"],
        ["Not applicable", "Somewhat applicable", "Very applicable"],
        ["Not sure at all", "Not sure", "Somewhat sure", "Very sure"],
        ["Don't know it at all", "Know it a little", "Know it very well"],
    ],
)
def test_what_elsewhere_is_no_answer_is_a_step_where_the_others_share_its_word(answers):
    found = read_answers(answers)
    assert found is not None
    assert [level[0] for level in found.levels] == answers
    assert not found.missing


def test_not_sure_is_the_middle_of_a_scale_that_has_none_and_is_asked_about():
    ends = ["Strongly disagree", "Disagree", "Agree", "Strongly agree"]
    found = read_answers([*ends, "Not sure"])
    assert found is not None
    assert [level[0] for level in found.levels] == [*ends[:2], "Not sure", *ends[2:]]
    assert found.asks
    with_middle = read_answers([*ends, "Neither agree nor disagree", "Not sure"])
    assert with_middle is not None
    assert with_middle.missing == ("Not sure",)


def test_a_text_beside_a_whole_scale_that_nobody_understands_is_asked_about():
    ends = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
    found = read_answers([*ends, "Pineapple"])
    assert found is not None
    assert [level[0] for level in found.levels] == ends
    assert found.odd == found.missing == ("Pineapple",)
    assert any("Pineapple" in ask for ask in found.asks)


@pytest.mark.parametrize(
    "answers",
    [
        ["täysin eri mieltä", "eri mieltä", "samaa mieltä", "täysin samaa mieltä"],
        ["Inte alls", "Ganska lite", "Ganska mycket", "Väldigt mycket"],
        ["Coke", "Pepsi", "Fanta", "None of these"],
        ["Very liberal", "Liberal", "Moderate", "Conservative", "Very conservative"],
        ["Somewhat", "Satisfied", "Dissatisfied", "A little"],
        ["Totally agree", "Completely agree", "Agree", "Disagree"],
        ["Red", "Dark red", "Light red"],
        ["Single", "Married", "Divorced", "Never married"],
        ["500 m", "1 km", "2 km"],
    ],
)
def test_what_is_not_understood_has_no_order(answers):
    assert read_answers(answers) is None


@pytest.mark.parametrize(
    ("answers", "pair"),
    [
        (["Satisfied", "Quite satisfied", "Not satisfied"], ("Quite satisfied", "Satisfied")),
        (["Poor", "Fair", "Average", "Good"], ("Fair", "Average")),
        (["Trifft zu", "Trifft nicht ganz zu", "Trifft nicht zu"], ("Trifft nicht ganz zu",)),
    ],
)
def test_an_order_that_not_everybody_would_give_is_asked_about(answers, pair):
    found = read_answers(answers)
    assert found is not None
    assert any(all(text in ask for text in pair) for ask in found.asks)


BANDS = [
    ["unter 500 €", "500 bis 999 €", "1.000 bis 1.999 €", "2.000 bis 3.999 €", "4.000 € und mehr"],
    ["< $25k", "25k-50k", "50k-100k", "100k+"],
    ["under £1,000", "£1,000 - £2,499", "£2,500 or more"],
    ["Less than 6 months", "6-12 months", "1-2 years", "3-5 years", "More than 5 years"],
    ["under 18", "18-24", "25-34", "65+"],
    ["Moins de 18 ans", "18 à 24 ans", "25 à 34 ans", "65 ans et plus"],
    ["menos de 500 euros", "500 a 999 euros", "1.000 a 1.999 euros", "más de 2.000 euros"],
    ["do 1 000 zł", "1 001 - 2 000 zł", "2 001 - 5 000 zł", "powyżej 5 000 zł"],
    ["до 18 лет", "18-24 года", "25-34 года", "65 лет и старше"],
    ["18歳未満", "18~24歳", "25~34歳", "65歳以上"],
    ["5万以下", "5-10万", "10-20万", "20万以上"],
    ["1-9 employees", "10-49 employees", "50-249 employees", "250+ employees"],
    ["kein Einkommen", "bis 1000 €", "1001 bis 2000 €", "mehr als 2000 €"],
    ["CHF 1'000 - 1'999", "CHF 2'000 - 4'999", "CHF 10'000 und mehr"],
    ["30 minutes or less", "30 minutes to 1 hour", "1 to 2 hours", "more than 2 hours"],
    ["0.5-1", "1-1.5", "2.5-10"],
    ["bis unter 1.000 Euro", "1.000 bis unter 2.000 Euro", "10.000 Euro und mehr"],
]


@pytest.mark.parametrize("bands", BANDS, ids=lambda b: b[0])
def test_bands_stand_by_their_size_and_unit(bands):
    found = order_bands(sorted(bands))
    assert found is not None
    assert sorted(found.places, key=lambda t: found.places[t]) == bands
    assert found.sure


RATES = [
    ["Never", "Less than monthly", "Monthly", "Weekly", "Daily or almost daily"],
    ["nie", "einmal im Jahr", "einmal im Monat", "einmal pro Woche", "mehrmals pro Woche",
     "täglich"],
    ["jamais", "une fois par an", "une fois par mois", "une fois par semaine", "tous les jours"],
    ["nunca", "una vez al año", "una vez al mes", "una vez por semana", "todos los días"],
    ["mai", "una volta al mese", "una volta alla settimana", "ogni giorno"],
    ["nooit", "een keer per maand", "een keer per week", "dagelijks"],
    ["nigdy", "raz w miesiącu", "raz w tygodniu", "kilka razy w tygodniu", "codziennie"],
    ["nikdy", "jednou měsíčně", "jednou týdně", "několikrát týdně", "denně"],
    ["никогда", "раз в месяц", "раз в неделю", "несколько раз в неделю", "ежедневно"],
]  # fmt: skip


@pytest.mark.parametrize("rates", RATES, ids=lambda r: r[1])
def test_rates_stand_by_how_often(rates):
    times = [how_often(text) for text in rates]
    assert times == sorted(times)
    assert len(set(times)) == len(times)


def test_words_that_run_down_as_their_numbers_rise_are_turned_or_asked_about():
    whole = read_answers(
        ["1 - Strongly agree", "2 - Agree", "3 - Disagree", "4 - Strongly disagree"]
    )
    assert whole is not None
    assert whole.levels[0] == ("4 - Strongly disagree",)
    assert whole.asks
    ends = read_answers(["1 = strongly agree", "2", "3", "4 = strongly disagree"])
    assert ends is not None
    assert ends.levels[0] == ("1 = strongly agree",)
    assert any("less" in ask for ask in ends.asks)


def test_capitals_make_no_band_and_no_middle_of_their_own():
    bands = read_answers(["Under 500", "under 500", "500 to 999"])
    assert bands is not None
    assert [len(level) for level in bands.levels] == [2, 1]
    ends = ["Strongly disagree", "Disagree", "Agree", "Strongly agree"]
    found = read_answers([*ends, "Not sure", "not sure"])
    assert found is not None
    assert found.levels[2] == ("Not sure", "not sure")
