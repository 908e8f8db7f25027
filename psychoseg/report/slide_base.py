"""The blank deck: our own 16:9 design or a client's template, and the bytes of the file written.

Knows layouts, placeholders and room on a slide; nothing of a run.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from psychoseg.errors import StudyError
from psychoseg.plots.canvas import INK, SEGMENT_COLOURS

if TYPE_CHECKING:
    from pptx.presentation import Presentation
    from pptx.shapes.placeholder import LayoutPlaceholder
    from pptx.slide import SlideLayout

__all__ = ["EMU", "Base", "Box", "fixed_zip", "open_base", "save_deck"]

#: EMU in a point.
EMU = 12700
#: No time of day goes into a file: one run gives one sequence of bytes.
_DATE = datetime(2000, 1, 1)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_NIGHT = "16202E"
#: PowerPoint's own inset of text in a placeholder, points.
INSET = 7.2
#: Of the height of a slide: a title that ends lower leaves no room, and less room shows nothing.
_LOWEST_TITLE, _LEAST_ROOM = 0.42, 0.45
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.presentationml."


@dataclass(frozen=True, slots=True)
class Box:
    """A place on a slide, in points."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Return the right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Return the lower edge."""
        return self.top + self.height

    def part(self, left: float, top: float, width: float, height: float) -> Box:
        """Return a part of the box, all four from 0 to 1 of it."""
        return Box(
            self.left + left * self.width,
            self.top + top * self.height,
            width * self.width,
            height * self.height,
        )

    def inset(self, by: float) -> Box:
        """Return the box without a margin of so many points."""
        return Box(self.left + by, self.top + by, self.width - 2 * by, self.height - 2 * by)

    def columns(self, n: int, gap: float) -> list[Box]:
        """Return ``n`` equal boxes side by side."""
        wide = (self.width - gap * (n - 1)) / n
        return [Box(self.left + i * (wide + gap), self.top, wide, self.height) for i in range(n)]

    def rows(self, n: int, gap: float) -> list[Box]:
        """Return ``n`` equal boxes one under another."""
        tall = (self.height - gap * (n - 1)) / n
        return [Box(self.left, self.top + i * (tall + gap), self.width, tall) for i in range(n)]


@dataclass(frozen=True, slots=True)
class Base:
    """An empty deck.

    Attributes
    ----------
    opening, content : SlideLayout
        Of the first slide, and of every other.
    body : Box
        What a content slide has room for, a line for the source under it left out.
    own : bool
        Whether the design is ours.
    """

    deck: Presentation
    opening: SlideLayout
    content: SlideLayout
    body: Box
    own: bool

    @property
    def page(self) -> Box:
        """Return the whole slide."""
        return Box(0, 0, (self.deck.slide_width or 0) / EMU, (self.deck.slide_height or 0) / EMU)


def open_base(template: Path | None) -> Base:
    """Return an empty deck of our own design, or with the master and layouts of a template.

    Parameters
    ----------
    template : Path or None
        A .pptx or .potx; its slides are dropped.

    Returns
    -------
    Base

    Raises
    ------
    StudyError
        Where the template is absent, no PowerPoint file, or has no layout with a title on top and
        room under it.
    """
    return _own_base() if template is None else _client_base(template)


def save_deck(base: Base, path: Path, title: str) -> None:
    """Write a deck without any time of day in it.

    Parameters
    ----------
    base : Base
    path : Path
    title : str
        For the properties of the file.
    """
    about = base.deck.core_properties
    about.title = title[:255]
    about.author = about.last_modified_by = "psychoseg"
    about.created = about.modified = about.last_printed = _DATE
    about.revision = 1
    buffer = io.BytesIO()
    base.deck.save(buffer)
    path.write_bytes(fixed_zip(buffer.getvalue()))


