"""One column at a time -> what it may be: an id, a weight, a date, an answer scale, open text.

Owns the words that names and labels are recognised by, and the look at a column's answers. Which
columns belong together is for ``batteries`` and ``choices`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.starter.answers import is_no_answer, plain
from psychoseg.starter.markers import is_no_number, is_several_numbers
from psychoseg.starter.paradata import (
    clock_share,
    is_duration_name,
    is_paradata_name,
    is_timing_name,
    mostly_short,
)
from psychoseg.survey.raw import Field, TextTable, parse_number

__all__ = [
    "Kind",
    "Looked",
    "demographic",
    "is_id_name",
    "is_named_like_id",
    "is_named_like_weight",
    "is_weight_name",
    "look_at_columns",
    "words_of",
]

Kind = Literal[
    "empty",
    "constant",
    "id",
    "weight",
    "duration",
    "timing",
    "date",
    "personal",
    "technical",
    "token",
    "list",
    "text",
    "numeric",
    "categories",
    "many",
]

#: More different answers than this cannot be read as categories; as in ``survey.coding``.
MANY_CATEGORIES = 30
#: Open text: this share of the answers given are different ones, or they have this many words.
_TEXT_SHARE, _TEXT_WORDS = 0.25, 4.0
#: A list of choices ("a; b; c"): at most so many different parts, given in so many rows.
_LIST_PARTS, _LIST_SHARE = 40, 0.15
#: Cells amid numbers that are neither numbers nor a mark for "no answer".
_SLIP_SHARE = 0.02
#: Share of the answers that are hours, minutes and seconds in a column of durations.
_CLOCK_SHARE = 0.9
#: A number above this is no rating but a time.
_HIGHEST_RATING = 10
#: A weight has a mean around one, or at least far from a body's weight in kilograms.
_WEIGHT_MEAN = (0.3, 20.0)

_LIST_OF_CODES = re.compile(r"\d{1,2}(( ?[,;|/] ?| )\d{1,2})*")

_ID = re.compile(
    r"(^|[_ .])(uu|gu|resp|respondent|response|case|participant|subject|user|customer|client|panel|"
    r"person|member|student|record|interview|survey|session|psra|url|cust|worker|prolific)?[_ ]?"
    r"(id|ids|key|code|no|nr|num|number|serial|token)$|^(uuid|guid|id|record|serial|case|vpn|code)$"
)
#: Who is numbered, where the name of the column says no more.
_PERSON = re.compile(
    r"(teilnehmer|teilnehmerin|proband|probandin|befragter?|versuchsperson|vpn?|interview|"
    r"respondente?|participante?|sujet|repondant|encuestado|deelnemer|respondentin|uczestnik|"
    r"respondent|participant|subject|person)( ?(nr|no|num|nummer|number|code|id))?"
)
#: Names that count people: P0, P1, ...
_NUMBERED_NAME = re.compile(r"([^\W\d_]{1,12}[-_ .]?)0*\d+")
_WEIGHT = re.compile(
    r"(^|[_ .])(weight|weights|wt|wgt|wght|gewicht|gewichtung|poids|peso|pond|ponderation|weging|"
    r"weightvar|wtss|wtssall|wtssnr|wtssps|pweight|dweight|pspwght|anweight|llweight|cellweight|"
    r"weging|design_?weight|post_?strat\w*)([_ .]?\d*)?$|^wp\d+\w+$|[_ .]weight$|"
    r"^(weight|wgt|wght|wt|gewicht|pond) (final|trim\w*|rak\w*|adj\w*|norm\w*)$"
)
#: Numbers of households, shops or interviewers: not one for each respondent. "ideal" is none.
_NUMBERED = re.compile(r"^id(?!e|l|i)|id$|hous(e|hold)?[_. ]?(id|no|nr)$")
#: So many different ones among the answers, and more than there can be categories.
_NUMBERED_SHARE = 0.2
#: Mean weights of bodies, in kilograms or pounds.
_BODY_MEAN = (30.0, 250.0)
_BODY = re.compile(r"\b(kg|kilo\w*|lbs?|pounds|body|bmi|height|loss|diet|conscious\w*)\b")
_PERSONAL = re.compile(
    r"e ?mail( ?address)?|ip( ?address)?|ipadresse|(first|last|full|sur|given|family)? ?names?|"
    r"recipient (first|last)? ?(name|email)|recipient ?(first|last)? ?name|telephone|"
    r"phone( number)?|"
    r"mobile( number)?|address( line)? ?\d?|street|zip( code)?|post(al)? ?code|plz|"
    r"(location ?)?(latitude|longitude)|location ?accuracy|vorname|nachname|telefon\w*|adresse"
)
_TECHNICAL = re.compile(
    r"(start|end|recorded|created|submit(ted)?|last ?resp|completed)? ?(date|time)( ?stamp)?"
    r"|response ?set|status|finished|progress|external ?(data)? ?reference|distribution ?channel"
    r"|user ?language|collector ?id|recipient\w*|screen ?[wh]|user ?agent|browser( version)?"
    r"|operating ?system|resolution|custom data \d|response ?type|test ?respondents?"
)
#: What a hash or a key looks like.
_TOKEN = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
#: An IPv6 address has three colons at least, so that 00:01:02 is none.
_IP = re.compile(r"\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){3,7}")
_PHONE = re.compile(r"\+?[\d ()/.-]{9,18}")
_DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}([ T,].*)?"
    r"|\d{4}[./]\d{1,2}[./]\d{1,2}([ T].*)?|(19|20)\d{12}|"
    r"\d{1,2}:\d{2}(:\d{2})?([.]\d+)?( ?[AaPp][Mm])?"
)
#: A demographic by the words of its name or label: what it is -> the words.
_DEMOGRAPHICS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("age", r"age|alter|edad|leeftijd|eta|idade|recage|agegroup|age ?group|how old.*|"
                r"year ?birth|birth ?(year|yr)|year of birth|birthyr"),
        ("gender", r"gender|sex|geschlecht|genre|genero|geslacht|sesso|sexo|sexe"),
        ("education", r"education|educ|receduc|degree|bildung\w*|schulabschluss|etudes|estudios|"
                      r"opleiding|qualification|highest (level of )?education.*|schooling"),
        ("income", r"income|rincome|household income|salary|einkommen|revenu|ingresos|inkomen|"
                   r"earnings"),
        ("region", r"region|cregion|state|country|county|province|location.*|bundesland|land|pays|"
                   r"pais|city|town|urban\w*|city ?size|population density|residence|"
                   r"village town|zip"),
        ("marital", r"marital( status)?|marital_?status|married|relationship( status)?|"
                    r"familienstand|civil status"),
        ("work", r"employment( status)?|work ?status|occupation|job|profession|beruf\w*|"
                 r"employed|working"),
        ("household", r"children|kids|number of (children|kids|siblings)|siblings|household ?size|"
                      r"family ?size|hhsize|only child|kidhome|teenhome|living arrangements?|"
                      r"own ?home"),
        ("ethnicity", r"race|ethnic\w*|racethn\w*|nationality|nation|language|engnat|native"),
        ("religion", r"religion|relig|denomination|denom"),
        ("politics", r"party|partyid|party ?id|partyln|ideology|voted?|politics"),
        ("other", r"hand(edness)?|orientation|height|weight|left right handed|house block of flats|"
                  r"village town|familysize|plan|status|segment|cell"),
    )
)  # fmt: skip
#: Demographics whose codes are names and not amounts.
NAMES = {"gender", "region", "marital", "work", "ethnicity", "religion", "politics"}


@dataclass(frozen=True, slots=True)
class Looked:
    """One column and what was seen in it.

    Attributes
    ----------
    name, label, question : str
        As the file has them; ``""`` for none.
    position : int
        In the file, from 0.
    kind : str
    demographic : str
        What it asks of a person ("age", "gender", ...), ``""`` where its name does not say.
    texts : tuple of str
        Its different answers, sorted: numbers as numbers, then texts.
    counts : ndarray of int
        How often each was given.
    codes : ndarray of int, shape (n,)
        Which of ``texts`` each row holds, -1 for none.
    numbers : ndarray of float
        Each of ``texts`` as a number, NaN where it is none.
    field : Field
    """

    name: str
    label: str
    question: str
    position: int
    kind: Kind
    demographic: str
    texts: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    codes: npt.NDArray[np.intp]
    numbers: npt.NDArray[np.float64]
    field: Field

    @property
    def answered(self) -> int:
        """Return how many rows hold an answer."""
        return int(self.counts.sum())

    @property
    def wording(self) -> str:
        """Return the label, or the name where there is none."""
        return self.label or self.name

    @property
    def all_numbers(self) -> bool:
        """Tell whether every answer is a number."""
        return not bool(np.isnan(self.numbers).any())

    def count_of(self) -> dict[str, int]:
        """Return how often each answer was given."""
        return dict(zip(self.texts, self.counts.tolist(), strict=True))


def look_at_columns(table: TextTable) -> list[Looked]:
    """Look at every column of a file, in file order."""
    names = [str(name) for name in table.cells.columns]
    n = len(table.cells)
    return [
        _look(name, position, table.cells[name], table.fields[name], n)
        for position, name in enumerate(names)
    ]


def words_of(text: str) -> str:
    """Return a name as plain words: ``MonthsSubscribed_2`` as ``months subscribed 2``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[^\w]+|_", " ", plain(parted)).split())


