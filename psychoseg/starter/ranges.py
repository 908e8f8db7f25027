"""Columns of numbers that one question has in common -> those that share a range, and what differs.

One odd cell or an unused end takes no column out of its battery; every such case is noted. Knows
nothing of names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.frames import (
    MANY_RESPONDENTS,
    MISSED_SHARE,
    few_cells,
    values_of,
)
from psychoseg.starter.scale import MAX_STEPS, Frame
from psychoseg.starter.worded import loose_words
from psychoseg.survey.raw import number_text

__all__ = ["Part", "almost_same", "as_in", "loose_frame", "odd_cells", "part_by_range"]

#: An end that at least this share of the columns use belongs to the scale, two of them at least.
_USED_SHARE, _USED = 0.25, 2
#: An end that fewer of all cells than this hold, of a scale that few have, is asked about.
_THIN = 0.005
#: Where most scales end; another end that hardly anybody gave may be a slip.
_USUAL_ENDS = {3, 4, 5, 7, 9, 10, 11}
#: Rows in which all items are -1 together, among those with any, from which on -1 is "not asked".
_TOGETHER = 0.8
#: Columns it takes to be a scale of its own beside a wider one.
_OWN = 3


@dataclass(frozen=True, slots=True)
class Part:
    """Columns that share a range.

    Attributes
    ----------
    columns : list of Looked
    frames : dict of str to Frame
        The frame of each, those that differ a little made the same.
    notes : tuple of str
        What differs.
    """

    columns: list[Looked]
    frames: dict[str, Frame]
    notes: tuple[str, ...] = ()


def loose_frame(seen: Looked) -> Frame | None:
    """Return the frame of a column of two answers, which is an item only where others say so."""
    if seen.kind == "categories":
        return loose_words(seen)
    if seen.kind != "numeric" or seen.demographic or seen.field.value_labels:
        return None
    values = sorted(values_of(seen))
    if len(values) != 2 or values[0] < 0 or values[1] > MAX_STEPS or values[1] < 2:
        return None
    if any(v % 1 for v in values):
        return None
    odd = tuple(t for t, v in zip(seen.texts, seen.numbers, strict=True) if np.isnan(v))
    texts = tuple(number_text(v) for v in values)
    return Frame("numbers", (number_text(values[1]),), texts, odd, *values)


def part_by_range(
    columns: Sequence[Looked], frames: dict[str, Frame], n: int, *, one_question: bool
) -> list[Part]:
    """Part columns of numbers by their range; slightly narrower ones go with wider ones.

    Parameters
    ----------
    columns : sequence of Looked
        All with a frame of numbers or of two bare codes.
    frames : dict of str to Frame
    n : int
        Respondents.
    one_question : bool
        Whether the file says that they are one question, so that an end nobody used is no other
        scale.
    """
    rare = _rare_zero(columns)
    if rare is not None:
        return [rare]
    codings = _two_codings(columns, frames)
    if codings:
        said = "the same question on two codings: here {}, and in {} {}"
        out = []
        for mine, other in (codings, codings[::-1]):
            note = said.format(_ends_of(mine, frames), other[0].name, _ends_of(other, frames))
            found = part_by_range(mine, frames, n, one_question=one_question)
            out += [replace(p, notes=(note, *p.notes)) for p in found]
        return out
    parts: list[Part] = []
    left = list(columns)
    while left:
        base = _base(left, frames, n)
        fits = [c for c in left if _fits(c, base, frames, left, n, one_question)]
        adopted = {c.name: as_in(c, frames[c.name], base) for c in fits}
        notes = (*_odd_notes(fits, base), *_unused_notes(fits, frames, base, n))
        thin = _thin_end(fits, base)
        parts.append(_without_blocks(Part(fits, adopted, (*notes, *thin))))
        left = [c for c in left if c not in fits]
    return parts


def almost_same(column: Looked, base: Frame) -> bool:
    """Tell whether all but a few cells of a column lie on a scale, and use it."""
    values = values_of(column)
    outside = sum(
        count
        for value, count in values.items()
        if not base.low <= value <= base.high and not _is_missing(value, base)
    )
    inside = [v for v in values if base.low <= v <= base.high]
    return len(inside) > 1 and few_cells(outside, sum(values.values()))


def as_in(column: Looked, frame: Frame, base: Frame) -> Frame:
    """Return a column's frame with the scale of another, and its own missing codes."""
    low, high = max(frame.low, base.low), min(frame.high, base.high)
    if low > high:
        low, high = base.low, base.high
    return replace(base, missing=frame.missing, low=low, high=high)


