"""One answer in words -> what it says: of what, how much, turned round or not; by language.

Owns the reading of a single answer. What it is worth among the others is for ``graded`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from psychoseg.starter.vocabulary import (
    Language,
    Meaning,
    Phrases,
    languages,
    plain,
    words_in,
)

__all__ = ["Said", "is_no_answer", "is_unsure", "read_phrase"]

#: Longer texts are no answers of a scale.
_LONGEST = 120
#: Qualifiers from here on strengthen each other: "very strongly".
_STRONG = 2.4
#: How much a second strong qualifier adds.
_AND_MORE = 0.3
#: Two words of how often are one step up to this far apart: "never or almost never".
_BOTH_OFTEN = 1.6
_PARTS = re.compile(r"\s*[/,;|()\[\]]\s*|\s+[-–—]\s+| or | oder | ou | o | of | lub | nebo | или ")
#: "(Refused)", "[don't know]".
_BRACKETS = re.compile(r"^[(\[<]([^()\[\]<>]*)[)\]>]$")
_YES_COMMA = re.compile(r"^(\w+)\s*[,;:–—-]\s*(?=\w)")


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says.

    Attributes
    ----------
    families : tuple of (str, float)
        What is asked, by family of scales, and where its word stands there; empty for none.
    strength : float or None
        How much, as the vocabularies grade it; None where no word says.
    turned : {"", "not", "hardly", "never"}
    little : float
        How little "hardly" is.
    turned_first : bool
        The word that turns stands before the one of strength: "not very", but "rather not".
    often : float or None
    middle : bool
    answer : {"", "yes", "no"}
        The bare word.
    rest : tuple of str
        Words that the vocabulary does not have.
    alone : {"", "middle", "never"}
        What the answer means where nothing on the scale says what is asked with its word.
    words : tuple of str
        The words that say what is asked.
    """

    families: tuple[tuple[str, float], ...] = ()
    strength: float | None = None
    turned: str = ""
    little: float = 0.0
    turned_first: bool = False
    often: float | None = None
    middle: bool = False
    answer: str = ""
    rest: tuple[str, ...] = ()
    alone: str = ""
    words: tuple[str, ...] = ()

    @property
    def bare(self) -> bool:
        """Tell whether nothing says what is asked."""
        return not self.families and not self.rest


@lru_cache(maxsize=8192)
def is_no_answer(text: str) -> bool:
    """Tell whether an answer says that there is none, such as "Don't know"."""
    whole = _BRACKETS.sub(r"\1", plain(text))
    if not whole or len(whole) > _LONGEST:
        return False
    if _matches(whole):
        return True
    parts = [p for p in _PARTS.split(whole) if p and p.strip(" .")]
    return len(parts) > 1 and all(_matches(p.strip(" .")) for p in parts)


def _matches(text: str) -> bool:
    return any(language.no_answer.fullmatch(text) is not None for language in languages())


@lru_cache(maxsize=8192)
def is_unsure(text: str) -> bool:
    """Tell whether an answer may be the middle of a scale or none: "Not sure"."""
    whole = plain(text)
    return any(whole in language.unsure for language in languages())


@lru_cache(maxsize=65536)
def read_phrase(text: str, code: str, *, often: bool) -> Said | None:
    """Return what an answer says in a language, None where it says two things at once.

    Parameters
    ----------
    text : str
        The answer, plain.
    code : str
        Of the language.
    often : bool
        Words that can say how often do.
    """
    if len(text) > _LONGEST:
        return None
    language = _by_code()[code]
    phrases = language.often if often else language.degrees
    units = _units(text, language)
    comma = _YES_COMMA.match(text)
    if comma and language.spaced:
        first = phrases.exact.get((comma.group(1),))
        # "Yes, very": the yes says nothing that the rest does not.
        if first is not None and first.role in ("yes", "no") and len(units) > 1:
            units = units[1:]
    return _said(list(_meet(units, phrases)))