def demographic(name: str, label: str) -> str:
    """Return what a column asks of a person, by its name or label; ``""`` where neither says."""
    for text in (name, re.sub(r"^[A-Za-z]{0,3}\d+[a-z]?[.:]\s*", "", label)):
        words = words_of(text)
        for what, pattern in _DEMOGRAPHICS:
            if pattern.fullmatch(words):
                return what
    return ""


def is_named_like_id(column: Looked) -> bool:
    """Tell whether numbers are named like ids and are many different whole ones."""
    return (
        _NUMBERED.search(column.name.lower()) is not None
        and not column.field.value_labels
        and column.all_numbers
        and bool((column.numbers % 1 == 0).all())
        and len(column.texts) > max(MANY_CATEGORIES, _NUMBERED_SHARE * column.answered)
    )


def is_id_name(name: str) -> bool:
    """Tell whether a column is named like an id of a person, whatever it holds."""
    words = words_of(name)
    return bool(_ID.search(words) or _ID.search(words.replace(" ", "")) or _PERSON.fullmatch(words))


def is_weight_name(name: str, label: str) -> bool:
    """Tell whether a column is named like a survey weight, whatever it holds."""
    return bool(_WEIGHT.search(words_of(name))) and not _BODY.search(words_of(label))


def is_named_like_weight(column: Looked) -> bool:
    """Tell whether fractions are named like survey weights, whatever their mean."""
    named = _WEIGHT.search(words_of(column.name))
    if not named or _BODY.search(words_of(column.label)) or not column.all_numbers:
        return False
    if column.field.value_labels or (column.numbers < 0).any() or (column.numbers % 1 == 0).all():
        return False
    mean = float((column.numbers * column.counts).sum() / column.answered)
    return not _BODY_MEAN[0] <= mean <= _BODY_MEAN[1]