def odd_cells(column: Looked, base: Frame) -> Counter[str]:
    """Return the texts of a column that are not on the scale, and how many cells hold each."""
    out: Counter[str] = Counter()
    for text, number, count in zip(
        column.texts, column.numbers.tolist(), column.counts.tolist(), strict=True
    ):
        fraction = base.kind != "slider" and number % 1 != 0
        if np.isnan(number) or fraction or not base.low <= number <= base.high:
            out[text] += count
    return out


def _is_missing(value: float, base: Frame) -> bool:
    return number_text(value) in base.missing


def _key(frame: Frame) -> tuple[str, float, float]:
    if frame.kind == "numbers" and frame.low >= 0:
        return ("numbers", 0.0, frame.high)
    if frame.kind == "slider":
        return ("slider", 0.0, 100.0)
    return (frame.kind, frame.low, frame.high)


def _base(columns: Sequence[Looked], frames: dict[str, Frame], n: int) -> Frame:
    """Return the most frequent scale, widened to an end that enough columns use."""
    keys = [_key(frames[c.name]) for c in columns]
    held = Counter(keys)
    best = max(held, key=lambda k: (held[k], k[2], k[1]))
    if best[0] == "numbers" and best[1] == 0.0:
        spare = 1 if n >= MANY_RESPONDENTS else 2
        wider = [k for k in held if k[:2] == best[:2] and 0 < k[2] - best[2] <= spare]
        for key in sorted(wider, key=lambda k: k[2]):
            count = sum(held[k] for k in wider if k[2] >= key[2])
            if count >= max(_USED, _USED_SHARE * len(columns)):
                best = key
    mine = [frames[c.name] for c, key in zip(columns, keys, strict=True) if key == best]
    return replace(mine[0], low=min(f.low for f in mine))


def _fits(
    column: Looked,
    base: Frame,
    frames: dict[str, Frame],
    others: Sequence[Looked],
    n: int,
    one_question: bool,
) -> bool:
    frame = frames[column.name]
    if _key(frame) == _key(base):
        return True
    if frame.kind == "slider" or base.kind == "slider":
        return False
    if base.kind == "binary":
        # Two codes and a stray third one.
        return frame.low <= base.low and almost_same(column, base)
    if base.low < 0:
        return frame.low >= base.low and frame.high <= base.high and frame.low < frame.high
    if frame.low < 0:
        return False
    if frame.high > base.high:
        return frame.kind == "numbers" and almost_same(column, base)
    steps = len(frame.texts) > 2
    spare = 1 if n >= MANY_RESPONDENTS else 2
    if frame.kind == "numbers" and base.high - frame.high <= spare and frame.high > 2:
        return True
    if not one_question:
        return steps and frame.high >= (base.low + base.high) / 2 and _beside(column, base, others)
    alike = [c for c in others if _key(frames[c.name]) == _key(frame)]
    return len(alike) < _OWN and (steps or not _labelled(column))


def _labelled(column: Looked) -> bool:
    return bool(column.field.value_labels)


def _beside(column: Looked, base: Frame, others: Sequence[Looked]) -> bool:
    """Tell whether a column stands between two that use the whole scale."""
    places = {c.position: c for c in others}
    near = [places.get(column.position + step) for step in (-1, 1)]
    return all(c is not None and base.high in values_of(c) for c in near)


def _rare_zero(columns: Sequence[Looked]) -> Part | None:
    """Return all columns as pairs 1 and 2 where a 0 beside them is rare."""
    total: Counter[float] = Counter()
    for column in columns:
        total.update(values_of(column))
    everybody = sum(total.values())
    least = min(total[1], total[2])
    strays = everybody - total[0] - total[1] - total[2]
    if not total[0] or not few_cells(strays, everybody):
        return None
    if total[0] >= MISSED_SHARE * everybody or total[0] >= 0.5 * least:
        return None
    frame = Frame("binary", ("1", "2"), ("1", "2"), ("0",), 1, 2)
    note = "0 is rare beside 1 and 2 and was taken for a question passed over"
    odd = {c.name: tuple(t for t in c.texts if not _number_of(c, t)) for c in columns}
    frames = {c.name: replace(frame, missing=("0", *odd[c.name])) for c in columns}
    return Part(list(columns), frames, (note,))


