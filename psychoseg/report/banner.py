"""Banner tables: variables down, segments across, with letters, index, intervals and bases.

Computes nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psychoseg.plots.canvas import ink_on, segment_colour
from psychoseg.report import words
from psychoseg.report.sheets import Workbook, letter_of

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from psychoseg.run_folder import Run

__all__ = ["mean_banner", "share_banner"]

#: A row of a frame, by column.
_Record = dict[Hashable, Any]

_GREY, _HEAD = "#5B6775", "#EEF1F4"
#: First row of the table's body, and first column of the segments.
_BODY, _FIRST = 6, 3


@dataclass(frozen=True, slots=True)
class _Measure:
    """A row of a cell's numbers: ``total`` names the column that holds everybody's value."""

    column: str
    head: str
    form: str
    total: str = ""


_MEANS = (
    _Measure("mean", "Mean", "0.00", "total"),
    _Measure("low", "95% low", "0.00"),
    _Measure("high", "95% high", "0.00"),
    _Measure("se", "Standard error", "0.000"),
    _Measure("sd", "SD", "0.00"),
    _Measure("rest", "Mean of the rest", "0.00"),
    _Measure("difference", "Difference from the rest", "0.00"),
    _Measure("effect", "Effect (Cohen's d)", "0.00"),
    _Measure("z", "Difference from all, in SD", "0.00"),
    _Measure("index", "Index", "0"),
    _Measure("v_test", "v-test", "0.00"),
)
_SHARES = (
    _Measure("share", "Share", "0%", "total"),
    _Measure("low", "95% low", "0%"),
    _Measure("high", "95% high", "0%"),
    _Measure("rest", "Share of the rest", "0%"),
    _Measure("index", "Index", "0"),
    _Measure("effect", "Effect (Cohen's h)", "0.00"),
    _Measure("v_test", "v-test", "0.00"),
)
_BASES = (
    _Measure("base", "Base (n)", "#,##0"),
    _Measure("base_weighted", "Base, weighted", "#,##0.0"),
    _Measure("base_effective", "Base, effective", "#,##0.0"),
)


def mean_banner(book: Workbook, run: Run, means: pd.DataFrame, *, name: str, title: str) -> None:
    """Write the means of several variables as a sheet.

    Parameters
    ----------
    book : Workbook
    run : Run
    means : DataFrame
        Rows of ``Profiles.means``.
    name, title : str
        Of the sheet.
    """
    sheet, numbers = _sheet(book, run, name, title)
    row = _BODY
    for variable, part in means.groupby("variable", sort=False):
        label = str(part["label"].iloc[0])
        row = _measures(book, sheet, row, label, part, (*_MEANS, *_BASES), numbers)
        row = _note(book, sheet, row, run, [str(variable)])


def share_banner(book: Workbook, run: Run, shares: pd.DataFrame, *, name: str, title: str) -> None:
    """Write the shares of several variables, or sets, as a sheet.

    Parameters
    ----------
    book : Workbook
    run : Run
    shares : DataFrame
        Rows of ``Profiles.shares``.
    name, title : str
        Of the sheet.
    """
    sheet, numbers = _sheet(book, run, name, title)
    last = _FIRST + 2 * len(numbers) - 1
    options: dict[str, list[str]] = {}
    for column, v in run.survey.codebook.items():
        if v.kind == "choice":
            options.setdefault(v.block, []).append(column)
    row = _BODY
    for variable, part in shares.groupby("variable", sort=False):
        head = book.format(bold=True, fill=_HEAD)
        for j in range(last + 1):
            book.text(sheet, row, j, str(part["label"].iloc[0]) if j == 0 else "", head)
        row += 1
        categories = list(part.groupby("category", sort=False))
        shared = _same_bases(part)
        for i, (category, own) in enumerate(categories):
            # Who is asked is usually the same for every category: then once, below them.
            bases = _BASES if not shared or i == len(categories) - 1 else ()
            row = _measures(book, sheet, row, str(category), own, (*_SHARES, *bases), numbers)
        row = _note(book, sheet, row, run, options.get(str(variable), [str(variable)]))


def _sheet(book: Workbook, run: Run, name: str, title: str) -> tuple[Worksheet, list[int]]:
    sheet = book.sheet(name, title)
    personas = run.profiles.personas.sort_values("segment").to_dict("records")
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 1, 22)
    sheet.set_column(2, 2, 10)
    head = book.format(bold=True, fill=_HEAD, wrap=True)
    for row in (_BODY - 2, _BODY - 1):
        for column, text in enumerate(("", "Measure", "Total")):
            book.text(sheet, row, column, text if row == _BODY - 1 else "", head)
    for i, r in enumerate(personas):
        at = _FIRST + 2 * i
        segment = int(r["segment"])
        colour = segment_colour(segment)
        form = book.format(bold=True, fill=colour, ink=ink_on(colour), wrap=True, align="center")
        sheet.set_column(at, at, 12)
        sheet.set_column(at + 1, at + 1, 6)
        book.merged(sheet, _BODY - 2, at, at + 1, letter_of(segment), form)
        book.merged(sheet, _BODY - 1, at, at + 1, str(r["name"]), form)
    longest = max((len(str(r["name"])) for r in personas), default=0)
    sheet.set_row(_BODY - 1, 13.5 * min(max(1, -(-longest // 16)), 8))
    book.text(
        sheet, 2, 0,
        f"Base: {int((run.segments.labels > 0).sum()):,} respondents. Letters: significantly "
        "higher than that column (a at 5%, A at 0.1%; "
        f"{words.letters_words(run.study.profiles)}).",
        book.format(small=True, ink=_GREY),
    )  # fmt: skip
    sheet.freeze_panes(_BODY, _FIRST)
    sheet.repeat_rows(_BODY - 2, _BODY - 1)
    sheet.repeat_columns(0, 1)
    return sheet, [int(r["segment"]) for r in personas]


def _measures(
    book: Workbook,
    sheet: Worksheet,
    row: int,
    label: str,
    part: pd.DataFrame,
    measures: Sequence[_Measure],
    numbers: Sequence[int],
) -> int:
    """Write the rows of one variable or category; return the row after them."""
    by = {int(r["segment"]): r for r in part.to_dict("records")}
    # What has no true zero has no index, and no empty row for one.
    shown = [
        m for m in measures
        if m.column in part and (m.column != "index" or not part["index"].isna().all())
    ]  # fmt: skip
    hidden = any(bool(r["hidden"]) for r in by.values())
    for i, measure in enumerate(shown):
        first = i == 0
        ink = _INK if first or measure.column == "index" else _GREY
        book.text(sheet, row, 0, label, book.format(bold=first, ink=ink if first else "#B5BDC6",
                                                    top=first))  # fmt: skip
        book.text(sheet, row, 1, measure.head, book.format(ink=ink, top=first))
        form = book.format(measure.form, bold=first, ink=ink, top=first)
        book.number(sheet, row, 2, _total(measure, by, hidden=hidden), form)
        for j, s in enumerate(numbers):
            at = _FIRST + 2 * j
            r = by.get(s)
            letters = ""
            if r is None:
                book.number(sheet, row, at, float("nan"), form)
            elif r["hidden"] and not np.isfinite(r[measure.column]):
                text = book.hidden if first else ""
                book.text(sheet, row, at, text, book.format(ink=_GREY, align="right", top=first))
            else:
                book.number(sheet, row, at, float(r[measure.column]), form)
                letters = str(r["letters"]) if first else ""
            book.text(sheet, row, at + 1, letters, book.format(ink="#0B5FA5", top=first))
        if measure.column == "index":
            book.shade_index(sheet, row, _FIRST, _FIRST + 2 * len(numbers) - 1)
        row += 1
    return row


_INK = "#1B2430"


def _total(measure: _Measure, by: dict[int, _Record], *, hidden: bool) -> float:
    """Return everybody's value; a base only where none is hidden, or it could be subtracted."""
    rows = list(by.values())
    if measure.total:
        return float(rows[0][measure.total])
    if measure.column in ("base", "base_weighted") and not hidden:
        return float(sum(r[measure.column] for r in rows))
    return 100.0 if measure.column == "index" and np.isfinite(rows[0]["total"]) else float("nan")


