"""Columns -> multiple-response sets: questions of which several options may be ticked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.starter.answers import is_yes_no, plain
from psychoseg.starter.columns import Looked
from psychoseg.starter.stems import common_start, stem_groups

__all__ = ["Choices", "find_choices"]

#: Columns it takes to be a check-all question.
_OPTIONS = 2
#: Of single ticks (one text or nothing); 0 and 1 are many things and take one more.
_OPTIONS_OF_CODES = 3
#: Column by column ever fewer answers: the last has at most this share of the first one's.
_FADING = 0.6
#: Share of rows that may leave a place empty between two.
_SLIPS = 0.05
#: Answers of a column that is one option: ticked, not ticked, and one that means neither.
_TICK_TEXTS = 3
#: A set is named after its label where that has fewer words.
_NAME_WORDS = 6


@dataclass(frozen=True, slots=True)
class Choices:
    """A multiple-response set.

    Attributes
    ----------
    name, label : str
    columns : tuple of Looked
    coding : {"dichotomy", "category"}
    selected : tuple of str
        Answers that mean "ticked", where the usual rule does not tell.
    labels : dict of str to str
        What to call an option.
    """

    name: str
    label: str
    columns: tuple[Looked, ...]
    coding: Literal["dichotomy", "category"]
    selected: tuple[str, ...]
    labels: dict[str, str]


def find_choices(columns: Sequence[Looked]) -> list[Choices]:
    """Find the sets: those the file declares, lists of choices, check-all columns.

    Parameters
    ----------
    columns : sequence of Looked
        In file order.

    Returns
    -------
    list of Choices
        In file order.
    """
    found: list[Choices] = []
    taken: set[str] = set()
    used: set[str] = set()
    declared: dict[tuple[str, str], list[Looked]] = {}
    for column in columns:
        if column.field.counted and column.kind != "empty" and len(column.texts) <= _TICK_TEXTS:
            declared.setdefault((column.field.set_label, column.field.counted), []).append(column)
    for (label, value), members in declared.items():
        if len(members) >= _OPTIONS:
            stem = label if len(label.split()) < _NAME_WORDS else _stem(members)
            found.append(_choices(members, stem, label, "dichotomy", (value,), used))
            taken |= {c.name for c in members}
    rest = [c for c in columns if c.name not in taken]
    coded = [c for c in rest if c.kind in ("numeric", "categories", "constant")]
    for stem, members in stem_groups(coded, least=_OPTIONS_OF_CODES):
        if _fades(members):
            label = members[0].field.set_label
            found.append(_choices(members, stem, label, "category", (), used))
            taken |= {c.name for c in members}
    ticked = [c for c in rest if c.name not in taken and _is_tick(c)]
    for stem, members in stem_groups(ticked, least=_OPTIONS):
        single = all(len(c.texts) == 1 for c in members)
        if len(members) >= (_OPTIONS if single else _OPTIONS_OF_CODES):
            found.append(_choices(members, stem, "", "dichotomy", (), used))
    return sorted(found, key=lambda c: c.columns[0].position)


def _stem(columns: Sequence[Looked]) -> str:
    groups = stem_groups(columns, least=len(columns))
    return groups[0][0] if groups else columns[0].name


def _is_tick(column: Looked) -> bool:
    """Tell whether a column is ticked or not: one text or nothing, 0 and 1, no and yes."""
    texts = column.texts
    labels = column.field.value_labels
    shown = [labels.get(t, t) for t in texts]
    if len(texts) == 1 and column.kind in ("constant", "categories", "text"):
        # A constant that everybody has is no tick; "0" for all is an option that nobody ticked.
        whole = bool((column.codes >= 0).all())
        return not whole or (texts[0] == "0" and not labels) or plain(shown[0]) == "no"
    if set(texts) == {"0", "1"} and not labels:
        return True
    pair = is_yes_no(shown)
    return (
        bool(labels) and pair is not None and plain(pair[1]) in {"yes", "selected", "checked", "ja"}
    )


def _fades(columns: Sequence[Looked]) -> bool:
    """Tell whether columns are first, second, third choice of one list: ever fewer, never twice."""
    answered = [c.answered for c in columns]
    if answered != sorted(answered, reverse=True) or answered[-1] > _FADING * answered[0]:
        return False
    if not all(c.all_numbers or c.field.value_labels for c in columns):
        return False
    codes = np.column_stack([np.array([*c.numbers, np.nan])[c.codes] for c in columns])
    there = ~np.isnan(codes)
    # Filled from the left, but for a slip here and there, and no option twice.
    if (there[:, 1:] & ~there[:, :-1]).any(axis=1).mean() > _SLIPS:
        return False
    several = codes[there.sum(axis=1) > 1]
    if not len(several):
        return False
    ordered = np.sort(several, axis=1)
    return not bool((np.diff(ordered, axis=1) == 0).any())


def _choices(
    columns: Sequence[Looked],
    stem: str,
    label: str,
    coding: Literal["dichotomy", "category"],
    selected: tuple[str, ...],
    used: set[str],
) -> Choices:
    wording = [c.label for c in columns]
    start = common_start(wording) if all(wording) else ""
    question = label or columns[0].question or start.strip(" -:–—") or stem.strip(" _.-#:")
    name = base = re.sub(r"\W+", "_", plain(stem)).strip("_")[:40] or "choices"
    number = 2
    while name in used:
        name = f"{base}_{number}"
        number += 1
    used.add(name)
    labels: dict[str, str] = {}
    if coding == "dichotomy" and start:
        labels = {c.name: c.label[len(start) :].strip() for c in columns}
    elif coding == "dichotomy" and all(len(c.texts) == 1 and not c.all_numbers for c in columns):
        # The text of the tick is the option itself.
        labels = {} if all(wording) else {c.name: c.texts[0] for c in columns}
    return Choices(
        name, question, tuple(columns), coding, selected, labels if all(labels.values()) else {}
    )