def _look(name: str, position: int, column: pd.Series, field: Field, n: int) -> Looked:
    codes, uniques = pd.factorize(column.to_numpy(dtype=object))
    texts = [str(text) for text in uniques]
    numbers = [parse_number(text, field.decimal) if text else None for text in texts]

    def place(i: int) -> tuple[int, float, str]:
        number = numbers[i]
        return (1, 0.0, texts[i]) if number is None else (0, number, texts[i])

    # Sorted, so that nothing depends on which answer the file happens to hold first.
    order = sorted((i for i, text in enumerate(texts) if text), key=place)
    new = np.full(len(texts) + 1, -1, dtype=np.intp)
    new[order] = np.arange(len(order))
    codes = new[codes]
    counts = np.bincount(codes[codes >= 0], minlength=len(order)).astype(np.int64)
    values = np.asarray(
        [np.nan if (v := numbers[i]) is None else v for i in order], dtype=np.float64
    )
    shown = tuple(texts[i] for i in order)
    seen = Looked(
        name, field.label, field.question, position, "categories", demographic(name, field.label),
        shown, counts, codes, values, field,
    )  # fmt: skip
    kind = _kind(seen, n)
    return Looked(
        name, field.label, field.question, position, kind, seen.demographic,
        shown, counts, codes, values, field,
    )  # fmt: skip


