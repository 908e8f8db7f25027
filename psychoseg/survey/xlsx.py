"""Excel's .xlsx and .xlsm -> :class:`Grid`: parts, shared texts, number formats, cells.

Reads what a person sees, as ECMA-376 part 1 lays it down ("SpreadsheetML", 18.2 to 18.8), in one
pass and within bounds. Never calculates a formula.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

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
from psychoseg.survey.xml_parts import LocalNames, Parts, parse

__all__ = ["Book", "open_book", "read_cells"]

_AGAIN = "Save it again from Excel or LibreOffice"
#: Characters of a number format: Excel refuses longer ones.
_MAX_FORMAT = 255
#: How Excel writes a character that XML has no room for: ST_Xstring.
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_RANGE = re.compile("[A-Z]{1,3}([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})")

_Kind = Literal["", "date", "stretch"]


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of a workbook and where their parts are."""

    sheets: tuple[SheetInfo, ...]
    parts: tuple[str, ...]
    texts: str
    styles: str
    from_1904: bool


def open_book(parts: Parts) -> Book:
    """Read which sheets a workbook has."""
    main = _main_part(parts)
    if main.casefold().endswith(".bin"):
        raise Unreadable("is a binary workbook (.xlsb). Save it as .xlsx")
    links = _links(parts, main)
    found: list[tuple[SheetInfo, str]] = []
    dates = {"from_1904": False}
    local = LocalNames()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        kind = local[name]
        if kind == "workbookPr":
            dates["from_1904"] = attributes.get("date1904", "") in {"1", "true", "on"}
        if kind != "sheet" or "name" not in attributes:
            return
        link = next((v for k, v in attributes.items() if k.endswith(":id")), "")
        target, what = links.get(link, ("", ""))
        hidden = attributes.get("state", "visible") != "visible"
        info = SheetInfo(attributes["name"], hidden, what in {"worksheet", ""})
        found.append((info, target))

    parse(parts.chunks(main), main, start=start)
    if not found:
        raise Unreadable(f"has no sheets. {_AGAIN}")
    return Book(
        tuple(info for info, _ in found),
        tuple(part for _, part in found),
        next((part for part, what in links.values() if what == "sharedStrings"), ""),
        next((part for part, what in links.values() if what == "styles"), ""),
        dates["from_1904"],
    )


def read_cells(parts: Parts, book: Book, position: int) -> Grid:
    """Read the cells of a sheet, by its position counted from 0."""
    part = book.parts[position]
    if not part:
        raise Unreadable(f"lacks the part of the sheet {book.sheets[position].name!r}. {_AGAIN}")
    reader = _Cells(_texts(parts, book.texts), _kinds(parts, book.styles), book.from_1904)
    parse(parts.chunks(part), part, start=reader.start, end=reader.end, text=reader.text)
    return reader.grid


def _main_part(parts: Parts) -> str:
    links = _links(parts, "")
    main = next((part for part, what in links.values() if what == "officeDocument"), "")
    return main or ("xl/workbook.bin" if "xl/workbook.bin" in parts else "xl/workbook.xml")


def _links(parts: Parts, part: str) -> dict[str, tuple[str, str]]:
    """Return what a part refers to: id to the name of the other part and its type."""
    folder, name = posixpath.split(part)
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    links: dict[str, tuple[str, str]] = {}
    local = LocalNames()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if local[name] == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            links[attributes.get("Id", "")] = (
                target.lstrip("/"),
                attributes.get("Type", "").rpartition("/")[2],
            )

    if rels in parts:
        parse(parts.chunks(rels), rels, start=start)
    return links


def _texts(parts: Parts, part: str) -> list[str]:
    """Return the texts that cells share; how to pronounce them is left out."""
    texts: list[str] = []
    if not part or part not in parts:
        return texts
    pieces: list[str] = []
    local = LocalNames()
    state = {"in_text": False, "in_sound": False}

    def start(name: str, _: Mapping[str, str]) -> None:
        kind = local[name]
        if kind == "si":
            pieces.clear()
        elif kind == "rPh":
            state["in_sound"] = True
        elif kind == "t":
            state["in_text"] = not state["in_sound"]

    def end(name: str) -> None:
        kind = local[name]
        if kind == "si":
            texts.append(_unescaped("".join(pieces)))
        elif kind == "rPh":
            state["in_sound"] = False
        elif kind == "t":
            state["in_text"] = False

    def text(piece: str) -> None:
        if state["in_text"]:
            pieces.append(piece)

    parse(parts.chunks(part), part, start=start, end=end, text=text)
    return texts


def _kinds(parts: Parts, part: str) -> list[_Kind]:
    """Return of each cell style whether it shows a number as a date or a stretch of time."""
    kinds: list[_Kind] = []
    if not part or part not in parts:
        return kinds
    formats: dict[str, str] = {str(key): code for key, code in BUILTIN_FORMATS.items()}
    local = LocalNames()
    state = {"in_cells": False}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        kind = local[name]
        if kind == "numFmt":
            formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif kind == "cellXfs":
            state["in_cells"] = True
        elif kind == "xf" and state["in_cells"]:
            kinds.append(_kind(formats.get(attributes.get("numFmtId", "0"), "")))

    def end(name: str) -> None:
        if local[name] == "cellXfs":
            state["in_cells"] = False

    parse(parts.chunks(part), part, start=start, end=end)
    return kinds