@lru_cache(maxsize=1)
def _by_code() -> dict[str, Language]:
    return {language.code: language for language in languages()}


def _units(text: str, language: Language) -> tuple[str, ...]:
    words = words_in(text)
    return words if language.spaced else tuple("".join(words))


def _meet(units: tuple[str, ...], phrases: Phrases) -> Iterator[Meaning | str]:
    """Return the meaning of each phrase from the left, the longest that fits; else the word."""
    at = 0
    while at < len(units):
        for length in range(min(phrases.longest, len(units) - at), 0, -1):
            piece = units[at : at + length]
            meaning = phrases.exact.get(piece) or _open(piece, phrases)
            if meaning is not None:
                yield meaning
                at += length
                break
        else:
            yield units[at]
            at += 1


def _open(piece: tuple[str, ...], phrases: Phrases) -> Meaning | None:
    for key, meaning in phrases.starts.get(piece[0][:2], ()):
        if len(key) == len(piece) and all(
            word.startswith(part[:-1]) if part.endswith("*") else word == part
            for word, part in zip(piece, key, strict=True)
        ):
            return meaning
    return None


def _said(met: list[Meaning | str]) -> Said | None:
    rest = tuple(m for m in met if isinstance(m, str))
    known = [m for m in met if not isinstance(m, str)]
    roles = [m.role for m in known]
    contents = [dict(m.families) for m in known if m.role == "content"]
    families = _shared(contents)
    plays = {(m.role, m.alone) for m in known if m.role != "filler"}
    alone = next(iter(plays))[1] if len(plays) == 1 and not rest else ""
    if contents and not families:
        return None
    both = any(min(c.get(f, 0) for c in contents) < 0 < max(c.get(f, 0) for c in contents)
               for f in families)  # fmt: skip
    middle = "neither" in roles or "middle" in roles or both
    strengths = [m.value for m in known if m.role == "strength"]
    strength = _strength(strengths)
    if strengths and strength is None:
        return None
    turns = [i for i, role in enumerate(roles) if role in ("not", "hardly", "never")]
    if not turns and "no" in roles and (contents or rest or strengths):
        turns = [roles.index("no")]
    turned = _turned({roles[i] for i in turns})
    first_strength = next((i for i, role in enumerate(roles) if role == "strength"), len(roles))
    often = [m.value for m in known if m.role == "often"]
    if often and max(often) - min(often) > _BOTH_OFTEN:
        return None
    answers = [role for role in roles if role in ("yes", "no") and not turns]
    said = Said(
        families=tuple(sorted(families.items())),
        strength=strength,
        turned=turned,
        little=max((m.value for m in known if m.role == "hardly"), default=0.0),
        turned_first=bool(turns) and turns[0] < first_strength,
        often=sum(often) / len(often) if often else None,
        middle=middle,
        answer=answers[0] if answers else "",
        rest=rest,
        alone=alone,
        words=tuple(sorted({m.word for m in known if m.word})),
    )
    empty = said == Said(rest=rest) and not rest
    return None if empty else said


def _shared(contents: list[dict[str, float]]) -> dict[str, float]:
    """Return the families that all words of an answer share, and the place farthest out."""
    if not contents:
        return {}
    shared = set(contents[0]).intersection(*contents[1:])
    return {f: max((c[f] for c in contents), key=lambda v: (abs(v), v)) for f in shared}


def _strength(values: list[float]) -> float | None:
    """Return how much several words say together; None where they say different things."""
    if not values:
        return None
    top = max(values)
    if len(set(values)) == 1:
        return top
    return top + _AND_MORE if min(values) >= _STRONG else None


def _turned(roles: set[str]) -> str:
    if "hardly" in roles and "not" not in roles:
        return "hardly"
    if "never" in roles:
        return "never"
    if "no" in roles:
        return "not"
    return next((role for role in ("hardly", "not") if role in roles), "")
