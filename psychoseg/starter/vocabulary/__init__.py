"""The words of answer scales by language: a TOML file each, read once, and what reads them.

Phrases stand between semicolons; ``*`` at the end of a word stands for any ending. Owns the form of
the files. What a whole answer means is for ``phrases`` to say, what a scale means for ``graded``.

A file has these parts, all of them optional but the first:

- ``spaced``: words are parted by spaces. Where they are not, phrases are met letter by letter.
- ``filler``: words that say nothing about how much.
- ``not``: turns the word beside it round. ``never``: below everything ("not at all").
- ``middle``: the middle of a scale. What is in ``never`` or ``middle`` and in a later part too
  means the former only where it stands alone.
- ``neither``: one such word makes any answer the middle.
- ``unsure``: whole answers that are none, or the middle, as the rest of the scale will have it.
- ``yes``, ``no``: the two words alone.
- ``[hardly]``: little, and how little. ``[strength]``: how much; a word without any counts 2.
- ``[up]``, ``[down]``: what is asked, by family of scales: "agree", "disagree".
- ``[at.<family>]``: words with a place of their own, such as "excellent".
- ``[often]``: how often, from 0 (never) to 9 (always).
- ``no_answer``: regular expressions for texts that say there is no answer.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

__all__ = ["PLACE", "Language", "Meaning", "Phrases", "languages", "plain", "words_in"]

#: Letters that are written in more than one way, and those that no accent can be taken from.
_SAME_LETTER = str.maketrans(
    {
        "ى": "ي",
        "ة": "ه",
        "ـ": "",
        "’": "'",
        "ʼ": "'",
        "`": "'",
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ı": "i",
    }
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means.

    Attributes
    ----------
    role : str
        A part of the vocabulary: "not", "hardly", "strength", "up", "often" and so on.
    value : float
        How much, where the role has a value.
    families : tuple of (str, float)
        Of words that say what is asked: families of scales, and the word's place in each.
    alone : {"", "middle", "never"}
        What it means where it stands alone: "average" is a middle where nothing is rated good.
    word : str
        Of a word that says what is asked: itself.
    """

    role: str
    value: float = 0.0
    families: tuple[tuple[str, float], ...] = ()
    alone: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases to be met in a text.

    Attributes
    ----------
    exact : dict of tuple of str to Meaning
        By their words; by their letters, where words are not parted.
    starts : dict of str to tuple of (tuple of str, Meaning)
        Those with an open ending, by the first letters of their first word; longest first.
    longest : int
        Words of the longest one.
    """

    exact: Mapping[tuple[str, ...], Meaning]
    starts: Mapping[str, tuple[tuple[tuple[str, ...], Meaning], ...]]
    longest: int


@dataclass(frozen=True, slots=True)
class Language:
    """The vocabulary of one language.

    Attributes
    ----------
    code : str
    spaced : bool
        Words are parted by spaces.
    degrees : Phrases
        How much, and of what.
    often : Phrases
        The same, where words such as "mostly" say how often.
    unsure : frozenset of str
        Whole texts, plain.
    no_answer : Pattern
        Matches whole texts, plain.
    """

    code: str
    spaced: bool
    degrees: Phrases
    often: Phrases
    unsure: frozenset[str]
    no_answer: re.Pattern[str]


#: No language, but amounts in all of them; for ``quantities``.
_QUANTITIES = "quantities.toml"
#: Letters that open phrases are looked up by.
_KEY = 2
#: Where a word stands that says what is asked, above or below the middle, alone.
PLACE = 2.0


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return a text without capitals, accents, and what stands around its words."""
    return " ".join(_bare(text.casefold()).strip(" .!?;:*\t。！？…").split())


def _bare(text: str) -> str:
    """Return a text without accents."""
    folded = unicodedata.normalize("NFKD", text.translate(_SAME_LETTER)).translate(_SAME_LETTER)
    return "".join(c for c in folded if not unicodedata.combining(c))


def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a plain text; "don't" is two."""
    return tuple(_WORD.findall(text))


@lru_cache(maxsize=1)
def languages() -> tuple[Language, ...]:
    """Return the languages whose vocabularies the package brings, in the order of their codes."""
    folder = resources.files(__name__)
    files = sorted(
        (f for f in folder.iterdir() if f.name.endswith(".toml") and f.name != _QUANTITIES),
        key=lambda f: f.name,
    )
    return tuple(_language(f.name.removesuffix(".toml"), f.read_text("utf-8")) for f in files)


def _language(code: str, text: str) -> Language:
    data = tomllib.loads(text)
    spaced = bool(data.get("spaced", True))
    degrees: dict[str, Meaning] = {}
    for role in ("filler", "middle", "neither", "never", "not", "yes", "no"):
        degrees |= {phrase: Meaning(role) for phrase in _phrases(data.get(role, ""))}
    for role in ("hardly", "strength"):
        degrees |= _valued(role, data.get(role, {}))
    places: dict[str, dict[str, float]] = {}
    for side, value in (("up", PLACE), ("down", -PLACE)):
        for family, phrases in data.get(side, {}).items():
            for phrase in _phrases(phrases):
                places.setdefault(phrase, {})[family] = value
    for family, table in data.get("at", {}).items():
        for value, phrases in table.items():
            for phrase in _phrases(phrases):
                places.setdefault(phrase, {})[family] = float(value)
    degrees |= {
        phrase: Meaning("content", families=tuple(sorted(where.items())), word=phrase)
        for phrase, where in places.items()
    }
    for role in ("middle", "never"):
        for phrase in _phrases(data.get(role, "")):
            if degrees[phrase].role != role:
                degrees[phrase] = replace(degrees[phrase], alone=role)
    no_answer = "|".join(f"(?:{_bare(part)})" for part in data.get("no_answer", ["(?!)"]))
    return Language(
        code,
        spaced,
        _index(degrees, spaced=spaced),
        _index(degrees | _valued("often", data.get("often", {})), spaced=spaced),
        frozenset(plain(phrase) for phrase in _phrases(data.get("unsure", ""))),
        re.compile(no_answer),
    )


def _valued(role: str, table: Mapping[str, str]) -> dict[str, Meaning]:
    return {
        phrase: Meaning(role, float(value))
        for value, phrases in table.items()
        for phrase in _phrases(phrases)
    }


def _index(meanings: Mapping[str, Meaning], *, spaced: bool) -> Phrases:
    exact: dict[tuple[str, ...], Meaning] = {}
    starts: dict[str, list[tuple[tuple[str, ...], Meaning]]] = {}
    for phrase, meaning in meanings.items():
        key = _key(phrase, spaced=spaced)
        if "*" in phrase:
            starts.setdefault(key[0].rstrip("*")[:_KEY], []).append((key, meaning))
        else:
            exact[key] = meaning
    keys = [*exact, *(key for found in starts.values() for key, _ in found)]
    ordered = {
        start: tuple(sorted(found, key=lambda f: (-len(f[0]), -sum(map(len, f[0])), f[0])))
        for start, found in starts.items()
    }
    return Phrases(exact, ordered, max(map(len, keys), default=1))


def _phrases(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split(";") if part.strip()]


def _key(phrase: str, *, spaced: bool) -> tuple[str, ...]:
    """Return a phrase as it is looked up, its open endings kept."""
    if not spaced:
        return tuple("".join(words_in(plain(phrase))))
    words: list[str] = []
    for word in phrase.split():
        parts = list(words_in(plain(word.rstrip("*"))))
        if word.endswith("*"):
            parts[-1] += "*"
        words += parts
    return tuple(words)
