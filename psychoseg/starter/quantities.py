"""Bands of amounts, spans of time and how often -> where they stand: "500 to 999", "once a week".

Owns numbers inside answers. Scales of words are for ``graded``.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

from psychoseg.starter.vocabulary import plain

__all__ = ["Bands", "how_often", "is_rate", "order_bands"]

#: Days of a year; and what a unit of time counts in days, a quarter among them.
_YEAR = 365.0
_DAYS = {
    "minute": 1 / 1440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4, "quarter": 91.2,
    "year": _YEAR,
}  # fmt: skip
#: "Less than weekly" and "more than weekly", beside "weekly".
_LESS, _MORE = 0.6, 1.5
#: A number: groups of three digits first, then one with or without a fraction.
_NUMBER = re.compile(r"\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+(?![\d])|\d+(?:[.,]\d+)?")
_SIGNS = {"<": "below", "≤": "below", ">": "above", "≥": "above", "+": "above"}
_NARROW = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands from low to high.

    Attributes
    ----------
    places : dict of str to (float, float)
        The lower and the upper end of each text, infinite where it is open.
    sure : bool
        They do not overlap, and beside the numbers nothing differs but what says so.
    """

    places: dict[str, tuple[float, float]]
    sure: bool


@dataclass(frozen=True, slots=True)
class _Words:
    pattern: re.Pattern[str]
    role_of: Mapping[str, tuple[str, str]]
    open: tuple[tuple[str, tuple[str, str]], ...]

    def meaning(self, word: str) -> tuple[str, str]:
        exact = self.role_of.get(word)
        return exact or next(m for start, m in self.open if word.startswith(start))


def order_bands(texts: Sequence[str]) -> Bands | None:
    """Put bands of amounts or of time in order, by their size and unit.

    Parameters
    ----------
    texts : sequence of str
        Different answers.

    Returns
    -------
    Bands or None
        None where a text holds no amount, or two stand for one.

    Notes
    -----
    A dot or comma before three digits parts groups, unless the texts have one that cannot: "1.5".
    """
    if any(len(text) > _LONGEST for text in texts):
        return None
    decimal = _decimal_sign(texts)
    places: dict[str, tuple[float, float]] = {}
    beside: set[tuple[str, ...]] = set()
    units: set[str] = set()
    spans = 0
    for text in texts:
        roles = _roles(plain(text), decimal)
        place = _band(roles)
        if place is None:
            return None
        places[text] = place
        spans += place[0] != place[1]
        if _amounts(roles):
            beside.add(tuple(what for role, what, _ in roles if role == "word"))
            units.add(_unknown_unit(roles))
    different = {plain(t) for t in texts}
    if not 1 < len(different) == len(set(places.values())) or len(units) > 1:
        # Of units that are not known nobody can say which is more: "500 m" and "1 km".
        return None
    ordered = sorted(set(places.values()))
    apart = all(high <= low or math.isinf(low) for (_, high), (low, _) in pairwise(ordered))
    bare = all(not rest for rest in beside)
    return Bands(places, apart and len(beside) == 1 and (spans > 0 or bare))


def is_rate(text: str) -> bool:
    """Tell whether an answer says how often in a span of time: "twice a week"."""
    roles = _roles(plain(text))
    if any(role == "often" and what != "never" for role, what, _ in roles):
        return True
    names = [role for role, _, _ in roles]
    at = [i for i, role in enumerate(names) if role == "unit"]
    if not at:
        return False
    last = at[-1]
    return len(at) > 1 or "count" in names or "times" in names or "per" in names[:last]


def how_often(text: str) -> float | None:
    """Return how many times a year an answer says, by and large; None where it does not."""
    roles = _roles(plain(text))
    if any(what == "never" for role, what, _ in roles if role == "often"):
        return 0.0
    if not is_rate(text):
        return None
    units = [what for role, what, _ in roles if role in ("unit", "often")]
    names = {role for role, _, _ in roles}
    year = _YEAR / _DAYS[units[-1]]
    numbers = [value for role, _, value in roles if role in ("number", "count")]
    mean = sum(numbers) / len(numbers) if numbers else 1.0
    per = [what for role, what, _ in roles if role == "per"]
    if set(per) & _EVERY and numbers and "times" not in names:
        rate = year / max(numbers)
    elif any(word in _OTHER for word in per):
        rate = year / 2
    else:
        rate = year * mean
    if "below" in names:
        return rate * _LESS
    return rate * _MORE if "above" in names else rate


#: Letters of an answer that names an amount or a span of time; longer ones are open text.
_LONGEST = 300
#: "Every 3 months", beside "3 times a month".
_EVERY = {"every", "alle", "tous les", "toutes les", "cada", "ogni", "co", "elke", "каждый"}
_OTHER = {"other", "second"}


