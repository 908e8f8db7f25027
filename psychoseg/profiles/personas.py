"""Personas: a name and a portrait for each segment, every sentence of it the words for one cell.

Owns which cells a portrait says and the sentences it says them in. It holds no number and no claim
that is not in a cell, and computes none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from psychoseg.naming import (
    Driver,
    final_names,
    say_amounts,
    say_percentages,
    size_of,
    suggest_names,
)
from psychoseg.profiles.figures import Figure, read_figures, undescribed
from psychoseg.profiles.sample import Sample

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["FACT_COLUMNS", "PERSONA_COLUMNS", "write_personas"]

PERSONA_COLUMNS = (
    "segment", "name", "suggested", "n", "weighted", "share", "portrait", "is_not",
)  # fmt: skip
FACT_COLUMNS = ("segment", "part", "rank", "text", "table", "variable", "category")

#: Sentences of each kind that a paragraph holds; with more it is a list.
_SCALES, _COLUMNS, _NOT = 3, 2, 2
#: An effect below half of what Cohen (1988) calls small is about average.
_SAME_EFFECT = 0.1
#: Effects that are equal to so many decimals are tied.
_TIE_DECIMALS = 9
#: A label of more words, or with punctuation, is quoted, so that one sees where it ends.
_WORDS = 5

#: Sentences on what a segment is, by turns, so that a paragraph does not repeat itself. None has a
#: verb that would have to agree with a label. ``{word}`` is by the size of the effect.
_SENTENCES = {
    "scale": (
        "They score {word} {above} the others on {label}: {value} against {total} overall.",
        "On {label} they average {value}, {word} {more} than the others ({total} overall).",
    ),
    "numeric": (
        "They are {word} {above} the others in {label}: {value} on average, {total} overall.",
        "In {label} they average {value}, {word} {more} than the others ({total} overall).",
    ),
    "age": ("They are {word} {older} than the others: {value} on average, {total} overall.",),
    "category": (
        "For {value} of them, {label} is {category}, against {total} overall.",
        "{category} ({label}) applies to {value} of them, against {total} overall.",
    ),
    "fewer": ("{category} ({label}) applies to {value} of them, against {total} overall.",),
    "choice": ("{value} of them chose {category} ({label}), against {total} overall.",),
}
#: On what it is not: the first, then any other.
_NOT_HIGH = (
    "They are not high {on} {label}: {value} against {total} overall.",
    "Nor are they high {on} {label}: {value} against {total} overall.",
)
_SAME = "They are about average {on} {label}: {value} against {total} overall."
_NOTHING = (
    "They stand out in nothing: even on {label}, the scale that sets them apart most, they average "
    "{value} against {total} overall."
)
_ADVERBS = {"large": "far", "medium": "clearly", "small": "slightly"}


@dataclass(frozen=True, slots=True)
class _Fact:
    """A sentence and the cell it says."""

    text: str
    table: str
    variable: str
    category: str = ""


def write_personas(
    sample: Sample,
    segments: Segments,
    drivers: Mapping[int, Sequence[Driver]],
    means: pd.DataFrame,
    shares: pd.DataFrame,
    names: Mapping[int, str],
    texts: Mapping[int, str],
    min_base: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Name each segment and say in a paragraph what sets it apart, and what it is not.

    Parameters
    ----------
    sample : Sample
    segments : Segments
    drivers : mapping of int to sequence of Driver
        Those of each segment, strongest first.
    means, shares : DataFrame
        Those of :class:`psychoseg.profiles.Profiles`; a hidden figure is not said.
    names, texts : mapping of int to str
        Names and portraits that are given, by segment.
    min_base : int
        A segment of fewer people is not described.

    Returns
    -------
    personas : DataFrame
        ``segment, name, suggested, n, weighted, share, portrait, is_not``.
    facts : DataFrame
        ``segment, part, rank, text, table, variable, category``: the sentences in order, each with
        its cell; of table "personas", ``variable`` is the column.

    Notes
    -----
    A portrait says how many they are, then up to three scales and two columns: the strongest driver
    of each sort, then what there is more of. ``is_not`` says the two strongest of what there is
    less of and, where its effect is below .1, the scale or number that differs least. No cell is
    said twice. How a sentence is put depends on the segment's number and nothing else.
    """
    figures = read_figures(means, shares)
    suggested = suggest_names(
        drivers, unassigned=segments.unassigned, unknown=undescribed(figures, sample.weak)
    )
    final = final_names(suggested, {str(s): name for s, name in names.items()})
    everyone = float(sample.weights.sum())
    sets = {v.set_name for v in sample.variables if v.kind == "choice"}
    figures = [f for f in figures if f.kind != "scale" or f.variable not in sample.weak]
    rows, facts = [], []
    for s in sample.segments:
        n, weighted, _ = sample.base(sample.labels == s)
        share = weighted / everyone
        own = [f for f in figures if f.segment == s]
        says, is_not = _tell(
            s,
            n,
            share,
            drivers[s],
            own,
            sets,
            min_base,
            few=sample.people(sample.labels == s) < min_base,
            unassigned=s == segments.unassigned,
        )
        if s in texts:
            says = [_Fact(texts[s], "personas", "portrait")]
        parts = {"portrait": says, "is_not": is_not}
        facts += [
            (s, part, rank, fact.text, fact.table, fact.variable, fact.category)
            for part, told in parts.items()
            for rank, fact in enumerate(told, start=1)
        ]
        said = [" ".join(fact.text for fact in told) for told in parts.values()]
        rows.append((s, final[s], suggested[s], n, weighted, share, *said))
    return (
        pd.DataFrame(rows, columns=list(PERSONA_COLUMNS)),
        pd.DataFrame(facts, columns=list(FACT_COLUMNS)),
    )


