"""A column's answers -> its answer scale: which answers there are, in which order, which are none.

Two columns may share a battery where their frames agree. Owns which codes mean "no answer", and
which odd cells amid numbers are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from psychoseg.starter.answers import is_no_answer, order_answers, runs_down, told_down
from psychoseg.starter.columns import Looked
from psychoseg.starter.labelled import absent_codes, join_labels, labels_ends_only, of_labels
from psychoseg.starter.markers import is_mark
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.starter.worded import join_words, of_words
from psychoseg.survey.raw import number_text

__all__ = ["as_codes", "few_cells", "find_frame", "join_frames", "values_of"]

#: Codes that programs and agencies use for "no answer", where they lie outside the scale.
NO_ANSWER_CODES = {-1, -2, -3, -4, -5, -6, -7, -8, -9, -66, -77, -88, -97, -98, -99, -999, -9999}
NO_ANSWER_CODES |= {8, 9, 66, 77, 88, 95, 96, 97, 98, 99, 888, 997, 998, 999, 9998, 9999}
#: "Refused", where it stands below an 8 or a 9 that mean "don't know" and "no answer".
_REFUSED = {7, 97, 997}
#: A slider from 0 to 100 is told from an age by its end and by more different answers than this.
SLIDER_STEPS = 15
#: Answers outside the scale up to this share are slips of the pen, not another scale.
STRAY_SHARE = 0.01
#: A 0 below a scale that begins at 1 means "missed" where it is this rare in all columns together,
#: and rarer than half of the least answer. Our own choice: on real scales from 0 the 0 is an answer
#: like the others; where it meant "missed" it was below 1 % of the answers.
MISSED_SHARE = 0.03
#: With more codes for "no answer" than this, nothing is known of the scale.
MOST_MISSING = 0.95
#: Share of whole numbers among the answers of a rating scale.
WHOLE_SHARE = 0.97
#: From this many respondents on, an answer nobody gave is one that was not offered.
MANY_RESPONDENTS = 200
#: A scale with a negative end goes down to -5 at most.
_LOWEST = -5
#: -1 beside 0 and 1 is an answer where at least this share gave it.
MINUS_SHARE = 0.02
#: The number in an end that is worded: "Not sensitive 1", "7 = very sensitive", "(1) never".
_WORDED_END = re.compile(r"\(?(\d{1,2})\)?\s*[.:=)\-–—]?\s+[^\d]+|[^\d]+[\s(:=\-–—](\d{1,2})\)?")
#: A worded end says nothing of an amount or a span: "5 or more", "under 18", "3 years".
_AMOUNT = re.compile(
    r"\b(or|and|than|under|over|up to|years?|months?|weeks?|days?|hours?|times?|oder|und|bis|ou|et"
    r"|mas|más|plus|more|less|persons?|people|kids|children)\b",
    re.IGNORECASE,
)


def find_frame(seen: Looked) -> Frame | None:
    """Return the answer scale of a column, None where it has none."""
    if seen.kind not in ("numeric", "categories"):
        return None
    if seen.field.value_labels and seen.kind == "categories":
        if labels_ends_only(seen):
            return _of_labelled_ends(seen)
        return of_labels(seen)
    if seen.kind == "numeric":
        return _of_numbers(seen)
    worded = _worded_ends(seen)
    if worded is not None:
        return _of_numbers(worded)
    marks = _marks_amid_words(seen)
    frame = of_words(_without(seen, marks) if marks else seen)
    if frame is None or not marks:
        return frame
    return replace(frame, missing=(*frame.missing, *marks))


def join_frames(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    """Return the one answer scale of columns that share a battery, None where they have none."""
    kind = frames[0].kind
    if kind in ("numbers", "slider") or (kind == "binary" and len({f.key for f in frames}) > 1):
        return _join_numbers(columns, frames)
    labelled = bool(columns[0].field.value_labels)
    if kind == "labels" or (kind in ("binary", "unordered") and frames[0].key and labelled):
        return join_labels(columns, frames)
    if kind in ("words", "unordered") or columns[0].kind != "numeric":
        return _join_words(columns)
    return _join_numbers(columns, frames)


def values_of(column: Looked) -> Counter[float]:
    """Return how often each number was answered, ends in words counted as their numbers."""
    worded = _worded_ends(column) if column.kind == "categories" else None
    seen = worded or column
    out: Counter[float] = Counter()
    for value, count in zip(seen.numbers.tolist(), seen.counts.tolist(), strict=True):
        if not np.isnan(value):
            out[value] += count
    return out


def few_cells(count: int, answered: int) -> bool:
    """Tell whether so few cells are slips of the pen, one at least."""
    return count <= max(1.0, STRAY_SHARE * answered)


def _of_numbers(seen: Looked) -> Frame | None:
    known = ~np.isnan(seen.numbers)
    whole = known & (seen.numbers % 1 == 0)
    answered = int(seen.counts[known].sum())
    if not answered or seen.counts[whole].sum() < WHOLE_SHARE * answered:
        return None
    counts: Counter[int] = Counter()
    for value, count in zip(seen.numbers[whole].tolist(), seen.counts[whole].tolist(), strict=True):
        counts[int(value)] += count
    values = sorted(counts)
    missing = _outside(values, counts)
    inside = _without_far_strays([v for v in values if v not in missing], counts, answered)
    if not inside or sum(counts[v] for v in missing) > MOST_MISSING * answered:
        return None
    low, high = inside[0], inside[-1]
    texts = tuple(number_text(v) for v in inside)
    odd = tuple(t for t, is_number in zip(seen.texts, known, strict=True) if not is_number)
    gone = (*(number_text(v) for v in sorted(missing)), *odd)
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
    return replace(frame, missing=gone)


def _outside(values: Sequence[int], counts: Counter[int]) -> set[int]:
    """Return codes that mean "no answer": negative ones, and known ones above a gap."""
    positive = [v for v in values if v >= 0]
    negative = [v for v in values if v < 0]
    out: set[int] = set()
    if positive and not _goes_below_zero(negative, positive, counts):
        out |= {v for v in negative if v in NO_ANSWER_CODES}
    if positive and positive[-1] == 100:
        return out
    # 8 and 9, 98 and 99 are "don't know" and "no answer": the gap lies below the lowest of them.
    while len(positive) > 2 and positive[-1] in NO_ANSWER_CODES:
        start = len(positive) - 1
        while start and positive[start] - positive[start - 1] == 1:
            start -= 1
        run = positive[start:]
        codes = all(v in NO_ANSWER_CODES or v in _REFUSED for v in run)
        if not codes or start < 2 or run[0] - positive[start - 1] < 2:
            break
        out |= set(run)
        positive = positive[:start]
    return out


def _goes_below_zero(
    negative: Sequence[int], positive: Sequence[int], counts: Counter[int]
) -> bool:
    """Tell whether a scale has a lower half below 0, of which an end may be unused."""
    if not negative or negative[0] < _LOWEST or positive[-1] > -_LOWEST:
        return False
    if list(negative) == [-1]:
        # 0 and 1 with a rare -1 is a tick that is missing here and there.
        share = counts[-1] / sum(counts.values())
        return list(positive) == [0, 1] and share >= MINUS_SHARE
    if -negative[0] == positive[-1]:
        return True
    whole = list(range(negative[0], positive[-1] + 1)) == [*negative, *positive]
    return whole and abs(-negative[0] - positive[-1]) == 1


def _without_far_strays(values: Sequence[int], counts: Counter[int], answered: int) -> list[int]:
    """Take away ends that a few people gave and that lie apart from all others: an 11, a 55."""
    left = list(values)
    spare = max(1.0, STRAY_SHARE * answered)
    while len(left) > 3:
        ends = []
        if left[-1] - left[-2] >= 2:
            ends.append(left[-1])
        if left[1] - left[0] >= 2:
            ends.append(left[0])
        # The rarer end first; the one that lies farther of two.
        ends.sort(key=lambda v: (counts[v], -abs(v)))
        if not ends or counts[ends[0]] > spare:
            break
        spare -= counts[ends[0]]
        left.remove(ends[0])
    return left


def _join_numbers(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    worded = any(c.kind == "categories" and not c.field.value_labels for c in columns)
    columns = [(_worded_ends(c) if c.kind == "categories" else None) or c for c in columns]
    total: Counter[str] = Counter()
    of: dict[str, float] = {}
    for column in columns:
        total.update(column.count_of())
        of |= {
            text: float(number)
            for text, number in zip(column.texts, column.numbers, strict=True)
            if not np.isnan(number)
        }
    missing = {m for frame in frames for m in frame.missing} | {t for t in total if t not in of}
    low = min(frame.low for frame in frames)
    high = max(frame.high for frame in frames)
    notes = []
    inside = {text for text, v in of.items() if low <= v <= high and text not in missing}
    halves = {text for text in inside if of[text] % 1 != 0}
    # A fraction here and there is a slip; where there are more, half steps were offered.
    if frames[0].kind != "slider" and 0 < sum(total[t] for t in halves) <= STRAY_SHARE * sum(
        total[t] for t in inside
    ):
        inside -= halves
    everybody = sum(total[t] for t in inside)
    zero = sum(total[t] for t in inside if of[t] == 0)
    ones = [sum(total[t] for t in inside if of[t] == v) for v in range(1, int(high) + 1)]
    if low == 0 and 3 <= high < 10 and zero < MISSED_SHARE * everybody and zero < 0.5 * min(ones):
        missing |= {t for t in inside if of[t] == 0}
        inside -= missing
        low = 1
        notes.append("0 is rare and was taken for a question passed over")
    elif low > 1 and high - low < MAX_STEPS - 1 and frames[0].kind == "numbers":
        low = 1
        notes.append("nobody gave the lowest answers; the scale was taken to begin at 1")
    elif low == 1 and high == 100:
        low = 0
    strays = tuple(sorted(t for t in total if t not in inside and t not in missing))
    spare = max(len(columns), STRAY_SHARE * max(1, everybody))
    if sum(total[t] for t in strays) > spare:
        return None
    gone = tuple(sorted(missing, key=lambda m: (m not in of, of.get(m, 0.0), m)))
    if gone and not notes:
        notes.append(f"{', '.join(gone)} {'was' if len(gone) == 1 else 'were'} taken for no answer")
    code_of = {t: v for t, v in of.items() if t in inside}
    notes += _runs_down(columns, code_of)
    return Scale(
        code_of, low, high, _levels_in_words(code_of) if worded else (), gone, strays, tuple(notes),
        counts={t: total[t] for t in (*gone, *strays)},
    )  # fmt: skip


def _runs_down(columns: Sequence[Looked], code_of: dict[str, float]) -> list[str]:
    """Say so where the words at the ends of a scale of numbers run from more to less."""
    label_of = {t: label for c in columns for t, label in c.field.value_labels.items()}
    said = [label_of.get(t, t) for t in sorted(code_of, key=lambda t: (code_of[t], t))]
    worded = [t for t in said if any(c.isalpha() for c in t)]
    return [told_down(worded[0], worded[-1])] if len(worded) > 1 and runs_down(worded) else []


def _levels_in_words(code_of: dict[str, float]) -> tuple[tuple[str, ...], ...]:
    """Return the levels of answers of which some are worded."""
    levels: dict[float, list[str]] = {}
    for text in sorted(code_of):
        levels.setdefault(code_of[text], []).append(text)
    return tuple(tuple(levels[v]) for v in sorted(levels))


def _worded_ends(seen: Looked) -> Looked | None:
    """Return a column of numbers of which some are worded, as numbers; None where it is none.

    "Not sensitive 1", 2, 3, ... "Very sensitive 7", whatever codes for "no answer" stand beside.
    """
    bare = [int(v) for v in seen.numbers if not np.isnan(v) and v % 1 == 0]
    if not [v for v in bare if 0 <= v <= MAX_STEPS]:
        return None
    numbers = seen.numbers.copy()
    worded = 0
    for text, end in _bare_ends(seen, bare).items():
        numbers[seen.texts.index(text)] = end
        worded += 1
    for i, text in enumerate(seen.texts):
        if not np.isnan(numbers[i]) or is_no_answer(text) or is_mark(text):
            continue
        found = _WORDED_END.fullmatch(text)
        if found is None or _AMOUNT.search(text):
            return None
        number = int(found.group(1) or found.group(2))
        if number > MAX_STEPS:
            return None
        numbers[i] = number
        worded += 1
    return replace(seen, kind="numeric", numbers=numbers) if worded else None


def _bare_ends(seen: Looked, bare: Sequence[int]) -> dict[str, float]:
    """Return the numbers of two ends in words: "Not at all", 2, 3, 4, "Very much"."""
    steps = sorted(v for v in bare if 0 < v <= MAX_STEPS)
    ends = [
        t
        for t, v in zip(seen.texts, seen.numbers, strict=True)
        if np.isnan(v) and not is_no_answer(t) and not is_mark(t)
    ]
    if len(ends) != 2 or len(steps) < 2 or steps != list(range(2, steps[-1] + 1)):
        return {}
    order = order_answers(ends)
    if order is None or order.guess or len(order.levels) != 2:
        return {}
    return {order.levels[0][0]: 1.0, order.levels[1][0]: steps[-1] + 1.0}


def _marks_amid_words(seen: Looked) -> tuple[str, ...]:
    """Return marks and codes that are no answers in a column of words."""
    if any("+" in t for t in seen.texts):
        return ()
    codes = {
        text
        for text, number in zip(seen.texts, seen.numbers, strict=True)
        if not np.isnan(number) and number in NO_ANSWER_CODES
    }
    # Several numbers are answers of their own: "18", "19".
    bare = sum(bool(not np.isnan(v)) for v in seen.numbers)
    if bare > len(codes):
        codes = {t for t in codes if t.startswith("-")}
    marks = tuple(t for t in seen.texts if is_mark(t) or t in codes)
    return marks if len(marks) < len(seen.texts) - 1 else ()


def _without(seen: Looked, gone: Sequence[str]) -> Looked:
    """Return a column without some of its texts, whose cells are then no answers."""
    keep = np.array([t not in gone for t in seen.texts], dtype=bool)
    place = np.full(len(keep) + 1, -1, dtype=np.intp)
    place[:-1][keep] = np.arange(int(keep.sum()))
    return replace(
        seen,
        texts=tuple(t for t, kept in zip(seen.texts, keep, strict=True) if kept),
        counts=seen.counts[keep],
        codes=place[seen.codes],
        numbers=seen.numbers[keep],
    )


def _join_words(columns: Sequence[Looked]) -> Scale | None:
    marks = [_marks_amid_words(c) for c in columns]
    scale = join_words([_without(c, m) if m else c for c, m in zip(columns, marks, strict=True)])
    counts: Counter[str] = Counter()
    for column, gone in zip(columns, marks, strict=True):
        held = column.count_of()
        counts.update({text: held[text] for text in gone})
    if scale is None or not counts:
        return scale
    missing = tuple(dict.fromkeys((*scale.missing, *sorted(counts))))
    return replace(scale, missing=missing, counts={**scale.counts, **counts})


def as_codes(
    columns: Sequence[Looked], scale: Scale
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the codes of a battery, shape (n, p), NaN for no answer."""
    out = []
    for column in columns:
        values = np.array([scale.code_of.get(t, np.nan) for t in (*column.texts, "")])
        out.append(values[column.codes])
    return np.column_stack(out)
