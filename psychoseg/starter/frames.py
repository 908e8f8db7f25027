"""A column's answers -> its answer scale: which answers there are, in which order, which are none.

Two columns may share a battery where their frames agree. Owns which codes mean "no answer".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from psychoseg.starter.answers import (
    Ordered,
    are_rates,
    is_no_answer,
    is_yes_no,
    order_answers,
    plain,
)
from psychoseg.starter.columns import Looked
from psychoseg.survey.raw import number_text, parse_number

__all__ = ["Frame", "Scale", "as_codes", "find_frame", "join_frames"]

FrameKind = Literal["numbers", "slider", "labels", "words", "binary"]

#: The most steps of a rating: 0 to 10 has eleven.
MAX_STEPS = 11
#: Codes that programs and agencies use for "no answer", where they lie outside the scale.
NO_ANSWER_CODES = {-1, -2, -3, -4, -5, -6, -7, -8, -9, -66, -77, -88, -97, -98, -99, -999, -9999}
NO_ANSWER_CODES |= {8, 9, 66, 77, 88, 95, 96, 97, 98, 99, 888, 997, 998, 999, 9998, 9999}
#: A slider from 0 to 100 is told from an age by its end and by more different answers than this.
SLIDER_STEPS = 15
#: Answers outside the scale up to this share are slips of the pen, not another scale.
STRAY_SHARE = 0.01
#: A 0 below a scale that begins at 1 means "missed" where it is this rare in all columns together,
#: and rarer than half of the least answer. Our own choice: on real scales from 0 the 0 is an answer
#: like the others; where it meant "missed" it was below 1 % of the answers.
MISSED_SHARE = 0.03
#: Share of whole numbers among the answers of a rating scale.
WHOLE_SHARE = 0.97
#: From this many respondents on, an answer nobody gave is one that was not offered.
MANY_RESPONDENTS = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """The answer scale of one column.

    Attributes
    ----------
    kind : str
        Numbers alone, a slider, codes with labels, words, or two answers.
    key : tuple of str
        What two columns of one scale have in common: the levels, or the upper end.
    texts : tuple of str
        Answers (or, of codes with labels, their labels) on the scale.
    missing : tuple of str
        Answers as they stand in the file that mean "no answer".
    low, high : float
        Least and greatest code seen.
    """

    kind: FrameKind
    key: tuple[str, ...]
    texts: tuple[str, ...]
    missing: tuple[str, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The answer scale of a whole battery, as the study file will say it.

    Attributes
    ----------
    code_of : dict of str to float
        Each answer as it stands in the file -> its code; what is absent is no answer.
    low, high : float
    codes : tuple of tuple of str
        Levels from low to high, in words; empty where the file holds the codes.
    missing : tuple of str
        Answers that mean "no answer".
    strays : tuple of str
        Answers outside the scale that few people gave.
    notes : tuple of str
        What was guessed.
    rates : bool
        The answers say how often in a week or a year: what people do, not what they think.
    """

    code_of: dict[str, float]
    low: float
    high: float
    codes: tuple[tuple[str, ...], ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]
    notes: tuple[str, ...]
    rates: bool = False


def find_frame(seen: Looked) -> Frame | None:
    """Return the answer scale of a column, None where it has none."""
    if seen.kind not in ("numeric", "categories"):
        return None
    if seen.field.value_labels and seen.kind == "categories":
        return _of_labels(seen)
    if seen.all_numbers:
        return _of_numbers(seen)
    return _of_words(seen)


