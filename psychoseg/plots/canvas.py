"""What all figures share: palette, style, and text that keeps to its place; draws no result.

Text is never read as mathtext, so a label may hold ``$`` and ``_``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

if TYPE_CHECKING:
    from psychoseg.segments import Segments

#: Okabe & Ito's palette (Color Universal Design, 2008) in an order that keeps neighbours apart, and
#: Paul Tol's muted colours from the ninth segment on.
SEGMENT_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#999999",
    "#332288",
    "#882255",
    "#117733",
    "#DDCC77",
    "#44AA99",
    "#AA4499",
    "#661100",
)
#: Width in inches for a page, and for a telephone (4.2 in = 302 pt, about its width in CSS pixels).
WIDE = 7.6
NARROW = 4.2

#: Pixels to the inch of a notebook's page; a type of 9 points is then 12 pixels high.
SCREEN_DPI = 96

INK, MUTED, RULE, BRANCH = "#1B2430", "#5B6775", "#D9DEE4", "#8A94A0"
LOW_COLOUR, MID_COLOUR, HIGH_COLOUR = "#C4601D", "#F6F6F4", "#0B5FA5"
LINE = 1.28
_DIVERGING = LinearSegmentedColormap.from_list("psychoseg", [LOW_COLOUR, MID_COLOUR, HIGH_COLOUR])


class ShownFigure(Figure):
    """A figure that a notebook shows when it is a cell's value, and no other time.

    pyplot does not know it: nothing has to be closed, and ``%matplotlib inline`` neither shows it
    a second time at the end of a cell nor is needed to show it at all.
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the figure twice as fine as it is shown, and the size in pixels it is shown at."""
        out = BytesIO()
        self.savefig(out, format="png", dpi=2 * SCREEN_DPI)
        width, height = self.get_size_inches()
        return out.getvalue(), {
            "width": round(width * SCREEN_DPI),
            "height": round(height * SCREEN_DPI),
        }


@contextmanager
def figure_style() -> Iterator[None]:
    """Hold matplotlib's settings at psychoseg's style inside a ``with`` block.

    Notes
    -----
    The SVG hash salt is fixed, so that one figure gives one sequence of bytes.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "font.family": "DejaVu Sans",
                "font.size": 9,
                "text.parse_math": False,
                "text.color": INK,
                "axes.labelcolor": MUTED,
                "axes.labelsize": 8.5,
                "axes.edgecolor": "#B8C0C9",
                "axes.linewidth": 0.8,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.color": MUTED,
                "ytick.color": MUTED,
                "xtick.labelsize": 8,
                "ytick.labelsize": 8,
                "svg.fonttype": "none",
                "svg.hashsalt": "psychoseg",
            }
        )
        yield


def segment_colour(segment: int) -> str:
    """Return a segment's colour (segments count from one); grey for 0, which is no segment."""
    return SEGMENT_COLOURS[(segment - 1) % len(SEGMENT_COLOURS)] if segment > 0 else BRANCH


def ink_on(colour: str) -> str:
    """Return white or dark, whichever reads better on a colour (WCAG 2.1 contrast ratio)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    # Large bold text needs 3:1 (WCAG 1.4.3); white is kept as long as it has that.
    return "#FFFFFF" if 1.05 / (luminance + 0.05) >= 3 else INK


def shade(value: float) -> str:
    """Return the diverging colour of a value from -1 to 1."""
    r, g, b, _ = _DIVERGING((min(max(value, -1.0), 1.0) + 1) / 2)
    return f"#{round(255 * r):02X}{round(255 * g):02X}{round(255 * b):02X}"


def two_decimals(value: float) -> str:
    """Return a number with two decimals, none from 1,000 on, and a real minus sign."""
    if not np.isfinite(value):
        return "–"
    text = f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def names_of(names: Sequence[str] | None, segments: Segments) -> list[str]:
    """Return the names given, or "Segment 1" and so on."""
    return [str(n) for n in names] if names else [f"Segment {s}" for s in range(1, segments.k + 1)]


def new_figure(
    width: float, height: float, left: float, right: float, bottom: float, top: float
) -> tuple[Figure, Axes]:
    """Return a figure with one axes of a height and margins in points."""
    fig = ShownFigure(figsize=(width, (height + bottom + top) / 72))
    return fig, add_axes(fig, left, bottom, 72 * width - left - right, height)


def add_axes(fig: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place and of a size in points."""
    w, h = (72 * v for v in fig.get_size_inches())
    return fig.add_axes((left / w, bottom / h, width / w, height / h))


def put(
    ax: Axes,
    x: float,
    y: float,
    lines: Sequence[str],
    *,
    dx: float = 0,
    dy: float = 0,
    ha: str = "left",
    va: str = "center",
    size: float = 9,
    bold: bool = False,
    colour: str = INK,
    axes_x: bool = False,
    axes_y: bool = False,
    zorder: float = 5,
) -> None:
    """Write lines at a place plus an offset in points.

    Each line is a text of its own, so that SVG keeps its alignment whatever font the reader has.
    """
    step = size * LINE
    first = dy + (step * (len(lines) - 1) / 2 if va == "center" else -step / 2)
    frame = ("axes fraction" if axes_x else "data", "axes fraction" if axes_y else "data")
    for i, line in enumerate(lines):
        ax.annotate(
            line, (x, y), xycoords=frame, xytext=(dx, first - i * step), textcoords="offset points",
            ha=ha, va="center_baseline", fontsize=size, fontweight="bold" if bold else "normal",
            color=colour, annotation_clip=False, zorder=zorder,
        )  # fmt: skip


