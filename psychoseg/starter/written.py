"""How the columns of a file are written: their numbers, an "NA" that is an answer, weights.

Decides column by column and says what nothing decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from psychoseg.errors import DataError
from psychoseg.starter.answers import is_no_answer
from psychoseg.starter.columns import is_id_name, is_weight_name
from psychoseg.study import NumberFormat
from psychoseg.survey.numbers import NumberGuess, guess_numbers
from psychoseg.survey.raw import TextTable, parse_number, quoted_list, rows_text

__all__ = ["Numbers", "asked_once", "check_weights", "find_answers", "find_numbers", "taken_text"]

#: What stands beside "NA" where it is North America, Namibia or a continent.
_REGIONS = frozenset(
    {"EMEA", "APAC", "LATAM", "AMER", "ASIA", "EU", "SA", "AF", "AS", "OC", "AN", "ROW", "MENA",
     "ANZ", "CEE", "DACH", "NORAM", "SSA", "EUR", "LA", "CIS", "JAPAC", "APJ", "UKI"}
)  # fmt: skip
#: Codes of countries and the like, among which "NA" is one.
_CODE = re.compile(r"[A-Z]{2,5}")
#: Share of the other answers that must be codes, and how many there must be.
_CODE_SHARE, _LEAST_CODES = 0.9, 3
#: "NA" in this many columns more is what a program writes for no answer.
_WRITTEN_BY_PROGRAM = 2
#: Answers of a weight that must hold a digit for it to be meant as one.
_MEANT = 0.5
#: Mean weights of bodies, as in ``columns``.
_BODY_MEAN = (30.0, 250.0)
#: A number that was typed as text: the shortest way of writing it ends otherwise.
_TYPED = re.compile(r"\.[0-9]*0$|\.$")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The decimal sign of a file, the columns written otherwise, and what to look at in them."""

    decimal: Literal[".", ","] = "."
    numbers: Mapping[str, NumberFormat] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)


def find_numbers(table: TextTable, *, typed: bool) -> Numbers:
    """Find out how each column's numbers are written.

    Parameters
    ----------
    table : TextTable
        Read with a decimal point and no ``numbers``.
    typed : bool
        Whether numbers are text in the file, so that one decimal sign can hold for it.

    Notes
    -----
    ``decimal`` is the comma where every column that proves a sign proves that one and none would
    read it wrongly; the columns written otherwise are in ``numbers``.
    """
    guesses: dict[str, NumberGuess] = {}
    lists = False
    weighted = {}
    for name in map(str, table.cells.columns):
        if is_id_name(name) or table.fields[name].value_labels:
            continue
        counts = _counts(table, name)
        # A workbook stores numbers, which are written here the shortest way.
        stored = all(parse_number(t) is not None and not _TYPED.search(t) for t in counts)
        if not typed and stored:
            continue
        weighted[name] = is_weight_name(name, table.fields[name].label)
        guess = guess_numbers(counts, weight=weighted[name])
        if guess.format is None and not guess.ask:
            lists = lists or any(
                parse_number(text, ",") is not None and "," in text for text in counts
            )
            continue
        guesses[name] = guess
    signs = {guess.sign for guess in guesses.values() if guess.sign}
    beside = signs.pop() if len(signs) == 1 else ""
    if beside:
        # What nothing in the column decides, the rest of the file may.
        for name, guess in guesses.items():
            if guess.ask and not guess.sign and guess.format is not None:
                counts = _counts(table, name)
                guesses[name] = guess_numbers(counts, weight=weighted[name], beside=beside)
    mixed = any(guess.format is None for guess in guesses.values())
    decimal: Literal[".", ","] = "," if typed and beside == "," and not lists and not mixed else "."
    plain: NumberFormat = "1234,5" if decimal == "," else "1234.5"
    numbers: dict[str, NumberFormat] = {}
    for name, guess in guesses.items():
        # Whole numbers alone are written the same in every format.
        whole = guess.format == "1234.5" and not guess.sign
        usual = (guess.format == plain or whole) and not guess.units and not guess.ask
        if guess.format is not None and not usual:
            numbers[name] = guess.format
    asks = {name: guess.ask for name, guess in guesses.items() if guess.ask}
    return Numbers(decimal, numbers, asks)