def _kind(code: str) -> _Kind:
    if len(code) > _MAX_FORMAT or code.casefold() == "general":
        return ""
    if is_timedelta_format(code):
        return "stretch"
    return "date" if is_date_format(code) else ""


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Cells:
    """Takes a sheet's elements one after another and fills a grid."""

    def __init__(self, texts: list[str], kinds: list[_Kind], from_1904: bool) -> None:
        self.grid = Grid()
        self._texts = texts
        self._kinds = kinds
        self._epoch = CALENDAR_MAC_1904 if from_1904 else CALENDAR_WINDOWS_1900
        self._local = LocalNames()
        self._columns: dict[str, int] = {}
        # What a style and a number come to: surveys hold few of them, again and again.
        self._shown: dict[tuple[str, str], str] = {}
        self._row = 0
        self._is_hidden = False
        self._cells: list[str] = []
        self._column = -1
        self._type = self._style = ""
        self._pieces: list[str] = []
        self._in_value = self._in_sound = False
        self._has_formula = self._has_value = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element."""
        kind = self._local[name]
        if kind == "c":
            self._begin_cell(attributes)
        elif kind == "v":
            self._in_value = self._has_value = True
        elif kind == "t":
            self._in_value = self._has_value = not self._in_sound
        elif kind == "f":
            self._has_formula = True
        elif kind == "row":
            self._row = _row_number(attributes.get("r"), self._row + 1)
            self._is_hidden = attributes.get("hidden", "") in {"1", "true"}
            self._cells = []
            self._column = -1
        elif kind == "rPh":
            self._in_sound = True
        elif kind == "mergeCell":
            merged = _RANGE.fullmatch(attributes.get("ref", ""))
            if merged and merged[1] != merged[2]:
                self.grid.merged.append((int(merged[1]), merged[0]))

    def text(self, piece: str) -> None:
        """Take a text."""
        if self._in_value:
            self._pieces.append(piece)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        kind = self._local[name]
        if kind in {"v", "t"}:
            self._in_value = False
        elif kind == "c":
            self._end_cell()
        elif kind == "row":
            self.grid.add(self._row, self._cells)
            self.grid.hidden_rows += self._is_hidden and self._row in self.grid.rows
        elif kind == "rPh":
            self._in_sound = False

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        place = attributes.get("r")
        self._column = self._column + 1 if place is None else self._column_of(place)
        if self._column >= MAX_COLUMNS:
            raise Unreadable(
                f"has a cell in column {column_letters(self._column)}, and a sheet has "
                f"{MAX_COLUMNS:,} columns at the most. {_AGAIN}"
            )
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._pieces = []
        self._has_formula = self._has_value = False

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            if not re.fullmatch("[A-Za-z]{1,3}", letters):
                raise Unreadable(f"has a cell at {place[:20]!r}, which is no place. {_AGAIN}")
            column = 0
            for letter in letters.upper():
                column = 26 * column + ord(letter) - ord("A") + 1
            column -= 1
            self._columns[letters] = column
        return column

    def _end_cell(self) -> None:
        raw = "".join(self._pieces)
        if self._has_formula:
            # A formula that gives "" has the type "str"; one that was never calculated has none.
            if not self._has_value or (not raw and self._type != "str"):
                self.grid.uncalculated_at(max(self._row, 1), self._column)
                return
            self.grid.calculated_at(self._column, zero=raw == "0" and self._type == "n")
        if not raw:
            return
        cells = self._cells
        gap = self._column - len(cells)
        if gap == 0:
            cells.append(self._shown_as(raw))
            return
        if gap > 0:
            cells.extend([""] * (gap + 1))
        cells[self._column] = self._shown_as(raw)

    def _shown_as(self, raw: str) -> str:
        kind = self._type
        if kind == "n":
            key = (self._style, raw)
            shown = self._shown.get(key)
            if shown is None:
                shown = self._shown[key] = self._number(raw)
            return shown
        if kind == "s":
            if not (raw.isascii() and raw.isdigit() and len(raw) < 9):
                raise Unreadable(f"refers to a text {raw[:20]!r} that it does not hold. {_AGAIN}")
            if int(raw) >= len(self._texts):
                raise Unreadable(f"refers to a text {raw} that it does not hold. {_AGAIN}")
            return self._texts[int(raw)]
        if kind == "b":
            return "TRUE" if raw.strip() in {"1", "true"} else "FALSE"
        if kind == "d":
            return raw.removesuffix("T00:00:00").replace("T", " ")
        return _unescaped(raw)

    def _number(self, raw: str) -> str:
        try:
            value = float(raw)
        except ValueError:
            return raw
        number = self._style if self._style.isascii() and self._style.isdigit() else ""
        style = int(number) if number and len(number) < 7 else 0
        kind = self._kinds[style] if style < len(self._kinds) else ""
        if kind:
            try:
                moment = from_excel(value, self._epoch, timedelta=kind == "stretch")
            except (ValueError, OverflowError):
                moment = None
            if moment is not None:
                return cell_time(moment)
        if value - value != 0:
            # Too large for a double, or no number at all: left as it stands.
            return raw
        return cell_number(value)


def _row_number(text: str | None, following: int) -> int:
    if text is None:
        return following
    if text.isascii() and text.isdigit() and len(text) <= 10:
        number = int(text)
        if 1 <= number <= MAX_ROWS:
            return number
    raise Unreadable(
        f"has a row {text[:20]!r}, and rows are numbered from 1 to {MAX_ROWS:,}. {_AGAIN}"
    )
