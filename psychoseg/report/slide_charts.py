"""Native charts: bars from left to right, and lines over categories; knows nothing of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psychoseg.report.slide_base import Box
from psychoseg.report.slide_parts import Page, emu, style_run
from psychoseg.report.slide_text import LEADING, Line, clean

if TYPE_CHECKING:
    from pptx.chart.axis import _BaseAxis
    from pptx.chart.chart import Chart
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE

__all__ = ["Bar", "Track", "both_ways", "draw_bars", "draw_tracks"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its value, the text beside it, its hex colour."""

    label: str
    value: float
    shown: str
    colour: str


@dataclass(frozen=True, slots=True)
class Track:
    """A line of a chart, one value a category; NaN leaves a gap."""

    label: str
    values: tuple[float, ...]
    colour: str


def draw_bars(
    page: Page,
    box: Box,
    bars: Sequence[Bar],
    *,
    name: str,
    description: str,
    series: str,
    limits: tuple[float, float],
    labels: float = 0.34,
    size: float = 11,
    decimals: str = "0.00",
) -> None:
    """Draw bars from left to right, the first on top, each with its text beside it.

    Parameters
    ----------
    limits : (float, float)
        Ends of the axis, room for the texts included.
    labels : float
        Share of the width that the names of the bars have.
    """
    from pptx.chart.data import CategoryChartData
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_TICK_LABEL_POSITION

    data = CategoryChartData(number_format=decimals)
    room = labels * box.width - 10
    lines = 2 if box.height / max(len(bars), 1) >= 2.3 * size else 1
    data.categories = _distinct([_short(page, b.label, room, size, lines) for b in bars])
    data.add_series(_harmless(series), [_known(b.value) for b in bars])
    chart = _chart(page, XL_CHART_TYPE.BAR_CLUSTERED, box, data, name, description, size)
    _lay_out(chart, Box(labels, 0.01, 0.99 - labels, 0.98))
    plot = chart.plots[0]
    plot.gap_width = 55
    plot.vary_by_categories = False
    axis = chart.category_axis
    axis.reverse_order = True
    axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    _bare_axis(axis, line=True)
    _bare_axis(chart.value_axis, line=False)
    chart.value_axis.visible = False
    chart.value_axis.minimum_scale, chart.value_axis.maximum_scale = limits
    row = plot.series[0]
    row.invert_if_negative = False
    for i, bar in enumerate(bars):
        point = row.points[i]
        point.format.fill.solid()
        point.format.fill.fore_color.rgb = RGBColor.from_string(bar.colour[1:])
        label = point.data_label
        label.text_frame.word_wrap = False
        run = label.text_frame.paragraphs[0].add_run()
        run.text = clean(bar.shown)
        style_run(run, Line(""), size)
        label.position = XL_LABEL_POSITION.OUTSIDE_END


def draw_tracks(
    page: Page,
    box: Box,
    categories: Sequence[str],
    tracks: Sequence[Track],
    *,
    name: str,
    description: str,
    limits: tuple[float, float],
    below: float = 0.2,
    size: float = 10,
    ticks: str = "+0.0;−0.0;0",
) -> Box:
    """Draw a line chart and return where its plot area stands, for labels beside it.

    Parameters
    ----------
    below : float
        Share of the height for the categories.
    """
    from pptx.chart.data import CategoryChartData
    from pptx.dml.color import RGBColor
    from pptx.enum.chart import XL_CHART_TYPE, XL_MARKER_STYLE, XL_TICK_LABEL_POSITION
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    inner = Box(0.045, 0.02, 0.945, 0.96 - below)
    step = inner.width * box.width / max(len(categories), 1)
    lines = max(1, int(below * box.height / (size * LEADING)) - 1)
    data = CategoryChartData(number_format="0.00")
    words = [_narrow(page, c, step - 8, size) for c in categories]
    data.categories = _distinct([_short(page, c, step - 6, size, lines) for c in words])
    for track in tracks:
        data.add_series(_harmless(track.label), [_known(v) for v in track.values])
    chart = _chart(page, XL_CHART_TYPE.LINE_MARKERS, box, data, name, description, size)
    _lay_out(chart, inner)
    _bare_axis(chart.category_axis, line=True)
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    _upright(chart.category_axis)
    value = chart.value_axis
    _bare_axis(value, line=False)
    value.minimum_scale, value.maximum_scale = limits
    span = limits[1] - limits[0]
    value.major_unit = 0.2 if span <= 1 else 0.5 if span <= 4 else 1.0
    value.has_major_gridlines = True
    grid = value.major_gridlines.format.line
    grid.width = Pt(0.5)
    grid.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    grid.color.brightness = -0.15
    value.tick_labels.number_format = ticks
    value.tick_labels.number_format_is_linked = False
    for track, row in zip(tracks, chart.plots[0].series, strict=True):
        colour = RGBColor.from_string(track.colour[1:])
        row.smooth = False
        row.format.line.width = Pt(2.5)
        row.format.line.color.rgb = colour
        row.marker.style = XL_MARKER_STYLE.CIRCLE
        row.marker.size = 8
        row.marker.format.fill.solid()
        row.marker.format.fill.fore_color.rgb = colour
        row.marker.format.line.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    return box.part(inner.left, inner.top, inner.width, inner.height)


