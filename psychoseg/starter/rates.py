"""How long ago, which schooling -> a number that gives the order.

Owns orders that are guesses: they are no answer scales that everybody reads alike.
"""

from __future__ import annotations

import re

__all__ = ["how_long_ago", "is_ago", "schooling"]

#: Schooling, from the lowest; "currently" and its like stand half a step below.
_SCHOOLING: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (value, re.compile(rf"\b(?:{words})"))
    for value, words in (
        (1.0, r"(?:less than (?:a )?high ?school|some high ?school|no (?:formal )?education)\b"),
        (7.0, r"doctor\w*|ph\.? ?d\b"),
        (6.0, r"master\w*|graduate (?:degree|school)\b|post ?graduate\b"),
        (4.0, r"some (?:college|coll|university)\b|assoc\w*|vocational\b|apprentice\w*"),
        (5.0, r"bachelor\w*|college\b|coll\b|university\b|undergraduate\b"),
        (3.0, r"high ?school\b|secondary\b|hs\b"),
        (2.0, r"primary\b|elementary\b"),
    )
)
_UNIT = re.compile(r"\b(hour|day|week|month|year)s?\b")
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


def is_ago(text: str) -> bool:
    """Tell whether an answer says how long ago."""
    return _AGO.search(text) is not None and _TIMES.search(text) is None


def how_long_ago(text: str) -> float | None:
    """Return about how many days ago, the most recent lowest."""
    if text in _NEAR:
        return _NEAR[text]
    if re.search(r"\bnever\b", text):
        return float("inf")
    units = _UNIT.findall(text)
    if not units or not is_ago(text):
        return None
    numbers = [float(n) for n in re.findall(r"\d+", text)]
    numbers += [value for word, value in _NUMBER_WORDS.items() if word in text.split()]
    days = _DAYS[units[-1]] * (sum(numbers) / len(numbers) if numbers else 1.0)
    if re.search(r"\b(more|longer|over|later) (than )?.*\bago\b|\bor (more|longer)\b", text):
        return days * 1.5
    return days * 0.6 if re.search(r"\bless than\b", text) else days


def schooling(text: str) -> float | None:
    """Return how high schooling is."""
    level = next((value for value, pattern in _SCHOOLING if pattern.search(text)), None)
    if level is None:
        return None
    return (
        level - 0.5 if re.search(r"\b(currently|still|pupil|student|unfinished)\b", text) else level
    )