def fixed_zip(data: bytes) -> bytes:
    """Return a zip file, and the workbooks in it, with every date set to one and the same."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            part = old.read(name)
            if name.endswith(".xlsx"):
                part = fixed_zip(part)
            elif name == "docProps/core.xml":
                part = re.sub(
                    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _DATE.isoformat().encode() + b"Z", part
                )
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            new.writestr(info, part)
    return out.getvalue()


def _own_base() -> Base:
    from pptx import Presentation

    deck = Presentation()
    deck.slide_width, deck.slide_height = 960 * EMU, 540 * EMU
    deck.element.find(f".//{_P}sldSz").attrib.pop("type", None)
    master = deck.slide_master
    for layout in list(deck.slide_layouts):
        if layout.name not in ("Title Slide", "Title Only"):
            deck.slide_layouts.remove(layout)
    opening, content = deck.slide_layouts
    for related in master.part.rels.values():
        if related.reltype.endswith("/theme"):
            theme = related.target_part
            theme._blob = _themed(theme.blob)
    for related in list(deck.part.package._rels.values()):
        if related.reltype.endswith("/thumbnail"):
            deck.part.package.drop_rel(related.rId)
    _place(master.placeholders, "TITLE", Box(44, 38, 872, 56))
    _place(master.placeholders, "BODY", Box(44, 108, 872, 380))
    _place(master.placeholders, "DATE", Box(600, 508, 100, 18))
    _place(master.placeholders, "FOOTER", Box(700, 508, 100, 18))
    _place(master.placeholders, "SLIDE_NUMBER", Box(856, 508, 60, 18))
    _place(opening.placeholders, "CENTER_TITLE", Box(64, 150, 800, 130))
    _place(opening.placeholders, "SUBTITLE", Box(64, 296, 800, 96))
    _style_master(master.element)
    _style_opening(opening)
    return Base(deck, opening, content, Box(44, 108, 872, 386), own=True)


def _client_base(template: Path) -> Base:
    from pptx import Presentation

    if not template.is_file():
        raise StudyError(
            f"[report] template: there is no file {template}. Put it beside the study file, or "
            "take the line out to get the deck in psychoseg's own design."
        )
    try:
        deck = Presentation(io.BytesIO(_as_presentation(template.read_bytes())))
        base = _laid_out(deck)
    # A broken file fails anywhere in zipfile, lxml or python-pptx, each with errors of its own.
    except Exception as error:
        raise StudyError(
            f"[report] template: {template} cannot be read as a PowerPoint file ({error}). Save it "
            "anew from PowerPoint as .pptx or .potx (without macros or a password)."
        ) from error
    if base is None:
        raise StudyError(
            f"[report] template: {template} has no layout with a title at the top and room under "
            "it. Add a “Title Only” layout to its slide master."
        )
    return base


def _as_presentation(data: bytes) -> bytes:
    """Return a template's bytes as those of a presentation, which is what python-pptx opens."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "[Content_Types].xml":
                part = part.replace(
                    f"{_CONTENT_TYPE}template.main+xml".encode(),
                    f"{_CONTENT_TYPE}presentation.main+xml".encode(),
                )
            new.writestr(name, part)
    return out.getvalue()


def _laid_out(deck: Presentation) -> Base | None:
    """Drop a deck's slides and choose its layouts; None where none will do."""
    ids = deck.slides._sldIdLst
    for slide in list(ids):
        deck.part.drop_rel(slide.rId)
        ids.remove(slide)
    # Sections and custom shows name slides that are gone, which PowerPoint takes for damage.
    for gone in [
        *deck.element.iter(f"{_P}custShowLst"),
        *(e for e in deck.element.iter(f"{_P}ext") if any("sectionLst" in c.tag for c in e)),
    ]:
        gone.getparent().remove(gone)
    wide, tall = (deck.slide_width or 0) / EMU, (deck.slide_height or 0) / EMU
    found: list[tuple[int, int, SlideLayout, Box]] = []
    opening: SlideLayout | None = None
    layouts = [layout for master in deck.slide_masters for layout in master.slide_layouts]
    for order, layout in enumerate(layouts):
        kinds = [p.placeholder_format.type.name for p in layout.placeholders]
        if opening is None and ("CENTER_TITLE" in kinds or {"TITLE", "SUBTITLE"} <= set(kinds)):
            opening = layout
        body = _room(layout, wide, tall)
        if body is not None:
            others = [k for k in kinds if k not in ("TITLE", *_FURNITURE)]
            found.append((len(others), order, layout, body))
    if not found:
        return None
    _, _, content, body = min(found, key=lambda f: f[:2])
    return Base(deck, opening or content, content, body, own=False)


_FURNITURE = ("DATE", "FOOTER", "SLIDE_NUMBER")


def _room(layout: SlideLayout, wide: float, tall: float) -> Box | None:
    """Return the room under the title of a layout; None where it has no title on top."""
    bottom = 0.95 * tall
    title: Box | None = None
    for shape in layout.placeholders:
        kind = shape.placeholder_format.type.name
        at = _box(shape)
        if at is None:
            continue
        if kind == "TITLE":
            title = at
        elif kind in _FURNITURE and at.top > 0.75 * tall:
            bottom = min(bottom, at.top)
    if title is None or title.bottom > _LOWEST_TITLE * tall:
        return None
    left, width = title.left + INSET, title.width - 2 * INSET
    if width < 0.6 * wide:
        left, width = 0.05 * wide, 0.9 * wide
    top = title.bottom + 8
    # The line for the source stands between the body and the footer.
    height = bottom - 20 - top
    return Box(left, top, width, height) if height >= _LEAST_ROOM * tall else None


