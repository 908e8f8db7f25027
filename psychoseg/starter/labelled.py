"""Codes that carry labels -> their answer scale: the file's own codes, read by their labels.

The codes say the order. Labels say which codes are answers, and turn a scale round only where every
one of them is understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from psychoseg.starter.answers import (
    Ordered,
    are_rates,
    is_no_answer,
    is_unsure,
    is_yes_no,
    plain,
    propose_order,
    read_answers,
    runs_down,
    told_down,
)
from psychoseg.starter.columns import Looked
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.starter.worded import not_known
from psychoseg.survey.raw import number_text, parse_number

__all__ = ["absent_codes", "join_labels", "labels_ends_only", "of_labels"]

#: Of labels that carry words, this share at least is understood where the rest goes by its codes.
_UNDERSTOOD = 0.5
#: So many labels that stand in the order of the alphabet, and not in that of their words, were
#: numbered by it.
_BY_ALPHABET = 4


@dataclass(frozen=True, slots=True)
class _Labels:
    """What labels say of their codes.

    Attributes
    ----------
    steps : dict of str to float
        Codes that are answers, from low to high.
    missing : tuple of str
        Codes that mean "no answer".
    order : tuple of tuple of str
        Labels from low to high, where all that carry words are understood.
    certain : bool
        Nothing about the order is a guess.
    read : bool
        Enough is understood to go by the codes.
    odd : tuple of str
        Labels that nobody understood.
    asks : tuple of str
    """

    steps: dict[str, float]
    missing: tuple[str, ...]
    order: tuple[tuple[str, ...], ...]
    certain: bool
    read: bool
    odd: tuple[str, ...]
    asks: tuple[str, ...]


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
    labels = seen.field.value_labels
    found = _read(tuple(labels.items()))
    return found.missing if found is not None else ()


def of_labels(seen: Looked) -> Frame | None:
    """Return the answer scale of codes that carry labels, None where they have none."""
    labels = seen.field.value_labels
    found = _read(tuple(labels.items()))
    if found is None or not found.steps:
        return None
    texts = tuple(labels[code] for code in found.steps)
    low, high = min(found.steps.values()), max(found.steps.values())
    gone = tuple(t for t in found.missing if t in seen.texts)
    if len(texts) == 2:
        return Frame("binary", tuple(sorted(map(plain, texts))), texts, gone, low, high)
    if not 3 <= len(texts) <= MAX_STEPS + 1:
        return None
    key = tuple(plain(t) for t in texts)
    if found.read:
        return Frame("labels", key, texts, gone, low, high)
    if seen.field.measure == "nominal" or seen.demographic or len(texts) > MAX_STEPS:
        return None
    return Frame("unordered", key, texts, gone, low, high)


def join_labels(columns: Sequence[Looked], frames: Sequence[Frame]) -> Scale | None:
    """Return the one answer scale of columns of labelled codes."""
    labels: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for column in columns:
        labels |= column.field.value_labels
        counts.update(column.count_of())
    found = _read(tuple(labels.items()))
    if found is None or not found.steps:
        return None
    gone = {m for frame in frames for m in frame.missing} | {m for m in found.missing if counts[m]}
    missing = tuple(sorted(gone, key=lambda m: (parse_number(m) or 0.0, m)))
    real = [labels[code] for code in found.steps]
    strays = tuple(sorted(t for t in counts if t not in found.steps and t not in gone))
    ends = min(found.steps.values()), max(found.steps.values())
    plain_scale = Scale(
        dict(found.steps), *ends, (), missing, strays, found.asks, are_rates(real),
        counts={t: counts[t] for t in (*missing, *strays)},
        meanings={m: labels[m] for m in missing if m in labels},
    )  # fmt: skip
    if not found.read:
        levels = tuple((label,) for label in real)
        odd = found.odd if len(found.odd) < len(real) else ()
        note = not_known([c.name for c in columns], odd, by="their codes")
        place = {label: float(i) for i, label in enumerate(real, start=1)}
        return _in_words(plain_scale, labels, levels, place, note, unordered=True)
    return _turned(plain_scale, found, labels, real)


def _turned(scale: Scale, found: _Labels, labels: Mapping[str, str], real: Sequence[str]) -> Scale:
    """Put a scale into the order of its words, where they are certain and the codes cannot be."""
    order = found.order
    first = [level[0] for level in order]
    codes = list(found.steps.values())
    uneven = len({b - a for a, b in pairwise(codes)}) > 1
    amounts = uneven and codes[-1] - codes[0] > MAX_STEPS and len(set(real)) == len(real) > 2
    place = {text: float(i) for i, level in enumerate(order, start=1) for text in level}
    if amounts and (len(first) < len(real) or first == list(real)):
        note = (
            f"the codes in the file run from {number_text(codes[0])} to {number_text(codes[-1])}, "
            f"in uneven steps; here the answers count as steps 1 to {len(real)}"
        )
        place = {label: float(i) for i, label in enumerate(real, start=1)}
        return _in_words(scale, labels, tuple((t,) for t in real), place, note)
    whole = len(first) == len(real) == len(set(real)) and set(first) == set(real)
    if not whole and runs_down(real):
        ends = [t for t in real if re.search(r"\w", t)]
        return replace(scale, notes=(*scale.notes, told_down(ends[0], ends[-1])))
    if not whole or first == list(real):
        return scale
    if found.certain and first == list(real)[::-1]:
        note = "in the file the codes run the other way; here they go from low to high"
        return _in_words(scale, labels, order, place, note)
    if found.certain and len(real) >= _BY_ALPHABET and list(real) == sorted(real):
        note = "the file numbers its labels by the alphabet; here they go from low to high"
        return _in_words(scale, labels, order, place, note)
    quoted = ", ".join(f'"{t}"' for t in first)
    note = (
        "the codes of the file are not in the order of their labels, and were left as they are; if "
        f"the words are right, write codes = [{quoted}] in place of range"
    )
    return replace(scale, notes=(*scale.notes, note))


def _in_words(
    scale: Scale,
    labels: Mapping[str, str],
    levels: tuple[tuple[str, ...], ...],
    place: Mapping[str, float],
    note: str,
    *,
    unordered: bool = False,
) -> Scale:
    """Return a scale whose levels are the labels."""
    return replace(
        scale,
        code_of={code: place[labels[code]] for code in scale.code_of},
        low=1,
        high=len(levels),
        codes=levels,
        missing=tuple(labels.get(m, m) for m in scale.missing),
        notes=(*scale.notes, note),
        counts={labels.get(t, t): n for t, n in scale.counts.items()},
        meanings={},
        unordered=unordered,
    )


def _read(labels: tuple[tuple[str, str], ...]) -> _Labels | None:
    """Return what labels say of their codes; None where a code is no number, or two are alike."""
    numbers = {code: n for code, _ in labels if (n := parse_number(code)) is not None}
    if len(numbers) < len(labels) or not labels:
        return None
    label_of = dict(labels)
    by_code = sorted(numbers, key=lambda c: numbers[c])
    worded = [c for c in by_code if _has_words(c, label_of[c])]
    said = [label_of[c] for c in worded]
    if len(set(said)) < len(said):
        return None
    found = read_answers(said)
    order, odd, none = _understood(found, said)
    known = [numbers[c] for c in worded if label_of[c] not in (*none, *odd)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    steps: dict[str, float] = {}
    missing: list[str] = []
    asks: list[str] = list(found.asks) if found is not None and not found.odd else []
    read = not worded or len(known) >= max(2, _UNDERSTOOD * (len(worded) - len(none)))
    for code in by_code:
        label, number = label_of[code], numbers[code]
        amid = low < number < high
        if label in none and not (is_unsure(label) and amid):
            missing.append(code)
            if amid:
                asks.append(f'{code} = "{label}" lies amid the steps and was taken for no answer')
        elif label in odd and read and not amid:
            missing.append(code)
            asks.append(
                f'{code} = "{label}" could not be read and was taken for no answer; if it is a '
                "step, take it out of missing and widen range"
            )
        elif code not in worded and worded and read and not amid:
            missing.append(code)
            asks.append(f"{code} has no label and lies outside the steps that have one")
        else:
            steps[code] = number
            if label in odd and read:
                asks.append(f'{code} = "{label}" could not be read; it is a step by its code')
    certain = found is not None and found.certain and not odd
    return _Labels(steps, tuple(missing), order, certain, read, odd, tuple(asks))


def _understood(
    found: Ordered | None, said: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...], tuple[str, ...]]:
    """Return the order of labels, those not understood, and those that mean "no answer"."""
    if found is not None:
        none = tuple(t for t in found.missing if t not in found.odd)
        return found.levels, found.odd, none
    none = tuple(t for t in said if is_no_answer(t))
    real = [t for t in said if t not in none]
    if is_yes_no(real) is not None:
        pair = is_yes_no(real) or ("", "")
        return ((pair[0],), (pair[1],)), (), none
    if len(real) < 3:
        return (), (), none
    return (), propose_order(sorted(real))[1], none


def _has_words(code: str, label: str) -> bool:
    """Tell whether a label says more than its code: "." and "2" for 2 do not."""
    return bool(re.search(r"\w", label)) and parse_number(label) != parse_number(code)