def _kind(seen: Looked, n: int) -> Kind:
    words, label = words_of(seen.name), words_of(seen.label)
    if not len(seen.texts):
        return "empty"
    special = _special(seen, words, label, n)
    if special is not None:
        return special
    if len(seen.texts) == 1:
        return "constant"
    if _are_lists_of_codes(seen):
        return "list"
    if seen.all_numbers:
        labelled = _labelled(seen.field.value_labels, seen.texts)
        return "categories" if labelled else "numeric"
    return _kind_of_texts(seen)


def _special(seen: Looked, words: str, label: str, n: int) -> Kind | None:
    """Return what a column is beside an answer: personal, a date, an id, a weight, a duration."""
    few = len(seen.texts) <= MANY_CATEGORIES and len(seen.texts) < 0.5 * seen.answered
    for pattern in (_EMAIL, _IP):
        if _share(seen, pattern) > 0.5:
            return "personal"
    if _PERSONAL.fullmatch(words) and not (few and len(seen.texts) > 1):
        return "personal"
    if re.fullmatch(r".*(phone|mobile|telefon).*", words) and _share(seen, _PHONE) > 0.5:
        return "personal"
    named = is_duration_name(words) or is_duration_name(label)
    if clock_share(seen.texts, seen.counts) >= _CLOCK_SHARE and (
        named or mostly_short(seen.texts, seen.counts)
    ):
        return "duration"
    if _share(seen, _DATE) >= 0.9 and not seen.field.value_labels:
        return "date"
    if _is_id(seen, words, n):
        return "id"
    if _share(seen, _TOKEN) > 0.5 and not seen.field.value_labels:
        return "token"
    if _is_weight(seen, words, label):
        return "weight"
    known = seen.numbers[~np.isnan(seen.numbers)]
    if named and len(known) > 2 and (known >= 0).all() and seen.all_numbers:
        return "duration"
    if is_timing_name(words) and _may_be_time(known) and not seen.field.value_labels:
        return "timing"
    if is_paradata_name(words):
        return "technical"
    if _TECHNICAL.fullmatch(words) and not seen.demographic:
        return "technical"
    if all(text[0] in "[{" and text[-1] in "]}" for text in seen.texts):
        return "technical"
    if _TECHNICAL.fullmatch(label) or re.match(r"page \w+ was viewed$", label):
        return "technical"
    return None


def _may_be_time(numbers: npt.NDArray[np.float64]) -> bool:
    """Tell whether numbers are no ratings: many of them, or fractions, none below zero."""
    if len(numbers) < 2 or (numbers < 0).any():
        return False
    return bool(numbers.max() > _HIGHEST_RATING or (numbers % 1 != 0).any())


def _share(seen: Looked, pattern: re.Pattern[str]) -> float:
    met = np.array([pattern.fullmatch(text) is not None for text in seen.texts], dtype=bool)
    return float(seen.counts[met].sum() / max(1, seen.answered))


def _is_id(seen: Looked, words: str, n: int) -> bool:
    if len(seen.texts) < max(2, 0.98 * n) or seen.field.value_labels:
        return False
    if is_id_name(seen.name):
        return True
    if re.fullmatch(r"column 1", words) or re.fullmatch(
        r"(unnamed.*|index|row ?(no|names?)?|x|order)", words
    ):
        return True
    whole = seen.all_numbers and bool((seen.numbers % 1 == 0).all())
    # Whole numbers that nobody shares are ids where they are long, or count the rows.
    counting = whole and np.array_equal(np.diff(seen.numbers), np.ones(len(seen.numbers) - 1))
    long = whole and bool((seen.numbers >= 1e5).all())
    token = not seen.all_numbers and all(
        " " not in t and len(t) >= 8 and any(c.isdigit() for c in t) for t in seen.texts
    )
    numbered = {m.group(1) if (m := _NUMBERED_NAME.fullmatch(t)) else "" for t in seen.texts}
    named = len(numbered) == 1 and "" not in numbered
    return n > 20 and (counting or long or token or named)


