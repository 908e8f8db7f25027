"""Answers in words -> their order: "Strongly agree" above "Agree", in several languages.

An answer is judged against the others of its scale: "nicht zutreffend" is the lowest step beside
"voll zutreffend" and no answer elsewhere. Knows no column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from psychoseg.starter.graded import Graded, grade
from psychoseg.starter.markers import is_mark
from psychoseg.starter.phrases import is_no_answer, is_unsure, read_phrase
from psychoseg.starter.quantities import how_often, is_rate, order_bands
from psychoseg.starter.rates import how_long_ago, is_ago, schooling
from psychoseg.starter.vocabulary import plain

__all__ = [
    "Ordered",
    "are_rates",
    "is_no_answer",
    "is_unsure",
    "is_yes_no",
    "means_nothing",
    "order_answers",
    "plain",
    "propose_order",
    "read_answers",
    "runs_down",
    "told_down",
]

_YES_NO = {
    ("no", "yes"),
    ("n", "y"),
    ("false", "true"),
    ("nein", "ja"),
    ("non", "oui"),
    ("no", "si"),
    ("nee", "ja"),
    ("nao", "sim"),
    ("nie", "tak"),
    ("ne", "ano"),
    ("нет", "да"),
    ("لا", "نعم"),
    ("いいえ", "はい"),
    ("否", "是"),
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
#: A number in front of an answer or behind it: "1 - never", "5 = always", "Agree (4)".
_IN_FRONT = re.compile(r"^\(?(-?\d{1,2})\)?\s*[.):=–—-]+\s*(?=\D)|^(-?\d{1,2})$")
_BEHIND = re.compile(r"(?<!\s)\s*(?:\((-?\d{1,2})\)|\[(-?\d{1,2})\]|[=:–—-]\s*(-?\d{1,2}))$")
#: The same without a sign between, where others are nothing but numbers: "0 Not at all likely".
_BESIDE = re.compile(r"^(-?\d{1,2})(?:\s+(?=[^\W\d])|$)|(?<=[^\W\d])\s+(-?\d{1,2})$")
_BARE = re.compile(r"-?\d{1,2}")
#: Answers it takes to know a scale by, where others on it are not understood.
_KNOWN = 3
#: Of all cells, up to which share texts that nobody understands are slips of the pen.
_SLIPS = 0.02
#: Least steps of a scale whose middle may be an answer such as "not sure".
_BESIDE_MIDDLE = 4
#: Letters by which "applies" and "apply" are one word.
_STEM = 4
#: A scale without a middle reaches from here or below ("not important") up to here or above.
_BOTTOM, _TOP = -1.9, 2.0
#: How often, from almost never to very often.
_SELDOM, _OFTEN = 1.0, 6.0
#: A text in brackets, or after a dash, that explains the answer.
_EXPLAINED = re.compile(r"(?<!\s)(?:\s*\([^()]*\)\s*$|\s+[-–—:]\s+.*$)")


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
    odd : tuple of str
        Texts beside an understood scale that nobody understood.
    asks : tuple of str
        What was decided and should be looked at.
    """

    levels: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    guess: str = ""
    odd: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Tell whether nothing about it is a guess."""
        return not (self.guess or self.odd or self.asks)


def means_nothing(text: str) -> bool:
    """Tell whether a text says, anywhere, that there is no answer: "Don't know", "#N/A"."""
    return is_no_answer(text) or is_mark(text)


def is_yes_no(texts: Sequence[str]) -> tuple[str, str] | None:
    """Return "no" and "yes" of two texts that are just that, else None."""
    if len(texts) != 2:
        return None
    for no, yes in ((0, 1), (1, 0)):
        if (plain(texts[no]), plain(texts[yes])) in _PLAIN_YES_NO:
            return texts[no], texts[yes]
    return None


_PLAIN_YES_NO = {(plain(no), plain(yes)) for no, yes in _YES_NO}


def are_rates(texts: Sequence[str]) -> bool:
    """Tell whether answers say how often in a day, a week or a year."""
    return sum(is_rate(t) for t in texts) > len(texts) / 2


def order_answers(texts: Sequence[str]) -> Ordered | None:
    """Put answers in words into their order, where every one of them is understood.

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
    Tried in this order: numbers in front ("1 - not at all"), how long ago ("within the last week"),
    scales of words, rates ("once a week"), amounts and spans of time ("18 to 24"), schooling.
    Amounts that differ in nothing but their numbers, and scales of words, are known; the others are
    guesses.
    """
    found = read_answers(texts)
    return found if found is not None and not found.odd else None


def read_answers(texts: Sequence[str], counts: Mapping[str, int] | None = None) -> Ordered | None:
    """Put answers in words into their order; some beside an understood scale may stay odd.

    Parameters
    ----------
    texts : sequence of str
        The different answers to a question, or to all questions of a battery.
    counts : mapping of str to int, optional
        How many cells hold each; with it, rare texts that nobody understands are slips of the pen.

    Returns
    -------
    Ordered or None
        None where too little is understood to say what the rest is.
    """
    shares: tuple[float, ...] = ()
    ordered = tuple(sorted(set(texts)))
    if counts is not None:
        total = max(1, sum(counts.get(t, 0) for t in ordered))
        shares = tuple(counts.get(t, 0) / total for t in ordered)
    return _read(ordered, shares)


def propose_order(
    texts: Sequence[str],
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Propose an order of answers that are not understood, for somebody to put right.

    Parameters
    ----------
    texts : sequence of str
        Different answers, without those that mean there is none.

    Returns
    -------
    levels : tuple of tuple of str
        What is understood from low to high, then the rest by the alphabet.
    odd : tuple of str
        The rest; all of them where nothing is understood.
    """
    real = sorted(set(texts))
    graded = _graded(tuple(real)) if len(real) > 1 else None
    known = _levels(graded.places) if graded is not None else ()
    taken = {t for level in known for t in level}
    odd: dict[str, list[str]] = {}
    for text in real:
        if text not in taken:
            odd.setdefault(plain(text), []).append(text)
    rest = tuple(tuple(odd[key]) for key in sorted(odd))
    return (*known, *rest), tuple(t for level in rest for t in level)


