"""Text -> numbers and categories: items by their battery's rules, other columns by theirs.

Owns what a cell means. Problems are gathered, so that all of a file's come at once; nobody is left
out here except where a battery says ``out_of_range = "exclude"``.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import PsychosegWarning
from psychoseg.study import Column, ItemBattery, QualityCheck
from psychoseg.survey.cells import (
    Cells,
    absent_texts,
    accepted_texts,
    cell_examples,
    code_text,
    read_cells,
    shown_label,
)
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.merge import Joined
from psychoseg.survey.numbers import guess_numbers, may_be_groups
from psychoseg.survey.raw import Field, number_text, parse_number, quoted_list

__all__ = [
    "CodedColumn",
    "CodedItem",
    "code_checks",
    "code_columns",
    "code_items",
    "code_seconds",
    "code_weight",
]

#: A column of type "auto" with more distinct numbers than this is a quantity even where some codes
#: carry labels; with fewer and labels it is a set of categories. Twelve takes in an 11-point scale
#: with its "don't know".
MAX_LABELLED_CODES = 12
#: Sizes between which numbers are taken: a double keeps 15 digits, so that larger ones are ids or
#: slips, and smaller ones are what is left where 0 was meant.
_SMALLEST, _LARGEST = 1e-15, 1e15
#: So few fractions among the whole answers to an item are no answers; where there are more, the
#: item may have been asked in half steps.
_RARE_SHARE, _WHOLE_LEAST = 0.01, 20
_NO_WHOLE = "is no whole number, as the other answers are"
#: Hours, minutes and seconds.
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d(?:[.,]\d+)?)")
#: More categories than this cannot be read in a profile: probably open text or a number gone wrong.
MANY_CATEGORIES = 30


@dataclass(frozen=True, slots=True)
class CodedItem:
    """An item's codes (NaN for no answer), the ends of its scale, and what its codes mean."""

    values: npt.NDArray[np.float64]
    low: float | None
    high: float | None
    value_labels: Mapping[float, str]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """A column's numbers (float) or categories (Categorical), all rows."""

    values: pd.Series
    missing: tuple[str, ...]


def code_items(
    joined: Joined, batteries: Mapping[str, ItemBattery], ledger: Ledger
) -> tuple[dict[str, CodedItem], list[str]]:
    """Turn the items' cells into codes.

    Parameters
    ----------
    joined : Joined
    batteries : mapping of str to ItemBattery
        Each item's battery.
    ledger : Ledger
        Gets one line for each respondent with an answer outside the scale, where the battery's rule
        is ``missing`` or ``exclude``.

    Returns
    -------
    items : dict of str to CodedItem
    problems : list of str
        Items with text in them, or codes that no rule covers.

    Notes
    -----
    The ends of the scale are the battery's ``range``, else the lowest and highest of its ``codes``,
    else of the file's value labels (two at least, none of them a missing code), else unknown. A
    battery's ``codes`` are met by a cell's text or by the value label of its code; a text that is
    not among them counts as out of range.
    """
    items: dict[str, CodedItem] = {}
    problems: list[str] = []
    outside: dict[int, list[str]] = {}
    excluded: dict[int, list[str]] = {}
    for name, battery in batteries.items():
        cells = read_cells(joined, name, ledger.kept)
        values, bad, strange = _item_values(cells, battery)
        low, high, labels = _scale(cells.field, battery)
        known = ~np.isnan(values)
        parts = _rare_fractions(cells, values) if battery.codes is None else []
        strange += parts
        if low is not None and high is not None:
            beyond = np.flatnonzero(known & ((values < low) | (values > high)))
            strange += [int(i) for i in beyond if i not in parts]
        used = cells.used()
        bad = [i for i in bad if used[i]]
        strange = [i for i in strange if used[i]]
        if bad:
            problems.append(_text_problem(joined, cells, bad))
        if low is None or high is None:
            problems += _extremes(joined, cells, values)
        if strange and not bad:
            fits = used & known
            fits[strange] = False
            where = _scale_text(low, high, battery)
            whys = {i: _NO_WHOLE if i in parts else where for i in strange}
            if battery.out_of_range == "error" or (battery.codes and not fits.any()):
                problems += [
                    _range_problem(
                        joined, cells, [i for i in strange if whys[i] == why], battery, why
                    )
                    for why in dict.fromkeys(whys.values())
                ]
            book = excluded if battery.out_of_range == "exclude" else outside
            for i in strange:
                for position in cells.where(i):
                    book.setdefault(int(position), []).append(
                        f"{name} = {cells.texts[i]} ({whys[i]})"
                    )
        values[strange] = np.nan
        declared = tuple(dict.fromkeys((*cells.field.missing, *map(code_text, battery.missing))))
        items[name] = CodedItem(values[cells.codes], low, high, labels, declared)
    if not problems:
        for position in sorted(outside):
            ledger.set_missing(position, "range", "; ".join(outside[position]))
        places = sorted(excluded)
        reasons = ["; ".join(excluded[position]) for position in places]
        ledger.exclude(np.asarray(places, dtype=np.int64), "range", reasons)
    return items, problems


