"""OpenDocument's .ods -> :class:`Grid`: the sheets of LibreOffice.

Reads what a person sees, as OpenDocument 1.3 part 3 lays it down (9.1, "Table Model"), in one pass
and within bounds. Never calculates a formula.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace

from psychoseg.survey.grid import (
    MAX_COLUMNS,
    MAX_ROWS,
    Grid,
    SheetInfo,
    Unreadable,
    cell_number,
    cell_time,
    column_letters,
)
from psychoseg.survey.xml_parts import Parts, parse

__all__ = ["read_book"]

_CONTENT = "content.xml"
_STRETCH = re.compile(r"(-?)PT([0-9]{1,7})H([0-9]{1,2})M([0-9]{1,2}(?:[.,][0-9]{1,9})?)S")


def read_book(parts: Parts) -> list[tuple[SheetInfo, Grid]]:
    """Read all sheets of a workbook: they stand in one part."""
    if b"encryption-data" in parts.start("META-INF/manifest.xml"):
        raise Unreadable("is protected by a password. Save it without one")
    reader = _Content()
    parse(parts.chunks(_CONTENT), _CONTENT, start=reader.start, end=reader.end, text=reader.text)
    if not reader.sheets:
        raise Unreadable("has no sheets. Save it again from LibreOffice or Excel")
    return [
        (replace(info, hidden=style in reader.hidden_styles), grid)
        for info, style, grid in reader.sheets
    ]


class _Content:
    """Takes the elements of the content one after another and fills a grid for each sheet."""

    def __init__(self) -> None:
        self.sheets: list[tuple[SheetInfo, str, Grid]] = []
        self.hidden_styles: set[str] = set()
        self._style = ""
        # Tables stand in tables, and tables in notes: only the outermost is a sheet.
        self._depth = self._aside = 0
        self._grid = Grid()
        self._row = self._times = 1
        self._is_hidden = False
        self._cells: list[str] = []
        self._blanks = 0
        self._cell: Mapping[str, str] = {}
        self._pieces: list[str] = []
        self._paragraphs = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element."""
        if name == "table:table":
            self._depth += 1
            if self._depth == 1:
                self._begin_sheet(attributes)
        elif name == "office:annotation":
            self._aside += 1
        elif name == "style:style":
            self._style = attributes.get("style:name", "")
        elif name == "style:table-properties":
            if attributes.get("table:display") == "false":
                self.hidden_styles.add(self._style)
        elif self._depth != 1 or self._aside:
            return
        elif name == "table:table-row":
            self._times = _count(attributes, "table:number-rows-repeated")
            self._is_hidden = attributes.get("table:visibility", "visible") != "visible"
            self._cells = []
            self._blanks = 0
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._cell = attributes
            self._pieces = []
            self._paragraphs = 0
        elif name == "text:p":
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._pieces.append("\n")
        elif name == "text:s":
            self._pieces.append(" " * min(_count(attributes, "text:c"), MAX_COLUMNS))
        elif name in {"text:tab", "text:line-break"}:
            self._pieces.append("\t" if name == "text:tab" else "\n")

    def text(self, piece: str) -> None:
        """Take a text."""
        if self._paragraphs and self._depth == 1 and not self._aside:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "table:table":
            self._depth -= 1
        elif name == "office:annotation":
            self._aside -= 1
        elif self._depth != 1 or self._aside:
            return
        elif name in {"table:table-cell", "table:covered-table-cell"}:
            self._end_cell()
        elif name == "table:table-row":
            self._grid.add(self._row, self._cells, times=self._times)
            if self._is_hidden and self._row in self._grid.rows:
                self._grid.hidden_rows += self._times
            self._row = min(self._row + self._times, MAX_ROWS + 1)

    def _begin_sheet(self, attributes: Mapping[str, str]) -> None:
        self._grid = Grid()
        self._row = 1
        info = SheetInfo(attributes.get("table:name", f"Sheet{len(self.sheets) + 1}"))
        self.sheets.append((info, attributes.get("table:style-name", ""), self._grid))

    def _end_cell(self) -> None:
        shown = _shown(self._cell, "".join(self._pieces))
        times = _count(self._cell, "table:number-columns-repeated")
        self._paragraphs = 0
        if not shown and "table:formula" in self._cell and not _has_value(self._cell):
            self._grid.uncalculated_at(self._row, len(self._cells) + self._blanks)
        if not shown:
            self._blanks += times
            return
        if len(self._cells) + self._blanks + times > MAX_COLUMNS:
            raise Unreadable(
                f"has more than {MAX_COLUMNS:,} columns in row {self._row}. Delete what stands far "
                "from the answers"
            )
        self._cells += [""] * self._blanks + [shown] * times
        self._blanks = 0
        spanned = _count(self._cell, "table:number-rows-spanned")
        if spanned > 1:
            letters = column_letters(len(self._cells) - times)
            end = f"{letters}{self._row + spanned - 1}"
            self._grid.merged.append((self._row, f"{letters}{self._row}:{end}"))


def _has_value(cell: Mapping[str, str]) -> bool:
    return "office:value-type" in cell or "calcext:value-type" in cell


def _shown(cell: Mapping[str, str], text: str) -> str:
    if cell.get("calcext:value-type") == "error":
        return text
    kind = cell.get("office:value-type", "")
    if kind in {"float", "percentage", "currency"}:
        return _number(cell.get("office:value", ""))
    if kind == "boolean":
        return cell.get("office:boolean-value", "").upper()
    if kind == "date":
        return cell.get("office:date-value", "").removesuffix("T00:00:00").replace("T", " ")
    if kind == "time":
        return _time(cell.get("office:time-value", ""))
    return text or cell.get("office:string-value", "")


def _number(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        return text
    return cell_number(value) if value - value == 0 else text


def _time(text: str) -> str:
    found = _STRETCH.fullmatch(text)
    if found is None:
        return text
    seconds = float(found[4].replace(",", "."))
    stretch = dt.timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=seconds)
    if stretch < dt.timedelta(days=1) and not found[1]:
        return cell_time((dt.datetime.min + stretch).time())
    return cell_time(-stretch if found[1] else stretch)


def _count(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Unreadable(
            f"is damaged: {name} is {text[:20]!r}. Save it again from LibreOffice or Excel"
        )
    return max(int(text), 1)