def _box(shape: LayoutPlaceholder) -> Box | None:
    ends = shape.left, shape.top, shape.width, shape.height
    if any(end is None for end in ends):
        return None
    return Box(*(end / EMU for end in ends))


_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def _themed(theme: bytes) -> bytes:
    """Return Office's theme with our colours and a font that every machine has."""
    colours = dict(
        dk1=INK[1:], lt1="FFFFFF", dk2=_NIGHT, lt2="F3F5F7",
        **{f"accent{i + 1}": colour[1:] for i, colour in enumerate(SEGMENT_COLOURS[:6])},
        hlink="0B5FA5", folHlink="5B6775",
    )  # fmt: skip
    scheme = "".join(
        f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in colours.items()
    )
    text = theme.decode("utf-8")
    text = re.sub(
        r"<a:clrScheme.*?</a:clrScheme>",
        f'<a:clrScheme name="psychoseg">{scheme}</a:clrScheme>',
        text,
        count=1,
        flags=re.DOTALL,
    )
    text = text.replace('<a:latin typeface="Calibri"/>', '<a:latin typeface="Arial"/>')
    text = text.replace('name="Office Theme"', 'name="psychoseg"')
    return text.encode("utf-8")


def _place(placeholders: Iterator[LayoutPlaceholder], kind: str, box: Box) -> None:
    for shape in placeholders:
        if shape.placeholder_format.type.name == kind:
            shape.left, shape.top, shape.width, shape.height = (
                round(v * EMU) for v in (box.left, box.top, box.width, box.height)
            )


def _style_master(master: object) -> None:
    """Set the master's title to the left, small enough for a sentence, without insets."""
    from lxml.etree import _Element

    if not isinstance(master, _Element):
        raise TypeError("a slide master is XML")
    style = master.find(f".//{_P}titleStyle/{_A}lvl1pPr")
    size = master.find(f".//{_P}titleStyle/{_A}lvl1pPr/{_A}defRPr")
    if style is None or size is None:
        raise RuntimeError("python-pptx's master has no title style")
    style.set("algn", "l")
    size.set("sz", "2400")
    size.set("b", "1")
    for shape in master.iter(f"{_P}sp"):
        kind = shape.find(f".//{_P}ph")
        frame = shape.find(f".//{_A}bodyPr")
        if kind is None or frame is None:
            continue
        for side in ("lIns", "tIns", "rIns", "bIns"):
            frame.set(side, "0")
        if kind.get("type") == "title":
            frame.set("anchor", "t")
            for fit in frame.findall(f"{_A}normAutofit"):
                frame.remove(fit)
        if kind.get("type") in ("dt", "ftr", "sldNum"):
            for font in shape.iter(f"{_A}defRPr"):
                font.set("sz", "900")


def _style_opening(layout: SlideLayout) -> None:
    """Make the opening slide dark, its type large and on the left."""
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    layout.background.fill.solid()
    layout.background.fill.fore_color.rgb = RGBColor.from_string(_NIGHT)
    for shape in layout.placeholders:
        kind = shape.placeholder_format.type.name
        frame = shape._element.find(f".//{_A}bodyPr")
        levels = shape._element.find(f".//{_A}lstStyle")
        if kind not in ("CENTER_TITLE", "SUBTITLE") or frame is None or levels is None:
            continue
        frame.set("anchor", "b" if kind == "CENTER_TITLE" else "t")
        for child in list(levels):
            levels.remove(child)
        big = kind == "CENTER_TITLE"
        level = levels.makeelement(f"{_A}lvl1pPr", {"marL": "0", "indent": "0", "algn": "l"})
        levels.append(level)
        level.append(level.makeelement(f"{_A}buNone", {}))
        font = level.makeelement(
            f"{_A}defRPr",
            {"sz": str(round(Pt(40 if big else 16).pt * 100)), "b": "1" if big else "0"},
        )
        level.append(font)
        fill = font.makeelement(f"{_A}solidFill", {})
        font.append(fill)
        fill.append(fill.makeelement(f"{_A}srgbClr", {"val": "FFFFFF" if big else "C9D2DC"}))
