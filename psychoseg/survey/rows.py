"""Rows that are no people, and people who stand in a file twice.

Owns how a row of means or totals is told from a respondent, and which of several rows with one id
stays. Leaves out nobody unless the study says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.errors import DataError, StudyError, tell
from psychoseg.study import DataFile
from psychoseg.survey.raw import LeftOutRow, TextTable, parse_number, quoted_list, rows_text

__all__ = [
    "SummaryRow",
    "check_rows",
    "is_summary_word",
    "keep_once",
    "repeated_rows",
    "summary_rows",
    "surprising_rows",
    "without_rows",
]

#: Words that stand before a row computed from the others, in the languages of surveys.
_SUMMARY = re.compile(
    r"(grand |overall |column |arithm\w* )?(means?|averages?|avg|totals?|sums?|subtotal|median|"
    r"std\.?|sd|s\.d\.|stdev|st\.? ?dev\.?|std\.? ?dev\.?|standard deviation|variance|var|min|max|"
    r"minimum|maximum|range|n|n ?=.*|count|base|base size|valid n|"
    r"summe|gesamt\w*|insgesamt|mittel\w*|durchschnitt\w*|mw|standardabweichung|stabw\w*|anzahl|"
    r"moyennes?|somme|ecart[- ]type|effectif|medias?|promedio|suma|desviaci.n.*|somma|totale|"
    r"gemiddelden?|totaal|som|m.dia|soma|total geral|.rednia|razem|pr.m.r|celkem|sou.et|"
    r"среднее|итого|сумма|平均|合計|总计|平均值)\s*:?",
    re.IGNORECASE,
)
#: Rows at the foot that are looked at.
_LOOKED_AT = 10
#: Columns of numbers that a row's cells are held against: enough that chance cannot meet them all.
_HELD = 12
#: Cells that must be the means (sums, ...) of those above, for certainty, and their share.
_LEAST_MET, _MET_SHARE = 3, 0.8
#: Rows above that show how cells are written.
_BEFORE = 200
#: A sum of many people is beyond any one's answer by this factor.
_BEYOND = 5.0
#: Two people who answered independently agree in everything less than once in this many files.
_SURPRISE_BITS = 10.0
#: Different answers of a row that is more than straight-lining, in which many are alike.
_LEAST_DIFFERENT = 4


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A row that seems to be computed from the others.

    Attributes
    ----------
    position : int
        In the table, from 0.
    row : int
        In the file.
    what : str
        What its cells are: "means", "sums", ...; "a summary" where only its words or its writing
        say so.
    sure : bool
        Whether its cells are what they would be, to the digits shown.
    """

    position: int
    row: int
    what: str
    sure: bool


def is_summary_word(text: str) -> bool:
    """Tell whether a cell names a computed row: Mean, Total, Summe, ..."""
    return _SUMMARY.fullmatch(text.strip()) is not None


def summary_rows(table: TextTable) -> list[SummaryRow]:
    """Return the rows at the foot of a file that are computed from those above, the last first.

    A row counts where a word says so and its other cells are numbers, or where most of its numbers
    are written with decimals that nobody else's are, or lie far beyond all others; then its cells
    are held against the means, sums, medians, ends, deviations and counts of those above.
    """
    cells = table.cells.to_numpy(dtype=object)
    found: list[SummaryRow] = []
    for last in range(len(cells) - 1, max(len(cells) - 1 - _LOOKED_AT, _LEAST_MET), -1):
        what = _suspicion(cells[last], cells[max(0, last - _BEFORE) : last])
        if what is None:
            break
        found.append(SummaryRow(last, int(table.rows[last]), "a summary", False))
    above = cells[: len(cells) - len(found)]
    return [_held(row, cells[row.position], above) for row in found]


