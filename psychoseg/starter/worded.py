"""Columns answered in words -> their answer scale; codes that carry labels are for ``labelled``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from psychoseg.starter.answers import (
    Ordered,
    are_rates,
    is_no_answer,
    is_yes_no,
    plain,
    propose_order,
    read_answers,
)
from psychoseg.starter.columns import Looked
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale

__all__ = [
    "is_loose",
    "join_words",
    "level_words",
    "loose_words",
    "not_known",
    "of_words",
    "settled",
]

#: Answers of a scale are short: longer texts are open ones, or name things.
_LONGEST = 60
#: Different answers from which on a column may be a scale by itself.
_STEPS = 3


def of_words(seen: Looked) -> Frame | None:
    """Return the answer scale of a column of words.

    Where the order of the answers is not known, but they are few and short, its kind is
    "unordered".
    """
    gone = tuple(t for t in seen.texts if is_no_answer(t))
    pair = is_yes_no(sorted(_by_wording(t for t in seen.texts if t not in gone).values()))
    if pair:
        texts = tuple(t for t in seen.texts if t not in gone)
        return Frame("binary", tuple(map(plain, pair)), texts, gone, 0, 1)
    found = read_answers(seen.texts, seen.count_of())
    if found is None:
        return _unordered(seen, gone)
    if not _STEPS <= len(found.levels) <= MAX_STEPS:
        return None
    key = tuple(level_words(level[0]) for level in found.levels)
    texts = tuple(t for level in found.levels for t in level)
    return Frame("words", key, texts, found.missing, 1, len(found.levels))


def _by_wording(texts: Iterable[str]) -> dict[str, str]:
    """Return one text of those that differ in nothing but capitals and signs."""
    return {plain(t): t for t in sorted(texts, reverse=True)}


def _unordered(seen: Looked, gone: tuple[str, ...]) -> Frame | None:
    real = [t for t in seen.texts if t not in gone]
    levels = {level_words(t) for t in real}
    if not _STEPS <= len(levels) <= MAX_STEPS or seen.demographic:
        return None
    if any(len(t) > _LONGEST for t in real) or len(real) > seen.answered / 2:
        return None
    return Frame("unordered", tuple(sorted(levels)), tuple(real), gone, 1, len(levels))


def loose_words(seen: Looked) -> Frame | None:
    """Return the frame of a column of one or two answers, which only others can make an item."""
    if seen.kind != "categories" or seen.demographic or seen.field.value_labels:
        return None
    gone = tuple(t for t in seen.texts if is_no_answer(t))
    real = tuple(t for t in seen.texts if t not in gone)
    levels = {level_words(t) for t in real}
    if not 1 <= len(levels) < _STEPS or any(len(t) > _LONGEST for t in real):
        return None
    return Frame("unordered", tuple(sorted(levels)), real, gone, 1, len(levels))


def is_loose(frame: Frame) -> bool:
    """Tell whether a frame is too narrow to be a scale without others."""
    return frame.kind == "unordered" and len(frame.key) < _STEPS


def settled(columns: Sequence[Looked], frames: Mapping[str, Frame]) -> dict[str, Frame]:
    """Return frames of columns of one question that are understood with the others' answers.

    A column in which few answers were given, or an odd one, says too little alone.
    """
    groups = Counter(frames[c.name].key for c in columns if frames[c.name].kind == "words")
    out: dict[str, Frame] = {}
    for key, _ in sorted(groups.items(), key=lambda g: (-len(g[0]), -g[1], g[0])):
        base = [c for c in columns if frames[c.name].key == key]
        for column in columns:
            frame = frames[column.name]
            if column.name in out or frame.key == key or column.field.value_labels:
                continue
            mine = {level_words(t) for t in frame.texts}
            found = (
                _read([*base, column]) if mine <= set(key) or frame.kind == "unordered" else None
            )
            if found is None or not set(key) <= {level_words(t) for v in found.levels for t in v}:
                continue
            texts = tuple(t for level in found.levels for t in level if t in column.texts)
            if texts:
                gone = tuple(t for t in column.texts if t in found.missing)
                out[column.name] = Frame("words", key, texts, gone, 1, len(found.levels))
    return out


def _read(columns: Sequence[Looked]) -> Ordered | None:
    counts = _counted(columns)
    return read_answers(sorted(counts), counts)


def _counted(columns: Sequence[Looked]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for column in columns:
        counts.update(column.count_of())
    return counts


def join_words(columns: Sequence[Looked]) -> Scale | None:
    """Return the one answer scale of columns of words."""
    counts = _counted(columns)
    real = [t for t in counts if not is_no_answer(t)]
    pair = is_yes_no(sorted(_by_wording(real).values()))
    if pair:
        levels = tuple(tuple(sorted(t for t in real if plain(t) == plain(p))) for p in pair)
        gone = tuple(sorted(set(counts) - set(real)))
        return _scale(levels, gone, (), counts)
    found = _read(columns)
    if found is not None:
        guess = (f"the order of the answers is a guess ({found.guess})",) if found.guess else ()
        return _scale(found.levels, found.missing, (*guess, *found.asks), counts)
    gone = tuple(sorted(set(counts) - set(real)))
    levels, odd = propose_order(sorted(real))
    names = [c.name for c in columns]
    told = not_known(names, odd if len(odd) < len(real) else ())
    scale = _scale(levels, gone, (told,), counts)
    return replace(scale, unordered=True)


def not_known(names: Sequence[str], odd: Sequence[str], *, by: str = "the alphabet") -> str:
    """Say that the order of answers is not known, and which of them could not be read."""
    columns = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
    what = f"the order of the answers of {columns} is not known"
    if odd:
        quoted = ", ".join(f'"{t}"' for t in odd)
        what += f", for {quoted} could not be read"
    return (
        f"{what}. Put the answers below, which go by {by}, from low to high, move those that are "
        "none to missing, and let them take the place of codes = []. If they are names, take "
        "this group out and name them under [[columns]]"
    )


def _scale(
    levels: tuple[tuple[str, ...], ...],
    gone: tuple[str, ...],
    notes: tuple[str, ...],
    counts: Counter[str],
) -> Scale:
    code_of = {text: float(i) for i, level in enumerate(levels, start=1) for text in level}
    real = [level[0] for level in levels]
    return Scale(
        code_of, 1, len(levels), levels, gone, (), notes, are_rates(real),
        counts={t: counts[t] for t in gone},
    )  # fmt: skip


def level_words(text: str) -> str:
    """Return the words of an answer, whatever stands between them."""
    return " ".join(sorted(re.findall(r"\w+", plain(text))))