def join_frames(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    """Return the one answer scale of columns that share a battery, None where they have none."""
    kind = frames[0].kind
    if kind in ("numbers", "slider") or (kind == "binary" and len({f.key for f in frames}) > 1):
        return _join_numbers(columns, frames)
    if kind == "labels" or (kind == "binary" and frames[0].key and columns[0].field.value_labels):
        return _join_labels(columns, frames)
    if kind == "words" or not columns[0].all_numbers:
        return _join_words(columns)
    return _join_numbers(columns, frames)


def _of_numbers(seen: Looked) -> Frame | None:
    whole = seen.numbers % 1 == 0
    if seen.counts[whole].sum() < WHOLE_SHARE * seen.answered:
        return None
    values = [int(v) for v in seen.numbers[whole]]
    counts = dict(zip(values, seen.counts[whole].tolist(), strict=True))
    missing = _outside(values)
    inside = [v for v in values if v not in missing]
    if not inside or sum(counts[v] for v in missing) > 0.5 * seen.answered:
        return None
    low, high = inside[0], inside[-1]
    texts = tuple(number_text(v) for v in inside)
    gone = tuple(number_text(v) for v in sorted(missing))
    if high - low >= MAX_STEPS or high > MAX_STEPS:
        slider = high == 100 and low >= 0 and len(inside) > SLIDER_STEPS
        return Frame("slider", ("100",), texts, gone, low, high) if slider else None
    if set(inside) in ({0, 1}, {1, 2}):
        return Frame("binary", texts, texts, gone, low, high)
    # Few respondents may have used few answers: two, as long as they do not look like yes and no.
    if len(inside) < 3 and not (len(inside) == 2 and seen.answered < MANY_RESPONDENTS and high > 2):
        return None
    ends = number_text(high) if low >= 0 else f"{number_text(low)} to {number_text(high)}"
    return Frame("numbers", (ends,), texts, gone, low, high)


def _outside(values: Sequence[int]) -> set[int]:
    """Return codes that mean "no answer": negative ones, and known ones above a gap."""
    positive = [v for v in values if v >= 0]
    negative = [v for v in values if v < 0]
    out: set[int] = set()
    symmetric = bool(negative and positive) and -negative[0] == positive[-1] and negative[0] >= -5
    if positive and not (symmetric and len(negative) > 1):
        out |= {v for v in negative if v in NO_ANSWER_CODES}
    if positive and positive[-1] == 100:
        return out
    while len(positive) > 2:
        top, below = positive[-1], positive[-2]
        # 98 and 99 are both "no answer": the gap lies below the lower one.
        runs = top in NO_ANSWER_CODES and (
            top - below >= 2 or (top > 60 and below in NO_ANSWER_CODES)
        )
        if not runs:
            break
        out.add(top)
        positive.pop()
    return out


def _of_labels(seen: Looked) -> Frame | None:
    labels = seen.field.value_labels
    absent = tuple(code for code, label in labels.items() if is_no_answer(label))
    real = {code: label for code, label in labels.items() if code not in absent}
    unlabelled = [t for t in seen.texts if t not in labels]
    if unlabelled and all(parse_number(t) is not None for t in unlabelled) and len(real) < 4:
        # Only the ends, and "don't know", carry a label.
        frame = _of_numbers(seen)
        if frame is None:
            return None
        gone = tuple(dict.fromkeys((*frame.missing, *absent)))
        return Frame(frame.kind, frame.key, frame.texts, gone, frame.low, frame.high)
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


def _of_words(seen: Looked) -> Frame | None:
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


def _words(text: str) -> str:
    return " ".join(sorted(re.findall(r"\w+", plain(text))))


def _join_numbers(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    total: dict[str, int] = {}
    for column in columns:
        for text, count in column.count_of().items():
            total[text] = total.get(text, 0) + count
    missing = {m for frame in frames for m in frame.missing}
    low = min(frame.low for frame in frames)
    high = max(frame.high for frame in frames)
    notes = []
    of = {
        text: number
        for text in total
        if (number := parse_number(text, columns[0].field.decimal)) is not None
    }
    inside = {text for text, v in of.items() if low <= v <= high and text not in missing}
    everybody = sum(total[t] for t in inside)
    zero = sum(total[t] for t in inside if of[t] == 0)
    ones = [sum(total[t] for t in inside if of[t] == v) for v in range(1, int(high) + 1)]
    if low == 0 and 3 <= high < 10 and zero < MISSED_SHARE * everybody and zero < 0.5 * min(ones):
        missing.add("0")
        inside.discard("0")
        low = 1
        notes.append("0 is rare and was taken for a question passed over")
    elif low > 1 and high - low < MAX_STEPS - 1 and frames[0].kind == "numbers":
        low = 1
        notes.append("nobody gave the lowest answers; the scale was taken to begin at 1")
    elif low == 1 and high == 100:
        low = 0
    strays = tuple(sorted(t for t in total if t not in inside and t not in missing))
    if sum(total[t] for t in strays) > STRAY_SHARE * max(1, everybody):
        return None
    gone = tuple(sorted(missing, key=lambda m: (parse_number(m) is None, parse_number(m) or 0.0)))
    if gone and not notes:
        notes.append(f"{', '.join(gone)} was taken for no answer")
    return Scale(
        {t: v for t, v in of.items() if t in inside}, low, high, (), gone, strays, tuple(notes)
    )


def _join_labels(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
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


def _join_words(columns: Sequence[Looked]) -> Scale | None:
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


def as_codes(
    columns: Sequence[Looked], scale: Scale
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the codes of a battery, shape (n, p), NaN for no answer."""
    out = []
    for column in columns:
        values = np.array([scale.code_of.get(t, np.nan) for t in (*column.texts, "")])
        out.append(values[column.codes])
    return np.column_stack(out)
