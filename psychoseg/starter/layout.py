"""Rows of a file that are no answers, and people who stand in it twice.

Finds titles above the header, units below it and what stands at the foot, and says why; what a
column means is for others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from psychoseg.starter.columns import is_id_name
from psychoseg.survey.raw import TextTable, parse_number, rows_text
from psychoseg.survey.rows import (
    is_summary_word,
    repeated_rows,
    summary_rows,
    surprising_rows,
)

__all__ = ["Layout", "Repeats", "find_layout", "find_repeats", "foot_rows", "unit_row"]

#: Rows above the header, and below the answers, that are looked at.
_ABOVE, _BELOW = 15, 10
#: Fewer columns than this are too few to tell a title from a row of answers.
_LEAST_COLUMNS = 4
#: Cells that a title or a source fills at most, and the columns that it stands in.
_TITLE_CELLS, _TITLE_COLUMNS = 2, 3
#: Rows that show how many cells are filled in most.
_LOOKED_AT = 200
#: Rows that repeat others are one person twice where at least this share of them is beyond chance.
_MOSTLY = 0.9
#: Of an id that repeats, so many are different ones; of a number that several share, this many.
_ID_SHARE, _SHARED = 0.8, 0.3
#: Fewer different ones number shops, waves or households.
_LEAST_IDS = 30
#: Repeated ids that are named.
_NAMED = 3

_UNIT = re.compile(
    r"\(?[\[(]?(years?|yrs?|jahre?n?|ans|anos|años|anni|jaar|months?|monate?|weeks?|days?|tage?|"
    r"hours?|h|hrs?|stunden|min(utes?|uten)?|s|sec(onds?)?|sekunden|kg|g|lbs?|cm|mm|m|km|inch(es)?|"
    r"ft|%|per ?cent|prozent|€|\$|£|eur(o|os)?|usd|gbp|chf|points?|punkte|score|scale|skala|likert|"
    r"code|codes|number|numeric|integer|count|anzahl|n|id|text|string|"
    r"[0-9]+ ?(-|–|to|bis|\.\.) ?[0-9]+)( ?(/|per|pro) ?\w+)?[\])]?\)?",
    re.IGNORECASE,
)
_FOOT_WORDS = re.compile(
    r"(source|quelle|note|notes|anmerkung|hinweis|base|basis|fuente|nota|bron|fonte|exported|"
    r"export|generated|erstellt|created|stand|copyright|n ?=|total|end of|ende)\b.*|[©*].*",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of titles above the header, and rows by their number that are no people."""

    skip_rows: int = 0
    leave_out: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def find_layout(records: Sequence[Sequence[str]], numbers: Sequence[int]) -> Layout:
    """Find titles above the header and remarks below the answers.

    Parameters
    ----------
    records : sequence of sequence of str
        The rows of a file, of any length.
    numbers : sequence of int
        Where each starts in the file.
    """
    places = [[j for j, cell in enumerate(r) if cell.strip()] for r in records]
    usual = [len(filled) for filled in places[: _LOOKED_AT + _ABOVE]]
    if len(records) < 2 or not usual or max(usual) < _LEAST_COLUMNS:
        return Layout()
    head = _header_row(places)
    notes = []
    skip = numbers[head] - 1 if head else 0
    if head:
        above = [_shown(records[i]) for i in range(head) if places[i]]
        notes.append(
            f"{'a title stands' if head == 1 else 'titles stand'} above the header "
            f"({', '.join(above[:2])}), so {skip} row{'s are' if skip > 1 else ' is'} passed over "
            "by skip_rows"
        )
    feet = _foot(records, places, head)
    if feet:
        what = ", ".join(f"row {numbers[i]} {_shown(records[i])}" for i in feet[:3])
        notes.append(
            f"no person stands in {what} at the foot: left out by leave_out_rows, with a line in "
            "the ledger"
        )
    return Layout(skip, tuple(sorted(numbers[i] for i in feet)), tuple(notes))