def badge(
    ax: Axes, x: float, y: float, segment: int, *, dx: float = 0, dy: float = 0, size: float = 9
) -> None:
    """Write a segment's number in a disc of its colour."""
    colour = segment_colour(segment)
    ax.plot(
        [x], [y], "o", color=colour, markersize=size * 1.75, mec="white", mew=1.2, clip_on=False,
        zorder=6, transform=ax.transData + _shift(ax, dx, dy),
    )  # fmt: skip
    put(
        ax, x, y, [str(segment)], dx=dx, dy=dy, ha="center", size=size, bold=True,
        colour=ink_on(colour), zorder=7,
    )  # fmt: skip


def legend(
    fig: Figure, names: Sequence[str], left: float, bottom: float, across: float, width: float
) -> None:
    """Write the numbers and names of the segments under a figure, in columns where it is wide."""
    columns, texts = _legend_rows(names, across, width)
    height = legend_height(names, across, width) - 6
    ax = add_axes(fig, left, bottom, across, height)
    ax.set_xlim(0, across)
    ax.set_ylim(height, 0)
    ax.axis("off")
    y = 0.0
    for i in range(0, len(texts), columns):
        row = texts[i : i + columns]
        tall = max(len(t) for t in row) * 8 * LINE + 7
        for c, text in enumerate(row):
            x = c * across / columns + 8
            badge(ax, x, y + tall / 2, i + c + 1, size=7.5)
            put(ax, x, y + tall / 2, text, dx=12, size=8)
        y += tall


def legend_height(names: Sequence[str], across: float, width: float) -> float:
    """Return the height in points that the legend will take."""
    columns, texts = _legend_rows(names, across, width)
    tall = [max(len(t) for t in texts[i : i + columns]) for i in range(0, len(texts), columns)]
    return sum(t * 8 * LINE + 7 for t in tall) + 6


def spread(centres: list[float], tall: list[float], height: float) -> list[float]:
    """Place blocks of given heights as near to their centres as they can stand without touching."""
    order = sorted(range(len(centres)), key=lambda i: centres[i])
    placed = list(centres)
    floor = 0.0
    for i in order:
        placed[i] = max(placed[i], floor + tall[i] / 2)
        floor = placed[i] + tall[i] / 2
    ceiling = height
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling - tall[i] / 2)
        ceiling = placed[i] - tall[i] / 2
    return placed


def wrap(text: str, width: float, size: float, lines: int, *, bold: bool = False) -> list[str]:
    """Break a text into lines of a width in points, with an ellipsis where there are more."""
    clean = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    # More than this cannot be shown: no letter is narrower than a twelfth of its size.
    clean = clean[: int(12 * lines * width / size) + 1]
    out: list[str] = [""]
    for word in clean.split():
        if len(out) > lines:
            break
        rest = word
        while rest:
            joined = f"{out[-1]} {rest}" if out[-1] else rest
            if text_width(joined, size, bold=bold) <= width:
                out[-1] = joined
                break
            if out[-1]:
                out.append("")
                continue
            # A word wider than a line is cut where it must be; one character is always taken.
            cut = 1
            while cut < len(rest) and text_width(rest[: cut + 1], size, bold=bold) <= width:
                cut += 1
            out[-1], rest = rest[:cut], rest[cut:]
            if rest:
                out.append("")
    if len(out) > lines:
        last = out[lines - 1]
        while last and text_width(last + "…", size, bold=bold) > width:
            last = last[:-1]
        out = [*out[: lines - 1], last.rstrip() + "…"]
    return out


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate a text's width in points, on the generous side, for any script and without a font.

    The reader's browser chooses the font; DejaVu Sans, whose widths these are, is wider than most.
    """
    em = 0.0
    for char in text:
        if unicodedata.combining(char):
            continue
        if unicodedata.east_asian_width(char) in "WF":
            em += 1.0
        elif char in "mwMW@%—…":
            em += 0.98
        elif char in " ijlI.,:;'|!()[]ftr-":
            em += 0.4
        else:
            em += 0.72 if char.isupper() else 0.635
    return em * size * (1.12 if bold else 1.0)


def _legend_rows(names: Sequence[str], across: float, width: float) -> tuple[int, list[list[str]]]:
    columns = (2 if len(names) in (1, 2, 4) else 3) if width >= 6 else 1
    return columns, [wrap(n, across / columns - 26, 8, 2) for n in names]


def _shift(ax: Axes, dx: float, dy: float) -> matplotlib.transforms.Transform:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return ScaledTranslation(dx / 72, dy / 72, figure.dpi_scale_trans)