def code_columns(
    joined: Joined, columns: Mapping[str, Column], kept: npt.NDArray[np.bool_]
) -> tuple[dict[str, CodedColumn], list[str]]:
    """Turn the cells of the other columns into numbers or categories.

    Parameters
    ----------
    joined : Joined
    columns : mapping of str to Column
    kept : ndarray of bool
        Respondents whose cells count as a problem.

    Returns
    -------
    columns : dict of str to CodedColumn
        Categorical ones with all categories of the file, in their order.
    problems : list of str

    Notes
    -----
    Type ``auto`` means, in this order: categorical where the study gives an ``order``; as an SPSS
    file's measure level says (nominal and ordinal: categorical, scale: numeric); categorical where
    it holds text; categorical where it has labels and either up to 12 distinct numbers or a label
    for each; else numeric. A column of many numbers and a few texts is a numeric one with text in
    it, which is a problem and not a category.

    Categories stand in the given ``order`` (those it leaves out behind it, sorted, with a warning),
    else in the order of value labels, else sorted, numbers as numbers. Labels and orders match a
    code as text or as a number (``1`` and ``1.0``). Type ``ordinal`` is categories of which the
    order is known: given, that of labels, or that of numbers; texts without are a problem.
    """
    coded: dict[str, CodedColumn] = {}
    problems: list[str] = []
    for name, column in columns.items():
        cells = read_cells(joined, name, kept)
        absent = absent_texts(cells, column.missing)
        numbers = [
            None if gone else parse_number(t, cells.field.decimal)
            for t, gone in zip(cells.texts, absent, strict=True)
        ]
        declared = tuple(dict.fromkeys((*cells.field.missing, *map(code_text, column.missing))))
        if _is_numeric(cells, column, absent, numbers):
            used = cells.used()
            bad = [i for i, n in enumerate(numbers) if n is None and not absent[i] and used[i]]
            if bad:
                problems.append(_text_problem(joined, cells, bad, column=True))
            problems += _extremes(joined, cells, numbers)
            _tell_groups(cells)
            values = np.asarray([np.nan if n is None else n for n in numbers], dtype=float)[
                cells.codes
            ]
            coded[name] = CodedColumn(pd.Series(values, name=name), declared)
        else:
            series, problem = _categories(cells, column, absent, numbers)
            problems += problem
            coded[name] = CodedColumn(series, declared)
    return coded, problems


