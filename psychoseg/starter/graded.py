"""Answers in words -> their places on one scale, each held against the others.

An answer is a step only where it shares what is asked with the rest, or is a known middle or end.
Owns which answers make a scale. Single words are for ``phrases``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from psychoseg.starter.phrases import Said, read_phrase
from psychoseg.starter.vocabulary import PLACE, languages, plain

__all__ = ["Graded", "grade"]

#: Where "not at all" and its like stand: below everything.
_NEVER = -6.0
#: "not <so much>", where the vocabulary does not have it as a phrase; from the strength of "fully"
#: on it may say no more than "less than completely".
_NOT_SO, _NOT_FULLY, _FULL = 1.3, 0.3, 3.4
#: Two steps nearer than this are in an order that not everybody would give them.
_CLOSE = 0.24
#: Per step of strength, what a qualifier moves a word that has a place of its own, or a "little".
_NUDGE, _MORE_LITTLE = 0.3, 0.5
#: How often, where a word stands with a qualifier: "very" moves it outwards.
_OFTEN_WORD, _SELDOM_WORD = 4.5, 2.7
_NO_FAMILY = ""
_YES = "yes"


@dataclass(frozen=True, slots=True)
class Graded:
    """Places of answers.

    Attributes
    ----------
    places : dict of str to float
        Each answer that was understood.
    odd : tuple of str
        Those that were not.
    close : tuple of (str, str)
        Neighbours whose order not everybody would give, from low to high.
    balanced : bool
        As many steps above the middle as below.
    family : str
        Of scales; ``""`` where what is asked is no word of the vocabulary.
    language : str
    often : bool
        The words say how often.
    unknown : tuple of str
        Words that say what is asked and are none of the vocabulary's.
    middle : bool
        A step stands in the middle.
    """

    places: dict[str, float]
    odd: tuple[str, ...]
    close: tuple[tuple[str, str], ...]
    balanced: bool
    family: str
    language: str
    often: bool
    unknown: tuple[str, ...]
    middle: bool


def grade(texts: Sequence[str]) -> Graded | None:
    """Place answers in words on one scale, in the language that understands most of them.

    Parameters
    ----------
    texts : sequence of str
        Different answers, in an order that does not depend on the file.

    Returns
    -------
    Graded or None
        None where fewer than two steps are understood, or two languages say different things.
    """
    best: list[Graded] = []
    for language in languages():
        for often in (False, True):
            found = _grade(texts, language.code, often=often)
            if found is None:
                continue
            if not best or len(found.odd) < len(best[0].odd):
                best = [found]
            elif len(found.odd) == len(best[0].odd):
                best.append(found)
    if not best:
        return None
    first = min(best, key=lambda g: (len(g.close), g.family == _NO_FAMILY))
    orders = {_order(g) for g in best if len(g.close) == len(first.close)}
    return first if len(orders) == 1 else None


def _order(graded: Graded) -> tuple[tuple[str, ...], ...]:
    levels: dict[float, list[str]] = {}
    for text, place in graded.places.items():
        levels.setdefault(place, []).append(text)
    return tuple(tuple(sorted(levels[place])) for place in sorted(levels))


def _grade(texts: Sequence[str], code: str, *, often: bool) -> Graded | None:
    said = {t: s for t in texts if (s := read_phrase(plain(t), code, often=often)) is not None}
    if often:
        said = {t: s for t, s in said.items() if s.often is not None or _is_end(s)}
        if sum(s.often is not None for s in said.values()) < 2:
            return None
    family, rest = _asked(said)
    scale = {
        t: s
        for t, s in said.items()
        if (s.bare or _belongs(s, family, rest)) and not (s.bare and s.rest)
    }
    signs = {v > 0 for s in scale.values() if (v := dict(s.families).get(family))}
    two_sided = len(signs) > 1
    turn = -1.0 if signs == {False} and not two_sided else 1.0
    places: dict[str, float] = {}
    for text, s in scale.items():
        place = _often(s) if often else _place(s, family, two_sided=two_sided, turn=turn)
        if place is not None:
            places[text] = place
    if len(set(places.values())) < 2:
        return None
    if not often and sum(_says_much(said[t]) for t in places) < 2:
        return None
    below = {v for v in places.values() if v < 0}
    above = {v for v in places.values() if v > 0}
    middle = not often and 0.0 in places.values()
    moved = ""
    if middle and not two_sided and len(below) != len(above):
        moved = _to_median(places)
    by_place = sorted(places, key=lambda t: (places[t], t))
    close = tuple(
        (a, b)
        for a, b in pairwise(by_place)
        if 0 < places[b] - places[a] < _CLOSE
        or -_NOT_FULLY in (places[a], places[b])
        or moved in (a, b)
    )
    odd = tuple(t for t in texts if t not in places)
    return Graded(places, odd, close, len(below) == len(above), family, code, often, rest, middle)


def _to_median(places: dict[str, float]) -> str:
    """Move a middle to where as many steps stand above as below; return it, ``""`` for none.

    On a scale of one word "neutral" may stand above "slightly important".
    """
    others = sorted({v for v in places.values() if v != 0})
    if len(others) % 2:
        return ""
    half = len(others) // 2
    middles = sorted(t for t, v in places.items() if v == 0)
    for text in middles:
        places[text] = (others[half - 1] + others[half]) / 2
    return middles[0]


def _is_end(said: Said) -> bool:
    return said.bare and said.turned == "never"


def _says_much(said: Said) -> bool:
    """Tell whether an answer says how much, and not only of what."""
    return bool(said.families or said.strength or said.turned or said.answer)


def _asked(said: dict[str, Said]) -> tuple[str, tuple[str, ...]]:
    """Return what most answers ask about: a family of scales and the words beside it."""
    counts: dict[tuple[str, tuple[str, ...]], int] = {}
    for s in said.values():
        if (s.middle or s.alone) and not s.rest:
            continue
        for family, _ in s.families or (((_NO_FAMILY, 0.0),) if s.rest else ()):
            counts[family, s.rest] = counts.get((family, s.rest), 0) + 1
    if not counts:
        return _NO_FAMILY, ()
    return max(counts, key=lambda key: (counts[key], -len(key[1]), key[0] != _NO_FAMILY, key))


def _belongs(said: Said, family: str, rest: tuple[str, ...]) -> bool:
    if said.middle and not said.rest and (not said.families or family in dict(said.families)):
        return True
    if said.alone:
        return True
    return said.rest == rest and (family in dict(said.families) or family == _NO_FAMILY)


def _place(said: Said, family: str, *, two_sided: bool, turn: float) -> float | None:
    """Return where an answer stands, None where it has no place on this scale."""
    if said.middle:
        return 0.0 if said.strength is None else None
    word = dict(said.families).get(family)
    if word is None and (said.alone == "never" or (said.alone and (two_sided or said.families))):
        return _NEVER if said.alone == "never" else 0.0
    if said.bare and two_sided and not said.answer and not (said.turned and family == _YES):
        # "Somewhat" of what, where there is "satisfied" and "dissatisfied"?
        return None
    if word is None and not said.bare and family != _NO_FAMILY:
        return None
    if said.answer and family not in (_NO_FAMILY, _YES):
        return None
    if said.answer == "no":
        return -(said.strength or PLACE)
    side = turn * (1.0 if word is None or word > 0 else -1.0)
    if said.turned:
        if two_sided and side < 0:
            return None
        return -side * _little(said) if said.turned != "never" else side * _NEVER
    return side * _much(said, abs(word) if word is not None else PLACE)


def _little(said: Said) -> float:
    """Return how far "not" and "hardly" lead below the middle."""
    if said.turned == "hardly":
        more = 0.0 if said.strength is None else _MORE_LITTLE * (said.strength - PLACE)
        return said.little + more
    if said.strength is None:
        return PLACE
    if not said.turned_first:
        return said.strength
    return _NOT_SO if said.strength < _FULL else _NOT_FULLY


def _much(said: Said, word: float) -> float:
    if said.strength is None:
        return word
    if word == PLACE:
        return said.strength
    return word + _NUDGE * (said.strength - PLACE)


def _often(said: Said) -> float | None:
    if said.often is None:
        return 0.0
    if said.middle or said.turned == "hardly":
        return None
    if said.turned:
        return _SELDOM_WORD - 0.5 if said.often >= _OFTEN_WORD else None
    if said.strength is None:
        return said.often
    if not _SELDOM_WORD < said.often < _OFTEN_WORD and 0 < said.often < 8:
        outward = 1.0 if said.often >= _OFTEN_WORD else -0.6
        return said.often + outward * (said.strength - PLACE)
    return None