def _suspicion(row: npt.NDArray[np.object_], before: npt.NDArray[np.object_]) -> str | None:
    """Return why a row may be a summary, or None."""
    numbers = {j: v for j, text in enumerate(row) if (v := _number(text)) is not None}
    words = [j for j, text in enumerate(row) if text and j not in numbers]
    named = [j for j in words if is_summary_word(str(row[j]))]
    if named and len(words) <= 2 and len(numbers) >= 2:
        alone = [j for j in named if row[j] not in before[:, j]]
        if alone:
            return "word"
    if len(numbers) < _LEAST_MET or len(words) > len(numbers):
        return None
    odd = told = 0
    for j, value in numbers.items():
        others = [str(text) for text in before[:, j] if text]
        known = [v for text in others if (v := _number(text)) is not None]
        if len(known) < max(_LEAST_MET, 0.5 * len(others)):
            continue
        told += 1
        fraction = "." in str(row[j]) or "," in str(row[j])
        apart = fraction and not any("." in text or "," in text for text in others)
        far = abs(value) > _BEYOND * max(map(abs, known)) > 0
        odd += int(apart or far)
    return "writing" if odd >= _LEAST_MET and 2 * odd >= told else None


def _number(text: object) -> float | None:
    found = parse_number(str(text))
    return parse_number(str(text), ",") if found is None else found


def _held(
    row: SummaryRow, cells: npt.NDArray[np.object_], above: npt.NDArray[np.object_]
) -> SummaryRow:
    """Hold a row's cells against what the rows above come to."""
    met: dict[str, int] = {}
    held = 0
    for j, text in enumerate(cells):
        value = _number(text)
        if value is None or held == _HELD:
            continue
        known = np.asarray([v for t in above[:, j] if (v := _number(t)) is not None])
        if len(known) < _LEAST_MET:
            continue
        held += 1
        shown = str(text).replace(",", ".")
        places = len(shown.split(".")[1]) if "." in shown else 0
        for what, figure in _figures(known).items():
            met[what] = met.get(what, 0) + bool(abs(figure - value) <= 0.51 * 10.0**-places)
    best = max(met, key=lambda what: met[what], default="a summary")
    if held >= _LEAST_MET and met[best] >= max(_LEAST_MET, _MET_SHARE * held):
        return replace(row, what=best, sure=True)
    return row


def _figures(known: npt.NDArray[np.float64]) -> dict[str, float]:
    return {
        "means": float(known.mean()),
        "sums": float(known.sum()),
        "medians": float(np.median(known)),
        "standard deviations": float(known.std(ddof=1)),
        "counts": float(len(known)),
        "lowest answers": float(known.min()),
        "highest answers": float(known.max()),
    }


def check_rows(table: TextTable, *, by_id: bool) -> None:
    """Stop at a row that is computed from the others, and tell of people who may stand twice.

    Parameters
    ----------
    table : TextTable
        The answers, without the rows that the study leaves out.
    by_id : bool
        Whether the study names an id, so that who stands twice is known by it.

    Raises
    ------
    DataError
        Where the foot of the file holds means, sums or the like of the rows above.

    Warns
    -----
    PsychosegWarning
        Where a row may be one, or rows repeat others cell for cell.
    """
    found = summary_rows(table)
    numbers = sorted(row.row for row in found)
    if any(row.sure for row in found):
        what = next(row.what for row in found if row.sure)
        raise DataError(
            f"{table.path}: {rows_text(numbers)} at the foot {_are(numbers)} no person but {what} "
            f"of the rows above. Set leave_out_rows = {numbers} under [data]."
        )
    if found:
        tell(
            f"{table.path.name}: {rows_text(numbers)} at the foot {_are(numbers)} written like "
            f"totals or means and {'was' if len(numbers) == 1 else 'were'} counted as people. "
            f"Where they are none, set leave_out_rows = {numbers} under [data]."
        )
    if not by_id:
        twice = surprising_rows(table, repeated_rows(table, None))
        if twice:
            at = [int(table.rows[i]) for i in twice]
            tell(
                f"{table.path.name}: {rows_text(at)} repeat{'s' if len(at) == 1 else ''} an "
                "earlier row cell for cell, and everybody was kept. Where these are the same "
                'people, set duplicates = "first" under [data].'
            )


