"""What becomes of the columns that are neither items nor options of a question.

Owns the reasons for which a column is left out; each says what the column is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from psychoseg.starter.answers import is_no_answer, is_yes_no, order_answers
from psychoseg.starter.batteries import Battery, asks_to_choose, find_counts, timings_of_items
from psychoseg.starter.choices import Choices
from psychoseg.starter.columns import (
    MANY_CATEGORIES,
    NAMES,
    Looked,
    is_named_like_id,
    is_named_like_weight,
    words_of,
)
from psychoseg.starter.frames import NO_ANSWER_CODES
from psychoseg.starter.paradata import is_duration_name
from psychoseg.starter.ranks import Ranks
from psychoseg.starter.text import Beside, LeftOut
from psychoseg.survey.raw import number_text
from psychoseg.survey.sensitive import sensitive_topic

__all__ = ["Rest", "sort_rest"]

#: Open answers of fewer people than this are left out, and so many pairs show a common weight.
_MIN_TEXTS = 30
#: Different whole numbers up to which a column may be codes rather than amounts.
FEW_CODES = 7
#: Ages beyond these are slips of the pen.
_AGES = (4, 115)
#: Two weights have this many letters of their names in common, and differ in two at most.
_WEIGHT_STEM = 3
#: One weight is a multiple of another, but for rounding in the file.
_SAME_RATIO = 1e-3
#: A duration of the whole survey by its name; others are of its pages, and add up.
_WHOLE_SURVEY = re.compile(r"\b(total|taken|duration|completion|interview|interviewtime|loi|sum)\b")
#: Codes without a label, of all answers, up to which they are slips.
_STRAY_CODES = 0.15
#: Codes that a file calls nominal and gives no labels are categories where they are so few.
_FEW_NOMINAL = 12
_WHY = {
    "empty": "no answers",
    "constant": "the same for everybody",
    "id": "a number or name of the respondent",
    "date": "a date or time",
    "personal": "says who the respondent is",
    "technical": "says how the survey was filled in",
    "token": "codes that only a program can read",
}


@dataclass(slots=True)
class Rest:
    """What becomes of the columns that are neither items nor options."""

    id: Looked | None
    weight: Looked | None
    other_weights: list[str]
    durations: list[str]
    columns: list[Beside]
    texts: list[Looked]
    left_out: list[LeftOut]


def sort_rest(
    columns: Sequence[Looked],
    batteries: Sequence[Battery],
    sets: Sequence[Choices],
    ranks: Sequence[Ranks],
    n: int,
) -> Rest:
    """Say of each column that is no item and no option what it is for, or why it is left out."""
    taken = {c.name for b in batteries for c in b.columns} | {
        c.name for s in sets for c in s.columns
    }
    # Answers whose order nobody knows describe people too, until somebody puts them in order.
    taken -= {c.name for b in batteries if b.scale.unordered and b.why_not for c in b.columns}
    places = {c.name for r in ranks if r.shown for c in r.columns}
    ordered = {r.columns[0].name: r for r in ranks if not r.shown and not r.partial}
    timed = {c.name for c in columns if c.kind == "timing"} | timings_of_items(columns, batteries)
    parents = {c.name.rsplit("/", 1)[0] for s in sets for c in s.columns if "/" in c.name}
    of_battery = {name: why for b in batteries for name, why in b.left_out}
    left = [c for c in columns if c.name not in taken]
    counted = {members[0].name: members for members in find_counts(left)}
    ids = [c for c in left if c.kind == "id" and len(c.texts) == c.answered == n]
    ids.sort(key=lambda c: (not re.search(r"resp|record|case|^id$", words_of(c.name)), c.position))
    weights = sorted((c for c in left if c.kind == "weight"), key=_weight_rank)
    rest = Rest(ids[0] if ids else None, weights[0] if weights else None, [], [], [], [], [])
    for column in left:
        name = column.name
        if column is rest.id or column is rest.weight:
            continue
        if name in of_battery:
            rest.left_out.append(LeftOut(name, f"an item, but {of_battery[name]}"))
        elif name in places:
            rest.left_out.append(LeftOut(name, "the place at which an item was shown"))
        elif name in timed:
            rest.left_out.append(
                LeftOut(
                    name,
                    "looks like the time or the clicks that an item or a page took. If it is an "
                    "answer, describe it under [[columns]]; if it is seconds, name it under "
                    "duration in [quality]",
                    ask=True,
                )
            )
        elif name in parents:
            rest.left_out.append(LeftOut(name, "the same choices as the set of this name"))
        elif column.kind == "constant" and column.answered == 1:
            rest.left_out.append(LeftOut(name, "one answer only"))
        elif column.kind == "constant" and column.answered < n:
            rest.left_out.append(
                LeftOut(
                    name,
                    f'"{column.texts[0]}" for {column.answered:,} people and blank for the others. '
                    "If that is a tick, list the column with the other options under [[sets]]",
                    ask=True,
                )
            )
        elif column.kind == "weight":
            rest.other_weights.append(name)
            rest.left_out.append(LeftOut(name, "another weight"))
        elif column.kind == "numeric" and is_named_like_id(column):
            rest.left_out.append(
                LeftOut(
                    name,
                    f"named like a number of somebody or something, with {len(column.texts)} "
                    "different ones. If it is an amount, describe it under [[columns]]",
                    ask=True,
                )
            )
        elif column.kind == "numeric" and _is_spare_weight(column, rest.weight):
            rest.left_out.append(
                LeftOut(
                    name,
                    "looks like a survey weight. If it is the one to use, name it under [weights]; "
                    "if it is an answer, describe it under [[columns]]",
                    ask=True,
                )
            )
        elif column.kind == "duration":
            _sort_duration(column, rest)
        elif column.kind == "text":
            if column.answered >= _MIN_TEXTS:
                rest.texts.append(column)
            else:
                rest.left_out.append(LeftOut(name, f"open text of {column.answered} people"))
        elif column.kind == "list":
            rest.left_out.append(
                LeftOut(
                    name,
                    "several choices in one cell: give each choice a column of its own to use it",
                    ask=True,
                )
            )
        elif column.kind == "many":
            rest.left_out.append(
                LeftOut(
                    name,
                    f"{len(column.texts)} different answers, too many for a table: group them "
                    f"first",
                    ask=True,
                )
            )
        elif column.kind == "date" and is_duration_name(words_of(name)):
            why = "a duration: write it as seconds, or as hours, minutes and seconds (0:12:34)"
            rest.left_out.append(LeftOut(name, why, ask=True))
        elif column.kind in _WHY:
            rest.left_out.append(LeftOut(name, _WHY[column.kind]))
        else:
            beside = _beside(column)
            if isinstance(beside, LeftOut):
                rest.left_out.append(beside)
            else:
                topic = sensitive_topic(name, column.label)
                if name in counted:
                    beside = replace(beside, ask=_of_counts(counted[name]))
                if name in ordered:
                    beside = replace(beside, ask=_of_ranks(ordered[name]))
                rest.columns.append(replace(beside, topic=topic))
    _one_duration(rest)
    return rest


def _of_ranks(ranks: Ranks) -> str:
    return (
        f"this and the columns to {ranks.columns[-1].name} hold ranks, each of 1 to "
        f"{ranks.depth} once a person, so they are no items; here they describe people by the mean "
        "rank, where a low one is a high place"
    )


def _one_duration(rest: Rest) -> None:
    """Keep one duration of the whole survey; two would count as two pages."""
    whole = [name for name in rest.durations if _WHOLE_SURVEY.search(words_of(name))]
    if not whole or len(rest.durations) < 2:
        return
    for name in [d for d in rest.durations if d != whole[0]]:
        rest.durations.remove(name)
        why = f"another duration, beside {whole[0]}; the columns in [quality] add up, as pages do"
        rest.left_out.append(LeftOut(name, why, ask=True))


def _of_counts(columns: Sequence[Looked]) -> str:
    most = number_text(max(float(c.numbers[-1]) for c in columns))
    return (
        f"this and the columns to {columns[-1].name} look like counts (up to {most}), not like "
        "ratings, so they are amounts here. If all were asked on one answer scale, write them as "
        "[[items]] with its range"
    )


def _is_spare_weight(column: Looked, weight: Looked | None) -> bool:
    """Tell whether fractions are the chosen weight over again, or named like one."""
    if is_named_like_weight(column):
        return True
    if weight is None or not column.all_numbers or (column.numbers % 1 == 0).all():
        return False
    if (column.numbers < 0).any():
        return False
    pairs = zip(column.name, weight.name, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if same >= _WEIGHT_STEM and same >= max(len(column.name), len(weight.name)) - 2:
        return True
    mine, other = (np.array([*c.numbers, np.nan])[c.codes] for c in (column, weight))
    both = (mine > 0) & (other > 0)
    if both.sum() < _MIN_TEXTS or other[both].min() == other[both].max():
        return False
    ratio = mine[both] / other[both]
    return bool(ratio.max() - ratio.min() <= _SAME_RATIO * ratio.max())


def _weight_rank(column: Looked) -> tuple[bool, float, int]:
    """Rank weights: plainly named first, then a mean nearest one."""
    mean = float((column.numbers * column.counts).sum() / column.answered)
    return (
        words_of(column.name) not in {"weight", "wt", "gewicht"},
        abs(np.log(mean)),
        column.position,
    )


def _sort_duration(column: Looked, rest: Rest) -> None:
    minutes = re.search(r"\bmin(ute)?s?\b", words_of(f"{column.name} {column.label}"))
    if minutes:
        rest.left_out.append(
            LeftOut(column.name, "a duration in minutes: seconds are needed", ask=True)
        )
    else:
        rest.durations.append(column.name)


def _beside(column: Looked) -> Beside | LeftOut:
    """Decide the type of a column that describes people."""
    labels = column.field.value_labels
    labelled = sum(n for t, n in column.count_of().items() if t in labels)
    mostly = len(labels) > 1 and labelled >= (1 - _STRAY_CODES) * column.answered
    if column.kind == "numeric" and not mostly:
        return _beside_numbers(column)
    if labels:
        if len(column.texts) > MANY_CATEGORIES and column.field.measure != "scale":
            return LeftOut(
                column.name,
                f"{len(column.texts)} different answers, too many for a table: group them first",
                ask=True,
            )
        return _beside_labels(column)
    # "NA" is an answer where it stands for North America.
    found = order_answers(column.texts) if not column.field.answers else None
    gone = found.missing if found else tuple(t for t in column.texts if is_no_answer(t))
    gone = tuple(t for t in gone if t not in column.field.answers)
    answers = [t for t in column.texts if t not in gone]
    if len(answers) > MANY_CATEGORIES:
        return LeftOut(column.name, f"{len(answers)} different answers", ask=True)
    if len(answers) < 2:
        return LeftOut(column.name, "the same for everybody")
    pair = is_yes_no(answers)
    if pair:
        return Beside(column, "categorical", order=(pair[1], pair[0]), missing=gone)
    if found is not None and len(found.levels) > 2 and all(len(v) == 1 for v in found.levels):
        order = tuple(v[0] for v in found.levels)
        asks = list(found.asks)
        if found.guess:
            asks.append(f"the order of the answers is a guess ({found.guess}): check it")
        return Beside(column, "ordinal", order=order, missing=gone, ask=". ".join(asks))
    ask = ""
    if len(answers) > 2 and column.demographic in ("education", "income", "age"):
        ask = (
            "the order of the answers is not known: write order = [...] with the lowest first, and "
            'type = "ordinal"'
        )
    return Beside(column, "categorical", missing=gone, ask=ask)


def _beside_labels(column: Looked) -> Beside:
    labels = column.field.value_labels
    gone = tuple(code for code, label in labels.items() if is_no_answer(label))
    gone = tuple(code for code in gone if code in column.texts)
    held = column.count_of()
    strays = tuple(t for t in column.texts if t not in labels)
    few = sum(held[t] for t in strays) <= _STRAY_CODES * column.answered
    # Codes without a label beside labels for nearly everybody are slips, not categories.
    if strays and few and len(labels) > 1 and column.field.measure != "scale":
        shown = ", ".join(strays[:8])
        return Beside(
            column,
            "categorical",
            missing=(*gone, *strays),
            ask=f"the codes {shown} have no label in the file and were taken for no answer",
        )
    real = [label for code, label in labels.items() if code not in gone]
    if column.field.measure == "scale" and len(column.texts) > MANY_CATEGORIES:
        return Beside(column, "numeric", missing=gone)
    found = order_answers(real) if len(real) > 2 else None
    ordered = found is not None and [v[0] for v in found.levels] in (real, real[::-1])
    ordinal = ordered or column.field.measure == "ordinal"
    return Beside(
        column, "ordinal" if ordinal and column.all_numbers else "categorical", missing=gone
    )


def _are_names(column: Looked) -> bool:
    """Tell whether the file or the question says that bare codes are names."""
    asked = " ".join((column.question, column.label, column.name))
    return column.field.measure == "nominal" or asks_to_choose(asked)


def _beside_numbers(column: Looked) -> Beside | LeftOut:
    # A few answers in words amid numbers are no numbers.
    words = tuple(t for t, v in zip(column.texts, column.numbers, strict=True) if np.isnan(v))
    known = column.numbers[~np.isnan(column.numbers)]
    whole = bool((known % 1 == 0).all())
    if column.demographic == "age" and known.max() < 1000 and np.median(known) > _AGES[0]:
        wrong = tuple(number_text(v) for v in known if not _AGES[0] <= v <= _AGES[1])
        few = len(wrong) <= 20
        return Beside(column, "numeric", missing=(*words, *(wrong if few else ())))
    if column.demographic == "age" and (known > 1000).mean() < 0.5 and len(known) > FEW_CODES:
        wrong = tuple(number_text(v) for v in known if not _AGES[0] <= v <= _AGES[1])
        return Beside(column, "numeric", missing=(*words, *wrong))
    gone = tuple(
        number_text(v)
        for v in known
        if int(v) in NO_ANSWER_CODES
        and (v < 0 <= np.median(known) or v >= 97 > 10 * np.median(known))
    )
    codes = [v for v in known if number_text(v) not in gone]
    if len(codes) < 2:
        return LeftOut(column.name, "the same for everybody")
    if whole and (
        len(codes) == 2
        or (column.demographic in NAMES and len(codes) <= MANY_CATEGORIES)
        or (_are_names(column) and len(codes) <= _FEW_NOMINAL)
    ):
        meanings = ", ".join(f'{number_text(v)} = "..."' for v in codes[:4])
        more = ", ..." if len(codes) > 4 else ""
        return Beside(
            column,
            "categorical",
            missing=(*words, *gone),
            ask=f"what do the codes mean? labels = {{ {meanings}{more} }}",
        )
    ask = ""
    # Rows of a grid are ratings or ranks; a single question may hold codes of anything.
    if whole and len(codes) <= FEW_CODES and not column.question:
        ask = 'if these numbers are codes of categories, write type = "categorical" and labels'
    return Beside(column, "numeric", missing=(*words, *gone), ask=ask)