def _shown(record: Sequence[str]) -> str:
    first = next((cell.strip() for cell in record if cell.strip()), "")
    return f"“{first[:40]}{'…' if len(first) > 40 else ''}”"


def _header_row(places: Sequence[Sequence[int]]) -> int:
    """Return which row is the header: the first that fills the columns of all above it."""
    width = max(map(len, places[: _LOOKED_AT + _ABOVE]))
    for i, filled in enumerate(places[: _ABOVE + 1]):
        if _is_title(filled):
            continue
        above = [row for row in places[:i] if row]
        under = set(filled)
        # A table may begin to the right of its title.
        fills = all(
            j in under or j < filled[0] or (len(row) > 1 and j < len(filled))
            for row in above
            for j in row
        )
        return i if fills and 2 * len(filled) > width else 0
    return 0


def _is_title(filled: Sequence[int]) -> bool:
    return len(filled) <= 1 or (len(filled) <= _TITLE_CELLS and filled[-1] < _TITLE_COLUMNS)


def _foot(
    records: Sequence[Sequence[str]], places: Sequence[Sequence[int]], head: int
) -> list[int]:
    """Return the rows at the foot that hold remarks and no answers."""
    width = len(records[head])
    feet: list[int] = []
    for i in range(len(records) - 1, max(head, len(records) - 1 - _BELOW), -1):
        filled = places[i]
        if not filled:
            continue
        if len(filled) > _TITLE_CELLS:
            break
        short = len(records[i]) < min(width, _LEAST_COLUMNS)
        if not short and not _is_remark(records, filled, i, head):
            break
        feet.append(i)
    return feet


def _is_remark(records: Sequence[Sequence[str]], filled: Sequence[int], i: int, head: int) -> bool:
    """Tell whether the only cells of a row are words unlike those that people have there."""
    cell = records[i][filled[0]].strip()
    if parse_number(cell) is not None:
        return False
    if _FOOT_WORDS.match(cell) or is_summary_word(cell):
        return True
    above = records[max(head + 1, i - _LOOKED_AT) : i]
    shapes = {_shape(row[filled[0]]) for row in above if filled[0] < len(row)}
    return " " in cell and _shape(cell) not in shapes


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d]+", "a", re.sub(r"\d+", "9", text.strip()))


def foot_rows(table: TextTable) -> tuple[tuple[int, ...], str]:
    """Return the rows that are means, totals and the like, by number, and a note."""
    found = summary_rows(table)
    if not found:
        return (), ""
    rows = tuple(sorted(row.row for row in found))
    what = sorted({row.what for row in found})
    sure = all(row.sure for row in found)
    note = (
        f"{rows_text(rows)} at the foot {'is' if len(rows) == 1 else 'are'} no person but "
        f"{' and '.join(what)} of the rows above{'' if sure else ', as it is written'}: left out "
        "by leave_out_rows. Take the number out if somebody answered so"
    )
    return rows, note


def unit_row(table: TextTable) -> tuple[int, str]:
    """Return the number of a row of units below the header, and a note; 0 for none."""
    if len(table.cells) < 2:
        return 0, ""
    first = [str(cell) for cell in table.cells.iloc[0]]
    texts = [(j, t) for j, t in enumerate(first) if t]
    if not texts or not all(_UNIT.fullmatch(t) for _, t in texts):
        return 0, ""
    if all(parse_number(t) is not None for _, t in texts):
        return 0, ""
    for j, text in texts:
        rest = {str(t) for t in table.cells.iloc[1:, j]}
        if text in rest:
            return 0, ""
    numeric = sum(
        all(parse_number(t) is not None for t in table.cells.iloc[1:, j].unique() if t)
        for j, _ in texts
    )
    if numeric < max(1, 0.5 * len(texts)):
        return 0, ""
    row = int(table.rows[0])
    shown = ", ".join(dict.fromkeys(t for _, t in texts[:4]))
    return row, f"row {row} holds units ({shown}) and no person: left out by leave_out_rows"