def _chart(
    page: Page,
    kind: XL_CHART_TYPE,
    box: Box,
    data: CategoryChartData,
    name: str,
    text: str,
    size: float,
) -> Chart:
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    held = page.slide.shapes.add_chart(
        kind, emu(box.left), emu(box.top), emu(box.width), emu(box.height), data
    )
    page.describe(held, name, text)
    chart = held.chart
    chart.has_legend = False
    chart.has_title = False
    chart.font.size = Pt(size)
    chart.font.color.theme_color = MSO_THEME_COLOR.TEXT_1
    return chart


def both_ways(values: Sequence[float], across: float, room: float) -> tuple[float, float]:
    """Return ends of an axis that leave so many points for a text beside the longest bars."""
    high, low = max(max(values), 0.0), max(-min(values), 0.0)
    sides = (high > 0) + (low > 0)
    a_point = max(high + low, 0.2) / max(across - sides * room, 0.2 * across)
    return -(low + room * a_point) if low else 0.0, high + room * a_point if high else 0.0


def _short(page: Page, text: str, width: float, size: float, lines: int) -> str:
    return _harmless(page.shorten(text, width, size, lines))


def _narrow(page: Page, text: str, width: float, size: float) -> str:
    """Cut each word that is wider than a column, or a chart would turn its labels."""
    return " ".join(page.shorten(word, width, size, 1) for word in clean(text).split())


def _known(value: float) -> float | None:
    """Return a chart's value; NaN, which a chart cannot hold, as a gap."""
    return float(value) if math.isfinite(value) else None


def _harmless(text: str) -> str:
    """Keep the workbook behind a chart from taking a label for a formula or an address."""
    text = clean(text)
    return f" {text}" if text.startswith(("=", "{=")) or "://" in text or ":" in text[:10] else text


def _distinct(labels: Sequence[str]) -> list[str]:
    """Return labels of which no two are the same, which a chart's categories must not be."""
    seen: dict[str, int] = {}
    out = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        out.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return out


def _bare_axis(axis: _BaseAxis, *, line: bool) -> None:
    """Take ticks and grid off an axis, and its line unless it stands for everybody."""
    from pptx.enum.chart import XL_TICK_MARK
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    axis.major_tick_mark = axis.minor_tick_mark = XL_TICK_MARK.NONE
    axis.has_major_gridlines = axis.has_minor_gridlines = False
    if line:
        axis.format.line.width = Pt(1)
        axis.format.line.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
        axis.format.line.color.brightness = -0.35
    else:
        axis.format.line.fill.background()


def _upright(axis: _BaseAxis) -> None:
    """Keep the labels of an axis from being turned."""
    for frame in axis.tick_labels.font._element.iter(f"{_A}bodyPr"):
        frame.set("rot", "0")
        frame.set("vert", "horz")


def _lay_out(chart: Chart, inner: Box) -> None:
    """Fix where a chart's plot area stands, so that labels have the room they were cut for."""
    area = chart._chartSpace.find(f".//{_C}plotArea")
    for old in area.findall(f"{_C}layout"):
        area.remove(old)
    layout = area.makeelement(f"{_C}layout", {})
    area.insert(0, layout)
    manual = layout.makeelement(f"{_C}manualLayout", {})
    layout.append(manual)
    for tag, value in (
        ("layoutTarget", "inner"), ("xMode", "edge"), ("yMode", "edge"), ("x", inner.left),
        ("y", inner.top), ("w", inner.width), ("h", inner.height),
    ):  # fmt: skip
        shown = value if isinstance(value, str) else f"{value:.4f}"
        manual.append(manual.makeelement(f"{_C}{tag}", {"val": shown}))


_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
