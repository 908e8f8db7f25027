"""Columns answered in words, or in codes that carry labels -> their answer scale.

Owns what the words of a column say of its answers; bare numbers are for ``frames``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from psychoseg.starter.answers import (
    Ordered,
    are_rates,
    is_no_answer,
    is_yes_no,
    order_answers,
    plain,
)
from psychoseg.starter.columns import Looked
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.survey.raw import number_text, parse_number

__all__ = [
    "absent_codes",
    "join_labels",
    "join_words",
    "labels_ends_only",
    "of_labels",
    "of_words",
]


def labels_ends_only(seen: Looked) -> bool:
    """Tell whether only the ends, and "don't know", carry a label."""
    labels = seen.field.value_labels
    unlabelled = [t for t in seen.texts if t not in labels]
    return (
        bool(unlabelled)
        and all(parse_number(t) is not None for t in unlabelled)
        and len(labels) - len(absent_codes(seen)) < 4
    )


def absent_codes(seen: Looked) -> tuple[str, ...]:
    """Return the codes whose labels mean "no answer"."""
    return tuple(c for c, label in seen.field.value_labels.items() if is_no_answer(label))


def of_labels(seen: Looked) -> Frame | None:
    """Return the answer scale of codes that carry labels, None where they have none."""
    labels = seen.field.value_labels
    absent = absent_codes(seen)
    real = {code: label for code, label in labels.items() if code not in absent}
    numbers = [n for code in real if (n := parse_number(code)) is not None]
    if len(numbers) != len(real) or not numbers:
        return None
    texts = tuple(real.values())
    low, high = min(numbers), max(numbers)
    gone = tuple(t for t in absent if t in seen.texts)
    if len(real) == 2:
        return Frame("binary", tuple(sorted(map(plain, texts))), texts, gone, low, high)
    if len(set(texts)) < len(texts):
        return None
    known = order_answers(texts) is not None or seen.field.measure in ("ordinal", "scale")
    bare = all(parse_number(t) is not None for t in texts)
    if len(real) < 3 or not (known or bare) or len(real) > MAX_STEPS + 1:
        return None
    return Frame("labels", tuple(map(plain, texts)), texts, gone, low, high)


def of_words(seen: Looked) -> Frame | None:
    """Return the answer scale of a column of words, None where their order is not known."""
    pair = is_yes_no([t for t in seen.texts if not is_no_answer(t)])
    gone = tuple(t for t in seen.texts if is_no_answer(t))
    if pair:
        return Frame("binary", tuple(map(plain, pair)), pair, gone, 0, 1)
    found = order_answers(seen.texts)
    if found is None or not 3 <= len(found.levels) <= MAX_STEPS:
        return None
    key = tuple(_words(level[0]) for level in found.levels)
    texts = tuple(t for level in found.levels for t in level)
    return Frame("words", key, texts, gone, 1, len(found.levels))


def join_labels(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    """Return the one answer scale of columns of labelled codes."""
    labels: dict[str, str] = {}
    for column in columns:
        labels |= column.field.value_labels
    absent = {code for code, label in labels.items() if is_no_answer(label)}
    gone = tuple(sorted({m for frame in frames for m in frame.missing}))
    code_of = {
        code: number
        for code in labels
        if code not in absent and (number := parse_number(code)) is not None
    }
    by_code = sorted(code_of, key=lambda code: code_of[code])
    real = [labels[code] for code in by_code]
    pair = is_yes_no(real)
    order = ((pair[0],), (pair[1],)) if pair else _levels(order_answers(real))
    seen = {text for column in columns for text in column.texts}
    strays = tuple(sorted(t for t in seen if t not in code_of and t not in absent))
    ends = min(code_of.values()), max(code_of.values())
    inorder = bool(order) and [level[0] for level in order] == real
    uneven = len({code_of[b] - code_of[a] for a, b in pairwise(by_code)}) > 1
    amounts = uneven and ends[1] - ends[0] > MAX_STEPS and len(set(real)) == len(real) > 2
    if amounts and (not order or len(order) < len(real)):
        order = tuple((label,) for label in real)
    elif not order or (inorder and not amounts) or len(order) < len(real):
        return Scale(code_of, *ends, (), gone, strays, (), are_rates(real))
    # The codes are amounts a year, or the labels run the other way or are out of order: the words
    # say which is more.
    if amounts and [level[0] for level in order] == real:
        note = (
            f"the codes in the file run from {number_text(ends[0])} to {number_text(ends[1])}, in "
            f"uneven steps; here the answers count as steps 1 to {len(order)}"
        )
    elif [level[0] for level in order] == real[::-1]:
        note = "in the file the codes run the other way; here they go from low to high"
    else:
        note = "the codes in the file are not in the order of their labels; check the order here"
    place = {level[0]: float(i) for i, level in enumerate(order, start=1)}
    turned = {code: place[labels[code]] for code in code_of}
    missing = tuple(labels[code] for code in gone if code in labels)
    return Scale(turned, 1, len(order), order, missing, strays, (note,), are_rates(real))


def join_words(columns: Sequence[Looked]) -> Scale | None:
    """Return the one answer scale of columns of words."""
    texts = sorted({text for column in columns for text in column.texts})
    real = [t for t in texts if not is_no_answer(t)]
    pair = is_yes_no(real)
    gone = tuple(t for t in texts if is_no_answer(t))
    found = None if pair else order_answers(texts)
    levels = ((pair[0],), (pair[1],)) if pair else _levels(found)
    guess = found.guess if found else ""
    if not levels:
        return None
    code_of = {text: float(i) for i, level in enumerate(levels, start=1) for text in level}
    notes = (f"the order of the answers is a guess ({guess})",) if guess else ()
    return Scale(code_of, 1, len(levels), levels, gone, (), notes, are_rates(real))


def _levels(found: Ordered | None) -> tuple[tuple[str, ...], ...]:
    return found.levels if found else ()


def _words(text: str) -> str:
    return " ".join(sorted(re.findall(r"\w+", plain(text))))