def _is_weight(seen: Looked, words: str, label: str) -> bool:
    named = _WEIGHT.search(words) or re.fullmatch(
        r"(survey |sampling |design )?weight(ing)?s?", label
    )
    if not named or _BODY.search(label) or not seen.all_numbers or seen.field.value_labels:
        return False
    mean = float((seen.numbers * seen.counts).sum() / seen.answered)
    whole = bool((seen.numbers % 1 == 0).all())
    low, high = _WEIGHT_MEAN
    return bool((seen.numbers >= 0).all()) and low <= mean <= high and not (whole and mean > 5)


def _labelled(labels: Mapping[str, str], texts: tuple[str, ...]) -> bool:
    return bool(labels) and sum(text in labels for text in texts) >= 0.5 * len(texts)


def _kind_of_texts(seen: Looked) -> Kind:
    if _labelled(seen.field.value_labels, seen.texts):
        return "categories"
    answers = [t for t in seen.texts if not is_no_answer(t)]
    is_number = ~np.isnan(seen.numbers)
    if is_number.sum() > 12 and seen.counts[is_number].sum() > 0.9 * seen.answered:
        return "numeric"
    if _is_list(seen):
        return "list"
    if _are_numbers_with_odd_cells(seen):
        return "numeric"
    words = sum(len(t.split()) for t in answers) / max(1, len(answers))
    different = len(answers) / seen.answered
    if len(answers) > 10 and different > 0.1 and words >= _TEXT_WORDS:
        return "text"
    if len(answers) > MANY_CATEGORIES:
        return "text" if different > _TEXT_SHARE else "many"
    # "Other (please specify)": a few people, each with words of their own.
    if seen.answered >= 1 and different > 0.7 and len(answers) == seen.answered and words >= 1.5:
        return "text"
    return "categories"


def _are_numbers_with_odd_cells(seen: Looked) -> bool:
    """Tell whether answers are numbers but for marks, and for a few cells that are neither."""
    known = ~np.isnan(seen.numbers)
    if known.sum() < 2:
        return False
    slips = 0
    for text, is_number, count in zip(seen.texts, known, seen.counts.tolist(), strict=True):
        if is_number or is_no_number(text) or is_no_answer(text):
            continue
        # "5 or more" and "Very sensitive 7" are answers.
        if any(c.isdigit() for c in text) and not is_several_numbers(text):
            return False
        slips += count
    return slips <= max(1.0, _SLIP_SHARE * float(seen.counts[known].sum()))


def _are_lists_of_codes(seen: Looked) -> bool:
    """Tell whether answers are codes of several choices in one cell: "1,4", "2", "1,3,4".

    Decimals such as "1,4" and "3,1" are told by their order: the codes of a list go up.
    """
    if seen.field.value_labels or len(seen.texts) < 3:
        return False
    several = 0
    for text, count in zip(seen.texts, seen.counts.tolist(), strict=True):
        if not _LIST_OF_CODES.fullmatch(text):
            return False
        parts = [int(part) for part in re.split(r"\D+", text)]
        if max(parts) > _LIST_PARTS or any(a >= b for a, b in pairwise(parts)):
            return False
        several += count if len(parts) > 1 else 0
    return several >= _LIST_SHARE * seen.answered


def _is_list(seen: Looked) -> bool:
    """Tell whether answers are several choices in one cell, parted by ";" or ","."""
    for mark in (";", ",", "|", "\n"):
        parted = [[p.strip() for p in t.split(mark) if p.strip()] for t in seen.texts]
        several = np.array([len(p) > 1 for p in parted], dtype=bool)
        parts = {p for row in parted for p in row}
        if (
            seen.counts[several].sum() >= _LIST_SHARE * seen.answered
            and 2 < len(parts) <= _LIST_PARTS
            and len(parts) < len(seen.texts)
            and all(len(p) <= 60 for p in parts)
        ):
            return True
    return False
