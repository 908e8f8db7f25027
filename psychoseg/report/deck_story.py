"""What every slide of a deck draws on: the run, its facts, its names; and tables made slides.

Computes nothing but places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from psychoseg.plots.canvas import ink_on, segment_colour, shade, text_width
from psychoseg.report import words
from psychoseg.report.facts import Cell, Persona, ReportContext, Table
from psychoseg.report.slide_base import Base, Box
from psychoseg.report.slide_parts import Page
from psychoseg.report.slide_tables import Entry, Grid, draw_table, split_grid
from psychoseg.report.slide_text import Line, cut_text, ltr

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["NAMED_HEADS", "TONES", "Story", "answer", "grid_of", "in_words", "tint"]

#: Segments up to which a column is wide enough for its name.
NAMED_HEADS = 6
#: How deep a cell of a tone is shaded, from -1 to 1.
TONES = {"high": 0.28, "higher": 0.62, "low": -0.28, "lower": -0.62}
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve")  # fmt: skip


@dataclass(slots=True)
class Story:
    """A run on its way to slides.

    Attributes
    ----------
    pages : list of Page
        Those made so far, in order.
    """

    base: Base
    run: Run
    context: ReportContext
    pages: list[Page] = field(default_factory=list)

    @property
    def personas(self) -> tuple[Persona, ...]:
        """Return the cards, by number."""
        return self.context.personas

    @property
    def real(self) -> list[Persona]:
        """Return the cards of segments; those who fit none are not one."""
        return [p for p in self.personas if not p.unassigned]

    @property
    def base_n(self) -> str:
        """Return the base of everything, in words."""
        return f"n = {int((self.run.segments.labels > 0).sum()):,}"

    @property
    def hidden(self) -> str:
        """Return what stands where a figure rests on too few people."""
        return f"<{self.run.study.profiles.min_base}"

    def shown(self, text: str, *, hidden: bool) -> str:
        """Return a number's text, or that it is hidden."""
        return self.hidden if hidden else text

    def page(self, title: str, *, source: str = "", notes: Sequence[str] = ()) -> Page:
        """Add a slide."""
        page = Page(self.base, title.rstrip("."))
        if source:
            page.source(source)
        page.notes += notes
        self.pages.append(page)
        return page

    def name(self, segment: int, most: int = 0) -> str:
        """Return a segment's name in quotes, cut at a word where it has more letters."""
        name = next(p.name for p in self.personas if p.number == segment)
        if most and len(name) > most:
            name = cut_text(name, most * 6.4, 10, 1)
        return f"“{ltr(name)}”"

    def head(self, segment: int, *, named: bool) -> Entry:
        """Return the head of a segment's column, in its colour."""
        card = next(p for p in self.personas if p.number == segment)
        number = Line(str(segment), bold=True, colour=card.ink, scale=1.1)
        below = (Line(card.name, colour=card.ink, scale=0.85),) if named else ()
        return Entry((number, *below), fill=card.colour, align="center")

    def bases(self, label: str = "Base (n)") -> tuple[Entry, ...]:
        """Return a row of the segments' bases, after everybody's."""
        people = self.run.profiles.personas.set_index("segment")["n"]
        every = int((self.run.segments.labels > 0).sum())
        together = dict(zip(*(self.run.profiles.personas[c] for c in ("segment", "people")),
                            strict=True))  # fmt: skip
        counts = [
            f"{every:,}",
            *(
                self.hidden if np.isnan(people[p.number])
                else together[p.number].removeprefix("n = ").replace(" segments", "").replace(
                    " segment", "")
                for p in self.personas
            ),
        ]  # fmt: skip
        return (
            Entry((Line(label, colour="muted"),)),
            *(Entry((Line(text, colour="muted"),), align="center") for text in counts),
        )

    def key(self, page: Page, box: Box) -> Box:
        """Write which number is which segment along the bottom of a box; return the rest."""
        columns = 3 if len(self.personas) > 4 else len(self.personas)
        rows = -(-len(self.personas) // columns)
        tall = 20 * rows
        foot = Box(box.left, box.bottom - tall, box.width, tall)
        for i, card in enumerate(self.personas):
            at = foot.rows(rows, 0)[i // columns].columns(columns, 12)[i % columns]
            page.badge(at.left, at.top + 1.5, card.number, across=16)
            page.text(
                Box(at.left + 22, at.top, at.width - 22, 19), [Line(card.name)], anchor="middle",
                sizes=(10.5, 10, 9.5, 9), name=f"Name of segment {card.number}",
            )  # fmt: skip
        return Box(box.left, box.top, box.width, box.height - tall - 10)

    def beside(
        self, title: str, table: Table, lines: Sequence[Line], *, name: str, source: str,
        notes: Sequence[str], columns: Sequence[int] | None = None,
    ) -> None:  # fmt: skip
        """Add a slide of a table and words beside it; more slides where the table is too long."""
        page = self.page(title, source=source, notes=notes)
        left, right = page.body.part(0, 0, 0.59, 1), page.body.part(0.63, 0, 0.37, 1)
        grid = grid_of(table, across=left.width, columns=columns)
        alone = len(split_grid(grid, left)) > 1
        page.text(
            page.body if alone else right, lines, name=f"{name}: in words", fill="panel", pad=15,
            sizes=_BESIDE, hug=True,
        )  # fmt: skip
        if alone:
            grid = grid_of(table, across=page.body.width, columns=columns)
            self.tables(table.caption, grid, name=name, source=source, notes=notes)
        else:
            draw_table(page, left, grid, name=name, description=f"{table.caption}. {title}")

    def tables(
        self, title: str, grid: Grid, *, name: str, source: str, notes: Sequence[str],
        most: int = 4, key: bool = False,
    ) -> None:  # fmt: skip
        """Put a table on as many slides as it needs, up to ``most``; the workbook has the rest."""
        room = self.base.body
        if key:
            rows = -(-len(self.personas) // (3 if len(self.personas) > 4 else len(self.personas)))
            room = Box(room.left, room.top, room.width, room.height - 20 * rows - 10)
        parts = split_grid(grid, room)
        for i, part in enumerate(parts[:most]):
            shown = title if i == 0 else f"{title} ({i + 1} of {min(len(parts), most)})"
            page = self.page(shown, source=source, notes=notes)
            if key:
                self.key(page, page.body)
            draw_table(
                page, room, part, name=name, description=f"{name}. {title}", part=len(parts) > 1
            )
            if len(parts) > most:
                page.notes.append("Rows that no slide has room for are in tables.xlsx.")


#: Size of the words beside a table.
_BESIDE = (14.0, 13.0, 12.0, 11.5, 11.0, 10.5, 10.0, 9.5)


def in_words(n: int) -> str:
    """Return a small number as a word."""
    return _WORDS[n] if n < len(_WORDS) else str(n)


def answer(label: str, category: str) -> str:
    """Return a question and an answer to it in one text."""
    label = ltr(label)
    return f"{label} {category}" if label.rstrip().endswith(("?", ":")) else f"{label}: {category}"


def tint(colour: str, keep: float = 0.45) -> str:
    """Return a colour mixed with white."""
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - keep * (255 - p)):02X}" for p in parts)


def grid_of(table: Table, *, across: float, columns: Sequence[int] | None = None) -> Grid:
    """Return a report's table as a slide's, columns as wide as what they hold asks for.

    Parameters
    ----------
    table : Table
    across : float
        Its width in points.
    columns : sequence of int, optional
        Those to show; all where absent.
    """
    n = len(table.head)
    shown = list(range(n)) if columns is None else list(columns)
    rows = [
        tuple(
            _entry(row.cells[j], row.kind, left=j == 0 or j in table.text_columns)
            if j < len(row.cells)
            else Entry(())
            for j in shown
        )
        for row in table.rows
    ]
    head = tuple(
        Entry(
            (Line(table.head[j].text, bold=True, colour="muted"),),
            align="left" if j == 0 or j in table.text_columns else "right",
        )
        for j in shown
    )
    wide = np.array(
        [
            min(max(46.0, max(_asks(r[i]) for r in (head, *rows))), 0.55 * across)
            for i in range(len(shown))
        ]
    )
    groups = frozenset(i for i, row in enumerate(table.rows) if row.kind == "group")
    return Grid(head, tuple(rows), tuple(float(w) for w in wide / wide.sum()), groups)


def _asks(entry: Entry) -> float:
    """Return the width a cell would like: its text on one line, a long one on two or three."""
    widest = 0.0
    for line in entry.lines:
        wide = text_width(line.text[:400], 11 * line.scale, bold=line.bold)
        word = max((text_width(w[:60], 11, bold=line.bold) for w in line.text.split()), default=0.0)
        widest = max(widest, word, wide if wide < 150 else max(150.0, wide / 2))
    return widest + 14


def _entry(cell: Cell, kind: str, *, left: bool) -> Entry:
    fill = ""
    colour = ""
    if cell.number:
        fill = segment_colour(cell.number)
        colour = ink_on(fill)
    elif cell.tone in TONES:
        fill = shade(TONES[cell.tone])
        colour = ink_on(fill)
    small = [t for t in (cell.note, cell.base) if t and t != words.NOTHING]
    text = f"{cell.number}  {cell.text}" if cell.number else cell.text
    lines = [Line(text, bold=bool(kind), colour=colour)]
    lines += [Line(t, colour=colour or "muted", scale=0.85) for t in small]
    return Entry(tuple(x for x in lines if x.text), fill, "left" if left else "right")