def _band(roles: Sequence[tuple[str, str, float]]) -> tuple[float, float] | None:
    """Return the lower and the upper end of a band, None where there is no amount."""
    names = {role for role, _, _ in roles}
    amounts = _amounts(roles)
    if not amounts:
        never = any(role == "often" and what == "never" for role, what, _ in roles)
        alone = ("none" in names or never) and "word" not in names
        return (-math.inf, -math.inf) if alone else None
    if len(amounts) > 2 or "often" in names:
        return None
    low, high = min(amounts), max(amounts)
    if len(amounts) == 1 and "below" in names:
        low = -math.inf
    elif len(amounts) == 1 and "above" in names:
        high = math.inf
    return low, high


def _unknown_unit(roles: Sequence[tuple[str, str, float]]) -> str:
    """Return the word after a number that is no known unit, ``""`` for none."""
    telling = [r for r in roles if r[0] in ("number", "word", "unit", "multiplier")]
    return next((b[1] for a, b in pairwise(telling) if a[0] == "number" and b[0] == "word"), "")


def _amounts(roles: Sequence[tuple[str, str, float]]) -> list[float]:
    """Return the numbers of a text in one unit; a bare number takes the unit of the larger next."""
    found: list[tuple[float, float | None]] = []
    for i, (role, _, value) in enumerate(roles):
        if role != "number":
            continue
        scale: float | None = None
        for follower, what, size in roles[i + 1 :]:
            if follower == "multiplier":
                scale = (scale or 1.0) * size
            elif follower == "unit" and what in _DAYS:
                scale = (scale or 1.0) * _DAYS[what]
            else:
                break
        found.append((value, scale))
    out = []
    for i, (value, scale) in enumerate(found):
        if scale is None and i + 1 < len(found) and value < found[i + 1][0]:
            scale = found[i + 1][1]
        out.append(value * (scale or 1.0))
    return out


def _decimal_sign(texts: Sequence[str]) -> str:
    """Return the sign that cannot part groups of three digits in some text; ``""`` for none."""
    signs = set()
    for text in texts:
        for found in re.finditer(r"\d+([.,])(\d+)(?![.,]?\d)", text):
            if len(found.group(2)) != 3 or found.group(0).startswith("0"):
                signs.add(found.group(1))
    return signs.pop() if len(signs) == 1 else ""


def _roles(text: str, decimal: str = "") -> list[tuple[str, str, float]]:
    """Return the parts of a text from the left: role, what it says, and its value."""
    words = _vocabulary()
    out: list[tuple[str, str, float]] = []
    if len(text) > _LONGEST:
        return out
    at = 0
    while at < len(text):
        number = _NUMBER.match(text, at)
        known = words.pattern.match(text, at)
        if number:
            out.append(("number", number.group(), _number(number.group(), decimal)))
            at = number.end()
        elif text[at] in _SIGNS:
            out.append((_SIGNS[text[at]], text[at], 0.0))
            at += 1
        elif known and (at == 0 or not text[at - 1].isalpha() or _NARROW.match(text[at])):
            role, what = words.meaning(known.group())
            out.append((role, what, float(what) if role in ("count", "multiplier") else 0.0))
            at = known.end()
        elif text[at].isalpha():
            word = re.compile(r"[^\W\d_]+").match(text, at)
            end = word.end() if word else at + 1
            out.append(("word", text[at:end], 0.0))
            at = end
        else:
            at += 1
    return out


def _number(text: str, decimal: str) -> float:
    if decimal:
        other = "," if decimal == "." else "."
        text = text.replace(other, "").replace(decimal, ".")
        return float(re.sub(r"[^\d.]", "", text))
    if re.fullmatch(r"\d{1,3}(?:[ .,'\u00a0\u202f]\d{3})+", text):
        return float(re.sub(r"\D", "", text))
    return float(text.replace(",", "."))


@lru_cache(maxsize=1)
def _vocabulary() -> _Words:
    folder = resources.files("psychoseg.starter.vocabulary")
    data = tomllib.loads((folder / "quantities.toml").read_text("utf-8"))
    exact: dict[str, tuple[str, str]] = {}
    starts: list[tuple[str, tuple[str, str]]] = []
    groups = [
        *((role, what, words) for role, words in data["says"].items() for what in ("",)),
        *(
            (role, what, words)
            for role in ("multiplier", "unit", "count", "often")
            for what, words in data[role].items()
        ),
    ]
    order = ["filler", "none", "times", "per", "below", "above"]
    groups.sort(key=lambda g: order.index(g[0]) if g[0] in order else len(order))
    for role, what, words in groups:
        for phrase in words.split(";"):
            word = plain(phrase.replace("*", ""))
            if not word:
                continue
            meaning = (role, what or word)
            if phrase.strip().endswith("*"):
                starts.append((word, meaning))
            else:
                exact[word] = meaning
    exact |= {word: ("per", word) for word in _OTHER}
    starts.sort(key=lambda s: -len(s[0]))
    pieces = [(w, False) for w in exact] + [(w, True) for w, _ in starts]
    pieces.sort(key=lambda p: (-len(p[0]), p))
    pattern = "|".join(
        re.escape(w) + (r"[^\W\d_]*" if is_open else "" if _NARROW.search(w) else r"(?![^\W\d_])")
        for w, is_open in pieces
    )
    return _Words(re.compile(pattern), exact, tuple(starts))
