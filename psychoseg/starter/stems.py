"""What columns of one question have in common: part of their name, of their label, or a topic.

Owns the ways in which programs write "this is row 3 of question 24". Looks at no answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile

from psychoseg.starter.columns import Looked, words_of

__all__ = [
    "common_start",
    "is_apart",
    "is_mnemonic",
    "is_weak_stem",
    "shape_groups",
    "stem_groups",
    "topic_cuts",
]

_GRID = re.compile(r"^(.*?)\s*\[([^\[\]]+)\]\s*$", re.DOTALL)
#: What stands before the last stroke: KoboToolbox writes "pick_colors/red".
_STROKE = re.compile(r"^(.+?)\s*(?:/|\||::)\s*[^/|:]+$")
_NUMBER = re.compile(r"\d+")
#: Letters that number the questions of a survey rather than the rows of one question.
_WEAK = re.compile(r"(q|v|x|f|s|p|var|question|frage|item|col|column)[_. ]?", re.IGNORECASE)
#: Letters that stand for a scale, as in E1 ... O10, rather than for a question.
_MNEMONIC = re.compile(r"^([A-Za-z]{1,2})_?$")
#: A topic takes this many names in a row, not counting what stands between, to be one.
_TOPIC_NAMES = 4
#: Names in a row that may be of no topic inside a topic.
_TOPIC_GAP = 2
#: What lifestyle surveys list by its bare name; a list of these follows a heading of its own.
_TOPICS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (topic, re.compile(rf"\b({words})\b"))
    for topic, words in (
        ("music", "music|songs?|folk|country|classical|pop|rock|rap|hip ?hop|jazz|blues|punk|metal|"
                  "hardrock|reggae|swing|techno|trance|edm|electronic|house|latino?|opera|gospel|"
                  "k ?pop|lofi|r b|soul|alternative|indie|musicals?|dance"),
        ("films", "movies?|films?|cinema|horror|thrillers?|comed(y|ies)|romantic|romance|sci ?fi|"
                  "science fiction|war|fantasy|fairy tales?|animated|cartoons?|documentar(y|ies)|"
                  "westerns?|action|crime|drama|anime"),
        ("fears", "fear|afraid|phobia|flying|thunder|storm|lightning|darkness|heights|spiders?|"
                  "snakes?|rats?|mice|dogs|ageing|aging|needles|injections|blood|enclosed spaces|"
                  "public speaking|insects"),
        ("spending", "spending|spend|money|savings?|finances|shopping cent(re|er)s?|branded|"
                     "purchases?"),
    )
)  # fmt: skip


def stem_groups(columns: Sequence[Looked], *, least: int) -> list[tuple[str, list[Looked]]]:
    """Group columns that one question has in common.

    Parameters
    ----------
    columns : sequence of Looked
        In file order.
    least : int
        Fewer columns than this make no group.

    Returns
    -------
    list of (str, list of Looked)
        Stem and columns; a column is in one group at most. Tried in this order: rows of a grid in
        brackets, the question that a second header row gives, what stands before the last stroke,
        before or behind a colon or a dash, the name without its last number or letter, without
        another number, without all.
    """
    left = list(columns)
    groups: list[tuple[str, list[Looked]]] = []
    for stem_of in (
        _grid,
        _question,
        _stroke,
        _before,
        _behind,
        _last_part,
        _first_part,
        _shape,
        _label,
    ):
        found: dict[str, list[Looked]] = defaultdict(list)
        for column in left:
            stem = stem_of(column)
            if stem:
                found[stem].append(column)
        taken: set[str] = set()
        for stem, members in found.items():
            if len(members) >= least:
                groups.append((stem, members))
                taken.update(c.name for c in members)
        left = [c for c in left if c.name not in taken]
    return groups


def is_apart(columns: Sequence[Looked], stem: str) -> bool:
    """Tell whether columns of one weak stem are questions of their own: Q1, Q8 and Q19."""
    if not is_weak_stem(stem):
        return False
    first, last = columns[0], columns[-1]
    ends = [re.sub(r"\D", "", c.name) for c in (first, last)]
    numbered = all(end.isdigit() and len(end) < 9 for end in ends)
    skips = numbered and int(ends[1]) - int(ends[0]) >= len(columns)
    return skips or last.position - first.position >= len(columns)


def shape_groups(columns: Sequence[Looked], *, least: int) -> list[tuple[str, list[Looked]]]:
    """Group columns whose names are the same but for all their numbers: Q1I, Q2I, Q3I."""
    found: dict[str, list[Looked]] = defaultdict(list)
    for column in columns:
        if shape := _shape(column):
            found[shape].append(column)
    return [(shape, members) for shape, members in found.items() if len(members) >= least]


def is_mnemonic(stem: str) -> bool:
    """Tell whether a stem is the short name of a scale (E1, wl_3) and not of a question (Q1)."""
    found = _MNEMONIC.match(stem)
    return found is not None and found.group(1).lower() not in {"q", "v", "x"}


def is_weak_stem(stem: str) -> bool:
    """Tell whether a stem numbers the questions of a survey (Q1), not the rows of one (Q1_2)."""
    return _WEAK.fullmatch(stem) is not None


def common_start(texts: Sequence[str]) -> str:
    """Return what all texts begin with, up to the last sign that parts a question from its rows."""
    if len(texts) < 2:
        return ""
    first, last = min(texts), max(texts)
    same = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    )
    start = first[:same]
    ends = [m.end() for m in re.finditer(r": |:|\s[-–—]\s|[?.!]\s*-|[?.!…]\s+|\]\s", start)]
    return start[: ends[-1]] if ends else ""


def topic_cuts(names: Sequence[str]) -> list[int]:
    """Return where a list of bare names goes on to another topic: positions of first names.

    A topic begins at its first name and ends behind its last; what lies between two topics and is
    at least as long as a topic is one of its own.
    """
    spans: list[tuple[int, int]] = []
    for _, pattern in _TOPICS:
        hits = [i for i, name in enumerate(names) if pattern.search(words_of(name))]
        run: list[int] = []
        for i in [*hits, len(names) + _TOPIC_GAP + 1]:
            if run and i - run[-1] > _TOPIC_GAP + 1:
                if len(run) >= _TOPIC_NAMES:
                    spans.append((run[0], run[-1] + 1))
                run = []
            run.append(i)
    edges: set[int] = set()
    for start, end in sorted(spans):
        edges |= {start, end}
    cuts: list[int] = []
    for edge in sorted(edges):
        before = cuts[-1] if cuts else 0
        # One or two names left over are no question of their own.
        if edge - before >= _TOPIC_NAMES and len(names) - edge >= _TOPIC_NAMES:
            cuts.append(edge)
    return cuts


def _grid(column: Looked) -> str:
    found = _GRID.match(column.name) or _GRID.match(column.label)
    return found.group(1).strip() if found else ""


def _question(column: Looked) -> str:
    return column.question


def _stroke(column: Looked) -> str:
    found = _STROKE.match(column.name)
    return found.group(1) if found else ""


def _before(column: Looked) -> str:
    parts = re.split(r": | - ", column.name, maxsplit=1)
    return parts[0].strip() if len(parts) == 2 else ""


def _behind(column: Looked) -> str:
    parts = re.split(r": | - ", column.name)
    return parts[-1].strip() if len(parts) > 1 else ""


def _last_part(column: Looked) -> str:
    """Return Q24_ of Q24_7, Q6_ of Q6_C, q1 of q1a."""
    # "Si1*" is an item keyed the other way, or one with a footnote.
    name = re.sub(r"(?<=\w)[*?+#!^°'†]+$", "", column.name)
    found = re.match(r"^(.*[^\d])\d+$", name)
    if found:
        return found.group(1)
    found = re.match(r"^(.*\d[_.]?)[A-Za-z]$", name)
    return found.group(1) if found else ""


def _first_part(column: Looked) -> str:
    """Return Q6_#_r of Q6_1_r: the name without its second number."""
    numbers = list(_NUMBER.finditer(column.name))
    if len(numbers) < 2:
        return ""
    at = numbers[1]
    return f"{column.name[: at.start()]}#{column.name[at.end() :]}"


def _shape(column: Looked) -> str:
    """Return c#cop# of c82cop1: the name without its numbers."""
    shape = _NUMBER.sub("#", column.name)
    return shape if "#" in shape and len(shape.replace("#", "").strip("_.")) > 1 else ""


def _label(column: Looked) -> str:
    parts = re.split(r": | - ", column.label, maxsplit=1)
    return parts[0].strip() if len(parts) == 2 else ""