def _tell(
    segment: int,
    n: int,
    share: float,
    drivers: Sequence[Driver],
    figures: Sequence[Figure],
    sets: Container[str],
    min_base: int,
    *,
    few: bool,
    unassigned: bool,
) -> tuple[list[_Fact], list[_Fact]]:
    """Return the facts of the portrait and of what the segment is not."""
    if few:
        text = f"Fewer than {min_base} people are in this segment, too few to be described."
        return [_Fact(text, "personas", "n")], []
    people = "1 person" if n == 1 else f"{n:,} people"
    percent = f"{100 * share:.0f}%" if share >= 0.005 else f"{100 * share:.1f}%"
    if unassigned:
        text = f"{percent} of the respondents ({people}) fit no segment."
        return [_Fact(text, "personas", "share")], []
    size = (
        f"This segment is {percent} of the respondents ({people}).",
        f"{percent} of the respondents ({people}) are in this segment.",
    )
    says = [_Fact(size[segment % 2], "personas", "share")]
    clear = [d for d in drivers if d.size != "negligible"]
    if not clear:
        return [*says, _nothing(drivers)], []
    chosen = [
        *_most_telling([d for d in clear if d.kind == "scale"], _SCALES, least=2),
        *_most_telling([d for d in clear if d.kind != "scale"], _COLUMNS, least=1),
    ]
    turns: Counter[str] = Counter()
    for d in chosen:
        kind = _kind(d, sets)
        sentences = _SENTENCES[kind]
        says.append(_Fact(_say(d, sentences[(segment + turns[kind]) % len(sentences)]), *_cell(d)))
        turns[kind] += 1
    is_not: list[_Fact] = []
    for d in [d for d in clear if d.effect < 0 and d not in chosen][:_NOT]:
        kind = _kind(d, sets)
        sentence = _SENTENCES[kind][0]
        if kind in ("scale", "numeric"):
            sentence = _NOT_HIGH[min(turns["not"], 1)]
            turns["not"] += 1
        is_not.append(_Fact(_say(d, sentence), *_cell(d)))
        chosen.append(d)
    return says, [*is_not, *_same(figures, {_cell(d) for d in chosen})]


def _most_telling(ranked: Sequence[Driver], most: int, *, least: int) -> list[Driver]:
    """Return the strongest, then what there is more of, then at least so many of any kind."""
    chosen = [*ranked[:1], *[d for d in ranked[1:] if d.effect > 0][: most - 1]]
    others = [d for d in ranked if d not in chosen]
    chosen += others[: max(least - len(chosen), 0)]
    return [d for d in ranked if d in chosen]


def _cell(driver: Driver) -> tuple[str, str, str]:
    table = "shares" if driver.kind == "category" else "means"
    return table, driver.variable, driver.category


def _kind(driver: Driver, sets: Container[str]) -> str:
    """Return which sentences a driver takes."""
    if driver.kind == "category":
        if driver.variable in sets:
            return "choice"
        return "category" if driver.effect > 0 else "fewer"
    return "age" if driver.kind == "numeric" and driver.label.casefold() == "age" else driver.kind


def _say(d: Driver, sentence: str) -> str:
    more = d.effect > 0
    if d.kind == "category":
        value, total = say_percentages(d.value, d.total)
        if not more:
            value = "none" if d.value == 0 else f"only {value}"
    else:
        value, total = say_amounts(d.value, d.total, scale=d.kind == "scale")
    text = sentence.format(
        label=_label(d.label),
        category=f"'{d.category}'",
        value=value,
        total=total,
        word=_ADVERBS.get(d.size, ""),
        above="above" if more else "below",
        more="more" if more else "less",
        older="older" if more else "younger",
        on="on" if d.kind == "scale" else "in",
    )
    # Only "none" and "only" can stand first in lower case; a label keeps what it has.
    return text[0].upper() + text[1:] if sentence.startswith("{value}") else text


def _label(label: str) -> str:
    """Return a label as it stands in a sentence, in quotes where one could not see its end."""
    plain = len(label.split()) <= _WORDS and not re.search(r"[.,:;?!()'\"“”‘’]", label)
    return label if plain else f"'{label}'"


def _nothing(drivers: Sequence[Driver]) -> _Fact:
    if not drivers:
        return _Fact("Nothing that can be shown sets them apart.", "personas", "share")
    return _Fact(_say(drivers[0], _NOTHING), *_cell(drivers[0]))


def _same(figures: Sequence[Figure], told: Container[tuple[str, str, str]]) -> list[_Fact]:
    """Return the scale or number that differs least, where that is next to nothing."""
    free = [
        f
        for f in figures
        if f.table == "means" and abs(f.effect) < _SAME_EFFECT and f.cell not in told
    ]
    if not free:
        return []
    f = min(free, key=lambda f: (round(abs(f.effect), _TIE_DECIMALS), f.variable))
    size = size_of(f.effect)
    same = Driver(f.kind, f.variable, f.label, "", f.effect, size, f.value, f.total, int(f.base))
    return [_Fact(_say(same, _SAME), *f.cell)]