def code_weight(
    joined: Joined, column: str, kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Turn weights into numbers (NaN for none); text, negative and infinite ones are problems."""
    cells = read_cells(joined, column, kept)
    numbers = [parse_number(t, cells.field.decimal) if t else np.nan for t in cells.texts]
    used = cells.used()
    problems = []
    bad = [i for i, n in enumerate(numbers) if n is None and used[i]]
    if bad:
        problems.append(
            f"weight {column} holds what is no finite number: {cell_examples(joined, cells, bad)}. "
            f"Correct the weights{_other_sign(cells, bad)}."
        )
    problems += _extremes(joined, cells, numbers)
    _tell_groups(cells)
    values = np.asarray([np.nan if n is None else n for n in numbers], dtype=float)
    negative = [int(i) for i in np.flatnonzero(values < 0) if used[i]]
    if negative:
        problems.append(
            f"weight {column} is negative: {cell_examples(joined, cells, negative)}. Correct the "
            "weights, or remove these rows."
        )
    return values[cells.codes], problems


def _other_sign(cells: Cells, bad: Sequence[int]) -> str:
    """Return what to set where numbers are only written otherwise."""
    guess = guess_numbers({cells.texts[i]: 1 for i in bad}, weight=True)
    if guess.format is None:
        return ""
    return f', or say how they are written: numbers = {{ "{cells.name}" = "{guess.format}" }}'


def _extremes(
    joined: Joined, cells: Cells, numbers: Sequence[float | None] | npt.NDArray[np.float64]
) -> list[str]:
    """Return the problem of numbers that nobody measures: sums and squares of them overflow."""
    used = cells.used()
    far = [
        i
        for i, number in enumerate(numbers)
        if used[i] and number and not _SMALLEST <= abs(number) <= _LARGEST and number == number
    ]
    if not far:
        return []
    return [
        f"{cells.name} holds numbers that are no measurement: {cell_examples(joined, cells, far)}. "
        f"Correct them, or leave the cells empty ({number_text(_SMALLEST)} to "
        f"{number_text(_LARGEST)} can be used)."
    ]


def _tell_groups(cells: Cells) -> None:
    """Warn where every number of a column may be thousands as well as a fraction."""
    if not cells.field.loose:
        return
    used = cells.used()
    found = may_be_groups([t for i, t in enumerate(cells.texts) if used[i]], cells.field.decimal)
    if found:
        form = "1.234,5" if cells.field.decimal == "." else "1,234.5"
        number = parse_number(found[0], cells.field.decimal) or 0.0
        warnings.warn(
            f"column {cells.name}: {found[0]!r} was read as {number_text(number)}, though every "
            "such number has three digits behind its sign and may be thousands. Say how they are "
            f'written under [data.numbers]: "{cells.name}" = "{form}" for thousands, '
            f'"1234{cells.field.decimal}5" for fractions.',
            PsychosegWarning,
            stacklevel=4,
        )


def code_seconds(
    joined: Joined, columns: Sequence[str], kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Turn durations (754, 0:12:34) into seconds, shape (n, columns); text is a problem."""
    seconds = np.full((len(joined.ids), len(columns)), np.nan)
    problems = []
    for j, name in enumerate(columns):
        cells = read_cells(joined, name, kept)
        numbers = [_seconds_of(t, cells.field) if t else np.nan for t in cells.texts]
        used = cells.used()
        bad = [i for i, n in enumerate(numbers) if n is None and used[i]]
        if bad:
            problems.append(
                f"duration {name} holds what is no number of seconds: "
                f"{cell_examples(joined, cells, bad)}. Give seconds, such as 754, or "
                "hours, minutes and seconds, such as 0:12:34."
            )
        problems += _extremes(joined, cells, numbers)
        values = np.asarray([np.nan if n is None else n for n in numbers], dtype=float)
        seconds[:, j] = values[cells.codes]
    return seconds, problems


def _seconds_of(text: str, field: Field) -> float | None:
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return parse_number(text, field.decimal)
    hours, minutes, seconds = (float(part.replace(",", ".")) for part in clock.groups())
    return 3600 * hours + 60 * minutes + seconds


def code_checks(
    joined: Joined, checks: Sequence[QualityCheck], kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Turn answers to items with right answers into 1 (right), 0 (wrong) and NaN (none).

    Parameters
    ----------
    joined : Joined
    checks : sequence of QualityCheck
        What is right matches a cell as text, as a number, or by its value label.
    kept : ndarray of bool
        Respondents whose answers count.

    Returns
    -------
    right : ndarray, shape (n, checks)
    problems : list of str
        Checks that nobody answered rightly: the study then lists the wrong codes.
    """
    right = np.full((len(joined.ids), len(checks)), np.nan)
    problems = []
    for j, check in enumerate(checks):
        cells = read_cells(joined, check.column, kept)
        absent = np.asarray(absent_texts(cells, check.missing), dtype=bool)
        values = np.asarray(accepted_texts(cells, check.accept), dtype=float)
        values[absent] = np.nan
        used = cells.used() & ~absent
        if used.any() and not (values[used] == 1).any():
            accepted = {code_text(code) for code in check.accept}
            shown = [cells.texts[i] for i in np.flatnonzero(used)]
            problems.append(
                f"check {check.column}: nobody gave an accepted answer "
                f"({quoted_list(sorted(accepted))}); there are {quoted_list(sorted(shown))}. "
                "Correct accept."
            )
        right[:, j] = values[cells.codes]
    return right, problems


def _item_values(
    cells: Cells, battery: ItemBattery
) -> tuple[npt.NDArray[np.float64], list[int], list[int]]:
    """Return the code of each distinct text, which are no code, and which not among the codes."""
    values = np.full(len(cells.texts), np.nan)
    bad: list[int] = []
    strange: list[int] = []
    table = _code_table(battery)
    absent = absent_texts(cells, battery.missing)
    for i, text in enumerate(cells.texts):
        if absent[i]:
            continue
        if table:
            code = table.get(text, table.get(cells.field.value_labels.get(text, "")))
        else:
            code = parse_number(text, cells.field.decimal)
        if code is not None:
            values[i] = code
        elif table:
            strange.append(i)
        else:
            bad.append(i)
    return values, bad, strange


def _code_table(battery: ItemBattery) -> dict[str, float]:
    if battery.codes is None:
        return {}
    if isinstance(battery.codes, Mapping):
        return {text.strip(): float(code) for text, code in battery.codes.items()}
    return {text.strip(): float(i) for i, text in enumerate(battery.codes, start=1)}


def _scale(
    field: Field, battery: ItemBattery
) -> tuple[float | None, float | None, dict[float, str]]:
    """Return the ends of the answer scale, where they are stated, and what its codes mean."""
    missing = {code_text(code) for code in battery.missing}
    labels: dict[float, str] = {}
    for text, code in _code_table(battery).items():
        labels.setdefault(code, text)
    ends = sorted(labels)
    if not labels:
        for text, label in field.value_labels.items():
            number = parse_number(text)
            if number is not None and text not in missing and label not in missing:
                labels[number] = label
        ends = sorted(labels) if len(labels) > 1 else []
    if battery.range is not None:
        return (*battery.range, labels)
    return (ends[0], ends[-1], labels) if ends else (None, None, labels)


def _scale_text(low: float | None, high: float | None, battery: ItemBattery) -> str:
    if battery.codes is not None and battery.range is None:
        return "not among the codes"
    return f"outside {number_text(low or 0.0)} to {number_text(high or 0.0)}"


def _text_problem(joined: Joined, cells: Cells, bad: Sequence[int], *, column: bool = False) -> str:
    texts = [cells.texts[i] for i in bad]
    what = "column" if column else "item"
    if cells.field.decimal == "." and all(parse_number(t, ",") is not None for t in texts):
        remedy = 'Set decimal = "," for the file.'
    elif column:
        remedy = 'List it under the column\'s missing, or set type = "categorical".'
    else:
        remedy = (
            "Give its battery codes (the answers from low to high), list the text under missing, "
            "or take the item out."
        )
    return f"{what} {cells.name} holds text: {cell_examples(joined, cells, bad)}. {remedy}"


def _rare_fractions(cells: Cells, values: npt.NDArray[np.float64]) -> list[int]:
    """Return the few texts that are fractions where everybody else gave whole numbers in steps."""
    whole = values % 1 == 0
    counts = np.bincount(cells.codes[cells.counted], minlength=len(values))[: len(values)]
    parts = ~whole & ~np.isnan(values) & (counts > 0)
    if not parts.any() or (whole & (counts > 0)).sum() > MAX_LABELLED_CODES:
        return []
    others = int(counts[whole].sum())
    rare = others >= _WHOLE_LEAST and counts[parts].sum() <= max(1, _RARE_SHARE * others)
    return [int(i) for i in np.flatnonzero(parts)] if rare else []


def _range_problem(
    joined: Joined, cells: Cells, strange: Sequence[int], battery: ItemBattery, where: str
) -> str:
    if where == _NO_WHOLE:
        return (
            f"item {cells.name}: {cell_examples(joined, cells, strange)} {where}. If a row of "
            "means stands there, leave it out with leave_out_rows under [data]; if not, set "
            'out_of_range = "missing" or "exclude", or list every answer under codes.'
        )
    count = sum(len(cells.where(i)) for i in strange)
    answers = "1 answer is" if count == 1 else f"{count} answers are"
    remedy = (
        "List the text under codes or missing"
        if battery.codes is not None
        else "List a code that means no answer under missing, correct the range"
    )
    hint = ""
    if battery.codes is not None:
        lowered = {text.lower(): text for text in _code_table(battery)}
        close = difflib.get_close_matches(cells.texts[strange[0]].lower(), list(lowered), n=1)
        hint = f" Did you mean {lowered[close[0]]!r}?" if close else ""
    return (
        f"item {cells.name}: {answers} {where}: {cell_examples(joined, cells, strange)}.{hint} "
        f"{remedy}, "
        f'or set out_of_range = "missing" or "exclude".'
    )


def _is_numeric(
    cells: Cells, column: Column, absent: Sequence[bool], numbers: Sequence[float | None]
) -> bool:
    if column.type != "auto":
        return column.type == "numeric"
    if column.order:
        return False
    if cells.field.measure:
        return cells.field.measure == "scale"
    found = [n for n in numbers if n is not None]
    texts = sum(n is None and not gone for n, gone in zip(numbers, absent, strict=True))
    if texts:
        return len(set(found)) > MAX_LABELLED_CODES and len(found) > texts
    if not column.labels and not cells.field.value_labels:
        return bool(found)
    labelled = all(
        shown_label(cells.texts[i], column.labels, cells.field) is not None
        for i, n in enumerate(numbers)
        if n is not None
    )
    return not labelled and len(set(found)) > MAX_LABELLED_CODES


def _categories(
    cells: Cells, column: Column, absent: Sequence[bool], numbers: Sequence[float | None]
) -> tuple[pd.Series, list[str]]:
    present = [i for i, gone in enumerate(absent) if not gone]
    all_numbers = all(numbers[i] is not None for i in present)
    shown: dict[int, str] = {}
    for i in present:
        plain = number_text(numbers[i] or 0.0) if all_numbers else cells.texts[i]
        shown[i] = shown_label(cells.texts[i], column.labels, cells.field) or plain
    order, problems = _order(cells, column, shown, numbers)
    meant = {*cells.field.value_labels.values(), *column.labels.values()}
    if column.type == "ordinal" and not column.order and not all_numbers:
        without = [category for category in order if category not in meant]
        if without:
            problems.append(
                f'column {cells.name}: type = "ordinal" takes an order of its answers '
                f"({quoted_list(order)}). Give it, lowest first."
            )
    code_of = {category: code for code, category in enumerate(order)}
    codes = np.asarray(
        [code_of.get(shown.get(i, ""), -1) for i in range(len(cells.texts))], dtype=np.int64
    )
    ordered = bool(column.order) or "ordinal" in (column.type, cells.field.measure)
    values = pd.Categorical.from_codes(
        codes[cells.codes], categories=pd.Index(order, dtype=object), ordered=ordered
    )
    if len(order) > MANY_CATEGORIES:
        warnings.warn(
            f"column {cells.name} has {len(order)} categories, more than a profile can show. Where "
            "it is a number, set "
            f'type = "numeric"; where it is open text, leave it out.',
            PsychosegWarning,
            stacklevel=3,
        )
    return pd.Series(values, name=cells.name), problems


def _order(
    cells: Cells, column: Column, shown: Mapping[int, str], numbers: Sequence[float | None]
) -> tuple[list[str], list[str]]:
    """Return the categories in order and what is wrong with the order the study gives."""
    labels = list(cells.field.value_labels.values())
    first: dict[str, tuple[int, float, str]] = {}
    for i, category in shown.items():
        number = numbers[i]
        key = (0, number, "") if number is not None else (1, 0.0, category)
        if category in labels and cells.field.measure != "scale":
            key = (-1, float(labels.index(category)), "")
        first[category] = min(key, first.get(category, key))
    natural = sorted(first, key=lambda category: first[category])
    if not column.order:
        # Labels the study gives to text answers are listed in the order that is meant.
        listed = [label for label in column.labels.values() if label in first]
        if listed and all(numbers[i] is None for i in shown):
            return [*dict.fromkeys(listed), *(c for c in natural if c not in listed)], []
        return natural, []
    by_text = {cells.texts[i]: category for i, category in shown.items()}
    by_number = {numbers[i]: category for i, category in shown.items() if numbers[i] is not None}
    known = {*labels, *cells.field.value_labels, *column.labels, *column.labels.values()}
    order: list[str] = []
    problems: list[str] = []
    for entry in map(str.strip, column.order):
        met = entry if entry in first else by_text.get(entry, by_number.get(parse_number(entry)))
        if met is not None:
            order.append(met)
        elif entry not in known:
            close = difflib.get_close_matches(entry, list(first), n=1)
            hint = (
                f" Did you mean {close[0]!r}?" if close else f" There are: {quoted_list(natural)}."
            )
            problems.append(
                f"column {cells.name}: its order lists {entry!r}, which is no answer in the "
                f"file.{hint}"
            )
    left = [category for category in natural if category not in order]
    if left and not problems:
        warnings.warn(
            f"column {cells.name}: its order leaves out {quoted_list(left)}, put behind the "
            f"others. Add {'it' if len(left) == 1 else 'them'} to order where the place is wrong.",
            PsychosegWarning,
            stacklevel=4,
        )
    return [*dict.fromkeys(order), *left], problems