def told_down(lowest: str, highest: str) -> str:
    """Say that a high code means the lower answer."""
    return (
        f'the scale runs from "{lowest}" to "{highest}", so that a high answer means less: turn '
        "the codes round if it should mean more"
    )


def runs_down(texts: Sequence[str]) -> bool:
    """Tell whether texts in the order of their codes say ever less, as far as they are understood.

    Numbers in them, and texts that are not understood, do not count.
    """
    words = [_without_number(t) for t in texts]
    said = [w for w in words if re.search(r"[^\W\d_]", w) and not means_nothing(w)]
    graded = _graded(tuple(sorted(set(said)))) if len(set(said)) > 1 else None
    if graded is None:
        return False
    places = [graded.places[w] for w in said if w in graded.places]
    return len(places) > 1 and all(a > b for a, b in pairwise(places))


def _without_number(text: str) -> str:
    for pattern in (_IN_FRONT, _BEHIND, _BESIDE):
        text = pattern.sub("", text.strip())
    return text


@lru_cache(maxsize=4096)
def _read(texts: tuple[str, ...], shares: tuple[float, ...]) -> Ordered | None:
    share_of = dict(zip(texts, shares, strict=False))
    numbered = _numbered(texts)
    if numbered is not None:
        return numbered
    blank = tuple(t for t in texts if is_mark(t))
    none = tuple(t for t in texts if t not in blank and (is_no_answer(t) or is_unsure(t)))
    real = [t for t in texts if t not in blank and t not in none]
    if len(real) < 2:
        return None
    by_time = _scored(real, blank + none, lambda t: how_long_ago(plain(t)), "how long ago")
    if by_time is not None:
        return by_time
    graded = _graded(tuple(real))
    if graded is not None and not graded.odd:
        return _of_graded(graded, blank, none)
    if not any(is_ago(plain(t)) for t in real):
        rates = _scored(real, blank + none, how_often, "how often")
        if rates is not None:
            return rates
        bands = order_bands(real)
        if bands is not None:
            rank = {place: i for i, place in enumerate(sorted(set(bands.places.values())))}
            levels = _levels({t: float(rank[bands.places[t]]) for t in real})
            return Ordered(levels, blank + none, "" if bands.sure else "the numbers in them")
    schools = _scored(real, blank + none, lambda t: schooling(plain(t)), "schooling")
    if schools is not None:
        return schools
    if graded is None or not _may_stand(graded, share_of):
        return None
    return _of_graded(graded, blank, none)


