"""Sheets of a workbook: names, formats, lists, links, print set-up; knows nothing of a run.

Every text goes through one door, which keeps a spreadsheet from running it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from psychoseg.plots.canvas import INK
from psychoseg.report import words
from psychoseg.report.slide_text import clean
from psychoseg.spreadsheet import harmless

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

__all__ = ["Column", "Workbook", "letter_of"]

#: Excel's limits: letters of a cell, and of a sheet's name.
_MOST_LETTERS, _MOST_NAME = 32767, 31
_ILLEGAL = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_DATE = datetime(2000, 1, 1)
_HEAD, _RULE, _GREY = "#EEF1F4", "#C9D0D8", "#5B6775"
#: Of an index: from here on a cell is shaded.
_HIGH, _LOW = 120, 80
_HIGH_FILL, _LOW_FILL = "#CFE2F3", "#F8DCC8"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: its name in the frame, its heading, number format and width."""

    name: str
    head: str
    form: str
    width: float


class Workbook:
    """A workbook that is being written; the first sheet lists the others.

    Attributes
    ----------
    hidden : str
        What stands where a figure rests on too few people.
    """

    def __init__(self, path: Path, *, title: str, min_base: int) -> None:
        import xlsxwriter

        self._book = xlsxwriter.Workbook(
            str(path),
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.set_properties({"title": clean(title)[:255], "author": "psychoseg",
                                   "created": _DATE})  # fmt: skip
        self._formats: dict[tuple[tuple[str, object], ...], Format] = {}
        self._names: list[tuple[str, str]] = []
        self.hidden = f"<{min_base}"
        self._title = title
        self._contents = self._book.add_worksheet("Contents")

    def format(
        self,
        form: str = "",
        *,
        bold: bool = False,
        fill: str = "",
        ink: str = INK,
        align: str = "",
        wrap: bool = False,
        small: bool = False,
        top: bool = False,
        size: float = 10,
    ) -> Format:
        """Return a cell format, each made once."""
        wanted: dict[str, object] = {
            "font_name": "Arial", "font_size": 8.5 if small else size, "font_color": ink,
            "valign": "top" if wrap else "vcenter",
        }  # fmt: skip
        if form:
            wanted["num_format"] = form
        if bold:
            wanted["bold"] = True
        if fill:
            wanted["bg_color"] = fill
        if align:
            wanted["align"] = align
        if wrap:
            wanted["text_wrap"] = True
        if top:
            wanted["top"], wanted["top_color"] = 1, _RULE
        key = tuple(sorted(wanted.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(wanted)
        return self._formats[key]

    def sheet(self, name: str, title: str) -> Worksheet:
        """Add a sheet with its title and a link back, ready to print."""
        name = _sheet_name(name, [n for n, _ in self._names])
        sheet = self._book.add_worksheet(name)
        self._names.append((name, title))
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&8&A&R&8&P / &N")
        self.text(sheet, 0, 0, title, self.format(bold=True, size=14))
        sheet.write_url(1, 0, "internal:'Contents'!A1", self.format(ink="#0B5FA5", small=True),
                        "Contents")  # fmt: skip
        return sheet

    def text(
        self, sheet: Worksheet, row: int, column: int, text: str, form: Format | None = None
    ) -> None:
        """Write a text that nothing will run."""
        shown = _plain(text)
        if shown:
            sheet.write_string(row, column, shown, form or self.format())
        else:
            sheet.write_blank(row, column, None, form or self.format())

    def number(self, sheet: Worksheet, row: int, column: int, value: float, form: Format) -> None:
        """Write a number; nothing where there is none."""
        value = float(value)
        if math.isfinite(value):
            sheet.write_number(row, column, value, form)
        else:
            sheet.write_blank(row, column, None, form)

    def merged(
        self, sheet: Worksheet, row: int, first: int, last: int, text: str, form: Format
    ) -> None:
        """Write a text over several columns."""
        sheet.merge_range(row, first, row, last, "", form)
        sheet.write_string(row, first, _plain(text), form)

    def shade_index(self, sheet: Worksheet, row: int, first: int, last: int) -> None:
        """Shade what is far above or below 100."""
        for criterion, value, fill in ((">=", _HIGH, _HIGH_FILL), ("<=", _LOW, _LOW_FILL)):
            # A blank cell would count as 0.
            start = f"{_column(first)}{row + 1}"
            sheet.conditional_format(
                row, first, row, last,
                {"type": "formula",
                 "criteria": f"=AND(ISNUMBER({start}),{start}{criterion}{value})",
                 "format": self._book.add_format({"bg_color": fill})},
            )  # fmt: skip

    def facts(self, name: str, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write a sheet of labels and what they say."""
        sheet = self.sheet(name, title)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 110)
        for i, (label, text) in enumerate(rows, start=3):
            self.text(sheet, i, 0, label, self.format(bold=True, wrap=True, top=True))
            self.text(sheet, i, 1, text, self.format(wrap=True, top=True))
        sheet.freeze_panes(3, 1)

    def frame(
        self,
        name: str,
        title: str,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        note: str = "",
    ) -> None:
        """Write a sheet that lists a frame, filters on its heads; none where it is empty."""
        shown = [c for c in columns if c.name in frame]
        if frame.empty or not shown:
            return
        sheet = self.sheet(name, title)
        head = 3
        for j, column in enumerate(shown):
            sheet.set_column(j, j, column.width)
            self.text(sheet, head, j, column.head, self._head(column))
        records = frame.to_dict("records")
        for i, record in enumerate(records, start=head + 1):
            hidden = bool(record.get("hidden", False))
            for j, column in enumerate(shown):
                self._cell(sheet, i, j, record[column.name], column, hidden=hidden)
        last = head + len(records)
        if note:
            self.text(sheet, last + 2, 0, note, self.format(small=True, ink=_GREY))
        sheet.autofilter(head, 0, last, len(shown) - 1)
        sheet.freeze_panes(head + 1, 0)
        sheet.repeat_rows(head)

    def close(self) -> None:
        """Write the list of sheets, and the file."""
        sheet = self._contents
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 90)
        self.text(sheet, 0, 0, self._title, self.format(bold=True, size=16))
        link = self.format(ink="#0B5FA5")
        for i, (name, title) in enumerate(self._names, start=2):
            quoted = name.replace("'", "''")
            sheet.write_url(i, 0, f"internal:'{quoted}'!A1", link, _plain(name))
            self.text(sheet, i, 1, title)
        at = len(self._names) + 3
        for line in (
            "Columns A, B, C ... are the segments; the letters beside a value name the columns it "
            "is significantly higher than: a at 5%, A at 0.1%; each sheet says how they are "
            f"corrected. {words.MADE_OF}",
            f"“{self.hidden}”: fewer people than may be shown. Shares and means are weighted where "
            "the survey is; bases are given unweighted, weighted and effective (Kish).",
            "An index of 100 is everybody's value; from 120 and to 80 it is shaded. Scales and "
            "ratings have none, since theirs would depend on how answers are coded: their "
            "difference from all is in standard deviations.",
        ):
            self.text(sheet, at, 0, line, self.format(small=True, ink=_GREY))
            at += 1
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        self._book.close()

    def _head(self, column: Column) -> Format:
        return self.format(
            bold=True, fill=_HEAD, wrap=True, align="right" if column.form else "left"
        )

    def _cell(
        self, sheet: Worksheet, row: int, at: int, value: object, column: Column, *, hidden: bool
    ) -> None:
        if not column.form:
            text = {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else None
            shown = text or ("" if _missing(value) else str(value))
            wide = column.width >= 40
            self.text(sheet, row, at, shown, self.format(wrap=wide, top=True))
        elif hidden and _missing(value):
            self.text(sheet, row, at, self.hidden, self.format(align="right", ink=_GREY, top=True))
        else:
            number = float("nan") if _missing(value) else float(str(value))
            self.number(sheet, row, at, number, self.format(column.form, top=True))


def letter_of(segment: int) -> str:
    """Return a segment's column: A, B ... Z, AA, AB ..."""
    out = ""
    while segment:
        segment, rest = divmod(segment - 1, 26)
        out = chr(65 + rest) + out
    return out


def _column(index: int) -> str:
    return letter_of(index + 1)


def _plain(text: str) -> str:
    return harmless(clean(text))[:_MOST_LETTERS]


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """Return a legal name that no other sheet has: at most 31 letters, none that Excel forbids."""
    plain = clean(_ILLEGAL.sub(" ", name)).strip("'").strip() or "Sheet"
    used = {t.casefold() for t in (*taken, "Contents", "History")}
    out = _cut(plain, _MOST_NAME)
    i = 2
    while out.casefold() in used:
        end = f" {i}"
        out = _cut(plain, _MOST_NAME - len(end)) + end
        i += 1
    return out


def _cut(text: str, most: int) -> str:
    """Cut a text to so many units of UTF-16, which is how Excel counts."""
    while len(text.encode("utf-16-le")) // 2 > most:
        text = text[:-1]
    return text.strip().strip("'")
