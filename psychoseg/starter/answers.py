"""Answers in words -> their order: "Strongly agree" above "Agree", in several languages.

Owns the vocabulary of answer scales and of what means "no answer". Knows no column.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Ordered", "are_rates", "is_no_answer", "is_yes_no", "order_answers", "plain"]


def _words(alternatives: str) -> re.Pattern[str]:
    """Return a pattern for any of some words or phrases, parted by semicolons."""
    parts = [part.strip() for part in " ".join(alternatives.split()).split(";")]
    return re.compile(rf"\b({'|'.join(parts)})\b")


def _whole(alternatives: str) -> re.Pattern[str]:
    """Return a pattern for texts that are one of some phrases and nothing else."""
    parts = [part.strip() for part in " ".join(alternatives.split()).split(";")]
    return re.compile("|".join(parts))


#: What people and programs write where there is no answer; matched against the whole text, plain.
_NO_ANSWER = _whole(r"""
        (i )?(really )?(don'?t|do not|don t|dont|can'?t|cannot) (know|say|remember)\b.{0,40};
        dk( ?/ ?(ref|na|refused))?; ref; refused; refuse(d)? to (answer|say).*;
        .*\brefuse to answer.*; not applicable; n ?/ ?a; no answer; no response;
        not answered; not asked; not sure.*; unsure; unfamiliar.*; .*\(n ?/ ?a\);
        (i )?(would )?(rather|prefer) not (to )?(say|answer).*; iap;
        i'?d (rather|prefer) not.*; no opinion; can'?t choose; other/don'?t know.*; missing;
        skipped; unknown; weiss (ich )?nicht; ich weiss nicht; keine angabe; k\. ?a\.?;
        keine antwort; nicht zutreffend; (je )?ne sai[st] pas; nsp; sans (avis|reponse);
        pas de reponse; non concerne; no (lo )?se; no sabe; ns ?/ ?nc; no contesta;
        no aplica; non so; non saprei; nessuna risposta; non applicabile; weet (ik )?niet;
        geen antwoord; niet van toepassing; geen mening; nao sei; nao se aplica;
        sem resposta; prefiro nao responder
    """)
_YES_NO = {
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("nein", "ja"),
    ("non", "oui"),
    ("no", "si"),
    ("nee", "ja"),
    ("nao", "sim"),
    ("not selected", "selected"),
    ("unchecked", "checked"),
    ("falsch", "richtig"),
    ("faux", "vrai"),
    ("falso", "verdadero"),
    ("falso", "vero"),
    ("disagree", "agree"),
    ("disapprove", "approve"),
    ("not quoted", "quoted"),
}

_NEUTRAL = _words(r"""
        neither; neutral\w*; undecided; indifferent; in between; mixed feelings; teils;
        weder; unentschieden; mittel; ni\b.*\bni; ne\b.*\bne\b.*; nem\b.*\bnem;
        nao\b.*\bnem; niet (mee )?eens\b.*\bniet (mee )?oneens; neutraal; neutro;
        indifferente; indeciso; neutre
    """)
# Words that turn an answer to the lower end; "not at all" and its like stand below everything.
_NOT_AT_ALL = _words(r"""
        not\b.*\bat all; in no way; none at all; absolutely not; definitely (will )?not;
        certainly (will )?not; (uberhaupt|gar) (nicht|kein\w*); pas du tout; aucunement;
        para nada; nada; per niente; affatto; helemaal (niet|geen); de modo (algum|nenhum)
    """)
_NEGATIVE = _words(r"""
        disagree\w*; dissatisf\w*; unsatisf\w*; dislike\w*; disapprov\w*; oppos\w*;
        unlikely; unimportant; unfavou?rabl\w*; difficult; hard; bad; badly; poor\w*;
        unhappy; untrue; false; negative\w*; worse; uncomfortable; unwilling; detractor;
        not; no; isn'?t; won'?t; doesn'?t; low; ineffective; uninterested; unzufrieden;
        unwichtig; nicht; kein\w*; lehne; schlecht; schwierig; unwahrscheinlich; pas;
        insatisfait\w*; desaccord; mecontent\w*; mauvais\w*; difficile; desacuerdo;
        insatisfech\w*; mal[oa]?; disaccordo; insoddisfatt\w*; non; oneens; ontevreden;
        onbelangrijk; niet; discordo; ruim; slecht; nao; improbable; peu; poco; pouco;
        weinig; wenig
    """)
_POSITIVE = _words(r"""
        agree\w*; satisf\w*; like; likes; approv\w*; support\w*; likely; important;
        favou?rabl\w*; easy; good; well; happy; true; positive\w*; better; comfortable;
        willing; interest\w*; useful; concerned; confident; certain; rude; much; many;
        knowledgeable; familiar; high; effective; trust; yes; some; lot; strong\w*;
        slightly; moderately; extremely; describes;
        (me|worried|appealing|difficult|probable|valuable|excited|relevant|essential|critical);
        zu; zufrieden; wichtig; gut; wahrscheinlich; einfach; leicht; ja; accord;
        satisfait\w*; important\w*; facile; bon; bien; oui; acuerdo; satisfech\w*;
        importante; bueno; facil; accordo; soddisfatt\w*; buono; eens; tevreden; belangrijk;
        goed; concordo; probable; molto; muy; abbastanza; sehr; muito; bastante; voll; tres
    """)
# How strongly, from the strongest: the first that is met counts.
_STRENGTHS: tuple[tuple[float, re.Pattern[str]], ...] = (
    (
        4.0,
        _words(r"""
        extremely; exceptionally; extrem; extremement; extremadamente; estremamente;
        uiterst; extremamente; essential; critical
    """),
    ),
    (
        3.5,
        _words(r"""
        strongly; completely; totally; entirely; absolutely; fully; definitely; certainly;
        exactly; a great deal; complete; voll\w*; ganz; vollig; absolut; stark; tout a fait;
        totalement; fortement; totalmente; completamente; firmemente; helemaal; volledig
    """),
    ),
    (
        3.0,
        _words(r"""
        very; highly; a lot; greatly; sehr; tres; muy; molto; zeer; heel; muito; beaucoup
    """),
    ),
    (
        2.4,
        _words(r"""
        quite; pretty; mostly; largely; generally; ziemlich; assez; bastante; abbastanza;
        behoorlijk; probably
    """),
    ),
    (1.7, re.compile(r"\bmoderately\b|\bfairly\b|\bmodestly\b|\bmassig\b|\bmoyennement\b")),
    (
        1.5,
        _words(r"""
        somewhat; rather; some; tend; partly; partially; mostly; eher; plutot; mas bien;
        algo; parcialmente; piuttosto; enigszins; eerder; parzialmente; teilweise
    """),
    ),
    (
        1.0,
        _words(r"""
        slightly; a little; a bit; a few; ein wenig; etwas; un peu; un poco; un po;
        een beetje; um pouco; legerement
    """),
    ),
)
_NOUNS = {
    "hate": -4.0,
    "hate it": -4.0,
    "love": 4.0,
    "love it": 4.0,
    "terrible": -4.0,
    "awful": -4.0,
    "excellent": 4.0,
    "outstanding": 4.5,
    "fair": 1.0,
    "average": 1.0,
    "ok": 1.0,
    "okay": 1.0,
    "acceptable": 1.0,
    "medium": 1.0,
    "moderate": 1.0,
    "none": -5.0,
    "nothing": -5.0,
    "disappointing": -3.0,
    "adequate": 1.0,
    "schlecht": -2.0,
    "befriedigend": 1.0,
}
#: How often, in words; the numbers only give the order.
_OFTEN: tuple[tuple[float, re.Pattern[str]], ...] = (
    (
        1.0,
        _words(r"""
        (almost|nearly|practically) never; hardly ever; fast nie; presque jamais;
        casi nunca; quasi mai; bijna nooit; quase nunca
    """),
    ),
    (1.5, re.compile(r"\bvery (rarely|seldom)\b|\bsehr selten\b|\btres rarement\b")),
    (
        8.0,
        _words(r"""
        (almost|nearly) always; fast immer; presque toujours; casi siempre; quasi sempre;
        bijna altijd; quase sempre
    """),
    ),
    (
        7.0,
        _words(r"""
        very (often|frequent\w*); sehr (oft|haufig); tres souvent; muy a menudo;
        molto spesso; heel vaak; zeer vaak
    """),
    ),
    (
        6.0,
        _words(r"""
        usually; most of the time; meistens; la plupart du temps; generalmente; meestal;
        normally
    """),
    ),
    (4.5, re.compile(r"\bquite often\b|\bfairly often\b|\bhalf (of )?the time\b")),
    (
        5.0,
        _words(r"""
        often; frequent\w*; regularly; oft; haufig; souvent; a menudo; frecuentemente;
        spesso; vaak; frequentemente
    """),
    ),
    (
        2.0,
        _words(r"""
        rarely; seldom; selten; rarement; rara vez; raramente; zelden; infrequently
    """),
    ),
    (
        3.0,
        _words(r"""
        occasionally; once in a while; now and then; gelegentlich; hin und wieder;
        occasionnellement; de vez en cuando; ocasionalmente; af en toe
    """),
    ),
    (
        3.5,
        _words(r"""
        sometimes; manchmal; parfois; quelquefois; a veces; algunas veces; qualche volta;
        a volte; soms; as vezes
    """),
    ),
    (
        0.0,
        _words(r"""
        never; nie; niemals; jamais; nunca; mai; nooit; not at all; no time at all
    """),
    ),
    (
        9.0,
        _words(r"""
        always; immer; toujours; siempre; sempre; altijd; every time
    """),
    ),
)
#: Schooling, from the lowest; "currently" and its like stand half a step below.
_SCHOOLING: tuple[tuple[float, re.Pattern[str]], ...] = (
    (
        1.0,
        _words(r"""
        less than (a )?high ?school; some high ?school; no (formal )?education
    """),
    ),
    (7.0, re.compile(r"\bdoctor\w*|\bph\.? ?d\b")),
    (6.0, re.compile(r"\bmaster\w*|\bgraduate (degree|school)\b|\bpost ?graduate\b")),
    (
        4.0,
        _words(r"""
        some (college|coll|university); assoc\w*; vocational; apprentice\w*
    """),
    ),
    (5.0, re.compile(r"\bbachelor\w*|\bcollege\b|\bcoll\b|\buniversity\b|\bundergraduate\b")),
    (3.0, re.compile(r"\bhigh ?school\b|\bsecondary\b|\bhs\b")),
    (2.0, re.compile(r"\bprimary\b|\belementary\b")),
)
_PER_YEAR = {"hour": 8760.0, "day": 365.0, "week": 52.0, "month": 12.0, "year": 1.0}
_COUNTS = {"once": 1.0, "twice": 2.0, "a few times": 3.0, "several times": 4.0}
_RATE = re.compile(r"\b(hour|day|week|month|year)s?\b")
#: How long ago, not how often: "within the last 3 months", "a week ago"; but no "twice in the last
#: month".
_AGO = re.compile(
    r"\b(within|in|during|over) (the )?(last|past)\b|\bago\b"
    r"|^(the )?(last|past) (\w+ )?(hour|day|week|month|year)s?$"
)
_TIMES = re.compile(r"\btimes?\b|\bonce\b|\btwice\b|\bevery\b")
_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4, "year": 365.0}
_NEAR = {"just now": 0.0, "today": 0.25, "yesterday": 1.0}
_NUMBER_WORDS = {
    word: float(i)
    for i, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
         "twelve"),
        start=1,
    )
} | {"half": 0.5}  # fmt: skip
_DAILY = {"daily": 365.0, "weekly": 52.0, "monthly": 12.0, "yearly": 1.0, "annually": 1.0}
_LEADING = re.compile(r"^\(?(-?\d{1,2})\s*(?:[.):=\-–—]|\s)\s*\D")
_AMOUNT = re.compile(r"\d[\d.,]*")
_BELOW = _words(r"""
        (less|under|below|up to|fewer|unter|bis|moins|menos|meno|minder); <; ≤
    """)
_ABOVE = _words(r"""
        (more|over|above|older|mehr|uber|ab|plus|mas|piu|meer|higher|upwards); >; ≥; \+
    """)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Answers from low to high; several texts of one level stand together.

    Attributes
    ----------
    levels : tuple of tuple of str
    missing : tuple of str
        Texts that mean "no answer".
    guess : str
        What the order goes by where that is no known answer scale: "how long ago"; else ``""``.
    """

    levels: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    guess: str = ""