def _scored(
    real: Sequence[str], missing: tuple[str, ...], score: Callable[[str], float | None], guess: str
) -> Ordered | None:
    known = {t: s for t in real if (s := score(t)) is not None}
    levels = _levels(known)
    return Ordered(levels, missing, guess) if len(known) == len(real) and levels else None


def _levels(places: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Return texts by their places; nothing where different texts have one."""
    levels: dict[float, list[str]] = {}
    for text, place in places.items():
        levels.setdefault(place, []).append(text)
    if len(levels) < 2 or not all(_same_words(level) for level in levels.values()):
        return ()
    return tuple(tuple(sorted(levels[place])) for place in sorted(levels))


def _same_words(texts: Sequence[str]) -> bool:
    words = {tuple(sorted(re.findall(r"\w+", plain(t)))) for t in texts}
    return len(words) == 1


@lru_cache(maxsize=4096)
def _graded(texts: tuple[str, ...]) -> Graded | None:
    """Grade answers; where that leaves some odd, without what explains them."""
    whole = grade(texts)
    if whole is not None and not whole.odd and _levels(whole.places):
        return whole
    short = {t: _EXPLAINED.sub("", t) or t for t in texts}
    if len({plain(s) for s in short.values()}) == len({plain(t) for t in texts}):
        bare = grade(sorted(set(short.values())))
        if bare is not None and not bare.odd:
            places = {t: bare.places[short[t]] for t in texts}
            if _levels(places):
                return replace(bare, places=places)
    return whole if whole is not None and _levels(whole.places) else None


def _of_graded(graded: Graded, blank: tuple[str, ...], none: tuple[str, ...]) -> Ordered:
    places = dict(graded.places)
    asks = [f'the order of "{a}" and "{b}" is a guess' for a, b in graded.close]
    missing = list(blank)
    for text in none:
        place = _shared_word(text, graded)
        if place is not None and _levels({**places, text: place}):
            places[text] = place
        elif is_unsure(text) and _lacks_middle(graded, none):
            places[text] = 0.0
            asks.append(
                f'"{text}" was taken for the middle of the scale; if it means no answer, move it '
                "to missing"
            )
        else:
            missing.append(text)
    if graded.middle and not graded.family and (graded.unknown or not graded.balanced):
        middles = sorted(t for t, place in places.items() if place == 0.0)
        asks += [f'the place of "{text}" is a guess' for text in middles[:1]]
    if graded.odd:
        shown = ", ".join(f'"{t}"' for t in graded.odd)
        asks.append(
            f"{shown} {'was' if len(graded.odd) == 1 else 'were'} not understood and "
            f"{'is' if len(graded.odd) == 1 else 'are'} taken for no answer; if it is a step of "
            "the scale, write it into codes at its place"
        )
    return Ordered(
        _levels(places),
        tuple(sorted((*missing, *graded.odd))),
        odd=graded.odd,
        asks=tuple(asks),
    )


def _shared_word(text: str, graded: Graded) -> float | None:
    """Return where a text stands that says with the scale's own word that there is none."""
    mine = read_phrase(plain(text), graded.language, often=False)
    if mine is None or not mine.words:
        return None
    used = {
        word[:_STEM]
        for t in graded.places
        if (said := read_phrase(plain(t), graded.language, often=False)) is not None
        for word in said.words
    }
    if not {word[:_STEM] for word in mine.words} <= used:
        return None
    again = grade(sorted((*graded.places, text)))
    if again is None or text in again.odd or again.family != graded.family:
        return None
    return again.places[text]


def _lacks_middle(graded: Graded, none: Sequence[str]) -> bool:
    """Tell whether a scale with as many steps above as below has room for one in the middle."""
    return (
        graded.balanced
        and not graded.middle
        and not graded.odd
        and len(set(graded.places.values())) >= _BESIDE_MIDDLE
        and len({plain(t) for t in none if is_unsure(t)}) == 1
    )


def _may_stand(graded: Graded, share_of: Mapping[str, float]) -> bool:
    """Tell whether a scale is known well enough to leave out what nobody understands."""
    levels = sorted(set(graded.places.values()))
    if len(levels) < _KNOWN:
        return False
    if share_of and sum(share_of.get(t, 1.0) for t in graded.odd) <= _SLIPS:
        return True
    if len(graded.odd) > 1:
        return False
    if graded.often:
        return levels[0] < _SELDOM and levels[-1] > _OFTEN
    two_sided = graded.balanced and (graded.middle or len(levels) >= _BESIDE_MIDDLE)
    return two_sided or (levels[0] <= _BOTTOM and levels[-1] >= _TOP)


def _numbered(texts: Sequence[str]) -> Ordered | None:
    """Order answers by the numbers that stand in front of them or behind."""
    bare = sum(_BARE.fullmatch(t.strip()) is not None for t in texts)
    for pattern in (_IN_FRONT, _BEHIND, *((_BESIDE,) if bare > 1 else ())):
        numbers: dict[str, float] = {}
        words: dict[str, str] = {}
        for text in texts:
            found = pattern.search(text.strip())
            if found is not None:
                numbers[text] = float(next(g for g in found.groups() if g is not None))
                words[text] = pattern.sub("", text.strip())
        other = [t for t in texts if t not in numbers]
        if any(words.values()) and all(means_nothing(t) for t in other) and not _are_spans(texts):
            return _of_numbers(numbers, words, tuple(other))
    return None


def _are_spans(texts: Sequence[str]) -> bool:
    """Tell whether "2-3 days a week" and "18-24" are what looks like numbered answers."""
    return any(re.match(r"^\(?\d+\s*(to|-|–)\s*\d", t.strip()) or is_rate(t) for t in texts)


def _of_numbers(
    numbers: Mapping[str, float], words: Mapping[str, str], other: tuple[str, ...]
) -> Ordered | None:
    ends = [n for t, n in numbers.items() if not means_nothing(words[t])]
    missing = tuple(
        t
        for t, n in numbers.items()
        if means_nothing(words[t]) and not (is_unsure(words[t]) and min(ends) < n < max(ends))
    )
    steps = {t: n for t, n in numbers.items() if t not in missing}
    said = tuple(sorted({words[t] for t in steps if words[t]}))
    graded = _graded(said) if len(said) > 1 else None
    if graded is not None and missing:
        back = {t for t in missing if _shared_word(words[t], graded) is not None}
        steps |= {t: numbers[t] for t in back}
        missing = tuple(t for t in missing if t not in back)
    levels: dict[float, list[str]] = {}
    for text, number in sorted(steps.items()):
        levels.setdefault(number, []).append(text)
    if len(levels) < 2 or not all(
        len({plain(words[t]) for t in level}) == 1 for level in levels.values()
    ):
        return None
    by_number = tuple(tuple(levels[n]) for n in sorted(levels))
    asks: tuple[str, ...] = ()
    if graded is not None and len(said) == len(levels) == len(graded.places) and not graded.close:
        places = [graded.places[words[level[0]]] for level in by_number]
        if places == sorted(places, reverse=True):
            by_number = by_number[::-1]
            asks = ("the numbers in the answers run the other way; here they go from low to high",)
        elif places != sorted(places):
            asks = ("the numbers in the answers are not in the order of their words: check",)
    elif runs_down([level[0] for level in by_number]):
        asks = (told_down(by_number[0][0], by_number[-1][0]),)
    return Ordered(by_number, tuple(sorted((*missing, *other))), asks=asks)
