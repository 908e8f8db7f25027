"""Native tables: as large as they fit, divided over slides where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from psychoseg.report.slide_base import EMU, Box
from psychoseg.report.slide_parts import Page, emu, write_line
from psychoseg.report.slide_text import LEADING, Line, cut_text, tall_of, unbroken

if TYPE_CHECKING:
    from pptx.table import _Cell

__all__ = ["Entry", "Grid", "draw_table", "split_grid"]

#: Space inside a cell, points.
_PAD_X, _PAD_Y = 5.0, 3.5
_SIZES = (13.0, 12.0, 11.0, 10.0, 9.5, 9.0)
#: Of a table that goes on on another slide.
_SPLIT_SIZE = 10.0
#: A row grows into spare room by no more than this, points.
_LOOSEST = 12.0
#: Lines of a paragraph in a cell; the rest stands in the notes.
_CELL_LINES = 6
#: PowerPoint's "No Style, No Grid".
_NO_STYLE = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell: its paragraphs, the hex colour behind it, and on which side it stands."""

    lines: tuple[Line, ...]
    fill: str = ""
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: ``widths`` are shares of its width; ``groups`` are rows that head others."""

    head: tuple[Entry, ...]
    rows: tuple[tuple[Entry, ...], ...]
    widths: tuple[float, ...]
    groups: frozenset[int] = frozenset()


def draw_table(
    page: Page, box: Box, grid: Grid, *, name: str, description: str, part: bool = False
) -> float:
    """Draw a table as large as it fits and return its height.

    ``part`` is of one that :func:`split_grid` divided, whose parts have one size.
    """
    from pptx.util import Emu

    size = _SPLIT_SIZE if part else _table_size(grid, box)
    every = (grid.head, *grid.rows)
    talls = [_row_height(row, grid.widths, box.width, size) for row in every]
    loose = min(max(box.height - sum(talls), 0.0) / len(talls), _LOOSEST)
    talls = [tall + loose for tall in talls]
    held = page.slide.shapes.add_table(
        len(every), len(grid.widths), emu(box.left), emu(box.top), emu(box.width),
        emu(sum(talls)),
    )  # fmt: skip
    page.describe(held, name, description)
    table = held.table
    held._element.graphic.graphicData.tbl.tblPr.find(f"{_A}tableStyleId").text = _NO_STYLE
    table.horz_banding = False
    for column, share in zip(table.columns, grid.widths, strict=True):
        column.width = Emu(round(share * box.width * EMU))
    for i, (row, tall) in enumerate(zip(every, talls, strict=True)):
        table.rows[i].height = Emu(round(tall * EMU))
        rule = 1.25 if i == 0 or i - 1 in grid.groups else 0.5
        for j, entry in enumerate(row):
            wide = grid.widths[j] * box.width - 2 * _PAD_X
            _set_cell(page, table.cell(i, j), entry, wide, size, rule)
    return sum(talls)


def split_grid(grid: Grid, box: Box) -> list[Grid]:
    """Divide a table over as many slides as it needs, a group's heading never last on one."""
    size = _table_size(grid, box)
    head = _row_height(grid.head, grid.widths, box.width, size)
    talls = [_row_height(row, grid.widths, box.width, size) for row in grid.rows]
    if head + sum(talls) <= box.height or not talls:
        return [grid]
    # As even as can be, so that the last slide does not hold a row or two.
    slides = math.ceil(sum(talls) / max(box.height - head, 1))
    even = sum(talls) / slides
    parts: list[list[int]] = [[]]
    used = 0.0
    for i, tall in enumerate(talls):
        over = used + tall > box.height - head or used + tall / 2 > even
        if parts[-1] and over and (i - 1) not in grid.groups:
            parts.append([])
            used = 0.0
        parts[-1].append(i)
        used += tall
    return [
        replace(
            grid,
            rows=tuple(grid.rows[i] for i in part),
            groups=frozenset(j for j, i in enumerate(part) if i in grid.groups),
        )
        for part in parts
    ]


def _set_cell(
    page: Page, cell: _Cell, entry: Entry, width: float, size: float, rule: float
) -> None:
    from pptx.dml.color import RGBColor
    from pptx.enum.text import MSO_ANCHOR

    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.margin_left = cell.margin_right = emu(_PAD_X)
    cell.margin_top = cell.margin_bottom = emu(_PAD_Y)
    frame = cell.text_frame
    frame.word_wrap = True
    for i, line in enumerate(entry.lines):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        shown = page.shorten(line.text, width, size * line.scale, _CELL_LINES, bold=line.bold)
        write_line(paragraph, line, size, align=entry.align, text=shown)
    if not entry.lines:
        # An empty paragraph is as tall as its type, which is 18 points unless it is told.
        end = frame.paragraphs[0]._p.get_or_add_endParaRPr()
        end.set("sz", "600")
    if entry.fill:
        cell.fill.solid()
        cell.fill.fore_color.rgb = RGBColor.from_string(entry.fill[1:])
    _rule_under(cell, rule)


def _table_size(grid: Grid, box: Box) -> float:
    """Return the largest size at which a table fits; of one that does not, the size to split at."""
    rows = (grid.head, *grid.rows)
    for size in _SIZES:
        talls = (_row_height(row, grid.widths, box.width, size) for row in rows)
        whole = all(
            unbroken(e.lines, share * box.width - 2 * _PAD_X, size, _SIZES[-1])
            for row in rows
            for e, share in zip(row, grid.widths, strict=True)
        )
        if whole and sum(talls) <= box.height:
            return size
    return _SPLIT_SIZE


def _row_height(row: Sequence[Entry], widths: Sequence[float], across: float, size: float) -> float:
    """Return a row's height: of the tallest cell, no paragraph longer than it may be."""
    tallest = 0.0
    for entry, share in zip(row, widths, strict=True):
        room = share * across - 2 * _PAD_X
        lines = [
            replace(x, text=cut_text(x.text, room, size * x.scale, _CELL_LINES, bold=x.bold))
            for x in entry.lines
        ]
        tallest = max(tallest, tall_of(lines, room, size))
    return max(tallest, size * LEADING) + 2 * _PAD_Y


def _rule_under(cell: _Cell, points: float) -> None:
    """Draw a thin line under a cell, in the order that the schema asks of its parts."""
    properties = cell._tc.get_or_add_tcPr()
    line = properties.makeelement(f"{_A}lnB", {"w": str(emu(points))})
    fill = line.makeelement(f"{_A}solidFill", {})
    line.append(fill)
    colour = fill.makeelement(f"{_A}schemeClr", {"val": "bg1"})
    fill.append(colour)
    colour.append(colour.makeelement(f"{_A}lumMod", {"val": "80000" if points < 1 else "60000"}))
    properties.insert(0, line)


_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
