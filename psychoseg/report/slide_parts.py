"""A slide that is being filled: title, texts, grounds, badges, pictures, notes.

What was cut so that it fits stands whole in the notes. Knows nothing of a run.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from matplotlib.figure import Figure

from psychoseg.plots.canvas import figure_style, ink_on, segment_colour
from psychoseg.report.slide_base import EMU, INSET, Base, Box
from psychoseg.report.slide_text import LEADING, Line, clean, cut_text, fit_lines, tall_of

if TYPE_CHECKING:
    from pptx.dml.color import ColorFormat
    from pptx.enum.text import PP_ALIGN
    from pptx.shapes.autoshape import Shape
    from pptx.shapes.placeholder import SlidePlaceholder
    from pptx.slide import Slide
    from pptx.text.text import TextFrame, _Paragraph, _Run

__all__ = ["Page", "emu", "style_run", "write_line"]

_SIZES = (14.0, 13.0, 12.0, 11.0, 10.5, 10.0)


class Page:
    """A slide that is being filled.

    Attributes
    ----------
    body : Box
        Room under the title.
    notes : list of str
        Where each number comes from; :meth:`close` writes them.
    """

    def __init__(self, base: Base, title: str, *, opening: bool = False) -> None:
        self.base = base
        self.slide = base.deck.slides.add_slide(base.opening if opening else base.content)
        self.body = base.body
        self.notes: list[str] = []
        self._cut: list[str] = []
        self._drop_empty_placeholders()
        self._set_title(title)
        if not opening:
            self._number()

    def close(self) -> None:
        """Write the speaker notes."""
        whole = [f"In full: {text}" for text in dict.fromkeys(self._cut)]
        frame = self.slide.notes_slide.notes_text_frame
        if frame is None:
            raise RuntimeError("python-pptx's notes have no placeholder for text")
        frame.text = "\n".join(clean(line) for line in [*self.notes, *whole])

    def text(
        self,
        box: Box,
        lines: Sequence[Line],
        *,
        name: str,
        sizes: Sequence[float] = _SIZES,
        anchor: Literal["top", "middle", "bottom"] = "top",
        align: Literal["left", "center", "right"] = "left",
        fill: str = "",
        pad: float = 0.0,
        shape: Literal["rectangle", "disc"] = "rectangle",
        hug: bool = False,
    ) -> Box:
        """Write paragraphs into a box, on a ground where ``fill`` is a hex colour or "panel".

        Returns
        -------
        Box
            That of the shape: with ``hug`` no taller than its text.
        """
        room = Box(box.left, box.top, box.width - 2 * pad, box.height - 2 * pad)
        size, shown = self._fit(lines, room.width, room.height, sizes)
        if hug:
            box = replace(box, height=min(tall_of(shown, room.width, size) + 2 * pad, box.height))
        held = self._shape(box, name, fill, shape)
        frame = held.text_frame
        self._set_frame(frame, anchor, pad)
        for i, line in enumerate(shown):
            paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
            write_line(paragraph, line if i else replace(line, space=0.0), size, align=align)
        return box

    def columns(
        self, box: Box, blocks: Sequence[Sequence[Line]], *, name: str, sizes: Sequence[float],
        gap: float = 32.0,
    ) -> None:  # fmt: skip
        """Write texts side by side, all in one size."""
        boxes = box.columns(max(len(blocks), 1), gap)
        fits = [
            fit_lines(block, at.width, at.height, sizes)[0]
            for block, at in zip(blocks, boxes, strict=True)
        ]
        own = [s for s in sizes if s <= min(fits)]
        for i, (block, at) in enumerate(zip(blocks, boxes, strict=True), start=1):
            if block:
                self.text(at, block, name=f"{name} {i}", sizes=own)

    def fill_placeholder(self, shape: SlidePlaceholder, lines: Sequence[Line]) -> None:
        """Write paragraphs into a placeholder, in its own type, smaller where it must be."""
        from pptx.util import Pt

        width, height = shape.width / EMU - 2 * INSET, shape.height / EMU - INSET
        size, shown = self._fit(lines, width, height, (20, 18, 16, 14, 12, 11, 10))
        frame = shape.text_frame
        for i, line in enumerate(shown):
            paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
            run = paragraph.add_run()
            run.text = line.text
            run.font.size = Pt(min(size, 16) * line.scale)

    def ground(self, box: Box, colour: str, *, name: str) -> None:
        """Fill a box with a hex colour or "panel"; a decoration, without alternative text."""
        self._shape(box, f"Ground: {name}", colour, "rectangle")

    def badge(self, left: float, top: float, segment: int, *, across: float = 22) -> None:
        """Write a segment's number into a disc of its colour."""
        colour = segment_colour(segment)
        line = Line(str(segment), bold=True, colour=ink_on(colour))
        self.text(
            Box(left, top, across, across), [line], name=f"Segment {segment}", fill=colour,
            sizes=(across * 0.5, across * 0.4), anchor="middle", align="center", shape="disc",
        )  # fmt: skip

    def source(self, text: str) -> None:
        """Write where the numbers come from, under the body."""
        below = Box(self.body.left, self.body.bottom + 3, self.body.width - 70, 14)
        self.text(below, [Line(text, colour="muted")], name="Source", sizes=(9, 8.5, 8))

    def picture(self, box: Box, figure: Figure, *, name: str, description: str) -> None:
        """Place a figure as large as it fits, in the middle of a box."""
        buffer = io.BytesIO()
        with figure_style(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
            figure.savefig(buffer, format="png", dpi=220, metadata={"Software": None})
        wide, tall = (72 * v for v in figure.get_size_inches())
        scale = min(box.width / wide, box.height / tall)
        left = box.left + (box.width - scale * wide) / 2
        top = box.top + (box.height - scale * tall) / 2
        buffer.seek(0)
        held = self.slide.shapes.add_picture(
            buffer, emu(left), emu(top), emu(scale * wide), emu(scale * tall)
        )
        self.describe(held, name, description)

    def shorten(
        self, text: str, width: float, size: float, lines: int, *, bold: bool = False
    ) -> str:
        """Return as much of a text as fits so many lines; the notes get it in full."""
        shown = cut_text(text, width, size, lines, bold=bold)
        if shown != clean(text):
            self._cut.append(clean(text))
        return shown

    def describe(self, held: object, name: str, text: str) -> None:
        """Name a shape and give it the text that a screen reader says."""
        element = held._element  # type: ignore[attr-defined]
        about = next(element.iter(f"{_P}cNvPr"))
        about.set("name", clean(name))
        about.set("descr", clean(text))

    def _fit(
        self, lines: Sequence[Line], width: float, height: float, sizes: Sequence[float]
    ) -> tuple[float, list[Line]]:
        size, shown, lost = fit_lines(lines, width, height, sizes)
        self._cut += lost
        return size, shown

    def _shape(self, box: Box, name: str, fill: str, kind: str) -> Shape:
        from pptx.dml.color import RGBColor
        from pptx.enum.dml import MSO_THEME_COLOR
        from pptx.enum.shapes import MSO_SHAPE

        at = emu(box.left), emu(box.top), emu(box.width), emu(box.height)
        if not fill:
            held = self.slide.shapes.add_textbox(*at)
            held.name = clean(name)
            return held
        held = self.slide.shapes.add_shape(
            MSO_SHAPE.OVAL if kind == "disc" else MSO_SHAPE.RECTANGLE, *at
        )
        held.name = clean(name)
        # The theme's effects would put a shadow under it.
        style = held._element.find(f"{_P}style")
        if style is not None:
            held._element.remove(style)
        held.line.fill.background()
        held.fill.solid()
        if fill == "panel":
            held.fill.fore_color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
            held.fill.fore_color.brightness = -0.05
        else:
            held.fill.fore_color.rgb = RGBColor.from_string(fill[1:])
        return held

    def _set_frame(self, frame: TextFrame, anchor: str, pad: float) -> None:
        from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE

        frame.word_wrap = True
        frame.auto_size = MSO_AUTO_SIZE.NONE
        frame.vertical_anchor = MSO_ANCHOR[anchor.upper()]
        frame.margin_left = frame.margin_right = emu(pad)
        frame.margin_top = frame.margin_bottom = emu(pad)

    def _drop_empty_placeholders(self) -> None:
        for shape in list(self.slide.placeholders):
            if shape.placeholder_format.type.name not in ("TITLE", "CENTER_TITLE", "SUBTITLE"):
                shape._element.getparent().remove(shape._element)

    def _set_title(self, title: str) -> None:
        """Write the title into its placeholder, smaller than the master's where it must be."""
        from pptx.util import Pt

        shape = self.slide.shapes.title
        if shape is None:
            raise RuntimeError("a layout without a title was chosen")
        inset = 0.0 if self.base.own else INSET
        width, height = shape.width / EMU - 2 * inset, shape.height / EMU - inset
        master = _master_size(self.slide, shape.placeholder_format.type.name)
        sizes = [s for s in (master, 36, 32, 28, 24, 22, 20, 18, 16, 14) if s <= master]
        size, shown = self._fit([Line(title, bold=True)], width, height, sizes)
        shape.text_frame.text = shown[0].text if shown else ""
        if size < master:
            for run in shape.text_frame.paragraphs[0].runs:
                run.font.size = Pt(size)

    def _number(self) -> None:
        """Put the slide's number where the layout has it."""
        from copy import deepcopy

        for shape in self.slide.slide_layout.placeholders:
            if shape.placeholder_format.type.name == "SLIDE_NUMBER":
                copied = deepcopy(shape._element)
                self.slide.shapes._spTree.append(copied)
                about = next(copied.iter(f"{_P}cNvPr"))
                about.set("id", str(max(s.shape_id for s in self.slide.shapes) + 1))
                for field in copied.iter(f"{_A}fld"):
                    for text in field.iter(f"{_A}t"):
                        text.text = str(len(self.base.deck.slides))


def write_line(
    paragraph: _Paragraph, line: Line, size: float, *, align: str = "left", text: str | None = None
) -> None:
    """Write a paragraph in a size, ``text`` in place of its own where it was cut."""
    from pptx.util import Pt

    paragraph.alignment = _alignment(align)
    # Exact, so that one font or another changes no line's place.
    paragraph.line_spacing = Pt(round(size * line.scale * LEADING, 1))
    paragraph.space_before = Pt(round(line.space * size, 1))
    paragraph.space_after = Pt(0)
    run = paragraph.add_run()
    run.text = line.text if text is None else text
    style_run(run, line, size)


def style_run(run: _Run, line: Line, size: float) -> None:
    """Give a run its size, weight and colour."""
    from pptx.dml.color import RGBColor
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    run.font.size = Pt(round(size * line.scale, 1))
    run.font.bold = line.bold
    colour: ColorFormat = run.font.color
    if line.colour.startswith("#"):
        colour.rgb = RGBColor.from_string(line.colour[1:])
        return
    colour.theme_color = MSO_THEME_COLOR.TEXT_1
    if line.colour == "muted":
        colour.brightness = 0.3


_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def emu(points: float) -> int:
    """Return points in EMU."""
    return round(points * EMU)


def _alignment(align: str) -> PP_ALIGN:
    from pptx.enum.text import PP_ALIGN

    return PP_ALIGN[align.upper()]


def _master_size(slide: Slide, kind: str) -> float:
    """Return the size in points that a title inherits from its layout, or else from the master."""
    layout = slide.slide_layout
    styles = [
        shape._element.find(f".//{_A}lstStyle/{_A}lvl1pPr/{_A}defRPr")
        for held in (layout, layout.slide_master)
        for shape in held.placeholders
        if shape.placeholder_format.type.name in (kind, "TITLE")
    ]
    master = layout.slide_master.element
    styles.append(master.find(f".//{_P}titleStyle/{_A}lvl1pPr/{_A}defRPr"))
    sizes = [int(s.get("sz")) / 100 for s in styles if s is not None and s.get("sz")]
    return sizes[0] if sizes else 44.0