def _counts(table: TextTable, name: str) -> dict[str, int]:
    counts = table.cells[name].value_counts()
    return {str(t): int(n) for t, n in counts.items() if t and not is_no_answer(str(t))}


def find_answers(table: TextTable) -> dict[str, tuple[str, str]]:
    """Find the columns in which "NA" is an answer: name to the text and a clause that says why."""
    taken = {name: f.taken["NA"] for name, f in table.fields.items() if f.taken.get("NA")}
    out = {}
    for name, count in taken.items():
        others = [str(t) for t in table.cells[name].unique() if t]
        regions = _REGIONS.intersection(t.upper() for t in others)
        codes = sum(_CODE.fullmatch(t) is not None for t in others)
        elsewhere = len(taken) - 1 >= _WRITTEN_BY_PROGRAM
        blanks = bool((table.cells[name] == "").sum() > count)
        coded = len(others) >= _LEAST_CODES and codes >= _CODE_SHARE * len(others)
        if len(regions) >= 2 or (coded and (blanks or not elsewhere)):
            shown = ", ".join(sorted(others)[:3])
            out[name] = (
                "NA",
                f"NA is an answer of {name} here ({count} cells), like {shown}. Take the line out "
                "if it means no answer",
            )
    return out


def taken_text(table: TextTable) -> str:
    """Return which texts were taken for no answer, in how many cells and columns; "" for none."""
    cells: dict[str, int] = {}
    where: dict[str, list[str]] = {}
    for name, one in table.fields.items():
        for text, count in one.taken.items():
            cells[text] = cells.get(text, 0) + count
            where.setdefault(text, []).append(name)
    parts = []
    for text, names in where.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        parts.append(f'"{text}" in {cells[text]:,} cell{"s" if cells[text] > 1 else ""} of {shown}')
    return "; ".join(parts)


def check_weights(table: TextTable, asks: Mapping[str, str]) -> None:
    """Stop where a column is named like a survey weight and its numbers cannot be read.

    Raises
    ------
    DataError
        With the column, examples and what to do.
    """
    problems = []
    for name in map(str, table.cells.columns):
        one = table.fields[name]
        if not is_weight_name(name, one.label) or one.value_labels:
            continue
        counts = {str(t): int(n) for t, n in table.cells[name].value_counts().items() if t}
        bad = [t for t in counts if parse_number(t, one.decimal) is None]
        digits = sum(n for t, n in counts.items() if _DIGITS.search(t))
        if not bad or digits < _MEANT * sum(counts.values()) or _is_body(counts):
            continue
        column = table.cells[name].to_numpy(dtype=object)
        bad.sort()
        at = table.rows[np.isin(column, bad)]
        why = f" ({asks[name]})" if name in asks else ""
        problems.append(
            f"{table.path}: column {name} is named like a survey weight, but {quoted_list(bad)} "
            f"({rows_text(at)}) cannot be read as numbers{why}. Correct or empty these cells, "
            "or rename the column if it is no weight."
        )
    if problems:
        raise DataError("\n".join(problems))


def _is_body(counts: Mapping[str, int]) -> bool:
    """Tell whether the numbers are those of bodies, in kilograms or pounds."""
    found = [(int(m.group()), n) for t, n in counts.items() if (m := _DIGITS.search(t))]
    total = sum(n for _, n in found)
    mean = sum(value * n for value, n in found) / max(1, total)
    return _BODY_MEAN[0] <= mean <= _BODY_MEAN[1]


def asked_once(asks: Mapping[str, str]) -> list[str]:
    """Return what is to be asked of columns, each question once, with the columns before it."""
    by_ask: dict[str, list[str]] = {}
    for name, ask in asks.items():
        by_ask.setdefault(ask, []).append(name)
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}: {ask}"
        for ask, names in by_ask.items()
    ]
