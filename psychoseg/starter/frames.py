"""A column's answers -> its answer scale: which answers there are, in which order, which are none.

Two columns may share a battery where their frames agree. Owns which codes mean "no answer".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.starter.worded import (
    absent_codes,
    join_labels,
    join_words,
    labels_ends_only,
    of_labels,
    of_words,
)
from psychoseg.survey.raw import number_text, parse_number

__all__ = ["as_codes", "find_frame", "join_frames"]

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


def find_frame(seen: Looked) -> Frame | None:
    """Return the answer scale of a column, None where it has none."""
    if seen.kind not in ("numeric", "categories"):
        return None
    if seen.field.value_labels and seen.kind == "categories":
        if labels_ends_only(seen):
            return _of_labelled_ends(seen)
        return of_labels(seen)
    if seen.all_numbers:
        return _of_numbers(seen)
    return of_words(seen)


def join_frames(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    """Return the one answer scale of columns that share a battery, None where they have none."""
    kind = frames[0].kind
    if kind in ("numbers", "slider") or (kind == "binary" and len({f.key for f in frames}) > 1):
        return _join_numbers(columns, frames)
    if kind == "labels" or (kind == "binary" and frames[0].key and columns[0].field.value_labels):
        return join_labels(columns, frames)
    if kind == "words" or not columns[0].all_numbers:
        return join_words(columns)
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


def _of_labelled_ends(seen: Looked) -> Frame | None:
    frame = _of_numbers(seen)
    if frame is None:
        return None
    gone = tuple(dict.fromkeys((*frame.missing, *absent_codes(seen))))
    return Frame(frame.kind, frame.key, frame.texts, gone, frame.low, frame.high)


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


def as_codes(
    columns: Sequence[Looked], scale: Scale
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the codes of a battery, shape (n, p), NaN for no answer."""
    out = []
    for column in columns:
        values = np.array([scale.code_of.get(t, np.nan) for t in (*column.texts, "")])
        out.append(values[column.codes])
    return np.column_stack(out)