def plain(text: str) -> str:
    """Return a text without capitals, accents, and what stands around its words."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss").replace("’", "'"))
    bare = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(bare.strip(" .!?;:*\t").split())


def is_no_answer(text: str) -> bool:
    """Tell whether an answer says that there is none, such as "Don't know"."""
    return _NO_ANSWER.fullmatch(plain(text)) is not None


def is_yes_no(texts: Sequence[str]) -> tuple[str, str] | None:
    """Return "no" and "yes" of two texts that are just that, else None."""
    if len(texts) != 2:
        return None
    for no, yes in ((0, 1), (1, 0)):
        if (plain(texts[no]), plain(texts[yes])) in _YES_NO:
            return texts[no], texts[yes]
    return None


def are_rates(texts: Sequence[str]) -> bool:
    """Tell whether answers say how often in a day, a week or a year."""
    return sum(_RATE.search(plain(t)) is not None for t in texts) > len(texts) / 2


def order_answers(texts: Sequence[str]) -> Ordered | None:
    """Put answers in words into their order, from low to high.

    Parameters
    ----------
    texts : sequence of str
        The different answers to a question.

    Returns
    -------
    Ordered or None
        None where some answer's place is not known, or two that are not the same have one place.

    Notes
    -----
    Tried in this order: numbers at the beginning ("1 - not at all"), how long ago ("within the last
    week"), words of frequency, rates ("once a week"), schooling, words of agreement and the like
    with their strength, amounts ("18 to 24"). Amounts that are nothing but numbers, and scales of
    words, are known; the others are guesses.
    """
    texts = sorted(set(texts))
    missing = tuple(t for t in texts if is_no_answer(t))
    real = [t for t in texts if t not in missing]
    if len(real) < 2:
        return None
    for score, guess in (
        (_leading_number, ""),
        (_how_long_ago, "how long ago"),
        (_how_often, ""),
        (_rate, "how often"),
        (_schooling, "schooling"),
        (_how_much, ""),
        (_amount, "" if all(_is_bare_amount(plain(t)) for t in real) else "the numbers in them"),
    ):
        scores = [score(plain(t)) for t in real]
        known = [s for s in scores if s is not None]
        if len(known) < len(real):
            continue
        levels: dict[float, list[str]] = {}
        for text, value in zip(real, known, strict=True):
            levels.setdefault(value, []).append(text)
        if all(_same_words(level) for level in levels.values()) and len(levels) > 1:
            return Ordered(tuple(tuple(levels[v]) for v in sorted(levels)), missing, guess)
    return None


def _same_words(texts: Sequence[str]) -> bool:
    words = {tuple(sorted(re.findall(r"\w+", plain(t)))) for t in texts}
    return len(words) == 1


def _leading_number(text: str) -> float | None:
    if re.fullmatch(r"-?\d{1,2}", text):
        return float(text)
    found = _LEADING.match(text)
    # "2 to 3 days a week" and "3-5 years" are rates and amounts, not numbered answers.
    if found is None or re.match(r"^\(?\d+\s*(to|-|–)\s*\d", text) or _RATE.search(text):
        return None
    return float(found.group(1)) if re.match(r"^\(?-?\d{1,2}\s*[.):=–—-]", text) else None


def _is_ago(text: str) -> bool:
    return _AGO.search(text) is not None and _TIMES.search(text) is None


def _how_long_ago(text: str) -> float | None:
    """Return about how many days ago, the most recent lowest."""
    if text in _NEAR:
        return _NEAR[text]
    if re.search(r"\bnever\b", text):
        return float("inf")
    units = _RATE.findall(text)
    if not units or not _is_ago(text):
        return None
    numbers = [float(n) for n in re.findall(r"\d+", text)]
    numbers += [value for word, value in _NUMBER_WORDS.items() if word in text.split()]
    days = _DAYS[units[-1]] * (sum(numbers) / len(numbers) if numbers else 1.0)
    if re.search(r"\b(more|longer|over|later) (than )?.*\bago\b|\bor (more|longer)\b", text):
        return days * 1.5
    return days * 0.6 if re.search(r"\bless than\b", text) else days


def _how_often(text: str) -> float | None:
    if _RATE.search(text) and not re.search(r"\bnever\b", text):
        return None
    return next((value for value, pattern in _OFTEN if pattern.search(text)), None)


def _rate(text: str) -> float | None:
    """Return how many times a year, by and large."""
    if _is_ago(text):
        return None
    if re.search(r"\bnever\b|\bnot at all\b", text):
        return 0.0
    for word, value in _DAILY.items():
        if word in text.split():
            return value
    units = _RATE.findall(text)
    if not units:
        return None
    # "2 to 3 days a week" is so many a week.
    year = _PER_YEAR[units[-1]]
    numbers = [float(n) for n in re.findall(r"\d+", text)]
    numbers += [value for word, value in _COUNTS.items() if re.search(rf"\b{word}\b", text)]
    every = re.search(r"\bevery (\d+|other|second)\b", text)
    if every:
        step = float(every.group(1)) if every.group(1).isdigit() else 2.0
        rate = year / step
    else:
        rate = year * (sum(numbers) / len(numbers) if numbers else 1.0)
    if re.search(r"\bless (often|than)\b|\bless frequently\b|\bfewer than\b|\bor less\b", text):
        return rate * 0.6
    return rate * 1.5 if re.search(r"\bmore (often|than)\b|\bor more\b", text) else rate


def _schooling(text: str) -> float | None:
    level = next((value for value, pattern in _SCHOOLING if pattern.search(text)), None)
    if level is None:
        return None
    return (
        level - 0.5 if re.search(r"\b(currently|still|pupil|student|unfinished)\b", text) else level
    )


def _how_much(text: str) -> float | None:
    if text in _NOUNS:
        return _NOUNS[text]
    if _NEUTRAL.search(text):
        return 0.0
    if _NOT_AT_ALL.search(text):
        return -6.0
    strength = next((value for value, pattern in _STRENGTHS if pattern.search(text)), 2.0)
    if _NEGATIVE.search(text):
        # "not much" is more than "not" and less than nothing else: weaker, still below the middle.
        weak = re.search(r"\bnot (very )?(much|so|too|really|particularly)\b", text)
        return -1.2 if weak else -strength
    if re.search(r"\b(hardly|scarcely|barely|kaum|a peine|apenas|appena|nauwelijks)\b", text):
        return -1.0
    # Strength without a word for its direction ("Very much", "A little") speaks for the upper end.
    if _POSITIVE.search(text) or any(pattern.search(text) for _, pattern in _STRENGTHS):
        return strength
    return None


def _amount(text: str) -> float | None:
    """Return about where an amount or a span of amounts stands: its first number, nudged."""
    if _is_ago(text):
        return None
    numbers = [n.rstrip(".,").replace(",", "") for n in _AMOUNT.findall(text)]
    if not numbers:
        return None
    try:
        first = float(numbers[0])
    except ValueError:
        return None
    if _BELOW.search(text) and len(numbers) == 1:
        return first - 0.5
    return first + 0.5 if _ABOVE.search(text) and len(numbers) == 1 else first


def _is_bare_amount(text: str) -> bool:
    """Tell whether a text is numbers, currency, and words such as "to" and "or more" only."""
    rest = _ABOVE.sub(" ", _BELOW.sub(" ", text))
    rest = re.sub(r"\b(to|and|or|than|years?( old)?|yrs?|bis|und|k|usd|eur|from|of)\b", " ", rest)
    return not re.search(r"[^\W\d_]", rest)