def _number_of(column: Looked, text: str) -> bool:
    return not np.isnan(column.numbers[column.texts.index(text)])


def _two_codings(
    columns: Sequence[Looked], frames: dict[str, Frame]
) -> tuple[list[Looked], list[Looked]] | None:
    """Return columns that count from 0 and those that count from 1, of one number of steps."""
    if any(frames[c.name].kind != "numbers" or frames[c.name].low < 0 for c in columns):
        return None
    zero: list[Looked] = []
    one: list[Looked] = []
    for column in columns:
        values = values_of(column)
        from_zero = values[0.0] >= MISSED_SHARE * sum(values.values())
        (zero if from_zero else one).append(column)
    if not zero or not one or any(values_of(c)[0.0] for c in one):
        return None
    tops = [max(frames[c.name].high for c in group) for group in (zero, one)]
    # Half of each use their own upper end, so that neither is the other with an end unused.
    used = [
        sum(frames[c.name].high == top for c in group) >= 0.5 * len(group)
        for group, top in zip((zero, one), tops, strict=True)
    ]
    if tops[1] != tops[0] + 1 or tops[0] < 2 or not all(used):
        return None
    return zero, one


def _ends_of(columns: Sequence[Looked], frames: dict[str, Frame]) -> str:
    low = min(frames[c.name].low for c in columns)
    high = max(frames[c.name].high for c in columns)
    return f"{number_text(low)} to {number_text(high)}"


def _odd_notes(columns: Sequence[Looked], base: Frame) -> list[str]:
    """Say which columns hold cells that are not on the scale; nothing where most of them do."""
    odd = {c.name: cells for c in columns if (cells := odd_cells(c, base))}
    if len(odd) > len(columns) / 2:
        return []
    return [
        f"{name} is almost the same: {_cells(sum(cells.values()))} ({', '.join(sorted(cells))})"
        for name, cells in odd.items()
    ]


def _cells(count: int) -> str:
    return "1 cell differs" if count == 1 else f"{count:,} cells differ"


def _unused_notes(
    columns: Sequence[Looked], frames: dict[str, Frame], base: Frame, n: int
) -> list[str]:
    spare = 1 if n >= MANY_RESPONDENTS else 2
    out = []
    for column in columns:
        frame = frames[column.name]
        if frame.high < base.high - spare or (frame.kind == "binary" != base.kind):
            out.append(
                f"{column.name} is almost the same: nobody answered more than "
                f"{number_text(frame.high)}"
            )
    return out


def _thin_end(columns: Sequence[Looked], base: Frame) -> list[str]:
    """Ask about an unusual upper end that hardly anybody gave."""
    if base.kind != "numbers" or base.low < 0 or base.high in _USUAL_ENDS:
        return []
    total: Counter[float] = Counter()
    for column in columns:
        total.update(values_of(column))
    count = total[base.high]
    if count >= _THIN * sum(total.values()):
        return []
    end = number_text(base.high)
    return [f"only {count} cells are {end}: if they are slips, end the range below"]


def _without_blocks(part: Part) -> Part:
    """Take -1 for no answer where people have it in all columns or in none."""
    spans = {(f.low, f.high) for f in part.frames.values()}
    if min(low for low, _ in spans) != -1 or max(high for _, high in spans) != 1:
        return part
    codes = np.column_stack([np.array([*c.numbers, np.nan])[c.codes] for c in part.columns])
    minus = codes == -1
    some = minus.any(axis=1)
    together = minus.all(axis=1).sum() >= _TOGETHER * max(1, some.sum())
    if not (together and len(part.columns) > 1):
        return replace(part, notes=(*part.notes, "-1, 0 and 1 were taken for a scale of three"))
    frame = Frame("binary", ("0", "1"), ("0", "1"), ("-1",), 0, 1)
    return replace(part, frames={c.name: frame for c in part.columns})