@dataclass(frozen=True, slots=True)
class Repeats:
    """People who stand in a file twice.

    Attributes
    ----------
    id : str or None
        The column that tells them, None where whole rows repeat.
    found : bool
        Whether rows are to be left out by ``duplicates = "first"``.
    note : str
        What to look at, empty where nobody stands twice.
    """

    id: str | None = None
    found: bool = False
    note: str = ""


def find_repeats(table: TextTable) -> Repeats:
    """Find rows that repeat others, and ids that do.

    An id is a column named like one whose values are mostly different ones. Without one, rows that
    repeat others count where chance does not explain them.
    """
    n = len(table.cells)
    whole = repeated_rows(table, None)
    gone = {later for later, _ in whole}
    stays = [i for i in range(n) if i not in gone]
    shared = ""
    for name in map(str, table.cells.columns):
        if not is_id_name(name) or table.fields[name].value_labels:
            continue
        values = table.cells[name].to_numpy(dtype=object)
        counts = Counter(values[stays].tolist())
        if "" in counts or len(counts) < 2:
            continue
        if len(counts) == len(stays):
            if whole:
                return Repeats(name, True, _same_rows(table, whole, name))
            return Repeats(name)
        if len(counts) >= _ID_SHARE * len(stays):
            repeats = repeated_rows(table, name)
            return Repeats(name, True, _other_answers(table, repeats, len(whole), name))
        if len(counts) >= max(_LEAST_IDS, _SHARED * len(stays)) and not shared:
            top = counts.most_common(1)[0]
            shared = (
                f"{name} is named like an id, but its {len(counts):,} different values stand for "
                f"{len(stays):,} rows ({top[0]!r} in {top[1]}), so it is none here and each row "
                "counts as a person. Where several rows are one person, keep one of them: id = "
                f'"{name}" and duplicates = "first"'
            )
    telling = surprising_rows(table, whole)
    # The setting leaves out every row that repeats another, honest ones too.
    if telling and len(telling) >= _MOSTLY * len(whole):
        pairs = [pair for pair in whole if pair[0] in set(telling)]
        return Repeats(None, True, _same_rows(table, pairs))
    if telling:
        alike = (
            f"{len(whole)} rows repeat an earlier one cell for cell, most of them as people do who "
            "answer alike, so each row counts as a person"
        )
        return Repeats(note=f"{shared}; {alike}" if shared else alike)
    return Repeats(note=shared)


def _same_rows(
    table: TextTable, repeats: Sequence[tuple[int, int]], name: str | None = None
) -> str:
    one = len(repeats) == 1
    return (
        f"{len(repeats)} row{'' if one else 's'} repeat{'s' if one else ''} an earlier one cell "
        f"for cell ({_pairs(table, repeats, name)}): the first stays, each other one is left out "
        'with a line in the ledger. Write duplicates = "error" to be stopped by them'
    )


def _other_answers(
    table: TextTable, repeats: Sequence[tuple[int, int]], whole: int, name: str
) -> str:
    one = len(repeats) == 1
    also = f" ({whole} of them cell for cell)" if whole else ""
    return (
        f"the id {name} repeats in {len(repeats)} row{'' if one else 's'}{also}, with other "
        f"answers ({_pairs(table, repeats, name)}): the first row of each stays, the others are "
        'left out with a line in the ledger. Write duplicates = "last" to keep the last, or take '
        "id out if they are different people"
    )


def _pairs(table: TextTable, repeats: Sequence[tuple[int, int]], name: str | None) -> str:
    shown = []
    for later, met in repeats[:_NAMED]:
        rows = f"rows {table.rows[met]} and {table.rows[later]}"
        shown.append(rows if name is None else f"{table.cells[name].iloc[later]!r} in {rows}")
    more = f", and {len(repeats) - _NAMED} more" if len(repeats) > _NAMED else ""
    return ", ".join(shown) + more