def _are(numbers: Sequence[int]) -> str:
    return "is" if len(numbers) == 1 else "are"


def surprising_rows(table: TextTable, repeats: Sequence[tuple[int, int]]) -> list[int]:
    """Return the rows that repeat others beyond chance: short questionnaires repeat honestly.

    One answer throughout, or one code for "no answer", is what several people give.
    """
    if not repeats:
        return []
    n = len(table.cells)
    at = np.asarray([later for later, _ in repeats])
    bits = np.zeros(len(at))
    for _, column in table.cells.items():
        codes = pd.factorize(column.to_numpy(dtype=object))[0]
        bits -= np.log2(np.bincount(codes)[codes[at]] / n)
    rare = at[bits > 2 * np.log2(n) + _SURPRISE_BITS]
    cells = table.cells.to_numpy(dtype=object)[rare]
    return [
        int(i)
        for i, row in zip(rare, cells, strict=True)
        if len(set(row) - {""}) >= _LEAST_DIFFERENT
    ]


def repeated_rows(table: TextTable, id: str | None) -> list[tuple[int, int]]:
    """Return each row that repeats an earlier one, and which: by its id, or in all its cells.

    Rows without any answer repeat nobody.
    """
    columns = [id] if id is not None else [str(name) for name in table.cells.columns]
    first: dict[tuple[object, ...], int] = {}
    out = []
    blank = ("",) * len(columns)
    for i, key in enumerate(zip(*(table.cells[name].tolist() for name in columns), strict=True)):
        met = first.setdefault(key, i)
        if met != i and key != blank:
            out.append((i, met))
    return out


def keep_once(table: TextTable, file: DataFile) -> TextTable:
    """Leave out rows whose id stood before (or that repeat a row), as the study says.

    Raises
    ------
    StudyError
        Where the id is no column of the file.
    """
    if file.duplicates == "error":
        return table
    if file.id is not None and file.id not in table.cells:
        raise StudyError(
            f"{table.path} has no column {file.id!r} to tell people by (found: "
            f"{quoted_list([str(name) for name in table.cells.columns])}). Correct id."
        )
    repeats = repeated_rows(table, file.id)
    if not repeats:
        return table
    groups: dict[int, list[int]] = {}
    for later, met in repeats:
        groups.setdefault(met, [met]).append(later)
    rows = table.cells.to_numpy(dtype=object)
    lines = []
    for group in groups.values():
        kept = group[0] if file.duplicates == "first" else group[-1]
        for i in group:
            if i != kept:
                lines.append((i, _reason(rows, i, kept, table, file)))
    lines.sort()
    gone = [i for i, _ in lines]
    ids = table.cells[file.id] if file.id is not None else None
    left = tuple(
        LeftOutRow(int(table.rows[i]), "" if ids is None else str(ids.iloc[i]), why)
        for i, why in lines
    )
    tell(
        f"{table.path.name}: {len(gone)} row{'s' if len(gone) > 1 else ''} of people who stand in "
        f"it twice {'were' if len(gone) > 1 else 'was'} left out "
        f'({rows_text([line.row for line in left])}), as duplicates = "{file.duplicates}" says; '
        "the ledger lists each."
    )
    return without_rows(table, gone, left)


def _reason(
    rows: npt.NDArray[np.object_], i: int, kept: int, table: TextTable, file: DataFile
) -> str:
    if (rows[i] == rows[kept]).all():
        return f"the same, cell for cell, as row {table.rows[kept]}, which is kept"
    return f"the same {file.id} as row {table.rows[kept]}, which is kept, with other answers"


def without_rows(
    table: TextTable, positions: Sequence[int], lines: Sequence[LeftOutRow]
) -> TextTable:
    """Return a table without some rows, and with the lines that say why."""
    stays = np.ones(len(table.cells), dtype=bool)
    stays[list(positions)] = False
    left = sorted((*table.left_out, *lines), key=lambda line: line.row)
    return replace(
        table,
        cells=table.cells[stays].reset_index(drop=True),
        rows=table.rows[stays],
        left_out=tuple(left),
    )