def _same_bases(part: pd.DataFrame) -> bool:
    """Tell whether every category rests on the same people, none of them hidden."""
    bases = part.groupby("segment")["base"].agg(["min", "max"])
    return bool(not part["hidden"].any() and (bases["min"] == bases["max"]).all())


def _note(book: Workbook, sheet: Worksheet, row: int, run: Run, variables: Sequence[str]) -> int:
    """Write base and test under a table; return the row after an empty one."""
    tests = run.profiles.tests
    said = []
    for r in tests[tests["variable"].isin(list(variables))].to_dict("records"):
        if not np.isfinite(float(r["base"])):
            continue
        of = f"{r['label']}: " if len(variables) > 1 else ""
        strength = f"{r['measure']} {words.number(r['strength'])}"
        if np.isfinite(float(r["p_adjusted"])):
            df = ", ".join(words.number(float(r[d])) for d in ("df1", "df2") if np.isfinite(r[d]))
            test = (
                f"{r['test']}({df}) = {words.number(float(r['statistic']))}, "
                f"p {words.p_value(r['p_adjusted'])} adjusted"
            )
        elif not np.isfinite(float(r["strength"])):
            test = "no test: a figure is hidden"
        else:
            test = "no test: it made the segments, which differ on it by construction"
        said.append(f"{of}base n = {int(r['base']):,}; {strength}; {test}")
    if said:
        last = _FIRST + 2 * len(run.profiles.personas) - 1
        text = words.sentence(". ".join(said))
        form = book.format(small=True, ink=_GREY, wrap=True)
        # Over the whole width, in as many lines as it needs, or the page would print small.
        book.merged(sheet, row, 0, last, text, form)
        sheet.set_row(row, 12.0 * -(-len(text) // (60 + 9 * last)))
        row += 1
    return row + 1
